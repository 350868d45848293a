/*
 * A recording of everything that a cluster has sent is sent again. docs/security.md, the
 * eavesdropper who records and replays; docs/protocol.md sections 3 and 10.
 */
#include "attacker.h"

/* ---- A life worth recording -------------------------------------------------------------- */

enum shadow { NO_SHADOW, SHADOW, SHADOW_ELSEWHERE };

struct life {
    struct guarded *world;
    enum shadow shadow;
    struct swim_addr elsewhere;
    size_t shadowed; /* of the tape */
    uint64_t gone[3], gone_at[3];
};

/* With a shadow, all that is recorded is sent once more, a second later, all the time. */
static void go_on(struct life *life, uint64_t duration_ms)
{
    struct guarded *world = life->world;
    struct replay late = {.only = SIM_NOBODY};

    if (life->shadow == SHADOW_ELSEWHERE)
        late.other = &life->elsewhere;
    for (uint64_t ms = 0; ms < duration_ms; ms += 100) {
        run_ms(world->sim, 100);
        late.begin = late.end = life->shadowed;
        while (late.end < world->tape_count &&
               world->tape[late.end].at + SIM_SECOND <= sim_now(world->sim))
            late.end++;
        if (life->shadow != NO_SHADOW)
            replay(world, &late);
        life->shadowed = late.end;
    }
}

static void note_gone(struct life *life, uint32_t which, uint32_t number)
{
    life->gone[which] = id_of(life->world, number);
    life->gone_at[which] = sim_now(life->world->sim);
}

/* Two minutes of a cluster's life: a leave, a death, restarts of three kinds, a newcomer. */
static struct life live(const char *name, enum guard_mode mode, enum shadow shadow)
{
    struct guarded *world = guarded_new(name, mode, 8, 256);
    struct life life = {.world = world, .shadow = shadow, .elsewhere = make_addr(66, 6666)};

    world->is_recording = true;
    for (uint32_t i = 0; i < 8; i++)
        guarded_start(world, i);
    go_on(&life, 20000);
    note_gone(&life, 0, 5);
    guarded_leave(world, 5);
    go_on(&life, 15000);
    note_gone(&life, 1, 6);
    guarded_crash(world, 6);
    go_on(&life, 20000);
    note_gone(&life, 2, 7);
    guarded_restart(world, 7, RESTART_NEW_ID);
    go_on(&life, 10000);
    guarded_restart(world, 4, RESTART_SAME_ID);
    go_on(&life, 10000);
    guarded_restart(world, 3, RESTART_FORGETFUL);
    go_on(&life, 15000);
    guarded_add(world);
    go_on(&life, 40000);
    world->is_recording = false;
    if (shadow != SHADOW || mode == ENVELOPE_2)
        expect_guarded(world, 0);
    assert_true(world->tape_count > 2000);
    return life;
}

/* Whatever was said of deaths and doubts since then was said of those that are gone. */
static void expect_ghosts_only(const struct life *life, uint64_t since)
{
    static const enum swim_event_kind kinds[] = {SWIM_EVENT_SUSPECTED, SWIM_EVENT_FAILED};

    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        uint64_t all = told(life->world, kinds[k], 0, since);

        for (size_t i = 0; i < COUNT_OF(life->gone); i++)
            all -= told(life->world, kinds[k], life->gone[i], since);
        assert_int_equal(all, 0);
    }
    expect_trusted(life->world, since);
}

/* Everything again, in some seconds. Returns how many datagrams that were. */
static size_t replay_all(struct guarded *world, const struct swim_addr *other, uint32_t only)
{
    size_t sent = 0;

    for (size_t at = 0; at < world->tape_count; at += 50) {
        struct replay some = {.begin = at, .end = at + 50, .other = other, .only = only};

        if (some.end > world->tape_count)
            some.end = world->tape_count;
        sent += replay(world, &some);
        run_ms(world->sim, 100);
    }
    run_ms(world->sim, 100);
    return sent;
}

/* ---- A second late, all the time --------------------------------------------------------- */

/* Envelope 2: who is gone stays gone. The others: nobody who is there is doubted, for as long as it
 * lasts; the dead come back as doubts, for as long as it lasts. */
static void a_shadow_one_second_late(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct life life = live(__func__, mode, SHADOW);

        expect_ghosts_only(&life, 0);
        for (size_t i = 0; mode == ENVELOPE_2 && i < COUNT_OF(life.gone); i++)
            assert_int_equal(told(life.world, SWIM_EVENT_JOINED, life.gone[i], life.gone_at[i]), 0);
        run_ms(life.world->sim, 90000);
        expect_guarded(life.world, 0);
        guarded_end(life.world);
    }
}

