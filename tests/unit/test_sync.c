/*
 * Anti-entropy (src/core/sync.h and job.h): when two members synchronise, what goes over the
 * wire when they do, and how whole tables are pushed. docs/protocol.md section 8.
 */
#include "support.h"

#include "harness.h"

#include "base/hash.h"
#include "core/member.h"
#include "core/sync.h"

enum { A = 1, B = 2, CHUNK_BURST = 32 };

typedef struct swim_addr (*home_fn)(uint32_t number);

static struct swim_addr mixed(uint32_t number)
{
    return number % 3 ? addr4(number) : addr6(number);
}

static struct swim *new_member(uint32_t number, uint32_t members_max, home_fn home)
{
    struct swim_config config = quiet_config_of(number);

    config.anti_entropy_interval_ms = 10000;
    config.members_max = members_max;
    config.addr = home(number);
    return member_begin(&config, START);
}

/* Hears of first .. last from A or B, whichever `s` is not. */
static void hear_of(struct swim *s, swim_time now, uint32_t teller, uint32_t first, uint32_t last,
                    home_fn home)
{
    struct wire_entry entries[30];
    struct message gossip = {
        .kind = WIRE_GOSSIP, .from = teller, .at = home(teller), .entries = entries};

    while (first <= last) {
        for (gossip.entry_count = 0; gossip.entry_count < 30 && first <= last; first++) {
            entries[gossip.entry_count] = entry_of(first);
            entries[gossip.entry_count++].addr = home(first);
        }
        assert_int_equal(hear(s, now, &gossip), SWIM_OK);
        drain(s, now);
    }
}

/* A PING of `from`'s, with its view. */
static void ping_with_view(struct swim *to, const struct swim *from, swim_time now)
{
    struct swim_member self = {0};
    struct message ping = {.kind = WIRE_PING, .has_probe = true, .has_view = true};

    assert_true(swim_member_at(from, 0, &self));
    ping.from = self.id;
    ping.at = self.addr;
    ping.incarnation = self.incarnation;
    ping.heartbeat = 1;
    ping.view_digest = swim_view_digest(from);
    ping.view_count = cluster_size(from);
    assert_int_equal(hear(to, now, &ping), SWIM_OK);
}

static void deliver(struct swim *to, const struct swim *from, swim_time now,
                    const struct sent *sent)
{
    struct swim_member self = {0};

    assert_true(swim_member_at(from, 0, &self));
    if (swim_receive(to, now, &self.addr, sent->bytes, sent->size) == SWIM_OK)
        return;
    /* It has to be met first; elsewhere it is tested how. */
    struct message hello = {.kind = WIRE_GOSSIP, .from = self.id, .at = self.addr};

    assert_int_equal(hear(to, now, &hello), SWIM_OK);
    assert_int_equal(swim_receive(to, now, &self.addr, sent->bytes, sent->size), SWIM_OK);
}

/* Two members that know 1 .. 500, but for five of which one or the other has not heard, and
 * have nothing to say to anybody. */
struct pair {
    struct swim *a, *b;
    swim_time now;
};

static bool is_missing_in_b(uint64_t id)
{
    return id == 301 || id == 302;
}

static struct pair begin_pair(void)
{
    struct pair p = {new_member(A, 1024, addr4), new_member(B, 1024, addr4), START};
    swim_time quiet = START + 120000 * SWIM_MS;

    hear_of(p.a, START, B, B, 400, addr4);
    hear_of(p.a, START, B, 404, 500, addr4);
    hear_of(p.b, START, A, A, 300, addr4);
    hear_of(p.b, START, A, 303, 500, addr4);
    settle(p.a, START, quiet);
    settle(p.b, START, quiet);
    p.now = quiet;
    swim_advance(p.a, quiet);
    swim_advance(p.b, quiet);
    drain(p.a, quiet);
    drain(p.b, quiet);
    assert_true(swim_view_digest(p.a) != swim_view_digest(p.b));
    return p;
}

static void end_pair(struct pair *p)
{
    member_end(p->a);
    member_end(p->b);
}

