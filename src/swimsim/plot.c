/*
 * Plots by gnuplot. It gets one script through its standard input, data included (as named data
 * blocks), and writes the SVG to its standard output, which is a file beside the one that is
 * wanted: that one is replaced only when all went well. So no name of a file is ever part of the
 * script, and no shell sees one.
 *
 * Colours are those of Okabe and Ito, which people with any kind of colour vision tell apart; lines
 * also differ in their dashes.
 */
#define _GNU_SOURCE
#include "swimsim/plot.h"

#include "swimsim/report_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define PART_SUFFIX ".part"
/* With it a child ends that could not become the program, where the parent is not told why. */
#define NOT_FOUND_CODE 127

static const char preamble[] =
    "set terminal svg size 1200,900 dynamic noenhanced font 'sans-serif,14' "
    "background rgb 'white'\n"
    "set style line 1 lc rgb '#000000' lw 2 dt 1\n"
    "set style line 2 lc rgb '#0072b2' lw 2 dt 1\n"
    "set style line 3 lc rgb '#d55e00' lw 2 dt 2\n"
    "set style line 4 lc rgb '#009e73' lw 2 dt 4\n"
    "set style line 5 lc rgb '#cc79a7' lw 2 dt 5\n"
    "set style line 9 lc rgb '#dddddd' lw 1\n"
    "set grid ls 9\n"
    "set border 3\n"
    "set tics nomirror out\n"
    "set key tmargin center horizontal maxrows 1 samplen 3 font ',12'\n"
    "set xrange [0:*]\n"
    "set yrange [0:*]\n";

/* ---- Data -------------------------------------------------------------------------------- */

static void write_samples(FILE *script, const struct figures *figures)
{
    fprintf(script, "$views << EOD\n");
    for (size_t i = 0; i < figures->sample_count; i++) {
        const struct figures_sample *sample = &figures->samples[i];
        fprintf(script, "%.6f %lu %lu %lu %.6f\n", report_seconds(sample->at_ns),
                (unsigned long)sample->running, (unsigned long)sample->seen_min,
                (unsigned long)sample->seen_max, sample->seen_mean);
    }
    fprintf(script, "EOD\n$rates << EOD\n");
    for (size_t i = 1; i < figures->sample_count; i++) {
        const struct figures_sample *before = &figures->samples[i - 1];
        const struct figures_sample *sample = &figures->samples[i];
        if (sample->member_ns > before->member_ns) {
            double member_s = report_seconds(sample->member_ns - before->member_ns);
            fprintf(script, "%.6f %.6f %.6f\n", report_seconds(sample->at_ns),
                    (double)(sample->datagrams_sent - before->datagrams_sent) / member_s,
                    (double)(sample->bytes_sent - before->bytes_sent) / member_s / 1000);
        }
    }
    fprintf(script, "EOD\n");
}

/* A line of a plot: what it is called, where its data are, and how it looks. */
struct series {
    const char *name;
    const char *block;
    uint32_t style;
    size_t count; /* of points; none is drawn without any */
};

static struct series write_curve(FILE *script, const struct figures_curve *curve,
                                 struct series series)
{
    fprintf(script, "%s << EOD\n0.001 0\n", series.block); /* delays are at least that */
    for (size_t i = 0; i < curve->count; i++) {
        fprintf(script, "%.6f %.6f\n", report_seconds(curve->points[i].after_ns),
                100 * curve->points[i].share);
    }
    fprintf(script, "EOD\n");
    series.count = curve->count;
    return series;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* Durations of the kills, as the share of all kills that it took at most so long. */
static struct series write_distribution(FILE *script, const struct figures *figures,
                                        uint64_t (*delay_of)(const struct figures_news *),
                                        struct series series)
{
    uint64_t *delays = malloc((figures->news_count + 1) * sizeof *delays);
    size_t kills = 0;
    fprintf(script, "%s << EOD\n0 0\n", series.block);
    for (size_t i = 0; delays != NULL && i < figures->news_count; i++) {
        const struct figures_news *news = &figures->news[i];
        if (news->kind == FIGURES_CRASH && news->awaited > 0 && !news->is_overtaken) {
            kills++;
            if (delay_of(news) != FIGURES_NEVER) {
                delays[series.count++] = delay_of(news);
            }
        }
    }
    if (series.count > 0) {
        qsort(delays, series.count, sizeof *delays, compare_u64);
    }
    for (size_t i = 0; i < series.count; i++) {
        fprintf(script, "%.6f %.6f\n", report_seconds(delays[i]),
                100 * (double)(i + 1) / (double)kills);
    }
    fprintf(script, "EOD\n");
    free(delays);
    return series;
}

/* ---- Plots ------------------------------------------------------------------------------- */

/* Between double quotes, where gnuplot heeds backslash and quote. */
static void write_quoted(FILE *script, const char *text)
{
    fputc('"', script);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', script);
        }
        fputc((unsigned char)*text < ' ' ? ' ' : *text, script);
    }
    fputc('"', script);
}

