// SPDX-License-Identifier: Apache-2.0
/* Models through ONNX Runtime.
 *
 * One environment with one thread pool and one arena, which all sessions share: an arena of its own for each
 * session keeps the largest working memory of every model at once. Models of the same file share a session, which
 * whoever asks first creates, outside the lock. Inputs are bound as long as they stay where they are; outputs once,
 * wherever their shapes are known at load. */
#include "backend/backend_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/onnx_api.h"
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/process.h"

enum { THREADS_MAX = 256, MESSAGE_MAX = 300, NAME_SHOWN = 256 };
#define NUMBERS_MAX ((size_t)1 << 30) // of one tensor

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

// One input or output as the file declares it.
struct port {
    char *name;
    int type; // ONNX_FLOAT; 0 = not a tensor
    size_t n_dims;
    int64_t dims[FEW__DIMS_MAX]; // -1 = any
};

struct runner {
    struct onnx *onnx;
    const struct few__recipe *recipe;
    const struct few_model *model;
    struct shared *shared;
    struct onnx_run_options *options;
    atomic_bool canceled;

    struct port input;
    int64_t batch;               // most items of a run
    struct few__run_input bound; // what `in` is bound to
    struct onnx_value *in;

    size_t n_outputs;
    struct port outputs[FEW__OUTPUTS_MAX];
    const char *names[FEW__OUTPUTS_MAX];
    float *memory[FEW__OUTPUTS_MAX]; // of outputs with a fixed shape; NULL: the library allocates at each run
    size_t n_item[FEW__OUTPUTS_MAX]; // numbers of one item there
    int64_t items[FEW__OUTPUTS_MAX]; // of the batch that `out` has room for now, where it is bound
    struct onnx_value *out[FEW__OUTPUTS_MAX];
    struct few__tensor tensors[FEW__OUTPUTS_MAX];
};

/* ---- what the library says ---- */

// The first line of a message, at most MESSAGE_MAX bytes of it.
static int line_length(const char *message)
{
    size_t n = strcspn(message, "\r\n");
    return n < MESSAGE_MAX ? (int)n : MESSAGE_MAX;
}

// Consumes a status of the library.
static enum few_status told(const struct onnx *o, struct onnx_status *status, const char *thing,
                            struct few_error *err)
{
    if (!status) return FEW_OK;
    const char *message = o->api.GetErrorMessage(status);
    few__fail(err, FEW_EBACKEND, "%s: %.*s", thing, line_length(message), message);
    o->api.ReleaseStatus(status);
    return FEW_EBACKEND;
}

// As told, about a model.
static enum few_status told_model(const struct onnx *o, struct onnx_status *status,
                                  const struct few_model *model, struct few_error *err)
{
    if (!status) return FEW_OK;
    told(o, status, "ONNX Runtime", err);
    return few__wrap(err, FEW_EBACKEND, "model '%s'", model->name);
}

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
    enum few_status status = told(o, o->api.CreateThreadingOptions(&pool), thing, err);
    if (status == FEW_OK) status = told(o, o->api.SetGlobalIntraOpNumThreads(pool, threads), thing, err);
    if (status == FEW_OK) status = told(o, o->api.SetGlobalInterOpNumThreads(pool, 1), thing, err);
    if (status == FEW_OK) status = told(o, o->api.SetGlobalSpinControl(pool, 0), thing, err);
    if (status == FEW_OK)
        status = told(o, o->api.CreateEnvWithGlobalThreadPools(ONNX_LOG_FATAL, "fewer", pool, &o->onnx_env),
                      thing, err);
    if (pool) o->api.ReleaseThreadingOptions(pool);
    // Builds of Microsoft's report what is run; nobody asked for that. A failure to stop it is theirs to explain.
    if (status == FEW_OK) told(o, o->api.DisableTelemetryEvents(o->onnx_env), thing, NULL);
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
    return told(o, o->api.CreateArenaCfgV2(keys, values, 1, settings), "ONNX Runtime's arena", err);
}

/* The library has one environment in a process: a second runtime gets the same, and registering the arena
 * again fails. It is then there already; and without it sessions fall back to arenas of their own. */
