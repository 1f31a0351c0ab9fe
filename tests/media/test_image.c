// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/rng.h"
#include "data.h"

static struct few__image_decoder *decoder;

static int set_up(void **state)
{
    (void)state;
    return few__image_decoder_create(NULL, &decoder, NULL) == FEW_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    few__image_decoder_destroy(decoder);
    return 0;
}

static enum few_status decode(struct bytes b, struct few__image *image, struct few_error *err)
{
    return few__image_decode(decoder, "a file", b.data, b.n, image, err);
}

/* ---- pixels ---- */

static void compare(const struct image_case *c)
{
    struct bytes b = read_data(c->file), expected = read_data(c->expected);
    struct few__image image;
    struct few_error err;
    print_message("%s\n", c->file);
    assert_status(decode(b, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, c->width);
    assert_int_equal(image.height, c->height);
    double sum = 0, most = 0;
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++)
            for (int k = 0; k < 3; k++) {
                uint8_t theirs = (uint8_t)expected.data[(y * image.width + x) * 3 + k];
                double d = abs(theirs - image.planes[k][(size_t)y * image.stride + (size_t)x]);
                sum += d;
                most = d > most ? d : most;
            }
    assert_near(sum / (3.0 * c->width * c->height), 0, c->mean);
    assert_near(most, 0, c->most);
    free(b.data);
    free(expected.data);
}

// Twice over with one decoder: nothing of a file may stay behind for the next one of its kind.
static void test_pixels_are_pillows(void **state)
{
    (void)state;
    struct image_case cases[CASES_MAX];
    size_t n = read_cases(cases);
    for (size_t i = 0; i < 2 * n; i++) compare(&cases[i % n]);
}

/* ---- refusals ---- */

static void assert_refused(const void *data, size_t n, enum few_status expected, const char *word)
{
    struct few__image image = {.width = 1};
    struct few_error err = {0};
    assert_status(few__image_decode(decoder, "a file", data, n, &image, &err), expected, &err);
    assert_int_equal(image.width, 0);
    assert_non_null(strstr(err.message, "a file"));
    if (!strstr(err.message, word)) fail_msg("\"%s\" is not in \"%s\"", word, err.message);
}

static void test_what_is_no_image(void **state)
{
    (void)state;
    assert_refused("", 0, FEW_EDECODE, "empty");
    assert_refused(NULL, 0, FEW_EDECODE, "empty");
    assert_refused("BMo, said the cow, and went on for a while", 42, FEW_EDECODE, "not an image");
    assert_refused("\xFF\xD8\xFF", 3, FEW_EDECODE, "cut off");
    assert_refused("\xFF\xD8\xFF\xD9", 4, FEW_EDECODE, "cut off");
    assert_refused("\0\0\0\x18"
                   "ftypheic\0\0\0\0mif1heic",
                   24, FEW_EDECODE, "HEIF");
    struct bytes moving = read_data("animated.webp");
    assert_refused(moving.data, moving.n, FEW_EDECODE, "animated");
    free(moving.data);
}

// Formats whose end can be known are refused at every length; the others must at least not pass for whole.
static void test_cut_files(void **state)
{
    (void)state;
    static const char *const by_header[] = {"420.jpg",   "progressive.jpg", "restart.jpg",  "rgb.png",
                                            "plain.gif", "lossy.webp",      "lossless.webp"};
    for (size_t i = 0; i < sizeof by_header / sizeof *by_header; i++) {
        struct bytes b = read_data(by_header[i]);
        for (size_t n = 40; n < b.n - 12; n += 7) assert_refused(b.data, n, FEW_EDECODE, "cut off");
        free(b.data);
    }
    static const char *const by_decoder[] = {"rgb.bmp", "plain.tif", "420.avif", "soft.heic"};
    for (size_t i = 0; i < sizeof by_decoder / sizeof *by_decoder; i++) {
        struct bytes b = read_data(by_decoder[i]);
        assert_refused(b.data, b.n / 2, FEW_EDECODE, "damaged");
        free(b.data);
    }
}

static void put32(struct bytes b, size_t at, uint32_t value, bool big)
{
    for (unsigned i = 0; i < 4; i++) b.data[at + i] = (char)(value >> 8 * (big ? 3 - i : i));
}

