/*
 * The live members (src/core/live.h): under random use, against a model of who is yet to be probed in
 * this pass, and who is alive; the order of probes and the samples are random as they should be.
 */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/live.h"
#include "core/member.h"

#include <string.h>

enum { POOL = 40 }; /* numbers 2 .. POOL + 1 come and go */

/* With 9 degrees of freedom, exceeded once in 2 * 10^9 times, whatever the seed. */
#define CHI_SQUARE_9 62

static void assert_uniform(const uint32_t counts[10])
{
    double sum = 0;
    double total = 0;

    for (uint32_t i = 0; i < 10; i++)
        total += counts[i];
    for (uint32_t i = 0; i < 10; i++) {
        double off = counts[i] - total / 10;

        sum += off * off / (total / 10);
    }
    assert_true(sum < CHI_SQUARE_9);
}

static void set_status(struct swim *s, uint32_t number, enum swim_status status)
{
    struct record record = {.id = number, .status = (uint8_t)status, .addr = addr4(number)};
    uint32_t slot = member_find(s, number);

    if (slot)
        member_set(s, slot, &record);
    else
        assert_true(member_add(s, &record) != 0);
}

/* Numbers 2 .. last, of whom those below `suspects` + 2 are suspect. No timer runs for these. */
static struct swim *with_members(uint32_t last, uint32_t suspects, uint64_t seed)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    config.seed = seed;
    config.members_max = 64;
    s = member_begin(&config, START);
    for (uint32_t number = 2; number <= last; number++)
        set_status(s, number, number < suspects + 2 ? SWIM_SUSPECT : SWIM_ALIVE);
    return s;
}

static uint32_t number_of(const struct swim *s, uint32_t slot)
{
    return (uint32_t)member_at(s, slot)->record.id;
}

static uint32_t next_probe(struct swim *s)
{
    return number_of(s, live_next_probe(s));
}

/* ---- Against a model ---- */

struct model {
    uint32_t waiting; /* how many are */
    bool is_live[POOL + 2], is_waiting[POOL + 2];
};

static void model_probe(struct model *model, struct swim *s)
{
    uint32_t number;

    if (live_count(s) == 0) {
        assert_int_equal(live_next_probe(s), 0);
        return;
    }
    number = next_probe(s);
    if (model->waiting == 0) { /* a new pass: it is everybody's turn once more */
        memcpy(model->is_waiting, model->is_live, sizeof model->is_live);
        model->waiting = live_count(s);
    }
    assert_true(model->is_waiting[number]);
    model->is_waiting[number] = false;
    model->waiting--;
}

/* Which turn a newcomer gets is chance, so it is asked for; nobody else's may change with it. */
static void model_set(struct model *model, struct swim *s, uint32_t number, enum swim_status status)
{
    uint32_t before = live_unprobed(s);
    bool live = !is_terminal((uint8_t)status);

    set_status(s, number, status);
    if (live && !model->is_live[number])
        model->is_waiting[number] = live_unprobed(s) == before + 1;
    else if (!live)
        model->is_waiting[number] = false;
    model->is_live[number] = live;
    model->waiting = 0;
    for (uint32_t i = 2; i < POOL + 2; i++)
        model->waiting += model->is_waiting[i];
}

/* Everybody who is alive is in a sample that is large enough, but who is left out; and nobody else. */
static void assert_samples(struct swim *s, struct prng *prng)
{
    uint32_t except = member_find(s, 2 + prng_below(prng, POOL));
    uint32_t slots[POOL];
    uint32_t found = live_sample_alive(s, POOL, except, slots);
    bool is_found[POOL + 3] = {false};

    for (uint32_t i = 0; i < found; i++) {
        assert_int_equal(member_at(s, slots[i])->record.status, SWIM_ALIVE);
        assert_true(slots[i] != except && !is_found[slots[i]]);
        is_found[slots[i]] = true;
    }
    assert_int_equal(found, alive_count(s) -
                                (except && member_at(s, except)->record.status == SWIM_ALIVE));
    assert_int_equal(live_sample(s, POOL, slots), live_count(s));
}

static void test_random_use(void **state)
{
    struct swim *s = with_members(1, 0, test_seed(__func__));
    struct model model = {0};
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t i = 0; i < 40000; i++) {
        /* Phases in which most live, or die. */
        uint32_t kinds = i / 1000 % 2 ? SWIM_STATUS_COUNT : SWIM_DEAD + 1;

        if (prng_below(&prng, 3))
            model_probe(&model, s);
        else
            model_set(&model, s, 2 + prng_below(&prng, POOL),
                      (enum swim_status)(prng_below(&prng, 4 * kinds) % kinds));
        assert_null(live_check(s));
        assert_int_equal(live_unprobed(s), model.waiting);
        if (i % 10 == 0) {
            assert_samples(s, &prng);
            assert_null(live_check(s));
        }
    }
    free(s);
}

