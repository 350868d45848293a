/*
 * POST /ping: the answer waits for the SWIM_EVENT_PONG that ends the ping. A small table of who
 * waits for which member; pings of one member end in the order in which they began.
 */
#ifndef SWIM_AGENT_CONTROL_PING_H
#define SWIM_AGENT_CONTROL_PING_H

#include "agent/httpd_stream.h"
#include "swim/swim.h"

#include <stdint.h>

struct control_ping {
    uint64_t id; /* 0: the place is free */
    uint64_t order;
    struct httpd_later *later; /* NULL: the connection is gone, the ping is not */
};

/* Zero-filled is ready to use; not to be moved while a ping is under way. */
struct control_pings {
    uint64_t count; /* of all that began */
    struct control_ping places[SWIM_PINGS_MAX];
};

/* A ping of the member `id` has begun (swim_ping): `reply` becomes its answer. */
void control_ping_await(struct control_pings *pings, uint64_t id, struct http_reply *reply);
/* To be called with each SWIM_EVENT_PONG; those that nobody here began are ignored. */
void control_ping_answer(struct control_pings *pings, const struct swim_event *event);

#endif
