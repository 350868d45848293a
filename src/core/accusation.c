/* Accusers of suspects: see accusation.h. */
#include "core/accusation.h"

#include "base/fixed.h"
#include "core/gossip.h"
#include "core/member.h"
#include "core/outbox.h"
#include "core/self.h"
#include "core/suspicion.h"
#include "core/sync.h"

#include <string.h>

enum { WRITE_MAX = 16 }; /* accusations in one datagram: 323 bytes */

uint32_t accusation_dossier(const struct swim *s, uint32_t slot)
{
    return member_at(s, slot)->record.status == SWIM_SUSPECT ? doubts_of(s)[slot].dossier : 0;
}

static struct dossier *dossier_of(const struct swim *s, uint32_t slot)
{
    uint32_t index = accusation_dossier(s, slot);

    return index ? &dossiers_of(s)[index] : NULL;
}

static uint32_t take(struct swim *s)
{
    uint32_t index = s->dossiers_free.head;

    if (index)
        list_remove(&s->dossiers_free, dossier_links(s), index);
    else if (s->dossiers_high < DOSSIERS_MAX)
        index = ++s->dossiers_high;
    return index;
}

/* Confirmations that can be had at all: from everybody but the suspect and its first accuser. */
static uint8_t confirmations_wanted(const struct swim *s)
{
    uint32_t others = cluster_size(s) > 2 ? cluster_size(s) - 2 : 0;

    return (uint8_t)(others < s->config.confirmations ? others : s->config.confirmations);
}

void accusation_open(struct swim *s, uint32_t slot, swim_time longest)
{
    uint32_t index = take(s);
    swim_time shortest = suspicion_timeout_min(s);

    ASSERT(!accusation_dossier(s, slot));
    if (!index)
        return;
    doubts_of(s)[slot].dossier = index;
    dossiers_of(s)[index] = (struct dossier){
        .started = suspicion_now(s),
        .longest = longest,
        .shortest = shortest < longest ? shortest : longest,
        .wanted = confirmations_wanted(s),
        .slot = slot,
    };
}

void accusation_close(struct swim *s, uint32_t slot)
{
    uint32_t index = accusation_dossier(s, slot);

    if (!index)
        return;
    doubts_of(s)[slot].dossier = 0;
    if (is_linked(dossier_links(s), index))
        list_remove(&s->accusations, dossier_links(s), index);
    list_push_head(&s->dossiers_free, dossier_links(s), index);
    gossip_follow_membership(s);
}

bool accusation_add(struct swim *s, uint32_t slot, uint64_t accuser)
{
    struct dossier *d = dossier_of(s, slot);
    uint32_t index = accusation_dossier(s, slot);

    if (!d || s->config.confirmations == 0 || d->count > s->config.confirmations)
        return false;
    for (unsigned i = 0; i < d->count; i++) {
        if (d->accusers[i] == accuser)
            return false;
    }
    d->accusers[d->count++] = accuser;
    if (is_linked(dossier_links(s), index))
        list_remove(&s->accusations, dossier_links(s), index);
    list_push_head(&s->accusations, dossier_links(s), index);
    gossip_follow_membership(s);
    if (d->count > 1) {
        s->stats.suspicions_confirmed++;
        suspicion_hasten(s, slot, d);
    }
    return true;
}

void accusation_tell_again(struct swim *s, uint32_t slot)
{
    struct dossier *d = dossier_of(s, slot);
    uint32_t index = accusation_dossier(s, slot);

    if (!d || d->count == 0)
        return;
    memset(d->sent, 0, sizeof d->sent);
    if (!is_linked(dossier_links(s), index))
        list_push_tail(&s->accusations, dossier_links(s), index);
    gossip_follow_membership(s);
}

swim_time accusation_timeout(const struct dossier *d)
{
    swim_time range = d->longest - d->shortest;
    uint32_t confirmations = d->count ? d->count - 1u : 0;
    uint64_t part; /* of the range, in 65536ths */

    if (confirmations >= d->wanted)
        return d->wanted ? d->shortest : d->longest;
    part = ((uint64_t)log2_q16(confirmations + 1) << 16) / log2_q16(d->wanted + 1u);
    return d->longest - ((range >> 16) * part + ((range & 0xFFFF) * part >> 16));
}

/* ---- Heard ---- */

/* The member itself showed that it lives so recently that the accusation may be older. An
 * accusation tells no time, so it is given as long as it may take to get around. */
static bool is_disproved(const struct swim *s, const struct member *m)
{
    uint64_t ticks = member_estimate(s, m) - m->record.heartbeat;

    return ticks * ms(s->config.heartbeat_interval_ms) <
           sync_settling_time(s) + ms(s->config.probe_timeout_ms);
}

