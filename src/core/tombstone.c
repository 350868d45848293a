/* Tombstones: see tombstone.h. All retentions are equal, so two queues keep the order in time. */
#include "core/tombstone.h"

#include "core/event.h"
#include "core/gossip.h"
#include "core/member.h"
#include "core/meta.h"

static swim_time retention(const struct swim *s)
{
    return ms(s->config.dead_retention_ms);
}

void tombstone_bury(struct swim *s, uint32_t slot)
{
    ASSERT(!(member_at(s, slot)->flags & MEMBER_FORGOTTEN));
    member_at(s, slot)->changed = s->now;
    list_push_tail(&s->tombstones, grave_links(s), slot);
}

void tombstone_raise(struct swim *s, uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    bool is_forgotten = m->flags & MEMBER_FORGOTTEN;

    if (is_terminal(m->record.status))
        list_remove(is_forgotten ? &s->forgotten : &s->tombstones, grave_links(s), slot);
}

bool tombstone_is_fading(const struct swim *s, uint32_t slot)
{
    const struct member *m = member_at(s, slot);

    return is_terminal(m->record.status) && slot != SELF &&
           (m->flags & MEMBER_FORGOTTEN || s->now - m->changed >= retention(s) / 2);
}

static swim_time queue_deadline(const struct swim *s, const struct list *queue)
{
    return queue->head ? member_at(s, queue->head)->changed + retention(s) : SWIM_NEVER;
}

swim_time tombstone_deadline(const struct swim *s)
{
    swim_time a = queue_deadline(s, &s->tombstones);
    swim_time b = queue_deadline(s, &s->forgotten);

    return a < b ? a : b;
}

void tombstone_refresh(struct swim *s, uint32_t slot)
{
    ASSERT(member_at(s, slot)->flags & MEMBER_FORGOTTEN);
    list_remove(&s->forgotten, grave_links(s), slot);
    member_at(s, slot)->changed = s->now;
    list_push_tail(&s->forgotten, grave_links(s), slot);
}

static void forget(struct swim *s, uint32_t slot)
{
    list_remove(&s->tombstones, grave_links(s), slot);
    gossip_withdraw(s, slot);
    meta_drop(s, slot);
    member_forget(s, slot);
    member_at(s, slot)->changed = s->now;
    list_push_tail(&s->forgotten, grave_links(s), slot);
    event_about(s, slot, false);
}

static void release(struct swim *s, uint32_t slot)
{
    list_remove(&s->forgotten, grave_links(s), slot);
    member_free(s, slot);
}

void tombstone_expire(struct swim *s)
{
    for (unsigned i = 0; i < EXPIRIES_PER_CALL; i++) {
        if (queue_deadline(s, &s->forgotten) <= s->now)
            release(s, s->forgotten.head);
        else if (queue_deadline(s, &s->tombstones) <= s->now)
            forget(s, s->tombstones.head);
        else
            return;
    }
}

bool tombstone_evict(struct swim *s)
{
    uint32_t slot = s->forgotten.head ? s->forgotten.head : s->tombstones.head;

    /* The host shall not take the dead for living because a slot was needed. */
    if (!slot || member_at(s, slot)->flags & MEMBER_QUEUED)
        return false;
    if (!s->forgotten.head)
        forget(s, slot);
    release(s, slot);
    return true;
}
