/*
 * swim_check: every invariant of an instance, in O(table). Each is a sentence that can be read
 * when it fails. For tests, simulators and fuzzers.
 */
#include "base/hash.h"
#include "core/accusation.h"
#include "core/clock.h"
#include "core/contact.h"
#include "core/gossip.h"
#include "core/instance.h"
#include "core/live.h"
#include "core/member.h"
#include "core/meta.h"
#include "core/suspects.h"

#define REQUIRE(condition, sentence)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return sentence;                                                                       \
    } while (0)

static bool is_used(const struct swim *s, uint32_t slot)
{
    return members_of(s)[slot].record.id != 0;
}

static const char *check_self(const struct swim *s)
{
    const struct member *self = self_of(s);

    REQUIRE(self->record.id == s->config.id, "self is in slot 1 under its id");
    REQUIRE(self->record.status == (s->leaving ? SWIM_LEFT : SWIM_ALIVE),
            "self is alive, or left once it leaves: never suspect, never dead");
    REQUIRE(!self->place, "self is not among its own peers");
    REQUIRE(!(self->flags & MEMBER_QUEUED), "self has no member events");
    return NULL;
}

static const char *check_member(const struct swim *s, uint32_t slot)
{
    const struct member *m = &members_of(s)[slot];
    bool live = is_live(m);
    bool suspect = m->record.status == SWIM_SUSPECT;
    uint32_t dossier = accusation_dossier(s, slot);

    REQUIRE(m->record.status <= SWIM_LEFT, "a member has one of four statuses");
    REQUIRE(addr_is_usable(&m->record.addr), "a member has an address to send to");
    REQUIRE(member_find(s, m->record.id) == slot, "a member is found by its id");
    REQUIRE(live == (m->place != 0), "a member is in live[] exactly when it is live");
    REQUIRE(suspect == (doubts_of(s)[slot].place != 0),
            "a suspicion timer runs exactly for a suspect");
    REQUIRE(!dossier || dossiers_of(s)[dossier].slot == slot, "a suspect's dossier points back");
    REQUIRE(!dossier || dossiers_of(s)[dossier].count <= s->config.confirmations + 1,
            "accusers are bounded");
    REQUIRE(live || is_linked(grave_links(s), slot), "a tombstone stands for each of the dead");
    REQUIRE(m->record.status != SWIM_ALIVE || fates_of(s)[slot].due == 0,
            "the alive are neither doubted nor mourned");
    REQUIRE(!(m->flags & MEMBER_FORGOTTEN) || !live, "only the dead are forgotten");
    REQUIRE(!(m->flags & MEMBER_FORGOTTEN) || !is_linked(news_links(s), slot),
            "the forgotten are no news");
    REQUIRE(!(m->flags & MEMBER_PRUNED) || (!live && !(m->flags & MEMBER_FORGOTTEN)),
            "only tombstones are pruned");
    REQUIRE(m->guessed == GUESSED_MAX || m->guessed <= m->clock_heartbeat,
            "a member's last word is not after its clock");
    REQUIRE(!live || m->flags & MEMBER_AT_ADDR || member_find_addr(s, &m->record.addr) != slot,
            "a live member is in the address index");
    REQUIRE(!addr_equal(&m->record.addr, &self_of(s)->record.addr) || !live,
            "nobody else lives at our address");
    return NULL;
}

/* A slot that was freed: member_add_at wipes none. */
static const char *check_blank(const struct swim *s, uint32_t slot)
{
    const struct member *m = &members_of(s)[slot];
    const uint8_t *bytes = (const uint8_t *)m;
    uint32_t any = m->flags & ~(uint32_t)MEMBER_QUEUED;

    for (size_t i = 0; i < offsetof(struct member, flags); i++)
        any |= bytes[i];
    REQUIRE(any == 0, "a free slot is blank, but for an event that waits");
    return NULL;
}

struct tally {
    uint32_t status[SWIM_STATUS_COUNT];
    uint32_t used, live, alive, suspect, graves, plain, proved, v6, news, dossiers;
    uint64_t digest;
    uint64_t buckets[BUCKETS_MAX];
};

static void count_member(const struct swim *s, uint32_t slot, struct tally *t)
{
    const struct member *m = &members_of(s)[slot];
    uint64_t digest = member_slot_digest(s, slot);

    t->used++;
    t->news += is_linked(news_links(s), slot);
    t->dossiers += accusation_dossier(s, slot) != 0;
    if (!(m->flags & (MEMBER_FORGOTTEN | MEMBER_PRUNED)))
        t->status[m->record.status]++;
    t->graves += is_terminal(m->record.status) && slot != SELF;
    if (is_terminal(m->record.status))
        return;
    t->digest ^= digest;
    t->buckets[member_bucket(m->record.id)] ^= digest;
    t->v6 += m->record.addr.family == 6;
    if (slot == SELF)
        return;
    t->live++;
    t->alive += m->record.status == SWIM_ALIVE;
    t->suspect += m->record.status == SWIM_SUSPECT;
    t->plain += is_plain(m);
    t->proved += is_proved(m);
}

