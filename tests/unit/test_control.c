/*
 * The control socket's routes, without a socket: what each answers, which bodies are refused, and
 * that neither a key nor any other part of a request comes back.
 */
#include "support.h"

#include "agent/control.h"
#include "agent/wiping_heap.h"

#include <event2/buffer.h>

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "FFEEDDCCBBAA99887766554433221100ffeeddccbbaa99887766554433221100"

/* ---- A keyring of the test's ------------------------------------------------------------- */

struct ring {
    uint32_t ids[SWIM_KEYS_MAX];
    uint32_t count;
    uint8_t installed[SWIM_KEY_SIZE];
    enum swim_key_error fail; /* what the next change answers */
    const char *unsaved;
    unsigned changes;
};

static uint32_t ring_list(void *context, uint32_t ret_ids[SWIM_KEYS_MAX])
{
    struct ring *ring = context;

    memcpy(ret_ids, ring->ids, sizeof ring->ids);
    return ring->count;
}

static enum swim_key_error answer(struct ring *ring, const char **ret_unsaved)
{
    if (ring->fail == SWIM_KEY_OK) {
        ring->changes++;
        *ret_unsaved = ring->unsaved;
    }
    return ring->fail;
}

static enum swim_key_error ring_install(void *context, const uint8_t key[SWIM_KEY_SIZE],
                                        const char **ret_unsaved)
{
    struct ring *ring = context;

    memcpy(ring->installed, key, sizeof ring->installed);
    ring->ids[ring->count++] = 0x0000beef;
    return answer(ring, ret_unsaved);
}

static enum swim_key_error ring_use(void *context, uint32_t key_id, const char **ret_unsaved)
{
    struct ring *ring = context;

    ring->ids[0] = key_id;
    return answer(ring, ret_unsaved);
}

static enum swim_key_error ring_remove(void *context, uint32_t key_id, const char **ret_unsaved)
{
    struct ring *ring = context;

    ring->ids[1] = key_id;
    return answer(ring, ret_unsaved);
}

/* ---- Requests ---------------------------------------------------------------------------- */

struct world {
    void *arena;
    struct ring ring;
    struct control_keys keys;
    struct control_source source;
    struct http_reply reply;
    char text[4096];
};

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
    world.source.swim = swim_init(world.arena, swim_footprint(&config), &config, 0);
    world.ring = (struct ring){.ids = {0x01020304, 0xfffffffe}, .count = 2};
    world.keys = (struct control_keys){.context = &world.ring,
                                       .envelope = 2,
                                       .list = ring_list,
                                       .install = ring_install,
                                       .use = ring_use,
                                       .remove = ring_remove};
    world.source.keys = &world.keys;
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

