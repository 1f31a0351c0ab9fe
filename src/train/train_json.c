// SPDX-License-Identifier: Apache-2.0
// The answer of a training, docs/train.md.
#include <inttypes.h>

#include "train/train_inside.h"

enum { DIGITS = 6 };

static void put_number(struct few__text *text, const char *key, double value)
{
    few__text_printf(text, ", \"%s\": ", key);
    few__text_double(text, value, DIGITS);
}

static const struct few__training_method *find_static(const struct few__training *t)
{
    for (size_t i = 0; i < t->n_methods; i++)
        if (t->methods[i].row->blind && !t->methods[i].left_out) return &t->methods[i];
    return NULL;
}

static void put_levels(const struct few__training *t, const struct few__training_method *m,
                       struct few__text *text)
{
    const struct few__training_method *fixed = find_static(t);
    few__text_put(text, "\"stop\": {");
    for (size_t i = 0; i < FEW__TRAIN_LEVELS; i++) {
        few__text_printf(text, "%s\"%g\": {\"time_ratio\": ", i > 0 ? ", " : "", few__train_levels[i]);
        few__text_double(text, m->times[i], DIGITS);
        if (fixed && fixed->times[i] > 0) put_number(text, "against_static", m->times[i] / fixed->times[i]);
        few__text_put(text, "}");
    }
    few__text_put(text, "}");
}

static void put_promises(const struct few__training_method *m, struct few__text *text)
{
    few__text_put(text, ", \"promise\": {");
    for (size_t i = 0, n = 0; i < FEW__TRAIN_STOPS; i++) {
        const struct few__learned_stop *stop = &m->stops[i];
        bool shown = false;
        for (size_t k = 0; k < FEW__TRAIN_LEVELS; k++) shown |= stop->recall == few__train_levels[k];
        if (!shown) continue;
        few__text_printf(text, "%s\"%g\": {\"price\": ", n++ > 0 ? ", " : "", stop->recall);
        few__text_double(text, stop->price, DIGITS);
        put_number(text, "recall", stop->got);
        put_number(text, "low", stop->low);
        put_number(text, "high", stop->high);
        put_number(text, "time_ratio", stop->time_ratio);
        few__text_put(text, "}");
    }
    few__text_put(text, "}");
}

static void put_method(const struct few__training *t, const struct few__training_method *m,
                       struct few__text *text)
{
    few__text_json(text, m->row->name);
    few__text_printf(text, ": {\"learned\": %s, ", m->learner ? "true" : "false");
    if (m->learner) few__text_printf(text, "\"folds\": %zu, ", m->folds);
    put_levels(t, m, text);
    if (m->learner) put_promises(m, text);
    put_number(text, "mean_time_ratio", m->score);
    few__text_put(text, "}");
}

static void put_methods(const struct few__training *t, struct few__text *text)
{
    few__text_put(text, ", \"methods\": {");
    for (size_t i = 0, n = 0; i < t->n_methods; i++) {
        if (t->methods[i].left_out) continue;
        few__text_put(text, n++ > 0 ? ", " : "");
        put_method(t, &t->methods[i], text);
    }
    few__text_put(text, "}, \"left_out\": {");
    for (size_t i = 0, n = 0; i < t->n_methods; i++) {
        if (!t->methods[i].left_out) continue;
        few__text_put(text, n++ > 0 ? ", " : "");
        few__text_json(text, t->methods[i].row->name);
        few__text_put(text, ": ");
        few__text_json(text, t->methods[i].why.message);
    }
    few__text_put(text, "}, \"preferred\": ");
    few__text_json(text, t->methods[t->preferred].row->name);
}

void few__train_json(const struct few__training *t, struct few__text *text)
{
    few__text_put(text, "{\"trace\": ");
    few__text_json(text, t->trace_path);
    few__text_put(text, ", \"policy\": ");
    few__text_json(text, t->out_path);
    few__text_printf(text, ", \"items\": %zu, \"items_incomplete\": %zu, \"models\": %zu", t->split.n_items,
                     t->split.n_gaps, t->trace->catalog.n_models);
    few__text_printf(text, ", \"split\": %d, \"source\": ", t->split_at);
    few__text_json(text, t->source);
    few__text_printf(text, ", \"seed\": %" PRIu64 ", \"pieces\": %zu, \"pieces_kept\": %zu", t->opts->seed,
                     t->n_pieces, t->n_kept);
    if (!t->opts->dry_run) put_methods(t, text);
    few__text_put(text, "}\n");
}
