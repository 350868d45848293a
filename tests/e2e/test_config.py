#!/usr/bin/env python3
"""Every way to configure swimd wrongly: message, where it points, and exit code."""

import json
import os
import re
import socket
import subprocess
import unittest

import swimtest
from swimtest import load_tests, run  # noqa: F401

USAGE, CONFIG, BIND = 2, 3, 4

# What is wrong, the arguments, the exit code, and what standard error must hold.
BAD_FLAGS = [
    ("unknown flag", ["--frobnicate"], USAGE, ["--frobnicate", "--help"]),
    ("unknown short flag", ["-x"], USAGE, ["-x"]),
    ("missing argument", ["--bind"], USAGE, ["--bind"]),
    ("missing argument of --config", ["--config"], USAGE, ["--config"]),
    ("value for a flag without one", ["--check-config=yes"], USAGE, ["--check-config"]),
    ("extra word", ["127.0.0.1:7000"], USAGE, ["127.0.0.1:7000"]),
    ("extra word after --", ["--", "start"], USAGE, ["start"]),
    ("bind without port", ["--bind", "127.0.0.1"], USAGE, ["--bind", "127.0.0.1", "port"]),
    ("bind to a bad address", ["--bind", "127.0.0.256:7000"], USAGE, ["127.0.0.256"]),
    ("bind to a host name", ["--bind", "localhost:7000"], USAGE, ["localhost", "address"]),
    ("bind to port 70000", ["--bind", "127.0.0.1:70000"], USAGE, ["70000", "65535"]),
    ("bind to port -1", ["--bind", "127.0.0.1:-1"], USAGE, ["127.0.0.1:-1", "port"]),
    ("bind to port seven", ["--bind", "127.0.0.1:seven"], USAGE, ["seven", "port"]),
    ("bind to IPv6 without brackets", ["--bind", "::1:7000"], USAGE, ["::1:7000", "bracket"]),
    ("bind to an unclosed bracket", ["--bind", "[::1:7000"], USAGE, ["[::1:7000", "bracket"]),
    ("bind to nothing", ["--bind", ""], USAGE, ["--bind"]),
    ("no name of a file", ["--config", ""], USAGE, ["--config", "empty", "leave"]),
    ("no name of a key file", ["--cluster-key-file", ""], USAGE, ["--cluster-key-file", "empty"]),
    ("abbreviated flag", ["--bin", "127.0.0.1:0"], USAGE, ["--bin"]),
    ("bind to multicast", ["--bind", "224.0.0.1:7000"], USAGE, ["--bind", "multicast"]),
    ("advertise broadcast", ["--advertise", "255.255.255.255:1"], USAGE, ["multicast"]),
    ("peers from an unset variable", ["--peers", ""], USAGE, ["--peers", "empty"]),
    ("an empty peer among others", ["--peers", "10.0.0.1:1,,10.0.0.2:1"], USAGE, ["empty"]),
    ("peer of another family", ["--bind", "127.0.0.1:0", "--peers", "[::1]:9"], CONFIG,
     ["[::1]:9", "127.0.0.1:0", "[::]:PORT"]),
    ("peer without port", ["--peers", "10.0.0.1"], USAGE, ["--peers", "10.0.0.1", "port"]),
    ("peer without host", ["--peers", ":7000"], USAGE, ["--peers", ":7000", "missing"]),
    ("peer on port 0", ["--peers", "10.0.0.1:0"], USAGE, ["10.0.0.1:0", "port"]),
    ("peer on port 70000", ["--peers", "10.0.0.1:70000"], USAGE, ["70000", "65535"]),
    ("second of two peers bad", ["--peers", "10.0.0.1:7000,bad host:1"], USAGE, ["bad host"]),
    ("wildcard peer", ["--peers", "0.0.0.0:7000"], USAGE, ["0.0.0.0:7000"]),
    ("too many peers", ["--peers", ",".join(f"10.0.0.{i}:7000" for i in range(65))], USAGE,
     ["64"]),
    ("advertise a wildcard", ["--advertise", "0.0.0.0:7000"], USAGE, ["--advertise", "wildcard"]),
    ("advertise a bad address", ["--advertise", "10.0.0"], USAGE, ["--advertise", "10.0.0"]),
    ("metrics port 70000", ["--metrics-port", "70000"], USAGE, ["--metrics-port", "65535"]),
    ("metrics port negative", ["--metrics-port", "-1"], USAGE, ["--metrics-port", "65535"]),
    ("metrics port no number", ["--metrics-port", "http"], USAGE, ["--metrics-port", "http"]),
    ("metrics port trailing text", ["--metrics-port", "9100x"], USAGE, ["9100x"]),
    ("bad HTTP address", ["--http-bind", "here"], USAGE, ["--http-bind", "here"]),
    ("bad log level", ["--log-level", "loud"], USAGE, ["--log-level", "loud", "debug"]),
    ("bad log format", ["--log-format", "xml"], USAGE, ["--log-format", "xml", "json"]),
    ("missing file", ["--config", "/nonexistent/swim.toml"], CONFIG,
     ["/nonexistent/swim.toml", "No such file"]),
    ("directory as file", ["--config", "/"], CONFIG, ["/", "directory"]),
    ("key of wrong length", ["--cluster-key", "abc"], CONFIG, ["--cluster-key", "64 hex digits"]),
    ("key file that is not there", ["--cluster-key-file", "/nonexistent/key"], CONFIG,
     ["swimd: the key file /nonexistent/key: ", "No such file"]),
    ("device as key file", ["--cluster-key-file", "/dev/zero"], CONFIG,
     ["/dev/zero", "regular file"]),
    ("directory as key file", ["--cluster-key-file", "/"], CONFIG, ["regular file"]),
    ("key and key file", ["--cluster-key", "00" * 31 + "01", "--cluster-key-file", "k"], USAGE,
     ["--cluster-key-file", "one of the two"]),
    ("key of zeros", ["--cluster-key", "00" * 32], CONFIG, ["zeros", "--generate-key"]),
]

