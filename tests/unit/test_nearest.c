/* Which of several names a mistyped word may have meant. */
#include "support.h"

#include "base/nearest.h"

static const char *const names[] = {
    "members", "info", "join", "leave", "force-leave", "monitor", "ping", "rtt", "tags", "x", ""};

static const char *nearest_to(const char *word)
{
    struct nearest nearest = {.word = word};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)nearest_offer(&nearest, names[i]);
    return nearest.name != NULL ? nearest.name : "none";
}

static void test_mistyped(void **state)
{
    (void)state;
    assert_string_equal(nearest_to("mmebers"), "members"); /* swapped */
    assert_string_equal(nearest_to("membrs"), "members");  /* left out */
    assert_string_equal(nearest_to("memmbers"), "members");
    assert_string_equal(nearest_to("nenbers"), "members"); /* two of seven are wrong */
    assert_string_equal(nearest_to("tag"), "tags");
    assert_string_equal(nearest_to("rt"), "rtt");
    assert_string_equal(nearest_to("forceleave"), "force-leave");
    assert_string_equal(nearest_to("leav"), "leave"); /* and not force-leave */
}

static void test_abbreviated(void **state)
{
    (void)state;
    assert_string_equal(nearest_to("mem"), "members");
    assert_string_equal(nearest_to("force"), "force-leave");
    assert_string_equal(nearest_to("me"), "none");
}

static void test_nothing_near(void **state)
{
    char text[300];

    (void)state;
    assert_string_equal(nearest_to(""), "none");
    assert_string_equal(nearest_to("y"), "none"); /* names of one letter are not offered */
    assert_string_equal(nearest_to("nen"), "none");
    assert_string_equal(nearest_to("nnnbers"), "none"); /* three of seven */
    assert_string_equal(nearest_to("frobnicate"), "none");
    memset(text, 'm', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_string_equal(nearest_to(text), "none");
}

/* Of the longest name that is taken, and of one more letter. */
static void test_long_names(void **state)
{
    char name[NEAREST_NAME_MAX + 2];
    char hint[NEAREST_HINT_SIZE];
    struct nearest nearest = {.word = name + 1};

    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(nearest_offer(&nearest, name));
    assert_string_equal(nearest_hint(&nearest, "--", hint), "");
    assert_true(nearest_offer(&nearest, name + 1));
    assert_int_equal(nearest.distance, 0);
    assert_int_equal(strlen(nearest_hint(&nearest, "--", hint)),
                     strlen(" (did you mean --?)") + NEAREST_NAME_MAX);
    nearest = (struct nearest){.word = "bindd"};
    assert_true(nearest_offer(&nearest, "bind"));
    assert_false(nearest_offer(&nearest, "binde")); /* no nearer */
    assert_string_equal(nearest_hint(&nearest, "[network] ", hint),
                        " (did you mean [network] bind?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistyped),
        cmocka_unit_test(test_abbreviated),
        cmocka_unit_test(test_nothing_near),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
