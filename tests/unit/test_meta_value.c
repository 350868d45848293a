/*
 * Names and tags as values (include/swim/swim.h, src/core/meta_value.h): what may be said, that the
 * same name and tags are the same bytes whatever the order in which they were set, and that nothing
 * else is read from bytes. docs/protocol.md section 6, META.
 */
#include "support.h"

#include "base/prng.h"
#include "core/meta_value.h"

static struct swim_meta named(const char *name)
{
    struct swim_meta meta;

    assert_int_equal(swim_meta_init(&meta, name), SWIM_META_OK);
    return meta;
}

static char *repeated(char what, size_t count)
{
    char *text = calloc(1, count + 1);

    assert_non_null(text);
    memset(text, what, count);
    return text;
}

static void test_names(void **state)
{
    static const char *const good[] = {"", "a", "node-1", "Zoë", "日本", "\xF0\x9F\x90\x9D", " "};
    static const char *const bad[] = {
        "\n",
        "a\tb",
        "\x7F",
        "\xC2\x80",
        "\xC2\x9F", /* controls */
        "\x80",
        "\xC3",
        "\xE2\x82",
        "\xC3(",
        "\xFF",
        "\xC0\xAF",
        "\xE0\x80\xAF",
        "\xF0\x80\x80\xAF", /* longer than needed */
        "\xED\xA0\x80",
        "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80", /* no characters */
    };
    char *longest = repeated('n', SWIM_NAME_MAX);
    char *longer = repeated('n', SWIM_NAME_MAX + 1);
    struct swim_meta meta = named("before");

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(swim_meta_set_name(&meta, good[i]), SWIM_META_OK);
        assert_string_equal(meta.name, good[i]);
    }
    assert_int_equal(swim_meta_set_name(&meta, longest), SWIM_META_OK);
    for (unsigned i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(swim_meta_set_name(&meta, bad[i]), SWIM_META_NAME_TEXT);
    assert_int_equal(swim_meta_set_name(&meta, longer), SWIM_META_NAME_LONG);
    assert_int_equal(swim_meta_init(&meta, longer), SWIM_META_NAME_LONG);
    assert_string_equal(meta.name, longest); /* an error changes nothing */
    free(longest);
    free(longer);
}

static void test_tags_are_set_changed_and_deleted(void **state)
{
    struct swim_meta meta = named("n");
    struct swim_tag tag = {0};

    (void)state;
    assert_int_equal(swim_meta_set(&meta, "role", "db"), SWIM_META_OK);
    assert_int_equal(swim_meta_set(&meta, "rack", "12"), SWIM_META_OK);
    assert_int_equal(swim_meta_set(&meta, "zone", ""), SWIM_META_OK);
    assert_int_equal(swim_meta_set(&meta, "role", "a longer value = this"), SWIM_META_OK);
    assert_int_equal(swim_meta_count(&meta), 3);
    assert_string_equal(swim_meta_get(&meta, "role"), "a longer value = this");
    assert_string_equal(swim_meta_get(&meta, "zone"), "");
    assert_null(swim_meta_get(&meta, "rol"));
    assert_null(swim_meta_get(&meta, "rolf"));
    assert_true(swim_meta_tag(&meta, 0, &tag));
    assert_string_equal(tag.key, "rack");
    assert_true(swim_meta_tag(&meta, 2, &tag));
    assert_string_equal(tag.key, "zone");
    assert_false(swim_meta_tag(&meta, 3, &tag));
    assert_true(swim_meta_delete(&meta, "rack"));
    assert_false(swim_meta_delete(&meta, "rack"));
    assert_int_equal(swim_meta_set_name(&meta, "other"), SWIM_META_OK);
    assert_int_equal(swim_meta_count(&meta), 2);
    assert_string_equal(swim_meta_get(&meta, "role"), "a longer value = this");
}

static void test_what_tags_may_be(void **state)
{
    char *key_longest = repeated('k', SWIM_TAG_KEY_MAX);
    char *key_longer = repeated('k', SWIM_TAG_KEY_MAX + 1);
    char *huge = repeated('v', 100000);
    struct swim_meta meta = named("n");
    struct swim_meta before;

    (void)state;
    assert_int_equal(swim_meta_set(&meta, key_longest, "v"), SWIM_META_OK);
    before = meta;
    assert_int_equal(swim_meta_set(&meta, key_longer, "v"), SWIM_META_KEY_LONG);
    assert_int_equal(swim_meta_set(&meta, "", "v"), SWIM_META_KEY_EMPTY);
    assert_int_equal(swim_meta_set(&meta, "a=b", "v"), SWIM_META_KEY_TEXT);
    assert_int_equal(swim_meta_set(&meta, "a\n", "v"), SWIM_META_KEY_TEXT);
    assert_int_equal(swim_meta_set(&meta, "\xFF", "v"), SWIM_META_KEY_TEXT);
    assert_int_equal(swim_meta_set(&meta, "a", "\xFF"), SWIM_META_VALUE_TEXT);
    assert_int_equal(swim_meta_set(&meta, "a", "two\nlines"), SWIM_META_VALUE_TEXT);
    assert_int_equal(swim_meta_set(&meta, "a", huge), SWIM_META_TAGS_FULL);
    assert_memory_equal(&meta, &before, sizeof meta);
    free(key_longest);
    free(key_longer);
    free(huge);
}

