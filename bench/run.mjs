#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// run.mjs [PART...] - measure build/release/covara and print each figure with its limit and a verdict.
//
//   BENCH_ROUNDS   rounds of each comparison, default 7; medians are judged, least and largest are shown
//   BENCH_SECONDS  length of one run of wrk, default 2
//   COVARA_BIN     the server, default build/release/covara
//
// Absolute rates say more about a machine than about a server, so limits of rates are ratios of two rates that
// were measured in turns in one run on this machine: ours and nginx's, or two requests of ours. Memory, and what live
// subscriptions take (their client is sse_clients.c), have absolute limits, with room for a slow machine. Load comes
// from wrk with one thread on loopback. Databases are in build/, on the disk that the sources are on.
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { startServer } from "../tests/conformance/server.mjs";

const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
const seconds = Number(process.env.BENCH_SECONDS ?? 2);
const ROWS = 10000, PAGE = 20, LAST_PAGE = ROWS / PAGE, COUNTED_READS = 10000;
const POSTS = 500, POSTS_PAGE = 50, TAGS_EACH = 2, COMMENTS_EACH = 3;

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const binary = path.resolve(process.env.COVARA_BIN ?? path.join(root, "build/release/covara"));
fs.mkdirSync(path.join(root, "build"), { recursive: true });
const work = fs.mkdtempSync(path.join(root, "build/bench-"));
const cleanups = [];

// --- what is measured with -----------------------------------------------------------------------

function compile(name, ...options) {
  const output = path.join(work, name);
  execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-o", output, path.join(here, `${name}.c`), ...options], { stdio: "inherit" });
  return output;
}

/* A folder with the benchmark's project and its filled database. */
function makeProject(name, rows) {
  const folder = path.join(work, name);
  fs.cpSync(path.join(here, "project"), folder, { recursive: true });
  const fill = `
    PRAGMA journal_mode = WAL;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO todos (title, done, priority, created_at)
    SELECT printf('Todo number %05d', i), i % 2, (i * 37) % 100, 1700000000 + i * 60 FROM n WHERE ${rows} > 0;
    ANALYZE;`;
  execFileSync("sqlite3", [path.join(folder, "bench.db")], { input: fs.readFileSync(path.join(folder, "schema.sql"), "utf8") + fill });
  return folder;
}

/* A folder with the blog example's schema, rows, and a configuration that needs none of the example's C code. */
function makeBlog(name) {
  const folder = path.join(work, name);
  fs.mkdirSync(folder);
  const auth = { public: { read: true } };
  const relations = {
    author: { type: "belongsTo", resource: "authors", foreignKey: "authorId" },
    comments: { type: "hasMany", resource: "comments", foreignKey: "postId" },
    tags: { type: "manyToMany", resource: "tags", through: { table: "post_tags", sourceKey: "post_id", targetKey: "tag_id" } },
  };
  fs.writeFileSync(path.join(folder, "covara.jsonc"), JSON.stringify({
    database: { url: "sqlite:bench.db" },
    resources: { authors: { auth }, posts: { auth, relations }, comments: { auth }, tags: { auth } },
  }));
  fs.copyFileSync(path.join(root, "examples/blog/schema.sql"), path.join(folder, "schema.sql"));
  const fill = `
    PRAGMA journal_mode = WAL;
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${POSTS}) SELECT i FROM n;
    INSERT INTO authors SELECT i, printf('Author %02d', i), printf('author%d@example.org', i) FROM n WHERE i <= 20;
    INSERT INTO tags SELECT i, printf('tag-%02d', i) FROM n WHERE i <= 20;
    INSERT INTO posts (id, author_id, title, slug, body)
    SELECT i, 1 + i % 20, printf('Post number %03d', i), printf('post-%d', i),
           'What it says is not long, but longer than its title, and the same for all of them.' FROM n;
    INSERT INTO post_tags SELECT n.i, 1 + (n.i + 7 * k.i) % 20 FROM n JOIN n AS k ON k.i <= ${TAGS_EACH};
    INSERT INTO comments (post_id, name, body)
    SELECT n.i, printf('Reader %d', k.i), printf('Comment %d on post number %03d', k.i, n.i) FROM n JOIN n AS k ON k.i <= ${COMMENTS_EACH};
    ANALYZE;`;
  execFileSync("sqlite3", [path.join(folder, "bench.db")], { input: fs.readFileSync(path.join(folder, "schema.sql"), "utf8") + fill });
  return folder;
}

