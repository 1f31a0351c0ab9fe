// SPDX-License-Identifier: Apache-2.0
// Policy files: what is written is read back, models are found by name, what has changed since is refused.
#include "policy/learned_made.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "model/catalog.h"

static struct few__learned *open_made(const struct made_zoo *zoo)
{
    struct few__learned *learned;
    struct few_error err;
    t_tmpdir();
    assert_status(made_policy(zoo, NULL, t_path("p"), &err), FEW_OK, &err);
    assert_status(few__learned_open(t_path("p"), NULL, &learned, &err), FEW_OK, &err);
    return learned;
}

/* ---- there and back ---- */

static void assert_same_model(const struct few_catalog *a, const struct few_catalog *b, size_t m)
{
    const struct few_model *x = &a->models[m], *y = &b->models[m];
    assert_string_equal(x->name, y->name);
    assert_int_equal(x->kind, y->kind);
    assert_int_equal(x->modality, y->modality);
    assert_string_equal(x->space, y->space);
    assert_int_equal(x->n_labels, y->n_labels);
    assert_int_equal(x->own_label, y->own_label);
    for (size_t i = 0; i < x->n_labels; i++) {
        assert_string_equal(x->labels[i], y->labels[i]);
        if (!x->label_ids) continue;
        assert_int_equal(x->label_ids[i], y->label_ids[i]);
        assert_int_equal(x->is_null[i], y->is_null[i]);
    }
    assert_near(x->threshold, y->threshold, 0);
    assert_near(x->empty, y->empty, 0);
    assert_near(x->tolerance, y->tolerance, 0);
    assert_near(x->priority, y->priority, 0);
    assert_int_equal(x->needs, y->needs);
    assert_int_equal(x->variant_of, y->variant_of);
    assert_string_equal(x->digest, y->digest);
    assert_memory_equal(&x->cost, &y->cost, sizeof x->cost);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct made_zoo zoo;
    const struct made_odds odds = {.threshold = 0.1F, .empty = -1.5F, .tolerance = 0.3F, .priority = 2.5F};
    made_zoo(&zoo, &odds);
    struct few__learned *learned = open_made(&zoo);
    const struct few__learned_about about = few__learned_about(learned);
    assert_true(about.seed == UINT64_MAX);
    assert_int_equal(about.split, 20);
    assert_int_equal(about.n_items, 12);
    assert_string_equal(about.source, "a\"b");
    assert_string_equal(about.trace, "1234");
    assert_int_equal(about.preferred, 0);
    assert_int_equal(about.n_methods, 1);
    const struct few__learned_method *method = &about.methods[0];
    assert_string_equal(method->name, "static");
    assert_true(method->blind);
    assert_false(method->has_outputs);
    assert_int_equal(method->folds, 5);
    assert_int_equal(method->n_stops, 3);
    assert_memory_equal(method->stops, made_stops, sizeof made_stops);
    assert_int_equal(about.n_models, M_MODELS);
    assert_int_equal(about.catalog->n_labels, zoo.catalog.n_labels);
    for (size_t l = 0; l < zoo.catalog.n_labels; l++) {
        assert_string_equal(about.catalog->labels[l].space, zoo.catalog.labels[l].space);
        assert_string_equal(about.catalog->labels[l].name, zoo.catalog.labels[l].name);
    }
    for (size_t m = 0; m < M_MODELS; m++) {
        assert_string_equal(about.models[m], zoo.catalog.models[m].name);
        assert_int_equal(about.costs[m].time_us, 1000 * ((int)m + 1));
        assert_same_model(about.catalog, &zoo.catalog, m);
    }
    few__learned_close(learned);
    made_zoo_finish(&zoo);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct made_zoo zoo;
    char *bytes[2];
    size_t n[2];
    made_zoo(&zoo, NULL);
    t_tmpdir();
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(made_policy(&zoo, NULL, t_path("p"), NULL), FEW_OK);
        assert_int_equal(few__file_read(t_path("p"), 1 << 20, NULL, &bytes[i], &n[i], NULL), FEW_OK);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    for (size_t i = 0; i < 2; i++) few__free(NULL, bytes[i]);
    made_zoo_finish(&zoo);
}

/* ---- models by name ---- */

static void score(struct few__value *value, const struct few_catalog *catalog, double *q)
{
    static const enum few__state states[M_MODELS + 1];
    static const bool found[M_MODELS + 1];
    const struct few__view view = {.catalog = catalog, .states = states, .found = found};
    if (value->begin) value->begin(value->self, &view);
    value->score(value->self, &view, q);
    value->destroy(value->self);
}

