// SPDX-License-Identifier: Apache-2.0
/* PNG, GIF, BMP, WebP, TIFF and CMYK JPEG through libavcodec.
 *
 * The bytes go straight to the one decoder that fits the file's content: no demuxer and no protocol takes
 * part, so a picture cannot name another file or host. Each picture gets a decoder of its own: cheap beside what it
 * decodes, and FFmpeg's PNG decoder takes palette and pixels of one image into the next. */
#include "media/image_internal.h"

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>

#include "core/error.h"
#include "core/mem.h"

static const struct {
    const char *name;
    enum AVCodecID id;
} codecs[FEW__IMAGE_KIND_COUNT] = {
    [FEW__JPEG] = {"JPEG", AV_CODEC_ID_MJPEG}, [FEW__PNG] = {"PNG", AV_CODEC_ID_PNG},
    [FEW__GIF] = {"GIF", AV_CODEC_ID_GIF},     [FEW__BMP] = {"BMP", AV_CODEC_ID_BMP},
    [FEW__WEBP] = {"WebP", AV_CODEC_ID_WEBP},  [FEW__TIFF] = {"TIFF", AV_CODEC_ID_TIFF},
};

struct few__ffmpeg {
    const struct few_mem *mem;
    AVCodecContext *codec; // NULL: closed
    AVPacket *packet;
    AVFrame *frame;
};

void few__ffmpeg_quiet(void)
{
    if (av_log_get_level() == AV_LOG_INFO) av_log_set_level(AV_LOG_QUIET);
}

enum few_status few__ffmpeg_create(const struct few_mem *mem, struct few__ffmpeg **ffmpeg,
                                   struct few_error *err)
{
    *ffmpeg = NULL;
    struct few__ffmpeg *f = FEW__NEW(mem, struct few__ffmpeg);
    if (!f) return few__no_memory(err, "image decoder");
    f->mem = mem;
    f->packet = av_packet_alloc();
    f->frame = av_frame_alloc();
    if (!f->packet || !f->frame) {
        few__ffmpeg_destroy(f);
        return few__no_memory(err, "image decoder");
    }
    few__ffmpeg_quiet();
    *ffmpeg = f;
    return FEW_OK;
}

void few__ffmpeg_destroy(struct few__ffmpeg *f)
{
    if (!f) return;
    avcodec_free_context(&f->codec);
    av_packet_free(&f->packet);
    av_frame_free(&f->frame);
    few__free(f->mem, f);
}

static enum few_status open_decoder(struct few__ffmpeg *f, enum few__image_kind kind, struct few_error *err)
{
    const AVCodec *codec = avcodec_find_decoder(codecs[kind].id);
    if (!codec)
        return few__fail(err, FEW_EDECODE, "this FFmpeg was built without its %s decoder", codecs[kind].name);
    AVCodecContext *c = avcodec_alloc_context3(codec);
    if (!c) return few__no_memory(err, "image decoder");
    c->thread_count = 1; // models want the cores, and one picture is too short to share
    c->max_pixels = FEW__IMAGE_PIXELS_MAX;
    int got = avcodec_open2(c, codec, NULL);
    if (got < 0) {
        avcodec_free_context(&c);
        return few__fail(err, FEW_EDECODE, "open the %s decoder: %s", codecs[kind].name, av_err2str(got));
    }
    f->codec = c;
    return FEW_OK;
}

static bool is_full_range(const AVFrame *frame)
{
    switch ((int)frame->format) {
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P: return true;
    default: return frame->color_range == AVCOL_RANGE_JPEG;
    }
}

struct few__picture few__frame_picture(const AVFrame *frame)
{
    struct few__picture p = {.format = (enum AVPixelFormat)frame->format,
                             .width = frame->width,
                             .height = frame->height,
                             .full_range = is_full_range(frame),
                             .matrix = (int)frame->colorspace};
    for (int i = 0; i < 4; i++) {
        p.data[i] = frame->data[i];
        p.stride[i] = frame->linesize[i];
    }
    return p;
}

enum few_status few__ffmpeg_decode(struct few__ffmpeg *f, enum few__image_kind kind, const char *name,
                                   const uint8_t *bytes, size_t n, struct few__picture *picture,
                                   struct few_error *err)
{
    FEW__TRY(open_decoder(f, kind, err));
    f->packet->data = (uint8_t *)bytes; // without a reference count: the decoder copies and pads it
    f->packet->size = (int)n;
    int got = avcodec_send_packet(f->codec, f->packet);
    f->packet->data = NULL;
    f->packet->size = 0;
    if (got >= 0) got = avcodec_receive_frame(f->codec, f->frame);
    if (got < 0) {
        avcodec_free_context(&f->codec);
        if (got == AVERROR(ENOMEM)) return few__no_memory(err, "decoded image");
        return few__fail(err, FEW_EDECODE, "%s: damaged %s file: %s", name, codecs[kind].name,
                         got == AVERROR(EAGAIN) ? "no picture in it" : av_err2str(got));
    }
    *picture = few__frame_picture(f->frame);
    if (kind == FEW__TIFF) picture->matrix = 0;
    return FEW_OK;
}

void few__ffmpeg_release(struct few__ffmpeg *f)
{
    av_frame_unref(f->frame);
    avcodec_free_context(&f->codec);
}
