/*
 * Limits on what is received: one bucket for all strangers together, one for each address that a
 * member has (not for each id: a sender can call itself anything). A member beyond its own bucket draws on the strangers' one, so that a burst of one
 * member's (a synchronisation) is dropped only when there is no room for it anywhere.
 *
 * Memory is fixed at the start, and used as far as there are members: limiter_fit. A bucket that nobody draws on is full again after a while and then
 * worth nothing: its place is reused.
 */
#ifndef SWIM_AGENT_LIMITER_H
#define SWIM_AGENT_LIMITER_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the strangers' bucket: docs/configuration.md, max_inbound_rate. */
#define LIMITER_STRANGERS_BURST 1000

struct limiter_config {
    uint64_t seed; /* secret: which addresses share places is not for senders to choose */
    uint32_t members_max;
    uint32_t strangers_rate;  /* datagrams a second */
    uint32_t member_capacity; /* datagrams at once */
    uint32_t member_rate;     /* datagrams a second */
};

/* A bucket is kept as the time when it will be full again. */
struct bucket {
    uint64_t key; /* hash of the address; 0: not used yet */
    uint64_t full_at_ns;
};

struct limiter {
    uint64_t strangers_full_at_ns;
    uint64_t strangers_cost_ns;  /* 1 s / rate: what one datagram takes out of a bucket */
    uint64_t strangers_depth_ns; /* capacity * cost */
    uint64_t member_cost_ns;
    uint64_t member_depth_ns;
    uint64_t seed;
    uint64_t limited;         /* datagrams refused */
    uint64_t limited_members; /* those of members among them, whose own bucket was empty too */
    size_t set_mask;          /* sets of buckets in use, a power of two, less one */
    size_t sets_max;          /* as many as members_max need */
    struct bucket *buckets;
};

/* False when there is no memory for the buckets. */
bool limiter_init(struct limiter *limiter, const struct limiter_config *config);
void limiter_done(struct limiter *limiter);
/* New rates and capacity for the buckets as they are; members_max and seed stay. */
void limiter_configure(struct limiter *limiter, const struct limiter_config *config);
/* There are so many members now. When there were never as many, buckets move: what some of them had
 * drawn is forgotten, a few times in a life. */
void limiter_fit(struct limiter *limiter, uint32_t members);
/* True when a datagram from this address of a member's (NULL: a stranger's) may be processed.
 * O(1). */
bool limiter_allows(struct limiter *limiter, const struct swim_addr *member, uint64_t now_ns);

#endif
