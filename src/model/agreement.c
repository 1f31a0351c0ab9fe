// SPDX-License-Identifier: Apache-2.0
/* Agreement of two outputs (DESIGN section 2) and the task metrics (algorithms.md 2.10; MLink, section 5).
 *
 * Every function is total: whatever the numbers are, the answer of an agreement lies in [0, 1]. */
#include "model/agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/output.h"

static const double MATCH_IOU = 0.5; // DESIGN section 2: detections match at IoU 0.5

/* F1 from matches and the two sizes: 2 TP / (2 TP + FP + FN). */
static double f1(size_t matches, size_t n_a, size_t n_b)
{
    return n_a + n_b == 0 ? 1.0 : 2.0 * (double)matches / (double)(n_a + n_b);
}

static double positive(float v)
{
    return v > 0 ? (double)v : 0.0; // NaN and negative sizes count as 0
}

double few__iou(const float a[4], const float b[4])
{
    double aw = positive(a[2]), ah = positive(a[3]), bw = positive(b[2]), bh = positive(b[3]);
    double ax = (double)a[0], ay = (double)a[1], bx = (double)b[0], by = (double)b[1];
    double w = fmin(ax + aw, bx + bw) - fmax(ax, bx);
    double h = fmin(ay + ah, by + bh) - fmax(ay, by);
    double both = w > 0 && h > 0 ? w * h : 0.0;
    double either = aw * ah + bw * bh - both;
    return either > 0 && isfinite(ax + ay + bx + by + either) ? fmin(1.0, both / either) : 0.0;
}

double few__f1_labels(const struct few_valuable *a, size_t n_a, const struct few_valuable *b, size_t n_b)
{
    size_t matches = 0;
    for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
        bool first = a[i].label <= b[j].label, second = b[j].label <= a[i].label;
        matches += first && second;
        i += first;
        j += second;
    }
    return f1(matches, n_a, n_b);
}

/* ---- detections ---- */

