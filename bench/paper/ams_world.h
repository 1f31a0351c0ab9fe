// SPDX-License-Identifier: Apache-2.0
/* A made-up world in AMS's published regime (TKDD 2022; algorithms.md 1.2, 1.7, 1.8): 30 models over ten tasks, 1104 labels,
 * 5.16 s to run them all, five data sets. What happens on an item follows from (seed, data set, number) alone, so any
 * item can be made alone and nothing has to be kept. docs/paper-ams.md says how it was calibrated, and to what. */
#ifndef FEW_BENCH_AMS_WORLD_H
#define FEW_BENCH_AMS_WORLD_H

#include "core/mem.h"
#include "exec/exec_sim.h"

enum { AMS_MODELS = 30, AMS_LABELS = 1104, AMS_ITEM_VALUABLE = 1024 };

#define AMS_SEED UINT64_C(20220401) // of every table; calibrated together with the numbers in ams_scene.c

enum ams_dataset {  // in the kind of
    AMS_STANFORD40, // people who do something
    AMS_VOC,        // a few objects, people, pets
    AMS_COCO,       // everyday scenes with many objects
    AMS_MIRFLICKR,  // portraits, landscapes, street
    AMS_PLACES,     // places, often without anybody
    AMS_DATASETS
};

extern const char *const ams_dataset_names[AMS_DATASETS];

struct ams_world {
    struct few__arena arena;
    struct few_catalog catalog; // costs: the constants that the paper's m.time and m.mem are
    uint64_t seed;
    int32_t first[10]; // the first label of each task's space
};

/* Errors: FEW_ENOMEM. End: ams_world_finish. */
enum few_status ams_world_init(struct ams_world *world, uint64_t seed, const struct few_env *env,
                               struct few_error *err);
void ams_world_finish(struct ams_world *world);

/* What every model says about one item. */
struct ams_item {
    size_t n;
    struct few_valuable valuable[AMS_ITEM_VALUABLE];
    struct few__sim_truth truth[AMS_MODELS]; // borrows from valuable
};

/* Makes one item. O(labels that something says), some microseconds; allocates nothing. */
void ams_world_item(const struct ams_world *world, enum ams_dataset dataset, uint64_t number,
                    struct ams_item *item);

/* The corpus of the paper's size: photographs in the kind of COCO, MirFlickr and Places, one after the other. */
enum { AMS_CORPUS = 394170 };
enum ams_dataset ams_corpus_at(uint64_t i, uint64_t *number);

/* A fifth of each data set trains, four fifths test (TK: 1:4). */
bool ams_is_train(enum ams_dataset dataset, uint64_t number);

#endif
