/*
 * What the tests of the core share: members made in one line, datagrams made by hand, what a
 * member sends, decoded, and a wire of a fixed delay between several members. Virtual time only.
 *
 * Members and peers are numbered: number n has id n, and address 10.0.0.0 + n or fd00::n.
 */
#ifndef SWIM_TESTS_UNIT_HARNESS_H
#define SWIM_TESTS_UNIT_HARNESS_H

#include "swim/swim.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define START (UINT64_C(1000000) * SWIM_MS) /* where tests begin: not at 0 */

/* Ends the test program with a sentence when `condition` does not hold. */
#define DEMAND(condition) ((condition) ? (void)0 : harness_fail(#condition, __FILE__, __LINE__))
void harness_fail(const char *condition, const char *file, int line);

/* ---- Members ---- */

struct swim_addr addr4(uint32_t number);
struct swim_addr addr6(uint32_t number);
/* Whose address addr4 made. */
uint32_t addr4_number(const struct swim_addr *addr);
/* Defaults, number `number`, at addr4. */
struct swim_config config_of(uint32_t number);
/* As config_of, but all that it does of itself lies an hour away: for tests of one mechanism. */
struct swim_config quiet_config_of(uint32_t number);
/* A member in an arena of its own; member_end checks all invariants and gives it back. */
struct swim *member_begin(const struct swim_config *config, swim_time now);
void member_end(struct swim *s);

/* ---- What a member hears ---- */

/* A SYNC of member `from`, at addr4, with such a BUCKETS record; NULL: without one. */
enum swim_error hear_buckets(struct swim *s, swim_time now, uint32_t from, const uint8_t *value,
                             size_t size);

struct message {
    uint8_t kind;
    uint64_t from;       /* sender's id */
    struct swim_addr at; /* source of the datagram; family 0: addr4(from) */
    uint32_t incarnation;
    uint32_t heartbeat;
    bool plain;    /* else capable */
    bool unproved; /* else whatever `at` has to prove first, it proves (protocol.md section 10) */
    bool request_ack;
    bool has_probe, has_on_behalf, has_view;
    uint32_t probe;
    uint64_t on_behalf;
    uint64_t view_digest;
    uint32_t view_count;
    uint64_t challenge, echo; /* TOKEN, if either is not 0 */
    uint64_t cluster;         /* CLUSTER, if not 0 */
    const struct wire_suspicion *suspicions;
    uint32_t suspicion_count;
    const struct wire_meta_part *metas;
    uint32_t meta_count;
    uint64_t target; /* PING_REQ */
    struct swim_addr target_addr;
    uint16_t chunk, chunks; /* ANTI_ENTROPY */
    const struct wire_entry *entries;
    uint32_t entry_count;
};

size_t message_write(const struct message *message, uint8_t *buf);
enum swim_error hear(struct swim *s, swim_time now, const struct message *message);
/* What `addr` has to repeat at `now`, if somebody with this id is there. */
uint64_t token_for(const struct swim *s, swim_time now, const struct swim_addr *addr, uint64_t id);
/* One entry, in a GOSSIP from number `from`, whose clock never moves. */
void hear_entry(struct swim *s, swim_time now, uint64_t from, struct wire_entry entry);
/* One accusation, at incarnation 0, in a GOSSIP from number `from`, whose clock never moves. */
void hear_accusation(struct swim *s, swim_time now, uint64_t from, uint64_t target,
                     uint64_t accuser);
/* A content, all its parts in GOSSIP datagrams from number `from`, whose clock never moves. */
struct said_meta {
    uint64_t of; /* whose it is */
    uint32_t incarnation, version;
    const struct swim_meta *meta;
};
void hear_meta(struct swim *s, swim_time now, uint64_t from, const struct said_meta *said);
/* Part `number` of it; `content` is filled with the whole. */
struct wire_meta_part part_of(const struct said_meta *said, uint8_t number,
                              uint8_t content[WIRE_META_MAX]);
/* This name, and a tag `key` = `value` unless `key` is NULL. */
struct swim_meta meta_of(const char *name, const char *key, const char *value);
/* An alive entry at addr4(number), clock (0, 0). */
struct wire_entry entry_of(uint32_t number);
/* Number 1 as configured, quietly (quiet_config_of), and the members 2 .. last, of whom it has heard
 * nothing for ten minutes and has nothing to tell. */
struct swim *member_among(const struct swim_config *config, uint32_t last, swim_time *ret_now);
/* The members first .. last, first-hand: an empty GOSSIP from each, clock (0, 0). */
void hear_members(struct swim *s, swim_time now, uint32_t first, uint32_t last);

/* ---- What a member says ---- */

struct sent {
    struct swim_addr to;
    size_t size;
    uint8_t bytes[SWIM_DATAGRAM_MAX];
    struct wire_datagram dg; /* points into bytes: do not copy */
};

/* The next datagram, decoded; false when there is none. */
bool next_sent(struct swim *s, swim_time now, struct sent *ret);
/* The next one of this kind; others before it are thrown away. */
bool next_sent_of(struct swim *s, swim_time now, uint8_t kind, struct sent *ret);
/* Throws away everything. Returns how many datagrams there were. */
uint32_t drain(struct swim *s, swim_time now);
/* The entry about `id` in a datagram, if there is one. */
bool sent_entry(const struct sent *sent, uint64_t id, struct wire_entry *ret);
/* The first part of names and tags of `id` in a datagram, if there is one. */
bool sent_meta(const struct sent *sent, uint64_t id, struct wire_meta_part *ret);
/* Takes all events. */
uint32_t drain_events(struct swim *s);
/* Until no news and no paced datagram is left, or `until`: calls at each deadline, datagrams
 * thrown away. Returns the time then. */
swim_time settle(struct swim *s, swim_time now, swim_time until);
struct swim_stats stats_of(const struct swim *s);
/* -1 when unknown, else enum swim_status. */
int status_of(const struct swim *s, uint64_t id);

/* ---- Several members ---- */

#define NET_MEMBERS_MAX 16
#define NET_DELAY (1 * SWIM_MS)

struct flying {
    swim_time due;
    struct swim_addr from, to;
    size_t size;
    uint8_t bytes[SWIM_DATAGRAM_MAX];
};

/* All datagrams take NET_DELAY; those to where nobody is are lost. */
struct net {
    struct swim *members[NET_MEMBERS_MAX];
    bool cut[NET_MEMBERS_MAX]; /* hears and says nothing */
    uint32_t count;
    swim_time now;
    struct flying *queue;
    uint32_t head, tail, capacity;
    /* Sees each datagram as it is sent; may be NULL. */
    void (*watch)(void *context, uint32_t from, const struct sent *sent);
    void *context;
};

void net_begin(struct net *net, swim_time now);
/* Adds a member, which the net ends. Returns its place. */
uint32_t net_add(struct net *net, const struct swim_config *config);
void net_run(struct net *net, swim_time until);
void net_end(struct net *net);

#endif
