/*
 * evhttp (2.1.12) lets go of a request whose connection is lost while its answer is not complete:
 * it takes it off the connection, tells the connection's close callback, and leaves it to whoever
 * answers to free it. Where the whole server is freed, the request is still the connection's. So
 * the close callback is where either object ends, and it looks at whose the request is.
 */
#define _GNU_SOURCE
#include "agent/httpd_stream.h"

#include "agent/clock.h"
#include "agent/http_limits.h"
#include "agent/httpd_call.h"
#include "agent/timer.h"
#include "base/assert.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What the kernel holds of a stream for a client that doesn't read (it takes twice as much). */
#define KERNEL_BUFFER (64 * 1024)
/* A machine that is gone acknowledges nothing: TCP alone would try for a quarter of an hour. */
#define UNACKNOWLEDGED_MS 60000

static struct bufferevent *channel_of(struct evhttp_request *raw)
{
    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(raw));
}

typedef void close_callback(struct evhttp_connection *connection, void *context);

static void watch(struct evhttp_request *raw, close_callback *callback, void *context)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(raw), callback, context);
}

/* The connection is closed: frees the request if it is ours to free. */
static void let_go(struct evhttp_request *raw)
{
    if (evhttp_request_get_connection(raw) == NULL)
        evhttp_request_free(raw);
}

/* ---- One answer, later ------------------------------------------------------------------- */

struct httpd_later {
    struct httpd *httpd;
    struct evhttp_request *raw;
    struct event *deadline;
    struct http_reply reply;
    httpd_gone *gone;
    void *context;
};

static void free_later(struct httpd_later *later)
{
    timer_free(later->deadline);
    if (later->reply.body != NULL)
        evbuffer_free(later->reply.body);
    free(later);
}

static void on_later_closed(struct evhttp_connection *connection, void *context)
{
    struct httpd_later *later = context;
    struct evhttp_request *raw = later->raw;

    (void)connection;
    later->gone(later->context);
    free_later(later);
    let_go(raw);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct httpd_later *later = context;

    (void)fd;
    (void)what;
    later->gone(later->context);
    http_reply_text(&later->reply, 504, "the answer did not come in time");
    httpd_later_send(later);
}

struct httpd_later *http_reply_later(struct http_reply *reply, uint32_t within_ms, httpd_gone *gone,
                                     void *context)
{
    struct timeval wait = timer_wait_ms(within_ms);
    struct httpd_call *call = reply->call;
    struct httpd_later *later;

    ASSERT(within_ms <= HTTPD_LATER_MAX_MS);
    if (call == NULL)
        return NULL;
    ASSERT(call->later == NULL && call->stream == NULL);
    later = calloc(1, sizeof *later);
    if (later == NULL)
        return NULL;
    *later = (struct httpd_later){
        .httpd = call->httpd, .raw = call->raw, .gone = gone, .context = context};
    later->deadline = evtimer_new(httpd_base(call->httpd), on_deadline, later);
    if (!httpd_reply_init(&later->reply, NULL, call->httpd) || later->deadline == NULL ||
        evtimer_add(later->deadline, &wait) != 0) {
        free_later(later);
        return NULL;
    }
    watch(call->raw, on_later_closed, later);
    http_limits_kept(httpd_limits(call->httpd), call->raw);
    call->later = later;
    return later;
}

struct http_reply *httpd_later_reply(struct httpd_later *later)
{
    return &later->reply;
}

void httpd_later_send(struct httpd_later *later)
{
    struct httpd *httpd = later->httpd;

    watch(later->raw, NULL, NULL);
    http_limits_began(httpd_limits(httpd), later->raw);
    httpd_reply_send(later->raw, &later->reply, is_http_limits_full(httpd_limits(httpd)));
    later->reply.body = NULL;
    free_later(later);
}

/* ---- A stream ---------------------------------------------------------------------------- */

struct httpd_stream {
    struct httpd *httpd;
    struct evhttp_request *raw;
    struct httpd_stream_hooks hooks;
    struct evbuffer *written; /* and not flushed */
    bool is_asking;           /* `more` runs */
    bool has_ended;           /* within `more` */
    size_t waited;            /* bytes that waited when it was last looked */
    uint64_t moved_ms;        /* when fewer, or none, did */
};

static uint64_t now_ms(void)
{
    return clock_now_ns() / SWIM_MS;
}

