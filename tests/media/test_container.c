// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <unistd.h>

#include "clips.h"
#include "core/error.h"
#include "core/mem.h"
#include "media/container_inside.h"
#include "media/image.h"

static const char *folder; // NULL: no ffmpeg

static char *path_of(const char *name)
{
    static char paths[4][512];
    static size_t i;
    char *path = paths[i++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

#define NEEDS_CLIPS() \
    (void)state;      \
    if (!folder) skip()

static const struct {
    const char *name, *arguments;
} clips[] = {
    {"b.mp4",
     "-f lavfi -i testsrc2=s=160x120:r=25:d=6 -f lavfi -i sine=f=440:r=44100:d=6 -c:v libx264 -g 20 -bf 3 "
     "-pix_fmt yuv420p -c:a aac b.mp4"},
    {"odd.mkv",
     "-f lavfi -i testsrc2=s=162x122:r=30000/1001:d=4 -vf scale=161:121 -c:v libx264 -pix_fmt yuv444p -g 12 "
     "odd.mkv"},
    {"odd420.mkv",
     "-f lavfi -i testsrc2=s=162x122:r=10:d=1 -vf scale=161:121,format=yuv420p -c:v ffv1 odd420.mkv"},
    {"four.mp4", "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v mpeg4 -g 12 -bf 2 four.mp4"},
    {"four.avi", "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v mpeg4 -g 12 -bf 2 four.avi"},
    {"raw.h264",
     "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v libx264 -pix_fmt yuv420p -bf 3 -g 20 raw.h264"},
    {"t.ts",
     "-f lavfi -i testsrc2=s=160x120:r=25:d=5 -f lavfi -i sine=d=5 -c:v libx264 -pix_fmt yuv420p -bf 3 -g 20 "
     "-c:a mp2 t.ts"},
    {"open.mkv",
     "-f lavfi -i testsrc2=s=160x120:r=25:d=5 -c:v libx264 -pix_fmt yuv420p -bf 3 -g 20 -x264-params "
     "open-gop=1:b-pyramid=2 open.mkv"},
    {"p.mpg", "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -c:v mpeg2video -bf 2 -g 12 p.mpg"},
    {"vfr.mp4", "-f lavfi -i testsrc2=s=160x120:r=25:d=4 -vf select='not(mod(n\\,3))+gt(n\\,50)' -vsync vfr "
                "-c:v libx264 "
                "-pix_fmt yuv420p -bf 2 -g 15 vfr.mp4"},
    {"turned.mp4", "-i b.mp4 -c copy -metadata:s:v rotate=90 turned.mp4"},
    {"still.png", "-f lavfi -i testsrc2=s=98x62 -vf scale=97:61 -frames:v 1 -pix_fmt rgb24 still.png"},
    {"stills.mkv", "-i still.png -c copy stills.mkv"},
    {"s.wav", "-f lavfi -i sine=f=440:r=44100:d=5.5 s.wav"},
    {"s.flac", "-i s.wav s.flac"},
    {"s.mp3", "-i s.wav s.mp3"},
    {"s.m4a", "-i s.wav -c:a aac s.m4a"},
    {"cover.mp3", "-i s.wav -i still.png -map 0 -map 1 -c:v copy -disposition:v attached_pic cover.mp3"},
    {"huge.mkv", "-f lavfi -i color=s=33000x16:r=1:d=1 -c:v ffv1 huge.mkv"},
    {"first.mp4", "-i b.mp4 -c copy -movflags +faststart first.mp4"},
    {"ten.mkv", "-f lavfi -i testsrc2=s=64x48:r=10:d=0.3 -pix_fmt yuv420p10le -c:v ffv1 ten.mkv"},
    {"packed.avi", "-f lavfi -i testsrc2=s=64x48:r=10:d=0.3 -pix_fmt yuyv422 -c:v rawvideo packed.avi"},
};

static int make_clips(void **state)
{
    (void)state;
    const char *dir = t_tmpdir();
    for (size_t i = 0; i < sizeof clips / sizeof *clips; i++)
        if (!clip_make(dir, clips[i].arguments)) {
            print_message("ffmpeg cannot make %s\n", clips[i].name);
            return 0;
        }
    folder = dir;
    return 0;
}

static const struct few__container_opts pictures = {.wants_picture = true, .wants_look = true};
static const struct few__container_opts both = {
    .wants_picture = true, .wants_look = true, .n_rates = 1, .rates = {16000}};
static const struct few__container_opts sound = {.n_rates = 1, .rates = {16000}};

static void release(struct shots *s)
{
    free(s->samples);
    *s = (struct shots){0};
}

/* ---- every picture ---- */

static void test_times(void **state)
{
    NEEDS_CLIPS();
    static const struct {
        const char *name;
        size_t n;
        double fps, unit; // s, of the container's time
        int width, height;
    } cases[] = {{"b.mp4", 150, 25, 1e-6, 160, 120},    {"odd.mkv", 120, 30000 / 1001.0, 1e-3, 161, 121},
                 {"four.mp4", 100, 25, 1e-6, 160, 120}, {"four.avi", 100, 25, 1e-6, 160, 120},
                 {"raw.h264", 100, 25, 1e-6, 160, 120}, {"t.ts", 125, 25, 1e-6, 160, 120},
                 {"p.mpg", 100, 25, 1e-6, 160, 120},    {"open.mkv", 125, 25, 1e-3, 160, 120}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct shots s;
        clip_whole(path_of(cases[k].name), &pictures, &s);
        assert_int_equal(s.end, FEW_END);
        assert_int_equal(s.n, cases[k].n);
        assert_int_equal(s.n_damaged, 0);
        for (size_t i = 0; i < s.n; i++) {
            assert_near(s.all[i].at_us, (double)i * 1e6 / cases[k].fps, cases[k].unit * 0.51e6 + 1);
            assert_near(s.all[i].until_us, (double)(i + 1) * 1e6 / cases[k].fps, cases[k].unit * 1.1e6 + 1);
            if (i > 0) assert_int_equal(s.all[i - 1].until_us, s.all[i].at_us);
            assert_int_equal(s.all[i].width, cases[k].width);
            assert_int_equal(s.all[i].height, cases[k].height);
        }
        release(&s);
    }
}

// Pictures that come when they come: each third of 51, then each one.
static void test_uneven_times(void **state)
{
    NEEDS_CLIPS();
    struct shots s;
    clip_whole(path_of("vfr.mp4"), &pictures, &s);
    size_t n = 0;
    for (int64_t k = 0; k < 100; k++)
        if (k % 3 == 0 || k > 50) assert_int_equal(s.all[n++].at_us, k * 40000);
    assert_int_equal(s.n, n);
    release(&s);
}

// The same pixels as ffmpeg's own.
static void test_pictures_are_ffmpegs(void **state)
{
    NEEDS_CLIPS();
    assert_true(clip_make(folder, "-i b.mp4 -pix_fmt yuv420p -f rawvideo b.yuv"));
    struct few__container *c = clip_open(path_of("b.mp4"), &pictures);
    struct few__moment m;
    struct few_error err;
    uint8_t frame[160 * 120 * 3 / 2];
    FILE *f = fopen(path_of("b.yuv"), "rb");
    assert_non_null(f);
    assert_status(few__moment_init(&m, NULL, false, &err), FEW_OK, &err);
    while (few__container_next(c, &m, &err) == FEW_OK) {
        assert_int_equal(fread(frame, sizeof frame, 1, f), 1);
        for (int y = 0; y < 120; y++)
            assert_memory_equal(m.picture->data[0] + y * m.picture->linesize[0], frame + 160 * y, 160);
    }
    assert_int_equal(fread(frame, 1, 1, f), 0);
    fclose(f);
    few__moment_finish(&m);
    few__container_close(c);
}

static void test_about(void **state)
{
    NEEDS_CLIPS();
    struct few__container_about about;
    struct few__container_opts o = both;
    struct few__container *c = clip_open(path_of("b.mp4"), &o);
    few__container_about(c, &about);
    assert_true(about.has_picture && about.has_sound && !about.is_live);
    assert_int_equal(about.width, 160);
    assert_int_equal(about.height, 120);
    assert_near(about.fps, 25, 1e-9);
    assert_int_equal(about.duration_us, 6000000);
    assert_int_equal(about.n_expected, 150);
    few__container_close(c);
    static const struct {
        double fps;
        uint64_t every, n;
        int64_t from_us, until_us;
    } cases[] = {{2, 0, 12, 0, 0},
                 {0, 7, 22, 0, 0},
                 {100, 0, 150, 0, 0},
                 {2, 0, 4, 1000000, 3000000},
                 {0, 0, 25, 5000000, 0}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        o = pictures;
        o.fps = cases[k].fps, o.every = cases[k].every;
        o.from_us = cases[k].from_us, o.until_us = cases[k].until_us;
        c = clip_open(path_of("b.mp4"), &o);
        few__container_about(c, &about);
        assert_int_equal(about.n_expected, cases[k].n);
        struct shots s;
        clip_read(c, &s);
        assert_int_equal(s.n, cases[k].n);
        release(&s);
        few__container_close(c);
    }
    c = clip_open(path_of("raw.h264"), &pictures); // no length
    few__container_about(c, &about);
    assert_int_equal(about.duration_us, 0);
    assert_int_equal(about.n_expected, 0);
    few__container_close(c);
}

/* ---- which ones ---- */

// The rule as the header has it, on all pictures.
static size_t choose(const struct shots *all, double fps, uint64_t every, size_t *chosen)
{
    size_t n = 0;
    double last = -1;
    for (size_t i = 0; i < all->n; i++) {
        double span = fps > 0 ? floor(((double)all->all[i].at_us + 1) * fps / 1e6) : (double)i;
        bool taken = every > 1 ? i % every == 0 : span > last;
        if (taken) chosen[n++] = i, last = span;
    }
    return n;
}

static const char *const sampled[] = {"b.mp4", "odd.mkv", "four.mp4", "four.avi", "raw.h264",
                                      "t.ts",  "p.mpg",   "open.mkv", "vfr.mp4"};
static const struct {
    double fps;
    uint64_t every;
} samplings[] = {{0, 0}, {0, 2},    {0, 3},  {0, 7},   {0, 33},  {2, 0},
                 {7, 0}, {12.5, 0}, {24, 0}, {0.7, 0}, {1000, 0}};
enum { N_SAMPLED = sizeof sampled / sizeof *sampled, N_SAMPLINGS = sizeof samplings / sizeof *samplings };

static void assert_same_shot(const struct shot *a, const struct shot *b)
{
    assert_int_equal(a->at_us, b->at_us);
    assert_int_equal(a->until_us, b->until_us);
    assert_true(a->pixels == b->pixels);
    assert_true(a->look == b->look);
}

// What is not taken is not decoded where that can be, and what is taken is the same to the bit.
static void test_sampling(void **state)
{
    NEEDS_CLIPS();
    for (size_t k = 0; k < N_SAMPLED; k++) {
        struct shots all;
        clip_whole(path_of(sampled[k]), &pictures, &all);
        for (size_t j = 0; j < N_SAMPLINGS; j++) {
            struct few__container_opts o = pictures;
            o.fps = samplings[j].fps, o.every = samplings[j].every;
            size_t chosen[SHOTS_MAX], n = choose(&all, o.fps, o.every, chosen);
            struct few__container *c = clip_open(path_of(sampled[k]), &o);
            struct shots some;
            clip_read(c, &some);
            assert_int_equal(some.n, n);
            for (size_t i = 0; i < n; i++) {
                struct shot expected = all.all[chosen[i]];
                expected.until_us = i + 1 < n ? all.all[chosen[i + 1]].at_us : all.all[all.n - 1].until_us;
                assert_same_shot(&some.all[i], &expected);
            }
            if (c->timed && n < all.n / 3) assert_true(c->n_shown < all.n - all.n / 5);
            release(&some);
            few__container_close(c);
        }
        release(&all);
    }
}

/* ---- elsewhere ---- */

// Index of the first shot at at_us or later.
static size_t first_at(const struct shots *all, int64_t at_us)
{
    size_t i = 0;
    while (i < all->n && all->all[i].at_us < at_us) i++;
    return i;
}

// AAC has noise in it that the decoder makes up.
static void assert_same_sound(const struct shots *a, size_t i, const struct shots *b, size_t j,
                              double tolerance)
{
    const struct shot *x = &a->all[i], *y = &b->all[j];
    assert_int_equal(x->n_samples, y->n_samples);
    // At the end the resampler makes up what would follow, from what it has.
    size_t n = x->n_samples,
           certain = b->n_samples > 160 + y->at_sample ? b->n_samples - 160 - y->at_sample : 0;
    if (n > certain) n = certain;
    if (n > 0) assert_near_all(a->samples + x->at_sample, b->samples + y->at_sample, n, tolerance);
}

static void compare_after_seek(const char *name, const struct few__container_opts *o, const struct shots *all)
{
    static const int64_t times[] = {0,      1,      39999,  40000,   1234567, 3999999,
                                    799999, 800000, 800001, 2500000, 10000000};
    bool exact = strstr(name, ".wav") || strstr(name, ".flac") || strstr(name, ".mp3");
    struct few__container *c = clip_open(path_of(name), o);
    for (size_t t = 0; t < sizeof times / sizeof *times; t++) {
        struct few_error err;
        assert_status(few__container_seek(c, times[t], &err), FEW_OK, &err);
        struct shots s;
        clip_read(c, &s);
        size_t from = first_at(all, times[t]);
        assert_int_equal(s.end, all->end);
        assert_int_equal(s.n, all->n - from);
        for (size_t i = 0; i < s.n; i++) {
            assert_same_shot(&s.all[i], &all->all[from + i]);
            assert_same_sound(&s, i, all, from + i, exact ? 1e-6 : 5e-3);
        }
        release(&s);
    }
    few__container_close(c);
}

static void test_seek(void **state)
{
    NEEDS_CLIPS();
    for (size_t k = 0; k < N_SAMPLED; k++)
        for (size_t j = 0; j < N_SAMPLINGS; j += 3) {
            struct few__container_opts o = k % 2 ? pictures : both;
            o.fps = samplings[j].fps, o.every = samplings[j].every;
            struct shots all;
            clip_whole(path_of(sampled[k]), &o, &all);
            compare_after_seek(sampled[k], &o, &all);
            release(&all);
        }
}

static void test_seek_in_sound(void **state)
{
    NEEDS_CLIPS();
    static const char *const names[] = {"s.wav", "s.flac", "s.mp3", "s.m4a", "b.mp4", "t.ts"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        struct few__container_opts o = sound;
        o.clip_us = 300000;
        struct shots all;
        clip_whole(path_of(names[k]), &o, &all);
        assert_true(all.n >= 16);
        compare_after_seek(names[k], &o, &all);
        release(&all);
    }
}

static void test_from_until(void **state)
{
    NEEDS_CLIPS();
    struct few__container_opts o = both;
    struct shots all, some;
    clip_whole(path_of("b.mp4"), &o, &all);
    o.from_us = 1010000, o.until_us = 2050000;
    clip_whole(path_of("b.mp4"), &o, &some);
    assert_int_equal(some.end, FEW_END);
    assert_int_equal(some.n, 52 - 26);
    assert_int_equal(some.all[0].at_us, 1040000);
    assert_int_equal(some.all[some.n - 1].until_us, 2050000);
    assert_true(some.all[some.n - 1].pixels == all.all[51].pixels);
    assert_int_equal(some.all[some.n - 1].n_samples, 160);
    release(&all);
    release(&some);
}

/* ---- sound ---- */

static void assert_sine(const struct shots *s, double hertz, size_t from, size_t to)
{
    double best = 0, norm = 0, a = 0, b = 0;
    for (size_t i = from; i < to; i++) {
        double angle = 2 * 3.14159265358979 * hertz * (double)i / 16000;
        a += s->samples[i] * sin(angle), b += s->samples[i] * cos(angle),
            norm += (double)s->samples[i] * s->samples[i];
    }
    best = (a * a + b * b) * 2 / (double)(to - from);
    assert_true(norm > 1);
    assert_near(best / norm, 1, 0.01);
}

// Spans put side by side are the whole, with pictures and without, however they are cut.
static void test_sound_is_whole(void **state)
{
    NEEDS_CLIPS();
    struct shots alone, beside, few;
    struct few__container_opts o = both;
    clip_whole(path_of("b.mp4"), &sound, &alone);
    clip_whole(path_of("b.mp4"), &o, &beside);
    o.fps = 0.7;
    clip_whole(path_of("b.mp4"), &o, &few);
    assert_int_equal(alone.n, 7); // AAC ends in the seventh second
    assert_true(alone.n_samples >= 96000);
    assert_int_equal(beside.n_samples, alone.n_samples);
    assert_int_equal(few.n_samples, alone.n_samples);
    assert_memory_equal(beside.samples, alone.samples, alone.n_samples * sizeof(float));
    assert_memory_equal(few.samples, alone.samples, alone.n_samples * sizeof(float));
    assert_sine(&alone, 440, 1000, 95000);
    release(&alone), release(&beside), release(&few);
}

static void test_sound_files(void **state)
{
    NEEDS_CLIPS();
    static const char *const names[] = {"s.wav", "s.flac", "s.mp3", "s.m4a", "cover.mp3"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        struct shots s;
        struct few__container_opts o = both; // a cover is no picture of a recording
        o.clip_us = 500000;
        clip_whole(path_of(names[k]), &o, &s);
        assert_true(s.n >= 11 && s.n <= 12);
        for (size_t i = 0; i < 11; i++) {
            assert_int_equal(s.all[i].at_us, i * 500000);
            assert_int_equal(s.all[i].n_samples, 8000);
            assert_int_equal(s.all[i].pixels, 0);
        }
        assert_sine(&s, 440, 1000, 87000);
        release(&s);
    }
}

/* ---- pixels ---- */

// A frame and a still of the same pixels give the same numbers.
static void test_frame_as_still(void **state)
{
    NEEDS_CLIPS();
    struct few_error err;
    struct few__image_decoder *decoder;
    struct few__image still, frame;
    static char bytes[1 << 20];
    FILE *f = fopen(path_of("still.png"), "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_status(few__image_decoder_create(NULL, &decoder, &err), FEW_OK, &err);
    assert_status(few__image_decode(decoder, "still", bytes, n, &still, &err), FEW_OK, &err);
    struct few__container *c = clip_open(path_of("stills.mkv"), &pictures);
    struct few__moment m;
    struct few__buffer planes = {0};
    assert_status(few__moment_init(&m, NULL, true, &err), FEW_OK, &err);
    assert_status(few__container_next(c, &m, &err), FEW_OK, &err);
    assert_status(few__moment_image(&m, &planes, &frame, &err), FEW_OK, &err);
    assert_int_equal(frame.width, still.width);
    assert_int_equal(frame.height, still.height);
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < still.height; y++)
            assert_memory_equal(frame.planes[p] + (size_t)y * frame.stride,
                                still.planes[p] + (size_t)y * still.stride, (size_t)still.width);
    // A look of a picture without a plane of brightness.
    uint8_t luma[61 * 97], look[FEW__LOOK_BYTES];
    for (int y = 0; y < 61; y++)
        for (int x = 0; x < 97; x++) {
            size_t at = (size_t)y * still.stride + (size_t)x;
            double v =
                0.299 * still.planes[0][at] + 0.587 * still.planes[1][at] + 0.114 * still.planes[2][at];
            luma[y * 97 + x] = (uint8_t)(v + 0.5);
        }
    few__look_make(luma, 97, 97, 61, look);
    assert_true(m.has_look);
    for (size_t i = 0; i < FEW__LOOK_BYTES; i++) assert_near(m.look[i], look[i], 1);
    few__moment_finish(&m);
    few__buffer_finish(&planes);
    few__container_close(c);
    few__image_decoder_destroy(decoder);
}

static void test_look(void **state)
{
    NEEDS_CLIPS();
    struct few_error err;
    struct few__moment m;
    uint8_t look[FEW__LOOK_BYTES];
    struct few__container *c = clip_open(path_of("odd420.mkv"), &pictures);
    assert_status(few__moment_init(&m, NULL, true, &err), FEW_OK, &err);
    assert_status(few__container_next(c, &m, &err), FEW_OK, &err);
    assert_true(m.has_look);
    few__look_make(m.picture->data[0], m.picture->linesize[0], 161, 121, look);
    assert_memory_equal(m.look, look, sizeof look);
    few__moment_finish(&m);
    few__container_close(c);
}

// As ffmpeg turns it.
static void test_rotation(void **state)
{
    NEEDS_CLIPS();
    assert_true(clip_make(folder, "-i turned.mp4 -frames:v 3 -pix_fmt yuv420p -f rawvideo turned.yuv"));
    static uint8_t frame[160 * 120 * 3 / 2];
    struct few__container_about about;
    struct few__container *c = clip_open(path_of("turned.mp4"), &pictures);
    few__container_about(c, &about);
    assert_int_equal(about.width, 120);
    assert_int_equal(about.height, 160);
    struct few__moment m;
    struct few_error err;
    struct few__image image;
    struct few__buffer planes = {0};
    FILE *f = fopen(path_of("turned.yuv"), "rb");
    assert_non_null(f);
    assert_int_equal(fread(frame, sizeof frame, 1, f), 1);
    fclose(f);
    assert_status(few__moment_init(&m, NULL, false, &err), FEW_OK, &err);
    assert_status(few__container_next(c, &m, &err), FEW_OK, &err);
    assert_status(few__moment_image(&m, &planes, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, 120);
    assert_int_equal(image.height, 160);
    double difference = 0;
    for (int y = 0; y < 160; y++)
        for (int x = 0; x < 120; x++) {
            size_t at = (size_t)y * image.stride + (size_t)x;
            double v =
                0.299 * image.planes[0][at] + 0.587 * image.planes[1][at] + 0.114 * image.planes[2][at];
            difference += fabs(v - 255.0 / 219 * (frame[y * 120 + x] - 16));
        }
    assert_true(difference / (160 * 120) < 4); // what clipping leaves; a wrong turn gives 60
    few__moment_finish(&m);
    few__buffer_finish(&planes);
    few__container_close(c);
}

/* ---- what is not right ---- */

static void refused(const char *name, const struct few__container_opts *o, enum few_status status,
                    const char *says)
{
    struct few__container *c;
    struct few_error err;
    assert_status(few__container_open(path_of(name), o, NULL, &c, &err), status, &err);
    assert_null(c);
    if (!strstr(err.message, says)) fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

static void put(const char *name, const char *text)
{
    t_write(path_of(name), text, strlen(text));
}

static void test_refused(void **state)
{
    NEEDS_CLIPS();
    put("zero.mp4", "");
    put("text.mp4", "Nothing to be seen here, only words.\n");
    put("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nb.mp4\n#EXT-X-ENDLIST\n");
    put("list.mp4",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:1/b.mp4\n#EXT-X-ENDLIST\n");
    put("list.txt", "ffconcat version 1.0\nfile b.mp4\n");
    put("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
                    "a=rtpmap:96 H264/90000\n");
    put("list.mpd", "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                    "profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"></MPD>");
    refused("zero.mp4", &both, FEW_EDECODE, "zero.mp4: the file is empty");
    refused("text.mp4", &both, FEW_EDECODE, "text.mp4: not a recording");
    refused("list.m3u8", &both, FEW_EDECODE, "playlists");
    refused("list.mp4", &both, FEW_EDECODE, "playlists");
    refused("list.txt", &both, FEW_EDECODE, "playlists");
    refused("list.sdp", &both, FEW_EDECODE, "playlists");
    refused("list.mpd", &both, FEW_EDECODE, "playlists");
    refused("still.png", &both, FEW_EDECODE, "not a recording");
    refused("none.mp4", &both, FEW_ENOENT, "none.mp4: no such file");
    refused("", &both, FEW_EIO, "");
    refused("huge.mkv", &pictures, FEW_ELIMIT, "33000 x 16");
    refused("s.wav", &pictures, FEW_EDECODE, "s.wav: no picture in it");
    refused("four.mp4", &sound, FEW_EDECODE, "four.mp4: no sound in it");
    struct few__container_opts o = sound;
    o.clip_us = 541000000;
    refused("s.wav", &o, FEW_EINVAL, "541");
    o = pictures, o.fps = NAN;
    refused("b.mp4", &o, FEW_EINVAL, "nan");
    o = sound, o.rates[0] = 10;
    refused("s.wav", &o, FEW_EINVAL, "10");
}

// A path is never a URL, whatever it looks like, nor a pattern.
static void test_path_is_a_path(void **state)
{
    NEEDS_CLIPS();
    struct few__container *c;
    struct few_error err;
    static const char *const paths[] = {"http://127.0.0.1:1/x.mp4", "concat:b.mp4",
                                        "data:video/mp4;base64,AAAA", "pipe:0"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_status(few__container_open(paths[i], &both, NULL, &c, &err), FEW_ENOENT, &err);
    assert_true(clip_make(folder, "-i b.mp4 -c copy -frames:v 25 -f mp4 'a%03d:b.mp4'"));
    struct shots s;
    clip_whole(path_of("a%03d:b.mp4"), &pictures, &s);
    assert_int_equal(s.n, 25);
    release(&s);
}

static void test_pixel_format(void **state)
{
    NEEDS_CLIPS();
    struct few_error err;
    struct few__moment m;
    struct few__image image;
    struct few__buffer planes = {0};
    struct shots ten;
    clip_whole(path_of("ten.mkv"), &pictures, &ten);
    assert_int_equal(ten.n, 3);
    assert_true(ten.all[0].pixels && ten.all[0].look);
    release(&ten);
    struct few__container *c = clip_open(path_of("packed.avi"), &pictures);
    assert_status(few__moment_init(&m, NULL, true, &err), FEW_OK, &err);
    assert_status(few__moment_image(&m, &planes, &image, &err), FEW_EINVAL, &err);
    assert_status(few__container_next(c, &m, &err), FEW_OK, &err);
    assert_false(m.has_look);
    assert_status(few__moment_image(&m, &planes, &image, &err), FEW_EUNSUPPORTED, &err);
    assert_non_null(strstr(err.message, "yuyv422"));
    few__moment_finish(&m);
    few__buffer_finish(&planes);
    few__container_close(c);
}

/* ---- damage ---- */

static char *load(const char *name, size_t *n)
{
    FILE *f = fopen(path_of(name), "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static void test_cut(void **state)
{
    NEEDS_CLIPS();
    size_t n;
    char *bytes = load("first.mp4", &n);
    struct shots s, all;
    clip_whole(path_of("first.mp4"), &both, &all);
    for (size_t part = 2; part < 5; part++) {
        t_write(path_of("cut.mp4"), bytes, n * part / 6);
        clip_whole(path_of("cut.mp4"), &both, &s);
        assert_int_equal(s.end, FEW_EDECODE);
        assert_non_null(strstr(s.err.message, "cut.mp4: cut off: it ends after"));
        assert_non_null(strstr(s.err.message, "6 s"));
        assert_in_range(s.n, 10, 149);
        for (size_t i = 0; i + 8 < s.n; i++)
            assert_same_shot(&s.all[i], &all.all[i]); // of the last few some lack
        release(&s);
    }
    free(bytes);
    bytes = load("b.mp4", &n); // its header is at its end
    t_write(path_of("cut.mp4"), bytes, n / 2);
    refused("cut.mp4", &both, FEW_EDECODE, "its header is missing");
    free(bytes);
    release(&all);
}

// Garbage in the middle: the rest goes on.
static void test_garbage(void **state)
{
    NEEDS_CLIPS();
    static const char *const names[] = {"first.mp4", "t.ts", "open.mkv", "four.avi", "p.mpg"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        size_t n;
        char *bytes = load(names[k], &n);
        for (size_t i = n / 2; i < n / 2 + 3000; i++) bytes[i] = (char)(i * 2654435761u >> 13);
        t_write(path_of("damaged"), bytes, n);
        free(bytes);
        struct shots s, all;
        struct few__container_opts o = both;
        o.threads = 1; // with more of them the decoder does not notice all damage each time
        clip_whole(path_of(names[k]), &o, &all);
        clip_whole(path_of("damaged"), &o, &s);
        // Matroska's demuxer jumps over what it does not understand, without a word.
        assert_true(s.n_damaged > 0 || strstr(names[k], ".mkv"));
        assert_true(s.n > all.n * 3 / 4 && s.n <= all.n);
        assert_true(s.all[0].pixels == all.all[0].pixels);
        assert_true(s.all[s.n - 1].at_us > 3000000);
        for (size_t i = 1; i < s.n; i++) assert_true(s.all[i].at_us > s.all[i - 1].at_us);
        release(&s), release(&all);
    }
}

/* ---- the rest ---- */

static void test_url_clean(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"rtsp://user:secret@host:554/a?b=c", "rtsp://host:554/a?b=c"},
        {"rtsp://user@host/a", "rtsp://host/a"},
        {"rtsp://user:se@cret@host/a@b", "rtsp://host/a@b"},
        {"rtsp://user:se/cret@host/a", "rtsp://host/a"},
        {"rtsp://user:se?c#ret@host/a", "rtsp://host/a"},
        {"http://host/a@b", "http://host/a@b"},
        {"http://host:80/a@b", "http://host:80/a@b"},
        {"http://[::1]:80/a@b", "http://[::1]:80/a@b"},
        {"http://a/?u=rtsp://x:secret@b/", "http://a/?u=rtsp://b/"},
        {"clip.mp4", "clip.mp4"},
        {"rtsp://", "rtsp://"},
        {"", ""},
    };
    char out[128];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(few__url_clean(cases[i][0], out, sizeof out), cases[i][1]);
    for (size_t n = 1; n < 30; n++) {
        char *exact = malloc(n);
        few__url_clean("rtsp://user:secret@host:554/a?b=c", exact, n);
        assert_int_equal(strlen(exact), n - 1 < 21 ? n - 1 : 21);
        assert_null(strstr(exact, "sec"));
        free(exact);
    }
}

static bool stop_now(void *ud)
{
    return *(bool *)ud;
}

static void test_stop(void **state)
{
    NEEDS_CLIPS();
    bool stop = false;
    struct few__container_opts o = both;
    o.stop = stop_now, o.ud = &stop;
    struct few__container *c = clip_open(path_of("b.mp4"), &o);
    struct few_error err;
    struct few__moment m;
    assert_status(few__moment_init(&m, NULL, true, &err), FEW_OK, &err);
    assert_status(few__container_next(c, &m, &err), FEW_OK, &err);
    stop = true;
    enum few_status got = FEW_OK;
    for (int i = 0; i < 150 && got == FEW_OK; i++) got = few__container_next(c, &m, &err);
    assert_int_equal(got, FEW_ECANCELED);
    few__container_close(c);
    assert_status(few__container_open(path_of("b.mp4"), &o, NULL, &c, &err), FEW_ECANCELED, &err);
    few__moment_finish(&m);
}

static enum few_status whole(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__container *c;
    struct few__moment m;
    struct few_error err;
    struct few__buffer planes = {.mem = mem};
    struct few__image image;
    enum few_status got = few__moment_init(&m, mem, true, &err);
    if (got == FEW_OK) got = few__container_open(ud, &both, &env, &c, &err);
    if (got != FEW_OK) {
        few__moment_finish(&m);
        return got;
    }
    for (int i = 0; i < 5 && got == FEW_OK; i++) {
        got = few__container_next(c, &m, &err);
        if (got == FEW_OK && m.picture) got = few__moment_image(&m, &planes, &image, &err);
        if (i == 2 && got == FEW_OK) got = few__container_seek(c, 100000, &err);
    }
    few__container_close(c);
    few__moment_finish(&m);
    few__buffer_finish(&planes);
    return got == FEW_END ? FEW_OK : got;
}

static void test_no_memory(void **state)
{
    NEEDS_CLIPS();
    t_fail_each_allocation(whole, path_of("b.mp4"));
    t_fail_each_allocation(whole, path_of("stills.mkv"));
    t_fail_each_allocation(whole, path_of("s.wav"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_uneven_times),
        cmocka_unit_test(test_pictures_are_ffmpegs),
        cmocka_unit_test(test_about),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_seek),
        cmocka_unit_test(test_seek_in_sound),
        cmocka_unit_test(test_from_until),
        cmocka_unit_test(test_sound_is_whole),
        cmocka_unit_test(test_sound_files),
        cmocka_unit_test(test_frame_as_still),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_path_is_a_path),
        cmocka_unit_test(test_pixel_format),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_url_clean),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, make_clips, NULL);
}
