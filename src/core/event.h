/*
 * Events for the host: one pending entry a member at most, with what has changed since the host
 * last heard of it, so the queue is bounded by the table. A slot that is freed keeps its place: there
 * is nothing to tell then, or of whom it was given to.
 */
#ifndef SWIM_CORE_EVENT_H
#define SWIM_CORE_EVENT_H

#include "core/instance.h"

/* `slot` changed; `is_update`: not its status, but its address or incarnation. Never SELF. Inline: part of
 * what each newcomer costs. */
static inline void event_about(struct swim *s, uint32_t slot, bool is_update)
{
    struct member *m = member_at(s, slot);
    bool is_queued = m->flags & MEMBER_QUEUED;

    ASSERT(slot != SELF);
    m->flags |= is_update ? MEMBER_UPDATED | MEMBER_QUEUED : MEMBER_QUEUED;
    if (is_queued)
        return;
    queue_push(&s->events, event_slots(s), s->config.members_max, slot);
}
/* Another name or other tags. */
void event_about_meta(struct swim *s, uint32_t slot);
void event_about_self(struct swim *s, enum self_event event);

#endif
