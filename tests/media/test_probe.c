// SPDX-License-Identifier: Apache-2.0
#include "core/rng.h"
#include "data.h"
#include "media/image_internal.h"

/* ---- EXIF ---- */

struct block {
    uint8_t bytes[256];
    size_t n;
    bool big;
};

static void add16(struct block *b, unsigned v)
{
    b->bytes[b->n++] = (uint8_t)(b->big ? v >> 8 : v);
    b->bytes[b->n++] = (uint8_t)(b->big ? v : v >> 8);
}

static void add32(struct block *b, uint32_t v)
{
    add16(b, b->big ? v >> 16 : v & 0xFFFF);
    add16(b, b->big ? v & 0xFFFF : v >> 16);
}

// A directory at `at` whose second of two entries is the orientation, with this type and value.
static struct block exif(bool big, uint32_t at, unsigned n_entries, unsigned type, uint32_t value)
{
    struct block b = {.big = big};
    b.bytes[0] = b.bytes[1] = big ? 'M' : 'I';
    b.n = 2;
    add16(&b, 42);
    add32(&b, at);
    add16(&b, n_entries);
    add16(&b, 271); // maker: text somewhere else
    add16(&b, 2);
    add32(&b, 5);
    add32(&b, 0xFFFFFFF0);
    add16(&b, 274);
    add16(&b, type);
    add32(&b, 1);
    if (type == 3) add16(&b, value), add16(&b, 0);
    else add32(&b, value);
    return b;
}

static int orientation_of(struct block b)
{
    return few__exif_orientation(b.bytes, b.n);
}

static void test_exif(void **state)
{
    (void)state;
    for (unsigned v = 1; v <= 8; v++)
        for (int big = 0; big < 2; big++) {
            assert_int_equal(orientation_of(exif(big, 8, 2, 3, v)), v);
            assert_int_equal(orientation_of(exif(big, 8, 2, 4, v)), v);
        }
    assert_int_equal(orientation_of(exif(true, 8, 60000, 3, 6)), 6); // more entries told than there are
    assert_int_equal(orientation_of(exif(true, 8, 1, 3, 6)), 1);
    assert_int_equal(orientation_of(exif(true, 8, 2, 3, 0)), 1);
    assert_int_equal(orientation_of(exif(true, 8, 2, 3, 9)), 1);
    assert_int_equal(orientation_of(exif(true, 8, 2, 7, 6)), 1);          // of no number type
    assert_int_equal(orientation_of(exif(true, 0xFFFFFFFF, 2, 3, 6)), 1); // a directory outside
    assert_int_equal(orientation_of(exif(false, 0xFFFFFFFA, 2, 3, 6)), 1);
    struct block b = exif(false, 8, 2, 3, 6);
    for (size_t n = 0; n < b.n; n++) {
        int got = few__exif_orientation(b.bytes, n);
        assert_true(got == 1 || (n >= b.n - 2 && got == 6));
    }
    assert_int_equal(few__exif_orientation(NULL, 0), 1);
    assert_int_equal(few__exif_orientation((const uint8_t *)"Exif\0\0", 6), 1);
}

// Bytes of chance behind a right beginning: the copy ends where the heap block does, so an address sanitizer
// sees a read outside.
static void test_chance(void **state)
{
    (void)state;
    static const struct {
        const char *magic;
        size_t n;
    } starts[] = {{"\xFF\xD8\xFF\xE1", 4}, {"\x89PNG\r\n\x1A\n", 8},   {"GIF89a", 6},         {"BM", 2},
                  {"II*\0\x08\0\0\0", 8},  {"RIFF\x10\0\0\0WEBP", 12}, {"MM\0*\0\0\0\x08", 8}};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 0);
    for (int round = 0; round < 20000; round++) {
        size_t k = few__rng_below(&rng, sizeof starts / sizeof *starts),
               n = starts[k].n + few__rng_below(&rng, 80);
        uint8_t *bytes = malloc(n);
        for (size_t i = 0; i < n; i++)
            bytes[i] =
                few__rng_below(&rng, 3) ? (uint8_t)few__rng_next(&rng) : (uint8_t)-few__rng_below(&rng, 2);
        memcpy(bytes, starts[k].magic, starts[k].n);
        struct few__probe p = few__image_probe(bytes, n);
        assert_in_range(p.orientation, 1, 8);
        assert_true(p.width >= -(int64_t)INT32_MAX - 1 && p.width <= UINT32_MAX);
        free(bytes);
    }
}

static void test_every_header(void **state)
{
    (void)state;
    struct image_case cases[CASES_MAX];
    size_t n = read_cases(cases);
    for (size_t i = 0; i < n; i++) {
        struct bytes b = read_data(cases[i].file);
        struct few__probe p = few__image_probe((const uint8_t *)b.data, b.n);
        bool turned = p.orientation > 4;
        assert_int_not_equal(p.kind, FEW__IMAGE_KIND_COUNT);
        assert_true(p.whole);
        if (p.kind != FEW__HEIF) {
            assert_int_equal(turned ? p.height : p.width, cases[i].width);
            assert_int_equal(turned ? p.width : p.height, cases[i].height);
        }
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exif),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_every_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
