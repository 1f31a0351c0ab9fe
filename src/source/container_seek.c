// SPDX-License-Identifier: Apache-2.0
/* Going elsewhere, so that what follows is what would have followed anyway.
 *
 * Where a demuxer lands is looked at, and if that is too late it is asked for an earlier place. What has no times, or
 * no place that can be trusted, is read from its beginning; the beginning is a container that is opened again. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "source/container_inside.h"

// Sound is decoded from so much earlier: decoders and resamplers have a past.
static const int64_t before_sound_us = 1000000;

static void reset(struct few__container *c)
{
    few__pictures_reset(c);
    if (c->track) few__sound_track_reset(c->track);
    c->at_end = c->past = c->full = c->end_told = c->mute = false;
    c->broke = 0;
    c->read_us = c->sound_read_us = c->picture_read_us = c->sound_from_us = 0;
}

static enum few_status begin_again(struct few__container *c, struct few_error *err)
{
    few__pictures_reset(c);
    FEW__TRY(few__input_open(c, err));
    reset(c);
    return FEW_OK;
}

// The first packet that is wanted; without one the recording is at its end.
static enum few_status first_packet(struct few__container *c, struct few_error *err)
{
    c->waits_for_key = true;
    while (c->queue.n == 0 && !c->at_end) {
        enum few_status got = few__input_read(c, err);
        if (got != FEW_OK && got != FEW_END) return got;
    }
    return FEW_OK;
}

// To a key picture at us or before; the queue has it.
static enum few_status to_key(struct few__container *c, int64_t us, struct few_error *err)
{
    for (int64_t back = 0; us - back > 0; back = back > 0 ? 2 * back : 1000000) {
        reset(c);
        int64_t pts = c->start + av_rescale_q(us - back, AV_TIME_BASE_Q, c->base);
        if (av_seek_frame(c->format, c->i_video, pts, AVSEEK_FLAG_BACKWARD) < 0) break;
        FEW__TRY(first_packet(c, err));
        const AVPacket *p = few__queue_front(&c->queue);
        if (p && p->pts != AV_NOPTS_VALUE && few__pictures_time(c, p->pts) <= us) return FEW_OK;
    }
    return begin_again(c, err);
}

// The same place with the pictures before it counted.
static enum few_status count_to(struct few__container *c, int64_t pts, struct few_error *err)
{
    FEW__TRY(begin_again(c, err));
    c->mute = true;
    enum few_status got = FEW_OK;
    while (got == FEW_OK) {
        const AVPacket *p = few__queue_front(&c->queue);
        if (p && p->pts == pts && p->flags & AV_PKT_FLAG_KEY) break;
        if (p) {
            few__queue_pop(&c->queue);
            few__queue_pass(&c->queue, INT64_MAX);
        }
        got = few__input_read(c, err);
    }
    c->mute = false;
    return got == FEW_END ? FEW_OK : got;
}

static enum few_status seek_pictures(struct few__container *c, int64_t at_us, struct few_error *err)
{
    if (c->start == AV_NOPTS_VALUE || !c->timed) return begin_again(c, err);
    int64_t us = at_us;
    if (c->opts.fps > 0) { // the span that it lies in may have had its picture
        int64_t index = few__pictures_index(c, 0, at_us);
        us = (int64_t)floor((double)index * 1e6 / c->opts.fps) - 2;
    }
    if (c->i_sound >= 0 && at_us - before_sound_us < us) us = at_us - before_sound_us;
    if (us <= 0) return begin_again(c, err);
    FEW__TRY(to_key(c, us, err));
    const AVPacket *p = few__queue_front(&c->queue);
    if (c->opts.every > 1 && p) return count_to(c, p->pts, err);
    return FEW_OK;
}

// Demuxers whose places are exact.
static bool exact(const struct few__container *c)
{
    static const char *const names[] = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "wav", "w64", "flac"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(c->format->iformat->name, names[i]) == 0) return true;
    return false;
}

static enum few_status seek_sound(struct few__container *c, int64_t at_us, struct few_error *err)
{
    int64_t clip = c->opts.clip_us, span = (at_us + clip - 1) / clip * clip, us = span - before_sound_us;
    const AVStream *s = c->format->streams[c->i_sound];
    int64_t start = s->start_time == AV_NOPTS_VALUE ? 0 : s->start_time;
    reset(c);
    c->span_us = span;
    if (us > 0 && exact(c)) {
        int64_t pts = start + av_rescale_q(us, AV_TIME_BASE_Q, s->time_base);
        c->read_us = us;
        if (av_seek_frame(c->format, c->i_sound, pts, AVSEEK_FLAG_BACKWARD) >= 0) return FEW_OK;
    }
    FEW__TRY(begin_again(c, err));
    c->mute = us > 0;
    enum few_status got = FEW_OK;
    while (got == FEW_OK && c->sound_read_us < us) got = few__input_read(c, err);
    c->mute = false;
    return got == FEW_END ? FEW_OK : got;
}

enum few_status few__container_seek(struct few__container *c, int64_t at_us, struct few_error *err)
{
    if (c->live) return few__fail(err, FEW_EUNSUPPORTED, "%s: a live stream cannot be sought in", c->name);
    if (at_us < 0) at_us = 0;
    c->from_us = at_us;
    return c->i_video >= 0 ? seek_pictures(c, at_us, err) : seek_sound(c, at_us, err);
}
