// SPDX-License-Identifier: Apache-2.0
/* Opening: which bytes, which demuxer, which of the streams in it, their decoders.
 *
 * A path leads to that file alone: its bytes are opened here, only as a file; the demuxer is one of a list without
 * playlists and the like, and whatever else it might ask to be opened is refused. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/display.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "media/image_internal.h"
#include "source/container_inside.h"

// Recordings that consist of themselves. FFmpeg's names of its demuxers.
static const char recordings[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h261,"
                                 "h263,h264,hevc,vc1,av1,obu,ivf,flv,live_flv,"
                                 "ogg,asf,mxf,gxf,nut,rm,dv,wtv,swf,mjpeg,mpjpeg,yuv4mpegpipe,gif,nsv,roq,"
                                 "smk,bink,4xm,film_cpk,dnxhd,dirac,"
                                 "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,dts,truehd,amr,amrnb,amrwb,ape,"
                                 "wv,tta,tak,mpc,mpc8,voc,gsm,spx,sox,"
                                 "oma,shn,loas,opus";

// What live ones may use: no files, so that a playlist from elsewhere cannot read them.
static const char live_protocols[] = "rtsp,rtsps,rtp,srtp,udp,udplite,tcp,tls,http,https,httpproxy,rtmp,"
                                     "rtmps,rtmpt,rtmpte,rtmpts,srt,sctp,crypto,hls,"
                                     "mmsh,mmst,rist";

enum { ANALYZE_US = 3000000 }; // of a live source before its first picture

/* ---- names ---- */

// What follows the last '@' before end.
static const char *after_at(const char *s, const char *end)
{
    const char *host = s;
    for (const char *p = s; p < end; p++)
        if (*p == '@') host = p + 1;
    return host;
}

// Where a host begins: after user and password, if there are any.
static const char *host_of(const char *authority)
{
    const char *end = authority + strcspn(authority, "/?#");
    const char *host = after_at(authority, end);
    const char *port = memchr(authority, ':', (size_t)(end - authority));
    if (host != authority || !port || authority[0] == '[') return host;
    // No port but a password, which has a slash in it?
    bool number = strspn(port + 1, "0123456789") == (size_t)(end - port - 1);
    return number ? host : after_at(authority, authority + strlen(authority));
}

char *few__url_clean(const char *url, char *out, size_t n)
{
    size_t at = 0;
    if (n == 0) return out;
    while (*url && at + 1 < n) {
        if (strncmp(url, "://", 3) != 0) {
            out[at++] = *url++;
            continue;
        }
        at += (size_t)snprintf(out + at, n - at, "://");
        if (at >= n) at = n - 1;
        url = host_of(url + 3);
    }
    out[at] = '\0';
    return out;
}

/* ---- bytes ---- */

static int interrupted(void *ud)
{
    struct few__container *c = ud;
    if (c->opts.stop && c->opts.stop(c->opts.ud)) return 1;
    if (c->opts.is_live && few__now_us(&c->env) - c->heard_us > c->opts.timeout_us) c->timed_out = true;
    return c->timed_out;
}

enum few_status few__input_failed(const struct few__container *c, int got, const char *what,
                                  struct few_error *err)
{
    if (got == AVERROR(ENOMEM)) return few__no_memory(err, "recording");
    if (c->opts.stop && c->opts.stop(c->opts.ud))
        return few__fail(err, FEW_ECANCELED, "%s: given up", c->name);
    if (c->timed_out)
        return few__fail(err, FEW_EIO, "%s: %s: nothing came for %g s", c->name, what,
                         (double)c->opts.timeout_us / 1e6);
    bool content = got == AVERROR_INVALIDDATA || got == AVERROR_EOF || got == AVERROR_PATCHWELCOME;
    return few__fail(err, content ? FEW_EDECODE : FEW_EIO, "%s: %s: %s", c->name, what, av_err2str(got));
}

static int refuse_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    (void)format, (void)url, (void)flags, (void)options;
    *io = NULL;
    return AVERROR(EPERM);
}

static bool in_list(const char *names, const char *list)
{
    for (const char *name = names; *name; name += strspn(name, ",")) {
        size_t n = strcspn(name, ",");
        for (const char *p = list; *p; p += strspn(p, ",")) {
            size_t m = strcspn(p, ",");
            if (n == m && memcmp(p, name, n) == 0) return true;
            p += m;
        }
        name += n;
    }
    return false;
}

