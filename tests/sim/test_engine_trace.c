/*
 * Determinism: short runs under every kind of fault end in the very hashes that are written down
 * in golden/engine.hash, on every compiler, word size and byte order. A change of the protocol, or
 * of what a member sends when, changes them: then tools/golden-traces writes the new ones, and
 * they belong into the commit that changed them. Any other change is a bug.
 */
#include "scenario.h"

#include "base/hash.h"

#define MS(n) ((uint64_t)(n)*SWIM_MS)

typedef void run_fn(struct sim *sim);

static struct sim *world(uint64_t seed, uint32_t nodes, uint8_t family)
{
    struct sim_config config;
    struct sim *sim;

    sim_config_default(&config, seed, nodes + 2);
    config.family = family;
    config.member.members_max = 256;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

/* All that has come of it: deliveries, the ledger, what was told, how all ended. */
static uint64_t outcome(const struct sim *sim)
{
    struct sim_ledger ledger = sim_ledger(sim);
    const struct sim_event *events;
    size_t count = sim_events(sim, &events);
    uint64_t hash = sim_trace_hash(sim);

    hash = hash_combine(hash, ledger.sent);
    hash = hash_combine(hash, ledger.delivered);
    hash = hash_combine(hash, ledger.duplicated);
    for (unsigned i = 0; i < SIM_DROPS; i++)
        hash = hash_combine(hash, ledger.dropped[i]);
    for (size_t i = 0; i < count; i++) {
        hash = hash_combine(hash, events[i].at);
        hash = hash_combine(hash, events[i].id ^ events[i].node);
        hash = hash_combine(hash, (uint64_t)events[i].kind << 32 | events[i].incarnation);
    }
    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        if (sim_state(sim, i) != SIM_STOPPED)
            hash = hash_combine(hash, swim_view_digest(sim_member(sim, i)));
    }
    return hash;
}

/* ---- The runs ---------------------------------------------------------------------------- */

static void quiet(struct sim *sim)
{
    start_star(sim, 0, sim_nodes(sim));
    run_ms(sim, 10000);
    sim_crash(sim, 3);
    run_ms(sim, 15000);
}

static void lossy(struct sim *sim)
{
    struct sim_net net = {.delay_min_ns = MS(1),
                          .delay_max_ns = MS(80),
                          .loss_permille = 150,
                          .duplicate_permille = 50,
                          .corrupt_permille = 30};

    sim_set_net(sim, &net);
    start_star(sim, 0, sim_nodes(sim));
    run_ms(sim, 20000);
}

static void links(struct sim *sim)
{
    struct sim_net normal = {.delay_min_ns = MS(5),
                             .delay_max_ns = MS(25),
                             .delay = SIM_DELAY_NORMAL,
                             .jitter_ns = MS(3)};
    struct sim_net heavy = {.delay_min_ns = MS(2),
                            .delay_max_ns = MS(700),
                            .delay = SIM_DELAY_HEAVY,
                            .reorder_permille = 100};
    struct sim_net thin = {.delay_min_ns = MS(10),
                           .delay_max_ns = MS(10),
                           .delay = SIM_DELAY_CONSTANT,
                           .bandwidth = 3000,
                           .queue_bytes = 700};

    sim_set_net(sim, &normal);
    for (uint32_t i = 0; i < sim_nodes(sim); i++)
        sim_set_zone(sim, i, i % 3);
    sim_set_zone_link(sim, 0, 1, &heavy);
    sim_set_zone_link(sim, 1, 2, &thin);
    sim_set_link(sim, 2, 0, &thin);
    start_star(sim, 0, sim_nodes(sim));
    run_ms(sim, 15000);
    sim_clear_links(sim);
    run_ms(sim, 5000);
}

static void nodes(struct sim *sim)
{
    struct swim_addr addr = sim_addr(sim, 8);

    start_star(sim, 0, sim_nodes(sim));
    sim_clock_rate(sim, 1, -200000);
    sim_clock_rate(sim, 2, 37);
    run_ms(sim, 5000);
    sim_pause(sim, 3, MS(4321));
    sim_block(sim, 4, MS(3000), SIM_BLOCK_IO);
    sim_block(sim, 5, MS(6000), SIM_BLOCK_PROCESS);
    sim_service(sim, 6, MS(300), 2);
    run_ms(sim, 3000);
    sim_clock_jump(sim, 2, MS(7777));
    sim_crash(sim, 7);
    sim_leave(sim, 8);
    run_ms(sim, 5000);
    sim_service(sim, 6, 0, 0);
    sim_clock_rate(sim, 1, 500000);
    sim_move(sim, 7, &addr);
    sim_restart_new_id(sim, 7);
    sim_restart_same_id(sim, 0);
    run_ms(sim, 10000);
}

