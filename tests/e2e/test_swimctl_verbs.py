#!/usr/bin/env python3
"""The verbs of swimctl that change something, or look deeper, against real clusters; what becomes of
several things of which some fail."""

import json
import os
import stat

import swimctltest
import swimtest
from swimctltest import FAILURE, PARTIAL, TIMEOUT, UNREACHABLE, USAGE, swimctl
from swimtest import load_tests  # noqa: F401

FAST = """[probes]
interval_ms = 200
timeout_ms = 100
suspect_timeout_ms = 300
suspect_timeout_min_ms = 300
suspect_jitter_ms = 0
"""


class Joining(swimctltest.CtlCase):
    side_by_side = True

    def test_join(self):
        one, two = self.controlled(), self.controlled()
        self.assertEqual(self.ctl(one, "join", two.addr), f"{two.addr}: met\n")
        self.await_all_alive([one, two], 5)
        self.assertEqual(self.ctl_json(one, "join", two.addr),
                         {"peers": [{"peer": two.addr, "met": True}]}, "again")

    def test_join_by_name(self):
        one, two = self.controlled(), self.controlled()
        name = f"localhost:{two.port}"
        self.assertEqual(self.ctl(one, "join", name), f"{name}: met\n")
        self.await_all_alive([one, two], 5)

    def test_join_in_part(self):
        one, two = self.controlled(), self.controlled()
        nobody = f"127.0.0.1:{swimtest.free_port()}"
        said = self.ctl(one, "--timeout", "2", "join", two.addr, nobody, code=PARTIAL)
        self.assertIn(f"{two.addr}: met\n", said)
        self.assertIn(f"{nobody}: nobody has answered", said)
        self.ctl(one, "--timeout", "0.3", "join", nobody, code=TIMEOUT)
        self.assertEqual(self.ctl(one, "join", "--no-wait", nobody), f"{nobody}: asked\n")
        # Who comes later is met all the same.
        late = self.controlled(port=int(nobody.rsplit(":", 1)[1]))
        self.await_all_alive([one, two, late], 15)

    def test_join_what_is_no_peer(self):
        one = self.controlled()
        for wrong in ("x", "127.0.0.1", "127.0.0.1:0", ":7000", "a b:1", "[::1]"):
            self.assertIn(f"{wrong}: ", self.ctl(one, "join", wrong, code=FAILURE))
        self.ctl(one, "join", code=USAGE)
        # None of them was taken, in company either; and there is a limit.
        self.ctl(one, "join", f"127.0.0.1:{swimtest.free_port()}", "x", code=FAILURE)
        peers = [f"127.0.0.1:{port}" for port in range(2000, 2064)]
        self.ctl(one, "join", "--no-wait", *peers)
        self.assertIn("64 peers", self.ctl(one, "join", "--no-wait", "127.0.0.1:3000", code=FAILURE))
        self.ctl(one, "join", "--no-wait", peers[0])

    def test_joined_peers_outlive_a_reload(self):
        config = self.file("swim.toml", "[log]\nlevel = \"info\"\n")
        one, two = self.controlled("--config", config), self.controlled()
        self.ctl(one, "join", two.addr)
        one.signal(swimctltest.signal.SIGHUP)
        swimtest.wait_until(lambda: one.lines("reloaded"), 5, "it reloads")
        two.kill()
        two.start()
        self.await_all_alive([one, two], 40)


