/* Suspicion timers: see suspicion.h. */
#include "core/suspicion.h"

#include "base/fixed.h"
#include "base/hash.h"
#include "core/accusation.h"
#include "core/claim.h"
#include "core/clock.h"
#include "core/gossip.h"
#include "core/member.h"
#include "core/suspects.h"

enum {
    SILENCE_ROUNDS = 4, /* probe intervals without a word from anybody: two members that reach each
                           other, and a third one that is dead, speak at least every three */
    HEALTH_BAD = 3,     /* one probe that neither its target nor two intermediaries answered */
    DEAF_TIMES = 6,     /* the longest time of a suspicion in one silence, in times without
                       confirmation; and twice that in all */
};

swim_time suspicion_timeout(const struct swim *s, uint64_t suspect_id)
{
    const struct swim_config *c = &s->config;
    uint64_t factor = ((uint64_t)c->suspect_multiplier_milli * log2_q16(cluster_size(s))) >> 16;
    swim_time timeout = c->suspect_timeout_ms * (1000 + factor) * (SWIM_MS / 1000);
    swim_time jitter = ms(c->suspect_jitter_ms);

    if (jitter)
        timeout += hash_combine(hash_u64(c->id), suspect_id) % jitter;
    return timeout;
}

swim_time suspicion_timeout_min(const struct swim *s)
{
    uint64_t decades = ((uint64_t)log2_q16(cluster_size(s)) << 16) / LOG2_Q16_OF_10;
    swim_time timeout = ms(s->config.suspect_timeout_min_ms);

    return decades <= 1 << 16 ? timeout : timeout / 1000 * decades / (1 << 16) * 1000;
}

swim_time suspicion_now(const struct swim *s)
{
    return timer_now(s) - s->suspicion_shift;
}

void suspicion_start(struct swim *s, uint32_t slot)
{
    swim_time longest = suspicion_timeout(s, member_at(s, slot)->record.id);

    suspects_add(s, slot, suspicion_now(s) + longest);
    accusation_open(s, slot, longest);
}

void suspicion_hasten(struct swim *s, uint32_t slot, const struct dossier *dossier)
{
    swim_time due = dossier->started + accusation_timeout(dossier);
    swim_time now = suspicion_now(s);

    /* Now at the earliest: a deadline in the past would read as a pause of our own. */
    suspects_set_due(s, slot, due > now ? due : now);
}

void suspicion_cancel(struct swim *s, uint32_t slot)
{
    suspects_remove(s, slot);
    accusation_close(s, slot);
}

swim_time suspicion_deadline(const struct swim *s)
{
    if (s->suspect_count == 0)
        return SWIM_NEVER;
    return timer_to_host(s, suspects_due(s, suspects_at(s, 1)) + s->suspicion_shift);
}

void suspicion_tell_again(struct swim *s)
{
    uint32_t count = s->suspect_count < TELL_AGAIN_MAX ? s->suspect_count : TELL_AGAIN_MAX;

    for (uint32_t i = 1; i <= count; i++) {
        uint32_t slot = suspects_at(s, i);

        gossip_news(s, slot);
        accusation_tell_again(s, slot);
    }
}

static bool is_silent(const struct swim *s)
{
    return s->now - s->last_heard > ms(s->config.probe_interval_ms) * SILENCE_ROUNDS;
}

/* A verdict needs a witness that could have spoken for the suspect. While we hear nobody at all,
 * though there is somebody left whom we do not doubt, the fault is ours. After such a silence the
 * suspect gets the shortest time there is, in which others are heard: of a moment between two
 * silences, most of what was sent is lost. But nobody is doubted for ever. */
static bool is_deaf(const struct swim *s, uint32_t slot)
{
    uint32_t index = accusation_dossier(s, slot);
    const struct dossier *d = &dossiers_of(s)[index];
    swim_time age = suspicion_now(s) - d->started;
    swim_time silence = s->now - s->last_heard;

    if (!s->config.local_health || !index || age >= 2 * DEAF_TIMES * d->longest)
        return false;
    if (is_silent(s))
        return alive_count(s) > 0 && (age < silence ? age : silence) < DEAF_TIMES * d->longest;
    return s->last_heard - s->hearing_since < d->shortest;
}

/* More than half of all that are known are doubted or dead: we are on the small side of a cut, or
 * on the one of two that is heard by nobody. */
static bool is_minority(const struct swim *s)
{
    uint32_t lost = s->suspect_count + s->tombstones.count;

    return 2 * lost > live_count(s) + s->tombstones.count;
}

/* What one finds who hears nobody, or misses most, or does badly himself, is as likely his own loss as theirs. It is no
 * news: on his return he would have the healthy declared dead among the healthy. Where most have
 * really died, everybody finds it out for himself, at the same time. */
static void declare_dead(struct swim *s, uint32_t slot)
{
    bool is_news = !is_silent(s) && !is_minority(s) && s->health < HEALTH_BAD;

    claim_declare(s, slot, SWIM_DEAD);
    if (!is_news)
        gossip_withdraw(s, slot);
}

static void postpone(struct swim *s, uint32_t slot)
{
    suspects_set_due(s, slot, suspicion_now(s) + ms(s->config.probe_interval_ms));
}

void suspicion_expire(struct swim *s)
{
    for (unsigned i = 0; i < EXPIRIES_PER_CALL && s->suspect_count; i++) {
        uint32_t slot = suspects_at(s, 1);

        if (suspects_due(s, slot) > suspicion_now(s))
            return;
        if (is_deaf(s, slot))
            postpone(s, slot);
        else
            declare_dead(s, slot);
    }
}

void suspicion_note_heard(struct swim *s)
{
    if (is_silent(s)) {
        s->hearing_since = s->now;
        suspicion_tell_again(s);
    }
    s->last_heard = s->now;
}
