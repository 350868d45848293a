/* The JSON writer: whatever it is given, what comes out is one valid JSON text. */
#include "support.h"

#include "base/json.h"

#include <locale.h>
#include <math.h>

struct output {
    char text[4096];
    size_t size;
};

static void append(void *context, const char *data, size_t size)
{
    struct output *out = context;

    assert_true(size > 0);
    assert_true(out->size + size < sizeof out->text);
    memcpy(out->text + out->size, data, size);
    out->size += size;
    out->text[out->size] = 0;
}

static struct json start(struct output *out)
{
    struct json json;

    memset(out, 0, sizeof *out);
    json_init(&json, append, out);
    return json;
}

static void test_structures(void **state)
{
    (void)state;
    struct output out;
    struct json json = start(&out);

    json_object_begin(&json);
    json_key(&json, "nodes");
    json_array_begin(&json);
    json_object_begin(&json);
    json_key(&json, "id");
    json_u64_string(&json, UINT64_MAX);
    json_key(&json, "status");
    json_text(&json, "alive");
    json_object_end(&json);
    json_object_begin(&json);
    json_object_end(&json);
    json_array_begin(&json);
    json_array_end(&json);
    json_u64(&json, UINT64_MAX);
    json_i64(&json, INT64_MIN);
    json_array_end(&json);
    json_key(&json, "ok");
    json_bool(&json, true);
    json_key(&json, "no");
    json_bool(&json, false);
    json_key(&json, "x");
    json_none(&json);
    json_object_end(&json);
    assert_string_equal(out.text,
                        "{\"nodes\":[{\"id\":\"18446744073709551615\",\"status\":\"alive\"},{},[],"
                        "18446744073709551615,-9223372036854775808],\"ok\":true,\"no\":false,"
                        "\"x\":null}");
}

static void test_top_level_values(void **state)
{
    (void)state;
    struct output out;
    struct json json = start(&out);

    json_u64(&json, 1);
    append(&out, "\n", 1);
    json_array_begin(&json);
    json_u64(&json, 2);
    json_array_end(&json);
    append(&out, "\n", 1);
    json_object_begin(&json);
    json_object_end(&json);
    assert_string_equal(out.text, "1\n[2]\n{}");
}

static void expect_text(const char *text, size_t size, const char *expected)
{
    struct output out;
    struct json json = start(&out);

    json_text_n(&json, text, size);
    assert_string_equal(out.text, expected);
}

#define EXPECT_TEXT(literal, expected) expect_text(literal, sizeof literal - 1, expected)

static void test_escapes(void **state)
{
    (void)state;
    EXPECT_TEXT("", "\"\"");
    EXPECT_TEXT("plain text/with <signs> & 'quotes'", "\"plain text/with <signs> & 'quotes'\"");
    EXPECT_TEXT("a\"b\\c", "\"a\\\"b\\\\c\"");
    EXPECT_TEXT("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    EXPECT_TEXT("\0x\x01\x1f\x20\x7f", "\"\\u0000x\\u0001\\u001f \\u007f\"");
    EXPECT_TEXT("\n", "\"\\n\"");
    /* Terminals act on C1, too: U+009B is what ESC [ is. */
    EXPECT_TEXT("a\xC2\x9B"
                "31m\xC2\x80\xC2\x9F\xC2\xA0",
                "\"a\\u009b31m\\u0080\\u009f\xC2\xA0\"");
}

static void test_valid_utf8_passes(void **state)
{
    (void)state;
    EXPECT_TEXT("n\xC3\xB6"
                "d\xE2\x82\xAC \xF0\x9F\x98\x80",
                "\"n\xC3\xB6"
                "d\xE2\x82\xAC \xF0\x9F\x98\x80\"");
    /* The first and the last of every length, and both sides of the surrogates. */
    EXPECT_TEXT("\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
                "\"\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"");
    EXPECT_TEXT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"");
}

/* Written as Unicode recommends: one replacement for each maximal part of a character. */
#define FFFD "\xEF\xBF\xBD"

static void test_invalid_utf8_is_replaced(void **state)
{
    (void)state;
    EXPECT_TEXT("\x80", "\"" FFFD "\"");
    EXPECT_TEXT("a\xFF"
                "b\xFE",
                "\"a" FFFD "b" FFFD "\"");
    EXPECT_TEXT("\xC0\xAF", "\"" FFFD FFFD "\"");                   /* overlong "/" */
    EXPECT_TEXT("\xC1\xBF", "\"" FFFD FFFD "\"");                   /* overlong */
    EXPECT_TEXT("\xE0\x9F\xBF", "\"" FFFD FFFD FFFD "\"");          /* overlong */
    EXPECT_TEXT("\xF0\x8F\xBF\xBF", "\"" FFFD FFFD FFFD FFFD "\""); /* overlong */
    EXPECT_TEXT("\xED\xA0\x80", "\"" FFFD FFFD FFFD "\"");          /* a surrogate */
    EXPECT_TEXT("\xF4\x90\x80\x80", "\"" FFFD FFFD FFFD FFFD "\""); /* over U+10FFFF */
    EXPECT_TEXT("\xF5\x80", "\"" FFFD FFFD "\"");
    EXPECT_TEXT("\xC3", "\"" FFFD "\""); /* cut off */
    EXPECT_TEXT("\xE2\x82", "\"" FFFD "\"");
    EXPECT_TEXT("\xF0\x9F\x98", "\"" FFFD "\"");
    EXPECT_TEXT("\xE2\x82x", "\"" FFFD "x\"");
    EXPECT_TEXT("\xE2\x82\n", "\"" FFFD "\\n\"");
    EXPECT_TEXT("\xF0\x9F\xC3\xB6", "\"" FFFD "\xC3\xB6\"");
    EXPECT_TEXT("\xE2\x82\"", "\"" FFFD "\\\"\"");
}

