// SPDX-License-Identifier: Apache-2.0
/* Between the files of the decoder: what one decoder is given, the rows of its table, shape checks, and the
 * list of candidates that detectors fill. */
#ifndef FEW_MODEL_DECODE_IMPL_H
#define FEW_MODEL_DECODE_IMPL_H

#include "core/error.h"
#include "model/decode.h"

/* One decoding, or one check at load: then tensors have no data, dims may be -1, and placement, arena and
 * output are NULL. */
struct few__reading {
    const struct few__recipe *recipe;
    const struct few_model *model;
    const struct few__tensor *tensors;
    size_t n_tensors;
    int64_t width, height; // of the input; -1 = not known yet
    const struct few__placement *placement;
    struct few__arena *arena;
    struct few_output *output;
    struct few_error *err;
};

/* check: shapes; after it `read` may trust every dimension. read: fills output's numbers (kind is set).
 * Detectors write detections through few__candidate_add and few__candidates_end. */
struct few__decoder_row {
    const char *name;
    unsigned kinds;                                        // 1 << enum few_kind
    size_t (*n_outputs)(const struct few__decode *decode); // NULL = 1
    enum few_status (*check)(const struct few__reading *r);
    enum few_status (*read)(const struct few__reading *r);
};

/* By enum few__decoder; the rows lie with the functions they name. */
extern const struct few__decoder_row few__decode_yolox, few__decode_fastestdet, few__decode_fastestv2,
    few__decode_nanodet, few__decode_centernet, few__decode_ultraface, few__decode_yunet;
extern const struct few__decoder_row few__decode_regions, few__decode_seg_mean, few__decode_seg_share,
    few__decode_mask_share;

/* Tensor i has this shape; -1 on either side fits anything. FEW_ESHAPE names both. */
enum few_status few__expect_shape(const struct few__reading *r, size_t i, size_t n_dims, const int64_t *dims);

/* FEW_ESHAPE "model 'x': output 'y': expected <format>, found [dims]". */
enum few_status few__shape_error(const struct few__reading *r, size_t i, const char *format, ...)
    FEW_PRINTF(3, 4);

/* Labels of the model, at least 1: a detector without a list has one class. */
size_t few__n_classes(const struct few_model *model);

/* ---- candidates of a detector ---- */

struct few__candidates {
    const struct few__reading *r;
    size_t n, room;
    struct few_detection *list; // in the arena
    bool failed;                // no memory: told by few__candidates_end
};

/* A box in input pixels, led back to the image. Boxes that do not touch the image are left out. The box is
 * kept as it is, beyond the image too, until suppression is done; few__candidates_end cuts it. area_pixels:
 * input pixels that it covers, negative = the box itself. */
void few__candidate_add(struct few__candidates *c, size_t label, float confidence, const float corners[4],
                        float area_pixels);

/* Suppression, boxes cut to the image, at most FEW_DETECTIONS_MAX, into the output (kind detections, or box:
 * the best one). Errors: FEW_ENOMEM. */
enum few_status few__candidates_end(struct few__candidates *c);

#endif
