/*
 * An instance from inside. All of it is in memory from sodium_malloc: between guard pages, locked
 * where the system allows it, left out of core dumps, wiped when it is freed. What is derived for
 * senders lies in a mapping of its own (senders.h).
 */
#ifndef SWIM_SEAL_SEAL_PRIVATE_H
#define SWIM_SEAL_SEAL_PRIVATE_H

#include "seal/keyring.h"
#include "seal/nonce.h"
#include "seal/senders.h"
#include "seal/subkey.h"

struct swim_seal {
    enum swim_envelope envelope;
    bool is_spent; /* the last sequence number of this start was used */
    struct cluster_name cluster;
    uint64_t start;
    uint64_t next_counter;
    struct keyring ring;
    struct nonces nonces;
    /* The subkey that datagrams were last sealed with; tx_key_id 0: none. */
    uint8_t tx_subkey[SWIM_KEY_SIZE];
    uint64_t tx_sender;
    uint32_t tx_key_id;
    uint8_t rx_subkey[SWIM_KEY_SIZE]; /* the one that a datagram is being opened with */
    struct senders senders;           /* envelope 2 only */
    struct swim_seal_stats stats;
};

/* Wipes what was derived from this key. */
void wrap_wipe_key(struct swim_seal *seal, uint32_t key_id);
void open_wipe_key(struct swim_seal *seal, uint32_t key_id);

#endif
