#!/usr/bin/env python3
"""Names and tags of real members: from file and flags, by SIGHUP, two of one name, and who hears."""

import signal
import socket
import time

import swimtest
from swimtest import load_tests, wait_until  # noqa: F401

CONFLICT = "two live members have the same name"


class Tags(swimtest.SwimTestCase):
    side_by_side = True

    def await_line(self, node, *fragments, seconds=5.0):
        wait_until(lambda: (node.lines(*fragments), node.log()), seconds,
                   f"{node.name} logs {fragments}")
        return node.lines(*fragments)[-1]

    def heard_of(self, observer, subject, name, **tags):
        """`observer` holds that `subject` is called so and has these tags, beside the one that
        says where its metrics are."""
        def probe():
            member = observer.member(subject.addr) or {}
            held = {key: value for key, value in member.get("tags", {}).items() if key != "metrics"}
            return (member.get("name"), held) == (name, tags), member

        wait_until(probe, 5, f"{observer.name} knows that {subject.addr} is {name}")

    def quiet(self, node):
        """Parts that it has sent, once it has nothing to tell any more."""
        seen = []

        def probe():
            seen.append(node.counter("meta_sent"))
            return seen[-5:] == [seen[-1]] * 5

        wait_until(probe, 10, "nothing is told", interval=0.2)
        return seen[-1]

    def test_from_file_and_flags(self):
        config = self.file("swim.toml", '[node]\nname = "from-the-file"\n'
                                        '[tags]\nrole = "db"\nzone = "eu-1"\n')
        first = self.node("--config", config).await_http()
        first.terminate()
        first.member_name = None
        first.start()
        first.await_http()
        second = self.node("--config", config, "--tag", "only=this", peers=[first]).await_http()
        self.heard_of(second, first, "from-the-file", role="db", zone="eu-1")
        self.heard_of(first, second, second.name, only="this")  # flags replace name and all tags
        first.terminate()
        second.terminate()

    def test_without_a_name_it_is_the_host(self):
        first = self.node().await_http()
        second = self.node(peers=[first], start=False)
        second.member_name = None
        second.start()
        self.heard_of(first, second, socket.gethostname())

    def test_sighup_takes_name_and_tags(self):
        config = self.file("swim.toml", '[tags]\nrole = "db"\n')
        changing = self.node("--config", config, start=False)
        changing.member_name = None
        changing.start()
        changing.await_http()
        others = [self.node(peers=[changing]).await_http() for _ in range(2)]
        for node in others:
            self.heard_of(node, changing, socket.gethostname(), role="db")
        self.file("swim.toml", '[node]\nname = "renamed"\n[tags]\na = "1"\nb = "2"\nc = "3"\n')
        changing.signal(signal.SIGHUP)
        for node in others:
            self.heard_of(node, changing, "renamed", a="1", b="2", c="3")
        self.await_line(changing, "setting changed", "node.name")
        self.await_line(changing, "setting changed", "key=tags")
        # A file with a mistake changes nothing; neither does one that says the same again.
        self.file("swim.toml", '[tags]\n"a=b" = "1"\n')
        changing.signal(signal.SIGHUP)
        self.await_line(changing, "SIGHUP: not reloaded", "swim.toml:2", "a=b")
        before = self.quiet(changing)
        self.file("swim.toml", '[node]\nname = "renamed"\n[tags]\nc = "3"\nb = "2"\na = "1"\n')
        changing.signal(signal.SIGHUP)
        wait_until(lambda: (len(changing.lines("SIGHUP: reloaded")) == 2, changing.log()), 3,
                   "it is read again")
        time.sleep(1)  # long enough for what would be wrong: nothing is told
        self.assertEqual(changing.counter("meta_sent"), before)

    def test_two_of_one_name(self):
        nodes = self.cluster(3)
        for node in nodes:
            self.assertEqual(node.lines(CONFLICT), [])
        twin = self.node(peers=[nodes[0]], name="twin", start=False)
        twin.member_name = nodes[1].name
        twin.start()
        ids = {"twin": twin.await_http().self_id(), "other": nodes[1].await_http().self_id()}
        line = self.await_line(nodes[1], CONFLICT, f"id={ids['twin']}", f"other={ids['other']}")
        self.assertIn(f"name={nodes[1].name}", line)
        self.await_line(twin, CONFLICT, f"id={ids['other']}", f"other={ids['twin']}")
        self.await_line(nodes[2], CONFLICT)
        for node in nodes + [twin]:
            self.assertEqual(node.counter("name_conflicts"), 1)

    def test_four_kilobytes(self):
        config = self.file("large.toml", "[tags]\n" + "".join(
            f'key-{i} = "{"v" * 1000}"\n' for i in range(4)))
        large = self.node("--config", config).await_http()
        others = [self.node(peers=[large]).await_http() for _ in range(3)]
        for node in others:
            self.heard_of(node, large, large.name, **{f"key-{i}": "v" * 1000 for i in range(4)})


if __name__ == "__main__":
    swimtest.main()
