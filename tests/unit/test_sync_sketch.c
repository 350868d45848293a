/*
 * Synchronisation by sketches (src/core/sync_sketch.h): what it costs two tables of 10,000 to come to
 * agree, and what becomes of losses, collisions, wrong guesses and malice. docs/protocol.md section 8.
 */
#include "support.h"

#include "sync_pair.h"

#include "base/hash.h"
#include "core/member.h"
#include "core/sketch.h"
#include "core/sync.h"
#include "core/sync_sketch.h"

enum { TABLE = 10000, SEEDS = 4 };

/* ---- What it costs ---- */

static size_t bytes_of(const struct pair_cost *cost)
{
    return cost->bytes[PAIR_ASKER] + cost->bytes[PAIR_REPLIER];
}

/* Both ways together: 2 KiB, and 1.6 times the differing entries in either direction. */
static size_t bytes_allowed(uint32_t different)
{
    return 2048 + (size_t)different * 24 * 2 * 16 / 10;
}

static void check_cost(const struct pair_plan *plan)
{
    struct pair pair = pair_begin(plan);
    struct pair_cost cost = pair_run(&pair, NULL, NULL);

    printf("  %-22s %4u differ: %6zu bytes of %6zu, %u datagrams, %u.%u round trips%s\n",
           pair_kind_names[plan->kind], plan->different, bytes_of(&cost),
           bytes_allowed(plan->different), cost.datagrams[0] + cost.datagrams[1], cost.turns / 2,
           cost.turns % 2 * 5, cost.by_phase[SYNC_AGAIN] ? ", some again" : "");
    assert_true(bytes_of(&cost) <= bytes_allowed(plan->different));
    assert_in_range(cost.turns, 1, 6);
    if (!pair_agrees(&pair)) /* once in hundreds of times two of 2,000 keys are equal */
        (void)pair_run(&pair, NULL, NULL);
    assert_true(pair_agrees(&pair));
    pair_end(&pair);
}

static void test_cost_is_that_of_the_difference(void **state)
{
    static const uint32_t sizes[] = {1, 10, 100, 1000};
    uint64_t seed = test_seed(__func__);

    (void)state;
    for (unsigned kind = 0; kind < PAIR_KINDS; kind++) {
        for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
            for (unsigned round = 0; round < SEEDS; round++) {
                struct pair_plan plan = {.members = TABLE,
                                         .different = sizes[i],
                                         .kind = (enum pair_kind)kind,
                                         .seed = seed * SEEDS + round};

                check_cost(&plan);
            }
        }
    }
}

