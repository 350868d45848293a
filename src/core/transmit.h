/*
 * Writing datagrams, late: what is said is decided as it is written. See swim_transmit.
 */
#ifndef SWIM_CORE_TRANSMIT_H
#define SWIM_CORE_TRANSMIT_H

#include "core/instance.h"
#include "wire/wire.h"

/* The header of a datagram of ours, now. */
struct wire_header transmit_header(const struct swim *s, uint8_t kind);
/* Writes the entry of `slot` as this destination is told it; false when it does not fit. */
bool transmit_put_member(const struct swim *s, struct wire_builder *b, const struct intent *intent,
                         uint32_t slot);

#endif
