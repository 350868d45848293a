/* Addresses and endpoints as people write them. */
#include "support.h"

#include "agent/address.h"

#include <netinet/in.h>

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:7000", "127.0.0.1:7000"},
        {"127.0.0.1:0", "127.0.0.1:0"},
        {"0.0.0.0:65535", "0.0.0.0:65535"},
        {"[::1]:7000", "[::1]:7000"},
        {"[::]:1", "[::]:1"},
        {"[2001:DB8:0::1]:7000", "[2001:db8::1]:7000"},
        {"[::ffff:10.0.0.1]:7000", "10.0.0.1:7000"},
        {"[::ffff:a00:1]:7000", "10.0.0.1:7000"},
        {"127.0.0.1:00080", "127.0.0.1:80"},
        {"", NULL},
        {":", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {":7000", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:4294967376", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.0.1:+1", NULL},
        {"127.0.0.1: 1", NULL},
        {"127.0.0.1:1 ", NULL},
        {"127.0.0.1:7a", NULL},
        {"127.0.0.256:1", NULL},
        {"127.0.1:1", NULL},
        {"::1:7000", NULL},
        {"[::1]", NULL},
        {"[::1:7000", NULL},
        {"[]:7000", NULL},
        {"[::1]x:7000", NULL},
        {"[127.0.0.1]:7000", NULL},
        {"[fe80::1%eth0]:7000", NULL},
        {"localhost:7000", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct swim_addr addr = {.port = 4711};
        const char *wrong = address_parse(cases[i].text, &addr);
        if (cases[i].shown == NULL) {
            if (wrong == NULL)
                fail_msg("'%s' was taken as %s", cases[i].text, address_text(&addr).text);
            assert_int_equal(addr.port, 4711); /* left alone */
            continue;
        }
        if (wrong != NULL)
            fail_msg("'%s': %s", cases[i].text, wrong);
        assert_string_equal(address_text(&addr).text, cases[i].shown);
    }
}

static void test_endpoints(void **state)
{
    (void)state;
    char label[80];
    char text[400];
    struct endpoint endpoint;
    static const char *const bad[] = {
        "10.0.0.1",     "10.0.0.1:0", "10.0.0.300:7000",  "10.0.0:7000",
        "0.0.0.0:7000", "[::]:7000",  "[name]:7000",      "bad host:1",
        "a..b:1",       ".a:1",       "caf\xC3\xA9:7000", "a/b:7000",
        "name",         "name:seven", "7000:7000",        "",
        ":7000",        "-:0",        "node.10:7000",
    };
    static const char *const good[] = {
        "10.0.0.1:7000", "[::1]:7000",    "localhost:7000",         "node-1.example.org:1",
        "10a:7000",      "a_b.svc:65535", "node.example.org.:7000", "10.0.0.1a:7000",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (endpoint_parse(bad[i], &endpoint) == NULL)
            fail_msg("'%s' was taken", bad[i]);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        const char *wrong = endpoint_parse(good[i], &endpoint);
        if (wrong != NULL)
            fail_msg("'%s': %s", good[i], wrong);
        endpoint_format(&endpoint, text, sizeof text);
        assert_string_equal(text, good[i]);
        assert_int_equal(endpoint.addr.family == 0, endpoint.name[0] != '\0');
    }
    memset(label, 'a', 64);
    label[63] = '\0';
    (void)snprintf(text, sizeof text, "%s:1", label);
    assert_null(endpoint_parse(text, &endpoint));
    (void)snprintf(text, sizeof text, "%sa:1", label);
    assert_non_null(endpoint_parse(text, &endpoint));
    memset(text, 'a', 300);
    memcpy(text + 300, ":1", 3);
    assert_non_null(endpoint_parse(text, &endpoint));
}

static void test_sockaddr(void **state)
{
    (void)state;
    static const char *const all[] = {"127.0.0.1:7000", "255.255.255.255:1", "[2001:db8::7]:9"};

    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct swim_addr addr;
        struct swim_addr back;
        struct sockaddr_storage name;
        assert_null(address_parse(all[i], &addr));
        socklen_t size = address_to_sockaddr(&addr, AF_INET, &name);
        assert_int_equal(size, addr.family == 4 ? sizeof(struct sockaddr_in) : 0);
        if (size != 0) {
            assert_true(address_from_sockaddr((struct sockaddr *)&name, &back));
            assert_true(is_address_equal(&addr, &back));
        }
        size = address_to_sockaddr(&addr, AF_INET6, &name);
        assert_int_equal(size, sizeof(struct sockaddr_in6));
        assert_true(address_from_sockaddr((struct sockaddr *)&name, &back));
        assert_true(is_address_equal(&addr, &back)); /* IPv4-mapped, and folded again */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_sockaddr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
