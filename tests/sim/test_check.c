/*
 * Every check complains of what it is for, and of nothing in a cluster where all is well. What an
 * honest core can be made to do is done to it from outside (forged datagrams, faults that the plan
 * does not know of); the rest is told to the checker by its inner entrances. What is asked in the end
 * is in test_check_end.c.
 */
#include "checked.h"

/* ---- All is well ------------------------------------------------------------------------- */

static void an_honest_cluster_is_left_alone(void **state)
{
    (void)state;
    struct world *world = world_new(SECONDS(600), 0);

    assert_true(check_demands_agreement(&world->plan));
    assert_true(run_on(world, 600));
    assert_null(check_failure(world->check));
    assert_int_equal(check_failed(world->check), CHECK_COUNT);
    assert_true(world->check->is_settled);
    world_free(world);
}

static void deaths_leaves_and_pauses_are_no_fault(void **state)
{
    (void)state;
    struct world *world = world_new(SECONDS(60), 0);

    assert_true(run_on(world, 40));
    sim_pause(world->sim, 2, SECONDS(15));
    assert_true(run_on(world, 100));
    sim_crash(world->sim, 3);
    assert_true(run_on(world, 60));
    sim_leave(world->sim, 1);
    assert_true(run_on(world, 60));
    sim_restart_new_id(world->sim, 3);
    sim_restart_same_id(world->sim, 1);
    assert_true(run_on(world, 120));
    assert_true(sim_converged(world->sim, NULL));
    world_free(world);
}

/* ---- What a member says to its host ------------------------------------------------------ */

static void what_the_simulator_finds_is_passed_on(void **state)
{
    (void)state;
    struct world *world = world_new(SECONDS(60), 0);

    sim_fail(world->sim, 1, "a made-up fault");
    expect_complaint(world, CHECK_INVARIANTS, "a made-up fault");
}

static void a_record_must_not_fall(void **state)
{
    (void)state;
    struct swim_member member;
    struct world *world = calm_world(SECONDS(60), 0);

    member = held_by(world, 1, 2);
    member.status = SWIM_SUSPECT;
    words_hold(world->check, 1, &member);
    assert_null(check_failure(world->check));
    member.heartbeat--;
    words_hold(world->check, 1, &member);
    expect_complaint(world, CHECK_ORDER, "falls from incarnation 0, suspect");

    world = calm_world(SECONDS(60), 0);
    member = held_by(world, 1, 2);
    member.status = SWIM_DEAD;
    words_hold(world->check, 1, &member);
    member.status = SWIM_ALIVE;
    member.heartbeat += 10;
    words_hold(world->check, 1, &member);
    expect_complaint(world, CHECK_ORDER, "dead");
}

static struct sim_event event_of(const struct world *world, uint32_t node, uint32_t about,
                                 enum swim_event_kind kind)
{
    (void)node;
    return (struct sim_event){.at = sim_now(world->sim),
                              .node = node,
                              .id = sim_id(world->sim, about),
                              .kind = kind,
                              .before = SWIM_ALIVE,
                              .status = kind == SWIM_EVENT_SUSPECTED ? SWIM_SUSPECT : SWIM_DEAD};
}

static void events_must_fit_together(void **state)
{
    (void)state;
    uint32_t off = 1u << CHECK_FALSE_DEATH;
    struct world *world = calm_world(SECONDS(60), off);
    struct sim_event event = event_of(world, 1, 2, SWIM_EVENT_RECOVERED);

    words_event(world->check, 1, &event); /* and nobody had suspected it */
    expect_complaint(world, CHECK_STORY, "\"recovered\"");

    world = calm_world(SECONDS(60), off);
    event = event_of(world, 1, 2, SWIM_EVENT_SUSPECTED);
    event.before = SWIM_DEAD;
    words_event(world->check, 1, &event);
    expect_complaint(world, CHECK_STORY, "was dead, and had told alive");

    world = calm_world(SECONDS(60), off);
    event = event_of(world, 1, 2, SWIM_EVENT_FAILED);
    words_event(world->check, 1, &event);
    assert_null(check_failure(world->check));
    event.before = SWIM_DEAD;
    words_event(world->check, 1, &event); /* once more */
    expect_complaint(world, CHECK_STORY, "after \"dead\"");
}

