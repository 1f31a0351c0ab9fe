// SPDX-License-Identifier: Apache-2.0
/* Models through ONNX Runtime.
 *
 * One environment with one thread pool and one arena, which all sessions share: an arena of its own for each
 * session keeps the largest working memory of every model at once. Models of the same file share a session, which
 * whoever asks first creates, outside the lock. Inputs are bound as long as they stay where they are; outputs once,
 * wherever their shapes are known at load; states and constants (onnx_beside) at load. */
#include "backend/backend_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/onnx_api.h"
#include "backend/onnx_beside.h"
#include "backend/onnx_ports.h"
#include "backend/shape.h"
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/process.h"

enum { THREADS_MAX = 256 };

// A file and how many runners use it. Its session is made by the first of them while the others wait.
struct shared {
    char *path;
    struct onnx_session *session; // NULL while it is being made
    bool failed;                  // it could not be; no longer in the list
    size_t users;
    struct shared *next;
};

struct onnx {
    struct few__onnx_api api;
    struct few_env env;
    struct onnx_env *onnx_env;
    struct onnx_options *options;
    struct onnx_memory *memory;
    struct onnx_allocator *allocator; // the library's own, for the names it hands out
    bool give_back;
    pthread_mutex_t lock; // of `loaded` and of all that stands in a struct shared
    pthread_cond_t made;  // a session was, or could not be
    struct shared *loaded;
    char describe[FEW__ONNX_PATH_MAX + 64];
};

struct runner {
    struct onnx *onnx;
    const struct few__recipe *recipe;
    const struct few_model *model;
    struct shared *shared;
    struct onnx_run_options *options;
    atomic_bool canceled;

    struct few__port input;
    int64_t batch; // most items of a run
    size_t n_dims; // of the input tensor, and
    int64_t dims[FEW__DIMS_MAX];
    void *converted;   // text: its numbers in the model's type; NULL: taken as they are
    const void *bound; // what `in` is bound to
    struct onnx_value *in;
    struct few__onnx_beside beside;

    size_t n_outputs;
    struct few__port outputs[FEW__OUTPUTS_MAX];
    const char *names[FEW__OUTPUTS_MAX + FEW__STATES_MAX];
    float *memory[FEW__OUTPUTS_MAX]; // of outputs with a fixed shape; NULL: the library allocates at each run
    size_t n_item[FEW__OUTPUTS_MAX]; // numbers of one item there
    int64_t items[FEW__OUTPUTS_MAX]; // of the batch that `out` has room for now, where it is bound
    struct onnx_value *out[FEW__OUTPUTS_MAX + FEW__STATES_MAX];
    struct few__tensor tensors[FEW__OUTPUTS_MAX];
};

/* ---- runtime ---- */

static void close_runtime(void *self)
{
    struct onnx *o = self;
    if (o->options) o->api.ReleaseSessionOptions(o->options);
    if (o->memory) o->api.ReleaseMemoryInfo(o->memory);
    if (o->onnx_env) o->api.ReleaseEnv(o->onnx_env);
    pthread_cond_destroy(&o->made);
    pthread_mutex_destroy(&o->lock);
    few__free(o->env.mem, o);
}

static enum few_status make_env(struct onnx *o, int threads, struct few_error *err)
{
    static const char thing[] = "ONNX Runtime's environment";
    struct onnx_threading *pool = NULL;
    enum few_status status = few__onnx_told(&o->api, o->api.CreateThreadingOptions(&pool), thing, err);
    if (status == FEW_OK)
        status = few__onnx_told(&o->api, o->api.SetGlobalIntraOpNumThreads(pool, threads), thing, err);
    if (status == FEW_OK)
        status = few__onnx_told(&o->api, o->api.SetGlobalInterOpNumThreads(pool, 1), thing, err);
    if (status == FEW_OK) status = few__onnx_told(&o->api, o->api.SetGlobalSpinControl(pool, 0), thing, err);
    if (status == FEW_OK)
        status = few__onnx_told(
            &o->api, o->api.CreateEnvWithGlobalThreadPools(ONNX_LOG_FATAL, "fewer", pool, &o->onnx_env),
            thing, err);
    if (pool) o->api.ReleaseThreadingOptions(pool);
    // Builds of Microsoft's report what is run; nobody asked for that. A failure to stop it is theirs to explain.
    if (status == FEW_OK) few__onnx_told(&o->api, o->api.DisableTelemetryEvents(o->onnx_env), thing, NULL);
    return status;
}

