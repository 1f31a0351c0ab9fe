// SPDX-License-Identifier: Apache-2.0
/* Reading a section of the manifest by its table: one row for each key says how its value is read, into which
 * member, and what to tell who wrote something else. */
#ifndef FEW_MODEL_MANIFEST_FIELDS_H
#define FEW_MODEL_MANIFEST_FIELDS_H

#include "model/manifest_yaml.h"

struct few__section;

enum { FEW__KEYS_MAX = 32 }; // of one section

/* What the readers of fields share. */
struct few__reader {
    struct few__arena *arena; // what is read lies here
    struct few__problems *problems;
    const char *root; // folder that relative paths start from
};

struct few__field {
    const char *key;
    /* Read the value into `to`, the member at `offset` of what the section fills; on a mistake note it and leave
     * `to` as it was. */
    void (*read)(struct few__reader *reader, const struct few__where *where, const struct few__yaml *node,
                 const struct few__field *field, void *to);
    size_t offset;
    const char *expected; // in words
    bool required;
    bool above_low;           // low itself is not allowed
    double low, high;         // numbers
    const char *const *names; // few__read_choice: by value
    size_t n_names;
    size_t max;                         // lists: most entries; 0 = what fits the member
    size_t count_offset;                // lists: the size_t that counts the entries
    size_t multiple;                    // lists: of how many the number of entries is a multiple; 0 = any
    const struct few__section *section; // few__read_section
};

struct few__section {
    const char *name; // as in docs/manifest.md
    const struct few__field *fields;
    size_t n_fields;
};

/* Every section of the manifest, outermost first. */
extern const struct few__section *const few__manifest_sections[];
extern const size_t few__n_manifest_sections;

/* Read a map into `to`: each known key once, all required ones; everything else is noted. */
void few__section_read(struct few__reader *reader, const struct few__section *section,
                       const struct few__where *where, const struct few__yaml *node, void *to);

/* Note that this node is not what was expected. */
void few__unexpected(struct few__reader *reader, const struct few__where *where, const struct few__yaml *node,
                     const char *expected);

/* Note that a key came before. */
void few__twice(struct few__reader *reader, const struct few__where *where, const struct few__yaml *key,
                const struct few__yaml *first);

/* ---- readers; the member's type in brackets ---- */

typedef void few__read_fn(struct few__reader *reader, const struct few__where *where,
                          const struct few__yaml *node, const struct few__field *field, void *to);
few__read_fn few__read_text;         // [const char *] not empty
few__read_fn few__read_name;         // [const char *] letters, digits, _ . and -
few__read_fn few__read_path;         // [const char *] an existing file; the path is joined to the root
few__read_fn few__read_choice;       // [an enum] one of names
few__read_fn few__read_float;        // [float]
few__read_fn few__read_double;       // [double]
few__read_fn few__read_int;          // [int]
few__read_fn few__read_long;         // [int64_t]
few__read_fn few__read_count;        // [size_t]
few__read_fn few__read_byte;         // [uint8_t]
few__read_fn few__read_size;         // [int[2]] width, height
few__read_fn few__read_channels;     // [float[3]] one number for all channels, or a list of 1 or 3
few__read_fn few__read_floats;       // [float[max]]
few__read_fn few__read_ints;         // [int[max]]
few__read_fn few__read_longs;        // [int64_t[max]]
few__read_fn few__read_texts;        // [const char *[max]]
few__read_fn few__read_text_list;    // [const char *const *] any number of texts
few__read_fn few__read_milliseconds; // [int64_t] microseconds
few__read_fn few__read_bytes;        // [uint64_t] a number, or with KiB, MiB, GiB
few__read_fn few__read_duration;     // [int64_t] microseconds, from a number with ms, s, min, h
few__read_fn few__read_section;      // [what the section fills]

#endif
