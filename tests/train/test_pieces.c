// SPDX-License-Identifier: Apache-2.0
// Pieces of a training: each learned once, kept while the rest is not done, the same on any number of threads.
#include "train/pieces.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "support/support.h"

enum { PIECES = 7 };

static atomic_int n_learned;
static size_t fails_with; // a piece of so many items
static enum few_status failure;

// One number: of items and seed. Tells twice how far it is.
static enum few_status learn(const struct few__lesson *lesson, struct few__tensors *tensors,
                             struct few_error *err)
{
    const size_t one = 1;
    int64_t number = (int64_t)(lesson->seed * 1000 + lesson->n_items);
    if (lesson->n_items == fails_with) return few__fail(err, failure, "no %zu", lesson->n_items);
    if (!lesson->progress(lesson->ud, 0.25) || !lesson->progress(lesson->ud, 0.5))
        return few__fail(err, FEW_ECANCELED, "told so");
    FEW__TRY(few__tensors_add(tensors, "toy.number", FEW__I64, &one, 1, &number, NULL, err));
    atomic_fetch_add(&n_learned, 1);
    return FEW_OK;
}

static const struct few__learner toy = {.name = "toy", .learn = learn};

struct told {
    size_t n, stop_after, most_kept;
    double last;
    bool wrong;
};

static bool tell(void *ud, const struct few_train_progress *p)
{
    struct told *told = ud;
    told->wrong |= p->share < told->last || p->share > 1 || p->pieces != PIECES || p->pieces_done > PIECES ||
                   strcmp(p->method, "toy") != 0 || p->folds != PIECES - 1 || p->fold > p->folds;
    told->last = p->share;
    if (p->pieces_kept > told->most_kept) told->most_kept = p->pieces_kept;
    return ++told->n != told->stop_after;
}

static void set_pieces(struct few__piece *pieces, bool optional)
{
    for (size_t i = 0; i < PIECES; i++)
        pieces[i] = (struct few__piece){
            .learner = &toy, .fold = i, .folds = PIECES - 1, .n_items = i + 1, .optional = optional};
}

static struct few__pieces_opts options(struct told *told, size_t threads)
{
    return (struct few__pieces_opts){.seed = 3,
                                     .threads = threads,
                                     .folder = t_path("p"),
                                     .of_what = "trace x",
                                     .progress = told ? tell : NULL,
                                     .ud = told};
}

static void assert_learned(struct few__piece *pieces)
{
    const size_t one = 1;
    for (size_t i = 0; i < PIECES; i++) {
        const struct few__named_tensor *tensor;
        assert_non_null(pieces[i].tensors);
        assert_int_equal(few__tensors_get(pieces[i].tensors, "toy.number", FEW__I64, &one, 1, &tensor, NULL),
                         FEW_OK);
        assert_int_equal(*(const int64_t *)tensor->data, 3000 + (int)i + 1);
    }
}

static void test_all_are_learned_once(void **state)
{
    (void)state;
    for (size_t threads = 0; threads < 5; threads++) {
        struct few__piece pieces[PIECES];
        struct told told = {0};
        struct few_error err;
        t_tmpdir();
        set_pieces(pieces, false);
        const struct few__pieces_opts opts = options(&told, threads);
        atomic_store(&n_learned, 0);
        assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_OK, &err);
        assert_int_equal(atomic_load(&n_learned), PIECES);
        assert_learned(pieces);
        assert_false(told.wrong);
        assert_near(told.last, 1, 1e-9);
        few__pieces_free(pieces, PIECES);
        // All of them are there now.
        told = (struct told){0};
        set_pieces(pieces, false);
        assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_OK, &err);
        assert_int_equal(atomic_load(&n_learned), PIECES);
        assert_learned(pieces);
        assert_int_equal(told.most_kept, PIECES);
        for (size_t i = 0; i < PIECES; i++) assert_true(pieces[i].kept);
        few__pieces_free(pieces, PIECES);
        t_write(t_path("p/other"), "x", 1);
        few__pieces_remove(t_path("p"));
        assert_int_equal(access(t_path("p/toy.all.piece"), F_OK), -1);
        assert_int_equal(access(t_path("p/other"), F_OK), 0); // not ours
        assert_int_equal(remove(t_path("p/other")), 0);
        few__pieces_remove(t_path("p"));
        assert_int_equal(access(t_path("p"), F_OK), -1);
        few__pieces_remove(t_path("p")); // nothing there
    }
}