/* The arena that gives memory back extends by what is asked for, as no larger piece can ever be free as a whole.
 * Otherwise the library's own settings: NULL. */
static enum few_status arena_settings(const struct onnx *o, struct onnx_arena_cfg **settings,
                                      struct few_error *err)
{
    static const char *const keys[] = {"arena_extend_strategy"};
    static const size_t values[] = {ONNX_EXTEND_AS_ASKED};
    if (!o->give_back) return FEW_OK;
    return few__onnx_told(&o->api, o->api.CreateArenaCfgV2(keys, values, 1, settings), "ONNX Runtime's arena",
                          err);
}

/* The library has one environment in a process: a second runtime gets the same, and registering the arena
 * again fails. It is then there already; and without it sessions fall back to arenas of their own. */
static enum few_status make_arena(struct onnx *o, struct few_error *err)
{
    struct onnx_arena_cfg *settings = NULL;
    FEW__TRY(few__onnx_told(&o->api,
                            o->api.CreateCpuMemoryInfo(ONNX_ALLOCATOR_ARENA, ONNX_MEMORY_DEFAULT, &o->memory),
                            "ONNX Runtime's memory", err));
    FEW__TRY(arena_settings(o, &settings, err));
    few__onnx_told(&o->api, o->api.CreateAndRegisterAllocator(o->onnx_env, o->memory, settings),
                   "ONNX Runtime's arena", NULL);
    if (settings) o->api.ReleaseArenaCfg(settings);
    return few__onnx_told(&o->api, o->api.GetAllocatorWithDefaultOptions(&o->allocator),
                          "ONNX Runtime's memory", err);
}

static enum few_status make_options(struct onnx *o, struct few_error *err)
{
    static const char thing[] = "ONNX Runtime's options";
    FEW__TRY(few__onnx_told(&o->api, o->api.CreateSessionOptions(&o->options), thing, err));
    struct onnx_options *to = o->options;
    FEW__TRY(few__onnx_told(&o->api, o->api.DisablePerSessionThreads(to), thing, err));
    FEW__TRY(few__onnx_told(&o->api, o->api.DisableMemPattern(to), thing, err));
    FEW__TRY(few__onnx_told(&o->api, o->api.SetSessionExecutionMode(to, ONNX_SEQUENTIAL), thing, err));
    FEW__TRY(
        few__onnx_told(&o->api, o->api.SetSessionGraphOptimizationLevel(to, ONNX_OPTIMIZE_ALL), thing, err));
    return few__onnx_told(&o->api, o->api.AddSessionConfigEntry(to, "session.use_env_allocators", "1"), thing,
                          err);
}

static enum few_status open_runtime(const struct few__runtime_opts *opts, const struct few_env *env,
                                    void **self, struct few_error *err)
{
    int threads = opts->threads ? opts->threads : 1;
    if (threads < 1 || threads > THREADS_MAX)
        return few__fail(err, FEW_EINVAL, "threads of ONNX Runtime: expected 1 to %d, found %d", THREADS_MAX,
                         threads);
    struct onnx *o = FEW__NEW(env->mem, struct onnx);
    if (!o) return few__no_memory(err, "a backend");
    o->env = *env;
    o->give_back = opts->give_back;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->made, NULL);
    enum few_status status = few__onnx_open(opts->library, &o->api, o->describe, err);
    if (status == FEW_OK) status = make_env(o, threads, err);
    if (status == FEW_OK) status = make_arena(o, err);
    if (status == FEW_OK) status = make_options(o, err);
    if (status == FEW_OK) *self = o;
    else close_runtime(o);
    return status;
}

static const char *describe(const void *self)
{
    return ((const struct onnx *)self)->describe;
}

/* ---- sessions, one for each file ---- */

static enum few_status check_file(const struct few_model *model, const char *path, struct few_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return few__fail_sys(err, errno == ENOENT || errno == ENOTDIR ? FEW_ENOENT : FEW_EIO,
                             "model '%s': '%s'", model->name, path);
    if (!S_ISREG(st.st_mode))
        return few__fail(err, FEW_EBACKEND, "model '%s': '%s' is not a file", model->name, path);
    return FEW_OK;
}

