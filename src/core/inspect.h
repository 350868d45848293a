/* What the host may see of a member. */
#ifndef SWIM_CORE_INSPECT_H
#define SWIM_CORE_INSPECT_H

#include "core/instance.h"

/* The host sees this one in its list. Any slot up to slots_high, 0 included. */
bool inspect_is_listed(const struct swim *s, uint32_t slot);
void inspect_member(const struct swim *s, uint32_t slot, struct swim_member *ret);

#endif
