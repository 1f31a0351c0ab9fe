// SPDX-License-Identifier: Apache-2.0
/* Maps with a number or a distribution for every pixel: shares, means of the best pixels, connected regions.
 *
 * Segmentation maps of millions of numbers are read in blocks of BLOCK pixels, turned class by class, so that
 * every loop runs over neighbouring numbers and the compiler does several at a time. C classes, n pixels. */
#include <math.h>
#include <string.h>

#include "model/decode_impl.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "no-trapping-math")
#endif

enum { BLOCK = 64 };

/* ---- segmentation: blocks ---- */

static enum few_status seg_check(const struct few__reading *r)
{
    int64_t n = (int64_t)few__n_classes(r->model);
    const int64_t nhwc[4] = {1, -1, -1, n}, nchw[4] = {1, n, -1, -1};
    return few__expect_shape(r, 0, 4, r->recipe->decode.layout == FEW__NHWC ? nhwc : nchw);
}

// block: (C, BLOCK) out; m pixels from `start` on.
static void load_block(const struct few__reading *r, size_t n_classes, size_t n, size_t start, size_t m,
                       float *block)
{
    const float *data = r->tensors[0].data;
    if (r->recipe->decode.layout == FEW__NCHW) {
        for (size_t c = 0; c < n_classes; c++)
            memcpy(block + c * BLOCK, data + c * n + start, m * sizeof *block);
        return;
    }
    const float *pixel = data + start * n_classes;
    for (size_t i = 0; i < m; i++, pixel += n_classes)
        for (size_t c = 0; c < n_classes; c++) block[c * BLOCK + i] = pixel[c];
}

// exp(x) for x <= 0 to 2 units in the last place, by Cephes' reduction and polynomial: no branch, no call.
static inline float exp_negative(float x)
{
    const float round = 12582912; // 1.5 * 2^23: adding it leaves the whole part in the low bits
    x = x < -87 ? -87 : x;
    float shifted = x * 1.44269504F + round, whole = shifted - round;
    float f = x - whole * 0.693359375F + whole * 2.12194440e-4F;
    float y = 1.9875691500e-4F;
    y = y * f + 1.3981999507e-3F;
    y = y * f + 8.3334519073e-3F;
    y = y * f + 4.1665795894e-2F;
    y = y * f + 1.6666665459e-1F;
    y = y * f + 5.0000001201e-1F;
    y = y * f * f + f + 1;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits - 0x4b400000 + 127) * (1 << 23); // 0x4b400000 is 1.5 * 2^23; 2^whole as a float
    float power;
    memcpy(&power, &bits, sizeof power);
    return y * power;
}

// The highest number of each pixel.
static void most_of_block(const float *block, size_t n_classes, float most[BLOCK])
{
    memcpy(most, block, BLOCK * sizeof *most);
    for (size_t c = 1; c < n_classes; c++)
        for (size_t i = 0; i < BLOCK; i++)
            most[i] = block[c * BLOCK + i] > most[i] ? block[c * BLOCK + i] : most[i];
}

static void softmax_block(float *block, size_t n_classes)
{
    float most[BLOCK], sum[BLOCK] = {0};
    most_of_block(block, n_classes, most);
    for (size_t c = 0; c < n_classes; c++)
        for (size_t i = 0; i < BLOCK; i++) {
            float e = exp_negative(block[c * BLOCK + i] - most[i]);
            block[c * BLOCK + i] = e;
            sum[i] += e;
        }
    for (size_t i = 0; i < BLOCK; i++) sum[i] = 1 / sum[i];
    for (size_t c = 0; c < n_classes; c++)
        for (size_t i = 0; i < BLOCK; i++) block[c * BLOCK + i] *= sum[i];
}

/* ---- the best k of a stream ---- */

// Room for 2 k: when it is full, the lower half goes and its best value bounds what may still come in.
struct best {
    float *values; // (2 k,)
    size_t n, k;
    float bound;
};

// The k largest of n to the front, in any order (quickselect).
static void select_best(float *v, size_t n, size_t k)
{
    size_t low = 0, high = n; // the k-th largest lies in [low, high)
    while (high - low > 1) {
        float a = v[low], b = v[low + (high - low) / 2], c = v[high - 1];
        float pivot = a > b ? (b > c ? b : a > c ? c : a) : (a > c ? a : b > c ? c : b);
        size_t i = low, j = high - 1;
        for (;;) {
            while (v[i] > pivot) i++;
            while (v[j] < pivot) j--;
            if (i >= j) break;
            float swap = v[i];
            v[i++] = v[j];
            v[j--] = swap;
        }
        size_t split = i > low ? i : low + 1; // v[low, split) >= pivot >= v[split, high)
        if (k == split) return;
        if (k < split) high = split;
        else low = split;
    }
}

static void add_best(struct best *best, float v)
{
    best->values[best->n++] = v;
    if (best->n < 2 * best->k) return;
    select_best(best->values, best->n, best->k);
    best->n = best->k;
    best->bound = best->values[0];
    for (size_t i = 1; i < best->k; i++)
        if (best->values[i] < best->bound) best->bound = best->values[i];
}

