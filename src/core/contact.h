/*
 * Contacts: addresses to try again, at a low and bounded rate, so that an isolated member and
 * two halves of a cluster find each other without an operator: the seeds, for ever, and the
 * addresses of members that died, for 24 h. docs/protocol.md section 5, "healing".
 */
#ifndef SWIM_CORE_CONTACT_H
#define SWIM_CORE_CONTACT_H

#include "core/instance.h"

/* The next tries come quickly, as for one that is starting: at our own start, and for a new seed. */
void contact_begin_quickly(struct swim *s);
/* A member died at this address; it may come back, or may never have been gone. */
void contact_remember(struct swim *s, const struct swim_addr *addr);
/* The member at this address left of its own will: it is not looked for. */
void contact_drop(struct swim *s, const struct swim_addr *addr);
/* For swim_check: does looking for the address at this place lead there? */
bool contact_is_found(const struct swim *s, uint32_t place);
/* The number of live members may have changed: isolation means trying faster. */
void contact_follow_membership(struct swim *s);
/* Somebody has answered, but is not met yet: the next try comes soon. */
void contact_hurry(struct swim *s);
/* TIMER_HEAL: queues the next attempts. */
void contact_try(struct swim *s);

#endif