async function serve(folder, options) {
  const server = await startServer(binary, folder, options);
  let running = true;
  const stop = async () => { if (running) { running = false; await server.stop(); } };
  cleanups.push(stop);
  return { ...server, stop };
}

/* Requests a second. Anything but answers with 2xx makes the figure worthless, so it ends the run. */
function wrk(url, connections, ...options) {
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, ...options, url], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (chunk) => { text += chunk; });
    child.stderr.on("data", (chunk) => { text += chunk; });
    child.on("error", reject);
    child.on("close", () => {
      const rate = /Requests\/sec:\s+([\d.]+)/.exec(text);
      if (!rate || /Non-2xx|Socket errors/.test(text)) reject(new Error(`wrk ${url}:\n${text}`));
      else resolve(Number(rate[1]));
    });
  });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/* nginx answering given bodies from memory: { "/path": body } */
async function startNginx(bodies) {
  const folder = path.join(work, "nginx"), port = await freePort();
  fs.mkdirSync(folder);
  const quote = (text) => {
    if (text.includes("$")) throw new Error("nginx cannot return a body with a $");
    return `'${text.replace(/[\\']/g, "\\$&")}'`;
  };
  const locations = Object.entries(bodies).map(([target, body]) => `location = ${target} { return 200 ${quote(body)}; }`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder};`);
  fs.writeFileSync(path.join(folder, "nginx.conf"), `
daemon off;
worker_processes auto;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  default_type application/json;
  ${temporary.join("\n  ")}
  server {
    listen 127.0.0.1:${port} reuseport;
    ${locations.join("\n    ")}
  }
}
`);
  const nginx = fs.existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
  const child = spawn(nginx, ["-p", folder, "-e", path.join(folder, "error.log"), "-c", path.join(folder, "nginx.conf")],
    { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "", over = false;
  child.stderr.on("data", (chunk) => { errors += chunk; });
  const ended = new Promise((resolve) => child.on("close", () => { over = true; resolve(); }));
  child.on("error", (error) => { errors += error.message; over = true; });
  cleanups.push(async () => { if (!over) { child.kill("SIGTERM"); await ended; } });
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    try {
      for (const [target, body] of Object.entries(bodies))
        if ((await text(base + target)) !== body) throw new Error(`nginx does not answer ${target} with our bytes`);
      return base;
    } catch (error) {
      if (over || tries === 50) throw new Error(`nginx: ${error.message} ${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function text(url) {
  const response = await fetch(url);
  const body = await response.text();
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${body}`);
  return body;
}

/* One kept connection that sends the same request `count` times, one after another. */
function readRepeatedly(url, count) {
  const { hostname, port, pathname, search } = new URL(url);
  const request = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(request));
    let left = count, buffer = "";
    const next = [];
    const again = (n) => new Promise((done) => { left = n; next.push(done); socket.write(request); });
    socket.setNoDelay(true).setEncoding("latin1").on("error", reject);
    socket.on("data", (chunk) => {
      buffer += chunk;
      const head = buffer.indexOf("\r\n\r\n");
      const length = head < 0 ? null : /^content-length: (\d+)/im.exec(buffer.slice(0, head));
      if (head < 0 || buffer.length < head + 4 + Number(length?.[1] ?? 0)) return;
      if (!buffer.startsWith("HTTP/1.1 200")) { reject(new Error(buffer)); socket.destroy(); return; }
      buffer = "";
      if (--left > 0) { socket.write(request); return; }
      (next.shift() ?? resolve)({ again, end: () => socket.end() });
    });
  });
}

// --- figures and verdicts --------------------------------------------------------------------------

const results = [];
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const number = (value) => value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));

/* `ratios` of the rounds; holds when the median keeps to the limit, which is "at least" or "at most". */
function judge(name, what, ratios, kind, limit) {
  const value = median(ratios);
  const holds = kind === "at least" ? value >= limit : value <= limit;
  results.push({ name, what, value: value.toFixed(2), spread: `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
    limit: `${kind} ${limit}`, verdict: holds ? "ok" : "MISSED" });
  progress(`${name}: ${value.toFixed(2)}`);
}
function progress(message) {
  console.error(`  ${message}`);
}

