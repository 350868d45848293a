/*
 * The collector's figures against what is known otherwise: the simulation's own log of events and
 * accounts, or arithmetic. Which words are wrong is in test_collect_words.c.
 */
#include "collected.h"

#include "plain/plain_v1.h"

/* ---- Kills ------------------------------------------------------------------------------- */

static void a_kill_is_timed_from_suspicion_to_the_last_that_knows(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 9);
    uint64_t id = sim_id(world.sim, 4);
    uint64_t killed = sim_now(world.sim);
    sim_crash(world.sim, 4);
    run_ms(&world, 15000);
    const struct figures *figures = finish(&world);
    const struct figures_news *news = news_of(figures, FIGURES_CRASH, 0);
    uint64_t suspected = time_of_event(world.sim, SWIM_EVENT_SUSPECTED, id, false) - killed;
    uint64_t failed = time_of_event(world.sim, SWIM_EVENT_FAILED, id, false) - killed;
    uint64_t all = time_of_event(world.sim, SWIM_EVENT_FAILED, id, true) - killed;

    assert_int_equal(figures->killed, 1);
    assert_int_equal(news->node, 4);
    assert_int_equal(news->id, id);
    assert_int_equal(news->at_ns, killed);
    assert_int_equal(news->awaited, 8);
    assert_int_equal(news->told, 8);
    assert_int_equal(news->first_suspected_ns, suspected);
    assert_int_equal(news->first_known_ns, failed);
    assert_int_equal(news->share_ns[FIGURES_SHARES - 1], all);
    assert_int_equal(figures->failed_ns.median, failed);
    assert_int_equal(figures->all_failed_ns.max, all);
    assert_int_equal(figures->deaths.pairs, 8);
    assert_int_equal(figures->deaths.share_ns[FIGURES_SHARES - 1], (all / SWIM_MS + 1) * SWIM_MS);
    double periods = (double)suspected / (double)SIM_SECOND; /* a period is one second */
    assert_true(figures->suspected_periods_mean > periods - 1e-9 &&
                figures->suspected_periods_mean < periods + 1e-9);
    assert_int_equal(figures->false_failed + figures->false_suspected, 0);
    assert_int_equal(figures->crashes_unnoticed + figures->crashes_partial, 0);
    world_end(&world);
}

static void what_is_not_known_by_the_end_is_said_so(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 9);
    sim_crash(world.sim, 4);
    run_ms(&world, 15000);
    sim_crash(world.sim, 6);
    run_ms(&world, 50);
    const struct figures *figures = finish(&world);
    assert_int_equal(figures->crashes_unnoticed, 1);
    assert_int_equal(figures->failed_ns.count, 1);
    assert_int_equal(news_of(figures, FIGURES_CRASH, 1)->told, 0);
    assert_int_equal(news_of(figures, FIGURES_CRASH, 1)->awaited, 7);
    assert_int_equal(news_of(figures, FIGURES_CRASH, 1)->first_known_ns, FIGURES_NEVER);
    assert_int_equal(figures->deaths.pairs, 8 + 7);
    assert_int_equal(figures->deaths.share_ns[FIGURES_SHARES - 1], FIGURES_NEVER);
    assert_false(figures->is_converged);
    world_end(&world);
}

/* Who dies, is noted as faulted or was started later is not waited for. */
static void nothing_is_awaited_from_those_who_cannot_know(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 9);
    collect_note_fault(world.collect, 1, FIGURES_NEVER);
    sim_crash(world.sim, 4);
    run_ms(&world, 100);
    sim_crash(world.sim, 5);
    sim_pause(world.sim, 6, 200 * SWIM_MS);
    sim_add(world.sim);
    sim_seed_node(world.sim, 9, 0);
    sim_start(world.sim, 9);
    run_ms(&world, 20000);
    const struct figures *figures = finish(&world);
    const struct figures_news *news = news_of(figures, FIGURES_CRASH, 0);
    assert_int_equal(news->awaited, 9 - 4);
    assert_int_equal(news->told, 9 - 4);
    assert_int_equal(figures->faulted, 2);
    world_end(&world);
}

