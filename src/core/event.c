/* Events for the host: see event.h, and swim_next_event in swim.h. */
#include "core/event.h"

#include "core/inspect.h"
#include "core/member.h"
#include "core/names.h"
#include "core/ping.h"

void event_about_meta(struct swim *s, uint32_t slot)
{
    meta_slots_of(s)[slot].flags |= META_RETAGGED;
    event_about(s, slot, false);
}

void event_about_self(struct swim *s, enum self_event event)
{
    s->self_events |= (uint32_t)event;
}

static bool next_self_event(struct swim *s, struct swim_event *ret)
{
    static const struct {
        enum self_event bit;
        enum swim_event_kind kind;
    } order[] = {
        {SELF_PAUSED, SWIM_EVENT_PAUSED},     {SELF_ID_CHANGED, SWIM_EVENT_ID_CHANGED},
        {SELF_REFUTED, SWIM_EVENT_REFUTED},   {SELF_TABLE_FULL, SWIM_EVENT_TABLE_FULL},
        {SELF_RETAGGED, SWIM_EVENT_RETAGGED}, {SELF_LEAVE_DONE, SWIM_EVENT_LEAVE_DONE},
    };

    for (unsigned i = 0; i < sizeof order / sizeof *order; i++) {
        if (!(s->self_events & (uint32_t)order[i].bit))
            continue;
        s->self_events &= ~(uint32_t)order[i].bit;
        *ret = (struct swim_event){.kind = order[i].kind, .at = s->now};
        ret->paused_for = order[i].bit == SELF_PAUSED ? s->last_pause : 0;
        inspect_member(s, SELF, &ret->member);
        ret->before = ret->member.status;
        return true;
    }
    return false;
}

/* What to say of a member whose reported status is `before`; false: nothing any more. A change
 * from nothing, or from a tombstone, to suspect reads as two events: joined, then suspected. So
 * does a restart whose new run is suspect already. */
static bool describe(struct member *m, struct swim_event *ret)
{
    bool is_known = m->flags & MEMBER_REPORTED;
    bool was_live = is_known && !is_terminal(m->reported);
    bool is_gone = m->flags & (MEMBER_FORGOTTEN | MEMBER_PRUNED);
    uint8_t status = m->record.status;

    if (is_gone)
        ret->kind = SWIM_EVENT_FORGOTTEN;
    else if (is_terminal(status))
        ret->kind = status == SWIM_DEAD ? SWIM_EVENT_FAILED : SWIM_EVENT_LEFT;
    else if (is_known && m->flags & MEMBER_RESTARTED)
        ret->kind = SWIM_EVENT_RESTARTED;
    else if (!was_live)
        ret->kind = SWIM_EVENT_JOINED;
    else if (status != m->reported)
        ret->kind = status == SWIM_SUSPECT ? SWIM_EVENT_SUSPECTED : SWIM_EVENT_RECOVERED;
    else
        ret->kind = SWIM_EVENT_UPDATED;

    if (!is_known && ret->kind != SWIM_EVENT_JOINED)
        return false; /* came and went unseen */
    if (is_known && is_terminal(status) && status == m->reported && !is_gone)
        return false; /* only its record has changed, or it lived unseen in between */
    if (ret->kind == SWIM_EVENT_UPDATED && !(m->flags & MEMBER_UPDATED))
        return false;
    return is_known || ret->kind == SWIM_EVENT_JOINED;
}

/* These tell of a member that is there; that it is suspect too is told next. */
static bool is_arrival(enum swim_event_kind kind)
{
    return kind == SWIM_EVENT_JOINED || kind == SWIM_EVENT_RESTARTED;
}

static void clear_due(struct member *m)
{
    m->flags &= (uint16_t) ~(MEMBER_UPDATED | MEMBER_RESTARTED);
}

