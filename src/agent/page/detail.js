// Everything about one member, at the side.
import { el, glyph, setText } from "./dom.js";
import { ago, count, dateTime, seconds } from "./format.js";

export class Detail {
  constructor(box, onClose) {
    this.box = box;
    this.onClose = onClose;
    this.opener = null;
    this.shown = null;
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        onClose();
      }
    });
  }

  open(opener) {
    if (!this.box.contains(opener)) {
      this.opener = opener;
    }
    this.box.hidden = false;
    this.shown = null;
    this.wantsFocus = true;
  }

  close() {
    if (this.box.hidden) {
      return;
    }
    this.box.hidden = true;
    if (this.opener?.isConnected) {
      this.opener.focus({ preventScroll: true });
    }
    this.opener = null;
  }

  build(member) {
    const close = el("button", { type: "button", class: "close", "aria-label": "Close details" }, "✕");
    close.addEventListener("click", () => this.onClose());
    this.title = el("h2", { id: "detail-title", tabindex: "-1" });
    this.state = el("p", { class: "detail-state" });
    this.facts = el("dl");
    this.tags = el("ul", { class: "detail-tags" });
    this.box.replaceChildren(close, this.title, this.state, this.facts,
      el("h3", {}, "Tags"), this.tags);
    this.shown = member.id;
    if (this.wantsFocus) {
      this.wantsFocus = false;
      this.title.focus({ preventScroll: true });
    }
  }

  render(member, isGone) {
    if (this.box.hidden || !member) {
      return;
    }
    if (this.shown !== member.id) {
      this.build(member);
    }
    setText(this.title, member.label);
    const state = isGone ? "forgotten by this node" : member.status;
    this.state.replaceChildren(glyph(member.status), state,
      member.self ? el("span", { class: "own" }, "this node") : "");
    const facts = [
      ["For", `${ago(Date.now() - member.changed)}, since ${dateTime(member.changed)}`],
      ["Address", member.addr],
      ["Id", member.id],
      ["Incarnation", count(member.incarnation)],
      ["Round trip", member.self ? "–" : member.rtt === null ? "not measured yet" : seconds(member.rtt)],
      ["Protocol", member.capable ? "version 1 with extensions" : "plain version 1"],
    ];
    this.facts.replaceChildren(...facts.map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value))));
    this.tags.replaceChildren(...(member.tags.length === 0 ? [el("li", { class: "none" }, "none")] :
      member.tags.map(([key, value]) => el("li", { class: "tag" }, el("i", {}, key), "=", value))));
  }
}

