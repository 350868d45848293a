/* What attackers need: see attacker.h. */
#include "attacker.h"

/* ---- Pictures ---------------------------------------------------------------------------- */

static int by_id(const void *left, const void *right)
{
    uint64_t a = ((const struct swim_member *)left)->id;
    uint64_t b = ((const struct swim_member *)right)->id;

    return (a > b) - (a < b);
}

void picture_take(const struct guarded *world, struct picture *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->events = world->event_count;
    for (uint32_t i = 0; i < world->count; i++) {
        const struct swim *s = member_of(world, i);
        struct swim_member member;

        if (!guarded_runs(world, i))
            continue;
        ret->digest[i] = swim_view_digest(s);
        for (uint32_t slot = 0; slot < swim_member_slots(s); slot++) {
            if (!swim_member_at(s, slot, &member))
                continue;
            assert_true(ret->count[i] < PICTURE_MAX);
            ret->members[i][ret->count[i]++] = member;
        }
        qsort(ret->members[i], ret->count[i], sizeof member, by_id);
    }
}

static bool is_same(const struct picture *a, const struct picture *b, uint32_t i)
{
    if (a->digest[i] != b->digest[i] || a->count[i] != b->count[i])
        return false;
    for (uint32_t k = 0; k < a->count[i]; k++) {
        const struct swim_member *x = &a->members[i][k], *y = &b->members[i][k];

        if (x->id != y->id || x->status != y->status || x->incarnation != y->incarnation ||
            !is_equal_addr(&x->addr, &y->addr))
            return false;
    }
    return true;
}

void expect_picture(const struct guarded *world, const struct picture *before, bool is_silent)
{
    struct picture now;

    picture_take(world, &now);
    for (uint32_t i = 0; i < world->count; i++) {
        if (is_same(before, &now, i) && (!is_silent || now.events == before->events))
            continue;
        guarded_show(world);
        fail_msg("%s: what number %u holds has changed, or %zu events were told",
                 mode_name(world->mode), i, now.events - before->events);
    }
}

/* ---- Recordings -------------------------------------------------------------------------- */

size_t replay(struct guarded *world, const struct replay *replay)
{
    size_t sent = 0;

    for (size_t i = replay->begin; i < replay->end; i++) {
        const struct captured *one = &world->tape[i];

        if (sim_state(world->sim, one->to) == SIM_STOPPED ||
            (replay->only != SIM_NOBODY && one->to != replay->only))
            continue;
        sim_inject(world->sim, replay->other ? replay->other : &one->from, one->to, one->data,
                   one->size);
        sent++;
    }
    return sent;
}

/* ---- Lies -------------------------------------------------------------------------------- */

/* Of core/proof.h, whose other headers have some of the names that are used here. */
uint64_t proof_token(const struct swim *s, const struct swim_addr *addr, uint64_t id);

static void write_records(const struct guarded *world, const struct swim_addr *from,
                          uint32_t number, const struct lie *lie, struct wire_builder *b)
{
    static const uint8_t buckets[7] = {1, 0, 1}; /* a request, of one bucket */
    uint8_t kind = lie->header.kind;

    if (lie->is_plain)
        return;
    if (kind == WIRE_PING || kind == WIRE_PING_REQ)
        assert_true(wire_put_probe(b, 77));
    if (lie->is_proved)
        assert_true(wire_put_token(
            b, 0, proof_token(member_of(world, number), from, lie->header.sender_id)));
    if (lie->suspicion_count)
        assert_true(wire_put_suspicions(b, lie->suspicions, lie->suspicion_count));
    if (kind == WIRE_SYNC)
        assert_true(wire_put_record(b, WIRE_EXT_BUCKETS, buckets, sizeof buckets));
    if (lie->is_padded)
        wire_put_padding(b, wire_left(b) - 128);
}

