/* Invariants of names and tags: see swim_check in swim.h, and check.c. */
#include "core/member.h"
#include "core/meta.h"
#include "core/meta_store.h"
#include "core/names.h"

#define REQUIRE(condition, sentence)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return sentence;                                                                       \
    } while (0)

struct tally {
    uint32_t held, unheld, queued, named, unindexed, blocks, own_blocks;
};

static uint32_t chain_length(const struct swim *s, uint32_t block)
{
    uint32_t count = 0;

    for (; block && count <= META_OWN_BLOCKS; block = meta_blocks_of(s)[block].next)
        count++;
    return count;
}

static const char *check_content(const struct swim *s, uint32_t slot, struct tally *t)
{
    const struct meta_slot *held = &meta_slots_of(s)[slot];
    uint8_t content[META_CONTENT_MAX];

    REQUIRE(held->size > 0 && held->size <= META_CONTENT_MAX, "names and tags are bounded");
    REQUIRE(chain_length(s, held->block) == meta_store_need(held->size),
            "a chain is as long as its content");
    meta_store_read(s, held->block, 0, content, held->size);
    REQUIRE(meta_value_is_wellformed(content, held->size), "names and tags are well-formed");
    REQUIRE(meta_value_digest(content, held->size) == held->key.digest,
            "a version's digest is that of its content");
    REQUIRE((is_live(member_at(s, slot)) && content[0] != 0) == !!(held->flags & META_NAMED),
            "names are compared of the living that have one");
    t->held++;
    if (slot == SELF)
        t->own_blocks = meta_store_need(held->size);
    else
        t->blocks += meta_store_need(held->size);
    return NULL;
}

static const char *check_slot(const struct swim *s, uint32_t slot, struct tally *t)
{
    const struct member *m = &members_of(s)[slot];
    const struct meta_slot *held = &meta_slots_of(s)[slot];
    bool is_unheld = held->flags & META_UNHELD;

    if (!has_meta(m)) {
        REQUIRE(!is_linked(meta_links(s), slot), "who has no names and tags is in no list of them");
        return NULL;
    }
    REQUIRE(!(m->flags & MEMBER_FORGOTTEN), "of the forgotten no names and tags are known");
    REQUIRE(!is_plain(m), "plain members have no names and tags");
    REQUIRE(is_unheld == !held->block, "content is held, or there was no room for it");
    REQUIRE(!is_unheld || slot != SELF, "for this member's own there is always room");
    REQUIRE(!is_unheld || !(held->flags & META_NAMED), "what is not held has no name");
    REQUIRE(!(held->flags & META_INDEXED) || held->flags & META_NAMED,
            "who has a name is found by it");
    REQUIRE(!is_linked(meta_links(s), slot) || is_unheld || is_live(m),
            "the dead's tags are no news");
    t->unheld += is_unheld;
    t->queued += !is_unheld && is_linked(meta_links(s), slot);
    t->named += !!(held->flags & META_INDEXED);
    t->unindexed += slot != SELF && (held->flags & (META_NAMED | META_INDEXED)) == META_NAMED;
    return is_unheld ? NULL : check_content(s, slot, t);
}

static uint32_t count_free(const struct swim *s)
{
    uint32_t count = 0;

    for (uint32_t at = s->meta_blocks_free; at && count <= s->meta_blocks_high; count++)
        at = meta_blocks_of(s)[at].next;
    return count;
}

static const char *check_tally(const struct swim *s, const struct tally *t)
{
    uint32_t parts = 0;

    REQUIRE(t->held == s->meta_count, "names and tags are counted");
    REQUIRE(t->unheld == s->meta_unheld.count, "those without room are counted");
    REQUIRE(t->queued == s->meta_news_count, "names and tags to be told are counted");
    REQUIRE(t->named == s->by_name.count && t->unindexed == s->names_unindexed,
            "names are counted");
    REQUIRE(t->blocks == s->meta_blocks_used && t->blocks <= s->meta_blocks_max,
            "blocks are counted");
    REQUIRE(s->meta_blocks_high <= s->meta_blocks_max + META_OWN_BLOCKS, "blocks are bounded");
    REQUIRE(t->blocks + t->own_blocks + count_free(s) == s->meta_blocks_high,
            "a block is in a chain, or free");
    for (unsigned i = 0; s->assembly_count && i < ASSEMBLIES_MAX; i++) {
        const struct assembly *a = &assemblies_of(s)[i];

        parts += a->size != 0;
        REQUIRE(!a->size || a->missing, "what is put together misses a part");
    }
    REQUIRE(parts == s->assembly_count, "what is put together is counted");
    return NULL;
}

const char *check_meta(const struct swim *s)
{
    struct tally tally = {0};
    const char *broken = check_list(&s->meta_unheld, meta_links(s));

    for (unsigned level = 0; !broken && level < NEWS_LEVELS; level++)
        broken = check_list(&meta_news_of(s)[level], meta_links(s));
    for (uint32_t slot = SELF; !broken && slot <= s->slots_high; slot++) {
        if (members_of(s)[slot].record.id != 0)
            broken = check_slot(s, slot, &tally);
    }
    return broken ? broken : check_tally(s, &tally);
}
