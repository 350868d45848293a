/*
 * Strangers: those who are not heard, because they are unknown, or not where they are held to be,
 * and have not proved their address (proof.h). They are answered, with no more bytes than they
 * sent, so that they can prove it, and so that nobody can make us send to somebody else more than
 * he sends himself. docs/protocol.md section 10.
 */
#ifndef SWIM_CORE_STRANGER_H
#define SWIM_CORE_STRANGER_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* SWIM_OK unless the sender's cluster is known to be another one: then the datagram is dropped,
 * and a capable sender that asks is told why. */
enum swim_error stranger_check_cluster(struct swim *s, const struct wire_datagram *dg,
                                       struct source *source);
/* Answers a datagram that is not heard. */
void stranger_answer(struct swim *s, const struct wire_datagram *dg, struct source *source);

/* `addr` is sent a PING by our own choice: an ACK from there is no surprise, for a while. */
void stranger_expect(struct swim *s, const struct swim_addr *addr);
/* What this PING to a bare address has to repeat, if somebody there asked lately: then it is as
 * good as an answer to that. */
void stranger_recall(struct swim *s, struct intent *ping);
/* True, twice for each time that it was: an answer to an answer from there may be sent, and nobody
 * can go on so for ever. */
bool stranger_may_reply(struct swim *s, const struct source *source);
/* We leave: those that we have just repeated a challenge to may know us already, and we not them.
 * They are told, once, and nobody waits for an answer. */
void stranger_tell_leave(struct swim *s);
bool stranger_is_expected(const struct swim *s, const struct swim_addr *addr);

#endif
