/*
 * Failure detection (src/core/probe.h): what a probe sends, to whom, and what counts as an
 * answer. The peers are made by hand, so that each says exactly what the test means.
 * SWIM sections 3.1 and 4.3; docs/protocol.md section 5.
 */
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

static struct swim *with_members(const struct swim_config *config, uint32_t last, bool plain)
{
    struct swim *s = member_begin(config, START);

    for (uint32_t number = 2; number <= last; number++) {
        struct message gossip = {.kind = WIRE_GOSSIP, .from = number, .plain = plain};

        assert_int_equal(hear(s, START, &gossip), SWIM_OK);
    }
    return s;
}

/* Goes on until the next round's PING; gossip meanwhile is thrown away. */
static struct probing next_probe(struct swim *s, swim_time now)
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

static struct probing begin_with(const struct swim_config *config, uint32_t last, bool plain)
{
    return next_probe(with_members(config, last, plain), START);
}

static struct probing begin(uint32_t last)
{
    struct swim_config config = config_of(1);

    return begin_with(&config, last, false);
}

static void ack_from(const struct probing *p, swim_time now, uint32_t number, uint32_t sequence)
{
    struct message ack = {.kind = WIRE_ACK, .from = number, .has_probe = true, .probe = sequence};

    assert_int_equal(hear(p->s, now, &ack), SWIM_OK);
}

/* Advances to `until` by deadlines, throws away what is sent. */
static void go_on(struct swim *s, swim_time until)
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
static uint32_t time_out(struct probing *p, uint32_t *ret_helpers)
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

static void end_suspected(struct probing *p, bool is_suspected)
{
    go_on(p->s, p->now + ROUND);
    assert_int_equal(status_of(p->s, p->target), is_suspected ? SWIM_SUSPECT : SWIM_ALIVE);
    assert_int_equal(stats_of(p->s).probe_failures, is_suspected);
    assert_int_equal(stats_of(p->s).suspicions_raised, is_suspected);
    member_end(p->s);
}

/* Refuted, a suspicion of ours was false; one that ended otherwise was not, nor is the next one,
 * which others raise. */
static void test_a_false_suspicion(void **state)
{
    struct probing p = begin(8);
    uint32_t helpers[16];
    struct wire_entry entry = entry_of(p.target);

    (void)state;
    time_out(&p, helpers);
    go_on(p.s, p.now + ROUND);
    p.now += ROUND;
    assert_int_equal(stats_of(p.s).suspicions_raised, 1);
    assert_int_equal(status_of(p.s, p.target), SWIM_SUSPECT);
    assert_int_equal(stats_of(p.s).suspicions_false, 0);
    entry.heartbeat += 1000;
    hear_entry(p.s, p.now, p.target == 2 ? 3 : 2, entry);
    assert_int_equal(status_of(p.s, p.target), SWIM_ALIVE);
    assert_int_equal(stats_of(p.s).suspicions_refuted, 1);
    assert_int_equal(stats_of(p.s).suspicions_false, 1);
    entry.status = SWIM_SUSPECT;
    hear_entry(p.s, p.now, p.target == 2 ? 3 : 2, entry);
    entry.status = SWIM_ALIVE;
    entry.heartbeat++;
    hear_entry(p.s, p.now, p.target == 2 ? 3 : 2, entry);
    assert_int_equal(stats_of(p.s).suspicions_refuted, 2);
    assert_int_equal(stats_of(p.s).suspicions_false, 1);
    member_end(p.s);
}

static void test_a_direct_answer(void **state)
{
    struct probing p = begin(8);
    uint32_t helpers[16];

    (void)state;
    assert_true(p.has_sequence);
    ack_from(&p, p.now + 3 * SWIM_MS, p.target, p.sequence);
    assert_int_equal(stats_of(p.s).rtt_count, 1);
    assert_true(stats_of(p.s).rtt_sum_ns == 3 * SWIM_MS);
    assert_int_equal(time_out(&p, helpers), 0);
    assert_int_equal(stats_of(p.s).probe_direct_timeouts, 0);
    end_suspected(&p, false);
}

