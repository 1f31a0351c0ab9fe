// SPDX-License-Identifier: Apache-2.0
/* Records into parts. Lists go through a recording from its beginning to its end more often than not, so the one that was
 * read last stays open, once for its pictures and once for its sound, and is read on where that leads to the same moment. */
#include <string.h>

#include <fewer/items.h>

#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "source/container.h"
#include "source/record.h"

enum {
    READ_ON_US = 1000000, // pictures that are near are read up to; what is further away is sought
    CLIP_US = 1000000,    // sound comes in clips of this length, of which spans are put together
};

static const int64_t sound_max_us = (int64_t)FEW__SOUND_MAX_S * 1000000;

struct source {
    struct few__container *container; // NULL = none is open
    char path[FEW_PATH_MAX];
    struct few__moment moment;
    bool has_moment;    // the one read last
    int64_t next_frame; // pictures: number of the one that next gives; -1 = not known
};

struct samples {
    float *samples;
    size_t n, room;
};

struct few__record_reader {
    struct few_env env;
    size_t n_rates;
    int rates[FEW__RATES_MAX];
    struct few__image_decoder *decoder;
    struct few__file_reader image_file, text_file;
    struct few__image image;
    struct few__buffer planes;
    struct source pictures, sound;
    int64_t next_us;                     // of the sound: where the next clip begins; -1 = not known
    struct samples span[FEW__RATES_MAX]; // what was asked for, at each rate
};

/* ---- lifetime ---- */

enum few_status few__record_reader_create(const struct few_env *env, const int *rates, size_t n_rates,
                                          struct few__record_reader **reader, struct few_error *err)
{
    *reader = NULL;
    struct few_env full = few__env(env);
    struct few__record_reader *r = FEW__NEW(full.mem, struct few__record_reader);
    if (!r) return few__no_memory(err, "reader of records");
    r->env = full;
    r->n_rates = n_rates < FEW__RATES_MAX ? n_rates : FEW__RATES_MAX;
    if (r->n_rates) memcpy(r->rates, rates, r->n_rates * sizeof *rates);
    r->planes.mem = full.mem;
    few__file_reader_init(&r->image_file, full.mem);
    few__file_reader_init(&r->text_file, full.mem);
    enum few_status status = few__image_decoder_create(&full, &r->decoder, err);
    if (status == FEW_OK) status = few__moment_init(&r->pictures.moment, full.mem, false, err);
    if (status == FEW_OK) status = few__moment_init(&r->sound.moment, full.mem, false, err);
    if (status == FEW_OK) *reader = r;
    else few__record_reader_destroy(r);
    return status;
}

static void close_source(struct source *source)
{
    few__container_close(source->container);
    source->container = NULL;
    source->has_moment = false;
}

void few__record_reader_destroy(struct few__record_reader *reader)
{
    if (!reader) return;
    close_source(&reader->pictures);
    close_source(&reader->sound);
    few__moment_finish(&reader->pictures.moment);
    few__moment_finish(&reader->sound.moment);
    few__image_decoder_destroy(reader->decoder);
    few__file_reader_finish(&reader->image_file);
    few__file_reader_finish(&reader->text_file);
    few__buffer_finish(&reader->planes);
    for (size_t i = 0; i < FEW__RATES_MAX; i++) few__free(reader->env.mem, reader->span[i].samples);
    few__free(reader->env.mem, reader);
}

static enum few_status open_source(struct few__record_reader *reader, struct source *source, const char *path,
                                   const struct few__container_opts *opts, struct few_error *err)
{
    close_source(source);
    snprintf(source->path, sizeof source->path, "%s", path);
    return few__container_open(path, opts, &reader->env, &source->container, err);
}

static enum few_status next(struct source *source, struct few_error *err)
{
    enum few_status status = few__container_next(source->container, &source->moment, err);
    source->has_moment = status == FEW_OK;
    if (source->next_frame >= 0) source->next_frame++;
    return status;
}

/* ---- pictures ---- */

static enum few_status open_pictures(struct few__record_reader *reader, const char *path,
                                     struct few_error *err)
{
    const struct few__container_opts opts = {.wants_picture = true, .threads = 1};
    struct source *source = &reader->pictures;
    source->next_frame = 0;
    return open_source(reader, source, path, &opts, err);
}

static bool is_open(const struct source *source, const char *path)
{
    return source->container && strcmp(source->path, path) == 0;
}