static bool in_mask(const struct sent *reply, uint64_t id)
{
    unsigned bits = reply->dg.buckets[1];
    uint32_t bucket = (uint32_t)hash_u64(id) & ((1u << bits) - 1);

    return reply->dg.buckets[SYNC_VALUE_HEADER + bucket / 8] >> bucket % 8 & 1;
}

/* The next SYNC of a phase; the other side may begin one of its own meanwhile. */
static bool next_sync(struct swim *s, swim_time now, uint8_t phase, struct sent *ret)
{
    while (next_sent_of(s, now, WIRE_SYNC, ret)) {
        assert_non_null(ret->dg.buckets);
        assert_true(ret->size <= 1200);
        if (ret->dg.buckets[0] == phase)
            return true;
    }
    return false;
}

/* Carries a synchronisation that `p->a` has been made to ask for to its end. */
static void exchange(struct pair *p, uint32_t *ret_replied, uint32_t *ret_returned)
{
    struct wire_entry entry;
    struct sent sent;

    *ret_replied = *ret_returned = 0;
    assert_true(next_sync(p->a, p->now, SYNC_REQUEST, &sent));
    assert_int_equal(sent.dg.entry_count, 0);
    deliver(p->b, p->a, p->now, &sent);
    while (next_sync(p->b, p->now, SYNC_REPLY, &sent)) {
        struct reader entries = sent.dg.entries;

        while (wire_next_entry(&entries, &entry)) {
            assert_true(in_mask(&sent, entry.id));
            ++*ret_replied;
        }
        deliver(p->a, p->b, p->now, &sent);
    }
    while (next_sync(p->a, p->now, SYNC_RETURN, &sent)) {
        struct reader entries = sent.dg.entries;

        while (wire_next_entry(&entries, &entry)) {
            /* What the reply did not show; our own record it can't mark. */
            assert_true(is_missing_in_b(entry.id) || entry.id == A);
            ++*ret_returned;
        }
        deliver(p->b, p->a, p->now, &sent);
    }
}

static void test_only_what_differs_is_exchanged(void **state)
{
    struct pair p = begin_pair();
    struct swim_stats a = stats_of(p.a), b = stats_of(p.b); /* learning of all they asked, too */
    uint32_t replied, returned;

    (void)state;
    ping_with_view(p.a, p.b, p.now);
    exchange(&p, &replied, &returned);
    assert_in_range(replied, 3, 50); /* at most five buckets of four or so, of 500 members */
    assert_in_range(returned, 2, 3);
    assert_true(swim_view_digest(p.a) == swim_view_digest(p.b));
    assert_int_equal(swim_member_count(p.a, SWIM_ALIVE), 500);
    assert_int_equal(swim_member_count(p.b, SWIM_ALIVE), 500);
    assert_int_equal(stats_of(p.a).syncs_started, a.syncs_started + 1);
    assert_true(stats_of(p.a).sync_bytes_sent > a.sync_bytes_sent);
    assert_int_equal(stats_of(p.a).sync_bytes_sent - a.sync_bytes_sent,
                     stats_of(p.b).sync_bytes_recv - b.sync_bytes_recv);
    assert_int_equal(stats_of(p.b).sync_bytes_sent - b.sync_bytes_sent,
                     stats_of(p.a).sync_bytes_recv - a.sync_bytes_recv);
    assert_true(stats_of(p.a).sync_bytes_sent < stats_of(p.a).bytes_sent);
    end_pair(&p);
}

static void test_equal_views_exchange_nothing(void **state)
{
    struct pair p = begin_pair();
    uint32_t replied, returned;
    struct swim_stats before;
    struct sent sent;

    (void)state;
    ping_with_view(p.a, p.b, p.now);
    exchange(&p, &replied, &returned);
    p.now += 120000 * SWIM_MS;
    settle(p.a, p.a->now, p.now);
    settle(p.b, p.b->now, p.now);
    drain(p.a, p.now);
    before = stats_of(p.a);
    ping_with_view(p.a, p.b, p.now);
    assert_false(next_sent_of(p.a, p.now, WIRE_SYNC, &sent));
    assert_int_equal(stats_of(p.a).digests_equal, before.digests_equal + 1);
    assert_int_equal(stats_of(p.a).digests_different, before.digests_different);
    assert_true(before.view_differs_ns >= 120000 * SWIM_MS); /* since they compared the last time */
    assert_true(stats_of(p.a).view_differs_ns == 0);
    end_pair(&p);
}

