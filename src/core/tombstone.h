/*
 * Tombstones: members that died or left are kept for dead_retention_ms, then forgotten, and the
 * forgetting is remembered for as long again. docs/protocol.md section 5, "no zombies".
 */
#ifndef SWIM_CORE_TOMBSTONE_H
#define SWIM_CORE_TOMBSTONE_H

#include "core/instance.h"

/* `slot` has become dead or left: its retention starts. Asserted: it is not buried already. */
void tombstone_bury(struct swim *s, uint32_t slot);
/* `slot` is about to change: it comes out of its grave, before member_set. No effect when it is
 * in none. */
void tombstone_raise(struct swim *s, uint32_t slot);
/* The forgotten member at `slot` was heard of: it is remembered for a retention from now. */
void tombstone_refresh(struct swim *s, uint32_t slot);
/* Forgets, and frees, whose time is over: at most EXPIRIES_PER_CALL. */
void tombstone_expire(struct swim *s);
/* Frees the slot of the longest forgotten, or else of the longest dead; false if there is none,
 * or if the host has yet to hear of it. */
bool tombstone_evict(struct swim *s);
/* True in the second half of the retention: no longer spread as news, so that it can't arrive
 * where it has been forgotten already. */
bool tombstone_is_fading(const struct swim *s, uint32_t slot);
swim_time tombstone_deadline(const struct swim *s);

#endif
