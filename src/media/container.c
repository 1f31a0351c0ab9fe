// SPDX-License-Identifier: Apache-2.0
/* Moments from pictures and sound: each ends where the next one begins, so a picture is held until the next one is known.
 *
 * A live picture without sound is not held: it would be as late as the next one is. */
#include "media/container.h"

#include <stdio.h>
#include <string.h>

#include <libavutil/pixdesc.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "media/container_inside.h"
#include "media/image_internal.h"
#include "media/look.h"

static const int64_t timeout_default_us = 10000000, clip_default_us = 1000000, clip_max_us = 540000000;
static const int64_t cut_us = 1000000;   // missing at the end: less may be a matter of rounding
static const int64_t drift_us = 1000000; // of a live stream's time against the clock

/* ---- life ---- */

static enum few_status allocate(struct few__container *c, const char *url, struct few_error *err)
{
    size_t n = strlen(url) + 1;
    c->url = few__strdup(c->env.mem, url);
    c->name = few__new(c->env.mem, n, 1);
    if (!c->url || !c->name) return few__no_memory(err, "recording");
    if (c->opts.is_live) few__url_clean(url, c->name, n);
    else memcpy(c->name, url, n);
    FEW__TRY(few__queue_init(&c->queue, c->env.mem, err));
    c->rows.mem = c->luma.mem = c->env.mem;
    c->packet = av_packet_alloc();
    c->held.frame = av_frame_alloc();
    c->following.frame = av_frame_alloc();
    if (!c->packet || !c->held.frame || !c->following.frame) return few__no_memory(err, "recording");
    return FEW_OK;
}

static enum few_status check_opts(const struct few__container_opts *o, struct few_error *err)
{
    if (o->clip_us < 0 || o->clip_us > clip_max_us)
        return few__fail(err, FEW_EINVAL, "spans of sound of %g s: expected more than 0, at most %g",
                         (double)o->clip_us / 1e6, (double)clip_max_us / 1e6);
    if (!(o->fps >= 0 && o->fps <= 1e6))
        return few__fail(err, FEW_EINVAL, "%g pictures a second: expected 0 .. 1e6", o->fps);
    if (o->n_rates > FEW__RATES_MAX)
        return few__fail(err, FEW_EINVAL, "%zu rates of sound: expected at most %d", o->n_rates,
                         FEW__RATES_MAX);
    return FEW_OK;
}

enum few_status few__container_open(const char *url, const struct few__container_opts *opts,
                                    const struct few_env *env, struct few__container **container,
                                    struct few_error *err)
{
    *container = NULL;
    FEW__TRY(check_opts(opts, err));
    struct few_env full = few__env(env);
    struct few__container *c = FEW__NEW(full.mem, struct few__container);
    if (!c) return few__no_memory(err, "recording");
    c->env = full;
    c->opts = *opts;
    c->anchor_us = INT64_MIN;
    if (c->opts.timeout_us <= 0) c->opts.timeout_us = timeout_default_us;
    if (c->opts.clip_us == 0) c->opts.clip_us = clip_default_us;
    few__ffmpeg_quiet();
    enum few_status got = allocate(c, url, err);
    if (got == FEW_OK) {
        few__pictures_reset(c);
        got = few__input_open(c, err);
    }
    if (got == FEW_OK && !c->live && c->opts.from_us > 0) got = few__container_seek(c, c->opts.from_us, err);
    if (got != FEW_OK) few__container_close(c);
    else *container = c;
    return got;
}

void few__container_close(struct few__container *c)
{
    if (!c) return;
    few__input_close(c);
    few__queue_finish(&c->queue);
    av_packet_free(&c->packet);
    av_frame_free(&c->held.frame);
    av_frame_free(&c->following.frame);
    few__buffer_finish(&c->luma);
    few__buffer_finish(&c->rows);
    few__free(c->env.mem, c->url);
    few__free(c->env.mem, c->name);
    few__free(c->env.mem, c);
}

