// SPDX-License-Identifier: Apache-2.0
#include "nn/kernels.h"

#ifdef __x86_64__
#include <immintrin.h>

#define KERNEL static __attribute__((target("avx512f,avx2,fma")))
#define PIECE  16
#define ROWS   8
#define PIECES 2
#define TABLE  few__kernels_avx512
#define NAME   "avx512"

typedef float piece __attribute__((vector_size(64)));

KERNEL inline piece fused(piece a, piece b, piece c)
{
    return (piece)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

KERNEL inline piece root(piece a)
{
    return (piece)_mm512_sqrt_ps((__m512)a);
}

#include "nn/kernels_body.h"
#else
typedef int few__no_avx512; // a file must not be empty
#endif
