// SPDX-License-Identifier: Apache-2.0
/* The table of docs/dqn.md: how fast agents find what there is to find on the test items of a trace, when the truth stops
 * them, beside the static order. Learned from the train items, of which every fifth chooses among the nets of a run.
 *
 *     agent_choice TRACE [SEEDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item/value_dqn.h"
#include "train/dqn_train.h"
#include "train/recall_time.h"

enum { LEVELS = 4 };
static const double levels[LEVELS] = {0.8, 0.9, 0.95, 1};

struct world {
    struct few__trace *trace;
    size_t n_train, n_test, n_fit, n_check;
    size_t *train, *test, *fit, *check; // items; train = fit and check
    struct few_cost *costs;
};

struct choice { // a row of the table
    const char *name;
    enum few__dqn_kind kind;
    double gamma, decay;
    enum few__reward reward;
    enum few__rank rank;
    size_t least; // items on which a label occurs that is an input
    bool paper;   // its state, Huber's loss, repeats, a constant rate
};

static const struct choice choices[] = {
    {"dqn", FEW__DQN, 0.1, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"double_dqn", FEW__DOUBLE_DQN, 0.1, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn", FEW__DUELING_DQN, 0.1, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"deep_sarsa", FEW__DEEP_SARSA, 0.1, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, every label an input", FEW__DUELING_DQN, 0.1, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 0,
     false},
    {"dueling_dqn, discount 0", FEW__DUELING_DQN, 0, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, discount 0.5", FEW__DUELING_DQN, 0.5, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, discount 0.9", FEW__DUELING_DQN, 0.9, 2, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, decay 0", FEW__DUELING_DQN, 0.1, 0, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, decay 0.5", FEW__DUELING_DQN, 0.1, 0.5, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, decay 5", FEW__DUELING_DQN, 0.1, 5, FEW__REWARD_SUM, FEW__RANK_PRODUCT, 5, false},
    {"dueling_dqn, the log as reward", FEW__DUELING_DQN, 0.1, 2, FEW__REWARD_LOG, FEW__RANK_PRODUCT, 5,
     false},
    {"dueling_dqn, as the paper", FEW__DUELING_DQN, 0.5, 0, FEW__REWARD_LOG, FEW__RANK_PRODUCT, 0, true},
    {"dueling_dqn, as the paper, values below 0 over time", FEW__DUELING_DQN, 0.5, 0, FEW__REWARD_LOG,
     FEW__RANK_RATIO, 0, true},
};

static void must(enum few_status status, const struct few_error *err)
{
    if (status == FEW_OK) return;
    fprintf(stderr, "agent_choice: %s\n", err->message);
    exit(1);
}

static void split(struct world *w)
{
    size_t n = w->trace->n_items;
    size_t **lists[] = {&w->train, &w->test, &w->fit, &w->check};
    for (size_t i = 0; i < 4; i++) *lists[i] = calloc(n + 1, sizeof **lists[i]);
    w->costs = calloc(w->trace->catalog.n_models + 1, sizeof *w->costs);
    if (!w->train || !w->test || !w->fit || !w->check || !w->costs) exit(1);
    for (size_t i = 0; i < n; i++) {
        if (w->trace->items[i].bucket >= FEW__SPLIT_DEFAULT) w->test[w->n_test++] = i;
        else w->train[w->n_train++] = i;
    }
    for (size_t i = 0; i < w->n_train; i++) {
        if (i % 5 == 4) w->check[w->n_check++] = w->train[i];
        else w->fit[w->n_fit++] = w->train[i];
    }
    for (size_t m = 0; m < w->trace->catalog.n_models; m++) w->costs[m] = w->trace->catalog.models[m].cost;
}

static struct few__recall_time *timer(const struct world *w, const size_t *items, size_t n,
                                      struct few__value value, enum few__rank rank)
{
    struct few__recall_time *r;
    struct few_error err;
    must(few__recall_time_create(w->trace, items, n, w->costs, levels, LEVELS, value, rank, NULL, &r, &err),
         &err);
    return r;
}

static void print_row(const char *name, const double ratio[LEVELS])
{
    printf("| %s |", name);
    for (size_t i = 0; i < LEVELS; i++) printf(" %.1f |", 100 * ratio[i]);
    printf("\n");
    fflush(stdout);
}

struct checking { // the nets of one run on the items that choose
    const struct world *w;
    struct few__dqn_net net;
    enum few__rank rank;
    struct few__recall_time *timer;
};

static enum few_status measure(void *ud, const struct few__net *net, double *value, struct few_error *err)
{
    struct checking *c = ud;
    if (!c->timer) {
        struct few__value dqn;
        c->net.net = net;
        must(few__value_dqn(&c->net, &c->w->trace->catalog, "dqn", NULL, &dqn, err), err);
        c->timer = timer(c->w, c->w->check, c->w->n_check, dqn, c->rank);
    }
    *value = few__recall_time(c->timer, NULL);
    return FEW_OK;
}

static struct few__dqn_opts options(const struct choice *choice, uint64_t seed)
{
    struct few__dqn_opts opts = few__dqn_defaults(choice->kind);
    opts.seed = seed;
    opts.every = 5000;
    opts.measure = measure;
    opts.learn.gamma = choice->gamma;
    opts.learn.optim.decay = choice->decay;
    opts.rules.reward = choice->reward;
    if (!choice->paper) return opts;
    opts.rules.executed_bits = false;
    opts.rules.repeats = true;
    opts.learn.delta = 1;
    opts.rate_last = 1;
    return opts;
}

// Adds one agent's times on the test items to ratio[].
static void run(const struct world *w, const struct choice *choice, uint64_t seed, double ratio[LEVELS])
{
    struct few__trace_episodes *source;
    struct few__episodes episodes;
    struct few__net *net;
    struct few__value value;
    struct few_error err;
    struct few__dqn_opts opts = options(choice, seed);
    double got[LEVELS];
    uint32_t *label_of = calloc(w->trace->catalog.n_labels + 1, sizeof *label_of);
    if (!label_of) exit(1);
    must(few__trace_episodes_create(w->trace, w->fit, w->n_fit, NULL, &source, &episodes, &err), &err);
    must(few__frequent_labels(&episodes, choice->least, NULL, label_of, &opts.rules.n_labels, &err), &err);
    opts.rules.label_of = label_of;
    struct checking checking = {.w = w, .rank = choice->rank};
    checking.net = (struct few__dqn_net){.n_labels = opts.rules.n_labels,
                                         .n_models = w->trace->catalog.n_models,
                                         .executed_bits = opts.rules.executed_bits,
                                         .input_of = label_of,
                                         .n_known = w->trace->catalog.n_labels};
    opts.ud = &checking;
    must(few__dqn_train(&episodes, &opts, NULL, &net, &err), &err);
    few__recall_time_destroy(checking.timer);
    checking.net.net = net;
    must(few__value_dqn(&checking.net, &w->trace->catalog, "dqn", NULL, &value, &err), &err);
    struct few__recall_time *r = timer(w, w->test, w->n_test, value, choice->rank);
    few__recall_time(r, got);
    for (size_t i = 0; i < LEVELS; i++) ratio[i] += got[i];
    few__recall_time_destroy(r);
    few__net_destroy(net);
    few__trace_episodes_destroy(source);
    free(label_of);
}

int main(int argc, char **argv)
{
    static struct world w;
    struct few_error err;
    struct few__value value;
    double ratio[LEVELS];
    uint64_t n_seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 5;
    if (argc < 2 || n_seeds == 0) {
        fprintf(stderr, "usage: agent_choice TRACE [SEEDS]\n");
        return 2;
    }
    must(few__trace_load(argv[1], false, NULL, &w.trace, &err), &err);
    split(&w);
    must(few__value_static(w.trace, w.train, w.n_train, w.costs, NULL, &value, &err), &err);
    struct few__recall_time *r = timer(&w, w.test, w.n_test, value, FEW__RANK_RATIO);
    few__recall_time(r, ratio);
    few__recall_time_destroy(r);
    printf("| time, %% of running everything, to recall | 0.8 | 0.9 | 0.95 | 1 |\n|---|---|---|---|---|\n");
    print_row("static", ratio);
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        memset(ratio, 0, sizeof ratio);
        for (uint64_t seed = 1; seed <= n_seeds; seed++) run(&w, &choices[i], seed, ratio);
        for (size_t k = 0; k < LEVELS; k++) ratio[k] /= (double)n_seeds;
        print_row(choices[i].name, ratio);
    }
    few__trace_free(w.trace);
    return 0;
}
