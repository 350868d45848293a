/* Dissemination: see gossip.h. */
#include "core/gossip.h"

#include "base/inline.h"
#include "core/clock.h"
#include "core/live.h"
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

    return targets < live_count(s) ? targets : live_count(s);
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
static bool is_mended(const struct member *m)
{
    return m->record.status == SWIM_ALIVE && !(m->flags & MEMBER_CLEARED);
}

/* How often those are told who are mended while views mend. */
static uint32_t mended_limit(const struct swim *s)
{
    uint32_t limit = gossip_limit(s);

    return gossip_is_mending(s) && limit > GOSSIP_CROWD_SENDS ? GOSSIP_CROWD_SENDS : limit;
}

static uint32_t limit_of(const struct swim *s, uint32_t slot)
{
    return is_mended(member_at(s, slot)) ? mended_limit(s) : gossip_limit(s);
}

/* The list that news is in after one transmission more; NEWS_LEVELS: in none, that was the last. */
static uint32_t level_after(uint32_t level, uint32_t limit)
{
    uint32_t sent = level + 1u;

    return sent < RUMOUR_LEVEL && sent >= limit ? NEWS_LEVELS : sent;
}

static bool has_words(const struct swim *s)
{
    return s->news_count > 0 || s->accusations.count > 0 || meta_news_is_due(s);
}

bool gossip_has_news(const struct swim *s)
{
    return has_words(s) || gossip_is_mending(s);
}

static void start_rounds(struct swim *s)
{
    swim_time next = s->last_gossip + ms(s->config.gossip_interval_ms);
    swim_time now = timer_now(s);

    timer_start(s, TIMER_GOSSIP, next > now ? next - now : 0);
}

