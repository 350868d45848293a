/*
 * Synchronisations being sent: bounded in number, paced, walked without a copy of the table.
 */
#ifndef SWIM_CORE_JOB_H
#define SWIM_CORE_JOB_H

#include "core/claim.h"
#include "core/instance.h"

/* From one datagram of a job to the next, after the first burst, to a peer that reads at its own pace. */
#define JOB_PACE (2 * SWIM_MS)

/* Begins a job towards whom `source` is, about the buckets of `walk`; the caller fills in the rest.
 * NULL when the same is under way already, or when there are too many, to this address or in all
 * (counted). */
struct job *job_start(struct swim *s, enum job_kind kind, const struct source *source,
                      const struct walk *walk);
/* A JOB_MEND of `count` keys, which the caller fills in: job_keys. */
struct job *job_start_keys(struct swim *s, const struct source *source, const struct walk *walk,
                           uint32_t salt, uint32_t count);
/* Of a kind that is under way towards an address. */
bool job_is_under_way(const struct swim *s, enum job_kind kind, const struct swim_addr *to);
uint32_t *job_keys(const struct swim *s, const struct job *job);
/* Writes the next datagram that is due; 0 when none is. */
size_t job_transmit(struct swim *s, struct swim_addr *ret_to, void *buf, size_t cap);

#endif
