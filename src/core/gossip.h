/*
 * Dissemination: one slot of news a member, sent lambda * ceil(log2(n+1)) times at most,
 * fewest-sent first. SWIM sections 4.1 and 5; docs/protocol.md section 7.
 *
 *     news[0]  never sent, freshest first       -> 9 -> 4
 *     news[1]  sent once, least recently first  -> 7
 *     ...
 *     news[252] .. news[255]                    rumours, see below
 */
#ifndef SWIM_CORE_GOSSIP_H
#define SWIM_CORE_GOSSIP_H

#include "core/instance.h"
#include "wire/wire.h"

/* The state of `slot` has changed: its news starts again from no transmission. */
void gossip_news(struct swim *s, uint32_t slot);
/* What a newcomer's first synchronisation tells is known to nearly everybody: it is sent four
 * times only, after all else. Not at all would starve a cluster that starts at once, where few
 * know much; as often as news would
 * cost the whole table, log n times over, for every joiner. */
void gossip_rumour(struct swim *s, uint32_t slot);
/* A third party tells us of `slot` what we know already: that counts like a transmission of ours,
 * so that all stop the sooner the more have heard, and go on where much is lost. */
void gossip_overheard(struct swim *s, uint32_t slot);
/* Views are being mended: more was news at once than fits into a datagram, and who can synchronise
 * need not be told all of it. Each piece about the living is sent twice, and each round asks for a
 * synchronisation, until a view equals ours, or for 16 rounds. Names and tags likewise. */
enum { GOSSIP_CROWD_SENDS = 2 };
bool gossip_is_mending(const struct swim *s);
/* A peer's view equals ours: the mending is over, unless as much is news as began it. */
void gossip_agreed(struct swim *s);
/* Is there anything to do: news of members, accusations, names and tags, views to mend? */
bool gossip_has_news(const struct swim *s);
/* There is nothing more to say about `slot`. */
void gossip_withdraw(struct swim *s, uint32_t slot);
/* The number of live members may have changed: the timer runs while there is news and a peer. */
void gossip_follow_membership(struct swim *s);
/* TIMER_GOSSIP: queues this round's datagrams. */
void gossip_round(struct swim *s);
/* Writes up to `max` news entries into a datagram for `intent`, as many as fit, and charges
 * them. Returns how many. */
uint32_t gossip_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                      uint32_t max);
/* Entries that a GOSSIP datagram takes, peers that a round takes, times that news is sent. */
uint32_t gossip_fanout(const struct swim *s);
uint32_t gossip_targets(const struct swim *s);
uint32_t gossip_limit(const struct swim *s);

#endif
