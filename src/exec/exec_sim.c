// SPDX-License-Identifier: Apache-2.0
/* The virtual clock: the next event is the earliest end of what runs, or the deadline. Owns nothing; what
 * runs and since when is read from the executor. */
#include "exec/exec_sim.h"

#include <assert.h>

// The running model that ends first (among equals the one that started first), and when.
static size_t first_to_end(const struct few__exec *exec, const struct few__sim_truth *truth, int64_t *end_us)
{
    const struct few__view *view = few__exec_view(exec);
    const struct few__exec_row *rows = few__exec_rows(exec);
    assert(view->n_running > 0);
    size_t first = 0;
    *end_us = INT64_MAX;
    for (size_t i = 0; i < view->n_running; i++) {
        size_t model = view->running[i];
        int64_t time = truth[model].time_us > 0 ? truth[model].time_us : 1;
        int64_t end = time > INT64_MAX - rows[model].start_us ? INT64_MAX : rows[model].start_us + time;
        if (i > 0 && end >= *end_us) continue;
        first = model;
        *end_us = end;
    }
    return first;
}

int64_t few__sim_item(struct few__exec *exec, uint64_t item, int64_t start_us, int64_t deadline_us,
                      const struct few__sim_truth *truth)
{
    struct few__action actions[FEW__LANES_MAX + 1];
    bool forever = deadline_us > 0 && start_us > FEW__NO_DEADLINE - deadline_us;
    int64_t deadline = forever || deadline_us == FEW__NO_DEADLINE ? FEW__NO_DEADLINE : start_us + deadline_us;
    int64_t now = start_us;
    struct few__event event = {.kind = FEW__EVENT_ITEM, .item = item, .deadline_us = deadline};
    for (;;) {
        size_t n = few__exec_step(exec, now, &event, actions);
        if (n > 0 && actions[n - 1].kind == FEW__ACTION_FINISH) return now;
        size_t model = first_to_end(exec, truth, &now);
        if (now > deadline) {
            now = deadline;
            event = (struct few__event){.kind = FEW__EVENT_DEADLINE};
            continue;
        }
        event = (struct few__event){.kind = FEW__EVENT_DONE,
                                    .model = model,
                                    .result = truth[model].result,
                                    .valuable = truth[model].valuable,
                                    .n_valuable = truth[model].n_valuable,
                                    .output = truth[model].output};
    }
}
