/*
 * Claims about members: see claim.h. The rules, in the order in which they are asked:
 * is it about us? can we use the address? do we know the id? is it greater than what we hold?
 */
#include "core/claim.h"

#include "base/inline.h"
#include "core/clock.h"
#include "core/contact.h"
#include "core/event.h"
#include "core/gossip.h"
#include "core/member.h"
#include "core/meta.h"
#include "core/outbox.h"
#include "core/probe.h"
#include "core/proof.h"
#include "core/self.h"
#include "core/suspicion.h"
#include "core/sync.h"
#include "core/tombstone.h"

/* A sender whose heartbeat is this far behind is not late on the way: it has come back without
 * its memory, under its old id and incarnation, and is told how far it once was. */
enum { LATE_TICKS = 10 };

/* News is a change of state; a heartbeat alone is none. */
static bool is_news(const struct record *before, const struct record *after)
{
    return before->incarnation != after->incarnation || before->status != after->status ||
           !addr_equal(&before->addr, &after->addr);
}

/* How long a member that is dead now was silent before. An accuser's estimate of its clock is no
 * word of its own. */
static void record_detection(struct swim *s, const struct member *m)
{
    static const uint32_t bounds_ms[] = SWIM_DETECTION_BOUNDS_MS;
    swim_time silence = s->now - m->clock_at;
    unsigned bucket = 0;

    if (m->guessed < GUESSED_MAX)
        silence += m->guessed * ms(s->config.heartbeat_interval_ms);
    _Static_assert(sizeof bounds_ms / sizeof *bounds_ms + 1 == SWIM_DETECTION_BUCKETS,
                   "one for +Inf");
    while (bucket < SWIM_DETECTION_BUCKETS - 1 && silence > ms(bounds_ms[bucket]))
        bucket++;
    s->stats.detection_count++;
    s->stats.detection_sum_ns += silence;
    s->stats.detection_bucket[bucket]++;
}

/* What became of a suspicion. Who dies unsuspected was replaced at its address, or is dead by
 * hearsay: that tells nothing of how long it takes to find out. */
static void count_verdict(struct swim *s, struct member *m, const struct record *before)
{
    const struct record *now = &m->record;
    bool is_acquitted = before->status == SWIM_SUSPECT && now->status == SWIM_ALIVE;

    s->stats.suspicions_refuted += is_acquitted;
    s->stats.suspicions_false += is_acquitted && m->flags & MEMBER_ACCUSED;
    s->stats.failures += now->status == SWIM_DEAD && before->status != SWIM_DEAD;
    if (before->status == SWIM_SUSPECT && now->status == SWIM_DEAD)
        record_detection(s, m);
    if (now->status != SWIM_SUSPECT || now->incarnation != before->incarnation)
        m->flags &= (uint16_t)~MEMBER_ACCUSED;
}

/* Another life, another suspicion. */
static bool is_same_suspect(const struct record *a, const struct record *b)
{
    return a->status == SWIM_SUSPECT && b->status == SWIM_SUSPECT &&
           a->incarnation == b->incarnation;
}

/* What belonged to the status of `slot`, which is about to be that of `next`, ends. */
static void end_status(struct swim *s, uint32_t slot, const struct record *next)
{
    const struct record *held = &member_at(s, slot)->record;

    if (held->status == SWIM_SUSPECT && !is_same_suspect(held, next))
        suspicion_cancel(s, slot);
    if (is_news(held, next))
        tombstone_raise(s, slot);
}

/* What belongs to the status that `slot` now has begins. */
static void begin_status(struct swim *s, uint32_t slot, const struct record *before)
{
    const struct record *now = &member_at(s, slot)->record;

    if (now->status == SWIM_SUSPECT && !is_same_suspect(before, now))
        suspicion_start(s, slot);
    if (is_terminal(now->status))
        tombstone_bury(s, slot);
    meta_follow_status(s, slot);
    if (now->status == SWIM_DEAD)
        contact_remember(s, &now->addr);
    else if (now->status == SWIM_LEFT)
        contact_drop(s, &now->addr);
    count_verdict(s, member_at(s, slot), before);
}

static ALWAYS_INLINE void tell(struct swim *s, uint32_t slot, bool is_update, bool is_rumour)
{
    if (is_rumour)
        gossip_rumour(s, slot);
    else
        gossip_news(s, slot);
    event_about(s, slot, is_update);
}

