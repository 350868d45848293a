/*
 * What members send to each other: checks wire, spread and probing, and learns from it what there is
 * to know of each. See check.h. The bytes are read here by hand: the tool is a host like any
 * other, and sees no more of the core than its API.
 */
#include "swimsim/check_private.h"

#include "base/bytes.h"

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
    RECORD_TOKEN = 0x07,
    TOKEN_SIZE = 16,
    CAPABLE = 0x01,
};

static bool is_terminal(uint32_t status)
{
    return status >= SWIM_DEAD;
}

/* ---- Well-formed, and true of its sender -------------------------------------------------- */

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

    if (!known_self(check, node, &self) || self.id == seat->id)
        return;
    known_identity_add(check, self.id, node)->incarnation = self.incarnation;
    seat->id = self.id;
    seat->incarnation = self.incarnation;
    seat->sent_incarnation = self.incarnation;
    seat->heartbeat = 0;
}

/* ---- Extensions -------------------------------------------------------------------------- */

/* Where the entries begin: behind the header and the extension. */
static size_t entries_at(const uint8_t *data, size_t size)
{
    size_t at = HEADER_SIZE;

    if (data[20] & FLAG_EXTENDED && size >= HEADER_SIZE + 2)
        at += 2u + load_u16(data + HEADER_SIZE);
    return at;
}

/* The value of the first record of this type, of `value_size` bytes; NULL: there is none. */
static const uint8_t *find_record(const uint8_t *data, size_t size, uint8_t type, size_t value_size)
{
    size_t end = entries_at(data, size);

    for (size_t at = HEADER_SIZE + 2; end <= size && at + 3 + value_size <= end;
         at += 3u + load_u16(data + at + 1)) {
        if (data[at] == type && load_u16(data + at + 1) == value_size)
            return data + at + 3;
    }
    return NULL;
}

/* ---- Proof of address -------------------------------------------------------------------- */

uint64_t sent_challenge(const struct sim_happening *sent)
{
    const uint8_t *token = find_record(sent->data, sent->size, RECORD_TOKEN, TOKEN_SIZE);

    return token != NULL ? load_u64(token) : 0;
}

static void note_challenge(struct check *check, const struct sim_happening *sent)
{
    uint64_t challenge = sent_challenge(sent);
    struct held *held;

    if (challenge == 0 || sent->peer == SIM_NOBODY)
        return;
    held = known_held(check, sent->node, sim_id(check->sim, sent->peer));
    if (held->challenges[0] == challenge)
        return;
    held->challenges[1] = held->challenges[0];
    held->challenges[0] = challenge;
}

/* It shows that its sender hears the receiver: it repeats what that one asked it to. Plain nodes
 * can't; their ACKs have to do. */
static bool is_proof(struct check *check, const struct sim_happening *delivered)
{
    const uint8_t *data = delivered->data;
    const uint8_t *token = find_record(data, delivered->size, RECORD_TOKEN, TOKEN_SIZE);
    uint64_t echo = token != NULL ? load_u64(token + 8) : 0;
    const struct held *held = known_held(check, delivered->node, load_u64(data + 4));

    if (data[21] != CAPABLE)
        return data[1] == KIND_ACK;
    return echo != 0 && (echo == held->challenges[0] || echo == held->challenges[1]);
}

static void note_proof(struct check *check, const struct sim_happening *delivered)
{
    uint64_t id = load_u64(delivered->data + 4);

    if (id != 0 && is_proof(check, delivered))
        known_held(check, delivered->node, id)->heard_at = sim_now(check->sim);
}

/* ---- Told often enough, probed in turn --------------------------------------------------- */

/* Deaths and leaves that a datagram tells of are counted, for its sender and, since what others tell
 * counts as well, for its receiver. The two are one: who has left is told to some as dead. */
static void count_tellings(struct check *check, const struct sim_happening *told)
{
    const uint8_t *data = told->data;
    struct held *held;
    size_t at = entries_at(data, told->size);

    if (data[1] > KIND_ACK || data[1] == KIND_PING_REQ)
        return;
    for (; at + ENTRY_SIZE <= told->size; at += data[at + 17] == 6 ? ENTRY6_SIZE : ENTRY_SIZE) {
        uint32_t incarnation = load_u32(data + at + 12);

        if (!is_terminal(data[at + 16]) || data[at + 16] > SWIM_LEFT || load_u64(data + at) == 0)
            continue;
        held = known_held(check, told->node, load_u64(data + at));
        if (incarnation < held->tell_incarnation)
            continue; /* heard from one who is behind */
        if (incarnation > held->tell_incarnation)
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
    if (data[1] != KIND_PING || entries_at(data, size) > size)
        return PURPOSE_OTHER;
    if ((data[20] & FLAG_EXTENDED) == 0)
        return PURPOSE_UNKNOWN;
    if (find_record(data, size, RECORD_ON_BEHALF, 8) != NULL)
        return PURPOSE_OTHER;
    return find_record(data, size, RECORD_PROBE, 4) != NULL ? PURPOSE_ROUND : PURPOSE_OTHER;
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
    uint32_t n = check->seats[held->observer].settled_n;

    if (rounds > 2 * (n - 1) - 1)
        check_complain(check, CHECK_PROBING, held->observer,
                       "has not probed %016llx for %lu rounds, in a cluster of %lu",
                       (unsigned long long)held->id, (unsigned long)rounds, (unsigned long)n);
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
                   "told or heard %lu times that %016llx is %s, of %lu in a cluster of %lu",
                   (unsigned long)held->tellings, (unsigned long long)member->id,
                   swim_status_name(member->status), (unsigned long)due,
                   (unsigned long)held->died_n);
}

void sent_check_held(struct check *check, uint32_t observer, const struct swim_member *member,
                     const struct swim_stats *stats)
{
    const struct seat *seat = &check->seats[observer];

    if (check_is_apart(check, observer) || check_is_in_shadow(check, observer) ||
        check->has_plain || seat->is_tight)
        return;
    if (is_terminal(member->status)) {
        if (stats->news_queued == 0)
            check_spread(check, observer, member);
    } else if (check->is_settled && seat->epoch == check->epoch) {
        check_turn(check, known_held(check, observer, member->id));
    }
}

/* ---- As they come and go ----------------------------------------------------------------- */

void sent_datagram(struct check *check, const struct sim_happening *sent)
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
    note_challenge(check, sent);
    count_tellings(check, sent);
    count_round(check, sent);
}

void sent_delivered(struct check *check, const struct sim_happening *delivered)
{
    uint32_t from = delivered->peer;
    uint64_t now_ns = sim_now(check->sim);

    check->seats[delivered->node].heard_at = now_ns;
    if (now_ns > check->faults_end_ns + check->calm_ns && from != SIM_NOBODY &&
        !check->is_apart_heard && check_is_apart(check, from) &&
        !check_is_apart(check, delivered->node))
        check->is_apart_heard = true;
    if (!check_is_followed(check, delivered->node) || delivered->size < HEADER_SIZE)
        return;
    if (sum_words(delivered->data, delivered->size) == UINT16_MAX)
        count_tellings(check, delivered);
    note_proof(check, delivered);
}
