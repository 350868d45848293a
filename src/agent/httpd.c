/*
 * Connections of the HTTP server: accepting, limits, time-outs, writing. One answer at a time is
 * under way on a connection, so what a client can make us hold is one answer.
 */
#define _GNU_SOURCE
#include "agent/httpd.h"

#include "agent/address.h"
#include "base/assert.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128
#define ACCEPT_PAUSE_MS 200

enum phase {
    PHASE_FREE,
    PHASE_IDLE,    /* no byte of a request yet */
    PHASE_READING, /* a head */
    PHASE_WRITING,
    PHASE_LINGERING,
};

struct connection {
    struct httpd *httpd;
    enum phase phase;
    bool is_last; /* close after the answer */
    struct bufferevent *stream;
    struct event *deadline;
    uint64_t since; /* order of the last change of phase */
};

struct httpd {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *resume; /* accepting, after an error */
    http_handler *handler;
    void *context;
    struct httpd_stats stats;
    uint64_t sequence;
    struct connection connections[HTTPD_CONNECTIONS_MAX];
};

static const char json_type[] = "application/json; charset=utf-8";

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {413, "Content Too Large"},
                   {421, "Misdirected Request"},
                   {431, "Request Header Fields Too Large"},
                   {503, "Service Unavailable"},
                   {505, "HTTP Version Not Supported"}};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

/* ---- Phases ------------------------------------------------------------------------------ */

static void close_connection(struct connection *connection)
{
    ASSERT(connection->phase != PHASE_FREE);
    if (connection->stream != NULL)
        bufferevent_free(connection->stream); /* closes the socket */
    if (connection->deadline != NULL)
        event_free(connection->deadline);
    connection->httpd->stats.connections--;
    *connection = (struct connection){.phase = PHASE_FREE};
}

static void enter(struct connection *connection, enum phase phase, uint32_t timeout_ms)
{
    struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    connection->phase = phase;
    connection->since = ++connection->httpd->sequence;
    (void)evtimer_add(connection->deadline, &wait);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    close_connection(context);
}

/* ---- Answers ----------------------------------------------------------------------------- */

void http_reply_text(struct http_reply *reply, int status, const char *text)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    (void)evbuffer_drain(reply->body, evbuffer_get_length(reply->body));
    (void)evbuffer_add_printf(reply->body, "%s\n", text);
}

/* Reading goes on only when all is written: a client that asks and doesn't read waits for
 * itself. */
static void send_reply(struct connection *connection, const struct http_reply *reply, bool is_head)
{
    struct evbuffer *out = bufferevent_get_output(connection->stream);

    (void)bufferevent_disable(connection->stream, EV_READ);
    enter(connection, PHASE_WRITING, HTTPD_WRITE_TIMEOUT_MS);
    (void)evbuffer_add_printf(out,
                              "HTTP/1.1 %d %s\r\n"
                              "Content-Type: %s\r\n"
                              "Content-Length: %zu\r\n"
                              "Cache-Control: no-store\r\n"
                              "X-Content-Type-Options: nosniff\r\n"
                              "%s"
                              "Connection: %s\r\n"
                              "\r\n",
                              reply->status, reason_of(reply->status), reply->content_type,
                              evbuffer_get_length(reply->body),
                              reply->status == 405 ? "Allow: GET, HEAD\r\n" : "",
                              connection->is_last ? "close" : "keep-alive");
    if (!is_head)
        (void)evbuffer_add_buffer(out, reply->body);
}

static void answer(struct connection *connection, int status, const struct http_request *request)
{
    struct httpd *httpd = connection->httpd;
    struct http_reply reply = {.status = 200, .content_type = json_type, .body = evbuffer_new()};

    if (reply.body == NULL) {
        close_connection(connection);
        return;
    }
    httpd->stats.requests++;
    if (status == 200) {
        httpd->handler(httpd->context, request, &reply);
        connection->is_last = !request->is_persistent;
    } else {
        http_reply_text(&reply, status, reason_of(status));
        connection->is_last = true;
    }
    send_reply(connection, &reply, status == 200 && request->is_head);
    evbuffer_free(reply.body);
}

/* ---- Requests ---------------------------------------------------------------------------- */

/* The length of the head at the front of the buffer, with its empty line; 0 when it isn't all
 * there yet. */
static size_t head_size(struct evbuffer *in)
{
    struct evbuffer_ptr at = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    struct evbuffer_ptr bare = evbuffer_search(in, "\n\n", 2, NULL);

    if (at.pos < 0 && bare.pos < 0)
        return 0;
    if (at.pos < 0 || (bare.pos >= 0 && bare.pos < at.pos))
        return (size_t)bare.pos + 2;
    return (size_t)at.pos + 4;
}

/* Empty lines before a request are to be ignored (RFC 9112 section 2.2). */
static void skip_empty_lines(struct evbuffer *in)
{
    char byte;

    while (evbuffer_copyout(in, &byte, 1) == 1 && (byte == '\r' || byte == '\n'))
        (void)evbuffer_drain(in, 1);
}

static void read_request(struct connection *connection)
{
    struct evbuffer *in = bufferevent_get_input(connection->stream);
    char head[HTTP_HEAD_MAX];
    struct http_request request;

    skip_empty_lines(in);
    if (evbuffer_get_length(in) == 0)
        return;
    if (connection->phase == PHASE_IDLE)
        enter(connection, PHASE_READING, HTTPD_HEAD_TIMEOUT_MS);
    size_t size = head_size(in);
    if (size > sizeof head || (size == 0 && evbuffer_get_length(in) >= sizeof head)) {
        answer(connection, 431, NULL);
        return;
    }
    if (size == 0)
        return;
    (void)evbuffer_remove(in, head, size);
    int status = http_parse(head, size, &request);
    answer(connection, status, &request);
}

