/*
 * A sign of life during long runs, on stderr: on a terminal one line that is rewritten, elsewhere a
 * new line now and then. The only place of the runner that looks at real time.
 */
#define _GNU_SOURCE
#include "swimsim/run_private.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FIRST_NS (2 * SIM_SECOND)

static uint64_t real_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SIM_SECOND + (uint64_t)now.tv_nsec;
}

void progress_begin(struct run_progress *progress, enum run_progress_mode mode)
{
    *progress =
        (struct run_progress){.began_ns = real_now_ns(), .is_terminal = isatty(STDERR_FILENO) == 1};
    progress->shown_ns = progress->began_ns - SIM_SECOND;
    if (mode == RUN_PROGRESS_LATER)
        progress->shown_ns += FIRST_NS;
}

void progress_show(struct run_progress *progress, const struct run *run)
{
    uint64_t real_ns = real_now_ns();
    uint64_t period_ns =
        progress->is_terminal || !progress->has_line ? SIM_SECOND : 10 * SIM_SECOND;
    uint64_t now_ns = sim_now(run->sim);
    uint64_t took_ns = real_ns - progress->began_ns;
    double speed;

    if (real_ns < progress->shown_ns + period_ns)
        return;
    speed = (double)now_ns / (double)(took_ns > 0 ? took_ns : 1);
    (void)fprintf(stderr,
                  "%sswimsim: %.1f of %.1f s, %u members run, %.0f s of real time (%.2g x)%s",
                  progress->is_terminal ? "\r" : "", (double)now_ns / 1e9,
                  (double)run->plan->duration_ns / 1e9, (unsigned)sim_running(run->sim),
                  (double)took_ns / 1e9, speed, progress->is_terminal ? "\033[K" : "\n");
    progress->shown_ns = real_ns;
    progress->has_line = true;
}

void progress_end(struct run_progress *progress)
{
    if (progress->has_line && progress->is_terminal)
        (void)fprintf(stderr, "\r\033[K");
}
