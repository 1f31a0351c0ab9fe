// SPDX-License-Identifier: Apache-2.0
// The scheduler's answers pass through here, so that it is known what each model was started for.
#include "eval/eval_lane.h"

#include <stdlib.h>

#include "core/error.h"

static int by_start(const void *a, const void *b)
{
    const struct few__eval_step *x = a, *y = b;
    if (x->start_us != y->start_us) return x->start_us < y->start_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

static void begin(void *self, const struct few__view *view)
{
    struct few__eval_lane *lane = self;
    lane->sched.chooser.begin(lane->sched.chooser.self, view);
}

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct few__eval_lane *lane = self;
    lane->sched.chooser.choose(lane->sched.chooser.self, view, choice);
    if (choice->answer == FEW__START && !lane->packs)
        lane->worths[choice->models[0]] = few__sched_deadline_worth(&lane->sched);
}

static enum few_status open_sched(struct few__eval_lane *lane, const struct few__eval_method *method,
                                  const struct few__eval_room *room, struct few_error *err)
{
    const struct few__eval *eval = lane->eval;
    const struct few_catalog *catalog = &eval->trace->catalog;
    struct few__value value;
    lane->packs = room && method->kind == FEW__EVAL_PACK;
    if (lane->packs) {
        FEW__TRY(method->gains(eval, method, &value, err));
        return few__sched_pack_create(catalog, value, room->rule, &eval->env, &lane->sched, err);
    }
    FEW__TRY(method->value(eval, method, &value, err));
    return few__sched_deadline_create(catalog, value, method->rank, &eval->env, &lane->sched, err);
}

static enum few_status open_executor(struct few__eval_lane *lane, const struct few__eval_room *room,
                                     struct few_error *err)
{
    const struct few__eval *eval = lane->eval;
    struct few__chooser chooser = {.self = lane, .name = lane->sched.chooser.name, .choose = choose};
    if (lane->sched.chooser.begin) chooser.begin = begin;
    struct few__exec_opts opts = {.env = &eval->env,
                                  .catalog = &eval->trace->catalog,
                                  .costs = eval->costs,
                                  .choosers = &chooser,
                                  .n_lanes = room ? FEW__LANES_MAX : 1,
                                  .memory_bytes = room ? room->bytes : 0};
    return few__exec_create(&opts, &lane->exec, err);
}

enum few_status few__eval_lane_open(const struct few__eval *eval, const struct few__eval_method *method,
                                    const struct few__eval_room *room, struct few__eval_lane *lane,
                                    struct few_error *err)
{
    size_t n = eval->trace->catalog.n_models;
    *lane = (struct few__eval_lane){.eval = eval,
                                    .wish = FEW__ARENA_NEW(eval->arena, struct few__sim_truth, n),
                                    .worths = FEW__ARENA_NEW(eval->arena, struct few__worth, n),
                                    .steps = FEW__ARENA_NEW(eval->arena, struct few__eval_step, n)};
    if (!lane->wish || !lane->worths || !lane->steps) return few__no_memory(err, "evaluation");
    FEW__TRY(few__eval_said_create(eval, method, &lane->said, err));
    for (size_t m = 0; m < n; m++)
        lane->wish[m] = (struct few__sim_truth){.time_us = eval->costs[m].time_us, .result = FEW__RESULT_OK};
    FEW__TRY(open_sched(lane, method, room, err));
    return open_executor(lane, room, err);
}

void few__eval_lane_close(struct few__eval_lane *lane)
{
    few__exec_destroy(lane->exec);
    few__sched_destroy(&lane->sched);
    few__eval_said_finish(&lane->said);
}

enum few_status few__eval_lane_item(struct few__eval_lane *lane, size_t item, struct few_error *err)
{
    return few__eval_said_item(&lane->said, item, err);
}

void few__eval_lane_freely(struct few__eval_lane *lane, bool wished)
{
    const struct few__eval_said *said = &lane->said;
    struct few__sim_about about = few__eval_about(said->trace, said->item);
    if (wished) about.has_parts = FEW__ALL_PARTS;
    lane->clock_us = few__sim_item_about(lane->exec, said->item, &about, lane->clock_us, FEW__NO_DEADLINE,
                                         wished ? lane->wish : said->truth);
    const struct few__exec_row *rows = few__exec_rows(lane->exec, 0);
    lane->n_steps = 0;
    for (size_t m = 0; m < said->trace->catalog.n_models; m++)
        if (rows[m].start_us >= 0)
            lane->steps[lane->n_steps++] = (struct few__eval_step){rows[m].start_us, m, lane->worths[m]};
    qsort(lane->steps, lane->n_steps, sizeof *lane->steps, by_start);
}

void few__eval_lane_deadline(struct few__eval_lane *lane, int64_t deadline_us, struct few__eval_item *state,
                             double *late)
{
    const struct few__eval_said *said = &lane->said;
    int64_t left_us = deadline_us - said->trace->items[said->item].decode_us, start_us = lane->clock_us;
    few__eval_begin(state, said->item);
    lane->wall_us = 0;
    if (left_us <= 0) return;
    struct few__sim_about about = few__eval_about(said->trace, said->item);
    lane->clock_us = few__sim_item_about(lane->exec, said->item, &about, start_us, left_us, said->truth);
    lane->wall_us = lane->clock_us - start_us;
    few__eval_rows(state, few__exec_rows(lane->exec, 0), late);
}