static void a_restart_under_the_same_id_overtakes(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 6);
    sim_restart_same_id(world.sim, 3);
    run_ms(&world, 10000);
    sim_restart_new_id(world.sim, 2);
    run_ms(&world, 10000);
    const struct figures *figures = finish(&world);
    assert_int_equal(figures->started, 8);
    assert_int_equal(figures->killed, 2);
    assert_true(news_of(figures, FIGURES_CRASH, 0)->is_overtaken);
    assert_false(news_of(figures, FIGURES_CRASH, 1)->is_overtaken);
    assert_int_equal(news_of(figures, FIGURES_CRASH, 1)->told, 5);
    assert_int_equal(figures->crashes_overtaken, 1);
    assert_int_equal(figures->false_failed, 0);
    assert_int_equal(figures->resurrections, 0);
    world_end(&world);
}

/* It is back under its id before the others have given up the life before. That one is rightly
 * called dead; nothing was wrong about the present one, and it never came back from the dead. */
static void what_is_said_of_an_earlier_life_is_right(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 6);
    sim_crash(world.sim, 3);
    run_ms(&world, 3000);
    sim_node_loss(world.sim, 3, 1000, 1000);
    sim_restart_same_id(world.sim, 3);
    run_ms(&world, 10000);
    assert_int_equal(sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0), 5);
    sim_heal(world.sim);
    run_ms(&world, 10000);
    assert_true(sim_converged(world.sim, NULL));
    finish(&world);
    assert_int_equal(world.figures.false_failed, 0);
    assert_int_equal(world.figures.oscillations + world.figures.resurrections, 0);
    world_end(&world);
}

/* What a member believed dies with it: the next one on its node meets all for the first time. */
static void a_new_life_has_no_memory(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 6);
    sim_node_loss(world.sim, 5, 1000, 1000);
    run_ms(&world, 120000);
    uint64_t by_it = sim_event_count(world.sim, 5, SWIM_EVENT_FAILED, 0, 0);
    assert_true(by_it > 0);
    sim_heal(world.sim);
    sim_restart_new_id(world.sim, 5);
    run_ms(&world, 20000);
    assert_true(sim_converged(world.sim, NULL));
    finish(&world);
    assert_int_equal(world.figures.oscillations + world.figures.resurrections, 0);
    world_end(&world);
}

/* Programs that are not ours tell no events, so nothing can be awaited from them. */
static void nothing_is_awaited_from_strangers(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 4);
    uint32_t node = sim_add(world.sim);
    struct swim_addr addr = sim_addr(world.sim, node);
    struct swim_addr seed = sim_addr(world.sim, 0);
    struct plain *plain =
        plain_new(99, &addr, 1, sim_local_time(world.sim, node, sim_now(world.sim)));
    plain_join(plain, &seed);
    sim_start_peer(world.sim, node, &plain_ops, plain, 99);
    run_ms(&world, 10000);
    sim_crash(world.sim, 2);
    run_ms(&world, 20000);
    const struct figures *figures = finish(&world);
    assert_int_equal(news_of(figures, FIGURES_JOIN, 4)->told, 4);
    assert_int_equal(news_of(figures, FIGURES_CRASH, 0)->awaited, 3);
    assert_int_equal(news_of(figures, FIGURES_CRASH, 0)->told, 3);
    assert_int_equal(figures->running, 4);
    world_end(&world);
    plain_free(plain);
}

/* ---- Starts and leaves ------------------------------------------------------------------- */

static void starts_and_leaves_are_news_too(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 8);
    uint64_t started = sim_now(world.sim);
    sim_add(world.sim);
    sim_seed_node(world.sim, 8, 0);
    sim_start(world.sim, 8);
    run_ms(&world, 5000);
    uint64_t id = sim_id(world.sim, 8);
    uint64_t joined = time_of_event(world.sim, SWIM_EVENT_JOINED, id, true) - started;
    uint64_t left = sim_now(world.sim);
    sim_leave(world.sim, 8);
    run_ms(&world, 5000);
    const struct figures *figures = finish(&world);
    const struct figures_news *join = news_of(figures, FIGURES_JOIN, 8);
    const struct figures_news *leave = news_of(figures, FIGURES_LEAVE, 0);
    assert_int_equal(join->awaited, 8);
    assert_int_equal(join->share_ns[FIGURES_SHARES - 1], joined);
    assert_int_equal(leave->told, 8);
    assert_int_equal(leave->share_ns[FIGURES_SHARES - 1],
                     time_of_event(world.sim, SWIM_EVENT_LEFT, id, true) - left);
    assert_int_equal(figures->left, 1);
    assert_int_equal(figures->killed, 0);
    assert_int_equal(figures->leaver_failed, 0);
    assert_int_equal(figures->converged_start_ns % (50 * SWIM_MS), 0);
    assert_true(figures->converged_start_ns >= joined &&
                figures->converged_start_ns < joined + 100 * SWIM_MS);
    world_end(&world);
}

