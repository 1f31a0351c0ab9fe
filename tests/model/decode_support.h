// SPDX-License-Identifier: Apache-2.0
// What the decoder tests share: tensors over arrays, a placement that stretches, one call that decodes.
#ifndef FEW_TESTS_DECODE_SUPPORT_H
#define FEW_TESTS_DECODE_SUPPORT_H

#include <string.h>

#include "model/decode.h"
#include "support/support.h"

struct scene {
    struct few__recipe recipe;
    struct few_model model;
    struct few__placement placement;
    struct few__tensor tensors[FEW__OUTPUTS_MAX];
    size_t n_tensors;
    struct few__arena arena;
    struct few_output output;
    struct few_error err;
};

// An input of width x height, of an image twice as wide and high.
static inline void scene_init(struct scene *s, enum few__decoder decoder, enum few_kind kind, int width,
                              int height)
{
    *s = (struct scene){.model = {.name = "m", .kind = kind, .threshold = 0.5F},
                        .recipe = {.input.pixels = {.width = width, .height = height},
                                   .decode = {.kind = decoder, .keep = 0.3F, .iou = 0.5F}},
                        .placement = {.image_width = 2 * width,
                                      .image_height = 2 * height,
                                      .scale_x = 0.5F,
                                      .scale_y = 0.5F,
                                      .width = width,
                                      .height = height}};
    few__arena_init(&s->arena, NULL, 64 << 20);
}

static inline void scene_tensor(struct scene *s, const char *name, const float *data, size_t n_dims,
                                const int64_t *dims)
{
    struct few__tensor *t = &s->tensors[s->n_tensors];
    t->data = data;
    t->n = 1;
    t->n_dims = n_dims;
    memcpy(t->dims, dims, n_dims * sizeof *dims);
    for (size_t i = 0; i < n_dims; i++) t->n *= dims[i] > 0 ? (size_t)dims[i] : 0;
    s->recipe.decode.outputs[s->n_tensors] = name;
    s->recipe.decode.n_outputs = ++s->n_tensors;
}

#define SCENE_TENSOR(s, name, data, ...)                                                  \
    scene_tensor((s), (name), (data), sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
                 (int64_t[]){__VA_ARGS__})

static inline enum few_status scene_decode(struct scene *s)
{
    return few__decode(&s->recipe, &s->model, s->tensors, s->n_tensors, &s->placement, &s->arena, &s->output,
                       &s->err);
}

static inline enum few_status scene_check(struct scene *s)
{
    return few__decode_check(&s->recipe, &s->model, s->tensors, s->n_tensors, &s->err);
}

// Both the check at load and the decoding refuse it, with this in the message.
static inline void scene_refused(struct scene *s, enum few_status expected, const char *part)
{
    assert_status(scene_check(s), expected, &s->err);
    if (!strstr(s->err.message, part)) fail_msg("'%s' is not in: %s", part, s->err.message);
    assert_status(scene_decode(s), expected, &s->err);
    assert_true(s->output.empty && s->output.n == 0);
}

static inline void scene_detection(const struct scene *s, size_t i, int32_t label, double confidence,
                                   double x, double y, double w, double h)
{
    assert_true(i < s->output.n);
    const struct few_detection *d = &s->output.detections[i];
    const float box[4] = {(float)x, (float)y, (float)w, (float)h};
    assert_int_equal(d->label, label);
    assert_near(d->confidence, confidence, 1e-5);
    assert_near_all(d->box, box, 4, 1e-5);
}

static inline void scene_finish(struct scene *s)
{
    few__arena_finish(&s->arena);
}

/* few__decode with every allocation failing in turn; the scene's arena is replaced. */
static inline enum few_status scene_decode_in(const struct few_mem *mem, void *ud)
{
    struct scene *s = ud;
    few__arena_init(&s->arena, mem, 64 << 20);
    enum few_status status = scene_decode(s);
    few__arena_finish(&s->arena);
    return status;
}

static inline void scene_fail_each_allocation(struct scene *s)
{
    few__arena_finish(&s->arena);
    t_fail_each_allocation(scene_decode_in, s);
}

#endif
