// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "core/rng.h"
#include "media/sound_kept.h"
#include "sound.h"

/* ---- the same numbers as the ffmpeg command's ---- */

/* Each channel another voice: a sweep of its own. */
#define VOICE(gain, from, up) #gain "*sin(2*PI*(" #from "+" #up "*t)*t)"
static const char *const voices[] = {VOICE(0.5, 200, 300), VOICE(0.4, 310, 150), VOICE(0.3, 90, 400),
                                     VOICE(0.25, 700, 50), VOICE(0.45, 55, 20),  VOICE(0.2, 1000, 90),
                                     VOICE(0.35, 120, 60), VOICE(0.15, 60, 600)};

/* A file of `channels` voices. layout: of aevalsrc, NULL = the number alone. */
static void make_sound(const char *path, int rate, int channels, const char *layout, double seconds,
                       const char *options)
{
    char expression[1024] = "";
    size_t at = 0;
    for (int c = 0; c < channels; c++)
        at += (size_t)snprintf(expression + at, sizeof expression - at, "%s%s", c ? "|" : "", voices[c]);
    assert_true(shell(FFMPEG "-f lavfi -i \"aevalsrc=%s:s=%d:d=%g%s%s\" %s %s", expression, rate, seconds,
                      layout ? ":c=" : "", layout ? layout : "", options, path));
}

/* The mean of the channels at that rate as the command makes it, in floats all the way. */
static struct wave reference(const char *path, int channels, int rate)
{
    char pan[256] = "pan=mono|c0=";
    for (int c = 0; c < channels; c++) {
        size_t at = strlen(pan);
        snprintf(pan + at, sizeof pan - at, "%s%.9f*c%d", c ? "+" : "", 1.0 / channels, c);
    }
    char to[512];
    snprintf(to, sizeof to, "%s.f32", path);
    assert_true(shell(FFMPEG "-i %s -af \"aformat=sample_fmts=fltp,%s,aresample=%d\" -f f32le %s", path, pan,
                      rate, to));
    return read_wave(to);
}

static const struct {
    const char *name, *layout;
    int rate, channels;
    const char *options;
    size_t
        lead; // samples of silence at 16 kHz: the file begins before its sound, which the command leaves out
} files[] = {
    {"u8.wav", NULL, 8000, 1, "-c:a pcm_u8", 0},
    {"s16.wav", NULL, 16000, 1, "-c:a pcm_s16le", 0},
    {"s16_11.wav", NULL, 11025, 2, "-c:a pcm_s16le", 0},
    {"s24.wav", NULL, 44100, 2, "-c:a pcm_s24le", 0},
    {"s32.wav", NULL, 48000, 2, "-c:a pcm_s32le", 0},
    {"float.wav", NULL, 96000, 1, "-c:a pcm_f32le", 0},
    {"double.wav", NULL, 22050, 2, "-c:a pcm_f64le", 0},
    {"alaw.wav", NULL, 8000, 1, "-c:a pcm_alaw", 0},
    {"five.wav", "5.1", 48000, 6, "-c:a pcm_s16le", 0},
    {"eight.wav", "7.1", 44100, 8, "-c:a pcm_s24le", 0},
    {"s16.flac", NULL, 44100, 2, "-c:a flac", 0},
    {"s24.flac", "5.1", 48000, 6, "-c:a flac -sample_fmt s32", 0},
    {"a.mp3", NULL, 44100, 2, "-c:a libmp3lame -b:a 128k -write_id3v2 1 -metadata title=Voices", 0},
    {"low.mp3", NULL, 22050, 1, "-c:a libmp3lame -b:a 48k -write_xing 0", 0},
    {"a.m4a", NULL, 44100, 2, "-c:a aac -b:a 128k", 0},
    {"five.mp4", "5.1", 48000, 6, "-c:a aac -b:a 256k", 0},
    {"a.ogg", NULL, 44100, 2, "-c:a libvorbis", 0},
    {"opus.mkv", NULL, 48000, 2, "-c:a libopus -b:a 96k", 112},
};

