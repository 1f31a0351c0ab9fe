// SPDX-License-Identifier: Apache-2.0
/* Steps without a gradient, all at once.
 *
 * A row that has all steps up to t0 and misses the k steps t0 + 1 .. t0 + k keeps decaying moments, b1^j m and b2^j v. With
 * x = sqrt(v), and for step u: c(u) = rate / (1 - b1^u), h(u) = sqrt(1 - b2^u), what Adam takes from p in these steps is
 *
 *     sum over j of  f^(k-j) c(t0 + j) b1^j m / (b2^(j/2) x / h(t0 + j) + epsilon)          f = 1 - rate decay
 *
 * Each term is a geometric series in e = epsilon / x, of which four members do where e is below 1/50:
 *
 *     m / x (S1 - e S2 + e^2 S3 - e^3 S4),   Sr = sum over j of f^(k-j) c(t0 + j) h(t0 + j)^r (b1 b2^(-r/2))^j
 *
 * Sr depends on t0 and t, not on the element. For a fixed t they come by a recursion backwards in t0, kept for the last
 * TABLE steps; a row that has waited longer adds up its first terms itself, since b1^j soon is nothing. Elements with a smaller x
 * take the steps one by one. A row that never had a gradient has moments of zero and only decays. */
#include "nn/optim_late.h"

#include <math.h>

enum { TABLE = 256, TERMS = 4 };
static const double least_ratio = 50; // x / epsilon above which four members do
static const double nothing = 1e-9;   // a share of the first term that no longer counts

struct few__optim_late {
    const struct few_mem *mem;
    size_t n_rows;
    uint64_t *since; // (n_rows,) steps that the row has
    bool *lives;     // (n_rows,) it has had a gradient
    int32_t *left;   // scratch, (stride,) elements whose series would not do
    uint64_t t;      // that the sums are for
    size_t n_sums;   // sums[k] is right for k <= n_sums
    double sums[TABLE + 1][TERMS];
    double c[TABLE], h[TABLE];                 // of step u, at u modulo TABLE
    double keep1[TABLE + 1], keep2[TABLE + 1]; // b1 and b2 to the power of k
    double shrink[TABLE + 1];                  // f to the power of k, for this rate
    double rate;
};

double few__power(double base, uint64_t k)
{
    double power = 1;
    for (; k > 0; k >>= 1, base *= base)
        if (k & 1) power *= base;
    return power;
}

struct few__optim_late *few__optim_late_create(const struct few__net *net, const struct few__optim_spec *spec,
                                               const struct few_mem *mem)
{
    struct few__optim_late *late = FEW__NEW(mem, struct few__optim_late);
    if (!late) return NULL;
    *late = (struct few__optim_late){.mem = mem, .n_rows = net->n_in};
    late->since = FEW__NEW_N(mem, uint64_t, net->n_in);
    late->lives = FEW__NEW_N(mem, bool, net->n_in);
    for (size_t k = 0; k <= TABLE; k++) {
        late->keep1[k] = few__power(spec->beta1, k);
        late->keep2[k] = few__power(spec->beta2, k);
    }
    late->left = FEW__NEW_N(mem, int32_t, net->layers[0].stride);
    if (late->since && late->lives && late->left) return late;
    few__optim_late_destroy(late);
    return NULL;
}

void few__optim_late_destroy(struct few__optim_late *late)
{
    if (!late) return;
    few__free(late->mem, late->since);
    few__free(late->mem, late->lives);
    few__free(late->mem, late->left);
    few__free(late->mem, late);
}

void few__optim_late_reset(struct few__optim_late *late)
{
    for (size_t i = 0; i < late->n_rows; i++) {
        late->since[i] = 0;
        late->lives[i] = false;
    }
    late->n_sums = 0;
}

void few__optim_late_stepped(struct few__optim *optim, size_t row)
{
    optim->late->since[row] = optim->t;
    optim->late->lives[row] = true;
}

/* ---- the sums ---- */

static double c_of(const struct few__optim_spec *spec, double b1_power)
{
    return spec->rate / (1 - b1_power);
}

// Of the step that comes next.
void few__optim_late_begin(struct few__optim *optim)
{
    struct few__optim_late *late = optim->late;
    uint64_t u = optim->t + 1;
    size_t at = (optim->t + 1) % TABLE;
    if (!optim->m) return;
    late->c[at] = c_of(&optim->spec, few__power(optim->spec.beta1, u));
    late->h[at] = sqrt(1 - few__power(optim->spec.beta2, u));
}

// Sums for t0 = u - 1 from those for t0 = u; f: to the power of the steps that follow u.
static void extend(const struct few__optim_spec *spec, double root2, double c, double h, double f,
                   double sums[TERMS])
{
    double step = spec->beta1, term = f * c;
    for (int r = 0; r < TERMS; r++) {
        step *= root2;
        term *= h;
        sums[r] = step * (term + sums[r]);
    }
}

static double shrink_of(const struct few__optim *optim, uint64_t k)
{
    struct few__optim_late *late = optim->late;
    double f = 1 - optim->spec.rate * optim->spec.decay;
    if (late->rate != optim->spec.rate) {
        late->rate = optim->spec.rate;
        late->shrink[0] = 1;
        for (size_t i = 1; i <= TABLE; i++) late->shrink[i] = late->shrink[i - 1] * f;
    }
    return k <= TABLE ? late->shrink[k] : few__power(f, k);
}