class Leaving(swimctltest.CtlCase):
    side_by_side = True

    def test_leave(self):
        one = self.controlled()
        two = self.controlled(peers=[one])
        self.await_all_alive([one, two], 10)
        self.assertEqual(self.ctl(two, "leave"), "left\n")
        self.assertEqual(two.wait(2)[0], 0)
        self.await_status([one], two.addr, "left", 5)
        self.assertEqual(self.ctl_json(one, "leave"), {"left": True}, "one alone, at once")
        self.assertEqual(one.wait(2)[0], 0)
        self.ctl(one, "leave", code=UNREACHABLE)

    def test_force_leave(self):
        config = self.file("swim.toml", "[probes]\nsuspect_timeout_ms = 60000\n"
                                        "suspect_timeout_min_ms = 60000\n")
        one = self.controlled("--config", config)
        two = self.controlled("--config", config, peers=[one])
        three = self.controlled("--config", config, peers=[one])
        four = self.controlled("--config", config, peers=[one])
        self.await_all_alive([one, two, three, four], 10)
        ids = {node: node.self_id() for node in (one, two, three, four)}
        three.kill()
        four.kill()
        self.ctl(one, "force-leave", ids[three])
        self.await_status([one, two], three.addr, "left", 5)
        answer = self.ctl_json(one, "force-leave", "--prune", ids[four])
        self.assertEqual(answer, {"results": [
            {"member": ids[four], "id": ids[four], "pruned": True}]})
        self.assertEqual(one.status_of(four.addr), set())
        self.await_status([two], four.addr, "left", 5)
        # Some of several, and none.
        said = self.ctl_json(one, "force-leave", ids[three], "1", code=PARTIAL)
        self.assertEqual([("error" in r) for r in said["results"]], [False, True])
        self.assertIn("id", self.ctl(one, "force-leave", "1", code=FAILURE))
        self.assertIn("itself", self.ctl(one, "force-leave", ids[one], code=FAILURE))
        self.assertIn("nobody-of-this-name",
                      self.ctl(one, "force-leave", "nobody-of-this-name", code=FAILURE))
        self.ctl(one, "force-leave", "18446744073709551616", code=FAILURE)
        # A member that lives is back.
        self.ctl(one, "force-leave", ids[two])
        self.await_status([one], two.addr, "alive", 10)


class Tags(swimctltest.CtlCase):
    side_by_side = True

    def tags_of(self, node, member):
        """A member's tags as a node sees them, without the one that swimd sets by itself."""
        found = [m for m in self.ctl_json(node, "members")["members"] if m["id"] == member]
        tags = dict(found[0].get("tags", {}))
        tags.pop("metrics", None)
        return tags

    def own_lines(self, node, *arguments):
        return [line for line in self.ctl(node, "tags", *arguments).splitlines()
                if not line.startswith("metrics=")]

    def test_tags(self):
        one = self.controlled()
        two = self.controlled(peers=[one])
        self.await_all_alive([one, two], 10)
        own = one.self_id()
        self.assertEqual(self.own_lines(one), [])
        self.assertEqual(self.own_lines(one, "set", "role=db", "zone=a=b", "empty="),
                         ["empty=", "role=db", "zone=a=b"])
        wanted = {"role": "db", "zone": "a=b", "empty": ""}
        swimtest.wait_until(lambda: self.tags_of(two, own) == wanted, 10, "the other hears of it")
        self.assertEqual([m["id"] for m in
                          self.ctl_json(two, "members", "--tag", "role=db")["members"]], [own])
        self.assertIn("role=db", self.ctl(two, "members"))
        self.assertEqual(self.own_lines(one, "delete", "zone", "empty"), ["role=db"])
        self.assertEqual(self.own_lines(one, "list"), ["role=db"])
        self.assertFalse(self.ctl_json(one, "tags", "set", "role=web")["saved"])
        swimtest.wait_until(lambda: self.tags_of(two, own) == {"role": "web"}, 10, "and of that")

    def test_until_a_reload(self):
        config = self.file("swim.toml", "[tags]\nrole = \"db\"\n")
        one = self.controlled("--config", config, "--name", "Zo\u00eb 1")
        two = self.controlled("--name", "two", "--tag", "x=y", peers=[one])
        self.await_all_alive([one, two], 10)
        self.ctl(one, "tags", "set", "role=web", "more=1")
        swimtest.wait_until(lambda: self.tags_of(two, one.self_id()) == {"role": "web", "more": "1"},
                            10, "the other hears of it")
        one.signal(swimctltest.signal.SIGHUP)
        swimtest.wait_until(lambda: self.tags_of(two, one.self_id()) == {"role": "db"}, 10,
                            "the configuration's are back")
        # Members by their names, from here on.
        self.await_all_told([one, two], 10)
        self.assertRegex(self.ctl(one, "ping", "two"), r"^two: answered after ")
        self.assertRegex(self.ctl(two, "members"), r"(?m)^Zo\u00eb 1 +127")
        self.assertRegex(self.ctl(one, "info"), r"(?m)^name +Zo\u00eb 1$")
        self.assertEqual(sorted(line.split("\t")[0] for line in self.ctl(
            None, "--complete", "members",
            env=swimctltest.environment(SWIM_SOCKET=one.control)).splitlines()),
            ["Zo\u00eb 1", "two"])

    def test_all_or_nothing(self):
        one = self.controlled()
        self.ctl(one, "tags", "set", "a=1")
        self.assertIn("tag none: ", self.ctl(one, "tags", "delete", "a", "none", code=FAILURE))
        self.ctl(one, "tags", "set", "b=2", "=3", code=USAGE)
        self.ctl(one, "tags", "set", "b", code=USAGE)
        self.ctl(one, "tags", "set", "b=2", "c=" + "x" * 5000, code=FAILURE)
        self.assertIn("tag c: ", self.ctl(one, "tags", "set", "b=2", "c=\x1b[2J", code=FAILURE))
        self.assertIn("tag ?[2J: ", self.ctl(one, "tags", "delete", "\x1b[2J", code=FAILURE))
        for wrong in (["set"], ["delete"], ["frob"], ["list", "a"]):
            self.ctl(one, "tags", *wrong, code=USAGE)
        self.assertEqual(self.own_lines(one, "list"), ["a=1"])


