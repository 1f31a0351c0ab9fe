// SPDX-License-Identifier: Apache-2.0
/* How one model is fed and read: what the manifest says beyond what anybody may know of it (few_model).
 * Plain data; made by manifest.c, followed by media (pixels to tensor), backend (the run) and decode. */
#ifndef FEW_MODEL_RECIPE_H
#define FEW_MODEL_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/model.h>

enum { FEW__OUTPUTS_MAX = 16, FEW__STRIDES_MAX = 4, FEW__ANCHORS_MAX = 32, FEW__SIDE_MAX = 8192 };

enum few__resize {
    FEW__STRETCH,          // straight to width x height
    FEW__LETTERBOX,        // ratio kept, image at the top left, the rest is pad
    FEW__LETTERBOX_CENTRE, // the same, image in the middle
    FEW__CENTRE_CROP,      // the largest square in the middle, then stretched
    FEW__HEIGHT,           // to the height; width = ceil(w * H / h / 8) * 8, within min_width .. width
};

enum few__sampling { // where bilinear resizing looks when a side grows
    FEW__CENTRES,    // pixel centres on pixel centres (swscale, Pillow, OpenCV)
    FEW__LIBVIPS,    // half an output pixel before that, on both axes (libvips, sharp): media/enlarge.h
    FEW__SAMPLING_OF_MANIFEST, // only while a manifest is read: what it says for all inputs
};

enum few__crop {
    FEW__WHOLE,  // no crop: the whole image
    FEW__SQUARE, // a square around the box's centre, side = expand * max(w, h); outside the image: pad
    FEW__BOX,    // the box itself
};

enum few__pick {       // which detection of the need is looked at
    FEW__BEST,         // highest confidence
    FEW__LARGEST,      // largest area
    FEW__LARGEST_WIDE, // largest area among those wider than 0.8 x their height in pixels; none: largest
};

/* Which pixels, at which size: decides the 8-bit planes, which equal specs share. */
struct few__pixels {
    enum few__resize resize;
    enum few__sampling sampling;
    int width, height; // of the input; FEW__HEIGHT: width is the largest allowed
    int min_width;     // FEW__HEIGHT only
    uint8_t pad;       // grey value outside the image
    int needs;         // model whose detection is cropped, -1 = whole image
    enum few__crop crop;
    enum few__pick pick;
    float expand;
};

enum few__colour { FEW__RGB, FEW__BGR, FEW__GRAY };
enum few__layout { FEW__NCHW, FEW__NHWC };

/* Sound is looked at in windows: each has `context` samples of the one before in front (zeros at the start of the item's
 * sound), then `length` new ones; the next begins `hop` samples later. The last one is filled up with zeros. */
struct few__window {
    int rate; // samples a second
    size_t length, hop, context;
};

/* Text as token numbers: words (runs of letters and digits, lower case) or characters (code points), each its place in the
 * vocabulary, cut or filled up to `length`. */
enum few__split { FEW__WORDS, FEW__CHARACTERS };
struct few__tokens {
    enum few__split split;
    size_t length;
    size_t n_names;
    const char *const *names; // (n_names,) vocabulary; sorted look-up is the reader's affair
    int64_t unknown, pad;
};

/* A tensor that a model hands to its next window: zeros before the first one of an item. */
struct few__model_state {
    const char *input, *output;
    size_t n_dims;
    int64_t dims[4];
};

/* A tensor that is the same in every run: one number, of the type that the model declares. */
struct few__constant {
    const char *input;
    double value;
};

enum {
    FEW__STATES_MAX = 4, // of a model
    FEW__CONSTANTS_MAX = 4,
    FEW__RATES_MAX = 4,               // of a zoo
    FEW__WINDOW_MAX = 1 << 24,        // samples of a window and its context
    FEW__STATE_NUMBERS_MAX = 1 << 22, // of one state
    FEW__TOKENS_LENGTH_MAX = 1 << 16, // of one text
};

