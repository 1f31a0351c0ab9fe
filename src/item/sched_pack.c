// SPDX-License-Identifier: Apache-2.0
/* AMS Algorithm 2 (TKDD 2022, section 4) and what is better.
 *
 * A plan is played from the present state with expected times and present values: what runs ends when the view says, a
 * rule picks what starts at each completion, needs find something. FAITHFUL picks once and answers with that. IMPROVED
 * plays every rule to the deadline and answers with the first picks of the best. No rule remembers anything, so the
 * rest of a plan is among the candidates of the next decision: with values that stay and times that are met the total
 * never falls from decision to decision, nor below that of the faithful rule. docs/pack.md has the corner cases.
 *
 * Invariants: jobs lie in an order where a need comes before its users; picks of one instant are handed out one by one,
 * so that the executor can say how the next runs beside the last. */
#include "item/sched_pack.h"

#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/charge.h"
#include "item/order.h"

enum { PLAN_MAX = 64 }; // pending models that a plan looks at
#define NO_JOB UINT32_MAX

enum rule { BY_AREA, BY_MEMORY, BY_TIME, BY_VALUE, PRINTED, N_RULES };

enum job_state { WAITS, RUNS, ENDED, LOST }; // LOST: it, or its need, cannot end before the deadline any more

struct job {
    size_t model;
    double q;
    int64_t time_us;  // once others have ended
    int64_t start_us; // the same if it starts in this instant: beside what runs now
    int64_t alone_us; // once it is loaded: what a price is for
    uint64_t bytes;   // 0 where memory has no limit
    uint32_t need;    // job, or NO_JOB: nothing to wait for
    bool not_now;     // absent, or it would end later beside what runs than after it
};

struct chain { // of a waiting job: the job with its waiting needs
    double q;
    int64_t time_us, alone_us;
    uint64_t bytes;
    uint32_t first; // NO_JOB: a need runs
};

struct pick {
    uint32_t job;
    double worth; // of the chain that it was picked for
};

struct run {
    int64_t end_us; // from the instant of the decision
    uint32_t job;
};

struct play { // one plan while it is played
    enum rule rule;
    bool now; // nothing has ended yet
    int64_t at_us;
    uint64_t free_bytes;
    size_t n_free_lanes;
    size_t n_waiting, n_runs, n_picks;
    size_t n_worth; // waiting jobs that are worth something
    double value;   // of what is started
    double hope;    // of what waits, all of it
};

struct pack {
    struct few__arena arena; // holds the arrays
    struct few__chains needs;
    struct few__value value;
    enum few__pack_rule rule;
    double price;                // value per microsecond, or -INFINITY
    bool tells;                  // what things are worth
    size_t max_jobs;             // waiting ones
    double *q;                   // (n_models,)
    struct few__charge *charges; // (n_models,)
    uint32_t *job_of;            // (n_models,) or NO_JOB
    bool *taken;                 // (n_models,) models that the plan looks at
    struct few__best *top;       // (max_jobs,) by falling rank, where there are more models than that

    // The state that plans start from.
    struct job *jobs; // (n_jobs,) room for n_models
    size_t n_jobs;
    struct run *runs0;  // (FEW__LANES_MAX,)
    uint32_t *waiting0; // (n_models,) jobs
    struct play start;
    bool limited;    // memory is
    int64_t left_us; // until the deadline

    // Scratch of a plan.
    enum job_state *states;  // (n_models,)
    struct chain *chains;    // (n_models,)
    uint32_t *waiting;       // (n_models,)
    struct run *runs;        // (FEW__LANES_MAX,) in the order of start
    struct pick *picks;      // (FEW__LANES_MAX,) of the first instant
    struct pick *best_picks; // (FEW__LANES_MAX,)

    // What is left to start of the plan under way; valid while its key fits.
    size_t n_planned, *planned; // (FEW__LANES_MAX,) models
    double *planned_worths;     // (FEW__LANES_MAX,)
    uint64_t item;
    int64_t now_us;
    size_t n_done, wish;
};

/* ---- a plan ---- */

static double worth(double q)
{
    return q > 0 ? q : 0;
}

// Memory that a chain takes of what is packed; the share of a lane is the same for all.
static double share_of(const struct pack *p, uint64_t bytes)
{
    return p->limited && bytes > 0 ? (double)bytes : 1;
}