static void test_no_answer_asks_exactly_k_others(void **state)
{
    static const uint32_t ks[] = {1, 2, 3, 16};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(ks); i++) {
        struct swim_config config = config_of(1);
        uint32_t helpers[16];
        struct probing p;

        config.indirect_k = ks[i];
        p = begin_with(&config, 30, false);
        assert_int_equal(time_out(&p, helpers), ks[i]);
        for (uint32_t k = 0; k < ks[i]; k++) {
            assert_int_not_equal(helpers[k], p.target);
            assert_in_range(helpers[k], 2, 30);
            for (uint32_t j = 0; j < k; j++)
                assert_int_not_equal(helpers[k], helpers[j]);
        }
        assert_int_equal(stats_of(p.s).ping_reqs_sent, ks[i]);
        assert_int_equal(stats_of(p.s).probe_direct_timeouts, 1);
        end_suspected(&p, true);
    }
}

/* With fewer others than k, those; with none, or k = 0, nobody. */
static void test_few_others_to_ask(void **state)
{
    struct swim_config config = config_of(1);
    uint32_t helpers[16];
    struct probing p;

    (void)state;
    config.indirect_k = 5;
    p = begin_with(&config, 4, false);
    assert_int_equal(time_out(&p, helpers), 2);
    end_suspected(&p, true);
    p = begin_with(&config, 2, false);
    assert_int_equal(time_out(&p, helpers), 0);
    end_suspected(&p, true);
    config.indirect_k = 0;
    p = begin_with(&config, 9, false);
    assert_int_equal(time_out(&p, helpers), 0);
    end_suspected(&p, true);
}

static void test_suspects_are_not_asked(void **state)
{
    struct swim_config config = config_of(1);
    uint32_t helpers[16];
    struct probing p;

    (void)state;
    config.indirect_k = 16;
    p = begin_with(&config, 6, false);
    for (uint32_t number = 2, left = 2; number <= 6 && left; number++) {
        struct wire_entry doubt = entry_of(number);

        if (number == p.target)
            continue;
        doubt.status = SWIM_SUSPECT;
        hear_entry(p.s, p.now, p.target, doubt);
        left--;
    }
    assert_int_equal(time_out(&p, helpers), 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(status_of(p.s, helpers[i]), SWIM_ALIVE);
    member_end(p.s);
}

static void relayed(const struct probing *p, uint32_t helper, uint32_t sequence, uint64_t about)
{
    struct message ack = {.kind = WIRE_ACK,
                          .from = helper,
                          .has_probe = true,
                          .probe = sequence,
                          .has_on_behalf = true,
                          .on_behalf = about};

    assert_int_equal(hear(p->s, p->now, &ack), SWIM_OK);
}

static void test_a_relayed_answer(void **state)
{
    struct probing p = begin(8);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 2);
    relayed(&p, helpers[1], p.sequence, p.target);
    assert_int_equal(stats_of(p.s).rtt_count, 0); /* not a direct round trip */
    end_suspected(&p, false);
}

static void test_a_relayed_answer_about_another_is_none(void **state)
{
    struct probing p = begin(8);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 2);
    relayed(&p, helpers[0], p.sequence, helpers[1]);
    relayed(&p, helpers[0], p.sequence - 1, p.target);
    end_suspected(&p, true);
}

static void test_a_late_direct_answer_counts(void **state)
{
    struct probing p = begin(8);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 2);
    ack_from(&p, p.now + 100 * SWIM_MS, p.target, p.sequence);
    end_suspected(&p, false);
}

