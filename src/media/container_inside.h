// SPDX-License-Identifier: Apache-2.0
/* Inside a container: bytes (container_open, container_read), pictures (container_pictures), sound (container_sound),
 * and how moments are made of them (container). */
#ifndef FEW_MEDIA_CONTAINER_INSIDE_H
#define FEW_MEDIA_CONTAINER_INSIDE_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "media/container.h"
#include "media/packet_queue.h"
#include "media/sound_track.h"

enum {
    FEW__LOOK_AHEAD = 32, // packets read before the oldest one is decoded: more than any codec reorders
};

/* A picture that belongs to a moment. */
struct few__taken {
    bool is;
    AVFrame *frame; // owned
    int64_t at_us;
};

struct few__container {
    struct few_env env;
    struct few__container_opts opts;
    char *url;  // as given
    char *name; // for messages
    struct few__container_about about;
    bool live; // it has no end

    // Bytes.
    AVFormatContext *format;
    AVIOContext *file; // of a path: what the demuxer may read, and nothing else
    AVPacket *packet;
    int64_t heard_us;  // since when it is waited for bytes
    bool timed_out;    // nothing had come for too long
    bool at_end;       // nothing more to read
    int broke;         // FFmpeg's error that ended it, 0 = none
    int64_t read_us;   // how far it was read
    int64_t header_us; // its length as the header says, 0 = not known
    bool past;         // what comes is beyond opts.until_us
    bool end_told;     // the error has been given to the caller

    // Pictures; i_video -1: none are wanted or there are none.
    int i_video;
    AVRational base;    // seconds of a unit of its time
    int64_t start;      // the unit that counts as 0
    int64_t frame_us;   // from one picture to the next, as the header says; never 0
    bool timed;         // all packets so far have a time
    bool waits_for_key; // after a seek
    AVCodecContext *codec;
    struct few__packet_queue queue;
    struct few__taken held, following;
    bool no_more;       // pictures
    uint64_t n_shown;   // pictures that the decoder gave since the start (untimed: their number)
    int64_t shift_us;   // added to times after a jump back
    int64_t last_us;    // time of the last picture; INT64_MIN = none
    int64_t last_index; // of sampling: the span or group that has its picture; -1 = none
    int64_t end_us;     // where the pictures end, so far
    int64_t from_us;    // moments before are not given
    int rotation;
    uint64_t n_damaged;
    int64_t picture_read_us;
    struct few__buffer luma, rows; // brightness of pictures that have no plane of it

    // Sound; i_sound -1: none.
    int i_sound;
    struct few__sound_track *track;
    bool mute;       // packets of sound are let go
    int64_t span_us; // sound alone: where the next moment begins
    int64_t sound_read_us;
    int64_t sound_from_us; // what is kept begins here, before the first picture
    bool full;             // the held picture has as much sound as it may have: the rest is let go

    // Live.
    int64_t anchor_us; // the wall clock at time 0; INT64_MIN = not known
    int64_t last_wall_us;
};

/* Opens c->url and its decoders; closes what is open before. Errors: those of few__container_open. */
enum few_status few__input_open(struct few__container *c, struct few_error *err);
void few__input_close(struct few__container *c);

/* FFmpeg's words, or why the reading was given up. */
enum few_status few__input_failed(const struct few__container *c, int got, const char *what,
                                  struct few_error *err);

/* One packet to the queue or to the sound track. The queue must not be full. After the last one: FEW_END, and at_end.
 * Errors: FEW_ECANCELED, FEW_ENOMEM. A broken end is FEW_END, with `broke`. */
enum few_status few__input_read(struct few__container *c, struct few_error *err);

/* The next picture that is taken, into `taken`. FEW_END: there is none. Errors: FEW_ECANCELED, FEW_ENOMEM. */
enum few_status few__pictures_next(struct few__container *c, struct few__taken *taken, struct few_error *err);
void few__pictures_reset(struct few__container *c); // after a seek
int64_t few__pictures_time(const struct few__container *c, int64_t pts);
int64_t few__pictures_index(const struct few__container *c, uint64_t number, int64_t at_us);
bool few__pictures_sampled(const struct few__container *c);

/* A packet, or NULL for the end, to the sound track. Errors: FEW_ENOMEM. */
enum few_status few__sound_push(struct few__container *c, const AVPacket *packet, struct few_error *err);

/* Reads on until the sound up to until_us is there, or will not come. Errors: as few__input_read. */
enum few_status few__sound_wait(struct few__container *c, int64_t until_us, struct few_error *err);

/* The sound of a span into the moment's memory. Errors: FEW_ENOMEM. */
enum few_status few__sound_give(struct few__container *c, int64_t from_us, int64_t until_us,
                                struct few__moment *moment, struct few_error *err);

#endif
