/*
 * Pings that the host asks for, beside the probes: an operator wants to know, now. They make
 * nobody suspect and nobody's health worse. docs/protocol.md section 5, "Pings".
 */
#ifndef SWIM_CORE_PING_H
#define SWIM_CORE_PING_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* An ACK came in: it may be what a ping waits for. */
void ping_hear_ack(struct swim *s, const struct wire_datagram *dg, const struct source *source);
/* TIMER_PING: who has not answered by now will not. */
void ping_expire(struct swim *s);
/* The ping that ended first of those not told yet; its place is free again. */
bool ping_next_event(struct swim *s, struct swim_event *ret);

#endif
