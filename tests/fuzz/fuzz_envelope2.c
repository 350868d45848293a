/*
 * Envelope 2 (docs/protocol.md section 3) against recordings, forgeries and members that lie: the
 * input is a script in which a few senders, each in a few lives, seal datagrams with sequence
 * numbers near and far, which then arrive whole, changed, cut, again, late, or after their sender's
 * window had to make room. Beside the member stands a list of what it has heard, kept as plainly as
 * possible: each verdict must be the one that the list says.
 *
 *     input: shape | step...                shape: how many senders' windows there is room for
 *
 *     0 place sender start number key claim size     seals, into one of eight places
 *     1 place                    arrives as it is    6 key   install
 *     2 place                    and is admitted     7 key   use
 *     3 place at change          a byte changed      8 key   remove
 *     4 place size               cut                 9 size  the member seals, into place 0
 *     5 len bytes...             what nobody sealed
 */
#include "seal_world.h"

#include "seal/subkey.h"

enum {
    STEPS_MAX = 96,
    RAW_MAX = SWIM_RECEIVE_MAX + 1,
    PLACES = 8,
    SENDERS = 5, /* ids 2 to 6 */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cluster_name cluster = {.size = 2, .bytes = "c1"};
static const uint64_t FIRST_START = UINT64_C(1) << 40;

/* On its way. */
struct sealed {
    size_t size; /* 0: nothing here */
    size_t inside_size;
    unsigned key;
    bool lies;
    struct envelope2 clear;
    uint8_t filling;
    uint8_t bytes[SWIM_SEALED_MAX];
};

/* What the member has heard of a sender, as a list. */
struct heard {
    bool is_held;
    uint64_t start;
    uint64_t floor; /* this number and all below it count as heard */
    uint64_t newest;
    uint64_t numbers[STEPS_MAX];
    unsigned count;
    unsigned at; /* the step at which it was last heard */
};

struct world {
    struct swim_seal *seal;
    struct world_keys keys;
    struct reader script;
    struct heard heard[SENDERS];
    unsigned room; /* for windows */
    unsigned step;
    struct sealed places[PLACES];
};

static uint8_t draw(struct world *w)
{
    return read_u8(&w->script);
}

/* ---- The list ---- */

static struct heard *heard_of(struct world *w, uint64_t sender)
{
    ASSERT(sender >= 2 && sender < 2 + SENDERS);
    return &w->heard[sender - 2];
}

static bool was_heard(const struct heard *heard, const struct envelope2 *clear)
{
    if (!heard->is_held || clear->start > heard->start)
        return false;
    if (clear->start < heard->start || clear->counter <= heard->floor)
        return true;
    if (clear->counter < heard->newest && heard->newest - clear->counter > SWIM_SEAL_WINDOW)
        return true;
    for (unsigned i = 0; i < heard->count; i++)
        if (heard->numbers[i] == clear->counter)
            return true;
    return false;
}

static void note(struct world *w, struct heard *heard, uint64_t number)
{
    ASSERT(heard->count < STEPS_MAX);
    heard->numbers[heard->count++] = number;
    if (number > heard->newest)
        heard->newest = number;
    heard->at = w->step;
}

/* Somebody's window makes room, the longest silent one's. */
static void make_room(struct world *w)
{
    struct heard *oldest = NULL;
    unsigned held = 0;

    for (unsigned i = 0; i < SENDERS; i++) {
        struct heard *at = &w->heard[i];
        if (!at->is_held)
            continue;
        held++;
        if (oldest == NULL || at->at < oldest->at)
            oldest = at;
    }
    if (held == w->room)
        oldest->is_held = false;
}

static void note_admitted(struct world *w, const struct envelope2 *clear)
{
    struct heard *heard = heard_of(w, clear->sender);

    if (!heard->is_held)
        make_room(w);
    *heard = (struct heard){.is_held = true,
                            .start = clear->start,
                            .floor = clear->counter,
                            .newest = clear->counter,
                            .at = w->step};
}

static bool is_any_key(const struct world *w, uint8_t byte)
{
    for (unsigned i = 0; i < WORLD_KEYS; i++)
        if (w->keys.is_held[i] && (uint8_t)world_key_id(i) == byte)
            return true;
    return false;
}

static enum swim_seal_error expected_of(struct world *w, const struct sealed *sealed)
{
    if (!is_any_key(w, sealed->clear.key))
        return SWIM_SEAL_DROP_KEY;
    if (was_heard(heard_of(w, sealed->clear.sender), &sealed->clear))
        return SWIM_SEAL_DROP_REPLAY;
    if (!w->keys.is_held[sealed->key])
        return SWIM_SEAL_DROP_FORGED;
    return sealed->lies ? SWIM_SEAL_DROP_SENDER : SWIM_SEAL_OK;
}

/* ---- Sealing ---- */

/* Close together, around the window's edge, or at the ends. */
static uint64_t draw_number(struct world *w)
{
    uint8_t b = draw(w);

    if (b < 0x80)
        return b;
    if (b < 0xC0)
        return SWIM_SEAL_WINDOW + b - 0xA0;
    if (b < 0xE0)
        return UINT64_MAX - (b - 0xC0);
    return (uint64_t)(b - 0xE0) * 512;
}

static size_t draw_size(struct world *w)
{
    size_t size = ENVELOPE_INSIDE_MIN + (size_t)draw(w) * 6;

    return size < SWIM_DATAGRAM_MAX - 8 ? size : SWIM_DATAGRAM_MAX - 8;
}

static void seal(struct world *w)
{
    struct sealed *sealed = &w->places[draw(w) % PLACES];
    uint8_t inside[SWIM_DATAGRAM_MAX];
    uint8_t key[SWIM_KEY_SIZE];
    uint8_t subkey[SWIM_KEY_SIZE];

    sealed->clear.sender = 2 + draw(w) % SENDERS;
    sealed->clear.start = FIRST_START + draw(w) % 4;
    sealed->clear.counter = draw_number(w);
    sealed->key = draw(w) % WORLD_KEYS;
    sealed->clear.key = (uint8_t)world_key_id(sealed->key);
    sealed->clear.salt = (uint32_t)sealed->clear.counter;
    sealed->lies = draw(w) & 1;
    sealed->inside_size = draw_size(w);
    sealed->filling = (uint8_t)w->step;
    sealed->size = sealed->inside_size + SWIM_SEAL_OVERHEAD_2;
    world_datagram(sealed->clear.sender + (sealed->lies ? 1 : 0), sealed->filling,
                   sealed->inside_size, inside);
    world_key(sealed->key, key);
    subkey_derive(key, &cluster, sealed->clear.sender, sealed->clear.start, subkey);
    envelope2_seal(subkey, &sealed->clear, inside, sealed->inside_size, sealed->bytes);
}

/* The member itself, as one of the senders, whose numbers nobody but it knows. */
static void wrap(struct world *w)
{
    struct sealed *sealed = &w->places[0];
    uint8_t inside[SWIM_DATAGRAM_MAX];
    size_t size = draw_size(w);

    world_datagram(2, (uint8_t)w->step, size, inside);
    sealed->size = swim_seal_wrap(w->seal, inside, size, sealed->bytes, sizeof sealed->bytes);
    ASSERT(sealed->size == (w->keys.count ? size + SWIM_SEAL_OVERHEAD_2 : 0));
    if (sealed->size == 0)
        return;
    sealed->inside_size = size;
    sealed->key = w->keys.primary;
    sealed->lies = false;
    sealed->filling = (uint8_t)w->step;
    ASSERT(envelope2_read(sealed->bytes, sealed->size, &sealed->clear));
    ASSERT(sealed->clear.sender == 2 && sealed->clear.start == FIRST_START);
    ASSERT(sealed->clear.key == (uint8_t)world_key_id(sealed->key));
}

/* ---- Arriving ---- */

static void check_opened(const struct sealed *sealed, const struct swim_seal_opened *opened,
                         const uint8_t *inside)
{
    uint8_t expected[SWIM_DATAGRAM_MAX];

    ASSERT(opened->size == sealed->inside_size && opened->sender == sealed->clear.sender);
    ASSERT(opened->start == sealed->clear.start && opened->counter == sealed->clear.counter);
    ASSERT(opened->key_id == world_key_id(sealed->key));
    world_datagram(sealed->clear.sender, sealed->filling, sealed->inside_size, expected);
    ASSERT(memcmp(inside, expected, opened->size) == 0);
}

static void arrive(struct world *w, bool is_admitted)
{
    const struct sealed *sealed = &w->places[draw(w) % PLACES];
    struct heard *heard;
    struct swim_seal_opened opened;
    uint8_t inside[RAW_MAX];
    enum swim_seal_error expected;

    if (sealed->size == 0)
        return;
    expected = expected_of(w, sealed);
    ASSERT(swim_seal_open(w->seal, sealed->bytes, sealed->size, inside, sizeof inside, &opened) ==
           expected);
    if (expected != SWIM_SEAL_OK)
        return;
    check_opened(sealed, &opened, inside);
    heard = heard_of(w, opened.sender);
    ASSERT(opened.is_fresh == (heard->is_held && heard->start == opened.start));
    if (opened.is_fresh)
        note(w, heard, opened.counter);
    if (!is_admitted)
        return;
    swim_seal_admit(w->seal, &opened);
    if (!opened.is_fresh)
        note_admitted(w, &sealed->clear);
}

static void arrive_changed(struct world *w)
{
    struct sealed *sealed = &w->places[draw(w) % PLACES];
    size_t at = read_u16(&w->script);
    uint8_t change = draw(w);
    struct swim_seal_opened opened;
    uint8_t inside[RAW_MAX];

    if (sealed->size == 0 || change == 0)
        return;
    at %= sealed->size;
    sealed->bytes[at] ^= change;
    enum swim_seal_error error =
        swim_seal_open(w->seal, sealed->bytes, sealed->size, inside, sizeof inside, &opened);
    ASSERT(error != SWIM_SEAL_OK && error != SWIM_SEAL_DROP_SENDER);
    ASSERT((at == 0) == (error == SWIM_SEAL_DROP_VERSION));
    sealed->bytes[at] ^= change;
}

static void arrive_cut(struct world *w)
{
    const struct sealed *sealed = &w->places[draw(w) % PLACES];
    size_t size = read_u16(&w->script);
    struct swim_seal_opened opened;
    uint8_t inside[RAW_MAX];

    if (sealed->size == 0)
        return;
    ASSERT(swim_seal_open(w->seal, sealed->bytes, size % sealed->size, inside, sizeof inside,
                          &opened) != SWIM_SEAL_OK);
}

/* At the end of a buffer, so that a sanitizer sees a read past it. */
static void arrive_raw(struct world *w)
{
    static uint8_t buf[RAW_MAX];
    uint8_t inside[RAW_MAX];
    struct swim_seal_opened opened;
    size_t size = read_u16(&w->script) % (RAW_MAX + 1);

    size = size < reader_left(&w->script) ? size : reader_left(&w->script);
    uint8_t *at = buf + sizeof buf - size;
    const uint8_t *bytes = read_bytes(&w->script, size);
    if (bytes == NULL)
        return;
    memcpy(at, bytes, size);
    ASSERT(swim_seal_open(w->seal, at, size, inside, sizeof inside, &opened) != SWIM_SEAL_OK);
}

/* ---- All ---- */

static void step(struct world *w)
{
    switch (draw(w) % 10) {
    case 0: seal(w); break;
    case 1: arrive(w, false); break;
    case 2: arrive(w, true); break;
    case 3: arrive_changed(w); break;
    case 4: arrive_cut(w); break;
    case 5: arrive_raw(w); break;
    case 6: world_install(w->seal, &w->keys, draw(w) % (WORLD_KEYS + 1)); break;
    case 7: world_use(w->seal, &w->keys, draw(w) % WORLD_KEYS); break;
    case 8: world_remove(w->seal, &w->keys, draw(w) % WORLD_KEYS); break;
    case 9: wrap(w); break;
    }
}

static void check_windows(const struct world *w)
{
    struct swim_seal_stats stats;
    unsigned held = 0;

    for (unsigned i = 0; i < SENDERS; i++)
        held += w->heard[i].is_held ? 1 : 0;
    swim_seal_stats(w->seal, &stats);
    ASSERT(stats.windows == held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;

    w = (struct world){.script = reader_of(data, size)};
    w.room = 2 + draw(&w) % SENDERS;
    struct swim_seal_config config = {
        .envelope = SWIM_ENVELOPE_2, .cluster = "c1", .start = FIRST_START, .members_max = w.room};
    w.seal = world_seal(&config);
    for (; w.step < STEPS_MAX && reader_left(&w.script) > 0; w.step++) {
        step(&w);
        world_check_keys(w.seal, &w.keys);
        check_windows(&w);
    }
    return 0;
}
