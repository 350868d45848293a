/*
 * One folder, one daemon, one state. A file that can't be understood is kept for whoever wants to
 * look at it, and never becomes an identity; one that can't be read stops the start, since a node
 * that forgets who it was is a second one to all the others.
 */
#define _GNU_SOURCE
#include "agent/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond that the last one is overwritten: a disk that damages each state fills no folder. */
enum { ASIDE_MAX = 100 };

__attribute__((format(printf, 3, 4))) static enum exit_code
refuse(struct config_error *ret_error, enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error->text, sizeof ret_error->text, format, arguments);
    va_end(arguments);
    return code;
}

/* ---- The folder -------------------------------------------------------------------------- */

static enum exit_code refuse_unmade(const char *folder, struct config_error *ret_error)
{
    return refuse(ret_error, EXIT_CODE_CONFIG,
                  "the state folder %.400s can't be made: %s; make it, for this user, or give "
                  "another with --state-dir",
                  folder, strerror(errno));
}

static enum exit_code check_folder(const char *folder, struct config_error *ret_error)
{
    struct stat held;

    if (stat(folder, &held) != 0)
        return refuse(ret_error, EXIT_CODE_CONFIG, "the state folder %.400s: %s", folder,
                      strerror(errno));
    if (!S_ISDIR(held.st_mode))
        return refuse(ret_error, EXIT_CODE_CONFIG,
                      "the state folder %.400s is no folder; give another with --state-dir",
                      folder);
    if (held.st_mode & S_IWOTH)
        return refuse(ret_error, EXIT_CODE_CONFIG,
                      "the state folder %.400s can be written in by everybody, who could make this "
                      "node somebody else; chmod o-w it (0700 is best)",
                      folder);
    return EXIT_CODE_OK;
}

static enum exit_code refuse_unusable(const char *name, struct config_error *ret_error)
{
    return refuse(ret_error, EXIT_CODE_CONFIG,
                  "the state folder can't be used: %.400s: %s; it must be this user's own, or give "
                  "another with --state-dir",
                  name, strerror(errno));
}

static enum exit_code take_lock(struct state_file *file, struct config_error *ret_error)
{
    char name[STATE_PATH_MAX];
    int fd;

    (void)snprintf(name, sizeof name, "%s/lock", file->folder);
    fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return refuse_unusable(name, ret_error);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int cause = errno;
        (void)close(fd);
        if (cause == EWOULDBLOCK)
            return refuse(ret_error, EXIT_CODE_BIND,
                          "the state folder %.400s is in use by another swimd; give each its own "
                          "with --state-dir",
                          file->folder);
        return refuse(ret_error, EXIT_CODE_CONFIG, "the state folder %.400s can't be locked: %s",
                      file->folder, strerror(cause));
    }
    file->lock = fd;
    return EXIT_CODE_OK;
}

enum exit_code state_file_open(struct state_file *file, const char *folder,
                               struct config_error *ret_error)
{
    enum exit_code code;

    *file = (struct state_file){0};
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return refuse_unmade(folder, ret_error);
    code = check_folder(folder, ret_error);
    if (code != EXIT_CODE_OK)
        return code;
    (void)snprintf(file->folder, sizeof file->folder, "%s", folder);
    (void)snprintf(file->path, sizeof file->path, "%s/state", folder);
    code = take_lock(file, ret_error);
    if (code != EXIT_CODE_OK)
        file->folder[0] = '\0';
    return code;
}

/* The folder that `folder` would be made in. */
static void parent_of(const char *folder, char ret[CONFIG_PATH_MAX])
{
    size_t size = strlen(folder);

    while (size > 1 && folder[size - 1] == '/')
        size--;
    while (size > 0 && folder[size - 1] != '/')
        size--;
    (void)snprintf(ret, CONFIG_PATH_MAX, "%.*s", size > 0 ? (int)size : 1, size > 0 ? folder : ".");
}