/* The first eight start at once, the ninth alone: sizes 1 to 9 were told by someone. */
static void sizes_are_counted_while_members_start(void **state)
{
    (void)state;
    struct world world;
    world_new(&world, 9, true);
    for (uint32_t i = 0; i < 9; i++) {
        sim_start(world.sim, i);
        run_ms(&world, 2000);
    }
    assert_int_equal(finish(&world)->sizes_told, 8); /* 2..9 */
    sim_crash(world.sim, 3);
    run_ms(&world, 20000);
    assert_int_equal(finish(&world)->sizes_told, 8);
    world_end(&world);
}

/* When the log last told of a change of a view. */
static uint64_t last_change(const struct sim *sim)
{
    const struct sim_event *events;
    size_t count = sim_events(sim, &events);
    while (count > 0 && (events[count - 1].kind == SWIM_EVENT_FORGOTTEN ||
                         events[count - 1].kind == SWIM_EVENT_PAUSED ||
                         events[count - 1].kind == SWIM_EVENT_LEAVE_DONE)) {
        count--;
    }
    return count > 0 ? events[count - 1].at : 0;
}

/* The collector looks again only when something happened: it must not overlook anything. */
static void agreement_is_timed_as_if_by_looking_always(void **state)
{
    (void)state;
    const uint64_t tick_ns = 50 * SWIM_MS;
    const struct sim_net slow = {.delay_min_ns = 60 * SWIM_MS, .delay_max_ns = 150 * SWIM_MS};
    struct world world;
    uint64_t deed_ns = 0;
    uint32_t agreements = 0;
    world_new(&world, 8, true);
    sim_set_net(world.sim, &slow);
    for (uint32_t step = 0; step < 1800; step++) {
        uint64_t now_ns = sim_now(world.sim);
        if (step % 100 == 0 && step < 800) {
            sim_start(world.sim, step / 100);
            deed_ns = now_ns;
        } else if (step == 830) {
            sim_restart_same_id(world.sim, 3);
        } else if (step == 850) {
            sim_crash(world.sim, 5);
        } else if (step == 1100) {
            sim_leave(world.sim, 6);
        } else if (step == 1200) {
            sim_pause(world.sim, 2, 8 * SIM_SECOND);
        }
        uint32_t running = sim_running(world.sim);
        run_ms(&world, 50);
        deed_ns = sim_running(world.sim) != running ? now_ns : deed_ns; /* it has left */
        bool is_converged = sim_converged(world.sim, NULL);
        assert_int_equal(finish(&world)->is_converged, is_converged);
        if (is_converged) {
            uint64_t changed_ns = last_change(world.sim);
            changed_ns = changed_ns > deed_ns ? changed_ns : deed_ns;
            uint64_t seen_ns = (changed_ns / tick_ns + 1) * tick_ns;
            agreements += seen_ns == sim_now(world.sim);
            assert_in_range(world.figures.converged_last_ns, changed_ns, seen_ns);
        }
    }
    assert_in_range(agreements, 8, 100);
    world_end(&world);
}

/* They disagreed for some milliseconds, between two looks. */
static void a_short_disagreement_counts(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 2);
    uint64_t restarted_ns = sim_now(world.sim);
    sim_restart_new_id(world.sim, 1);
    run_ms(&world, 50);
    assert_true(sim_converged(world.sim, NULL));
    run_ms(&world, 1000);
    assert_int_equal(finish(&world)->converged_last_ns, restarted_ns + 50 * SWIM_MS);
    world_end(&world);
}

/* ---- Traffic and time -------------------------------------------------------------------- */