// Values follow their models into another order; what a policy knows beyond the zoo does not matter.
static void test_models_by_name(void **state)
{
    (void)state;
    struct made_zoo zoo, other;
    struct few__value value;
    struct few_error err;
    double q[M_MODELS];
    static const int names[2][5] = {{M_DEPTH, M_WORDS, M_MOOD, M_FACE, M_TAGS},
                                    {M_DEPTH, M_MOOD, M_FACE, M_TAGS, -1}};
    made_zoo(&zoo, NULL);
    struct few__learned *learned = open_made(&zoo);
    for (int i = 0; i < 2; i++) {
        const struct made_odds odds = {.turned = true, .without_words = i == 1, .priority = 3};
        made_zoo(&other, &odds);
        assert_status(few__learned_value(learned, 0, &other.catalog, other.costs, NULL, &value, &err), FEW_OK,
                      &err);
        assert_string_equal(value.name, "static");
        score(&value, &other.catalog, q);
        for (size_t m = 0; m < other.catalog.n_models; m++) {
            int known = names[i][m];
            double theta = known == M_MOOD ? 3 : 1;
            assert_near(q[m], theta * made_rate[known] * 1000 * (known + 1), 1e-12);
        }
        assert_status(few__learned_gains(learned, 0, &other.catalog, NULL, &value, &err), FEW_OK, &err);
        score(&value, &other.catalog, q);
        for (size_t m = 0; m < other.catalog.n_models; m++) {
            int known = names[i][m];
            assert_near(q[m], (known == M_MOOD ? 3 : 1) * made_gain[known], 1e-12);
        }
        made_zoo_finish(&other);
    }
    few__learned_close(learned);
    made_zoo_finish(&zoo);
}

static void assert_changed(const struct few__learned *learned, struct made_odds odds, const char *what)
{
    struct made_zoo other;
    struct few__value value;
    struct few_error err;
    made_zoo(&other, &odds);
    assert_status(few__learned_value(learned, 0, &other.catalog, other.costs, NULL, &value, &err), FEW_EINVAL,
                  &err);
    assert_null(value.self);
    if (!strstr(err.message, what)) fail_msg("\"%s\" does not say \"%s\"", err.message, what);
    made_zoo_finish(&other);
}

static void test_changed_models_are_refused(void **state)
{
    (void)state;
    struct made_zoo zoo;
    made_zoo(&zoo, NULL);
    struct few__learned *learned = open_made(&zoo);
    assert_changed(learned, (struct made_odds){.extra = "ocr"}, "found 'ocr', which it does not know");
    assert_changed(
        learned, (struct made_odds){.face_kind = FEW_BOX},
        "model 'face' has changed since the policy was learned: expected kind detections, found box");
    assert_changed(
        learned, (struct made_odds){.label = "lake"},
        "model 'tags' has changed since the policy was learned: expected label 1 to be 'sea', found lake");
    assert_changed(learned, (struct made_odds){.space = "place"},
                   "expected the label space scene, found place");
    assert_changed(learned, (struct made_odds){.fewer_labels = true}, "expected a list of 3 labels, found 2");
    assert_changed(learned, (struct made_odds){.sky_is_null = true},
                   "expected label 'sky' to be valuable, found the contrary");
    assert_changed(learned, (struct made_odds){.sound = true}, "expected input image, found sound");
    assert_changed(learned, (struct made_odds){.no_need = true},
                   "model 'mood' has changed since the policy was learned: expected needs face, found none");
    assert_changed(learned, (struct made_odds){.threshold = 0.25F}, "expected threshold 0.5, found 0.25");
    assert_changed(learned, (struct made_odds){.empty = 1}, "model 'depth' has changed");
    assert_changed(learned, (struct made_odds){.tolerance = 1}, "expected tolerance 0, found 1");
    assert_changed(learned, (struct made_odds){.digest = "beef"},
                   "expected a file with SHA-256 feed, found beef");
    struct made_zoo other; // nobody knows whether it has changed
    struct few__value value;
    made_zoo(&other, &(struct made_odds){.digest = ""});
    assert_int_equal(few__learned_value(learned, 0, &other.catalog, other.costs, NULL, &value, NULL), FEW_OK);
    value.destroy(value.self);
    made_zoo_finish(&other);
    few__learned_close(learned);
    made_zoo_finish(&zoo);
}

/* ---- prices ---- */

