/*
 * The arena (src/core/swim.c): everything a member knows, without a pointer inside. It can be
 * copied and goes on identically; it is as large as members_max makes it, and no more of it is
 * touched than is used.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, mincore */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/instance.h"

#include <sys/mman.h>
#include <unistd.h>

/* One step of a life, the same whenever the same random numbers come: something is heard, time
 * passes, everything that is sent goes into a hash. */
static uint64_t live_a_step(struct swim *s, struct prng *prng, swim_time *now, uint64_t hash)
{
    struct wire_entry entries[5];
    struct message message = {
        .kind = prng_below(prng, 2) ? WIRE_GOSSIP : WIRE_PING,
        .from = 2 + prng_below(prng, 30),
        .incarnation = prng_below(prng, 3),
        .heartbeat = prng_below(prng, 100),
        .plain = prng_below(prng, 4) == 0,
        .entries = entries,
        .entry_count = prng_below(prng, 6),
    };
    struct sent sent;
    struct swim_event event;

    for (uint32_t i = 0; i < message.entry_count; i++) {
        entries[i] = entry_of(2 + prng_below(prng, 60));
        entries[i].incarnation = prng_below(prng, 4);
        entries[i].status = (uint8_t)prng_below(prng, 4);
    }
    if (hear(s, *now, &message) != SWIM_OK) /* a full table, mostly */
        assert_true(message.plain);
    *now += prng_below(prng, 300) * SWIM_MS;
    swim_advance(s, *now);
    while (next_sent(s, *now, &sent)) {
        hash = hash * 31 + sent.size + sent.to.ip[3];
        for (size_t i = 0; i < sent.size; i++)
            hash = (hash ^ sent.bytes[i]) * 0x100000001B3;
    }
    while (swim_next_event(s, &event))
        hash = hash * 31 + (uint64_t)event.kind + event.member.id;
    return hash * 31 + swim_deadline(s);
}

static struct swim_config small_config(void)
{
    struct swim_config config = config_of(1);

    config.members_max = 50;
    config.dead_retention_ms = 1000;
    return config;
}

static void test_a_copy_goes_on_identically(void **state)
{
    struct swim_config config = small_config();
    size_t size = swim_footprint(&config);
    struct swim *original = member_begin(&config, START);
    struct prng prng;
    swim_time now = START;

    (void)state;
    prng_init(&prng, test_seed("arena"));
    for (uint32_t copies = 0; copies < 40; copies++) {
        struct swim *copy = calloc(1, size);
        struct prng same = prng;
        swim_time same_now = now;
        uint64_t hash = 0;
        uint64_t same_hash = 0;

        assert_non_null(copy);
        memcpy(copy, original, size);
        for (uint32_t i = 0; i < 100; i++)
            hash = live_a_step(original, &prng, &now, hash);
        /* The original is gone, and where it was is something else. */
        memset(original, 0xA5, size);
        free(original);
        for (uint32_t i = 0; i < 100; i++)
            same_hash = live_a_step(copy, &same, &same_now, same_hash);
        assert_true(hash == same_hash);
        assert_null(swim_check(copy));
        original = copy;
    }
    member_end(original);
}

