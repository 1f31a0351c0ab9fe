// SPDX-License-Identifier: Apache-2.0
/* The readers of single values and of whole sections. Numbers are read here and not by strtod, which follows
 * the host's locale. */
#include "model/manifest_fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fewer/model.h>

#include "model/manifest_draft.h"

void few__unexpected(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const char *expected)
{
    few__problem(r->problems, node->place, where, few__yaml_found(r->problems->arena, node), "%s", expected);
}

void few__twice(struct few__reader *r, const struct few__where *where, const struct few__yaml *key,
                const struct few__yaml *first)
{
    few__problem(r->problems, key->place, where,
                 few__arena_printf(r->problems->arena, "it again after line %d", first->place.line),
                 "the key once");
}

static void keep_text(struct few__reader *r, const char *text, const char **to)
{
    const char *copy = few__arena_strdup(r->arena, text);
    if (copy) *to = copy;
    else r->problems->no_memory = true;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [+-] digits [. digits] [e [+-] digits]. Up to 15 digits and 22 powers of ten the result is the nearest double,
 * because both factors are exact; beyond that it may be off by one bit. */
static bool parse_number(const char *s, const char **end, double *value)
{
    bool negative = *s == '-', any = false;
    double mantissa = 0;
    int exponent = 0, scale = 0;
    if (*s == '-' || *s == '+') s++;
    for (; is_digit(*s); s++, any = true) mantissa = mantissa * 10 + (*s - '0');
    if (*s == '.')
        for (s++; is_digit(*s); s++, any = true, exponent--) mantissa = mantissa * 10 + (*s - '0');
    if (!any) return false;
    if ((*s == 'e' || *s == 'E') && (is_digit(s[1]) || ((s[1] == '-' || s[1] == '+') && is_digit(s[2])))) {
        bool down = *++s == '-';
        if (*s == '-' || *s == '+') s++;
        for (; is_digit(*s); s++) scale = scale < 10000 ? scale * 10 + (*s - '0') : scale;
        exponent += down ? -scale : scale;
    }
    double power = pow(10.0, abs(exponent));
    *value = exponent < 0 ? mantissa / power : mantissa * power;
    if (negative) *value = -*value;
    *end = s;
    return isfinite(*value);
}

static bool in_range(const struct few__field *f, double v)
{
    return (f->above_low ? v > f->low : v >= f->low) && v <= f->high;
}

/* A plain number within the field's range. */
static bool number_of(const struct few__yaml *node, const struct few__field *f, double *value)
{
    const char *end;
    if (node->type != FEW__YAML_TEXT || !node->plain) return false;
    return parse_number(node->text, &end, value) && *end == '\0' && in_range(f, *value);
}

static bool whole_of(const struct few__yaml *node, const struct few__field *f, double *value)
{
    return number_of(node, f, value) && *value == floor(*value);
}

void few__read_float(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    double v;
    if (number_of(node, field, &v)) *(float *)to = (float)v;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_double(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                      const struct few__field *field, void *to)
{
    double v;
    if (number_of(node, field, &v)) *(double *)to = v;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_int(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                   const struct few__field *field, void *to)
{
    double v;
    if (whole_of(node, field, &v)) *(int *)to = (int)v;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_long(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    double v;
    if (whole_of(node, field, &v)) *(int64_t *)to = (int64_t)v;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_count(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    double v;
    if (whole_of(node, field, &v)) *(size_t *)to = (size_t)v;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_byte(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    double v;
    if (whole_of(node, field, &v)) *(uint8_t *)to = (uint8_t)v;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_milliseconds(struct few__reader *r, const struct few__where *where,
                            const struct few__yaml *node, const struct few__field *field, void *to)
{
    double v;
    if (number_of(node, field, &v)) *(int64_t *)to = (int64_t)llround(v * 1000);
    else few__unexpected(r, where, node, field->expected);
}

struct unit {
    const char *name;
    double factor;
};

/* A plain number followed by one of the units, within the field's range. */
static bool with_unit(const struct few__yaml *node, const struct few__field *f, const struct unit *units,
                      size_t n, double *value)
{
    const char *end;
    double v;
    if (node->type != FEW__YAML_TEXT || !node->plain || !parse_number(node->text, &end, &v)) return false;
    for (size_t i = 0; i < n; i++) {
        *value = v * units[i].factor;
        if (strcmp(end, units[i].name) == 0) return in_range(f, *value);
    }
    return false;
}

void few__read_bytes(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    static const struct unit units[] = {
        {"", 1}, {"KiB", 1024}, {"MiB", 1024.0 * 1024}, {"GiB", 1024.0 * 1024 * 1024}};
    double bytes;
    if (with_unit(node, field, units, sizeof units / sizeof *units, &bytes))
        *(uint64_t *)to = (uint64_t)bytes;
    else few__unexpected(r, where, node, field->expected);
}

void few__read_duration(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                        const struct few__field *field, void *to)
{
    static const struct unit units[] = {{"ms", 1e3}, {"s", 1e6}, {"min", 60e6}, {"h", 3600e6}};
    double us;
    if (with_unit(node, field, units, sizeof units / sizeof *units, &us))
        *(int64_t *)to = (int64_t)llround(us);
    else few__unexpected(r, where, node, field->expected);
}

void few__read_samples(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                       const struct few__field *field, void *to)
{
    static const struct unit units[] = {{"", 0}, {"ms", 1000}, {"s", 1}};
    const char *end;
    double v = 0;
    bool is_number = node->type == FEW__YAML_TEXT && node->plain && parse_number(node->text, &end, &v);
    for (size_t i = 0; is_number && v >= 0 && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0) continue;
        *(struct few__samples_draft *)to =
            (struct few__samples_draft){.given = true, .value = v, .per_second = units[i].factor};
        return;
    }
    few__unexpected(r, where, node, field->expected);
}

/* ---- texts ---- */

static bool is_text(const struct few__yaml *node)
{
    return node->type == FEW__YAML_TEXT && node->text[0] != '\0';
}

void few__read_text(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    if (is_text(node)) keep_text(r, node->text, to);
    else few__unexpected(r, where, node, field->expected);
}

void few__read_name(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    if (is_text(node) && node->text[strspn(node->text, allowed)] == '\0') keep_text(r, node->text, to);
    else few__unexpected(r, where, node, field->expected);
}

void few__read_path(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    if (!is_text(node)) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    const char *path = node->text[0] == '/' ? few__arena_strdup(r->arena, node->text)
                                            : few__arena_printf(r->arena, "%s/%s", r->root, node->text);
    if (!path) {
        r->problems->no_memory = true;
        return;
    }
    struct stat st;
    const char *why = NULL;
    if (stat(path, &st) != 0)
        why = errno == ENOENT || errno == ENOTDIR ? "no such file" : "cannot be reached";
    else if (!S_ISREG(st.st_mode)) why = "not a regular file";
    else if (access(path, R_OK) != 0) why = "may not be read";
    if (!why) *(const char **)to = path;
    else
        few__problem(r->problems, node->place, where,
                     few__arena_printf(r->problems->arena, "%s: %s", path, why), "%s", field->expected);
}

void few__read_choice(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                      const struct few__field *field, void *to)
{
    for (size_t i = 0; node->type == FEW__YAML_TEXT && i < field->n_names; i++) {
        unsigned value = (unsigned)i;
        if (strcmp(node->text, field->names[i]) != 0) continue;
        _Static_assert(sizeof(enum few_kind) == sizeof value, "enums are stored as unsigned numbers");
        memcpy(to, &value, sizeof value);
        return;
    }
    const char *names = few__one_of(r->problems->arena, field->names, field->n_names);
    if (names) few__unexpected(r, where, node, names);
    else r->problems->no_memory = true;
}

/* ---- lists ---- */

/* Whether the node is a list that the field allows; if not, that was noted. */
static bool list_of(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    size_t multiple = field->multiple ? field->multiple : 1;
    if (node->type != FEW__YAML_LIST || node->n == 0 || node->n > field->max || node->n % multiple != 0) {
        few__unexpected(r, where, node, field->expected);
        return false;
    }
    *(size_t *)(void *)((char *)to - field->offset + field->count_offset) = node->n;
    return true;
}

/* Read every entry of a list by `read` into `to`, an array of things of `size` bytes. */
static void read_entries(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                         const struct few__field *field, few__read_fn *read, void *to, size_t size)
{
    for (size_t i = 0; i < node->n; i++) {
        struct few__where entry = {.up = where, .index = i};
        read(r, &entry, node->items[i], field, (char *)to + i * size);
    }
}

void few__read_floats(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                      const struct few__field *field, void *to)
{
    if (list_of(r, where, node, field, to))
        read_entries(r, where, node, field, few__read_float, to, sizeof(float));
}

void few__read_ints(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    if (list_of(r, where, node, field, to))
        read_entries(r, where, node, field, few__read_int, to, sizeof(int));
}

void few__read_longs(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    if (list_of(r, where, node, field, to))
        read_entries(r, where, node, field, few__read_long, to, sizeof(int64_t));
}

void few__read_texts(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    if (list_of(r, where, node, field, to))
        read_entries(r, where, node, field, few__read_text, to, sizeof(const char *));
}

void few__read_text_list(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                         const struct few__field *field, void *to)
{
    const char **texts = NULL;
    if (!list_of(r, where, node, field, to)) return;
    texts = FEW__ARENA_NEW(r->arena, const char *, node->n);
    if (!texts) {
        r->problems->no_memory = true;
        return;
    }
    for (size_t i = 0; i < node->n; i++) texts[i] = "";
    read_entries(r, where, node, field, few__read_text, texts, sizeof *texts);
    *(const char *const **)to = texts;
}

void few__read_size(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    if (node->type == FEW__YAML_LIST && node->n == 2)
        read_entries(r, where, node, field, few__read_int, to, sizeof(int));
    else few__unexpected(r, where, node, field->expected);
}

void few__read_channels(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                        const struct few__field *field, void *to)
{
    float *channels = to;
    bool list = node->type == FEW__YAML_LIST;
    if (list && node->n != 1 && node->n != 3) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    if (list) read_entries(r, where, node, field, few__read_float, channels, sizeof *channels);
    else few__read_float(r, where, node, field, channels);
    if (!list || node->n == 1) channels[1] = channels[2] = channels[0];
}

/* ---- sections ---- */

static const struct few__field *find_field(const struct few__section *section, const char *key)
{
    for (size_t i = 0; i < section->n_fields; i++)
        if (strcmp(section->fields[i].key, key) == 0) return &section->fields[i];
    return NULL;
}

static void note_unknown(struct few__reader *r, const struct few__section *section,
                         const struct few__where *where, const struct few__yaml *key)
{
    const char *names[FEW__KEYS_MAX];
    size_t n = 0;
    for (; n < section->n_fields && n < FEW__KEYS_MAX; n++) names[n] = section->fields[n].key;
    const char *nearest = few__nearest_name(key->text, names, n);
    const char *list = nearest ? NULL : few__one_of(r->problems->arena, names, n);
    const char *found = few__yaml_found(r->problems->arena, key);
    if (nearest) few__problem(r->problems, key->place, where, found, "a known key, perhaps \"%s\"", nearest);
    else few__problem(r->problems, key->place, where, found, "a known key (%s)", list ? list : "");
}

/* One pair: `first` remembers for each field where its key stood. */
static void read_pair(struct few__reader *r, const struct few__section *section, const struct few__where *up,
                      const struct few__yaml_pair *pair, const struct few__yaml **first, void *to)
{
    const struct few__yaml *key = pair->key;
    if (key->type != FEW__YAML_TEXT) {
        few__unexpected(r, up, key, "a key that is a text");
        return;
    }
    struct few__where where = {.up = up, .key = key->text};
    const struct few__field *field = find_field(section, key->text);
    if (!field) {
        note_unknown(r, section, &where, key);
        return;
    }
    const struct few__yaml **seen = &first[field - section->fields];
    if (*seen) {
        few__twice(r, &where, key, *seen);
        return;
    }
    *seen = key;
    field->read(r, &where, pair->value, field, (char *)to + field->offset);
}

void few__section_read(struct few__reader *r, const struct few__section *section,
                       const struct few__where *where, const struct few__yaml *node, void *to)
{
    const struct few__yaml *first[FEW__KEYS_MAX] = {0};
    if (node->type != FEW__YAML_MAP) {
        few__unexpected(r, where, node, "a map");
        return;
    }
    for (size_t i = 0; i < node->n; i++) read_pair(r, section, where, &node->pairs[i], first, to);
    for (size_t i = 0; i < section->n_fields; i++) {
        const struct few__field *field = &section->fields[i];
        struct few__where missing = {.up = where, .key = field->key};
        if (field->required && !first[i])
            few__problem(r->problems, node->place, &missing, "nothing", "%s", field->expected);
    }
}

void few__read_section(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                       const struct few__field *field, void *to)
{
    few__section_read(r, field->section, where, node, to);
}
