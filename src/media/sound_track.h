// SPDX-License-Identifier: Apache-2.0
/* The sound of a recording: packets in, mono samples at each wanted rate out, by time. Resampled continuously (libswresample),
 * so that spans put side by side are the whole; where packets are missing there is silence. */
#ifndef FEW_MEDIA_SOUND_TRACK_H
#define FEW_MEDIA_SOUND_TRACK_H

#include "media/parts.h"

struct AVPacket;
struct AVCodecParameters;
struct few__sound_track;

/* time_num / time_den: seconds of a unit of the packets' time; start_us: what counts as 0.
 * Errors: FEW_EDECODE no decoder, or no channels; FEW_EINVAL a rate outside 1000 .. 384000; FEW_ENOMEM. */
enum few_status few__sound_track_open(const struct AVCodecParameters *codec, int time_num, int time_den,
                                      int64_t start_us, const int *rates, size_t n_rates,
                                      const struct few_env *env, struct few__sound_track **track,
                                      struct few_error *err);
void few__sound_track_close(struct few__sound_track *track);

/* packet NULL: that was the last one. A damaged packet is silence and is counted. Errors: FEW_ENOMEM; FEW_ELIMIT more than
 * FEW__SOUND_MAX_S are kept: take and drop. */
enum few_status few__sound_track_push(struct few__sound_track *track, const struct AVPacket *packet,
                                      struct few_error *err);
uint64_t few__sound_track_damaged(const struct few__sound_track *track);

/* Time up to which all samples are there; INT64_MAX after the last packet. */
int64_t few__sound_track_until(const struct few__sound_track *track);
int64_t
few__sound_track_end(const struct few__sound_track *track); // after the last packet: where the sound ends

/* The samples from .. until at each rate, round(until * rate) - round(from * rate) of them: borrowed until the next call.
 * What is beyond the end is left out; nothing at all: n_sounds 0. */
enum few_status few__sound_track_take(struct few__sound_track *track, int64_t from_us, int64_t until_us,
                                      struct few__sound *sounds, size_t *n_sounds, struct few_error *err);

/* What is before is not asked for again. */
void few__sound_track_drop(struct few__sound_track *track, int64_t before_us);

/* After a seek: forget everything; the next packets begin anew. */
void few__sound_track_reset(struct few__sound_track *track);

#endif
