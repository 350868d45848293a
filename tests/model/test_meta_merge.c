/*
 * Versions of names and tags form a join: a total order in which equal keys are equal contents, so
 * that whatever comes in, in whatever order and however often, all keep the same. Every triple of a
 * domain with the extremes of each field, compared, and then heard by a member in every order.
 */
#include "../unit/support.h"

#include "../unit/harness.h"

#include "core/member.h"
#include "core/meta.h"
#include "core/meta_value.h"

static const uint32_t incarnations[] = {0, 1, UINT32_MAX};
static const uint32_t versions[] = {0, 1, UINT32_MAX};
static const uint64_t digests[] = {0, 1, UINT64_MAX};
enum { KEYS = 27 };

static struct wire_meta_key key_of(unsigned number)
{
    return (struct wire_meta_key){incarnations[number / 9], versions[number / 3 % 3],
                                  digests[number % 3]};
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void test_the_order_is_total(void **state)
{
    (void)state;
    for (unsigned a = 0; a < KEYS; a++) {
        for (unsigned b = 0; b < KEYS; b++) {
            struct wire_meta_key ka = key_of(a), kb = key_of(b);

            /* The numbers are in the order that the specification gives. */
            assert_int_equal(sign(meta_compare(&ka, &kb)), a < b ? -1 : a > b);
        }
    }
}

/* ---- As a member keeps them ---- */

/* Two incarnations, two versions, three contents. */
enum { SAID = 12 };

static struct swim_meta contents[3];

static struct said_meta said_of(unsigned number, uint64_t of)
{
    return (struct said_meta){of, number / 6, number / 3 % 2, &contents[number % 3]};
}

static struct wire_meta_key key_said(unsigned number)
{
    uint8_t content[WIRE_META_MAX];
    struct said_meta said = said_of(number, 2);

    return part_of(&said, 0, content).key;
}

static unsigned greatest(const unsigned *numbers, unsigned count)
{
    unsigned best = numbers[0];

    for (unsigned i = 1; i < count; i++) {
        struct wire_meta_key a = key_said(numbers[i]), b = key_said(best);

        if (meta_compare(&a, &b) > 0)
            best = numbers[i];
    }
    return best;
}

static void expect_held(const struct swim *s, uint64_t id, unsigned number)
{
    const struct said_meta wanted = said_of(number, id);
    struct swim_meta held;

    assert_true(swim_member_meta(s, id, &held));
    assert_int_equal(held.incarnation, wanted.incarnation);
    assert_int_equal(held.version, wanted.version);
    assert_true(swim_meta_equal(&held, wanted.meta));
}

/* Every triple is heard, in this order, about a member of its own; the first one again at the end. */
static void test_every_order_of_arrival(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;
    uint64_t id = 3;

    (void)state;
    contents[0] = meta_of("a", NULL, NULL);
    contents[1] = meta_of("b", "k", "v");
    contents[2] = meta_of("", NULL, NULL);
    config.members_max = 4096;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 2);
    for (unsigned a = 0; a < SAID; a++) {
        for (unsigned b = 0; b < SAID; b++) {
            for (unsigned c = 0; c < SAID; c++, id++) {
                const unsigned all[] = {a, b, c, a};

                hear_entry(s, START, 2, entry_of((uint32_t)id));
                for (unsigned i = 0; i < COUNT_OF(all); i++) {
                    struct said_meta said = said_of(all[i], id);

                    hear_meta(s, START, 2, &said);
                    expect_held(s, id, greatest(all, i + 1));
                }
                if (id % 64 == 0)
                    drain(s, START);
            }
        }
    }
    assert_int_equal(id - 3, SAID * SAID * SAID);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_is_total),
        cmocka_unit_test(test_every_order_of_arrival),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
