// SPDX-License-Identifier: Apache-2.0
#include "paper/ams_agents.h"

#include "core/error.h"
#include "core/mem.h"

/* ---- items as episodes ---- */

struct place { // of an item
    enum ams_dataset dataset;
    uint64_t number;
};

struct episodes {
    const struct ams_world *world;
    struct place *places; // (n_items,)
    struct ams_item item;
    struct few__episode_model models[AMS_MODELS];
};

static enum few_status get(void *self, size_t i, const struct few__episode_model **models,
                           struct few_error *err)
{
    struct episodes *e = self;
    (void)err;
    ams_world_item(e->world, e->places[i].dataset, e->places[i].number, &e->item);
    for (size_t m = 0; m < AMS_MODELS; m++)
        e->models[m] = (struct few__episode_model){.valuable = e->item.truth[m].valuable,
                                                   .n_valuable = e->item.truth[m].n_valuable,
                                                   .found = e->item.truth[m].n_valuable > 0};
    *models = e->models;
    return FEW_OK;
}

static struct episodes *make_episodes(const struct ams_world *world, const struct ams_source *source,
                                      size_t *n)
{
    struct episodes *e = FEW__NEW(NULL, struct episodes);
    struct ams_walk walk = {.source = *source, .train = true, .n = AMS_AGENT_ITEMS};
    uint64_t id;
    if (e) e->places = FEW__NEW_N(NULL, struct place, AMS_AGENT_ITEMS);
    if (!e || !e->places) {
        few__free(NULL, e);
        return NULL;
    }
    e->world = world;
    for (*n = 0; ams_walk_next(&walk, &e->places[*n].dataset, &e->places[*n].number, &id);)
        if (++*n == AMS_AGENT_ITEMS) break;
    return e;
}

/* ---- agents ---- */

static struct few__dqn_opts options(enum few__dqn_kind kind, uint64_t seed, const double *theta)
{
    struct few__dqn_opts opts = few__dqn_defaults(kind);
    opts.seed = seed;
    opts.rules.theta = theta;
    return opts;
}

enum few_status ams_agent_train(const struct ams_world *world, const struct ams_source *source,
                                enum few__dqn_kind kind, uint64_t seed, const double *theta,
                                struct ams_agent *agent, struct few_error *err)
{
    size_t n = 0;
    *agent = (struct ams_agent){.net = NULL};
    struct episodes *e = make_episodes(world, source, &n);
    if (!e) return few__no_memory(err, "train items");
    const struct few__dqn_opts opts = options(kind, seed, theta);
    const struct few__episodes episodes = {
        .self = e, .n_items = n, .n_models = AMS_MODELS, .n_labels = AMS_LABELS, .get = get};
    enum few_status status = few__dqn_train(&episodes, &opts, NULL, &agent->net, err);
    agent->meaning = (struct few__dqn_net){.net = agent->net,
                                           .n_labels = AMS_LABELS,
                                           .n_models = AMS_MODELS,
                                           .executed_bits = opts.rules.executed_bits};
    few__free(NULL, e->places);
    few__free(NULL, e);
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
