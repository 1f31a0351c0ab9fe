// SPDX-License-Identifier: Apache-2.0
/* The same policy and the same executor with a virtual clock: an item in which every model finds something and takes the
 * time expected of it. A session asks it for the order of models, a forecast for time. */
#include "session/rehearsal.h"

#include "session/session_internal.h"

void few__rehearsal_end(struct few__rehearsal *r)
{
    const struct few_mem *mem = r->session->env.mem;
    few__exec_destroy(r->exec);
    for (size_t i = 0; r->scheds && i < r->n_slots; i++) few__sched_destroy(&r->scheds[i]);
    few__free(mem, r->scheds);
    few__free(mem, r->truth);
}

static enum few_status make_exec(struct few__rehearsal *r, const struct few__exec_opts *opts,
                                 struct few_error *err)
{
    struct few_session *s = r->session;
    enum few__way way = few__session_way(s, opts->n_lanes, opts->loads);
    struct few__exec_opts full = *opts;
    struct few__chooser *choosers = FEW__NEW_N(s->env.mem, struct few__chooser, r->n_slots);
    enum few_status status = choosers ? FEW_OK : few__no_memory(err, "forecast");
    for (size_t i = 0; status == FEW_OK && i < r->n_slots; i++) {
        status = few__policy_scheduler(s->policy, s->costs, way, &r->scheds[i], err);
        choosers[i] = r->scheds[i].chooser;
    }
    full.env = &s->env;
    full.catalog = &s->zoo->catalog;
    full.costs = s->costs;
    full.choosers = choosers;
    full.n_slots = r->n_slots;
    full.variants = s->variants;
    if (status == FEW_OK) status = few__exec_create(&full, &r->exec, err);
    few__free(s->env.mem, choosers);
    return status;
}

enum few_status few__rehearsal_begin(struct few_session *s, const struct few__exec_opts *opts, bool unsure,
                                     struct few__rehearsal *r, struct few_error *err)
{
    *r = (struct few__rehearsal){.session = s, .n_slots = opts->n_slots};
    r->scheds = FEW__NEW_N(s->env.mem, struct few__sched, r->n_slots);
    r->truth = FEW__NEW_N(s->env.mem, struct few__sim_truth, s->n_models);
    if (!r->scheds || !r->truth) return few__no_memory(err, "forecast");
    for (size_t i = 0; i < s->n_models; i++) {
        int64_t time_us = s->costs[i].time_us;
        r->truth[i] = (struct few__sim_truth){
            .time_us = time_us > 0 ? time_us : 1, .result = FEW__RESULT_OK, .unsure = unsure};
    }
    return make_exec(r, opts, err);
}

/* ---- rank ---- */

// By the instant of the start; what was not started comes last, by index.
static void sort_by_start(const struct few__exec_row *rows, size_t n, size_t *rank)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        uint64_t start = (uint64_t)rows[i].start_us; // -1 is the largest
        for (; k > 0 && (uint64_t)rows[rank[k - 1]].start_us > start; k--) rank[k] = rank[k - 1];
        rank[k] = i;
    }
}

enum few_status few__session_rank(struct few_session *s, size_t *rank, struct few_error *err)
{
    const struct few__exec_opts opts = {.n_slots = 1, .n_lanes = 1};
    struct few__rehearsal r;
    enum few_status status = few__rehearsal_begin(s, &opts, true, &r, err);
    if (status == FEW_OK) {
        (void)few__sim_item(r.exec, 0, 0, FEW__NO_DEADLINE, r.truth);
        sort_by_start(few__exec_rows(r.exec, 0), s->n_models, rank);
    }
    few__rehearsal_end(&r);
    return status;
}
