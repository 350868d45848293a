/*
 * The checker's entrance: takes in what happens and the ticks, keeps the seats (who runs, which
 * life, since when the network is calm), and gives out the first complaint. See check.h.
 */
#include "swimsim/check_private.h"

#include "base/assert.h"
#include "swimsim/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With so many nodes, every word of every member is followed: a story for each pair of them. */
#define FOLLOW_ALL_MAX 600

static const char *const names[CHECK_COUNT] = {
#define CHECK_TEXT(name, text) text,
    CHECK_LIST(CHECK_TEXT)
#undef CHECK_TEXT
};

const char *check_name(enum check_id id)
{
    return id < CHECK_COUNT ? names[id] : "?";
}

enum check_id check_find(const char *name)
{
    uint32_t id = 0;

    while (id < CHECK_COUNT && strcmp(names[id], name) != 0)
        id++;
    return (enum check_id)id;
}

/* ---- Complaints -------------------------------------------------------------------------- */

bool check_is_on(const struct check *check, enum check_id id)
{
    return (check->config.off >> id & 1) == 0;
}

void check_complain(struct check *check, enum check_id id, uint32_t node, const char *format, ...)
{
    uint64_t now_ns = sim_now(check->sim);
    char who[16] = "all";
    char what[400];
    va_list list;

    if (check->failed != CHECK_COUNT || !check_is_on(check, id))
        return;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (node != SIM_NOBODY)
        snprintf(who, sizeof who, "n%lu", (unsigned long)node);
    snprintf(check->failure, sizeof check->failure, "%s: %s at %llu.%03llu s: %s", names[id], who,
             (unsigned long long)(now_ns / SIM_SECOND),
             (unsigned long long)(now_ns % SIM_SECOND / SWIM_MS), what);
    check->failed = id;
    check->failed_at = now_ns;
}

const char *check_failure(const struct check *check)
{
    return check->failed != CHECK_COUNT ? check->failure : NULL;
}

enum check_id check_failed(const struct check *check)
{
    return check->failed;
}

uint64_t check_failed_at(const struct check *check)
{
    return check->failed_at;
}

/* ---- Who is who -------------------------------------------------------------------------- */

bool check_is_apart(const struct check *check, uint32_t node)
{
    return check->config.run != NULL && !check->is_thin && run_is_faulted(check->config.run, node);
}

static bool is_watched(const struct check *check, uint32_t node)
{
    return node % check->stride == 0;
}

bool check_is_followed(const struct check *check, uint32_t node)
{
    return check->follows_all || is_watched(check, node);
}

bool check_is_expected(const struct check *check, uint32_t node)
{
    return sim_state(check->sim, node) == SIM_RUNNING && !check->seats[node].is_leaving &&
           !check_is_apart(check, node);
}

bool check_is_strange(const struct check *check, uint32_t node, uint32_t other)
{
    return check->seats[node].cluster != check->seats[other].cluster;
}

bool check_is_in_shadow(const struct check *check, uint32_t node)
{
    uint64_t since_ns = check->seats[node].disturbed_at;

    return since_ns != 0 && sim_now(check->sim) < since_ns + check->shadow_ns;
}

/* ---- Beginning and end ------------------------------------------------------------------- */

void check_config_default(struct check_config *config, const struct plan *plan,
                          const struct run *run)
{
    *config = (struct check_config){.plan = plan, .run = run, .watched_max = 24};
}

static void judge_clusters(struct check *check)
{
    check->clusters = 1;
    for (uint32_t i = 0; i < check->nodes_max; i++) {
        uint32_t cluster = plan_cluster_number(check->config.plan, i);

        check->seats[i].cluster = cluster;
        if (cluster >= check->clusters)
            check->clusters = cluster + 1;
    }
}

/* All that follows from the plan alone. */
static void judge_plan(struct check *check)
{
    const struct plan *plan = check->config.plan;

    check->is_damaging = bound_is_damaging(plan);
    check->has_plain = plan->plain.kind != PLAN_SELECT_NONE;
    check->has_io_blocks = bound_has_io_blocks(plan);
    check->gentle_ns = bound_gentle_since(plan);
    check->is_deaf_end = bound_is_deaf_end(plan);
    check->thin_ns = bound_thin_since(plan);
    check->calm_ns = bound_calm_ns(plan);
    check->shadow_ns = bound_shadow_ns(plan);
    check->faults_end_ns = plan_faults_end_ns(plan);
    check->deaf_since_ns = check->faults_end_ns;
    check->agreement_ns = SWIM_NEVER;
    check->silence_ns = SWIM_NEVER;
    if (check_demands_agreement(plan)) {
        check->agreement_ns = check->faults_end_ns + check_bound_ns(plan);
        check->silence_ns = check->agreement_ns + check_silence_ns(plan);
    }
}

static void see(void *context, const struct sim *sim, const struct sim_happening *happening);

struct check *check_new(struct sim *sim, const struct check_config *config)
{
    const struct plan *plan = config->plan;
    struct check *check = calloc(1, sizeof *check);

