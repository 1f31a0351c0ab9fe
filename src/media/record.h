// SPDX-License-Identifier: Apache-2.0
/* An aligned record: parts that belong together and may come from several files. An image file alone is one with one part. */
#ifndef FEW_MEDIA_RECORD_H
#define FEW_MEDIA_RECORD_H

#include <stdio.h>

#include "core/mem.h"
#include "media/parts.h"

/* A file, or a place in a recording. from_us < 0: a still image, or the whole; until_us < 0: to the end, or of a picture
 * just that instant. */
struct few__place_in {
    const char *path; // NULL = there is no such part
    int64_t from_us, until_us;
};

struct few__record {
    const char *name; // key of the item
    struct few__place_in image, sound;
    const char *text; // NULL = none
};

/* "photo.jpg", "clip.mp4#t=12.5" (the picture there), "talk.wav", "clip.mp4#t=3,5" (picture at 3, sound of 3 .. 5): W3C media
 * fragments. A file whose name really is that wins. Texts lie in the arena. Errors: FEW_EINVAL; FEW_ENOMEM. */
enum few_status few__record_of_path(const char *path, struct few__arena *arena, struct few__record *record,
                                    struct few_error *err);

/* One line of a list of records, docs/items.md. root: folder of the list.
 * Errors: FEW_EPARSE what was expected and found; FEW_ELIMIT; FEW_ENOMEM. */
enum few_status few__record_parse(const char *line, size_t n, const char *root, struct few__arena *arena,
                                  struct few__record *record, struct few_error *err);

/* Size and time of change of all its files together; digest of what it is made of, without reading recordings whole:
 * an image alone has the SHA-256 of its bytes. */
struct few__looks {
    bool exists;
    uint64_t size;
    int64_t mtime_us;
};
struct few__looks few__record_looks(const struct few__record *record);

/* "NAME", size, and SHA-256 of the first and the last MiB. Errors: FEW_ENOENT, FEW_EIO, FEW_ENOMEM. */
enum few_status few__fingerprint(const char *path, char digest[65], struct few_error *err);

/* Reads records into parts, on one thread; keeps the last recording open. */
struct few__record_reader;
enum few_status few__record_reader_create(const struct few_env *env, const int *rates, size_t n_rates,
                                          struct few__record_reader **reader, struct few_error *err);
void few__record_reader_destroy(struct few__record_reader *reader);

/* bytes, n_bytes: of the image file if somebody has read it already, else NULL. parts: borrowed until the next call.
 * Errors: those of few__image_decode and few__container_open, with the part's path. */
enum few_status few__record_read(struct few__record_reader *reader, const struct few__record *record,
                                 const void *bytes, size_t n_bytes, struct few__parts *parts,
                                 struct few_error *err);

#endif
