// SPDX-License-Identifier: Apache-2.0
/* What the store knows of an item of no stream before work on it starts, and how a result is kept.
 *
 * Name, size and time of change tell an unchanged item without reading it; if they do not, its digest does. An item of
 * the same bytes as an earlier one gets the same answers. Whatever is in flight is waited for where it decides that,
 * so that a run's results do not depend on what finished first. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "session/session_internal.h"

enum { CONFIG_MAX = 64 << 10 };

/* ---- what decides results ---- */

static const char *variants_name(enum few__variant_rule rule)
{
    return rule == FEW__VARIANTS_ALL ? "all" : rule == FEW__VARIANTS_DEAREST ? "dearest" : "cascade";
}

static void put_memory(struct few__text *text, const struct few_session_opts *opts)
{
    if (opts->memory_bytes) few__text_printf(text, ", \"memory_bytes\": %ju", (uintmax_t)opts->memory_bytes);
    if (opts->memory_share > 0) {
        few__text_put(text, ", \"memory_share\": ");
        few__text_double(text, opts->memory_share, 9);
    }
}

static bool has_variants(const struct few_catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_models; i++)
        if (catalog->models[i].variant_of >= 0) return true;
    return false;
}

// What is done with frames that look alike, and with segments of streams.
static void put_streams(struct few__text *text, const struct few_session *s)
{
    if (s->opts.reuse_below > 0) {
        few__text_printf(text,
                         ", \"reuse\": \"%s\", \"reuse_below\": ", few_feature_name(s->opts.reuse_feature));
        few__text_double(text, s->opts.reuse_below, 9);
    }
    if (s->opts.reuse_below > 0 || s->explores) {
        few__text_put(text, ", \"segment_s\": ");
        few__text_double(text, (double)s->segment_us / 1e6, 12);
    }
}

char *few__session_config(const struct few_session *s)
{
    struct few__text text;
    const char *digest = few__policy_digest(s->policy);
    few__text_init(&text, s->env.mem, CONFIG_MAX);
    few__text_put(&text, "{\"policy\": ");
    few__text_json(&text, few_policy_name(s->policy));
    if (*digest) few__text_printf(&text, ", \"policy_digest\": \"%s\"", digest);
    if (few__policy_recall(s->policy) > 0) {
        few__text_put(&text, ", \"recall\": ");
        few__text_double(&text, few__policy_recall(s->policy), 12);
    }
    few__text_put(&text, ", \"deadline_ms\": ");
    few__text_double(&text, (double)s->opts.deadline_us / 1e3, 12);
    put_memory(&text, &s->opts);
    put_streams(&text, s);
    bool stand_in = s->variants != FEW__VARIANTS_ALL && has_variants(&s->zoo->catalog);
    few__text_printf(&text, ", \"variants\": \"%s\", \"base\": \"%s\", \"pixels\": %s}",
                     variants_name(s->variants), stand_in ? "dearest of each variant group" : "all models",
                     s->opts.no_pixels ? "false" : "true");
    if (few__text_ok(&text)) return text.s;
    few__text_finish(&text);
    return NULL;
}

/* ---- looking up ---- */

// A file that is gone keeps what was said about it.
static bool is_unchanged(const struct few__looks *now, const struct few__known *known)
{
    return !now->exists || (known->mtime_us == now->mtime_us && known->size == now->size);
}

// The item in flight of that path, or of that digest.
static const struct few__passage *find_inside(const struct few_session *s, bool by_path, const char *text)
{
    for (size_t i = 0; i < s->n_inside; i++) {
        const struct few__passage *item = &s->passages[(s->first + i) % s->n_passages];
        if (!item->stored && strcmp(by_path ? item->path : item->digest, text) == 0) return item;
    }
    return NULL;
}

/* By path: sets *verdict to DONE or BLOCKED if that decides it; otherwise item->id and *known_digest (or "") are those of
 * the store's row that will be replaced. */
static enum few_status look_up_path(struct few_session *s, struct few__passage *item,
                                    char known_digest[FEW__SHA256_HEX], enum few__verdict *verdict,
                                    struct few_error *err)
{
    struct few__known known;
    const struct few__looks now = few__record_looks(&item->record);
    item->size = now.size;
    item->mtime_us = now.mtime_us;
    known_digest[0] = 0;
    if (!s->store || item->from_store) return FEW_OK;
    if ((s->blocker = find_inside(s, true, item->path))) {
        *verdict = FEW__VERDICT_BLOCKED;
        return FEW_OK;
    }
    enum few_status status = few__store_find_path(s->store, item->path, &known, err);
    if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
    item->id = (uint64_t)known.id;
    item->replaces = true;
    memcpy(known_digest, known.digest, FEW__SHA256_HEX);
    if (is_unchanged(&now, &known)) {
        few__session_kept(item, 1);
        *verdict = FEW__VERDICT_DONE;
    }
    return FEW_OK;
}

