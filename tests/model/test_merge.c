/*
 * The merge order (docs/protocol.md section 4), enumerated: every pair and every triple of a
 * domain with the extremes of each field, so that a shortcut by subtraction, a pairwise special
 * case or a forgotten field shows as a broken law and not as a cluster that never agrees.
 */
#include "../unit/support.h"

#include "core/merge.h"

static const uint32_t counters[] = {0, 1, 0x80000000u, UINT32_MAX};
static const struct swim_addr addresses[] = {
    {.ip = {10, 0, 0, 1}, .port = 7000, .family = 4},
    {.ip = {10, 0, 0, 1}, .port = 7001, .family = 4},
    {.ip = {10, 0, 0, 2}, .port = 7000, .family = 4},
    {.ip = {10, 0, 0, 1}, .port = 7000, .family = 6}, /* the same bytes, another family */
    {.ip = {0xFD, [15] = 1}, .port = 7000, .family = 6},
    {.ip = {0xFD, [15] = 0xFF}, .port = 7000, .family = 6},
};

enum {
    COUNTERS = COUNT_OF(counters),
    ADDRESSES = COUNT_OF(addresses),
    RECORDS = COUNTERS * COUNTERS * SWIM_STATUS_COUNT * ADDRESSES,
};

static struct record records[RECORDS];
static int8_t order[RECORDS][RECORDS];
static uint16_t greater[RECORDS][RECORDS]; /* merge, by place */

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static int enumerate(void **state)
{
    uint32_t at = 0;

    (void)state;
    for (uint32_t i = 0; i < COUNTERS; i++) {
        for (uint32_t h = 0; h < COUNTERS; h++) {
            for (uint8_t status = 0; status < SWIM_STATUS_COUNT; status++) {
                for (uint32_t a = 0; a < ADDRESSES; a++) {
                    records[at++] = (struct record){
                        .id = 7,
                        .incarnation = counters[i],
                        .heartbeat = counters[h],
                        .status = status,
                        .addr = addresses[a],
                    };
                }
            }
        }
    }
    assert_int_equal(at, RECORDS);
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            order[a][b] = (int8_t)sign(merge_compare(&records[a], &records[b]));
            greater[a][b] = (uint16_t)(merge_max(&records[a], &records[b]) - records);
            if (greater[a][b] != a && greater[a][b] != b)
                fail_msg("the merge of two records is neither");
        }
    }
    return 0;
}

static bool is_same(const struct record *a, const struct record *b)
{
    return a->id == b->id && a->incarnation == b->incarnation && a->heartbeat == b->heartbeat &&
           a->status == b->status && a->addr.family == b->addr.family &&
           a->addr.port == b->addr.port && !memcmp(a->addr.ip, b->addr.ip, 16);
}

/* The order as section 4 states it, as one number an address and bytes in a row. */
static int stated_order(const struct record *a, const struct record *b)
{
    const struct record *both[] = {a, b};
    uint8_t keys[2][32] = {{0}};

    for (unsigned i = 0; i < 2; i++) {
        const struct record *r = both[i];
        uint8_t *key = keys[i];

        for (unsigned byte = 0; byte < 4; byte++) {
            key[byte] = (uint8_t)(r->incarnation >> (24 - 8 * byte));
            key[5 + byte] = (uint8_t)(r->heartbeat >> (24 - 8 * byte));
        }
        key[4] = r->status == SWIM_DEAD || r->status == SWIM_LEFT;
        key[9] = r->status;
        key[10] = r->addr.family;
        memcpy(key + 11, r->addr.ip, 16);
        key[27] = (uint8_t)(r->addr.port >> 8);
        key[28] = (uint8_t)r->addr.port;
    }
    return sign(memcmp(keys[0], keys[1], sizeof keys[0]));
}

static void test_order_is_the_stated_one(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (order[a][b] != stated_order(&records[a], &records[b]))
                fail_msg("records %u and %u are ordered otherwise than stated", a, b);
        }
    }
}

static void test_total_and_antisymmetric(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (order[a][b] != -order[b][a])
                fail_msg("records %u and %u compare differently the other way round", a, b);
            if ((order[a][b] == 0) != is_same(&records[a], &records[b]))
                fail_msg("records %u and %u: equal keys must mean equal content", a, b);
        }
    }
}

static void test_transitive(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (order[a][b] > 0)
                continue;
            for (uint32_t c = 0; c < RECORDS; c++) {
                if (order[b][c] <= 0 && order[a][c] > 0)
                    fail_msg("%u <= %u <= %u < %u", a, b, c, a);
            }
        }
    }
}

static void test_merge_idempotent_and_commutative(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        assert_int_equal(greater[a][a], a);
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (!is_same(&records[greater[a][b]], &records[greater[b][a]]))
                fail_msg("the merge of %u and %u depends on their order", a, b);
        }
    }
}

static void test_merge_associative(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            const uint16_t *left = greater[greater[a][b]];

            for (uint32_t c = 0; c < RECORDS; c++) {
                if (left[c] != greater[a][greater[b][c]])
                    fail_msg("the merge of %u, %u and %u depends on their grouping", a, b, c);
            }
        }
    }
}

static void test_dead_is_terminal_at_one_incarnation(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (records[a].incarnation == records[b].incarnation &&
                is_terminal(records[a].status) && !is_terminal(records[b].status) &&
                greater[a][b] != a)
                fail_msg("%u is dead, and %u of the same incarnation wins", a, b);
        }
    }
}

