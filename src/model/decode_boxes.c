// SPDX-License-Identifier: Apache-2.0
/* Detectors: from grids of scores and box numbers to detections. Every class whose score at a cell exceeds
 * `keep` becomes a candidate; boxes are computed in input pixels and led back to the image.
 *
 * Sources: YOLOX (Ge et al. 2021, section 2.1); YOLOv5-style boxes with anchors (fastestv2); GFL
 * distributions (Li et al. 2020, eq. 3-5; nanodet); Objects as Points (Zhou et al. 2019, section 4) with TTFNet's
 * four distances (centernet). C classes, S strides, G cells of a grid's side. */
#include <math.h>

#include "model/decode_impl.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "no-trapping-math") // any_above reads millions of numbers
#endif

// A cell of fastestv2: how many anchors, numbers of their sizes, of their boxes, of boxes and objectness.
enum { V2_ANCHORS = 3, V2_SIZES = 2 * V2_ANCHORS, V2_BOXES = 4 * V2_ANCHORS, V2_ROW = 5 * V2_ANCHORS };
enum { DETECTOR_KINDS = 1 << FEW_DETECTIONS | 1 << FEW_BOX };

/* ---- shared ---- */

static bool any_above(const float *v, size_t n, float least)
{
    int above = 0; // a sum, not an early end: several are compared at a time
    for (size_t i = 0; i < n; i++) above += v[i] > least;
    return above > 0;
}

static void add_centred(struct few__candidates *c, size_t label, float confidence, float x, float y, float w,
                        float h)
{
    const float corners[4] = {x - w / 2, y - h / 2, x + w / 2, y + h / 2};
    few__candidate_add(c, label, confidence, corners, -1);
}

// Cells of the k-th stride's grid along a side of the input; -1 = not known.
static int64_t cells(const struct few__reading *r, int64_t side, size_t k)
{
    int64_t stride = r->recipe->decode.strides[k];
    return side < 0 ? -1 : (side + stride - 1) / stride;
}

static int64_t grid(const struct few__reading *r, size_t k)
{
    int64_t columns = cells(r, r->width, k), rows = cells(r, r->height, k);
    return columns < 0 || rows < 0 ? -1 : columns * rows;
}

static int64_t all_grids(const struct few__reading *r)
{
    int64_t n = 0;
    for (size_t k = 0; k < r->recipe->decode.n_strides; k++) {
        if (grid(r, k) < 0) return -1;
        n += grid(r, k);
    }
    return n;
}

static enum few_status need_strides(const struct few__reading *r)
{
    const struct few__decode *decode = &r->recipe->decode;
    bool good = decode->n_strides > 0 && decode->n_strides <= FEW__STRIDES_MAX;
    for (size_t k = 0; good && k < decode->n_strides; k++) good = decode->strides[k] > 0;
    if (good) return FEW_OK;
    return few__fail(r->err, FEW_ESHAPE, "model '%s': decoder: expected 1 to %d strides above 0, found %zu",
                     r->model->name, FEW__STRIDES_MAX, decode->n_strides);
}

// Check n tensors from the first on, one for each stride: [1, cells, width].
static enum few_status expect_grids(const struct few__reading *r, size_t first, int64_t width)
{
    for (size_t k = 0; k < r->recipe->decode.n_strides; k++)
        FEW__TRY(few__expect_shape(r, first + k, 3, (const int64_t[]){1, grid(r, k), width}));
    return FEW_OK;
}

static int64_t n_classes(const struct few__reading *r)
{
    return (int64_t)few__n_classes(r->model);
}

/* ---- yolox: (1, cells, 4 + 1 + C), strides one after the other ---- */

static enum few_status yolox_check(const struct few__reading *r)
{
    FEW__TRY(need_strides(r));
    return few__expect_shape(r, 0, 3, (const int64_t[]){1, all_grids(r), 5 + n_classes(r)});
}

static void yolox_cell(struct few__candidates *c, const float *row, float x, float y, float stride)
{
    float keep = c->r->recipe->decode.keep;
    if (!(row[4] > keep)) return; // a class is at most 1
    size_t n = few__n_classes(c->r->model);
    for (size_t k = 0; k < n; k++) {
        float score = row[4] * row[5 + k];
        if (score > keep)
            add_centred(c, k, score, (row[0] + x) * stride, (row[1] + y) * stride, expf(row[2]) * stride,
                        expf(row[3]) * stride);
    }
}

