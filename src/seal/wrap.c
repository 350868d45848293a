/*
 * Sealing what a member says (docs/protocol.md section 3): always with the primary key, each
 * datagram under the next number. The numbers go on over a change of the key or of the member's
 * id, which both bring another subkey: no nonce can come twice.
 */
#include "seal/seal_private.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <sodium.h>

void wrap_wipe_key(struct swim_seal *seal, uint32_t key_id)
{
    if (seal->tx_key_id != key_id)
        return;
    sodium_memzero(seal->tx_subkey, sizeof seal->tx_subkey);
    seal->tx_key_id = 0;
}

static const uint8_t *subkey_for(struct swim_seal *seal, const struct key *key, uint64_t sender)
{
    if (seal->tx_key_id != key->id || seal->tx_sender != sender) {
        subkey_derive(key->bytes, &seal->cluster, sender, seal->start, seal->tx_subkey);
        seal->tx_key_id = key->id;
        seal->tx_sender = sender;
    }
    return seal->tx_subkey;
}

static void wrap_1(struct swim_seal *seal, const struct key *key, const uint8_t *datagram,
                   size_t size, uint8_t *out)
{
    uint8_t nonce[ENVELOPE_NONCE_SIZE];

    nonce_of(&seal->nonces, seal->next_counter, datagram, size, nonce);
    envelope1_seal(key->bytes, nonce, datagram, size, out);
}

static void wrap_2(struct swim_seal *seal, const struct key *key, const uint8_t *datagram,
                   size_t size, uint8_t *out)
{
    struct envelope2 clear = {
        .key = (uint8_t)key->id,
        .sender = load_u64(datagram + ENVELOPE_INSIDE_SENDER),
        .start = seal->start,
        .counter = seal->next_counter,
        .salt = salt_of(&seal->nonces, seal->next_counter, datagram, size),
    };

    envelope2_seal(subkey_for(seal, key, clear.sender), &clear, datagram, size, out);
}

size_t swim_seal_wrap(struct swim_seal *seal, const void *datagram, size_t size, void *buf,
                      size_t cap)
{
    ASSERT(seal != NULL && datagram != NULL && buf != NULL);
    ASSERT(size >= ENVELOPE_INSIDE_MIN && size <= SWIM_DATAGRAM_MAX);
    bool is_first = seal->envelope == SWIM_ENVELOPE_1;
    size_t whole = size + (is_first ? SWIM_SEAL_OVERHEAD_1 : SWIM_SEAL_OVERHEAD_2);
    const struct key *key = keyring_primary(&seal->ring);

    ASSERT(cap >= whole);
    if (key == NULL || seal->is_spent)
        return 0;
    if (is_first)
        wrap_1(seal, key, datagram, size, buf);
    else
        wrap_2(seal, key, datagram, size, buf);
    seal->is_spent = seal->next_counter == UINT64_MAX;
    seal->next_counter++;
    seal->stats.wrapped++;
    return whole;
}
