/*
 * The agent as a service: the service manager is told when it serves, reloads and ends, how many
 * members it sees, and, again and again from the loop itself, that the loop turns.
 */
#ifndef SWIM_AGENT_SERVICE_H
#define SWIM_AGENT_SERVICE_H

#include "agent/notify.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

struct service {
    struct notify notify;
    const struct swim *swim;
    uint32_t members[SWIM_STATUS_COUNT]; /* as last told of */
    bool is_ready;
    bool is_stopping;
    struct event *first_turn;
    struct event *watchdog;
    struct event *status;
};

/* Reads the manager's wishes from the environment: before anything else is started. */
void service_init(struct service *service);
/* Everything listens: READY follows from the first turn of the loop. False: no memory. */
bool service_start(struct service *service, struct event_base *base, const struct swim *swim);
void service_free(struct service *service);

/* The end of a turn. Costs four comparisons when nothing has changed. */
void service_settle(struct service *service);
/* Around a reload: both, whatever came of it. */
void service_reload_begin(struct service *service);
void service_reload_end(struct service *service);
/* It ends, within `bound_ms`. */
void service_stop(struct service *service, uint64_t bound_ms);

#endif
