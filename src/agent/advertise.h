/* The address that peers are told: given, bound, or derived when a wildcard is bound. */
#ifndef SWIM_AGENT_ADVERTISE_H
#define SWIM_AGENT_ADVERTISE_H

#include "agent/config.h"

/*
 * `bound` is the socket's address with its real port. NULL when *ret_addr is set, with
 * *ret_source saying where it comes from (static); else what is wrong and how to go on (static).
 */
const char *advertise_choose(const struct agent_config *config, const struct swim_addr *bound,
                             struct swim_addr *ret_addr, const char **ret_source);

#endif