    ASSERT(check != NULL && config->watched_max > 0);
    check->config = *config;
    check->sim = sim;
    check->nodes_max = plan_nodes_total(plan);
    check->seats = calloc(check->nodes_max, sizeof *check->seats);
    ASSERT(check->seats != NULL);
    check->follows_all = check->nodes_max <= FOLLOW_ALL_MAX;
    check->stride = (check->nodes_max + config->watched_max - 1) / config->watched_max;
    check->failed = CHECK_COUNT;
    check->agreed_at = SWIM_NEVER;
    judge_plan(check);
    judge_clusters(check);
    sim_watch(sim, see, check);
    return check;
}

void check_free(struct check *check)
{
    if (check == NULL)
        return;
    views_free(check);
    free(check->seats);
    free(check->identities);
    free(check->helds);
    free(check->reached);
    free(check);
}

/* ---- What happens ------------------------------------------------------------------------ */

/* Something happened to the network, and so to anybody. */
static void disturb(struct check *check)
{
    check->disturbed_at = sim_now(check->sim);
    check->agreed_at = SWIM_NEVER;
    check->is_settled = false;
}

/* Something happened to one process alone. */
static void disturb_seat(struct check *check, uint32_t node)
{
    check->seats[node].disturbed_at = sim_now(check->sim);
    check->is_settled = false;
}

static void block(struct check *check, uint32_t node)
{
    if (check->has_io_blocks)
        disturb(check);
    disturb_seat(check, node);
}

static void start(struct check *check, uint32_t node)
{
    struct seat *seat = &check->seats[node];

    *seat = (struct seat){.life = seat->life + 1, .cluster = seat->cluster, .moves = seat->moves};
    check->is_settled = false;
    words_started(check, node);
}

static void drop(struct check *check, const struct sim_happening *lost)
{
    switch (lost->drop) {
    case SIM_DROP_NOBODY:
    case SIM_DROP_STOPPED: return; /* nobody's fault */
    case SIM_DROP_BUFFER: disturb_seat(check, lost->peer); return;
    case SIM_DROP_CUT:
        if (check->is_thin)
            return;
        break;
    default: break;
    }
    disturb(check);
}

static void leave(struct check *check, uint32_t node)
{
    struct identity *identity = known_identity(check, check->seats[node].id);

    check->seats[node].is_leaving = true;
    check->is_settled = false;
    if (identity == NULL)
        return;
    identity->left_at = sim_now(check->sim);
    identity->left_incarnation = check->seats[node].incarnation;
}

static void see(void *context, const struct sim *sim, const struct sim_happening *happening)
{
    struct check *check = context;

    (void)sim;
    if (check->failed != CHECK_COUNT)
        return;
    switch (happening->kind) {
    case SIM_HAPPENED_SENT:
        if (happening->node != SIM_NOBODY)
            known_reach(check, happening->node, happening->peer, true);
        sent_datagram(check, happening);
        views_sent(check, happening);
        break;
    case SIM_HAPPENED_DELIVERED: sent_delivered(check, happening); break;
    case SIM_HAPPENED_DROPPED: drop(check, happening); break;
    case SIM_HAPPENED_EVENT: words_event(check, happening->node, happening->event); break;
    case SIM_HAPPENED_STARTED: start(check, happening->node); break;
    case SIM_HAPPENED_LEAVING: leave(check, happening->node); break;
    case SIM_HAPPENED_CRASHED:
    case SIM_HAPPENED_LEFT: check->is_settled = false; break;
    case SIM_HAPPENED_PAUSED:
        disturb_seat(check, happening->node);
        words_paused(check, happening->node);
        break;
    case SIM_HAPPENED_RESUMED:
        disturb_seat(check, happening->node);
        words_resumed(check, happening->node);
        break;
    case SIM_HAPPENED_CLOCK: check->seats[happening->node].is_clocked = true; break;
    case SIM_HAPPENED_BLOCKED:
    case SIM_HAPPENED_UNBLOCKED: block(check, happening->node); break;
    case SIM_HAPPENED_MOVED: check->seats[happening->node].moves++; break;
    case SIM_HAPPENED_NETWORK: disturb(check); break;
    default: break;
    }
}

static void acquaint(struct check *check, uint32_t node)
{
    const struct swim *swim = sim_member(check->sim, node);
    uint32_t slots = swim_member_slots(swim);
    struct swim_member member;

    for (uint32_t slot = 1; slot < slots; slot++) {
        const struct identity *identity;
        if (!swim_member_at(swim, slot, &member))
            continue;
        words_hold(check, node, &member);
        known_held(check, node, member.id)->told = (uint8_t)member.status;
        identity = known_identity(check, member.id);
        known_reach(check, node, identity != NULL ? identity->node : SIM_NOBODY, true);
    }
}

void check_acquainted(struct check *check)
{
    for (uint32_t i = 0; i < sim_nodes(check->sim); i++)
        if (sim_state(check->sim, i) == SIM_RUNNING && !sim_is_foreign(check->sim, i) &&
            check_is_followed(check, i))
            acquaint(check, i);
}

bool check_tick(struct check *check)
{
    const char *broken;

    if (check->failed != CHECK_COUNT)
        return false;
    broken = sim_failure(check->sim);
    if (broken != NULL)
        check_complain(check, CHECK_INVARIANTS, SIM_NOBODY, "%s", broken);
    check->is_thin = sim_now(check->sim) >= check->thin_ns && sim_running(check->sim) >= 3;
    views_tick(check);
    return check->failed == CHECK_COUNT;
}
