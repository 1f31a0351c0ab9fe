// SPDX-License-Identifier: Apache-2.0
/* Reading an item on the thread of a lane: its parts, once for all models, and its thumbnail. What comes of it lies in the
 * item's place, and is for others once is_read. */
#include "session/session_internal.h"

void few__session_give_back(struct few_session *s, struct few__item *moment)
{
    if (moment->moment) few__items_give_back(s->items, moment);
    moment->moment = NULL;
}

// The picture is copied into planes of the place; the sound stays where it is.
static enum few_status read_moment(struct few__place *place, struct few_error *err)
{
    const struct few__moment *moment = place->moment.moment;
    if (moment->picture) {
        FEW__TRY(few__moment_image(moment, &place->planes, &place->image, err));
        place->parts.image = &place->image;
    }
    place->parts.n_sounds = moment->n_sounds;
    for (size_t i = 0; i < moment->n_sounds; i++) place->parts.sounds[i] = moment->sounds[i];
    return FEW_OK;
}

// Of a recording's frame a run keeps none: it can be decoded again, and 12 KiB of each would be nearly all of the file.
static bool wants_thumbnail(const struct few_session *s, const struct few__place *place)
{
    if (!s->store || s->opts.no_pixels || !place->parts.image) return false;
    bool again = place->moment.moment && place->moment.digest[0];
    return s->opts.purpose == FEW_RECORD || !again;
}

static enum few_status read_parts(struct few_session *s, struct few__place *place, size_t index,
                                  struct few_error *err)
{
    if (place->moment.moment) FEW__TRY(read_moment(place, err));
    else
        FEW__TRY(few__record_read(place->records, &place->record, place->bytes, place->n_bytes, &place->parts,
                                  err));
    few__workspace_begin(s->workspace, index, &place->parts, place->digest);
    if (!wants_thumbnail(s, place)) return FEW_OK;
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
    place->parts = (struct few__parts){0};
    place->has_thumbnail = false;
    enum few_status status = read_parts(s, place, index, err);
    *parts = few__parts_mask(&place->parts);
    if (status != FEW_OK || place->parts.n_sounds == 0) few__session_give_back(s, &place->moment);
    place->read_at_us = few__now_us(&s->env);
    place->decode_us = place->read_at_us - began;
    atomic_store(&place->is_read, true);
    return status;
}