/* Equal tables: the 12 bytes of a VIEW, in a datagram that goes anyway, and that is all. */
static void test_equal_tables_cost_a_view(void **state)
{
    struct pair_plan plan = {.members = TABLE, .seed = test_seed(__func__)};
    struct pair pair = pair_begin(&plan);
    struct message ping = {.kind = WIRE_PING, .from = 2, .heartbeat = 1, .has_view = true};
    struct sent sent;

    (void)state;
    assert_true(pair_agrees(&pair));
    ping.view_digest = swim_view_digest(pair.members[PAIR_REPLIER]);
    ping.view_count = cluster_size(pair.members[PAIR_REPLIER]);
    assert_int_equal(hear(pair.members[0], pair.now + 600000 * SWIM_MS, &ping), SWIM_OK);
    assert_true(next_sent(pair.members[0], pair.now + 600000 * SWIM_MS, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_ACK);
    assert_true(sent.dg.has_view);
    assert_int_equal(sent.size - 24 * sent.dg.entry_count, 24 + 2 + 3 + 12);
    assert_false(next_sent(pair.members[0], pair.now + 600000 * SWIM_MS, &sent));
    assert_int_equal(stats_of(pair.members[0]).digests_equal, 1);
    pair_end(&pair);
}

/* Where much differs, or the table is small, whole buckets are as good and take one turn less. */
static void test_whole_buckets_where_they_are_as_good(void **state)
{
    static const struct pair_plan plans[] = {
        {.members = 300, .different = 3, .kind = PAIR_OF_EACH, .seed = 5},
        {.members = 2000, .different = 1500, .kind = PAIR_ONLY_ASKER, .seed = 5},
        {.members = TABLE, .different = 6000, .kind = PAIR_ONLY_REPLIER, .seed = 5},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(plans); i++) {
        struct pair pair = pair_begin(&plans[i]);
        struct pair_cost cost = pair_run(&pair, NULL, NULL);

        assert_true(pair_agrees(&pair));
        assert_int_equal(cost.by_phase[SYNC_SKETCH], 0);
        assert_true(cost.by_phase[SYNC_REPLY] > 0);
        assert_in_range(cost.turns, 2, 3);
        pair_end(&pair);
    }
}

static enum swim_error hear_sync(struct swim *s, swim_time now, const uint8_t *value, size_t size)
{
    return hear_buckets(s, now, 2, value, size);
}

static size_t value_of(uint8_t *value, uint8_t phase, uint8_t mask, size_t rest)
{
    value[0] = phase;
    value[1] = 8;
    value[2] = 1;
    memset(value + 3, mask, 32);
    memset(value + 35, 0x5a, rest);
    return 35 + rest;
}

struct slices {
    uint32_t buckets_most;
    uint32_t members; /* on both sides */
};

static uint32_t bits_set(const uint8_t *mask, unsigned size)
{
    uint32_t count = 0;

    for (unsigned i = 0; i < 8 * size; i++)
        count += mask[i / 8] >> i % 8 & 1;
    return count;
}

static bool watch_slices(void *context, unsigned from, const struct sent *sent)
{
    struct slices *slices = context;

    (void)from;
    if (sent->dg.header.kind == WIRE_SYNC && sent->dg.buckets[0] == SYNC_SKETCH) {
        uint32_t buckets = bits_set(sent->dg.buckets + 3, 32);

        slices->buckets_most = buckets > slices->buckets_most ? buckets : slices->buckets_most;
    }
    assert_true(sent->size <= 1200);
    return true;
}

/* A large table is cut finer, so that no datagram is about more than 4,096 members, and costs no
 * more for its size. */
static void test_large_tables_are_cut_finer(void **state)
{
    struct pair_plan plan = {.members = 100000, .different = 40, .kind = PAIR_OF_EACH, .seed = 3};
    struct pair pair = pair_begin(&plan);
    struct slices slices = {0};
    struct pair_cost cost = pair_run(&pair, watch_slices, &slices);
    uint8_t value[64];
    size_t size;
    struct sent sent;

    (void)state;
    assert_true(pair_agrees(&pair));
    assert_in_range(slices.buckets_most, 1, 4096 * 256 / 100000);
    assert_true(bytes_of(&cost) <= bytes_allowed(40) + 1200);
    /* A bucket of 390 in which more differ than a datagram's cells can tell goes as it is. */
    size = value_of(value, SYNC_AGAIN, 0, 2);
    value[3] = 1;
    store_u16(value + 35, 16 * 200);
    drain(pair.members[0], pair.now);
    assert_int_equal(hear_sync(pair.members[0], pair.now, value, size), SWIM_OK);
    assert_true(next_sent_of(pair.members[0], pair.now, WIRE_SYNC, &sent));
    assert_int_equal(sent.dg.buckets[0], SYNC_REPLY);
    pair_end(&pair);
}

/* ---- What goes wrong ---- */

struct lossy {
    struct prng prng;
    unsigned percent;
};

static bool lose_some(void *context, unsigned from, const struct sent *sent)
{
    struct lossy *lossy = context;

    (void)from;
    (void)sent;
    return prng_below(&lossy->prng, 100) >= lossy->percent;
}

/* Every datagram stands for itself: what arrives is used, and the next synchronisation is about the
 * rest. */
static void test_losses_cost_only_themselves(void **state)
{
    struct pair_plan plan = {.members = TABLE, .different = 400, .kind = PAIR_OF_EACH};
    struct lossy lossy = {.percent = 20};
    struct pair_cost cost;
    struct pair pair;
    unsigned rounds = 0;
    uint32_t entries = 0;

    (void)state;
    plan.seed = test_seed(__func__);
    prng_init(&lossy.prng, plan.seed);
    pair = pair_begin(&plan);
    for (; !pair_agrees(&pair) && rounds < 12; rounds++) {
        cost = pair_run(&pair, lose_some, &lossy);
        entries += cost.entries[0] + cost.entries[1];
    }
    printf("  in %u synchronisations, with %u entries\n", rounds, entries);
    assert_true(pair_agrees(&pair));
    assert_in_range(entries, 400, 800);
    pair_end(&pair);
}

/* Incarnations whose last bits mislead, or tell nothing: set right within the same exchange. */
static void test_wrong_guesses_are_set_right(void **state)
{
    static const uint32_t steps[] = {7, 8, 9, 15, 17, 100};

    (void)state;
    for (unsigned kind = PAIR_NEWER_ASKER; kind <= PAIR_NEWER_REPLIER; kind++) {
        for (unsigned i = 0; i < COUNT_OF(steps); i++) {
            struct pair_plan plan = {.members = TABLE,
                                     .different = 8,
                                     .kind = (enum pair_kind)kind,
                                     .seed = 11,
                                     .steps = steps[i]};
            struct pair pair = pair_begin(&plan);
            struct pair_cost cost = pair_run(&pair, NULL, NULL);

            assert_true(pair_agrees(&pair));
            assert_in_range(cost.turns, 3, 6);
            pair_end(&pair);
        }
    }
}

/* A key as docs/protocol.md has it. */
static uint32_t key_of(const struct wire_entry *entry, uint32_t salt)
{
    struct record record = {
        .id = entry->id, .incarnation = entry->incarnation, .addr = entry->addr};

    return (uint32_t)(hash_combine(salt, record.id) >> 44) << 12 | (record.incarnation & 15) << 8 |
           (uint8_t)hash_combine(salt, member_digest(&record));
}

static struct wire_entry stranger(uint32_t number)
{
    struct wire_entry entry = entry_of(100000 + number);

    entry.id = hash_u64(UINT64_C(0x5eed) << 32 | number);
    return entry;
}

/* Two of `count` members that have one key under this salt. */
static bool find_collision(uint32_t salt, struct wire_entry *ret_one, struct wire_entry *ret_other)
{
    enum { COUNT = 1 << 17, PLACES = 1 << 20 };
    uint32_t *place = calloc(PLACES, sizeof *place);
    bool is_found = false;

    assert_non_null(place);
    for (uint32_t number = 1; number < COUNT && !is_found; number++) {
        struct wire_entry entry = stranger(number);
        uint32_t key = key_of(&entry, salt);
        uint32_t at = key >> 12; /* of tags, the last one seen with it */

        *ret_other = entry;
        *ret_one = stranger(place[at]);
        is_found = place[at] && key_of(ret_one, salt) == key;
        place[at] = number;
    }
    free(place);
    return is_found;
}

/* Members with one key can hide each other, but not for long: each reply has another salt. */
static void test_collisions_are_found_with_another_salt(void **state)
{
    struct pair_plan plan = {.members = TABLE, .seed = 21};
    struct pair pair = pair_begin(&plan);
    struct swim *replier = pair.members[PAIR_REPLIER];
    struct wire_entry one, other;
    struct prng prng;
    struct pair_cost cost;

    (void)state;
    prng_init(&prng, 77);
    assert_true(find_collision((uint32_t)prng_next(&prng), &one, &other));
    hear_entry(pair.members[PAIR_ASKER], pair.now, 2, one);
    hear_entry(replier, pair.now, 1, other);
    prng_init(&replier->prng, 77);
    cost = pair_run(&pair, NULL, NULL);
    assert_int_equal(cost.by_phase[SYNC_SKETCH], 1);
    assert_int_equal(cost.turns, 2); /* nothing was seen to differ */
    assert_false(pair_agrees(&pair));
    cost = pair_run(&pair, NULL, NULL);
    assert_int_equal(cost.entries[0] + cost.entries[1], 2);
    assert_true(pair_agrees(&pair));
    pair_end(&pair);
}

static void test_keys_are_those_of_the_specification(void **state)
{
    struct pair_plan plan = {.members = 100, .seed = 1};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];

    (void)state;
    for (uint32_t slot = 1; slot <= s->slots_high; slot++) {
        const struct record *record = &member_at(s, slot)->record;
        struct wire_entry entry = {
            .id = record->id, .incarnation = record->incarnation, .addr = record->addr};

        assert_int_equal(sync_key(s, slot, 0xc0ffee), key_of(&entry, 0xc0ffee));
    }
    pair_end(&pair);
}

