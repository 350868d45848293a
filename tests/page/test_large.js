// Two thousand members without stutter: once the page is there, no task of the page's takes 50 ms or more
// of a processor (what browsers call a long task), while members change, the table is searched, sorted
// and scrolled, and the ring is pointed at. Processor time, by the browser's own trace: the machine may
// be busy with something else.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { countsOf, leave, rowsOf, startBrowser } from "./browser.js";
import { endAll, until } from "./cluster.js";
import { member, members, MockNode, realDocument } from "./mock.js";

const MEMBERS = 2000;
const LOOKS = 3;
const LONG_MS = 50;
const START_MS = 200; // the whole page and the first list, once
const EVENTS_A_SECOND = 200;
const CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline"];

let browser;
let document;
before(async () => {
  document = await realDocument();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await endAll();
});

function role(number) {
  return { tags: { role: number % 10 === 0 ? "db" : "web", zone: `z${number % 7}` } };
}

function watchFrames() {
  window.frameTimes = [];
  let last = performance.now();
  const frame = (now) => {
    window.frameTimes.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

// Milliseconds of processor time of each task of the pages' main threads, the longest first.
function tasksOf(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const isMain = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" &&
    args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(({ name, ph, pid, tid, tdur }) => name === "RunTask" &&
    ph === "X" && tdur !== undefined && isMain.has(`${pid} ${tid}`));
  assert.ok(tasks.length > 100, `${tasks.length} tasks in the trace`);
  return tasks.map(({ tdur }) => tdur / 1000).sort((x, y) => y - x);
}

// Members are suspected, recover, die and join, as fast as one each 5 ms.
function disturb(node) {
  const told = []; // names, the last one first
  let step = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < EVENTS_A_SECOND / 20; i += 1) {
      step += 1;
      const number = 1 + (step * 7) % (MEMBERS - 1);
      const state = ["suspect", "alive", "suspect", "dead"][step % 4];
      const kind = { suspect: "suspected", alive: "recovered", dead: "failed" }[state];
      node.happen(kind, member(number, { ...role(number), status: state }));
      told.unshift(`node-${number}`);
    }
  }, 50);
  timer.unref();
  return { told, calm: () => clearInterval(timer) };
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

async function lookOnce(hasStream) {
  const node = await new MockNode(document, { nodes: members(MEMBERS, role), hasStream }).start();
  const page = await browser.visitor({ expected: /404/ });
  const chromium = page.context().browser();
  await page.addInitScript(watchFrames);
  await chromium.startTracing(page, { categories: CATEGORIES });
  await page.goto(node.url);
  await until("2,000 members are on the page", 30,
    async () => (await countsOf(page)).alive === MEMBERS);
  await page.waitForTimeout(300);
  const atStart = tasksOf(await chromium.stopTracing());
  await chromium.startTracing(page, { categories: CATEGORIES });
  await page.evaluate(() => window.frameTimes.splice(0));
  const disturbed = hasStream ? disturb(node) : null;
  await use(page);
  const listed = await page.locator("#timeline li button").allTextContents();
  disturbed?.calm();
  const frames = (await page.evaluate(() => window.frameTimes)).sort((x, y) => x - y);
  const tasks = tasksOf(await chromium.stopTracing());
  const rows = await page.locator("#grid .rows .row").count();
  console.log(`# at the start ${atStart[0].toFixed(0)} ms; then the longest tasks took ${tasks.slice(0, 5).map((ms) => ms.toFixed(0)).join(", ")} ms; ` +
    `${frames.length} frames, 95 % within ${frames[Math.floor(frames.length * 0.95)].toFixed(0)} ms`);
  assert.ok(rows < 60, `${rows} rows in the document`);
  assert.ok(!hasStream || listed.length === 200, `${listed.length} events in the document`);
  assert.ok(!hasStream || disturbed.told.join().includes(listed.join()), "events are left out");
  await leave(page);
  await node.stop();
  return { atStart: atStart[0], longest: tasks[0] };
}

// A shared machine only ever adds to the truth: the best of some looks counts.
async function withoutStutter(hasStream) {
  const best = { atStart: Infinity, longest: Infinity };
  for (let look = 0; look < LOOKS && !(best.atStart < START_MS && best.longest < LONG_MS); look += 1) {
    const seen = await lookOnce(hasStream);
    best.atStart = Math.min(best.atStart, seen.atStart);
    best.longest = Math.min(best.longest, seen.longest);
  }
  assert.ok(best.atStart < START_MS, `a task of ${best.atStart} ms at the start`);
  assert.ok(best.longest < LONG_MS, `a task of ${best.longest} ms`);
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

// How many pixels clearly differ, in how much is painted there.
function differing(one, other) {
  let pixels = 0;
  for (let i = 3; i < one.length; i += 4) {
    pixels += Math.abs(one[i] - other[i]) > 64;
  }
  return pixels;
}

// Only what changes is painted again; a page that is loaded anew paints all at once. Edges may be
// smoothed a little differently: a sign that is wrong or missing differs in tens of pixels.
test("the ring that was changed piece by piece is the one that is painted at once", async () => {
  const node = await new MockNode(document, { nodes: members(MEMBERS, role) }).start();
  const page = await browser.visitor({ reducedMotion: "reduce" });
  const picture = () => page.evaluate(() => {
    const canvas = document.querySelector("#ring canvas");
    return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
  });
  const isShown = (dead) => until(`${dead} are dead`, 30, async () => (await countsOf(page)).dead === dead);
  const isPainted = () => page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  }));
  await page.goto(node.url);
  await until("all are there", 30, async () => (await countsOf(page)).alive === MEMBERS);
  const untouched = await picture();
  for (let round = 1; round <= 3; round += 1) {
    ["dead", "suspect", "left", "dead"].forEach((status, i) =>
      node.happen("failed", member(100 * round + i, { ...role(100 * round + i), status })));
    await isShown(2 * round);
  }
  node.happen("recovered", member(100, role(100)));
  await isShown(5);
  await isPainted();
  const changed = await picture();
  assert.ok(differing(changed, untouched) > 60, "nothing was painted");
  await page.reload();
  await isShown(5);
  await isPainted();
  const off = differing(await picture(), changed);
  assert.ok(off < 20, `${off} pixels differ`);
  await leave(page);
  await node.stop();
});
