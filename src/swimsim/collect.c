/*
 * The collector: who runs, who is faulted, what is sent, and what news there is. What the members
 * say is judged in collect_words.c, what they hold is sampled in collect_samples.c, and the sums are
 * drawn in collect_figures.c.
 */
#define _GNU_SOURCE
#include "swimsim/collect_private.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t wall_now(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SIM_SECOND + (uint64_t)t.tv_nsec;
}

/* ---- Healthy or not ---------------------------------------------------------------------- */

static bool is_faulted(const struct collect *collect, uint32_t node)
{
    const struct seat *seat = &collect->seats[node];
    if (seat->is_paused || seat->is_blocked) {
        return true;
    }
    uint64_t now_ns = sim_now(collect->sim);
    return seat->was_faulted && (seat->faulted_until_ns >= now_ns ||
                                 now_ns - seat->faulted_until_ns < collect->config.shadow_ns);
}

bool collect_is_healthy(const struct collect *collect, uint32_t node)
{
    const struct seat *seat = &collect->seats[node];
    return seat->is_running && !collect->subjects[seat->subject].is_leaving &&
           !is_faulted(collect, node);
}

static void extend_fault(struct collect *collect, uint32_t node, uint64_t until_ns)
{
    struct seat *seat = &collect->seats[node];
    if (!seat->was_faulted || seat->faulted_until_ns < until_ns) {
        seat->faulted_until_ns = until_ns;
    }
    seat->was_faulted = true;
    news_excuse(&collect->news, node, sim_now(collect->sim));
}

void collect_note_fault(struct collect *collect, uint32_t node, uint64_t until_ns)
{
    ASSERT(node < collect->config.nodes_max);
    extend_fault(collect, node, until_ns);
}

void collect_note_well(struct collect *collect, uint32_t node)
{
    ASSERT(node < collect->config.nodes_max);
    struct seat *seat = &collect->seats[node];
    if (seat->was_faulted && seat->faulted_until_ns > sim_now(collect->sim)) {
        seat->faulted_until_ns = sim_now(collect->sim);
    }
}

void collect_note_group(struct collect *collect, uint32_t node, uint32_t group)
{
    ASSERT(node < collect->config.nodes_max);
    collect->seats[node].group = group;
}

void collect_note_heal(struct collect *collect)
{
    bool was_split = false;
    for (uint32_t i = 0; i < collect->config.nodes_max; i++) {
        was_split = was_split || collect->seats[i].group != 0;
        collect->seats[i].group = 0;
    }
    if (was_split) {
        collect->was_healed = true;
        collect->healed_ns = sim_now(collect->sim);
    }
}

static void note_block(struct collect *collect, const struct sim_happening *happening)
{
    struct seat *seat = &collect->seats[happening->node];
    extend_fault(collect, happening->node, happening->at);
    if (happening->kind == SIM_HAPPENED_PAUSED || happening->kind == SIM_HAPPENED_RESUMED) {
        seat->is_paused = happening->kind == SIM_HAPPENED_PAUSED;
    } else {
        seat->is_blocked = happening->kind == SIM_HAPPENED_BLOCKED;
    }
}

/* ---- News -------------------------------------------------------------------------------- */

static bool is_awaited(const struct collect *collect, uint32_t node, uint64_t id, bool is_join)
{
    enum swim_status held = SWIM_DEAD;
    return collect_is_healthy(collect, node) && !sim_is_foreign(collect->sim, node) &&
           (is_join || (sim_status(collect->sim, node, id, &held) && held <= SWIM_SUSPECT));
}

/* News about a life that has just begun or ended. */
static uint32_t open_news(struct collect *collect, uint32_t subject, enum figures_news_kind kind)
{
    struct figures_news news = {.kind = kind,
                                .node = collect->subjects[subject].node,
                                .id = sim_id(collect->sim, collect->subjects[subject].node),
                                .at_ns = sim_now(collect->sim)};
    uint64_t *pending = news_take_set(&collect->news);
    if (pending == NULL) {
        collect->news.untracked++;
        return NEWS_NONE;
    }
    uint32_t nodes = sim_nodes(collect->sim);
    for (uint32_t i = 0; i < nodes; i++) {
        if (i != news.node && is_awaited(collect, i, news.id, kind == FIGURES_JOIN)) {
            set_put(pending, i);
        }
    }
    return news_open(&collect->news, &news, pending);
}

/* ---- Lives ------------------------------------------------------------------------------- */

static void overtake(struct collect *collect, struct subject *subject)
{
    if (subject->join != NEWS_NONE) {
        news_overtake(&collect->news, subject->join);
    }
    if (subject->end != NEWS_NONE) {
        news_overtake(&collect->news, subject->end);
    }
}

