/*
 * Two instances that talk (docs/protocol.md section 3): what one seals the other opens, once, when
 * it comes from a start that was admitted.
 */
#include "support.h"

#include "seal/seal_private.h"
#include "seal_support.h"

static void round_trip(enum swim_envelope envelope, size_t size)
{
    struct swim_seal *a = seal_begin(envelope, 1);
    struct swim_seal *b = seal_begin(envelope, 2);
    uint8_t datagram[SWIM_DATAGRAM_MAX];
    uint8_t out[SWIM_SEALED_MAX];
    uint8_t back[SWIM_SEALED_MAX];
    struct swim_seal_opened opened;
    size_t overhead = envelope == SWIM_ENVELOPE_1 ? SWIM_SEAL_OVERHEAD_1 : SWIM_SEAL_OVERHEAD_2;

    datagram_make(77, 0xA5, size, datagram);
    assert_int_equal(swim_seal_wrap(a, datagram, size, out, size + overhead), size + overhead);
    assert_int_equal(swim_seal_open(b, out, size + overhead, back, sizeof back, &opened),
                     SWIM_SEAL_OK);
    assert_int_equal(opened.size, size);
    assert_memory_equal(back, datagram, size);
    assert_int_equal(opened.sender, 77);
    assert_int_equal(opened.key_id, key_id_of(1));
    assert_int_equal(opened.is_fresh, envelope == SWIM_ENVELOPE_1);
    assert_int_equal(opened.start, envelope == SWIM_ENVELOPE_1 ? 0 : SEAL_START + 1);
    swim_seal_free(a);
    swim_seal_free(b);
}

static void test_round_trips(void **state)
{
    (void)state;
    for (size_t size = LEAST; size <= SWIM_DATAGRAM_MAX; size += 56) {
        round_trip(SWIM_ENVELOPE_1, size);
        round_trip(SWIM_ENVELOPE_2, size);
    }
    round_trip(SWIM_ENVELOPE_1, SWIM_DATAGRAM_MAX);
    round_trip(SWIM_ENVELOPE_2, SWIM_DATAGRAM_MAX);
    assert_true(SWIM_SEAL_OVERHEAD_1 == 36 && SWIM_SEAL_OVERHEAD_2 == 44);
    assert_true(SWIM_SEALED_MAX <= SWIM_RECEIVE_MAX);
}

/* The bytes inside are nowhere to be read outside, and no two envelopes of them are equal. */
static void test_nothing_is_readable(void **state)
{
    (void)state;
    for (int envelope = SWIM_ENVELOPE_1; envelope <= SWIM_ENVELOPE_2; envelope++) {
        struct swim_seal *a = seal_begin((enum swim_envelope)envelope, 1);
        struct sealed first = say(a, 77, 0);
        struct sealed second = say(a, 77, 0);

        assert_int_equal(first.size, second.size);
        assert_memory_not_equal(first.bytes + 28, second.bytes + 28, first.size - 28);
        for (size_t at = 28; at + 8 <= first.size; at++)
            assert_true(load_u64(first.bytes + at) != 0);
        swim_seal_free(a);
    }
}

static void test_without_a_key(void **state)
{
    (void)state;
    for (int envelope = SWIM_ENVELOPE_1; envelope <= SWIM_ENVELOPE_2; envelope++) {
        struct swim_seal_config config = seal_config_of((enum swim_envelope)envelope, 1);
        struct swim_seal *mute = swim_seal_new(&config);
        struct swim_seal *b = seal_begin((enum swim_envelope)envelope, 2);
        struct sealed from_b = say(b, 5, 1);

        assert_non_null(mute);
        assert_int_equal(say(mute, 77, 0).size, 0);
        assert_int_equal(seal_stats_of(mute).wrapped, 0);
        assert_int_equal(heard(mute, &from_b),
                         envelope == SWIM_ENVELOPE_1 ? SWIM_SEAL_DROP_FORGED : SWIM_SEAL_DROP_KEY);
        swim_seal_free(mute);
        swim_seal_free(b);
    }
    swim_seal_free(NULL);
}

