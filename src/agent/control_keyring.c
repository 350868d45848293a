/*
 * The routes under /keys: requests taken apart, answers by ids. The change itself is that of
 * whoever holds the keys (control_keys.c). docs/configuration.md, section "Control socket".
 */
#include "agent/control_routes.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define KEY_DIGITS 64
#define ID_DIGITS 8
_Static_assert(KEY_DIGITS == 2 * SWIM_KEY_SIZE, "two digits a byte");

/* ---- Requests ---------------------------------------------------------------------------- */

static bool take_key(const struct http_request *request, uint8_t ret_key[SWIM_KEY_SIZE],
                     struct http_reply *reply)
{
    json_t *root = NULL;
    const char *text = control_take_text(request, "key", &root, reply);
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
    const char *text = control_take_text(request, "id", &root, reply);
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

static void reply_key_error(enum swim_key_error error, struct http_reply *reply)
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
        reply_key_error(error, reply);
        return;
    }
    control_json_begin(&json, reply);
    put_keys(keys, &json);
    json_key(&json, "saved");
    json_bool(&json, unsaved == NULL);
    if (unsaved != NULL) {
        json_key(&json, "reason");
        json_text(&json, unsaved);
    }
    control_json_end(&json, reply);
}

void control_list_keys(const struct control_source *source, const struct http_request *request,
                       struct http_reply *reply)
{
    struct json json;

    (void)request;
    control_json_begin(&json, reply);
    put_keys(source->keys, &json);
    control_json_end(&json, reply);
}

void control_install_key(const struct control_source *source, const struct http_request *request,
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

void control_use_key(const struct control_source *source, const struct http_request *request,
                     struct http_reply *reply)
{
    const char *unsaved = NULL;
    uint32_t id;

    if (!take_id(request, &id, reply))
        return;
    enum swim_key_error error = source->keys->use(source->keys->context, id, &unsaved);
    reply_changed(source->keys, error, unsaved, reply);
}

void control_remove_key(const struct control_source *source, const struct http_request *request,
                        struct http_reply *reply)
{
    const char *unsaved = NULL;
    uint32_t id;

    if (!take_id(request, &id, reply))
        return;
    enum swim_key_error error = source->keys->remove(source->keys->context, id, &unsaved);
    reply_changed(source->keys, error, unsaved, reply);
}
