/*
 * What the tests of names and tags share: number 1 among OTHERS, what it holds of them, and events.
 */
#ifndef SWIM_TESTS_UNIT_METAS_H
#define SWIM_TESTS_UNIT_METAS_H

#include "support.h"

#include "harness.h"

enum { OTHERS = 9 }; /* numbers 2 .. OTHERS */

static inline struct swim *begin(struct swim_config *config, swim_time *ret_now)
{
    *config = quiet_config_of(1);
    return member_among(config, OTHERS, ret_now);
}

static inline void expect_meta(const struct swim *s, uint64_t id, const struct swim_meta *wanted)
{
    struct swim_meta held;

    assert_true(swim_member_meta(s, id, &held));
    assert_true(swim_meta_equal(&held, wanted));
}

static inline void expect_none(const struct swim *s, uint64_t id)
{
    struct swim_meta held;

    assert_false(swim_member_meta(s, id, &held));
}

static inline void expect_key(const struct swim *s, uint64_t id, uint32_t incarnation,
                              uint32_t version)
{
    struct swim_meta held;

    assert_true(swim_member_meta(s, id, &held));
    assert_int_equal(held.incarnation, incarnation);
    assert_int_equal(held.version, version);
}

/* The next event is this one; nothing else is due with `is_last`. */
static inline struct swim_event expect_event(struct swim *s, enum swim_event_kind kind, uint64_t id)
{
    struct swim_event event = {0};

    assert_true(swim_next_event(s, &event));
    assert_string_equal(swim_event_name(event.kind), swim_event_name(kind));
    assert_int_equal(event.member.id, id);
    return event;
}

static inline void expect_no_event(struct swim *s)
{
    struct swim_event event = {0};

    if (swim_next_event(s, &event))
        fail_msg("unexpected: %s", swim_event_name(event.kind));
}

#endif
