// Five real nodes: one is killed and turns suspect, then dead, on the page; one leaves. All of it is
// seen on the ring, in the table and among the events, and nothing is fetched from anywhere else.
// With SWIM_SCREENSHOTS=DIR, pictures of it for the documents.
import assert from "node:assert/strict";
import path from "node:path";
import test, { after, before } from "node:test";
import { countsOf, eventsOf, leave, painted, ringOf, rowsOf, startBrowser, statusOf }
  from "./browser.js";
import { endCluster, startCluster, until } from "./cluster.js";

const DEAD_WITHIN = 40; // seconds, for machines that are busy; it takes three
const PICTURES = process.env.SWIM_SCREENSHOTS;
// Quicker than the defaults, and the dead stay listed. For pictures they are the defaults.
const CONFIG = `
[probes]
${PICTURES ? "" : `interval_ms = 400
timeout_ms = 250
suspect_timeout_ms = 1500
suspect_timeout_min_ms = 1500
suspect_jitter_ms = 100`}
dead_retention_ms = 600000
`;
const NAMES = ["web-1", "web-2", "db-1", "db-2", "cache-1"];

function tags(name, zone) {
  return `[tags]\nrole = "${name.split("-")[0]}"\nzone = "${zone}"\n`;
}

let nodes;
let browser;
let page;
before(async () => {
  nodes = await startCluster(NAMES, (name) => CONFIG + tags(name, "eu-1"));
  browser = await startBrowser();
  page = await browser.visitor();
  await page.goto(nodes[0].url);
});
after(async () => {
  await browser?.close();
  await endCluster(nodes);
});

function counts(expected) {
  return until(`the numbers are ${expected}`, DEAD_WITHIN, async () => {
    const { alive, suspect, dead, left } = await countsOf(page);
    return [alive, suspect, dead, left].join() === expected.join();
  });
}

async function kindsOf(node) {
  return (await eventsOf(page)).filter(({ text }) => text.startsWith(`${node.name} `)).map(({ kind }) => kind);
}

test("all five are shown alive", async () => {
  await counts([5, 0, 0, 0]);
  await until("they are in the table, a frame later", DEAD_WITHIN,
    async () => (await rowsOf(page)).length === 5);
  const rows = await rowsOf(page);
  assert.deepEqual(rows.map(({ addr }) => addr).sort(), nodes.map(({ addr }) => addr).sort());
  assert.ok(rows.every(({ status }) => status === "alive"));
  assert.deepEqual(rows.map(({ name }) => name), [...NAMES].sort());
  assert.match(rows.find(({ name }) => name === "db-1").tags, /role=db.*zone=eu-1/);
  const said = await ringOf(page);
  assert.equal(said.length, 5);
  assert.equal(said[0], "web-1, alive, this node");
  assert.ok(await painted(page, "alive") > 500);
  assert.equal(await painted(page, "dead"), 0);
  assert.equal(await page.title(), "5 alive – swim");
});

test("its own health is told in words", async () => {
  await until("good", 10, async () => (await page.textContent("#health-words")).startsWith("Good"));
  assert.equal(await page.getAttribute("#meter", "aria-valuenow"), "0");
  const text = await page.textContent("#checks");
  assert.match(text, /Ready: it is part of the cluster/);
  assert.match(text, /Datagrams are in plaintext/);
  await until("views agree", 20,
    async () => /Views agree: (\d+) of \1 /.test(await page.textContent("#checks")));
});

test("what a chart shows moves", async () => {
  const label = () => page.getAttribute("#charts figure:first-child svg", "aria-label");
  await until("there is traffic", 15, async () => /out [\d.,]*[1-9][\d.,]*\/s/.test(await label()));
  const path_ = await page.getAttribute("#charts .line-0", "d");
  await until("the line grows", 10,
    async () => (await page.getAttribute("#charts .line-0", "d")) !== path_);
  if (PICTURES) {
    await page.waitForTimeout(50000);
  }
});

