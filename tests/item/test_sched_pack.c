// SPDX-License-Identifier: Apache-2.0
// AMS Algorithm 2: the example by hand, each thing that its listing leaves out, then random workloads.
#include "item/trace_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "item/sched_pack.h"

#define FAITHFUL  FEW__PACK_FAITHFUL
#define IMPROVED  FEW__PACK_IMPROVED
#define UNLIMITED FEW__NO_DEADLINE
#define NO_LIMIT  0 // of memory, as the executor's options have it

struct pack_world {
    struct t_world w;
    double q[T_MODELS];
    uint64_t memory; // NO_LIMIT
    size_t n_lanes;
    size_t n_destroyed;
    bool priced; // with this price
    double price;
};

static void score(void *self, const struct few__view *view, double *q)
{
    memcpy(q, ((struct pack_world *)self)->q, view->catalog->n_models * sizeof *q);
}

static void count_destroy(void *self)
{
    ((struct pack_world *)self)->n_destroyed++;
}

static struct few__value value_of(struct pack_world *p)
{
    return (struct few__value){.self = p, .name = "table", .score = score, .destroy = count_destroy};
}

static void set_models(struct pack_world *p, size_t n, const int64_t *times_us, const uint64_t *bytes,
                       const double *q, uint64_t memory)
{
    *p = (struct pack_world){.memory = memory, .n_lanes = FEW__LANES_MAX};
    t_world_init(&p->w, n);
    for (size_t m = 0; m < n; m++) {
        t_world_time(&p->w, m, times_us[m]);
        p->w.costs[m].memory_bytes = bytes[m];
        p->q[m] = q[m];
    }
}

/* ---- replays ---- */

// Asks twice: an answer that is not followed must not change the next one.
struct twice {
    struct few__chooser chooser;
    bool differs;
};

static void choose_twice(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct twice *t = self;
    size_t models[T_MODELS];
    struct few__choice first = {.answer = FEW__STOP, .models = models, .wish = SIZE_MAX};
    t->chooser.choose(t->chooser.self, view, &first);
    t->chooser.choose(t->chooser.self, view, choice);
    if (first.answer != choice->answer || first.wish != choice->wish) t->differs = true;
    if (first.answer != FEW__START || choice->answer != FEW__START) return;
    if (first.n != choice->n || first.last != choice->last ||
        memcmp(first.models, choice->models, first.n * sizeof *models) != 0)
        t->differs = true;
}

static void begin_twice(void *self, const struct few__view *view)
{
    struct twice *t = self;
    t->chooser.begin(t->chooser.self, view);
}

struct started {
    int64_t at_us, end_us;
    size_t model;
    bool executed;
};

// Replays one item; the log is checked. started: (n_models,) out in the order of start. Returns how many.
static size_t replay(struct pack_world *p, struct few__sched *sched, int64_t deadline_us,
                     struct started *started)
{
    struct few_error err;
    struct few__exec *exec;
    struct few__exec_log log;
    struct twice twice = {.chooser = sched->chooser};
    struct few__chooser chooser = {
        .self = &twice, .name = "twice", .begin = begin_twice, .choose = choose_twice};
    assert_int_equal(few__exec_log_init(&log, NULL, 8 * T_MODELS, NULL), FEW_OK);
    struct few__exec_opts opts = {.catalog = &p->w.catalog,
                                  .costs = p->w.costs,
                                  .choosers = &chooser,
                                  .n_slots = 1,
                                  .n_lanes = p->n_lanes,
                                  .memory_bytes = p->memory,
                                  .log = &log};
    assert_status(few__exec_create(&opts, &exec, &err), FEW_OK, &err);
    few__sim_item(exec, 0, 0, deadline_us, p->w.truth);
    assert_status(few__exec_check(&log, &opts, &err), FEW_OK, &err);
    assert_false(twice.differs);
    size_t n = 0;
    for (size_t i = 0; i < log.n; i++) {
        if (log.records[i].kind != FEW__LOG_START) continue;
        size_t m = log.records[i].model;
        const struct few__exec_row *row = &few__exec_rows(exec, 0)[m];
        started[n++] = (struct started){row->start_us, row->end_us, m, row->outcome == FEW_EXECUTED};
    }
    few__exec_log_finish(&log);
    few__exec_destroy(exec);
    return n;
}

