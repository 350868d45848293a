/* Queries: what is decoded, what is refused, and that nothing is written beyond the buffer. */
#include "support.h"

#include "agent/http_query.h"
#include "base/prng.h"

static void test_parameters(void **state)
{
    (void)state;
    struct http_query query;

    assert_null(http_query_parse(&query, "status=alive&&tag=role=db%3D1&tag=a+b%2B&empty=&bare"));
    assert_int_equal(query.count, 5);
    assert_int_equal(http_query_untaken(&query), 1);
    assert_string_equal(http_query_take(&query, "tag"), "role=db=1");
    assert_string_equal(http_query_take(&query, "tag"), "a b+");
    assert_null(http_query_take(&query, "tag"));
    assert_string_equal(http_query_take(&query, "status"), "alive");
    assert_int_equal(http_query_untaken(&query), 4);
    assert_string_equal(http_query_take(&query, "bare"), "");
    assert_string_equal(http_query_take(&query, "empty"), "");
    assert_null(http_query_take(&query, "emp"));
    assert_int_equal(http_query_untaken(&query), 0);
    assert_null(http_query_parse(&query, ""));
    assert_int_equal(query.count, 0);
    assert_null(http_query_parse(&query, "n%61me=%C3%A9&%3D=%26"));
    assert_string_equal(http_query_take(&query, "name"), "\xC3\xA9");
    assert_string_equal(http_query_take(&query, "="), "&");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a=%", "a=%4", "a=%zz", "a=%00", "%00", "%=1", "a=%4g&b=1"};
    struct http_query query;
    char many[2 * (HTTP_QUERY_PARAMETERS_MAX + 1) + 1] = "";

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (http_query_parse(&query, wrong[i]) == NULL)
            fail_msg("%s", wrong[i]);
    for (int i = 0; i < HTTP_QUERY_PARAMETERS_MAX; i++)
        strcat(many, "a&");
    assert_null(http_query_parse(&query, many));
    assert_int_equal(query.count, HTTP_QUERY_PARAMETERS_MAX);
    strcat(many, "a");
    assert_non_null(http_query_parse(&query, many));
}

/* The longest there can be, of parameters that need a zero each. */
static void test_longest(void **state)
{
    (void)state;
    struct http_query *query = malloc(sizeof *query); /* a sanitizer sees any step beyond */
    char text[HTTP_HEAD_MAX + 1];

    assert_non_null(query);
    memset(text, 'x', sizeof text);
    for (size_t i = 1; i < 2 * (HTTP_QUERY_PARAMETERS_MAX - 1); i += 2)
        text[i] = '&';
    text[HTTP_HEAD_MAX - 1] = '\0';
    assert_null(http_query_parse(query, text));
    text[HTTP_HEAD_MAX - 1] = 'x';
    text[HTTP_HEAD_MAX] = '\0';
    assert_non_null(http_query_parse(query, text));
    free(query);
}

static void test_random(void **state)
{
    (void)state;
    static const char alphabet[] = "ab=&%%+09AFfz\x80";
    struct prng prng;
    struct http_query query;
    char text[64];
    int parsed = 0;

    prng_init(&prng, test_seed("http_query"));
    for (int i = 0; i < 100000; i++) {
        size_t size = prng_below(&prng, sizeof text - 1);
        for (size_t at = 0; at < size; at++)
            text[at] = alphabet[prng_below(&prng, sizeof alphabet - 1)];
        text[size] = '\0';
        if (http_query_parse(&query, text) != NULL)
            continue;
        parsed++;
        size_t total = 0;
        for (uint32_t at = 0; at < query.count; at++)
            total += strlen(query.parameters[at].name) + strlen(query.parameters[at].value);
        assert_true(total <= size);
    }
    assert_true(parsed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
