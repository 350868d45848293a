/*
 * The configuration file: the given defaults to the letter, every key at the ends of its range
 * and beyond, and messages that name file, line and key.
 */
#define _GNU_SOURCE
#include "support.h"

#include "agent/config.h"
#include "base/prng.h"

#include <errno.h>
#include <unistd.h>

/* Whole-number keys: their place, and the range that docs/configuration.md gives. */
static const struct number_key {
    const char *section;
    const char *name;
    size_t offset;
    uint32_t fallback;
    uint32_t min;
    uint32_t max;
    bool zero_is_off;
} number_keys[] = {
#define AT(field) offsetof(struct agent_config, field)
    {"gossip", "fanout", AT(swim.fanout), 50, 1, 65535, false},
    {"gossip", "max_sends", AT(swim.max_sends), 1, 1, 64, false},
    {"gossip", "interval_ms", AT(swim.gossip_interval_ms), 200, 10, 3600000, false},
    {"gossip", "heartbeat_interval_ms", AT(swim.heartbeat_interval_ms), 500, 10, 3600000, false},
    {"gossip", "piggyback_max", AT(swim.piggyback_max), 6, 0, 58, false},
    {"gossip", "anti_entropy_interval_ms", AT(swim.anti_entropy_interval_ms), 10000, 10, 3600000,
     true},
    {"gossip", "retransmit_multiplier", AT(swim.retransmit_multiplier), 3, 1, 12, false},
    {"gossip", "members_max", AT(swim.members_max), 16384, 2, 1048576, false},
    {"gossip", "meta_memory", AT(swim.meta_memory), 4194304, 0, 1073741824, false},
    {"network", "max_inbound_rate", AT(max_inbound_rate), 500, 1, 1000000, false},
    {"network", "inbound_peer_capacity", AT(inbound_peer_capacity), 100, 1, 1000000, false},
    {"network", "inbound_peer_refill_rate", AT(inbound_peer_refill_rate), 50, 1, 1000000, false},
    {"network", "reliable_ack_timeout_ms", AT(swim.reliable_ack_timeout_ms), 500, 10, 60000, false},
    {"network", "reliable_max_retries", AT(swim.reliable_max_retries), 3, 0, 16, false},
    {"probes", "interval_ms", AT(swim.probe_interval_ms), 1000, 10, 3600000, false},
    {"probes", "timeout_ms", AT(swim.probe_timeout_ms), 500, 1, 3599999, false},
    {"probes", "indirect_k", AT(swim.indirect_k), 2, 0, 16, false},
    {"probes", "suspect_timeout_ms", AT(swim.suspect_timeout_ms), 3000, 10, 3600000, false},
    {"probes", "suspect_jitter_ms", AT(swim.suspect_jitter_ms), 1000, 0, 3600000, false},
    {"probes", "suspect_timeout_min_ms", AT(swim.suspect_timeout_min_ms), 3000, 10, 3600000, false},
    {"probes", "dead_retention_ms", AT(swim.dead_retention_ms), 15000, 10, 86400000, false},
    {"lifeguard", "confirmations", AT(swim.confirmations), 3, 0, 8, false},
    {"metrics", "log_interval_ms", AT(log_interval_ms), 10000, 100, 86400000, true},
    {"metrics", "server_port", AT(metrics_port), 0, 1, 65535, true},
};

static uint32_t value_of(const struct agent_config *config, const struct number_key *key)
{
    uint32_t value;

    memcpy(&value, (const char *)config + key->offset, sizeof value);
    return value;
}

/* What the core would say; id and address are found at the start of the daemon. */
static const char *core_check(const struct agent_config *config)
{
    struct swim_config swim = config->swim;

    swim.id = 1;
    swim.addr = (struct swim_addr){.ip = {127, 0, 0, 1}, .port = 7000, .family = 4};
    return swim_config_check(&swim);
}

static bool parse(struct agent_config *config, const char *text, struct config_error *error)
{
    memset(error, 0, sizeof *error);
    config_default(config);
    return config_parse(config, "swim.toml", text, error);
}

