/*
 * The order of steps is all there is to it: a name must never lead to bytes that are not on the
 * disk yet. docs/security.md, "Local users and crashes".
 */
#define _GNU_SOURCE
#include "agent/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_SUFFIX ".new"
/* Another writer's file can have been renamed between our opening and our locking it. */
#define OPEN_TRIES 8

struct paths {
    char file[PATH_MAX]; /* what a link leads to */
    char fresh[PATH_MAX + sizeof NEW_SUFFIX];
    char folder[PATH_MAX];
};

static bool set_paths(struct paths *paths, const char *path)
{
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof paths->file) {
        errno = size == 0 ? ENOENT : ENAMETOOLONG;
        return false;
    }
    if (realpath(path, paths->file) == NULL) {
        if (errno != ENOENT)
            return false;
        memcpy(paths->file, path, size + 1); /* a new file */
    }
    (void)snprintf(paths->fresh, sizeof paths->fresh, "%s%s", paths->file, NEW_SUFFIX);
    const char *slash = strrchr(paths->file, '/');
    if (slash == NULL)
        (void)snprintf(paths->folder, sizeof paths->folder, ".");
    else /* with the slash: the root's folder is "/" */
        (void)snprintf(paths->folder, sizeof paths->folder, "%.*s", (int)(slash - paths->file + 1),
                       paths->file);
    return true;
}

static bool is_still_named(int fd, const char *name)
{
    struct stat held;
    struct stat named;

    return fstat(fd, &held) == 0 && lstat(name, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino && S_ISREG(held.st_mode);
}

/* A leftover of our own. Who else made the file may still have it open, or another name for it, and
 * would read what is written. */
static bool is_ours(int fd)
{
    struct stat held;

    if (fstat(fd, &held) == 0 && (held.st_uid != geteuid() || held.st_nlink > 1)) {
        errno = EPERM;
        return false;
    }
    return true;
}

/* Locked and empty; -1 and errno on failure. A leftover of a crash is taken over. */
static int open_fresh(const char *name, unsigned mode)
{
    for (int i = 0; i < OPEN_TRIES; i++) {
        int fd = open(name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                      (mode_t)(mode & 0600));
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 ||
            (is_still_named(fd, name) &&
             (!is_ours(fd) || fchmod(fd, (mode_t)mode) != 0 || ftruncate(fd, 0) != 0))) {
            int cause = errno;
            (void)close(fd);
            errno = cause;
            return -1;
        }
        if (is_still_named(fd, name))
            return fd;
        (void)close(fd);
    }
    errno = EWOULDBLOCK;
    return -1;
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            errno = put == 0 ? EIO : errno;
            return false;
        }
        data += put;
        size -= (size_t)put;
    }
    return true;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int cause = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = cause;
    return ok;
}

enum atomic_file_step atomic_file_write(const char *path, const void *data, size_t size,
                                        unsigned mode)
{
    struct paths paths;
    enum atomic_file_step failed = ATOMIC_FILE_DONE;
    int fd;

    if (!set_paths(&paths, path))
        return ATOMIC_FILE_NAME;
    fd = open_fresh(paths.fresh, mode);
    if (fd < 0)
        return ATOMIC_FILE_CREATE;
    if (!write_all(fd, data, size))
        failed = ATOMIC_FILE_WRITE;
    else if (fsync(fd) != 0)
        failed = ATOMIC_FILE_SYNC;
    else if (rename(paths.fresh, paths.file) != 0)
        failed = ATOMIC_FILE_RENAME;
    int cause = errno;
    if (failed != ATOMIC_FILE_DONE)
        (void)unlink(paths.fresh); /* while it is locked, hence ours */
    (void)close(fd);
    errno = cause;
    if (failed == ATOMIC_FILE_DONE && !sync_folder(paths.folder))
        failed = ATOMIC_FILE_SYNC_FOLDER;
    return failed;
}

const char *atomic_file_step_text(enum atomic_file_step step)
{
    static const char *const texts[ATOMIC_FILE_STEP_COUNT] = {
        [ATOMIC_FILE_DONE] = "is written",
        [ATOMIC_FILE_NAME] = "can't be found",
        [ATOMIC_FILE_CREATE] = "can't be written anew in its folder",
        [ATOMIC_FILE_WRITE] = "can't be written",
        [ATOMIC_FILE_SYNC] = "can't be brought to the disk",
        [ATOMIC_FILE_RENAME] = "can't be replaced",
        [ATOMIC_FILE_SYNC_FOLDER] = "is written, but its folder can't be brought to the disk",
    };

    return texts[step];
}
