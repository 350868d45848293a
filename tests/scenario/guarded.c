/* Clusters behind src/seal: see guarded.h. docs/protocol.md section 3. */
#include "guarded.h"

#include "base/bytes.h"
#include "base/prng.h"

const char *mode_name(enum guard_mode mode)
{
    static const char *const names[] = {"plaintext", "envelope 1", "envelope 2"};

    return names[mode];
}

/* ---- One process ------------------------------------------------------------------------- */

static void note_event(struct guard *guard, const struct swim_event *event)
{
    struct guarded *world = guard->world;

    if (event->kind == SWIM_EVENT_ID_CHANGED)
        sim_member_config(world->sim, guard->node)->id = event->member.id;
    if (world->event_count == world->event_cap) {
        world->event_cap = world->event_cap ? 2 * world->event_cap : 256;
        world->events = realloc(world->events, world->event_cap * sizeof *world->events);
        assert_non_null(world->events);
    }
    world->events[world->event_count++] =
        (struct sim_event){.at = sim_now(world->sim),
                           .node = guard->node,
                           .id = event->member.id,
                           .incarnation = event->member.incarnation,
                           .kind = event->kind,
                           .before = event->before,
                           .status = event->member.status};
}

/* The loop of seal.h. */
static void guard_receive(void *state, swim_time now, const struct swim_addr *from,
                          const void *data, size_t size)
{
    struct guard *guard = state;
    struct swim_seal_opened opened;
    uint8_t buf[SWIM_RECEIVE_MAX];

    if (!guard->seal) {
        (void)swim_receive(guard->swim, now, from, data, size);
        return;
    }
    if (swim_seal_open(guard->seal, data, size, buf, sizeof buf, &opened) != SWIM_SEAL_OK)
        return;
    if (opened.is_fresh)
        (void)swim_receive(guard->swim, now, from, buf, opened.size);
    else if (swim_receive_unproved(guard->swim, now, from, buf, opened.size) == SWIM_OK)
        swim_seal_admit(guard->seal, &opened);
}

static void guard_advance(void *state, swim_time now)
{
    swim_advance(((struct guard *)state)->swim, now);
}

static size_t guard_transmit(void *state, swim_time now, struct swim_addr *ret_to, void *buf,
                             size_t cap)
{
    struct guard *guard = state;
    struct swim_event event;
    uint8_t datagram[SWIM_DATAGRAM_MAX];
    size_t size = swim_transmit(guard->swim, now, ret_to, datagram, sizeof datagram);

    if (size == 0) {
        while (swim_next_event(guard->swim, &event))
            note_event(guard, &event);
        return 0;
    }
    if (guard->seal)
        return swim_seal_wrap(guard->seal, datagram, size, buf, cap);
    memcpy(buf, datagram, size);
    return size;
}

static swim_time guard_deadline(const void *state)
{
    return swim_deadline(((const struct guard *)state)->swim);
}

static const char *guard_check(const void *state)
{
    const struct guard *guard = state;
    struct swim_seal_stats seal = {0};
    struct swim_stats stats;

    swim_stats(guard->swim, &stats);
    if (guard->seal)
        swim_seal_stats(guard->seal, &seal);
    if (seal.windows > stats.slots_max)
        return "more windows than members";
    return swim_check(guard->swim);
}

static bool guard_find(const void *state, uint64_t id, enum swim_status *ret_status)
{
    struct swim_member member;

    if (!swim_member_find(((const struct guard *)state)->swim, id, &member))
        return false;
    *ret_status = member.status;
    return true;
}

static uint32_t guard_count(const void *state, enum swim_status status)
{
    return swim_member_count(((const struct guard *)state)->swim, status);
}

static const struct sim_peer_ops guard_ops = {
    .receive = guard_receive,
    .advance = guard_advance,
    .transmit = guard_transmit,
    .deadline = guard_deadline,
    .check = guard_check,
    .find = guard_find,
    .count = guard_count,
};

