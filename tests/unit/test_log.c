/* Log lines: one line whatever is in them, and limits on causes that repeat. */
#include "support.h"

#include "agent/log.h"

static char text[4096];

static const char *render(enum log_format format, const char *message,
                          const struct log_field *fields, size_t count)
{
    struct log_line line = {.text = text, .cap = sizeof text - 1};

    log_configure(LOG_INFO, format);
    log_render(&line, LOG_WARN, message, fields, count);
    text[line.size] = '\0';
    assert_int_equal(strchr(text, '\n') - text, line.size - 1); /* one line, ended */
    return text;
}

/* Without the time in front, which differs from run to run. */
static const char *after_time(const char *line)
{
    assert_int_equal(line[4], '-');
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[23], 'Z');
    return line + 24;
}

static void test_text(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_TEXT("addr", "127.0.0.1:7000"),
                                       LOG_NUMBER("n", UINT64_MAX), LOG_TEXT("cause", "a \"b\""),
                                       LOG_TEXT("empty", "")};

    assert_string_equal(after_time(render(LOG_AS_TEXT, "member joined", fields, 4)),
                        " warn  member joined addr=127.0.0.1:7000 n=18446744073709551615 "
                        "cause=\"a \\\"b\\\"\" empty=\"\"\n");
}

static void test_json(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_TEXT("addr", "a\nb"), LOG_NUMBER("n", 7)};
    const char *line = render(LOG_AS_JSON, "say \"hi\"", fields, 2);

    assert_memory_equal(line, "{\"time\":\"", 9);
    assert_string_equal(line + 9 + 24, "\",\"level\":\"warn\",\"msg\":\"say \\\"hi\\\"\","
                                       "\"addr\":\"a\\nb\",\"n\":7}\n");
}

/* A name from DNS or a file can't write lines or terminal commands of its own. */
static void test_no_forgery(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_TEXT("name", "x\n2026 error fake\x1B[31m\x7F")};

    for (int format = LOG_AS_TEXT; format <= LOG_AS_JSON; format++) {
        const char *line = render((enum log_format)format, "a\nb\rc", fields, 1);
        for (size_t i = 0; line[i + 1] != '\0'; i++)
            assert_in_range((unsigned char)line[i], 0x20, 0xFF);
        assert_null(strchr(line, '\x1B'));
    }
}

static void test_too_long(void **state)
{
    (void)state;
    char big[8192];

    memset(big, '"', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    const struct log_field fields[] = {LOG_TEXT("big", big)};
    assert_true(strlen(render(LOG_AS_TEXT, "m", fields, 1)) < sizeof text);
    const char *line = render(LOG_AS_JSON, "m", fields, 1);
    assert_non_null(strstr(line, "too long"));
    assert_string_equal(line + strlen(line) - 3, "\"}\n"); /* still an object */
}

static void test_limit(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    uint64_t held_back = 99;
    uint64_t now = UINT64_C(5000000000);

    assert_true(log_limit_allows(&limit, now, 1000, &held_back));
    assert_int_equal(held_back, 0);
    for (int i = 0; i < 10; i++)
        assert_false(log_limit_allows(&limit, now + 999999999, 1000, &held_back));
    assert_true(log_limit_allows(&limit, now + 1000000000, 1000, &held_back));
    assert_int_equal(held_back, 10);
    assert_true(log_limit_allows(&limit, now + 9000000000, 1000, &held_back));
    assert_int_equal(held_back, 0);
}

static void test_names(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;
    enum log_format format = LOG_AS_TEXT;

    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        assert_true(log_level_parse(log_level_name((enum log_level)i), &level));
        assert_int_equal(level, i);
    }
    assert_false(log_level_parse("Info", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_format_parse("json", &format));
    assert_int_equal(format, LOG_AS_JSON);
    assert_false(log_format_parse("jsonx", &format));
    log_configure(LOG_WARN, LOG_AS_TEXT);
    assert_true(is_logged(LOG_ERROR));
    assert_true(is_logged(LOG_WARN));
    assert_false(is_logged(LOG_INFO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_json),
        cmocka_unit_test(test_no_forgery), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_limit),      cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
