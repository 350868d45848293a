/*
 * What members say, to their hosts and to each other: checks order, story, truth, zombie, wire and
 * false-death. See check.h. The wire's bytes are read here by hand: the tool is a host like
 * any other and sees no more of the core than its API.
 */
#include "swimsim/check_private.h"

#include "base/bytes.h"
#include "swimsim/run.h"

#include <stdio.h>
#include <string.h>

enum {
    HEADER_SIZE = 24,
    SYNC_SIZE_MAX = 1200,
    ENTRY_SIZE = 24,
    ENTRY6_SIZE = 36,
    KIND_PING = 2,
    KIND_PING_REQ = 3,
    KIND_ACK = 4,
    KIND_LEAVE = 5,
    KIND_ANTI_ENTROPY = 6,
    KIND_SYNC = 8,
    FLAGS = 0x03,
    FLAG_EXTENDED = 0x02,
    RECORD_PROBE = 0x01,
    RECORD_ON_BEHALF = 0x02,
    CAPABLE = 0x01,
};

static bool is_terminal(uint32_t status)
{
    return status >= SWIM_DEAD;
}

/* ---- Its own record ---------------------------------------------------------------------- */

static bool self_of(const struct check *check, uint32_t node, struct swim_member *ret)
{
    const struct swim *member = sim_member(check->sim, node);

    return member != NULL && swim_member_at(member, 0, ret);
}

void words_started(struct check *check, uint32_t node)
{
    struct seat *seat = &check->seats[node];
    struct swim_member self = {.id = sim_id(check->sim, node)};
    struct identity *identity;

    self_of(check, node, &self);
    seat->id = self.id;
    seat->incarnation = self.incarnation;
    seat->sent_incarnation = self.incarnation;
    identity = known_identity(check, self.id);
    if (identity == NULL) {
        identity = known_identity_add(check, self.id, node);
        identity->incarnation = self.incarnation;
    } else if (identity->incarnation >= self.incarnation) {
        identity->is_doubtful = true;
    }
    identity->node = node;
    if (self.incarnation > identity->incarnation)
        identity->incarnation = self.incarnation;
}

/* ---- Order ------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_addr(const struct swim_addr *a, const struct swim_addr *b)
{
    int order = compare(a->family, b->family);

    if (order == 0)
        order = memcmp(a->ip, b->ip, sizeof a->ip);
    return order != 0 ? order : compare(a->port, b->port);
}

/*
 * How what is held now compares with what was held, by protocol.md section 4. What the API tells
 * of an alive member may bear a later heartbeat than its record: a clock that was read unasked.
 * So heartbeats count only after a record that was not alive, and what follows then.
 */
static int compare_records(const struct swim_member *now, const struct held *before)
{
    int order = compare(now->incarnation, before->incarnation);

    if (order == 0)
        order = compare(is_terminal(now->status), is_terminal(before->status));
    if (order != 0 || before->status == SWIM_ALIVE)
        return order;
    order = compare(now->heartbeat, before->heartbeat);
    if (order == 0)
        order = compare(now->status, before->status);
    return order != 0 ? order : compare_addr(&now->addr, &before->addr);
}

/* Nobody knows more of a member than it knows of itself. */
static void check_truth(struct check *check, uint32_t observer, const struct swim_member *member)
{
    const struct identity *identity = known_identity(check, member->id);

    if (check->is_damaging || !check_is_on(check, CHECK_TRUTH))
        return;
    if (identity == NULL) {
        check_complain(check, CHECK_TRUTH, observer, "holds %016llx, which no node ever was",
                       (unsigned long long)member->id);
    } else if (member->incarnation > identity->incarnation) {
        check_complain(check, CHECK_TRUTH, observer,
                       "holds n%lu at incarnation %lu, which itself was never above %lu",
                       (unsigned long)identity->node, (unsigned long)member->incarnation,
                       (unsigned long)identity->incarnation);
    } else if (member->status == SWIM_LEFT &&
               (!identity->has_left || member->incarnation > identity->left_incarnation)) {
        check_complain(check, CHECK_TRUTH, observer,
                       "holds n%lu as left at incarnation %lu, and it never left then",
                       (unsigned long)identity->node, (unsigned long)member->incarnation);
    }
}

static void remember(struct held *held, const struct swim_member *member)
{
    held->is_known = true;
    held->is_forgotten = false;
    held->incarnation = member->incarnation;
    held->heartbeat = member->heartbeat;
    held->status = (uint8_t)member->status;
    held->addr = member->addr;
}

