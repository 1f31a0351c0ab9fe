// SPDX-License-Identifier: Apache-2.0
/* Load and profile every model of a zoo. */
#ifndef FEWER_CHECK_H
#define FEWER_CHECK_H

#include <fewer/zoo.h>

#ifdef __cplusplus
extern "C" {
#endif

struct few_profile {
    enum few_status status; // FEW_OK, or why the model cannot be used
    const char *message;    // "" or what is wrong; borrowed for the callback
    double load_ms;
    double run_ms, run_p90_ms; // of the runtime alone, random input (of sound one window), after a warm-up
    uint64_t loaded_bytes;     // growth of the process when it was loaded
    uint64_t peak_bytes;       // the same, highest while it ran
};

struct few_check_opts {
    size_t size;
    const char *runtime; // path of the ONNX Runtime library, or NULL
    unsigned runs;       // timed runs of each model; 0 = 10
    uint64_t seed;       // of the random input
};

typedef void (*few_profile_fn)(void *ud, size_t model, const struct few_profile *profile);

/* Calls fn once for each model, in order. Goes on after a model that fails.
 * Errors: FEW_EBACKEND one or more models failed (the message counts them); FEW_ENOENT no runtime. */
FEW_API FEW_MUST_USE enum few_status few_check(const struct few_zoo *zoo, const struct few_check_opts *opts,
                                               few_profile_fn fn, void *ud, struct few_error *err);

#ifdef __cplusplus
}
#endif
#endif
