// SPDX-License-Identifier: Apache-2.0
/* Small made-up catalogs with what really happens when their models run, for tests of the executor and of
 * what decides through it. */
#ifndef FEW_TESTS_WORLD_H
#define FEW_TESTS_WORLD_H

#include "support/support.h"

#include "core/rng.h"
#include "exec/exec_log.h"
#include "exec/exec_sim.h"

enum { T_MODELS = 48, T_LABELS = 40, T_VALUABLE = 6 };

struct t_world {
    struct few_catalog catalog;
    struct few_model models[T_MODELS]; // named "a", "b", ... "z", "a1", ...
    char names[T_MODELS][8];
    struct few_label labels[T_LABELS];
    struct few_cost costs[T_MODELS];
    struct few__sim_truth truth[T_MODELS];
    struct few_valuable valuable[T_MODELS][T_VALUABLE];
};

/* n models without needs that take 100 us, as expected, and find something without labels. */
void t_world_init(struct t_world *world, size_t n_models);

/* The model takes time_us, in truth and as expected. */
void t_world_time(struct t_world *world, size_t model, int64_t time_us);

/* One more valuable label of what the model says. */
void t_world_says(struct t_world *world, size_t model, int32_t label, float confidence);

/* 0 .. max_models models (max_models <= T_MODELS), needs in either direction of the index, results of all
 * kinds, true times near the expected ones. */
void t_world_random(struct t_world *world, struct few__rng *rng, size_t max_models);

/* A chooser that starts models[0 .. n-1] one by one as lanes and memory are free, wishes for those that are not loaded,
 * and then stops. last: after each start it waits for the next completion. */
struct t_script {
    bool last;
    size_t n, at;
    size_t models[T_MODELS];
};
struct few__chooser t_script_chooser(struct t_script *script);

/* The executor of a world; the test fails if there is none. */
struct few__exec *t_exec(const struct t_world *world, struct few__chooser chooser, size_t n_lanes,
                         struct few__exec_log *log);

/* Items with the same truth, that of the world; a batch takes time + more_us for each further item. */
struct t_stream {
    struct t_world *world;
    size_t n_items;
    int64_t deadline_us, read_us;
    uint64_t unreadable;        // number of an item + 1; 0 = none
    size_t unloadable, n_fails; // the first loads of that model fail
};

/* Runs a stream; the log is checked. *exec is the caller's then. Returns the instant of the end. */
int64_t t_stream(struct t_stream *stream, const struct few__exec_opts *opts, struct few__exec **exec);

/* The log of such an executor passes few__exec_check. */
void t_check(const struct few__exec_log *log, const struct t_world *world, size_t n_lanes);

/* The log as text is exactly this. */
void t_assert_log(const struct few__exec_log *log, const struct t_world *world, const char *expected);

/* body stops the program by assertion. */
void t_assert_aborts(void (*body)(void *ud), void *ud);

#endif
