/* Suspicion timers: see suspicion.h. */
#include "core/suspicion.h"

#include "base/fixed.h"
#include "base/hash.h"
#include "core/accusation.h"
#include "core/claim.h"
#include "core/clock.h"
#include "core/gossip.h"
#include "core/member.h"

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

swim_time suspicion_now(const struct swim *s)
{
    return timer_now(s) - s->suspicion_shift;
}

void suspicion_start(struct swim *s, uint32_t slot)
{
    swim_time longest = suspicion_timeout(s, member_at(s, slot)->record.id);

    heap_push(&s->suspicions, suspicion_nodes(s), suspicion_places(s), slot,
              suspicion_now(s) + longest);
    accusation_open(s, slot, longest);
}

void suspicion_hasten(struct swim *s, uint32_t slot, const struct dossier *dossier)
{
    heap_remove(&s->suspicions, suspicion_nodes(s), suspicion_places(s), slot);
    heap_push(&s->suspicions, suspicion_nodes(s), suspicion_places(s), slot,
              dossier->started + accusation_timeout(s, dossier));
}

void suspicion_cancel(struct swim *s, uint32_t slot)
{
    if (!suspicion_places(s)[slot])
        return;
    heap_remove(&s->suspicions, suspicion_nodes(s), suspicion_places(s), slot);
    accusation_close(s, slot);
}

swim_time suspicion_deadline(const struct swim *s)
{
    if (s->suspicions.size == 0)
        return SWIM_NEVER;
    return timer_to_host(s, heap_top(&s->suspicions, suspicion_nodes(s))->key + s->suspicion_shift);
}

void suspicion_tell_again(struct swim *s)
{
    uint32_t count = s->suspicions.size < TELL_AGAIN_MAX ? s->suspicions.size : TELL_AGAIN_MAX;

    for (uint32_t i = 1; i <= count; i++) {
        uint32_t slot = suspicion_nodes(s)[i].index;

        gossip_news(s, slot);
        accusation_tell_again(s, slot);
    }
}

void suspicion_expire(struct swim *s)
{
    for (unsigned i = 0; i < EXPIRIES_PER_CALL && s->suspicions.size; i++) {
        const struct heap_node *top = heap_top(&s->suspicions, suspicion_nodes(s));

        if (top->key + s->suspicion_shift > timer_now(s))
            return;
        claim_declare(s, top->index, SWIM_DEAD);
    }
}