static void must_parse(struct agent_config *config, const char *text)
{
    struct config_error error;

    if (!parse(config, text, &error))
        fail_msg("refused: %s", error.text);
}

/* Refused, with these fragments in the message, and nothing changed. */
static void must_fail(const char *text, const char *where, const char *what)
{
    struct agent_config before;
    struct agent_config config;
    struct config_error error;

    config_default(&before);
    if (parse(&config, text, &error))
        fail_msg("accepted: %s", text);
    if (strstr(error.text, where) == NULL || strstr(error.text, what) == NULL)
        fail_msg("'%s': expected '%s' and '%s' in: %s", text, where, what, error.text);
    assert_memory_equal(&before, &config, sizeof config);
}

static void test_defaults(void **state)
{
    (void)state;
    struct agent_config config;

    config_default(&config);
    for (size_t i = 0; i < COUNT_OF(number_keys); i++)
        if (value_of(&config, &number_keys[i]) != number_keys[i].fallback)
            fail_msg("%s.%s", number_keys[i].section, number_keys[i].name);
    assert_true(config.swim.adaptive_fanout);
    assert_true(config.swim.adaptive_targets);
    assert_int_equal(config.swim.suspect_multiplier_milli, 500);
    assert_string_equal(address_text(&config.bind).text, "127.0.0.1:0");
    assert_string_equal(address_text(&config.http_bind).text, "127.0.0.1:0");
    assert_int_equal(config.advertise.family, 0);
    assert_int_equal(config.peer_count, 0);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_int_equal(config.log_format, LOG_AS_TEXT);
    assert_null(core_check(&config));
}

static void one_number(const struct number_key *key, long long value, bool is_good)
{
    struct agent_config config;
    struct config_error error;
    char text[200];
    char name[80];
    bool is_timeout = strcmp(key->name, "timeout_ms") == 0;
    bool is_interval = strcmp(key->section, "probes") == 0 && strcmp(key->name, "interval_ms") == 0;

    /* The two that depend on each other are moved out of each other's way. */
    (void)snprintf(text, sizeof text, "[probes]\n%s[%s]\n%s = %lld\n",
                   is_timeout ? "interval_ms = 3600000\n" : "timeout_ms = 1\n", key->section,
                   key->name, value);
    if (is_timeout || is_interval)
        (void)snprintf(text, sizeof text, "[probes]\n%s = %s\n\n%s = %lld\n",
                       is_timeout ? "interval_ms" : "timeout_ms", is_timeout ? "3600000" : "1",
                       key->name, value);
    else if (strcmp(key->section, "probes") == 0)
        (void)snprintf(text, sizeof text, "[probes]\n\n\n%s = %lld\n", key->name, value);
    bool ok = parse(&config, text, &error);
    if (ok != is_good)
        fail_msg("[%s] %s = %lld: %s", key->section, key->name, value,
                 ok ? "accepted" : error.text);
    if (ok) {
        assert_int_equal(value_of(&config, key), value);
        if (core_check(&config) != NULL)
            fail_msg("[%s] %s = %lld: the core refuses %s", key->section, key->name, value,
                     core_check(&config));
        return;
    }
    (void)snprintf(name, sizeof name, "swim.toml:4: [%s] %s = %lld: must be ", key->section,
                   key->name, value);
    if (strstr(error.text, name) == NULL)
        fail_msg("expected '%s' in: %s", name, error.text);
    (void)snprintf(name, sizeof name, "from %u to %u", (unsigned)key->min, (unsigned)key->max);
    if (strstr(error.text, name) == NULL)
        fail_msg("expected '%s' in: %s", name, error.text);
}

static void test_ranges(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT_OF(number_keys); i++) {
        const struct number_key *key = &number_keys[i];
        one_number(key, key->min, true);
        one_number(key, key->max, true);
        one_number(key, (long long)key->max + 1, false);
        one_number(key, (long long)key->min - 1, key->min == 1 && key->zero_is_off);
        one_number(key, 0, key->zero_is_off || key->min == 0);
        one_number(key, -1, false);
        one_number(key, INT64_MIN, false);
        one_number(key, INT64_MAX, false);
        one_number(key, (1LL << 32) + key->fallback, false);
    }
}

