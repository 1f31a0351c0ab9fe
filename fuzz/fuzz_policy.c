// SPDX-License-Identifier: Apache-2.0
/* A policy file. The bytes are its words, plain JSON, and behind an empty line its tensors as fuzz_tensors has them: a header
 * of one line, then data. Without that, the tensors of `static` are there, for as many models as the words name kinds.
 * What does not begin with "{" is the file itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "policy/learned.h"

enum { SIZE_MAX_HERE = 1 << 17 };

/* ---- the file ---- */

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (text = strstr(text, word); text; text = strstr(text + 1, word)) n++;
    return n;
}

static struct few__tensors *make_tensors(const char *words)
{
    static const char *const names[] = {"static.rate", "static.gain", "static.found"};
    struct few__tensors *tensors = NULL;
    size_t n = count(words, "\"kind\"");
    if (few__tensors_create(fuzz_env(), &tensors, NULL) != FEW_OK) return NULL;
    for (size_t i = 0; i < 3; i++) {
        void *data;
        if (few__tensors_add(tensors, names[i], FEW__F64, &n, 1, NULL, &data, NULL) != FEW_OK) continue;
        for (size_t k = 0; k < n; k++) ((double *)data)[k] = 1.0 / (double)(k + 1);
    }
    return tensors;
}

static struct few__tensors *read_tensors(const char *bytes, size_t n)
{
    static char file[SIZE_MAX_HERE];
    struct few__tensors *tensors;
    const char *end = memchr(bytes, '\n', n);
    uint64_t header = end ? (uint64_t)(end - bytes) : n;
    size_t rest = end ? n - (size_t)header - 1 : 0;
    memcpy(file, &header, 8);
    memcpy(file + 8, bytes, header);
    if (rest > 0) memcpy(file + 8 + header, end + 1, rest);
    return few__tensors_parse(file, 8 + header + rest, "x", fuzz_env(), &tensors, NULL) == FEW_OK ? tensors
                                                                                                  : NULL;
}

/* ---- what comes out ---- */

struct scene { // an item on which nothing ran, or everything
    enum few__state *states;
    enum few_outcome *outcomes;
    bool *found, *held;
    const struct few_output **outputs;
    float *seen;
    int32_t *seen_labels;
    uint16_t *n_said;
    double *q;
};

static void *take(size_t n, size_t size)
{
    void *memory = calloc(n + 1, size);
    if (!memory) abort();
    return memory;
}

static void ask(struct few__value *value, const struct few__learned_about *about, struct scene *s, bool ran)
{
    size_t n = about->n_models;
    for (size_t m = 0; m < n; m++) {
        s->states[m] = ran ? FEW__DONE : FEW__PENDING;
        s->outcomes[m] = FEW_EXECUTED;
        s->found[m] = ran;
    }
    const struct few__view view = {.catalog = about->catalog,
                                   .costs = about->costs,
                                   .states = s->states,
                                   .outcomes = s->outcomes,
                                   .found = s->found,
                                   .held = s->held,
                                   .outputs = s->outputs,
                                   .seen = s->seen,
                                   .seen_labels = s->seen_labels,
                                   .n_said = s->n_said,
                                   .n_pending = ran ? 0 : n,
                                   .item = ran};
    if (value->begin) value->begin(value->self, &view);
    value->score(value->self, &view, s->q);
}

static void use_value(struct few__value *value, const struct few__learned_about *about)
{
    size_t n = about->n_models, n_labels = about->catalog->n_labels;
    struct scene s = {.states = take(n, sizeof *s.states),
                      .outcomes = take(n, sizeof *s.outcomes),
                      .found = take(n, sizeof *s.found),
                      .held = take(n, sizeof *s.held),
                      .outputs = take(n, sizeof(const struct few_output *)),
                      .seen = take(n_labels, sizeof *s.seen),
                      .seen_labels = take(n_labels, sizeof *s.seen_labels),
                      .n_said = take(n_labels, sizeof *s.n_said),
                      .q = take(n, sizeof *s.q)};
    for (int ran = 0; ran < 2; ran++) ask(value, about, &s, ran);
    free(s.states);
    free(s.outcomes);
    free(s.found);
    free(s.held);
    free(s.outputs);
    free(s.seen);
    free(s.seen_labels);
    free(s.n_said);
    free(s.q);
    value->destroy(value->self);
}