/* Envelope 2: unproved until admitted, then each datagram once, in any order. */
static void test_heard_once(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    struct sealed sent[200];

    for (size_t i = 0; i < COUNT_OF(sent); i++)
        sent[i] = say(a, 77, (uint8_t)i);
    assert_int_equal(heard(b, &sent[0]), HEARD_UNPROVED);
    assert_int_equal(heard(b, &sent[0]), HEARD_UNPROVED); /* nothing is held of it */
    assert_int_equal(seal_stats_of(b).windows, 0);
    admit(b, &sent[0]);
    assert_int_equal(heard(b, &sent[0]), SWIM_SEAL_DROP_REPLAY);
    for (size_t i = COUNT_OF(sent) - 1; i > 0; i--)
        assert_int_equal(heard(b, &sent[i]), HEARD_FRESH);
    for (size_t i = 0; i < COUNT_OF(sent); i++)
        assert_int_equal(heard(b, &sent[i]), SWIM_SEAL_DROP_REPLAY);
    assert_int_equal(seal_stats_of(b).windows, 1);
    assert_int_equal(seal_stats_of(b).admitted, 1);
    assert_int_equal(seal_stats_of(b).dropped[SWIM_SEAL_DROP_REPLAY], 201);
    assert_int_equal(seal_stats_of(b).opened, 3 + 199);
    assert_int_equal(seal_stats_of(b).unproved, 3);
    swim_seal_free(a);
    swim_seal_free(b);
}

/* What was written before the proof may have been recorded, and heard in a former life of the
 * receiver's: admission closes the door on all of it. */
static void test_admission_covers_the_past(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    static struct sealed sent[1500];

    for (size_t i = 0; i < COUNT_OF(sent); i++)
        sent[i] = say(a, 77, (uint8_t)i);
    admit(b, &sent[1400]);
    for (size_t i = 0; i <= 1400; i++)
        assert_int_equal(heard(b, &sent[i]), SWIM_SEAL_DROP_REPLAY);
    for (size_t i = 1401; i < COUNT_OF(sent); i++)
        assert_int_equal(heard(b, &sent[i]), HEARD_FRESH);
    swim_seal_free(a);
    swim_seal_free(b);
}

/* Several datagrams are under way when the first of them is admitted. */
static void test_admissions_cross(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    struct sealed sent[4];
    struct swim_seal_opened opened[4];

    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        sent[i] = say(a, 77, (uint8_t)i);
        assert_int_equal(hear_sealed(b, &sent[i], &opened[i]), SWIM_SEAL_OK);
    }
    swim_seal_admit(b, &opened[1]);
    swim_seal_admit(b, &opened[3]); /* heard, too: and only that */
    swim_seal_admit(b, &opened[0]);
    assert_int_equal(heard(b, &sent[0]), SWIM_SEAL_DROP_REPLAY);
    assert_int_equal(heard(b, &sent[1]), SWIM_SEAL_DROP_REPLAY);
    assert_int_equal(heard(b, &sent[2]), HEARD_FRESH);
    assert_int_equal(heard(b, &sent[3]), SWIM_SEAL_DROP_REPLAY);
    assert_int_equal(seal_stats_of(b).admitted, 1);
    swim_seal_free(a);
    swim_seal_free(b);
}

/* A fresh one has nothing to prove, even if its window is gone by now; envelope 1 has none. */
static void test_admission_of_the_fresh(void **state)
{
    (void)state;
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 2);
    config.members_max = 2;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin_of(&config);
    struct sealed sealed;
    struct swim_seal_opened opened;

    for (uint64_t id = 1; id <= 3; id++) {
        sealed = say(a, id, 0);
        admit(b, &sealed);
        sealed = say(a, id, 0);
        if (id == 1)
            assert_int_equal(hear_sealed(b, &sealed, &opened), SWIM_SEAL_OK);
    }
    assert_true(opened.is_fresh);
    swim_seal_admit(b, &opened);
    assert_int_equal(seal_stats_of(b).evicted, 1);
    assert_int_equal(seal_stats_of(b).admitted, 3);
    swim_seal_free(a);
    swim_seal_free(b);

    a = seal_begin(SWIM_ENVELOPE_1, 1);
    b = seal_begin(SWIM_ENVELOPE_1, 2);
    sealed = say(a, 1, 0);
    assert_int_equal(hear_sealed(b, &sealed, &opened), SWIM_SEAL_OK);
    opened.is_fresh = false;
    swim_seal_admit(b, &opened);
    assert_int_equal(seal_stats_of(b).admitted, 0);
    swim_seal_free(a);
    swim_seal_free(b);
}

