#!/usr/bin/python3
"""
make_node_corpus.py: writes the first inputs of fuzz_node, tests/fuzz/corpus/node/: scripts in its
little language, each a story that a cluster lives through, and random ones (from fixed seeds).
Run it again when the language changes.
"""
import os
import random
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus', 'node')
GOSSIP, PING, PING_REQ, ACK, LEAVE, ANTI_ENTROPY, SYNC, NACK = 3, 4, 5, 6, 7, 8, 9, 10
POLL, DRAIN = 0x80, 0x40
CAPABLE, REQUEST_ACK, RECORDS = 2, 1, 8
STRANGER = 0x10  # its address is not proved by itself


def tenths(n):
    return bytes([1 | DRAIN | POLL, n])


def to_deadline():
    return bytes([2 | DRAIN])


def entry(member, incarnation, heartbeat, status):
    return bytes([member - 1, incarnation, heartbeat, status, member - 1])


def hear(kind, sender, incarnation=0, heartbeat=0, style=CAPABLE, records=None, entries=(), tail=b''):
    style |= len(entries) << 4
    body = bytes([kind | DRAIN, style | (RECORDS if records is not None else 0),
                  sender - 1, incarnation, heartbeat, 0])
    if style & CAPABLE or kind in (SYNC, NACK):
        body += bytes([0])  # what it asks the member to repeat
        body += records if records is not None else b''
    return body + tail + b''.join(entries)


def joined(count=6):
    return b''.join(hear(GOSSIP, member) for member in range(2, 2 + count))


def accused(*accusations):
    """A record of (target, incarnation, accuser)."""
    body = b''.join(bytes([target - 1, incarnation, accuser - 1]) for target, incarnation, accuser in accusations)
    return bytes([16, len(accusations)]) + body


def told(*metas):
    """A record of names and tags: (letter, sixteenths of its size, member, how, incarnation, version)."""
    body = b''.join(bytes([letter, size, member - 1, how, incarnation, version])
                    for letter, size, member, how, incarnation, version in metas)
    return bytes([32, len(metas) - 1]) + body


def renamed(letter, size):
    return bytes([0x6F, letter, size])


# To the first NACK that somebody may owe, and what was asked of whom.
NACKED = b''.join(hear(NACK, member, records=bytes([3])) for member in (2, 3, 4))



def knock(member, style=0, kind=PING, entries=2):
    """A stranger's introduction: two entries that say the cluster's name, of none."""
    tag = bytes([250, 0, 0, 255, 0])
    return bytes([kind | STRANGER | DRAIN, style | entries << 4, member - 1, 0, 0, 0]) + (
        bytes(0) if style & CAPABLE else b'') + tag * entries


def handshake(member, style=0, counter=0):
    return bytes([15 | DRAIN, style, member - 1, counter, 5])


