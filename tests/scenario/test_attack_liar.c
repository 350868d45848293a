/*
 * A member that holds the key lies about others. Nobody can keep a member from saying what it
 * likes; what it says of the living is refuted, and costs third parties little. docs/security.md, the
 * misbehaving member; docs/protocol.md sections 4, 5, 7 and 10.
 */
#include "attacker.h"

enum { NODES = 8, LIAR = 1, STEPS = 100, STEP_MS = 300, SECONDS_OF_GHOSTS = 60 };

/* By when everybody lied about is back everywhere, once the lies have ended. */
#define BACK_MS 3000
#define MOVED_BACK_MS 60000

typedef void edit_fn(struct wire_entry *entry);

static void as_dead(struct wire_entry *entry)
{
    entry->status = SWIM_DEAD;
}

static void as_suspect(struct wire_entry *entry)
{
    entry->status = SWIM_SUSPECT;
    entry->heartbeat += 2;
}

static void as_left(struct wire_entry *entry)
{
    entry->status = SWIM_LEFT;
}

static void as_moved(struct wire_entry *entry)
{
    entry->heartbeat += 2;
    entry->addr = make_addr(50, (uint16_t)(1 + entry->id % 1000));
}

/* What the liar tells number `to` of all others. */
static void lie_about_all(struct guarded *world, uint32_t to, edit_fn *edit)
{
    struct swim_addr from = sim_addr(world->sim, world->guards[LIAR].node);
    struct wire_entry entries[NODES];
    struct lie lie = {.liar = INSIDER,
                      .as = LIAR,
                      .header = header_of(world, LIAR, WIRE_GOSSIP),
                      .entries = entries};

    for (uint32_t i = 0; i < NODES; i++) {
        struct wire_header self = header_of(world, i, WIRE_GOSSIP);
        struct wire_entry *entry = &entries[lie.count];

        if (i == LIAR || i == to)
            continue;
        *entry = (struct wire_entry){.id = self.sender_id,
                                     .heartbeat = self.heartbeat,
                                     .incarnation = self.incarnation,
                                     .addr = sim_addr(world->sim, i)};
        edit(entry);
        lie.count++;
    }
    tell(world, &from, to, &lie);
}

/* Half a minute of lies about everybody, to everybody. */
static void lie_on(struct guarded *world, edit_fn *edit)
{
    for (uint32_t step = 0; step < STEPS; step++) {
        for (uint32_t to = 0; to < NODES; to++) {
            if (to != LIAR)
                lie_about_all(world, to, edit);
        }
        run_ms(world->sim, STEP_MS);
    }
}

/* The cluster comes to itself within `back_ms`, and then has peace. */
static void lie_and_recover(const char *name, enum guard_mode mode, edit_fn *edit, uint64_t back_ms,
                            bool may_bury)
{
    struct guarded *world = guarded_settled(name, mode, NODES);
    uint64_t begin = sim_now(world->sim);
    uint64_t lies = STEPS * (NODES - 1) * (NODES - 2);

    lie_on(world, edit);
    printf("    %llu lies: %llu suspected, %llu failed, %llu left, %llu refuted",
           (unsigned long long)lies,
           (unsigned long long)told(world, SWIM_EVENT_SUSPECTED, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_FAILED, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_LEFT, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_REFUTED, 0, begin));
    printf("; back after %llu ms\n", (unsigned long long)expect_guarded(world, back_ms));
    if (!may_bury)
        expect_alive(world, begin);
    run_ms(world->sim, back_ms);
    begin = sim_now(world->sim);
    run_ms(world->sim, 60000);
    expect_guarded(world, 0);
    expect_trusted(world, begin);
    guarded_end(world);
}

static void others_are_said_to_be_dead(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        lie_and_recover(__func__, mode, as_dead, BACK_MS, true);
        lie_and_recover(__func__, mode, as_left, BACK_MS, true);
    }
}

static void others_are_said_to_be_suspect(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    lie_and_recover(__func__, mode, as_suspect, BACK_MS, false);
}

/* The address is part of a record, and merging takes the greater one whole: that is what makes it
 * free of the order of arrival. So a member is looked for where it is said to be until it speaks:
 * meanwhile it is doubted, and may be taken for dead. */
static void others_are_said_to_have_moved(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    lie_and_recover(__func__, mode, as_moved, MOVED_BACK_MS, true);
}

/* ---- Ghosts at a victim's address -------------------------------------------------------- */

/* To everybody, ever new ghosts, all at the victim's address. */
static void ghosts_at(struct guarded *world, const struct swim_addr *victim, uint32_t seconds)
{
    struct swim_addr from = sim_addr(world->sim, world->guards[LIAR].node);
    struct wire_entry ghosts[40];
    struct lie lie = {.liar = INSIDER, .as = LIAR, .entries = ghosts, .count = COUNT_OF(ghosts)};
    uint64_t id = 1000000;

    for (uint32_t step = 0; step < 10 * seconds; step++) {
        lie.header = header_of(world, LIAR, WIRE_GOSSIP);
        for (size_t i = 0; i < COUNT_OF(ghosts); i++)
            ghosts[i] = (struct wire_entry){.id = id++, .addr = *victim};
        tell_all(world, &from, LIAR, &lie);
        run_ms(world->sim, 100);
    }
}

/* A probe a second from each, the indirect ones, and introductions for gossip: each small, and none
 * larger for what the liar says. Afterwards one try in ten seconds from each, as for any member that
 * died. */
static void ghosts_at_a_victims_address(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = guarded_settled(__func__, mode, NODES);
        struct swim_addr victim = make_addr(88, 53);
        uint64_t begin = sim_now(world->sim), gone_ms;

        watch_victim(world, &victim);
        ghosts_at(world, &victim, SECONDS_OF_GHOSTS);
        assert_true(world->victim_largest <= 200 + SWIM_SEAL_OVERHEAD_MAX);
        assert_true(world->victim_datagrams <= SECONDS_OF_GHOSTS * NODES * 45);
        printf("    each second, from each member: %llu datagrams, %llu bytes",
               (unsigned long long)world->victim_datagrams / SECONDS_OF_GHOSTS / NODES,
               (unsigned long long)world->victim_bytes / SECONDS_OF_GHOSTS / NODES);
        gone_ms = expect_guarded(world, 1200000);
        watch_victim(world, &victim);
        run_ms(world->sim, 600000);
        assert_true(world->victim_datagrams <= 2 * NODES * 60);
        printf("; gone after %llu s; then %llu datagrams in 10 minutes\n",
               (unsigned long long)gone_ms / 1000, (unsigned long long)world->victim_datagrams);
        expect_trusted(world, begin);
        expect_guarded(world, 0);
        guarded_end(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_said_to_be_dead),
        cmocka_unit_test(others_are_said_to_be_suspect),
        cmocka_unit_test(others_are_said_to_have_moved),
        cmocka_unit_test(ghosts_at_a_victims_address),
    };

    return cmocka_run_group_tests_name("attack_liar", tests, NULL, NULL);
}
