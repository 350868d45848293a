/* See scenario.h. */
#include "scenario.h"

#include "sanitized.h"

/* ---- Worlds ------------------------------------------------------------------------------ */

uint64_t scenario_seed(void)
{
    const char *text = getenv("SWIM_TEST_SEED");

    return text && *text ? strtoull(text, NULL, 0) : 1;
}

static uint64_t announce_seed(const char *name)
{
    uint64_t seed = scenario_seed();

    printf("%s: SWIM_TEST_SEED=%llu\n", name, (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

struct sim_config scenario_config(const char *name, uint32_t nodes_max)
{
    struct sim_config config;
    uint32_t members = 2 * nodes_max;

    sim_config_default(&config, announce_seed(name), nodes_max);
    if (nodes_max <= 8)
        config.check_period_ns = 0; /* after every event */
    config.member.members_max = members < 256 ? 256 : members > 16384 ? 16384 : members;
    return config;
}

struct sim *scenario_new(const struct sim_config *config)
{
    struct sim *sim = sim_new(config);

    assert_non_null(sim);
    return sim;
}

struct sim *scenario_of(const char *name, uint32_t nodes)
{
    struct sim_config config = scenario_config(name, nodes);
    struct sim *sim = scenario_new(&config);

    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

struct sim *scenario_large(const char *name, uint32_t nodes)
{
    struct sim_config config = scenario_config(name, nodes);
    struct sim *sim;

    config.keep_events = false;
    config.check_period_ns = SECONDS(20);
    config.poll_ns = 50 * SWIM_MS;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

static void fail_if_broken(struct sim *sim)
{
    if (sim_failure(sim) == NULL)
        return;
    show_world(sim);
    fail_msg("the simulation found a fault: %s", sim_failure(sim));
}

void scenario_end(struct sim *sim)
{
    sim_check(sim);
    fail_if_broken(sim);
    sim_free(sim);
}

uint32_t scenario_size(uint32_t full, uint32_t reduced)
{
    const char *small = getenv("SWIM_TEST_SMALL");

    if (!IS_SANITIZED && !(small && *small))
        return full;
    printf("scaled down for this slow build: %u instead of %u nodes\n", reduced, full);
    return reduced;
}

struct sim *scenario_acquainted(struct sim_config config, uint32_t nodes, uint64_t ms)
{
    struct sim *sim;

    config.keep_events = false;
    config.check_period_ns = SIM_NEVER;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i <= nodes; i++)
        sim_add(sim);
    for (uint32_t i = 0; i < nodes; i++)
        sim_start(sim, i);
    sim_acquaint(sim);
    run_ms(sim, ms);
    return sim;
}

void start_star(struct sim *sim, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        if (i != first)
            sim_seed_node(sim, i, first);
        sim_start(sim, i);
    }
}

void start_settled(struct sim *sim)
{
    start_star(sim, 0, sim_nodes(sim));
    expect_converged(sim, 20000);
    run_ms(sim, 10000);
    assert_true(sim_converged(sim, NULL));
}

struct sim *settled(const char *name, uint32_t nodes)
{
    struct sim *sim = scenario_of(name, nodes);

    start_settled(sim);
    return sim;
}

/* ---- Expectations ------------------------------------------------------------------------ */

void show_world(const struct sim *sim)
{
    const struct sim_event *events;
    size_t count = sim_events(sim, &events);
    uint32_t nodes = sim_nodes(sim);

    printf("at %llu ms:\n", (unsigned long long)(sim_now(sim) / SWIM_MS));
    for (uint32_t i = 0; i < nodes && i < 40; i++) {
        printf("  node %u %s id %016llx: %u alive, %u suspect, %u dead, %u left\n", i,
               sim_state(sim, i) == SIM_STOPPED  ? "stopped"
               : sim_state(sim, i) == SIM_PAUSED ? "paused"
                                                 : "running",
               (unsigned long long)sim_id(sim, i), sim_count(sim, i, SWIM_ALIVE),
               sim_count(sim, i, SWIM_SUSPECT), sim_count(sim, i, SWIM_DEAD),
               sim_count(sim, i, SWIM_LEFT));
    }
    for (size_t i = count > 40 && !getenv("SWIM_TEST_VERBOSE") ? count - 40 : 0; i < count; i++) {
        printf("  %8llu ms: node %u says %s about %016llx at incarnation %u\n",
               (unsigned long long)(events[i].at / SWIM_MS), events[i].node,
               swim_event_name(events[i].kind), (unsigned long long)events[i].id,
               events[i].incarnation);
    }
    fflush(stdout);
}

uint64_t expect_until(struct sim *sim, sim_condition *condition, const void *context,
                      uint64_t limit_ms, const char *what)
{
    uint64_t before = sim_now(sim);

    if (!sim_run_until(sim, condition, context, limit_ms * SWIM_MS)) {
        fail_if_broken(sim);
        show_world(sim);
        fail_msg("not within %llu ms: %s", (unsigned long long)limit_ms, what);
    }
    return (sim_now(sim) - before) / SWIM_MS;
}

uint64_t expect_converged(struct sim *sim, uint64_t limit_ms)
{
    uint64_t took_ms = expect_until(sim, sim_converged, NULL, limit_ms, "all see all");

    printf("  %u see all after %llu ms\n", sim_running(sim), (unsigned long long)took_ms);
    return took_ms;
}

static bool is_all_known(const struct sim *sim, const void *context)
{
    uint32_t running = sim_running(sim);

    (void)context;
    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        if (sim_state(sim, i) != SIM_STOPPED &&
            sim_count(sim, i, SWIM_ALIVE) + sim_count(sim, i, SWIM_SUSPECT) != running)
            return false;
    }
    return true;
}

uint64_t expect_all_known(struct sim *sim, uint64_t limit_ms)
{
    uint64_t took_ms = expect_until(sim, is_all_known, NULL, limit_ms, "all know all");

    printf("  %u know all after %llu ms\n", sim_running(sim), (unsigned long long)took_ms);
    return took_ms;
}

uint64_t expect_clean(struct sim *sim, uint64_t limit_ms)
{
    return expect_until(sim, sim_is_clean, NULL, limit_ms, "all see all, and no tombstones");
}

struct seen {
    uint64_t id;
    enum swim_status status;
};

static bool is_seen(const struct sim *sim, const void *context)
{
    const struct seen *seen = context;

    return sim_all_see(sim, seen->id, seen->status);
}

static bool is_forgotten(const struct sim *sim, const void *context)
{
    return sim_all_forgot(sim, *(const uint64_t *)context);
}

uint64_t expect_all_see(struct sim *sim, uint64_t id, enum swim_status status, uint64_t limit_ms)
{
    struct seen seen = {id, status};
    uint64_t took_ms = expect_until(sim, is_seen, &seen, limit_ms, swim_status_name(status));

    printf("  all see it %s after %llu ms\n", swim_status_name(status),
           (unsigned long long)took_ms);
    return took_ms;
}

uint64_t expect_all_forgot(struct sim *sim, uint64_t id, uint64_t limit_ms)
{
    return expect_until(sim, is_forgotten, &id, limit_ms, "all forgot it");
}

void run_ms(struct sim *sim, uint64_t duration_ms)
{
    sim_run(sim, duration_ms * SWIM_MS);
    fail_if_broken(sim);
}

static void expect_no_event(struct sim *sim, enum swim_event_kind kind, uint64_t except,
                            uint64_t since)
{
    const struct sim_event *events;
    size_t count = sim_events(sim, &events);

    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == kind && events[i].id != except && events[i].at >= since) {
            show_world(sim);
            fail_msg("node %u says %s about %016llx at %llu ms", events[i].node,
                     swim_event_name(kind), (unsigned long long)events[i].id,
                     (unsigned long long)(events[i].at / SWIM_MS));
        }
    }
}