void words_hold(struct check *check, uint32_t observer, const struct swim_member *member)
{
    struct held *held = known_held(check, observer, member->id);

    if (held->is_known && !held->is_forgotten && !check->seats[observer].is_tight &&
        compare_records(member, held) < 0)
        check_complain(check, CHECK_ORDER, observer,
                       "%016llx falls from incarnation %lu, %s, heartbeat %lu to incarnation %lu, "
                       "%s, heartbeat %lu",
                       (unsigned long long)member->id, (unsigned long)held->incarnation,
                       swim_status_name((enum swim_status)held->status),
                       (unsigned long)held->heartbeat, (unsigned long)member->incarnation,
                       swim_status_name(member->status), (unsigned long)member->heartbeat);
    check_truth(check, observer, member);
    remember(held, member);
}

/* ---- Events ------------------------------------------------------------------------------ */

/* An event of this kind can follow what was told last. */
static bool fits(const struct held *held, const struct sim_event *event)
{
    bool was_live = held->told == SWIM_ALIVE || held->told == SWIM_SUSPECT;
    bool was_told = held->told != TOLD_NOTHING;

    switch (event->kind) {
    case SWIM_EVENT_JOINED: return !was_live;
    case SWIM_EVENT_SUSPECTED: return held->told == SWIM_ALIVE;
    case SWIM_EVENT_RECOVERED: return held->told == SWIM_SUSPECT;
    case SWIM_EVENT_FAILED:
        return was_told && (held->told != SWIM_DEAD || event->incarnation > held->incarnation);
    case SWIM_EVENT_LEFT:
        return was_told && (held->told != SWIM_LEFT || event->incarnation > held->incarnation);
    case SWIM_EVENT_UPDATED: return was_live;
    case SWIM_EVENT_FORGOTTEN: return was_told && is_terminal(held->told);
    default: return true;
    }
}

/* A tombstone stands for so long; less only where its place was needed. */
static void check_retention(struct check *check, uint32_t node, const struct held *held,
                            const struct sim_event *event)
{
    const struct swim_config *config = sim_member_config(check->sim, node);
    swim_time local = sim_local_time(check->sim, node, event->at);

    if (local - held->died_local >= config->dead_retention_ms * SWIM_MS)
        return;
    check_complain(check, CHECK_STORY, node, "forgets %016llx after %llu of %lu ms",
                   (unsigned long long)event->id,
                   (unsigned long long)((local - held->died_local) / SWIM_MS),
                   (unsigned long)config->dead_retention_ms);
}

/* Its host may know this one from the beginning, without a word: the plan said so. */
static bool is_acquainted(const struct check *check, uint32_t node, const struct held *held)
{
    return check->config.plan->start.kind == PLAN_START_ACQUAINTED &&
           check->seats[node].life == 1 && held->told == TOLD_NOTHING && !held->is_forgotten;
}

static void check_story(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct held *held = known_held(check, node, event->id);
    const char *told;

    /* A full table forgets without a word. */
    if (check->seats[node].is_tight)
        return;
    if (event->kind != SWIM_EVENT_JOINED && is_acquainted(check, node, held))
        held->told = (uint8_t)event->before;
    told = held->told == TOLD_NOTHING ? "nothing" : swim_status_name((enum swim_status)held->told);
    if (!fits(held, event))
        check_complain(check, CHECK_STORY, node,
                       "tells \"%s\" of %016llx at incarnation %lu after \"%s\" at %lu",
                       swim_event_name(event->kind), (unsigned long long)event->id,
                       (unsigned long)event->incarnation, told, (unsigned long)held->incarnation);
    else if (held->told != TOLD_NOTHING && event->before != (enum swim_status)held->told)
        check_complain(check, CHECK_STORY, node, "says that %016llx was %s, and had told %s",
                       (unsigned long long)event->id, swim_status_name(event->before), told);
    else if (event->kind == SWIM_EVENT_FORGOTTEN)
        check_retention(check, node, held, event);
}

/* A forgotten one is back: it must have answered since, or be in a new incarnation, or its
 * forgetting is no longer remembered. */