static enum few_status find_demuxer(struct few__container *c, const AVInputFormat **demuxer,
                                    struct few_error *err)
{
    if (avio_size(c->file) == 0) return few__fail(err, FEW_EDECODE, "%s: the file is empty", c->name);
    int got = av_probe_input_buffer2(c->file, demuxer, c->url, NULL, 0, 0);
    if (got == AVERROR_INVALIDDATA || got == AVERROR_EOF)
        return few__fail(err, FEW_EDECODE, "%s: not a recording: expected a file of video or sound", c->name);
    if (got < 0) return few__input_failed(c, got, "cannot be read", err);
    if (in_list((*demuxer)->name, recordings)) return FEW_OK;
    return few__fail(err, FEW_EDECODE,
                     "%s: not a recording: %s (playlists and references to other files are not followed)",
                     c->name, (*demuxer)->long_name ? (*demuxer)->long_name : (*demuxer)->name);
}

static enum few_status open_path(struct few__container *c, const AVInputFormat **demuxer,
                                 struct few_error *err)
{
    size_t n = strlen(c->url) + sizeof "file:";
    char *url = few__new(c->env.mem, n, 1);
    AVDictionary *options = NULL;
    if (!url || av_dict_set(&options, "protocol_whitelist", "file", 0) < 0) {
        few__free(c->env.mem, url);
        return few__no_memory(err, "recording");
    }
    snprintf(url, n, "file:%s", c->url);
    int got = avio_open2(&c->file, url, AVIO_FLAG_READ, &c->format->interrupt_callback, &options);
    av_dict_free(&options);
    few__free(c->env.mem, url);
    if (got == AVERROR(ENOENT)) return few__fail(err, FEW_ENOENT, "%s: no such file", c->name);
    if (got < 0) return few__input_failed(c, got, "cannot be opened", err);
    c->format->pb = c->file;
    c->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    c->format->io_open = refuse_open;
    return find_demuxer(c, demuxer, err);
}

/* Streams are looked into for less than half of the time-out: packets that come meanwhile are not seen from here, and a
 * camera that answers must not count as silent. */
static int live_options(const struct few__container *c, AVDictionary **options)
{
    int64_t half = c->opts.timeout_us / 2, analyze = half < ANALYZE_US ? half : ANALYZE_US;
    static const char *const pairs[][2] = {{"protocol_whitelist", live_protocols}, {"rtsp_transport", "tcp"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int got = av_dict_set(options, pairs[i][0], pairs[i][1], 0);
        if (got < 0) return got;
    }
    return av_dict_set_int(options, "analyzeduration", analyze, 0);
}

static enum few_status open_format(struct few__container *c, struct few_error *err)
{
    const AVInputFormat *demuxer = NULL;
    AVDictionary *options = NULL;
    c->format = avformat_alloc_context();
    if (!c->format) return few__no_memory(err, "recording");
    c->format->interrupt_callback = (AVIOInterruptCB){interrupted, c};
    if (!c->opts.is_live) FEW__TRY(open_path(c, &demuxer, err));
    else if (live_options(c, &options) < 0) {
        av_dict_free(&options);
        return few__no_memory(err, "live stream");
    }
    int got = avformat_open_input(&c->format, c->url, demuxer, &options);
    av_dict_free(&options);
    if (got == AVERROR(ENOENT) && c->opts.is_live)
        return few__fail(err, FEW_ENOENT, "%s: not found", c->name);
    if (got == AVERROR_INVALIDDATA || got == AVERROR_EOF)
        return few__fail(err, FEW_EDECODE, "%s: %s", c->name,
                         c->opts.is_live ? "it ended before anything came that can be read"
                                         : "not a recording, or its header is missing");
    return got < 0 ? few__input_failed(c, got, "cannot be opened", err) : FEW_OK;
}

// Looks into the streams, with decoders that refuse what is too large.
static enum few_status find_streams(struct few__container *c, struct few_error *err)
{
    unsigned n = c->format->nb_streams;
    for (unsigned i = 0; i < n; i++) {
        const AVCodecParameters *p = c->format->streams[i]->codecpar;
        if (p->codec_type == AVMEDIA_TYPE_VIDEO && p->width > 0)
            FEW__TRY(few__image_size_check(c->name, p->width, p->height, err));
    }
    AVDictionary **options = n > 0 ? FEW__NEW_N(c->env.mem, AVDictionary *, n) : NULL;
    if (n > 0 && !options) return few__no_memory(err, "recording");
    int got = 0;
    for (unsigned i = 0; i < n && got >= 0; i++)
        got = av_dict_set_int(&options[i], "max_pixels", FEW__IMAGE_PIXELS_MAX, 0);
    if (got >= 0) got = avformat_find_stream_info(c->format, options);
    for (unsigned i = 0; i < n; i++) av_dict_free(&options[i]);
    few__free(c->env.mem, options);
    return got < 0 ? few__input_failed(c, got, "cannot be read", err) : FEW_OK;
}

/* ---- what is in it ---- */

// Covers of songs and the like are no pictures of a recording.
static int best_stream(const struct few__container *c, enum AVMediaType type)
{
    int best = av_find_best_stream(c->format, type, -1, -1, NULL, 0);
    const int still =
        AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS | AV_DISPOSITION_STILL_IMAGE;
    if (best >= 0 && !(c->format->streams[best]->disposition & still)) return best;
    for (unsigned i = 0; i < c->format->nb_streams; i++) {
        const AVStream *s = c->format->streams[i];
        if (s->codecpar->codec_type == type && !(s->disposition & still)) return (int)i;
    }
    return -1;
}

static int rotation_of(const AVStream *stream)
{
    size_t n = 0;
    const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &n);
    if (!matrix || n < 9 * sizeof(int32_t)) return 0;
    int32_t m[9];
    memcpy(m, matrix, sizeof m);
    double against = av_display_rotation_get(m); // against the clock
    if (isnan(against)) return 0;
    int quarters = (int)lround(-against / 90) % 4;
    return 90 * (quarters < 0 ? quarters + 4 : quarters);
}

