// SPDX-License-Identifier: Apache-2.0
/* Packets -> frames of the decoder -> one channel (the mean of all) -> each wanted rate -> kept by time.
 *
 * A stretch is what flows without a break: the first frame, and the one after a gap, an overlap that is cut or a change of
 * rate, says by its time where it lies; after that samples are counted. Every stretch is resampled on the same grid,
 * sample i of a rate at i / rate seconds: zeros are put in front of it back to a place where both rates have a
 * sample. So what comes after a seek equals what comes without one. */
#include "media/sound_track.h"

#include <math.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libswresample/swresample.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "media/buffer.h"
#include "media/sound_kept.h"

enum {
    RATE_MIN = 1000,
    RATE_MAX = 384000,
    SOURCE_RATE_MAX = 768000,
    FRAME_S_MAX = 60, // a decoded frame is never that long
    SLACK_US = 10000, // times that are off by less are rounding; a lost packet is longer
};
static const int64_t FAR_S = (int64_t)1 << 33; // no time is that far from 0
static const float LOUD = 1e9F;                // what is louder, or no number, is no sound

struct lane { // one wanted rate
    struct few__sound_kept kept;
    SwrContext *swr; // NULL: the source has this rate
    int64_t next;    // place of the next sample out of the resampler
    struct few__buffer out;
};

struct few__sound_track {
    struct few_env env;
    AVCodecContext *codec;
    AVFrame *frame;
    int64_t start_us;
    int source_rate; // of this stretch; 0 = none has begun
    int64_t next;    // place of the next sample at source_rate
    struct few__buffer mono;
    bool ended;
    int64_t end_us;
    uint64_t damaged;
    size_t n_lanes;
    struct lane lanes[FEW__RATES_MAX];
};

/* ---- opening and closing ---- */

static enum few_status check(const struct AVCodecParameters *codec, const int *rates, size_t n_rates,
                             struct few_error *err)
{
    if (n_rates == 0 || n_rates > FEW__RATES_MAX)
        return few__fail(err, FEW_EINVAL, "sound: expected 1 .. %d rates, found %zu", FEW__RATES_MAX,
                         n_rates);
    for (size_t i = 0; i < n_rates; i++)
        if (rates[i] < RATE_MIN || rates[i] > RATE_MAX)
            return few__fail(err, FEW_EINVAL, "sound: expected a rate of %d .. %d, found %d", RATE_MIN,
                             RATE_MAX, rates[i]);
    if (codec->ch_layout.nb_channels <= 0) return few__fail(err, FEW_EDECODE, "sound without channels");
    if (codec->sample_rate < 0 || codec->sample_rate > SOURCE_RATE_MAX)
        return few__fail(err, FEW_EDECODE, "sound: expected at most %d samples a second, found %d",
                         SOURCE_RATE_MAX, codec->sample_rate);
    return FEW_OK;
}

static enum few_status open_decoder(struct few__sound_track *track, const struct AVCodecParameters *par,
                                    AVRational unit, struct few_error *err)
{
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);
    if (!codec)
        return few__fail(err, FEW_EDECODE, "this FFmpeg was built without a decoder for %s sound",
                         avcodec_get_name(par->codec_id));
    track->frame = av_frame_alloc();
    track->codec = avcodec_alloc_context3(codec);
    if (!track->frame || !track->codec) return few__no_memory(err, "sound decoder");
    int got = avcodec_parameters_to_context(track->codec, par);
    track->codec->thread_count = 1; // models want the cores
    track->codec->pkt_timebase = unit;
    if (got >= 0) got = avcodec_open2(track->codec, codec, NULL);
    if (got == AVERROR(ENOMEM)) return few__no_memory(err, "sound decoder");
    if (got < 0) return few__fail(err, FEW_EDECODE, "open the %s decoder: %s", codec->name, av_err2str(got));
    return FEW_OK;
}

