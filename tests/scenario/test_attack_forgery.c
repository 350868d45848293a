/*
 * Words in a live member's name: that it leaves, that it is suspect, that it is many lives further.
 * docs/security.md, the stranger on the network; docs/protocol.md sections 4, 5, 9 and 10.
 */
#include "attacker.h"

enum { NODES = 8, VICTIM = 3 };

/* By when a member that was lied about is back everywhere: it hears of it, and says so. */
#define BACK_MS 2000

/* After an attack: nothing at all has changed. */
static void expect_nothing(struct guarded *world, const struct picture *before, uint64_t for_ms)
{
    run_ms(world->sim, for_ms);
    expect_picture(world, before, true);
    if (world->mode != PLAINTEXT)
        assert_true(seal_drops(world, SWIM_SEAL_DROP_FORGED) >= NODES - 1);
}

static void report(const struct guarded *world, uint64_t begin, uint64_t took_ms)
{
    printf("    back after %llu ms; %llu suspected, %llu failed, %llu left, %llu refuted\n",
           (unsigned long long)took_ms,
           (unsigned long long)told(world, SWIM_EVENT_SUSPECTED, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_FAILED, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_LEFT, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_REFUTED, 0, begin));
}

/* ---- Forged leave ------------------------------------------------------------------------ */

enum origin { ITS_OWN, ELSEWHERE, ELSEWHERE_ECHOED };

static void forge_leave(const char *name, enum guard_mode mode, enum origin origin)
{
    struct guarded *world = guarded_settled(name, mode, NODES);
    struct swim_addr from = origin == ITS_OWN ? sim_addr(world->sim, VICTIM) : make_addr(9, 999);
    struct lie leave = {.header = header_of(world, VICTIM, WIRE_LEAVE),
                        .is_proved = origin == ELSEWHERE_ECHOED};
    uint64_t begin = sim_now(world->sim);
    struct picture before;

    leave.header.heartbeat += 1000;
    picture_take(world, &before);
    tell_all(world, &from, VICTIM, &leave);
    if (mode != PLAINTEXT || origin == ELSEWHERE) {
        expect_nothing(world, &before, 30000);
    } else {
        run_ms(world->sim, 1);
        assert_int_equal(told(world, SWIM_EVENT_LEFT, id_of(world, VICTIM), begin), NODES - 1);
        report(world, begin, expect_guarded(world, BACK_MS));
        run_ms(world->sim, 30000);
        expect_guarded(world, 0);
        expect_trusted(world, begin);
    }
    guarded_end(world);
}

static void a_forged_leave_from_its_own_address(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    forge_leave(__func__, mode, ITS_OWN);
}

static void a_forged_leave_from_elsewhere(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    forge_leave(__func__, mode, ELSEWHERE);
}

static void a_forged_leave_from_elsewhere_with_an_echo(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    forge_leave(__func__, mode, ELSEWHERE_ECHOED);
}

/* ---- Suspicion storm --------------------------------------------------------------------- */

/* In the name of number `as`, from its address: everybody else is suspect, at its present
 * incarnation, by record and by entry. */
static void accuse_all(struct guarded *world, uint32_t as, uint32_t to)
{
    struct swim_addr from = sim_addr(world->sim, as);
    struct wire_suspicion suspicions[NODES];
    struct wire_entry entries[NODES];
    struct lie lie = {
        .header = header_of(world, as, WIRE_GOSSIP), .suspicions = suspicions, .entries = entries};

    for (uint32_t i = 0; i < NODES; i++) {
        struct wire_header self = header_of(world, i, WIRE_GOSSIP);

        if (i == as)
            continue;
        suspicions[lie.suspicion_count++] =
            (struct wire_suspicion){self.sender_id, self.incarnation, id_of(world, as)};
        entries[lie.count++] = (struct wire_entry){.id = self.sender_id,
                                                   .heartbeat = self.heartbeat + 2,
                                                   .incarnation = self.incarnation,
                                                   .status = SWIM_SUSPECT,
                                                   .addr = sim_addr(world->sim, i)};
    }
    tell(world, &from, to, &lie);
}

/* Ten times a second for 30 seconds everybody is accused by everybody, to everybody. */
static void a_storm_of_suspicions(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = guarded_settled(__func__, mode, NODES);
        uint64_t begin = sim_now(world->sim);
        struct picture before;

        picture_take(world, &before);
        for (uint32_t step = 0; step < 300; step++) {
            for (uint32_t as = 0; as < NODES; as++) {
                for (uint32_t to = 0; to < NODES; to++) {
                    if (to != as)
                        accuse_all(world, as, to);
                }
            }
            run_ms(world->sim, 100);
        }
        report(world, begin, 0);
        if (mode == PLAINTEXT) {
            report(world, begin, expect_guarded(world, BACK_MS));
            expect_alive(world, begin);
        } else {
            expect_nothing(world, &before, 30000);
        }
        guarded_end(world);
    }
}

/* ---- Incarnation poisoning --------------------------------------------------------------- */

static void poison(const char *name, enum guard_mode mode, uint32_t incarnation, uint8_t status)
{
    struct guarded *world = guarded_settled(name, mode, NODES);
    struct swim_addr from = sim_addr(world->sim, 1);
    struct wire_entry entry = held_by(world, 0, id_of(world, VICTIM));
    struct lie lie = {.header = header_of(world, 1, WIRE_GOSSIP), .entries = &entry, .count = 1};
    uint64_t begin = sim_now(world->sim);
    struct picture before;

    picture_take(world, &before);
    entry.incarnation = incarnation;
    entry.status = status;
    tell_all(world, &from, VICTIM, &lie);
    if (mode == PLAINTEXT) {
        run_ms(world->sim, 1);
        assert_false(guarded_converged(world->sim, world));
        report(world, begin, expect_guarded(world, BACK_MS));
        assert_int_equal(header_of(world, VICTIM, 0).incarnation,
                         incarnation == UINT32_MAX ? 0 : incarnation + 1);
        run_ms(world->sim, 60000);
        expect_guarded(world, 0);
        for (uint32_t i = 0; i < NODES; i++)
            assert_true(i == VICTIM || !told(world, SWIM_EVENT_FAILED, id_of(world, i), begin));
    } else {
        expect_nothing(world, &before, 30000);
    }
    guarded_end(world);
}

static void incarnations_are_poisoned(void **state)
{
    static const uint32_t incarnations[] = {1000000, UINT32_MAX - 1, UINT32_MAX};
    static const uint8_t statuses[] = {SWIM_ALIVE, SWIM_SUSPECT, SWIM_DEAD, SWIM_LEFT};

    (void)state;
    FOR_EACH_MODE(mode)
    {
        for (size_t i = 0; i < COUNT_OF(incarnations); i++) {
            for (size_t k = 0; k < COUNT_OF(statuses); k++)
                poison(__func__, mode, incarnations[i], statuses[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forged_leave_from_its_own_address),
        cmocka_unit_test(a_forged_leave_from_elsewhere),
        cmocka_unit_test(a_forged_leave_from_elsewhere_with_an_echo),
        cmocka_unit_test(a_storm_of_suspicions),
        cmocka_unit_test(incarnations_are_poisoned),
    };

    return cmocka_run_group_tests_name("attack_forgery", tests, NULL, NULL);
}
