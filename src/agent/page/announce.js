// Changes of members in words, for screen readers: single ones by name, many at once by number.
import { byId } from "./dom.js";
import { plural } from "./format.js";
import { describe } from "./model.js";

const GATHER_MS = 1000;
const NAMED_MAX = 3;

export class Announcer {
  constructor() {
    this.waiting = [];
    this.timer = 0;
  }

  add(event, member) {
    this.waiting.push({ event, member });
    this.timer ||= setTimeout(() => this.speak(), GATHER_MS);
  }

  speak() {
    const events = this.waiting;
    this.waiting = [];
    this.timer = 0;
    byId("announcer").textContent = events.length <= NAMED_MAX ?
      events.map(({ event, member }) => `${member ? `${member.label} ` : ""}${describe(event).words}`)
        .join(". ") : byKind(events);
  }
}

function byKind(events) {
  const kinds = new Map();
  for (const { event: { kind } } of events) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, number]) =>
    `${plural(number, "member")}: ${describe({ kind }).words}`).join(". ");
}
