/* Proof of address: see proof.h. docs/protocol.md section 10. */
#include "core/proof.h"

#include "base/bytes.h"
#include "base/siphash.h"
#include "core/member.h"
#include "core/probe.h"
#include "core/stranger.h"

#include <string.h>

/* Tokens are good for their epoch and the next: far longer than any round trip, and short enough
 * that a recorded one is soon worthless. */
static const swim_time EPOCH = 30000 * SWIM_MS;

/* The key of cluster tags: public, they only keep names apart. */
static const uint8_t TAG_KEY[SIPHASH_KEY_SIZE] = "swim cluster tag";

enum {
    RECENT_DRAWS = 8,
    LATE_TICKS = 10,    /* later than any datagram on its way */
    PROVED_WANTED = 32, /* peers enough for gossip to spread from whatever else is not proved yet */
};

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;

    for (size_t i = 0; i < size; i++)
        all |= bytes[i];
    return all == 0;
}

void proof_init(struct swim *s)
{
    const char *name = s->config.cluster;
    uint8_t seed[8];
    size_t size = 0;

    _Static_assert(sizeof s->config.secret == SIPHASH_KEY_SIZE, "the secret is the tokens' key");
    if (is_zero(s->config.secret, sizeof s->config.secret)) {
        store_u64(seed, s->config.seed);
        store_u64(s->config.secret, siphash(TAG_KEY, seed, sizeof seed));
        store_u64(s->config.secret + 8, siphash(TAG_KEY, s->config.secret, 8));
    }
    while (size < SWIM_CLUSTER_MAX && name[size])
        size++;
    s->cluster_tag = size ? siphash(TAG_KEY, name, size) | 1 : 0;
}

/* ---- Tokens ---- */

static uint64_t token_of(const struct swim *s, const struct swim_addr *addr, uint64_t id,
                         uint64_t epoch)
{
    uint8_t text[16 + 2 + 1 + 8 + 8];
    uint64_t token;

    memcpy(text, addr->ip, 16);
    store_u16(text + 16, addr->port);
    text[18] = addr->family;
    store_u64(text + 19, id);
    store_u64(text + 27, epoch);
    token = siphash(s->config.secret, text, sizeof text);
    return token ? token : 1;
}

uint64_t proof_token(const struct swim *s, const struct swim_addr *addr, uint64_t id)
{
    return token_of(s, addr, id, s->now / EPOCH);
}

uint64_t proof_place(const struct swim *s, const struct swim_addr *addr)
{
    return token_of(s, addr, 0, 0);
}

static bool is_token(const struct swim *s, const struct swim_addr *addr, uint64_t id, uint64_t echo)
{
    uint64_t epoch = s->now / EPOCH;

    return echo == token_of(s, addr, id, epoch) ||
           (epoch && echo == token_of(s, addr, id, epoch - 1));
}

/* Stands for an address that was proved beside the one held: a member's datagrams may come from
 * another one than it is reached at (NAT, several interfaces). */
static uint32_t via_of(const struct swim *s, const struct swim_addr *addr)
{
    return (uint32_t)proof_place(s, addr);
}

/* ---- Who is heard ---- */

static bool is_solicited(struct swim *s, const struct wire_datagram *dg,
                         const struct source *source)
{
    uint32_t there = member_find_addr(s, &source->addr);

    if (dg->header.kind != WIRE_ACK || dg->header.capabilities & WIRE_CAPABLE)
        return false;
    /* Whoever is there can repeat tokens: nobody takes his place with less. */
    if (there && there != source->slot && member_at(s, there)->flags & MEMBER_CAPABLE)
        return false;
    return stranger_is_expected(s, &source->addr) || probe_is_at(s, &source->addr);
}

/* A live member that is there where it is held, or that could repeat a token, speaks from nowhere
 * else by a mere answer: that is too little to take its name from it. */
static bool is_settled(const struct member *m)
{
    bool is_answering = m->record.status == SWIM_ALIVE && m->flags & MEMBER_PROVED;

    return is_live(m) && (is_answering || m->flags & MEMBER_CAPABLE);
}

/* The first PING of a capable member, to somebody whom it does not know. From a member that we know
 * it means that it has started again, and would not hear what we tell it (stranger.h). */
