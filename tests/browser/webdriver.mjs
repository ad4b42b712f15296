// SPDX-License-Identifier: MIT
// webdriver.mjs - Chromium without a screen, by way of chromedriver and the WebDriver protocol (W3C): just what tests need.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE_MS = 30000 * Number(process.env.HTTP_TIME_FACTOR ?? 1);

/* Code points that stand for keys. */
export const Keys = { enter: "\uE007", escape: "\uE00C", tab: "\uE004", selectAll: "\uE009a\uE009", end: "\uE010" };

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=900,1000"];

function startDriver() {
  const child = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  return new Promise((resolve, reject) => {
    const fail = (why) => { child.kill("SIGKILL"); reject(new Error(`chromedriver: ${why}\n${output}`)); };
    const timer = setTimeout(() => fail("it does not say on which port it listens"), PATIENCE_MS);
    child.on("error", (error) => { clearTimeout(timer); fail(`${error.message}; scripts/setup.sh test installs it`); });
    child.on("close", (code) => { clearTimeout(timer); reject(new Error(`chromedriver ended (${code})\n${output}`)); });
    for (const pipe of [child.stdout, child.stderr])
      pipe.on("data", (chunk) => {
        output += chunk;
        const port = /successfully on port (\d+)/.exec(output)?.[1];
        if (!port) return;
        clearTimeout(timer);
        resolve({ child, url: `http://127.0.0.1:${port}` });
      });
  });
}

async function call(url, method, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) });
  const { value } = await response.json();
  if (response.ok) return value;
  throw Object.assign(new Error(`${value.error}: ${value.message}`), { code: value.error });
}

/* A browser with a profile of its own, gone after close(). */
export async function openBrowser() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "covara-browser-"));
  const driver = await startDriver();
  const ended = new Promise((resolve) => driver.child.on("close", resolve));
  let session = null;
  const close = async () => {
    if (session) await call(session, "DELETE").catch(() => {});
    driver.child.kill("SIGTERM");
    await ended;
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const { sessionId } = await call(`${driver.url}/session`, "POST", { capabilities: { alwaysMatch: {
      browserName: "chrome", "goog:loggingPrefs": { browser: "ALL" },
      "goog:chromeOptions": { args: [...FLAGS, `--user-data-dir=${profile}`] },
    } } });
    session = `${driver.url}/session/${sessionId}`;
    const first = new Window(session, await call(`${session}/window`, "GET"));
    const openWindow = async () => new Window(session, (await call(`${session}/window/new`, "POST", { type: "window" })).handle);
    /* What the console got since the last call: [{ level, message }]. */
    const log = () => call(`${session}/se/log`, "POST", { type: "browser" });
    return { first, openWindow, log, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export class Window {
  #session; #handle;
  constructor(session, handle) {
    this.#session = session;
    this.#handle = handle;
  }

  /* A session talks to one window at a time, so each call says to which. */
  async #call(method, path, body) {
    await call(`${this.#session}/window`, "POST", { handle: this.#handle });
    return call(`${this.#session}${path}`, method, body);
  }

  open(url) { return this.#call("POST", "/url", { url }); }
  /* The function runs in the page; arguments and result are JSON. */
  run(fn, ...args) { return this.#call("POST", "/execute/sync", { script: `return (${fn})(...arguments)`, args }); }
  command(cmd, params = {}) { return this.#call("POST", "/goog/cdp/execute", { cmd, params }); }
  async screenshot(file) { fs.writeFileSync(file, Buffer.from(await this.#call("GET", "/screenshot"), "base64")); }

  async #element(selector) {
    return (await this.#call("POST", "/element", { using: "css selector", value: selector }))[ELEMENT];
  }
  async click(selector) { await this.#call("POST", `/element/${await this.#element(selector)}/click`, {}); }
  async type(selector, text) { await this.#call("POST", `/element/${await this.#element(selector)}/value`, { text }); }
  /* Keys go to whatever has the focus. */
  press(...keys) {
    const actions = keys.flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
    return this.#call("POST", "/actions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /* Until the function gives something that passes `good`; that is returned. */
  async until(what, fn, good = Boolean, ...args) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const value = await this.run(fn, ...args);
      if (good(value)) return value;
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}; the page has ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
