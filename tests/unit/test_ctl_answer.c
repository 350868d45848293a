/* swimctl's reading of HTTP answers and of server-sent events: what is taken, and what is refused. */
#include "support.h"

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/sse.h"

struct body {
    size_t size;
    char text[512];
};

static bool collect(void *context, const char *data, size_t size)
{
    struct body *body = context;

    if (body->size + size >= sizeof body->text)
        return false;
    memcpy(body->text + body->size, data, size);
    body->size += size;
    body->text[body->size] = '\0';
    return true;
}

/* NULL when it is complete, else what is wrong, or "more". */
static const char *read_all(struct answer *answer, struct body *body, const char *text,
                            size_t portion)
{
    size_t size = strlen(text);

    *body = (struct body){0};
    answer_init(answer, collect, body);
    for (size_t at = 0; at < size; at += portion)
        if (!answer_take(answer, text + at, size - at < portion ? size - at : portion))
            return answer->wrong;
    return answer_end(answer) ? NULL : "more";
}

static void test_answers(void **state)
{
    static const struct {
        const char *text;
        int status;
        const char *body;
    } good[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
        {"HTTP/1.1 404 Not Found\r\ncontent-LENGTH:0\r\n\r\n", 404, ""},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n"
         "0\r\n\r\n",
         200, "abc0123456789"},
        {"HTTP/1.1 503 x\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\nTrailer: 1\r\n\r\n", 503, ""},
    };
    struct answer answer;
    struct body body;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        for (size_t portion = 1; portion < 80; portion += 13) {
            const char *wrong = read_all(&answer, &body, good[i].text, portion);
            if (wrong != NULL)
                fail_msg("%s: %s", good[i].text, wrong);
            assert_int_equal(answer.status, good[i].status);
            assert_string_equal(body.text, good[i].body);
        }
    }
}

static void test_what_is_no_answer(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 99 x\r\n",
        "HTTP/1.1 2000 x\r\n",
        "http/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n",
        "HTTP/1.1 200 OK\r\n: x\r\n",
        "HTTP/1.1 200 OK\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 536870913\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    };
    static const char *const cut[] = {
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    };
    struct answer answer;
    struct body body;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *wrong = read_all(&answer, &body, bad[i], 1024);
        if (wrong == NULL || strcmp(wrong, "more") == 0)
            fail_msg("taken: %s", bad[i]);
    }
    for (size_t i = 0; i < COUNT_OF(cut); i++)
        assert_string_equal(read_all(&answer, &body, cut[i], 3), "more");
}

static void test_bounds(void **state)
{
    static char head[ANSWER_HEAD_MAX * 2];
    struct answer answer;
    struct body body;
    size_t size;

    (void)state;
    size = (size_t)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nA: ");
    memset(head + size, 'x', ANSWER_LINE_MAX);
    assert_string_equal(read_all(&answer, &body, head, 100),
                        "the answer has a line that is too long");
    size = (size_t)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n");
    while (size + 10 < sizeof head)
        size += (size_t)snprintf(head + size, sizeof head - size, "A: b\r\n");
    assert_string_equal(read_all(&answer, &body, head, 100), "the answer's head is too long");
    /* Who keeps it has no room: the sink says so. */
    size = (size_t)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n\r\n");
    memset(head + size, 'x', 600);
    head[size + 600] = '\0';
    assert_string_equal(read_all(&answer, &body, head, 100), "no memory for the answer");
}

static void test_encoding(void **state)
{
    char out[20] = "/x?a=";

    (void)state;
    memcpy(out, "/x?a=", 6);
    assert_true(client_encode("z9-._~", out, sizeof out));
    assert_string_equal(out, "/x?a=z9-._~");
    assert_true(client_encode("=\xFF", out, sizeof out));
    assert_string_equal(out, "/x?a=z9-._~%3D%FF");
    assert_false(client_encode("aaaa", out, sizeof out));
}

/* ---- Events ------------------------------------------------------------------------------ */

static void note(void *context, const struct sse_event *event)
{
    struct body *body = context;

    body->size += (size_t)snprintf(body->text + body->size, sizeof body->text - body->size,
                                   "[%s|%s|%s]", event->id, event->kind, event->data);
}

static void test_events(void **state)
{
    static struct sse sse;
    static const char stream[] = ": hello\n\nretry: 5\nid: s-0\n\n"
                                 "id: s-1\nevent: joined\ndata: {\"a\":1}\n\n"
                                 "data:one\r\ndata: two\r\n\r\n"
                                 "event: nothing\n\n"
                                 "data: cr\r\rdata\ndata:\n\nid: a b\ndata: x\n\ndata: cut";

    (void)state;
    for (size_t portion = 1; portion < 40; portion += 7) {
        struct body body = {0};
        sse_init(&sse, note, &body);
        for (size_t at = 0; at < sizeof stream - 1; at += portion)
            sse_take(&sse, stream + at,
                     sizeof stream - 1 - at < portion ? sizeof stream - 1 - at : portion);
        assert_string_equal(body.text, "[s-1|joined|{\"a\":1}][|message|one\ntwo][|message|cr]"
                                       "[|message|][|message|x]");
        assert_string_equal(sse.last_id, "s-1");
        /* What was begun when the connection broke is no part of what comes next. */
        sse_restart(&sse);
        sse_take(&sse, "data: y\n\n", 9);
        assert_non_null(strstr(body.text, "[|message|y]"));
    }
}

static void test_events_that_are_too_long(void **state)
{
    static struct sse sse;
    struct body body = {0};

    (void)state;
    sse_init(&sse, note, &body);
    sse_take(&sse, "id: s-7\ndata: ", 14);
    for (size_t i = 0; i < SSE_DATA_MAX + 100; i++)
        sse_take(&sse, "x", 1);
    sse_take(&sse, "\n\n", 2);
    for (size_t i = 0; i < SSE_DATA_MAX / 4; i++)
        sse_take(&sse, "data: xxxx\n", 11);
    sse_take(&sse, "\nid: s-8\ndata: z\n\n", 18);
    assert_string_equal(body.text, "[s-8|message|z]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_what_is_no_answer),
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_events),  cmocka_unit_test(test_events_that_are_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
