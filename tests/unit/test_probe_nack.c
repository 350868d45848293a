/*
 * NACKs (src/core/probe.h): what the intermediaries of a probe owe, and whose doubt it is when they say
 * nothing. Lifeguard section IV.A; docs/protocol.md section 5.
 */
#include "probing.h"

static struct probing begin_asking(uint32_t k, bool nack)
{
    struct swim_config config = config_of(1);

    config.indirect_k = k;
    config.nack = nack;
    return begin_with(&config, 12, false);
}

static struct message nack_of(const struct probing *p, uint32_t helper)
{
    return (struct message){.kind = WIRE_NACK,
                            .from = helper,
                            .has_probe = true,
                            .probe = p->sequence,
                            .has_on_behalf = true,
                            .on_behalf = p->target};
}

static void end_having_missed(struct probing *p, uint32_t missed)
{
    go_on(p->s, p->now + TIMEOUT);
    assert_int_equal(stats_of(p->s).nacks_missed, missed);
    assert_int_equal(stats_of(p->s).local_health, 1 + missed);
    end_suspected(p, true); /* a NACK says nothing for the target */
}

static void test_each_missing_nack_counts(void **state)
{
    (void)state;
    for (uint32_t said = 0; said <= 4; said++) {
        struct probing p = begin_asking(4, true);
        uint32_t helpers[16];

        assert_int_equal(time_out(&p, helpers), 4);
        for (uint32_t i = 0; i < said; i++) {
            struct message nack = nack_of(&p, helpers[3 - i]);

            assert_int_equal(hear(p.s, p.now + 400 * SWIM_MS, &nack), SWIM_OK);
            assert_int_equal(hear(p.s, p.now + 400 * SWIM_MS, &nack), SWIM_OK);
        }
        assert_int_equal(stats_of(p.s).nacks_recv, 2 * said);
        end_having_missed(&p, 4 - said);
    }
}

static void test_as_many_intermediaries_as_there_may_be(void **state)
{
    struct swim_config config = config_of(1);
    uint32_t helpers[16];
    struct probing p;

    (void)state;
    config.indirect_k = SWIM_INDIRECT_MAX;
    p = begin_with(&config, 30, false);
    assert_int_equal(time_out(&p, helpers), SWIM_INDIRECT_MAX);
    for (uint32_t i = 0; i < SWIM_INDIRECT_MAX; i += SWIM_INDIRECT_MAX - 1) {
        struct message nack = nack_of(&p, helpers[i]);

        assert_int_equal(hear(p.s, p.now, &nack), SWIM_OK);
    }
    go_on(p.s, p.now + TIMEOUT);
    assert_int_equal(stats_of(p.s).nacks_missed, SWIM_INDIRECT_MAX - 2);
    assert_int_equal(stats_of(p.s).local_health, SWIM_HEALTH_MAX);
    member_end(p.s);
}

static void test_what_is_no_nack(void **state)
{
    struct probing p = begin_asking(2, true);
    struct message early = nack_of(&p, p.target == 2 ? 3 : 2);
    struct message nacks[7];
    uint32_t helpers[16];
    uint32_t bystander = 2;

    (void)state;
    assert_int_equal(hear(p.s, p.now, &early), SWIM_OK); /* nobody was asked yet */
    assert_int_equal(time_out(&p, helpers), 2);
    while (bystander == p.target || bystander == helpers[0] || bystander == helpers[1])
        bystander++;
    for (unsigned i = 0; i < COUNT_OF(nacks); i++)
        nacks[i] = nack_of(&p, helpers[i % 2]);
    nacks[0].probe--;
    nacks[1].has_probe = false;
    nacks[2].has_on_behalf = false;
    nacks[3].on_behalf = bystander;
    nacks[4].from = bystander;
    nacks[5].from = p.target;
    nacks[6].from = 500; /* unknown till now */
    for (unsigned i = 0; i < COUNT_OF(nacks); i++)
        assert_int_equal(hear(p.s, p.now, &nacks[i]), SWIM_OK);
    end_having_missed(&p, 2);
}

static void test_who_owes_no_nack(void **state)
{
    struct probing plain = begin_plain(8);
    struct probing off = begin_asking(2, false);
    struct probing alone = begin_asking(0, true);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&plain, helpers), 2);
    end_having_missed(&plain, 0);
    assert_int_equal(time_out(&off, helpers), 2);
    end_having_missed(&off, 0);
    assert_int_equal(time_out(&alone, helpers), 0);
    end_having_missed(&alone, 0);
}

/* One answer settles what all of them owe. */
static void test_an_answer_settles_all_nacks(void **state)
{
    struct probing p = begin_asking(4, true);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 4);
    relayed(&p, helpers[2], p.sequence, p.target);
    go_on(p.s, p.now + TIMEOUT);
    assert_int_equal(stats_of(p.s).nacks_missed, 0);
    assert_int_equal(stats_of(p.s).local_health, 0);
    member_end(p.s);
}

/* What is owed for one probe is not owed for the next. */
static void test_debts_end_with_the_probe(void **state)
{
    struct probing p = begin_asking(4, true);
    uint32_t helpers[16];

    (void)state;
    assert_int_equal(time_out(&p, helpers), 4);
    p = next_probe(p.s, p.now);
    assert_int_equal(stats_of(p.s).nacks_missed, 4);
    ack_from(&p, p.now, p.target, p.sequence);
    p = next_probe(p.s, p.now);
    assert_int_equal(stats_of(p.s).nacks_missed, 4);
    member_end(p.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_missing_nack_counts),
        cmocka_unit_test(test_as_many_intermediaries_as_there_may_be),
        cmocka_unit_test(test_what_is_no_nack),
        cmocka_unit_test(test_who_owes_no_nack),
        cmocka_unit_test(test_an_answer_settles_all_nacks),
        cmocka_unit_test(test_debts_end_with_the_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