static void write_labels(FILE *script, const char *title, const char *x, const char *y)
{
    fprintf(script, "set title '%s'\nset xlabel '%s'\nset ylabel '%s'\n", title, x, y);
}

/* An empty plot that says why. */
static void plot_nothing(FILE *script, const char *why)
{
    fprintf(script,
            "unset logscale x\nunset tics\nset label 1 '%s' at graph 0.5,0.5 center\n"
            "plot [0:1] [0:1] -1 notitle\nunset label 1\nset tics nomirror out\n",
            why);
}

static void plot_series(FILE *script, const struct series *series, size_t count,
                        const char *drawn_as, const char *why_empty)
{
    const char *separator = "plot ";
    for (size_t i = 0; i < count; i++) {
        if (series[i].count > 0) {
            fprintf(script, "%s%s using 1:2 with %s ls %lu title '%s'", separator, series[i].block,
                    drawn_as, (unsigned long)series[i].style, series[i].name);
            separator = ", ";
        }
    }
    if (separator[0] == ',') {
        fprintf(script, "\n");
    } else {
        plot_nothing(script, why_empty);
    }
}

/* The axis begins at 0, unless all that is to be seen lies in a narrow band: some of a thousand
 * members are killed. Then it begins a little below that. */
static double membership_floor(const struct figures *figures)
{
    double least = figures->samples[0].seen_min;
    double most = figures->samples[0].running;
    for (size_t i = 0; i < figures->sample_count; i++) {
        const struct figures_sample *sample = &figures->samples[i];
        least = sample->seen_min < least ? sample->seen_min : least;
        least = sample->running < least ? sample->running : least;
        most = sample->seen_max > most ? sample->seen_max : most;
        most = sample->running > most ? sample->running : most;
    }
    double floor = least - (most - least) / 2;
    return most > 20 && least > most / 2 && floor > 0 ? floor : 0;
}

static void plot_membership(FILE *script, const struct figures *figures)
{
    write_labels(script, "Membership", "virtual time (s)", "members");
    if (figures->sample_count < 2 || figures->member_ns == 0) {
        plot_nothing(script, "nobody ran for long enough");
        return;
    }
    fprintf(script,
            "set yrange [%.1f:*]\n"
            "plot $views using 1:3:4 with filledcurves fc rgb '#56b4e9' fs solid 0.4 "
            "noborder title 'seen: range', "
            "$views using 1:5 with lines ls 2 title 'seen: mean', "
            "$views using 1:2 with steps ls 1 dt 3 title 'running'\n"
            "set yrange [0:*]\n",
            membership_floor(figures));
}

static void plot_traffic(FILE *script, const struct figures *figures)
{
    write_labels(script, "Traffic", "virtual time (s)", "datagrams sent a member and second");
    if (figures->sample_count < 3 || figures->sent.datagrams_total == 0) {
        plot_nothing(script, "nobody sent anything for long enough");
        return;
    }
    fprintf(script, "set y2label 'kB sent a member and second'\nset y2range [0:*]\nset y2tics\n"
                    "set border 11\n"
                    "plot $rates using 1:2 with lines ls 2 title 'datagrams', "
                    "$rates using 1:3 axes x1y2 with lines ls 3 title 'kB (right)'\n"
                    "unset y2label\nunset y2tics\nset border 3\n");
}

static uint64_t suspected_of(const struct figures_news *news)
{
    return news->first_suspected_ns;
}

static uint64_t failed_of(const struct figures_news *news)
{
    return news->first_known_ns;
}

static uint64_t all_of(const struct figures_news *news)
{
    return news->share_ns[FIGURES_SHARES - 1];
}

