// SPDX-License-Identifier: Apache-2.0
// The names of output kinds and modalities, by their enums.
#ifndef FEW_MODEL_KIND_H
#define FEW_MODEL_KIND_H

#include <fewer/model.h>

extern const char *const few__kind_names[FEW_KIND_COUNT];
extern const char *const few__modality_names[FEW_MODALITY_COUNT];

#endif
