/*
 * Suspicion: a suspect has its time to refute, then it is dead. One timer a suspect, in a heap;
 * its accusers (accusation.h) shorten it. SWIM section 4.2; docs/protocol.md section 5.
 */
#ifndef SWIM_CORE_SUSPICION_H
#define SWIM_CORE_SUSPICION_H

#include "core/instance.h"

/* The member at `slot` has just become suspect here; asserted: no timer runs for it. */
void suspicion_start(struct swim *s, uint32_t slot);
/* Asserted: one runs. */
void suspicion_cancel(struct swim *s, uint32_t slot);
/* Declares dead whose time is over, at most EXPIRIES_PER_CALL; postpones them while we are deaf. */
void suspicion_expire(struct swim *s);
/* Others hear us, or we them, again: our doubts, which may have reached nobody, are news again, so
 * that whoever knows better can say so before they end in deaths. At most TELL_AGAIN_MAX. */
void suspicion_tell_again(struct swim *s);
/* Host time of the first expiry. */
swim_time suspicion_deadline(const struct swim *s);
/* The present instant, as the heap's keys count it. */
swim_time suspicion_now(const struct swim *s);
/* The suspect at `slot`, whose accusers are in `dossier`, has another one: its time is shorter. */
void suspicion_hasten(struct swim *s, uint32_t slot, const struct dossier *dossier);
/* A datagram from a member came in. */
void suspicion_note_heard(struct swim *s);
/* With every confirmation that is wanted: suspect_timeout_min * max(1, log10 n). */
swim_time suspicion_timeout_min(const struct swim *s);
/* Without confirmation: suspect_timeout * (1 + multiplier * log2 n) + jitter(observer, suspect), in nanoseconds. */
swim_time suspicion_timeout(const struct swim *s, uint64_t suspect_id);

#endif
