// SPDX-License-Identifier: Apache-2.0
/* The bytes are an image file. Those that announce many pixels are left out: refusing them has its own tests, and
 * decoding them is only slow. */
#include <string.h>

#include "fuzz.h"
#include "media/image.h"
#include "media/image_internal.h"

enum { PIXELS_MAX = 1 << 18 };

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

// Pixels that what begins here announces beside the file's header: HEIC and AVIF in a box "ispe" (version and flags, width,
// height); WebP in its frames, whose sizes have 14 bits each. 0 = nothing of the kind.
static uint64_t announced(const uint8_t *p)
{
    if (memcmp(p, "ispe", 4) == 0) return (uint64_t)big(p + 8) * big(p + 12);
    if (memcmp(p, "\x9d\x01\x2a", 3) == 0)
        return (uint64_t)(little(p + 3) & 0x3fff) * (little(p + 3) >> 16 & 0x3fff);
    if (memcmp(p, "VP8L", 4) == 0)
        return (uint64_t)((little(p + 9) & 0x3fff) + 1) * ((little(p + 9) >> 14 & 0x3fff) + 1);
    return 0;
}

static bool announces_much(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 16 <= size; i++)
        if (announced(data + i) > PIXELS_MAX) return true;
    return false;
}

static void look(const struct few__image *image)
{
    fuzz_must(image->width > 0 && image->width <= FEW__IMAGE_SIDE_MAX);
    fuzz_must(image->height > 0 && image->height <= FEW__IMAGE_SIDE_MAX);
    fuzz_must(image->stride >= (size_t)image->width);
    unsigned sum = 0;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < image->height; y++)
            for (int x = 0; x < image->width; x++)
                sum += image->planes[c][(size_t)y * image->stride + (size_t)x];
    static volatile unsigned sink; // every pixel is read, for the sanitizers
    sink = sum;
    (void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct few__image_decoder *decoder;
    struct few_error err = {.message = ""};
    if (!decoder) fuzz_must(few__image_decoder_create(fuzz_env(), &decoder, &err) == FEW_OK);
    struct few__probe probe = few__image_probe(data, size);
    if (probe.width > 0 && probe.height > PIXELS_MAX / probe.width) return 0;
    if (announces_much(data, size)) return 0;
    struct few__image image;
    enum few_status status = few__image_decode(decoder, "input", data, size, &image, &err);
    if (status == FEW_OK) look(&image);
    else fuzz_must(err.message[0] && err.code == status && !image.planes[0]);
    return 0;
}
