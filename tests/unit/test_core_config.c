/* Configuration (src/core/config.c): the documented defaults, and every range. */
#include "support.h"

#include "harness.h"

static struct swim_config usable(void)
{
    struct swim_config config;

    swim_config_default(&config);
    config.id = 1;
    config.addr = addr4(1);
    return config;
}

/* The figures of docs/configuration.md. */
static void test_defaults_are_the_documented_ones(void **state)
{
    struct swim_config c;

    (void)state;
    memset(&c, 0xFF, sizeof c);
    swim_config_default(&c);
    assert_int_equal(c.id, 0);
    assert_int_equal(c.seed, 0);
    assert_int_equal(c.addr.family, 0);
    assert_int_equal(c.incarnation, 0);
    assert_false(c.addr_in_probes);
    assert_int_equal(c.members_max, 16384);
    assert_int_equal(c.fanout, 50);
    assert_true(c.adaptive_fanout);
    assert_int_equal(c.max_sends, 1);
    assert_true(c.adaptive_targets);
    assert_int_equal(c.gossip_interval_ms, 200);
    assert_int_equal(c.heartbeat_interval_ms, 500);
    assert_int_equal(c.piggyback_max, 6);
    assert_int_equal(c.retransmit_multiplier, 3);
    assert_int_equal(c.anti_entropy_interval_ms, 10000);
    assert_int_equal(c.reliable_ack_timeout_ms, 500);
    assert_int_equal(c.reliable_max_retries, 3);
    assert_int_equal(c.probe_interval_ms, 1000);
    assert_int_equal(c.probe_timeout_ms, 500);
    assert_int_equal(c.indirect_k, 2);
    assert_int_equal(c.suspect_timeout_ms, 3000);
    assert_int_equal(c.suspect_multiplier_milli, 500);
    assert_int_equal(c.suspect_jitter_ms, 1000);
    assert_int_equal(c.suspect_timeout_min_ms, 3000);
    assert_int_equal(c.dead_retention_ms, 15000);
    assert_true(c.local_health);
    assert_true(c.nack);
    assert_true(c.buddy);
    assert_int_equal(c.confirmations, 3);
    assert_string_equal(swim_config_check(&c), "id");
}

/* A field, its least and greatest value; `also_0`: and 0, for off. */
struct range {
    const char *name;
    size_t offset;
    uint32_t min, max;
    bool also_0;
};

#define RANGE(field, min, max)                                                                     \
    {                                                                                              \
#field, offsetof(struct swim_config, field), min, max, false                               \
    }
#define RANGE_OR_0(field, min, max)                                                                \
    {                                                                                              \
#field, offsetof(struct swim_config, field), min, max, true                                \
    }
static const struct range ranges[] = {
    RANGE(members_max, 2, 1048576),
    RANGE(meta_memory, 0, 1073741824),
    RANGE(fanout, 1, 65535),
    RANGE(max_sends, 1, 64),
    RANGE(gossip_interval_ms, 10, 3600000),
    RANGE(heartbeat_interval_ms, 10, 3600000),
    RANGE(piggyback_max, 0, 58),
    RANGE(retransmit_multiplier, 1, 12),
    RANGE_OR_0(anti_entropy_interval_ms, 10, 3600000),
    RANGE(reliable_ack_timeout_ms, 10, 60000),
    RANGE(reliable_max_retries, 0, 16),
    RANGE(probe_interval_ms, 10, 3600000),
    RANGE(indirect_k, 0, 16),
    RANGE(suspect_timeout_ms, 10, 3600000),
    RANGE(suspect_multiplier_milli, 0, 100000),
    RANGE(suspect_jitter_ms, 0, 3600000),
    RANGE(suspect_timeout_min_ms, 10, 3600000),
    RANGE(confirmations, 0, 8),
    RANGE(dead_retention_ms, 10, 86400000),
};

static const char *check_with(const struct range *range, uint32_t value)
{
    struct swim_config config = usable();

    config.probe_timeout_ms = 1; /* below any probe interval */
    memcpy((char *)&config + range->offset, &value, sizeof value);
    return swim_config_check(&config);
}