/* Runs the alternatives in turns, so that a slow moment of the machine hits all of them. */
async function inTurns(alternatives) {
  const rates = alternatives.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, run] of alternatives.entries()) rates[i].push(await run());
  return rates;
}
const ratios = (ours, theirs) => ours.map((rate, i) => rate / theirs[i]);
const perSecond = (a, b) => `${number(median(a))}/s to ${number(median(b))}/s`;

async function benchReads() {
  const server = await serve(makeProject("reads", ROWS));
  const one = `${server.url}/api/todos/1`, list = `${server.url}/api/todos?limit=${PAGE}`;
  const ordered = `${server.url}/api/todos?limit=${PAGE}&filter=${encodeURIComponent("priority>=50")}&orderBy=priority`;
  const [oneBody, listBody] = [await text(one), await text(list)];
  if (JSON.parse(listBody).items.length !== PAGE) throw new Error(`the list has not ${PAGE} items: ${listBody}`);
  const { items } = JSON.parse(await text(ordered));
  if (items.length !== PAGE || items[0].priority !== 50) throw new Error("the filtered list is wrong");
  const nginx = await startNginx({ "/api/todos/1": oneBody, "/api/todos": listBody });
  for (const url of [one, list, ordered]) await readRepeatedly(url, 2000).then((client) => client.end());

  let [ours, theirs] = await inTurns([() => wrk(one, 32), () => wrk(`${nginx}/api/todos/1`, 32)]);
  judge("GET one row", `${Buffer.byteLength(oneBody)} bytes, ${perSecond(ours, theirs)}`, ratios(ours, theirs), "at least", 0.6);
  [ours, theirs] = await inTurns([() => wrk(list, 32), () => wrk(`${nginx}/api/todos?limit=${PAGE}`, 32)]);
  judge(`GET list of ${PAGE}`, `${Buffer.byteLength(listBody)} bytes, ${perSecond(ours, theirs)}`, ratios(ours, theirs), "at least", 0.2);

  const [plain, filtered] = await inTurns([() => wrk(list, 32), () => wrk(ordered, 32)]);
  judge("filter and order, cost", `${perSecond(plain, filtered)}`, ratios(plain, filtered), "at most", 1.5);

  for (const [name, start] of [["by id", list], ["by an index", `${list}&orderBy=priority`]]) {
    const last = await walkTo(start, LAST_PAGE);
    const [first, deep] = await inTurns([() => wrk(start, 32), () => wrk(last, 32)]);
    judge(`page ${LAST_PAGE} ${name}, cost`, perSecond(first, deep), ratios(first, deep), "at most", 1.2);
  }
  await server.stop();
}

/* Rates of one page with and without what belongs to its rows, each byte sent counting the same. That the page with
 * includes takes four queries is asserted by tests/unit/test_include.c. */
