// SPDX-License-Identifier: Apache-2.0
/* The planes go through swscale under the name of YUV 4:4:4: three independent 8-bit planes of one size, which
 * it filters alike and does not convert. Flags: exact rounding, and the same bits on every processor. */
#include "media/scale.h"

#include <libswscale/swscale.h>

#include "core/error.h"
#include "core/mem.h"
#include "media/buffer.h"
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

static enum few_status scale_centres(struct few__scaler *s, const struct few__image *from,
                                     const struct few__planes *to, struct few_error *err)
{
    struct pair *p = find(s, &(struct pair){from->width, from->height, to->width, to->height, NULL, 0});
    if (!p->sws) {
        p->sws = sws_getContext(from->width, from->height, AV_PIX_FMT_YUV444P, to->width, to->height,
                                AV_PIX_FMT_YUV444P, SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT, NULL,
                                NULL, NULL);
        if (!p->sws)
            return few__fail(err, FEW_EINVAL, "cannot resize %d x %d to %d x %d", from->width, from->height,
                             to->width, to->height);
        s->made++;
    }
    p->used = ++s->calls;
    const uint8_t *in[4] = {from->planes[0], from->planes[1], from->planes[2], NULL};
    uint8_t *out[4] = {to->planes[0], to->planes[1], to->planes[2], NULL};
    int in_stride = (int)from->stride, out_stride = (int)to->stride;
    const int in_strides[4] = {in_stride, in_stride, in_stride, 0};
    const int out_strides[4] = {out_stride, out_stride, out_stride, 0};
    int rows = sws_scale(p->sws, in, in_strides, 0, from->height, out, out_strides);
    if (rows != to->height)
        return few__fail(err, FEW_EINVAL, "resize of %d x %d gave %d rows, expected %d", from->width,
                         from->height, rows, to->height);
    return FEW_OK;
}

/* As libvips: first the sides that shrink, then the others grow, and that moves both axes. */
static enum few_status scale_libvips(struct few__scaler *s, const struct few__image *from,
                                     const struct few__planes *to, struct few_error *err)
{
    int width = from->width < to->width ? from->width : to->width;
    int height = from->height < to->height ? from->height : to->height;
    if (width == from->width && height == from->height) return few__enlarge_libvips(from, to, &s->taps, err);
    size_t stride = few__plane_stride(width), plane = stride * (size_t)height;
    uint8_t *memory = few__buffer_reserve(&s->shrunk, 3 * plane);
    if (!memory) return few__no_memory(err, "resized planes");
    struct few__planes small = {width, height, stride, {memory, memory + plane, memory + 2 * plane}};
    FEW__TRY(scale_centres(s, from, &small, err));
    struct few__image between = {width, height, stride, {memory, memory + plane, memory + 2 * plane}};
    return few__enlarge_libvips(&between, to, &s->taps, err);
}

enum few_status few__scale(struct few__scaler *s, enum few__sampling sampling, const struct few__image *from,
                           const struct few__planes *to, struct few_error *err)
{
    bool grows = to->width > from->width || to->height > from->height;
    bool sound = from->width > 0 && from->height > 0; // otherwise swscale says what is wrong
    if (sampling == FEW__LIBVIPS && grows && sound) return scale_libvips(s, from, to, err);
    return scale_centres(s, from, to, err);
}