/* A request that finds no difference any more gets no reply. */
static void test_a_request_without_difference_is_not_answered(void **state)
{
    struct pair p = begin_pair();
    struct sent sent;

    (void)state;
    ping_with_view(p.a, p.b, p.now);
    assert_true(next_sync(p.a, p.now, SYNC_REQUEST, &sent));
    hear_of(p.b, p.now, A, 301, 302, addr4);
    hear_of(p.a, p.now, B, 401, 403, addr4);
    assert_true(swim_view_digest(p.a) == swim_view_digest(p.b));
    p.now += 60000 * SWIM_MS;
    settle(p.a, p.a->now, p.now);
    settle(p.b, p.b->now, p.now);
    swim_advance(p.a, p.now);
    drain(p.a, p.now);
    sync_ask(p.a, member_find(p.a, B));
    assert_true(next_sync(p.a, p.now, SYNC_REQUEST, &sent));
    deliver(p.b, p.a, p.now, &sent);
    assert_false(next_sent_of(p.b, p.now, WIRE_SYNC, &sent));
    end_pair(&p);
}

/* News under way explains a difference: dissemination has its time first. */
static void test_a_recent_change_is_given_time(void **state)
{
    struct pair p = begin_pair();
    struct wire_entry entry = entry_of(450);
    struct sent sent;

    (void)state;
    entry.incarnation = 1;
    hear_entry(p.a, p.now, B, entry);
    ping_with_view(p.a, p.b, p.now);
    assert_false(next_sent_of(p.a, p.now, WIRE_SYNC, &sent));
    settle(p.a, p.now, p.now + sync_settling_time(p.a) - 1);
    p.now += sync_settling_time(p.a);
    ping_with_view(p.a, p.b, p.now);
    assert_true(next_sync(p.a, p.now, SYNC_REQUEST, &sent));
    /* And one at a time. */
    ping_with_view(p.a, p.b, p.now + SWIM_MS);
    assert_false(next_sent_of(p.a, p.now + SWIM_MS, WIRE_SYNC, &sent));
    end_pair(&p);
}

/* Runs `p->a` on news alone, without a view, until it asks for a synchronisation, or to `until`. */
static bool asks_on_news(struct pair *p, uint32_t *incarnation, swim_time until)
{
    struct wire_entry entry = entry_of(450);
    struct sent sent;

    for (; p->now <= until; p->now += 10 * SWIM_MS) {
        entry.incarnation = ++*incarnation;
        hear_entry(p->a, p->now, B, entry);
        swim_advance(p->a, p->now);
        if (next_sync(p->a, p->now, SYNC_REQUEST, &sent))
            return true;
    }
    return false;
}

/* Where much is lost, the view that would be the occasion to ask again is, too. A round of gossip is one
 * as well, if views are known to differ, and as late and as seldom. */
static void test_gossip_asks_without_a_view(void **state)
{
    struct pair p = begin_pair();
    swim_time settling = sync_settling_time(p.a);
    swim_time round = ms(p.a->config.gossip_interval_ms);
    uint32_t incarnation = 0;
    swim_time differs;

    (void)state;
    assert_false(asks_on_news(&p, &incarnation, p.now + 20 * settling)); /* nobody differs */
    differs = p.now;
    ping_with_view(p.a, p.b, differs);
    assert_false(asks_on_news(&p, &incarnation, differs + 2 * settling - 1));
    assert_true(asks_on_news(&p, &incarnation, differs + 2 * settling + round));
    assert_false(asks_on_news(&p, &incarnation, p.now + settling - 1));
    assert_true(asks_on_news(&p, &incarnation, p.now + settling + round));
    end_pair(&p);
}

