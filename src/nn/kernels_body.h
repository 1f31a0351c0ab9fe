// SPDX-License-Identifier: Apache-2.0
/* The code of one table of kernels. What includes this has defined:
 *     KERNEL           storage and target of a function
 *     piece            PIECE floats in one register; PIECE divides FEW__LANES
 *     fused(a, b, c)   a * b + c, rounded once; root(a): rounded once
 *     ROWS, PIECES     of a tile of a product: ROWS * PIECES + PIECES + 1 registers or fewer
 *     TABLE, NAME
 * Elements never mix across lanes, so a wider register changes no result. */
#include <stdint.h>
#include <string.h>

typedef int32_t whole __attribute__((vector_size(4 * PIECE)));

#define INSIDE KERNEL inline __attribute__((always_inline))

INSIDE piece load(const float *from)
{
    piece p;
    memcpy(&p, from, sizeof p);
    return p;
}

INSIDE void store(float *to, piece p)
{
    memcpy(to, &p, sizeof p);
}

INSIDE piece all(float x)
{
    return x - (piece){0};
}

// Where mask is all ones a, where it is zero b.
INSIDE piece choose(whole mask, piece a, piece b)
{
    return (piece)(((whole)a & mask) | ((whole)b & ~mask));
}

/* ---- products ---- */

// `rows` rows and `pieces` pieces of C, from row i and column j. Both are constants where this is inlined.
INSIDE void tile(const struct few__product *p, size_t i, size_t j, size_t rows, size_t pieces)
{
    piece sum[ROWS][PIECES];
    const float *a = p->a + i * p->a_row, *b = p->b + j;
    const size_t a_row = p->a_row, a_step = p->a_step, b_stride = p->b_stride;
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t c = 0; c < pieces; c++)
            sum[r][c] = p->start ? load(p->start + j + c * PIECE) : (piece){0};
    for (size_t t = 0; t < p->k; t++, a += a_step, b += b_stride) {
        piece terms[PIECES];
#pragma GCC unroll 8
        for (size_t c = 0; c < pieces; c++) terms[c] = load(b + c * PIECE);
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++) {
            piece x = all(a[r * a_row]);
#pragma GCC unroll 8
            for (size_t c = 0; c < pieces; c++) sum[r][c] = fused(x, terms[c], sum[r][c]);
        }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t c = 0; c < pieces; c++) store(p->c + (i + r) * p->c_stride + j + c * PIECE, sum[r][c]);
}

INSIDE void columns(const struct few__product *p, size_t j, size_t pieces)
{
    size_t i = 0;
    for (; i + ROWS <= p->m; i += ROWS) tile(p, i, j, ROWS, pieces);
    for (; i + ROWS / 2 <= p->m; i += ROWS / 2) tile(p, i, j, ROWS / 2, pieces);
    for (; i < p->m; i++) tile(p, i, j, 1, pieces);
}

KERNEL void product(const struct few__product *p)
{
    size_t j = 0;
    for (; j + PIECES * PIECE <= p->n; j += PIECES * PIECE) columns(p, j, PIECES);
    for (; j < p->n; j += PIECE) columns(p, j, 1);
}

typedef float four __attribute__((vector_size(16)));

INSIDE void transpose_four(float *out, size_t out_stride, const float *in, size_t in_stride)
{
    four a[4], b[4];
    for (size_t i = 0; i < 4; i++) memcpy(&a[i], in + i * in_stride, sizeof a[i]);
    b[0] = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
    b[1] = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
    b[2] = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
    b[3] = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
    a[0] = __builtin_shufflevector(b[0], b[2], 0, 1, 4, 5);
    a[1] = __builtin_shufflevector(b[0], b[2], 2, 3, 6, 7);
    a[2] = __builtin_shufflevector(b[1], b[3], 0, 1, 4, 5);
    a[3] = __builtin_shufflevector(b[1], b[3], 2, 3, 6, 7);
    for (size_t i = 0; i < 4; i++) memcpy(out + i * out_stride, &a[i], sizeof a[i]);
}

KERNEL void transpose(float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows,
                      size_t columns)
{
    size_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
    for (size_t j0 = 0; j0 < whole_columns;
         j0 += FEW__LANES) { // whole lines of the cache, one after the other
        size_t end = j0 + FEW__LANES < whole_columns ? j0 + FEW__LANES : whole_columns;
        for (size_t i = 0; i < whole_rows; i += 4)
            for (size_t j = j0; j < end; j += 4)
                transpose_four(out + j * out_stride + i, out_stride, in + i * in_stride + j, in_stride);
    }
    for (size_t j = 0; j < columns; j++) {
        float *to = out + j * out_stride;
        for (size_t i = j < whole_columns ? whole_rows : 0; i < rows; i++) to[i] = in[i * in_stride + j];
        for (size_t i = rows; i < few__padded(rows); i++) to[i] = 0;
    }
}

