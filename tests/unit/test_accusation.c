/*
 * Accusations (src/core/accusation.h), as they are heard: whose word counts, how often, and what
 * a member does with one that it can't believe. How they are told on is in test_accusation_told,
 * how they shorten a suspicion in test_suspicion. Lifeguard section IV.B; docs/protocol.md
 * sections 5 and 6.
 */
#include "accusers.h"

#include "core/claim.h"
#include "core/suspicion.h"

/* ---- Who counts ---- */

static void test_nobody_counts_twice(void **state)
{
    swim_time now;
    struct swim *s = begin_among(20, &now);
    swim_time due;

    (void)state;
    for (uint32_t from = 2; from <= 9; from++)
        hear_accusation(s, now, from, SUSPECT, 7);
    assert_int_equal(status_of(s, SUSPECT), SWIM_SUSPECT);
    assert_int_equal(accuser_count(s, SUSPECT), 1);
    due = suspicion_deadline(s);
    for (uint32_t from = 2; from <= 9; from++) {
        const struct wire_suspicion both[] = {{SUSPECT, 0, 8}, {SUSPECT, 0, 7}};

        hear_all(s, now, both, 2);
    }
    assert_int_equal(accuser_count(s, SUSPECT), 2);
    assert_int_equal(stats_of(s).suspicions_confirmed, 1);
    assert_true(suspicion_deadline(s) < due);
    assert_int_equal(stats_of(s).suspicions_raised, 0); /* by probes of our own */
    check_dossiers(s);
    member_end(s);
}

/* An entry that says "suspect" accuses nobody by name; it doesn't even count as the first. */
static void test_an_entry_is_no_accusation(void **state)
{
    swim_time now;
    struct swim *s = begin_among(20, &now);
    swim_time due;

    (void)state;
    entry_with(s, now, SUSPECT, 0, SWIM_SUSPECT);
    entry_with(s, now, SUSPECT, 0, SWIM_SUSPECT);
    assert_int_equal(accuser_count(s, SUSPECT), 0);
    assert_int_equal(stats_of(s).accusations_queued, 0);
    due = suspicion_deadline(s);
    hear_accusation(s, now, SENDER, SUSPECT, 7);
    assert_int_equal(accuser_count(s, SUSPECT), 1);
    assert_true(suspicion_deadline(s) == due);
    hear_accusation(s, now, SENDER, SUSPECT, 8);
    assert_true(suspicion_deadline(s) < due);
    member_end(s);
}

/* The unknown, the dead, those who left, the forgotten, ourselves, and the accused itself. */
static void test_who_is_no_witness(void **state)
{
    static const uint32_t accusers[] = {99, 6, 7, 8, 1, SUSPECT};

    (void)state;
    for (unsigned is_suspect = 0; is_suspect < 2; is_suspect++) {
        swim_time now;
        struct swim *s = begin_among(20, &now);

        entry_with(s, now, 8, 0, SWIM_DEAD);
        settle(s, now, now + 20000 * SWIM_MS);
        now += 20000 * SWIM_MS;
        swim_advance(s, now);
        assert_int_equal(status_of(s, 8), -1);
        entry_with(s, now, 6, 0, SWIM_DEAD);
        entry_with(s, now, 7, 0, SWIM_LEFT);
        if (is_suspect)
            entry_with(s, now, SUSPECT, 0, SWIM_SUSPECT);
        for (unsigned i = 0; i < COUNT_OF(accusers); i++) {
            hear_accusation(s, now, SENDER, SUSPECT, accusers[i]);
            assert_int_equal(status_of(s, SUSPECT), is_suspect ? SWIM_SUSPECT : SWIM_ALIVE);
            assert_int_equal(accuser_count(s, SUSPECT), 0);
        }
        assert_int_equal(stats_of(s).suspicions_confirmed, 0);
        assert_int_equal(stats_of(s).accusations_queued, 0);
        check_dossiers(s);
        member_end(s);
    }
}

/* A suspect is a witness like another: whoever is doubted may doubt. */
static void test_a_suspect_is_a_witness(void **state)
{
    swim_time now;
    struct swim *s = begin_among(20, &now);

    (void)state;
    entry_with(s, now, 6, 0, SWIM_SUSPECT);
    hear_accusation(s, now, SENDER, SUSPECT, 6);
    assert_int_equal(status_of(s, SUSPECT), SWIM_SUSPECT);
    assert_int_equal(accuser_count(s, SUSPECT), 1);
    member_end(s);
}