static enum few_status make_arena(struct onnx *o, struct few_error *err)
{
    struct onnx_arena_cfg *settings = NULL;
    FEW__TRY(told(o, o->api.CreateCpuMemoryInfo(ONNX_ALLOCATOR_ARENA, ONNX_MEMORY_DEFAULT, &o->memory),
                  "ONNX Runtime's memory", err));
    FEW__TRY(arena_settings(o, &settings, err));
    told(o, o->api.CreateAndRegisterAllocator(o->onnx_env, o->memory, settings), "ONNX Runtime's arena",
         NULL);
    if (settings) o->api.ReleaseArenaCfg(settings);
    return told(o, o->api.GetAllocatorWithDefaultOptions(&o->allocator), "ONNX Runtime's memory", err);
}

static enum few_status make_options(struct onnx *o, struct few_error *err)
{
    static const char thing[] = "ONNX Runtime's options";
    FEW__TRY(told(o, o->api.CreateSessionOptions(&o->options), thing, err));
    struct onnx_options *to = o->options;
    FEW__TRY(told(o, o->api.DisablePerSessionThreads(to), thing, err));
    FEW__TRY(told(o, o->api.DisableMemPattern(to), thing, err));
    FEW__TRY(told(o, o->api.SetSessionExecutionMode(to, ONNX_SEQUENTIAL), thing, err));
    FEW__TRY(told(o, o->api.SetSessionGraphOptimizationLevel(to, ONNX_OPTIMIZE_ALL), thing, err));
    return told(o, o->api.AddSessionConfigEntry(to, "session.use_env_allocators", "1"), thing, err);
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
    enum few_status status =
        told_model(o, o->api.CreateSession(o->onnx_env, s->path, o->options, &session), model, err);
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

/* ---- ports ---- */

static const char *type_name(int type)
{
    static const char *const names[] = {"no tensor", "float32", "uint8",  "int8",   "uint16",
                                        "int16",     "int32",   "int64",  "string", "bool",
                                        "float16",   "float64", "uint32", "uint64"};
    return type >= 0 && (size_t)type < sizeof names / sizeof *names ? names[type] : "another type";
}

// "float32 [1,3,?,224]"
static void write_port(char *text, size_t size, int type, size_t n_dims, const int64_t *dims)
{
    size_t n = (size_t)snprintf(text, size, "%s [", type_name(type));
    for (size_t i = 0; i < n_dims && n + 24 < size; i++)
        n += (size_t)(dims[i] < 0 ? snprintf(text + n, size - n, "%s?", i ? "," : "")
                                  : snprintf(text + n, size - n, "%s%lld", i ? "," : "", (long long)dims[i]));
    snprintf(text + n, size - n, "]");
}

static struct onnx_status *read_shape(const struct few__onnx_api *api, const struct onnx_shape *shape,
                                      struct port *port)
{
    struct onnx_status *status = api->GetTensorElementType(shape, &port->type);
    if (!status) status = api->GetDimensionsCount(shape, &port->n_dims);
    if (status || port->n_dims > FEW__DIMS_MAX) return status;
    return api->GetDimensions(shape, port->dims, port->n_dims);
}

// Everything but the name.
static enum few_status read_port(const struct onnx *o, const struct few_model *model,
                                 struct onnx_session *session, size_t i, bool is_input, struct port *port,
                                 struct few_error *err)
{
    struct onnx_type *type = NULL;
    const struct onnx_shape *shape = NULL;
    struct onnx_status *status = is_input ? o->api.SessionGetInputTypeInfo(session, i, &type)
                                          : o->api.SessionGetOutputTypeInfo(session, i, &type);
    if (!status) status = o->api.CastTypeInfoToTensorInfo(type, &shape);
    if (!status && shape) status = read_shape(&o->api, shape, port);
    if (type) o->api.ReleaseTypeInfo(type);
    FEW__TRY(told_model(o, status, model, err));
    if (port->n_dims > FEW__DIMS_MAX)
        return few__fail(err, FEW_ESHAPE, "model '%s': %s '%s': expected at most %d dimensions, found %zu",
                         model->name, is_input ? "input" : "output", port->name, FEW__DIMS_MAX, port->n_dims);
    return FEW_OK;
}

// A copy of the i-th name in *name; FEW_END there is none.
static enum few_status port_name(const struct onnx *o, const struct few_model *model,
                                 struct onnx_session *session, size_t i, bool is_input, char **name,
                                 struct few_error *err)
{
    size_t count = 0;
    FEW__TRY(told_model(o,
                        is_input ? o->api.SessionGetInputCount(session, &count)
                                 : o->api.SessionGetOutputCount(session, &count),
                        model, err));
    if (i >= count) return FEW_END;
    char *theirs = NULL;
    FEW__TRY(told_model(o,
                        is_input ? o->api.SessionGetInputName(session, i, o->allocator, &theirs)
                                 : o->api.SessionGetOutputName(session, i, o->allocator, &theirs),
                        model, err));
    *name = few__strdup(o->env.mem, theirs);
    told(o, o->api.AllocatorFree(o->allocator, theirs), "name", NULL);
    return *name ? FEW_OK : few__no_memory(err, model->name);
}

// Adds "'a', 'b'" to a message about a name that is not there.
static void list_name(char *list, size_t size, const char *name)
{
    size_t n = strlen(list);
    if (n + 8 < size) snprintf(list + n, size - n, "%s'%s'", n ? ", " : "", name);
}

/* Find the port of that name; wanted NULL: the only one. */
static enum few_status find_port(const struct onnx *o, const struct few_model *model,
                                 struct onnx_session *session, const char *wanted, bool is_input,
                                 struct port *port, struct few_error *err)
{
    const char *what = is_input ? "input" : "output";
    char found[400] = "";
    size_t index = 0, i = 0;
    for (;; i++) {
        char *name = NULL;
        enum few_status status = port_name(o, model, session, i, is_input, &name, err);
        if (status == FEW_END) break;
        if (status != FEW_OK) return status;
        list_name(found, sizeof found, name);
        bool take = !port->name && (!wanted || strcmp(name, wanted) == 0);
        if (take) {
            port->name = name;
            index = i;
        } else {
            few__free(o->env.mem, name);
        }
    }
    if (!port->name)
        return few__fail(err, FEW_ESHAPE, "model '%s': expected an %s '%.*s', found %s", model->name, what,
                         NAME_SHOWN, wanted ? wanted : "", *found ? found : "none");
    if ((!wanted || is_input) && i != 1)
        return few__fail(err, FEW_ESHAPE, "model '%s': expected one %s, found %zu: %s", model->name, what, i,
                         found);
    return read_port(o, model, session, index, is_input, port, err);
}

/* ---- load ---- */

static enum few_status wrong_input(const struct few_model *model, const struct port *port,
                                   const int64_t expected[4], const char *why, struct few_error *err)
{
    char want[120], have[240];
    write_port(want, sizeof want, ONNX_FLOAT, 4, expected);
    write_port(have, sizeof have, port->type, port->n_dims, port->dims);
    return few__fail(err, FEW_ESHAPE, "model '%s': input '%s': expected %s%s, found %s", model->name,
                     port->name, want, why, have);
}

static enum few_status check_input(const struct few__recipe *recipe, const struct few_model *model,
                                   const struct port *port, struct few_error *err)
{
    int64_t expected[4];
    const struct few__pixels *pixels = &recipe->input.pixels;
    few__input_dims(&recipe->input, pixels->resize == FEW__HEIGHT ? -1 : pixels->width, expected);
    bool batches = recipe->batch > 1;
    if (batches) expected[0] = -1;
    bool fits = port->type == ONNX_FLOAT && port->n_dims == 4 && (!batches || port->dims[0] < 0);
    for (size_t i = 0; fits && i < 4; i++) fits = port->dims[i] < 0 || port->dims[i] == expected[i];
    return fits ? FEW_OK : wrong_input(model, port, expected, batches ? " for batches" : "", err);
}

// Numbers of a shape without free dimensions; 0 where one is free or there are too many.
static size_t count(size_t n_dims, const int64_t *dims)
{
    size_t n = 1;
    for (size_t i = 0; i < n_dims; i++) {
        if (dims[i] <= 0 || (uint64_t)dims[i] > NUMBERS_MAX / n) return 0;
        n *= (size_t)dims[i];
    }
    return n;
}

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
    return told_model(o,
                      o->api.CreateTensorWithDataAsOrtValue(o->memory, r->memory[i],
                                                            tensor->n * sizeof(float), tensor->dims,
                                                            tensor->n_dims, ONNX_FLOAT, &r->out[i]),
                      r->model, err);
}