static void use_method(const struct few__learned *learned, const struct few__learned_about *about, size_t i)
{
    struct few__value value;
    struct few__learned_stop stop;
    // The policy's own catalog always fits it; a circle of needs may be refused.
    if (few__learned_value(learned, i, about->catalog, about->costs, fuzz_env(), &value, NULL) == FEW_OK)
        use_value(&value, about);
    if (few__learned_gains(learned, i, about->catalog, fuzz_env(), &value, NULL) == FEW_OK)
        use_value(&value, about);
    for (double recall = -0.1; recall < 1.2; recall += 0.1)
        if (few__learned_price(learned, i, recall, &stop, NULL) == FEW_OK)
            fuzz_must(stop.recall == recall && !isnan(stop.price));
}

// What can be read is written and read again as the same.
static void again(const struct few__learned *learned, const struct few__learned_about *about)
{
    const struct few__tensors *from = few__learned_tensors(learned);
    struct few__learned *second = NULL;
    struct few__tensors *tensors;
    struct few_error err;
    fuzz_must(few__tensors_create(fuzz_env(), &tensors, NULL) == FEW_OK);
    for (size_t i = 0; i < from->n; i++)
        fuzz_must(few__tensors_add(tensors, from->list[i].name, from->list[i].dtype, from->list[i].dims,
                                   from->list[i].n_dims, from->list[i].data, NULL, NULL) == FEW_OK);
    fuzz_must(few__learned_write(about, tensors, fuzz_path("q"), &err) == FEW_OK);
    fuzz_must_say(few__learned_open(fuzz_path("q"), fuzz_env(), &second, &err) == FEW_OK, err.message);
    const struct few__learned_about b = few__learned_about(second);
    fuzz_must(b.seed == about->seed && b.split == about->split && b.n_items == about->n_items);
    fuzz_must(b.n_methods == about->n_methods && b.preferred == about->preferred);
    fuzz_must(b.n_models == about->n_models && b.catalog->n_labels == about->catalog->n_labels);
    for (size_t l = 0; l < b.catalog->n_labels; l++)
        fuzz_must(strcmp(b.catalog->labels[l].name, about->catalog->labels[l].name) == 0);
    few__learned_close(second);
    few__tensors_free(tensors);
}

static void look(enum few_status status, struct few__learned *learned, const struct few_error *err)
{
    if (status != FEW_OK) {
        fuzz_must(!learned && err->message[0] && err->code == status);
        return;
    }
    const struct few__learned_about about = few__learned_about(learned);
    fuzz_must(about.n_methods > 0 && about.preferred < about.n_methods);
    for (size_t i = 0; i < about.n_methods; i++) use_method(learned, &about, i);
    again(learned, &about);
    few__learned_close(learned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct few__learned *learned = NULL;
    struct few_error err = {.message = ""};
    if (size == 0 || data[0] != '{' || size + 9 > SIZE_MAX_HERE) {
        enum few_status status = few__learned_parse(data, size, "x", fuzz_env(), &learned, &err);
        look(status, learned, &err);
        return 0;
    }
    static char words[SIZE_MAX_HERE];
    memcpy(words, data, size);
    words[size] = 0;
    char *rest = strstr(words, "\n\n");
    if (rest) *rest = 0;
    struct few__tensors *tensors =
        rest ? read_tensors(rest + 2, size - (size_t)(rest + 2 - words)) : make_tensors(words);
    if (!tensors) return 0;
    if (few__tensors_say(tensors, "fewer.policy", words, NULL) == FEW_OK &&
        few__tensors_write(tensors, fuzz_path("p"), NULL) == FEW_OK) {
        enum few_status status = few__learned_open(fuzz_path("p"), fuzz_env(), &learned, &err);
        look(status, learned, &err);
    }
    few__tensors_free(tensors);
    return 0;
}
