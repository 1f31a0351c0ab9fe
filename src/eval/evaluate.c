// SPDX-License-Identifier: Apache-2.0
/* few_eval: every method that is asked for, then the answer. */
#include <string.h>

#include <fewer/trace.h>

#include "core/crew.h"
#include "core/error.h"
#include "eval/eval.h"

#define JSON_MAX ((size_t)64 << 20)

// Text handed out is freed without the host's allocator in reach, so it comes from the default one.
static enum few_status write_answer(const struct few__eval *eval, const struct few__eval_result *results,
                                    size_t n, char **json, struct few_error *err)
{
    struct few__text text;
    few__text_init(&text, eval->env.mem, JSON_MAX);
    few__eval_json(eval, results, n, &text);
    if (few__text_ok(&text)) *json = few__strdup(few__mem_default(), text.s);
    few__text_finish(&text);
    return *json ? FEW_OK : few__no_memory(err, "evaluation");
}

// The promise of a method that is learned here once more is the policy's.
static enum few_status replay_twin(const struct few__eval *eval, struct few__eval_result *result,
                                   struct few_error *err)
{
    struct few__eval_method *twin = FEW__ARENA_NEW(eval->arena, struct few__eval_method, 1);
    struct few__eval_result promised;
    if (!twin) return few__no_memory(err, "evaluation");
    *twin = few__eval_learned_method(result->method->twin);
    twin->kind = FEW__EVAL_FREE;
    FEW__TRY(few__eval_replay(eval, twin, &promised, err));
    result->promise = promised.promise;
    for (size_t i = 0; eval->wants_sources && i < eval->n_sources * eval->n_recalls; i++) {
        result->by_source[i].promise_time = promised.by_source[i].promise_time;
        result->by_source[i].promise_recall = promised.by_source[i].promise_recall;
    }
    return FEW_OK;
}

static enum few_status replay(const struct few__eval *eval, const struct few__eval_method *method,
                              struct few__eval_result *result, struct few_error *err)
{
    bool decides = method->kind == FEW__EVAL_ORDER || method->kind == FEW__EVAL_PACK;
    *result = (struct few__eval_result){.method = method};
    if (method->kind == FEW__EVAL_EXPLORE) return few__eval_explore(eval, result, err);
    if (few__eval_of_streams(method)) return few__eval_reuse(eval, result, err);
    if (method == eval->base_static->method) *result = *eval->base_static;
    else if (method == eval->base_oracle->method) *result = *eval->base_oracle;
    else if (method->kind != FEW__EVAL_BOUND) FEW__TRY(few__eval_replay(eval, method, result, err));
    if (result->drawn_recall) FEW__TRY(few__eval_spans(eval, result, err));
    if (method->twin) FEW__TRY(replay_twin(eval, result, err));
    if (decides && eval->priority_model != SIZE_MAX) FEW__TRY(few__eval_priority(eval, result, err));
    return decides ? few__eval_memory(eval, result, err) : few__eval_bound(eval, result, err);
}

// static and oracle are replayed in any case, under budgets only where they were asked for.
static enum few_status replay_base(const struct few__eval *eval, const struct few_eval_opts *opts,
                                   const char *name, const struct few__eval_result **base,
                                   struct few_error *err)
{
    const struct few__eval_method *method = few__eval_find(eval, name);
    struct few__eval_method *unasked = FEW__ARENA_NEW(eval->arena, struct few__eval_method, 1);
    struct few__eval_result *result = FEW__ARENA_NEW(eval->arena, struct few__eval_result, 1);
    if (!unasked || !result) return few__no_memory(err, "evaluation");
    *unasked = *method;
    unasked->kind = FEW__EVAL_FREE;
    FEW__TRY(few__eval_replay(eval, few__eval_is_asked(opts, name) ? method : unasked, result, err));
    *base = result;
    return FEW_OK;
}

/* ---- side by side ---- */

// Nothing comes out of a job but its result, so the answer is the same for any number of threads.
struct job {
    struct few__eval eval; // with an arena of its own, which holds the result
    struct few__arena arena;
    const struct few__eval_method *method;
    struct few__eval_result result;
    enum few_status status;
    struct few_error err;
};

static void work(void *ud, size_t i)
{
    struct job *job = &((struct job *)ud)[i];
    job->status = replay(&job->eval, job->method, &job->result, &job->err);
}

// jobs: (n_asked,) out. Returns how many there are.
static size_t make_jobs(const struct few__eval *eval, const struct few_eval_opts *opts, size_t n_asked,
                        struct job *jobs)
{
    size_t n = 0;
    for (size_t i = 0; i < n_asked; i++) {
        const struct few__eval_method *method =
            opts->methods ? few__eval_find(eval, opts->methods[i]) : &eval->methods[i];
        struct job *job = &jobs[n];
        if (!few__eval_applies(eval, method)) continue;
        job->method = method;
        job->eval = *eval;
        job->eval.arena = &job->arena;
        few__arena_init(&job->arena, eval->env.mem, eval->arena->max);
        n++;
    }
    return n;
}

static enum few_status first_error(const struct job *jobs, size_t n, struct few_error *err)
{
    size_t i = 0;
    while (i < n && jobs[i].status == FEW_OK) i++;
    if (i < n && err) *err = jobs[i].err;
    return i < n ? jobs[i].status : FEW_OK;
}

static enum few_status answer(struct few__eval *eval, const struct few_eval_opts *opts, char **json,
                              struct few_error *err)
{
    size_t n_asked = opts->methods ? opts->n_methods : eval->n_methods;
    struct job *jobs = FEW__ARENA_NEW(eval->arena, struct job, n_asked);
    struct few__eval_result *results = FEW__ARENA_NEW(eval->arena, struct few__eval_result, n_asked);
    if (!jobs || !results) return few__no_memory(err, "evaluation");
    FEW__TRY(replay_base(eval, opts, "static", &eval->base_static, err));
    FEW__TRY(replay_base(eval, opts, "oracle", &eval->base_oracle, err));
    size_t n = make_jobs(eval, opts, n_asked, jobs);
    few__crew_run(opts->n_threads, n, work, jobs);
    enum few_status status = first_error(jobs, n, err);
    for (size_t i = 0; i < n; i++) results[i] = jobs[i].result;
    if (status == FEW_OK) status = write_answer(eval, results, n, json, err);
    for (size_t i = 0; i < n; i++) few__arena_finish(&jobs[i].arena);
    return status;
}

enum few_status few_eval(const char *trace_path, const struct few_eval_opts *opts, char **json,
                         struct few_error *err)
{
    const struct few_eval_opts defaults = {.size = sizeof defaults};
    struct few__eval eval;
    *json = NULL;
    if (!opts) opts = &defaults;
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "evaluation options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    enum few_status status = few__eval_open(trace_path, opts, &eval, err);
    if (status == FEW_OK) {
        status = answer(&eval, opts, json, err);
        if (status == FEW_EINVAL) status = few__wrap(err, status, "%s", trace_path);
    }
    few__eval_close(&eval);
    return status;
}

void few_text_free(char *text)
{
    few__free(few__mem_default(), text);
}
