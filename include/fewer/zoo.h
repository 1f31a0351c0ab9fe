// SPDX-License-Identifier: Apache-2.0
/* A zoo is a manifest (zoo.yaml) that was read and found right: its models, label lists and how each
 * model is fed and read. Opening a zoo loads no model. docs/manifest.md describes every key. */
#ifndef FEWER_ZOO_H
#define FEWER_ZOO_H

#include <fewer/env.h>
#include <fewer/model.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_ZOO_FILE_MAX     (8 << 20) // bytes of a manifest
#define FEW_ZOO_PROBLEMS_MAX 100       // problems reported of one manifest

struct few_zoo;

/* One mistake in a manifest. Strings are borrowed for the call. */
struct few_problem {
    const char *file;
    int line, column;     // from 1; 0 = the file as a whole
    const char *where;    // "models[3].input.resize"
    const char *expected; // "stretch, letterbox, letterbox-centre, centre-crop or height"
    const char *found;    // "strech"
};

typedef void (*few_problem_fn)(void *ud, const struct few_problem *problem);

struct few_zoo_opts {
    size_t size; // sizeof(struct few_zoo_opts)
    struct few_env env;
    const char *root;          // folder that relative paths start from; NULL = the manifest's folder
    few_problem_fn on_problem; // called for each mistake, in order of line; NULL = only the error's text
    void *ud;
};

/* Read and check a manifest.
 *
 * path   a YAML file; borrowed for the call
 * opts   NULL = defaults; copied
 * zoo    out, owned: few_zoo_close
 *
 * Errors:  FEW_ENOENT no such file; FEW_EPARSE one or more mistakes (all of them went to on_problem,
 *          the message counts them and shows the first ones); FEW_ELIMIT the file is too large;
 *          FEW_ENOMEM; FEW_EIO.
 * Threads: a zoo is not changed after opening; any number of threads may read it. */
FEW_API FEW_MUST_USE enum few_status few_zoo_open(const char *path, const struct few_zoo_opts *opts,
                                                  struct few_zoo **zoo, struct few_error *err);

/* NULL is allowed. No session of the zoo may be left. */
FEW_API void few_zoo_close(struct few_zoo *zoo);

/* Borrowed until the zoo is closed. */
FEW_API const struct few_catalog *few_zoo_catalog(const struct few_zoo *zoo);

#ifdef __cplusplus
}
#endif
#endif
