#!/usr/bin/python3
"""
make_seal_corpus.py: writes the first inputs of fuzz_envelope1 and fuzz_envelope2: scripts in
their little languages, each a story of what can happen to an envelope. Run it again when the
languages change.
"""
import os
import random
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(HERE, 'corpus', target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(data)


def raw(step, data):
    return bytes([step]) + struct.pack('>H', len(data)) + data


def envelope1():
    def seal(key=0, lies=0, size=3):
        return bytes([0, 1, key, lies, size, 7])

    install, hear = bytes([5, 0]), bytes([3])
    for name, story in {
            'heard': install + seal() + hear + hear,
            'lies': install + seal(lies=1) + hear,
            'other_key': install + seal(key=1) + hear + bytes([5, 1]) + hear,
            'removed': install + bytes([5, 1, 6, 1, 7, 0]) + seal() + hear,
            'changed': install + seal() + b''.join(bytes([1, 0, at, 1]) for at in (0, 11, 12, 19, 20, 77)),
            'cut': install + seal() + b''.join(bytes([2, 0, size]) for size in (0, 35, 59, 60, 61)),
            'raw': install + raw(4, bytes(60)) + raw(4, bytes(59)) + raw(4, bytes(3)),
            'itself': install + bytes([8, 0, 1, 8, 255, 2]),
            'full': b''.join(bytes([5, key]) for key in range(11)) + bytes([7, 0, 6, 9, 7, 0, 5, 8]),
    }.items():
        write('envelope1', name, story)


def envelope2():
    room = 1  # for three windows

    def seal(place=0, sender=0, start=0, number=1, key=0, lies=0, size=0):
        return bytes([0, place, sender, start, number, key, lies, size])

    def arrive(place=0):
        return bytes([1, place])

    def admit(place=0):
        return bytes([2, place])

    install = bytes([6, 0])
    numbers = (1, 2, 5, 5, 3, 0x80, 0xA0, 0xA1, 0xA2, 0xA5, 0x9F, 0xC3, 0xC0, 0xC1, 0xE4)
    for name, story in {
            'unproved': seal() + arrive() + arrive(),
            'admitted': seal() + admit() + arrive() + admit(),
            'window': seal() + admit() + b''.join(seal(1, number=n) + arrive(1) for n in numbers) * 2,
            'lives': b''.join(seal(p, start=p % 4, number=p) for p in range(8))
                     + b''.join(admit(p) + arrive(p) for p in (1, 0, 5, 4, 3, 2, 7, 6)),
            'crowd': b''.join(seal(p, sender=p % 5, number=p) for p in range(8))
                     + b''.join(admit(p % 8) for p in range(12)) + b''.join(arrive(p) for p in range(8)),
            'late_admission': seal() + seal(1, number=9) + arrive() + arrive(1) + admit(1) + admit(),
            'lies': seal(lies=1) + arrive() + admit(),
            'keys': seal(key=1) + arrive() + bytes([6, 1]) + admit() + bytes([7, 1, 8, 0]) + seal(1, number=2)
                    + arrive(1) + seal(2, key=1, number=3) + arrive(2),
            'changed': seal() + admit() + seal(1, number=3)
                       + b''.join(bytes([3, 1, 0, at, 1]) for at in (0, 1, 2, 9, 10, 15, 16, 23, 24, 27, 28, 67))
                       + arrive(1),
            'cut': seal() + b''.join(bytes([4, 0, 0, size]) for size in (0, 43, 67, 66)) + arrive(),
            'raw': raw(5, bytes([2]) + bytes(67)) + raw(5, bytes(60)) + raw(5, b'\2'),
            'itself': bytes([9, 0]) + admit() + bytes([9, 200]) + arrive() + arrive() + bytes([9, 1]) + arrive(),
            'full': b''.join(bytes([6, key]) for key in range(11)) + bytes([8, 0, 7, 9, 8, 0, 6, 8]),
    }.items():
        write('envelope2', name, bytes([room]) + install + story)
    for seed in range(10):
        generator = random.Random(seed)
        story = b''
        for _ in range(80):
            story += generator.choice((
                seal(generator.randrange(8), generator.randrange(5), generator.randrange(4),
                     generator.randrange(256), generator.randrange(3)),
                arrive(generator.randrange(8)), admit(generator.randrange(8)),
                bytes([generator.choice((6, 7, 8)), generator.randrange(4)])))
        write('envelope2', f'random_{seed}', bytes([generator.randrange(5)]) + install + story)


if __name__ == '__main__':
    if sys.argv[1:2] in (['-h'], ['--help']):
        sys.exit(print(__doc__.strip()))
    envelope1()
    envelope2()
