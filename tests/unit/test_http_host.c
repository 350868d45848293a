/* Host headers: which ones a stranger's DNS could not have made, and that no bytes break it. */
#include "support.h"

#include "agent/http_host.h"
#include "base/prng.h"

static void test_hosts(void **state)
{
    (void)state;
    static const char *const local[] = {"localhost", "LOCALHOST:80", "127.0.0.1",  "127.0.0.1:9100",
                                        "[::1]",     "[::1]:9100",   "10.1.2.3:1", "[2001:db8::1]"};
    static const char *const strange[] = {
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil",
        "[::1].evil",
        "[::1",
        "[]",
        ":80",
        "localhost:80:80",
        "localhost:x",
        "::1",
        "evil#localhost",
        "127.0.0.1x",
        "localhos",
        "localhost ",
    };

    for (size_t i = 0; i < COUNT_OF(local); i++)
        if (!is_http_host_local(local[i]))
            fail_msg("%s", local[i]);
    for (size_t i = 0; i < COUNT_OF(strange); i++)
        if (is_http_host_local(strange[i]))
            fail_msg("%s", strange[i]);
    assert_true(is_http_host("Node-1:9100", "node-1"));
    assert_true(is_http_host("node-1", "node-1"));
    assert_false(is_http_host("node-1.evil", "node-1"));
    assert_false(is_http_host("node-12", "node-1"));
    assert_false(is_http_host("", "node-1"));
}

/* Whatever the bytes, what is taken for local is made of nothing but an address or localhost. */
static void test_random_hosts(void **state)
{
    (void)state;
    static const char *const words[] = {"localhost", "127.0.0.1", "[::1]", "[", "]",    ":",
                                        "80",        ".",         "evil",  "@", "\x7F", " "};
    struct prng prng;
    unsigned local = 0;

    prng_init(&prng, test_seed("random hosts"));
    for (int i = 0; i < 50000; i++) {
        char text[128];
        size_t size = 0;
        text[0] = '\0';
        for (uint32_t n = 1 + prng_below(&prng, 4); n > 0; n--)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s",
                                     words[prng_below(&prng, COUNT_OF(words))]);
        char *exact = malloc(size + 1); /* of the very size: a sanitizer sees any step beyond */
        assert_non_null(exact);
        memcpy(exact, text, size + 1);
        if (is_http_host_local(exact)) {
            local++;
            if (strpbrk(exact, "@ \x7F") != NULL || strstr(exact, "evil") != NULL)
                fail_msg("%s", exact);
        }
        free(exact);
    }
    assert_true(local > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_random_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