static void test_prices(void **state)
{
    (void)state;
    struct made_zoo zoo;
    struct few__learned_stop stop;
    struct few_error err;
    made_zoo(&zoo, NULL);
    struct few__learned *learned = open_made(&zoo);
    for (size_t i = 0; i < 3; i++) {
        assert_status(few__learned_price(learned, 0, made_stops[i].recall, &stop, &err), FEW_OK, &err);
        assert_memory_equal(&stop, &made_stops[i], sizeof stop);
    }
    assert_status(few__learned_price(learned, 0, 0.6, &stop, &err), FEW_OK, &err); // a third of the way
    assert_near(stop.recall, 0.6, 0);
    assert_near(stop.price, 3.5e-4 - 2e-4 / 3, 1e-12);
    assert_near(stop.got, 0.55 + 0.26 / 3, 1e-12);
    assert_near(stop.low, 0.5 + 0.28 / 3, 1e-12);
    assert_near(stop.high, 0.68, 1e-12);
    assert_near(stop.time_ratio, 0.3, 1e-12);
    assert_status(few__learned_price(learned, 0, 0.81, &stop, &err), FEW_OK,
                  &err); // above the last price: all
    assert_true(stop.price == -INFINITY);
    static const double none[] = {0.49, 1.01, -1, NAN};
    for (size_t i = 0; i < 4; i++) {
        assert_status(few__learned_price(learned, 0, none[i], &stop, &err), FEW_EINVAL, &err);
        assert_non_null(strstr(err.message, "expected a recall from 0.5 to 1"));
        assert_near(stop.price, 0, 0);
    }
    few__learned_close(learned);
    made_zoo_finish(&zoo);
}

/* ---- damage ---- */

static void assert_read(const char *bytes, size_t n, enum few_status expected, const char *what)
{
    struct few__learned *learned;
    struct few_error err = {.message = ""};
    assert_status(few__learned_parse(bytes, n, "x", NULL, &learned, &err), expected, &err);
    if (expected == FEW_OK) {
        few__learned_close(learned);
        return;
    }
    assert_null(learned);
    if (!strstr(err.message, what)) fail_msg("\"%s\" does not say \"%s\"", err.message, what);
}

