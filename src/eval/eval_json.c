// SPDX-License-Identifier: Apache-2.0
// The answer of an evaluation as one JSON object; docs/evaluate.md has its members.
#include "eval/eval.h"

enum { DIGITS = 6 };

static void put_number(struct few__text *text, const char *name, double value)
{
    few__text_printf(text, "\"%s\": ", name);
    few__text_double(text, value, DIGITS);
}

// Which members a point has beside those that all have.
enum part { FREE, DEADLINE, MEMORY };

static void put_more(struct few__text *text, const char *name, double value)
{
    few__text_put(text, ", ");
    put_number(text, name, value);
}

static void put_measures(struct few__text *text, const struct few__eval_point *point)
{
    put_number(text, "time_ratio", point->time_ratio);
    put_more(text, "models", point->models);
    put_more(text, "recall", point->recall);
    put_more(text, "label_recall", point->label_recall);
    put_more(text, "agreement", point->agreement);
}

static void put_point(struct few__text *text, double key, const struct few__eval_point *point,
                      enum few__eval_kind kind, enum part part)
{
    few__text_printf(text, "\"%g\": {", key);
    if (kind == FEW__EVAL_BOUND) { // no schedule has it, so it has no time
        put_number(text, "recall", point->recall);
        put_more(text, "relaxed", point->relaxed);
        few__text_put(text, "}");
        return;
    }
    put_measures(text, point);
    if (part != FREE) put_more(text, "late", point->late);
    if (part == MEMORY) put_more(text, "wall_ms", point->wall_us / 1e3);
    if (part != FREE && kind == FEW__EVAL_TRUTH) put_more(text, "certificate", point->certificate);
    few__text_put(text, "}");
}

// spans: or NULL
static void put_recalls(struct few__text *text, const struct few__eval *eval, const char *name,
                        const struct few__eval_point *points, const struct few__eval_span *spans)
{
    few__text_printf(text, "      \"%s\": {", name);
    for (size_t i = 0; i < eval->n_recalls; i++) {
        few__text_printf(text, "%s\n        \"%g\": {", i ? "," : "", eval->recalls[i]);
        put_measures(text, &points[i]);
        if (spans) {
            put_more(text, "low", spans[i].low);
            put_more(text, "high", spans[i].high);
        }
        if (spans && spans[i].has_static) {
            few__text_put(text, ", \"against_static\": {");
            put_number(text, "time_ratio", spans[i].ratio);
            put_more(text, "low", spans[i].ratio_low);
            put_more(text, "high", spans[i].ratio_high);
            few__text_put(text, "}");
        }
        few__text_put(text, "}");
    }
    few__text_put(text, "},\n");
}

// How much of the time between static and oracle is gone, with the oracle's stop.
static void put_gaps(struct few__text *text, const struct few__eval *eval,
                     const struct few__eval_point *points)
{
    const char *between = "";
    few__text_put(text, "      \"gap_closed\": {");
    for (size_t i = 0; i < eval->n_recalls; i++) {
        double from = eval->base_static->recall[i].time_ratio, to = eval->base_oracle->recall[i].time_ratio;
        if (!(from > to)) continue;
        few__text_printf(text, "%s\"%g\": ", between, eval->recalls[i]);
        few__text_double(text, (from - points[i].time_ratio) / (from - to), DIGITS);
        between = ", ";
    }
    few__text_put(text, "},\n");
}

static void put_deadlines(struct few__text *text, const struct few__eval *eval, const char *name,
                          const struct few__eval_point *points, enum few__eval_kind kind, enum part part)
{
    few__text_printf(text, "      \"%s\": {", name);
    for (size_t i = 0; i < eval->n_deadlines; i++) {
        few__text_put(text, i ? ",\n        " : "\n        ");
        put_point(text, (double)eval->deadlines_us[i] / 1e3, &points[i], kind, part);
    }
    few__text_put(text, "}");
}

static void put_memories(struct few__text *text, const struct few__eval *eval,
                         const struct few__eval_result *result)
{
    few__text_put(text, ",\n      \"memory\": {");
    for (size_t k = 0; k < eval->n_memories; k++) {
        size_t at = k * eval->n_deadlines;
        few__text_printf(text, "%s\n      \"%g\": {\n", k ? "," : "", (double)eval->memories[k] / 0x1p20);
        put_deadlines(text, eval, "deadline", &result->memory[at], result->method->kind, MEMORY);
        if (result->faithful) {
            few__text_put(text, ",\n");
            put_deadlines(text, eval, "faithful", &result->faithful[at], result->method->kind, MEMORY);
        }
        few__text_put(text, "}");
    }
    few__text_put(text, "}");
}

