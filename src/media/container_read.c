// SPDX-License-Identifier: Apache-2.0
// Reading packets: what is wanted goes to the queue of pictures or to the sound track.
#include "core/env.h"
#include "core/error.h"
#include "media/container_inside.h"

static int64_t packet_us(const struct few__container *c, const AVPacket *p)
{
    const AVStream *s = c->format->streams[p->stream_index];
    int64_t t = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
    if (t == AV_NOPTS_VALUE) return INT64_MIN;
    int64_t start = s->start_time == AV_NOPTS_VALUE ? 0 : s->start_time;
    if (c->i_video >= 0 && c->start != AV_NOPTS_VALUE) start = av_rescale_q(c->start, c->base, s->time_base);
    return av_rescale_q(t - start + p->duration, s->time_base, AV_TIME_BASE_Q);
}

static enum few_status keep_picture(struct few__container *c, AVPacket *p, struct few_error *err)
{
    // A packet that the file ends in. Transport streams say so of packets that can still be decoded.
    bool cut = p->flags & AV_PKT_FLAG_CORRUPT && !(c->format->iformat->flags & AVFMT_TS_DISCONT);
    bool early = c->waits_for_key && !(p->flags & AV_PKT_FLAG_KEY);
    if (cut) c->n_damaged++;
    if (cut || early) {
        av_packet_unref(p);
        return FEW_OK;
    }
    c->waits_for_key = false;
    if (p->pts == AV_NOPTS_VALUE) c->timed = false;
    return few__queue_push(&c->queue, p, !(p->flags & AV_PKT_FLAG_DISCARD), err);
}

static enum few_status keep(struct few__container *c, AVPacket *p, struct few_error *err)
{
    bool picture = p->stream_index == c->i_video, sound = p->stream_index == c->i_sound;
    if (picture || sound) {
        int64_t us = packet_us(c, p);
        if (us > c->read_us) c->read_us = us;
        if (sound && us > c->sound_read_us) c->sound_read_us = us;
        if (picture && us > c->picture_read_us) c->picture_read_us = us;
    }
    if (picture) return keep_picture(c, p, err);
    enum few_status got = FEW_OK;
    if (sound) got = few__sound_push(c, p, err);
    av_packet_unref(p);
    return got;
}

enum few_status few__input_read(struct few__container *c, struct few_error *err)
{
    if (c->at_end) return FEW_END;
    if (c->opts.stop && c->opts.stop(c->opts.ud))
        return few__fail(err, FEW_ECANCELED, "%s: given up", c->name);
    c->heard_us = few__now_us(&c->env); // what others did since the last packet is not silence
    int got = av_read_frame(c->format, c->packet);
    if (got >= 0) return keep(c, c->packet, err);
    if (got == AVERROR(EAGAIN)) return FEW_OK;
    if (got == AVERROR(ENOMEM)) return few__no_memory(err, "packet");
    if (got == AVERROR_EXIT && c->opts.stop && c->opts.stop(c->opts.ud))
        return few__fail(err, FEW_ECANCELED, "%s: given up", c->name);
    c->at_end = true;
    c->broke = got == AVERROR_EOF && !c->timed_out ? 0 : got;
    if (got == AVERROR_EOF && c->format->pb && c->format->pb->error < 0) c->broke = c->format->pb->error;
    if (c->track) FEW__TRY(few__sound_push(c, NULL, err));
    return FEW_END;
}
