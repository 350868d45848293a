/*
 * Names and tags in whole clusters: how fast a change is everywhere and what it costs, contents that
 * take many datagrams, loss, partitions, restarts without memory, names that two members have, too
 * little room, plain peers, and lies. docs/protocol.md sections 6 to 8.
 */
#include "scenario.h"

#include "plain/plain_v1.h"

#include "core/meta_value.h"

static struct swim_meta meta_of(const char *name, const char *key, const char *value)
{
    struct swim_meta meta;

    assert_int_equal(swim_meta_init(&meta, name), SWIM_META_OK);
    if (key)
        assert_int_equal(swim_meta_set(&meta, key, value), SWIM_META_OK);
    return meta;
}

/* 4,096 bytes of tags. */
static struct swim_meta largest_of(uint32_t node, char fill)
{
    char name[32], value[1000];
    struct swim_meta meta;

    snprintf(name, sizeof name, "node-%u", node);
    meta = meta_of(name, NULL, NULL);
    memset(value, fill, sizeof value);
    value[sizeof value - 1] = 0;
    for (char key[2] = "a"; key[0] < 'e'; key[0]++)
        assert_int_equal(swim_meta_set(&meta, key, value), SWIM_META_OK);
    value[SWIM_TAGS_MAX - meta.tags_size - 3] = 0;
    assert_int_equal(swim_meta_set(&meta, "e", value), SWIM_META_OK);
    assert_int_equal(meta.tags_size, SWIM_TAGS_MAX);
    return meta;
}

static void name_node(struct sim *sim, uint32_t node, const char *tag)
{
    char name[32];
    struct swim_meta meta;

    snprintf(name, sizeof name, "node-%u", node);
    meta = meta_of(name, "tag", tag);
    sim_set_meta(sim, node, &meta);
}

/* A settled cluster in which everybody has a name and a tag. */
static struct sim *named_cluster(const char *scenario, uint32_t nodes)
{
    struct sim *sim = scenario_of(scenario, nodes);

    for (uint32_t i = 0; i < nodes; i++)
        name_node(sim, i, "first");
    start_settled(sim);
    expect_until(sim, sim_metas_agree, NULL, 10000, "all hold the same names and tags");
    return sim;
}

static uint64_t expect_metas(struct sim *sim, uint64_t limit_ms)
{
    return expect_until(sim, sim_metas_agree, NULL, limit_ms, "all hold the same names and tags");
}

/* ---- Speed and cost ---- */

/* A small change reaches everybody in O(log n) rounds, as any news does. */
static void a_change_is_everywhere_in_a_few_rounds(void **state)
{
    static const uint32_t sizes[] = {2, 10, 50, 200};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint32_t n = scenario_size(sizes[i], sizes[i] > 50 ? 50 : sizes[i]);
        struct sim *sim = named_cluster(__func__, n);
        struct sim_traffic before = sim_sent(sim, SIM_NOBODY), used;
        uint64_t parts = SIM_COUNTER(sim, SIM_NOBODY, meta_sent);
        uint64_t took;

        name_node(sim, n / 2, "second");
        took = expect_metas(sim, 5000);
        assert_true(took <= 200 * (log2_up(n) + 1));
        run_ms(sim, 10000);
        assert_true(sim_converged(sim, NULL));
        used = sim_sent(sim, SIM_NOBODY);
        used = sim_traffic_since(&used, &before);
        parts = SIM_COUNTER(sim, SIM_NOBODY, meta_sent) - parts;
        printf("%u members: everywhere after %llu ms; %llu parts, %llu datagrams of gossip with "
               "%llu bytes\n",
               n, (unsigned long long)took, (unsigned long long)parts,
               (unsigned long long)used.datagrams[WIRE_GOSSIP],
               (unsigned long long)used.bytes[WIRE_GOSSIP]);
        /* At most lambda lg(n + 1) times each, of which what is overheard is spared. */
        assert_true(parts <= (uint64_t)n * 3 * log2_up(n + 1));
        scenario_end(sim);
    }
}