static void free_shared(struct onnx *o, struct shared *s)
{
    if (s->session) o->api.ReleaseSession(s->session);
    few__free(o->env.mem, s->path);
    few__free(o->env.mem, s);
}

// Whose session is that of this file, with the lock held; NULL: nobody's.
static struct shared *find_shared(struct onnx *o, const char *path)
{
    struct shared *s = o->loaded;
    while (s && strcmp(s->path, path) != 0) s = s->next;
    return s;
}

static struct shared *add_shared(struct onnx *o, const char *path)
{
    struct shared *s = FEW__NEW(o->env.mem, struct shared);
    if (!s) return NULL;
    s->path = few__strdup(o->env.mem, path);
    if (!s->path) {
        free_shared(o, s);
        return NULL;
    }
    s->next = o->loaded;
    o->loaded = s;
    return s;
}

static void take_out(struct onnx *o, const struct shared *shared)
{
    struct shared **at = &o->loaded;
    while (*at != shared) at = &(*at)->next;
    *at = shared->next;
}

static void give_shared(struct onnx *o, struct shared *shared)
{
    pthread_mutex_lock(&o->lock);
    bool last = --shared->users == 0;
    if (last && !shared->failed) take_out(o, shared);
    pthread_mutex_unlock(&o->lock);
    if (last) free_shared(o, shared); // outside the lock: it takes a while
}

// Create the session of an entry that nobody else fills in.
static enum few_status make_session(struct onnx *o, const struct few_model *model, struct shared *s,
                                    struct few_error *err)
{
    struct onnx_session *session = NULL;
    enum few_status status = few__onnx_told_model(
        &o->api, o->api.CreateSession(o->onnx_env, s->path, o->options, &session), model, err);
    pthread_mutex_lock(&o->lock);
    s->session = session;
    s->failed = status != FEW_OK;
    if (s->failed) take_out(o, s);
    pthread_cond_broadcast(&o->made);
    pthread_mutex_unlock(&o->lock);
    return status;
}

// The entry of this file, and whether it is on the caller to make its session; else it is made. NULL: no memory.
static struct shared *join_shared(struct onnx *o, const char *path, bool *mine)
{
    pthread_mutex_lock(&o->lock);
    struct shared *s = find_shared(o, path);
    *mine = !s;
    if (!s) s = add_shared(o, path);
    if (s) s->users++;
    while (s && !*mine && !s->session && !s->failed) pthread_cond_wait(&o->made, &o->lock);
    pthread_mutex_unlock(&o->lock);
    return s;
}

// Whoever waited for a session that could not be made tries it too, for an error of his own.
static enum few_status take_shared(struct onnx *o, const struct few_model *model, const char *path,
                                   struct shared **shared, struct few_error *err)
{
    FEW__TRY(check_file(model, path, err));
    for (;;) {
        bool mine;
        struct shared *s = join_shared(o, path, &mine);
        if (!s) return few__no_memory(err, model->name);
        enum few_status status = mine ? make_session(o, model, s, err) : s->failed ? FEW_EBACKEND : FEW_OK;
        if (status == FEW_OK) *shared = s;
        else give_shared(o, s);
        if (status == FEW_OK || mine) return status;
    }
}

/* ---- load ---- */

// Make `out` a tensor over our memory for that many items of a batch.
static enum few_status bind_output(struct runner *r, size_t i, int64_t items, struct few_error *err)
{
    struct onnx *o = r->onnx;
    struct few__tensor *tensor = &r->tensors[i];
    if (r->out[i] && r->items[i] == items) return FEW_OK;
    if (r->out[i]) o->api.ReleaseValue(r->out[i]);
    r->out[i] = NULL;
    r->items[i] = items;
    if (r->batch > 1) tensor->dims[0] = items;
    tensor->data = r->memory[i];
    tensor->n = r->n_item[i] * (size_t)items;
    return few__onnx_told_model(&o->api,
                                o->api.CreateTensorWithDataAsOrtValue(o->memory, r->memory[i],
                                                                      tensor->n * sizeof(float), tensor->dims,
                                                                      tensor->n_dims, ONNX_FLOAT, &r->out[i]),
                                r->model, err);
}

/* Check the i-th output and lay down its memory, for the largest batch, where its shape is fixed beyond that. Its
 * shape as declared stays in `tensors`, for the decoder's check. */
