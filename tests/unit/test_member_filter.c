/* Filters of members: what is understood, who passes, and what is said of mistakes. */
#include "support.h"

#include "agent/member_filter.h"
#include "agent/member_json.h"

static const char known[] = "status, tag";

static bool parse(struct member_filter *filter, struct http_query *query, const char *text,
                  char error[MEMBER_FILTER_ERROR_MAX])
{
    assert_null(http_query_parse(query, text));
    member_filter_init(filter);
    return member_filter_take(filter, query, known, error);
}

/* Statuses that pass, as letters. */
static const char *passing(const char *text)
{
    static char letters[SWIM_STATUS_COUNT + 1];
    char error[MEMBER_FILTER_ERROR_MAX];
    struct member_filter filter;
    struct http_query query;
    size_t size = 0;

    if (!parse(&filter, &query, text, error))
        return "error";
    for (int i = 0; i < SWIM_STATUS_COUNT; i++) {
        struct swim_member member = {.id = 2, .status = (enum swim_status)i};
        if (member_filter_passes(&filter, NULL, &member))
            letters[size++] = swim_status_name(member.status)[0];
    }
    letters[size] = '\0';
    return letters;
}

static void test_status(void **state)
{
    (void)state;

    assert_string_equal(passing(""), "asdl");
    assert_string_equal(passing("status=alive"), "a");
    assert_string_equal(passing("status=alive,left"), "al");
    assert_string_equal(passing("status=dead&status=suspect"), "sd");
    assert_string_equal(passing("status=dead%2Cleft"), "dl");
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *said;
    } cases[] = {
        {"status=", "status must be"},
        {"status=alive,", "status must be"},
        {"status=,alive", "status must be"},
        {"status=Alive", "status must be"},
        {"status=alive+", "status must be"},
        {"status", "status must be"},
        {"tag=", "tag must be"},
        {"tag==v", "tag must be"},
        {"tag", "tag must be"},
        {"status=alive&staus=dead", "parameter 2"},
        {"Status=alive", "parameter 1"},
        {"=alive", "known are: status, tag"},
    };
    char error[MEMBER_FILTER_ERROR_MAX];
    struct member_filter filter;
    struct http_query query;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (parse(&filter, &query, cases[i].query, error))
            fail_msg("%s: passes", cases[i].query);
        if (strstr(error, cases[i].said) == NULL || strstr(error, "staus") != NULL)
            fail_msg("%s: %s", cases[i].query, error);
    }
}

/* A list that shows the live alone, unless somebody asks for others. */
static void test_preset(void **state)
{
    (void)state;
    char error[MEMBER_FILTER_ERROR_MAX];
    struct member_filter filter = {.statuses = 1U << SWIM_ALIVE};
    struct http_query query;

    assert_null(http_query_parse(&query, ""));
    assert_true(member_filter_take(&filter, &query, known, error));
    assert_int_equal(filter.statuses, 1U << SWIM_ALIVE);
    assert_null(http_query_parse(&query, "status=dead"));
    assert_true(member_filter_take(&filter, &query, known, error));
    assert_int_equal(filter.statuses, 1U << SWIM_DEAD);
}

static void test_times(void **state)
{
    (void)state;
    const struct member_clock clock = {.now = 5000 * SWIM_MS, .now_ms = 1769860800123};
    char text[MEMBER_TIME_SIZE];

    member_time_format(&clock, 5000 * SWIM_MS, text);
    assert_string_equal(text, "2026-01-31T12:00:00.123Z");
    member_time_format(&clock, 3877 * SWIM_MS, text);
    assert_string_equal(text, "2026-01-31T11:59:59.000Z");
    member_time_format(&clock, 9000 * SWIM_MS, text); /* a clock that was read a little before */
    assert_string_equal(text, "2026-01-31T12:00:00.123Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_preset),
        cmocka_unit_test(test_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