static enum few_status yolox_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    const float *row = r->tensors[0].data;
    size_t width = 5 + few__n_classes(r->model);
    for (size_t k = 0; k < r->recipe->decode.n_strides; k++) {
        int64_t columns = cells(r, r->width, k), rows = cells(r, r->height, k);
        float stride = (float)r->recipe->decode.strides[k];
        for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < columns; x++, row += width)
                yolox_cell(&c, row, (float)x, (float)y, stride);
    }
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_yolox = {
    .name = "yolox", .kinds = DETECTOR_KINDS, .check = yolox_check, .read = yolox_read};

/* ---- fastestdet: (1, 1 + 4 + C, G, G), channels first ---- */

static enum few_status fastestdet_check(const struct few__reading *r)
{
    return few__expect_shape(r, 0, 4, (const int64_t[]){1, 5 + n_classes(r), -1, -1});
}

static float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

/* score = objectness^0.6 * class^0.4. Powers are dear: the class is first compared with the value that makes
 * the score `keep`, a little less for rounding. */
static void fastestdet_cell(struct few__candidates *c, const float *cell, size_t n_cells, float x, float y)
{
    float keep = c->r->recipe->decode.keep;
    float objectness = powf(cell[0], 0.6F);
    if (!(objectness > keep)) return;
    float least = powf(keep / objectness, 2.5F) * 0.999F;
    const struct few__tensor *t = &c->r->tensors[0];
    float step_x = (float)c->r->width / (float)t->dims[3], step_y = (float)c->r->height / (float)t->dims[2];
    size_t n = few__n_classes(c->r->model);
    for (size_t k = 0; k < n; k++) {
        float class = cell[(5 + k) * n_cells];
        float score = class > least ? objectness * powf(class, 0.4F) : 0;
        if (score > keep)
            add_centred(c, k, score, (x + tanhf(cell[n_cells])) * step_x,
                        (y + tanhf(cell[2 * n_cells])) * step_y,
                        sigmoid(cell[3 * n_cells]) * (float)c->r->width,
                        sigmoid(cell[4 * n_cells]) * (float)c->r->height);
    }
}

static enum few_status fastestdet_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    const struct few__tensor *t = &r->tensors[0];
    size_t rows = (size_t)t->dims[2], columns = (size_t)t->dims[3];
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < columns; x++)
            fastestdet_cell(&c, t->data + y * columns + x, rows * columns, (float)x, (float)y);
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_fastestdet = {
    .name = "fastestdet", .kinds = DETECTOR_KINDS, .check = fastestdet_check, .read = fastestdet_read};

/* ---- fastestv2: (cells, 3 x 4 + 3 + C), strides one after the other; all numbers after their sigmoid ---- */

static enum few_status fastestv2_check(const struct few__reading *r)
{
    FEW__TRY(need_strides(r));
    const struct few__decode *decode = &r->recipe->decode;
    size_t wanted = V2_SIZES * decode->n_strides;
    if (decode->n_anchors != wanted)
        return few__fail(r->err, FEW_ESHAPE,
                         "model '%s': decoder fastestv2: expected %zu anchor numbers, found %zu",
                         r->model->name, wanted, decode->n_anchors);
    return few__expect_shape(r, 0, 2, (const int64_t[]){all_grids(r), V2_ROW + n_classes(r)});
}

// score = best objectness of the three anchors * class; the box is that anchor's.
static void fastestv2_cell(struct few__candidates *c, const float *row, const float *anchors, float x,
                           float y, float stride)
{
    float keep = c->r->recipe->decode.keep;
    const float *objectness = row + V2_BOXES;
    size_t best = 0, n = few__n_classes(c->r->model);
    for (size_t a = 1; a < V2_ANCHORS; a++)
        if (objectness[a] > objectness[best]) best = a;
    if (!(objectness[best] > keep)) return;
    const float *b = row + 4 * best;
    float w = 4 * b[2] * b[2] * anchors[2 * best], h = 4 * b[3] * b[3] * anchors[2 * best + 1];
    for (size_t k = 0; k < n; k++) {
        float score = objectness[best] * row[V2_ROW + k];
        if (score > keep)
            add_centred(c, k, score, (2 * b[0] - 0.5F + x) * stride, (2 * b[1] - 0.5F + y) * stride, w, h);
    }
}

static enum few_status fastestv2_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    const struct few__decode *decode = &r->recipe->decode;
    const float *row = r->tensors[0].data;
    size_t width = V2_ROW + few__n_classes(r->model);
    for (size_t k = 0; k < decode->n_strides; k++) {
        int64_t columns = cells(r, r->width, k), rows = cells(r, r->height, k);
        for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < columns; x++, row += width)
                fastestv2_cell(&c, row, decode->anchors + V2_SIZES * k, (float)x, (float)y,
                               (float)decode->strides[k]);
    }
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_fastestv2 = {
    .name = "fastestv2", .kinds = DETECTOR_KINDS, .check = fastestv2_check, .read = fastestv2_read};

