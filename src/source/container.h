// SPDX-License-Identifier: Apache-2.0
/* A recording, moment by moment: video files and live sources through libavformat and libavcodec, sound files too.
 * Everything happens on the calling thread (the decoder may have threads of its own).
 *
 * Which moments: with pictures, each picture that is taken, from its time to that of the next one; the sound of that span
 * goes with it. Pictures are taken by number (every) or by time (fps: of each k-th span of 1 / fps seconds since the
 * start the first picture). Without pictures, or where nobody wants them, spans of clip_us of the sound. */
#ifndef FEW_SOURCE_CONTAINER_H
#define FEW_SOURCE_CONTAINER_H

#include <stdbool.h>

#include "source/moment.h"

struct few__container;

struct few__container_opts {
    bool wants_picture;
    size_t n_rates; // of the sound that is wanted; 0 = none
    int rates[FEW__RATES_MAX];
    bool wants_look;
    bool is_live;              // a URL, not a path; one that has an end is a recording all the same
    double fps;                // pictures a second, 0 = all
    uint64_t every;            // each n-th picture, 0 = all
    int64_t clip_us;           // 0 = 1 s
    int64_t from_us, until_us; // of the recording; until 0 = to the end
    int64_t timeout_us;        // nothing came for so long: FEW_EIO; 0 = 10 s
    int threads;               // of the decoder; 0 = one for each core
    bool (*stop)(void *ud);    // asked while bytes are waited for: true = FEW_ECANCELED soon; may be NULL
    void *ud;
};

struct few__container_about {
    bool has_picture, has_sound; // in it, wanted or not
    bool is_live;                // opened as live, and it has no end
    int width, height;           // upright pixels
    double fps;                  // of the pictures as they are; 0 = not known
    int64_t duration_us;         // 0 = not known; live: 0
    uint64_t n_expected;         // moments; 0 = not known
};

/* Open and look at the header. url: a path, or for live ones anything FFmpeg opens. A path can only lead to that file:
 * playlists and references to other files or hosts are refused.
 * Errors: FEW_ENOENT; FEW_EDECODE nothing in it that is wanted, or no recording ("no sound in it", "no picture in it");
 *         FEW_EIO, also after timeout_us; FEW_ELIMIT a picture larger than image.h allows; FEW_ECANCELED; FEW_ENOMEM. */
enum few_status few__container_open(const char *url, const struct few__container_opts *opts,
                                    const struct few_env *env, struct few__container **container,
                                    struct few_error *err);
void few__container_close(struct few__container *container);
void few__container_about(const struct few__container *container, struct few__container_about *about);

/* The next moment. What cannot be decoded is left out and counted (few__container_damaged). FEW_END: that was all.
 * Errors: FEW_EDECODE or FEW_EIO the rest cannot be read (the message says where it ends); FEW_ECANCELED; FEW_ENOMEM. */
enum few_status few__container_next(struct few__container *container, struct few__moment *moment,
                                    struct few_error *err);
uint64_t few__container_damaged(const struct few__container *container); // pictures and packets, so far

/* A URL without user and password, cut to n bytes with the NUL; a path as it is. Returns out. */
char *few__url_clean(const char *url, char *out, size_t n);

/* Go on with the first moment at at_us or later: the same moments as if all before had been read.
 * Errors: FEW_EUNSUPPORTED live; those of next. */
enum few_status few__container_seek(struct few__container *container, int64_t at_us, struct few_error *err);

#endif
