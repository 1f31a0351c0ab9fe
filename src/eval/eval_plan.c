// SPDX-License-Identifier: Apache-2.0
/* few_plan: what one method of a policy needs and gives under a range of budgets, on items that it was not learned from. */
#include <math.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/error.h"
#include "eval/eval_draw.h"
#include "eval/eval_lane.h"

#define JSON_MAX ((size_t)16 << 20)

enum { COLUMNS = 3, DIGITS = 6 }; // of a unit: time with reading, recall, agreement

enum budget_kind { BY_RECALL, BY_DEADLINE, BY_MEMORY };

struct budget {
    enum budget_kind kind;
    double recall, price;
    int64_t deadline_us;
    uint64_t memory;            // BY_MEMORY: shared
    struct few__eval_point sum; // of its models alone; then the mean
    double *rows;               // (n_units, COLUMNS)
    bool *used;                 // (n_models,) ran on any item
    double low[COLUMNS], high[COLUMNS];
};

struct plan {
    struct few__eval *eval;
    struct few__eval_method method;
    size_t number; // of the method in the policy
    double rate;   // items a second; 0 = not asked
    size_t n;
    struct budget *budgets; // (n,)
    double read_us;         // mean of an item
    struct few__eval_item state;
};

/* ---- what is asked ---- */

static enum few_status find_method(struct plan *p, const char *name, struct few_error *err)
{
    struct few__learned_about about = few__learned_about(p->eval->learned);
    p->number = about.preferred;
    for (size_t i = 0; name && i < about.n_methods; i++) {
        if (strcmp(about.methods[i].name, name) != 0) continue;
        p->number = i;
        name = NULL;
    }
    if (name) return few__fail(err, FEW_EINVAL, "method: expected one of the policy, found \"%s\"", name);
    if (p->number >= about.n_methods) return few__fail(err, FEW_EINVAL, "expected a policy with methods");
    p->method = few__eval_learned_method(&about.methods[p->number]);
    return FEW_OK;
}

// Those that the policy promises, where none was asked for.
static void default_recalls(struct plan *p)
{
    const struct few__learned_method *learned = p->method.learned;
    size_t n = learned->n_stops < FEW__EVAL_RECALLS_MAX ? learned->n_stops : FEW__EVAL_RECALLS_MAX;
    p->eval->n_recalls = n;
    for (size_t i = 0; i < n; i++) p->eval->recalls[i] = learned->stops[i].recall;
}

// A quarter and half of what all models take, where that is known.
static void default_memories(struct plan *p)
{
    const struct few_catalog *catalog = &p->eval->trace->catalog;
    uint64_t all = 0;
    for (size_t m = 0; m < catalog->n_models; m++) {
        if (catalog->models[m].cost.memory_bytes == 0) return;
        all += catalog->models[m].cost.memory_bytes;
    }
    p->eval->memories[p->eval->n_memories++] = all / 4 + 1;
    p->eval->memories[p->eval->n_memories++] = all / 2 + 1;
}

static enum few_status add_budget(struct plan *p, struct budget budget, struct few_error *err)
{
    struct few__eval *eval = p->eval;
    budget.rows = FEW__ARENA_NEW(eval->arena, double, eval->n_units *COLUMNS);
    budget.used = FEW__ARENA_NEW(eval->arena, bool, eval->trace->catalog.n_models);
    p->budgets[p->n++] = budget;
    return budget.rows && budget.used ? FEW_OK : few__no_memory(err, "plan");
}

static enum few_status add_budgets(struct plan *p, struct few_error *err)
{
    const struct few__eval *eval = p->eval;
    size_t n = eval->n_recalls + eval->n_deadlines * (1 + eval->n_memories);
    p->budgets = FEW__ARENA_NEW(eval->arena, struct budget, n);
    if (!p->budgets) return few__no_memory(err, "plan");
    for (size_t i = 0; i < eval->n_recalls; i++) {
        struct few__learned_stop stop;
        FEW__TRY(few__learned_price(eval->learned, p->number, eval->recalls[i], &stop, err));
        struct budget budget = {.kind = BY_RECALL, .recall = eval->recalls[i], .price = stop.price};
        FEW__TRY(add_budget(p, budget, err));
    }
    for (size_t k = 0; k <= eval->n_memories; k++)
        for (size_t d = 0; d < eval->n_deadlines; d++) {
            struct budget budget = {.kind = k == 0 ? BY_DEADLINE : BY_MEMORY,
                                    .deadline_us = eval->deadlines_us[d],
                                    .memory = k == 0 ? 0 : eval->memories[k - 1]};
            FEW__TRY(add_budget(p, budget, err));
        }
    return FEW_OK;
}