/* Names and tags that differ are found, whoever has the later version, and brought. */
static void test_names_and_tags_are_synchronised(void **state)
{
    struct swim_meta old = meta_of("old", "rack", "1");
    struct swim_meta new = meta_of("new", "rack", "2");

    (void)state;
    for (unsigned newer = 0; newer < 2; newer++) {
        struct pair_plan plan = {.members = TABLE, .seed = 31};
        struct pair pair = pair_begin(&plan);
        uint64_t id = hash_u64(plan.seed * 0x10000 + 500);
        struct swim_meta found;

        for (unsigned side = 0; side < 2; side++) {
            struct said_meta said = {.of = id, .incarnation = 3, .version = 1, .meta = &old};

            hear_meta(pair.members[side], pair.now, 2 - side, &said);
            said.version = 2;
            said.meta = &new;
            if (side == newer)
                hear_meta(pair.members[side], pair.now, 2 - side, &said);
        }
        assert_false(pair_agrees(&pair));
        (void)pair_run(&pair, NULL, NULL);
        assert_true(pair_agrees(&pair));
        assert_true(swim_member_meta(pair.members[1 - newer], id, &found));
        assert_string_equal(found.name, "new");
        pair_end(&pair);
    }
}

/* ---- Malice ---- */

struct forger {
    unsigned from;
    uint8_t phase;
    struct prng prng;
    uint32_t forged;
};