static bool lose_some(void *context, const struct sim_datagram *datagram)
{
    (void)context;
    return datagram->size % 13 != 0;
}

static void cuts(struct sim *sim)
{
    static const uint8_t noise[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct swim_addr outside[] = {make_addr(1, 100), make_addr(1, 101)};

    for (uint32_t i = 0; i < 2; i++) {
        sim_nat(sim, 8 + i, &outside[i], i);
        sim_member_config(sim, 8 + i)->addr = outside[i];
    }
    start_star(sim, 0, sim_nodes(sim));
    run_ms(sim, 5000);
    sim_link_loss(sim, 1, 2, 1000);
    sim_node_loss(sim, 3, 300, 100);
    for (uint32_t i = 0; i < 10; i++) {
        sim_link_loss(sim, 4, 5, i % 2 * 1000);
        run_ms(sim, 500);
    }
    sim_filter(sim, lose_some, NULL);
    for (uint32_t i = 5; i < 8; i++)
        sim_split(sim, i, 1);
    sim_inject(sim, &outside[0], 0, noise, sizeof noise);
    run_ms(sim, 8000);
    sim_heal(sim);
    sim_filter(sim, NULL, NULL);
    run_ms(sim, 8000);
}

static void warm(struct sim *sim)
{
    for (uint32_t i = 0; i < sim_nodes(sim); i++)
        sim_start(sim, i);
    sim_acquaint(sim);
    run_ms(sim, 2000);
    sim_crash(sim, 5);
    sim_crash(sim, 17);
    run_ms(sim, 8000);
}

static const struct run {
    const char *name;
    run_fn *run;
    uint32_t nodes;
    uint8_t family;
} runs[] = {
    {"quiet", quiet, 8, 4},  {"lossy", lossy, 12, 4}, {"links", links, 12, 6},
    {"nodes", nodes, 10, 4}, {"cuts", cuts, 10, 4},   {"warm", warm, 60, 6},
};

static uint64_t run_once(const struct run *run, uint64_t seed, sim_watch_fn *watch, void *context)
{
    struct sim *sim = world(seed, run->nodes, run->family);
    uint64_t hash;

    if (watch)
        sim_watch(sim, watch, context);
    run->run(sim);
    hash = outcome(sim);
    scenario_end(sim);
    return hash;
}

/* ---- Tests ------------------------------------------------------------------------------- */

static void write_hashes(FILE *file)
{
    for (size_t i = 0; i < COUNT_OF(runs); i++)
        fprintf(file, "%s %016llx\n", runs[i].name,
                (unsigned long long)run_once(&runs[i], 1 + i, NULL, NULL));
}

static void every_run_ends_in_its_golden_hash(void **state)
{
    (void)state;
    const char *folder = getenv("SWIM_TEST_GOLDEN");
    const char *mode = getenv("SWIM_GOLDEN");
    char path[1024], golden[1024] = "", now[1024] = "";
    FILE *file = tmpfile();

    assert_non_null(folder);
    assert_non_null(file);
    write_hashes(file);
    rewind(file);
    (void)!fread(now, 1, sizeof now - 1, file);
    fclose(file);
    snprintf(path, sizeof path, "%s/engine.hash", folder);
    if (mode && strcmp(mode, "write") == 0) {
        file = fopen(path, "w");
        assert_non_null(file);
        fputs(now, file);
        assert_int_equal(fclose(file), 0);
    }
    file = fopen(path, "r");
    assert_non_null(file);
    (void)!fread(golden, 1, sizeof golden - 1, file);
    fclose(file);
    if (strcmp(golden, now) != 0)
        fail_msg("golden:\n%s\nnow:\n%s\nIf the change is meant: tools/golden-traces.", golden,
                 now);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        uint64_t hash = run_once(&runs[i], 42, NULL, NULL);

        assert_true(run_once(&runs[i], 42, NULL, NULL) == hash);
        assert_true(run_once(&runs[i], 43, NULL, NULL) != hash);
    }
}

static void look(void *context, const struct sim *sim, const struct sim_happening *happening)
{
    ++*(uint64_t *)context;
    (void)sim_ledger(sim);
    if (happening->node != SIM_NOBODY)
        (void)sim_count(sim, happening->node, SWIM_ALIVE);
}

static void who_looks_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        uint64_t seen = 0;

        assert_true(run_once(&runs[i], 7, look, &seen) == run_once(&runs[i], 7, NULL, NULL));
        assert_true(seen > 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_ends_in_its_golden_hash),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(who_looks_changes_nothing),
    };

    return cmocka_run_group_tests_name("engine_trace", tests, NULL, NULL);
}
