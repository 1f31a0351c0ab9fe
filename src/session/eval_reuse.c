// SPDX-License-Identifier: Apache-2.0
/* reducto: unchanged frames of a stream get the outputs of an analysed one (SIGCOMM 2020; as MLink's baseline: algorithms.md
 * 2.9). Features and thresholds are chosen on the train items, numbers are of the test items.
 *
 * Work goes from segment to segment, since nothing is reused across their ends: outputs are unpacked once, and what two
 * frames of it have in common is computed once however many thresholds ask. Invariant: pairs[] are those of the segment at
 * hand; items that are of no stream are segments of their own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "media/look.h"
#include "model/agreement.h"
#include "model/output.h"
#include "session/eval.h"

enum {
    THRESHOLDS = 58, // 0, then 2^(-14), a fourth root of 2 apart, up to 2^0: a pixel of a look is 2^(-14.2)
    PAIRS_MAX = 512, // frames of a segment whose pairs are remembered
    SCRATCH_BYTES = 1 << 20, // beside labels: detections, tokens
};

static const double slack = 1e-9; // of sums

struct pair { // of a frame and a later one; below 0: not known yet
    double difference[FEW_FEATURE_COUNT];
    double agreement, recall, label_recall; // when the later has the outputs of the first
    double found, n_found; // sum of the agreement of models that say something, and how many do
};

static const struct pair unknown = {.difference = {-1, -1, -1, -1}, .agreement = -1};

struct sums {
    struct few__eval_point point;
    double n_reused, reused, n_found,
        found; // agreement of reused frames, and of models that say something there
};

struct frame {
    size_t item;
    const uint8_t *look;              // or NULL
    double time_us, models;           // when it is analysed
    const struct few_output *outputs; // (n_models,)
};

struct place { // of an item among others
    int64_t stream, segment;
    size_t item; // SIZE_MAX ends the list
};

struct reuse {
    const struct few__eval *eval;
    bool successive;
    struct few__look_scratch *looks;
    double *ranges; // (n_models,) of scalars, on the train items
    float *seen;    // (n_labels,) zeros between uses
    struct few__arena segment, scratch;
    struct frame *frames; // of the segment
    size_t n_frames;
    struct pair *pairs; // (n_frames, n_frames), NULL = too many
    struct pair unkept;
    double run_all_us; // sum over the items gone through
    size_t n_items;
};

static double threshold_of(size_t i)
{
    return i ? exp2(((double)i - (THRESHOLDS - 1)) / 4) : 0;
}

/* ---- two frames ---- */

static enum few_status unpack_frame(struct reuse *r, struct frame *frame, struct few_error *err)
{
    const struct few__trace *trace = r->eval->trace;
    size_t n = trace->catalog.n_models;
    struct few_output *outputs = FEW__ARENA_NEW(&r->segment, struct few_output, n);
    if (!outputs) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < n; m++) {
        const struct few_model *model = &trace->catalog.models[m];
        const struct few__trace_cell *cell = few__trace_cell(trace, frame->item, m);
        outputs[m] = few__output_empty(model);
        if (cell->outcome == FEW_EXECUTED && cell->packed)
            FEW__TRY(few__trace_unpack(model, cell->packed, cell->n_packed, &r->segment, &outputs[m], err));
    }
    frame->outputs = outputs;
    return FEW_OK;
}

static bool says_nothing(const struct few_model *model, const struct few_output *output,
                         const struct few__trace_cell *cell)
{
    return output->empty || (model->kind == FEW_LABELS && cell->n_valuable == 0);
}

static void measure_agreement(struct reuse *r, const struct frame *given, const struct frame *exact,
                              struct pair *pair)
{
    const struct few__trace *trace = r->eval->trace;
    size_t n = trace->catalog.n_models;
    double sum = 0;
    pair->found = pair->n_found = 0;
    for (size_t m = 0; m < n; m++) {
        const struct few_model *model = &trace->catalog.models[m];
        const struct few_output *a = &given->outputs[m], *b = &exact->outputs[m];
        few__arena_reset(&r->scratch);
        double agreement = few__agreement(model, a, b, r->ranges[m], &r->scratch);
        sum += agreement;
        if (says_nothing(model, a, few__trace_cell(trace, given->item, m)) &&
            says_nothing(model, b, few__trace_cell(trace, exact->item, m)))
            continue;
        pair->found += agreement;
        pair->n_found++;
    }
    pair->agreement = sum / (double)n;
}

