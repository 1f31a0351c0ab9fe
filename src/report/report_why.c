// SPDX-License-Identifier: Apache-2.0
/* Why a model ran on an item or not. A policy that reckons in value ends its reason in numbers (few__reason_text): "chosen by
 * value_net: worth 0.031/ms, price 0.004/ms", "not worth its time, says value_net: 0.001/ms, price 0.004/ms". They are the value
 * that it expected over the time that it takes, and what that had to be. They differ on every item, so whatever counts
 * reasons leaves them out. */
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

struct worth {
    size_t at;           // where ": worth 0.031/ms" begins in the reason
    double value, price; // price: 0 = there is none
};

// "0.031/ms": what stands behind it, or NULL.
static const char *read_rate(const char *text, double *rate)
{
    static const char unit[] = "/ms";
    char *end;
    *rate = strtod(text, &end);
    return end != text && strncmp(end, unit, strlen(unit)) == 0 ? end + strlen(unit) : NULL;
}

static bool read_worth(const char *reason, struct worth *worth)
{
    static const char said[] = "worth ", between[] = ", price ";
    const char *at = strrchr(reason, ':');
    *worth = (struct worth){0};
    if (!at || at[1] != ' ') return false;
    worth->at = (size_t)(at - reason);
    at += 2;
    if (strncmp(at, said, strlen(said)) == 0) at += strlen(said);
    at = read_rate(at, &worth->value);
    if (!at || *at == 0) return at != NULL;
    if (strncmp(at, between, strlen(between)) != 0) return false;
    at = read_rate(at + strlen(between), &worth->price);
    return at && *at == 0;
}

const char *few__report_general(const struct few__cell *cell, char words[FEW__REPORT_WORDS])
{
    static const char same[] = "same as ", unchanged[] = "unchanged since ";
    struct worth worth;
    if (read_worth(cell->reason, &worth) && worth.at < FEW__REPORT_WORDS) {
        memcpy(words, cell->reason, worth.at);
        words[worth.at] = 0;
        return words;
    }
    if (cell->outcome != FEW_REUSED) return cell->reason;
    if (strncmp(cell->reason, same, strlen(same)) == 0) return "same as an earlier item";
    if (strncmp(cell->reason, unchanged, strlen(unchanged)) == 0) return "unchanged since an earlier frame";
    return cell->reason;
}

// As long as the worth is to the price, which is in the middle.
void few__report_worth(struct few__text *text, const char *reason)
{
    struct worth worth;
    if (!read_worth(reason, &worth) || !(worth.price > 0)) return;
    double value = worth.value > 0 ? worth.value : 0;
    few__text_printf(text, "<span class=\"worth\"><i style=\"width:%.0f%%\"></i></span>",
                     100 * value / (value + worth.price));
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
