/* swimctl force-leave: for members that are dead and won't come back. One that lives comes back by
 * itself. */
#include "ctl/verb.h"

#include "ctl/targets.h"

static enum exit_code ask(struct ctl *ctl, const char *id, json_t **ret)
{
    char body[80];
    bool prune = ctl_given(ctl, "prune") != NULL;

    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"prune\":%s}", id, prune ? "true" : "false");
    return ctl_post(ctl, "/force-leave", body, ret);
}

static void show(struct ctl *ctl, const char *word, const json_t *answer)
{
    (void)ctl;
    (void)printf("%s: %s\n", word,
                 json_is_true(json_object_get(answer, "pruned")) ? "has left, and is off the list"
                                                                 : "has left");
}

enum exit_code verb_force_leave(struct ctl *ctl)
{
    return ctl_for_targets(ctl, &(struct ctl_target){.ask = ask, .show = show});
}
