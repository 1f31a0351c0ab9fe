// SPDX-License-Identifier: Apache-2.0
// What models said before, for the replay backend: answers of a trace or a run, found by the item's digest.
#ifndef FEW_SESSION_RECALL_H
#define FEW_SESSION_RECALL_H

#include "backend/backend.h"

struct few__recall;

/* Opens nothing yet. Errors: FEW_ENOMEM. */
enum few_status few__recall_create(const struct few_env *env, struct few__recall **recall,
                                   struct few_error *err);
void few__recall_destroy(struct few__recall *recall);

/* A few__recall_fn; ud is a struct few__recall. The store named by recipe->file is opened when it is asked first and
 * stays open. Its model is the one of the same name. Time: of the run that the store has, the model's mean where the
 * output was reused there. Any thread; one asks at a time.
 * Errors: FEW_ENOENT no such file, model or item, or the model gave no output for it; FEW_EPARSE an output of another
 * kind or length; FEW_ESTORE; FEW_EVERSION; FEW_ELIMIT more than FEW__RECALL_FILES_MAX files; FEW_ENOMEM. */
enum { FEW__RECALL_FILES_MAX = 16 };
enum few_status few__recall_output(void *ud, const struct few__recipe *recipe, const struct few_model *model,
                                   const char *digest, struct few__arena *arena, struct few_output *output,
                                   int64_t *time_us, struct few_error *err);

#endif