// Labels that both have count with the confidence that is exact.
static void measure_recall(struct reuse *r, const struct frame *given, const struct frame *exact,
                           struct pair *pair)
{
    const struct few__trace *trace = r->eval->trace;
    double value = 0, all = 0, n = 0, n_all = 0;
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, exact->item, m);
        for (uint32_t i = 0; cell->outcome == FEW_EXECUTED && i < cell->n_valuable; i++) {
            float *seen = &r->seen[cell->valuable[i].label], confidence = cell->valuable[i].confidence;
            if (confidence <= *seen) continue;
            n_all += *seen == 0;
            all += (double)confidence - (double)*seen;
            *seen = confidence;
        }
    }
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, given->item, m);
        for (uint32_t i = 0; cell->outcome == FEW_EXECUTED && i < cell->n_valuable; i++) {
            float *seen = &r->seen[cell->valuable[i].label];
            n += *seen > 0;
            value += (double)*seen;
            *seen = 0;
        }
    }
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, exact->item, m);
        for (uint32_t i = 0; i < cell->n_valuable; i++) r->seen[cell->valuable[i].label] = 0;
    }
    pair->recall = all > 0 ? value / all : 1;
    pair->label_recall = n_all > 0 ? n / n_all : 1;
}

static struct pair *pair_of(struct reuse *r, size_t first, size_t later)
{
    if (r->pairs) return &r->pairs[first * r->n_frames + later];
    r->unkept = unknown;
    return &r->unkept;
}

static double difference(struct reuse *r, enum few_feature feature, size_t first, size_t later)
{
    double *kept = &pair_of(r, first, later)->difference[feature];
    if (*kept < 0)
        *kept = few__look_difference(r->looks, feature, r->frames[first].look, r->frames[later].look);
    return *kept;
}

static const struct pair *likeness(struct reuse *r, size_t first, size_t later)
{
    struct pair *pair = pair_of(r, first, later);
    if (pair->agreement >= 0) return pair;
    measure_agreement(r, &r->frames[first], &r->frames[later], pair);
    measure_recall(r, &r->frames[first], &r->frames[later], pair);
    return pair;
}

/* ---- one segment ---- */

static enum few_status open_frame(struct reuse *r, size_t item, struct frame *frame, struct few_error *err)
{
    const struct few__trace *trace = r->eval->trace;
    *frame = (struct frame){.item = item, .look = trace->items[item].look};
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        frame->models += cell->outcome == FEW_EXECUTED;
        if (cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED) frame->time_us += cell->time_us;
    }
    r->run_all_us += frame->time_us;
    r->n_items++;
    return unpack_frame(r, frame, err);
}

static enum few_status open_segment(struct reuse *r, const struct place *places, size_t n,
                                    struct few_error *err)
{
    few__arena_reset(&r->segment);
    r->frames = FEW__ARENA_NEW(&r->segment, struct frame, n);
    r->n_frames = n;
    r->pairs = n <= PAIRS_MAX ? FEW__ARENA_NEW(&r->segment, struct pair, n * n) : NULL;
    if (!r->frames || (n <= PAIRS_MAX && !r->pairs)) return few__no_memory(err, "evaluation");
    for (size_t i = 0; r->pairs && i < n * n; i++) r->pairs[i] = unknown;
    for (size_t i = 0; i < n; i++) FEW__TRY(open_frame(r, places[i].item, &r->frames[i], err));
    return FEW_OK;
}

static void add_reused(struct sums *sums, const struct pair *pair)
{
    sums->point.agreement += pair->agreement;
    sums->point.recall += pair->recall;
    sums->point.label_recall += pair->label_recall;
    sums->n_reused++;
    sums->reused += pair->agreement;
    sums->n_found += pair->n_found;
    sums->found += pair->found;
}

static void add_analysed(struct sums *sums, const struct frame *frame)
{
    sums->point.time_ratio += frame->time_us;
    sums->point.models += frame->models;
    sums->point.agreement += 1;
    sums->point.recall += 1;
    sums->point.label_recall += 1;
}

