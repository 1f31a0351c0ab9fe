// SPDX-License-Identifier: Apache-2.0
/* Our side of dqn_train_vs_torch and q_decision_vs_torch: AMS's regime made up (30 models of ten tasks, three each, 1104
 * labels; about seven models of an item find something), 100,000 transitions of random walks, and an agent 1104 -> 256 -> 31.
 *
 *     agent_loop FOLDER      writes FOLDER/world.safetensors for the other side, then answers lines:
 *       check N     N updates on the transitions in order, from the first net; the net after them in FOLDER/after.safetensors
 *       train N     N updates on random batches: nanoseconds of one
 *       decide N    N decisions (new labels into the state, network, ranking): nanoseconds of one, and of a fixed loop
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "item/sched_deadline.h"
#include "item/value_dqn.h"
#include "nn/net_file.h"
#include "train/dqn_learn.h"
#include "train/walk.h"

enum {
    TASKS = 10,
    MODELS = 30,
    LABELS = 1104,
    ITEMS = 4000,
    TRANSITIONS = 100000,
    BATCH = 32,
    SAID_MAX = 80
};

// algorithms.md 1.3: objects, places, face, face landmarks, pose, emotion, gender, action, hand landmarks, dogs.
static const int n_labels[TASKS] = {80, 365, 1, 70, 17, 7, 2, 400, 42, 120};
static const double share[TASKS] = {0.7, 0.5,  0.3,  0.25, 0.3,
                                    0.2, 0.25, 0.15, 0.15, 0.1};     // of items with anything of it
static const int typical[TASKS] = {3, 2, 1, 63, 14, 1, 1, 1, 34, 1}; // labels then

struct item {
    struct few__episode_model models[MODELS];
    struct few_valuable said[MODELS][SAID_MAX];
};

struct world {
    struct item *items;
    struct few__episodes episodes;
    struct few__replay_memory *memory;
    struct few__dqn_learner *learner;
    struct few__rng rng;
};

static void must(enum few_status status, const struct few_error *err)
{
    if (status == FEW_OK) return;
    fprintf(stderr, "agent_loop: %s\n", err->message);
    exit(1);
}

static void draw_task(struct item *item, int task, int first_label, struct few__rng *rng)
{
    bool here[400] = {false};
    if (few__rng_unit(rng) >= share[task]) return;
    for (int k = 0; k < typical[task]; k++) here[few__rng_below(rng, (uint64_t)n_labels[task])] = true;
    for (int v = 0; v < MODELS / TASKS; v++) {
        int m = task * (MODELS / TASKS) + v;
        struct few__episode_model *model = &item->models[m];
        for (int l = 0; l < n_labels[task]; l++)
            if (here[l] && few__rng_unit(rng) < 0.85)
                item->said[m][model->n_valuable++] =
                    (struct few_valuable){first_label + l, (float)(0.5 + 0.5 * few__rng_unit(rng))};
    }
}

static void draw_items(struct world *w)
{
    w->items = calloc(ITEMS, sizeof *w->items);
    if (!w->items) exit(1);
    for (size_t i = 0; i < ITEMS; i++) {
        for (int m = 0; m < MODELS; m++)
            w->items[i].models[m] =
                (struct few__episode_model){.valuable = w->items[i].said[m], .found = true};
        for (int task = 0, first = 0; task < TASKS; first += n_labels[task++])
            draw_task(&w->items[i], task, first, &w->rng);
    }
    w->episodes = (struct few__episodes){.n_items = ITEMS, .n_models = MODELS, .n_labels = LABELS};
}

static void remember(struct world *w)
{
    struct few_error err;
    struct few__walk *walk;
    must(few__walk_create(&w->episodes, &(struct few__walk_rules){0}, NULL, &walk, &err), &err);
    must(few__replay_memory_create(TRANSITIONS, walk->n_words, LABELS + MODELS, (size_t)TRANSITIONS * 400,
                                   NULL, &w->memory, &err),
         &err);
    for (size_t item = 0; few__replay_memory_n(w->memory) < TRANSITIONS; item++) {
        bool ended = false;
        few__walk_begin(walk, w->items[item % ITEMS].models);
        while (!ended && few__replay_memory_n(w->memory) < TRANSITIONS) {
            struct few__transition t = {
                .n_before = (uint32_t)walk->n_inputs, .inputs = walk->inputs, .open = walk->open};
            uint64_t left = few__rng_below(&w->rng, walk->n_open + 1);
            while (!few__is_open(walk->open, t.action) || left-- > 0) t.action++;
            t.reward = (float)few__walk_step(walk, t.action, &ended);
            t.n_after = (uint32_t)walk->n_inputs;
            t.ended = ended;
            few__replay_memory_push(w->memory, &t);
        }
    }
    few__walk_destroy(walk);
}

static void make_learner(struct world *w)
{
    struct few_error err;
    struct few__rng rng;
    struct few__dqn_learn_opts opts = {.kind = FEW__DQN,
                                       .hidden = 256,
                                       .batch = BATCH,
                                       .sync = 500,
                                       .gamma = 0.9,
                                       .delta = 1,
                                       .optim = few__adam};
    opts.optim.lazy = true;
    few__rng_init(&rng, 1, 0);
    few__dqn_learner_destroy(w->learner);
    must(few__dqn_learner_create(&opts, LABELS, MODELS + 1, &rng, NULL, &w->learner, &err), &err);
}

/* ---- what the other side reads ---- */

