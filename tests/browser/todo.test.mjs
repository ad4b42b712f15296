// SPDX-License-Identifier: MIT
// The live page of examples/todo in two windows of Chromium: what one does, the other shows.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { startServer } from "../conformance/server.mjs";
import { Keys, openBrowser } from "./webdriver.mjs";

const binary = process.env.COVARA_BIN && path.resolve(process.env.COVARA_BIN);
if (!binary) throw new Error("COVARA_BIN is not set: the path of the covara executable");
const example = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../examples/todo");

let folder, server, browser, one, two;

function start(port = 0) {
  return startServer(binary, folder, { args: ["--port", String(port), "--seed", path.join(folder, "seed.sql")] });
}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "covara-todo-"));
  fs.cpSync(example, folder, { recursive: true, filter: (file) => !/\.db(-shm|-wal|-journal)?$/.test(file) });
  server = await start();
  browser = await openBrowser();
  one = browser.first;
  two = await browser.openWindow();
  for (const window of [one, two]) {
    await window.open(`${server.url}/`);
    await isLive(window);
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

// --- what is on the page -----------------------------------------------------------------------------

const isLive = (window) => window.until("live", () => document.getElementById("state").textContent, (text) => text === "live");
const isLost = (window) => window.until("reconnecting", () => document.getElementById("state").textContent, (text) => text === "reconnecting");

/* [{ id, title, done, pending }] from top to bottom. */
const readRows = () => [...document.querySelectorAll("#list li")].map((item) => ({
  id: item.dataset.id, title: item.querySelector(".title").textContent, done: item.querySelector(".done").checked,
  pending: item.classList.contains("pending"),
}));
const rowsWhen = (window, what, good) => window.until(what, readRows, good);
const titled = (rows, title) => rows.filter((row) => row.title === title);

async function hasOne(window, title, good = () => true) {
  const rows = await rowsWhen(window, `one row "${title}"`, (all) =>
    titled(all, title).length === 1 && !titled(all, title)[0].pending && good(titled(all, title)[0]));
  return titled(rows, title)[0];
}
const hasNone = (window, title) => rowsWhen(window, `no row "${title}"`, (rows) => titled(rows, title).length === 0);
const at = (row, part) => `li[data-id="${row.id}"] ${part}`;

/* Both windows show what the server has, newest first. */
async function inStep() {
  const { items } = await (await fetch(`${server.url}/api/todos?limit=100`)).json();
  const wanted = items.sort((a, b) => b.id - a.id).map(({ id, title, done }) => ({ id: String(id), title, done, pending: false }));
  for (const window of [one, two])
    await rowsWhen(window, "what the server has", (rows) => isDeepStrictEqual(rows, wanted));
  return wanted;
}

async function add(window, title) {
  await window.type("#title", title + Keys.enter);
}

// --- the tests ---------------------------------------------------------------------------------------

test("the page shows the rows of the database, without a complaint of the browser", async () => {
  assert.equal((await inStep()).length, 10);
  assert.deepEqual(await one.run(() => [...document.querySelectorAll("[data-count]")].map((count) => count.textContent)), ["10", "7", "3"]);
  assert.equal(await one.run(() => document.title), "(7) Todos");
  assert.deepEqual(await browser.log(), []);
});

test("what is added in one window appears in the other, once", async () => {
  await add(one, "Buy bread");
  await add(two, "Buy cheese");
  for (const window of [one, two])
    for (const title of ["Buy bread", "Buy cheese"]) await hasOne(window, title, (row) => /^\d+$/.test(row.id));
  assert.equal((await inStep()).length, 12);
  assert.equal(await one.run(() => document.activeElement.id), "title");
});

test("what is added is there before the server knows, and goes when it refuses", async () => {
  const seen = await one.run(async () => {
    const real = window.fetch, seen = {};
    const read = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
      done([...document.querySelectorAll("li.pending .title")].map((title) => title.textContent)))));
    window.fetch = (url, options) => {
      seen.header = options.headers["X-Covara-Optimistic-Id"];
      return read().then((titles) => { seen.titles = titles; return real(url, { ...options, body: '{"title":""}' }); });
    };
    document.getElementById("title").value = "Refused";
    document.getElementById("add").requestSubmit();
    while (document.getElementById("notice").hidden) await new Promise((done) => setTimeout(done, 10));
    window.fetch = real;
    return { ...seen, kept: document.getElementById("title").value };
  });
  assert.match(seen.header, /^optimistic_/);
  assert.deepEqual(seen.titles, ["Refused"]);
  assert.equal(seen.kept, "Refused");
  await one.run(() => { document.getElementById("title").value = ""; });
  await hasNone(one, "Refused");
  await inStep();
});

