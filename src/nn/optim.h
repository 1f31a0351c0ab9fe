// SPDX-License-Identifier: Apache-2.0
/* Optimisers. t is the step, from 1; g the gradient; decay is decoupled from it (Loshchilov and Hutter 2019):
 *
 *     RMSprop   v = rho v + (1 - rho) g^2                       p = p (1 - rate decay) - rate g / (sqrt(v) + epsilon)
 *     Adam      m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
 *               p = p (1 - rate decay) - rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 * as Keras' and PyTorch's (RMSprop not centred, without momentum). FEW__EPSILON_INSIDE: sqrt(... + epsilon) instead.
 *
 * A lazy optimiser is for sparse inputs. A row of the first layer whose input is not in the batch has no gradient, but Adam
 * still moves it, along its momentum. A lazy one lets it lie and makes up for all missed steps at once when the row is
 * needed: the same numbers but for rounding (optim_late.c), at the cost of the rows that occur. */
#ifndef FEW_NN_OPTIM_H
#define FEW_NN_OPTIM_H

#include "nn/net.h"

enum few__optim_kind { FEW__RMSPROP, FEW__ADAM };
enum few__epsilon_place { FEW__EPSILON_OUTSIDE, FEW__EPSILON_INSIDE }; // of the root

struct few__optim_spec {
    enum few__optim_kind kind;
    double rate;    // > 0
    double beta1;   // Adam, in [0, 1)
    double beta2;   // Adam; RMSprop's rho, in (0, 1)
    double epsilon; // > 0
    enum few__epsilon_place epsilon_place;
    double decay; // of biases too; 0 = none
    bool lazy;    // not with an epsilon inside, nor with a beta1 above 0.95 beta2^2.5
};

/* MLink's: rate 0.01, Keras' rho 0.9 and epsilon 1e-7, outside. And Adam's: 1e-3, 0.9, 0.999, 1e-8, outside. No decay. */
extern const struct few__optim_spec few__rmsprop, few__adam;

struct few__optim_late; // optim_late.c

struct few__optim {
    const struct few_mem *mem;
    struct few__optim_spec spec;
    size_t n;                     // floats of the net's block
    uint64_t t;                   // steps done
    float *m, *v;                 // (n,) moments, as the block; m NULL for RMSprop
    struct few__optim_late *late; // NULL: not lazy
};

/* Errors: FEW_EINVAL a rate, beta, epsilon or decay out of its range, or not a number; FEW_ENOMEM. */
enum few_status few__optim_create(const struct few__net *net, const struct few__optim_spec *spec,
                                  const struct few_env *env, struct few__optim **out, struct few_error *err);
void few__optim_destroy(struct few__optim *optim);

/* As new: no step done. */
void few__optim_reset(struct few__optim *optim);

/* Another rate from now on, > 0. Settles first. */
void few__optim_set_rate(struct few__optim *optim, struct few__net *net, double rate);

/* One step of the net along the gradient of its last backward. */
void few__optim_step(struct few__optim *optim, struct few__net *net, const struct few__work *work);

/* Lazy: before the net is used on an input, forward of a batch or anything else, the rows of that input have to be made up
 * for; and before anything looks at, copies or stores its parameters, all rows. Not lazy: nothing happens. */
void few__optim_ready(struct few__optim *optim, struct few__net *net, const struct few__net_input *input);
void few__optim_settle(struct few__optim *optim, struct few__net *net);

#endif
