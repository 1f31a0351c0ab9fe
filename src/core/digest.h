// SPDX-License-Identifier: Apache-2.0
// SHA-256 and SHA-1 (libavutil's) as lower-case hexadecimal.
#ifndef FEW_CORE_DIGEST_H
#define FEW_CORE_DIGEST_H

#include <stddef.h>

#include <fewer/env.h>

enum { FEW__SHA256_HEX = 65, FEW__SHA1_HEX = 41 };

/* Errors: FEW_ENOMEM. */
enum few_status few__sha256(const void *data, size_t n, char hex[FEW__SHA256_HEX]);
enum few_status few__sha1(const void *data, size_t n, char hex[FEW__SHA1_HEX]);

/* Of a file, read in pieces. Errors: FEW_ENOENT, FEW_EIO, FEW_ENOMEM. */
enum few_status few__sha256_file(const char *path, char hex[FEW__SHA256_HEX], struct few_error *err);

#endif