static struct subject *subject_of(struct collect *collect, uint64_t id, uint32_t *ret_number)
{
    uint32_t before = collect->ids.count;
    uint32_t number = ids_add(&collect->ids, id);
    if (number >= collect->subject_capacity) {
        uint32_t capacity = 2 * number + 64;
        collect->subjects = collect_grow(collect->subjects, collect->subject_capacity, capacity,
                                         sizeof *collect->subjects);
        collect->subject_capacity = capacity;
    }
    struct subject *subject = &collect->subjects[number];
    if (number == before) {
        subject->join = NEWS_NONE;
        subject->end = NEWS_NONE;
    }
    *ret_number = number;
    return subject;
}

/* What the former life on this node believed is forgotten with it. */
static void forget_beliefs(struct collect *collect, uint32_t node)
{
    for (uint32_t i = 0; i < collect->ids.count; i++) {
        if (collect->subjects[i].gone_at != NULL) {
            set_drop(collect->subjects[i].gone_at, node);
        }
    }
}

static void count_time(struct collect *collect)
{
    uint64_t now_ns = sim_now(collect->sim);
    collect->ran_ns += (now_ns - collect->counted_ns) * collect->running;
    collect->counted_ns = now_ns;
}

uint64_t collect_member_ns(const struct collect *collect)
{
    return collect->ran_ns + (sim_now(collect->sim) - collect->counted_ns) * collect->running;
}

/* A life under this id, on a node that runs or is about to. */
static uint32_t begin_subject(struct collect *collect, uint32_t node, uint64_t id,
                              uint32_t incarnation)
{
    uint32_t number;
    struct subject *subject = subject_of(collect, id, &number);
    overtake(collect, subject);
    news_return_set(&collect->news, subject->gone_at);
    *subject = (struct subject){.node = node,
                                .incarnation = incarnation,
                                .join = NEWS_NONE,
                                .end = NEWS_NONE,
                                .is_running = true};
    collect->seats[node].subject = number;
    return number;
}

static void begin_life(struct collect *collect, uint32_t node)
{
    struct seat *seat = &collect->seats[node];
    const struct swim_config *config = sim_member_config(collect->sim, node);
    count_time(collect);
    collect->running++;
    collect->foreign += sim_is_foreign(collect->sim, node);
    collect->is_changed = true;
    seat->is_running = true;
    seat->began_ns = sim_now(collect->sim);
    begin_subject(collect, node, config->id, config->incarnation);
}

static void on_started(struct collect *collect, uint32_t node)
{
    forget_beliefs(collect, node);
    begin_life(collect, node);
    uint32_t number = collect->seats[node].subject;
    if (node % collect->join_stride == 0) {
        uint32_t news = open_news(collect, number, FIGURES_JOIN);
        collect->subjects[number].join = news;
    }
    collect->figures.started++;
    collect->figures.last_start_ns = sim_now(collect->sim);
    collect->figures.converged_start_ns = FIGURES_NEVER;
}

static void add_counters(struct swim_stats *sum, const struct swim_stats *more)
{
#define ADD(name, help) sum->name += more->name;
    SWIM_COUNTERS(ADD)
#undef ADD
    sum->rtt_count += more->rtt_count;
    sum->rtt_sum_ns += more->rtt_sum_ns;
    for (size_t i = 0; i < SWIM_RTT_BUCKETS; i++) {
        sum->rtt_bucket[i] += more->rtt_bucket[i];
    }
    sum->detection_count += more->detection_count;
    sum->detection_sum_ns += more->detection_sum_ns;
    for (size_t i = 0; i < SWIM_DETECTION_BUCKETS; i++) {
        sum->detection_bucket[i] += more->detection_bucket[i];
    }
}

/* A crash, or the end of a leave; the end of a leave is no news, its beginning was. */
static void on_stopped(struct collect *collect, uint32_t node, bool has_left)
{
    struct seat *seat = &collect->seats[node];
    struct subject *subject = &collect->subjects[seat->subject];
    count_time(collect);
    collect->running--;
    collect->foreign -= sim_is_foreign(collect->sim, node);
    collect->is_changed = true;
    seat->is_running = false;
    seat->ran_ns += sim_now(collect->sim) - seat->began_ns;
    seat->is_paused = false;
    seat->is_blocked = false;
    subject->is_running = false;
    subject->ended_by = has_left || subject->is_leaving ? FIGURES_LEAVE : FIGURES_CRASH;
    if (subject->join != NEWS_NONE) {
        news_overtake(&collect->news, subject->join);
    }
    news_excuse(&collect->news, node, sim_now(collect->sim));
    collect->figures.left += has_left;
    collect->figures.killed += !has_left;
    if (subject->ended_by == FIGURES_CRASH) {
        uint32_t news = open_news(collect, seat->subject, FIGURES_CRASH);
        collect->subjects[seat->subject].end = news;
    }
    if (!sim_is_foreign(collect->sim, node)) {
        struct swim_stats stats;
        swim_stats(sim_member(collect->sim, node), &stats);
        add_counters(&collect->figures.counters, &stats);
    }
}

