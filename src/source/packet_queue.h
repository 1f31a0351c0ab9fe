// SPDX-License-Identifier: Apache-2.0
/* Packets of pictures that were read and not yet decoded, and the times of all pictures that were read and have not been
 * shown: so the place of a picture in the order of showing is known before it is decoded. */
#ifndef FEW_SOURCE_PACKET_QUEUE_H
#define FEW_SOURCE_PACKET_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

enum {
    FEW__QUEUE_MAX = 1024,             // packets
    FEW__QUEUE_BYTES_MAX = 64 << 20,   // of the packets; one may be larger
    FEW__QUEUE_TIMES = FEW__QUEUE_MAX, // pictures whose time is known and that have not been shown
};

struct AVPacket;

struct few__packet_queue {
    const struct few_mem *mem;
    struct AVPacket **packets; // (room,) ring; those once used stay
    size_t room, first, n, bytes;
    int64_t *times; // (FEW__QUEUE_TIMES,) ascending
    size_t n_times;
    int64_t passed;    // the latest time that left `times`; INT64_MIN = none
    uint64_t n_passed; // how many did
};

/* Errors: FEW_ENOMEM. */
enum few_status few__queue_init(struct few__packet_queue *queue, const struct few_mem *mem,
                                struct few_error *err);
void few__queue_finish(struct few__packet_queue *queue);
void few__queue_clear(struct few__packet_queue *queue); // keeps the memory
bool few__queue_full(const struct few__packet_queue *queue);

/* Takes the packet's content. counts: its picture will be shown, at packet->pts. The queue must not be full.
 * Errors: FEW_ENOMEM. */
enum few_status few__queue_push(struct few__packet_queue *queue, struct AVPacket *packet, bool counts,
                                struct few_error *err);

/* The oldest packet, or NULL; borrowed until pop. */
struct AVPacket *few__queue_front(const struct few__packet_queue *queue);
void few__queue_pop(struct few__packet_queue *queue);

/* How many pictures come before time; previous: out, the time of the last of them, INT64_MIN = none. */
uint64_t few__queue_before(const struct few__packet_queue *queue, int64_t time, int64_t *previous);

/* Pictures before time will not be asked about any more. */
void few__queue_pass(struct few__packet_queue *queue, int64_t time);

#endif