static void check_zombie(struct check *check, uint32_t node, const struct sim_event *event)
{
    const struct held *held = known_held(check, node, event->id);
    const struct swim_config *config = sim_member_config(check->sim, node);
    swim_time local = sim_local_time(check->sim, node, event->at);

    if (!held->is_forgotten || check->seats[node].is_tight ||
        event->incarnation > held->incarnation || held->heard_at >= held->forgotten_at ||
        local - held->forgotten_local >= config->dead_retention_ms * SWIM_MS)
        return;
    check_complain(check, CHECK_ZOMBIE, node,
                   "%016llx is back at incarnation %lu, forgotten %llu ms ago at %lu, "
                   "and has not answered since",
                   (unsigned long long)event->id, (unsigned long)event->incarnation,
                   (unsigned long long)((local - held->forgotten_local) / SWIM_MS),
                   (unsigned long)held->incarnation);
}

/* It was stopped lately, and others may have noticed. */
static bool is_in_shadow(const struct check *check, uint32_t node)
{
    uint64_t since_ns = check->seats[node].disturbed_at;

    return since_ns != 0 && sim_now(check->sim) < since_ns + check->shadow_ns;
}

/* Doubts about a member that runs, in a cluster that agreed and was not disturbed since. */
static void check_false_death(struct check *check, uint32_t node, const struct sim_event *event)
{
    const struct identity *identity = known_identity(check, event->id);
    struct swim_member self;

    if (check->agreed_at == SWIM_NEVER || identity == NULL || identity->is_doubtful ||
        is_in_shadow(check, identity->node) || !check_is_expected(check, identity->node) ||
        check_is_apart(check, node) || !self_of(check, identity->node, &self) ||
        self.id != event->id || self.incarnation != event->incarnation)
        return;
    check_complain(check, CHECK_FALSE_DEATH, node,
                   "says \"%s\" of n%lu, which runs; all agreed at %llu s, and nothing happened "
                   "to the network since %llu s",
                   swim_event_name(event->kind), (unsigned long)identity->node,
                   (unsigned long long)(check->agreed_at / SIM_SECOND),
                   (unsigned long long)(check->disturbed_at / SIM_SECOND));
}

/* One that said goodbye, and whose word had time to get around, is taken for dead. With few
 * transmissions it may pass somebody by. */
static void check_leave(struct check *check, uint32_t node, const struct sim_event *event)
{
    const struct identity *identity = known_identity(check, event->id);
    const struct plan *plan = check->config.plan;
    uint64_t now_ns = sim_now(check->sim);

    if (check->agreed_at == SWIM_NEVER || check->has_plain || identity == NULL ||
        !identity->has_left || identity->left_incarnation != event->incarnation ||
        identity->left_at < check->agreed_at || is_in_shadow(check, identity->node) ||
        is_in_shadow(check, node) || plan->member.retransmit_multiplier < 3 ||
        now_ns < identity->left_at + bound_gossip_ns(plan))
        return;
    check_complain(check, CHECK_LEAVE, node, "says \"failed\" of n%lu, which left at %llu s",
                   (unsigned long)identity->node,
                   (unsigned long long)(identity->left_at / SIM_SECOND));
}

/* For so long that its verdicts are no news (protocol.md section 5, "deaf"); the limit there is four
 * intervals of its own clock. */
static bool has_heard_nobody(const struct check *check, uint32_t node)
{
    const struct swim_config *config = sim_member_config(check->sim, node);
    uint64_t silence_ns = sim_now(check->sim) - check->seats[node].heard_at;

    return silence_ns > 2 * config->probe_interval_ms * SWIM_MS;
}

static void bury(struct check *check, uint32_t node, const struct swim_member *member)
{
    const struct swim *swim = sim_member(check->sim, node);
    struct held *held = known_held(check, node, member->id);

    held->is_unwitnessed = has_heard_nobody(check, node);
    held->died_local = member->changed;
    held->died_shrink = ++check->seats[node].shrinks;
    held->died_n = swim_member_count(swim, SWIM_ALIVE) + swim_member_count(swim, SWIM_SUSPECT);
}

static void forget(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct held *held = known_held(check, node, event->id);

    held->is_forgotten = true;
    held->forgotten_at = event->at;
    held->forgotten_local = sim_local_time(check->sim, node, event->at);
    held->told = TOLD_NOTHING;
}

void words_paused(struct check *check, uint32_t node)
{
    const struct swim *swim = sim_member(check->sim, node);
    struct seat *seat = &check->seats[node];

    seat->stopped_at = sim_now(check->sim);
    seat->has_company =
        swim != NULL && !seat->is_leaving && swim_member_count(swim, SWIM_ALIVE) > 1;
}

