/*
 * A turn of the loop: datagrams in, the core, datagrams out, and the one timer armed for the core's
 * deadline. Whoever changes anything of the member's calls loop_settle afterwards.
 */
#ifndef SWIM_AGENT_LOOP_H
#define SWIM_AGENT_LOOP_H

#include "swim/swim.h"

#include <stdbool.h>

struct agent;
struct event;
struct event_base;

struct loop {
    struct event *readable;
    struct event *writable;
    struct event *timer;
    struct event *resend;
    struct event *shielded; /* runs while the shield is up */
    bool is_send_blocked;   /* until the socket is writable, or a while is over */
    swim_time armed;        /* what `timer` waits for; SWIM_NEVER: nothing */
    bool has_more;          /* datagrams may still wait in the socket */
};

/* NULL: no memory. */
struct event_base *loop_new_base(void);
/* Listens to the socket from now on. False: no memory. */
bool loop_open(struct agent *agent);
void loop_close(struct loop *loop);

/* The end of each turn: what happened is told, datagrams are sent, the timer is armed. */
void loop_settle(struct agent *agent);
/* One event of the core's, to all who want to know. */
void loop_tell(struct agent *agent, const struct swim_event *event);

#endif
