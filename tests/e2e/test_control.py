#!/usr/bin/env python3
"""The control socket: who may connect, what it answers, and how it survives bad clients, a dead
daemon's socket, and another daemon."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time

import swimtest
from swimtest import load_tests  # noqa: F401

KEY = "".join(f"{byte:02x}" for byte in swimtest.rng.randbytes(32))
NOBODY = 65534


class Client:
    """A connection on which the test says exactly what it wants."""

    def __init__(self, path, timeout=5.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout * swimtest.FACTOR)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

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

    def ask(self, method, path, body=None, headers=""):
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}"
        if body is not None:
            request += f"Content-Length: {len(body)}\r\n"
        return self.send(request + "\r\n" + (body or "")).answer()


def status_of(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None


class ControlCase(swimtest.SwimTestCase):
    @staticmethod
    def await_socket(path):
        """Somebody listens there."""
        def probe():
            try:
                Client(path).socket.close()
                return True
            except OSError as error:
                return False, error
        swimtest.wait_until(probe, 5, f"somebody listens on {path}")

    def controlled(self, *arguments, **options):
        """A node with a control socket, and the socket's path, once it is there."""
        path = os.path.join(self.directory, f"control{len(self.nodes)}.sock")
        node = self.node("--control-socket", path, *arguments, **options).await_http()
        self.assertTrue(os.path.exists(path))
        return node, path

    def ask(self, path, method, target, body=None, headers=""):
        with Client(path) as client:
            answer = client.ask(method, target, body, headers)
        head, _, content = answer.partition(b"\r\n\r\n")
        return status_of(head), head, content