static double rank_of(const struct pack *p, enum rule rule, const struct chain *chain)
{
    double time = (double)chain->time_us;
    switch (rule) {
    case BY_MEMORY: return chain->q / share_of(p, chain->bytes);
    case BY_TIME: return chain->q / time;
    case BY_VALUE: return chain->q;
    case BY_AREA:
    case PRINTED:
    case N_RULES: break;
    }
    return chain->q / (time * share_of(p, chain->bytes));
}

static int64_t time_of(const struct play *play, const struct job *job)
{
    return play->now ? job->start_us : job->time_us;
}

// Writes the chain of a waiting job; false: it is lost.
static bool make_chain(struct pack *p, const struct play *play, uint32_t j)
{
    const struct job *job = &p->jobs[j];
    struct chain *chain = &p->chains[j];
    *chain = (struct chain){.q = job->q,
                            .time_us = time_of(play, job),
                            .alone_us = job->alone_us,
                            .bytes = job->bytes,
                            .first = j};
    enum job_state above = job->need == NO_JOB ? ENDED : p->states[job->need];
    if (above == LOST || job->time_us > p->left_us - play->at_us) return false;
    if (above == RUNS || (play->now && job->not_now)) chain->first = NO_JOB;
    if (above != WAITS) return true;
    const struct chain *need = &p->chains[job->need];
    chain->first = need->first;
    chain->q += need->q;
    if (isnan(chain->q)) chain->q = -INFINITY;
    chain->time_us = job->time_us + need->time_us;
    chain->alone_us += need->alone_us;
    if (need->bytes > chain->bytes) chain->bytes = need->bytes;
    return true;
}

static void forget(struct play *play, double q)
{
    if (!(q > 0)) return;
    play->n_worth--;
    play->hope -= q;
}

/* The waiting job of the highest rank whose chain ends by limit_us and has memory, or NO_JOB. Drops what does not
 * wait any more from the list. */
static uint32_t best_job(struct pack *p, struct play *play, enum rule rule, int64_t limit_us)
{
    struct few__best best = {.model = SIZE_MAX};
    uint32_t best_j = NO_JOB;
    size_t n = 0;
    for (size_t i = 0; i < play->n_waiting; i++) {
        uint32_t j = p->waiting[i];
        if (p->states[j] != WAITS) continue;
        if (!make_chain(p, play, j)) {
            p->states[j] = LOST;
            forget(play, p->jobs[j].q);
            continue;
        }
        p->waiting[n++] = j;
        const struct chain *chain = &p->chains[j];
        if (chain->first == NO_JOB || chain->time_us > limit_us - play->at_us) continue;
        if (chain->q < p->price * (double)chain->alone_us) continue;
        // The listing holds a chain's largest model against the free memory; a plan only needs room for its first.
        uint64_t bytes = play->rule == PRINTED ? chain->bytes : p->jobs[chain->first].bytes;
        if (bytes > play->free_bytes) continue;
        few__best_note(&best, p->jobs[j].model, rank_of(p, rule, chain));
        if (best.model == p->jobs[j].model) best_j = j;
    }
    play->n_waiting = n;
    return best_j;
}

// The first job of the chain of `pick`.
static void start(struct pack *p, struct play *play, uint32_t pick)
{
    const struct chain *chain = &p->chains[pick];
    double ratio = chain->q / (double)chain->alone_us;
    uint32_t j = chain->first;
    const struct job *job = &p->jobs[j];
    p->states[j] = RUNS;
    p->runs[play->n_runs++] = (struct run){play->at_us + time_of(play, job), j};
    play->free_bytes -= job->bytes;
    play->n_free_lanes--;
    play->value += worth(job->q);
    forget(play, job->q);
    if (play->now) p->picks[play->n_picks++] = (struct pick){j, ratio};
}

// The listing: the largest value over area, then by value over memory what ends before it does.
static void pick_printed(struct pack *p, struct play *play)
{
    if (play->n_free_lanes == 0) return;
    uint32_t pick = best_job(p, play, BY_AREA, p->left_us);
    if (pick == NO_JOB) return;
    int64_t limit_us = play->at_us + p->chains[pick].time_us;
    start(p, play, pick);
    while (play->n_free_lanes > 0 && (pick = best_job(p, play, BY_MEMORY, limit_us)) != NO_JOB)
        start(p, play, pick);
}

