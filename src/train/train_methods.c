// SPDX-License-Identifier: Apache-2.0
/* Methods in a training. Each is learned as often as it has folds, from the items outside of a fold, and measured on those
 * inside; and once from all items, which is what the policy gets. */
#include <stdio.h>
#include <string.h>

#include "core/crew.h"
#include "core/error.h"
#include "train/learners.h"
#include "train/train_inside.h"

const double few__train_levels[FEW__TRAIN_LEVELS] = {0.8, 0.9, 0.95};

enum { WHAT_MAX = 512 };

/* ---- what is learned ---- */

static const struct few__learner *find_learner(const char *name)
{
    const struct few__learner *learner;
    for (size_t i = 0; (learner = few__learner_at(i)); i++)
        if (strcmp(learner->name, name) == 0) return learner;
    return NULL;
}

static bool is_asked(const struct few_train_opts *opts, const char *name)
{
    bool asked = !opts->methods;
    for (size_t i = 0; opts->methods && i < opts->n_methods; i++)
        asked |= strcmp(opts->methods[i], name) == 0;
    return asked;
}

static enum few_status check_names(const struct few_train_opts *opts, struct few_error *err)
{
    for (size_t i = 0; opts->methods && i < opts->n_methods; i++) {
        char names[256] = "";
        const struct few__learner *learner;
        if (find_learner(opts->methods[i])) continue;
        for (size_t k = 0, used = 0; (learner = few__learner_at(k)) && used < sizeof names; k++)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", k ? ", " : "", learner->name);
        return few__fail(err, FEW_EINVAL, "method: expected %s, found \"%s\"", names, opts->methods[i]);
    }
    return FEW_OK;
}

// Its number in the policy, or SIZE_MAX.
static size_t find_kept(const struct few__training *t, const char *name)
{
    if (!t->from) return SIZE_MAX;
    const struct few__learned_about about = few__learned_about(t->from);
    for (size_t i = 0; i < about.n_methods; i++)
        if (strcmp(about.methods[i].name, name) == 0) return i;
    return SIZE_MAX;
}

enum few_status few__train_plan(struct few__training *t, struct few_error *err)
{
    const struct few__method *row;
    size_t n_rows = 0;
    FEW__TRY(check_names(t->opts, err));
    while (few__method_at(n_rows)) n_rows++;
    t->methods = FEW__ARENA_NEW(&t->arena, struct few__training_method, n_rows);
    if (!t->methods) return few__no_memory(err, "training");
    for (size_t i = 0; (row = few__method_at(i)); i++) {
        struct few__training_method *m = &t->methods[t->n_methods];
        *m = (struct few__training_method){
            .row = row, .kept = find_kept(t, row->name), .optional = !t->opts->methods};
        if (is_asked(t->opts, row->name)) m->learner = find_learner(row->name);
        t->n_methods += m->learner || m->kept != SIZE_MAX;
    }
    if (t->n_methods > 0) return FEW_OK;
    return few__fail(err, FEW_EINVAL, "methods: expected one at least to learn or to keep, found none");
}

/* ---- pieces ---- */

static enum few_status set_pieces(struct few__training *t, struct few__training_method *m,
                                  struct few__piece *pieces, struct few_error *err)
{
    size_t n = t->split.n_items;
    size_t *units = FEW__ARENA_NEW(&t->arena, size_t, t->split.n_units);
    m->fold_of = FEW__ARENA_NEW(&t->arena, size_t, n);
    if (!units || !m->fold_of) return few__no_memory(err, "training");
    m->pieces = pieces;
    few__split_folds(&t->split, m->folds, t->opts->seed, units, m->fold_of);
    for (size_t f = 0; f + 1 < m->n_pieces; f++) {
        size_t *items = FEW__ARENA_NEW(&t->arena, size_t, n), n_in = 0;
        if (!items) return few__no_memory(err, "training");
        for (size_t i = 0; i < n; i++)
            if (m->fold_of[i] != f) items[n_in++] = t->split.items[i];
        pieces[f] = (struct few__piece){.fold = f, .items = items, .n_items = n_in};
    }
    pieces[m->n_pieces - 1] = (struct few__piece){.fold = m->folds, .items = t->split.items, .n_items = n};
    for (size_t p = 0; p < m->n_pieces; p++) {
        pieces[p].learner = m->learner;
        pieces[p].folds = m->folds;
        pieces[p].optional = m->optional;
    }
    return FEW_OK;
}

