/*
 * When the kernel's filter goes up and comes down, in virtual time: it follows the flood, never bites
 * below it, opens slowly, and tightens at once. The filter itself is test_shield's.
 */
#define _GNU_SOURCE
#include "support.h"

#include "agent/log.h"
#include "agent/shield.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define RATE 500
#define SECOND UINT64_C(1000000000)

struct world {
    void *arena;
    int fd;
    uint64_t now;
    struct shield shield;
};

static int make_world(void **state)
{
    static struct world world;
    struct swim_config config;

    swim_config_default(&config);
    config.id = 77;
    config.seed = 1;
    config.members_max = 16;
    config.addr = (struct swim_addr){.ip = {127, 0, 0, 1}, .port = 7000, .family = 4};
    world = (struct world){.now = SECOND, .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    world.arena = calloc(1, swim_footprint(&config));
    if (world.arena == NULL || world.fd < 0)
        return -1;
    struct swim *swim = swim_init(world.arena, swim_footprint(&config), &config, 0);
    shield_init(&world.shield, world.fd, swim, 1);
    shield_configure(&world.shield, RATE);
    *state = &world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;

    (void)close(world->fd);
    free(world->arena);
    return 0;
}

static bool has_filter(const struct world *world)
{
    socklen_t length = 0;

    return getsockopt(world->fd, SOL_SOCKET, SO_GET_FILTER, NULL, &length) == 0 && length > 0;
}

/* So many arrive within that time, evenly, past the filter. */
static void arrive(struct world *world, uint32_t count, uint64_t within)
{
    for (uint32_t i = 0; i < count; i++) {
        world->now += within / count;
        (void)shield_note_stranger(&world->shield, world->now);
    }
}

/* A second of a flood, of which as much comes through as the filter keeps. */
static void flood_second(struct world *world, uint64_t rate)
{
    uint64_t carried = 0; /* of 2^32 of a datagram */

    for (int i = 0; i < 1000; i++) {
        carried += rate / 1000 * ((uint64_t)world->shield.keep + 1);
        world->now += SECOND / 1000;
        for (; carried >> 32 > 0; carried -= UINT64_C(1) << 32)
            (void)shield_note_stranger(&world->shield, world->now);
    }
    (void)shield_tick(&world->shield, world->now);
}

static void test_not_for_less(void **state)
{
    struct world *world = *state;

    /* A burst that the limiter allows for, and then as much as it does, for a minute. */
    arrive(world, 1000, SECOND / 10);
    for (int i = 0; i < 60; i++)
        arrive(world, RATE, SECOND);
    for (int i = 0; i < 60; i++)
        arrive(world, 1900, SECOND + 1);
    assert_false(world->shield.stats.is_up);
    assert_false(has_filter(world));
    assert_false(shield_tick(&world->shield, world->now));
}

static void test_follows_the_flood(void **state)
{
    struct world *world = *state;

    arrive(world, 3000, SECOND / 50);
    assert_true(world->shield.stats.is_up);
    assert_true(has_filter(world));
    for (int i = 0; i < 10; i++)
        flood_second(world, 200000);
    assert_true(world->shield.stats.is_up);
    /* Twice the rate comes through: 1,000 of 200,000. */
    double kept = (double)world->shield.keep / 4294967296.0;
    assert_true(kept > 0.004 && kept < 0.006);
    assert_int_equal(world->shield.stats.raised, 1);
}

static void test_tightens_at_once(void **state)
{
    struct world *world = *state;

    arrive(world, 3000, SECOND);
    uint32_t before = world->shield.keep;
    /* It grows to the hundredfold within a second: no tick is waited for. */
    arrive(world, 20000, SECOND / 4);
    assert_true(world->shield.keep < before / 20);
    assert_true(world->shield.stats.is_up);
}

static void test_opens_slowly(void **state)
{
    struct world *world = *state;

    arrive(world, 3000, SECOND / 50);
    for (int i = 0; i < 3; i++)
        flood_second(world, 200000);
    for (int i = 0; i < 4; i++) {
        uint32_t before = world->shield.keep;
        flood_second(world, 1000); /* a pause */
        assert_true(world->shield.stats.is_up);
        assert_true(world->shield.keep <= 2 * before && world->shield.keep > before);
    }
    flood_second(world, 200000);
    flood_second(world, 200000);
    assert_true(world->shield.stats.is_up);
    for (int i = 0; i < 5; i++) {
        assert_true(world->shield.stats.is_up);
        flood_second(world, 1000);
    }
    assert_false(world->shield.stats.is_up);
    assert_false(has_filter(world));
    arrive(world, 3000, SECOND / 50);
    assert_int_equal(world->shield.stats.raised, 2);
}

static void test_without_a_socket_that_takes_it(void **state)
{
    struct world *world = *state;
    int fd = world->shield.fd;

    world->shield.fd = -1;
    arrive(world, 10000, SECOND / 10);
    assert_false(world->shield.stats.is_up);
    world->shield.fd = fd;
    arrive(world, 3000, SECOND / 50);
    world->shield.fd = -1;
    assert_false(shield_tick(&world->shield, world->now));
    world->shield.fd = fd;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_not_for_less),
        TEST(test_follows_the_flood),
        TEST(test_tightens_at_once),
        TEST(test_opens_slowly),
        TEST(test_without_a_socket_that_takes_it),
    };

    log_configure(LOG_ERROR, LOG_AS_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
