// Real swimd processes on loopback, for a browser to look at. Each is ended by its own process id,
// also when a test fails; a failed test's nodes show their logs.
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const SWIMD = process.env.SWIMD ?? path.join(ROOT, "build", "swimd");
export const FACTOR = Number(process.env.SWIM_TIME_FACTOR ?? 1);

// What a test that has failed leaves behind, each with a function stop().
export const atEnd = new Set();
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

// Polls until `probe` returns something true, and returns that.
export async function until(what, seconds, probe) {
  const end = Date.now() + seconds * 1000 * FACTOR;
  let seen;
  for (;;) {
    seen = await probe();
    if (seen) {
      return seen;
    }
    if (Date.now() > end) {
      throw new Error(`not within ${seconds * FACTOR} s: ${what}; last seen: ${JSON.stringify(seen)}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

const given = new Set();

function isFree(kind, port) {
  return new Promise((resolve) => {
    if (kind === "udp") {
      const socket = dgram.createSocket("udp4");
      socket.once("error", () => socket.close(() => resolve(false)));
      socket.bind(port, "127.0.0.1", () => socket.close(() => resolve(true)));
    } else {
      const server = net.createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    }
  });
}

// A port free for UDP and TCP, below the range that the kernel hands out by itself.
export async function freePort() {
  for (;;) {
    const port = 10240 + Math.floor(Math.random() * (32768 - 10240));
    if (!given.has(port) && await isFree("udp", port) && await isFree("tcp", port)) {
      given.add(port);
      return port;
    }
  }
}

export class Node {
  constructor({ name, peers = [], config = "", directory }) {
    Object.assign(this, { name, peers, config, directory });
  }

  async start() {
    this.port ??= await freePort();
    this.httpPort ??= await freePort();
    this.addr = `127.0.0.1:${this.port}`;
    this.url = `http://127.0.0.1:${this.httpPort}/`;
    this.configPath = path.join(this.directory, `${this.name}.toml`);
    this.configure(this.config);
    this.log = fs.openSync(path.join(this.directory, `${this.name}.log`), "a");
    const peers = this.peers.length ? ["--peers", this.peers.map(({ addr }) => addr).join(",")] : [];
    this.child = spawn(SWIMD, ["--bind", this.addr, "--metrics-port", String(this.httpPort),
      "--name", this.name, "--config", this.configPath, ...peers], { stdio: ["ignore", this.log, this.log] });
    this.ended = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => {
        running.delete(this.child);
        atEnd.delete(this);
        fs.closeSync(this.log);
        resolve(signal ?? code);
      });
    });
    running.add(this.child);
    atEnd.add(this);
    await until(`${this.name} answers`, 10, async () => {
      if (!running.has(this.child)) {
        throw new Error(`${this.name} has ended:\n${this.readLog()}`);
      }
      return fetch(`${this.url}healthz`).then(({ ok }) => ok, () => false);
    });
    return this;
  }

  // What its file says from now on, beside its name; SIGHUP tells it to look.
  configure(config) {
    fs.writeFileSync(this.configPath, `[node]\nname = "${this.name}"\n${config}`);
  }

  readLog() {
    return fs.readFileSync(path.join(this.directory, `${this.name}.log`), "utf8");
  }

  async end(signal) {
    this.child.kill(signal);
    return this.ended;
  }

  stop() {
    return this.end("SIGKILL");
  }

  signal(signal) {
    this.child.kill(signal);
  }

  async members() {
    const answer = await fetch(`${this.url}membership`);
    return (await answer.json()).nodes;
  }

  async id() {
    return (await this.members()).find(({ self }) => self).id;
  }
}

// Nodes of these names that all see each other. `configOf(name)` is the file of each.
export async function startCluster(names, configOf = () => "") {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "swim-page-"));
  const count = names.length;
  const nodes = [];
  for (const name of names) {
    const node = new Node({ name, directory, peers: nodes.slice(0, 2), config: configOf(name) });
    nodes.push(await node.start());
  }
  await until(`${count} nodes see each other`, 15, async () => {
    const views = await Promise.all(nodes.map((node) => node.members()));
    return views.every((view) => view.filter(({ status }) => status === "alive").length === count);
  });
  return nodes;
}

export async function endAll() {
  for (const one of [...atEnd]) {
    await one.stop();
  }
}

export async function endCluster(nodes) {
  for (const node of nodes) {
    if (running.has(node.child)) {
      await node.end("SIGKILL");
    }
  }
  fs.rmSync(nodes[0].directory, { recursive: true, force: true });
}