/* (value 0..255 - mean[c]) / std[c], channels in the order of `colour`; GRAY = 0.299 R + 0.587 G + 0.114 B. */
struct few__input {
    const char *name; // of the model's input tensor; NULL = its only one (beside states and constants)
    enum few_modality modality;
    struct few__window window; // sound
    struct few__tokens tokens; // text
    size_t n_states, n_constants;
    struct few__model_state states[FEW__STATES_MAX];
    struct few__constant constants[FEW__CONSTANTS_MAX];
    // Images; zero for the others (needs -1, i_pixels and i_tensor SIZE_MAX).
    struct few__pixels pixels;
    enum few__colour colour;
    enum few__layout layout;
    float mean[3], std[3];
    size_t i_pixels; // equal for models that share the 8-bit planes, 0 .. n_pixels - 1 of the zoo
    size_t i_tensor; // equal for models that share the whole tensor, 0 .. n_tensors - 1 of the zoo
};

enum few__combine { // of the outputs of several windows
    FEW__MEAN,      // of each number
    FEW__MAX,       // of each number
    FEW__LAST,
};

enum few__decoder {
    FEW__DECODE_VALUES,     // numbers as they stand: output[offset + k * step] through `activation`
    FEW__DECODE_YOLOX,      // rows of 4 box values, objectness, classes; grid of strides
    FEW__DECODE_FASTESTDET, // (5 + C, G, G): objectness^0.6 * class^0.4
    FEW__DECODE_FASTESTV2,  // rows of 3 x 4 box values, 3 objectness, classes; anchors of two strides
    FEW__DECODE_NANODET,    // class scores and box distributions for each stride
    FEW__DECODE_CENTERNET,  // heat map and sizes
    FEW__DECODE_ULTRAFACE,  // scores (N, 2) and corner boxes (N, 4)
    FEW__DECODE_YUNET,      // class, objectness, box for each stride
    FEW__DECODE_REGIONS,    // connected regions of a probability map
    FEW__DECODE_SEG_MEAN,   // labels: softmax per pixel, mean of the best `fraction` of pixels per class
    FEW__DECODE_SEG_SHARE,  // labels: share of pixels whose best class it is
    FEW__DECODE_MASK_SHARE, // scalar: share of pixels above `mask_threshold`
    FEW__DECODE_CTC,        // sequence: greedy, class 0 is blank, repeats merged
};

enum few__activation { FEW__LINEAR, FEW__CLAMP, FEW__SOFTMAX, FEW__SIGMOID };

struct few__decode {
    enum few__decoder kind;
    enum few__activation activation;
    size_t n_outputs;
    const char *outputs[FEW__OUTPUTS_MAX]; // tensor names in the order that the decoder wants them
    size_t n_values;                       // VALUES: how many; 0 = as many as there are labels, or 1
    size_t offset, step;                   // VALUES: first and distance (step 0 = 1)
    float keep;                            // detections below this confidence are dropped
    float iou;                             // non-maximum suppression within a label; 0 = none
    float iou_across;                      // the same between labels: one thing counts once, car or truck
    size_t n_strides, n_anchors;
    int strides[FEW__STRIDES_MAX];
    float anchors[FEW__ANCHORS_MAX]; // width, height pairs in input pixels
    enum few__layout layout;         // of segmentation maps
    float fraction;                  // SEG_MEAN
    float mask_threshold;            // MASK_SHARE, REGIONS (0.5, 0.3)
    float region_mean, unclip;       // REGIONS: lowest mean (0.6), growth (1.5)
    size_t region_pixels;            // REGIONS: fewest pixels (16)
};

struct few__recipe {
    const char *backend;        // "onnx", "worker" or "replay"
    const char *file;           // path ready to open; worker: the first file that its command names, or NULL
    size_t n_command;           // worker
    const char *const *command; // (n_command,) program and arguments
    size_t batch;               // items that one run may take at once, 1 = no batches
    int64_t timeout_us;         // of one run; longer counts as failed
    struct few__input input;
    struct few__decode decode;
    enum few__combine combine; // sound
};

/* Whether two specs give the same 8-bit planes, and two inputs (whose i_pixels are set) the same tensor. */
bool few__pixels_equal(const struct few__pixels *a, const struct few__pixels *b);
bool few__tensor_equal(const struct few__input *a, const struct few__input *b);

/* Numbers of one item's input; where the width varies, the most. */
size_t few__input_numbers(const struct few__input *input);

/* 1 or 3. */
int few__input_channels(const struct few__input *input);

/* The shape of the input tensor for this width (it varies with FEW__HEIGHT; -1 = any). */
void few__input_dims(const struct few__input *input, int64_t width, int64_t dims[4]);

#endif
