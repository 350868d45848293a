/*
 * Keyed BLAKE2b as the one key derivation (docs/protocol.md section 3, "Subkeys" and "Keys"). What
 * is hashed begins with a label, and every field in it has a fixed size or its size in front, so
 * no two purposes and no two senders ever hash the same bytes.
 *
 * A subkey for each sender and start is what lets the sequence number alone be the nonce: no two
 * members and no two lives of a member share a key. A member of another cluster derives other
 * subkeys, even from the same key.
 */
#include "seal/subkey.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <sodium.h>
#include <string.h>

static const char envelope_label[] = "swim envelope 2";
static const char id_label[] = "swim key id";

static void derive(const uint8_t key[SWIM_KEY_SIZE], const uint8_t *data, size_t size,
                   uint8_t ret[SWIM_KEY_SIZE])
{
    int error = crypto_generichash(ret, SWIM_KEY_SIZE, data, size, key, SWIM_KEY_SIZE);
    ASSERT(error == 0);
}

void subkey_derive(const uint8_t key[SWIM_KEY_SIZE], const struct cluster_name *cluster,
                   uint64_t sender, uint64_t start, uint8_t ret[SWIM_KEY_SIZE])
{
    uint8_t text[sizeof envelope_label - 1 + 1 + SWIM_CLUSTER_MAX + 8 + 6];
    struct writer w = writer_of(text, sizeof text);

    write_bytes(&w, envelope_label, sizeof envelope_label - 1);
    write_u8(&w, cluster->size);
    write_bytes(&w, cluster->bytes, cluster->size);
    write_u64(&w, sender);
    write_u16(&w, (uint16_t)(start >> 32));
    write_u32(&w, (uint32_t)start);
    ASSERT(!w.failed);
    derive(key, text, writer_size(&w), ret);
}

void subkey_labelled(const uint8_t key[SWIM_KEY_SIZE], const char *label,
                     uint8_t ret[SWIM_KEY_SIZE])
{
    size_t size = strlen(label);

    ASSERT(size <= SWIM_KEY_SIZE);
    derive(key, (const uint8_t *)label, size, ret);
}

/* Never 0, which means "none": the one key in 2^32 that would have it is named 1. */
uint32_t swim_key_id(const uint8_t key[SWIM_KEY_SIZE])
{
    uint8_t hash[SWIM_KEY_SIZE];

    ASSERT(key != NULL);
    subkey_labelled(key, id_label, hash);
    uint32_t id = load_u32(hash);
    return id != 0 ? id : 1;
}