/* From where no member is, nothing of it is heard, in any mode. */
static void a_shadow_from_elsewhere(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct life life = live(__func__, mode, SHADOW_ELSEWHERE);

        expect_ghosts_only(&life, 0);
        for (size_t i = 0; i < COUNT_OF(life.gone); i++)
            assert_int_equal(told(life.world, SWIM_EVENT_JOINED, life.gone[i], life.gone_at[i]), 0);
        guarded_end(life.world);
    }
}

/* ---- Later ------------------------------------------------------------------------------- */

/* From the addresses that it came from. */
static void replay_to_those_that_run(struct life *life)
{
    struct guarded *world = life->world;
    uint64_t begin = sim_now(world->sim);
    uint64_t dropped = seal_drops(world, SWIM_SEAL_DROP_REPLAY) + COUNTER(world, drop_unproved);
    struct picture before;
    size_t sent;

    picture_take(world, &before);
    sent = replay_all(world, NULL, SIM_NOBODY);
    if (world->mode == ENVELOPE_2) {
        expect_picture(world, &before, true);
        dropped =
            seal_drops(world, SWIM_SEAL_DROP_REPLAY) + COUNTER(world, drop_unproved) - dropped;
        assert_true(dropped >= sent && dropped <= sent + sent / 100);
    }
    run_ms(world->sim, 90000);
    expect_picture(world, &before, world->mode == ENVELOPE_2);
    expect_ghosts_only(life, begin);
    printf("    %zu again: %llu joined, %llu failed\n", sent,
           (unsigned long long)told(world, SWIM_EVENT_JOINED, 0, begin),
           (unsigned long long)told(world, SWIM_EVENT_FAILED, 0, begin));
}

static void replay_from_elsewhere(struct life *life)
{
    struct guarded *world = life->world;
    struct picture before;

    picture_take(world, &before);
    replay_all(world, &life->elsewhere, SIM_NOBODY);
    run_ms(world->sim, 30000);
    expect_picture(world, &before, true);
}

/* Number 2 has just started, and is cut off: it hears nothing but the recording. */
static void replay_to_a_fresh_start(struct life *life)
{
    struct guarded *world = life->world;
    uint32_t node = world->guards[2].node;
    uint64_t begin = sim_now(world->sim);
    struct swim_seal_stats stats;

    sim_split(world->sim, node, 1);
    guarded_restart(world, 2, RESTART_SAME_ID);
    replay_all(world, NULL, node);
    replay_all(world, &life->elsewhere, node);
    assert_int_equal(sim_count(world->sim, node, SWIM_ALIVE), 1);
    assert_int_equal(swim_member_slots(member_of(world, 2)), 1);
    if (world->mode == ENVELOPE_2) {
        swim_seal_stats(world->guards[2].seal, &stats);
        assert_true(stats.unproved > 100 && stats.windows == 0);
    }
    sim_heal(world->sim);
    replay_all(world, NULL, node); /* and while it joins */
    run_ms(world->sim, 90000);
    expect_guarded(world, 0);
    for (size_t i = 0; world->mode == ENVELOPE_2 && i < COUNT_OF(life->gone); i++)
        assert_int_equal(told(world, SWIM_EVENT_JOINED, life->gone[i], begin), 0);
    for (uint32_t i = 0; i < world->count; i++) {
        if (i != 2 && sim_state(world->sim, world->guards[i].node) != SIM_STOPPED)
            assert_int_equal(told(world, SWIM_EVENT_FAILED, id_of(world, i), begin), 0);
    }
}

static void replay_after(const char *name, uint64_t wait_ms)
{
    FOR_EACH_MODE(mode)
    {
        struct life life = live(name, mode, NO_SHADOW);

        run_ms(life.world->sim, wait_ms);
        replay_from_elsewhere(&life);
        replay_to_those_that_run(&life);
        replay_to_a_fresh_start(&life);
        guarded_end(life.world);
    }
}

static void a_recording_of_just_now(void **state)
{
    (void)state;
    replay_after(__func__, 1000);
}

static void a_recording_a_minute_old(void **state)
{
    (void)state;
    replay_after(__func__, 60000);
}

static void a_recording_an_hour_old(void **state)
{
    (void)state;
    replay_after(__func__, 3600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadow_one_second_late), cmocka_unit_test(a_shadow_from_elsewhere),
        cmocka_unit_test(a_recording_of_just_now),  cmocka_unit_test(a_recording_a_minute_old),
        cmocka_unit_test(a_recording_an_hour_old),
    };

    return cmocka_run_group_tests_name("attack_replay", tests, NULL, NULL);
}