static void test_multiplier(void **state)
{
    (void)state;
    struct agent_config config;

    must_parse(&config, "[probes]\nsuspect_multiplier = 1.25\n");
    assert_int_equal(config.swim.suspect_multiplier_milli, 1250);
    must_parse(&config, "[probes]\nsuspect_multiplier = 100\n");
    assert_int_equal(config.swim.suspect_multiplier_milli, 100000);
    assert_null(core_check(&config));
    must_parse(&config, "[probes]\nsuspect_multiplier = 0\n");
    assert_null(core_check(&config));
    must_fail("[probes]\nsuspect_multiplier = 100.001\n", "swim.toml:2:", "from 0 to 100");
    must_fail("[probes]\nsuspect_multiplier = -0.1\n", "swim.toml:2:", "from 0 to 100");
    must_fail("[probes]\nsuspect_multiplier = nan\n", "swim.toml:2:", "from 0 to 100");
    must_fail("[probes]\nsuspect_multiplier = inf\n", "swim.toml:2:", "from 0 to 100");
    must_fail("[probes]\nsuspect_multiplier = \"1\"\n", "swim.toml:2:", "not a string");
}

static void test_other_values(void **state)
{
    (void)state;
    struct agent_config config;
    char text[ADDRESS_TEXT_MAX + HOST_NAME_MAX_SIZE];

    must_parse(&config, "[gossip]\nadaptive_fanout = false\nadaptive_targets = false\n"
                        "[network]\nbind = \"[::]:7000\"\nadvertise = \"10.0.0.1\"\n"
                        "peers = [\"10.0.0.1:7000\", 'node.example:7001']\nencryption = false\n"
                        "[metrics]\nhttp_bind = \"::1\"\nhttp_hosts = [\"a\", \"*\"]\n"
                        "[log]\nlevel = \"debug\"\nformat = \"json\"\n");
    assert_false(config.swim.adaptive_fanout);
    assert_false(config.swim.adaptive_targets);
    assert_string_equal(address_text(&config.bind).text, "[::]:7000");
    assert_string_equal(address_text(&config.advertise).text, "10.0.0.1:0");
    assert_int_equal(config.peer_count, 2);
    endpoint_format(&config.peers[1], text, sizeof text);
    assert_string_equal(text, "node.example:7001");
    assert_string_equal(address_text(&config.http_bind).text, "[::1]:0");
    assert_int_equal(config.http_host_count, 2);
    assert_string_equal(config.http_hosts[1], "*");
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_int_equal(config.log_format, LOG_AS_JSON);

    must_parse(&config, "");
    must_parse(&config, "# nothing\n[gossip]\n[network]\n[probes]\n[metrics]\n[log]\n");
    must_parse(&config, "gossip = {fanout = 7}\nprobes.interval_ms = 2000\r\n");
    assert_int_equal(config.swim.fanout, 7);
    assert_int_equal(config.swim.probe_interval_ms, 2000);
}

#define KEY "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"

static void test_security(void **state)
{
    (void)state;
    struct agent_config config;
    char text[256];

    must_parse(&config, "");
    assert_int_equal(config.envelope, 2);
    assert_int_equal(config.plaintext, PLAINTEXT_REFUSE);
    assert_false(config_has_key(&config));
    must_parse(&config, "[node]\ncluster = \"a-Z_0.9\"\n"
                        "[security]\nkey_file = \"/k\"\nenvelope = 1\nplaintext = \"send\"\n");
    assert_string_equal(config.cluster, "a-Z_0.9");
    assert_string_equal(config.key_file, "/k");
    assert_int_equal(config.envelope, 1);
    assert_int_equal(config.plaintext, PLAINTEXT_SEND);
    assert_true(config_has_key(&config));
    must_parse(&config, "[network]\ncluster_key_file = \"/k\"\n");
    assert_string_equal(config.key_file, "/k");
    must_parse(&config, "[network]\ncluster_key = \"" KEY "\"\nencryption = true\n");
    assert_true(config.has_cluster_key);
    assert_int_equal(config.cluster_key[1], 0x23);
    config_wipe_key(&config);
    assert_int_equal(config.cluster_key[1], 0);
    assert_true(config_has_key(&config));

    (void)snprintf(text, sizeof text, "[node]\ncluster = \"%064d\"\n", 7);
    must_parse(&config, text);
    (void)snprintf(text, sizeof text, "[node]\ncluster = \"%065d\"\n", 7);
    must_fail(text, "swim.toml:2:", "1 to 64");
}