# What is wrong, the file, the line that the message names, and what else it must hold.
BAD_FILES = [
    ("unknown key", "[gossip]\nfanout = 10\nfan_out = 11\n", 3, ["[gossip]", "fan_out", "did you mean fanout?"]),
    ("unknown section", "[gosip]\nfanout = 10\n", 1, ["gosip", "[gossip]"]),
    ("key in the wrong section", "[probes]\nfanout = 10\n", 2,
     ["[probes]", "did you mean [gossip] fanout?"]),
    ("key outside all sections", "fanout = 10\n", 1, ["fanout", "section"]),
    ("text for a number", '[gossip]\n\nfanout = "10"\n', 3,
     ["[gossip]", "fanout", "from 1 to 65535"]),
    ("number for a boolean", "[gossip]\nadaptive_fanout = 1\n", 2,
     ["adaptive_fanout", "true or false"]),
    ("fraction for a whole number", "[gossip]\nfanout = 1.5\n", 2, ["fanout", "from 1 to 65535"]),
    ("boolean for a number", "[probes]\ninterval_ms = true\n", 2, ["interval_ms", "10"]),
    ("array for a number", "[probes]\ninterval_ms = [1000]\n", 2, ["interval_ms", "10"]),
    ("section as a value", "gossip = 1\n", 1, ["gossip"]),
    ("array of sections", "[[gossip]]\nfanout = 1\n", None, ["gossip"]),
    ("out of range, low", "[gossip]\nfanout = 0\n", 2, ["fanout", "from 1 to 65535"]),
    ("out of range, high", "[gossip]\nfanout = 65536\n", 2, ["fanout", "65536", "from 1 to 65535"]),
    ("negative", "[gossip]\nmax_sends = -1\n", 2, ["max_sends", "-1", "from 1 to 64"]),
    ("larger than 32 bits", "[gossip]\nfanout = 4294967297\n", 2, ["fanout", "from 1 to 65535"]),
    ("larger than 64 bits", "[gossip]\nfanout = 99999999999999999999\n", 2, ["64 bits"]),
    ("interval 0", "[probes]\ninterval_ms = 0\n", 2, ["[probes]", "interval_ms", "from 10"]),
    ("gossip interval 0", "[gossip]\ninterval_ms = 0\n", 2, ["[gossip]", "interval_ms", "from 10"]),
    ("heartbeat interval 0", "[gossip]\nheartbeat_interval_ms = 0\n", 2, ["heartbeat_interval_ms"]),
    ("time-out not under interval", "[probes]\ninterval_ms = 500\ntimeout_ms = 500\n", 3,
     ["timeout_ms", "interval_ms", "499"]),
    ("interval not over default time-out", "[probes]\ninterval_ms = 400\n", 2,
     ["timeout_ms", "interval_ms"]),
    ("piggyback over a datagram", "[gossip]\npiggyback_max = 59\n", 2, ["piggyback_max", "58"]),
    ("retries out of range", "[network]\nreliable_max_retries = 17\n", 2,
     ["reliable_max_retries", "16"]),
    ("multiplier not finite", "[probes]\nsuspect_multiplier = nan\n", 2, ["suspect_multiplier"]),
    ("multiplier negative", "[probes]\nsuspect_multiplier = -0.5\n", 2, ["suspect_multiplier"]),
    ("inbound rate 0", "[network]\nmax_inbound_rate = 0\n", 2, ["max_inbound_rate", "from 1"]),
    ("server port 70000", "[metrics]\nserver_port = 70000\n", 2, ["server_port", "65535"]),
    ("bad bind", '[network]\nbind = "localhost:7000"\n', 2, ["bind", "localhost:7000", "address"]),
    ("bad bind port", '[network]\nbind = "127.0.0.1:70000"\n', 2, ["bind", "70000", "65535"]),
    ("bad peer", '[network]\npeers = ["10.0.0.1:7000",\n  "10.0.0.1"]\n', 3, ["peers", "port"]),
    ("empty peer", '[network]\npeers = [""]\n', 2, ["peers"]),
    ("number as peer", "[network]\npeers = [7000]\n", 2, ["peers", "string"]),
    ("peers not an array", '[network]\npeers = "10.0.0.1:7000"\n', 2, ["peers", "array"]),
    ("bad log level", '[log]\nlevel = "loud"\n', 2, ["level", "loud", "debug"]),
    ("bad log format", '[log]\nformat = "xml"\n', 2, ["format", "xml", "json"]),
    ("encryption without key", "[network]\nencryption = true\n", 2, ["encryption"]),
    ("key of wrong length", '[network]\ncluster_key = "abcd"\n', 2, ["cluster_key"]),
    ("key file that is not there", '[security]\nkey_file = "/nonexistent/key"\n', 2,
     ["[security] key_file: the key file /nonexistent/key: ", "No such file"]),
    ("key file that others can read", '[network]\n\ncluster_key_file = "/etc/passwd"\n', 3,
     ["[network] cluster_key_file: the key file /etc/passwd: ", "others have access", "chmod 600"]),
    ("device as key file", '[security]\nkey_file = "/dev/null"\n', 2,
     ["[security] key_file: the key file /dev/null: ", "regular file"]),
    ("key of zeros", f'[network]\ncluster_key = "{"00" * 32}"\n', 2,
     ["[network] cluster_key: ", "zeros", "--generate-key"]),
    ("token file that is not there", '[metrics]\nhttp_token_file = "/nonexistent/token"\n', 2,
     ["[metrics] http_token_file: the token file /nonexistent/token: ", "No such file"]),
    ("no name of a key file", '[security]\nkey_file = ""\n', 2, ["[security] key_file", "empty"]),
    ("no name of a token file", '[metrics]\nhttp_token_file = ""\n', 2,
     ["[metrics] http_token_file", "empty", "leave this key out"]),
    ("state folder that is a file", '[node]\n\nstate_dir = "/dev/null"\n', 3,
     ["[node] state_dir: the state folder /dev/null is no folder"]),
    ("no encryption, and a key", '[network]\nencryption = false\n[security]\nkey_file = "k"\n', 2,
     ["[network] encryption", "key"]),
    ("plaintext accepted, but no key", '[security]\nplaintext = "accept"\n', 2,
     ["[security] plaintext", "key_file"]),
    ("unknown plaintext mode", '[security]\nplaintext = "yes"\n', 2,
     ["plaintext", "refuse", "accept", "send"]),
    ("unknown envelope", "[security]\nenvelope = 3\n", 2, ["envelope", "from 1 to 2"]),
    ("two sources of keys", '[security]\nkey_file = "k"\n[network]\ncluster_key_file = "k"\n', 4,
     ["cluster_key_file", "[security] key_file", "line 2"]),
    ("bad cluster name", '[node]\ncluster = "a b"\n', 2, ["cluster", "letters"]),
    ("cluster name too long", f'[node]\ncluster = "{"a" * 65}"\n', 2, ["cluster", "64"]),
    ("no TOML at all", "hello, world\n", 1, ["toml:1:6: ", "a key, '=' and a value"]),
    ("address without quotes", "[network]\nbind = 127.0.0.1:7000\n", 2,
     ["toml:2:8: ", "double quotes"]),
    ("unclosed string", '[network]\n\nbind = "127.0.0.1\n', 3, ["toml:3:18: ", "quote"]),
    ("duplicate key", "[gossip]\nfanout = 1\nfanout = 2\n", 3, ["given twice"]),
    ("duplicate section", "[gossip]\nfanout = 1\n[gossip]\nmax_sends = 2\n", 3, ["given twice"]),
    ("not UTF-8", b"[log]\nlevel = \"\xff\xfe\"\n", 2, ["toml:2:"]),
    ("zero byte", b"[log]\nlevel = \"in\0fo\"\n", 2, ["toml:2:"]),
    ("control sequence in a value", b'[log]\nlevel = "\\u001b[31mred"\n', 2, ["level"]),
    ("oversized file", "# " + "x" * 40000 + "\n", None, ["32768"]),
    ("very deep key", ".".join("a" * 16000) + " = 1\n", None, []),
    ("very deep array", "[network]\npeers = " + "[" * 10000 + "]" * 10000 + "\n", None, []),
]