/* The dead are kept for 15 s by default. */
static void tombstones_must_stand_their_time(void **state)
{
    (void)state;
    for (uint32_t seconds = 14; seconds <= 15; seconds++) {
        struct world *world = calm_world(SECONDS(60), 1u << CHECK_FALSE_DEATH);
        struct sim_event event = event_of(world, 1, 2, SWIM_EVENT_FAILED);

        words_event(world->check, 1, &event);
        known_held(world->check, 1, event.id)->died_local =
            sim_local_time(world->sim, 1, sim_now(world->sim));
        sim_run(world->sim, SECONDS(seconds));
        event = event_of(world, 1, 2, SWIM_EVENT_FORGOTTEN);
        event.before = SWIM_DEAD;
        words_event(world->check, 1, &event);
        if (seconds == 14) {
            expect_complaint(world, CHECK_STORY, "after 14000 of 15000 ms");
        } else {
            assert_null(check_failure(world->check));
            world_free(world);
        }
    }
}

static void nobody_knows_more_of_one_than_itself(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);
    struct swim_member lie = held_by(world, 1, 2);

    lie.incarnation += 3;
    forge(world, 3, 1, &lie);
    expect_complaint(world, CHECK_TRUTH, "which itself was never above 0");

    world = calm_world(SECONDS(60), 1u << CHECK_FALSE_DEATH);
    lie = held_by(world, 1, 2);
    lie.heartbeat += 10;
    lie.status = SWIM_LEFT;
    forge(world, 3, 1, &lie);
    expect_complaint(world, CHECK_TRUTH, "never left");

    world = calm_world(SECONDS(60), 0);
    lie = held_by(world, 1, 2);
    lie.id = 77;
    lie.addr.port++;
    forge(world, 3, 1, &lie);
    expect_complaint(world, CHECK_TRUTH, "which no node ever was");
}

/* Four nodes in two clusters, which agree each for itself. */
static struct world *two_clusters(void)
{
    struct world *world = calloc(1, sizeof *world);
    struct check_config config;
    struct sim_config sim;

    assert_non_null(world);
    plan_default(&world->plan);
    world->plan.nodes = NODES;
    world->plan.start.kind = PLAN_START_TOGETHER;
    world->plan.start.clusters = 2;
    strcpy(world->plan.start.names, "A, B");
    world->plan.duration_ns = SECONDS(900);
    sim_config_default(&sim, 1, NODES);
    sim.member.members_max = 256;
    world->sim = sim_new(&sim);
    check_config_default(&config, &world->plan, NULL);
    world->check = check_new(world->sim, &config);
    for (uint32_t i = 0; i < NODES; i++) {
        sim_add(world->sim);
        plan_cluster_name(&world->plan, i, sim_member_config(world->sim, i)->cluster);
    }
    for (uint32_t i = 0; i < NODES; i++) {
        for (uint32_t k = 0; k < NODES; k++)
            sim_seed_node(world->sim, i, k); /* they look for each other, in vain */
        sim_start(world->sim, i);
    }
    return world;
}

static void clusters_agree_each_for_itself(void **state)
{
    (void)state;
    struct world *world = two_clusters();
    struct swim_member stranger;

    assert_true(check_demands_agreement(&world->plan));
    assert_true(run_on(world, 900)); /* to agreement, and to silence */
    assert_true(world->check->is_settled);
    assert_true(known_is_connected(world->check));
    assert_int_equal(world->check->seats[1].settled_n, 2);
    assert_int_equal(world->check->seats[2].settled_n, 2);
    assert_true(sim_converged(world->sim, NULL));
    assert_true(swim_member_at(sim_member(world->sim, 2), 0, &stranger));
    words_hold(world->check, 1, &stranger);
    expect_complaint(world, CHECK_CLUSTER, "holds n2, which belongs to a cluster of another name");

    world = two_clusters(); /* and one of them alone must agree as well */
    assert_true(run_on(world, 1 + (uint32_t)(check_bound_ns(&world->plan) / SIM_SECOND)));
    sim_member_config(world->sim, 3)->cluster[0] = 'C';
    sim_crash(world->sim, 3);
    sim_start(world->sim, 3);
    assert_false(run_on(world, 60));
    expect_complaint(world, CHECK_AGREEMENT, "n3 does not hold 2 alive");
}

static void a_member_is_itself_and_alive(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);

    world->check->seats[2].is_leaving = true; /* it should say so */
    expect_complaint(world, CHECK_SELF, "holds itself as alive");
}

/* n1 has asked n2 to repeat 77, and n2 says this since n1 forgot it. */
static struct world *forgotten_world(struct word word, uint32_t seconds)
{
    struct world *world = calm_world(SECONDS(60), 1u << CHECK_STORY);
    struct sim_event event = event_of(world, 1, 2, SWIM_EVENT_FORGOTTEN);
    struct word asked = {.as = {.node = 1, .peer = 2}, .kind = WIRE_ACK, .challenge = 77};

