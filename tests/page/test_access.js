// By keys alone, by what screen readers are told, by axe-core's rules in both themes and two sizes,
// and without motion where that is asked for.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import test, { after, before } from "node:test";
import { countsOf, leave, rowsOf, startBrowser } from "./browser.js";
import { until } from "./cluster.js";
import { members, MockNode, realDocument } from "./mock.js";

const STATES = ["alive", "alive", "suspect", "dead", "left"];

let axe;
let browser;
let node;
before(async () => {
  const nodes = members(40, (number) => ({ status: STATES[number % STATES.length], rtt_seconds: 0.00009,
    tags: number % 2 ? { role: "db", zone: "eu" } : {} }));
  nodes[0].status = "alive";
  node = await new MockNode(await realDocument(), { nodes }).start();
  browser = await startBrowser();
  axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

async function visit(options) {
  const page = await browser.visitor(options);
  await page.goto(node.url);
  await until("members are shown", 10, async () => (await rowsOf(page)).length > 3);
  return page;
}

// An event, so that there is something in every part of the page.
async function something(page) {
  node.happen("suspected", { ...node.nodes[1], status: "suspect" });
  await until("told", 15, () => page.locator("#timeline li").count());
}

// What has the keys, as a short name.
function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement;
    return at.id || at.closest("[id]")?.id || at.tagName;
  });
}

async function audit(page, what) {
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a",
    "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes[0].html} ` +
    `${nodes[0].failureSummary}`), []);
}

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of [["desk", { width: 1280, height: 800 }],
    ["phone", { width: 390, height: 844 }]]) {
    test(`axe-core has nothing to say: ${colorScheme}, ${size}`, async () => {
      const page = await visit({ colorScheme, viewport, });
      await something(page);
      await audit(page, "page");
      await page.focus("#grid");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await until("details", 15, () => page.isVisible("#detail"));
      await audit(page, "details");
      await leave(page);
    });
  }
}

test("Tab goes everywhere, in the order of the page", async () => {
  const page = await visit();
  await something(page);
  const stops = [];
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press("Tab");
    stops.push(await focused(page));
  }
  assert.deepEqual(stops, ["skip", "theme", "ring", "counts", "counts", "counts", "counts", "search",
    "grid", "timeline", "timeline", "BODY"]);
  await leave(page);
});

test("what has the keys is seen to have them", async () => {
  const page = await visit();
  await something(page);
  for (let i = 0; i < 11; i += 1) {
    await page.keyboard.press("Tab");
    const { style, width } = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { style: outlineStyle, width: parseFloat(outlineWidth) };
    });
    assert.ok(style !== "none" && width >= 2, `${await focused(page)}: ${style} ${width}`);
  }
  await leave(page);
});

test("the table by its keys", async () => {
  const page = await visit();
  const at = async () => {
    const id = await page.getAttribute("#grid", "aria-activedescendant");
    return page.evaluate((name) => {
      const cell = document.getElementById(name);
      return [cell.closest("[role=row]").getAttribute("aria-rowindex"), cell.getAttribute("aria-colindex"),
        cell.getAttribute("role")].join();
    }, id);
  };
  await page.keyboard.press("/");
  assert.equal(await focused(page), "search");
  await page.keyboard.type("tag:role=db");
  await until("found", 15, async () => await page.textContent("#shown") === "20 of 40");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "grid");
  assert.equal(await at(), "2,1,gridcell");
  assert.equal(await page.getAttribute("#grid", "aria-rowcount"), "21");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.equal(await at(), "3,2,gridcell");
  await page.keyboard.press("End");
  assert.equal(await at(), "21,2,gridcell");
  await page.keyboard.press("ArrowDown");
  assert.equal(await at(), "21,2,gridcell", "the last one");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowUp");
  assert.equal(await at(), "1,2,columnheader");
  await page.keyboard.press("Enter");
  assert.equal(await page.getAttribute("#head-name", "aria-sort"), "descending");
  assert.equal((await rowsOf(page))[0].name, "node-39");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until("details", 15, async () => await focused(page) === "detail-title");
  assert.equal(await page.textContent("#detail-title"), "node-39");
  assert.equal(await page.getAttribute("#grid .row[data-index='0']", "aria-selected"), "true");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "grid", "back where it came from");
  await page.keyboard.press("Escape");
  assert.equal(await page.inputValue("#search"), "");
  await leave(page);
});

test("the ring by its keys", async () => {
  const page = await visit();
  const said = () => page.textContent("#ring-option");
  await page.focus("#ring");
  assert.equal(await said(), "node-0, alive, this node");
  assert.equal(await page.getAttribute("#ring", "aria-activedescendant"), "ring-option");
  await page.keyboard.press("ArrowRight");
  assert.match(await said(), /^node-1, (alive|suspect)$/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.match(await said(), /^node-39, /);
  assert.equal(await page.getAttribute("#ring-option", "aria-posinset"), "40");
  await page.keyboard.press("Enter");
  await until("details", 15, () => page.isVisible("#detail"));
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "ring");
  await leave(page);
});

test("a state's number lists its members", async () => {
  const page = await visit();
  await page.click("#counts li[data-state=dead] button");
  assert.equal(await page.inputValue("#search"), "status:dead");
  const { dead } = await countsOf(page);
  await until("they are listed", 15, async () => (await rowsOf(page)).length === dead);
  assert.ok((await rowsOf(page)).every(({ status }) => status === "dead"));
  await leave(page);
});

test("the theme is what was chosen, and stays", async () => {
  const page = await visit({ colorScheme: "light" });
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement)
    .backgroundColor);
  const light = await background();
  await page.click("#theme");
  assert.equal(await page.textContent("#theme"), "Theme: light");
  await page.click("#theme");
  assert.equal(await page.textContent("#theme"), "Theme: dark");
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await background(), dark);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.click("#theme");
  assert.equal(await page.textContent("#theme"), "Theme: auto");
  assert.equal(await background(), dark, "as the system says");
  await leave(page);
});

test("nothing moves for those who don't want it", async () => {
  const page = await visit({ reducedMotion: "reduce" });
  await page.evaluate(() => {
    window.drawn = 0;
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function counting(...all) {
      window.drawn += 1;
      return draw.apply(this, all);
    };
  });
  node.happen("failed", { ...node.nodes[7], status: "dead" });
  await page.waitForTimeout(700);
  assert.ok(await page.evaluate(() => window.drawn) < 8, "no animation");
  await page.click("#grid .row[data-index='1']");
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  await leave(page);
});

test("the page fits a phone", async () => {
  const page = await visit({ viewport: { width: 390, height: 844 } });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await leave(page);
});
