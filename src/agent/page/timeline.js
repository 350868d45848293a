// What happened, the newest first.
import { byId, el, glyph, setText } from "./dom.js";
import { clock, dateTime, plural } from "./format.js";
import { describe } from "./model.js";

const EVENTS_MAX = 200;

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

  render(cluster) {
    if (this.waiting.length === 0) {
      return;
    }
    const isAtTop = this.list.scrollTop < 8;
    const height = this.list.scrollHeight;
    this.list.prepend(...this.waiting.reverse().map((one) => this.makeItem(one)));
    this.waiting = [];
    while (this.list.children.length > EVENTS_MAX) {
      this.list.lastChild.remove();
    }
    if (!isAtTop) {
      this.list.scrollTop += this.list.scrollHeight - height; // what is being read stays in place
    }
    this.rename(cluster);
    byId("timeline-empty").hidden = true;
    setText(byId("timeline-count"), `last ${plural(this.list.children.length, "event")}`);
  }
}