class Control(ControlCase):
    side_by_side = True

    def test_answers(self):
        node, path = self.controlled()
        status, head, body = self.ask(path, "GET", "/info")
        info = json.loads(body)
        self.assertEqual(status, 200)
        self.assertIn(b"Cache-Control: no-store", head)
        self.assertEqual((info["addr"], info["id"]), (node.addr, node.self_id()))
        self.assertEqual(info["members"], {"alive": 1, "suspect": 0, "dead": 0, "left": 0})
        self.assertEqual(self.ask(path, "GET", "/")[0], 200)
        for method, target, body, wanted in (
                ("GET", "/keys", None, 409), ("POST", "/keys/use", '{"id":"00000000"}', 409),
                ("POST", "/info", "{}", 405), ("PUT", "/info", "{}", 405),
                ("HEAD", "/info", None, 405), ("DELETE", "/keys", None, 405),
                ("GET", "/membership", None, 404), ("GET", "/../info", None, 404)):
            with self.subTest(f"{method} {target}"):
                status, head, content = self.ask(path, method, target, body)
                self.assertEqual(status, wanted)
                self.assertEqual(wanted == 405, b"\r\nAllow: " in head)
                if method != "HEAD":
                    self.assertEqual(list(json.loads(content)), ["error"])
        node.terminate()
        self.assertFalse(os.path.exists(path), "it takes its socket away")

    def test_nothing_is_there_unless_asked_for(self):
        node = self.node().await_http()
        with open("/proc/net/unix", encoding="ascii") as table:
            inodes = {line.split()[6] for line in table.readlines()[1:]
                      if len(line.split()) > 7 and not line.split()[7].startswith("@")}
        links = [os.readlink(f"/proc/{node.pid}/fd/{fd}") for fd in
                 os.listdir(f"/proc/{node.pid}/fd")]
        own = {m.group(1) for m in (re.match(r"socket:\[(\d+)\]", link) for link in links) if m}
        self.assertEqual(own & inodes, set())

    def test_mode(self):
        for mask in (0o000, 0o022, 0o777):
            with self.subTest(f"umask {mask:03o}"):
                before = os.umask(mask)
                try:
                    path = os.path.join(self.directory, f"mode{mask}.sock")
                    process = swimtest.spawn([swimtest.SWIMD, "--control-socket", path],
                                             stderr=subprocess.DEVNULL)
                finally:
                    os.umask(before)
                self.addCleanup(process.wait)
                self.addCleanup(process.kill)
                self.await_socket(path)
                status = os.lstat(path)
                self.assertTrue(stat.S_ISSOCK(status.st_mode))
                self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)

    def test_default_by_runtime_directory(self):
        folder = os.path.join(self.directory, "run")
        os.mkdir(folder, 0o700)
        path = os.path.join(folder, "control.sock")
        environment = dict(os.environ, RUNTIME_DIRECTORY=folder + ":/nowhere")
        for arguments, expected in (([], True), (["--control-socket", ""], False)):
            process = swimtest.spawn([swimtest.SWIMD, *arguments], env=environment,
                                     stderr=subprocess.PIPE)
            self.addCleanup(process.stderr.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.assertIn(b"listening on", process.stderr.readline())
            if expected:
                self.await_socket(path)
            process.terminate()
            self.assertEqual(process.wait(5 * swimtest.FACTOR), 0)
            log = process.stderr.read()
            self.assertEqual(b"control socket" in log, expected)
            self.assertFalse(os.path.exists(path))

    def test_strange_users(self):
        if os.getuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("needs root, to become somebody else")
        node, path = self.controlled()
        os.chmod(self.directory, 0o755)
        script = ("import socket, sys\n"
                  "s = socket.socket(socket.AF_UNIX)\n"
                  "s.connect(sys.argv[1])\n"
                  "s.sendall(b'GET /info HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\n"
                  "print(s.recv(65536).decode())\n")
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                   sys.executable, "-c", script, path]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        self.assertIn("PermissionError", ran.stderr, "the file's mode keeps them out")
        os.chmod(path, 0o666)
        for _ in range(3):
            ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            self.assertTrue(ran.stdout.startswith("HTTP/1.1 403 "), ran)
            self.assertNotIn(node.addr, ran.stdout)
        self.assertEqual(self.ask(path, "GET", "/info")[0], 200)
        refusals = node.lines("refused at the control socket")
        self.assertEqual(len(refusals), 1, "logged, and not again and again")
        self.assertIn(f"uid={NOBODY}", refusals[0])

    def test_owner_who_is_not_root(self):
        if os.getuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("needs root, to become somebody else")
        folder = os.path.join(self.directory, "theirs")
        os.mkdir(folder)
        os.chmod(self.directory, 0o755)
        os.chown(folder, NOBODY, NOBODY)
        path = os.path.join(folder, "s")
        process = swimtest.spawn(["setpriv", f"--reuid={NOBODY}", "--clear-groups",
                                  swimtest.SWIMD, "--control-socket", path],
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.await_socket(path)
        self.assertEqual(os.lstat(path).st_uid, NOBODY)
        self.assertEqual(self.ask(path, "GET", "/info")[0], 200, "root may")

    def test_a_dead_daemons_socket_is_replaced(self):
        node, path = self.controlled()
        node.kill()
        self.assertTrue(os.path.exists(path), "left behind")
        again = self.node("--control-socket", path).await_http()
        self.assertEqual(json.loads(self.ask(path, "GET", "/info")[2])["addr"], again.addr)

    def test_a_live_daemon_is_left_alone(self):
        node, path = self.controlled()
        ran = swimtest.run("--control-socket", path)
        self.assertEqual(ran.returncode, 4)
        self.assertIn("another daemon listens there", ran.stderr)
        self.assertIn("--control-socket", ran.stderr, "the way out")
        self.assertEqual(json.loads(self.ask(path, "GET", "/info")[2])["addr"], node.addr)

    def test_two_that_start_at_once(self):
        # On a dead daemon's socket, which both find: one of them gets it, and keeps it.
        for _ in range(10):
            node, path = self.controlled(metrics_port=swimtest.free_port())
            node.kill()
            processes = [swimtest.spawn([swimtest.SWIMD, "--control-socket", path],
                                        stderr=subprocess.PIPE) for _ in range(4)]
            for process in processes:
                self.addCleanup(process.stderr.close)
                self.addCleanup(process.wait)
                self.addCleanup(process.kill)

            def ended():
                codes = [process.poll() for process in processes]
                return codes.count(4) == 3, codes
            swimtest.wait_until(ended, 10, "three of four give up")
            (winner,) = [process for process in processes if process.poll() is None]
            self.assertEqual(self.ask(path, "GET", "/info")[0], 200)
            winner.terminate()
            self.assertEqual(winner.wait(5 * swimtest.FACTOR), 0)
            self.assertFalse(os.path.exists(path))

    def test_anything_else_is_left_alone(self):
        kinds = {
            "file": lambda path: open(path, "w", encoding="ascii").close(),
            "folder": os.mkdir,
            "link": lambda path: os.symlink("/nowhere/at/all", path),
            "fifo": os.mkfifo,
        }
        for name, make in kinds.items():
            with self.subTest(name):
                path = os.path.join(self.directory, name)
                make(path)
                before = os.lstat(path)
                ran = swimtest.run("--control-socket", path)
                self.assertEqual(ran.returncode, 4)
                self.assertIn(path, ran.stderr)
                self.assertEqual(os.lstat(path).st_ino, before.st_ino)
        ran = swimtest.run("--control-socket", os.path.join(self.directory, "none", "s"))
        self.assertEqual(ran.returncode, 4)
        ran = swimtest.run("--control-socket", "/" + "x" * 107)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("107 bytes", ran.stderr)

    def test_only_its_own_socket_is_removed(self):
        node, path = self.controlled()
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            node.terminate()
            self.assertTrue(os.path.exists(path), "somebody else's by now")

    def test_bodies(self):
        node, path = self.controlled()
        target = "/keys/use"
        for headers, body, wanted in (
                ("Content-Length: 65537\r\n", "", 413),
                ("Content-Length: 99999999999999999999\r\n", "", None),
                ("Content-Length: -1\r\n", "", None),
                ("Content-Length: 2\r\nContent-Length: 2\r\n", "{}", 400),
                ("Content-Length: +2\r\n", "{}", 400),
                ("Content-Length : 2\r\n", "{}", 400),
                ("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", 413),
                ("X: y\r\n" * 70, "", 431),
                ("X: " + "y" * 20000 + "\r\n", "", 400)):
            with self.subTest(headers[:40]), Client(path) as client:
                try:
                    client.send(f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")
                    client.socket.shutdown(socket.SHUT_WR)
                except BrokenPipeError:
                    pass  # it had seen enough before all was said
                status = status_of(client.answer())
                if wanted is None:
                    self.assertNotEqual(status, 200)
                else:
                    self.assertEqual(status, wanted)
        largest = '{"id":"' + "x" * (65536 - 9) + '"}'
        self.assertEqual(self.ask(path, "POST", target, largest)[0], 409, "the largest is read")
        status, _, content = self.ask(path, "POST", target, largest + " ")
        self.assertEqual(status, 413)
        self.assertNotIn(b"xxx", content)
        self.assertTrue(node.is_running())

    def test_nothing_is_echoed(self):
        _, path = self.controlled()
        for request in ("GET /<b>echo HTTP/1.1\r\nHost: localhost\r\n",
                        "<b>echo /info HTTP/1.1\r\nHost: localhost\r\n",
                        "GET / HTTP/1.1\r\nHost: localhost\r\n<b>echo\r\n",
                        "POST /keys/use HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n"
                        "\r\n\"<b>echo\"",
                        "POST /keys/install HTTP/1.1\r\nHost: localhost\r\nContent-Length: 19\r\n"
                        "\r\n{\"key\": \"<b>echo\"}\n"):
            with self.subTest(request), Client(path) as client:
                client.send(request + "\r\n").socket.shutdown(socket.SHUT_WR)
                answer = client.answer()
                self.assertRegex(answer, rb"^HTTP/1\.1 4\d\d ")
                self.assertNotIn(b"echo", answer)

    def test_garbage(self):
        node, path = self.controlled()
        rng = swimtest.rng
        for data in (b"\0" * 1000, b"\r\n\r\n", b"GET\r\n\r\n", b"{}", rng.randbytes(5000),
                     b"POST /keys/use HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{\"id",
                     struct.pack(">Q", 0x0201_0000_0000_0001) * 20):
            with self.subTest(data[:20]), Client(path) as client:
                try:
                    client.send(data).socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                self.assertNotEqual(status_of(client.answer()), 200)
        self.assertEqual(self.ask(path, "GET", "/info")[0], 200)
        self.assertEqual(node.http("/healthz")[0], 200)

    def test_connections_are_bounded(self):
        node, path = self.controlled()
        before = len(os.listdir(f"/proc/{node.pid}/fd"))
        idle = []
        self.addCleanup(lambda: [client.socket.close() for client in idle])
        for _ in range(200):
            try:
                idle.append(Client(path, timeout=0.2))
            except OSError:
                break  # the kernel's queue is full, too
        self.assertGreater(len(idle), 16)
        self.assertLessEqual(len(os.listdir(f"/proc/{node.pid}/fd")), before + 16 + 2)
        self.assertEqual(node.http("/healthz", timeout=1)[0], 200)
        for client in idle:
            client.socket.close()
        idle.clear()

        def is_served():
            try:
                return self.ask(path, "GET", "/info")[0] == 200
            except OSError:
                return False  # the kernel's queue is still full

        swimtest.wait_until(is_served, 5, "it is served")

    def test_slow_client_is_cut_off(self):
        node, path = self.controlled()
        with Client(path) as client:
            client.socket.settimeout(0.5)
            began = time.monotonic()
            is_cut = False
            client.send("POST /keys/use HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n")
            while time.monotonic() - began < 40 and not is_cut:
                try:
                    client.send(" ")
                    is_cut = client.socket.recv(1) == b""
                except socket.timeout:
                    pass
                except OSError:
                    is_cut = True
            self.assertTrue(is_cut, "a client that dribbles is cut off")
        self.assertEqual(self.ask(path, "GET", "/info")[0], 200)
        self.assertEqual(node.http("/healthz")[0], 200)

    def test_reload_keeps_it(self):
        path = os.path.join(self.directory, "s")
        config = self.file("swim.toml", f'[control]\nsocket = "{path}"\n')
        node = self.node("--config", config).await_http()
        self.assertEqual(self.ask(path, "GET", "/info")[0], 200)
        self.file("swim.toml", '[control]\nsocket = ""\n')
        node.signal(signal.SIGHUP)
        swimtest.wait_until(lambda: node.lines("restart", "control.socket"), 5, "it says so")
        self.assertEqual(self.ask(path, "GET", "/info")[0], 200)


class Memory(ControlCase):
    """What was sent to it is gone from the process."""

    def test_requests_are_wiped(self):
        node, path = self.controlled()
        needle = KEY.encode()
        body = json.dumps({"key": KEY})
        try:
            self.find(node, b"listening on")
        except PermissionError:
            self.skipTest("the process can't be looked into")
        # While the request is in its buffers, this very search finds it: it can fail.
        with Client(path) as client:
            client.send(f"POST /keys/install HTTP/1.1\r\nHost: localhost\r\n"
                        f"Content-Length: {len(body) + 1}\r\n\r\n{body}")
            swimtest.wait_until(lambda: self.find(node, needle), 5, "it is in a buffer")
            client.send(" ")
            client.socket.shutdown(socket.SHUT_WR)
            self.assertIn(status_of(client.answer()), (200, 409))
        for _ in range(20):
            self.ask(path, "POST", "/keys/install", body)
            self.ask(path, "POST", "/keys/install", body[:-1])
        swimtest.wait_until(lambda: (not self.find(node, needle), "still there"), 5,
                            "nothing of it is left")
        self.assertNotIn(KEY, node.log())

    def find(self, node, needle):
        """Is this anywhere in the memory of the process that it can write to?"""
        with open(f"/proc/{node.pid}/maps", encoding="ascii") as maps:
            ranges = [line.split()[0] for line in maps if line.split()[1].startswith("rw")]
        with open(f"/proc/{node.pid}/mem", "rb", 0) as memory:
            for text in ranges:
                begin, end = (int(part, 16) for part in text.split("-"))
                if end - begin > 1 << 30:
                    continue  # a sanitizer's shadow, or the arena: no buffers there
                try:
                    memory.seek(begin)
                    if needle in memory.read(end - begin):
                        return True
                except (OSError, ValueError, OverflowError):
                    pass
        return False


class Slowloris(ControlCase):
    """Its owner opens far more connections than it holds, and lets bytes trickle."""

    def test_probing_goes_on(self):
        node, path = self.controlled()
        peer = self.node(peers=[node]).await_http()
        self.await_all_alive([node, peer], 5)
        stop = threading.Event()
        thread = threading.Thread(target=self.trickle, args=(path, 100, stop))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        acks = node.counter("acks_recv")
        worst = 0.0
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            began = time.monotonic()
            self.assertEqual(node.http("/healthz")[0], 200)
            worst = max(worst, time.monotonic() - began)
            time.sleep(0.05)
        self.assertLess(worst, 1.0 * swimtest.FACTOR)
        self.assertGreaterEqual(node.counter("acks_recv") - acks, 7)
        # The honest owner's tool gets its answer, too.
        swimtest.wait_until(lambda: self.is_served(path), 5, "it is served")
        self.assert_never_doubted([node, peer], [node, peer])
        print(f"control socket: 100 slow connections, /healthz within {worst * 1000:.1f} ms")

    def is_served(self, path):
        try:
            return self.ask(path, "GET", "/info")[0] == 200
        except OSError as error:
            return False, error

    def trickle(self, path, count, stop):
        clients = [None] * count
        while not stop.is_set():
            for i, client in enumerate(clients):
                try:
                    if client is None:
                        clients[i] = client = Client(path, timeout=0.05)
                        client.send("POST /keys/use HTTP/1.1\r\nHost: localhost\r\n"
                                    "Content-Length: 60000\r\n\r\n")
                        client.socket.setblocking(False)
                    elif client.send(" ").socket.recv(1) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    if client is not None:
                        client.socket.close()
                    clients[i] = None
                if stop.is_set():
                    break
            stop.wait(0.05)
        for client in clients:
            if client is not None:
                client.socket.close()


if __name__ == "__main__":
    swimtest.main()
