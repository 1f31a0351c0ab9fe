// SPDX-License-Identifier: Apache-2.0
/* ams_table: AMS's tables on the made-up world, as lines of JSON; ams_print.py sets them beside the published numbers
 * (docs/paper-ams.md). ITEMS are test items, 0 = every one of the corpus.
 *
 *     ams_table baselines RULES [ITEMS]          methods without training on the corpus (0)
 *     ams_table sets RULES [ITEMS]               the same on each data set (10000 of each)
 *     ams_table agents RULES [ITEMS [SEEDS]]     the four agents (20000, 5 seeds)
 *     ams_table agent RULES [ITEMS [KIND]]       one of them on the corpus (0, dueling_dqn)
 *     ams_table priority RULES [ITEMS [SEEDS]]   a prioritised face detector (10000, 5)
 *     ams_table transfer RULES [ITEMS [SEEDS]]   trained on one data set, tested on another (10000, 5) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/error.h"
#include "model/rules_file.h"
#include "paper/ams_agents.h"

enum {
    STATIC_ITEMS = 10000, // train items that the fixed orders are learned from
    SEEDS_MAX = 16,
    AGENTS_MAX = SEEDS_MAX * (FEW__DQN_KIND_COUNT + 1),
    SUBJECTS_MAX = 3 * AGENTS_MAX + AMS_BASELINES,
};

struct measured {
    struct ams_subject subject;
    int seed;
    unsigned parts;
};

struct table {
    struct ams_world world;
    struct few__arena arena;
    struct few__rules rules;
    struct few__bounder *bounder;
    struct ams_item item;
    struct ams_row row;
    struct ams_sum scratch;
    struct ams_context base;
    size_t n_subjects, n_agents;
    struct measured subjects[SUBJECTS_MAX];
    struct ams_context contexts[AGENTS_MAX]; // of the agents
    struct ams_agent agents[AGENTS_MAX];
};

static const struct ams_source corpus = {.name = "corpus", .corpus = true};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* ---- subjects ---- */

static enum few_status add_subject(struct table *t, const struct ams_method *method,
                                   const struct ams_context *context, int seed, unsigned parts,
                                   struct few_error *err)
{
    struct measured *m = &t->subjects[t->n_subjects];
    m->seed = seed;
    m->parts = parts;
    FEW__TRY(ams_subject_open(&m->subject, method, context, err));
    t->n_subjects++;
    return FEW_OK;
}

// The agent is the last of t->agents; its context is t->contexts[t->n_agents - 1].
static enum few_status train_agent(struct table *t, const struct ams_source *source,
                                   const struct ams_agent_opts *opts, struct few_error *err)
{
    struct ams_context *context = &t->contexts[t->n_agents];
    struct ams_agent *agent = &t->agents[t->n_agents];
    double start_s = now_s();
    FEW__TRY(ams_agent_train(&t->world, source, opts, agent, err));
    *context = t->base;
    context->learned = &agent->meaning;
    t->n_agents++;
    printf("{\"trained\": \"%s\", \"on\": \"%s\", \"seed\": %llu, \"took_s\": %.1f}\n",
           ams_agent_methods[opts->kind].name, source->name, (unsigned long long)opts->seed,
           now_s() - start_s);
    fflush(stdout);
    return FEW_OK;
}

static void close_subjects(struct table *t)
{
    while (t->n_subjects > 0) ams_subject_close(&t->subjects[--t->n_subjects].subject);
}

static void forget(struct table *t)
{
    close_subjects(t);
    while (t->n_agents > 0) ams_agent_finish(&t->agents[--t->n_agents]);
}

