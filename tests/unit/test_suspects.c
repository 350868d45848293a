/* The heap of suspects (src/core/suspects.h), against a linear search. */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/member.h"
#include "core/suspects.h"

enum { OTHERS = 63 };

static struct swim *with_full_table(void)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    config.members_max = OTHERS + 1;
    s = member_begin(&config, START);
    hear_members(s, START, 2, OTHERS + 1);
    assert_int_equal(alive_count(s), OTHERS);
    return s;
}

static void set_status(struct swim *s, uint32_t slot, enum swim_status status)
{
    struct record record = member_at(s, slot)->record;

    record.status = (uint8_t)status;
    member_set(s, slot, &record);
}

/* Who ends first, and of several the lowest slot. */
static uint32_t model_first(const struct swim *s, const swim_time *dues)
{
    uint32_t best = 0;

    for (uint32_t slot = 2; slot <= OTHERS + 1; slot++) {
        if (member_at(s, slot)->record.status == SWIM_SUSPECT && (!best || dues[slot] < dues[best]))
            best = slot;
    }
    return best;
}

static void change(struct swim *s, struct prng *prng, swim_time *dues)
{
    uint32_t slot = 2 + prng_below(prng, OTHERS);

    if (member_at(s, slot)->record.status == SWIM_ALIVE) {
        set_status(s, slot, SWIM_SUSPECT);
        dues[slot] = prng_below(prng, 40);
        suspects_add(s, slot, dues[slot]);
    } else if (prng_below(prng, 3) == 0) {
        dues[slot] = prng_below(prng, 40);
        suspects_set_due(s, slot, dues[slot]);
    } else {
        suspects_remove(s, slot);
        set_status(s, slot, SWIM_ALIVE);
    }
}

static void test_random_against_model(void **state)
{
    struct swim *s = with_full_table();
    swim_time dues[OTHERS + 2] = {0};
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t step = 0; step < 20000; step++) {
        change(s, &prng, dues);
        assert_null(suspects_check(s));
        assert_int_equal(alive_count(s) + s->suspect_count, OTHERS);
        if (s->suspect_count > 0)
            assert_int_equal(suspects_at(s, 1), model_first(s, dues));
    }
    free(s);
}

/* A table of which everybody is doubted. */
static void test_everybody_is_suspect(void **state)
{
    struct swim *s = with_full_table();

    (void)state;
    for (uint32_t slot = 2; slot <= OTHERS + 1; slot++) {
        set_status(s, slot, SWIM_SUSPECT);
        suspects_add(s, slot, slot % 7);
        assert_int_equal(alive_count(s) + s->suspect_count, OTHERS);
    }
    for (swim_time last = 0; s->suspect_count > 0;) {
        uint32_t slot = suspects_at(s, 1);

        assert_true(suspects_due(s, slot) >= last);
        last = suspects_due(s, slot);
        suspects_remove(s, slot);
        set_status(s, slot, SWIM_ALIVE);
        assert_int_equal(alive_count(s) + s->suspect_count, OTHERS);
    }
    free(s);
}

static void test_check_sees_damage(void **state)
{
    struct swim *s = with_full_table();

    (void)state;
    for (uint32_t slot = 2; slot <= 10; slot++) {
        set_status(s, slot, SWIM_SUSPECT);
        suspects_add(s, slot, slot);
    }
    assert_null(suspects_check(s));
    fates_of(s)[2].due = 99;
    assert_non_null(suspects_check(s));
    fates_of(s)[2].due = 2;
    assert_null(suspects_check(s));
    doubts_of(s)[5].place++;
    assert_non_null(suspects_check(s));
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_model),
        cmocka_unit_test(test_everybody_is_suspect),
        cmocka_unit_test(test_check_sees_damage),
    };
    return cmocka_run_group_tests_name("suspects", tests, NULL, NULL);
}
