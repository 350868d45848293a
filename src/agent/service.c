/*
 * READY and WATCHDOG are said from within the loop, by its own timers: a loop that hangs says
 * neither, whatever the rest of the process does.
 */
#include "agent/service.h"

#include "agent/clock.h"
#include "agent/log.h"
#include "agent/timer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define STATUS_TEXT_MAX 100

static struct timeval timeval_of_ns(uint64_t ns)
{
    return (struct timeval){.tv_sec = (time_t)(ns / 1000000000),
                            .tv_usec = (suseconds_t)(ns % 1000000000 / 1000)};
}

static void complain(bool ok)
{
    if (!ok)
        LOG(LOG_WARN, "the service manager can't be told: its socket ($NOTIFY_SOCKET) refuses",
            LOG_TEXT("cause", strerror(errno)));
}

/* ---- The status -------------------------------------------------------------------------- */

/* Those that are not there are not mentioned. */
static size_t add_count(char *text, size_t size, uint32_t count, const char *name)
{
    int more = snprintf(text + size, STATUS_TEXT_MAX - size, "%s%u %s", size == 0 ? "" : ", ",
                        (unsigned)count, name);

    return more < 0 ? size : size + (size_t)more;
}

static void status_text(const struct service *service, char *text)
{
    size_t size = add_count(text, 0, service->members[SWIM_ALIVE], "alive");

    size = add_count(text, size, service->members[SWIM_SUSPECT], "suspect");
    for (int status = SWIM_DEAD; status < SWIM_STATUS_COUNT; status++)
        if (service->members[status] > 0)
            size = add_count(text, size, service->members[status],
                             swim_status_name((enum swim_status)status));
    if (service->is_stopping)
        (void)snprintf(text + size, STATUS_TEXT_MAX - size, "; leaving the cluster");
}

static void wait_for_status(struct service *service, uint64_t wait_ns)
{
    struct timeval wait = timeval_of_ns(wait_ns);

    if (wait_ns > 0)
        (void)evtimer_add(service->status, &wait);
}

static void tell_status(struct service *service)
{
    char text[STATUS_TEXT_MAX];

    status_text(service, text);
    wait_for_status(service, notify_status(&service->notify, clock_now_ns(), text));
}

static void on_status(evutil_socket_t fd, short what, void *context)
{
    struct service *service = context;

    (void)fd;
    (void)what;
    wait_for_status(service, notify_status_again(&service->notify, clock_now_ns()));
}

void service_settle(struct service *service)
{
    bool has_changed = false;

    if (!service->is_ready)
        return;
    for (int status = 0; status < SWIM_STATUS_COUNT; status++) {
        uint32_t count = swim_member_count(service->swim, (enum swim_status)status);
        has_changed = has_changed || count != service->members[status];
        service->members[status] = count;
    }
    if (has_changed)
        tell_status(service);
}

/* ---- Life -------------------------------------------------------------------------------- */

static void on_first_turn(evutil_socket_t fd, short what, void *context)
{
    struct service *service = context;

    (void)fd;
    (void)what;
    if (service->is_stopping)
        return;
    complain(notify_ready(&service->notify));
    service->is_ready = true;
    service_settle(service);
}

static void on_watchdog(evutil_socket_t fd, short what, void *context)
{
    struct service *service = context;

    (void)fd;
    (void)what;
    notify_watchdog(&service->notify);
}

void service_init(struct service *service)
{
    *service = (struct service){0};
    complain(notify_open(&service->notify));
}

bool service_start(struct service *service, struct event_base *base, const struct swim *swim)
{
    struct timeval half = timeval_of_ns(service->notify.watchdog_ns / 2);
    struct timeval at_once = {0};

    if (service->notify.fd < 0)
        return true;
    service->swim = swim;
    service->first_turn = evtimer_new(base, on_first_turn, service);
    service->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, service);
    service->status = evtimer_new(base, on_status, service);
    if (service->first_turn == NULL || service->watchdog == NULL || service->status == NULL)
        return false;
    return evtimer_add(service->first_turn, &at_once) == 0 &&
           (service->notify.watchdog_ns == 0 || event_add(service->watchdog, &half) == 0);
}

void service_free(struct service *service)
{
    struct event *events[] = {service->first_turn, service->watchdog, service->status};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        timer_free(events[i]);
    notify_close(&service->notify);
}

void service_reload_begin(struct service *service)
{
    if (service->is_ready && !service->is_stopping)
        complain(notify_reloading(&service->notify));
}

void service_reload_end(struct service *service)
{
    if (service->is_ready && !service->is_stopping)
        complain(notify_ready(&service->notify));
}

void service_stop(struct service *service, uint64_t bound_ms)
{
    service->is_stopping = true;
    complain(notify_stopping(&service->notify, bound_ms));
    if (service->is_ready)
        tell_status(service);
}