static void test_a_wrong_sequence_is_no_answer(void **state)
{
    struct probing p = begin(8);

    (void)state;
    ack_from(&p, p.now, p.target, p.sequence + 1);
    ack_from(&p, p.now, p.target, p.sequence - 1);
    end_suspected(&p, true);
}

/* An ACK that answers something else: the target is capable, it would give the sequence. */
static void test_an_ack_without_sequence_is_no_answer(void **state)
{
    struct probing p = begin(8);
    struct message ack = {.kind = WIRE_ACK, .from = p.target};

    (void)state;
    assert_int_equal(hear(p.s, p.now, &ack), SWIM_OK);
    end_suspected(&p, true);
}

/* That the target speaks does not show that it hears us. */
static void test_other_datagrams_from_the_target_are_no_answer(void **state)
{
    static const uint8_t kinds[] = {WIRE_GOSSIP, WIRE_PING, WIRE_ANTI_ENTROPY};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        struct probing p = begin(8);
        struct message word = {.kind = kinds[i], .from = p.target, .heartbeat = 1, .chunks = 1};

        assert_int_equal(hear(p.s, p.now + 100 * SWIM_MS, &word), SWIM_OK);
        end_suspected(&p, true);
    }
}

static void test_somebody_elses_ack_is_no_answer(void **state)
{
    struct probing p = begin(8);
    uint32_t other = p.target == 2 ? 3 : 2;

    (void)state;
    ack_from(&p, p.now, other, p.sequence);
    end_suspected(&p, true);
}

/* A member that we know, by hearsay, at the target's address answers in its place. */
static void test_a_strangers_ack_supersedes_the_target(void **state)
{
    struct probing p = begin(8);
    struct wire_entry stranger = entry_of(77);
    struct message ack = {.kind = WIRE_ACK,
                          .from = 77,
                          .at = addr4(p.target),
                          .has_probe = true,
                          .probe = p.sequence};

    (void)state;
    stranger.addr = addr4(p.target);
    hear_entry(p.s, p.now, p.target == 2 ? 3 : 2, stranger);
    assert_int_equal(status_of(p.s, p.target), SWIM_ALIVE);
    assert_int_equal(hear(p.s, p.now, &ack), SWIM_OK);
    assert_int_equal(status_of(p.s, p.target), SWIM_DEAD);
    assert_int_equal(status_of(p.s, 77), SWIM_ALIVE);
    assert_int_equal(stats_of(p.s).superseded, 1);
    assert_null(swim_check(p.s));
    member_end(p.s);
}

static void test_an_unknown_strangers_ack_does_too(void **state)
{
    struct probing p = begin(8);
    struct message ack = {.kind = WIRE_ACK,
                          .from = 77,
                          .at = addr4(p.target),
                          .has_probe = true,
                          .probe = p.sequence};

    (void)state;
    assert_int_equal(hear(p.s, p.now, &ack), SWIM_OK);
    assert_int_equal(status_of(p.s, p.target), SWIM_DEAD);
    assert_int_equal(status_of(p.s, 77), SWIM_ALIVE);
    go_on(p.s, p.now + ROUND);
    assert_int_equal(stats_of(p.s).probe_failures, 0);
    member_end(p.s);
}

/* The target restarted while it was probed: its new life is not suspect for the old one's sake. */
static void test_a_new_life_is_not_suspected(void **state)
{
    struct probing p = begin(8);
    struct message word = {.kind = WIRE_GOSSIP, .from = p.target, .incarnation = 1};

    (void)state;
    go_on(p.s, p.now + 600 * SWIM_MS);
    assert_int_equal(hear(p.s, p.now + 600 * SWIM_MS, &word), SWIM_OK);
    end_suspected(&p, false);
}

static void test_the_suspicion_is_stamped_with_the_estimate(void **state)
{
    struct probing p = begin(8);
    struct swim_member m;

    (void)state;
    go_on(p.s, p.now + ROUND);
    assert_true(swim_member_find(p.s, p.target, &m));
    assert_int_equal(m.status, SWIM_SUSPECT);
    assert_int_equal(m.heartbeat, (p.now + ROUND - START) / (500 * SWIM_MS));
    member_end(p.s);
}