static size_t pack(struct pack_world *p, enum few__pack_rule rule, int64_t deadline_us,
                   struct started *started)
{
    struct few_error err;
    struct few__sched sched;
    assert_status(few__sched_pack_create(&p->w.catalog, value_of(p), rule, NULL, &sched, &err), FEW_OK, &err);
    if (p->priced) few__sched_pack_price(&sched, p->price);
    size_t n = replay(p, &sched, deadline_us, started);
    few__sched_destroy(&sched);
    return n;
}

// "0 b, 0 d, 200 a": what started when.
static void assert_packed(struct pack_world *p, enum few__pack_rule rule, int64_t deadline_us,
                          const char *expected)
{
    struct started started[T_MODELS];
    char text[256] = "";
    size_t at = 0, n = pack(p, rule, deadline_us, started);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld %s", i ? ", " : "",
                               (long long)started[i].at_us, p->w.names[started[i].model]);
    assert_string_equal(text, expected);
}

static double total(struct pack_world *p, const struct started *started, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += started[i].executed ? p->q[started[i].model] : 0;
    return sum;
}

#define TIMES (const int64_t[])
#define BYTES (const uint64_t[])
#define Q     (const double[])

/* ---- the example: memory 8; a (400, 4, 1.6), b (200, 3, 0.9), c (400, 5, 1.0), d (200, 1, 0.1) ---- */

static void set_example(struct pack_world *p)
{
    set_models(p, 4, TIMES{400, 200, 400, 200}, BYTES{4, 3, 5, 1}, Q{1.6, 0.9, 1.0, 0.1}, 8);
}

static void test_example_faithful(void **state)
{
    (void)state;
    struct pack_world p;
    struct started started[T_MODELS];
    set_example(&p);
    assert_packed(&p, FAITHFUL, 1000, "0 b, 0 d, 200 a, 600 c");
    assert_near(total(&p, started, pack(&p, FAITHFUL, 1000, started)), 3.6, 1e-12);
    assert_packed(&p, FAITHFUL, 500, "0 b, 0 d");
    assert_near(total(&p, started, pack(&p, FAITHFUL, 500, started)), 1.0, 1e-12);
    assert_packed(&p, FAITHFUL, 150, "");
    p.memory = 2;
    assert_packed(&p, FAITHFUL, 1000, "0 d");
}

static void test_example_improved(void **state)
{
    (void)state;
    struct pack_world p;
    struct started started[T_MODELS];
    set_example(&p);
    assert_near(total(&p, started, pack(&p, IMPROVED, 1000, started)), 3.6, 1e-12);
    assert_packed(&p, IMPROVED, 500, "0 b, 0 a, 0 d"); // all of the block
    assert_near(total(&p, started, pack(&p, IMPROVED, 500, started)), 2.6, 1e-12);
    assert_packed(&p, IMPROVED, 150, "");
    p.memory = 2;
    assert_packed(&p, IMPROVED, 1000, "0 d");
}

/* ---- what the listing leaves out ---- */

static void test_memory_of_the_first_pick_is_taken(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 2, TIMES{100, 100}, BYTES{5, 5}, Q{2, 1}, 8);
    assert_packed(&p, FAITHFUL, 1000, "0 a, 100 b");
}

static void test_picks_end_by_the_deadline(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 2, TIMES{100, 60}, BYTES{1, 1}, Q{9, 1}, 8);
    assert_packed(&p, FAITHFUL, 100, "0 a, 0 b"); // exactly at it counts
    assert_packed(&p, FAITHFUL, 99, "0 b");
    struct started started[T_MODELS];
    assert_int_equal(pack(&p, FAITHFUL, 100, started), 2);
    assert_true(started[0].executed && started[1].executed);
}

