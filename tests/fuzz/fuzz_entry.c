/*
 * The entry decoder, without a fuzzer having to guess a header: every byte of the input but the
 * first is the payload of a datagram that carries entries (docs/protocol.md section 2), read by two
 * decoders. The first byte chooses the kind, and the capability bit that some need.
 */
#include "differential.h"

#include "../unit/wire_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t kinds[] = {WIRE_GOSSIP, WIRE_PING,         WIRE_ACK,      WIRE_NACK,
                                WIRE_SYNC,   WIRE_ANTI_ENTROPY, WIRE_PING_REQ, WIRE_LEAVE};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[SWIM_RECEIVE_MAX];
    size_t total = WIRE_HEADER_SIZE + size - 1;

    if (size < 1 || total > sizeof buf)
        return 0;
    memset(buf, 0, WIRE_HEADER_SIZE);
    buf[0] = WIRE_VERSION;
    buf[1] = kinds[data[0] % sizeof kinds];
    buf[11] = 2; /* the sender */
    buf[21] = data[0] & 0x80 ? 0 : WIRE_CAPABLE;
    memcpy(buf + WIRE_HEADER_SIZE, data + 1, size - 1);
    repair(buf, total);
    differential_demand(buf, total);
    return 0;
}
