// SPDX-License-Identifier: Apache-2.0
/* A session labels items: submit paths or attach items, receive what every model said, or why it said nothing.
 *
 *     few_session_create(zoo, policy, &opts, &session, &err);
 *     few_session_submit(session, "photo.jpg", &err);
 *     while (few_session_receive(session, &result, &err) == FEW_OK)
 *         printf("%s: %zu models\n", result->path, result->n_models);
 *     few_session_close(session, &err); */
#ifndef FEWER_SESSION_H
#define FEWER_SESSION_H

#include <fewer/items.h>
#include <fewer/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_QUEUE_MAX     64 // items submitted and not yet received
#define FEW_LANES_MAX     64 // models that run at once
#define FEW_IN_FLIGHT_MAX 64 // items that are worked on at once

struct few_session;

enum few_purpose {
    FEW_LABEL,  // results go to a run file
    FEW_RECORD, // everything runs; results and thumbnails go to a trace file
};

/* Low-level features that tell whether a frame is like an earlier one (Reducto): the share of pixels that changed, the largest
 * region that changed, the share of edges or corners that did. */
enum few_feature { FEW_PIXEL, FEW_AREA, FEW_EDGE, FEW_CORNER, FEW_FEATURE_COUNT };

/* "pixel", "area", "edge", "corner"; FEW_FEATURE_COUNT for an unknown name. */
FEW_API const char *few_feature_name(enum few_feature feature);
FEW_API enum few_feature few_feature_parse(const char *name);

struct few_session_opts {
    size_t size; // sizeof(struct few_session_opts)
    enum few_purpose purpose;
    int64_t deadline_us; // per item, decoding included; 0 = none
    size_t lanes;        // models that run at once, one thread each; 0 = one for each core
    size_t in_flight; // items that are worked on at once; 0 = 1 with a deadline, else one more than lanes or
                      // the largest batch of the zoo
    uint64_t memory_bytes; // of all models together, loaded and running; 0 = no limit
    double memory_share;   // the same as a share of what all models take together, 0 .. 1; 0 = not given
    bool
        all_variants; // label: variants are models of their own, as for few_policy_all_variants. Otherwise run_all runs
    // the dearest of each group, other policies the cheapest first and a dearer one where that was unsure
    /* Frames: one that differs by less than reuse_below from the last one of its stream that was analysed gets the answers of
     * that one, at most until its segment ends. */
    enum few_feature reuse_feature;
    double reuse_below; // in (0, 1]; 0 = every frame is analysed
    int64_t
        segment_us; // of a stream: what is reused and explored (policy explore_exploit) ends with it; 0 = 10 s
    const char *store; // path of the run or trace file; NULL = results are not kept
    bool overwrite;    // replace an existing store
    bool resume;       // go on with the store if it exists: what it has of an unchanged item is kept
    bool retry;        // go on with it, and receive gives its failed items again, before what is submitted
    uint64_t items_planned; // that will be submitted, kept in the store for few_run_status; 0 = not known
    uint64_t store_bytes;   // the most bytes that the store may have; 0 = no limit
    bool no_pixels;         // leave out thumbnails and looks
    const char *runtime;    // path of the ONNX Runtime library; NULL = where it is looked for
    const char *notes_json; // kept in the store for people and retry; NULL = "{}"
};

struct few_result_row {
    enum few_outcome outcome;
    const char *reason;              // one phrase, never NULL
    int64_t start_us;                // since the item's arrival; -1 if not started
    int64_t time_us;                 // 0 if not started
    int lane;                        // that it ran on; -1 if not started
    const struct few_output *output; // NULL unless there is one; an empty one where a need found nothing
};

/* One item. Everything in it is borrowed until the next receive or close. */
struct few_result {
    const char *path;
    bool kept;               // done by an earlier run and unchanged: only n_kept is filled in, n_models is 0
    uint64_t n_kept;         // items that this stands for: 1, or those of a whole recording
    size_t stream;           // entry of the attached items that it is a moment of; SIZE_MAX = none
    int64_t at_us, until_us; // of the stream's time that it covers
    int64_t age_us;          // live: from its arrival to its last answer; -1 = none
    enum few_status status;  // FEW_OK, or why the item as a whole failed
    const char *message;     // "" or what failed
    int width, height;       // pixels, after EXIF rotation
    int64_t decode_us;       // reading and decoding
    int64_t elapsed_us;      // from arrival to the last answer
    bool deadline_missed;    // something was late, or decoding alone took the time
    size_t n_models;
    const struct few_result_row *rows; // (n_models,) in the order of the catalog
};

/* A stream of the attached items. n_in = n_analysed + n_reused + n_dropped + n_failed, what is in flight left out. */
struct few_stream_stats {
    size_t size;      // sizeof(struct few_stream_stats), set by the caller
    const char *path; // borrowed until the items are closed
    bool is_live, ended;
    int width, height;
    double fps;          // as it is; 0 = not known
    int64_t duration_us; // 0 = not known
    uint64_t n_in, n_analysed, n_reused, n_dropped, n_failed;
    uint64_t n_damaged, n_reconnects;
    int64_t newest_age_us; // live: from the newest answered moment's arrival until now; -1 = none
    char message[256];     // "" or the last thing that went wrong
};

