// SPDX-License-Identifier: Apache-2.0
/* Export of what is seen in recordings, as FiftyOne's temporal detections: a segment is a run of consecutive moments of a
 * stream which all have the same valuable label, whichever models say it. A moment without the label ends it, also one at
 * which nobody looked. Streams take turns in the file, so segments are kept (40 bytes each) and written by stream. */
#include "export/export.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "export/export_fiftyone.h"
#include "model/output.h"

struct segment {
    int64_t stream;
    int64_t from_us, until_us;
    int32_t label;    // of the catalog
    float confidence; // the highest
    int64_t next;     // open one of the same stream, -1 = none
};

_Static_assert(sizeof(struct segment) == 40, "as the page says");

struct temporal {
    struct few__export_classes classes;
    struct few__fiftyone all;
    struct segment *segments; // (room,)
    size_t n, room;
    int64_t *open;                        // (n_streams,) first segment that reached the stream's last moment
    struct few_valuable *valuable, *seen; // of a model; of the item: (n_labels,)
    size_t n_seen;
    int64_t *place; // (n_labels,) in seen, -1 = not there
};

/* ---- what is seen at a moment ---- */

static void see(struct temporal *t, const struct few_valuable *said)
{
    int64_t at = t->place[said->label];
    if (at < 0) {
        t->place[said->label] = (int64_t)t->n_seen;
        t->seen[t->n_seen++] = *said;
    } else if (said->confidence > t->seen[at].confidence) {
        t->seen[at].confidence = said->confidence;
    }
}

static void see_all(const struct few__export *ex, struct temporal *t)
{
    while (t->n_seen > 0) t->place[t->seen[--t->n_seen].label] = -1;
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        if (!ex->outputs[m]) continue;
        size_t n = few__valuable(&ex->catalog->models[m], ex->outputs[m], t->valuable, ex->catalog->n_labels);
        for (size_t i = 0; i < n; i++) see(t, &t->valuable[i]);
    }
}

/* ---- segments ---- */

static enum few_status add_segment(struct few__export *ex, struct temporal *t, struct segment segment,
                                   struct few_error *err)
{
    if (t->n == t->room) {
        size_t room = t->room ? 2 * t->room : 1024;
        struct segment *grown = few__resize(NULL, t->segments, room, sizeof *grown);
        if (!grown) return few__no_memory(err, ex->path);
        t->segments = grown;
        t->room = room;
    }
    t->segments[t->n++] = segment;
    return FEW_OK;
}

// Nothing of the stream was left out between them: at most as long as the moment itself.
static bool follows(const struct segment *segment, const struct few__item_row *item)
{
    int64_t length = item->until_us - item->at_us;
    return item->at_us >= segment->from_us &&
           (length <= 0 || item->at_us <= segment->until_us || item->at_us - segment->until_us <= length);
}

// The open segments whose label is seen again go on; the others are closed, which nothing more need be done for.
static int64_t go_on(struct temporal *t, const struct few__item_row *item)
{
    int64_t first = -1;
    for (int64_t at = t->open[item->stream], next; at >= 0; at = next) {
        struct segment *segment = &t->segments[at];
        next = segment->next;
        int64_t place = t->place[segment->label];
        if (place < 0 || !follows(segment, item)) continue;
        if (t->seen[place].confidence > segment->confidence) segment->confidence = t->seen[place].confidence;
        if (item->until_us > segment->until_us) segment->until_us = item->until_us;
        segment->next = first;
        first = at;
        t->place[segment->label] = -2 - at; // told already
    }
    return first;
}

