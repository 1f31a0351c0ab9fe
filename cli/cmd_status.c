// SPDX-License-Identifier: Apache-2.0
// fewer status: how far a run is, also while another process is at it.
#include <string.h>

#include "notes.h"
#include "totals.h"

static const struct option_row options[] = {OPTION_JSON};

struct page {
    const char *path;
    struct few_run_status status;
    struct totals totals;
    json_t *notes, *config; // objects, empty where the file has none
};

/* ---- JSON ---- */

static int show_json(const struct page *page)
{
    const struct few_run_status *status = &page->status;
    json_t *object = totals_json(&page->totals);
    json_t *more =
        json_pack("{s:o, s:s, s:b, s:I, s:I, s:O, s:O}", "file", json_name(page->path), "purpose",
                  status->purpose, "busy", status->busy, "items_planned", (json_int_t)status->items_planned,
                  "store_bytes", (json_int_t)status->bytes, "config", page->config, "notes", page->notes);
    if (!object || !more || json_object_update(object, more) != 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return print_json(object);
}

/* ---- words ---- */

static bool is_whole(const struct few_run_status *status)
{
    return status->items >= status->items_planned;
}

static void print_state(const struct page *page)
{
    const struct few_run_status *status = &page->status;
    const char *verb = json_string_value(json_object_get(page->notes, "verb"));
    printf("%s: a %s", page->path, status->purpose);
    if (verb) printf(" of 'fewer %s'", verb);
    if (status->busy) puts(", being written now");
    else if (!verb || status->items_planned == 0) putchar('\n');
    else puts(is_whole(status) ? ", finished" : ", not finished");
}

static void print_items(const struct page *page)
{
    const struct few_run_status *status = &page->status;
    char items[32], planned[32], failed[32], bytes[32];
    printf("%s", show_count(status->items, items, sizeof items));
    if (!is_whole(status)) printf(" of %s", show_count(status->items_planned, planned, sizeof planned));
    printf(" items");
    if (!is_whole(status)) printf(" (%.1f%%)", 100 * (double)status->items / (double)status->items_planned);
    printf(", %llu models, %s", (unsigned long long)status->models,
           show_bytes(status->bytes, bytes, sizeof bytes));
    if (status->items_failed > 0)
        printf("; %s item%s failed as a whole", show_count(status->items_failed, failed, sizeof failed),
               status->items_failed == 1 ? "" : "s");
    putchar('\n');
}

static void print_deadline(const struct page *page)
{
    char deadline[32], missed[32];
    double deadline_us = json_number_value(json_object_get(page->notes, "deadline_us"));
    if (deadline_us <= 0) return;
    printf("the deadline of %s was missed on %s items\n", show_time(deadline_us, deadline, sizeof deadline),
           show_count(page->status.deadline_missed, missed, sizeof missed));
}

static void print_next(const struct page *page)
{
    const struct few_run_status *status = &page->status;
    const char *cwd = json_string_value(json_object_get(page->notes, "cwd"));
    bool known = json_object_get(page->notes, "verb") && json_object_get(page->notes, "zoo");
    if (status->busy || !known) return;
    if (!is_whole(status)) {
        fputs("to go on: ", stdout);
        notes_print_command(page->notes, page->path, stdout);
        if (cwd) printf("      in: %s\n", cwd);
    }
    if (status->counts[FEW_FAILED] > 0) printf("to do what failed again: fewer retry %s\n", page->path);
}

static int show_words(const struct page *page)
{
    struct totals totals = page->totals;
    if (strcmp(page->status.purpose, "run") != 0) totals.run_all_us = 0; // a trace ran everything
    print_state(page);
    print_items(page);
    totals_print_counts(&totals, stdout);
    if (totals.items > 0) totals_print_times(&totals, stdout);
    print_deadline(page);
    print_next(page);
    return EXIT_OK;
}

/* ---- the verb ---- */

static json_t *object_of(const char *text)
{
    json_t *object = json_loads(text ? text : "{}", 0, NULL);
    return object ? object : json_object();
}

static int run(const struct args *args)
{
    struct page page = {.path = args->rest[0], .status = {.size = sizeof page.status}};
    struct few_error err = {0};
    if (few_run_status(page.path, &page.status, &err) != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    page.notes = object_of(page.status.notes);
    page.config = object_of(page.status.config);
    page.totals = totals_of_file(&page.status);
    page.totals.base = json_string_value(json_object_get(page.notes, "base"));
    int status = args->json ? show_json(&page) : show_words(&page);
    json_decref(page.notes);
    json_decref(page.config);
    few_text_free(page.status.config);
    few_text_free(page.status.notes);
    return status;
}

const struct verb verb_status = {
    .name = "status",
    .summary = "tell how far a run is, and how to go on",
    .operands = "FILE",
    .about =
        "FILE is what 'fewer label', 'record' or 'import' made; it may be read while it is being written.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
