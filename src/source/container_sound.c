// SPDX-License-Identifier: Apache-2.0
/* The sound of a moment's span, which may come later in the recording than its pictures: how long it is waited for, and
 * how much of it is kept. */
#include <string.h>

#include "core/error.h"
#include "source/container_inside.h"

static const int64_t live_late_us = 1000000; // as FEW__SOUND_LATE_US

enum few_status few__sound_wait(struct few__container *c, int64_t until_us, struct few_error *err)
{
    int64_t late = c->live ? live_late_us : FEW__SOUND_LATE_US;
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
    if (until_us - from_us > FEW__SOUND_KEPT_US) until_us = from_us + FEW__SOUND_KEPT_US;
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
