// SPDX-License-Identifier: Apache-2.0
// Streams in the summary. A folder of ten thousand clips gets one line, and one for each clip that something happened to.
#include "streams.h"

#include <stdlib.h>
#include <string.h>

enum { TROUBLES_SHOWN = 10 };

/* ---- now ---- */

void streams_begin(struct streams *streams, const struct few_items *items)
{
    streams->items = items;
    streams->n_active = 0;
    for (size_t i = 0; items && i < few_items_count(items) && streams->n_active < FEW_STREAMS_MAX; i++)
        if (strstr(few_items_path(items, i), "://")) streams_saw(streams, i);
}

void streams_saw(struct streams *streams, size_t entry)
{
    size_t k = 0;
    if (entry == SIZE_MAX) return;
    while (k < streams->n_active && streams->active[k] != entry) k++;
    if (k == streams->n_active && k < STREAMS_ACTIVE_MAX) streams->active[streams->n_active++] = entry;
}

size_t streams_look(struct streams *streams, const struct few_session *session)
{
    size_t kept = 0, n = 0;
    for (size_t i = 0; i < streams->n_active; i++) {
        struct few_stream_stats row = {.size = sizeof row};
        bool known = few_session_stream(session, streams->active[i], &row) == FEW_OK;
        if (known) streams->rows[n++] = row;
        if (!known || !row.ended) streams->active[kept++] = streams->active[i];
    }
    streams->n_active = kept;
    return n;
}

/* ---- in the end ---- */

struct few_stream_stats *streams_all(const struct few_items *items, const struct few_session *session,
                                     size_t *n)
{
    struct few_stream_stats *rows = NULL;
    size_t room = 0;
    *n = 0;
    for (size_t i = 0; items && i < few_items_count(items); i++) {
        struct few_stream_stats row = {.size = sizeof row};
        if (few_session_stream(session, i, &row) != FEW_OK) continue;
        if (row.n_in == 0 && !row.is_live && !row.message[0]) continue; // the limit came before its turn
        if (*n == room) {
            room = room ? 2 * room : 16;
            struct few_stream_stats *grown = realloc(rows, room * sizeof *rows);
            if (!grown) break;
            rows = grown;
        }
        rows[(*n)++] = row;
    }
    return rows;
}

json_t *stream_json(const struct few_stream_stats *s, bool whole)
{
    json_t *age = s->newest_age_us >= 0 ? json_real((double)s->newest_age_us / 1e3) : json_null();
    json_t *row = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "path", json_name(s->path), "in",
                            (json_int_t)s->n_in, "analysed", (json_int_t)s->n_analysed, "reused",
                            (json_int_t)s->n_reused, "dropped", (json_int_t)s->n_dropped, "failed",
                            (json_int_t)s->n_failed, "age_ms", age);
    if (!row || !whole) return row;
    json_t *more =
        json_pack("{s:I, s:I, s:b, s:b, s:i, s:i, s:f, s:f, s:o}", "damaged", (json_int_t)s->n_damaged,
                  "reconnects", (json_int_t)s->n_reconnects, "live", s->is_live, "ended", s->ended, "width",
                  s->width, "height", s->height, "fps", s->fps, "duration_s", (double)s->duration_us / 1e6,
                  "message", json_name(s->message));
    if (!more || json_object_update(row, more) != 0) {
        json_decref(row);
        row = NULL;
    }
    json_decref(more);
    return row;
}

json_t *streams_json(const struct few_stream_stats *rows, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++) json_array_append_new(list, stream_json(&rows[i], true));
    return list;
}

static bool is_trouble(const struct few_stream_stats *s)
{
    return s->message[0] || s->n_damaged || s->n_reconnects || s->n_dropped || s->n_failed;
}

static void print_count(uint64_t count, const char *what, FILE *to)
{
    char text[32];
    if (count > 0) fprintf(to, ", %s %s", show_count(count, text, sizeof text), what);
}

static void print_stream(const struct few_stream_stats *s, FILE *to)
{
    char in[32];
    fprintf(to, "  %s: %s in", s->path, show_count(s->n_in, in, sizeof in));
    print_count(s->n_analysed, "analysed", to);
    print_count(s->n_reused, "reused", to);
    print_count(s->n_dropped, "dropped", to);
    print_count(s->n_failed, "failed", to);
    print_count(s->n_damaged, "damaged", to);
    print_count(s->n_reconnects, s->n_reconnects == 1 ? "reconnect" : "reconnects", to);
    if (s->message[0]) fprintf(to, "; %s", s->message);
    fputc('\n', to);
}

void streams_print(const struct few_stream_stats *rows, size_t n, bool troubles, FILE *to)
{
    char count[32], in[32];
    struct few_stream_stats sum = {.path = ""};
    size_t n_troubles = 0, shown = 0;
    if (n == 0) return;
    for (size_t i = 0; i < n; i++) {
        sum.n_in += rows[i].n_in;
        sum.n_analysed += rows[i].n_analysed;
        sum.n_reused += rows[i].n_reused;
        sum.n_dropped += rows[i].n_dropped;
        n_troubles += is_trouble(&rows[i]);
    }
    if (troubles && n_troubles == 0) return;
    fprintf(to, "%s stream%s: %s in", show_count(n, count, sizeof count), n == 1 ? "" : "s",
            show_count(sum.n_in, in, sizeof in));
    print_count(sum.n_analysed, "analysed", to);
    print_count(sum.n_reused, "reused", to);
    print_count(sum.n_dropped, "dropped", to);
    fputc('\n', to);
    for (size_t i = 0; i < n && shown < TROUBLES_SHOWN; i++) {
        if (!is_trouble(&rows[i]) && (troubles || n > TROUBLES_SHOWN)) continue;
        print_stream(&rows[i], to);
        shown++;
    }
    size_t more = n_troubles > TROUBLES_SHOWN ? n_troubles - TROUBLES_SHOWN : 0;
    if (more > 0 && shown == TROUBLES_SHOWN)
        fprintf(to, "  ... and %s more of which there is something to say\n",
                show_count(more, count, sizeof count));
}
