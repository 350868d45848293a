/*
 * Reliable delivery (REQUEST_ACK, retries) and the graceful leave that is made of it.
 * docs/protocol.md section 9.
 */
#ifndef SWIM_CORE_RELIABLE_H
#define SWIM_CORE_RELIABLE_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* An ACK without a probe's sequence number: it may be the one that an announcement waits for. */
void reliable_hear_ack(struct swim *s, const struct wire_datagram *dg);
/* TIMER_RELIABLE: sends again what is overdue, or gives it up. */
void reliable_expire(struct swim *s);
/* LEAVE from `source`: it has left, unless the word is older than what we know. */
void leave_hear(struct swim *s, const struct wire_datagram *dg, struct source *source);

#endif