/* What that side says in one phase, made into noise behind the buckets' mask. */
static bool forge(void *context, unsigned from, const struct sent *sent)
{
    struct forger *forger = context;
    uint8_t *bytes = (uint8_t *)(uintptr_t)sent->bytes;

    if (from != forger->from || sent->dg.header.kind != WIRE_SYNC ||
        sent->dg.buckets[0] != forger->phase)
        return true;
    for (uint8_t *at = bytes + (sent->dg.buckets - sent->bytes) + 35 + 4;
         at < sent->dg.buckets + sent->dg.buckets_size; at++)
        *at = (uint8_t)prng_next(&forger->prng);
    bytes[22] = bytes[23] = 0;
    uint16_t checksum = wire_checksum(bytes, sent->size);
    bytes[22] = (uint8_t)(checksum >> 8);
    bytes[23] = (uint8_t)checksum;
    forger->forged++;
    return true;
}

/* Sketches of noise are asked for again, with more cells, and at last whole buckets come: it ends,
 * and in agreement. */
static void test_sketches_of_noise_end_in_whole_buckets(void **state)
{
    static const uint32_t sizes[] = {1, 10, 100, 600};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct pair_plan plan = {
            .members = TABLE, .different = sizes[i], .kind = PAIR_OF_EACH, .seed = 41};
        struct pair pair = pair_begin(&plan);
        struct forger forger = {.from = PAIR_REPLIER, .phase = SYNC_SKETCH};
        size_t whole = pair_whole_bytes(&pair);
        struct pair_cost cost;

        prng_init(&forger.prng, 1);
        cost = pair_run(&pair, forge, &forger);
        printf("  %u differ: %u sketches of noise, %zu bytes; whole buckets %zu\n", sizes[i],
               forger.forged, bytes_of(&cost), whole);
        assert_true(forger.forged > 0);
        assert_int_equal(cost.by_phase[SYNC_AGAIN], forger.forged);
        assert_true(pair_agrees(&pair));
        assert_true(bytes_of(&cost) < whole + whole / 2 + 4096);
        pair_end(&pair);
    }
}

