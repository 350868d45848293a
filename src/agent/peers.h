/*
 * Peers to join by: those of the configuration, and those that were added while it runs (POST /join
 * of the control socket), which last until the daemon ends. Numeric ones are seeds of the member at
 * once, names become seeds by the resolver.
 */
#ifndef SWIM_AGENT_PEERS_H
#define SWIM_AGENT_PEERS_H

#include "agent/config.h"

#include <stdbool.h>
#include <stdint.h>

/* Those added at run time. */
struct peers {
    uint32_t count;
    struct endpoint added[CONFIG_PEERS_MAX];
};

/* Adds one. NULL when it is there (it may have been before), else why not (static): there is a
 * limit for both kinds together. */
SWIM_MUST_CHECK const char *peers_add(struct peers *peers, const struct agent_config *config,
                                      const struct endpoint *endpoint);
/* All, those of the configuration first, each once, at most CONFIG_PEERS_MAX. Returns how many. */
uint32_t peers_all(const struct peers *peers, const struct agent_config *config,
                   struct endpoint ret[CONFIG_PEERS_MAX]);
/* Is this address given as a number? */
bool peers_has_address(const struct peers *peers, const struct agent_config *config,
                       const struct swim_addr *addr);

#endif
