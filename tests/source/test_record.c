// SPDX-License-Identifier: Apache-2.0
// Records: what paths and lines of a list name, how they look from outside, and the parts that come of them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fewer/items.h>

#include "source/record.h"
#include "support/support.h"

enum { S = 1000000, MIB = 1 << 20 };

static struct few_error err;
static struct few__arena arena;

static int begin(void **state)
{
    (void)state;
    t_tmpdir();
    few__arena_init(&arena, NULL, SIZE_MAX / 2);
    return 0;
}

static int end(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    return 0;
}

/* ---- names ---- */

static void assert_place(const struct few__place_in *in, const char *path, int64_t from_us, int64_t until_us)
{
    if (!path) {
        assert_null(in->path);
        return;
    }
    assert_string_equal(in->path, path);
    assert_int_equal(in->from_us, from_us);
    assert_int_equal(in->until_us, until_us);
    assert_int_equal(in->frame, -1);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path, *image, *sound;
        int64_t at, from, until;
    } rows[] = {
        {"photo.jpg", "photo.jpg", NULL, -1, 0, 0},
        {"dir.mp4/noname", "dir.mp4/noname", NULL, -1, 0, 0},
        {"talk.WAV", NULL, "talk.WAV", 0, -1, -1},
        {"clip.mp4", "clip.mp4", "clip.mp4", 0, -1, -1},
        {"clip.mp4#t=12.5", "clip.mp4", NULL, 12500000, 0, 0},
        {"clip.mp4#t=3,5", "clip.mp4", "clip.mp4", 3 * S, 3 * S, 5 * S},
        {"clip.mp4#t=,5", "clip.mp4", "clip.mp4", 0, 0, 5 * S},
        {"clip.mp4#t=npt:1:02,1:02:03.25", "clip.mp4", "clip.mp4", 62 * S, 62 * S, 3723250000},
        {"talk.flac#t=0.000001", NULL, "talk.flac", 0, 1, -1},
        {"talk.flac#t=1.9999999,2", NULL, "talk.flac", 0, 1999999, 2 * S},
        {"a#b.png", "a#b.png", NULL, -1, 0, 0},
    };
    struct few__record record;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(few__record_of_path(rows[i].path, &arena, &record, &err), FEW_OK, &err);
        assert_string_equal(record.name, rows[i].path);
        assert_place(&record.image, rows[i].image, rows[i].at, -1);
        assert_place(&record.sound, rows[i].sound, rows[i].from, rows[i].until);
        assert_true(!record.text && !record.text_path);
    }
    const char *odd = t_path("clip.mp4#t=3");
    t_write(odd, "x", 1);
    assert_status(few__record_of_path(odd, &arena, &record, &err), FEW_OK, &err);
    assert_place(&record.image, odd, -1, -1); // that is its name
}

static void test_paths_that_make_no_sense(void **state)
{
    (void)state;
    static const char *const paths[] = {"a.mp4#t=",
                                        "a.mp4#t=x",
                                        "a.mp4#t=5,3",
                                        "a.mp4#t=3,3",
                                        "a.mp4#t=1:60",
                                        "a.mp4#t=1:2:3:4",
                                        "a.mp4#t=3,",
                                        "a.mp4#t=-1",
                                        "a.mp4#t=1x",
                                        "a.mp4#t=1234567890",
                                        "rtsp://host/x#t=clock:2026-11-21T06:33:00.123Z"};
    struct few__record record;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_status(few__record_of_path(paths[i], &arena, &record, &err), FEW_EINVAL, &err);
        assert_non_null(strstr(err.message, "expected"));
    }
}

/* ---- lines ---- */

static enum few_status parse(const char *line, struct few__record *record)
{
    return few__record_parse(line, strlen(line), "/lists", &arena, record, &err);
}