static enum few_status prepare_output(struct runner *r, size_t i, struct few_error *err)
{
    const struct few__port *port = &r->outputs[i];
    bool batches = r->batch > 1;
    if (port->type != ONNX_FLOAT)
        return few__fail(err, FEW_ESHAPE, "model '%s': output '%s': expected float32, found %s",
                         r->model->name, port->name, few__type_name(port->type));
    if (batches && (port->n_dims == 0 || port->dims[0] >= 0)) {
        char have[FEW__SHAPE_TEXT];
        few__shape_text(have, sizeof have, few__type_name(port->type), port->n_dims, port->dims);
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': output '%s': expected a free first dimension for batches, found %s",
                         r->model->name, port->name, have);
    }
    r->names[i] = port->name;
    struct few__tensor *tensor = &r->tensors[i];
    tensor->n_dims = port->n_dims;
    memcpy(tensor->dims, port->dims, sizeof tensor->dims);
    size_t n = few__shape_count(port->n_dims - batches, port->dims + batches);
    if (n == 0 || n > FEW__NUMBERS_MAX / (size_t)r->batch) return FEW_OK;
    r->n_item[i] = n;
    r->memory[i] = FEW__NEW_N(r->onnx->env.mem, float, n *(size_t)r->batch);
    return r->memory[i] ? FEW_OK : few__no_memory(err, r->model->name);
}

// Text in a type other than ours needs memory for it.
static enum few_status prepare_row(struct runner *r, struct few_error *err)
{
    FEW__TRY(few__port_check_row(r->recipe, r->model, &r->input, r->dims, err));
    r->n_dims = r->input.n_dims;
    if (r->recipe->input.modality != FEW_TEXT || r->input.type == ONNX_INT64) return FEW_OK;
    r->converted = few__new(r->onnx->env.mem, r->recipe->input.tokens.length, few__type_size(r->input.type));
    return r->converted ? FEW_OK : few__no_memory(err, r->model->name);
}

static enum few_status find_input(struct runner *r, const struct few__onnx_file *file, struct few_error *err)
{
    const struct few__input *input = &r->recipe->input;
    struct few__wanted wanted = {.name = input->name, .is_input = true, .is_all = true};
    FEW__TRY(few__beside_open(file, r->onnx->memory, input, &r->beside, err));
    for (size_t i = 0; i < input->n_states; i++) wanted.others[wanted.n_others++] = input->states[i].input;
    for (size_t i = 0; i < input->n_constants; i++)
        wanted.others[wanted.n_others++] = input->constants[i].input;
    FEW__TRY(few__port_find(file, &wanted, &r->input, err));
    if (input->modality != FEW_IMAGE) return prepare_row(r, err);
    r->n_dims = 4;
    return few__port_check_input(r->recipe, r->model, &r->input, err);
}

static enum few_status find_ports(struct runner *r, struct few_error *err)
{
    const struct few__recipe *recipe = r->recipe;
    struct onnx *o = r->onnx;
    const struct few__decode *decode = &recipe->decode;
    const struct few__onnx_file file = {.api = &o->api,
                                        .mem = o->env.mem,
                                        .allocator = o->allocator,
                                        .session = r->shared->session,
                                        .model = r->model};
    FEW__TRY(find_input(r, &file, err));
    if (decode->n_outputs > FEW__OUTPUTS_MAX)
        return few__fail(err, FEW_ELIMIT, "model '%s': expected at most %d outputs, found %zu",
                         r->model->name, FEW__OUTPUTS_MAX, decode->n_outputs);
    r->n_outputs = decode->n_outputs ? decode->n_outputs : 1;
    struct few__wanted wanted = {.name = NULL};
    for (size_t i = 0; i < recipe->input.n_states; i++)
        wanted.others[wanted.n_others++] = recipe->input.states[i].output;
    for (size_t i = 0; i < r->n_outputs; i++) {
        wanted.name = decode->n_outputs ? decode->outputs[i] : NULL;
        FEW__TRY(few__port_find(&file, &wanted, &r->outputs[i], err));
        FEW__TRY(prepare_output(r, i, err));
    }
    return few__decode_check(recipe, r->model, r->tensors, r->n_outputs, err);
}