class Looking(swimctltest.CtlCase):
    side_by_side = True

    def test_rtt(self):
        config = self.file("swim.toml", FAST)
        one = self.controlled("--config", config)
        two = self.controlled("--config", config, peers=[one])
        self.await_all_alive([one, two], 10)
        other = two.self_id()

        def measured():
            return self.ctl_json(one, "rtt", other)["results"][0]["rtt_seconds"]

        swimtest.wait_until(measured, 5, "a probe is answered")
        self.assertTrue(0 < measured() < 1)
        self.assertRegex(self.ctl(one, "rtt", other), rf"^{other}: [\d.]+ [mu]?s\n$")
        table = self.ctl(one, "rtt").splitlines()
        self.assertEqual(len(table), 2)
        self.assertIn(two.addr, table[1])
        self.assertEqual([m["id"] for m in self.ctl_json(one, "rtt")["results"]], [other])
        self.ctl(one, "rtt", other, "1", code=PARTIAL)
        self.ctl(one, "rtt", "1", code=FAILURE)

    def test_debug(self):
        key = self.ctl(None, "keygen").strip()
        path = self.file("key", key)
        os.chmod(path, 0o600)
        node = self.controlled("--cluster-key-file", path, "--log-level", "debug")
        text = self.ctl(node, "debug")
        for part in ("info", "config", "peers", "keys", "members", "metrics", "log"):
            self.assertIn(f"\n==== {part}\n", text)
        for wanted in (node.self_id(), "[probes]", "interval_ms = 1000", f'key_file = "{path}"',
                       "swim_members_alive 1", "listening on"):
            self.assertIn(wanted, text)
        bundle = os.path.join(self.directory, "bundle")
        self.ctl(node, "debug", bundle)
        self.assertEqual(stat.S_IMODE(os.stat(bundle).st_mode), 0o600)
        self.ctl(node, "debug", bundle, code=FAILURE)
        whole = self.ctl_json(node, "debug")
        self.assertEqual(whole["info"]["id"], node.self_id())
        self.assertIn("listening on", whole["log"])
        with open(bundle, encoding="utf-8") as file:
            for said in (text, file.read(), json.dumps(whole)):
                self.assertNotIn(key, said)
        self.ctl("/nowhere", "debug", code=UNREACHABLE)

    def test_config_is_one(self):
        """What /config shows is a file that swimd takes, and then shows again."""
        given = self.file("swim.toml", FAST + '[node]\ncluster = "x"\n[metrics]\n'
                          'http_hosts = ["a.example", "b"]\n[gossip]\nadaptive_fanout = false\n')
        node = self.controlled("--config", given, peers=["localhost:9", "127.0.0.1:9"])
        shown = self.config_of(node)
        again = self.file("again.toml", shown)
        done = swimtest.run("--config", again, "--check-config")
        self.assertEqual(done.returncode, 0, done.stderr)
        node.terminate()
        twin = self.node("--config", again, metrics_port=node.metrics_port, port=node.port,
                         name=node.name)
        twin.control = node.control
        twin.await_http()
        self.assertEqual(self.config_of(twin), shown)

    def config_of(self, node):
        text = self.ctl(node, "debug")
        return text.split("\n==== config\n")[1].split("\n==== ")[0]


if __name__ == "__main__":
    swimtest.main()