/* ---- nanodet: S x (1, cells, C) scores, S x (1, cells, 4 x B) distributions of left, top, right, bottom ---- */

static size_t two_per_stride(const struct few__decode *decode)
{
    return 2 * decode->n_strides;
}

static enum few_status nanodet_check(const struct few__reading *r)
{
    FEW__TRY(need_strides(r));
    size_t n = r->recipe->decode.n_strides;
    FEW__TRY(expect_grids(r, 0, n_classes(r)));
    FEW__TRY(expect_grids(r, n, -1));
    for (size_t k = 0; k < n; k++) {
        int64_t width = r->tensors[n + k].dims[2];
        if (width >= 0 && (width < 8 || width % 4))
            return few__shape_error(r, n + k, "four distributions of 2 bins or more");
    }
    return FEW_OK;
}

// The mean bin of a distribution given before its softmax.
static float expectation(const float *bins, size_t n)
{
    float most = bins[0];
    for (size_t i = 1; i < n; i++) most = bins[i] > most ? bins[i] : most;
    float sum = 0, mean = 0;
    for (size_t i = 0; i < n; i++) {
        float e = expf(bins[i] - most);
        sum += e;
        mean += e * (float)i;
    }
    return mean / sum;
}

static void nanodet_cell(struct few__candidates *c, const float *scores, const float *bins, size_t n_bins,
                         float x, float y, float stride)
{
    float keep = c->r->recipe->decode.keep;
    size_t n = few__n_classes(c->r->model);
    if (!any_above(scores, n, keep)) return;
    float d[4];
    for (size_t i = 0; i < 4; i++) d[i] = expectation(bins + i * n_bins, n_bins) * stride;
    const float corners[4] = {x - d[0], y - d[1], x + d[2], y + d[3]};
    for (size_t k = 0; k < n; k++)
        if (scores[k] > keep) few__candidate_add(c, k, scores[k], corners, -1);
}

static enum few_status nanodet_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    size_t n_strides = r->recipe->decode.n_strides, n = few__n_classes(r->model);
    for (size_t k = 0; k < n_strides; k++) {
        const struct few__tensor *scores = &r->tensors[k], *bins = &r->tensors[n_strides + k];
        int64_t columns = cells(r, r->width, k);
        size_t width = (size_t)bins->dims[2];
        float stride = (float)r->recipe->decode.strides[k];
        for (int64_t i = 0; i < scores->dims[1]; i++) {
            int64_t x = i % columns, y = i / columns;
            nanodet_cell(&c, scores->data + (size_t)i * n, bins->data + (size_t)i * width, width / 4,
                         ((float)x + 0.5F) * stride, ((float)y + 0.5F) * stride, stride);
        }
    }
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_nanodet = {.name = "nanodet",
                                                     .kinds = DETECTOR_KINDS,
                                                     .n_outputs = two_per_stride,
                                                     .check = nanodet_check,
                                                     .read = nanodet_read};

/* ---- centernet: heat map (1, G, G, C), distances left, top, right, bottom in input pixels (1, G, G, 4) ---- */

static size_t two(const struct few__decode *decode)
{
    (void)decode;
    return 2;
}

static enum few_status centernet_check(const struct few__reading *r)
{
    FEW__TRY(few__expect_shape(r, 0, 4, (const int64_t[]){1, -1, -1, n_classes(r)}));
    const int64_t *d = r->tensors[0].dims;
    return few__expect_shape(r, 1, 4, (const int64_t[]){1, d[1], d[2], 4});
}

// The highest of the 3 x 3 cells around it; of equal ones the first counts.
static bool is_peak(const float *heat, size_t rows, size_t columns, size_t n, size_t y, size_t x)
{
    float v = heat[(y * columns + x) * n];
    for (size_t b = y ? y - 1 : 0; b <= y + 1 && b < rows; b++)
        for (size_t a = x ? x - 1 : 0; a <= x + 1 && a < columns; a++) {
            float other = heat[(b * columns + a) * n];
            bool before = b < y || (b == y && a < x);
            if (before ? other >= v : other > v) return false;
        }
    return true;
}

