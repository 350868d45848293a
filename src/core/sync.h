/*
 * Anti-entropy: what dissemination lost is found by comparing views and mended by exchanging
 * what differs. docs/protocol.md section 8.
 *
 *   PING/ACK between capable peers carry VIEW. Equal: done. Different, though we have been quiet
 *   for longer than dissemination takes:
 *
 *     asker                                   replier
 *       SYNC request: bucket digests  ----->
 *                                     <-----  SYNC reply: which buckets differ, its members there
 *       SYNC return: ours that it     ----->
 *       did not have
 *
 *   Where few of many members differ, the reply is sketches instead: see sync_sketch.h.
 *
 *   A newcomer, and a plain peer every interval, get the whole table in ANTI_ENTROPY chunks.
 */
#ifndef SWIM_CORE_SYNC_H
#define SWIM_CORE_SYNC_H

#include "core/claim.h"
#include "core/instance.h"
#include "wire/wire.h"

/* Live members changed: the periodic push runs while there is a plain one. */
void sync_follow_membership(struct swim *s);
/* A peer's view came in, after its entries were merged. */
void sync_hear_view(struct swim *s, const struct wire_datagram *dg, const struct source *source);
/* A SYNC datagram came in, after its entries were merged. */
void sync_hear(struct swim *s, const struct wire_datagram *dg, const struct source *source);
/* True while what a first synchronisation tells us is known to everybody else. */
bool sync_is_settling(const struct swim *s);
/* The datagram is from whom we asked for a synchronisation last, and not too late for it. */
bool sync_is_in_session(const struct swim *s, const struct wire_datagram *dg);
/* True for a reply to the synchronisation that we asked for. */
bool sync_is_reply(const struct swim *s, const struct wire_datagram *dg);
/* A reply told us of `slot`: nothing to return if it says what we hold. */
void sync_note_equal(struct swim *s, uint32_t slot, const struct record *heard);
/* The whole table goes to a peer, in paced ANTI_ENTROPY chunks. False when it can't for now. */
/* The largest datagram of a synchronisation: as much below 1,200 bytes as datagram_max is below its
 * own largest value. */
uint32_t sync_datagram_max(const struct swim *s);
bool sync_push(struct swim *s, const struct source *source);
/* TIMER_SYNC: pushes to a random plain peer. */
void sync_push_periodic(struct swim *s);
/* Asks `slot` for a synchronisation, unless one was asked for a moment ago. */
void sync_ask(struct swim *s, uint32_t slot);
/* The same, if views have differed for longer than dissemination takes. A round of gossip goes to
 * `slot` anyway: where much is lost, this need not wait for a view to arrive. */
void sync_retry(struct swim *s, uint32_t slot);
/* Asks `slot` without such a wait, unless a reply or a push to us may be under way. */
void sync_mend(struct swim *s, uint32_t slot);
/* Synchronisations can find all that is missing among the living: nobody is plain, nothing full. */
bool sync_can_mend(const struct swim *s);
/* Writes the bucket digests of a SYNC request. */
void sync_write_request(struct swim *s, struct wire_builder *b);
/* Ends everything that is being sent. */
void sync_stop(struct swim *s);
/* How long a change takes to be everywhere, with room to spare. */
swim_time sync_settling_time(const struct swim *s);

/* Host time of the next datagram of any job. */
swim_time sync_deadline(const struct swim *s);
/* The BUCKETS record of a SYNC datagram has a form that sync_hear understands. */
bool sync_is_wellformed(const struct wire_datagram *dg);

/* The value of a BUCKETS record. */
enum sync_phase {
    SYNC_REQUEST = 1,
    SYNC_REPLY = 2,
    SYNC_RETURN = 3,
    /* Of sync_sketch.h. */
    SYNC_SKETCH = 4,
    SYNC_AGAIN = 5,
    SYNC_WANT = 6,
};
#define SYNC_VALUE_HEADER 3 /* phase u8, bits u8, is_last u8 */

/* Bytes of a mask of 2^bits buckets. */
static inline unsigned sync_mask_size(unsigned bits)
{
    return bits < 3 ? 1 : 1u << (bits - 3);
}

#endif
