/*
 * The HTTP server: libevent's evhttp, bounded (http_limits.h), for GET and HEAD without bodies.
 * What evhttp answers by itself, without asking anybody: 400 to what it can't parse, which
 * includes a head beyond HTTP_HEAD_MAX (there is no 431 from it), 413 to a large body, and 417.
 */
#ifndef SWIM_AGENT_HTTPD_H
#define SWIM_AGENT_HTTPD_H

#include "swim/swim.h"

#include <stdint.h>

#define HTTPD_HEADERS_MAX 64

struct evbuffer;
struct event_base;
struct httpd;

/* Texts live as long as the call that they are given to. */
struct http_request {
    const char *path;   /* "/membership" */
    const char *query;  /* after the '?'; "" when there is none */
    const char *host;   /* of the Host header or of the target; "" if none */
    const char *accept; /* NULL if none */
};

struct http_reply {
    int status;               /* 200 when the handler is called */
    const char *content_type; /* JSON when the handler is called; static */
    struct evbuffer *body;    /* empty when the handler is called */
};

typedef void http_handler(void *context, const struct http_request *request,
                          struct http_reply *reply);

struct httpd_stats {
    uint64_t requests;
    uint64_t refused;
    uint32_t connections;
};

/* Listens; NULL on failure, and errno says why. The handler is called once for each well-formed
 * GET or HEAD, within the loop. */
struct httpd *httpd_new(struct event_base *base, const struct swim_addr *bind_to,
                        http_handler *handler, void *context);
void httpd_free(struct httpd *httpd);
struct httpd_stats httpd_stats(const struct httpd *httpd);

/* An answer in words: "reason\n" as text, with that status. */
void http_reply_text(struct http_reply *reply, int status, const char *text);

#endif
