/*
 * The paths, each rendered from the live state when it is asked for: there is no snapshot that
 * could be stale.
 */
#include "agent/http.h"

#include "agent/buffer_sink.h"
#include "agent/http_accept.h"
#include "agent/http_host.h"
#include "agent/member_list.h"
#include "agent/page.h"
#include "agent/sd.h"
#include "base/json.h"

#include <event2/buffer.h>
#include <string.h>

static void put_count(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

/* ---- /membership ------------------------------------------------------------------------- */

static void answer_membership(const struct http_source *source, const struct http_request *request,
                              struct http_reply *reply)
{
    member_list_answer(source->swim, "nodes", request, reply);
}

/* ---- /sd --------------------------------------------------------------------------------- */

static void answer_sd(const struct http_source *source, const struct http_request *request,
                      struct http_reply *reply)
{
    sd_answer(source->swim, request, reply);
}

/* ---- /events ----------------------------------------------------------------------------- */

static void answer_events(const struct http_source *source, const struct http_request *request,
                          struct http_reply *reply)
{
    events_answer(source->events, false, request, reply);
}

/* ---- Health ------------------------------------------------------------------------------ */

static void answer_healthz(const struct http_source *source, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)source;
    (void)request;
    buffer_sink(reply->body, "{\"status\":\"ok\"}", 15);
}

static void answer_readyz(const struct http_source *source, const struct http_request *request,
                          struct http_reply *reply)
{
    struct json json;

    (void)request;
    json_init(&json, buffer_sink, reply->body);
    json_object_begin(&json);
    put_count(&json, "alive_nodes", swim_member_count(source->swim, SWIM_ALIVE));
    put_count(&json, "suspect_nodes", swim_member_count(source->swim, SWIM_SUSPECT));
    put_count(&json, "dead_nodes", swim_member_count(source->swim, SWIM_DEAD));
    put_count(&json, "left_nodes", swim_member_count(source->swim, SWIM_LEFT));
    json_key(&json, "ready");
    json_bool(&json, source->is_ready);
    json_object_end(&json);
    reply->status = source->is_ready ? 200 : 503;
}

/* ---- Metrics ----------------------------------------------------------------------------- */

static void answer_metrics(const struct http_source *source, const struct http_request *request,
                           struct http_reply *reply)
{
    struct metrics metrics;

    source->collect(source->context, &metrics);
    if (metrics_wants_open(request->accept)) {
        reply->content_type = METRICS_OPEN_TYPE;
        metrics_render_open(&metrics, buffer_sink, reply->body);
    } else {
        reply->content_type = METRICS_TEXT_TYPE;
        metrics_render_text(&metrics, buffer_sink, reply->body);
    }
}

static void answer_metrics_json(const struct http_source *source,
                                const struct http_request *request, struct http_reply *reply)
{
    struct metrics metrics;

    (void)request;
    source->collect(source->context, &metrics);
    metrics_render_json(&metrics, buffer_sink, reply->body);
}

/* ---- Paths ------------------------------------------------------------------------------- */

typedef void path_handler(const struct http_source *source, const struct http_request *request,
                          struct http_reply *reply);

/* Browsers name HTML when somebody goes to an address; curl and its like don't. */
static bool wants_page(const struct http_request *request)
{
    double html = http_accept_quality(request->accept, "text/html");

    return html > 0 && html >= http_accept_quality(request->accept, "text/plain");
}

static void answer_index(const struct http_source *source, const struct http_request *request,
                         struct http_reply *reply)
{
    (void)source;
    if (wants_page(request)) {
        reply->content_type = "text/html; charset=utf-8";
        reply->policy = page_policy;
        (void)evbuffer_add_reference(reply->body, page_html, page_html_size, NULL, NULL);
        return;
    }
    http_reply_text(
        reply, 200,
        "swimd\n\n"
        "/               this list, or the live page for browsers\n"
        "/membership     the members that this one knows (?status=alive,suspect&tag=K=V)\n"
        "/events         what happens, as server-sent events\n"
        "/sd             the members as targets, for Prometheus' http_sd (?port=N)\n"
        "/metrics        for Prometheus\n"
        "/metrics/json   the same, as JSON\n"
        "/healthz        is it running?\n"
        "/readyz         has it joined?");
}

/* Health is for everybody: an orchestrator's probe has no secret to show, and learns no more than
 * four numbers. */
static const struct path {
    const char *path;
    bool is_open;
    path_handler *answer;
} paths[] = {
    {"/", false, answer_index},          {"/membership", false, answer_membership},
    {"/healthz", true, answer_healthz},  {"/readyz", true, answer_readyz},
    {"/metrics", false, answer_metrics}, {"/metrics/json", false, answer_metrics_json},
    {"/events", false, answer_events},   {"/sd", false, answer_sd},
};

/* The page itself holds nothing of any member; it asks for the token, and sends it with what it
 * fetches. A browser can't send one with the address that somebody types. */
static bool is_open(const struct path *path, const struct http_request *request)
{
    return path != NULL && (path->is_open || (path->answer == answer_index && wants_page(request)));
}

static const struct path *find_path(const char *path)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(paths[i].path, path) == 0)
            return &paths[i];
    return NULL;
}

/* A browser can be led here under a stranger's name (DNS rebinding); an address or a name of ours
 * can't be a stranger's. A client that sends no Host (HTTP/1.0) is no browser. */
static bool is_host_ours(const struct agent_config *config, const char *host)
{
    if (*host == '\0' || is_http_host_local(host))
        return true;
    for (uint32_t i = 0; i < config->http_host_count; i++)
        if (strcmp(config->http_hosts[i], "*") == 0 || is_http_host(host, config->http_hosts[i]))
            return true;
    return false;
}

void http_answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct http_source *source = context;
    const struct path *path = find_path(request->path);

    if (!is_host_ours(source->config, request->host)) {
        http_reply_text(reply, 421,
                        "this name is not among http_hosts of the configuration's [metrics]");
        return;
    }
    if (!is_open(path, request) && !is_http_token_right(&source->token, request->authorization))
        http_reply_text(reply, 401, "a bearer token is needed");
    else if (path == NULL)
        http_reply_text(reply, 404, "no such path; / lists them");
    else
        path->answer(source, request, reply);
}