async function benchIncludes() {
  const server = await serve(makeBlog("blog"));
  const plain = `${server.url}/api/posts?limit=${POSTS_PAGE}`, full = `${plain}&include=author,tags,comments`;
  const [plainBody, fullBody] = [await text(plain), await text(full)];
  const { items } = JSON.parse(fullBody);
  const complete = (post) => post.author?.id === post.authorId && post.tags.length === TAGS_EACH &&
    post.comments.length === COMMENTS_EACH && post.comments.every((comment) => comment.postId === post.id);
  if (items.length !== POSTS_PAGE || !items.every(complete)) throw new Error(`the list with includes is wrong: ${fullBody}`);
  if (JSON.parse(plainBody).items.length !== POSTS_PAGE) throw new Error("the list without includes is wrong");
  for (const url of [plain, full]) await readRepeatedly(url, 500).then((client) => client.end());

  const [plainBytes, fullBytes] = [plainBody, fullBody].map((body) => Buffer.byteLength(body));
  const [withAll, without] = await inTurns([() => wrk(full, 32), () => wrk(plain, 32)]);
  const expected = without.map((rate) => rate * plainBytes / fullBytes);
  judge(`${POSTS_PAGE} posts, 3 includes`, `with ${number(fullBytes)} bytes at ${number(median(withAll))}/s, ` +
    `without ${number(plainBytes)} at ${number(median(without))}/s`, ratios(withAll, expected), "at least", 0.5);
  await server.stop();
}

// --- accounts ---------------------------------------------------------------------------------------

const PASSWORD = "a password of the benchmark";

/* Users with the default cost of a hash, and notes that each user sees as "mine" and everybody as "all". */
function makeAccounts(name, users) {
  const folder = path.join(work, name), salt = Buffer.alloc(16, 7);
  const hash = `scrypt$N=16384,r=8,p=1$${salt.toString("base64")}$${crypto.scryptSync(PASSWORD, salt, 64).toString("base64")}`;
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "covara.jsonc"), JSON.stringify({
    database: { url: "sqlite:bench.db" },
    auth: { users: { table: "users", passwordHash: "password_hash", name: "name" }, login: true, throttle: false },
    resources: {
      all: { table: "notes", auth: { public: { read: true } } },
      mine: { table: "notes", auth: { scope: "userId=={user.id}" } },
    },
  }));
  fs.writeFileSync(path.join(folder, "schema.sql"), `
    CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, password_hash TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, text TEXT NOT NULL, pinned BOOLEAN NOT NULL DEFAULT 0);
    CREATE INDEX notes_by_user ON notes (user_id);`);
  execFileSync("sqlite3", [path.join(folder, "bench.db")], { input: `${fs.readFileSync(path.join(folder, "schema.sql"), "utf8")}
    PRAGMA journal_mode = WAL;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${users})
    INSERT INTO users SELECT printf('u%03d', i), printf('user%d@example.org', i), printf('User %d', i), '${hash}' FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO notes (user_id, text) SELECT printf('u%03d', 1 + i % ${users}), printf('Note number %05d', i) FROM n;
    ANALYZE;` });
  return folder;
}

