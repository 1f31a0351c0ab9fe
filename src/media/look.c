// SPDX-License-Identifier: Apache-2.0
/* Looks and how they differ: Reducto's four features (SIGCOMM 2020; algorithms.md 2.9) on 160 x 120 grey pixels. Integers
 * throughout, so that every machine decides the same. docs/looks.md says where the small size departs from the paper.
 *
 * Pictures that are searched have a rim of one pixel, so that a neighbour is an offset and never outside. */
#include "media/look.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"

enum {
    WIDTH = FEW__LOOK_WIDTH,
    HEIGHT = FEW__LOOK_HEIGHT,
    ACROSS = WIDTH + 2,
    DOWN = HEIGHT + 2,
    RIMMED = ACROSS * DOWN,
    CHANGED = 21,       // a pixel differs when it does by more
    STRIP = 1024,       // columns that are averaged at a time
    EDGE_FAINT = 101,   // Canny: of |dx| + |dy|, Sobel
    EDGE_CLEAR = 255,   // an edge has at least one pixel that exceeds it
    TAN_SHIFT = 15,     // tan(22.5 degrees) =
    TAN_22_5 = 13573,   // 13573 / 2^15
    HARRIS_K = 20,      // response = det - trace^2 / 20
    CORNER_SHARE = 100, // a corner has more than a 100th of the strongest response
};

/* Response, times HARRIS_K, to a corner whose sides differ by CHANGED: what a picture's strongest is taken to be at least,
 * lest the noise of an empty one be corners. */
static const int64_t corner_least = INT64_C(38144) * CHANGED * CHANGED * CHANGED * CHANGED;

struct few__look_scratch {
    const struct few_mem *mem;
    uint8_t rimmed[2][RIMMED];
    int16_t dx[RIMMED], dy[RIMMED], magnitude[RIMMED];
    int32_t xx[RIMMED], xy[RIMMED], yy[RIMMED];
    int64_t response[WIDTH * HEIGHT];
    uint8_t cells[2][RIMMED]; // 0 nothing, MAYBE, TAKEN
    uint16_t stack[WIDTH * HEIGHT];
};

enum { MAYBE = 1, TAKEN = 2 };

static const char *const names[FEW_FEATURE_COUNT] = {"pixel", "area", "edge", "corner"};

const char *few_feature_name(enum few_feature feature)
{
    return (unsigned)feature < FEW_FEATURE_COUNT ? names[feature] : "unknown";
}

enum few_feature few_feature_parse(const char *name)
{
    for (int i = 0; i < FEW_FEATURE_COUNT; i++)
        if (strcmp(names[i], name) == 0) return (enum few_feature)i;
    return FEW_FEATURE_COUNT;
}

/* ---- a look ---- */

/* Which of n pixels make pixel i of n_out, in units of 1 / n_out of a pixel: each counts `full`, less what the first and
 * the last have outside. */
struct span {
    int64_t first, last;
    uint32_t full, first_cut, last_cut;
};

static struct span span_of(int64_t n, int64_t n_out, int64_t i)
{
    if (n < n_out) { // nearest
        int64_t at = (2 * i + 1) * n / (2 * n_out);
        return (struct span){.first = at, .last = at, .full = 1};
    }
    int64_t from = n * i, until = n * (i + 1);
    struct span s = {.first = from / n_out, .last = (until - 1) / n_out, .full = (uint32_t)n_out};
    s.first_cut = (uint32_t)(from - n_out * s.first);
    s.last_cut = (uint32_t)(n_out * (s.last + 1) - until);
    return s;
}

// sums: (n,) out. 257 rows of bytes are the most that 16 bits hold.
static void sum_rows(const uint8_t *luma, ptrdiff_t stride, const struct span *rows, size_t n, uint32_t *sums)
{
    uint16_t part[STRIP];
    memset(sums, 0, n * sizeof *sums);
    for (int64_t y = rows->first; y <= rows->last;) {
        memset(part, 0, n * sizeof *part);
        for (int64_t end = y + 257; y < end && y <= rows->last; y++) {
            const uint8_t *row = luma + y * stride;
            for (size_t x = 0; x < n; x++) part[x] = (uint16_t)(part[x] + row[x]);
        }
        for (size_t x = 0; x < n; x++) sums[x] += part[x] * rows->full;
    }
    const uint8_t *first = luma + rows->first * stride, *last = luma + rows->last * stride;
    for (size_t x = 0; x < n; x++) sums[x] -= first[x] * rows->first_cut + last[x] * rows->last_cut;
}

// Add columns at .. at + n - 1 to the pixels that they belong to. spans, totals: (WIDTH,)
static void sum_columns(const uint32_t *sums, int64_t at, int64_t n, const struct span *spans,
                        uint64_t *totals)
{
    for (size_t x = 0; x < WIDTH; x++) {
        const struct span *s = &spans[x];
        if (s->last < at) continue;
        if (s->first >= at + n) break;
        int64_t from = s->first < at ? 0 : s->first - at, until = s->last - at < n ? s->last - at : n - 1;
        uint64_t sum = 0;
        for (int64_t i = from; i <= until; i++) sum += sums[i];
        sum *= s->full;
        if (s->first >= at) sum -= (uint64_t)sums[from] * s->first_cut;
        if (s->last < at + n) sum -= (uint64_t)sums[until] * s->last_cut;
        totals[x] += sum;
    }
}