// Every subject on the items of the walk, one item in memory at a time.
static void stream(struct table *t, struct ams_walk walk)
{
    enum ams_dataset dataset;
    uint64_t number, id, n = 0;
    double start_s = now_s(), early_mib = 0;
    while (ams_walk_next(&walk, &dataset, &number, &id)) {
        struct ams_facts facts;
        ams_world_item(&t->world, dataset, number, &t->item);
        ams_row_set(&t->row, &t->item);
        ams_facts_of(t->bounder, &t->world, &t->item, &t->scratch, &facts);
        for (size_t i = 0; i < t->n_subjects; i++)
            ams_subject_measure(&t->subjects[i].subject, id, &t->item, &facts, &t->scratch,
                                t->subjects[i].parts);
        if (++n == 1000) early_mib = peak_mib();
    }
    printf("{\"set\": \"%s\", \"streamed\": %llu, \"took_s\": %.1f, \"peak_mib_after_1000\": %.1f, "
           "\"peak_mib\": %.1f}\n",
           walk.source.name, (unsigned long long)n, now_s() - start_s, early_mib, peak_mib());
}

static void print_subjects(const struct table *t, const char *set)
{
    for (size_t i = 0; i < t->n_subjects; i++)
        ams_subject_print(&t->subjects[i].subject, set, t->subjects[i].seed, t->subjects[i].parts, stdout);
    fflush(stdout);
}

/* ---- tables ---- */

static enum few_status baselines(struct table *t, const struct ams_source *source, uint64_t n,
                                 struct few_error *err)
{
    FEW__TRY(ams_learn_static(&t->world, source, STATIC_ITEMS, &t->base, err));
    for (size_t i = 0; i < AMS_BASELINES; i++)
        FEW__TRY(add_subject(t, &ams_baselines[i], &t->base, 0, AMS_EVERYTHING, err));
    stream(t, (struct ams_walk){.source = *source, .n = n});
    print_subjects(t, source->name);
    forget(t);
    return FEW_OK;
}

static enum few_status sets(struct table *t, uint64_t n, struct few_error *err)
{
    for (enum ams_dataset d = 0; d < AMS_DATASETS; d++) {
        const struct ams_source source = {.name = ams_dataset_names[d], .dataset = d};
        FEW__TRY(baselines(t, &source, n, err));
    }
    return FEW_OK;
}

static enum few_status add_kind(struct table *t, enum few__dqn_kind kind, int seed, struct few_error *err)
{
    const struct ams_agent_opts opts = {.kind = kind, .seed = (uint64_t)seed};
    FEW__TRY(train_agent(t, &corpus, &opts, err));
    const struct ams_context *context = &t->contexts[t->n_agents - 1];
    FEW__TRY(add_subject(t, &ams_agent_methods[kind], context, seed, AMS_EVERYTHING, err));
    FEW__TRY(add_subject(t, &ams_agent_greedy[kind], context, seed, AMS_FREELY, err));
    if (kind != FEW__DUELING_DQN) return FEW_OK;
    return add_subject(t, &ams_agent_printed, context, seed, AMS_FREELY | AMS_BY_DEADLINE, err);
}

static enum few_status add_of_sums(struct table *t, int seed, struct few_error *err)
{
    const struct ams_agent_opts opts = {
        .kind = FEW__DUELING_DQN, .seed = (uint64_t)seed, .reward = FEW__REWARD_SUM};
    FEW__TRY(train_agent(t, &corpus, &opts, err));
    return add_subject(t, &ams_agent_of_sums, &t->contexts[t->n_agents - 1], seed, AMS_EVERYTHING, err);
}

static enum few_status agents(struct table *t, uint64_t n, int n_seeds, struct few_error *err)
{
    FEW__TRY(add_subject(t, &ams_baselines[0], &t->base, 0, AMS_EVERYTHING, err));
    for (int seed = 1; seed <= n_seeds; seed++) {
        for (enum few__dqn_kind kind = 0; kind < FEW__DQN_KIND_COUNT; kind++)
            FEW__TRY(add_kind(t, kind, seed, err));
        FEW__TRY(add_of_sums(t, seed, err));
    }
    stream(t, (struct ams_walk){.source = corpus, .n = n});
    print_subjects(t, "corpus sample");
    return FEW_OK;
}