/* The host called late, though not so late that it is a pause: those asked still get their time
 * before anybody is suspected. */
static void test_a_late_call_still_gives_helpers_their_time(void **state)
{
    struct probing p = begin(8);
    uint32_t reqs = 0;
    struct sent sent;
    swim_time late = p.now + 1400 * SWIM_MS;

    (void)state;
    go_on(p.s, p.now + 450 * SWIM_MS);
    swim_advance(p.s, late);
    while (next_sent(p.s, late, &sent))
        reqs += sent.dg.header.kind == WIRE_PING_REQ;
    assert_int_equal(stats_of(p.s).pauses, 0);
    assert_int_equal(reqs, 2);
    go_on(p.s, late + 499 * SWIM_MS);
    assert_int_equal(status_of(p.s, p.target), SWIM_ALIVE);
    go_on(p.s, late + 500 * SWIM_MS);
    assert_int_equal(status_of(p.s, p.target), SWIM_SUSPECT);
    member_end(p.s);
}

/* The suspect is told in the very PING that goes to it. */
static void test_a_suspect_hears_of_it_in_its_ping(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = with_members(&config, 2, false);
    struct wire_entry doubt = entry_of(2);
    struct sent sent;
    swim_time now = START;

    (void)state;
    settle(s, now, now + 100 * SWIM_MS);
    doubt.status = SWIM_SUSPECT;
    hear_entry(s, now + 100 * SWIM_MS, 9, doubt);
    for (now += 100 * SWIM_MS;; now = swim_deadline(s) > now ? swim_deadline(s) : now) {
        struct reader entries;
        struct wire_entry first;

        swim_advance(s, now);
        if (!next_sent_of(s, now, WIRE_PING, &sent) || sent.to.ip[3] != 2)
            continue;
        entries = sent.dg.entries;
        assert_true(wire_next_entry(&entries, &first));
        assert_int_equal(first.id, 2);
        assert_int_equal(first.status, SWIM_SUSPECT);
        break;
    }
    member_end(s);
}

/* One PING a round, at the configured interval, whatever else goes on. */
static void test_one_round_an_interval(void **state)
{
    struct probing p = begin(8);

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        swim_time began = p.now;

        ack_from(&p, p.now + SWIM_MS, p.target, p.sequence);
        p = next_probe(p.s, p.now + SWIM_MS);
        assert_true(p.now == began + ROUND);
    }
    assert_int_equal(stats_of(p.s).probe_failures, 0);
    assert_int_equal(stats_of(p.s).pings_sent, 101);
    member_end(p.s);
}

static void test_nobody_to_probe(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);

    (void)state;
    assert_true(swim_deadline(s) == SWIM_NEVER);
    swim_advance(s, START + 60000 * SWIM_MS);
    assert_int_equal(drain(s, START + 60000 * SWIM_MS), 0);
    member_end(s);
}

/* ---- Plain version-1 peers ---- */

static struct probing begin_plain(uint32_t last)
{
    struct swim_config config = config_of(1);

    config.anti_entropy_interval_ms = 0;
    return begin_with(&config, last, true);
}

static void test_a_plain_targets_ack(void **state)
{
    struct probing p = begin_plain(8);
    struct message ack = {.kind = WIRE_ACK, .from = p.target, .plain = true};

    (void)state;
    assert_false(p.has_sequence);
    assert_int_equal(hear(p.s, p.now + 2 * SWIM_MS, &ack), SWIM_OK);
    assert_int_equal(stats_of(p.s).rtt_count, 1);
    end_suspected(&p, false);
}