static void put_promises(struct few__text *text, const struct few__eval *eval,
                         const struct few__eval_promise *promises)
{
    const char *between = "\n        ";
    few__text_put(text, "      \"promise\": {");
    for (size_t i = 0; i < eval->n_recalls; i++) {
        const struct few__eval_promise *promise = &promises[i];
        if (!promise->given) continue;
        few__text_printf(text, "%s\"%g\": {", between, eval->recalls[i]);
        put_measures(text, &promise->point);
        put_more(text, "low", promise->time_low);
        put_more(text, "high", promise->time_high);
        put_more(text, "recall_low", promise->recall_low);
        put_more(text, "recall_high", promise->recall_high);
        put_more(text, "price", promise->stop.price);
        few__text_put(text, ", \"promised\": {");
        put_number(text, "recall", promise->stop.got);
        put_more(text, "low", promise->stop.low);
        put_more(text, "high", promise->stop.high);
        put_more(text, "time_ratio", promise->stop.time_ratio);
        few__text_put(text, "}}");
        between = ",\n        ";
    }
    few__text_put(text, "},\n");
}

static void put_priorities(struct few__text *text, const struct few__eval_priority *priorities)
{
    few__text_put(text, ",\n      \"priority\": {");
    for (size_t p = 0; p < FEW__EVAL_PRIORITIES; p++) {
        few__text_printf(text, "%s\n        \"%g\": {", p ? "," : "", (double)few__eval_priorities[p]);
        put_number(text, "position", priorities[p].position);
        put_more(text, "executed", priorities[p].items);
        put_more(text, "time_ratio", priorities[p].time_ratio);
        few__text_put(text, "}");
    }
    few__text_put(text, "}");
}

static void put_keeps(struct few__text *text, const struct few__eval_point *points)
{
    few__text_put(text, "      \"keep\": {");
    for (size_t i = 0; i < FEW__EVAL_KEEPS; i++) {
        few__text_put(text, i ? ",\n        " : "\n        ");
        put_point(text, few__eval_keeps[i], &points[i], FEW__EVAL_EXPLORE, FREE);
    }
    few__text_put(text, "},\n");
}

static void put_budgets(struct few__text *text, const struct few__eval_reuse *budget)
{
    few__text_put(text, "      \"budget\": {");
    for (size_t i = 0; i < FEW__EVAL_BUDGETS; i++) {
        few__text_put(text, i ? ",\n        " : "\n        ");
        few__text_printf(text, "\"%g\": {", (double)(i + 1) / FEW__EVAL_BUDGETS);
        put_measures(text, &budget[i].point);
        put_more(text, "reused", budget[i].reused);
        put_more(text, "agreement_reused", budget[i].agreement_reused);
        put_more(text, "agreement_found", budget[i].agreement_found);
        few__text_printf(text, ", \"feature\": \"%s\"", few_feature_name(budget[i].feature));
        put_more(text, "threshold", budget[i].threshold);
        few__text_put(text, "}");
    }
    few__text_put(text, "}");
}

static void put_method(struct few__text *text, const struct few__eval *eval,
                       const struct few__eval_result *result)
{
    few__text_printf(text, "\n    \"%s\": {\n", result->method->name);
    if (result->recall) put_recalls(text, eval, "recall", result->recall, result->recall_span);
    if (result->recall) put_gaps(text, eval, result->recall);
    if (result->stop) put_recalls(text, eval, "stop", result->stop, result->stop_span);
    if (result->promise) put_promises(text, eval, result->promise);
    if (result->keep) put_keeps(text, result->keep);
    if (result->deadline)
        put_deadlines(text, eval, "deadline", result->deadline, result->method->kind, DEADLINE);
    if (result->budget) put_budgets(text, result->budget);
    if (result->memory && eval->n_memories > 0) put_memories(text, eval, result);
    if (result->priority) put_priorities(text, result->priority);
    few__text_put(text, "}");
}