static uint8_t mean_of(uint64_t total, uint64_t weight)
{
    uint64_t n = total + weight / 2; // 32 bits where they do: quicker
    return (uint8_t)(n <= UINT32_MAX ? (uint32_t)n / (uint32_t)weight : n / weight);
}

void few__look_make(const uint8_t *luma, ptrdiff_t stride, int width, int height, uint8_t *look)
{
    struct span spans[WIDTH];
    uint32_t sums[STRIP];
    for (int x = 0; x < WIDTH; x++) spans[x] = span_of(width, WIDTH, x);
    uint64_t weight = (uint64_t)(width < WIDTH ? 1 : width) * (uint64_t)(height < HEIGHT ? 1 : height);
    for (int y = 0; y < HEIGHT; y++) {
        struct span rows = span_of(height, HEIGHT, y);
        uint64_t totals[WIDTH] = {0};
        for (int64_t at = 0; at < width; at += STRIP) {
            int64_t n = width - at < STRIP ? width - at : STRIP;
            sum_rows(luma + at, stride, &rows, (size_t)n, sums);
            sum_columns(sums, at, n, spans, totals);
        }
        for (int x = 0; x < WIDTH; x++) look[y * WIDTH + x] = mean_of(totals[x], weight);
    }
}

/* ---- parts of the comparisons ---- */

// With the rim as its nearest pixel.
static void add_rim(const uint8_t *look, uint8_t *rimmed)
{
    for (int y = 0; y < DOWN; y++) {
        int from = y == 0 ? 0 : y > HEIGHT ? HEIGHT - 1 : y - 1;
        uint8_t *row = rimmed + (ptrdiff_t)y * ACROSS;
        memcpy(row + 1, look + (ptrdiff_t)from * WIDTH, WIDTH);
        row[0] = row[1];
        row[ACROSS - 1] = row[WIDTH];
    }
}

// Sobel. The rims of dx and dy stay 0.
static void find_slopes(struct few__look_scratch *s, const uint8_t *look)
{
    add_rim(look, s->rimmed[0]);
    for (int y = 1; y <= HEIGHT; y++) {
        const uint8_t *here = s->rimmed[0] + (ptrdiff_t)y * ACROSS, *above = here - ACROSS,
                      *below = here + ACROSS;
        int16_t *dx = s->dx + (ptrdiff_t)y * ACROSS, *dy = s->dy + (ptrdiff_t)y * ACROSS;
        for (int x = 1; x <= WIDTH; x++) {
            dx[x] = (int16_t)(above[x + 1] - above[x - 1] + 2 * (here[x + 1] - here[x - 1]) + below[x + 1] -
                              below[x - 1]);
            dy[x] = (int16_t)(below[x - 1] - above[x - 1] + 2 * (below[x] - above[x]) + below[x + 1] -
                              above[x + 1]);
        }
    }
}

// Take the MAYBE at `at` and all that hang together with it, diagonally too; returns how many.
static size_t take(uint8_t *cells, size_t at, uint16_t *stack)
{
    static const int around[8] = {-ACROSS - 1, -ACROSS, -ACROSS + 1, -1, 1, ACROSS - 1, ACROSS, ACROSS + 1};
    size_t n = 0, n_taken = 1;
    cells[at] = TAKEN;
    stack[n++] = (uint16_t)at;
    while (n > 0) {
        int from = stack[--n];
        for (int i = 0; i < 8; i++) {
            int to = from + around[i];
            if (cells[to] != MAYBE) continue;
            cells[to] = TAKEN;
            stack[n++] = (uint16_t)to;
            n_taken++;
        }
    }
    return n_taken;
}

static double share(size_t n)
{
    return (double)n / FEW__LOOK_BYTES;
}

// Share of the pixels that are TAKEN on one side only.
static double share_unlike(const struct few__look_scratch *s)
{
    unsigned n = 0;
    for (size_t i = 0; i < RIMMED; i++) n += (s->cells[0][i] == TAKEN) != (s->cells[1][i] == TAKEN);
    return share(n);
}

/* ---- pixel, area ---- */

static double pixel_difference(const uint8_t *a, const uint8_t *b)
{
    unsigned n = 0;
    for (size_t i = 0; i < FEW__LOOK_BYTES; i++) n += abs(a[i] - b[i]) > CHANGED;
    return share(n);
}