static void test_lines(void **state)
{
    (void)state;
    struct few__record r;
    assert_status(parse("{\"item\": \"k\", \"image\": \"a.jpg\"}", &r), FEW_OK, &err);
    assert_string_equal(r.name, "k");
    assert_place(&r.image, "/lists/a.jpg", -1, -1);
    assert_true(few__record_is_image(&r));
    assert_status(
        parse("{\"item\": \"k\", \"image\": {\"file\": \"/clip.mp4\", \"at\": 12.5},"
              " \"sound\": {\"file\": \"talk.wav\", \"from\": 12, \"to\": 14.25}, \"text\": \"w\\u00f6rds\"}",
              &r),
        FEW_OK, &err);
    assert_place(&r.image, "/clip.mp4", 12500000, -1);
    assert_place(&r.sound, "/lists/talk.wav", 12 * S, 14250000);
    assert_string_equal(r.text, "w\xc3\xb6rds");
    assert_false(few__record_is_image(&r));
    assert_status(
        parse("{\"item\":\"k\",\"image\":{\"file\":\"clip.mp4\",\"frame\":7},\"sound\":\"clip.mp4\"}", &r),
        FEW_OK, &err);
    assert_int_equal(r.image.frame, 7);
    assert_int_equal(r.image.from_us, -1);
    assert_place(&r.sound, "/lists/clip.mp4", -1, -1);
    assert_status(parse("{\"item\":\"k\",\"image\":\"clip.mp4#t=2\",\"sound\":\"clip.mp4#t=2\"}", &r), FEW_OK,
                  &err);
    assert_place(&r.image, "/lists/clip.mp4", 2 * S, -1);
    assert_place(&r.sound, "/lists/clip.mp4", 2 * S, -1);
    assert_status(
        parse("{\"item\":\"k\",\"image\":{\"file\":\"clip.mp4\"},\"sound\":{\"file\":\"s\",\"to\":2}}", &r),
        FEW_OK, &err);
    assert_place(&r.image, "/lists/clip.mp4", 0, -1);
    assert_place(&r.sound, "/lists/s", 0, 2 * S);
    assert_status(parse("{\"item\": \"k\", \"text\": {\"file\": \"a.txt\"}}", &r), FEW_OK, &err);
    assert_string_equal(r.text_path, "/lists/a.txt");
    assert_status(parse("{\"item\": \"k\", \"text\": \"\"}", &r), FEW_OK, &err);
    assert_string_equal(r.text, "");
    assert_status(parse("{\"item\":\"k\",\"video\":\"clip.mp4\",\"at\":3,\"for\":1,\"text\":\"x\"}", &r),
                  FEW_OK, &err);
    assert_place(&r.image, "/lists/clip.mp4", 3 * S, -1);
    assert_place(&r.sound, "/lists/clip.mp4", 3 * S, 4 * S);
    assert_status(parse("{\"item\":\"k\",\"video\":\"clip.mp4\"}", &r), FEW_OK, &err);
    assert_place(&r.sound, "/lists/clip.mp4", 0, -1);
}

