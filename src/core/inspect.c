/* Looking into an instance without changing it: members, counts, statistics. See swim.h. */
#include "core/inspect.h"

#include "core/clock.h"
#include "core/member.h"

#define TEXT_OF(number) TEXT_OF_EXPANDED(number)
#define TEXT_OF_EXPANDED(number) #number

void inspect_member(const struct swim *s, uint32_t slot, struct swim_member *ret)
{
    const struct member *m = member_at(s, slot);

    *ret = (struct swim_member){
        .id = m->record.id,
        .addr = m->record.addr,
        .status = (enum swim_status)m->record.status,
        .incarnation = m->record.incarnation,
        .heartbeat = m->record.heartbeat,
        .is_self = slot == SELF,
        .is_capable = m->flags & MEMBER_CAPABLE,
        .is_proved = slot == SELF || m->flags & MEMBER_PROVED,
        .learnt = m->clock_at,
        .changed = m->changed,
        .rtt_ns = m->rtt_us * (SWIM_MS / 1000),
    };
    /* What an alive member says unasked tells the time, though it is no record (claim.c). */
    if (m->record.status == SWIM_ALIVE && m->clock_heartbeat > m->record.heartbeat)
        ret->heartbeat = m->clock_heartbeat;
    if (slot == SELF) {
        ret->heartbeat = clock_heartbeat(s);
        ret->learnt = s->now;
    }
}

uint32_t swim_member_slots(const struct swim *s)
{
    ASSERT(s);
    return s->slots_high;
}

bool inspect_is_listed(const struct swim *s, uint32_t slot)
{
    const struct member *m = &members_of(s)[slot];

    return slot && m->record.id != 0 && !(m->flags & (MEMBER_FORGOTTEN | MEMBER_PRUNED));
}

static bool show(const struct swim *s, uint32_t slot, struct swim_member *ret)
{
    if (!inspect_is_listed(s, slot))
        return false;
    inspect_member(s, slot, ret);
    return true;
}

bool swim_member_at(const struct swim *s, uint32_t slot, struct swim_member *ret)
{
    ASSERT(s && ret);
    return slot < s->slots_high && show(s, slot + 1, ret);
}

bool swim_member_find(const struct swim *s, uint64_t id, struct swim_member *ret)
{
    ASSERT(s && ret);
    return show(s, member_find(s, id), ret);
}

bool swim_member_find_addr(const struct swim *s, const struct swim_addr *addr,
                           struct swim_member *ret)
{
    struct swim_addr folded;

    ASSERT(s && addr && ret);
    folded = addr_fold(addr);
    if (addr_equal(&folded, &self_of(s)->record.addr))
        return show(s, SELF, ret);
    return show(s, member_find_addr(s, &folded), ret);
}

uint32_t swim_member_count(const struct swim *s, enum swim_status status)
{
    ASSERT(s && (unsigned)status < SWIM_STATUS_COUNT);
    return s->status_count[status];
}

uint64_t swim_view_digest(const struct swim *s)
{
    ASSERT(s);
    return s->digest;
}

void swim_stats(const struct swim *s, struct swim_stats *ret)
{
    ASSERT(s && ret);
    *ret = s->stats;
    for (unsigned i = 0; i < SWIM_STATUS_COUNT; i++)
        ret->members[i] = s->status_count[i];
    ret->news_queued = s->news_count;
    ret->accusations_queued = s->accusations.count;
    ret->meta_queued = s->meta_news_count;
    ret->meta_blocks_used = s->meta_blocks_used;
    ret->meta_blocks_max = s->meta_blocks_max;
    ret->local_health = s->health;
    ret->tombstones = s->tombstones.count;
    ret->view_differs_ns = s->differs_since == SWIM_NEVER ? 0 : s->now - s->differs_since;
    ret->slots_used = s->slots_used;
    ret->slots_max = s->config.members_max;
    ret->outbox_queued = s->outbox.count;
}

const char *swim_version(void)
{
    return TEXT_OF(SWIM_VERSION_MAJOR) "." TEXT_OF(SWIM_VERSION_MINOR) "." TEXT_OF(
        SWIM_VERSION_PATCH);
}

const char *swim_status_name(enum swim_status status)
{
    static const char *const names[] = {"alive", "suspect", "dead", "left"};

    return (unsigned)status < SWIM_STATUS_COUNT ? names[status] : "unknown";
}
