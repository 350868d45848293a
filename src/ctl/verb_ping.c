/* swimctl ping: a probe at once, whatever the protocol does. */
#include "ctl/verb.h"

#include "ctl/duration.h"
#include "ctl/targets.h"

static enum exit_code ask(struct ctl *ctl, const char *id, json_t **ret)
{
    char body[40];

    (void)snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
    return ctl_post(ctl, "/ping", body, ret);
}

static void show(struct ctl *ctl, const char *word, const json_t *answer)
{
    char text[32];

    (void)ctl;
    duration_of(ctl_real(answer, "rtt_seconds"), text, sizeof text);
    (void)printf("%s: answered after %s\n", word, *text != '\0' ? text : "less than 1 us");
}

enum exit_code verb_ping(struct ctl *ctl)
{
    return ctl_for_targets(ctl, &(struct ctl_target){.ask = ask, .show = show});
}