static void test_only_the_first_are_kept(void **state)
{
    (void)state;
    for (uint32_t wanted = 0; wanted <= SWIM_CONFIRMATIONS_MAX; wanted++) {
        struct swim_config config = quiet_config_of(1);
        swim_time now, due;
        struct swim *s;

        config.confirmations = wanted;
        s = member_among(&config, 30, &now);
        for (uint32_t i = 0; i < 12; i++) {
            hear_accusation(s, now, SENDER, SUSPECT, 10 + i);
            assert_int_equal(accuser_count(s, SUSPECT),
                             wanted && i < wanted ? i + 1 : wanted + (wanted > 0));
        }
        for (uint32_t i = 0; wanted && i <= wanted; i++)
            assert_int_equal(dossier_of(s, SUSPECT)->accusers[i], 10 + i);
        assert_int_equal(stats_of(s).suspicions_confirmed, wanted);
        due = suspicion_deadline(s);
        hear_accusation(s, now, SENDER, SUSPECT, 29);
        assert_true(suspicion_deadline(s) == due);
        check_dossiers(s);
        member_end(s);
    }
}

/* More confirmations than there are members to give them are not waited for. */
static void test_wanted_are_no_more_than_can_be_had(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= 12; n++) {
        for (uint32_t wanted = 1; wanted <= SWIM_CONFIRMATIONS_MAX; wanted++) {
            struct swim_config config = quiet_config_of(1);
            swim_time now;
            struct swim *s;

            config.confirmations = wanted;
            s = member_among(&config, n, &now);
            claim_declare(s, member_find(s, n), SWIM_SUSPECT);
            assert_non_null(dossier_of(s, n));
            assert_int_equal(dossier_of(s, n)->wanted, wanted < n - 2 ? wanted : n - 2);
            member_end(s);
        }
    }
}

/* Our own probe makes us an accuser, once, and the echo of it does not make us two. */
static void test_our_own_word(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now = START;
    struct swim *s;

    (void)state;
    config.local_health = false; /* a probe a second, whatever becomes of it */
    config.suspect_timeout_ms = 60000;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 2);
    while (stats_of(s).probe_failures < 3) {
        drain(s, now);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        if (stats_of(s).probe_failures == 0)
            continue;
        assert_int_equal(status_of(s, 2), SWIM_SUSPECT);
        assert_int_equal(accuser_count(s, 2), 1);
        assert_int_equal(dossier_of(s, 2)->accusers[0], 1);
        hear_accusation(s, now, 2, 2, 1);
        assert_int_equal(accuser_count(s, 2), 1);
    }
    assert_int_equal(stats_of(s).suspicions_raised, 1);
    assert_int_equal(stats_of(s).suspicions_confirmed, 0);
    member_end(s);
}

/* ---- What is heard ---- */

static uint32_t doubted_ourselves(uint32_t incarnation, uint32_t count, struct swim **ret,
                                  struct sent *sent)
{
    struct wire_suspicion all[DATAGRAM_FULL];
    struct wire_entry entry;
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s;

    config.incarnation = 3;
    s = member_among(&config, 80, &now);
    for (uint32_t i = 0; i < count; i++)
        all[i] = (struct wire_suspicion){1, incarnation, 10 + i};
    hear_all(s, now, all, count);
    *ret = s;
    assert_true(next_sent_of(s, now, WIRE_GOSSIP, sent));
    assert_int_equal(addr4_number(&sent->to), SENDER);
    assert_true(sent_entry(sent, s->config.id, &entry));
    assert_int_equal(entry.status, SWIM_ALIVE);
    assert_null(swim_check(s));
    return entry.incarnation;
}

static void test_doubts_about_ourselves_are_refuted(void **state)
{
    static const uint32_t counts[] = {1, DATAGRAM_FULL};
    struct swim *s;
    struct sent sent;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(counts); i++) {
        assert_int_equal(doubted_ourselves(3, counts[i], &s, &sent), 4);
        assert_int_equal(stats_of(s).refutations, 1); /* whoever else accuses that life */
        assert_int_equal(stats_of(s).local_health, 1);
        member_end(s);
        /* What we never were: no fault of ours. */
        assert_int_equal(doubted_ourselves(9, counts[i], &s, &sent), 10);
        assert_int_equal(stats_of(s).refutations, 1);
        assert_int_equal(stats_of(s).local_health, 0);
        member_end(s);
        /* An earlier life: whoever still accuses it is told. */
        assert_int_equal(doubted_ourselves(2, counts[i], &s, &sent), 3);
        assert_int_equal(stats_of(s).refutations, 0);
        assert_int_equal(stats_of(s).local_health, 0);
        assert_int_equal(stats_of(s).corrections_sent, 1);
        member_end(s);
    }
    /* The last incarnation there is: on under another id. */
    assert_int_equal(doubted_ourselves(UINT32_MAX, 2, &s, &sent), 0);
    assert_true(s->config.id != 1);
    member_end(s);
}