static void on_leaving(struct collect *collect, uint32_t node)
{
    uint32_t number = collect->seats[node].subject;
    if (collect->subjects[number].is_leaving) {
        return;
    }
    collect->subjects[number].is_leaving = true;
    collect->is_changed = true;
    news_excuse(&collect->news, node, sim_now(collect->sim));
    uint32_t news = open_news(collect, number, FIGURES_LEAVE);
    collect->subjects[number].end = news;
}

/* The member took a new id: the old one is nobody's, the new one is its life from now on. */
static void on_id_changed(struct collect *collect, const struct sim_event *event)
{
    struct subject *old = &collect->subjects[collect->seats[event->node].subject];
    old->is_running = false;
    old->ended_by = FIGURES_CRASH;
    overtake(collect, old);
    begin_subject(collect, event->node, event->id, event->incarnation);
}

/* ---- Traffic ----------------------------------------------------------------------------- */

static void count_flow(struct flow *flow, struct busiest *busiest, uint32_t node,
                       const struct sim_happening *happening)
{
    uint64_t window = happening->at / SIM_SECOND;
    if (flow->window != window) {
        flow->window = window;
        flow->window_datagrams = 0;
        flow->window_bytes = 0;
    }
    flow->datagrams++;
    flow->bytes += happening->size;
    flow->window_datagrams++;
    flow->window_bytes += happening->size;
    if (flow->window_datagrams > busiest->datagrams) {
        busiest->datagrams = flow->window_datagrams;
    }
    if (flow->window_bytes > busiest->bytes) {
        busiest->bytes = flow->window_bytes;
        busiest->at_ns = window * SIM_SECOND;
        busiest->node = node;
    }
}

static void count_kind(struct sim_traffic *traffic, const struct sim_happening *happening)
{
    uint32_t kind = happening->size > 1 ? happening->data[1] : 0;
    kind = kind < SIM_KINDS ? kind : SIM_KINDS - 1;
    traffic->datagrams[kind]++;
    traffic->bytes[kind] += happening->size;
    traffic->datagrams_total++;
    traffic->bytes_total += happening->size;
}

static void on_datagram(struct collect *collect, const struct sim_happening *happening)
{
    uint32_t node = happening->node;
    if (node == SIM_NOBODY) {
        return; /* injected: nobody's traffic */
    }
    if (happening->kind == SIM_HAPPENED_SENT) {
        count_kind(&collect->figures.sent, happening);
        count_flow(&collect->seats[node].sent, &collect->busiest_sent, node, happening);
    } else {
        count_kind(&collect->figures.received, happening);
        count_flow(&collect->seats[node].received, &collect->busiest_received, node, happening);
    }
}

/* ---- The watcher ------------------------------------------------------------------------- */

static void on_event(struct collect *collect, const struct sim_event *event)
{
    if (event->kind != SWIM_EVENT_FORGOTTEN && event->kind != SWIM_EVENT_TABLE_FULL &&
        event->kind != SWIM_EVENT_PAUSED && event->kind != SWIM_EVENT_LEAVE_DONE) {
        collect->is_changed = true;
    }
    if (event->kind == SWIM_EVENT_ID_CHANGED) {
        on_id_changed(collect, event);
    }
    collect_word(collect, event);
}

static void watch(void *context, const struct sim *sim, const struct sim_happening *happening)
{
    struct collect *collect = context;
    (void)sim;
    switch (happening->kind) {
    case SIM_HAPPENED_SENT:
    case SIM_HAPPENED_DELIVERED: on_datagram(collect, happening); break;
    case SIM_HAPPENED_EVENT: on_event(collect, happening->event); break;
    case SIM_HAPPENED_STARTED: on_started(collect, happening->node); break;
    case SIM_HAPPENED_CRASHED: on_stopped(collect, happening->node, false); break;
    case SIM_HAPPENED_LEAVING: on_leaving(collect, happening->node); break;
    case SIM_HAPPENED_LEFT: on_stopped(collect, happening->node, true); break;
    case SIM_HAPPENED_PAUSED:
    case SIM_HAPPENED_RESUMED:
    case SIM_HAPPENED_BLOCKED:
    case SIM_HAPPENED_UNBLOCKED: note_block(collect, happening); break;
    default: break; /* drops are in the ledger; the rest is known from the runner */
    }
}

/* ---- Beginning and end ------------------------------------------------------------------- */