static void traffic_is_what_the_simulation_accounts(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 10);
    sim_crash(world.sim, 1);
    run_ms(&world, 5000);
    sim_crash(world.sim, 2);
    run_ms(&world, 10000);
    const struct figures *figures = finish(&world);
    struct sim_traffic sent = sim_sent(world.sim, SIM_NOBODY);
    uint64_t received = 0;
    uint64_t dropped = 0;
    uint64_t busiest = 0;
    for (uint32_t i = 0; i < 10; i++) {
        received += sim_received(world.sim, i).datagrams_total;
        busiest += sim_sent(world.sim, i).bytes_total;
    }
    for (uint32_t i = 0; i < SIM_DROPS; i++) {
        dropped += figures->dropped[i];
    }
    assert_memory_equal(&figures->sent, &sent, sizeof sent);
    assert_int_equal(figures->received.datagrams_total, received);
    assert_true(dropped > 0 && dropped <= sent.datagrams_total - received);
    assert_int_equal(figures->member_ns, (8 * 20 + 10 + 5) * SIM_SECOND);
    assert_true(figures->sending.datagrams_mean * 175 > (double)sent.datagrams_total - 0.001);
    assert_true(figures->sending.datagrams_mean * 175 < (double)sent.datagrams_total + 0.001);
    assert_in_range(figures->sending.window_bytes_max, 1, busiest);
    assert_int_equal(figures->counters.datagrams_sent, sent.datagrams_total);
    assert_int_equal(figures->counters.members[SWIM_ALIVE], 8 * 8);
    assert_int_equal(figures->health[0], 8);
    world_end(&world);
}

/* From a quiet second on: a PING and an ACK a member a second. */
static void a_reset_forgets_the_beginning(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 20);
    sim_crash(world.sim, 1);
    run_ms(&world, 60000);
    collect_reset(world.collect);
    run_ms(&world, 60000);
    const struct figures *figures = finish(&world);
    assert_int_equal(figures->begin_ns, 65 * SIM_SECOND);
    assert_int_equal(figures->news_count, 0);
    assert_int_equal(figures->started + figures->killed, 0);
    assert_int_equal(figures->running, 19);
    assert_int_equal(figures->events[SWIM_EVENT_JOINED], 0);
    assert_int_equal(figures->sent.datagrams_total, figures->counters.datagrams_sent);
    assert_true(figures->sending.datagrams_mean > 1.9 && figures->sending.datagrams_mean < 2.2);
    assert_true(figures->sending.window_datagrams_max <= 8);
    assert_true(figures->sending.window_bytes_max <= 8 * 80);
    assert_true(figures->is_converged);
    world_end(&world);
}

static void samples_show_what_members_see(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 6);
    sim_crash(world.sim, 1);
    run_ms(&world, 15000);
    const struct figures *figures = finish(&world);
    assert_in_range(figures->sample_count, 19, 21);
    const struct figures_sample *settled = &figures->samples[4];
    const struct figures_sample *last = &figures->samples[figures->sample_count - 1];
    assert_int_equal(settled->running, 6);
    assert_int_equal(settled->seen_min, 6);
    assert_int_equal(settled->seen_max, 6);
    assert_int_equal(last->running, 5);
    assert_int_equal(last->seen_max, 5);
    assert_true(last->seen_mean == 5);
    assert_true(last->datagrams_sent > settled->datagrams_sent);
    world_end(&world);
}

/* However long: samples are thinned, and stay in order and evenly spread. */
static void long_runs_have_bounded_samples(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 2);
    for (uint32_t i = 0; i < 5000; i++) {
        sim_run(world.sim, SIM_SECOND);
        collect_tick(world.collect);
    }
    const struct figures *figures = finish(&world);
    assert_in_range(figures->sample_count, 1000, 2048);
    for (size_t i = 3; i < figures->sample_count; i++) {
        assert_int_equal(figures->samples[i].at_ns - figures->samples[i - 1].at_ns, 4 * SIM_SECOND);
    }
    world_end(&world);
}

/* ---- Looking changes nothing ------------------------------------------------------------- */

static uint64_t hash_of_run(bool has_collector)
{
    struct world world;
    world_new(&world, 12, has_collector);
    for (uint32_t i = 0; i < 12; i++) {
        sim_start(world.sim, i);
    }
    run_ms(&world, 5000);
    sim_crash(world.sim, 3);
    sim_pause(world.sim, 4, 9 * SIM_SECOND);
    run_ms(&world, 30000);
    uint64_t hash = sim_trace_hash(world.sim);
    world_end(&world);
    return hash;
}

static void a_run_is_the_same_whoever_counts(void **state)
{
    (void)state;
    assert_int_equal(hash_of_run(true), hash_of_run(false));
}

/* ---- Arithmetic -------------------------------------------------------------------------- */

