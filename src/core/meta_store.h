/*
 * Memory for names and tags: contents of 1 .. META_CONTENT_MAX bytes in chains of small blocks, from
 * a pool of a fixed size. It knows of no member but SELF, for whose own there is always room.
 *
 *     meta_slot.block -> | next | 124 bytes | -> | next | 124 bytes | -> 0
 */
#ifndef SWIM_CORE_META_STORE_H
#define SWIM_CORE_META_STORE_H

#include "core/instance.h"

/* Blocks that a pool needs: those of meta_memory, and SELF's. */
uint32_t meta_store_blocks(const struct swim_config *config);
/* Blocks of 128 bytes that `size` bytes take. */
uint32_t meta_store_need(uint32_t size);
/* True when there is room for somebody else's content of `size` bytes. */
bool meta_store_has_room(const struct swim *s, uint32_t size);
/* A chain with this content; 0 when there is no room for it. Asserted: size > 0. */
uint32_t meta_store_keep(struct swim *s, uint32_t slot, const uint8_t *content, uint32_t size);
/* The chain, of `size` bytes, kept for `slot`, is free again. */
void meta_store_free(struct swim *s, uint32_t slot, uint32_t block, uint32_t size);
/* Copies `size` bytes from `offset` on. Asserted: they are in the chain. */
void meta_store_read(const struct swim *s, uint32_t block, uint32_t offset, uint8_t *ret,
                     uint32_t size);

#endif
