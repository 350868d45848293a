/*
 * What members hold, each for itself and all together: checks self, bounds, digest, agreement and
 * silence, and decides when a cluster has agreed (for false-death). See check.h.
 */
#include "swimsim/check_private.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "swimsim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Datagrams that may wait to be written (protocol.md section 7, outbox). */
#define OUTBOX_MAX 512
/* Table entries that one tick looks at, of all watched members together. */
#define LOOKS_MAX 20000

enum {
    HEADER_SIZE = 24,
    ENTRY_SIZE = 24,
    ENTRY6_SIZE = 36,
    KIND_PING = 2,
    KIND_PING_REQ = 3,
    KIND_ACK = 4,
    KIND_NACK = 7,
    FLAG_EXTENDED = 0x02,
    STATUS_CLUSTER = 255,
    TAGS = 2, /* in a first word */
};

static bool is_ours(const struct check *check, uint32_t node)
{
    return sim_state(check->sim, node) != SIM_STOPPED && !sim_is_foreign(check->sim, node);
}

static bool is_silence(const struct check *check)
{
    return check->silence_ns <= sim_now(check->sim) && !check->has_plain && !check->is_apart_heard;
}

/* ---- Each for itself --------------------------------------------------------------------- */

static void check_self(struct check *check, uint32_t node)
{
    const struct swim *member = sim_member(check->sim, node);
    struct seat *seat = &check->seats[node];
    struct swim_member self;

    if (!swim_member_at(member, 0, &self) || !self.is_self || self.id != sim_id(check->sim, node)) {
        check_complain(check, CHECK_SELF, node, "does not hold itself in its first slot");
        return;
    }
    if (self.status != (seat->is_leaving ? SWIM_LEFT : SWIM_ALIVE))
        check_complain(check, CHECK_SELF, node, "holds itself as %s",
                       swim_status_name(self.status));
    if (self.id == seat->id && self.incarnation < seat->incarnation)
        check_complain(check, CHECK_ORDER, node, "its own incarnation falls from %lu to %lu",
                       (unsigned long)seat->incarnation, (unsigned long)self.incarnation);
    seat->incarnation = self.incarnation;
    if (seat->must_tell && sim_state(check->sim, node) == SIM_RUNNING)
        check_complain(check, CHECK_PAUSE, node, "has not noticed that it stood still since %llu s",
                       (unsigned long long)(seat->stopped_at / SIM_SECOND));
}

static void check_bounds(struct check *check, uint32_t node)
{
    const struct swim_config *config = sim_member_config(check->sim, node);
    struct swim_stats stats;
    uint32_t known = 0;

    swim_stats(sim_member(check->sim, node), &stats);
    for (uint32_t i = 0; i < SWIM_STATUS_COUNT; i++)
        known += stats.members[i];
    if (stats.outbox_queued > OUTBOX_MAX || stats.slots_used > config->members_max ||
        known > stats.slots_used || stats.news_queued > stats.slots_used ||
        stats.accusations_queued > stats.slots_used || stats.local_health > SWIM_HEALTH_MAX)
        check_complain(check, CHECK_BOUNDS, node,
                       "%lu members, %lu of %lu slots, %lu news, %lu accusations, %lu waiting, "
                       "health %lu",
                       (unsigned long)known, (unsigned long)stats.slots_used,
                       (unsigned long)config->members_max, (unsigned long)stats.news_queued,
                       (unsigned long)stats.accusations_queued, (unsigned long)stats.outbox_queued,
                       (unsigned long)stats.local_health);
    if (stats.slots_used + stats.slots_used / 8 >= config->members_max)
        check->seats[node].is_tight = true;
}

/* ---- Views against digests --------------------------------------------------------------- */

static int compare_seen(const void *a, const void *b)
{
    const struct seen *left = a;
    const struct seen *right = b;

    return (left->id > right->id) - (left->id < right->id);
}

