// SPDX-License-Identifier: Apache-2.0
/* The bytes are JSON lines (or gzip) for a zoo with a model of every kind. What is taken can be read again whole. */
#include <fewer/trace.h>

#include "fuzz.h"
#include "fuzz_zoo.h"
#include "store/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_path("in.jsonl"), *out = fuzz_path("out.db");
    fuzz_write(path, data, size);
    struct few_import_stats stats;
    struct few_error err;
    enum few_status status = few_import(path, fuzz_zoo(), out, true, &stats, &err);
    if (status != FEW_OK) {
        fuzz_must(err.message[0] && err.code == status);
        return 0;
    }
    struct few__trace *trace;
    status = few__trace_load(out, true, fuzz_env(), &trace, &err);
    fuzz_must_say(status == FEW_OK, err.message);
    fuzz_must(trace->n_items + trace->n_failed == stats.items && trace->n_failed == stats.items_failed);
    few__trace_free(trace);
    fuzz_use_store(out);
    return 0;
}
