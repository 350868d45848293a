/*
 * Members are made to send to a victim that is no member. What they send there is never more than
 * what came from there. docs/security.md, third parties; docs/protocol.md section 10.
 */
#include "attacker.h"

enum { NODES = 5 };

/* What members send to the victim of what is said in its place by somebody else. */
struct bill {
    uint64_t said;
    uint64_t answered;
};

static void start_bill(struct guarded *world, const struct swim_addr *victim)
{
    watch_victim(world, victim);
}

/* One datagram of this kind, to one member: the answer is at most one, and no larger. */
static void reflect_one(struct guarded *world, const struct swim_addr *victim, struct lie *lie,
                        struct bill *bill)
{
    size_t said;

    start_bill(world, victim);
    said = tell(world, victim, 0, lie);
    run_ms(world->sim, 3000);
    bill->said += said;
    bill->answered += world->victim_bytes;
    if (world->victim_bytes > said)
        fail_msg("%s: kind %u of %zu bytes is answered with %llu", mode_name(world->mode),
                 lie->header.kind, said, (unsigned long long)world->victim_bytes);
}

static void each_kind(struct guarded *world, const struct swim_addr *victim, uint64_t sender,
                      struct bill *bill)
{
    for (unsigned i = 0; i < 8 * 2 * 2 * 2 * 2; i++) {
        struct lie lie = {.header = {.kind = (uint8_t)(1 + i / 16),
                                     .flags = i & 1 ? WIRE_FLAG_REQUEST_ACK : 0,
                                     .sender_id = sender,
                                     .heartbeat = i & 8 ? 1000000 : 0,
                                     .incarnation = i & 8},
                          .is_plain = i & 2,
                          .is_padded = (i & 6) == 4};
        struct wire_entry entry = held_by(world, 0, id_of(world, 3));

        if (lie.header.kind > WIRE_ANTI_ENTROPY && lie.is_plain)
            continue;
        if (lie.header.kind == WIRE_PING_REQ) {
            lie.target = id_of(world, 2);
        } else if ((i & 6) == 6 && lie.header.kind != WIRE_LEAVE) {
            entry.status = SWIM_SUSPECT;
            lie.entries = &entry;
            lie.count = 1;
        }
        reflect_one(world, victim, &lie, bill);
    }
}

/* Of every kind, capable and plain, short and long, with wrong entries and without, under a new id
 * and under that of a member. */
static void every_kind_with_a_forged_source(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = guarded_settled(__func__, mode, NODES);
        struct swim_addr victim = make_addr(77, 5353);
        struct bill bill = {0};
        struct picture before;

        picture_take(world, &before);
        each_kind(world, &victim, 4242424242, &bill);
        each_kind(world, &victim, id_of(world, 3), &bill);
        printf("    %llu bytes said, %llu answered\n", (unsigned long long)bill.said,
               (unsigned long long)bill.answered);
        assert_true((bill.answered > 0) == (mode == PLAINTEXT));
        expect_picture(world, &before, true);
        guarded_end(world);
    }
}

/* A thousand a second for ten seconds, to all: in no second is more answered than was said. */
static void a_flood_with_a_forged_source(void **state)
{
    (void)state;
    for (unsigned is_plain = 0; is_plain < 2; is_plain++) {
        FOR_EACH_MODE(mode)
        {
            struct guarded *world = guarded_settled(__func__, mode, NODES);
            struct swim_addr victim = make_addr(77, 5353);
            struct wire_entry room[2] = {{.status = 255, .addr.family = 4},
                                         {.status = 255, .addr.family = 4}};
            struct lie lie = {
                .header.kind = WIRE_PING, .is_plain = is_plain, .entries = room, .count = 2};
            struct bill bill = {0};

            for (uint32_t second = 0; second < 30; second++) {
                uint64_t said = 0;

                start_bill(world, &victim);
                for (uint32_t i = 0; second < 10 && i < 1000; i++) {
                    lie.header.sender_id = 1000000 + i % 700;
                    said += tell(world, &victim, i % NODES, &lie);
                    if (i % 10 == 0)
                        run_ms(world->sim, 10);
                }
                if (second >= 10)
                    run_ms(world->sim, 1000);
                run_ms(world->sim, 2); /* what is on its way */
                assert_true(world->victim_bytes <= said);
                bill.said += said;
                bill.answered += world->victim_bytes;
            }
            printf("    %llu bytes said, %llu answered\n", (unsigned long long)bill.said,
                   (unsigned long long)bill.answered);
            expect_guarded(world, 0);
            guarded_end(world);
        }
    }
}

/* A recording of members' datagrams, which do open, is sent from the victim's address. */
static void a_recording_with_a_forged_source(void **state)
{
    (void)state;
    FOR_EACH_MODE(mode)
    {
        struct guarded *world = guarded_new(__func__, mode, NODES, 256);
        struct swim_addr victim = make_addr(77, 5353);
        struct bill bill = {0};

        world->is_recording = true;
        guarded_settle(world);
        world->is_recording = false;
        for (uint32_t round = 0; round < 2; round++) {
            for (size_t i = 0; i < world->tape_count; i++) {
                struct replay one = {
                    .begin = i, .end = i + 1, .other = &victim, .only = SIM_NOBODY};

                start_bill(world, &victim);
                replay(world, &one);
                run_ms(world->sim, 20);
                assert_true(world->victim_bytes <= world->tape[i].size);
                bill.said += world->tape[i].size;
                bill.answered += world->victim_bytes;
            }
            /* And to somebody who has no windows. */
            guarded_restart(world, 1, RESTART_NEW_ID);
            guarded_restart(world, 2, RESTART_SAME_ID);
        }
        printf("    %llu bytes said, %llu answered\n", (unsigned long long)bill.said,
               (unsigned long long)bill.answered);
        run_ms(world->sim, 60000);
        expect_guarded(world, 0);
        guarded_end(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_with_a_forged_source),
        cmocka_unit_test(a_flood_with_a_forged_source),
        cmocka_unit_test(a_recording_with_a_forged_source),
    };

    return cmocka_run_group_tests_name("attack_reflection", tests, NULL, NULL);
}
