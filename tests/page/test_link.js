// The way to the node: streams that break and go on, nodes without a stream, nodes that are gone,
// silent or started again, and the token.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after, before } from "node:test";
import { countsOf, eventsOf, leave, rowsOf, startBrowser } from "./browser.js";
import { endAll, endCluster, Node, startCluster, until } from "./cluster.js";
import { member, MockNode, realDocument } from "./mock.js";

const GONE = /ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|404|503|Failed to load/;

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

function linkIs(page, state, seconds = 30) {
  return until(`the link is ${state}`, seconds,
    async () => await page.getAttribute("#link", "data-state") === state);
}

async function visit(options, state) {
  const node = await new MockNode(document, options).start();
  const page = await browser.visitor({ expected: GONE });
  await page.goto(node.url);
  await linkIs(page, state);
  return { node, page };
}

async function end({ node, page }) {
  await leave(page);
  await node.stop();
}

test("events are heard as they happen", async () => {
  const { node, page } = await visit({}, "live");
  assert.equal(await page.textContent("#link-text"), "live");
  node.happen("suspected", member(2, { status: "suspect" }));
  await until("suspect", 10, async () => (await countsOf(page)).suspect === 1);
  node.happen("failed", member(2, { status: "dead" }));
  await until("dead", 10, async () => (await countsOf(page)).dead === 1);
  node.happen("forgotten", member(2, { status: "dead" }));
  await until("forgotten", 10, async () => (await rowsOf(page)).length === 4);
  node.say({ kind: "pong", member: member(1), rtt_seconds: 0.0005 });
  node.say({ kind: "something-new", member: member(1) });
  await until("all are told", 10, async () => (await eventsOf(page)).length === 5);
  assert.deepEqual((await eventsOf(page)).map(({ text }) => text), ["node-1 something new",
    "node-1 answered a ping in 500 µs", "node-2 was forgotten",
    "node-2 failed", "node-2 is suspected"]);
  await until("said aloud", 10, async () => (await page.textContent("#announcer"))
    .includes("node-2 failed"));
  await end({ node, page });
});

test("who joins is called by its name as soon as that is known", async () => {
  const { node, page } = await visit({}, "live");
  const { name, ...nameless } = member(9);
  node.happen("joined", nameless);
  await until("it is told", 15, async () => (await eventsOf(page))[0]?.text === `${nameless.addr} joined`);
  node.happen("retagged", { ...nameless, name });
  await until("by its name", 15, async () => (await eventsOf(page)).map(({ text }) => text).join() ===
    "node-9 changed name or tags,node-9 joined");
  // One that is gone before it is looked at, too: its other events have the name.
  node.happen("joined", member(8, { name: undefined }));
  node.happen("retagged", member(8));
  node.happen("forgotten", member(8, { status: "dead" }));
  await until("all three", 15, async () => (await eventsOf(page)).length === 5);
  assert.deepEqual((await eventsOf(page)).slice(0, 3).map(({ text }) => text),
    ["node-8 was forgotten", "node-8 changed name or tags", "node-8 joined"]);
  await end({ node, page });
});

test("a broken stream goes on where it was", async () => {
  const { node, page } = await visit({}, "live");
  assert.deepEqual(node.resumedFrom, ["0"], "at first all that there is");
  node.happen("suspected", member(2, { status: "suspect" }));
  await until("suspect", 10, async () => (await countsOf(page)).suspect === 1);
  const last = `${node.began}-${node.sequence}`;
  node.streams.forEach((stream) => stream.end());
  await until("another stream", 15, async () => node.resumedFrom.length === 2);
  assert.equal(node.resumedFrom[1], last);
  node.happen("recovered", member(2));
  await until("alive", 10, async () => (await countsOf(page)).alive === 5);
  assert.equal((await eventsOf(page)).length, 2, "and nothing twice");
  await end({ node, page });
});

