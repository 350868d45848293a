/*
 * Tables are filled: by strangers whose addresses are not theirs, by strangers who answer, and by a
 * member that tells of 20,000 others. docs/security.md, bounds; docs/protocol.md sections 4 and 10.
 */
#include "attacker.h"

enum { NODES = 5, PLACES = 64, KNOCKS = 10000, GHOSTS = 20000 };

static struct guarded *begin(const char *name, enum guard_mode mode)
{
    struct guarded *world = guarded_new(name, mode, NODES, PLACES);

    guarded_settle(world);
    return world;
}

/* All members are held by all, and no table is larger than it may be. */
static void expect_bounds(const struct guarded *world)
{
    for (uint32_t i = 0; i < NODES; i++) {
        struct swim_stats stats;

        swim_stats(member_of(world, i), &stats);
        assert_true(stats.slots_used <= PLACES && stats.slots_max == PLACES);
        assert_true(stats.outbox_queued <= 512);
        for (uint32_t k = 0; k < NODES; k++) {
            struct swim_member member;

            assert_true(knows(world, i, id_of(world, k), &member));
            assert_true(member.status <= SWIM_SUSPECT);
        }
    }
}

/* Each knocks once, under an id and from an address of its own; nobody there answers, or all do. */
static void knock(struct guarded *world, bool is_proved)
{
    struct swim_addr from = make_addr(5, 1000);

    for (uint32_t i = 0; i < KNOCKS; i++) {
        struct lie lie = {.header = {.kind = WIRE_PING, .sender_id = 1000000 + i},
                          .is_proved = is_proved,
                          .is_padded = true};

        from.port = (uint16_t)(1000 + i);
        tell(world, &from, i % NODES, &lie);
        if (i % 100 == 0) {
            run_ms(world->sim, 10);
            expect_bounds(world);
        }
    }
    run_ms(world->sim, 1000);
    expect_bounds(world);
}

static void strangers_that_are_not_there(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = begin(__func__, mode);
        struct picture before;

        picture_take(world, &before);
        knock(world, false);
        if (mode == PLAINTEXT)
            assert_true(COUNTER(world, drop_unproved) >= KNOCKS);
        else
            assert_true(seal_drops(world, SWIM_SEAL_DROP_FORGED) >= KNOCKS);
        run_ms(world->sim, 30000);
        expect_picture(world, &before, true);
        guarded_end(world);
    }
}

static void strangers_that_answer(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = begin(__func__, mode);
        uint64_t since = sim_now(world->sim);
        struct picture before;

        picture_take(world, &before);
        knock(world, true);
        if (mode == PLAINTEXT) {
            assert_true(COUNTER(world, newcomers_refused) > 0);
            printf("    they are gone after %llu ms\n",
                   (unsigned long long)expect_guarded(world, 1200000));
        }
        run_ms(world->sim, 60000);
        expect_picture(world, &before, mode != PLAINTEXT);
        expect_trusted(world, since);
        guarded_end(world);
    }
}

/* Number 1 has the key, and tells of members that never were. */
static void a_member_tells_of_ghosts(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = begin(__func__, mode);
        struct swim_addr from = sim_addr(world->sim, world->guards[1].node);
        uint64_t since = sim_now(world->sim);

        for (uint32_t at = 0; at < GHOSTS;) {
            struct wire_entry ghosts[50];
            struct lie lie = {.liar = INSIDER,
                              .as = 1,
                              .header = header_of(world, 1, WIRE_GOSSIP),
                              .entries = ghosts};

            for (; lie.count < COUNT_OF(ghosts); lie.count++, at++)
                ghosts[lie.count] = (struct wire_entry){.id = 1000000 + at,
                                                        .addr = make_addr(7, (uint16_t)(1 + at))};
            tell_all(world, &from, 1, &lie);
            run_ms(world->sim, 10);
            expect_bounds(world);
        }
        assert_true(COUNTER(world, newcomers_refused) > GHOSTS);
        printf("    they are gone after %llu ms\n",
               (unsigned long long)expect_guarded(world, 1200000));
        run_ms(world->sim, 60000);
        expect_guarded(world, 0);
        expect_trusted(world, since);
        guarded_end(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_that_are_not_there),
        cmocka_unit_test(strangers_that_answer),
        cmocka_unit_test(a_member_tells_of_ghosts),
    };

    return cmocka_run_group_tests_name("attack_table", tests, NULL, NULL);
}