/* Sample by sample: sweeps that lie one sample aside are far apart. */
static void assert_same(struct wave ours, struct wave theirs, size_t lead, double tolerance)
{
    assert_true(ours.n > lead);
    size_t n = ours.n - lead < theirs.n ? ours.n - lead : theirs.n;
    if (ours.n - lead > n + 1 || theirs.n > n + 1)
        fail_msg("%zu samples, expected %zu", ours.n - lead, theirs.n);
    for (size_t i = 0; i < lead; i++) assert_true(ours.samples[i] == 0);
    assert_near_all(ours.samples + lead, theirs.samples, n, tolerance);
    free(ours.samples);
    free(theirs.samples);
}

static void test_same_as_the_command(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    t_tmpdir();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = t_path(files[i].name);
        print_message("%s\n", files[i].name);
        make_sound(path, files[i].rate, files[i].channels, files[i].layout, 2.3, files[i].options);
        uint64_t damaged;
        struct wave theirs = reference(path, files[i].channels, 16000);
        struct wave ours = decode_whole(path, 16000, &damaged);
        assert_int_equal(damaged, 0);
        assert_same(ours, theirs, files[i].lead, 2e-5);
    }
}

/* ---- packets made here: 16-bit mono, time in samples ---- */

enum { RATE = 8000 };

static struct few__sound_track *open_pcm(int64_t start_us, const int *rates, size_t n_rates)
{
    AVCodecParameters *codec = avcodec_parameters_alloc();
    struct few__sound_track *track;
    struct few_error err;
    assert_non_null(codec);
    codec->codec_type = AVMEDIA_TYPE_AUDIO;
    codec->codec_id = AV_CODEC_ID_PCM_S16LE;
    codec->sample_rate = RATE;
    av_channel_layout_default(&codec->ch_layout, 1);
    assert_status(few__sound_track_open(codec, 1, RATE, start_us, rates, n_rates, NULL, &track, &err), FEW_OK,
                  &err);
    avcodec_parameters_free(&codec);
    return track;
}

/* n samples of `value` at that time. */
static enum few_status push_pcm(struct few__sound_track *track, int64_t time, size_t n, int value,
                                struct few_error *err)
{
    AVPacket *packet = av_packet_alloc();
    assert_non_null(packet);
    assert_int_equal(av_new_packet(packet, (int)(2 * n)), 0);
    for (size_t i = 0; i < n; i++) {
        packet->data[2 * i] = (uint8_t)value;
        packet->data[2 * i + 1] = (uint8_t)(value >> 8);
    }
    packet->pts = packet->dts = time;
    enum few_status got = few__sound_track_push(track, packet, err);
    av_packet_free(&packet);
    return got;
}

static void put_pcm(struct few__sound_track *track, int64_t time, size_t n, int value)
{
    struct few_error err;
    assert_status(push_pcm(track, time, n, value, &err), FEW_OK, &err);
}

static const int same_rate[] = {RATE};

/* What is kept of a track at its own rate, written as "value x n" pieces. */
static void assert_kept(struct few__sound_track *track, const char *expected)
{
    struct few__sound sound;
    struct few_error err;
    size_t n_sounds, at = 0;
    char got[512] = "";
    assert_status(few__sound_track_push(track, NULL, &err), FEW_OK, &err);
    assert_status(few__sound_track_take(track, 0, INT64_MAX, &sound, &n_sounds, &err), FEW_OK, &err);
    for (size_t i = 0, run = 1; n_sounds && i < sound.n; i++, run++) {
        if (i + 1 < sound.n && sound.samples[i] == sound.samples[i + 1]) continue;
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%gx%zu", at ? " " : "",
                               (double)sound.samples[i] * 32768, run);
        run = 0;
    }
    assert_string_equal(got, expected);
    few__sound_track_close(track);
}