static enum few_status take_moment(struct few__export *ex, const struct few__item_row *item,
                                   struct few_error *err)
{
    struct temporal *t = ex->form;
    if (item->stream < 0) return FEW_OK;
    see_all(ex, t);
    t->open[item->stream] = go_on(t, item);
    for (size_t i = 0; i < t->n_seen; i++) {
        if (t->place[t->seen[i].label] < -1) continue;
        const struct segment segment = {.stream = item->stream,
                                        .from_us = item->at_us,
                                        .until_us =
                                            item->until_us > item->at_us ? item->until_us : item->at_us,
                                        .label = t->seen[i].label,
                                        .confidence = t->seen[i].confidence,
                                        .next = t->open[item->stream]};
        FEW__TRY(add_segment(ex, t, segment, err));
        t->open[item->stream] = (int64_t)t->n - 1;
    }
    return FEW_OK;
}

/* ---- writing ---- */

static int by_stream(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
    if (x->from_us != y->from_us) return x->from_us < y->from_us ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

static void put_segment(struct few__export *ex, const struct temporal *t, const struct segment *segment)
{
    few__text_printf(&ex->text, "{\"label\":%d,\"timestamps\":[", (int)t->classes.numbers[segment->label]);
    few__export_seconds(&ex->text, segment->from_us);
    few__text_put(&ex->text, ",");
    few__export_seconds(&ex->text, segment->until_us);
    few__text_put(&ex->text, "],\"confidence\":");
    few__text_float(&ex->text, segment->confidence);
    few__text_put(&ex->text, "}");
}

// A live stream is no file that could be opened again.
static enum few_status put_streams(struct few__export *ex, const struct temporal *t, struct few_error *err)
{
    size_t at = 0;
    for (size_t i = 0; i < ex->n_streams; i++) {
        const char *between = "";
        bool written = !ex->streams[i].is_live;
        if (written) few__fiftyone_key(ex, &t->all, ex->streams[i].path, true);
        if (written) few__text_put(&ex->text, "[");
        for (; at < t->n && t->segments[at].stream == (int64_t)i; at++) {
            if (!written) continue;
            few__text_put(&ex->text, between);
            put_segment(ex, t, &t->segments[at]);
            between = ",\n ";
            FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
        }
        if (written) few__text_put(&ex->text, "]");
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    return FEW_OK;
}

static bool gives_any(const struct few_model *model)
{
    (void)model;
    return true;
}

static enum few_status prepare(struct few__export *ex, struct temporal *t, struct few_error *err)
{
    size_t n_labels = ex->catalog->n_labels;
    t->open = FEW__ARENA_NEW(&ex->arena, int64_t, ex->n_streams);
    t->valuable = FEW__ARENA_NEW(&ex->arena, struct few_valuable, n_labels);
    t->seen = FEW__ARENA_NEW(&ex->arena, struct few_valuable, n_labels);
    t->place = FEW__ARENA_NEW(&ex->arena, int64_t, n_labels);
    if (!t->open || !t->valuable || !t->seen || !t->place) return few__no_memory(err, ex->path);
    for (size_t i = 0; i < ex->n_streams; i++) t->open[i] = -1;
    for (size_t i = 0; i < n_labels; i++) t->place[i] = -1;
    return few__export_classes(ex, gives_any, &t->classes, err);
}

static enum few_status write_temporal(struct few__export *ex, struct temporal *t, struct few_error *err)
{
    FEW__TRY(prepare(ex, t, err));
    ex->form = t;
    FEW__TRY(few__export_each(ex, take_moment, err));
    if (t->n) qsort(t->segments, t->n, sizeof *t->segments, by_stream);
    for (size_t i = 0; i < ex->n_streams; i++)
        if (!ex->streams[i].is_live) FEW__TRY(few__fiftyone_see(&t->all, ex, ex->streams[i].path, err));
    FEW__TRY(few__fiftyone_begin(ex, &t->all, &t->classes, err));
    FEW__TRY(put_streams(ex, t, err));
    few__fiftyone_end(ex);
    return FEW_OK;
}

enum few_status few__export_fiftyone_temporal(struct few__export *ex, struct few_error *err)
{
    struct temporal t = {0};
    enum few_status status = write_temporal(ex, &t, err);
    few__free(NULL, t.segments);
    return status;
}
