// Small charts of rates: what the counters grew by between two looks at them.
import { byId, el, setAttribute, setText, svg } from "./dom.js";
import { bytes, clock, seconds, short } from "./format.js";

const SAMPLES = 300;
const SPAN_MIN = 60; // samples; what there is grows into it from the right
const WIDTH = 300;
const HEIGHT = 56;

const perSecond = (value) => `${short(value)}/s`;

// Each line is a function of what grew, and of the time that it took.
const CHARTS = [
  { title: "Datagrams", unit: perSecond, lines: [
    { name: "out", of: rate("datagrams_sent") }, { name: "in", of: rate("datagrams_recv") }] },
  { title: "Bytes", unit: (value) => `${bytes(value)}/s`, lines: [
    { name: "out", of: rate("bytes_sent") }, { name: "in", of: rate("bytes_recv") }] },
  { title: "Probe round trip", unit: seconds, lines: [
    { name: "mean", of: (grown) => (grown("probe_rtt_seconds_count") > 0 ?
      grown("probe_rtt_seconds_sum") / grown("probe_rtt_seconds_count") : null) }] },
  { title: "Unanswered probes", unit: perSecond, lines: [
    { name: "directly", of: rate("probe_direct_timeouts") },
    { name: "at all", of: rate("probe_failures") }] },
  { title: "Suspicions", unit: (value) => short(value), isSteps: true, lines: [
    { name: "raised", of: (grown) => grown("suspicions_raised") },
    { name: "deaths", of: (grown) => grown("failures") }] },
  { title: "News waiting", unit: (value) => short(value), lines: [
    { name: "members", of: (grown, dt, now) => now.gossip_queue_depth ?? null }] },
];

function rate(counter) {
  return (grown, dt) => grown(counter) / dt;
}

// The value to draw to: 1, 2 or 5 times a power of ten.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value * 0.999);
}

class Chart {
  constructor({ title, unit, lines, isSteps }) {
    this.unit = unit;
    this.isSteps = isSteps;
    this.title = title;
    this.lines = lines.map(({ name, of }, index) => ({ name, of, values: [],
      path: svg("path", { class: `line line-${index}` }),
      figure: el("b", {}, "–") }));
    this.area = svg("path", { class: "area" });
    this.cursor = svg("line", { class: "cursor", y1: 0, y2: HEIGHT, visibility: "hidden" });
    this.top = el("span", { class: "top" });
    this.plot = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
      role: "img", "aria-label": title }, svg("line", { class: "base", x1: 0, x2: WIDTH,
      y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }), this.area,
    ...this.lines.map(({ path }) => path).reverse(), this.cursor);
    this.when = el("span", { class: "when" });
    this.node = el("figure", { class: "chart" }, el("figcaption", {}, title, this.when),
      el("div", { class: "plot" }, this.plot, this.top),
      el("div", { class: "legend" }, ...this.lines.map(({ name, figure }, index) =>
        el("span", {}, el("i", { class: `key key-${index}` }), `${name} `, figure))));
    this.hovered = null;
    this.plot.addEventListener("pointermove", (event) => {
      const bounds = this.plot.getBoundingClientRect();
      this.hovered = Math.round(((event.clientX - bounds.left) / bounds.width) * (this.span() - 1));
      this.paint(this.times);
    });
    this.plot.addEventListener("pointerleave", () => {
      this.hovered = null;
      this.paint(this.times);
    });
  }

  span() {
    return Math.max(SPAN_MIN, this.lines[0].values.length);
  }

  take(grown, dt, now) {
    for (const line of this.lines) {
      const value = grown ? line.of(grown, dt, now) : null;
      line.values.push(Number.isFinite(value) ? value : null);
      if (line.values.length > SAMPLES) {
        line.values.shift();
      }
    }
  }

  x(index, length) {
    const span = this.span();
    return ((span - length + index) / (span - 1)) * WIDTH;
  }

  // A value that is missing is passed over.
  points(values, scale) {
    const points = [];
    values.forEach((value, index) => {
      if (value !== null) {
        points.push([this.x(index, values.length), HEIGHT - 1 - value * scale]);
      }
    });
    return points;
  }

  draw(points) {
    return points.map(([x, y], index) => `${index === 0 ? "M" : this.isSteps ?
      `H${x.toFixed(1)}L` : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  }

  paint(times) {
    this.times = times;
    const all = this.lines.flatMap(({ values }) => values.filter((value) => value !== null));
    const most = Math.max(...all, 0);
    const top = most > 0 ? ceiling(most) : 1;
    const scale = (HEIGHT - 4) / top;
    this.lines.forEach((line, index) => {
      const points = this.points(line.values, scale);
      setAttribute(line.path, "d", this.draw(points) || "M0 0");
      if (index === 0 && points.length > 1) {
        setAttribute(this.area, "d", `${this.draw(points)}V${HEIGHT}H${points[0][0].toFixed(1)}Z`);
      }
    });
    setText(this.top, most > 0 ? this.unit(top) : "");
    this.label(times);
  }

  label(times) {
    const { length } = this.lines[0].values;
    const at = this.hovered === null ? length - 1 : this.hovered - (this.span() - length);
    const isPast = this.hovered !== null && times && times[at] !== undefined;
    for (const { values, figure } of this.lines) {
      const value = isPast ? values[at] : values.findLast((one) => one !== null);
      setText(figure, value === undefined || value === null ? "–" : this.unit(value));
    }
    setText(this.when, isPast ? clock(times[at]) : "");
    this.cursor.setAttribute("visibility", isPast ? "visible" : "hidden");
    this.cursor.setAttribute("x1", this.x(at, length));
    this.cursor.setAttribute("x2", this.x(at, length));
    setAttribute(this.plot, "aria-label", `${this.title}, now: ${this.lines.map(({ name, figure }) =>
      `${name} ${figure.textContent}`).join(", ")}`);
  }
}

export class Charts {
  constructor(box) {
    this.charts = CHARTS.map((chart) => new Chart(chart));
    this.times = [];
    this.before = null;
    box.append(...this.charts.map(({ node }) => node));
  }

  // A counter that shrank belongs to another run of the daemon: then there is a gap.
  take(metrics, now) {
    const before = this.before;
    const isSame = before && metrics.datagrams_recv >= before.metrics.datagrams_recv &&
      metrics.gossip_rounds >= before.metrics.gossip_rounds;
    const grown = isSame ? (name) => (metrics[name] - before.metrics[name]) : null;
    const dt = isSame ? Math.max(0.001, (now - before.now) / 1000) : 1;
    this.before = { metrics, now };
    this.times.push(now);
    if (this.times.length > SAMPLES) {
      this.times.shift();
    }
    for (const chart of this.charts) {
      chart.take(grown, dt, metrics);
    }
  }

  render() {
    const span = Math.max(SPAN_MIN, this.times.length);
    setText(byId("charts-span"), span < 90 ? "last minute" :
      `last ${Math.round(span / 60)} minutes`);
    for (const chart of this.charts) {
      chart.paint(this.times);
    }
  }
}
