/* The list of 10,000 members is some 600,000 tokens. */
#include "agent/http_body.h"

#include <event2/buffer.h>
#include <string.h>

void http_body_init(struct http_body *body, struct evbuffer *to)
{
    body->to = to;
    body->size = 0;
}

void http_body_flush(struct http_body *body)
{
    (void)evbuffer_add(body->to, body->bytes, body->size);
    body->size = 0;
}

void http_body_sink(void *context, const char *data, size_t size)
{
    struct http_body *body = context;

    if (size > sizeof body->bytes - body->size)
        http_body_flush(body);
    if (size > sizeof body->bytes) {
        (void)evbuffer_add(body->to, data, size);
        return;
    }
    memcpy(body->bytes + body->size, data, size);
    body->size += size;
}
