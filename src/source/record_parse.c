// SPDX-License-Identifier: Apache-2.0
/* A line of a list of records: one JSON object that names the parts of an item. Everything that is not expected is an
 * error, for a part that is silently left out would look like a model that finds nothing. */
#include <math.h>
#include <string.h>

#include <jansson.h>

#include <fewer/items.h>

#include "core/error.h"
#include "source/record.h"

enum { SECONDS_MAX = 100000000 }; // three years

struct parse {
    const char *root;
    struct few__arena *arena;
    struct few_error *err;
};

static const struct few__place_in none = {NULL, -1, -1, -1};

static const char *found(const json_t *value)
{
    if (!value) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return json_string_length(value) ? "another text" : "an empty text";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "true or false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

static enum few_status wrong(const struct parse *p, const char *where, const char *expected,
                             const json_t *value)
{
    return few__fail(p->err, FEW_EPARSE, "%s: expected %s, found %s", where, expected, found(value));
}

// Every key of an object is one of `keys`, which end with NULL.
static enum few_status check_keys(const struct parse *p, const char *where, json_t *object,
                                  const char *const *keys, const char *all)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t k = 0;
        while (keys[k] && strcmp(keys[k], key) != 0) k++;
        if (!keys[k]) return few__fail(p->err, FEW_EPARSE, "%s: expected %s, found '%.60s'", where, all, key);
    }
    return FEW_OK;
}

/* ---- values ---- */

static enum few_status read_path(const struct parse *p, const char *where, const json_t *value,
                                 const char **path)
{
    size_t n = json_string_length(value), before = strlen(p->root);
    if (!json_is_string(value) || n == 0) return wrong(p, where, "the name of a file", value);
    const char *name = json_string_value(value);
    if (strstr(name, "://"))
        return few__fail(p->err, FEW_EPARSE, "%s: expected a file, found the URL %.60s", where, name);
    if (name[0] == '/') before = 0;
    if (before + 1 + n >= FEW_PATH_MAX)
        return few__fail(p->err, FEW_ELIMIT, "%s: path of %zu bytes, the limit is %d", where, before + 1 + n,
                         FEW_PATH_MAX - 1);
    *path = before
                ? few__arena_printf(p->arena, "%s%s%s", p->root, p->root[before - 1] == '/' ? "" : "/", name)
                : few__arena_strdup(p->arena, name);
    return *path ? FEW_OK : few__no_memory(p->err, "list of records");
}

// Seconds as microseconds; missing: *us stays.
static enum few_status read_seconds(const struct parse *p, const char *where, const json_t *value,
                                    double least, int64_t *us)
{
    if (!value) return FEW_OK;
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= least) || seconds > SECONDS_MAX)
        return wrong(p, where, least > 0 ? "seconds, more than 0" : "seconds, at least 0", value);
    *us = (int64_t)llround(seconds * 1e6);
    return FEW_OK;
}

/* ---- parts ---- */

// A path, with a time perhaps, as few__record_of_path has them.
static enum few_status record_of_text(const struct parse *p, const char *where, const json_t *value,
                                      struct few__record *record)
{
    const char *path;
    FEW__TRY(read_path(p, where, value, &path));
    enum few_status status = few__record_of_path(path, p->arena, record, p->err);
    if (status == FEW_OK) return FEW_OK;
    if (status == FEW_EINVAL) status = FEW_EPARSE;
    return few__wrap(p->err, status, "%s", where);
}

static enum few_status read_image(const struct parse *p, json_t *value, struct few__place_in *image)
{
    static const char *const keys[] = {"file", "at", "frame", NULL};
    if (json_is_string(value)) {
        struct few__record record;
        FEW__TRY(record_of_text(p, "image", value, &record));
        *image = record.image;
        return image->path ? FEW_OK : wrong(p, "image", "a picture or a video", value);
    }
    if (!json_is_object(value)) return wrong(p, "image", "a file, or an object with 'file'", value);
    FEW__TRY(check_keys(p, "image", value, keys, "'file', 'at', 'frame'"));
    const json_t *at = json_object_get(value, "at"), *frame = json_object_get(value, "frame");
    struct few__place_in in = none;
    FEW__TRY(read_path(p, "image.file", json_object_get(value, "file"), &in.path));
    FEW__TRY(read_seconds(p, "image.at", at, 0, &in.from_us));
    if (frame && (!json_is_integer(frame) || json_integer_value(frame) < 0 ||
                  json_integer_value(frame) > FEW__FRAME_MAX))
        return wrong(p, "image.frame", "the number of a picture, from 0", frame);
    if (at && frame) return few__fail(p->err, FEW_EPARSE, "image: expected 'at' or 'frame', found both");
    if (frame) in.frame = json_integer_value(frame);
    if (!at && !frame && few__file_kind(in.path) == FEW__FILE_VIDEO) in.from_us = 0;
    *image = in;
    return FEW_OK;
}

static enum few_status sound_of_text(const struct parse *p, const json_t *value, struct few__place_in *sound)
{
    struct few__record record;
    FEW__TRY(record_of_text(p, "sound", value, &record));
    *sound = record.sound.path ? record.sound
                               : record.image; // a video from a time on, or a suffix that is not known
    return FEW_OK;
}

static enum few_status check_span(const struct parse *p, const char *where, const struct few__place_in *in)
{
    if (in->until_us < 0) return FEW_OK;
    if (in->until_us <= in->from_us)
        return few__fail(p->err, FEW_EPARSE, "%s: expected an end after its beginning, found %g s and %g s",
                         where, (double)in->from_us / 1e6, (double)in->until_us / 1e6);
    if (in->until_us - in->from_us > (int64_t)FEW__SOUND_MAX_S * 1000000)
        return few__fail(p->err, FEW_ELIMIT, "%s: %g s of sound, the limit is %d s", where,
                         (double)(in->until_us - in->from_us) / 1e6, FEW__SOUND_MAX_S);
    return FEW_OK;
}