/* Under any key, in whatever way TOML writes it; the default name is the host's. */
static void test_name_and_tags(void **state)
{
    (void)state;
    struct agent_config config;
    char host[300] = "";
    char text[5000];

    must_parse(&config, "");
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_string_equal(config.meta.name, host);
    assert_int_equal(swim_meta_count(&config.meta), 0);
    must_parse(&config, "[node]\nname = \"db-\u00fc\"\n[tags]\nrole = \"db\"\n"
                        "\"example.org/rack\" = \"12\"\nempty = \"\"\n");
    assert_string_equal(config.meta.name, "db-\xC3\xBC");
    assert_int_equal(swim_meta_count(&config.meta), 3);
    assert_string_equal(swim_meta_get(&config.meta, "example.org/rack"), "12");
    assert_string_equal(swim_meta_get(&config.meta, "empty"), "");
    must_parse(&config, "tags = {a = \"1\", b = \"2\"}\n");
    assert_string_equal(swim_meta_get(&config.meta, "b"), "2");
    must_parse(&config, "[node]\nname = \"\"\n");
    assert_string_equal(config.meta.name, "");

    (void)snprintf(text, sizeof text, "[node]\nname = \"%0128d\"\n", 7);
    must_parse(&config, text);
    (void)snprintf(text, sizeof text, "[node]\nname = \"%0129d\"\n", 7);
    must_fail(text, "swim.toml:2: [node] name", "longer than 128 bytes");
    (void)snprintf(text, sizeof text, "[tags]\na = \"%04092d\"\n", 7);
    must_parse(&config, text);
    (void)snprintf(text, sizeof text, "[tags]\na = \"%04092d\"\nbb = \"\"\n", 7);
    must_fail(text, "swim.toml:3: [tags] bb", "more than 4096 bytes");
    must_fail("[node]\nname = \"a\\nb\"\n", "swim.toml:2: [node] name", "printable UTF-8");
    must_fail("[tags]\na = 1\n", "swim.toml:2: [tags] a", "a string, not a whole number");
    must_fail("[tags]\na = [\"b\"]\n", "swim.toml:2: [tags] a", "a string, not an array");
    must_fail("[tags.a]\nb = \"c\"\n", "swim.toml:1: [tags] a", "a string, not a table");
    must_fail("[tags]\n\"a=b\" = \"c\"\n", "swim.toml:2: [tags] a=b", "without '='");
    must_fail("[tags]\n\"\" = \"c\"\n", "swim.toml:2: [tags]", "key is empty");
    must_fail("[tags]\na = \"b\\u0000\"\n", "swim.toml:2: [tags] a", "zero byte");
    must_fail("[tags]\na = \"b\"\n\"c\\u0000d\" = \"e\"\n",
              "swim.toml:3:", "zero byte in this key");
    must_fail("[\"tags\\u0000x\"]\na = \"b\"\n", "swim.toml:1:", "zero byte in this key");
    must_fail("[log]\n\"level\\u0000x\" = \"info\"\n", "swim.toml:2:", "zero byte in this key");
    must_fail("[tags]\na = \"b\\u0007\"\n", "swim.toml:2: [tags] a", "printable UTF-8");
    must_fail("tags = \"a=b\"\n", "swim.toml:1: tags", "this is a section");
    must_fail("[[tags]]\na = \"b\"\n", "swim.toml:1:", "tags");
}

