/* swimctl reads an answer as JSON, and not for longer than it may (src/ctl/json_in.h). */
#include "support.h"

#include "ctl/client.h"
#include "ctl/json_in.h"

#include <stdio.h>
#include <string.h>

static void test_whole(void **state)
{
    static char text[200000];
    size_t size = 0;
    bool is_late = true;
    json_t *root;

    (void)state;
    text[size++] = '[';
    while (size < sizeof text - 10) /* far more than the parser takes at once */
        size += (size_t)sprintf(text + size, "%zu,", size);
    size += (size_t)sprintf(text + size, "7]");
    root = json_in_parse(text, size, UINT64_MAX, &is_late);
    assert_non_null(root);
    assert_false(is_late);
    assert_int_equal(json_integer_value(json_array_get(root, json_array_size(root) - 1)), 7);
    json_decref(root);
}

static void test_none(void **state)
{
    static const char *const bad[] = {"", " ", "{", "[1] 2", "{\"a\":1,\"a\":2}", "[\"\\u0000\"]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bool is_late = true;
        assert_null(json_in_parse(bad[i], strlen(bad[i]), UINT64_MAX, &is_late));
        assert_false(is_late);
    }
}

static void test_late(void **state)
{
    bool is_late = false;

    (void)state;
    assert_null(json_in_parse("{}", 2, client_now_ms(), &is_late));
    assert_true(is_late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
