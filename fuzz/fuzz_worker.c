// SPDX-License-Identifier: Apache-2.0
/* The first byte says what a worker answers with the others: v to hello, else to request 7, a batch of as many items as
 * that byte minus '0' (1 to 9), for a model with one output without a name, or with two named a and b (capital letters:
 * A = 1 item, B = 2 ...). */
#include <string.h>

#include "backend/worker_protocol.h"
#include "fuzz.h"

enum { ID = 7, ITEMS_MAX = 9 };

static void look(const struct few__answer *answer, const struct few__recipe *recipe, int64_t items)
{
    float sum = 0;
    fuzz_must(answer->n == (recipe->decode.n_outputs ? recipe->decode.n_outputs : 1));
    for (size_t i = 0; i < answer->n; i++) {
        const struct few__tensor *tensor = &answer->tensors[i];
        size_t n = 1;
        fuzz_must(tensor->n_dims >= 1 && tensor->n_dims <= FEW__DIMS_MAX);
        fuzz_must(items == 1 || tensor->dims[0] == items);
        for (size_t k = 0; k < tensor->n_dims; k++) n *= (size_t)tensor->dims[k];
        fuzz_must(n == tensor->n && (n == 0 || tensor->data));
        for (size_t k = 0; k < n; k++) sum += tensor->data[k];
    }
    static volatile float sink; // every number is read, for the sanitizers
    sink = sum;
    (void)sink;
}

static void answer_to_hello(const char *line, size_t n)
{
    char version[FEW__WORKER_VERSION_MAX];
    struct few_error err = {.message = ""};
    enum few_status status = few__worker_read_ready(line, n, version, &err);
    fuzz_must(strlen(version) < sizeof version);
    fuzz_must(status == FEW_OK || (err.message[0] && err.code == status));
}

static void answer_to_request(const struct few__recipe *recipe, int64_t items, const char *line, size_t n)
{
    static struct few__answer answer; // kept from line to line, as a worker's is
    struct few_error err = {.message = ""};
    int64_t id = 0;
    answer.mem = fuzz_env()->mem;
    enum few_status with_id = few__worker_read_id(line, n, &id, &err);
    enum few_status status = few__worker_read_answer(line, n, ID, recipe, items, &answer, &err);
    if (status == FEW_OK) {
        fuzz_must(with_id == FEW_OK && id == ID);
        look(&answer, recipe, items);
    } else {
        fuzz_must(err.message[0] && err.code == status);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct few__recipe one = {.backend = "worker"};
    static const struct few__recipe two = {.backend = "worker",
                                           .decode = {.n_outputs = 2, .outputs = {"a", "b"}}};
    if (size == 0) return 0;
    const char *line = (const char *)data + 1;
    int c = data[0], small = c - '0', named = c - 'A' + 1;
    if (c == 'v') answer_to_hello(line, size - 1);
    if (small >= 1 && small <= ITEMS_MAX) answer_to_request(&one, small, line, size - 1);
    if (named >= 1 && named <= ITEMS_MAX) answer_to_request(&two, named, line, size - 1);
    return 0;
}
