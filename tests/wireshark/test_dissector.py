#!/usr/bin/python3
"""The Wireshark dissector, run by tshark: on the recorded vectors, on datagrams made by hand, and on
what a real cluster says, in plaintext and in both envelopes. What it shows is compared with a second
decoder, in Python; every byte must be shown; nothing may be "malformed", and no Lua error said."""
import json
import os
import random
import shutil
import subprocess
import sys
import time
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import swimtest  # noqa: E402
from swimtest import (ACK, ANTI_ENTROPY, BUCKETS, CAPABLE, CLUSTER, EXTENDED, GOSSIP, LEAVE,  # noqa: E402
                      META, NACK, ON_BEHALF, PADDING, PING, PING_REQ, PROBE, REQUEST_ACK, SUSPICION, SYNC,
                      TOKEN, VIEW, Datagram, SwimTestCase, entry, extended, free_port, load_tests)
from tap import Tap, pcap  # noqa: E402

SCRIPT = os.path.join(ROOT, "wireshark", "swim.lua")
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
OTHER_KEY = "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
A, B = ("127.0.0.1", 7001), ("127.0.0.1", 7000)
# What is shown of a datagram, as far as one is decoded below.
FIELDS = """version kind length sender heartbeat incarnation flags flags.request_ack flags.extended
    capabilities capabilities.extensions checksum checksum.status entries entry.id entry.heartbeat
    entry.incarnation entry.status entry.family entry.ipv4 entry.ipv6 entry.port entry.addr target.id
    target.family target.ipv4 target.ipv6 target.port target.addr table.version chunk.index
    chunk.count extensions.length record.type record.length probe.sequence on_behalf
    suspicion.target suspicion.incarnation suspicion.accuser view.digest view.members
    buckets.phase buckets.bits buckets.is_last buckets.digest buckets.mask buckets.salt
    buckets.cell buckets.density buckets.key token.challenge
    meta.member meta.incarnation meta.version meta.digest meta.size meta.number meta.bytes
    token.echo cluster.tag padding ignored""".split()