// Slow learners come first, so that threads are busy to the end; their order changes nothing else.
static enum few_status make_pieces(struct few__training *t, struct few_error *err)
{
    for (size_t i = 0; i < t->n_methods; i++) {
        struct few__training_method *m = &t->methods[i];
        if (!m->learner) continue;
        m->folds = m->learner->folds ? m->learner->folds : FEW__TRAIN_FOLDS;
        if (m->folds > t->split.n_units) m->folds = t->split.n_units;
        m->n_pieces = m->folds > 1 ? m->folds + 1 : 1;
        t->n_pieces += m->n_pieces;
    }
    t->pieces = FEW__ARENA_NEW(&t->arena, struct few__piece, t->n_pieces);
    if (!t->pieces) {
        t->n_pieces = 0;
        return few__no_memory(err, "training");
    }
    struct few__piece *next = t->pieces;
    for (size_t i = 0; i < t->n_methods; i++) {
        if (!t->methods[i].learner) continue;
        FEW__TRY(set_pieces(t, &t->methods[i], next, err));
        next += t->methods[i].n_pieces;
    }
    return FEW_OK;
}

static struct few__pieces_opts pieces_opts(const struct few__training *t, char what[WHAT_MAX])
{
    snprintf(what, WHAT_MAX, "fewer %s, trace %s, seed %llu, split %d, source %.64s", few_version(),
             t->digest, (unsigned long long)t->opts->seed, t->split_at, t->source);
    return (struct few__pieces_opts){.env = t->env,
                                     .trace = t->trace,
                                     .costs = t->costs,
                                     .seed = t->opts->seed,
                                     .threads = t->opts->threads,
                                     .folder = t->folder,
                                     .of_what = what,
                                     .progress = t->opts->progress,
                                     .ud = t->opts->ud};
}

enum few_status few__train_look(struct few__training *t, struct few_error *err)
{
    char what[WHAT_MAX];
    FEW__TRY(make_pieces(t, err));
    const struct few__pieces_opts opts = pieces_opts(t, what);
    return few__pieces_look(&opts, t->pieces, t->n_pieces, &t->n_kept, err);
}

// A method of which a piece could not be learned is left out.
static void leave_out(struct few__training_method *m)
{
    for (size_t p = m->n_pieces; p-- > 0;) {
        if (m->pieces[p].tensors) continue;
        m->left_out = true;
        m->why = m->pieces[p].err;
    }
}

/* ---- measuring ---- */

static const struct few__tensors *whole_of(const struct few__training_method *m)
{
    return m->pieces[m->n_pieces - 1].tensors;
}

// Each fold replayed by what was learned outside of it; a single one by what was learned from it.
static enum few_status add_folds(struct few__training *t, struct few__training_method *m,
                                 struct few__curve *curve, struct few__arena *scratch, struct few_error *err)
{
    size_t *items = FEW__ARENA_NEW(scratch, size_t, t->split.n_items);
    size_t *units = FEW__ARENA_NEW(scratch, size_t, t->split.n_items);
    if (!items || !units) return few__no_memory(err, "training");
    for (size_t f = 0; f < m->folds; f++) {
        size_t n = 0;
        for (size_t i = 0; i < t->split.n_items; i++) {
            if (m->fold_of[i] != f) continue;
            items[n] = t->split.items[i];
            units[n++] = t->split.unit_of[i];
        }
        FEW__TRY(few__curve_add(curve, m->pieces[f].tensors, items, units, n, err));
    }
    return few__curve_finish(curve, err);
}

static enum few_status measure_on(struct few__training *t, struct few__training_method *m,
                                  struct few__curve *curve, struct few_error *err)
{
    struct few__arena scratch;
    few__arena_init(&scratch, t->env.mem, SIZE_MAX / 2);
    enum few_status status = add_folds(t, m, curve, &scratch, err);
    few__arena_finish(&scratch);
    FEW__TRY(status);
    for (size_t s = 0; s < FEW__TRAIN_STOPS; s++) m->stops[s].recall = (double)(30 + s) / 100;
    FEW__TRY(few__curve_stops(curve, whole_of(m), t->opts->seed, m->stops, FEW__TRAIN_STOPS, err));
    for (size_t i = 0; i < FEW__TRAIN_LEVELS; i++) m->times[i] = few__curve_time(curve, few__train_levels[i]);
    return FEW_OK;
}

static enum few_status measure(struct few__training *t, struct few__training_method *m, struct few_error *err)
{
    const struct few__curve_opts opts = {.trace = t->trace,
                                         .costs = t->costs,
                                         .method = m->row,
                                         .n_items = t->split.n_items,
                                         .n_units = t->split.n_units};
    struct few__curve *curve;
    FEW__TRY(few__curve_create(&opts, &t->env, &curve, err));
    enum few_status status = measure_on(t, m, curve, err);
    few__curve_destroy(curve);
    return status == FEW_OK ? FEW_OK : few__wrap(err, status, "method %s", m->row->name);
}

// What the policy that it is kept from says of it.
static void recall_times(const struct few__training *t, struct few__training_method *m)
{
    struct few__learned_stop stop;
    for (size_t i = 0; i < FEW__TRAIN_LEVELS; i++) {
        m->times[i] = 1;
        if (few__learned_price(t->from, m->kept, few__train_levels[i], &stop, NULL) == FEW_OK)
            m->times[i] = stop.time_ratio;
    }
}

struct measuring {
    struct few__training *t;
    enum few_status *status; // (n_methods,)
    struct few_error *errors;
};

