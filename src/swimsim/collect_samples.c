/*
 * Looking at all views from time to time: do they agree, and how many members does each hold? It is
 * the collector's only work that grows with the cluster while nothing happens, so agreement is
 * looked at again only after something did.
 */
#include "swimsim/collect_private.h"

static void look_at_convergence(struct collect *collect)
{
    struct figures *figures = &collect->figures;
    uint64_t now_ns = sim_now(collect->sim);
    if (!collect->is_changed && collect->foreign == 0) {
        return; /* no view has changed since */
    }
    bool is_converged = sim_converged(collect->sim, NULL);
    bool was_converged = collect->is_converged && !collect->is_changed;
    collect->is_changed = false;
    if (is_converged && !was_converged) {
        figures->converged_last_ns = now_ns;
    }
    collect->is_converged = is_converged;
    if (!is_converged) {
        return;
    }
    if (figures->converged_first_ns == FIGURES_NEVER && collect->running > 1) {
        figures->converged_first_ns = now_ns;
    }
    if (figures->converged_start_ns == FIGURES_NEVER) {
        figures->converged_start_ns = now_ns - figures->last_start_ns;
    }
}

/* Every other one goes; those of the even seconds stay. */
static void thin_samples(struct collect *collect)
{
    for (size_t i = 0; 2 * i < collect->sample_count; i++) {
        collect->samples[i] = collect->samples[2 * i];
    }
    collect->sample_count = (collect->sample_count + 1) / 2;
    collect->sample_interval_ns *= 2;
}

static void keep_sample(struct collect *collect, const struct figures_sample *sample)
{
    if (collect->sample_count == SAMPLES_MAX) {
        thin_samples(collect);
    }
    collect->samples[collect->sample_count++] = *sample;
    collect->next_sample_ns = sample->at_ns + collect->sample_interval_ns;
}

/* What all members see; the sizes are told apart while the cluster starts. */
static void look_at_views(struct collect *collect, bool counts_sizes)
{
    uint64_t seen_sum = 0;
    struct figures_sample sample = {.at_ns = sim_now(collect->sim),
                                    .running = collect->running,
                                    .seen_min = UINT32_MAX,
                                    .datagrams_sent = collect->figures.sent.datagrams_total,
                                    .bytes_sent = collect->figures.sent.bytes_total,
                                    .member_ns = collect_member_ns(collect)};
    uint32_t nodes = sim_nodes(collect->sim);
    for (uint32_t i = 0; i < nodes; i++) {
        if (!collect->seats[i].is_running) {
            continue;
        }
        uint32_t seen =
            sim_count(collect->sim, i, SWIM_ALIVE) + sim_count(collect->sim, i, SWIM_SUSPECT);
        sample.seen_min = seen < sample.seen_min ? seen : sample.seen_min;
        sample.seen_max = seen > sample.seen_max ? seen : sample.seen_max;
        seen_sum += seen;
        if (counts_sizes && seen <= collect->config.nodes_max) {
            set_put(collect->sizes_sampled, seen);
        }
    }
    if (collect->running > 0) {
        sample.seen_mean = (double)seen_sum / collect->running;
    } else {
        sample.seen_min = 0;
    }
    if (sample.at_ns >= collect->next_sample_ns) {
        keep_sample(collect, &sample);
    }
}

void collect_tick(struct collect *collect)
{
    uint64_t now_ns = sim_now(collect->sim);
    bool is_starting = collect->figures.converged_start_ns == FIGURES_NEVER;
    bool counts_sizes = is_starting && now_ns >= collect->next_size_ns;
    if (counts_sizes || now_ns >= collect->next_sample_ns) {
        look_at_views(collect, counts_sizes);
    }
    if (counts_sizes) {
        collect->next_size_ns = now_ns + SIM_SECOND;
    }
    look_at_convergence(collect);
}