static void test_the_same_seed_is_the_same_life(void **state)
{
    uint64_t hashes[3] = {0};

    (void)state;
    for (uint32_t run = 0; run < 3; run++) {
        struct swim_config config = small_config();
        struct prng prng;
        swim_time now = START;
        struct swim *s;

        config.seed = run < 2 ? 7 : 8;
        s = member_begin(&config, now);
        prng_init(&prng, 1);
        for (uint32_t i = 0; i < 500; i++)
            hashes[run] = live_a_step(s, &prng, &now, hashes[run]);
        member_end(s);
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

static void test_footprint_grows_with_the_two_capacities_alone(void **state)
{
    struct swim_config config;
    size_t before = 0;

    (void)state;
    swim_config_default(&config); /* no id, no address: they do not matter */
    for (uint32_t max = SWIM_MEMBERS_MIN; max <= SWIM_MEMBERS_MAX; max = max * 3 / 2 + 1) {
        size_t size;

        config.members_max = max;
        size = swim_footprint(&config);
        assert_true(size > before);
        before = size;
    }
    config.members_max = 16384;
    before = swim_footprint(&config);
    assert_true(before < 9u * 1024 * 1024); /* 4 MiB of it for names and tags */
    config.meta_memory += 128;
    assert_int_equal(swim_footprint(&config), before + 128);
    config.meta_memory -= 128;
    config.fanout = 1;
    config.indirect_k = 16;
    assert_int_equal(swim_footprint(&config), before);
}

static void footprint_of_none(void *context)
{
    struct swim_config *config = context;

    (void)swim_footprint(config);
}

static void test_footprint_of_an_impossible_table_is_asserted(void **state)
{
    struct swim_config config;

    (void)state;
    swim_config_default(&config);
    config.members_max = 1;
    assert_true(panics(footprint_of_none, &config));
    config.members_max = SWIM_MEMBERS_MAX + 1;
    assert_true(panics(footprint_of_none, &config));
}

/* A member writes to nothing beyond its arena: guard bytes on both sides stay as they are. */
static void test_nothing_is_written_outside(void **state)
{
    struct swim_config config = small_config();
    size_t size = swim_footprint(&config);
    uint8_t *block = calloc(1, size + 128);
    struct prng prng;
    swim_time now = START;
    struct swim *s;

    (void)state;
    assert_non_null(block);
    memset(block, 0xEE, 64);
    memset(block + 64 + size, 0xEE, 64);
    s = swim_init(block + 64, size, &config, now);
    assert_ptr_equal(s, block + 64);
    prng_init(&prng, test_seed("arena guard"));
    for (uint32_t i = 0; i < 2000; i++)
        live_a_step(s, &prng, &now, 0);
    assert_int_equal(s->slots_high, 50); /* the table was full */
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(block[i], 0xEE);
        assert_int_equal(block[64 + size + i], 0xEE);
    }
    free(block);
}

/* Bytes of pages that hold anything but zeros. */
static size_t used_bytes(const uint8_t *arena, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = 0;

    for (size_t at = 0; at < size; at += page) {
        size_t left = size - at < page ? size - at : page;

        for (size_t i = 0; i < left; i++) {
            if (arena[at + i]) {
                used += page;
                break;
            }
        }
    }
    return used;
}

static bool is_mincore_true(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char in_core[4] = {0};
    uint8_t *block =
        mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_true;

    assert_true(block != MAP_FAILED);
    block[page] = 1;
    is_true = mincore(block, 4 * page, in_core) == 0 && !(in_core[0] & 1) && in_core[1] & 1 &&
              !(in_core[2] & 1) && !(in_core[3] & 1);
    munmap(block, 4 * page);
    return is_true;
}

static void test_pages_are_touched_as_they_are_used(void **state)
{
    struct swim_config config = quiet_config_of(1);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t resident = 0;
    unsigned char *in_core;
    size_t size;
    uint8_t *arena;
    struct swim *s;

    (void)state;
    config.members_max = 1000000;
    size = swim_footprint(&config);
    assert_true(size > 100u * 1000 * 1000);
    arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    assert_true(arena != MAP_FAILED);
    in_core = calloc(1, size / page + 1);
    assert_non_null(in_core);
    s = swim_init(arena, size, &config, START);
    assert_true(used_bytes(arena, page) > 0);
    /* Where the system tells truly which pages are there (an emulator may not). */
    if (is_mincore_true()) {
        assert_int_equal(mincore(arena, size, in_core), 0);
        for (size_t i = 0; i < size / page; i++)
            resident += in_core[i] & 1;
        assert_in_range(resident, 1, 40);
    }
    /* A hundred members in a table for a million: still a few hundred kilobytes. */
    hear_members(s, START, 2, 101);
    settle(s, START, START + 60000 * SWIM_MS);
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), 101);
    assert_true(used_bytes(arena, size) < 400u * 1024);
    assert_null(swim_check(s));
    free(in_core);
    munmap(arena, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_goes_on_identically),
        cmocka_unit_test(test_the_same_seed_is_the_same_life),
        cmocka_unit_test(test_footprint_grows_with_the_two_capacities_alone),
        cmocka_unit_test(test_footprint_of_an_impossible_table_is_asserted),
        cmocka_unit_test(test_nothing_is_written_outside),
        cmocka_unit_test(test_pages_are_touched_as_they_are_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