static void test_higher_incarnation_overrides_everything(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (records[a].incarnation > records[b].incarnation && greater[a][b] != a)
                fail_msg("%u has the higher incarnation, and %u wins", a, b);
        }
    }
}

static void test_severity_decides_at_one_clock(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (merge_compare_clock(&records[a], &records[b]) == 0 &&
                records[a].status > records[b].status && greater[a][b] != a)
                fail_msg("%u is more severe than %u at the same clock, and loses", a, b);
        }
    }
}

static void test_heartbeat_decides_between_the_living(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            if (records[a].incarnation == records[b].incarnation &&
                is_terminal(records[a].status) == is_terminal(records[b].status) &&
                records[a].heartbeat > records[b].heartbeat && greater[a][b] != a)
                fail_msg("%u has the later heartbeat than %u, and loses", a, b);
        }
    }
}

static void test_clock_compares_incarnation_then_heartbeat(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            uint64_t clock_a = (uint64_t)records[a].incarnation << 32 | records[a].heartbeat;
            uint64_t clock_b = (uint64_t)records[b].incarnation << 32 | records[b].heartbeat;
            int expected = (clock_a > clock_b) - (clock_a < clock_b);

            if (sign(merge_compare_clock(&records[a], &records[b])) != expected)
                fail_msg("the clocks of %u and %u are ordered wrongly", a, b);
        }
    }
}

/* Whoever holds the stale record must be told, when it errs about the view or doubts in vain. */
static void test_misleads(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < RECORDS; a++) {
        for (uint32_t b = 0; b < RECORDS; b++) {
            const struct record *stale = &records[a];
            const struct record *held = &records[b];
            bool expected = stale->incarnation != held->incarnation ||
                            (stale->status >= SWIM_DEAD) != (held->status >= SWIM_DEAD) ||
                            (stale->status == SWIM_SUSPECT && held->status == SWIM_ALIVE);

            if (merge_misleads(stale, held) != expected)
                fail_msg("whether %u misleads about %u", a, b);
        }
    }
}

static void test_addresses_fold(void **state)
{
    struct swim_addr mapped = {
        .ip = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = 1}, .port = 7000, .family = 6};
    struct swim_addr dirty = {.ip = {10, 0, 0, 1, 9, 9}, .port = 7000, .family = 4};
    struct swim_addr almost = mapped;
    struct swim_addr folded;

    (void)state;
    folded = addr_fold(&mapped);
    assert_true(addr_equal(&folded, &addresses[0]));
    folded = addr_fold(&dirty);
    assert_true(addr_equal(&folded, &addresses[0]));
    almost.ip[9] = 1;
    folded = addr_fold(&almost);
    assert_true(addr_equal(&folded, &almost));
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        folded = addr_fold(&addresses[i]);
        assert_true(addr_equal(&folded, &addresses[i]));
        for (uint32_t j = 0; j < ADDRESSES; j++) {
            assert_int_equal(addr_equal(&addresses[i], &addresses[j]), i == j);
            assert_int_equal(addr_hash(&addresses[i]) == addr_hash(&addresses[j]), i == j);
        }
    }
}

static void test_addresses_usable(void **state)
{
    static const struct {
        struct swim_addr addr;
        bool usable;
    } cases[] = {
        {{.ip = {10, 0, 0, 1}, .port = 1, .family = 4}, true},
        {{.ip = {127, 0, 0, 1}, .port = 65535, .family = 4}, true},
        {{.ip = {223, 255, 255, 255}, .port = 1, .family = 4}, true},
        {{.ip = {10, 0, 0, 1}, .port = 0, .family = 4}, false},
        {{.ip = {10, 0, 0, 1}, .port = 1, .family = 0}, false},
        {{.ip = {10, 0, 0, 1}, .port = 1, .family = 5}, false},
        {{.ip = {0}, .port = 1, .family = 4}, false},
        {{.ip = {224, 0, 0, 1}, .port = 1, .family = 4}, false},
        {{.ip = {255, 255, 255, 255}, .port = 1, .family = 4}, false},
        {{.ip = {[15] = 1}, .port = 1, .family = 6}, true},
        {{.ip = {0xFE, 0x80, [15] = 1}, .port = 1, .family = 6}, true},
        {{.ip = {0}, .port = 1, .family = 6}, false},
        {{.ip = {0xFF, 2, [15] = 1}, .port = 1, .family = 6}, false},
        {{.ip = {0xFD, [15] = 1}, .port = 0, .family = 6}, false},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        if (addr_is_usable(&cases[i].addr) != cases[i].usable)
            fail_msg("address %u is %s", i, cases[i].usable ? "usable" : "not usable");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_the_stated_one),
        cmocka_unit_test(test_total_and_antisymmetric),
        cmocka_unit_test(test_transitive),
        cmocka_unit_test(test_merge_idempotent_and_commutative),
        cmocka_unit_test(test_merge_associative),
        cmocka_unit_test(test_dead_is_terminal_at_one_incarnation),
        cmocka_unit_test(test_higher_incarnation_overrides_everything),
        cmocka_unit_test(test_severity_decides_at_one_clock),
        cmocka_unit_test(test_heartbeat_decides_between_the_living),
        cmocka_unit_test(test_clock_compares_incarnation_then_heartbeat),
        cmocka_unit_test(test_misleads),
        cmocka_unit_test(test_addresses_fold),
        cmocka_unit_test(test_addresses_usable),
    };

    return cmocka_run_group_tests(tests, enumerate, NULL);
}
