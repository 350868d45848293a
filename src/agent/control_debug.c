/* What a support bundle is made of: GET /log and GET /config. Neither holds a key. */
#include "agent/control_routes.h"

#include "agent/buffer_sink.h"
#include "agent/config_show.h"
#include "agent/log_ring.h"

void control_tell_log(const struct control_source *source, const struct http_request *request,
                      struct http_reply *reply)
{
    (void)source;
    (void)request;
    reply->content_type = "text/plain; charset=utf-8";
    log_ring_write(buffer_sink, reply->body);
}

void control_tell_config(const struct control_source *source, const struct http_request *request,
                         struct http_reply *reply)
{
    struct control_facts facts = {.config = NULL};

    (void)request;
    source->host->facts(source->host->context, &facts);
    reply->content_type = "application/toml; charset=utf-8";
    config_show(facts.config, buffer_sink, reply->body);
}
