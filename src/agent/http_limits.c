/*
 * evhttp tells nobody of a connection's end. But it takes its bufferevents from us, and we keep a
 * reference to each: one without callbacks is one that evhttp has freed. Conversely, a connection
 * is ended by telling evhttp that it timed out, so that evhttp itself takes it down.
 */
#define _GNU_SOURCE
#include "agent/http_limits.h"

#include "agent/clock.h"
#include "agent/timer.h"
#include "base/assert.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <strings.h>

#define TICK_MS 1000
/* While no connection is open there is only one thing to be looked after: on_accept_error. */
#define IDLE_TICK_MS 10000
/*
 * When every place is taken, how long a connection keeps its own: with part of a request, or after
 * an answer; before the first byte; with an answer that isn't read out.
 * Requests follow their handshake at once and come in one piece, so these are ample for the honest.
 * 500 that dribble, and return at once when cut off, make a 501st wait for some 50 ms then (and use
 * 40 % of a processor); 500 silent ones, for 200 ms.
 */
#define FULL_WAITING_MS 5
#define FULL_SILENT_MS 25
#define FULL_ANSWERING_MS 1000
struct place {
    struct bufferevent *stream; /* NULL: the place is free */
    bool is_answering;
    bool is_kept;      /* an answer without a limit */
    uint64_t since_ms; /* accepted, request complete, or answer out */
    uint32_t limit_ms; /* from then on */
};

struct http_limits {
    struct evconnlistener *listener;
    struct event *tick;
    uint32_t open_max;
    size_t read_ahead_max;
    bool is_full; /* and nothing is accepted */
    uint32_t open;
    uint64_t refused;
    struct place places[HTTP_CONNECTIONS_MAX];
};

static uint64_t now_ms(void)
{
    return clock_now_ns() / 1000000;
}

static void arm(struct http_limits *limits, uint32_t wait_ms)
{
    struct timeval wait = timer_wait_ms(wait_ms);

    (void)evtimer_add(limits->tick, &wait);
}

/* ---- Places ------------------------------------------------------------------------------ */

static void enter(struct place *place, bool is_answering, uint32_t limit_ms)
{
    place->is_answering = is_answering;
    place->is_kept = false;
    place->since_ms = now_ms();
    place->limit_ms = limit_ms;
}

static struct place *find_place(struct http_limits *limits, const struct bufferevent *stream)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        if (limits->places[i].stream == stream)
            return &limits->places[i];
    return NULL;
}

static bool is_freed(const struct place *place)
{
    bufferevent_event_cb on_event;

    bufferevent_getcb(place->stream, NULL, NULL, &on_event, NULL);
    return on_event == NULL;
}

/* The last reference: this closes the socket. */
static void release(struct http_limits *limits, struct place *place)
{
    ASSERT(limits->open > 0);
    (void)bufferevent_decref(place->stream);
    *place = (struct place){0};
    limits->open--;
}

static void expire(struct http_limits *limits, struct place *place)
{
    bufferevent_trigger_event(place->stream, BEV_EVENT_READING | BEV_EVENT_TIMEOUT, 0);
    ASSERT(is_freed(place));
    release(limits, place);
}

/* ---- Making room ------------------------------------------------------------------------- */

static uint32_t grace_of(const struct place *place)
{
    if (place->is_answering)
        return FULL_ANSWERING_MS;
    if (place->limit_ms == HTTP_FIRST_MS &&
        evbuffer_get_length(bufferevent_get_input(place->stream)) == 0)
        return FULL_SILENT_MS;
    return FULL_WAITING_MS;
}

/* The place that has been kept longest beyond its grace; NULL if there is none. */
static struct place *find_overdue(struct http_limits *limits, bool is_answering)
{
    uint64_t now = now_ms();
    uint64_t longest = 0;
    struct place *overdue = NULL;

    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct place *at = &limits->places[i];
        if (at->stream == NULL || at->is_answering != is_answering || at->is_kept)
            continue;
        uint64_t age = now - at->since_ms;
        uint32_t grace = grace_of(at);
        if (age >= grace && (overdue == NULL || age - grace > longest)) {
            overdue = at;
            longest = age - grace;
        }
    }
    return overdue;
}

static void make_room(struct http_limits *limits)
{
    struct place *overdue = find_overdue(limits, false);

    if (overdue == NULL)
        overdue = find_overdue(limits, true);
    if (overdue == NULL)
        return;
    limits->refused++;
    expire(limits, overdue);
}