/* ---- Lives ------------------------------------------------------------------------------- */

static void guard_stop(struct guard *guard)
{
    free(guard->swim);
    swim_seal_free(guard->seal);
    guard->swim = NULL;
    guard->seal = NULL;
}

static void draw(struct prng *prng, uint8_t *ret, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ret[i] = (uint8_t)prng_below(prng, 256);
}

static struct swim_seal *new_seal(struct guard *guard, struct prng *prng)
{
    struct guarded *world = guard->world;
    uint64_t now_ms = GUARD_FIRST_START + sim_now(world->sim) / SWIM_MS;
    struct swim_seal_config config = {
        .envelope = world->mode == ENVELOPE_1 ? SWIM_ENVELOPE_1 : SWIM_ENVELOPE_2,
        .members_max = sim_member_config(world->sim, guard->node)->members_max,
    };
    struct swim_seal *seal;

    guard->start = config.start = now_ms > guard->start ? now_ms : guard->start + 1;
    draw(prng, config.entropy, sizeof config.entropy);
    seal = swim_seal_new(&config);
    assert_non_null(seal);
    for (uint32_t i = 0; i < SWIM_KEYS_MAX && world->keys[i]; i++) {
        uint8_t key[SWIM_KEY_SIZE] = {world->keys[i]};

        assert_int_equal(swim_seal_key_install(seal, key), SWIM_KEY_OK);
    }
    return seal;
}

uint32_t guarded_datagram_max(const struct guarded *world)
{
    if (world->mode == PLAINTEXT)
        return SWIM_DATAGRAM_MAX;
    return SWIM_DATAGRAM_MAX -
           (world->mode == ENVELOPE_1 ? SWIM_SEAL_OVERHEAD_1 : SWIM_SEAL_OVERHEAD_2);
}

void guarded_start(struct guarded *world, uint32_t number)
{
    struct guard *guard = &world->guards[number];
    struct swim_config config = *sim_member_config(world->sim, guard->node);
    struct swim_addr seed = sim_addr(world->sim, number == 0);
    swim_time now = sim_local_time(world->sim, guard->node, sim_now(world->sim));
    struct prng prng;
    size_t size;

    prng_init(&prng, scenario_seed() * 1000003 + guard->node * 1009 + ++guard->lives);
    config.seed = prng_next(&prng);
    draw(&prng, config.secret, sizeof config.secret);
    config.datagram_max = guarded_datagram_max(world);
    assert_null(swim_config_check(&config));
    size = swim_footprint(&config);
    guard_stop(guard);
    guard->swim = swim_init(calloc(1, size), size, &config, now);
    if (world->mode != PLAINTEXT)
        guard->seal = new_seal(guard, &prng);
    if (number != 0 || guard->lives > 1)
        swim_join(guard->swim, now, &seed);
    sim_start_peer(world->sim, guard->node, &guard_ops, guard, 0);
}

void guarded_crash(struct guarded *world, uint32_t number)
{
    sim_crash(world->sim, world->guards[number].node);
}

void guarded_restart(struct guarded *world, uint32_t number, enum restart how)
{
    struct guard *guard = &world->guards[number];
    struct swim_config *config = sim_member_config(world->sim, guard->node);
    struct swim_member self;

    assert_true(swim_member_at(guard->swim, 0, &self));
    if (sim_state(world->sim, guard->node) != SIM_STOPPED)
        sim_crash(world->sim, guard->node);
    if (how == RESTART_SAME_ID)
        config->incarnation = self.incarnation + 1;
    if (how == RESTART_NEW_ID) {
        config->id = self.id * 31 + 7;
        config->incarnation = 0;
    }
    guarded_start(world, number);
}

void guarded_move(struct guarded *world, uint32_t number, const struct swim_addr *addr)
{
    uint32_t node = world->guards[number].node;

    sim_move(world->sim, node, addr);
    sim_member_config(world->sim, node)->addr = *addr;
}