static void test_starts(void **state)
{
    (void)state;
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 9);
    struct swim_seal *old = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *new = seal_begin(SWIM_ENVELOPE_2, 2);
    struct sealed from_old[4];
    struct sealed from_new[4];
    struct swim_seal_opened late;

    for (size_t i = 0; i < COUNT_OF(from_old); i++) {
        from_old[i] = say(old, 77, (uint8_t)i);
        from_new[i] = say(new, 77, (uint8_t)i);
    }
    assert_int_equal(hear_sealed(b, &from_old[3], &late), SWIM_SEAL_OK);
    admit(b, &from_old[0]);
    assert_int_equal(heard(b, &from_old[1]), HEARD_FRESH);
    /* A newer start is not believed unproved, and takes nothing from the one that is held. */
    assert_int_equal(heard(b, &from_new[0]), HEARD_UNPROVED);
    assert_int_equal(heard(b, &from_old[2]), HEARD_FRESH);
    admit(b, &from_new[0]);
    assert_int_equal(heard(b, &from_new[1]), HEARD_FRESH);
    /* The older one is over, whatever was opened of it before. */
    assert_int_equal(heard(b, &from_old[3]), SWIM_SEAL_DROP_REPLAY);
    swim_seal_admit(b, &late);
    assert_int_equal(heard(b, &from_old[3]), SWIM_SEAL_DROP_REPLAY);
    assert_int_equal(heard(b, &from_new[2]), HEARD_FRESH);
    assert_int_equal(heard(b, &from_new[3]), HEARD_FRESH); /* whose number `late` has */
    assert_int_equal(seal_stats_of(b).windows, 1);
    assert_int_equal(seal_stats_of(b).admitted, 2);
    swim_seal_free(old);
    swim_seal_free(new);
    swim_seal_free(b);
}

/* A member that takes a new id (protocol.md section 4) goes on counting: its new id is a stranger,
 * its old one as replayed as before. */
static void test_sender_changes_its_id(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    struct sealed as_77 = say(a, 77, 0);
    struct sealed as_78 = say(a, 78, 0);
    struct sealed as_78_again = say(a, 78, 0);
    struct swim_seal_opened opened;

    admit(b, &as_77);
    assert_int_equal(heard(b, &as_78), HEARD_UNPROVED);
    admit(b, &as_78);
    assert_int_equal(hear_sealed(b, &as_78_again, &opened), SWIM_SEAL_OK);
    assert_true(opened.is_fresh);
    assert_int_equal(opened.counter, 2);
    assert_int_equal(heard(b, &as_77), SWIM_SEAL_DROP_REPLAY);
    swim_seal_free(a);
    swim_seal_free(b);
}

/* Two clusters that share a key by mistake can't read each other; one without a name is one too. */
static void test_clusters_stay_apart(void **state)
{
    (void)state;
    char longest[SWIM_CLUSTER_MAX + 1];
    memset(longest, 'x', sizeof longest);
    longest[SWIM_CLUSTER_MAX] = '\0';
    const char *const names[] = {NULL, "red", "blue", "redd", longest, longest + 1};
    struct sealed sealed[COUNT_OF(names)];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 1);
        config.cluster = names[i];
        struct swim_seal *seal = seal_begin_of(&config);
        sealed[i] = say(seal, 77, 0);
        swim_seal_free(seal);
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 2);
        config.cluster = names[i] != NULL ? names[i] : "";
        struct swim_seal *seal = seal_begin_of(&config);
        for (size_t k = 0; k < COUNT_OF(names); k++)
            assert_int_equal(heard(seal, &sealed[k]),
                             i == k ? HEARD_UNPROVED : SWIM_SEAL_DROP_FORGED);
        swim_seal_free(seal);
    }
}

/* An instance of one envelope reads nothing of the other: there is no falling back. */
static void test_envelopes_do_not_mix(void **state)
{
    (void)state;
    struct swim_seal *first = seal_begin(SWIM_ENVELOPE_1, 1);
    struct swim_seal *second = seal_begin(SWIM_ENVELOPE_2, 2);
    struct sealed in_first = say(first, 77, 0);
    struct sealed in_second = say(second, 77, 0);
    uint8_t longer[60 + 8] = {0};
    struct swim_seal_opened opened;
    uint8_t buf[sizeof longer];

    assert_int_equal(heard(first, &in_second), SWIM_SEAL_DROP_FORGED);
    /* Padded to a size that envelope 2 can have: its first byte is that of a nonce. */
    memcpy(longer, in_first.bytes, in_first.size);
    longer[0] = 0;
    assert_int_equal(swim_seal_open(second, longer, sizeof longer, buf, sizeof buf, &opened),
                     SWIM_SEAL_DROP_VERSION);
    assert_int_equal(heard(second, &in_first), SWIM_SEAL_DROP_SIZE);
    swim_seal_free(first);
    swim_seal_free(second);
}

