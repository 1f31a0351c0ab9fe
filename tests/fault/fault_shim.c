// SPDX-License-Identifier: Apache-2.0
/* LD_PRELOAD library that makes the Nth call of one kind fail, for tests of the whole command (tests/cli/test_faults.py).
 *
 *     FEW_FAULT=KIND:N        the Nth call of that kind fails, from 1
 *     FEW_FAULT=KIND:N+       it and all after it do
 *     FEW_FAULT=KIND:N:ERROR  with this errno: EIO, ENOSPC, EAGAIN, EINTR, ENOMEM, EMFILE (each kind has a default)
 *     FEW_FAULT=KIND:N:KILL   the process is killed (SIGKILL) in front of it
 *     FEW_FAULT_UNDER=DIR     open, read, write, sync and truncate count for files under DIR only
 *     FEW_FAULT_LOG=FILE      at exit: "KIND calls failed" a line for every kind
 *     FEW_FAULT_OPENED=FILE   at once: every path that is opened under DIR, a line each
 *
 * Kinds: open, read, write, sync, truncate, thread (pthread_create), spawn (fork, posix_spawn, execve), malloc (asked
 * for by our code and the libraries of add_range; libfyaml crashes and C++ libraries end the process there). */
#define _GNU_SOURCE // RTLD_NEXT, dl_iterate_phdr
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHIM __attribute__((visibility("default")))

enum kind { OPEN, READ, WRITE, SYNC, TRUNCATE, THREAD, SPAWN, MALLOC, KINDS };

static const char *const names[KINDS] = {"open",     "read",   "write", "sync",
                                         "truncate", "thread", "spawn", "malloc"};
static const int usual[KINDS] = {EMFILE, EIO, ENOSPC, EIO, EIO, EAGAIN, EAGAIN, ENOMEM};

static enum kind chosen = KINDS;
static unsigned long fail_at;
static bool from_then_on;
static int error;
static char under[PATH_MAX];
static const char *log_path;
static int opened = -1; // FEW_FAULT_OPENED
static atomic_ulong calls[KINDS], failed[KINDS];

enum { FDS = 4096, RANGES = 32 };
static atomic_bool watched[FDS];
static uintptr_t ranges[RANGES][2]; // code whose allocations count
static size_t n_ranges;

/* ---- set-up ---- */

enum { KILL = -1 };

static int error_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } table[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EAGAIN", EAGAIN}, {"EINTR", EINTR},
                 {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE}, {"KILL", KILL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) return table[i].number;
    fprintf(stderr, "fault_shim: %s: no such error\n", name);
    _exit(99);
}

static void read_fault(const char *text)
{
    const char *colon = strchr(text, ':');
    for (int k = 0; colon && k < KINDS; k++)
        if (strlen(names[k]) == (size_t)(colon - text) && strncmp(names[k], text, strlen(names[k])) == 0)
            chosen = (enum kind)k;
    if (chosen == KINDS) {
        fprintf(stderr, "fault_shim: expected KIND:N, found %s\n", text);
        _exit(99);
    }
    char *end;
    fail_at = strtoul(colon + 1, &end, 10);
    from_then_on = *end == '+';
    end += from_then_on;
    error = *end == ':' ? error_number(end + 1) : usual[chosen];
}

static int add_range(struct dl_phdr_info *info, size_t size, void *ud)
{
    (void)size;
    (void)ud;
    static const char *const counted[] = {"libfewer", "libsqlite3", "libjansson", "libz.",
                                          "libjpeg",  "libavcodec", "libavutil",  "libswscale"};
    bool ours = !info->dlpi_name[0]; // the program itself
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (strstr(info->dlpi_name, counted[i])) ours = true;
    for (int i = 0; ours && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || n_ranges == RANGES) continue;
        ranges[n_ranges][0] = info->dlpi_addr + part->p_vaddr;
        ranges[n_ranges++][1] = info->dlpi_addr + part->p_vaddr + part->p_memsz;
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *fault = getenv("FEW_FAULT"), *folder = getenv("FEW_FAULT_UNDER");
    log_path = getenv("FEW_FAULT_LOG");
    if (folder && !realpath(folder, under)) under[0] = 0;
    const char *list = getenv("FEW_FAULT_OPENED");
    if (list)
        opened = (int)syscall(SYS_openat, AT_FDCWD, list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    dl_iterate_phdr(add_range, NULL);
    if (fault) read_fault(fault);
    unsetenv("LD_PRELOAD"); // children are left alone
}

__attribute__((destructor)) static void end(void)
{
    FILE *file = log_path ? fopen(log_path, "w") : NULL;
    if (!file) return;
    for (int k = 0; k < KINDS; k++) fprintf(file, "%s %lu %lu\n", names[k], calls[k], failed[k]);
    fclose(file);
}

/* ---- who fails ---- */

// Counts a call; true: it is to fail, and errno is set.
static bool fails(enum kind kind)
{
    unsigned long number = 1 + calls[kind]++;
    if (kind != chosen || (from_then_on ? number < fail_at : number != fail_at)) return false;
    failed[kind]++;
    if (error == KILL) kill(getpid(), SIGKILL);
    errno = error;
    return true;
}

static bool is_watched(int fd)
{
    return fd >= 0 && fd < FDS && watched[fd];
}

// A descriptor just opened, looked up by what the kernel calls it.
static int watch(int fd)
{
    char link[64], path[PATH_MAX];
    if (fd < 0 || fd >= FDS || !under[0]) return fd;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    size_t prefix = strlen(under);
    errno = before;
    watched[fd] = n > (ssize_t)prefix && strncmp(path, under, prefix) == 0 && path[prefix] == '/';
    return fd;
}

// Whether opening this file counts: it does not exist yet, perhaps, but its folder does.
static bool lies_under(int at, const char *path)
{
    char full[PATH_MAX], folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!under[0] || at != AT_FDCWD) return false;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int before = errno;
    bool found = realpath(folder, full);
    errno = before;
    size_t prefix = strlen(under);
    return found && strncmp(full, under, prefix) == 0 && (full[prefix] == '/' || full[prefix] == 0);
}

