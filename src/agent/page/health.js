// What this node thinks of itself, in words.
import { byId, el, glyph, setAttribute, setText } from "./dom.js";
import { count, plural } from "./format.js";

const WINDOW_MS = 60000;
const WORST = 8;

function words(score) {
  if (score === 0) {
    return ["Good", "Its probes are answered in time, and nobody doubts it."];
  }
  const slower = `It probes up to ${score + 1} times more slowly and waits as much longer before it ` +
    "doubts others.";
  if (score <= 2) {
    return ["Fair", `Some of its probes failed, or it had to prove that it is alive. ${slower}`];
  }
  if (score <= 5) {
    return ["Strained", `Many of its probes fail: the fault may be its own, or its network's. ${slower}`];
  }
  return ["Poor", `Hardly a probe of its succeeds: it is overloaded or cut off. ${slower}`];
}

function dropsOf(metrics) {
  const drops = Object.entries(metrics)
    .filter(([name]) => /^(seal_)?drop_/.test(name))
    .map(([name, value]) => [name.replace(/^(seal_)?drop_/, "").replaceAll("_", " "), value]);
  drops.push(["rate limited", metrics.rate_limited ?? 0]);
  drops.push(["receive buffer full", metrics.socket_receive_overflows ?? 0]);
  return drops;
}

export class Health {
  constructor() {
    this.samples = [];
    this.checks = new Map();
    for (let i = 0; i <= WORST; i += 1) {
      byId("meter").append(el("i", { "aria-hidden": "true" }));
    }
  }

  take(metrics, ready, now) {
    if (this.samples.length && metrics.datagrams_recv < this.samples.at(-1).metrics.datagrams_recv) {
      this.samples = [];
    }
    this.samples.push({ metrics, now });
    while (this.samples.length > 2 && this.samples[1].now <= now - WINDOW_MS) {
      this.samples.shift();
    }
    this.ready = ready;
  }

  // What a counter grew by in the last minute.
  grown(of) {
    return of(this.samples.at(-1).metrics) - of(this.samples[0].metrics);
  }

  check(name, sign, text) {
    let line = this.checks.get(name);
    if (!line) {
      line = { box: el("li", { "data-check": name }), text: el("span") };
      byId("checks").append(line.box);
      this.checks.set(name, line);
    }
    if (line.sign !== sign) {
      line.sign = sign;
      line.box.replaceChildren(glyph(sign), line.text);
    }
    setText(line.text, text);
  }

  render(cluster) {
    const { self } = cluster;
    setText(byId("self-name"), self ? self.label : "–");
    setAttribute(byId("self-name"), "title", self ? `${self.addr}, id ${self.id}` : "");
    if (this.samples.length === 0) {
      return;
    }
    const { metrics } = this.samples.at(-1);
    this.renderScore(metrics.local_health ?? 0);
    const isReady = this.ready?.ready === true;
    this.check("ready", isReady ? "alive" : "suspect",
      isReady ? "Ready: it is part of the cluster" : "Not ready: it has met nobody yet, or is leaving");
    this.renderAgreement();
    this.renderDrops();
    this.renderSeal(metrics);
    const plain = [...cluster.members.values()].filter((member) => !member.capable &&
      (member.status === "alive" || member.status === "suspect")).length;
    if (plain > 0) {
      this.check("plain", "note", `${plural(plain, "member speaks", "members speak")} plain version 1`);
    } else {
      this.checks.get("plain")?.box.remove();
      this.checks.delete("plain");
    }
  }

  renderScore(score) {
    const [word, sentence] = words(score);
    setText(byId("health-words"), "");
    byId("health-words").replaceChildren(el("b", {}, word), ` ${sentence}`);
    const meter = byId("meter");
    setAttribute(meter, "aria-valuenow", String(score));
    setAttribute(meter, "aria-valuetext", `${score} of ${WORST}: ${word}`);
    meter.dataset.level = score === 0 ? "good" : score <= 2 ? "fair" : "poor";
    [...meter.children].forEach((bar, index) => bar.classList.toggle("is-on", index <= score));
  }

  renderAgreement() {
    const equal = this.grown((metrics) => metrics.digests_equal ?? 0);
    const all = equal + this.grown((metrics) => metrics.digests_different ?? 0);
    if (all === 0) {
      this.check("agreement", "note", "No view compared in the last minute");
    } else if (equal === all) {
      this.check("agreement", "alive", `Views agree: ${count(all)} of ${count(all)} compared`);
    } else {
      this.check("agreement", equal * 2 >= all ? "note" : "suspect",
        `Views are settling: ${count(equal)} of ${count(all)} compared agree`);
    }
  }

  renderDrops() {
    const was = new Map(dropsOf(this.samples[0].metrics));
    const grew = dropsOf(this.samples.at(-1).metrics)
      .map(([reason, value]) => [reason, value - (was.get(reason) ?? 0)])
      .filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]);
    const total = grew.reduce((sum, [, value]) => sum + value, 0);
    this.check("drops", total === 0 ? "alive" : "suspect", total === 0 ?
      "Nothing dropped in the last minute" :
      `${plural(total, "datagram")} dropped in the last minute: ${grew.slice(0, 3)
        .map(([reason, value]) => `${reason} ${count(value)}`).join(", ")}`);
  }

  renderSeal(metrics) {
    const keys = metrics.seal_keys ?? 0;
    this.check("seal", keys > 0 ? "alive" : "note", keys > 0 ?
      `Datagrams are sealed; it holds ${plural(keys, "key")}` : "Datagrams are in plaintext");
  }
}