static void unload(void *runner)
{
    struct runner *r = runner;
    struct onnx *o = r->onnx;
    for (size_t i = 0; i < r->n_outputs; i++) {
        if (r->out[i]) o->api.ReleaseValue(r->out[i]);
        few__free(o->env.mem, r->memory[i]);
        few__free(o->env.mem, r->outputs[i].name);
    }
    if (r->in) o->api.ReleaseValue(r->in);
    few__beside_close(&r->beside);
    few__free(o->env.mem, r->converted);
    few__free(o->env.mem, r->input.name);
    if (r->options) o->api.ReleaseRunOptions(r->options);
    if (r->shared) give_shared(o, r->shared);
    few__free(o->env.mem, r);
}

static enum few_status make_run_options(struct runner *r, struct few_error *err)
{
    const struct onnx *o = r->onnx;
    FEW__TRY(few__onnx_told_model(&o->api, o->api.CreateRunOptions(&r->options), r->model, err));
    if (!o->give_back) return FEW_OK;
    return few__onnx_told_model(
        &o->api, o->api.AddRunConfigEntry(r->options, "memory.enable_memory_arena_shrinkage", "cpu:0"),
        r->model, err);
}

static enum few_status load(void *self, const struct few__recipe *recipe, const struct few_model *model,
                            void **runner, struct few_error *err)
{
    struct onnx *o = self;
    struct runner *r = FEW__NEW(o->env.mem, struct runner);
    if (!r) return few__no_memory(err, model->name);
    r->onnx = o;
    r->recipe = recipe;
    r->model = model;
    r->batch = few__recipe_batch(recipe);
    atomic_init(&r->canceled, false);
    enum few_status status = take_shared(o, model, recipe->file, &r->shared, err);
    if (status == FEW_OK) status = make_run_options(r, err);
    if (status == FEW_OK) status = find_ports(r, err);
    if (status == FEW_OK) *runner = r;
    else unload(r);
    return status;
}

/* ---- run ---- */

// What the input tensor lies over: the caller's memory, or ours with the same numbers in another type.
static void *memory_of(const struct runner *r, const struct few__run_input *input)
{
    size_t n = r->recipe->input.tokens.length;
    if (!r->converted) return input->tokens ? (void *)input->tokens : input->data;
    for (size_t i = 0; i < n && r->input.type == ONNX_INT32; i++)
        ((int32_t *)r->converted)[i] = (int32_t)input->tokens[i];
    for (size_t i = 0; i < n && r->input.type == ONNX_FLOAT; i++)
        ((float *)r->converted)[i] = (float)input->tokens[i];
    return r->converted;
}

// Make `in` a tensor over that memory, unless it is already.
static enum few_status bind_input(struct runner *r, const struct few__run_input *input, struct few_error *err)
{
    bool is_image = r->recipe->input.modality == FEW_IMAGE;
    FEW__TRY(few__check_run_input(r->recipe, r->model, r->input.name, input, err));
    void *memory = memory_of(r, input);
    if (r->in && r->bound == memory && (!is_image || memcmp(r->dims, input->dims, sizeof input->dims) == 0))
        return FEW_OK;
    struct onnx *o = r->onnx;
    if (r->in) o->api.ReleaseValue(r->in);
    r->in = NULL;
    r->bound = memory;
    if (is_image) memcpy(r->dims, input->dims, sizeof input->dims);
    size_t bytes = few__shape_count(r->n_dims, r->dims) * few__type_size(r->input.type);
    return few__onnx_told_model(&o->api,
                                o->api.CreateTensorWithDataAsOrtValue(o->memory, memory, bytes, r->dims,
                                                                      r->n_dims, r->input.type, &r->in),
                                r->model, err);
}