static int ask(struct world *world, bool is_post, const char *path, const void *body, size_t size)
{
    char *exact = malloc(size + 1); /* a sanitizer sees any step beyond */
    assert_non_null(exact);
    struct http_request request = {
        .is_post = is_post, .path = path, .query = "", .host = "", .fd = -1, .body_size = size};

    memcpy(exact, body, size);
    request.body = exact;
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

static int get(struct world *world, const char *path)
{
    return ask(world, false, path, "", 0);
}

static int post(struct world *world, const char *path, const char *body)
{
    return ask(world, true, path, body, strlen(body));
}

/* ---- Tests ------------------------------------------------------------------------------- */

static void test_lists(void **state)
{
    struct world *world = *state;

    assert_int_equal(get(world, "/keys"), 200);
    assert_string_equal(world->text, "{\"keys\":[{\"id\":\"01020304\",\"primary\":true},"
                                     "{\"id\":\"fffffffe\",\"primary\":false}],\"envelope\":2}\n");
    assert_int_equal(get(world, "/info"), 200);
    assert_non_null(strstr(world->text, "\"id\":\"77\",\"addr\":\"127.0.0.1:7000\""));
    assert_non_null(strstr(world->text, "\"members\":{\"alive\":1,\"suspect\":0,"));
    assert_int_equal(get(world, "/"), 200);
    assert_non_null(strstr(world->text, "/keys/install"));
}

static void test_changes(void **state)
{
    struct world *world = *state;

    assert_int_equal(post(world, "/keys/install", "{\"key\":\"" KEY_A "\"}"), 200);
    assert_string_equal(
        world->text, "{\"keys\":[{\"id\":\"01020304\",\"primary\":true},"
                     "{\"id\":\"fffffffe\",\"primary\":false},"
                     "{\"id\":\"0000beef\",\"primary\":false}],\"envelope\":2,\"saved\":true}\n");
    assert_int_equal(world->ring.installed[1], 0x11);
    assert_int_equal(world->ring.installed[31], 0xff);
    assert_int_equal(post(world, "/keys/install", " {\"key\" :\"" KEY_B "\"}\n"), 200);
    assert_int_equal(world->ring.installed[0], 0xff);
    world->ring.unsaved = "no \"space\"";
    assert_int_equal(post(world, "/keys/use", "{\"id\":\"0a0B0c0d\"}"), 200);
    assert_int_equal(world->ring.ids[0], 0x0a0b0c0d);
    assert_non_null(strstr(world->text, ",\"saved\":false,\"reason\":\"no \\\"space\\\"\"}"));
    assert_int_equal(post(world, "/keys/remove", "{\"id\":\"80000001\"}"), 200);
    assert_int_equal(world->ring.ids[1], 0x80000001);
    assert_int_equal(world->ring.changes, 4);
}

static void test_errors(void **state)
{
    struct world *world = *state;
    static const struct {
        enum swim_key_error error;
        int status;
    } errors[] = {{SWIM_KEY_FULL, 409},
                  {SWIM_KEY_UNKNOWN, 404},
                  {SWIM_KEY_PRIMARY, 409},
                  {SWIM_KEY_WEAK, 400}};

    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        world->ring.fail = errors[i].error;
        assert_int_equal(post(world, "/keys/use", "{\"id\":\"01020304\"}"), errors[i].status);
        assert_memory_equal(world->text, "{\"error\":\"", 10);
    }
    world->source.keys = NULL;
    assert_int_equal(get(world, "/keys"), 409);
    assert_non_null(strstr(world->text, "key_file")); /* the way out */
    assert_int_equal(post(world, "/keys/install", "{\"key\":\"" KEY_A "\"}"), 409);
    assert_int_equal(get(world, "/info"), 200);
}

static void test_routes(void **state)
{
    struct world *world = *state;
    static const char *const unknown[] = {
        "",       "/x",     "/keys/", "/Keys",          "//keys",
        "/keys?", "/info ", "keys",   "/keys/install/", "/membership"};

    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        assert_int_equal(get(world, unknown[i]), 404);
    assert_int_equal(get(world, "/keys/use"), 405);
    assert_string_equal(world->reply.allow, "POST");
    assert_int_equal(get(world, "/metrics"), 409); /* no daemon is around this member */
    assert_int_equal(post(world, "/keys", "{}"), 405);
    assert_string_equal(world->reply.allow, "GET");
}

