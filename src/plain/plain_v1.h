/*
 * A model of a plain version-1 peer: what is already deployed elsewhere and cannot be changed.
 * Deliberately naive, with the faults that such implementations were seen to have, and deaf to
 * everything that a plain decoder drops. It shares no code with the core; datagrams are read
 * and written with src/wire, but it decides by itself what it understands.
 */
#ifndef SWIM_PLAIN_PLAIN_V1_H
#define SWIM_PLAIN_PLAIN_V1_H

#include "base/prng.h"
#include "sim/sim.h"
#include "wire/wire.h"

#define PLAIN_MEMBERS_MAX 8192
#define PLAIN_SEEDS_MAX 8
#define PLAIN_OUTBOX_MAX 512
#define PLAIN_SOURCES_MAX 2048
#define PLAIN_ASSEMBLIES_MAX 64
#define PLAIN_CHUNKS_MAX 256

struct plain_member {
    struct wire_entry entry;
    swim_time changed; /* of status */
    swim_time probed;  /* when the open probe began */
    uint8_t probe;     /* 0 none, 1 direct, 2 indirect */
};

/* A token bucket of 50 datagrams a second, 100 at once. */
struct plain_source {
    struct swim_addr addr;
    uint64_t milli_tokens;
    swim_time filled;
};

/* Chunks wait here until all of them have come. */
struct plain_assembly {
    uint64_t sender;
    uint64_t version;
    uint16_t count;
    uint16_t have;
    bool has[PLAIN_CHUNKS_MAX];
    uint32_t entry_count;
    struct wire_entry entries[PLAIN_MEMBERS_MAX];
};

struct plain_packet {
    struct swim_addr to;
    uint16_t size;
    uint8_t data[SWIM_DATAGRAM_MAX];
};

struct plain {
    uint64_t id;
    struct swim_addr addr;
    uint32_t heartbeat;
    uint32_t incarnation;
    struct prng prng;
    swim_time started;
    swim_time next_probe;
    swim_time next_gossip;
    swim_time next_heartbeat;
    swim_time next_sync;
    bool has_left;
    uint64_t table_version;
    struct swim_addr seeds[PLAIN_SEEDS_MAX];
    uint32_t seed_count;
    uint32_t member_count;
    struct plain_member members[PLAIN_MEMBERS_MAX];
    uint32_t source_count;
    struct plain_source sources[PLAIN_SOURCES_MAX];
    struct plain_assembly *assemblies[PLAIN_ASSEMBLIES_MAX];
    uint32_t next_assembly;
    uint32_t outbox_count;
    uint32_t outbox_at;
    struct plain_packet outbox[PLAIN_OUTBOX_MAX];

    /* Until then it may get what was meant for another that sat at its address before. */
    swim_time tolerant_until;
    swim_time now;

    /* What the tests ask for. */
    const char *violation; /* what a peer sent that it must never send here; NULL if nothing */
    uint64_t limited;      /* datagrams dropped by the rate limit of their source */
    uint64_t dropped;      /* that do not decode */
    uint64_t received[7];  /* by kind */
    uint64_t syncs_complete;
};

extern const struct sim_peer_ops plain_ops;

/* On the heap. `now` is on the node's clock: sim_local_time. */
struct plain *plain_new(uint64_t id, const struct swim_addr *addr, uint64_t seed, swim_time now);
void plain_free(struct plain *plain);
void plain_join(struct plain *plain, const struct swim_addr *addr);
/* Says LEAVE to a few members, once, and is deaf and dumb from then on. */
void plain_leave(struct plain *plain);

#endif
