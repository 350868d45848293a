#!/usr/bin/env python3
"""Five members in plaintext become sealed ones, and plaintext again, by SIGHUP only, one after the
other, while they never stop probing: no probe is lost, nobody is doubted."""

import swimtest
import sealtest
from sealtest import draw_key
from swimtest import load_tests  # noqa: F401

ROUNDS = 10


class Migration(sealtest.SealTestCase):
    side_by_side = True

    def plain_cluster(self, count, text):
        nodes = []
        for number in range(count):
            # What needs a restart is there from the start.
            nodes.append(self.sealed_node(f"node{number + 1}", text=text, peers=nodes[:2]))
        self.await_all_alive(nodes, 5)
        return nodes

    def configure(self, node, security):
        number = self.nodes.index(node) + 1
        self.configuration(f"{number}.toml", f'[control]\nsocket = "{node.control}"\n'
                                             f"[security]\n{security}")

    def step(self, nodes, security):
        for number, node in enumerate(nodes):
            self.configure(node, security.replace("KEY", f"{self.directory}/{number + 1}.key"))
            self.await_reload(node)
            self.await_probes(nodes, 2)
        self.await_probes(nodes, ROUNDS)
        self.assert_no_probe_lost(nodes)

    def first_bytes(self, tap, nodes):
        """Of all datagrams of some rounds: 1 in plaintext, 2 in envelope 2."""
        if tap is None:
            return None
        tap.seen.clear()
        self.await_probes(nodes, ROUNDS)
        return {data[0] for _, _, data in list(tap.seen)}

    def assert_no_answer(self, node):
        """A stranger in plaintext gets nothing, and changes nothing."""
        stranger = swimtest.PlainPeer(self)
        view = node.view()
        refused = node.counter("plaintext_refused")
        for _ in range(5):
            stranger.send(node, swimtest.PING)
        swimtest.wait_until(lambda: node.counter("plaintext_refused") >= refused + 5, 5, "refused")
        swimtest.hold(lambda: not stranger.got(), 0.5, "no answer to plaintext")
        self.assertEqual(stranger.violations, [])
        self.assertEqual(node.view(), view)

    def migrate(self, envelope):
        common = f"envelope = {envelope}\n"
        nodes = self.plain_cluster(5, common)
        tap = sealtest.Tap(self, [n.port for n in nodes]) if sealtest.Tap.is_possible() else None
        plain, sealed = {1}, {2}
        key = draw_key()
        for number in range(5):
            self.key_file(f"{number + 1}.key", key)

        self.assertIn(self.first_bytes(tap, nodes), (None, plain))
        self.step(nodes, common + 'key_file = "KEY"\nplaintext = "send"\n')
        self.assertIn(self.first_bytes(tap, nodes), (None, plain))
        self.step(nodes, common + 'key_file = "KEY"\nplaintext = "accept"\n')
        if envelope == 2:
            self.assertIn(self.first_bytes(tap, nodes), (None, sealed))
        before = [n.counter("plaintext_recv") for n in nodes]
        self.await_probes(nodes, ROUNDS)
        self.assertEqual(before, [n.counter("plaintext_recv") for n in nodes],
                         "nobody sends plaintext any more")
        self.assertTrue(all(before), "it was counted while they did")
        self.step(nodes, common + 'key_file = "KEY"\nplaintext = "refuse"\n')
        self.assert_no_answer(nodes[0])
        for node in nodes:
            self.assertEqual(node.counter("seal_drop_forged"), 0)
        return nodes, tap, common

    def test_to_envelope_2_and_back(self):
        nodes, tap, common = self.migrate(2)
        self.step(nodes, common + 'key_file = "KEY"\nplaintext = "accept"\n')
        self.step(nodes, common + 'key_file = "KEY"\nplaintext = "send"\n')
        self.assertIn(self.first_bytes(tap, nodes), (None, {1}))
        self.step(nodes, common)
        self.assertIn(self.first_bytes(tap, nodes), (None, {1}))
        for node in nodes:
            self.assertEqual(node.counter("seal_keys"), 0)

    def test_to_envelope_1(self):
        self.migrate(1)

    def test_what_needs_a_restart(self):
        node = self.sealed_node("node", draw_key()).await_http()
        self.configuration("1.toml", f'[node]\ncluster = "other"\n[security]\nenvelope = 1\n'
                                     f'key_file = "{node.key_path}"\n')
        self.await_reload(node)
        self.assertEqual(len(node.lines("restart", "node.cluster")), 1)
        self.assertEqual(len(node.lines("restart", "security.envelope")), 1)
        self.assertEqual(self.ask(node, "GET", "/keys")[1]["envelope"], 2)

    def test_a_step_left_out_is_seen(self):
        # Sealing before the others can open: what the steps are for.
        nodes = [self.sealed_node("plain"), None]
        nodes[1] = self.sealed_node("sealed", peers=nodes[:1])
        self.await_all_alive(nodes, 5)
        self.key_file("2.key", draw_key())
        self.configure(nodes[1], f'key_file = "{nodes[1].key_path}"\nplaintext = "accept"\n')
        self.await_reload(nodes[1])
        swimtest.wait_until(lambda: nodes[1].counter("probe_direct_timeouts") > 0, 5, "a lost probe")
        swimtest.wait_until(lambda: nodes[0].lines("refused", nodes[1].addr, "no key here"), 5,
                            "the log says why")


if __name__ == "__main__":
    swimtest.main()
