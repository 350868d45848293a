/*
 * Opening what arrived (docs/protocol.md section 3, "On receipt"). The order is that of cost: what
 * can be refused by looking is refused before anything is computed, so a repetition costs a look
 * into the table, and a forgery one derivation and one tag for each key that it may be under.
 * Nothing is remembered of a datagram before it has proved authentic.
 *
 * A sender whose start is not held can't be told from a recording of it. What it says is opened
 * and marked as not fresh; only when it has answered a challenge does the host admit it
 * (swim_seal_admit). That very datagram, *and all numbers below it*, then count as heard: they were
 * written before the answer, and may have been recorded and heard in a former life of ours.
 */
#include "seal/seal_private.h"

#include "base/assert.h"

#include <sodium.h>
#include <string.h>

/* All keys, since nothing tells which it is: SWIM_KEYS_MAX tags at most. */
static enum swim_seal_error open_1(const struct swim_seal *seal, const uint8_t *data, size_t size,
                                   uint8_t *out, struct swim_seal_opened *ret)
{
    for (uint32_t i = 0; i < seal->ring.count; i++) {
        const struct key *key = keyring_at(&seal->ring, i);

        if (!envelope1_open(key->bytes, data, size, out))
            continue;
        *ret = (struct swim_seal_opened){.size = size - SWIM_SEAL_OVERHEAD_1,
                                         .sender = envelope1_sender(data),
                                         .key_id = key->id,
                                         .is_fresh = true};
        return envelope_is_from(out, ret->sender) ? SWIM_SEAL_OK : SWIM_SEAL_DROP_SENDER;
    }
    return SWIM_SEAL_DROP_FORGED;
}

/* The next key from number *at on whose id ends in this byte: mostly there is one. */
static const struct key *next_candidate(const struct keyring *ring, uint8_t byte, uint32_t *at)
{
    while (*at < ring->count) {
        const struct key *key = keyring_at(ring, (*at)++);

        if ((uint8_t)key->id == byte)
            return key;
    }
    return NULL;
}

/* A datagram of envelope 2 on its way through. */
struct arrival {
    const uint8_t *data;
    size_t size;
    struct envelope2 clear;
    uint32_t slot; /* its sender's; 0: no window is held */
};

static bool is_start_held(const struct swim_seal *seal, const struct arrival *arrival)
{
    return arrival->slot != 0 && seal->senders.slots[arrival->slot].start == arrival->clear.start;
}

static bool is_repeated(const struct swim_seal *seal, const struct arrival *arrival)
{
    const struct sender *sender = &seal->senders.slots[arrival->slot];

    if (arrival->slot == 0 || arrival->clear.start > sender->start)
        return false;
    return arrival->clear.start < sender->start ||
           !window_allows(&sender->window, arrival->clear.counter);
}

/* The subkey of its sender and start under this key: kept from before, or derived. */
static const uint8_t *subkey_for(struct swim_seal *seal, const struct arrival *arrival,
                                 const struct key *key)
{
    if (is_start_held(seal, arrival) && seal->senders.slots[arrival->slot].key_id == key->id)
        return seal->senders.subkeys[arrival->slot];
    subkey_derive(key->bytes, &seal->cluster, arrival->clear.sender, arrival->clear.start,
                  seal->rx_subkey);
    return seal->rx_subkey;
}

/* The key that opens it, NULL when none does. *ret_subkey is valid until the next call. */
static const struct key *unseal(struct swim_seal *seal, const struct arrival *arrival, uint8_t *out,
                                const uint8_t **ret_subkey)
{
    const struct key *key;
    uint32_t at = 0;

    while ((key = next_candidate(&seal->ring, arrival->clear.key, &at)) != NULL) {
        const uint8_t *subkey = subkey_for(seal, arrival, key);

        if (envelope2_open(subkey, arrival->data, arrival->size, out)) {
            *ret_subkey = subkey;
            return key;
        }
    }
    return NULL;
}

/* A sender whose start is held has said something new. */
static void hear(struct swim_seal *seal, const struct arrival *arrival, uint32_t key_id,
                 const uint8_t *subkey)
{
    window_mark(&seal->senders.slots[arrival->slot].window, arrival->clear.counter);
    senders_touch(&seal->senders, arrival->slot);
    if (subkey == seal->rx_subkey)
        senders_keep_subkey(&seal->senders, arrival->slot, key_id, subkey);
}

