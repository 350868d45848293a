/*
 * What attackers need: what everybody holds, before and after; a recording, sent again; words in
 * anybody's name, with the key or without; a victim, and what reaches it.
 */
#ifndef SWIM_TESTS_ATTACKER_H
#define SWIM_TESTS_ATTACKER_H

#include "guarded.h"

/* ---- What everybody holds ---------------------------------------------------------------- */

#define PICTURE_MAX 32
struct picture {
    uint64_t digest[GUARDS_MAX];
    uint32_t count[GUARDS_MAX];
    struct swim_member members[GUARDS_MAX][PICTURE_MAX]; /* by id */
    size_t events;
};
/* Tables of all that run: who, in which status and incarnation, where. */
void picture_take(const struct guarded *world, struct picture *ret);
/* The same again; with `is_silent` also no event was told meanwhile. */
void expect_picture(const struct guarded *world, const struct picture *before, bool is_silent);

/* ---- Recordings -------------------------------------------------------------------------- */

/* Sends what was recorded from `begin` to `end`, number `except` left out (SIM_NOBODY: nobody),
 * to whom it was sent, if he runs: from where it came, or, unless `other` is NULL, from there. */
struct replay {
    size_t begin, end;
    const struct swim_addr *other;
    uint32_t only; /* to this number, or SIM_NOBODY: to all */
};
size_t replay(struct guarded *world, const struct replay *replay);

/* ---- Lies -------------------------------------------------------------------------------- */

/* What an attacker can do with the key. */
enum liar {
    OUTSIDER, /* has none: sends plaintext, and envelopes under a key of his own */
    FORMER,   /* has the cluster's first key */
    INSIDER,  /* is a member: seals as number `as` of the cluster does */
};

struct lie {
    enum liar liar;
    uint32_t as;
    struct wire_header header;
    bool is_proved; /* somebody is at its source, and repeats what he was asked there */
    bool is_plain;  /* a plain version-1 sender */
    bool is_padded; /* to the largest size */
    const struct wire_entry *entries;
    size_t count;
    const struct wire_suspicion *suspicions;
    uint32_t suspicion_count;
    uint64_t target; /* PING_REQ */
};
/* Delivered now to `number`, from that address. Returns the bytes sent. */
size_t tell(struct guarded *world, const struct swim_addr *from, uint32_t number,
            const struct lie *lie);
/* To everybody that runs, but number `except`. */
void tell_all(struct guarded *world, const struct swim_addr *from, uint32_t except,
              const struct lie *lie);
/* What this member would honestly say of itself. */
struct wire_header header_of(const struct guarded *world, uint32_t number, uint8_t kind);
/* What `observer` holds of this id. */
struct wire_entry held_by(const struct guarded *world, uint32_t observer, uint64_t id);

/* Counts from now on what members send to this address: the world's victim_* fields. */
void watch_victim(struct guarded *world, const struct swim_addr *victim);

#endif
