/*
 * The trace of short scenarios against golden files, byte for byte: what members do, when, and how
 * it is told. The same files serve every build: gcc and clang, 64 and 32 bits, little- and
 * big-endian.
 *
 * When a trace changes, read what changed. If it is meant so:
 *
 *     SWIM_GOLDEN=write meson test -C DIR trace && git diff tests/sim/golden
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swimsim/trace.h"

#define NODES_MAX 8

/* ---- Stories ----------------------------------------------------------------------------- */

/* A world whose story is told into memory. */
struct story {
    struct sim *sim;
    struct trace *trace; /* NULL: nobody listens */
    FILE *out;
    char *text;
    size_t size;
};

static void story_begin(struct story *story, uint32_t nodes, const struct trace_config *config)
{
    struct sim_config world;
    sim_config_default(&world, 1, NODES_MAX);
    world.check_period_ns = 0;
    memset(story, 0, sizeof *story);
    story->sim = sim_new(&world);
    if (config != NULL) {
        struct trace_config told = *config;
        story->out = open_memstream(&story->text, &story->size);
        assert_non_null(story->out);
        told.out = story->out;
        story->trace = trace_new(story->sim, &told);
    }
    for (uint32_t i = 0; i < nodes; i++) {
        sim_add(story->sim);
        if (i > 0) {
            sim_seed_node(story->sim, i, 0);
        }
    }
}

static void start_all(struct story *story)
{
    for (uint32_t i = 0; i < sim_nodes(story->sim); i++) {
        sim_start(story->sim, i);
    }
}

static void run_ms(struct story *story, uint64_t ms)
{
    if (!sim_run(story->sim, ms * SWIM_MS)) {
        fail_msg("%s", sim_failure(story->sim));
    }
}

static void note(struct story *story, const char *text)
{
    if (story->trace != NULL) {
        trace_note(story->trace, text);
    }
}

/* Frees the world; the text stays until story_end. */
static void story_stop(struct story *story)
{
    trace_free(story->trace);
    if (story->out != NULL) {
        fclose(story->out);
    }
    sim_free(story->sim);
}

/* ---- Golden files ------------------------------------------------------------------------ */

static void golden_path(const char *name, char *ret, size_t size)
{
    const char *directory = getenv("SWIM_TEST_GOLDEN");
    if (directory == NULL) {
        fail_msg("SWIM_TEST_GOLDEN does not name the directory of golden files");
    }
    snprintf(ret, size, "%s/%s.trace", directory, name);
}

/* NULL when there is no such file. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *copy = open_memstream(&text, &size);
    assert_non_null(copy);
    for (int byte; (byte = getc(file)) != EOF;) {
        putc(byte, copy);
    }
    fclose(copy);
    fclose(file);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Shows the first line that differs. */
static void fail_at_difference(const char *name, const char *golden, const char *text)
{
    size_t line = 1;
    size_t begin = 0;
    for (size_t i = 0; golden[i] == text[i]; i++) {
        if (golden[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    fail_msg("%s.trace, line %lu\n  golden: %.*s\n  now:    %.*s\n"
             "If the change is meant: SWIM_GOLDEN=write, run again, and read the difference.",
             name, (unsigned long)line, (int)strcspn(golden + begin, "\n"), golden + begin,
             (int)strcspn(text + begin, "\n"), text + begin);
}

static void compare_with_golden(const char *name, const char *text)
{
    char path[4096];
    const char *mode = getenv("SWIM_GOLDEN");
    golden_path(name, path, sizeof path);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        write_file(path, text);
        print_message("written: %s\n", path);
        return;
    }
    char *golden = read_file(path);
    if (golden == NULL) {
        fail_msg("%s is missing: SWIM_GOLDEN=write makes it", path);
    }
    if (strcmp(golden, text) != 0) {
        fail_at_difference(name, golden, text);
    }
    free(golden);
}

/* ---- Scenarios --------------------------------------------------------------------------- */

static void play_join(struct story *story)
{
    start_all(story);
    run_ms(story, 1500);
    sim_add(story->sim);
    sim_seed_node(story->sim, 3, 1);
    sim_start(story->sim, 3);
    run_ms(story, 3000);
}

static void play_kill(struct story *story)
{
    start_all(story);
    run_ms(story, 3000);
    sim_crash(story->sim, 2);
    run_ms(story, 27000);
}

static void play_leave(struct story *story)
{
    start_all(story);
    run_ms(story, 3000);
    sim_leave(story->sim, 1);
    run_ms(story, 20000);
}

static void play_partition(struct story *story)
{
    start_all(story);
    run_ms(story, 3000);
    note(story, "partition: n0 n1 n2 | n3 n4");
    sim_split(story->sim, 3, 1);
    sim_split(story->sim, 4, 1);
    run_ms(story, 15000);
    sim_heal(story->sim);
    run_ms(story, 25000);
    assert_true(sim_converged(story->sim, NULL));
}

static void play_pause(struct story *story)
{
    start_all(story);
    run_ms(story, 3000);
    sim_pause(story->sim, 3, 10000 * SWIM_MS);
    run_ms(story, 25000);
    assert_true(sim_converged(story->sim, NULL));
}

static void play_lossy(struct story *story)
{
    struct sim_net net = {
        .delay_min_ns = SWIM_MS / 5, .delay_max_ns = 20 * SWIM_MS, .loss_permille = 300};
    sim_set_net(story->sim, &net);
    start_all(story);
    run_ms(story, 30000);
}

static void play_restart(struct story *story)
{
    start_all(story);
    run_ms(story, 3000);
    sim_restart_new_id(story->sim, 1);
    run_ms(story, 5000);
    sim_restart_same_id(story->sim, 2);
    run_ms(story, 5000);
    sim_restart_new_id(story->sim, 1);
    run_ms(story, 20000);
}

static void play_faults(struct story *story)
{
    const struct swim_addr outside = {.ip = {192, 0, 2, 1}, .port = 7946, .family = 4};
    const struct swim_addr moved = {.ip = {10, 0, 0, 99}, .port = 7946, .family = 4};
    start_all(story);
    run_ms(story, 2000);
    sim_block(story->sim, 0, 3000 * SWIM_MS, SIM_BLOCK_IO);
    sim_clock_jump(story->sim, 1, 5000 * SWIM_MS);
    run_ms(story, 4000);
    sim_clock_rate(story->sim, 1, 1000);
    sim_link_loss(story->sim, 0, 1, 1000);
    sim_link_loss(story->sim, 1, 2, 1000);
    run_ms(story, 4000);
    sim_heal(story->sim);
    sim_crash(story->sim, 2);
    sim_move(story->sim, 2, &moved);
    sim_start(story->sim, 2);
    sim_nat(story->sim, 1, &outside, false);
    run_ms(story, 10000);
}

static void play_datagrams(struct story *story)
{
    start_all(story);
    run_ms(story, 1200);
    sim_crash(story->sim, 1);
    sim_node_loss(story->sim, 2, 500, 0);
    run_ms(story, 2000);
}

struct scene {
    const char *name;
    uint32_t nodes;
    bool has_datagrams;
    void (*play)(struct story *story);
};

static const struct scene scenes[] = {
    {"join", 3, false, play_join},          {"kill", 4, false, play_kill},
    {"leave", 3, false, play_leave},        {"partition", 5, false, play_partition},
    {"pause", 4, false, play_pause},        {"lossy", 4, false, play_lossy},
    {"restart", 3, false, play_restart},    {"faults", 3, false, play_faults},
    {"datagrams", 3, true, play_datagrams},
};
#define SCENES (sizeof scenes / sizeof scenes[0])

/* ---- Tests ------------------------------------------------------------------------------- */

static void traces_are_golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENES; i++) {
        struct story story;
        struct trace_config config = {.has_datagrams = scenes[i].has_datagrams};
        story_begin(&story, scenes[i].nodes, &config);
        scenes[i].play(&story);
        story_stop(&story);
        compare_with_golden(scenes[i].name, story.text);
        free(story.text);
    }
}

