/*
 * report.h - what a run came to, for people (text) and programs (JSON).
 *
 * Both show the same struct; neither changes it. The JSON's keys are documented in
 * docs/simulator-json.md, units are in their names.
 */
#ifndef SWIM_SWIMSIM_REPORT_H
#define SWIM_SWIMSIM_REPORT_H

#include "swimsim/collect.h"

#include <stdio.h>

struct report {
    const char *scenario; /* its name */
    const char *about;    /* a sentence on what it shows; NULL or "": none */
    const char *command;  /* that repeats this very run; NULL: none */
    const char *failure;  /* what a checker found, NULL: nothing */
    uint64_t seed;
    /* Leave out what differs from run to run: wall time, memory. */
    bool hides_machine;
    const struct figures *figures;
};

/* One screen. */
void report_text(FILE *out, const struct report *report);
/* One object and a line feed. */
void report_json(FILE *out, const struct report *report);

#endif