test("tags that change are shown, told and found", async () => {
  const changed = nodes[2];
  changed.configure(CONFIG + tags(changed.name, "eu-2"));
  changed.signal("SIGHUP");
  await until("the table shows it", 15, async () => (await rowsOf(page))
    .some(({ name, tags: shown }) => name === changed.name && shown.includes("zone=eu-2")));
  assert.deepEqual((await kindsOf(changed))[0], "retagged");
  await page.fill("#search", "tag:zone=eu-2");
  await until("it alone is found", 5, async () => (await rowsOf(page)).length === 1);
  assert.equal((await rowsOf(page))[0].name, changed.name);
  await page.fill("#search", "");
});

test("a node that is killed turns suspect, then dead", async () => {
  const victim = nodes[4];
  await victim.end("SIGKILL");
  await until("suspect in the table", DEAD_WITHIN,
    async () => await statusOf(page, victim.addr) === "suspect");
  assert.ok((await ringOf(page)).includes(`${victim.name}, suspect`));
  assert.ok(await painted(page, "suspect") > 50, "a triangle");
  assert.equal(await page.textContent("#centre-words"), "of which 1 in doubt");
  await pictures("light");
  await until("dead in the table", DEAD_WITHIN,
    async () => await statusOf(page, victim.addr) === "dead");
  assert.ok((await ringOf(page)).includes(`${victim.name}, dead`));
  assert.ok(await painted(page, "dead") > 50, "a cross");
  await until("no triangle is left", 5, async () => await painted(page, "suspect") === 0);
  await counts([4, 0, 1, 0]);
  assert.deepEqual((await kindsOf(victim)).slice(0, 2), ["failed", "suspected"], "the newest first");
  assert.match(await page.textContent("#announcer"), /failed|suspected/);
});

test("who comes later sees what happened before", async () => {
  const later = await browser.visitor();
  await later.goto(nodes[0].url);
  await until("it is told", DEAD_WITHIN, async () => (await eventsOf(later))
    .some(({ kind, text }) => kind === "failed" && text.startsWith(nodes[4].name)));
  assert.equal(await later.textContent("#announcer"), "", "but not aloud");
  await leave(later);
});

test("a node that leaves is shown as left", async () => {
  const leaver = nodes[3];
  assert.equal(await leaver.end("SIGTERM"), 0);
  await until("left in the table", DEAD_WITHIN,
    async () => await statusOf(page, leaver.addr) === "left");
  assert.ok((await ringOf(page)).includes(`${leaver.name}, left`));
  await counts([3, 0, 1, 1]);
  assert.equal((await kindsOf(leaver))[0], "left");
});

test("details of a member", async () => {
  await page.click(`#grid .row:has-text("${nodes[1].addr}")`);
  const detail = await page.textContent("#detail");
  assert.ok(detail.includes(await nodes[1].id()));
  assert.ok(detail.includes("version 1 with extensions"));
  assert.match(detail, /Round trip[\d.]+ (µs|ms)/);
  await page.keyboard.press("Escape");
  assert.equal(await page.isVisible("#detail"), false);
});

test("a node that is started again is alive again", async () => {
  const again = await nodes[4].start();
  await until("alive in the table", DEAD_WITHIN, async () => (await rowsOf(page))
    .some(({ addr, status }) => addr === again.addr && status === "alive"));
  await pictures("dark");
});

test("nothing was fetched but from the node, and no policy was broken", async () => {
  const fetched = [...page.fetched].filter((name) => name !== "/events").sort();
  assert.deepEqual(fetched, ["/", "/membership", "/metrics/json", "/readyz"]);
  await leave(page);
});

// In one of the themes, on a desk and on a phone.
async function pictures(colorScheme) {
  if (!PICTURES) {
    return;
  }
  await page.evaluate(() => document.activeElement.blur());
  await page.mouse.move(0, 0);
  await page.emulateMedia({ colorScheme });
  for (const [size, width, height] of [["", 1280, 800], ["-phone", 390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(400);
    await page.screenshot({ path: path.join(PICTURES, `page-${colorScheme}${size}.png`) });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}
