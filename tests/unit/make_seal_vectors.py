#!/usr/bin/env python3
"""Turns the encrypted vectors, recorded and our own, into C tables for test_seal_vectors.

usage: make_seal_vectors.py WIRE-V1.jsonl ENVELOPE-2.jsonl OUTPUT.h
"""

import json
import sys

# The recorded decoder's words for its reasons, and ours.
ERRORS = {
    "BufferTooShort": "SWIM_SEAL_DROP_SIZE",
    "DecryptionFailed": "SWIM_SEAL_DROP_FORGED",
    "AuthenticationFailed": "SWIM_SEAL_DROP_SENDER",
}


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def c_bytes(text):
    return "{%s}" % ", ".join("0x%02x" % byte for byte in bytes.fromhex(text))


def c_u64(text):
    return "UINT64_C(%d)" % int(text)


def write_arrays(out, prefix, vector):
    """The datagram and what is inside; returns their fields of the table."""
    out.write("static const uint8_t %s_bytes[] = %s;\n" % (prefix, c_bytes(vector["hex"])))
    fields = [".bytes = %s_bytes, .size = sizeof %s_bytes" % (prefix, prefix),
              '.name = "%s", .key = %s' % (vector["name"], c_bytes(vector["key"]))]
    if "plaintext_hex" in vector:
        out.write("static const uint8_t %s_inside[] = %s;\n" % (
            prefix, c_bytes(vector["plaintext_hex"])))
        fields.append(".inside = %s_inside, .inside_size = sizeof %s_inside" % (prefix, prefix))
    return fields


def recorded(out, number, vector):
    fields = write_arrays(out, "recorded_%d" % number, vector)
    if vector["ok"]:
        fields.append(".nonce = %s, .sender = %s" % (
            c_bytes(vector["nonce"]), c_u64(vector["aad_sender_id"])))
    else:
        fields.append(".error = %s" % ERRORS[vector["error"].split()[0]])
    return "{%s}" % ", ".join(fields)


def own(out, number, vector):
    fields = write_arrays(out, "own_%d" % number, vector)
    fields.append('.cluster = "%s", .key_id = 0x%s, .subkey = %s' % (
        "".join("\\%03o" % byte for byte in vector["cluster"].encode()), vector["key_id"],
        c_bytes(vector["subkey"])))
    fields.append(".sender = %s, .start = %s, .counter = %s, .salt = %d" % (
        c_u64(vector["sender"]), c_u64(vector["start"]), c_u64(vector["counter"]),
        int(vector["salt"])))
    return "{%s}" % ", ".join(fields)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    first = [v for v in read(sys.argv[1]) if v["name"].startswith("enc_")]
    second = read(sys.argv[2])
    with open(sys.argv[3], "w", encoding="ascii") as out:
        out.write("/* Made by make_seal_vectors.py; the structs are test_seal_vectors.c's. */\n")
        rows = [recorded(out, number, v) for number, v in enumerate(first)]
        out.write("static const struct recorded_vector recorded[] = {\n    %s,\n};\n" %
                  ",\n    ".join(rows))
        rows = [own(out, number, v) for number, v in enumerate(second)]
        out.write("static const struct own_vector own[] = {\n    %s,\n};\n" %
                  ",\n    ".join(rows))


if __name__ == "__main__":
    main()
