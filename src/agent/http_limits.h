/*
 * What evhttp lacks: a bound on its connections, and an end to slow clients in absolute time (its
 * own time-out begins anew with each byte).
 *
 *                     accepted
 *                        |            limits: FIRST for the first request, ANSWER for each answer,
 *                        v                    KEPT for each further request
 *            +------> waiting -------+
 *     answer |           |           | http_limits_began(): a request is complete
 *     is out +-------- answering <---+
 *                        |
 *                        v   its end, whoever brought it about; past its limit, or to make room
 *                      freed by evhttp, found by the next tick
 *
 * An answer that is kept (httpd_stream.h) has no limit, and gives no room: its owner sees to both.
 */
#ifndef SWIM_AGENT_HTTP_LIMITS_H
#define SWIM_AGENT_HTTP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_CONNECTIONS_MAX 64
#define HTTP_HEAD_MAX 8192 /* request line and header lines */
#define HTTP_FIRST_MS 10000
#define HTTP_ANSWER_MS 10000
#define HTTP_KEPT_MS 90000 /* longer than a minute, at which Prometheus scrapes by default */

struct event_base;
struct evconnlistener;
struct evhttp;
struct evhttp_request;
struct http_limits;

/* What differs between the servers. */
struct http_bounds {
    uint32_t connections; /* 1..HTTP_CONNECTIONS_MAX */
    size_t body;          /* bytes of a request's body */
};

/* Watches every connection that `http` accepts from `listener`. NULL: no
 * memory. To be freed after evhttp_free(), and before the base. */
struct http_limits *http_limits_new(struct event_base *base, struct evhttp *http,
                                    struct evconnlistener *listener,
                                    const struct http_bounds *bounds);
void http_limits_free(struct http_limits *limits);

/* To be called when evhttp hands a request over, and when its answer is written. */
void http_limits_began(struct http_limits *limits, struct evhttp_request *request);
void http_limits_ended(struct http_limits *limits, struct evhttp_request *request);

/* The answer to this request takes its time: until http_limits_began is called again for it. */
void http_limits_kept(struct http_limits *limits, struct evhttp_request *request);

/* Are others waiting for a place? Then a connection is better closed after its answer. */
bool is_http_limits_full(const struct http_limits *limits);
uint32_t http_limits_open(const struct http_limits *limits);
/* Connections closed to make room. */
uint64_t http_limits_refused(const struct http_limits *limits);

#endif