/* 4,096 bytes, each tag's two ends included: one byte more is refused. */
static void test_all_tags_together_are_bounded(void **state)
{
    struct swim_meta meta = named("");
    char *value = repeated('v', 4096 - 3);

    (void)state;
    assert_int_equal(swim_meta_set(&meta, "k", value), SWIM_META_OK);
    assert_int_equal(meta.tags_size, SWIM_TAGS_MAX);
    assert_int_equal(swim_meta_set(&meta, "l", ""), SWIM_META_TAGS_FULL);
    value[4096 - 4] = 0;
    assert_int_equal(swim_meta_set(&meta, "k", value), SWIM_META_OK);
    value[4096 - 4] = 'v';
    assert_int_equal(swim_meta_set(&meta, "k2", value), SWIM_META_TAGS_FULL);
    assert_int_equal(swim_meta_set(&meta, "k", "v"), SWIM_META_OK);
    for (unsigned i = 0; i < 800; i++) { /* 5 bytes each, 4 are taken */
        char key[8];

        snprintf(key, sizeof key, "%03u", i);
        assert_int_equal(swim_meta_set(&meta, key, ""), SWIM_META_OK);
    }
    assert_int_equal(swim_meta_count(&meta), 801);
    free(value);
}

static void test_equal_content_is_equal_bytes(void **state)
{
    uint64_t seed = test_seed("meta_value");
    struct prng prng;

    (void)state;
    prng_init(&prng, seed);
    for (unsigned run = 0; run < 200; run++) {
        struct swim_meta a = named("x");
        struct swim_meta b = named("x");
        uint8_t bytes_a[META_CONTENT_MAX], bytes_b[META_CONTENT_MAX];
        uint32_t wanted = prng_below(&prng, 1u << 12);

        /* a: upwards, with others set and deleted between; b: downwards. */
        for (unsigned bit = 0; bit < 12; bit++) {
            char key[2] = {(char)('a' + bit), 0};

            if (wanted >> bit & 1 || prng_below(&prng, 2))
                assert_int_equal(swim_meta_set(&a, key, "1"), SWIM_META_OK);
            if (wanted >> (11 - bit) & 1) {
                key[0] = (char)('a' + 11 - bit);
                assert_int_equal(swim_meta_set(&b, key, "1"), SWIM_META_OK);
            }
        }
        for (unsigned bit = 0; bit < 12; bit++) {
            char key[2] = {(char)('a' + bit), 0};

            if (!(wanted >> bit & 1))
                swim_meta_delete(&a, key);
        }
        size_t size = meta_value_write(&a, bytes_a);
        assert_int_equal(meta_value_write(&b, bytes_b), size);
        assert_memory_equal(bytes_a, bytes_b, size);
        assert_true(swim_meta_equal(&a, &b));
        assert_true(meta_value_digest(bytes_a, size) == meta_value_digest(bytes_b, size));
        meta_value_read(bytes_a, size, &b);
        assert_true(swim_meta_equal(&a, &b));
    }
}

static bool reads(const char *bytes, size_t size)
{
    return meta_value_is_wellformed((const uint8_t *)bytes, size);
}
#define READS(text) reads(text, sizeof(text) - 1)

static void test_only_one_form_is_read(void **state)
{
    (void)state;
    assert_true(READS("\0"));
    assert_true(READS("name\0"));
    assert_true(READS("name\0a\0001\0b\0\0"));
    assert_false(READS(""));
    assert_false(READS("name"));                   /* no end */
    assert_false(READS("name\0a\0"));              /* a key without a value */
    assert_false(READS("name\0a\0001"));           /* a value without an end */
    assert_false(READS("name\0b\0001\0a\0001\0")); /* out of order */
    assert_false(READS("name\0a\0001\0a\0002\0")); /* twice */
    assert_false(READS("name\0\0001\0"));          /* an empty key */
    assert_false(READS("name\0a=\0001\0"));
    assert_false(READS("na\nme\0"));
    assert_false(READS("name\0a\0\xFF\0"));
}

/* Whatever the bytes, what is read is written again as it was. */
static void test_random_bytes(void **state)
{
    static const char alphabet[] = {0, 0, 'a', 'b', 'c', '=', '\n', '\x80', '\xC3', '\xA9'};
    struct prng prng;
    uint32_t accepted = 0;

    (void)state;
    prng_init(&prng, test_seed("meta_value"));
    for (unsigned run = 0; run < 200000; run++) {
        uint8_t bytes[16], again[META_CONTENT_MAX];
        size_t size = 1 + prng_below(&prng, sizeof bytes);
        struct swim_meta meta;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)alphabet[prng_below(&prng, sizeof alphabet)];
        if (!meta_value_is_wellformed(bytes, size))
            continue;
        accepted++;
        meta_value_read(bytes, size, &meta);
        assert_int_equal(meta_value_write(&meta, again), size);
        assert_memory_equal(bytes, again, size);
    }
    assert_true(accepted > 1000);
}

static void test_errors_have_names(void **state)
{
    (void)state;
    for (unsigned error = 0; error <= SWIM_META_TAGS_FULL; error++)
        assert_string_not_equal(swim_meta_error_name((enum swim_meta_error)error), "unknown");
    assert_string_equal(swim_meta_error_name((enum swim_meta_error)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_tags_are_set_changed_and_deleted),
        cmocka_unit_test(test_what_tags_may_be),
        cmocka_unit_test(test_all_tags_together_are_bounded),
        cmocka_unit_test(test_equal_content_is_equal_bytes),
        cmocka_unit_test(test_only_one_form_is_read),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_errors_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
