// SPDX-License-Identifier: Apache-2.0
/* From an image to input tensors.
 *
 *     image -> part (crop) -> planes (resized, 8 bit) -> tensor (numbers, pad around the planes)
 *
 * Planes are made once per item for each i_pixels, tensors once for each i_tensor. Planes that only one tensor
 * wants live in one scratch that stays in the cache; planes of several have their own memory. The pad exists
 * only in the tensor. A resize that changes nothing is no copy either: planes then point into the image. */
#include "media/preprocess.h"

#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "media/buffer.h"
#include "media/scale.h"

// Three planes inside the image or inside our memory.
struct part {
    const uint8_t *planes[3];
    size_t stride;
    int width, height;
    int x, y;        // top left in the image
    bool in_cropped; // lies in the memory of the next padded crop too
};

struct pixels {
    const struct few__pixels *spec; // NULL: no model has this i_pixels
    size_t n_tensors;               // that are made of it
    struct few__buffer own;         // planes, when there are two or more
    bool done;
    struct part inner; // the resized image
    int left, top;     // where it begins in the tensor
    struct few__placement placement;
};

struct tensor {
    const struct few__input *input; // NULL: no model has this i_tensor
    struct few__buffer memory;
    float *data;
    size_t room;         // numbers
    float table[3][256]; // channel as it stands in the tensor, pixel value -> number; not for GRAY
    bool done;
    struct few__placement placement; // of the last fill
};

struct few__preprocess {
    struct few_env env;
    const struct few__recipe *recipes;
    size_t n;               // models, and places in pixels and tensors
    struct pixels *pixels;  // (n,)
    struct tensor *tensors; // (n,)
    struct few__scaler *scaler;
    struct few__buffer scratch; // planes that one tensor wants, thumbnail
    size_t scratch_bytes;       // the most that is ever asked of it
    struct few__buffer cropped; // a crop that leaves the image
    const struct few__image *image;
};

/* ---- set-up ---- */

static size_t planes_bytes(const struct few__pixels *spec)
{
    return 3 * few__plane_stride(spec->width) * (size_t)spec->height;
}

static bool is_size(int side)
{
    return side >= 1 && side <= FEW__SIDE_MAX;
}

static bool is_sound(const struct few__input *input, size_t n)
{
    const struct few__pixels *p = &input->pixels;
    for (int c = 0; c < few__input_channels(input); c++)
        if (!isfinite(input->mean[c]) || !isfinite(input->std[c]) || input->std[c] == 0) return false;
    return is_size(p->width) && is_size(p->height) && input->i_pixels < n && input->i_tensor < n &&
           (p->resize != FEW__HEIGHT || (p->min_width >= 1 && p->min_width <= p->width)) &&
           (p->crop != FEW__SQUARE || (isfinite(p->expand) && p->expand > 0));
}

// In double, then rounded once, so that a number is the nearest float to the exact one.
static void make_table(struct tensor *t)
{
    for (int c = 0; c < few__input_channels(t->input); c++)
        for (int v = 0; v < 256; v++)
            t->table[c][v] = (float)((v - (double)t->input->mean[c]) / (double)t->input->std[c]);
}

static enum few_status take_tensor(struct tensor *t, struct few_error *err)
{
    t->data = few__buffer_reserve(&t->memory, t->room * sizeof *t->data);
    return t->data ? FEW_OK : few__no_memory(err, "input tensor");
}

// Enter one model: the first of its kind brings the memory, the others must agree with it.
static enum few_status enter(struct few__preprocess *p, size_t model, struct few_error *err)
{
    const struct few__input *input = &p->recipes[model].input;
    if (!is_sound(input, p->n))
        return few__fail(err, FEW_EINVAL, "model %zu: its input has no sound size, mean or std", model);
    struct pixels *pixels = &p->pixels[input->i_pixels];
    struct tensor *tensor = &p->tensors[input->i_tensor];
    if (!pixels->spec) pixels->spec = &input->pixels;
    if (!few__pixels_equal(pixels->spec, &input->pixels))
        return few__fail(err, FEW_EINVAL, "model %zu shares i_pixels %zu with a model of other pixels", model,
                         input->i_pixels);
    if (tensor->input) {
        if (few__tensor_equal(tensor->input, input)) return FEW_OK;
        return few__fail(err, FEW_EINVAL, "model %zu shares i_tensor %zu with a model of other numbers",
                         model, input->i_tensor);
    }
    tensor->input = input;
    tensor->memory.mem = p->env.mem;
    tensor->room =
        (size_t)few__input_channels(input) * (size_t)input->pixels.width * (size_t)input->pixels.height;
    FEW__TRY(take_tensor(tensor, err));
    if (input->colour != FEW__GRAY) make_table(tensor);
    pixels->n_tensors++;
    return FEW_OK;
}

