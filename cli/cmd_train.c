// SPDX-License-Identifier: Apache-2.0
// fewer train: learn a policy from a trace. Ctrl-C keeps what is finished; the same command goes on from there.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "progress.h"
#include "table.h"

enum { LIST_MAX = 64, NAME_MAX_BYTES = 63, BAR = 20 };

static const struct option_row options[] = {
    OPTION_OUTPUT,
    OPTION_SEED,
    OPTION_NUMBER("split", split, 1, 100, "learn from N of 100 items; the others are for eval (default: 20)"),
    OPTION("source", 0, OPTION_TEXT, source, "PREFIX", "learn from items whose file names begin with PREFIX"),
    OPTION("method", 0, OPTION_TEXT, methods, "LIST", "learn these methods only"),
    OPTION("only", 0, OPTION_TEXT, only, "PART", "learn this part only: agent (all methods)"),
    OPTION("from", 0, OPTION_TEXT, from, "POLICY", "take what is not learned from there"),
    OPTION_NUMBER("threads", threads, 1, FEW_TRAIN_THREADS_MAX,
                  "learn N pieces at once (default: 1); the policy is the same"),
    OPTION_DRY_RUN,
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_PROGRESS,
    OPTION_QUIET,
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- progress ---- */

struct shown {
    enum progress_mode mode;
    double began_s, shown_s;
    double began_share; // what was there before
    size_t shown_pieces;
    bool drawn, any;
};

static enum progress_mode mode_of(const struct args *args)
{
    const char *how = args->progress;
    if (how && strcmp(how, "none") == 0) return PROGRESS_NONE;
    if (how && strcmp(how, "plain") == 0) return PROGRESS_PLAIN;
    if (how && strcmp(how, "json") == 0) return PROGRESS_JSON;
    if (args->quiet) return PROGRESS_NONE;
    return progress_on_terminal() ? PROGRESS_LINE : PROGRESS_PLAIN;
}

// A line now and then where nobody watches; ten times a second on a terminal.
static bool is_due(const struct shown *shown, const struct few_train_progress *p, double now_s)
{
    double since_s = now_s - shown->shown_s;
    switch (shown->mode) {
    case PROGRESS_NONE: return false;
    case PROGRESS_LINE: return !shown->any || since_s >= 0.1;
    case PROGRESS_JSON: return since_s >= 1;
    case PROGRESS_PLAIN: return since_s >= 300 || (since_s >= 10 && p->pieces_done > shown->shown_pieces);
    }
    return false;
}

static void show_json(const struct few_train_progress *p)
{
    json_t *line =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f}", "method", p->method, "fold", (json_int_t)p->fold,
                  "folds", (json_int_t)p->folds, "pieces", (json_int_t)p->pieces, "pieces_done",
                  (json_int_t)p->pieces_done, "pieces_kept", (json_int_t)p->pieces_kept, "share", p->share);
    if (line) json_dumpf(line, stderr, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fputc('\n', stderr);
    json_decref(line);
}

static void show_line(struct shown *shown, const struct few_train_progress *p, double now_s)
{
    char bar[BAR + 1], where[64], left[64] = "";
    double made = p->share - shown->began_share, took_s = now_s - shown->began_s;
    for (int i = 0; i < BAR; i++) bar[i] = i < (int)(p->share * BAR) ? '#' : '.';
    bar[BAR] = 0;
    if (p->fold == p->folds) snprintf(where, sizeof where, "all items");
    else snprintf(where, sizeof where, "fold %zu of %zu", p->fold + 1, p->folds);
    if (made > 0.02 && took_s > 2) {
        char time[32];
        show_time((1 - p->share) / made * took_s * 1e6, time, sizeof time);
        snprintf(left, sizeof left, "  %s left", time);
    }
    if (shown->mode == PROGRESS_PLAIN)
        fprintf(stderr, "%zu of %zu pieces, %.0f%%: %s, %s%s\n", p->pieces_done, p->pieces, 100 * p->share,
                p->method, where, left);
    else fprintf(stderr, "\r[%s] %3.0f%%  %s, %s%s\033[K", bar, 100 * p->share, p->method, where, left);
    fflush(stderr);
    shown->drawn = shown->mode == PROGRESS_LINE;
}

static bool tell(void *ud, const struct few_train_progress *p)
{
    struct shown *shown = ud;
    double now_s = progress_now_s();
    if (!shown->any && p->pieces_done == p->pieces_kept) shown->began_share = p->share;
    if (is_due(shown, p, now_s)) {
        if (shown->mode == PROGRESS_JSON) show_json(p);
        else show_line(shown, p, now_s);
        shown->shown_s = now_s;
        shown->shown_pieces = p->pieces_done;
        shown->any = true;
    }
    return !interrupted;
}