static enum few_status look_up_digest(struct few_session *s, struct few__passage *item,
                                      enum few__verdict *verdict, struct few_error *err)
{
    struct few__known known;
    if (!s->store) return FEW_OK;
    if ((s->blocker = find_inside(s, false, item->digest))) {
        *verdict = FEW__VERDICT_BLOCKED;
        return FEW_OK;
    }
    enum few_status status = few__store_find_digest(s->store, item->digest, &known, err);
    if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
    *verdict = FEW__VERDICT_DONE;
    return few__session_reuse(s, item, known.id, err);
}

/* ---- all of it ---- */

// bytes: of an image, which is read anyway for its digest; else NULL.
static enum few_status read_item(struct few_session *s, struct few__passage *item, const void **bytes,
                                 size_t *n_bytes, struct few_error *err)
{
    const struct few__record *record = &item->record;
    *bytes = NULL;
    *n_bytes = 0;
    if (!few__record_is_image(record)) return few__record_digest(record, item->digest, err);
    FEW__TRY(
        few__file_reader_read(&s->reader, record->image.path, FEW__IMAGE_BYTES_MAX, bytes, n_bytes, err));
    if (few__sha256(*bytes, *n_bytes, item->digest) != FEW_OK) return few__no_memory(err, item->path);
    return FEW_OK;
}

enum few_status few__session_look_up(struct few_session *s, struct few__passage *item, const void **bytes,
                                     size_t *n_bytes, enum few__verdict *verdict, struct few_error *err)
{
    char known_digest[FEW__SHA256_HEX];
    struct few_error reading = {.message = ""};
    *verdict = FEW__VERDICT_RUN;
    *bytes = NULL;
    *n_bytes = 0;
    if (item->stream >= 0 && item->wrong.code == FEW_OK) return FEW_OK; // a failed moment, once more
    FEW__TRY(look_up_path(s, item, known_digest, verdict, err));
    if (*verdict != FEW__VERDICT_RUN) return FEW_OK;
    if (item->wrong.code != FEW_OK) {
        *verdict = FEW__VERDICT_DONE;
        return few__session_fail(s, item, item->wrong.code, item->wrong.message, err);
    }

    item->arrival_us = few__now_us(&s->env);
    enum few_status status = read_item(s, item, bytes, n_bytes, &reading);
    item->read_us = few__now_us(&s->env) - item->arrival_us;
    if (status == FEW_ENOMEM) return few__no_memory(err, item->path);
    if (status != FEW_OK) {
        *verdict = FEW__VERDICT_DONE;
        return few__session_fail(s, item, status, reading.message, err);
    }
    if (*known_digest && strcmp(known_digest, item->digest) == 0) {
        few__session_kept(item, 1);
        *verdict = FEW__VERDICT_DONE;
        return FEW_OK;
    }
    return look_up_digest(s, item, verdict, err);
}

enum few_status few__session_has(struct few_session *s, const struct few__record *record, bool *has,
                                 uint64_t *bytes, struct few_error *err)
{
    struct few__known known;
    const struct few__looks now = few__record_looks(record);
    *has = false;
    *bytes = now.size;
    if (!s->store) return FEW_OK;
    enum few_status status = few__store_find_path(s->store, record->name, &known, err);
    if (status == FEW_OK) *has = is_unchanged(&now, &known);
    return status == FEW_END ? FEW_OK : status;
}

/* ---- keeping ---- */

enum few_status few__session_keep(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    if (!s->store || item->stored) return FEW_OK;
    const struct few_result *r = &item->result;
    const struct few__item_row row = {.path = r->path,
                                      .digest = item->digest,
                                      .size = item->size,
                                      .mtime_us = item->mtime_us,
                                      .width = r->width,
                                      .height = r->height,
                                      .decode_us = r->decode_us,
                                      .elapsed_us = r->elapsed_us,
                                      .runtime_us = item->runtime_us,
                                      .run_all_us = item->run_all_us,
                                      .deadline_missed = r->deadline_missed,
                                      .status = r->status,
                                      .message = r->message,
                                      .thumbnail = item->thumbnail,
                                      .stream = item->stream,
                                      .at_us = item->at_us,
                                      .until_us = item->until_us,
                                      .age_us = r->age_us,
                                      .look = item->look};
    if (item->replaces) FEW__TRY(few__store_replace(s->store, (int64_t)item->id, &row, item->cells, err));
    else FEW__TRY(few__store_put(s->store, &row, item->cells, err));
    item->stored = true;
    return FEW_OK;
}