/* Check the i-th output and lay down its memory, for the largest batch, where its shape is fixed beyond that. Its
 * shape as declared stays in `tensors`, for the decoder's check. */
static enum few_status prepare_output(struct runner *r, size_t i, struct few_error *err)
{
    const struct port *port = &r->outputs[i];
    bool batches = r->batch > 1;
    if (port->type != ONNX_FLOAT)
        return few__fail(err, FEW_ESHAPE, "model '%s': output '%s': expected float32, found %s",
                         r->model->name, port->name, type_name(port->type));
    if (batches && (port->n_dims == 0 || port->dims[0] >= 0)) {
        char have[240];
        write_port(have, sizeof have, port->type, port->n_dims, port->dims);
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': output '%s': expected a free first dimension for batches, found %s",
                         r->model->name, port->name, have);
    }
    r->names[i] = port->name;
    struct few__tensor *tensor = &r->tensors[i];
    tensor->n_dims = port->n_dims;
    memcpy(tensor->dims, port->dims, sizeof tensor->dims);
    size_t n = count(port->n_dims - batches, port->dims + batches);
    if (n == 0 || n > NUMBERS_MAX / (size_t)r->batch) return FEW_OK;
    r->n_item[i] = n;
    r->memory[i] = FEW__NEW_N(r->onnx->env.mem, float, n *(size_t)r->batch);
    return r->memory[i] ? FEW_OK : few__no_memory(err, r->model->name);
}