/* Then there is silence, and views cost as much as ever. */
static void an_idle_cluster_tells_nothing(void **state)
{
    struct sim *sim = named_cluster(__func__, 20);
    uint64_t parts;
    struct sim_traffic used;

    (void)state;
    run_ms(sim, 30000);
    parts = SIM_COUNTER(sim, SIM_NOBODY, meta_sent);
    used = traffic_of(sim, SIM_NOBODY, 60000);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, meta_sent), parts);
    assert_int_equal(used.datagrams[WIRE_GOSSIP], 0);
    assert_int_equal(used.datagrams[WIRE_SYNC], 0);
    scenario_end(sim);
}

static void the_largest_change(void **state)
{
    struct sim *sim = named_cluster(__func__, 50);
    struct swim_meta meta = largest_of(7, 'x');
    struct sim_traffic before = sim_sent(sim, SIM_NOBODY), used;
    uint64_t took;

    (void)state;
    sim_set_meta(sim, 7, &meta);
    took = expect_metas(sim, 15000);
    used = sim_sent(sim, SIM_NOBODY);
    used = sim_traffic_since(&used, &before);
    printf("4 KiB of tags are on 50 members after %llu ms, %llu bytes of datagrams\n",
           (unsigned long long)took, (unsigned long long)used.bytes_total);
    run_ms(sim, 10000);
    assert_true(sim_converged(sim, NULL));
    scenario_end(sim);
}

/* Everybody's, at once, from the start. */
static void all_start_with_the_largest(void **state)
{
    struct sim *sim = scenario_of(__func__, 12);

    (void)state;
    for (uint32_t i = 0; i < 12; i++) {
        struct swim_meta meta = largest_of(i, (char)('a' + i));

        sim_set_meta(sim, i, &meta);
    }
    start_star(sim, 0, 12);
    printf("12 members with 4 KiB each: %llu ms\n", (unsigned long long)expect_metas(sim, 30000));
    expect_converged(sim, 10000);
    scenario_end(sim);
}

/* ---- Loss ---- */

static void the_largest_through_loss(void **state)
{
    (void)state;
    for (uint32_t loss = 100; loss <= 300; loss += 200) {
        struct sim_config config = scenario_config(__func__, 30);
        struct sim_net net = NET(200000, 1000000, loss, 20, 20);
        struct sim *sim;
        struct swim_meta meta = largest_of(0, 'l');

        config.net = net;
        sim = scenario_new(&config);
        for (uint32_t i = 0; i < 30; i++) {
            sim_add(sim);
            name_node(sim, i, "first");
        }
        start_star(sim, 0, 30);
        /* Where a third of all is lost, so are most synchronisations, and views differ for ever: the
         * distance between two of them has grown to half a minute. */
        expect_metas(sim, loss > 100 ? 300000 : 30000);
        sim_set_meta(sim, 0, &meta);
        printf("4 KiB through %u %% of loss: %llu ms\n", loss / 10,
               (unsigned long long)expect_metas(sim, loss > 100 ? 300000 : 30000));
        scenario_end(sim);
    }
}

/* Nobody gossips names and tags in vain: what dissemination misses is found and mended. */
static bool lose_gossiped_meta(void *context, const struct sim_datagram *datagram)
{
    struct wire_datagram dg;

    (void)context;
    if (wire_decode(datagram->data, datagram->size, &dg) != SWIM_OK)
        return true;
    return !dg.metas || dg.header.kind == WIRE_SYNC;
}

static void anti_entropy_alone_heals(void **state)
{
    struct sim *sim = named_cluster(__func__, 20);
    struct swim_meta meta = largest_of(3, 'y');

    (void)state;
    sim_filter(sim, lose_gossiped_meta, NULL);
    name_node(sim, 5, "second");
    sim_set_meta(sim, 3, &meta);
    printf("without gossip: %llu ms\n", (unsigned long long)expect_metas(sim, 60000));
    run_ms(sim, 60000);
    assert_true(sim_converged(sim, NULL));
    scenario_end(sim);
}

/* ---- Partitions, restarts ---- */

static void both_sides_of_a_partition_change(void **state)
{
    struct sim *sim = named_cluster(__func__, 16);

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        sim_split(sim, i, 1);
    run_ms(sim, 2000);
    for (uint32_t i = 0; i < 16; i += 2)
        name_node(sim, i, "split");
    run_ms(sim, 60000); /* each side has buried the other, and forgotten it */
    for (uint32_t i = 1; i < 16; i += 4)
        name_node(sim, i, "late");
    sim_heal(sim);
    expect_converged(sim, 60000);
    expect_metas(sim, 30000);
    scenario_end(sim);
}

