// Puts the parts together: what the source hears goes into the model, and from there onto the page,
// at most once a frame.
import { Announcer } from "./announce.js";
import { Charts } from "./charts.js";
import { Counts } from "./counts.js";
import { Detail } from "./detail.js";
import { byId, setText } from "./dom.js";
import { ago, clock, count } from "./format.js";
import { Health } from "./health.js";
import { Cluster, describe } from "./model.js";
import { Ring, renderCentre } from "./ring.js";
import { Source } from "./source.js";
import { Table } from "./table.js";
import { startTheme } from "./theme.js";
import { Timeline } from "./timeline.js";

const TICK_MS = 1000;
const LARGE = 300; // members
const LARGE_FRAME_MS = 33;
// Told aloud; the rest is in the timeline.
const LOUD = new Set(["joined", "recovered", "restarted", "suspected", "failed", "left",
  "name-conflict", "lost", "restored"]);

const cluster = new Cluster();
const announcer = new Announcer();
const charts = new Charts(byId("charts"));
const health = new Health();
const detail = new Detail(byId("detail"), () => choose(null));
const ring = new Ring(byId("ring"), choose);
const table = new Table(byId("grid"), choose);
const timeline = new Timeline(byId("timeline"), choose);
const counts = new Counts((state) => {
  table.show(`status:${state}`);
  byId("search").focus();
});
let chosen = null; // a member, as it was last known
let link = { state: "connecting" };
const PARTS = { members: showMembers, events: showEvents, figures: showFigures };
const stale = new Set(); // of these, the longest stale first
let frame = 0;
let shown = 0;

// ---- Showing ----

function invalidate(part) {
  stale.add(part);
  frame ||= requestAnimationFrame(show);
}

// A large cluster is shown in fewer steps, of one part each: so none of them holds the page up.
function show(now) {
  frame = 0;
  const isLarge = cluster.total > LARGE;
  if (!isLarge || now - shown >= LARGE_FRAME_MS) {
    shown = now;
    for (const part of isLarge ? [...stale].slice(0, 1) : [...stale]) {
      stale.delete(part);
      PARTS[part]();
    }
  }
  if (stale.size > 0) {
    frame ||= requestAnimationFrame(show);
  }
}

function showEvents() {
  if (timeline.render(cluster)) {
    invalidate("events");
  }
}

function showFigures() {
  charts.render();
  health.render(cluster);
}

function showMembers() {
  const current = chosen && cluster.members.get(chosen.id);
  chosen = current ?? chosen;
  ring.render(cluster, chosen?.id ?? null);
  renderCentre(cluster);
  counts.render(cluster);
  table.render(cluster, chosen?.id ?? null);
  detail.render(chosen, !current);
  if (cluster.self) {
    setText(byId("cluster-name"), cluster.self.label);
  }
  const { suspect, dead } = cluster.counts;
  const trouble = suspect + dead > 0 ? ` (${count(suspect + dead)} suspect or dead)` : "";
  document.title = `${count(cluster.counts.alive)} alive${trouble} – swim`;
}

function choose(id, opener) {
  if (id === null) {
    chosen = null;
    detail.close();
  } else {
    chosen = cluster.members.get(id) ?? null;
    if (chosen) {
      detail.open(opener);
    }
  }
  invalidate("members");
}

// `isPast`: it happened before the page was opened, or while it was away.
function happened(event, time, member, isPast = false) {
  timeline.add(event, time, member);
  invalidate("events");
  if (member && !isPast) {
    const { sign } = describe(event);
    ring.ripple(member.id, sign === "note" ? "muted" : sign);
  }
  if (LOUD.has(event.kind) && !isPast) {
    announcer.add(event, member);
  }
}

// ---- The link ----

function showLink() {
  const { state, since, retryAt } = link;
  const texts = { connecting: "connecting", live: "live", polling: "live, by polling",
    lost: "disconnected", locked: "locked" };
  byId("link").dataset.state = state;
  setText(byId("link-text"), texts[state]);
  byId("banner").hidden = state !== "lost";
  document.body.classList.toggle("is-stale", state === "lost" || state === "locked");
  if (state === "lost") {
    // A new text is read aloud; the seconds are in an element of their own that isn't.
    setText(byId("banner"), `Disconnected since ${clock(since)}: this node does not answer. ` +
      "What you see is what it said last. Trying again.");
  }
  const wait = Math.ceil((retryAt - Date.now()) / 1000);
  byId("link").title = state === "lost" ?
    `for ${ago(Date.now() - since)}${wait > 0 ? `; next attempt in ${wait} s` : ""}` : "";
}

function onLink(next) {
  const was = link.state;
  link = next;
  if (next.state === "lost" && (was === "live" || was === "polling")) {
    happened({ kind: "lost" }, Date.now(), null);
  } else if (was === "lost" && (next.state === "live" || next.state === "polling")) {
    happened({ kind: "restored" }, Date.now(), null);
  }
  byId("lock").hidden = source.token === "";
  if (next.state === "locked") {
    askForToken();
  }
  showLink();
  invalidate("members");
}

function askForToken() {
  const dialog = byId("token-dialog");
  setText(byId("token-error"), source.token ? "This is not its token." : "");
  byId("token").value = "";
  if (!dialog.open) {
    dialog.showModal();
  }
  byId("token").focus();
}

function listenForToken() {
  byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = byId("token").value.trim();
    // What no header can hold is no token.
    if (!/^[\x21-\x7e]+$/.test(token)) {
      setText(byId("token-error"), "A token has visible ASCII characters only.");
      return;
    }
    byId("token-dialog").close();
    source.setToken(token);
  });
  // Without a token there is nothing behind it to see.
  byId("token-dialog").addEventListener("cancel", (event) => event.preventDefault());
  byId("lock").addEventListener("click", () => {
    source.setToken("");
    location.reload();
  });
}

// ---- Keys ----

function listenForKeys() {
  const search = byId("search");
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input, textarea, dialog *");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && !byId("token-dialog").open) {
      escape(search);
    }
  });
}

// First what is open, then what is searched for, then the field itself.
function escape(search) {
  if (chosen) {
    choose(null);
  } else if (search.value !== "") {
    table.show("");
  } else if (document.activeElement === search) {
    byId("grid").focus();
  }
}

// ---- Start ----

const source = new Source({
  members(nodes, isToldElsewhere) {
    const now = Date.now();
    const changes = cluster.replace(nodes, now);
    if (!isToldElsewhere) {
      changes.forEach(({ kind, member }) => happened({ kind }, now, member));
    }
    invalidate("members");
  },
  event(event, isPast) {
    const now = Date.now();
    happened(event, Date.parse(event.time) || now, cluster.apply(event, now), isPast);
    invalidate("members");
  },
  metrics(metrics, ready) {
    charts.take(metrics, Date.now());
    health.take(metrics, ready, Date.now());
    invalidate("figures");
  },
  link: onLink,
});

startTheme(byId("theme"), () => {
  ring.readColours();
  invalidate("members");
});
listenForToken();
listenForKeys();
new ResizeObserver(() => invalidate("members")).observe(byId("ring"));
setInterval(() => {
  showLink();
  invalidate("members");
}, TICK_MS);
source.start();
