// SPDX-License-Identifier: Apache-2.0
/* Collecting the mistakes of a manifest. The list is kept sorted by line and column and holds the first
 * FEW_ZOO_PROBLEMS_MAX of them, whatever order they are found in. */
#include "model/manifest_problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

enum { SHOWN_MAX = 60, NAME_MAX_COMPARED = 64, TEXT_MAX = 4096 };

/* ---- words ---- */

const char *few__quoted(struct few__arena *arena, const char *text)
{
    size_t n = strnlen(text, SHOWN_MAX + 1);
    if (n <= SHOWN_MAX) return few__arena_printf(arena, "\"%s\"", text);
    n = SHOWN_MAX;
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--; // not inside a UTF-8 character
    return few__arena_printf(arena, "\"%.*s...\"", (int)n, text);
}

const char *few__one_of(struct few__arena *arena, const char *const *names, size_t n)
{
    char text[TEXT_MAX] = "";
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof text; i++) {
        const char *between = i == 0 ? "" : i + 1 == n ? " or " : ", ";
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", between, names[i]);
    }
    return few__arena_strdup(arena, text);
}

/* Levenshtein's distance of two short texts. */
static size_t edits(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t row[NAME_MAX_COMPARED + 1];
    for (size_t j = 0; j <= n_b; j++) row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[n_b];
}

const char *few__nearest_name(const char *name, const char *const *names, size_t n)
{
    size_t length = strnlen(name, NAME_MAX_COMPARED + 1), best = (length + 2) / 3 + 1;
    const char *nearest = NULL;
    if (length > NAME_MAX_COMPARED) return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strnlen(names[i], NAME_MAX_COMPARED + 1);
        size_t apart = other > length ? other - length : length - other;
        if (other > NAME_MAX_COMPARED || apart >= best) continue;
        size_t distance = edits(name, length, names[i], other);
        if (distance >= best) continue;
        best = distance;
        nearest = names[i];
    }
    return nearest;
}

/* ---- collecting ---- */

bool few__problems_full(const struct few__problems *p)
{
    return p->total >= FEW_ZOO_PROBLEMS_MAX;
}

enum { WHERE_DEPTH = 16 };

static const char *where_text(struct few__arena *arena, const struct few__where *where)
{
    const struct few__where *chain[WHERE_DEPTH];
    size_t n = 0, used = 0;
    char text[TEXT_MAX] = "";
    for (; where && n < WHERE_DEPTH; where = where->up) chain[n++] = where;
    while (n-- > 0 && used < sizeof text) {
        const struct few__where *w = chain[n];
        if (w->key)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "." : "", w->key);
        else used += (size_t)snprintf(text + used, sizeof text - used, "[%zu]", w->index);
    }
    return few__arena_strdup(arena, text);
}

static bool before(struct few__place a, const struct few_problem *b)
{
    return a.line != b->line ? a.line < b->line : a.column < b->column;
}

void few__problem(struct few__problems *p, struct few__place place, const struct few__where *where,
                  const char *found, const char *expected, ...)
{
    p->total++;
    if (p->n == FEW_ZOO_PROBLEMS_MAX && !before(place, &p->items[p->n - 1])) return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, expected);
    vsnprintf(text, sizeof text, expected, args);
    va_end(args);
    struct few_problem problem = {.file = p->file, .line = place.line, .column = place.column};
    problem.where = where_text(p->arena, where);
    problem.expected = few__arena_strdup(p->arena, text);
    problem.found = found ? few__arena_strdup(p->arena, found) : NULL;
    if (!problem.where || !problem.expected || !problem.found) {
        p->no_memory = true;
        return;
    }
    if (p->n < FEW_ZOO_PROBLEMS_MAX) p->n++;
    size_t at = p->n - 1;
    for (; at > 0 && before(place, &p->items[at - 1]); at--) p->items[at] = p->items[at - 1];
    p->items[at] = problem;
}

/* ---- reporting ---- */

static int print_problem(char *to, size_t room, const struct few_problem *p)
{
    const char *colon = p->where[0] ? ": " : "";
    if (p->line == 0)
        return snprintf(to, room, "\n%s: %s%sexpected %s, found %s", p->file, p->where, colon, p->expected,
                        p->found);
    return snprintf(to, room, "\n%s:%d:%d: %s%sexpected %s, found %s", p->file, p->line, p->column, p->where,
                    colon, p->expected, p->found);
}

enum few_status few__problems_report(const struct few__problems *p, few_problem_fn fn, void *ud,
                                     struct few_error *err)
{
    enum { MORE = 40 }; // room for the last line
    const char *what = p->what ? p->what : "manifest";
    if (p->no_memory) return few__no_memory(err, what);
    if (p->total == 0) return FEW_OK;
    for (size_t i = 0; fn && i < p->n; i++) fn(ud, &p->items[i]);
    enum few_status status = few__fail(err, FEW_EPARSE, "%s: %zu mistake%s in the %s", p->file, p->total,
                                       p->total == 1 ? "" : "s", what);
    if (!err) return status;
    size_t used = strlen(err->message), shown = 0, end = sizeof err->message - MORE;
    for (; shown < p->n && used < end; shown++) {
        int n = print_problem(err->message + used, end - used, &p->items[shown]);
        if (n < 0 || (size_t)n >= end - used) break;
        used += (size_t)n;
    }
    err->message[used < sizeof err->message ? used : sizeof err->message - 1] = '\0';
    if (shown < p->total && used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - used, "\n... and %zu more", p->total - shown);
    return status;
}
