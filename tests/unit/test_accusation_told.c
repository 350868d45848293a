/*
 * Accusations (src/core/accusation.h), as they are told on, and the dossiers that they are kept
 * in: how often and to whom each is told, and that no dossier outlives its suspicion. Everything
 * that a member sends is drained and counted. docs/protocol.md sections 5 to 7.
 */
#include "accusers.h"

#include "core/accusation.h"
#include "core/claim.h"
#include "core/clock.h"
#include "core/suspicion.h"

enum {
    NUMBERS = 2048,
    WRITTEN_MAX = 16, /* accusations that we write into one datagram */
};

/* ---- What is told ---- */

/* Accusations of SUSPECT by accuser, and all of them by the kind of the datagram. */
static uint32_t told[NUMBERS];
static uint32_t told_in[WIRE_SYNC + 1];

/* Counts what one datagram tells. Returns how many accusations there were. */
static uint32_t count_told(const struct sent *sent, uint32_t plain_from)
{
    struct reader left;
    struct wire_suspicion suspicion;
    uint32_t count = 0;

    if (!sent->dg.suspicions)
        return 0;
    assert_true(addr4_number(&sent->to) < plain_from);
    left = reader_of(sent->dg.suspicions, sent->dg.suspicions_size);
    while (wire_next_suspicion(&left, &suspicion)) {
        assert_int_not_equal(suspicion.accuser, addr4_number(&sent->to)); /* he knows */
        assert_int_not_equal(suspicion.accuser, suspicion.target);
        assert_in_range(suspicion.accuser, 1, NUMBERS - 1);
        told[suspicion.accuser] += suspicion.target == SUSPECT;
        count++;
    }
    told_in[sent->dg.header.kind] += count;
    return count;
}

static void forget_told(void)
{
    memset(told, 0, sizeof told);
    memset(told_in, 0, sizeof told_in);
}

static uint32_t limit_of(const struct swim_config *config, uint32_t n)
{
    uint32_t log = 0;

    while ((1u << log) < n + 1)
        log++;
    return config->retransmit_multiplier * log;
}

/* A PING that we answer, and a PING_REQ for which we send a PING. */
static void occasions(struct swim *s, swim_time now)
{
    struct message ping = {.kind = WIRE_PING, .from = 3, .has_probe = true};
    struct message req = {.kind = WIRE_PING_REQ, .from = 3, .target = 4, .target_addr = addr4(4)};

    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    assert_int_equal(hear(s, now, &req), SWIM_OK);
}

/* Whatever it goes along with, each accusation is told as often as a piece of news, to capable
 * peers, and then there is silence. */
static void test_each_is_told_so_often_and_no_more(void **state)
{
    static const uint32_t sizes[] = {12, 60};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct swim_config config = patient_config();
        uint32_t n = sizes[i % 2];
        uint32_t plain_from = n - 2;
        struct sent sent;
        swim_time now;
        struct swim *s;

        config.retransmit_multiplier = i < 2 ? 4 : 1;
        s = member_among(&config, n, &now);
        for (uint32_t number = plain_from; number <= n; number++) {
            struct message gossip = {
                .kind = WIRE_GOSSIP, .from = number, .heartbeat = 1000000, .plain = true};

            assert_int_equal(hear(s, now, &gossip), SWIM_OK);
        }
        forget_told();
        for (uint32_t accuser = 6; accuser <= 9; accuser++)
            hear_accusation(s, now, SENDER, SUSPECT, accuser);
        while (stats_of(s).accusations_queued + stats_of(s).news_queued > 0) {
            occasions(s, now);
            while (next_sent(s, now, &sent))
                count_told(&sent, plain_from);
            check_dossiers(s);
            now += 70 * SWIM_MS;
            swim_advance(s, now);
        }
        for (uint32_t accuser = 6; accuser <= 9; accuser++)
            assert_int_equal(told[accuser], limit_of(&config, n));
        assert_int_equal(told_in[WIRE_GOSSIP] + told_in[WIRE_PING] + told_in[WIRE_ACK],
                         4 * limit_of(&config, n));
        assert_true(told_in[WIRE_GOSSIP] && told_in[WIRE_PING] && told_in[WIRE_ACK]);
        assert_int_equal(status_of(s, SUSPECT), SWIM_SUSPECT);
        assert_int_equal(drain(s, now), 0);
        member_end(s);
    }
}

