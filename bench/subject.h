/* A member whose table has n members in it, for benchmarks of what it costs to be one. */
#ifndef SWIM_BENCH_SUBJECT_H
#define SWIM_BENCH_SUBJECT_H

#include "base/prng.h"
#include "swim/swim.h"
#include "wire/wire.h"

#include <stdint.h>

#define SUBJECT_ENTRIES 57u /* of a full GOSSIP datagram, with room for an extension's VIEW */
/* What a known member needs of the arena: for limits. */
#define SUBJECT_MEMBER_BYTES 160u

struct subject_datagram {
    struct swim_addr from;
    size_t size;
    uint8_t bytes[SWIM_DATAGRAM_MAX];
};

struct subject {
    struct swim *s;
    void *arena;
    size_t size;
    swim_time now;
    uint32_t members; /* ids 1 .. members, this one's is 1 */
    uint32_t turn;
    struct prng prng;
    struct subject_datagram *queue; /* made beforehand */
    uint32_t queue_size;
};

/* A table that knows nobody but member 2, who has proved its address. */
struct subject *subject_new(uint32_t members);
void subject_free(void *subject);
/* Back to that. */
void subject_restart(struct subject *subject);
/* Everybody is known and has proved its address; nothing is left to tell. */
void subject_fill(struct subject *subject);
/* Nothing is left to tell. */
void subject_calm(struct subject *subject);

struct swim_addr subject_address(uint32_t member);
/* The queue becomes GOSSIP datagrams of member 2 about first .. last. */
void subject_queue(struct subject *subject, uint32_t first, uint32_t last, uint32_t heartbeat);
/* The same, one entry in each. */
void subject_queue_singly(struct subject *subject, uint32_t first, uint32_t last);
/* The queue becomes PINGs of random members who agree with our view. */
void subject_queue_pings(struct subject *subject, uint32_t count);
/* The queue becomes GOSSIP of random members about random members, of whom nothing is new. */
void subject_queue_random(struct subject *subject, uint32_t count, uint32_t entries);
void subject_hear_queue(struct subject *subject);
void subject_hear(struct subject *subject, const struct subject_datagram *datagram);
/* Takes what there is to be sent, and events. Returns how many datagrams. */
uint32_t subject_drain(struct subject *subject);

#endif
