/*
 * Who may ask, and one table of the routes, which are in control_*.c. docs/configuration.md,
 * section "Control socket".
 */
#define _GNU_SOURCE
#include "agent/control.h"

#include "agent/clock.h"
#include "agent/control_routes.h"
#include "agent/control_socket.h"
#include "agent/log.h"

#include <event2/buffer.h>
#include <string.h>
#include <unistd.h>

#define REFUSED_WARN_MS 60000
#define NO_KEYS                                                                                    \
    "this member holds no keys: name a key file in [security] key_file and send it SIGHUP, or "    \
    "start it with --cluster-key-file FILE"

/* ---- Routes ------------------------------------------------------------------------------ */

static control_handler tell_help;

/* What a route can't do without. */
enum need { NOTHING, A_HOST, KEYS };

static const struct route {
    bool is_post;
    enum need need;
    const char *path;
    control_handler *handler;
    const char *help;
} routes[] = {
    {false, NOTHING, "/", tell_help, "this list"},
    {false, NOTHING, "/info", control_tell_info, "what this member is, and how it does"},
    {false, NOTHING, "/members", control_list_members,
     "all members; ?status=alive,suspect&tag=KEY=VALUE chooses"},
    {false, NOTHING, "/rtt", control_tell_rtt,
     "?id=ID: the round trip of the last probe that this member answered"},
    {false, A_HOST, "/peers", control_list_peers, "the peers that are joined by"},
    {true, A_HOST, "/join", control_join,
     "{\"peers\":[\"HOST:PORT\",...]}: join by them from now on"},
    {true, A_HOST, "/leave", control_leave, "leave the cluster, and end"},
    {true, A_HOST, "/force-leave", control_force_leave,
     "{\"id\":\"ID\",\"prune\":false}: this member has left, for everybody"},
    {false, NOTHING, "/tags", control_list_tags, "this member's name and tags"},
    {true, A_HOST, "/tags", control_change_tags,
     "{\"set\":{\"KEY\":\"VALUE\"},\"delete\":[\"KEY\"]}: change them until the next reload"},
    {true, A_HOST, "/ping", control_ping, "{\"id\":\"ID\"}: ping this member now"},
    {false, NOTHING, "/log", control_tell_log, "the last lines of the log"},
    {false, A_HOST, "/config", control_tell_config, "the settings in force, without keys"},
    {false, A_HOST, "/metrics", control_tell_metrics, "for Prometheus"},
    {false, A_HOST, "/metrics/json", control_tell_metrics_json, "the same, as JSON"},
    {false, A_HOST, "/events", control_stream_events,
     "what happens, as it happens; ?last_event_id=ID&snapshot=1, and as /members"},
    {false, KEYS, "/keys", control_list_keys, "the keys by id, the primary one first"},
    {true, KEYS, "/keys/install", control_install_key,
     "{\"key\":\"64 hex digits\"}: accept it from now on"},
    {true, KEYS, "/keys/use", control_use_key,
     "{\"id\":\"8 hex digits\"}: seal with it from now on"},
    {true, KEYS, "/keys/remove", control_remove_key,
     "{\"id\":\"8 hex digits\"}: no longer accept it"},
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

static void tell_help(const struct control_source *source, const struct http_request *request,
                      struct http_reply *reply)
{
    (void)source;
    (void)request;
    reply->content_type = "text/plain; charset=utf-8";
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        (void)evbuffer_add_printf(reply->body, "%-4s %-14s %s\n",
                                  routes[i].is_post ? "POST" : "GET", routes[i].path,
                                  routes[i].help);
}

void control_route(const struct control_source *source, const struct http_request *request,
                   struct http_reply *reply)
{
    const struct route *route = NULL; /* of this path, and of this method if there is one */

    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (strcmp(routes[i].path, request->path) == 0 &&
            (route == NULL || routes[i].is_post == request->is_post))
            route = &routes[i];
    if (route == NULL) {
        http_reply_text(reply, 404, "no such path; / lists them");
    } else if (route->is_post != request->is_post) {
        reply->allow = route->is_post ? "POST" : "GET";
        http_reply_text(reply, 405, route->is_post ? "POST only" : "GET only");
    } else if (route->need == KEYS && source->keys == NULL) {
        http_reply_text(reply, 409, NO_KEYS);
    } else if (route->need == A_HOST && source->host == NULL) {
        http_reply_text(reply, 409, "not of this member");
    } else {
        route->handler(source, request, reply);
    }
}

/* ---- Who asks ---------------------------------------------------------------------------- */

/* The file's mode keeps others out; this holds even when somebody has loosened it. */
static bool is_owner(const struct http_request *request)
{
    static struct log_limit limit;
    uint64_t held_back;
    uid_t uid = (uid_t)-1;

    if (control_socket_peer(request->fd, &uid) && (uid == 0 || uid == geteuid()))
        return true;
    if (log_limit_allows(&limit, clock_now_ns(), REFUSED_WARN_MS, &held_back))
        LOG(LOG_WARN, "a user who may not was refused at the control socket",
            LOG_NUMBER("uid", uid), LOG_NUMBER("more", held_back));
    return false;
}

void control_answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    if (is_owner(request))
        control_route(context, request, reply);
    else
        http_reply_text(reply, 403, "only root and the user that swimd runs as are answered");
}
