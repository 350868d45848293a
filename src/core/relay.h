/*
 * Indirect probes made for other members: PING_REQ in, PING to the target, and the target's ACK
 * relayed to the requester. SWIM section 3.1; docs/protocol.md section 5.
 */
#ifndef SWIM_CORE_RELAY_H
#define SWIM_CORE_RELAY_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* A member asks us to probe another; ignored unless both are members. */
void relay_hear_request(struct swim *s, const struct wire_datagram *dg, struct source *source);
/* TIMER_RELAY: tells requesters that their targets have been silent for so long. */
void relay_nack(struct swim *s);
/* An ACK came in: passed on to whoever asked for it. */
void relay_hear_ack(struct swim *s, const struct wire_datagram *dg, const struct source *source);

#endif
