// SPDX-License-Identifier: Apache-2.0
// What is said to a worker and what its answers mean: docs/worker.md. Only texts; who sends them is not known here.
#ifndef FEW_BACKEND_WORKER_PROTOCOL_H
#define FEW_BACKEND_WORKER_PROTOCOL_H

#include "backend/backend.h"
#include "core/text.h"

enum { FEW__WORKER_PROTOCOL = 1, FEW__WORKER_VERSION_MAX = 100 };

/* What one answer says. Its memory is kept for the next one, so that it grows to the largest. */
struct few__answer {
    const struct few_mem *mem;
    float *numbers; // (room,) of all tensors, one after the other
    size_t n_numbers, room;
    struct few__tensor tensors[FEW__OUTPUTS_MAX]; // (n,) in the order of recipe->decode.outputs
    size_t n;
};

/* Lines to the worker, with their newline. A failure sticks to the text. */
void few__worker_hello(struct few__text *text, const struct few__recipe *recipe,
                       const struct few_model *model);

/* runner: its number, so that a worker can keep what it remembers of sound apart. */
void few__worker_request(struct few__text *text, int64_t id, const struct few__recipe *recipe,
                         uint64_t runner, const struct few__run_input *input);

/* The answer to hello. version: out, what the worker calls itself, "" if nothing.
 * Errors: FEW_EBACKEND the worker says that it cannot; FEW_EVERSION another protocol; FEW_EPARSE. */
enum few_status few__worker_read_ready(const char *line, size_t n, char version[FEW__WORKER_VERSION_MAX],
                                       struct few_error *err);

/* The id of an answer. Errors: FEW_EPARSE. */
enum few_status few__worker_read_id(const char *line, size_t n, int64_t *id, struct few_error *err);

/* The answer to request `id`, a batch of `items`.
 * answer  its mem is set; the rest is out, and valid until the next answer
 * Errors: FEW_EBACKEND the worker says that this request failed; FEW_EPARSE no answer to it; FEW_ESHAPE;
 * FEW_ENOMEM. */
enum few_status few__worker_read_answer(const char *line, size_t n, int64_t id,
                                        const struct few__recipe *recipe, int64_t items,
                                        struct few__answer *answer, struct few_error *err);

#endif
