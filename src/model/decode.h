// SPDX-License-Identifier: Apache-2.0
/* From a model's raw tensors to its output. Files: decode (table, numbers, text), decode_boxes (detectors),
 * decode_maps (segmentation, regions), nms. docs/decode.md says what each decoder reads. */
#ifndef FEW_MODEL_DECODE_H
#define FEW_MODEL_DECODE_H

#include <fewer/model.h>

#include "core/mem.h"
#include "model/recipe.h"

enum { FEW__DIMS_MAX = 8 };

/* float32 numbers of a runtime, borrowed. */
struct few__tensor {
    const float *data;
    size_t n; // numbers in all
    size_t n_dims;
    int64_t dims[FEW__DIMS_MAX];
};

/* Where the looked-at part of the image lies, and where that part lies in the input: leads boxes back.
 * Input pixel u is image pixel image_x + (u - inner_x) / scale_x, likewise for y; share = pixel / image size. */
struct few__placement {
    int image_width, image_height; // pixels of the whole image
    float image_x, image_y;        // top left of the crop in the image; 0 without a crop
    float inner_x, inner_y;        // where the image begins in the input (letterbox-centre)
    float scale_x, scale_y;        // input pixels for one image pixel
    int width, height;             // of the input tensor as it was filled
};

/* Check that a recipe's decoder can read outputs of these shapes for this model (dims -1 = any): at load.
 * Errors: FEW_ESHAPE names the tensor, what was expected and what was found. */
enum few_status few__decode_check(const struct few__recipe *recipe, const struct few_model *model,
                                  const struct few__tensor *outputs, size_t n_outputs, struct few_error *err);

/* Decode one run. outputs: (n_outputs,) in the order of recipe->decode.outputs, shapes as they came back.
 * output's arrays lie in the arena. confidence: of classes, labels and detections the best one; of scalar and
 * vector 1. A detector's output of kind box is its best detection.
 * Errors: FEW_ESHAPE; FEW_EDECODE a number that is not finite; FEW_ELIMIT over FEW_VALUES_MAX or
 * FEW_TOKENS_MAX; FEW_ENOMEM. */
enum few_status few__decode(const struct few__recipe *recipe, const struct few_model *model,
                            const struct few__tensor *outputs, size_t n_outputs,
                            const struct few__placement *placement, struct few__arena *arena,
                            struct few_output *output, struct few_error *err);

/* Non-maximum suppression, in place: sorts by falling confidence (ties: as they stood), keeps a detection if no kept one
 * of its label overlaps it by more than iou, and none of another label by more than iou_across (0 = no suppression), ends
 * when `max` are kept; returns how many are. */
size_t few__nms(struct few_detection *detections, size_t n, float iou, float iou_across, size_t max);

#endif
