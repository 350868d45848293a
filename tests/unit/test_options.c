/* The command line: what each flag does, who wins over whom, and what is refused how. */
#include "support.h"

#include "agent/options.h"

#define ARGUMENTS_MAX 80

static enum options_action parse(const char *line, struct options *options,
                                 struct config_error *error)
{
    static char text[4096];
    char *argv[ARGUMENTS_MAX] = {(char[]){"swimd"}};
    int argc = 1;

    memset(error, 0, sizeof *error);
    assert_true(strlen(line) < sizeof text);
    (void)strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    assert_true(argc < ARGUMENTS_MAX);
    return options_parse(argc, argv, options, error);
}

/* Parsed and put over the defaults. */
static struct agent_config settings(const char *line)
{
    struct options options;
    struct config_error error;
    struct agent_config config;

    config_default(&config);
    if (parse(line, &options, &error) != OPTIONS_RUN || !options_apply(&options, &config, &error))
        fail_msg("'%s': %s", line, error.text);
    return config;
}

static void must_fail(const char *line, const char *what)
{
    struct options options;
    struct config_error error;
    struct agent_config before;
    struct agent_config config;
    enum options_action action = parse(line, &options, &error);

    config_default(&before);
    config_default(&config);
    if (action != OPTIONS_WRONG) {
        assert_int_equal(action, OPTIONS_RUN);
        if (options_apply(&options, &config, &error))
            fail_msg("'%s' was accepted", line);
        assert_memory_equal(&before, &config, sizeof config);
    }
    if (strstr(error.text, what) == NULL)
        fail_msg("'%s': expected '%s' in: %s", line, what, error.text);
}

static void test_values(void **state)
{
    (void)state;
    struct agent_config config = settings("--bind [::]:7000 --advertise 10.0.0.1:7001 "
                                          "--metrics-port 9100 --http-bind ::1 "
                                          "--log-level debug --log-format=json");

    assert_string_equal(address_text(&config.bind).text, "[::]:7000");
    assert_string_equal(address_text(&config.advertise).text, "10.0.0.1:7001");
    assert_int_equal(config.metrics_port, 9100);
    assert_int_equal(config.http_bind.family, 6);
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_int_equal(config.log_format, LOG_AS_JSON);
    config = settings("--metrics-port 0");
    assert_int_equal(config.metrics_port, 0);
    config = settings("--metrics-port 1 --metrics-port 65535"); /* the last one */
    assert_int_equal(config.metrics_port, 65535);
}

static void test_peers(void **state)
{
    (void)state;
    struct agent_config config = settings("--peers 10.0.0.1:1,node:2 --peers [::1]:3");
    struct options options;
    struct config_error error;

    assert_int_equal(config.peer_count, 3);
    assert_string_equal(config.peers[1].name, "node");
    assert_int_equal(config.peers[2].addr.port, 3);
    /* They replace those of the file. */
    assert_true(config_parse(&config, "x", "[network]\npeers = [\"a:1\", \"b:1\"]\n", &error));
    assert_int_equal(config.peer_count, 2);
    assert_int_equal(parse("--peers c:9", &options, &error), OPTIONS_RUN);
    assert_true(options_apply(&options, &config, &error));
    assert_int_equal(config.peer_count, 1);
    assert_string_equal(config.peers[0].name, "c");
    /* No --peers leaves the file's. */
    assert_true(config_parse(&config, "x", "[network]\npeers = [\"a:1\", \"b:1\"]\n", &error));
    assert_int_equal(parse("--bind 127.0.0.1:1", &options, &error), OPTIONS_RUN);
    assert_true(options_apply(&options, &config, &error));
    assert_int_equal(config.peer_count, 2);
}

/* Tags of the command line replace those of the file, all of them. */
static void test_name_and_tags(void **state)
{
    (void)state;
    struct options options;
    struct agent_config config;
    struct config_error error;

    config = settings("--name db-1 --tag role=db --tag note=a=b --tag empty=");
    assert_string_equal(config.meta.name, "db-1");
    assert_int_equal(swim_meta_count(&config.meta), 3);
    assert_string_equal(swim_meta_get(&config.meta, "note"), "a=b");
    assert_string_equal(swim_meta_get(&config.meta, "empty"), "");
    config_default(&config);
    assert_true(config_parse(&config, "x", "[node]\nname = \"f\"\n[tags]\na = \"1\"\n", &error));
    assert_int_equal(parse("--tag b=2", &options, &error), OPTIONS_RUN);
    assert_true(options_apply(&options, &config, &error));
    assert_string_equal(config.meta.name, "f");
    assert_null(swim_meta_get(&config.meta, "a"));
    assert_string_equal(swim_meta_get(&config.meta, "b"), "2");
    must_fail("--tag role", "KEY=VALUE");
    must_fail("--tag =db", "key is empty");
    must_fail("--tag a=1 --tag a=2", "given twice");
    must_fail("--name \x01", "printable UTF-8");
}