static void write_script(FILE *script, const struct report *report)
{
    const struct figures *figures = report->figures;
    fputs(preamble, script);
    write_samples(script, figures);
    struct series curves[] = {
        write_curve(script, &figures->joins, (struct series){"starts", "$joins", 4, 0}),
        write_curve(script, &figures->leaves, (struct series){"leaves", "$leaves", 5, 0}),
        write_curve(script, &figures->deaths, (struct series){"kills", "$kills", 2, 0}),
        write_curve(script, &figures->spread, (struct series){"kills*", "$spread", 3, 0}),
    };
    struct series distributions[] = {
        write_distribution(script, figures, suspected_of,
                           (struct series){"suspected", "$suspected", 4, 0}),
        write_distribution(script, figures, failed_of, (struct series){"failed", "$failed", 2, 0}),
        write_distribution(script, figures, all_of, (struct series){"all know", "$all", 3, 0}),
    };
    fprintf(script, "set multiplot layout 2,2 title sprintf(\"%%s: %lu nodes, seed %llu\", ",
            (unsigned long)figures->nodes, (unsigned long long)report->seed);
    write_quoted(script, report->scenario);
    fprintf(script, ") font ',18'\n");
    plot_membership(script, figures);
    plot_traffic(script, figures);
    fprintf(script, "set yrange [0:102]\n");
    write_labels(script, "Dissemination",
                 "time since the start, leave, kill, or (*) first word of the kill (s)",
                 "members that know (%)");
    fprintf(script, "set logscale x\nset xrange [0.001:*] noextend\n");
    plot_series(script, curves, 4, "steps", "nobody started, left or was killed");
    fprintf(script, "unset logscale x\nset xrange [0:*] extend\n");
    write_labels(script, "Detection", "time since the kill (s)", "kills (%)");
    plot_series(script, distributions, 3, "steps", "no kill was detected");
    fprintf(script, "unset multiplot\n");
}

/* ---- The child --------------------------------------------------------------------------- */

/* Starts gnuplot, writing to `out`. An errno, or 0. */
static int start_gnuplot(const char *program, int out, pid_t *ret_pid, int *ret_in)
{
    int ends[2];
    char *arguments[] = {(char *)(uintptr_t)program, NULL};
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return errno;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int error = posix_spawnp(ret_pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (error != 0) {
        close(ends[1]);
        return error;
    }
    *ret_in = ends[1];
    return 0;
}

/* The child's exit code, or -1 when a signal ended it. */
static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Closes `in`. A child that ends early must not end us. */
static bool feed(int in, const struct report *report)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    FILE *script = fdopen(in, "w");
    if (script == NULL) {
        close(in);
        return false;
    }
    sigaction(SIGPIPE, &ignore, &before);
    write_script(script, report);
    bool is_ok = fclose(script) == 0;
    sigaction(SIGPIPE, &before, NULL);
    return is_ok;
}

static bool draw(int out, const struct report *report, char *ret_error, size_t error_size)
{
    const char *named = getenv("SWIM_GNUPLOT");
    const char *program = named != NULL && named[0] != '\0' ? named : "gnuplot";
    pid_t pid = -1;
    int in = -1;
    bool is_fed = false;
    int code = -1;
    int error = start_gnuplot(program, out, &pid, &in);
    if (error == 0) {
        is_fed = feed(in, report);
        code = wait_for(pid);
    }
    if (error != 0 || code == NOT_FOUND_CODE) {
        snprintf(ret_error, error_size,
                 "plots are drawn by gnuplot, and \"%s\" can't be run (%s): install the package "
                 "gnuplot-nox",
                 program, error != 0 ? strerror(error) : "exit code 127");
        return false;
    }
    if (!is_fed || code != 0) {
        snprintf(ret_error, error_size, "\"%s\" failed to draw the plots", program);
        return false;
    }
    return true;
}

bool plot_write(const char *path, const struct report *report, char *ret_error, size_t error_size)
{
    size_t size = strlen(path) + sizeof PART_SUFFIX;
    char *part = malloc(size);
    if (part == NULL) {
        snprintf(ret_error, error_size, "out of memory");
        return false;
    }
    snprintf(part, size, "%s" PART_SUFFIX, path);
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool is_ok = out >= 0;
    if (!is_ok) {
        snprintf(ret_error, error_size, "can't write %s: %s", part, strerror(errno));
    } else {
        is_ok = draw(out, report, ret_error, error_size);
        close(out);
        if (is_ok && rename(part, path) != 0) {
            snprintf(ret_error, error_size, "can't write %s: %s", path, strerror(errno));
            is_ok = false;
        }
        if (!is_ok) {
            unlink(part);
        }
    }
    free(part);
    return is_ok;
}
