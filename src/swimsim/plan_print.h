/*
 * plan_print.h - a plan as a TOML file, which plan_toml.h reads back as the same plan. Only what
 * differs from the defaults is written.
 */
#ifndef SWIM_SWIMSIM_PLAN_PRINT_H
#define SWIM_SWIMSIM_PLAN_PRINT_H

#include "swimsim/plan.h"

#include <stddef.h>

/* Gets the text in parts, in order. */
typedef void plan_sink(void *context, const char *text, size_t size);

void plan_print(const struct plan *plan, plan_sink *sink, void *context);

#endif
