// What is fetched from the node, and what is known of the way there: a snapshot of the members,
// then their events as a stream; where there is no stream, a snapshot each second. The figures are
// asked for each second. Lost connections are tried again, more and more slowly.
import { EventParser } from "./sse.js";

const POLL_MS = 1000;
const RESYNC_MS = 15000; // round trips and incarnations are in no event
const STREAM_AGAIN_MS = 30000; // a node without a stream may be replaced by one that has it
const SILENCE_MS = 40000; // a stream has a heartbeat each 15 s
const ANSWER_MS = 8000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10000;
const TOKEN_KEY = "swim-token";

function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

class Refused extends Error {}

export class Source {
  // `on`: members(nodes, isToldElsewhere), event(event, isPast), metrics(object, ready),
  // link({state, since, retryAt}).
  constructor(on) {
    this.on = on;
    this.token = sessionStorage.getItem(TOKEN_KEY) ?? "";
    this.lastId = "";
    this.lastAnswer = 0;
    this.failures = 0;
    this.link = { state: "connecting", since: Date.now(), retryAt: 0 };
    this.wake = new AbortController();
    this.unlocked = null;
    this.isStreaming = false;
  }

  start() {
    this.follow();
    this.measure();
  }

  // ---- The token ----

  setToken(token) {
    this.token = token;
    if (token) {
      sessionStorage.setItem(TOKEN_KEY, token);
    } else {
      sessionStorage.removeItem(TOKEN_KEY);
    }
    this.unlocked?.resolve();
    this.unlocked = null;
    this.wake.abort();
    this.wake = new AbortController();
  }

  // Resolves when there is another token to try.
  async waitForToken() {
    this.tell("locked");
    if (!this.unlocked) {
      this.unlocked = Promise.withResolvers ? Promise.withResolvers() : deferred();
    }
    await this.unlocked.promise;
    this.tell("connecting");
  }

  // ---- The link ----

  tell(state, retryAt = 0) {
    const since = this.link.state === state ? this.link.since :
      (state === "lost" && this.lastAnswer) || Date.now();
    if (this.link.state !== state || this.link.retryAt !== retryAt) {
      this.link = { state, since, retryAt };
      this.on.link(this.link);
    }
  }

  async ask(path, headers = {}, signal = AbortSignal.timeout(ANSWER_MS)) {
    const all = this.token ? { ...headers, Authorization: `Bearer ${this.token}` } : headers;
    const answer = await fetch(path, { headers: all, cache: "no-store", redirect: "error", signal });
    if (answer.status === 401) {
      throw new Refused();
    }
    this.lastAnswer = Date.now();
    return answer;
  }

  async askJson(path) {
    const answer = await this.ask(path);
    if (!answer.ok && answer.status !== 503) {
      throw new Error(`${path}: ${answer.status}`);
    }
    return answer.json();
  }

  // ---- Members ----

  async follow() {
    for (;;) {
      try {
        if (!(await this.stream())) {
          await this.poll();
        }
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  async recover(error) {
    if (error instanceof Refused) {
      await this.waitForToken();
      return;
    }
    const wait = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** this.failures);
    this.failures += 1;
    this.tell("lost", Date.now() + wait);
    await sleep(wait, this.wake.signal);
  }

  async snapshot(isToldElsewhere) {
    const { nodes } = await this.askJson("/membership");
    this.failures = 0;
    this.on.members(nodes, isToldElsewhere);
  }

  async poll() {
    const end = Date.now() + STREAM_AGAIN_MS;
    while (Date.now() < end) {
      const began = Date.now();
      await this.snapshot(false);
      this.tell("polling");
      // A large cluster's list takes its time: at most a fifth of it is spent on this.
      await sleep(Math.max(POLL_MS, 5 * (Date.now() - began)), this.wake.signal);
    }
  }

  // Follows the stream until it ends; false if the node has none.
  async stream() {
    const silence = new AbortController();
    // At first, whatever the node still holds.
    const headers = { "Last-Event-ID": this.lastId || "0" };
    let timer = setTimeout(() => silence.abort(), ANSWER_MS);
    try {
      const answer = await this.ask("/events", { Accept: "text/event-stream", ...headers },
        silence.signal);
      if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("text/event-stream")) {
        silence.abort();
        return false;
      }
      await this.read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), () => {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
      });
      return true;
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  // What comes before the snapshot is there waits for it, and then leads to the same: the last event
  // of each member says how it is.
  async read(reader, onSign) {
    let waiting = [];
    const take = (event) => (waiting ? waiting.push(event) : this.hear(event, false));
    const parser = new EventParser(take);
    const ended = (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          return;
        }
        onSign();
        parser.push(value);
        if (!waiting) {
          this.lastId = parser.lastId;
        }
      }
    })();
    ended.catch(() => {}); // it is awaited below
    try {
      await this.snapshot(true);
      const held = waiting;
      waiting = null;
      held.forEach((event) => this.hear(event, true));
      this.lastId = parser.lastId;
      this.isStreaming = true;
      this.tell("live");
      const resync = setInterval(() => this.snapshot(true).catch(() => {}), RESYNC_MS);
      await ended.finally(() => clearInterval(resync));
    } finally {
      this.isStreaming = false;
      reader.cancel().catch(() => {});
    }
  }

  hear({ kind, data }, isPast) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    this.on.event({ ...event, kind: typeof event?.kind === "string" ? event.kind : kind }, isPast);
  }

  // ---- Figures ----

  async measure() {
    for (;;) {
      const began = Date.now();
      try {
        const [metrics, ready] = await Promise.all([this.askJson("/metrics/json"),
          this.askJson("/readyz")]);
        this.on.metrics(metrics, ready);
        if (this.isStreaming) {
          this.tell("live"); // it was silent for a while
        }
      } catch {
        // The members' side says what is wrong, unless its stream is only silent.
        if (this.link.state === "live" && Date.now() - this.lastAnswer > ANSWER_MS) {
          this.tell("lost", 0);
        }
      }
      await sleep(Math.max(100, POLL_MS - (Date.now() - began)));
    }
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