static enum few_status find_ports(struct runner *r, struct few_error *err)
{
    const struct few__recipe *recipe = r->recipe;
    struct onnx *o = r->onnx;
    const struct few__decode *decode = &recipe->decode;
    FEW__TRY(find_port(o, r->model, r->shared->session, recipe->input.name, true, &r->input, err));
    FEW__TRY(check_input(recipe, r->model, &r->input, err));
    if (decode->n_outputs > FEW__OUTPUTS_MAX)
        return few__fail(err, FEW_ELIMIT, "model '%s': expected at most %d outputs, found %zu",
                         r->model->name, FEW__OUTPUTS_MAX, decode->n_outputs);
    r->n_outputs = decode->n_outputs ? decode->n_outputs : 1;
    for (size_t i = 0; i < r->n_outputs; i++) {
        FEW__TRY(find_port(o, r->model, r->shared->session, decode->n_outputs ? decode->outputs[i] : NULL,
                           false, &r->outputs[i], err));
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
    few__free(o->env.mem, r->input.name);
    if (r->options) o->api.ReleaseRunOptions(r->options);
    if (r->shared) give_shared(o, r->shared);
    few__free(o->env.mem, r);
}

static enum few_status make_run_options(struct runner *r, struct few_error *err)
{
    const struct onnx *o = r->onnx;
    FEW__TRY(told_model(o, o->api.CreateRunOptions(&r->options), r->model, err));
    if (!o->give_back) return FEW_OK;
    return told_model(o,
                      o->api.AddRunConfigEntry(r->options, "memory.enable_memory_arena_shrinkage", "cpu:0"),
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
    r->batch = recipe->batch > 1 ? (int64_t)recipe->batch : 1;
    atomic_init(&r->canceled, false);
    enum few_status status = take_shared(o, model, recipe->file, &r->shared, err);
    if (status == FEW_OK) status = make_run_options(r, err);
    if (status == FEW_OK) status = find_ports(r, err);
    if (status == FEW_OK) *runner = r;
    else unload(r);
    return status;
}

/* ---- run ---- */

// The input as the recipe wants it, at most `batch` items; a free width is at most the recipe's.
static enum few_status check_dims(const struct runner *r, const int64_t dims[4], struct few_error *err)
{
    int64_t expected[4];
    const struct few__pixels *pixels = &r->recipe->input.pixels;
    bool any_width = pixels->resize == FEW__HEIGHT;
    few__input_dims(&r->recipe->input, any_width ? -1 : pixels->width, expected);
    bool fits = dims[0] >= 1 && dims[0] <= r->batch && count(4, dims) > 0;
    for (size_t i = 1; fits && i < 4; i++)
        fits = dims[i] == expected[i] || (expected[i] < 0 && dims[i] <= pixels->width);
    if (fits) return FEW_OK;
    char want[120], have[120];
    expected[0] = r->batch > 1 ? -1 : 1;
    write_port(want, sizeof want, ONNX_FLOAT, 4, expected);
    write_port(have, sizeof have, ONNX_FLOAT, 4, dims);
    return few__fail(err, FEW_ESHAPE,
                     "model '%s': input '%s': expected %s, at most %lld items, width at most %d, found %s",
                     r->model->name, r->input.name, want, (long long)r->batch, pixels->width, have);
}

// Make `in` a tensor over the caller's memory, unless it is already.
static enum few_status bind_input(struct runner *r, const struct few__run_input *input, struct few_error *err)
{
    bool same =
        r->in && r->bound.data == input->data && memcmp(r->bound.dims, input->dims, sizeof input->dims) == 0;
    if (same) return FEW_OK;
    FEW__TRY(check_dims(r, input->dims, err));
    struct onnx *o = r->onnx;
    if (r->in) o->api.ReleaseValue(r->in);
    r->in = NULL;
    r->bound = *input;
    size_t bytes = count(4, input->dims) * sizeof(float);
    return told_model(o,
                      o->api.CreateTensorWithDataAsOrtValue(o->memory, input->data, bytes, input->dims, 4,
                                                            ONNX_FLOAT, &r->in),
                      r->model, err);
}

// An output that the library allocated: where it lies and what shape it has this time.
static enum few_status read_output(struct runner *r, size_t i, struct few_error *err)
{
    struct onnx *o = r->onnx;
    struct onnx_shape *shape = NULL;
    struct port port = {.name = NULL};
    void *data = NULL;
    struct onnx_status *status = o->api.GetTensorTypeAndShape(r->out[i], &shape);
    if (!status) status = read_shape(&o->api, shape, &port);
    if (!status) status = o->api.GetTensorMutableData(r->out[i], &data);
    if (shape) o->api.ReleaseTensorTypeAndShapeInfo(shape);
    FEW__TRY(told_model(o, status, r->model, err));
    if (port.type != ONNX_FLOAT || port.n_dims > FEW__DIMS_MAX)
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': output '%s': expected float32, found %s of %zu dimensions",
                         r->model->name, r->names[i], type_name(port.type), port.n_dims);
    struct few__tensor *tensor = &r->tensors[i];
    tensor->data = data;
    tensor->n_dims = port.n_dims;
    memcpy(tensor->dims, port.dims, sizeof tensor->dims);
    tensor->n = count(port.n_dims, port.dims);
    int64_t items = r->bound.dims[0];
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
    const char *const in_names[1] = {r->input.name};
    const struct onnx_value *const ins[1] = {r->in};
    struct onnx_status *ran =
        o->api.Run(r->shared->session, r->options, in_names, ins, 1, r->names, r->n_outputs, r->out);
    enum few_status status = told_model(o, ran, r->model, err);
    if (o->give_back) few__heap_trim(); // the arena frees its pieces; the heap would keep them
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
    told(r->onnx, r->onnx->api.RunOptionsSetTerminate(r->options), "cancel", NULL);
}

static void reset(void *runner)
{
    struct runner *r = runner;
    told(r->onnx, r->onnx->api.RunOptionsUnsetTerminate(r->options), "reset", NULL);
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
