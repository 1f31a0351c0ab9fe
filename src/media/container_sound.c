// SPDX-License-Identifier: Apache-2.0
/* The sound of a moment's span, which may come later in the recording than its pictures: how long it is waited for, and
 * how much of it is kept. */
#include <string.h>

#include "core/error.h"
#include "media/container_inside.h"

// A second less than the track keeps, for packets are long.
static const int64_t kept_us = (int64_t)(FEW__SOUND_MAX_S - 1) * 1000000;
// Sound that comes so much later in the recording than the pictures of its time is not waited for.
static const int64_t late_us = 10000000, live_late_us = 1000000;

enum few_status few__sound_push(struct few__container *c, const AVPacket *packet, struct few_error *err)
{
    if (c->mute || c->full) return FEW_OK;
    enum few_status got = few__sound_track_push(c->track, packet, err);
    if (got == FEW_ELIMIT) c->n_damaged++; // left out: time is odd
    else if (got != FEW_OK) return got;
    if (!packet || c->i_video < 0) return FEW_OK;
    int64_t until = few__sound_track_until(c->track);
    if (until == INT64_MAX) return FEW_OK;
    if (c->held.is) {
        c->full = until - c->held.at_us >= kept_us;
    } else if (until - c->sound_from_us >= kept_us / 2) { // there is no picture yet that it could go with
        c->sound_from_us = until - late_us;
        few__sound_track_drop(c->track, c->sound_from_us);
    }
    return FEW_OK;
}

enum few_status few__sound_wait(struct few__container *c, int64_t until_us, struct few_error *err)
{
    int64_t late = c->live ? live_late_us : late_us;
    while (!c->at_end && !c->full && few__sound_track_until(c->track) < until_us) {
        if (c->i_video >= 0 && (few__queue_full(&c->queue) || c->picture_read_us - until_us > late)) break;
        enum few_status got = few__input_read(c, err);
        if (got != FEW_OK && got != FEW_END) return got;
    }
    return FEW_OK;
}

enum few_status few__sound_give(struct few__container *c, int64_t from_us, int64_t until_us,
                                struct few__moment *moment, struct few_error *err)
{
    const size_t align = FEW__BUFFER_ALIGN;
    struct few__sound sounds[FEW__RATES_MAX];
    size_t n = 0, bytes = 0, at = 0;
    if (until_us - from_us > kept_us) until_us = from_us + kept_us;
    FEW__TRY(few__sound_track_take(c->track, from_us, until_us, sounds, &n, err));
    for (size_t i = 0; i < n; i++) bytes += (sounds[i].n * sizeof(float) + align - 1) / align * align;
    char *memory = bytes > 0 ? few__buffer_reserve(&moment->memory, bytes) : NULL;
    if (bytes > 0 && !memory) return few__no_memory(err, "sound of a moment");
    for (size_t i = 0; i < n && memory; i++) {
        memcpy(memory + at, sounds[i].samples, sounds[i].n * sizeof(float));
        moment->sounds[i] = sounds[i];
        moment->sounds[i].samples = (const float *)(void *)(memory + at);
        at += (sounds[i].n * sizeof(float) + align - 1) / align * align;
    }
    moment->n_sounds = memory ? n : 0;
    if (c->full) few__sound_track_reset(c->track);
    else few__sound_track_drop(c->track, until_us);
    c->full = false;
    return FEW_OK;
}
