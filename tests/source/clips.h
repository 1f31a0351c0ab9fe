// SPDX-License-Identifier: Apache-2.0
// Recordings for tests, made by the ffmpeg command; and what a container says about them, moment by moment.
#ifndef FEW_TESTS_MEDIA_CLIPS_H
#define FEW_TESTS_MEDIA_CLIPS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/frame.h>

#include "media/look.h"
#include "source/container.h"
#include "support/support.h"

enum { SHOTS_MAX = 400, COMMAND_MAX = 2048 };

// ffmpeg with these arguments, in the folder of the clips; false: it is not there, or it cannot make this.
static inline bool clip_make(const char *folder, const char *arguments)
{
    char command[COMMAND_MAX];
    int n = snprintf(command, sizeof command, "cd '%s' && ffmpeg -nostdin -v error -y %s >ffmpeg.log 2>&1",
                     folder, arguments);
    assert_true(n > 0 && n < (int)sizeof command);
    return system(command) == 0;
}

// A moment without its pixels.
struct shot {
    int64_t at_us, until_us;
    int width, height, rotation;
    uint64_t pixels, look;       // digests; 0 = none
    size_t n_samples, at_sample; // of the first rate; in shots.samples
};

struct shots {
    size_t n;
    struct shot all[SHOTS_MAX];
    size_t n_samples;
    float *samples;
    enum few_status end;
    struct few_error err;
    uint64_t n_damaged;
};

static inline uint64_t clip_digest(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ b[i]) * 1099511628211u;
    return h;
}

static inline uint64_t clip_pixels(const struct few__moment *moment, struct few__buffer *planes,
                                   struct shot *shot)
{
    struct few__image image;
    struct few_error err;
    assert_status(few__moment_image(moment, planes, &image, &err), FEW_OK, &err);
    uint64_t h = 14695981039346656037u;
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < image.height; y++)
            h = clip_digest(h, image.planes[c] + (size_t)y * image.stride, (size_t)image.width);
    shot->width = image.width;
    shot->height = image.height;
    return h;
}

static inline void clip_keep(struct shots *s, const struct few__moment *m, struct few__buffer *planes)
{
    assert_true(s->n < SHOTS_MAX);
    struct shot *shot = &s->all[s->n++];
    *shot = (struct shot){.at_us = m->at_us, .until_us = m->until_us, .rotation = m->rotation};
    if (m->picture) shot->pixels = clip_pixels(m, planes, shot);
    if (m->has_look) shot->look = clip_digest(1, m->look, FEW__LOOK_BYTES);
    shot->at_sample = s->n_samples;
    if (m->n_sounds == 0) return;
    shot->n_samples = m->sounds[0].n;
    s->samples = realloc(s->samples, (s->n_samples + shot->n_samples + 1) * sizeof *s->samples);
    assert_non_null(s->samples);
    memcpy(s->samples + s->n_samples, m->sounds[0].samples, shot->n_samples * sizeof *s->samples);
    s->n_samples += shot->n_samples;
}

// All that comes.
static inline void clip_read(struct few__container *c, struct shots *s)
{
    struct few__moment moment;
    struct few__buffer planes = {0};
    *s = (struct shots){0};
    assert_status(few__moment_init(&moment, NULL, true, &s->err), FEW_OK, &s->err);
    while ((s->end = few__container_next(c, &moment, &s->err)) == FEW_OK) clip_keep(s, &moment, &planes);
    s->n_damaged = few__container_damaged(c);
    few__moment_finish(&moment);
    few__buffer_finish(&planes);
}

static inline struct few__container *clip_open(const char *path, const struct few__container_opts *opts)
{
    struct few__container *c;
    struct few_error err;
    assert_status(few__container_open(path, opts, NULL, &c, &err), FEW_OK, &err);
    return c;
}

// Opened, read to its end, closed.
static inline void clip_whole(const char *path, const struct few__container_opts *opts, struct shots *s)
{
    struct few__container *c = clip_open(path, opts);
    clip_read(c, s);
    few__container_close(c);
}

#endif
