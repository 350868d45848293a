/*
 * One table of routes; each takes a request apart, strictly, and answers. What isn't understood to
 * the last member is refused: a misspelt "id" must not be taken for a request without one.
 * docs/configuration.md, section "Control socket".
 */
#define _GNU_SOURCE
#include "agent/control.h"

#include "agent/address.h"
#include "agent/clock.h"
#include "agent/control_socket.h"
#include "agent/log.h"
#include "base/json.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REFUSED_WARN_MS 60000
#define KEY_DIGITS 64
#define ID_DIGITS 8
_Static_assert(KEY_DIGITS == 2 * SWIM_KEY_SIZE, "two digits a byte");

#define NO_KEYS                                                                                    \
    "this member holds no keys: name a key file in [security] key_file and send it SIGHUP, or "    \
    "start it with --cluster-key-file FILE"

static void sink(void *context, const char *data, size_t size)
{
    (void)evbuffer_add(context, data, size);
}

/* ---- Requests ---------------------------------------------------------------------------- */

/* The one string that a body must consist of: {"name":"value"}. NULL when it doesn't, and then the
 * reply says so. Else a reference to *ret_root is the caller's, and the text lives as long. */
static const char *take_text(const struct http_request *request, const char *name,
                             json_t **ret_root, struct http_reply *reply)
{
    json_t *root = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(root, name));
    char expected[80];

    if (text != NULL && json_object_size(root) == 1) {
        *ret_root = root;
        return text;
    }
    json_decref(root);
    (void)snprintf(expected, sizeof expected, "the body must be {\"%s\":\"...\"}, and nothing else",
                   name);
    http_reply_text(reply, 400, expected);
    return NULL;
}

static bool take_key(const struct http_request *request, uint8_t ret_key[SWIM_KEY_SIZE],
                     struct http_reply *reply)
{
    json_t *root = NULL;
    const char *text = take_text(request, "key", &root, reply);
    size_t size = 0;

    if (text == NULL)
        return false;
    bool ok = strlen(text) == KEY_DIGITS &&
              sodium_hex2bin(ret_key, SWIM_KEY_SIZE, text, KEY_DIGITS, NULL, &size, NULL) == 0 &&
              size == SWIM_KEY_SIZE;
    json_decref(root); /* its memory is wiped: wiping_heap.h */
    if (!ok)
        http_reply_text(reply, 400, "a key has 64 hex digits; swimd --generate-key draws one");
    return ok;
}

static bool take_id(const struct http_request *request, uint32_t *ret_id, struct http_reply *reply)
{
    json_t *root = NULL;
    const char *text = take_text(request, "id", &root, reply);
    uint8_t id[4];
    size_t size = 0;

    if (text == NULL)
        return false;
    bool ok = strlen(text) == ID_DIGITS &&
              sodium_hex2bin(id, sizeof id, text, ID_DIGITS, NULL, &size, NULL) == 0 &&
              size == sizeof id;
    json_decref(root);
    if (!ok) {
        http_reply_text(reply, 400, "an id of a key has 8 hex digits; GET /keys lists them");
        return false;
    }
    *ret_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    return true;
}

/* ---- Keys -------------------------------------------------------------------------------- */

static void put_keys(const struct control_keys *keys, struct json *json)
{
    uint32_t ids[SWIM_KEYS_MAX];
    uint32_t count = keys->list(keys->context, ids);
    char text[ID_DIGITS + 1];

    json_key(json, "keys");
    json_array_begin(json);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(text, sizeof text, "%08x", (unsigned)ids[i]);
        json_object_begin(json);
        json_key(json, "id");
        json_text(json, text);
        json_key(json, "primary");
        json_bool(json, i == 0);
        json_object_end(json);
    }
    json_array_end(json);
    json_key(json, "envelope");
    json_i64(json, keys->envelope);
}

static void reply_error(enum swim_key_error error, struct http_reply *reply)
{
    static const struct {
        enum swim_key_error error;
        int status;
        const char *text;
    } texts[] = {
        {SWIM_KEY_FULL, 409, "as many keys as there can be are held: remove one first"},
        {SWIM_KEY_UNKNOWN, 404, "no key with this id is held; GET /keys lists them"},
        {SWIM_KEY_PRIMARY, 409, "this is the primary key: use another one first"},
        {SWIM_KEY_WEAK, 400, "a key that must not be used; swimd --generate-key draws a good one"},
    };

    http_reply_text(reply, 500, "the keys could not be changed");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].error == error)
            http_reply_text(reply, texts[i].status, texts[i].text);
}