static void test_no_pixels(void **state)
{
    (void)state;
    struct bytes png = read_data("rgb.png"), bmp = read_data("rgb.bmp"), jpg = read_data("420.jpg");
    put32(png, 16, 0, true);
    assert_refused(png.data, png.n, FEW_EDECODE, "no pixels");
    put32(bmp, 22, 0, false);
    assert_refused(bmp.data, bmp.n, FEW_EDECODE, "no pixels");
    for (size_t i = 0; i + 8 < jpg.n; i++)
        if ((uint8_t)jpg.data[i] == 0xFF && (uint8_t)jpg.data[i + 1] == 0xC0)
            jpg.data[i + 5] = jpg.data[i + 6] = 0;
    assert_refused(jpg.data, jpg.n, FEW_EDECODE, "no pixels");
    free(png.data);
    free(bmp.data);
    free(jpg.data);
}

// A black PNG-like header is enough: nothing behind it is looked at.
static void test_limits(void **state)
{
    (void)state;
    struct bytes png = read_data("rgb.png");
    put32(png, 16, FEW__IMAGE_SIDE_MAX + 1, true);
    put32(png, 20, 1, true);
    assert_refused(png.data, png.n, FEW_ELIMIT, "limit");
    put32(png, 16, 1, true);
    put32(png, 20, FEW__IMAGE_SIDE_MAX + 1, true);
    assert_refused(png.data, png.n, FEW_ELIMIT, "limit");
    put32(png, 16, 20000, true);
    put32(png, 20, FEW__IMAGE_PIXELS_MAX / 20000 + 1, true);
    assert_refused(png.data, png.n, FEW_ELIMIT, "limit");
    free(png.data);
    assert_refused("\xFF\xD8\xFF", (size_t)FEW__IMAGE_BYTES_MAX + 1, FEW_ELIMIT, "limit");
}

/* ---- JPEG ---- */

// The place of marker FF `code` after `from`; segments only, so that its bytes inside one do not count.
static size_t find_marker(struct bytes jpg, uint8_t code, size_t from)
{
    const uint8_t *b = (const uint8_t *)jpg.data;
    for (size_t i = from; i + 3 < jpg.n;) {
        bool marker = b[i] == 0xFF && b[i + 1] != 0 && b[i + 1] != 0xFF;
        if (marker && b[i + 1] == code) return i;
        i += !marker ? 1 : b[i + 1] == 0xD8 ? 2 : 2 + (size_t)b[i + 2] * 256 + b[i + 3];
    }
    fail_msg("no marker FF%02X", (unsigned)code);
    return 0;
}

static struct bytes jpeg_of_size(unsigned width, unsigned height)
{
    struct bytes b = read_data("420.jpg");
    char *frame = b.data + find_marker(b, 0xC0, 0);
    frame[5] = (char)(height >> 8);
    frame[6] = (char)height;
    frame[7] = (char)(width >> 8);
    frame[8] = (char)width;
    return b;
}

// Told from the header: the pixels of the second one alone would be 600 MB.
static void test_jpeg_limits(void **state)
{
    (void)state;
    static const unsigned sizes[][2] = {{65500, 1}, {1, 65500}, {FEW__IMAGE_SIDE_MAX, 6104}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes b = jpeg_of_size(sizes[i][0], sizes[i][1]);
        assert_refused(b.data, b.n, FEW_ELIMIT, "limit");
        free(b.data);
    }
}

