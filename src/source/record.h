// SPDX-License-Identifier: Apache-2.0
/* An aligned record: parts that belong together and may come from several files. An image file alone is one with one part. */
#ifndef FEW_SOURCE_RECORD_H
#define FEW_SOURCE_RECORD_H

#include <stdbool.h>
#include <stdio.h>

#include "core/mem.h"
#include "media/parts.h"

enum {
    FEW__RECORD_LINE_MAX = 1 << 20, // bytes of a line of a list
    FEW__FRAME_MAX = 1000000000,    // number of a picture, from 0
};

/* A file, or a place in a recording. from_us < 0: a still image, or the whole; until_us < 0: to the end, or of a picture
 * just that instant. */
struct few__place_in {
    const char *path; // NULL = there is no such part
    int64_t from_us, until_us;
    int64_t frame; // picture: its number from 0, instead of a time; < 0 = by time
};

struct few__record {
    const char *name; // key of the item
    struct few__place_in image, sound;
    const char *text;      // NULL = none, or in text_path
    const char *text_path; // NULL = none
};

/* The name of a recording's moment: "clip.mp4#t=12.5", seconds with at most six digits after the point. at_us >= 0; a name
 * that does not fit is cut. */
void few__moment_name(const char *path, int64_t at_us, char *name, size_t n);

/* The "#t=..." of such a name, inside it; NULL = it has none. */
const char *few__path_time(const char *path);

/* "photo.jpg", "clip.mp4#t=12.5" (the picture there), "talk.wav", "clip.mp4#t=3,5" (picture at 3, sound of 3 .. 5): W3C media
 * fragments. "clip.mp4" alone: its first picture, all of its sound. A file whose name really is that wins. Texts lie in the
 * arena, but the name is `path` itself.
 * Errors: FEW_EINVAL no such time, or a moment of what was live; FEW_ENOMEM. */
enum few_status few__record_of_path(const char *path, struct few__arena *arena, struct few__record *record,
                                    struct few_error *err);

/* One line of a list of records, docs/items.md. root: folder of the list, "" = relative paths stay as they are.
 * Errors: FEW_EPARSE what was expected and found; FEW_ELIMIT; FEW_ENOMEM. */
enum few_status few__record_parse(const char *line, size_t n, const char *root, struct few__arena *arena,
                                  struct few__record *record, struct few_error *err);

/* Whether it is a still image and nothing else: an item whose digest is that of the file's bytes. */
bool few__record_is_image(const struct few__record *record);

/* Size and time of change of all its files together: sizes added, the latest change. */
struct few__looks {
    bool exists; // all of them
    uint64_t size;
    int64_t mtime_us;
};
struct few__looks few__record_looks(const struct few__record *record);

/* What it is made of, whatever the names of its files: still images and texts whole, of recordings the fingerprint and the
 * place. An image alone has the SHA-256 of its bytes. Errors: FEW_ENOENT, FEW_EIO, FEW_ENOMEM, with the part's path. */
enum few_status few__record_digest(const struct few__record *record, char digest[65], struct few_error *err);

/* SHA-256 of the size of a file, its first and its last MiB. Errors: FEW_ENOENT, FEW_EIO, FEW_ENOMEM. */
enum few_status few__fingerprint(const char *path, char digest[65], struct few_error *err);

/* What the name of a file says: its suffix, in any case. */
enum few__file_kind { FEW__FILE_OTHER, FEW__FILE_IMAGE, FEW__FILE_VIDEO, FEW__FILE_SOUND };
enum few__file_kind few__file_kind(const char *path);

/* Reads records into parts, on one thread; keeps the last recording open. */
struct few__record_reader;
enum few_status few__record_reader_create(const struct few_env *env, const int *rates, size_t n_rates,
                                          struct few__record_reader **reader, struct few_error *err);
void few__record_reader_destroy(struct few__record_reader *reader);

/* bytes, n_bytes: of the image file if somebody has read it already, else NULL. parts: borrowed until the next call.
 * A recording with no sound in it, or none at that place, leaves the record without that part.
 * Errors: those of few__image_decode and few__container_open, with the part's path; FEW_EDECODE no picture there, a text with
 * a NUL; FEW_ELIMIT more sound than FEW__SOUND_MAX_S, more text than FEW__TEXT_MAX. */
enum few_status few__record_read(struct few__record_reader *reader, const struct few__record *record,
                                 const void *bytes, size_t n_bytes, struct few__parts *parts,
                                 struct few_error *err);

#endif
