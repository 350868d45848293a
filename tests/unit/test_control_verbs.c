/*
 * The control socket's routes that change the member, without a daemon: which bodies are taken, what
 * the host is told, and that what is refused has told it nothing.
 */
#include "support.h"

#include "agent/control.h"

#include <event2/buffer.h>

struct world {
    void *arena;
    struct swim *swim;
    struct control_host host;
    struct control_source source;
    struct http_reply reply;
    unsigned told; /* changes that the host was told */
    uint32_t peers;
    struct endpoint peer[CONFIG_PEERS_MAX];
    uint64_t id;
    bool prune;
    enum swim_order order; /* what the next order is answered */
    char text[8192];
};

/* ---- A host of the test's ---------------------------------------------------------------- */

static bool tell_peer(void *context, uint32_t at, struct control_peer *ret)
{
    const struct world *world = context;

    if (at >= world->peers)
        return false;
    *ret = (struct control_peer){.endpoint = world->peer[at]};
    if (world->peer[at].addr.family != 0)
        ret->addresses[ret->address_count++] = world->peer[at].addr;
    return true;
}

static const char *join(void *context, const struct endpoint *endpoint)
{
    struct world *world = context;

    if (world->peers == CONFIG_PEERS_MAX)
        return "full";
    world->peer[world->peers++] = *endpoint;
    world->told++;
    return NULL;
}

static void leave(void *context)
{
    ((struct world *)context)->told++;
}

static enum swim_order force_leave(void *context, uint64_t id, bool prune)
{
    struct world *world = context;

    world->told++;
    world->id = id;
    world->prune = prune;
    return world->order;
}

static void set_meta(void *context, const struct swim_meta *meta)
{
    struct world *world = context;

    world->told++;
    swim_set_meta(world->swim, SWIM_MS, meta);
}

static enum swim_order ping(void *context, uint64_t id, struct http_reply *reply)
{
    struct world *world = context;

    world->told++;
    world->id = id;
    if (world->order == SWIM_ORDER_DONE)
        http_reply_text(reply, 504, "no answer");
    return world->order;
}

static int make_world(void **state)
{
    static struct world world;
    struct swim_config config;

    memset(&world, 0, sizeof world);
    swim_config_default(&config);
    config.id = 77;
    config.seed = 1;
    config.members_max = 16;
    config.addr = (struct swim_addr){.ip = {127, 0, 0, 1}, .port = 7000, .family = 4};
    world.arena = calloc(1, swim_footprint(&config));
    world.swim = swim_init(world.arena, swim_footprint(&config), &config, 0);
    world.host = (struct control_host){.context = &world,
                                       .peer = tell_peer,
                                       .join = join,
                                       .leave = leave,
                                       .force_leave = force_leave,
                                       .set_meta = set_meta,
                                       .ping = ping};
    world.source.swim = world.swim;
    world.source.host = &world.host;
    world.reply.body = evbuffer_new();
    *state = &world;
    return world.arena == NULL || world.reply.body == NULL ? -1 : 0;
}

static int free_world(void **state)
{
    struct world *world = *state;

    evbuffer_free(world->reply.body);
    free(world->arena);
    return 0;
}

static int ask(struct world *world, bool is_post, const char *path, const char *query,
               const char *body)
{
    size_t size = strlen(body);
    char *exact = malloc(size + 1); /* a sanitizer sees any step beyond */
    assert_non_null(exact);
    struct http_request request = {.is_post = is_post,
                                   .path = path,
                                   .query = query,
                                   .host = "",
                                   .body = exact,
                                   .body_size = size,
                                   .fd = -1};

    memcpy(exact, body, size);
    world->reply = (struct http_reply){
        .status = 200, .content_type = "", .body = world->reply.body, .is_error_json = true};
    (void)evbuffer_drain(world->reply.body, evbuffer_get_length(world->reply.body));
    control_route(&world->source, &request, &world->reply);
    free(exact);
    ssize_t got = evbuffer_copyout(world->reply.body, world->text, sizeof world->text - 1);
    assert_true(got > 0);
    world->text[got] = '\0';
    return world->reply.status;
}

static int post(struct world *world, const char *path, const char *body)
{
    return ask(world, true, path, "", body);
}

/* ---- Tests ------------------------------------------------------------------------------- */

