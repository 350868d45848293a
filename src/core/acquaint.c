/*
 * A warm start: a member that begins with the table of another one. Ten thousand members can't
 * learn of each other one by one, 10^8 times, wherever a cluster is only to be looked at or
 * measured as it is when all know each other. See swim_init_acquainted.
 */
#include "core/gossip.h"
#include "core/instance.h"
#include "core/member.h"
#include "core/meta.h"
#include "core/probe.h"
#include "core/sync.h"

/* Nobody is doubted, dead, or yet to be told of: a table that others can share. */
static bool is_settled(const struct swim *s)
{
    return alive_count(s) == live_count(s) && s->slots_used == live_count(s) + 1 &&
           s->plain_live == 0 && !s->leaving;
}

/* As if everybody had started, and been heard, at this very instant; the host knows of all. */
static void begin_anew(struct swim *s, uint32_t slot)
{
    struct member *m = &members_of(s)[slot];

    m->record.heartbeat = 0;
    m->clock_heartbeat = 0;
    m->guessed = 0;
    m->rtt_us = 0;
    m->clock_at = s->now;
    m->changed = s->now;
    m->synced = 0;
    m->news_sent = 0;
    m->reported = SWIM_ALIVE;
    m->flags = (m->flags & (MEMBER_AT_ADDR | MEMBER_META)) | MEMBER_CAPABLE | MEMBER_HEARD |
               MEMBER_REPORTED | MEMBER_PROVED;
}

struct swim *swim_init_acquainted(void *arena, size_t size, const struct swim_config *config,
                                  const struct swim *like, swim_time now)
{
    struct swim_addr addr;
    struct swim *s;
    uint32_t slot;

    ASSERT(arena && config && like && config->members_max == like->config.members_max &&
           config->meta_memory == like->config.meta_memory);
    addr = addr_fold(&config->addr);
    slot = member_find(like, config->id);
    if (!is_settled(like) || slot <= SELF ||
        !addr_equal(&member_at(like, slot)->record.addr, &addr) ||
        member_at(like, slot)->record.incarnation != config->incarnation)
        return NULL;
    s = swim_init(arena, size, config, now);
    gossip_withdraw(s, SELF);
    member_copy_table(s, like);
    member_swap_self(s, slot);
    for (uint32_t i = SELF; i <= s->slots_high; i++) {
        if (members_of(s)[i].record.id != 0)
            begin_anew(s, i);
    }
    for (uint32_t i = SELF; i <= s->slots_high; i++)
        meta_take_over(s, i, like, member_find(like, members_of(s)[i].record.id));
    s->settled_at = now;
    s->proved_live = live_count(s);
    probe_follow_membership(s);
    sync_follow_membership(s);
    return s;
}