bool state_file_check(const char *folder, struct config_error *ret_error)
{
    char name[STATE_PATH_MAX];

    if (access(folder, F_OK) != 0 && errno == ENOENT) {
        parent_of(folder, name);
        return access(name, W_OK | X_OK) == 0 || refuse_unmade(folder, ret_error) == EXIT_CODE_OK;
    }
    if (check_folder(folder, ret_error) != EXIT_CODE_OK)
        return false;
    if (access(folder, W_OK | X_OK) != 0)
        return refuse_unusable(folder, ret_error) == EXIT_CODE_OK;
    (void)snprintf(name, sizeof name, "%s/lock", folder);
    return access(name, R_OK | W_OK) == 0 || errno == ENOENT ||
           refuse_unusable(name, ret_error) == EXIT_CODE_OK;
}

void state_file_close(struct state_file *file)
{
    if (file->folder[0] != '\0')
        (void)close(file->lock);
    file->folder[0] = '\0';
}

/* ---- Reading ----------------------------------------------------------------------------- */

/* Up to `cap` bytes; -1 and errno on failure, a file that is longer included (EFBIG). */
static ssize_t read_whole(const char *path, char *text, size_t cap)
{
    struct stat held;
    ssize_t got = 1;
    size_t size = 0;
    int cause = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -1;
    if (fstat(fd, &held) == 0 && !S_ISREG(held.st_mode))
        cause = EINVAL;
    while (cause == 0 && got != 0) {
        got = read(fd, text + size, cap - size);
        if (got < 0 && errno != EINTR)
            cause = errno;
        size += got > 0 ? (size_t)got : 0;
        if (size == cap)
            cause = EFBIG;
    }
    (void)close(fd);
    errno = cause;
    return cause == 0 ? (ssize_t)size : -1;
}

static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd); /* if it fails, the file is set aside again after a power cut */
    (void)close(fd);
}

static enum state_found set_aside(const struct state_file *file, enum state_verdict verdict,
                                  const char *wrong, struct config_error *ret_note)
{
    const char *kind = verdict == STATE_DAMAGED ? "damaged" : "foreign";
    char aside[STATE_PATH_MAX + 32];
    struct stat held;

    for (int i = 1; i <= ASIDE_MAX; i++) {
        (void)snprintf(aside, sizeof aside, "%s.%s-%d", file->path, kind, i);
        if (lstat(aside, &held) != 0 && errno == ENOENT)
            break;
    }
    if (rename(file->path, aside) != 0) {
        (void)snprintf(ret_note->text, sizeof ret_note->text,
                       "the state %.200s can't be used: %s; and it can't be set aside: %s",
                       file->path, wrong, strerror(errno));
        return STATE_UNREADABLE;
    }
    sync_folder(file->folder);
    (void)snprintf(ret_note->text, sizeof ret_note->text,
                   "the state %.200s can't be used: %s; it is set aside as %.250s, and this node "
                   "starts as a new one",
                   file->path, wrong, aside);
    return STATE_SET_ASIDE;
}

enum state_found state_file_load(const struct state_file *file, const char *cluster,
                                 struct state *ret_state, struct config_error *ret_note)
{
    static char text[STATE_TEXT_MAX + 1];
    enum state_verdict verdict = STATE_DAMAGED;
    const char *wrong = "it is longer than a state can be";
    ssize_t size = read_whole(file->path, text, sizeof text);

    if (size < 0 && errno == ENOENT)
        return STATE_NONE;
    if (size < 0 && errno != EFBIG) {
        (void)snprintf(
            ret_note->text, sizeof ret_note->text,
            "the state %.200s can't be read: %s; make it readable for this user, or move "
            "it away to start as a new node",
            file->path,
            errno == EINVAL || errno == ELOOP ? "it is no regular file" : strerror(errno));
        return STATE_UNREADABLE;
    }
    if (size >= 0)
        verdict = state_parse(text, (size_t)size, ret_state, &wrong);
    if (verdict == STATE_GOOD && strcmp(ret_state->cluster, cluster) != 0) {
        verdict = STATE_FOREIGN;
        wrong = "it is of a member of another cluster ([node] cluster)";
    }
    return verdict == STATE_GOOD ? STATE_FOUND : set_aside(file, verdict, wrong, ret_note);
}

/* ---- Writing ----------------------------------------------------------------------------- */

bool state_file_write(const struct state_file *file, const char *text, size_t size,
                      enum atomic_file_step *ret_step)
{
    *ret_step = atomic_file_write(file->path, text, size, 0600);
    return *ret_step == ATOMIC_FILE_DONE;
}
