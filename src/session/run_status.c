// SPDX-License-Identifier: Apache-2.0
/* How far a run is: what the file keeps of itself, so that the answer takes as long for ten items as for a million. */
#include <fewer/trace.h>

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "store/store.h"

static enum few_status fill(const struct few__store *store, struct few_run_status *status,
                            struct few_error *err)
{
    struct few__totals totals;
    few__store_totals(store, &totals);
    snprintf(status->purpose, sizeof status->purpose, "%s", few__store_purpose(store));
    const struct few_catalog *catalog = few__store_catalog(store);
    status->models = catalog->n_models;
    for (size_t i = 0; i < catalog->n_models; i++)
        status->models_bytes += catalog->models[i].cost.memory_bytes;
    status->items = totals.items;
    status->items_failed = totals.items_failed;
    status->items_planned = few__store_planned(store);
    _Static_assert(sizeof status->counts == sizeof totals.counts, "an outcome each");
    memcpy(status->counts, totals.counts, sizeof totals.counts);
    status->deadline_missed = totals.deadline_missed;
    status->spent_us = totals.spent_us;
    status->run_all_us = totals.run_all_us;
    status->bytes = few__store_bytes(store);
    status->config = few__strdup(NULL, few__store_config(store));
    status->notes = few__strdup(NULL, few__store_notes(store));
    return status->config && status->notes ? FEW_OK : few__no_memory(err, "status");
}

enum few_status few_run_status(const char *path, struct few_run_status *status, struct few_error *err)
{
    if (status->size != sizeof *status)
        return few__fail(err, FEW_EINVAL, "run status: expected size %zu, found %zu", sizeof *status,
                         status->size);
    *status = (struct few_run_status){.size = sizeof *status, .busy = few__store_is_busy(path)};
    struct few__store *store;
    enum few_status code = few__store_open(path, NULL, &store, err);
    if (code == FEW_OK) code = fill(store, status, err);
    (void)few__store_close(store, NULL); // nothing was written
    if (code == FEW_OK) return FEW_OK;
    few_text_free(status->config);
    few_text_free(status->notes);
    *status = (struct few_run_status){.size = sizeof *status};
    return code;
}