static bool is_introduction(const struct wire_datagram *dg)
{
    return dg->header.kind == WIRE_PING && dg->header.capabilities & WIRE_CAPABLE &&
           !(dg->header.flags & WIRE_FLAG_EXTENDED);
}

/* What in this datagram shows that somebody is at its source, and hears us. */
static void weigh(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    const struct member *m = source->slot ? member_at(s, source->slot) : NULL;
    bool is_here = m && addr_equal(&source->addr, &m->record.addr);

    if (dg->has_token && dg->echo) {
        source->has_echoed = is_token(s, &source->addr, source->id, dg->echo);
        source->has_echoed_there =
            m && !is_here && is_token(s, &m->record.addr, source->id, dg->echo);
    } else if (!is_here || !(m->flags & MEMBER_PROVED)) {
        /* A plain peer can't repeat a token. That it answers when it is asked has to do. */
        source->has_echoed = (!m || is_here || !is_settled(m)) && is_solicited(s, dg, source);
    }
    source->is_proved =
        source->has_echoed || (is_here && m->flags & MEMBER_PROVED) ||
        (m && m->flags & MEMBER_VIA && vias_of(s)[source->slot] == via_of(s, &source->addr));
    source->is_known = m && !(m->flags & MEMBER_FORGOTTEN) && (is_here || source->is_proved) &&
                       !(is_introduction(dg) && dg->header.incarnation > m->record.incarnation);
}

bool proof_admits(struct swim *s, const struct wire_datagram *dg, struct source *source,
                  bool is_repeatable)
{
    bool is_asked;

    source->id = dg->header.sender_id;
    source->challenge = dg->challenge;
    source->slot = member_find(s, source->id);
    weigh(s, dg, source);
    is_asked = source->has_echoed || source->has_echoed_there;
    if (is_repeatable) /* a plain answer repeats nothing of what was asked */
        return (is_asked && dg->echo) || (source->is_known && probe_is_answer(s, dg));
    return is_asked || source->is_known;
}

bool proof_is_late(const struct swim *s, const struct wire_datagram *dg,
                   const struct source *source)
{
    const struct member *m = source->slot ? member_at(s, source->slot) : NULL;

    if (!m || source->has_echoed || source->has_echoed_there || m->flags & MEMBER_FORGOTTEN ||
        !(dg->header.capabilities & WIRE_CAPABLE))
        return false;
    if (dg->header.incarnation != m->record.incarnation)
        return dg->header.incarnation < m->record.incarnation;
    return dg->header.heartbeat + (uint64_t)LATE_TICKS < member_estimate(s, m);
}

void proof_note(struct swim *s, const struct source *source)
{
    struct member *m;
    bool is_here;

    if (!source->slot || source->slot == SELF)
        return;
    m = member_at(s, source->slot);
    is_here = addr_equal(&source->addr, &m->record.addr);
    if (source->has_echoed && !is_here) {
        m->flags |= MEMBER_VIA;
        vias_of(s)[source->slot] = via_of(s, &source->addr);
    }
    if ((!source->has_echoed || !is_here) && !source->has_echoed_there)
        return;
    if (m->flags & MEMBER_PROVED || !is_live(m))
        return;
    member_set_proved(s, source->slot, true);
    s->recent[s->recent_next++ % RECENT_MAX] = source->slot;
    s->stats.addresses_proved++;
}

void proof_forget(struct swim *s, uint32_t slot)
{
    member_set_proved(s, slot, false);
    member_at(s, slot)->flags &= (uint16_t)~MEMBER_VIA;
}

/* ---- Where more than probes may go ---- */

bool proof_is_wanted(const struct swim *s)
{
    return s->proved_live < PROVED_WANTED;
}

bool proof_covers(const struct swim *s, uint32_t slot, const struct swim_addr *to)
{
    const struct member *m = slot ? member_at(s, slot) : NULL;

    return m && m->flags & MEMBER_PROVED && addr_equal(to, &m->record.addr);
}

uint32_t proof_recent(struct swim *s)
{
    uint32_t count = s->recent_next < RECENT_MAX ? s->recent_next : RECENT_MAX;

    for (unsigned draw = 0; count && draw < RECENT_DRAWS; draw++) {
        uint32_t slot = s->recent[prng_below(&s->prng, count)];

        if (is_live(&members_of(s)[slot]) && members_of(s)[slot].flags & MEMBER_PROVED)
            return slot;
    }
    return 0;
}
