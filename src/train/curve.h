// SPDX-License-Identifier: Apache-2.0
/* What a method gives for what it takes, by the price at which it stops, on items that it was not learned from: mean recall
 * and mean time over all of them, exactly, since one replay of an item says where it stops at any price.
 *
 * A method that follows one order stops at a place in it, not at a price: the rates of an order that was learned from
 * other items are other rates, so places are what its parts share, and prices are those of the whole's order. */
#ifndef FEW_TRAIN_CURVE_H
#define FEW_TRAIN_CURVE_H

#include "policy/learned.h"
#include "policy/method.h"
#include "policy/method_replay.h"

struct few__curve;

struct few__curve_opts {
    const struct few__trace *trace; // borrowed
    const struct few_cost *costs;   // (n_models,) as the scheduler sees them
    const struct few__method *method;
    size_t n_items; // that will be added
    size_t n_units; // of all of them
};

/* Takes some 24 bytes for each item and model. Errors: FEW_ENOMEM. */
enum few_status few__curve_create(const struct few__curve_opts *opts, const struct few_env *env,
                                  struct few__curve **out, struct few_error *err);
void few__curve_destroy(struct few__curve *curve);

/* Replay items of the trace with what was learned from others. units: (n_items,) the unit of each.
 * Errors: those of the method's open and value; FEW_EPARSE a damaged output; FEW_ENOMEM. */
enum few_status few__curve_add(struct few__curve *curve, const struct few__tensors *tensors,
                               const size_t *items, const size_t *units, size_t n_items,
                               struct few_error *err);

/* All items are there. Errors: FEW_ENOMEM. */
enum few_status few__curve_finish(struct few__curve *curve, struct few_error *err);

/* Time as a share of running everything, at that mean recall: on the straight line between two stops. */
double few__curve_time(const struct few__curve *curve, double recall);

/* Where the method, as learned from all items (`whole`), stops for each recall wanted: stops[].recall (n_stops,) rising in,
 * the rest out. At recall 1 it runs everything. The intervals are bootstrapped over units from seed.
 * Errors: those of few__curve_add. Cost: 1000 x min(units, 4096) x n_stops. */
enum few_status few__curve_stops(const struct few__curve *curve, const struct few__tensors *whole,
                                 uint64_t seed, struct few__learned_stop *stops, size_t n_stops,
                                 struct few_error *err);

#endif
