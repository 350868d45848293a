// A stream of server-sent events, read from fetch: EventSource can't send a token.
// https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6

const EVENT_MAX = 1 << 20; // characters; the longest event of a node's is under 8 KiB

export class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.lastId = "";
    this.clear();
  }

  clear() {
    this.kind = "";
    this.data = [];
  }

  // Takes the next piece of the stream.
  push(text) {
    this.rest += text;
    let from = 0;
    for (;;) {
      const end = this.rest.slice(from).search(/[\r\n]/);
      if (end < 0) {
        break;
      }
      const at = from + end;
      if (this.rest[at] === "\r" && at + 1 === this.rest.length) {
        break; // a line feed may follow
      }
      this.line(this.rest.slice(from, at));
      from = at + (this.rest.startsWith("\r\n", at) ? 2 : 1);
    }
    this.rest = this.rest.slice(from);
    if (this.rest.length > EVENT_MAX) {
      throw new Error("an event without an end");
    }
  }

  line(line) {
    if (line === "") {
      this.dispatch();
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      return; // a comment: the heartbeat
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id" && !value.includes("\0")) {
      this.lastId = value;
    } else if (field === "event") {
      this.kind = value;
    } else if (field === "data") {
      this.data.push(value);
    }
  }

  dispatch() {
    const { kind, data } = this;
    this.clear();
    if (data.length > 0) {
      this.onEvent({ id: this.lastId, kind: kind || "message", data: data.join("\n") });
    }
  }
}
