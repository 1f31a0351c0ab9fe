// SPDX-License-Identifier: Apache-2.0
/* A model is a black box with a declared kind of output and a measured cost; an output is what it
 * said about one item. A label is a pair (label space, name): models that share a space share
 * labels. A catalog is a set of models with their labels; zoos and traces both have one. */
#ifndef FEWER_MODEL_H
#define FEWER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_MODELS_MAX     4096      // models of one catalog
#define FEW_LABELS_MAX     1000000   // labels of one catalog
#define FEW_DETECTIONS_MAX 300       // detections of one output
#define FEW_TOKENS_MAX     4096      // tokens of one output
#define FEW_VALUES_MAX     (1 << 20) // numbers of one output

enum few_kind {
    FEW_CLASSES,    // softmax over labels
    FEW_LABELS,     // a confidence in [0, 1] for each label
    FEW_DETECTIONS, // label, confidence and box each
    FEW_BOX,        // one box x, y, w, h in [0, 1]
    FEW_SCALAR,     // one number
    FEW_SEQUENCE,   // token ids
    FEW_VECTOR,     // numbers
    FEW_KIND_COUNT
};

enum few_modality { // what a model looks at
    FEW_IMAGE,      // a picture: a photograph, or a frame
    FEW_SOUND,      // a span of sound
    FEW_TEXT,       // words
    FEW_MODALITY_COUNT
};

struct few_detection {
    int32_t label;    // index into the model's own label list; 0 where it has none
    float confidence; // in [0, 1]
    float box[4];     // x, y, w, h; shares of the image, inside [0, 1]
    float area;       // share of the image that it covers: w * h, or less where the model gives a mask
};

/* What one model said about one item. Which members count depends on kind; the rest is zero. */
struct few_output {
    enum few_kind kind;
    bool empty; // nothing there: no detection, no box, no token, or not run because a need found nothing
    float confidence; // box: its score; sequence: mean of the kept steps; otherwise the best confidence
    size_t n;         // numbers, detections or tokens
    float *values;    // (n,): classes, labels, box (4), scalar (1), vector
    struct few_detection *detections; // (n,), by falling confidence
    int32_t *tokens;                  // (n,), indices into the model's label list (its alphabet)
};

/* One valuable label of an output: confidence above the model's threshold, not a null label. */
struct few_valuable {
    int32_t label; // label of the catalog
    float confidence;
};

/* What a model takes. Zero = not known. */
struct few_cost {
    int64_t time_us;       // mean time of one run on one item, preprocessing and decoding included
    uint64_t memory_bytes; // weights and the working memory of one run on one item
    uint64_t
        weights_bytes; // the part of it that is held as long as the model is loaded; the rest only while it runs
    int64_t load_us; // time to load it
    int64_t more_us; // time of each further item of a batch; 0 = as long as the first
};

/* What anybody may know of a model. Strings and arrays belong to the catalog. */
struct few_model {
    const char *name;
    const char *task; // a phrase, "" if none
    enum few_kind kind;
    enum few_modality modality;
    const char *space;         // label space; the model's own name if it has no label list
    size_t n_labels;           // entries of its label list, or alphabet; 0 = none
    const char *const *labels; // (n_labels,) names by output index
    const int32_t *label_ids; // (n_labels,) labels of the catalog; NULL for sequences and where n_labels is 0
    const bool *is_null;      // (n_labels,) true = never valuable; NULL where label_ids is
    int32_t own_label;        // label of the catalog named after the model; -1 where label_ids is set
    float threshold;          // a label above it is valuable (0.5)
    float empty;              // scalar: the value that means nothing
    float tolerance;          // scalar: how far from `empty` still means nothing
    float priority;           // user's weight of its labels (theta of AMS), > 0, default 1
    int needs;                // index of the model whose boxes it looks at, or -1
    int variant_of;           // index of the first model of its variant group (itself too), or -1
    struct few_cost cost;     // declared or measured; zero = not known
    char digest[65];          // SHA-256 of its file in hexadecimal, "" = none
};

/* A label of a catalog. */
struct few_label {
    const char *space;
    const char *name; // a name that comes again in one list becomes "name (2)"
};

struct few_catalog {
    size_t n_models;
    const struct few_model *models; // (n_models,), a need before its users is not guaranteed
    size_t n_labels;
    const struct few_label *labels; // (n_labels,)
};

/* "classes" ... "vector"; FEW_KIND_COUNT for an unknown name. */
FEW_API const char *few_kind_name(enum few_kind kind);
FEW_API enum few_kind few_kind_parse(const char *name);

/* "image", "sound", "text"; FEW_MODALITY_COUNT for an unknown name. */
FEW_API const char *few_modality_name(enum few_modality modality);
FEW_API enum few_modality few_modality_parse(const char *name);

/* What happened to a model on an item; the counts of the six add up to items x models. */
enum few_outcome {
    FEW_EXECUTED,
    FEW_PREDICTED, // by links, with a confidence
    FEW_REUSED,    // same item digest, or an unchanged frame
    FEW_SKIPPED,   // by decision, or because a need found nothing
    FEW_LATE,      // started, not finished by the deadline
    FEW_FAILED,
    FEW_OUTCOME_COUNT
};

FEW_API const char *few_outcome_name(enum few_outcome outcome);

#ifdef __cplusplus
}
#endif
#endif
