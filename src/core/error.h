// SPDX-License-Identifier: Apache-2.0
// Fill a struct few_error and return its code in one line. Message: the thing, what was expected, what was found.
#ifndef FEW_CORE_ERROR_H
#define FEW_CORE_ERROR_H

#include <fewer/status.h>

#define FEW__TRY(call)                       \
    do {                                     \
        enum few_status few__s = (call);     \
        if (few__s != FEW_OK) return few__s; \
    } while (0)

/* Sets err (may be NULL) and returns code. */
enum few_status few__fail(struct few_error *err, enum few_status code, const char *format, ...)
    FEW_PRINTF(3, 4);

/* As few__fail, for a failed system call: keeps errno and adds ": " and its text. */
enum few_status few__fail_sys(struct few_error *err, enum few_status code, const char *format, ...)
    FEW_PRINTF(3, 4);

/* Puts "prefix: " before the message of an error that is already set; returns its code, which the
 * caller gives as `code` (err may be NULL). */
enum few_status few__wrap(struct few_error *err, enum few_status code, const char *format, ...)
    FEW_PRINTF(3, 4);

/* FEW_ENOMEM with "out of memory: WHAT". Inline, so that analyzers see that it is never FEW_OK. */
static inline enum few_status few__no_memory(struct few_error *err, const char *what)
{
    few__fail(err, FEW_ENOMEM, "out of memory: %s", what);
    return FEW_ENOMEM;
}

#endif