static void a_restart_brings_what_it_starts_with(void **state)
{
    struct sim *sim = named_cluster(__func__, 10);
    struct swim_meta meta = meta_of("node-4", "run", "second"), held;

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        name_node(sim, 4, i % 2 ? "odd" : "even");
    expect_metas(sim, 5000);
    sim_set_meta(sim, 4, NULL);
    sim_crash(sim, 4);
    sim_set_meta(sim, 4, &meta);
    sim_restart_same_id(sim, 4);
    expect_converged(sim, 20000);
    expect_metas(sim, 10000);
    assert_true(swim_member_meta(sim_member(sim, 9), sim_id(sim, 4), &held));
    assert_true(swim_meta_equal(&held, &meta));
    assert_int_equal(held.incarnation, 1);
    assert_int_equal(held.version, 1);
    /* Under a new id the old one's name and tags end with it. */
    sim_restart_new_id(sim, 4);
    expect_clean(sim, 120000);
    expect_metas(sim, 10000);
    scenario_end(sim);
}

/* It comes back under its old id and incarnation, and knows nothing of its nine versions. */
static void a_restart_without_memory(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        struct sim *sim = named_cluster(__func__, 10);
        struct swim_meta meta = meta_of("node-4", "memory", "lost"), held;

        for (uint32_t i = 0; i < 8; i++) {
            name_node(sim, 4, i % 2 ? "odd" : "even");
            run_ms(sim, 300);
        }
        expect_metas(sim, 5000);
        sim_crash(sim, 4);
        run_ms(sim, 1000);
        sim_set_meta(sim, 4, run ? NULL : &meta); /* or it says nothing of itself any more */
        sim_start(sim, 4);
        printf("without memory: %llu ms\n", (unsigned long long)expect_metas(sim, 30000));
        expect_converged(sim, 30000);
        assert_true(swim_member_meta(sim_member(sim, 9), sim_id(sim, 4), &held));
        assert_int_equal(swim_meta_count(&held), run ? 0 : 1);
        assert_true(run ? !held.name[0] : swim_meta_equal(&held, &meta));
        scenario_end(sim);
    }
}

/* ---- Names ---- */

static void two_members_of_one_name(void **state)
{
    struct sim *sim = named_cluster(__func__, 8);
    struct swim_meta meta = meta_of("node-2", NULL, NULL);
    uint64_t since = sim_now(sim);

    (void)state;
    sim_set_meta(sim, 5, &meta);
    expect_metas(sim, 5000);
    run_ms(sim, 5000);
    for (uint32_t i = 0; i < 8; i++) {
        uint64_t of_2 = sim_event_count(sim, i, SWIM_EVENT_NAME_CONFLICT, sim_id(sim, 2), since);
        uint64_t of_5 = sim_event_count(sim, i, SWIM_EVENT_NAME_CONFLICT, sim_id(sim, 5), since);

        assert_int_equal(of_2 + of_5, 1);
        if (i == 2)
            assert_int_equal(of_5, 1); /* each of the two about the other */
        if (i == 5)
            assert_int_equal(of_2, 1);
    }
    run_ms(sim, 60000); /* once */
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_NAME_CONFLICT, 0, since), 8);
    scenario_end(sim);
}

/* ---- Little room ---- */

static void there_is_room_for_few(void **state)
{
    struct sim_config config = scenario_config(__func__, 12);
    struct sim *sim;
    struct swim_meta held;
    struct sim_traffic used;
    uint32_t known = 0;

    (void)state;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 12; i++) {
        sim_add(sim);
        name_node(sim, i, "first");
    }
    sim_member_config(sim, 5)->meta_memory = 4 * 128;
    start_settled(sim); /* digests agree all the same */
    run_ms(sim, 20000);
    for (uint32_t i = 0; i < 12; i++)
        known += swim_member_meta(sim_member(sim, 5), sim_id(sim, i), &held);
    assert_int_equal(known, 5); /* four of them, and its own */
    used = traffic_of(sim, SIM_NOBODY, 30000);
    assert_int_equal(used.datagrams[WIRE_SYNC], 0); /* it is not asked for again and again */
    /* Four leave: there is room for others, and it comes to know as many. */
    for (uint32_t i = 0, left = 0; left < 4; i++) {
        if (i != 5 && swim_member_meta(sim_member(sim, 5), sim_id(sim, i), &held)) {
            sim_leave(sim, i);
            left++;
        }
    }
    run_ms(sim, 60000);
    known = 0;
    for (uint32_t i = 0; i < 12; i++)
        known += swim_member_meta(sim_member(sim, 5), sim_id(sim, i), &held);
    assert_int_equal(known, 5);
    scenario_end(sim);
}

