/* Suspicion timers: see suspicion.h. */
#include "core/suspicion.h"

#include "base/hash.h"
#include "core/claim.h"
#include "core/clock.h"
#include "core/member.h"

/* log2(n) in 16.16 fixed point, so that no floating point makes platforms differ: the integer
 * part by position, then each bit of the fraction by squaring. */
static uint32_t log2_q16(uint32_t n)
{
    uint32_t whole = 31;
    uint64_t mantissa;
    uint32_t fraction = 0;

    ASSERT(n > 0);
    while (!(n >> whole))
        whole--;
    mantissa = ((uint64_t)n << 31) >> whole; /* in [1, 2), 31 bits after the point */
    for (uint32_t bit = 1u << 15; bit; bit >>= 1) {
        mantissa = mantissa * mantissa >> 31;
        if (mantissa >> 32) {
            mantissa >>= 1;
            fraction |= bit;
        }
    }
    return whole << 16 | fraction;
}

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

void suspicion_start(struct swim *s, uint32_t slot)
{
    swim_time due = timer_now(s) + suspicion_timeout(s, member_at(s, slot)->record.id);

    heap_push(&s->suspicions, suspicion_nodes(s), suspicion_places(s), slot,
              due - s->suspicion_shift);
}

void suspicion_cancel(struct swim *s, uint32_t slot)
{
    if (suspicion_places(s)[slot])
        heap_remove(&s->suspicions, suspicion_nodes(s), suspicion_places(s), slot);
}

swim_time suspicion_deadline(const struct swim *s)
{
    if (s->suspicions.size == 0)
        return SWIM_NEVER;
    return timer_to_host(s, heap_top(&s->suspicions, suspicion_nodes(s))->key + s->suspicion_shift);
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
