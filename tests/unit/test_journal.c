/* The journal: numbers without gaps, bounds by number and by bytes, and where to go on. */
#define _GNU_SOURCE
#include "support.h"

#include "agent/journal.h"

#define RUN UINT64_C(0x00c0ffee00c0ffee)

static void add(struct journal *journal, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct swim_event event = {.kind = SWIM_EVENT_JOINED,
                                   .member = {.id = journal_last(journal) + 1,
                                              .addr = {.family = 4, .ip = {10, 0, 0, 1}}}};
        journal_add(journal, NULL, &event);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct journal *journal = journal_new(RUN);
    size_t bytes = 0;

    assert_non_null(journal);
    assert_int_equal(journal_last(journal), 0);
    assert_int_equal(journal_first(journal), 1);
    add(journal, JOURNAL_EVENTS_MAX);
    assert_int_equal(journal_first(journal), 1);
    add(journal, 1);
    assert_int_equal(journal_first(journal), 2);
    add(journal, 3 * JOURNAL_EVENTS_MAX);
    assert_int_equal(journal_last(journal), 4 * JOURNAL_EVENTS_MAX + 1);
    assert_int_equal(journal_last(journal) - journal_first(journal) + 1, JOURNAL_EVENTS_MAX);
    for (uint64_t n = journal_first(journal); n <= journal_last(journal); n++) {
        const struct journal_event *event = journal_at(journal, n);
        char id[JOURNAL_ID_SIZE];
        journal_format_id(journal, n, id);
        assert_int_equal(event->number, n);
        assert_int_equal(event->member.id, n);
        assert_non_null(memmem(event->json, event->size, id, strlen(id)));
        assert_null(memchr(event->json, '\n', event->size));
        bytes += event->size;
    }
    assert_true(bytes <= JOURNAL_BYTES_MAX);
    journal_free(journal);
}

static void test_find(void **state)
{
    (void)state;
    static const char *const nonsense[] = {"",
                                           "0",
                                           "-",
                                           "00c0ffee00c0ffee",
                                           "00c0ffee00c0ffee-",
                                           "00c0ffee00c0ffee--1",
                                           "00C0FFEE00C0FFEE-1",
                                           "00c0ffee00c0ffee-01",
                                           "00c0ffee00c0ffee-1 ",
                                           "c0ffee00c0ffee-1",
                                           "00c0ffee00c0ffee-5",
                                           "00c0ffee00c0ffee-18446744073709551616",
                                           "00c0ffee00c0ffee-18446744073709551615"};
    struct journal *journal = journal_new(RUN);
    uint64_t next = 99;
    uint64_t missed = 99;

    assert_non_null(journal);
    assert_int_equal(journal_find(journal, "00c0ffee00c0ffee-0", &next, &missed), JOURNAL_HELD);
    assert_int_equal(next, 1);
    add(journal, 4);
    assert_int_equal(journal_find(journal, "00c0ffee00c0ffee-0", &next, &missed), JOURNAL_HELD);
    assert_int_equal(next, 1);
    assert_int_equal(journal_find(journal, "00c0ffee00c0ffee-4", &next, &missed), JOURNAL_HELD);
    assert_int_equal(next, 5);
    assert_int_equal(journal_find(journal, "00c0ffee00c0ffef-2", &next, &missed),
                     JOURNAL_RESTARTED);
    assert_int_equal(next, 1);
    assert_int_equal(missed, 0);
    for (size_t i = 0; i < COUNT_OF(nonsense); i++)
        if (journal_find(journal, nonsense[i], &next, &missed) != JOURNAL_UNKNOWN || next != 1)
            fail_msg("%s", nonsense[i]);
    add(journal, JOURNAL_EVENTS_MAX);
    assert_int_equal(journal_first(journal), 5);
    assert_int_equal(journal_find(journal, "00c0ffee00c0ffee-4", &next, &missed), JOURNAL_HELD);
    assert_int_equal(next, 5);
    assert_int_equal(journal_find(journal, "00c0ffee00c0ffee-1", &next, &missed),
                     JOURNAL_OVERWRITTEN);
    assert_int_equal(next, 5);
    assert_int_equal(missed, 3);
    journal_free(journal);
}

static bool has(const struct journal_event *event, const char *text)
{
    return memmem(event->json, event->size, text, strlen(text)) != NULL;
}

/* Every kind that there is can be told, in words with hyphens. */
static void test_kinds(void **state)
{
    (void)state;
    struct journal *journal = journal_new(RUN);

    assert_non_null(journal);
    for (int kind = SWIM_EVENT_JOINED; kind < SWIM_EVENT_KINDS; kind++) {
        struct swim_event event = {.kind = (enum swim_event_kind)kind,
                                   .before = SWIM_SUSPECT,
                                   .paused_for = 1500 * SWIM_MS,
                                   .rtt_ns = 250000,
                                   .member = {.id = UINT64_MAX}};
        journal_add(journal, NULL, &event);
        const struct journal_event *kept = journal_at(journal, journal_last(journal));
        assert_true(has(kept, "\"id\":\"18446744073709551615\""));
        assert_false(has(kept, "unknown"));
        assert_int_equal(has(kept, "\"paused_seconds\":1.5"), kind == SWIM_EVENT_PAUSED);
        assert_int_equal(has(kept, "\"rtt_seconds\":0.00025}"), kind == SWIM_EVENT_PONG);
        if (kind == SWIM_EVENT_LEAVE_DONE)
            assert_true(has(kept, "\"kind\":\"leave-done\""));
        if (kind == SWIM_EVENT_FAILED)
            assert_true(has(kept, "\"before\":\"suspect\""));
        if (kind == SWIM_EVENT_JOINED)
            assert_false(has(kept, "before"));
    }
    journal_free(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
