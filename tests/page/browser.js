// Debian's Chromium, headless, with a profile of its own that is thrown away. Nothing is downloaded:
// CHROMIUM names another browser than /usr/bin/chromium.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-dev-shm-usage"];

export async function startBrowser() {
  if (!fs.existsSync(CHROMIUM)) {
    throw new Error(`no browser at ${CHROMIUM}: install Debian's chromium, or name one in CHROMIUM`);
  }
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "swim-page-profile-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM,
    args: ARGUMENTS, viewport: null, chromiumSandbox: false });
  const browser = context.browser();
  return {
    // Each call is a visitor without a past.
    visit: (options) => browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }),
    async close() {
      await context.close();
      fs.rmSync(profile, { recursive: true, force: true });
    },
  };
}