static void centernet_cell(struct few__candidates *c, size_t rows, size_t columns, size_t y, size_t x)
{
    const struct few__reading *r = c->r;
    size_t n = few__n_classes(r->model), i = y * columns + x;
    const float *heat = r->tensors[0].data, *scores = heat + i * n, *d = r->tensors[1].data + 4 * i;
    float step_x = (float)r->width / (float)columns, step_y = (float)r->height / (float)rows;
    float at_x = (float)x * step_x, at_y = (float)y * step_y;
    const float corners[4] = {at_x - d[0], at_y - d[1], at_x + d[2], at_y + d[3]};
    for (size_t k = 0; k < n; k++)
        if (scores[k] > r->recipe->decode.keep && is_peak(heat + k, rows, columns, n, y, x))
            few__candidate_add(c, k, scores[k], corners, -1);
}

static enum few_status centernet_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    const float *scores = r->tensors[0].data;
    size_t rows = (size_t)r->tensors[0].dims[1], columns = (size_t)r->tensors[0].dims[2];
    size_t n = few__n_classes(r->model);
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < columns; x++, scores += n)
            if (any_above(scores, n, r->recipe->decode.keep)) centernet_cell(&c, rows, columns, y, x);
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_centernet = {.name = "centernet",
                                                       .kinds = DETECTOR_KINDS,
                                                       .n_outputs = two,
                                                       .check = centernet_check,
                                                       .read = centernet_read};

/* ---- ultraface: (1, N, 2) scores nothing, face; (1, N, 4) corners as shares of the input ---- */

static enum few_status one_class(const struct few__reading *r)
{
    if (n_classes(r) == 1) return FEW_OK;
    return few__fail(r->err, FEW_ESHAPE, "model '%s': decoder: expected at most one label, found %zu",
                     r->model->name, r->model->n_labels);
}

static enum few_status ultraface_check(const struct few__reading *r)
{
    FEW__TRY(one_class(r));
    FEW__TRY(few__expect_shape(r, 0, 3, (const int64_t[]){1, -1, 2}));
    return few__expect_shape(r, 1, 3, (const int64_t[]){1, r->tensors[0].dims[1], 4});
}

static enum few_status ultraface_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    const float *scores = r->tensors[0].data, *b = r->tensors[1].data;
    float w = (float)r->width, h = (float)r->height;
    for (int64_t i = 0; i < r->tensors[0].dims[1]; i++, scores += 2, b += 4) {
        if (!(scores[1] > r->recipe->decode.keep)) continue;
        const float corners[4] = {b[0] * w, b[1] * h, b[2] * w, b[3] * h};
        few__candidate_add(&c, 0, scores[1], corners, -1);
    }
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_ultraface = {.name = "ultraface",
                                                       .kinds = DETECTOR_KINDS,
                                                       .n_outputs = two,
                                                       .check = ultraface_check,
                                                       .read = ultraface_read};

/* ---- yunet: S x (1, cells, 1) class, S x the same objectness, S x (1, cells, 4) dx, dy, log w, log h ---- */

static size_t three_per_stride(const struct few__decode *decode)
{
    return 3 * decode->n_strides;
}

static enum few_status yunet_check(const struct few__reading *r)
{
    FEW__TRY(need_strides(r));
    FEW__TRY(one_class(r));
    size_t n = r->recipe->decode.n_strides;
    FEW__TRY(expect_grids(r, 0, 1));
    FEW__TRY(expect_grids(r, n, 1));
    return expect_grids(r, 2 * n, 4);
}

static float share(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static void yunet_grid(struct few__candidates *c, size_t k)
{
    const struct few__reading *r = c->r;
    size_t n_strides = r->recipe->decode.n_strides;
    const float *class = r->tensors[k].data, *objectness = r->tensors[n_strides + k].data;
    const float *b = r->tensors[2 * n_strides + k].data;
    float stride = (float)r->recipe->decode.strides[k];
    int64_t columns = cells(r, r->width, k), n = grid(r, k);
    for (int64_t i = 0; i < n; i++, b += 4) {
        float score = sqrtf(share(class[i]) * share(objectness[i]));
        int64_t x = i % columns, y = i / columns;
        if (score > r->recipe->decode.keep)
            add_centred(c, 0, score, ((float)x + b[0]) * stride, ((float)y + b[1]) * stride,
                        expf(b[2]) * stride, expf(b[3]) * stride);
    }
}

static enum few_status yunet_read(const struct few__reading *r)
{
    struct few__candidates c = {.r = r};
    for (size_t k = 0; k < r->recipe->decode.n_strides; k++) yunet_grid(&c, k);
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_yunet = {.name = "yunet",
                                                   .kinds = DETECTOR_KINDS,
                                                   .n_outputs = three_per_stride,
                                                   .check = yunet_check,
                                                   .read = yunet_read};