/* A long disagreement makes the requests rare; one agreement ends the wait with its cause. */
static void test_the_back_off_ends_with_agreement(void **state)
{
    struct pair p = begin_pair();
    struct message ping = {.kind = WIRE_PING,
                           .from = B,
                           .heartbeat = 1,
                           .has_probe = true,
                           .has_view = true,
                           .view_digest = 1,
                           .view_count = 900};
    struct sent sent;
    bool has_asked = false;

    (void)state;
    for (unsigned second = 0; second < 120 || !has_asked; second++) {
        p.now += 1000 * SWIM_MS;
        has_asked = false;
        assert_int_equal(hear(p.a, p.now, &ping), SWIM_OK);
        while (next_sync(p.a, p.now, SYNC_REQUEST, &sent))
            has_asked = true;
    }
    /* Nobody ever answered. */
    assert_int_equal(p.a->sync_allowed, p.now + 2 * sync_settling_time(p.a));
    ping.view_digest = swim_view_digest(p.a);
    assert_int_equal(hear(p.a, p.now, &ping), SWIM_OK);
    ping.view_digest = 1;
    p.now += sync_settling_time(p.a);
    assert_int_equal(hear(p.a, p.now, &ping), SWIM_OK);
    assert_true(next_sync(p.a, p.now, SYNC_REQUEST, &sent));
    end_pair(&p);
}

/* Where more is missing than news can account for, nobody waits. */
static void test_tables_far_apart_do_not_wait(void **state)
{
    struct pair p = begin_pair();
    struct message ping = {.kind = WIRE_PING,
                           .from = B,
                           .heartbeat = 1,
                           .has_probe = true,
                           .has_view = true,
                           .view_digest = 1,
                           .view_count = 900};
    struct wire_entry entry = entry_of(450);
    struct sent sent;

    (void)state;
    entry.incarnation = 1;
    hear_entry(p.a, p.now, B, entry);
    assert_int_equal(hear(p.a, p.now, &ping), SWIM_OK);
    assert_true(next_sync(p.a, p.now, SYNC_REQUEST, &sent));
    end_pair(&p);
}

static void test_switched_off_it_neither_asks_nor_answers(void **state)
{
    struct pair p = begin_pair();
    struct sent sent;

    (void)state;
    p.a->config.anti_entropy_interval_ms = 0;
    ping_with_view(p.a, p.b, p.now);
    assert_false(next_sent_of(p.a, p.now, WIRE_SYNC, &sent));
    ping_with_view(p.b, p.a, p.now);
    assert_true(next_sync(p.b, p.now, SYNC_REQUEST, &sent));
    deliver(p.a, p.b, p.now, &sent);
    assert_false(next_sent_of(p.a, p.now, WIRE_SYNC, &sent));
    end_pair(&p);
}

/* A reply that nobody asked for, or that comes too late, is merged and not returned to. */
static void test_a_reply_out_of_turn_is_not_returned_to(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        struct pair p = begin_pair();
        struct sent sent;

        ping_with_view(p.a, p.b, p.now);
        assert_true(next_sync(p.a, p.now, SYNC_REQUEST, &sent));
        deliver(p.b, p.a, p.now, &sent);
        assert_true(next_sync(p.b, p.now, SYNC_REPLY, &sent));
        if (late)
            p.now += 5001 * SWIM_MS;
        else
            p.a->session.owed = 0;
        deliver(p.a, p.b, p.now, &sent);
        assert_int_equal(swim_member_count(p.a, SWIM_ALIVE), 500);
        assert_false(next_sync(p.a, p.now, SYNC_RETURN, &sent));
        end_pair(&p);
    }
}