void expect_nobody_suspected(struct sim *sim, uint64_t except, uint64_t since)
{
    expect_no_event(sim, SWIM_EVENT_SUSPECTED, except, since);
    expect_nobody_failed(sim, except, since);
}

void expect_nobody_failed(struct sim *sim, uint64_t except, uint64_t since)
{
    expect_no_event(sim, SWIM_EVENT_FAILED, except, since);
}

uint32_t log2_up(uint32_t n)
{
    uint32_t log = 0;

    while ((UINT32_C(1) << log) < n)
        log++;
    return log;
}

uint64_t suspicion_bound_ms(uint32_t n)
{
    return 3000 + UINT64_C(1500) * log2_up(n) + 1000;
}

uint64_t death_bound_ms(uint32_t n)
{
    uint32_t rounds = 2 * n - 1 < 6 ? 2 * n - 1 : 6;

    return 1000 * (rounds + 1) + suspicion_bound_ms(n) + 1000;
}

struct sim_traffic traffic_of(struct sim *sim, uint32_t node, uint64_t duration_ms)
{
    struct sim_traffic before = sim_sent(sim, node);
    struct sim_traffic after;

    run_ms(sim, duration_ms);
    after = sim_sent(sim, node);
    return sim_traffic_since(&after, &before);
}

/* ---- Forged datagrams -------------------------------------------------------------------- */

/* Of core/proof.h, whose other headers have some of the names that are used here. */
uint64_t proof_token(const struct swim *s, const struct swim_addr *addr, uint64_t id);

void forge(struct sim *sim, const struct swim_addr *from, uint32_t node,
           const struct forged *forged)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    struct wire_header header = forged->header;

    if (forged->is_proved)
        header.capabilities = WIRE_CAPABLE;
    wire_begin(&b, buf, sizeof buf, &header);
    if (forged->is_proved)
        assert_true(
            wire_put_token(&b, 0, proof_token(sim_member(sim, node), from, header.sender_id)));
    for (size_t i = 0; i < forged->count; i++)
        assert_true(wire_put_entry(&b, &forged->entries[i]));
    sim_inject(sim, from, node, buf, wire_finish(&b));
}

struct swim_member self_of(const struct sim *sim, uint32_t node)
{
    struct swim_member self;

    assert_true(swim_member_at(sim_member(sim, node), 0, &self));
    return self;
}

struct wire_header honest_header(const struct sim *sim, uint32_t node, uint8_t kind)
{
    struct swim_member self = self_of(sim, node);

    return (struct wire_header){.kind = kind,
                                .capabilities = WIRE_CAPABLE,
                                .sender_id = self.id,
                                .heartbeat = self.heartbeat,
                                .incarnation = self.incarnation};
}

struct wire_entry entry_of(const struct sim *sim, uint32_t observer, uint64_t id)
{
    struct swim_member member;

    assert_true(swim_member_find(sim_member(sim, observer), id, &member));
    return (struct wire_entry){.id = id,
                               .heartbeat = member.heartbeat,
                               .incarnation = member.incarnation,
                               .status = (uint8_t)member.status,
                               .addr = member.addr};
}

struct swim_addr make_addr(uint8_t last, uint16_t port)
{
    return (struct swim_addr){.ip = {192, 0, 2, last}, .port = port, .family = 4};
}

bool is_equal_addr(const struct swim_addr *a, const struct swim_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}