/* Gossip rounds go on for an accusation alone, and end with it. */
static void test_gossip_goes_on_for_an_accusation_alone(void **state)
{
    struct swim_config config = patient_config();
    uint32_t datagrams = 0;
    struct sent sent;
    swim_time now, end;
    struct swim *s = member_among(&config, 12, &now);

    (void)state;
    entry_with(s, now, SUSPECT, 0, SWIM_SUSPECT);
    now = settle(s, now, now + 60000 * SWIM_MS);
    assert_false(timer_is_on(s, TIMER_GOSSIP));
    forget_told();
    hear_accusation(s, now, SENDER, SUSPECT, 7);
    assert_int_equal(stats_of(s).news_queued, 0);
    assert_int_equal(stats_of(s).accusations_queued, 1);
    assert_true(timer_is_on(s, TIMER_GOSSIP));
    for (end = now + 60000 * SWIM_MS; now < end && timer_is_on(s, TIMER_GOSSIP);) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        while (next_sent(s, now, &sent)) {
            assert_int_equal(sent.dg.header.kind, WIRE_GOSSIP);
            assert_int_equal(sent.dg.entry_count, 0);
            assert_int_equal(count_told(&sent, NUMBERS), 1); /* nothing is sent for nothing */
            datagrams++;
        }
        assert_null(swim_check(s));
    }
    assert_int_equal(datagrams, limit_of(&config, 12));
    assert_int_equal(told[7], datagrams);
    assert_int_equal(stats_of(s).accusations_queued, 0);
    assert_true(swim_deadline(s) > now + 3000000 * SWIM_MS);
    member_end(s);
}

/* The accused is told too: it is the one who can refute. */
static void test_the_accused_is_told(void **state)
{
    struct swim_config config = patient_config();
    struct sent sent;
    swim_time now;
    struct swim *s = member_among(&config, 2, &now);

    (void)state;
    forget_told();
    claim_declare(s, member_find(s, 2), SWIM_SUSPECT);
    assert_true(accusation_add(s, member_find(s, 2), 1));
    swim_advance(s, now + 200 * SWIM_MS);
    assert_true(next_sent(s, now + 200 * SWIM_MS, &sent));
    assert_int_equal(addr4_number(&sent.to), 2);
    assert_int_equal(count_told(&sent, NUMBERS), 1);
    member_end(s);
}

/* The accusations in the ACK that `from` gets for a PING. */
static uint32_t in_ack(struct swim *s, swim_time now, uint32_t from, struct sent *sent)
{
    struct message ping = {.kind = WIRE_PING, .from = from, .has_probe = true};

    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_ACK, sent));
    return count_told(sent, NUMBERS);
}

static void accuse_range(struct swim *s, swim_time now, uint32_t first, uint32_t last,
                         uint32_t accuser)
{
    struct wire_suspicion all[DATAGRAM_FULL];

    while (first <= last) {
        uint32_t count = 0;

        for (; count < DATAGRAM_FULL && first <= last; first++)
            all[count++] = (struct wire_suspicion){first, 0, accuser};
        hear_all(s, now, all, count);
    }
}

static void test_a_datagram_takes_no_more_than_configured(void **state)
{
    static const uint32_t maxima[] = {0, 1, 6, 15, 16, 17, 58};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(maxima); i++) {
        struct swim_config config = patient_config();
        uint32_t most = maxima[i] < WRITTEN_MAX ? maxima[i] : WRITTEN_MAX;
        uint32_t greatest = 0;
        struct sent sent;
        swim_time now;
        struct swim *s;

        config.piggyback_max = maxima[i];
        config.fanout = maxima[i] ? maxima[i] : 1;
        config.adaptive_fanout = false;
        s = member_among(&config, 60, &now);
        accuse_range(s, now, 10, 40, 4);
        drain(s, now);
        assert_int_equal(in_ack(s, now, 3, &sent), most);
        now += 200 * SWIM_MS;
        swim_advance(s, now);
        while (next_sent_of(s, now, WIRE_GOSSIP, &sent)) {
            uint32_t count = count_told(&sent, NUMBERS);

            greatest = count > greatest ? count : greatest;
        }
        assert_int_equal(greatest, most ? most : 1);
        member_end(s);
    }
}

static uint64_t only_target(const struct sent *sent)
{
    struct reader left = reader_of(sent->dg.suspicions, sent->dg.suspicions_size);
    struct wire_suspicion suspicion;

    assert_true(wire_next_suspicion(&left, &suspicion));
    assert_int_equal(reader_left(&left), 0);
    return suspicion.target;
}

/* The newest first; then whoever has not been told of for longest. */
static void test_suspects_take_turns(void **state)
{
    static const uint32_t expected[] = {13, 12, 11, 10, 13, 12, 20, 11, 10};
    struct swim_config config = patient_config();
    struct sent sent;
    swim_time now;
    struct swim *s;

    (void)state;
    config.piggyback_max = 1;
    s = member_among(&config, 60, &now);
    for (uint32_t number = 10; number <= 13; number++)
        hear_accusation(s, now, SENDER, number, 4);
    for (unsigned i = 0; i < COUNT_OF(expected); i++) {
        if (expected[i] == 20)
            hear_accusation(s, now, SENDER, 20, 4);
        assert_int_equal(in_ack(s, now, 3, &sent), 1);
        assert_int_equal(only_target(&sent), expected[i]);
    }
    member_end(s);
}