static bool opening_fails(int at, const char *path)
{
    if (!lies_under(at, path)) return false;
    char line[PATH_MAX + 1];
    int n = snprintf(line, sizeof line, "%s\n", path);
    if (opened >= 0 && n < (int)sizeof line) syscall(SYS_write, opened, line, (size_t)n);
    return fails(OPEN);
}

#define REAL(name) (__extension__(__typeof__(&name)) real(#name))

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(98);
    return found;
}

/* ---- files ---- */

#define MODE_OF(flags, last)                                     \
    mode_t mode = 0;                                             \
    if (((flags)&O_CREAT) || ((flags)&O_TMPFILE) == O_TMPFILE) { \
        va_list args;                                            \
        va_start(args, last);                                    \
        mode = (mode_t)va_arg(args, unsigned);                   \
        va_end(args);                                            \
    }

SHIM int open(const char *path, int flags, ...)
{
    MODE_OF(flags, flags)
    if (opening_fails(AT_FDCWD, path)) return -1;
    return watch(REAL(open)(path, flags, mode));
}

SHIM int open64(const char *path, int flags, ...)
{
    MODE_OF(flags, flags)
    if (opening_fails(AT_FDCWD, path)) return -1;
    return watch(REAL(open64)(path, flags, mode));
}

SHIM int openat(int at, const char *path, int flags, ...)
{
    MODE_OF(flags, flags)
    if (opening_fails(at, path)) return -1;
    return watch(REAL(openat)(at, path, flags, mode));
}

SHIM int close(int fd)
{
    if (fd >= 0 && fd < FDS) watched[fd] = false;
    return REAL(close)(fd);
}

SHIM ssize_t read(int fd, void *to, size_t n)
{
    return is_watched(fd) && fails(READ) ? -1 : REAL(read)(fd, to, n);
}

SHIM ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    return is_watched(fd) && fails(READ) ? -1 : REAL(pread)(fd, to, n, at);
}

SHIM ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
    return is_watched(fd) && fails(READ) ? -1 : REAL(pread64)(fd, to, n, at);
}

// A disk that fills up takes half of the bytes first.
static bool writes_half(int fd, size_t n)
{
    return is_watched(fd) && fails(WRITE) && (error != ENOSPC || n < 2);
}

SHIM ssize_t write(int fd, const void *from, size_t n)
{
    unsigned long before = failed[WRITE];
    if (writes_half(fd, n)) return -1;
    return REAL(write)(fd, from, failed[WRITE] > before ? n / 2 : n);
}

SHIM ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    unsigned long before = failed[WRITE];
    if (writes_half(fd, n)) return -1;
    return REAL(pwrite)(fd, from, failed[WRITE] > before ? n / 2 : n, at);
}

SHIM ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    unsigned long before = failed[WRITE];
    if (writes_half(fd, n)) return -1;
    return REAL(pwrite64)(fd, from, failed[WRITE] > before ? n / 2 : n, at);
}

SHIM int fsync(int fd)
{
    return is_watched(fd) && fails(SYNC) ? -1 : REAL(fsync)(fd);
}

SHIM int fdatasync(int fd)
{
    return is_watched(fd) && fails(SYNC) ? -1 : REAL(fdatasync)(fd);
}

SHIM int ftruncate(int fd, off_t n)
{
    return is_watched(fd) && fails(TRUNCATE) ? -1 : REAL(ftruncate)(fd, n);
}

SHIM int ftruncate64(int fd, off64_t n)
{
    return is_watched(fd) && fails(TRUNCATE) ? -1 : REAL(ftruncate64)(fd, n);
}

/* ---- threads and processes ---- */

SHIM int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    if (fails(THREAD)) return error;
    return REAL(pthread_create)(thread, attr, start, arg);
}

SHIM pid_t fork(void)
{
    return fails(SPAWN) ? -1 : REAL(fork)();
}

SHIM int execve(const char *path, char *const argv[], char *const envp[])
{
    return fails(SPAWN) ? -1 : REAL(execve)(path, argv, envp);
}

SHIM int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    return fails(SPAWN) ? error : REAL(posix_spawn)(pid, path, actions, attr, argv, envp);
}

SHIM int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    return fails(SPAWN) ? error : REAL(posix_spawnp)(pid, file, actions, attr, argv, envp);
}

/* ---- memory ---- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t n);

static bool counts(const void *caller)
{
    for (size_t i = 0; i < n_ranges; i++)
        if ((uintptr_t)caller >= ranges[i][0] && (uintptr_t)caller < ranges[i][1]) return true;
    return false;
}

SHIM void *malloc(size_t n)
{
    return counts(__builtin_return_address(0)) && fails(MALLOC) ? NULL : __libc_malloc(n);
}

SHIM void *calloc(size_t n, size_t size)
{
    return counts(__builtin_return_address(0)) && fails(MALLOC) ? NULL : __libc_calloc(n, size);
}

SHIM void *realloc(void *block, size_t n)
{
    return n && counts(__builtin_return_address(0)) && fails(MALLOC) ? NULL : __libc_realloc(block, n);
}

extern void *__libc_memalign(size_t align, size_t n);

SHIM int posix_memalign(void **block, size_t align, size_t n)
{
    if (counts(__builtin_return_address(0)) && fails(MALLOC)) return ENOMEM;
    *block = __libc_memalign(align, n);
    return *block ? 0 : ENOMEM;
}