static void spreads_are_by_nearest_rank(void **state)
{
    (void)state;
    uint64_t numbers[1000];
    for (uint64_t i = 0; i < 1000; i++) {
        numbers[i] = (i * 7919) % 1000 + 1; /* 1..1000, shuffled */
    }
    struct figures_spread spread = figures_spread_of(numbers, 1000);
    assert_int_equal(spread.min, 1);
    assert_int_equal(spread.median, 500);
    assert_int_equal(spread.p90, 900);
    assert_int_equal(spread.p99, 990);
    assert_int_equal(spread.p999, 999);
    assert_int_equal(spread.max, 1000);
    assert_true(spread.mean == 500.5);
    spread = figures_spread_of(numbers, 3);
    assert_int_equal(spread.median, 2);
    assert_int_equal(spread.p99, 3);
    spread = figures_spread_of(numbers, 1);
    assert_int_equal(spread.median, 1);
    assert_int_equal(spread.p999, 1);
    spread = figures_spread_of(numbers, 0);
    assert_int_equal(spread.count + spread.max, 0);
}

/* Sets for the news of four members only: the rest is counted, and nothing breaks. */
static void memory_for_news_is_bounded(void **state)
{
    (void)state;
    struct sim_config config;
    struct collect_config collected;
    struct figures figures;
    sim_config_default(&config, 7, NODES_MAX);
    struct sim *sim = sim_new(&config);
    collect_config_default(&collected, NODES_MAX);
    collected.bitmap_bytes_max = 4 * 16;
    struct collect *collect = collect_new(sim, &collected);
    for (uint32_t i = 0; i < 30; i++) {
        sim_add(sim);
        if (i > 0) {
            sim_seed_node(sim, i, 0);
        }
        sim_start(sim, i);
    }
    sim_run(sim, 10 * SIM_SECOND);
    for (uint32_t i = 0; i < 10; i++) {
        sim_crash(sim, i);
    }
    sim_run(sim, 60 * SIM_SECOND);
    collect_finish(collect, &figures);
    assert_int_equal(figures.news_untracked + figures.news_count, 40);
    assert_true(figures.news_untracked > 0);
    figures_free(&figures);
    collect_free(collect);
    sim_free(sim);
}

/* `there` run and are not counted; the next one, whatever its number, is the only one that joins. */
static void expect_followed(uint32_t there, uint32_t joins_max)
{
    struct sim_config config;
    struct collect_config collected;
    struct figures figures;
    sim_config_default(&config, 7, NODES_MAX);
    struct sim *sim = sim_new(&config);
    for (uint32_t i = 0; i <= there; i++) {
        sim_add(sim);
        sim_seed_node(sim, i, 0);
        if (i < there) {
            sim_start(sim, i);
        }
    }
    collect_config_default(&collected, there + 1);
    collected.joins_max = joins_max;
    struct collect *collect = collect_new(sim, &collected);
    sim_run(sim, 5 * SIM_SECOND);
    sim_start(sim, there);
    sim_run(sim, 5 * SIM_SECOND);
    collect_finish(collect, &figures);
    assert_int_equal(figures.joins.pairs, there);
    figures_free(&figures);
    collect_free(collect);
    sim_free(sim);
}

static void one_that_joins_many_is_followed(void **state)
{
    (void)state;
    for (uint32_t there = 20; there < 30; there++) {
        expect_followed(there, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_is_timed_from_suspicion_to_the_last_that_knows),
        cmocka_unit_test(what_is_not_known_by_the_end_is_said_so),
        cmocka_unit_test(nothing_is_awaited_from_those_who_cannot_know),
        cmocka_unit_test(a_restart_under_the_same_id_overtakes),
        cmocka_unit_test(what_is_said_of_an_earlier_life_is_right),
        cmocka_unit_test(a_new_life_has_no_memory),
        cmocka_unit_test(nothing_is_awaited_from_strangers),
        cmocka_unit_test(starts_and_leaves_are_news_too),
        cmocka_unit_test(sizes_are_counted_while_members_start),
        cmocka_unit_test(agreement_is_timed_as_if_by_looking_always),
        cmocka_unit_test(a_short_disagreement_counts),
        cmocka_unit_test(traffic_is_what_the_simulation_accounts),
        cmocka_unit_test(a_reset_forgets_the_beginning),
        cmocka_unit_test(samples_show_what_members_see),
        cmocka_unit_test(long_runs_have_bounded_samples),
        cmocka_unit_test(a_run_is_the_same_whoever_counts),
        cmocka_unit_test(spreads_are_by_nearest_rank),
        cmocka_unit_test(memory_for_news_is_bounded),
        cmocka_unit_test(one_that_joins_many_is_followed),
    };

    return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