static void test_time_says_where(void **state)
{
    (void)state;
    struct few__sound_track *track = open_pcm(0, same_rate, 1);
    assert_kept(track, ""); // no packet at all

    track = open_pcm(0, same_rate, 1);
    put_pcm(track, 800, 100, 1); // begins late
    put_pcm(track, 900, 100, 2);
    assert_int_equal(few__sound_track_until(track), 125000);
    put_pcm(track, 1200, 100, 3); // a gap of 200
    assert_kept(track, "0x800 1x100 2x100 0x200 3x100");

    track = open_pcm(0, same_rate, 1);
    put_pcm(track, -50, 100, 1); // begins before 0
    put_pcm(track, 50, 300, 2);
    put_pcm(track, 150, 300, 3); // 200 of them were there
    put_pcm(track, 0, 300, 4);   // all of them
    assert_int_equal(few__sound_track_damaged(track), 1);
    assert_kept(track, "1x50 2x300 3x100");

    track = open_pcm(1000000, same_rate, 1); // 8000 counts as 0
    put_pcm(track, 8000, 100, 1);
    put_pcm(track, 8150, 100, 2); // 50 samples off is rounding, on either side
    put_pcm(track, 8150, 100, 3);
    put_pcm(track, AV_NOPTS_VALUE, 100, 4); // no time: it follows
    put_pcm(track, INT64_MAX - 5, 100, 5);  // nor is that one
    put_pcm(track, -INT64_MAX, 100, 6);
    assert_kept(track, "1x100 2x100 3x100 4x100 5x100 6x100");
}

static void test_long_silence_costs_nothing(void **state)
{
    (void)state;
    struct few__sound_track *track = open_pcm(0, same_rate, 1);
    struct few__sound sound;
    struct few_error err;
    size_t n_sounds;
    const int64_t hour_us = 3600 * (int64_t)1000000;
    put_pcm(track, 0, 100, 1);
    put_pcm(track, 3600 * RATE, 100, 2);
    put_pcm(track, 3600 * RATE + RATE / 2, 100, 3);
    assert_int_equal(few__sound_track_until(track), hour_us + 512500);
    assert_status(few__sound_track_take(track, hour_us - 500000, hour_us + 500000, &sound, &n_sounds, &err),
                  FEW_OK, &err);
    assert_int_equal(n_sounds, 1);
    assert_int_equal(sound.n, RATE);
    for (size_t i = 0; i < sound.n; i++)
        assert_true(sound.samples[i] == (i >= 4000 && i < 4100 ? 2 / 32768.0F : 0));
    assert_status(few__sound_track_take(track, 0, INT64_MAX, &sound, &n_sounds, &err), FEW_ELIMIT, &err);
    assert_int_equal(n_sounds, 0);
    few__sound_track_close(track);
}

static void test_limits(void **state)
{
    (void)state;
    static const int rates[] = {1000, RATE};
    struct few__sound_track *track = open_pcm(0, rates, 2);
    struct few__sound sounds[2];
    struct few_error err;
    size_t n_sounds;
    for (int64_t s = 0; s < FEW__SOUND_MAX_S; s++) put_pcm(track, s * RATE, RATE, 100);
    assert_status(push_pcm(track, (int64_t)FEW__SOUND_MAX_S * RATE, RATE, 7, &err), FEW_ELIMIT, &err);
    assert_non_null(strstr(err.message, "600 s"));
    assert_status(few__sound_track_take(track, 0, 600000000, sounds, &n_sounds, &err), FEW_OK, &err);
    assert_int_equal(n_sounds, 2);
    assert_int_equal(sounds[1].n, 600 * RATE);
    few__sound_track_drop(track, 599000000);
    put_pcm(track, (int64_t)FEW__SOUND_MAX_S * RATE, RATE, 7); // the same packet again
    assert_status(few__sound_track_take(track, 599000000, 601000000, sounds, &n_sounds, &err), FEW_OK, &err);
    assert_true(sounds[1].samples[RATE - 1] == 100 / 32768.0F);
    assert_true(sounds[1].samples[RATE] == 7 / 32768.0F);
    few__sound_track_close(track);

    track = open_pcm(0, same_rate, 1);
    for (int64_t i = 0; i < FEW__SOUND_RUNS_MAX; i++) put_pcm(track, 2 * i * RATE, 10, 1);
    assert_status(push_pcm(track, 2 * FEW__SOUND_RUNS_MAX * RATE, 10, 1, &err), FEW_ELIMIT, &err);
    assert_non_null(strstr(err.message, "pieces"));
    few__sound_track_close(track);

    track = open_pcm(0, same_rate, 1);
    put_pcm(track, 0, 61 * RATE, 1); // longer than any frame
    assert_int_equal(few__sound_track_damaged(track), 1);
    assert_kept(track, "");
}

