// SPDX-License-Identifier: Apache-2.0
/* A child process that is talked to over one socket (its standard input and output) and whose standard error is
 * kept. It is the leader of a process group of its own, which ends as a whole. */
#ifndef FEW_BACKEND_WORKER_PROCESS_H
#define FEW_BACKEND_WORKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <fewer/status.h>

enum {
    FEW__CHILD_TAIL = 4096,     // bytes of standard error that are kept, the last ones
    FEW__CHILD_WORDS_MAX = 64,  // words of a command
    FEW__CHILD_GRACE_MS = 500,  // after the end of its input, and again after SIGTERM
    FEW__CHILD_STATUS_MS = 500, // for a child that hung up: to end by itself, so that it has a status
};

struct few__child {
    pid_t pid; // 0 = none
    int io;    // never blocks
    int err;   // never blocks; -1 after its end
    size_t n_tail;
    char tail[FEW__CHILD_TAIL];
};

/* Start a program; one without a slash is looked for in PATH. Signals are as at the start of a program, and only
 * standard input, output and error are open.
 * command: (n,) program and arguments.
 * Errors: FEW_ENOENT no such program; FEW_EIO it cannot be started; FEW_ELIMIT more than FEW__CHILD_WORDS_MAX words. */
enum few_status few__child_start(struct few__child *child, const char *const *command, size_t n,
                                 struct few_error *err);

/* Read what stands in its standard error. Never blocks. */
void few__child_read_error(struct few__child *child);

/* The last line of it that is not blank, "" if there is none; cut to size, without control characters. */
void few__child_last_line(const struct few__child *child, char *line, size_t size);

/* End it with its group: kindly by the end of its input, then SIGTERM, then SIGKILL, else by SIGKILL at once. Takes
 * up to twice FEW__CHILD_GRACE_MS. Nothing of it is left; the last words stay. */
void few__child_end(struct few__child *child, bool kindly);

/* As few__child_end, for a child that hung up. how: (size,) out: "ended with status 3", "was killed by signal 9" or
 * "closed its output". Takes up to FEW__CHILD_STATUS_MS. */
void few__child_hung_up(struct few__child *child, char *how, size_t size);

/* Bytes resident of a process; 0 where it is gone. */
uint64_t few__child_bytes(pid_t pid);

#endif
