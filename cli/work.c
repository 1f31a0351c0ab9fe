// SPDX-License-Identifier: Apache-2.0
/* The loop that label and record share. Ctrl-C ends it after the current item, with everything so far kept;
 * a second Ctrl-C ends the program at once. */
#include "work.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"

enum { FAILURES_SHOWN = 5, FAILURE_MAX = 512 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct work {
    const struct args *args;
    enum few_purpose purpose;
    struct few_zoo *zoo;
    struct few_policy *policy;
    struct few_items *items;
    struct few_session *session;
    struct few_session_stats stats;
    struct progress progress;
    size_t n_items, done;
    bool broken, kept; // the loop stopped at an error; the store has every item and is closed
    double elapsed_s;
    size_t n_failures;
    char failures[FAILURES_SHOWN][FAILURE_MAX];
};

/* ---- opening ---- */

static char *describe_run(const struct work *work)
{
    const struct args *args = work->args;
    json_t *config =
        json_pack("{s:s, s:s, s:f}", "verb", work->purpose == FEW_RECORD ? "record" : "label", "policy",
                  few_policy_name(work->policy), "deadline_ms", (double)args->deadline_us / 1e3);
    char *text = config ? json_dumps(config, JSON_REAL_PRECISION(9)) : NULL;
    json_decref(config);
    return text;
}

static int open_session(struct work *work, struct few_error *err)
{
    const struct args *args = work->args;
    char *config = describe_run(work);
    struct few_session_opts opts = {.size = sizeof opts,
                                    .purpose = work->purpose,
                                    .deadline_us = args->deadline_us,
                                    .store = args->output,
                                    .overwrite = args->force,
                                    .no_pixels = args->no_pixels,
                                    .runtime = args->runtime,
                                    .config_json = config};
    enum few_status status = few_session_create(work->zoo, work->policy, &opts, &work->session, err);
    free(config);
    if (status == FEW_OK) return EXIT_OK;
    complain("%s%s", err->message, status == FEW_EEXIST ? "; --force replaces it" : "");
    return EXIT_FAILED;
}

static int open_all(struct work *work, const char *policy)
{
    const struct args *args = work->args;
    struct few_error err = {0};
    work->zoo = open_zoo(args->rest[0], args->root);
    if (!work->zoo) return EXIT_FAILED;
    enum few_status status = few_policy_open(policy, work->zoo, &work->policy, &err);
    if (status != FEW_OK) {
        complain("--policy: %s", err.message);
        return status == FEW_EINVAL ? EXIT_USAGE : EXIT_FAILED;
    }
    const char *const *data = (const char *const *)args->rest + 1;
    if (few_items_open(data, args->n_rest - 1, stdin, NULL, &work->items, &err) != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    work->n_items = few_items_count(work->items);
    if (args->limit && args->limit < work->n_items) work->n_items = (size_t)args->limit;
    if (work->n_items == 0) {
        complain("%s: no images found", args->rest[1]);
        return EXIT_FAILED;
    }
    return open_session(work, &err);
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
    if (result->status != FEW_OK) {
        keep_failure(work, result->path, "", result->message);
        return;
    }
    for (size_t m = 0; m < result->n_models; m++)
        if (result->rows[m].outcome == FEW_FAILED)
            keep_failure(work, result->path, catalog->models[m].name, result->rows[m].reason);
}

static int loop(struct work *work)
{
    struct few_error err = {0};
    size_t submitted = 0;
    while (work->done < work->n_items && !interrupted) {
        enum few_status status = FEW_OK;
        while (submitted < work->n_items && status == FEW_OK) {
            status = few_session_submit(work->session, few_items_path(work->items, submitted), &err);
            submitted += status == FEW_OK;
        }
        const struct few_result *result = NULL;
        if (status == FEW_OK || status == FEW_AGAIN)
            status = few_session_receive(work->session, &result, &err);
        if (status != FEW_OK) {
            work->broken = true;
            progress_end(&work->progress);
            complain("%s", err.message);
            return EXIT_FAILED;
        }
        work->done++;
        keep_failures(work, result);
        few_session_stats(work->session, &work->stats);
        progress_show(&work->progress, work->done, &work->stats);
    }
    return work->n_failures ? EXIT_FAILED : EXIT_OK;
}

/* ---- what it came to ---- */

static double saved_ratio(const struct few_session_stats *stats)
{
    return stats->run_all_us > 0 ? 1 - (double)stats->spent_us / (double)stats->run_all_us : 0;
}

static int result_json(const struct work *work)
{
    const struct few_session_stats *stats = &work->stats;
    json_t *counts = json_object();
    for (int i = 0; counts && i < FEW_OUTCOME_COUNT; i++)
        json_object_set_new(counts, few_outcome_name((enum few_outcome)i),
                            json_integer((json_int_t)stats->counts[i]));
    json_t *times = json_pack("{s:f, s:f, s:f}", "spent", (double)stats->spent_us / 1e3, "run_all",
                              (double)stats->run_all_us / 1e3, "saved_ratio", saved_ratio(stats));
    return print_json(json_pack(
        "{s:I, s:I, s:I, s:o, s:o, s:I, s:s, s:b}", "items", (json_int_t)stats->items, "items_failed",
        (json_int_t)stats->items_failed, "models", (json_int_t)few_zoo_catalog(work->zoo)->n_models, "counts",
        counts, "time_ms", times, "deadline_missed", (json_int_t)stats->deadline_missed, "policy",
        few_policy_name(work->policy), "interrupted", interrupted && work->done < work->n_items));
}

static void print_failures(const struct work *work)
{
    if (work->n_failures == 0) return;
    complain("%zu failure%s", work->n_failures, work->n_failures == 1 ? "" : "s");
    for (size_t i = 0; i < work->n_failures && i < FAILURES_SHOWN; i++)
        fprintf(stderr, "  %s\n", work->failures[i]);
    if (work->n_failures > FAILURES_SHOWN)
        fprintf(stderr, "  ... and %zu more; 'fewer report %s' lists them\n",
                work->n_failures - FAILURES_SHOWN, work->args->output);
}

// What running everything takes is an expectation from measured or declared costs; a slow machine may exceed it.
static void print_times(const struct work *work)
{
    const struct few_session_stats *stats = &work->stats;
    char spent[32], all[32];
    fprintf(stderr, "models took %s", show_time((double)stats->spent_us, spent, sizeof spent));
    if (work->purpose == FEW_LABEL && stats->run_all_us > 0) {
        fprintf(stderr, "; running everything takes %s",
                show_time((double)stats->run_all_us, all, sizeof all));
        if (saved_ratio(stats) >= 0) fprintf(stderr, ": %.1f%% saved", 100 * saved_ratio(stats));
    }
    fputc('\n', stderr);
}

static void print_summary(const struct work *work)
{
    const struct few_session_stats *stats = &work->stats;
    char wall[32], deadline[32];
    size_t n_models = few_zoo_catalog(work->zoo)->n_models;
    uint64_t total = 0;
    fprintf(stderr, "%llu items, %zu models, %s (%.1f items/s)\n", (unsigned long long)stats->items, n_models,
            show_time(work->elapsed_s * 1e6, wall, sizeof wall),
            work->elapsed_s > 0 ? (double)stats->items / work->elapsed_s : 0);
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) total += stats->counts[i];
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++)
        if (stats->counts[i] > 0)
            fprintf(stderr, "  %-10s %8llu  %5.1f%%\n", few_outcome_name((enum few_outcome)i),
                    (unsigned long long)stats->counts[i], 100 * (double)stats->counts[i] / (double)total);
    print_times(work);
    if (work->args->deadline_us)
        fprintf(stderr, "the deadline of %s was missed on %llu items\n",
                show_time((double)work->args->deadline_us, deadline, sizeof deadline),
                (unsigned long long)stats->deadline_missed);
    if (work->kept) fprintf(stderr, "kept in %s\n", work->args->output);
}

