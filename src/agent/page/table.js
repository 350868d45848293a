// The table: sorted, searched, and only as many rows in the document as can be seen.
import { byId, el, glyph, setAttribute, setGlyph, setText } from "./dom.js";
import { ago, count, dateTime, seconds } from "./format.js";
import { placesBy, placesByName } from "./places.js";
import { parseQuery } from "./query.js";

const ROW = 40; // pixels, as in the style sheet
const SPARE = 6; // rows above and below what is seen


const TROUBLE_FIRST = { suspect: 0, dead: 1, alive: 2, left: 3 };

// What is sorted by: a text, as people sort it, or a number.
const COLUMNS = [
  { key: "status", title: "State", number: (member) => TROUBLE_FIRST[member.status] },
  { key: "name", title: "Name", text: (member) => member.label },
  { key: "addr", title: "Address", text: (member) => member.addr },
  { key: "tags", title: "Tags", text: (member) => member.tagText },
  { key: "rtt", title: "Round trip", number: (member) => member.rtt ?? Number.MAX_VALUE },
  { key: "changed", title: "Since", number: (member) => -member.changed },
];

export class Table {
  constructor(grid, onChoose) {
    this.grid = grid;
    this.onChoose = onChoose;
    this.search = byId("search");
    this.sorting = { column: 1, isUp: true };
    this.list = [];
    this.rows = [];
    this.row = 0; // the cell under the keys
    this.column = 0;
    this.currentId = null;
    this.isActive = false;
    this.build();
    this.listen();
  }

  build() {
    this.heads = COLUMNS.map(({ key, title }, index) => {
      const button = el("button", { type: "button", tabindex: "-1" }, title);
      button.addEventListener("click", () => this.sortBy(index));
      return el("div", { role: "columnheader", class: `c-${key}`, "aria-colindex": index + 1,
        id: `head-${key}` }, button);
    });
    this.body = el("div", { role: "rowgroup", class: "rows" });
    this.none = el("p", { class: "empty", hidden: true }, "No member is like that.");
    this.grid.append(el("div", { role: "rowgroup", class: "head" },
      el("div", { role: "row", "aria-rowindex": 1, class: "row" }, ...this.heads)), this.body);
    this.grid.after(this.none);
    setAttribute(this.grid, "aria-colcount", String(COLUMNS.length));
  }

