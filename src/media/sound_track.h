// SPDX-License-Identifier: Apache-2.0
/* The sound of a recording: packets in, mono samples (the mean of all channels) at each wanted rate out, by time. Resampled
 * continuously (libswresample), so that spans put side by side are the whole; where packets are missing there is
 * silence. */
#ifndef FEW_MEDIA_SOUND_TRACK_H
#define FEW_MEDIA_SOUND_TRACK_H

#include "media/parts.h"

struct AVPacket;
struct AVCodecParameters;
struct few__sound_track;

/* time_num / time_den: seconds of a unit of the packets' time; start_us: what counts as 0.
 * Errors: FEW_EDECODE no decoder, no channels, or more than 768000 samples a second; FEW_EINVAL no rate, or one outside
 *         1000 .. 384000; FEW_ENOMEM. */
enum few_status few__sound_track_open(const struct AVCodecParameters *codec, int time_num, int time_den,
                                      int64_t start_us, const int *rates, size_t n_rates,
                                      const struct few_env *env, struct few__sound_track **track,
                                      struct few_error *err);
void few__sound_track_close(struct few__sound_track *track);

/* packet NULL: that was the last one. A damaged packet is silence and is counted; so is one whose samples all lie before the
 * end of those that came already, and one that is longer than a minute.
 * Errors: FEW_ENOMEM; FEW_ELIMIT at least FEW__SOUND_MAX_S are kept: the packet was not looked at, take and drop, then push
 *         it again; or sound in too many pieces (media/sound_kept.h), whose rest is lost. */
enum few_status few__sound_track_push(struct few__sound_track *track, const struct AVPacket *packet,
                                      struct few_error *err);
uint64_t few__sound_track_damaged(const struct few__sound_track *track);

/* Time up to which all samples are there; INT64_MAX after the last packet. */
int64_t few__sound_track_until(const struct few__sound_track *track);

/* After the last packet: where the sound ends; 0 = there was none. */
int64_t few__sound_track_end(const struct few__sound_track *track);

/* The samples from .. until at each rate, round(until * rate) - round(from * rate) of them: borrowed until the next call.
 * What is beyond the end, or not there yet, is left out; nothing at all: n_sounds 0.
 * Errors: FEW_ELIMIT a span of more than FEW__SOUND_MAX_S; FEW_ENOMEM. */
enum few_status few__sound_track_take(struct few__sound_track *track, int64_t from_us, int64_t until_us,
                                      struct few__sound *sounds, size_t *n_sounds, struct few_error *err);

/* What is before is not asked for again: it counts as silence. */
void few__sound_track_drop(struct few__sound_track *track, int64_t before_us);

/* After a seek: forget everything but the count of what was damaged; the next packets begin anew. Their samples are the same
 * as without the seek, but for the first hundredth of a second, and where the decoder needs the packets before. */
void few__sound_track_reset(struct few__sound_track *track);

#endif