struct few_session_stats {
    uint64_t items, items_failed; // of the store as a whole: what it had before counts
    uint64_t items_kept;          // of these, submitted here and not done again
    uint64_t counts[FEW_OUTCOME_COUNT];
    uint64_t deadline_missed; // items
    int64_t spent_us;         // time of the models that ran, late ones included
    int64_t runtime_us;       // the part of it inside the runtime: the rest is pixels, boxes and decisions
    /* What running everything would have cost: the time of what ran to its end, the expected time of the rest, models
     * whose need found nothing left out. Everything is all models of a recording or with all_variants; otherwise the
     * dearest of each variant group and variants that others need, as run_all would run. */
    int64_t run_all_us;
    size_t lanes, in_flight; // that the session has
    uint64_t memory_bytes; // of all models together; 0 = no limit, or a share as long as nothing is measured
};

/* With a store, an item with the bytes of an earlier one that neither failed nor was late is not run: what was executed
 * there is reused. Without one nothing is remembered.
 *
 * Open the store, measure the models (unless an earlier run of the store did) and load those that fit. With a store to
 * go on with, that waits until an item needs them: a finished run costs nothing to start again.
 *
 * zoo, policy  borrowed until the session is closed; policy NULL = run_all
 * session      out, owned: few_session_close
 *
 * Errors:  FEW_ENOENT no runtime library (the message lists the places), or no model file; FEW_EBACKEND a
 *          file that is no model; FEW_ESHAPE a model that is not as the manifest says; FEW_EEXIST the store
 *          exists and neither overwrite nor resume is set; FEW_EVERSION the store to go on with is of another version,
 *          zoo or configuration; FEW_AGAIN another process is writing to it; FEW_ELIMIT a model that is larger than the
 *          memory; FEW_ESTORE; FEW_ENOMEM.
 * Threads: one thread at a time. */
FEW_API FEW_MUST_USE enum few_status few_session_create(const struct few_zoo *zoo, struct few_policy *policy,
                                                        const struct few_session_opts *opts,
                                                        struct few_session **session, struct few_error *err);

/* Queue an item; the path is copied. FEW_AGAIN: the queue is full, receive first. */
FEW_API FEW_MUST_USE enum few_status few_session_submit(struct few_session *session, const char *path,
                                                        struct few_error *err);

/* Take items from there, after those submitted, as there is room. Once for a session; borrowed until close.
 * A recording that the store has to its end, unchanged, is kept as one result without being opened; one that it has in part
 * is gone on with. A recording that is named twice is taken once. A live stream begins now.
 * Errors: FEW_EINVAL there are some already; FEW_EVERSION moments of the store were chosen by other options; FEW_ENOMEM;
 *         FEW_ESTORE. */
FEW_API FEW_MUST_USE enum few_status few_session_attach(struct few_session *session, struct few_items *items,
                                                        struct few_error *err);

/* Of entry i of the attached items. What an earlier run of the store had of it is in the counts.
 * Errors: FEW_ENOENT it is no stream, or a recording of which nothing was taken yet; FEW_EINVAL stats->size. */
FEW_API enum few_status few_session_stream(const struct few_session *session, size_t i,
                                           struct few_stream_stats *stats);

/* The next item, in the order of submission. FEW_AGAIN: live streams gave nothing for half a second; call again.
 * Its clock starts when work on it starts, inside a receive.
 * FEW_END: nothing is queued. An item that cannot be read is a result with status != FEW_OK, not an error.
 * Errors: FEW_ESTORE the result could not be kept; FEW_ELIMIT the store is full (store_bytes); FEW_ENOMEM; where models
 * are loaded late, those of few_session_create. */
FEW_API FEW_MUST_USE enum few_status
few_session_receive(struct few_session *session, const struct few_result **result, struct few_error *err);

FEW_API void few_session_stats(const struct few_session *session, struct few_session_stats *stats);

/* What labelling these items would take, without doing it. */
struct few_forecast {
    size_t size;                  // sizeof(struct few_forecast), set by the caller
    uint64_t items, kept;         // to do, and already done in the store
    uint64_t bytes;               // of the files to do
    double models;                // expected to run on an item
    const bool *runs;             // (n_models,) whether each of them is expected to; borrowed until close
    const struct few_cost *costs; // (n_models,) expected of each; borrowed until close
    int64_t item_us;              // expected on an item, from arrival to the last answer, decoding left out
    int64_t total_us;             // of all items to do, with the lanes and items in flight of the session
    int64_t run_all_us;   // of one item, one model after the other: everything, as in few_session_stats
    uint64_t store_bytes; // that the store is expected to grow by
};

/* Forecast for items (as for attach; they may be attached afterwards). The policy is asked as if every model found
 * something, under the deadline, the memory and the lanes of the session; times are those measured or learned. Streams
 * whose length nobody knows are left out.
 * Errors: FEW_EINVAL; those of few_session_create where models are loaded late; FEW_ENOMEM. */
FEW_API FEW_MUST_USE enum few_status few_session_forecast(struct few_session *session,
                                                          struct few_items *items,
                                                          struct few_forecast *forecast,
                                                          struct few_error *err);

/* Commit what is not committed yet and free everything; NULL is allowed. Frees also when it fails.
 * Errors: FEW_ESTORE the last results could not be kept. */
FEW_API enum few_status few_session_close(struct few_session *session, struct few_error *err);

#ifdef __cplusplus
}
#endif
#endif