static void reply_changed(const struct control_keys *keys, enum swim_key_error error,
                          const char *unsaved, struct http_reply *reply)
{
    struct json json;

    if (error != SWIM_KEY_OK) {
        reply_error(error, reply);
        return;
    }
    json_init(&json, sink, reply->body);
    json_object_begin(&json);
    put_keys(keys, &json);
    json_key(&json, "saved");
    json_bool(&json, unsaved == NULL);
    if (unsaved != NULL) {
        json_key(&json, "reason");
        json_text(&json, unsaved);
    }
    json_object_end(&json);
    sink(reply->body, "\n", 1);
}

static void list_keys(const struct control_source *source, const struct http_request *request,
                      struct http_reply *reply)
{
    struct json json;

    (void)request;
    json_init(&json, sink, reply->body);
    json_object_begin(&json);
    put_keys(source->keys, &json);
    json_object_end(&json);
    sink(reply->body, "\n", 1);
}

static void install_key(const struct control_source *source, const struct http_request *request,
                        struct http_reply *reply)
{
    uint8_t key[SWIM_KEY_SIZE];
    const char *unsaved = NULL;

    if (take_key(request, key, reply)) {
        enum swim_key_error error = source->keys->install(source->keys->context, key, &unsaved);
        reply_changed(source->keys, error, unsaved, reply);
    }
    sodium_memzero(key, sizeof key);
}

static void use_key(const struct control_source *source, const struct http_request *request,
                    struct http_reply *reply)
{
    const char *unsaved = NULL;
    uint32_t id;

    if (!take_id(request, &id, reply))
        return;
    enum swim_key_error error = source->keys->use(source->keys->context, id, &unsaved);
    reply_changed(source->keys, error, unsaved, reply);
}

static void remove_key(const struct control_source *source, const struct http_request *request,
                       struct http_reply *reply)
{
    const char *unsaved = NULL;
    uint32_t id;

    if (!take_id(request, &id, reply))
        return;
    enum swim_key_error error = source->keys->remove(source->keys->context, id, &unsaved);
    reply_changed(source->keys, error, unsaved, reply);
}

/* ---- The member -------------------------------------------------------------------------- */

static void put_self(const struct swim *swim, struct json *json)
{
    struct swim_member self;

    if (!swim_member_at(swim, 0, &self))
        return;
    json_key(json, "id");
    json_u64_string(json, self.id);
    json_key(json, "addr");
    json_text(json, address_text(&self.addr).text);
}

static void tell_info(const struct control_source *source, const struct http_request *request,
                      struct http_reply *reply)
{
    struct json json;
    char version[40];

    (void)request;
    (void)snprintf(version, sizeof version, "%d.%d.%d", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
                   SWIM_VERSION_PATCH);
    json_init(&json, sink, reply->body);
    json_object_begin(&json);
    json_key(&json, "version");
    json_text(&json, version);
    put_self(source->swim, &json);
    json_key(&json, "members");
    json_object_begin(&json);
    for (int i = 0; i < SWIM_STATUS_COUNT; i++) {
        json_key(&json, swim_status_name((enum swim_status)i));
        json_u64(&json, swim_member_count(source->swim, (enum swim_status)i));
    }
    json_object_end(&json);
    json_object_end(&json);
    sink(reply->body, "\n", 1);
}

/* ---- Routes ------------------------------------------------------------------------------ */

typedef void route_handler(const struct control_source *source, const struct http_request *request,
                           struct http_reply *reply);

static route_handler tell_help;

static const struct route {
    bool is_post;
    bool needs_keys;
    const char *path;
    route_handler *handler;
    const char *help;
} routes[] = {
    {false, false, "/", tell_help, "this list"},
    {false, false, "/info", tell_info, "version, id, address, members by status"},
    {false, true, "/keys", list_keys, "the keys by id, the primary one first"},
    {true, true, "/keys/install", install_key,
     "{\"key\":\"64 hex digits\"}: accept it from now on"},
    {true, true, "/keys/use", use_key, "{\"id\":\"8 hex digits\"}: seal with it from now on"},
    {true, true, "/keys/remove", remove_key, "{\"id\":\"8 hex digits\"}: no longer accept it"},
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
    const struct route *route = NULL;

    for (size_t i = 0; i < ROUTE_COUNT && route == NULL; i++)
        if (strcmp(routes[i].path, request->path) == 0)
            route = &routes[i];
    if (route == NULL) {
        http_reply_text(reply, 404, "no such path; / lists them");
    } else if (route->is_post != request->is_post) {
        reply->allow = route->is_post ? "POST" : "GET";
        http_reply_text(reply, 405, route->is_post ? "POST only" : "GET only");
    } else if (route->needs_keys && source->keys == NULL) {
        http_reply_text(reply, 409, NO_KEYS);
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
