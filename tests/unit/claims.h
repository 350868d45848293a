/*
 * What the tests of claims share: number 1 among members with whom it agrees, what is claimed of one of
 * them, and what is told of it thereupon.
 */
#ifndef SWIM_TESTS_UNIT_CLAIMS_H
#define SWIM_TESTS_UNIT_CLAIMS_H

#include "support.h"

#include "harness.h"

#include "core/merge.h"

/* Number 1, which knows the members 2 .. last, and has nothing more to say. */
static inline struct swim *with_members(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    hear_members(s, START, 2, last);
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    assert_int_equal(stats_of(s).news_queued, 0);
    drain_events(s);
    return s;
}

static inline struct swim_member find(const struct swim *s, uint64_t id)
{
    struct swim_member m = {0};

    assert_true(swim_member_find(s, id, &m));
    return m;
}

static inline struct wire_entry claim(uint32_t number, uint32_t incarnation, uint32_t heartbeat,
                                      enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.incarnation = incarnation;
    entry.heartbeat = heartbeat;
    entry.status = (uint8_t)status;
    return entry;
}

/* The first event, which must be about `id`. */
static inline enum swim_event_kind event_of(struct swim *s, uint64_t id)
{
    struct swim_event event;

    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.member.id, id);
    return event.kind;
}

/* What number `to` is told about `id`, by a correction that waits. */
static inline bool corrected(struct swim *s, swim_time now, uint32_t to, uint64_t id,
                             struct wire_entry *ret)
{
    struct swim_addr addr = addr4(to);
    struct sent sent;

    while (next_sent_of(s, now, WIRE_GOSSIP, &sent)) {
        if (addr_equal(&sent.to, &addr) && sent_entry(&sent, id, ret))
            return true;
    }
    return false;
}

static inline struct message speaking(uint32_t number, uint32_t incarnation, uint32_t heartbeat,
                                      uint32_t house)
{
    return (struct message){.kind = WIRE_GOSSIP,
                            .from = number,
                            .at = addr4(house),
                            .incarnation = incarnation,
                            .heartbeat = heartbeat};
}

#endif