static void assert_no_track(enum AVCodecID id, int channels, int sample_rate, const int *rates,
                            size_t n_rates, enum few_status expected, const char *word)
{
    AVCodecParameters *codec = avcodec_parameters_alloc();
    struct few__sound_track *track = (struct few__sound_track *)&track;
    struct few_error err = {0};
    assert_non_null(codec);
    codec->codec_type = AVMEDIA_TYPE_AUDIO;
    codec->codec_id = id;
    codec->sample_rate = sample_rate;
    if (channels) av_channel_layout_default(&codec->ch_layout, channels);
    assert_status(few__sound_track_open(codec, 1, RATE, 0, rates, n_rates, NULL, &track, &err), expected,
                  &err);
    assert_null(track);
    if (!strstr(err.message, word)) fail_msg("\"%s\" is not in \"%s\"", word, err.message);
    avcodec_parameters_free(&codec);
}

static void test_refusals(void **state)
{
    (void)state;
    static const int low[] = {999}, high[] = {16000, 384001};
    assert_no_track(AV_CODEC_ID_NONE, 1, RATE, same_rate, 1, FEW_EDECODE, "decoder");
    assert_no_track(AV_CODEC_ID_PCM_S16LE, 0, RATE, same_rate, 1, FEW_EDECODE, "without channels");
    assert_no_track(AV_CODEC_ID_PCM_S16LE, 1, 4000000, same_rate, 1, FEW_EDECODE, "4000000");
    assert_no_track(AV_CODEC_ID_PCM_S16LE, 1, RATE, low, 1, FEW_EINVAL, "999");
    assert_no_track(AV_CODEC_ID_PCM_S16LE, 1, RATE, high, 2, FEW_EINVAL, "384001");
    assert_no_track(AV_CODEC_ID_PCM_S16LE, 1, RATE, same_rate, 0, FEW_EINVAL, "rates");
    assert_no_track(AV_CODEC_ID_PCM_S16LE, 1, RATE, same_rate, 5, FEW_EINVAL, "rates");
}

/* ---- spans ---- */

static const int three_rates[] = {16000, 8000, 44100};

/* Read as a container reads: pushed a packet at a time, taken in random spans as soon as they are there, and dropped. */
static void take_in_spans(const char *path, struct few__rng *rng, struct wave out[3])
{
    struct source source;
    struct few__sound_track *track;
    struct few_error err;
    int64_t at = 0;
    assert_true(source_open(&source, path));
    assert_status(track_open(&source, three_rates, 3, NULL, &track, &err), FEW_OK, &err);
    for (bool more = true; more;) {
        AVPacket *packet = source_next(&source);
        assert_status(few__sound_track_push(track, packet, &err), FEW_OK, &err);
        more = packet != NULL;
        int64_t until = packet ? few__sound_track_until(track) : few__sound_track_end(track);
        while (at < until) {
            struct few__sound sounds[3];
            size_t n_sounds;
            int64_t to = at + (int64_t)few__rng_below(rng, 90000);
            if (to > until) to = until;
            assert_status(few__sound_track_take(track, at, to, sounds, &n_sounds, &err), FEW_OK, &err);
            for (size_t i = 0; i < n_sounds; i++) {
                assert_int_equal(sounds[i].rate, three_rates[i]);
                if (more)
                    assert_int_equal(sounds[i].n, llround((double)to * three_rates[i] / 1e6) -
                                                      llround((double)at * three_rates[i] / 1e6));
                memcpy(out[i].samples + out[i].n, sounds[i].samples, sounds[i].n * sizeof(float));
                out[i].n += sounds[i].n;
            }
            few__sound_track_drop(track, to);
            at = to;
        }
    }
    few__sound_track_close(track);
    source_close(&source);
}

static void test_spans_are_the_whole(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    static const char *const names[] = {"cuts.wav", "cuts.mp3", "cuts.m4a"};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    t_tmpdir();
    for (size_t k = 0; k < 3; k++) {
        const char *path = t_path(names[k]);
        make_sound(path, 22050, 2, NULL, 3, "");
        for (int round = 0; round < 4; round++) {
            struct wave spans[3];
            for (size_t i = 0; i < 3; i++)
                spans[i] = (struct wave){.samples = malloc(4 * 44100 * sizeof(float))};
            take_in_spans(path, &rng, spans);
            for (size_t i = 0; i < 3; i++) {
                uint64_t damaged;
                struct wave whole = decode_whole(path, three_rates[i], &damaged);
                assert_int_equal(spans[i].n, whole.n);
                assert_memory_equal(spans[i].samples, whole.samples, whole.n * sizeof(float));
                free(whole.samples);
                free(spans[i].samples);
            }
        }
    }
}

