/*
 * What a run came to: spreads, rates and the rest of `struct figures`. Floating point is used here
 * and in the reports only; nothing of it flows back into the run.
 */
#define _GNU_SOURCE
#include "swimsim/collect_private.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* ---- Spreads ----------------------------------------------------------------------------- */

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* The smallest of the sorted numbers that is not below so many thousandths of them. */
static size_t rank_of(size_t count, size_t permille)
{
    size_t rank = (count * permille + 999) / 1000;
    return rank > 0 ? rank - 1 : 0;
}

struct figures_spread figures_spread_of(uint64_t *numbers, size_t count)
{
    struct figures_spread spread = {.count = count};
    if (count == 0) {
        return spread;
    }
    qsort(numbers, count, sizeof *numbers, compare_u64);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)numbers[i];
    }
    spread.min = numbers[0];
    spread.median = numbers[rank_of(count, 500)];
    spread.p90 = numbers[rank_of(count, 900)];
    spread.p99 = numbers[rank_of(count, 990)];
    spread.p999 = numbers[rank_of(count, 999)];
    spread.max = numbers[count - 1];
    spread.mean = sum / (double)count;
    return spread;
}

/* ---- News -------------------------------------------------------------------------------- */

static uint64_t suspected_of(const struct figures_news *news)
{
    return news->first_suspected_ns;
}

static uint64_t known_of(const struct figures_news *news)
{
    return news->first_known_ns;
}

static uint64_t all_of(const struct figures_news *news)
{
    return news->share_ns[FIGURES_SHARES - 1];
}

/* Of those pieces of news of a kind that came so far. */
static struct figures_spread spread_of_news(const struct figures *figures,
                                            enum figures_news_kind kind,
                                            uint64_t (*delay_of)(const struct figures_news *))
{
    uint64_t *delays = collect_allocate(figures->news_count, sizeof *delays);
    size_t count = 0;
    for (size_t i = 0; i < figures->news_count; i++) {
        const struct figures_news *news = &figures->news[i];
        if (news->kind == kind && delay_of(news) != FIGURES_NEVER) {
            delays[count++] = delay_of(news);
        }
    }
    struct figures_spread spread = figures_spread_of(delays, count);
    free(delays);
    return spread;
}

static void sum_up_crashes(struct figures *figures)
{
    for (size_t i = 0; i < figures->news_count; i++) {
        const struct figures_news *news = &figures->news[i];
        if (news->kind != FIGURES_CRASH || news->awaited == 0) {
            continue;
        }
        bool is_partial = news->told < news->awaited;
        figures->crashes_overtaken += news->is_overtaken;
        figures->crashes_unnoticed += !news->is_overtaken && news->told == 0;
        figures->crashes_partial += !news->is_overtaken && is_partial && news->told > 0;
    }
}

static void sum_up_news(const struct collect *collect, struct figures *figures)
{
    news_sum_up(&collect->news, figures);
    figures->suspected_ns = spread_of_news(figures, FIGURES_CRASH, suspected_of);
    figures->failed_ns = spread_of_news(figures, FIGURES_CRASH, known_of);
    figures->all_failed_ns = spread_of_news(figures, FIGURES_CRASH, all_of);
    figures->all_left_ns = spread_of_news(figures, FIGURES_LEAVE, all_of);
    figures->all_joined_ns = spread_of_news(figures, FIGURES_JOIN, all_of);
    double period_ns = (double)figures->probe_period_ms * (double)SWIM_MS;
    figures->suspected_periods_mean = period_ns > 0 ? figures->suspected_ns.mean / period_ns : 0;
    sum_up_crashes(figures);
}

/* ---- Traffic ----------------------------------------------------------------------------- */

static uint64_t ran_ns(const struct collect *collect, const struct seat *seat)
{
    return seat->ran_ns + (seat->is_running ? sim_now(collect->sim) - seat->began_ns : 0);
}

/* In thousandths a second; in whole numbers, for these are sorted. */
static uint64_t rate_of(uint64_t amount, uint64_t duration_ns)
{
    return amount * 1000000 / (duration_ns / SWIM_MS);
}

static struct figures_rate rate_of_flows(const struct collect *collect, bool is_sent)
{
    struct figures_rate rate = {0};
    uint64_t *datagrams = collect_allocate(collect->config.nodes_max, sizeof *datagrams);
    uint64_t *bytes = collect_allocate(collect->config.nodes_max, sizeof *bytes);
    size_t count = 0;
    for (uint32_t i = 0; i < collect->config.nodes_max; i++) {
        const struct seat *seat = &collect->seats[i];
        const struct flow *flow = is_sent ? &seat->sent : &seat->received;
        uint64_t duration_ns = ran_ns(collect, seat);
        if (duration_ns >= SIM_SECOND) { /* of less no rate is told */
            datagrams[count] = rate_of(flow->datagrams, duration_ns);
            bytes[count++] = rate_of(flow->bytes, duration_ns);
        }
    }
    struct figures_spread of_datagrams = figures_spread_of(datagrams, count);
    struct figures_spread of_bytes = figures_spread_of(bytes, count);
    rate.datagrams_p99 = (double)of_datagrams.p99 / 1000;
    rate.datagrams_max = (double)of_datagrams.max / 1000;
    rate.bytes_p99 = (double)of_bytes.p99 / 1000;
    rate.bytes_max = (double)of_bytes.max / 1000;
    free(datagrams);
    free(bytes);
    return rate;
}