/* What follows the text in memory is no part of a character that is cut off. */
static void test_size_bounds_the_text(void **state)
{
    (void)state;
    expect_text("\xC3\xB6", 1, "\"" FFFD "\"");
    expect_text("abc", 2, "\"ab\"");
    expect_text(NULL, 0, "\"\"");
}

static void test_keys_are_escaped(void **state)
{
    (void)state;
    struct output out;
    struct json json = start(&out);

    json_object_begin(&json);
    json_key(&json, "a\"\xFF");
    json_u64(&json, 0);
    json_object_end(&json);
    assert_string_equal(out.text, "{\"a\\\"" FFFD "\":0}");
}

static void expect_double(double value, const char *expected)
{
    struct output out;
    struct json json = start(&out);

    json_double(&json, value);
    assert_string_equal(out.text, expected);
}

static void test_doubles(void **state)
{
    (void)state;
    expect_double(0, "0");
    expect_double(-0.0, "0");
    expect_double(1, "1");
    expect_double(-1.5, "-1.5");
    expect_double(0.1, "0.1");
    expect_double(0.000001, "0.000001");
    expect_double(0.0000001, "0");
    expect_double(-0.0000001, "0");
    expect_double(0.25, "0.25");
    expect_double(1234.050, "1234.05");
    expect_double(3.14159265, "3.141593");
    expect_double(0.9999999, "1");
    expect_double(-41.9999999, "-42");
    expect_double(1e15, "1000000000000000");
    expect_double(9007199254740991.0, "9007199254740991");
    expect_double(9007199254740992.0, "9007199254740992");
    expect_double(-1e22, "-10000000000000000000000");
    expect_double(INFINITY, "null");
    expect_double(-INFINITY, "null");
    expect_double(NAN, "null");
}

static void test_largest_double(void **state)
{
    (void)state;
    struct output out;
    struct json json = start(&out);

    json_double(&json, -1.7976931348623157e308);
    assert_int_equal(strlen(out.text), 310);
    assert_int_equal(strspn(out.text, "-0123456789"), 310);
    assert_memory_equal(out.text, "-179769313486231570", 19);
}

static void test_no_decimal_comma(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (setlocale(LC_ALL, names[i])) {
            expect_double(0.5, "0.5");
            (void)setlocale(LC_ALL, "C");
            return;
        }
    }
    skip(); /* no such locale is installed */
}

static void test_depth(void **state)
{
    (void)state;
    struct output out;
    struct json json = start(&out);

    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_array_begin(&json);
    json_u64(&json, 7);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_array_end(&json);
    assert_string_equal(out.text, "[[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]]");
    assert_int_equal(json.depth, 0);
}

static void too_deep(void *context)
{
    for (int i = 0; i <= JSON_DEPTH_MAX; i++)
        json_array_begin(context);
}

static void end_without_begin(void *context)
{
    json_object_end(context);
}

static void end_of_another_kind(void *context)
{
    json_object_begin(context);
    json_array_end(context);
}

static void value_without_key(void *context)
{
    json_object_begin(context);
    json_u64(context, 1);
}

static void key_without_value(void *context)
{
    json_object_begin(context);
    json_key(context, "k");
    json_object_end(context);
}

static void key_after_key(void *context)
{
    json_object_begin(context);
    json_key(context, "k");
    json_key(context, "l");
}

static void key_in_array(void *context)
{
    json_array_begin(context);
    json_key(context, "k");
}

static void test_misuse_panics(void **state)
{
    (void)state;
    static void (*const misuses[])(void *) = {
        too_deep,          end_without_begin, end_of_another_kind, value_without_key,
        key_without_value, key_after_key,     key_in_array};

    for (size_t i = 0; i < COUNT_OF(misuses); i++) {
        struct output out;
        struct json json = start(&out);
        assert_true(panics(misuses[i], &json));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structures),
        cmocka_unit_test(test_top_level_values),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_valid_utf8_passes),
        cmocka_unit_test(test_invalid_utf8_is_replaced),
        cmocka_unit_test(test_size_bounds_the_text),
        cmocka_unit_test(test_keys_are_escaped),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_largest_double),
        cmocka_unit_test(test_no_decimal_comma),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_misuse_panics),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