static void plain_word(const struct probing *p, uint32_t helper, uint32_t heartbeat,
                       enum swim_status status)
{
    struct wire_entry entry = entry_of(p->target);
    struct message word = {
        .kind = WIRE_GOSSIP, .from = helper, .plain = true, .entries = &entry, .entry_count = 1};

    entry.heartbeat = heartbeat;
    entry.status = (uint8_t)status;
    assert_int_equal(hear(p->s, p->now, &word), SWIM_OK);
}

/* From a plain intermediary, a record of the target above the estimate is the relayed answer. */
static void test_a_plain_helpers_fresh_word(void **state)
{
    struct probing p = begin_plain(8);
    uint32_t helpers[16];
    uint32_t estimate = (uint32_t)((p.now - START) / (500 * SWIM_MS));

    (void)state;
    assert_int_equal(time_out(&p, helpers), 2);
    plain_word(&p, helpers[0], estimate + 1, SWIM_ALIVE);
    end_suspected(&p, false);
}

static void test_a_plain_helpers_old_word_is_none(void **state)
{
    struct probing p = begin_plain(8);
    uint32_t helpers[16];
    uint32_t estimate = (uint32_t)((p.now - START) / (500 * SWIM_MS));

    (void)state;
    assert_int_equal(time_out(&p, helpers), 2);
    plain_word(&p, helpers[0], estimate, SWIM_ALIVE);
    end_suspected(&p, true);
}

static void test_a_bystanders_word_is_none(void **state)
{
    struct probing p = begin_plain(8);
    uint32_t helpers[16];
    uint32_t bystander = 2;

    (void)state;
    assert_int_equal(time_out(&p, helpers), 2);
    while (bystander == p.target || bystander == helpers[0] || bystander == helpers[1])
        bystander++;
    plain_word(&p, bystander, 5, SWIM_ALIVE);
    end_suspected(&p, true);
}

/* With `buddy` off it is told no sooner than anybody else. */
static void test_without_buddy_a_suspect_is_not_told_first(void **state)
{
    (void)state;
    for (unsigned buddy = 0; buddy < 2; buddy++) {
        struct swim_config config = config_of(1);
        struct wire_entry entry = entry_of(2);
        struct swim *s;
        struct sent sent;
        swim_time now = START;

        config.buddy = buddy;
        config.suspect_timeout_ms = 3600000;
        s = with_members(&config, 2, false);
        entry.status = SWIM_SUSPECT;
        hear_entry(s, now, 9, entry);
        now = settle(s, now, now + 600000 * SWIM_MS); /* no news of it is left to tell */
        assert_int_equal(status_of(s, 2), SWIM_SUSPECT);
        for (uint32_t pings = 0; pings < 3;) {
            now = swim_deadline(s) > now ? swim_deadline(s) : now;
            swim_advance(s, now);
            while (next_sent_of(s, now, WIRE_PING, &sent)) {
                if (addr4_number(&sent.to) != 2)
                    continue;
                assert_int_equal(sent_entry(&sent, 2, &entry), buddy);
                pings++;
            }
        }
        member_end(s);
    }
}

/* ---- NACKs: what intermediaries owe ---- */

static struct probing begin_asking(uint32_t k, bool nack)
{
    struct swim_config config = config_of(1);

    config.indirect_k = k;
    config.nack = nack;
    return begin_with(&config, 12, false);
}

static struct message nack_of(const struct probing *p, uint32_t helper)
{
    return (struct message){.kind = WIRE_NACK,
                            .from = helper,
                            .has_probe = true,
                            .probe = p->sequence,
                            .has_on_behalf = true,
                            .on_behalf = p->target};
}

static void end_having_missed(struct probing *p, uint32_t missed)
{
    go_on(p->s, p->now + TIMEOUT);
    assert_int_equal(stats_of(p->s).nacks_missed, missed);
    assert_int_equal(stats_of(p->s).local_health, 1 + missed);
    end_suspected(p, true); /* a NACK says nothing for the target */
}