/* From packet `first` on, after all packets of the file and a reset. */
static struct wave decode_again(const char *path, int rate, size_t first, int64_t from_us)
{
    struct source source;
    struct few__sound_track *track;
    struct few_error err;
    struct few__sound sound;
    size_t n_sounds;
    assert_true(source_open(&source, path));
    assert_status(track_open(&source, &rate, 1, NULL, &track, &err), FEW_OK, &err);
    for (AVPacket *packet = source_next(&source); packet; packet = source_next(&source))
        assert_status(few__sound_track_push(track, packet, &err), FEW_OK, &err);
    assert_status(few__sound_track_push(track, NULL, &err), FEW_OK, &err);
    few__sound_track_reset(track);
    assert_int_equal(few__sound_track_until(track), 0);
    source_close(&source);
    assert_true(source_open(&source, path));
    for (size_t i = 0; i < first; i++) assert_non_null(source_next(&source));
    for (AVPacket *packet = source_next(&source); packet; packet = source_next(&source))
        assert_status(few__sound_track_push(track, packet, &err), FEW_OK, &err);
    assert_status(few__sound_track_push(track, NULL, &err), FEW_OK, &err);
    assert_status(few__sound_track_take(track, from_us, INT64_MAX, &sound, &n_sounds, &err), FEW_OK, &err);
    assert_int_equal(n_sounds, 1);
    struct wave wave = {.n = sound.n, .samples = malloc(sound.n * sizeof(float))};
    memcpy(wave.samples, sound.samples, sound.n * sizeof(float));
    few__sound_track_close(track);
    source_close(&source);
    return wave;
}

// The noise that AAC's perceptual noise substitution makes up goes on from frame to frame in the decoder: none here.
static void test_after_a_seek_the_same(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    static const struct {
        const char *name;
        size_t first;
    } seeks[] = {{"seek.wav", 20}, {"seek.flac", 9}, {"seek.m4a", 40}, {"seek.mp3", 40}};
    t_tmpdir();
    for (size_t k = 0; k < sizeof seeks / sizeof *seeks; k++) {
        const char *path = t_path(seeks[k].name);
        make_sound(path, 44100, 2, NULL, 3, strstr(path, "m4a") ? "-aac_pns 0" : "");
        uint64_t damaged;
        struct wave whole = decode_whole(path, 16000, &damaged);
        struct wave rest = decode_again(path, 16000, seeks[k].first, 1500000);
        assert_int_equal(rest.n, whole.n - 24000);
        assert_memory_equal(rest.samples, whole.samples + 24000, rest.n * sizeof(float));
        free(whole.samples);
        free(rest.samples);
    }
}

/* ---- damage ---- */

static void assert_sound(struct wave wave, size_t least, size_t most)
{
    if (wave.n < least || wave.n > most) fail_msg("%zu samples, expected %zu .. %zu", wave.n, least, most);
    for (size_t i = 0; i < wave.n; i++) assert_true(isfinite(wave.samples[i]));
    free(wave.samples);
}

