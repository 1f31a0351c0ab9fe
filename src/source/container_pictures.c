// SPDX-License-Identifier: Apache-2.0
/* Pictures: which packets have to be decoded, which pictures are taken, and when they are.
 *
 * The queue knows the times of pictures before they are decoded. A packet whose picture will not be taken is decoded only
 * if others are made from it (skip_frame): the decoder leaves it out, and what is taken stays the same to the bit. */
#include <limits.h>
#include <math.h>

#include "core/error.h"
#include "source/container_inside.h"

enum {
    JUMP_US = 1000000, // back by more: time began anew somewhere in the recording
    REFUSALS_MAX = 64, // errors of the decoder without a packet between them
};

bool few__pictures_sampled(const struct few__container *c)
{
    return c->opts.every > 1 || c->opts.fps > 0;
}

// Times are rounded to microseconds, by less than one.
int64_t few__pictures_index(const struct few__container *c, uint64_t number, int64_t at_us)
{
    if (c->opts.every > 1) return (int64_t)(number / c->opts.every);
    if (c->opts.fps > 0) return (int64_t)floor(((double)at_us + 1) * c->opts.fps / 1e6);
    return 0;
}

int64_t few__pictures_time(const struct few__container *c, int64_t pts)
{
    int64_t start = c->start == AV_NOPTS_VALUE ? 0 : c->start;
    return av_rescale_q(pts - start, c->base, AV_TIME_BASE_Q) + c->shift_us;
}

void few__pictures_reset(struct few__container *c)
{
    if (c->codec) avcodec_flush_buffers(c->codec);
    few__queue_clear(&c->queue);
    if (c->held.frame) av_frame_unref(c->held.frame);
    if (c->following.frame) av_frame_unref(c->following.frame);
    c->held.is = c->following.is = false;
    c->no_more = false;
    c->waits_for_key = false;
    c->n_shown = 0;
    c->shift_us = 0;
    c->last_us = INT64_MIN;
    c->last_index = -1;
    c->end_us = 0;
}

/* ---- packets to the decoder ---- */

// Whether the picture of a packet will not be shown to anybody. Never true of one that is taken: the times that are
// known are a part of all times, and every one before it and in its span is a reason not to take it.
static bool unwanted(struct few__container *c, const AVPacket *p)
{
    if (!c->timed || p->pts == AV_NOPTS_VALUE || p->flags & AV_PKT_FLAG_DISCARD || c->shift_us) return false;
    int64_t previous, at = few__pictures_time(c, p->pts);
    uint64_t number = few__queue_before(&c->queue, p->pts, &previous);
    int64_t index = few__pictures_index(c, number, at);
    if (at < c->from_us) {
        if (index > c->last_index) c->last_index = index;
        return true;
    }
    if (!few__pictures_sampled(c)) return false;
    if (index <= c->last_index) return true;
    if (c->opts.every > 1) return !c->live && number % c->opts.every != 0;
    return previous != INT64_MIN && few__pictures_index(c, 0, few__pictures_time(c, previous)) == index;
}

static int64_t packet_end(const struct few__container *c, const AVPacket *p)
{
    int64_t length = av_rescale_q(p->duration, c->base, AV_TIME_BASE_Q);
    return few__pictures_time(c, p->pts) + (length > 0 ? length : c->frame_us);
}

static enum few_status feed(struct few__container *c, struct few_error *err)
{
    size_t ahead = c->live ? 1 : FEW__LOOK_AHEAD;
    while (c->queue.n < ahead && !c->at_end && !few__queue_full(&c->queue)) {
        enum few_status got = few__input_read(c, err);
        if (got != FEW_OK && got != FEW_END) return got;
    }
    AVPacket *p = few__queue_front(&c->queue);
    if (p && c->start == AV_NOPTS_VALUE) c->start = c->queue.n_times > 0 ? c->queue.times[0] : 0;
    if (p) {
        c->codec->skip_frame = unwanted(c, p) ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
        if (c->timed && packet_end(c, p) > c->end_us) c->end_us = packet_end(c, p);
    }
    int got = avcodec_send_packet(c->codec, p);
    few__queue_pop(&c->queue);
    if (got == AVERROR(ENOMEM)) return few__no_memory(err, "decoder of pictures");
    if (got < 0 && got != AVERROR_EOF) c->n_damaged++;
    return FEW_OK;
}

