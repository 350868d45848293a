"""What the end-to-end tests share: real swimd processes on loopback, HTTP, and hand-made datagrams.

Nothing here waits for a fixed time and hopes: everything polls until a deadline. Every process is
ended by its own process id, also when a test fails or is interrupted; a failed test prints what
its nodes logged. Python's standard library only.

Environment: SWIMD, the binary (default build/swimd); SWIM_TIME_FACTOR stretches every deadline,
for builds that are slow by nature (default 1; 3 with AddressSanitizer); SWIM_TEST_SEED, the seed
of random choices (printed when a test fails).
"""

import atexit
import fcntl
import http.client
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SWIMD = os.path.abspath(os.environ.get("SWIMD", os.path.join(ROOT, "build", "swimd")))


def is_sanitized():
    try:
        with open(SWIMD, "rb") as binary:
            return b"__asan_init" in binary.read()
    except OSError:
        return False


FACTOR = float(os.environ.get("SWIM_TIME_FACTOR", "3" if is_sanitized() else "1"))
SEED = int(os.environ.get("SWIM_TEST_SEED", random.randrange(1 << 32)))
rng = random.Random(SEED)

# ---- Waiting ---------------------------------------------------------------------------------


def wait_until(probe, seconds, what, interval=0.02, since=None):
    """Calls `probe` until it returns something true; returns the seconds that took.

    `probe` may return (ok, what was seen) instead, for a message that helps. `since` is the
    time.monotonic() that the deadline counts from, now by default.
    """
    start = time.monotonic() if since is None else since
    deadline = start + seconds * FACTOR
    while True:
        began = time.monotonic()
        seen = probe()
        ok, seen = seen if isinstance(seen, tuple) else (seen, seen)
        if ok:
            return time.monotonic() - start
        if began >= deadline:
            raise AssertionError(f"not within {seconds * FACTOR:g} s: {what}; last seen: {seen}")
        time.sleep(interval)