static void sum_up_rate(struct figures_rate *rate, const struct sim_traffic *traffic,
                        const struct busiest *busiest, uint64_t member_ns)
{
    double member_seconds = (double)member_ns / (double)SIM_SECOND;
    if (member_ns > 0) {
        rate->datagrams_mean = (double)traffic->datagrams_total / member_seconds;
        rate->bytes_mean = (double)traffic->bytes_total / member_seconds;
    }
    rate->window_datagrams_max = busiest->datagrams;
    rate->window_bytes_max = busiest->bytes;
    rate->window_node = busiest->node;
    rate->window_at_ns = busiest->at_ns;
}

static void sum_up_traffic(const struct collect *collect, struct figures *figures)
{
    figures->member_ns = collect_member_ns(collect);
    figures->sending = rate_of_flows(collect, true);
    figures->receiving = rate_of_flows(collect, false);
    sum_up_rate(&figures->sending, &figures->sent, &collect->busiest_sent, figures->member_ns);
    sum_up_rate(&figures->receiving, &figures->received, &collect->busiest_received,
                figures->member_ns);
    figures->ledger = sim_ledger(collect->sim);
    for (size_t i = 0; i < SIM_DROPS; i++) {
        figures->dropped[i] = figures->ledger.dropped[i] - collect->ledger_before.dropped[i];
    }
}

/* ---- Members ----------------------------------------------------------------------------- */

static void subtract_counters(struct swim_stats *from, const struct swim_stats *what)
{
#define SUBTRACT(name, help) from->name -= what->name;
    SWIM_COUNTERS(SUBTRACT)
#undef SUBTRACT
    from->rtt_count -= what->rtt_count;
    from->rtt_sum_ns -= what->rtt_sum_ns;
    for (size_t i = 0; i < SWIM_RTT_BUCKETS; i++) {
        from->rtt_bucket[i] -= what->rtt_bucket[i];
    }
    from->detection_count -= what->detection_count;
    from->detection_sum_ns -= what->detection_sum_ns;
    for (size_t i = 0; i < SWIM_DETECTION_BUCKETS; i++) {
        from->detection_bucket[i] -= what->detection_bucket[i];
    }
}

static void add_gauges(struct figures *figures, const struct swim_stats *stats)
{
    struct swim_stats *sum = &figures->counters;
    uint32_t health = stats->local_health;
    figures->health[health < FIGURES_HEALTH ? health : FIGURES_HEALTH - 1]++;
    for (size_t i = 0; i < SWIM_STATUS_COUNT; i++) {
        sum->members[i] += stats->members[i];
    }
    sum->news_queued += stats->news_queued;
    sum->accusations_queued += stats->accusations_queued;
    sum->slots_used += stats->slots_used;
    sum->outbox_queued += stats->outbox_queued;
}

static void sum_up_members(const struct collect *collect, struct figures *figures)
{
    collect_sum_counters(collect, &figures->counters);
    subtract_counters(&figures->counters, &collect->counters_before);
    uint32_t nodes = sim_nodes(collect->sim);
    for (uint32_t i = 0; i < nodes; i++) {
        const struct seat *seat = &collect->seats[i];
        figures->faulted += seat->was_faulted;
        figures->running += seat->is_running;
        if (seat->is_running && !sim_is_foreign(collect->sim, i)) {
            struct swim_stats stats;
            swim_stats(sim_member(collect->sim, i), &stats);
            add_gauges(figures, &stats);
        }
    }
}

static uint32_t size_of_set(const uint64_t *set, uint32_t highest)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= highest; i++) {
        count += set_has(set, i);
    }
    return count;
}

/* ---- All --------------------------------------------------------------------------------- */

static void sum_up_machine(const struct collect *collect, struct figures *figures)
{
    struct timespec t = {0};
    struct rusage usage = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    figures->wall_ns =
        (uint64_t)t.tv_sec * SIM_SECOND + (uint64_t)t.tv_nsec - collect->wall_begin_ns;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        figures->peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    }
}

void collect_finish(struct collect *collect, struct figures *ret_figures)
{
    struct figures *figures = ret_figures;
    *figures = collect->figures;
    figures->begin_ns = collect->begin_ns;
    figures->end_ns = sim_now(collect->sim);
    figures->trace_hash = sim_trace_hash(collect->sim);
    figures->nodes = sim_nodes(collect->sim);
    if (figures->nodes > 0) {
        figures->probe_period_ms = sim_member_config(collect->sim, 0)->probe_interval_ms;
    }
    figures->is_converged = sim_converged(collect->sim, NULL);
    figures->sizes_sampled = size_of_set(collect->sizes_sampled, collect->config.nodes_max);
    figures->sizes_told = size_of_set(collect->sizes_told, collect->config.nodes_max);
    sum_up_news(collect, figures);
    sum_up_traffic(collect, figures);
    sum_up_members(collect, figures);
    figures->sample_count = collect->sample_count;
    figures->samples = collect_allocate(collect->sample_count, sizeof *figures->samples);
    if (collect->sample_count > 0) {
        memcpy(figures->samples, collect->samples,
               collect->sample_count * sizeof *figures->samples);
    }
    sum_up_machine(collect, figures);
}

void figures_free(struct figures *figures)
{
    free(figures->news);
    free(figures->joins.points);
    free(figures->deaths.points);
    free(figures->spread.points);
    free(figures->leaves.points);
    free(figures->samples);
    memset(figures, 0, sizeof *figures);
}