static void test_join(void **state)
{
    struct world *world = *state;

    assert_int_equal(post(world, "/join", "{\"peers\":[\"127.0.0.1:7000\",\"node.example:1\"]}"),
                     200);
    assert_int_equal(world->told, 2);
    assert_string_equal(world->text,
                        "{\"peers\":[{\"peer\":\"127.0.0.1:7000\",\"configured\":false,"
                        "\"addresses\":[\"127.0.0.1:7000\"],\"live\":true},"
                        "{\"peer\":\"node.example:1\",\"configured\":false,"
                        "\"addresses\":[],\"live\":false}]}\n");
    assert_int_equal(ask(world, false, "/peers", "", ""), 200);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *path, *body;
    } bad[] = {
        {"/join", ""},
        {"/join", "[]"},
        {"/join", "{}"},
        {"/join", "{\"peers\":[]}"},
        {"/join", "{\"peers\":\"a:1\"}"},
        {"/join", "{\"peers\":[\"a:1\"],\"more\":1}"},
        {"/join", "{\"peers\":[\"a:1\",2]}"},
        {"/join", "{\"peers\":[\"a:1\",\"a\"]}"}, /* the first alone is not taken */
        {"/join", "{\"peers\":[\"a:1\\u0000\"]}"},
        {"/leave", "{\"x\":1}"},
        {"/leave", "[]"},
        {"/leave", "x"},
        {"/force-leave", "{}"},
        {"/force-leave", "{\"id\":1}"},
        {"/force-leave", "{\"id\":\"0\"}"},
        {"/force-leave", "{\"id\":\"-1\"}"},
        {"/force-leave", "{\"id\":\"18446744073709551616\"}"},
        {"/force-leave", "{\"id\":\"1\",\"prune\":1}"},
        {"/force-leave", "{\"id\":\"1\",\"Prune\":true}"},
        {"/force-leave", "{\"id\":\"1\",\"id\":\"2\"}"},
        {"/ping", "{\"id\":\"\"}"},
        {"/ping", "{\"id\":\"1 \"}"},
        {"/ping", "{\"id\":\"1\",\"x\":1}"},
        {"/tags", "{}"},
        {"/tags", "{\"set\":[]}"},
        {"/tags", "{\"set\":{\"a\":1}}"},
        {"/tags", "{\"set\":{\"\":\"x\"}}"},
        {"/tags", "{\"set\":{\"a\":\"\\u0000\"}}"},
        {"/tags", "{\"set\":{\"a\":\"\\u001b\"}}"},
        {"/tags", "{\"delete\":[\"none\"]}"},
        {"/tags", "{\"delete\":{}}"},
        {"/tags", "{\"delete\":[],\"set\":{},\"x\":1}"},
    };
    struct world *world = *state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (post(world, bad[i].path, bad[i].body) != 400)
            fail_msg("%s %s: %d %s", bad[i].path, bad[i].body, world->reply.status, world->text);
        assert_memory_equal(world->text, "{\"error\":\"", 10);
        assert_int_equal(world->told, 0);
    }
}

/* Nothing is cut off at a zero byte, and whoever wrote one is told so. */
static void test_zero_bytes(void **state)
{
    static const char *const bad[][2] = {
        {"/tags", "{\"set\":{\"a\":\"b\\u0000c\"}}"},
        {"/tags", "{\"set\":{\"a\\u0000b\":\"c\"}}"},
        {"/tags", "{\"delete\":[\"a\\u0000\"]}"},
        {"/join", "{\"peers\":[\"a:1\\u0000\"]}"},
    };
    struct world *world = *state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(post(world, bad[i][0], bad[i][1]), 400);
        assert_non_null(strstr(world->text, "zero byte"));
        assert_int_equal(world->told, 0);
    }
}

static void test_orders(void **state)
{
    static const struct {
        enum swim_order order;
        int status;
    } answers[] = {{SWIM_ORDER_DONE, 200},
                   {SWIM_ORDER_SELF, 409},
                   {SWIM_ORDER_UNKNOWN, 404},
                   {SWIM_ORDER_BUSY, 503},
                   {SWIM_ORDER_LEAVING, 409}};
    struct world *world = *state;

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        world->order = answers[i].order;
        assert_int_equal(post(world, "/force-leave", "{\"id\":\"18446744073709551615\"}"),
                         answers[i].status);
        assert_true(world->id == UINT64_MAX && !world->prune);
        assert_int_equal(post(world, "/ping", "{\"id\":\"5\"}"),
                         answers[i].status == 200 ? 504 : answers[i].status);
        assert_int_equal(world->id, 5);
    }
    world->order = SWIM_ORDER_DONE;
    assert_int_equal(post(world, "/force-leave", "{\"id\":\"3\",\"prune\":true}"), 200);
    assert_string_equal(world->text, "{\"id\":\"3\",\"pruned\":true}\n");
    assert_true(world->prune);
    world->told = 0;
    assert_int_equal(post(world, "/leave", ""), 200);
    assert_int_equal(post(world, "/leave", "{}"), 200);
    assert_int_equal(world->told, 2);
}

static void test_tags(void **state)
{
    struct world *world = *state;

    assert_int_equal(ask(world, false, "/tags", "", ""), 200);
    assert_string_equal(world->text, "{\"name\":\"\",\"tags\":{}}\n");
    assert_int_equal(post(world, "/tags", "{\"set\":{\"b\":\"2\",\"a\":\"1\"}}"), 200);
    assert_int_equal(post(world, "/tags", "{\"delete\":[\"b\"],\"set\":{\"c\":\"3\"}}"), 200);
    assert_int_equal(post(world, "/tags", "{\"delete\":[\"a\",\"x\"]}"), 400);
    assert_int_equal(world->told, 2);
    assert_int_equal(ask(world, false, "/tags", "", ""), 200);
    assert_string_equal(world->text, "{\"name\":\"\",\"tags\":{\"a\":\"1\",\"c\":\"3\"}}\n");
}

static void test_rtt(void **state)
{
    struct world *world = *state;

    assert_int_equal(ask(world, false, "/rtt", "id=77", ""), 200);
    assert_string_equal(world->text,
                        "{\"id\":\"77\",\"addr\":\"127.0.0.1:7000\",\"rtt_seconds\":null}\n");
    assert_int_equal(ask(world, false, "/rtt", "id=78", ""), 404);
    assert_int_equal(ask(world, false, "/rtt", "", ""), 400);
    assert_int_equal(ask(world, false, "/rtt", "id=x", ""), 400);
    assert_int_equal(ask(world, false, "/rtt", "id=77&x=1", ""), 400);
    assert_int_equal(ask(world, false, "/members", "status=nothing", ""), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_join, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_what_is_refused, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_zero_bytes, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_orders, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_tags, make_world, free_world),
        cmocka_unit_test_setup_teardown(test_rtt, make_world, free_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
