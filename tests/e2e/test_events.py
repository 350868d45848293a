#!/usr/bin/env python3
"""/events: what is told, to whom, where it goes on after a disconnection, and what becomes of
listeners that are slow, too many, or gone."""

import http.client
import json
import os
import re
import signal
import socket
import struct
import threading
import time
import unittest

import swimtest
from swimtest import load_tests  # noqa: F401
from swimtest import GOSSIP, CapablePeer, entry

try:
    import jsonschema
except ImportError:
    jsonschema = None

PUBLIC_MAX = 16
CONTROL_MAX = 8
JOURNAL_MAX = 4096
# What may wait for a listener that doesn't read: here, and in the kernel.
HELD_MAX = 64 * 1024 + 2 * 64 * 1024


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Event:
    def __init__(self, kind, event_id, data):
        self.kind = kind
        self.id = event_id
        self.json = json.loads(data) if data else None

    def __repr__(self):
        return f"<{self.kind} {self.id} {self.json}>"

    def number(self):
        return int(self.id.rsplit("-", 1)[1])


class Stream:
    """A listener: `next` is the next event, as the specification of server-sent events has it."""

    def __init__(self, node, query="", last_id=None, path=None, headers=None, timeout=10.0):
        timeout *= swimtest.FACTOR
        self.connection = (http.client.HTTPConnection("127.0.0.1", node.metrics_port,
                                                      timeout=timeout)
                           if path is None else _UnixConnection(path, timeout))
        headers = dict(headers or {})
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", "/events" + query, headers=headers)
        self.socket = self.connection.sock  # http.client forgets it: the answer says "close"
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.last_id = last_id
        self.comments = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.answer.close()
        self.connection.close()

    def next(self):
        """None at the stream's proper end; socket.timeout when nothing comes."""
        kind, data = "message", []
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if not line:
                if data:
                    return Event(kind, self.last_id, "\n".join(data))
                kind = "message"
                continue
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "":
                self.comments.append(value)
            elif name == "id":
                self.last_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name != "retry":
                raise AssertionError(f"no field of a stream's: {line}")

    def until(self, kind, addr=None):
        """Events up to the one of that kind (of the member at `addr`), which is the last."""
        found = []
        while True:
            event = self.next()
            if event is None:
                raise AssertionError(f"ended before {kind}: {found}")
            found.append(event)
            if event.kind == kind and (addr is None or event.json["member"]["addr"] == addr):
                return found

    def wait_ready(self):
        """Until the server has said where this stream stands."""
        while self.last_id is None:
            line = self.answer.readline().decode()
            if line.startswith("id: "):
                self.last_id = line[4:].strip()
        return self


def numbers_of(events):
    return [event.number() for event in events]


