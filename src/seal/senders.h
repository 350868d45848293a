/*
 * The senders whose windows are held: a table of a fixed size, in the order in which they were
 * last heard. Envelope 2 only.
 *
 *     heads[hash of id] -> slot -> slot -> 0        slots chained by `next`
 *     heard: the slot heard last -> ... -> the slot silent for longest
 *
 * Slot 0 is none. Memory for all slots is reserved at the start and touched as they are used, so a
 * large limit costs a small cluster nothing. Subkeys lie together, apart from the rest, so that
 * few pages need to be locked.
 */
#ifndef SWIM_SEAL_SENDERS_H
#define SWIM_SEAL_SENDERS_H

#include "base/list.h"
#include "seal/window.h"

#include <stddef.h>

#define SENDERS_HASH_KEY_SIZE 16

struct sender {
    uint64_t id;
    uint64_t start;
    struct window window;
    uint32_t key_id; /* of the key that the subkey is derived from; 0: no subkey */
    uint32_t next;   /* in the chain of the same hash */
};

struct senders {
    uint8_t hash_key[SENDERS_HASH_KEY_SIZE]; /* senders choose their ids, but not their chains */
    uint8_t (*subkeys)[SWIM_KEY_SIZE];       /* by slot; of sender, start and key_id */
    struct sender *slots;
    struct link *links; /* by slot, in `heard` */
    uint32_t *heads;
    uint32_t mask; /* heads, a power of two, less one */
    uint32_t max;
    struct list heard; /* its count is the number of slots in use: 1 .. count */
    size_t size;       /* of the whole mapping, which begins at `subkeys` */
    size_t locked;     /* bytes from its beginning that were asked to be locked */
};

/* False when there is no memory for `max` senders. */
SWIM_MUST_CHECK bool senders_init(struct senders *senders, uint32_t max,
                                  const uint8_t hash_key[SENDERS_HASH_KEY_SIZE]);
/* Wipes the subkeys. A zero-filled table is allowed. */
void senders_done(struct senders *senders);

/* The slot of this id, 0 when its window is not held. */
uint32_t senders_find(const struct senders *senders, uint64_t id);
/* A slot for this id, heard now, in the place of the longest silent one if need be (*ret_evicted).
 * Its start and window are the caller's to set; it has no subkey. Asserted: it has none yet. */
uint32_t senders_add(struct senders *senders, uint64_t id, bool *ret_evicted);
/* It was heard now. */
void senders_touch(struct senders *senders, uint32_t slot);

/* Remembers the subkey of its sender and start under this key. */
void senders_keep_subkey(struct senders *senders, uint32_t slot, uint32_t key_id,
                         const uint8_t subkey[SWIM_KEY_SIZE]);
void senders_wipe_subkey(struct senders *senders, uint32_t slot);
/* Wipes every subkey that was derived from this key. O(slots in use). */
void senders_wipe_key(struct senders *senders, uint32_t key_id);

#endif
