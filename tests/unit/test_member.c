/*
 * The member table (src/core/member.h): slots, indexes, live[], counts and digest against a naive
 * model; a full table.
 */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/live.h"
#include "core/member.h"

enum { POOL = 200 }; /* numbers 2 .. POOL + 1 come and go */

/* What the table must hold, by number. */
struct model {
    bool known, forgotten;
    struct record record;
};

static struct model models[POOL + 2];

static bool is_model_live(uint32_t number)
{
    return models[number].known && !is_terminal(models[number].record.status);
}

static struct swim_addr draw_addr(struct prng *prng)
{
    uint32_t house = 500 + prng_below(prng, 20);

    return prng_below(prng, 3) ? addr4(house) : addr6(house);
}

static struct record draw_record(struct prng *prng, uint32_t number)
{
    return (struct record){.id = number,
                           .incarnation = prng_below(prng, 3),
                           .heartbeat = prng_below(prng, 3),
                           .status = (uint8_t)prng_below(prng, SWIM_STATUS_COUNT),
                           .addr = draw_addr(prng)};
}

static void assert_arrays(const struct swim *s)
{
    uint32_t live = 0;
    uint32_t alive = 0;

    for (uint32_t number = 2; number < POOL + 2; number++) {
        uint32_t slot = member_find(s, number);
        const struct member *m;

        assert_int_equal(slot != 0, models[number].known);
        if (!slot)
            continue;
        m = member_at(s, slot);
        assert_memory_equal(&m->record.addr.ip, &models[number].record.addr.ip, 16);
        assert_int_equal(m->record.status, models[number].record.status);
        assert_int_equal(m->place != 0, is_model_live(number));
        live += m->place != 0;
        alive += m->place != 0 && m->record.status == SWIM_ALIVE;
    }
    assert_int_equal(live_count(s), live);
    assert_int_equal(alive_count(s), alive);
    assert_null(live_check(s));
}

static void assert_sums(const struct swim *s)
{
    uint32_t by_status[SWIM_STATUS_COUNT] = {[SWIM_ALIVE] = 1};
    uint64_t digest = member_digest(&self_of(s)->record);
    uint32_t used = 1;
    uint32_t plain = 0;
    uint32_t v6 = 0;

    for (uint32_t number = 2; number < POOL + 2; number++) {
        const struct model *model = &models[number];

        used += model->known;
        if (model->known && !model->forgotten)
            by_status[model->record.status]++;
        if (!is_model_live(number))
            continue;
        digest ^= member_digest(&model->record);
        v6 += model->record.addr.family == 6;
        plain += !(member_at(s, member_find(s, number))->flags & MEMBER_CAPABLE);
    }
    for (unsigned i = 0; i < SWIM_STATUS_COUNT; i++)
        assert_int_equal(swim_member_count(s, (enum swim_status)i), by_status[i]);
    assert_true(swim_view_digest(s) == digest);
    assert_int_equal(s->slots_used, used);
    assert_int_equal(s->live_v6, v6);
    assert_int_equal(s->plain_live, plain);
}

/* Whoever is found at an address lives there; and somebody is found when somebody does. */
static void assert_addresses(const struct swim *s)
{
    for (uint32_t house = 500; house < 520; house++) {
        struct swim_addr addr = house % 2 ? addr4(house) : addr6(house);
        uint32_t slot = member_find_addr(s, &addr);
        bool expected = false;

        for (uint32_t number = 2; number < POOL + 2; number++)
            expected |= is_model_live(number) && addr_equal(&models[number].record.addr, &addr);
        assert_int_equal(slot != 0, expected);
        if (slot) {
            uint32_t other = member_find_addr_except(s, &addr, slot);

            assert_true(is_live(member_at(s, slot)));
            assert_true(addr_equal(&member_at(s, slot)->record.addr, &addr));
            assert_true(other != slot);
        }
    }
}

static void step(struct swim *s, struct prng *prng)
{
    uint32_t number = 2 + prng_below(prng, POOL);
    struct model *model = &models[number];
    struct record record = draw_record(prng, number);
    uint32_t slot = member_find(s, number);

    if (!model->known) {
        slot = member_add(s, &record);
        if (slot) {
            *model = (struct model){.known = true, .record = record};
            member_set_capable(s, slot, prng_below(prng, 2));
        }
    } else if (is_terminal(model->record.status) && !model->forgotten && prng_below(prng, 2)) {
        member_forget(s, slot);
        model->forgotten = true;
    } else if (model->forgotten && prng_below(prng, 2)) {
        member_free(s, slot);
        model->known = false;
    } else {
        member_set(s, slot, &record);
        *model = (struct model){.known = true, .record = record};
        member_set_capable(s, slot, prng_below(prng, 2));
    }
}