static double power(const double table[TABLE + 1], double base, uint64_t k)
{
    return k <= TABLE ? table[k] : few__power(base, k);
}

static const double *table_sums(struct few__optim *optim, uint64_t k)
{
    struct few__optim_late *late = optim->late;
    double root2 = 1 / sqrt(optim->spec.beta2);
    if (late->t != optim->t) {
        late->t = optim->t;
        late->n_sums = 0;
    }
    while (late->n_sums < k) {
        size_t next = late->n_sums + 1, u = (optim->t - next + 1) % TABLE;
        for (int r = 0; r < TERMS; r++) late->sums[next][r] = late->sums[next - 1][r];
        extend(&optim->spec, root2, late->c[u], late->h[u], shrink_of(optim, next - 1), late->sums[next]);
        late->n_sums = next;
    }
    return late->sums[k];
}

// Steps after which what momentum is left does not count, at most k.
static uint64_t steps_that_count(const struct few__optim_spec *spec, uint64_t k)
{
    double ratio = spec->beta1 / spec->beta2 / spec->beta2, left = 1; // of the series that falls slowest
    uint64_t n = 0;
    while (n < k && left > nothing) {
        left *= ratio;
        n++;
    }
    return n;
}

static void direct_sums(const struct few__optim *optim, uint64_t t0, uint64_t k, double sums[TERMS])
{
    const struct few__optim_spec *spec = &optim->spec;
    uint64_t n = steps_that_count(spec, k);
    double root2 = 1 / sqrt(spec->beta2);
    double power1 = few__power(spec->beta1, t0 + n), power2 = few__power(spec->beta2, t0 + n);
    double f = 1 - spec->rate * spec->decay, shrink = shrink_of(optim, k - n);
    for (int r = 0; r < TERMS; r++) sums[r] = 0;
    for (uint64_t j = n; j > 0; j--, shrink *= f) {
        extend(spec, root2, c_of(spec, power1), sqrt(1 - power2), shrink, sums);
        power1 /= spec->beta1;
        power2 /= spec->beta2;
    }
}

/* ---- rows ---- */

static float awake(float x) // as the kernels do
{
    return fabsf(x) < 1e-30F ? 0 : x;
}

// One element whose series would not do: every step as it is.
static double step_by_step(const struct few__optim *optim, uint64_t t0, uint64_t k, double p, double m,
                           double v)
{
    const struct few__optim_spec *spec = &optim->spec;
    for (uint64_t j = 1; j <= k; j++) {
        uint64_t u = t0 + j;
        m *= spec->beta1;
        v *= spec->beta2;
        p *= 1 - spec->rate * spec->decay;
        p -= spec->rate * m / (1 - few__power(spec->beta1, u)) /
             (sqrt(v / (1 - few__power(spec->beta2, u))) + spec->epsilon);
        if (fabs(m) >= 1e-30) continue;
        return p * shrink_of(optim, k - j);
    }
    return p;
}

static void make_up(struct few__optim *optim, float *p, float *m, float *v, size_t n, uint64_t t0, uint64_t k,
                    const struct few__kernels *kernels)
{
    double kept[TERMS];
    const double *sums = kept;
    if (k <= TABLE) sums = table_sums(optim, k);
    else direct_sums(optim, t0, k, kept);
    double keep1 = power(optim->late->keep1, optim->spec.beta1, k);
    double keep2 = power(optim->late->keep2, optim->spec.beta2, k);
    struct few__late late = {.keep1 = keep1 < 1e-30 ? 0 : (float)keep1, // before it is slow to compute with
                             .keep2 = keep2 < 1e-30 ? 0 : (float)keep2,
                             .shrink = (float)shrink_of(optim, k),
                             .epsilon = (float)optim->spec.epsilon,
                             .least = (float)(least_ratio * optim->spec.epsilon),
                             .s1 = (float)sums[0],
                             .s2 = (float)sums[1],
                             .s3 = (float)sums[2],
                             .s4 = (float)sums[3]};
    if (!kernels->adam_late(p, m, v, optim->late->left, n, &late)) return;
    for (size_t i = 0; i < n; i++) {
        if (optim->late->left[i] == 0) continue;
        p[i] = (float)step_by_step(optim, t0, k, (double)p[i], (double)m[i], (double)v[i]);
        m[i] = awake(m[i] * late.keep1);
        v[i] = awake(v[i] * late.keep2);
    }
}

void few__optim_late_row(struct few__optim *optim, struct few__net *net, size_t row)
{
    struct few__optim_late *late = optim->late;
    const struct few__layer *layer = &net->layers[0];
    uint64_t t0 = late->since[row], k = optim->t - t0;
    if (k == 0) return;
    late->since[row] = optim->t;
    bool shrinks = optim->spec.decay > 0;
    if (!late->lives[row] && !shrinks) return;
    size_t at = layer->weights + row * layer->stride;
    float *p = net->params + at, *v = optim->v + at;
    if (optim->m && late->lives[row]) {
        make_up(optim, p, optim->m + at, v, layer->stride, t0, k, net->kernels);
        return;
    }
    float shrink = (float)shrink_of(optim, k), keep = (float)power(late->keep2, optim->spec.beta2, k);
    for (size_t i = 0; i < layer->stride; i++) {
        p[i] = awake(p[i] * shrink);
        v[i] = awake(v[i] * keep);
    }
}
