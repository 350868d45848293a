/*
 * A receiver beside a naive one (docs/protocol.md section 3): senders that talk, restart and change
 * keys, a network that keeps everything and delivers any of it at any time, a receiver that
 * restarts, forgets, and gains and loses keys. Each datagram must fare as the model says, which
 * remembers every number that it ever heard.
 */
#include "support.h"

#include "base/prng.h"
#include "seal/seal_private.h"
#include "seal_support.h"

#define SENDERS 8
#define HELD_MAX 5 /* so that windows are given up */
#define KEYS 4
#define TAPE 3000
#define NUMBERS 40000 /* of one start that the model can tell apart */
#define STEPS 60000

/* What is on the tape, and what the model knows of it. */
struct recorded {
    struct sealed sealed;
    uint32_t sender;
    uint64_t start;
    uint64_t number;
    uint32_t key;
};

/* What the model holds of a sender. */
struct held {
    uint64_t start; /* 0: nothing */
    uint64_t newest;
    uint64_t last_heard; /* step */
    bool heard[NUMBERS];
};

struct world {
    struct prng prng;
    uint64_t step;
    uint64_t starts; /* so far, of everybody */
    struct swim_seal *senders[SENDERS];
    struct swim_seal *receiver;
    uint32_t ids[KEYS + 1]; /* of keys 1 .. KEYS */
    bool has_key[KEYS + 1];
    uint32_t primary;
    struct held held[SENDERS];
    struct recorded tape[TAPE];
    uint32_t taped;
    uint32_t outcomes[HEARD_UNPROVED + 1];
    uint32_t evicted;
};

static struct world world;

static void start_sender(uint32_t sender)
{
    swim_seal_free(world.senders[sender]);
    world.starts++;
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, (uint8_t)world.starts);
    config.start = world.starts;
    world.senders[sender] = swim_seal_new(&config);
    for (uint32_t key = 1; key <= KEYS; key++)
        assert_int_equal(key_install(world.senders[sender], key), SWIM_KEY_OK);
}

static void start_receiver(void)
{
    swim_seal_free(world.receiver);
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 200);
    config.members_max = HELD_MAX;
    world.receiver = swim_seal_new(&config);
    for (uint32_t key = 1; key <= KEYS; key++)
        if (world.has_key[key])
            assert_int_equal(key_install(world.receiver, key), SWIM_KEY_OK);
    assert_int_equal(swim_seal_key_use(world.receiver, key_id_of(world.primary)), SWIM_KEY_OK);
    memset(world.held, 0, sizeof world.held);
}

/* One of the receiver's keys comes, goes, or becomes the primary one. */
static void change_keys(void)
{
    uint32_t key = 1 + prng_below(&world.prng, KEYS);

    if (!world.has_key[key]) {
        assert_int_equal(key_install(world.receiver, key), SWIM_KEY_OK);
        world.has_key[key] = true;
    } else if (prng_below(&world.prng, 2) == 0) {
        assert_int_equal(swim_seal_key_use(world.receiver, key_id_of(key)), SWIM_KEY_OK);
        world.primary = key;
    } else {
        assert_int_equal(swim_seal_key_remove(world.receiver, key_id_of(key)),
                         key == world.primary ? SWIM_KEY_PRIMARY : SWIM_KEY_OK);
        world.has_key[key] = key == world.primary;
    }
}

/* Somebody says something, which goes on the tape in the place of something older. */
static uint32_t record(void)
{
    uint32_t sender = prng_below(&world.prng, SENDERS);
    uint32_t at = world.taped < TAPE ? world.taped++ : prng_below(&world.prng, TAPE);
    struct recorded *recorded = &world.tape[at];
    struct swim_seal *seal = world.senders[sender];

    if (prng_below(&world.prng, 50) == 0)
        seal->next_counter += prng_below(&world.prng, 2500);
    if (seal->next_counter >= NUMBERS)
        start_sender(sender);
    seal = world.senders[sender];
    recorded->sender = sender;
    recorded->start = seal->start;
    recorded->number = seal->next_counter;
    recorded->key = 1 + prng_below(&world.prng, KEYS);
    assert_int_equal(swim_seal_key_use(seal, key_id_of(recorded->key)), SWIM_KEY_OK);
    recorded->sealed = say(seal, sender + 1, 0);
    return at;
}