static void test_without_a_first_pick_it_waits_or_stops(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 3, TIMES{100, 50, 10}, BYTES{6, 6, 9}, Q{9, 1, 9}, 8);
    assert_packed(&p, FAITHFUL, 150, "0 a, 100 b"); // waits for a's memory; c never has any
    assert_packed(&p, FAITHFUL, 149, "0 a");
    assert_packed(&p, IMPROVED, 149, "0 a");
}

// The temporary deadline is that of the first pick: b could end by the deadline, but not by the end of a.
static void test_fill_keeps_to_the_temporary_deadline(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 3, TIMES{100, 150, 100}, BYTES{2, 2, 2}, Q{3, 3, 1}, 6);
    assert_packed(&p, FAITHFUL, 1000, "0 a, 0 c, 100 b");
    assert_packed(&p, FAITHFUL, 200, "0 a, 0 c");
    assert_packed(&p, IMPROVED, 200, "0 a, 0 b, 0 c");
}

// The fill goes by value over memory whatever the time, the first pick by value over area.
static void test_first_by_area_fill_by_memory(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 4, TIMES{100, 90, 10, 100}, BYTES{4, 2, 1, 4}, Q{9, 1.9, 0.2, 4}, 8);
    assert_packed(&p, FAITHFUL, 100, "0 a, 0 d"); // over memory: d 1, b 0.95, c 0.2
}

// Two end at once: the faithful rule decides after each (b's memory is not free yet), a plan once both have ended.
static void test_ends_at_the_same_instant(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 4, TIMES{100, 100, 100, 100}, BYTES{4, 4, 8, 4}, Q{9, 9, 5, 1}, 8);
    assert_packed(&p, FAITHFUL, 200, "0 a, 0 b, 100 d");
    assert_packed(&p, IMPROVED, 200, "0 a, 0 b, 100 c");
}

static void test_lanes_are_packed_where_memory_has_no_limit(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 4, TIMES{400, 200, 400, 200}, BYTES{4, 3, 5, 1}, Q{1.6, 0.9, 1.1, 0.1}, NO_LIMIT);
    p.n_lanes = 2;
    assert_packed(&p, FAITHFUL, 1000, "0 b, 0 d, 200 a, 200 c"); // over time: b 4.5, a 4, c 2.75, d 0.5
    assert_packed(&p, IMPROVED, 400, "0 a, 0 c");
}

static void test_chains_take_time_together_and_the_most_memory(void **state)
{
    (void)state;
    struct pack_world p;
    // b needs a: 4 / (200 x 4) against c's 1.1 / (100 x 2).
    set_models(&p, 3, TIMES{100, 100, 100}, BYTES{1, 4, 2}, Q{0, 4, 1.1}, 4);
    p.w.models[1].needs = 0;
    assert_packed(&p, FAITHFUL, 300, "0 c, 0 a, 100 b"); // 0.005 < 0.0055; a fills
    p.q[2] = 0.9;
    assert_packed(&p, FAITHFUL, 300, "0 a, 0 c, 100 b"); // c ends within the chain's 200
    assert_packed(&p, FAITHFUL, 199, "0 c, 0 a");        // the chain does not fit, its need alone does
    p.memory = 3;                                        // b never has room
    assert_packed(&p, FAITHFUL, 300, "0 c, 0 a");
    p.memory = 4;
    p.w.truth[0].result = FEW__RESULT_EMPTY;
    assert_packed(&p, IMPROVED, 300, "0 a, 0 c");
}

static void test_without_a_deadline_everything_runs_by_density(void **state)
{
    (void)state;
    struct pack_world p;
    set_example(&p);
    assert_packed(&p, IMPROVED, UNLIMITED, "0 b, 0 a, 0 d, 400 c");
    for (size_t m = 0; m < 4; m++) p.q[m] = -p.q[m];
    struct started started[T_MODELS];
    assert_int_equal(pack(&p, IMPROVED, UNLIMITED, started), 4);
    assert_int_equal(pack(&p, FAITHFUL, UNLIMITED, started), 4);
}

