// SPDX-License-Identifier: Apache-2.0
#include "exec/world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void t_world_init(struct t_world *world, size_t n_models)
{
    assert_true(n_models <= T_MODELS);
    memset(world, 0, sizeof *world);
    world->catalog = (struct few_catalog){
        .n_models = n_models, .models = world->models, .n_labels = T_LABELS, .labels = world->labels};
    for (size_t l = 0; l < T_LABELS; l++) world->labels[l] = (struct few_label){.space = "s", .name = "l"};
    for (size_t m = 0; m < n_models; m++) {
        char *name = world->names[m];
        if (m < 26) snprintf(name, sizeof world->names[m], "%c", (char)('a' + m));
        else snprintf(name, sizeof world->names[m], "%c%u", (char)('a' + m % 26), (unsigned)(m / 26));
        world->models[m] = (struct few_model){.name = name, .needs = -1, .variant_of = -1, .own_label = -1};
        world->truth[m] = (struct few__sim_truth){.valuable = world->valuable[m]};
        t_world_time(world, m, 100);
    }
}

void t_world_time(struct t_world *world, size_t model, int64_t time_us)
{
    world->costs[model].time_us = time_us;
    world->truth[model].time_us = time_us;
}

void t_world_says(struct t_world *world, size_t model, int32_t label, float confidence)
{
    size_t n = world->truth[model].n_valuable++;
    assert_true(n < T_VALUABLE);
    world->valuable[model][n] = (struct few_valuable){.label = label, .confidence = confidence};
}

void t_world_random(struct t_world *world, struct few__rng *rng, size_t max_models)
{
    size_t n = (size_t)few__rng_below(rng, max_models + 1);
    size_t rank[T_MODELS];
    t_world_init(world, n);
    for (size_t i = 0; i < n; i++) rank[i] = i;
    few__rng_shuffle(rng, rank, n);
    for (size_t i = 0; i < n; i++) {
        size_t m = rank[i];
        if (i > 0 && few__rng_below(rng, 2)) world->models[m].needs = (int)rank[few__rng_below(rng, i)];
        int64_t time = (int64_t)few__rng_below(rng, 200);
        t_world_time(world, m, time);
        world->truth[m].time_us = time / 2 + 1 + (int64_t)few__rng_below(rng, (uint64_t)time + 1);
        uint64_t fate = few__rng_below(rng, 10);
        world->truth[m].result = fate == 0   ? FEW__RESULT_FAILED
                                 : fate <= 2 ? FEW__RESULT_EMPTY
                                             : FEW__RESULT_OK;
        size_t n_says = world->truth[m].result == FEW__RESULT_OK ? (size_t)few__rng_below(rng, 4) : 0;
        for (size_t k = 0; k < n_says; k++)
            t_world_says(world, m, (int32_t)few__rng_below(rng, T_LABELS),
                         (float)(0.5 + 0.5 * few__rng_unit(rng)));
    }
}

static void follow_script(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct t_script *script = self;
    while (script->at < script->n && view->states[script->models[script->at]] != FEW__PENDING) script->at++;
    if (script->at == script->n) {
        choice->answer = FEW__STOP;
        return;
    }
    size_t model = script->models[script->at];
    int need = view->catalog->models[model].needs;
    choice->answer = FEW__WAIT;
    if (need >= 0 && view->states[need] == FEW__RUNNING) return;
    if (view->held[model] || (view->resident[model] && !few__view_has_memory(view, model))) return;
    if (!view->resident[model]) {
        choice->wish = model;
        return;
    }
    choice->answer = FEW__START;
    choice->n = 1;
    choice->models[0] = model;
    choice->last = script->last;
}

static void rewind_script(void *self, const struct few__view *view)
{
    (void)view;
    ((struct t_script *)self)->at = 0;
}

struct few__chooser t_script_chooser(struct t_script *script)
{
    return (struct few__chooser){
        .self = script, .name = "script", .begin = rewind_script, .choose = follow_script};
}

struct few__exec *t_exec(const struct t_world *world, struct few__chooser chooser, size_t n_lanes,
                         struct few__exec_log *log)
{
    struct few_error err;
    struct few__exec *exec;
    struct few__exec_opts opts = {.catalog = &world->catalog,
                                  .costs = world->costs,
                                  .choosers = &chooser,
                                  .n_lanes = n_lanes,
                                  .log = log};
    assert_status(few__exec_create(&opts, &exec, &err), FEW_OK, &err);
    return exec;
}

void t_check(const struct few__exec_log *log, const struct t_world *world, size_t n_lanes)
{
    struct few_error err;
    const struct few__exec_opts opts = {
        .catalog = &world->catalog, .costs = world->costs, .n_lanes = n_lanes};
    assert_status(few__exec_check(log, &opts, &err), FEW_OK, &err);
}

static const struct few__sim_truth *truth_of(void *ud, uint64_t item, int64_t *read_us, bool *readable)
{
    const struct t_stream *stream = ud;
    *read_us = stream->read_us;
    *readable = !stream->unreadable || item != stream->unreadable - 1;
    return stream->world->truth;
}

static bool is_loadable(void *ud, size_t model)
{
    struct t_stream *stream = ud;
    if (model != stream->unloadable || stream->n_fails == 0) return true;
    stream->n_fails--;
    return false;
}

static int64_t batch_us(void *ud, size_t model, const int64_t *time_us, size_t n)
{
    const struct t_stream *stream = ud;
    return time_us[0] + (int64_t)(n - 1) * stream->world->costs[model].more_us;
}

int64_t t_stream(struct t_stream *stream, const struct few__exec_opts *opts, struct few__exec **exec)
{
    struct few_error err;
    const struct few__sim_stream sim = {.n_items = stream->n_items,
                                        .deadline_us = stream->deadline_us,
                                        .truth = truth_of,
                                        .loadable = is_loadable,
                                        .batch_us = batch_us,
                                        .ud = stream};
    int64_t end_us;
    assert_status(few__exec_create(opts, exec, &err), FEW_OK, &err);
    assert_status(few__sim_stream(*exec, &sim, 0, NULL, &end_us, &err), FEW_OK, &err);
    assert_status(few__exec_check(opts->log, opts, &err), FEW_OK, &err);
    return end_us;
}

void t_assert_log(const struct few__exec_log *log, const struct t_world *world, const char *expected)
{
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    few__exec_log_print(log, &world->catalog, &text);
    assert_true(few__text_ok(&text));
    assert_string_equal(text.s ? text.s : "", expected);
    few__text_finish(&text);
}

void t_assert_aborts(void (*body)(void *ud), void *ud)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(3);
        body(ud);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}
