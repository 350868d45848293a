/* How the member joins: by peers, by names of peers, by members that were remembered. */
#ifndef SWIM_AGENT_JOINING_H
#define SWIM_AGENT_JOINING_H

#include "agent/log.h"
#include "agent/peers.h"

#include <stdbool.h>

struct agent;
struct event;

struct joining {
    struct peers peers;   /* added at run time */
    struct event *lonely; /* runs until a peer has answered */
    struct log_limit seeds_full;
};

/* Sets up the resolver. False: no memory. */
bool joining_open(struct agent *agent);
void joining_close(struct joining *joining);

/* All peers are tried: the numeric ones become seeds at once, names by way of the resolver. */
void joining_try_peers(struct agent *agent);
/* Those of the configuration are no longer tried. */
void joining_drop_peers(struct agent *agent);
/* The keeper tries the members that it remembers. False: no memory. */
bool joining_begin_keeping(struct agent *agent);

/* Does it see another live member, or is there nobody to see? */
bool is_joined(const struct agent *agent);

#endif
