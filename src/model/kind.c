// SPDX-License-Identifier: Apache-2.0
// The names of output kinds, modalities and outcomes (DESIGN section 2), as they stand in manifests, traces and exports.
#include "model/kind.h"

#include <string.h>

const char *const few__kind_names[FEW_KIND_COUNT] = {
    [FEW_CLASSES] = "classes", [FEW_LABELS] = "labels", [FEW_DETECTIONS] = "detections",
    [FEW_BOX] = "box",         [FEW_SCALAR] = "scalar", [FEW_SEQUENCE] = "sequence",
    [FEW_VECTOR] = "vector",
};

const char *const few__modality_names[FEW_MODALITY_COUNT] = {
    [FEW_IMAGE] = "image", [FEW_SOUND] = "sound", [FEW_TEXT] = "text"};

static const char *const outcome_names[FEW_OUTCOME_COUNT] = {
    [FEW_EXECUTED] = "executed", [FEW_PREDICTED] = "predicted", [FEW_REUSED] = "reused",
    [FEW_SKIPPED] = "skipped",   [FEW_LATE] = "late",           [FEW_FAILED] = "failed",
};

const char *few_kind_name(enum few_kind kind)
{
    return (unsigned)kind < FEW_KIND_COUNT ? few__kind_names[kind] : "unknown";
}

enum few_kind few_kind_parse(const char *name)
{
    for (int kind = 0; name && kind < FEW_KIND_COUNT; kind++)
        if (strcmp(name, few__kind_names[kind]) == 0) return (enum few_kind)kind;
    return FEW_KIND_COUNT;
}

const char *few_modality_name(enum few_modality modality)
{
    return (unsigned)modality < FEW_MODALITY_COUNT ? few__modality_names[modality] : "unknown";
}

enum few_modality few_modality_parse(const char *name)
{
    for (int modality = 0; name && modality < FEW_MODALITY_COUNT; modality++)
        if (strcmp(name, few__modality_names[modality]) == 0) return (enum few_modality)modality;
    return FEW_MODALITY_COUNT;
}

const char *few_outcome_name(enum few_outcome outcome)
{
    return (unsigned)outcome < FEW_OUTCOME_COUNT ? outcome_names[outcome] : "unknown";
}
