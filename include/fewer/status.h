// SPDX-License-Identifier: Apache-2.0
/* Errors are values. Every function that can fail returns enum few_status and takes, last, an
 * optional struct few_error that says what failed, what was expected and what was found.
 *
 *     struct few_error err;
 *     if (few_zoo_open("zoo.yaml", NULL, &zoo, &err) != FEW_OK)
 *         fprintf(stderr, "%s\n", err.message);
 *
 * On failure an out-parameter is NULL or zero and nothing was handed over, unless a function says
 * otherwise. A struct few_error belongs to the caller; NULL is always allowed. */
#ifndef FEWER_STATUS_H
#define FEWER_STATUS_H

#if defined(__GNUC__)
#define FEW_API               __attribute__((visibility("default")))
#define FEW_MUST_USE          __attribute__((warn_unused_result))
#define FEW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define FEW_API
#define FEW_MUST_USE
#define FEW_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* name, number, text. Numbers are never used again for something else. */
#define FEW_STATUS_TABLE(X)                     \
    X(FEW_OK, 0, "ok")                          \
    X(FEW_END, 1, "no more")                    \
    X(FEW_AGAIN, 2, "not now, try again")       \
    X(FEW_EINVAL, -1, "invalid argument")       \
    X(FEW_ENOMEM, -2, "out of memory")          \
    X(FEW_EIO, -3, "input or output failed")    \
    X(FEW_EPARSE, -4, "not well formed")        \
    X(FEW_ENOENT, -5, "not found")              \
    X(FEW_EEXIST, -6, "exists already")         \
    X(FEW_ESHAPE, -7, "wrong shape or type")    \
    X(FEW_EBACKEND, -8, "model runtime failed") \
    X(FEW_EDECODE, -9, "cannot be decoded")     \
    X(FEW_ELIMIT, -10, "over a limit")          \
    X(FEW_ECANCELED, -11, "cancelled")          \
    X(FEW_EUNSUPPORTED, -12, "not supported")   \
    X(FEW_ESTORE, -13, "store failed")          \
    X(FEW_EVERSION, -14, "other version")

#define FEW_STATUS_VALUE(name, number, text) name = (number),
enum few_status { FEW_STATUS_TABLE(FEW_STATUS_VALUE) };
#undef FEW_STATUS_VALUE

struct few_error {
    enum few_status code;
    int sys;            // errno, or 0
    char message[1024]; // one or more lines, no newline at the end
};

/* The name of a status ("FEW_EIO") and its short text ("input or output failed"). Never NULL. */
FEW_API const char *few_status_name(enum few_status status);
FEW_API const char *few_status_text(enum few_status status);

/* The version of the library in use, "0.1.0". */
FEW_API const char *few_version(void);

#ifdef __cplusplus
}
#endif
#endif