// Values that are no numbers come last; what is worth nothing takes nothing from the rest.
static void test_odd_values(void **state)
{
    (void)state;
    struct pack_world p;
    set_models(&p, 3, TIMES{100, 100, 100}, BYTES{8, 8, 8}, Q{NAN, -1, 1}, 8);
    assert_packed(&p, FAITHFUL, 300, "0 c, 100 b, 200 a");
    assert_packed(&p, IMPROVED, 300, "0 c, 100 b, 200 a");
    set_models(&p, 2, TIMES{100, 100}, BYTES{0, 0}, Q{1, 2}, 8); // nothing of memory: as if a byte
    assert_packed(&p, FAITHFUL, 100, "0 b, 0 a");
}

/* ---- prices ---- */

// Worth in a microsecond: a 0.004, b 0.0045, c 0.0025, d 0.0005.
static void test_nothing_below_the_price_is_started(void **state)
{
    (void)state;
    struct pack_world p;
    set_example(&p);
    p.priced = true;
    static const struct {
        double price;
        const char *freely;
    } cases[] = {{-INFINITY, "0 b, 0 a, 0 d, 400 c"},
                 {0.0005, "0 b, 0 a, 0 d, 400 c"},
                 {0.000501, "0 b, 0 a, 400 c"},
                 {0.0026, "0 b, 0 a"},
                 {0.0041, "0 b"},
                 {0.0046, ""},
                 {INFINITY, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct started started[T_MODELS];
        bool in[2][4] = {{0}};
        p.price = cases[i].price;
        assert_packed(&p, IMPROVED, UNLIMITED, cases[i].freely);
        for (enum few__pack_rule rule = FAITHFUL; rule <= IMPROVED; rule++) {
            size_t n = pack(&p, rule, 5000, started);
            for (size_t k = 0; k < n; k++) in[rule][started[k].model] = true;
        }
        for (size_t m = 0; m < 4; m++) {
            bool worth = !(p.q[m] < p.price * (double)p.w.costs[m].time_us);
            assert_int_equal(in[FAITHFUL][m], worth);
            assert_int_equal(in[IMPROVED][m], worth);
        }
    }
}

// d needs c: together they are worth (1.0 + 0.1) / 600; once c has ended, d is worth 0.0005 alone.
static void test_a_chain_has_one_price(void **state)
{
    (void)state;
    struct pack_world p;
    set_example(&p);
    p.w.models[3].needs = 2;
    p.q[2] = 0;
    p.q[3] = 1.2; // 0.002 with c, 0.006 alone
    p.priced = true;
    p.price = 0.0019;
    assert_packed(&p, IMPROVED, UNLIMITED, "0 b, 0 a, 400 c, 800 d");
    p.price = 0.0021;
    assert_packed(&p, IMPROVED, UNLIMITED, "0 b, 0 a");
    p.price = 0.0019;
    p.q[2] = 1.19;
    p.q[3] = 0.01; // c is worth it alone, d is not
    assert_packed(&p, IMPROVED, UNLIMITED, "0 b, 0 a, 400 c");
}

static void test_packing_tells_what_things_are_worth(void **state)
{
    (void)state;
    struct pack_world p;
    struct few__sched sched;
    char text[128];
    static const char *const reasons[] = {"chosen by table: worth 4/ms, price 2.6/ms",
                                          "chosen by table: worth 4.5/ms, price 2.6/ms",
                                          "not worth its time, says table: 2.5/ms, price 2.6/ms",
                                          "not worth its time, says table: 0.5/ms, price 2.6/ms"};
    set_example(&p);
    assert_int_equal(few__sched_pack_create(&p.w.catalog, value_of(&p), IMPROVED, NULL, &sched, NULL),
                     FEW_OK);
    assert_null(sched.chooser.explain);
    few__sched_pack_price(&sched, 0.0026);
    for (size_t i = 0; i < 2; i++) {
        struct few__exec *exec = t_exec(&p.w, sched.chooser, 4, NULL);
        few__sim_item(exec, 0, 0, i ? 5000 : UNLIMITED, p.w.truth);
        for (size_t m = 0; m < 4; m++) {
            few__reason_text(exec, 0, m, text, sizeof text);
            assert_string_equal(text, reasons[m]);
        }
        few__exec_destroy(exec);
    }
    few__sched_destroy(&sched);
}

/* ---- what is not loaded, held, slow: views by hand ---- */

enum { MANY = 300 };

struct scene {
    struct few_model models[MANY];
    struct few_cost costs[MANY];
    struct few_catalog catalog;
    double q[MANY];
    enum few__state states[MANY];
    enum few_outcome outcomes[MANY];
    bool found[MANY], held[MANY], resident[MANY];
    uint64_t working[MANY];
    double slow[MANY];
    size_t chosen[MANY], running[FEW__LANES_MAX];
    int64_t ends_us[FEW__LANES_MAX];
    struct few__view view;
    struct few__sched sched;
};

static void score_scene(void *self, const struct few__view *view, double *q)
{
    memcpy(q, ((struct scene *)self)->q, view->catalog->n_models * sizeof *q);
}

// Again, after a change of the needs.
static void open_scene(struct scene *s, const struct few_env *env)
{
    struct few__value value = {.self = s, .name = "scene", .score = score_scene};
    few__sched_destroy(&s->sched);
    assert_int_equal(few__sched_pack_create(&s->catalog, value, IMPROVED, env, &s->sched, NULL), FEW_OK);
}

// n loaded models of 100 us and one byte, worth n, n - 1 ...; loading takes 1000 us; deadline at 250.
static void set_scene(struct scene *s, size_t n, uint64_t memory, const struct few_env *env)
{
    *s = (struct scene){.catalog = {.n_models = n, .models = s->models}};
    for (size_t m = 0; m < n; m++) {
        s->models[m] = (struct few_model){.name = "m", .needs = -1, .variant_of = -1};
        s->costs[m] = (struct few_cost){.time_us = 100, .memory_bytes = 1, .load_us = 1000};
        s->q[m] = (double)(n - m);
        s->resident[m] = true;
        s->working[m] = 1;
        s->slow[m] = 1;
    }
    s->view = (struct few__view){.catalog = &s->catalog,
                                 .costs = s->costs,
                                 .states = s->states,
                                 .outcomes = s->outcomes,
                                 .found = s->found,
                                 .held = s->held,
                                 .n_pending = n,
                                 .running = s->running,
                                 .ends_us = s->ends_us,
                                 .n_lanes = FEW__LANES_MAX,
                                 .n_free_lanes = FEW__LANES_MAX,
                                 .memory_bytes = memory,
                                 .free_bytes = memory,
                                 .working_bytes = s->working,
                                 .resident = s->resident,
                                 .slow = s->slow,
                                 .pace = 1,
                                 .deadline_us = 250};
    open_scene(s, env);
}

static struct few__choice ask(struct scene *s)
{
    struct few__choice choice = {.answer = FEW__STOP, .models = s->chosen, .wish = SIZE_MAX};
    s->sched.chooser.choose(s->sched.chooser.self, &s->view, &choice);
    return choice;
}

static void start_model(struct scene *s, size_t model)
{
    s->states[model] = FEW__RUNNING;
    s->running[s->view.n_running] = model;
    s->ends_us[s->view.n_running++] = s->view.now_us + few__view_time(&s->view, model);
    s->view.n_pending--;
    s->view.n_free_lanes--;
    if (s->view.memory_bytes != FEW__NO_BUDGET) s->view.free_bytes -= s->working[model];
}

static void test_picks_come_one_by_one(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3, 8, NULL);
    for (size_t m = 0; m < 3; m++) {
        struct few__choice choice = ask(&s);
        assert_int_equal(choice.answer, FEW__START);
        assert_int_equal(choice.n, 1);
        assert_int_equal(choice.models[0], m);
        assert_int_equal(choice.last, m == 2);
        start_model(&s, m);
    }
    few__sched_destroy(&s.sched);
}