class Events(swimtest.SwimTestCase):
    side_by_side = True

    def quick(self, *arguments, heartbeat_ms=200, **options):
        config = self.file(f"quick{len(self.nodes)}.toml",
                           f"[events]\nheartbeat_ms = {heartbeat_ms}\n")
        return self.node("--config", config, *arguments, **options).await_http()

    def listeners(self, node):
        return node.metrics()["swim_event_streams"]

    def test_live(self):
        first = self.quick()
        with Stream(first) as stream:
            self.assertEqual(stream.status, 200)
            self.assertEqual(stream.answer.headers["Content-Type"], "text/event-stream")
            self.assertEqual(stream.answer.headers["Cache-Control"], "no-store")
            self.assertEqual(stream.answer.headers["X-Accel-Buffering"], "no")
            stream.wait_ready()
            second = self.node(peers=[first])
            joined = stream.until("joined", second.addr)[-1]
            self.assertEqual(joined.json["id"], joined.id)
            self.assertEqual(joined.json["kind"], "joined")
            self.assertRegex(joined.json["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertNotIn("before", joined.json)
            member = joined.json["member"]
            self.assertEqual((member["addr"], member["status"], member["self"]),
                             (second.addr, "alive", False))
            told = stream.until("retagged", second.addr)
            second.kill()
            told += stream.until("failed", second.addr)
            self.assertEqual([e.kind for e in told], ["retagged", "suspected", "failed"])
            self.assertEqual([e.json["before"] for e in told[1:]], ["alive", "suspect"])
            self.assertEqual({e.json["member"]["id"] for e in told}, {member["id"]})
            self.assertEqual(told[0].json["member"]["tags"]["metrics"],
                             f"127.0.0.1:{second.metrics_port}")
            self.assertEqual(numbers_of([joined] + told), [1, 2, 3, 4], "without a gap")
        with Stream(first, "?last_event_id=0") as again:
            self.assertEqual([e.json for e in again.until("failed")],
                             [e.json for e in [joined] + told], "told again as it was")

    def test_resume_without_gap_or_duplicate(self):
        first = self.quick()
        whole = Stream(first).wait_ready()
        broken = Stream(first).wait_ready()
        heard = []
        for round_number in range(4):
            node = self.node(peers=[first])
            if round_number % 2 == 0:
                heard += broken.until("joined", node.addr)
            # While it is away, there is a leave at least.
            broken.close()
            node.await_http()
            self.await_status([first], node.addr, "alive", 3)
            node.terminate()
            self.await_status([first], node.addr, "left", 3)
            where = ("", broken.last_id) if round_number % 2 else (
                f"?last_event_id={broken.last_id}", None)
            broken = Stream(first, *where)
            broken.last_id = broken.last_id or where[0].partition("=")[2]
            heard += broken.until("left", node.addr)
        everything = whole.until("left", node.addr)
        self.assertEqual([(e.id, e.kind) for e in heard], [(e.id, e.kind) for e in everything])
        self.assertEqual(numbers_of(heard), list(range(1, len(heard) + 1)))
        # The header is newer than the address that a browser was once given.
        with Stream(first, f"?last_event_id={heard[0].id}", last_id=heard[-2].id) as stream:
            self.assertEqual(stream.next().id, heard[-1].id)
        whole.close()
        broken.close()

    def test_restart_is_told(self):
        first = self.quick()
        stream = Stream(first).wait_ready()
        second = self.node(peers=[first])
        last = stream.until("joined", second.addr)[-1]
        first.terminate()
        while stream.next() is not None:
            pass
        first.start()
        first.await_http()
        with Stream(first, last_id=last.id) as again:
            missed = again.next()
            self.assertEqual(missed.kind, "missed")
            self.assertEqual((missed.json["reason"], missed.json["missed"]), ("restarted", None))
            self.assertNotEqual(missed.id.split("-")[0], last.id.split("-")[0])
            third = self.node(peers=[first])
            later = again.until("joined", third.addr)
            self.assertEqual(numbers_of(later), list(range(1, len(later) + 1)), "all of this run")
        for nonsense in ("x", "0000000000000000", last.id + "0", missed.id.split("-")[0] + "-99999",
                         "-1", "0-0-0", "é"):
            with self.subTest(nonsense), Stream(first, last_id=nonsense.encode()) as again:
                told = again.next()
                self.assertEqual(told.kind, "missed")
                self.assertIn(told.json["reason"], ("unknown", "restarted"))

    def test_snapshot(self):
        nodes = self.cluster(3)
        self.await_all_alive(nodes, 3)
        self.await_all_told(nodes, 5)
        nodes[2].terminate()
        self.await_status(nodes[:1], nodes[2].addr, "left", 3)
        with Stream(nodes[0], "?snapshot=1&status=alive") as stream:
            told = stream.until("snapshot-end")
            self.assertEqual({e.kind for e in told[:-1]}, {"snapshot"})
            self.assertEqual(sorted(e.json["member"]["addr"] for e in told[:-1]),
                             sorted(n.addr for n in nodes[:2]))
            place = told[-1].id
        with Stream(nodes[0], "?snapshot=1", last_id=place) as stream:
            stream.wait_ready()
            nodes[1].terminate()
            self.assertEqual(stream.next().kind, "left", "who goes on needs no snapshot")
        with Stream(nodes[0], "?snapshot=1", last_id="0123456789abcdef-1") as stream:
            kinds = [e.kind for e in stream.until("snapshot-end")]
            self.assertEqual(kinds[0], "missed")
            self.assertEqual(kinds.count("snapshot"), 3)
            self.assertLess(kinds.index("joined"), kinds.index("snapshot"), "what is held first")

    def test_filters(self):
        first = self.quick()
        with Stream(first, "?status=left,dead") as stream:
            stream.wait_ready()
            second = self.node(peers=[first])
            self.await_status([first], second.addr, "alive", 3)
            second.terminate()
            told = stream.next()
            self.assertEqual((told.kind, told.json["member"]["addr"]), ("left", second.addr))
            # What was held back moves its place on, too.
            third = self.node(peers=[first])
            self.await_status([first], third.addr, "alive", 3)

            def number():
                line = stream.answer.readline().decode().strip()
                return int(line.rsplit("-", 1)[1]) if line.startswith("id: ") else 0
            swimtest.wait_until(lambda: number() > told.number(), 5, "its id moves on")
        for query, said in (("?snapshot=2", "snapshot must be"), ("?kind=left", "known are"),
                            ("?status=gone", "status must be"), ("?last_event_id=%zz", "hex")):
            with self.subTest(query):
                status, _, body = first.http("/events" + query)
                self.assertEqual(status, 400)
                self.assertIn(said, body.decode())

    def test_tags_choose_wherever_members_are_told_of(self):
        path = os.path.join(self.directory, "control.sock")
        first = self.quick("--control-socket", path)
        streams = [Stream(first, "?tag=role=db&status=alive,left"),
                   Stream(first, "?tag=zone&tag=role=db", path=path)]
        for stream in streams:
            stream.wait_ready()
        nodes = {name: self.node("--name", name, *arguments, peers=[first]) for name, arguments in (
            ("web", ("--tag", "role=web", "--tag", "zone=b")),
            ("db-a", ("--tag", "role=db", "--tag", "zone=a")),
            ("db", ("--tag", "role=db")))}

        def names(target, key):
            members = first.get_json(target)[key]
            return sorted(m.get("name", "?") for m in members)

        def local(target):
            connection = _UnixConnection(path, 5)
            connection.request("GET", target)
            members = json.loads(connection.getresponse().read())["members"]
            connection.close()
            return sorted(m["name"] for m in members)

        def labels(query):
            return sorted(group["labels"]["__meta_swim_name"] for group in first.get_json(
                "/sd" + query))
        swimtest.wait_until(lambda: (names("/membership?tag=role", "nodes") ==
                                     ["db", "db-a", "web"], first.membership()), 5, "all are known")
        for query, wanted in (("?tag=role=db", ["db", "db-a"]), ("?tag=role=db&tag=zone", ["db-a"]),
                              ("?tag=role=db&status=alive", ["db", "db-a"]),
                              ("?tag=role=d", []), ("?tag=role=db&status=dead", []),
                              ("?tag=zone%3Db&status=alive,suspect", ["web"])):
            with self.subTest(query):
                self.assertEqual(names("/membership" + query, "nodes"), wanted)
                self.assertEqual(local("/members" + query), wanted)
                self.assertEqual(labels(query), wanted)
        for node in nodes.values():
            node.terminate()
        told = [[], []]
        for found, stream, last in zip(told, streams, (nodes["db"], nodes["db-a"])):
            found += stream.until("left", last.addr)
        self.assertEqual({e.json["member"]["name"] for e in told[0]}, {"db", "db-a"})
        self.assertEqual({e.json["member"]["name"] for e in told[1]}, {"db-a"})
        for stream in streams:
            stream.close()

    def test_heartbeat(self):
        node = self.quick(heartbeat_ms=200)
        with Stream(node) as stream:
            stream.wait_ready()
            began = time.monotonic()
            beats = 0
            while beats < 5:
                if stream.answer.readline().startswith(b": heartbeat"):
                    beats += 1
            took = time.monotonic() - began
            self.assertGreater(took, 0.7)
            self.assertLess(took, 3 * swimtest.FACTOR)

    def test_head_and_other_methods(self):
        node = self.quick()
        status, headers, body = node.http("/events", "HEAD")
        self.assertEqual((status, body, headers["Content-Type"]), (200, b"", "text/event-stream"))
        self.assertNotIn("Content-Length", headers)
        self.assertEqual(node.http("/events", "POST")[0], 405)
        self.assertEqual(self.listeners(node), 0)

    def test_old_client(self):
        # HTTP/1.0 knows no chunks: the stream ends with the connection.
        node = self.quick()
        with socket.create_connection(("127.0.0.1", node.metrics_port)) as raw:
            raw.settimeout(10 * swimtest.FACTOR)
            raw.sendall(b"GET /events?snapshot=1 HTTP/1.0\r\n\r\n")
            data = b""
            while b": heartbeat\n\n" not in data:
                data += raw.recv(65536)
            self.assertNotIn(b"chunked", data)
            self.assertIn(b"\n\nevent: snapshot\ndata: {", data)
            node.signal(15)
            while piece := raw.recv(65536):
                data += piece
            self.assertIn(b"event: leave-done\n", data)
            self.assertTrue(data.endswith(b"}\n\n"), data[-100:])

    def test_token_and_host(self):
        token = "0123456789abcdef0123456789abcdef"
        path = self.file("token", token)
        os.chmod(path, 0o600)
        config = self.file("token.toml", f'[metrics]\nhttp_token_file = "{path}"\n')
        node = self.node("--config", config).await_http()
        self.assertEqual(node.http("/events")[0], 401)
        self.assertEqual(node.http("/events", headers={"Host": "evil.example"})[0], 421)
        with Stream(node, headers={"Authorization": f"Bearer {token}"}) as stream:
            self.assertEqual(stream.status, 200)

    def test_another_token(self):
        """Who was let in with the old one is let in no longer; the control socket asks for none."""
        token, control = "0123456789abcdef-one", os.path.join(self.directory, "control.sock")
        path = self.file("token", token)
        os.chmod(path, 0o600)
        config = self.file("token.toml", f'[metrics]\nhttp_token_file = "{path}"\n')
        node = self.quick("--config", config, "--control-socket", control).await_http()

        def reload(count):
            node.signal(signal.SIGHUP)
            swimtest.wait_until(lambda: len(node.lines("SIGHUP: reloaded")) == count, 5, "a reload")

        def opened(token, **options):
            return Stream(node, headers={"Authorization": f"Bearer {token}"}, **options)

        with opened(token).wait_ready() as one, opened(token).wait_ready() as two, \
                opened("", path=control).wait_ready() as own:
            reload(1)
            peer = self.node(peers=[node])
            for stream in (one, two, own):
                stream.until("joined", peer.addr)
            self.file("token", "0123456789abcdef-two")
            reload(2)
            new = {"Authorization": "Bearer 0123456789abcdef-two"}
            swimtest.wait_until(lambda: b"\nswim_event_streams 1\n" in
                                node.http("/metrics", headers=new)[2], 5, "one stream is left")
            for stream in (one, two):
                while stream.next() is not None:  # IncompleteRead if it were cut off
                    pass
            peer.terminate()
            own.until("left", peer.addr)
        self.assertEqual(opened(token).status, 401)
        with opened("0123456789abcdef-two") as stream:
            self.assertEqual(stream.status, 200)

    def test_ends_with_the_daemon(self):
        path = os.path.join(self.directory, "control.sock")
        node = self.quick("--control-socket", path)
        streams = [Stream(node).wait_ready(), Stream(node, path=path).wait_ready()]
        node.terminate()
        for stream in streams:
            events = []
            while (event := stream.next()) is not None:  # IncompleteRead if it were cut off
                events.append(event)
            self.assertEqual([e.kind for e in events], ["leave-done"])
            stream.close()

    def test_too_many(self):
        path = os.path.join(self.directory, "control.sock")
        node = self.quick("--control-socket", path)
        streams = [Stream(node).wait_ready() for _ in range(PUBLIC_MAX)]
        local = [Stream(node, path=path).wait_ready() for _ in range(CONTROL_MAX)]
        for where in (None, path):
            with Stream(node, path=where) as refused:
                self.assertEqual(refused.status, 503)
                self.assertGreater(int(refused.answer.headers["Retry-After"]), 0)
        self.assertEqual(node.http("/membership")[0], 200, "the others are answered")
        figures = node.metrics()
        self.assertEqual(figures["swim_event_streams"], PUBLIC_MAX + CONTROL_MAX)
        self.assertEqual(figures["swim_event_streams_refused_total"], 2)
        streams.pop().close()

        def again():
            with Stream(node) as stream:
                return stream.status == 200
        swimtest.wait_until(again, 5, "a place is free again")
        for stream in streams + local:
            stream.close()
        swimtest.wait_until(lambda: self.listeners(node) == 0, 5, "all are gone")
        self.assertEqual(node.terminate() < 5, True)

    def test_vanishing(self):
        # Half of them say nothing more, half reset; AddressSanitizer's build looks for leaks.
        node = self.quick(heartbeat_ms=100)
        for round_number in range(40):
            stream = Stream(node).wait_ready()
            if round_number % 2:
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                         struct.pack("ii", 1, 0))
            stream.close()
            swimtest.wait_until(lambda: self.listeners(node) <= 2, 5, "it is noticed")
        swimtest.wait_until(lambda: self.listeners(node) == 0, 5, "all are gone")
        node.terminate()

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not there")
    def test_schema(self):
        with open(os.path.join(swimtest.ROOT, "docs", "events.schema.json"),
                  encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        first = self.quick("--name", "same")
        with Stream(first, "?snapshot=1", last_id="0123456789abcdef-1") as stream:
            told = stream.until("snapshot-end")
            second = self.node("--name", "same", peers=[first])
            told += stream.until("name-conflict")
            self.assertEqual(told[-1].json["other"], first.self_id())
            second.kill()
            told += stream.until("failed", second.addr)
            first.signal(15)
            told += stream.until("leave-done")
        self.assertEqual({e.kind for e in told} - {"retagged"}, {
            "missed", "snapshot", "snapshot-end", "joined", "name-conflict", "suspected", "failed",
            "leave-done"})
        for event in told:
            validator.validate(event.json)
        for wrong in ({"kind": "joined"}, dict(told[-1].json, kind="gone"),
                      dict(told[-1].json, more=1)):
            self.assertFalse(validator.is_valid(wrong), wrong)

    def test_every_kind_is_documented(self):
        def read(*path):
            with open(os.path.join(swimtest.ROOT, *path), encoding="utf-8") as file:
                return file.read()
        known = {name.lower().replace("_", "-")
                 for name in re.findall(r"^    SWIM_EVENT_(\w+)(?: = 1)?,",
                                        read("include", "swim", "swim.h"), re.M)}
        self.assertGreaterEqual(len(known), 16)
        schema = json.loads(read("docs", "events.schema.json"))["$defs"]
        self.assertEqual(set(schema["event"]["properties"]["kind"]["enum"]), known)
        table = read("docs", "events.md").split("| kind | what happened |")[1].split("\n\n")[0]
        self.assertEqual(set(re.findall(r"^\| `([a-z-]+)` \|", table, re.M)), known)


class Slow(swimtest.SwimTestCase):
    """Listeners that don't read, while thousands of members are told of."""

    side_by_side = True

    def crowd(self, node, count):
        """That many members, made up by one that is there. Nobody is at their addresses."""
        peer = CapablePeer(self)
        peer.join(node)
        made_up = [entry(swimtest.rng.randrange(1, 1 << 63), f"127.1.{i >> 8}.{i & 255}:9",
                         heartbeat=1) for i in range(count)]
        for at in range(0, count, 58):
            peer.send(node, GOSSIP, b"".join(made_up[at:at + 58]))
            time.sleep(0.02)  # its allowance is 50 datagrams a second in the long run
        return peer

    def deaf(self, node, query=""):
        """A connection that asks for events and doesn't read."""
        raw = socket.socket()
        self.addCleanup(raw.close)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(20 * swimtest.FACTOR)
        raw.connect(("127.0.0.1", node.metrics_port))
        raw.sendall(f"GET /events{query} HTTP/1.0\r\n\r\n".encode())
        return raw

    @staticmethod
    def rest(raw):
        data = b""
        while piece := raw.recv(65536):
            data += piece
        return data

    def dropped(self, node):
        return node.metrics()["swim_event_streams_dropped_total"]

    def assert_told(self, data, reason):
        self.assertLess(len(data), HELD_MAX + 64 * 1024, "what it holds is bounded")
        blocks = data.decode().split("\n\n")
        self.assertEqual(blocks.pop(), "", "complete to the end")
        last = dict(line.split(": ", 1) for line in blocks[-1].splitlines())
        self.assertEqual(last["event"], "dropped")
        self.assertIn(reason, json.loads(last["data"])["reason"])
        numbers = [int(line.rsplit("-", 1)[1]) for block in blocks[1:]
                   for line in block.splitlines() if line.startswith("id: ")]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "no gap in what it got")
        self.assertGreater(len(numbers), 100)
        return json.loads(last["data"])["id"]

    def test_overtaken(self):
        node = self.node().await_http()
        raw = self.deaf(node)
        quick = Stream(node).wait_ready()
        numbers = []
        reader = threading.Thread(target=lambda: numbers.extend(
            quick.next().number() for _ in range(JOURNAL_MAX + 1000)), daemon=True)
        reader.start()
        self.crowd(node, JOURNAL_MAX + 1800)
        swimtest.wait_until(lambda: self.dropped(node) == 1, 9, "the slow one is dropped")
        place = self.assert_told(self.rest(raw), "too slow")
        with Stream(node, last_id=place) as again:
            told = again.next()
            self.assertEqual((told.kind, told.json["reason"]), ("missed", "overwritten"))
            self.assertEqual(again.next().number(),
                             int(place.rsplit("-", 1)[1]) + told.json["missed"] + 1)
        reader.join(20 * swimtest.FACTOR)
        self.assertEqual(numbers, list(range(1, JOURNAL_MAX + 1001)), "who reads misses nothing")
        quick.close()

    def test_stalled(self):
        node = self.node().await_http()
        raw = self.deaf(node)
        self.crowd(node, 1500)
        swimtest.wait_until(lambda: self.dropped(node) == 1, 25, "the deaf one is dropped")
        self.assert_told(self.rest(raw), "nothing was read")

    def test_never_reads(self):
        # Told or not, it is gone in the end.
        node = self.node().await_http()
        raw = self.deaf(node)
        self.crowd(node, 1500)
        swimtest.wait_until(lambda: self.dropped(node) == 1, 25, "the deaf one is dropped")
        swimtest.wait_until(lambda: node.metrics()["swim_http_connections"] <= 1, 25,
                            "its connection is closed")
        raw.close()

    def test_large_snapshot(self):
        node = self.node().await_http()
        self.crowd(node, 3000)
        swimtest.wait_until(lambda: node.counter("alive") >= 3000, 9, "they are there")
        with Stream(node, "?snapshot=1") as stream:
            members = set()
            while (event := stream.next()).kind != "snapshot-end":
                if event.kind == "snapshot":
                    members.add(event.json["member"]["id"])
            self.assertGreaterEqual(len(members), 3000)


if __name__ == "__main__":
    swimtest.main()