/* ---- replays ---- */

static void note_item(struct plan *p, size_t i_test, int64_t wall_us, struct budget *budget)
{
    const struct few__eval *eval = p->eval;
    const struct few__eval_whole *whole = &eval->wholes[i_test];
    struct few__eval_point one = {0};
    double *row = &budget->rows[eval->units[i_test] * COLUMNS];
    few__eval_add(&one, &p->state, whole);
    row[0] += one.time_ratio + (double)eval->trace->items[eval->test[i_test]].decode_us;
    row[1] += one.recall;
    row[2] += one.agreement;
    few__eval_add(&budget->sum, &p->state, whole);
    budget->sum.wall_us += (double)wall_us;
    for (size_t m = 0; m < eval->trace->catalog.n_models; m++) budget->used[m] |= p->state.ran[m];
}

static void replay_recall(struct plan *p, struct few__eval_lane *lane, size_t i_test, struct budget *budget)
{
    few__sched_deadline_price(&lane->sched, budget->price);
    few__eval_lane_freely(lane, false);
    few__eval_begin(&p->state, lane->said.item);
    for (size_t k = 0; k < lane->n_steps; k++) few__eval_run(&p->state, lane->steps[k].model);
    note_item(p, i_test, 0, budget);
    few__sched_deadline_price(&lane->sched, -INFINITY);
}

// budgets: (n,) of one memory, or none
static enum few_status replay_items(struct plan *p, struct few__eval_lane *lane, struct budget *budgets,
                                    size_t n, struct few_error *err)
{
    for (size_t i = 0; i < p->eval->n_test; i++) {
        FEW__TRY(few__eval_lane_item(lane, p->eval->test[i], err));
        for (size_t b = 0; b < n; b++) {
            struct budget *budget = &budgets[b];
            if (budget->kind == BY_RECALL) {
                replay_recall(p, lane, i, budget);
                continue;
            }
            few__eval_lane_deadline(lane, budget->deadline_us, &p->state, &budget->sum.late);
            note_item(p, i, lane->wall_us, budget);
        }
    }
    return FEW_OK;
}

static enum few_status replay(struct plan *p, const struct few__eval_room *room, struct budget *budgets,
                              size_t n, struct few_error *err)
{
    struct few__eval_lane lane;
    enum few_status status = few__eval_lane_open(p->eval, &p->method, room, &lane, err);
    if (status == FEW_OK) status = replay_items(p, &lane, budgets, n, err);
    few__eval_lane_close(&lane);
    return status;
}

static enum few_status replay_all(struct plan *p, struct few_error *err)
{
    const struct few__eval *eval = p->eval;
    size_t n = eval->n_recalls + eval->n_deadlines;
    FEW__TRY(few__eval_item_create(eval, &p->state, err));
    FEW__TRY(replay(p, NULL, p->budgets, n, err));
    for (size_t k = 0; k < eval->n_memories; k++, n += eval->n_deadlines) {
        struct few__eval_room room = {eval->memories[k], FEW__PACK_IMPROVED};
        FEW__TRY(replay(p, &room, &p->budgets[n], eval->n_deadlines, err));
    }
    for (size_t i = 0; i < eval->n_test; i++)
        p->read_us += (double)eval->trace->items[eval->test[i]].decode_us / (double)eval->n_test;
    return FEW_OK;
}

/* ---- intervals ---- */

