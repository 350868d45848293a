/*
 * The Unix socket of control.h: made so that nobody but its owner can ever connect, and told apart
 * from what a dead daemon, or somebody else, left under its name.
 */
#ifndef SWIM_AGENT_CONTROL_SOCKET_H
#define SWIM_AGENT_CONTROL_SOCKET_H

#include "agent/config.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <sys/types.h>

/* The file, to be known again. */
struct control_socket {
    char path[CONFIG_SOCKET_PATH_MAX]; /* "": there is none */
    dev_t device;
    ino_t inode;
};

/*
 * Listens on `path` with mode 0600. Returns the socket, which is the caller's; -1 when something
 * else is there (a live daemon's socket, a file), or the folder refuses, and *ret_error says what
 * and the way out. The socket of a daemon that is no more is replaced. Waits at most a second for
 * others that are starting on the same folder.
 */
SWIM_MUST_CHECK int control_socket_open(struct control_socket *ret, const char *path,
                                        struct config_error *ret_error);
/* Takes the file away, if it is still the one that was made. The socket is closed by its owner. */
void control_socket_remove(const struct control_socket *made);

/* The user at the other end of a connection, as the kernel knew it when it was made. False when it
 * is no Unix socket. */
SWIM_MUST_CHECK bool control_socket_peer(int fd, uid_t *ret_uid);

#endif
