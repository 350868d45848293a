/* Who this member is: made at the start, told to others as its name and tags. */
#ifndef SWIM_AGENT_IDENTITY_H
#define SWIM_AGENT_IDENTITY_H

#include "agent/exit_code.h"

struct agent;

/* Makes the member, in an arena of its own. *ret_source (static) says where its address is from. */
enum exit_code identity_start(struct agent *agent, const char **ret_source);
void identity_end(struct agent *agent);

/* What this member says of itself: by its settings. */
void identity_introduce(struct agent *agent);
/* The same as it starts, when that is no news yet. */
void identity_introduce_first(struct agent *agent);

#endif