static size_t next_end(const struct pack *p, const struct play *play)
{
    size_t next = 0;
    for (size_t i = 1; i < play->n_runs; i++)
        if (p->runs[i].end_us < p->runs[next].end_us) next = i;
    return next;
}

// Whatever is best and fits, until nothing does; once all that ends at this instant has ended.
static void pick_list(struct pack *p, struct play *play)
{
    if (play->n_runs > 0 && p->runs[next_end(p, play)].end_us == play->at_us) return;
    uint32_t pick;
    while (play->n_free_lanes > 0 && (pick = best_job(p, play, play->rule, p->left_us)) != NO_JOB)
        start(p, play, pick);
}

static void pick(struct pack *p, struct play *play)
{
    if (play->rule == PRINTED) pick_printed(p, play);
    else pick_list(p, play);
}

static struct play begin_play(struct pack *p, enum rule rule)
{
    struct play play = p->start;
    play.rule = rule;
    memcpy(p->waiting, p->waiting0, play.n_waiting * sizeof *p->waiting);
    memcpy(p->runs, p->runs0, play.n_runs * sizeof *p->runs);
    for (size_t j = 0; j < p->n_jobs; j++) p->states[j] = WAITS;
    for (size_t i = 0; i < play.n_runs; i++) p->states[p->runs[i].job] = RUNS;
    return play;
}

// What the rule gains until the deadline, unless that is no more than `beat`; its first picks are in p->picks.
static struct play play_out(struct pack *p, enum rule rule, double beat)
{
    struct play play = begin_play(p, rule);
    for (;;) {
        pick(p, &play);
        if (play.n_runs == 0 || play.n_worth == 0 || play.value + play.hope <= beat) return play;
        size_t next = next_end(p, &play);
        uint32_t j = p->runs[next].job;
        play.now = false;
        play.at_us = p->runs[next].end_us;
        if (play.at_us >= p->left_us) return play;
        play.free_bytes += p->jobs[j].bytes;
        play.n_free_lanes++;
        p->states[j] = ENDED;
        play.n_runs--;
        memmove(&p->runs[next], &p->runs[next + 1], (play.n_runs - next) * sizeof *p->runs);
    }
}

// Fills p->best_picks; returns how many.
static size_t plan(struct pack *p, bool deadline)
{
    struct play best = {.value = -1};
    if (p->rule == FEW__PACK_FAITHFUL || !deadline) {
        best = begin_play(p, p->rule == FEW__PACK_FAITHFUL ? PRINTED : BY_AREA);
        pick(p, &best);
        memcpy(p->best_picks, p->picks, best.n_picks * sizeof *p->picks);
        return best.n_picks;
    }
    for (enum rule rule = 0; rule < N_RULES && best.value < p->start.hope; rule++) {
        struct play play = play_out(p, rule, best.value);
        if (!(play.value > best.value)) continue;
        best = play;
        memcpy(p->best_picks, p->picks, play.n_picks * sizeof *p->picks);
    }
    return best.n_picks;
}

/* ---- the state that plans start from ---- */

// How much longer what runs on this item will take.
static int64_t wait_us(const struct few__view *view)
{
    int64_t wait = 0;
    for (size_t i = 0; i < view->n_running; i++)
        if (view->ends_us[i] - view->now_us > wait) wait = view->ends_us[i] - view->now_us;
    return wait;
}

static bool better_later(const struct few__view *view, size_t model)
{
    return view->slow[model] != 1 && view->n_running > 0 &&
           few__view_time(view, model) > view->costs[model].time_us + wait_us(view);
}

// By value over area, of what may start or waits for a need that runs. Returns how many.
static size_t rank_models(struct pack *p, const struct few__view *view)
{
    size_t n = 0;
    for (size_t m = 0; m < p->needs.n; m++) {
        if (view->states[m] != FEW__PENDING || view->held[m]) continue;
        const struct few__charge *charge = &p->charges[m];
        if (charge->first != FEW__NOBODY && !view->resident[charge->first]) continue;
        if (charge->bytes > view->memory_bytes) continue;
        if (charge->time_us + charge->load_us > p->left_us) continue;
        if (charge->q < p->price * (double)charge->alone_us) continue;
        struct chain chain = {.q = charge->q, .time_us = charge->time_us, .bytes = charge->bytes};
        double rank = rank_of(p, BY_AREA, &chain);
        if (n == p->max_jobs && rank <= p->top[n - 1].rank) continue;
        size_t at = n < p->max_jobs ? n++ : n - 1;
        for (; at > 0 && p->top[at - 1].rank < rank; at--) p->top[at] = p->top[at - 1];
        p->top[at] = (struct few__best){m, rank};
    }
    return n;
}

