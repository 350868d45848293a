/* What is shown of the settings is read back as the same settings, and holds no key. */
#include "support.h"

#include "agent/config.h"
#include "agent/config_show.h"

struct copy {
    size_t size;
    char text[16384];
};

static void sink(void *context, const char *data, size_t size)
{
    struct copy *copy = context;

    assert_true(copy->size + size < sizeof copy->text);
    memcpy(copy->text + copy->size, data, size);
    copy->size += size;
    copy->text[copy->size] = '\0';
}

static void note(void *context, const char *key, bool is_live)
{
    (void)is_live;
    print_error("differs: %s\n", key);
    ++*(unsigned *)context;
}

static void check_round_trip(const char *text)
{
    struct agent_config config, again;
    struct config_error error = {""};
    struct copy copy = {0};
    unsigned differences = 0;

    config_default(&config);
    config_default(&again);
    if (!config_parse(&config, "first.toml", text, &error))
        fail_msg("%s", error.text);
    config_show(&config, sink, &copy);
    if (!config_parse(&again, "again.toml", copy.text, &error))
        fail_msg("%s in:\n%s", error.text, copy.text);
    config_compare(&config, &again, note, &differences);
    assert_int_equal(differences, 0);
}

static void test_round_trip(void **state)
{
    (void)state;
    check_round_trip("");
    check_round_trip("[network]\nbind = \"[::1]:7000\"\nadvertise = \"10.0.0.1\"\n"
                     "peers = [\"a.example:1\", \"[::2]:3\", \"1.2.3.4:5\"]\n"
                     "reliable_max_retries = 0\nmax_inbound_rate = 7\n");
    check_round_trip("[network]\nadvertise = \"[2001:db8::1]:99\"\n[metrics]\n"
                     "http_bind = \"::1\"\nserver_port = 9100\nlog_interval_ms = 0\n"
                     "http_hosts = [\"x\", \"*\"]\nhttp_token_file = \"/a \\\"b\\\\ c\"\n");
    check_round_trip("[gossip]\nanti_entropy_interval_ms = 0\nadaptive_targets = false\n"
                     "[probes]\nsuspect_multiplier = 1.25\n[lifeguard]\nbuddy = false\n"
                     "[node]\ncluster = \"c-1\"\n[log]\nlevel = \"debug\"\nformat = \"json\"\n"
                     "[control]\nsocket = \"/tmp/x.sock\"\n");
    check_round_trip("[security]\nkey_file = \"/etc/swim/key\"\nenvelope = 1\n"
                     "plaintext = \"accept\"\n");
}

static void test_no_key(void **state)
{
    struct agent_config config;
    struct config_error error = {""};
    struct copy copy = {0};

    (void)state;
    config_default(&config);
    assert_true(config_parse(&config, "x.toml",
                             "[network]\ncluster_key = \"0123456789abcdef0123456789abcdef"
                             "0123456789abcdef0123456789abcdef\"\n",
                             &error));
    config_show(&config, sink, &copy);
    assert_null(strstr(copy.text, "0123"));
    assert_null(strstr(copy.text, "cluster_key"));
    assert_non_null(strstr(copy.text, "# a key was given"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
