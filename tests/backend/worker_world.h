// SPDX-License-Identifier: Apache-2.0
/* A model with a habit: odd_worker.py, a recipe for it, and what every test asks of it. The model gives the mean of each
 * channel of its items. */
#ifndef FEW_TESTS_WORKER_WORLD_H
#define FEW_TESTS_WORKER_WORLD_H

#include <stdatomic.h>

#include "backend/backend.h"
#include "support/support.h"

enum { CHANNELS = 3, SIDE = 4, NUMBERS = CHANNELS * SIDE * SIDE, BATCH = 2 };

#define LONG_US  ((int64_t)60000000) // no test waits for its end
#define SHORT_US ((int64_t)20000)    // the test waits for its end, inside the library

extern const struct few_model w_model;
extern atomic_llong w_host_us; // the host's clock, by which pauses are counted

struct world {
    struct few__runtime *runtime;
    const char *folder, *command[4];
    struct few__recipe recipe;
    float data[BATCH * NUMBERS];
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n_out;
    struct few_error err;
};

/* A runtime of workers; start_us as in its options. */
struct few__runtime *w_open(const struct few_mem *mem, int64_t start_us);

/* A world of its own folder, nothing loaded; start_us as in the runtime's options. */
void w_init(struct world *w, const char *habit, int64_t start_us);
void w_finish(struct world *w);

/* Items whose first number is `first`. */
void w_fill(struct world *w, float first);

struct few__runner *w_load(struct world *w);
enum few_status w_run(struct world *w, struct few__runner *runner); // one item
enum few_status w_run_items(struct world *w, struct few__runner *runner, int64_t items);

/* The last error says this, in one line. */
void w_expect_message(const struct world *w, const char *part);

/* The last run gave the means of that many items; a run of one item does. */
void w_expect_means(const struct world *w, int64_t items);
void w_expect_run(struct world *w, struct few__runner *runner);

/* So many processes noted themselves; none of them is alive, and there is no child to wait for. */
void w_expect_none_left(size_t n);

/* The first run of this habit fails so, and the process is gone. */
void w_expect_broken(const char *habit, enum few_status status, const char *part);

#endif