enum { WIDE = PIECES * PIECE >= 4 * PIECE ? PIECES : 4 }; // pieces of a gather's tile

INSIDE void gather_tile(float *y, const float *start, const float *rows, size_t stride, const uint32_t *index,
                        const float *value, size_t n_index, size_t pieces)
{
    piece sum[WIDE];
#pragma GCC unroll 8
    for (size_t c = 0; c < pieces; c++) sum[c] = load(start + c * PIECE);
    for (size_t i = 0; i < n_index; i++) {
        const float *row = rows + (size_t)index[i] * stride;
        if (!value) {
#pragma GCC unroll 8
            for (size_t c = 0; c < pieces; c++) sum[c] += load(row + c * PIECE);
            continue;
        }
        piece x = all(value[i]);
#pragma GCC unroll 8
        for (size_t c = 0; c < pieces; c++) sum[c] = fused(x, load(row + c * PIECE), sum[c]);
    }
#pragma GCC unroll 8
    for (size_t c = 0; c < pieces; c++) store(y + c * PIECE, sum[c]);
}

KERNEL void gather(float *y, const float *start, const float *rows, size_t stride, const uint32_t *index,
                   const float *value, size_t n_index, size_t n)
{
    size_t j = 0;
    for (; j + WIDE * PIECE <= n; j += WIDE * PIECE)
        gather_tile(y + j, start + j, rows + j, stride, index, value, n_index, WIDE);
    for (; j < n; j += PIECE) gather_tile(y + j, start + j, rows + j, stride, index, value, n_index, 1);
}

INSIDE void row_tile(float *y, const float *start, const float *x, const float *b, size_t b_stride, size_t k,
                     size_t pieces)
{
    piece sum[4][PIECES];
    for (size_t s = 0; s < 4; s++)
#pragma GCC unroll 8
        for (size_t c = 0; c < pieces; c++) sum[s][c] = s ? (piece){0} : load(start + c * PIECE);
    size_t t = 0;
    for (; t + 4 <= k; t += 4)
#pragma GCC unroll 4
        for (size_t s = 0; s < 4; s++)
#pragma GCC unroll 8
            for (size_t c = 0; c < pieces; c++)
                sum[s][c] = fused(all(x[t + s]), load(b + (t + s) * b_stride + c * PIECE), sum[s][c]);
#pragma GCC unroll 4
    for (size_t s = 0; s < 3; s++)
        if (t + s < k)
#pragma GCC unroll 8
            for (size_t c = 0; c < pieces; c++)
                sum[s][c] = fused(all(x[t + s]), load(b + (t + s) * b_stride + c * PIECE), sum[s][c]);
#pragma GCC unroll 8
    for (size_t c = 0; c < pieces; c++)
        store(y + c * PIECE, (sum[0][c] + sum[1][c]) + (sum[2][c] + sum[3][c]));
}

KERNEL void row_product(float *y, const float *start, const float *x, const float *b, size_t b_stride,
                        size_t k, size_t n)
{
    size_t j = 0;
    for (; j + PIECES * PIECE <= n; j += PIECES * PIECE)
        row_tile(y + j, start + j, x, b + j, b_stride, k, PIECES);
    for (; j < n; j += PIECE) row_tile(y + j, start + j, x, b + j, b_stride, k, 1);
}

KERNEL void add_scaled(float *y, const float *x, float scale, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) store(y + j, fused(all(scale), load(x + j), load(y + j)));
}

KERNEL void multiply(float *y, const float *x, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) store(y + j, load(y + j) * load(x + j));
}

/* ---- activations ---- */

/* Cephes' expf (S. Moshier): x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for exp(r), n into the exponent. Relative
 * error below 2e-7 for -87 <= x <= 88, outside of which x is taken for the nearer end. NaN stays NaN. */
INSIDE piece exp_of(piece x)
{
    x = choose(x > all(88.0F), all(88.0F), x);
    x = choose(x < all(-87.0F), all(-87.0F), x);
    const piece magic = all(12582912.0F); // 1.5 * 2^23: adding it rounds to a whole number
    piece shifted = fused(x, all(1.44269504088896341F), magic), n = shifted - magic;
    piece r = fused(n, all(-0.693359375F), x);
    r = fused(n, all(2.12194440e-4F), r);
    piece y = fused(all(1.9875691500e-4F), r, all(1.3981999507e-3F));
    y = fused(y, r, all(8.3334519073e-3F));
    y = fused(y, r, all(4.1665795894e-2F));
    y = fused(y, r, all(1.6666665459e-1F));
    y = fused(y, r, all(5.0000001201e-1F));
    y = fused(y, r * r, r) + all(1.0F);
    whole exponent = ((whole)shifted - (whole)magic) << 23;
    return choose(x == x, (piece)((whole)y + exponent), x);
}

INSIDE piece sigmoid_of(piece x)
{
    return all(1.0F) / (all(1.0F) + exp_of(-x));
}

