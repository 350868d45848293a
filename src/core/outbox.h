/*
 * The outbox: a bounded queue of intents to send a datagram. What a datagram says is chosen
 * when it is written (transmit.c), so news is never stale and never charged twice.
 */
#ifndef SWIM_CORE_OUTBOX_H
#define SWIM_CORE_OUTBOX_H

#include "core/claim.h"
#include "core/instance.h"

/* Queues a datagram of `kind` to `to`; `slot` is the destination's, or 0. Returns the intent to
 * fill in, valid until the next call into the outbox, or NULL when the outbox is full (counted) or `to` is nowhere. */
struct intent *outbox_push(struct swim *s, uint8_t kind, uint32_t slot, const struct swim_addr *to);
/* The same, in answer to a datagram, to where it came from: once, and no larger than that, where
 * nothing is proved (proof.h); then NULL. */
struct intent *outbox_reply(struct swim *s, uint8_t kind, struct source *source);
/* An ACK as a reply; takes along a correction that waits for the same peer. */
struct intent *outbox_push_ack(struct swim *s, struct source *source, bool is_extended);
/* The oldest intent; false when there is none. */
bool outbox_pop(struct swim *s, struct intent *ret);
void outbox_clear(struct swim *s);

/* Tells the source of a stale claim the better record of `slot`, at most once a gossip interval
 * for each member. */
void outbox_correct(struct swim *s, struct source *source, uint32_t slot);
/* True, once a gossip interval for each member, or for all those that share their last time
 * (CORRECTIONS_MAX); that one use is then charged. */
bool outbox_may_correct(struct swim *s, uint32_t slot);
/* The next correction about `slot` is not held back. */
void outbox_allow_correction(struct swim *s, uint32_t slot);
/* `slot`'s record goes first in this datagram. */
void intent_add_subject(struct intent *intent, uint32_t slot);

#endif
