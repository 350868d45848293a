/*
 * Requests of the control socket (docs/configuration.md, "Control socket"), from where HTTP ends:
 * any method, path and body against its routes, with a keyring of a few keys behind them. Every
 * request is answered, in JSON but for the list; nothing that could be a key is in an answer; and
 * the keyring changes only by a request that was answered with 200.
 *
 *     input: method and path u8 | body
 */
#include "agent/control.h"

#include "base/assert.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
    "/",      "/info",  "/keys", "/keys/install", "/keys/use", "/keys/remove",
    "/keys/", "//keys", "",      "/members",      "/metrics",
};

struct ring {
    uint32_t ids[SWIM_KEYS_MAX];
    uint32_t count;
    unsigned changes;
};

static uint32_t list(void *context, uint32_t ret_ids[SWIM_KEYS_MAX])
{
    const struct ring *ring = context;

    memcpy(ret_ids, ring->ids, sizeof ring->ids);
    return ring->count;
}

static enum swim_key_error install(void *context, const uint8_t key[SWIM_KEY_SIZE],
                                   const char **ret_unsaved)
{
    struct ring *ring = context;

    if (key[0] == 0)
        return SWIM_KEY_WEAK;
    if (ring->count == SWIM_KEYS_MAX)
        return SWIM_KEY_FULL;
    ring->ids[ring->count++] = swim_key_id(key);
    ring->changes++;
    *ret_unsaved = key[0] & 1 ? "the file can't be written" : NULL;
    return SWIM_KEY_OK;
}

static uint32_t find(const struct ring *ring, uint32_t id)
{
    uint32_t at = 0;

    while (at < ring->count && ring->ids[at] != id)
        at++;
    return at;
}

static enum swim_key_error use(void *context, uint32_t id, const char **ret_unsaved)
{
    struct ring *ring = context;
    uint32_t at = find(ring, id);

    if (at == ring->count)
        return SWIM_KEY_UNKNOWN;
    ring->ids[at] = ring->ids[0];
    ring->ids[0] = id;
    ring->changes++;
    *ret_unsaved = NULL;
    return SWIM_KEY_OK;
}

static enum swim_key_error take_out(void *context, uint32_t id, const char **ret_unsaved)
{
    struct ring *ring = context;
    uint32_t at = find(ring, id);

    if (at == ring->count)
        return SWIM_KEY_UNKNOWN;
    if (at == 0)
        return SWIM_KEY_PRIMARY;
    ring->ids[at] = ring->ids[--ring->count];
    ring->changes++;
    *ret_unsaved = NULL;
    return SWIM_KEY_OK;
}

static const struct swim *member(void)
{
    static _Alignas(16) uint8_t arena[1 << 20];
    static const struct swim *swim;
    struct swim_config config;

    if (swim == NULL) {
        swim_config_default(&config);
        config.id = 1;
        config.addr = (struct swim_addr){.family = 4, .ip = {127, 0, 0, 1}, .port = 7000};
        config.members_max = 16;
        config.meta_memory = 4096;
        ASSERT(swim_footprint(&config) <= sizeof arena);
        swim = swim_init(arena, sizeof arena, &config, SWIM_MS);
    }
    return swim;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What has changed something was {"key":"64 hex digits"} or {"id":"8 hex digits"}, to the letter. */
static void check_understood(const struct http_request *request)
{
    bool is_install = strcmp(request->path, "/keys/install") == 0;
    json_t *root = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(root, is_install ? "key" : "id"));

    ASSERT(json_object_size(root) == 1 && text != NULL);
    ASSERT(strlen(text) == (is_install ? 64 : 8));
    for (; *text != '\0'; text++)
        ASSERT(is_hex(*text));
    json_decref(root);
}

/* Ids of members and keys have up to 20 digits. */
static void check_no_key(const char *body, size_t size)
{
    unsigned run = 0;

    for (size_t i = 0; i < size; i++) {
        run = is_hex(body[i]) ? run + 1 : 0;
        ASSERT(run <= 20);
    }
}

static void check_reply(const struct http_request *request, const struct http_reply *reply)
{
    size_t size = evbuffer_get_length(reply->body);
    const char *body = (const char *)evbuffer_pullup(reply->body, -1);
    json_t *root;

    ASSERT(size > 0 && body[size - 1] == '\n');
    check_no_key(body, size);
    ASSERT(reply->status == 200 || reply->status == 400 || reply->status == 404 ||
           reply->status == 405 || reply->status == 409);
    if (reply->status == 200 && strcmp(request->path, "/") == 0)
        return;
    root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(json_is_object(root));
    ASSERT((reply->status != 200) == (json_object_get(root, "error") != NULL));
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ring ring = {.ids = {0x01020304, 0x5be1c09d}, .count = 2};
    struct control_keys keys = {.context = &ring,
                                .envelope = 2,
                                .list = list,
                                .install = install,
                                .use = use,
                                .remove = take_out};
    struct http_reply reply = {.status = 200, .is_error_json = true};

    if (size == 0)
        return 0;
    struct control_source source = {.swim = member(), .keys = data[0] & 0x40 ? NULL : &keys};
    struct http_request request = {.is_post = data[0] & 0x80,
                                   .path = paths[data[0] % 16 % (sizeof paths / sizeof paths[0])],
                                   .query = "",
                                   .host = "",
                                   .body = (const char *)data + 1,
                                   .body_size = size - 1,
                                   .fd = -1};
    reply.body = evbuffer_new();
    ASSERT(reply.body != NULL);
    control_route(&source, &request, &reply);
    check_reply(&request, &reply);
    ASSERT(ring.changes == (reply.status == 200 && request.is_post ? 1u : 0u));
    if (ring.changes > 0)
        check_understood(&request);
    evbuffer_free(reply.body);
    return 0;
}
