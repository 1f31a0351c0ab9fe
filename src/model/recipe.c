// SPDX-License-Identifier: Apache-2.0
#include "model/recipe.h"

bool few__pixels_equal(const struct few__pixels *a, const struct few__pixels *b)
{
    return a->resize == b->resize && a->sampling == b->sampling && a->width == b->width &&
           a->height == b->height && a->min_width == b->min_width && a->pad == b->pad &&
           a->needs == b->needs && a->crop == b->crop && a->pick == b->pick && a->expand == b->expand;
}

bool few__tensor_equal(const struct few__input *a, const struct few__input *b)
{
    for (int c = 0; c < 3; c++)
        if (a->mean[c] != b->mean[c] || a->std[c] != b->std[c]) return false;
    return a->i_pixels == b->i_pixels && a->colour == b->colour && a->layout == b->layout;
}

int few__input_channels(const struct few__input *input)
{
    return input->colour == FEW__GRAY ? 1 : 3;
}

void few__input_dims(const struct few__input *input, int64_t width, int64_t dims[4])
{
    bool nhwc = input->layout == FEW__NHWC;
    dims[0] = 1;
    dims[nhwc ? 3 : 1] = few__input_channels(input);
    dims[nhwc ? 1 : 2] = input->pixels.height;
    dims[nhwc ? 2 : 3] = width;
}

size_t few__input_numbers(const struct few__input *input)
{
    if (input->modality == FEW_SOUND) return input->window.context + input->window.length;
    if (input->modality == FEW_TEXT) return input->tokens.length;
    return (size_t)few__input_channels(input) * (size_t)input->pixels.width * (size_t)input->pixels.height;
}
