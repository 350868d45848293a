/*
 * Any bytes against the decoder and the encoder (docs/protocol.md sections 1, 2 and 6): as they
 * are, and with version, length and checksum put right, so that the payloads' parsers are reached
 * without guessing a checksum. The property is the unit tests': refused, or the same bytes again.
 */
#include "../unit/wire_roundtrip.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size)
{
    const char *broken = roundtrip_check(data, size);
    if (broken)
        swim_panic(broken, __FILE__, __LINE__);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[SWIM_RECEIVE_MAX];

    check(data, size);
    if (size >= WIRE_HEADER_SIZE && size <= sizeof copy) {
        /* At the end of the buffer, so that a sanitizer sees a read past the datagram's. */
        uint8_t *at = copy + sizeof copy - size;
        memcpy(at, data, size);
        at[0] = WIRE_VERSION;
        repair(at, size);
        check(at, size);
    }
    return 0;
}