static void add_all_best(struct best *best, const float *v, size_t n)
{
    int above = 0;
    for (size_t i = 0; i < n; i++) above += v[i] > best->bound;
    if (above == 0) return;
    for (size_t i = 0; i < n; i++)
        if (v[i] > best->bound) add_best(best, v[i]);
}

static float mean_best(struct best *best)
{
    size_t n = best->n < best->k ? best->n : best->k;
    select_best(best->values, best->n, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += best->values[i];
    return (float)(sum / (double)n);
}

/* ---- seg_mean ---- */

static enum few_status labels_output(const struct few__reading *r, size_t n)
{
    r->output->values = FEW__ARENA_NEW(r->arena, float, n);
    r->output->n = n;
    return r->output->values ? FEW_OK : few__no_memory(r->err, "an output");
}

static void best_confidence(struct few_output *output)
{
    for (size_t i = 0; i < output->n; i++)
        if (output->values[i] > output->confidence) output->confidence = output->values[i];
}

static struct best *new_bests(struct few__arena *arena, size_t n_classes, size_t k)
{
    struct best *bests = FEW__ARENA_NEW(arena, struct best, n_classes);
    float *values = FEW__ARENA_NEW(arena, float, n_classes * 2 * k);
    if (!bests || !values) return NULL;
    for (size_t c = 0; c < n_classes; c++)
        bests[c] = (struct best){.values = values + c * 2 * k, .k = k, .bound = -1};
    return bests;
}

static enum few_status seg_mean_read(const struct few__reading *r)
{
    size_t n_classes = few__n_classes(r->model), n = r->tensors[0].n / n_classes;
    double wanted = floor((double)n * (double)r->recipe->decode.fraction + 0.5);
    size_t k = wanted < 1 ? 1 : wanted > (double)n ? n : (size_t)wanted;
    FEW__TRY(labels_output(r, n_classes));
    float *block = FEW__ARENA_NEW(r->arena, float, n_classes *BLOCK);
    struct best *bests = new_bests(r->arena, n_classes, k);
    if (!block || !bests) return few__no_memory(r->err, "a segmentation");
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t m = n - start < BLOCK ? n - start : BLOCK;
        load_block(r, n_classes, n, start, m, block);
        softmax_block(block, n_classes);
        for (size_t c = 0; c < n_classes; c++) add_all_best(&bests[c], block + c * BLOCK, m);
    }
    for (size_t c = 0; c < n_classes; c++) r->output->values[c] = mean_best(&bests[c]);
    best_confidence(r->output);
    return FEW_OK;
}

const struct few__decoder_row few__decode_seg_mean = {
    .name = "seg-mean", .kinds = 1u << FEW_LABELS, .check = seg_check, .read = seg_mean_read};

/* ---- seg_share ---- */

// From the last class to the first: of equal ones the lowest stays.
static void count_block(const float *block, size_t n_classes, size_t m, size_t *counts)
{
    float most[BLOCK];
    int32_t best[BLOCK] = {0};
    most_of_block(block, n_classes, most);
    for (size_t c = n_classes; c-- > 1;)
        for (size_t i = 0; i < BLOCK; i++) best[i] = block[c * BLOCK + i] == most[i] ? (int32_t)c : best[i];
    for (size_t i = 0; i < BLOCK; i++) best[i] = block[i] == most[i] ? 0 : best[i];
    for (size_t i = 0; i < m; i++) counts[best[i]]++;
}

static enum few_status seg_share_read(const struct few__reading *r)
{
    size_t n_classes = few__n_classes(r->model), n = r->tensors[0].n / n_classes;
    FEW__TRY(labels_output(r, n_classes));
    float *block = FEW__ARENA_NEW(r->arena, float, n_classes *BLOCK);
    size_t *counts = FEW__ARENA_NEW(r->arena, size_t, n_classes);
    if (!block || !counts) return few__no_memory(r->err, "a segmentation");
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t m = n - start < BLOCK ? n - start : BLOCK;
        load_block(r, n_classes, n, start, m, block);
        count_block(block, n_classes, m, counts);
    }
    for (size_t c = 0; c < n_classes; c++) r->output->values[c] = (float)counts[c] / (float)n;
    best_confidence(r->output);
    return FEW_OK;
}

const struct few__decoder_row few__decode_seg_share = {
    .name = "seg-share", .kinds = 1u << FEW_LABELS, .check = seg_check, .read = seg_share_read};

/* ---- mask_share: any shape ---- */

static enum few_status mask_share_check(const struct few__reading *r)
{
    (void)r;
    return FEW_OK;
}

static enum few_status mask_share_read(const struct few__reading *r)
{
    const struct few__tensor *t = &r->tensors[0];
    float least = r->recipe->decode.mask_threshold;
    int32_t above = 0; // a tensor has fewer than 2^31 numbers
    for (size_t i = 0; i < t->n; i++) above += t->data[i] > least;
    r->output->values = FEW__ARENA_NEW(r->arena, float, 1);
    if (!r->output->values) return few__no_memory(r->err, "an output");
    r->output->values[0] = (float)((double)above / (double)t->n);
    r->output->n = 1;
    r->output->confidence = 1;
    return FEW_OK;
}