async function login(url, user) {
  const response = await fetch(`${url}/api/auth/login`, { method: "POST", body: JSON.stringify({ email: `user${user}@example.org`, password: PASSWORD }) });
  if (!response.ok) throw new Error(`login: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response.headers.getSetCookie()[0].split(";")[0];
}

/* Milliseconds of `count` requests on one connection, one after another. */
async function latencies(url, count) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const times = [];
  for (let i = 0; i < count; i++) {
    const start = process.hrtime.bigint();
    await new Promise((resolve, reject) => {
      http.get(url, { agent }, (response) => response.resume().on("end", resolve).on("error", reject)).on("error", reject);
    });
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  agent.destroy();
  return times;
}

async function benchAccounts() {
  const server = await serve(makeAccounts("accounts", 100));
  const cookie = await login(server.url, 7);
  const all = `${server.url}/api/all?limit=${PAGE}`, mine = `${server.url}/api/mine?limit=${PAGE}`;
  const { items } = await (await fetch(mine, { headers: { cookie } })).json();
  if (items.length !== PAGE || !items.every((note) => note.userId === "u007")) throw new Error("the scoped list is wrong");
  const [open, scoped] = await inTurns([() => wrk(all, 32), () => wrk(mine, 32, "-H", `Cookie: ${cookie}`)]);
  judge("scoped list, cost", perSecond(open, scoped), ratios(open, scoped), "at most", 1.25);

  const quiet = [], busy = [];
  for (let round = 0; round < rounds; round++) {
    quiet.push(median(await latencies(`${server.url}/api/all/1`, 1000)));
    let going = true, logins = 0;
    const people = Array.from({ length: 8 }, async (_, i) => { while (going) { await login(server.url, 1 + i); logins++; } });
    busy.push(median(await latencies(`${server.url}/api/all/1`, 1000)));
    going = false;
    await Promise.all(people);
    if (logins < 8) throw new Error(`only ${logins} logins ran meanwhile`);
  }
  judge("GET while 8 log in, latency", `${number(median(quiet))} ms to ${number(median(busy))} ms`, busy.map((ms, i) => ms / quiet[i]), "at most", 2);
  await server.stop();
}

// --- live -------------------------------------------------------------------------------------------

const STREAMS = 10000, FEW_STREAMS = 1000, MUTATIONS = 2000, IDLE_MS = 5000;

/* Two resources that are alike, but that nobody can follow the second one. */
function makeLive(name) {
  const folder = path.join(work, name), auth = { public: { read: true, create: true, subscribe: true } };
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, "covara.jsonc"), JSON.stringify({
    database: { url: "sqlite:bench.db" },
    server: { maxConnections: 100000 },
    resources: {
      events: { auth, sse: { maxSubscriptionsPerIP: 1000000 } },
      quiet: { auth, capabilities: { enableSubscribe: false } },
    },
  }));
  const table = (of) => `CREATE TABLE ${of} (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0, priority INTEGER NOT NULL DEFAULT 0);`;
  fs.writeFileSync(path.join(folder, "schema.sql"), table("events") + table("quiet"));
  return folder;
}

/* How many streams a process may have, at most `wanted`: for each it has a file open. Children inherit a limit that was raised. */
function mostStreams(wanted) {
  const beside = 800;
  try {
    execFileSync("prlimit", ["--pid", String(process.pid), `--nofile=${wanted + beside}:`], { stdio: "ignore" });
  } catch { /* what the limit allows, then */ }
  const limit = Number(/Max open files\s+\S+\s+(\d+)/.exec(fs.readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity);
  return Math.min(wanted, limit - beside);
}

/* Milliseconds of CPU of all threads of a process, from nanoseconds where the kernel counts them. */
function cpuMs(pid) {
  try {
    return fs.readdirSync(`/proc/${pid}/task`).reduce((sum, thread) =>
      sum + Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6, 0);
  } catch {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}
const residentKiB = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

/* Subscribers in a process of their own: { openMs, post(times, expected, target, body), close() }. */
async function subscribers(program, url, count, target) {
  const child = spawn(program, [new URL(url).port, String(count), target], { stdio: ["pipe", "pipe", "inherit"] });
  const over = new Promise((resolve) => child.on("close", resolve));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${program} ended`);
    return value;
  };
  const close = async () => { child.stdin.end(); await over; };
  cleanups.push(close);
  const openMs = Number(await line());
  /* [{ answeredMs, lastMs }] */
  const post = async (times, expected, to, body) => {
    const got = [];
    child.stdin.write(`send ${times} ${expected} ${to} ${body}\n`);
    for (let text; (text = await line()) !== "done";) {
      const [answeredMs, lastMs] = text.split(" ").map(Number);
      got.push({ answeredMs, lastMs });
    }
    return got;
  };
  return { openMs, post, close };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const EVERYTHING = "/api/events/subscribe?skipExisting=true";
const ONE_USER = `${EVERYTHING}&filter=userId%3D%3D%22u{n}%22`;
const EVENT = '{"userId":"u{n}","title":"Something happened"}';