static void test_lines_that_are_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *line, *word;
    } rows[] = {
        {"", "JSON object"},
        {"{\"item\": \"k\", \"image\": \"a.jpg\"", "JSON object"},
        {"[1]", "found a list"},
        {"{\"item\": \"k\"}", "found none"},
        {"{\"image\": \"a.jpg\"}", "item: expected the name of the item, found nothing"},
        {"{\"item\": \"\", \"image\": \"a.jpg\"}", "an empty text"},
        {"{\"item\": 3, \"image\": \"a.jpg\"}", "found a number"},
        {"{\"item\": \"k\", \"item\": \"j\", \"image\": \"a.jpg\"}", "duplicate"},
        {"{\"item\": \"k\", \"picture\": \"a.jpg\"}", "found 'picture'"},
        {"{\"item\": \"k\", \"image\": null}", "found null"},
        {"{\"item\": \"k\", \"image\": \"\"}", "image: expected the name of a file"},
        {"{\"item\": \"k\", \"image\": \"a.wav\"}", "a picture or a video"},
        {"{\"item\": \"k\", \"image\": \"a.mp4#t=x\"}", "#t=12.5"},
        {"{\"item\": \"k\", \"image\": \"http://host/a.jpg\"}", "URL"},
        {"{\"item\": \"k\", \"image\": {\"at\": 3}}",
         "image.file: expected the name of a file, found nothing"},
        {"{\"item\": \"k\", \"image\": {\"file\": \"a\", \"at\": -1}}", "seconds, at least 0"},
        {"{\"item\": \"k\", \"image\": {\"file\": \"a\", \"at\": 1e9}}", "seconds, at least 0"},
        {"{\"item\": \"k\", \"image\": {\"file\": \"a\", \"at\": 1, \"frame\": 1}}", "found both"},
        {"{\"item\": \"k\", \"image\": {\"file\": \"a\", \"frame\": 1.5}}", "number of a picture"},
        {"{\"item\": \"k\", \"image\": {\"file\": \"a\", \"frame\": 1000000001}}", "number of a picture"},
        {"{\"item\": \"k\", \"image\": {\"file\": \"a\", \"from\": 1}}", "found 'from'"},
        {"{\"item\": \"k\", \"sound\": {\"file\": \"a\", \"at\": 1}}", "found 'at'"},
        {"{\"item\": \"k\", \"sound\": {\"file\": \"a\", \"from\": 2, \"to\": 2}}",
         "end after its beginning"},
        {"{\"item\": \"k\", \"sound\": {\"file\": \"a\", \"to\": 0}}", "seconds, more than 0"},
        {"{\"item\": \"k\", \"sound\": 3}", "found a number"},
        {"{\"item\": \"k\", \"text\": [\"a\"]}", "found a list"},
        {"{\"item\": \"k\", \"text\": {\"path\": \"a\"}}", "found 'path'"},
        {"{\"item\": \"k\", \"video\": \"a\", \"image\": \"b\"}", "beside it"},
        {"{\"item\": \"k\", \"image\": \"b\", \"at\": 3}", "expected 'video'"},
    };
    struct few__record record;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(parse(rows[i].line, &record), FEW_EPARSE, &err);
        if (!strstr(err.message, rows[i].word)) fail_msg("'%s' is not in '%s'", rows[i].word, err.message);
    }
}

static void test_limits_of_lines(void **state)
{
    (void)state;
    static char line[FEW__RECORD_LINE_MAX + 64], words[FEW__TEXT_MAX + 2];
    struct few__record record;
    memset(words, 'w', sizeof words - 1);
    snprintf(line, sizeof line, "{\"item\": \"k\", \"text\": \"%.*s\"}", FEW__TEXT_MAX, words);
    assert_status(parse(line, &record), FEW_OK, &err);
    assert_int_equal(strlen(record.text), FEW__TEXT_MAX);
    snprintf(line, sizeof line, "{\"item\": \"k\", \"text\": \"%s\"}", words);
    assert_status(parse(line, &record), FEW_ELIMIT, &err);
    snprintf(line, sizeof line, "{\"item\": \"%.*s\", \"text\": \"\"}", FEW_PATH_MAX - 1, words);
    assert_status(parse(line, &record), FEW_OK, &err);
    snprintf(line, sizeof line, "{\"item\": \"%.*s\", \"text\": \"\"}", FEW_PATH_MAX, words);
    assert_status(parse(line, &record), FEW_ELIMIT, &err);
    snprintf(line, sizeof line, "{\"item\": \"k\", \"image\": \"%.*s\"}", FEW_PATH_MAX, words);
    assert_status(parse(line, &record), FEW_ELIMIT, &err);
    assert_status(parse("{\"item\": \"k\", \"sound\": {\"file\": \"a\", \"to\": 600}}", &record), FEW_OK,
                  &err);
    assert_status(parse("{\"item\": \"k\", \"sound\": {\"file\": \"a\", \"to\": 600.1}}", &record),
                  FEW_ELIMIT, &err);
    memset(line, ' ', sizeof line);
    assert_status(few__record_parse(line, FEW__RECORD_LINE_MAX + 1, "", &arena, &record, &err), FEW_ELIMIT,
                  &err);
}

static enum few_status parse_one(const struct few_mem *mem, void *ud)
{
    struct few__arena mine;
    struct few__record record;
    few__arena_init(&mine, mem, SIZE_MAX / 2);
    enum few_status status = few__record_parse(ud, strlen(ud), "/x", &mine, &record, &err);
    few__arena_finish(&mine);
    return status;
}

