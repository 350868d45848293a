/*
 * What members say to their hosts, and what they hold as they say it: checks order, story, truth,
 * zombie, false-death, leave and pause. See check.h.
 */
#include "swimsim/check_private.h"

#include "swimsim/run.h"

#include <stdio.h>
#include <string.h>

static bool is_terminal(uint32_t status)
{
    return status >= SWIM_DEAD;
}

/* ---- Its own record ---------------------------------------------------------------------- */

void words_started(struct check *check, uint32_t node)
{
    struct seat *seat = &check->seats[node];
    struct swim_member self = {.id = sim_id(check->sim, node)};
    struct identity *identity;

    known_self(check, node, &self);
    seat->id = self.id;
    seat->incarnation = self.incarnation;
    seat->sent_incarnation = self.incarnation;
    identity = known_identity(check, self.id);
    if (identity == NULL) {
        identity = known_identity_add(check, self.id, node);
        identity->incarnation = self.incarnation;
    } else {
        identity->has_returned = true;
        identity->is_doubtful |= identity->incarnation >= self.incarnation;
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

/* Nobody meets members of another cluster, whatever addresses they come from. */
static void check_cluster(struct check *check, uint32_t observer, const struct swim_member *member)
{
    const struct identity *identity = known_identity(check, member->id);

    if (identity != NULL && check_is_strange(check, observer, identity->node))
        check_complain(check, CHECK_CLUSTER, observer,
                       "holds n%lu, which belongs to a cluster of another name",
                       (unsigned long)identity->node);
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
    check_cluster(check, observer, member);
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
    case SWIM_EVENT_RESTARTED: return was_told;
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

/* A forgotten one is back: it must have repeated since what it was asked to, or be in a new
 * incarnation, or its forgetting is no longer remembered. */
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
                   "and has proved nothing since",
                   (unsigned long long)event->id, (unsigned long)event->incarnation,
                   (unsigned long long)((local - held->forgotten_local) / SWIM_MS),
                   (unsigned long)held->incarnation);
}

/* There are restarts of those only that have been started again: whatever refutes, stands still or
 * is late has not. (An incarnation that it never had is no matter of this check, but of truth.) */
static void check_restart(struct check *check, uint32_t node, const struct sim_event *event)
{
    const struct identity *identity = known_identity(check, event->id);

    if (identity == NULL || identity->has_returned || event->incarnation > identity->incarnation ||
        sim_is_foreign(check->sim, identity->node))
        return;
    check_complain(check, CHECK_STORY, node, "says \"restarted\" of n%lu, which was not",
                   (unsigned long)identity->node);
}

/* Doubts about a member that runs, in a cluster that agreed and was not disturbed since. */
static void check_false_death(struct check *check, uint32_t node, const struct sim_event *event)
{
    const struct identity *identity = known_identity(check, event->id);
    struct swim_member self;

    if (check->agreed_at == SWIM_NEVER || identity == NULL || identity->is_doubtful ||
        check_is_in_shadow(check, identity->node) || !check_is_expected(check, identity->node) ||
        check_is_apart(check, node) || !known_self(check, identity->node, &self) ||
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
        identity->left_at < check->agreed_at || check_is_in_shadow(check, identity->node) ||
        check_is_in_shadow(check, node) || plan->member.retransmit_multiplier < 3 ||
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

/* A member tells nobody of the deaths that it finds in silence, or while it misses most of all, or
 * does badly itself (docs/protocol.md, "Deaf"). `forgotten` counts those that it missed then, and
 * does not hold any more. */
static bool keeps_deaths_back(const struct check *check, uint32_t node, uint32_t forgotten)
{
    struct swim_stats stats;
    uint32_t lost;
    uint32_t known = forgotten;

    swim_stats(sim_member(check->sim, node), &stats);
    for (uint32_t i = 0; i < SWIM_STATUS_COUNT; i++)
        known += stats.members[i];
    lost = known - stats.members[SWIM_ALIVE];
    return has_heard_nobody(check, node) || 2 * lost > known - 1 || stats.local_health >= 3;
}

static void bury(struct check *check, uint32_t node, const struct swim_member *member)
{
    const struct swim *swim = sim_member(check->sim, node);
    struct held *held = known_held(check, node, member->id);

    check->seats[node].buried_id = member->id;
    check->seats[node].buried_at = sim_now(check->sim);
    check->seats[node].forgotten = 0;
    held->is_unwitnessed = keeps_deaths_back(check, node, 0);
    held->died_local = member->changed;
    held->died_shrink = ++check->seats[node].shrinks;
    held->died_n = swim_member_count(swim, SWIM_ALIVE) + swim_member_count(swim, SWIM_SUSPECT);
}

/* One is forgotten: at the very time of a death it was still there when that one was declared. */
static void recall(struct check *check, uint32_t node)
{
    struct seat *seat = &check->seats[node];

    if (seat->buried_id != 0 && seat->buried_at == sim_now(check->sim))
        known_held(check, node, seat->buried_id)->is_unwitnessed |=
            keeps_deaths_back(check, node, ++seat->forgotten);
}

static void forget(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct held *held = known_held(check, node, event->id);

    held->is_forgotten = true;
    held->forgotten_at = event->at;
    held->forgotten_local = sim_local_time(check->sim, node, event->at);
    held->told = TOLD_NOTHING;
    recall(check, node);
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

static bool is_arrival(const struct sim_event *event)
{
    return event->kind == SWIM_EVENT_JOINED || event->kind == SWIM_EVENT_RESTARTED;
}

/* It is the member itself that this event is about. */
static bool is_of_itself(const struct sim_event *event)
{
    return event->kind > SWIM_EVENT_FORGOTTEN && event->kind != SWIM_EVENT_RESTARTED;
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
    return is_arrival(event) ? SWIM_ALIVE : (uint8_t)event->status;
}

void words_event(struct check *check, uint32_t node, const struct sim_event *event)
{
    struct swim_member member;

    if (is_of_itself(event)) {
        self_event(check, node, event);
        return;
    }
    if (event->kind == SWIM_EVENT_SUSPECTED || event->kind == SWIM_EVENT_FAILED)
        check_false_death(check, node, event);
    if (event->kind == SWIM_EVENT_FAILED)
        check_leave(check, node, event);
    if (event->kind == SWIM_EVENT_RESTARTED)
        check_restart(check, node, event);
    if (!check_is_followed(check, node))
        return;
    check_story(check, node, event);
    if (event->kind == SWIM_EVENT_FORGOTTEN) {
        forget(check, node, event);
        return;
    }
    if (is_arrival(event))
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
