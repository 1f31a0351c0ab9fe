// SPDX-License-Identifier: Apache-2.0
/* Locks on store files. The list holds what this process has open; every descriptor in it is shared by the entries
 * with the same device and inode, and is closed with the last of them. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"

enum { TRIES = 10, PAUSE_NS = 2000000 }; // who only asks holds a lock for some microseconds

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct few__lock *all;

static struct few__lock *find(const struct stat *st)
{
    struct few__lock *lock = all;
    while (lock && (lock->inode != st->st_ino || lock->device != st->st_dev)) lock = lock->next;
    return lock;
}

static bool is_written_here(const struct stat *st)
{
    for (const struct few__lock *lock = all; lock; lock = lock->next)
        if (lock->writing && lock->inode == st->st_ino && lock->device == st->st_dev) return true;
    return false;
}

static void add(struct few__lock *lock, int fd, const struct stat *st, bool writing)
{
    *lock = (struct few__lock){
        .held = true, .writing = writing, .fd = fd, .device = st->st_dev, .inode = st->st_ino, .next = all};
    all = lock;
}

static bool take(int fd)
{
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (i == TRIES) return false;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return true;
}

// Is this still the file of that name?
static bool is_there(int fd, const char *path)
{
    struct stat here, there;
    return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

static enum few_status busy(const char *path, struct few_error *err)
{
    return few__fail(err, FEW_AGAIN, "%s: another process is writing to it", path);
}

static enum few_status open_listed(struct few__lock *lock, const char *path, bool writing,
                                   struct few_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return few__fail(err, FEW_ENOENT, "%s: not found", path);
    if (stat(path, &st) != 0) return few__fail_sys(err, FEW_ESTORE, "%s: cannot be opened", path);
    if (!S_ISREG(st.st_mode))
        return few__fail(err, FEW_ESTORE, "%s: expected a trace or run file, found %s", path,
                         S_ISDIR(st.st_mode) ? "a folder" : "something else");
    if (writing && is_written_here(&st)) return busy(path, err);
    struct few__lock *other = find(&st);
    int fd = other ? other->fd : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return few__fail_sys(err, FEW_ESTORE, "%s: cannot be opened", path);
    bool taken = !writing || take(fd);
    if (taken && (other || is_there(fd, path)) && fstat(fd, &st) == 0) {
        add(lock, fd, &st, writing);
        return FEW_OK;
    }
    if (!other) close(fd);
    return busy(path, err); // or it was replaced just now, by one who writes
}

enum few_status few__lock_open(struct few__lock *lock, const char *path, bool writing, struct few_error *err)
{
    pthread_mutex_lock(&mutex);
    enum few_status status = open_listed(lock, path, writing, err);
    pthread_mutex_unlock(&mutex);
    return status;
}

// True: whatever was left under this name is gone. False: it is in use, or no file.
static bool sweep(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT;
    struct stat st;
    bool mine = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !is_written_here(&st) && take(fd);
    bool gone = mine && (!is_there(fd, name) || unlink(name) == 0);
    close(fd);
    return gone;
}

static enum few_status create_listed(struct few__lock *lock, const char *name, const char *path,
                                     struct few_error *err)
{
    for (int i = 0; i < TRIES; i++) {
        int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0 && errno != EEXIST) return few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
        if (fd < 0 && !sweep(name)) break;
        if (fd < 0) continue;
        struct stat st;
        if (take(fd) && is_there(fd, name) && fstat(fd, &st) == 0) {
            add(lock, fd, &st, true);
            return FEW_OK;
        }
        close(fd);
    }
    return few__fail(err, FEW_ESTORE, "%s: cannot be created, %s is in the way: another process is making it",
                     path, name);
}

enum few_status few__lock_create(struct few__lock *lock, const char *name, const char *path,
                                 struct few_error *err)
{
    pthread_mutex_lock(&mutex);
    enum few_status status = create_listed(lock, name, path, err);
    pthread_mutex_unlock(&mutex);
    return status;
}

void few__lock_close(struct few__lock *lock)
{
    if (!lock->held) return;
    pthread_mutex_lock(&mutex);
    struct few__lock **at = &all;
    while (*at != lock) at = &(*at)->next;
    *at = lock->next;
    const struct stat st = {.st_dev = lock->device, .st_ino = lock->inode};
    if (!find(&st)) close(lock->fd);
    else if (lock->writing) flock(lock->fd, LOCK_UN);
    *lock = (struct few__lock){0};
    pthread_mutex_unlock(&mutex);
}

static bool is_busy(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    if (is_written_here(&st)) return true;
    struct few__lock *other = find(&st);
    int fd = other ? other->fd : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    bool free = flock(fd, LOCK_SH | LOCK_NB) == 0;
    if (free) flock(fd, LOCK_UN);
    if (!other) close(fd);
    return !free;
}

bool few__lock_is_busy(const char *path)
{
    pthread_mutex_lock(&mutex);
    bool busy_now = is_busy(path);
    pthread_mutex_unlock(&mutex);
    return busy_now;
}