// Numbers count from the beginning, so there is no way back but the beginning.
static enum few_status go_to_frame(struct few__record_reader *reader, const struct few__place_in *in,
                                   struct few_error *err)
{
    struct source *source = &reader->pictures;
    bool here = source->has_moment && source->next_frame == in->frame + 1;
    if (!is_open(source, in->path) || source->next_frame < 0 || (source->next_frame > in->frame && !here))
        FEW__TRY(open_pictures(reader, in->path, err));
    while (source->next_frame <= in->frame) {
        enum few_status status = next(source, err);
        if (status == FEW_END)
            return few__fail(err, FEW_EDECODE, "%s: expected picture %lld, found %lld in all", in->path,
                             (long long)in->frame, (long long)source->next_frame - 1);
        if (status != FEW_OK) return status;
    }
    return FEW_OK;
}

static enum few_status go_to_time(struct few__record_reader *reader, const struct few__place_in *in,
                                  struct few_error *err)
{
    struct source *source = &reader->pictures;
    if (!is_open(source, in->path)) FEW__TRY(open_pictures(reader, in->path, err));
    int64_t at = in->from_us;
    if (source->has_moment && source->moment.at_us == at) return FEW_OK;
    bool near = source->has_moment && source->moment.at_us < at && at - source->moment.at_us <= READ_ON_US;
    enum few_status status = FEW_OK;
    if (!near) {
        source->next_frame = -1;
        source->has_moment = false;
        status = few__container_seek(source->container, at, err);
    }
    do {
        if (status == FEW_OK) status = next(source, err);
    } while (status == FEW_OK && source->moment.at_us < at);
    if (status != FEW_END) return status;
    return few__fail(err, FEW_EDECODE, "%s: no picture at %g s or later", in->path, (double)at / 1e6);
}

static enum few_status read_still(struct few__record_reader *reader, const char *path, const void *bytes,
                                  size_t n_bytes, struct few_error *err)
{
    if (!bytes)
        FEW__TRY(
            few__file_reader_read(&reader->image_file, path, FEW__IMAGE_BYTES_MAX, &bytes, &n_bytes, err));
    return few__image_decode(reader->decoder, path, bytes, n_bytes, &reader->image, err);
}

static enum few_status read_image(struct few__record_reader *reader, const struct few__place_in *in,
                                  const void *bytes, size_t n_bytes, struct few__parts *parts,
                                  struct few_error *err)
{
    if (in->from_us < 0 && in->frame < 0) {
        FEW__TRY(read_still(reader, in->path, bytes, n_bytes, err));
    } else {
        enum few_status status = in->frame >= 0 ? go_to_frame(reader, in, err) : go_to_time(reader, in, err);
        if (status != FEW_OK) close_source(&reader->pictures); // of no use to the next one
        if (status != FEW_OK) return status;
        FEW__TRY(few__moment_image(&reader->pictures.moment, &reader->planes, &reader->image, err));
    }
    parts->image = &reader->image;
    return FEW_OK;
}

/* ---- sound ---- */

static enum few_status open_sound(struct few__record_reader *reader, const char *path, struct few_error *err)
{
    struct few__container_opts opts = {.n_rates = reader->n_rates, .clip_us = CLIP_US, .threads = 1};
    memcpy(opts.rates, reader->rates, sizeof opts.rates);
    reader->sound.next_frame = -1;
    reader->next_us = 0;
    return open_source(reader, &reader->sound, path, &opts, err);
}

// It could not be opened for its sound: because there is none in what is a recording all the same?
static bool is_silent(struct few__record_reader *reader, const char *path)
{
    const struct few__container_opts opts = {.wants_picture = true, .threads = 1};
    struct few__container *container = NULL;
    struct few__container_about about = {0};
    if (few__container_open(path, &opts, &reader->env, &container, NULL) != FEW_OK) return false;
    few__container_about(container, &about);
    few__container_close(container);
    return !about.has_sound;
}

static int64_t sample_at(int64_t us, int rate)
{
    return (us * rate + 500000) / 1000000;
}

static enum few_status append(struct few__record_reader *reader, struct samples *to, const float *samples,
                              size_t n, struct few_error *err)
{
    if (n > to->room - to->n) {
        size_t room = 2 * to->room > to->n + n ? 2 * to->room : to->n + n;
        float *grown = few__resize(reader->env.mem, to->samples, room, sizeof *grown);
        if (!grown) return few__no_memory(err, "sound of a record");
        to->samples = grown;
        to->room = room;
    }
    memcpy(to->samples + to->n, samples, n * sizeof *samples);
    to->n += n;
    return FEW_OK;
}