static void measure_one(void *ud, size_t i)
{
    struct measuring *job = ud;
    struct few__training_method *m = &job->t->methods[i];
    if (m->learner && !m->left_out) job->status[i] = measure(job->t, m, &job->errors[i]);
    else if (!m->learner) recall_times(job->t, m);
}

static enum few_status measure_all(struct few__training *t, struct few_error *err)
{
    struct measuring job = {.t = t,
                            .status = FEW__ARENA_NEW(&t->arena, enum few_status, t->n_methods),
                            .errors = FEW__ARENA_NEW(&t->arena, struct few_error, t->n_methods)};
    if (!job.status || !job.errors) return few__no_memory(err, "training");
    few__crew_run(t->opts->threads, t->n_methods, measure_one, &job);
    for (size_t i = 0; i < t->n_methods; i++)
        if (job.status[i] != FEW_OK) return few__fail(err, job.status[i], "%s", job.errors[i].message);
    return FEW_OK;
}

static enum few_status choose(struct few__training *t, struct few_error *err)
{
    t->preferred = t->n_methods;
    for (size_t i = 0; i < t->n_methods; i++) {
        struct few__training_method *m = &t->methods[i];
        if (m->left_out) continue;
        m->score = 0;
        for (size_t k = 0; k < FEW__TRAIN_LEVELS; k++) m->score += m->times[k] / FEW__TRAIN_LEVELS;
        if (t->preferred == t->n_methods || m->score < t->methods[t->preferred].score) t->preferred = i;
    }
    if (t->preferred < t->n_methods) return FEW_OK;
    return few__fail(err, FEW_EINVAL, "no method could be learned: %s", t->methods[0].why.message);
}

enum few_status few__train_learn(struct few__training *t, struct few_error *err)
{
    char what[WHAT_MAX];
    FEW__TRY(make_pieces(t, err));
    const struct few__pieces_opts opts = pieces_opts(t, what);
    FEW__TRY(few__pieces_run(&opts, t->pieces, t->n_pieces, err));
    for (size_t i = 0; i < t->n_pieces; i++) t->n_kept += t->pieces[i].kept;
    for (size_t i = 0; i < t->n_methods; i++) leave_out(&t->methods[i]);
    FEW__TRY(measure_all(t, err));
    return choose(t, err);
}

/* ---- the policy ---- */

static bool is_of(const char *tensor, const char *method)
{
    size_t n = strlen(method);
    return strncmp(tensor, method, n) == 0 && tensor[n] == '.';
}

static enum few_status copy_tensors(const struct few__tensors *from, const char *method,
                                    struct few__tensors *to, struct few_error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct few__named_tensor *tensor = &from->list[i];
        if (is_of(tensor->name, method))
            FEW__TRY(few__tensors_add(to, tensor->name, tensor->dtype, tensor->dims, tensor->n_dims,
                                      tensor->data, NULL, err));
    }
    return FEW_OK;
}

static struct few__learned_method describe(const struct few__training *t,
                                           const struct few__training_method *m)
{
    if (!m->learner) return few__learned_about(t->from).methods[m->kept];
    return (struct few__learned_method){.name = m->row->name,
                                        .rank = m->row->rank,
                                        .blind = m->row->blind,
                                        .has_outputs = m->row->has_outputs,
                                        .n_stops = FEW__TRAIN_STOPS,
                                        .stops = m->stops,
                                        .folds = m->folds};
}

static enum few_status put_methods(struct few__training *t, struct few__tensors *tensors,
                                   struct few__learned_about *about, struct few_error *err)
{
    struct few__learned_method *methods = FEW__ARENA_NEW(&t->arena, struct few__learned_method, t->n_methods);
    if (!methods) return few__no_memory(err, "policy");
    about->methods = methods;
    for (size_t i = 0; i < t->n_methods; i++) {
        const struct few__training_method *m = &t->methods[i];
        if (m->left_out) continue;
        const struct few__tensors *from = m->learner ? whole_of(m) : few__learned_tensors(t->from);
        if (i == t->preferred) about->preferred = about->n_methods;
        methods[about->n_methods++] = describe(t, m);
        FEW__TRY(copy_tensors(from, m->row->name, tensors, err));
    }
    return FEW_OK;
}

enum few_status few__train_write(struct few__training *t, struct few_error *err)
{
    struct few__learned_about about = {.seed = t->opts->seed,
                                       .split = t->split_at,
                                       .n_items = t->split.n_items,
                                       .n_models = t->trace->catalog.n_models,
                                       .costs = t->costs,
                                       .source = t->source,
                                       .trace = t->digest,
                                       .catalog = &t->trace->catalog};
    struct few__tensors *tensors;
    FEW__TRY(few__tensors_create(&t->env, &tensors, err));
    enum few_status status = put_methods(t, tensors, &about, err);
    if (status == FEW_OK) status = few__learned_write(&about, tensors, t->out_path, err);
    few__tensors_free(tensors);
    return status;
}
