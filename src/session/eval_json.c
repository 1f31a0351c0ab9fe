// SPDX-License-Identifier: Apache-2.0
// The answer of an evaluation as one JSON object; docs/evaluate.md has its members.
#include "session/eval.h"

enum { DIGITS = 6 };

static void put_number(struct few__text *text, const char *name, double value)
{
    few__text_printf(text, "\"%s\": ", name);
    few__text_double(text, value, DIGITS);
}

static void put_point(struct few__text *text, double key, const struct few__eval_point *point, bool late)
{
    few__text_printf(text, "\"%g\": {", key);
    put_number(text, "time_ratio", point->time_ratio);
    few__text_put(text, ", ");
    put_number(text, "models", point->models);
    few__text_put(text, ", ");
    put_number(text, "recall", point->recall);
    few__text_put(text, ", ");
    put_number(text, "label_recall", point->label_recall);
    few__text_put(text, ", ");
    put_number(text, "agreement", point->agreement);
    if (late) {
        few__text_put(text, ", ");
        put_number(text, "late", point->late);
    }
    few__text_put(text, "}");
}

static void put_recalls(struct few__text *text, const struct few__eval *eval, const char *name,
                        const struct few__eval_point *points)
{
    few__text_printf(text, "      \"%s\": {", name);
    for (size_t i = 0; i < eval->n_recalls; i++) {
        few__text_put(text, i ? ",\n        " : "\n        ");
        put_point(text, eval->recalls[i], &points[i], false);
    }
    few__text_put(text, "}");
}

static void put_deadlines(struct few__text *text, const struct few__eval *eval,
                          const struct few__eval_point *points)
{
    few__text_put(text, "      \"deadline\": {");
    for (size_t i = 0; i < eval->n_deadlines; i++) {
        few__text_put(text, i ? ",\n        " : "\n        ");
        put_point(text, (double)eval->deadlines_us[i] / 1e3, &points[i], true);
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
    few__text_printf(text, "  \"train_items\": %zu, \"test_items\": %zu, \"split\": \"%s\",\n", eval->n_train,
                     eval->n_test, eval->same_items ? "none: all items train and test" : "sha1");
    few__text_printf(text, "  \"base\": \"all models of the trace\", \"seed\": %llu,\n",
                     (unsigned long long)eval->seed);
    few__text_put(text, "  \"run_all\": {");
    put_number(text, "time_ms", eval->run_all_us / 1e3 / (double)eval->n_test);
    few__text_put(text, "},\n  \"methods\": {");
    for (size_t i = 0; i < n_results; i++) {
        few__text_printf(text, "%s\n    \"%s\": {\n", i ? "," : "", results[i].method->name);
        put_recalls(text, eval, "recall", results[i].recall);
        few__text_put(text, ",\n");
        put_recalls(text, eval, "stop", results[i].stop);
        few__text_put(text, ",\n");
        put_deadlines(text, eval, results[i].deadline);
        few__text_put(text, "}");
    }
    few__text_put(text, "}\n}");
}