def hold(probe, seconds, what, interval=0.1):
    """`probe` must be true (or return (True, seen)) all the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = probe()
        ok, seen = seen if isinstance(seen, tuple) else (seen, seen)
        if not ok:
            raise AssertionError(f"did not hold: {what}; seen: {seen}")
        time.sleep(interval)


# ---- Ports -----------------------------------------------------------------------------------

_ports_lock = threading.Lock()
_ports_used = set()
# Byte N of this file is locked by the process that has port N, whether or not something is bound
# to it yet: a port at which a test expects silence must not be given to another test's node.
_ports_file = os.open(os.path.join(tempfile.gettempdir(), f"swim-test-ports-{os.getuid()}"),
                      os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _reserve(port):
    """Until this process ends; whether nobody else has it. Held by _ports_lock."""
    try:
        fcntl.lockf(_ports_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _ports_used.add(port)
    return True


def _is_free(port):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as s:
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    s.bind((address, port))
                except OSError:
                    return False
    return True


def free_port():
    """A port free for UDP and TCP, below the range that the kernel hands out by itself."""
    with _ports_lock:
        while True:
            port = random.SystemRandom().randrange(10240, 32768)
            if port not in _ports_used and _is_free(port) and _reserve(port):
                return port


def free_ports(count):
    """So many free ports in a row; returns the first."""
    while True:
        first = free_port()
        with _ports_lock:
            rest = range(first + 1, first + count)
            if all(p < 32768 and p not in _ports_used and _is_free(p) and _reserve(p)
                   for p in rest):
                return first


# ---- Processes -------------------------------------------------------------------------------

_processes = set()


def _kill_all():
    for process in list(_processes):
        if process.poll() is None:
            process.kill()
            process.wait()


def _interrupted(signum, _frame):
    _kill_all()
    os._exit(128 + signum)


atexit.register(_kill_all)


def spawn(command, **options):
    process = subprocess.Popen(command, **options)
    _processes.add(process)
    return process


def run(*arguments, timeout=10, **options):
    """Runs swimd to its end; returns the CompletedProcess, with text output."""
    return subprocess.run([SWIMD, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout * FACTOR, check=False, **options)


class Node:
    """One swimd. Its output goes to a file; `log()` reads it."""

    def __init__(self, test, *arguments, port=None, host="127.0.0.1", bind=None, peers=(),
                 metrics_port=None, name=None, start=True):
        self.test = test
        self.port = free_port() if port is None else port
        self.metrics_port = free_port() if metrics_port is None else metrics_port
        self.addr = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.bind = bind or self.addr
        self.peers = [p.addr if isinstance(p, Node) else p for p in peers]
        self.arguments = list(arguments)
        self.environment = None  # more of it, as a dictionary
        self.name = name or f"node{len(test.nodes) + 1}"
        # What it tells the others; None: the host's name, which all of them then have.
        self.member_name = self.name
        self.log_path = os.path.join(test.directory, f"{len(test.nodes) + 1}-{self.name}.log")
        self.process = None
        self.started = None
        test.nodes.append(self)
        if start:
            self.start()

    # Life.

    def command(self):
        command = [SWIMD, "--bind", self.bind, "--metrics-port", str(self.metrics_port)]
        if self.peers:
            command += ["--peers", ",".join(self.peers)]
        if self.member_name:
            command += ["--name", self.member_name]
        return command + self.arguments

    def start(self):
        with open(self.log_path, "ab") as log:
            self.started = time.monotonic()
            self.process = spawn(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT,
                                 env={**os.environ, **(self.environment or {})})
        return self

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, seconds):
        """Exit code; an assertion when it does not end in time. Returns (code, seconds taken)."""
        began = time.monotonic()
        try:
            code = self.process.wait(seconds * FACTOR)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {seconds * FACTOR:g} s") from None
        return code, time.monotonic() - began

    def terminate(self, seconds=3.0):
        """SIGTERM; exit code 0 within `seconds`. Peers that have just gone, unheard, are waited for
        2 s: four times reliable_ack_timeout_ms."""
        self.signal(signal.SIGTERM)
        code, took = self.wait(seconds)
        if code != 0:
            raise AssertionError(f"{self.name}: exit code {code} after SIGTERM")
        return took

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def lines(self, *fragments):
        """Lines of the log that contain every fragment, whatever the case."""
        wanted = [f.lower() for f in fragments]
        return [line for line in self.log().splitlines() if all(f in line.lower() for f in wanted)]

    # What it says over HTTP.

    def http(self, path, method="GET", headers=None, timeout=5.0, host="127.0.0.1"):
        connection = http.client.HTTPConnection(host, self.metrics_port, timeout=timeout * FACTOR)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get_json(self, path):
        status, headers, body = self.http(path)
        if status not in (200, 503) or "json" not in headers.get("Content-Type", ""):
            raise AssertionError(f"{path}: {status} {headers.items()} {body[:200]!r}")
        return json.loads(body)

    def membership(self):
        return self.get_json("/membership")["nodes"]

    def view(self):
        """(address, status) of every record but forgotten ones, sorted; None while it is down."""
        try:
            return sorted((n["addr"], n["status"]) for n in self.membership())
        except (OSError, http.client.HTTPException):
            return None

    def status_of(self, addr):
        """The set of statuses of the records with this address."""
        return {status for a, status in self.view() or () if a == addr}

    def live(self):
        """Addresses that are alive, sorted, or None if any is suspect or the node is down."""
        view = self.view()
        if view is None or any(status == "suspect" for _, status in view):
            return None
        return sorted(addr for addr, status in view if status == "alive")

    def member(self, addr, status=None):
        """The one record with this address (and status); None if there is none, or it is down."""
        try:
            members = self.membership()
        except (OSError, http.client.HTTPException):
            return None
        found = [n for n in members if n["addr"] == addr and status in (None, n["status"])]
        return found[0] if len(found) == 1 else None

    def self_id(self):
        return self.member(self.addr, "alive")["id"]

    def metrics(self):
        return parse_metrics(self.http("/metrics")[2].decode())

    def counter(self, name):
        """A counter by its name in /metrics/json: without swim_ and _total."""
        return self.get_json("/metrics/json")[name]

    def await_http(self, seconds=5.0):
        def probe():
            if not self.is_running():
                raise AssertionError(f"{self.name} ended: exit code {self.process.returncode}")
            try:
                return self.http("/healthz")[0] == 200
            except OSError as error:
                return False, error
        wait_until(probe, seconds, f"{self.name} answers /healthz")
        return self


def parse_metrics(text):
    """Prometheus text format: {name{labels}: value}."""
    values = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
    return values


# ---- Tests -----------------------------------------------------------------------------------


class SwimTestCase(unittest.TestCase):
    """Gives a test its nodes and a directory, and takes both away again."""

    has_failed = False

    def setUp(self):
        self.nodes = []
        self.directory = tempfile.mkdtemp(prefix="swim-e2e-")
        self.addCleanup(self._clean)

    def doCleanups(self):
        # Within a clean-up unittest no longer tells how the test itself went.
        self.has_failed = self._outcome is not None and not self._outcome.success
        return super().doCleanups()

    def _clean(self):
        for node in self.nodes:
            node.kill()
        for process in [p for p in list(_processes) if p.poll() is not None]:
            _processes.discard(process)
        if self.has_failed:
            self._show_logs()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _show_logs(self):
        lines = 60 if len(self.nodes) <= 6 else 12
        print(f"\n==== {self.id()} failed; SWIM_TEST_SEED={SEED}", file=sys.stderr)
        for node in self.nodes:
            ended = "" if node.process is None else f", exit code {node.process.returncode}"
            print(f"---- {node.name} {node.addr}{ended}: {' '.join(node.command())}",
                  file=sys.stderr)
            for line in node.log().splitlines()[-lines:]:
                print(f"     {line}", file=sys.stderr)
        sys.stderr.flush()

    def node(self, *arguments, **options):
        return Node(self, *arguments, **options)

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def cluster(self, count, *arguments, **options):
        """`count` nodes, started one after the other, each with the first two as seeds."""
        nodes = []
        for _ in range(count):
            nodes.append(self.node(*arguments, peers=nodes[:2], **options))
        return nodes

    def await_all_alive(self, nodes, seconds, since=None):
        """Every node sees exactly these nodes alive, nobody suspect. Returns the seconds it took
        after the last start, an upper bound: nodes are looked at one after the other."""
        wanted = sorted(n.addr for n in nodes)
        if since is None:
            since = max(n.started for n in nodes)
        pending = list(nodes)

        def probe():
            while pending and pending[0].live() == wanted:
                pending.pop(0)
            return not pending, pending and (pending[0].name, pending[0].view())

        return wait_until(probe, seconds, f"{len(nodes)} nodes see each other alive", since=since)

    def await_all_told(self, nodes, seconds):
        """Every node has also heard, and logged, every other's name and tags, which come after it
        is seen alive: the news of a start ends with them."""
        pending = [(node, other) for node in nodes for other in nodes if other is not node]

        def probe():
            while pending and "name" in (pending[0][0].member(pending[0][1].addr, "alive") or {}):
                pending.pop(0)
            return not pending, pending and (pending[0][0].name, pending[0][0].membership())

        return wait_until(probe, seconds, "all have heard the others' names and tags")

    def total(self, nodes, name):
        """A counter of all nodes together."""
        return sum(node.counter(name) for node in nodes)

    def await_quiet(self, nodes):
        """Until the news of the joins has been told often enough."""
        last = [None]

        def probe():
            now = self.total(nodes, "gossip_sent")
            same = now == last[0]
            last[0] = now
            return same, now

        wait_until(probe, 20, "gossip ends when there is no news", interval=2)

    def await_status(self, observers, addr, status, seconds, since=None):
        """Every observer has `addr` under `status` and not alive or suspect under another id."""
        wanted = {status} if isinstance(status, str) else set(status)

        def probe():
            seen = {o.name: o.status_of(addr) for o in observers}
            return all(s and s <= wanted for s in seen.values()), seen

        return wait_until(probe, seconds, f"everybody says {addr} is {status}", since=since)

    def assert_never_doubted(self, observers, subjects):
        """No observer ever suspected a subject, by all that it logged and counted."""
        for observer in observers:
            for subject in subjects:
                for word in ("suspect", "failed", "dead"):
                    doubts = observer.lines(word, subject.addr)
                    self.assertEqual(doubts, [], f"{observer.name} doubted {subject.name}")
        for subject in subjects:
            if subject in observers and subject.is_running():
                self.assertEqual(subject.counter("refutations"), 0,
                                 f"somebody made {subject.name} refute a claim")


class _Recorder(unittest.TestResult):
    """Keeps what happened in another thread, to be told to the real result later."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def addError(self, test, err):
        self.calls.append(("addError", test, err))

    def addFailure(self, test, err):
        self.calls.append(("addFailure", test, err))

    def addSubTest(self, test, subtest, err):
        self.calls.append(("addSubTest", test, subtest, err))

    def addSuccess(self, test):
        self.calls.append(("addSuccess", test))

    def addSkip(self, test, reason):
        self.calls.append(("addSkip", test, reason))

    def addExpectedFailure(self, test, err):
        self.calls.append(("addExpectedFailure", test, err))

    def addUnexpectedSuccess(self, test):
        self.calls.append(("addUnexpectedSuccess", test))


