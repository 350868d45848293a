/*
 * Requests of the control socket that change the member or its cluster (docs/configuration.md,
 * "Control socket"): /join, /leave, /force-leave, /tags, /ping, and what asks with a query. Every
 * request is answered in JSON; the daemon is told of a change only by a request that was answered with
 * 200, and of nothing that is no peer, no id and no tag; and the member's invariants hold.
 *
 *     input: path u8 | query u8 of the rest's bytes | body
 */
#include "agent/control.h"

#include "base/assert.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
    "/join", "/leave", "/force-leave", "/tags", "/ping", "/rtt", "/members", "/peers",
};

struct told {
    struct swim *swim;
    unsigned changes;
};

static bool tell_peer(void *context, uint32_t at, struct control_peer *ret)
{
    (void)context;
    (void)at;
    (void)ret;
    return false;
}

static const char *join(void *context, const struct endpoint *endpoint)
{
    struct told *told = context;

    ASSERT(endpoint->addr.port != 0);
    ASSERT((endpoint->addr.family == 0) == (endpoint->name[0] != '\0'));
    told->changes++;
    return NULL;
}

static void leave(void *context)
{
    ((struct told *)context)->changes++;
}

static enum swim_order force_leave(void *context, uint64_t id, bool prune)
{
    (void)prune;
    ASSERT(id != 0);
    ((struct told *)context)->changes++;
    return SWIM_ORDER_DONE;
}

static void set_meta(void *context, const struct swim_meta *meta)
{
    struct told *told = context;

    told->changes++;
    swim_set_meta(told->swim, SWIM_MS, meta);
    ASSERT(swim_check(told->swim) == NULL);
}

static enum swim_order ping(void *context, uint64_t id, struct http_reply *reply)
{
    (void)context;
    (void)reply;
    ASSERT(id != 0);
    return SWIM_ORDER_BUSY;
}

static struct swim *member(void)
{
    static _Alignas(16) uint8_t arena[1 << 20];
    struct swim_config config;

    swim_config_default(&config);
    config.id = 1;
    config.addr = (struct swim_addr){.family = 4, .ip = {127, 0, 0, 1}, .port = 7000};
    config.members_max = 16;
    config.meta_memory = 0;
    ASSERT(swim_footprint(&config) <= sizeof arena);
    memset(arena, 0, swim_footprint(&config));
    return swim_init(arena, sizeof arena, &config, SWIM_MS);
}

static void check_reply(const struct http_reply *reply)
{
    size_t size = evbuffer_get_length(reply->body);
    const char *body = (const char *)evbuffer_pullup(reply->body, -1);
    json_t *root;

    ASSERT(size > 0 && body[size - 1] == '\n');
    ASSERT(reply->status == 200 || reply->status == 400 || reply->status == 404 ||
           reply->status == 405 || reply->status == 503);
    root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
    ASSERT(json_is_object(root));
    ASSERT((reply->status != 200) == (json_object_get(root, "error") != NULL));
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told told = {.swim = member()};
    struct control_host host = {.context = &told,
                                .peer = tell_peer,
                                .join = join,
                                .leave = leave,
                                .force_leave = force_leave,
                                .set_meta = set_meta,
                                .ping = ping};
    struct http_reply reply = {.status = 200, .is_error_json = true};
    char query[256];

    if (size < 2)
        return 0;
    size_t query_size = data[1] < size - 2 ? data[1] : size - 2;
    memcpy(query, data + 2, query_size);
    query[query_size] = '\0';
    struct control_source source = {.swim = told.swim, .host = &host};
    struct http_request request = {.is_post = data[0] % 16 < 5,
                                   .path = paths[data[0] % (sizeof paths / sizeof paths[0])],
                                   .query = query,
                                   .host = "",
                                   .body = (const char *)data + 2 + query_size,
                                   .body_size = size - 2 - query_size,
                                   .fd = -1};
    reply.body = evbuffer_new();
    ASSERT(reply.body != NULL);
    control_route(&source, &request, &reply);
    check_reply(&reply);
    ASSERT((told.changes > 0) == (reply.status == 200 && request.is_post));
    evbuffer_free(reply.body);
    return 0;
}