static void test_each_missing_nack_counts(void **state)
{
    (void)state;
    for (uint32_t said = 0; said <= 4; said++) {
        struct probing p = begin_asking(4, true);
        uint32_t helpers[16];

        assert_int_equal(time_out(&p, helpers), 4);
        for (uint32_t i = 0; i < said; i++) {
            struct message nack = nack_of(&p, helpers[3 - i]);

            assert_int_equal(hear(p.s, p.now + 400 * SWIM_MS, &nack), SWIM_OK);
            assert_int_equal(hear(p.s, p.now + 400 * SWIM_MS, &nack), SWIM_OK);
        }
        assert_int_equal(stats_of(p.s).nacks_recv, 2 * said);
        end_having_missed(&p, 4 - said);
    }
}

static void test_as_many_intermediaries_as_there_may_be(void **state)
{
    struct swim_config config = config_of(1);
    uint32_t helpers[16];
    struct probing p;

    (void)state;
    config.indirect_k = SWIM_INDIRECT_MAX;
    p = begin_with(&config, 30, false);
    assert_int_equal(time_out(&p, helpers), SWIM_INDIRECT_MAX);
    for (uint32_t i = 0; i < SWIM_INDIRECT_MAX; i += SWIM_INDIRECT_MAX - 1) {
        struct message nack = nack_of(&p, helpers[i]);

        assert_int_equal(hear(p.s, p.now, &nack), SWIM_OK);
    }
    go_on(p.s, p.now + TIMEOUT);
    assert_int_equal(stats_of(p.s).nacks_missed, SWIM_INDIRECT_MAX - 2);
    assert_int_equal(stats_of(p.s).local_health, SWIM_HEALTH_MAX);
    member_end(p.s);
}

static void test_what_is_no_nack(void **state)
{
    struct probing p = begin_asking(2, true);
    struct message early = nack_of(&p, p.target == 2 ? 3 : 2);
    struct message nacks[7];
    uint32_t helpers[16];
    uint32_t bystander = 2;

    (void)state;
    assert_int_equal(hear(p.s, p.now, &early), SWIM_OK); /* nobody was asked yet */
    assert_int_equal(time_out(&p, helpers), 2);
    while (bystander == p.target || bystander == helpers[0] || bystander == helpers[1])
        bystander++;
    for (unsigned i = 0; i < COUNT_OF(nacks); i++)
        nacks[i] = nack_of(&p, helpers[i % 2]);
    nacks[0].probe--;
    nacks[1].has_probe = false;
    nacks[2].has_on_behalf = false;
    nacks[3].on_behalf = bystander;
    nacks[4].from = bystander;
    nacks[5].from = p.target;
    nacks[6].from = 500; /* unknown till now */
    for (unsigned i = 0; i < COUNT_OF(nacks); i++)
        assert_int_equal(hear(p.s, p.now, &nacks[i]), SWIM_OK);
    end_having_missed(&p, 2);
}

static void test_who_owes_no_nack(void **state)
{
    struct probing plain = begin_plain(8);
    struct probing off = begin_asking(2, false);
    struct probing alone = begin_asking(0, true);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&plain, helpers), 2);
    end_having_missed(&plain, 0);
    assert_int_equal(time_out(&off, helpers), 2);
    end_having_missed(&off, 0);
    assert_int_equal(time_out(&alone, helpers), 0);
    end_having_missed(&alone, 0);
}

/* One answer settles what all of them owe. */
static void test_an_answer_settles_all_nacks(void **state)
{
    struct probing p = begin_asking(4, true);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 4);
    relayed(&p, helpers[2], p.sequence, p.target);
    go_on(p.s, p.now + TIMEOUT);
    assert_int_equal(stats_of(p.s).nacks_missed, 0);
    assert_int_equal(stats_of(p.s).local_health, 0);
    member_end(p.s);
}