static void must_contradict(const char *text, const char *what)
{
    struct agent_config config;
    struct config_error error;

    must_parse(&config, text);
    if (config_check_whole(&config, &error))
        fail_msg("'%s' was accepted", text);
    if (strstr(error.text, what) == NULL)
        fail_msg("'%s': expected '%s' in: %s", text, what, error.text);
}

/* Never in plaintext by a slip. */
static void test_keys_and_encryption(void **state)
{
    (void)state;
    struct agent_config config;
    struct config_error error;

    must_contradict("[network]\nencryption = true\n", "swim.toml:2: [network] encryption = true: ");
    must_contradict("[network]\nencryption = false\n[security]\nkey_file = \"k\"\n",
                    "swim.toml:2: [network] encryption = false: ");
    must_contradict("[security]\nplaintext = \"accept\"\n",
                    "swim.toml:2: [security] plaintext = \"accept\": ");
    must_contradict("[security]\nplaintext = \"refuse\"\n", "remove this line");
    must_parse(&config, "[security]\nenvelope = 1\n[network]\nencryption = false\n");
    assert_true(config_check_whole(&config, &error));
    must_parse(&config, "[security]\nkey_file = \"k\"\nplaintext = \"refuse\"\n"
                        "[network]\nencryption = true\n");
    assert_true(config_check_whole(&config, &error));
}

/* A key in the wrong place, or with a digit too many, is in no message. */
static void test_keys_are_not_shown(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[security]\nkey_file = \"" KEY "\"\n",
        "[network]\ncluster_key_file = \"" KEY "\"\n",
        "[network]\ncluster_key = \"" KEY "0\"\n",
        "[network]\ncluster_key = [\"" KEY "\"]\n",
        "[network]\ncluster_kye = \"" KEY "\"\n",
        "[security]\ncluster_key = \"" KEY "\"\n",
        "[network]\ncluster_key = \"" KEY "\n",
        "[network]\ncluster_key = " KEY "\n",
        "[network]\ncluster_key = \"" KEY "\"\ncluster_key = \"" KEY "\"\n",
    };
    struct agent_config config;
    struct config_error error;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        config_default(&config);
        assert_false(config_parse(&config, "swim.toml", texts[i], &error));
        if (strstr(error.text, "0123456789") != NULL)
            fail_msg("%s", error.text);
    }
}