// The pending models that the plan looks at: all, or the best with their needs.
static void take_models(struct pack *p, const struct few__view *view)
{
    bool all = view->n_pending <= p->max_jobs;
    for (size_t m = 0; m < p->needs.n; m++) p->taken[m] = all;
    size_t n = all ? 0 : rank_models(p, view), room = p->max_jobs;
    for (size_t i = 0; i < n; i++) {
        size_t length = 0;
        int m = (int)p->top[i].model;
        for (; m >= 0 && !p->taken[m] && view->states[m] == FEW__PENDING; m = p->needs.needs[m]) length++;
        if (length > room) continue;
        room -= length;
        for (m = (int)p->top[i].model; length > 0; length--, m = p->needs.needs[m]) p->taken[m] = true;
    }
}

static void add_job(struct pack *p, const struct few__view *view, size_t model, uint32_t need)
{
    bool absent = !view->resident[model];
    uint32_t j = p->job_of[model] = (uint32_t)p->n_jobs++;
    double q = isnan(p->q[model]) ? -INFINITY : p->q[model];
    int64_t time_us = view->costs[model].time_us;
    if (absent) time_us += p->charges[model].load_us;
    p->jobs[j] = (struct job){.model = model,
                              .q = q,
                              .time_us = time_us,
                              .start_us = absent ? time_us : few__view_time(view, model),
                              .alone_us = view->costs[model].time_us,
                              .bytes = p->limited ? view->working_bytes[model] : 0,
                              .need = need,
                              .not_now = absent || better_later(view, model)};
    if (view->states[model] != FEW__PENDING) return;
    p->waiting0[p->start.n_waiting++] = j;
    p->start.n_worth += q > 0;
    p->start.hope += worth(q);
}

// The job of a pending model that may start at some time in this plan, if everything goes well.
static void add_pending(struct pack *p, const struct few__view *view, size_t model)
{
    int need = p->needs.needs[model];
    bool found = need < 0 || (view->states[need] == FEW__DONE && view->found[need]);
    if (view->held[model] || !p->taken[model] || view->working_bytes[model] > view->memory_bytes) return;
    if (found ? !view->resident[model] : p->job_of[need] == NO_JOB) return;
    add_job(p, view, model, found ? NO_JOB : p->job_of[need]);
}

static void add_runs(struct pack *p, const struct few__view *view)
{
    for (size_t i = 0; i < view->n_running; i++) {
        int64_t end_us = view->ends_us[i] - view->now_us;
        // What is late may end any moment, but is not waited for.
        p->runs0[p->start.n_runs++] = (struct run){end_us < 0 ? 1 : end_us, p->job_of[view->running[i]]};
    }
}

static void read_state(struct pack *p, const struct few__view *view)
{
    p->n_jobs = 0;
    p->start = (struct play){
        .now = true, .free_bytes = p->limited ? view->free_bytes : 0, .n_free_lanes = view->n_free_lanes};
    take_models(p, view);
    for (size_t i = 0; i < p->needs.n; i++) {
        size_t model = p->needs.order[i];
        p->job_of[model] = NO_JOB;
        if (view->states[model] == FEW__RUNNING) add_job(p, view, model, NO_JOB);
        if (view->states[model] == FEW__PENDING) add_pending(p, view, model);
    }
    add_runs(p, view);
}

/* ---- decisions ---- */

static double worth_of(const struct few__charge *charge)
{
    return charge->q / (double)charge->alone_us;
}

// The longest time that few__view_fits.
static int64_t time_left(const struct few__view *view)
{
    if (view->deadline_us == FEW__NO_DEADLINE) return INT64_MAX;
    int64_t left_us = view->deadline_us - view->now_us;
    if (view->pace == 1) return left_us;
    int64_t time_us = (int64_t)((double)left_us / view->pace);
    return few__view_fits(view, time_us) ? time_us : time_us - 1;
}