void words_resumed(struct check *check, uint32_t node)
{
    struct seat *seat = &check->seats[node];
    uint64_t stood_ns = sim_now(check->sim) - seat->stopped_at;

    seat->must_tell = seat->has_company && !seat->is_clocked && !sim_is_foreign(check->sim, node) &&
                      stood_ns > bound_pause_ns(check->config.plan);
}

/* It says that it stood still. */
static void check_pause(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct seat *seat = &check->seats[node];
    bool was_stopped = seat->disturbed_at != 0;

    seat->must_tell = false;
    if (!was_stopped && !seat->is_clocked)
        check_complain(check, CHECK_PAUSE, node,
                       "says that it stood still for %llu ms, and did not",
                       (unsigned long long)(event->paused_for_ns / SWIM_MS));
}

/* What the member says of itself. */
static void self_event(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct seat *seat = &check->seats[node];

    if (event->kind == SWIM_EVENT_ID_CHANGED) {
        known_identity_add(check, event->id, node)->incarnation = event->incarnation;
        seat->id = event->id;
        seat->incarnation = event->incarnation;
        seat->sent_incarnation = event->incarnation;
    }
    if (event->kind == SWIM_EVENT_TABLE_FULL)
        seat->is_tight = true;
    if (event->kind == SWIM_EVENT_PAUSED)
        check_pause(check, node, event);
}

static uint8_t told_by(const struct sim_event *event)
{
    return event->kind == SWIM_EVENT_JOINED ? SWIM_ALIVE : (uint8_t)event->status;
}

void words_event(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct swim_member member;

    if (event->kind > SWIM_EVENT_FORGOTTEN) {
        self_event(check, node, event);
        return;
    }
    if (event->kind == SWIM_EVENT_SUSPECTED || event->kind == SWIM_EVENT_FAILED)
        check_false_death(check, node, event);
    if (event->kind == SWIM_EVENT_FAILED)
        check_leave(check, node, event);
    if (!check_is_followed(check, node))
        return;
    check_story(check, node, event);
    if (event->kind == SWIM_EVENT_FORGOTTEN) {
        forget(check, node, event);
        return;
    }
    if (event->kind == SWIM_EVENT_JOINED)
        check_zombie(check, node, event);
    if (swim_member_find(sim_member(check->sim, node), event->id, &member)) {
        words_hold(check, node, &member);
        if (is_terminal(event->status))
            bury(check, node, &member);
        if (event->status == SWIM_LEFT && known_identity(check, event->id) != NULL)
            known_reach(check, node, known_identity(check, event->id)->node, false);
    }
    known_held(check, node, event->id)->told = told_by(event);
}

/* ---- Datagrams --------------------------------------------------------------------------- */

/* The one's complement sum of all words, the checksum's included: 0xffff when it is right. */
static uint32_t sum_words(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i + 1 < size; i += 2)
        sum += load_u16(data + i);
    if (size % 2 != 0)
        sum += (uint64_t)data[size - 1] << 8;
    while (sum > UINT16_MAX)
        sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint32_t)sum;
}

/* What is wrong with the bytes; NULL: nothing. */
static const char *flaw_of(const uint8_t *data, size_t size)
{
    uint8_t kind = size > 1 ? data[1] : 0;

    if (size < HEADER_SIZE || size > SWIM_DATAGRAM_MAX)
        return "is too short or too long";
    if (data[0] != 1 || kind == 0 || kind > KIND_SYNC)
        return "has another version, or an unknown kind";
    if (load_u16(data + 2) != size - HEADER_SIZE)
        return "has another length than it says";
    if ((kind == KIND_SYNC || kind == KIND_ANTI_ENTROPY) && size > SYNC_SIZE_MAX)
        return "is a synchronisation above 1,200 bytes";
    if ((data[20] & ~FLAGS) != 0 || data[21] != CAPABLE)
        return "has reserved bits set";
    return sum_words(data, size) == UINT16_MAX ? NULL : "has a wrong checksum";
}

/* Whom it claims to come from, and when in that one's life. */
static const char *false_sender(const struct seat *seat, const uint8_t *data)
{
    uint32_t heartbeat = load_u32(data + 12);
    uint32_t incarnation = load_u32(data + 16);

    if (load_u64(data + 4) != seat->id)
        return "is not sent under its own id";
    if (incarnation < seat->sent_incarnation)
        return "bears an incarnation below an earlier one";
    if (incarnation == seat->sent_incarnation && heartbeat < seat->heartbeat)
        return "bears a heartbeat below an earlier one";
    if (data[1] == KIND_LEAVE && !seat->is_leaving)
        return "says that it leaves, and it does not";
    return NULL;
}