/* A newcomer is being sent the whole table: no accusation is spent on it. */
static void test_a_newcomer_is_not_told(void **state)
{
    struct swim_config config = patient_config();
    struct sent sent;
    swim_time now;
    struct swim *s = member_among(&config, 12, &now);

    (void)state;
    hear_accusation(s, now, SENDER, SUSPECT, 7);
    assert_int_equal(in_ack(s, now, 50, &sent), 0);
    assert_int_equal(in_ack(s, now, 50, &sent), 1);
    member_end(s);
}

/* ---- Dossiers ---- */

static void end_refuted(struct swim *s, swim_time now)
{
    entry_with(s, now, SUSPECT, 0, SWIM_ALIVE);
}

static void end_answered(struct swim *s, swim_time now)
{
    struct message ack = {.kind = WIRE_ACK, .from = SUSPECT, .heartbeat = 100000};

    assert_int_equal(hear(s, now, &ack), SWIM_OK);
}

static void end_reborn(struct swim *s, swim_time now)
{
    entry_with(s, now, SUSPECT, 1, SWIM_ALIVE);
}

static void end_reborn_suspect(struct swim *s, swim_time now)
{
    entry_with(s, now, SUSPECT, 1, SWIM_SUSPECT);
}

static void end_dead(struct swim *s, swim_time now)
{
    entry_with(s, now, SUSPECT, 0, SWIM_DEAD);
}

static void end_left(struct swim *s, swim_time now)
{
    struct message leave = {.kind = WIRE_LEAVE, .from = SUSPECT};

    assert_int_equal(hear(s, now, &leave), SWIM_OK);
}

static void end_superseded(struct swim *s, swim_time now)
{
    struct message gossip = {.kind = WIRE_GOSSIP, .from = 77, .at = addr4(SUSPECT)};

    assert_int_equal(hear(s, now, &gossip), SWIM_OK);
}

static void end_in_time(struct swim *s, swim_time now)
{
    swim_time due = suspicion_deadline(s);

    while (swim_deadline(s) < due) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        drain(s, now);
    }
    swim_advance(s, due);
}

/* However a suspicion ends, its dossier is free again, and empty for the next. */
static void test_a_dossier_ends_with_its_suspicion(void **state)
{
    static const struct {
        void (*end)(struct swim *s, swim_time now);
        enum swim_status status;
    } ends[] = {
        {end_refuted, SWIM_ALIVE},          {end_answered, SWIM_ALIVE}, {end_reborn, SWIM_ALIVE},
        {end_reborn_suspect, SWIM_SUSPECT}, {end_dead, SWIM_DEAD},      {end_left, SWIM_LEFT},
        {end_superseded, SWIM_DEAD},        {end_in_time, SWIM_DEAD},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(ends); i++) {
        swim_time now;
        struct swim *s = begin_among(20, &now);
        bool is_suspect = ends[i].status == SWIM_SUSPECT;

        for (uint32_t accuser = 6; accuser <= 8; accuser++)
            hear_accusation(s, now, SENDER, SUSPECT, accuser);
        assert_int_equal(stats_of(s).accusations_queued, 1);
        check_dossiers(s);
        ends[i].end(s, now);
        assert_int_equal(status_of(s, SUSPECT), ends[i].status);
        assert_int_equal(stats_of(s).accusations_queued, 0);
        assert_int_equal(accuser_count(s, SUSPECT), 0);
        assert_int_equal(dossier_of(s, SUSPECT) != NULL, is_suspect);
        check_dossiers(s);
        /* The next takes its place, and knows nothing of it. */
        hear_accusation(s, s->now, SENDER, 12, 9);
        assert_int_equal(accuser_count(s, 12), 1);
        assert_int_equal(dossier_of(s, 12)->accusers[0], 9);
        assert_int_equal(dossier_of(s, 12)->sent[0], 0);
        assert_int_equal(s->dossiers_high, is_suspect ? 2 : 1);
        check_dossiers(s);
        member_end(s);
    }
}

/* A later life is accused anew: nobody's old word counts against it. */
static void test_a_later_life_is_accused_anew(void **state)
{
    const struct wire_suspicion old = {SUSPECT, 0, 6}, new = {SUSPECT, 1, 6};
    swim_time now;
    struct swim *s = begin_among(20, &now);

    (void)state;
    for (uint32_t accuser = 6; accuser <= 8; accuser++)
        hear_accusation(s, now, SENDER, SUSPECT, accuser);
    end_reborn_suspect(s, now);
    hear_all(s, now, &old, 1);
    assert_int_equal(accuser_count(s, SUSPECT), 0);
    hear_all(s, now, &new, 1);
    assert_int_equal(accuser_count(s, SUSPECT), 1);
    assert_true(suspicion_deadline(s) == now + suspicion_timeout(s, SUSPECT));
    member_end(s);
}

