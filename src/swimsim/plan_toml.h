/*
 * plan_toml.h - a scenario file, read. docs/simulator.md is its reference; the table of keys is
 * plan_keys.h's.
 */
#ifndef SWIM_SWIMSIM_PLAN_TOML_H
#define SWIM_SWIMSIM_PLAN_TOML_H

#include "swimsim/plan.h"

#include <stdbool.h>

/* A longer file is refused unread: deep keys overflow the TOML parser's stack. */
#define PLAN_FILE_MAX (64 * 1024)

/* Reads `path` over *plan, which is as plan_default leaves it, and checks the whole. The plan's
 * name is that of the file. False, with *ret_error naming file, line, key and what would be
 * allowed; *plan is then undefined. */
bool plan_load(struct plan *plan, const char *path, struct plan_error *ret_error);
/* The same with the text at hand; `path` is for the name and the messages. */
bool plan_parse(struct plan *plan, const char *path, const char *text,
                struct plan_error *ret_error);

#endif
