/*
 * Whole datagrams against two decoders that were written apart (docs/protocol.md sections 1, 2 and
 * 6): as they are, and with version, length and checksum put right.
 */
#include "differential.h"

#include "../unit/wire_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[SWIM_RECEIVE_MAX];

    differential_demand(data, size);
    if (size >= WIRE_HEADER_SIZE && size <= sizeof copy) {
        memcpy(copy, data, size);
        copy[0] = WIRE_VERSION;
        repair(copy, size);
        differential_demand(copy, size);
    }
    return 0;
}