/* Through all deaths, so often that the lists are seen in many states. */
static swim_time until_no_suspects(struct swim *s, swim_time now)
{
    while (swim_member_count(s, SWIM_SUSPECT) > 0) {
        drain(s, now);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        check_dossiers(s);
    }
    return now;
}

/* Suspicions that find no dossier last their full time, whoever confirms them, and are as good
 * as the others otherwise. */
static void test_more_suspects_than_dossiers(void **state)
{
    enum { FIRST = 10, WITH = FIRST + DOSSIERS_MAX, LAST = WITH + 60 };
    struct swim_config config = quiet_config_of(1);
    swim_time now, due;
    struct swim *s;

    (void)state;
    config.members_max = NUMBERS;
    config.suspect_jitter_ms = 0;
    s = member_among(&config, LAST, &now);
    due = now + suspicion_timeout(s, 2);
    for (uint32_t accuser = 2; accuser <= 5; accuser++)
        accuse_range(s, now, FIRST, LAST, accuser);
    assert_int_equal(swim_member_count(s, SWIM_SUSPECT), LAST - FIRST + 1);
    for (uint32_t number = FIRST; number <= LAST; number++)
        assert_int_equal(accuser_count(s, number), number < WITH ? 4 : 0);
    assert_int_equal(stats_of(s).suspicions_confirmed, 3 * DOSSIERS_MAX);
    check_dossiers(s);
    /* Some come back, and are suspected again: the first of them find the places free. */
    for (uint32_t number = FIRST; number < FIRST + 5; number++)
        entry_with(s, now, number, 1, SWIM_ALIVE);
    assert_int_equal(s->dossiers_free.count, 5);
    for (uint32_t number = LAST + 1; number <= LAST + 7; number++) {
        hear_members(s, now, number, number);
        entry_with(s, now, number, 0, SWIM_SUSPECT);
        assert_int_equal(dossier_of(s, number) != NULL, number <= LAST + 5);
    }
    check_dossiers(s);
    while (s->now + 3000 * SWIM_MS < due) {
        drain(s, now);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        now = now < due - 3000 * SWIM_MS ? now : due - 3000 * SWIM_MS;
        swim_advance(s, now);
    }
    for (uint32_t number = FIRST + 5; number <= LAST; number++)
        assert_int_equal(status_of(s, number) == SWIM_SUSPECT, number >= WITH);
    now = until_no_suspects(s, now);
    assert_int_equal(stats_of(s).failures, LAST + 7 - FIRST + 1 - 5);
    assert_int_equal(s->dossiers_high, DOSSIERS_MAX);
    assert_int_equal(s->dossiers_free.count, DOSSIERS_MAX);
    hear_accusation(s, now, SENDER, 7, 8);
    assert_int_equal(accuser_count(s, 7), 1);
    member_end(s);
}

/* Tombstones give way to newcomers, whose slots were suspects' once. */
static void test_slots_are_used_again(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s;

    (void)state;
    config.members_max = 16;
    s = member_among(&config, 16, &now);
    for (uint32_t number = 20; number < 200; number++) {
        uint32_t victim = number - 10 < 16 ? number - 10 : number - 1;

        if (status_of(s, victim) < 0)
            continue;
        hear_accusation(s, now, SENDER, victim, 3);
        hear_accusation(s, now, SENDER, victim, 4);
        assert_int_equal(accuser_count(s, victim), 2);
        check_dossiers(s);
        entry_with(s, now, victim, 0, SWIM_DEAD);
        drain(s, now);
        drain_events(s);
        hear_members(s, now, number, number);
        assert_int_equal(status_of(s, number), SWIM_ALIVE);
        assert_int_equal(accuser_count(s, number), 0);
        check_dossiers(s);
        now += 2000 * SWIM_MS; /* or its joining is recent evidence */
        swim_advance(s, now);
    }
    assert_int_equal(s->dossiers_high, 1);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_told_so_often_and_no_more),
        cmocka_unit_test(test_gossip_goes_on_for_an_accusation_alone),
        cmocka_unit_test(test_the_accused_is_told),
        cmocka_unit_test(test_a_datagram_takes_no_more_than_configured),
        cmocka_unit_test(test_suspects_take_turns),
        cmocka_unit_test(test_a_newcomer_is_not_told),
        cmocka_unit_test(test_a_dossier_ends_with_its_suspicion),
        cmocka_unit_test(test_a_later_life_is_accused_anew),
        cmocka_unit_test(test_more_suspects_than_dossiers),
        cmocka_unit_test(test_slots_are_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