// Beside a, b takes 202: after it, it would end at 200. It is put off; c is not.
static void test_what_is_faster_one_after_the_other_is_put_off(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3, 8, NULL);
    assert_int_equal(ask(&s).models[0], 0);
    start_model(&s, 0);
    s.slow[1] = 2.02;
    struct few__choice choice = ask(&s);
    assert_int_equal(choice.models[0], 2);
    assert_true(choice.last);
    start_model(&s, 2);
    s.slow[1] = 1.99;
    assert_int_equal(ask(&s).models[0], 1);
    s.slow[1] = 2.02;
    assert_int_equal(ask(&s).answer, FEW__WAIT);
    // A new plan at the next completion: a has ended, c has not.
    s.view.now_us = 50;
    s.states[0] = FEW__DONE;
    s.running[0] = 2;
    s.ends_us[0] = 100;
    s.view.n_running = 1, s.view.free_bytes++, s.view.n_free_lanes++;
    s.slow[1] = 1.52; // 152 > 50 + 100
    assert_int_equal(ask(&s).answer, FEW__WAIT);
    s.slow[1] = 1.5;
    assert_int_equal(ask(&s).answer, FEW__START);
    few__sched_destroy(&s.sched);
}

static void test_what_is_late_is_not_waited_for(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 2, 8, NULL);
    start_model(&s, 0);
    s.view.now_us = 120; // 20 late
    assert_int_equal(ask(&s).answer, FEW__START);
    few__sched_destroy(&s.sched);
}

