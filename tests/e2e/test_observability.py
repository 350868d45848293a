#!/usr/bin/env python3
"""observability/ at work: run-cluster.sh, a real Prometheus with the very prometheus.yml and
rules.yml, and every expression of every panel asked of it, while the cluster loses a member and
gets it back.

The ports are those of the files, so all of it runs in a network namespace of its own. Only the
intervals of prometheus.yml are shortened, to a second.
"""

import fcntl
import json
import math
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import swimtest
from swimtest import load_tests  # noqa: F401

KIT = os.path.join(swimtest.ROOT, "observability")
PROMETHEUS = shutil.which("prometheus")
ADDRESS = "127.0.0.1:9090"
# What Grafana would put in.
VARIABLES = {"$__rate_interval": "8s", "$__range": "5m", "$__interval": "1s",
             "$job": "swim-static", "$instance": ".*"}


def ask(path, **parameters):
    url = f"http://{ADDRESS}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=10 * swimtest.FACTOR) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        if error.code == 503:  # not ready yet
            raise
        raise AssertionError(f"{parameters}: {error.read().decode()}") from None


def query(expression):
    """[(labels, value)] now."""
    return [(sample["metric"], float(sample["value"][1]))
            for sample in ask("query", query=expression)["result"]]


def value(expression):
    """The one value; None when there is none."""
    samples = query(expression)
    return samples[0][1] if len(samples) == 1 else None


def panels():
    with open(os.path.join(KIT, "grafana", "dashboards", "swim.json"), encoding="utf-8") as file:
        return [p for p in json.load(file)["panels"] if p["type"] != "row"]


def filled_in(expression):
    for name, text in VARIABLES.items():
        expression = expression.replace(name, text)
    assert "$" not in expression, expression
    return expression


