/* Filters of members: what is understood, who passes, and what is said of mistakes. */
#define _GNU_SOURCE /* clock_gettime() */
#include "support.h"

#include "agent/member_filter.h"
#include "agent/member_json.h"

#include <time.h>

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

static struct swim *arena_member(void)
{
    static _Alignas(16) uint8_t arena[8 << 20];
    struct swim_config config;

    memset(arena, 0, sizeof arena);
    swim_config_default(&config);
    config.id = UINT64_MAX;
    config.addr = (struct swim_addr){.family = 4, .ip = {10, 0, 0, 5}, .port = 7000};
    config.members_max = 16;
    config.meta_memory = 65536;
    assert_true(swim_footprint(&config) <= sizeof arena);
    return swim_init(arena, sizeof arena, &config, SWIM_MS);
}

static void set_meta(struct swim *swim, const char *name, const char *const pairs[][2],
                     size_t count)
{
    struct swim_meta meta;

    assert_int_equal(swim_meta_init(&meta, name), SWIM_META_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(swim_meta_set(&meta, pairs[i][0], pairs[i][1]), SWIM_META_OK);
    swim_set_meta(swim, SWIM_MS, &meta);
}

static bool self_passes(const struct swim *swim, const char *text)
{
    char error[MEMBER_FILTER_ERROR_MAX];
    struct member_filter filter;
    struct swim_member self;
    struct http_query query;

    if (!parse(&filter, &query, text, error))
        fail_msg("%s: %s", text, error);
    assert_true(swim_member_at(swim, 0, &self));
    return member_filter_passes(&filter, swim, &self);
}

static void test_tags(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"role", "db"}, {"zone", "a=b"}, {"empty", ""}, {"R\xC3\xB4le", "x y"}};
    struct swim *swim = arena_member();

    assert_false(self_passes(swim, "tag=role"));
    set_meta(swim, "", pairs, COUNT_OF(pairs));
    assert_true(self_passes(swim, "tag=role=db"));
    assert_true(self_passes(swim, "tag=role"));
    assert_true(self_passes(swim, "tag=role=db&tag=zone=a%3Db&tag=empty=&status=alive"));
    assert_true(self_passes(swim, "tag=zone=a=b"));
    assert_true(self_passes(swim, "tag=R%C3%B4le=x+y"));
    assert_false(self_passes(swim, "tag=role="));
    assert_false(self_passes(swim, "tag=role=d"));
    assert_false(self_passes(swim, "tag=role=db&tag=zone=c"));
    assert_false(self_passes(swim, "tag=rol"));
    assert_false(self_passes(swim, "tag=role=db&status=dead"));
    char longest[2 * SWIM_TAG_KEY_MAX] = "tag=";
    memset(longest + 4, 'k', SWIM_TAG_KEY_MAX + 1);
    assert_false(self_passes(swim, longest));
}

struct text {
    char bytes[4096];
    size_t size;
};

static void sink(void *context, const char *data, size_t size)
{
    struct text *text = context;

    assert_true(text->size + size < sizeof text->bytes);
    memcpy(text->bytes + text->size, data, size);
    text->size += size;
}

static void test_nasty_names(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"\"quoted\"", "back\\slash"}, {"</script>", "\xE2\x80\xA8"}, {"a", "'; --"}};
    const struct member_clock clock = {.now = SWIM_MS, .now_ms = 1769860800123};
    struct swim *swim = arena_member();
    struct swim_member self;
    struct text text = {.size = 0};
    struct json json;

    set_meta(swim, "na\"me\\ \xF0\x9F\x90\x8A", pairs, COUNT_OF(pairs));
    assert_true(swim_member_at(swim, 0, &self));
    json_init(&json, sink, &text);
    member_json_put(&json, swim, &self, &clock);
    text.bytes[text.size] = '\0';
    assert_string_equal(
        text.bytes,
        "{\"id\":\"18446744073709551615\",\"addr\":\"10.0.0.5:7000\",\"status\":\"alive\","
        "\"name\":\"na\\\"me\\\\ \xF0\x9F\x90\x8A\",\"tags\":{\"\\\"quoted\\\"\":"
        "\"back\\\\slash\",\"</script>\":\"\xE2\x80\xA8\",\"a\":\"'; --\"},\"incarnation\":0,"
        "\"heartbeat\":0,\"self\":true,\"capable\":true,\"proved\":true,"
        "\"changed\":\"2026-01-31T12:00:00.123Z\"}");
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

/* After so many readings of clocks the process waits for a processor, and all clocks go on; 0: it
 * does not have to. */
static unsigned wait_after;
static uint64_t waited_ms;

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int result = __real_clock_gettime(clock, ret);

    ret->tv_sec += (time_t)(waited_ms / 1000);
    if (wait_after > 0 && --wait_after == 0)
        waited_ms += 3000;
    return result;
}

static uint64_t zero_ms(void)
{
    struct member_clock clock = member_clock_now();

    return clock.now_ms - clock.now / SWIM_MS;
}

/* Wherever a busy machine stops a process, the two clocks are of one moment. */
static void test_waits_between_clocks(void **state)
{
    (void)state;
    const uint64_t first = zero_ms();

    for (unsigned i = 1; i <= 4; i++) {
        wait_after = i;
        assert_int_equal(zero_ms(), first);
        wait_after = 0;
    }
}

/* What happened once has one time, whenever it is asked for. */
static void test_times_stay(void **state)
{
    (void)state;
    char text[MEMBER_TIME_SIZE];
    const uint64_t first = zero_ms();

    for (uint64_t i = 0; i < 100; i++) {
        const struct member_clock clock = {.now = 5000 * SWIM_MS + i * SWIM_MS / 10,
                                           .now_ms = 1769860800123 + i / 10};
        member_time_format(&clock, 3877 * SWIM_MS + SWIM_MS / 2, text);
        assert_string_equal(text, "2026-01-31T11:59:59.000Z");
    }
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(zero_ms(), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),      cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_preset),      cmocka_unit_test(test_tags),
        cmocka_unit_test(test_nasty_names), cmocka_unit_test(test_times),
        cmocka_unit_test(test_times_stay),  cmocka_unit_test(test_waits_between_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
