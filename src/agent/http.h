/* What the daemon answers over HTTP: docs/configuration.md, section "HTTP". */
#ifndef SWIM_AGENT_HTTP_H
#define SWIM_AGENT_HTTP_H

#include "agent/config.h"
#include "agent/events.h"
#include "agent/http_token.h"
#include "agent/httpd.h"
#include "agent/metrics.h"
#include "swim/swim.h"

#include <stdbool.h>

/* What the answers are made of. Read at each request, never kept. */
struct http_source {
    const struct swim *swim;
    const struct agent_config *config;
    struct events *events;
    struct http_token token;
    bool is_ready;
    void *context;
    void (*collect)(void *context, struct metrics *ret);
};

/* An http_handler; `context` is a struct http_source. */
void http_answer(void *context, const struct http_request *request, struct http_reply *reply);

#endif
