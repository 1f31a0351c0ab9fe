// SPDX-License-Identifier: Apache-2.0
/* ams_table: AMS's tables on the made-up world, as lines of JSON; ams_print.py sets them beside the published numbers
 * (docs/paper-ams.md).
 *
 *     ams_table baselines RULES [ITEMS]    every method without training on the corpus's test items (0, all of them)
 *     ams_table sets RULES [ITEMS]         the same on ITEMS of each data set (10000) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/error.h"
#include "model/rules_file.h"
#include "paper/ams_methods.h"

enum { STATIC_ITEMS = 10000 }; // train items that the fixed orders are learned from

struct table {
    struct ams_world world;
    struct few__arena arena;
    struct few__rules rules;
    struct few__bounder *bounder;
    struct ams_item item;
    struct ams_row row;
    struct ams_sum scratch;
    struct ams_context context;
    struct ams_subject subjects[AMS_BASELINES];
};

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

static enum few_status open_table(struct table *t, const char *rules_path, struct few_error *err)
{
    FEW__TRY(ams_world_init(&t->world, AMS_SEED, NULL, err));
    few__arena_init(&t->arena, NULL, (size_t)64 << 20);
    FEW__TRY(few__rules_read(rules_path, &t->world.catalog, &t->arena, NULL, NULL, &t->rules, err));
    FEW__TRY(few__bounder_create(&t->world.catalog, NULL, &t->bounder, err));
    ams_row_init(&t->row, &t->world);
    t->context = (struct ams_context){.world = &t->world, .rules = &t->rules, .row = &t->row, .seed = 1};
    return FEW_OK;
}

static void close_table(struct table *t)
{
    few__bounder_destroy(t->bounder);
    few__arena_finish(&t->arena);
    ams_world_finish(&t->world);
}

/* ---- one pass ---- */

// Every subject on the items of the walk, one item in memory at a time.
static void stream(struct table *t, struct ams_walk walk, struct ams_subject *subjects, size_t n_subjects,
                   unsigned parts)
{
    enum ams_dataset dataset;
    uint64_t number, id, n = 0;
    double start_s = now_s(), early_mib = 0;
    while (ams_walk_next(&walk, &dataset, &number, &id)) {
        struct ams_facts facts;
        ams_world_item(&t->world, dataset, number, &t->item);
        ams_row_set(&t->row, &t->item);
        ams_facts_of(t->bounder, &t->world, &t->item, &t->scratch, &facts);
        for (size_t i = 0; i < n_subjects; i++)
            ams_subject_measure(&subjects[i], id, &t->item, &facts, &t->scratch, parts);
        if (++n == 1000) early_mib = peak_mib();
    }
    printf("{\"set\": \"%s\", \"streamed\": %llu, \"took_s\": %.1f, \"peak_mib_after_1000\": %.1f, "
           "\"peak_mib\": %.1f}\n",
           walk.source.name, (unsigned long long)n, now_s() - start_s, early_mib, peak_mib());
}

static enum few_status baselines(struct table *t, const struct ams_source *source, uint64_t n,
                                 struct few_error *err)
{
    struct ams_walk walk = {.source = *source, .n = n};
    enum few_status status = ams_learn_static(&t->world, source, STATIC_ITEMS, &t->context, err);
    size_t n_open = 0;
    for (; status == FEW_OK && n_open < AMS_BASELINES; n_open += status == FEW_OK)
        status = ams_subject_open(&t->subjects[n_open], &ams_baselines[n_open], &t->context, err);
    if (status == FEW_OK) stream(t, walk, t->subjects, AMS_BASELINES, AMS_EVERYTHING);
    for (size_t i = 0; i < n_open; i++) {
        if (status == FEW_OK) ams_subject_print(&t->subjects[i], source->name, 0, AMS_EVERYTHING, stdout);
        ams_subject_close(&t->subjects[i]);
    }
    return status;
}

static enum few_status run(struct table *t, int argc, char **argv, struct few_error *err)
{
    const struct ams_source corpus = {.name = "corpus", .corpus = true};
    uint64_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    FEW__TRY(open_table(t, argv[2], err));
    if (strcmp(argv[1], "baselines") == 0) return baselines(t, &corpus, n, err);
    for (enum ams_dataset d = 0; strcmp(argv[1], "sets") == 0 && d < AMS_DATASETS; d++) {
        const struct ams_source source = {.name = ams_dataset_names[d], .dataset = d};
        FEW__TRY(baselines(t, &source, n ? n : 10000, err));
    }
    return FEW_OK;
}

int main(int argc, char **argv)
{
    static struct table table;
    struct few_error err = {.message = ""};
    if (argc < 3) {
        fprintf(stderr, "usage: ams_table baselines|sets RULES [ITEMS]\n");
        return 2;
    }
    enum few_status status = run(&table, argc, argv, &err);
    if (status != FEW_OK) fprintf(stderr, "ams_table: %s\n", err.message);
    close_table(&table);
    return status == FEW_OK ? 0 : 1;
}
