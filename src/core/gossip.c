/* Dissemination: see gossip.h. */
#include "core/gossip.h"

#include "core/clock.h"
#include "core/member.h"
#include "core/meta_news.h"
#include "core/outbox.h"
#include "core/proof.h"
#include "core/stranger.h"
#include "core/sync.h"
#include "core/tombstone.h"
#include "core/transmit.h"

enum {
    TARGETS_MAX = 64 * 20,                     /* max_sends times log2 of the largest cluster */
    RUMOUR_SENDS = 4,                          /* of what is probably known: see gossip_rumour */
    RUMOUR_LEVEL = NEWS_LEVELS - RUMOUR_SENDS, /* the last lists are theirs */
    LOOKS_MAX = 128, /* at one list for one datagram: twice what fits into it */
    CROWD = WIRE_PAYLOAD_MAX / WIRE_ENTRY4_SIZE, /* more than this is a crowd of news */
    MEND_ROUNDS = 16,                            /* after it, as long as nobody agrees */
};

/* What n is multiplied by where fan-out is adaptive: ceil(log2 n), at least 1. */
static uint32_t adaptive_factor(const struct swim *s)
{
    uint32_t factor = ceil_log2(cluster_size(s));

    return factor ? factor : 1;
}

uint32_t gossip_fanout(const struct swim *s)
{
    uint32_t fanout = s->config.fanout * (s->config.adaptive_fanout ? adaptive_factor(s) : 1);

    return fanout < CROWD ? fanout : CROWD;
}

uint32_t gossip_targets(const struct swim *s)
{
    uint32_t targets = s->config.max_sends * (s->config.adaptive_targets ? adaptive_factor(s) : 1);

    return targets < s->live_count ? targets : s->live_count;
}

uint32_t gossip_limit(const struct swim *s)
{
    return s->config.retransmit_multiplier * ceil_log2(cluster_size(s) + 1);
}

bool gossip_is_mending(const struct swim *s)
{
    return s->mend_rounds > 0;
}

/* Word of the living that got lost is found by comparing views; that of the dead is not, nor that
 * somebody is doubted, or no longer. */
static uint32_t limit_of(const struct swim *s, uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    uint32_t limit = gossip_limit(s);
    bool is_mended =
        gossip_is_mending(s) && m->record.status == SWIM_ALIVE && !(m->flags & MEMBER_CLEARED);

    return is_mended && limit > GOSSIP_CROWD_SENDS ? GOSSIP_CROWD_SENDS : limit;
}

static bool has_words(const struct swim *s)
{
    return s->news_count > 0 || s->accusations.count > 0 || meta_news_is_due(s);
}

bool gossip_has_news(const struct swim *s)
{
    return has_words(s) || gossip_is_mending(s);
}

void gossip_follow_membership(struct swim *s)
{
    swim_time next = s->last_gossip + ms(s->config.gossip_interval_ms);
    swim_time now = timer_now(s);

    if (!gossip_has_news(s) || s->live_count == 0 || s->leaving)
        timer_stop(s, TIMER_GOSSIP);
    else if (!timer_is_on(s, TIMER_GOSSIP))
        timer_start(s, TIMER_GOSSIP, next > now ? next - now : 0);
}

static void unqueue(struct swim *s, uint32_t slot)
{
    if (!is_linked(news_links(s), slot))
        return;
    list_remove(&s->news[member_at(s, slot)->news_sent], news_links(s), slot);
    s->news_count--;
}

void gossip_withdraw(struct swim *s, uint32_t slot)
{
    unqueue(s, slot);
    gossip_follow_membership(s);
}

/* Queues `slot`'s news as if it had been sent so many times already. */
static void queue(struct swim *s, uint32_t slot, uint32_t sent)
{
    unqueue(s, slot);
    member_at(s, slot)->news_sent = (uint8_t)sent;
    list_push_head(&s->news[sent], news_links(s), slot);
    s->news_count++;
    gossip_follow_membership(s);
}

/* Somebody who lives is news while there is more already than fits into a datagram. */
static void follow_crowd(struct swim *s, uint32_t slot)
{
    if (s->news_count > CROWD && member_at(s, slot)->record.status == SWIM_ALIVE &&
        sync_can_mend(s))
        s->mend_rounds = MEND_ROUNDS;
}

void gossip_agreed(struct swim *s)
{
    if (s->news_count > CROWD)
        return;
    s->mend_rounds = 0;
    gossip_follow_membership(s);
}

void gossip_news(struct swim *s, uint32_t slot)
{
    queue(s, slot, 0);
    follow_crowd(s, slot);
}

void gossip_rumour(struct swim *s, uint32_t slot)
{
    queue(s, slot, gossip_is_mending(s) ? NEWS_LEVELS - 1 : RUMOUR_LEVEL);
    follow_crowd(s, slot);
}

static bool is_among(const uint32_t *slots, uint32_t count, uint32_t slot)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i] == slot)
            return true;
    }
    return false;
}

/* So that a later round can go there: a PING asks the address to prove itself, unless it was asked
 * a moment ago. */