static void test_what_is_of_something_else_is_not_taken(void **state)
{
    (void)state;
    struct few__piece pieces[PIECES];
    size_t n_kept;
    t_tmpdir();
    set_pieces(pieces, false);
    struct few__pieces_opts opts = options(NULL, 1);
    assert_int_equal(few__pieces_run(&opts, pieces, PIECES, NULL), FEW_OK);
    few__pieces_free(pieces, PIECES);
    assert_int_equal(few__pieces_look(&opts, pieces, PIECES, &n_kept, NULL), FEW_OK);
    assert_int_equal(n_kept, PIECES);
    pieces[2].n_items = 50; // of other items
    t_write(t_path("p/toy.4of6.piece"), "damaged", 7);
    assert_int_equal(remove(t_path("p/toy.all.piece")), 0);
    assert_int_equal(few__pieces_look(&opts, pieces, PIECES, &n_kept, NULL), FEW_OK);
    assert_int_equal(n_kept, PIECES - 3);
    opts.of_what = "trace y";
    assert_int_equal(few__pieces_look(&opts, pieces, PIECES, &n_kept, NULL), FEW_OK);
    assert_int_equal(n_kept, 0);
    atomic_store(&n_learned, 0);
    set_pieces(pieces, false);
    assert_int_equal(few__pieces_run(&opts, pieces, PIECES, NULL), FEW_OK);
    assert_int_equal(atomic_load(&n_learned), PIECES);
    assert_learned(pieces);
    few__pieces_free(pieces, PIECES);
}

// Stopped anywhere, on any number of threads: FEW_ECANCELED, and the next one goes on.
static void test_cancel(void **state)
{
    (void)state;
    for (size_t threads = 1; threads < 4; threads++) {
        for (size_t after = 1; after < 20; after += 3) {
            struct few__piece pieces[PIECES];
            struct told told = {.stop_after = after};
            struct few_error err;
            size_t n_kept;
            t_tmpdir();
            set_pieces(pieces, false);
            const struct few__pieces_opts opts = options(&told, threads);
            atomic_store(&n_learned, 0);
            assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_ECANCELED, &err);
            few__pieces_free(pieces, PIECES);
            set_pieces(pieces, false);
            assert_int_equal(few__pieces_look(&opts, pieces, PIECES, &n_kept, NULL), FEW_OK);
            assert_int_equal(n_kept, atomic_load(&n_learned));
            assert_true(n_kept < PIECES);
            told = (struct told){0};
            assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_OK, &err);
            assert_int_equal(atomic_load(&n_learned), PIECES);
            assert_learned(pieces);
            few__pieces_free(pieces, PIECES);
        }
    }
}

static void test_failures(void **state)
{
    (void)state;
    struct few__piece pieces[PIECES];
    struct few_error err;
    t_tmpdir();
    const struct few__pieces_opts opts = options(NULL, 2);
    fails_with = 3;
    failure = FEW_EPARSE;
    for (int optional = 0; optional < 2; optional++) {
        set_pieces(pieces, optional);
        assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_EPARSE, &err);
        assert_string_equal(err.message, "method toy: no 3");
        few__pieces_free(pieces, PIECES);
    }
    failure = FEW_EINVAL; // can be left out, where nobody asked for it
    set_pieces(pieces, false);
    assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_EINVAL, &err);
    few__pieces_free(pieces, PIECES);
    set_pieces(pieces, true);
    assert_status(few__pieces_run(&opts, pieces, PIECES, &err), FEW_OK, &err);
    for (size_t i = 0; i < PIECES; i++) assert_int_equal(pieces[i].tensors == NULL, i == 2);
    assert_string_equal(pieces[2].err.message, "no 3");
    few__pieces_free(pieces, PIECES);
    fails_with = 0;
    // A folder that cannot be made.
    t_tmpdir();
    t_write(t_path("file"), "x", 1);
    struct few__pieces_opts wrong = options(NULL, 1);
    wrong.folder = t_path("file/p");
    set_pieces(pieces, false);
    assert_status(few__pieces_run(&wrong, pieces, PIECES, &err), FEW_EIO, &err);
    wrong.folder = t_path("file"); // there is something else of that name
    assert_status(few__pieces_run(&wrong, pieces, PIECES, &err), FEW_EIO, &err);
    few__pieces_free(pieces, PIECES);
}

static enum few_status run_twice(const struct few_mem *mem, void *ud)
{
    struct few__piece pieces[PIECES];
    struct few__pieces_opts opts = options(NULL, 1);
    size_t n_kept;
    (void)ud;
    opts.env.mem = mem;
    enum few_status status = FEW_OK;
    few__pieces_remove(opts.folder);
    for (size_t i = 0; i < 2 && status == FEW_OK; i++) {
        set_pieces(pieces, false);
        status = few__pieces_run(&opts, pieces, PIECES, NULL);
        if (status == FEW_OK) status = few__pieces_look(&opts, pieces, PIECES, &n_kept, NULL);
        few__pieces_free(pieces, PIECES);
    }
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    t_tmpdir();
    t_fail_each_allocation(run_twice, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_learned_once),
        cmocka_unit_test(test_what_is_of_something_else_is_not_taken),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
