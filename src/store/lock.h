// SPDX-License-Identifier: Apache-2.0
/* Who has a store open: one writer at a time, over all processes, any number of readers.
 *
 * The lock is flock() on the file itself: it ends with the process, however that ends. SQLite's own locks are of
 * another sort, and the system drops all of a process's as soon as it closes any descriptor of the file. So there is
 * one descriptor here for each file that this process has open, older than SQLite's and closed after them. */
#ifndef FEW_STORE_LOCK_H
#define FEW_STORE_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include <fewer/status.h>

struct few__lock {
    bool held, writing;
    int fd; // shared by all of this process that have the same file open
    dev_t device;
    ino_t inode;
    struct few__lock *next;
};

/* Before SQLite opens the file. lock must stay where it is until few__lock_close.
 * Errors: FEW_ENOENT; FEW_ESTORE no plain file, or one that may not be read; writing: FEW_AGAIN somebody else does. */
enum few_status few__lock_open(struct few__lock *lock, const char *path, bool writing, struct few_error *err);

/* A new empty file, locked for writing; what a killed process left there is removed first. name: of the file;
 * path: for messages. Errors: FEW_EIO it cannot be created; FEW_ESTORE another process is making it now. */
enum few_status few__lock_create(struct few__lock *lock, const char *name, const char *path,
                                 struct few_error *err);

/* After SQLite closed the file. Not held: nothing happens. */
void few__lock_close(struct few__lock *lock);

/* Does anybody write to it? */
bool few__lock_is_busy(const char *path);

#endif
