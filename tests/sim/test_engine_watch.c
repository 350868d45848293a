/* Watchers, the ledger and the log: whoever adds up what is told gets what is counted. */
#include "scenario.h"

struct tally {
    uint64_t happened[SIM_HAPPENINGS];
    uint64_t dropped[SIM_DROPS];
    uint64_t told[SWIM_EVENT_KINDS];
    uint64_t bytes;
    uint64_t last_at;
    struct tally *after;
};

static void count(void *context, const struct sim *sim, const struct sim_happening *h)
{
    struct tally *tally = context;

    assert_true((unsigned)h->kind < SIM_HAPPENINGS && h->at == sim_now(sim));
    assert_true(h->at >= tally->last_at);
    tally->last_at = h->at;
    tally->happened[h->kind]++;
    if (h->kind == SIM_HAPPENED_DROPPED)
        tally->dropped[h->drop]++;
    if (h->kind <= SIM_HAPPENED_DROPPED)
        assert_true(h->data && h->size > 0);
    if (h->kind == SIM_HAPPENED_SENT)
        tally->bytes += h->size;
    if (h->kind == SIM_HAPPENED_EVENT) {
        assert_int_equal(h->event->node, h->node);
        tally->told[h->event->kind]++;
    }
    if (tally->after)
        assert_int_equal(tally->after->happened[h->kind], tally->happened[h->kind]);
}

static void compare(const struct sim *sim, const struct tally *tally)
{
    struct sim_ledger ledger = sim_ledger(sim);

    assert_int_equal(tally->happened[SIM_HAPPENED_SENT], ledger.sent);
    assert_int_equal(tally->happened[SIM_HAPPENED_DELIVERED], ledger.delivered);
    assert_memory_equal(tally->dropped, ledger.dropped, sizeof tally->dropped);
    assert_int_equal(tally->bytes, sim_sent(sim, SIM_NOBODY).bytes_total);
    for (unsigned i = SWIM_EVENT_JOINED; i < SWIM_EVENT_KINDS; i++)
        assert_int_equal(tally->told[i],
                         sim_event_count(sim, SIM_NOBODY, (enum swim_event_kind)i, 0, 0));
}

static void what_is_told_is_what_is_counted(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 9);
    struct tally first = {0}, second = {.after = &first};
    struct sim_net net = {.delay_max_ns = MILLISECONDS(20),
                          .loss_permille = 100,
                          .duplicate_permille = 50,
                          .corrupt_permille = 10};

    sim_watch(sim, count, &first);
    sim_watch(sim, count, &second);
    sim_set_net(sim, &net);
    start_star(sim, 0, 9);
    run_ms(sim, 5000);
    sim_pause(sim, 1, SECONDS(2));
    sim_block(sim, 2, SECONDS(2), SIM_BLOCK_IO);
    sim_split(sim, 3, 1);
    run_ms(sim, 3000);
    sim_crash(sim, 4);
    sim_leave(sim, 5);
    sim_clock_jump(sim, 6, SECONDS(1));
    run_ms(sim, 10000);
    sim_restart_new_id(sim, 4);
    sim_heal(sim);
    run_ms(sim, 5000);
    compare(sim, &first);
    compare(sim, &second);
    assert_int_equal(first.happened[SIM_HAPPENED_STARTED], 10);
    assert_int_equal(first.happened[SIM_HAPPENED_PAUSED], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_RESUMED], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_BLOCKED], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_UNBLOCKED], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_CRASHED], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_LEAVING], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_LEFT], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_CLOCK], 1);
    assert_int_equal(first.happened[SIM_HAPPENED_NETWORK], 3);
    scenario_end(sim);
}

/* Events are told even when they are not logged. */
static void events_need_no_log(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 5);
    struct tally tally = {0};
    struct sim *sim;

    config.keep_events = false;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 5; i++)
        sim_add(sim);
    sim_watch(sim, count, &tally);
    start_star(sim, 0, 5);
    run_ms(sim, 5000);
    assert_int_equal(tally.told[SWIM_EVENT_JOINED], 20);
    compare(sim, &tally);
    scenario_end(sim);
}

/* Counts by node, kind, id and time, against reading the whole log. */
static void counts_agree_with_the_log(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    const struct sim_event *events;
    size_t logged;

    for (uint32_t i = 0; i < 6; i++) {
        sim_restart_same_id(sim, i);
        run_ms(sim, 3000);
    }
    sim_crash(sim, 2);
    run_ms(sim, 30000);
    logged = sim_events(sim, &events);
    assert_true(logged > 60);
    for (size_t k = 0; k < logged; k++) {
        const struct sim_event *like = &events[k];

        for (unsigned mask = 0; mask < 8; mask++) {
            uint32_t node = mask & 1 ? like->node : SIM_NOBODY;
            uint64_t id = mask & 2 ? like->id : 0;
            uint64_t since = mask & 4 ? like->at : 0;
            uint64_t expected = 0;

            for (size_t i = 0; i < logged; i++) {
                expected += events[i].kind == like->kind && events[i].at >= since &&
                            (!(mask & 1) || events[i].node == node) &&
                            (!(mask & 2) || events[i].id == id);
            }
            assert_int_equal(sim_event_count(sim, node, like->kind, id, since), expected);
        }
    }
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, 12345, 0), 0);
    scenario_end(sim);
}

static bool is_name(const char *name)
{
    return name && *name && strcmp(name, "unknown") != 0;
}

static void each_drop_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIM_DROPS; i++)
        assert_true(is_name(sim_drop_name((enum sim_drop)i)));
    assert_string_equal(sim_drop_name(SIM_DROPS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_is_what_is_counted),
        cmocka_unit_test(events_need_no_log),
        cmocka_unit_test(counts_agree_with_the_log),
        cmocka_unit_test(each_drop_has_a_name),
    };

    return cmocka_run_group_tests_name("engine_watch", tests, NULL, NULL);
}
