// SPDX-License-Identifier: Apache-2.0
/* The part of ONNX Runtime's C interface that Fewer uses, opened at run time.
 *
 * The runtime hands out one table of functions whose order never changes; a slot is a place in that table,
 * counted from 0. Its headers are not needed: tests/backend/test_onnx_slots.c compares the slots with them
 * where they are installed. */
#ifndef FEW_BACKEND_ONNX_API_H
#define FEW_BACKEND_ONNX_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

struct onnx_status;
struct onnx_env;
struct onnx_threading;
struct onnx_arena_cfg;
struct onnx_options;
struct onnx_session;
struct onnx_run_options;
struct onnx_value;
struct onnx_memory;
struct onnx_allocator;
struct onnx_type;
struct onnx_shape;

enum {
    ONNX_API_VERSION =
        16,              // the table asked for: it has all slots below and any library from 1.16 on serves it
    ONNX_MINOR_MIN = 19, // oldest 1.x that Fewer is tested with
    ONNX_LOG_FATAL = 4,
    ONNX_SEQUENTIAL = 0,
    ONNX_OPTIMIZE_ALL = 99,
    ONNX_ALLOCATOR_ARENA = 1,
    ONNX_MEMORY_DEFAULT = 0,
    ONNX_FLOAT = 1,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_DOUBLE = 11,
    ONNX_EXTEND_AS_ASKED = 1, // of an arena: by what is asked for, not by powers of two
};

/* slot, name, arguments; all return struct onnx_status *, NULL = done. */
#define FEW__ONNX_CALLS(X)                                                                                 \
    X(6, DisableTelemetryEvents, (const struct onnx_env *))                                                \
    X(7, CreateSession,                                                                                    \
      (const struct onnx_env *, const char *path, const struct onnx_options *, struct onnx_session **))    \
    X(9, Run,                                                                                              \
      (struct onnx_session *, const struct onnx_run_options *, const char *const *in_names,                \
       const struct onnx_value *const *ins, size_t n_in, const char *const *out_names, size_t n_out,       \
       struct onnx_value **outs))                                                                          \
    X(10, CreateSessionOptions, (struct onnx_options **))                                                  \
    X(13, SetSessionExecutionMode, (struct onnx_options *, int mode))                                      \
    X(17, DisableMemPattern, (struct onnx_options *))                                                      \
    X(23, SetSessionGraphOptimizationLevel, (struct onnx_options *, int level))                            \
    X(30, SessionGetInputCount, (const struct onnx_session *, size_t *))                                   \
    X(31, SessionGetOutputCount, (const struct onnx_session *, size_t *))                                  \
    X(33, SessionGetInputTypeInfo, (const struct onnx_session *, size_t i, struct onnx_type **))           \
    X(34, SessionGetOutputTypeInfo, (const struct onnx_session *, size_t i, struct onnx_type **))          \
    X(36, SessionGetInputName, (const struct onnx_session *, size_t i, struct onnx_allocator *, char **))  \
    X(37, SessionGetOutputName, (const struct onnx_session *, size_t i, struct onnx_allocator *, char **)) \
    X(39, CreateRunOptions, (struct onnx_run_options **))                                                  \
    X(46, RunOptionsSetTerminate, (struct onnx_run_options *))                                             \
    X(47, RunOptionsUnsetTerminate, (struct onnx_run_options *))                                           \
    X(49, CreateTensorWithDataAsOrtValue,                                                                  \
      (const struct onnx_memory *, void *data, size_t bytes, const int64_t *dims, size_t n_dims, int type, \
       struct onnx_value **))                                                                              \
    X(51, GetTensorMutableData, (struct onnx_value *, void **))                                            \
    X(55, CastTypeInfoToTensorInfo, (const struct onnx_type *, const struct onnx_shape **))                \
    X(60, GetTensorElementType, (const struct onnx_shape *, int *))                                        \
    X(61, GetDimensionsCount, (const struct onnx_shape *, size_t *))                                       \
    X(62, GetDimensions, (const struct onnx_shape *, int64_t *, size_t n))                                 \
    X(65, GetTensorTypeAndShape, (const struct onnx_value *, struct onnx_shape **))                        \
    X(69, CreateCpuMemoryInfo, (int allocator, int type, struct onnx_memory **))                           \
    X(76, AllocatorFree, (struct onnx_allocator *, void *))                                                \
    X(78, GetAllocatorWithDefaultOptions, (struct onnx_allocator **))                                      \
    X(119, CreateEnvWithGlobalThreadPools,                                                                 \
      (int log_level, const char *id, const struct onnx_threading *, struct onnx_env **))                  \
    X(120, DisablePerSessionThreads, (struct onnx_options *))                                              \
    X(121, CreateThreadingOptions, (struct onnx_threading **))                                             \
    X(130, AddSessionConfigEntry, (struct onnx_options *, const char *key, const char *value))             \
    X(144, CreateAndRegisterAllocator,                                                                     \
      (struct onnx_env *, const struct onnx_memory *, const struct onnx_arena_cfg *))                      \
    X(147, SetGlobalIntraOpNumThreads, (struct onnx_threading *, int n))                                   \
    X(148, SetGlobalInterOpNumThreads, (struct onnx_threading *, int n))                                   \
    X(149, SetGlobalSpinControl, (struct onnx_threading *, int spin))                                      \
    X(164, CreateArenaCfgV2,                                                                               \
      (const char *const *keys, const size_t *values, size_t n, struct onnx_arena_cfg **))                 \
    X(165, AddRunConfigEntry, (struct onnx_run_options *, const char *key, const char *value))