void few__container_about(const struct few__container *c, struct few__container_about *about)
{
    *about = c->about;
}

uint64_t few__container_damaged(const struct few__container *c)
{
    return c->n_damaged + (c->track ? few__sound_track_damaged(c->track) : 0);
}

/* ---- looks ---- */

// The brightness of a picture that has no plane of it.
static const uint8_t *luma_of(struct few__container *c, const struct few__picture *p, size_t stride)
{
    struct few__image image;
    if (few__picture_upright(p, 1, &c->rows, &image, NULL) != FEW_OK) return NULL;
    uint8_t *out = few__buffer_reserve(&c->luma, stride * (size_t)p->height);
    if (!out) return NULL;
    for (int y = 0; y < p->height; y++) {
        size_t at = (size_t)y * image.stride;
        const uint8_t *r = image.planes[0] + at, *g = image.planes[1] + at, *b = image.planes[2] + at;
        for (int x = 0; x < p->width; x++)
            out[(size_t)y * stride + (size_t)x] = (uint8_t)((77 * r[x] + 150 * g[x] + 29 * b[x] + 128) >> 8);
    }
    return out;
}

static enum few_status give_look(struct few__container *c, struct few__moment *moment, struct few_error *err)
{
    struct few__picture p = few__frame_picture(moment->picture);
    if (!c->opts.wants_look || !moment->look || !few__picture_readable(&p)) return FEW_OK;
    FEW__TRY(few__image_size_check(c->name, p.width, p.height, err));
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(p.format);
    bool has_luma = !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) && d->comp[0].depth == 8 &&
                    d->comp[0].step == 1;
    const uint8_t *luma = p.data[0];
    ptrdiff_t stride = p.stride[0];
    if (!has_luma) {
        stride = (ptrdiff_t)few__plane_stride(p.width);
        luma = luma_of(c, &p, (size_t)stride);
    }
    if (!luma) return few__no_memory(err, "look of a frame");
    few__look_make(luma, stride, p.width, p.height, moment->look);
    moment->has_look = true;
    return FEW_OK;
}

/* ---- moments ---- */

// Live: the clock at time 0, so that no picture is from the future and none is older than it has to be.
static void set_clock(struct few__container *c, struct few__moment *moment)
{
    if (!c->live) return;
    int64_t wall = few__wall_us(), anchor = wall - moment->at_us, length = moment->until_us - moment->at_us;
    if (c->anchor_us == INT64_MIN || anchor < c->anchor_us || anchor > c->anchor_us + drift_us)
        c->anchor_us = anchor;
    moment->at_us += c->anchor_us;
    if (moment->at_us <= c->last_wall_us) moment->at_us = c->last_wall_us + 1;
    moment->until_us = moment->at_us + length;
    c->last_wall_us = moment->at_us;
}

// How it ended. The message says where, once; then it is simply the end.
static enum few_status the_end(struct few__container *c, struct few_error *err)
{
    if (c->end_told) return FEW_END;
    c->end_told = true;
    double read = (double)c->read_us / 1e6, whole = (double)c->header_us / 1e6;
    char where[64];
    if (c->at_end && c->broke) {
        snprintf(where, sizeof where, c->live ? "broke off after %.6g s" : "cannot be read after %.6g s",
                 read);
        return few__input_failed(c, c->broke, where, err);
    }
    bool cut = c->at_end && !c->live && !c->past && c->header_us - c->read_us > cut_us + 2 * c->frame_us;
    if (!cut) return FEW_END;
    return few__fail(err, FEW_EDECODE, "%s: cut off: it ends after %.6g s, and its header says %.6g s",
                     c->name, read, whole);
}

static int64_t end_of(const struct few__container *c)
{
    int64_t end = c->end_us;
    if (c->i_sound >= 0) {
        int64_t sound = c->full ? c->sound_read_us : few__sound_track_end(c->track);
        if (c->at_end && sound > end) end = sound;
    }
    return end;
}