/* ---- pictures from the decoder ---- */

// Where packets have no times: what the decoder makes of the order that they came in, or the number of the picture.
static int64_t untimed(struct few__container *c, int64_t pts, uint64_t number)
{
    double fps = c->about.fps > 0 ? c->about.fps : 25;
    if (c->format->iformat->flags & AVFMT_NOTIMESTAMPS || pts == AV_NOPTS_VALUE)
        return (int64_t)((double)number * 1e6 / fps + 0.5);
    if (c->last_us == INT64_MIN) c->start = pts;
    int64_t at = few__pictures_time(c, pts);
    return at <= c->last_us && c->last_us - at < c->frame_us ? c->last_us + c->frame_us : at;
}

// Its time and, for sampling, its number.
static int64_t place(struct few__container *c, const AVFrame *frame, uint64_t *number)
{
    int64_t pts = frame->best_effort_timestamp, previous;
    *number = c->n_shown++;
    if (!c->timed) return untimed(c, pts, *number);
    if (pts == AV_NOPTS_VALUE) return c->last_us == INT64_MIN ? 0 : c->last_us + c->frame_us;
    *number = few__queue_before(&c->queue, pts, &previous);
    few__queue_pass(&c->queue, pts);
    return few__pictures_time(c, pts);
}

// Time goes forward, whatever the recording says.
static int64_t forward(struct few__container *c, int64_t at_us)
{
    if (c->last_us == INT64_MIN || at_us > c->last_us) return at_us;
    if (c->last_us - at_us <= JUMP_US) return c->last_us + 1;
    int64_t to = c->last_us + c->frame_us;
    c->shift_us += to - at_us;
    return to;
}

// Whether the picture that was just decoded is taken; its time.
static bool take(struct few__container *c, struct few__taken *taken)
{
    uint64_t number;
    const AVFrame *f = taken->frame;
    int64_t at = forward(c, place(c, f, &number)), end = at + c->frame_us;
    if (f->flags & AV_FRAME_FLAG_CORRUPT || f->decode_error_flags) c->n_damaged++;
    c->last_us = taken->at_us = at;
    if (!c->timed && end > c->end_us) c->end_us = end;
    if (!c->live && c->opts.until_us > 0 && at >= c->opts.until_us) {
        c->no_more = c->past = true;
        return false;
    }
    int64_t index = few__pictures_index(c, number, at);
    bool fresh = index > c->last_index || !few__pictures_sampled(c);
    if (index > c->last_index) c->last_index = index;
    return fresh && at >= c->from_us;
}

static enum few_status next(struct few__container *c, struct few__taken *taken, struct few_error *err)
{
    for (int refusals = 0; !c->no_more;) {
        int got = avcodec_receive_frame(c->codec, taken->frame);
        if (got == AVERROR_EOF) break;
        if (got == AVERROR(ENOMEM)) return few__no_memory(err, "decoder of pictures");
        if (got == 0) {
            if (take(c, taken)) return FEW_OK;
            av_frame_unref(taken->frame);
        } else if (got == AVERROR(EAGAIN) || ++refusals > REFUSALS_MAX) {
            FEW__TRY(feed(c, err));
            refusals = 0;
        } else {
            c->n_damaged++;
        }
    }
    c->no_more = true;
    return FEW_END;
}

enum few_status few__pictures_next(struct few__container *c, struct few__taken *taken, struct few_error *err)
{
    enum few_status got = next(c, taken, err);
    taken->is = got == FEW_OK;
    return got;
}
