// SPDX-License-Identifier: Apache-2.0
/* A backend in place of the library's, for tests of what runs models: link with fake_backend_args. Models answer for
 * whole items, as a replay's do; what they say, and how long it takes, the test decides. */
#ifndef FEW_TESTS_FAKE_BACKEND_H
#define FEW_TESTS_FAKE_BACKEND_H

#include "backend/backend.h"
#include "support/support.h"

/* Both are called from the thread that loads or runs. NULL = at once and well. */
struct t_fake {
    enum few_status (*load)(void *ud, const struct few_model *model, struct few_error *err);
    void (*unload)(void *ud, const struct few_model *model);
    enum few_status (*answer)(void *ud, struct few__runner *runner, const struct few_model *model,
                              const char *digest, struct few__arena *arena, struct few_output *output,
                              struct few_error *err);
    void *ud;
};
extern struct t_fake t_fake; // set while nothing runs

/* Wait for that long, or until the run is cancelled: true. */
bool t_fake_wait(struct few__runner *runner, int64_t us);

#endif