/* The difference is blurred (1 2 1 both ways), which is the difference of the blurred looks. */
static double area_difference(struct few__look_scratch *s, const uint8_t *a, const uint8_t *b)
{
    add_rim(a, s->rimmed[0]);
    add_rim(b, s->rimmed[1]);
    int16_t *across = s->magnitude;
    for (size_t i = 1; i + 1 < RIMMED; i++) {
        const uint8_t *p = &s->rimmed[0][i], *q = &s->rimmed[1][i];
        across[i] = (int16_t)(p[-1] - q[-1] + 2 * (p[0] - q[0]) + p[1] - q[1]);
    }
    uint8_t *cells = s->cells[0];
    for (int y = 1; y <= HEIGHT; y++) {
        const int16_t *here = across + (ptrdiff_t)y * ACROSS;
        uint8_t *row = cells + (ptrdiff_t)y * ACROSS;
        for (int x = 1; x <= WIDTH; x++)
            row[x] = abs(here[x - ACROSS] + 2 * here[x] + here[x + ACROSS]) > 16 * CHANGED;
    }
    size_t largest = 0;
    for (size_t i = 0; i < RIMMED; i++) {
        if (cells[i] != MAYBE) continue;
        size_t n = take(cells, i, s->stack);
        if (n > largest) largest = n;
    }
    return share(largest);
}

/* ---- edge ---- */

// Whether the pixel is the highest across its edge. Of two that are equal, the one to the right or below gives way.
static bool is_ridge(const struct few__look_scratch *s, size_t at)
{
    const int16_t *m = &s->magnitude[at];
    int64_t x = abs(s->dx[at]), y = (int64_t)abs(s->dy[at]) << TAN_SHIFT;
    int64_t flat = x * TAN_22_5, steep = flat + (x << (TAN_SHIFT + 1)); // tan(67.5) = tan(22.5) + 2
    if (y < flat) return m[0] > m[-1] && m[0] >= m[1];
    if (y > steep) return m[0] > m[-ACROSS] && m[0] >= m[ACROSS];
    int slant = (s->dx[at] < 0) == (s->dy[at] < 0) ? 1 : -1;
    return m[0] > m[-ACROSS - slant] && m[0] > m[ACROSS + slant];
}

// Canny. cells: (RIMMED,) out, rim 0; edges are TAKEN.
static void find_edges(struct few__look_scratch *s, const uint8_t *look, uint8_t *cells)
{
    find_slopes(s, look);
    for (size_t i = 0; i < RIMMED; i++) s->magnitude[i] = (int16_t)(abs(s->dx[i]) + abs(s->dy[i]));
    for (size_t i = 0; i < RIMMED; i++) cells[i] = s->magnitude[i] > EDGE_FAINT;
    for (size_t i = 0; i < RIMMED; i++)
        if (cells[i] && !is_ridge(s, i)) cells[i] = 0;
    for (size_t i = 0; i < RIMMED; i++)
        if (cells[i] == MAYBE && s->magnitude[i] > EDGE_CLEAR) take(cells, i, s->stack);
}

/* ---- corner ---- */

// Over 3 x 3, with nothing beyond the rim.
static int32_t sum_around(const int32_t *p)
{
    return p[-ACROSS - 1] + p[-ACROSS] + p[-ACROSS + 1] + p[-1] + p[0] + p[1] + p[ACROSS - 1] + p[ACROSS] +
           p[ACROSS + 1];
}

// Harris. cells: (RIMMED,) out, rim 0; corners are TAKEN.
static void find_corners(struct few__look_scratch *s, const uint8_t *look, uint8_t *cells)
{
    find_slopes(s, look);
    for (size_t i = 0; i < RIMMED; i++) {
        s->xx[i] = s->dx[i] * s->dx[i];
        s->xy[i] = s->dx[i] * s->dy[i];
        s->yy[i] = s->dy[i] * s->dy[i];
    }
    int64_t strongest = corner_least;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            size_t at = (size_t)(y + 1) * ACROSS + (size_t)x + 1;
            int64_t xx = sum_around(&s->xx[at]), xy = sum_around(&s->xy[at]), yy = sum_around(&s->yy[at]);
            int64_t response = HARRIS_K * (xx * yy - xy * xy) - (xx + yy) * (xx + yy);
            s->response[y * WIDTH + x] = response;
            if (response > strongest) strongest = response;
        }
    }
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            cells[(y + 1) * ACROSS + x + 1] =
                s->response[y * WIDTH + x] * CORNER_SHARE > strongest ? TAKEN : 0;
}

/* ---- all ---- */

enum few_status few__look_scratch_create(const struct few_mem *mem, struct few__look_scratch **scratch,
                                         struct few_error *err)
{
    *scratch = FEW__NEW(mem, struct few__look_scratch);
    if (!*scratch) return few__no_memory(err, "comparing frames");
    (*scratch)->mem = mem;
    return FEW_OK;
}

void few__look_scratch_destroy(struct few__look_scratch *scratch)
{
    if (scratch) few__free(scratch->mem, scratch);
}

double few__look_difference(struct few__look_scratch *s, enum few_feature feature, const uint8_t *a,
                            const uint8_t *b)
{
    if (feature == FEW_PIXEL) return pixel_difference(a, b);
    if (feature == FEW_AREA) return area_difference(s, a, b);
    void (*find)(struct few__look_scratch *, const uint8_t *, uint8_t *) =
        feature == FEW_EDGE ? find_edges : find_corners;
    find(s, a, s->cells[0]);
    find(s, b, s->cells[1]);
    return share_unlike(s);
}