/* By falling confidence, ties as they stood, NaN last; insertion sort: sets are small and nearly sorted. */
static void sort_order(const struct few_detection *d, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0; at--) {
            float before = d[order[at - 1]].confidence, here = d[i].confidence;
            if (!(here > before || (isnan(before) && !isnan(here)))) break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

/* The unmatched detection of `exact` that overlaps d most (ties: the first), or n_exact. */
static size_t best_match(const struct few_detection *d, const struct few_detection *exact, size_t n_exact,
                         const bool *taken, double iou)
{
    size_t best = n_exact;
    double most = iou;
    for (size_t j = 0; j < n_exact; j++) {
        if (taken[j] || exact[j].label != d->label) continue;
        double overlap = few__iou(d->box, exact[j].box);
        if (best == n_exact ? overlap >= most : overlap > most) {
            best = j;
            most = overlap;
        }
    }
    return best;
}

double few__f1_detections(const struct few_detection *given, size_t n_given,
                          const struct few_detection *exact, size_t n_exact, double iou,
                          struct few__arena *scratch)
{
    size_t *order = FEW__ARENA_NEW(scratch, size_t, n_given);
    bool *taken = FEW__ARENA_NEW(scratch, bool, n_exact);
    if (!order || !taken) return NAN;
    sort_order(given, order, n_given);
    size_t matches = 0;
    for (size_t i = 0; i < n_given; i++) {
        size_t j = best_match(&given[order[i]], exact, n_exact, taken, iou);
        if (j == n_exact) continue;
        taken[j] = true;
        matches++;
    }
    return f1(matches, n_given, n_exact);
}

/* ---- numbers and texts ---- */

double few__wer(const int32_t *ref, size_t n_ref, const int32_t *hyp, size_t n_hyp,
                struct few__arena *scratch)
{
    if (n_ref == 0) return n_hyp == 0 ? 0.0 : 1.0;
    size_t *row = FEW__ARENA_NEW(scratch, size_t, n_hyp + 1); // edits from ref[0, i) to hyp[0, j)
    if (!row) return NAN;
    for (size_t j = 0; j <= n_hyp; j++) row[j] = j;
    for (size_t i = 1; i <= n_ref; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_hyp; j++) {
            size_t change = diagonal + (ref[i - 1] != hyp[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return (double)row[n_hyp] / (double)n_ref;
}

double few__cosine_agreement(const float *a, const float *b, size_t n)
{
    double dot = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    if (aa <= 0 && bb <= 0) return 1.0;
    if (aa <= 0 || bb <= 0) return 0.5;
    return fmin(1.0, fmax(0.0, (1.0 + dot / (sqrt(aa) * sqrt(bb))) / 2.0));
}

struct scored {
    float score;
    size_t item;
};

static int by_falling_score(const void *a, const void *b)
{
    const struct scored *p = a, *q = b;
    bool p_nan = isnan(p->score), q_nan = isnan(q->score);
    if (p_nan != q_nan) return p_nan ? 1 : -1;
    if (!p_nan && p->score > q->score) return -1;
    if (!p_nan && p->score < q->score) return 1;
    return p->item < q->item ? -1 : p->item > q->item;
}

/* Mean, over the positives of one class, of the precision at their rank; NaN if it has none. */
static double average_precision(struct scored *ranked, const bool *truth, size_t n_items, size_t n_classes)
{
    qsort(ranked, n_items, sizeof *ranked, by_falling_score);
    size_t hits = 0;
    double sum = 0;
    for (size_t rank = 0; rank < n_items; rank++)
        if (truth[ranked[rank].item * n_classes]) sum += (double)++hits / (double)(rank + 1);
    return hits > 0 ? sum / (double)hits : (double)NAN;
}

double few__mean_average_precision(const float *scores, const bool *truth, size_t n_items, size_t n_classes,
                                   struct few__arena *scratch)
{
    struct scored *ranked = FEW__ARENA_NEW(scratch, struct scored, n_items);
    size_t n_with = 0;
    double sum = 0;
    for (size_t c = 0; ranked && c < n_classes; c++) {
        for (size_t i = 0; i < n_items; i++)
            ranked[i] = (struct scored){.score = scores[i * n_classes + c], .item = i};
        double ap = average_precision(ranked, truth + c, n_items, n_classes);
        if (isnan(ap)) continue;
        sum += ap;
        n_with++;
    }
    return n_with > 0 ? sum / (double)n_with : (double)NAN;
}

/* ---- agreement ---- */

static double of_labels(const struct few_model *model, const struct few_output *given,
                        const struct few_output *exact, struct few__arena *scratch)
{
    size_t max = few__valuable_max(model);
    struct few_valuable *a = FEW__ARENA_NEW(scratch, struct few_valuable, max);
    struct few_valuable *b = FEW__ARENA_NEW(scratch, struct few_valuable, max);
    if (!a || !b) return NAN;
    size_t n_a = few__valuable(model, given, a, max), n_b = few__valuable(model, exact, b, max);
    return few__f1_labels(a, n_a, b, n_b);
}

static double of_scalar(float given, float exact, double range)
{
    double d = fabs((double)given - (double)exact);
    return range > 0 ? 1.0 - fmin(1.0, d / range) : (d < 0.5 ? 1.0 : 0.0);
}

/* Both outputs hold something. */
static double of_present(const struct few_model *model, const struct few_output *given,
                         const struct few_output *exact, double range, struct few__arena *scratch)
{
    switch (model->kind) {
    case FEW_CLASSES: return few__top(given) >= 0 && few__top(given) == few__top(exact) ? 1.0 : 0.0;
    case FEW_BOX: return given->n == 4 && exact->n == 4 ? few__iou(given->values, exact->values) : 0.0;
    case FEW_SCALAR:
        return given->n == 1 && exact->n == 1 ? of_scalar(given->values[0], exact->values[0], range) : 0.0;
    case FEW_SEQUENCE:
        return 1.0 - fmin(1.0, few__wer(exact->tokens, exact->n, given->tokens, given->n, scratch));
    case FEW_VECTOR:
        return given->n == exact->n ? few__cosine_agreement(given->values, exact->values, exact->n) : 0.0;
    case FEW_LABELS:
    case FEW_DETECTIONS:
    case FEW_KIND_COUNT: break;
    }
    return 0.0;
}

double few__agreement(const struct few_model *model, const struct few_output *given,
                      const struct few_output *exact, double range, struct few__arena *scratch)
{
    double agreement;
    if (model->kind == FEW_LABELS) {
        agreement = of_labels(model, given, exact, scratch);
    } else if (model->kind == FEW_DETECTIONS) {
        agreement = few__f1_detections(given->detections, given->empty ? 0 : given->n, exact->detections,
                                       exact->empty ? 0 : exact->n, MATCH_IOU, scratch);
    } else if (given->empty || exact->empty) {
        agreement = given->empty && exact->empty ? 1.0 : 0.0;
    } else {
        agreement = of_present(model, given, exact, range, scratch);
    }
    return isnan(agreement) ? 0.0 : agreement;
}