// An output that the library allocated: where it lies and what shape it has this time.
static enum few_status read_output(struct runner *r, size_t i, struct few_error *err)
{
    struct onnx *o = r->onnx;
    struct onnx_shape *shape = NULL;
    struct few__port port = {.name = NULL};
    void *data = NULL;
    struct onnx_status *status = o->api.GetTensorTypeAndShape(r->out[i], &shape);
    if (!status) status = few__port_shape(&o->api, shape, &port);
    if (!status) status = o->api.GetTensorMutableData(r->out[i], &data);
    if (shape) o->api.ReleaseTensorTypeAndShapeInfo(shape);
    FEW__TRY(few__onnx_told_model(&o->api, status, r->model, err));
    if (port.type != ONNX_FLOAT || port.n_dims > FEW__DIMS_MAX)
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': output '%s': expected float32, found %s of %zu dimensions",
                         r->model->name, r->names[i], few__type_name(port.type), port.n_dims);
    struct few__tensor *tensor = &r->tensors[i];
    tensor->data = data;
    tensor->n_dims = port.n_dims;
    memcpy(tensor->dims, port.dims, sizeof tensor->dims);
    tensor->n = few__shape_count(port.n_dims, port.dims);
    int64_t items = r->batch > 1 ? r->dims[0] : 1;
    if (items > 1 && (port.n_dims == 0 || port.dims[0] != items))
        return few__fail(
            err, FEW_ESHAPE, "model '%s': output '%s': expected %lld as first dimension, found %lld",
            r->model->name, r->names[i], (long long)items, port.n_dims ? (long long)port.dims[0] : 0);
    return FEW_OK;
}

// Outputs of a fixed shape are bound to our memory; what the library allocated in the last run goes.
static enum few_status ready_outputs(struct runner *r, int64_t items, struct few_error *err)
{
    for (size_t i = 0; i < r->n_outputs; i++) {
        if (r->memory[i]) FEW__TRY(bind_output(r, i, items, err));
        else if (r->out[i]) {
            r->onnx->api.ReleaseValue(r->out[i]);
            r->out[i] = NULL;
        }
    }
    return FEW_OK;
}

static enum few_status run_canceled(const struct runner *r, struct few_error *err)
{
    return few__fail(err, FEW_ECANCELED, "model '%s': run cancelled", r->model->name);
}

static enum few_status run(void *runner, const struct few__run_input *input, struct few__tensor *outputs,
                           size_t *n_outputs, struct few_error *err)
{
    struct runner *r = runner;
    struct onnx *o = r->onnx;
    *n_outputs = 0;
    if (atomic_load(&r->canceled)) return run_canceled(r, err);
    FEW__TRY(bind_input(r, input, err));
    FEW__TRY(ready_outputs(r, input->dims[0], err));
    if (input->first) few__beside_zero(&r->beside);
    const char *in_names[1 + FEW__BESIDE_MAX] = {r->input.name};
    const struct onnx_value *ins[1 + FEW__BESIDE_MAX] = {r->in};
    size_t n_in = 1 + few__beside_inputs(&r->beside, in_names + 1, ins + 1);
    size_t n_out =
        r->n_outputs + few__beside_outputs(&r->beside, r->names + r->n_outputs, r->out + r->n_outputs);
    struct onnx_status *ran =
        o->api.Run(r->shared->session, r->options, in_names, ins, n_in, r->names, n_out, r->out);
    enum few_status status = few__onnx_told_model(&o->api, ran, r->model, err);
    if (status == FEW_OK) few__beside_turn(&r->beside);
    // The arena frees its pieces; the heap would keep them. Between windows it may: the caller trims after the last.
    if (o->give_back && r->recipe->input.modality != FEW_SOUND) few__heap_trim();
    if (atomic_load(&r->canceled)) return run_canceled(r, err);
    for (size_t i = 0; status == FEW_OK && i < r->n_outputs; i++)
        if (!r->memory[i]) status = read_output(r, i, err);
    if (status != FEW_OK) return status;
    memcpy(outputs, r->tensors, r->n_outputs * sizeof *outputs);
    *n_outputs = r->n_outputs;
    return FEW_OK;
}

// The flag comes first: a run that the library ends because of it must find it set.
static void cancel(void *runner)
{
    struct runner *r = runner;
    atomic_store(&r->canceled, true);
    few__onnx_told(&r->onnx->api, r->onnx->api.RunOptionsSetTerminate(r->options), "cancel", NULL);
}

static void reset(void *runner)
{
    struct runner *r = runner;
    few__onnx_told(&r->onnx->api, r->onnx->api.RunOptionsUnsetTerminate(r->options), "reset", NULL);
    atomic_store(&r->canceled, false);
}

const struct few__backend_impl few__backend_onnx = {
    .name = "onnx",
    .open = open_runtime,
    .close = close_runtime,
    .describe = describe,
    .load = load,
    .unload = unload,
    .run = run,
    .cancel = cancel,
    .reset = reset,
};
