/*
 * A program for the simulator that is no member of anything: it sends numbered datagrams at
 * regular times and notes what it is sent. Faults of the network can be measured with it alone.
 */
#ifndef SWIM_TESTS_BEEPER_H
#define SWIM_TESTS_BEEPER_H

#include "scenario.h"

#define ARRIVALS_MAX 20000

struct arrival {
    uint64_t at; /* local time */
    uint32_t number;
    size_t size;
    bool is_intact;
    struct swim_addr from;
};

struct beeper {
    struct swim_addr to;  /* set before it is started, like all of these */
    uint32_t count;       /* datagrams to send */
    uint64_t interval_ns; /* between one and the next; the first goes at once */
    uint32_t burst;       /* ... so many at a time */
    size_t size;          /* of each, 16 at least */
    bool is_echo;         /* sends back what it gets, instead */

    uint32_t sent;
    uint64_t next; /* local time of the next */
    uint32_t echoes;
    struct swim_addr echo_to;
    uint64_t last_advance; /* local time */
    uint32_t arrival_count;
    struct arrival arrivals[ARRIVALS_MAX];
};

extern const struct sim_peer_ops beeper_ops;

/* On the heap; free() it after the world. Sends `count` datagrams of 100 bytes to `to`, one every
 * `interval_ns`. */
struct beeper *beeper_new(const struct swim_addr *to, uint32_t count, uint64_t interval_ns);
void beeper_start(struct sim *sim, uint32_t node, struct beeper *beeper);

/* A world of that many nodes, in which node 0 beeps at node 1, where a silent one listens. */
struct duo {
    struct sim *sim;
    struct beeper *sender;
    struct beeper *receiver;
};
/* `net` may be NULL: a constant delay of one millisecond. Nothing is started yet. */
struct duo duo_new(const char *name, const struct sim_net *net, uint32_t count,
                   uint64_t interval_ns);
void duo_start(struct duo *duo);
/* Checks that the ledger balances and frees everything. */
void duo_end(struct duo *duo);
/* When a datagram was on its way so long: from its number, by true time. */
uint64_t duo_delay(const struct duo *duo, uint32_t arrival);

uint64_t ledger_dropped(const struct sim *sim, enum sim_drop drop);
/* The sum of all reasons but that one is 0. */
void expect_dropped_only(const struct sim *sim, enum sim_drop drop);

#endif
