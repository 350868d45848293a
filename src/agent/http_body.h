/*
 * Where long answers in JSON are gathered: a json_sink is called for every token, and a buffer of
 * libevent's takes few large pieces far faster than many small ones.
 */
#ifndef SWIM_AGENT_HTTP_BODY_H
#define SWIM_AGENT_HTTP_BODY_H

#include <stddef.h>

struct evbuffer;

struct http_body {
    struct evbuffer *to;
    size_t size;
    char bytes[8192];
};

void http_body_init(struct http_body *body, struct evbuffer *to);
/* A json_sink; `context` is a struct http_body. */
void http_body_sink(void *context, const char *data, size_t size);
/* Hands over what is left: to be called at the end, and before anybody else writes. */
void http_body_flush(struct http_body *body);

#endif
