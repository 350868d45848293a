#!/usr/bin/env python3
"""/sd: a real Prometheus finds all members by the address of one, scrapes them, and notices who
comes and goes."""

import json
import os
import shutil
import unittest
import urllib.error
import urllib.request

import swimtest
from swimtest import load_tests  # noqa: F401
from swimtest import CapablePeer

PROMETHEUS = os.environ.get("PROMETHEUS") or shutil.which("prometheus")

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: swim
    authorization:
      credentials: {token}
    http_sd_configs:
      - url: http://{where}/sd{query}
        refresh_interval: 1s
        authorization:
          type: Bearer # Prometheus 2.42 sends nothing of the kind here by itself
          credentials: {token}
    relabel_configs:
      - source_labels: [__meta_swim_id]
        target_label: member
      - source_labels: [__meta_swim_status]
        target_label: told
"""
TOKEN = "0123456789abcdef0123456789abcdef"


def groups(node, query=""):
    return node.get_json("/sd" + query)


def targets(node, query=""):
    return sorted(group["targets"][0] for group in groups(node, query))


def http_of(node):
    return f"127.0.0.1:{node.metrics_port}"


class Prometheus:
    """A real one, with its storage in the test's directory."""

    def __init__(self, test, config):
        self.port = swimtest.free_port()
        self.log = os.path.join(test.directory, "prometheus.log")
        with open(self.log, "wb") as log:
            self.process = swimtest.spawn(
                [PROMETHEUS, "--config.file", test.file("prometheus.yml", config),
                 "--storage.tsdb.path", os.path.join(test.directory, "tsdb"),
                 "--web.listen-address", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log)
        test.addCleanup(self.end)

    def end(self):
        self.process.terminate()
        self.process.wait(20 * swimtest.FACTOR)

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}",
                                        timeout=5) as answer:
                return json.load(answer)["data"]
        except (urllib.error.URLError, OSError):
            return None

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def found(self):
        """{target: health} of what it scrapes."""
        data = self.ask("targets?state=active") or {"activeTargets": []}
        return {t["discoveredLabels"]["__address__"]: t["health"] for t in data["activeTargets"]}

    def await_found(self, nodes, seconds, what):
        wanted = {http_of(node): "up" for node in nodes}
        swimtest.wait_until(lambda: (self.found() == wanted, (self.found(), self.said())),
                            seconds, what)


