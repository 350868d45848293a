#!/usr/bin/env python3
"""Strangers: what they are sent, how they are let in, and whom they can't make us send to
(docs/protocol.md section 10), against real members in plaintext."""

import selectors
import socket
import struct
import time

import swimtest
from swimtest import load_tests  # noqa: F401
from swimtest import (ACK, ALIVE, ANTI_ENTROPY, BUCKETS, CAPABLE, CLUSTER, DEAD, EXTENDED, GOSSIP,
                      LEAVE, NACK, ON_BEHALF, PADDING, PING, PING_REQ, PROBE, REQUEST_ACK, SUSPICION,
                      SYNC, TAG, VIEW, CapablePeer, Datagram, PlainPeer, entry, extended, token)

SIZES = (24, 29, 46, 47, 48, 72, 96, 120, 200, 480, 1200, 1400, 1424)
SILENCE = 2.0  # seconds in which an answer would have come
BURST = 200


def draw_id():
    return swimtest.rng.randrange(1, 1 << 63)


def unproved(node):
    return node.counter("drop_unproved")


def target_of(member_id, addr):
    """The payload of a PING_REQ."""
    return entry(member_id, addr)[:8] + entry(member_id, addr)[17:]


class Sockets:
    """Sockets that send and never answer: what came back, and when."""

    def __init__(self, test):
        self.selector = selectors.DefaultSelector()
        self.sent = {}
        self.received = {}
        test.addCleanup(self.close)

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def open(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", 0))
        s.setblocking(False)
        self.selector.register(s, selectors.EVENT_READ)
        self.sent[s], self.received[s] = 0, []
        return s

    @staticmethod
    def addr(s):
        return "127.0.0.1:%d" % s.getsockname()[1]

    def send(self, s, node, data):
        self.sent[s] += len(data)
        s.sendto(data, ("127.0.0.1", node.port))

    def listen(self, seconds):
        """Keeps what comes until then, with what had been sent from that socket before."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self.selector.select(left):
                data = key.fileobj.recv(65536)
                self.received[key.fileobj].append((self.sent[key.fileobj], data))


class Kinds:
    """Well-formed datagrams of every kind, with lies in them about who is at `where`."""

    def __init__(self, where, member_id):
        self.where = where
        self.member_id = member_id

    def lies(self, room):
        statuses = (ALIVE, DEAD)
        return b"".join(entry(draw_id(), self.where, statuses[i % 2], heartbeat=5)
                        for i in range(room // 24))

    def head(self, kind):
        if kind == PING_REQ:
            return target_of(self.member_id, self.where)
        return struct.pack(">QHH", 1, 0, 1) if kind == ANTI_ENTROPY else b""

    def plain(self, kind, size):
        """None if there is none of about this size."""
        head = self.head(kind)
        room = size - 24 - len(head)
        if room < 0 or (kind == PING_REQ and room):
            return None
        payload = head + (bytes(room) if kind == LEAVE else self.lies(room))
        return Datagram(kind, draw_id(), payload, heartbeat=3)

    def capable(self, kind, size, records):
        """Filled up with padding, or with lies where there are records already."""
        head = self.head(kind)
        if kind == SYNC:
            records = records + [(VIEW, bytes(8) + struct.pack(">I", 2)),
                                 (BUCKETS, bytes.fromhex("0100014c278fa0"))]
        room = size - 24 - len(extended(records, head))
        if room < 0 or (kind == PING_REQ and records and room):
            return None
        if records:
            payload = extended(records, head + self.lies(room if kind != LEAVE else 0))
        elif room < 3:
            return Datagram(kind, draw_id(), head, capabilities=CAPABLE) if not room else None
        else:
            payload = extended([(PADDING, bytes(room - 3))], head)
        return Datagram(kind, draw_id(), payload, 3, 0, EXTENDED, CAPABLE)

    def all(self, sizes):
        forged = [token(draw_id(), draw_id())]
        accused = [(SUSPICION, struct.pack(">QIQ", self.member_id, 0, draw_id()))]
        for size in sizes:
            for kind in (GOSSIP, PING, PING_REQ, ACK, LEAVE, ANTI_ENTROPY):
                yield self.plain(kind, size)
            for kind in (GOSSIP, PING, PING_REQ, ACK, LEAVE, ANTI_ENTROPY, NACK, SYNC):
                for records in ([], forged, accused):
                    yield self.capable(kind, size, records)
        for kind in range(GOSSIP, NACK + 1):  # and without anything
            yield Datagram(kind, draw_id(), self.head(kind), capabilities=CAPABLE)


class StrangersTestCase(swimtest.SwimTestCase):
    def pair(self):
        nodes = self.cluster(2)
        self.await_all_alive(nodes, 5)
        return nodes

    def assert_only(self, nodes):
        """They know each other, and nobody else, dead or alive."""
        for node in nodes:
            self.assertEqual(node.view(), sorted((n.addr, "alive") for n in nodes))


class NothingForNothing(StrangersTestCase):
    """What comes back is never more than what was sent, and whoever does not answer is nobody."""

    side_by_side = True

    def test_every_kind_of_every_size(self):
        self.check_every_kind(self.pair())

    def test_every_kind_of_every_size_where_the_own_address_is_told(self):
        port = swimtest.free_port()
        node = self.node("--advertise", f"127.0.0.1:{port}", port=port, bind=f"0.0.0.0:{port}")
        nodes = [node, self.node(peers=[node])]
        self.await_all_alive(nodes, 5)
        self.check_every_kind(nodes)

    def check_every_kind(self, nodes):
        node = nodes[0]
        own = (int(node.self_id()), node.addr)
        sockets = Sockets(self)
        victim = sockets.open()
        kinds = Kinds(sockets.addr(victim), int(nodes[1].self_id()))
        before = unproved(node)
        count = 0
        asked = {}
        for datagram in filter(None, kinds.all(SIZES)):
            for flags in (0, REQUEST_ACK):
                datagram.flags = datagram.flags & EXTENDED | flags
                one = sockets.open()
                sockets.send(one, node, datagram.encode())
                asked[one] = datagram
                count += 1
                sockets.listen(0.002)
        sockets.listen(SILENCE)

        self.assertGreater(count, 400)
        self.assertEqual(node.counter("rate_limited"), 0, "each one was looked at")
        self.assertEqual(unproved(node) - before, count, "and not heard")
        self.assertEqual(sockets.received[victim], [], "whom they told of hears nothing")
        answers = 0
        for one, datagram in asked.items():
            got = [data for _, data in sockets.received[one]]
            answers += len(got)
            self.assertLessEqual(sum(map(len, got)), sockets.sent[one], datagram)
            for data in got:
                answer = Datagram.decode(data)
                self.assertEqual([e for e in answer.entries() if e[:2] != own], [],
                                 f"{datagram}: nothing is told of others")
                self.assertIn(answer.kind, (ACK, PING))
        self.assertGreater(answers, count / 4, "they were asked who they are")
        self.assert_only(nodes)

    def test_what_is_malformed_gets_nothing(self):
        nodes = self.pair()
        sockets = Sockets(self)
        whole = Datagram(PING, draw_id(), extended([(PADDING, bytes(60))]), 0, 0, EXTENDED,
                         CAPABLE).encode()
        for size in range(len(whole)):
            sockets.send(sockets.open(), nodes[0], whole[:size])
        for at in range(len(whole)):
            sockets.send(sockets.open(), nodes[0], whole[:at] + bytes([whole[at] ^ 0x55])
                         + whole[at + 1:])
        sockets.listen(SILENCE)
        self.assertEqual([got for got in sockets.received.values() if got], [])
        self.assert_only(nodes)

    def burst(self, make):
        """BURST datagrams of one socket in a second: at no time has more come back than was sent."""
        nodes = self.pair()
        node = nodes[0]
        sockets = Sockets(self)
        one = sockets.open()
        before = unproved(node)
        began = time.monotonic()
        for number in range(BURST):
            sockets.send(one, node, make(number, sockets.addr(one)).encode())
            sockets.listen(max(0.0005, began + number / BURST - time.monotonic()))
        sockets.listen(SILENCE)
        self.assertEqual(unproved(node) - before, BURST)
        total = 0
        for sent, data in sockets.received[one]:
            total += len(data)
            self.assertLessEqual(total, sent)
            self.assertLessEqual(len(data), sockets.sent[one] / BURST)
        self.assert_only(nodes)
        return [Datagram.decode(data) for _, data in sockets.received[one]]

    def test_burst_of_plain_pings(self):
        member_id = draw_id()
        got = self.burst(lambda i, addr: Datagram(PING, member_id, heartbeat=i))
        self.assertEqual({d.kind for d in got}, {ACK})

    def test_burst_of_plain_pings_that_are_worth_a_ping(self):
        member_id = draw_id()
        got = self.burst(lambda i, addr: Datagram(PING, member_id, entry(member_id, addr)))
        self.assertEqual({d.kind for d in got}, {ACK, PING})
        self.assertLessEqual(sum(d.kind == PING for d in got), 3, "one every two seconds")

    def test_burst_of_plain_gossip_under_ever_new_ids(self):
        got = self.burst(lambda i, addr: Datagram(GOSSIP, i + 1, entry(i + 1, addr)))
        self.assertEqual({d.kind for d in got}, {PING})
        self.assertLessEqual(len(got), 3, "one every two seconds")

    def test_burst_of_acknowledgements(self):
        member_id = draw_id()
        self.assertEqual(self.burst(lambda i, addr: Datagram(ACK, member_id, heartbeat=i)), [])

    def test_burst_of_capable_introductions(self):
        tag = entry(0, "0.0.0.0:0", status=TAG) * 2
        got = self.burst(lambda i, addr: Datagram(PING, i + 1, tag, capabilities=CAPABLE))
        self.assertEqual(len(got), BURST, "each is asked to prove its address")
        self.assertTrue(all(d.token()[0] for d in got))

    def test_burst_of_capable_pings_without_room(self):
        got = self.burst(lambda i, addr: Datagram(PING, i + 1, capabilities=CAPABLE))
        self.assertEqual(len(got), BURST)
        self.assertFalse(any(d.token()[0] for d in got))

    def test_burst_of_forged_echoes(self):
        member_id = draw_id()
        got = self.burst(lambda i, addr: Datagram(
            PING, member_id, extended([token(draw_id(), draw_id())]), i, 0, EXTENDED, CAPABLE))
        self.assertEqual(len(got), BURST)

    def test_a_plain_peer_that_does_not_answer_is_no_member(self):
        nodes = self.pair()
        peer = PlainPeer(self, answer=False)
        peer.ask(nodes[0])
        peer.await_datagram(PING, 1)
        swimtest.hold(lambda: (nodes[0].view() == sorted((n.addr, "alive") for n in nodes),
                               nodes[0].view()), 2, "nobody is learnt")
        peer.answer = True
        peer.join(nodes[0])


class Echoes(StrangersTestCase):
    """Who repeats what was sent to his address, and nobody else, gets in."""

    side_by_side = True

    def assert_out(self, peer, node, challenge, **header):
        """PINGs with this echo, and is asked again instead. Returns what it is asked now."""
        since, before = len(peer.got()), unproved(node)
        peer.send(node, PING, records=[token(0, challenge), (PADDING, bytes(60))], **header)
        ack = peer.await_datagram(ACK, 2, since, accept=lambda d: d.token()[0])
        self.assertGreater(unproved(node), before)
        self.assertEqual(ack.entries(), [])
        self.assertIsNone(node.member(peer.addr))
        return ack.token()[0]

    def test_whoever_echoes_is_told_everything(self):
        nodes = self.cluster(3)
        self.await_all_alive(nodes, 5)
        node = nodes[0]
        peer = CapablePeer(self)
        swimtest.wait_until(lambda: all(n.counter("addresses_proved") >= 2 for n in nodes), 8,
                            "they have asked each other")
        proved = node.counter("addresses_proved")
        since = len(peer.got())
        challenge = peer.challenge_of(node)
        first = peer.got(ACK, since)[0]
        self.assertEqual(first.sender_id, int(node.self_id()))
        self.assertEqual((first.entries(), VIEW in first.records()), ([], False))
        self.assertIsNone(node.member(peer.addr), "one question is no proof")
        ours = draw_id()
        peer.send(node, PING, records=[token(ours, challenge)])
        ack = peer.await_datagram(ACK, 1, accept=lambda d: d.token()[1] == ours)
        self.assertEqual(ack.token()[0], 0, "nothing more to prove")

        def told():
            seen = {addr for d in peer.got() if d.kind in (ACK, PING, GOSSIP, ANTI_ENTROPY)
                    for _, addr, status, _, _ in d.entries() if status == ALIVE}
            return {n.addr for n in nodes} <= seen, seen

        swimtest.wait_until(told, 1, "it is told of everybody")
        self.assertEqual(node.counter("addresses_proved"), proved + 1)
        swimtest.wait_until(lambda: all(n.member(peer.addr, "alive") for n in nodes), 3,
                            "everybody is told of it")
        # It proves itself to the others as they probe it, and stays.
        swimtest.wait_until(lambda: all(n.counter("addresses_proved") >= 3 for n in nodes), 8,
                            "everybody has asked it")
        for n in nodes:
            self.assertEqual(n.lines("suspect", peer.addr), [])

    def test_a_token_is_good_for_its_address_only(self):
        node = self.node().await_http()
        here, elsewhere = CapablePeer(self, 4242), CapablePeer(self, 4242)
        challenge = here.challenge_of(node)
        self.assertNotEqual(self.assert_out(elsewhere, node, challenge), challenge)
        here.join(node)
        # A member's id, and its token, from elsewhere: still nothing.
        challenge = here.challenge_of(node, sender_id=7)
        self.assert_out(elsewhere, node, challenge, sender_id=7)

    def test_a_token_is_good_for_its_id_only(self):
        node = self.node().await_http()
        peer = CapablePeer(self)
        challenge = peer.challenge_of(node)
        other = self.assert_out(peer, node, challenge, sender_id=peer.id ^ 1)
        self.assertNotEqual(other, challenge)
        self.assert_out(peer, node, other)
        self.assert_out(peer, node, draw_id())
        peer.join(node)

    def test_a_token_from_before_a_restart_is_worthless(self):
        node = self.node().await_http()
        peer = CapablePeer(self)
        challenge = peer.challenge_of(node)
        node.kill()
        node.start().await_http()
        self.assertNotEqual(self.assert_out(peer, node, challenge), challenge)
        peer.join(node)

    def test_only_what_comes_with_the_echo_is_heard(self):
        # Entries of a stranger's are lost; the same with the echo are learnt.
        node = self.node().await_http()
        peer, friend = CapablePeer(self), CapablePeer(self)
        word = entry(friend.id, friend.addr, heartbeat=1)
        challenge = peer.challenge_of(node)
        peer.send(node, GOSSIP, word)
        peer.send(node, PING, word, records=[token(0, challenge ^ 1)])
        swimtest.hold(lambda: (len(node.membership()) == 1, node.view()), 0.5, "nobody is learnt")
        peer.send(node, PING, word, records=[token(0, challenge)])
        swimtest.wait_until(lambda: (node.member(friend.addr, "alive"), node.view()), 1, "heard")


class Relays(StrangersTestCase):
    """Nobody can choose an address that a member sends to."""

    side_by_side = True

    def setUp(self):
        super().setUp()
        self.node1 = self.node().await_http()
        self.victim = PlainPeer(self, answer=False)
        self.target = CapablePeer(self)
        self.target.join(self.node1)

    def relayed(self, requester_id):
        """PINGs that the target got on this one's behalf."""
        return [d for d in self.target.got(PING)
                if d.records().get(ON_BEHALF) == struct.pack(">Q", requester_id)]

    def request(self, peer, sequence, addr=None, member_id=None):
        peer.send(self.node1, PING_REQ,
                  target_of(member_id or self.target.id, addr or self.victim.addr),
                  records=[(PROBE, struct.pack(">I", sequence))])

    def test_nobody_is_pinged_for_a_stranger(self):
        stranger = CapablePeer(self, answer=False)
        before = unproved(self.node1)
        for sequence, addr in enumerate((self.victim.addr, self.target.addr, self.node1.addr,
                                         "[::1]:%s" % self.victim.addr.split(":")[1])):
            for member_id in (self.target.id, stranger.id, draw_id(), int(self.node1.self_id())):
                self.request(stranger, sequence, addr, member_id)
                stranger.send(self.node1, PING_REQ, target_of(member_id, addr))
        swimtest.wait_until(lambda: unproved(self.node1) == before + 32, 2, "none is heard")
        swimtest.hold(lambda: not self.victim.got(), 1, "nothing for the victim")
        self.assertEqual(self.relayed(stranger.id), [])
        self.assertEqual(self.node1.counter("ping_reqs_recv"), 0)
        self.assertEqual(stranger.got(NACK), [])

    def test_a_member_has_the_address_in_the_table_pinged(self):
        member = CapablePeer(self)
        member.join(self.node1)
        self.request(member, 77)
        ack = member.await_datagram(ACK, 2, accept=lambda d: ON_BEHALF in d.records())
        self.assertEqual(ack.records()[ON_BEHALF], struct.pack(">Q", self.target.id))
        self.assertEqual(ack.records()[PROBE], struct.pack(">I", 77))
        self.assertEqual(len(self.relayed(member.id)), 1)
        # An id that nobody has: declined at once, whatever the address.
        self.request(member, 78, member_id=draw_id())
        member.await_datagram(NACK, 2, accept=lambda d: d.records()[PROBE] == struct.pack(">I", 78))
        swimtest.hold(lambda: not self.victim.got(), 1, "nothing for the victim")

    def test_four_at_a_time_for_one_member(self):
        greedy, other = CapablePeer(self), CapablePeer(self)
        greedy.join(self.node1)
        other.join(self.node1)
        self.target.answer = False
        for sequence in range(10):
            self.request(greedy, sequence)
        self.request(other, 50)
        swimtest.wait_until(lambda: (len(greedy.got(NACK)) == 10, greedy.got(NACK)), 2,
                            "each request is declined, or its target silent")
        self.assertEqual(len(self.relayed(greedy.id)), 4)
        self.assertEqual(len(self.relayed(other.id)), 1, "its neighbour is served")
        self.target.answer = True

        def served_again():
            self.request(greedy, 60)
            return len(self.relayed(greedy.id)) > 4

        swimtest.wait_until(served_again, 5, "later it is served again", interval=0.2)
        self.assertEqual(self.victim.got(), [])


class Hijack(StrangersTestCase):
    """The id of a member from another address."""

    side_by_side = True

    def attack(self, peer, node, attacker):
        """Everything that it could say as `peer`, with all that makes it look newer."""
        before = unproved(node)
        sent = 0
        for incarnation in (0, 1, 1000):
            header = {"sender_id": peer.id, "heartbeat": 1000, "incarnation": incarnation}
            own = entry(peer.id, attacker.addr, ALIVE, 1000, incarnation)
            for kind, payload in ((PING, b""), (PING, own), (GOSSIP, own), (ACK, own), (LEAVE, b""),
                                  (ANTI_ENTROPY, struct.pack(">QHH", 1, 0, 1) + own)):
                for send in (attacker.send, super(CapablePeer, attacker).send):
                    send(node, kind, payload, REQUEST_ACK, **header)
                    sent += 1
            attacker.send(node, PING, own, records=[token(0, draw_id())], **header)
            sent += 1
        swimtest.wait_until(lambda: (unproved(node) >= before + sent, unproved(node)), 2,
                            "none is heard")

    def check(self, make):
        nodes = self.pair()
        node = nodes[0]
        peer = make(self)
        attacker = CapablePeer(self, peer.id, answer=False)
        peer.join(node)
        swimtest.wait_until(lambda: all(n.member(peer.addr, "alive") for n in nodes), 3, "known")
        swimtest.wait_until(lambda: all(n.counter("addresses_proved") >= 2 for n in nodes), 8,
                            "and there, as everybody has found out")
        for n in nodes:
            self.attack(peer, n, attacker)

        def unchanged():
            seen = [[(m["addr"], m["status"], m["incarnation"]) for m in n.membership()
                     if int(m["id"]) == peer.id] for n in nodes]
            return seen == [[(peer.addr, "alive", 0)]] * len(nodes), seen

        swimtest.hold(unchanged, 2, "it is where it was, and what it was")
        for n in nodes:
            self.assertEqual(n.lines("suspect", peer.addr), [])
            self.assertIsNone(n.member(attacker.addr))
        self.assertEqual(peer.violations, [])
        return node, peer, attacker

    def test_a_capable_member_can_be_spoken_for_by_nobody_else(self):
        node, peer, attacker = self.check(CapablePeer)
        # Who echoes from there is there: a member that has moved.
        challenge = attacker.challenge_of(node, heartbeat=1000)
        attacker.send(node, PING, entry(peer.id, attacker.addr, ALIVE, 1000, 1),
                      records=[token(0, challenge)], heartbeat=1000, incarnation=1)
        swimtest.wait_until(lambda: (node.member(attacker.addr, "alive"), node.view()), 2, "moved")

    def test_a_plain_member_can_be_spoken_for_by_nobody_else(self):
        self.check(PlainPeer)


class Clusters(StrangersTestCase):
    """Two clusters of different names."""

    side_by_side = True

    SETTINGS = """
    [probes]
    interval_ms = 300
    timeout_ms = 150
    suspect_timeout_ms = 600
    suspect_timeout_min_ms = 600
    suspect_jitter_ms = 100
    """

    def member(self, name, **options):
        text = self.SETTINGS + (f'[node]\ncluster = "{name}"\n' if name else "")
        config = self.file(f"{len(self.nodes)}.toml", text)
        return self.node("--config", config, name=f"{name}{len(self.nodes)}", **options)

    def assert_apart(self, *clusters):
        for cluster in clusters:
            for node in cluster:
                alive = {int(m["id"]) for m in node.membership() if m["status"] == "alive"}
                self.assertEqual(alive, {int(n.self_id()) for n in cluster}, node.name)

    def drops(self, *nodes):
        return [n.counter("drop_cluster") for n in nodes]

    def knocks(self, node, other):
        return node.lines("datagram refused", other.addr, "cluster of another name")

    def test_two_names_never_merge(self):
        red = [self.member("red")]
        red.append(self.member("red", peers=red))
        blue = [self.member("blue", peers=red[:1])]
        blue.append(self.member("blue", peers=blue))
        self.await_all_alive(red, 5)
        self.await_all_alive(blue, 5)
        swimtest.wait_until(lambda: (min(self.drops(red[0], blue[0])) >= 3,
                                     self.drops(red[0], blue[0])), 30, "they knocked and knocked")
        self.assert_apart(red, blue)
        # Each says who it was, once.
        self.assertEqual(len(self.knocks(red[0], blue[0])), 1)
        self.assertEqual(len(self.knocks(blue[0], red[0])), 1)
        metrics = red[0].metrics()
        self.assertGreaterEqual(metrics['swim_drops_total{reason="cluster"}'], 3)
        for node in red + blue:
            self.assertEqual(node.counter("suspicions_raised"), 0)

    def test_no_name_and_a_name_never_merge(self):
        named = self.member("red")
        nameless = self.member("", peers=[named.await_http()]).await_http()
        swimtest.wait_until(lambda: (min(self.drops(named, nameless)) >= 3,
                                     self.drops(named, nameless)), 10, "they knocked")
        self.assert_apart([named], [nameless])
        self.assertEqual(len(self.knocks(named, nameless)), 1)

    def test_a_reused_address_joins_no_clusters(self):
        red = [self.member("red")]
        red += [self.member("red", peers=red[:1]) for _ in range(2)]
        self.await_all_alive(red, 5)
        blue = [self.member("blue")]
        gone = red.pop()
        gone.kill()
        heir = self.member("blue", peers=blue, port=gone.port)  # while it is still held alive
        blue.append(heir)
        self.await_all_alive(blue, 5)
        self.await_status(red, gone.addr, "dead", 20)
        # Its address is tried again, as that of a dead member.
        before = self.drops(*red)
        swimtest.wait_until(lambda: (self.drops(*red) != before, before), 30, "it is tried again")
        self.assert_apart(red, blue)
        for node in red:
            self.assertLessEqual(len(self.knocks(node, heir)), 1)
        for node in blue:
            self.assertEqual(node.counter("suspicions_raised"), 0)

    def test_a_plain_peer_is_no_member_of_a_cluster_with_a_name(self):
        node = self.member("red").await_http()
        peer = PlainPeer(self)
        for _ in range(5):
            peer.send(node, PING, peer.own_entry())
        swimtest.wait_until(lambda: node.counter("drop_cluster") == 5, 2, "dropped and counted")
        swimtest.hold(lambda: not peer.got(), 0.5, "and not answered")
        self.assertEqual(len(node.membership()), 1)

    def test_the_name_is_checked_whatever_is_echoed(self):
        node = self.member("red").await_http()
        peer = CapablePeer(self)
        since = len(peer.got())
        challenge = peer.challenge_of(node)
        tag = peer.got(ACK, since)[0].records()[CLUSTER]
        before = node.counter("drop_cluster")
        for wrong in (bytes(8), b"\xff" * 8, bytes([tag[0] ^ 1]) + tag[1:]):
            peer.send(node, PING, records=[token(0, challenge), (CLUSTER, wrong)])
        peer.send(node, PING, records=[token(0, challenge)])
        swimtest.wait_until(lambda: node.counter("drop_cluster") == before + 4, 2, "all dropped")
        self.assertEqual(len(node.membership()), 1)
        peer.send(node, PING, records=[token(0, challenge), (CLUSTER, tag)])
        swimtest.wait_until(lambda: (node.member(peer.addr, "alive"), node.view()), 2, "its own")


class Counters(StrangersTestCase):
    def test_reasons_and_counters_are_in_the_metrics(self):
        node = self.node().await_http()
        metrics = node.metrics()
        for reason in ("cluster", "unproved"):
            self.assertEqual(metrics[f'swim_drops_total{{reason="{reason}"}}'], 0)
        peer = CapablePeer(self)
        challenge = peer.challenge_of(node)
        self.assertEqual(node.metrics()['swim_drops_total{reason="unproved"}'], 1)
        self.assertEqual(node.metrics()["swim_challenges_sent_total"], 1)
        peer.send(node, PING, records=[token(0, challenge), (CLUSTER, b"\1" * 8)])
        swimtest.wait_until(
            lambda: node.metrics()['swim_drops_total{reason="cluster"}'] == 1, 1, "counted")
        self.assertEqual(node.metrics()["swim_addresses_proved_total"], 0)
        peer.send(node, PING, records=[token(0, challenge)])
        swimtest.wait_until(lambda: node.metrics()["swim_addresses_proved_total"] == 1, 1, "counted")
        answer = node.get_json("/metrics/json")
        self.assertEqual((answer["drop_unproved"], answer["drop_cluster"]), (1, 1))


if __name__ == "__main__":
    swimtest.main()