static void *add(struct few__tensors *tensors, const char *name, enum few__dtype dtype, size_t n)
{
    struct few_error err;
    void *to;
    must(few__tensors_add(tensors, name, dtype, &n, 1, NULL, &to, &err), &err);
    return to;
}

// States as lists, those after their actions; `before` says how many of each were there before.
static void write_world(const struct world *w, const char *folder)
{
    struct few__tensors *tensors;
    struct few_error err;
    char path[4096];
    size_t total = 0;
    for (size_t i = 0; i < TRANSITIONS; i++) total += few__replay_memory_at(w->memory, i).n_after;
    must(few__tensors_create(NULL, &tensors, &err), &err);
    int32_t *inputs = add(tensors, "inputs", FEW__I32, total),
            *before = add(tensors, "before", FEW__I32, TRANSITIONS);
    int32_t *after = add(tensors, "after", FEW__I32, TRANSITIONS),
            *action = add(tensors, "action", FEW__I32, TRANSITIONS);
    float *reward = add(tensors, "reward", FEW__F32, TRANSITIONS);
    uint8_t *ended = add(tensors, "ended", FEW__U8, TRANSITIONS);
    uint8_t *open = add(tensors, "open", FEW__U8, (size_t)TRANSITIONS * (MODELS + 1));
    for (size_t i = 0; i < TRANSITIONS; i++) {
        struct few__transition t = few__replay_memory_at(w->memory, i);
        for (uint32_t k = 0; k < t.n_after; k++) *inputs++ = (int32_t)t.inputs[k];
        before[i] = (int32_t)t.n_before, after[i] = (int32_t)t.n_after, action[i] = (int32_t)t.action;
        reward[i] = t.reward, ended[i] = t.ended;
        for (size_t a = 0; a <= MODELS; a++) open[i * (MODELS + 1) + a] = few__is_open(t.open, a);
    }
    must(few__net_put(w->learner->net, tensors, "net", &err), &err);
    snprintf(path, sizeof path, "%s/world.safetensors", folder);
    must(few__tensors_write(tensors, path, &err), &err);
    few__tensors_free(tensors);
}

/* ---- training ---- */

static void check(struct world *w, const char *folder, size_t n)
{
    struct few__tensors *tensors;
    struct few_error err;
    char path[4096];
    make_learner(w);
    for (size_t i = 0; i < n; i++) {
        struct few__transition batch[BATCH];
        for (size_t s = 0; s < BATCH; s++)
            batch[s] = few__replay_memory_at(w->memory, (i * BATCH + s) % TRANSITIONS);
        must(few__dqn_learn(w->learner, batch, BATCH, NULL, &err), &err);
    }
    few__dqn_settle(w->learner);
    must(few__tensors_create(NULL, &tensors, &err), &err);
    must(few__net_put(w->learner->net, tensors, "net", &err), &err);
    snprintf(path, sizeof path, "%s/after.safetensors", folder);
    must(few__tensors_write(tensors, path, &err), &err);
    few__tensors_free(tensors);
    printf("0\n");
}

static void train(struct world *w, size_t n)
{
    struct few_error err;
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < n; i++) {
        struct few__transition batch[BATCH];
        for (size_t s = 0; s < BATCH; s++)
            batch[s] = few__replay_memory_at(w->memory, (size_t)few__rng_below(&w->rng, TRANSITIONS));
        must(few__dqn_learn(w->learner, batch, BATCH, NULL, &err), &err);
    }
    printf("%.1f\n", (double)(bench_now_ns() - start) / (double)n);
}

/* ---- deciding ---- */

