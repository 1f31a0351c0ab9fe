// SPDX-License-Identifier: Apache-2.0
/* Re-verifies a log from its records and the catalog alone: nothing here is shared with the executor, so that
 * a mistake there cannot hide here. Invariant: state[] is what the records read so far say about the open
 * item. */
#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "exec/exec_log.h"

enum state { NEW, RUNS, ENDED_FOUND, ENDED, CANCELLED };

struct checker {
    const struct few_catalog *catalog;
    size_t n_lanes;
    enum state *state; // (n_models,) on the open item
    size_t n_runs;
    bool open, deadline_came;
    uint64_t item;
    int64_t at_us, deadline_us;
};

// Each check returns the broken rule, or NULL.

static const char *check_item(struct checker *c, const struct few__log_record *r)
{
    if (c->open) return "an item begins while one is open";
    c->open = true;
    c->deadline_came = false;
    c->item = r->item;
    c->deadline_us = r->deadline_us;
    for (size_t i = 0; i < c->catalog->n_models; i++) c->state[i] = NEW;
    return NULL;
}

static const char *check_start(struct checker *c, const struct few__log_record *r)
{
    int need = c->catalog->models[r->model].needs;
    if (c->deadline_came || r->at_us >= c->deadline_us) return "a model starts at or after the deadline";
    if (c->state[r->model] != NEW) return "a model starts twice";
    if (need >= 0 && c->state[need] != ENDED_FOUND)
        return "a model starts although its need has not found anything";
    if (c->n_runs >= c->n_lanes) return "more models run than there are lanes";
    c->state[r->model] = RUNS;
    c->n_runs++;
    return NULL;
}

static const char *check_done(struct checker *c, const struct few__log_record *r)
{
    if (c->state[r->model] != RUNS) return "a model ends that does not run";
    if (c->deadline_came || r->at_us > c->deadline_us) return "a model runs past the deadline";
    if ((unsigned)r->result > FEW__RESULT_FAILED) return "a result that does not exist";
    c->state[r->model] = r->result == FEW__RESULT_OK ? ENDED_FOUND : ENDED;
    c->n_runs--;
    return NULL;
}

static const char *check_deadline(struct checker *c, const struct few__log_record *r)
{
    if (c->deadline_came) return "the deadline comes twice";
    if (r->at_us < c->deadline_us) return "the deadline comes before its time";
    c->deadline_came = true;
    return NULL;
}

static const char *check_cancel(struct checker *c, const struct few__log_record *r)
{
    if (c->state[r->model] != RUNS) return "a model is cancelled that does not run";
    if (!c->deadline_came) return "a model is cancelled before the deadline";
    c->state[r->model] = CANCELLED;
    c->n_runs--;
    return NULL;
}

static const char *check_finish(struct checker *c, const struct few__log_record *r)
{
    if (r->item != c->item) return "another item finishes than began";
    if (c->n_runs) return "an item finishes while a model runs";
    if (!c->deadline_came && r->at_us >= c->deadline_us)
        return "an item finishes at its deadline or later, which was not recorded";
    c->open = false;
    return NULL;
}

static const char *check_record(struct checker *c, const struct few__log_record *r)
{
    if (r->at_us < c->at_us) return "time goes back";
    c->at_us = r->at_us;
    bool of_model = r->kind == FEW__LOG_START || r->kind == FEW__LOG_DONE || r->kind == FEW__LOG_CANCEL;
    if (of_model && r->model >= c->catalog->n_models) return "a model that the catalog does not have";
    if (r->kind != FEW__LOG_ITEM && !c->open) return "something happens while no item is open";
    switch (r->kind) {
    case FEW__LOG_ITEM: return check_item(c, r);
    case FEW__LOG_START: return check_start(c, r);
    case FEW__LOG_DONE: return check_done(c, r);
    case FEW__LOG_DEADLINE: return check_deadline(c, r);
    case FEW__LOG_CANCEL: return check_cancel(c, r);
    case FEW__LOG_FINISH: return check_finish(c, r);
    }
    return "a kind of record that does not exist";
}

enum few_status few__exec_check(const struct few__exec_log *log, const struct few_catalog *catalog,
                                size_t n_lanes, struct few_error *err)
{
    if (log->lost)
        return few__fail(err, FEW_EINVAL, "record %zu: %zu records are lost from here on", log->n, log->lost);
    struct checker c = {.catalog = catalog, .n_lanes = n_lanes, .at_us = INT64_MIN};
    c.state = FEW__NEW_N(log->mem, enum state, catalog->n_models + 1);
    if (!c.state) return few__no_memory(err, "check of a log");
    const char *broken = NULL;
    size_t i = 0;
    while (i < log->n && !(broken = check_record(&c, &log->records[i]))) i++;
    if (!broken && c.open) broken = "the log ends while an item is open";
    few__free(log->mem, c.state);
    return broken ? few__fail(err, FEW_EINVAL, "record %zu: %s", i, broken) : FEW_OK;
}
