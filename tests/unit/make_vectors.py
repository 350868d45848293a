#!/usr/bin/env python3
"""Turns vectors.jsonl into a C table, so that test_wire needs no JSON and runs on any platform.

usage: make_vectors.py VECTORS.jsonl OUTPUT.h
"""

import ipaddress
import json
import sys

# The recorded decoder's words for its reasons, and ours.
ERRORS = {
    "BufferTooShort": "SWIM_DROP_SHORT",
    "UnsupportedVersion": "SWIM_DROP_VERSION",
    "LengthMismatch": "SWIM_DROP_LENGTH",
    "ChecksumFailed": "SWIM_DROP_CHECKSUM",
    "UnknownKind": "SWIM_DROP_KIND",
    "MalformedPayload": "SWIM_DROP_PAYLOAD",
}


def c_bytes(data):
    return "{" + ", ".join("0x%02x" % byte for byte in data) + "}"


def c_addr(text):
    host, port = text.rsplit(":", 1)
    ip = ipaddress.ip_address(host.strip("[]"))
    return "{.ip = %s, .port = %s, .family = %d}" % (c_bytes(ip.packed), port, ip.version)


def c_u64(text):
    return "UINT64_C(%d)" % int(text)


def c_entry(entry):
    return "{%s, %du, %du, %d, %s}" % (
        c_u64(entry["node_id"]), entry["heartbeat"], entry["incarnation"], entry["status"],
        c_addr(entry["addr"]))


def c_fields(fields):
    """The expectations that an accepted datagram has, as designated initializers."""
    yield ".kind = %d, .flags = 0x%02x" % (fields["kind"], fields["flags"])
    yield ".sender_id = %s" % c_u64(fields["sender_id"])
    yield ".heartbeat = %du, .incarnation = %du" % (fields["heartbeat"], fields["incarnation"])
    if "target_id" in fields:
        yield ".target_id = %s" % c_u64(fields["target_id"])
        yield ".target_addr = %s" % c_addr(fields["target_addr"])
    if "table_version" in fields:
        yield ".table_version = %s" % c_u64(fields["table_version"])
        yield ".chunk_index = %d, .chunk_count = %d" % (
            fields["chunk_index"], fields["total_chunks"])


def write_vector(out, number, vector):
    """Writes the arrays of one vector; returns its line of the table."""
    data = bytes.fromhex(vector["hex"])
    if len(data) != vector["len"]:
        sys.exit("%s: len and hex disagree" % vector["name"])
    out.write("static const uint8_t vector_%d_bytes[] = %s;\n" % (number, c_bytes(data)))
    parts = ['.name = "%s"' % vector["name"], ".bytes = vector_%d_bytes" % number,
             ".size = %d" % len(data)]
    if not vector["ok"]:
        reason = vector["error"].split("(")[0]
        return "{%s, .error = %s}" % (", ".join(parts), ERRORS[reason])
    parts += c_fields(vector["fields"])
    entries = vector["fields"].get("entries", [])
    if entries:
        out.write("static const struct wire_entry vector_%d_entries[] = {\n    %s,\n};\n" % (
            number, ",\n    ".join(c_entry(entry) for entry in entries)))
        parts += [".entries = vector_%d_entries" % number, ".entry_count = %d" % len(entries)]
    return "{%s}" % ", ".join(parts)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    with open(sys.argv[1], encoding="utf-8") as lines:
        vectors = [json.loads(line) for line in lines if line.strip()]
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("/* Made by make_vectors.py; struct wire_vector is test_wire.c's. */\n")
        # Encrypted datagrams are not the plain decoder's.
        table = [write_vector(out, number, vector) for number, vector in enumerate(vectors)
                 if not vector["name"].startswith("enc_")]
        out.write("static const struct wire_vector vectors[] = {\n    %s,\n};\n" %
                  ",\n    ".join(table))


if __name__ == "__main__":
    main()