const struct few__decoder_row few__decode_mask_share = {
    .name = "mask-share", .kinds = 1u << FEW_SCALAR, .check = mask_share_check, .read = mask_share_read};

/* ---- regions: (1, 1, H, W) or (1, H, W, 1) ---- */

// A connected region in map pixels, both ends included.
struct region {
    int32_t x0, y0, x1, y1;
    size_t n;
    double sum;
};

struct map {
    const float *data;
    int32_t width, height;
    float least;
    uint8_t *seen;  // (height * width,)
    int32_t *stack; // (height * width,) pixels still to be looked around: each comes at most once
};

static enum few_status regions_check(const struct few__reading *r)
{
    if (few__n_classes(r->model) > 1)
        return few__fail(r->err, FEW_ESHAPE,
                         "model '%s': decoder regions: expected at most one label, found %zu", r->model->name,
                         r->model->n_labels);
    bool nhwc = r->recipe->decode.layout == FEW__NHWC;
    FEW__TRY(
        few__expect_shape(r, 0, 4, nhwc ? (const int64_t[]){1, -1, -1, 1} : (const int64_t[]){1, 1, -1, -1}));
    const int64_t *side = r->tensors[0].dims + (nhwc ? 1 : 2);
    if (side[0] <= FEW__SIDE_MAX && side[1] <= FEW__SIDE_MAX) return FEW_OK;
    return few__shape_error(r, 0, "sides of at most %d", FEW__SIDE_MAX);
}

static void push(struct map *map, size_t *n, int32_t pixel)
{
    if (map->seen[pixel] || map->data[pixel] < map->least) return;
    map->seen[pixel] = 1;
    map->stack[(*n)++] = pixel;
}

// The four-connected region around a pixel that is not seen yet and reaches `least`.
static struct region flood(struct map *map, int32_t start)
{
    struct region g = {.x0 = map->width, .y0 = map->height, .x1 = -1, .y1 = -1};
    size_t n = 0;
    push(map, &n, start);
    while (n) {
        int32_t p = map->stack[--n], x = p % map->width, y = p / map->width;
        g.n++;
        g.sum += map->data[p];
        g.x0 = x < g.x0 ? x : g.x0;
        g.x1 = x > g.x1 ? x : g.x1;
        g.y0 = y < g.y0 ? y : g.y0;
        g.y1 = y > g.y1 ? y : g.y1;
        if (x > 0) push(map, &n, p - 1);
        if (x < map->width - 1) push(map, &n, p + 1);
        if (y > 0) push(map, &n, p - map->width);
        if (y < map->height - 1) push(map, &n, p + map->width);
    }
    return g;
}

/* The map is shrunken text: the box grows on each side by area * unclip / circumference (Liao et al. 2020,
 * differentiable binarization, section 3.5, D = A' r' / L', for a box instead of a polygon). */
static void add_region(struct few__candidates *c, const struct map *map, const struct region *g)
{
    const struct few__decode *decode = &c->r->recipe->decode;
    float mean = (float)(g->sum / (double)g->n);
    if (g->n < decode->region_pixels || mean < decode->region_mean || !(mean > decode->keep)) return;
    float around = 2 * (float)(g->x1 - g->x0 + 1 + g->y1 - g->y0 + 1);
    float u = (float)g->n * decode->unclip / around;
    float sx = (float)c->r->width / (float)map->width, sy = (float)c->r->height / (float)map->height;
    const float corners[4] = {((float)g->x0 - u) * sx, ((float)g->y0 - u) * sy, ((float)(g->x1 + 1) + u) * sx,
                              ((float)(g->y1 + 1) + u) * sy};
    few__candidate_add(c, 0, mean, corners, (float)g->n * sx * sy);
}

static enum few_status regions_read(const struct few__reading *r)
{
    const struct few__tensor *t = &r->tensors[0];
    const int64_t *side = t->dims + (r->recipe->decode.layout == FEW__NHWC ? 1 : 2);
    struct map map = {.data = t->data,
                      .height = (int32_t)side[0],
                      .width = (int32_t)side[1],
                      .least = r->recipe->decode.mask_threshold,
                      .seen = FEW__ARENA_NEW(r->arena, uint8_t, t->n),
                      .stack = FEW__ARENA_NEW(r->arena, int32_t, t->n)};
    if (!map.seen || !map.stack) return few__no_memory(r->err, "a map of regions");
    struct few__candidates c = {.r = r};
    for (int32_t i = 0; i < (int32_t)t->n; i++) {
        if (map.data[i] < map.least || map.seen[i]) continue;
        struct region g = flood(&map, i);
        add_region(&c, &map, &g);
    }
    return few__candidates_end(&c);
}

const struct few__decoder_row few__decode_regions = {.name = "regions",
                                                     .kinds = 1u << FEW_DETECTIONS | 1u << FEW_BOX,
                                                     .check = regions_check,
                                                     .read = regions_read};