static enum few_status reserve_planes(struct few__preprocess *p, struct few_error *err)
{
    p->scratch_bytes = FEW__THUMBNAIL_BYTES;
    for (size_t i = 0; i < p->n; i++) {
        struct pixels *pixels = &p->pixels[i];
        if (!pixels->spec) continue;
        size_t bytes = planes_bytes(pixels->spec);
        pixels->own.mem = p->env.mem;
        if (pixels->n_tensors > 1 && !few__buffer_reserve(&pixels->own, bytes))
            return few__no_memory(err, "resized planes");
        if (pixels->n_tensors == 1 && bytes > p->scratch_bytes) p->scratch_bytes = bytes;
    }
    if (!few__buffer_reserve(&p->scratch, p->scratch_bytes)) return few__no_memory(err, "resized planes");
    return FEW_OK;
}

static enum few_status set_up(struct few__preprocess *p, struct few_error *err)
{
    if (p->n) {
        p->pixels = FEW__NEW_N(p->env.mem, struct pixels, p->n);
        p->tensors = FEW__NEW_N(p->env.mem, struct tensor, p->n);
        if (!p->pixels || !p->tensors) return few__no_memory(err, "preprocessing");
    }
    FEW__TRY(few__scaler_create(p->env.mem, &p->scaler, err));
    for (size_t m = 0; m < p->n; m++)
        if (p->recipes[m].input.modality == FEW_IMAGE) FEW__TRY(enter(p, m, err));
    return reserve_planes(p, err);
}

enum few_status few__preprocess_create(const struct few_env *env, const struct few__recipe *recipes,
                                       size_t n_models, struct few__preprocess **preprocess,
                                       struct few_error *err)
{
    *preprocess = NULL;
    struct few_env full = few__env(env);
    struct few__preprocess *p = FEW__NEW(full.mem, struct few__preprocess);
    if (!p) return few__no_memory(err, "preprocessing");
    p->env = full;
    p->recipes = recipes;
    p->n = n_models;
    p->scratch.mem = p->cropped.mem = full.mem;
    enum few_status got = set_up(p, err);
    if (got != FEW_OK) few__preprocess_destroy(p);
    else *preprocess = p;
    return got;
}

void few__preprocess_destroy(struct few__preprocess *p)
{
    if (!p) return;
    for (size_t i = 0; p->pixels && i < p->n; i++) few__buffer_finish(&p->pixels[i].own);
    for (size_t i = 0; p->tensors && i < p->n; i++) few__buffer_finish(&p->tensors[i].memory);
    few__buffer_finish(&p->scratch);
    few__buffer_finish(&p->cropped);
    few__scaler_destroy(p->scaler);
    few__free(p->env.mem, p->pixels);
    few__free(p->env.mem, p->tensors);
    few__free(p->env.mem, p);
}

void few__preprocess_begin(struct few__preprocess *p, const struct few__image *image)
{
    p->image = image;
    for (size_t i = 0; i < p->n; i++) p->pixels[i].done = p->tensors[i].done = false;
}

const struct few__image *few__preprocess_image(const struct few__preprocess *p)
{
    return p->image;
}

float *few__preprocess_buffer(struct few__preprocess *p, size_t model, size_t *n_numbers)
{
    struct tensor *t = &p->tensors[p->recipes[model].input.i_tensor];
    *n_numbers = t->room;
    return t->data;
}

/* ---- the part of the image ---- */

static struct part whole(const struct few__image *image)
{
    return (struct part){.planes = {image->planes[0], image->planes[1], image->planes[2]},
                         .stride = image->stride,
                         .width = image->width,
                         .height = image->height};
}

// A part that lies inside another one, without copying.
static struct part inside(const struct part *of, int x, int y, int width, int height)
{
    struct part out = *of;
    out.width = width;
    out.height = height;
    out.x += x;
    out.y += y;
    for (int c = 0; c < 3; c++) out.planes[c] = of->planes[c] + (size_t)y * of->stride + (size_t)x;
    return out;
}