// 1 - 2 / (exp(2 x) + 1); near zero, where that cancels, Cephes' polynomial in x^2.
INSIDE piece tanh_of(piece x)
{
    piece far = all(1.0F) - all(2.0F) / (exp_of(x + x) + all(1.0F));
    piece s = x * x, near = fused(all(-5.70498872745e-3F), s, all(2.06390887954e-2F));
    near = fused(near, s, all(-5.37397155531e-2F));
    near = fused(near, s, all(1.33314422036e-1F));
    near = fused(near, s, all(-3.33332819422e-1F));
    near = fused(near * s, x, x);
    return choose(s < all(0.390625F), near, far); // |x| < 0.625
}

KERNEL void relu(float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) {
        piece x = load(y + j);
        store(y + j, choose(x < all(0.0F), all(0.0F), x));
    }
}

KERNEL void sigmoid(float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) store(y + j, sigmoid_of(load(y + j)));
}

KERNEL void tanh_all(float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) store(y + j, tanh_of(load(y + j)));
}

KERNEL void exp_all(float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) store(y + j, exp_of(load(y + j)));
}

KERNEL void relu_back(float *d, const float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE)
        store(d + j, choose(load(y + j) > all(0.0F), load(d + j), all(0.0F)));
}

KERNEL void sigmoid_back(float *d, const float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) {
        piece s = load(y + j);
        store(d + j, load(d + j) * (s * (all(1.0F) - s)));
    }
}

KERNEL void tanh_back(float *d, const float *y, size_t n)
{
    for (size_t j = 0; j < n; j += PIECE) {
        piece t = load(y + j);
        store(d + j, load(d + j) * (all(1.0F) - t * t));
    }
}

/* ---- optimisers ---- */

// What has faded below 1e-30 is nothing: numbers that are too small for a float's exponent are slow to compute with.
INSIDE piece awake(piece x)
{
    return choose((x < all(1e-30F)) & (x > all(-1e-30F)), all(0.0F), x);
}

KERNEL void adam(float *p, float *m, float *v, const float *g, size_t n, const struct few__step *step)
{
    const struct few__step s = *step;
    for (size_t j = 0; j < n; j += PIECE) {
        piece slope = load(g + j);
        piece first = awake(fused(all(s.keep1), load(m + j), all(s.take1) * slope));
        piece second = awake(fused(all(s.keep2), load(v + j), all(s.take2) * slope * slope));
        store(m + j, first);
        store(v + j, second);
        piece under = fused(second, all(s.root_scale * s.root_scale), all(s.epsilon_inside));
        piece size = root(under) + all(s.epsilon);
        store(p + j, awake(load(p + j) * all(s.shrink)) - all(s.rate) * first / size);
    }
}

KERNEL void rmsprop(float *p, float *v, const float *g, size_t n, const struct few__step *step)
{
    const struct few__step s = *step;
    for (size_t j = 0; j < n; j += PIECE) {
        piece slope = load(g + j);
        piece second = awake(fused(all(s.keep2), load(v + j), all(s.take2) * slope * slope));
        store(v + j, second);
        piece size = root(second + all(s.epsilon_inside)) + all(s.epsilon);
        store(p + j, awake(load(p + j) * all(s.shrink)) - all(s.rate) * slope / size);
    }
}

KERNEL bool adam_late(float *p, float *m, float *v, int32_t *left, size_t n, const struct few__late *late)
{
    const struct few__late l = *late;
    whole any = {0};
    for (size_t j = 0; j < n; j += PIECE) {
        piece param = load(p + j), first = load(m + j), second = load(v + j), x = root(second);
        whole idle = first == all(0.0F), slow = ~((x >= all(l.least)) | idle);
        piece y = all(1.0F) / choose(idle, all(1.0F), x), e = all(l.epsilon) * y;
        piece sum = fused(-e, fused(-e, fused(-e, all(l.s4), all(l.s3)), all(l.s2)), all(l.s1));
        store(p + j, choose(slow, param, awake(param * all(l.shrink)) - first * y * sum));
        store(m + j, choose(slow, first, awake(first * all(l.keep1))));
        store(v + j, choose(slow, second, awake(second * all(l.keep2))));
        memcpy(left + j, &slow, sizeof slow);
        any |= slow;
    }
    int32_t found = 0;
    for (size_t i = 0; i < PIECE; i++) found |= any[i];
    return found != 0;
}

const struct few__kernels TABLE = {.name = NAME,
                                   .product = product,
                                   .transpose = transpose,
                                   .gather = gather,
                                   .row_product = row_product,
                                   .add_scaled = add_scaled,
                                   .multiply = multiply,
                                   .relu = relu,
                                   .sigmoid = sigmoid,
                                   .tanh = tanh_all,
                                   .exp = exp_all,
                                   .relu_back = relu_back,
                                   .sigmoid_back = sigmoid_back,
                                   .tanh_back = tanh_back,
                                   .adam = adam,
                                   .rmsprop = rmsprop,
                                   .adam_late = adam_late};
