/*
 * Attackers and keys: one who holds a key that is no longer used, one who changes envelopes on
 * their way, one who holds the key and writes as somebody else. docs/security.md; docs/protocol.md
 * section 3.
 */
#include "attacker.h"

enum { NODES = 6, VICTIM = 3, NEW_KEY = 3, CLEAR_BYTES = 28 };

/* ---- An old key -------------------------------------------------------------------------- */

static void change_key(struct guarded *world)
{
    const uint8_t old[SWIM_KEY_SIZE] = {CLUSTER_KEY}, new[SWIM_KEY_SIZE] = {NEW_KEY};

    for (uint32_t step = 0; step < 3; step++) {
        for (uint32_t i = 0; i < world->count; i++) {
            struct swim_seal *seal = world->guards[i].seal;
            enum swim_key_error error;

            error = step == 0   ? swim_seal_key_install(seal, new)
                    : step == 1 ? swim_seal_key_use(seal, swim_key_id(new))
                                : swim_seal_key_remove(seal, swim_key_id(old));
            assert_int_equal(error, SWIM_KEY_OK);
            run_ms(world->sim, 700);
        }
    }
    world->keys[0] = NEW_KEY;
}

/* What he recorded, what he writes as anybody, and a member of his own: nothing is heard. And in
 * the change itself no probe was lost. */
static void the_holder_of_an_old_key(void **state)
{
    (void)state;
    for (int mode = ENVELOPE_1; mode < GUARD_MODES; mode++) {
        struct guarded *world = guarded_new(__func__, (enum guard_mode)mode, NODES, 256);
        struct swim_addr from;
        struct lie lie;
        struct picture before;
        uint64_t dropped;
        size_t sent;

        world->is_recording = true;
        guarded_settle(world);
        world->is_recording = false;
        change_key(world);
        expect_trusted(world, 0);
        assert_int_equal(COUNTER(world, probe_direct_timeouts), 0);
        picture_take(world, &before);
        dropped = seal_drops(world, SWIM_SEAL_DROP_KEY) + seal_drops(world, SWIM_SEAL_DROP_FORGED);
        sent = replay(world,
                      &(struct replay){.begin = 0, .end = world->tape_count, .only = SIM_NOBODY});
        from = sim_addr(world->sim, VICTIM);
        lie = (struct lie){
            .liar = FORMER, .header = header_of(world, VICTIM, WIRE_LEAVE), .is_proved = true};
        tell_all(world, &from, VICTIM, &lie);
        run_ms(world->sim, 1);
        dropped = seal_drops(world, SWIM_SEAL_DROP_KEY) + seal_drops(world, SWIM_SEAL_DROP_FORGED) -
                  dropped;
        assert_int_equal(dropped, sent + NODES - 1);
        run_ms(world->sim, 30000);
        expect_picture(world, &before, true);
        guarded_end(world);
    }
}

/* A member that was forgotten when the key was changed: it is dropped, and drops all others. */
static void a_member_that_kept_the_old_key(void **state)
{
    (void)state;
    for (int mode = ENVELOPE_1; mode < GUARD_MODES; mode++) {
        struct guarded *world = guarded_settled(__func__, (enum guard_mode)mode, NODES);
        struct picture before;
        uint8_t keys = world->keys[0];

        change_key(world);
        picture_take(world, &before);
        world->keys[0] = keys;
        guarded_add(world);
        run_ms(world->sim, 60000);
        assert_int_equal(sim_count(world->sim, NODES, SWIM_ALIVE), 1);
        guarded_crash(world, NODES);
        world->count--;
        before.events = world->event_count;
        expect_picture(world, &before, true);
        guarded_end(world);
    }
}

/* ---- Changed on the way ------------------------------------------------------------------ */

struct changer {
    struct guarded *world;
    uint32_t count;
    uint64_t changed;
};

/* Of each datagram a copy goes ahead with one bit of its clear bytes changed. */
static bool change(void *context, const struct sim_datagram *datagram)
{
    struct changer *changer = context;
    struct swim_addr from = sim_addr(changer->world->sim, datagram->from);
    uint8_t copy[SWIM_RECEIVE_MAX];

    memcpy(copy, datagram->data, datagram->size);
    copy[changer->count / 8 % CLEAR_BYTES] ^= (uint8_t)(1 << changer->count % 8);
    changer->count++;
    if (datagram->to == SIM_NOBODY)
        return true;
    changer->changed++;
    sim_inject(changer->world->sim, &from, datagram->to, copy, datagram->size);
    return true;
}

