// SPDX-License-Identifier: Apache-2.0
// few_eval asked in tests, and its answer read.
#ifndef FEW_TESTS_SESSION_EVAL_ASKED_H
#define FEW_TESTS_SESSION_EVAL_ASKED_H

#include <jansson.h>

#include <fewer/trace.h>

/* The answer, checked to be JSON without repeats; json_decref. The test fails if there is none. */
json_t *evaluate(const char *path, const struct few_eval_opts *opts);

/* "methods/static/recall/0.8/time_ratio"; the test fails if it is no number. */
double number(json_t *json, const char *path);

/* It fails with this status, and the message has these words. */
void fails(const char *path, const struct few_eval_opts *opts, enum few_status status, const char *words);

#endif