static void test_what_is_not_loaded_is_wished_for(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3, 8, NULL);
    assert_int_equal(ask(&s).wish, 0);
    s.resident[0] = false;
    struct few__choice choice = ask(&s);
    assert_int_equal(choice.models[0], 1);
    assert_int_equal(choice.wish, 0);
    s.resident[1] = s.resident[2] = false;
    assert_int_equal(ask(&s).answer, FEW__STOP); // not by the deadline
    assert_int_equal(ask(&s).wish, 0);
    s.costs[2].load_us = 150;
    assert_int_equal(ask(&s).answer, FEW__WAIT);
    assert_int_equal(ask(&s).wish, 2);
    s.resident[1] = true;
    s.held[1] = true; // not before its cheaper variant
    assert_int_equal(ask(&s).answer, FEW__WAIT);
    s.view.pace = 1.01; // 250 x 1.01 > 250
    assert_int_equal(ask(&s).answer, FEW__STOP);
    few__sched_destroy(&s.sched);
}

// More models than a plan looks at: the best are among them with their needs, and what fits is never left.
static void test_many_models(void **state)
{
    (void)state;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few_env env = {.mem = &mem.mem};
    struct scene s;
    set_scene(&s, MANY, 1, &env);
    for (size_t m = 0; m < MANY; m++) s.q[m] = (double)(m * 7919 % MANY);
    for (size_t m = 0; m < MANY; m++) s.costs[m].time_us = m % 10 == 0 ? 100 : 300; // most are too long
    size_t best = 0, calls = mem.calls;
    for (size_t m = 0; m < MANY; m += 10)
        if (s.q[m] > s.q[best]) best = m;
    assert_int_equal(ask(&s).models[0], best);
    assert_int_equal(mem.calls, calls); // choosing allocates nothing
    // The best of all needs one that is worth nothing.
    s.q[5] = 1000, s.costs[5].time_us = 100, s.models[5].needs = 7, s.costs[7].time_us = 100, s.q[7] = 0;
    open_scene(&s, &env);
    assert_int_equal(ask(&s).models[0], 7);
    few__sched_destroy(&s.sched);
    assert_int_equal(mem.live, 0);
    set_scene(&s, MANY, FEW__NO_BUDGET, NULL); // a chain longer than a plan
    for (size_t m = 1; m < MANY; m++) s.models[m].needs = (int)m - 1, s.q[m - 1] = 0;
    open_scene(&s, NULL);
    s.view.deadline_us = 1000000;
    assert_int_equal(ask(&s).answer, FEW__START);
    assert_int_equal(ask(&s).models[0], 0);
    few__sched_destroy(&s.sched);
}

/* ---- random workloads ---- */

struct workload {
    struct pack_world p;
    int64_t deadline_us, sum_us;
};

