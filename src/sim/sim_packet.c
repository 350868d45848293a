/*
 * The memory of datagrams: slots that never move, and bytes in blocks of about their size, both
 * used again at once, so that what is under way stays in the processor's caches and thousands of
 * small datagrams do not cost as much as large ones.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

static const uint16_t class_sizes[PACKET_CLASSES] = {128, 256, 512, 1024, SWIM_RECEIVE_MAX};
#define SLAB_SIZE 65536

/* Both at the start of memory that is not in use otherwise. */
struct free_block {
    struct free_block *next;
};
struct slab {
    struct slab *next;
    uint64_t alignment;
};

struct packet *packet_at(const struct sim *sim, uint32_t slot)
{
    ASSERT(slot < sim->packets.count);
    return &sim->packets.blocks[slot / PACKET_BLOCK][slot % PACKET_BLOCK];
}

/* ---- Bytes ------------------------------------------------------------------------------- */

static uint8_t class_of(size_t size)
{
    uint8_t size_class = 0;

    while (class_sizes[size_class] < size) {
        size_class++;
    }
    return size_class;
}

static void add_slab(struct packet_pool *pool, uint8_t size_class)
{
    struct slab *slab = sim_grow(NULL, 1, SLAB_SIZE);
    uint8_t *at = (uint8_t *)(slab + 1);
    size_t size = class_sizes[size_class];

    slab->next = pool->slabs;
    pool->slabs = slab;
    for (size_t left = SLAB_SIZE - sizeof *slab; left >= size; left -= size, at += size) {
        struct free_block *block = (struct free_block *)(void *)at;
        block->next = pool->free_data[size_class];
        pool->free_data[size_class] = block;
    }
}

static uint8_t *take_data(struct packet_pool *pool, uint8_t size_class)
{
    if (pool->free_data[size_class] == NULL) {
        add_slab(pool, size_class);
    }
    struct free_block *block = pool->free_data[size_class];
    pool->free_data[size_class] = block->next;
    return (uint8_t *)block;
}

/* ---- Slots ------------------------------------------------------------------------------- */

static void add_slots(struct sim *sim)
{
    struct packet_pool *pool = &sim->packets;
    uint32_t blocks = pool->capacity / PACKET_BLOCK + 1;

    pool->blocks = sim_grow(pool->blocks, blocks, sizeof(struct packet *));
    pool->blocks[blocks - 1] = sim_allocate(PACKET_BLOCK, sizeof(struct packet));
    pool->capacity += PACKET_BLOCK;
    sim_grow_heap(sim);
}

uint32_t packet_take(struct sim *sim, const void *data, size_t size)
{
    struct packet_pool *pool = &sim->packets;
    uint32_t slot = pool->free - 1;

    if (pool->free != 0) {
        pool->free = packet_at(sim, slot)->next;
    } else {
        if (pool->count == pool->capacity) {
            add_slots(sim);
        }
        slot = pool->count++;
    }
    struct packet *packet = packet_at(sim, slot);
    memset(packet, 0, sizeof *packet);
    packet->size_class = class_of(size);
    packet->data = take_data(pool, packet->size_class);
    packet->size = (uint16_t)size;
    if (size > 0) {
        memcpy(packet->data, data, size);
    }
    return slot;
}

void packet_free(struct sim *sim, uint32_t slot)
{
    struct packet_pool *pool = &sim->packets;
    struct packet *packet = packet_at(sim, slot);
    struct free_block *block = (struct free_block *)(void *)packet->data;

    block->next = pool->free_data[packet->size_class];
    pool->free_data[packet->size_class] = block;
    packet->data = NULL;
    packet->next = pool->free;
    pool->free = slot + 1;
}

void packet_pool_free(struct packet_pool *pool)
{
    for (uint32_t i = 0; i < pool->capacity / PACKET_BLOCK; i++) {
        free(pool->blocks[i]);
    }
    free(pool->blocks);
    for (struct slab *slab = pool->slabs; slab != NULL;) {
        struct slab *next = slab->next;
        free(slab);
        slab = next;
    }
}

/* ---- Lists ------------------------------------------------------------------------------- */

void packet_push(struct sim *sim, struct packet_list *list, uint32_t slot)
{
    packet_at(sim, slot)->next = 0;
    if (list->count == 0) {
        list->head = slot + 1;
    } else {
        packet_at(sim, list->tail - 1)->next = slot + 1;
    }
    list->tail = slot + 1;
    list->count++;
}

uint32_t packet_pop(struct sim *sim, struct packet_list *list)
{
    ASSERT(list->count > 0);
    uint32_t slot = list->head - 1;
    list->head = packet_at(sim, slot)->next;
    list->count--;
    return slot;
}