// A part that leaves the image: copied, the rest is pad. out: place and size in, planes out.
static enum few_status crop_padded(struct few__preprocess *p, uint8_t pad, struct part *out,
                                   struct few_error *err)
{
    const struct few__image *image = p->image;
    int right = out->x + out->width, bottom = out->y + out->height;
    int x0 = out->x > 0 ? out->x : 0, x1 = right < image->width ? right : image->width;
    int y0 = out->y > 0 ? out->y : 0, y1 = bottom < image->height ? bottom : image->height;
    size_t stride = few__plane_stride(out->width), plane = stride * (size_t)out->height;
    uint8_t *memory = few__buffer_reserve(&p->cropped, 3 * plane);
    if (!memory) return few__no_memory(err, "crop");
    memset(memory, pad, 3 * plane);
    for (int c = 0; c < 3; c++) {
        uint8_t *to = memory + (size_t)c * plane;
        out->planes[c] = to;
        for (int y = y0; x0 < x1 && y < y1; y++)
            memcpy(to + (size_t)(y - out->y) * stride + (size_t)(x0 - out->x),
                   image->planes[c] + (size_t)y * image->stride + (size_t)x0, (size_t)(x1 - x0));
    }
    out->stride = stride;
    out->in_cropped = true;
    return FEW_OK;
}

// A factor as it was written in decimal: 1.3 became a float below 1.3, and sides are cut to whole pixels.
static double decimal(float factor)
{
    return round((double)factor * 1e6) / 1e6;
}

// Four decimals are what detectors' boxes are worth, and what the photo zoo's reference cuts its squares with: a crop then
// does not jump by a pixel for a digit that means nothing.
static double share(float x)
{
    return round((double)x * 1e4) / 1e4;
}

// Coordinates are cut towards zero, sides to at least two pixels.
static enum few_status crop_box(struct few__preprocess *p, const struct few__pixels *spec, const float box[4],
                                struct part *out, struct few_error *err)
{
    for (int i = 0; i < 4; i++)
        if (!(fabsf(box[i]) <= 2))
            return few__fail(err, FEW_EDECODE, "crop: box %g is no share", (double)box[i]);
    double x = (double)box[0] * p->image->width, y = (double)box[1] * p->image->height;
    double width = (double)box[2] * p->image->width, height = (double)box[3] * p->image->height;
    if (!(width > 0 && height > 0))
        return few__fail(err, FEW_EDECODE, "crop: a box of %g x %g pixels has none", width, height);
    if (spec->crop == FEW__SQUARE) {
        x = share(box[0]) * p->image->width;
        y = share(box[1]) * p->image->height;
        width = share(box[2]) * p->image->width;
        height = share(box[3]) * p->image->height;
        double side = (width > height ? width : height) * decimal(spec->expand);
        x += width / 2 - side / 2;
        y += height / 2 - side / 2;
        width = height = side;
    }
    if (width > FEW__IMAGE_SIDE_MAX || height > FEW__IMAGE_SIDE_MAX || width * height > FEW__IMAGE_PIXELS_MAX)
        return few__fail(err, FEW_ELIMIT,
                         "crop of %.0f x %.0f pixels is over the limit (%d a side, %d in all)", width, height,
                         FEW__IMAGE_SIDE_MAX, FEW__IMAGE_PIXELS_MAX);
    int left = (int)x, top = (int)y, w = width < 2 ? 2 : (int)width, h = height < 2 ? 2 : (int)height;
    struct part all = whole(p->image);
    if (left < 0 || top < 0 || left + w > all.width || top + h > all.height) {
        *out = (struct part){.x = left, .y = top, .width = w, .height = h};
        return crop_padded(p, spec->pad, out, err);
    }
    *out = inside(&all, left, top, w, h);
    return FEW_OK;
}

/* ---- resizing ---- */

static int round_side(double side, int most)
{
    int whole_side = (int)floor(side + 0.5);
    return whole_side < 1 ? 1 : whole_side > most ? most : whole_side;
}

