/* --status and --tag of a verb, as the query of a request for members or their events. */
#ifndef SWIM_CTL_FILTER_H
#define SWIM_CTL_FILTER_H

#include "ctl/ctl.h"

/* Appends the filters that were given to `path`. A failure (usage) is noted. */
SWIM_MUST_CHECK enum exit_code ctl_filter(struct ctl *ctl, char path[CTL_PATH_MAX]);

#endif
