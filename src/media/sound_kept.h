// SPDX-License-Identifier: Apache-2.0
/* Samples kept by their place on a grid of one rate: sample i lies at i / rate seconds. A long silence costs nothing. */
#ifndef FEW_MEDIA_SOUND_KEPT_H
#define FEW_MEDIA_SOUND_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

enum { FEW__SOUND_RUNS_MAX = 256 }; // parted by a second of silence or more

struct few__sound_run {
    int64_t first; // place of its first sample
    size_t at, n;  // samples[at .. at + n)
};

struct few__sound_kept {
    const struct few_mem *mem;
    int rate;
    float *samples; // those from `start` on are kept
    size_t start, n, room;
    size_t n_runs;
    struct few__sound_run runs[FEW__SOUND_RUNS_MAX];
    int64_t next; // place behind the last sample; 0 at first: what is before that is never kept
};

void few__kept_init(struct few__sound_kept *kept, const struct few_mem *mem, int rate);
void few__kept_clear(struct few__sound_kept *kept); // as after init, the memory stays
void few__kept_finish(struct few__sound_kept *kept);

/* n samples at the places first, first + 1, ..; those before `next` are cut, what is left out is silence.
 * Errors: FEW_ENOMEM; FEW_ELIMIT more than FEW__SOUND_RUNS_MAX runs. */
enum few_status few__kept_put(struct few__sound_kept *kept, int64_t first, const float *samples, size_t n,
                              struct few_error *err);

/* The samples at from .. to - 1 into out (to - from,); zero where nothing is kept. */
void few__kept_take(const struct few__sound_kept *kept, int64_t from, int64_t to, float *out);

/* Let go of what is before. Each sample is moved once or twice at most. */
void few__kept_drop(struct few__sound_kept *kept, int64_t before);

#endif