static void test_random_use(void **state)
{
    struct swim_config config = config_of(1);
    struct prng prng;
    struct swim *s;

    (void)state;
    prng_init(&prng, test_seed("member"));
    config.members_max = POOL / 2; /* so that it is full most of the time */
    s = member_begin(&config, START);
    memset(models, 0, sizeof models);
    for (uint32_t i = 0; i < 40000; i++) {
        step(s, &prng);
        if (prng_below(&prng, 4) == 0)
            (void)live_next_probe(s);
        if (i % 50 == 0) {
            assert_arrays(s);
            assert_sums(s);
            assert_addresses(s);
        }
    }
    assert_int_equal(s->slots_used, POOL / 2);
    free(s);
}

static struct swim *with_members(uint32_t last)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    hear_members(s, START, 2, last);
    assert_int_equal(live_count(s), last - 1);
    return s;
}

static void test_full_table_refuses_newcomers_once_aloud(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim_event event;
    uint32_t said = 0;
    struct swim *s;

    (void)state;
    config.members_max = 4;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 9);
    assert_int_equal(stats_of(s).newcomers_refused, 5);
    assert_int_equal(stats_of(s).slots_used, 4);
    for (uint32_t id = 2; id <= 4; id++)
        assert_int_equal(status_of(s, id), SWIM_ALIVE);
    assert_int_equal(status_of(s, 5), -1);
    while (swim_next_event(s, &event))
        said += event.kind == SWIM_EVENT_TABLE_FULL;
    assert_int_equal(said, 1);
    hear_members(s, START, 9, 9);
    assert_int_equal(drain_events(s), 0);
    member_end(s);
}

static void test_slots_are_stable_and_listed(void **state)
{
    struct swim *s = with_members(9);
    uint32_t seen = 0;

    (void)state;
    assert_int_equal(swim_member_slots(s), 9);
    for (uint32_t slot = 0; slot < swim_member_slots(s); slot++) {
        struct swim_member m;

        assert_true(swim_member_at(s, slot, &m));
        assert_int_equal(m.id, slot + 1);
        assert_int_equal(m.is_self, slot == 0);
        seen++;
    }
    assert_int_equal(seen, 9);
    member_end(s);
}

/* An IPv4-mapped address is the IPv4 one, whichever way it is asked for. */
static void test_found_by_mapped_address(void **state)
{
    struct swim *s = with_members(3);
    struct swim_addr mapped = {.family = 6, .port = 7000, .ip = {[10] = 0xFF, [11] = 0xFF}};
    struct swim_addr nobody = addr4(99);
    struct swim_member m;

    (void)state;
    mapped.ip[12] = 10;
    mapped.ip[15] = 3;
    assert_true(swim_member_find_addr(s, &mapped, &m));
    assert_int_equal(m.id, 3);
    mapped.ip[15] = 1;
    assert_true(swim_member_find_addr(s, &mapped, &m));
    assert_true(m.is_self);
    assert_false(swim_member_find_addr(s, &nobody, &m));
    member_end(s);
}

/* A chain of the index takes 32 of them: they must not all come into one. */
static void test_many_at_one_host_are_found_by_port(void **state)
{
    static const unsigned distances[] = {1, 16, 100, 256};

    (void)state;
    for (unsigned i = 0; i < sizeof distances / sizeof *distances; i++) {
        struct swim_config config = config_of(1);
        struct swim *s = member_begin(&config, START);

        for (uint32_t number = 2; number <= 250; number++) {
            struct record record = {.id = number, .addr = addr4(2)};

            record.addr.port = (uint16_t)(number * distances[i]);
            assert_true(member_add(s, &record) != 0);
            assert_int_equal(member_find(s, number), member_find_addr(s, &record.addr));
        }
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_full_table_refuses_newcomers_once_aloud),
        cmocka_unit_test(test_slots_are_stable_and_listed),
        cmocka_unit_test(test_found_by_mapped_address),
        cmocka_unit_test(test_many_at_one_host_are_found_by_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