static void mark_reported(struct member *m, enum swim_event_kind kind)
{
    uint32_t status = is_arrival(kind) ? SWIM_ALIVE : m->record.status;

    clear_due(m);
    m->reported = status & STATUS_MASK;
    if (kind == SWIM_EVENT_FORGOTTEN)
        m->flags &= (uint16_t)~MEMBER_REPORTED;
    else
        m->flags |= MEMBER_REPORTED;
}

/* Names and tags, once all else is said. A name that is shared no more, and what became of the dead,
 * is not reported. */
static bool next_meta_event(struct swim *s, uint32_t slot, struct swim_event *ret)
{
    struct meta_slot *held = &meta_slots_of(s)[slot];
    struct member *m = member_at(s, slot);
    uint8_t due = has_meta(m) && is_live(m) ? held->flags : 0;

    if (!has_meta(m))
        return false;
    *ret = (struct swim_event){.before = (enum swim_status)m->reported, .at = held->changed};
    if (due & META_RETAGGED) {
        ret->kind = SWIM_EVENT_RETAGGED;
        held->flags &= (uint8_t)~META_RETAGGED;
    } else if (due & META_RIVALLED && names_are_rivals(s, slot, held->rival)) {
        ret->kind = SWIM_EVENT_NAME_CONFLICT;
        ret->other = members_of(s)[held->rival].record.id;
        held->flags &= (uint8_t)~META_RIVALLED;
    } else {
        held->flags &= (uint8_t) ~(META_RETAGGED | META_RIVALLED);
        return false;
    }
    inspect_member(s, slot, &ret->member);
    return true;
}

static bool next_member_event(struct swim *s, uint32_t slot, struct swim_event *ret)
{
    struct member *m = member_at(s, slot);
    struct swim_event event = {.at = m->changed};

    if (m->record.id == 0)
        return false; /* freed before anybody asked */
    if (describe(m, &event)) {
        event.before = (enum swim_status)m->reported;
        if (event.kind == SWIM_EVENT_UPDATED || event.kind == SWIM_EVENT_RESTARTED)
            event.at = s->now; /* changed is of the status alone */
        inspect_member(s, slot, &event.member);
        mark_reported(m, event.kind);
        if (event.kind == SWIM_EVENT_JOINED && has_meta(m)) /* with all that is known of it */
            meta_slots_of(s)[slot].flags &= (uint8_t)~META_RETAGGED;
        *ret = event;
        return true;
    }
    clear_due(m);
    return next_meta_event(s, slot, ret);
}

/* There, but already suspect; or there is its name to speak of. */
static bool has_more(const struct swim *s, uint32_t slot, enum swim_event_kind said)
{
    const struct member *m = member_at(s, slot);

    if (is_arrival(said) && m->record.status != SWIM_ALIVE)
        return true;
    return has_meta(m) && meta_slots_of(s)[slot].flags & (META_RETAGGED | META_RIVALLED);
}

bool swim_next_event(struct swim *s, struct swim_event *ret)
{
    ASSERT(s && ret);
    if (next_self_event(s, ret) || ping_next_event(s, ret))
        return true;
    while (s->events.count) {
        uint32_t slot = queue_at(&s->events, event_slots(s), s->config.members_max, 0);
        bool is_due = next_member_event(s, slot, ret);

        /* What has more to say stays at the head for it. */
        if (!is_due || !has_more(s, slot, ret->kind)) {
            member_at(s, slot)->flags &= (uint16_t)~MEMBER_QUEUED;
            queue_pop(&s->events, s->config.members_max);
        }
        if (is_due)
            return true;
    }
    return false;
}

const char *swim_event_name(enum swim_event_kind kind)
{
    static const char *const names[] = {
        "unknown",    "joined",    "suspected", "recovered",  "failed",        "left",
        "updated",    "forgotten", "refuted",   "id_changed", "table_full",    "paused",
        "leave_done", "restarted", "pong",      "retagged",   "name_conflict",
    };

    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : names[0];
}
