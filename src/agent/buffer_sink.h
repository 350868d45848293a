/* What JSON and metrics are written into where they are short: one of libevent's buffers, piece by
 * piece. Lists are gathered in portions first: http_body.h. */
#ifndef SWIM_AGENT_BUFFER_SINK_H
#define SWIM_AGENT_BUFFER_SINK_H

#include <event2/buffer.h>
#include <stddef.h>

/* A json_sink; `context` is a struct evbuffer. */
static inline void buffer_sink(void *context, const char *data, size_t size)
{
    (void)evbuffer_add(context, data, size);
}

#endif
