// SPDX-License-Identifier: Apache-2.0
/* What a method costs and finds on a stream of items: executions and time until a recall is reached, recall under a deadline and
 * under a deadline with shared memory, where each model stands in the order. AMS 1.2, 1.7 (algorithms.md). Sums only, so the
 * stream may be as long as it likes. */
#ifndef FEW_BENCH_AMS_MEASURE_H
#define FEW_BENCH_AMS_MEASURE_H

#include <stdio.h>

#include "item/bound.h"
#include "paper/ams_replay.h"

enum { AMS_RECALLS = 10, AMS_DEADLINES = 3, AMS_MEMORIES = 3 };
extern const double ams_recalls[AMS_RECALLS];         // 0.1 ... 1
extern const int64_t ams_deadlines_us[AMS_DEADLINES]; // 0.5, 0.8, 1 s
extern const uint64_t ams_memory_bytes[AMS_MEMORIES]; // 8, 12, 16 GB, with the deadline of 0.8 s
enum { AMS_PACK_DEADLINE = 1 };                       // index of that one

/* What methods are made from. */
struct ams_context {
    const struct ams_world *world;
    const struct few__rules *rules;
    const struct ams_row *row; // the item at hand, for those that look at the truth
    uint64_t seed;             // of random order and rules
    /* static, q_greedy: learned from train items (ams_learn_static). */
    size_t order[AMS_MODELS];
    double gain[AMS_MODELS], gain_by_value[AMS_MODELS];
    const void *learned; // an agent, of its own methods
};

struct ams_method {
    const char *name;
    enum few__rank rank; // one model after the other
    bool packs;          // side by side by Algorithm 2; false: in order, whatever has room and time
    bool by_row;         // looks at the truth
    /* packed: for Algorithm 2, which wants true magnitudes. */
    enum few_status (*make)(const struct ams_context *context, bool packed, struct few__value *value,
                            struct few_error *err);
};

struct ams_subject {
    const struct ams_method *method;
    struct ams_player serial, packed[AMS_MEMORIES][2]; // without `packs` [k][0] alone

    // Sums over n items.
    size_t n;
    double executions[AMS_RECALLS], time_us[AMS_RECALLS];
    double deadline[AMS_DEADLINES], of_relaxed[AMS_DEADLINES];
    double memory[AMS_MEMORIES][2], memory_of_relaxed[AMS_MEMORIES][2];
    double position[AMS_MODELS]; // from 1
};

/* method, context: borrowed until closed. Errors: FEW_ENOMEM. */
enum few_status ams_subject_open(struct ams_subject *subject, const struct ams_method *method,
                                 const struct ams_context *context, struct few_error *err);
void ams_subject_close(struct ams_subject *subject);

/* What does not depend on the method. */
struct ams_facts {
    double total;
    double relaxed[AMS_DEADLINES]; // AMS's optimal* (algorithms.md 1.7)
    double relaxed_packed[AMS_MEMORIES];
};
void ams_facts_of(struct few__bounder *bounder, const struct ams_world *world, const struct ams_item *item,
                  struct ams_sum *scratch, struct ams_facts *facts);

/* Which parts of the measuring are wanted. */
enum { AMS_FREELY = 1, AMS_BY_DEADLINE = 2, AMS_IN_MEMORY = 4, AMS_EVERYTHING = 7 };
void ams_subject_measure(struct ams_subject *subject, uint64_t number, const struct ams_item *item,
                         const struct ams_facts *facts, struct ams_sum *scratch, unsigned parts);

/* Lines of JSON: {"set": ..., "method": ..., "seed": ..., ...}. */
void ams_subject_print(const struct ams_subject *subject, const char *set, int seed, unsigned parts,
                       FILE *out);

#endif