static void test_allocations(void **state)
{
    (void)state;
    char line[] = "{\"item\": \"k\", \"image\": \"a.mp4#t=3\", \"sound\": \"b.wav\", \"text\": \"words\"}";
    t_fail_each_allocation(parse_one, line);
}

/* ---- from outside ---- */

static void digest_of(const char *line, char digest[65])
{
    struct few__record record;
    assert_status(few__record_parse(line, strlen(line), t_path(""), &arena, &record, &err), FEW_OK, &err);
    assert_status(few__record_digest(&record, digest, &err), FEW_OK, &err);
    assert_int_equal(strlen(digest), 64);
}

static void test_digests(void **state)
{
    (void)state;
    static const char *const lines[] = {"{\"item\": \"k\", \"image\": \"a.jpg\"}",
                                        "{\"item\": \"k\", \"image\": \"a.jpg\", \"text\": \"w\"}",
                                        "{\"item\": \"k\", \"text\": \"w\"}",
                                        "{\"item\": \"k\", \"sound\": \"a.wav\"}",
                                        "{\"item\": \"k\", \"sound\": {\"file\": \"a.wav\", \"to\": 1}}",
                                        "{\"item\": \"k\", \"image\": \"a.mp4#t=1\"}",
                                        "{\"item\": \"k\", \"image\": {\"file\": \"a.mp4\", \"frame\": 1}}"};
    enum { N = sizeof lines / sizeof *lines };
    char digests[N][65], other[65];
    t_write(t_path("a.jpg"), "abc", 3);
    t_write(t_path("a.wav"), "abc", 3);
    t_write(t_path("a.mp4"), "abc", 3);
    t_write(t_path("w.txt"), "w", 1);
    t_write(t_path("b.mkv"), "abc", 3);
    for (size_t i = 0; i < N; i++) digest_of(lines[i], digests[i]);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i; j++) assert_string_not_equal(digests[i], digests[j]);
    // FIPS 180: of "abc"
    assert_string_equal(digests[0], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_of("{\"item\": \"j\", \"text\": {\"file\": \"w.txt\"}}", other);
    assert_string_equal(digests[2], other);
    digest_of("{\"item\": \"j\", \"image\": \"b.mkv#t=1\"}", other);
    assert_string_equal(digests[5], other);
    struct few__record record;
    assert_status(few__record_of_path(t_path("gone.wav"), &arena, &record, &err), FEW_OK, &err);
    assert_status(few__record_digest(&record, other, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "gone.wav"));
}

static void test_fingerprint(void **state)
{
    (void)state;
    static char bytes[3 * MIB];
    char digest[65], other[65];
    static const size_t sizes[] = {0, 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, 3 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i];
        t_write(t_path("f"), bytes, n);
        assert_status(few__fingerprint(t_path("f"), digest, &err), FEW_OK, &err);
        const size_t places[] = {0, n / 2, n - 1};
        for (size_t k = 0; n > 0 && k < 3; k++) {
            bytes[places[k]] = 1;
            t_write(t_path("f"), bytes, n);
            bytes[places[k]] = 0;
            assert_status(few__fingerprint(t_path("f"), other, &err), FEW_OK, &err);
            bool seen = places[k] < MIB || places[k] + MIB >= n;
            assert_int_equal(strcmp(digest, other) != 0, seen);
        }
    }
    t_write(t_path("f"), bytes, 2 * MIB + 2);
    assert_status(few__fingerprint(t_path("f"), other, &err), FEW_OK, &err);
    assert_string_not_equal(digest, other); // the size counts
    assert_status(few__fingerprint(t_path("."), other, &err), FEW_EIO, &err);
    assert_status(few__fingerprint(t_path("gone"), other, &err), FEW_ENOENT, &err);
}

static void test_looks(void **state)
{
    (void)state;
    struct few__record record;
    t_write(t_path("a.jpg"), "abc", 3);
    t_write(t_path("b.wav"), "abcde", 5);
    static const char line[] = "{\"item\":\"k\",\"image\":\"a.jpg\",\"sound\":\"b.wav\",\"text\":\"wo\"}";
    assert_status(few__record_parse(line, strlen(line), t_path(""), &arena, &record, &err), FEW_OK, &err);
    struct few__looks looks = few__record_looks(&record);
    assert_true(looks.exists && looks.mtime_us > 0);
    assert_int_equal(looks.size, 10);
    assert_int_equal(remove(t_path("b.wav")), 0);
    assert_false(few__record_looks(&record).exists);
}

