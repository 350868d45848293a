/*
 * Synchronising by sketches: what differs is found by exchanging a few bytes for each member that
 * differs, instead of whole buckets. docs/protocol.md section 8.
 *
 *     asker                                      replier
 *       request: bucket digests          ----->    (sync.c) so many differ
 *                                        <-----  sketches: of the keys of the members there
 *       want: keys that we lack, and     ----->
 *       our members that it lacks
 *       again: what can't be told        ----->
 *                                        <-----  members of those keys; sketches with more cells,
 *                                                or, at last, whole buckets
 *
 * Each datagram stands for itself: nothing is put together, and what is lost costs itself alone.
 */
#ifndef SWIM_CORE_SYNC_SKETCH_H
#define SWIM_CORE_SYNC_SKETCH_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* What a member is, in 32 bits. Members that differ in what the view's digest covers have, by all
 * odds, different ones; another salt makes other keys. */
uint32_t sync_key(const struct swim *s, uint32_t slot, uint32_t salt);

/* Answers a request that these buckets differ from: by sketches if they are small
 * enough, else by whole buckets. `density` is cells of sketches per bucket, times 16. */
void sync_reply(struct swim *s, const struct source *source, const struct walk *differ,
                uint32_t density);
/* The density for `different` of 2^bits buckets that differ, between tables whose numbers of live
 * members are `gap` apart. Asserted: different > 0. */
uint32_t sync_density(uint32_t different, unsigned bits, uint32_t gap);

/* Well-formed SYNC datagrams of these phases, after their entries were merged. */
void sync_hear_sketch(struct swim *s, const struct wire_datagram *dg, const struct source *source);
void sync_hear_again(struct swim *s, const struct wire_datagram *dg, const struct source *source);
void sync_hear_want(struct swim *s, const struct wire_datagram *dg, const struct source *source);
/* Their size is right, header and mask included; `bits` is. */
bool sync_is_sketch_size(uint8_t phase, unsigned bits, uint32_t size);

/* The BUCKETS record of the job's next datagram: JOB_SKETCH, JOB_AGAIN, and the first one of a
 * JOB_MEND that wants something. True when it was the job's last. */
bool sync_write_sketch(struct swim *s, struct wire_builder *b, struct job *job);
bool sync_write_again(struct wire_builder *b, const struct job *job);
void sync_write_want(struct swim *s, struct wire_builder *b, const struct job *job);
/* The member is one of those that a JOB_MEND sends. */
bool sync_is_mended(const struct swim *s, const struct job *job, uint32_t slot);

#endif
