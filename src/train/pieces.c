// SPDX-License-Identifier: Apache-2.0
// Invariant: whatever of `struct crew_work` several threads touch is touched under its lock.
#include "train/pieces.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crew.h"
#include "core/env.h"
#include "core/error.h"

#define PIECE_WORD "fewer.piece" // key of a piece's metadata
#define PIECE_END  ".piece"

enum { ARENA_MAX = 1 << 20 }; // names of one piece

struct crew_work {
    const struct few__pieces_opts *opts;
    struct few__piece *pieces;
    size_t n;
    pthread_mutex_t lock;
    double *shares; // (n,) how far each is
    size_t n_done, n_kept;
    bool stopped; // nothing more is to be done
    bool canceled;
    size_t first_failed; // SIZE_MAX: none
    struct few_error why;
};

struct one { // of the pieces, as its learner's progress sees it
    struct crew_work *work;
    size_t at;
};

/* ---- progress ---- */

static double weight_of(const struct few__piece *piece)
{
    return piece->learner->weight > 0 ? piece->learner->weight : 1;
}

// Under the lock.
static void tell(struct crew_work *w, size_t at)
{
    const struct few__piece *piece = &w->pieces[at];
    double done = 0, all = 0;
    if (!w->opts->progress || w->stopped) return;
    for (size_t i = 0; i < w->n; i++) {
        all += weight_of(&w->pieces[i]);
        done += weight_of(&w->pieces[i]) * w->shares[i];
    }
    const struct few_train_progress progress = {.method = piece->learner->name,
                                                .fold = piece->fold,
                                                .folds = piece->folds,
                                                .pieces = w->n,
                                                .pieces_done = w->n_done,
                                                .pieces_kept = w->n_kept,
                                                .share = all > 0 ? done / all : 1};
    if (!w->opts->progress(w->opts->ud, &progress)) w->stopped = w->canceled = true;
}

static bool go_on(void *ud, double share)
{
    struct one *one = ud;
    struct crew_work *w = one->work;
    pthread_mutex_lock(&w->lock);
    if (share > w->shares[one->at]) w->shares[one->at] = share < 1 ? share : 1;
    tell(w, one->at);
    bool goes_on = !w->stopped;
    pthread_mutex_unlock(&w->lock);
    return goes_on;
}

/* ---- the folder ---- */

static char *path_of(const struct few__pieces_opts *opts, const struct few__piece *piece,
                     struct few__arena *arena)
{
    if (piece->fold == piece->folds)
        return few__arena_printf(arena, "%s/%s.all" PIECE_END, opts->folder, piece->learner->name);
    return few__arena_printf(arena, "%s/%s.%zuof%zu" PIECE_END, opts->folder, piece->learner->name,
                             piece->fold + 1, piece->folds);
}

static char *word_of(const struct few__pieces_opts *opts, const struct few__piece *piece,
                     struct few__arena *arena)
{
    return few__arena_printf(arena, "%s, %s, fold %zu of %zu, %zu items", opts->of_what, piece->learner->name,
                             piece->fold, piece->folds, piece->n_items);
}

// *tensors NULL: there is none. One that is damaged, or of another training, is none. Errors: FEW_ENOMEM.
static enum few_status fetch(const struct few__pieces_opts *opts, const struct few__piece *piece,
                             struct few__arena *arena, struct few__tensors **tensors, struct few_error *err)
{
    const char *path = path_of(opts, piece, arena), *word = word_of(opts, piece, arena);
    *tensors = NULL;
    if (!path || !word) return few__no_memory(err, "training");
    if (access(path, R_OK) != 0) return FEW_OK;
    if (few__tensors_read(path, &opts->env, tensors, err) == FEW_ENOMEM) return FEW_ENOMEM;
    const char *found = *tensors ? few__tensors_word(*tensors, PIECE_WORD) : NULL;
    if (found && strcmp(found, word) == 0) return FEW_OK;
    few__tensors_free(*tensors);
    *tensors = NULL;
    return FEW_OK;
}

static enum few_status make_folder(const char *folder, struct few_error *err)
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST) return FEW_OK;
    return few__fail_sys(err, FEW_EIO, "%s: cannot be made", folder);
}

void few__pieces_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        const char *end = strstr(entry->d_name, PIECE_END);
        if (end && (!end[strlen(PIECE_END)] || strcmp(end, PIECE_END ".part") == 0))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir) closedir(dir);
    rmdir(folder);
}

/* ---- one piece ---- */

