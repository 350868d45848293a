/* What changes the member's place in its cluster: /join (and /peers, what came of it), /leave and
 * /force-leave; and /ping. docs/configuration.md, section "Control socket". */
#include "agent/control_routes.h"

#include "agent/address.h"

#include <stdio.h>
#include <string.h>

/* ---- Peers ------------------------------------------------------------------------------- */

static void put_peer(struct json *json, const struct swim *swim, const struct control_peer *peer)
{
    char text[HOST_NAME_MAX_SIZE + 8];
    struct swim_member member;
    bool is_live = false;

    endpoint_format(&peer->endpoint, text, sizeof text);
    json_object_begin(json);
    json_key(json, "peer");
    json_text(json, text);
    json_key(json, "configured");
    json_bool(json, peer->is_configured);
    json_key(json, "addresses");
    json_array_begin(json);
    for (uint32_t i = 0; i < peer->address_count; i++) {
        json_text(json, address_text(&peer->addresses[i]).text);
        is_live = is_live || swim_member_find_addr(swim, &peer->addresses[i], &member);
    }
    json_array_end(json);
    json_key(json, "live");
    json_bool(json, is_live);
    json_object_end(json);
}

static void put_peers(struct json *json, const struct control_source *source)
{
    struct control_peer peer;

    json_key(json, "peers");
    json_array_begin(json);
    for (uint32_t i = 0; source->host->peer(source->host->context, i, &peer); i++)
        put_peer(json, source->swim, &peer);
    json_array_end(json);
}

void control_list_peers(const struct control_source *source, const struct http_request *request,
                        struct http_reply *reply)
{
    struct json json;

    (void)request;
    control_json_begin(&json, reply);
    put_peers(&json, source);
    control_json_end(&json, reply);
}

#define JOIN_EXAMPLE "{\"peers\":[\"HOST:PORT\",...]}, with 1 to 64 peers, and nothing else"

#define PLACE_SIZE 400

/* What is wrong, and with which peer, in `place`. */
static const char *peer_wrong(const char *peer, const char *wrong, char place[PLACE_SIZE])
{
    (void)snprintf(place, PLACE_SIZE, "%.255s: %s", peer, wrong);
    return place;
}

/* Takes them all apart before the first is joined by: half a request is none. Returns how many; 0:
 * the reply says what is wrong. */
static uint32_t take_peers(const struct http_request *request,
                           struct endpoint ret[CONFIG_PEERS_MAX], struct http_reply *reply)
{
    json_t *root = control_take_object(request, JOIN_EXAMPLE, reply);
    const json_t *peers = json_object_get(root, "peers");
    size_t count = json_array_size(peers);
    const char *wrong = NULL;
    char place[PLACE_SIZE];

    if (root == NULL)
        return 0;
    if (json_object_size(root) != 1 || count == 0 || count > CONFIG_PEERS_MAX)
        wrong = "the body must be " JOIN_EXAMPLE;
    for (size_t i = 0; i < count && wrong == NULL; i++) {
        const char *text = json_string_value(json_array_get(peers, i));
        wrong = text == NULL ? "a peer must be a string" : endpoint_parse(text, &ret[i]);
        if (wrong != NULL && text != NULL)
            wrong = peer_wrong(text, wrong, place);
    }
    json_decref(root);
    if (wrong != NULL)
        http_reply_text(reply, 400, wrong);
    return wrong == NULL ? (uint32_t)count : 0;
}

void control_join(const struct control_source *source, const struct http_request *request,
                  struct http_reply *reply)
{
    struct endpoint peers[CONFIG_PEERS_MAX];
    uint32_t count = take_peers(request, peers, reply);

    for (uint32_t i = 0; i < count; i++) {
        const char *wrong = source->host->join(source->host->context, &peers[i]);
        if (wrong != NULL) {
            http_reply_text(reply, 409, wrong);
            return;
        }
    }
    if (count > 0)
        control_list_peers(source, request, reply);
}

/* ---- Leaving ----------------------------------------------------------------------------- */

void control_leave(const struct control_source *source, const struct http_request *request,
                   struct http_reply *reply)
{
    struct json json;

    if (request->body_size > 0) {
        json_t *root = control_take_object(request, "{}, or empty", reply);
        bool is_empty = json_object_size(root) == 0;
        if (root != NULL && !is_empty)
            http_reply_text(reply, 400, "the body must be {}, or empty");
        json_decref(root);
        if (root == NULL || !is_empty)
            return;
    }
    source->host->leave(source->host->context);
    control_json_begin(&json, reply);
    json_key(&json, "leaving");
    json_bool(&json, true);
    control_json_end(&json, reply);
}

#define FORCE_EXAMPLE "{\"id\":\"ID\"} or {\"id\":\"ID\",\"prune\":true}, and nothing else"

static bool take_force_leave(const struct http_request *request, uint64_t *ret_id, bool *ret_prune,
                             struct http_reply *reply)
{
    json_t *root = control_take_object(request, FORCE_EXAMPLE, reply);
    const json_t *prune = json_object_get(root, "prune");
    const char *id = json_string_value(json_object_get(root, "id"));
    size_t size = prune != NULL ? 2 : 1;
    bool ok = false;

    if (root == NULL)
        return false;
    if (id == NULL || json_object_size(root) != size || (prune != NULL && !json_is_boolean(prune)))
        http_reply_text(reply, 400, "the body must be " FORCE_EXAMPLE);
    else
        ok = control_take_id(id, ret_id, reply);
    *ret_prune = json_is_true(prune);
    json_decref(root);
    return ok;
}

void control_force_leave(const struct control_source *source, const struct http_request *request,
                         struct http_reply *reply)
{
    struct json json;
    uint64_t id;
    bool prune;

    if (!take_force_leave(request, &id, &prune, reply) ||
        !control_take_order(source->host->force_leave(source->host->context, id, prune), reply))
        return;
    control_json_begin(&json, reply);
    json_key(&json, "id");
    json_u64_string(&json, id);
    json_key(&json, "pruned");
    json_bool(&json, prune);
    control_json_end(&json, reply);
}

/* ---- Ping -------------------------------------------------------------------------------- */

void control_ping(const struct control_source *source, const struct http_request *request,
                  struct http_reply *reply)
{
    json_t *root = NULL;
    const char *text = control_take_text(request, "id", &root, reply);
    uint64_t id;
    bool ok = text != NULL && control_take_id(text, &id, reply);

    json_decref(root);
    if (ok)
        (void)control_take_order(source->host->ping(source->host->context, id, reply), reply);
}
