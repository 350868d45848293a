#!/usr/bin/python3
"""
Writes the first inputs of the fuzz targets, tests/fuzz/corpus/, from the recorded datagrams in
tests/data/wire-v1/vectors.jsonl. Run it again when those change.
"""
import json
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, '..', 'data', 'wire-v1', 'vectors.jsonl')


def write(target, name, data):
    folder = os.path.join(HERE, 'corpus', target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(data)


def step(op, datagram, source=2):
    return struct.pack('>BBH', op, source, len(datagram)) + datagram


def main():
    story = b''
    with open(VECTORS, encoding='utf-8') as lines:
        for line in lines:
            vector = json.loads(line)
            if vector['name'].startswith('enc_'):
                continue
            datagram = bytes.fromhex(vector['hex'])
            write('datagram', vector['name'], datagram)
            wait = struct.pack('>BH', 3, 600)
            write('core', vector['name'], b'\4' + step(0, datagram) + wait + step(2, datagram, 3) + wait * 3)
            story += step(2, datagram) + wait
    write('core', 'story', story + b'\5' + struct.pack('>BH', 3, 600) * 5)
    # Records of an extension: PROBE, ON_BEHALF, VIEW, an unknown one; and the later kinds.
    records = b''.join(struct.pack('>BH', kind, len(value)) + value for kind, value in (
        (1, b'\0\0\0\7'), (2, bytes(7) + b'\1'), (4, bytes(8) + b'\0\0\0\2'), (200, b'xyz'),
        (3, bytes(20)), (6, bytes(12))))
    for kind in range(1, 9):
        datagram = extended(kind, 99, records)
        write('datagram', f'extended_{kind}', datagram)
        write('core', f'extended_{kind}', step(2, datagram) * 2 + struct.pack('>BH', 3, 600) * 3)
    write('core', 'accused', accused())


def extended(kind, sender, records):
    header = struct.pack('>BBHQIIBBH', 1, kind, 0, sender, 5, 1, 3, 1, 0)
    return header + struct.pack('>H', len(records)) + records


def accused():
    """Members 2 to 7; three of them accuse 5, and each other, and us; then NACKs, and silence."""
    wait = struct.pack('>BH', 3, 900)
    story = b''.join(step(2, extended(1, member, b''), member) for member in range(2, 8)) + wait * 3
    for accuser in (2, 3, 4):
        accusations = b''.join(struct.pack('>QIQ', target, 1, accuser) for target in (5, 6, accuser, 1))
        record = struct.pack('>BH', 3, len(accusations)) + accusations
        story += step(2, extended(accuser, accuser, record), accuser) + wait
        nack = struct.pack('>BHIBHQ', 1, 4, accuser, 2, 8, 5)
        story += step(2, extended(7, accuser, nack), accuser)
    return story + wait * 12


if __name__ == '__main__':
    main()
