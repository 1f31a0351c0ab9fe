// SPDX-License-Identifier: Apache-2.0
#include "policy/learned_made.h"

#include <math.h>
#include <stdio.h>

#include "model/catalog.h"

const double made_rate[M_MODELS] = {5e-4, 4e-4, 3e-4, 2e-4, 1e-4};
const double made_gain[M_MODELS] = {0.9, 0.1, 0.5, 0.3, 0.2};
const double made_found[M_MODELS] = {1, 0.25, 1, 0.5, 0};
const struct few__learned_stop made_stops[3] = {
    {0.5, 3.5e-4, 0.55, 0.5, 0.6, 0.2}, {0.8, 1.5e-4, 0.81, 0.78, 0.84, 0.5}, {1, -INFINITY, 1, 1, 1, 1}};

// Adds model m; its need is `needs`, -1 = none.
static void add(struct few__catalog_builder *builder, const struct made_odds *odds, int m, int needs)
{
    static const char *const names[] = {"tags", "face", "mood", "words", "depth"};
    static const enum few_kind kinds[] = {FEW_LABELS, FEW_DETECTIONS, FEW_CLASSES, FEW_SEQUENCE, FEW_SCALAR};
    const char *scene[] = {"sky", odds->label ? odds->label : "sea", "none"};
    const char *const mood[] = {"calm", "calm", "glad"}, *const letters[] = {"a", "b"};
    const char *const nulls[] = {"none", "sky"};
    const struct few__label_list lists[] = {{odds->space ? odds->space : "scene", odds->fewer_labels ? 2 : 3,
                                             scene,
                                             odds->fewer_labels  ? 0
                                             : odds->sky_is_null ? 2
                                                                 : 1,
                                             nulls},
                                            {"mood", 3, mood, 0, NULL},
                                            {"letters", 2, letters, 0, NULL}};
    static const int list_of[] = {0, -1, 1, 2, -1};
    struct few_error err;
    struct few_model model = {.name = names[m],
                              .task = "",
                              .kind = kinds[m],
                              .modality = odds->sound && m == M_TAGS ? FEW_SOUND : FEW_IMAGE,
                              .threshold = odds->threshold > 0 ? odds->threshold : 0.5F,
                              .empty = odds->empty,
                              .tolerance = odds->tolerance,
                              .priority = m == M_MOOD && odds->priority > 0 ? odds->priority : 1,
                              .needs = needs,
                              .variant_of = -1,
                              .cost = {.time_us = 1000 * (m + 1), .memory_bytes = 7, .load_us = 3}};
    if (m == M_FACE && odds->face_kind) model.kind = odds->face_kind;
    if (m == M_FACE) snprintf(model.digest, sizeof model.digest, "%s", odds->digest ? odds->digest : "feed");
    const struct few__label_list *list = list_of[m] >= 0 ? &lists[list_of[m]] : NULL;
    assert_status(few__catalog_add(builder, &model, list, &err), FEW_OK, &err);
}

void made_zoo(struct made_zoo *zoo, const struct made_odds *given)
{
    static const struct made_odds none;
    const struct made_odds *odds = given ? given : &none;
    struct few_error err;
    size_t n = 0;
    int face = odds->turned ? 3 - odds->without_words : 1;
    few__arena_init(&zoo->arena, NULL, 1 << 20);
    struct few__catalog_builder *builder = few__catalog_begin(&zoo->arena, M_MODELS + 1);
    assert_non_null(builder);
    for (int i = 0; i < M_MODELS; i++) {
        int m = odds->turned ? M_MODELS - 1 - i : i;
        if (m == M_WORDS && odds->without_words) continue;
        add(builder, odds, m, m == M_MOOD && !odds->no_need ? face : -1);
        zoo->costs[n++] = (struct few_cost){.time_us = 1000 * (m + 1)};
    }
    const struct few_model extra = {.name = odds->extra,
                                    .kind = FEW_SCALAR,
                                    .threshold = 0.5F,
                                    .priority = 1,
                                    .needs = -1,
                                    .variant_of = -1};
    if (odds->extra) assert_int_equal(few__catalog_add(builder, &extra, NULL, NULL), FEW_OK);
    assert_status(few__catalog_end(builder, &zoo->catalog, &err), FEW_OK, &err);
}

void made_zoo_finish(struct made_zoo *zoo)
{
    few__arena_finish(&zoo->arena);
}

enum few_status made_policy(const struct made_zoo *zoo, const struct few_env *env, const char *path,
                            struct few_error *err)
{
    const size_t n = M_MODELS;
    struct few_cost costs[M_MODELS];
    struct few__tensors *tensors;
    const struct few__learned_method method = {
        .name = "static", .blind = true, .n_stops = 3, .stops = made_stops, .folds = 5};
    const struct few__learned_about about = {.seed = UINT64_MAX,
                                             .split = 20,
                                             .n_items = 12,
                                             .n_methods = 1,
                                             .methods = &method,
                                             .n_models = n,
                                             .costs = costs,
                                             .source = "a\"b",
                                             .trace = "1234",
                                             .catalog = &zoo->catalog};
    for (size_t m = 0; m < n; m++) costs[m] = zoo->catalog.models[m].cost;
    enum few_status status = few__tensors_create(env, &tensors, err);
    if (status != FEW_OK) return status;
    status = few__tensors_add(tensors, "static.rate", FEW__F64, &n, 1, made_rate, NULL, err);
    if (status == FEW_OK)
        status = few__tensors_add(tensors, "static.gain", FEW__F64, &n, 1, made_gain, NULL, err);
    if (status == FEW_OK)
        status = few__tensors_add(tensors, "static.found", FEW__F64, &n, 1, made_found, NULL, err);
    if (status == FEW_OK) status = few__learned_write(&about, tensors, path, err);
    few__tensors_free(tensors);
    return status;
}