def vectors(folder):
    with open(os.path.join(ROOT, "tests", "data", folder, "vectors.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def tshark(capture, *options):
    command = ["tshark", "-X", f"lua_script:{SCRIPT}", "-r", capture, *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=300, env=dict(os.environ, LC_ALL="C.UTF-8"))
    out, err = done.stdout.decode(), done.stderr.decode()
    if done.returncode or "Lua:" in err or "Lua Error" in out:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{err}\n{out[-2000:]}")
    return out


def show(capture, fields, *options):
    """[{field: [values]}] of each packet."""
    command = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"]
    for field in fields:
        command += ["-e", field]
    lines = tshark(capture, *command, *options).split("\n")[:-1]
    return [dict(zip(fields, (v.split("|") if v else [] for v in line.split("\t"))))
            for line in lines]


def frames_of(capture, filters):
    """{filter: how many frames it shows}, by one tshark, which takes its time to start."""
    table = tshark(capture, "-q", "-2", "-z", ",".join(["io,stat,0"] + filters))
    row = next(line for line in table.splitlines() if "<>" in line and line.count("|") > 2)
    counts = [int(cell) for cell in row.split("|")[2:-1][::2]]
    return dict(zip(filters, counts, strict=True))


def names(fields):
    return ["swim." + field for field in fields]


# ---- What must be shown, by a decoder of its own -----------------------------------------------

def number(data):
    return str(int.from_bytes(data, "big"))


def hexed(data):
    return f"0x{data.hex()}"


def expect_entry(want, data):
    want("entry.id", number(data[:8]))
    want("entry.heartbeat", number(data[8:12]))
    want("entry.incarnation", number(data[12:16]))
    want("entry.status", number(data[16:17]))
    return expect_address(want, "entry", data[17:])


def expect_address(want, prefix, data):
    """Bytes from the start of the entry or target to its end, less 17."""
    size = {4: 4, 6: 16}[data[0]]
    ip = swimtest.socket.inet_ntop(
        swimtest.socket.AF_INET if size == 4 else swimtest.socket.AF_INET6, data[1:1 + size])
    port = number(data[1 + size:3 + size])
    want(prefix + ".family", str(data[0]))
    want(f"{prefix}.ipv{data[0]}", ip)
    want(prefix + ".port", port)
    want(prefix + ".addr", f"{ip}:{port}" if size == 4 else f"[{ip}]:{port}")
    return 3 + size


def expect_record(want, kind, value):
    want("record.type", f"0x{kind:02x}")
    want("record.length", str(len(value)))
    if kind == PADDING and value:
        want("padding", value.hex())
    elif kind == PROBE:
        want("probe.sequence", number(value))
    elif kind == ON_BEHALF:
        want("on_behalf", number(value))
    elif kind == SUSPICION:
        for at in range(0, len(value), 20):
            want("suspicion.target", number(value[at:at + 8]))
            want("suspicion.incarnation", number(value[at + 8:at + 12]))
            want("suspicion.accuser", number(value[at + 12:at + 20]))
    elif kind == VIEW:
        want("view.digest", hexed(value[:8]))
        want("view.members", number(value[8:]))
    elif kind == BUCKETS:
        want("buckets.phase", str(value[0]))
        want("buckets.bits", str(value[1]))
        want("buckets.is_last", str(value[2]))
        for at in range(3, len(value), 4):
            if value[0] == 1:
                want("buckets.digest", hexed(value[at:at + 4]))
        mask = max(1, 2 ** value[1] // 8)
        if value[0] not in (1, 3):
            want("buckets.mask", value[3:3 + mask].hex())
        rest = value[3 + mask:]
        if value[0] == 5:
            want("buckets.density", number(rest))
        if value[0] in (4, 6):
            want("buckets.salt", hexed(rest[:4]))
        for at in range(4, len(rest), 7 if value[0] == 4 else 4):
            if value[0] == 4:
                want("buckets.cell", rest[at:at + 7].hex())
            elif value[0] == 6:
                want("buckets.key", hexed(rest[at:at + 4]))
    elif kind == META:
        while value:
            want("meta.member", number(value[:8]))
            want("meta.incarnation", number(value[8:12]))
            want("meta.version", number(value[12:16]))
            want("meta.digest", hexed(value[16:24]))
            want("meta.size", number(value[24:26]))
            want("meta.number", str(value[26]))
            size = min(512, int.from_bytes(value[24:26], "big") - 512 * value[26])
            want("meta.bytes", value[27:27 + size].hex())
            value = value[27 + size:]
    elif kind == TOKEN and value:
        want("token.challenge", hexed(value[:8]))
        want("token.echo", hexed(value[8:]))
    elif kind == CLUSTER:
        want("cluster.tag", hexed(value))


def expect_payload(want, kind, payload):
    if kind == PING_REQ:
        want("target.id", number(payload[:8]))
        expect_address(want, "target", payload[8:])
        return
    if kind == LEAVE:
        if payload:
            want("ignored", payload.hex())
        return
    if kind == ANTI_ENTROPY:
        want("table.version", number(payload[:8]))
        want("chunk.index", number(payload[8:10]))
        want("chunk.count", number(payload[10:12]))
        payload = payload[12:]
    count = 0
    while payload:
        payload = payload[17 + expect_entry(want, payload):]
        count += 1
    want("entries", str(count))


def expected(data):
    """{field: [values]} of a valid datagram."""
    fields = {name: [] for name in FIELDS}

    def want(field, value):
        fields[field].append(value)

    want("version", str(data[0]))
    want("kind", f"0x{data[1]:02x}")
    want("length", number(data[2:4]))
    want("sender", number(data[4:12]))
    want("heartbeat", number(data[12:16]))
    want("incarnation", number(data[16:20]))
    want("flags", f"0x{data[20]:02x}")
    want("flags.request_ack", str(data[20] & 1))
    want("flags.extended", str(data[20] >> 1 & 1))
    want("capabilities", f"0x{data[21]:02x}")
    want("capabilities.extensions", str(data[21] & 1))
    want("checksum", hexed(data[22:24]))
    want("checksum.status", "1")
    payload = data[24:]
    if data[20] & EXTENDED and data[21] & CAPABLE:
        size = int.from_bytes(payload[:2], "big")
        want("extensions.length", str(size))
        records, payload = payload[2:2 + size], payload[2 + size:]
        while records:
            length = int.from_bytes(records[1:3], "big")
            expect_record(want, records[0], records[3:3 + length])
            records = records[3 + length:]
    expect_payload(want, data[1], payload)
    return {"swim." + name: values for name, values in fields.items()}


# ---- Datagrams by hand -----------------------------------------------------------------------

def u(value, size):
    return value.to_bytes(size, "big")


def part(content, place, member=2, version=1):
    """Of a member's metadata, with a digest of fancy."""
    return (u(member, 8) + u(0, 4) + u(version, 4) + u(0x29811aa202d4f86d, 8) + u(len(content), 2)
            + u(place, 1) + content[512 * place:512 * place + 512])


def of_every_kind():
    """Valid datagrams with every kind, record, and both families."""
    four, six = entry(7, "192.0.2.9:7009", 1, 5, 6), entry(8, "[2001:db8::8]:7008", 2, 1 << 31, 9)
    tag = entry(0x34c9fe92f34b76ed, "0.0.0.0:0", 255)
    view = (VIEW, u(0xce32a1364c278fa0, 8) + u(2, 4))
    probe, token = (PROBE, u(77, 4)), (TOKEN, u(0xc0ffee, 8) + u(1 << 63, 8))
    rows = [
        (GOSSIP, [(SUSPICION, u(7, 8) + u(6, 4) + u(1, 8) + u(8, 8) + u(9, 4) + u(2, 8))], four + six),
        (PING, [probe, token, (CLUSTER, u(0x34c9fe92f34b76ed, 8)), view], four),
        (PING, None, tag + tag),
        (PING, [(PROBE, u(1, 4)), (ON_BEHALF, u(1 << 63, 8)), (PADDING, bytes(31))], b""),
        (PING_REQ, [probe], u(9, 8) + b"\x04" + bytes([192, 0, 2, 1]) + u(7001, 2)),
        (PING_REQ, [probe], u(9, 8) + b"\x06" + bytes(15) + b"\1" + u(7001, 2)),
        (ACK, [probe, (ON_BEHALF, u(9, 8)), (TOKEN, b""), (PADDING, b"")], six),
        (NACK, [probe, (ON_BEHALF, u(9, 8))], b""),
        (LEAVE, None, b"later"),
        (ANTI_ENTROPY, [token], u(1 << 63, 8) + u(1, 2) + u(3, 2) + four + six),
        (SYNC, [view, (BUCKETS, bytes([1, 2, 1]) + u(1, 4) + u(2, 4) + u(3, 4) + u(4, 4))], b""),
        (SYNC, [(BUCKETS, bytes([2, 1, 0, 2])), view], four),
        (SYNC, [(BUCKETS, bytes([2, 4, 1, 0x81, 0x10])), view], six),
        (SYNC, [(BUCKETS, bytes([3, 4, 1])), view], six + four),
        (SYNC, [(BUCKETS, bytes([4, 4, 0, 1, 2]) + u(0xfeed, 4) + bytes(range(56)))], b""),
        (SYNC, [(BUCKETS, bytes([5, 1, 1, 3]) + u(512, 2))], b""),
        (SYNC, [(BUCKETS, bytes([6, 3, 0, 0x80]) + u(0xfeed, 4) + u(1, 4) + u(2, 4))], four),
        (GOSSIP, [(META, part(b"db-2\0rack\0007\0", 0) + part(b"\0", 0, 9))], four),
        (GOSSIP, [(0x77, b"unknown"), (0x78, b"")], four),
    ]
    return [Datagram(kind, 5, extended(records, payload) if records else payload, 3, 4,
                     (EXTENDED if records else 0) | (REQUEST_ACK if kind == LEAVE else 0),
                     CAPABLE).encode() for kind, records, payload in rows]


class TsharkTestCase(SwimTestCase):
    def capture(self, name, datagrams):
        """A capture of datagrams, or of (source, destination, datagram), a millisecond apart."""
        rows = [row if isinstance(row, tuple) else (A, B, row) for row in datagrams]
        return pcap(os.path.join(self.directory, name + ".pcap"),
                    [(1.7e9 + i / 1000, *row) for i, row in enumerate(rows)])

    def assert_shown(self, capture, datagrams, *options):
        """Every datagram is shown as the decoder above has it."""
        shown = show(capture, names(FIELDS) + ["_ws.malformed", "_ws.lua.error"], *options)
        self.assertEqual(len(shown), len(datagrams))
        for i, (is_shown, data) in enumerate(zip(shown, datagrams)):
            self.assertEqual(is_shown.pop("_ws.malformed"), [], f"packet {i + 1}")
            self.assertEqual(is_shown.pop("_ws.lua.error"), [], f"packet {i + 1}")
            self.assertEqual(is_shown, expected(data), f"packet {i + 1}: {data.hex()}")

    def assert_covered(self, capture, datagrams, *options):
        """Every byte of every datagram belongs to a field of the dissector's."""
        document = xml.etree.ElementTree.fromstring(tshark(capture, "-T", "pdml", *options))
        packets = document.findall("packet")
        self.assertEqual(len(packets), len(datagrams))
        for packet, data in zip(packets, datagrams):
            covered = set()
            for proto in packet.findall("proto[@name='swim']"):
                for field in proto.iter("field"):
                    if field.get("value") and not field.findall("field"):
                        at = int(field.get("pos"))
                        covered.update(range(at, at + int(field.get("size"))))
            start = int(packet.find("proto[@name='swim']").get("pos"))
            missing = [i for i in range(len(data)) if start + i not in covered]
            self.assertEqual(missing, [], data.hex())


class Dissector(TsharkTestCase):

    # What was recorded, and what is made by hand.

    def test_vectors(self):
        good = [v for v in vectors("wire-v1") if v["ok"] and "key" not in v]
        datagrams = [bytes.fromhex(v["hex"]) for v in good]
        capture = self.capture("good", datagrams)
        self.assert_shown(capture, datagrams)
        self.assert_covered(capture, datagrams)
        for shown, vector in zip(show(capture, names(FIELDS)), good):
            fields = vector["fields"]
            self.assertEqual(shown["swim.sender"], [fields["sender_id"]])
            for name in ("version", "heartbeat", "incarnation"):
                self.assertEqual(shown["swim." + name], [str(fields[name])])
            for mine, theirs in (("target.id", "target_id"), ("target.addr", "target_addr"),
                                 ("table.version", "table_version"), ("chunk.index", "chunk_index"),
                                 ("chunk.count", "total_chunks")):
                self.assertEqual(shown["swim." + mine],
                                 [str(fields[theirs])] if theirs in fields else [])
            for mine, theirs in (("id", "node_id"), ("heartbeat", "heartbeat"), ("addr", "addr"),
                                 ("incarnation", "incarnation"), ("status", "status")):
                self.assertEqual(shown["swim.entry." + mine],
                                 [str(e[theirs]) for e in fields.get("entries", ())])

    def test_refused_vectors(self):
        """Each says why its receivers drop it."""
        reasons = {"MalformedPayload": "swim.payload.wrong", "ChecksumFailed": "swim.checksum.bad",
                   "LengthMismatch": "swim.length.mismatch", "BufferTooShort": "swim.short",
                   "UnknownKind(0)": "swim.kind.unknown", "UnknownKind(7)": "swim.kind.unknown",
                   "UnsupportedVersion(2)": "swim.version.unknown"}
        bad = [v for v in vectors("wire-v1") if not v["ok"] and "key" not in v]
        capture = self.capture("bad", [bytes.fromhex(v["hex"]) for v in bad])
        shown = show(capture, sorted(set(reasons.values())) + ["_ws.malformed", "_ws.lua.error"])
        self.assertEqual(len(shown), len(bad))
        for fields, vector in zip(shown, bad):
            self.assertIn(reasons[vector["error"]], [f for f, v in fields.items() if v],
                          vector["name"])
            self.assertEqual(fields["_ws.malformed"] + fields["_ws.lua.error"], [])

    def test_every_kind_and_record(self):
        datagrams = of_every_kind()
        capture = self.capture("kinds", datagrams)
        self.assert_shown(capture, datagrams)
        self.assert_covered(capture, datagrams)
        every = show(capture, names(FIELDS))
        never = [name for name in names(FIELDS) if not any(fields[name] for fields in every)]
        self.assertEqual(never, [], "fields that no datagram of this test has")
        differ = show(capture, ["swim.buckets.differs"])
        self.assertEqual([d["swim.buckets.differs"] for d in differ[-8:-2]],
                         [["1"], ["0", "7", "12"], [], ["0", "9"], ["0", "1"], ["7"]])

    def test_names_and_tags(self):
        """From one part, and from several in any order."""
        tags = [f"key{i:03}={'v' * 20}{i}" for i in range(60)]
        content = "höst".encode() + b"\0" + b"".join(
            t.encode().replace(b"=", b"\0") + b"\0" for t in tags)
        parts = [part(content, i) for i in range(4)]
        capture = self.capture("meta", [
            Datagram(GOSSIP, 5, extended([(META, value)]), flags=EXTENDED, capabilities=CAPABLE).encode()
            for value in (part(b"db-2\0rack\0007\0", 0, version=2), parts[3], parts[0] + parts[1],
                          parts[2], part(b"{", 0, version=3), part(b"\0", 0, version=4))])
        shown = show(capture, ["swim.meta.name", "swim.meta.tag", "_ws.lua.error"])
        self.assertEqual([s["_ws.lua.error"] for s in shown], [[]] * 6)
        self.assertEqual([s["swim.meta.name"] for s in shown], [["db-2"], [], [], ["höst"], [], []])
        self.assertEqual([s["swim.meta.tag"] for s in shown], [["rack=7"], [], [], tags, [], []])

    def test_ipv6(self):
        datagrams = of_every_kind()
        rows = [(("::1", 7001), ("::1", 7000), d) for d in datagrams]
        self.assert_shown(self.capture("v6", rows), datagrams)

    def test_damaged(self):
        """Truncations and changed bytes, with right checksums and wrong ones: no Lua error, and
        never more than is there."""
        rng = random.Random(swimtest.SEED)
        datagrams = []
        for data in of_every_kind():
            for _ in range(60):
                damaged = bytearray(data[:rng.choice((len(data), rng.randrange(len(data) + 1)))])
                for _ in range(rng.randrange(4)):
                    if damaged:
                        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
                if len(damaged) >= 24 and rng.random() < 0.8:
                    damaged[2:4] = u(len(damaged) - 24, 2)
                    damaged[22:24] = bytes(2)
                    damaged[22:24] = u(swimtest.checksum(bytes(damaged)), 2)
                datagrams.append(bytes(damaged))
        for options in ((), ("-o", f"swim.keys:{KEY}")):
            shown = show(self.capture("damaged", datagrams), ["_ws.malformed", "_ws.lua.error"],
                         *options)
            self.assertEqual(len(shown), len(datagrams))
            for i, fields in enumerate(shown):
                self.assertEqual(fields["_ws.malformed"] + fields["_ws.lua.error"], [],
                                 datagrams[i].hex())

    def test_cut_off(self):
        """A capture that holds the beginnings only: headers, without a wrong alarm."""
        datagrams = of_every_kind() + [bytes.fromhex(vectors("envelope-2")[0]["hex"])]
        for cut in (28, 40, 52, 60, 80):
            capture = pcap(os.path.join(self.directory, "cut.pcap"),
                           [(1.7e9, A, B, d) for d in datagrams], cut)
            shown = show(capture, ["swim.cut", "swim.sender", "swim.checksum.bad", "_ws.malformed",
                                   "_ws.lua.error"], "-o", f"swim.keys:{KEY}")
            for fields, data in zip(shown, datagrams):
                self.assertEqual(bool(fields["swim.cut"]), 28 < cut < 28 + len(data), data.hex())
                self.assertEqual(fields["swim.checksum.bad"] + fields["_ws.lua.error"], [])
                if cut >= 52 and data[0] == 1:
                    self.assertEqual(fields["swim.sender"], ["5"])

    def test_questions_and_answers(self):
        def row(kind, source, destination, records, **flags):
            return (source, destination, Datagram(
                kind, source[1], extended([(PROBE, u(r, 4)) for r in records]) if records else b"",
                flags=(EXTENDED if records else 0) | flags.get("flags", 0),
                capabilities=CAPABLE).encode())
        c = ("127.0.0.1", 7002)
        capture = self.capture("answers", [
            row(PING, A, B, [1]), row(PING, A, B, [2]), row(PING, A, c, [2]), row(PING_REQ, A, c, [3]),
            row(ACK, B, A, [2]), row(ACK, c, A, [9]), row(NACK, c, A, [3]), row(ACK, c, A, [3]),
            row(PING, B, A, None), row(ACK, A, B, None), row(LEAVE, B, c, None, flags=REQUEST_ACK),
            row(ACK, c, B, None)])
        shown = show(capture, ["swim.request_in", "swim.response_in", "swim.time"], "-2")
        answered = {i + 1: int(f["swim.request_in"][0]) for i, f in enumerate(shown)
                    if f["swim.request_in"]}
        self.assertEqual(answered, {5: 2, 7: 4, 8: 4, 10: 9, 12: 11})
        asked = {i + 1: int(f["swim.response_in"][0]) for i, f in enumerate(shown)
                 if f["swim.response_in"]}
        self.assertEqual(asked, {2: 5, 4: 7, 9: 10, 11: 12})
        self.assertAlmostEqual(float(shown[4]["swim.time"][0]), 0.003, places=5)

    # Sealed ones.

    ENVELOPE = names(["envelope", "envelope.sender", "envelope.start", "envelope.counter",
                      "envelope.salt", "envelope.opened", "envelope.key_id", "envelope.cluster"])

    def test_envelope_1(self):
        sealed = [v for v in vectors("wire-v1") if v["name"].startswith("enc_") and v["ok"]]
        capture = self.capture("one", [bytes.fromhex(v["hex"]) for v in sealed])
        inside = [bytes.fromhex(v["plaintext_hex"]) for v in sealed]
        self.assert_shown(capture, inside, "-o", f"swim.keys:{KEY}")
        self.assert_covered(capture, [bytes.fromhex(v["hex"]) for v in sealed])
        for fields in show(capture, self.ENVELOPE, "-o", f"swim.keys:{OTHER_KEY},{KEY}"):
            self.assertEqual(fields["swim.envelope"], ["1"])
            self.assertEqual(fields["swim.envelope.opened"], ["1"])
            self.assertEqual(fields["swim.envelope.sender"], ["72623859790382856"])
            self.assertEqual(fields["swim.envelope.key_id"], ["d005000c"])

    def test_envelope_1_refused(self):
        sealed = {v["name"]: bytes.fromhex(v["hex"]) for v in vectors("wire-v1")}
        capture = self.capture("refused", [sealed["enc_aad_tampered"],
                                           sealed["enc_inner_sender_mismatch"]])
        tampered, other = show(capture, ["swim.envelope.opened", "swim.envelope.sender.wrong"],
                               "-o", f"swim.keys:{KEY}")
        self.assertEqual(tampered["swim.envelope.opened"], ["0"])
        self.assertEqual(other["swim.envelope.opened"], ["1"])
        self.assertTrue(other["swim.envelope.sender.wrong"])

    def test_envelope_2(self):
        every = vectors("envelope-2")
        capture = self.capture("two", [bytes.fromhex(v["hex"]) for v in every])
        clusters = ",".join(sorted({v["cluster"] for v in every if v["cluster"]}))
        options = ("-o", f"swim.keys:{KEY}, {OTHER_KEY}", "-o", f"swim.clusters:{clusters}")
        shown = show(capture, self.ENVELOPE + ["_ws.malformed", "_ws.lua.error"], *options)
        for fields, vector in zip(shown, every):
            want = {"swim.envelope": "2", "swim.envelope.opened": "1",
                    "swim.envelope.sender": vector["sender"], "swim.envelope.start": vector["start"],
                    "swim.envelope.counter": vector["counter"],
                    "swim.envelope.salt": f"0x{int(vector['salt']):08x}",
                    "swim.envelope.key_id": vector["key_id"]}
            for name, value in want.items():
                self.assertEqual(fields[name], [value], vector["name"])
            self.assertEqual(fields["swim.envelope.cluster"],
                             [vector["cluster"]] if vector["cluster"] else [])
            self.assertEqual(fields["_ws.malformed"] + fields["_ws.lua.error"], [])
        # The last one holds random bytes, no datagram.
        few = self.capture("few", [bytes.fromhex(v["hex"]) for v in every[:-1]])
        self.assert_shown(few, [bytes.fromhex(v["plaintext_hex"]) for v in every[:-1]], *options)
        self.assert_covered(capture, [bytes.fromhex(v["hex"]) for v in every])
        data = tshark(capture, "-x", "-Y", "frame.number == 6", *options)
        self.assertIn("Opened datagram", data)
        text = "".join("".join(line[6:53].split()) for line in data.split("Opened datagram")[1].splitlines())
        self.assertIn(every[-1]["plaintext_hex"], text)

    def test_speed(self):
        """Thousands of sealed datagrams are a matter of seconds."""
        every = [bytes.fromhex(v["hex"]) for v in vectors("envelope-2")[:3]]
        capture = self.capture("many", [every[i % 3] for i in range(3000)])
        began = time.monotonic()
        opened = show(capture, ["swim.envelope.opened"], "-o", f"swim.keys:{KEY}", "-o", "swim.clusters:red")
        took = time.monotonic() - began
        self.assertEqual([f["swim.envelope.opened"] for f in opened], [["1"]] * 3000)
        print(f"{len(opened)} sealed datagrams opened in {took:.1f} s", file=sys.stderr)
        self.assertLess(took, 30 * swimtest.FACTOR)

    def test_keys(self):
        """Wrong ones, none, from a file, and what can't be read."""
        capture = self.capture("keys", [bytes.fromhex(vectors("envelope-2")[0]["hex"])])
        def ask(*options):
            fields, = show(capture, ["swim.envelope.opened", "swim.envelope.closed",
                                     "swim.key.wrong", "_ws.expert.message"], *options)
            return fields["swim.envelope.opened"], " ".join(fields["_ws.expert.message"])
        self.assertEqual(ask("-o", f"swim.keys:{KEY}"), (["1"], ""))
        opened, text = ask()
        self.assertEqual(opened, ["0"])
        self.assertIn("no key is given", text)
        opened, text = ask("-o", f"swim.keys:{OTHER_KEY}")
        self.assertEqual(opened, ["0"])
        self.assertIn("does not open", text)
        path = self.file("keys", f"# of the cluster\n{OTHER_KEY} # old\n\n{KEY}\n")
        self.assertEqual(ask("-o", f"swim.key_file:{path}"), (["1"], ""))
        opened, text = ask("-o", f"swim.keys:{KEY},abc")
        self.assertEqual(opened, ["1"])
        self.assertIn("preference swim.keys: not a key", text)
        opened, text = ask("-o", f"swim.key_file:{self.file('bad', 'zz' * 32)}")
        self.assertIn("bad:1: not a key", text)
        opened, text = ask("-o", "swim.key_file:/nonexistent/key")
        self.assertIn("No such file", text)
        for secret in (KEY, OTHER_KEY):
            self.assertNotIn(secret, tshark(capture, "-V", "-o", f"swim.keys:{KEY},{OTHER_KEY}"))

    # Ports.

    def test_ports(self):
        """Plaintext is known anywhere; sealed datagrams where they are looked for."""
        plain = of_every_kind()[1]
        sealed = bytes.fromhex(vectors("envelope-2")[0]["hex"])
        c, d = ("127.0.0.1", 33001), ("127.0.0.1", 33002)
        e, f = ("127.0.0.1", 33003), ("127.0.0.1", 33004)
        capture = self.capture("ports", [(c, d, plain), (e, f, sealed), (e, f, b"\1\2nothing of ours")])
        def known(*options):
            shown = show(capture, ["swim.version", "swim.envelope"], *options)
            return [bool(s["swim.version"] or s["swim.envelope"]) for s in shown]
        self.assertEqual(known(), [True, False, False])
        self.assertEqual(known("-o", f"swim.keys:{KEY}"), [True, False, False])
        self.assertEqual(known("-o", f"swim.keys:{KEY}", "-o", "swim.everywhere:TRUE")[:2],
                         [True, True])
        self.assertEqual(known("-d", "udp.port==33004,swim")[:2], [True, True])
        self.assertEqual(known("-o", "swim.ports:33000-33004")[:2], [True, True])

    def test_documented_filters(self):
        """Those of docs/wireshark.md are ones."""
        with open(os.path.join(ROOT, "docs", "wireshark.md"), encoding="utf-8") as page:
            table = page.read().split("| filter | shows |")[1].split("\n\n")[0]
        filters = [row.split("`")[1].replace("\\|", "|") for row in table.splitlines()[2:]]
        self.assertGreater(len(filters), 8)
        capture = self.capture("filters", of_every_kind())
        found = frames_of(capture, filters)
        self.assertTrue(found["swim.entry.status == 2"])
        self.assertTrue(found["swim.token.challenge || swim.cluster.tag"])
        self.assertFalse(found["swim.key.wrong"])
        with self.assertRaises(AssertionError):
            frames_of(capture, ["swim.no.such.field"])

    # What the simulator's clusters say, and what broke decoders.

    def test_simulated(self):
        """One of each shape of datagram of a cluster that meets plain members and strangers, is
        lossy, is split, loses members, and mends its views."""
        folder = os.path.join(self.directory, "traffic")
        os.mkdir(folder)
        subprocess.run([os.environ["RECORD_TRAFFIC"], folder], stdout=subprocess.DEVNULL, check=True)
        datagrams = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as f:
                datagrams.append(f.read())
        self.assertEqual({d[1] for d in datagrams}, set(range(1, 9)))
        capture = self.capture("simulated", datagrams)
        self.assert_shown(capture, datagrams)
        self.assert_covered(capture, datagrams)

    def test_fuzzed(self):
        """The inputs of the decoders' fuzzers: no error of the dissector's own."""
        datagrams = []
        for target in ("datagram", "record", "entry", "node", "envelope1", "envelope2"):
            folder = os.path.join(ROOT, "tests", "fuzz", "corpus", target)
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name), "rb") as f:
                    datagrams.append(f.read()[:1472])
        capture = self.capture("fuzzed", datagrams)
        for options in ((), ("-o", f"swim.keys:{KEY}")):
            for data, fields in zip(datagrams, show(capture, ["_ws.malformed", "_ws.lua.error"], *options)):
                self.assertEqual(fields["_ws.malformed"] + fields["_ws.lua.error"], [], data.hex())


class Recorded(TsharkTestCase):
    """A real cluster."""
    side_by_side = True

    def record(self, *arguments, is_long=True):
        """What five members say: they meet; for long, one is cut off and comes back, and one is
        killed; one leaves. Returns what the tap saw."""
        tap = Tap()
        self.addCleanup(tap.close)
        nodes = []
        for i in range(5):
            port = tap.open()
            node = self.node("--advertise", f"127.0.0.1:{port}", "--name", f"node-{i}", "--tag",
                             f"role={'db' if i % 2 else 'web'}", *arguments,
                             peers=[f"127.0.0.1:{n.tap_port}" for n in nodes[:2]], start=False)
            node.tap_port, node.bound, node.addr = port, node.addr, f"127.0.0.1:{port}"
            tap.connect(port, node.port)
            nodes.append(node.start())
        self.await_all_alive(nodes, 20)
        if is_long:
            tap.cut.add(nodes[4].tap_port)
            self.await_status(nodes[:4], nodes[4].addr, "suspect", 15)
            tap.cut.clear()
            self.await_all_alive(nodes, 20)
            nodes[3].kill()
            self.await_status(nodes[:3], nodes[3].addr, "dead", 20)
        nodes[2].terminate(5)
        self.await_status(nodes[:2], nodes[2].addr, "left", 5)
        time_to_see = len(tap.recorded)
        swimtest.wait_until(lambda: len(tap.recorded) > time_to_see + 10, 10, "some more rounds")
        tap.close()
        return tap.recorded

    def test_recorded_plain(self):
        recorded = self.record()
        capture = pcap(os.path.join(self.directory, "plain.pcap"), recorded)
        datagrams = [row[3] for row in recorded]
        self.assert_shown(capture, datagrams)
        self.assert_covered(capture, datagrams)
        kinds = {d[1] for d in datagrams}
        self.assertLessEqual({GOSSIP, PING, PING_REQ, ACK, LEAVE, ANTI_ENTROPY, NACK}, kinds)
        told = show(capture, ["swim.meta.name", "swim.meta.tag"])
        self.assertEqual({name for fields in told for name in fields["swim.meta.name"]},
                         {f"node-{i}" for i in range(5)})
        self.assertLessEqual({"role=db", "role=web"},
                             {tag for fields in told for tag in fields["swim.meta.tag"]})
        linked = show(capture, ["swim.kind", "swim.request_in", "swim.probe.sequence"], "-2")
        acks = [f for f in linked if f["swim.kind"] == ["0x04"] and f["swim.probe.sequence"]]
        answered = [f for f in acks if f["swim.request_in"]]
        self.assertGreater(len(acks), 10)
        self.assertEqual(len(answered), len(acks))

    def sealed(self, *arguments):
        key = swimtest.run("--generate-key").stdout.strip()
        path = self.file("key", key + "\n")
        os.chmod(path, 0o600)
        recorded = self.record("--cluster-key-file", path, *arguments, is_long=False)
        capture = pcap(os.path.join(self.directory, "sealed.pcap"), recorded)
        ports = ("-o", "swim.ports:1-65535")
        closed = show(capture, ["swim.envelope.opened"], *ports)
        self.assertTrue(all(f["swim.envelope.opened"] == ["0"] for f in closed))
        opened = show(capture, names(FIELDS) + ["swim.envelope.opened", "_ws.malformed", "_ws.lua.error"],
                      "-o", f"swim.key_file:{path}", *ports)
        for fields in opened:
            self.assertEqual(fields["swim.envelope.opened"], ["1"])
            self.assertEqual(fields["swim.checksum.status"], ["1"])
            self.assertEqual(fields["_ws.malformed"] + fields["_ws.lua.error"], [])
        kinds = {fields["swim.kind"][0] for fields in opened}
        self.assertLessEqual({"0x01", "0x02", "0x04", "0x05", "0x06"}, kinds)

    def test_recorded_envelope_2(self):
        self.sealed()

    def test_recorded_envelope_1(self):
        config = self.file("one.toml", "[security]\nenvelope = 1\n")
        self.sealed("--config", config)


if __name__ == "__main__":
    if not shutil.which("tshark"):
        sys.exit("tshark is not there: apt-get install tshark")
    swimtest.main()
