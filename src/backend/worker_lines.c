// SPDX-License-Identifier: Apache-2.0
// The two buffers of a wire, and the one poll that serves both, standard error and cancelling.
#include "backend/worker_lines.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "core/mem.h"

enum { FIRST_ROOM = 64 << 10 };

int64_t few__wire_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

enum few_status few__wire_start(struct few__wire *wire, const struct few_mem *mem, const char *const *command,
                                size_t n, struct few_error *err)
{
    *wire = (struct few__wire){.mem = mem};
    few__text_init(&wire->out, mem, FEW__WORKER_LINE_MAX);
    return few__child_start(&wire->child, command, n, err);
}

void few__wire_free(struct few__wire *wire)
{
    few__text_finish(&wire->out);
    few__free(wire->mem, wire->in);
    wire->in = NULL;
    wire->begin = wire->scanned = wire->end = wire->room = 0;
}

/* ---- out ---- */

bool few__wire_is_sent(const struct few__wire *wire)
{
    return wire->sent == wire->out.n;
}

struct few__text *few__wire_queue(struct few__wire *wire)
{
    if (few__wire_is_sent(wire)) {
        few__text_clear(&wire->out);
        wire->sent = 0;
    }
    return &wire->out;
}

// A child that hears no more may still have said something: the end is seen where it is read.
static void send_some(struct few__wire *wire)
{
    ssize_t n = send(wire->child.io, wire->out.s + wire->sent, wire->out.n - wire->sent, MSG_NOSIGNAL);
    if (n >= 0) wire->sent += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR) wire->sent = wire->out.n;
}

/* ---- in ---- */

// Room for at least one byte and a NUL behind what is there.
static enum few_status make_room(struct few__wire *wire)
{
    if (wire->begin == wire->end || wire->end + 1 >= wire->room) {
        size_t n = wire->end - wire->begin;
        if (wire->begin && n) memmove(wire->in, wire->in + wire->begin, n);
        wire->scanned -= wire->begin;
        wire->begin = 0;
        wire->end = n;
    }
    if (wire->end + 1 < wire->room) return FEW_OK;
    if (wire->end >= FEW__WORKER_LINE_MAX) return FEW_ELIMIT;
    size_t room = wire->room ? wire->room * 2 : FIRST_ROOM;
    char *grown = few__resize(wire->mem, wire->in, room, 1);
    if (!grown) return FEW_ENOMEM;
    wire->in = grown;
    wire->room = room;
    return FEW_OK;
}

// FEW_OK, also where there was nothing to read.
static enum few_status receive(struct few__wire *wire)
{
    enum few_status status = make_room(wire);
    if (status != FEW_OK) return status;
    ssize_t n = recv(wire->child.io, wire->in + wire->end, wire->room - wire->end - 1, 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR ? FEW_OK : FEW_END;
    wire->end += (size_t)n;
    return n > 0 ? FEW_OK : FEW_END;
}

static bool take_line(struct few__wire *wire, const char **line, size_t *n)
{
    char *from = wire->in + wire->scanned;
    char *newline = wire->end > wire->scanned ? memchr(from, '\n', wire->end - wire->scanned) : NULL;
    if (!newline) {
        wire->scanned = wire->end;
        return false;
    }
    *newline = '\0';
    *line = wire->in + wire->begin;
    *n = (size_t)(newline - *line);
    wire->begin = wire->scanned = (size_t)(newline + 1 - wire->in);
    return true;
}

bool few__wire_has_more(struct few__wire *wire)
{
    if (wire->begin == wire->end) receive(wire); // its end is seen by the next wait
    return wire->begin < wire->end;
}

/* ---- wait ---- */

// FEW_OK something came or went; otherwise as few__wire_wait.
static enum few_status wait_some(struct few__wire *wire, int cancel, int64_t until)
{
    int64_t left = until - few__wire_now_us();
    if (left <= 0) return FEW_AGAIN;
    int64_t ms = (left + 999) / 1000;
    short out = few__wire_is_sent(wire) ? 0 : POLLOUT;
    struct pollfd files[] = {
        {.fd = wire->child.io, .events = (short)(POLLIN | out)},
        {.fd = wire->child.err, .events = POLLIN}, // a negative one is passed over
        {.fd = cancel, .events = POLLIN},
    };
    int found = poll(files, sizeof files / sizeof *files, ms < INT_MAX ? (int)ms : INT_MAX);
    if (found < 0) return errno == EINTR ? FEW_OK : FEW_EIO;
    if (files[2].revents) return FEW_ECANCELED;
    if (files[1].revents) few__child_read_error(&wire->child);
    if (files[0].revents & POLLOUT) send_some(wire);
    return files[0].revents & ~POLLOUT ? receive(wire) : FEW_OK;
}

enum few_status few__wire_wait(struct few__wire *wire, int cancel, int64_t until, const char **line,
                               size_t *n)
{
    *line = NULL;
    *n = 0;
    enum few_status status = FEW_OK;
    while (status == FEW_OK) {
        if (take_line(wire, line, n)) return *n < FEW__WORKER_LINE_MAX ? FEW_OK : FEW_ELIMIT;
        if (wire->end - wire->begin >= FEW__WORKER_LINE_MAX) return FEW_ELIMIT;
        status = wait_some(wire, cancel, until);
    }
    return status;
}
