/*
 * Two decoders, written apart, must say the same: src/wire and naive_decode.h. Shared by the fuzz
 * targets over datagrams, entries and records.
 */
#ifndef SWIM_TESTS_FUZZ_DIFFERENTIAL_H
#define SWIM_TESTS_FUZZ_DIFFERENTIAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes these bytes both ways and compares the verdicts, and of what is accepted every field,
 * entry, accusation and record; and what section 6 promises to be written in one way only is
 * encoded again and compared with the bytes. NULL when all agree, else what does not (static).
 */
const char *differential_check(const uint8_t *bytes, size_t size);

/* The same, and it ends the process on a disagreement. */
void differential_demand(const uint8_t *bytes, size_t size);

#endif