static void test_malformed_records_are_dropped(void **state)
{
    struct swim *s = new_member(A, 16, addr4);
    uint8_t value[2048] = {0};

    (void)state;
    hear_members(s, START, B, B);
    assert_int_equal(hear_buckets(s, START, B, NULL, 0), SWIM_DROP_PAYLOAD);
    for (uint8_t phase = 0; phase <= 4; phase++) {
        for (uint8_t bits = 0; bits <= 9; bits++) {
            uint32_t request = 3u + (4u << bits);
            uint32_t reply = 3u + (bits < 3 ? 1u : 1u << (bits - 3));
            uint32_t right = phase == 1 ? request : phase == 2 ? reply : 3u;
            bool is_right = phase >= 1 && phase <= 3 && bits <= 8;

            value[0] = phase;
            value[1] = bits;
            if (right > 1300)
                continue; /* more than a datagram holds */
            assert_int_equal(hear_buckets(s, START, B, value, (uint16_t)right),
                             is_right ? SWIM_OK : SWIM_DROP_PAYLOAD);
            assert_int_equal(hear_buckets(s, START, B, value, (uint16_t)(right + 1)),
                             SWIM_DROP_PAYLOAD);
            assert_int_equal(hear_buckets(s, START, B, value, (uint16_t)(right - 1)),
                             SWIM_DROP_PAYLOAD);
            drain(s, START);
        }
    }
    assert_true(stats_of(s).drop_payload > 60);
    member_end(s);
}

/* ---- Pushes ---- */

/* What was pushed. */
struct push {
    uint32_t chunks;  /* datagrams */
    uint32_t at_once; /* of them at the first instant */
    uint32_t entries;
    swim_time took;
    uint32_t later_at_once; /* the most, after the beginning */
};

/* A newcomer, number `members` + 1, pings; everything it is pushed goes to `receiver`. The host is
 * `late` for each deadline. */
static struct push push(struct swim *s, struct swim *receiver, uint32_t members, bool is_plain,
                        swim_time late)
{
    struct swim_addr home;
    struct message ping = {.kind = WIRE_PING, .from = members + 1, .plain = is_plain};
    swim_time pause = is_plain ? 40 * SWIM_MS : 2 * SWIM_MS;
    swim_time began = s->now;
    swim_time now = s->now;
    struct push push = {0};
    struct swim_member self = {0};
    uint16_t announced = 0;
    uint64_t version = 0;
    uint32_t at_once = 0;
    swim_time last = 0;
    struct sent sent;

    assert_true(swim_member_at(receiver, 0, &self));
    home = ping.at = self.addr;
    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    for (;;) {
        while (next_sent(s, now, &sent)) {
            if (sent.dg.header.kind != WIRE_ANTI_ENTROPY)
                continue;
            assert_true(addr_equal(&sent.to, &home));
            assert_true(sent.size <= 1200);
            if (push.chunks == 0) {
                announced = sent.dg.chunk_count;
                version = sent.dg.table_version;
            }
            assert_true(sent.dg.table_version == version);
            assert_int_equal(sent.dg.chunk_count, announced);
            assert_int_equal(sent.dg.chunk_index, push.chunks);
            /* 32 at once, and then one a pause. */
            if (push.chunks >= CHUNK_BURST)
                assert_true(now >= began + (push.chunks - CHUNK_BURST + 1) * pause);
            push.at_once += now == began;
            at_once = now == last ? at_once + 1 : 1;
            last = now;
            if (now > began && at_once > push.later_at_once)
                push.later_at_once = at_once;
            push.chunks++;
            push.entries += sent.dg.entry_count;
            push.took = now - began;
            deliver(receiver, s, now, &sent);
            drain(receiver, now);
        }
        if (push.chunks == announced)
            break;
        now = (swim_deadline(s) > now ? swim_deadline(s) : now) + late;
        swim_advance(s, now);
    }
    assert_int_equal(push.chunks, announced);
    return push;
}

static struct push push_table_late(uint32_t members, home_fn home, bool is_plain, swim_time late)
{
    struct swim *s = new_member(A, 8192, home);
    struct swim *receiver = new_member(members + 1, 8192, home);
    struct push result;

    hear_of(s, START, B, B, members, home);
    settle(s, START, START + 3600000 * SWIM_MS);
    result = push(s, receiver, members, is_plain, late);
    /* All of them arrive. */
    assert_int_equal(swim_member_count(receiver, SWIM_ALIVE), members + 1);
    assert_true(swim_view_digest(s) == swim_view_digest(receiver));
    assert_int_equal(result.entries, members + 1);
    member_end(s);
    member_end(receiver);
    return result;
}

