// SPDX-License-Identifier: Apache-2.0
#include "paper/ams_measure.h"

#include "core/error.h"

static const double slack = 1e-9; // what sums in another order may differ by, relative

const double ams_recalls[AMS_RECALLS] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
const int64_t ams_deadlines_us[AMS_DEADLINES] = {500000, 800000, 1000000};
const uint64_t ams_memory_bytes[AMS_MEMORIES] = {8000000000U, 12000000000U, 16000000000U};

/* ---- opening ---- */

static enum few_status open_players(struct ams_subject *s, const struct ams_context *context,
                                    struct few_error *err)
{
    const struct ams_method *m = s->method;
    struct few__value value;
    FEW__TRY(m->make(context, false, &value, err));
    FEW__TRY(ams_player_open(&s->serial, context->world, value, m->rank, err));
    for (size_t k = 0; k < AMS_MEMORIES; k++) {
        uint64_t bytes = ams_memory_bytes[k];
        FEW__TRY(m->make(context, m->packs, &value, err));
        if (!m->packs)
            FEW__TRY(ams_player_open_in_order(&s->packed[k][0], context->world, value, m->rank, bytes, err));
        if (!m->packs) continue;
        FEW__TRY(
            ams_player_open_packed(&s->packed[k][0], context->world, value, FEW__PACK_FAITHFUL, bytes, err));
        FEW__TRY(m->make(context, true, &value, err));
        FEW__TRY(
            ams_player_open_packed(&s->packed[k][1], context->world, value, FEW__PACK_IMPROVED, bytes, err));
    }
    return FEW_OK;
}

enum few_status ams_subject_open(struct ams_subject *subject, const struct ams_method *method,
                                 const struct ams_context *context, struct few_error *err)
{
    *subject = (struct ams_subject){.method = method};
    enum few_status status = open_players(subject, context, err);
    if (status != FEW_OK) ams_subject_close(subject);
    return status;
}

void ams_subject_close(struct ams_subject *subject)
{
    ams_player_close(&subject->serial);
    for (size_t k = 0; k < AMS_MEMORIES; k++)
        for (size_t r = 0; r < 2; r++) ams_player_close(&subject->packed[k][r]);
}

/* ---- measuring ---- */

void ams_facts_of(struct few__bounder *bounder, const struct ams_world *world, const struct ams_item *item,
                  struct ams_sum *scratch, struct ams_facts *facts)
{
    struct few_cost costs[AMS_MODELS];
    for (size_t m = 0; m < AMS_MODELS; m++) costs[m] = world->catalog.models[m].cost;
    facts->total = ams_value(scratch, item);
    for (size_t d = 0; d < AMS_DEADLINES; d++)
        facts->relaxed[d] =
            few__bound_item(bounder, item->truth, costs, ams_deadlines_us[d], FEW__NO_BUDGET).relaxed;
    for (size_t k = 0; k < AMS_MEMORIES; k++)
        facts->relaxed_packed[k] = few__bound_item(bounder, item->truth, costs,
                                                   ams_deadlines_us[AMS_PACK_DEADLINE], ams_memory_bytes[k])
                                       .relaxed;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 1;
}

static void measure_freely(struct ams_subject *s, uint64_t number, const struct ams_item *item, double total,
                           struct ams_sum *sum)
{
    double time_us = 0;
    size_t k = 0;
    ams_play(&s->serial, number, item, FEW__NO_DEADLINE);
    for (size_t r = 0; r < AMS_RECALLS; r++) {
        for (; k < s->serial.n && sum->value < (ams_recalls[r] - slack) * total; k++) {
            ams_sum_add(sum, &item->truth[s->serial.order[k]]);
            time_us += (double)item->truth[s->serial.order[k]].time_us;
        }
        s->executions[r] += (double)k;
        s->time_us[r] += time_us;
    }
    for (k = 0; k < s->serial.n; k++) s->position[s->serial.order[k]] += (double)(k + 1);
    ams_sum_clear(sum, item);
}