static enum few_status one_agent(struct table *t, uint64_t n, const char *name, struct few_error *err)
{
    struct ams_agent_opts opts = {.kind = FEW__DQN, .seed = 1};
    while (opts.kind < FEW__DQN_KIND_COUNT && strcmp(ams_agent_methods[opts.kind].name, name) != 0)
        opts.kind++;
    if (opts.kind == FEW__DQN_KIND_COUNT)
        return few__fail(err, FEW_EINVAL,
                         "kind: expected dqn, double_dqn, dueling_dqn or deep_sarsa, found %s", name);
    FEW__TRY(train_agent(t, &corpus, &opts, err));
    FEW__TRY(add_subject(t, &ams_agent_methods[opts.kind], &t->contexts[0], 1, AMS_EVERYTHING, err));
    stream(t, (struct ams_walk){.source = corpus, .n = n});
    print_subjects(t, "corpus");
    return FEW_OK;
}

enum { FACE_MIDDLE = 12 }; // the face detector that is prioritised

static enum few_status priority(struct table *t, uint64_t n, int n_seeds, struct few_error *err)
{
    static const double priorities[] = {1, 2, 5, 10};
    enum { LAST = AMS_RECALLS - 1 };
    for (size_t p = 0; p < sizeof priorities / sizeof *priorities; p++) {
        double theta[AMS_MODELS];
        for (size_t m = 0; m < AMS_MODELS; m++) theta[m] = m == FACE_MIDDLE ? priorities[p] : 1;
        FEW__TRY(add_subject(t, &ams_baselines[0], &t->base, 0, AMS_FREELY, err));
        for (int seed = 1; seed <= n_seeds; seed++) {
            const struct ams_agent_opts opts = {
                .kind = FEW__DUELING_DQN, .seed = (uint64_t)seed, .theta = theta};
            FEW__TRY(train_agent(t, &corpus, &opts, err));
            FEW__TRY(add_subject(t, &ams_agent_methods[FEW__DUELING_DQN], &t->contexts[t->n_agents - 1], seed,
                                 AMS_FREELY, err));
        }
        stream(t, (struct ams_walk){.source = corpus, .n = n});
        const struct ams_subject *random = &t->subjects[0].subject;
        for (size_t i = 1; i < t->n_subjects; i++) {
            const struct ams_subject *s = &t->subjects[i].subject;
            printf("{\"theta\": %g, \"seed\": %d, \"position\": %.6g, \"saved\": %.6g}\n", priorities[p],
                   t->subjects[i].seed, s->position[FACE_MIDDLE] / (double)s->n,
                   1 - s->time_us[LAST] / random->time_us[LAST]);
        }
        forget(t);
    }
    return FEW_OK;
}

static const enum ams_dataset transferred[] = {AMS_STANFORD40, AMS_VOC};
enum { N_TRANSFERRED = sizeof transferred / sizeof *transferred };

// Random order and all agents, which were trained on one data set after the other, n_seeds each.
static enum few_status test_transfer(struct table *t, enum ams_dataset on, uint64_t n, int n_seeds,
                                     struct few_error *err)
{
    enum { PARTS = AMS_FREELY | AMS_BY_DEADLINE };
    const struct ams_source source = {.name = ams_dataset_names[on], .dataset = on};
    FEW__TRY(add_subject(t, &ams_baselines[0], &t->base, 0, PARTS, err));
    for (size_t i = 0; i < t->n_agents; i++)
        FEW__TRY(add_subject(t, &ams_agent_methods[FEW__DUELING_DQN], &t->contexts[i], 1 + (int)i % n_seeds,
                             PARTS, err));
    stream(t, (struct ams_walk){.source = source, .n = n});
    for (size_t i = 0; i < t->n_subjects; i++) {
        const struct ams_subject *s = &t->subjects[i].subject;
        const char *from = i == 0 ? "random" : ams_dataset_names[transferred[(i - 1) / (size_t)n_seeds]];
        printf("{\"trained_on\": \"%s\", \"tested_on\": \"%s\", \"seed\": %d, \"time_s\": %.6g, "
               "\"reached_in_1s\": %.6g}\n",
               from, source.name, t->subjects[i].seed, s->time_us[AMS_RECALLS - 1] / (double)s->n / 1e6,
               s->deadline[AMS_DEADLINES - 1] / (double)s->n);
    }
    close_subjects(t);
    return FEW_OK;
}