static void test_actions(void **state)
{
    (void)state;
    struct options options;
    struct config_error error;

    assert_int_equal(parse("", &options, &error), OPTIONS_RUN);
    assert_int_equal(parse("--help", &options, &error), OPTIONS_HELP);
    assert_int_equal(parse("-h", &options, &error), OPTIONS_HELP);
    assert_int_equal(parse("--version", &options, &error), OPTIONS_VERSION);
    assert_int_equal(parse("-V", &options, &error), OPTIONS_VERSION);
    assert_int_equal(parse("--check-config --config f", &options, &error), OPTIONS_CHECK_CONFIG);
    assert_string_equal(options.config_path, "f");
    assert_int_equal(parse("--generate-key", &options, &error), OPTIONS_GENERATE_KEY);
    /* Every flag of the help exists, and it says which values there are. */
    assert_non_null(strstr(options_help(), "--check-config"));
}

#define KEY "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"

/* The first words of argv, as everybody sees them once it was parsed. */
static char *seen[ARGUMENTS_MAX];

static enum options_action parse_words(int argc, const char *const *words, struct options *options,
                                       struct config_error *error)
{
    static char copies[8][200];

    assert_true(argc < (int)COUNT_OF(copies));
    for (int i = 0; i < argc; i++) {
        (void)snprintf(copies[i], sizeof copies[i], "%s", words[i]);
        seen[i] = copies[i];
    }
    seen[argc] = NULL;
    return options_parse(argc, seen, options, error);
}

static void test_cluster_key(void **state)
{
    (void)state;
    struct options options;
    struct config_error error;
    struct agent_config config;

    assert_int_equal(
        parse_words(3, (const char *[]){"swimd", "--cluster-key", KEY}, &options, &error),
        OPTIONS_RUN);
    assert_true(options.has_cluster_key);
    assert_int_equal(options.cluster_key[0], 0x01);
    assert_int_equal(options.cluster_key[31], 0xEF);
    assert_int_equal(strspn(seen[2], "*"), 64);
    /* It replaces whatever the file gives. */
    config_default(&config);
    assert_true(config_parse(&config, "x", "[security]\nkey_file = \"f\"\n", &error));
    assert_true(options_apply(&options, &config, &error));
    assert_true(config.has_cluster_key);
    assert_string_equal(config.key_file, "");
    options_wipe_key(&options);
    config_wipe_key(&config);
    assert_int_equal(options.cluster_key[0] | config.cluster_key[0], 0);
    assert_true(options.has_cluster_key && config.has_cluster_key);

    assert_int_equal(
        parse_words(2, (const char *[]){"swimd", "--cluster-key=" KEY}, &options, &error),
        OPTIONS_RUN);
    assert_null(strstr(seen[1], "0123"));
    /* A wrong one is not repeated, neither in argv nor in the message. */
    assert_int_equal(
        parse_words(3, (const char *[]){"swimd", "--cluster-key", KEY "0"}, &options, &error),
        OPTIONS_REFUSED);
    assert_null(strstr(seen[2], "0123"));
    assert_null(strstr(error.text, "0123"));
    assert_non_null(strstr(error.text, "--cluster-key: not a key"));
    assert_int_equal(parse("--cluster-key", &options, &error), OPTIONS_WRONG);
    assert_int_equal(parse("--cluster-key=", &options, &error), OPTIONS_REFUSED);
}

/* A key where none is expected is not repeated either. */
static void test_mistyped_key(void **state)
{
    (void)state;
    static const char *const lines[] = {"--clusterkey=" KEY, "--generate-key " KEY,
                                        "--cluster-key-file " KEY, "--cluster-key-file=" KEY};
    struct options options;
    struct config_error error;
    struct agent_config config;

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        config_default(&config);
        assert_true(parse(lines[i], &options, &error) == OPTIONS_WRONG ||
                    !options_apply(&options, &config, &error));
        assert_true(strlen(error.text) > 0);
        assert_null(strstr(error.text, "0123"));
    }
}

