// SPDX-License-Identifier: Apache-2.0
#include "paper/ams_replay.h"

#include "core/error.h"

void ams_sum_add(struct ams_sum *sum, const struct few__sim_truth *truth)
{
    for (size_t i = 0; i < truth->n_valuable; i++) {
        float *seen = &sum->seen[truth->valuable[i].label];
        float confidence = truth->valuable[i].confidence;
        if (confidence <= *seen) continue;
        sum->value += (double)confidence - (double)*seen;
        *seen = confidence;
    }
}

void ams_sum_clear(struct ams_sum *sum, const struct ams_item *item)
{
    for (size_t i = 0; i < item->n; i++) sum->seen[item->valuable[i].label] = 0;
    sum->value = 0;
}

double ams_value(struct ams_sum *scratch, const struct ams_item *item)
{
    for (size_t m = 0; m < AMS_MODELS; m++) ams_sum_add(scratch, &item->truth[m]);
    double value = scratch->value;
    ams_sum_clear(scratch, item);
    return value;
}

void ams_row_init(struct ams_row *row, const struct ams_world *world)
{
    *row = (struct ams_row){.trace = {.catalog = world->catalog, .n_items = 1}};
    row->trace.cells = row->cells;
}

void ams_row_set(struct ams_row *row, const struct ams_item *item)
{
    for (size_t m = 0; m < AMS_MODELS; m++)
        row->cells[m] = (struct few__trace_cell){.outcome = FEW_EXECUTED,
                                                 .empty = item->truth[m].n_valuable == 0,
                                                 .time_us = (int32_t)item->truth[m].time_us,
                                                 .n_valuable = (uint32_t)item->truth[m].n_valuable,
                                                 .valuable = item->truth[m].valuable};
}

static enum few_status open_executor(struct ams_player *player, const struct ams_world *world, size_t n_lanes,
                                     uint64_t memory_bytes, struct few_error *err)
{
    struct few_cost costs[AMS_MODELS];
    for (size_t m = 0; m < AMS_MODELS; m++) costs[m] = world->catalog.models[m].cost;
    const struct few__exec_opts opts = {.catalog = &world->catalog,
                                        .costs = costs,
                                        .choosers = &player->sched.chooser,
                                        .n_lanes = n_lanes,
                                        .memory_bytes = memory_bytes};
    enum few_status status = few__exec_create(&opts, &player->exec, err);
    if (status != FEW_OK) ams_player_close(player);
    return status;
}

enum few_status ams_player_open_in_order(struct ams_player *player, const struct ams_world *world,
                                         struct few__value value, enum few__rank rank, uint64_t memory_bytes,
                                         struct few_error *err)
{
    *player = (struct ams_player){.clock_us = 0};
    FEW__TRY(few__sched_deadline_create(&world->catalog, value, rank, NULL, &player->sched, err));
    return open_executor(player, world, memory_bytes ? FEW__LANES_MAX : 1, memory_bytes, err);
}

enum few_status ams_player_open(struct ams_player *player, const struct ams_world *world,
                                struct few__value value, enum few__rank rank, struct few_error *err)
{
    return ams_player_open_in_order(player, world, value, rank, 0, err);
}

enum few_status ams_player_open_packed(struct ams_player *player, const struct ams_world *world,
                                       struct few__value value, enum few__pack_rule rule,
                                       uint64_t memory_bytes, struct few_error *err)
{
    *player = (struct ams_player){.clock_us = 0};
    FEW__TRY(few__sched_pack_create(&world->catalog, value, rule, NULL, &player->sched, err));
    return open_executor(player, world, FEW__LANES_MAX, memory_bytes, err);
}

void ams_player_close(struct ams_player *player)
{
    few__exec_destroy(player->exec);
    few__sched_destroy(&player->sched);
    player->exec = NULL;
}

void ams_play(struct ams_player *player, uint64_t item, const struct ams_item *truth, int64_t deadline_us)
{
    player->clock_us = few__sim_item(player->exec, item, player->clock_us, deadline_us, truth->truth);
    const struct few__exec_row *rows = few__exec_rows(player->exec, 0);
    player->n = 0;
    for (size_t m = 0; m < AMS_MODELS; m++) {
        player->done[m] = rows[m].outcome == FEW_EXECUTED;
        if (rows[m].start_us < 0) continue;
        size_t at = player->n++;
        for (; at > 0 && rows[player->order[at - 1]].start_us > rows[m].start_us; at--)
            player->order[at] = player->order[at - 1];
        player->order[at] = m;
    }
}
