/*
 * What a member told its host, judged: is it news that was awaited, or is it wrong, and if so, was
 * there a reason? False positives are counted as Lifeguard counts them (arXiv 1707.00788,
 * section V): each event at each member, about members that were healthy all along.
 */
#include "swimsim/collect_private.h"

/* A partition may be why: they are in different groups, or one was healed less than a shadow ago.
 * Then all words count, for each side tells its own what it believed of the other. */
static bool is_apart(const struct collect *collect, uint32_t a, uint32_t b)
{
    return collect->seats[a].group != collect->seats[b].group ||
           (collect->was_healed &&
            sim_now(collect->sim) - collect->healed_ns < collect->config.shadow_ns);
}

static struct subject *subject_in(struct collect *collect, const struct sim_event *event)
{
    uint32_t number = ids_find(&collect->ids, event->id);
    return number == IDS_NONE ? NULL : &collect->subjects[number];
}

/* ---- Who holds whom for dead ------------------------------------------------------------- */

static void note_gone(struct collect *collect, struct subject *subject, uint32_t observer)
{
    if (subject->gone_at == NULL) {
        subject->gone_at = news_take_set(&collect->news);
    }
    if (subject->gone_at != NULL) {
        set_put(subject->gone_at, observer);
    }
}

static void note_back(struct collect *collect, struct subject *subject, uint32_t observer)
{
    if (subject->gone_at == NULL || !set_has(subject->gone_at, observer)) {
        return;
    }
    set_drop(subject->gone_at, observer);
    if (!subject->is_running) {
        collect->figures.resurrections++;
        return;
    }
    collect->figures.oscillations++;
    collect->figures.oscillating_members += !subject->was_oscillating;
    subject->was_oscillating = true;
}

/* ---- Words ------------------------------------------------------------------------------- */

/* Where a wrong word is counted. */
struct counters {
    uint64_t *unreachable;
    uint64_t *faulted;
    uint64_t *wrong;
    uint64_t *wrong_healthy;
};

/* A running member that does not leave was called suspect or dead. True when it had no reason. */
static bool is_wrong(struct collect *collect, const struct sim_event *event, uint32_t node,
                     const struct counters *counters)
{
    if (is_apart(collect, event->node, node)) {
        ++*counters->unreachable;
        return false;
    }
    if (!collect_is_healthy(collect, node)) {
        ++*counters->faulted;
        return false;
    }
    ++*counters->wrong;
    *counters->wrong_healthy += collect_is_healthy(collect, event->node);
    return true;
}

static void on_suspected(struct collect *collect, const struct sim_event *event)
{
    struct subject *subject = subject_in(collect, event);
    if (subject == NULL || event->incarnation < subject->incarnation) {
        return; /* an earlier life: it is over, that's right */
    }
    if (subject->is_running && !subject->is_leaving) {
        struct figures *figures = &collect->figures;
        is_wrong(collect, event, subject->node,
                 &(struct counters){.unreachable = &figures->unreachable_suspected,
                                    .faulted = &figures->faulted_suspected,
                                    .wrong = &figures->false_suspected,
                                    .wrong_healthy = &figures->false_suspected_healthy});
    } else if (subject->end != NEWS_NONE) {
        news_suspect(&collect->news, subject->end, event->at);
    }
}

static void on_false_failed(struct collect *collect, const struct sim_event *event,
                            struct subject *subject)
{
    struct figures *figures = &collect->figures;
    if (is_wrong(collect, event, subject->node,
                 &(struct counters){.unreachable = &figures->unreachable_failed,
                                    .faulted = &figures->faulted_failed,
                                    .wrong = &figures->false_failed,
                                    .wrong_healthy = &figures->false_failed_healthy})) {
        figures->false_failed_members += !subject->was_false_failed;
        subject->was_false_failed = true;
    }
}

/* FAILED or LEFT. */
static void on_gone(struct collect *collect, const struct sim_event *event)
{
    struct subject *subject = subject_in(collect, event);
    if (subject == NULL || event->incarnation < subject->incarnation) {
        return;
    }
    if (subject->is_running && !subject->is_leaving) {
        on_false_failed(collect, event, subject);
    } else if (event->kind == SWIM_EVENT_FAILED &&
               (subject->is_leaving || subject->ended_by == FIGURES_LEAVE)) {
        collect->figures.leaver_failed++;
    }
    if (subject->end != NEWS_NONE) {
        news_tell(&collect->news, subject->end, event->node, event->at);
    }
    note_gone(collect, subject, event->node);
}

/* JOINED or RESTARTED. */
static void on_joined(struct collect *collect, const struct sim_event *event)
{
    struct subject *subject = subject_in(collect, event);
    if (subject == NULL || event->incarnation < subject->incarnation) {
        return;
    }
    if (subject->join != NEWS_NONE) {
        news_tell(&collect->news, subject->join, event->node, event->at);
    }
    note_back(collect, subject, event->node);
}

/* Changes of the number of members that the host has been told of. */
static void count_size(struct collect *collect, uint32_t node)
{
    uint32_t seen =
        sim_count(collect->sim, node, SWIM_ALIVE) + sim_count(collect->sim, node, SWIM_SUSPECT);
    if (seen <= collect->config.nodes_max) {
        set_put(collect->sizes_told, seen);
    }
}

void collect_word(struct collect *collect, const struct sim_event *event)
{
    if (event->kind < FIGURES_EVENTS) {
        collect->figures.events[event->kind]++;
    }
    switch (event->kind) {
    case SWIM_EVENT_RESTARTED:
    case SWIM_EVENT_JOINED: on_joined(collect, event); break;
    case SWIM_EVENT_SUSPECTED: on_suspected(collect, event); break;
    case SWIM_EVENT_FAILED:
    case SWIM_EVENT_LEFT: on_gone(collect, event); break;
    default: return;
    }
    if (event->kind != SWIM_EVENT_SUSPECTED &&
        collect->figures.converged_start_ns == FIGURES_NEVER) {
        count_size(collect, event->node);
    }
}
