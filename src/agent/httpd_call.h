/* A request under way, as httpd.c and httpd_stream.c see it: nobody else's business. */
#ifndef SWIM_AGENT_HTTPD_CALL_H
#define SWIM_AGENT_HTTPD_CALL_H

#include "agent/httpd_stream.h"

struct event_base;
struct evhttp_request;
struct http_limits;

struct httpd_call {
    struct httpd *httpd;
    struct evhttp_request *raw;
    struct httpd_later *later;   /* set: the answer comes later */
    struct httpd_stream *stream; /* set: the answer is a stream, to be started */
};

struct event_base *httpd_base(const struct httpd *httpd);
struct http_limits *httpd_limits(const struct httpd *httpd);
/* As a handler finds it; false: no memory. */
SWIM_MUST_CHECK bool httpd_reply_init(struct http_reply *ret, struct httpd_call *call,
                                      const struct httpd *httpd);
/* Header lines and body; the reply's body is freed. */
void httpd_reply_send(struct evhttp_request *raw, struct http_reply *reply, bool is_last);
/* Header lines that every answer has; those of a body's length apart. */
void httpd_put_headers(struct evhttp_request *raw, const struct http_reply *reply, bool is_last);

/* Sends the header lines, and asks for the first bytes. */
void httpd_stream_start(struct httpd_stream *stream, const struct http_reply *reply);

#endif
