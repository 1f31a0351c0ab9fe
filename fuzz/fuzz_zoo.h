// SPDX-License-Identifier: Apache-2.0
// A zoo with a model of every kind, the same for all targets that need one; opened once, kept to the end.
#ifndef FEW_FUZZ_FUZZ_ZOO_H
#define FEW_FUZZ_FUZZ_ZOO_H

#include <fewer/trace.h>

const struct few_zoo *fuzz_zoo(void);

#endif
