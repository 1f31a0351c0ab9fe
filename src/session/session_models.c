// SPDX-License-Identifier: Apache-2.0
/* The models of a session: measured once (here, or by an earlier run of the same store), then loaded. Without a memory
 * budget all of them stay; with one, those that the policy would choose first, and the executor exchanges them. */
#include <string.h>

#include "core/process.h"
#include "session/rehearsal.h"
#include "session/session_internal.h"

#define PROCESS_MAY_HOLD ((uint64_t)24 << 20) // pixels, and gaps in the heap, come on top of it

/* ---- measuring ---- */

static bool has_budget(const struct few_session *s)
{
    return s->opts.memory_bytes > 0 || s->opts.memory_share > 0;
}

static enum few_status open_workspace(struct few_session *s, struct few_error *err)
{
    if (s->workspace) return FEW_OK;
    if (!s->recall) FEW__TRY(few__recall_create(&s->env, &s->recall, err));
    const struct few__workspace_opts opts = {.n_slots = s->n_places,
                                             .n_lanes = s->n_lanes,
                                             .runtime = {.library = s->runtime,
                                                         .threads = 1, // the lanes are what runs side by side
                                                         .give_back = has_budget(s),
                                                         .recall = few__recall_output,
                                                         .ud = s->recall}};
    return few__workspace_create(s->zoo, &opts, &s->workspace, err);
}

// With a budget one model at a time, since what they take together is not known yet.
static enum few_status profile(struct few_session *s, struct few_error *err)
{
    FEW__TRY(open_workspace(s, err));
    for (size_t i = 0; i < s->n_models; i++) {
        FEW__TRY(few__workspace_profile(s->workspace, i, &s->spent[i], err));
        if (has_budget(s)) few__workspace_unload(s->workspace, i);
    }
    return FEW_OK;
}

void few__session_recall_costs(struct few_session *s, const struct few_catalog *stored)
{
    for (size_t i = 0; i < s->n_models; i++) {
        s->spent[i] = stored->models[i].cost;
        if (s->spent[i].time_us <= 0) return;
    }
    s->measured = true;
}

// What a policy learned is what its decisions were made for; what it does not know is what was measured.
static void expect_costs(struct few_session *s)
{
    const struct few_cost *learned = few__policy_costs(s->policy);
    for (size_t i = 0; i < s->n_models; i++) {
        s->costs[i] = s->spent[i];
        if (learned && learned[i].time_us > 0) s->costs[i].time_us = learned[i].time_us;
    }
}

/* What running everything is: all models, or where variants stand for one another the dearest of each group and those that
 * other models need. */
static void choose_base(struct few_session *s)
{
    const struct few_model *models = s->zoo->catalog.models;
    for (size_t i = 0; i < s->n_models; i++) {
        s->in_base[i] = true;
        if (s->variants == FEW__VARIANTS_ALL || models[i].variant_of < 0) continue;
        for (size_t k = 0; k < s->n_models; k++)
            if (models[k].variant_of == models[i].variant_of &&
                (s->costs[k].time_us > s->costs[i].time_us ||
                 (s->costs[k].time_us == s->costs[i].time_us && k < i)))
                s->in_base[i] = false;
    }
    for (size_t i = 0; i < s->n_models; i++)
        if (models[i].needs >= 0) s->in_base[models[i].needs] = true;
}

/* What the process holds now that no model is loaded, beyond what it may: it counts against the budget, but for an eighth of
 * it at most, so that a small budget is not used up by it. */
static uint64_t process_bytes(const struct few_session *s)
{
    uint64_t held = few__resident_bytes(), most = s->memory_bytes / 8;
    uint64_t beyond = s->workspace && held > PROCESS_MAY_HOLD ? held - PROCESS_MAY_HOLD : 0;
    return beyond < most ? beyond : most;
}

static enum few_status set_budget(struct few_session *s, struct few_error *err)
{
    uint64_t sum = 0;
    const double mib = 1024.0 * 1024;
    if (!has_budget(s)) return FEW_OK;
    for (size_t i = 0; i < s->n_models; i++) sum += s->costs[i].memory_bytes;
    s->memory_bytes = s->opts.memory_bytes;
    if (!s->memory_bytes) s->memory_bytes = (uint64_t)((double)sum * s->opts.memory_share);
    if (!s->memory_bytes) s->memory_bytes = 1; // of models that take nothing
    s->given_bytes = s->memory_bytes;
    if (s->opts.memory_bytes) s->memory_bytes -= process_bytes(s);
    for (size_t i = 0; i < s->n_models; i++)
        if (s->costs[i].memory_bytes > s->memory_bytes)
            return few__fail(
                err, FEW_ELIMIT,
                "memory: model '%s' alone takes %.1f MiB, expected at most %.1f MiB (%.1f MiB less what the "
                "program itself holds)",
                s->zoo->catalog.models[i].name, (double)s->costs[i].memory_bytes / mib,
                (double)s->memory_bytes / mib, (double)s->given_bytes / mib);
    return FEW_OK;
}

