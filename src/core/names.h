/*
 * Who is called what: an index of the live members that have a name, and the pairs that share one.
 * Ids are the identity; a name that two live members have is reported, not resolved.
 */
#ifndef SWIM_CORE_NAMES_H
#define SWIM_CORE_NAMES_H

#include "core/instance.h"

/* `slot` is in the index only if it is live and has a name, from here on, and if there is a place. To be called whenever
 * its content or its liveness has changed. Finds out who shares the name and has that reported, but
 * if `is_old`: it has had this name until now, and all is said. */
void names_follow(struct swim *s, uint32_t slot, bool is_old);
/* `slot` is live, and called as `content` of `size` bytes says. */
bool names_is_called(const struct swim *s, uint32_t slot, const uint8_t *content, uint32_t size);
/* The name of `slot` is about to change: out of the index. */
void names_leave(struct swim *s, uint32_t slot);
/* A live member of this name, SELF first; 0 if there is none. Looks at all members if the index has
 * none and had not a place for everybody. */
uint32_t names_find(const struct swim *s, const char *name);
/* True when both are live and have the same name. */
bool names_are_rivals(const struct swim *s, uint32_t a, uint32_t b);

#endif
