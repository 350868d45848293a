#!/usr/bin/env python3
"""Datagrams by hand: a plain version-1 peer, forgeries, recorded vectors, bursts and garbage."""

import json
import os
import signal
import socket
import time

import swimtest
from swimtest import load_tests  # noqa: F401
from swimtest import (ACK, ALIVE, ANTI_ENTROPY, DEAD, GOSSIP, LEAVE, PING, PING_REQ, REQUEST_ACK,
                      SUSPECT, TAG, Datagram, PlainPeer, entry)

VECTORS = os.path.join(swimtest.ROOT, "tests", "data", "wire-v1", "vectors.jsonl")


def vectors():
    with open(VECTORS, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def drops(node):
    """{reason: datagrams dropped}."""
    return {name.split('reason="')[1].split('"')[0]: value
            for name, value in node.metrics().items() if name.startswith("swim_drops_total{")}


class PlainVersion1(swimtest.SwimTestCase):
    side_by_side = True

    def node_and_peer(self, **options):
        node = self.node().await_http()
        return node, PlainPeer(self, **options)

    def test_ping_is_acknowledged(self):
        node, peer = self.node_and_peer()
        ack = peer.ask(node)
        self.assertEqual(ack.sender_id, int(node.self_id()))
        self.assertEqual(ack.flags & swimtest.EXTENDED, 0)
        swimtest.wait_until(lambda: node.member(peer.addr, "alive"), 1, "it is a member")
        self.assertEqual(int(node.member(peer.addr)["id"]), peer.id)
        # It stays one: it answers the probes, in plain version 1, and gets nothing else.
        swimtest.hold(lambda: node.member(peer.addr, "alive"), 8, "the peer stays alive",
                      interval=0.3)
        self.assertGreaterEqual(len(peer.got(PING)), 3)
        self.assertEqual(peer.violations, [])
        self.assertEqual(node.lines("suspect", peer.addr), [])

    def test_plain_peer_learns_the_table(self):
        nodes = self.cluster(3)
        self.await_all_alive(nodes, 2)
        peer = PlainPeer(self)
        peer.join(nodes[0])
        wanted = {n.addr for n in nodes[1:]}

        def known():
            seen = {addr for d in peer.got() if d.kind in (GOSSIP, PING, ACK, ANTI_ENTROPY)
                    for _, addr, status, _, _ in d.entries() if status == ALIVE}
            return wanted <= seen, seen

        swimtest.wait_until(known, 2, "the newcomer is told of everybody")
        swimtest.wait_until(lambda: all(n.member(peer.addr, "alive") for n in nodes), 3,
                            "everybody is told of the newcomer")
        # A member that left is dead to a plain peer: there is no other status in version 1.
        left_id = int(nodes[2].self_id())
        since = len(peer.got())
        nodes[2].terminate()

        def told_dead():
            seen = {status for d in peer.got(None, since) if d.kind in (GOSSIP, PING, ACK)
                    for member, _, status, _, _ in d.entries() if member == left_id}
            seen |= {"leave" for d in peer.got(LEAVE, since) if d.sender_id == left_id}
            return DEAD in seen or "leave" in seen, seen

        swimtest.wait_until(told_dead, 5, "the plain peer hears that a member left")
        self.assertFalse({status for d in peer.got(None, since) if d.kind in (GOSSIP, PING, ACK)
                          for _, _, status, _, _ in d.entries()} - {ALIVE, SUSPECT, DEAD, TAG})
        self.assertEqual(peer.violations, [])

    def test_plain_peer_dies(self):
        nodes = self.cluster(2)
        self.await_all_alive(nodes, 2)
        peer = PlainPeer(self)
        peer.join(nodes[0])
        swimtest.wait_until(lambda: all(n.member(peer.addr, "alive") for n in nodes), 3,
                            "everybody knows the plain peer")
        peer.answer = False
        self.await_status(nodes, peer.addr, "dead", 14)
        self.assert_never_doubted(nodes, nodes)

    def test_leave_is_acknowledged(self):
        node, peer = self.node_and_peer()
        peer.join(node)
        since = len(peer.got())
        peer.answer = False
        peer.send(node, LEAVE, flags=REQUEST_ACK)
        peer.await_datagram(ACK, 1, since)
        self.await_status([node], peer.addr, ("left", "dead"), 1)
        self.assertEqual(node.lines("suspect", peer.addr), [])

    def test_stale_leave_is_ignored(self):
        node, peer = self.node_and_peer()
        peer.incarnation = 5
        peer.join(node)
        peer.send(node, LEAVE, heartbeat=0, incarnation=4)
        swimtest.hold(lambda: node.member(peer.addr, "alive"), 1, "an old LEAVE is stale")

    def test_leave_that_names_the_receiver_is_refused(self):
        node, peer = self.node_and_peer()
        peer.join(node)
        own = int(node.self_id())
        for _ in range(3):
            peer.send(node, LEAVE, sender_id=own, heartbeat=1 << 30, incarnation=1 << 20)
        swimtest.wait_until(lambda: drops(node).get("self", 0) >= 3, 2, "dropped and counted")
        self.assertEqual(int(node.self_id()), own)
        self.assertEqual(node.status_of(node.addr), {"alive"})

    def refuted_above(self, status, incarnation):
        node, peer = self.node_and_peer()
        own = int(peer.join(node).sender_id)
        since = len(peer.got())
        claim = entry(own, node.addr, status, heartbeat=1 << 20, incarnation=incarnation)
        peer.send(node, GOSSIP, claim)

        def refuted():
            seen = [(d.kind, d.incarnation) for d in peer.got(None, since) if d.sender_id == own]
            return any(i > incarnation for _, i in seen), seen

        swimtest.wait_until(refuted, 3, "refuted above the claim")
        member = node.member(node.addr, "alive")
        self.assertIsNotNone(member, node.view())
        self.assertEqual(int(member["id"]), own)
        self.assertGreater(member["incarnation"], incarnation)
        self.assertGreaterEqual(node.counter("refutations"), 1)
        return node, peer

    def test_forged_incarnation_is_refuted_above_it(self):
        node, _ = self.refuted_above(DEAD, 10 ** 6)
        # The rest of the cluster follows: one that joins now sees it alive.
        other = self.node(peers=[node])
        swimtest.wait_until(lambda: other.member(node.addr, "alive"), 2, "a newcomer agrees")

    def test_death_claimed_of_the_node_itself(self):
        self.refuted_above(DEAD, 0)

    def test_suspicion_claimed_of_the_node_itself(self):
        self.refuted_above(SUSPECT, 0)

    def test_higher_incarnation_alive_claimed_of_the_node_itself(self):
        self.refuted_above(ALIVE, 7)

    def test_highest_incarnation_claimed_of_the_node_itself(self):
        # There is nothing above it: it goes on under another id, and nobody is lost.
        node, peer = self.node_and_peer()
        own = int(peer.join(node).sender_id)
        peer.send(node, GOSSIP, entry(own, node.addr, DEAD, (1 << 32) - 1, (1 << 32) - 1))
        swimtest.wait_until(lambda: (int((node.member(node.addr, "alive") or {"id": own})["id"])
                                     != own, node.view()), 3, "it takes a new id")
        self.assertNotEqual(peer.ask(node).sender_id, own)

    def test_forged_death_of_a_third_is_refuted_everywhere(self):
        nodes = self.cluster(3)
        self.await_all_alive(nodes, 2)
        peer = PlainPeer(self)
        peer.join(nodes[0])
        victim = nodes[2]
        own = int(victim.self_id())
        peer.send(nodes[0], GOSSIP, entry(own, victim.addr, DEAD, 5, 10 ** 6))

        def back():
            seen = [n.member(victim.addr, "alive") for n in nodes]
            return all(m and m["incarnation"] > 10 ** 6 for m in seen), seen

        swimtest.wait_until(back, 5, "the victim is alive again everywhere, above the forgery")
        self.assertEqual(int(victim.self_id()), own)

    def test_unknown_dead_is_never_learnt(self):
        node, peer = self.node_and_peer()
        peer.join(node)
        ghosts = b"".join(entry(1000 + i, f"127.0.0.1:{40000 + i}", DEAD) for i in range(20))
        peer.send(node, GOSSIP, ghosts)
        swimtest.hold(lambda: (len(node.membership()) == 2, node.view()), 1.5, "no ghost")

    def test_impossible_addresses_are_not_learnt(self):
        node, peer = self.node_and_peer()
        peer.join(node)
        bad = [entry(2000, "0.0.0.0:7000"), entry(2001, "127.0.0.1:0"),
               entry(2002, "[::]:7000"), entry(0, "127.0.0.1:7000"),
               entry(2003, node.addr), entry(2004, "255.255.255.255:7000"),
               entry(2005, "224.0.0.1:7000")]
        peer.send(node, GOSSIP, b"".join(bad))
        swimtest.hold(lambda: (len(node.membership()) == 2, node.view()), 1.5,
                      "nobody was learnt")

    def test_ping_req_is_relayed_or_answered(self):
        # A plain peer asks about a third: whatever the intermediary does, it is plain version 1.
        nodes = self.cluster(2)
        self.await_all_alive(nodes, 2)
        peer = PlainPeer(self)
        peer.join(nodes[0])
        host, port = nodes[1].addr.rsplit(":", 1)
        target = (int(nodes[1].self_id()).to_bytes(8, "big") + b"\x04" + socket.inet_aton(host)
                  + int(port).to_bytes(2, "big"))
        before = nodes[1].counter("pings_recv")
        received = nodes[0].counter("ping_reqs_recv")
        peer.send(nodes[0], PING_REQ, target)
        swimtest.wait_until(lambda: nodes[0].counter("ping_reqs_recv") == received + 1, 2,
                            "the request is counted")
        swimtest.wait_until(lambda: nodes[1].counter("pings_recv") > before, 2,
                            "the target is pinged")
        self.assertEqual(peer.violations, [])

    def test_newer_process_at_a_peers_address(self):
        node, peer = self.node_and_peer()
        peer.join(node)
        old = peer.id
        peer.id = old ^ 1
        peer.join(node)

        def replaced():
            records = [(int(n["id"]), n["status"]) for n in node.membership()
                       if n["addr"] == peer.addr]
            return ((peer.id, "alive") in records and (old, "alive") not in records
                    and (old, "suspect") not in records), records

        swimtest.wait_until(replaced, 1, "the older id is dead at once")

    def test_recorded_vectors(self):
        node, peer = self.node_and_peer()
        own = peer.join(node).sender_id
        expected = {"kind": 2, "version": 1, "checksum": 1, "length": 1, "short": 1, "payload": 2}
        before = drops(node)
        plain = [v for v in vectors() if not v["name"].startswith("enc_")]
        for vector in plain:
            peer.send_raw(node, bytes.fromhex(vector["hex"]))
        refused = [v for v in plain if not v["ok"]]
        self.assertEqual(len(refused), sum(expected.values()))

        def counted():  # those that are whole come from strangers, which is another reason
            now = drops(node)
            return sum(now[r] - before[r] for r in expected) >= len(refused), now

        swimtest.wait_until(counted, 2, "each one refused is counted")
        for reason, count in expected.items():
            with self.subTest(reason):
                self.assertEqual(drops(node)[reason] - before.get(reason, 0), count)
        # Encrypted ones can't be read without a key: dropped, whatever the reason looks like.
        for vector in vectors():
            if vector["name"].startswith("enc_"):
                peer.send_raw(node, bytes.fromhex(vector["hex"]))
        self.assertEqual(peer.ask(node).sender_id, own)
        self.assertEqual(node.status_of(node.addr), {"alive"})

    def test_every_truncation_and_trailing_garbage(self):
        node, peer = self.node_and_peer()
        own = peer.join(node).sender_id
        sent = 0
        for vector in vectors():
            data = bytes.fromhex(vector["hex"])
            for size in {0, 1, 23, 24, 25, len(data) // 2, len(data) - 1}:
                if size < len(data):
                    peer.send_raw(node, data[:size])
                    sent += 1
            peer.send_raw(node, data + b"\0")
            peer.send_raw(node, data + bytes(1473 - len(data)))
            sent += 2
        peer.send_raw(node, bytes(65000))
        self.assertEqual(peer.ask(node, 5).sender_id, own)
        self.assertGreater(sum(drops(node).values()), 20)


class Bursts(swimtest.SwimTestCase):
    # One after the other: they keep a processor busy.

    COUNT = 5000

    def burst(self, node, make, source=None):
        """Sends COUNT datagrams as fast as it goes; returns those not refused by the kernel."""
        sender = source or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams = [make(i) for i in range(self.COUNT)]
        for data in datagrams:
            sender.sendto(data, ("127.0.0.1", node.port))
        if source is None:
            sender.close()

    def limited(self, node):
        """Datagrams that were one too many, dropped by swimd or, for swimd, by the kernel."""
        return node.counter("rate_limited") + node.counter("shield_dropped")

    def handled(self, node):
        """Datagrams that are accounted for: accepted, one too many, or dropped with a reason."""
        return (self.limited(node) + sum(drops(node).values()) + node.counter("datagrams_recv"))

    def await_answer(self, node, seconds=10):
        # Strangers pass the kernel's filter again when the flood has been over for five seconds.
        peer = PlainPeer(self)
        began = time.monotonic()
        peer.ask(node, seconds)
        return time.monotonic() - began

    def check(self, make, source=None):
        node = self.node()
        friend = self.node(peers=[node])
        self.await_all_alive([node, friend], 2)
        before = self.handled(node)
        self.burst(node, make, source)
        swimtest.wait_until(lambda: (self.handled(node) - before >= 0.9 * self.COUNT,
                                     self.handled(node) - before), 5,
                            "at least nine in ten arrived and are accounted for")
        self.assertTrue(node.is_running())
        self.assertEqual(node.http("/healthz")[0], 200)
        self.assertEqual(friend.status_of(node.addr), {"alive"})
        self.await_answer(node)
        # Its friend's own allowance was never touched: no suspicion between the two.
        time.sleep(2.5)
        self.assert_never_doubted([node, friend], [node, friend])
        self.assertEqual(friend.status_of(node.addr), {"alive"})
        return node

    def assert_few_lines(self, node):
        self.assertLess(len(node.log().splitlines()), 60,
                        "a flood of datagrams is no reason for a flood of lines")

    def test_valid_pings_from_one_socket(self):
        peer = PlainPeer(self)
        node = self.check(lambda i: Datagram(PING, peer.id, heartbeat=i).encode(), peer.socket)
        self.assertGreater(self.limited(node), 1000)
        self.assertEqual(peer.violations, [])
        self.assert_few_lines(node)

    def test_valid_pings_under_ever_new_ids(self):
        node = self.check(lambda i: Datagram(PING, 1 + i, heartbeat=i).encode())
        self.assertGreater(self.limited(node), 1000)

    def test_each_of_many_that_waited_is_answered(self):
        # More than the core's outbox holds, found in the socket after a pause.
        node = self.node().await_http()
        askers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(600)]
        node.signal(signal.SIGSTOP)
        for number, asker in enumerate(askers):
            asker.sendto(Datagram(PING, 1000 + number).encode(), ("127.0.0.1", node.port))
        node.signal(signal.SIGCONT)
        swimtest.wait_until(lambda: node.counter("acks_sent") >= len(askers), 5,
                            "an ACK to each")
        self.assertEqual(node.counter("outbox_full"), 0)
        for asker in askers:
            asker.close()

    def test_garbage(self):
        self.assert_few_lines(
            self.check(lambda i: swimtest.rng.randbytes(swimtest.rng.randrange(1, 1472))))

    def test_truncated(self):
        whole = Datagram(GOSSIP, 77, b"".join(entry(100 + i, f"127.0.0.1:{20000 + i}")
                                              for i in range(20))).encode()
        self.assert_few_lines(self.check(lambda i: whole[:i % len(whole)]))


if __name__ == "__main__":
    swimtest.main()
