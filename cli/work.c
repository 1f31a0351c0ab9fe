// SPDX-License-Identifier: Apache-2.0
/* The loop that label, record and retry share. Ctrl-C ends it after what is being worked on, with everything so far
 * kept; a second Ctrl-C ends the program at once. A run goes on where an earlier one ended: what is in its file comes back
 * at once, marked as kept. */
#include "work.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dry_run.h"
#include "notes.h"
#include "progress.h"
#include "streams.h"
#include "totals.h"

enum { FAILURES_SHOWN = 5, FAILURE_MAX = 512 };

static volatile sig_atomic_t interrupted, looping;

// Before the first item nothing has to be brought to an end.
static void on_interrupt(int number)
{
    static const char words[] = "fewer: interrupted before the first item\n";
    (void)number;
    interrupted = 1;
    if (looping) return;
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(EXIT_INTERRUPTED);
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct work {
    const struct args *args;
    enum few_purpose purpose;
    bool again;       // retry: items come from the file
    const char *base; // what run_all is of
    const char *zoo_path;
    struct few_zoo *zoo;
    struct few_policy *policy;
    struct few_policy_promise promise; // --recall; method NULL = none
    struct few_items *items;           // retry: records, for their names; NULL = none
    struct few_session *session;
    struct few_session_stats stats;
    struct progress progress;
    struct streams streams;
    struct few_stream_stats *all_streams; // (n_streams,) in the end
    size_t n_streams;
    enum few_feature reuse_feature;
    double reuse_below;
    uint64_t n_items, done, n_kept; // items of this command, n_kept done before; n_items 0 = not known
    uint64_t planned;               // items of the run, for status
    bool ended, broken, kept; // everything was received; an error stopped it; the store has it and is closed
    bool timed_out;           // --for
    double began_s, elapsed_s;
    size_t n_failures;
    uint64_t failed_rows; // of the items done here
    char failures[FAILURES_SHOWN][FAILURE_MAX];
};

/* ---- opening ---- */

static bool has_variants(const struct few_catalog *catalog)
{
    for (size_t m = 0; m < catalog->n_models; m++)
        if (catalog->models[m].variant_of >= 0) return true;
    return false;
}

static int promise(struct work *work)
{
    struct few_error err = {0};
    if (!(work->args->recall > 0)) return EXIT_OK;
    work->promise.size = sizeof work->promise;
    if (few_policy_stop(work->policy, work->args->recall, &work->promise, &err) == FEW_OK) return EXIT_OK;
    complain("--recall: %s", err.message);
    return EXIT_USAGE;
}

static int open_zoo_and_policy(struct work *work)
{
    const struct args *args = work->args;
    struct few_error err = {0};
    work->zoo = open_zoo(work->zoo_path, args->root);
    if (!work->zoo) return EXIT_FAILED;
    const char *policy = work->purpose == FEW_RECORD ? NULL : args->policy;
    if (few_policy_open(policy, work->zoo, &work->policy, &err) == FEW_OK) {
        work->base =
            totals_base(work->purpose == FEW_RECORD || args->all_variants ||
                        few_policy_all_variants(work->policy) || !has_variants(few_zoo_catalog(work->zoo)));
        return promise(work);
    }
    complain("--policy: %s", err.message);
    return err.code == FEW_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static struct few_items_opts items_opts(const struct work *work)
{
    const struct args *args = work->args;
    return (struct few_items_opts){.size = sizeof(struct few_items_opts),
                                   .zoo = work->zoo,
                                   .list = stdin,
                                   .fps = args->fps,
                                   .every = args->every,
                                   .clip_us = args->clip_us,
                                   .from_us = args->from_us,
                                   .until_us = args->to_us,
                                   .streams = (size_t)args->streams,
                                   .limit = args->limit,
                                   .live_timeout_us = args->live_timeout_us,
                                   .live_reconnects = args->reconnects,
                                   .only_names = work->again};
}

static int open_items(struct work *work)
{
    const struct args *args = work->args;
    const struct few_items_opts opts = items_opts(work);
    struct few_error err = {0};
    const char *const *data = (const char *const *)args->rest + 1;
    enum few_status status = few_items_open(data, args->n_rest - 1, &opts, &work->items, &err);
    if (status != FEW_OK) {
        complain("%s", err.message);
        return status == FEW_EINVAL ? EXIT_USAGE : EXIT_FAILED;
    }
    work->n_items = work->again ? 0 : few_items_expected(work->items);
    if (few_items_count(work->items) > 0) return EXIT_OK;
    complain("%s: no images found", args->rest[1]);
    return EXIT_FAILED;
}

// "area:0.02"
static bool read_reuse(struct work *work)
{
    const char *text = work->args->reuse, *colon = text ? strchr(text, ':') : NULL;
    char name[16] = "";
    if (!text) return true;
    if (colon && (size_t)(colon - text) < sizeof name)
        snprintf(name, sizeof name, "%.*s", (int)(colon - text), text);
    work->reuse_feature = few_feature_parse(name);
    bool right = colon && work->reuse_feature != FEW_FEATURE_COUNT &&
                 args_number(colon + 1, strlen(colon + 1), 0, 1, &work->reuse_below) && work->reuse_below > 0;
    if (!right)
        fprintf(stderr,
                "fewer label: --reuse: expected pixel, area, edge or corner and a number up to 1, such as "
                "area:0.02, found '%s'\n",
                text);
    return right;
}

// What can be done about a file that this command cannot go on with.
static const char *way_out(const struct work *work, enum few_status status)
{
    struct stat st;
    bool other = status == FEW_EEXIST || status == FEW_ESTORE || status == FEW_EVERSION;
    if (!other || work->again || work->args->force) return "";
    if (stat(work->args->output, &st) != 0 || !S_ISREG(st.st_mode)) return "";
    return "; --force starts again and replaces it, another -o FILE leaves it alone";
}

// notes: what the store keeps; store: NULL = nothing is kept.
static int open_session(struct work *work, const char *store, const char *notes)
{
    const struct args *args = work->args;
    struct few_error err = {0};
    struct few_session_opts opts = {.size = sizeof opts,
                                    .purpose = work->purpose,
                                    .deadline_us = args->deadline_us,
                                    .lanes = (size_t)args->lanes,
                                    .in_flight = (size_t)args->in_flight,
                                    .memory_bytes = args->memory.bytes,
                                    .memory_share = args->memory.share,
                                    .all_variants = args->all_variants,
                                    .reuse_feature = work->reuse_feature,
                                    .reuse_below = work->reuse_below,
                                    .segment_us = args->segment_us,
                                    .store = store,
                                    .overwrite = args->force,
                                    .resume = store && !args->force,
                                    .retry = work->again,
                                    .store_bytes = args->storage,
                                    .no_pixels = args->no_pixels,
                                    .runtime = args->runtime,
                                    .notes_json = notes,
                                    .items_planned = work->planned};
    enum few_status status = few_session_create(work->zoo, work->policy, &opts, &work->session, &err);
    if (status == FEW_OK) return EXIT_OK;
    complain("%s%s", err.message, store ? way_out(work, status) : "");
    return EXIT_FAILED;
}

static int attach_items(struct work *work)
{
    struct few_error err = {0};
    if (!work->items) return EXIT_OK;
    enum few_status status = few_session_attach(work->session, work->items, &err);
    if (status == FEW_OK) return EXIT_OK;
    complain("%s%s", err.message, way_out(work, status));
    return EXIT_FAILED;
}

/* ---- the loop ---- */

// The reason of an item that failed as a whole names it already.
static void keep_failure(struct work *work, const char *path, const char *model, const char *why)
{
    if (work->n_failures < FAILURES_SHOWN) {
        char *text = work->failures[work->n_failures];
        if (*model) snprintf(text, FAILURE_MAX, "%s: %s: %s", path, model, why);
        else snprintf(text, FAILURE_MAX, "%s", why);
    }
    work->n_failures++;
}

static void keep_failures(struct work *work, const struct few_result *result)
{
    const struct few_catalog *catalog = few_zoo_catalog(work->zoo);
    if (result->kept) return;
    if (result->status != FEW_OK) {
        keep_failure(work, result->path, "", result->message);
        work->failed_rows += catalog->n_models;
        return;
    }
    for (size_t m = 0; m < result->n_models; m++)
        if (result->rows[m].outcome == FEW_FAILED) {
            keep_failure(work, result->path, catalog->models[m].name, result->rows[m].reason);
            work->failed_rows++;
        }
}

static struct progress_state state_of(struct work *work)
{
    few_session_stats(work->session, &work->stats);
    return (struct progress_state){.now_s = progress_now_s(),
                                   .done = work->done,
                                   .kept = work->n_kept,
                                   .stats = &work->stats,
                                   .streams = work->streams.rows,
                                   .n_streams = streams_look(&work->streams, work->session),
                                   .ended = work->ended};
}

static void tell(struct work *work)
{
    if (!progress_due(&work->progress, progress_now_s(), work->done)) return;
    const struct progress_state state = state_of(work);
    progress_show(&work->progress, &state);
}

static void stop_telling(struct work *work)
{
    const struct progress_state state = state_of(work);
    progress_end(&work->progress, &state);
}

static void stopped(struct work *work, enum few_status status, const struct few_error *err)
{
    bool full = status == FEW_ELIMIT && work->args->storage > 0 && work->done > 0;
    work->broken = true;
    stop_telling(work);
    complain("%s%s", err->message, full ? " (--storage)" : "");
}

static void count(struct work *work, const struct few_result *result)
{
    uint64_t n = result->kept && result->n_kept > 0 ? result->n_kept : 1;
    work->done += n;
    if (result->kept) work->n_kept += n;
    streams_saw(&work->streams, result->stream);
    keep_failures(work, result);
}

static bool is_over(struct work *work)
{
    const struct args *args = work->args;
    work->timed_out = args->for_us > 0 && (progress_now_s() - work->began_s) * 1e6 >= (double)args->for_us;
    return interrupted || work->timed_out;
}

static int loop(struct work *work)
{
    struct few_error err = {0};
    while (!is_over(work)) {
        const struct few_result *result = NULL;
        enum few_status status = few_session_receive(work->session, &result, &err);
        work->ended = status == FEW_END;
        if (work->ended) break;
        if (status != FEW_OK && status != FEW_AGAIN) {
            stopped(work, status, &err);
            return EXIT_FAILED;
        }
        if (status == FEW_OK) count(work, result);
        tell(work);
    }
    return EXIT_OK;
}

/* ---- what it came to ---- */

static struct totals totals_of(const struct work *work)
{
    struct totals totals = totals_of_session(&work->stats, few_zoo_catalog(work->zoo)->n_models);
    totals.base = work->base;
    return totals;
}

static json_t *promise_json(const struct few_policy_promise *promise)
{
    return json_pack("{s:s, s:f, s:f, s:f, s:f, s:b}", "method", promise->method, "recall", promise->recall,
                     "low", promise->low, "high", promise->high, "time_ratio", promise->time_ratio,
                     "held_out", promise->is_held_out);
}

static int result_json(const struct work *work)
{
    const struct few_session_stats *stats = &work->stats;
    const struct totals totals = totals_of(work);
    json_t *object = totals_json(&totals);
    json_t *more =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:b}", "items_kept", (json_int_t)stats->items_kept, "lanes",
                  (json_int_t)stats->lanes, "in_flight", (json_int_t)stats->in_flight, "memory_bytes",
                  (json_int_t)stats->memory_bytes, "store_bytes", (json_int_t)file_bytes(work->args->output),
                  "policy", json_name(few_policy_name(work->policy)), "interrupted",
                  interrupted && !work->ended && !work->timed_out);
    if (more) json_object_set_new(more, "streams", streams_json(work->all_streams, work->n_streams));
    if (more && work->promise.method) json_object_set_new(more, "promise", promise_json(&work->promise));
    if (work->again && more) json_object_set_new(more, "items_retried", json_integer((json_int_t)work->done));
    if (!object || !more || json_object_update(object, more) != 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return print_json(object);
}

static uint64_t failed_before(const struct work *work)
{
    uint64_t failed = work->stats.counts[FEW_FAILED];
    return failed > work->failed_rows ? failed - work->failed_rows : 0;
}

static void print_failures(const struct work *work)
{
    char count[32];
    const char *file = work->args->output;
    uint64_t before = failed_before(work);
    if (work->n_failures > 0)
        complain("%s failure%s", show_count(work->n_failures, count, sizeof count),
                 work->n_failures == 1 ? "" : "s");
    for (size_t i = 0; i < work->n_failures && i < FAILURES_SHOWN; i++)
        fprintf(stderr, "  %s\n", work->failures[i]);
    if (work->n_failures > FAILURES_SHOWN)
        fprintf(stderr, "  ... and %s more; 'fewer report %s' lists them\n",
                show_count(work->n_failures - FAILURES_SHOWN, count, sizeof count), file);
    if (before > 0)
        complain("%s answer%s failed before", show_count(before, count, sizeof count),
                 before == 1 ? "" : "s");
    if (work->n_failures > 0 || before > 0)
        fprintf(stderr, "  'fewer retry %s' does what failed again\n", file);
}

static void print_head(const struct work *work)
{
    const struct few_session_stats *stats = &work->stats;
    char wall[32], items[32], kept[32], all[32];
    uint64_t here = work->done - work->n_kept;
    show_time(work->elapsed_s * 1e6, wall, sizeof wall);
    show_count(work->n_kept, kept, sizeof kept);
    show_count(work->n_items, all, sizeof all);
    fprintf(stderr, "%s items, %zu models, %s", show_count(stats->items, items, sizeof items),
            few_zoo_catalog(work->zoo)->n_models, wall);
    if (here > 0 && work->elapsed_s > 0) fprintf(stderr, " (%.1f items/s)", (double)here / work->elapsed_s);
    fputc('\n', stderr);
    if (work->again)
        fprintf(stderr, "%s item%s done again\n", show_count(here, items, sizeof items),
                here == 1 ? " was" : "s were");
    else if (work->n_kept > 0 && work->n_items > 0)
        fprintf(stderr, "%s of %s items were done before\n", kept, all);
    else if (work->n_kept > 0) fprintf(stderr, "%s items were done before\n", kept);
}

static void print_summary(const struct work *work)
{
    struct totals totals = totals_of(work);
    char deadline[32], missed[32];
    if (work->purpose == FEW_RECORD) totals.run_all_us = 0; // the same
    print_head(work);
    totals_print_counts(&totals, stderr);
    totals_print_times(&totals, stderr);
    if (work->args->deadline_us)
        fprintf(stderr, "the deadline of %s was missed on %s items\n",
                show_time((double)work->args->deadline_us, deadline, sizeof deadline),
                show_count(totals.deadline_missed, missed, sizeof missed));
    if (work->promise.method)
        fprintf(stderr,
                "expected of %s: recall %.3f (%.3f to %.3f) in %.1f%% of the time of running everything\n",
                work->promise.method, work->promise.recall, work->promise.low, work->promise.high,
                100 * work->promise.time_ratio);
    streams_print(work->all_streams, work->n_streams, false, stderr);
    if (work->timed_out)
        fprintf(stderr, "ended after %s (--for)\n",
                show_time((double)work->args->for_us, missed, sizeof missed));
    if (work->kept) fprintf(stderr, "kept in %s\n", work->args->output);
}

static void print_interrupted(const struct work *work)
{
    char done[32], all[32];
    show_count(work->done, done, sizeof done);
    show_count(work->n_items, all, sizeof all);
    const char *rest = work->kept ? "; they are kept, and the same command goes on" : "";
    if (work->n_items > 0) complain("interrupted after %s of %s items%s", done, all, rest);
    else complain("interrupted after %s items%s", done, rest);
}

static int run_items(struct work *work)
{
    const struct args *args = work->args;
    looping = 1;
    streams_begin(&work->streams, work->again ? NULL : work->items);
    progress_begin(&work->progress, args->progress, args->quiet, work->n_items,
                   few_zoo_catalog(work->zoo)->n_models);
    work->began_s = progress_now_s();
    int status = loop(work);
    work->elapsed_s = progress_now_s() - work->began_s;
    stop_telling(work);
    work->all_streams = streams_all(work->streams.items, work->session, &work->n_streams);
    struct few_error err = {0};
    bool closed = few_session_close(work->session, &err) == FEW_OK;
    work->session = NULL;
    work->kept = closed && !work->broken;
    if (!closed) {
        complain("%s", err.message);
        status = EXIT_FAILED;
    }
    if (!args->quiet && !args->json) print_summary(work);
    else if (!args->quiet) streams_print(work->all_streams, work->n_streams, true, stderr);
    print_failures(work);
    if (work->stats.counts[FEW_FAILED] > 0) status = EXIT_FAILED;
    if (interrupted && !work->ended && !work->timed_out && !work->broken) {
        print_interrupted(work);
        status = EXIT_INTERRUPTED;
    }
    if (args->json && result_json(work) != EXIT_OK) status = EXIT_FAILED;
    return status;
}

/* ---- the verbs ---- */

/* A dry run goes on with the file of an earlier run as that run left it, and makes none. */
static int foresee(struct work *work)
{
    const struct args *args = work->args;
    struct few_run_status before = {.size = sizeof before};
    struct few_error err = {0};
    const char *store = args->output && !args->force && access(args->output, F_OK) == 0 ? args->output : NULL;
    if (store && few_run_status(store, &before, &err) != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    work->planned = before.items_planned;
    int status = open_session(work, store, before.notes);
    if (status == EXIT_OK)
        status = dry_run_show(args, work->zoo, work->session, work->items, work->n_items, work->base);
    if (few_session_close(work->session, &err) != FEW_OK && status == EXIT_OK) {
        complain("%s", err.message);
        status = EXIT_FAILED;
    }
    work->session = NULL;
    few_text_free(before.config);
    few_text_free(before.notes);
    return status;
}

static int label(struct work *work)
{
    char *notes = notes_make(work->args, work->purpose, work->base);
    work->planned = work->n_items;
    if (!notes) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    int status = open_session(work, work->args->output, notes);
    free(notes);
    if (status == EXIT_OK) status = attach_items(work);
    return status == EXIT_OK ? run_items(work) : status;
}

static int finish(struct work *work, int status)
{
    few_session_close(work->session, NULL);
    few_items_close(work->items);
    free(work->all_streams);
    few_policy_close(work->policy);
    few_zoo_close(work->zoo);
    return status;
}

int work(const struct args *args, enum few_purpose purpose)
{
    struct work work = {.args = args, .purpose = purpose, .zoo_path = args->rest[0]};
    if (!args->output && !args->dry_run) {
        fprintf(stderr, "fewer %s: expected -o FILE to keep the results in\n",
                purpose == FEW_RECORD ? "record" : "label");
        return EXIT_USAGE;
    }
    if (!read_reuse(&work)) return EXIT_USAGE;
    catch_interrupts();
    int status = open_zoo_and_policy(&work);
    if (status == EXIT_OK) status = open_items(&work);
    if (status == EXIT_OK) status = args->dry_run ? foresee(&work) : label(&work);
    return finish(&work, status);
}

int work_again(const struct args *args, enum few_purpose purpose, const struct few_run_status *before)
{
    struct work work = {.args = args,
                        .purpose = purpose,
                        .again = true,
                        .zoo_path = args->zoo,
                        .planned = before->items_planned};
    if (!read_reuse(&work)) return EXIT_FAILED;
    catch_interrupts();
    int status = open_zoo_and_policy(&work);
    if (status == EXIT_OK && args->n_rest > 1) status = open_items(&work);
    if (status == EXIT_OK) status = open_session(&work, args->output, before->notes);
    if (status == EXIT_OK) status = attach_items(&work);
    if (status == EXIT_OK) status = run_items(&work);
    return finish(&work, status);
}