void guarded_leave(struct guarded *world, uint32_t number)
{
    struct guard *guard = &world->guards[number];

    swim_leave(guard->swim, sim_local_time(world->sim, guard->node, sim_now(world->sim)));
    sim_poke(world->sim, guard->node);
    for (unsigned i = 0; i < 50 && !swim_has_left(guard->swim); i++)
        run_ms(world->sim, 50);
    assert_true(swim_has_left(guard->swim));
    guarded_crash(world, number);
}

/* ---- Worlds ------------------------------------------------------------------------------ */

static bool tap(void *context, const struct sim_datagram *datagram)
{
    struct guarded *world = context;
    struct captured *one;

    if (world->victim.family && is_equal_addr(&datagram->to_addr, &world->victim)) {
        world->victim_bytes += datagram->size;
        world->victim_datagrams++;
        if (datagram->size > world->victim_largest)
            world->victim_largest = datagram->size;
    }
    if (!world->is_recording || datagram->to == SIM_NOBODY)
        return true;
    if (world->tape_count == world->tape_cap) {
        world->tape_cap = world->tape_cap ? 2 * world->tape_cap : 1024;
        world->tape = realloc(world->tape, world->tape_cap * sizeof *world->tape);
        assert_non_null(world->tape);
    }
    one = &world->tape[world->tape_count++];
    one->at = datagram->at;
    one->from = sim_addr(world->sim, datagram->from);
    one->to = datagram->to;
    one->size = (uint16_t)datagram->size;
    memcpy(one->data, datagram->data, datagram->size);
    return true;
}

static void add_guard(struct guarded *world)
{
    struct guard *guard = &world->guards[world->count++];

    guard->world = world;
    guard->node = sim_add(world->sim);
}

struct guarded *guarded_new(const char *name, enum guard_mode mode, uint32_t count,
                            uint32_t members_max)
{
    struct sim_config config = scenario_config(name, GUARDS_MAX);
    struct guarded *world = calloc(1, sizeof *world);

    assert_non_null(world);
    printf("  %s:\n", mode_name(mode));
    config.member.members_max = members_max;
    config.check_period_ns = 100 * SWIM_MS;
    world->sim = scenario_new(&config);
    world->mode = mode;
    world->keys[0] = CLUSTER_KEY;
    sim_filter(world->sim, tap, world);
    for (uint32_t i = 0; i < count; i++)
        add_guard(world);
    return world;
}

void guarded_settle(struct guarded *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        guarded_start(world, i);
    expect_guarded(world, 20000);
    run_ms(world->sim, 15000);
    expect_guarded(world, 0);
    expect_trusted(world, 0);
}

struct guarded *guarded_settled(const char *name, enum guard_mode mode, uint32_t count)
{
    struct guarded *world = guarded_new(name, mode, count, 256);

    guarded_settle(world);
    return world;
}

void guarded_add(struct guarded *world)
{
    add_guard(world);
    guarded_start(world, world->count - 1);
}

void guarded_add_as(struct guarded *world, uint64_t id)
{
    add_guard(world);
    sim_member_config(world->sim, world->guards[world->count - 1].node)->id = id;
    guarded_start(world, world->count - 1);
}

void guarded_end(struct guarded *world)
{
    scenario_end(world->sim);
    for (uint32_t i = 0; i < GUARDS_MAX; i++)
        guard_stop(&world->guards[i]);
    swim_seal_free(world->strange);
    free(world->tape);
    free(world->events);
    free(world);
}

/* ---- Looking ----------------------------------------------------------------------------- */

bool guarded_runs(const struct guarded *world, uint32_t number)
{
    return sim_state(world->sim, world->guards[number].node) != SIM_STOPPED;
}

struct swim *member_of(const struct guarded *world, uint32_t number)
{
    return world->guards[number].swim;
}

uint64_t id_of(const struct guarded *world, uint32_t number)
{
    return sim_id(world->sim, world->guards[number].node);
}