static enum few_status draw(const struct plan *p, struct few__arena *scratch, struct budget *budget,
                            struct few_error *err)
{
    struct few__eval_draw draw;
    double *means[COLUMNS];
    FEW__TRY(few__eval_draw_create(p->eval, COLUMNS, scratch, &draw, err));
    for (size_t c = 0; c < COLUMNS; c++)
        if (!(means[c] = FEW__ARENA_NEW(scratch, double, FEW__EVAL_DRAWS)))
            return few__no_memory(err, "plan");
    for (size_t b = 0; b < FEW__EVAL_DRAWS; b++) {
        few__eval_draw(p->eval, budget->rows, COLUMNS, b, &draw);
        for (size_t c = 0; c < COLUMNS; c++) means[c][b] = draw.sums[c] / draw.n_items;
    }
    for (size_t c = 0; c < COLUMNS; c++) few__eval_interval(means[c], &budget->low[c], &budget->high[c]);
    budget->sum = few__eval_mean(&budget->sum, p->eval);
    return FEW_OK;
}

static enum few_status draw_all(struct plan *p, struct few_error *err)
{
    struct few__arena scratch;
    enum few_status status = FEW_OK;
    few__arena_init(&scratch, p->eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    for (size_t b = 0; status == FEW_OK && b < p->n; b++) {
        few__arena_reset(&scratch);
        status = draw(p, &scratch, &p->budgets[b], err);
    }
    few__arena_finish(&scratch);
    return status;
}

/* ---- the answer ---- */

static void put(struct few__text *text, const char *name, double value)
{
    few__text_printf(text, ", \"%s\": ", name);
    few__text_double(text, value, DIGITS);
}

/* All that ever run stay loaded, and the one that runs works. Where weights are not known, all of its memory stays. */
static double memory_of(const struct plan *p, const struct budget *budget)
{
    const struct few_catalog *catalog = &p->eval->trace->catalog;
    double held = 0, working = 0;
    if (budget->kind == BY_MEMORY) return (double)budget->memory;
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few_cost *cost = &catalog->models[m].cost;
        if (!budget->used[m]) continue;
        held += (double)(cost->weights_bytes ? cost->weights_bytes : cost->memory_bytes);
        if (cost->weights_bytes) working = fmax(working, (double)(cost->memory_bytes - cost->weights_bytes));
    }
    return held + working;
}

static void put_budget(struct few__text *text, const struct plan *p, double key, const struct budget *budget)
{
    const struct few__eval_point *mean = &budget->sum;
    double models_us = mean->time_ratio * p->eval->run_all_us / (double)p->eval->n_test;
    double time_us = models_us + p->read_us;
    few__text_printf(text, "\"%g\": {\"time_ms\": ", key);
    few__text_double(text, time_us / 1e3, DIGITS);
    put(text, "time_low", budget->low[0] / 1e3);
    put(text, "time_high", budget->high[0] / 1e3);
    put(text, "time_ratio", mean->time_ratio);
    put(text, "models", mean->models);
    put(text, "memory_mib", memory_of(p, budget) / 0x1p20);
    put(text, "recall", mean->recall);
    put(text, "recall_low", budget->low[1]);
    put(text, "recall_high", budget->high[1]);
    put(text, "agreement", mean->agreement);
    put(text, "agreement_low", budget->low[2]);
    put(text, "agreement_high", budget->high[2]);
    if (budget->kind != BY_RECALL) put(text, "late", mean->late);
    if (budget->kind == BY_MEMORY) put(text, "wall_ms", (mean->wall_us + p->read_us) / 1e3);
    if (budget->kind == BY_RECALL) put(text, "price", budget->price);
    if (time_us > 0) put(text, "items_per_hour", 3.6e9 / time_us);
    if (p->rate > 0) put(text, "cores", p->rate * time_us / 1e6);
    few__text_put(text, "}");
}

static void put_deadlines(struct few__text *text, const struct plan *p, const struct budget *budgets)
{
    for (size_t d = 0; d < p->eval->n_deadlines; d++) {
        few__text_put(text, d ? ",\n      " : "\n      ");
        put_budget(text, p, (double)budgets[d].deadline_us / 1e3, &budgets[d]);
    }
}

