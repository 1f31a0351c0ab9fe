// SPDX-License-Identifier: Apache-2.0
/* The samples of all runs lie behind each other in one piece of memory, in the order of time.
 *
 * Invariant: runs[0].at == start, each run begins where the one before ends, the last one ends at n. */
#include "media/sound_kept.h"

#include <string.h>

#include "core/error.h"
#include "core/mem.h"

enum { ROOM_FIRST = 1 << 14 };

void few__kept_init(struct few__sound_kept *kept, const struct few_mem *mem, int rate)
{
    *kept = (struct few__sound_kept){.mem = mem, .rate = rate};
}

void few__kept_clear(struct few__sound_kept *kept)
{
    kept->start = kept->n = kept->n_runs = 0;
    kept->next = 0;
}

void few__kept_finish(struct few__sound_kept *kept)
{
    few__free(kept->mem, kept->samples);
    *kept = (struct few__sound_kept){.mem = kept->mem, .rate = kept->rate};
}

static enum few_status grow(struct few__sound_kept *kept, size_t more, struct few_error *err)
{
    if (more <= kept->room - kept->n) return FEW_OK;
    size_t room = kept->room ? kept->room : ROOM_FIRST;
    while (room < kept->n + more) room *= 2;
    float *samples = few__resize(kept->mem, kept->samples, room, sizeof *samples);
    if (!samples) return few__no_memory(err, "sound");
    kept->samples = samples;
    kept->room = room;
    return FEW_OK;
}

enum few_status few__kept_put(struct few__sound_kept *kept, int64_t first, const float *samples, size_t n,
                              struct few_error *err)
{
    if (n == 0 || first + (int64_t)n <= kept->next) return FEW_OK;
    if (first < kept->next) {
        size_t cut = (size_t)(kept->next - first);
        first += (int64_t)cut;
        samples += cut;
        n -= cut;
    }
    bool joins = kept->n_runs && first - kept->next < kept->rate;
    size_t silence = joins ? (size_t)(first - kept->next) : 0;
    if (!joins && kept->n_runs == FEW__SOUND_RUNS_MAX)
        return few__fail(err, FEW_ELIMIT, "sound: more than %d pieces are kept", FEW__SOUND_RUNS_MAX);
    enum few_status got = grow(kept, silence + n, err);
    if (got != FEW_OK) return got;
    if (!joins) kept->runs[kept->n_runs++] = (struct few__sound_run){.first = first, .at = kept->n};
    memset(kept->samples + kept->n, 0, silence * sizeof *samples);
    memcpy(kept->samples + kept->n + silence, samples, n * sizeof *samples);
    kept->runs[kept->n_runs - 1].n += silence + n;
    kept->n += silence + n;
    kept->next = first + (int64_t)n;
    return FEW_OK;
}

void few__kept_take(const struct few__sound_kept *kept, int64_t from, int64_t to, float *out)
{
    if (to <= from) return;
    memset(out, 0, (size_t)(to - from) * sizeof *out);
    for (size_t i = 0; i < kept->n_runs; i++) {
        const struct few__sound_run *run = &kept->runs[i];
        int64_t a = run->first > from ? run->first : from;
        int64_t b = run->first + (int64_t)run->n < to ? run->first + (int64_t)run->n : to;
        if (a < b)
            memcpy(out + (a - from), kept->samples + run->at + (a - run->first),
                   (size_t)(b - a) * sizeof *out);
    }
}

static void compact(struct few__sound_kept *kept)
{
    if (kept->start < kept->n - kept->start) return;
    memmove(kept->samples, kept->samples + kept->start, (kept->n - kept->start) * sizeof *kept->samples);
    for (size_t i = 0; i < kept->n_runs; i++) kept->runs[i].at -= kept->start;
    kept->n -= kept->start;
    kept->start = 0;
}

void few__kept_drop(struct few__sound_kept *kept, int64_t before)
{
    size_t gone = 0;
    while (gone < kept->n_runs && kept->runs[gone].first + (int64_t)kept->runs[gone].n <= before) gone++;
    kept->n_runs -= gone;
    memmove(kept->runs, kept->runs + gone, kept->n_runs * sizeof *kept->runs);
    if (kept->n_runs && kept->runs[0].first < before) {
        struct few__sound_run *run = &kept->runs[0];
        size_t cut = (size_t)(before - run->first);
        run->first += (int64_t)cut;
        run->at += cut;
        run->n -= cut;
    }
    kept->start = kept->n_runs ? kept->runs[0].at : kept->n;
    if (kept->start) compact(kept);
}