static void hear_about_self(struct swim *s, const struct wire_suspicion *heard,
                            struct source *source)
{
    struct record doubt = self_of(s)->record;

    doubt.incarnation = heard->incarnation;
    doubt.status = SWIM_SUSPECT;
    self_hear(s, &doubt, source);
}

/* Only a live member's word counts, and nobody is his own witness. */
static bool is_witness(const struct swim *s, const struct wire_suspicion *heard)
{
    uint32_t slot = member_find(s, heard->accuser);

    return slot && is_live(member_at(s, slot)) && heard->accuser != heard->target;
}

/* True when this accuser is named already. Others tell it too: that counts like a transmission of
 * ours (gossip_overheard). */
static bool is_overheard(struct swim *s, uint32_t slot, uint64_t accuser)
{
    struct dossier *d = dossier_of(s, slot);

    for (unsigned i = 0; d && i < d->count; i++) {
        if (d->accusers[i] != accuser)
            continue;
        d->sent[i] = (uint8_t)(d->sent[i] + (d->sent[i] < UINT8_MAX));
        return true;
    }
    return false;
}

static void hear_one(struct swim *s, const struct wire_suspicion *heard, struct source *source)
{
    uint32_t slot = member_find(s, heard->target);
    const struct member *m;

    if (slot == SELF) {
        hear_about_self(s, heard, source);
        return;
    }
    if (!slot || member_at(s, slot)->flags & MEMBER_FORGOTTEN)
        return;
    m = member_at(s, slot);
    /* Of a later life: its entry will tell. Of an earlier one, or of the dead: it is told. */
    if (heard->incarnation != m->record.incarnation || is_terminal(m->record.status)) {
        if (heard->incarnation <= m->record.incarnation)
            outbox_correct(s, source, slot);
        return;
    }
    if (is_overheard(s, slot, heard->accuser) || heard->accuser == self_of(s)->record.id ||
        !is_witness(s, heard))
        return;
    if (m->record.status == SWIM_ALIVE) {
        if (is_disproved(s, m)) {
            outbox_correct(s, source, slot);
            return;
        }
        claim_declare(s, slot, SWIM_SUSPECT);
    }
    accusation_add(s, slot, heard->accuser);
}

void accusation_hear(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    struct wire_suspicion heard;
    struct reader left;

    if (!dg->suspicions)
        return;
    left = reader_of(dg->suspicions, dg->suspicions_size);
    while (wire_next_suspicion(&left, &heard))
        hear_one(s, &heard, source);
}

/* ---- Told ---- */

/* The accuser told least often so far that this peer may be told of; count if there is none. */
static unsigned next_untold(const struct dossier *d, uint64_t peer_id, uint32_t limit,
                            uint32_t taken)
{
    unsigned best = d->count;

    for (unsigned i = 0; i < d->count; i++) {
        if (taken & 1u << i || d->sent[i] >= limit || d->accusers[i] == peer_id)
            continue;
        if (best == d->count || d->sent[i] < d->sent[best])
            best = i;
    }
    return best;
}

/* Takes from one dossier what this peer does not know for certain. Returns how many. */
static uint32_t collect(struct swim *s, struct dossier *d, uint64_t peer_id,
                        struct wire_suspicion *ret, uint32_t max)
{
    const struct record *suspect = &member_at(s, d->slot)->record;
    uint32_t limit = gossip_limit(s);
    uint32_t taken = 0;
    uint32_t count = 0;

    while (count < max) {
        unsigned i = next_untold(d, peer_id, limit, taken);

        if (i == d->count)
            break;
        taken |= 1u << i;
        d->sent[i]++;
        ret[count++] = (struct wire_suspicion){suspect->id, suspect->incarnation, d->accusers[i]};
    }
    return count;
}

static bool is_told(const struct swim *s, const struct dossier *d)
{
    uint32_t limit = gossip_limit(s);

    for (unsigned i = 0; i < d->count; i++) {
        if (d->sent[i] < limit)
            return false;
    }
    return true;
}

uint32_t accusation_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                          uint32_t max)
{
    struct wire_suspicion all[WRITE_MAX];
    uint32_t looks = s->accusations.count < WRITE_MAX ? s->accusations.count : WRITE_MAX;
    uint32_t count = 0;

    if (max > WRITE_MAX)
        max = WRITE_MAX;
    for (; looks && count < max; looks--) {
        uint32_t index = s->accusations.head;
        struct dossier *d = &dossiers_of(s)[index];

        count += collect(s, d, intent->peer_id, all + count, max - count);
        list_remove(&s->accusations, dossier_links(s), index);
        if (!is_told(s, d))
            list_push_tail(&s->accusations, dossier_links(s), index);
    }
    if (count && !wire_put_suspicions(b, all, count))
        count = 0;
    gossip_follow_membership(s);
    return count;
}