/* The last number is used, and then nothing is sealed any more. */
static void test_numbers_run_out(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);

    a->next_counter = UINT64_MAX - 2;
    struct sealed sent[3];
    for (size_t i = 0; i < COUNT_OF(sent); i++)
        sent[i] = say(a, 77, 0);
    assert_int_equal(say(a, 77, 0).size, 0);
    assert_int_equal(say(a, 78, 0).size, 0);
    assert_int_equal(seal_stats_of(a).wrapped, 3);
    admit(b, &sent[0]);
    assert_int_equal(heard(b, &sent[2]), HEARD_FRESH);
    assert_int_equal(heard(b, &sent[1]), HEARD_FRESH);
    assert_int_equal(heard(b, &sent[2]), SWIM_SEAL_DROP_REPLAY);
    swim_seal_free(a);
    swim_seal_free(b);
}

/* More senders than members_max: the longest silent one is a stranger again, and nobody else. */
static void test_eviction(void **state)
{
    (void)state;
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 2);
    config.members_max = 3;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin_of(&config);
    struct sealed sent;

    for (uint64_t id = 1; id <= 3; id++) {
        sent = say(a, id, 0);
        admit(b, &sent);
    }
    struct sealed early = say(a, 1, 0);
    assert_int_equal(heard(b, &early), HEARD_FRESH); /* 2 is silent for longest now */
    sent = say(a, 4, 0);
    admit(b, &sent);
    assert_int_equal(seal_stats_of(b).windows, 3);
    assert_int_equal(seal_stats_of(b).evicted, 1);
    sent = say(a, 2, 0);
    assert_int_equal(heard(b, &sent), HEARD_UNPROVED);
    for (uint64_t id = 1; id <= 4; id++) {
        sent = say(a, id, 0);
        assert_int_equal(heard(b, &sent), id == 2 ? HEARD_UNPROVED : HEARD_FRESH);
    }
    assert_int_equal(heard(b, &early), SWIM_SEAL_DROP_REPLAY);
    swim_seal_free(a);
    swim_seal_free(b);
}

static void wrap_too_small(void *context)
{
    uint8_t datagram[LEAST] = {0};
    uint8_t buf[SWIM_SEALED_MAX];

    (void)!swim_seal_wrap(context, datagram, LEAST - 1, buf, sizeof buf);
}

static void wrap_without_room(void *context)
{
    uint8_t datagram[LEAST] = {0};
    uint8_t buf[LEAST + SWIM_SEAL_OVERHEAD_2 - 1];

    (void)!swim_seal_wrap(context, datagram, LEAST, buf, sizeof buf);
}

static void new_of(void *context)
{
    (void)!swim_seal_new(context);
}

static void test_asserted(void **state)
{
    (void)state;
    struct swim_seal *seal = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 1);
    char too_long[SWIM_CLUSTER_MAX + 2];

    memset(too_long, 'x', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    assert_true(panics(wrap_too_small, seal));
    assert_true(panics(wrap_without_room, seal));
    config.cluster = too_long;
    assert_true(panics(new_of, &config));
    config = seal_config_of(SWIM_ENVELOPE_2, 1);
    config.start = SWIM_SEAL_START_MAX;
    assert_true(panics(new_of, &config));
    config = seal_config_of((enum swim_envelope)3, 1);
    assert_true(panics(new_of, &config));
    config = seal_config_of(SWIM_ENVELOPE_2, 1);
    config.members_max = SWIM_MEMBERS_MAX + 1;
    assert_true(panics(new_of, &config));
    swim_seal_free(seal);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(swim_seal_error_name(SWIM_SEAL_OK), "ok");
    assert_string_equal(swim_seal_error_name(SWIM_SEAL_DROP_REPLAY), "replay");
    assert_string_equal(swim_seal_error_name((enum swim_seal_error)SWIM_SEAL_ERROR_COUNT),
                        "unknown");
    assert_string_equal(swim_key_error_name(SWIM_KEY_OK), "ok");
    assert_string_equal(swim_key_error_name(SWIM_KEY_WEAK), "weak");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_nothing_is_readable),
        cmocka_unit_test(test_without_a_key),
        cmocka_unit_test(test_heard_once),
        cmocka_unit_test(test_admission_covers_the_past),
        cmocka_unit_test(test_admissions_cross),
        cmocka_unit_test(test_admission_of_the_fresh),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_sender_changes_its_id),
        cmocka_unit_test(test_clusters_stay_apart),
        cmocka_unit_test(test_envelopes_do_not_mix),
        cmocka_unit_test(test_numbers_run_out),
        cmocka_unit_test(test_eviction),
        cmocka_unit_test(test_asserted),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
