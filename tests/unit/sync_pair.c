/* Pairs of tables that differ. See sync_pair.h. */
#include "sync_pair.h"

#include "base/hash.h"
#include "core/member.h"
#include "core/sync.h"

#include <string.h>

const char *const pair_kind_names[PAIR_KINDS] = {
    "only the asker knows",   "only the replier knows", "newer with the asker",
    "newer with the replier", "of each a quarter",
};

enum { PACE_MS = 2, BATCH = 50 };

static enum pair_kind kind_of(const struct pair_plan *plan, uint32_t number)
{
    return plan->kind == PAIR_OF_EACH ? (enum pair_kind)(number % PAIR_OF_EACH) : plan->kind;
}

/* How member `number`, of 2 .. members - 1, is known on one side; false when it is not. */
static bool is_known(const struct pair_plan *plan, unsigned side, uint32_t number,
                     struct wire_entry *ret)
{
    enum pair_kind kind = kind_of(plan, number);

    *ret = entry_of(number + 1);
    ret->id = hash_u64(plan->seed * 0x10000 + number);
    ret->incarnation = 3;
    if (number - 2 >= plan->different)
        return true;
    if (kind == (side == PAIR_ASKER ? PAIR_NEWER_ASKER : PAIR_NEWER_REPLIER))
        ret->incarnation += plan->steps ? plan->steps : 1;
    return kind != (side == PAIR_ASKER ? PAIR_ONLY_REPLIER : PAIR_ONLY_ASKER);
}

static struct swim *begin_side(const struct pair_plan *plan, unsigned side)
{
    struct swim_config config = quiet_config_of(1 + side);
    struct wire_entry entries[BATCH];
    struct message gossip = {
        .kind = WIRE_GOSSIP, .from = 2 - side, .entries = entries, .entry_count = 0};
    struct swim *s;

    config.anti_entropy_interval_ms = 10000;
    config.members_max = 2 * plan->members + 64;
    config.seed = plan->seed + side;
    s = member_begin(&config, START);
    for (uint32_t number = 2; number < plan->members; number++) {
        gossip.entry_count += is_known(plan, side, number, &entries[gossip.entry_count]);
        if (gossip.entry_count < BATCH && number + 1 < plan->members)
            continue;
        DEMAND(hear(s, START, &gossip) == SWIM_OK);
        drain(s, START);
        gossip.entry_count = 0;
    }
    return s;
}

struct pair pair_begin(const struct pair_plan *plan)
{
    struct pair pair = {.now = START};

    pair.members[PAIR_ASKER] = begin_side(plan, PAIR_ASKER);
    pair.members[PAIR_REPLIER] = begin_side(plan, PAIR_REPLIER);
    return pair;
}

void pair_end(struct pair *pair)
{
    member_end(pair->members[0]);
    member_end(pair->members[1]);
}

bool pair_agrees(const struct pair *pair)
{
    return swim_view_digest(pair->members[0]) == swim_view_digest(pair->members[1]);
}

/* All that one side has to say goes to the other. False if there was nothing. */
static bool take_turn(struct pair *pair, unsigned side, struct pair_cost *cost, pair_filter filter,
                      void *context)
{
    struct swim *s = pair->members[side];
    struct swim_addr from = addr4(1 + side);
    struct sent sent;
    bool has_said = false;

    for (; next_sent(s, pair->now, &sent) || s->job_count > 0; pair->now += PACE_MS * SWIM_MS) {
        do {
            if (sent.size == 0)
                break;
            has_said = true;
            cost->datagrams[side]++;
            cost->bytes[side] += sent.size;
            cost->entries[side] += sent.dg.entry_count;
            cost->by_phase[sent.dg.header.kind == WIRE_SYNC ? sent.dg.buckets[0] % 8 : 0]++;
            if (filter && !filter(context, side, &sent))
                continue;
            DEMAND(swim_receive(pair->members[1 - side], pair->now, &from, sent.bytes, sent.size) ==
                   SWIM_OK);
        } while (next_sent(s, pair->now, &sent));
    }
    cost->turns += has_said;
    return has_said;
}

struct pair_cost pair_run(struct pair *pair, pair_filter filter, void *context)
{
    struct pair_cost cost = {0};
    struct swim *asker = pair->members[PAIR_ASKER];
    unsigned side = PAIR_ASKER;

    pair->now += 600000 * SWIM_MS; /* whatever was asked before is over */
    drain(asker, pair->now);
    drain(pair->members[PAIR_REPLIER], pair->now);
    sync_ask(asker, member_find(asker, 2));
    while (take_turn(pair, side, &cost, filter, context))
        side = 1 - side;
    return cost;
}

size_t pair_whole_bytes(const struct pair *pair)
{
    const struct swim *asker = pair->members[PAIR_ASKER];
    const struct swim *replier = pair->members[PAIR_REPLIER];
    enum { REQUEST = 1071, HEAD = 79, ENTRIES = 46 };
    uint32_t replied = 0;
    uint32_t returned = 0;

    for (uint32_t slot = 1; slot <= replier->slots_high; slot++) {
        uint32_t bucket = member_bucket(members_of(replier)[slot].record.id);

        replied += is_live(&members_of(replier)[slot]) &&
                   replier->bucket_digest[bucket] != asker->bucket_digest[bucket];
    }
    for (uint32_t slot = 2; slot <= asker->slots_high; slot++) {
        const struct member *m = &members_of(asker)[slot];
        uint32_t there = is_live(m) ? member_find(replier, m->record.id) : SELF;

        returned +=
            there == 0 || member_at(replier, there)->record.incarnation < m->record.incarnation;
    }
    return REQUEST + 24 * (size_t)(replied + returned) +
           (size_t)HEAD * ((replied + ENTRIES - 1) / ENTRIES + (returned + ENTRIES - 1) / ENTRIES);
}