test("ticking", async () => {
  const row = await hasOne(two, "Buy bread");
  await two.click(at(row, ".done"));
  for (const window of [one, two]) await hasOne(window, "Buy bread", ({ done }) => done);
  await one.click(at(row, ".done"));
  for (const window of [one, two]) await hasOne(window, "Buy bread", ({ done }) => !done);
  await inStep();
});

test("editing with the keyboard: Enter saves, Escape does not", async () => {
  const row = await hasOne(one, "Buy bread");
  await one.run((selector) => document.querySelector(selector).focus(), at(row, ".title"));
  await one.press(Keys.enter);
  await one.until("the field", (selector) => !document.querySelector(selector).hidden, Boolean, at(row, ".edit"));
  await one.type(at(row, ".edit"), `${Keys.end} and butter${Keys.enter}`);
  for (const window of [one, two]) await hasOne(window, "Buy bread and butter");
  assert.equal(await one.run((selector) => document.activeElement === document.querySelector(selector), at(row, ".title")), true);

  await one.press(Keys.enter);
  await one.type(at(row, ".edit"), `${Keys.end} and jam${Keys.escape}`);
  assert.equal(await one.run((selector) => document.querySelector(selector).hidden, at(row, ".edit")), true);
  await hasOne(one, "Buy bread and butter");
  await inStep();
});

test("an edit does not overwrite what another window wrote meanwhile", async () => {
  const row = await hasOne(one, "Buy cheese");
  await one.click(at(row, ".title"));
  await two.click(at(row, ".title"));
  await two.type(at(row, ".edit"), `${Keys.end} (old)${Keys.enter}`);
  await hasOne(one, "Buy cheese (old)");
  await one.type(at(row, ".edit"), `${Keys.end} (young)${Keys.enter}`);
  await one.until("the notice", () => !document.getElementById("notice").hidden && document.getElementById("notice").textContent,
    (text) => /Somebody else/.test(text));
  for (const window of [one, two]) await hasOne(window, "Buy cheese (old)");
  await inStep();
});

test("a title with markup is a text", async () => {
  const title = '<img src="x" onerror="document.title = 1"><b>bold</b>';
  await add(one, title);
  for (const window of [one, two]) {
    await hasOne(window, title);
    assert.equal(await window.run(() => document.querySelectorAll("#list img, #list b").length), 0);
  }
});

test("deleting, and the focus goes on", async () => {
  const row = await hasOne(two, "Buy bread and butter");
  await two.run((selector) => document.querySelector(selector).focus(), at(row, ".delete"));
  await two.press(Keys.enter);
  for (const window of [one, two]) await hasNone(window, "Buy bread and butter");
  assert.equal(await two.run(() => document.activeElement.className), "delete");
  await inStep();
});

test("filters, which the address keeps", async () => {
  const all = await inStep();
  const shows = (window, good) => rowsWhen(window, "the filtered rows", (rows) =>
    isDeepStrictEqual(rows, all.filter(good)));
  await one.click('#filter input[value="done"]');
  await shows(one, (row) => row.done);
  assert.equal(await one.run(() => location.hash), "#done");
  await one.open(`${server.url}/#open`);
  await shows(one, (row) => !row.done);
  await two.click(at(all.find((row) => !row.done), ".done"));
  await rowsWhen(one, "one row less", (rows) => rows.length === all.filter((row) => !row.done).length - 1);
  await one.click('#filter input[value="all"]');
  await inStep();
});

test("after a restart both windows connect again and show what was changed meanwhile", async () => {
  const { port } = new URL(server.url);
  await server.stop();
  for (const window of [one, two]) await isLost(window);
  await add(one, "Nobody hears this");
  await one.until("the notice", () => document.getElementById("notice").textContent, (text) => /cannot be reached/.test(text));
  await one.run(() => { document.getElementById("title").value = ""; });

  const other = await start();
  const { items: [first, second] } = await (await fetch(`${other.url}/api/todos?limit=2`)).json();
  for (const [method, target, body] of [["POST", "", { title: "Written elsewhere" }], ["DELETE", `/${first.id}`],
    ["PATCH", `/${second.id}`, { title: "Changed elsewhere" }]]) {
    const response = await fetch(`${other.url}/api/todos${target}`, { method, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${method} ${response.status}`);
  }
  await other.stop();

  server = await start(port);
  for (const window of [one, two]) {
    await isLive(window);
    await hasOne(window, "Written elsewhere");
    await hasOne(window, "Changed elsewhere");
    await hasNone(window, first.title);
  }
  await add(two, "And on it goes");
  await hasOne(one, "And on it goes");
  await inStep();
});
