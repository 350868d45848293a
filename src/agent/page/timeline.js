// What happened, the newest first.
import { byId, el, glyph, setText } from "./dom.js";
import { clock, dateTime, plural } from "./format.js";
import { describe } from "./model.js";

const EVENTS_MAX = 200;
const STEP = 20; // events put into the list at a time: each takes the style and layout of six elements

export class Timeline {
  constructor(list, onChoose) {
    this.list = list;
    this.waiting = [];
    this.list.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-id]");
      if (button) {
        onChoose(button.dataset.id, button);
      }
    });
  }

  // `member` is null for what concerns no member.
  add(event, time, member) {
    this.waiting.push({ event, time, member });
    if (this.waiting.length > EVENTS_MAX) {
      this.waiting.shift();
    }
  }

  makeItem({ event, time, member }) {
    const { sign, words } = describe(event);
    const what = el("span", { class: "what" });
    if (member) {
      what.append(el("button", { type: "button", class: member.name ? "link" : "link is-unnamed", "data-id": member.id,
        title: `${member.addr}, id ${member.id}` }, member.label), ` ${words}`);
    } else {
      what.append(words);
    }
    return el("li", { "data-kind": event.kind }, el("time", { datetime: new Date(time).toISOString(),
      title: dateTime(time) }, clock(time)), glyph(sign), what);
  }

  // Who has joined is known by an address alone for a moment: then by its name, here too, also where
  // it is gone since: other events have the name.
  rename(cluster) {
    const unnamed = this.list.querySelectorAll("button.is-unnamed");
    const told = new Map();
    if (unnamed.length > 0) {
      for (const button of this.list.querySelectorAll("button.link:not(.is-unnamed)")) {
        told.set(button.dataset.id, button.textContent);
      }
    }
    for (const button of unnamed) {
      const name = cluster.members.get(button.dataset.id)?.name || told.get(button.dataset.id);
      if (name) {
        button.textContent = name;
        button.classList.remove("is-unnamed");
      }
    }
  }

  // As many as not to fall behind; all, where so many wait that some may have been dropped: then they
  // replace the whole list, which so has no gaps.
  takeNext() {
    const waiting = this.waiting.length;
    return this.waiting.splice(0, waiting < EVENTS_MAX ? Math.max(STEP, waiting / 2) : waiting);
  }

  // Puts the next ones in; true when there are more.
  render(cluster) {
    const next = this.takeNext();
    if (next.length === 0) {
      return false;
    }
    const isAtTop = this.list.scrollTop < 8;
    const height = isAtTop ? 0 : this.list.scrollHeight;
    this.list.prepend(...next.reverse().map((one) => this.makeItem(one)));
    while (this.list.children.length > EVENTS_MAX) {
      this.list.lastChild.remove();
    }
    if (!isAtTop) {
      this.list.scrollTop += this.list.scrollHeight - height; // what is being read stays in place
    }
    this.rename(cluster);
    byId("timeline-empty").hidden = true;
    setText(byId("timeline-count"), `last ${plural(this.list.children.length, "event")}`);
    return this.waiting.length > 0;
  }
}
