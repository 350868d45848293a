/*
 * The table of keys, and how the value of each is read from text and written.
 */
#include "swimsim/plan_keys.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

#define ALL_KINDS UINT32_MAX
#define KIND(name) (UINT32_C(1) << PLAN_##name)
_Static_assert(PLAN_KIND_COUNT <= 32, "a bit for each kind");

static const char *const start_names[] = {"acquainted", "together", "one by one", NULL};
static const char *const keeps_names[] = {"nothing", "all", "id", NULL};
static const char *const blocked_names[] = {"io", "process", NULL};
static const char *const kind_names[] = {
#define PLAN_KIND_TEXT(name, text) text,
    PLAN_KINDS(PLAN_KIND_TEXT)
#undef PLAN_KIND_TEXT
        NULL};

#define TOP(field) .section = "", .offset = offsetof(struct plan, field)
#define START(field) .section = "start", .offset = offsetof(struct plan, start.field)
#define EXPECT(field) .section = "expect", .offset = offsetof(struct plan, expect.field)
#define AT(field) .section = "at", .offset = offsetof(struct plan_action, field)
#define WHO (ALL_KINDS & ~(KIND(JOIN) | KIND(SPLIT) | KIND(ZONE) | KIND(NETWORK) | KIND(HEAL)))
#define LASTING                                                                                    \
    (ALL_KINDS & ~(KIND(KILL) | KIND(LEAVE) | KIND(JOIN) | KIND(HEAL) | KIND(CLOCK_JUMP) |         \
                   KIND(SEEDS) | KIND(RETAG)))
#define WITH_NET (KIND(LINK) | KIND(ZONE) | KIND(NETWORK))
#define REDRAWN (WHO | KIND(SPLIT))

/* What a link does: in three kinds of section. */
#define NET_KEYS(section_, struct_, kinds_)                                                        \
    {.name = "delay", .type = PLAN_VALUE_DELAY, NET(section_, struct_, net, kinds_)},              \
        {.name = "jitter",                                                                         \
         .type = PLAN_VALUE_DURATION,                                                              \
         NET(section_, struct_, net.jitter_ns, kinds_)},                                           \
        {.name = "loss",                                                                           \
         .type = PLAN_VALUE_SHARE,                                                                 \
         NET(section_, struct_, net.loss_permille, kinds_)},                                       \
        {.name = "duplicate",                                                                      \
         .type = PLAN_VALUE_SHARE,                                                                 \
         NET(section_, struct_, net.duplicate_permille, kinds_)},                                  \
        {.name = "corrupt",                                                                        \
         .type = PLAN_VALUE_SHARE,                                                                 \
         NET(section_, struct_, net.corrupt_permille, kinds_)},                                    \
        {.name = "reorder",                                                                        \
         .type = PLAN_VALUE_SHARE,                                                                 \
         NET(section_, struct_, net.reorder_permille, kinds_)},                                    \
        {.name = "bandwidth",                                                                      \
         .type = PLAN_VALUE_RATE,                                                                  \
         NET(section_, struct_, net.bandwidth, kinds_)},                                           \
    {                                                                                              \
        .name = "queue", .type = PLAN_VALUE_SIZE, NET(section_, struct_, net.queue_bytes, kinds_)  \
    }
#define NET(section_, struct_, field, kinds_)                                                      \
    .section = section_, .offset = offsetof(struct struct_, field), .kinds = kinds_