// How a part comes to lie in the tensor: sizes, offsets, scale. part may shrink (centre crop).
static void lay_out(const struct few__pixels *spec, struct part *part, int *width, int *height,
                    struct few__placement *to)
{
    *to = (struct few__placement){.width = spec->width, .height = spec->height};
    *width = spec->width;
    *height = spec->height;
    if (spec->resize == FEW__CENTRE_CROP) {
        int side = part->width < part->height ? part->width : part->height;
        *part = inside(part, (part->width - side) >> 1, (part->height - side) >> 1, side, side);
    } else if (spec->resize == FEW__HEIGHT) {
        double wanted = ceil((double)part->width * spec->height / part->height / 8) * 8;
        int at_most = wanted < spec->width ? (int)wanted : spec->width;
        *width = to->width = at_most > spec->min_width ? at_most : spec->min_width;
    }
    to->scale_x = (float)*width / (float)part->width;
    to->scale_y = (float)*height / (float)part->height;
    if (spec->resize == FEW__LETTERBOX || spec->resize == FEW__LETTERBOX_CENTRE) {
        double across = (double)spec->width / part->width, down = (double)spec->height / part->height;
        double scale = across < down ? across : down;
        *width = round_side(part->width * scale, spec->width);
        *height = round_side(part->height * scale, spec->height);
        to->scale_x = to->scale_y = (float)scale;
    }
    if (spec->resize == FEW__LETTERBOX_CENTRE) {
        to->inner_x = (float)((spec->width - *width) >> 1);
        to->inner_y = (float)((spec->height - *height) >> 1);
    }
    to->image_x = (float)part->x;
    to->image_y = (float)part->y;
}

static enum few_status resize_part(struct few__preprocess *p, enum few__sampling sampling,
                                   const struct part *from, int width, int height, uint8_t *memory,
                                   struct part *to, struct few_error *err)
{
    *to = *from;
    if (from->width == width && from->height == height) return FEW_OK;
    size_t stride = few__plane_stride(width), plane = stride * (size_t)height;
    uint8_t *planes[3] = {memory, memory + plane, memory + 2 * plane};
    struct few__planes out = {width, height, stride, {planes[0], planes[1], planes[2]}};
    struct few__image in = {
        from->width, from->height, from->stride, {from->planes[0], from->planes[1], from->planes[2]}};
    *to = (struct part){
        .planes = {planes[0], planes[1], planes[2]}, .stride = stride, .width = width, .height = height};
    return few__scale(p->scaler, sampling, &in, &out, err);
}

static enum few_status make_planes(struct few__preprocess *p, struct pixels *pixels, const float box[4],
                                   struct few_error *err)
{
    if (pixels->done) return FEW_OK;
    const struct few__pixels *spec = pixels->spec;
    struct part part = whole(p->image);
    if (spec->needs >= 0 && spec->crop != FEW__WHOLE) {
        if (!box) return few__fail(err, FEW_EINVAL, "crop: the model needs a box and there is none");
        FEW__TRY(crop_box(p, spec, box, &part, err));
    }
    int width, height;
    lay_out(spec, &part, &width, &height, &pixels->placement);
    pixels->placement.image_width = p->image->width;
    pixels->placement.image_height = p->image->height;
    pixels->left = (int)pixels->placement.inner_x;
    pixels->top = (int)pixels->placement.inner_y;

    bool shared = pixels->n_tensors > 1;
    uint8_t *memory = shared ? few__buffer_reserve(&pixels->own, planes_bytes(spec))
                             : few__buffer_reserve(&p->scratch, p->scratch_bytes);
    FEW__TRY(resize_part(p, spec->sampling, &part, width, height, memory, &pixels->inner, err));
    pixels->done = shared && !pixels->inner.in_cropped;
    return FEW_OK;
}

/* ---- numbers ---- */

static void set_all(float *out, size_t n, float value)
{
    for (size_t i = 0; i < n; i++) out[i] = value;
}

static float grey_of(const struct few__input *input, int r, int g, int b)
{
    return (float)((0.299 * r + 0.587 * g + 0.114 * b - (double)input->mean[0]) / (double)input->std[0]);
}

// One channel of one row of the inner part.
static void channel_row(const struct tensor *t, const struct part *inner, int channel, int y,
                        float *restrict out)
{
    const uint8_t *rows[3];
    for (int c = 0; c < 3; c++) rows[c] = inner->planes[c] + (size_t)y * inner->stride;
    size_t n = (size_t)inner->width;
    if (t->input->colour == FEW__GRAY) {
        for (size_t x = 0; x < n; x++) out[x] = grey_of(t->input, rows[0][x], rows[1][x], rows[2][x]);
        return;
    }
    const uint8_t *restrict row = rows[t->input->colour == FEW__BGR ? 2 - channel : channel];
    const float *restrict table = t->table[channel];
    for (size_t x = 0; x < n; x++) out[x] = table[row[x]];
}

