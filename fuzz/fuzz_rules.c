// SPDX-License-Identifier: Apache-2.0
/* The bytes are a file of rules for the zoo of fuzz_zoo. */
#include "fuzz.h"
#include "fuzz_zoo.h"
#include "model/rules_file.h"

static void on_problem(void *ud, const struct few_problem *problem)
{
    fuzz_must(problem->file && problem->where && problem->expected && problem->found);
    fuzz_must(problem->line >= 0 && problem->column >= 0);
    ++*(size_t *)ud;
}

static void look(const struct few__rules *rules, const struct few_catalog *catalog)
{
    fuzz_must(rules->n >= 1 && rules->n <= FEW__RULES_MAX);
    for (size_t i = 0; i < rules->n; i++) {
        const struct few__rule *rule = &rules->rules[i];
        fuzz_must(rule->times >= 0.001 && rule->times <= 1000);
        fuzz_must(rule->n_labels >= 1 && rule->n_models >= 1 && rule->n_models <= catalog->n_models);
        for (size_t k = 0; k < rule->n_labels; k++)
            fuzz_must(rule->labels[k] >= 0 && (size_t)rule->labels[k] < catalog->n_labels);
        for (size_t k = 0; k < rule->n_models; k++) {
            fuzz_must(rule->models[k] < catalog->n_models);
            fuzz_must(k == 0 || rule->models[k - 1] < rule->models[k]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct few_catalog *catalog = few_zoo_catalog(fuzz_zoo());
    const char *path = fuzz_path("rules.yaml");
    struct few__arena arena;
    struct few__rules rules;
    struct few_error err;
    size_t problems = 0;
    fuzz_write(path, data, size);
    few__arena_init(&arena, fuzz_env()->mem, FUZZ_MEMORY);
    enum few_status status = few__rules_read(path, catalog, &arena, on_problem, &problems, &rules, &err);
    if (status == FEW_OK) look(&rules, catalog);
    else fuzz_must(rules.n == 0 && err.message[0] && err.code == status);
    if (status == FEW_OK) fuzz_must(problems == 0);
    if (status == FEW_EPARSE) fuzz_must(problems > 0);
    few__arena_finish(&arena);
    return 0;
}
