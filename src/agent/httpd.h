/*
 * A small HTTP/1.1 server for GET and HEAD on libevent's buffers. It exists beside libevent's own
 * because it can promise what that can't: a bound on connections, and an end to slow clients in
 * absolute time (a byte now and then keeps evhttp's connections open for ever).
 *
 *     accepted -> reading a head --handler--> writing -> reading the next head ...
 *                     | refused                  | last answer
 *                     v                          v
 *                 writing --------------> lingering (our side shut, theirs read out) -> closed
 */
#ifndef SWIM_AGENT_HTTPD_H
#define SWIM_AGENT_HTTPD_H

#include "agent/http_parse.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTPD_CONNECTIONS_MAX 64
#define HTTPD_HEAD_TIMEOUT_MS 10000  /* for the first byte, and from there for the whole head */
#define HTTPD_IDLE_TIMEOUT_MS 60000  /* between two requests; given up earlier for a new one */
#define HTTPD_WRITE_TIMEOUT_MS 10000 /* for each answer as a whole */
#define HTTPD_LINGER_MS 1000

struct evbuffer;
struct event_base;
struct httpd;

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