static const struct plan_key keys[] = {
    {.name = "title", .type = PLAN_VALUE_TEXT, TOP(title), .max = PLAN_TITLE_SIZE},
    {.name = "seed", .type = PLAN_VALUE_U64, TOP(seed), .is_always = true, .max = INT64_MAX},
    {.name = "nodes",
     .type = PLAN_VALUE_COUNT,
     TOP(nodes),
     .is_always = true,
     .min = 1,
     .max = PLAN_NODES_MAX},
    {.name = "for", .type = PLAN_VALUE_DURATION, TOP(duration_ns), .is_always = true},
    {.name = "family", .type = PLAN_VALUE_BYTE, TOP(family), .min = 4, .max = 6},
    {.name = "plain", .type = PLAN_VALUE_SELECTION, TOP(plain)},
    {.name = "receive_buffer", .type = PLAN_VALUE_COUNT, TOP(receive_buffer), .max = 100000},

    {.name = "how",
     .type = PLAN_VALUE_CHOICE,
     START(kind),
     .is_always = true,
     .names = start_names},
    {.name = "seeds",
     .type = PLAN_VALUE_SEEDS,
     .section = "start",
     .offset = offsetof(struct plan, start)},
    {.name = "every", .type = PLAN_VALUE_DURATION, START(every_ns)},
    {.name = "rest_after", .type = PLAN_VALUE_DURATION, START(rest_after_ns)},
    {.name = "clusters", .type = PLAN_VALUE_COUNT, START(clusters), .min = 1, .max = 1000},
    {.name = "names", .type = PLAN_VALUE_TEXT, START(names), .max = PLAN_NAMES_SIZE},

    NET_KEYS("link", plan, 0),

    {.name = "name",
     .type = PLAN_VALUE_TEXT,
     .section = "zone",
     .is_always = true,
     .offset = offsetof(struct plan_zone, name),
     .max = sizeof((struct plan_zone *)0)->name},
    {.name = "share",
     .type = PLAN_VALUE_COUNT,
     .section = "zone",
     .offset = offsetof(struct plan_zone, share),
     .min = 1,
     .max = 1000},

    {.name = "from",
     .type = PLAN_VALUE_ZONE,
     .section = "zone_link",
     .is_always = true,
     .offset = offsetof(struct plan_zone_link, from)},
    {.name = "to",
     .type = PLAN_VALUE_ZONE,
     .section = "zone_link",
     .is_always = true,
     .offset = offsetof(struct plan_zone_link, to)},
    {.name = "one_way",
     .type = PLAN_VALUE_BOOLEAN,
     .section = "zone_link",
     .offset = offsetof(struct plan_zone_link, is_one_way)},
    NET_KEYS("zone_link", plan_zone_link, 0),

    {.name = "time", .type = PLAN_VALUE_DURATION, AT(at_ns), .is_always = true, .kinds = ALL_KINDS},
    {.name = "do",
     .type = PLAN_VALUE_CHOICE,
     AT(kind),
     .is_always = true,
     .kinds = ALL_KINDS,
     .names = kind_names},
    {.name = "who", .type = PLAN_VALUE_SELECTION, AT(who), .kinds = WHO},
    {.name = "other",
     .type = PLAN_VALUE_SELECTION,
     AT(other),
     .kinds = KIND(CUT) | KIND(LINK) | KIND(MOVE) | KIND(SEEDS)},
    {.name = "groups", .type = PLAN_VALUE_SELECTIONS, AT(groups), .kinds = KIND(SPLIT)},
    {.name = "count",
     .type = PLAN_VALUE_COUNT,
     AT(count),
     .min = 1,
     .max = PLAN_NODES_MAX,
     .kinds = KIND(JOIN)},
    {.name = "keeps",
     .type = PLAN_VALUE_CHOICE,
     AT(restart),
     .kinds = KIND(RESTART) | KIND(MOVE),
     .names = keeps_names},
    {.name = "blocked",
     .type = PLAN_VALUE_CHOICE,
     AT(block),
     .kinds = KIND(BLOCK),
     .names = blocked_names},
    {.name = "one_way",
     .type = PLAN_VALUE_BOOLEAN,
     AT(is_one_way),
     .kinds = KIND(CUT) | KIND(LINK) | KIND(ZONE)},
    {.name = "in", .type = PLAN_VALUE_SHARE, AT(in_permille), .kinds = KIND(LOSSY)},
    {.name = "out", .type = PLAN_VALUE_SHARE, AT(out_permille), .kinds = KIND(LOSSY)},
    {.name = "rate", .type = PLAN_VALUE_PPM, AT(ppm), .kinds = KIND(CLOCK_RATE)},
    {.name = "by", .type = PLAN_VALUE_DURATION, AT(jump_ns), .kinds = KIND(CLOCK_JUMP)},
    {.name = "takes", .type = PLAN_VALUE_DURATION, AT(service_ns), .kinds = KIND(SERVICE)},
    {.name = "buffer", .type = PLAN_VALUE_COUNT, AT(buffer), .max = 100000, .kinds = KIND(SERVICE)},
    {.name = "bytes", .type = PLAN_VALUE_COUNT, AT(tag_bytes), .max = 4000, .kinds = KIND(RETAG)},
    {.name = "symmetric", .type = PLAN_VALUE_BOOLEAN, AT(is_symmetric), .kinds = KIND(NAT)},
    {.name = "from", .type = PLAN_VALUE_ZONE, AT(zone_from), .kinds = KIND(ZONE)},
    {.name = "to", .type = PLAN_VALUE_ZONE, AT(zone_to), .kinds = KIND(ZONE)},
    NET_KEYS("at", plan_action, WITH_NET),
    {.name = "for", .type = PLAN_VALUE_DURATION, AT(for_ns), .kinds = LASTING},
    {.name = "every", .type = PLAN_VALUE_DURATION, AT(every_ns), .kinds = ALL_KINDS},
    {.name = "until", .type = PLAN_VALUE_DURATION, AT(until_ns), .kinds = ALL_KINDS},
    {.name = "redraw", .type = PLAN_VALUE_OPPOSITE, AT(is_same), .kinds = REDRAWN},
    {.name = "draw",
     .type = PLAN_VALUE_COUNT,
     AT(draw),
     .min = 1,
     .max = 1000000,
     .kinds = REDRAWN},

    {.name = "converged", .type = PLAN_VALUE_BOOLEAN, EXPECT(is_converged)},
    {.name = "tags_agree", .type = PLAN_VALUE_BOOLEAN, EXPECT(tags_agree)},
    {.name = "nobody_failed", .type = PLAN_VALUE_BOOLEAN, EXPECT(nobody_failed)},
    {.name = "nobody_suspected", .type = PLAN_VALUE_BOOLEAN, EXPECT(nobody_suspected)},
    {.name = "false_positives",
     .type = PLAN_VALUE_LIMIT,
     EXPECT(false_positives),
     .max = 1000000000},
    {.name = "healthy_false_positives",
     .type = PLAN_VALUE_LIMIT,
     EXPECT(healthy_false_positives),
     .max = 1000000000},
    {.name = "joined_within", .type = PLAN_VALUE_DURATION, EXPECT(joined_within_ns)},
    {.name = "converged_within", .type = PLAN_VALUE_DURATION, EXPECT(converged_within_ns)},
    {.name = "deaths_known_within", .type = PLAN_VALUE_DURATION, EXPECT(deaths_known_within_ns)},
    {.name = "leaves_known_within", .type = PLAN_VALUE_DURATION, EXPECT(leaves_known_within_ns)},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

uint32_t plan_keys(void)
{
    return (uint32_t)KEY_COUNT;
}

const struct plan_key *plan_key(uint32_t index)
{
    ASSERT(index < KEY_COUNT);
    return &keys[index];
}

const struct plan_key *plan_key_find(const char *section, const char *name)
{
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

bool plan_key_section(const char *section, bool *ret_is_list)
{
    *ret_is_list = strcmp(section, "at") == 0 || strcmp(section, "zone") == 0 ||
                   strcmp(section, "zone_link") == 0;
    for (uint32_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, section) == 0)
            return true;
    for (uint32_t i = 0; i < plan_settings(); i++)
        if (strcmp(plan_setting(i)->section, section) == 0)
            return true;
    return false;
}

bool plan_key_is_string(const struct plan_key *key)
{
    switch (key->type) {
    case PLAN_VALUE_U64:
    case PLAN_VALUE_COUNT:
    case PLAN_VALUE_BYTE:
    case PLAN_VALUE_LIMIT:
    case PLAN_VALUE_BOOLEAN:
    case PLAN_VALUE_OPPOSITE: return false;
    default: return true;
    }
}
