/*
 * Claims: what a datagram says of a member, weighed against what is held and, when it is
 * greater in the merge order, applied, with all that follows from it (timers, news, events).
 * The only file that changes a member's status. docs/protocol.md sections 4 and 5.
 */
#ifndef SWIM_CORE_CLAIM_H
#define SWIM_CORE_CLAIM_H

#include "core/instance.h"
#include "wire/wire.h"

#include <string.h>

/* Who said it, and how what they said is to be treated. */
struct source {
    struct swim_addr addr; /* where the datagram came from: corrections go there */
    uint32_t slot;         /* the sender's, 0 when it is not a member */
    uint64_t id;           /* the sender's */
    uint64_t challenge;    /* what it asks to be repeated, 0: nothing */
    uint32_t size;         /* of the datagram: what an answer may cost where nothing is proved */
    bool is_known;         /* a member, at an address that is its own */
    bool is_proved;        /* somebody is at `addr`: it may be sent what there is to say */
    bool is_answered;      /* the one answer to an address that is not proved is given */
    bool has_echoed;       /* this datagram repeats what was sent to `addr` */
    bool has_echoed_there; /* this datagram repeats what was sent to the address that is held */
    bool is_sync;          /* part of a synchronisation that we asked for */
    bool is_settling;      /* a newcomer's first synchronisation: known to nearly all but us */
    bool is_answer;        /* an ACK: the sender has heard us, or somebody for us */
    bool heard_fresh;      /* the sender's header was news, or at least not stale */
    bool heard_new;        /* the sender was unknown, forgotten, or has restarted */
};

/* The sender itself, by its header: first-hand, once it is admitted (proof.h). Sets slot,
 * heard_fresh and heard_new. */
void claim_hear_sender(struct swim *s, const struct wire_datagram *dg, struct source *source);
/* As claim_next_entry, where what is left, if anything, does not begin with an entry of family 4. */
bool claim_next_other_entry(struct reader *entries, struct record *ret);
/* The next entry of a payload as a record; false at the end. Its fields are stored one by one: a
 * record that is put together elsewhere and copied is loaded by 16 bytes right after it was stored by 8
 * and fewer, which waits until all of them are in the cache. */
static inline bool claim_next_entry(struct reader *entries, struct record *ret)
{
    const uint8_t *at = wire_next_entry4(entries);
    struct wire_entry entry;

    if (!at) {
        struct reader rest = *entries; /* a copy, so that the caller's can be in registers */
        bool is_there = reader_left(&rest) > 0 && claim_next_other_entry(&rest, ret);

        *entries = rest;
        return is_there;
    }
    wire_load_entry4(at, &entry);
    ret->id = entry.id;
    ret->incarnation = entry.incarnation;
    ret->heartbeat = entry.heartbeat;
    memcpy(ret->addr.ip, entry.addr.ip, 8);
    memset(ret->addr.ip + 8, 0, 8);
    ret->addr.port = entry.addr.port;
    ret->addr.family = 4;
    ret->status = entry.status;
    return true;
}

/* What one entry says: second-hand, unless it is the sender's own. */
void claim_hear_entry(struct swim *s, const struct record *heard, struct source *source);
/* This member itself finds another one suspect or dead, or takes an accuser's word for it: a
 * record of our own making, at our own estimate of that member's clock. */
void claim_declare(struct swim *s, uint32_t slot, enum swim_status status);
/* `slot` answers at its address: whoever else was live there is dead. */
void claim_supersede(struct swim *s, uint32_t slot);

#endif
