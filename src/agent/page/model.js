// The members as this page knows them: snapshots and events go in, what changed comes out.

import { plural, seconds } from "./format.js";

export const STATES = ["alive", "suspect", "dead", "left"];

// Kinds of events: the sign, and words that follow the member's name.
const KINDS = {
  joined: ["alive", "joined"],
  recovered: ["alive", "is alive after all"],
  restarted: ["alive", "restarted"],
  suspected: ["suspect", "is suspected"],
  failed: ["dead", "failed"],
  left: ["left", "left"],
  forgotten: ["left", "was forgotten"],
  updated: ["note", "has a new incarnation or address"],
  retagged: ["note", "changed name or tags"],
  "name-conflict": ["suspect", "has a name that another member has, too"],
  refuted: ["note", "refuted a claim about itself"],
  paused: ["suspect", "had been paused: its timers started again"],
  "id-changed": ["note", "has a new id"],
  "table-full": ["suspect", "has no room for more members"],
  "leave-done": ["left", "has left the cluster"],
  missed: ["note", "Some events were missed"],
  dropped: ["note", "This page was too slow for the stream, and asks again"],
  pong: ["note", "answered a ping"],
  restored: ["note", "Connected again"],
  lost: ["suspect", "The connection was lost"],
};

const MISSED = {
  overwritten: ({ missed }) => `${plural(Number(missed) || 0, "event")} missed: they came too fast`,
  restarted: () => "This node was started again: what happened before may be missed",
  unknown: () => "Some events may be missed: this node does not know the last one that was seen",
};

// An event in words: its sign, and what follows the member's name, if it has a member.
export function describe(event) {
  const [sign, words] = Object.hasOwn(KINDS, event.kind) ? KINDS[event.kind] :
    ["note", String(event.kind).replaceAll("-", " ")];
  if (event.kind === "missed" && Object.hasOwn(MISSED, event.reason)) {
    return { sign, words: MISSED[event.reason](event) };
  }
  if (event.kind === "pong") {
    return event.rtt_seconds > 0 ? { sign, words: `${words} in ${seconds(event.rtt_seconds)}` } :
      { sign: "suspect", words: "did not answer a ping" };
  }
  if (event.kind === "paused" && event.paused_seconds > 0) {
    return { sign, words: `had been paused for ${seconds(event.paused_seconds)}` };
  }
  return { sign, words };
}

// Set by swimd itself, for Prometheus: it is the last that anybody looks for.
const METRICS_TAG = "metrics";

function tagsOf(node) {
  const tags = node.tags;
  if (tags === null || typeof tags !== "object") {
    return [];
  }
  return Object.entries(tags).map(([key, value]) => [key, String(value)])
    .sort(([a], [b]) => (a === METRICS_TAG) - (b === METRICS_TAG) || (a < b ? -1 : 1));
}

// Round trips come in seconds, or not at all.
function rttOf(node) {
  const seconds = Number(node.rtt_seconds);
  return seconds > 0 ? seconds : null;
}

function memberOf(node, now) {
  const member = {
    id: String(node.id),
    name: typeof node.name === "string" ? node.name : "",
    addr: String(node.addr),
    status: STATES.includes(node.status) ? node.status : "left",
    incarnation: Number(node.incarnation) || 0,
    heartbeat: Number(node.heartbeat) || 0,
    self: node.self === true,
    capable: node.capable !== false,
    tags: tagsOf(node),
    rtt: rttOf(node),
    changed: Date.parse(node.changed) || now,
  };
  member.label = member.name || member.addr;
  member.tagText = member.tags.map(([key, value]) => `${key}=${value}`).join(" ");
  member.text = [member.name, member.addr, member.id, member.status, member.tagText].join("\n")
    .toLowerCase();
  return member;
}

const KIND_OF_STATUS = { suspect: "suspected", dead: "failed", left: "left" };

// What must have happened between two looks at a member, null for nothing worth telling.
function kindBetween(before, after) {
  if (before === undefined) {
    return KIND_OF_STATUS[after.status] ?? "joined";
  }
  if (before.status !== after.status) {
    return KIND_OF_STATUS[after.status] ?? (before.status === "suspect" ? "recovered" : "joined");
  }
  return before.name !== after.name || before.tagText !== after.tagText ? "retagged" : null;
}

export class Cluster {
  constructor() {
    this.members = new Map();
    this.counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    this.self = null;
    this.isKnown = false; // has there been a snapshot?
    this.setVersion = 0; // grows when members come, go, or change their names
    this.textVersion = 0; // grows when their names, addresses or tags may be others
  }

  put(node, now) {
    const member = memberOf(node, now);
    const before = this.members.get(member.id);
    if (before) {
      this.counts[before.status] -= 1;
      if (member.rtt === null) {
        member.rtt = before.rtt;
      }
      if (!node.changed && before.status === member.status) {
        member.changed = before.changed;
      }
    }
    this.counts[member.status] += 1;
    this.members.set(member.id, member);
    if (!before || before.label !== member.label || before.self !== member.self) {
      this.setVersion += 1;
    }
    if (!before || before.addr !== member.addr || before.label !== member.label ||
        before.tagText !== member.tagText) {
      this.textVersion += 1;
    }
    if (member.self) {
      this.self = member;
    }
    return { before, member };
  }

  remove(id) {
    const before = this.members.get(id);
    if (before) {
      this.counts[before.status] -= 1;
      this.members.delete(id);
      this.setVersion += 1;
    }
    return before;
  }

  // Takes a whole list. Returns what changed as [{kind, member}]; nothing for the first one.
  replace(nodes, now) {
    const changes = [];
    const seen = new Set();
    for (const node of nodes) {
      const { before, member } = this.put(node, now);
      seen.add(member.id);
      const kind = kindBetween(before, member);
      if (kind) {
        changes.push({ kind, member });
      }
    }
    for (const id of [...this.members.keys()]) {
      if (!seen.has(id)) {
        changes.push({ kind: "forgotten", member: this.remove(id) });
      }
    }
    const isFirst = !this.isKnown;
    this.isKnown = true;
    return isFirst ? [] : changes;
  }

  // Takes one event of the node's. Returns the member as it is now, or was; null if it names none.
  apply(event, now) {
    if (event.member === null || typeof event.member !== "object") {
      return null;
    }
    if (event.kind === "forgotten") {
      return this.remove(String(event.member.id)) ?? memberOf(event.member, now);
    }
    return this.put(event.member, now).member;
  }

  get total() {
    return this.members.size;
  }
}