class _SideBySide(unittest.TestSuite):
    """Runs its tests in threads of their own, all at once: they mostly wait."""

    def run(self, result, debug=False):
        del debug
        work = []
        for test in self:
            recorder = _Recorder()
            thread = threading.Thread(target=test.run, args=(recorder,), daemon=True)
            thread.start()
            work.append((test, recorder, thread))
        for test, recorder, thread in work:
            thread.join()
            result.startTest(test)
            for name, *arguments in recorder.calls:
                getattr(result, name)(*arguments)
            result.stopTest(test)
        return result


def _tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _tests_of(item)
        else:
            yield item


def load_tests(_loader, standard, _pattern):
    """For test modules: `from swimtest import load_tests`. Classes with `side_by_side = True` have
    their tests run all at once, the others one after the other, after them."""
    together = _SideBySide()
    alone = unittest.TestSuite()
    for test in _tests_of(standard):
        (together if getattr(test, "side_by_side", False) else alone).addTest(test)
    return unittest.TestSuite([together, alone])


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    if not {"-h", "--help"} & set(sys.argv) and not os.access(SWIMD, os.X_OK):
        sys.exit(f"{SWIMD} is not there: build it, or name it in SWIMD")
    unittest.main(module="__main__")


# ---- Datagrams by hand -----------------------------------------------------------------------

