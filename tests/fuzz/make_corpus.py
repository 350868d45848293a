#!/usr/bin/python3
"""
make_corpus.py: writes the first inputs of the fuzz targets, tests/fuzz/corpus/, from the recorded
datagrams in tests/data/wire-v1/vectors.jsonl. Run it again when those change.
"""
import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD_CHOICES = 14  # the length of fuzz_record.c's table
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
            write('differential', vector['name'], datagram)
            if len(datagram) > 24:
                # GOSSIP, ANTI_ENTROPY, PING_REQ: the places in fuzz_entry.c's table.
                place = {6: 5, 3: 6}.get(datagram[1], 0)
                write('entry', vector['name'], bytes([place]) + datagram[24:])
            wait = struct.pack('>BH', 3, 600)
            write('core', vector['name'], b'\4' + step(0, datagram) + wait + step(6, datagram, 3) + wait * 3)
            story += step(6, datagram) + wait
    write('core', 'story', story + b'\5' + struct.pack('>BH', 3, 600) * 5)
    # Records of an extension: PROBE, ON_BEHALF, VIEW, an unknown one; and the later kinds.
    records = b''.join(struct.pack('>BH', kind, len(value)) + value for kind, value in (
        (1, b'\0\0\0\7'), (2, bytes(7) + b'\1'), (4, bytes(8) + b'\0\0\0\2'), (200, b'xyz'),
        (3, bytes(20)), (6, part(99, 1, b'n\0', 0))))
    for kind in range(1, 9):
        datagram = extended(kind, 99, records)
        write('datagram', f'extended_{kind}', datagram)
        write('differential', f'extended_{kind}', datagram)
        write('core', f'extended_{kind}', step(6, datagram) * 2 + struct.pack('>BH', 3, 600) * 3)
    write('core', 'accused', accused())
    sketches()
    # What record_traffic.c has written.
    folder = os.path.join(HERE, 'corpus', 'datagram')
    for name in sorted(os.listdir(folder)):
        if name.startswith('traffic_'):
            with open(os.path.join(folder, name), 'rb') as f:
                write('core', name, step(6, f.read()) + struct.pack('>BH', 3, 600))
    records_of()
    metas_of()


def records_of():
    """Scripts of fuzz_record.c: each record by itself, with its length one off, and all together."""
    value = bytes(range(1, 21))
    together = b''
    for choice in range(RECORD_CHOICES):
        together += bytes([choice, 0]) + value[:4]
        for kind in (1, 7):
            write('record', f'choice_{choice}_{kind}', bytes([kind, choice, 0]) + value)
        for length in (3, 5, 21):
            write('record', f'choice_{choice}_length_{length}', bytes([3, choice, length]) + value * 2)
    write('record', 'together', bytes([1]) + together)
    write('record', 'payload', bytes([0, 0, 0, 1, 2, 3, 4, 255]) + bytes(24))
    write('record', 'twice', bytes([1, 0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 3, 12]) + bytes(12))
    # BUCKETS: each phase, with the lengths that it must have and others.
    for phase in (0, 1, 2, 3, 4, 5, 6, 7):
        for bits in (0, 3, 6, 9):
            mask = max(1, (1 << bits) // 8)
            for length in {3, 4, 3 + (4 << bits), 3 + (1 << bits) // 8, 5 + mask, 7 + mask + 4,
                           7 + mask + 28, 7 + mask + 56}:
                if length <= 255:
                    write('record', f'buckets_{phase}_{bits}_{length}',
                          bytes([7, 5, length, phase, bits, 1]) + bytes(length - 3))


def part(member, version, content, number, size=None, incarnation=0, digest=0):
    """A part of META as docs/protocol.md section 6 has it; of another size if told so."""
    header = struct.pack('>QIIQHB', member, incarnation, version, digest,
                         len(content) if size is None else size, number)
    return header + content[512 * number:512 * (number + 1)]


def metas_of():
    """META records: one part, several, the last one of the largest, and what is not whole."""
    meta = RECORD_META
    small, large = b'db-2\0rack\0007\0', b'n\0' + b'k\0' + b'v' * 4220 + b'\0'
    values = {
        'one': part(2, 1, small, 0),
        'two': part(2, 1, small, 0) + part(3, 9, b'\0', 0),
        'last': part(2, 1, large[:4225], 8),
        'beyond': part(2, 1, small, 1),
        'huge': part(2, 1, small, 0, size=4226),
        'none': part(2, 1, small, 0, size=0),
        'cut': part(2, 1, small, 0)[:-1],
        'more': part(2, 1, small, 0) + b'\0',
    }
    for name, value in values.items():
        for kind in (0, 1, 7):
            write('record', f'meta_{name}_{kind}', bytes([kind, meta, len(value)]) + value)


RECORD_META = 9  # the place in fuzz_record.c's table


def extended(kind, sender, records):
    header = struct.pack('>BBHQIIBBH', 1, kind, 0, sender, 5, 1, 3, 1, 0)
    return header + struct.pack('>H', len(records)) + records


def sketches():
    """A sketch of noise, a question for another one, and a wish for keys, of 256 buckets."""
    for phase, content in ((4, bytes(range(4 + 7 * 16))), (5, b'\0\x20'), (6, bytes(range(4 + 4 * 8)))):
        value = bytes([phase, 8, 1]) + b'\x81' * 32 + content
        datagram = extended(8, 2, struct.pack('>BH', 5, len(value)) + value)
        write('datagram', f'sync_{phase}', datagram)
        write('differential', f'sync_{phase}', datagram)
        write('core', f'sync_{phase}', step(6, datagram) * 2 + struct.pack('>BH', 3, 600) * 3)


def accused():
    """Members 2 to 7; three of them accuse 5, and each other, and us; then NACKs, and silence."""
    wait = struct.pack('>BH', 3, 900)
    story = b''.join(step(6, extended(1, member, b''), member) for member in range(2, 8)) + wait * 3
    for accuser in (2, 3, 4):
        accusations = b''.join(struct.pack('>QIQ', target, 1, accuser) for target in (5, 6, accuser, 1))
        record = struct.pack('>BH', 3, len(accusations)) + accusations
        story += step(2, extended(accuser, accuser, record), accuser) + wait
        nack = struct.pack('>BHIBHQ', 1, 4, accuser, 2, 8, 5)
        story += step(2, extended(7, accuser, nack), accuser)
    return story + wait * 12


if __name__ == '__main__':
    if sys.argv[1:2] in (['-h'], ['--help']):
        sys.exit(print(__doc__.strip()))
    main()