/* Whoever wants keys that nobody has is told nothing. */
static void test_made_up_wishes_are_not_answered(void **state)
{
    struct pair_plan plan = {
        .members = TABLE, .different = 50, .kind = PAIR_ONLY_REPLIER, .seed = 43};
    struct pair pair = pair_begin(&plan);
    struct forger forger = {.from = PAIR_ASKER, .phase = SYNC_WANT};
    struct pair_cost cost;

    (void)state;
    prng_init(&forger.prng, 1);
    cost = pair_run(&pair, forge, &forger);
    assert_true(forger.forged > 0);
    assert_int_equal(cost.entries[PAIR_REPLIER], 0);
    assert_int_equal(cost.turns, 3);
    pair_end(&pair);
}

/* Bytes that `s` says now, all of them to member 2. */
static size_t said(struct swim *s, swim_time now)
{
    struct sent sent;
    size_t bytes = 0;

    while (next_sent(s, now, &sent)) {
        assert_int_equal(addr4_number(&sent.to), 2);
        bytes += sent.size;
    }
    return bytes;
}

/* Sketches that nobody asked for cost nothing; those of a peer that was asked, as much as its table
 * three times. */
static void test_unexpected_sketches_are_ignored(void **state)
{
    struct pair_plan plan = {.members = 2000, .seed = 47};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];
    swim_time now = pair.now + 600000 * SWIM_MS;
    uint8_t value[1200];
    size_t size = value_of(value, SYNC_SKETCH, 0xff, 4 + 7 * 16);
    uint32_t answers = 0;

    (void)state;
    drain(s, now);
    assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
    assert_int_equal(said(s, now), 0);
    sync_ask(s, member_find(s, 2));
    assert_true(said(s, now) > 1000);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
        answers += said(s, now) > 0;
    }
    assert_int_equal(answers, 3);
    now += 120000 * SWIM_MS;
    drain(s, now);
    sync_ask(s, member_find(s, 2));
    assert_true(said(s, now) > 1000);
    value[1] = 7; /* not what was asked */
    assert_int_equal(hear_sync(s, now, value, size - 16), SWIM_OK);
    assert_int_equal(said(s, now), 0);
    value[1] = 8;
    now += 5001 * SWIM_MS; /* too late */
    assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
    assert_int_equal(said(s, now), 0);
    pair_end(&pair);
}

/* However much is asked by members, a newcomer is sent the table. */
static void test_questions_leave_room_for_newcomers(void **state)
{
    struct pair_plan plan = {.members = TABLE, .seed = 71};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];
    swim_time now = pair.now + 600000 * SWIM_MS;
    struct message ping = {.kind = WIRE_PING, .from = 3};
    struct message newcomer = {.kind = WIRE_PING, .from = 5 * TABLE};
    uint8_t value[1200];

    (void)state;
    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    drain(s, now);
    for (uint32_t i = 0; i < 256; i++) {
        size_t size = value_of(value, SYNC_AGAIN, 0, 2);

        value[3 + i / 8] = (uint8_t)(1u << i % 8);
        assert_int_equal(hear_buckets(s, now, 2 + i % 2, value, size), SWIM_OK);
    }
    assert_int_equal(s->job_count, JOBS_MAX - JOBS_FOR_PUSHES);
    assert_int_equal(hear(s, now, &newcomer), SWIM_OK);
    assert_int_equal(s->job_count, JOBS_MAX - JOBS_FOR_PUSHES + 1);
    pair_end(&pair);
}