/* Exactly one datagram, to SENDER, with exactly this record. */
static void assert_corrected(struct swim *s, swim_time now, enum swim_status status,
                             uint32_t incarnation)
{
    struct wire_entry entry;
    struct sent sent;

    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_GOSSIP);
    assert_int_equal(addr4_number(&sent.to), SENDER);
    assert_int_equal(sent.dg.entry_count, 1);
    assert_true(sent_entry(&sent, SUSPECT, &entry));
    assert_int_equal(entry.status, status);
    assert_int_equal(entry.incarnation, incarnation);
    assert_int_equal(drain(s, now), 0);
}

/* Of the dead, and of an earlier life, we know better; of a later one, others do. */
static void test_who_accuses_in_vain_is_told(void **state)
{
    static const struct {
        enum swim_status status;
        uint32_t accused;
        bool is_told;
        enum swim_status told; /* of a death: a doubt */
    } cases[] = {
        {SWIM_DEAD, 4, true, SWIM_SUSPECT},
        {SWIM_DEAD, 3, true, SWIM_SUSPECT},
        {SWIM_DEAD, 5, false, 0},
        {SWIM_LEFT, 4, true, SWIM_LEFT},
        {SWIM_LEFT, 3, true, SWIM_LEFT},
        {SWIM_LEFT, 5, false, 0},
        {SWIM_ALIVE, 3, true, SWIM_ALIVE},
        {SWIM_ALIVE, 5, false, 0},
        {SWIM_SUSPECT, 3, true, SWIM_SUSPECT},
        {SWIM_SUSPECT, 5, false, 0},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        struct swim_config config = patient_config();
        struct wire_suspicion suspicion = {SUSPECT, cases[i].accused, 7};
        swim_time now;
        struct swim *s;

        config.dead_retention_ms = 3600000;
        s = member_among(&config, 12, &now);
        entry_with(s, now, SUSPECT, 4, cases[i].status);
        now = settle(s, now, now + 60000 * SWIM_MS);
        hear_all(s, now, &suspicion, 1);
        assert_int_equal(status_of(s, SUSPECT), cases[i].status);
        assert_int_equal(accuser_count(s, SUSPECT), 0);
        assert_int_equal(stats_of(s).corrections_sent, cases[i].is_told);
        if (cases[i].is_told)
            assert_corrected(s, now, cases[i].told, 4);
        assert_int_equal(drain(s, now), 0);
        check_dossiers(s);
        member_end(s);
    }
}

static void test_the_unknown_and_the_forgotten_are_not_accused(void **state)
{
    swim_time now;
    struct swim *s = begin_among(12, &now);
    uint32_t used;

    (void)state;
    entry_with(s, now, SUSPECT, 0, SWIM_DEAD);
    settle(s, now, now + 20000 * SWIM_MS);
    now += 20000 * SWIM_MS;
    swim_advance(s, now);
    drain(s, now);
    used = stats_of(s).slots_used;
    hear_accusation(s, now, SENDER, SUSPECT, 7);
    hear_accusation(s, now, SENDER, 999, 7);
    hear_accusation(s, now, SENDER, 0, 7);
    hear_accusation(s, now, SENDER, 0, 0);
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(status_of(s, SUSPECT), -1);
    assert_int_equal(status_of(s, 999), -1);
    assert_int_equal(stats_of(s).slots_used, used);
    member_end(s);
}

/* The time within which an answer of the member's outweighs an accusation, which may be older:
 * what it takes to get around, and the probe before it. */
static swim_time window_of(const struct swim_config *config, uint32_t n)
{
    uint32_t log = 0;

    while ((1u << log) < n + 1)
        log++;
    return (config->gossip_interval_ms * (log / 2 + 2) + config->probe_timeout_ms) * SWIM_MS;
}