/* slot, name, what is released; NULL is allowed. */
#define FEW__ONNX_RELEASES(X)                               \
    X(92, ReleaseEnv, struct onnx_env)                      \
    X(93, ReleaseStatus, struct onnx_status)                \
    X(94, ReleaseMemoryInfo, struct onnx_memory)            \
    X(95, ReleaseSession, struct onnx_session)              \
    X(96, ReleaseValue, struct onnx_value)                  \
    X(97, ReleaseRunOptions, struct onnx_run_options)       \
    X(98, ReleaseTypeInfo, struct onnx_type)                \
    X(99, ReleaseTensorTypeAndShapeInfo, struct onnx_shape) \
    X(100, ReleaseSessionOptions, struct onnx_options)      \
    X(122, ReleaseThreadingOptions, struct onnx_threading)  \
    X(157, ReleaseArenaCfg, struct onnx_arena_cfg)

// NOLINTBEGIN(bugprone-macro-parentheses): the parts of a declaration take none
struct few__onnx_api {
    int (*GetErrorCode)(const struct onnx_status *);            // slot 1
    const char *(*GetErrorMessage)(const struct onnx_status *); // slot 2
#define FEW__ONNX_CALL(slot, name, args)     struct onnx_status *(*name)args;
#define FEW__ONNX_RELEASE(slot, name, thing) void (*name)(thing *);
    FEW__ONNX_CALLS(FEW__ONNX_CALL)
    FEW__ONNX_RELEASES(FEW__ONNX_RELEASE)
#undef FEW__ONNX_CALL
#undef FEW__ONNX_RELEASE
};
// NOLINTEND(bugprone-macro-parentheses)

enum { FEW__ONNX_PATH_MAX = 4096 };

/* Find and open the library, fill in the table.
 *
 * library   path given by the user: then no other is tried. NULL: the one recorded at set-up
 *           (FEW__RUNTIME_PATH), then "libonnxruntime.so.1" as the system finds it
 * describe  (FEW__ONNX_PATH_MAX + 64,) out: "ONNX Runtime 1.30.0 (PATH)"
 * The library stays open for the life of the process: its threads and thread-local data outlive a close.
 * Errors: FEW_ENOENT, the message lists every place tried and why it did not serve; FEW_EVERSION too old. */
enum few_status few__onnx_open(const char *library, struct few__onnx_api *api,
                               char describe[FEW__ONNX_PATH_MAX + 64], struct few_error *err);

#endif
