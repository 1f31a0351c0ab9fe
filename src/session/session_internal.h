// SPDX-License-Identifier: Apache-2.0
/* A session from inside. Its files, from the ground up; each calls only those before it:
 *     session_result.c  a result is filled: from the executor, from an earlier item, or with a failure
 *     session_read.c    an item is read on a lane
 *     session_resume.c  what the store has of an item already, and how one is kept
 *     rehearsal.c       the policy and the executor with a virtual clock (rehearsal.h)
 *     session_models.c  models measured, loaded, on their lanes: once, when the first item needs them
 *     session_item.c    admitted -> read on a lane -> finished by the executor -> a result
 *     forecast.c        what some paths would take
 *     session.c         create, submit, receive, close
 * Beside them recall.c: answers of a trace. */
#ifndef FEW_SESSION_SESSION_INTERNAL_H
#define FEW_SESSION_SESSION_INTERNAL_H

#include <fewer/items.h>
#include <fewer/session.h>

#include <stdatomic.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "exec/exec_live.h"
#include "media/image.h"
#include "model/manifest.h"
#include "session/policy.h"
#include "session/recall.h"
#include "store/store.h"

enum { FEW__ITEM_ARENA_MAX = 1 << 30, FEW__REASON_MAX = 256 };

/* An item on its way through the session, from admission until the receive after the one that gave it out. */
struct few__passage {
    char path[FEW_PATH_MAX];
    char digest[FEW__SHA256_HEX];
    uint64_t size; // of its file, and when that was changed last; 0 = not known
    int64_t mtime_us;
    uint64_t id;     // its row in the store, or its number in a session without one
    bool replaces;   // the store has that row already
    bool from_store; // of opts.retry
    int64_t arrival_us, read_us;
    bool done;   // result is complete
    bool stored; // and nothing has to wait for it any more
    struct few_result result;
    const struct few__cell *cells; // (n_models,) with packed outputs; only with a store
    const uint8_t *thumbnail;      // or NULL
    int64_t runtime_us, run_all_us;
    struct few__arena arena; // rows, reasons, outputs, cells, thumbnail, message
};

/* A place of the executor's. What its lanes look at lies here, since a cancelled run may look longer than the item is
 * waited for. */
struct few__place {
    struct few__passage *passage;
    char path[FEW_PATH_MAX];
    char digest[FEW__SHA256_HEX];
    struct few__file_reader reader;
    const void *bytes; // in reader
    size_t n_bytes;
    int64_t deadline_us;
    struct few__image_decoder *decoder;
    struct few__image image;

    // Made by the lane that reads; for others once is_read.
    atomic_bool is_read;
    int64_t decode_us, read_at_us; // time it took, instant at which it ended
    struct few_error error;
    bool has_thumbnail;
    uint8_t thumbnail[FEW__THUMBNAIL_BYTES];
};

struct few_session {
    struct few_env env;
    const struct few_zoo *zoo;
    size_t n_models;
    struct few_policy *own_policy; // made here because the caller gave none
    const struct few_policy *policy;
    struct few_session_opts opts; // its texts are the caller's and looked at in create only
    char *runtime;                // of opts, or NULL
    size_t n_lanes, n_places;
    enum few__variant_rule variants;

    // Models: session_models.c.
    bool measured, settled, awake; // spent is known; so are costs, base and budget; lanes run
    struct few_cost *costs;        // (n_models,) expected by the scheduler
    struct few_cost *spent;        // (n_models,) as measured; while recording, the mean time so far
    uint64_t *n_spent;             // (n_models,) runs that the mean is over
    bool *in_base;                 // (n_models,) whether it counts as a part of running everything
    uint64_t memory_bytes;         // budget of the models; FEW__NO_BUDGET = none
    uint64_t given_bytes; // what was given for it, before what the program holds was taken off; 0 = nothing
    size_t *rank;         // (n_models,) by falling worth
    struct few__recall *recall;
    struct few__workspace *workspace;
    struct few__sched *scheds; // (n_places,)
    struct few__live *live;
    struct few__place *places; // (n_places,)