static void assert_decodes(const void *data, size_t n, int width, int height)
{
    struct few__image image;
    struct few_error err;
    assert_status(few__image_decode(decoder, "a file", data, n, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
}

// A scan may be damaged as long as it is there.
static void test_damaged_scan(void **state)
{
    (void)state;
    struct bytes b = read_data("420.jpg");
    size_t scan = find_marker(b, 0xDA, 0) + 14;
    for (size_t i = scan; i + 2 < b.n; i += 5) b.data[i] = 0x5A;
    assert_decodes(b.data, b.n, 37, 23);
    free(b.data);
}

// An error ends the picture, after a warning too: the rows it left out would show the picture before. And nothing
// of a header that was read halfway stays for the next file.
static void test_fatal_jpeg(void **state)
{
    (void)state;
    struct bytes sound = read_data("progressive.jpg"), b = read_data("progressive.jpg");
    size_t scan = find_marker(b, 0xDA, 0) + 14, table = find_marker(b, 0xC4, scan);
    for (size_t i = scan; i + 1 < table; i += 2) memcpy(b.data + i, "\xFF", 2); // no code of ones: a warning
    assert_decodes(b.data, b.n, 37, 23);
    b.data[table + 4] = 0x7F; // there is no such Huffman table
    assert_refused(b.data, b.n, FEW_EDECODE, "damaged JPEG file: ");
    memcpy(b.data, sound.data, b.n);
    b.data[find_marker(b, 0xDB, 0) + 4] = 0x0F; // no such quantization table: within the header
    assert_refused(b.data, b.n, FEW_EDECODE, "damaged JPEG file: ");
    assert_decodes(sound.data, sound.n, 37, 23);
    free(sound.data);
    free(b.data);
}

// Its chroma is a quarter as wide, which has no name in TurboJPEG: read all the same.
static void test_rare_sampling(void **state)
{
    (void)state;
    struct bytes b = read_data("444.jpg");
    b.data[find_marker(b, 0xC0, 0) + 11] = 0x42;
    assert_decodes(b.data, b.n, 37, 23);
    free(b.data);
}

// A file that has its last scan six hundred times over.
static void test_too_many_scans(void **state)
{
    (void)state;
    struct bytes b = read_data("progressive.jpg");
    size_t first = find_marker(b, 0xDA, 0), last = first, end = b.n - 2;
    for (size_t i = first; i < end; i++)
        if ((uint8_t)b.data[i] == 0xFF && (uint8_t)b.data[i + 1] == 0xDA) last = i;
    struct bytes many = {malloc(b.n + 600 * (end - last)), last};
    memcpy(many.data, b.data, last);
    for (int i = 0; i < 600; i++, many.n += end - last) memcpy(many.data + many.n, b.data + last, end - last);
    memcpy(many.data + many.n, b.data + end, 2);
    assert_decodes(b.data, b.n, 37, 23);
    assert_refused(many.data, many.n + 2, FEW_EDECODE, "scans");
    free(many.data);
    free(b.data);
}

// Two PNGs of one size by one decoder: neither palette nor pixels of the first are in the second.
static void test_one_after_the_other(void **state)
{
    (void)state;
    static const char *const files[] = {"rgb.png", "one_bit.png", "palette.png", "palette_4.png",
                                        "grey_alpha.png"};
    struct image_case cases[CASES_MAX];
    size_t n = read_cases(cases), seen = 0;
    for (size_t i = 0; i < 25; i++) {
        const char *pair[2] = {files[i / 5], files[i % 5]};
        for (int k = 0; k < 2; k++)
            for (size_t c = 0; c < n; c++)
                if (strcmp(cases[c].file, pair[k]) == 0) {
                    compare(&cases[c]);
                    seen++;
                }
    }
    assert_int_equal(seen, 50);
}

/* ---- hostile bytes ---- */

// One image with some bytes changed, half of the time only in its header, and now and then cut.
static enum few_status decode_changed(struct bytes b, struct few__rng *rng)
{
    size_t reach = few__rng_below(rng, 2) && b.n > 96 ? 96 : b.n;
    size_t n = few__rng_below(rng, 4) ? b.n : few__rng_below(rng, b.n);
    char *copy = malloc(b.n);
    memcpy(copy, b.data, b.n);
    for (size_t k = 1 + few__rng_below(rng, 8); k; k--)
        copy[few__rng_below(rng, reach)] = (char)few__rng_next(rng);
    struct few__image image;
    enum few_status got = few__image_decode(decoder, "x", copy, n, &image, NULL);
    free(copy);
    return got;
}

static bool is_heic(const char *file)
{
    return strstr(file, ".heic") != NULL;
}

// Changes every image of one sort; returns the last status that the contract does not know.
static enum few_status change_all(bool heic)
{
    struct image_case cases[CASES_MAX];
    size_t n = read_cases(cases);
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), heic);
    enum few_status odd = FEW_OK;
    for (size_t i = 0; i < n; i++) {
        if (is_heic(cases[i].file) != heic) continue;
        struct bytes b = read_data(cases[i].file);
        for (int round = 0; round < 40; round++) {
            enum few_status got = decode_changed(b, &rng);
            if (got != FEW_OK && got != FEW_EDECODE && got != FEW_ELIMIT && got != FEW_ENOMEM) odd = got;
        }
        free(b.data);
    }
    return odd;
}

// Whatever the bytes are: no crash (the sanitizers watch), a status of the contract, and not a word on stderr.
// libde265 alone cannot be kept from printing a few of its complaints about damaged HEIC.
static void test_mutations(void **state)
{
    (void)state;
    t_tmpdir();
    int kept = dup(2), out = open(t_path("stderr"), O_RDWR | O_CREAT, 0600);
    fflush(stderr);
    dup2(out, 2);
    enum few_status odd = change_all(false);
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
    struct stat st;
    assert_int_equal(fstat(out, &st), 0);
    close(out);
    assert_int_equal(odd, FEW_OK);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(change_all(true), FEW_OK);
    struct image_case cases[CASES_MAX];
    read_cases(cases);
    compare(&cases[0]);
}

/* ---- memory ---- */

// An allocator that knows how much is out: the size stands before each block.
struct meter {
    size_t live, most;
};

