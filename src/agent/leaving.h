/* How the daemon ends: by a signal, or asked by the control socket. SIGHUP, a reload, is heard here. */
#ifndef SWIM_AGENT_LEAVING_H
#define SWIM_AGENT_LEAVING_H

#include "agent/exit_code.h"

#include <stdbool.h>

struct agent;
struct event;

struct leaving {
    bool has_begun;
    enum exit_code exit_code; /* of the process, when the loop has ended */
    struct event *asked;      /* by the control socket, which is answered first */
    struct event *give_up;
    struct event *signals[3];
};

/* Hears signals from now on. False: no memory. */
bool leaving_open(struct agent *agent);
void leaving_close(struct leaving *leaving);

/* Leaves in the next turn of the loop, in which what is writable comes before what is due: whoever
 * asks has his answer before. */
void leaving_ask(struct agent *agent);

#endif