/* ---- Plain peers ---- */

static void plain_peers_notice_nothing(void **state)
{
    struct sim_config config = scenario_config(__func__, 8);
    struct sim *sim = scenario_new(&config);
    struct plain *plain[3];
    struct swim_meta meta = largest_of(0, 'p'), held;

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        sim_add(sim);
    for (uint32_t i = 0; i < 5; i++)
        name_node(sim, i, "first");
    start_star(sim, 0, 5);
    for (uint32_t i = 0; i < 3; i++) {
        struct swim_addr addr = sim_addr(sim, 5 + i), seed = sim_addr(sim, 0);

        plain[i] = plain_new(sim_id(sim, 5 + i), &addr, scenario_seed() + i,
                             sim_local_time(sim, 5 + i, sim_now(sim)));
        plain_join(plain[i], &seed);
        sim_start_peer(sim, 5 + i, &plain_ops, plain[i], 0);
    }
    expect_converged(sim, 10000);
    sim_set_meta(sim, 2, &meta);
    expect_metas(sim, 20000);
    run_ms(sim, 30000);
    expect_converged(sim, 10000);
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(swim_member_meta(sim_member(sim, 0), sim_id(sim, 5 + i), &held));
        assert_int_equal(plain[i]->limited, 0);
        assert_int_equal(plain[i]->dropped, 0);
    }
    scenario_end(sim);
    for (uint32_t i = 0; i < 3; i++)
        plain_free(plain[i]);
}

/* Alone among plain ones: what nobody can be told ends all the same. */
static void alone_among_plain_peers(void **state)
{
    struct sim_config config = scenario_config(__func__, 2);
    struct sim *sim = scenario_new(&config);
    struct swim_addr addr, seed;
    struct plain *plain;

    (void)state;
    sim_add(sim);
    sim_add(sim);
    name_node(sim, 0, "first");
    sim_start(sim, 0);
    addr = sim_addr(sim, 1);
    seed = sim_addr(sim, 0);
    plain = plain_new(sim_id(sim, 1), &addr, scenario_seed(), sim_local_time(sim, 1, 0));
    plain_join(plain, &seed);
    sim_start_peer(sim, 1, &plain_ops, plain, 0);
    expect_converged(sim, 10000);
    run_ms(sim, 60000);
    assert_int_equal(SIM_COUNTER(sim, 0, meta_sent), 0);
    scenario_end(sim);
    plain_free(plain);
}

/* ---- Lies ---- */

/* Delivered to `node` in a GOSSIP with this header. */
static void tell_meta(struct sim *sim, uint32_t node, const struct swim_addr *from,
                      const struct wire_header *header, const struct wire_meta_part *part)
{
    uint8_t value[1000], buf[SWIM_DATAGRAM_MAX];
    struct writer w = writer_of(value, sizeof value);
    struct wire_builder b;

    wire_begin(&b, buf, sizeof buf, header);
    assert_true(wire_write_meta(&w, part));
    assert_true(wire_put_record(&b, WIRE_EXT_META, value, (uint16_t)writer_size(&w)));
    sim_inject(sim, from, node, buf, wire_finish(&b));
    assert_true(sim_run(sim, 1));
}

static struct wire_meta_part lie_of(uint64_t of, uint32_t incarnation, uint32_t version,
                                    uint8_t content[META_CONTENT_MAX])
{
    struct swim_meta meta = meta_of("liar", "role", "thief");
    size_t size = meta_value_write(&meta, content);

    return (struct wire_meta_part){.id = of,
                                   .key = {incarnation, version, meta_value_digest(content, size)},
                                   .size = (uint16_t)size,
                                   .bytes = content};
}