/* What the sender says of itself is what others can know of it. */
static void learn_sender(struct check *check, struct seat *seat, const uint8_t *data)
{
    uint32_t incarnation = load_u32(data + 16);
    struct identity *identity;

    seat->heartbeat = load_u32(data + 12);
    if (incarnation == seat->sent_incarnation && data[1] != KIND_LEAVE)
        return;
    seat->sent_incarnation = incarnation;
    identity = known_identity(check, load_u64(data + 4));
    if (identity == NULL)
        return;
    if (incarnation > identity->incarnation)
        identity->incarnation = incarnation;
    if (data[1] == KIND_LEAVE) {
        identity->has_left = true; /* nobody knows before its first word */
        identity->left_incarnation = incarnation;
    }
}

/* A member that ran out of incarnations writes under its new id before it can tell its host. */
static void follow_id(struct check *check, uint32_t node)
{
    struct seat *seat = &check->seats[node];
    struct swim_member self;

    if (!self_of(check, node, &self) || self.id == seat->id)
        return;
    known_identity_add(check, self.id, node)->incarnation = self.incarnation;
    seat->id = self.id;
    seat->incarnation = self.incarnation;
    seat->sent_incarnation = self.incarnation;
    seat->heartbeat = 0;
}

/* Where the entries begin: behind the header and the extension. */
static size_t entries_at(const uint8_t *data, size_t size)
{
    size_t at = HEADER_SIZE;

    if (data[20] & FLAG_EXTENDED && size >= HEADER_SIZE + 2)
        at += 2u + load_u16(data + HEADER_SIZE);
    return at;
}

/* Deaths and leaves that a datagram tells of are counted. The two are one: who has left is told to
 * some as dead. */
static void count_tellings(struct check *check, const struct sim_happening *sent)
{
    const uint8_t *data = sent->data;
    struct held *held;
    size_t at = entries_at(data, sent->size);

    for (; at + ENTRY_SIZE <= sent->size; at += data[at + 17] == 6 ? ENTRY6_SIZE : ENTRY_SIZE) {
        uint32_t incarnation = load_u32(data + at + 12);

        if (!is_terminal(data[at + 16]) || data[at + 16] > SWIM_LEFT)
            continue;
        held = known_held(check, sent->node, load_u64(data + at));
        if (held->tell_incarnation != incarnation)
            held->tellings = 0;
        held->tell_incarnation = incarnation;
        held->tellings++;
    }
}

/* What a PING is for. Without an extension it may be anything: a probe of one that was never heard,
 * a relay for somebody, a try of healing. */
enum purpose { PURPOSE_ROUND, PURPOSE_UNKNOWN, PURPOSE_OTHER };

static enum purpose purpose_of(const uint8_t *data, size_t size)
{
    size_t end = entries_at(data, size);
    enum purpose purpose = PURPOSE_OTHER;

    if (data[1] != KIND_PING || end > size)
        return PURPOSE_OTHER;
    if ((data[20] & FLAG_EXTENDED) == 0)
        return PURPOSE_UNKNOWN;
    for (size_t at = HEADER_SIZE + 2; at + 3 <= end; at += 3u + load_u16(data + at + 1)) {
        if (data[at] == RECORD_ON_BEHALF)
            return PURPOSE_OTHER;
        if (data[at] == RECORD_PROBE)
            purpose = PURPOSE_ROUND;
    }
    return purpose;
}

/* Rounds since the last probe of this one, in this settled time. */
static uint32_t rounds_since(const struct check *check, const struct held *held)
{
    uint32_t before = held->probed_epoch == check->epoch ? held->probed_round : 0;

    return check->seats[held->observer].rounds - before;
}

static void check_turn(struct check *check, const struct held *held)
{
    uint32_t rounds = rounds_since(check, held);

    if (rounds > 2 * (check->settled_n - 1) - 1)
        check_complain(check, CHECK_PROBING, held->observer,
                       "has not probed %016llx for %lu rounds, in a cluster of %lu",
                       (unsigned long long)held->id, (unsigned long)rounds,
                       (unsigned long)check->settled_n);
}