static void introduce(struct swim *s, uint32_t slot)
{
    struct intent *ping;

    if (!proof_is_wanted(s) || stranger_is_expected(s, &member_at(s, slot)->record.addr))
        return;
    ping = outbox_push(s, WIRE_PING, slot, &member_at(s, slot)->record.addr);
    if (!ping)
        return;
    ping->no_news = true;
    stranger_expect(s, &ping->to);
}

/* Those drawn that have not proved their address give way to those that did so lately: while a
 * cluster is new, few have. Returns how many are left. */
static uint32_t replace_unproved(struct swim *s, uint32_t *targets, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!is_proved(member_at(s, targets[i]))) {
            uint32_t other = proof_recent(s);

            introduce(s, targets[i]);
            if (!other || is_among(targets, kept, other))
                continue;
            targets[kept++] = other;
        } else if (!is_among(targets, kept, targets[i])) {
            targets[kept++] = targets[i];
        }
    }
    return kept;
}

/* This round's synchronisation. */
static void mend(struct swim *s, uint32_t slot)
{
    if (!gossip_is_mending(s))
        return;
    s->mend_rounds--;
    if (!sync_can_mend(s))
        s->mend_rounds = 0;
    else if (slot)
        sync_mend(s, slot);
}

void gossip_round(struct swim *s)
{
    uint32_t targets[TARGETS_MAX];
    uint32_t count = has_words(s) ? gossip_targets(s) : 1; /* one to synchronise with */

    timer_stop(s, TIMER_GOSSIP);
    s->last_gossip = timer_now(s);
    if (!gossip_has_news(s) || s->live_count == 0)
        return;
    s->stats.gossip_rounds++;
    count = replace_unproved(s, targets, member_sample_live(s, count, targets));
    for (uint32_t i = 0; i < count; i++) {
        const struct member *m = member_at(s, targets[i]);
        struct intent *intent = outbox_push(s, WIRE_GOSSIP, targets[i], &m->record.addr);

        if (!intent)
            break;
        intent->news_only = true;
    }
    mend(s, count ? targets[0] : 0);
    gossip_follow_membership(s);
}

/* News that this peer can do without: that it is itself alive. */
static bool is_idle_talk(const struct swim *s, const struct intent *intent, uint32_t slot)
{
    const struct member *m = member_at(s, slot);

    return m->record.id == intent->peer_id && m->record.status == SWIM_ALIVE;
}

static bool is_subject(const struct intent *intent, uint32_t slot)
{
    for (uint32_t i = 0; i < intent->subject_count; i++) {
        if (intent->subjects[i] == slot)
            return true;
    }
    return false;
}

/* Nobody is left to be told: said often enough for a cluster that has shrunk meanwhile, a
 * tombstone too old to spread, or a member that is the only other one. */
static bool is_over(const struct swim *s, const struct intent *intent, uint32_t slot,
                    uint32_t level)
{
    return (level >= limit_of(s, slot) && level < RUMOUR_LEVEL) || tombstone_is_fading(s, slot) ||
           (s->live_count == 1 && is_idle_talk(s, intent, slot));
}

/* One transmission more. True when there are more to come. */
static bool charge(struct swim *s, uint32_t slot)
{
    struct member *m = member_at(s, slot);

    uint32_t sent = m->news_sent + 1u;

    unqueue(s, slot);
    if (sent == NEWS_LEVELS || (sent < RUMOUR_LEVEL && sent >= limit_of(s, slot)))
        return false;
    m->news_sent = (uint8_t)sent;
    list_push_tail(&s->news[m->news_sent], news_links(s), slot);
    s->news_count++;
    return true;
}

void gossip_overheard(struct swim *s, uint32_t slot)
{
    if (!is_linked(news_links(s), slot) || member_at(s, slot)->news_sent >= RUMOUR_LEVEL)
        return;
    charge(s, slot);
    gossip_follow_membership(s);
}

/* Writes from the first `looks` of one list. Returns how many went on to the next list. */
static uint32_t write_level(struct swim *s, struct wire_builder *b, const struct intent *intent,
                            uint32_t level, uint32_t looks, uint32_t *left)
{
    uint32_t moved = 0;
    uint32_t slot = s->news[level].head;

    for (; looks && slot && *left; looks--) {
        uint32_t next = news_links(s)[slot].next;

        if (is_over(s, intent, slot, level)) {
            unqueue(s, slot);
        } else if (is_idle_talk(s, intent, slot)) {
            /* Those who could do with it may never prove their addresses: it does not wait for them
             * for ever, and they find it missing when they compare views. */
            if (s->proved_live == 1)
                moved += charge(s, slot);
        } else if (!is_subject(intent, slot)) {
            if (!transmit_put_member(s, b, intent, slot))
                break;
            moved += charge(s, slot);
            --*left;
        }
        slot = next;
    }
    return moved;
}

uint32_t gossip_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                      uint32_t max)
{
    uint32_t left = max;
    uint32_t moved = 0;

    /* What a list has just received from the one before it is not looked at again. */
    for (uint32_t level = 0; level < NEWS_LEVELS && left && s->news_count; level++) {
        uint32_t looks = s->news[level].count - moved;

        moved = write_level(s, b, intent, level, looks < LOOKS_MAX ? looks : LOOKS_MAX, &left);
    }
    gossip_follow_membership(s);
    return max - left;
}