bool knows(const struct guarded *world, uint32_t observer, uint64_t id, struct swim_member *ret)
{
    return swim_member_find(member_of(world, observer), id, ret);
}

uint64_t counter_of(const struct guarded *world, size_t field_offset)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < world->count; i++) {
        struct swim_stats stats;
        uint64_t value;

        if (!guarded_runs(world, i))
            continue;
        swim_stats(member_of(world, i), &stats);
        memcpy(&value, (const uint8_t *)&stats + field_offset, sizeof value);
        sum += value;
    }
    return sum;
}

uint64_t seal_drops(const struct guarded *world, enum swim_seal_error error)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < world->count; i++) {
        struct swim_seal_stats stats = {0};

        if (guarded_runs(world, i) && world->guards[i].seal)
            swim_seal_stats(world->guards[i].seal, &stats);
        sum += stats.dropped[error];
    }
    return sum;
}

static bool sees_all(const struct guarded *world, uint32_t observer)
{
    uint32_t running = 0;

    for (uint32_t i = 0; i < world->count; i++) {
        struct swim_addr home = sim_addr(world->sim, world->guards[i].node);
        struct swim_member member;

        if (!guarded_runs(world, i))
            continue;
        running++;
        if (!knows(world, observer, id_of(world, i), &member) || member.status != SWIM_ALIVE ||
            !is_equal_addr(&member.addr, &home))
            return false;
    }
    return guard_count(&world->guards[observer], SWIM_ALIVE) == running &&
           guard_count(&world->guards[observer], SWIM_SUSPECT) == 0;
}

bool guarded_converged(const struct sim *sim, const void *context)
{
    const struct guarded *world = context;
    uint64_t digest = 0;

    (void)sim;
    for (uint32_t i = 0; i < world->count; i++) {
        if (!guarded_runs(world, i))
            continue;
        if (!sees_all(world, i) || (digest && swim_view_digest(member_of(world, i)) != digest))
            return false;
        digest = swim_view_digest(member_of(world, i));
    }
    return true;
}

void guarded_show(const struct guarded *world)
{
    size_t from = world->event_count > 40 ? world->event_count - 40 : 0;

    show_world(world->sim);
    for (size_t i = from; i < world->event_count; i++) {
        const struct sim_event *e = &world->events[i];

        printf("  %8llu ms: node %u says %s about %016llx at incarnation %u\n",
               (unsigned long long)(e->at / SWIM_MS), e->node, swim_event_name(e->kind),
               (unsigned long long)e->id, e->incarnation);
    }
    fflush(stdout);
}

uint64_t expect_guarded(struct guarded *world, uint64_t limit_ms)
{
    uint64_t before = sim_now(world->sim);

    if (!sim_run_until(world->sim, guarded_converged, world, limit_ms * SWIM_MS)) {
        guarded_show(world);
        fail_msg("%s: not within %llu ms: all see all", mode_name(world->mode),
                 (unsigned long long)limit_ms);
    }
    return (sim_now(world->sim) - before) / SWIM_MS;
}

uint64_t told(const struct guarded *world, enum swim_event_kind kind, uint64_t id, uint64_t since)
{
    uint64_t count = 0;

    for (size_t i = 0; i < world->event_count; i++) {
        const struct sim_event *e = &world->events[i];

        count += e->kind == kind && (id == 0 || e->id == id) && e->at >= since;
    }
    return count;
}

static void expect_untold(const struct guarded *world, enum swim_event_kind kind, uint64_t since)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (!guarded_runs(world, i) || !told(world, kind, id_of(world, i), since))
            continue;
        guarded_show(world);
        fail_msg("%s: %s is said about number %u", mode_name(world->mode), swim_event_name(kind),
                 i);
    }
}

void expect_alive(const struct guarded *world, uint64_t since)
{
    expect_untold(world, SWIM_EVENT_FAILED, since);
}

void expect_trusted(const struct guarded *world, uint64_t since)
{
    expect_untold(world, SWIM_EVENT_SUSPECTED, since);
    expect_alive(world, since);
}
