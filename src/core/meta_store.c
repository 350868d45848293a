/* Memory for names and tags: see meta_store.h. */
#include "core/meta_store.h"

#include <string.h>

uint32_t meta_store_blocks(const struct swim_config *config)
{
    return config->meta_memory / META_BLOCK_SIZE + META_OWN_BLOCKS;
}

uint32_t meta_store_need(uint32_t size)
{
    return (size + META_BLOCK_ROOM - 1) / META_BLOCK_ROOM;
}

bool meta_store_has_room(const struct swim *s, uint32_t size)
{
    return meta_store_need(size) <= s->meta_blocks_max - s->meta_blocks_used;
}

static uint32_t take(struct swim *s)
{
    uint32_t block = s->meta_blocks_free;

    if (block)
        s->meta_blocks_free = meta_blocks_of(s)[block].next;
    else
        block = ++s->meta_blocks_high;
    ASSERT(block <= s->meta_blocks_max + META_OWN_BLOCKS);
    return block;
}

uint32_t meta_store_keep(struct swim *s, uint32_t slot, const uint8_t *content, uint32_t size)
{
    uint32_t first = 0;
    uint32_t *end = &first;

    ASSERT(size > 0 && size <= META_CONTENT_MAX);
    if (slot != SELF) {
        if (!meta_store_has_room(s, size))
            return 0;
        s->meta_blocks_used += meta_store_need(size);
    }
    while (size) {
        uint32_t part = size < META_BLOCK_ROOM ? size : META_BLOCK_ROOM;
        struct meta_block *block;

        *end = take(s);
        block = &meta_blocks_of(s)[*end];
        memcpy(block->bytes, content, part);
        end = &block->next;
        content += part;
        size -= part;
    }
    *end = 0;
    return first;
}

void meta_store_free(struct swim *s, uint32_t slot, uint32_t block, uint32_t size)
{
    uint32_t count = 0;

    while (block) {
        struct meta_block *at = &meta_blocks_of(s)[block];
        uint32_t next = at->next;

        at->next = s->meta_blocks_free;
        s->meta_blocks_free = block;
        block = next;
        count++;
    }
    ASSERT(count == meta_store_need(size));
    if (slot != SELF)
        s->meta_blocks_used -= count;
}

void meta_store_read(const struct swim *s, uint32_t block, uint32_t offset, uint8_t *ret,
                     uint32_t size)
{
    for (; offset >= META_BLOCK_ROOM; offset -= META_BLOCK_ROOM)
        block = meta_blocks_of(s)[block].next;
    while (size) {
        uint32_t left = META_BLOCK_ROOM - offset;
        uint32_t part = size < left ? size : left;

        ASSERT(block != 0);
        memcpy(ret, meta_blocks_of(s)[block].bytes + offset, part);
        ret += part;
        size -= part;
        offset = 0;
        block = meta_blocks_of(s)[block].next;
    }
}
