/* Suspicions: n timers ended and started, 10,000 of them expiring at once; and as many tombstones. */
#include "core/claim.h"
#include "core/gossip.h"
#include "core/suspicion.h"
#include "micro.h"
#include "subject.h"

static void doubt_all(void *context)
{
    struct subject *subject = context;

    for (uint32_t slot = 2; slot <= subject->members; slot++)
        suspicion_cancel(subject->s, slot);
    for (uint32_t slot = 2; slot <= subject->members; slot++)
        suspicion_start(subject->s, slot);
}

static void *open_doubt(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n + 1);

    (void)self;
    subject_fill(subject);
    for (uint32_t slot = 2; slot <= subject->members; slot++)
        claim_declare(subject->s, slot, SWIM_SUSPECT);
    ret->loads = 2 * n;
    ret->table_bytes = (size_t)n * 24;
    return subject;
}

static void suspect_all(void *context)
{
    struct subject *subject = context;

    subject_restart(subject);
    subject_fill(subject);
    subject->s->config.probe_interval_ms = 3600000; /* so that waiting is no pause */
    for (uint32_t slot = 2; slot <= subject->members; slot++)
        claim_declare(subject->s, slot, SWIM_SUSPECT);
    subject_calm(subject);
    subject->now += 600000 * SWIM_MS;
}

static void expire_all(void *context)
{
    struct subject *subject = context;

    while (swim_member_count(subject->s, SWIM_SUSPECT) > 0)
        swim_advance(subject->s, subject->now);
}

static void bury_all(void *context)
{
    struct subject *subject = context;

    subject_restart(subject);
    subject_fill(subject);
    subject->s->config.probe_interval_ms = 3600000;
    for (uint32_t slot = 2; slot <= subject->members; slot++)
        claim_declare(subject->s, slot, SWIM_DEAD);
    subject_calm(subject);
    subject->now += ms(subject->s->config.dead_retention_ms);
}

static void forget_all(void *context)
{
    struct subject *subject = context;

    while (swim_member_count(subject->s, SWIM_DEAD) > 0)
        swim_advance(subject->s, subject->now);
}

static void *open_expiry(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    (void)self;
    ret->loads = n;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject_new(n + 1);
}

static const uint32_t sizes[] = {10, 100, 1000, 0};
static const uint32_t many[] = {10000, 0};

const struct micro_case micro_timer_cases[] = {
    {"n suspicion timers ended and started", .sizes = sizes, .open = open_doubt, .run = doubt_all,
     .close = subject_free, .repeats = 1},
    {"n suspicions expire: all are declared dead", .sizes = many, .open = open_expiry,
     .prepare = suspect_all, .run = expire_all, .close = subject_free, .repeats = 1},
    {"n tombstones expire: all are forgotten", .sizes = many, .open = open_expiry,
     .prepare = bury_all, .run = forget_all, .close = subject_free, .repeats = 1},
    {0},
};
