/*
 * Names of peers, resolved without blocking and again for as long as no live member is at any of
 * a name's addresses: names move, and a cluster must find its way back without an operator.
 */
#ifndef SWIM_AGENT_RESOLVER_H
#define SWIM_AGENT_RESOLVER_H

#include "agent/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct resolver;

struct resolver_host {
    void *context;
    /* A name has this address now; it may be told again. */
    void (*found)(void *context, const struct swim_addr *addr);
    /* No name has it any longer. */
    void (*lost)(void *context, const struct swim_addr *addr);
    bool (*is_live)(void *context, const struct swim_addr *addr);
};

struct resolver_stats {
    uint64_t answers;
    uint64_t failures;
};

/* `family`: AF_INET, AF_INET6 or AF_UNSPEC, what the socket can reach. NULL when it can't be
 * set up. */
struct resolver *resolver_new(struct event_base *base, int family,
                              const struct resolver_host *host);
void resolver_free(struct resolver *resolver);
/* Resolves the names among `endpoints` from now on, and no others. */
void resolver_set_names(struct resolver *resolver, const struct endpoint *endpoints, size_t count);
/* What a name among them stands for at present: at most `cap` addresses. Returns how many. */
uint32_t resolver_addresses(const struct resolver *resolver, const struct endpoint *name,
                            struct swim_addr *ret, uint32_t cap);
struct resolver_stats resolver_stats(const struct resolver *resolver);

#endif