static enum swim_seal_error open_2(struct swim_seal *seal, struct arrival *arrival, uint8_t *out,
                                   struct swim_seal_opened *ret)
{
    const struct envelope2 *clear = &arrival->clear;
    const uint8_t *subkey = NULL;
    uint32_t first = 0;

    if (!envelope2_read(arrival->data, arrival->size, &arrival->clear))
        return SWIM_SEAL_DROP_VERSION;
    if (next_candidate(&seal->ring, clear->key, &first) == NULL)
        return SWIM_SEAL_DROP_KEY;
    arrival->slot = senders_find(&seal->senders, clear->sender);
    if (is_repeated(seal, arrival))
        return SWIM_SEAL_DROP_REPLAY;

    const struct key *key = unseal(seal, arrival, out, &subkey);
    if (key == NULL)
        return SWIM_SEAL_DROP_FORGED;
    if (!envelope_is_from(out, clear->sender))
        return SWIM_SEAL_DROP_SENDER;
    *ret = (struct swim_seal_opened){.size = arrival->size - SWIM_SEAL_OVERHEAD_2,
                                     .sender = clear->sender,
                                     .start = clear->start,
                                     .counter = clear->counter,
                                     .key_id = key->id,
                                     .is_fresh = is_start_held(seal, arrival)};
    if (ret->is_fresh)
        hear(seal, arrival, key->id, subkey);
    return SWIM_SEAL_OK;
}

static enum swim_seal_error open_any(struct swim_seal *seal, struct arrival *arrival, uint8_t *out,
                                     struct swim_seal_opened *ret)
{
    bool is_first = seal->envelope == SWIM_ENVELOPE_1;
    size_t overhead = is_first ? SWIM_SEAL_OVERHEAD_1 : SWIM_SEAL_OVERHEAD_2;

    if (arrival->size < overhead + ENVELOPE_INSIDE_MIN || arrival->size > SWIM_RECEIVE_MAX)
        return SWIM_SEAL_DROP_SIZE;
    if (is_first)
        return open_1(seal, arrival->data, arrival->size, out, ret);
    enum swim_seal_error error = open_2(seal, arrival, out, ret);
    sodium_memzero(seal->rx_subkey, sizeof seal->rx_subkey);
    return error;
}

enum swim_seal_error swim_seal_open(struct swim_seal *seal, const void *data, size_t size,
                                    void *buf, size_t cap, struct swim_seal_opened *ret)
{
    ASSERT(seal != NULL && (data != NULL || size == 0) && buf != NULL && ret != NULL);
    ASSERT(cap >= size);
    struct arrival arrival = {.data = data, .size = size};
    enum swim_seal_error error = open_any(seal, &arrival, buf, ret);

    if (error != SWIM_SEAL_OK) {
        seal->stats.dropped[error]++;
        return error;
    }
    seal->stats.opened++;
    seal->stats.unproved += ret->is_fresh ? 0 : 1;
    return SWIM_SEAL_OK;
}

/* The start of a sender is held from this number on. */
static void begin(struct swim_seal *seal, uint32_t slot, const struct swim_seal_opened *opened)
{
    struct sender *sender = &seal->senders.slots[slot];

    sender->start = opened->start;
    window_begin(&sender->window, opened->counter);
    senders_wipe_subkey(&seal->senders, slot); /* that of another start */
    seal->stats.admitted++;
}

/* What was opened before its start was held may have been overtaken by an admission. */
void swim_seal_admit(struct swim_seal *seal, const struct swim_seal_opened *opened)
{
    ASSERT(seal != NULL && opened != NULL);
    if (seal->envelope != SWIM_ENVELOPE_2 || opened->is_fresh)
        return;
    uint32_t slot = senders_find(&seal->senders, opened->sender);
    bool is_evicted = false;

    if (slot == 0) {
        slot = senders_add(&seal->senders, opened->sender, &is_evicted);
        seal->stats.evicted += is_evicted ? 1 : 0;
        begin(seal, slot, opened);
        return;
    }
    struct sender *sender = &seal->senders.slots[slot];
    if (opened->start < sender->start)
        return;
    senders_touch(&seal->senders, slot);
    if (opened->start > sender->start)
        begin(seal, slot, opened);
    else if (window_allows(&sender->window, opened->counter))
        window_mark(&sender->window, opened->counter);
}

void open_wipe_key(struct swim_seal *seal, uint32_t key_id)
{
    if (seal->envelope == SWIM_ENVELOPE_2)
        senders_wipe_key(&seal->senders, key_id);
}