static void test_every_range(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(ranges); i++) {
        const struct range *range = &ranges[i];

        assert_null(check_with(range, range->min));
        assert_null(check_with(range, range->max));
        assert_string_equal(check_with(range, range->max + 1), range->name);
        assert_string_equal(check_with(range, UINT32_MAX), range->name);
        if (range->min > 0 && !(range->also_0 && range->min == 1))
            assert_string_equal(check_with(range, range->min - 1), range->name);
        if (range->also_0)
            assert_null(check_with(range, 0));
        else if (range->min > 0)
            assert_string_equal(check_with(range, 0), range->name);
    }
}

static void test_the_timeout_is_below_the_interval(void **state)
{
    struct swim_config config = usable();

    (void)state;
    config.probe_timeout_ms = 999;
    assert_null(swim_config_check(&config));
    config.probe_timeout_ms = 1000;
    assert_string_equal(swim_config_check(&config), "probe_timeout_ms");
    config.probe_timeout_ms = 0;
    assert_string_equal(swim_config_check(&config), "probe_timeout_ms");
}

static void test_id_and_address(void **state)
{
    struct swim_config config = usable();
    struct swim_addr mapped_wildcard = {
        .family = 6, .port = 7000, .ip = {[10] = 0xFF, [11] = 0xFF}};

    (void)state;
    assert_null(swim_config_check(&config));
    config.id = 0;
    assert_string_equal(swim_config_check(&config), "id");
    config.id = UINT64_MAX;
    assert_null(swim_config_check(&config));
    config.addr.port = 0;
    assert_string_equal(swim_config_check(&config), "addr");
    config.addr = (struct swim_addr){.family = 4, .port = 7000};
    assert_string_equal(swim_config_check(&config), "addr");
    config.addr = mapped_wildcard;
    assert_string_equal(swim_config_check(&config), "addr");
    config.addr = addr6(1);
    assert_null(swim_config_check(&config));
}

static void init_unusable(void *context)
{
    struct swim_config config = usable();

    config.fanout = 0;
    (void)swim_init(context, 1 << 20, &config, START);
}

static void init_too_small(void *context)
{
    struct swim_config config = usable();

    (void)swim_init(context, swim_footprint(&config) - 1, &config, START);
}

static void init_unaligned(void *context)
{
    struct swim_config config = usable();

    config.members_max = 16;
    (void)swim_init((char *)context + 8, 1 << 20, &config, START);
}

static void test_broken_arguments_are_asserted(void **state)
{
    void *arena = calloc(1, 1 << 21);

    (void)state;
    assert_non_null(arena);
    assert_true(panics(init_unusable, arena));
    assert_true(panics(init_too_small, arena));
    assert_true(panics(init_unaligned, arena));
    free(arena);
}

/* Whatever passes the check can be lived with: a member at each end of each range. */
static void test_members_live_at_the_ends_of_the_ranges(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * COUNT_OF(ranges); i++) {
        const struct range *range = &ranges[i / 2];
        uint32_t value = i % 2 ? range->max : range->min;
        struct net net;

        if (!strcmp(range->name, "members_max"))
            continue;
        if (SIZE_MAX == UINT32_MAX && !strcmp(range->name, "meta_memory"))
            value /= 16; /* three of the largest need more addresses than there are */
        net_begin(&net, START);
        for (uint32_t number = 1; number <= 3; number++) {
            struct swim_config config = config_of(number);
            struct swim_addr first = addr4(1);
            uint32_t place;

            config.probe_timeout_ms = 5;
            memcpy((char *)&config + range->offset, &value, sizeof value);
            assert_null(swim_config_check(&config));
            place = net_add(&net, &config);
            assert_true(swim_join(net.members[place], net.now, &first));
        }
        net_run(&net, START + 20000 * SWIM_MS);
        for (uint32_t k = 0; k < 3; k++) {
            if (swim_member_count(net.members[k], SWIM_ALIVE) != 3)
                fail_msg("%s = %u: three members do not find each other", range->name, value);
        }
        net_end(&net);
    }
}

static void test_the_version_is_the_headers(void **state)
{
    char text[32];

    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
             SWIM_VERSION_PATCH);
    assert_string_equal(swim_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_documented_ones),
        cmocka_unit_test(test_the_version_is_the_headers),
        cmocka_unit_test(test_every_range),
        cmocka_unit_test(test_the_timeout_is_below_the_interval),
        cmocka_unit_test(test_id_and_address),
        cmocka_unit_test(test_broken_arguments_are_asserted),
        cmocka_unit_test(test_members_live_at_the_ends_of_the_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
