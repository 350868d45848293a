/*
 * library.h - where scenarios are found by name: $SWIM_SCENARIOS, ./scenarios, and the folder that
 * was installed; the first of these that exists.
 */
#ifndef SWIM_SWIMSIM_LIBRARY_H
#define SWIM_SWIMSIM_LIBRARY_H

#include "swimsim/plan.h"

#include <stdbool.h>
#include <stdio.h>

/* Reads a scenario over *plan (as plan_load does): a file of this path, or else one of this name in
 * the library. */
bool library_load(struct plan *plan, const char *name, struct plan_error *ret_error);

/* Every scenario's name and sentence, in the order of names. False when there is no library, or a
 * file in it is bad: *ret_error says which. */
bool library_list(FILE *out, struct plan_error *ret_error);

#endif