static bool is_like(struct reuse *r, const struct few__eval_reuse *choice, size_t before, size_t i)
{
    return choice->threshold > 0 && r->frames[before].look && r->frames[i].look &&
           difference(r, choice->feature, before, i) < choice->threshold;
}

// The segment's frames under one choice join the sums.
static void walk(struct reuse *r, const struct few__eval_reuse *choice, struct sums *sums)
{
    size_t last = 0; // analysed
    for (size_t i = 0; i < r->n_frames; i++) {
        if (i > 0 && is_like(r, choice, r->successive ? i - 1 : last, i)) {
            add_reused(sums, likeness(r, last, i));
            continue;
        }
        last = i;
        add_analysed(sums, &r->frames[i]);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
    if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

// Items by stream and segment, in the order of time, and an end.
static struct place *sort_items(const struct few__eval *eval, const size_t *items, size_t n)
{
    struct place *places = FEW__ARENA_NEW(eval->arena, struct place, n + 1);
    for (size_t i = 0; places && i < n; i++)
        places[i] =
            (struct place){eval->trace->items[items[i]].stream, few__eval_segment(eval, items[i]), items[i]};
    if (!places) return NULL;
    qsort(places, n, sizeof *places, by_place);
    places[n].item = SIZE_MAX;
    return places;
}

static size_t count_segment(const struct place *places)
{
    size_t n = 1;
    while (places[0].stream >= 0 && places[n].item != SIZE_MAX && places[n].stream == places[0].stream &&
           places[n].segment == places[0].segment)
        n++;
    return n;
}

static void finish(const struct reuse *r, const struct sums *sums, struct few__eval_reuse *choice)
{
    double n = (double)r->n_items;
    choice->point = sums->point;
    choice->point.time_ratio = r->run_all_us > 0 ? sums->point.time_ratio / r->run_all_us : 0;
    choice->point.models /= n;
    choice->point.agreement /= n;
    choice->point.recall /= n;
    choice->point.label_recall /= n;
    choice->reused = sums->n_reused / n;
    choice->agreement_reused = sums->n_reused > 0 ? sums->reused / sums->n_reused : 1;
    choice->agreement_found = sums->n_found > 0 ? sums->found / sums->n_found : 1;
}

// What n choices come to on these items. sums: (n,) zeros
static enum few_status walk_all(struct reuse *r, const struct place *places, struct few__eval_reuse *choices,
                                size_t n, struct sums *sums, struct few_error *err)
{
    r->run_all_us = 0;
    r->n_items = 0;
    while (places->item != SIZE_MAX) {
        size_t length = count_segment(places);
        FEW__TRY(open_segment(r, places, length, err));
        for (size_t k = 0; k < n; k++) walk(r, &choices[k], &sums[k]);
        places += length;
    }
    for (size_t k = 0; k < n; k++) finish(r, &sums[k], &choices[k]);
    return FEW_OK;
}

/* ---- thresholds ---- */

// Within the budget the higher agreement, then the shorter time; where nothing is within, the shorter time first.
static bool is_better(const struct few__eval_point *a, const struct few__eval_point *b, double budget)
{
    bool a_fits = a->time_ratio <= budget + slack, b_fits = b->time_ratio <= budget + slack;
    if (a_fits != b_fits) return a_fits;
    if (!a_fits && a->time_ratio != b->time_ratio) return a->time_ratio < b->time_ratio;
    if (a->agreement != b->agreement) return a->agreement > b->agreement;
    return a->time_ratio < b->time_ratio;
}

static enum few_status choose(struct reuse *r, const struct place *train, struct few__eval_reuse *budget,
                              struct few_error *err)
{
    enum { N = FEW_FEATURE_COUNT * THRESHOLDS };
    struct few__eval_reuse *choices = FEW__ARENA_NEW(r->eval->arena, struct few__eval_reuse, N);
    struct sums *sums = FEW__ARENA_NEW(r->eval->arena, struct sums, N);
    if (!choices || !sums) return few__no_memory(err, "evaluation");
    for (size_t k = 0; k < N; k++) {
        choices[k].feature = (enum few_feature)(k / THRESHOLDS);
        choices[k].threshold = threshold_of(k % THRESHOLDS);
    }
    FEW__TRY(walk_all(r, train, choices, N, sums, err));
    for (size_t b = 0; b < FEW__EVAL_BUDGETS; b++) {
        size_t best = 0;
        for (size_t k = 1; k < N; k++)
            if (is_better(&choices[k].point, &choices[best].point, (double)(b + 1) / FEW__EVAL_BUDGETS))
                best = k;
        budget[b] = choices[best];
    }
    return FEW_OK;
}

/* ---- ranges of scalars ---- */

static int by_number(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

// 5 % to 95 % of what the model said on the train items; 0 where that is one number.
static enum few_status measure_range(struct reuse *r, size_t m, float *values, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    const struct few_model *model = &eval->trace->catalog.models[m];
    size_t n = 0;
    for (size_t i = 0; i < eval->n_train; i++) {
        const struct few__trace_cell *cell = few__trace_cell(eval->trace, eval->train[i], m);
        struct few_output output;
        if (cell->outcome != FEW_EXECUTED || cell->empty || !cell->packed) continue;
        few__arena_reset(&r->scratch);
        FEW__TRY(few__trace_unpack(model, cell->packed, cell->n_packed, &r->scratch, &output, err));
        if (output.n > 0 && isfinite(output.values[0])) values[n++] = output.values[0];
    }
    if (n == 0) return FEW_OK;
    qsort(values, n, sizeof *values, by_number);
    r->ranges[m] = (double)values[(n - 1) * 95 / 100] - (double)values[(n - 1) * 5 / 100];
    return FEW_OK;
}

static enum few_status measure_ranges(struct reuse *r, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    const struct few_catalog *catalog = &eval->trace->catalog;
    float *values = FEW__ARENA_NEW(eval->arena, float, eval->n_train);
    if (!values) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < catalog->n_models; m++)
        if (catalog->models[m].kind == FEW_SCALAR) FEW__TRY(measure_range(r, m, values, err));
    return FEW_OK;
}

/* ---- all ---- */

// Agreement takes what it needs from the scratch and cannot fail: it has to be there.
static bool take_memory(struct reuse *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    const struct few_catalog *catalog = &eval->trace->catalog;
    size_t most = 0;
    for (size_t m = 0; m < catalog->n_models; m++) {
        size_t max = few__valuable_max(&catalog->models[m]);
        if (max > most) most = max;
    }
    bool room = few__arena_alloc(&r->scratch, 1, SCRATCH_BYTES + 2 * most * sizeof(struct few_valuable));
    few__arena_reset(&r->scratch);
    r->ranges = FEW__ARENA_NEW(eval->arena, double, catalog->n_models);
    r->seen = FEW__ARENA_NEW(eval->arena, float, catalog->n_labels);
    result->budget = FEW__ARENA_NEW(eval->arena, struct few__eval_reuse, FEW__EVAL_BUDGETS);
    return room && r->ranges && r->seen && result->budget;
}

static bool has_frames(const struct few__eval *eval, const struct place *places)
{
    for (; places->item != SIZE_MAX; places++)
        if (places->stream >= 0 && eval->trace->items[places->item].look) return true;
    return false;
}

static enum few_status replay(struct reuse *r, struct few__eval_result *result, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    struct sums sums[FEW__EVAL_BUDGETS] = {0};
    if (!take_memory(r, result)) return few__no_memory(err, "evaluation");
    struct place *train = sort_items(eval, eval->train, eval->n_train);
    struct place *test = sort_items(eval, eval->test, eval->n_test);
    if (!train || !test) return few__no_memory(err, "evaluation");
    FEW__TRY(few__look_scratch_create(eval->env.mem, &r->looks, err));
    FEW__TRY(measure_ranges(r, err));
    FEW__TRY(choose(r, has_frames(eval, train) ? train : test, result->budget, err));
    return walk_all(r, test, result->budget, FEW__EVAL_BUDGETS, sums, err);
}

enum few_status few__eval_reuse(const struct few__eval *eval, struct few__eval_result *result,
                                struct few_error *err)
{
    struct reuse r = {.eval = eval, .successive = result->method->kind == FEW__EVAL_REUSE_SUCCESSIVE};
    few__arena_init(&r.segment, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    few__arena_init(&r.scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    enum few_status status = replay(&r, result, err);
    few__look_scratch_destroy(r.looks);
    few__arena_finish(&r.segment);
    few__arena_finish(&r.scratch);
    return status;
}
