// SPDX-License-Identifier: Apache-2.0
/* Models through ONNX Runtime.
 *
 * One environment with one thread pool and one arena, which all sessions share: an arena of its own for each
 * session keeps the largest working memory of every model at once. Models of the same file share a session.
 * Inputs and outputs are bound to fixed memory wherever their shapes are known at load. */
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

enum { THREADS_MAX = 256, MESSAGE_MAX = 300, NAME_SHOWN = 256 };
#define NUMBERS_MAX ((size_t)1 << 30) // of one tensor

// A loaded file and how many runners use it.
struct shared {
    char *path;
    struct onnx_session *session;
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
    pthread_mutex_t lock;             // of `loaded`
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
    const struct few_model *model;
    struct shared *shared;
    struct onnx_run_options *options;
    atomic_bool canceled;

    struct port input;
    float *numbers; // (n_numbers,) borrowed: what the input is bound to
    size_t n_numbers;
    int64_t dims[4]; // shape that `in` has now
    struct onnx_value *in;

    size_t n_outputs;
    struct port outputs[FEW__OUTPUTS_MAX];
    const char *names[FEW__OUTPUTS_MAX];
    float *memory[FEW__OUTPUTS_MAX]; // of outputs with a fixed shape; NULL: the library allocates at each run
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

/* The library has one environment in a process: a second runtime gets the same, and registering the arena
 * again fails. It is then there already; and without it sessions fall back to arenas of their own. */
static enum few_status make_arena(struct onnx *o, struct few_error *err)
{
    FEW__TRY(told(o, o->api.CreateCpuMemoryInfo(ONNX_ALLOCATOR_ARENA, ONNX_MEMORY_DEFAULT, &o->memory),
                  "ONNX Runtime's memory", err));
    told(o, o->api.CreateAndRegisterAllocator(o->onnx_env, o->memory, NULL), "ONNX Runtime's arena", NULL);
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
    pthread_mutex_init(&o->lock, NULL);
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

static enum few_status new_shared(struct onnx *o, const struct few_model *model, const char *path,
                                  struct shared **shared, struct few_error *err)
{
    struct shared *s = FEW__NEW(o->env.mem, struct shared);
    if (s) s->path = few__strdup(o->env.mem, path);
    enum few_status status = s && s->path ? FEW_OK : few__no_memory(err, model->name);
    if (status == FEW_OK)
        status = told_model(o, o->api.CreateSession(o->onnx_env, path, o->options, &s->session), model, err);
    if (status == FEW_OK) *shared = s;
    else if (s) free_shared(o, s);
    return status;
}

static enum few_status take_shared(struct onnx *o, const struct few_model *model, const char *path,
                                   struct shared **shared, struct few_error *err)
{
    FEW__TRY(check_file(model, path, err));
    pthread_mutex_lock(&o->lock);
    struct shared *s = o->loaded;
    while (s && strcmp(s->path, path) != 0) s = s->next;
    enum few_status status = s ? FEW_OK : new_shared(o, model, path, &s, err);
    if (status == FEW_OK) {
        if (s->users++ == 0) {
            s->next = o->loaded;
            o->loaded = s;
        }
        *shared = s;
    }
    pthread_mutex_unlock(&o->lock);
    return status;
}

static void give_shared(struct onnx *o, struct shared *shared)
{
    pthread_mutex_lock(&o->lock);
    if (--shared->users == 0) {
        struct shared **at = &o->loaded;
        while (*at != shared) at = &(*at)->next;
        *at = shared->next;
        free_shared(o, shared);
    }
    pthread_mutex_unlock(&o->lock);
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

static enum few_status check_input(const struct few__recipe *recipe, const struct few_model *model,
                                   const struct port *port, struct few_error *err)
{
    int64_t expected[4];
    const struct few__pixels *pixels = &recipe->input.pixels;
    few__input_dims(&recipe->input, pixels->resize == FEW__HEIGHT ? -1 : pixels->width, expected);
    bool fits = port->type == ONNX_FLOAT && port->n_dims == 4;
    for (size_t i = 0; fits && i < 4; i++) fits = port->dims[i] < 0 || port->dims[i] == expected[i];
    if (fits) return FEW_OK;
    char want[120], have[240];
    write_port(want, sizeof want, ONNX_FLOAT, 4, expected);
    write_port(have, sizeof have, port->type, port->n_dims, port->dims);
    return few__fail(err, FEW_ESHAPE, "model '%s': input '%s': expected %s, found %s", model->name,
                     port->name, want, have);
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

static enum few_status bind_output(struct runner *r, size_t i, struct few_error *err)
{
    const struct port *port = &r->outputs[i];
    struct onnx *o = r->onnx;
    if (port->type != ONNX_FLOAT)
        return few__fail(err, FEW_ESHAPE, "model '%s': output '%s': expected float32, found %s",
                         r->model->name, port->name, type_name(port->type));
    r->names[i] = port->name;
    struct few__tensor *tensor = &r->tensors[i];
    tensor->n_dims = port->n_dims;
    memcpy(tensor->dims, port->dims, sizeof tensor->dims);
    size_t n = count(port->n_dims, port->dims);
    if (n == 0) return FEW_OK;
    r->memory[i] = FEW__NEW_N(o->env.mem, float, n);
    if (!r->memory[i]) return few__no_memory(err, r->model->name);
    tensor->data = r->memory[i];
    tensor->n = n;
    return told_model(o,
                      o->api.CreateTensorWithDataAsOrtValue(o->memory, r->memory[i], n * sizeof(float),
                                                            port->dims, port->n_dims, ONNX_FLOAT, &r->out[i]),
                      r->model, err);
}

static enum few_status find_ports(struct runner *r, const struct few__recipe *recipe, struct few_error *err)
{
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
        FEW__TRY(bind_output(r, i, err));
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

static enum few_status load(void *self, const struct few__recipe *recipe, const struct few_model *model,
                            float *input, size_t n_numbers, void **runner, struct few_error *err)
{
    struct onnx *o = self;
    struct runner *r = FEW__NEW(o->env.mem, struct runner);
    if (!r) return few__no_memory(err, model->name);
    r->onnx = o;
    r->model = model;
    r->numbers = input;
    r->n_numbers = n_numbers;
    atomic_init(&r->canceled, false);
    enum few_status status = take_shared(o, model, recipe->file, &r->shared, err);
    if (status == FEW_OK) status = told_model(o, o->api.CreateRunOptions(&r->options), model, err);
    if (status == FEW_OK) status = find_ports(r, recipe, err);
    if (status == FEW_OK) *runner = r;
    else unload(r);
    return status;
}

/* ---- run ---- */

// Bind the input memory as a tensor of this shape.
static enum few_status bind_input(struct runner *r, const int64_t dims[4], struct few_error *err)
{
    if (r->in && memcmp(r->dims, dims, sizeof r->dims) == 0) return FEW_OK;
    struct onnx *o = r->onnx;
    size_t n = count(4, dims);
    bool fits = n > 0 && n <= r->n_numbers;
    for (size_t i = 0; fits && i < 4; i++) fits = r->input.dims[i] < 0 || r->input.dims[i] == dims[i];
    if (!fits) {
        char want[240], have[120];
        write_port(want, sizeof want, ONNX_FLOAT, 4, r->input.dims);
        write_port(have, sizeof have, ONNX_FLOAT, 4, dims);
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': input '%s': expected %s of at most %zu numbers, found %s",
                         r->model->name, r->input.name, want, r->n_numbers, have);
    }
    if (r->in) o->api.ReleaseValue(r->in);
    r->in = NULL;
    memcpy(r->dims, dims, sizeof r->dims);
    return told_model(o,
                      o->api.CreateTensorWithDataAsOrtValue(o->memory, r->numbers, n * sizeof(float), dims, 4,
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
    return FEW_OK;
}

static enum few_status run_canceled(const struct runner *r, struct few_error *err)
{
    return few__fail(err, FEW_ECANCELED, "model '%s': run cancelled", r->model->name);
}

static enum few_status run(void *runner, const int64_t dims[4], struct few__tensor *outputs,
                           size_t *n_outputs, struct few_error *err)
{
    struct runner *r = runner;
    struct onnx *o = r->onnx;
    *n_outputs = 0;
    if (atomic_load(&r->canceled)) return run_canceled(r, err);
    FEW__TRY(bind_input(r, dims, err));
    for (size_t i = 0; i < r->n_outputs; i++) {
        if (r->memory[i] || !r->out[i]) continue;
        o->api.ReleaseValue(r->out[i]);
        r->out[i] = NULL;
    }
    const char *const in_names[1] = {r->input.name};
    const struct onnx_value *const ins[1] = {r->in};
    struct onnx_status *ran =
        o->api.Run(r->shared->session, r->options, in_names, ins, 1, r->names, r->n_outputs, r->out);
    enum few_status status = told_model(o, ran, r->model, err);
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