    // Items: a ring in the order of submission.
    struct few__passage *passages; // (n_passages,)
    size_t n_passages, first, n_inside, n_running;
    const struct few__passage *blocker; // what the next item has to wait for
    size_t finished;                    // place whose result is still to be taken; SIZE_MAX = none
    int64_t finished_us;
    bool given_out; // the first one is the caller's until the next receive
    uint64_t next_id;
    struct few__file_reader reader;

    char (*queue)[FEW_PATH_MAX]; // (FEW_QUEUE_MAX,) ring
    size_t queue_first, queue_n;
    bool retrying; // failed items of the store come before the queue
    int64_t retried;

    struct few__store *store; // NULL = results are not kept
    bool store_is_new;
    struct few__cell *cells;   // (n_models,) room for what the store gives
    struct few__totals totals; // without a store
    uint64_t n_kept;

    bool *forecast_runs; // (n_models,) of the last forecast
};

/* ---- session_result.c; each leaves the item done ---- */

/* Of the executor's slot, whose item was read or came too late for that. Errors: FEW_ENOMEM. */
enum few_status few__session_collect(struct few_session *s, size_t slot, struct few_error *err);

/* The answers of the store's item `id`, whose bytes are the same. Errors: those of few__store_get; FEW_ENOMEM. */
enum few_status few__session_reuse(struct few_session *s, struct few__passage *item, int64_t id,
                                   struct few_error *err);

/* The item as a whole failed: every model failed, for the same reason. Errors: FEW_ENOMEM. */
enum few_status few__session_fail(struct few_session *s, struct few__passage *item, enum few_status status,
                                  const char *message, struct few_error *err);

/* ---- session_read.c ---- */

/* Read the item of a place, on the thread of a lane. */
enum few_status few__session_read(void *session, size_t index, unsigned *parts, struct few_error *err);

/* ---- session_resume.c ---- */

enum few__verdict {
    FEW__VERDICT_RUN,     // models have to look at it: its file is in session->reader
    FEW__VERDICT_DONE,    // kept, reused or unreadable: its result is complete
    FEW__VERDICT_BLOCKED, // something in flight decides it: session->blocker
};

/* What is to be done with an item; reads its file unless the store knows it to be unchanged. bytes: out, RUN. */
enum few_status few__session_look_up(struct few_session *s, struct few__passage *item, const void **bytes,
                                     size_t *n_bytes, enum few__verdict *verdict, struct few_error *err);

/* Whether the store has the item of this path, unchanged. bytes: of the file, 0 = not known. */
enum few_status few__session_has(struct few_session *s, const char *path, bool *has, uint64_t *bytes,
                                 struct few_error *err);

/* What decides results, as the store keeps and compares it; owned (few__free). NULL: no memory. */
char *few__session_config(const struct few_session *s);

/* Into the store, or in the place of what was there. Done once: again only after a failure. */
enum few_status few__session_keep(struct few_session *s, struct few__passage *item, struct few_error *err);

/* ---- session_models.c ---- */

/* Know what every model costs. The first call may load them all, one after the other. Errors: those of create. */
enum few_status few__session_measure(struct few_session *s, struct few_error *err);

/* Everything that an item needs to run: loaded models, lanes, decoders. */
enum few_status few__session_wake(struct few_session *s, struct few_error *err);
void few__session_sleep(struct few_session *s); // items in flight are given up

/* The costs of a store to go on with, if it has them. */
void few__session_recall_costs(struct few_session *s, const struct few_catalog *stored);

/* ---- session_item.c ---- */

/* Let queued items in while there is room, one after the other. */
enum few_status few__session_admit(struct few_session *s, struct few_error *err);

/* Take the result of s->finished out of the executor; the place is free then. */
enum few_status few__session_take(struct few_session *s, struct few_error *err);

#endif
