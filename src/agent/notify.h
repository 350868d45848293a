/*
 * What a service manager is told: systemd's notification protocol (sd_notify(3)), datagrams of
 * NAME=VALUE lines to the Unix socket that $NOTIFY_SOCKET names. Nobody is asked and nothing is
 * waited for, but for the few messages that the manager waits for itself. Where no manager wants to
 * know, every function does nothing.
 */
#ifndef SWIM_AGENT_NOTIFY_H
#define SWIM_AGENT_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_STATUS_MAX 128
/* More often than this nobody reads a status. */
#define NOTIFY_STATUS_NS UINT64_C(1000000000)

struct notify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un manager;
    socklen_t manager_size;
    uint64_t watchdog_ns;           /* the manager restarts what is silent for so long; 0: never */
    char status[NOTIFY_STATUS_MAX]; /* what was said last */
    uint64_t status_at;             /* when, as the caller counts time */
    char next_status[NOTIFY_STATUS_MAX]; /* what waits to be said; "": nothing */
};

/*
 * Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child can
 * speak in this process's name. Call it once, before there are threads. False when NOTIFY_SOCKET is
 * no address, or there is no socket to be had: errno says why, and nobody is told anything.
 */
bool notify_open(struct notify *ret);
void notify_close(struct notify *notify);

/* Life. These may take up to 0.2 s when the manager's queue is full; false: it wasn't told. */
bool notify_ready(struct notify *notify);
bool notify_reloading(struct notify *notify);
/* `bound_ms`: the end comes by then. A manager that would kill sooner is asked to wait. */
bool notify_stopping(struct notify *notify, uint64_t bound_ms);

/* Never waits. Call it every watchdog_ns / 2. */
void notify_watchdog(struct notify *notify);

/*
 * One line for people, cut to what fits: said if it is news, and NOTIFY_STATUS_NS have passed since
 * the last one. Returns how long to wait, in ns, before notify_status_again; 0: it needs no call.
 */
uint64_t notify_status(struct notify *notify, uint64_t now_ns, const char *status);
uint64_t notify_status_again(struct notify *notify, uint64_t now_ns);

#endif