static uint64_t hash_text(uint64_t hash, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = hash_u64(hash ^ (uint8_t)text[i]);
    return hash;
}

static uint64_t hash_meta(const struct swim *swim, uint64_t id)
{
    struct swim_meta meta;
    uint64_t hash;

    if (!swim_member_meta(swim, id, &meta))
        return 0;
    hash = hash_combine(hash_u64(meta.incarnation), meta.version);
    hash = hash_text(hash, meta.name, strlen(meta.name) + 1);
    return hash_text(hash, meta.tags, meta.tags_size) | 1;
}

static void add_seen(const struct swim *swim, struct view *view, const struct swim_member *member)
{
    struct seen *seen;

    if (view->count == view->capacity) {
        view->capacity = view->capacity == 0 ? 64 : 2 * view->capacity;
        view->seen = realloc(view->seen, view->capacity * sizeof *view->seen);
        ASSERT(view->seen != NULL);
    }
    seen = &view->seen[view->count++];
    memset(seen, 0, sizeof *seen);
    seen->id = member->id;
    seen->meta = hash_meta(swim, member->id);
    seen->incarnation = member->incarnation;
    seen->port = member->addr.port;
    seen->family = member->addr.family;
    memcpy(seen->ip, member->addr.ip, sizeof seen->ip);
}

/* Nothing is left to say, and that took more than one cycle of probes, in which each is asked. */
static void check_proved(struct check *check, uint32_t node, const struct swim_member *member)
{
    if (is_silence(check) && !check->is_thin && check_is_expected(check, node) &&
        member->status == SWIM_ALIVE && !member->is_proved)
        check_complain(check, CHECK_SILENCE, node,
                       "%016llx has not proved its address, after so many probes",
                       (unsigned long long)member->id);
}

/* Looks through the whole table of one member. */
static void look_into(struct check *check, uint32_t node)
{
    const struct swim *swim = sim_member(check->sim, node);
    uint32_t slots = swim_member_slots(swim);
    struct view *view = &check->views[check->view_count++];
    struct swim_member member;
    struct swim_stats stats;

    swim_stats(swim, &stats);
    view->node = node;
    view->count = 0;
    view->digest = swim_view_digest(swim);
    view->has_no_room = stats.meta_no_room > 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (!swim_member_at(swim, slot, &member))
            continue;
        if (member.status <= SWIM_SUSPECT)
            add_seen(swim, view, &member);
        if (slot == 0)
            continue;
        words_hold(check, node, &member);
        check_proved(check, node, &member);
        sent_check_held(check, node, &member, &stats);
    }
    qsort(view->seen, view->count, sizeof *view->seen, compare_seen);
}

static bool is_same_view(const struct view *a, const struct view *b)
{
    return a->count == b->count && memcmp(a->seen, b->seen, a->count * sizeof *a->seen) == 0;
}

void views_compare(struct check *check)
{
    for (uint32_t i = 0; i < check->view_count; i++) {
        for (uint32_t k = i + 1; k < check->view_count; k++) {
            const struct view *a = &check->views[i];
            const struct view *b = &check->views[k];
            bool is_equal = a->digest == b->digest;

            if (is_equal == is_same_view(a, b) || a->has_no_room || b->has_no_room)
                continue;
            check_complain(check, CHECK_DIGEST, a->node,
                           "its digest and that of n%lu are %s, but the views are %s",
                           (unsigned long)b->node, is_equal ? "equal" : "different",
                           is_equal ? "different" : "equal");
        }
    }
}