static enum few_status open_decoder(struct few__container *c, struct few_error *err)
{
    const AVCodecParameters *p = c->format->streams[c->i_video]->codecpar;
    const AVCodec *codec = avcodec_find_decoder(p->codec_id);
    if (!codec)
        return few__fail(err, FEW_EDECODE, "%s: this FFmpeg has no decoder for %s", c->name,
                         avcodec_get_name(p->codec_id));
    c->codec = avcodec_alloc_context3(codec);
    if (!c->codec || avcodec_parameters_to_context(c->codec, p) < 0)
        return few__no_memory(err, "decoder of pictures");
    c->codec->pkt_timebase = c->base;
    c->codec->max_pixels = FEW__IMAGE_PIXELS_MAX;
    c->codec->thread_count = c->opts.threads;
    // Threads that have a picture each keep pictures back, which a live one cannot have.
    c->codec->thread_type = c->live ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE;
    int got = avcodec_open2(c->codec, codec, NULL);
    return got < 0 ? few__input_failed(c, got, "its pictures cannot be decoded", err) : FEW_OK;
}

static enum few_status choose_video(struct few__container *c, struct few_error *err)
{
    AVStream *s = c->format->streams[c->i_video];
    const AVCodecParameters *p = s->codecpar;
    AVRational rate = av_guess_frame_rate(c->format, s, NULL);
    c->base = s->time_base;
    c->rotation = rotation_of(s);
    bool turned = c->rotation == 90 || c->rotation == 270;
    c->about.width = turned ? p->height : p->width;
    c->about.height = turned ? p->width : p->height;
    c->about.fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
    c->frame_us = c->about.fps > 0 ? (int64_t)(1e6 / c->about.fps + 0.5) : 40000;
    if (c->frame_us < 1) c->frame_us = 1;
    c->start = s->start_time;
    c->timed = !(c->format->iformat->flags & AVFMT_NOTIMESTAMPS);
    if (p->width > 0) FEW__TRY(few__image_size_check(c->name, p->width, p->height, err));
    return open_decoder(c, err);
}

static enum few_status choose_sound(struct few__container *c, struct few_error *err)
{
    const AVStream *s = c->format->streams[c->i_sound];
    int64_t start_us = 0; // that of the pictures, where there are any
    AVRational base = c->i_video >= 0 ? c->base : s->time_base;
    int64_t start = c->i_video >= 0 ? c->start : s->start_time;
    if (start != AV_NOPTS_VALUE && (c->i_video < 0 || c->timed))
        start_us = av_rescale_q(start, base, AV_TIME_BASE_Q);
    enum few_status got = few__sound_track_open(s->codecpar, s->time_base.num, s->time_base.den, start_us,
                                                c->opts.rates, c->opts.n_rates, &c->env, &c->track, err);
    if (got == FEW_OK || got == FEW_ENOMEM || got == FEW_EINVAL) return got;
    if (c->i_video < 0) return few__wrap(err, got, "%s", c->name);
    c->i_sound = -1; // the pictures go on without it
    c->n_damaged++;
    return FEW_OK;
}