  listen() {
    this.search.addEventListener("input", () => this.refresh());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        event.preventDefault();
        this.grid.focus();
      }
    });
    this.grid.addEventListener("scroll", () => this.schedule(), { passive: true });
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.grid.addEventListener("focus", () => this.activate(true));
    this.grid.addEventListener("blur", () => this.activate(false));
    this.body.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.schedule()).observe(this.grid);
  }

  schedule() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.paint();
      });
    }
  }

  // ---- Which members, in which order ----

  show(query) {
    this.search.value = query;
    this.refresh();
  }

  sortBy(index) {
    const { column, isUp } = this.sorting;
    this.sorting = { column: index, isUp: column === index ? !isUp : true };
    this.refresh();
  }

  refresh() {
    if (this.cluster) {
      this.render(this.cluster, this.chosen);
    }
  }

  arrange() {
    const isMeant = parseQuery(this.search.value);
    const column = COLUMNS[this.sorting.column];
    const sign = this.sorting.isUp ? 1 : -1;
    const byName = placesByName(this.cluster);
    const places = column.text && placesBy(column.key, column.text, this.cluster);
    const key = places ? (member) => places.get(member.id) : column.number;
    this.list = [...this.cluster.members.values()].filter(isMeant);
    this.list.sort((a, b) => sign * (key(a) - key(b)) || byName.get(a.id) - byName.get(b.id) ||
      (a.id < b.id ? -1 : 1));
    const at = this.list.findIndex((member) => member.id === this.currentId);
    this.row = at >= 0 ? at + 1 : Math.min(this.row, this.list.length);
    this.heads.forEach((head, index) => setAttribute(head, "aria-sort",
      index !== this.sorting.column ? "none" : this.sorting.isUp ? "ascending" : "descending"));
  }

  render(cluster, chosen) {
    this.cluster = cluster;
    this.chosen = chosen;
    this.arrange();
    const { length } = this.list;
    const of = length === cluster.total ? "" : ` of ${count(cluster.total)}`;
    setText(byId("shown"), cluster.isKnown ? `${count(length)}${of}` : "");
    setAttribute(this.grid, "aria-rowcount", String(length + 1));
    this.body.style.height = `${length * ROW}px`;
    this.none.hidden = length > 0 || !cluster.isKnown;
    this.schedule();
  }

  // ---- Rows ----

  makeRow() {
    const parts = { sign: glyph("alive"), status: el("span"), name: el("span", { class: "cut" }),
      own: el("span", { class: "own" }, "this node"), addr: el("span", { class: "cut" }),
      tags: el("span", { class: "tags" }), rtt: el("span"), changed: el("span"), shownTags: null };
    const content = { status: [parts.sign, parts.status], name: [parts.name, parts.own],
      addr: [parts.addr], tags: [parts.tags], rtt: [parts.rtt], changed: [parts.changed] };
    parts.cells = COLUMNS.map(({ key }, index) => el("div", { role: "gridcell",
      class: `c-${key}`, "aria-colindex": index + 1 }, ...content[key]));
    parts.node = el("div", { role: "row", class: "row" }, ...parts.cells);
    this.body.append(parts.node);
    return parts;
  }

  paint() {
    if (!this.cluster) {
      return;
    }
    const first = Math.max(0, Math.floor(this.grid.scrollTop / ROW) - SPARE);
    const seen = Math.ceil(this.grid.clientHeight / ROW) + 2 * SPARE;
    const last = Math.min(this.list.length, first + seen);
    while (this.rows.length < seen) {
      this.rows.push(this.makeRow());
    }
    // Row i is always shown by the same element: scrolling by one changes one.
    const used = new Set();
    for (let index = first; index < last; index += 1) {
      const slot = index % this.rows.length;
      used.add(slot);
      this.paintRow(this.rows[slot], this.list[index], index);
    }
    this.rows.forEach((row, slot) => {
      row.node.hidden = !used.has(slot);
    });
    this.pointAt();
  }

  paintRow(row, member, index) {
    const now = Date.now();
    row.node.style.transform = `translateY(${index * ROW}px)`;
    row.node.dataset.index = index;
    setAttribute(row.node, "aria-rowindex", String(index + 2));
    setAttribute(row.node, "aria-selected", String(member.id === this.chosen));
    setGlyph(row.sign, member.status);
    setText(row.status, member.status);
    setText(row.name, member.label);
    row.name.classList.toggle("is-address", member.name === "");
    row.own.hidden = !member.self;
    setText(row.addr, member.addr);
    setText(row.rtt, member.rtt === null ? "–" : seconds(member.rtt));
    setText(row.changed, now - member.changed < 1000 ? "just now" : `${ago(now - member.changed)} ago`);
    setAttribute(row.changed, "title", `since ${dateTime(member.changed)}`);
    if (row.shownTags !== member.tagText) {
      row.shownTags = member.tagText;
      row.tags.replaceChildren(...member.tags.map(([key, value]) =>
        el("span", { class: "tag" }, el("i", {}, key), "=", value)));
      row.tags.title = row.shownTags;
    }
    row.cells.forEach((cell, column) => {
      cell.id = `cell-${index}-${column}`;
      cell.classList.toggle("is-current", this.isActive && index === this.row - 1 &&
        column === this.column);
    });
  }

  // ---- Keys ----

  activate(isActive) {
    this.isActive = isActive;
    if (isActive && this.row === 0 && this.list.length > 0) {
      this.row = 1;
    }
    this.keep();
    this.paint();
  }

  keep() {
    this.currentId = this.list[this.row - 1]?.id ?? null;
  }

  // Row 0 is the headings. What the keys are at is told to those who don't see it.
  pointAt() {
    const id = this.row === 0 ? this.heads[this.column].id : `cell-${this.row - 1}-${this.column}`;
    this.heads.forEach((head, column) => head.classList.toggle("is-current",
      this.isActive && this.row === 0 && column === this.column));
    if (this.isActive && byId(id)) {
      setAttribute(this.grid, "aria-activedescendant", id);
    } else {
      this.grid.removeAttribute("aria-activedescendant");
    }
  }

  columnFrom(step) {
    let column = this.column;
    do {
      column += step;
    } while (this.heads[column] && this.heads[column].offsetParent === null);
    return this.heads[column] ? column : this.column;
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.grid.clientHeight / ROW) - 2);
    const last = this.list.length;
    const rows = { ArrowDown: this.row + 1, ArrowUp: this.row - 1, PageDown: this.row + page,
      PageUp: this.row - page, Home: Math.min(1, last), End: last };
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key in rows) {
      this.row = Math.max(0, Math.min(last, rows[event.key]));
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      this.column = this.columnFrom(event.key === "ArrowRight" ? 1 : -1);
    } else if (event.key === "Enter" || event.key === " ") {
      this.enter();
    } else {
      return;
    }
    event.preventDefault();
    this.keep();
    this.reveal();
    this.paint();
  }

  enter() {
    if (this.row === 0) {
      this.sortBy(this.column);
    } else if (this.list[this.row - 1]) {
      this.onChoose(this.list[this.row - 1].id, this.grid);
    }
  }

  reveal() {
    const top = Math.max(0, this.row - 1) * ROW;
    const room = this.grid.clientHeight - ROW; // the headings stay
    if (top < this.grid.scrollTop) {
      this.grid.scrollTop = top;
    } else if (top + ROW > this.grid.scrollTop + room) {
      this.grid.scrollTop = top + ROW - room;
    }
  }

  click(event) {
    const row = event.target.closest("[data-index]");
    const member = row && this.list[Number(row.dataset.index)];
    if (member) {
      this.row = Number(row.dataset.index) + 1;
      this.keep();
      this.onChoose(member.id, this.grid);
      this.schedule();
    }
  }
}
