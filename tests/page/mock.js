// A node that says whatever a test wants: thousands of members, hostile ones, streams that break.
// The document and its policy are those of a real swimd; only what it fetches is made up.
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { atEnd, freePort, Node } from "./cluster.js";

const ACCEPT = "text/html";

// What a real swimd answers a browser with: {body, headers}.
export async function realDocument() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "swim-page-"));
  const node = await new Node({ name: "node1", directory }).start();
  const answer = await fetch(node.url, { headers: { Accept: ACCEPT } });
  const document = { body: await answer.text(), headers: Object.fromEntries(answer.headers) };
  await node.end("SIGKILL");
  fs.rmSync(directory, { recursive: true, force: true });
  delete document.headers["content-length"];
  delete document.headers.date;
  delete document.headers.connection;
  return document;
}

export function member(number, changes = {}) {
  return { id: String(1000 + number), addr: `10.0.${number >> 8}.${number & 255}:7000`,
    status: "alive", incarnation: 0, heartbeat: 1, self: number === 0, capable: true,
    changed: "2026-01-31T12:00:00.000Z", name: `node-${number}`, ...changes };
}

export function members(count, changesOf = () => ({})) {
  return Array.from({ length: count }, (_, number) => member(number, changesOf(number)));
}

export class MockNode {
  constructor(document, { nodes = members(5), hasStream = true, token = "" } = {}) {
    Object.assign(this, { document, nodes, hasStream, token });
    this.streams = new Set();
    this.sockets = new Set();
    this.resumedFrom = []; // the Last-Event-ID of each stream
    this.asked = new Map(); // how often each path was
    this.sequence = 0;
    this.began = Date.now();
  }

  async start() {
    this.port ??= await freePort();
    this.url = `http://127.0.0.1:${this.port}/`;
    this.server = http.createServer((request, response) => this.answer(request, response));
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise((resolve) => {
      this.server.listen(this.port, "127.0.0.1", resolve);
    });
    atEnd.add(this);
    return this;
  }

  async stop() {
    atEnd.delete(this);
    this.streams.clear();
    this.sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  metrics() {
    const s = Math.floor((Date.now() - this.began) / 100);
    return { datagrams_sent: 40 * s, datagrams_recv: 41 * s, bytes_sent: 4000 * s,
      bytes_recv: 4100 * s, gossip_rounds: s, probe_rtt_seconds_count: s,
      probe_rtt_seconds_sum: 0.0003 * s, digests_equal: s, digests_different: 0, local_health: 0,
      gossip_queue_depth: 3, ...this.figures };
  }

  answer(request, response) {
    const route = new URL(request.url, this.url).pathname;
    this.asked.set(route, (this.asked.get(route) ?? 0) + 1);
    if (this.isSilent) {
      return; // the client waits
    }
    const json = (status, value) => {
      response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
      response.end(JSON.stringify(value));
    };
    if (route === "/") {
      response.writeHead(200, this.document.headers);
      response.end(this.document.body);
    } else if (this.token && request.headers.authorization !== `Bearer ${this.token}`) {
      json(401, {});
    } else if (route === "/membership") {
      json(200, { nodes: this.nodes });
    } else if (route === "/metrics/json") {
      json(200, this.metrics());
    } else if (route === "/readyz") {
      json(200, { ready: true });
    } else if (route === "/events" && this.hasStream) {
      this.stream(request, response);
    } else {
      json(404, {});
    }
  }

  stream(request, response) {
    this.resumedFrom.push(request.headers["last-event-id"] ?? "");
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    response.write(": heartbeat\n\n");
    this.streams.add(response);
    response.on("close", () => this.streams.delete(response));
  }

  // Changes a member, and says so to whoever listens.
  happen(kind, changed) {
    this.sequence += 1;
    const index = this.nodes.findIndex(({ id }) => id === changed.id);
    if (kind === "forgotten") {
      this.nodes.splice(index, 1);
    } else if (index >= 0) {
      this.nodes[index] = changed;
    } else {
      this.nodes.push(changed);
    }
    this.say({ kind, time: new Date().toISOString(), member: changed });
  }

  say(event) {
    const id = `${this.began}-${this.sequence}`;
    const text = `id: ${id}\nevent: ${event.kind}\ndata: ${JSON.stringify({ id, ...event })}\n\n`;
    this.streams.forEach((response) => response.write(text));
  }
}