// One method on one source.
static void put_at_source(struct few__text *text, const struct few__eval *eval,
                          const struct few__eval_result *result, const struct few__eval_at_source *at)
{
    const char *between = "";
    few__text_printf(text, "\"%s\": {\"recall\": {", result->method->name);
    for (size_t i = 0; i < eval->n_recalls; i++) {
        few__text_printf(text, "%s\"%g\": {", i ? ", " : "", eval->recalls[i]);
        put_number(text, "time_ratio", at[i].recall_time);
        few__text_put(text, "}");
    }
    few__text_put(text, "},\n        \"stop\": {");
    for (size_t i = 0; i < eval->n_recalls; i++) {
        few__text_printf(text, "%s\"%g\": {", i ? ", " : "", eval->recalls[i]);
        put_number(text, "time_ratio", at[i].stop.time_ratio);
        put_more(text, "recall", at[i].stop.recall);
        few__text_put(text, "}");
    }
    few__text_put(text, "}");
    if (result->promise) few__text_put(text, ",\n        \"promise\": {");
    for (size_t i = 0; result->promise && i < eval->n_recalls; i++) {
        if (!result->promise[i].given) continue;
        few__text_printf(text, "%s\"%g\": {", between, eval->recalls[i]);
        put_number(text, "time_ratio", at[i].promise_time);
        put_more(text, "recall", at[i].promise_recall);
        few__text_put(text, "}");
        between = ", ";
    }
    few__text_put(text, result->promise ? "}}" : "}");
}

static void put_sources(struct few__text *text, const struct few__eval *eval,
                        const struct few__eval_result *results, size_t n_results)
{
    few__text_put(text, ",\n  \"sources\": {");
    for (size_t s = 0; s < eval->n_sources; s++) {
        const struct few__eval_source *source = &eval->sources[s];
        const char *between = "\n      ";
        few__text_printf(text, "%s\n    \"%s\": {\"test_items\": %zu", s ? "," : "", source->name,
                         source->n_items);
        put_more(text, "run_all_ms", source->all_us / 1e3 / (double)source->n_items);
        few__text_put(text, ", \"methods\": {");
        for (size_t i = 0; i < n_results; i++) {
            if (!results[i].by_source) continue;
            few__text_put(text, between);
            put_at_source(text, eval, &results[i], &results[i].by_source[s * eval->n_recalls]);
            between = ",\n      ";
        }
        few__text_put(text, "}}");
    }
    few__text_put(text, "}");
}

void few__eval_json(const struct few__eval *eval, const struct few__eval_result *results, size_t n_results,
                    struct few__text *text)
{
    const struct few__trace *trace = eval->trace;
    few__text_printf(
        text, "{\n  \"items\": %zu, \"items_failed\": %zu, \"items_incomplete\": %zu, \"models\": %zu,\n",
        trace->n_items, trace->n_failed, eval->n_incomplete, trace->catalog.n_models);
    few__text_printf(text, "  \"train_items\": %zu, \"test_items\": %zu, \"split\": \"%s\", ", eval->n_train,
                     eval->n_test, eval->same_items ? "none: all items train and test" : "sha1");
    few__text_printf(text, "\"split_at\": %d,\n", eval->split);
    few__text_printf(text, "  \"base\": \"all models of the trace\", \"seed\": %llu,\n",
                     (unsigned long long)eval->seed);
    few__text_put(text, "  \"run_all\": {");
    put_number(text, "time_ms", eval->run_all_us / 1e3 / (double)eval->n_test);
    if (eval->n_moments > 0) {
        few__text_printf(text, "},\n  \"streams\": {\"test_items\": %zu", eval->n_moments);
        put_more(text, "segment_s", (double)eval->segment_us / 1e6);
    }
    if (eval->priority_model != SIZE_MAX) {
        few__text_put(text, "},\n  \"priority\": {\"model\": ");
        few__text_json(text, trace->catalog.models[eval->priority_model].name);
    }
    few__text_put(text, "},\n  \"methods\": {");
    for (size_t i = 0; i < n_results; i++) {
        if (i) few__text_put(text, ",");
        put_method(text, eval, &results[i]);
    }
    few__text_put(text, "}");
    if (eval->wants_sources) put_sources(text, eval, results, n_results);
    few__text_put(text, "\n}");
}
