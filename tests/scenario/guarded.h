/*
 * Clusters whose datagrams are protected, or not, in virtual time: members behind src/seal, as
 * docs/protocol.md section 3 has it, or in plaintext. A world records all that is sent, and counts
 * what reaches a victim (attacker.h). The same seed gives the same run, sealing included: entropy
 * comes from the seed, starts from the virtual clock.
 */
#ifndef SWIM_TESTS_GUARDED_H
#define SWIM_TESTS_GUARDED_H

#include "scenario.h"

#include "swim/seal.h"

enum guard_mode { PLAINTEXT, ENVELOPE_1, ENVELOPE_2, GUARD_MODES };
#define FOR_EACH_MODE(mode)                                                                        \
    for (enum guard_mode mode = PLAINTEXT; (int)mode < GUARD_MODES;                                \
         mode = (enum guard_mode)(mode + 1))

#define GUARDS_MAX 16
/* When the virtual clock starts, in milliseconds since 1970. */
#define GUARD_FIRST_START UINT64_C(1700000000000)
#define CLUSTER_KEY 1
#define STRANGE_KEY 2

/* One process: a member, and what seals and opens for it. */
struct guard {
    struct guarded *world;
    uint32_t node;
    struct swim *swim;
    struct swim_seal *seal; /* NULL in plaintext */
    uint64_t start;         /* of its envelopes */
    uint32_t lives;
};

struct captured {
    uint64_t at;
    struct swim_addr from;
    uint32_t to;
    uint16_t size;
    uint8_t data[SWIM_RECEIVE_MAX];
};

struct guarded {
    struct sim *sim;
    enum guard_mode mode;
    struct guard guards[GUARDS_MAX];
    uint32_t count;
    uint8_t keys[SWIM_KEYS_MAX]; /* numbers of the keys that a start loads, the primary one first */
    struct swim_seal *strange;   /* an outsider's, or a former member's */
    struct sim_event *events;
    size_t event_count, event_cap;
    bool is_recording;
    struct captured *tape;
    size_t tape_count, tape_cap;
    /* What the members sent to this address. */
    struct swim_addr victim;
    uint64_t victim_bytes, victim_datagrams, victim_largest;
};

/* ---- Worlds ------------------------------------------------------------------------------ */

/* `count` members, added but not started, each with `members_max` places; prints mode and seed. */
struct guarded *guarded_new(const char *name, enum guard_mode mode, uint32_t count,
                            uint32_t members_max);
/* ... that all know each other, and have for 15 s. */
struct guarded *guarded_settled(const char *name, enum guard_mode mode, uint32_t count);
void guarded_settle(struct guarded *world);
/* Checks all invariants once more and frees the world. */
void guarded_end(struct guarded *world);

/* A further member, which joins the first one. */
void guarded_add(struct guarded *world);
/* ... under this id. */
void guarded_add_as(struct guarded *world, uint64_t id);
/* From nothing but its configuration; it joins number 0 (number 0: number 1, if it has run). */
void guarded_start(struct guarded *world, uint32_t number);
void guarded_crash(struct guarded *world, uint32_t number);
/* With its last incarnation + 1, or under a new id, or (forgetful) as it once began. */
enum restart { RESTART_SAME_ID, RESTART_NEW_ID, RESTART_FORGETFUL };
void guarded_restart(struct guarded *world, uint32_t number, enum restart how);
/* To another address, while it is stopped. */
void guarded_move(struct guarded *world, uint32_t number, const struct swim_addr *addr);
/* Leaves, and stops. */
void guarded_leave(struct guarded *world, uint32_t number);

bool guarded_runs(const struct guarded *world, uint32_t number);
/* The largest datagram that still fits when it is sealed. */
uint32_t guarded_datagram_max(const struct guarded *world);
/* Prints who holds what, and the last events. */
void guarded_show(const struct guarded *world);
const char *mode_name(enum guard_mode mode);
struct swim *member_of(const struct guarded *world, uint32_t number);
uint64_t id_of(const struct guarded *world, uint32_t number);
bool knows(const struct guarded *world, uint32_t observer, uint64_t id, struct swim_member *ret);
/* The sum of a counter over all that run. */
uint64_t counter_of(const struct guarded *world, size_t field_offset);
#define COUNTER(world, name) counter_of((world), offsetof(struct swim_stats, name))
uint64_t seal_drops(const struct guarded *world, enum swim_seal_error error);

/* All that run, and nobody else, are alive to each other at their true addresses. */
bool guarded_converged(const struct sim *sim, const void *world);
uint64_t expect_guarded(struct guarded *world, uint64_t limit_ms);

/* How often members told their hosts so about this id (0: any) since then. */
uint64_t told(const struct guarded *world, enum swim_event_kind kind, uint64_t id, uint64_t since);
/* Nobody that runs was suspected, or declared dead, by anybody since then. */
void expect_trusted(const struct guarded *world, uint64_t since);
/* The same for declared dead only. */
void expect_alive(const struct guarded *world, uint64_t since);

#endif
