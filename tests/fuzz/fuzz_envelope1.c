/*
 * Envelope 1 (docs/protocol.md section 3) against whoever does not hold the key, and whoever holds
 * it and lies: the input is a script that seals datagrams under known keys, changes bytes, sizes
 * and keys, and has a member open what comes of it. What it must say is known beforehand, since the
 * script knows what was changed.
 *
 *     0 key claim size filling      seals; claim: inside another sender than in clear
 *     1 at change, 2 cut            changes a byte of the last one, or its size; then opened
 *     3                             the last one is opened as it is
 *     4 len bytes...                bytes that nobody has sealed
 *     5, 6, 7 key                   install, use, remove
 *     8 size filling                the member seals, and opens it itself
 */
#include "seal_world.h"

#include <sodium.h>

enum { STEPS_MAX = 64, RAW_MAX = SWIM_RECEIVE_MAX + 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct swim_seal *seal;
    struct world_keys keys;
    struct reader script;
    /* The last one sealed. */
    size_t size; /* 0: none yet */
    unsigned key;
    bool lies;
    uint8_t inside[SWIM_DATAGRAM_MAX];
    uint8_t bytes[SWIM_SEALED_MAX];
};

static enum swim_seal_error hear(struct world *w, const uint8_t *bytes, size_t size,
                                 uint8_t *ret_inside, struct swim_seal_opened *ret)
{
    return swim_seal_open(w->seal, bytes, size, ret_inside, RAW_MAX, ret);
}

static size_t draw_size(struct world *w)
{
    size_t size = ENVELOPE_INSIDE_MIN + (size_t)read_u8(&w->script) * 6;

    return size < SWIM_DATAGRAM_MAX ? size : SWIM_DATAGRAM_MAX;
}

/* By hand, and not by envelope1_seal: this one may say another sender outside. */
static void seal(struct world *w)
{
    static uint8_t nonces;
    uint8_t key[SWIM_KEY_SIZE];
    uint64_t sender = 2 + read_u8(&w->script) % 4;
    size_t size;

    w->key = read_u8(&w->script) % WORLD_KEYS;
    w->lies = read_u8(&w->script) & 1;
    size = draw_size(w);
    world_datagram(sender, read_u8(&w->script), size, w->inside);
    memset(w->bytes, nonces++, ENVELOPE_NONCE_SIZE);
    store_u64(w->bytes + ENVELOPE_NONCE_SIZE, sender + (w->lies ? 1 : 0));
    world_key(w->key, key);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(w->bytes + ENVELOPE1_CLEAR_SIZE, NULL,
                                                    w->inside, size, w->bytes + ENVELOPE_NONCE_SIZE,
                                                    8, NULL, w->bytes, key);
    w->size = size + SWIM_SEAL_OVERHEAD_1;
}

static void hear_whole(struct world *w)
{
    uint8_t inside[RAW_MAX];
    struct swim_seal_opened opened;
    enum swim_seal_error error;

    if (w->size == 0)
        return;
    error = hear(w, w->bytes, w->size, inside, &opened);
    if (!w->keys.is_held[w->key]) {
        ASSERT(error == SWIM_SEAL_DROP_FORGED);
        return;
    }
    if (w->lies) {
        ASSERT(error == SWIM_SEAL_DROP_SENDER);
        return;
    }
    ASSERT(error == SWIM_SEAL_OK && opened.is_fresh);
    ASSERT(opened.key_id == world_key_id(w->key));
    ASSERT(opened.size == w->size - SWIM_SEAL_OVERHEAD_1);
    ASSERT(opened.sender == load_u64(w->inside + ENVELOPE_INSIDE_SENDER));
    ASSERT(memcmp(inside, w->inside, opened.size) == 0);
}

static void hear_changed(struct world *w)
{
    uint8_t inside[RAW_MAX];
    struct swim_seal_opened opened;
    size_t at = read_u16(&w->script);
    uint8_t change = read_u8(&w->script);

    if (w->size == 0 || change == 0)
        return;
    w->bytes[at % w->size] ^= change;
    ASSERT(hear(w, w->bytes, w->size, inside, &opened) == SWIM_SEAL_DROP_FORGED);
    w->bytes[at % w->size] ^= change;
}

static void hear_cut(struct world *w)
{
    uint8_t inside[RAW_MAX];
    struct swim_seal_opened opened;
    size_t size = read_u16(&w->script);

    if (w->size == 0 || size % w->size == 0)
        return;
    ASSERT(hear(w, w->bytes, size % w->size, inside, &opened) != SWIM_SEAL_OK);
}

/* An exact copy, so that a sanitizer sees a read past it. */
static void hear_raw(struct world *w)
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
    ASSERT(hear(w, at, size, inside, &opened) != SWIM_SEAL_OK);
}

static void talk_to_itself(struct world *w)
{
    uint8_t datagram[SWIM_DATAGRAM_MAX];
    uint8_t bytes[SWIM_SEALED_MAX];
    uint8_t inside[RAW_MAX];
    struct swim_seal_opened opened;
    size_t size = draw_size(w);
    size_t sealed;

    world_datagram(1, read_u8(&w->script), size, datagram);
    sealed = swim_seal_wrap(w->seal, datagram, size, bytes, sizeof bytes);
    ASSERT(sealed == (w->keys.count ? size + SWIM_SEAL_OVERHEAD_1 : 0));
    if (sealed == 0)
        return;
    ASSERT(hear(w, bytes, sealed, inside, &opened) == SWIM_SEAL_OK);
    ASSERT(opened.size == size && memcmp(inside, datagram, size) == 0);
    ASSERT(opened.key_id == world_key_id(w->keys.primary));
}

static void step(struct world *w)
{
    switch (read_u8(&w->script) % 9) {
    case 0: seal(w); break;
    case 1: hear_changed(w); break;
    case 2: hear_cut(w); break;
    case 3: hear_whole(w); break;
    case 4: hear_raw(w); break;
    case 5: world_install(w->seal, &w->keys, read_u8(&w->script) % (WORLD_KEYS + 1)); break;
    case 6: world_use(w->seal, &w->keys, read_u8(&w->script) % WORLD_KEYS); break;
    case 7: world_remove(w->seal, &w->keys, read_u8(&w->script) % WORLD_KEYS); break;
    case 8: talk_to_itself(w); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct swim_seal_config config = {.envelope = SWIM_ENVELOPE_1, .members_max = 4};
    static struct world w;

    w = (struct world){.seal = world_seal(&config), .script = reader_of(data, size)};
    for (int i = 0; i < STEPS_MAX && reader_left(&w.script) > 0; i++) {
        step(&w);
        world_check_keys(w.seal, &w.keys);
    }
    return 0;
}