static int run_items(struct work *work)
{
    const struct args *args = work->args;
    catch_interrupts();
    progress_begin(&work->progress, work->n_items, few_zoo_catalog(work->zoo)->n_models, args->quiet);
    double began_s = progress_now_s();
    int status = loop(work);
    work->elapsed_s = progress_now_s() - began_s;
    progress_end(&work->progress);
    few_session_stats(work->session, &work->stats);
    struct few_error err = {0};
    bool closed = few_session_close(work->session, &err) == FEW_OK;
    work->kept = closed && !work->broken;
    if (!closed) {
        complain("%s", err.message);
        status = EXIT_FAILED;
    }
    work->session = NULL;
    if (!args->quiet && !args->json) print_summary(work);
    print_failures(work);
    if (interrupted && work->done < work->n_items) {
        complain("interrupted after %zu of %zu items%s", work->done, work->n_items,
                 work->kept ? "; they are kept" : "");
        status = EXIT_INTERRUPTED;
    }
    if (args->json && result_json(work) != EXIT_OK) status = EXIT_FAILED;
    return status;
}

int work(const struct args *args, enum few_purpose purpose, const char *policy)
{
    struct work work = {.args = args, .purpose = purpose};
    if (!args->output) {
        fprintf(stderr, "fewer %s: expected -o FILE to keep the results in\n",
                purpose == FEW_RECORD ? "record" : "label");
        return EXIT_USAGE;
    }
    int status = open_all(&work, policy);
    if (status == EXIT_OK) status = run_items(&work);
    few_session_close(work.session, NULL);
    few_items_close(work.items);
    few_policy_close(work.policy);
    few_zoo_close(work.zoo);
    return status;
}