GOSSIP, PING, PING_REQ, ACK, LEAVE, ANTI_ENTROPY, NACK, SYNC = range(1, 9)
REQUEST_ACK, EXTENDED = 1, 2
CAPABLE = 1
ALIVE, SUSPECT, DEAD, LEFT = range(4)
TAG = 255  # the status of an entry that says which cluster this is: every decoder skips it
# Extension records (docs/protocol.md section 6).
PADDING, PROBE, ON_BEHALF, SUSPICION, VIEW, BUCKETS, META, TOKEN, CLUSTER = range(9)
HEADER = struct.Struct(">BBHQIIBBH")


def checksum(data):
    """RFC 1071 over the bytes."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def entry(member_id, addr, status=ALIVE, heartbeat=0, incarnation=0):
    """A member entry; `addr` is "ip:port" or "[ip]:port"."""
    host, port = addr.rsplit(":", 1)
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return (struct.pack(">QIIBB", member_id, heartbeat, incarnation, status,
                        6 if family == socket.AF_INET6 else 4)
            + socket.inet_pton(family, host.strip("[]")) + struct.pack(">H", int(port)))


def entries_of(payload):
    """[(id, addr, status, heartbeat, incarnation)] of a payload of entries."""
    found = []
    while payload:
        member_id, heartbeat, incarnation, status, family = struct.unpack_from(">QIIBB", payload)
        size = {4: 4, 6: 16}[family]
        host = socket.inet_ntop(socket.AF_INET if family == 4 else socket.AF_INET6,
                                payload[18:18 + size])
        (port,) = struct.unpack_from(">H", payload, 18 + size)
        addr = f"{host}:{port}" if family == 4 else f"[{host}]:{port}"
        found.append((member_id, addr, status, heartbeat, incarnation))
        payload = payload[20 + size:]
    return found


def extended(records, payload=b""):
    """The payload of an EXTENDED datagram: records, [(type, value)], before the rest."""
    block = b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in records)
    return struct.pack(">H", len(block)) + block + payload


def token(challenge, echo):
    return TOKEN, struct.pack(">QQ", challenge, echo)


class Datagram:
    """A version-1 datagram; with `records`, an EXTENDED one."""

    def __init__(self, kind, sender_id, payload=b"", heartbeat=0, incarnation=0, flags=0,
                 capabilities=0):
        self.kind = kind
        self.sender_id = sender_id
        self.payload = payload
        self.heartbeat = heartbeat
        self.incarnation = incarnation
        self.flags = flags
        self.capabilities = capabilities

    def encode(self):
        fields = [1, self.kind, len(self.payload), self.sender_id, self.heartbeat,
                  self.incarnation, self.flags, self.capabilities]
        blank = HEADER.pack(*fields, 0) + self.payload
        return HEADER.pack(*fields, checksum(blank)) + self.payload

    @classmethod
    def decode(cls, data):
        """As strict as a plain version-1 decoder."""
        version, kind, length, sender_id, heartbeat, incarnation, flags, capabilities, _ = (
            HEADER.unpack_from(data))
        if version != 1 or length != len(data) - HEADER.size or length > 1400:
            raise AssertionError(f"malformed datagram: {data.hex()}")
        if checksum(data) != 0:
            raise AssertionError(f"wrong checksum: {data.hex()}")
        return cls(kind, sender_id, data[HEADER.size:], heartbeat, incarnation, flags,
                   capabilities)

    def split(self):
        """Its extension records, {type: value}, and the payload behind them."""
        records = {}
        if not self.flags & EXTENDED or not self.capabilities & CAPABLE:
            return records, self.payload
        (left,) = struct.unpack_from(">H", self.payload)
        at, end = 2, 2 + left
        while at < end:
            kind, size = struct.unpack_from(">BH", self.payload, at)
            records.setdefault(kind, self.payload[at + 3:at + 3 + size])
            at += 3 + size
        return records, self.payload[end:]

    def records(self):
        return self.split()[0]

    def token(self):
        """(challenge, echo), zeros where there is none."""
        return struct.unpack(">QQ", self.records().get(TOKEN) or bytes(16))

    def entries(self):
        payload = self.split()[1]
        return entries_of(payload[12:] if self.kind == ANTI_ENTROPY else payload)

    def __repr__(self):
        return (f"<kind {self.kind} from {self.sender_id} heartbeat {self.heartbeat} incarnation "
                f"{self.incarnation} flags {self.flags} payload {len(self.payload)}>")


class PlainPeer:
    """A plain version-1 node, played by the test: it answers PINGs and remembers what it got.

    Everything that it receives must decode by the rules of plain version 1: an EXTENDED flag or a
    kind above 6 is kept in `violations`.
    """

    def __init__(self, test, member_id=None, answer=True):
        self.id = member_id or rng.randrange(1, 1 << 63)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.addr = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.began = time.monotonic()
        self.incarnation = 0
        self.answer = answer
        self.received = []
        self.violations = []
        self.lock = threading.Lock()
        self.running = True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def close(self):
        self.running = False
        self.thread.join()
        self.socket.close()

    def heartbeat(self):
        return 1 + int((time.monotonic() - self.began) * 2)

    def send(self, node, kind, payload=b"", flags=0, **header):
        header.setdefault("heartbeat", self.heartbeat())
        header.setdefault("incarnation", self.incarnation)
        data = Datagram(kind, header.pop("sender_id", self.id), payload, flags=flags,
                        **header).encode()
        self.send_raw(node, data)

    def send_raw(self, node, data):
        self.socket.sendto(data, ("127.0.0.1", node.port))

    def _serve(self):
        while self.running:
            try:
                data, source = self.socket.recvfrom(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            try:
                datagram = Datagram.decode(data)
                self._check(datagram)
                if datagram.kind in (GOSSIP, PING, ACK, ANTI_ENTROPY):
                    datagram.entries()
            except (AssertionError, struct.error, KeyError) as error:
                self.violations.append(str(error))
                continue
            with self.lock:
                self.received.append(datagram)
            if self.answer and (datagram.kind == PING or datagram.flags & REQUEST_ACK):
                self.socket.sendto(self._ack(datagram).encode(), source)

    def _check(self, datagram):
        if datagram.kind > ANTI_ENTROPY or datagram.flags & EXTENDED:
            raise AssertionError(f"not for a plain peer: {datagram}")

    def _ack(self, datagram):
        del datagram
        return Datagram(ACK, self.id, heartbeat=self.heartbeat(), incarnation=self.incarnation)

    def got(self, kind=None, since=0):
        """Datagrams received so far, from the `since`-th on."""
        with self.lock:
            return [d for d in self.received[since:] if kind in (None, d.kind)]

    def await_datagram(self, kind, seconds, since=0, what="", accept=lambda datagram: True):
        """The first one of the kind from the `since`-th on that `accept` accepts."""
        found = []

        def probe():
            found[:] = [d for d in self.got(kind, since) if accept(d)]
            return bool(found), self.got(None, since)[-3:]

        wait_until(probe, seconds, f"a datagram of kind {kind} {what}")
        return found[0]

    def own_entry(self, **header):
        """What a version-1 node's PINGs and gossip begin with: itself."""
        return entry(header.get("sender_id", self.id), self.addr,
                     heartbeat=header.get("heartbeat", self.heartbeat()),
                     incarnation=header.get("incarnation", self.incarnation))

    def ask(self, node, seconds=2.0, payload=None, **header):
        """PINGs, again after a while if need be, until an ACK comes; returns it. The payload is its
        own entry, unless told otherwise."""
        since = len(self.got())
        deadline = time.monotonic() + seconds * FACTOR
        while True:
            self.send(node, PING, self.own_entry(**header) if payload is None else payload,
                      **header)
            try:
                return self.await_datagram(ACK, 0.2, since)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise

    def join(self, node, seconds=3.0):
        """Goes on asking, as version-1 nodes do, until it is a member: it has answered a PING of
        the node's. Returns the first ACK."""
        ack = self.ask(node)
        asked = [time.monotonic()]

        def probe():
            if time.monotonic() - asked[0] > 0.2:
                self.send(node, GOSSIP, self.own_entry())
                asked[0] = time.monotonic()
            member = node.member(self.addr, "alive")
            return member and int(member["id"]) == self.id, node.view()

        wait_until(probe, seconds, f"{self.addr} is a member of {node.name}'s cluster")
        return ack


