#!/usr/bin/env python3
"""
Envelope 2 (docs/protocol.md section 3), written a second time from the specification, with nothing
but Python's own integers and hashlib: what src/seal and libsodium make of the same inputs must come
out equal.

usage: make_envelope2.py > tests/data/envelope-2/vectors.jsonl
       make_envelope2.py --check tests/data/envelope-2/vectors.jsonl
"""

import hashlib
import json
import struct
import sys

MASK = 0xFFFFFFFF


def rotate(x, n):
    return (x << n | x >> 32 - n) & MASK


def quarter(s, a, b, c, d):
    for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & MASK
        s[z] = rotate(s[z] ^ s[x], n)


def chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    start = list(struct.unpack("<4I8I", b"expand 32-byte k" + key))
    start += [counter] + list(struct.unpack("<3I", nonce))
    s = list(start)
    for _ in range(10):
        for i in range(4):
            quarter(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((x + y) & MASK for x, y in zip(s, start)))


def poly1305(key, data):
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        block = data[at:at + 16] + b"\1"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total % 2**128).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def seal(key, nonce, clear, text):
    """ChaCha20-Poly1305, RFC 8439 section 2.8: what is sealed, and its tag."""
    stream = b"".join(chacha20_block(key, 1 + i, nonce) for i in range(len(text) // 64 + 1))
    sealed = bytes(x ^ y for x, y in zip(text, stream))
    lengths = struct.pack("<QQ", len(clear), len(sealed))
    one_time = chacha20_block(key, 0, nonce)[:32]
    return sealed + poly1305(one_time, padded(clear) + padded(sealed) + lengths)


def blake2b(key, text):
    return hashlib.blake2b(text, key=key, digest_size=32).digest()


def key_id(key):
    return int.from_bytes(blake2b(key, b"swim key id")[:4], "big") or 1


def vector(name, key, cluster, sender, start, counter, salt, text):
    who = sender.to_bytes(8, "big") + start.to_bytes(6, "big")
    name_bytes = cluster.encode()
    subkey = blake2b(key, b"swim envelope 2" + bytes([len(name_bytes)]) + name_bytes + who)
    nonce = counter.to_bytes(8, "big") + salt.to_bytes(4, "big")
    clear = bytes([2, key_id(key) & 0xFF]) + who + nonce
    return {
        "name": name, "key": key.hex(), "key_id": "%08x" % key_id(key), "cluster": cluster,
        "sender": str(sender), "start": str(start), "counter": str(counter), "salt": str(salt),
        "subkey": subkey.hex(), "plaintext_hex": text.hex(),
        "hex": (clear + seal(subkey, nonce, clear, text)).hex(),
    }


def vectors():
    key = bytes(range(32))
    other = bytes(range(255, 223, -1))
    ping = bytes.fromhex("0102000001020304050607080a0b0c0d010203040000d4cb")
    sender = 0x0102030405060708
    most = 2**64 - 1
    long_text = bytes(i * 7 % 256 for i in range(1424))
    long_text = long_text[:4] + most.to_bytes(8, "big") + long_text[12:]
    yield vector("first_of_a_start", key, "", sender, 1700000000000, 0, 0, ping)
    yield vector("named_cluster", key, "red", sender, 1700000000000, 0, 0, ping)
    yield vector("later", key, "red", sender, 1700000000001, 4711, 0xA0A1A2A3, ping)
    yield vector("other_key", other, "red", sender, 1700000000000, 0, 0, ping)
    yield vector("name_of_two_bytes", key, "\u00fc", sender, 0, 1, 1, ping)
    yield vector("extremes", other, "x" * 64, most, 2**48 - 1, most, MASK, long_text)


def self_test():
    """RFC 8439, section 2.8.2."""
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
            b"the future, sunscreen would be it.")
    clear = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    nonce = bytes.fromhex("070000004041424344454647")
    sealed = seal(bytes(range(0x80, 0xA0)), nonce, clear, text)
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2", sealed.hex()
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691", sealed.hex()


def main():
    self_test()
    lines = "".join(json.dumps(v, ensure_ascii=True) + "\n" for v in vectors())
    if sys.argv[1:2] == ["--check"] and len(sys.argv) == 3:
        with open(sys.argv[2], encoding="ascii") as f:
            same = f.read() == lines
        print("%s: %s" % (sys.argv[2], "as computed" if same else "differs"))
        return 0 if same else 1
    if len(sys.argv) != 1:
        sys.exit(__doc__.strip())
    sys.stdout.write(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
