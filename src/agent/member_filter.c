/* One parser and one test for every list of members: what filters one filters all. */
#include "agent/member_filter.h"

#include <stdio.h>
#include <string.h>

#define EVERY_STATUS ((1U << SWIM_STATUS_COUNT) - 1)

void member_filter_init(struct member_filter *filter)
{
    *filter = (struct member_filter){.statuses = EVERY_STATUS};
}

/* 0: there is no such status. */
static uint32_t bit_of(const char *name, size_t size)
{
    for (int i = 0; i < SWIM_STATUS_COUNT; i++) {
        const char *known = swim_status_name((enum swim_status)i);
        if (strlen(known) == size && memcmp(known, name, size) == 0)
            return 1U << i;
    }
    return 0;
}

/* "alive,suspect"; 0 when any of it is wrong. */
static uint32_t parse_statuses(const char *list)
{
    uint32_t statuses = 0;

    for (;;) {
        size_t size = strcspn(list, ",");
        uint32_t bit = bit_of(list, size);
        if (bit == 0)
            return 0;
        statuses |= bit;
        if (list[size] == '\0')
            return statuses;
        list += size + 1;
    }
}

static bool fail(char ret_error[MEMBER_FILTER_ERROR_MAX], const char *text)
{
    (void)snprintf(ret_error, MEMBER_FILTER_ERROR_MAX, "%s", text);
    return false;
}

bool member_filter_take(struct member_filter *filter, struct http_query *query, const char *known,
                        char ret_error[MEMBER_FILTER_ERROR_MAX])
{
    uint32_t statuses = 0;
    const char *value;

    while ((value = http_query_take(query, "status")) != NULL) {
        uint32_t more = parse_statuses(value);
        if (more == 0)
            return fail(ret_error, "status must be alive, suspect, dead or left, or several of "
                                   "these with commas between");
        statuses |= more;
    }
    while ((value = http_query_take(query, "tag")) != NULL) {
        if (*value == '\0' || *value == '=')
            return fail(ret_error, "tag must be KEY=VALUE, or KEY for whoever has it");
        filter->tags[filter->tag_count++] = value;
    }
    uint32_t untaken = http_query_untaken(query);
    if (untaken != 0) {
        (void)snprintf(ret_error, MEMBER_FILTER_ERROR_MAX,
                       "parameter %u of the query is not known here, or given twice; known are: %s",
                       (unsigned)untaken, known);
        return false;
    }
    if (statuses != 0)
        filter->statuses = statuses;
    return true;
}

/* "key=value" or "key": of it only the key is looked for. A key holds no '='. */
static bool has_tag(const struct swim_meta *meta, const char *wanted)
{
    char key[SWIM_TAG_KEY_MAX + 1];
    size_t size = strcspn(wanted, "=");
    const char *value;

    if (size >= sizeof key)
        return false; /* longer than any */
    memcpy(key, wanted, size);
    key[size] = '\0';
    value = swim_meta_get(meta, key);
    return value != NULL && (wanted[size] == '\0' || strcmp(value, wanted + size + 1) == 0);
}

bool member_filter_passes_meta(const struct member_filter *filter, enum swim_status status,
                               const struct swim_meta *meta)
{
    if ((filter->statuses & 1U << status) == 0 || (filter->tag_count > 0 && meta == NULL))
        return false;
    for (uint32_t i = 0; i < filter->tag_count; i++)
        if (!has_tag(meta, filter->tags[i]))
            return false;
    return true;
}

bool member_filter_passes(const struct member_filter *filter, const struct swim *swim,
                          const struct swim_member *member)
{
    struct swim_meta meta;
    bool has_meta =
        filter->tag_count > 0 && swim != NULL && swim_member_meta(swim, member->id, &meta);

    return member_filter_passes_meta(filter, member->status, has_meta ? &meta : NULL);
}