static enum few_status learn(struct one *one, struct few__arena *arena, struct few_error *err)
{
    const struct few__pieces_opts *opts = one->work->opts;
    struct few__piece *piece = &one->work->pieces[one->at];
    FEW__TRY(fetch(opts, piece, arena, &piece->tensors, err));
    piece->kept = piece->tensors != NULL;
    if (piece->kept) return FEW_OK;
    const struct few__lesson lesson = {.env = opts->env,
                                       .trace = opts->trace,
                                       .items = piece->items,
                                       .n_items = piece->n_items,
                                       .costs = opts->costs,
                                       .seed = opts->seed,
                                       .n_threads = 1,
                                       .progress = go_on,
                                       .ud = one};
    const char *path = path_of(opts, piece, arena), *word = word_of(opts, piece, arena);
    if (!path || !word) return few__no_memory(err, "training");
    FEW__TRY(few__tensors_create(&opts->env, &piece->tensors, err));
    FEW__TRY(piece->learner->learn(&lesson, piece->tensors, err));
    FEW__TRY(few__tensors_say(piece->tensors, PIECE_WORD, word, err));
    return few__tensors_write(piece->tensors, path, err);
}

// Under the lock.
static void take_result(struct crew_work *w, size_t at, enum few_status status, const struct few_error *err)
{
    struct few__piece *piece = &w->pieces[at];
    w->shares[at] = 1;
    w->n_done++;
    w->n_kept += piece->kept;
    if (status == FEW_OK) return;
    few__tensors_free(piece->tensors);
    piece->tensors = NULL;
    if (status == FEW_EINVAL && piece->optional) {
        piece->err = *err;
        return;
    }
    if (status == FEW_ECANCELED && w->stopped) return;
    w->stopped = true;
    if (at > w->first_failed) return;
    w->first_failed = at;
    w->why = *err;
}

static void do_piece(void *ud, size_t at)
{
    struct crew_work *w = ud;
    struct one one = {w, at};
    struct few_error err = {0};
    struct few__arena arena;
    if (!go_on(&one, 0)) return;
    few__arena_init(&arena, w->opts->env.mem, ARENA_MAX);
    enum few_status status = learn(&one, &arena, &err);
    few__arena_finish(&arena);
    pthread_mutex_lock(&w->lock);
    take_result(w, at, status, &err);
    tell(w, at);
    pthread_mutex_unlock(&w->lock);
}

/* ---- all ---- */

static enum few_status end(const struct crew_work *w, struct few_error *err)
{
    if (w->first_failed != SIZE_MAX) {
        enum few_status status = few__fail(err, w->why.code, "%s", w->why.message);
        return few__wrap(err, status, "method %s", w->pieces[w->first_failed].learner->name);
    }
    if (w->canceled) return few__fail(err, FEW_ECANCELED, "training: cancelled");
    return FEW_OK;
}

enum few_status few__pieces_run(const struct few__pieces_opts *opts, struct few__piece *pieces, size_t n,
                                struct few_error *err)
{
    struct crew_work work = {.opts = opts, .pieces = pieces, .n = n, .first_failed = SIZE_MAX};
    if (n == 0) return FEW_OK;
    FEW__TRY(make_folder(opts->folder, err));
    work.shares = FEW__NEW_N(opts->env.mem, double, n);
    if (!work.shares || pthread_mutex_init(&work.lock, NULL) != 0) {
        few__free(opts->env.mem, work.shares);
        return few__no_memory(err, "training");
    }
    few__crew_run(opts->threads, n, do_piece, &work);
    pthread_mutex_destroy(&work.lock);
    few__free(opts->env.mem, work.shares);
    return end(&work, err);
}

enum few_status few__pieces_look(const struct few__pieces_opts *opts, struct few__piece *pieces, size_t n,
                                 size_t *n_kept, struct few_error *err)
{
    *n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct few__arena arena;
        struct few__tensors *tensors = NULL;
        few__arena_init(&arena, opts->env.mem, ARENA_MAX);
        enum few_status status = fetch(opts, &pieces[i], &arena, &tensors, err);
        pieces[i].kept = tensors != NULL;
        *n_kept += pieces[i].kept;
        few__tensors_free(tensors);
        few__arena_finish(&arena);
        FEW__TRY(status);
    }
    return FEW_OK;
}

void few__pieces_free(struct few__piece *pieces, size_t n)
{
    for (size_t i = 0; pieces && i < n; i++) {
        few__tensors_free(pieces[i].tensors);
        pieces[i].tensors = NULL;
    }
}
