// SPDX-License-Identifier: Apache-2.0
/* The planes go through swscale under the name of YUV 4:4:4: three independent 8-bit planes of one size, which
 * it filters alike and does not convert. Flags: exact rounding, and the same bits on every processor. */
#include "media/scale.h"

#include <libswscale/swscale.h>

#include "core/error.h"
#include "core/mem.h"
#include "media/enlarge.h"

struct pair {
    int width, height, out_width, out_height;
    struct SwsContext *sws; // NULL: free place
    uint64_t used;          // when last, in calls
};

struct few__scaler {
    const struct few_mem *mem;
    struct pair pairs[FEW__SCALERS_MAX];
    uint64_t calls;
    size_t made;
    struct few__buffer shrunk, taps; // libvips's sampling: between the two steps, and of enlarging
};

enum few_status few__scaler_create(const struct few_mem *mem, struct few__scaler **scaler,
                                   struct few_error *err)
{
    *scaler = FEW__NEW(mem, struct few__scaler);
    if (!*scaler) return few__no_memory(err, "scaler");
    (*scaler)->mem = (*scaler)->shrunk.mem = (*scaler)->taps.mem = mem;
    return FEW_OK;
}

void few__scaler_destroy(struct few__scaler *s)
{
    if (!s) return;
    for (size_t i = 0; i < FEW__SCALERS_MAX; i++) sws_freeContext(s->pairs[i].sws);
    few__buffer_finish(&s->shrunk);
    few__buffer_finish(&s->taps);
    few__free(s->mem, s);
}

size_t few__scaler_made(const struct few__scaler *s)
{
    return s->made;
}

// The place of this pair, or the one to give up for it: a free one, else the longest unused.
static struct pair *find(struct few__scaler *s, const struct pair *want)
{
    struct pair *oldest = &s->pairs[0];
    for (struct pair *p = s->pairs; p < s->pairs + FEW__SCALERS_MAX; p++) {
        if (p->sws && p->width == want->width && p->height == want->height &&
            p->out_width == want->out_width && p->out_height == want->out_height)
            return p;
        if (p->used < oldest->used) oldest = p;
    }
    sws_freeContext(oldest->sws);
    *oldest = *want;
    return oldest;
}

static enum few_status scale_centres(struct few__scaler *s, const uint8_t *const planes[3], size_t stride,
                                     int width, int height, uint8_t *const out[3], size_t out_stride,
                                     int out_width, int out_height, struct few_error *err)
{
    struct pair *p = find(s, &(struct pair){width, height, out_width, out_height, NULL, 0});
    if (!p->sws) {
        p->sws = sws_getContext(width, height, AV_PIX_FMT_YUV444P, out_width, out_height, AV_PIX_FMT_YUV444P,
                                SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT, NULL, NULL, NULL);
        if (!p->sws)
            return few__fail(err, FEW_EINVAL, "cannot resize %d x %d to %d x %d", width, height, out_width,
                             out_height);
        s->made++;
    }
    p->used = ++s->calls;
    const uint8_t *from[4] = {planes[0], planes[1], planes[2], NULL};
    uint8_t *to[4] = {out[0], out[1], out[2], NULL};
    int from_stride = (int)stride, to_stride = (int)out_stride;
    const int from_strides[4] = {from_stride, from_stride, from_stride, 0};
    const int to_strides[4] = {to_stride, to_stride, to_stride, 0};
    int rows = sws_scale(p->sws, from, from_strides, 0, height, to, to_strides);
    if (rows != out_height)
        return few__fail(err, FEW_EINVAL, "resize of %d x %d gave %d rows, expected %d", width, height, rows,
                         out_height);
    return FEW_OK;
}

/* As libvips: first the sides that shrink, then the others grow, and that moves both axes. */
static enum few_status scale_libvips(struct few__scaler *s, const uint8_t *const planes[3], size_t stride,
                                     int width, int height, uint8_t *const out[3], size_t out_stride,
                                     int out_width, int out_height, struct few_error *err)
{
    int w = width < out_width ? width : out_width, h = height < out_height ? height : out_height;
    const uint8_t *from[3] = {planes[0], planes[1], planes[2]};
    if (w != width || h != height) {
        size_t between = few__plane_stride(w), plane = between * (size_t)h;
        uint8_t *memory = few__buffer_reserve(&s->shrunk, 3 * plane);
        if (!memory) return few__no_memory(err, "resized planes");
        uint8_t *const to[3] = {memory, memory + plane, memory + 2 * plane};
        FEW__TRY(scale_centres(s, planes, stride, width, height, to, between, w, h, err));
        for (int c = 0; c < 3; c++) from[c] = to[c];
        stride = between;
    }
    return few__enlarge_libvips(from, stride, w, h, out, out_stride, out_width, out_height, &s->taps, err);
}

enum few_status few__scale(struct few__scaler *s, enum few__sampling sampling, const uint8_t *const planes[3],
                           size_t stride, int width, int height, uint8_t *const out[3], size_t out_stride,
                           int out_width, int out_height, struct few_error *err)
{
    bool grows = out_width > width || out_height > height;
    bool sound = width > 0 && height > 0; // otherwise swscale says what is wrong
    if (sampling == FEW__LIBVIPS && grows && sound)
        return scale_libvips(s, planes, stride, width, height, out, out_stride, out_width, out_height, err);
    return scale_centres(s, planes, stride, width, height, out, out_stride, out_width, out_height, err);
}