STORIES = {
    'quiet': joined() + tenths(50),
    'answers': joined() + (to_deadline() + hear(ACK, 2) + hear(ACK, 3) + hear(ACK, 4)) * 8,
    'silence': joined() + to_deadline() * 60,
    'doubt': joined() + hear(GOSSIP, 2, entries=[entry(1, 0, 0, 1)]) + hear(
        GOSSIP, 3, entries=[entry(4, 0, 3, 1), entry(5, 0, 3, 2)]) + to_deadline() * 20,
    'forgery': joined() + hear(GOSSIP, 2, entries=[entry(1, 239, 0, 2)]) + tenths(5) + hear(
        GOSSIP, 2, entries=[entry(1, 236, 0, 2)]) * 5,
    'accused': joined() + tenths(30) + hear(GOSSIP, 2, records=accused((3, 0, 4))) + to_deadline() + hear(
        PING, 3, records=accused((3, 0, 5), (4, 0, 6), (1, 0, 2))) + to_deadline() * 3 + hear(
        ACK, 4, records=accused((3, 0, 6), (3, 0, 2), (3, 0, 2))) + to_deadline() * 30,
    'accusers': joined(12) + tenths(30) + b''.join(
        hear(GOSSIP, 2, records=accused(*((target, 0, accuser) for target in range(6, 14))))
        for accuser in (2, 3, 4, 5)) + to_deadline() * 20 + hear(GOSSIP, 6, incarnation=1) + to_deadline() * 20,
    'refuted': joined() + tenths(30) + (hear(GOSSIP, 2, records=accused((3, 0, 4), (4, 0, 3))) + hear(
        ACK, 3, heartbeat=7) + to_deadline() * 2 + hear(GOSSIP, 2, records=accused((3, 0, 5)))) * 4,
    'nacks': joined() + (to_deadline() + NACKED) * 12,
    'nacked': joined() + b''.join(hear(PING_REQ, 2, records=bytes([1]), tail=bytes([target])) for target in range(2, 6))
              + to_deadline() * 4 + hear(ACK, 3, records=bytes([1])) + tenths(3) + to_deadline() * 4,
    'leave': joined() + bytes([0xFF]) + to_deadline() * 6 + hear(ACK, 2) + hear(ACK, 3),
    'left': joined() + hear(LEAVE, 3, style=CAPABLE | REQUEST_ACK) + tenths(200) + tenths(200),
    'relay': joined() + hear(PING_REQ, 2, tail=bytes([2])) + hear(ACK, 3) + tenths(2),
    'push': joined() + hear(PING, 9) + hear(PING, 10, style=0) + to_deadline() * 10,
    'sync': joined() + tenths(90) + hear(SYNC, 2, tail=bytes([0, 3, 1, 7])) + to_deadline() * 4
            + hear(SYNC, 2, tail=bytes([1, 3, 1, 255])) + to_deadline() * 4,
    'chunks': joined() + hear(ANTI_ENTROPY, 2, tail=bytes([1, 0, 1]),
                              entries=[entry(m, 0, 0, 0) for m in range(8, 14)]) + tenths(10),
    'knocks': b''.join(knock(member, CAPABLE) + handshake(member) for member in range(2, 8)) + tenths(30)
              + to_deadline() * 20,
    'knocks_plain': b''.join(knock(member) + hear(ACK, member, style=0) for member in range(2, 6)) + to_deadline() * 20,
    'moved': joined(3) + bytes([PING | STRANGER | DRAIN, 4 | CAPABLE, 1, 1, 0, 7, 0]) + bytes(
        [15 | DRAIN, 4, 1, 1, 7, 5]) + to_deadline() * 5,
    'repeated': joined(3) + (bytes([GOSSIP | 0x20 | STRANGER | DRAIN, CAPABLE, 1, 1, 0, 0]) + handshake(2)) * 3
                + bytes([15 | 0x20 | DRAIN, 0, 1, 1, 5]) + to_deadline() * 5,
    'seeds_met': bytes([12, 5]) + (to_deadline() + handshake(6, 4 | 1) + handshake(6)) * 6,
    'moves': (joined(3) + bytes([14]) + to_deadline()) * 4,
    'seeds': bytes([12, 5, 12, 6, 12, 0x47]) + to_deadline() * 30 + bytes([13, 5]) + tenths(100),
    'tags': renamed(0, 9) + joined() + hear(GOSSIP, 2, records=told((0, 5, 3, 0, 0, 1), (1, 0, 4, 0, 0, 1)))
            + to_deadline() * 8 + hear(PING, 3, records=told((1, 3, 3, 0, 0, 2), (0, 0, 5, 0, 0, 1))) + tenths(10)
            + renamed(2, 255) + to_deadline() * 12,
    'tags_large': joined() + b''.join(hear(GOSSIP, member, records=told((0, 200, 4, 4 * part, 0, 3)))
                                      for member, part in ((2, 0), (3, 6), (2, 1), (4, 2), (3, 3), (5, 4), (2, 5)))
                  + to_deadline() * 20,
    'tags_of_ours': renamed(1, 0) + joined() + (hear(GOSSIP, 2, records=told((0, 1, 1, 0, 0, 7)))
                    + hear(GOSSIP, 3, records=told((0, 1, 1, 0, 236, 236)))) * 3 + to_deadline() * 6,
    'tags_forged': joined() + hear(GOSSIP, 2, records=told((0, 9, 3, 1, 0, 1), (0, 9, 3, 2, 0, 1), (0, 9, 9, 0, 0, 1)))
                   + hear(GOSSIP, 2, entries=[entry(3, 0, 3, 2)]) + tenths(200) + tenths(200),
    'months': joined() + bytes([0x7F, 200]) + to_deadline() * 3 + bytes([0x7F, 255]) + tenths(9),
}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for shape in (0, 0x02, 0x10 | 0x04, 0x40 | 0x01, 0xFF):
        for name, story in STORIES.items():
            with open(os.path.join(FOLDER, f'{name}_{shape:02x}'), 'wb') as f:
                # All of Lifeguard for some, parts of it for others.
                f.write(bytes([shape, 0 if shape < 0x10 else shape ^ 0x5A, shape == 0x41]) + story)
    for seed in range(20):
        generator = random.Random(seed)
        with open(os.path.join(FOLDER, f'random_{seed}'), 'wb') as f:
            f.write(bytes(generator.choice((generator.randrange(256), generator.randrange(16)))
                          for _ in range(600)))


if __name__ == '__main__':
    if sys.argv[1:2] in (['-h'], ['--help']):
        sys.exit(print(__doc__.strip()))
    main()
