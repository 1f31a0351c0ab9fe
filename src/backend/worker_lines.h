// SPDX-License-Identifier: Apache-2.0
/* Lines to and from a child: what is queued goes out while what it says comes in, so that neither waits for the other
 * for ever. */
#ifndef FEW_BACKEND_WORKER_LINES_H
#define FEW_BACKEND_WORKER_LINES_H

#include "backend/worker_process.h"
#include "core/text.h"

enum { FEW__WORKER_LINE_MAX = 64 << 20 }; // bytes of a line either way, its newline included

struct few__wire {
    const struct few_mem *mem;
    struct few__child child;
    char *in; // (room,) bytes begin .. end are not yet handed out, begin .. scanned hold no newline
    size_t begin, scanned, end, room;
    struct few__text out; // what is queued, `sent` bytes of it gone
    size_t sent;
};

/* As few__child_start. few__wire_free must follow in any case. */
enum few_status few__wire_start(struct few__wire *wire, const struct few_mem *mem, const char *const *command,
                                size_t n, struct few_error *err);

/* Its memory; the child has ended. */
void few__wire_free(struct few__wire *wire);

/* The text that the next wait sends: empty once all of it has gone. Whoever adds to it ends with a newline. */
struct few__text *few__wire_queue(struct few__wire *wire);

/* Whether all that was queued is gone. */
bool few__wire_is_sent(const struct few__wire *wire);

/* Send what is queued and wait for a line.
 *
 * cancel  a file that becomes readable when the wait shall end; -1 = none
 * until   few__wire_now_us at which it ends
 * line    out: (n,) without its newline, NUL after it; borrowed until the next wait
 * Returns FEW_OK; FEW_ECANCELED; FEW_AGAIN the time is over; FEW_END the child hung up; FEW_ELIMIT a line is too long;
 * FEW_ENOMEM; FEW_EIO the system does not let us wait. After FEW_ECANCELED, FEW_AGAIN and FEW_ENOMEM a further wait
 * goes on where this one ended. */
enum few_status few__wire_wait(struct few__wire *wire, int cancel, int64_t until, const char **line,
                               size_t *n);

/* Whether the child said something that nobody waits for. Reads what is there; never blocks. */
bool few__wire_has_more(struct few__wire *wire);

/* The system's monotonic clock. The host's may stand still, which waits must not. */
int64_t few__wire_now_us(void);

#endif
