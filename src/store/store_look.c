// SPDX-License-Identifier: Apache-2.0
/* A look is a picture, so each of its bytes is told from those above and beside it (the predictor of JPEG-LS, ITU-T T.87,
 * A.4.1), and what is left is small numbers: zlib's Huffman codes alone make them half as large, in less time than its search
 * for repetitions takes, which finds none. */
#include "store/store_look.h"

#include <string.h>

#include "core/mem.h"
#include "store/store.h"

enum { WIDTH = 160, HEIGHT = 120, LEVEL = 1, WINDOW_BITS = 15, MEMORY_LEVEL = 8 };

_Static_assert((int)FEW__STORE_LOOK == WIDTH * HEIGHT, "a look");

/* ---- prediction ---- */

/* The median of what is to the left (a), above (b) and a + b - c, c above and to the left; without a branch, since the noise
 * of a picture decides. */
static int guess(int a, int b, int c)
{
    int low = a < b ? a : b, high = a < b ? b : a, slope = a + b - c;
    slope = slope < low ? low : slope;
    return slope > high ? high : slope;
}

static void subtract(const uint8_t *look, uint8_t *rest)
{
    rest[0] = look[0];
    for (size_t x = 1; x < WIDTH; x++) rest[x] = (uint8_t)(look[x] - look[x - 1]);
    for (size_t y = 1; y < HEIGHT; y++) {
        const uint8_t *row = look + y * WIDTH, *above = row - WIDTH;
        uint8_t *out = rest + y * WIDTH;
        out[0] = (uint8_t)(row[0] - above[0]);
        for (size_t x = 1; x < WIDTH; x++)
            out[x] = (uint8_t)(row[x] - guess(row[x - 1], above[x], above[x - 1]));
    }
}

// In place: what a guess needs is there before it.
static void add(uint8_t *look)
{
    for (size_t x = 1; x < WIDTH; x++) look[x] = (uint8_t)(look[x] + look[x - 1]);
    for (size_t y = 1; y < HEIGHT; y++) {
        uint8_t *row = look + y * WIDTH;
        const uint8_t *above = row - WIDTH;
        row[0] = (uint8_t)(row[0] + above[0]);
        for (size_t x = 1; x < WIDTH; x++)
            row[x] = (uint8_t)(row[x] + guess(row[x - 1], above[x], above[x - 1]));
    }
}

/* ---- zlib ---- */

static voidpf take(voidpf mem, uInt n, uInt size)
{
    return few__new(mem, n, size);
}

static void give(voidpf mem, voidpf ptr)
{
    few__free(mem, ptr);
}

static enum few_status prepare(struct few__look_packer *packer)
{
    if (packer->room) return FEW_OK;
    packer->in = packer->out =
        (z_stream){.zalloc = take, .zfree = give, .opaque = (voidpf)(uintptr_t)packer->mem};
    uint8_t *room = few__new(packer->mem, FEW__LOOK_PACKED_MAX + FEW__STORE_LOOK, 1);
    if (!room) return FEW_ENOMEM;
    if (deflateInit2(&packer->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_HUFFMAN_ONLY) == Z_OK) {
        if (inflateInit(&packer->in) == Z_OK) {
            packer->room = room;
            return FEW_OK;
        }
        deflateEnd(&packer->out);
    }
    few__free(packer->mem, room);
    return FEW_ENOMEM;
}

enum few_status few__look_pack(struct few__look_packer *packer, const uint8_t *look, const void **packed,
                               size_t *n)
{
    if (prepare(packer) != FEW_OK) return FEW_ENOMEM;
    uint8_t *rest = packer->room + FEW__LOOK_PACKED_MAX;
    subtract(look, rest);
    z_stream *out = &packer->out;
    deflateReset(out);
    out->next_in = rest;
    out->avail_in = FEW__STORE_LOOK;
    out->next_out = packer->room;
    out->avail_out = FEW__LOOK_PACKED_MAX;
    if (deflate(out, Z_FINISH) != Z_STREAM_END) return FEW_ENOMEM; // cannot be: there is room for the bound
    *packed = packer->room;
    *n = FEW__LOOK_PACKED_MAX - out->avail_out;
    return FEW_OK;
}

enum few_status few__look_unpack(struct few__look_packer *packer, const void *packed, size_t n, uint8_t *look)
{
    if (n == 0 || n > FEW__LOOK_PACKED_MAX) return FEW_EPARSE;
    if (prepare(packer) != FEW_OK) return FEW_ENOMEM;
    z_stream *in = &packer->in;
    inflateReset(in);
    in->next_in = (z_const Bytef *)(uintptr_t)packed;
    in->avail_in = (uInt)n;
    in->next_out = look;
    in->avail_out = FEW__STORE_LOOK;
    int said = inflate(in, Z_FINISH);
    if (said == Z_MEM_ERROR) return FEW_ENOMEM;
    if (said != Z_STREAM_END || in->avail_out != 0 || in->avail_in != 0) return FEW_EPARSE;
    add(look);
    return FEW_OK;
}

void few__look_packer_finish(struct few__look_packer *packer)
{
    if (!packer->room) return;
    deflateEnd(&packer->out);
    inflateEnd(&packer->in);
    few__free(packer->mem, packer->room);
    packer->room = NULL;
}