/* ---- parts ---- */

/* A clip of 3 s, ten pictures a second, the k-th one of brightness 16 + 6 k; its sound at time t is t / 4. Without sound;
 * and the sound alone. False: there is no ffmpeg. */
static bool make_clips(void)
{
    char command[2000];
    static const char pictures[] = "nullsrc=s=64x48:r=10:d=3,geq=lum='16+6*N':cb=128:cr=128";
    snprintf(
        command, sizeof command,
        "cd '%s' && ffmpeg -v error -f lavfi -i \"%s\" -f lavfi -i 'aevalsrc=t/4:s=8000:d=3'"
        " -c:v ffv1 -g 5 -pix_fmt yuv420p -c:a pcm_s16le clip.mkv"
        " && ffmpeg -v error -i clip.mkv -c copy -an silent.mkv && ffmpeg -v error -i clip.mkv -vn sound.wav"
        " && ffmpeg -v error -i clip.mkv -frames:v 1 still.png",
        t_path(""), pictures);
    return system("command -v ffmpeg >/dev/null") == 0 && system(command) == 0;
}

static struct few__record_reader *reader;

static enum few_status read_line(const char *line, struct few__parts *parts)
{
    struct few__record record;
    assert_status(few__record_parse(line, strlen(line), t_path(""), &arena, &record, &err), FEW_OK, &err);
    return few__record_read(reader, &record, NULL, 0, parts, &err);
}

static void open_reader(size_t n_rates)
{
    static const int rates[] = {8000, 16000};
    assert_status(few__record_reader_create(NULL, rates, n_rates, &reader, &err), FEW_OK, &err);
}

// The number of the picture, from its brightness: 255 / 219 * 6 a picture.
static int number_of(const struct few__parts *parts)
{
    assert_non_null(parts->image);
    assert_int_equal(parts->image->width, 64);
    double value = parts->image->planes[1][20 * parts->image->stride + 30] / (255. / 219. * 6);
    assert_near(value, round(value), 0.2);
    return (int)lround(value);
}

static void test_read_pictures(void **state)
{
    (void)state;
    if (!make_clips()) skip();
    static const struct {
        const char *line;
        int number;
    } rows[] = {
        {"{\"item\": \"k\", \"image\": \"clip.mkv\"}", 0},
        {"{\"item\": \"k\", \"image\": \"clip.mkv#t=1.1\"}", 11},
        {"{\"item\": \"k\", \"image\": \"clip.mkv#t=1.1\"}", 11},  // again
        {"{\"item\": \"k\", \"image\": \"clip.mkv#t=1.41\"}", 15}, // read on; the first that is not before
        {"{\"item\": \"k\", \"image\": \"clip.mkv#t=0.2\"}", 2},   // back
        {"{\"item\": \"k\", \"image\": \"clip.mkv#t=2.9\"}", 29},
        {"{\"item\": \"k\", \"image\": {\"file\": \"clip.mkv\", \"frame\": 7}}", 7},
        {"{\"item\": \"k\", \"image\": {\"file\": \"clip.mkv\", \"frame\": 7}}", 7},
        {"{\"item\": \"k\", \"image\": {\"file\": \"clip.mkv\", \"frame\": 28}}", 28},
        {"{\"item\": \"k\", \"image\": {\"file\": \"clip.mkv\", \"frame\": 3}}", 3},
        {"{\"item\": \"k\", \"image\": {\"file\": \"silent.mkv\", \"frame\": 4}}", 4},
        {"{\"item\": \"k\", \"image\": \"clip.mkv#t=2\"}", 20},
        {"{\"item\": \"k\", \"image\": \"still.png\"}", 0},
    };
    struct few__parts parts;
    open_reader(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(read_line(rows[i].line, &parts), FEW_OK, &err);
        assert_int_equal(number_of(&parts), rows[i].number);
        assert_int_equal(few__parts_mask(&parts), 1u << FEW_IMAGE);
    }
    assert_status(read_line("{\"item\": \"k\", \"image\": \"clip.mkv#t=3.5\"}", &parts), FEW_EDECODE, &err);
    assert_non_null(strstr(err.message, "no picture at 3.5 s or later"));
    assert_status(read_line("{\"item\": \"k\", \"image\": {\"file\": \"clip.mkv\", \"frame\": 30}}", &parts),
                  FEW_EDECODE, &err);
    assert_non_null(strstr(err.message, "expected picture 30, found 30 in all"));
    assert_status(read_line("{\"item\": \"k\", \"image\": \"clip.mkv#t=2\"}", &parts), FEW_OK, &err);
    assert_int_equal(number_of(&parts), 20);
    few__record_reader_destroy(reader);
}

