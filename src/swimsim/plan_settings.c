/*
 * Settings of the members by the names that the daemon's configuration file uses, so that what was
 * found out here can be copied there. The list is toml/swim_keys.h's.
 */
#include "swimsim/plan.h"

#include "base/assert.h"
#include "toml/swim_keys.h"

#include <string.h>

#define PLACE(field) .offset = offsetof(struct swim_config, field)
#define NUMBER(section_, name_, field, min_, max_)                                                 \
    {.section = section_, .name = name_, .min = min_, .max = max_, PLACE(field)},
#define MS_OFF(section_, name_, field, min_, max_)                                                 \
    {.section = section_,                                                                          \
     .name = name_,                                                                                \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .zero_is_off = true,                                                                          \
     PLACE(field)},
#define MILLI(section_, name_, field, min_, max_)                                                  \
    {.section = section_,                                                                          \
     .name = name_,                                                                                \
     .type = PLAN_SETTING_MILLI,                                                                   \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     PLACE(field)},
#define BOOLEAN(section_, name_, field)                                                            \
    {.section = section_, .name = name_, .type = PLAN_SETTING_BOOLEAN, .max = 1, PLACE(field)},

/* clang-format off */
static const struct plan_setting settings[] = {
    SWIM_KEYS_GOSSIP(NUMBER, NUMBER, MS_OFF, MILLI, BOOLEAN)
    SWIM_KEYS_NETWORK(NUMBER, NUMBER, MS_OFF, MILLI, BOOLEAN)
    SWIM_KEYS_PROBES(NUMBER, NUMBER, MS_OFF, MILLI, BOOLEAN)
    SWIM_KEYS_LIFEGUARD(NUMBER, NUMBER, MS_OFF, MILLI, BOOLEAN)
};
/* clang-format on */
#define SETTING_COUNT (sizeof settings / sizeof settings[0])
_Static_assert(SETTING_COUNT <= 64, "a bit of plan.settings for each");

uint32_t plan_settings(void)
{
    return (uint32_t)SETTING_COUNT;
}

const struct plan_setting *plan_setting(uint32_t index)
{
    ASSERT(index < SETTING_COUNT);
    return &settings[index];
}

uint32_t plan_setting_find(const char *section, const char *name)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings[i].section, section) == 0 && strcmp(settings[i].name, name) == 0)
            return i;
    return UINT32_MAX;
}

uint32_t plan_setting_get(const struct plan *plan, uint32_t index)
{
    const struct plan_setting *setting = plan_setting(index);
    const char *place = (const char *)&plan->member + setting->offset;
    uint32_t number;
    bool flag;

    if (setting->type == PLAN_SETTING_BOOLEAN) {
        memcpy(&flag, place, sizeof flag);
        return flag;
    }
    memcpy(&number, place, sizeof number);
    return number;
}

bool plan_setting_set(struct plan *plan, uint32_t index, uint32_t value)
{
    const struct plan_setting *setting = plan_setting(index);
    uint32_t unit = setting->type == PLAN_SETTING_MILLI ? 1000 : 1;
    char *place = (char *)&plan->member + setting->offset;
    bool flag = value != 0;

    if (!(setting->zero_is_off && value == 0) &&
        (value < setting->min * unit || value > setting->max * unit))
        return false;
    if (setting->type == PLAN_SETTING_BOOLEAN)
        memcpy(place, &flag, sizeof flag);
    else
        memcpy(place, &value, sizeof value);
    plan->settings |= UINT64_C(1) << index;
    return true;
}