enum few_status few__session_measure(struct few_session *s, struct few_error *err)
{
    if (s->settled) return FEW_OK;
    if (!s->measured) FEW__TRY(profile(s, err));
    s->measured = true;
    expect_costs(s);
    choose_base(s);
    FEW__TRY(set_budget(s, err));
    s->settled = true;
    return FEW_OK;
}

/* ---- loading ---- */

enum few__way few__session_way(const struct few_session *s, size_t n_lanes, bool loads)
{
    if (n_lanes <= 1 && !loads) return FEW__ONE_LANE;
    return s->opts.deadline_us == 0 && s->n_places >= s->n_lanes ? FEW__IN_TURN : FEW__SIDE_BY_SIDE;
}

static enum few_status make_schedulers(struct few_session *s, struct few_error *err)
{
    enum few__way way = few__session_way(s, s->n_lanes, has_budget(s));
    for (size_t i = 0; i < s->n_places; i++)
        FEW__TRY(few__policy_scheduler(s->policy, s->costs, way, &s->scheds[i], err));
    return FEW_OK;
}

static enum few_status make_readers(struct few_session *s, struct few_error *err)
{
    for (size_t i = 0; i < s->n_places; i++)
        FEW__TRY(
            few__record_reader_create(&s->env, s->zoo->rates, s->zoo->n_rates, &s->places[i].records, err));
    return FEW_OK;
}

static enum few_status start_lanes(struct few_session *s, struct few_error *err)
{
    const struct few_mem *mem = s->env.mem;
    struct few__chooser *choosers = FEW__NEW_N(mem, struct few__chooser, s->n_places);
    size_t *batch_max = FEW__NEW_N(mem, size_t, s->n_models);
    enum few_status status = choosers && batch_max ? FEW_OK : few__no_memory(err, "lanes");
    for (size_t i = 0; status == FEW_OK && i < s->n_places; i++) choosers[i] = s->scheds[i].chooser;
    for (size_t i = 0; status == FEW_OK && i < s->n_models; i++) batch_max[i] = s->zoo->recipes[i].batch;
    const struct few__live_opts opts = {
        .exec = {.env = &s->env,
                 .catalog = &s->zoo->catalog,
                 .costs = s->costs,
                 .choosers = choosers,
                 .n_slots = s->n_places,
                 .n_lanes = s->n_lanes,
                 .memory_bytes = has_budget(s) ? s->memory_bytes : 0,
                 .loads = has_budget(s),
                 .rank = s->rank,
                 .batch_max = batch_max,
                 .variants = s->variants,
                 .keep_pace = s->opts.deadline_us > 0 || s->n_lanes > 1},
        .workspace = s->workspace,
        .recipes = s->zoo->recipes,
        .read = few__session_read,
        .ud = s,
    };
    if (status == FEW_OK) status = few__live_create(&opts, &s->live, err);
    few__free(mem, choosers);
    few__free(mem, batch_max);
    return status;
}

// Streams may poke it from their threads from now on, or no more.
static void set_poked(struct few_session *s, struct few__live *live)
{
    pthread_mutex_lock(&s->poke_lock);
    s->poked = live;
    pthread_mutex_unlock(&s->poke_lock);
}

static enum few_status wake(struct few_session *s, struct few_error *err)
{
    FEW__TRY(few__session_measure(s, err));
    FEW__TRY(open_workspace(s, err));
    for (size_t i = 0; i < s->n_models && !has_budget(s); i++)
        FEW__TRY(few__workspace_load(s->workspace, i, err));
    FEW__TRY(few__session_rank(s, s->rank, err));
    FEW__TRY(make_schedulers(s, err));
    FEW__TRY(make_readers(s, err));
    FEW__TRY(start_lanes(s, err));
    set_poked(s, s->live);
    return has_budget(s) ? few__live_warm(s->live, err) : FEW_OK;
}

enum few_status few__session_wake(struct few_session *s, struct few_error *err)
{
    if (s->awake) return FEW_OK;
    enum few_status status = wake(s, err);
    if (status != FEW_OK) few__session_sleep(s);
    s->awake = status == FEW_OK;
    return status;
}

void few__session_sleep(struct few_session *s)
{
    set_poked(s, NULL);
    few__live_destroy(s->live);
    s->live = NULL;
    for (size_t i = 0; s->places && i < s->n_places; i++) {
        few__record_reader_destroy(s->places[i].records);
        s->places[i].records = NULL;
    }
    for (size_t i = 0; s->scheds && i < s->n_places; i++) few__sched_destroy(&s->scheds[i]);
    few__workspace_destroy(s->workspace);
    s->workspace = NULL;
    s->awake = false;
}