static void test_key_file(void **state)
{
    (void)state;
    struct agent_config config = settings("--cluster-key-file /etc/swim/key");
    struct options options;
    struct config_error error;

    assert_string_equal(config.key_file, "/etc/swim/key");
    assert_false(config.has_cluster_key);
    assert_true(config_parse(&config, "x", "[network]\ncluster_key = \"" KEY "\"\n", &error));
    assert_int_equal(config.key_place.line, 2);
    assert_int_equal(parse("--cluster-key-file f", &options, &error), OPTIONS_RUN);
    assert_true(options_apply(&options, &config, &error));
    assert_int_equal(config.key_place.line, 0); /* the file no longer has a part in it */
    assert_false(config.has_cluster_key);
    assert_int_equal(config.cluster_key[0], 0);
    assert_string_equal(config.key_file, "f");
    must_fail("--cluster-key-file=", "--cluster-key-file: the name of the file is empty");
    must_fail("--cluster-key " KEY " --cluster-key-file f", "give one of the two");
}

static void test_errors(void **state)
{
    (void)state;

    must_fail("--nothing", "--nothing");
    must_fail("--nothing=1", "--nothing=1");
    must_fail("-x", "-x");
    must_fail("--bind", "must follow the flag --bind");
    must_fail("--help=yes", "no value can follow the flag --help=yes");
    must_fail("--check-config=yes", "--check-config=yes");
    must_fail("--log", "--log"); /* level or format? */
    must_fail("--config=", "--config: the name of the file is empty; without a file, leave");
    must_fail("--bind=", "--bind \"\": ");
    must_fail("--bind 1.2.3.4:5 --peer x", "no such flag: --peer (did you mean --peers?)");
    must_fail("--state x", "no such flag: --state (did you mean --state-dir?)");
    must_fail("--bnid=x", "no such flag: --bnid=x (did you mean --bind?)");
    must_fail("-bind x", "no such flag: -bind (did you mean --bind?)");
    must_fail("-k", "no such flag: -k (swimd --help lists them)");
    must_fail("--advertise foo", "--advertise foo: not an IPv4 or IPv6 address");
    must_fail("--advertise=", "--advertise \"\": ");
    must_fail("--http-bind=", "--http-bind \"\": ");
    must_fail("--log-level=", "--log-level \"\": ");
    must_fail("start", "not the word start");
    must_fail("--bind localhost:7000", "--bind localhost:7000: ");
    must_fail("--bind 127.0.0.1", "the port is missing (ADDR:PORT)");
    must_fail("--peers node", "the port is missing (HOST:PORT, by address or name)");
    must_fail("--http-bind 127.0.0.1:80", "an address alone");
    must_fail("--advertise 0.0.0.0", "--advertise 0.0.0.0: a wildcard");
    must_fail("--peers a:1,b", "--peers b: ");
    must_fail("--peers a:0", "port");
    must_fail("--peers=", "empty");
    must_fail("--peers a:1,", "empty");
    must_fail("--peers a:1,,b:1", "empty");
    must_fail("--peers 224.0.0.1:1", "multicast");
    must_fail("--bind 255.255.255.255:1", "multicast");
    must_fail("--bind [ff02::1]:1", "multicast");
    must_fail("--advertise 239.1.1.1:1", "multicast");
    must_fail("--metrics-port 65536", "65535");
    must_fail("--metrics-port 4294967296", "65535");
    must_fail("--metrics-port 99999999999999999999", "65535");
    must_fail("--metrics-port -1", "65535");
    must_fail("--metrics-port=", "65535");
    must_fail("--metrics-port 1x", "65535");
    must_fail("--http-bind 127.0.0.1:80", "--http-bind");
    must_fail("--log-level LOUD", "--log-level LOUD: must be error, warn, info or debug");
    must_fail("--log-format x", "text or json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_name_and_tags), cmocka_unit_test(test_actions),
        cmocka_unit_test(test_cluster_key),   cmocka_unit_test(test_mistyped_key),
        cmocka_unit_test(test_key_file),      cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