test("a node that is gone is said to be, and comes back", async () => {
  const { node, page } = await visit({}, "live");
  node.happen("suspected", member(2, { status: "suspect" }));
  await until("suspect", 10, async () => (await countsOf(page)).suspect === 1);
  await node.stop();
  await linkIs(page, "lost");
  assert.match(await page.textContent("#banner"), /^Disconnected since \d\d:\d\d:\d\d: /);
  assert.equal(await page.isVisible("#banner"), true);
  assert.equal((await countsOf(page)).suspect, 1, "what it said last is still there");
  const asked = node.asked.get("/events");
  node.nodes[2] = member(2, { status: "dead" });
  await node.start();
  await linkIs(page, "live", 20);
  assert.equal(await page.isVisible("#banner"), false);
  assert.ok(node.asked.get("/events") > asked);
  assert.equal(node.resumedFrom.at(-1), `${node.began}-1`);
  await until("dead", 10, async () => (await countsOf(page)).dead === 1);
  const { length } = node.resumedFrom;
  node.say({ kind: "missed", reason: "restarted" });
  await until("told", 10, async () => (await eventsOf(page)).length === 4);
  assert.deepEqual((await eventsOf(page)).map(({ kind }) => kind),
    ["missed", "restored", "lost", "suspected"]);
  assert.match((await eventsOf(page))[0].text, /was started again/);
  assert.equal(node.resumedFrom.length, length);
  await end({ node, page });
});

test("a node that says nothing any more is noticed", async () => {
  const { node, page } = await visit({}, "live");
  node.isSilent = true;
  await linkIs(page, "lost", 25);
  node.isSilent = false;
  await linkIs(page, "live", 25);
  await end({ node, page });
});

test("without a stream the members are asked for each second", async () => {
  const { node, page } = await visit({ hasStream: false }, "polling");
  assert.equal(await page.textContent("#link-text"), "live, by polling");
  node.nodes[2] = member(2, { status: "suspect" });
  await until("suspect", 15, async () => (await countsOf(page)).suspect === 1);
  node.nodes[2] = member(2, { status: "dead" });
  await until("dead", 15, async () => (await countsOf(page)).dead === 1);
  node.nodes.splice(2, 1);
  await until("gone", 15, async () => (await rowsOf(page)).length === 4);
  assert.deepEqual((await eventsOf(page)).map(({ text }) => text), ["node-2 was forgotten",
    "node-2 failed", "node-2 is suspected"]);
  await end({ node, page });
});

test("nonsense in the stream stops nothing", async () => {
  const { node, page } = await visit({}, "live");
  for (const data of ["null", "5", "[]", "{", '{"kind":5}', '{"kind":"joined","member":7}',
    '{"kind":"constructor"}', '{"kind":"missed","reason":"__proto__"}']) {
    node.streams.forEach((stream) => stream.write(`data: ${data}\n\n`));
  }
  node.happen("suspected", member(2, { status: "suspect" }));
  await until("suspect", 10, async () => (await countsOf(page)).suspect === 1);
  await end({ node, page });
});

test("the token is asked for, kept for the tab, and sent with all that is fetched", async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "swim-page-"));
  const token = path.join(directory, "token");
  const secret = "the-token-of-this-test-0123456789";
  fs.writeFileSync(token, `${secret}\n`, { mode: 0o600 });
  const node = await new Node({ name: "node1", directory,
    config: `[metrics]\nhttp_token_file = "${token}"\n` }).start();
  const page = await browser.visitor({ expected: /401/ });
  await page.goto(node.url);
  await linkIs(page, "locked");
  assert.equal(await page.isVisible("#token-dialog"), true);
  assert.equal((await rowsOf(page)).length, 0, "nothing is shown without it");
  await page.keyboard.press("Escape");
  assert.equal(await page.isVisible("#token-dialog"), true);
  await page.keyboard.type("not the token");
  await page.keyboard.press("Enter");
  assert.match(await page.textContent("#token-error"), /visible ASCII/);
  await page.fill("#token", "the-wrong-token-0123456789");
  await page.keyboard.press("Enter");
  await until("refused", 5,
    async () => (await page.textContent("#token-error")) === "This is not its token.");
  await page.fill("#token", secret);
  await page.keyboard.press("Enter");
  await until("members are shown", 10, async () => (await countsOf(page)).alive === 1);
  assert.equal(await page.isVisible("#token-dialog"), false);
  await linkIs(page, "live");
  await page.reload();
  await until("it is kept for the tab", 10, async () => (await countsOf(page)).alive === 1);
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage)), "{}", "and nowhere else");
  assert.ok(!page.url().includes(secret));
  await page.click("#lock");
  await until("forgotten", 10, () => page.isVisible("#token-dialog"));
  await leave(page);
  await endCluster([node]);
});

test("a real node that is started again is found again", async () => {
  const [node] = await startCluster(["node1"]);
  const page = await browser.visitor({ expected: GONE });
  await page.goto(node.url);
  await linkIs(page, "live");
  await node.end("SIGKILL");
  await linkIs(page, "lost");
  await node.start();
  await linkIs(page, "live", 20);
  await until("told", 15, async () => (await eventsOf(page)).some(({ kind }) => kind === "missed"));
  await leave(page);
  await endCluster([node]);
});