// A file with one change of its words, of the same length.
static void change(const char *bytes, size_t n, const char *from, const char *to, enum few_status expected,
                   const char *what)
{
    char *copy = few__new(NULL, n + 1, 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    char *at = copy + 8;
    size_t length = strlen(from);
    while (at < copy + n - length && memcmp(at, from, length) != 0) at++;
    if (at == copy + n - length) fail_msg("there is no %s", from);
    assert_int_equal(strlen(to), length);
    memcpy(at, to, length);
    assert_read(copy, n, expected, what);
    few__free(NULL, copy);
}

// Quotes of the words are escaped in the header.
static void test_damaged_words(void **state)
{
    (void)state;
    struct made_zoo zoo;
    char *bytes;
    size_t n;
    static const char *const cases[][3] = {
        {"{\\\"version", "[\\\"version", "a JSON object"},
        {"version\\\": 1", "version\\\": \\", ""},
        {"seed\\\": \\\"1", "seed\\\": \\\"x", "seed: expected a whole number"},
        {"split\\\": 20", "split\\\": -1", "split"},
        {"\\\"items\\\"", "\\\"itens\\\"", "items"},
        {"\\\"source\\\": \\\"a", "\\\"sourse\\\": \\\"a", "source"},
        {"\\\"trace\\\"", "\\\"trase\\\"", "trace"},
        {"\\\"lists\\\"", "\\\"lisps\\\"", "lists"},
        {"\\\"null\\\": [2]", "\\\"null\\\": [3]", "null: expected numbers of names"},
        {"\\\"names\\\"", "\\\"namez\\\"", "names"},
        {"\\\"kind\\\": \\\"labels", "\\\"kind\\\": \\\"labelz", "kind: expected a kind of output"},
        {"\\\"input\\\": \\\"image", "\\\"input\\\": \\\"imago", "input"},
        {"\\\"list\\\": 0", "\\\"list\\\": 9", "list: expected the number of a list"},
        {"\\\"list\\\": 0", "\\\"list\\\": 2", "list: expected the number of a list"},
        {"\\\"threshold\\\": 0.5", "\\\"threshold\\\": tru", ""},
        {"\\\"priority\\\": 1", "\\\"priority\\\": 0", "priority: expected more than 0"},
        {"\\\"needs\\\": \\\"face", "\\\"needs\\\": \\\"fade", "needs: expected the name of a model"},
        {"\\\"digest\\\"", "\\\"digast\\\"", "digest"},
        {"\\\"time_us\\\": 1000", "\\\"time_us\\\": -100", "time_us"},
        {"\\\"name\\\": \\\"words", "\\\"name\\\": \\\"depth", "models: expected each name once"},
        {"\\\"folds\\\"", "\\\"foldz\\\"", "folds"},
        {"\\\"stops\\\"", "\\\"stopz\\\"", "stops"},
        {"\\\"recall\\\": 0.5", "\\\"recall\\\": 0.9", "recall: expected rising numbers"},
        {"\\\"got\\\"", "\\\"gut\\\"", "got"},
        {"\\\"preferred\\\": \\\"static", "\\\"preferred\\\": \\\"statik",
         "preferred: expected one of its methods"},
    };
    made_zoo(&zoo, NULL);
    t_tmpdir();
    assert_int_equal(made_policy(&zoo, NULL, t_path("p"), NULL), FEW_OK);
    assert_int_equal(few__file_read(t_path("p"), 1 << 20, NULL, &bytes, &n, NULL), FEW_OK);
    assert_read(bytes, n, FEW_OK, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        change(bytes, n, cases[i][0], cases[i][1], FEW_EPARSE, cases[i][2]);
    change(bytes, n, "version\\\": 1", "version\\\": 2", FEW_EVERSION, "expected version 1");
    change(bytes, n, "{\\\"name\\\": \\\"static", "{\\\"name\\\": \\\"statik", FEW_EVERSION, "'statik'");
    change(bytes, n, "fewer.policy", "fewer.polity", FEW_EPARSE, "tensors without the words of one");
    change(bytes, n, "\"static.rate", "\"static.fate", FEW_ENOENT, "method static");
    for (size_t cut = 1; cut < n; cut += 97) assert_read(bytes, n - cut, FEW_EPARSE, "");
    few__free(NULL, bytes);
    made_zoo_finish(&zoo);
}

// Numbers of the tensors.
static void test_damaged_numbers(void **state)
{
    (void)state;
    struct made_zoo zoo;
    char *bytes;
    size_t n;
    const double nan = NAN;
    made_zoo(&zoo, NULL);
    t_tmpdir();
    assert_int_equal(made_policy(&zoo, NULL, t_path("p"), NULL), FEW_OK);
    assert_int_equal(few__file_read(t_path("p"), 1 << 20, NULL, &bytes, &n, NULL), FEW_OK);
    memcpy(bytes + n - sizeof nan, &nan, sizeof nan); // the last one
    assert_read(bytes, n, FEW_EPARSE, "static.found: expected finite numbers");
    few__free(NULL, bytes);
    made_zoo_finish(&zoo);
    struct few__learned *learned;
    struct few_error err;
    assert_status(few__learned_open(t_path("nowhere"), NULL, &learned, &err), FEW_ENOENT, &err);
    assert_null(learned);
    t_write(t_path("text"), "no policy\n", 10);
    assert_status(few__learned_open(t_path("text"), NULL, &learned, &err), FEW_EPARSE, &err);
}

/* ---- memory ---- */

static enum few_status all_of_it(const struct few_mem *mem, void *ud)
{
    const struct few_env env = {.mem = mem};
    const struct made_zoo *zoo = ud;
    struct few__learned *learned;
    struct few__value value, gains;
    enum few_status made = made_policy(zoo, &env, t_path("p"), NULL);
    if (made != FEW_OK) return made;
    made = few__learned_open(t_path("p"), &env, &learned, NULL);
    if (made != FEW_OK) return made;
    enum few_status status = few__learned_value(learned, 0, &zoo->catalog, zoo->costs, &env, &value, NULL);
    if (status == FEW_OK) {
        status = few__learned_gains(learned, 0, &zoo->catalog, &env, &gains, NULL);
        if (status == FEW_OK) gains.destroy(gains.self);
        value.destroy(value.self);
    }
    few__learned_close(learned);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct made_zoo zoo;
    made_zoo(&zoo, &(struct made_odds){.priority = 2});
    t_tmpdir();
    t_fail_each_allocation(all_of_it, &zoo);
    made_zoo_finish(&zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),  cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_models_by_name),  cmocka_unit_test(test_changed_models_are_refused),
        cmocka_unit_test(test_prices),          cmocka_unit_test(test_damaged_words),
        cmocka_unit_test(test_damaged_numbers), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
