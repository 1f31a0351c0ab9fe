// SPDX-License-Identifier: Apache-2.0
/* The virtual clock: the next event is the earliest end of what runs, reads or loads, or a deadline. Since when something
 * runs or loads is read from the executor; `end_us` of a lane is set when it starts. */
#include "exec/exec_sim.h"

#include <assert.h>

#include "core/env.h"
#include "core/error.h"
#include "exec/exec_internal.h"

struct sim {
    struct few__exec *exec;
    const struct few__sim_stream *stream; // NULL: one item
    const struct few__sim_truth **truth;  // (n_slots,)
    const int64_t *read_us;               // (n_slots,); NULL: nothing is read
    const bool *readable;                 // (n_slots,)
    const unsigned *has_parts;            // (n_slots,)
    int64_t now_us;
    int64_t end_us[FEW__LANES_MAX];
    struct few__part parts[FEW__BATCH_MAX]; // of the event under way
    size_t n_finished;
};

static int64_t later(int64_t from_us, int64_t us)
{
    if (us < 1) us = 1;
    return us > INT64_MAX - from_us ? INT64_MAX : from_us + us;
}

static int64_t instant_of_deadline(int64_t from_us, int64_t deadline_us)
{
    bool forever = deadline_us > 0 && from_us > FEW__NO_DEADLINE - deadline_us;
    return forever || deadline_us == FEW__NO_DEADLINE ? FEW__NO_DEADLINE : from_us + deadline_us;
}

static int64_t run_us(const struct sim *sim, const struct few__action *start)
{
    int64_t time_us[FEW__BATCH_MAX], sum = 0;
    for (size_t i = 0; i < start->n_slots; i++) {
        time_us[i] = sim->truth[start->slots[i]][start->model].time_us;
        sum = i == 0 ? time_us[i] : later(sum, time_us[i]);
    }
    bool asks = start->n_slots > 1 && sim->stream->batch_us;
    return asks ? sim->stream->batch_us(sim->stream->ud, start->model, time_us, start->n_slots) : sum;
}

static void follow(struct sim *sim, const struct few__action *action)
{
    switch (action->kind) {
    case FEW__ACTION_READ:
        assert(sim->read_us && "an item that is not ready, outside a stream");
        sim->end_us[action->lane] = later(sim->now_us, sim->read_us[action->slot]);
        break;
    case FEW__ACTION_START: sim->end_us[action->lane] = later(sim->now_us, run_us(sim, action)); break;
    case FEW__ACTION_CANCEL: sim->end_us[action->lane] = sim->now_us; break;
    case FEW__ACTION_FINISH:
        sim->n_finished++;
        if (sim->stream && sim->stream->finished)
            sim->stream->finished(sim->stream->ud, sim->exec->slots[action->slot].view.item, action->slot,
                                  sim->now_us);
        break;
    case FEW__ACTION_LOAD: // exec->memory has it
    case FEW__ACTION_EVICT: break;
    }
}

static void step(struct sim *sim, const struct few__event *event)
{
    struct few__action *actions = few__exec_own_actions(sim->exec);
    size_t n = few__exec_step(sim->exec, sim->now_us, event, actions);
    for (size_t i = 0; i < n; i++) follow(sim, &actions[i]);
}

// The lane that ends first, among equals the one that started first; n_lanes: all are free.
static size_t first_lane(const struct sim *sim)
{
    const struct few__lane *lanes = sim->exec->lanes;
    size_t first = sim->exec->n_lanes;
    for (size_t i = 0; i < sim->exec->n_lanes; i++) {
        if (lanes[i].state == FEW__LANE_FREE) continue;
        if (first < sim->exec->n_lanes &&
            (sim->end_us[i] > sim->end_us[first] ||
             (sim->end_us[i] == sim->end_us[first] && lanes[i].number > lanes[first].number)))
            continue;
        first = i;
    }
    return first;
}

// The open slot whose deadline comes first, among equals the one that arrived first; n_slots: none has one.
static size_t first_deadline(const struct sim *sim)
{
    const struct few__exec *exec = sim->exec;
    size_t first = exec->n_slots;
    int64_t at_us = FEW__NO_DEADLINE;
    for (size_t i = 0; i < exec->n_open; i++) {
        int64_t deadline_us = exec->slots[exec->arrivals[i]].view.deadline_us;
        if (deadline_us >= at_us) continue;
        first = exec->arrivals[i];
        at_us = deadline_us;
    }
    return first;
}

static int64_t load_end(const struct sim *sim)
{
    const struct few__memory *memory = &sim->exec->memory;
    if (memory->loading == FEW__NONE) return INT64_MAX;
    int64_t end_us = later(memory->load_us, sim->exec->costs[memory->loading].load_us);
    return end_us > sim->now_us ? end_us : sim->now_us; // one that began in an earlier item may have ended
}

static void end_lane(struct sim *sim, size_t at)
{
    const struct few__lane *lane = &sim->exec->lanes[at];
    if (lane->state == FEW__LANE_READS) {
        size_t slot = lane->slots[0];
        step(sim, &(struct few__event){.kind = FEW__EVENT_READ,
                                       .slot = slot,
                                       .result = sim->readable[slot] ? FEW__RESULT_OK : FEW__RESULT_FAILED,
                                       .has_parts = sim->has_parts[slot]});
        return;
    }
    for (size_t i = 0; i < lane->n_slots; i++) {
        const struct few__sim_truth *truth = &sim->truth[lane->slots[i]][lane->model];
        sim->parts[i] = (struct few__part){.result = truth->result,
                                           .unsure = truth->unsure,
                                           .valuable = truth->valuable,
                                           .n_valuable = truth->n_valuable,
                                           .output = truth->output};
        if (lane->canceled) sim->parts[i] = (struct few__part){.result = FEW__RESULT_CANCELED};
    }
    step(sim, &(struct few__event){.kind = FEW__EVENT_DONE, .lane = at, .parts = sim->parts});
}

