/*
 * Names and tags of the members: what is held of each, under which version, and who may change it.
 * Every member writes its own and nobody else's; of two versions the greater one is kept, which is a
 * join as merge.h's. docs/protocol.md sections 6 to 8.
 *
 *     meta_value  bytes <-> struct swim_meta      meta_news   who is yet to be told
 *     meta_store  memory for contents             meta_parts  contents that come in parts
 *     names       who shares a name
 */
#ifndef SWIM_CORE_META_H
#define SWIM_CORE_META_H

#include "core/claim.h"
#include "core/instance.h"

/* < 0, 0, > 0 as `a` is below, equal to, or above `b`. */
int meta_compare(const struct wire_meta_key *a, const struct wire_meta_key *b);

/* `slot` is live or not, since a moment: names, and what is to be told. */
void meta_follow_status(struct swim *s, uint32_t slot);
/* `slot` is forgotten, or is no member that has names and tags: nothing is known of them. */
void meta_drop(struct swim *s, uint32_t slot);
/* This member has a new id: its versions begin anew. */
void meta_renew(struct swim *s);
/* A warm start: contents of `slot` are those that `like` holds at `its_slot`; key and digest are in
 * place already. */
void meta_take_over(struct swim *s, uint32_t slot, const struct swim *like, uint32_t its_slot);

/* The META record of a datagram, after its entries. */
void meta_hear(struct swim *s, const struct wire_datagram *dg, struct source *source);

/* swim_check's share: every invariant of names and tags. NULL, or the broken one. */
const char *check_meta(const struct swim *s);
/* A list is consistent. */
const char *check_list(const struct list *list, const struct link *links);

#endif
