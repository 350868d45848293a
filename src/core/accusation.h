/*
 * Accusations: which members, by name, found a suspect silent. Each suspect has a dossier of its
 * accusers; independent ones confirm each other, and the more there are, the sooner it is dead.
 * Lifeguard section IV.B ("LHA-Suspicion"); docs/protocol.md sections 5 and 6.
 *
 *     dossier of n7:  n2, n9, n4       2 confirmations beside the first accuser
 *                     |   |   `- sent 0 times so far
 *                     |   `----- sent 3 times
 *                     `--------- sent 12 times: told often enough
 *
 * The first 1 + `confirmations` accusers are remembered and told on, each as often as a piece of
 * news; nobody counts twice. A dossier lives exactly as long as the suspicion it belongs to.
 */
#ifndef SWIM_CORE_ACCUSATION_H
#define SWIM_CORE_ACCUSATION_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* A suspicion of `slot` begins that lasts `longest` without confirmation: an empty dossier, if
 * there is room. */
void accusation_open(struct swim *s, uint32_t slot, swim_time longest);
/* Number of the dossier of `slot`; 0: none, since there was no room, or nobody is suspect there. */
uint32_t accusation_dossier(const struct swim *s, uint32_t slot);
/* The suspicion is over. No effect without a dossier. */
void accusation_close(struct swim *s, uint32_t slot);
/* Names an accuser of a suspect. True when it was not named before, and counts. */
bool accusation_add(struct swim *s, uint32_t slot, uint64_t accuser);
/* What was told of its accusers may have reached nobody: it is told again. */
void accusation_tell_again(struct swim *s, uint32_t slot);
/* How long the suspicion in a dossier lasts in all, with the confirmations that it has. */
swim_time accusation_timeout(const struct dossier *dossier);
/* The SUSPICION record of a datagram: doubts, confirmations, and claims about ourselves. */
void accusation_hear(struct swim *s, const struct wire_datagram *dg, struct source *source);
/* Writes a SUSPICION record of up to `max` accusations, if there are any for this peer, and
 * charges them. Returns how many. */
uint32_t accusation_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                          uint32_t max);

#endif