    sent_datagram(world->check, write_word(world, &asked));
    sim_run(world->sim, SIM_SECOND);
    event.at = sim_now(world->sim);
    words_event(world->check, 1, &event);
    word.as = (struct sim_happening){.node = 2, .peer = 1};
    (void)write_word(world, &word);
    sim_crash(world->sim, 2);
    sim_run(world->sim, SECONDS(seconds));
    word.as.node = 1;
    word.as.peer = 2;
    sent_delivered(world->check, &word.as);
    known_held(world->check, 1, event.id)->is_forgotten = true; /* it was seen alive meanwhile */
    event = event_of(world, 1, 2, SWIM_EVENT_JOINED);
    words_event(world->check, 1, &event);
    return world;
}

/* Forgotten, and then back without a word that shows that it hears; or with one, or too late to
 * remember. */
static void the_forgotten_come_back_by_themselves(void **state)
{
    (void)state;
    const struct word false_words[] = {
        {.kind = WIRE_GOSSIP},
        {.kind = WIRE_ACK},
        {.kind = WIRE_PING, .challenge = 77},
        {.kind = WIRE_PING, .echo = 78},
        {.kind = WIRE_PING, .is_plain = true},
    };
    const struct word true_words[] = {
        {.kind = WIRE_PING, .echo = 77},
        {.kind = WIRE_SYNC, .echo = 77},
        {.kind = WIRE_ACK, .is_plain = true},
    };

    for (size_t i = 0; i < sizeof false_words / sizeof *false_words; i++)
        expect_complaint(forgotten_world(false_words[i], 1), CHECK_ZOMBIE, "has proved nothing");
    for (size_t i = 0; i < sizeof true_words / sizeof *true_words; i++) {
        struct world *world = forgotten_world(true_words[i], 1);

        assert_null(check_failure(world->check));
        world_free(world);
    }
    struct world *world = forgotten_world(false_words[0], 16);
    assert_null(check_failure(world->check));
    world_free(world);
}

/* ---- What a member says to others -------------------------------------------------------- */

/* What the checker says of a datagram of n1 that was changed in one byte, checksum and all. */
static void expect_flaw(uint32_t place, uint8_t value, const char *part)
{
    struct world *world = calm_world(SECONDS(60), 0);
    struct sim_happening sent = {.kind = SIM_HAPPENED_SENT, .node = 1, .peer = 2};
    struct swim_member self;
    struct wire_header header = {.kind = WIRE_PING, .capabilities = WIRE_CAPABLE};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    assert_true(swim_member_at(sim_member(world->sim, 1), 0, &self));
    header.sender_id = self.id;
    header.heartbeat = self.heartbeat;
    header.incarnation = self.incarnation;
    wire_begin(&b, buf, sizeof buf, &header);
    sent.size = wire_finish(&b);
    sent.data = buf;
    sent_datagram(world->check, &sent);
    assert_null(check_failure(world->check));
    buf[place] = value;
    store_u16(buf + 22, 0);
    if (place != 22)
        store_u16(buf + 22, wire_checksum(buf, sent.size));
    sent_datagram(world->check, &sent);
    expect_complaint(world, CHECK_WIRE, part);
}

static void datagrams_are_what_the_protocol_knows(void **state)
{
    (void)state;
    expect_flaw(0, 2, "another version");
    expect_flaw(1, 9, "unknown kind");
    expect_flaw(3, 1, "another length");
    expect_flaw(4, 0, "not sent under its own id");
    expect_flaw(15, 0, "heartbeat below an earlier one");
    expect_flaw(20, 0x80, "reserved bits");
    expect_flaw(21, 0x03, "reserved bits");
    expect_flaw(22, 0, "wrong checksum");
    expect_flaw(1, WIRE_LEAVE, "says that it leaves");
}

/* ---- What it holds ----------------------------------------------------------------------- */

static void tables_have_bounds(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);

    sim_member_config(world->sim, 1)->members_max = 2;
    expect_complaint(world, CHECK_BOUNDS, "4 of 2 slots");
}

static void digests_and_views_agree(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);

    assert_int_equal(world->check->view_count, NODES);
    world->check->views[1].seen[2].incarnation++;
    views_compare(world->check);
    expect_complaint(world, CHECK_DIGEST, "are equal, but the views are different");

    world = calm_world(SECONDS(60), 0);
    world->check->views[2].digest++;
    views_compare(world->check);
    expect_complaint(world, CHECK_DIGEST, "are different, but the views are equal");
}

/* ---- Calm clusters ----------------------------------------------------------------------- */

static void nobody_is_doubted_in_a_calm_cluster(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);
    struct swim_member lie = held_by(world, 1, 2);

    lie.heartbeat += 10;
    lie.status = SWIM_SUSPECT;
    forge(world, 3, 1, &lie);
    expect_complaint(world, CHECK_FALSE_DEATH, "says \"suspected\" of n2, which runs");

    /* The same is nobody's fault when the network has just lost something. */
    world = calm_world(SECONDS(60), 0);
    lie = held_by(world, 1, 2);
    lie.heartbeat += 10;
    lie.status = SWIM_SUSPECT;
    sim_link_loss(world->sim, 0, 3, 1);
    forge(world, 3, 1, &lie);
    assert_true(check_tick(world->check));
    world_free(world);
}

