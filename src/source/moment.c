// SPDX-License-Identifier: Apache-2.0
#include "source/moment.h"

#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>

#include "core/error.h"
#include "core/mem.h"
#include "media/image_internal.h"
#include "media/look.h"

enum few_status few__moment_init(struct few__moment *moment, const struct few_mem *mem, bool look,
                                 struct few_error *err)
{
    *moment = (struct few__moment){.memory.mem = mem};
    if (!look) return FEW_OK;
    moment->look = FEW__NEW_N(mem, uint8_t, FEW__LOOK_BYTES);
    return moment->look ? FEW_OK : few__no_memory(err, "look of a frame");
}

void few__moment_clear(struct few__moment *moment)
{
    if (moment->frame) av_frame_unref(moment->frame);
    moment->picture = NULL;
    moment->at_us = moment->until_us = moment->arrived_us = 0;
    moment->rotation = 0;
    moment->has_look = false;
    moment->n_sounds = 0;
}

void few__moment_finish(struct few__moment *moment)
{
    av_frame_free(&moment->frame);
    moment->picture = NULL;
    few__free(moment->memory.mem, moment->look);
    moment->look = NULL;
    few__buffer_finish(&moment->memory);
}

// EXIF's word for a picture that has to be turned clockwise by so much.
static int orientation_of(int rotation)
{
    switch (rotation) {
    case 90: return 6;
    case 180: return 3;
    case 270: return 8;
    default: return 1;
    }
}

enum few_status few__moment_image(const struct few__moment *moment, struct few__buffer *planes,
                                  struct few__image *image, struct few_error *err)
{
    *image = (struct few__image){0};
    if (!moment->picture) return few__fail(err, FEW_EINVAL, "a moment without a picture");
    struct few__picture picture = few__frame_picture(moment->picture);
    FEW__TRY(few__image_size_check("frame", picture.width, picture.height, err));
    if (!few__picture_readable(&picture))
        return few__fail(err, FEW_EUNSUPPORTED, "frame: its pixel format (%s) is not supported",
                         av_get_pix_fmt_name(picture.format));
    return few__picture_upright(&picture, orientation_of(moment->rotation), planes, image, err);
}
