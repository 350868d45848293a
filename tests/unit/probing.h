/*
 * What the tests of probes share: a probe under way, which the test answers by hand or lets fail.
 */
#ifndef SWIM_TESTS_UNIT_PROBING_H
#define SWIM_TESTS_UNIT_PROBING_H

#include "support.h"

#include "harness.h"

#include "core/member.h"

/* A probe under way: the PING that began it, and when. */
struct probing {
    struct swim *s;
    swim_time now;     /* when the PING was sent */
    uint32_t target;   /* number */
    uint32_t sequence; /* of a capable target */
    bool has_sequence;
};

static inline struct swim *with_members(const struct swim_config *config, uint32_t last, bool plain)
{
    struct swim *s = member_begin(config, START);

    for (uint32_t number = 2; number <= last; number++) {
        struct message gossip = {.kind = WIRE_GOSSIP, .from = number, .plain = plain};

        assert_int_equal(hear(s, START, &gossip), SWIM_OK);
    }
    return s;
}

/* Goes on until the next round's PING; gossip meanwhile is thrown away. */
static inline struct probing next_probe(struct swim *s, swim_time now)
{
    for (;;) {
        struct sent sent;

        while (next_sent(s, now, &sent)) {
            if (sent.dg.header.kind == WIRE_PING)
                return (struct probing){s, now, sent.to.ip[2] * 256u + sent.to.ip[3],
                                        sent.dg.probe_sequence, sent.dg.has_probe};
        }
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
    }
}

static inline struct probing begin_with(const struct swim_config *config, uint32_t last, bool plain)
{
    return next_probe(with_members(config, last, plain), START);
}

static inline struct probing begin(uint32_t last)
{
    struct swim_config config = config_of(1);

    return begin_with(&config, last, false);
}

static inline void ack_from(const struct probing *p, swim_time now, uint32_t number,
                            uint32_t sequence)
{
    struct message ack = {.kind = WIRE_ACK, .from = number, .has_probe = true, .probe = sequence};

    assert_int_equal(hear(p->s, now, &ack), SWIM_OK);
}

/* Advances to `until` by deadlines, throws away what is sent. */
static inline void go_on(struct swim *s, swim_time until)
{
    while (swim_deadline(s) <= until) {
        swim_time now = swim_deadline(s) > s->now ? swim_deadline(s) : s->now;

        swim_advance(s, now);
        drain(s, now);
    }
    swim_advance(s, until);
    drain(s, until);
}

#define TIMEOUT (500 * SWIM_MS)
#define ROUND (1000 * SWIM_MS)

/* To the time-out; returns how many PING_REQs were sent, and to whom. */
static inline uint32_t time_out(struct probing *p, uint32_t *ret_helpers)
{
    struct sent sent;
    uint32_t count = 0;

    while (swim_deadline(p->s) < p->now + TIMEOUT) {
        swim_time now = swim_deadline(p->s) > p->s->now ? swim_deadline(p->s) : p->s->now;

        swim_advance(p->s, now);
        while (next_sent(p->s, now, &sent))
            assert_int_not_equal(sent.dg.header.kind, WIRE_PING_REQ);
    }
    p->now += TIMEOUT;
    swim_advance(p->s, p->now);
    while (next_sent(p->s, p->now, &sent)) {
        struct swim_addr target = addr4(p->target);

        if (sent.dg.header.kind != WIRE_PING_REQ)
            continue;
        assert_int_equal(sent.dg.target_id, p->target);
        assert_true(addr_equal(&sent.dg.target_addr, &target));
        assert_int_equal(sent.dg.has_probe, p->has_sequence);
        assert_int_equal(sent.dg.probe_sequence, p->sequence);
        ret_helpers[count++] = sent.to.ip[2] * 256u + sent.to.ip[3];
    }
    return count;
}

static inline void end_suspected(struct probing *p, bool is_suspected)
{
    go_on(p->s, p->now + ROUND);
    assert_int_equal(status_of(p->s, p->target), is_suspected ? SWIM_SUSPECT : SWIM_ALIVE);
    assert_int_equal(stats_of(p->s).probe_failures, is_suspected);
    assert_int_equal(stats_of(p->s).suspicions_raised, is_suspected);
    member_end(p->s);
}

static inline void relayed(const struct probing *p, uint32_t helper, uint32_t sequence,
                           uint64_t about)
{
    struct message ack = {.kind = WIRE_ACK,
                          .from = helper,
                          .has_probe = true,
                          .probe = sequence,
                          .has_on_behalf = true,
                          .on_behalf = about};

    assert_int_equal(hear(p->s, p->now, &ack), SWIM_OK);
}

static inline struct probing begin_plain(uint32_t last)
{
    struct swim_config config = config_of(1);

    config.anti_entropy_interval_ms = 0;
    return begin_with(&config, last, true);
}

#endif