static void count_round(struct check *check, const struct sim_happening *sent)
{
    struct seat *seat = &check->seats[sent->node];
    enum purpose purpose = purpose_of(sent->data, sent->size);
    struct held *held;

    if (!check->is_settled || sent->peer == SIM_NOBODY || purpose == PURPOSE_OTHER)
        return;
    if (seat->epoch != check->epoch) {
        seat->epoch = check->epoch;
        seat->rounds = 0;
    }
    seat->rounds += purpose == PURPOSE_ROUND;
    held = known_held(check, sent->node, sim_id(check->sim, sent->peer));
    if (purpose == PURPOSE_ROUND)
        check_turn(check, held);
    held->probed_epoch = check->epoch;
    held->probed_round = seat->rounds;
}

static uint32_t log2_up(uint32_t n)
{
    uint32_t log = 0;

    while ((UINT64_C(1) << log) < n)
        log++;
    return log;
}

/* Nothing is left to tell: then this death was told often enough. Older deaths than the last may
 * have been cut off when the cluster shrank; a fading one is told no more. */
static void check_spread(struct check *check, uint32_t observer, const struct swim_member *member)
{
    const struct swim_config *config = sim_member_config(check->sim, observer);
    const struct held *held = known_held(check, observer, member->id);
    swim_time local = sim_local_time(check->sim, observer, sim_now(check->sim));
    uint32_t due = config->retransmit_multiplier * log2_up(held->died_n + 1);

    if (held->is_unwitnessed || held->died_shrink != check->seats[observer].shrinks ||
        held->told != member->status || held->incarnation != member->incarnation ||
        local - member->changed >= config->dead_retention_ms * SWIM_MS / 2 ||
        (held->tellings >= due && held->tell_incarnation == member->incarnation))
        return;
    check_complain(check, CHECK_SPREAD, observer,
                   "told %lu times that %016llx is %s, of %lu in a cluster of %lu",
                   (unsigned long)held->tellings, (unsigned long long)member->id,
                   swim_status_name(member->status), (unsigned long)due,
                   (unsigned long)held->died_n);
}

void words_check_held(struct check *check, uint32_t observer, const struct swim_member *member,
                      const struct swim_stats *stats)
{
    const struct seat *seat = &check->seats[observer];

    if (check_is_apart(check, observer) || is_in_shadow(check, observer) || check->has_plain ||
        seat->is_tight)
        return;
    if (is_terminal(member->status) && stats->news_queued == 0)
        check_spread(check, observer, member);
    else if (check->is_settled && seat->epoch == check->epoch)
        check_turn(check, known_held(check, observer, member->id));
}

void words_sent(struct check *check, const struct sim_happening *sent)
{
    struct seat *seat;
    const char *wrong;

    if (sent->node == SIM_NOBODY)
        return;
    seat = &check->seats[sent->node];
    if (sim_is_foreign(check->sim, sent->node)) {
        if (sent->size >= HEADER_SIZE)
            learn_sender(check, seat, sent->data);
        return;
    }
    wrong = flaw_of(sent->data, sent->size);
    if (wrong == NULL && load_u64(sent->data + 4) != seat->id)
        follow_id(check, sent->node);
    if (wrong == NULL)
        wrong = false_sender(seat, sent->data);
    if (wrong != NULL) {
        check_complain(check, CHECK_WIRE, sent->node, "a datagram of kind %u, %lu bytes, %s",
                       sent->size > 1 ? sent->data[1] : 0u, (unsigned long)sent->size, wrong);
        return;
    }
    learn_sender(check, seat, sent->data);
    if (!check_is_followed(check, sent->node))
        return;
    if (sent->data[1] <= KIND_ACK && sent->data[1] != KIND_PING_REQ)
        count_tellings(check, sent);
    count_round(check, sent);
}

void words_delivered(struct check *check, const struct sim_happening *delivered)
{
    const uint8_t *data = delivered->data;
    uint32_t from = delivered->peer;
    uint64_t now_ns = sim_now(check->sim);

    check->seats[delivered->node].heard_at = now_ns;
    if (now_ns > check->faults_end_ns + check->calm_ns && from != SIM_NOBODY &&
        !check->is_apart_heard && check_is_apart(check, from) &&
        !check_is_apart(check, delivered->node))
        check->is_apart_heard = true;
    if (delivered->size >= HEADER_SIZE && data[1] == KIND_ACK && load_u64(data + 4) != 0 &&
        check_is_followed(check, delivered->node))
        known_held(check, delivered->node, load_u64(data + 4))->heard_at = now_ns;
}
