// SPDX-License-Identifier: Apache-2.0
/* Starting, watching and ending a child. Invariant: pid, io and err are valid together or not at all, but for err,
 * which may end first. A child is waited for exactly once, after its group was killed: until then its number cannot
 * mean somebody else. */
#define _GNU_SOURCE // closefrom for what a host left open
#include "backend/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

enum { STDIO = 3, LOOK_MS = 5, READS_MAX = 64 };

extern char **environ; // the child's is ours

/* ---- start ---- */

// The ends of a child's streams: ours and its.
struct ends {
    int io, io_child, err, err_child;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

// A host that closed its own standard streams gets their numbers for new files; the child needs those numbers.
static bool lift(int *fd)
{
    if (*fd >= STDIO) return true;
    int above = fcntl(*fd, F_DUPFD_CLOEXEC, STDIO);
    if (above < 0) return false;
    close(*fd);
    *fd = above;
    return true;
}

static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool open_ends(struct ends *e)
{
    int io[2], err[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io) != 0) return false;
    e->io = io[0];
    e->io_child = io[1];
    if (pipe2(err, O_CLOEXEC) != 0) return false;
    e->err = err[0];
    e->err_child = err[1];
    return lift(&e->io) && lift(&e->io_child) && lift(&e->err) && lift(&e->err_child) &&
           set_nonblocking(e->io) && set_nonblocking(e->err);
}

static int set_files(posix_spawn_file_actions_t *files, const struct ends *e)
{
    int code = posix_spawn_file_actions_adddup2(files, e->io_child, STDIN_FILENO);
    if (code == 0) code = posix_spawn_file_actions_adddup2(files, e->io_child, STDOUT_FILENO);
    if (code == 0) code = posix_spawn_file_actions_adddup2(files, e->err_child, STDERR_FILENO);
    if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(files, STDIO);
    return code;
}

static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0) code = posix_spawnattr_setsigdefault(attributes, &all);
    if (code == 0) code = posix_spawnattr_setpgroup(attributes, 0);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                        POSIX_SPAWN_SETPGROUP);
    return code;
}

// 0, or an errno.
static int spawn(pid_t *pid, const struct ends *e, char *const *argv)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&files);
    if (code != 0) return code;
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = set_files(&files, e);
        if (code == 0) code = set_signals(&attributes);
        if (code == 0) code = posix_spawnp(pid, argv[0], &files, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return code;
}

enum few_status few__child_start(struct few__child *child, const char *const *command, size_t n,
                                 struct few_error *err)
{
    char *argv[FEW__CHILD_WORDS_MAX + 1] = {NULL};
    struct ends e = {-1, -1, -1, -1};
    *child = (struct few__child){.io = -1, .err = -1};
    if (n == 0 || n > FEW__CHILD_WORDS_MAX)
        return few__fail(err, FEW_ELIMIT, "command: expected 1 to %d words, found %zu", FEW__CHILD_WORDS_MAX,
                         n);
    memcpy(argv, command, n * sizeof *argv); // posix_spawn leaves them as they are, whatever its type says
    int code = open_ends(&e) ? spawn(&child->pid, &e, argv) : errno;
    close_fd(&e.io_child);
    close_fd(&e.err_child);
    child->io = e.io;
    child->err = e.err;
    if (code == 0) return FEW_OK;
    child->pid = 0;
    close_fd(&child->io);
    close_fd(&child->err);
    errno = code;
    return few__fail_sys(err, code == ENOENT ? FEW_ENOENT : FEW_EIO, "program '%.200s' cannot be started",
                         command[0]);
}

/* ---- standard error ---- */

static void keep_tail(struct few__child *child, const char *bytes, size_t n)
{
    size_t old = FEW__CHILD_TAIL - n; // of what is there, this much may stay
    if (child->n_tail > old) {
        memmove(child->tail, child->tail + child->n_tail - old, old);
        child->n_tail = old;
    }
    memcpy(child->tail + child->n_tail, bytes, n);
    child->n_tail += n;
}

void few__child_read_error(struct few__child *child)
{
    char bytes[FEW__CHILD_TAIL];
    for (int i = 0; i < READS_MAX && child->err >= 0; i++) { // it may write faster than we read
        ssize_t n = read(child->err, bytes, sizeof bytes);
        if (n > 0) keep_tail(child, bytes, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR)) close_fd(&child->err);
        else if (errno == EAGAIN) return;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void few__child_last_line(const struct few__child *child, char *line, size_t size)
{
    const char *end = child->tail + child->n_tail;
    while (end > child->tail && is_blank(end[-1])) end--;
    const char *begin = end;
    while (begin > child->tail && begin[-1] != '\n') begin--;
    size_t n = (size_t)(end - begin);
    if (n >= size) n = size - 1;
    for (size_t i = 0; i < n; i++) line[i] = begin[i];
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F) line[i] = '?';
    line[n] = '\0';
}

/* ---- the end ---- */

/* Whether it has ended, looked for during `ms`. It stays to be waited for. A host that waits for all its children may
 * have taken ours: then it is gone, and its status with it. */
static bool has_ended(struct few__child *child, int ms, siginfo_t *how)
{
    for (int waited = 0;; waited += LOOK_MS) {
        *how = (siginfo_t){0};
        few__child_read_error(child); // what it says last may be more than a pipe holds
        int code = waitid(P_PID, (id_t)child->pid, how, WEXITED | WNOHANG | WNOWAIT);
        if (code != 0 && errno != EINTR) return true;
        if (code == 0 && how->si_pid == child->pid) return true;
        if (waited >= ms) return false;
        poll(NULL, 0, LOOK_MS);
    }
}

// Kill what is left of the group, then take the child's status. Its number is nobody's once that was taken.
static void finish(struct few__child *child)
{
    siginfo_t how;
    close_fd(&child->io);
    close_fd(&child->err);
    if (waitid(P_PID, (id_t)child->pid, &how, WEXITED | WNOHANG | WNOWAIT) == 0) kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    child->pid = 0;
}

void few__child_end(struct few__child *child, bool kindly)
{
    siginfo_t how;
    if (child->pid == 0) return;
    few__child_read_error(child);
    close_fd(&child->io); // the end of its input, and nobody hears its output
    close_fd(&child->err);
    if (kindly && !has_ended(child, FEW__CHILD_GRACE_MS, &how)) {
        kill(-child->pid, SIGTERM);
        has_ended(child, FEW__CHILD_GRACE_MS, &how);
    }
    finish(child);
}

void few__child_hung_up(struct few__child *child, char *how, size_t size)
{
    siginfo_t end;
    bool ended = has_ended(child, FEW__CHILD_STATUS_MS, &end);
    if (ended && end.si_code == CLD_EXITED) snprintf(how, size, "ended with status %d", end.si_status);
    else if (ended && end.si_pid != 0) snprintf(how, size, "was killed by signal %d", end.si_status);
    else snprintf(how, size, "%s", ended ? "ended" : "closed its output");
    finish(child);
}

uint64_t few__child_bytes(pid_t pid)
{
    char path[40];
    unsigned long long pages = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file) return 0;
    if (fscanf(file, "%*s %llu", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
