// SPDX-License-Identifier: Apache-2.0
#include "nn/kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#define KERNEL static __attribute__((target("avx2,fma")))
#define PIECE  8
#define ROWS   4
#define PIECES 2
#define TABLE  few__kernels_avx2
#define NAME   "avx2"

typedef float piece __attribute__((vector_size(32)));

KERNEL inline piece fused(piece a, piece b, piece c)
{
    return (piece)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

KERNEL inline piece root(piece a)
{
    return (piece)_mm256_sqrt_ps((__m256)a);
}

#include "nn/kernels_body.h"
#else
typedef int few__no_avx2; // a file must not be empty
#endif
