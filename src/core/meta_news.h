/*
 * Names and tags as news: one slot a member, told as often as other news, fewest sent first, in
 * PING, ACK and GOSSIP to capable peers. docs/protocol.md section 7.
 *
 * Content of one part goes along with what else there is. Larger content goes to one peer after the
 * other, all its parts at once, in GOSSIP datagrams that follow each other.
 */
#ifndef SWIM_CORE_META_NEWS_H
#define SWIM_CORE_META_NEWS_H

#include "core/instance.h"
#include "wire/wire.h"

/* No content, a sequence of terminated strings of which every other may be empty, has this many zeros
 * in a row: a part of them tells a version whose content there was no room for. */
enum { META_KEY_ALONE_MIN = 3 };

/* `slot` has another version: told from no transmission on. Asserted: its content is held. */
void meta_news_tell(struct swim *s, uint32_t slot);
/* Known to nearly everybody already, as gossip_rumour. */
void meta_news_rumour(struct swim *s, uint32_t slot);
/* There is nothing more to say. */
void meta_news_withdraw(struct swim *s, uint32_t slot);
/* Somebody else tells the same: counts like a transmission, unless it is large: of that few copies
 * are sent as it is. */
void meta_news_overheard(struct swim *s, uint32_t slot);
/* Is there anything to tell, and anybody who may understand it? */
bool meta_news_is_due(const struct swim *s);
/* Writes what there is room for into a META record, `reserve` bytes left behind it, and charges it.
 * Returns how many parts it wrote. */
uint32_t meta_news_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                         size_t reserve);
/* Parts number *part and on of what is held of `slot`, as many as fit; *part is the next one then.
 * True when it was the last one. Of content that there was no room for: one part, zeros in place
 * of its bytes, so that the version is known. */
bool meta_news_put_parts(struct swim *s, struct writer *value, uint32_t slot, uint8_t *part);

#endif
