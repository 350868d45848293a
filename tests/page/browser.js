// Debian's Chromium, headless, with a profile of its own that is thrown away. Nothing is downloaded:
// CHROMIUM names another browser than /usr/bin/chromium.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-dev-shm-usage"];

async function playwright() {
  try {
    return await import("playwright-core");
  } catch (error) {
    throw new Error("playwright-core is not installed in tests/page: run `tools/setup test`, " +
      `which runs \`npm ci\` there and needs the npm registry (${error.code})`);
  }
}

// What a visitor must never see, whatever is tested: errors of the page's, words of the browser's on
// its policy, and anything fetched from elsewhere. `expected` is what a test knows to happen.
function watch(page, expected) {
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.stack}`));
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !expected.test(text) &&
        !text.startsWith("Canvas2D:")) { // these are about what tests do
      problems.push(`console: ${text}`);
    }
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== new URL(page.url()).origin &&
        page.url() !== "about:blank") {
      problems.push(`fetched from elsewhere: ${request.url()}`);
    }
  });
  page.on("requestfinished", (request) => page.fetched.add(new URL(request.url()).pathname));
  page.fetched = new Set();
  page.problems = problems;
}

export async function startBrowser() {
  const { chromium } = await playwright();
  if (!fs.existsSync(CHROMIUM)) {
    throw new Error(`no browser at ${CHROMIUM}: install Debian's chromium, or name one in CHROMIUM`);
  }
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "swim-page-profile-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM,
    args: ARGUMENTS, viewport: null, chromiumSandbox: false });
  const browser = context.browser();
  return {
    // A visitor without a past, before it has gone anywhere.
    async visitor({ expected = /^$/, ...options } = {}) {
      const visit = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await visit.newPage();
      watch(page, expected);
      return page;
    },
    async close() {
      await context.close();
      fs.rmSync(profile, { recursive: true, force: true });
    },
  };
}

export async function leave(page) {
  await page.context().close();
  assert.deepEqual(page.problems, []);
}

// ---- What is seen ----

// The rows that the table shows, from the top: [{status, name, addr, tags}].
export function rowsOf(page) {
  return page.$$eval("#grid .rows .row:not([hidden])", (rows) => rows
    .sort((a, b) => a.dataset.index - b.dataset.index)
    .map((row) => Object.fromEntries(["status", "name", "addr", "tags"].map((key) =>
      [key, row.querySelector(key === "name" ? ".c-name .cut" : `.c-${key}`).textContent]))));
}

export async function statusOf(page, addr) {
  return (await rowsOf(page)).find((row) => row.addr === addr)?.status;
}

// The numbers below the ring: {alive: 5, …}.
export function countsOf(page) {
  return page.$$eval("#counts li", (items) => Object.fromEntries(items.map((item) =>
    [item.dataset.state, Number(item.querySelector("b").textContent.replaceAll(",", ""))])));
}

// What the ring says of each member, by its keys, all the way round.
export async function ringOf(page) {
  const said = [];
  await page.focus("#ring");
  await page.keyboard.press("Home");
  const size = Number(await page.getAttribute("#ring-option", "aria-setsize"));
  for (let i = 0; i < size; i += 1) {
    said.push(await page.textContent("#ring-option"));
    await page.keyboard.press("ArrowRight");
  }
  return said;
}

// The events, from the top: [{kind, text}].
export function eventsOf(page) {
  return page.$$eval("#timeline li", (items) => items.map((item) =>
    ({ kind: item.dataset.kind, text: item.querySelector(".what").textContent })));
}

// How much of the ring's canvas is painted in a colour of the style sheet.
export function painted(page, name) {
  return page.evaluate((colour) => {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${colour}`);
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const canvas = document.querySelector("#ring canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let pixels = 0;
    for (let i = 0; i < data.length; i += 4) {
      pixels += data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255;
    }
    return pixels;
  }, name);
}
