// SPDX-License-Identifier: Apache-2.0
/* For each row that is read, the left and the right neighbour of every output column are laid side by side (once for
 * each row), so that the mixing loop reads straight on. */
#include "media/enlarge.h"

#include <math.h>

#include "core/error.h"

enum { ONE = 4096, ONE_BITS = 12 };

struct tap {
    int at;     // the first of two neighbouring samples
    int second; // weight of the other one, of ONE
};

// Outside the plane its edge goes on.
static struct tap tap_of(int out, int out_side, int side)
{
    double x = (double)out * side / out_side - 0.5;
    if (x <= 0 || side == 1) return (struct tap){0, 0};
    if (x >= side - 1) return (struct tap){side - 2, ONE};
    int at = (int)floor(x);
    return (struct tap){at, (int)((x - at) * ONE)};
}

struct row { // of one plane: neighbours of each output column
    uint8_t *left, *right;
    int y; // -1: not filled yet
};

struct enlarger {
    int n; // output columns
    int *at;
    uint16_t *across;     // weight of the right neighbour
    uint16_t *weights[4]; // of one output row: top left, top right, bottom left, bottom right
    struct row rows[3][2];
};

static int lay_out(struct enlarger *e, int out_width, struct few__buffer *memory)
{
    size_t n = (size_t)out_width;
    uint8_t *p = few__buffer_reserve(memory, n * (sizeof *e->at + 5 * sizeof *e->across + 12));
    if (!p) return -1;
    *e = (struct enlarger){.n = out_width, .at = (int *)(void *)p};
    e->across = (uint16_t *)(void *)(e->at + n);
    for (int i = 0; i < 4; i++) e->weights[i] = e->across + (size_t)(i + 1) * n;
    p = (uint8_t *)(e->across + 5 * n);
    for (int c = 0; c < 3; c++)
        for (int r = 0; r < 2; r++, p += 2 * n) e->rows[c][r] = (struct row){p, p + n, -1};
    return 0;
}

static void spread(const struct enlarger *e, const uint8_t *from, int width, struct row *row)
{
    int next = width > 1;
    for (int x = 0; x < e->n; x++) {
        row->left[x] = from[e->at[x]];
        row->right[x] = from[e->at[x] + next];
    }
}

// libvips rounds the products of two weights down and gives the rest to the neighbours.
static void weigh(struct enlarger *e, int down)
{
    uint16_t *restrict w0 = e->weights[0], *restrict w1 = e->weights[1];
    uint16_t *restrict w2 = e->weights[2], *restrict w3 = e->weights[3];
    const uint16_t *restrict across = e->across;
    unsigned low = (unsigned)down, high = (unsigned)(ONE - down);
    for (int x = 0; x < e->n; x++) {
        unsigned bottom = low * across[x] >> ONE_BITS, top = high * across[x] >> ONE_BITS;
        w3[x] = (uint16_t)bottom;
        w1[x] = (uint16_t)top;
        w2[x] = (uint16_t)(low - bottom);
        w0[x] = (uint16_t)(high - top);
    }
}

static void mix(const struct enlarger *e, const struct row *top, const struct row *bottom,
                uint8_t *restrict out)
{
    const uint16_t *restrict w0 = e->weights[0], *restrict w1 = e->weights[1];
    const uint16_t *restrict w2 = e->weights[2], *restrict w3 = e->weights[3];
    const uint8_t *restrict a = top->left, *restrict b = top->right;
    const uint8_t *restrict c = bottom->left, *restrict d = bottom->right;
    for (int x = 0; x < e->n; x++)
        out[x] = (uint8_t)((w0[x] * a[x] + w1[x] * b[x] + w2[x] * c[x] + w3[x] * d[x] + ONE / 2) >> ONE_BITS);
}

enum few_status few__enlarge_libvips(const struct few__image *from, const struct few__planes *to,
                                     struct few__buffer *memory, struct few_error *err)
{
    struct enlarger e;
    if (lay_out(&e, to->width, memory) != 0) return few__no_memory(err, "enlarging");
    for (int x = 0; x < to->width; x++) {
        struct tap tap = tap_of(x, to->width, from->width);
        e.at[x] = tap.at;
        e.across[x] = (uint16_t)tap.second;
    }
    for (int y = 0; y < to->height; y++) {
        struct tap tap = tap_of(y, to->height, from->height);
        int last = from->height > 1 ? tap.at + 1 : 0;
        weigh(&e, tap.second);
        for (int c = 0; c < 3; c++) {
            for (int r = tap.at; r <= last; r++) {
                struct row *row = &e.rows[c][r % 2];
                if (row->y != r) spread(&e, from->planes[c] + (size_t)r * from->stride, from->width, row);
                row->y = r;
            }
            mix(&e, &e.rows[c][tap.at % 2], &e.rows[c][last % 2], to->planes[c] + (size_t)y * to->stride);
        }
    }
    return FEW_OK;
}
