// SPDX-License-Identifier: Apache-2.0
// The windows of an item's sound, as a model's recipe wants them; and text as its token numbers.
#ifndef FEW_MEDIA_SOUND_WINDOW_H
#define FEW_MEDIA_SOUND_WINDOW_H

#include "media/parts.h"

/* How many windows n samples have: at least 1 where there is a sample, the last filled up with zeros. */
size_t few__window_count(const struct few__window *window, size_t n_samples);

/* Window k of the sound. out: (context + length,). */
void few__window_fill(const struct few__window *window, const struct few__sound *sound, size_t k, float *out);

/* The item's sound at that rate, or NULL. */
const struct few__sound *few__parts_sound(const struct few__parts *parts, int rate);

#endif
