// How many members are in each state; each is a button that lists those alone.
import { byId, el, glyph, setText } from "./dom.js";
import { count } from "./format.js";
import { STATES } from "./model.js";

export class Counts {
  constructor(onChoose) {
    this.numbers = new Map();
    for (const state of STATES) {
      const number = el("b", {}, "0");
      const button = el("button", { type: "button", title: `List the members that are ${state}` },
        glyph(state), number, el("span", {}, state));
      button.addEventListener("click", () => onChoose(state));
      byId("counts").append(el("li", { "data-state": state }, button));
      this.numbers.set(state, number);
    }
  }

  render(cluster) {
    for (const [state, number] of this.numbers) {
      setText(number, count(cluster.counts[state]));
      number.closest("li").classList.toggle("is-none", cluster.counts[state] === 0);
    }
  }
}