/* What idle subscriptions cost, and how long one mutation takes to all of them. */
async function benchLiveAll(program) {
  const kib = [], idle = [], opening = [], all = [], few = [];
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    const server = await serve(makeLive(`live-all-${round}`));
    await text(`${server.url}/api/events`);
    const before = residentKiB(server.pid);
    const clients = await subscribers(program, server.url, STREAMS, EVERYTHING);
    opening.push(clients.openMs / 1000);
    await sleep(500);
    kib.push((residentKiB(server.pid) - before) / STREAMS);
    const start = cpuMs(server.pid);
    await sleep(IDLE_MS);
    idle.push((cpuMs(server.pid) - start) / IDLE_MS * 100);
    for (const { lastMs } of await clients.post(20, STREAMS, "/api/events", EVENT)) all.push(lastMs);
    await clients.close();
    const fewer = await subscribers(program, server.url, FEW_STREAMS, EVERYTHING);
    for (const { lastMs } of await fewer.post(50, FEW_STREAMS, "/api/events", EVENT)) few.push(lastMs);
    await fewer.close();
    await server.stop();
  }
  judge("idle stream, KiB", `VmRSS, ${number(STREAMS)} subscriptions`, kib, "at most", 8);
  judge("idle streams, % of a core", `over ${IDLE_MS / 1000} s between heartbeats`, idle, "at most", 1);
  judge("opening, s", `${number(STREAMS)} subscriptions`, opening, "at most", 10);
  judge(`to ${number(STREAMS)}, ms`, "from sending a POST until the last has the event", all, "at most", 150);
  judge(`to ${number(FEW_STREAMS)}, ms`, "the same", few, "at most", 15);
}

/* CPU of a mutation that one of many filters matches. */
async function benchLiveOne(program) {
  const many = mostStreams(2 * STREAMS), half = many / 2 | 0;
  const cost = { [half]: [], [many]: [] };
  for (let round = 0; round < rounds; round++) {
    for (const count of [half, many]) {
      const server = await serve(makeLive(`live-one-${count}-${round}`));
      const clients = await subscribers(program, server.url, count, ONE_USER);
      await clients.post(200, 1, "/api/events", EVENT);
      const start = cpuMs(server.pid);
      await clients.post(MUTATIONS, 1, "/api/events", EVENT);
      cost[count].push((cpuMs(server.pid) - start) / MUTATIONS);
      await clients.close();
      await server.stop();
    }
  }
  const [ones, twos] = [cost[half], cost[many]];
  judge("1 of many filters, CPU ms", `a POST, ${number(half)} filters userId==`, ones, "at most", 1);
  judge("twice the filters, cost", `${number(half)}: ${number(median(ones))} ms to ${number(many)}: ${number(median(twos))} ms`, twos.map((ms, i) => ms / ones[i]), "at most", 1.3);
}

/* CPU of a mutation of a table that somebody could follow but nobody does, to that of one that nobody can. */
async function benchLiveNobody() {
  const server = await serve(makeLive("live-nobody"));
  const cost = async (resource) => {
    const start = cpuMs(server.pid);
    const rate = await wrk(`${server.url}/api/${resource}`, 64, "-s", path.join(here, "post.lua"));
    return (cpuMs(server.pid) - start) * 1000 / (rate * seconds);
  };
  const quiet = () => cost("quiet"), heard = () => cost("events");
  for (const run of [quiet, heard]) await run();
  const [without, withIt] = await inTurns([quiet, heard]);
  judge("publishing to nobody, cost", `${number(median(without))} us to ${number(median(withIt))} us of CPU, durable POST, 64 clients`,
    ratios(withIt, without), "at most", 1.05);
  await server.stop();
}

async function benchLive() {
  const program = compile("sse_clients");
  if (mostStreams(STREAMS) < STREAMS) throw new Error(`${STREAMS} streams need more open files than are allowed: ulimit -Hn`);
  await benchLiveAll(program);
  await benchLiveOne(program);
  await benchLiveNobody();
}

