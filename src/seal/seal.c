/*
 * An instance's life, its keys as the host sees them, and its figures: the outside of src/seal.
 * The library knows neither sockets nor clocks nor files; docs/protocol.md section 3 says what the
 * bytes are, docs/security.md what they promise.
 */
#include "seal/seal_private.h"

#include "base/assert.h"

#include <sodium.h>
#include <string.h>

static void check_config(const struct swim_seal_config *config)
{
    ASSERT(config != NULL);
    ASSERT(config->envelope == SWIM_ENVELOPE_1 || config->envelope == SWIM_ENVELOPE_2);
    ASSERT(config->cluster == NULL || strlen(config->cluster) <= SWIM_CLUSTER_MAX);
    ASSERT(config->start < SWIM_SEAL_START_MAX);
    ASSERT(config->members_max >= SWIM_MEMBERS_MIN && config->members_max <= SWIM_MEMBERS_MAX);
}

static void set_cluster(struct cluster_name *name, const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;

    name->size = (uint8_t)size;
    if (size > 0)
        memcpy(name->bytes, text, size);
}

static bool begin_senders(struct swim_seal *seal, const struct swim_seal_config *config)
{
    uint8_t hash_key[SWIM_KEY_SIZE];

    subkey_labelled(config->entropy, "swim senders", hash_key);
    bool has_memory = senders_init(&seal->senders, config->members_max, hash_key);
    sodium_memzero(hash_key, sizeof hash_key);
    return has_memory;
}

/* libsodium itself draws the canaries of its allocations; nothing here depends on them. */
struct swim_seal *swim_seal_new(const struct swim_seal_config *config)
{
    check_config(config);
    if (sodium_init() < 0)
        return NULL;
    struct swim_seal *seal = sodium_malloc(sizeof *seal);
    if (seal == NULL)
        return NULL;
    memset(seal, 0, sizeof *seal);
    seal->envelope = config->envelope;
    seal->start = config->start;
    set_cluster(&seal->cluster, config->cluster);
    nonces_init(&seal->nonces, config->entropy);
    if (seal->envelope == SWIM_ENVELOPE_2 && !begin_senders(seal, config)) {
        swim_seal_free(seal);
        return NULL;
    }
    return seal;
}

void swim_seal_free(struct swim_seal *seal)
{
    if (seal == NULL)
        return;
    senders_done(&seal->senders);
    sodium_free(seal); /* wipes it */
}

enum swim_key_error swim_seal_key_install(struct swim_seal *seal, const uint8_t key[SWIM_KEY_SIZE])
{
    ASSERT(seal != NULL && key != NULL);
    return keyring_install(&seal->ring, key);
}

enum swim_key_error swim_seal_key_use(struct swim_seal *seal, uint32_t key_id)
{
    ASSERT(seal != NULL);
    return keyring_use(&seal->ring, key_id);
}

enum swim_key_error swim_seal_key_remove(struct swim_seal *seal, uint32_t key_id)
{
    ASSERT(seal != NULL);
    enum swim_key_error error = keyring_remove(&seal->ring, key_id);

    if (error == SWIM_KEY_OK) {
        wrap_wipe_key(seal, key_id);
        open_wipe_key(seal, key_id);
    }
    return error;
}

uint32_t swim_seal_keys(const struct swim_seal *seal, uint32_t ret_ids[SWIM_KEYS_MAX])
{
    ASSERT(seal != NULL && ret_ids != NULL);
    for (uint32_t i = 0; i < seal->ring.count; i++)
        ret_ids[i] = keyring_at(&seal->ring, i)->id;
    return seal->ring.count;
}

void swim_seal_stats(const struct swim_seal *seal, struct swim_seal_stats *ret)
{
    ASSERT(seal != NULL && ret != NULL);
    *ret = seal->stats;
    ret->windows = seal->senders.heard.count;
}

const char *swim_seal_error_name(enum swim_seal_error error)
{
    static const char *const names[] = {"ok",     "size",   "version", "key",
                                        "forged", "sender", "replay"};

    _Static_assert(sizeof names / sizeof *names == SWIM_SEAL_ERROR_COUNT, "one name each");
    return (unsigned)error < SWIM_SEAL_ERROR_COUNT ? names[error] : "unknown";
}

const char *swim_key_error_name(enum swim_key_error error)
{
    static const char *const names[] = {"ok", "full", "unknown", "primary", "weak"};

    return (unsigned)error < sizeof names / sizeof *names ? names[error] : "invalid";
}
