// SPDX-License-Identifier: Apache-2.0
#include "backend/shape.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"

void few__shape_text(char *text, size_t size, const char *type, size_t n_dims, const int64_t *dims)
{
    size_t n = (size_t)snprintf(text, size, "%s [", type);
    for (size_t i = 0; i < n_dims && n + 24 < size; i++)
        n += (size_t)(dims[i] < 0 ? snprintf(text + n, size - n, "%s?", i ? "," : "")
                                  : snprintf(text + n, size - n, "%s%lld", i ? "," : "", (long long)dims[i]));
    snprintf(text + n, size - n, "]");
}

size_t few__shape_count(size_t n_dims, const int64_t *dims)
{
    size_t n = 1;
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] <= 0 || (uint64_t)dims[i] > FEW__NUMBERS_MAX / n) return 0;
        n *= (size_t)dims[i];
    }
    return n;
}

int64_t few__recipe_batch(const struct few__recipe *recipe)
{
    return recipe->batch > 1 ? (int64_t)recipe->batch : 1;
}

static enum few_status check_row(const struct few__recipe *recipe, const struct few_model *model,
                                 const char *name, const struct few__run_input *input, struct few_error *err)
{
    bool is_text = recipe->input.modality == FEW_TEXT;
    const char *type = is_text ? "int64" : "float32";
    const int64_t expected[2] = {1, (int64_t)few__input_numbers(&recipe->input)};
    bool fits = input->n_dims == 2 && memcmp(input->dims, expected, sizeof expected) == 0;
    if (fits && (is_text ? input->tokens != NULL : input->data != NULL)) return FEW_OK;
    char want[FEW__SHAPE_TEXT], have[FEW__SHAPE_TEXT];
    few__shape_text(want, sizeof want, type, 2, expected);
    few__shape_text(have, sizeof have, input->tokens ? "int64" : "float32", input->n_dims, input->dims);
    return few__fail(err, FEW_ESHAPE, "model '%s': input '%s': expected %s, found %s", model->name, name,
                     want, have);
}

static enum few_status check_pictures(const struct few__recipe *recipe, const struct few_model *model,
                                      const char *name, const struct few__run_input *input,
                                      struct few_error *err)
{
    const int64_t *dims = input->dims;
    int64_t batch = few__recipe_batch(recipe);
    int64_t expected[4];
    const struct few__pixels *pixels = &recipe->input.pixels;
    bool any_width = pixels->resize == FEW__HEIGHT;
    few__input_dims(&recipe->input, any_width ? -1 : pixels->width, expected);
    bool fits = input->n_dims == 4 && dims[0] >= 1 && dims[0] <= batch && few__shape_count(4, dims) > 0;
    for (size_t i = 1; fits && i < 4; i++)
        fits = dims[i] == expected[i] || (expected[i] < 0 && dims[i] <= pixels->width);
    if (fits) return FEW_OK;
    char want[FEW__SHAPE_TEXT], have[FEW__SHAPE_TEXT];
    expected[0] = batch > 1 ? -1 : 1;
    few__shape_text(want, sizeof want, "float32", 4, expected);
    few__shape_text(have, sizeof have, "float32", input->n_dims, dims);
    return few__fail(err, FEW_ESHAPE,
                     "model '%s': input '%s': expected %s, at most %lld items, width at most %d, found %s",
                     model->name, name, want, (long long)batch, pixels->width, have);
}

enum few_status few__check_run_input(const struct few__recipe *recipe, const struct few_model *model,
                                     const char *name, const struct few__run_input *input,
                                     struct few_error *err)
{
    if (recipe->input.modality == FEW_IMAGE) return check_pictures(recipe, model, name, input, err);
    return check_row(recipe, model, name, input, err);
}
