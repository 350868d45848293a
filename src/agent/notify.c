/*
 * A few lines of text to a datagram socket: no reason to link libsystemd, and with it what it links.
 * The protocol is sd_notify(3)'s, which promises to keep it.
 */
#define _GNU_SOURCE
#include "agent/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX 256
#define PATIENCE_US 200000
/* A week: beyond any watchdog's sense. */
#define WATCHDOG_MAX_US (UINT64_C(7) * 24 * 3600 * 1000000)

/* ---- The environment --------------------------------------------------------------------- */

/* A path, or '@' and a name that is in no folder. */
static bool parse_address(const char *text, struct notify *ret)
{
    size_t size = strlen(text);
    bool is_abstract = text[0] == '@';

    if ((text[0] != '/' && !is_abstract) || size < 2 || size >= sizeof ret->manager.sun_path) {
        errno = EINVAL;
        return false;
    }
    ret->manager = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->manager.sun_path, text, size);
    if (is_abstract)
        ret->manager.sun_path[0] = '\0';
    ret->manager_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + !is_abstract);
    return true;
}

/* Decimal digits only; 0 when it is anything else, or too large. */
static uint64_t number_of(const char *text, uint64_t max)
{
    uint64_t value = 0;

    if (text == NULL)
        return 0;
    for (; *text >= '0' && *text <= '9' && value <= max; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return *text == '\0' && value <= max ? value : 0;
}

static uint64_t watchdog_of(const char *usec, const char *pid)
{
    if (pid != NULL && number_of(pid, INT32_MAX) != (uint64_t)getpid())
        return 0; /* meant for another process */
    return number_of(usec, WATCHDOG_MAX_US) * 1000;
}

bool notify_open(struct notify *ret)
{
    struct timeval patience = {.tv_usec = PATIENCE_US};
    const char *path = getenv("NOTIFY_SOCKET");
    bool ok;

    *ret = (struct notify){.fd = -1};
    ok = path == NULL || path[0] == '\0' || parse_address(path, ret);
    if (ok && ret->manager_size > 0) {
        ret->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ok = ret->fd >= 0;
        if (ok)
            (void)setsockopt(ret->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        ret->watchdog_ns = ok ? watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID")) : 0;
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return ok;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
    notify->watchdog_ns = 0;
}

/* ---- Messages ---------------------------------------------------------------------------- */

static bool say(const struct notify *notify, const char *message, int flags)
{
    ssize_t sent;

    if (notify->fd < 0)
        return true;
    do
        sent = sendto(notify->fd, message, strlen(message), flags | MSG_NOSIGNAL,
                      (const struct sockaddr *)&notify->manager, notify->manager_size);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

bool notify_ready(struct notify *notify)
{
    return say(notify, "READY=1", 0);
}

/* Time as the manager counts it, which needs it to tell this reload from an earlier one. */
bool notify_reloading(struct notify *notify)
{
    char message[MESSAGE_MAX];
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    return say(notify, message, 0);
}

bool notify_stopping(struct notify *notify, uint64_t bound_ms)
{
    char message[MESSAGE_MAX];

    (void)snprintf(message, sizeof message, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                   bound_ms * 1000);
    return say(notify, message, 0);
}

void notify_watchdog(struct notify *notify)
{
    (void)say(notify, "WATCHDOG=1", MSG_DONTWAIT);
}

/* ---- The status -------------------------------------------------------------------------- */

static void say_status(struct notify *notify, uint64_t now_ns)
{
    char message[MESSAGE_MAX];

    (void)snprintf(message, sizeof message, "STATUS=%s", notify->next_status);
    notify->status_at = now_ns;
    /* What can't be said now waits like what came too early. */
    if (!say(notify, message, MSG_DONTWAIT))
        return;
    memcpy(notify->status, notify->next_status, sizeof notify->status);
    notify->next_status[0] = '\0';
}

uint64_t notify_status_again(struct notify *notify, uint64_t now_ns)
{
    if (notify->fd < 0 || notify->next_status[0] == '\0')
        return 0;
    if (notify->status_at == 0 || now_ns - notify->status_at >= NOTIFY_STATUS_NS)
        say_status(notify, now_ns);
    return notify->next_status[0] == '\0' ? 0 : notify->status_at + NOTIFY_STATUS_NS - now_ns;
}

/* A line break would begin another assignment. */
static void copy_line(char *to, size_t cap, const char *from)
{
    (void)snprintf(to, cap, "%s", from);
    to[strcspn(to, "\r\n")] = '\0';
}

uint64_t notify_status(struct notify *notify, uint64_t now_ns, const char *status)
{
    if (notify->fd < 0)
        return 0;
    copy_line(notify->next_status, sizeof notify->next_status, status);
    if (strcmp(notify->next_status, notify->status) == 0)
        notify->next_status[0] = '\0';
    return notify_status_again(notify, now_ns);
}
