/*
 * Contents that come in parts, from whomever: put together by member and version. Bounded; who is
 * given up is found missing when views are compared. docs/protocol.md section 6, META.
 */
#ifndef SWIM_CORE_META_PARTS_H
#define SWIM_CORE_META_PARTS_H

#include "core/instance.h"

/* A part of a version that is wanted. Returns the whole content, good until the next call, once
 * nothing is missing, else NULL. */
const uint8_t *meta_parts_add(struct swim *s, const struct wire_meta_part *part);
/* Nothing up to this version is wanted of this member any more. */
void meta_parts_forget(struct swim *s, uint64_t id, const struct wire_meta_key *key);

#endif
