/*
 * Answers that take their time, over real connections (Unix sockets, in this process): sent later,
 * too late, never; streams that end, are ended, or lose their reader. Every object must be gone in
 * the end: the sanitizers' build looks.
 */
#define _GNU_SOURCE
#include "support.h"

#include "agent/httpd_stream.h"

#include <event2/event.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct server {
    struct event_base *base;
    struct httpd *httpd;
    struct sockaddr_un name;
    socklen_t name_size;
    struct httpd_later *later;
    struct httpd_stream *stream;
    uint32_t within_ms;
    int gone;
    int asked;
    bool ends_at_once;
} server;

static void on_gone(void *context)
{
    struct server *to = context;

    to->gone++;
    to->later = NULL;
    to->stream = NULL;
}

static void on_more(void *context, struct httpd_stream *stream)
{
    struct server *to = context;

    to->asked++;
    if (!to->ends_at_once)
        return;
    httpd_stream_write(stream, "all", 3);
    httpd_stream_end(stream);
    to->stream = NULL;
}

static void handle(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct server *to = context;
    const struct httpd_stream_hooks hooks = {.context = to, .more = on_more, .gone = on_gone};

    if (strcmp(request->path, "/later") == 0) {
        to->later = http_reply_later(reply, to->within_ms, on_gone, to);
        assert_non_null(to->later);
    } else if (strcmp(request->path, "/stream") == 0) {
        reply->content_type = "text/plain";
        to->stream = http_reply_stream(reply, &hooks);
        assert_non_null(to->stream);
    } else {
        http_reply_text(reply, 200, "now");
    }
}

static int begin(void **state)
{
    struct httpd_terms terms = {.handler = handle,
                                .context = &server,
                                .connections_max = 4,
                                .is_control = true,
                                .body_max = 64};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)state;
    server = (struct server){.name = {.sun_family = AF_UNIX}, .within_ms = HTTPD_LATER_MAX_MS};
    server.base = event_base_new();
    server.name_size = sizeof server.name;
    assert_int_equal(bind(fd, (struct sockaddr *)&server.name, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&server.name, &server.name_size), 0);
    assert_int_equal(listen(fd, 4), 0);
    server.httpd = httpd_new_on(server.base, fd, &terms);
    return server.httpd == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    httpd_free(server.httpd);
    event_base_free(server.base);
    return 0;
}

static void turn(void)
{
    for (int i = 0; i < 8; i++)
        (void)event_base_loop(server.base, EVLOOP_NONBLOCK);
}

static int ask(const char *request)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&server.name, server.name_size), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    turn();
    return fd;
}

static int ask_for(const char *path)
{
    char request[100];

    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return ask(request);
}

