// SPDX-License-Identifier: Apache-2.0
// The methods of the table that need no training, or that of a fixed order alone.
#ifndef FEW_BENCH_AMS_METHODS_H
#define FEW_BENCH_AMS_METHODS_H

#include "paper/ams_measure.h"

enum { AMS_BASELINES = 6 };
extern const struct ams_method ams_baselines[AMS_BASELINES]; // random first

/* Where items come from: of a data set, or of the corpus. */
struct ams_source {
    const char *name;
    bool corpus;
    enum ams_dataset dataset;
};

/* The i-th of n train (or test) items spread over the source; n 0: all of the corpus in order, false: item i is of the other
 * part. Items of a data set: the first n of that part. Returns its number for random draws in *number. */
struct ams_walk {
    struct ams_source source;
    bool train;
    uint64_t n, i, at; // n items wanted (corpus: 0 = all), i given, at: where the search goes on
};
bool ams_walk_next(struct ams_walk *walk, enum ams_dataset *dataset, uint64_t *number, uint64_t *id);

/* Fills order and gains from n train items. Errors: FEW_ENOMEM. */
enum few_status ams_learn_static(const struct ams_world *world, const struct ams_source *source, uint64_t n,
                                 struct ams_context *context, struct few_error *err);

#endif