static void test_bodies_that_are_refused(void **state)
{
    struct world *world = *state;
    static const char *const ids[] = {
        "",
        "{}",
        "[]",
        "null",
        "\"01020304\"",
        "{\"id\":\"01020304\"",
        "{\"id\":\"01020304\"}}",
        "{\"id\":\"01020304\"} x",
        "{\"id\":\"01020304\",\"id\":\"01020304\"}",
        "{\"id\":\"01020304\",\"marker\":1}",
        "{\"ID\":\"01020304\"}",
        "{\"id\":1020304}",
        "{\"id\":null}",
        "{\"id\":[\"01020304\"]}",
        "{\"id\":\"1020304\"}",
        "{\"id\":\"010203040\"}",
        "{\"id\":\"0102030g\"}",
        "{\"id\":\" 1020304\"}",
        "{\"id\":\"0x020304\"}",
        "{\"id\":\"01020304\\u0000\"}",
        "{'id':'01020304'}",
        "id=01020304",
        "{\"key\":\"" KEY_A "\"}",
        "{\"id\":\"marker\"}",
        "{\"marker\":\"marker\"}",
    };
    static const char *const keys[] = {
        "{\"key\":\"\"}",
        "{\"key\":\"marker\"}",
        "{\"key\":\"" KEY_A "0\"}",
        "{\"key\":\"0" KEY_A "\"}",
        "{\"key\":\"" KEY_A KEY_A "\"}",
        "{\"key\":\" " KEY_A "\"}",
        "{\"key\":\"" KEY_A "\",\"primary\":true}",
        "{\"key\":{\"key\":\"" KEY_A "\"}}",
        "{\"id\":\"01020304\"}",
    };

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        if (post(world, "/keys/use", ids[i]) != 400 || post(world, "/keys/remove", ids[i]) != 400)
            fail_msg("%s: %s", ids[i], world->text);
        assert_null(strstr(world->text, "marker"));
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (post(world, "/keys/install", keys[i]) != 400)
            fail_msg("%s: %s", keys[i], world->text);
        assert_null(strstr(world->text, "001122"));
        assert_null(strstr(world->text, "marker"));
    }
    assert_int_equal(world->ring.changes, 0);
}

/* Every truncation, every byte changed: refused or understood, never a crash. */
static void test_damaged_bodies(void **state)
{
    struct world *world = *state;
    static const char body[] = "{\"id\":\"01020304\"}";
    char damaged[sizeof body];

    for (size_t size = 0; size < sizeof body - 1; size++)
        assert_int_equal(ask(world, true, "/keys/use", body, size), 400);
    for (size_t at = 0; at < sizeof body - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(damaged, body, sizeof body);
            damaged[at] = (char)byte;
            int status = ask(world, true, "/keys/use", damaged, sizeof body - 1);
            bool is_legal = (at >= 7 && at < 15) || damaged[at] == body[at];
            assert_true(status == 400 || (status == 200 && is_legal));
        }
    }
}

/* As deep, and as many members, as a body can hold. */
static void test_bombs(void **state)
{
    struct world *world = *state;
    static char bomb[CONTROL_BODY_MAX];

    memset(bomb, '[', sizeof bomb);
    assert_int_equal(ask(world, true, "/keys/use", bomb, sizeof bomb), 400);
    for (size_t i = 0; i + 5 <= sizeof bomb; i += 5)
        memcpy(bomb + i, "{\"\":", 4);
    assert_int_equal(ask(world, true, "/keys/use", bomb, sizeof bomb), 400);
    memset(bomb, '1', sizeof bomb);
    assert_int_equal(ask(world, true, "/keys/use", bomb, sizeof bomb), 400);
    memset(bomb, '"', sizeof bomb);
    assert_int_equal(ask(world, true, "/keys/use", bomb, sizeof bomb), 400);
}

static void test_heap_keeps_what_it_holds(void **state)
{
    (void)state;
    char *memory = wiping_heap_get(10);

    assert_non_null(memory);
    memcpy(memory, "0123456789", 10);
    memory = wiping_heap_resize(memory, 100000);
    assert_memory_equal(memory, "0123456789", 10);
    memory = wiping_heap_resize(memory, 4);
    assert_memory_equal(memory, "0123", 4);
    wiping_heap_put(memory);
    wiping_heap_put(NULL);
    assert_null(wiping_heap_get(SIZE_MAX));
    memory = wiping_heap_resize(NULL, 3);
    assert_non_null(memory);
    wiping_heap_put(memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lists),
        TEST(test_changes),
        TEST(test_errors),
        TEST(test_routes),
        TEST(test_bodies_that_are_refused),
        TEST(test_damaged_bodies),
        TEST(test_bombs),
        cmocka_unit_test(test_heap_keeps_what_it_holds),
    };

    wiping_heap_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
