/*
 * The summary of a run on one screen. Sections without anything to tell are left out; what did not
 * happen by the end is said so, not left out.
 */
#include "swimsim/report_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_WIDTH 15

const char *report_kind_name(uint32_t kind)
{
    static const char *const names[] = {"other", "gossip",       "ping", "ping_req", "ack",
                                        "leave", "anti_entropy", "nack", "sync"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "other";
}

/* ---- Words and numbers ------------------------------------------------------------------- */

#define NUMBER_SIZE 40

/* 1234567 as 1,234,567 */
static const char *grouped(uint64_t number, char ret[NUMBER_SIZE])
{
    char digits[NUMBER_SIZE];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t place = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            ret[place++] = ',';
        }
        ret[place++] = digits[i];
    }
    ret[place] = '\0';
    return ret;
}

static const char *seconds(uint64_t ns, char ret[NUMBER_SIZE])
{
    if (ns == FIGURES_NEVER) {
        snprintf(ret, NUMBER_SIZE, "never");
    } else {
        snprintf(ret, NUMBER_SIZE, "%.3f s", report_seconds(ns));
    }
    return ret;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* A line; the label of a section's first line, "" for the others. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
row(FILE *out, const char *label, const char *format, ...)
{
    va_list arguments;
    fprintf(out, "%-*s", LABEL_WIDTH, label);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fputc('\n', out);
}

/* ---- Sections ---------------------------------------------------------------------------- */

static void write_head(FILE *out, const struct report *report)
{
    const struct figures *figures = report->figures;
    fprintf(out, "%s: %lu node%s, %.3f s of virtual time, seed %llu\n", report->scenario,
            (unsigned long)figures->nodes, plural(figures->nodes), report_seconds(figures->end_ns),
            (unsigned long long)report->seed);
    if (report->about != NULL && report->about[0] != '\0') {
        fprintf(out, "%s\n", report->about);
    }
    if (figures->begin_ns > 0) {
        fprintf(out, "Measured from %.3f s on.\n", report_seconds(figures->begin_ns));
    }
    fputc('\n', out);
}

static void write_members(FILE *out, const struct figures *figures)
{
    row(out, "members", "%lu run at the end; %lu start%s, %lu kill%s, %lu leave%s, %lu faulted",
        (unsigned long)figures->running, (unsigned long)figures->started, plural(figures->started),
        (unsigned long)figures->killed, plural(figures->killed), (unsigned long)figures->left,
        plural(figures->left), (unsigned long)figures->faulted);
}

static void write_convergence(FILE *out, const struct figures *figures)
{
    char a[NUMBER_SIZE];
    char b[NUMBER_SIZE];
    if (figures->is_converged) {
        row(out, "agreement", "at the end all hold exactly those that run, since %s",
            seconds(figures->converged_last_ns, a));
    } else {
        row(out, "agreement", "NOT at the end: views differ, or are not what runs");
    }
    if (figures->started == 0) {
        return;
    }
    if (figures->converged_start_ns == FIGURES_NEVER) {
        row(out, "", "never since the last start, at %s", seconds(figures->last_start_ns, a));
    } else {
        row(out, "", "%s after the last start (%s) all saw all",
            seconds(figures->converged_start_ns, a), seconds(figures->last_start_ns, b));
    }
    row(out, "", "%lu different cluster sizes told on the way (%lu seen once a second)",
        (unsigned long)figures->sizes_told, (unsigned long)figures->sizes_sampled);
}

static void write_spread(FILE *out, const char *label, const struct figures_spread *spread)
{
    if (spread->count == 0) {
        fprintf(out, "  %-20s never\n", label);
        return;
    }
    fprintf(out, "  %-20s%9.3f%9.3f%9.3f%9.3f%9.3f%9.3f%8llu\n", label, report_seconds(spread->min),
            report_seconds(spread->median), spread->mean / (double)SIM_SECOND,
            report_seconds(spread->p99), report_seconds(spread->p999), report_seconds(spread->max),
            (unsigned long long)spread->count);
}

static void write_unheard(FILE *out, const struct figures *figures)
{
    for (size_t i = 0, shown = 0; i < figures->news_count; i++) {
        const struct figures_news *news = &figures->news[i];
        if (news->kind != FIGURES_CRASH || news->is_overtaken || news->told >= news->awaited) {
            continue;
        }
        if (++shown > 3) {
            fprintf(out, "  ... and of %lu in all\n",
                    (unsigned long)figures->crashes_partial + figures->crashes_unnoticed);
            return;
        }
        fprintf(out, "  not all knew of n%lu (killed at %.3f s) by the end: %lu of %lu did not\n",
                (unsigned long)news->node, report_seconds(news->at_ns),
                (unsigned long)(news->awaited - news->told), (unsigned long)news->awaited);
    }
}

static bool has_spreads(const struct figures *figures)
{
    return figures->killed > 0 || figures->all_left_ns.count > 0 ||
           figures->all_joined_ns.count > 0;
}

static void write_detection(FILE *out, const struct figures *figures)
{
    if (!has_spreads(figures)) {
        return;
    }
    fprintf(out, "\n%-22s%9s%9s%9s%9s%9s%9s%8s\n", "seconds until", "min", "median", "mean", "p99",
            "p99.9", "max", "count");
    if (figures->all_joined_ns.count > 0) {
        write_spread(out, "a start: all know", &figures->all_joined_ns);
    }
    if (figures->left > 0 || figures->all_left_ns.count > 0) {
        write_spread(out, "a leave: all know", &figures->all_left_ns);
    }
    if (figures->killed > 0) {
        write_spread(out, "a kill: suspected", &figures->suspected_ns);
        write_spread(out, "        failed", &figures->failed_ns);
        write_spread(out, "        all know", &figures->all_failed_ns);
        write_unheard(out, figures);
    }
    if (figures->suspected_ns.count > 0) {
        fprintf(out, "  first suspicion after %.2f probe periods on average\n",
                figures->suspected_periods_mean);
    }
    if (figures->crashes_overtaken > 0) {
        fprintf(out, "  %lu came back under the same id before all knew\n",
                (unsigned long)figures->crashes_overtaken);
    }
}

static void write_curve(FILE *out, const char *label, const struct figures_curve *curve)
{
    if (curve->pairs == 0) {
        return;
    }
    fprintf(out, "  %-20s", label);
    for (size_t k = 0; k < FIGURES_SHARES; k++) {
        if (curve->share_ns[k] == FIGURES_NEVER) {
            fprintf(out, "%9s", "never");
        } else {
            fprintf(out, "%9.3f", report_seconds(curve->share_ns[k]));
        }
    }
    fputc('\n', out);
}

static void write_curves(FILE *out, const struct figures *figures)
{
    if (figures->joins.pairs + figures->deaths.pairs + figures->leaves.pairs == 0) {
        return;
    }
    fprintf(out, "%-22s", "known to, after s");
    for (size_t k = 0; k < FIGURES_SHARES; k++) {
        fprintf(out, "%7.4g %%", figures_share_percent[k]);
    }
    fputc('\n', out);
    write_curve(out, "starts", &figures->joins);
    write_curve(out, "leaves", &figures->leaves);
    write_curve(out, "kills", &figures->deaths);
    write_curve(out, "  since first failed", &figures->spread);
}

static void write_wrong(FILE *out, const struct figures *figures)
{
    fputc('\n', out);
    row(out, "wrong words",
        "%llu failed (FP), %llu of them by healthy members (FP-), about %lu member%s",
        (unsigned long long)figures->false_failed,
        (unsigned long long)figures->false_failed_healthy,
        (unsigned long)figures->false_failed_members, plural(figures->false_failed_members));
    row(out, "", "%llu suspected, %llu of them by healthy members",
        (unsigned long long)figures->false_suspected,
        (unsigned long long)figures->false_suspected_healthy);
    if (figures->faulted_failed + figures->faulted_suspected > 0) {
        row(out, "", "%llu failed, %llu suspected about members that were faulted but ran",
            (unsigned long long)figures->faulted_failed,
            (unsigned long long)figures->faulted_suspected);
    }
    if (figures->unreachable_failed + figures->unreachable_suspected > 0) {
        row(out, "", "%llu failed, %llu suspected because of a partition",
            (unsigned long long)figures->unreachable_failed,
            (unsigned long long)figures->unreachable_suspected);
    }
    if (figures->leaver_failed > 0) {
        row(out, "", "%llu failed about members that left",
            (unsigned long long)figures->leaver_failed);
    }
    if (figures->oscillations + figures->resurrections > 0) {
        row(out, "oscillations",
            "%llu times failed, then alive again, of %lu running members; %llu times of the dead",
            (unsigned long long)figures->oscillations, (unsigned long)figures->oscillating_members,
            (unsigned long long)figures->resurrections);
    }
}

static void write_rate(FILE *out, const char *label, const struct figures_rate *rate)
{
    row(out, label,
        "a member and second: %.2f datagrams (p99 %.2f, max %.2f), %.3f kB (p99 %.3f, max %.3f)",
        rate->datagrams_mean, rate->datagrams_p99, rate->datagrams_max, rate->bytes_mean / 1000,
        rate->bytes_p99 / 1000, rate->bytes_max / 1000);
    row(out, "", "busiest second: %llu datagrams; %.3f kB, of n%lu at %.0f s",
        (unsigned long long)rate->window_datagrams_max, (double)rate->window_bytes_max / 1000,
        (unsigned long)rate->window_node, report_seconds(rate->window_at_ns));
}

static void write_kinds(FILE *out, const struct sim_traffic *traffic)
{
    const char *separator = "";
    char number[NUMBER_SIZE];
    fprintf(out, "%-*s", LABEL_WIDTH, "");
    for (uint32_t kind = 0; kind < SIM_KINDS; kind++) {
        if (traffic->datagrams[kind] > 0) {
            fprintf(out, "%s%s %s", separator, grouped(traffic->datagrams[kind], number),
                    report_kind_name(kind));
            separator = ", ";
        }
    }
    fputc('\n', out);
}

static void write_drops(FILE *out, const struct figures *figures)
{
    const char *separator = "";
    char number[NUMBER_SIZE];
    uint64_t total = 0;
    for (uint32_t drop = 0; drop < SIM_DROPS; drop++) {
        total += figures->dropped[drop];
    }
    fprintf(out, "%-*s%s lost", LABEL_WIDTH, "", grouped(total, number));
    for (uint32_t drop = 0; drop < SIM_DROPS; drop++) {
        if (figures->dropped[drop] > 0) {
            fprintf(out, "%s%s %s", separator[0] != '\0' ? separator : ": ",
                    grouped(figures->dropped[drop], number), sim_drop_name(drop));
            separator = ", ";
        }
    }
    fputc('\n', out);
}

static void write_traffic(FILE *out, const struct figures *figures)
{
    char number[NUMBER_SIZE];
    fputc('\n', out);
    row(out, "sent", "%s datagrams, %.3f MB", grouped(figures->sent.datagrams_total, number),
        (double)figures->sent.bytes_total / 1e6);
    write_kinds(out, &figures->sent);
    write_drops(out, figures);
    write_rate(out, "", &figures->sending);
    write_rate(out, "received", &figures->receiving);
}

static void write_events(FILE *out, const struct figures *figures)
{
    const char *separator = "";
    char number[NUMBER_SIZE];
    fprintf(out, "%-*s", LABEL_WIDTH, "events");
    for (uint32_t kind = 1; kind < FIGURES_EVENTS; kind++) {
        if (figures->events[kind] > 0) {
            fprintf(out, "%s%s %s", separator, grouped(figures->events[kind], number),
                    swim_event_name((enum swim_event_kind)kind));
            separator = ", ";
        }
    }
    fprintf(out, "%s\n", separator[0] == '\0' ? "none" : "");
}

static void write_health(FILE *out, const struct figures *figures)
{
    uint32_t ill = 0;
    for (size_t i = 1; i < FIGURES_HEALTH; i++) {
        ill += figures->health[i];
    }
    if (ill == 0) {
        return;
    }
    fprintf(out, "%-*s", LABEL_WIDTH, "local health");
    for (size_t i = 0; i < FIGURES_HEALTH; i++) {
        if (figures->health[i] > 0) {
            fprintf(out, "%lu at %lu  ", (unsigned long)figures->health[i], (unsigned long)i);
        }
    }
    fprintf(out, "(0 is good)\n");
}

static void write_run(FILE *out, const struct report *report)
{
    const struct figures *figures = report->figures;
    char number[NUMBER_SIZE];
    fputc('\n', out);
    row(out, "trace hash", "%016llx", (unsigned long long)figures->trace_hash);
    if (!report->hides_machine && figures->wall_ns > 0) {
        double wall = report_seconds(figures->wall_ns);
        double ran = report_seconds(figures->end_ns - figures->begin_ns);
        row(out, "machine", "%.2f s for %.3f s of virtual time, %s datagrams a second, %.0f MiB",
            wall, ran, grouped((uint64_t)((double)figures->sent.datagrams_total / wall), number),
            (double)figures->peak_rss_bytes / 1048576);
    }
    if (report->command != NULL) {
        row(out, "again", "%s", report->command);
    }
    if (report->failure != NULL) {
        row(out, "FAILED", "%s", report->failure);
    } else {
        row(out, "result", "ok");
    }
}

void report_text(FILE *out, const struct report *report)
{
    write_head(out, report);
    write_members(out, report->figures);
    write_convergence(out, report->figures);
    write_detection(out, report->figures);
    write_curves(out, report->figures);
    write_wrong(out, report->figures);
    write_traffic(out, report->figures);
    write_events(out, report->figures);
    write_health(out, report->figures);
    write_run(out, report);
}