static void sweep(struct http_limits *limits)
{
    uint64_t now = now_ms();

    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct place *at = &limits->places[i];
        if (at->stream == NULL)
            continue;
        if (is_freed(at))
            release(limits, at);
        else if (!at->is_kept && now - at->since_ms >= at->limit_ms)
            expire(limits, at);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct http_limits *limits = context;

    (void)fd;
    (void)what;
    sweep(limits);
    if (limits->open == limits->open_max)
        make_room(limits);
    limits->is_full = limits->open == limits->open_max;
    if (!limits->is_full)
        (void)evconnlistener_enable(limits->listener);
    arm(limits, limits->is_full ? FULL_WAITING_MS : limits->open > 0 ? TICK_MS : IDLE_TICK_MS);
}

/* ---- evhttp's side ----------------------------------------------------------------------- */

static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    struct http_limits *limits = context;
    struct place *place = find_place(limits, NULL);
    struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

    ASSERT(place != NULL); /* nothing is accepted while there is none */
    if (stream == NULL)
        return NULL; /* then evhttp has no memory for this connection either */
    bufferevent_incref(stream);
    bufferevent_setwatermark(stream, EV_READ, 0, limits->read_ahead_max);
    place->stream = stream;
    enter(place, false, HTTP_FIRST_MS);
    if (++limits->open == limits->open_max) {
        limits->is_full = true;
        (void)evconnlistener_disable(limits->listener);
        arm(limits, 0);
    } else if (limits->open == 1) {
        arm(limits, TICK_MS);
    }
    return stream;
}

/* Out of file descriptors, mostly: the connection that waits to be accepted would wake us again
 * at once and for ever. The next tick tries again. `context` is evhttp's. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    (void)context;
    (void)evconnlistener_disable(listener);
}

/* NULL: a connection that got no bufferevent of ours, for want of memory, has no place. */
static struct place *place_of(struct http_limits *limits, struct evhttp_request *request)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);

    return find_place(limits, evhttp_connection_get_bufferevent(connection));
}

static void enter_if_known(struct http_limits *limits, struct evhttp_request *request,
                           bool is_answering, uint32_t limit_ms)
{
    struct place *place = place_of(limits, request);

    if (place != NULL)
        enter(place, is_answering, limit_ms);
}

void http_limits_began(struct http_limits *limits, struct evhttp_request *request)
{
    enter_if_known(limits, request, true, HTTP_ANSWER_MS);
}

void http_limits_kept(struct http_limits *limits, struct evhttp_request *request)
{
    struct place *place = place_of(limits, request);

    if (place != NULL)
        place->is_kept = true;
}

/* Right after its last answer evhttp frees a connection; all but CONNECT's, which it keeps in
 * spite of the "close". */
void http_limits_ended(struct http_limits *limits, struct evhttp_request *request)
{
    const char *connection =
        evhttp_find_header(evhttp_request_get_output_headers(request), "Connection");
    bool is_last = connection != NULL && strcasecmp(connection, "close") == 0;

    enter_if_known(limits, request, false, is_last ? 0 : HTTP_KEPT_MS);
    if (limits->is_full)
        arm(limits, 0);
}

/* ---- The whole --------------------------------------------------------------------------- */

struct http_limits *http_limits_new(struct event_base *base, struct evhttp *http,
                                    struct evconnlistener *listener,
                                    const struct http_bounds *bounds)
{
    struct http_limits *limits = calloc(1, sizeof *limits);

    ASSERT(bounds->connections > 0 && bounds->connections <= HTTP_CONNECTIONS_MAX);
    if (limits == NULL)
        return NULL;
    limits->listener = listener;
    limits->open_max = bounds->connections;
    /* evhttp sees that a head is too long when more than that is there to be read, and takes a body
     * in one piece: with less room, requests within the limits would never be complete. */
    limits->read_ahead_max = 2 * (HTTP_HEAD_MAX + bounds->body);
    limits->tick = evtimer_new(base, on_tick, limits);
    if (limits->tick == NULL) {
        free(limits);
        return NULL;
    }
    evhttp_set_bevcb(http, on_connection, limits);
    evconnlistener_set_error_cb(listener, on_accept_error);
    arm(limits, IDLE_TICK_MS);
    return limits;
}

void http_limits_free(struct http_limits *limits)
{
    if (limits == NULL)
        return;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        if (limits->places[i].stream != NULL)
            release(limits, &limits->places[i]);
    event_free(limits->tick);
    free(limits);
}

bool is_http_limits_full(const struct http_limits *limits)
{
    return limits->is_full;
}

uint32_t http_limits_open(const struct http_limits *limits)
{
    return limits->open;
}

uint64_t http_limits_refused(const struct http_limits *limits)
{
    return limits->refused;
}