/* A key is held whose id ends like this one's: two of the four do. */
static bool is_like_a_key(uint32_t key)
{
    for (uint32_t other = 1; other <= KEYS; other++)
        if (world.has_key[other] && (uint8_t)world.ids[other] == (uint8_t)world.ids[key])
            return true;
    return false;
}

static int model_hear(const struct recorded *recorded)
{
    struct held *held = &world.held[recorded->sender];

    if (!is_like_a_key(recorded->key))
        return SWIM_SEAL_DROP_KEY;
    if (held->start != 0 && recorded->start < held->start)
        return SWIM_SEAL_DROP_REPLAY;
    if (recorded->start == held->start &&
        (recorded->number + SWIM_SEAL_WINDOW < held->newest || held->heard[recorded->number]))
        return SWIM_SEAL_DROP_REPLAY;
    if (!world.has_key[recorded->key])
        return SWIM_SEAL_DROP_FORGED;
    if (recorded->start != held->start)
        return HEARD_UNPROVED;
    held->heard[recorded->number] = true;
    held->newest = recorded->number > held->newest ? recorded->number : held->newest;
    held->last_heard = world.step;
    return HEARD_FRESH;
}

static void model_make_room(void)
{
    struct held *oldest = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < SENDERS; i++) {
        struct held *held = &world.held[i];
        if (held->start == 0)
            continue;
        count++;
        if (oldest == NULL || held->last_heard < oldest->last_heard)
            oldest = held;
    }
    if (count < HELD_MAX)
        return;
    oldest->start = 0;
    world.evicted++;
}

static void model_admit(const struct recorded *recorded)
{
    struct held *held = &world.held[recorded->sender];

    if (held->start == 0)
        model_make_room();
    memset(held, 0, sizeof *held);
    held->start = recorded->start;
    held->newest = recorded->number;
    held->last_heard = world.step;
    for (uint64_t number = 0; number <= recorded->number; number++)
        held->heard[number] = true;
}

static void deliver(const struct recorded *recorded)
{
    struct swim_seal_opened opened;
    enum swim_seal_error error = hear_sealed(world.receiver, &recorded->sealed, &opened);
    int outcome = error != SWIM_SEAL_OK ? (int)error
                  : opened.is_fresh     ? HEARD_FRESH
                                        : HEARD_UNPROVED;

    assert_int_equal(outcome, model_hear(recorded));
    world.outcomes[outcome]++;
    /* A sender that speaks now may prove it; what was recorded of an earlier start can't. */
    bool is_now = recorded->start == world.senders[recorded->sender]->start;
    if (outcome != HEARD_UNPROVED || !is_now || prng_below(&world.prng, 3) != 0)
        return;
    swim_seal_admit(world.receiver, &opened);
    model_admit(recorded);
}

static void take_step(void)
{
    uint32_t dice = prng_below(&world.prng, 1000);

    if (dice < 500)
        deliver(&world.tape[record()]);
    else if (dice < 600)
        (void)record();
    else if (dice < 960)
        deliver(&world.tape[prng_below(&world.prng, world.taped)]);
    else if (dice < 970)
        start_sender(prng_below(&world.prng, SENDERS));
    else if (dice < 998)
        change_keys();
    else
        start_receiver();
}

static void test_walk(void **state)
{
    (void)state;
    prng_init(&world.prng, test_seed("walk"));
    for (uint32_t key = 1; key <= KEYS; key++)
        world.ids[key] = key_id_of(key);
    world.primary = 1;
    world.has_key[1] = world.has_key[2] = true;
    start_receiver();
    for (uint32_t sender = 0; sender < SENDERS; sender++)
        start_sender(sender);
    (void)record();
    for (world.step = 1; world.step <= STEPS; world.step++)
        take_step();
    printf("%u fresh, %u unproved, %u replays, %u without a key, %u under another, %u evicted\n",
           world.outcomes[HEARD_FRESH], world.outcomes[HEARD_UNPROVED],
           world.outcomes[SWIM_SEAL_DROP_REPLAY], world.outcomes[SWIM_SEAL_DROP_KEY],
           world.outcomes[SWIM_SEAL_DROP_FORGED], world.evicted);
    assert_true(world.outcomes[HEARD_FRESH] > 1000 && world.outcomes[HEARD_UNPROVED] > 1000 &&
                world.outcomes[SWIM_SEAL_DROP_REPLAY] > 1000 && world.evicted > 100);
    for (uint32_t sender = 0; sender < SENDERS; sender++)
        swim_seal_free(world.senders[sender]);
    swim_seal_free(world.receiver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