static struct wave read_bytes(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    struct wave bytes = {.samples = malloc(*n + 8)};
    assert_int_equal(fread(bytes.samples, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

static void test_changes_in_mid_stream(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    t_tmpdir();
    const char *both = t_path("both.mp3");
    make_sound(t_path("high.mp3"), 44100, 2, NULL, 2, "-write_xing 0 -id3v2_version 0");
    make_sound(t_path("low.mp3"), 22050, 1, NULL, 2, "-write_xing 0 -id3v2_version 0");
    assert_true(shell("cat %s %s > %s", t_path("high.mp3"), t_path("low.mp3"), both));
    uint64_t damaged;
    struct wave wave = decode_whole(both, 16000, &damaged);
    double loud[2] = {0};
    for (size_t i = 0; i < wave.n; i++) loud[i >= wave.n / 2] += fabs((double)wave.samples[i]);
    assert_true(loud[0] > 1000 && loud[1] > 1000); // both halves are heard
    assert_sound(wave, 62000, 68000);
}

static void test_cut_and_spoilt_files(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    t_tmpdir();
    size_t n;
    uint64_t damaged;
    const char *cut = t_path("cut.flac"), *spoilt = t_path("spoilt.mp3");
    make_sound(t_path("whole.flac"), 44100, 2, NULL, 2, "");
    struct wave bytes = read_bytes(t_path("whole.flac"), &n);
    t_write(cut, bytes.samples, n / 2);
    free(bytes.samples);
    assert_sound(decode_whole(cut, 16000, &damaged), 8000, 24000);

    make_sound(t_path("whole.mp3"), 44100, 2, NULL, 4, "-write_id3v2 1 -metadata title=Voices");
    bytes = read_bytes(t_path("whole.mp3"), &n);
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 2);
    for (size_t i = n / 2; i < n / 2 + 3000; i++)
        ((unsigned char *)bytes.samples)[i] = (unsigned char)few__rng_below(&rng, 256);
    t_write(spoilt, bytes.samples, n);
    free(bytes.samples);
    assert_sound(decode_whole(spoilt, 16000, &damaged), 56000, 72000);
    assert_true(damaged > 0);
}

// Sound without a header, and what only has its name: libavformat refuses it, or what it reads is some sound.
static void test_no_header(void **state)
{
    (void)state;
    t_tmpdir();
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3);
    static unsigned char bytes[60000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)few__rng_below(&rng, 256);
    static const char *const names[] = {"random.wav", "random.flac", "random.mp3", "random.m4a",
                                        "random.pcm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct source source;
        t_write(t_path(names[i]), bytes, sizeof bytes);
        bool is = source_open(&source, t_path(names[i]));
        source_close(&source);
        uint64_t damaged;
        if (is) assert_sound(decode_whole(t_path(names[i]), 16000, &damaged), 0, 600 * 16000);
    }
}

/* Whatever stands in a file: no crash, no number that is none. */
static void decode_anything(const char *path)
{
    struct source source;
    struct few__sound_track *track = NULL;
    struct few_error err;
    if (source_open(&source, path) && track_open(&source, three_rates, 2, NULL, &track, &err) == FEW_OK) {
        enum few_status got = FEW_OK;
        for (AVPacket *packet = source_next(&source); packet && got == FEW_OK; packet = source_next(&source))
            got = few__sound_track_push(track, packet, &err);
        if (got == FEW_OK) got = few__sound_track_push(track, NULL, &err);
        assert_true(got == FEW_OK || got == FEW_ELIMIT);
        struct few__sound sounds[2];
        size_t n_sounds;
        int64_t end = few__sound_track_end(track);
        assert_status(few__sound_track_take(track, 0, end < 5000000 ? end : 5000000, sounds, &n_sounds, &err),
                      FEW_OK, &err);
        for (size_t k = 0; k < n_sounds; k++)
            for (size_t i = 0; i < sounds[k].n; i++) assert_true(isfinite(sounds[k].samples[i]));
    }
    few__sound_track_close(track);
    source_close(&source);
}

static void test_flipped_bytes(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    static const char *const names[] = {"f.wav", "f.flac", "f.mp3", "f.m4a", "f.ogg"};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 4);
    t_tmpdir();
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        size_t n;
        make_sound(t_path(names[k]), 32000, 2, NULL, 0.7, "");
        struct wave bytes = read_bytes(t_path(names[k]), &n);
        for (int round = 0; round < 40; round++) {
            unsigned char *copy = malloc(n);
            memcpy(copy, bytes.samples, n);
            for (uint64_t i = few__rng_below(&rng, 30); i < 30; i++)
                copy[few__rng_below(&rng, round % 2 ? n
                                          : n < 300 ? n
                                                    : 300)] = (unsigned char)few__rng_below(&rng, 256);
            t_write(t_path(names[k]), copy, n);
            free(copy);
            decode_anything(t_path(names[k]));
        }
        free(bytes.samples);
    }
}