static void stop_telling(const struct shown *shown)
{
    if (!shown->drawn) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* ---- what it came to ---- */

static double number_at(const json_t *object, const char *a, const char *b, const char *c)
{
    return json_number_value(json_object_get(json_object_get(json_object_get(object, a), b), c));
}

static void print_methods(const json_t *answer)
{
    static const char *const levels[] = {"0.8", "0.9", "0.95"};
    const char *name, *preferred = json_string_value(json_object_get(answer, "preferred"));
    json_t *method;
    struct table table;
    table_init(&table, "lrrrl");
    table_cell(&table, "time at recall, %%");
    for (size_t i = 0; i < 3; i++) table_cell(&table, "%s", levels[i]);
    table_cell(&table, " ");
    json_object_foreach(json_object_get(answer, "methods"), name, method)
    {
        table_cell(&table, "%s", name);
        for (size_t i = 0; i < 3; i++)
            table_cell(&table, "%.1f", 100 * number_at(method, "stop", levels[i], "time_ratio"));
        table_cell(&table, "%s", preferred && strcmp(preferred, name) == 0 ? "preferred" : " ");
    }
    table_print(&table, stdout);
    table_finish(&table);
}

static void print_answer(const struct args *args, const json_t *answer, double took_s)
{
    const char *name;
    json_t *why;
    char took[32];
    const json_t *preferred = json_object_get(json_object_get(answer, "methods"),
                                              json_string_value(json_object_get(answer, "preferred")));
    print_methods(answer);
    printf("\n%lld items, each looked at by what was learned from the others; %s\n",
           (long long)json_integer_value(json_object_get(answer, "items")),
           show_time(took_s * 1e6, took, sizeof took));
    printf("--recall 0.9 is expected to give %.3f (%.3f to %.3f) in %.1f%% of the time\n",
           number_at(preferred, "promise", "0.9", "recall"), number_at(preferred, "promise", "0.9", "low"),
           number_at(preferred, "promise", "0.9", "high"),
           100 * number_at(preferred, "promise", "0.9", "time_ratio"));
    json_object_foreach(json_object_get(answer, "left_out"), name, why)
        printf("%s was left out: %s\n", name, json_string_value(why));
    printf("kept in %s\n", args->output);
}

static void print_plan(const json_t *answer)
{
    printf("%lld items of %lld models, %lld pieces to learn",
           (long long)json_integer_value(json_object_get(answer, "items")),
           (long long)json_integer_value(json_object_get(answer, "models")),
           (long long)json_integer_value(json_object_get(answer, "pieces")));
    printf(", %lld of them done before\n",
           (long long)json_integer_value(json_object_get(answer, "pieces_kept")));
}

static int show(const struct args *args, const char *text, double took_s)
{
    if (args->json) {
        fputs(text, stdout);
        return EXIT_OK;
    }
    if (args->quiet) return EXIT_OK;
    json_t *answer = json_loads(text, 0, NULL);
    if (!answer) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    if (args->dry_run) print_plan(answer);
    else print_answer(args, answer, took_s);
    json_decref(answer);
    return EXIT_OK;
}

/* ---- the verb ---- */

static int train(const struct args *args, const char *const *methods, size_t n_methods)
{
    struct shown shown = {.mode = mode_of(args), .began_s = progress_now_s(), .shown_s = progress_now_s()};
    const struct few_train_opts opts = {.size = sizeof opts,
                                        .seed = args->seed,
                                        .split = (int)args->split,
                                        .source = args->source,
                                        .methods = methods,
                                        .n_methods = n_methods,
                                        .from = args->from,
                                        .threads = (size_t)args->threads,
                                        .overwrite = args->force,
                                        .dry_run = args->dry_run,
                                        .progress = tell,
                                        .ud = &shown};
    struct few_error err = {0};
    char *text = NULL;
    catch_interrupts();
    enum few_status status = few_train(args->rest[0], args->output, &opts, &text, &err);
    stop_telling(&shown);
    if (status == FEW_ECANCELED) {
        complain("interrupted; what is learned so far is kept in %s.training, and the same command goes on",
                 args->output);
        return EXIT_INTERRUPTED;
    }
    if (status != FEW_OK) {
        complain("%s%s", err.message, status == FEW_EEXIST ? "; --force replaces it" : "");
        return EXIT_FAILED;
    }
    int shown_status = show(args, text, progress_now_s() - shown.began_s);
    few_text_free(text);
    return shown_status;
}

static int run(const struct args *args)
{
    static char names[LIST_MAX][NAME_MAX_BYTES + 1];
    static const char *methods[LIST_MAX];
    const char *part = NULL;
    size_t n = 0, length = 0;
    if (!args->output) {
        fputs("fewer train: expected -o FILE\n", stderr);
        return EXIT_USAGE;
    }
    if (args->only && strcmp(args->only, "agent") != 0) {
        fprintf(stderr, "fewer train: --only: expected agent, found '%s'\n", args->only);
        return EXIT_USAGE;
    }
    for (; args->methods && args_part(args->methods, n, &part, &length); n++) {
        if (n == LIST_MAX || length > NAME_MAX_BYTES || length == 0) {
            fprintf(stderr, "fewer train: --method: expected at most %d names, found '%s'\n", LIST_MAX,
                    args->methods);
            return EXIT_USAGE;
        }
        memcpy(names[n], part, length);
        methods[n] = names[n];
    }
    return train(args, args->methods ? methods : NULL, n);
}

const struct verb verb_train = {
    .name = "train",
    .summary = "learn a policy from a trace",
    .operands = "TRACE",
    .about = "TRACE is what 'fewer record' or 'fewer import' made. Learns, by several methods, what each "
             "model is worth on\n"
             "an item given what is known of it, and where to stop for a wanted recall, and keeps all of it "
             "in FILE;\n"
             "'fewer label --policy FILE --recall 0.95' uses the best. A training that was interrupted, even "
             "killed,\n"
             "goes on where it was when the same command is given again. A LIST has commas and no spaces.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
