// SPDX-License-Identifier: Apache-2.0
/* Reading an item on the thread of a lane: decode it once for all models, make its thumbnail. What comes of it lies in the
 * item's place, and is for others once is_read. */
#include "session/session_internal.h"

static enum few_status decode(struct few_session *s, struct few__place *place, size_t index)
{
    struct few_error *err = &place->error;
    FEW__TRY(
        few__image_decode(place->decoder, place->path, place->bytes, place->n_bytes, &place->image, err));
    const struct few__parts parts = {.image = &place->image};
    few__workspace_begin(s->workspace, index, &parts, place->digest);
    if (!s->store || s->opts.no_pixels) return FEW_OK;
    FEW__TRY(
        few__preprocess_thumbnail(few__workspace_preprocess(s->workspace, index), place->thumbnail, err));
    place->has_thumbnail = true;
    return FEW_OK;
}

enum few_status few__session_read(void *session, size_t index, unsigned *parts, struct few_error *err)
{
    struct few_session *s = session;
    struct few__place *place = &s->places[index];
    int64_t began = few__now_us(&s->env);
    place->error = (struct few_error){.message = ""};
    place->image = (struct few__image){0};
    place->has_thumbnail = false;
    enum few_status status = decode(s, place, index);
    place->read_at_us = few__now_us(&s->env);
    place->decode_us = place->read_at_us - began;
    if (status == FEW_OK) *parts = 1u << FEW_IMAGE;
    else if (err) *err = place->error;
    atomic_store(&place->is_read, true);
    return status;
}