/* There is perhaps one more or one less who lives. */
static void follow_membership(struct swim *s)
{
    probe_follow_membership(s);
    sync_follow_membership(s);
    contact_follow_membership(s);
}

/* `slot` holds a new record where it held `before`. */
static void changed(struct swim *s, uint32_t slot, const struct record *before, bool is_rumour)
{
    const struct record *now = &member_at(s, slot)->record;

    if (!is_news(before, now))
        return;
    begin_status(s, slot, before);
    member_at(s, slot)->flags &= (uint16_t)~MEMBER_CLEARED;
    if (before->status == SWIM_SUSPECT && now->status == SWIM_ALIVE)
        member_at(s, slot)->flags |= MEMBER_CLEARED;
    tell(s, slot, before->incarnation != now->incarnation || !addr_equal(&before->addr, &now->addr),
         is_rumour);
    follow_membership(s);
}

/* A new run of the member's process, and not a claim about it refuted: its clock is not past all that
 * it has said. Plain members may refute within a tick; ours move their clock on. Section 5. */
static bool is_restart(const struct member *m, const struct record *heard)
{
    uint32_t last = member_last_word(m);
    bool is_back = m->flags & MEMBER_CAPABLE ? heard->heartbeat <= last : heard->heartbeat < last;

    return is_back && heard->incarnation > m->record.incarnation && !(m->flags & MEMBER_FORGOTTEN);
}

static void apply(struct swim *s, uint32_t slot, const struct record *record, bool is_rumour)
{
    struct record before = member_at(s, slot)->record;

    end_status(s, slot, record);
    if (is_restart(member_at(s, slot), record))
        member_at(s, slot)->flags |= MEMBER_RESTARTED;
    if (!addr_equal(&before.addr, &record->addr)) {
        proof_forget(s, slot);
        member_at(s, slot)->rtt_us = 0;
    }
    member_set(s, slot, record);
    changed(s, slot, &before, is_rumour);
    s->stats.merges_updated++;
}

/* A place for a newcomer in a full table: that of the longest forgotten, or of the longest dead. The
 * living are never turned out. */
NOINLINE static struct member_place make_room(struct swim *s, uint64_t id,
                                              struct member_place place)
{
    return tombstone_evict(s) ? member_seek(s, id) /* the index has changed */ : place;
}

/* Second-hand: the heartbeat of a doubt, and of an end that came of one, is an accuser's estimate. */
static void read_clock(struct swim *s, uint32_t slot, const struct record *heard, bool is_new_life)
{
    if (heard->status == SWIM_ALIVE)
        member_read_clock(s, slot, heard->heartbeat);
    else
        member_guess_clock(s, slot, heard->heartbeat, is_new_life);
}

NOINLINE static void refuse_newcomer(struct swim *s)
{
    s->stats.newcomers_refused++;
    if (!s->was_full)
        event_about_self(s, SELF_TABLE_FULL);
    s->was_full = true;
}

NOINLINE static void suspect_newcomer(struct swim *s, uint32_t slot)
{
    member_guess_clock(s, slot, member_at(s, slot)->record.heartbeat, true);
    suspicion_start(s, slot);
}

/* `place`: where its id was looked for, and is not. */
static ALWAYS_INLINE uint32_t learn(struct swim *s, const struct record *record,
                                    struct member_place place, bool is_rumour)
{
    uint32_t slot;

    ASSERT(!is_terminal(record->status));
    if (s->slots_used == s->config.members_max)
        place = make_room(s, record->id, place);
    slot = member_add_at(s, record, place);
    if (!slot) {
        refuse_newcomer(s);
        return 0;
    }
    s->was_full = false;
    s->stats.merges_new++;
    if (record->status == SWIM_SUSPECT)
        suspect_newcomer(s, slot);
    tell(s, slot, true, is_rumour);
    if (live_count(s) == 1) /* where others lived before, one more changes nothing */
        follow_membership(s);
    return slot;
}

void claim_declare(struct swim *s, uint32_t slot, enum swim_status status)
{
    const struct member *m = member_at(s, slot);
    struct record declared = m->record;
    uint32_t estimate = member_estimate(s, m);

    ASSERT(slot != SELF && !(m->flags & MEMBER_FORGOTTEN) && status > m->record.status);
    declared.status = (uint8_t)status;
    if (status == SWIM_SUSPECT && estimate > declared.heartbeat)
        declared.heartbeat = estimate;
    ASSERT(merge_compare(&declared, &m->record) > 0);
    apply(s, slot, &declared, false);
    s->stats.merges_updated--; /* not a record that came in */
}

