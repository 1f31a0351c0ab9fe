// SPDX-License-Identifier: Apache-2.0
// Four floats at a time, which every machine has in some form (SSE2, NEON, or the compiler's own).
#include <math.h>

#include "nn/kernels.h"

#define KERNEL static
#define PIECE  4
#define ROWS   4
#define PIECES 2
#define TABLE  few__kernels_plain
#define NAME   "plain"

typedef float piece __attribute__((vector_size(16)));

static inline piece fused(piece a, piece b, piece c)
{
    return (piece){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]),
                   fmaf(a[3], b[3], c[3])};
}

static inline piece root(piece a)
{
    return (piece){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}

#include "nn/kernels_body.h"
