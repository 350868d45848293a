/* What the host may see of a member. */
#ifndef SWIM_CORE_INSPECT_H
#define SWIM_CORE_INSPECT_H

#include "core/instance.h"

void inspect_member(const struct swim *s, uint32_t slot, struct swim_member *ret);

#endif