/* All watched members of a small cluster; of a large one some, in turn. */
static void look_around(struct check *check)
{
    uint32_t nodes = sim_nodes(check->sim);
    uint32_t looks = LOOKS_MAX / (nodes + 1);
    uint32_t most = looks < 2 ? 2 : looks;

    if (check->views == NULL) {
        check->views_max = check->nodes_max / check->stride + 1;
        check->views = calloc(check->views_max, sizeof *check->views);
        ASSERT(check->views != NULL);
    }
    if (most > check->views_max)
        most = check->views_max;
    check->view_count = 0;
    for (uint32_t i = 0; i < check->views_max && check->view_count < most; i++) {
        uint32_t node = check->next_watched * check->stride;

        check->next_watched = (check->next_watched + 1) % check->views_max;
        if (node < nodes && is_ours(check, node) && !check->seats[node].is_leaving) {
            check_bounds(check, node);
            look_into(check, node);
        }
    }
    views_compare(check);
}

void views_free(struct check *check)
{
    for (uint32_t i = 0; i < check->views_max; i++)
        free(check->views[i].seen);
    free(check->views);
}

/* ---- All together ------------------------------------------------------------------------ */

static void say(char *ret, size_t size, const char *text, uint32_t node, uint32_t other)
{
    if (ret != NULL)
        snprintf(ret, size, text, (unsigned long)node, (unsigned long)other);
}

static bool is_held(const struct check *check, uint32_t observer, uint32_t node,
                    enum swim_status at_worst)
{
    enum swim_status status = SWIM_LEFT;

    return sim_status(check->sim, observer, sim_id(check->sim, node), &status) &&
           status <= at_worst;
}

/* One that is expected, of this cluster. */
static bool is_expected_in(const struct check *check, uint32_t cluster, uint32_t node)
{
    return check_is_expected(check, node) && check->seats[node].cluster == cluster;
}

/* One member is asked for everybody: counts and digests alone could agree on a wrong set. */
static bool holds_all(const struct check *check, uint32_t observer, enum swim_status at_worst,
                      char *ret, size_t size)
{
    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (!is_expected_in(check, check->seats[observer].cluster, i) ||
            sim_is_foreign(check->sim, i) || is_held(check, observer, i, at_worst))
            continue;
        say(ret, size, "n%lu does not hold n%lu as alive", observer, i);
        return false;
    }
    return true;
}

static uint32_t count_expected(const struct check *check, uint32_t cluster)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sim_nodes(check->sim); i++)
        count += is_expected_in(check, cluster, i);
    return count;
}

/* Plain nodes do not look for those that they lost; and who is apart, and yet heard, may be held or
 * not, and doubts the others. Beside them, all that are expected hold each other at least. */
static bool agree_on_each_other(const struct check *check, char *ret, size_t size)
{
    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (check_is_expected(check, i) && !sim_is_foreign(check->sim, i) &&
            !holds_all(check, i, SWIM_SUSPECT, ret, size))
            return false;
    }
    return true;
}

/* Counts, and digests equal to that of the first. */
static bool is_like_first(const struct check *check, uint32_t node, uint32_t first, char *ret,
                          size_t size)
{
    const struct swim *member = sim_member(check->sim, node);
    uint32_t suspect = swim_member_count(member, SWIM_SUSPECT);
    bool is_same = swim_view_digest(member) == swim_view_digest(sim_member(check->sim, first));

    if (suspect != 0)
        say(ret, size, "n%lu holds %lu suspect", node, suspect);
    else if (!is_same)
        say(ret, size, "n%lu and n%lu have different views", node, first);
    return suspect == 0 && is_same;
}

static bool agrees(const struct check *check, uint32_t cluster, char *ret, size_t size)
{
    uint32_t expected = count_expected(check, cluster);
    uint32_t first = SIM_NOBODY;

    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (!is_expected_in(check, cluster, i))
            continue;
        if (first == SIM_NOBODY)
            first = i;
        if (swim_member_count(sim_member(check->sim, i), SWIM_ALIVE) != expected) {
            say(ret, size, "n%lu does not hold %lu alive", i, expected);
            return false;
        }
        if (!is_like_first(check, i, first, ret, size))
            return false;
    }
    return first == SIM_NOBODY || holds_all(check, first, SWIM_ALIVE, ret, size);
}

