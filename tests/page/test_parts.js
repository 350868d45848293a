// The page's parts that need no browser: the stream's parser, the search, and the model.
import assert from "node:assert/strict";
import test from "node:test";
import { bytes, seconds, short } from "../../src/agent/page/format.js";
import { Cluster } from "../../src/agent/page/model.js";
import { parseQuery } from "../../src/agent/page/query.js";
import { EventParser } from "../../src/agent/page/sse.js";

function parse(...pieces) {
  const events = [];
  const parser = new EventParser((event) => events.push(event));
  pieces.forEach((piece) => parser.push(piece));
  return events;
}

const STREAM = ": heartbeat\r\n\r\nid: 7-1\nevent: joined\ndata: {\"a\":\ndata: 1}\n\nid:7-2\r" +
  "data:second\r\rdata\n\nevent: nothing\n\nid: 7-3\nfield: ignored\ndata:  two spaces\n\n" +
  "data: without an end";
const EVENTS = [{ id: "7-1", kind: "joined", data: "{\"a\":\n1}" },
  { id: "7-2", kind: "message", data: "second" }, { id: "7-2", kind: "message", data: "" },
  { id: "7-3", kind: "message", data: " two spaces" }];

test("a stream of events is understood, however it is cut", () => {
  assert.deepEqual(parse(STREAM), EVENTS);
  assert.deepEqual(parse(...STREAM), EVENTS, "one character at a time");
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    assert.deepEqual(parse(STREAM.slice(0, cut), STREAM.slice(cut)), EVENTS, `cut at ${cut}`);
  }
});

test("a stream without an end is given up", () => {
  const parser = new EventParser(() => {});
  assert.throws(() => {
    for (let i = 0; i < 100; i += 1) {
      parser.push("x".repeat(65536));
    }
  });
});

function node(id, changes = {}) {
  return { id, addr: `10.0.0.${id}:7000`, status: "alive", incarnation: 0, heartbeat: 1,
    self: false, capable: true, ...changes };
}

test("the search finds what is meant", () => {
  const cluster = new Cluster();
  cluster.replace([
    node("1", { name: "db-1", tags: { role: "db", zone: "eu west" } }),
    node("2", { name: "db-2", status: "suspect", tags: { role: "db" } }),
    node("3", { name: "web-1", status: "dead", tags: { role: "web", db: "" } }),
    node("12"),
  ], 0);
  const cases = {
    "": "1 2 3 12", "  ": "1 2 3 12", db: "1 2 3", "DB-": "1 2", "tag:role=db": "1 2",
    "tag:role": "1 2 3", "tag:db": "3", "TAG:Role=WEB": "3", "tag:role=d": "",
    'tag:zone="eu west"': "1", '"eu west"': "1", "status:suspect": "2", "status:suspect,dead": "2 3",
    "status:sus": "2", "-status:alive": "2 3", "db -status:dead": "1 2", "10.0.0.1": "1 12",
    "addr:10.0.0.2:7000": "2", "10.0.0.2:7000": "2", "id:12": "12", "name:db": "1 2",
    "tag:": "1 2 3 12", "status:": "1 2 3 12", "-": "", "nothing:here": "", '"': "1 2 3 12",
    "tag:role=db status:alive": "1", "-tag:role": "12",
  };
  for (const [query, expected] of Object.entries(cases)) {
    const isMeant = parseQuery(query);
    const found = [...cluster.members.values()].filter(isMeant).map(({ id }) => id);
    if (query === "-") {
      assert.deepEqual(found, ["1", "2", "3"], "a minus alone is a word");
    } else {
      assert.equal(found.join(" "), expected, `search: ${query}`);
    }
  }
});

test("what happened between two lists is told once", () => {
  const cluster = new Cluster();
  const kinds = (nodes) => cluster.replace(nodes, 0).map(({ kind, member }) => `${kind} ${member.id}`);
  assert.deepEqual(kinds([node("1", { self: true }), node("2"), node("3")]), [], "the first one");
  assert.deepEqual(kinds([node("1", { self: true }), node("2", { status: "suspect" }), node("4")]),
    ["suspected 2", "joined 4", "forgotten 3"]);
  assert.deepEqual(kinds([node("1", { self: true }), node("2"), node("4", { status: "dead" })]),
    ["recovered 2", "failed 4"]);
  assert.deepEqual(kinds([node("1", { self: true }), node("2", { status: "left" }), node("4")]),
    ["left 2", "joined 4"]);
  assert.deepEqual(kinds([node("1", { self: true }), node("2", { status: "left" }),
    node("4", { tags: { role: "db" } })]), ["retagged 4"]);
  assert.deepEqual(kinds([node("1", { self: true, heartbeat: 9 }), node("2", { status: "left" }),
    node("4", { tags: { role: "db" }, rtt_seconds: 5 })]), [], "no news");
  assert.deepEqual(cluster.counts, { alive: 2, suspect: 0, dead: 0, left: 1 });
  assert.equal(cluster.self.id, "1");
  cluster.replace([node("1", { tags: { zone: "eu", metrics: "10.0.0.1:9100", alpha: "x" } })], 0);
  assert.equal(cluster.members.get("1").tagText, "alpha=x zone=eu metrics=10.0.0.1:9100");
});

test("events change the members, and nonsense doesn't", () => {
  const cluster = new Cluster();
  cluster.replace([node("1", { self: true }), node("2")], 0);
  cluster.apply({ kind: "failed", member: node("2", { status: "dead" }) }, 5);
  assert.deepEqual(cluster.counts, { alive: 1, suspect: 0, dead: 1, left: 0 });
  assert.equal(cluster.apply({ kind: "forgotten", member: node("2") }, 6).id, "2");
  assert.equal(cluster.total, 1);
  assert.equal(cluster.apply({ kind: "paused" }, 7), null);
  assert.equal(cluster.apply({ kind: "paused", member: null }, 7), null);
  cluster.apply({ kind: "joined", member: { id: "9", addr: "x", status: "__proto__", tags: 5,
    name: { toString: 1 }, incarnation: "x", rtt_seconds: -1, changed: "never" } }, 8);
  assert.equal(cluster.members.get("9").status, "left");
  assert.deepEqual(Object.keys(cluster.counts), ["alive", "suspect", "dead", "left"]);
});

test("figures are short", () => {
  assert.deepEqual([0, 0.234, 1.26, 12.34, 250.4, 9999, 12345, 3456789].map(short),
    ["0", "0.2", "1.3", "12", "250", "9,999", "12.3 k", "3.46 M"]);
  assert.deepEqual([0, 999, 1024, 1536, 5 << 20].map(bytes),
    ["0 B", "999 B", "1 KiB", "1.5 KiB", "5 MiB"]);
  assert.deepEqual([95e-6, 0.0123, 1.5].map(seconds), ["95 µs", "12 ms", "1.5 s"]);
});
