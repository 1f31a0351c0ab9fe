// SPDX-License-Identifier: Apache-2.0
#include "core/digest.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include <libavutil/mem.h>
#include <libavutil/sha.h>

#include "core/error.h"

enum { PIECE = 64 << 10 };

static void to_hex(const uint8_t *bytes, size_t n, char *hex)
{
    for (size_t i = 0; i < n; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static enum few_status sha(const void *data, size_t n, int bits, char *hex)
{
    hex[0] = 0;
    struct AVSHA *context = av_sha_alloc();
    if (!context) return FEW_ENOMEM;
    uint8_t digest[32];
    av_sha_init(context, bits);
    av_sha_update(context, data, n);
    av_sha_final(context, digest);
    av_free(context);
    to_hex(digest, (size_t)bits / 8, hex);
    return FEW_OK;
}

enum few_status few__sha256(const void *data, size_t n, char hex[FEW__SHA256_HEX])
{
    return sha(data, n, 256, hex);
}

enum few_status few__sha1(const void *data, size_t n, char hex[FEW__SHA1_HEX])
{
    return sha(data, n, 160, hex);
}

enum few_status few__sha256_file(const char *path, char hex[FEW__SHA256_HEX], struct few_error *err)
{
    hex[0] = 0;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return few__fail_sys(err, errno == ENOENT ? FEW_ENOENT : FEW_EIO, "%s: cannot be opened", path);
    struct AVSHA *context = av_sha_alloc();
    if (!context) {
        fclose(file);
        return few__no_memory(err, path);
    }
    av_sha_init(context, 256);
    uint8_t piece[PIECE], digest[32];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) av_sha_update(context, piece, n);
    av_sha_final(context, digest);
    av_free(context);
    enum few_status status = ferror(file) ? few__fail_sys(err, FEW_EIO, "%s: cannot be read", path) : FEW_OK;
    fclose(file);
    if (status == FEW_OK) to_hex(digest, 32, hex);
    return status;
}