void gossip_follow_membership(struct swim *s)
{
    if (!gossip_has_news(s) || live_count(s) == 0 || s->leaving)
        timer_stop(s, TIMER_GOSSIP);
    else if (!timer_is_on(s, TIMER_GOSSIP))
        start_rounds(s);
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

/* There is more to do than to queue: the first news starts the rounds, and somebody who lives is news
 * while there is more already than fits into a datagram. */
NOINLINE static void follow_news(struct swim *s, uint32_t slot)
{
    gossip_follow_membership(s);
    if (s->news_count > CROWD && member_at(s, slot)->record.status == SWIM_ALIVE &&
        sync_can_mend(s))
        s->mend_rounds = MEND_ROUNDS;
}

/* Queues `slot`'s news, which is in no list, as if it had been sent so many times already. */
static inline void queue(struct swim *s, uint32_t slot, uint32_t sent)
{
    member_at(s, slot)->news_sent = (uint8_t)sent;
    list_push_head(&s->news[sent], news_links(s), slot);
    s->news_count++;
    if (!timer_is_on(s, TIMER_GOSSIP) || live_count(s) == 0 ||
        (s->news_count > CROWD && s->mend_rounds < MEND_ROUNDS))
        follow_news(s, slot);
}

NOINLINE static void queue_again(struct swim *s, uint32_t slot, uint32_t sent)
{
    unqueue(s, slot);
    queue(s, slot, sent);
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
    if (is_linked(news_links(s), slot))
        queue_again(s, slot, 0);
    else
        queue(s, slot, 0);
}

void gossip_rumour(struct swim *s, uint32_t slot)
{
    uint32_t sent = gossip_is_mending(s) ? NEWS_LEVELS - 1 : RUMOUR_LEVEL;

    if (is_linked(news_links(s), slot))
        queue_again(s, slot, sent);
    else
        queue(s, slot, sent);
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

/* A round that comes late by as long as its interval goes to half as many, by three intervals to a
 * quarter. Who is called late has more to do than it can, and so have, where many share a machine,
 * those that it would tell: as rounds are rarer, too, what it says falls by the square of that. Said
 * at the usual rate, the doubts that lateness brings about would bring about more of it. */
static uint32_t affordable(const struct swim *s, uint32_t targets)
{
    swim_time interval = ms(s->config.gossip_interval_ms);
    swim_time late = timer_now(s) - s->timers[TIMER_GOSSIP];

    return (uint32_t)((targets * interval + interval + late - 1) / (interval + late));
}

void gossip_round(struct swim *s)
{
    uint32_t targets[TARGETS_MAX];
    uint32_t count = has_words(s) ? affordable(s, gossip_targets(s)) : 1; /* to synchronise with */

    timer_stop(s, TIMER_GOSSIP);
    s->last_gossip = timer_now(s);
    if (!gossip_has_news(s) || live_count(s) == 0)
        return;
    s->stats.gossip_rounds++;
    count = replace_unproved(s, targets, live_sample(s, count, targets));
    for (uint32_t i = 0; i < count; i++) {
        const struct member *m = member_at(s, targets[i]);
        struct intent *intent = outbox_push(s, WIRE_GOSSIP, targets[i], &m->record.addr);

        if (!intent)
            break;
        intent->news_only = true;
    }
    mend(s, count ? targets[0] : 0);
    if (count)
        sync_retry(s, targets[0]);
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

/* One transmission more. True when there are more to come. */
static bool charge(struct swim *s, uint32_t slot)
{
    struct member *m = member_at(s, slot);
    uint32_t level = level_after(m->news_sent, limit_of(s, slot));

    unqueue(s, slot);
    if (level >= NEWS_LEVELS)
        return false;
    m->news_sent = (uint8_t)level;
    list_push_tail(&s->news[level], news_links(s), slot);
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

/* ---- What a datagram takes along ---- */

struct telling {
    struct swim *s;
    struct wire_builder *b;
    const struct intent *intent;
    uint32_t limit;        /* gossip_limit */
    uint32_t mended_limit; /* mended_limit */
    uint32_t left;         /* entries that may still go */
    uint32_t level;        /* the list that is looked at */
    uint32_t moved;        /* of it, to the next one */
    struct list run;       /* of those told from it, neighbours that have yet to be moved on */
    uint32_t run_level;    /* to this list */
};

/* Nobody is left to be told: said often enough for a cluster that has shrunk meanwhile, a
 * tombstone too old to spread, or a member that is the only other one. */
static bool is_over(const struct telling *t, uint32_t slot, uint32_t limit)
{
    bool is_buried = is_terminal(member_at(t->s, slot)->record.status);

    return (t->level >= limit && t->level < RUMOUR_LEVEL) ||
           (is_buried && tombstone_is_fading(t->s, slot)) ||
           (live_count(t->s) == 1 && is_idle_talk(t->s, t->intent, slot));
}

static void end_run(struct telling *t)
{
    const struct list run = t->run;

    if (run.count)
        list_move_run(&t->s->news[t->level], &t->s->news[t->run_level], news_links(t->s), &run);
    t->run.count = 0;
}

/* `slot` was told. It goes on to its next list, in the end (end_run) in one movement with those before
 * it in this one: of most of them no link changes. */
static void move_on(struct telling *t, uint32_t slot, uint32_t limit)
{
    uint32_t level = level_after(t->level, limit);

    t->left--;
    if (level >= NEWS_LEVELS) {
        unqueue(t->s, slot);
        return;
    }
    member_at(t->s, slot)->news_sent = (uint8_t)level;
    t->run_level = level;
    t->run.head = t->run.count ? t->run.head : slot;
    t->run.tail = slot;
    t->run.count++;
    t->moved++;
}

/* `slot` stays where it is, so that no run goes on behind it. But those to whom idle talk would be news
 * may never prove their addresses: it does not wait for them for ever, and they find it missing when
 * they compare views. */
static void pass_over(struct telling *t, uint32_t slot)
{
    end_run(t);
    if (t->s->proved_live == 1 && is_idle_talk(t->s, t->intent, slot))
        t->moved += charge(t->s, slot);
}

/* Writes from the first `looks` of one list. */
static void write_level(struct telling *t, uint32_t looks)
{
    struct swim *s = t->s;
    uint32_t slot = s->news[t->level].head;

    for (; looks && slot && t->left; looks--) {
        uint32_t next = news_links(s)[slot].next;
        uint32_t limit = is_mended(member_at(s, slot)) ? t->mended_limit : t->limit;

        if (is_over(t, slot, limit))
            unqueue(s, slot);
        else if (is_idle_talk(s, t->intent, slot) || is_subject(t->intent, slot))
            pass_over(t, slot);
        else if (transmit_put_member(s, t->b, t->intent, slot))
            move_on(t, slot, limit);
        else
            break;
        slot = next;
    }
    end_run(t);
}

uint32_t gossip_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                      uint32_t max)
{
    struct telling t = {.s = s,
                        .b = b,
                        .intent = intent,
                        .limit = gossip_limit(s),
                        .mended_limit = mended_limit(s),
                        .left = max};
    uint32_t unseen = s->news_count;

    for (; t.level < NEWS_LEVELS && t.left && unseen; t.level++) {
        /* What a list has just received from the one before it is not looked at again. */
        uint32_t looks = s->news[t.level].count - t.moved;

        unseen -= looks;
        t.moved = 0;
        if (looks)
            write_level(&t, looks < LOOKS_MAX ? looks : LOOKS_MAX);
    }
    gossip_follow_membership(s);
    return max - t.left;
}