static void free_stream(struct httpd_stream *stream)
{
    if (stream->written != NULL)
        evbuffer_free(stream->written);
    free(stream);
}

static void on_stream_closed(struct evhttp_connection *connection, void *context)
{
    struct httpd_stream *stream = context;
    struct evhttp_request *raw = stream->raw;

    (void)connection;
    stream->hooks.gone(stream->hooks.context);
    free_stream(stream);
    let_go(raw);
}

struct httpd_stream *http_reply_stream(struct http_reply *reply,
                                       const struct httpd_stream_hooks *hooks)
{
    struct httpd_call *call = reply->call;
    struct httpd_stream *stream;

    if (call == NULL)
        return NULL;
    ASSERT(call->later == NULL && call->stream == NULL);
    stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    *stream = (struct httpd_stream){.httpd = call->httpd, .raw = call->raw, .hooks = *hooks};
    stream->written = evbuffer_new();
    if (stream->written == NULL) {
        free_stream(stream);
        return NULL;
    }
    watch(call->raw, on_stream_closed, stream);
    http_limits_kept(httpd_limits(call->httpd), call->raw);
    call->stream = stream;
    return stream;
}

void httpd_stream_write(struct httpd_stream *stream, const char *data, size_t size)
{
    (void)evbuffer_add(stream->written, data, size);
}

size_t httpd_stream_pending(const struct httpd_stream *stream)
{
    return evbuffer_get_length(stream->written) +
           evbuffer_get_length(bufferevent_get_output(channel_of(stream->raw)));
}

uint64_t httpd_stream_stalled_ms(struct httpd_stream *stream, uint64_t now)
{
    size_t waiting = httpd_stream_pending(stream);

    if (waiting == 0 || waiting < stream->waited)
        stream->moved_ms = now;
    stream->waited = waiting;
    return now > stream->moved_ms ? now - stream->moved_ms : 0;
}

/* All is with the kernel. */
static void ask(struct httpd_stream *stream)
{
    stream->moved_ms = now_ms();
    stream->waited = 0;
    stream->is_asking = true;
    stream->hooks.more(stream->hooks.context, stream);
    stream->is_asking = false;
    if (stream->has_ended)
        httpd_stream_end(stream);
}

static void on_drained(struct evhttp_connection *connection, void *context)
{
    (void)connection;
    ask(context);
}

void httpd_stream_flush(struct httpd_stream *stream)
{
    size_t size = evbuffer_get_length(stream->written);

    if (size == 0)
        return;
    if (stream->waited == 0)
        stream->moved_ms = now_ms();
    evhttp_send_reply_chunk_with_cb(stream->raw, stream->written, on_drained, stream);
    (void)evbuffer_drain(stream->written, evbuffer_get_length(stream->written));
    stream->waited += size;
}

static void bound_kernel(struct evhttp_request *raw)
{
    int fd = bufferevent_getfd(channel_of(raw));
    int buffer = KERNEL_BUFFER;
    unsigned patience = UNACKNOWLEDGED_MS;

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience); /* if TCP */
}

void httpd_stream_start(struct httpd_stream *stream, const struct http_reply *reply)
{
    bound_kernel(stream->raw);
    httpd_put_headers(stream->raw, reply, true);
    evhttp_send_reply_start(stream->raw, reply->status, NULL);
    ask(stream);
}

void httpd_stream_end(struct httpd_stream *stream)
{
    struct evhttp_request *raw = stream->raw;

    if (stream->is_asking) { /* whoever asks still looks at it */
        stream->has_ended = true;
        return;
    }
    httpd_stream_flush(stream);
    watch(raw, NULL, NULL);
    http_limits_began(httpd_limits(stream->httpd), raw);
    free_stream(stream);
    evhttp_send_reply_end(raw);
}

void httpd_stream_end_now(struct httpd_stream *stream)
{
    struct evhttp_request *raw = stream->raw;
    struct bufferevent *channel = channel_of(raw);
    struct evbuffer *output = bufferevent_get_output(channel);

    bufferevent_incref(channel); /* to HTTP/1.0 the end may be the connection's, too */
    httpd_stream_flush(stream);
    (void)evbuffer_unfreeze(output, 1);
    (void)evbuffer_write(output, bufferevent_getfd(channel));
    watch(raw, NULL, NULL);
    free_stream(stream);
    evhttp_send_reply_end(raw);
    (void)evbuffer_write(output, bufferevent_getfd(channel));
    (void)bufferevent_decref(channel);
}
