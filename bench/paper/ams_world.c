// SPDX-License-Identifier: Apache-2.0
/* The models and labels of the made-up world, and its data sets. What models say is in ams_scene.c. */
#include "paper/ams_world.h"

#include <stdio.h>

#include "core/env.h"
#include "core/error.h"
#include "core/rng.h"
#include "model/catalog.h"
#include "paper/ams_scene.h"

const char *const ams_dataset_names[AMS_DATASETS] = {"stanford40", "voc", "coco", "mirflickr", "places"};

/* ---- labels ---- */

static const char *const objects[] = {"person",        "bicycle",      "car",
                                      "motorcycle",    "airplane",     "bus",
                                      "train",         "truck",        "boat",
                                      "traffic light", "fire hydrant", "stop sign",
                                      "parking meter", "bench",        "bird",
                                      "cat",           "dog",          "horse",
                                      "sheep",         "cow",          "elephant",
                                      "bear",          "zebra",        "giraffe",
                                      "backpack",      "umbrella",     "handbag",
                                      "tie",           "suitcase",     "frisbee",
                                      "skis",          "snowboard",    "sports ball",
                                      "kite",          "baseball bat", "baseball glove",
                                      "skateboard",    "surfboard",    "tennis racket",
                                      "bottle",        "wine glass",   "cup",
                                      "fork",          "knife",        "spoon",
                                      "bowl",          "banana",       "apple",
                                      "sandwich",      "orange",       "broccoli",
                                      "carrot",        "hot dog",      "pizza",
                                      "donut",         "cake",         "chair",
                                      "couch",         "potted plant", "bed",
                                      "dining table",  "toilet",       "tv",
                                      "laptop",        "mouse",        "remote",
                                      "keyboard",      "cell phone",   "microwave",
                                      "oven",          "toaster",      "sink",
                                      "refrigerator",  "book",         "clock",
                                      "vase",          "scissors",     "teddy bear",
                                      "hair drier",    "toothbrush"};
static const char *const faces[] = {"face"};
static const char *const keypoints[] = {
    "nose",           "left_eye",   "right_eye",   "left_ear",   "right_ear",   "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip",      "left_knee",  "right_knee",  "left_ankle", "right_ankle"};
static const char *const emotions[] = {"anger",   "disgust", "fear",    "happiness",
                                       "neutral", "sadness", "surprise"};
static const char *const genders[] = {"female", "male"};

struct space { // label space of a task
    const char *name;
    size_t n;
    const char *const *names; // (n,) or NULL: numbered
};

static const struct space spaces[AMS_TASKS] = {
    [AMS_OBJECT] = {"object", 80, objects}, [AMS_PLACE] = {"place", 365, NULL},
    [AMS_FACE] = {"face", 1, faces},        [AMS_LANDMARK] = {"landmark", 70, NULL},
    [AMS_POSE] = {"pose", 17, keypoints},   [AMS_EMOTION] = {"emotion", 7, emotions},
    [AMS_GENDER] = {"gender", 2, genders},  [AMS_ACTION] = {"action", 400, NULL},
    [AMS_HAND] = {"hand", 42, NULL},        [AMS_DOG] = {"dog", 120, NULL},
};

static const char *const *label_names(struct few__arena *arena, const struct space *space)
{
    if (space->names) return space->names;
    const char **names = FEW__ARENA_NEW(arena, const char *, space->n);
    for (size_t i = 0; names && i < space->n; i++) {
        names[i] = few__arena_printf(arena, "%s_%03zu", space->name, i);
        if (!names[i]) return NULL;
    }
    return names;
}

/* ---- models ---- */

static enum few_status add_model(struct few__catalog_builder *builder, const struct ams_model *m,
                                 const char *const *names, struct few_error *err)
{
    const struct few__label_list list = {.space = spaces[m->task].name, .n = m->n, .names = names + m->from};
    const struct few_model model = {
        .name = m->name,
        .task = m->says,
        .kind = FEW_LABELS,
        .threshold = 0.5F,
        .priority = 1,
        .needs = -1,
        .variant_of = -1,
        .cost = {.time_us = (int64_t)m->time_ms * 1000, .memory_bytes = (uint64_t)m->memory_mb * 1000000}};
    return few__catalog_add(builder, &model, &list, err);
}

static enum few_status make_catalog(struct ams_world *world, struct few_error *err)
{
    const char *const *names[AMS_TASKS];
    struct few__catalog_builder *builder = few__catalog_begin(&world->arena, AMS_MODELS);
    for (size_t t = 0; t < AMS_TASKS; t++) names[t] = label_names(&world->arena, &spaces[t]);
    for (size_t t = 0; t < AMS_TASKS; t++)
        if (!builder || !names[t]) return few__no_memory(err, "AMS world");
    for (size_t m = 0; m < AMS_MODELS; m++)
        FEW__TRY(add_model(builder, &ams_models[m], names[ams_models[m].task], err));
    FEW__TRY(few__catalog_end(builder, &world->catalog, err));
    // Models come task by task, so each space is one run of numbers.
    for (size_t m = AMS_MODELS; m-- > 0;)
        world->first[ams_models[m].task] = world->catalog.models[m].label_ids[0];
    return FEW_OK;
}

enum few_status ams_world_init(struct ams_world *world, uint64_t seed, const struct few_env *env,
                               struct few_error *err)
{
    *world = (struct ams_world){.seed = seed};
    few__arena_init(&world->arena, few__env(env).mem, (size_t)16 << 20);
    enum few_status status = make_catalog(world, err);
    if (status != FEW_OK) ams_world_finish(world);
    return status;
}

void ams_world_finish(struct ams_world *world)
{
    few__arena_finish(&world->arena);
}

/* ---- data sets ---- */

enum ams_dataset ams_corpus_at(uint64_t i, uint64_t *number)
{
    // Images of COCO 2017 and MirFlickr25k; the rest, up to the paper's number, are of Places.
    static const uint64_t n_coco = 163957, n_mirflickr = 25000;
    *number = i;
    if (i < n_coco) return AMS_COCO;
    *number -= n_coco;
    if (*number < n_mirflickr) return AMS_MIRFLICKR;
    *number -= n_mirflickr;
    return AMS_PLACES;
}

bool ams_is_train(enum ams_dataset dataset, uint64_t number)
{
    struct few__rng rng;
    few__rng_init(&rng, UINT64_C(5), (uint64_t)dataset << 40 | number);
    return few__rng_below(&rng, 5) == 0;
}