static const char *check_tally(const struct swim *s, const struct tally *t)
{
    for (unsigned i = 0; i < SWIM_STATUS_COUNT; i++)
        REQUIRE(t->status[i] == s->status_count[i], "members are counted by status");
    REQUIRE(t->used == s->slots_used && t->used <= s->config.members_max, "slots are counted");
    REQUIRE(t->used == s->by_id.count, "every member is in the id index");
    REQUIRE(t->live == live_count(s), "live members are counted");
    REQUIRE(t->alive == alive_count(s), "alive members are counted");
    REQUIRE(t->suspect == s->suspect_count, "suspects are counted");
    REQUIRE(t->graves == s->tombstones.count + s->forgotten.count, "the dead are counted");
    REQUIRE(t->plain == s->plain_live, "plain members are counted");
    REQUIRE(t->proved == s->proved_live, "members that proved their address are counted");
    REQUIRE(t->v6 == s->live_v6, "members at IPv6 addresses are counted");
    REQUIRE(t->news == s->news_count, "news is counted");
    REQUIRE(t->dossiers + s->dossiers_free.count == s->dossiers_high,
            "a dossier is a suspect's, or free");
    REQUIRE(t->digest == s->digest, "the digest is that of the live members");
    for (unsigned i = 0; i < BUCKETS_MAX; i++)
        REQUIRE((uint32_t)t->buckets[i] == s->bucket_digest[i],
                "bucket digests are those of their members");
    return NULL;
}

const char *check_list(const struct list *list, const struct link *links)
{
    uint32_t count = 0;
    uint32_t prev = 0;

    for (uint32_t at = list->head; at; prev = at, at = links[at].next) {
        REQUIRE(links[at].linked && links[at].prev == prev, "list links point both ways");
        REQUIRE(++count <= list->count, "a list is as long as it says");
    }
    REQUIRE(list->tail == prev && count == list->count, "a list ends at its tail");
    return NULL;
}

static const char *check_lists(const struct swim *s)
{
    const char *broken = check_list(&s->tombstones, grave_links(s));

    if (!broken)
        broken = check_list(&s->forgotten, grave_links(s));
    if (!broken)
        broken = check_list(&s->accusations, dossier_links(s));
    if (!broken)
        broken = check_list(&s->dossiers_free, dossier_links(s));
    for (unsigned level = 0; !broken && level < NEWS_LEVELS; level++)
        broken = check_list(&s->news[level], news_links(s));
    if (!broken)
        broken = live_check(s);
    return broken ? broken : suspects_check(s);
}

/* Slots that were freed meanwhile included. */
static const char *check_events(const struct swim *s)
{
    uint32_t queued = 0;

    for (uint32_t slot = 1; slot <= s->slots_high; slot++)
        queued += (members_of(s)[slot].flags & MEMBER_QUEUED) != 0;
    REQUIRE(queued == s->events.count, "who is in the queue of events is there once");
    for (uint32_t i = 0; i < queued; i++) {
        uint32_t slot = queue_at(&s->events, event_slots(s), s->config.members_max, i);

        REQUIRE(member_at(s, slot)->flags & MEMBER_QUEUED, "who is in the queue knows it");
    }
    return NULL;
}

static const char *check_pings(const struct swim *s)
{
    swim_time earliest = SWIM_NEVER;
    uint32_t count = 0;

    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++) {
        const struct ping *p = &pings_of(s)[i];

        count += p->phase != PING_FREE;
        REQUIRE(p->phase <= PING_ENDED, "a ping waits, has ended, or is none");
        if (p->phase == PING_WAITING && p->due < earliest)
            earliest = p->due;
    }
    REQUIRE(s->ping_count == count, "pings are counted");
    REQUIRE(s->timers[TIMER_PING] == earliest, "the timer of pings is that of the earliest end");
    return NULL;
}

static const char *check_bounds(const struct swim *s)
{
    REQUIRE(s->outbox.count <= OUTBOX_MAX && s->outbox.head < OUTBOX_MAX, "the outbox is bounded");
    REQUIRE(s->relay_count <= RELAYS_MAX, "relays are bounded");
    REQUIRE(s->reliable_count <= RELIABLE_MAX, "announcements are bounded");
    REQUIRE(s->job_count <= s->jobs_end && s->jobs_end <= JOBS_MAX, "synchronisations are bounded");
    REQUIRE(s->jobs_end == 0 || job_at(s, s->jobs_end - 1)->kind != JOB_NONE,
            "the last place in use is known");
    REQUIRE(s->job_keys_held <= s->job_keys_used && s->job_keys_used <= JOB_KEYS_MAX,
            "their keys are bounded");
    REQUIRE(s->job_count > 0 || s->job_keys_used == 0,
            "without synchronisations there are no keys");
    REQUIRE(s->healing.seed_count <= SWIM_SEEDS_MAX, "seeds are bounded");
    REQUIRE(s->healing.contact_count <= SWIM_CONTACTS_MAX, "contacts are bounded");
    for (uint32_t place = 0; place < s->healing.contact_count; place++)
        REQUIRE(contact_is_found(s, place), "each contact is found by its address");
    REQUIRE(s->leaving || (live_count(s) > 0) == timer_is_on(s, TIMER_ROUND),
            "probe rounds run exactly while there are peers");
    REQUIRE(s->health <= SWIM_HEALTH_MAX, "local health is bounded");
    REQUIRE(s->leaving || (live_count(s) > 0 && gossip_has_news(s)) == timer_is_on(s, TIMER_GOSSIP),
            "gossip rounds run exactly while there is news and a peer");
    return NULL;
}

const char *swim_check(const struct swim *s)
{
    struct tally tally = {0};
    const char *broken;

    ASSERT(s);
    broken = check_self(s);
    for (uint32_t slot = 1; !broken && slot <= s->slots_high; slot++) {
        if (is_used(s, slot))
            count_member(s, slot, &tally);
        if (slot != SELF)
            broken = is_used(s, slot) ? check_member(s, slot) : check_blank(s, slot);
    }
    if (!broken)
        broken = check_tally(s, &tally);
    if (!broken)
        broken = check_lists(s);
    if (!broken)
        broken = check_events(s);
    if (!broken)
        broken = check_pings(s);
    if (!broken)
        broken = check_meta(s);
    return broken ? broken : check_bounds(s);
}