enum few_status few__sound_track_open(const struct AVCodecParameters *codec, int time_num, int time_den,
                                      int64_t start_us, const int *rates, size_t n_rates,
                                      const struct few_env *env, struct few__sound_track **track,
                                      struct few_error *err)
{
    *track = NULL;
    enum few_status got = check(codec, rates, n_rates, err);
    if (got != FEW_OK) return got;
    if (time_num <= 0 || time_den <= 0)
        return few__fail(err, FEW_EINVAL, "sound: expected a unit of time, found %d/%d", time_num, time_den);
    if (av_log_get_level() == AV_LOG_INFO) av_log_set_level(AV_LOG_QUIET); // docs/media.md, silence
    const struct few_env full = few__env(env);
    struct few__sound_track *t = FEW__NEW(full.mem, struct few__sound_track);
    if (!t) return few__no_memory(err, "sound track");
    t->env = full;
    t->start_us = start_us;
    t->mono.mem = full.mem;
    t->n_lanes = n_rates;
    for (size_t i = 0; i < n_rates; i++) {
        few__kept_init(&t->lanes[i].kept, full.mem, rates[i]);
        t->lanes[i].out.mem = full.mem;
    }
    got = open_decoder(t, codec, (AVRational){time_num, time_den}, err);
    if (got == FEW_OK) *track = t;
    else few__sound_track_close(t);
    return got;
}

void few__sound_track_close(struct few__sound_track *track)
{
    if (!track) return;
    for (size_t i = 0; i < track->n_lanes; i++) {
        swr_free(&track->lanes[i].swr);
        few__kept_finish(&track->lanes[i].kept);
        few__buffer_finish(&track->lanes[i].out);
    }
    few__buffer_finish(&track->mono);
    avcodec_free_context(&track->codec);
    av_frame_free(&track->frame);
    few__free(track->env.mem, track);
}

void few__sound_track_reset(struct few__sound_track *track)
{
    avcodec_flush_buffers(track->codec);
    for (size_t i = 0; i < track->n_lanes; i++) {
        swr_free(&track->lanes[i].swr);
        few__kept_clear(&track->lanes[i].kept);
    }
    track->source_rate = 0;
    track->ended = false;
    track->end_us = 0;
}

/* ---- one stretch: samples of the source at the wanted rates ---- */

static enum few_status keep(struct lane *lane, const float *samples, size_t n, struct few_error *err)
{
    enum few_status got = few__kept_put(&lane->kept, lane->next, samples, n, err);
    lane->next += (int64_t)n;
    return got;
}

/* samples NULL: what is left in the resampler, up to the place `limit`. */
static enum few_status resample(struct lane *lane, const float *samples, size_t n, int64_t limit,
                                struct few_error *err)
{
    if (!lane->swr) return samples ? keep(lane, samples, n, err) : FEW_OK;
    int room = swr_get_out_samples(lane->swr, (int)n);
    if (room <= 0) return FEW_OK;
    float *out = few__buffer_reserve(&lane->out, (size_t)room * sizeof *out);
    if (!out) return few__no_memory(err, "sound");
    const uint8_t *in = (const uint8_t *)samples;
    int made = swr_convert(lane->swr, (uint8_t **)&out, room, samples ? &in : NULL, (int)n);
    if (made < 0) return few__no_memory(err, "sound");
    if (lane->next > limit - made) made = limit > lane->next ? (int)(limit - lane->next) : 0;
    return keep(lane, out, (size_t)made, err);
}

static enum few_status finish_stretch(struct few__sound_track *track, struct few_error *err)
{
    enum few_status got = FEW_OK;
    for (size_t i = 0; track->source_rate && got == FEW_OK && i < track->n_lanes; i++) {
        struct lane *lane = &track->lanes[i];
        int64_t limit = av_rescale_rnd(track->next, lane->kept.rate, track->source_rate, AV_ROUND_UP);
        got = resample(lane, NULL, 0, limit, err);
        swr_free(&lane->swr);
    }
    return got;
}

static enum few_status begin_lane(struct few__sound_track *track, struct lane *lane, struct few_error *err)
{
    const int from = track->source_rate, to = lane->kept.rate;
    const int64_t period = from / av_gcd(from, to), ahead = (track->next % period + period) % period;
    lane->next = (track->next - ahead) / period * (to / av_gcd(from, to));
    if (from == to) return FEW_OK;
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    int got = swr_alloc_set_opts2(&lane->swr, &mono, AV_SAMPLE_FMT_FLTP, to, &mono, AV_SAMPLE_FMT_FLTP, from,
                                  0, NULL);
    if (got >= 0) got = swr_init(lane->swr);
    if (got < 0) return few__no_memory(err, "resampler");
    if (ahead == 0) return FEW_OK;
    float *zeros = few__buffer_reserve(&track->mono, (size_t)ahead * sizeof *zeros);
    if (!zeros) return few__no_memory(err, "sound");
    memset(zeros, 0, (size_t)ahead * sizeof *zeros);
    return resample(lane, zeros, (size_t)ahead, INT64_MAX, err);
}