static void end_load(struct sim *sim)
{
    size_t model = sim->exec->memory.loading;
    bool fails = sim->stream && sim->stream->loadable && !sim->stream->loadable(sim->stream->ud, model);
    step(sim, &(struct few__event){.kind = FEW__EVENT_LOADED,
                                   .model = model,
                                   .result = fails ? FEW__RESULT_FAILED : FEW__RESULT_OK});
}

// The next event; false: there is none.
static bool next(struct sim *sim)
{
    const struct few__exec *exec = sim->exec;
    size_t lane = first_lane(sim), slot = first_deadline(sim);
    int64_t lane_us = lane < exec->n_lanes ? sim->end_us[lane] : INT64_MAX, load_us = load_end(sim);
    int64_t deadline_us = slot < exec->n_slots ? exec->slots[slot].view.deadline_us : INT64_MAX;
    if (lane < exec->n_lanes && lane_us <= load_us && lane_us <= deadline_us) {
        sim->now_us = lane_us;
        end_lane(sim, lane);
    } else if (exec->memory.loading != FEW__NONE && load_us <= deadline_us) {
        sim->now_us = load_us;
        end_load(sim);
    } else if (slot < exec->n_slots) {
        sim->now_us = deadline_us;
        step(sim, &(struct few__event){.kind = FEW__EVENT_DEADLINE, .slot = slot});
    } else {
        return false;
    }
    return true;
}

int64_t few__sim_item(struct few__exec *exec, uint64_t item, int64_t start_us, int64_t deadline_us,
                      const struct few__sim_truth *truth)
{
    static const struct few__sim_about about = {.has_parts = FEW__ALL_PARTS};
    return few__sim_item_about(exec, item, &about, start_us, deadline_us, truth);
}

int64_t few__sim_item_about(struct few__exec *exec, uint64_t item, const struct few__sim_about *about,
                            int64_t start_us, int64_t deadline_us, const struct few__sim_truth *truth)
{
    const struct few__sim_truth *truths[1] = {truth};
    struct sim sim = {.exec = exec, .truth = truths, .now_us = start_us};
    step(&sim, &(struct few__event){.kind = FEW__EVENT_ITEM,
                                    .item = item,
                                    .deadline_us = instant_of_deadline(start_us, deadline_us),
                                    .gains = about->gains,
                                    .has_parts = about->has_parts,
                                    .ready = true});
    while (sim.n_finished == 0) {
        bool more = next(&sim);
        assert(more && "an item that waits for nothing");
    }
    int64_t end_us = sim.now_us;
    while (exec->n_free < exec->n_lanes) next(&sim); // cancelled runs, which end at once
    return end_us;
}

/* ---- a stream ---- */

static size_t free_slot(const struct few__exec *exec)
{
    size_t slot = 0;
    while (slot < exec->n_slots && !few__exec_slot_free(exec, slot)) slot++;
    return slot;
}

static void arrive(struct sim *sim, uint64_t item, size_t slot, int64_t *read_us, bool *readable,
                   unsigned *has_parts)
{
    struct few__sim_about about = {.has_parts = FEW__ALL_PARTS};
    if (sim->stream->about) sim->stream->about(sim->stream->ud, item, &about);
    *has_parts = about.has_parts;
    *read_us = 0;
    *readable = true;
    sim->truth[slot] = sim->stream->truth(sim->stream->ud, item, read_us, readable);
    step(sim, &(struct few__event){.kind = FEW__EVENT_ITEM,
                                   .slot = slot,
                                   .item = item,
                                   .deadline_us = instant_of_deadline(sim->now_us, sim->stream->deadline_us),
                                   .gains = about.gains,
                                   .has_parts = about.has_parts,
                                   .ready = *read_us <= 0});
}

enum few_status few__sim_stream(struct few__exec *exec, const struct few__sim_stream *stream,
                                int64_t start_us, const struct few_env *env, int64_t *end_us,
                                struct few_error *err)
{
    const struct few_mem *mem = few__env(env).mem;
    const struct few__sim_truth **truth = few__new(mem, exec->n_slots, sizeof(const struct few__sim_truth *));
    int64_t *read_us = FEW__NEW_N(mem, int64_t, exec->n_slots);
    bool *readable = FEW__NEW_N(mem, bool, exec->n_slots);
    unsigned *has_parts = FEW__NEW_N(mem, unsigned, exec->n_slots);
    bool has_memory = truth && read_us && readable && has_parts;
    enum few_status status = has_memory ? FEW_OK : few__no_memory(err, "simulation");
    struct sim sim = {.exec = exec,
                      .stream = stream,
                      .truth = truth,
                      .read_us = read_us,
                      .readable = readable,
                      .has_parts = has_parts,
                      .now_us = start_us};
    uint64_t item = 0;
    bool more = status == FEW_OK;
    if (more && exec->memory.loads) step(&sim, &(struct few__event){.kind = FEW__EVENT_WARM});
    while (more && exec->memory.loads && few__exec_loading(exec)) next(&sim);
    while (more) {
        size_t slot = free_slot(exec);
        more = item < stream->n_items && slot < exec->n_slots;
        if (more) arrive(&sim, item++, slot, &read_us[slot], &readable[slot], &has_parts[slot]);
        else more = next(&sim);
    }
    *end_us = sim.now_us;
    few__free(mem, truth);
    few__free(mem, read_us);
    few__free(mem, readable);
    few__free(mem, has_parts);
    return status;
}