static uint64_t hash_of(const struct scene *scene, const struct trace_config *config)
{
    struct story story;
    story_begin(&story, scene->nodes, config);
    scene->play(&story);
    uint64_t hash = sim_trace_hash(story.sim);
    story_stop(&story);
    free(story.text);
    return hash;
}

static void a_run_is_the_same_whoever_listens(void **state)
{
    (void)state;
    const struct trace_config few = {.has_datagrams = false};
    const struct trace_config all = {.has_datagrams = true};
    for (size_t i = 0; i < SCENES; i++) {
        uint64_t alone = hash_of(&scenes[i], NULL);
        assert_int_equal(hash_of(&scenes[i], &few), alone);
        assert_int_equal(hash_of(&scenes[i], &all), alone);
    }
}

/* Every line is a time, a name and a text; times don't go back; datagrams only add lines. */
static void lines_are_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCENES; i++) {
        struct story story;
        struct trace_config config = {.has_datagrams = true};
        unsigned long before = 0;
        story_begin(&story, scenes[i].nodes, &config);
        scenes[i].play(&story);
        story_stop(&story);
        for (char *line = strtok(story.text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            unsigned long seconds;
            unsigned long ms;
            char who[32];
            char what[8];
            assert_int_equal(sscanf(line, "%lu.%3lu %31s %7s", &seconds, &ms, who, what), 4);
            assert_true(seconds * 1000 + ms >= before);
            before = seconds * 1000 + ms;
        }
        free(story.text);
    }
}

/* What is no datagram of ours, or broken off anywhere, is described as far as it goes. */
static void any_bytes_can_be_told(void **state)
{
    (void)state;
    struct story story;
    struct trace_config config = {.has_datagrams = true};
    const struct swim_addr nowhere = {.ip = {203, 0, 113, 9}, .port = 9, .family = 4};
    uint8_t bytes[200];
    story_begin(&story, 2, &config);
    start_all(&story);
    run_ms(&story, 1000);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t size = 0; size <= sizeof bytes; size++) {
        for (uint8_t kind = 0; kind < 10; kind++) {
            bytes[0] = size % 7 == 0 ? 2 : 1;
            bytes[1] = kind;
            bytes[20] = 2;
            bytes[21] = 1;
            bytes[24] = 0;
            bytes[25] = (uint8_t)(size % 64);
            sim_inject(story.sim, &nowhere, 0, bytes, size);
        }
    }
    run_ms(&story, 1000);
    story_stop(&story);
    assert_non_null(strstr(story.text, "<- nobody  what is no datagram of version 1, of 0 bytes"));
    free(story.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_are_golden),
        cmocka_unit_test(a_run_is_the_same_whoever_listens),
        cmocka_unit_test(lines_are_in_order),
        cmocka_unit_test(any_bytes_can_be_told),
    };

    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
