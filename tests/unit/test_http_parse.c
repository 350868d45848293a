/* Request heads: what is understood, what is refused and how, and that no bytes break it. */
#include "support.h"

#include "agent/http_parse.h"
#include "base/prng.h"

static char head[HTTP_HEAD_MAX];

static int parse(const char *text, struct http_request *request)
{
    size_t size = strlen(text);

    assert_true(size <= sizeof head);
    memcpy(head, text, size);
    return http_parse(head, size, request);
}

static void test_good(void **state)
{
    (void)state;
    struct http_request request;

    assert_int_equal(parse("GET /membership?status=dead&x=1 HTTP/1.1\r\nHost: a:1\r\n"
                           "Accept: text/plain ,*/*\t\r\nX: y\r\n\r\n",
                           &request),
                     200);
    assert_false(request.is_head);
    assert_true(request.is_persistent);
    assert_string_equal(request.path, "/membership");
    assert_string_equal(request.query, "status=dead&x=1");
    assert_string_equal(request.host, "a:1");
    assert_string_equal(request.accept, "text/plain ,*/*");

    assert_int_equal(parse("HEAD / HTTP/1.1\nhost:b\nConnection: x, Close\n\n", &request), 200);
    assert_true(request.is_head);
    assert_false(request.is_persistent);
    assert_string_equal(request.path, "/");
    assert_string_equal(request.query, "");
    assert_string_equal(request.host, "b");
    assert_null(request.accept);

    assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &request), 200);
    assert_false(request.is_persistent);
    assert_string_equal(request.host, "");

    assert_int_equal(parse("GET http://c:80/x?y HTTP/1.1\r\nHost: d\r\n\r\n", &request), 200);
    assert_string_equal(request.host, "c:80");
    assert_string_equal(request.path, "/x");
    assert_string_equal(request.query, "y");
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", &request),
                     200);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"\r\n\r\n", 400},
        {"GET\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        {"get / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        {"GETS / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        {"GET / HTTP/1.1\r\n\r\n", 400},                       /* no Host */
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400}, /* two */
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},           /* smuggling */
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400}, /* obsolete folding */
        {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\001\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 00\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\nHost: a\r\n", 400}, /* never ends */
    };
    struct http_request request;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int status = parse(cases[i].text, &request);
        if (status != cases[i].status)
            fail_msg("%d, not %d: %s", status, cases[i].status, cases[i].text);
    }
}

static void test_many_headers(void **state)
{
    (void)state;
    struct http_request request;
    char text[HTTP_HEAD_MAX];
    size_t size = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");

    for (int i = 1; i < HTTP_HEADERS_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "X: y\r\n");
    (void)snprintf(text + size, sizeof text - size, "\r\n");
    assert_int_equal(parse(text, &request), 200);
    (void)snprintf(text + size, sizeof text - size, "X: y\r\n\r\n");
    assert_int_equal(parse(text, &request), 431);
}

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

static void test_query(void **state)
{
    (void)state;
    char value[8];

    assert_true(http_query_value("status=dead", "status", value, sizeof value));
    assert_string_equal(value, "dead");
    assert_true(http_query_value("a=1&&status=&b", "status", value, sizeof value));
    assert_string_equal(value, "");
    assert_true(http_query_value("xstatus=1&status=1234567", "status", value, sizeof value));
    assert_string_equal(value, "1234567");
    assert_false(http_query_value("status=12345678", "status", value, sizeof value));
    assert_false(http_query_value("status", "status", value, sizeof value));
    assert_false(http_query_value("", "status", value, sizeof value));
    assert_false(http_query_value("statusx=1", "status", value, sizeof value));
}

/* Any bytes: refused, or understood with every text inside the head. */
static void test_random_heads(void **state)
{
    (void)state;
    static const char *const words[] = {
        "GET ", "/",       " HTTP/1.1", "\r\n", "Host: a", "\n", ":",    " ",     "\t",
        "?",    "http://", "Accept: x", "\r",   "[",       "]",  "\x7F", "HEAD ", "Connection: "};
    struct prng prng;
    struct http_request request;
    char text[512];
    unsigned understood = 0;

    prng_init(&prng, test_seed("random heads"));
    for (int i = 0; i < 50000; i++) {
        size_t size = 0;
        if (i % 2 == 0)
            size = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (uint32_t n = prng_below(&prng, 16); n > 0; n--)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s",
                                     words[prng_below(&prng, COUNT_OF(words))]);
        if (prng_below(&prng, 4) == 0 && size > 0)
            text[prng_below(&prng, (uint32_t)size)] = (char)prng_below(&prng, 256);
        char *exact = malloc(size + 1); /* of the very size: a sanitizer sees any step beyond */
        assert_non_null(exact);
        memcpy(exact, text, size);
        int status = http_parse(exact, size, &request);
        if (status == 200) {
            understood++;
            assert_true(request.path >= exact && request.path < exact + size);
            assert_int_equal(request.path[0], '/');
            assert_true(strlen(request.path) + strlen(request.query) < size);
            (void)is_http_host_local(request.host);
        } else {
            assert_in_range(status, 400, 505);
        }
        free(exact);
    }
    assert_true(understood > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many_headers), cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_query),        cmocka_unit_test(test_random_heads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