void collect_sum_counters(const struct collect *collect, struct swim_stats *sum)
{
    uint32_t nodes = sim_nodes(collect->sim);
    for (uint32_t i = 0; i < nodes; i++) {
        if (collect->seats[i].is_running && !sim_is_foreign(collect->sim, i)) {
            struct swim_stats stats;
            swim_stats(sim_member(collect->sim, i), &stats);
            add_counters(sum, &stats);
        }
    }
}

void collect_config_default(struct collect_config *config, uint32_t nodes_max)
{
    *config = (struct collect_config){.nodes_max = nodes_max,
                                      .sample_ns = SIM_SECOND,
                                      .shadow_ns = 15 * SIM_SECOND,
                                      .bitmap_bytes_max = UINT64_C(256) << 20,
                                      .joins_max = 1000};
}

/* Of those that may still start, so that of thousands which are there the few that join later are
 * followed. */
static uint32_t join_stride(const struct collect *collect)
{
    uint32_t absent = collect->config.nodes_max - collect->running;
    return absent == 0 ? 1 : (absent - 1) / collect->config.joins_max + 1;
}

/* The lives that run when a measurement begins. */
static void begin_measurement(struct collect *collect)
{
    uint64_t now_ns = sim_now(collect->sim);
    struct figures *figures = &collect->figures;
    memset(figures, 0, sizeof *figures);
    figures->converged_first_ns = FIGURES_NEVER;
    figures->last_start_ns = now_ns;
    figures->converged_start_ns = FIGURES_NEVER;
    collect->begin_ns = now_ns;
    collect->counted_ns = now_ns;
    collect->ran_ns = 0;
    collect->join_stride = join_stride(collect);
    collect->is_converged = false;
    collect->is_changed = true;
    collect->ledger_before = sim_ledger(collect->sim);
    memset(&collect->counters_before, 0, sizeof collect->counters_before);
    collect_sum_counters(collect, &collect->counters_before);
    memset(&collect->busiest_sent, 0, sizeof collect->busiest_sent);
    memset(&collect->busiest_received, 0, sizeof collect->busiest_received);
    size_t sizes = (size_t)collect->config.nodes_max / 64 + 1;
    memset(collect->sizes_sampled, 0, sizes * sizeof(uint64_t));
    memset(collect->sizes_told, 0, sizes * sizeof(uint64_t));
    collect->next_size_ns = now_ns;
    collect->sample_count = 0;
    collect->sample_interval_ns = collect->config.sample_ns;
    collect->next_sample_ns = now_ns;
}

struct collect *collect_new(struct sim *sim, const struct collect_config *config)
{
    ASSERT(config->sample_ns > 0 && config->joins_max > 0 && sim_nodes(sim) <= config->nodes_max);
    struct collect *collect = collect_allocate(1, sizeof *collect);
    size_t sizes = (size_t)config->nodes_max / 64 + 1;
    collect->sim = sim;
    collect->config = *config;
    collect->wall_begin_ns = wall_now();
    collect->seats = collect_allocate(config->nodes_max, sizeof *collect->seats);
    collect->sizes_sampled = collect_allocate(sizes, sizeof(uint64_t));
    collect->sizes_told = collect_allocate(sizes, sizeof(uint64_t));
    news_init(&collect->news, config->nodes_max, config->bitmap_bytes_max);
    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        if (sim_state(sim, i) != SIM_STOPPED) {
            begin_life(collect, i);
        }
    }
    begin_measurement(collect);
    sim_watch(sim, watch, collect);
    return collect;
}

void collect_reset(struct collect *collect)
{
    for (uint32_t i = 0; i < collect->ids.count; i++) {
        struct subject *subject = &collect->subjects[i];
        subject->join = NEWS_NONE;
        subject->end = NEWS_NONE;
        subject->was_false_failed = false;
        subject->was_oscillating = false;
        news_return_set(&collect->news, subject->gone_at);
        subject->gone_at = NULL;
    }
    news_reset(&collect->news);
    for (uint32_t i = 0; i < collect->config.nodes_max; i++) {
        struct seat *seat = &collect->seats[i];
        seat->began_ns = sim_now(collect->sim);
        seat->ran_ns = 0;
        memset(&seat->sent, 0, sizeof seat->sent);
        memset(&seat->received, 0, sizeof seat->received);
    }
    begin_measurement(collect);
}

void collect_free(struct collect *collect)
{
    if (collect == NULL) {
        return;
    }
    for (uint32_t i = 0; i < collect->ids.count; i++) {
        free(collect->subjects[i].gone_at);
    }
    news_free(&collect->news);
    free(collect->subjects);
    free(collect->seats);
    free(collect->sizes_sampled);
    free(collect->sizes_told);
    ids_free(&collect->ids);
    free(collect);
}