static struct push push_table(uint32_t members, home_fn home, bool is_plain)
{
    return push_table_late(members, home, is_plain, 0);
}

static void test_push_of_5000_to_a_plain_peer(void **state)
{
    struct push v4 = push_table(5000, addr4, true);
    struct push v6 = push_table(5000, addr6, true);
    struct push both = push_table(5000, mixed, true);

    (void)state;
    /* 48 entries of 24 bytes fit into 1,164; 32 of 36. */
    assert_int_equal(v4.chunks, (5001 + 47) / 48);
    assert_int_equal(v6.chunks, (5001 + 31) / 32);
    assert_in_range(both.chunks, v4.chunks, v6.chunks);
    assert_true(v4.at_once <= CHUNK_BURST && v6.at_once <= CHUNK_BURST);
    /* 25 a second after the burst, and no slower than it must be. */
    assert_true(v4.took <= (v4.chunks - CHUNK_BURST + 1) * 40 * SWIM_MS);
}

static void test_push_of_5000_to_a_capable_peer(void **state)
{
    struct push push = push_table(5000, mixed, false);

    (void)state;
    assert_true(push.at_once <= CHUNK_BURST);
    assert_true(push.took < 500 * SWIM_MS);
}

/* A host whose timer is coarse sends several at once instead of fewer; after a long pause, not all that
 * it might have sent meanwhile. */
static void test_push_by_a_host_that_comes_late(void **state)
{
    struct push exact = push_table(5000, addr4, false);

    (void)state;
    for (swim_time late = 1; late <= 10; late++) {
        struct push push = push_table_late(5000, addr4, false, late * SWIM_MS);

        assert_true(push.took <= exact.took + late * SWIM_MS);
        assert_in_range(push.later_at_once, 1, late / 2 + 1);
    }
    assert_int_equal(push_table_late(5000, addr4, false, 1000 * SWIM_MS).later_at_once, 8);
    assert_in_range(push_table_late(5000, addr4, true, 10 * SWIM_MS).later_at_once, 1, 1);
}

static void test_push_of_small_tables(void **state)
{
    (void)state;
    for (uint32_t members = 2; members < 130; members += 7) {
        push_table(members, addr4, true);
        push_table(members, addr6, true);
        push_table(members, mixed, false);
    }
}

/* A push has said how many chunks it is, and keeps its word while the table changes. */
static void test_chunk_count_is_kept_while_the_table_changes(void **state)
{
    (void)state;
    for (unsigned grows = 0; grows < 2; grows++) {
        struct swim *s = new_member(A, 8192, addr4);
        struct message ping = {.kind = WIRE_PING, .from = 7000, .plain = true};
        struct sent sent;
        uint32_t chunks = 0;
        uint32_t announced = 1;
        swim_time now;

        hear_of(s, START, B, B, 3000, addr4);
        now = settle(s, START, START + 3600000 * SWIM_MS);
        assert_int_equal(hear(s, now, &ping), SWIM_OK);
        while (chunks < announced) {
            while (next_sent(s, now, &sent)) {
                if (sent.dg.header.kind != WIRE_ANTI_ENTROPY)
                    continue;
                announced = sent.dg.chunk_count;
                assert_int_equal(announced, (3001 + 47) / 48);
                assert_int_equal(sent.dg.chunk_index, chunks++);
                assert_true(sent.size <= 1200);
            }
            for (uint32_t i = 0; i < 50 && chunks < announced; i++) {
                struct wire_entry entry =
                    entry_of(grows ? 3001 + 50 * chunks + i : 3 + (50 * chunks + i) % 2990);

                entry.status = grows ? SWIM_ALIVE : SWIM_DEAD;
                hear_entry(s, now, B, entry);
            }
            now = swim_deadline(s) > now ? swim_deadline(s) : now;
            swim_advance(s, now);
        }
        assert_int_equal(chunks, announced);
        assert_int_equal(s->job_count, 0);
        member_end(s);
    }
}

