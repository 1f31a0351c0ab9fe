// SPDX-License-Identifier: Apache-2.0
/* The zoo as read from its manifest. manifest.c reads YAML into it; nobody changes it afterwards. */
#ifndef FEW_MODEL_MANIFEST_H
#define FEW_MODEL_MANIFEST_H

#include <fewer/zoo.h>

#include "core/mem.h"
#include "model/recipe.h"

struct few_zoo {
    struct few_env env;
    struct few__arena arena; // everything below lies here
    struct few_catalog catalog;
    const struct few__recipe *recipes; // (n_models,)
    const size_t *order;               // (n_models,) models, needs before their users, otherwise as declared
    size_t n_pixels, n_tensors;        // distinct pixel and tensor specs, see few__input
    bool looks_at[FEW_MODALITY_COUNT]; // whether any model does
    size_t n_rates;                    // distinct sample rates of its sound models, rising
    int rates[FEW__RATES_MAX];
    const char *path;
    char digest[65]; // SHA-256 of the manifest's bytes
};

#endif
