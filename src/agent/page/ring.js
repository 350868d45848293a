// The ring: every member at a place of its own, this node at the top, in as many circles as are
// needed. A canvas, since two thousand elements would be too many; for those who don't see it, it
// is a list box whose one option is the member under the keys.
import { byId, isCalm, setAttribute, setText } from "./dom.js";
import { count } from "./format.js";
import { placesByName } from "./places.js";

const SPACING_MAX = 36;
const LABELS_MAX = 14; // members; more would overlap
const INNER = 0.5; // of the radius: the middle is for words
const RIPPLE_MS = 1400;
const RIPPLES_MAX = 24;
const WHOLE = 0.1; // of the members: when so many have changed, the whole ring is painted anew
const LAYERS = ["alive", "left", "suspect", "dead"]; // the living first: the others lie above them

export class Ring {
  constructor(box, onChoose) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.onto = this.canvas.getContext("2d");
    // What only changes with the members is painted once, here.
    this.layer = document.createElement("canvas");
    this.context = this.layer.getContext("2d");
    this.tip = box.querySelector(".tip");
    this.option = byId("ring-option");
    this.onChoose = onChoose;
    this.places = [];
    this.indexOf = new Map();
    this.hovered = null;
    this.current = null; // under the keys
    this.chosen = null;
    this.ripples = new Map();
    this.version = -1;
    this.size = [0, 0];
    this.readColours();
    this.listen();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = Object.fromEntries(["alive", "suspect", "dead", "left", "ink", "muted", "line",
      "card", "accent"].map((name) => [name, get(name)]));
    this.isPainted = false;
  }

  listen() {
    this.box.addEventListener("pointermove", (event) => this.hover(this.at(event)));
    this.box.addEventListener("pointerleave", () => this.hover(null));
    this.box.addEventListener("click", (event) => {
      const id = this.at(event);
      if (id) {
        this.moveTo(this.indexOf.get(id));
        this.onChoose(id, this.box);
      }
    });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("focus", () => this.draw());
    this.box.addEventListener("blur", () => this.draw());
  }

  key(event) {
    const index = this.indexOf.get(this.current) ?? 0;
    const last = this.places.length - 1;
    const steps = {
      ArrowRight: index + 1, ArrowDown: index + 1, ArrowLeft: index - 1, ArrowUp: index - 1,
      Home: 0, End: last, PageDown: Math.min(last, index + 10), PageUp: Math.max(0, index - 10),
    };
    if (event.key in steps) {
      event.preventDefault();
      this.moveTo((steps[event.key] + last + 1) % (last + 1));
    } else if ((event.key === "Enter" || event.key === " ") && this.current) {
      event.preventDefault();
      this.onChoose(this.current, this.box);
    }
  }

  moveTo(index) {
    const place = this.places[index];
    if (!place) {
      return;
    }
    this.current = place.id;
    this.describeCurrent();
    this.draw();
  }

  describeCurrent() {
    const member = this.cluster?.members.get(this.current);
    if (!member) {
      this.box.removeAttribute("aria-activedescendant");
      return;
    }
    const own = member.self ? ", this node" : "";
    setText(this.option, `${member.label}, ${member.status}${own}`);
    setAttribute(this.option, "aria-posinset", String(this.indexOf.get(member.id) + 1));
    setAttribute(this.option, "aria-setsize", String(this.places.length));
    setAttribute(this.option, "aria-selected", String(member.id === this.chosen));
    setAttribute(this.box, "aria-activedescendant", this.option.id);
  }

  hover(id) {
    if (this.hovered !== id) {
      this.hovered = id;
      this.box.classList.toggle("is-pointing", id !== null);
      this.draw();
    }
  }

  // The member nearest to a pointer, if it is near.
  at(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    let best = null;
    let nearest = Math.max(12, this.radius * 1.6) ** 2;
    for (const place of this.places) {
      const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
      if (distance < nearest) {
        nearest = distance;
        best = place.id;
      }
    }
    return best;
  }

  // ---- Places ----

  // What the longest label needs at the side, within reason.
  labelRoom(members) {
    this.setFont();
    const longest = Math.max(...members.map(({ label }) => this.context.measureText(label).width), 0);
    return Math.min(longest + 30, this.size[0] * 0.26);
  }

  setFont() {
    this.context.font = `12px ${getComputedStyle(this.box).fontFamily}`;
  }

  // How many circles of which radii: the widest spacing at which all find room.
  circles(total, outer) {
    const inner = outer * INNER;
    let spacing = SPACING_MAX;
    for (;;) {
      const radii = [];
      let room = 0;
      for (let r = outer; r >= inner && room < total; r -= spacing) {
        radii.push(r);
        room += Math.floor((2 * Math.PI * r) / spacing);
      }
      if (room >= total || spacing < 3) {
        return { radii, spacing };
      }
      spacing *= 0.96;
    }
  }

  layout() {
    const [width, height] = this.size;
    const members = [...this.cluster.members.values()];
    const byName = placesByName(this.cluster);
    members.sort((a, b) => b.self - a.self || byName.get(a.id) - byName.get(b.id) ||
      (a.id < b.id ? -1 : 1));
    this.hasLabels = members.length <= LABELS_MAX;
    const side = this.hasLabels ? this.labelRoom(members) : 16;
    const outer = Math.max(40, Math.min(width / 2 - side, height / 2 - (this.hasLabels ? 34 : 16)));
    const { radii, spacing } = this.circles(members.length, outer);
    const around = radii.reduce((sum, r) => sum + r, 0);
    this.radius = Math.min(11, spacing * 0.33);
    this.outer = outer;
    this.radii = radii;
    this.isPainted = false;
    this.places = [];
    let from = 0;
    radii.forEach((r, k) => {
      const isLast = k === radii.length - 1;
      const share = isLast ? members.length - from : Math.round((members.length * r) / around);
      const some = members.slice(from, from + share);
      some.forEach((member, i) => {
        const angle = (i / some.length) * 2 * Math.PI - Math.PI / 2;
        this.places.push({ id: member.id, angle,
          x: width / 2 + r * Math.cos(angle), y: height / 2 + r * Math.sin(angle) });
      });
      from += some.length;
    });
    this.indexOf = new Map(this.places.map((place, index) => [place.id, index]));
    if (!this.indexOf.has(this.current)) {
      this.current = this.places[0]?.id ?? null;
    }
  }

  resize() {
    const width = this.box.clientWidth;
    const height = this.box.clientHeight;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    if (width !== this.size[0] || height !== this.size[1] || ratio !== this.ratio) {
      this.size = [width, height];
      this.ratio = ratio;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.layer.width = this.canvas.width;
      this.layer.height = this.canvas.height;
      this.version = -1;
    }
  }

  render(cluster, chosen) {
    this.cluster = cluster;
    this.chosen = chosen;
    this.resize();
    if (this.version !== cluster.setVersion) {
      this.version = cluster.setVersion;
      this.layout();
    }
    this.describeCurrent();
    this.repaint();
    this.draw();
  }

  // A member has changed: a circle goes out from it.
  ripple(id, state) {
    if (!isCalm() && this.ripples.size < RIPPLES_MAX) {
      this.ripples.set(id, { state, began: performance.now() });
    }
  }

  // ---- Drawing ----

  draw() {
    if (!this.frame) {
      this.frame = requestAnimationFrame((now) => {
        this.frame = 0;
        if (this.cluster) {
          this.paint(now);
        }
      });
    }
  }

  paint(now) {
    const { onto: c, ratio } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.layer.width > 0) {
      c.drawImage(this.layer, 0, 0);
    }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintRipples(now);
    this.paintMarks();
    if (this.ripples.size > 0) {
      this.draw();
    }
  }

  // Of thousands of members a few change at a time: what reaches into the square of one that has is
  // painted again, there alone.
  repaint() {
    const changed = this.places.filter((place) => {
      const { status } = this.cluster.members.get(place.id);
      const isOther = place.status !== status;
      place.status = status;
      return isOther;
    });
    if (!this.isPainted || this.hasLabels || changed.length > WHOLE * this.places.length) {
      this.isPainted = true;
      this.paintPart(0, 0, this.layer.width, this.layer.height, this.places);
      return;
    }
    const reach = Math.max(4, this.radius * 1.3) + 1; // of the largest sign
    const size = Math.ceil(2 * reach * this.ratio);
    for (const { x, y } of changed) {
      this.paintPart(Math.floor((x - reach) * this.ratio), Math.floor((y - reach) * this.ratio),
        size + 1, size + 1, this.places.filter((other) =>
          Math.abs(other.x - x) < 2 * reach + 1 && Math.abs(other.y - y) < 2 * reach + 1));
    }
  }

  // A rectangle of the layer, in its own pixels: so its edges are sharp.
  paintPart(left, top, width, height, places) {
    const { context: c, ratio, colours, size } = this;
    c.save();
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.beginPath();
    c.rect(left, top, width, height);
    c.clip();
    c.clearRect(left, top, width, height);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.strokeStyle = colours.line;
    c.lineWidth = 1;
    if (this.radii.length <= 3) {
      for (const r of this.radii) {
        c.beginPath();
        c.arc(size[0] / 2, size[1] / 2, r, 0, 2 * Math.PI);
        c.stroke();
      }
    }
    LAYERS.forEach((status) => this.paintMembers(status, places));
    if (this.hasLabels) {
      this.paintLabels();
    }
    c.restore();
  }

  paintRipples(now) {
    const { onto: c } = this;
    for (const [id, { state, began }] of this.ripples) {
      const place = this.places[this.indexOf.get(id)];
      const age = (now - began) / RIPPLE_MS;
      if (!place || age >= 1) {
        this.ripples.delete(id);
        continue;
      }
      c.globalAlpha = 0.5 * (1 - Math.max(0, age)) ** 2;
      c.strokeStyle = this.colours[state];
      c.lineWidth = 2;
      c.beginPath();
      c.arc(place.x, place.y, this.radius + 4 + 26 * Math.max(0, age), 0, 2 * Math.PI);
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  paintMembers(status, places) {
    const { context: c, colours, radius } = this;
    const isLine = status === "left" || status === "dead";
    c.fillStyle = colours[status];
    c.strokeStyle = colours[status];
    c.lineCap = status === "dead" ? "round" : "butt";
    c.lineWidth = status === "dead" ? Math.max(1.5, radius * 0.5) : Math.max(1, radius * 0.32);
    for (const place of places) {
      if (place.status === status) {
        c.beginPath();
        trace(c, status, place.x, place.y, radius);
        if (isLine) {
          c.stroke();
        } else {
          c.fill();
        }
      }
    }
  }

  paintLabels() {
    const { context: c, colours, radius } = this;
    const room = Math.max(40, this.size[0] / 2 - this.outer - radius - 12);
    this.setFont();
    c.textBaseline = "middle";
    for (const { id, x, y, angle } of this.places) {
      const member = this.cluster.members.get(id);
      const isSide = Math.abs(Math.cos(angle)) > 0.2;
      const gap = radius + 9;
      c.textAlign = !isSide ? "center" : Math.cos(angle) > 0 ? "left" : "right";
      c.fillStyle = member.status === "alive" || member.status === "suspect" ?
        colours.ink : colours.muted;
      const text = fit(c, member, isSide ? room : this.size[0] * 0.6);
      c.fillText(text, x + (isSide ? gap * Math.cos(angle) : 0),
        y + (isSide ? gap * Math.sin(angle) : (gap + 5) * Math.sign(Math.sin(angle))));
    }
  }

  circle(id, extra, colour, width, dash = []) {
    const place = this.places[this.indexOf.get(id)];
    if (!place) {
      return;
    }
    const { onto: c } = this;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.setLineDash(dash);
    c.beginPath();
    c.arc(place.x, place.y, Math.max(4, this.radius) + extra, 0, 2 * Math.PI);
    c.stroke();
    c.setLineDash([]);
  }

  paintMarks() {
    const { colours } = this;
    if (this.cluster.self) {
      this.circle(this.cluster.self.id, 3.5, colours.alive, 1.5);
    }
    this.circle(this.chosen, 7, colours.accent, 2);
    const isFocused = document.activeElement === this.box;
    if (isFocused) {
      this.circle(this.current, 7, colours.ink, 2, [4, 3]);
    }
    this.showTip(this.hovered ?? (isFocused ? this.current : null));
  }

  showTip(id) {
    const place = this.places[this.indexOf.get(id)];
    const member = this.cluster.members.get(id);
    this.tip.hidden = !place || !member;
    if (this.tip.hidden) {
      return;
    }
    const own = member.self ? " · this node" : "";
    const address = member.name ? `${member.addr} · ` : "";
    setText(this.tip, `${member.label}\n${address}${member.status}${own}`);
    // Its size is the style sheet's to know: to ask for it here would take a layout of the page.
    const gap = this.radius + 14;
    this.tip.style.translate =
      `clamp(4px, ${Math.round(place.x)}px - 50%, ${this.size[0] - 4}px - 100%) ` +
      (place.y > this.size[1] / 2 ? `calc(${Math.round(place.y - gap)}px - 100%)` :
        `${Math.round(place.y + gap)}px`);
  }
}

function trace(path, status, x, y, r) {
  if (status === "suspect") {
    const size = Math.max(3.5, r * 1.25);
    path.moveTo(x, y - size);
    path.lineTo(x + size * 0.95, y + size * 0.7);
    path.lineTo(x - size * 0.95, y + size * 0.7);
    path.closePath();
  } else if (status === "dead") {
    const size = Math.max(2.5, r * 0.75);
    path.moveTo(x - size, y - size);
    path.lineTo(x + size, y + size);
    path.moveTo(x + size, y - size);
    path.lineTo(x - size, y + size);
  } else {
    const size = status === "left" ? Math.max(1.8, r * 0.78) : Math.max(1.5, r);
    path.moveTo(x + size, y);
    path.arc(x, y, size, 0, 2 * Math.PI);
  }
}

// Of names the beginning is kept, of addresses the end: there they differ.
function fit(context, member, room) {
  const { label } = member;
  const cut = (length) => (member.name ? `${label.slice(0, length)}…` : `…${label.slice(-length).replace(/^[.:]+/, "")}`);
  if (context.measureText(label).width <= room) {
    return label;
  }
  let length = Math.min(label.length, 60);
  while (length > 1 && context.measureText(cut(length)).width > room) {
    length -= 1;
  }
  return cut(length);
}

// The words in the middle, and the counts below.
export function renderCentre(cluster) {
  if (!cluster.isKnown) {
    return;
  }
  const { alive, suspect } = cluster.counts;
  const members = cluster.total - cluster.counts.left - cluster.counts.dead;
  setText(byId("centre-number"), count(alive + suspect));
  setText(byId("centre-words"), suspect > 0 ? `of which ${count(suspect)} in doubt` :
    members === 1 ? "member" : "members");
}