static void fill_planar(struct tensor *t, const struct pixels *p)
{
    size_t width = (size_t)p->placement.width, left = (size_t)p->left, inner = (size_t)p->inner.width;
    int height = p->placement.height;
    uint8_t grey = p->spec->pad;
    for (int c = 0; c < few__input_channels(t->input); c++) {
        float pad = t->input->colour == FEW__GRAY ? grey_of(t->input, grey, grey, grey) : t->table[c][grey];
        float *out = t->data + (size_t)c * width * (size_t)height;
        for (int y = 0; y < height; y++, out += width) {
            if (y < p->top || y >= p->top + p->inner.height) {
                set_all(out, width, pad);
                continue;
            }
            set_all(out, left, pad);
            channel_row(t, &p->inner, c, y - p->top, out + left);
            set_all(out + left + inner, width - left - inner, pad);
        }
    }
}

static float *set_triples(float *out, size_t n, const float pad[3])
{
    for (size_t i = 0; i < n; i++, out += 3) {
        out[0] = pad[0];
        out[1] = pad[1];
        out[2] = pad[2];
    }
    return out;
}

static float *triples_row(const struct tensor *t, const struct part *inner, int y, float *restrict out)
{
    int first = t->input->colour == FEW__BGR ? 2 : 0;
    size_t at = (size_t)y * inner->stride, n = (size_t)inner->width;
    const uint8_t *restrict a = inner->planes[first] + at, *restrict b = inner->planes[1] + at,
                            *restrict c = inner->planes[2 - first] + at;
    for (size_t x = 0; x < n; x++, out += 3) {
        out[0] = t->table[0][a[x]];
        out[1] = t->table[1][b[x]];
        out[2] = t->table[2][c[x]];
    }
    return out;
}

static void fill_interleaved(struct tensor *t, const struct pixels *p)
{
    size_t width = (size_t)p->placement.width, left = (size_t)p->left, inner = (size_t)p->inner.width;
    uint8_t grey = p->spec->pad;
    const float pad[3] = {t->table[0][grey], t->table[1][grey], t->table[2][grey]};
    float *out = t->data;
    for (int y = 0; y < p->placement.height; y++) {
        if (y < p->top || y >= p->top + p->inner.height) {
            out = set_triples(out, width, pad);
            continue;
        }
        out = set_triples(out, left, pad);
        out = triples_row(t, &p->inner, y - p->top, out);
        out = set_triples(out, width - left - inner, pad);
    }
}

enum few_status few__preprocess_fill(struct few__preprocess *p, size_t model, const float box[4],
                                     int64_t dims[4], struct few__placement *placement, struct few_error *err)
{
    const struct few__input *input = &p->recipes[model].input;
    struct tensor *t = &p->tensors[input->i_tensor];
    bool nhwc = input->layout == FEW__NHWC;
    if (!p->image) return few__fail(err, FEW_EINVAL, "preprocessing before there is an image");
    if (!t->done) {
        struct pixels *pixels = &p->pixels[input->i_pixels];
        if (!t->data) FEW__TRY(take_tensor(t, err));
        FEW__TRY(make_planes(p, pixels, box, err));
        if (nhwc && input->colour != FEW__GRAY) fill_interleaved(t, pixels);
        else fill_planar(t, pixels);
        t->placement = pixels->placement;
        t->done = true;
    }
    *placement = t->placement;
    few__input_dims(input, t->placement.width, dims);
    return FEW_OK;
}

void few__preprocess_release(struct few__preprocess *p, size_t model)
{
    struct tensor *t = &p->tensors[p->recipes[model].input.i_tensor];
    few__buffer_finish(&t->memory);
    t->data = NULL;
    t->done = false;
}

enum few_status few__preprocess_thumbnail(struct few__preprocess *p, uint8_t rgb[FEW__THUMBNAIL_BYTES],
                                          struct few_error *err)
{
    if (!p->image) return few__fail(err, FEW_EINVAL, "thumbnail before there is an image");
    struct part all = whole(p->image), small;
    uint8_t *memory = few__buffer_reserve(&p->scratch, p->scratch_bytes);
    FEW__TRY(
        resize_part(p, FEW__CENTRES, &all, FEW__THUMBNAIL_SIDE, FEW__THUMBNAIL_SIDE, memory, &small, err));
    for (int y = 0; y < FEW__THUMBNAIL_SIDE; y++)
        for (int x = 0; x < FEW__THUMBNAIL_SIDE; x++)
            for (int c = 0; c < 3; c++) *rgb++ = small.planes[c][(size_t)y * small.stride + (size_t)x];
    return FEW_OK;
}
