// Names, tags and addresses come from other members: whatever they hold is shown as text, and
// nothing of it is ever run, fetched or taken for markup.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { countsOf, eventsOf, leave, rowsOf, startBrowser } from "./browser.js";
import { endAll, until } from "./cluster.js";
import { member, MockNode, realDocument } from "./mock.js";

const NAMES = [
  "<img src=x onerror=window.hurt=1>",
  "<script>window.hurt=1</script>",
  "\"><svg onload=window.hurt=1>",
  "javascript:window.hurt=1",
  "{{constructor.constructor('window.hurt=1')()}}",
  "${window.hurt=1}",
  "__proto__",
  "constructor",
  "</style><style>*{display:none}",
  "\u202Egnp.exe\u202C",
  "a\u0301\u0302\u0303".repeat(30),
  "x".repeat(128),
  "名前".repeat(20),
  " ",
];

let browser;
let document_;
before(async () => {
  document_ = await realDocument();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await endAll();
});

function hostile(number) {
  const name = NAMES[number - 1];
  return member(number, { name, tags: { [name]: name, role: name, ["k".repeat(60)]: "v".repeat(900) } });
}

test("what members say of themselves is text", async () => {
  const nodes = [member(0), ...NAMES.map((_, index) => hostile(index + 1))];
  const node = await new MockNode(document_, { nodes }).start();
  const page = await browser.visitor();
  await page.goto(node.url);
  await until("all are there", 10, async () => (await countsOf(page)).alive === nodes.length);
  const elements = await page.$$eval("*", (all) => all.map(({ tagName }) => tagName.toLowerCase()));
  NAMES.forEach((_, index) => node.happen("suspected", { ...hostile(index + 1), status: "suspect" }));
  node.say({ kind: "<img src=x onerror=window.hurt=1>", member: nodes[1] });
  await until("all are told", 15, async () => (await eventsOf(page)).length === NAMES.length + 1);
  const shown = (await rowsOf(page)).map(({ name }) => name);
  for (const name of NAMES) {
    await page.fill("#search", `"${name.slice(0, 20).replaceAll('"', "")}"`);
    await page.locator("#ring").hover({ position: { x: 5, y: 5 } });
    assert.ok(shown.includes(name) || shown.length < nodes.length, name);
  }
  await page.fill("#search", "");
  for (let i = 0; i < NAMES.length; i += 1) {
    await page.focus("#ring");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await until("details", 15, () => page.isVisible("#detail"));
    assert.ok(NAMES.includes(await page.textContent("#detail-title")));
    await page.keyboard.press("Escape");
  }
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  assert.equal(await page.evaluate(() => Object.prototype.role), undefined);
  const allowed = new Set([...elements, "dl", "dt", "dd", "h3", "ul", "li", "time", "svg", "use", "i"]);
  const now = await page.$$eval("*", (all) => all.map(({ tagName }) => tagName.toLowerCase()));
  assert.deepEqual([...new Set(now)].filter((name) => !allowed.has(name)), [], "no element of theirs");
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.locator("script").count(), 1);
  assert.ok(await page.isVisible("#grid"));
  await leave(page);
  await node.stop();
});

test("the page can't run what somebody would bring into it", async () => {
  const node = await new MockNode(document_).start();
  const page = await browser.visitor({ expected: /Content Security Policy|TrustedHTML|Trusted/ });
  await page.goto(node.url);
  await until("it runs", 10, async () => (await countsOf(page)).alive === 5);
  const tried = await page.evaluate(async () => {
    const attempt = (what) => {
      try {
        what();
        return "done";
      } catch (error) {
        return error.name;
      }
    };
    const script = document.createElement("script");
    const results = {
      markup: attempt(() => { document.body.innerHTML = "<b>x</b>"; }),
      text: attempt(() => { script.textContent = "window.hurt = 1"; document.body.append(script); }),
      later: attempt(() => setTimeout("window.hurt = 1")),
    };
    // In a task of its own: what a debugger evaluates may do more.
    results.code = await new Promise((resolve) => {
      setTimeout(() => resolve(attempt(() => new Function("window.hurt = 1")())));
    });
    const frame = document.createElement("iframe");
    frame.src = "http://localhost:1/";
    document.body.append(frame);
    results.elsewhere = await fetch("http://localhost:1/").then(() => "done", ({ name }) => name);
    return results;
  });
  assert.deepEqual(tried, { markup: "TypeError", text: "TypeError", later: "TypeError",
    code: "EvalError", elsewhere: "TypeError" });
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  await page.context().close();
  await node.stop();
});