class Observability(swimtest.SwimTestCase):
    def start_cluster(self, *arguments):
        self.output = os.path.join(self.directory, "cluster.out")
        self.temporary = os.path.join(self.directory, "tmp")
        os.mkdir(self.temporary)
        env = dict(os.environ, SWIMD=swimtest.SWIMD, TMPDIR=self.temporary)
        with open(self.output, "wb") as out:
            self.script = swimtest.spawn([os.path.join(KIT, "run-cluster.sh"), *arguments],
                                         stdin=subprocess.DEVNULL, stdout=out,
                                         stderr=subprocess.STDOUT, env=env, start_new_session=True)
        self.addCleanup(self.stop_all)
        swimtest.wait_until(lambda: (len(self.announced()) == 3, self.said()), 10, "three nodes")
        members = [swimtest.Node(self, port=7000 + i, metrics_port=9100 + i, start=False)
                   for i in range(3)]
        for member in members:
            member.started = time.monotonic()
        return members

    def said(self):
        with open(self.output, encoding="utf-8", errors="replace") as out:
            return out.read()

    def announced(self):
        return [int(pid) for pid in re.findall(r"(?m)^cluster:   node\d  pid (\d+)", self.said())]

    def stop_all(self):
        if self.script.poll() is None:
            os.killpg(self.script.pid, signal.SIGTERM)
            self.script.wait(20)

    def start_prometheus(self):
        """The very files, but for the intervals."""
        folder = os.path.join(self.directory, "prometheus")
        shutil.copytree(KIT, folder, ignore=shutil.ignore_patterns("grafana", "kubernetes"))
        path = os.path.join(folder, "prometheus.yml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text, count = re.subn(r"(?m)^(  (?:scrape|evaluation)_interval): 5s$", r"\1: 1s", text)
        self.assertEqual(count, 2)
        text = text.replace("refresh_interval: 5s", "refresh_interval: 1s")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with open(os.path.join(self.directory, "prometheus.log"), "wb") as log:
            self.prometheus = swimtest.spawn(
                [PROMETHEUS, f"--config.file={path}", f"--web.listen-address={ADDRESS}",
                 f"--storage.tsdb.path={self.directory}/tsdb"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.addCleanup(self.stop_prometheus)

        def is_scraping():
            if self.prometheus.poll() is not None:
                with open(log.name, encoding="utf-8") as said:
                    raise AssertionError(f"Prometheus ended:\n{said.read()}")
            try:
                return [value(f"count(swim_members_alive{{job='{job}'}} == 3)") for job in
                        ("swim-static", "swim-sd")] == [3, 3]
            except OSError as error:
                return False, error
        swimtest.wait_until(is_scraping, 20, "Prometheus sees three members, all of one mind", 0.2)

    def stop_prometheus(self):
        self.prometheus.terminate()
        self.prometheus.wait(20)

    def assert_every_panel_has_data(self, when):
        for panel in panels():
            for target in panel["targets"]:
                expression = filled_in(target["expr"])
                with self.subTest(when, panel=panel["title"], expression=expression):
                    values = [v for _, v in query(expression)]
                    self.assertTrue(values, "no data")
                    self.assertTrue(all(math.isfinite(v) for v in values), values)

    def assert_rules_are_well(self):
        groups = ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertGreater(len(rules), 20)
        for rule in rules:
            self.assertEqual((rule["name"], rule["health"], rule.get("lastError")),
                             (rule["name"], "ok", None))
        for record in (rule["name"] for rule in rules if rule["type"] == "recording"):
            self.assertTrue(query(record), f"{record} has no data")

    def assert_names_are_known(self, member):
        """Rules and panels name no metric that isn't there."""
        known = {re.sub(r"\{.*", "", name) for name in member.metrics()}
        with open(os.path.join(KIT, "rules.yml"), encoding="utf-8") as file:
            text = file.read() + json.dumps(panels())
        used = set(re.findall(r"(?<![:\w])(?:swim|process)_\w+", text))
        self.assertGreater(len(used), 50)
        self.assertEqual(used - known, set())

    def series_of(self, member):
        return sorted(name for name in member.metrics() if not name.startswith("swim_build_info"))

    def restart(self, pid, command):
        """A member as it was, after its death."""
        swimtest.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 5, "it is gone")
        with open(os.path.join(self.directory, "again.log"), "wb") as log:
            return swimtest.spawn(command, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT)

    @unittest.skipUnless(PROMETHEUS, "prometheus (Debian: prometheus) is not there")
    def test_a_death_on_every_panel(self):
        members = self.start_cluster("--key")
        self.await_all_alive(members, 5)
        self.assert_names_are_known(members[0])
        series = self.series_of(members[0])
        self.start_prometheus()
        victim = self.announced()[2]
        with open(f"/proc/{victim}/cmdline", "rb") as cmdline:
            command = cmdline.read().split(b"\0")[:-1]
        self.assertNotIn(b"--cluster-key", command)
        killed = time.time()
        os.kill(victim, signal.SIGKILL)
        swimtest.wait_until(lambda: value("sum(swim_members_dead{job='swim-static'})") == 2, 20,
                            "the death is in Prometheus", 0.2)
        detected = time.time() - killed
        self.assert_every_panel_has_data("one is dead")
        self.assertEqual(self.series_of(members[0]), series, "a death makes no series")
        firing = "count(ALERTS{alertname='SwimMemberFailed',alertstate='firing'})"
        swimtest.wait_until(lambda: value(firing) == 1, 5, "one alert, though two noticed", 0.2)

        self.assertEqual(query("ALERTS{alertname='SwimNameConflict'}"), [])
        names = {labels["name"] for labels, _ in query("swim_build_info{job='swim-sd'}")}
        self.assertLessEqual({"node1", "node2"}, names)

        again = self.restart(victim, command)
        swimtest.wait_until(lambda: value("count(swim_members_alive{job='swim-static'} == 3)") == 3,
                            15, "all three are alive again", 0.2)
        swimtest.wait_until(lambda: value("cluster:swim_views:count") == 1, 10, "of one mind", 0.2)
        self.assert_every_panel_has_data("all are back")
        self.assert_rules_are_well()
        self.assert_figures_fit(detected)
        again.terminate()
        self.assertEqual(again.wait(10 * swimtest.FACTOR), 0)
        self.assert_ctrl_c_stops_all()

    def assert_figures_fit(self, detected):
        """Panels show what happened: one death, noticed by two, in about the time that it took."""
        # Two jobs scrape each member, and no rule takes it twice.
        rate = "rate(swim_datagrams_sent_total{job='swim-static'}[1m])"
        recorded = "cluster:swim_datagrams_sent:rate1m"
        self.assertEqual(value("count(swim_members_alive)"), 6)
        self.assertLess(value(recorded), 1.5 * value(f"sum({rate})"))
        found = {p["title"]: [filled_in(t["expr"]) for t in p["targets"]] for p in panels()}
        self.assertEqual(value("sum(swim_detection_seconds_count{job='swim-static'})"), 2)
        mean = value("sum(swim_detection_seconds_sum{job='swim-static'}) / 2")
        self.assertTrue(2 < mean < detected + 2, (mean, detected))
        p50 = value(found["Detection Time"][0])
        self.assertTrue(1 < p50 <= 15 * swimtest.FACTOR, p50)
        self.assertEqual(len(query(found["Cluster Membership"][0])), 3, "each member's own view")
        self.assertEqual({v for _, v in query(found["View Digest Agreement"][0])}, {1.0})

    def assert_ctrl_c_stops_all(self):
        pids = self.announced()[:2]
        os.killpg(self.script.pid, signal.SIGINT)
        self.assertEqual(self.script.wait(15 * swimtest.FACTOR), 0, self.said())
        self.assertEqual([pid for pid in pids if os.path.exists(f"/proc/{pid}")], [])
        self.assertIn("leaving the cluster", self.said())
        self.assertEqual(os.listdir(self.temporary), [], "the key is forgotten")

    def test_without_a_key(self):
        members = self.start_cluster()
        self.await_all_alive(members, 5)
        self.assertEqual(members[0].metrics()["swim_seal_keys"], 0)
        alone = self.node().await_http()
        self.assertEqual(self.series_of(alone), self.series_of(members[0]),
                         "the number of series doesn't depend on that of members")
        # SIGTERM to the script alone does it as well.
        self.script.terminate()
        self.assertEqual(self.script.wait(15 * swimtest.FACTOR), 0, self.said())

    def test_usage(self):
        script = os.path.join(KIT, "run-cluster.sh")
        for arguments, code, text in ((["--help"], 0, "--key"), (["--kye"], 2, "--kye"),
                                      (["3"], 2, "'3'")):
            done = subprocess.run([script, *arguments], capture_output=True, text=True, check=False,
                                  timeout=10)
            self.assertEqual(done.returncode, code, done)
            self.assertIn(text, done.stdout + done.stderr)


def enter_namespace():
    """Runs this very program again where the ports of the files are free; does not return."""
    unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        sys.exit(77)  # not allowed here: Meson's word for a skipped test
    os.environ["SWIM_TEST_NAMESPACE"] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def raise_loopback():
    """What `ip link set lo up` does."""
    set_flags, up_and_running = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, set_flags, struct.pack("16sH14x", b"lo", up_and_running))


if __name__ == "__main__":
    if "SWIM_TEST_NAMESPACE" not in os.environ:
        enter_namespace()
    raise_loopback()
    swimtest.main()
