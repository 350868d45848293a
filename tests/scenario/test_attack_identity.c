/*
 * Two that claim one id, and a claim that a member has moved. docs/security.md, the stranger on the
 * network and the misbehaving member; docs/protocol.md sections 3, 4 and 10.
 */
#include "attacker.h"

enum { NODES = 8, VICTIM = 3 };

/* By all but those that claim the victim's id, nobody but the victim was doubted; or, when doubts
 * are allowed, declared dead. */
static void expect_others_trusted(const struct guarded *world, uint64_t since, bool may_doubt)
{
    uint64_t contested = id_of(world, VICTIM);

    for (size_t i = 0; i < world->event_count; i++) {
        const struct sim_event *e = &world->events[i];

        if (e->at < since || e->node == VICTIM || e->node == NODES || e->id == contested)
            continue;
        assert_true(e->kind != SWIM_EVENT_FAILED);
        assert_true(may_doubt || e->kind != SWIM_EVENT_SUSPECTED);
    }
}

/* ---- The same id twice ------------------------------------------------------------------- */

/* Neither yields: each refutes the other, about once a second. That costs a bounded traffic, and
 * nobody else's place; it ends when one of them does. */
static void expect_a_contest(struct guarded *world, const struct sim_traffic *traffic,
                             uint64_t begin)
{
    uint64_t refuted = told(world, SWIM_EVENT_REFUTED, 0, begin);

    printf("    %llu refutations, %llu datagrams and %llu bytes a member and second\n",
           (unsigned long long)refuted,
           (unsigned long long)traffic->datagrams_total / (60 * (NODES + 1)),
           (unsigned long long)traffic->bytes_total / (60 * (NODES + 1)));
    assert_in_range(refuted, 20, 60 * 5);
    assert_true(traffic->datagrams_total < 60 * (NODES + 1) * 40);
    expect_others_trusted(world, begin, false);
    guarded_crash(world, NODES);
    world->count--;
    expect_guarded(world, 5000);
}

/* The later start has the id, at once and for good. The other one is heard by nobody until it
 * starts anew; that it then doubts everybody, nobody hears. */
static void expect_a_successor(struct guarded *world, uint64_t begin)
{
    struct swim_addr home = sim_addr(world->sim, world->guards[NODES].node);
    struct swim_member member;

    for (uint32_t i = 0; i < NODES; i++) {
        if (i == VICTIM)
            continue;
        assert_true(knows(world, i, id_of(world, VICTIM), &member));
        assert_int_equal(member.status, SWIM_ALIVE);
        assert_true(is_equal_addr(&member.addr, &home));
    }
    assert_true(told(world, SWIM_EVENT_REFUTED, 0, begin) <= 20);
    expect_others_trusted(world, begin, true); /* by the older one's word, while some hear it */
    guarded_crash(world, NODES);
    world->count--;
    guarded_restart(world, VICTIM, RESTART_SAME_ID);
    expect_guarded(world, 60000);
}

/* A second process, with the key, at another address, under the id of a member that runs. */
static void a_second_process_with_the_same_id(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = guarded_settled(__func__, mode, NODES);
        struct sim_traffic before = sim_sent(world->sim, SIM_NOBODY), after, traffic;
        uint64_t begin = sim_now(world->sim);

        guarded_add_as(world, id_of(world, VICTIM));
        run_ms(world->sim, 60000);
        after = sim_sent(world->sim, SIM_NOBODY);
        traffic = sim_traffic_since(&after, &before);
        if (mode == ENVELOPE_2)
            expect_a_successor(world, begin);
        else
            expect_a_contest(world, &traffic, begin);
        run_ms(world->sim, 60000);
        expect_guarded(world, 0);
        guarded_end(world);
    }
}

/* One that has died comes back as it once began, at its address or at another one, before it is
 * missed and after: the id is its own again. */
static void the_same_id_without_its_memory(void **state)
{
    static const uint64_t away_ms[] = {0, 2000, 8000, 20000, 60000};

    (void)state;
    FOR_EACH_MODE(mode)
    {
        for (size_t i = 0; i < 2 * COUNT_OF(away_ms); i++) {
            struct guarded *world = guarded_settled(__func__, mode, NODES);
            uint64_t begin = sim_now(world->sim);

            guarded_crash(world, VICTIM);
            run_ms(world->sim, away_ms[i / 2]);
            if (i % 2)
                guarded_move(world, VICTIM,
                             &(struct swim_addr){.ip = {10, 1, 1, 1}, .port = 7000, .family = 4});
            guarded_restart(world, VICTIM, RESTART_FORGETFUL);
            printf("    away for %llu ms, back after %llu\n", (unsigned long long)away_ms[i / 2],
                   (unsigned long long)expect_guarded(world, 5000));
            run_ms(world->sim, 60000);
            expect_guarded(world, 0);
            expect_others_trusted(world, begin, false);
            guarded_end(world);
        }
    }
}

/* ---- Hijack ------------------------------------------------------------------------------ */

enum claim { SILENT, ECHOED };

static void hijack(const char *name, enum guard_mode mode, enum claim claim)
{
    struct guarded *world = guarded_settled(name, mode, NODES);
    struct swim_addr elsewhere = make_addr(9, 999);
    struct lie lie = {.header = header_of(world, VICTIM, WIRE_PING), .is_proved = claim == ECHOED};
    uint64_t begin = sim_now(world->sim);
    struct picture before;

    picture_take(world, &before);
    for (unsigned i = 0; i < 20; i++) {
        lie.header.incarnation = header_of(world, VICTIM, 0).incarnation + 1;
        lie.header.heartbeat += 100;
        tell_all(world, &elsewhere, VICTIM, &lie);
        run_ms(world->sim, 1);
        if (mode == PLAINTEXT && claim == ECHOED)
            assert_false(guarded_converged(world->sim, world));
        run_ms(world->sim, 100);
    }
    if (mode == PLAINTEXT && claim == ECHOED) {
        printf("    back after %llu ms\n", (unsigned long long)expect_guarded(world, 5000));
        run_ms(world->sim, 30000);
        expect_guarded(world, 0);
        expect_others_trusted(world, begin, false);
    } else {
        run_ms(world->sim, 30000);
        expect_picture(world, &before, true);
    }
    guarded_end(world);
}

static void an_address_is_claimed(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    hijack(__func__, mode, SILENT);
}

static void an_address_is_claimed_with_an_echo(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    hijack(__func__, mode, ECHOED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_process_with_the_same_id),
        cmocka_unit_test(the_same_id_without_its_memory),
        cmocka_unit_test(an_address_is_claimed),
        cmocka_unit_test(an_address_is_claimed_with_an_echo),
    };

    return cmocka_run_group_tests_name("attack_identity", tests, NULL, NULL);
}
