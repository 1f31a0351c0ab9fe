// SPDX-License-Identifier: Apache-2.0
/* Optimisers. t is the step, from 1; g the gradient; decay is decoupled from it (Loshchilov and Hutter 2019):
 *
 *     RMSprop   v = rho v + (1 - rho) g^2                       p = p (1 - rate decay) - rate g / (sqrt(v) + epsilon)
 *     Adam      m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
 *               p = p (1 - rate decay) - rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 * as Keras' and PyTorch's (RMSprop not centred, without momentum). FEW__EPSILON_INSIDE: sqrt(... + epsilon) instead. */
#ifndef FEW_NN_OPTIM_H
#define FEW_NN_OPTIM_H

#include "nn/net.h"

enum few__optim_kind { FEW__RMSPROP, FEW__ADAM };
enum few__epsilon_place { FEW__EPSILON_OUTSIDE, FEW__EPSILON_INSIDE }; // of the root

struct few__optim_spec {
    enum few__optim_kind kind;
    double rate;  // > 0
    double beta1; // Adam, in [0, 1)
    double beta2; // Adam; RMSprop's rho, in [0, 1)
    double epsilon;
    enum few__epsilon_place epsilon_place;
    double decay; // of biases too; 0 = none
};

/* MLink's: rate 0.01, Keras' rho 0.9 and epsilon 1e-7, outside. And Adam's: 1e-3, 0.9, 0.999, 1e-8, outside. No decay. */
extern const struct few__optim_spec few__rmsprop, few__adam;

struct few__optim {
    const struct few_mem *mem;
    struct few__optim_spec spec; // the rate may be changed between steps
    size_t n;                    // floats of the net's block
    uint64_t t;                  // steps done
    float *m, *v;                // (n,) moments, as the block; m NULL for RMSprop
};

/* Errors: FEW_EINVAL a rate, beta, epsilon or decay out of its range, or not a number; FEW_ENOMEM. */
enum few_status few__optim_create(const struct few__net *net, const struct few__optim_spec *spec,
                                  const struct few_env *env, struct few__optim **out, struct few_error *err);
void few__optim_destroy(struct few__optim *optim);

/* As new: no step done. */
void few__optim_reset(struct few__optim *optim);

/* One step of the net along the gradient of its last backward. */
void few__optim_step(struct few__optim *optim, struct few__net *net, const struct few__work *work);

#endif
