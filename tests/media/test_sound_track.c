// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "core/rng.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
