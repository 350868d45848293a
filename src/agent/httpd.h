/*
 * The HTTP servers: libevent's evhttp, bounded (http_limits.h). The public one, on TCP, takes GET
 * and HEAD without bodies; the control socket's takes GET, and POST with a body.
 * What evhttp answers by itself, without asking anybody: 400 to what it can't parse, which
 * includes a head beyond HTTP_HEAD_MAX (there is no 431 from it), 413 to a large body, and 417.
 */
#ifndef SWIM_AGENT_HTTPD_H
#define SWIM_AGENT_HTTPD_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTPD_HEADERS_MAX 64

struct evbuffer;
struct event_base;
struct httpd;
struct httpd_call;

/* Texts live as long as the call that they are given to. */
struct http_request {
    bool is_post;
    bool is_head;              /* is answered like GET; the body is then not sent */
    const char *path;          /* "/membership" */
    const char *query;         /* after the '?'; "" when there is none */
    const char *host;          /* of the Host header or of the target; "" if none */
    const char *accept;        /* NULL if none */
    const char *authorization; /* NULL if none, or more than one */
    const char *last_event_id; /* NULL if none */
    const char *body;          /* not terminated */
    size_t body_size;
    int fd; /* the connection's socket */
};

struct http_reply {
    int status;               /* 200 when the handler is called */
    const char *content_type; /* JSON when the handler is called; static */
    struct evbuffer *body;    /* empty when the handler is called */
    const char *allow;        /* of a 405 */
    const char *policy;       /* Content-Security-Policy of a document; static; NULL if none */
    bool is_error_json;       /* http_reply_text writes {"error":"reason"} */
    bool is_stream;           /* of a HEAD: the body that it stands for has no length */
    uint32_t retry_after_s;   /* of a 503; 0: not said */
    struct httpd_call *call;  /* httpd_stream.h's; NULL in a reply that no server made */
};

typedef void http_handler(void *context, const struct http_request *request,
                          struct http_reply *reply);

struct httpd_stats {
    uint64_t requests;
    uint64_t refused;
    uint32_t connections;
};

/* What a server lets in, and who answers. */
struct httpd_terms {
    http_handler *handler; /* called once for each well-formed request, within the loop */
    void *context;
    uint32_t connections_max;
    bool is_control; /* GET and POST, errors as JSON; else GET and HEAD, errors as text */
    size_t body_max; /* of a POST, where there are any */
};

/* The public server's terms but for the handler. */
#define HTTPD_PUBLIC_CONNECTIONS 64
#define HTTPD_PUBLIC_BODY 4096 /* so that a POST with a small body is told 405, like one without */

/* Listens; NULL on failure, and errno says why. `terms` is copied. */
struct httpd *httpd_new(struct event_base *base, const struct swim_addr *bind_to,
                        const struct httpd_terms *terms);
/* The same on a socket that listens already; it is taken over, also on failure. */
struct httpd *httpd_new_on(struct event_base *base, int fd, const struct httpd_terms *terms);
void httpd_free(struct httpd *httpd);
/* Zeros for NULL: no server. */
struct httpd_stats httpd_stats(const struct httpd *httpd);

/* An answer in words: "reason\n" as text, or {"error":"reason"}, with that status. */
void http_reply_text(struct http_reply *reply, int status, const char *text);

#endif