class Misconfiguration(swimtest.SwimTestCase):
    side_by_side = True

    def assert_refused(self, done, code, fragments):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "", "errors belong on standard error")
        for fragment in fragments:
            self.assertIn(fragment.lower(), done.stderr.lower())
        self.assertLessEqual(len(done.stderr.splitlines()), 4, "one clear message")
        self.assertTrue(done.stderr.endswith("\n"))
        self.assertNotRegex(done.stderr, r"[\x00-\x09\x0b-\x1f\x7f]", "no control bytes")
        self.assertNotIn("assert", done.stderr.lower())

    def test_flags(self):
        self.assertGreaterEqual(len(BAD_FLAGS) + len(BAD_FILES), 25)
        for name, arguments, code, fragments in BAD_FLAGS:
            with self.subTest(name):
                self.assert_refused(run(*arguments), code, fragments)

    def test_files(self):
        for name, content, line, fragments in BAD_FILES:
            with self.subTest(name):
                path = self.file("swim.toml", content)
                where = path if line is None else f"{path}:{line}:"
                done = run("--config", path)
                self.assert_refused(done, CONFIG, [where, *fragments])
                # The same without starting anything.
                checked = run("--check-config", "--config", path)
                self.assertEqual((checked.returncode, checked.stderr),
                                 (done.returncode, done.stderr))

    def test_bad_flags_with_check_config(self):
        for name, arguments, code, fragments in BAD_FLAGS:
            if arguments[0] not in ("--", "--bind", "127.0.0.1:7000") or len(arguments) == 2:
                with self.subTest(name):
                    self.assert_refused(run("--check-config", *arguments), code, fragments)

    def test_unreadable_file(self):
        if os.geteuid() == 0:
            path = "/proc/self/mem"  # readable by nobody at offset 0, not even by root
        else:
            path = self.file("secret.toml", "")
            os.chmod(path, 0)
        self.assert_refused(run("--config", path), CONFIG, [path, "can't be read"])

    def test_endless_file(self):
        self.assert_refused(run("--config", "/dev/zero"), CONFIG, ["/dev/zero"])

    def test_udp_port_taken(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            self.assert_refused(run("--bind", f"127.0.0.1:{port}"), BIND,
                                [f"127.0.0.1:{port}", "in use"])

    def test_metrics_port_taken(self):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assert_refused(run("--metrics-port", str(port)), BIND,
                                [f"127.0.0.1:{port}", "in use"])

    def test_address_of_another_machine(self):
        # 192.0.2.0/24 is for documentation: nobody has it.
        self.assert_refused(run("--bind", "192.0.2.1:7000"), BIND, ["192.0.2.1:7000"])
        self.assert_refused(run("--metrics-port", "9100", "--http-bind", "192.0.2.1"), BIND,
                            ["192.0.2.1"])

    @unittest.skipUnless(os.path.exists("/usr/bin/unshare") and os.geteuid() == 0,
                         "needs a network namespace of its own")
    def test_wildcard_without_an_address_to_derive(self):
        # A machine without any network but loopback: there is nothing to advertise.
        command = ["unshare", "--net", swimtest.SWIMD, "--bind", "0.0.0.0:7000"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10,
                              stdin=subprocess.DEVNULL)
        if "unshare failed" in done.stderr:
            self.skipTest("no network namespaces here")
        self.assert_refused(done, CONFIG, ["--advertise", "0.0.0.0"])


class GoodConfiguration(swimtest.SwimTestCase):
    side_by_side = True

    def test_check_config_accepts_the_example(self):
        path = os.path.join(swimtest.ROOT, "docs", "swim.example.toml")
        done = run("--check-config", "--config", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_example_holds_the_defaults(self):
        # Uncommented as a whole it must still be accepted: every key in it exists.
        path = os.path.join(swimtest.ROOT, "docs", "swim.example.toml")
        with open(path, encoding="utf-8") as example:
            lines = [re.sub(r"^#\s?(?=\[?\w+\]?\s*(=|$))", "", line) for line in example]
        # One source of keys, and one that is here.
        text = "".join(line for line in lines if not re.match(r"(cluster_key|cluster_key_file)\b",
                                                              line))
        key = self.file("key", run("--generate-key").stdout)
        os.chmod(key, 0o600)
        text = text.replace("/etc/swim/key", key)
        token = self.file("token", "0123456789abcdef\n")
        os.chmod(token, 0o600)
        text = text.replace("/etc/swim/http-token", token)
        text = text.replace("/usr/local/bin/on-swim-event", "/bin/true")
        done = run("--check-config", "--config", self.file("all.toml", text))
        self.assertEqual(done.returncode, 0, done.stderr)
        for section in ("gossip", "network", "probes", "node", "security", "metrics"):
            self.assertIn(f"[{section}]", text)

    def test_version_1_file(self):
        path = self.file("v1.toml", """
[gossip]
fanout = 50
adaptive_fanout = true
max_sends = 1
adaptive_targets = true
interval_ms = 200
heartbeat_interval_ms = 500
piggyback_max = 6
anti_entropy_interval_ms = 10000
[network]
max_inbound_rate = 500
inbound_peer_capacity = 100
inbound_peer_refill_rate = 50
reliable_ack_timeout_ms = 500
reliable_max_retries = 3
[probes]
interval_ms = 1000
timeout_ms = 500
indirect_k = 2
suspect_timeout_ms = 3000
suspect_multiplier = 0.5
suspect_jitter_ms = 1000
dead_retention_ms = 15000
[metrics]
log_interval_ms = 10000
server_port = 0
""")
        self.assertEqual(run("--check-config", "--config", path).returncode, 0)

    def test_zero_turns_off(self):
        path = self.file("off.toml", "[gossip]\nanti_entropy_interval_ms = 0\n"
                                     "[metrics]\nlog_interval_ms = 0\nserver_port = 0\n")
        self.assertEqual(run("--check-config", "--config", path).returncode, 0)

    def test_whole_numbers_where_fractions_are_allowed(self):
        path = self.file("whole.toml", "[probes]\nsuspect_multiplier = 1\n")
        self.assertEqual(run("--check-config", "--config", path).returncode, 0)

    def test_check_config_starts_nothing(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            done = run("--check-config", "--bind", f"127.0.0.1:{taken.getsockname()[1]}")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_help_and_version(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for word in ("--cluster-key-file", "--generate-key", "--config", "--bind", "--peers", "--metrics-port", "--advertise",
                         "--check-config", "--log-level", "--log-format", "--version"):
                self.assertIn(word, done.stdout)
        for flag in ("--version", "-V"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"^swimd \d+\.\d+\.\d+")

    def test_flags_win_over_the_file(self):
        port, other = swimtest.free_port(), swimtest.free_port()
        config = self.file("swim.toml", f'[network]\nbind = "127.0.0.1:{other}"\n'
                                        f'[metrics]\nserver_port = {swimtest.free_port()}\n')
        node = self.node("--config", config, port=port).await_http()
        self.assertEqual([n["addr"] for n in node.membership()], [f"127.0.0.1:{port}"])

    def test_the_file_wins_over_defaults(self):
        port, metrics_port = swimtest.free_port(), swimtest.free_port()
        config = self.file("swim.toml", f'[network]\nbind = "127.0.0.1:{port}"\n'
                                        f'[metrics]\nserver_port = {metrics_port}\n')
        node = self.node(port=port, metrics_port=metrics_port, start=False)
        node.command = lambda: [swimtest.SWIMD, "--config", config]
        node.start().await_http()
        self.assertEqual([n["addr"] for n in node.membership()], [node.addr])

    def test_json_log(self):
        node = self.node("--log-format", "json").await_http()
        peer = self.node("--log-format", "json", peers=[node])
        self.await_all_alive([node, peer], 2)
        peer.terminate()
        node.terminate()
        for line in node.log().splitlines() + peer.log().splitlines():
            record = json.loads(line)
            self.assertLessEqual({"time", "level", "msg"}, record.keys())

    def test_no_news_no_lines(self):
        config = self.file("quiet.toml", "[metrics]\nlog_interval_ms = 0\n")
        nodes = [self.node("--config", config)]
        nodes.append(self.node("--config", config, peers=nodes))
        self.await_all_alive(nodes, 2)
        self.await_all_told(nodes, 5)
        sizes = [len(n.log()) for n in nodes]
        swimtest.hold(lambda: (sizes == [len(n.log()) for n in nodes], nodes[0].log()), 4,
                      "an idle node is silent")

    def test_console_metrics_line(self):
        config = self.file("line.toml", "[metrics]\nlog_interval_ms = 300\n")
        node = self.node("--config", config).await_http()
        swimtest.wait_until(lambda: (len(node.lines("alive=1")) >= 3, node.log()), 4,
                            "a line with figures comes again and again")


if __name__ == "__main__":
    swimtest.main()
