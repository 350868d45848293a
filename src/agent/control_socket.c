/*
 * Two daemons may start on one path at the same moment, and one may have died on it: looking,
 * removing and binding happen under a lock on the folder, or one could remove the other's new
 * socket. The file gets its mode from the umask, at the moment when it comes to be: there is no
 * time in which it is open to others. docs/configuration.md, section "Control socket".
 */
#define _GNU_SOURCE
#include "agent/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CONFIG_SOCKET_PATH_MAX <= sizeof((struct sockaddr_un *)0)->sun_path,
               "every path fits its address");

#define BACKLOG 64
#define LOCK_TRIES 100
#define LOCK_PAUSE_NS 10000000

__attribute__((format(printf, 3, 4))) static bool fail(struct config_error *ret_error,
                                                       const char *path, const char *format, ...)
{
    va_list arguments;
    int size = snprintf(ret_error->text, sizeof ret_error->text, "control socket %s: ", path);

    va_start(arguments, format);
    (void)vsnprintf(ret_error->text + size, sizeof ret_error->text - (size_t)size, format,
                    arguments);
    va_end(arguments);
    return false;
}

static struct sockaddr_un name_of(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    return name;
}

/* ---- The folder's lock ------------------------------------------------------------------- */

static int open_folder(const char *path)
{
    char folder[CONFIG_SOCKET_PATH_MAX];
    const char *slash = strrchr(path, '/');

    (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                   slash == NULL ? "." : path);
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Before the loop runs, so waiting keeps nobody waiting. */
static bool lock_folder(int folder)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(folder, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

/* ---- What is there already --------------------------------------------------------------- */

/* Does somebody listen there? An error is errno's, and 0 means yes. */
static int try_to_connect(const char *path)
{
    struct sockaddr_un name = name_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int cause = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) != 0)
        cause = errno;
    if (fd >= 0)
        (void)close(fd);
    return cause == EAGAIN ? 0 : cause; /* its backlog is full */
}

static bool make_way(const char *path, struct config_error *ret_error)
{
    struct stat status;
    int cause;

    if (lstat(path, &status) != 0)
        return errno == ENOENT || fail(ret_error, path, "%s", strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return fail(ret_error, path,
                    "there is a file of another kind; move it, or choose another path with "
                    "--control-socket PATH");
    cause = try_to_connect(path);
    if (cause == 0)
        return fail(ret_error, path,
                    "another daemon listens there; stop it, or choose another path with "
                    "--control-socket PATH");
    if (cause != ECONNREFUSED && cause != ENOENT)
        return fail(ret_error, path, "somebody's socket is there: %s", strerror(cause));
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(ret_error, path, "a dead daemon's socket can't be removed: %s",
                    strerror(errno));
    return true;
}

/* ---- Making it --------------------------------------------------------------------------- */

static bool bind_privately(int fd, const char *path)
{
    struct sockaddr_un name = name_of(path);
    mode_t before = umask(0177);
    bool ok = bind(fd, (const struct sockaddr *)&name, sizeof name) == 0;
    int cause = errno;

    (void)umask(before);
    errno = cause;
    return ok;
}

static bool listen_on(int fd, const char *path, struct control_socket *ret,
                      struct config_error *ret_error)
{
    struct stat status;

    if (!make_way(path, ret_error))
        return false;
    if (!bind_privately(fd, path))
        return fail(ret_error, path, "cannot listen: %s", strerror(errno));
    if (lstat(path, &status) != 0 || listen(fd, BACKLOG) != 0) {
        (void)fail(ret_error, path, "cannot listen: %s", strerror(errno));
        (void)unlink(path);
        return false;
    }
    *ret = (struct control_socket){.device = status.st_dev, .inode = status.st_ino};
    (void)snprintf(ret->path, sizeof ret->path, "%s", path);
    return true;
}

int control_socket_open(struct control_socket *ret, const char *path,
                        struct config_error *ret_error)
{
    int folder = open_folder(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = false;

    if (folder < 0 || fd < 0)
        (void)fail(ret_error, path, "%s%s", folder < 0 ? "its folder: " : "", strerror(errno));
    else if (!lock_folder(folder))
        (void)fail(ret_error, path, "its folder stays locked by another program");
    else
        ok = listen_on(fd, path, ret, ret_error);
    if (folder >= 0)
        (void)close(folder); /* and the lock with it */
    if (ok)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

void control_socket_remove(const struct control_socket *made)
{
    struct stat status;
    int folder;

    if (made->path[0] == '\0')
        return;
    /* Without the lock, if need be: what is not ours is left alone in any case but a race. */
    folder = open_folder(made->path);
    if (folder >= 0)
        (void)flock(folder, LOCK_EX | LOCK_NB);
    if (lstat(made->path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        status.st_dev == made->device && status.st_ino == made->inode)
        (void)unlink(made->path);
    if (folder >= 0)
        (void)close(folder);
}

bool control_socket_peer(int fd, uid_t *ret_uid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer)
        return false;
    *ret_uid = peer.uid;
    return true;
}
