/*
 * Failure detection: one member probed a round, directly, then through intermediaries; suspect
 * when nothing shows that it heard us. SWIM sections 3.1 and 4.3; docs/protocol.md section 5.
 *
 *     round start          + timeout                         + interval = next round
 *     PING ................. PING_REQ x k ................... suspect
 *          ACK: answered           relayed ACK: answered
 */
#ifndef SWIM_CORE_PROBE_H
#define SWIM_CORE_PROBE_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* Rounds run while somebody else is live. */
void probe_follow_membership(struct swim *s);
/* TIMER_ROUND: concludes the last probe and begins the next. */
void probe_round(struct swim *s);
/* TIMER_PROBE: no direct answer in time; asks intermediaries. */
void probe_timeout(struct swim *s);
/* The probe under way, if any, ends without a conclusion. */
void probe_abandon(struct swim *s);
/* An ACK came in: it may be evidence. */
void probe_hear_ack(struct swim *s, const struct wire_datagram *dg, const struct source *source);
/* A NACK came in: an intermediary is there, but the target does not answer it either. */
void probe_hear_nack(struct swim *s, const struct wire_datagram *dg);
/* An entry about the target, while intermediaries are asked: a plain one's word may be evidence. */
void probe_hear_word(struct swim *s, const struct record *heard, const struct source *source);
static inline void probe_hear_entry(struct swim *s, const struct record *heard,
                                    const struct source *source)
{
    if (s->probe.phase == PROBE_INDIRECT && heard->id == s->probe.target_id)
        probe_hear_word(s, heard, source);
}

/* True while a probe is under way to this address. */
bool probe_is_at(const struct swim *s, const struct swim_addr *addr);
/* True when this is an answer, the target's own or a relayed one, to the probe under way: nobody
 * could have written it before. */
bool probe_is_answer(const struct swim *s, const struct wire_datagram *dg);

#endif
