#!/usr/bin/env python3
"""The HTTP side: what every path answers, to whom, and how it survives bad clients."""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import swimtest
from swimtest import load_tests  # noqa: F401

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as reference_parser
except ImportError:
    reference_parser = None

PROMTOOL = shutil.which("promtool")

V1_COUNTERS = [
    "gossip_rounds", "gossip_sent", "gossip_recv", "pings_sent", "pings_recv", "acks_sent",
    "acks_recv", "ping_reqs_sent", "ping_reqs_recv", "probe_direct_timeouts", "probe_failures",
    "merges_new", "merges_updated", "merges_stale", "anti_entropy_sent", "rate_limited",
    "reliable_retries", "reliable_exhausted"]
V1_GAUGES = ["members_alive", "members_suspect", "members_dead"]
PATHS = ["/metrics", "/metrics/json", "/membership", "/healthz", "/readyz"]


class Raw:
    """A TCP connection on which the test says exactly what it wants."""

    def __init__(self, node, timeout=5.0, rcvbuf=None):
        self.socket = socket.socket()
        if rcvbuf is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(timeout * swimtest.FACTOR)
        self.socket.connect(("127.0.0.1", node.metrics_port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def answer(self):
        """Everything until the other side closes."""
        data = b""
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece

    def status(self):
        first = self.answer().split(b"\r\n", 1)[0]
        return int(first.split()[1]) if first else None


class Http(swimtest.SwimTestCase):
    side_by_side = True

    def pair(self):
        nodes = self.cluster(2)
        self.await_all_alive(nodes, 2)
        return nodes

    def test_membership(self):
        nodes = self.pair()
        status, headers, body = nodes[0].http("/membership")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("application/json"))
        members = json.loads(body)["nodes"]
        self.assertEqual(len(members), 2)
        for member in members:
            self.assertIsInstance(member["id"], str, "64-bit ids are strings")
            self.assertRegex(member["id"], r"^[1-9]\d{0,19}$")
            self.assertRegex(member["addr"], r"^127\.0\.0\.1:\d+$")
            self.assertIn(member["status"], ("alive", "suspect", "dead", "left"))
            self.assertIsInstance(member["incarnation"], int)
            self.assertIsInstance(member["proved"], bool)
            self.assertRegex(member["changed"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual(list(member)[:3], ["id", "addr", "status"], "version 1's come first")

    def test_membership_filters(self):
        nodes = self.pair()
        nodes[1].kill()
        self.await_status(nodes[:1], nodes[1].addr, "dead", 15)

        def listed(query):
            return sorted(m["addr"] for m in nodes[0].get_json("/membership" + query)["nodes"])

        everybody = sorted(n.addr for n in nodes)
        self.assertEqual(listed("?status=alive"), [nodes[0].addr])
        self.assertEqual(listed("?status=dead"), [nodes[1].addr])
        self.assertEqual(listed("?status=suspect,left"), [])
        self.assertEqual(listed("?status=alive,dead"), everybody)
        self.assertEqual(listed("?status=alive&status=dead"), everybody)
        self.assertEqual(listed("?status=dead%2Calive&"), everybody)
        self.assertEqual(listed("?tag=role=db"), [])
        for query, said in (("?status=ghost", "status must be alive, suspect, dead or left"),
                            ("?status=", "status must be"), ("?tag==x", "tag must be"),
                            ("?staus=alive", "parameter 1 of the query is not known"),
                            ("?status=alive&x", "known are: status, tag"),
                            ("?status=%zz", "'%' without two hex digits"),
                            ("?tag=a%00", "%00"), ("?" + "tag=a&" * 33, "more than 32")):
            with self.subTest(query):
                status, headers, body = nodes[0].http("/membership" + query)
                self.assertEqual(status, 400)
                self.assertIn(said, body.decode())

    def test_metrics_json(self):
        nodes = self.pair()
        status, headers, body = nodes[0].http("/metrics/json")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("application/json"))
        figures = json.loads(body)
        for name in V1_COUNTERS + ["alive", "suspect", "dead"]:
            self.assertIsInstance(figures[name], int, name)
        self.assertEqual((figures["alive"], figures["suspect"], figures["dead"]), (2, 0, 0))
        for name, value in figures.items():
            self.assertNotRegex(name, r"^swim_|_total$")
            self.assertIsInstance(value, (int, float), "flat")

    def test_healthz_and_readyz(self):
        nodes = self.pair()
        self.assertEqual(nodes[0].get_json("/healthz"), {"status": "ok"})
        status, _, body = nodes[0].http("/readyz")
        ready = json.loads(body)
        self.assertEqual(status, 200)
        self.assertEqual((ready["alive_nodes"], ready["suspect_nodes"], ready["dead_nodes"]),
                         (2, 0, 0))

    def test_not_ready_before_joining(self):
        node = self.node(peers=[f"127.0.0.1:{swimtest.free_port()}"]).await_http()
        status, _, body = node.http("/readyz")
        self.assertEqual(status, 503)
        self.assertEqual(json.loads(body)["alive_nodes"], 1)
        self.assertEqual(node.http("/healthz")[0], 200, "health never depends on peers")

    @unittest.skipUnless(PROMTOOL, "promtool (Debian: prometheus) is not there")
    def test_promtool(self):
        nodes = self.pair()
        for accept in (None, "text/plain;version=0.0.4"):
            headers = {"Accept": accept} if accept else {}
            _, _, body = nodes[0].http("/metrics", headers=headers)
            done = subprocess.run([PROMTOOL, "check", "metrics"], input=body, check=False,
                                  capture_output=True, timeout=20)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_process_metrics(self):
        """The names that every Prometheus client library has, and figures that are this process's."""
        before = time.time()
        node = self.node().await_http()
        values = node.metrics()
        with open(f"/proc/{node.pid}/statm", encoding="ascii") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        open_fds = len(os.listdir(f"/proc/{node.pid}/fd"))
        self.assertTrue(0.5 < values["process_resident_memory_bytes"] / resident < 2, values)
        self.assertGreater(values["process_virtual_memory_bytes"],
                           values["process_resident_memory_bytes"])
        self.assertLessEqual(abs(values["process_open_fds"] - open_fds), 2)
        self.assertGreater(values["process_max_fds"], values["process_open_fds"])
        self.assertTrue(0 < values["process_cpu_seconds_total"] < 60, values)
        started = values["process_start_time_seconds"]
        self.assertTrue(before - 2 < started < time.time() + 2, (before, started))
        self.assertEqual(node.metrics()["process_start_time_seconds"], started)

    def test_process_metrics_of_a_node_that_leaves_no_dumps(self):
        """With a key the process isn't dumpable: what belongs to it in /proc is root's then."""
        key = self.file("key", "00" * 31 + "01")
        os.chmod(key, 0o600)
        values = self.node("--cluster-key-file", key).await_http().metrics()
        for name in ("resident_memory_bytes", "open_fds", "start_time_seconds"):
            self.assertGreater(values[f"process_{name}"], 0)

    @unittest.skipUnless(reference_parser, "python3-prometheus-client is not there")
    def test_openmetrics_is_valid(self):
        """By the parser of those who wrote the specification."""
        accept = "application/openmetrics-text;version=1.0.0"
        _, _, body = self.pair()[0].http("/metrics", headers={"Accept": accept})
        families = {f.name: f for f in reference_parser(body.decode())}
        self.assertEqual(families["swim_pings_sent"].type, "counter")
        self.assertEqual(families["swim_detection_seconds"].type, "histogram")
        self.assertEqual(families["swim_build"].type, "info")
        self.assertGreater(len(families), 60)

    def test_metrics_have_help_and_type(self):
        nodes = self.pair()
        status, headers, body = nodes[0].http("/metrics")
        text = body.decode()
        self.assertEqual(status, 200)
        self.assertIn("text/plain", headers["Content-Type"])
        self.assertIn("version=0.0.4", headers["Content-Type"])
        self.assertTrue(text.endswith("\n"))
        wanted = ([(f"swim_{n}_total", "counter") for n in V1_COUNTERS]
                  + [(f"swim_{n}", "gauge") for n in V1_GAUGES])
        values = swimtest.parse_metrics(text)
        for name, kind in wanted:
            with self.subTest(name):
                self.assertRegex(text, rf"(?m)^# HELP {name} \S")
                self.assertRegex(text, rf"(?m)^# TYPE {name} {kind}$")
                self.assertIn(name, values)
        families = re.findall(r"(?m)^# TYPE (\S+) ", text)
        self.assertEqual(len(families), len(set(families)), "each family once")
        helps = re.findall(r"(?m)^# HELP (\S+) ", text)
        self.assertEqual(helps, families)
        for name in values:
            self.assertRegex(name, "^(swim|process)_")
        # Ours: what interfaces promise beside version 1.
        for family in ("datagrams_sent_total", "datagrams_recv_total", "bytes_sent_total",
                       "bytes_recv_total", "build_info", "local_health", "suspicions_raised_total",
                       "suspicions_refuted_total", "suspicions_false_total", "gossip_queue_depth",
                       "tombstones", "syncs_started_total", "sync_bytes_sent_total",
                       "sync_bytes_recv_total", "digests_equal_total", "digests_different_total",
                       "view_digest", "view_differs_seconds", "probe_rtt_seconds",
                       "detection_seconds"):
            self.assertIn(f"swim_{family}", families)
        self.assertTrue(any('reason="' in name for name in values), "drops by reason")
        histograms = re.findall(r"(?m)^# TYPE (\S+) histogram", text)
        self.assertTrue(histograms, "probe round trips")
        for family in histograms:
            buckets = [v for n, v in values.items() if n.startswith(f"{family}_bucket{{")]
            self.assertEqual(buckets, sorted(buckets), "buckets are cumulative")
            self.assertEqual(values[f'{family}_bucket{{le="+Inf"}}'], values[f"{family}_count"])

    def test_counters_never_fall_and_figures_agree(self):
        nodes = self.pair()
        first = nodes[0].metrics()
        time.sleep(2.5)
        second = nodes[0].metrics()
        for name, value in first.items():
            if "_total" in name:
                self.assertGreaterEqual(second[name], value, name)
        self.assertGreater(second["swim_pings_sent_total"], first["swim_pings_sent_total"])
        self.assertGreater(second["swim_acks_recv_total"], first["swim_acks_recv_total"])
        self.assertGreater(second["swim_bytes_sent_total"], first["swim_bytes_sent_total"])
        figures = nodes[0].get_json("/metrics/json")
        for name in V1_COUNTERS:
            self.assertGreaterEqual(figures[name], second[f"swim_{name}_total"])

    def test_openmetrics(self):
        nodes = self.pair()
        accept = ("application/openmetrics-text;version=1.0.0;q=0.5,"
                  "application/openmetrics-text;version=0.0.1;q=0.4,"
                  "text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        status, headers, body = nodes[0].http("/metrics", headers={"Accept": accept})
        text = body.decode()
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text"))
        self.assertTrue(text.endswith("\n# EOF\n"), text[-200:])
        self.assertEqual(text.count("# EOF"), 1)
        # A counter's family has no _total in OpenMetrics; its sample has.
        for name in V1_COUNTERS:
            self.assertIn(f"# TYPE swim_{name} counter\n", text)
            self.assertRegex(text, rf"(?m)^swim_{name}_total \d")
        self.assertNotRegex(text, r"(?m)^# TYPE \S+_total ")
        self.assertNotIn("\n\n", text)
        _, headers, body = nodes[0].http("/metrics", headers={"Accept": "text/plain"})
        self.assertIn("0.0.4", headers["Content-Type"])
        self.assertNotIn(b"# EOF", body)
        # Refused by q=0.
        _, headers, _ = nodes[0].http(
            "/metrics", headers={"Accept": "application/openmetrics-text;q=0, text/plain"})
        self.assertIn("text/plain", headers["Content-Type"])

    def test_always_current(self):
        # Without the console line: another implementation refreshed its figures on that tick.
        config = self.file("quiet.toml", "[metrics]\nlog_interval_ms = 0\n")
        first = self.node("--config", config).await_http()
        self.assertEqual(first.metrics()["swim_members_alive"], 1)
        second = self.node("--config", config, peers=[first])
        self.await_all_alive([first, second], 2)
        self.assertEqual(first.metrics()["swim_members_alive"], 2)
        self.assertEqual(first.get_json("/metrics/json")["alive"], 2)
        self.assertEqual(first.get_json("/readyz")["alive_nodes"], 2)
        second.terminate()
        self.await_status([first], second.addr, "left", 1)
        self.assertEqual(first.metrics()["swim_members_alive"], 1)
        self.assertEqual(first.metrics()["swim_members_dead"], 0, "it left, it did not die")

    def test_head(self):
        node = self.node().await_http()
        for path in PATHS:
            with self.subTest(path):
                status, headers, body = node.http(path, "HEAD")
                self.assertEqual((status, body), (200, b""))
                self.assertTrue(headers["Content-Type"])
                with Raw(node) as raw:
                    raw.send(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n"
                             "Connection: close\r\n\r\n")
                    self.assertTrue(raw.answer().endswith(b"\r\n\r\n"), "no body follows")

    def test_other_methods(self):
        node = self.node().await_http()
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            for path in ("/membership", "/metrics"):
                with self.subTest(f"{method} {path}"):
                    status, headers, _ = node.http(path, method)
                    self.assertEqual(status, 405)
                    allowed = {word.strip() for word in headers["Allow"].split(",")}
                    self.assertEqual(allowed, {"GET", "HEAD"})
        for request in ("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        "get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        "POST /metrics HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Length: 3\r\n\r\na=b"):
            with self.subTest(request), Raw(node) as raw:
                answer = raw.send(request).answer()
                self.assertTrue(answer.startswith(b"HTTP/1.1 405 "), answer)
                self.assertIn(b"\r\nAllow: GET, HEAD\r\n", answer)
        self.assertEqual(node.http("/healthz")[0], 200)

    def test_requests_that_leave_doubts(self):
        # Where two readers could disagree on what a request is and where it ends.
        node = self.node().await_http()
        hosted = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        for request, wanted in (
                (hosted + "\r\n", 200),
                (hosted.replace("\r\n", "\n") + "\n", 200),
                (hosted + "Content-Length: 0\r\n\r\n", 200),
                ("GET http://localhost:1/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200),
                (hosted + "X: y\r\n" * 62 + "\r\n", 200),
                (hosted + "X: y\r\n" * 64 + "\r\n", 431),
                (hosted + "X: " + "y" * 9000 + "\r\n\r\n", 400),
                (hosted + "Host: localhost\r\n\r\n", 400),
                ("GET /healthz HTTP/1.1\r\n\r\n", 400),
                ("GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
                (hosted + "no colon\r\n\r\n", 400),
                (hosted + "Content-Length: x\r\n\r\n", 400),
                (hosted + "Content-Length: 0 \r\n\r\n", 200),
                (hosted + "Content-Length : 3\r\n\r\nabc", 400),
                (hosted + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
                (hosted + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400),
                (hosted + "Content-Length: 3\r\n\r\nabc", 413),
                (hosted + "Content-Length: 3000000\r\n\r\n", 413),
                (hosted + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
                (hosted + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 413),
                (hosted.replace("GET", "HEAD") + "Content-Length: 3\r\n\r\nabc", 413),
                ("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
                ("GET x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
                ("GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
                ("GET http://localhost HTTP/1.1\r\n\r\n", 400),
                ("GET /\r\n\r\n", 400)):
            with self.subTest(request[-60:]), Raw(node) as raw:
                raw.send(request)
                raw.socket.shutdown(socket.SHUT_WR)
                answer = raw.answer()
                self.assertEqual(int(answer.split()[1]), wanted)
                self.assertEqual(answer.count(b"HTTP/1.1"), 1, "one request, one answer")

    def test_nothing_is_echoed(self):
        node = self.node().await_http()
        for request in ("GET /<b>echo HTTP/1.1\r\nHost: localhost\r\n",
                        "GET /membership?status=<b>echo HTTP/1.1\r\nHost: localhost\r\n",
                        "GET / HTTP/1.1\r\nHost: <b>echo\r\n",
                        "GET / HTTP/1.1\r\nHost: localhost\r\n<b>echo\r\n",
                        "<b>echo / HTTP/1.1\r\nHost: localhost\r\n",
                        "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: <b>echo\r\n"
                        "Content-Length: 1\r\n",
                        "GET / <b>echo/1.1\r\nHost: localhost\r\n",
                        "GET http://<b>echo/ HTTP/1.1\r\nHost: localhost\r\n",
                        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: <b>echo\r\n",
                        "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: <b>echo\r\n",
                        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n<b>echo\r\n",
                        "GET /nothing HTTP/1.1\r\nHost: localhost\r\nAuthorization: <b>echo\r\n"
                        "Referer: <b>echo\r\nOrigin: <b>echo\r\nCookie: <b>echo\r\n"):
            with self.subTest(request), Raw(node) as raw:
                raw.send(request + "\r\n").socket.shutdown(socket.SHUT_WR)
                answer = raw.answer()
                self.assertRegex(answer, rb"^HTTP/1\.1 4\d\d ")
                self.assertNotIn(b"echo", answer)
                self.assertNotRegex(answer, rb"(?im)^Server:|libevent")

    def test_pipelined(self):
        node = self.node().await_http()
        paths = ("/healthz", "/nothing", "/readyz") * 50
        with Raw(node) as raw:
            raw.send("".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                             for path in paths))
            raw.socket.shutdown(socket.SHUT_WR)
            statuses = re.findall(rb"HTTP/1\.1 (\d+) ", raw.answer())
        self.assertEqual(statuses, [b"404" if path == "/nothing" else b"200" for path in paths])

    def test_late_reader_that_has_said_all(self):
        # Its end of input is here long before it has read its answers; it gets them all.
        node = self.node().await_http()
        with Raw(node, rcvbuf=4096) as raw:
            raw.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300)
            raw.socket.shutdown(socket.SHUT_WR)
            answered = [0, 0]

            def is_stuck():
                answered.append(node.metrics()["swim_http_requests_total"])
                return answered[-1] == answered[-3] + 2 < 300, answered[-3:]
            swimtest.wait_until(is_stuck, 5, "nothing more fits")
            self.assertEqual(raw.answer().count(b"HTTP/1.1 200 "), 300)

    def test_unknown_paths(self):
        node = self.node().await_http()
        for path in ("/nothing", "/metrics/", "/metricsx", "/membership/1", "/HEALTHZ",
                     "/../etc/passwd", "/%2e%2e/etc/passwd", "/healthz%00", "//healthz",
                     "/metrics%2Fjson/x", "/" + "a" * 1000):
            with self.subTest(path):
                self.assertEqual(node.http(path)[0], 404)
        self.assertEqual(node.http("/healthz?verbose=1")[0], 200, "a query is no other path")

    def test_host_header(self):
        node = self.node().await_http()
        good = ["localhost", f"localhost:{node.metrics_port}", "127.0.0.1",
                f"127.0.0.1:{node.metrics_port}", "[::1]", f"[::1]:{node.metrics_port}",
                "LocalHost"]
        bad = ["evil.example", f"evil.example:{node.metrics_port}", "localhost.evil.example",
               "127.0.0.1.evil.example", "evil.example#localhost", "localhost@evil.example",
               "[::1].evil.example"]
        for path in PATHS:
            for host in good:
                with self.subTest(f"{host} {path}"):
                    self.assertEqual(node.http(path, headers={"Host": host})[0], 200)
            for host in bad:
                with self.subTest(f"{host} {path}"):
                    status, _, body = node.http(path, headers={"Host": host})
                    self.assertIn(status, (400, 403, 421))
                    self.assertNotIn(b"127.0.0.1:%d" % node.port, body)

    def test_http_1_0_without_host(self):
        node = self.node().await_http()
        with Raw(node) as raw:
            self.assertEqual(raw.send("GET /healthz HTTP/1.0\r\n\r\n").status(), 200)

    def test_version_is_not_repeated(self):
        node = self.node().await_http()
        for version, status in (("0.1", b"505"), ("1.7", b"200"), ("1.99999", b"200"),
                                ("1.-1", b"200")):
            with self.subTest(version), Raw(node) as raw:
                raw.send(f"GET /healthz HTTP/{version}\r\nHost: localhost\r\n"
                         "Connection: close\r\n\r\n")
                self.assertEqual(raw.answer()[:12], b"HTTP/1.1 " + status)

    def test_keep_alive(self):
        import http.client
        node = self.node().await_http()
        connection = http.client.HTTPConnection("127.0.0.1", node.metrics_port, timeout=5)
        self.addCleanup(connection.close)
        for _ in range(20):
            for path in PATHS:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, 200)

    def test_idle_connections_block_nobody(self):
        node = self.node().await_http()
        idle = []
        self.addCleanup(lambda: [s.close() for s in idle])
        for _ in range(100):
            idle.append(socket.create_connection(("127.0.0.1", node.metrics_port), 5))
        began = time.monotonic()
        self.assertEqual(node.http("/healthz")[0], 200)
        self.assertLess(time.monotonic() - began, 1.0 * swimtest.FACTOR)
        # Far more than it will hold: it goes on, and so does its cluster.
        for _ in range(500):
            try:
                idle.append(socket.create_connection(("127.0.0.1", node.metrics_port), 1))
            except OSError:
                break
        peer = self.node(peers=[node])
        swimtest.wait_until(lambda: peer.member(node.addr, "alive") if peer.view() else None, 3,
                            "it still gossips")
        with open(f"/proc/{node.pid}/limits", encoding="ascii"):
            descriptors = len(os.listdir(f"/proc/{node.pid}/fd"))
        self.assertLess(descriptors, 400, "connections are bounded")
        for s in idle:
            s.close()
        swimtest.wait_until(lambda: self.is_healthy(node), 5, "healthy when they are gone")

    def test_many_clients_at_once(self):
        node = self.node().await_http()
        clients = []
        self.addCleanup(lambda: [client.socket.close() for client in clients])
        for _ in range(200):
            clients.append(Raw(node, timeout=10))
            clients[-1].send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for i, client in enumerate(clients):
            self.assertTrue(client.socket.recv(65536).startswith(b"HTTP/1.1 200 "), i)

    def test_slow_clients_block_nobody(self):
        node = self.node().await_http()
        stop = threading.Event()
        thread = threading.Thread(target=self.dribble, args=(node, 200, stop))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        swimtest.wait_until(lambda: self.refused(node) > 200, 10, "they take all there is")
        # Whoever comes then is served soon; the median, for this machine may be busy as well.
        took = sorted(swimtest.wait_until(lambda: self.is_healthy(node), 2, "healthy meanwhile",
                                          interval=0.002) for _ in range(30))
        self.assertLess(took[15], 0.1 * swimtest.FACTOR)

    def refused(self, node):
        try:
            return node.metrics()["swim_http_connections_refused_total"]
        except OSError:
            return 0

    def dribble(self, node, count, stop):
        """So many clients that send a byte now and then, and come back when they are cut off."""
        clients = [None] * count
        while not stop.is_set():
            for i, client in enumerate(clients):
                try:
                    if client is None:
                        clients[i] = Raw(node).send("GET /healthz HTTP/1.1\r\nX: ")
                        clients[i].socket.setblocking(False)
                    elif client.send("x").socket.recv(1) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    if client is not None:
                        client.socket.close()
                    clients[i] = None
            stop.wait(0.02)
        for client in clients:
            if client is not None:
                client.socket.close()

    def test_no_connection_is_lost(self):
        node = self.node().await_http()
        before = len(os.listdir(f"/proc/{node.pid}/fd"))
        for i in range(300):
            with Raw(node) as raw:
                raw.send(("", "GET /heal", "GET /healthz HTTP/1.0\r\n\r\n",
                          "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", "\0\r\n\r\n")[i % 5])
                if i % 2 == 0:
                    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
        swimtest.wait_until(lambda: node.metrics()["swim_http_connections"] <= 2, 5,
                            "their places are free")
        swimtest.wait_until(lambda: len(os.listdir(f"/proc/{node.pid}/fd")) <= before + 1, 5,
                            "their descriptors are closed")

    def is_healthy(self, node):
        try:
            return node.http("/healthz", timeout=1)[0] == 200
        except OSError as error:
            return False, error

    def test_idle_connections_are_closed(self):
        node = self.node().await_http()
        with Raw(node, timeout=40) as raw:
            began = time.monotonic()
            self.assertIn(raw.status(), (None, 408))
            self.assertLess(time.monotonic() - began, 35)

    def test_slow_client_is_cut_off(self):
        node = self.node().await_http()
        with Raw(node) as raw:
            # A byte every half second keeps a plain idle time-out from ever firing.
            began = time.monotonic()
            raw.socket.settimeout(0.5)
            request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + "x" * 200
            is_cut = False
            for byte in request:
                try:
                    raw.send(byte)
                    if raw.socket.recv(1) == b"":
                        is_cut = True
                        break
                except socket.timeout:
                    pass
                except OSError:
                    is_cut = True
                    break
                if time.monotonic() - began > 40:
                    break
            self.assertTrue(is_cut, "a client that dribbles is cut off")
        self.assertEqual(node.http("/healthz")[0], 200)

    def test_client_that_never_reads(self):
        node = self.node().await_http()
        with Raw(node) as raw:
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.socket.settimeout(1)
            request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
            try:
                for _ in range(2000):
                    raw.send(request)
            except OSError:
                pass
            self.assertEqual(node.http("/healthz")[0], 200)
            with open(f"/proc/{node.pid}/status", encoding="ascii") as status:
                kilobytes = int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))
            if swimtest.FACTOR == 1:
                self.assertLess(kilobytes, 100 * 1024, "its answers do not pile up")

    def test_huge_header(self):
        node = self.node().await_http()
        for head in ("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Big: " + "x" * 100000,
                     "GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + "X-Many: y\r\n" * 10000,
                     "GET /" + "a" * 100000 + " HTTP/1.1\r\nHost: localhost"):
            with self.subTest(head[:60]), Raw(node) as raw:
                try:
                    raw.send(head + "\r\n\r\n")
                except OSError:
                    pass  # it had seen enough before all was said
                self.assertIn(raw.status(), (None, 400))
        with Raw(node) as raw:
            raw.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n"
                     "Connection: close\r\n\r\n")
            try:
                raw.send("x" * 200000)
            except OSError:
                pass
        self.assertEqual(node.http("/healthz")[0], 200)

    def test_garbage(self):
        node = self.node().await_http()
        for data in (b"\0" * 1000, b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", swimtest.rng.randbytes(5000)):
            with self.subTest(data[:20]), Raw(node) as raw:
                try:
                    raw.send(data)
                    raw.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                self.assertNotEqual(raw.status(), 200)
        self.assertEqual(node.http("/healthz")[0], 200)

    def test_listens_on_loopback_only(self):
        node = self.node().await_http()
        with open("/proc/net/tcp", encoding="ascii") as table:
            listeners = [line.split()[1] for line in table if line.split()[3] == "0A"]
        own = [a for a in listeners if a.endswith(":%04X" % node.metrics_port)]
        loopback = int.from_bytes(bytes([127, 0, 0, 1]), sys.byteorder)
        self.assertEqual([a.split(":")[0] for a in own], [f"{loopback:08X}"])

    def test_no_http_without_a_port(self):
        node = self.node(metrics_port=0)
        swimtest.wait_until(lambda: node.log(), 2, "it has started")
        peer = self.node(peers=[node])
        self.await_all_alive_seen_by(peer, [node, peer])
        listening = subprocess.run(["ls", "-l", f"/proc/{node.pid}/fd"], capture_output=True,
                                   text=True, check=True).stdout
        inodes = re.findall(r"socket:\[(\d+)\]", listening)
        with open("/proc/net/tcp", encoding="ascii") as table:
            self.assertFalse([line for line in table if line.split()[9] in inodes])
        node.terminate()

    def await_all_alive_seen_by(self, node, members):
        wanted = sorted(n.addr for n in members)
        swimtest.wait_until(lambda: (node.live() == wanted, node.view()), 2, "both are alive")


class Token(swimtest.SwimTestCase):
    """HTTP that asks for a bearer token."""
    side_by_side = True
    OPEN = ("/healthz", "/readyz")

    def token_file(self, content, mode=0o600, name="token"):
        path = self.file(name, content)
        os.chmod(path, mode)
        return path

    def node_with(self, token, name="swim.toml"):
        config = self.file(name, f'[metrics]\nhttp_token_file = "{token}"\n')
        return self.node("--config", config).await_http()

    def ask(self, node, path, *authorizations):
        with Raw(node) as raw:
            lines = "".join(f"Authorization: {text}\r\n" for text in authorizations)
            raw.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n")
            return raw.answer()

    def status(self, *arguments):
        return int(self.ask(*arguments).split()[1])

    def test_asked_for(self):
        secret = "s3cret-" + "x" * 40
        node = self.node_with(self.token_file(secret + "\n"))
        for path in PATHS + ["/", "/nothing"]:
            with self.subTest(path):
                is_open = path in self.OPEN
                self.assertEqual(self.status(node, path), 200 if is_open else 401)
                self.assertEqual(self.status(node, path, f"Bearer {secret}"),
                                 404 if path == "/nothing" else 200)
        answer = self.ask(node, "/membership")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nWWW-Authenticate: Bearer\r\n", head + b"\r\n")
        self.assertEqual(body, b"a bearer token is needed\n", "and nothing else")
        self.assertEqual(self.status(node, "/metrics", f"bEARER {secret}"), 200)
        for wrong in ("", "Bearer", "Bearer ", f"Basic {secret}", secret, f"Bearer {secret}x",
                      f"Bearer {secret[:-1]}", f"Bearer {secret[:-1]}y", f"Bearer x{secret}",
                      f"Bearer {secret} {secret}", f"Bearer {secret.upper()}",
                      "Bearer " + "x" * 4000, f"Bearer\t{secret}"):
            with self.subTest(wrong):
                answer = self.ask(node, "/membership", wrong)
                self.assertEqual(int(answer.split()[1]), 401)
                self.assertNotIn(b"s3cret", answer)
        self.assertEqual(self.status(node, "/metrics", f"Bearer {secret}", f"Bearer {secret}"), 401,
                         "which of two would be meant?")
        self.assertEqual(self.status(node, f"/metrics?token={secret}"), 401)
        self.assertNotIn("s3cret", node.log())
        node.terminate()

    def test_reloaded(self):
        path = self.token_file("0123456789abcdef-one")
        node = self.node_with(path)
        one, two = "Bearer 0123456789abcdef-one", "Bearer 0123456789abcdef-two"
        self.assertEqual(self.status(node, "/metrics", one), 200)
        self.token_file("0123456789abcdef-two")
        self.assertEqual(self.status(node, "/metrics", two), 401)
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: self.status(node, "/metrics", two) == 200, 5, "the new one")
        self.assertEqual(self.status(node, "/metrics", one), 401)
        # A mistake changes nothing, and is told without the token.
        self.token_file("short-one")
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: node.lines("not reloaded", "visible characters"), 5, "refused")
        self.assertEqual(self.status(node, "/metrics", two), 200)
        for word in ("short-one", "0123456789abcdef"):
            self.assertNotIn(word, node.log())

    def test_refused_files(self):
        good = "0123456789abcdef"
        cases = {
            "mode": (self.token_file(good, 0o640, "a"), "0640"),
            "others": (self.token_file(good, 0o604, "b"), "chmod 600"),
            "short": (self.token_file(good[:-1], name="c"), "16 to 512"),
            "long": (self.token_file(good * 33, name="d"), "512"),
            "empty": (self.token_file("", name="e"), "16 to 512"),
            "two lines": (self.token_file(good + "\n" + good, name="f"), "one line"),
            "blank": (self.token_file(good + " x", name="g"), "visible"),
            "binary": (self.token_file(good.encode() + b"\0\xff", name="h"), "visible"),
            "none": (os.path.join(self.directory, "none"), "No such file"),
            "folder": (self.directory, "not a regular file"),
        }
        fifo = os.path.join(self.directory, "fifo")
        os.mkfifo(fifo, 0o600)
        cases["fifo"] = (fifo, "not a regular file")
        for name, (path, expected) in cases.items():
            config = self.file("swim.toml", f'[metrics]\nhttp_token_file = "{path}"\n')
            for arguments in (["--check-config"], []):
                with self.subTest(f"{name} {arguments}"):
                    done = swimtest.run("--config", config, *arguments)
                    self.assertEqual(done.returncode, 3)
                    self.assertIn(expected, done.stderr)
                    self.assertIn(f"swimd: {config}:2: [metrics] http_token_file: the token file "
                                  f"{path}: ", done.stderr)
                    self.assertNotIn(good[:8], done.stderr)
        for content in (good, good + "\n", good + "\r\n", "~" * 512):
            config = self.file("swim.toml", "[metrics]\nhttp_token_file = "
                               f'"{self.token_file(content)}"\n')
            self.assertEqual(swimtest.run("--config", config, "--check-config").returncode, 0)

    def test_warning_beyond_loopback(self):
        token = self.token_file("0123456789abcdef")
        config = self.file("swim.toml", f'[metrics]\nhttp_token_file = "{token}"\n')
        for arguments, expected in ((["--http-bind", "0.0.0.0"], 1), ([], 0),
                                    (["--http-bind", "0.0.0.0", "--config", config], 0)):
            node = self.node(*arguments).await_http()
            self.assertEqual(len(node.lines("warn", "http_token_file")), expected, arguments)


if __name__ == "__main__":
    swimtest.main()