void claim_supersede(struct swim *s, uint32_t slot)
{
    const struct swim_addr addr = member_at(s, slot)->record.addr;
    uint32_t other;

    while ((other = member_find_addr_except(s, &addr, slot)) != 0) {
        claim_declare(s, other, SWIM_DEAD);
        s->stats.superseded++;
    }
}

/* ---- First-hand ---- */

/* The address that the sender answers at: what its own entry says, when that comes first
 * (docs/protocol.md section 4, "advertised addresses"), else where the datagram came from. */
static struct swim_addr sender_addr(const struct wire_datagram *dg, const struct swim_addr *from)
{
    struct reader entries = dg->entries;
    struct wire_entry entry;
    struct swim_addr said;

    if (dg->entry_count == 0 || !wire_next_entry(&entries, &entry))
        return *from;
    said = addr_fold(&entry.addr);
    if (entry.id != dg->header.sender_id || entry.incarnation != dg->header.incarnation ||
        !addr_is_usable(&said))
        return *from;
    return said;
}

/* The sender is known and what it says of itself may be newer. */
static void hear_known(struct swim *s, const struct record *heard, struct source *source)
{
    struct member *m = member_at(s, source->slot);
    int clock = merge_compare_clock(heard, &m->record);
    bool moved = !addr_equal(&heard->addr, &m->record.addr);

    /* Only an answer, or an echo, shows that it hears us: what it says unasked tells the time, no
     * more. */
    if (!source->is_answer && !source->has_echoed && clock > 0 && is_live(m) && !moved &&
        heard->incarnation == m->record.incarnation) {
        source->heard_fresh = heard->heartbeat >= m->clock_heartbeat;
        if (heard->heartbeat > m->clock_heartbeat) /* and a late datagram does not turn it back */
            member_read_clock(s, source->slot, heard->heartbeat);
        if (m->record.status == SWIM_SUSPECT)
            outbox_correct(s, source, source->slot);
        return;
    }
    /* The forgotten are heard only when they have proved themselves, and learnt afresh. */
    if (m->flags & MEMBER_FORGOTTEN || (clock > 0 && merge_compare(heard, &m->record) > 0)) {
        source->heard_new =
            m->flags & MEMBER_FORGOTTEN || heard->incarnation > m->record.incarnation;
        moved = moved || is_terminal(m->record.status);
        apply(s, source->slot, heard, false);
        member_read_clock(s, source->slot, heard->heartbeat);
        source->heard_fresh = true;
        if (moved)
            claim_supersede(s, source->slot);
        return;
    }
    source->heard_fresh = clock == 0 && !is_terminal(m->record.status);
    s->stats.merges_stale += clock < 0;
    if (merge_misleads(heard, &m->record) || m->record.status == SWIM_SUSPECT ||
        heard->heartbeat + (uint64_t)LATE_TICKS < m->record.heartbeat)
        outbox_correct(s, source, source->slot);
}

/* The other kinds can't carry the sender's own entry, and say nothing of where it is reached. */
static bool says_address(uint8_t kind)
{
    return kind == WIRE_PING || kind == WIRE_ACK || kind == WIRE_GOSSIP;
}

void claim_hear_sender(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    struct record heard = {
        .id = dg->header.sender_id,
        .incarnation = dg->header.incarnation,
        .heartbeat = dg->header.heartbeat,
        .status = SWIM_ALIVE,
        .addr = sender_addr(dg, &source->addr),
    };

    source->is_answer = dg->header.kind == WIRE_ACK;
    /* Where a datagram came from says nothing until somebody has answered from there. */
    if (source->slot && !source->is_proved && addr_equal(&heard.addr, &source->addr))
        heard.addr = member_at(s, source->slot)->record.addr;
    if (source->slot && (!says_address(dg->header.kind) || !addr_is_usable(&heard.addr)))
        heard.addr = member_at(s, source->slot)->record.addr;
    /* Nobody else can be where we are: a mirror, or a forgery. */
    if (addr_equal(&heard.addr, &self_of(s)->record.addr)) {
        s->stats.entries_skipped++;
        source->slot = 0;
        return;
    }
    if (dg->header.kind == WIRE_LEAVE && source->slot &&
        member_at(s, source->slot)->flags & MEMBER_FORGOTTEN)
        source->slot = 0;
    if (source->slot) {
        hear_known(s, &heard, source);
    } else if (dg->header.kind != WIRE_LEAVE && addr_is_usable(&heard.addr)) {
        source->slot = learn(s, &heard, member_seek(s, heard.id), false);
        source->heard_new = source->heard_fresh = source->slot != 0;
        if (source->slot)
            claim_supersede(s, source->slot);
    }
    if (source->heard_fresh) {
        member_set_capable(s, source->slot, dg->header.capabilities & WIRE_CAPABLE);
        if (!(dg->header.capabilities & WIRE_CAPABLE))
            meta_drop(s, source->slot);
        gossip_follow_membership(s);
        sync_follow_membership(s);
    }
}

