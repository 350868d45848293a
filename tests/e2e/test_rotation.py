#!/usr/bin/env python3
"""The cluster's key is changed under five members that never stop probing: no probe is lost, nobody
is doubted, and in the end the old key opens nothing."""

import os

import swimtest
import sealtest
from sealtest import draw_key, key_id
from swimtest import load_tests  # noqa: F401

ROUNDS = 10  # answered probes of each member between two steps: everybody has probed everybody


class Rotation(sealtest.SealTestCase):
    side_by_side = True

    def tap(self, nodes):
        return sealtest.Tap(self, [n.port for n in nodes]) if sealtest.Tap.is_possible() else None

    def assert_only_under(self, tap, key, nodes):
        """What goes over the wire from now on is of envelope 2 and names this key."""
        if tap is None:
            return
        # What was on its way when the last of them changed is no matter: the tap is emptied first.
        tap.seen.clear()
        self.await_probes(nodes, ROUNDS)
        seen = {data[:2].hex() for _, _, data in list(tap.seen)}
        self.assertEqual(seen, {"02" + key_id(key)[6:]})

    def rotate(self, nodes, old, install, use, remove):
        """The three steps, each member by member; `nodes` probe all the while."""
        tap = self.tap(nodes)
        self.assert_only_under(tap, old[0], nodes)
        for step in (install, use, remove):
            for node in nodes:
                step(node)
                self.await_probes(nodes, 2)
            self.await_probes(nodes, ROUNDS)
            self.assert_no_probe_lost(nodes)
        return tap

    def assert_rotated(self, nodes, tap, old, new):
        self.assert_only_under(tap, new, nodes)
        for node in nodes:
            status, answer = self.ask(node, "GET", "/keys")
            self.assertEqual((status, answer["keys"]), (200, [{"id": key_id(new), "primary": True}]))
            self.assertEqual(node.counter("seal_drop_key"), 0)
            self.assertEqual(node.counter("seal_drop_forged"), 0)
            self.assertEqual(node.counter("seal_drop_replay"), 0)
            with open(node.key_path, encoding="ascii") as file:
                self.assertEqual([x for x in file.read().split("\n") if x and x[0] != "#"], [new])
            self.assertEqual(os.stat(node.key_path).st_mode & 0o7777, 0o600)
            for key in (old, new):
                self.assertNotIn(key, node.log())
                self.assertIn(key_id(key), node.log())
        # The holder of the old key is a stranger now.
        holder = self.sealed_node("holder", old, peers=nodes[:1])
        swimtest.wait_until(lambda: (nodes[0].lines("refused", holder.addr), nodes[0].log()[-500:]),
                            5, "the old key is refused")
        self.assertEqual(holder.live(), [holder.addr])
        self.assertEqual(nodes[0].live(), sorted(n.addr for n in nodes))
        self.assert_no_probe_lost(nodes)

    def test_by_the_control_socket(self):
        old, new = draw_key(), draw_key()
        nodes = self.sealed_cluster(5, old)
        tap = self.rotate(nodes, (old,),
                          lambda n: self.assertEqual(self.change(n, "install", {"key": new}),
                                                     [key_id(old), key_id(new)]),
                          lambda n: self.assertEqual(self.change(n, "use", {"id": key_id(new)}),
                                                     [key_id(new), key_id(old)]),
                          lambda n: self.assertEqual(self.change(n, "remove", {"id": key_id(old)}),
                                                     [key_id(new)]))
        self.assert_rotated(nodes, tap, old, new)
        # What was saved is what it starts with.
        nodes[4].terminate()
        nodes[4].start()
        self.await_all_alive(nodes, 5, since=nodes[4].started)

    def test_by_the_key_file(self):
        old, new = draw_key(), draw_key()
        nodes = self.sealed_cluster(5, old)

        def write(*keys):
            def step(node):
                self.key_file(os.path.basename(node.key_path), *keys)
                self.await_reload(node)
            return step

        tap = self.rotate(nodes, (old,), write(old, new), write(new, old), write(new))
        self.assert_rotated(nodes, tap, old, new)

    def test_a_key_that_others_lack_is_seen(self):
        # The order of the steps matters: this is what a test of it must notice.
        old, new = draw_key(), draw_key()
        nodes = self.sealed_cluster(2, old)
        self.change(nodes[0], "install", {"key": new})
        self.change(nodes[0], "use", {"id": key_id(new)})
        swimtest.wait_until(lambda: nodes[1].counter("seal_drop_key") > 0, 5, "the key is missed")
        swimtest.wait_until(lambda: nodes[0].counter("probe_direct_timeouts") > 0, 5, "a lost probe")
        self.assertEqual(len(nodes[1].lines("refused", nodes[0].addr, "not held")), 1)

    def test_what_goes_wrong_changes_nothing(self):
        old, new = draw_key(), draw_key()
        node = self.sealed_node("node", old).await_http()
        wrong = "SIGHUP: not reloaded"

        def assert_unchanged():
            self.assertEqual(self.ask(node, "GET", "/keys")[1]["keys"],
                             [{"id": key_id(old), "primary": True}])

        self.key_file("1.key", old, new + "0")
        self.await_reload(node, wrong)
        self.assertEqual(len(node.lines(wrong, "1.key", "line 2")), 1)
        assert_unchanged()
        self.key_file("1.key", old, new)
        os.chmod(node.key_path, 0o640)
        self.await_reload(node, wrong)
        self.assertEqual(len(node.lines(wrong, "chmod 600")), 1)
        assert_unchanged()
        os.remove(node.key_path)
        self.await_reload(node, wrong)
        assert_unchanged()
        # No key is given any more: it doesn't fall back to plaintext.
        self.configuration("1.toml", f'[control]\nsocket = "{node.control}"\n')
        self.await_reload(node, wrong)
        self.assertEqual(len(node.lines(wrong, "plaintext", "send")), 1)
        assert_unchanged()
        for verb, body, status in (("use", {"id": key_id(new)}, 404),
                                   ("remove", {"id": key_id(new)}, 404),
                                   ("remove", {"id": key_id(old)}, 409)):
            self.assertEqual(self.ask(node, "POST", f"/keys/{verb}", body)[0], status)
            assert_unchanged()
        self.assertNotIn(new, node.log())
        self.assertNotIn(old, node.log())

    def test_a_change_that_can_not_be_saved(self):
        old, new = draw_key(), draw_key()
        node = self.sealed_node("node", old).await_http()
        os.mkdir(node.key_path + ".new")  # in the way of the file that is written first
        status, answer = self.ask(node, "POST", "/keys/install", {"key": new})
        self.assertEqual((status, answer["saved"], len(answer["keys"])), (200, False, 2), answer)
        self.assertEqual(len(node.lines("not saved", "1.key")), 1)
        os.rmdir(node.key_path + ".new")
        self.assertEqual(self.change(node, "install", {"key": new}), [key_id(old), key_id(new)])

    def test_at_most_eight_keys(self):
        keys = [draw_key() for _ in range(9)]
        node = self.sealed_node("node", keys[0]).await_http()
        for key in keys[1:8]:
            self.change(node, "install", {"key": key})
        self.assertEqual(self.ask(node, "POST", "/keys/install", {"key": keys[8]})[0], 409)
        self.change(node, "install", {"key": keys[3]})  # held already
        # Eight others, at once.
        others = [draw_key() for _ in range(8)]
        self.key_file("1.key", *others)
        self.await_reload(node)
        self.assertEqual([k["id"] for k in self.ask(node, "GET", "/keys")[1]["keys"]],
                         [key_id(k) for k in others])


if __name__ == "__main__":
    swimtest.main()
