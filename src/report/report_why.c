// SPDX-License-Identifier: Apache-2.0
/* Why a model ran on an item or not. A policy that stops by a price says so in numbers, "worth 0.031/ms, price 0.004/ms": the
 * value that it expected over the time that it takes, and what that had to be. They differ on every item, so whatever counts
 * reasons leaves them out. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

// worth, price: out, above 0
static bool read_worth(const char *reason, double *worth, double *price)
{
    static const char said[] = "worth ", between[] = "/ms, price ", last[] = "/ms";
    char *end;
    const char *at = strstr(reason, said);
    if (!at) return false;
    *worth = strtod(at + strlen(said), &end);
    if (end == at + strlen(said) || strncmp(end, between, strlen(between)) != 0) return false;
    at = end + strlen(between);
    *price = strtod(at, &end);
    return end != at && strncmp(end, last, strlen(last)) == 0 && *price > 0 && *worth >= 0;
}

const char *few__report_general(const struct few__cell *cell)
{
    static const char same[] = "same as ", unchanged[] = "unchanged since ";
    double worth, price;
    if (read_worth(cell->reason, &worth, &price))
        return cell->outcome == FEW_SKIPPED ? "not worth its time" : "worth its time";
    if (cell->outcome != FEW_REUSED) return cell->reason;
    if (strncmp(cell->reason, same, strlen(same)) == 0) return "same as an earlier item";
    if (strncmp(cell->reason, unchanged, strlen(unchanged)) == 0) return "unchanged since an earlier frame";
    return cell->reason;
}

// As long as worth is to price: the price is in the middle.
void few__report_worth(struct few__text *text, const char *reason)
{
    double worth, price;
    if (!read_worth(reason, &worth, &price)) return;
    few__text_printf(text, "<span class=\"worth\"><i style=\"width:%.0f%%\"></i></span>",
                     100 * worth / (worth + price));
}

struct place {
    int64_t start_us; // INT64_MAX: was not started
    size_t model;
};

static int by_start(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->start_us != y->start_us) return x->start_us < y->start_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

size_t few__report_order(const struct few__report *report, const struct few__cell *cells,
                         struct few__arena *arena, size_t *order)
{
    size_t n = report->catalog->n_models, n_started = 0;
    struct place *places = FEW__ARENA_NEW(arena, struct place, n);
    for (size_t m = 0; m < n; m++) {
        order[m] = m;
        bool started = cells[m].start_us >= 0;
        if (places) places[m] = (struct place){started ? cells[m].start_us : INT64_MAX, m};
        n_started += started;
    }
    if (!places) return 0;
    qsort(places, n, sizeof *places, by_start);
    for (size_t i = 0; i < n; i++) order[i] = places[i].model;
    return n_started;
}
