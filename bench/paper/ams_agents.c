// SPDX-License-Identifier: Apache-2.0
#include "paper/ams_agents.h"

#include "core/error.h"
#include "core/mem.h"

/* ---- items as episodes ---- */

struct place { // of an item
    enum ams_dataset dataset;
    uint64_t number;
};

struct school {
    const struct ams_world *world;
    size_t n_lessons, n_checks;
    struct place lessons[AMS_AGENT_ITEMS], checks[AMS_AGENT_CHECKS];
    struct ams_item item;
    struct few__episode_model models[AMS_MODELS];
    struct ams_sum sum;
    struct few__dqn_net meaning; // of the net that is measured
    struct ams_player player;
};

static enum few_status get(void *self, size_t i, const struct few__episode_model **models,
                           struct few_error *err)
{
    struct school *s = self;
    (void)err;
    ams_world_item(s->world, s->lessons[i].dataset, s->lessons[i].number, &s->item);
    for (size_t m = 0; m < AMS_MODELS; m++)
        s->models[m] = (struct few__episode_model){.valuable = s->item.truth[m].valuable,
                                                   .n_valuable = s->item.truth[m].n_valuable,
                                                   .found = s->item.truth[m].n_valuable > 0};
    *models = s->models;
    return FEW_OK;
}

// Train items, spread over the source; one in so many is a check.
static void enrol(struct school *s, const struct ams_source *source)
{
    enum { EVERY = (AMS_AGENT_ITEMS + AMS_AGENT_CHECKS) / AMS_AGENT_CHECKS };
    struct ams_walk walk = {.source = *source, .train = true, .n = AMS_AGENT_ITEMS + AMS_AGENT_CHECKS};
    struct place place;
    uint64_t id;
    for (size_t i = 0; ams_walk_next(&walk, &place.dataset, &place.number, &id); i++)
        if (i % EVERY == EVERY - 1 && s->n_checks < AMS_AGENT_CHECKS) s->checks[s->n_checks++] = place;
        else if (s->n_lessons < AMS_AGENT_ITEMS) s->lessons[s->n_lessons++] = place;
}

/* ---- checks ---- */

static double time_until(struct school *s, double recall, double total, size_t *k)
{
    double time_us = 0;
    for (; *k < s->player.n && s->sum.value < (recall - 1e-9) * total; ++*k) {
        ams_sum_add(&s->sum, &s->item.truth[s->player.order[*k]]);
        time_us += (double)s->item.truth[s->player.order[*k]].time_us;
    }
    return time_us;
}

// Seconds to recall 0.8 and seconds to recall 1, added up.
static enum few_status check(void *ud, const struct few__net *net, double *value, struct few_error *err)
{
    struct school *s = ud;
    if (!s->player.exec) {
        struct few__value q;
        s->meaning.net = net;
        FEW__TRY(few__value_dqn(&s->meaning, &s->world->catalog, "agent", NULL, &q, err));
        FEW__TRY(ams_player_open(&s->player, s->world, q, FEW__RANK_PRODUCT, err));
    }
    *value = 0;
    for (size_t i = 0; i < s->n_checks; i++) {
        size_t k = 0;
        ams_world_item(s->world, s->checks[i].dataset, s->checks[i].number, &s->item);
        double total = ams_value(&s->sum, &s->item);
        ams_play(&s->player, i, &s->item, FEW__NO_DEADLINE);
        double to_08 = time_until(s, 0.8, total, &k), to_1 = to_08 + time_until(s, 1, total, &k);
        *value += (to_08 + to_1) / (double)s->n_checks / 1e6;
        ams_sum_clear(&s->sum, &s->item);
    }
    return FEW_OK;
}

/* ---- agents ---- */

// Chosen on train items alone (docs/paper-ams.md).
static struct few__dqn_opts options(const struct ams_agent_opts *asked, struct school *school)
{
    struct few__dqn_opts opts = few__dqn_defaults(asked->kind);
    opts.seed = asked->seed;
    opts.rules.theta = asked->theta;
    opts.rules.reward = asked->reward;
    opts.steps = asked->steps ? asked->steps : AMS_AGENT_STEPS;
    opts.rate_last = 0.02;
    opts.epsilon_last = 0.4;
    opts.epsilon_share = 1;
    opts.every = opts.steps / 20;
    opts.measure = check;
    opts.ud = school;
    return opts;
}

enum few_status ams_agent_train(const struct ams_world *world, const struct ams_source *source,
                                const struct ams_agent_opts *asked, struct ams_agent *agent,
                                struct few_error *err)
{
    *agent = (struct ams_agent){.net = NULL};
    struct school *s = FEW__NEW(NULL, struct school);
    if (!s) return few__no_memory(err, "train items");
    const struct few__dqn_opts opts = options(asked, s);
    s->world = world;
    enrol(s, source);
    s->meaning = (struct few__dqn_net){
        .n_labels = AMS_LABELS, .n_models = AMS_MODELS, .executed_bits = opts.rules.executed_bits};
    const struct few__episodes episodes = {
        .self = s, .n_items = s->n_lessons, .n_models = AMS_MODELS, .n_labels = AMS_LABELS, .get = get};
    enum few_status status = few__dqn_train(&episodes, &opts, NULL, &agent->net, err);
    agent->meaning = s->meaning;
    agent->meaning.net = agent->net;
    ams_player_close(&s->player);
    few__free(NULL, s);
    return status;
}

void ams_agent_finish(struct ams_agent *agent)
{
    few__net_destroy(agent->net);
    agent->net = NULL;
}

static enum few_status make_agent(const struct ams_context *c, bool packed, struct few__value *value,
                                  struct few_error *err)
{
    (void)packed;
    return few__value_dqn(c->learned, &c->world->catalog, "agent", NULL, value, err);
}

const struct ams_method ams_agent_methods[FEW__DQN_KIND_COUNT] = {
    [FEW__DQN] = {"dqn", FEW__RANK_PRODUCT, true, false, make_agent},
    [FEW__DOUBLE_DQN] = {"double_dqn", FEW__RANK_PRODUCT, true, false, make_agent},
    [FEW__DUELING_DQN] = {"dueling_dqn", FEW__RANK_PRODUCT, true, false, make_agent},
    [FEW__DEEP_SARSA] = {"deep_sarsa", FEW__RANK_PRODUCT, true, false, make_agent},
};
const struct ams_method ams_agent_greedy[FEW__DQN_KIND_COUNT] = {
    [FEW__DQN] = {"dqn:by value", FEW__RANK_VALUE, false, false, make_agent},
    [FEW__DOUBLE_DQN] = {"double_dqn:by value", FEW__RANK_VALUE, false, false, make_agent},
    [FEW__DUELING_DQN] = {"dueling_dqn:by value", FEW__RANK_VALUE, false, false, make_agent},
    [FEW__DEEP_SARSA] = {"deep_sarsa:by value", FEW__RANK_VALUE, false, false, make_agent},
};
const struct ams_method ams_agent_of_sums = {"dueling_dqn:of sums", FEW__RANK_PRODUCT, true, false,
                                             make_agent};
const struct ams_method ams_agent_printed = {"dueling_dqn:as printed", FEW__RANK_RATIO, false, false,
                                             make_agent};
