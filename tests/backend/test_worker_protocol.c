// SPDX-License-Identifier: Apache-2.0
// Lines to and from workers: numbers survive the way, and no line does harm.
#include "backend/worker_protocol.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "support/support.h"

static const struct few_model model = {.name = "m", .kind = FEW_VECTOR};

// What stands between two marks of a line, as a text.
static const char *part_of(const struct few__text *text, const char *before, char after, size_t *n)
{
    const char *at = strstr(text->s, before);
    assert_non_null(at);
    at += strlen(before);
    *n = (size_t)(strchr(at, after) - at);
    return at;
}

// The numbers of a request, put into an answer, come back bit by bit.
static void test_numbers_go_and_come(void **state)
{
    (void)state;
    enum { MOST = 4000 };
    static float data[MOST];
    const struct few__recipe recipe = {.backend = "worker"};
    struct few__rng rng;
    struct few__text request, line;
    struct few__answer answer = {.mem = few__mem_default()};
    struct few_error err;
    few__rng_init(&rng, t_seed(), 0);
    few__text_init(&request, NULL, 1 << 20);
    few__text_init(&line, NULL, 1 << 20);
    const int64_t lengths[] = {1, 2, 3, 4, 5, 767, 768, 769, 1024, MOST};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        size_t n = (size_t)lengths[k], length;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits = (uint32_t)few__rng_next(&rng); // NaN and infinities too
            memcpy(&data[i], &bits, sizeof bits);
        }
        few__text_clear(&request);
        few__worker_request(
            &request, (int64_t)k, &recipe, 0,
            &(struct few__run_input){.data = data, .n_dims = 4, .dims = {1, 1, 1, lengths[k]}});
        assert_true(few__text_ok(&request));
        assert_int_equal(request.s[request.n - 1], '\n');
        const char *base64 = part_of(&request, "\"data\":\"", '"', &length);
        assert_int_equal(length, (4 * n + 2) / 3 * 4);
        few__text_clear(&line);
        few__text_printf(&line, "{\"id\":%zu,\"outputs\":[{\"shape\":[%zu],\"data\":\"", k, n);
        few__text_add(&line, base64, length);
        few__text_put(&line, "\"}]}");
        assert_status(few__worker_read_answer(line.s, line.n, (int64_t)k, &recipe, 1, &answer, &err), FEW_OK,
                      &err);
        assert_int_equal(answer.n, 1);
        assert_int_equal(answer.tensors[0].n, n);
        assert_memory_equal(answer.tensors[0].data, data, n * sizeof(float));
    }
    few__free(answer.mem, answer.numbers);
    few__text_finish(&line);
    few__text_finish(&request);
}

static void test_greeting(void **state)
{
    (void)state;
    struct few__recipe recipe = {
        .batch = 4,
        .input = {.layout = FEW__NHWC, .pixels = {.resize = FEW__HEIGHT, .width = 320, .height = 48}},
        .decode = {.n_outputs = 2, .outputs = {"a", "b"}}};
    struct few__text text;
    few__text_init(&text, NULL, 1000);
    few__worker_hello(&text, &recipe, &model);
    assert_string_equal(
        text.s,
        "{\"fewer\":1,\"model\":\"m\",\"shape\":[1,48,-1,3],\"batch\":4,\"outputs\":[\"a\",\"b\"]}\n");
    few__text_finish(&text);
    char version[FEW__WORKER_VERSION_MAX], long_one[300];
    struct few_error err;
    snprintf(long_one, sizeof long_one, "{\"ready\":1,\"version\":\"%0200d\"}", 7);
    assert_status(few__worker_read_ready(long_one, strlen(long_one), version, &err), FEW_OK, &err);
    assert_int_equal(strlen(version), FEW__WORKER_VERSION_MAX - 1);
    assert_status(few__worker_read_ready("{\"ready\":1}", 11, version, &err), FEW_OK, &err);
    assert_string_equal(version, "");
    assert_status(few__worker_read_ready("{\"error\":\"\"}", 12, version, &err), FEW_EBACKEND, &err);
    assert_string_equal(err.message, "an error without words");
}

static bool is_expected(enum few_status status)
{
    return status == FEW_OK || status == FEW_EPARSE || status == FEW_ESHAPE || status == FEW_EBACKEND ||
           status == FEW_EVERSION;
}

