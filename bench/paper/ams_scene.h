// SPDX-License-Identifier: Apache-2.0
// What ams_world.c (labels, models' costs, data sets) and ams_scene.c (what models say) share.
#ifndef FEW_BENCH_AMS_SCENE_H
#define FEW_BENCH_AMS_SCENE_H

#include <stddef.h>

enum ams_task {
    AMS_OBJECT,
    AMS_PLACE,
    AMS_FACE,
    AMS_LANDMARK,
    AMS_POSE,
    AMS_EMOTION,
    AMS_GENDER,
    AMS_ACTION,
    AMS_HAND,
    AMS_DOG,
    AMS_TASKS
};

enum { AMS_INDOORS = 160 };                 // the first so many places are indoors
enum { AMS_ANIMAL = 14, AMS_ANIMALS = 10 }; // objects that are animals
enum { AMS_DOG_OBJECT = 16 };               // one of them
enum { AMS_HOUSEHOLD = 39 };                // from here on objects of a household
enum { AMS_SPORT = 260, AMS_SPORTS = 140 }; // actions that are sports

enum ams_view { AMS_ANY, AMS_FRONT, AMS_SIDE }; // of faces

struct ams_model {
    const char *name, *says; // says: its task in words
    enum ams_task task;
    int time_ms, memory_mb;
    size_t from, n; // labels of its task's space that it has
    /* How well it sees what is large, in the middle, small (places: indoors, in town, in the open; actions: at home, with the
     * hands, in sports); 1 = as well as can be. */
    double ability[3];
    int renames; // percent of the categories that it calls by another name
    enum ams_view view;
};

extern const struct ams_model ams_models[]; // (AMS_MODELS,) task by task, the one with all labels first

#endif