/* What is owed for one probe is not owed for the next. */
static void test_debts_end_with_the_probe(void **state)
{
    struct probing p = begin_asking(4, true);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 4);
    p = next_probe(p.s, p.now);
    assert_int_equal(stats_of(p.s).nacks_missed, 4);
    ack_from(&p, p.now, p.target, p.sequence);
    p = next_probe(p.s, p.now);
    assert_int_equal(stats_of(p.s).nacks_missed, 4);
    member_end(p.s);
}

/* The first answer after a failure: perhaps nobody could hear our doubts till now. */
static void test_doubts_are_told_again_after_a_failure(void **state)
{
    struct swim_config config = config_of(1);
    struct probing p;

    (void)state;
    config.suspect_timeout_ms = 3600000;
    config.indirect_k = 0;
    config.retransmit_multiplier = 1;
    p = begin_with(&config, 8, false);
    p = next_probe(p.s, p.now);
    assert_int_equal(stats_of(p.s).probe_failures, 1);
    for (unsigned answers = 1; answers <= 2; answers++) {
        go_on(p.s, p.now + 450 * SWIM_MS);
        assert_int_equal(stats_of(p.s).news_queued, 0);
        assert_int_equal(stats_of(p.s).accusations_queued, 0);
        ack_from(&p, p.now + 450 * SWIM_MS, p.target, p.sequence);
        assert_int_equal(stats_of(p.s).news_queued, answers == 1);
        assert_int_equal(stats_of(p.s).accusations_queued, answers == 1);
        do {
            p = next_probe(p.s, p.now + 450 * SWIM_MS);
        } while (status_of(p.s, p.target) != SWIM_ALIVE);
    }
    member_end(p.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_direct_answer),
        cmocka_unit_test(test_no_answer_asks_exactly_k_others),
        cmocka_unit_test(test_few_others_to_ask),
        cmocka_unit_test(test_suspects_are_not_asked),
        cmocka_unit_test(test_a_false_suspicion),
        cmocka_unit_test(test_a_relayed_answer),
        cmocka_unit_test(test_a_relayed_answer_about_another_is_none),
        cmocka_unit_test(test_a_late_direct_answer_counts),
        cmocka_unit_test(test_a_wrong_sequence_is_no_answer),
        cmocka_unit_test(test_an_ack_without_sequence_is_no_answer),
        cmocka_unit_test(test_other_datagrams_from_the_target_are_no_answer),
        cmocka_unit_test(test_somebody_elses_ack_is_no_answer),
        cmocka_unit_test(test_a_strangers_ack_supersedes_the_target),
        cmocka_unit_test(test_an_unknown_strangers_ack_does_too),
        cmocka_unit_test(test_a_new_life_is_not_suspected),
        cmocka_unit_test(test_the_suspicion_is_stamped_with_the_estimate),
        cmocka_unit_test(test_a_late_call_still_gives_helpers_their_time),
        cmocka_unit_test(test_a_suspect_hears_of_it_in_its_ping),
        cmocka_unit_test(test_one_round_an_interval),
        cmocka_unit_test(test_nobody_to_probe),
        cmocka_unit_test(test_a_plain_targets_ack),
        cmocka_unit_test(test_a_plain_helpers_fresh_word),
        cmocka_unit_test(test_a_plain_helpers_old_word_is_none),
        cmocka_unit_test(test_a_bystanders_word_is_none),
        cmocka_unit_test(test_without_buddy_a_suspect_is_not_told_first),
        cmocka_unit_test(test_each_missing_nack_counts),
        cmocka_unit_test(test_as_many_intermediaries_as_there_may_be),
        cmocka_unit_test(test_what_is_no_nack),
        cmocka_unit_test(test_who_owes_no_nack),
        cmocka_unit_test(test_an_answer_settles_all_nacks),
        cmocka_unit_test(test_debts_end_with_the_probe),
        cmocka_unit_test(test_doubts_are_told_again_after_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