static enum few_status choose(struct few__container *c, struct few_error *err)
{
    int video = best_stream(c, AVMEDIA_TYPE_VIDEO), sound = best_stream(c, AVMEDIA_TYPE_AUDIO);
    bool wants_sound = c->opts.n_rates > 0;
    c->about.has_picture = video >= 0;
    c->about.has_sound = sound >= 0;
    c->i_video = c->opts.wants_picture ? video : -1;
    c->i_sound = wants_sound ? sound : -1;
    if (c->i_video < 0 && c->i_sound < 0)
        return few__fail(err, FEW_EDECODE, "%s: %s in it", c->name,
                         !wants_sound            ? "no picture"
                         : c->opts.wants_picture ? "neither pictures nor sound"
                                                 : "no sound");
    for (unsigned i = 0; i < c->format->nb_streams; i++)
        if ((int)i != c->i_video && (int)i != c->i_sound) c->format->streams[i]->discard = AVDISCARD_ALL;
    return FEW_OK;
}

/* ---- numbers ---- */

static int64_t duration_of(const struct few__container *c)
{
    if (c->format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) return 0;
    const AVStream *s = c->format->streams[c->i_video >= 0 ? c->i_video : c->i_sound];
    int64_t us = c->format->duration;
    if (s->duration > 0) us = av_rescale_q(s->duration, s->time_base, AV_TIME_BASE_Q);
    return us > 0 ? us : 0;
}

// What the end that is reached can be compared with.
static int64_t header_of(const struct few__container *c)
{
    if (c->format->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return 0;
    const AVStream *s = c->format->streams[c->i_video >= 0 ? c->i_video : c->i_sound];
    bool all = c->format->nb_streams == (unsigned)((c->i_video >= 0) + (c->i_sound >= 0));
    return s->duration > 0 || all ? c->about.duration_us : 0;
}

static uint64_t expected(const struct few__container *c)
{
    double until = (double)c->about.duration_us, from = (double)c->opts.from_us;
    if (c->opts.until_us > 0 && (double)c->opts.until_us < until) until = (double)c->opts.until_us;
    if (until <= from) return 0;
    double n = (until - from) / (double)c->opts.clip_us;
    if (c->i_video >= 0) {
        double fps = c->about.fps;
        if (fps <= 0) return 0;
        if (c->opts.fps > 0 && c->opts.fps < fps) fps = c->opts.fps;
        n = (until - from) * fps / 1e6 / (double)(c->opts.every > 1 ? c->opts.every : 1);
    }
    return (uint64_t)ceil(n - 0.01);
}

/* ---- all of it ---- */

void few__input_close(struct few__container *c)
{
    few__sound_track_close(c->track);
    c->track = NULL;
    avcodec_free_context(&c->codec);
    avformat_close_input(&c->format);
    avio_closep(&c->file);
}

static enum few_status open_input(struct few__container *c, struct few_error *err)
{
    c->heard_us = few__now_us(&c->env);
    c->timed_out = false;
    FEW__TRY(open_format(c, err));
    c->heard_us = few__now_us(&c->env); // it answered
    FEW__TRY(find_streams(c, err));
    FEW__TRY(choose(c, err));
    c->about.duration_us = duration_of(c);
    c->header_us = header_of(c);
    const AVIOContext *io = c->format->pb;
    // RTSP and RTP bring their own transport (no pb) and come at their own pace, whatever length the server tells.
    bool finite = io && (c->about.duration_us > 0 || io->seekable & AVIO_SEEKABLE_NORMAL);
    c->live = c->opts.is_live && !finite;
    c->about.is_live = c->live;
    if (c->i_video >= 0) FEW__TRY(choose_video(c, err));
    if (c->i_sound >= 0) FEW__TRY(choose_sound(c, err));
    c->about.n_expected = expected(c);
    c->heard_us = few__now_us(&c->env);
    return FEW_OK;
}

enum few_status few__input_open(struct few__container *c, struct few_error *err)
{
    few__input_close(c);
    enum few_status got = open_input(c, err);
    if (got != FEW_OK) few__input_close(c);
    return got;
}
