// SPDX-License-Identifier: Apache-2.0
#include "source/packet_queue.h"

#include <assert.h>
#include <string.h>

#include <libavcodec/packet.h>
#include <libavutil/avutil.h>

#include "core/error.h"
#include "core/mem.h"

enum { ROOM_FIRST = 64 };

enum few_status few__queue_init(struct few__packet_queue *q, const struct few_mem *mem, struct few_error *err)
{
    *q = (struct few__packet_queue){.mem = mem, .passed = INT64_MIN};
    q->times = FEW__NEW_N(mem, int64_t, FEW__QUEUE_TIMES);
    q->packets = FEW__NEW_N(mem, struct AVPacket *, ROOM_FIRST);
    if (!q->times || !q->packets) {
        few__queue_finish(q);
        return few__no_memory(err, "queue of packets");
    }
    q->room = ROOM_FIRST;
    return FEW_OK;
}

void few__queue_finish(struct few__packet_queue *q)
{
    for (size_t i = 0; i < q->room; i++) av_packet_free(&q->packets[i]);
    few__free(q->mem, q->packets);
    few__free(q->mem, q->times);
    *q = (struct few__packet_queue){0};
}

void few__queue_clear(struct few__packet_queue *q)
{
    while (q->n > 0) few__queue_pop(q);
    q->n_times = 0;
    q->passed = INT64_MIN;
    q->n_passed = 0;
}

bool few__queue_full(const struct few__packet_queue *q)
{
    return q->n >= FEW__QUEUE_MAX || q->bytes >= FEW__QUEUE_BYTES_MAX;
}

static bool grow(struct few__packet_queue *q)
{
    struct AVPacket **more = FEW__NEW_N(q->mem, struct AVPacket *, 2 * q->room);
    if (!more) return false;
    for (size_t i = 0; i < q->room; i++) more[i] = q->packets[(q->first + i) % q->room];
    few__free(q->mem, q->packets);
    q->packets = more;
    q->room *= 2;
    q->first = 0;
    return true;
}

// The first place in `times` that is not before time.
static size_t place_of(const struct few__packet_queue *q, int64_t time)
{
    size_t at = q->n_times; // packets come nearly in order: from the end
    while (at > 0 && q->times[at - 1] >= time) at--;
    return at;
}

static void pass_first(struct few__packet_queue *q, size_t n)
{
    if (n == 0) return;
    if (q->times[n - 1] > q->passed) q->passed = q->times[n - 1];
    q->n_passed += n;
    q->n_times -= n;
    memmove(q->times, q->times + n, q->n_times * sizeof *q->times);
}

enum few_status few__queue_push(struct few__packet_queue *q, struct AVPacket *packet, bool counts,
                                struct few_error *err)
{
    assert(!few__queue_full(q));
    if (q->n == q->room && !grow(q)) return few__no_memory(err, "queue of packets");
    struct AVPacket **at = &q->packets[(q->first + q->n) % q->room];
    if (!*at) *at = av_packet_alloc();
    if (!*at) return few__no_memory(err, "packet");
    if (counts && packet->pts != AV_NOPTS_VALUE) {
        if (q->n_times == FEW__QUEUE_TIMES) pass_first(q, 1); // skipped ones that nothing followed
        size_t place = place_of(q, packet->pts);
        memmove(q->times + place + 1, q->times + place, (q->n_times - place) * sizeof *q->times);
        q->times[place] = packet->pts;
        q->n_times++;
    }
    av_packet_move_ref(*at, packet);
    q->bytes += (size_t)(*at)->size;
    q->n++;
    return FEW_OK;
}

struct AVPacket *few__queue_front(const struct few__packet_queue *q)
{
    return q->n > 0 ? q->packets[q->first] : NULL;
}

void few__queue_pop(struct few__packet_queue *q)
{
    if (q->n == 0) return;
    struct AVPacket *packet = q->packets[q->first];
    q->bytes -= (size_t)packet->size;
    av_packet_unref(packet);
    q->first = (q->first + 1) % q->room;
    q->n--;
}

uint64_t few__queue_before(const struct few__packet_queue *q, int64_t time, int64_t *previous)
{
    size_t place = place_of(q, time);
    *previous = place > 0 ? q->times[place - 1] : q->passed;
    return q->n_passed + place;
}

void few__queue_pass(struct few__packet_queue *q, int64_t time)
{
    pass_first(q, place_of(q, time));
}