struct deciding { // one item as its view shows it
    struct few_model models[MODELS];
    struct few_cost costs[MODELS];
    enum few__state states[MODELS];
    enum few_outcome outcomes[MODELS];
    bool found[MODELS], held[MODELS], resident[MODELS];
    uint64_t working_bytes[MODELS];
    double slow[MODELS];
    int32_t seen_labels[LABELS];
    float seen[LABELS];
    struct few_catalog catalog;
    struct few__view view;
};

static void begin_deciding(struct deciding *d, struct few__rng *rng)
{
    d->catalog = (struct few_catalog){.n_models = MODELS, .models = d->models, .n_labels = LABELS};
    for (size_t m = 0; m < MODELS; m++) {
        d->models[m] = (struct few_model){.name = "m", .needs = -1, .variant_of = -1};
        d->costs[m].time_us = 50000 + (int64_t)few__rng_below(rng, 350000);
        d->resident[m] = true;
        d->slow[m] = 1;
    }
    d->view = (struct few__view){.catalog = &d->catalog,
                                 .costs = d->costs,
                                 .states = d->states,
                                 .outcomes = d->outcomes,
                                 .found = d->found,
                                 .held = d->held,
                                 .seen = d->seen,
                                 .seen_labels = d->seen_labels,
                                 .n_lanes = 1,
                                 .n_free_lanes = 1,
                                 .memory_bytes = FEW__NO_BUDGET,
                                 .free_bytes = FEW__NO_BUDGET,
                                 .working_bytes = d->working_bytes,
                                 .resident = d->resident,
                                 .slow = d->slow,
                                 .pace = 1,
                                 .deadline_us = FEW__NO_DEADLINE};
}

static void run_model(struct deciding *d, const struct few__episode_model *said, size_t m)
{
    d->states[m] = FEW__DONE;
    d->outcomes[m] = FEW_EXECUTED;
    d->found[m] = true;
    for (size_t i = 0; i < said->n_valuable; i++) {
        int32_t label = said->valuable[i].label;
        if (d->seen[label] > 0) continue;
        d->seen[label] = said->valuable[i].confidence;
        d->seen_labels[d->view.n_seen++] = label;
    }
}

static void next_item(struct deciding *d)
{
    for (size_t i = 0; i < d->view.n_seen; i++) d->seen[d->seen_labels[i]] = 0;
    d->view.n_seen = 0;
    d->view.item++;
    for (size_t m = 0; m < MODELS; m++) d->states[m] = FEW__PENDING;
    d->view.n_pending = MODELS;
}

// Until every model of an item has run: 30 decisions each. What a model says is not ours to time.
static void decide(struct world *w, size_t n)
{
    static struct deciding d;
    struct few_error err;
    struct few__value value;
    struct few__sched sched;
    size_t chosen[MODELS], done = 0;
    struct few__choice choice = {.models = chosen};
    int64_t took = 0;
    begin_deciding(&d, &w->rng);
    few__dqn_settle(w->learner);
    const struct few__dqn_net about = {.net = w->learner->net, .n_labels = LABELS, .n_models = MODELS};
    must(few__value_dqn(&about, &d.catalog, "dqn", NULL, &value, &err), &err);
    must(few__sched_deadline_create(&d.catalog, value, FEW__RANK_PRODUCT, NULL, &sched, &err), &err);
    while (done < n) {
        const struct item *item = &w->items[few__rng_below(&w->rng, ITEMS)];
        next_item(&d);
        int64_t start = bench_now_ns();
        sched.chooser.begin(sched.chooser.self, &d.view);
        for (; d.view.n_pending > 0; d.view.n_pending--, done++) {
            sched.chooser.choose(sched.chooser.self, &d.view, &choice);
            run_model(&d, &item->models[chosen[0]], chosen[0]);
        }
        took += bench_now_ns() - start;
    }
    few__sched_destroy(&sched);
    printf("%.1f %.1f\n", (double)took / (double)done, bench_calibrate());
}

int main(int argc, char **argv)
{
    static struct world w;
    char line[64], word[16];
    size_t n;
    if (argc != 2) {
        fprintf(stderr, "usage: agent_loop FOLDER\n");
        return 2;
    }
    few__rng_init(&w.rng, 1, 1);
    draw_items(&w);
    remember(&w);
    make_learner(&w);
    write_world(&w, argv[1]);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s %zu", word, &n) != 2) return 2;
        if (strcmp(word, "check") == 0) check(&w, argv[1], n);
        else if (strcmp(word, "train") == 0) train(&w, n);
        else if (strcmp(word, "decide") == 0) decide(&w, n);
        else return 2;
        fflush(stdout);
    }
    return 0;
}
