// SPDX-License-Identifier: Apache-2.0
// Shapes of tensors: as text for messages, as numbers, and what a run's input must be.
#ifndef FEW_BACKEND_SHAPE_H
#define FEW_BACKEND_SHAPE_H

#include <stddef.h>

#include "backend/backend.h"

#define FEW__NUMBERS_MAX ((size_t)1 << 30) // of one tensor

enum { FEW__SHAPE_TEXT = 240 }; // room for any shape of FEW__DIMS_MAX dimensions

/* "float32 [1,3,?,224]"; ? is a dimension below 0. */
void few__shape_text(char *text, size_t size, const char *type, size_t n_dims, const int64_t *dims);

/* Numbers of a shape; 0 where a dimension is 0 or free, or where they are more than FEW__NUMBERS_MAX. */
size_t few__shape_count(size_t n_dims, const int64_t *dims);

/* Items that a run of this recipe takes at most. */
int64_t few__recipe_batch(const struct few__recipe *recipe);

/* Check that a run's input is as the recipe wants it: pictures of at most its batch, and at most its width where that is
 * free; of sound and text a row. name: of the input tensor, for the message. Errors: FEW_ESHAPE. */
enum few_status few__check_run_input(const struct few__recipe *recipe, const struct few_model *model,
                                     const char *name, const struct few__run_input *input,
                                     struct few_error *err);

#endif