static void *meter_resize(void *ud, void *ptr, size_t size)
{
    struct meter *m = ud;
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    if (block) m->live -= *block;
    if (!size) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof *block);
    assert_non_null(block);
    *block = size;
    m->live += size;
    m->most = m->live > m->most ? m->live : m->most;
    return block + 2;
}

// 24-bit BMP, grey 0.
static struct bytes make_bmp(int width, int height)
{
    size_t n = 54 + (size_t)(width * 3 + 3) / 4 * 4 * (size_t)height;
    struct bytes b = {calloc(1, n), n};
    assert_non_null(b.data);
    memcpy(b.data, "BM", 2);
    put32(b, 2, (uint32_t)n, false);
    put32(b, 10, 54, false);
    put32(b, 14, 40, false);
    put32(b, 18, (uint32_t)width, false);
    put32(b, 22, (uint32_t)height, false);
    b.data[26] = 1;
    b.data[28] = 24;
    return b;
}

// beside_planes: bytes that the giant may take for a while besides its planes, with next to nothing more.
static void decode_giant_then_small(struct bytes giant, struct bytes small, size_t beside_planes)
{
    struct meter meter = {0};
    struct few_mem mem = {meter_resize, &meter};
    struct few_env env = {.mem = &mem};
    struct few__image_decoder *own;
    struct few_error err;
    assert_status(few__image_decoder_create(&env, &own, &err), FEW_OK, &err);
    struct few__image image;
    const size_t planes = (size_t)3 * 5056 * 4000, little = 1 << 20;
    assert_status(few__image_decode(own, "giant", giant.data, giant.n, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, 5000);
    assert_true(meter.most < planes + beside_planes + little);
    assert_true(meter.live < planes + little); // only the planes are still needed
    assert_status(few__image_decode(own, "small", small.data, small.n, &image, &err), FEW_OK, &err);
    assert_true(meter.live < little);
    few__image_decoder_destroy(own);
    assert_int_equal(meter.live, 0);
}

static void test_a_giant_does_not_stay(void **state)
{
    (void)state;
    struct bytes giant = make_bmp(5000, 4000), small = make_bmp(64, 48);
    struct bytes giant_jpeg = jpeg_of_size(5000, 4000), small_jpeg = read_data("420.jpg");
    decode_giant_then_small(giant, small, 0);
    decode_giant_then_small(giant_jpeg, small_jpeg, (size_t)3 * 5000 * 4000); // RGB before it is parted
    free(giant.data);
    free(small.data);
    free(giant_jpeg.data);
    free(small_jpeg.data);
}

static enum few_status decode_two(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few_env env = {.mem = mem};
    struct few__image_decoder *own = NULL;
    enum few_status got = few__image_decoder_create(&env, &own, NULL);
    static const char *const files[] = {"420.jpg", "turned_6.jpg", "soft.heic"};
    for (size_t i = 0; got == FEW_OK && i < 3; i++) {
        struct bytes b = read_data(files[i]);
        struct few__image image;
        got = few__image_decode(own, files[i], b.data, b.n, &image, NULL);
        free(b.data);
    }
    few__image_decoder_destroy(own);
    return got;
}

static void test_allocations(void **state)
{
    (void)state;
    t_fail_each_allocation(decode_two, NULL);
    few__image_decoder_destroy(NULL);
}

// The sizes of a first round, in any order after that, ask for nothing more.
static void test_no_allocation_once_sizes_repeat(void **state)
{
    (void)state;
    struct t_mem t;
    t_mem_init(&t, 0);
    struct few_env env = {.mem = &t.mem};
    struct few__image_decoder *own;
    assert_int_equal(few__image_decoder_create(&env, &own, NULL), FEW_OK);
    struct image_case cases[CASES_MAX];
    size_t n = read_cases(cases), after_first = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        struct bytes b = read_data(cases[i % n].file);
        struct few__image image;
        assert_int_equal(few__image_decode(own, "x", b.data, b.n, &image, NULL), FEW_OK);
        free(b.data);
        if (i == n - 1) after_first = t.calls;
    }
    assert_int_equal(t.calls, after_first);
    few__image_decoder_destroy(own);
    assert_int_equal(t.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_are_pillows),
        cmocka_unit_test(test_what_is_no_image),
        cmocka_unit_test(test_cut_files),
        cmocka_unit_test(test_no_pixels),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_jpeg_limits),
        cmocka_unit_test(test_damaged_scan),
        cmocka_unit_test(test_fatal_jpeg),
        cmocka_unit_test(test_rare_sampling),
        cmocka_unit_test(test_too_many_scans),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_a_giant_does_not_stay),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_no_allocation_once_sizes_repeat),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
