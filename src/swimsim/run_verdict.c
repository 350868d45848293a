/*
 * What a plan expects of its run, held against the figures. Exact times are the collector's; it
 * looks at convergence ten times a second.
 */
#include "swimsim/plan_text.h"
#include "swimsim/run_private.h"

#include <stdarg.h>
#include <stdio.h>

struct verdict {
    const struct run *run;
    const struct figures *figures;
    char *text;
    size_t cap;
};

__attribute__((format(printf, 2, 3))) static bool unmet(const struct verdict *verdict,
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(verdict->text, verdict->cap, format, arguments);
    va_end(arguments);
    return false;
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

/* ---- Words ------------------------------------------------------------------------------- */

static bool meets_limit(const struct plan_limit *limit, uint64_t count)
{
    return !limit->is_set || count <= limit->max;
}

static bool meets_words(const struct verdict *verdict, const struct plan_expect *expect)
{
    const struct figures *f = verdict->figures;
    uint64_t failed = f->false_failed + f->faulted_failed + f->unreachable_failed;
    uint64_t suspected = f->false_suspected + f->faulted_suspected + f->unreachable_suspected;

    if (expect->nobody_failed && failed > 0)
        return unmet(verdict, "expect nobody_failed: running members were declared dead %llu times",
                     (unsigned long long)failed);
    if (expect->nobody_suspected && suspected + failed > 0)
        return unmet(verdict, "expect nobody_suspected: running members were suspected %llu times",
                     (unsigned long long)suspected);
    if (!meets_limit(&expect->false_positives, f->false_failed))
        return unmet(verdict,
                     "expect false_positives = %u: healthy members were declared dead "
                     "%llu times",
                     (unsigned)expect->false_positives.max, (unsigned long long)f->false_failed);
    if (!meets_limit(&expect->healthy_false_positives, f->false_failed_healthy))
        return unmet(verdict,
                     "expect healthy_false_positives = %u: healthy members declared healthy "
                     "ones dead %llu times",
                     (unsigned)expect->healthy_false_positives.max,
                     (unsigned long long)f->false_failed_healthy);
    return true;
}

/* ---- Convergence ------------------------------------------------------------------------- */

/* The time by which `text` is to be read as "within". */
static bool is_in_time(uint64_t at_ns, uint64_t from_ns, uint64_t within_ns)
{
    return at_ns != FIGURES_NEVER && (at_ns <= from_ns || at_ns - from_ns <= within_ns);
}

static bool meets_convergence(const struct verdict *verdict, const struct plan_expect *expect)
{
    const struct figures *f = verdict->figures;
    const struct plan *plan = verdict->run->plan;
    uint64_t started_ns = plan_start_ns(plan, plan->nodes - 1);
    uint64_t calm_ns = plan_faults_end_ns(plan);
    char within[PLAN_TEXT_SIZE];

    if (expect->is_converged && !f->is_converged)
        return unmet(verdict, "expect converged: at the end not all members hold exactly those "
                              "that run as alive");
    if (expect->tags_agree && !sim_metas_agree(verdict->run->sim, NULL))
        return unmet(verdict, "expect tags_agree: at the end not all members hold the names and "
                              "tags of all others");
    text_write_duration(expect->joined_within_ns, within, sizeof within);
    if (expect->joined_within_ns != 0 &&
        !is_in_time(f->converged_first_ns, started_ns, expect->joined_within_ns)) {
        if (f->converged_first_ns == FIGURES_NEVER)
            return unmet(verdict, "expect joined_within = %s: never did all see all", within);
        return unmet(verdict, "expect joined_within = %s: all saw all %.1f s after the last start",
                     within, seconds(f->converged_first_ns - started_ns));
    }
    text_write_duration(expect->converged_within_ns, within, sizeof within);
    if (expect->converged_within_ns == 0)
        return true;
    if (!f->is_converged)
        return unmet(verdict, "expect converged_within = %s: not even at the end", within);
    if (!is_in_time(f->converged_last_ns, calm_ns, expect->converged_within_ns))
        return unmet(verdict,
                     "expect converged_within = %s: all agree since %.1f s, and the last "
                     "fault was over at %.1f s",
                     within, seconds(f->converged_last_ns), seconds(calm_ns));
    return true;
}

/* ---- Deaths and leaves ------------------------------------------------------------------- */

static bool meets_news(const struct verdict *verdict, enum figures_news_kind kind,
                       uint64_t within_ns)
{
    const struct figures *f = verdict->figures;
    const char *key = kind == FIGURES_CRASH ? "deaths_known_within" : "leaves_known_within";
    char within[PLAN_TEXT_SIZE];

    text_write_duration(within_ns, within, sizeof within);
    for (size_t i = 0; within_ns != 0 && i < f->news_count; i++) {
        const struct figures_news *news = &f->news[i];
        uint64_t all_ns = news->share_ns[FIGURES_SHARES - 1];
        /* Too late in the run to tell; or it came back before all could know. */
        if (news->kind != kind || news->is_overtaken || news->at_ns + within_ns > f->end_ns ||
            news->awaited == 0)
            continue;
        if (all_ns == FIGURES_NEVER)
            return unmet(verdict,
                         "expect %s = %s: n%u stopped at %.1f s, and only %u of %u ever "
                         "knew",
                         key, within, (unsigned)news->node, seconds(news->at_ns),
                         (unsigned)news->told, (unsigned)news->awaited);
        if (all_ns > within_ns)
            return unmet(verdict,
                         "expect %s = %s: n%u stopped at %.1f s, and all knew %.1f s later", key,
                         within, (unsigned)news->node, seconds(news->at_ns), seconds(all_ns));
    }
    return true;
}

bool run_meets(const struct run *run, const struct figures *figures, char *text, size_t cap)
{
    const struct plan_expect *expect = &run->plan->expect;
    struct verdict verdict = {.run = run, .figures = figures, .text = text, .cap = cap};

    return meets_words(&verdict, expect) && meets_convergence(&verdict, expect) &&
           meets_news(&verdict, FIGURES_CRASH, expect->deaths_known_within_ns) &&
           meets_news(&verdict, FIGURES_LEAVE, expect->leaves_known_within_ns);
}