static void test_numbers_that_are_none(void **state)
{
    (void)state;
    AVCodecParameters *codec = avcodec_parameters_alloc();
    AVPacket *packet = av_packet_alloc();
    struct few__sound_track *track;
    struct few_error err;
    const int rates[] = {16000};
    codec->codec_type = AVMEDIA_TYPE_AUDIO;
    codec->codec_id = AV_CODEC_ID_PCM_F32LE;
    codec->sample_rate = 44100;
    av_channel_layout_default(&codec->ch_layout, 2);
    assert_status(few__sound_track_open(codec, 1, 44100, 0, rates, 1, NULL, &track, &err), FEW_OK, &err);
    assert_int_equal(av_new_packet(packet, 8 * 4410), 0);
    static const float odd[] = {NAN, 0.5F, INFINITY, -INFINITY, 3e38F, 3e38F, 0.25F, 0.25F};
    for (size_t i = 0; i < 2 * 4410; i++) memcpy(packet->data + 4 * i, &odd[i % 8], 4);
    packet->pts = 0;
    assert_status(few__sound_track_push(track, packet, &err), FEW_OK, &err);
    assert_status(few__sound_track_push(track, NULL, &err), FEW_OK, &err);
    struct few__sound sound;
    size_t n_sounds;
    assert_status(few__sound_track_take(track, 0, INT64_MAX, &sound, &n_sounds, &err), FEW_OK, &err);
    assert_int_equal(sound.n, 1600);
    for (size_t i = 0; i < sound.n; i++) assert_true(fabsf(sound.samples[i]) < 1);
    few__sound_track_close(track);
    av_packet_free(&packet);
    avcodec_parameters_free(&codec);
}

/* ---- memory ---- */

static enum few_status read_with(const struct few_mem *mem, void *ud)
{
    struct source source;
    struct few__sound_track *track = NULL;
    struct few_error err;
    assert_true(source_open(&source, ud));
    enum few_status got = track_open(&source, three_rates, 3, mem, &track, &err);
    for (AVPacket *packet; got == FEW_OK && (packet = source_next(&source));)
        got = few__sound_track_push(track, packet, &err);
    if (got == FEW_OK) got = few__sound_track_push(track, NULL, &err);
    struct few__sound sounds[3];
    size_t n_sounds;
    if (got == FEW_OK) got = few__sound_track_take(track, 0, INT64_MAX, sounds, &n_sounds, &err);
    few__sound_track_close(track);
    source_close(&source);
    return got;
}

static void test_every_allocation(void **state)
{
    (void)state;
    if (!has_ffmpeg()) skip();
    t_tmpdir();
    make_sound(t_path("memory.wav"), 22050, 2, NULL, 1.5, "");
    t_fail_each_allocation(read_with, (void *)t_path("memory.wav"));
}

static void test_memory_is_used_again(void **state)
{
    (void)state;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    const struct few_env env = {.mem = &mem.mem};
    AVCodecParameters *codec = avcodec_parameters_alloc();
    AVPacket *packet = av_packet_alloc();
    struct few__sound_track *track;
    struct few_error err;
    codec->codec_type = AVMEDIA_TYPE_AUDIO;
    codec->codec_id = AV_CODEC_ID_PCM_S16LE;
    codec->sample_rate = RATE;
    av_channel_layout_default(&codec->ch_layout, 1);
    assert_status(few__sound_track_open(codec, 1, RATE, 0, three_rates, 3, &env, &track, &err), FEW_OK, &err);
    assert_int_equal(av_new_packet(packet, 2 * RATE / 10), 0);
    size_t calls = 0;
    for (int64_t k = 0; k < 20000; k++) {
        struct few__sound sounds[3];
        size_t n_sounds;
        packet->pts = k * RATE / 10;
        assert_status(few__sound_track_push(track, packet, &err), FEW_OK, &err);
        int64_t until = few__sound_track_until(track);
        assert_status(few__sound_track_take(track, until - 200000, until, sounds, &n_sounds, &err), FEW_OK,
                      &err);
        few__sound_track_drop(track, until - 200000);
        if (k == 100) calls = mem.calls;
    }
    assert_int_equal(mem.calls, calls);
    few__sound_track_close(track);
    assert_int_equal(mem.live, 0);
    av_packet_free(&packet);
    avcodec_parameters_free(&codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_command),
        cmocka_unit_test(test_time_says_where),
        cmocka_unit_test(test_long_silence_costs_nothing),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_spans_are_the_whole),
        cmocka_unit_test(test_after_a_seek_the_same),
        cmocka_unit_test(test_changes_in_mid_stream),
        cmocka_unit_test(test_cut_and_spoilt_files),
        cmocka_unit_test(test_no_header),
        cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_every_allocation),
        cmocka_unit_test(test_memory_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
