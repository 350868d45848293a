/*
 * Names and tags as values: what a host fills in, and the same as the bytes that travel.
 * docs/protocol.md section 6, META.
 *
 *     content:  name 0 | key 0 value 0 | key 0 value 0 ...        keys in the order of their bytes
 *
 * Text has no zeros inside, so the bytes need no lengths; keys are unique and in order, so that the
 * same name and tags are the same bytes everywhere.
 */
#ifndef SWIM_CORE_META_VALUE_H
#define SWIM_CORE_META_VALUE_H

#include "swim/swim.h"

/* The largest content, and the smallest: an empty name. */
#define META_CONTENT_MAX (SWIM_NAME_MAX + 1 + SWIM_TAGS_MAX)

/* True for what meta_value_read can read: all rules of swim.h hold. */
bool meta_value_is_wellformed(const uint8_t *content, size_t size);
/* Asserted: it is well-formed. The version is set to 0. */
void meta_value_read(const uint8_t *content, size_t size, struct swim_meta *ret);
/* Returns the size of what it wrote. Asserted: *meta was made by the functions of swim.h. */
size_t meta_value_write(const struct swim_meta *meta, uint8_t ret_content[META_CONTENT_MAX]);
/* What tells one content from another: SipHash-2-4 under the ASCII bytes `swim meta digest`. */
uint64_t meta_value_digest(const uint8_t *content, size_t size);

#endif
