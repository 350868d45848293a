/* swimctl's command line: options before and behind the verb, words, and what is wrong. */
#define _GNU_SOURCE
#include "support.h"

#include "ctl/options.h"

#define WORDS_MAX 12

static enum options_result parse(struct ctl *ctl, char *error, const char *line)
{
    static char copy[512];
    static char *argv[WORDS_MAX + 1];
    int argc = 1;

    (void)snprintf(copy, sizeof copy, "%s", line);
    argv[0] = (char[]){"swimctl"};
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return options_parse(argc, argv, ctl, error);
}

static void test_good(void **state)
{
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    (void)state;
    assert_int_equal(parse(&ctl, error, "members"), OPTIONS_RUN);
    assert_string_equal(ctl.verb->name, "members");
    assert_int_equal(ctl.client.timeout_ms, CTL_TIMEOUT_DEFAULT_MS);
    assert_false(ctl.is_json);
    assert_string_equal(ctl.client.socket, OPTIONS_SOCKET_DEFAULT);

    assert_int_equal(
        parse(&ctl, error,
              "--timeout 0.25 members --tag a=b --json --tag c --socket /s --status=x"),
        OPTIONS_RUN);
    assert_int_equal(ctl.client.timeout_ms, 250);
    assert_true(ctl.is_json);
    assert_string_equal(ctl.client.socket, "/s");
    assert_int_equal(ctl.given_count, 3);
    assert_string_equal(ctl_given(&ctl, "tag"), "c");
    assert_string_equal(ctl_given(&ctl, "status"), "x");
    assert_null(ctl_given(&ctl, "prune"));

    assert_int_equal(parse(&ctl, error, "force-leave 1 --prune 2 -- --odd"), OPTIONS_RUN);
    assert_int_equal(ctl.word_count, 3);
    assert_string_equal(ctl.words[2], "--odd");
    assert_string_equal(ctl_given(&ctl, "prune"), "");
}

static void test_help_and_version(void **state)
{
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    (void)state;
    assert_int_equal(parse(&ctl, error, "--help"), OPTIONS_HELP);
    assert_null(ctl.verb);
    assert_int_equal(parse(&ctl, error, "join --help"), OPTIONS_HELP); /* words may be missing */
    assert_string_equal(ctl.verb->name, "join");
    assert_int_equal(parse(&ctl, error, "-h"), OPTIONS_HELP);
    assert_int_equal(parse(&ctl, error, "-V"), OPTIONS_VERSION);
    assert_int_equal(parse(&ctl, error, "members --version"), OPTIONS_VERSION);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"", "a verb"},
        {"frob", "there is no verb \"frob\"; see swimctl help"},
        {"membrs", "\"membrs\" (did you mean members?); see"},
        {"--sock /s members", "--sock is no option here (did you mean --socket?)"},
        {"members --stats alive", "--stats is no option here (did you mean --status?)"},
        {"-json members", "-json is no option here (did you mean --json?)"},
        {"--frob members", "--frob"},
        {"members --prune", "--prune"},
        {"members --tag", "--tag needs a value"},
        {"members more", "more"},
        {"join", "HOST:PORT"},
        {"keys", "list"},
        {"-x members", "-x"},
        {"--timeout 1s info", "1s"},
        {"--timeout 0x10 info", "0x10"},
        {"--timeout 86401 info", "86400"},
        {"info --json=yes", "--json=yes: this option takes no value"},
        {"--socket= info", "--socket \"\": the value is empty; give PATH, or leave the option out"},
        {"info --socket=", "--socket \"\": the value is empty"},
        {"--timeout= info", "--timeout \"\": the value is empty; give SECONDS"},
        {"members --tag=", "--tag \"\": the value is empty"},
        {"keys install --key-file=", "--key-file \"\": the value is empty; give FILE"},
    };
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (parse(&ctl, error, cases[i].line) != OPTIONS_WRONG)
            fail_msg("taken: %s", cases[i].line);
        if (strstr(error, cases[i].said) == NULL)
            fail_msg("%s: says %s", cases[i].line, error);
    }
}

/* A failure is JSON for whoever asked for JSON, also behind what could not be understood. */
static void test_wrong_as_json(void **state)
{
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    (void)state;
    assert_int_equal(parse(&ctl, error, "membrs --json"), OPTIONS_WRONG);
    assert_true(ctl.is_json);
    assert_int_equal(parse(&ctl, error, "membrs -- --json"), OPTIONS_WRONG);
    assert_false(ctl.is_json);
}

/* A shell's variable that was never set, between quotes. */
static void test_empty_words(void **state)
{
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    (void)state;
    assert_int_equal(options_parse(2, (char *[]){"swimctl", "", NULL}, &ctl, error), OPTIONS_WRONG);
    assert_string_equal(error, "there is no verb \"\"; see swimctl help");
    assert_int_equal(options_parse(4, (char *[]){"swimctl", "ping", "1", "", NULL}, &ctl, error),
                     OPTIONS_WRONG);
    assert_string_equal(error, "ping: word 2 is empty; see swimctl help ping");
}

static void test_where_the_socket_is(void **state)
{
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    (void)state;
    (void)setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
    assert_int_equal(parse(&ctl, error, "info"), OPTIONS_RUN);
    assert_string_equal(ctl.client.socket, "/run/a/control.sock");
    (void)setenv("SWIM_SOCKET", "/env", 1);
    assert_int_equal(parse(&ctl, error, "info"), OPTIONS_RUN);
    assert_string_equal(ctl.client.socket, "/env");
    assert_int_equal(parse(&ctl, error, "info --socket /flag"), OPTIONS_RUN);
    assert_string_equal(ctl.client.socket, "/flag");
    (void)unsetenv("SWIM_SOCKET");
    (void)unsetenv("RUNTIME_DIRECTORY");
}

/* The table's own promises: what help, completions and the parser rely on. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ctl_verb_count; i++) {
        const struct verb *verb = &ctl_verbs[i];
        assert_ptr_equal(ctl_verb_find(verb->name), verb);
        assert_non_null(verb->run);
        assert_true(strlen(verb->help) > 0 && strlen(verb->help) < 66);
        assert_true(verb->words_max < 0 || verb->words_max >= verb->words_min);
        assert_true((verb->words_max == 0) == (*verb->words == '\0'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_wrong_as_json),
        cmocka_unit_test(test_where_the_socket_is),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_empty_words),
    };

    (void)unsetenv("SWIM_SOCKET");
    (void)unsetenv("RUNTIME_DIRECTORY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
