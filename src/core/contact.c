/* Contacts and seeds: see contact.h; swim_join and swim_unjoin in swim.h. */
#include "core/contact.h"

#include "core/clock.h"
#include "core/member.h"
#include "core/outbox.h"
#include "core/proof.h"
#include "core/stranger.h"
#include "wire/wire.h"

/* While nobody else is known, attempts start quickly, for a cluster that is just starting, and slow
 * down to one a second, for hours of isolation. Each wait is twice the one before up to BACKOFF_FAST,
 * and from there BACKOFF_STEP longer: 97 tries in the first minute, for networks that lose much. (A
 * PING and its ACK must both arrive: where six datagrams in ten are lost, one try in six succeeds.)
 * In company one seed and one address every ten seconds add a tenth to the probes each, and only while
 * somebody is missing; and yet each half of a split cluster of n tries n/10 addresses a second. The
 * first of these ten seconds have two tries more, for a seed that is the last one to start. */
static const swim_time BACKOFF_MIN = 100 * SWIM_MS;
static const swim_time BACKOFF_FAST = 400 * SWIM_MS;
static const swim_time BACKOFF_STEP = 5 * SWIM_MS;
static const swim_time BACKOFF_MAX = 1000 * SWIM_MS;
static const swim_time IN_COMPANY[] = {1000 * SWIM_MS, 2000 * SWIM_MS, 7000 * SWIM_MS,
                                       10000 * SWIM_MS};
static const swim_time CONTACT_LIFE = UINT64_C(24) * 3600 * 1000 * SWIM_MS;
enum { IN_COMPANY_LAST = sizeof IN_COMPANY / sizeof *IN_COMPANY - 1 };
enum { SEEDS_PER_TRY_ALONE = 3, LOOKS_PER_TRY = 8 };

static bool is_reached(const struct swim *s, const struct swim_addr *addr)
{
    return addr_equal(addr, &self_of(s)->record.addr) || member_find_addr(s, addr) != 0;
}

static void contact(struct swim *s, const struct swim_addr *addr)
{
    struct intent *ping = outbox_push(s, WIRE_PING, 0, addr);

    if (!ping)
        return;
    ping->no_news = true; /* most likely nobody is there to hear it */
    stranger_expect(s, addr);
    stranger_recall(s, ping);
    s->stats.contacts_tried++;
}

static void arm(struct swim *s)
{
    struct healing *h = &s->healing;

    if (live_count(s) == 0) {
        timer_start(s, TIMER_HEAL, h->backoff);
        return;
    }
    timer_start(s, TIMER_HEAL, IN_COMPANY[h->in_company]);
    if (h->in_company < IN_COMPANY_LAST)
        h->in_company++;
}

void contact_begin_quickly(struct swim *s)
{
    s->healing.backoff = BACKOFF_MIN;
    s->healing.in_company = 0;
}

void contact_follow_membership(struct swim *s)
{
    struct healing *h = &s->healing;

    if (s->leaving || (h->seed_count == 0 && h->contact_count == 0))
        timer_stop(s, TIMER_HEAL);
    else if (!timer_is_on(s, TIMER_HEAL))
        arm(s);
    if (live_count(s)) {
        h->backoff = BACKOFF_MIN;
    } else if (timer_is_on(s, TIMER_HEAL) && s->timers[TIMER_HEAL] > timer_now(s) + BACKOFF_MAX) {
        timer_start(s, TIMER_HEAL, h->backoff); /* isolated a moment ago */
    }
}

void contact_hurry(struct swim *s)
{
    if (live_count(s) || !timer_is_on(s, TIMER_HEAL))
        return;
    s->healing.backoff = BACKOFF_MIN;
    timer_start(s, TIMER_HEAL, BACKOFF_MIN);
}

/* ---- Remembered addresses: an array, in which chains of equal hash find them. When hundreds die at
 * once, each is looked for. The hash has a key, so that nobody chooses who shares a chain. ---- */

static uint16_t chain_of(const struct swim *s, const struct swim_addr *addr)
{
    return (uint16_t)(proof_place(s, addr) % SWIM_CONTACTS_MAX);
}

/* The place of an address, whose chain this is; contact_count if it is not there. */
static uint32_t find(const struct swim *s, uint16_t chain, const struct swim_addr *addr)
{
    const struct contact *contacts = contacts_of(s);

    if (s->healing.contact_count == 0)
        return 0; /* without a look at the heads, which nobody may have touched yet */
    for (uint32_t next = contact_heads(s)[chain]; next; next = contacts[next - 1].next) {
        if (addr_equal(&contacts[next - 1].addr, addr))
            return next - 1;
    }
    return s->healing.contact_count;
}

static void put_at(struct swim *s, uint32_t place, const struct contact *what)
{
    uint16_t *head = &contact_heads(s)[what->chain];

    contacts_of(s)[place] = *what;
    contacts_of(s)[place].next = *head;
    *head = (uint16_t)(place + 1);
}