/* What a peer can make us say and do by asking again, or for keys, is bounded by the table. */
static void test_questions_cost_no_more_than_the_table(void **state)
{
    struct pair_plan plan = {.members = TABLE, .seed = 53};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];
    swim_time now = pair.now + 600000 * SWIM_MS;
    uint8_t value[1200];

    (void)state;
    drain(s, now);
    for (uint32_t density = 0; density <= 0xffff; density += density < 4096 ? 7 : 997) {
        size_t size = value_of(value, SYNC_AGAIN, 0xff, 2);
        size_t bytes = 0;

        store_u16(value + 35, (uint16_t)density);
        assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
        for (; s->job_count > 0; now += 2 * SWIM_MS)
            bytes += said(s, now);
        assert_in_range(bytes, 1, TABLE * 26);
    }
    /* More members than one sketch is ever about. */
    assert_int_equal(hear_sync(s, now, value, value_of(value, SYNC_WANT, 0xff, 4 + 4 * 100)),
                     SWIM_OK);
    assert_int_equal(s->job_count, 0);
    /* Not many at once to one address, so that others have their turn. */
    for (unsigned i = 0; i < 256; i++) {
        size_t size = value_of(value, SYNC_AGAIN, 0, 2);

        value[3 + i / 8] = (uint8_t)(1u << i % 8);
        assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
    }
    assert_int_equal(s->job_count, JOBS_PER_PEER);
    assert_true(stats_of(s).syncs_refused >= 256 - JOBS_PER_PEER);
    while (s->job_count > 0) {
        said(s, now);
        now += 2 * SWIM_MS;
    }
    for (unsigned i = 0; i < 256; i++) {
        size_t size = value_of(value, SYNC_WANT, 0, 4 + 4 * 160);

        value[3 + i / 8] = (uint8_t)(1u << i % 8);
        assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
    }
    assert_int_equal(s->job_keys_used, JOB_KEYS_MAX / 160 * 160);
    said(s, now);
    assert_int_equal(s->job_keys_used, 0);
    pair_end(&pair);
}

/* Whoever speaks of few buckets, so that each is a large part of the table, gets whole ones or nothing:
 * no datagram makes us walk through all members. */
static void test_a_bucket_may_be_too_large_for_a_sketch(void **state)
{
    struct pair_plan plan = {.members = TABLE, .seed = 61};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];
    swim_time now = pair.now + 600000 * SWIM_MS;
    uint8_t request[7] = {SYNC_REQUEST, 0, 1, 1, 2, 3, 4};
    uint8_t again[6] = {SYNC_AGAIN, 0, 1, 1, 0, 64};
    uint8_t want[12] = {SYNC_WANT, 0, 1, 1};
    struct sent sent;

    (void)state;
    drain(s, now);
    assert_int_equal(hear_sync(s, now, request, sizeof request), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_SYNC, &sent));
    assert_int_equal(sent.dg.buckets[0], SYNC_REPLY);
    for (; s->job_count > 0; now += 2 * SWIM_MS)
        said(s, now);
    assert_int_equal(hear_sync(s, now, again, sizeof again), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_SYNC, &sent));
    assert_int_equal(sent.dg.buckets[0], SYNC_REPLY);
    for (; s->job_count > 0; now += 2 * SWIM_MS)
        said(s, now);
    assert_int_equal(hear_sync(s, now, want, sizeof want), SWIM_OK);
    assert_int_equal(s->job_count, 0);
    pair_end(&pair);
}