// What would be best if everything were loaded, and what may start now or later.
static void look(struct pack *p, const struct few__view *view, struct few__best *wish,
                 struct few__best *hoped, struct few__best *absent)
{
    *wish = *hoped = *absent = (struct few__best){.model = SIZE_MAX};
    p->limited = view->memory_bytes != FEW__NO_BUDGET;
    p->left_us = time_left(view);
    for (size_t i = 0; i < p->needs.n; i++) {
        size_t model = p->needs.order[i];
        if (view->states[model] != FEW__PENDING) continue;
        struct few__charge *charge = &p->charges[model];
        *charge = few__charge_of(&p->needs, view, p->q, p->charges, model);
        if (charge->first == FEW__NOBODY || charge->bytes > view->memory_bytes) continue;
        if (charge->time_us > p->left_us) continue;
        if (charge->q < p->price * (double)charge->alone_us) continue;
        struct chain chain = {.q = charge->q, .time_us = charge->time_us, .bytes = charge->bytes};
        double rank = rank_of(p, BY_AREA, &chain);
        few__best_note(wish, model, rank);
        if (charge->time_us + charge->load_us > p->left_us) continue;
        few__best_note(hoped, model, rank);
        if (charge->absent != FEW__NOBODY) few__best_note(absent, model, rank);
    }
}

static size_t n_done(const struct few__view *view)
{
    return view->catalog->n_models - view->n_pending - view->n_running;
}

// The next of the plan under way. false: there is none, or something else has happened than it foresaw.
static bool go_on(const struct pack *p, const struct few__view *view, struct few__choice *choice)
{
    if (p->n_planned < 2 || p->item != view->item || p->now_us != view->now_us || p->n_done != n_done(view))
        return false;
    size_t i = 0;
    while (i < p->n_planned && view->states[p->planned[i]] != FEW__PENDING) i++;
    choice->wish = p->wish;
    choice->answer = FEW__WAIT;
    for (; i < p->n_planned; i++) {
        size_t model = p->planned[i];
        if (!few__view_ready(view, model) || !few__view_has_memory(view, model)) return false;
        if (better_later(view, model) || !few__view_fits(view, few__view_time(view, model))) continue;
        choice->answer = FEW__START;
        choice->n = 1;
        choice->models[0] = model;
        if (p->tells && choice->worths) choice->worths[0] = p->planned_worths[i];
        choice->last = i + 1 == p->n_planned;
        return true;
    }
    return view->n_running > 0;
}

// Where a plan sees nothing to start (its size is limited) and nothing runs, what fits is not left to wait for ever.
static bool start_hoped(const struct pack *p, const struct few__view *view, const struct few__best *hoped,
                        struct few__choice *choice)
{
    if (view->n_running > 0 || hoped->model == SIZE_MAX) return false;
    size_t first = (size_t)p->charges[hoped->model].first;
    if (!view->resident[first] || !few__view_has_memory(view, first)) return false;
    choice->answer = FEW__START;
    choice->n = 1;
    choice->models[0] = first;
    if (p->tells && choice->worths) choice->worths[0] = worth_of(&p->charges[hoped->model]);
    return true;
}

static void keep_plan(struct pack *p, const struct few__view *view, size_t n_picks, size_t wish)
{
    p->n_planned = n_picks;
    for (size_t i = 0; i < n_picks; i++) {
        p->planned[i] = p->jobs[p->best_picks[i].job].model;
        p->planned_worths[i] = p->best_picks[i].worth;
    }
    p->item = view->item;
    p->now_us = view->now_us;
    p->n_done = n_done(view);
    p->wish = wish;
}

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct pack *p = self;
    choice->last = false;
    if (p->rule == FEW__PACK_IMPROVED && go_on(p, view, choice)) return;
    p->value.score(p->value.self, view, p->q);
    struct few__best wish, hoped, absent;
    look(p, view, &wish, &hoped, &absent);
    read_state(p, view);
    size_t n_picks = plan(p, view->deadline_us != FEW__NO_DEADLINE);
    choice->wish = wish.model == SIZE_MAX ? SIZE_MAX : few__charge_wish(&p->charges[wish.model]);
    keep_plan(p, view, n_picks, choice->wish);
    if (n_picks == 0) {
        if (start_hoped(p, view, &hoped, choice)) return;
        few__answer_nothing(view, p->charges, &hoped, &absent, choice);
        return;
    }
    choice->answer = FEW__START;
    choice->n = p->rule == FEW__PACK_FAITHFUL ? n_picks : 1;
    choice->last = choice->n == n_picks;
    memcpy(choice->models, p->planned, choice->n * sizeof *p->planned);
    for (size_t i = 0; p->tells && choice->worths && i < choice->n; i++)
        choice->worths[i] = p->planned_worths[i];
}