static void test_check_sees_damage(void **state)
{
    struct swim *s = with_members(11, 3, test_seed(__func__));
    uint32_t first = live_of(s)[1];

    (void)state;
    assert_null(live_check(s));
    members_of(s)[first].place++;
    assert_non_null(live_check(s));
    members_of(s)[first].place--;
    members_of(s)[first].record.status ^= SWIM_SUSPECT;
    assert_non_null(live_check(s));
    members_of(s)[first].record.status ^= SWIM_SUSPECT;
    assert_null(live_check(s));
    s->live_ends[1] = s->live_ends[2] + 1;
    assert_non_null(live_check(s));
    free(s);
}

/* ---- The order of probes ---- */

static void test_each_pass_visits_everybody_once(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 10, 57};

    (void)state;
    for (unsigned k = 0; k < COUNT_OF(sizes); k++) {
        uint32_t n = sizes[k];
        struct swim *s = with_members(n + 1, n / 3, test_seed(__func__));
        uint32_t last_visit[64] = {0};

        for (uint32_t round = 1; round <= 200 * n;) {
            bool seen[64] = {false};

            for (uint32_t i = 0; i < n; i++, round++) {
                uint32_t number = next_probe(s);

                assert_in_range(number, 2, n + 1);
                assert_false(seen[number]);
                seen[number] = true;
                if (last_visit[number])
                    assert_true(round - last_visit[number] <= 2 * n - 1);
                last_visit[number] = round;
            }
        }
        free(s);
    }
}

/* Members come and go: whoever stays is still visited within 2n - 1 rounds of the largest n. */
static void test_waiting_is_bounded_under_churn(void **state)
{
    enum { STAYING = 10, COMING = 30, N = STAYING + COMING };
    struct swim *s = with_members(STAYING + 1, 3, test_seed(__func__));
    uint32_t last_visit[N + 2] = {0};
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t round = 1; round <= 20000; round++) {
        last_visit[next_probe(s)] = round;
        for (uint32_t stays = 2; stays < STAYING + 2; stays++)
            assert_true(round - last_visit[stays] <= 2 * N - 1);
        set_status(s, STAYING + 2 + prng_below(&prng, COMING),
                   (enum swim_status)prng_below(&prng, SWIM_DEAD + 1));
        set_status(s, 2 + prng_below(&prng, STAYING),
                   prng_below(&prng, 2) ? SWIM_ALIVE : SWIM_SUSPECT);
    }
    free(s);
}

static void test_probe_order_is_uniform(void **state)
{
    struct swim *s = with_members(11, 3, test_seed(__func__));
    uint32_t counts[10][10] = {{0}}; /* by place in the pass, by member */

    (void)state;
    for (uint32_t pass = 0; pass < 20000; pass++) {
        for (uint32_t place = 0; place < 10; place++)
            counts[place][next_probe(s) - 2]++;
    }
    for (uint32_t place = 0; place < 10; place++)
        assert_uniform(counts[place]);
    free(s);
}

/* Places are uniform as well where each second pass is the one before it turned about. But who comes
 * when, and after whom, tells nothing of the next pass, whoever is doubted meanwhile. */
static void test_passes_are_independent(void **state)
{
    struct swim *s = with_members(11, 3, test_seed(__func__));
    uint32_t places[10][10] = {{0}};    /* by place in the pass before, by place */
    uint32_t followers[10][10] = {{0}}; /* by member, by who comes next; itself: nobody */
    uint32_t before[10] = {0};
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t pass = 0; pass < 20000; pass++) {
        uint32_t last = 0;

        for (uint32_t place = 0; place < 10; place++) {
            uint32_t member = next_probe(s) - 2;

            if (pass > 0)
                places[before[member]][place]++;
            if (place > 0)
                followers[last][member]++;
            before[member] = place;
            last = member;
            set_status(s, 2 + prng_below(&prng, 10),
                       prng_below(&prng, 3) ? SWIM_ALIVE : SWIM_SUSPECT);
        }
        followers[last][last]++;
    }
    for (uint32_t i = 0; i < 10; i++) {
        assert_uniform(places[i]);
        assert_uniform(followers[i]);
    }
    free(s);
}

