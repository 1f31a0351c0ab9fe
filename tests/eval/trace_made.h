// SPDX-License-Identifier: Apache-2.0
/* Traces made by hand, through the store: a few models with small label lists, and what each says of an item. */
#ifndef FEW_TESTS_SESSION_TRACE_MADE_H
#define FEW_TESTS_SESSION_TRACE_MADE_H

#include "store/store.h"

enum { MADE_MODELS_MAX = 12, MADE_LABELS_MAX = 4 };

/* A model of kind labels (or detections, where another needs it) with labels a, b, c ... of one space. */
struct made_model {
    const char *name;
    enum few_kind kind; // FEW_LABELS or FEW_DETECTIONS
    const char *labels; // "ab": labels a and b of the space "letters"
    int needs;          // index, or -1
};

struct made_cell {
    enum few_outcome outcome;
    int64_t time_us;
    float confidences[MADE_LABELS_MAX]; // by the model's own labels; detections: those above 0 exist
    bool no_output;
};

struct made_why { // a model was started, or not
    const char *reason;
    int64_t start_us; // since arrival; -1 = it was not
};

struct made_trace {
    struct few__arena arena;
    struct few_catalog catalog;
    struct few__store *store;
    int64_t run_all_us; // of each item that follows: what running everything would have cost
    const struct made_why
        *whys; // (n_models,) of each item that follows; NULL = the outcome's name, when it was read
};

/* Opens a new trace at path; the test fails if it cannot. */
void made_open(struct made_trace *trace, const char *path, const char *purpose,
               const struct made_model *models, size_t n_models);
/* The same with the memory of each model: bytes (n_models,). */
void made_open_memory(struct made_trace *trace, const char *path, const struct made_model *models,
                      size_t n_models, const uint64_t *memory);
/* The same; bit m of `sounds`: model m looks at sound. */
void made_open_sounds(struct made_trace *trace, const char *path, const struct made_model *models,
                      size_t n_models, unsigned sounds);
void made_item(struct made_trace *trace, const char *path, int64_t decode_us, const struct made_cell *cells);
/* A stream, by its path; moments name it by its number, from 0. */
void made_stream(struct made_trace *trace, const char *path);
/* look: (FEW__STORE_LOOK,) or NULL */
void made_moment(struct made_trace *trace, int64_t stream, int64_t at_us, const uint8_t *look,
                 int64_t decode_us, const struct made_cell *cells);
void made_close(struct made_trace *trace);

#endif