/* What has come by now. */
static const char *heard(int fd)
{
    static char text[4096];
    ssize_t size = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void assert_heard(int fd, const char *expected)
{
    const char *text = heard(fd);

    if (strstr(text, expected) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", expected, text);
}

static bool is_over(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* ---- One answer, later ---- */

static void test_later(void **state)
{
    (void)state;
    int fd = ask_for("/later");

    assert_string_equal(heard(fd), "");
    http_reply_text(httpd_later_reply(server.later), 409, "no");
    httpd_later_send(server.later);
    turn();
    assert_heard(fd, "HTTP/1.1 409 ");
    /* The connection is as good as any. */
    assert_int_equal(send(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, 0), 27);
    turn();
    assert_heard(fd, "{\"error\":\"now\"}\n");
    assert_int_equal(server.gone, 0);
    (void)close(fd);
    turn();
}

static void test_too_late(void **state)
{
    (void)state;
    server.within_ms = 30;
    int fd = ask_for("/later");

    while (server.gone == 0)
        (void)event_base_loop(server.base, EVLOOP_ONCE);
    turn();
    assert_heard(fd, "HTTP/1.1 504 ");
    assert_int_equal(server.gone, 1);
    (void)close(fd);
    turn();
}

/* Who vanishes is found out when it is answered, or by the server's end. */
static void test_later_vanished(void **state)
{
    (void)state;
    int fd = ask_for("/later");

    (void)close(fd);
    turn();
    httpd_later_send(server.later);
    turn();
    assert_int_equal(server.gone, 0);
    (void)close(ask_for("/later"));
    turn();
    httpd_free(server.httpd);
    server.httpd = NULL;
    assert_int_equal(server.gone, 1);
}

/* A reply that no server made can't wait. */
static void test_no_server(void **state)
{
    (void)state;
    struct http_reply reply = {.status = 200};
    const struct httpd_stream_hooks hooks = {.more = on_more, .gone = on_gone};

    assert_null(http_reply_later(&reply, 1, on_gone, NULL));
    assert_null(http_reply_stream(&reply, &hooks));
}

/* ---- Streams ---- */

static void say(const char *text)
{
    httpd_stream_write(server.stream, text, strlen(text));
    httpd_stream_flush(server.stream);
    turn();
}

static void test_stream(void **state)
{
    (void)state;
    int fd = ask_for("/stream");

    assert_heard(fd, "Transfer-Encoding: chunked\r\n");
    assert_int_equal(server.asked, 1);
    say("one");
    assert_string_equal(heard(fd), "3\r\none\r\n");
    assert_int_equal(server.asked, 2);
    assert_int_equal(httpd_stream_pending(server.stream), 0);
    say("");
    assert_int_equal(server.asked, 2);
    httpd_stream_write(server.stream, "two", 3);
    httpd_stream_end(server.stream);
    turn();
    assert_string_equal(heard(fd), "3\r\ntwo\r\n0\r\n\r\n");
    assert_true(is_over(fd));
    assert_int_equal(server.gone, 0);
    (void)close(fd);
}

static void test_ended_when_asked(void **state)
{
    (void)state;
    server.ends_at_once = true;
    int fd = ask_for("/stream");

    assert_heard(fd, "\r\n\r\n3\r\nall\r\n0\r\n\r\n");
    assert_true(is_over(fd));
    (void)close(fd);
    fd = ask("GET /stream HTTP/1.0\r\n\r\n");
    assert_heard(fd, "\r\n\r\nall");
    assert_true(is_over(fd));
    (void)close(fd);
    assert_int_equal(server.gone, 0);
}

static void test_reader_vanishes(void **state)
{
    (void)state;
    int fd = ask_for("/stream");

    (void)close(fd);
    turn();
    assert_int_equal(server.gone, 1);
    /* In the middle of being written to. */
    fd = ask_for("/stream");
    httpd_stream_write(server.stream, "text", 4);
    httpd_stream_flush(server.stream);
    (void)close(fd);
    turn();
    assert_int_equal(server.gone, 2);
}

/* Nothing is read: what waits is counted, and for how long. */
static void test_stalled(void **state)
{
    (void)state;
    static char much[4 * 1024 * 1024];
    int fd = ask_for("/stream");

    memset(much, 'x', sizeof much);
    httpd_stream_write(server.stream, much, sizeof much);
    httpd_stream_flush(server.stream);
    turn();
    size_t waiting = httpd_stream_pending(server.stream);
    assert_true(waiting > sizeof much / 2);
    (void)httpd_stream_stalled_ms(server.stream, 1000000000);
    assert_true(httpd_stream_stalled_ms(server.stream, 2000000000) >= 1000000000);
    assert_int_equal(server.asked, 1);
    assert_true(recv(fd, much, sizeof much, MSG_DONTWAIT) > 0);
    turn();
    assert_true(httpd_stream_pending(server.stream) < waiting);
    assert_int_equal(httpd_stream_stalled_ms(server.stream, 3000000000), 0);
    (void)close(fd);
    turn();
    assert_int_equal(server.gone, 1);
}

static void test_servers_end(void **state)
{
    (void)state;
    int told = ask_for("/stream");
    struct httpd_stream *first = server.stream;
    int old = ask("GET /stream HTTP/1.0\r\n\r\n");
    struct httpd_stream *second = server.stream;
    int cut = ask_for("/stream");

    (void)heard(told);
    (void)heard(old);
    httpd_stream_write(first, "bye", 3);
    httpd_stream_end_now(first);
    httpd_stream_write(second, "bye", 3);
    httpd_stream_end_now(second);
    httpd_free(server.httpd);
    server.httpd = NULL;
    assert_int_equal(server.gone, 1);
    assert_string_equal(heard(told), "3\r\nbye\r\n0\r\n\r\n");
    assert_string_equal(heard(old), "bye");
    assert_true(is_over(told) && is_over(old));
    (void)heard(cut);
    assert_true(is_over(cut));
    (void)close(told);
    (void)close(old);
    (void)close(cut);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_later),           TEST(test_too_late),
        TEST(test_later_vanished),  cmocka_unit_test(test_no_server),
        TEST(test_stream),          TEST(test_ended_when_asked),
        TEST(test_reader_vanishes), TEST(test_stalled),
        TEST(test_servers_end),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as swimd does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