// What lies in from .. until of the clip that was read last; until -1 = no end.
static enum few_status append_clip(struct few__record_reader *reader, int64_t from_us, int64_t until_us,
                                   struct few_error *err)
{
    const struct few__moment *moment = &reader->sound.moment;
    for (size_t i = 0; i < moment->n_sounds && i < reader->n_rates; i++) {
        const struct few__sound *sound = &moment->sounds[i];
        int64_t first = sample_at(moment->at_us, sound->rate),
                begin = sample_at(from_us, sound->rate) - first;
        int64_t end = until_us < 0 ? INT64_MAX : sample_at(until_us, sound->rate) - first;
        if (begin < 0) begin = 0;
        if (end > (int64_t)sound->n) end = (int64_t)sound->n;
        if (begin < end)
            FEW__TRY(append(reader, &reader->span[i], sound->samples + begin, (size_t)(end - begin), err));
    }
    return FEW_OK;
}

// The next clip of the sound.
static enum few_status next_clip(struct few__record_reader *reader, struct few_error *err)
{
    enum few_status status = next(&reader->sound, err);
    reader->next_us = status == FEW_OK ? reader->sound.moment.at_us + CLIP_US : -1;
    return status;
}

// The clip in which from_us lies becomes the one that was read last. FEW_END: the sound is over by then.
static enum few_status go_to_clip(struct few__record_reader *reader, const char *path, int64_t from_us,
                                  struct few_error *err)
{
    struct source *source = &reader->sound;
    int64_t start = from_us / CLIP_US * CLIP_US;
    if (!is_open(source, path)) FEW__TRY(open_sound(reader, path, err));
    if (source->has_moment && source->moment.at_us == start) return FEW_OK;
    if (reader->next_us != start) FEW__TRY(few__container_seek(source->container, start, err));
    return next_clip(reader, err);
}

static enum few_status go_through(struct few__record_reader *reader, const struct few__place_in *in,
                                  struct few_error *err)
{
    int64_t from_us = in->from_us > 0 ? in->from_us : 0;
    enum few_status status = go_to_clip(reader, in->path, from_us, err);
    for (size_t i = 0; i < reader->n_rates; i++) reader->span[i].n = 0;
    while (status == FEW_OK) {
        const struct few__moment *moment = &reader->sound.moment;
        FEW__TRY(append_clip(reader, from_us, in->until_us, err));
        if (in->until_us >= 0 && moment->at_us + CLIP_US >= in->until_us) return FEW_OK;
        if (moment->at_us + CLIP_US - from_us > sound_max_us)
            return few__fail(err, FEW_ELIMIT, "%s: expected at most %d s of sound in an item, found more",
                             in->path, FEW__SOUND_MAX_S);
        status = next_clip(reader, err);
    }
    return status;
}

static enum few_status read_sound(struct few__record_reader *reader, const struct few__place_in *in,
                                  struct few__parts *parts, struct few_error *err)
{
    enum few_status status = go_through(reader, in, err);
    if (status == FEW_EDECODE && !reader->sound.container && is_silent(reader, in->path)) return FEW_OK;
    if (status != FEW_OK && status != FEW_END) {
        close_source(&reader->sound);
        return status;
    }
    if (reader->n_rates == 0 || reader->span[0].n == 0) return FEW_OK;
    parts->n_sounds = reader->n_rates;
    for (size_t i = 0; i < reader->n_rates; i++)
        parts->sounds[i] = (struct few__sound){reader->rates[i], reader->span[i].n, reader->span[i].samples};
    return FEW_OK;
}

/* ---- text ---- */

static enum few_status read_text(struct few__record_reader *reader, const struct few__record *record,
                                 struct few__parts *parts, struct few_error *err)
{
    const void *bytes;
    size_t n;
    parts->text = record->text;
    if (!record->text_path) return FEW_OK;
    FEW__TRY(few__file_reader_read(&reader->text_file, record->text_path, FEW__TEXT_MAX, &bytes, &n, err));
    if (n > 0 && memchr(bytes, 0, n))
        return few__fail(err, FEW_EDECODE, "%s: expected text, found a NUL in it", record->text_path);
    parts->text = bytes; // zeros follow
    return FEW_OK;
}

enum few_status few__record_read(struct few__record_reader *reader, const struct few__record *record,
                                 const void *bytes, size_t n_bytes, struct few__parts *parts,
                                 struct few_error *err)
{
    *parts = (struct few__parts){0};
    if (record->image.path) FEW__TRY(read_image(reader, &record->image, bytes, n_bytes, parts, err));
    if (record->sound.path && reader->n_rates) FEW__TRY(read_sound(reader, &record->sound, parts, err));
    return read_text(reader, record, parts, err);
}