// certain: times are met and needs find something.
static void set_random(struct workload *l, uint64_t seed, bool certain)
{
    struct few__rng rng;
    few__rng_init(&rng, seed, 31);
    l->p = (struct pack_world){.n_lanes = 1 + (size_t)few__rng_below(&rng, FEW__LANES_MAX)};
    l->sum_us = 0;
    t_world_random(&l->p.w, &rng, 14);
    int64_t unit = few__rng_below(&rng, 2) ? 20 : 1; // times that meet, or not
    uint64_t largest = 0;
    for (size_t m = 0; m < l->p.w.catalog.n_models; m++) {
        struct few_cost *cost = &l->p.w.costs[m];
        cost->memory_bytes = few__rng_below(&rng, 12);
        if (cost->memory_bytes > largest) largest = cost->memory_bytes;
        cost->time_us = (cost->time_us / unit + 1) * unit;
        l->p.q[m] = few__rng_below(&rng, 8) ? few__rng_unit(&rng) : 0;
        l->sum_us += cost->time_us;
        if (!certain) continue;
        l->p.w.truth[m].time_us = cost->time_us;
        l->p.w.truth[m].result = FEW__RESULT_OK;
    }
    l->p.memory = few__rng_below(&rng, 4) ? 1 + few__rng_below(&rng, 2 * largest + 2) : NO_LIMIT;
    l->deadline_us = 1 + (int64_t)few__rng_below(&rng, (uint64_t)l->sum_us + 2);
}

// With values that stay and times that are met: improved >= faithful, always.
static void test_improved_is_never_below_faithful(void **state)
{
    (void)state;
    double sum_faithful = 0, sum_improved = 0;
    size_t n_better = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 3000; seed++) {
        struct workload l;
        struct started started[T_MODELS];
        set_random(&l, seed, true);
        double faithful = total(&l.p, started, pack(&l.p, FAITHFUL, l.deadline_us, started));
        double improved = total(&l.p, started, pack(&l.p, IMPROVED, l.deadline_us, started));
        if (improved < faithful - 1e-9)
            fail_msg("seed %llu: improved %g, faithful %g", (unsigned long long)seed, improved, faithful);
        n_better += improved > faithful + 1e-9;
        sum_faithful += faithful, sum_improved += improved;
    }
    print_message("improved / faithful: %.4f; better on %zu of 3000\n", sum_improved / sum_faithful,
                  n_better);
    assert_true(n_better > 200);
}

// Whatever happens: the checker finds nothing (in replay), no model runs twice, and no start is late by plan.
static void test_invariants(void **state)
{
    (void)state;
    size_t n_all = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 3000; seed++) {
        struct workload l;
        struct started started[T_MODELS];
        set_random(&l, seed, false);
        if (seed % 5 == 0) l.deadline_us = UNLIMITED;
        for (enum few__pack_rule rule = FAITHFUL; rule <= IMPROVED; rule++) {
            size_t n = pack(&l.p, rule, l.deadline_us, started);
            bool seen[T_MODELS] = {0};
            n_all += n;
            for (size_t i = 0; i < n; i++) {
                size_t m = started[i].model;
                if (seen[m]) fail_msg("seed %llu: model %zu twice", (unsigned long long)seed, m);
                seen[m] = true;
                assert_true(l.deadline_us == UNLIMITED ||
                            l.p.w.costs[m].time_us <= l.deadline_us - started[i].at_us);
                assert_true(l.p.memory == NO_LIMIT || l.p.w.costs[m].memory_bytes <= l.p.memory);
            }
        }
    }
    assert_true(n_all > 10000);
}

// All memory, equal times: everything in one block.
static void test_one_block(void **state)
{
    (void)state;
    for (enum few__pack_rule rule = FAITHFUL; rule <= IMPROVED; rule++) {
        struct pack_world p;
        struct started started[T_MODELS];
        set_models(&p, 5, TIMES{70, 70, 70, 70, 70}, BYTES{1, 2, 3, 4, 5}, Q{1, 5, 2, 4, 3}, 15);
        assert_int_equal(pack(&p, rule, 70, started), 5);
        for (size_t i = 0; i < 5; i++) assert_int_equal(started[i].at_us, 0);
        assert_int_equal(pack(&p, rule, 69, started), 0);
    }
}