// The sound of a span, at every rate: how long it is and what it begins with.
static void assert_sound(const struct few__parts *parts, double from, double length)
{
    assert_int_equal(parts->n_sounds, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct few__sound *sound = &parts->sounds[i];
        assert_int_equal(sound->rate, i ? 16000 : 8000);
        assert_int_equal(sound->n, lround(length * sound->rate));
        size_t middle = sound->n / 2;
        assert_near(sound->samples[middle], (from + (double)middle / sound->rate) / 4, 1e-3);
    }
}

static void test_read_sound(void **state)
{
    (void)state;
    if (!make_clips()) skip();
    static const struct {
        const char *line;
        double from, length;
    } rows[] = {
        {"{\"item\": \"k\", \"sound\": {\"file\": \"clip.mkv\", \"from\": 1, \"to\": 1.5}}", 1, 0.5},
        {"{\"item\": \"k\", \"sound\": {\"file\": \"clip.mkv\", \"from\": 1.5, \"to\": 2}}", 1.5,
         0.5}, // goes on
        {"{\"item\": \"k\", \"sound\": {\"file\": \"clip.mkv\", \"from\": 1, \"to\": 1.5}}", 1, 0.5}, // back
        {"{\"item\": \"k\", \"sound\": {\"file\": \"clip.mkv\", \"from\": 0.3, \"to\": 0.8}}", 0.3, 0.5},
        {"{\"item\": \"k\", \"sound\": {\"file\": \"sound.wav\", \"from\": 0.3, \"to\": 0.8}}", 0.3, 0.5},
        {"{\"item\": \"k\", \"sound\": \"sound.wav\"}", 0, 3},
        {"{\"item\": \"k\", \"sound\": \"clip.mkv#t=2.25\"}", 2.25, 0.75},
        {"{\"item\": \"k\", \"sound\": {\"file\": \"sound.wav\", \"from\": 2.5, \"to\": 9}}", 2.5,
         0.5}, // as far as it goes
    };
    struct few__parts parts;
    open_reader(2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(read_line(rows[i].line, &parts), FEW_OK, &err);
        assert_sound(&parts, rows[i].from, rows[i].length);
        assert_int_equal(few__parts_mask(&parts), 1u << FEW_SOUND);
    }
    assert_status(read_line("{\"item\": \"k\", \"video\": \"clip.mkv\", \"at\": 1.1, \"for\": 0.4}", &parts),
                  FEW_OK, &err);
    assert_int_equal(number_of(&parts), 11);
    assert_sound(&parts, 1.1, 0.4);
    few__record_reader_destroy(reader);
}

