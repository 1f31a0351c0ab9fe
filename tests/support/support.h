// SPDX-License-Identifier: Apache-2.0
/* What cmocka lacks: tolerances, temporary folders, an allocator that counts and fails, seeds, the zoo.
 *
 * A test file:
 *     static void test_x(void **state) { (void)state; assert_near(1.0, y, 1e-6); }
 *     int main(void) { const struct CMUnitTest tests[] = {cmocka_unit_test(test_x)};
 *                      return cmocka_run_group_tests(tests, NULL, NULL); } */
#ifndef FEW_TESTS_SUPPORT_H
#define FEW_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fewer/env.h>

/* |a - b| <= tolerance, printed when not. NaN never passes. */
#define assert_near(a, b, tolerance) t__near((double)(a), (double)(b), (tolerance), __FILE__, __LINE__)
void t__near(double a, double b, double tolerance, const char *file, int line);

/* Every |a[i] - b[i]| <= tolerance; reports the worst index. */
#define assert_near_all(a, b, n, tolerance) t__near_all((a), (b), (n), (tolerance), __FILE__, __LINE__)
void t__near_all(const float *a, const float *b, size_t n, double tolerance, const char *file, int line);

/* The call gives this status; prints the error's message when not. err: struct few_error *. */
#define assert_status(call, expected, err) t__status((call), (expected), (err), #call, __FILE__, __LINE__)
void t__status(enum few_status got, enum few_status expected, const struct few_error *err, const char *call,
               const char *file, int line);

/* A new empty folder, removed with everything in it at exit. The string lives until then. */
const char *t_tmpdir(void);

/* "DIR/NAME" of the last t_tmpdir(), in one of a few static buffers. */
const char *t_path(const char *name);

/* Write a file; the test fails if it cannot. */
void t_write(const char *path, const void *data, size_t n);

/* FEW_TEST_SEED, or a fixed default; printed when a test fails if the test prints it. */
uint64_t t_seed(void);

/* Source tree and build tree. */
const char *t_source(void);
const char *t_build(void);

/* "../shared/zoo" from the source tree (or FEW_TEST_ZOO), or NULL: then call skip(). */
const char *t_zoo(void);

/* The ONNX Runtime library of the set-up (FEW_TEST_RUNTIME, else that in .venv), or NULL. */
const char *t_runtime(void);

/* An allocator that counts, and fails one allocation. */
struct t_mem {
    struct few_mem mem; // pass &t.mem
    size_t calls;       // allocations and growths asked for
    size_t live;        // blocks not yet freed
    size_t fail_at;     // the call (from 1) that fails; 0 = none
    bool failed;        // that call came
};
void t_mem_init(struct t_mem *t, size_t fail_at);

/* Run body(mem, ud) with the 1st, 2nd, 3rd ... allocation failing until one run needs fewer. body returns what
 * it got; it must be FEW_ENOMEM (or, for the last run, FEW_OK) and leave no block alive. */
void t_fail_each_allocation(enum few_status (*body)(const struct few_mem *mem, void *ud), void *ud);

#endif
