// SPDX-License-Identifier: Apache-2.0
// Looks as they lie in a file: half as large as they are.
#ifndef FEW_STORE_STORE_LOOK_H
#define FEW_STORE_STORE_LOOK_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>
#include <zlib.h>

enum { FEW__LOOK_PACKED_MAX = 24000 }; // bytes

struct few__look_packer { // zeros, but for mem; stays where it is once it was used
    const struct few_mem *mem;
    uint8_t *room; // FEW__LOOK_PACKED_MAX bytes; NULL = not made yet
    z_stream in, out;
};

/* FEW__STORE_LOOK bytes, made smaller; borrowed until the next call. Errors: FEW_ENOMEM, at the first look alone. */
enum few_status few__look_pack(struct few__look_packer *packer, const uint8_t *look, const void **packed,
                               size_t *n);

/* Back into FEW__STORE_LOOK bytes. Errors: FEW_EPARSE it is not what was packed; FEW_ENOMEM. */
enum few_status few__look_unpack(struct few__look_packer *packer, const void *packed, size_t n,
                                 uint8_t *look);

/* Zeros allowed. */
void few__look_packer_finish(struct few__look_packer *packer);

#endif