static void who_left_is_not_dead(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);
    struct swim_member lie;

    sim_leave(world->sim, 2);
    assert_true(run_on(world, 5));
    lie = held_by(world, 1, 2);
    assert_int_equal(lie.status, SWIM_LEFT);
    lie.status = SWIM_DEAD;
    lie.heartbeat += 10;
    forge(world, 3, 1, &lie);
    expect_complaint(world, CHECK_LEAVE, "says \"failed\" of n2, which left");
}

static void deaths_are_told_often_enough(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);
    uint64_t id = sim_id(world->sim, 2);
    enum swim_status status = SWIM_ALIVE;

    sim_crash(world->sim, 2);
    for (uint32_t i = 0; i < 60 && status != SWIM_DEAD; i++) {
        assert_true(run_on(world, 1));
        (void)sim_status(world->sim, 1, id, &status);
    }
    assert_true(run_on(world, 4)); /* all is told by now */
    assert_true(known_held(world->check, 1, id)->tellings >= 6);
    known_held(world->check, 1, id)->tellings = 5; /* of 3 * lg(3 + 1) */
    expect_complaint(world, CHECK_SPREAD, "told or heard 5 times");
}

static void everybody_has_a_turn(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);

    assert_true(run_on(world, 10));
    world->check->seats[1].rounds += 2 * (NODES - 1);
    expect_complaint(world, CHECK_PROBING, "in a cluster of 4");
}

static void pauses_are_noticed_by_those_who_had_them(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 0);
    struct sim_event event = event_of(world, 1, 1, SWIM_EVENT_PAUSED);

    words_event(world->check, 1, &event);
    expect_complaint(world, CHECK_PAUSE, "says that it stood still");

    world = calm_world(SECONDS(60), 0);
    words_paused(world->check, 1);
    sim_run(world->sim, SECONDS(30)); /* and it did not stand still at all */
    words_resumed(world->check, 1);
    expect_complaint(world, CHECK_PAUSE, "has not noticed");
}

/* ---- Switches ---------------------------------------------------------------------------- */

static void each_can_be_switched_off(void **state)
{
    (void)state;
    struct world *world = calm_world(SECONDS(60), 1u << CHECK_SELF);

    world->check->seats[2].is_leaving = true;
    assert_true(check_tick(world->check));
    world->check->config.off = 0;
    expect_complaint(world, CHECK_SELF, "holds itself as alive");
}

static void looking_on_changes_nothing(void **state)
{
    (void)state;
    struct plan *plan = malloc(sizeof *plan);
    struct run_options options = {0};
    struct run_result with;
    struct run_result without;

    assert_non_null(plan);
    plan_default(plan);
    plan->nodes = 6;
    plan->start.kind = PLAN_START_TOGETHER;
    plan->net.loss_permille = 50;
    plan_add(plan, PLAN_KILL, SECONDS(20))->who =
        (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = 2};
    assert_true(run_plan(plan, &options, &with, NULL));
    options.has_no_checks = true;
    assert_true(run_plan(plan, &options, &without, NULL));
    assert_int_equal(with.trace_hash, without.trace_hash);
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_cluster_is_left_alone),
        cmocka_unit_test(deaths_leaves_and_pauses_are_no_fault),
        cmocka_unit_test(what_the_simulator_finds_is_passed_on),
        cmocka_unit_test(a_record_must_not_fall),
        cmocka_unit_test(events_must_fit_together),
        cmocka_unit_test(tombstones_must_stand_their_time),
        cmocka_unit_test(nobody_knows_more_of_one_than_itself),
        cmocka_unit_test(clusters_agree_each_for_itself),
        cmocka_unit_test(a_member_is_itself_and_alive),
        cmocka_unit_test(the_forgotten_come_back_by_themselves),
        cmocka_unit_test(datagrams_are_what_the_protocol_knows),
        cmocka_unit_test(tables_have_bounds),
        cmocka_unit_test(digests_and_views_agree),
        cmocka_unit_test(nobody_is_doubted_in_a_calm_cluster),
        cmocka_unit_test(who_left_is_not_dead),
        cmocka_unit_test(deaths_are_told_often_enough),
        cmocka_unit_test(everybody_has_a_turn),
        cmocka_unit_test(pauses_are_noticed_by_those_who_had_them),
        cmocka_unit_test(each_can_be_switched_off),
        cmocka_unit_test(looking_on_changes_nothing),
    };

    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