static void test_syncs_under_way_are_bounded(void **state)
{
    struct swim *s = new_member(A, 8192, addr4);

    (void)state;
    hear_of(s, START, B, B, 2000, addr4);
    settle(s, START, START + 3600000 * SWIM_MS);
    for (uint32_t number = 5000; number < 5000 + 2 * JOBS_MAX; number++) {
        struct message ping = {.kind = WIRE_PING, .from = number};

        assert_int_equal(hear(s, s->now, &ping), SWIM_OK);
        assert_true(s->job_count <= JOBS_MAX);
    }
    assert_int_equal(s->job_count, JOBS_MAX);
    assert_int_equal(stats_of(s).syncs_refused, JOBS_MAX);
    while (s->job_count > 0) {
        drain(s, s->now);
        if (swim_deadline(s) > s->now)
            swim_advance(s, swim_deadline(s));
    }
    member_end(s);
}

/* A plain peer can't compare: it gets the whole table every interval. Capable ones don't. */
static void test_plain_peers_get_the_table_every_interval(void **state)
{
    (void)state;
    for (unsigned is_plain = 0; is_plain < 2; is_plain++) {
        struct swim_config config = config_of(A);
        struct swim *s = member_begin(&config, START);
        struct message gossip = {.kind = WIRE_GOSSIP, .from = B, .plain = is_plain};
        uint32_t pushes = 0;
        swim_time now = START;

        assert_int_equal(hear(s, START, &gossip), SWIM_OK);
        hear_members(s, START, 3, 6);
        while (now < START + 100500 * SWIM_MS) {
            struct sent sent;

            while (next_sent(s, now, &sent)) {
                uint8_t number = sent.to.ip[3];
                struct message ack = {.kind = WIRE_ACK,
                                      .from = number,
                                      .heartbeat = (uint32_t)((now - START) / (500 * SWIM_MS)),
                                      .plain = is_plain && number == B,
                                      .has_probe = !is_plain || number != B,
                                      .probe = sent.dg.probe_sequence};

                pushes += sent.dg.header.kind == WIRE_ANTI_ENTROPY;
                if (sent.dg.header.kind == WIRE_ANTI_ENTROPY)
                    assert_int_equal(number, B);
                if (sent.dg.header.kind == WIRE_PING)
                    assert_int_equal(hear(s, now, &ack), SWIM_OK);
            }
            now = swim_deadline(s) > now ? swim_deadline(s) : now;
            swim_advance(s, now);
        }
        assert_int_equal(swim_member_count(s, SWIM_ALIVE), 6);
        /* To a random member; and one when it was met. */
        assert_in_range(pushes, is_plain ? 9 : 0, is_plain ? 11 : 0);
        member_end(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_differs_is_exchanged),
        cmocka_unit_test(test_equal_views_exchange_nothing),
        cmocka_unit_test(test_a_request_without_difference_is_not_answered),
        cmocka_unit_test(test_a_recent_change_is_given_time),
        cmocka_unit_test(test_gossip_asks_without_a_view),
        cmocka_unit_test(test_the_back_off_ends_with_agreement),
        cmocka_unit_test(test_tables_far_apart_do_not_wait),
        cmocka_unit_test(test_switched_off_it_neither_asks_nor_answers),
        cmocka_unit_test(test_a_reply_out_of_turn_is_not_returned_to),
        cmocka_unit_test(test_malformed_records_are_dropped),
        cmocka_unit_test(test_push_of_5000_to_a_plain_peer),
        cmocka_unit_test(test_push_of_5000_to_a_capable_peer),
        cmocka_unit_test(test_push_by_a_host_that_comes_late),
        cmocka_unit_test(test_push_of_small_tables),
        cmocka_unit_test(test_chunk_count_is_kept_while_the_table_changes),
        cmocka_unit_test(test_syncs_under_way_are_bounded),
        cmocka_unit_test(test_plain_peers_get_the_table_every_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