// Room for one model at a time, equal memories: the order of first picks is that of Algorithm 1.
static void test_one_at_a_time_is_algorithm_1(void **state)
{
    (void)state;
    size_t n_starts = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 2000; seed++) {
        struct workload l;
        struct started ours[T_MODELS], theirs[T_MODELS];
        struct few__sched sched;
        set_random(&l, seed, false);
        for (size_t m = 0; m < l.p.w.catalog.n_models; m++) l.p.w.costs[m].memory_bytes = 8;
        l.p.memory = 8 + seed % 8;
        l.p.priced = seed % 2 == 0;
        l.p.price = 0.02 * (double)(seed % 10) / 10; // most are worth less than 0.02 a microsecond
        size_t n = pack(&l.p, FAITHFUL, l.deadline_us, ours);
        assert_int_equal(
            few__sched_deadline_create(&l.p.w.catalog, value_of(&l.p), FEW__RANK_RATIO, NULL, &sched, NULL),
            FEW_OK);
        if (l.p.priced) few__sched_deadline_price(&sched, l.p.price);
        l.p.memory = NO_LIMIT;
        l.p.n_lanes = 1;
        size_t n_theirs = replay(&l.p, &sched, l.deadline_us, theirs);
        few__sched_destroy(&sched);
        if (n != n_theirs) fail_msg("seed %llu: %zu starts, not %zu", (unsigned long long)seed, n, n_theirs);
        for (size_t i = 0; i < n; i++)
            if (ours[i].model != theirs[i].model || ours[i].at_us != theirs[i].at_us)
                fail_msg("seed %llu: start %zu", (unsigned long long)seed, i);
        n_starts += n;
    }
    assert_true(n_starts > 4000);
}

/* ---- life ---- */

static enum few_status create_in(const struct few_mem *mem, void *ud)
{
    struct pack_world *p = ud;
    struct few_env env = {.mem = mem};
    struct few__sched sched;
    p->n_destroyed = 0;
    enum few_status status = few__sched_pack_create(&p->w.catalog, value_of(p), IMPROVED, &env, &sched, NULL);
    if (status != FEW_OK) assert_null(sched.chooser.self);
    few__sched_destroy(&sched);
    assert_int_equal(p->n_destroyed, 1); // also on failure
    return status;
}

static void test_create(void **state)
{
    (void)state;
    struct pack_world p;
    set_example(&p);
    t_fail_each_allocation(create_in, &p);
    p.w.models[0].needs = 1, p.w.models[1].needs = 0;
    assert_int_equal(create_in(NULL, &p), FEW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_faithful),
        cmocka_unit_test(test_example_improved),
        cmocka_unit_test(test_memory_of_the_first_pick_is_taken),
        cmocka_unit_test(test_picks_end_by_the_deadline),
        cmocka_unit_test(test_without_a_first_pick_it_waits_or_stops),
        cmocka_unit_test(test_fill_keeps_to_the_temporary_deadline),
        cmocka_unit_test(test_first_by_area_fill_by_memory),
        cmocka_unit_test(test_ends_at_the_same_instant),
        cmocka_unit_test(test_lanes_are_packed_where_memory_has_no_limit),
        cmocka_unit_test(test_chains_take_time_together_and_the_most_memory),
        cmocka_unit_test(test_without_a_deadline_everything_runs_by_density),
        cmocka_unit_test(test_odd_values),
        cmocka_unit_test(test_nothing_below_the_price_is_started),
        cmocka_unit_test(test_a_chain_has_one_price),
        cmocka_unit_test(test_packing_tells_what_things_are_worth),
        cmocka_unit_test(test_picks_come_one_by_one),
        cmocka_unit_test(test_what_is_faster_one_after_the_other_is_put_off),
        cmocka_unit_test(test_what_is_late_is_not_waited_for),
        cmocka_unit_test(test_what_is_not_loaded_is_wished_for),
        cmocka_unit_test(test_many_models),
        cmocka_unit_test(test_improved_is_never_below_faithful),
        cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_one_block),
        cmocka_unit_test(test_one_at_a_time_is_algorithm_1),
        cmocka_unit_test(test_create),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