// Lines with a few bytes changed, cut short or doubled: read or refused, never more.
static void test_survives_any_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{\"id\":5,\"outputs\":[{\"name\":\"a\",\"shape\":[2,1],\"data\":\"AACAPwAAgD8=\"},{\"shape\":[2],"
        "\"data\":[1,2]}]}",
        "{\"id\":5,\"output\":[1,2e3,-0.5,7]}",
        "{\"id\":5,\"error\":\"no\"}",
        "{\"ready\":1,\"version\":\"x\"}",
    };
    static const char alphabet[] = "{}[]\",:0159-eE.=A/ \\u\n\xC3\xA9\x7F";
    const struct few__recipe recipe = {.decode = {.n_outputs = 2, .outputs = {"a", "b"}}}, one = {.batch = 2};
    struct few__answer answer = {.mem = few__mem_default()};
    struct few__rng rng;
    size_t good = 0, bad = 0;
    few__rng_init(&rng, t_seed(), 1);
    for (int round = 0; round < 20000; round++) {
        char line[300], version[FEW__WORKER_VERSION_MAX];
        struct few_error err = {.message = ""};
        const char *from = lines[few__rng_next(&rng) % 4];
        size_t n = strlen(from);
        memcpy(line, from, n);
        for (uint64_t k = few__rng_next(&rng) % 4; k > 0; k--)
            line[few__rng_next(&rng) % n] = alphabet[few__rng_next(&rng) % (sizeof alphabet - 1)];
        if (few__rng_next(&rng) % 8 == 0) n = few__rng_next(&rng) % n;
        char *exact = few__new(NULL, n + 1, 1); // so that a sanitizer sees a read beyond the end
        memcpy(exact, line, n);
        int64_t id;
        enum few_status statuses[] = {
            few__worker_read_answer(exact, n, 5, round % 2 ? &recipe : &one, 1 + round % 3, &answer, &err),
            few__worker_read_ready(exact, n, version, NULL),
            few__worker_read_id(exact, n, &id, NULL),
        };
        for (size_t i = 0; i < 3; i++) assert_true(is_expected(statuses[i]));
        if (statuses[0] == FEW_OK) {
            size_t sum = 0;
            for (size_t i = 0; i < answer.n; i++) sum += answer.tensors[i].n;
            assert_int_equal(sum, answer.n_numbers);
        }
        good += statuses[0] == FEW_OK;
        bad += statuses[0] != FEW_OK && *err.message != '\0';
        few__free(NULL, exact);
    }
    assert_true(good > 100);
    assert_int_equal(good + bad, 20000); // every refusal has its words
    few__free(answer.mem, answer.numbers);
}

// What a worker of sound or text is told; one of pictures is told what it always was.
static void test_sound_and_text_in_lines(void **state)
{
    (void)state;
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    float data[2] = {1, -1};
    int64_t tokens[3] = {5, -1, 0};
    struct few__recipe recipe = {.backend = "worker",
                                 .input = {.modality = FEW_SOUND, .window = {16000, 1, 1, 1}}};
    struct few__run_input in = {.data = data, .n_dims = 2, .dims = {1, 2}, .first = true};
    few__worker_hello(&text, &recipe, &model);
    few__worker_request(&text, 1, &recipe, 7, &in);
    in.first = false;
    few__worker_request(&text, 2, &recipe, 7, &in);
    assert_string_equal(text.s,
                        "{\"fewer\":1,\"model\":\"m\",\"shape\":[1,2],\"input\":\"sound\",\"rate\":16000,"
                        "\"window\":1,\"hop\":1,\"context\":1,\"batch\":1,\"outputs\":[]}\n"
                        "{\"id\":1,\"shape\":[1,2],\"lane\":7,\"first\":true,\"data\":\"AACAPwAAgL8=\"}\n"
                        "{\"id\":2,\"shape\":[1,2],\"lane\":7,\"first\":false,\"data\":\"AACAPwAAgL8=\"}\n");
    few__text_clear(&text);
    recipe.input = (struct few__input){.modality = FEW_TEXT, .tokens = {.length = 3}};
    few__worker_hello(&text, &recipe, &model);
    const struct few__run_input read = {.tokens = tokens, .n_dims = 2, .dims = {1, 3}, .first = true};
    few__worker_request(&text, 3, &recipe, 0, &read);
    assert_string_equal(text.s, "{\"fewer\":1,\"model\":\"m\",\"shape\":[1,3],\"input\":\"text\",\"batch\":1,"
                                "\"outputs\":[]}\n{\"id\":3,\"shape\":[1,3],\"tokens\":[5,-1,0]}\n");
    few__text_clear(&text);
    recipe.input = (struct few__input){.pixels = {.width = 2, .height = 1}, .colour = FEW__GRAY};
    const struct few__run_input seen = {.data = data, .n_dims = 4, .dims = {1, 1, 1, 2}};
    few__worker_request(&text, 4, &recipe, 3, &seen);
    assert_string_equal(text.s, "{\"id\":4,\"shape\":[1,1,1,2],\"data\":\"AACAPwAAgL8=\"}\n");
    few__text_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_go_and_come),
        cmocka_unit_test(test_greeting),
        cmocka_unit_test(test_sound_and_text_in_lines),
        cmocka_unit_test(test_survives_any_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
