/*
 * The table of windows (docs/protocol.md section 3, "Windows"). It is exact: a sender loses its
 * window only when more senders than the limit were heard since it last was, never because two
 * ids happen to share a place. What a loss costs is one challenge.
 *
 * The memory comes from mmap, so that pages that nobody needs are never touched, and none of it is
 * written to core dumps. It holds no bytes of a sender that is not authentic.
 */
#define _DEFAULT_SOURCE
#include "seal/senders.h"

#include "base/assert.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

_Static_assert(SENDERS_HASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash");
_Static_assert(SWIM_KEY_SIZE % sizeof(uint64_t) == 0, "slots after subkeys are aligned");

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
#ifdef MADV_DONTDUMP
    (void)madvise(memory, size, MADV_DONTDUMP);
#endif
    return memory;
}

bool senders_init(struct senders *senders, uint32_t max,
                  const uint8_t hash_key[SENDERS_HASH_KEY_SIZE])
{
    size_t count = (size_t)max + 1;
    size_t heads = 1;

    *senders = (struct senders){.max = max};
    while (heads < max)
        heads *= 2;
    senders->mask = (uint32_t)(heads - 1);
    senders->size = count * (SWIM_KEY_SIZE + sizeof *senders->slots + sizeof *senders->links) +
                    heads * sizeof *senders->heads;
    senders->subkeys = map(senders->size);
    if (senders->subkeys == NULL)
        return false;
    senders->slots = (void *)(senders->subkeys + count);
    senders->links = (void *)(senders->slots + count);
    senders->heads = (void *)(senders->links + count);
    memcpy(senders->hash_key, hash_key, SENDERS_HASH_KEY_SIZE);
    return true;
}

void senders_done(struct senders *senders)
{
    if (senders->subkeys == NULL)
        return;
    sodium_memzero(senders->subkeys, ((size_t)senders->heard.count + 1) * SWIM_KEY_SIZE);
    (void)munmap(senders->subkeys, senders->size);
    *senders = (struct senders){0};
}

static uint32_t *head_of(const struct senders *senders, uint64_t id)
{
    union {
        uint8_t bytes[crypto_shorthash_BYTES];
        uint64_t number;
    } hash;

    (void)crypto_shorthash(hash.bytes, (const uint8_t *)&id, sizeof id, senders->hash_key);
    return &senders->heads[hash.number & senders->mask];
}

uint32_t senders_find(const struct senders *senders, uint64_t id)
{
    uint32_t slot = *head_of(senders, id);

    while (slot != 0 && senders->slots[slot].id != id)
        slot = senders->slots[slot].next;
    return slot;
}

/* Pages of subkeys are locked as they come into use, as far as the system allows: all of them at
 * once would be touched, and might be more than a process may lock. */
static void lock_subkey(struct senders *senders, uint32_t slot)
{
    long page = sysconf(_SC_PAGESIZE);
    size_t step = page > 0 ? (size_t)page : 4096;

    while (senders->locked < ((size_t)slot + 1) * SWIM_KEY_SIZE) {
        (void)sodium_mlock((uint8_t *)senders->subkeys + senders->locked, step);
        senders->locked += step;
    }
}

static void unchain(struct senders *senders, uint32_t slot)
{
    uint32_t *at = head_of(senders, senders->slots[slot].id);

    while (*at != slot)
        at = &senders->slots[*at].next;
    *at = senders->slots[slot].next;
}

/* The longest silent one, out of its chain and without its subkey. */
static uint32_t evict(struct senders *senders)
{
    uint32_t slot = senders->heard.tail;

    list_remove(&senders->heard, senders->links, slot);
    unchain(senders, slot);
    senders_wipe_subkey(senders, slot);
    return slot;
}

uint32_t senders_add(struct senders *senders, uint64_t id, bool *ret_evicted)
{
    ASSERT(senders_find(senders, id) == 0);
    bool is_full = senders->heard.count == senders->max;
    uint32_t slot = is_full ? evict(senders) : senders->heard.count + 1;
    uint32_t *head = head_of(senders, id);

    lock_subkey(senders, slot);
    senders->slots[slot] = (struct sender){.id = id, .next = *head};
    *head = slot;
    list_push_head(&senders->heard, senders->links, slot);
    *ret_evicted = is_full;
    return slot;
}

void senders_touch(struct senders *senders, uint32_t slot)
{
    if (senders->heard.head == slot)
        return;
    list_remove(&senders->heard, senders->links, slot);
    list_push_head(&senders->heard, senders->links, slot);
}

void senders_keep_subkey(struct senders *senders, uint32_t slot, uint32_t key_id,
                         const uint8_t subkey[SWIM_KEY_SIZE])
{
    ASSERT(slot != 0 && key_id != 0);
    memcpy(senders->subkeys[slot], subkey, SWIM_KEY_SIZE);
    senders->slots[slot].key_id = key_id;
}

void senders_wipe_subkey(struct senders *senders, uint32_t slot)
{
    sodium_memzero(senders->subkeys[slot], SWIM_KEY_SIZE);
    senders->slots[slot].key_id = 0;
}

void senders_wipe_key(struct senders *senders, uint32_t key_id)
{
    for (uint32_t slot = 1; slot <= senders->heard.count; slot++) {
        if (senders->slots[slot].key_id == key_id)
            senders_wipe_subkey(senders, slot);
    }
}
