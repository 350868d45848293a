/*
 * plot.h - a run as a sheet of plots in one SVG: membership over time, dissemination, datagrams a
 * member a second, distribution of detection times.
 *
 * Drawn by gnuplot, a child process that gets its data and commands through its standard input;
 * no shell is involved. Debian: package gnuplot-nox.
 */
#ifndef SWIM_SWIMSIM_PLOT_H
#define SWIM_SWIMSIM_PLOT_H

#include "swimsim/report.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes the sheet to `path`. On failure false, and one line that says what to do in `ret_error`
 * (always terminated). The environment variable SWIM_GNUPLOT names another program. */
bool plot_write(const char *path, const struct report *report, char *ret_error, size_t error_size);

#endif