/* Closing at once would reset the connection under an answer that is still on its way. */
static void linger(struct connection *connection)
{
    (void)shutdown(bufferevent_getfd(connection->stream), SHUT_WR);
    enter(connection, PHASE_LINGERING, HTTPD_LINGER_MS);
    (void)bufferevent_enable(connection->stream, EV_READ);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    struct connection *connection = context;
    struct evbuffer *in = bufferevent_get_input(stream);

    if (connection->phase == PHASE_LINGERING)
        (void)evbuffer_drain(in, evbuffer_get_length(in));
    else if (connection->phase == PHASE_IDLE || connection->phase == PHASE_READING)
        read_request(connection);
}

static void on_written(struct bufferevent *stream, void *context)
{
    struct connection *connection = context;

    if (connection->phase != PHASE_WRITING)
        return;
    if (connection->is_last) {
        linger(connection);
        return;
    }
    enter(connection, PHASE_IDLE, HTTPD_IDLE_TIMEOUT_MS);
    (void)bufferevent_enable(stream, EV_READ);
    read_request(connection); /* the next one may be here already */
}

static void on_stream_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    (void)what; /* end of input or an error: nobody is left to answer */
    close_connection(context);
}

/* ---- Connections ------------------------------------------------------------------------- */

/* A free place, or that of the connection that has been idle longest; NULL when all are busy. */
static struct connection *find_place(struct httpd *httpd)
{
    struct connection *idle = NULL;

    for (size_t i = 0; i < HTTPD_CONNECTIONS_MAX; i++) {
        struct connection *at = &httpd->connections[i];
        if (at->phase == PHASE_FREE)
            return at;
        if (at->phase == PHASE_IDLE && (idle == NULL || at->since < idle->since))
            idle = at;
    }
    if (idle != NULL)
        close_connection(idle);
    return idle;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int size, void *context)
{
    struct httpd *httpd = context;
    struct connection *connection = find_place(httpd);

    (void)listener;
    (void)from;
    (void)size;
    if (connection == NULL) {
        httpd->stats.refused++;
        (void)close(fd);
        return;
    }
    httpd->stats.connections++;
    *connection = (struct connection){
        .httpd = httpd,
        .phase = PHASE_IDLE,
        .stream = bufferevent_socket_new(httpd->base, fd, BEV_OPT_CLOSE_ON_FREE),
        .deadline = evtimer_new(httpd->base, on_deadline, connection),
    };
    if (connection->stream == NULL)
        (void)close(fd);
    if (connection->stream == NULL || connection->deadline == NULL) {
        close_connection(connection);
        return;
    }
    bufferevent_setcb(connection->stream, on_readable, on_written, on_stream_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, 2 * HTTP_HEAD_MAX);
    enter(connection, PHASE_IDLE, HTTPD_HEAD_TIMEOUT_MS);
    (void)bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

/* Out of file descriptors, mostly: the waiting connection would wake us again at once and for
 * ever, so nothing is accepted for a moment, and idle connections make room. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    struct httpd *httpd = context;
    struct timeval wait = {.tv_usec = ACCEPT_PAUSE_MS * 1000};

    httpd->stats.refused++;
    for (size_t i = 0; i < HTTPD_CONNECTIONS_MAX; i++)
        if (httpd->connections[i].phase == PHASE_IDLE)
            close_connection(&httpd->connections[i]);
    if (evtimer_add(httpd->resume, &wait) == 0)
        (void)evconnlistener_disable(listener);
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
    struct httpd *httpd = context;

    (void)fd;
    (void)what;
    (void)evconnlistener_enable(httpd->listener);
}

struct httpd *httpd_new(struct event_base *base, const struct swim_addr *bind_to,
                        http_handler *handler, void *context)
{
    struct httpd *httpd = calloc(1, sizeof *httpd);
    struct sockaddr_storage name;
    int family = bind_to->family == 6 ? AF_INET6 : AF_INET;
    socklen_t size = address_to_sockaddr(bind_to, family, &name);

    if (httpd == NULL)
        return NULL;
    httpd->base = base;
    httpd->handler = handler;
    httpd->context = context;
    httpd->listener = evconnlistener_new_bind(
        base, on_accept, httpd, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (struct sockaddr *)&name, (int)size);
    int cause = errno;
    httpd->resume = evtimer_new(base, on_resume, httpd);
    if (httpd->listener == NULL || httpd->resume == NULL) {
        httpd_free(httpd);
        errno = cause;
        return NULL;
    }
    evconnlistener_set_error_cb(httpd->listener, on_accept_error);
    return httpd;
}

void httpd_free(struct httpd *httpd)
{
    if (httpd == NULL)
        return;
    for (size_t i = 0; i < HTTPD_CONNECTIONS_MAX; i++)
        if (httpd->connections[i].phase != PHASE_FREE)
            close_connection(&httpd->connections[i]);
    if (httpd->resume != NULL)
        event_free(httpd->resume);
    if (httpd->listener != NULL)
        evconnlistener_free(httpd->listener);
    free(httpd);
}

struct httpd_stats httpd_stats(const struct httpd *httpd)
{
    return httpd->stats;
}