class CapablePeer(PlainPeer):
    """A node that understands extensions: it repeats what it is asked to repeat, and asks nothing
    itself. `send` takes its extension records."""

    def _check(self, datagram):
        if datagram.kind > SYNC:
            raise AssertionError(f"not of version 1: {datagram}")

    def _ack(self, datagram):
        records = [(kind, value) for kind, value in datagram.records().items() if kind == PROBE]
        challenge, _ = datagram.token()
        if challenge:
            records.append(token(0, challenge))
        return Datagram(ACK, self.id, extended(records) if records else b"", self.heartbeat(),
                        self.incarnation, EXTENDED if records else 0, CAPABLE)

    def send(self, node, kind, payload=b"", flags=0, records=(), **header):
        if records:
            payload, flags = extended(records, payload), flags | EXTENDED
        super().send(node, kind, payload, flags, capabilities=CAPABLE, **header)

    def challenge_of(self, node, seconds=2.0, **header):
        """What the node asks this address to repeat, under this id."""
        deadline = time.monotonic() + seconds * FACTOR
        while True:
            since = len(self.got())
            self.send(node, PING, records=[(PADDING, bytes(100))], **header)
            try:
                ack = self.await_datagram(ACK, 0.2, since, accept=lambda d: d.token()[0])
                return ack.token()[0]
            except AssertionError:
                if time.monotonic() > deadline:
                    raise

    def join(self, node, seconds=3.0):
        """Proves its address, and is a member. Returns the ACK that says so."""
        challenge, ours = self.challenge_of(node), rng.randrange(1, 1 << 63)
        since = len(self.got())
        self.send(node, PING, records=[token(ours, challenge)])
        ack = self.await_datagram(ACK, seconds, since, "that repeats our challenge",
                                  lambda d: d.token()[1] == ours)
        wait_until(lambda: (node.member(self.addr, "alive"), node.view()), seconds,
                   f"{self.addr} is a member of {node.name}'s cluster")
        return ack
