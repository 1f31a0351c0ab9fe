// SPDX-License-Identifier: Apache-2.0
/* One method over items of ams_world, decided by the schedulers and the executor that decide live; only the clock is virtual. */
#ifndef FEW_BENCH_AMS_REPLAY_H
#define FEW_BENCH_AMS_REPLAY_H

#include "exec/exec_sim.h"
#include "item/sched_deadline.h"
#include "item/sched_pack.h"
#include "paper/ams_world.h"

/* Value of the items' labels: the highest confidence of each that was seen (AMS f(S, d); algorithms.md 1.2). */
struct ams_sum {
    float seen[AMS_LABELS];
    double value;
};
void ams_sum_add(struct ams_sum *sum, const struct few__sim_truth *truth);
void ams_sum_clear(struct ams_sum *sum, const struct ams_item *item); // forgets the labels of that item
double ams_value(struct ams_sum *scratch, const struct ams_item *item);

/* The item at hand as a trace of one row, for values that look at the truth. */
struct ams_row {
    struct few__trace trace; // its item 0
    struct few__trace_cell cells[AMS_MODELS];
};
void ams_row_init(struct ams_row *row, const struct ams_world *world); // row stays where it is
void ams_row_set(struct ams_row *row, const struct ams_item *item);    // borrows

struct ams_player {
    struct few__sched sched;
    struct few__exec *exec;
    int64_t clock_us; // of the executor, which never goes back
    size_t n;         // of the last item: models in the order of start
    size_t order[AMS_MODELS];
    bool done[AMS_MODELS]; // ended before the deadline
};

/* One model after the other. value is taken over. Errors, here and below: FEW_ENOMEM. */
enum few_status ams_player_open(struct ams_player *player, const struct ams_world *world,
                                struct few__value value, enum few__rank rank, struct few_error *err);

/* Side by side within memory_bytes: whatever comes first by rank and has room and time, or by Algorithm 2. */
enum few_status ams_player_open_in_order(struct ams_player *player, const struct ams_world *world,
                                         struct few__value value, enum few__rank rank, uint64_t memory_bytes,
                                         struct few_error *err);
enum few_status ams_player_open_packed(struct ams_player *player, const struct ams_world *world,
                                       struct few__value value, enum few__pack_rule rule,
                                       uint64_t memory_bytes, struct few_error *err);
void ams_player_close(struct ams_player *player);
void ams_play(struct ams_player *player, uint64_t item, const struct ams_item *truth, int64_t deadline_us);

#endif