/* ---- Second-hand ---- */

/* A third party's old word does not bring back the forgotten; it is told of our doubt instead. */
NOINLINE static void hear_about_forgotten(struct swim *s, const struct record *heard, uint32_t slot,
                                          struct source *source)
{
    const struct member *m = member_at(s, slot);

    if (!is_terminal(heard->status) && heard->incarnation > m->record.incarnation) {
        apply(s, slot, heard, source->is_settling);
        read_clock(s, slot, heard, true);
        return;
    }
    s->stats.zombies_refused++;
    if (!is_terminal(heard->status))
        outbox_correct(s, source, slot);
}

NOINLINE static void hear_about_known(struct swim *s, const struct record *heard, uint32_t slot,
                                      struct source *source)
{
    struct member *m = member_at(s, slot);
    int order = merge_compare(heard, &m->record);

    if (order > 0) {
        bool is_new_life = heard->incarnation != m->record.incarnation;
        bool is_read = is_new_life || heard->heartbeat > member_estimate(s, m);

        apply(s, slot, heard, source->is_settling);
        if (is_read)
            read_clock(s, slot, heard, is_new_life);
    } else {
        s->stats.merges_stale++;
        if (!is_news(&m->record, heard) && !source->is_sync && !source->is_settling &&
            slot != source->slot)
            gossip_overheard(s, slot);
        if (order < 0 && merge_misleads(heard, &m->record) &&
            (!source->is_sync || is_terminal(m->record.status)))
            outbox_correct(s, source, slot);
    }
    if (source->is_sync)
        sync_note_equal(s, slot, heard);
}

/* What may enter the table at all. */
static bool is_admissible(struct swim *s, const struct record *heard)
{
    if (heard->status > SWIM_LEFT || heard->id == 0 || !addr_is_usable(&heard->addr)) {
        s->stats.entries_skipped++;
        return false;
    }
    /* Our address under another id is an earlier life of this process, or somebody's mistake. */
    if (!is_terminal(heard->status) && addr_equal(&heard->addr, &self_of(s)->record.addr)) {
        s->stats.entries_skipped++;
        return false;
    }
    return true;
}

bool claim_next_other_entry(struct reader *entries, struct record *ret)
{
    struct wire_entry entry;

    if (!wire_next_other_entry(entries, &entry))
        return false;
    *ret = (struct record){
        .id = entry.id,
        .incarnation = entry.incarnation,
        .heartbeat = entry.heartbeat,
        .addr = addr_fold(&entry.addr),
        .status = entry.status,
    };
    return true;
}

NOINLINE static void hear_about_stranger(struct swim *s, const struct record *heard,
                                         struct source *source, struct member_place place)
{
    uint32_t slot;

    if (is_terminal(heard->status)) {
        s->stats.zombies_refused++;
        return;
    }
    slot = learn(s, heard, place, source->is_settling);
    if (slot && source->is_sync)
        sync_note_equal(s, slot, heard);
}

/* Ends in one call or another, whatever it is told, and itself makes none. */
void claim_hear_entry(struct swim *s, const struct record *heard, struct source *source)
{
    struct member_place place;

    if (heard->id == self_of(s)->record.id) {
        if (heard->status <= SWIM_LEFT)
            self_hear(s, heard, source);
        return;
    }
    if (!is_admissible(s, heard))
        return;
    place = member_seek(s, heard->id);
    if (!place.slot)
        hear_about_stranger(s, heard, source, place);
    else if (members_of(s)[place.slot].flags & MEMBER_FORGOTTEN)
        hear_about_forgotten(s, heard, place.slot, source);
    else
        hear_about_known(s, heard, place.slot, source);
}
