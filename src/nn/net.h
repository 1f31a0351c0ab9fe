// SPDX-License-Identifier: Apache-2.0
/* Small networks of dense layers. Everything here runs on the caller's thread; nets share nothing, so train as many at
 * once as you have threads. Same seed and same batches, same bits, on any machine (kernels.h).
 *
 *     struct few__net_spec spec = {.n_in = 1104, .n_layers = 2,
 *                                  .layers = {{256, FEW__RELU, 0}, {31, FEW__LINEAR, 0}}};
 *     few__net_create(&spec, env, &net, err);  few__net_init(net, FEW__GLOROT_UNIFORM, &rng);
 *     few__work_create(net, 32, env, &work, err);  few__optim_create(net, &few__adam, env, &optim, err);
 *     for each batch:
 *         few__net_forward(net, work, &input, &rng);             // rng: dropout; NULL = as when it is used
 *         few__net_loss(net, work, &loss, &targets, &value);     // value NULL = only the slopes
 *         few__net_backward(net, work, &input);
 *         few__optim_step(optim, net, work);
 *     float *best = few__new(mem, net->n_block, sizeof *best);  memcpy(best, net->params, ...);  // early stopping
 *
 * One sample at a time, input by input: single.h. Files: tensors_file.h, net_file.h. */
#ifndef FEW_NN_NET_H
#define FEW_NN_NET_H

#include <stdbool.h>

#include "core/mem.h"
#include "core/rng.h"
#include "nn/kernels.h"

enum {
    FEW__NET_LAYERS_MAX = 8,
    FEW__NET_IN_MAX = 1 << 20,
    FEW__NET_WIDTH_MAX = 1 << 14, // units of a layer
    FEW__NET_BLOCK_MAX = 1 << 28, // floats of the parameter block
    FEW__NET_BATCH_MAX = 1 << 20, // samples of a batch
};

enum few__activation { FEW__LINEAR, FEW__RELU, FEW__SIGMOID, FEW__TANH, FEW__SOFTMAX, FEW__ACTIVATION_COUNT };

struct few__layer_spec {
    size_t n_out;
    enum few__activation activation;
    float
        dropout; // share of the layer's outputs that training sets to zero, in [0, 1); the others grow by 1 / (1 - it)
};

struct few__net_spec {
    size_t n_in;
    size_t n_layers;
    struct few__layer_spec layers[FEW__NET_LAYERS_MAX];
    /* The last layer, which must be linear and without dropout, gets one more unit, V, after its n_out, A; the outputs are
     * V + A - mean(A) (Wang et al. 2016, Eq. 9). */
    bool dueling;
};

/* The size table. A layer is (n_in, stride) weights, input-major, so that a sparse input adds rows, and (stride,) biases. */
struct few__layer {
    size_t n_in, n_out;   // n_out with the unit V
    size_t stride;        // few__padded(n_out)
    size_t weights, bias; // where they begin in the block
    enum few__activation activation;
    float dropout;
};

struct few__net {
    const struct few_mem *mem;
    const struct few__kernels *kernels;
    struct few__net_spec spec;
    struct few__layer layers[FEW__NET_LAYERS_MAX];
    size_t n_layers, n_in, n_out;
    size_t n_params; // weights and biases
    size_t n_block;  // floats of the block: with padding, which is zero and stays zero
    float *params;   // (n_block,) gradients and moments have the same layout
    void *block;     // what is freed
};

/* A net whose parameters are zero. Errors: FEW_EINVAL no layer, a dropout outside [0, 1), softmax with dropout, dueling with
 * an activation or dropout at the end; FEW_ELIMIT one of the limits above, or a size of 0; FEW_ENOMEM. */
enum few_status few__net_create(const struct few__net_spec *spec, const struct few_env *env,
                                struct few__net **out, struct few_error *err);
void few__net_destroy(struct few__net *net);

enum few__initialiser {
    FEW__GLOROT_UNIFORM, // +- sqrt(6 / (n_in + n_out)): Keras' default
    FEW__HE_NORMAL,      // deviation sqrt(2 / n_in), not truncated: for relu
};

/* Weights anew, biases zero. */
void few__net_init(struct few__net *net, enum few__initialiser how, struct few__rng *rng);

