/*
 * Suspicion: a suspect has its time to refute, then it is dead. One timer a suspect, in a heap.
 * SWIM section 4.2; docs/protocol.md section 5.
 */
#ifndef SWIM_CORE_SUSPICION_H
#define SWIM_CORE_SUSPICION_H

#include "core/instance.h"

/* The member at `slot` has just become suspect here; asserted: no timer runs for it. */
void suspicion_start(struct swim *s, uint32_t slot);
/* No effect when none runs. */
void suspicion_cancel(struct swim *s, uint32_t slot);
/* Declares dead whose time is over, at most EXPIRIES_PER_CALL. */
void suspicion_expire(struct swim *s);
/* Host time of the first expiry. */
swim_time suspicion_deadline(const struct swim *s);
/* suspect_timeout * (1 + multiplier * log2 n) + jitter(observer, suspect), in nanoseconds. */
swim_time suspicion_timeout(const struct swim *s, uint64_t suspect_id);

#endif