/* All copies are dropped, and the originals behind them are heard all the same. */
static void the_clear_bytes_are_changed(void **state)
{
    (void)state;
    struct guarded *world = guarded_settled(__func__, ENVELOPE_2, NODES);
    struct changer changer = {.world = world};
    uint64_t begin = sim_now(world->sim), replays, opened = 0, again = 0;
    struct swim_seal_stats stats;
    struct picture before;

    picture_take(world, &before);
    replays = seal_drops(world, SWIM_SEAL_DROP_REPLAY);
    for (uint32_t i = 0; i < NODES; i++) {
        swim_seal_stats(world->guards[i].seal, &stats);
        opened += stats.opened;
    }
    sim_filter(world->sim, change, &changer);
    run_ms(world->sim, 120000);
    sim_filter(world->sim, NULL, NULL);
    run_ms(world->sim, 10);
    for (uint32_t i = 0; i < NODES; i++) {
        swim_seal_stats(world->guards[i].seal, &stats);
        again += stats.opened;
    }
    printf("    %llu changed, %llu originals opened\n", (unsigned long long)changer.changed,
           (unsigned long long)(again - opened));
    assert_in_range(again - opened, changer.changed, changer.changed + NODES); /* on their way */
    assert_true(changer.changed > CLEAR_BYTES * 8 * 2);
    assert_true(seal_drops(world, SWIM_SEAL_DROP_VERSION) > 0);
    assert_true(seal_drops(world, SWIM_SEAL_DROP_KEY) > 0);
    assert_true(seal_drops(world, SWIM_SEAL_DROP_FORGED) > 0);
    assert_true(seal_drops(world, SWIM_SEAL_DROP_REPLAY) > replays); /* older counters and starts */
    assert_int_equal(COUNTER(world, probe_direct_timeouts), 0);
    expect_trusted(world, begin);
    expect_picture(world, &before, true);
    guarded_end(world);
}

/* ---- As somebody else -------------------------------------------------------------------- */

/* Number 1 has the key, and writes as number 3, from number 3's address, whose challenges it does
 * not see: that number 3 leaves. */
static void a_member_writes_as_another(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = guarded_settled(__func__, mode, NODES);
        struct swim_addr from = sim_addr(world->sim, VICTIM);
        struct lie leave;
        struct picture before;
        uint64_t begin;

        guarded_restart(world, 1, RESTART_NEW_ID); /* so its start is later than number 3's */
        run_ms(world->sim, 60000);
        leave =
            (struct lie){.liar = INSIDER, .as = 1, .header = header_of(world, VICTIM, WIRE_LEAVE)};
        leave.header.heartbeat += 1000;
        picture_take(world, &before);
        begin = sim_now(world->sim);
        tell_all(world, &from, VICTIM, &leave);
        if (mode == ENVELOPE_2) { /* a start of its own shows at once */
            run_ms(world->sim, 30000);
            expect_picture(world, &before, true);
        }
        /* With the very start, which is there to see, or none: it is believed, and refuted. In
         * envelope 2 that spends numbers of number 3's, which must be past them to be heard. */
        leave.as = VICTIM;
        tell_all(world, &from, VICTIM, &leave);
        run_ms(world->sim, 1);
        assert_true(told(world, SWIM_EVENT_LEFT, id_of(world, VICTIM), begin) > 0);
        printf("    back after %llu ms\n", (unsigned long long)expect_guarded(world, 3000));
        run_ms(world->sim, 30000);
        expect_guarded(world, 0);
        expect_trusted(world, begin);
        guarded_end(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_holder_of_an_old_key),
        cmocka_unit_test(a_member_that_kept_the_old_key),
        cmocka_unit_test(the_clear_bytes_are_changed),
        cmocka_unit_test(a_member_writes_as_another),
    };

    return cmocka_run_group_tests_name("attack_key", tests, NULL, NULL);
}