static void explain(void *self, const struct few__view *view, double *worths)
{
    const struct pack *p = self;
    for (size_t m = 0; m < p->needs.n; m++)
        if (view->states[m] == FEW__PENDING) worths[m] = worth_of(&p->charges[m]);
}

void few__sched_pack_price(struct few__sched *sched, double price)
{
    struct pack *p = sched->chooser.self;
    p->price = price;
    p->tells = true;
    sched->chooser.explain = explain;
    sched->chooser.price = price;
}

static void begin(void *self, const struct few__view *view)
{
    struct pack *p = self;
    p->n_planned = 0;
    if (p->value.begin) p->value.begin(p->value.self, view);
}

/* ---- life ---- */

static void destroy(void *self)
{
    struct pack *p = self;
    const struct few_mem *mem = p->arena.mem;
    if (p->value.destroy) p->value.destroy(p->value.self);
    few__arena_finish(&p->arena);
    few__free(mem, p);
}

static enum few_status take_memory(struct pack *p, struct few_error *err)
{
    struct few__arena *arena = &p->arena;
    size_t n = p->needs.n;
    p->max_jobs = p->rule == FEW__PACK_FAITHFUL ? n : PLAN_MAX;
    p->q = FEW__ARENA_NEW(arena, double, n);
    p->charges = FEW__ARENA_NEW(arena, struct few__charge, n);
    p->job_of = FEW__ARENA_NEW(arena, uint32_t, n);
    p->taken = FEW__ARENA_NEW(arena, bool, n);
    p->top = FEW__ARENA_NEW(arena, struct few__best, PLAN_MAX);
    p->jobs = FEW__ARENA_NEW(arena, struct job, n);
    p->waiting0 = FEW__ARENA_NEW(arena, uint32_t, n);
    p->waiting = FEW__ARENA_NEW(arena, uint32_t, n);
    p->states = FEW__ARENA_NEW(arena, enum job_state, n);
    p->chains = FEW__ARENA_NEW(arena, struct chain, n);
    p->runs0 = FEW__ARENA_NEW(arena, struct run, FEW__LANES_MAX);
    p->runs = FEW__ARENA_NEW(arena, struct run, FEW__LANES_MAX);
    p->picks = FEW__ARENA_NEW(arena, struct pick, FEW__LANES_MAX);
    p->best_picks = FEW__ARENA_NEW(arena, struct pick, FEW__LANES_MAX);
    p->planned = FEW__ARENA_NEW(arena, size_t, FEW__LANES_MAX);
    p->planned_worths = FEW__ARENA_NEW(arena, double, FEW__LANES_MAX);
    bool ok = p->q && p->charges && p->job_of && p->taken && p->top && p->jobs && p->waiting0 && p->waiting &&
              p->states && p->chains && p->runs0 && p->runs && p->picks && p->best_picks && p->planned &&
              p->planned_worths;
    return ok ? FEW_OK : few__no_memory(err, "scheduler");
}

enum few_status few__sched_pack_create(const struct few_catalog *catalog, struct few__value value,
                                       enum few__pack_rule rule, const struct few_env *env,
                                       struct few__sched *sched, struct few_error *err)
{
    *sched = (struct few__sched){0};
    struct few_env e = few__env(env);
    struct pack *p = FEW__NEW(e.mem, struct pack);
    if (!p) {
        if (value.destroy) value.destroy(value.self);
        return few__no_memory(err, "scheduler");
    }
    p->value = value;
    p->rule = rule;
    p->price = -INFINITY;
    few__arena_init(&p->arena, e.mem, FEW__ITEM_MEMORY_MAX);
    enum few_status status = few__chains_build(catalog, &p->arena, &p->needs, err);
    if (status == FEW_OK) status = take_memory(p, err);
    if (status != FEW_OK) {
        destroy(p);
        return status;
    }
    *sched = (struct few__sched){.chooser = {.self = p, .name = value.name, .begin = begin, .choose = choose},
                                 .destroy = destroy};
    return FEW_OK;
}