/* Where the message quotes what it found, and a key is what it found. */
static void test_keys_are_hidden(void **state)
{
    (void)state;
    static const char *const texts[] = {
        KEY " = 1\n",
        "[" KEY "]\n",
        "[" KEY "." KEY "]\n",
        "[network]\n" KEY " = 1\n",
        "[security]\nplaintext = \"" KEY "\"\n",
        "[log]\nlevel = \"" KEY KEY KEY KEY "\"\n",
    };
    struct agent_config config;
    struct config_error error;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        config_default(&config);
        assert_false(config_parse(&config, "swim.toml", texts[i], &error));
        config_error_hide_keys(&error);
        if (strstr(error.text, "0123456789") != NULL ||
            strstr(error.text, "(not shown: this may be a key)") == NULL)
            fail_msg("%s", error.text);
        assert_non_null(strstr(error.text, "swim.toml:"));
    }
    (void)strcpy(error.text, "0123abc: fine " KEY);
    config_error_hide_keys(&error);
    assert_string_equal(error.text, "0123abc: fine (not shown: this may be a key)");
    config_error_hide_keys(&error);
    assert_string_equal(error.text, "0123abc: fine (not shown: this may be a key)");
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
        const char *what;
    } cases[] = {
        {"[gossip]\nfan_out = 1\n", "swim.toml:2: [gossip] fan_out", "adaptive_fanout, max_sends"},
        {"\n[gosip]\n", "swim.toml:2: [gosip]", "[gossip], [network]"},
        {"fanout = 1\n", "swim.toml:1: fanout", "in no section"},
        {"[probes]\nfanout = 1\n", "swim.toml:2: [probes] fanout",
         "unknown key (did you mean [gossip] fanout?)"},
        {"[probes]\nintervall_ms = 1\n", "swim.toml:2: [probes] intervall_ms",
         "unknown key (did you mean interval_ms?); the keys here are"},
        {"[probes]\nfrobnicate = 1\n", "swim.toml:2:", "unknown key; the keys here are"},
        {"[netwrok]\n", "swim.toml:1: [netwrok]", "unknown section (did you mean network?)"},
        {"peer = 1\n", "swim.toml:1: peer", "in no section (did you mean [network] peers?)"},
        {"[[network]]\n", "swim.toml:1: network", "begins with a line [network]"},
        {"[gossip]\nfanout = 1.0\n", "swim.toml:2:", "not a fraction"},
        {"[gossip]\nfanout = {}\n", "swim.toml:2:", "not a table"},
        {"[gossip.fanout]\nx = 1\n", "swim.toml:1:", "not a table"},
        {"[gossip]\nfanout = [1, 2]\n", "swim.toml:2:", "not an array"},
        {"[gossip]\nfanout = 2020-01-01\n", "swim.toml:2:", "not a date"},
        {"[gossip]\nadaptive_fanout = 1\n", "swim.toml:2:", "true or false, not a whole number"},
        {"[[gossip]]\nfanout = 1\n", "swim.toml:1:", "gossip"},
        {"[network]\nbind = 7000\n", "swim.toml:2:", "a string, not a whole number"},
        {"[network]\nbind = \"localhost:1\"\n", "swim.toml:2:", "not an IPv4 or IPv6 address"},
        {"[network]\nbind = \"127.0.0.1:1\\u0000\"\n", "swim.toml:2:", "zero byte"},
        {"[network]\nadvertise = \"0.0.0.0:1\"\n", "swim.toml:2:", "wildcard"},
        {"[network]\npeers = [\"a:1\",\n\n \"b\"]\n", "swim.toml:4: [network] peers", "port"},
        {"[network]\npeers = [[\"a:1\"]]\n", "swim.toml:2:", "not an array"},
        {"[network]\nencryption = \"no\"\n", "swim.toml:2:", "true or false"},
        {"[network]\ncluster_key = \"00\"\n", "swim.toml:2: [network] cluster_key: not a key",
         "64"},
        {"[network]\ncluster_key = \"\"\n", "swim.toml:2:", "64 hex digits"},
        {"[network]\ncluster_key = 7\n", "swim.toml:2:", "a string, not a whole number"},
        {"[network]\ncluster_key_file = \"\"\n", "swim.toml:2:", "is empty"},
        {"[security]\nkey_file = \"" KEY "\"\n", "swim.toml:2: [security] key_file: this is a key",
         ""},
        {"[security]\nkey_file = \"a\"\n[network]\ncluster_key = \"" KEY "\"\n",
         "swim.toml:4: [network] cluster_key: ", "[security] key_file too, in line 2"},
        {"[network]\ncluster_key_file = \"a\"\n[security]\nkey_file = \"a\"\n",
         "swim.toml:2: [network] cluster_key_file: ", "too, in line 4"},
        {"[security]\nenvelope = 3\n", "swim.toml:2: [security] envelope = 3", "from 1 to 2"},
        {"[security]\nenvelope = \"2\"\n", "swim.toml:2:", "not a string"},
        {"[security]\nplaintext = \"yes\"\n", "swim.toml:2:", "\"refuse\", \"accept\" or \"send\""},
        {"[security]\nkeyfile = \"a\"\n", "swim.toml:2:", "key_file, envelope, plaintext"},
        {"[node]\ncluster = \"\"\n", "swim.toml:2:", "1 to 64"},
        {"[node]\ncluster = \"a b\"\n", "swim.toml:2:", "letters, digits"},
        {"[metrics]\nhttp_hosts = [\"a:1\"]\n", "swim.toml:2:", "without port"},
        {"[log]\nlevel = \"loud\"\n", "swim.toml:2:", "error, warn, info or debug"},
        {"[log]\nformat = \"xml\"\n", "swim.toml:2:", "text or json"},
        {"[probes]\ntimeout_ms = 1000\n", "swim.toml:2: [probes] timeout_ms", "from 1 to 999"},
        {"[probes]\ninterval_ms = 500\n", "swim.toml:2: [probes] timeout_ms", "from 1 to 499"},
        {"[gossip]\nfanout = 1\nfanout = 2\n", "swim.toml:3:10: ", "this key is given twice"},
        {"[gossip\n", "swim.toml:1:8: ", "the closing bracket of the section is missing"},
        {"[network]\nbind = 127.0.0.1:7000\n", "swim.toml:2:8: ", "needs double quotes"},
        {"[network]\npeers = [127.0.0.1:7000]\n", "swim.toml:2:10: ", "needs double quotes"},
        {"[network]\npeers = [\"a:1\",\n  b:2]\n", "swim.toml:3:3: ", "needs double quotes"},
        {"[network]\npeers = [\"a,=:1\", b:2]\n", "swim.toml:2:19: ", "needs double quotes"},
        {"[network]\nbind = [::1]:7000\n", "swim.toml:2:9: ", "needs double quotes"},
        {"[node]\nname = web\n", "swim.toml:2:8: ", "needs double quotes"},
        {"[node]\nname = infra\n", "swim.toml:2:8: ", "needs double quotes"},
        {"[node]\nname = 1a\n", "swim.toml:2:8: ", "needs double quotes"},
        {"[node]\nstate_dir = /var/lib/x\n", "swim.toml:2:13: ", "needs double quotes"},
        {"[tags]\n\"\xc3\xa9\" = \xc3\xa9\n", "swim.toml:2:7: ", "needs double quotes"},
        {"[gossip]\nnack = True\n", "swim.toml:2:8: ", "true and false"},
        {"[node]\nname =\n", "swim.toml:2:7: ", "the value is missing"},
        {"[node]\nname = \"a\n", "swim.toml:2:10: ", "with its quote"},
        {"[node]\nname = \"a\r\n", "swim.toml:2:10: ", "with its quote"},
        {"[node]\nname = \"\x01\"\n", "swim.toml:2:9: ", "control characters"},
        {"[node]\nname: \"a\"\n", "swim.toml:2:5: ", "a key, '=' and a value"},
        {"[gossip]\nfanout = 5 s\n", "swim.toml:2:12: ", "nothing but a comment"},
        {"[gossip]\n[gossip]\n", "swim.toml:2:1: ", "this section is given twice"},
        {"[network]\npeers = [\"a:1\"\n\"b:2\"]\n", "swim.toml:3:1: ", "a comma, or"},
        {"[network]\npeers = [\"a:1\"\n", "swim.toml:2:", "the file ends"},
        {"[gossip]\nfanout = 007\n", "swim.toml:2:13: ", "leading zeroes"},
        {"a = \"\xff\"\n", "swim.toml:1:5: ", "utf-8"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        must_fail(cases[i].text, cases[i].where, cases[i].what);
}

static void test_too_many_peers(void **state)
{
    (void)state;
    char text[4096];
    size_t size = (size_t)snprintf(text, sizeof text, "[network]\npeers = [");
    struct agent_config config;

    for (int i = 0; i < CONFIG_PEERS_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "\"10.0.0.%d:7000\",", i);
    (void)snprintf(text + size, sizeof text - size, "]\n");
    must_parse(&config, text);
    assert_int_equal(config.peer_count, CONFIG_PEERS_MAX);
    (void)snprintf(text + size, sizeof text - size, "\"10.0.1.0:7000\"]\n");
    must_fail(text, "swim.toml:2:", "64");
}

/* The longest keys and the deepest nesting that a file of the allowed size can hold. */
static void test_hostile_documents(void **state)
{
    (void)state;
    struct agent_config config;
    struct config_error error;
    char *text = malloc(CONFIG_FILE_MAX + 1);

    assert_non_null(text);
    static const char *const fills[] = {"a.", "[", "{", "a={", "[[a.", "\"", "x=[", "\n[a.b]"};
    for (size_t f = 0; f < COUNT_OF(fills); f++) {
        size_t length = strlen(fills[f]);
        size_t size = 0;
        while (size + length <= CONFIG_FILE_MAX) {
            memcpy(text + size, fills[f], length);
            size += length;
        }
        text[size] = '\0';
        assert_false(parse(&config, text, &error));
        assert_true(strlen(error.text) > strlen("swim.toml: "));
    }
    free(text);
}

/* Any bytes are an error or a configuration that the core accepts; never anything else. */
static void test_random_documents(void **state)
{
    (void)state;
    static const char *const words[] = {
        "[gossip]", "[probes]", "[network]",   "[metrics]",  "\n",   "=",    "fanout",
        "peers",    "[",        "]",           "\"",         "1",    "0",    "-",
        ".",        "true",     "interval_ms", "timeout_ms", ",",    "a:1",  "log_interval_ms",
        "{",        "}",        "e9",          "#",          "\xC3", "bind", " ",
    };
    struct prng prng;
    struct agent_config config;
    struct config_error error;
    char text[512];
    unsigned accepted = 0;

    prng_init(&prng, test_seed("random documents"));
    for (int i = 0; i < 20000; i++) {
        size_t size = 0;
        for (uint32_t n = prng_below(&prng, 12); n > 0; n--) {
            const char *word = words[prng_below(&prng, COUNT_OF(words))];
            size += (size_t)snprintf(text + size, sizeof text - size, "%s", word);
        }
        text[size] = '\0';
        if (parse(&config, text, &error)) {
            accepted++;
            assert_null(core_check(&config));
        } else {
            assert_non_null(strstr(error.text, "swim.toml:"));
        }
    }
    assert_true(accepted > 0);
}

static void note(void *context, const char *key, bool is_live)
{
    char *text = context;
    size_t size = strlen(text);

    (void)snprintf(text + size, 200 - size, "%s%s ", key, is_live ? "" : "!");
}

static void test_differences(void **state)
{
    (void)state;
    struct agent_config a;
    struct agent_config b;
    char seen[200] = "";

    must_parse(&a, "[network]\npeers = [\"a:1\", \"b:1\"]\n");
    must_parse(&b, "[network]\npeers = [\"a:1\", \"b:1\"]\n");
    config_compare(&a, &b, note, seen);
    assert_string_equal(seen, "");
    must_parse(&b, "[gossip]\nfanout = 3\n[network]\npeers = [\"a:1\"]\n"
                   "[probes]\nsuspect_multiplier = 0.7\n[log]\nlevel = \"warn\"\n");
    config_compare(&a, &b, note, seen);
    assert_string_equal(seen, "gossip.fanout! network.peers probes.suspect_multiplier! log.level ");
}

static void test_files(void **state)
{
    (void)state;
    struct agent_config config;
    struct config_error error;
    char path[] = "/tmp/swim-test-config-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    config_default(&config);
    assert_true(config_load(&config, path, &error)); /* empty */
    assert_int_equal(write(fd, "[gossip]\nfanout = 9\n", 20), 20);
    assert_true(config_load(&config, path, &error));
    assert_int_equal(config.swim.fanout, 9);
    for (int size = 20; size < CONFIG_FILE_MAX; size++)
        assert_int_equal(write(fd, "#", 1), 1);
    assert_true(config_load(&config, path, &error));
    assert_int_equal(write(fd, "#", 1), 1);
    assert_false(config_load(&config, path, &error));
    assert_non_null(strstr(error.text, "32768"));
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_false(config_load(&config, path, &error));
    assert_non_null(strstr(error.text, strerror(ENOENT)));
    assert_non_null(strstr(error.text, path));
    assert_false(config_load(&config, "/", &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_multiplier),
        cmocka_unit_test(test_other_values),
        cmocka_unit_test(test_security),
        cmocka_unit_test(test_name_and_tags),
        cmocka_unit_test(test_keys_and_encryption),
        cmocka_unit_test(test_keys_are_not_shown),
        cmocka_unit_test(test_keys_are_hidden),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_too_many_peers),
        cmocka_unit_test(test_hostile_documents),
        cmocka_unit_test(test_random_documents),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