class ServiceDiscovery(swimtest.SwimTestCase):
    side_by_side = True

    @unittest.skipUnless(PROMETHEUS, "no prometheus here (Debian: prometheus)")
    def test_a_real_prometheus(self):
        token = self.file("token", TOKEN)
        os.chmod(token, 0o600)
        config = self.file("swim.toml", f'[metrics]\nhttp_token_file = "{token}"\n'
                                        "[probes]\ninterval_ms = 200\ntimeout_ms = 150\n"
                                        "suspect_timeout_ms = 1000\nsuspect_timeout_min_ms = 1000\n"
                                        "dead_retention_ms = 600000\n")
        nodes = []
        for _ in range(4):
            nodes.append(self.node("--config", config, peers=nodes[:1]))
        first = nodes[0]
        prometheus = Prometheus(self, CONFIG.format(where=http_of(first), query="", token=TOKEN))
        prometheus.await_found(nodes, 25, "it finds all four by the address of one")
        joined = self.node("--config", config, peers=[first])
        prometheus.await_found(nodes + [joined], 10, "it notices who joins")
        nodes[1].terminate()
        nodes.remove(nodes[1])
        prometheus.await_found(nodes + [joined], 10, "it notices who leaves")
        nodes[1].kill()
        nodes.remove(nodes[1])
        prometheus.await_found(nodes + [joined], 25, "it notices who is dead")
        alive = {m["metric"]["member"]: m["value"][1]
                 for m in prometheus.ask("query?query=swim_members_alive")["result"]}
        self.assertEqual(len(alive), 3)
        swimtest.wait_until(lambda: (
            {m["value"][1] for m in
             prometheus.ask("query?query=swim_members_alive")["result"]} == {"3"}, alive), 10,
            "what it has scraped is what they say")

    def test_what_is_told(self):
        nodes = self.cluster(3)
        self.await_all_alive(nodes, 3)
        swimtest.wait_until(lambda: (targets(nodes[0]) == sorted(map(http_of, nodes)),
                                     groups(nodes[0])), 5, "all are told of")
        status, headers, body = nodes[0].http("/sd")
        self.assertEqual((status, headers["Content-Type"]),
                         (200, "application/json; charset=utf-8"))
        for group in json.loads(body):
            self.assertEqual(set(group), {"targets", "labels"})
            labels = group["labels"]
            self.assertEqual(labels["__meta_swim_tag_metrics"], group["targets"][0])
            self.assertEqual(labels["__meta_swim_status"], "alive")
            self.assertRegex(labels["__meta_swim_id"], r"^[1-9]\d*$")
            self.assertRegex(labels["__meta_swim_addr"], r"^127\.0\.0\.1:\d+$")
            self.assertEqual({type(value) for value in labels.values()}, {str})
        by_tag = targets(nodes[0], f"?tag=metrics={http_of(nodes[1])}")
        self.assertEqual(by_tag, [http_of(nodes[1])])
        nodes[2].terminate()
        self.await_status(nodes[:1], nodes[2].addr, "left", 3)
        self.assertEqual(targets(nodes[0]), sorted(map(http_of, nodes[:2])), "who left is left out")
        self.assertEqual(targets(nodes[0], "?status=left"), [http_of(nodes[2])])
        for query, said in (("?port=0", "port must be"), ("?port=65536", "port must be"),
                            ("?port=+1", "port must be"), ("?port=", "port must be"),
                            ("?status=x", "status must be"), ("?x=1", "known are")):
            with self.subTest(query):
                status, _, body = nodes[0].http("/sd" + query)
                self.assertEqual(status, 400)
                self.assertIn(said, body.decode())

    def test_where_nothing_is_said(self):
        node = self.node().await_http()
        peer = CapablePeer(self)
        peer.join(node)
        self.assertEqual(targets(node), [http_of(node)])
        self.assertEqual(targets(node, "?port=9100"), sorted([http_of(node), "127.0.0.1:9100"]))

    def test_advertise(self):
        for value, wanted in (("off", []), ("metrics.example.org:9100",
                                            ["metrics.example.org:9100"]),
                              ("[::1]:9100", ["[::1]:9100"])):
            with self.subTest(value):
                config = self.file("swim.toml", f'[metrics]\nadvertise = "{value}"\n')
                node = self.node("--config", config).await_http()
                self.assertEqual(targets(node), wanted)
        # It changes while it runs.
        self.file("swim.toml", "")
        node.signal(1)
        swimtest.wait_until(lambda: targets(node) == [http_of(node)], 3, "auto again")
        for value in ("", "9100", ":9100", "host", "host:0", "on"):
            with self.subTest(value):
                done = swimtest.run("--check-config", "--config", self.file(
                    "wrong.toml", f'[metrics]\nadvertise = "{value}"\n'))
                self.assertEqual(done.returncode, 3)
                self.assertIn("HOST:PORT", done.stderr)

    def test_every_address(self):
        node = self.node("--http-bind", "0.0.0.0").await_http()
        self.assertEqual(targets(node), [http_of(node)], "the address that peers are told")
        member = node.membership()[0]
        self.assertEqual(member["tags"]["metrics"], http_of(node))
        hidden = self.node("--advertise", "192.0.2.1").await_http()
        self.assertEqual(targets(hidden), [], "on loopback, where nobody else can ask")


if __name__ == "__main__":
    swimtest.main()
