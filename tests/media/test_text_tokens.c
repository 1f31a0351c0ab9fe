// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "media/text_tokens.h"
#include "support/support.h"

enum { UNKNOWN = -7, PAD = -1 };

static struct few__vocabulary *make(const struct few__tokens *tokens)
{
    struct few__vocabulary *vocabulary;
    struct few_error err;
    assert_status(few__vocabulary_create(tokens, NULL, &vocabulary, &err), FEW_OK, &err);
    return vocabulary;
}

/* expected: the ids without padding, then PAD up to length. */
static void assert_ids(const struct few__tokens *tokens, const char *text, size_t n, const int64_t *expected)
{
    int64_t ids[16];
    struct few__vocabulary *vocabulary = make(tokens);
    for (size_t i = 0; i < 16; i++) ids[i] = 99;
    size_t got = few__vocabulary_fill(vocabulary, text, ids);
    if (got != n) fail_msg("\"%s\": %zu ids, expected %zu", text, got, n);
    for (size_t i = 0; i < 16; i++) {
        int64_t its = i < n ? expected[i] : i < tokens->length ? PAD : 99;
        if (ids[i] != its)
            fail_msg("\"%s\": id %zu is %lld, not %lld", text, i, (long long)ids[i], (long long)its);
    }
    few__vocabulary_destroy(vocabulary);
}

#define IDS(...)                                                          \
    sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (const int64_t[]) \
    {                                                                     \
        __VA_ARGS__                                                       \
    }

static const char *const words[] = {"the", "a",         "dog", "the", "dogs",
                                    "2",   "caf\u00e9", "",    "Dog", "\u0434\u043e\u043c"};
static const struct few__tokens by_word = {
    .split = FEW__WORDS, .length = 6, .n_names = 10, .names = words, .unknown = UNKNOWN, .pad = PAD};

static void test_words(void **state)
{
    (void)state;
    assert_ids(&by_word, "", 0, NULL);
    assert_ids(&by_word, " ,.-\n\t", 0, NULL);
    assert_ids(&by_word, "The dog", IDS(0, 2)); // the first "the" of the list
    assert_ids(&by_word, "(DOGS!) do dogsx 2", IDS(4, UNKNOWN, UNKNOWN, 5));
    assert_ids(&by_word, "a-a_a\u00a0a\u2014a\u3000a", IDS(1, 1, 1, 1, 1, 1));
    assert_ids(&by_word, "CAF\u00c9 caf\u00e9 cafe \u0414\u041e\u041c", IDS(6, 6, UNKNOWN, 9));
    assert_ids(&by_word, "a dog a dog a dog a dog", IDS(1, 2, 1, 2, 1, 2)); // longer than length
    assert_ids(&by_word, "\u72ac\u3002\u72ac", IDS(UNKNOWN, UNKNOWN));
    assert_ids(&by_word, "\U0001F600a\U0001F600", IDS(1));
}

static void test_what_is_no_utf8(void **state)
{
    (void)state;
    assert_ids(&by_word,
               "a\xff\xfe"
               "dog",
               IDS(1, UNKNOWN, UNKNOWN, 2));
    assert_ids(&by_word, "dog\xc3", IDS(2, UNKNOWN));        // cut off
    assert_ids(&by_word, "\xc0\xaf", IDS(UNKNOWN, UNKNOWN)); // longer than it needs to be
    assert_ids(&by_word, "\xe0\x80\xaf", IDS(UNKNOWN, UNKNOWN, UNKNOWN));
    assert_ids(&by_word, "\xed\xa0\x80", IDS(UNKNOWN, UNKNOWN, UNKNOWN));                   // half a pair
    assert_ids(&by_word, "\xf4\x90\x80\x80 a", IDS(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, 1)); // beyond the last
    assert_ids(&by_word, "\xf0\x9f\x98", IDS(UNKNOWN, UNKNOWN, UNKNOWN));
}

static void test_characters(void **state)
{
    (void)state;
    static const char *const points[] = {"b", "a", " ", "A", "\u00e9", "\U0001F600", "ab", "a"};
    const struct few__tokens tokens = {
        .split = FEW__CHARACTERS, .length = 5, .n_names = 8, .names = points, .unknown = UNKNOWN, .pad = PAD};
    assert_ids(&tokens, "", 0, NULL);
    assert_ids(&tokens, "ab A", IDS(1, 0, 2, 3)); // case counts; "ab" is no character
    assert_ids(&tokens, "\u00e9\U0001F600z", IDS(4, 5, UNKNOWN));
    assert_ids(&tokens,
               "a\x80\xc3"
               "b",
               IDS(1, UNKNOWN, UNKNOWN, 0));
    assert_ids(&tokens, "aaaaaaaa", IDS(1, 1, 1, 1, 1));
}

static void test_no_vocabulary(void **state)
{
    (void)state;
    const struct few__tokens none = {.split = FEW__WORDS, .length = 2, .unknown = UNKNOWN, .pad = PAD};
    assert_ids(&none, "a dog barks", IDS(UNKNOWN, UNKNOWN));
    const struct few__tokens zero = {.split = FEW__WORDS, .n_names = 10, .names = words};
    assert_ids(&zero, "the dog", 0, NULL);
}

/* A long vocabulary with repeats against a search from its beginning. */
static void test_against_a_plain_search(void **state)
{
    (void)state;
    enum { NAMES = 3000 };
    static char text[NAMES][4];
    static const char *names[NAMES];
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (size_t i = 0; i < NAMES; i++) {
        size_t n = 1 + few__rng_below(&rng, 3);
        for (size_t k = 0; k < n; k++) text[i][k] = (char)('a' + few__rng_below(&rng, 26));
        names[i] = text[i];
    }
    const struct few__tokens tokens = {
        .split = FEW__WORDS, .length = 1, .n_names = NAMES, .names = names, .unknown = UNKNOWN, .pad = PAD};
    struct few__vocabulary *vocabulary = make(&tokens);
    for (int round = 0; round < 3000; round++) {
        char word[5] = "";
        int64_t expected = UNKNOWN, id;
        size_t n = 1 + few__rng_below(&rng, 4);
        for (size_t k = 0; k < n; k++) word[k] = (char)('a' + few__rng_below(&rng, 26));
        for (size_t i = 0; expected == UNKNOWN && i < NAMES; i++)
            if (strcmp(names[i], word) == 0) expected = (int64_t)i;
        assert_int_equal(few__vocabulary_fill(vocabulary, word, &id), 1);
        assert_int_equal(id, expected);
    }
    few__vocabulary_destroy(vocabulary);
}

static enum few_status create_with(const struct few_mem *mem, void *ud)
{
    struct few__vocabulary *vocabulary;
    enum few_status got = few__vocabulary_create(ud, mem, &vocabulary, NULL);
    few__vocabulary_destroy(vocabulary);
    return got;
}

static void test_every_allocation(void **state)
{
    (void)state;
    t_fail_each_allocation(create_with, (void *)&by_word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_is_no_utf8),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_no_vocabulary),
        cmocka_unit_test(test_against_a_plain_search),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
