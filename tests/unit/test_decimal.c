/* base/decimal.h against printf: each number of digits, with its neighbours, and its end filled up. */
#include "support.h"

#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>

static void check(uint64_t value)
{
    char wanted[DECIMAL_MAX + 1];
    char text[DECIMAL_MAX + 1];

    memset(text, '#', sizeof text);
    (void)snprintf(wanted, sizeof wanted, "%" PRIu64, value);
    char *end = decimal_put(text, value);
    assert_int_equal(end - text, strlen(wanted));
    assert_memory_equal(text, wanted, strlen(wanted));
    if (end < text + sizeof text)
        assert_int_equal(*end, '#');
}

static void test_every_length(void **state)
{
    (void)state;
    check(0);
    check(UINT64_MAX);
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        check(power - 1);
        check(power);
        check(power * 9 + 1);
    }
}

static void test_fixed(void **state)
{
    (void)state;
    char text[] = "####";

    assert_ptr_equal(decimal_put_fixed(text, 7, 3), text + 3);
    assert_string_equal(text, "007#");
    assert_ptr_equal(decimal_put_fixed(text, 1234, 2), text + 2);
    assert_string_equal(text, "347#");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_fixed),
    };

    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