/* No bucket is answered twice at once: however often a peer asks again, all that is under way to it is
 * one table. */
static void test_answers_under_way_are_of_one_table(void **state)
{
    struct pair_plan plan = {.members = TABLE, .seed = 67};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];
    swim_time now = pair.now + 600000 * SWIM_MS;
    uint8_t value[1200];
    size_t bytes = 0;

    (void)state;
    drain(s, now);
    for (unsigned i = 0; i < 256; i++) {
        size_t size = value_of(value, SYNC_AGAIN, 0xff, 2);

        value[3 + i / 8] ^= (uint8_t)(1u << i % 8);
        store_u16(value + 35, UINT16_MAX);
        assert_int_equal(hear_sync(s, now, value, size), SWIM_OK);
    }
    for (; s->job_count > 0; now += 2 * SWIM_MS)
        bytes += said(s, now);
    assert_in_range(bytes, TABLE * 20, TABLE * 26);
    pair_end(&pair);
}

static void test_malformed_sketches_are_dropped(void **state)
{
    struct pair_plan plan = {.members = 100, .seed = 59};
    struct pair pair = pair_begin(&plan);
    struct swim *s = pair.members[PAIR_ASKER];
    uint8_t value[1300];

    (void)state;
    for (size_t rest = 0; rest < 1300 - 35; rest++) {
        bool is_sketch = rest > 4 && (rest - 4) % 28 == 0 && (rest - 4) / 7 <= 160;
        bool is_want = rest > 4 && rest % 4 == 0 && (rest - 4) / 4 <= 160;

        assert_int_equal(hear_sync(s, pair.now, value, value_of(value, SYNC_SKETCH, 1, rest)),
                         is_sketch ? SWIM_OK : SWIM_DROP_PAYLOAD);
        assert_int_equal(hear_sync(s, pair.now, value, value_of(value, SYNC_AGAIN, 0, rest)),
                         rest == 2 ? SWIM_OK : SWIM_DROP_PAYLOAD);
        assert_int_equal(hear_sync(s, pair.now, value, value_of(value, SYNC_WANT, 1, rest)),
                         is_want ? SWIM_OK : SWIM_DROP_PAYLOAD);
        drain(s, pair.now);
    }
    for (size_t size = 3; size < 35; size++) {
        for (uint8_t phase = SYNC_SKETCH; phase <= SYNC_WANT; phase++) {
            (void)value_of(value, phase, 1, 0);
            assert_int_equal(hear_sync(s, pair.now, value, size), SWIM_DROP_PAYLOAD);
        }
    }
    pair_end(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_is_that_of_the_difference),
        cmocka_unit_test(test_equal_tables_cost_a_view),
        cmocka_unit_test(test_whole_buckets_where_they_are_as_good),
        cmocka_unit_test(test_large_tables_are_cut_finer),
        cmocka_unit_test(test_losses_cost_only_themselves),
        cmocka_unit_test(test_wrong_guesses_are_set_right),
        cmocka_unit_test(test_collisions_are_found_with_another_salt),
        cmocka_unit_test(test_keys_are_those_of_the_specification),
        cmocka_unit_test(test_names_and_tags_are_synchronised),
        cmocka_unit_test(test_sketches_of_noise_end_in_whole_buckets),
        cmocka_unit_test(test_made_up_wishes_are_not_answered),
        cmocka_unit_test(test_unexpected_sketches_are_ignored),
        cmocka_unit_test(test_questions_cost_no_more_than_the_table),
        cmocka_unit_test(test_questions_leave_room_for_newcomers),
        cmocka_unit_test(test_a_bucket_may_be_too_large_for_a_sketch),
        cmocka_unit_test(test_answers_under_way_are_of_one_table),
        cmocka_unit_test(test_malformed_sketches_are_dropped),
    };

    return cmocka_run_group_tests_name("sync_sketch", tests, NULL, NULL);
}
