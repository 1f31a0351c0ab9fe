// SPDX-License-Identifier: Apache-2.0
// The names of the output kinds, by enum few_kind.
#ifndef FEW_MODEL_KIND_H
#define FEW_MODEL_KIND_H

#include <fewer/model.h>

extern const char *const few__kind_names[FEW_KIND_COUNT];

#endif