static enum few_status transfer(struct table *t, uint64_t n, int n_seeds, struct few_error *err)
{
    for (size_t i = 0; i < N_TRANSFERRED; i++) {
        const struct ams_source source = {.name = ams_dataset_names[transferred[i]],
                                          .dataset = transferred[i]};
        for (int seed = 1; seed <= n_seeds; seed++) {
            const struct ams_agent_opts opts = {.kind = FEW__DUELING_DQN, .seed = (uint64_t)seed};
            FEW__TRY(train_agent(t, &source, &opts, err));
        }
    }
    for (size_t i = 0; i < N_TRANSFERRED; i++) FEW__TRY(test_transfer(t, transferred[i], n, n_seeds, err));
    return FEW_OK;
}

/* ---- the command ---- */

static enum few_status open_table(struct table *t, const char *rules_path, struct few_error *err)
{
    FEW__TRY(ams_world_init(&t->world, AMS_SEED, NULL, err));
    few__arena_init(&t->arena, NULL, (size_t)64 << 20);
    FEW__TRY(few__rules_read(rules_path, &t->world.catalog, &t->arena, NULL, NULL, &t->rules, err));
    FEW__TRY(few__bounder_create(&t->world.catalog, NULL, &t->bounder, err));
    ams_row_init(&t->row, &t->world);
    t->base = (struct ams_context){.world = &t->world, .rules = &t->rules, .row = &t->row, .seed = 1};
    return FEW_OK;
}

static void close_table(struct table *t)
{
    forget(t);
    few__bounder_destroy(t->bounder);
    few__arena_finish(&t->arena);
    ams_world_finish(&t->world);
}

static enum few_status run(struct table *t, int argc, char **argv, struct few_error *err)
{
    const char *what = argv[1];
    uint64_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, sample = n ? n : 10000;
    int n_seeds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 5;
    if (n_seeds < 1 || n_seeds > SEEDS_MAX) n_seeds = 5;
    FEW__TRY(open_table(t, argv[2], err));
    if (strcmp(what, "baselines") == 0) return baselines(t, &corpus, n, err);
    if (strcmp(what, "sets") == 0) return sets(t, sample, err);
    if (strcmp(what, "agents") == 0) return agents(t, n ? n : 20000, n_seeds, err);
    if (strcmp(what, "agent") == 0) return one_agent(t, n, argc > 4 ? argv[4] : "dueling_dqn", err);
    if (strcmp(what, "priority") == 0) return priority(t, sample, n_seeds, err);
    if (strcmp(what, "transfer") == 0) return transfer(t, sample, n_seeds, err);
    return few__fail(err, FEW_EINVAL,
                     "expected baselines, sets, agents, agent, priority or transfer, found %s", what);
}

int main(int argc, char **argv)
{
    static struct table table;
    struct few_error err = {.message = ""};
    if (argc < 3) {
        fprintf(stderr, "usage: ams_table TABLE RULES [ITEMS [SEEDS|KIND]]\n");
        return 2;
    }
    enum few_status status = run(&table, argc, argv, &err);
    if (status != FEW_OK) fprintf(stderr, "ams_table: %s\n", err.message);
    close_table(&table);
    return status == FEW_OK ? 0 : 1;
}