static void a_member_lies_about_another(void **state)
{
    static const uint32_t keys[][2] = {{0, 2}, {0, 1000}, {7, 1}, {3, UINT32_MAX}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct sim *sim = named_cluster(__func__, 8);
        struct wire_header header = honest_header(sim, 1, WIRE_GOSSIP);
        struct swim_addr from = sim_addr(sim, 1);
        uint8_t content[META_CONTENT_MAX];
        struct wire_meta_part lie = lie_of(sim_id(sim, 2), keys[i][0], keys[i][1], content);
        struct swim_meta own, held;

        header.capabilities = WIRE_CAPABLE;
        tell_meta(sim, 4, &from, &header, &lie);
        assert_true(swim_member_meta(sim_member(sim, 4), sim_id(sim, 2), &held));
        assert_string_equal(held.name, "liar"); /* it was believed */
        printf("overruled everywhere after %llu ms\n",
               (unsigned long long)expect_metas(sim, 10000));
        run_ms(sim, 5000);
        assert_true(sim_converged(sim, NULL));
        assert_true(swim_member_meta(sim_member(sim, 2), sim_id(sim, 2), &own));
        assert_string_equal(own.name, "node-2");
        assert_true(SIM_COUNTER(sim, 2, meta_overruled) >= 1);
        scenario_end(sim);
    }
}

/* Who has proved nothing is not heard, whatever he says. */
static void a_stranger_says_nothing(void **state)
{
    struct sim *sim = named_cluster(__func__, 8);
    struct wire_header member = honest_header(sim, 1, WIRE_GOSSIP);
    struct wire_header stranger = {
        .kind = WIRE_GOSSIP, .capabilities = WIRE_CAPABLE, .sender_id = 99, .heartbeat = 9};
    struct swim_addr from = make_addr(77, 7000);
    uint8_t content[META_CONTENT_MAX];
    struct wire_meta_part lie = lie_of(sim_id(sim, 2), 0, 1000, content);
    struct wire_meta_part own = lie_of(99, 0, 1, content);
    uint64_t heard = SIM_COUNTER(sim, SIM_NOBODY, meta_recv);

    (void)state;
    member.capabilities = WIRE_CAPABLE;
    for (uint32_t i = 0; i < 8; i++) {
        tell_meta(sim, i, &from, &stranger, &lie);
        tell_meta(sim, i, &from, &stranger, &own);
        if (i != 1)
            tell_meta(sim, i, &from, &member, &lie);
    }
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, meta_recv), heard);
    assert_true(sim_metas_agree(sim, NULL));
    scenario_end(sim);
}

/* ---- With churn ---- */

static void tags_change_while_members_come_and_go(void **state)
{
    struct sim_config config = scenario_config(__func__, 24);
    struct sim_net net = NET(200000, 5000000, 50, 10, 0);
    struct sim *sim;

    (void)state;
    config.net = net;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 24; i++) {
        sim_add(sim);
        name_node(sim, i, "0");
    }
    start_star(sim, 0, 24);
    expect_metas(sim, 60000);
    for (uint32_t round = 1; round <= 60; round++) {
        char tag[16];

        snprintf(tag, sizeof tag, "%u", round);
        name_node(sim, round * 7 % 24, tag);
        if (round % 10 == 5)
            sim_restart_same_id(sim, 1 + round * 5 % 23);
        if (round % 20 == 13)
            sim_restart_new_id(sim, 1 + round * 11 % 23);
        run_ms(sim, 500);
    }
    expect_metas(sim, 60000);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_everywhere_in_a_few_rounds),
        cmocka_unit_test(an_idle_cluster_tells_nothing),
        cmocka_unit_test(the_largest_change),
        cmocka_unit_test(all_start_with_the_largest),
        cmocka_unit_test(the_largest_through_loss),
        cmocka_unit_test(anti_entropy_alone_heals),
        cmocka_unit_test(both_sides_of_a_partition_change),
        cmocka_unit_test(a_restart_brings_what_it_starts_with),
        cmocka_unit_test(a_restart_without_memory),
        cmocka_unit_test(two_members_of_one_name),
        cmocka_unit_test(there_is_room_for_few),
        cmocka_unit_test(plain_peers_notice_nothing),
        cmocka_unit_test(alone_among_plain_peers),
        cmocka_unit_test(a_member_lies_about_another),
        cmocka_unit_test(a_stranger_says_nothing),
        cmocka_unit_test(tags_change_while_members_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
