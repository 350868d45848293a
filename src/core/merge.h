/*
 * The merge order: what one claim about a member weighs against another. Pure functions.
 * docs/protocol.md section 4.
 *
 * A record is everything the protocol can say of a member at one instant. Records about one id
 * are totally ordered by
 *
 *     (incarnation, is_terminal, heartbeat, severity, address bytes)
 *
 * compared lexicographically as unsigned integers, and merging is taking the greater: a join
 * semilattice, so the order, grouping and repetition of arrivals do not matter. The address
 * comes last, so records with equal keys are equal in content.
 */
#ifndef SWIM_CORE_MERGE_H
#define SWIM_CORE_MERGE_H

#include "base/bytes.h"
#include "base/hash.h"
#include "base/inline.h"
#include "swim/swim.h"

#include <string.h>

struct record {
    uint64_t id;
    uint32_t incarnation;
    uint32_t heartbeat;
    struct swim_addr addr; /* canonical: see addr_fold */
    uint8_t status;        /* enum swim_status */
};

static inline bool is_terminal(uint8_t status)
{
    return status >= SWIM_DEAD;
}

/* Of (incarnation, heartbeat) alone: a member's own clock. */
int merge_compare_clock(const struct record *a, const struct record *b);
/* True when whoever holds `stale` is misled about the view, not only about a heartbeat, and
 * should be told `held`: another incarnation, a death missed, a suspicion already refuted. */
bool merge_misleads(const struct record *stale, const struct record *held);

/* Addresses: order of bytes (family, ip, port); equality; IPv4-mapped IPv6 turned into IPv4. */
int addr_compare(const struct swim_addr *a, const struct swim_addr *b);
static inline bool addr_equal(const struct swim_addr *a, const struct swim_addr *b)
{
    uint64_t ours[2];
    uint64_t theirs[2];

    memcpy(ours, a->ip, sizeof ours);
    memcpy(theirs, b->ip, sizeof theirs);
    return ((ours[0] ^ theirs[0]) | (ours[1] ^ theirs[1])) == 0 && a->port == b->port &&
           a->family == b->family;
}
struct swim_addr addr_fold(const struct swim_addr *addr);
/* False for no address, port 0, the wildcard and multicast: nothing to send a datagram to. */
static inline bool addr_is_usable_v6(const struct swim_addr *addr)
{
    return addr->port != 0 && addr->family == 6 &&
           (load_u64(addr->ip) | load_u64(addr->ip + 8)) != 0 && addr->ip[0] != 0xFF;
}
static inline bool addr_is_usable(const struct swim_addr *addr)
{
    static const uint8_t any[4];

    if (!LIKELY(addr->family == 4))
        return addr_is_usable_v6(addr);
    /* 224.0.0.0 and up: multicast, reserved and broadcast. */
    return addr->port != 0 && memcmp(addr->ip, any, sizeof any) != 0 && addr->ip[0] < 224;
}
/* Goes over the wire, in digests: docs/protocol.md section 8. */
static inline uint64_t addr_hash(const struct swim_addr *addr)
{
    uint64_t h = hash_u64((uint64_t)addr->port << 8 | addr->family);

    h = hash_combine(h, load_u64(addr->ip));
    return LIKELY(addr->family == 4) ? h : hash_combine(h, load_u64(addr->ip + 8));
}

/* What is compared first, and next: two fields each. */
static inline uint64_t merge_life(const struct record *r)
{
    return (uint64_t)r->incarnation << 1 | is_terminal(r->status);
}

static inline uint64_t merge_word(const struct record *r)
{
    return (uint64_t)r->heartbeat << 8 | r->status;
}

/* < 0, 0, > 0 as `a` is below, equal to, or above `b`; the ids are not looked at. Inline: most of what
 * is heard is what is held. */
static inline int merge_compare(const struct record *a, const struct record *b)
{
    if (merge_life(a) != merge_life(b))
        return merge_life(a) < merge_life(b) ? -1 : 1;
    if (merge_word(a) != merge_word(b))
        return merge_word(a) < merge_word(b) ? -1 : 1;
    return addr_equal(&a->addr, &b->addr) ? 0 : addr_compare(&a->addr, &b->addr);
}

/* The greater of the two. */
const struct record *merge_max(const struct record *a, const struct record *b);

#endif
