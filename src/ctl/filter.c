/* What is wrong with a filter is said here already, and not asked. */
#include "ctl/filter.h"

#include <stdio.h>
#include <string.h>

static bool is_status_name(const char *text, size_t size)
{
    static const char *const names[] = {"alive", "suspect", "dead", "left"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == size && strncmp(names[i], text, size) == 0)
            return true;
    return false;
}

static bool are_statuses(const char *text)
{
    for (;;) {
        size_t size = strcspn(text, ",");
        if (!is_status_name(text, size))
            return false;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
}

enum exit_code ctl_filter(struct ctl *ctl, char path[CTL_PATH_MAX])
{
    bool is_first = strchr(path, '?') == NULL;

    for (size_t i = 0; i < ctl->given_count; i++) {
        const char *name = ctl->given[i].name;
        const char *value = ctl->given[i].value;
        bool is_status = strcmp(name, "status") == 0;
        size_t size = strlen(path);
        if (!is_status && strcmp(name, "tag") != 0)
            continue;
        if (is_status && !are_statuses(value))
            return ctl_note(ctl, EXIT_CODE_USAGE,
                            "--status %.100s: must be alive, suspect, dead or left, or several "
                            "by commas",
                            value);
        if (!is_status && (*value == '\0' || *value == '='))
            return ctl_note(ctl, EXIT_CODE_USAGE, "--tag %.100s: must be KEY=VALUE, or KEY", value);
        (void)snprintf(path + size, CTL_PATH_MAX - size, "%c%s=", is_first ? '?' : '&', name);
        is_first = false;
        if (!client_encode(value, path, CTL_PATH_MAX))
            return ctl_note(ctl, EXIT_CODE_USAGE, "the filters are too long");
    }
    return EXIT_CODE_OK;
}