static void put_plan(struct few__text *text, const struct plan *p)
{
    const struct few__eval *eval = p->eval;
    const struct budget *budget = p->budgets;
    few__text_put(text, "  \"plan\": {\n    \"recall\": {");
    for (size_t i = 0; i < eval->n_recalls; i++, budget++) {
        few__text_put(text, i ? ",\n      " : "\n      ");
        put_budget(text, p, budget->recall, budget);
    }
    few__text_put(text, "},\n    \"deadline\": {");
    put_deadlines(text, p, budget);
    few__text_put(text, "},\n    \"memory\": {");
    for (size_t k = 0; k < eval->n_memories; k++) {
        budget += eval->n_deadlines;
        few__text_printf(text, "%s\n    \"%g\": {\"deadline\": {", k ? "," : "",
                         (double)eval->memories[k] / 0x1p20);
        put_deadlines(text, p, budget);
        few__text_put(text, "}}");
    }
    few__text_put(text, "}}\n}");
}

static enum few_status write_answer(const struct plan *p, char **json, struct few_error *err)
{
    const struct few__eval *eval = p->eval;
    const struct few_catalog *catalog = &eval->trace->catalog;
    uint64_t all = 0;
    struct few__text text;
    for (size_t m = 0; m < catalog->n_models; m++) all += catalog->models[m].cost.memory_bytes;
    few__text_init(&text, eval->env.mem, JSON_MAX);
    few__text_put(&text, "{\n  \"method\": ");
    few__text_json(&text, p->method.name);
    few__text_printf(&text, ", \"models\": %zu, \"items\": %zu, \"test_items\": %zu, \"split\": \"%s\", ",
                     catalog->n_models, eval->trace->n_items, eval->n_test,
                     eval->same_items ? "none: all items train and test" : "sha1");
    few__text_printf(&text, "\"split_at\": %d, \"seed\": %llu,\n  \"run_all\": {\"time_ms\": ", eval->split,
                     (unsigned long long)eval->seed);
    few__text_double(&text, (eval->run_all_us / (double)eval->n_test + p->read_us) / 1e3, DIGITS);
    put(&text, "memory_mib", (double)all / 0x1p20);
    few__text_put(&text, "}");
    put(&text, "read_ms", p->read_us / 1e3);
    if (p->rate > 0) put(&text, "rate", p->rate);
    few__text_put(&text, ",\n");
    put_plan(&text, p);
    // Text handed out is freed without the host's allocator in reach, so it comes from the default one.
    if (few__text_ok(&text)) *json = few__strdup(few__mem_default(), text.s);
    few__text_finish(&text);
    return *json ? FEW_OK : few__no_memory(err, "plan");
}

static enum few_status make_plan(struct plan *p, const struct few_plan_opts *opts, char **json,
                                 struct few_error *err)
{
    if (!opts->recalls) default_recalls(p);
    if (!opts->memories) default_memories(p);
    FEW__TRY(add_budgets(p, err));
    FEW__TRY(replay_all(p, err));
    FEW__TRY(draw_all(p, err));
    return write_answer(p, json, err);
}

enum few_status few_plan(const char *trace_path, const struct few_plan_opts *opts, char **json,
                         struct few_error *err)
{
    *json = NULL;
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "plan options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    if (!opts->policy) return few__fail(err, FEW_EINVAL, "plan: expected a policy, found none");
    if (!(opts->rate >= 0 && isfinite(opts->rate)))
        return few__fail(err, FEW_EINVAL, "rate: expected a number of items a second, found %g", opts->rate);
    struct few_eval_opts asked = {.env = opts->env,
                                  .seed = opts->seed,
                                  .recalls = opts->recalls,
                                  .n_recalls = opts->n_recalls,
                                  .deadlines_us = opts->deadlines_us,
                                  .n_deadlines = opts->n_deadlines,
                                  .memories = opts->memories,
                                  .n_memories = opts->n_memories,
                                  .policy = opts->policy,
                                  .split = opts->split};
    struct few__eval eval;
    struct plan p = {.eval = &eval, .rate = opts->rate};
    enum few_status status = few__eval_open(trace_path, &asked, &eval, err);
    if (status == FEW_OK) status = find_method(&p, opts->method, err);
    if (status == FEW_OK) status = make_plan(&p, opts, json, err);
    few__eval_close(&eval);
    return status;
}
