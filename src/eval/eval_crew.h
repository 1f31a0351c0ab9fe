// SPDX-License-Identifier: Apache-2.0
/* Several methods replayed at once. Each is a job of its own, which nothing but its result comes out of, so the answer is the same
 * for any number of threads. */
#ifndef FEW_EVAL_EVAL_CREW_H
#define FEW_EVAL_EVAL_CREW_H

#include "eval/eval.h"

enum { FEW__EVAL_THREADS_MAX = 64 };

struct few__eval_job {
    const struct few__eval_method *method;
    struct few__eval_result result;
    enum few_status status;
    struct few_error err;
};

typedef enum few_status few__eval_job_fn(const struct few__eval *eval, const struct few__eval_method *method,
                                         struct few__eval_result *result, struct few_error *err);

struct few__eval_crew {
    size_t n;
    struct few__eval_worker *workers; // (n,) their arenas hold the results
};

/* Do all jobs, (n,), with `work`, on n_threads (1 .. FEW__EVAL_THREADS_MAX) or fewer, where there are no more; the caller's is
 * one of them. Finish the crew also when this fails.
 * Errors: of the first job that has one; FEW_ENOMEM. */
enum few_status few__eval_crew_work(const struct few__eval *eval, struct few__eval_job *jobs, size_t n,
                                    size_t n_threads, few__eval_job_fn *work, struct few__eval_crew *crew,
                                    struct few_error *err);
void few__eval_crew_finish(const struct few__eval *eval, struct few__eval_crew *crew);

#endif