static void test_what_is_not_in_it(void **state)
{
    (void)state;
    if (!make_clips()) skip();
    struct few__parts parts;
    open_reader(2);
    assert_status(
        read_line("{\"item\": \"k\", \"video\": \"silent.mkv\", \"at\": 1, \"text\": \"hi\"}", &parts),
        FEW_OK, &err);
    assert_int_equal(few__parts_mask(&parts), 1u << FEW_IMAGE | 1u << FEW_TEXT);
    assert_status(
        read_line("{\"item\": \"k\", \"sound\": {\"file\": \"sound.wav\", \"from\": 5, \"to\": 6}}", &parts),
        FEW_OK, &err);
    assert_int_equal(few__parts_mask(&parts), 0);
    assert_status(read_line("{\"item\": \"k\", \"image\": {\"file\": \"sound.wav\", \"at\": 1}}", &parts),
                  FEW_EDECODE, &err);
    few__record_reader_destroy(reader);
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    static char words[FEW__TEXT_MAX + 1];
    memset(words, 'w', sizeof words);
    t_write(t_path("bad.wav"), "RIFF", 4);
    t_write(t_path("bad.mp4"), "no video at all", 15);
    t_write(t_path("nul.txt"), "a\0b", 3);
    t_write(t_path("long.txt"), words, sizeof words);
    t_write(t_path("full.txt"), words, sizeof words - 1);
    t_write(t_path("empty.txt"), "", 0);
    static const struct {
        const char *line;
        enum few_status status;
    } rows[] = {
        {"{\"item\": \"k\", \"image\": \"gone.jpg\"}", FEW_ENOENT},
        {"{\"item\": \"k\", \"image\": \"bad.wav.jpg\"}", FEW_ENOENT},
        {"{\"item\": \"k\", \"image\": \"gone.mp4#t=1\"}", FEW_ENOENT},
        {"{\"item\": \"k\", \"image\": \"bad.mp4\"}", FEW_EDECODE},
        {"{\"item\": \"k\", \"sound\": \"bad.wav\"}", FEW_EDECODE},
        {"{\"item\": \"k\", \"sound\": \"gone.wav\"}", FEW_ENOENT},
        {"{\"item\": \"k\", \"text\": {\"file\": \"gone.txt\"}}", FEW_ENOENT},
        {"{\"item\": \"k\", \"text\": {\"file\": \"nul.txt\"}}", FEW_EDECODE},
        {"{\"item\": \"k\", \"text\": {\"file\": \"long.txt\"}}", FEW_ELIMIT},
        {"{\"item\": \"k\", \"text\": {\"file\": \"full.txt\"}}", FEW_OK},
        {"{\"item\": \"k\", \"text\": {\"file\": \"empty.txt\"}}", FEW_OK},
    };
    struct few__parts parts;
    open_reader(1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_status(read_line(rows[i].line, &parts), rows[i].status, &err);
        if (rows[i].status != FEW_OK) assert_non_null(strstr(err.message, t_path("")));
    }
    assert_string_equal(parts.text, "");
    few__record_reader_destroy(reader);
}

static enum few_status read_one(const struct few_mem *mem, void *ud)
{
    const struct few_env env = {.mem = mem};
    const int rate = 8000;
    struct few__record_reader *mine;
    struct few__parts parts;
    enum few_status status = few__record_reader_create(&env, &rate, 1, &mine, &err);
    if (status == FEW_OK) status = few__record_read(mine, ud, NULL, 0, &parts, &err);
    few__record_reader_destroy(mine);
    return status;
}

static void test_allocations_of_reading(void **state)
{
    (void)state;
    if (!make_clips()) skip();
    struct few__record record;
    static const char line[] =
        "{\"item\":\"k\",\"video\":\"clip.mkv\",\"at\":1,\"for\":1,\"text\":{\"file\":\"w.txt\"}}";
    t_write(t_path("w.txt"), "words", 5);
    assert_status(few__record_parse(line, strlen(line), t_path(""), &arena, &record, &err), FEW_OK, &err);
    t_fail_each_allocation(read_one, &record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paths, begin, end),
        cmocka_unit_test_setup_teardown(test_paths_that_make_no_sense, begin, end),
        cmocka_unit_test_setup_teardown(test_lines, begin, end),
        cmocka_unit_test_setup_teardown(test_lines_that_are_wrong, begin, end),
        cmocka_unit_test_setup_teardown(test_limits_of_lines, begin, end),
        cmocka_unit_test_setup_teardown(test_allocations, begin, end),
        cmocka_unit_test_setup_teardown(test_digests, begin, end),
        cmocka_unit_test_setup_teardown(test_fingerprint, begin, end),
        cmocka_unit_test_setup_teardown(test_looks, begin, end),
        cmocka_unit_test_setup_teardown(test_read_pictures, begin, end),
        cmocka_unit_test_setup_teardown(test_read_sound, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_not_in_it, begin, end),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read, begin, end),
        cmocka_unit_test_setup_teardown(test_allocations_of_reading, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