static void take_out(struct swim *s, uint32_t place)
{
    struct contact *contacts = contacts_of(s);
    uint16_t *at = &contact_heads(s)[contacts[place].chain];

    while (*at != place + 1) {
        ASSERT(*at != 0);
        at = &contacts[*at - 1].next;
    }
    *at = contacts[place].next;
}

static void remove_at(struct swim *s, uint32_t place)
{
    struct healing *h = &s->healing;
    uint32_t last = --h->contact_count;

    take_out(s, place);
    if (place != last) {
        take_out(s, last);
        put_at(s, place, &contacts_of(s)[last]);
    }
    h->contact_oldest = 0;
}

bool contact_is_found(const struct swim *s, uint32_t place)
{
    const struct contact *contact = &contacts_of(s)[place];

    return find(s, chain_of(s, &contact->addr), &contact->addr) == place;
}

void contact_drop(struct swim *s, const struct swim_addr *addr)
{
    uint32_t place = s->healing.contact_count ? find(s, chain_of(s, addr), addr) : 0;

    if (place < s->healing.contact_count)
        remove_at(s, place);
}

void contact_remember(struct swim *s, const struct swim_addr *addr)
{
    struct contact fresh = {.addr = *addr, .expires = s->now + CONTACT_LIFE};
    struct healing *h = &s->healing;
    uint32_t place;

    if (is_reached(s, addr))
        return;
    fresh.chain = chain_of(s, addr);
    place = find(s, fresh.chain, addr);
    if (place < h->contact_count) {
        contacts_of(s)[place].expires = fresh.expires;
        return;
    }
    if (place == SWIM_CONTACTS_MAX) {
        place = h->contact_oldest;
        h->contact_oldest = (h->contact_oldest + 1) % SWIM_CONTACTS_MAX;
        take_out(s, place);
    } else {
        h->contact_count++;
    }
    put_at(s, place, &fresh);
}

/* The next seed where nobody is known, if there is one among the next few. */
static bool try_seed(struct swim *s)
{
    struct healing *h = &s->healing;

    for (uint32_t looks = 0; looks < h->seed_count; looks++) {
        const struct swim_addr *seed = &h->seeds[h->seed_cursor++ % h->seed_count];

        if (is_reached(s, seed))
            continue;
        contact(s, seed);
        return true;
    }
    return false;
}

/* The next remembered address; those that live again, or are too old, go. */
static void try_contact(struct swim *s)
{
    struct healing *h = &s->healing;
    struct contact *contacts = contacts_of(s);

    for (uint32_t looks = 0; looks < LOOKS_PER_TRY && h->contact_count; looks++) {
        uint32_t place = h->contact_cursor % h->contact_count;

        if (!is_reached(s, &contacts[place].addr) && contacts[place].expires > s->now) {
            h->contact_cursor = place + 1;
            contact(s, &contacts[place].addr);
            return;
        }
        remove_at(s, place);
    }
}

static void slow_down(struct healing *h)
{
    swim_time step = h->backoff < BACKOFF_FAST ? h->backoff : BACKOFF_STEP;

    h->backoff = h->backoff + step < BACKOFF_MAX ? h->backoff + step : BACKOFF_MAX;
}

void contact_try(struct swim *s)
{
    struct healing *h = &s->healing;
    uint32_t seeds = live_count(s) ? 1 : SEEDS_PER_TRY_ALONE;

    for (uint32_t i = 0; i < seeds && i < h->seed_count; i++) {
        if (!try_seed(s))
            break;
    }
    try_contact(s);
    if (live_count(s) == 0)
        slow_down(h);
    timer_stop(s, TIMER_HEAL);
    contact_follow_membership(s);
}

bool swim_join(struct swim *s, swim_time now, const struct swim_addr *addr)
{
    struct swim_addr seed;
    struct healing *h;

    ASSERT(s && addr);
    clock_enter(s, now);
    seed = addr_fold(addr);
    h = &s->healing;
    if (!addr_is_usable(&seed) || addr_equal(&seed, &self_of(s)->record.addr) || s->leaving)
        return true;
    for (uint32_t i = 0; i < h->seed_count; i++) {
        if (addr_equal(&h->seeds[i], &seed))
            return true;
    }
    if (h->seed_count == SWIM_SEEDS_MAX)
        return false;
    h->seeds[h->seed_count++] = seed;
    if (!is_reached(s, &seed))
        contact(s, &seed);
    contact_begin_quickly(s);
    arm(s);
    contact_follow_membership(s);
    return true;
}

void swim_unjoin(struct swim *s, const struct swim_addr *addr)
{
    struct swim_addr seed;
    struct healing *h;

    ASSERT(s && addr);
    seed = addr_fold(addr);
    h = &s->healing;
    for (uint32_t i = 0; i < h->seed_count; i++) {
        if (addr_equal(&h->seeds[i], &seed)) {
            h->seeds[i] = h->seeds[--h->seed_count];
            return;
        }
    }
}