/* The URL of the nth page. Every page must be full and the rows all different. */
async function walkTo(start, page) {
  const seen = new Set();
  let url = start;
  for (let n = 1; n < page; n++) {
    const { items, nextCursor } = JSON.parse(await text(url));
    for (const item of items) seen.add(item.id);
    if (seen.size !== n * PAGE || !nextCursor) throw new Error(`page ${n} of ${start} is wrong`);
    url = `${start}&cursor=${encodeURIComponent(nextCursor)}`;
  }
  return url;
}

async function benchWrites() {
  const loop = compile("insert_loop", "-lsqlite3");
  const server = await serve(makeProject("writes", 0));
  const loopDb = path.join(makeProject("loop", 0), "bench.db");
  const insertLoop = async () => Number(execFileSync(loop, [loopDb, String(seconds)], { encoding: "utf8" }));
  const post = () => wrk(`${server.url}/api/todos`, 64, "-s", path.join(here, "post.lua"));
  await post();
  const [ours, theirs] = await inTurns([post, insertLoop]);
  judge("durable POST, 64 clients", `${perSecond(ours, theirs)} in a C loop`, ratios(ours, theirs), "at least", 3);
  await server.stop();
}

async function benchMemory() {
  const example = path.join(root, "examples/todo"), folder = path.join(work, "todo");
  fs.cpSync(example, folder, { recursive: true, filter: (file) => !/\.db(-shm|-wal|-journal)?$/.test(file) });
  const server = await serve(folder);
  const status = fs.readFileSync(`/proc/${server.pid}/status`, "utf8");
  const mib = Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1024;
  judge("resident after start, MiB", "the todo example, VmRSS", [mib], "at most", 12);
  await server.stop();
}

async function benchAllocations() {
  const library = compile("malloc_count", "-shared", "-fPIC", "-std=gnu11");
  const file = path.join(work, "malloc-count");
  const server = await serve(makeProject("malloc", ROWS), { env: { LD_PRELOAD: library, MALLOC_COUNT_FILE: file } });
  const count = () => Number(fs.readFileSync(file).readBigUInt64LE(0));
  if (!(count() > 0)) throw new Error("the counting library counts nothing");
  for (const [name, target] of [["one row", "/api/todos/1"], [`list of ${PAGE}`, `/api/todos?limit=${PAGE}`]]) {
    const client = await readRepeatedly(server.url + target, 2000);
    const before = count();
    await client.again(COUNTED_READS);
    const made = count() - before;
    judge(`mallocs a GET, ${name}`, `${made} in ${number(COUNTED_READS)} requests`, [made / COUNTED_READS], "at most", 0);
    client.end();
  }
  await server.stop();
}

function printResults() {
  const columns = ["name", "value", "spread", "limit", "verdict", "what"];
  const rows = [{ name: "figure", value: "median", spread: "min-max", limit: "limit", verdict: "verdict", what: "measured" }, ...results];
  const widths = columns.map((column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(columns.map((column, i) => row[column].padEnd(widths[i])).join("  ").trimEnd());
}

let failed = false;
const cpu = os.cpus();
console.log(`${cpu.length} x ${cpu[0]?.model ?? "?"}; Linux ${os.release()}; ${rounds} rounds of ${seconds} s; ` +
  "nginx with worker_processes auto; wrk -t1");
try {
  const parts = { memory: benchMemory, allocations: benchAllocations, reads: benchReads, includes: benchIncludes, writes: benchWrites,
    accounts: benchAccounts, live: benchLive };
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
  for (const name of wanted) await parts[name]();
} catch (error) {
  failed = true;
  console.error(error.message);
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup().catch((error) => { failed = true; console.error(error.message); });
  fs.rmSync(work, { recursive: true, force: true });
}
printResults();
process.exit(failed || results.some((result) => result.verdict !== "ok") ? 1 : 0);