/* A newcomer's first turn is as likely to be in any of the places: of eleven, five were passed. */
static void test_newcomers_enter_at_a_random_place(void **state)
{
    enum { RUNS = 20000, NEWCOMER = 12 };
    uint32_t counts[6] = {0}; /* by the turns that remain of this pass */
    struct swim *s = with_members(NEWCOMER - 1, 3, test_seed(__func__));
    uint32_t later = 0;

    (void)state;
    for (uint32_t run = 0; run < RUNS; run++) {
        bool had_turn = false;
        uint32_t turn = 0;

        for (uint32_t i = 0; i < 5; i++)
            live_next_probe(s);
        set_status(s, NEWCOMER, run % 2 ? SWIM_ALIVE : SWIM_SUSPECT);
        while (!had_turn && live_unprobed(s) > 0) {
            had_turn = next_probe(s) == NEWCOMER;
            turn += !had_turn;
        }
        if (had_turn)
            counts[turn]++;
        else
            later++;
        set_status(s, NEWCOMER, SWIM_DEAD);
        while (live_unprobed(s) > 0)
            live_next_probe(s);
    }
    /* 5 of 11 are later: 9,091 of 20,000, with a deviation of 70; each of the six turns gets 1,818. */
    assert_in_range(later, 9091 - 6 * 70, 9091 + 6 * 70);
    for (uint32_t turn = 0; turn < 6; turn++)
        assert_in_range(counts[turn], 1818 - 6 * 41, 1818 + 6 * 41);
    free(s);
}

/* ---- Samples ---- */

/* In the middle of a pass, at any place of the sample. */
static void assert_samples_are_uniform(struct swim *s, uint32_t size, uint32_t first)
{
    uint32_t live[10][10] = {{0}}; /* by place in the sample */
    uint32_t alive[10][10] = {{0}};

    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t slots[10];

        assert_int_equal(live_sample(s, size, slots), size);
        for (uint32_t j = 0; j < size; j++)
            live[j][(number_of(s, slots[j]) - first) % 10]++;
        assert_int_equal(live_sample_alive(s, size, member_find(s, first + 10), slots), size);
        for (uint32_t j = 0; j < size; j++)
            alive[j][number_of(s, slots[j]) - first]++;
        if (i % 4 == 0)
            live_next_probe(s);
    }
    for (uint32_t place = 0; place < size; place++) {
        if (live_count(s) == 10)
            assert_uniform(live[place]);
        assert_uniform(alive[place]);
    }
}

static void test_samples_are_uniform(void **state)
{
    (void)state;
    for (uint32_t size = 1; size <= 10; size += 3) { /* all of them, too */
        struct swim *ten = with_members(11, 0, test_seed(__func__));
        struct swim *more = with_members(16, 4, test_seed(__func__)); /* 6 .. 15, less 16 */

        assert_samples_are_uniform(ten, size, 2);
        assert_samples_are_uniform(more, size, 6);
        free(ten);
        free(more);
    }
}

static void test_samples_leave_out(void **state)
{
    struct swim *s = with_members(6, 1, test_seed(__func__));
    uint32_t slots[10];

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t size = i % 5;
        uint32_t found = live_sample_alive(s, size, member_find(s, 4), slots);

        assert_int_equal(found, size < 3 ? size : 3); /* 3, 5 and 6 */
        for (uint32_t j = 0; j < found; j++) {
            assert_true(number_of(s, slots[j]) != 2 && number_of(s, slots[j]) != 4);
            for (uint32_t k = 0; k < j; k++)
                assert_true(slots[j] != slots[k]);
        }
        live_next_probe(s);
    }
    assert_int_equal(live_sample_alive(s, 10, 0, slots), 4);
    assert_int_equal(live_sample_alive(s, 10, member_find(s, 2), slots), 4); /* suspect anyway */
    assert_int_equal(live_sample(s, 10, slots), 5);                          /* suspects are live */
    assert_int_equal(live_sample(s, 0, slots), 0);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_check_sees_damage),
        cmocka_unit_test(test_each_pass_visits_everybody_once),
        cmocka_unit_test(test_waiting_is_bounded_under_churn),
        cmocka_unit_test(test_probe_order_is_uniform),
        cmocka_unit_test(test_passes_are_independent),
        cmocka_unit_test(test_newcomers_enter_at_a_random_place),
        cmocka_unit_test(test_samples_are_uniform),
        cmocka_unit_test(test_samples_leave_out),
    };

    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
