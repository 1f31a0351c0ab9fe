// SPDX-License-Identifier: Apache-2.0
// Windows are views of the item's sound at fixed places: window k begins at k * hop, its context before that.
#include "media/sound_window.h"

#include <string.h>

size_t few__window_count(const struct few__window *window, size_t n_samples)
{
    if (n_samples == 0) return 0;
    if (n_samples <= window->length) return 1;
    size_t rest = n_samples - window->length;
    size_t covering = 1 + rest / window->hop + (rest % window->hop != 0);
    size_t beginning = n_samples / window->hop + (n_samples % window->hop != 0); // inside the sound
    return covering < beginning ? covering : beginning;
}

void few__window_fill(const struct few__window *window, const struct few__sound *sound, size_t k, float *out)
{
    size_t n = window->context + window->length, at = k * window->hop;
    size_t lead = at < window->context ? window->context - at : 0; // before the sound
    size_t from = at < window->context ? 0 : at - window->context; // in the sound
    size_t there = from < sound->n ? sound->n - from : 0;
    if (there > n - lead) there = n - lead;
    memset(out, 0, lead * sizeof *out);
    if (there) memcpy(out + lead, sound->samples + from, there * sizeof *out);
    memset(out + lead + there, 0, (n - lead - there) * sizeof *out);
}

const struct few__sound *few__parts_sound(const struct few__parts *parts, int rate)
{
    for (size_t i = 0; i < parts->n_sounds; i++)
        if (parts->sounds[i].rate == rate) return &parts->sounds[i];
    return NULL;
}