static enum few_status read_sound(const struct parse *p, json_t *value, struct few__place_in *sound)
{
    static const char *const keys[] = {"file", "from", "to", NULL};
    if (json_is_string(value)) {
        FEW__TRY(sound_of_text(p, value, sound));
        return check_span(p, "sound", sound);
    }
    if (!json_is_object(value)) return wrong(p, "sound", "a file, or an object with 'file'", value);
    FEW__TRY(check_keys(p, "sound", value, keys, "'file', 'from', 'to'"));
    struct few__place_in in = none;
    FEW__TRY(read_path(p, "sound.file", json_object_get(value, "file"), &in.path));
    FEW__TRY(read_seconds(p, "sound.from", json_object_get(value, "from"), 0, &in.from_us));
    FEW__TRY(read_seconds(p, "sound.to", json_object_get(value, "to"), 1e-6, &in.until_us));
    if (in.until_us >= 0 && in.from_us < 0) in.from_us = 0;
    *sound = in;
    return check_span(p, "sound", &in);
}

static enum few_status read_text(const struct parse *p, json_t *value, struct few__record *record)
{
    static const char *const keys[] = {"file", NULL};
    if (json_is_object(value)) {
        FEW__TRY(check_keys(p, "text", value, keys, "'file'"));
        return read_path(p, "text.file", json_object_get(value, "file"), &record->text_path);
    }
    if (!json_is_string(value)) return wrong(p, "text", "words, or an object with 'file'", value);
    if (json_string_length(value) > FEW__TEXT_MAX)
        return few__fail(p->err, FEW_ELIMIT, "text: %zu bytes, the limit is %d", json_string_length(value),
                         FEW__TEXT_MAX);
    record->text = few__arena_strdup(p->arena, json_string_value(value));
    return record->text ? FEW_OK : few__no_memory(p->err, "list of records");
}

// A picture, and the sound from there on.
static enum few_status read_video(const struct parse *p, json_t *line, struct few__record *record)
{
    struct few__place_in in = none;
    int64_t length_us = -1;
    if (record->image.path || record->sound.path)
        return few__fail(p->err, FEW_EPARSE, "video: expected no 'image' and no 'sound' beside it");
    FEW__TRY(read_path(p, "video", json_object_get(line, "video"), &in.path));
    in.from_us = 0;
    FEW__TRY(read_seconds(p, "at", json_object_get(line, "at"), 0, &in.from_us));
    FEW__TRY(read_seconds(p, "for", json_object_get(line, "for"), 1e-6, &length_us));
    record->image = record->sound = in;
    if (length_us >= 0) record->sound.until_us = in.from_us + length_us;
    return check_span(p, "for", &record->sound);
}

static enum few_status read_name(const struct parse *p, const json_t *value, const char **name)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return wrong(p, "item", "the name of the item", value);
    if (json_string_length(value) >= FEW_PATH_MAX)
        return few__fail(p->err, FEW_ELIMIT, "item: name of %zu bytes, the limit is %d",
                         json_string_length(value), FEW_PATH_MAX - 1);
    *name = few__arena_strdup(p->arena, json_string_value(value));
    return *name ? FEW_OK : few__no_memory(p->err, "list of records");
}

static enum few_status read_record(const struct parse *p, json_t *line, struct few__record *record)
{
    static const char *const keys[] = {"item", "image", "sound", "text", "video", "at", "for", NULL};
    if (!json_is_object(line)) return wrong(p, "line", "an object", line);
    FEW__TRY(check_keys(p, "line", line, keys, "'item', 'image', 'sound', 'text', 'video', 'at', 'for'"));
    FEW__TRY(read_name(p, json_object_get(line, "item"), &record->name));
    json_t *image = json_object_get(line, "image"), *sound = json_object_get(line, "sound");
    json_t *text = json_object_get(line, "text"), *video = json_object_get(line, "video");
    if (image) FEW__TRY(read_image(p, image, &record->image));
    if (sound) FEW__TRY(read_sound(p, sound, &record->sound));
    if (text) FEW__TRY(read_text(p, text, record));
    if (video) return read_video(p, line, record);
    if (json_object_get(line, "at") || json_object_get(line, "for"))
        return few__fail(p->err, FEW_EPARSE, "line: expected 'video' beside 'at' and 'for', found none");
    if (image || sound || text) return FEW_OK;
    return few__fail(p->err, FEW_EPARSE, "line: expected 'image', 'sound', 'text' or 'video', found none");
}

enum few_status few__record_parse(const char *line, size_t n, const char *root, struct few__arena *arena,
                                  struct few__record *record, struct few_error *err)
{
    const struct parse p = {.root = root, .arena = arena, .err = err};
    *record = (struct few__record){.image = none, .sound = none};
    if (n > FEW__RECORD_LINE_MAX)
        return few__fail(err, FEW_ELIMIT, "line of %zu bytes, the limit is %d", n, FEW__RECORD_LINE_MAX);
    json_error_t problem;
    json_t *object = json_loadb(line, n, JSON_REJECT_DUPLICATES, &problem);
    if (!object)
        return few__fail(err, FEW_EPARSE, "column %d: expected a JSON object, found %s", problem.column,
                         problem.text);
    enum few_status status = read_record(&p, object, record);
    json_decref(object);
    return status;
}