static enum few_status begin_stretch(struct few__sound_track *track, int64_t at, int rate,
                                     struct few_error *err)
{
    enum few_status got = finish_stretch(track, err);
    track->source_rate = rate;
    track->next = at;
    for (size_t i = 0; got == FEW_OK && i < track->n_lanes; i++)
        got = begin_lane(track, &track->lanes[i], err);
    if (got != FEW_OK) track->source_rate = 0;
    return got;
}

/* ---- one frame ---- */

#define ADD(type, value)                                  \
    for (size_t i = 0; i < n; i++) {                      \
        const type x = ((const type *)samples)[i * step]; \
        sum[i] += (float)(value);                         \
    }                                                     \
    break

/* One channel of n samples, each `step` samples after the one before. */
static void add_channel(const void *samples, size_t step, enum AVSampleFormat format, size_t n, float *sum)
{
    switch ((int)format) {
    case AV_SAMPLE_FMT_U8: ADD(uint8_t, (x - 128) / 128.0F);
    case AV_SAMPLE_FMT_S16: ADD(int16_t, x / 32768.0F);
    case AV_SAMPLE_FMT_S32: ADD(int32_t, x / 2147483648.0);
    case AV_SAMPLE_FMT_S64: ADD(int64_t, (double)x / 9223372036854775808.0);
    case AV_SAMPLE_FMT_FLT: ADD(float, x);
    case AV_SAMPLE_FMT_DBL: ADD(double, x);
    default: break;
    }
}

/* sum: (frame->nb_samples,) the mean of all channels. */
static void mix(const AVFrame *frame, float *sum)
{
    const size_t n = (size_t)frame->nb_samples, channels = (size_t)frame->ch_layout.nb_channels;
    const enum AVSampleFormat format = (enum AVSampleFormat)frame->format;
    const bool planar = av_sample_fmt_is_planar(format);
    const enum AVSampleFormat packed = av_get_packed_sample_fmt(format);
    const size_t width = (size_t)av_get_bytes_per_sample(format);
    memset(sum, 0, n * sizeof *sum);
    for (size_t c = 0; c < channels; c++) {
        const uint8_t *first = planar ? frame->extended_data[c] : frame->extended_data[0] + c * width;
        add_channel(first, planar ? 1 : channels, packed, n, sum);
    }
    for (size_t i = 0; i < n; i++) {
        sum[i] /= (float)channels;
        if (!(fabsf(sum[i]) <= LOUD)) sum[i] = 0;
    }
}

static bool is_sound(const AVFrame *frame)
{
    return frame->nb_samples > 0 && frame->ch_layout.nb_channels > 0 && frame->sample_rate > 0 &&
           frame->sample_rate <= SOURCE_RATE_MAX &&
           frame->nb_samples <= (int64_t)FRAME_S_MAX * frame->sample_rate;
}

/* Where the frame's first sample lies, as its time says it; `expected` where it says nothing. */
static int64_t place_of(const struct few__sound_track *track, const AVFrame *frame, int64_t expected)
{
    if (frame->best_effort_timestamp == AV_NOPTS_VALUE) return expected;
    const AVRational unit = {1, frame->sample_rate};
    int64_t at = av_rescale_q(frame->best_effort_timestamp, track->codec->pkt_timebase, unit);
    int64_t start = av_rescale(track->start_us, frame->sample_rate, 1000000);
    const int64_t far = FAR_S * frame->sample_rate;
    if (at < -far || at > far || start < -far || start > far) return expected;
    return at - start;
}

static enum few_status add_frame(struct few__sound_track *track, const AVFrame *frame, struct few_error *err)
{
    const int rate = frame->sample_rate;
    const int64_t slack = av_rescale(SLACK_US, rate, 1000000), n = frame->nb_samples;
    const bool flows = track->source_rate != 0;
    const int64_t expected = flows ? av_rescale(track->next, rate, track->source_rate) : 0;
    const int64_t at = place_of(track, frame, expected);
    const int64_t cut = flows && at < expected - slack ? expected - at : 0;
    if (cut >= n) {
        track->damaged++;
        return FEW_OK;
    }
    const bool gap = !flows || at > expected + slack;
    if (gap || rate != track->source_rate) {
        enum few_status got = begin_stretch(track, gap ? at : expected, rate, err);
        if (got != FEW_OK) return got;
    }
    float *mono = few__buffer_reserve(&track->mono, (size_t)n * sizeof *mono);
    if (!mono) return few__no_memory(err, "sound");
    mix(frame, mono);
    enum few_status got = FEW_OK;
    for (size_t i = 0; got == FEW_OK && i < track->n_lanes; i++)
        got = resample(&track->lanes[i], mono + cut, (size_t)(n - cut), INT64_MAX, err);
    track->next += n - cut;
    return got;
}

