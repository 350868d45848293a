/*
 * Writing datagrams, late: what is said is decided as it is written. See swim_transmit.
 */
#ifndef SWIM_CORE_TRANSMIT_H
#define SWIM_CORE_TRANSMIT_H

#include "core/instance.h"
#include "wire/wire.h"

/* The header of a datagram of ours, now. */
struct wire_header transmit_header(const struct swim *s, uint8_t kind);
/* As transmit_put_member, whoever it is. */
bool transmit_put_anybody(const struct swim *s, struct wire_builder *b, const struct intent *intent,
                          uint32_t slot);

/* Writes the entry of `slot` as this destination is told it; false when it does not fit. Inline where
 * there is nothing more to it than the record. */
static inline bool transmit_put_member(const struct swim *s, struct wire_builder *b,
                                       const struct intent *intent, uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    bool is_plain_word = slot != SELF && m->record.addr.family == 4 &&
                         m->record.status < SWIM_LEFT && !(m->flags & MEMBER_FORGOTTEN);
    uint8_t *at = is_plain_word ? wire_entry4_space(b) : NULL;

    if (!at)
        return transmit_put_anybody(s, b, intent, slot);
    wire_store_entry4(at, m->record.id, (uint64_t)m->record.heartbeat << 32 | m->record.incarnation,
                      m->record.status, &m->record.addr);
    return true;
}

#endif
