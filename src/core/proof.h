/*
 * Proof of address: whose datagrams are heard, and what may be sent where. A member is heard from
 * where it is held to be; anybody else, and anybody at another address, only once something there
 * has repeated what we sent there, a token that nobody else can know. Nothing is kept of those who
 * have not: a stranger costs no memory. docs/protocol.md section 10.
 *
 *     stranger                              we
 *        PING, with room for the answer  -->     nothing is heard, nothing kept
 *                                        <--  ACK: TOKEN(challenge c, echo 0)
 *        PING: TOKEN(challenge d, echo c) -->    proved: heard from here on
 *                                        <--  ACK: TOKEN(0, echo d), then all there is to tell
 */
#ifndef SWIM_CORE_PROOF_H
#define SWIM_CORE_PROOF_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

void proof_init(struct swim *s);

/* What `addr` is asked to repeat, by somebody with this id, now. Never 0. */
uint64_t proof_token(const struct swim *s, const struct swim_addr *addr, uint64_t id);

/* A hash of an address that senders can't predict, the same for as long as the instance lives. */
uint64_t proof_place(const struct swim *s, const struct swim_addr *addr);

/* True when the datagram's sender is heard at all. Fills in source's id, slot, size and proof. With
 * `is_repeatable` only an answer to what we asked since our start is. */
bool proof_admits(struct swim *s, const struct wire_datagram *dg, struct source *source,
                  bool is_repeatable);
/* True when the sender's own clock says that this was written long ago, or in an earlier life of
 * its: a repetition, most likely. What it says of others is not heard then. Asked before the header
 * is heard. */
bool proof_is_late(const struct swim *s, const struct wire_datagram *dg,
                   const struct source *source);
/* The sender was admitted and is now held in source->slot: what it has proved is remembered. */
void proof_note(struct swim *s, const struct source *source);
/* The member is at another address, or a new one: nothing is proved. */
void proof_forget(struct swim *s, uint32_t slot);

/* True while few peers have proved their addresses, and it is worth a datagram to have one more do
 * so; the others do in passing, by the probes of a cycle. */
bool proof_is_wanted(const struct swim *s);
/* A peer at random among those that have proved their addresses lately; 0 if none is found. */
uint32_t proof_recent(struct swim *s);

/* True when `slot` is held at an address that has proved itself, and `to` is that address. */
bool proof_covers(const struct swim *s, uint32_t slot, const struct swim_addr *to);

#endif
