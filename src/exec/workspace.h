// SPDX-License-Identifier: Apache-2.0
/* One lane's working place: every model of the zoo loaded, its input bound to the lane's tensors, and what is
 * needed to run one of them on the current image: pixels -> tensor -> run -> decode. */
#ifndef FEW_EXEC_WORKSPACE_H
#define FEW_EXEC_WORKSPACE_H

#include "backend/backend.h"
#include "media/image.h"
#include "media/preprocess.h"
#include "model/manifest.h"

struct few__workspace;

/* Loads every model. zoo and runtime are borrowed until destroy.
 * Errors: those of few__runner_load, with the model's name; FEW_ENOMEM. */
enum few_status few__workspace_create(const struct few_zoo *zoo, struct few__runtime *runtime,
                                      struct few__workspace **workspace, struct few_error *err);
void few__workspace_destroy(struct few__workspace *workspace);

/* Run every model on a grey image until it is warm, then time it.
 * costs: (n_models,) out: time of one run, and what the process grew by at load and in the first runs. */
enum few_status few__workspace_profile(struct few__workspace *workspace, struct few_cost *costs,
                                       struct few_error *err);

/* The next item; image is borrowed until the next call. */
void few__workspace_begin(struct few__workspace *workspace, const struct few__image *image);

/* Run one model on the current image.
 *
 * need    the output of its need, not empty; NULL where it has none
 * output  out; its arrays lie in the arena
 * Errors: FEW_ECANCELED; FEW_EBACKEND; FEW_ESHAPE; FEW_EDECODE; FEW_ENOMEM. */
enum few_status few__workspace_run(struct few__workspace *workspace, size_t model,
                                   const struct few_output *need, struct few__arena *arena,
                                   struct few_output *output, struct few_error *err);

/* From any thread: see few__runner_cancel, few__runner_reset. */
void few__workspace_cancel(struct few__workspace *workspace, size_t model);
void few__workspace_reset(struct few__workspace *workspace, size_t model);

/* Time spent inside few__runner_run since the profile, of all runs. */
int64_t few__workspace_runtime_us(const struct few__workspace *workspace);

/* The lane's preprocessing, for thumbnails of the current image. */
struct few__preprocess *few__workspace_preprocess(struct few__workspace *workspace);

#endif