/* All that are expected hold exactly each other as alive, and agree in their digests. Else *ret
 * (of `size` bytes, may be NULL) says who does not. */
static bool agree(const struct check *check, char *ret, size_t size)
{
    if (check->has_plain || check->is_apart_heard)
        return agree_on_each_other(check, ret, size);
    for (uint32_t cluster = 0; cluster < check->clusters; cluster++) {
        if (!agrees(check, cluster, ret, size))
            return false;
    }
    return true;
}

static bool is_anybody_apart(const struct check *check)
{
    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (sim_state(check->sim, i) != SIM_STOPPED && check_is_apart(check, i))
            return true;
    }
    return false;
}

/* From here on nobody may doubt anybody without a reason. */
static void begin_calm(struct check *check, uint64_t now_ns)
{
    check->agreed_at = now_ns;
    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        struct identity *identity = known_identity(check, check->seats[i].id);

        if (identity != NULL && check_is_expected(check, i))
            identity->is_doubtful = false;
    }
}

static void note_sizes(struct check *check)
{
    for (uint32_t cluster = 0; cluster < check->clusters; cluster++) {
        uint32_t expected = count_expected(check, cluster);

        for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
            if (check->seats[i].cluster == cluster)
                check->seats[i].settled_n = expected;
        }
    }
}

static void note_agreement(struct check *check, uint64_t now_ns)
{
    if ((check->agreed_at != SWIM_NEVER && (check->is_settled || check->has_plain)) ||
        check->gentle_ns > now_ns || now_ns < check->disturbed_at + check->calm_ns ||
        is_anybody_apart(check) || !agree(check, NULL, 0))
        return;
    if (check->agreed_at == SWIM_NEVER)
        begin_calm(check, now_ns);
    check->is_settled = !check->has_plain;
    note_sizes(check);
    check->epoch++;
}

static bool is_held_by_all(const struct check *check, uint32_t node)
{
    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (is_expected_in(check, check->seats[node].cluster, i) &&
            !is_held(check, i, node, SWIM_SUSPECT))
            return false;
    }
    return true;
}

/* One that hears nothing is met again by those that have forgotten it, for a moment, one by one. But
 * it is no member that all hold alive. */
static void check_deaf(struct check *check, uint64_t now_ns)
{
    uint32_t deaf = SIM_NOBODY;

    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (sim_state(check->sim, i) == SIM_RUNNING && check_is_apart(check, i))
            deaf = i;
    }
    if (deaf == SIM_NOBODY || count_expected(check, check->seats[deaf].cluster) == 0 ||
        !is_held_by_all(check, deaf))
        check->deaf_since_ns = now_ns;
    else if (now_ns > check->deaf_since_ns + check->shadow_ns)
        check_complain(check, CHECK_AGREEMENT, SIM_NOBODY,
                       "hold n%lu alive since %llu s, which hears nothing", (unsigned long)deaf,
                       (unsigned long long)(check->deaf_since_ns / SIM_SECOND));
}

static void check_agreement(struct check *check, uint64_t now_ns)
{
    char why[120];

    if (check->is_deaf_end && now_ns > check->faults_end_ns)
        check_deaf(check, now_ns);
    if (check->agreement_ns > now_ns || agree(check, why, sizeof why) || !known_is_connected(check))
        return;
    check_complain(check, CHECK_AGREEMENT, SIM_NOBODY,
                   "%s, %llu s after the last fault (bound %llu s)", why,
                   (unsigned long long)((now_ns - check->faults_end_ns) / SIM_SECOND),
                   (unsigned long long)((check->agreement_ns - check->faults_end_ns) / SIM_SECOND));
}

/* ---- Silence ----------------------------------------------------------------------------- */

