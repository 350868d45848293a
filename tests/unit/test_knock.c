/* Who knocks: told once each, and then not more than a line a minute, whoever forges what. */
#include "support.h"

#include "agent/knock.h"

static struct swim_addr addr_of(uint32_t number)
{
    struct swim_addr addr = {.family = 4, .ip = {10, 0}, .port = 7000};

    addr.ip[2] = (uint8_t)(number >> 8);
    addr.ip[3] = (uint8_t)number;
    return addr;
}

static void test_once_each(void **state)
{
    (void)state;
    struct knocks knocks = {.seed = 5};
    struct swim_addr a = addr_of(1);
    struct swim_addr b = addr_of(2);
    uint64_t held_back = 7;

    assert_true(knock_is_news(&knocks, &a, 1, 0, &held_back));
    assert_int_equal(held_back, 0);
    assert_false(knock_is_news(&knocks, &a, 1, 0, &held_back));
    assert_true(knock_is_news(&knocks, &a, 2, 0, &held_back)); /* another reason */
    assert_true(knock_is_news(&knocks, &b, 1, 0, &held_back));
    b.port++;
    assert_true(knock_is_news(&knocks, &b, 1, 0, &held_back));
    assert_false(knock_is_news(&knocks, &a, 1, UINT64_MAX / 2, &held_back)); /* for ever */
}

/* 100,000 forged addresses: as many lines as the table has places, and one a minute. */
static void test_flood(void **state)
{
    (void)state;
    struct knocks knocks = {.seed = 5};
    uint64_t held_back = 0;
    uint64_t told = 0;
    uint64_t counted = 0;

    for (uint32_t i = 0; i < 100000; i++) {
        struct swim_addr from = addr_of(i % 65536);
        from.port = (uint16_t)(i / 65536 + 1);
        if (!knock_is_news(&knocks, &from, 1, i * SWIM_MS, &held_back))
            continue;
        told++;
        counted += held_back;
    }
    assert_int_equal(knocks.count, KNOCKS_MAX);
    /* 100 s: a line at once when the table was full, and one 60 s later. */
    assert_int_equal(told, KNOCKS_MAX + 2);
    assert_in_range(counted, 59000, 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_each),
        cmocka_unit_test(test_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
