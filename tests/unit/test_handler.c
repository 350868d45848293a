/*
 * How events are parted into runs of the program: how many at once, what was lost, and that a batch
 * is gathered before anything runs. The program is cat, through a shell that the test asks for.
 */
#define _GNU_SOURCE
#include "support.h"

#include "agent/handler.h"

#include <event2/event.h>
#include <jansson.h>
#include <unistd.h>

static struct world {
    struct event_base *base;
    struct journal *journal;
    struct handler *handler;
    struct agent_config config;
    struct swim *swim;
    void *arena;
    char path[64];
} world;

static void add_word(const char *text)
{
    assert_null(config_add_exec(&world.config, text));
}

static int begin(void **state)
{
    struct swim_config *config = &world.config.swim;

    (void)state;
    world = (struct world){.path = "/tmp/swim-handler-XXXXXX"};
    int fd = mkstemp(world.path);
    assert_true(fd >= 0);
    (void)close(fd);
    config_default(&world.config);
    add_word("/bin/sh");
    add_word("-c");
    add_word("cat >> \"$0\"");
    add_word(world.path);
    world.config.exec_batch_ms = 1;
    config->id = 7;
    config->addr = (struct swim_addr){.family = 4, .ip = {127, 0, 0, 1}, .port = 7000};
    config->members_max = 4;
    world.arena = calloc(1, swim_footprint(config));
    assert_non_null(world.arena);
    world.swim = swim_init(world.arena, swim_footprint(config), config, SWIM_MS);
    world.base = event_base_new();
    world.journal = journal_new(1);
    world.handler = handler_new(world.base, world.swim, world.journal, &world.config);
    return world.handler == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    handler_free(world.handler);
    journal_free(world.journal);
    event_base_free(world.base);
    free(world.arena);
    (void)unlink(world.path);
    return 0;
}

static void add(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct swim_event event = {.kind = SWIM_EVENT_JOINED, .member = {.id = 9}};
        journal_add(world.journal, world.swim, &event);
    }
    handler_push(world.handler);
}

static void await_runs(uint64_t count)
{
    while (handler_stats(world.handler).ok < count)
        (void)event_base_loop(world.base, EVLOOP_ONCE);
}

/* Reads the next run's input from `file`; returns how many events, all in order from *next on. */
static size_t read_run(FILE *file, uint64_t *next, json_int_t missed)
{
    json_t *root = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *events = json_object_get(root, "events");
    size_t count = json_array_size(events);
    char id[JOURNAL_ID_SIZE];

    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "self"), "id")),
                        "7");
    assert_int_equal(json_integer_value(json_object_get(root, "missed")), missed);
    for (size_t i = 0; i < count; i++) {
        journal_format_id(world.journal, (*next)++, id);
        assert_string_equal(json_string_value(json_object_get(json_array_get(events, i), "id")),
                            id);
    }
    json_decref(root);
    return count;
}

static void test_batches(void **state)
{
    (void)state;
    uint64_t next = 1;

    assert_false(handler_stats(world.handler).is_running);
    add(1);
    add(HANDLER_EVENTS_MAX);
    assert_false(handler_stats(world.handler).is_running);
    await_runs(2);
    FILE *file = fopen(world.path, "r");
    assert_non_null(file);
    assert_int_equal(read_run(file, &next, 0), HANDLER_EVENTS_MAX);
    assert_int_equal(read_run(file, &next, 0), 1);
    (void)fclose(file);
    assert_int_equal(event_base_loop(world.base, EVLOOP_NONBLOCK), 0);
    assert_int_equal(handler_stats(world.handler).ok, 2);
}

/* More than is held happens before anything is handed over. */
static void test_missed(void **state)
{
    (void)state;
    uint64_t next = 101;

    add(JOURNAL_EVENTS_MAX + 100);
    await_runs(JOURNAL_EVENTS_MAX / HANDLER_EVENTS_MAX);
    FILE *file = fopen(world.path, "r");
    assert_non_null(file);
    assert_int_equal(read_run(file, &next, 100), HANDLER_EVENTS_MAX);
    for (int i = 1; i < JOURNAL_EVENTS_MAX / HANDLER_EVENTS_MAX; i++)
        assert_int_equal(read_run(file, &next, 0), HANDLER_EVENTS_MAX);
    (void)fclose(file);
    assert_int_equal(next, JOURNAL_EVENTS_MAX + 101);
    assert_int_equal(handler_stats(world.handler).missed, 100);
}

static void test_none(void **state)
{
    (void)state;
    struct handler_stats stats;

    world.config.exec_count = 0;
    add(10);
    (void)event_base_loop(world.base, EVLOOP_NONBLOCK);
    stats = handler_stats(world.handler);
    assert_int_equal(stats.ok + stats.failed + stats.not_started + stats.missed, 0);
    world.config.exec_count = 4;
    add(1);
    await_runs(1);
    FILE *file = fopen(world.path, "r");
    uint64_t next = 11;
    assert_non_null(file);
    assert_int_equal(read_run(file, &next, 0), 1);
    (void)fclose(file);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {TEST(test_batches), TEST(test_missed), TEST(test_none)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