static double value_by(struct ams_player *player, uint64_t number, const struct ams_item *item,
                       int64_t deadline_us, struct ams_sum *sum)
{
    ams_play(player, number, item, deadline_us);
    for (size_t m = 0; m < AMS_MODELS; m++)
        if (player->done[m]) ams_sum_add(sum, &item->truth[m]);
    double value = sum->value;
    ams_sum_clear(sum, item);
    return value;
}

static void measure_memory(struct ams_subject *s, uint64_t number, const struct ams_item *item,
                           const struct ams_facts *facts, struct ams_sum *sum)
{
    for (size_t k = 0; k < AMS_MEMORIES; k++)
        for (size_t r = 0; r < (s->method->packs ? 2 : 1); r++) {
            double value = value_by(&s->packed[k][r], number, item, ams_deadlines_us[AMS_PACK_DEADLINE], sum);
            s->memory[k][r] += share(value, facts->total);
            s->memory_of_relaxed[k][r] += share(value, facts->relaxed_packed[k]);
        }
}

void ams_subject_measure(struct ams_subject *s, uint64_t number, const struct ams_item *item,
                         const struct ams_facts *facts, struct ams_sum *scratch, unsigned parts)
{
    if (s->method->by_row) number = 0;
    s->n++;
    if (parts & AMS_FREELY) measure_freely(s, number, item, facts->total, scratch);
    for (size_t d = 0; parts & AMS_BY_DEADLINE && d < AMS_DEADLINES; d++) {
        double value = value_by(&s->serial, number, item, ams_deadlines_us[d], scratch);
        s->deadline[d] += share(value, facts->total);
        s->of_relaxed[d] += share(value, facts->relaxed[d]);
    }
    if (parts & AMS_IN_MEMORY) measure_memory(s, number, item, facts, scratch);
}

/* ---- printing ---- */

static void print_head(const struct ams_subject *s, const char *set, int seed, FILE *out)
{
    fprintf(out, "{\"set\": \"%s\", \"method\": \"%s\", \"seed\": %d, \"items\": %zu, ", set, s->method->name,
            seed, s->n);
}

void ams_subject_print(const struct ams_subject *s, const char *set, int seed, unsigned parts, FILE *out)
{
    static const char *const rules[2] = {"faithful", "improved"};
    double n = (double)s->n;
    for (size_t r = 0; parts & AMS_FREELY && r < AMS_RECALLS; r++) {
        print_head(s, set, seed, out);
        fprintf(out, "\"recall\": %g, \"executions\": %.6g, \"time_s\": %.6g}\n", ams_recalls[r],
                s->executions[r] / n, s->time_us[r] / n / 1e6);
    }
    for (size_t d = 0; parts & AMS_BY_DEADLINE && d < AMS_DEADLINES; d++) {
        print_head(s, set, seed, out);
        fprintf(out, "\"deadline_s\": %g, \"reached\": %.6g, \"of_relaxed\": %.6g}\n",
                (double)ams_deadlines_us[d] / 1e6, s->deadline[d] / n, s->of_relaxed[d] / n);
    }
    for (size_t k = 0; parts & AMS_IN_MEMORY && k < AMS_MEMORIES; k++)
        for (size_t r = 0; r < (s->method->packs ? 2 : 1); r++) {
            print_head(s, set, seed, out);
            fprintf(out, "\"memory_gb\": %g, \"rule\": \"%s\", \"reached\": %.6g, \"of_relaxed\": %.6g}\n",
                    (double)ams_memory_bytes[k] / 1e9, s->method->packs ? rules[r] : "in order",
                    s->memory[k][r] / n, s->memory_of_relaxed[k][r] / n);
        }
    for (size_t m = 0; parts & AMS_FREELY && m < AMS_MODELS; m++) {
        print_head(s, set, seed, out);
        fprintf(out, "\"model\": %zu, \"position\": %.6g}\n", m, s->position[m] / n);
    }
}
