/* Verbs that do the same to several members: one line, or one element of "results", for each. */
#ifndef SWIM_CTL_TARGETS_H
#define SWIM_CTL_TARGETS_H

#include "ctl/ctl.h"

struct ctl_target {
    /* Asks for one member, by its id. A failure is noted; else *ret is what the daemon answers. */
    enum exit_code (*ask)(struct ctl *ctl, const char *id, json_t **ret);
    /* Prints what it answered; `word` is what the member was called, clean. */
    void (*show)(struct ctl *ctl, const char *word, const json_t *answer);
};

/* For each word of the command line. With --json: {"results":[{"member":"WORD",...} or
 * {"member":"WORD","error":"..."}]}. The exit code is that of all together. */
enum exit_code ctl_for_targets(struct ctl *ctl, const struct ctl_target *target);

#endif