/* ---- packets ---- */

static enum few_status check_room(const struct few__sound_track *track, struct few_error *err)
{
    for (size_t i = 0; i < track->n_lanes; i++) {
        const struct few__sound_kept *kept = &track->lanes[i].kept;
        if (kept->n - kept->start >= (size_t)FEW__SOUND_MAX_S * (size_t)kept->rate)
            return few__fail(err, FEW_ELIMIT, "sound: more than %d s are kept", FEW__SOUND_MAX_S);
    }
    return FEW_OK;
}

static enum few_status end(struct few__sound_track *track, struct few_error *err)
{
    enum few_status got = finish_stretch(track, err);
    if (track->source_rate && track->next > 0)
        track->end_us = av_rescale_rnd(track->next, 1000000, track->source_rate, AV_ROUND_UP);
    track->source_rate = 0;
    track->ended = true;
    return got;
}

enum few_status few__sound_track_push(struct few__sound_track *track, const struct AVPacket *packet,
                                      struct few_error *err)
{
    if (track->ended) return FEW_OK;
    enum few_status status = check_room(track, err);
    if (status != FEW_OK) return status;
    int got = avcodec_send_packet(track->codec, packet);
    while (got >= 0 && status == FEW_OK) {
        got = avcodec_receive_frame(track->codec, track->frame);
        if (got < 0) break;
        if (is_sound(track->frame)) status = add_frame(track, track->frame, err);
        else track->damaged++;
        av_frame_unref(track->frame);
    }
    if (status != FEW_OK) return status;
    if (got == AVERROR(ENOMEM)) return few__no_memory(err, "decoded sound");
    if (got != AVERROR(EAGAIN) && got != AVERROR_EOF) track->damaged++;
    return packet ? FEW_OK : end(track, err);
}

uint64_t few__sound_track_damaged(const struct few__sound_track *track)
{
    return track->damaged;
}

/* ---- spans ---- */

int64_t few__sound_track_until(const struct few__sound_track *track)
{
    if (track->ended) return INT64_MAX;
    int64_t until = INT64_MAX;
    for (size_t i = 0; i < track->n_lanes; i++) {
        const struct few__sound_kept *kept = &track->lanes[i].kept;
        int64_t its = av_rescale_rnd(kept->next, 1000000, kept->rate, AV_ROUND_DOWN);
        if (its < until) until = its;
    }
    return until;
}

int64_t few__sound_track_end(const struct few__sound_track *track)
{
    return track->end_us;
}

/* round(us * rate), not beyond what there is. */
static int64_t place_in(const struct few__sound_kept *kept, int64_t us)
{
    if (us <= 0) return 0;
    int64_t place = av_rescale(us, kept->rate, 1000000);
    return place < 0 || place > kept->next ? kept->next : place; // < 0: too far for a number
}

enum few_status few__sound_track_take(struct few__sound_track *track, int64_t from_us, int64_t until_us,
                                      struct few__sound *sounds, size_t *n_sounds, struct few_error *err)
{
    *n_sounds = 0;
    bool any = false;
    for (size_t i = 0; i < track->n_lanes; i++) {
        struct lane *lane = &track->lanes[i];
        int64_t from = place_in(&lane->kept, from_us), to = place_in(&lane->kept, until_us);
        size_t n = to > from ? (size_t)(to - from) : 0;
        if (n > (size_t)FEW__SOUND_MAX_S * (size_t)lane->kept.rate)
            return few__fail(err, FEW_ELIMIT, "sound: expected a span of at most %d s", FEW__SOUND_MAX_S);
        float *out = few__buffer_reserve(&lane->out, (n + 1) * sizeof *out);
        if (!out) return few__no_memory(err, "sound");
        few__kept_take(&lane->kept, from, from + (int64_t)n, out);
        sounds[i] = (struct few__sound){.rate = lane->kept.rate, .n = n, .samples = out};
        any |= n > 0;
    }
    *n_sounds = any ? track->n_lanes : 0;
    return FEW_OK;
}

void few__sound_track_drop(struct few__sound_track *track, int64_t before_us)
{
    for (size_t i = 0; i < track->n_lanes; i++) {
        struct few__sound_kept *kept = &track->lanes[i].kept;
        few__kept_drop(kept, place_in(kept, before_us));
    }
}
