// SPDX-License-Identifier: Apache-2.0
// Recordings for the tests of sound: made with the ffmpeg command, read with libavformat, their samples through a track.
#ifndef FEW_TESTS_MEDIA_SOUND_H
#define FEW_TESTS_MEDIA_SOUND_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/mathematics.h>

#include "core/mem.h"
#include "media/sound_track.h"
#include "support/support.h"

struct wave {
    size_t n;
    float *samples; // free
};

static FEW_PRINTF(1, 2) bool shell(const char *format, ...)
{
    char command[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof command);
    return system(command) == 0;
}

static bool has_ffmpeg(void)
{
    return shell("ffmpeg -version > /dev/null 2>&1");
}

#define FFMPEG "ffmpeg -v error -nostdin -y "

static struct wave read_wave(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    struct wave wave = {.n = (size_t)ftell(file) / sizeof(float)};
    rewind(file);
    wave.samples = malloc(wave.n * sizeof(float) + 1);
    assert_non_null(wave.samples);
    assert_int_equal(fread(wave.samples, sizeof(float), wave.n, file), wave.n);
    fclose(file);
    return wave;
}

/* ---- packets ---- */

struct source {
    AVFormatContext *format;
    int stream; // the first with sound
    AVPacket *packet;
};

/* False: libavformat finds no sound in it. */
static bool source_open(struct source *source, const char *path)
{
    *source = (struct source){.stream = -1};
    av_log_set_level(AV_LOG_QUIET);
    if (avformat_open_input(&source->format, path, NULL, NULL) < 0) return false;
    avformat_find_stream_info(source->format, NULL);
    source->stream = av_find_best_stream(source->format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    source->packet = av_packet_alloc();
    assert_non_null(source->packet);
    return source->stream >= 0;
}

static void source_close(struct source *source)
{
    av_packet_free(&source->packet);
    avformat_close_input(&source->format);
}

/* The next packet of the sound, or NULL. */
static AVPacket *source_next(struct source *source)
{
    for (;;) {
        av_packet_unref(source->packet);
        if (av_read_frame(source->format, source->packet) < 0) return NULL;
        if (source->packet->stream_index == source->stream) return source->packet;
    }
}

static AVStream *source_stream(const struct source *source)
{
    return source->format->streams[source->stream];
}

static enum few_status track_open(const struct source *source, const int *rates, size_t n_rates,
                                  const struct few_mem *mem, struct few__sound_track **track,
                                  struct few_error *err)
{
    const struct few_env env = {.mem = mem};
    const AVStream *stream = source_stream(source);
    int64_t start = source->format->start_time == AV_NOPTS_VALUE ? 0 : source->format->start_time;
    return few__sound_track_open(stream->codecpar, stream->time_base.num, stream->time_base.den, start, rates,
                                 n_rates, &env, track, err);
}

/* ---- whole files ---- */

/* All samples of the file at that rate, taken at once. */
static struct wave decode_whole(const char *path, int rate, uint64_t *damaged)
{
    struct source source;
    struct few_error err;
    struct few__sound_track *track;
    assert_true(source_open(&source, path));
    assert_status(track_open(&source, &rate, 1, NULL, &track, &err), FEW_OK, &err);
    for (AVPacket *packet = source_next(&source); packet; packet = source_next(&source))
        assert_status(few__sound_track_push(track, packet, &err), FEW_OK, &err);
    assert_status(few__sound_track_push(track, NULL, &err), FEW_OK, &err);
    struct few__sound sound = {0};
    size_t n_sounds;
    assert_status(few__sound_track_take(track, 0, INT64_MAX, &sound, &n_sounds, &err), FEW_OK, &err);
    struct wave wave = {.n = n_sounds ? sound.n : 0};
    wave.samples = malloc(wave.n * sizeof(float) + 1);
    assert_non_null(wave.samples);
    if (wave.n) memcpy(wave.samples, sound.samples, wave.n * sizeof(float));
    *damaged = few__sound_track_damaged(track);
    few__sound_track_close(track);
    source_close(&source);
    return wave;
}

#endif