static int64_t limited(const struct few__container *c, int64_t until_us)
{
    bool over = !c->live && c->opts.until_us > 0 && until_us > c->opts.until_us;
    return over ? c->opts.until_us : until_us;
}

// Live pictures: until the next one is expected.
static int64_t usual_length(const struct few__container *c)
{
    if (c->opts.every > 1) return c->frame_us * (int64_t)c->opts.every;
    int64_t sampled = c->opts.fps > 0 ? (int64_t)(1e6 / c->opts.fps) : 0;
    return sampled > c->frame_us ? sampled : c->frame_us;
}

static void move_picture(struct few__taken *to, struct few__taken *from)
{
    AVFrame *frame = to->frame;
    *to = *from;
    *from = (struct few__taken){.frame = frame};
}

static enum few_status give_picture(struct few__container *c, struct few__moment *moment,
                                    struct few_error *err)
{
    if (!moment->frame) moment->frame = av_frame_alloc();
    if (!moment->frame) return few__no_memory(err, "picture of a moment");
    av_frame_unref(moment->frame);
    av_frame_move_ref(moment->frame, c->held.frame);
    moment->picture = moment->frame;
    moment->rotation = c->rotation;
    return give_look(c, moment, err);
}

static enum few_status next_picture(struct few__container *c, struct few__moment *moment,
                                    struct few_error *err)
{
    if (!c->held.is && !c->no_more) {
        enum few_status got = few__pictures_next(c, &c->held, err);
        if (got != FEW_OK && got != FEW_END) return got;
    }
    if (!c->held.is) return the_end(c, err);
    bool at_once = c->live && c->i_sound < 0;
    if (!at_once && !c->following.is && !c->no_more) {
        enum few_status got = few__pictures_next(c, &c->following, err);
        if (got != FEW_OK && got != FEW_END) return got;
    }
    moment->at_us = c->held.at_us;
    if (at_once) moment->until_us = moment->at_us + usual_length(c);
    else if (c->following.is) moment->until_us = c->following.at_us;
    else {
        if (c->i_sound >= 0) FEW__TRY(few__sound_wait(c, c->past ? c->opts.until_us : INT64_MAX, err));
        moment->until_us = limited(c, c->past ? c->opts.until_us : end_of(c));
    }
    if (moment->until_us <= moment->at_us) moment->until_us = moment->at_us + 1;
    if (c->i_sound >= 0) {
        FEW__TRY(few__sound_wait(c, moment->until_us, err));
        FEW__TRY(few__sound_give(c, moment->at_us, moment->until_us, moment, err));
    }
    FEW__TRY(give_picture(c, moment, err));
    move_picture(&c->held, &c->following);
    return FEW_OK;
}

static enum few_status next_sound(struct few__container *c, struct few__moment *moment, struct few_error *err)
{
    int64_t at = c->span_us, until = limited(c, at + c->opts.clip_us);
    if (until <= at) c->past = true;
    if (c->past) return the_end(c, err);
    FEW__TRY(few__sound_wait(c, until, err));
    if (c->at_end && few__sound_track_end(c->track) < until) until = few__sound_track_end(c->track);
    if (until <= at) return the_end(c, err);
    moment->at_us = at;
    moment->until_us = until;
    c->span_us = at + c->opts.clip_us;
    return few__sound_give(c, at, until, moment, err);
}

enum few_status few__container_next(struct few__container *c, struct few__moment *moment,
                                    struct few_error *err)
{
    few__moment_clear(moment);
    enum few_status got = c->i_video >= 0 ? next_picture(c, moment, err) : next_sound(c, moment, err);
    if (got != FEW_OK) {
        few__moment_clear(moment);
        return got;
    }
    set_clock(c, moment);
    moment->arrived_us = few__now_us(&c->env);
    return FEW_OK;
}
