/*
 * plan_keys.h - every key of a scenario file: one table from which files are read (plan_toml.c)
 * and written (plan_print.c), flags are applied, and docs/simulator.md is checked.
 *
 * A key belongs to a section, and sets fields of that section's struct:
 *
 *     ""  [start]  [link]  [expect]     struct plan
 *     [[zone]]                          struct plan_zone
 *     [[zone_link]]                     struct plan_zone_link
 *     [[at]]                            struct plan_action
 *
 * The settings of the members ([gossip], [network], [probes], [lifeguard]) are not in it: see
 * plan_setting in plan.h. A section of theirs is told apart by plan_key_section.
 */
#ifndef SWIM_SWIMSIM_PLAN_KEYS_H
#define SWIM_SWIMSIM_PLAN_KEYS_H

#include "swimsim/plan.h"
#include "swimsim/plan_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a value is kept, and what it looks like in a file. */
enum plan_value {
    PLAN_VALUE_TEXT,       /* char[size], a string */
    PLAN_VALUE_U64,        /* uint64_t, a whole number */
    PLAN_VALUE_COUNT,      /* uint32_t, a whole number */
    PLAN_VALUE_BYTE,       /* uint8_t, a whole number */
    PLAN_VALUE_BOOLEAN,    /* bool, true or false */
    PLAN_VALUE_OPPOSITE,   /* bool, false or true */
    PLAN_VALUE_DURATION,   /* uint64_t, "200ms" */
    PLAN_VALUE_SHARE,      /* uint32_t, "5%" */
    PLAN_VALUE_RATE,       /* uint64_t, "10Mbit" */
    PLAN_VALUE_SIZE,       /* uint32_t, "64kB" */
    PLAN_VALUE_DELAY,      /* of a struct sim_net, "1ms..20ms" */
    PLAN_VALUE_PPM,        /* int32_t, "200ppm" */
    PLAN_VALUE_CHOICE,     /* an enum as int, one of `names` */
    PLAN_VALUE_SEEDS,      /* of a struct plan_start, "random 3" */
    PLAN_VALUE_ZONE,       /* uint32_t, a zone's name */
    PLAN_VALUE_SELECTION,  /* struct plan_selection, "random 5%" */
    PLAN_VALUE_SELECTIONS, /* of a struct plan_action: groups, an array of strings */
    PLAN_VALUE_LIMIT,      /* struct plan_limit, a whole number */
};

struct plan_key {
    const char *section;
    const char *name;
    enum plan_value type;
    bool is_always; /* written even when it has its default */
    size_t offset;
    uint64_t min; /* COUNT, BYTE, U64, LIMIT; TEXT: max is its size */
    uint64_t max;
    uint32_t kinds;           /* [[at]]: bit (1 << enum plan_kind) of those that take it */
    const char *const *names; /* CHOICE: in the order of the enum, NULL at the end */
};

uint32_t plan_keys(void);
const struct plan_key *plan_key(uint32_t index);
/* NULL when there is none. */
const struct plan_key *plan_key_find(const char *section, const char *name);
/* Whether a section, or list of sections, is called so; *ret_is_list tells which. */
bool plan_key_section(const char *section, bool *ret_is_list);

/*
 * Sets the value in `base`, the struct of the key's section, from text (without quotes). False when
 * it is not allowed: *ret_error then says what is ("must be ..."), and nothing was changed. `plan`
 * knows the zones' names; it may be `base` itself.
 */
bool plan_key_set(const struct plan *plan, const struct plan_key *key, void *base, const char *text,
                  struct plan_error *ret_error);
/* The value as text, without quotes; "" where there is none. */
void plan_key_get(const struct plan *plan, const struct plan_key *key, const void *base, char *text,
                  size_t cap);
/* Whether the value is written between quotes in a file. */
bool plan_key_is_string(const struct plan_key *key);

/* "all", "3-9", "random 5%", "zone NAME"...: as plan_key_set does it. */
const char *plan_selection_read(const struct plan *plan, const char *text,
                                struct plan_selection *ret);

/* "section.name=value" over the plan: a key of "", start, link or expect ("seed=7", "link.loss=5%"),
 * or a setting of the members ("probes.interval_ms=500"). False: *ret_error says why. */
bool plan_assign(struct plan *plan, const char *assignment, struct plan_error *ret_error);
/* A setting of the members from text; *ret_error as with plan_key_set. */
bool plan_setting_read(struct plan *plan, uint32_t index, const char *text,
                       struct plan_error *ret_error);
void plan_setting_write(const struct plan *plan, uint32_t index, char *text, size_t cap);

#endif
