/*
 * Synchronisations being sent: bounded in number, paced, walked without a copy of the table.
 */
#ifndef SWIM_CORE_JOB_H
#define SWIM_CORE_JOB_H

#include "core/instance.h"

/* From one datagram of a job to the next, after the first burst, to a peer that reads at its own pace. */
#define JOB_PACE (2 * SWIM_MS)

/* Begins a job towards `to` (`slot`, if it is a member); the caller fills in what it sends.
 * NULL when the same is under way already, or JOBS_MAX are (counted). */
struct job *job_start(struct swim *s, enum job_kind kind, uint32_t slot,
                      const struct swim_addr *to);
/* Writes the next datagram that is due; 0 when none is. */
size_t job_transmit(struct swim *s, struct swim_addr *ret_to, void *buf, size_t cap);

#endif
