/* swimctl's tables and texts: no line is wider than the terminal, nothing of others' acts upon it. */
#define _GNU_SOURCE
#include "support.h"

#include "ctl/duration.h"
#include "ctl/table.h"
#include "ctl/text.h"

static const struct table_column columns[] = {{"NAME", false, true, 0},
                                              {"ADDRESS", false, false, 0},
                                              {"N", true, false, 1},
                                              {"TAGS", false, true, 2}};

/* ---- Texts ------------------------------------------------------------------------------- */

static void test_clean(void **state)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"plain text", "plain text"},
        {"", ""},
        {"a\nb\tc\x1b[2J\x7f", "a?b?c?[2J?"},
        {"\xC2\x9B"
         "31m",
         "?31m"}, /* CSI as one C1 character */
        {"\xE2\x80\xAEgnp.exe", "?gnp.exe"},
        {"z\xE2\x80\x8Bw\xE2\x80\xA8x", "z?w?x"},
        {"\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80", "\xC3\xA4\xE6\xBC\xA2\xF0\x9F\x98\x80"},
        {"\xC0\xAF\xED\xA0\x80\xF5\x80\x80\x80\xE2\x82", "??"
                                                         "???"
                                                         "????"
                                                         "??"},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(text_clean(cases[i].text, out, sizeof out), cases[i].clean);
    assert_string_equal(text_clean("\xC3\xA4\xC3\xA4", out, 4), "\xC3\xA4"); /* no half of one */
    assert_string_equal(text_clean("abc", out, 1), "");
}

static void test_widths(void **state)
{
    char text[64] = "\xE6\xBC\xA2\xE5\xAD\x97"
                    "abc";

    (void)state;
    assert_int_equal(text_width(text), 7);
    assert_int_equal(text_width("e\xCC\x81"), 1);
    text_fit(text, sizeof text, 7);
    assert_int_equal(text_width(text), 7);
    text_fit(text, sizeof text, 4);
    assert_string_equal(text, "\xE6\xBC\xA2\xE2\x80\xA6"); /* the second would be cut in half */
    text_fit(text, sizeof text, 1);
    assert_string_equal(text, "\xE2\x80\xA6");
    text_fit(text, sizeof text, 0);
    assert_string_equal(text, "");
}

static void test_durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, ""},
                 {0.0000004, "0.40 us"},
                 {0.000184, "184 us"},
                 {0.0012345, "1.23 ms"},
                 {0.0999, "99.9 ms"},
                 {0.9996, "1.00 s"},
                 {12.3, "12.3 s"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        duration_of(cases[i].seconds, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
    duration_of_seconds(59, text, sizeof text);
    assert_string_equal(text, "59s");
    duration_of_seconds(3600 * 25, text, sizeof text);
    assert_string_equal(text, "1d 1h");
}

/* ---- Tables ------------------------------------------------------------------------------ */

static struct table *make_table(size_t rows)
{
    struct table *table = table_new(columns, COUNT_OF(columns));
    char text[64];

    assert_non_null(table);
    for (size_t i = 0; i < rows; i++) {
        (void)snprintf(text, sizeof text, "node-%zu-of-a-long-name-\xE6\xBC\xA2\xE5\xAD\x97", i);
        table_cell(table, text, STYLE_PLAIN);
        table_cell(table, "[2001:db8::1234]:7000", STYLE_PLAIN);
        (void)snprintf(text, sizeof text, "%zu", i);
        table_cell(table, text, STYLE_GOOD);
        table_cell(table, i % 2 ? "" : "role=db zone=eu rack=12\n", STYLE_PLAIN);
    }
    return table;
}

static char *print(const struct table *table, size_t width)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    assert_non_null(stream);
    assert_true(table_print(table, stream, width));
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void test_every_width(void **state)
{
    struct table *table = make_table(1000);

    (void)state;
    for (size_t width = 1; width < 140; width++) {
        char *text = print(table, width);
        size_t lines = 0;
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++)
            if (text_width(line) > width)
                fail_msg("%zu columns in %zu: %s", text_width(line), width, line);
        assert_int_equal(lines, 1001);
        free(text);
    }
    table_free(table);
}

static void test_what_goes_first(void **state)
{
    struct table *table = make_table(1);
    char *text = print(table, 70);

    (void)state;
    assert_non_null(strstr(text, "NAME") && strstr(text, "TAGS") ? text : NULL);
    assert_non_null(strstr(text, "\xE2\x80\xA6")); /* cut, in the name or the tags */
    free(text);
    text = print(table, 40);
    assert_null(strstr(text, "TAGS"));
    assert_non_null(strstr(text, "ADDRESS"));
    assert_non_null(strstr(text, "[2001:db8::1234]:7000")); /* whole */
    free(text);
    table_free(table);
}

static void test_elsewhere_nothing_is_cut(void **state)
{
    struct table *table = make_table(2);
    char *text = print(table, 0);

    (void)state;
    assert_string_equal(
        text, "NAME                        ADDRESS                N  TAGS\n"
              "node-0-of-a-long-name-\xE6\xBC\xA2\xE5\xAD\x97  [2001:db8::1234]:7000  0  "
              "role=db zone=eu rack=12?\n"
              "node-1-of-a-long-name-\xE6\xBC\xA2\xE5\xAD\x97  [2001:db8::1234]:7000  1  -\n");
    free(text);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),           cmocka_unit_test(test_widths),
        cmocka_unit_test(test_durations),       cmocka_unit_test(test_every_width),
        cmocka_unit_test(test_what_goes_first), cmocka_unit_test(test_elsewhere_nothing_is_cut),
    };

    (void)setenv("LC_ALL", "C.UTF-8", 1);
    text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