/* What goes into the first layer: dense inputs, sparse ones, or both, which add up. Borrowed for the call. */
struct few__net_input {
    size_t n;              // samples
    const float *dense;    // inputs 0 .. n_dense - 1 of each sample, rows dense_stride apart; NULL = none
    size_t n_dense;        // <= n_in
    size_t dense_stride;   // 0 = n_dense
    const uint32_t *first; // (n + 1,) sample s has index[first[s] .. first[s + 1] - 1]; NULL = no sparse ones
    const uint32_t *index; // inputs, < n_in, in any order
    const float *value;    // beside index; NULL = all 1
};

/* What a batch needs beside the net: activations, slopes, the gradient. One for each net in training, made once. */
struct few__work {
    const struct few_mem *mem;
    size_t n_max;                     // samples
    size_t n;                         // of the last forward
    float *y[FEW__NET_LAYERS_MAX];    // (n_max, stride) after the activation
    float *fed[FEW__NET_LAYERS_MAX];  // the same after dropout; is y where there is none
    float *mask[FEW__NET_LAYERS_MAX]; // (n_max, stride) 0 or 1 / (1 - dropout); NULL where there is none
    bool dropped;                     // the last forward used dropout
    float *out;                       // (n_max, out_stride) outputs of the last forward
    size_t out_stride;                // few__padded(n_out)
    float *slope;     // (n_max, stride of the last layer) of the loss by what the last activation is given
    float *slopes[2]; // scratch of backward
    float *turned;    // scratch: transposed weights
    float *grad;      // (n_block,) of the last backward
    size_t n_dense;   // rows 0 .. n_dense - 1 of the first layer's gradient are set,
    uint32_t *rows;   // and these (n_rows,), each once; all other rows of it are zero
    size_t n_rows;
    bool *has_row; // (n_in,)
    void *block;
};

/* Errors: FEW_ELIMIT n_max is 0 or above FEW__NET_BATCH_MAX; FEW_ENOMEM. */
enum few_status few__work_create(const struct few__net *net, size_t n_max, const struct few_env *env,
                                 struct few__work **out, struct few_error *err);
void few__work_destroy(struct few__work *work);

/* Outputs of a batch of 1 .. n_max samples, in work->out, which is returned: (n, out_stride), n_out of each row count.
 * rng: dropout is applied and drawn from it; NULL: no dropout. O(samples x set inputs x width) for sparse inputs.
 * An index >= n_in is a programmer's error and stops the program. */
const float *few__net_forward(const struct few__net *net, struct few__work *work,
                              const struct few__net_input *input, struct few__rng *rng);

enum few__loss_kind {
    FEW__CROSS_ENTROPY,        // -sum t log y, after softmax only; targets may be soft
    FEW__BINARY_CROSS_ENTROPY, // -(t log y + (1 - t) log(1 - y)), after sigmoid only
    FEW__SQUARED,              // (y - t)^2
    FEW__ABSOLUTE,             // |y - t|; its slope at 0 is 0
    FEW__HUBER,                // e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2)
};

struct few__loss {
    enum few__loss_kind kind;
    float delta; // of Huber, > 0
    /* The sum over samples and outputs is multiplied by this. 0: as Keras, 1 / n for cross-entropy, which is a sum over
     * classes, and 1 / (n * n_out) for the others; n counts every sample, whatever its weight. */
    float scale;
};

/* A term is multiplied by its weight and by its sample's; where one of them is 0 the target is not read, so it may be
 * NaN. Rows are `stride` apart. Borrowed for the call. */
struct few__targets {
    const float *t;              // (n, n_out)
    size_t stride;               // 0 = n_out
    const float *weights;        // (n, n_out) or NULL = 1: importance, or a mask of 0 and 1
    size_t weight_stride;        // 0 = one row for all samples
    const float *sample_weights; // (n,) or NULL = 1
};

/* Slopes of the loss of the last forward, in work->slope; its value too unless NULL (probabilities are clipped to 1e-7
 * for it, as Keras does). Cross-entropy with a weight on single classes: each class's term and slope is weighted. */
void few__net_loss(const struct few__net *net, struct few__work *work, const struct few__loss *loss,
                   const struct few__targets *targets, double *value);

/* The same where each sample has a target for one output: what an agent's transition has. output: (n,) < n_out;
 * t, sample_weights: (n,), the latter may be NULL. Not for cross-entropy. */
void few__net_loss_picked(const struct few__net *net, struct few__work *work, const struct few__loss *loss,
                          const uint32_t *output, const float *t, const float *sample_weights, double *value);

/* The gradient by all parameters, in work->grad, after few__net_forward with the same input and one of the losses. */
void few__net_backward(const struct few__net *net, struct few__work *work,
                       const struct few__net_input *input);

#endif