static void test_recent_evidence_outweighs_an_accusation(void **state)
{
    static const uint32_t sizes[] = {8, 100};
    static const uint32_t ticks_ms[] = {100, 500};
    uint32_t believed = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct swim_config config = patient_config();
        uint32_t n = sizes[i % 2];
        swim_time tick;

        config.heartbeat_interval_ms = ticks_ms[i / 2];
        tick = config.heartbeat_interval_ms * SWIM_MS;
        for (swim_time after = 0; after < 3000 * SWIM_MS; after += 50 * SWIM_MS) {
            struct message ack = {.kind = WIRE_ACK, .from = SUSPECT, .heartbeat = 9000};
            bool is_disproved = after / tick * tick < window_of(&config, n);
            struct swim_member m;
            swim_time now;
            struct swim *s = member_among(&config, n, &now);

            assert_int_equal(hear(s, now, &ack), SWIM_OK);
            now += after;
            hear_accusation(s, now, SENDER, SUSPECT, 7);
            assert_int_equal(status_of(s, SUSPECT), is_disproved ? SWIM_ALIVE : SWIM_SUSPECT);
            assert_int_equal(accuser_count(s, SUSPECT), !is_disproved);
            if (is_disproved) {
                assert_corrected(s, now, SWIM_ALIVE, 0);
            } else { /* at our own estimate of its clock: a step up in the order */
                assert_int_equal(drain(s, now), 0);
                assert_true(swim_member_find(s, SUSPECT, &m));
                assert_int_equal(m.heartbeat, 9000 + after / tick);
                assert_int_equal(stats_of(s).news_queued, 1);
                believed++;
            }
            member_end(s);
        }
    }
    assert_in_range(believed, 60, 180);
}

/* That it speaks does not show that it hears us: only an answer is evidence. */
static void test_other_words_of_its_own_are_no_evidence(void **state)
{
    struct message gossip = {.kind = WIRE_GOSSIP, .from = SUSPECT, .heartbeat = 9000};
    struct swim_member m;
    swim_time now;
    struct swim *s = begin_among(12, &now);

    (void)state;
    assert_int_equal(hear(s, now, &gossip), SWIM_OK);
    hear_accusation(s, now, SENDER, SUSPECT, 7);
    assert_true(swim_member_find(s, SUSPECT, &m));
    assert_int_equal(m.status, SWIM_SUSPECT);
    assert_int_equal(m.heartbeat, 9000);
    member_end(s);
}

/* A full datagram of what we know better costs as many records, once, and not as many datagrams. */
static void test_a_full_datagram_is_answered_once(void **state)
{
    struct wire_suspicion all[DATAGRAM_FULL];
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);
    uint32_t datagrams;

    (void)state;
    hear_members(s, START, 2, 100);
    settle(s, START, START);
    for (uint32_t i = 0; i < DATAGRAM_FULL; i++)
        all[i] = (struct wire_suspicion){10 + i, 0, 3};
    s->stats.corrections_sent = 0;
    s->now += 300 * SWIM_MS; /* so that each may be told of */
    hear_all(s, s->now, all, DATAGRAM_FULL);
    assert_int_equal(swim_member_count(s, SWIM_SUSPECT), 0);
    assert_int_equal(stats_of(s).corrections_sent, DATAGRAM_FULL);
    assert_int_equal(s->outbox.count, (DATAGRAM_FULL + SUBJECTS_MAX - 1) / SUBJECTS_MAX);
    datagrams = drain(s, s->now);
    assert_int_equal(datagrams, (DATAGRAM_FULL + SUBJECTS_MAX - 1) / SUBJECTS_MAX);
    hear_all(s, s->now, all, DATAGRAM_FULL);
    assert_int_equal(drain(s, s->now), 0);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_counts_twice),
        cmocka_unit_test(test_an_entry_is_no_accusation),
        cmocka_unit_test(test_who_is_no_witness),
        cmocka_unit_test(test_a_suspect_is_a_witness),
        cmocka_unit_test(test_only_the_first_are_kept),
        cmocka_unit_test(test_wanted_are_no_more_than_can_be_had),
        cmocka_unit_test(test_our_own_word),
        cmocka_unit_test(test_doubts_about_ourselves_are_refuted),
        cmocka_unit_test(test_who_accuses_in_vain_is_told),
        cmocka_unit_test(test_the_unknown_and_the_forgotten_are_not_accused),
        cmocka_unit_test(test_recent_evidence_outweighs_an_accusation),
        cmocka_unit_test(test_other_words_of_its_own_are_no_evidence),
        cmocka_unit_test(test_a_full_datagram_is_answered_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