static void check_silence(struct check *check, uint32_t node)
{
    struct swim_stats stats;

    if (!check_is_expected(check, node))
        return;
    swim_stats(sim_member(check->sim, node), &stats);
    if (stats.members[SWIM_ALIVE] > 1 && (stats.news_queued != 0 || stats.accusations_queued != 0))
        check_complain(check, CHECK_SILENCE, node, "has %lu news and %lu accusations to tell",
                       (unsigned long)stats.news_queued, (unsigned long)stats.accusations_queued);
    if (stats.members[SWIM_DEAD] != 0 || stats.members[SWIM_LEFT] != 0)
        check_complain(check, CHECK_SILENCE, node, "holds %lu dead and %lu that left",
                       (unsigned long)stats.members[SWIM_DEAD],
                       (unsigned long)stats.members[SWIM_LEFT]);
}

/* Where entries begin: behind the header, the extension and the sender's own. */
static size_t others_at(const struct check *check, const struct sim_happening *sent)
{
    const struct swim_config *config = sim_member_config(check->sim, sent->node);
    bool is_extended = sent->data[20] & FLAG_EXTENDED;
    size_t at = HEADER_SIZE + (is_extended ? 2u + load_u16(sent->data + HEADER_SIZE) : 0);

    if (config->addr_in_probes)
        at += config->addr.family == 4 ? ENTRY_SIZE : ENTRY6_SIZE;
    return at;
}

/* How often a PING to one of whom nothing is known says, in entries that every member skips, which
 * cluster this is (protocol.md section 10). */
static uint32_t tags_of(const struct check *check, const struct sim_happening *sent)
{
    size_t at = others_at(check, sent);
    uint32_t count = 0;

    if (sent->data[1] != KIND_PING || sent->data[20] & FLAG_EXTENDED)
        return 0;
    while (at + (count + 1) * ENTRY_SIZE <= sent->size &&
           sent->data[at + count * ENTRY_SIZE + 16] == STATUS_CLUSTER)
        count++;
    return count;
}

/* Beside a thin cut, others are asked to relay, and do. */
static bool is_quiet_word(const struct check *check, const struct sim_happening *sent)
{
    uint32_t tags = tags_of(check, sent);
    uint8_t kind = sent->data[1];

    if (check->is_thin && (kind == KIND_PING_REQ || kind == KIND_ACK || kind == KIND_NACK))
        return true;
    return (kind == KIND_PING || kind == KIND_ACK) && tags <= TAGS &&
           sent->size <= others_at(check, sent) + tags * ENTRY_SIZE;
}

/* It is asked to prove its address, or told of the cluster as one of whom nothing is known, and has
 * answered all that. */
static bool asks_again(const struct check *check, const struct sim_happening *sent)
{
    struct swim_member peer;

    return (sent_challenge(sent) != 0 || tags_of(check, sent) != 0) && sent->peer != SIM_NOBODY &&
           swim_member_find(sim_member(check->sim, sent->node), sim_id(check->sim, sent->peer),
                            &peer) &&
           peer.is_proved;
}

void views_sent(struct check *check, const struct sim_happening *sent)
{
    if (!is_silence(check) || sent->node == SIM_NOBODY || sent->size < HEADER_SIZE + 2 ||
        !check_is_expected(check, sent->node))
        return;
    if (!is_quiet_word(check, sent))
        check_complain(check, CHECK_SILENCE, sent->node,
                       "sends a datagram of kind %u, %lu bytes, when nothing is to be said",
                       sent->data[1], (unsigned long)sent->size);
    else if (asks_again(check, sent))
        check_complain(check, CHECK_SILENCE, sent->node,
                       "asks n%lu for a proof of its address, which it has given",
                       (unsigned long)sent->peer);
}

void views_tick(struct check *check)
{
    uint64_t now_ns = sim_now(check->sim);

    for (uint32_t i = 0; i < sim_nodes(check->sim); i++) {
        if (!is_ours(check, i))
            continue;
        check_self(check, i);
        if (is_silence(check))
            check_silence(check, i);
    }
    look_around(check);
    note_agreement(check, now_ns);
    check_agreement(check, now_ns);
}
