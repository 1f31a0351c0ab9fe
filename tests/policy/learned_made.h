// SPDX-License-Identifier: Apache-2.0
/* A small zoo and a policy for it, made by hand:
 *     tags   labels  "scene": sky, sea, none (null)
 *     face   detections, no list
 *     mood   classes "mood": calm, calm, glad; needs face; priority as given
 *     words  sequence, an alphabet of two
 *     depth  scalar */
#ifndef FEW_TESTS_LEARNED_MADE_H
#define FEW_TESTS_LEARNED_MADE_H

#include "support/support.h"

#include "policy/learned.h"

enum { M_TAGS, M_FACE, M_MOOD, M_WORDS, M_DEPTH, M_MODELS };

struct made_zoo {
    struct few__arena arena;
    struct few_catalog catalog;
    struct few_cost costs[M_MODELS];
};

/* What a zoo differs in; zero = nothing. */
struct made_odds {
    bool turned;             // models in the opposite order
    bool without_words;      // that model is not there
    const char *extra;       // one more model
    enum few_kind face_kind; // where not 0
    const char *label;       // in the place of "sea"
    const char *space;       // in the place of "scene"
    bool sky_is_null, sound, no_need, fewer_labels;
    float threshold, empty, tolerance, priority;
    const char *digest; // of face
};

void made_zoo(struct made_zoo *zoo, const struct made_odds *odds);
void made_zoo_finish(struct made_zoo *zoo);

/* Stops at 0.5, 0.8 and 1; rates, gains, and shares found as below, by the models above. */
extern const double made_rate[M_MODELS], made_gain[M_MODELS], made_found[M_MODELS];
extern const struct few__learned_stop made_stops[3];

/* A policy file at t_path(name) with the method static. */
enum few_status made_policy(const struct made_zoo *zoo, const struct few_env *env, const char *path,
                            struct few_error *err);

#endif
