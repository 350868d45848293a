// Two thousand members without stutter: no task of the page's is longer than 50 ms (what browsers
// call a long task) while members change, the table is searched, sorted and scrolled, and the ring
// is pointed at.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { countsOf, leave, rowsOf, startBrowser } from "./browser.js";
import { until } from "./cluster.js";
import { member, members, MockNode, realDocument } from "./mock.js";

const MEMBERS = 2000;
const LONG_MS = 50;
const EVENTS_A_SECOND = 200;
// The machine may be busy with something else: an attempt that it disturbs is made again.
const ATTEMPTS = 4;

let browser;
let document;
before(async () => {
  document = await realDocument();
  browser = await startBrowser();
});
after(() => browser?.close());

function role(number) {
  return { tags: { role: number % 10 === 0 ? "db" : "web", zone: `z${number % 7}` } };
}

function watchTasks() {
  window.longTasks = [];
  window.frames_ = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
    window.longTasks.push(Math.round(entry.duration)))).observe({ type: "longtask" });
  let last = performance.now();
  const frame = (now) => {
    window.frames_.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

// Members are suspected, recover, die and join, as fast as one each 5 ms.
function disturb(node) {
  let step = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < EVENTS_A_SECOND / 20; i += 1) {
      step += 1;
      const number = 1 + (step * 7) % (MEMBERS - 1);
      const state = ["suspect", "alive", "suspect", "dead"][step % 4];
      const kind = { suspect: "suspected", alive: "recovered", dead: "failed" }[state];
      node.happen(kind, member(number, { ...role(number), status: state }));
    }
  }, 50);
  return () => clearInterval(timer);
}

async function use(page) {
  await page.keyboard.press("/");
  await page.keyboard.type("tag:role=db node-1", { delay: 40 });
  await page.keyboard.press("Escape");
  for (const column of ["addr", "status", "tags", "changed", "name"]) {
    await page.click(`#head-${column} button`);
    await page.waitForTimeout(60);
  }
  await page.hover("#grid .rows");
  for (let i = 0; i < 20; i += 1) {
    await page.mouse.wheel(0, i < 14 ? 900 : -1500);
    await page.waitForTimeout(30);
  }
  const ring = await page.locator("#ring canvas").boundingBox();
  for (let i = 0; i < 30; i += 1) {
    const angle = (i / 30) * 2 * Math.PI;
    await page.mouse.move(ring.x + ring.width / 2 + 110 * Math.cos(angle),
      ring.y + ring.height / 2 + 110 * Math.sin(angle));
  }
  await page.focus("#grid");
  for (let i = 0; i < 10; i += 1) {
    await page.keyboard.press("PageDown");
  }
  await page.waitForTimeout(500);
}

async function attempt(hasStream) {
  const node = await new MockNode(document, { nodes: members(MEMBERS, role), hasStream }).start();
  const page = await browser.visitor({ expected: /404/ });
  await page.addInitScript(watchTasks);
  await page.goto(node.url);
  await until("2,000 members are on the page", 10,
    async () => (await countsOf(page)).alive === MEMBERS);
  const atStart = await page.evaluate(() => window.longTasks.splice(0));
  const calm = hasStream ? disturb(node) : () => {};
  await page.evaluate(() => window.frames_.splice(0));
  await use(page);
  calm();
  const tasks = await page.evaluate(() => window.longTasks);
  const frames = (await page.evaluate(() => window.frames_)).sort((a, b) => a - b);
  const rows = await page.$$eval("#grid .rows .row", (all) => all.length);
  const events = await page.$$eval("#timeline li", (all) => all.length);
  await leave(page);
  await node.stop();
  return { atStart, tasks, rows, events, p95: Math.round(frames[Math.floor(frames.length * 0.95)]),
    worst: Math.round(frames.at(-1)), frames: frames.length };
}

async function withoutStutter(hasStream) {
  const tried = [];
  for (let i = 0; i < ATTEMPTS; i += 1) {
    const found = await attempt(hasStream);
    console.log(`# start: ${found.atStart.join(" ") || "no long task"}; in use: ` +
      `${found.tasks.join(" ") || "no long task"} ms; ${found.frames} frames, 95 % within ` +
      `${found.p95} ms, longest ${found.worst} ms`);
    tried.push(found);
    assert.ok(found.rows < 60, `${found.rows} rows in the document`);
    assert.ok(!hasStream || found.events === 200, `${found.events} events in the document`);
    if (found.tasks.length === 0 && found.atStart.length <= 1) {
      return;
    }
  }
  assert.fail(`tasks over ${LONG_MS} ms each time: ${JSON.stringify(tried)}`);
}

test("2,000 members with 200 events a second", () => withoutStutter(true));
test("2,000 members, asked for each second", () => withoutStutter(false));

test("the table of 2,000 is searched as it is typed", async () => {
  const node = await new MockNode(document, { nodes: members(MEMBERS, role) }).start();
  const page = await browser.visitor();
  await page.goto(node.url);
  await until("all are there", 10, async () => (await countsOf(page)).alive === MEMBERS);
  await page.fill("#search", "tag:role=db node-199");
  await until("the one is found", 15, async () => (await rowsOf(page)).map(({ name }) => name)
    .join() === "node-1990");
  assert.equal(await page.textContent("#shown"), "1 of 2,000");
  await leave(page);
  await node.stop();
});
