/* The life of an instance: footprint, layout, start, and the tick. See swim.h. */
#include "swim/swim.h"

#include "base/hash.h"
#include "core/clock.h"
#include "core/contact.h"
#include "core/gossip.h"
#include "core/instance.h"
#include "core/meta_store.h"
#include "core/ping.h"
#include "core/probe.h"
#include "core/proof.h"
#include "core/relay.h"
#include "core/reliable.h"
#include "core/self.h"
#include "core/suspicion.h"
#include "core/sync.h"
#include "core/tombstone.h"

#include <string.h>

/* Members a head of an index, which costs 4 bytes. That by address is asked about newcomers and
 * strangers, not about each datagram as that by id is. */
enum { ID_LOAD = 2, ADDR_LOAD = 4, NAME_LOAD = 1 };

static size_t place(size_t *at, size_t count, size_t size)
{
    size_t offset = (*at + 15) & ~(size_t)15;

    *at = offset + count * size;
    return offset;
}

/* Moves on to where an array of so many bytes ends a little way into a page (of 4 KiB, which that
 * of an arena most often is): it is used from its end on, and so shares a page with what follows. */
static void meet(size_t *at, size_t size)
{
    enum { PAGE = 4096, INTO_PAGE = 512 };

    *at = ((*at + size + PAGE - 1) & ~(size_t)(PAGE - 1)) + INTO_PAGE - size;
}

/* Heads of an index of `members` that grows above `load` members a head. */
static uint32_t heads_for(uint32_t members, uint32_t load)
{
    uint32_t heads = members / load + (members % load != 0);

    return heads > INDEX_BUCKETS_MIN ? heads : INDEX_BUCKETS_MIN;
}

static struct layout layout_of(const struct swim_config *config)
{
    size_t slots = (size_t)config->members_max + 1;
    size_t at = sizeof(struct swim);
    struct layout l;

    /* In use from the start: first what is used whole, behind it the outbox, from its first element
     * on, then what meets on a page. So as few pages as can be are touched for a part of them. */
    l.members = place(&at, slots, sizeof(struct member));
    l.next_by_id = place(&at, slots, sizeof(uint32_t));
    l.id_heads = place(&at, heads_for(config->members_max, ID_LOAD), sizeof(uint32_t));
    l.next_by_addr = place(&at, slots, sizeof(uint32_t));
    l.addr_heads = place(&at, heads_for(config->members_max, ADDR_LOAD), sizeof(uint32_t));
    l.live = place(&at, slots, sizeof(uint32_t));
    l.news_links = place(&at, slots, sizeof(struct link));
    l.event_slots = place(&at, config->members_max, sizeof(uint32_t));
    l.outbox = place(&at, OUTBOX_MAX, sizeof(struct intent));
    meet(&at, JOBS_MAX * sizeof(struct job));
    l.jobs = place(&at, JOBS_MAX, sizeof(struct job));
    l.knock_places = place(&at, KNOCKS_MAX, sizeof(uint16_t));
    l.knocks = place(&at, KNOCKS_MAX + 1, sizeof(struct knock));
    /* For troubles, and for what differs. */
    l.fates = place(&at, slots, sizeof(union fate));
    l.doubts = place(&at, slots, sizeof(struct doubt));
    l.suspects = place(&at, config->members_max, sizeof(uint32_t));
    l.vias = place(&at, slots, sizeof(uint32_t));
    l.corrections = place(&at, slots < CORRECTIONS_MAX ? slots : CORRECTIONS_MAX, sizeof(uint32_t));
    l.job_keys = place(&at, JOB_KEYS_MAX, sizeof(uint32_t));
    l.dossier_links = place(&at, DOSSIERS_MAX + 1, sizeof(struct link));
    l.dossiers = place(&at, DOSSIERS_MAX + 1, sizeof(struct dossier));
    l.relays = place(&at, RELAYS_MAX, sizeof(struct relay));
    l.reliables = place(&at, RELIABLE_MAX, sizeof(struct reliable));
    l.pings = place(&at, SWIM_PINGS_MAX, sizeof(struct ping));
    l.contact_heads = place(&at, SWIM_CONTACTS_MAX, sizeof(uint16_t));
    l.contacts = place(&at, SWIM_CONTACTS_MAX, sizeof(struct contact));
    /* For names and tags. */
    l.meta_slots = place(&at, slots, sizeof(struct meta_slot));
    l.meta_links = place(&at, slots, sizeof(struct link));
    l.meta_news = place(&at, NEWS_LEVELS, sizeof(struct list));
    l.next_by_name = place(&at, slots, sizeof(uint32_t));
    l.name_heads = place(&at, heads_for(config->members_max, NAME_LOAD), sizeof(uint32_t));
    l.assemblies = place(&at, ASSEMBLIES_MAX, sizeof(struct assembly));
    l.meta_blocks = place(&at, meta_store_blocks(config) + (size_t)1, sizeof(struct meta_block));
    l.size = (at + 15) & ~(size_t)15;
    return l;
}

size_t swim_footprint(const struct swim_config *config)
{
    ASSERT(config && config->members_max >= SWIM_MEMBERS_MIN &&
           config->members_max <= SWIM_MEMBERS_MAX && config->meta_memory <= SWIM_META_MEMORY_MAX);
    return layout_of(config).size;
}

struct swim *swim_init(void *arena, size_t size, const struct swim_config *config, swim_time now)
{
    struct swim *s = arena;

    ASSERT(arena && config && swim_config_check(config) == NULL);
    ASSERT(((uintptr_t)arena & 15) == 0 && size >= swim_footprint(config));
    s->config = *config;
    s->at = layout_of(config);
    prng_init(&s->prng, hash_combine(hash_u64(config->seed), config->id));
    proof_init(s);
    s->now = now;
    s->view_changed = now;
    s->settled_at = SWIM_NEVER;
    s->differs_since = SWIM_NEVER;
    s->last_gossip = TIMER_EPOCH / 2; /* long ago */
    s->table_version = prng_next(&s->prng);
    s->sequence = (uint32_t)prng_next(&s->prng);
    contact_begin_quickly(s);
    for (unsigned i = 0; i < TIMER_COUNT; i++)
        s->timers[i] = SWIM_NEVER;
    index_init(&s->by_id, heads_for(config->members_max, ID_LOAD), ID_LOAD);
    index_init(&s->by_addr, heads_for(config->members_max, ADDR_LOAD), ADDR_LOAD);
    index_init(&s->by_name, heads_for(config->members_max, NAME_LOAD), NAME_LOAD);
    s->meta_blocks_max = config->meta_memory / META_BLOCK_SIZE;
    self_init(s);
    return s;
}

void swim_advance(struct swim *s, swim_time now)
{
    static void (*const fire[TIMER_COUNT])(struct swim *) = {
        [TIMER_ROUND] = probe_round,       [TIMER_PROBE] = probe_timeout,
        [TIMER_GOSSIP] = gossip_round,     [TIMER_HEAL] = contact_try,
        [TIMER_SYNC] = sync_push_periodic, [TIMER_RELIABLE] = reliable_expire,
        [TIMER_RELAY] = relay_nack,        [TIMER_PING] = ping_expire,
    };

    ASSERT(s);
    clock_enter(s, now);
    for (unsigned i = 0; i < TIMER_COUNT; i++) {
        if (timer_is_due(s, (enum timer)i))
            fire[i](s);
    }
    suspicion_expire(s);
    tombstone_expire(s);
}

swim_time swim_deadline(const struct swim *s)
{
    ASSERT(s);
    return clock_deadline(s);
}
