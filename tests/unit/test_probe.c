/*
 * Failure detection (src/core/probe.h): what a probe sends, to whom, and what counts as an
 * answer. The peers are made by hand, so that each says exactly what the test means.
 * SWIM sections 3.1 and 4.3; docs/protocol.md section 5. NACKs are in test_probe_nack.c.
 */
#include "probing.h"

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

/* ---- After a failure ---- */

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
        cmocka_unit_test(test_doubts_are_told_again_after_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