static size_t write_lie(const struct guarded *world, const struct swim_addr *from, uint32_t number,
                        const struct lie *lie, uint8_t *buf)
{
    struct wire_header header = lie->header;
    struct wire_builder b;

    header.capabilities = lie->is_plain ? 0 : WIRE_CAPABLE;
    wire_begin(&b, buf, guarded_datagram_max(world), &header);
    write_records(world, from, number, lie, &b);
    if (header.kind == WIRE_PING_REQ)
        assert_true(wire_put_target(&b, lie->target, from));
    if (header.kind == WIRE_ANTI_ENTROPY)
        assert_true(wire_put_chunk(&b, 1, 0, 1));
    for (size_t i = 0; i < lie->count; i++)
        assert_true(wire_put_entry(&b, &lie->entries[i]));
    return wire_finish(&b);
}

/* An outsider's key is one that nobody holds, and says that it is the cluster's. */
static size_t seal_strangely(struct guarded *world, enum liar liar, const void *data, size_t size,
                             uint8_t *buf)
{
    const uint8_t ours[SWIM_KEY_SIZE] = {CLUSTER_KEY}, strange[SWIM_KEY_SIZE] = {STRANGE_KEY};
    struct swim_seal_config config = {
        .envelope = world->mode == ENVELOPE_1 ? SWIM_ENVELOPE_1 : SWIM_ENVELOPE_2,
        .start = 2 * GUARD_FIRST_START,
        .members_max = 256,
        .entropy = {1},
    };

    if (!world->strange) {
        world->strange = swim_seal_new(&config);
        assert_non_null(world->strange);
        assert_int_equal(swim_seal_key_install(world->strange, liar == FORMER ? ours : strange),
                         SWIM_KEY_OK);
    }
    size = swim_seal_wrap(world->strange, data, size, buf, SWIM_SEALED_MAX);
    if (world->mode == ENVELOPE_2)
        buf[1] = (uint8_t)swim_key_id(ours);
    return size;
}

size_t tell(struct guarded *world, const struct swim_addr *from, uint32_t number,
            const struct lie *lie)
{
    uint8_t plain[SWIM_DATAGRAM_MAX], sealed[SWIM_SEALED_MAX];
    uint32_t node = world->guards[number].node;
    size_t size = write_lie(world, from, number, lie, plain), sealed_size;

    if (world->mode == PLAINTEXT) {
        sim_inject(world->sim, from, node, plain, size);
        return size;
    }
    if (lie->liar == INSIDER)
        sealed_size =
            swim_seal_wrap(world->guards[lie->as].seal, plain, size, sealed, sizeof sealed);
    else
        sealed_size = seal_strangely(world, lie->liar, plain, size, sealed);
    sim_inject(world->sim, from, node, sealed, sealed_size);
    if (lie->liar != OUTSIDER)
        return sealed_size;
    sim_inject(world->sim, from, node, plain, size);
    return size + sealed_size;
}

void tell_all(struct guarded *world, const struct swim_addr *from, uint32_t except,
              const struct lie *lie)
{
    for (uint32_t i = 0; i < world->count; i++) {
        if (i != except && guarded_runs(world, i))
            tell(world, from, i, lie);
    }
}

struct wire_header header_of(const struct guarded *world, uint32_t number, uint8_t kind)
{
    struct swim_member self;

    assert_true(swim_member_at(member_of(world, number), 0, &self));
    return (struct wire_header){.kind = kind,
                                .sender_id = self.id,
                                .heartbeat = self.heartbeat,
                                .incarnation = self.incarnation};
}

struct wire_entry held_by(const struct guarded *world, uint32_t observer, uint64_t id)
{
    struct swim_member member;

    assert_true(knows(world, observer, id, &member));
    return (struct wire_entry){.id = id,
                               .heartbeat = member.heartbeat,
                               .incarnation = member.incarnation,
                               .status = (uint8_t)member.status,
                               .addr = member.addr};
}

void watch_victim(struct guarded *world, const struct swim_addr *victim)
{
    world->victim = *victim;
    world->victim_bytes = world->victim_datagrams = world->victim_largest = 0;
}
