// SPDX-License-Identifier: MIT
// The server on a real SQLite file, with other processes at work: locks, kills, damage, a full disk.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { binary, everyone, folder, isJson, isProblem, openProject, problem, sqlite } from "../http/support.mjs";

const schema = `
  CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT, n INTEGER);
  CREATE TABLE parents (id INTEGER PRIMARY KEY);
  CREATE TABLE late (id TEXT PRIMARY KEY, parent_id INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED);
  INSERT INTO parents VALUES (1);`;
const project = (database = {}) => folder({
  "schema.sql": schema,
  "covara.jsonc": JSON.stringify({
    database: { url: "sqlite:app.db", ...database }, schema: "schema.sql", logLevel: "warn", server: { threads: 2 },
    resources: { things: { auth: everyone, batch: { create: 1000 } }, parents: { auth: everyone }, late: { auth: everyone } },
  }),
});
const app = await openProject(project({ busyTimeoutMs: 400 }));
const busy = problem(503, "service-unavailable", "The server is busy; retry shortly");

/* Another process with a transaction open; say(sql) resolves when it was run. */
async function otherProcess(t, file) {
  const child = spawn("sqlite3", ["-bail", "-batch", file], { stdio: ["pipe", "pipe", "inherit"] });
  let output = "", turn = 0, wake = () => {};
  child.stdout.on("data", (chunk) => { output += chunk; wake(); });
  const closed = new Promise((resolve) => child.on("close", resolve));
  t.after(() => child.kill("SIGKILL"));
  const say = async (sql) => {
    const mark = `done ${++turn}`;
    child.stdin.write(`${sql}\nSELECT '${mark}';\n`);
    while (!output.includes(mark)) {
      const ended = await Promise.race([new Promise((resolve) => { wake = () => resolve(false); }), closed.then(() => true)]);
      if (ended && !output.includes(mark)) throw new Error(`sqlite3 ended before: ${sql}`);
    }
  };
  await say("PRAGMA busy_timeout=10000;");
  return { say, end: () => { child.stdin.end(); return closed; }, kill: () => { child.kill("SIGKILL"); return closed; } };
}

test("a lock that outlasts busyTimeoutMs: 503 with Retry-After, reads go on, and recovery at once", async (t) => {
  const other = await otherProcess(t, app.file);
  await other.say("BEGIN IMMEDIATE; INSERT INTO things VALUES ('other','o',1);");
  const started = Date.now();
  const writes = [...Array(16).keys()].map((i) => `l${i}`).map((id) => app.post("/api/things", { id }));
  isJson(await app.get("/api/things/count"), 200, { count: 0 });
  isJson(await app.get("/api/things"), 200, { items: [], nextCursor: null, hasMore: false });
  assert.equal((await app.get("/readyz")).status, 200);
  const answers = await Promise.all(writes);
  const took = Date.now() - started;
  for (const response of answers) {
    assert.equal(response.status, 503, response.text);
    assert.deepEqual(Object.keys(response.json), Object.keys(busy));
    assert.equal(response.json.detail, busy.detail);
    assert.equal(response.type, "application/problem+json");
    assert.match(response.headers["retry-after"], /^[1-9]\d*$/);
  }
  assert.ok(took >= 350 && took < 4000, `${took} ms for 16 writers: they must not wait one after another`);
  await other.say("COMMIT;");
  isJson(await app.post("/api/things", { id: "l1" }), 201, { id: "l1", name: null, n: null });
  isJson(await app.get("/api/things/other"), 200, { id: "other", name: "o", n: 1 });
  await other.end();
});

test("each kind of write meets the lock in the same way, and nothing of it stays", async (t) => {
  app.sql("DELETE FROM things; INSERT INTO things VALUES ('a','A',1);");
  const other = await otherProcess(t, app.file);
  await other.say("BEGIN EXCLUSIVE;");
  isJson(await app.get("/api/things/a"), 200, { id: "a", name: "A", n: 1 });
  for (const [method, target, body] of [["POST", "/api/things", { id: "x" }], ["PATCH", "/api/things/a", { n: 2 }], ["PUT", "/api/things/a", { id: "a" }], ["DELETE", "/api/things/a"],
    ["POST", "/api/things/batch", { items: [{ id: "y" }] }], ["POST", "/api/things/batch/upsert", { items: [{ id: "a" }] }], ["PATCH", "/api/things/batch?filter=n==1", { n: 3 }], ["DELETE", "/api/things/batch?filter=n==1"]])
    assert.equal((await app.call(method, target, body)).status, 503, `${method} ${target}`);
  await other.end();
  assert.deepEqual(app.sql("SELECT * FROM things"), [{ id: "a", name: "A", n: 1 }]);
});

test("a lock that ends in time is waited for", async (t) => {
  const patient = await openProject(project({ busyTimeoutMs: 20000 }));
  const other = await otherProcess(t, patient.file);
  await other.say("BEGIN IMMEDIATE; INSERT INTO things VALUES ('first','',0);");
  const write = patient.post("/api/things", { id: "second" });
  const conflict = patient.post("/api/things", { id: "first" });
  isJson(await patient.get("/api/things/count"), 200, { count: 0 });
  await other.say("COMMIT;");
  assert.equal((await write).status, 201);
  isProblem(await conflict, 409, "conflict", "Unique constraint violated", { field: "id" });
  await other.end();
  await patient.stop();
});

test("the holder of a lock dies: its work is gone, writes go on", async (t) => {
  const other = await otherProcess(t, app.file);
  await other.say("BEGIN IMMEDIATE; DELETE FROM things; INSERT INTO things VALUES ('ghost','',0);");
  await other.kill();
  assert.equal((await app.post("/api/things", { id: "after" })).status, 201);
  assert.equal((await app.get("/api/things/ghost")).status, 404);
});

test("rows of other processes are seen at once, on every loop", async () => {
  for (let i = 0; i < 10; i++) {
    app.sql(`DELETE FROM things; INSERT INTO things VALUES ('w','${i}',${i});`);
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.connect().send("GET", "/api/things/w")));
    for (const response of answers) isJson(response, 200, { id: "w", name: String(i), n: i });
    isJson(await app.patch("/api/things/w", { n: i + 100 }), 200, { id: "w", name: String(i), n: i + 100 });
    assert.deepEqual(app.sql("SELECT n FROM things"), [{ n: i + 100 }]);
  }
});

test("a client reads its own writes, on whichever connection", async () => {
  for (let i = 0; i < 30; i++) {
    assert.equal((await app.post("/api/things", { id: `own${i}`, n: i })).status, 201);
    const other = app.connect();
    isJson(await other.send("GET", `/api/things/own${i}`), 200, { id: `own${i}`, name: null, n: i });
    other.end();
  }
});

test("two servers on one file", async () => {
  const twin = await openProject(app.directory);
  app.sql("DELETE FROM things;");
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? twin : app).post("/api/things", { id: `t${i}` })));
  const stored = answers.filter((r) => r.status === 201).length;
  for (const { status } of answers) assert.ok(status === 201 || status === 503, String(status));
  isJson(await twin.get("/api/things/count"), 200, { count: stored });
  isJson(await app.get("/api/things/count"), 200, { count: stored });
  await twin.stop();
});

/* Until the server is killed, keep `width` writes under way. Resolves to the ids that were acknowledged. */
async function writeUntilKilled(server, width, enough) {
  const acknowledged = [];
  let next = 0, killed = false;
  const writer = async () => {
    while (!killed) {
      const id = `k${next++}`;
      const response = await server.post("/api/things", { id, n: next }).catch(() => null);
      if (response === null) return;
      if (response.status === 201) acknowledged.push(id);
      if (acknowledged.length >= enough && !killed) { killed = true; server.kill(); }
    }
  };
  await Promise.all(Array.from({ length: width }, writer));
  return acknowledged;
}

test("64 concurrent creations are durable as soon as they are answered", async () => {
  const directory = project();
  const server = await openProject(directory);
  const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => server.post("/api/things", { id: `d${i}`, name: "x".repeat(i * 10), n: i })));
  server.kill();
  assert.deepEqual(answers.map((r) => r.status), Array(64).fill(201));
  const rows = sqlite(server.file, "SELECT id, length(name) AS l, n FROM things ORDER BY n");
  assert.deepEqual(rows, Array.from({ length: 64 }, (_, i) => ({ id: `d${i}`, l: i * 10, n: i })));
  const again = await openProject(directory);
  isJson(await again.get("/api/things/count"), 200, { count: 64 });
  await again.stop();
});

test("killed in the middle of writing, again and again: no acknowledged row is missing, the file is sound", async () => {
  const directory = project();
  for (let round = 1; round <= 3; round++) {
    const server = await openProject(directory);
    server.sql("DELETE FROM things;");
    const acknowledged = await writeUntilKilled(server, 16, 60 * round);
    assert.ok(acknowledged.length >= 60 * round);
    const stored = new Set(sqlite(server.file, "SELECT id FROM things").map((row) => row.id));
    assert.deepEqual(acknowledged.filter((id) => !stored.has(id)), [], `round ${round}`);
    assert.equal(sqlite(server.file, "PRAGMA integrity_check")[0].integrity_check, "ok");
  }
});

test("a batch is there whole or not at all after a kill", async () => {
  const directory = project();
  const server = await openProject(directory);
  const batches = Array.from({ length: 12 }, (_, b) => server.post("/api/things/batch", { items: Array.from({ length: 200 }, (_, i) => ({ id: `${b}-${i}`, n: b })) }).catch(() => null));
  await Promise.race(batches);
  server.kill();
  const answers = await Promise.all(batches);
  const counts = new Map(sqlite(server.file, "SELECT n, count(*) AS c FROM things GROUP BY n").map(({ n, c }) => [n, c]));
  for (const [n, c] of counts) assert.equal(c, 200, `batch ${n}`);
  answers.forEach((response, n) => { if (response?.status === 200) assert.equal(counts.get(n), 200, `batch ${n} was acknowledged`); });
});

test("a deferred foreign key that fails with the commit does not take other requests down", async () => {
  app.sql("DELETE FROM things; DELETE FROM late;");
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) =>
      i % 10 === 3 ? app.post("/api/late", { id: `bad${round}-${i}`, parentId: 99 }) : i % 10 === 7 ? app.post("/api/late", { id: `ok${round}-${i}`, parentId: 1 })
        : app.post("/api/things", { id: `f${round}-${i}` })));
    answers.forEach((response, i) => assert.equal(response.status, i % 10 === 3 ? 409 : 201, `${i}: ${response.text}`));
  }
  isJson(await app.get("/api/things/count"), 200, { count: 120 });
  isJson(await app.get("/api/late/count"), 200, { count: 15 });
  assert.deepEqual(app.sql("PRAGMA foreign_key_check"), []);
});

test("failures of some requests undo nothing of those beside them", async () => {
  app.sql("DELETE FROM things; INSERT INTO things VALUES ('taken','',0);");
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => app.post("/api/things", i % 3 === 0 ? { id: "taken" } : i % 3 === 1 ? { id: 5 } : { id: `s${i}` })));
  answers.forEach((response, i) => assert.equal(response.status, [409, 400, 201][i % 3]));
  isJson(await app.get("/api/things/count"), 200, { count: 21 });
});

test("reads go on during writes, and see whole batches only", async () => {
  app.sql("DELETE FROM things;");
  let writing = true;
  const reader = async () => {
    let reads = 0;
    while (writing) {
      const { json } = await app.get("/api/things/count");
      assert.equal(json.count % 100, 0);
      reads++;
    }
    return reads;
  };
  const readers = [reader(), reader()];
  for (let b = 0; b < 8; b++) assert.equal((await app.post("/api/things/batch", { items: Array.from({ length: 100 }, (_, i) => ({ id: `${b}-${i}` })) })).status, 200);
  writing = false;
  for (const reads of await Promise.all(readers)) assert.ok(reads > 8, `${reads} reads`);
});

test("concurrent changes of one row all succeed, one after another", async () => {
  app.sql("DELETE FROM things; INSERT INTO things VALUES ('c','',0);");
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => app.patch("/api/things/c", { n: i })));
  const last = answers.filter((r) => r.status === 200).length;
  assert.equal(last, 50);
  assert.ok(app.sql("SELECT n FROM things")[0].n < 50);
});

/* The start must fail with a message that names the file and has these words, and leave the file as it was. */
async function isRefusedAtStart(directory, words) {
  const file = path.join(directory, "app.db");
  const before = fs.readFileSync(file);
  const names = fs.readdirSync(directory).sort();
  await assert.rejects(openProject(directory), (error) => {
    assert.match(error.message, /did not start \(exit [1-9]/);
    assert.match(error.message, /app\.db/);
    assert.match(error.message, words);
    assert.doesNotMatch(error.message, /Sanitizer/);
    return true;
  });
  assert.ok(before.equals(fs.readFileSync(file)), "the file was changed");
  assert.deepEqual(fs.readdirSync(directory).sort(), names);
}

test("a file that is no database stops the start and stays as it is", async () => {
  for (const bytes of [Buffer.from("this is no database, ".repeat(100)), Buffer.alloc(8192, 0xa5), Buffer.from("SQLite format 3\0 and then nothing good".padEnd(4096, "x"))]) {
    const directory = project();
    fs.writeFileSync(path.join(directory, "app.db"), bytes);
    await isRefusedAtStart(directory, /not an SQLite database|damaged/);
  }
});

test("a damaged database stops the start and stays as it is", async () => {
  const directory = project();
  await (await openProject(directory)).stop();
  const file = path.join(directory, "app.db");
  const bytes = fs.readFileSync(file);
  bytes.fill(0x5a, 100, 4096);
  fs.writeFileSync(file, bytes);
  await isRefusedAtStart(directory, /damaged/);
});

test("a database with other tables than the schema stops the start and stays as it is", async () => {
  for (const sql of ["CREATE TABLE things (id TEXT PRIMARY KEY);", "CREATE TABLE unrelated (x);"]) {
    const directory = project();
    sqlite(path.join(directory, "app.db"), `PRAGMA journal_mode=DELETE; ${sql}`);
    await isRefusedAtStart(directory, /things/);
  }
});

test("a page that is damaged later: an error for its readers, no crash, and the rest is served", async () => {
  const directory = project();
  const first = await openProject(directory);
  for (let b = 0; b < 3; b++) await first.post("/api/things/batch", { items: Array.from({ length: 300 }, (_, i) => ({ id: `${b}-${i}`, name: "x".repeat(100) })) });
  await first.stop();
  const file = path.join(directory, "app.db");
  sqlite(file, "PRAGMA wal_checkpoint(TRUNCATE)");
  const page = sqlite(file, "PRAGMA page_size")[0].page_size;
  const bytes = fs.readFileSync(file);
  bytes.fill(0xff, page * 8, page * 20);
  fs.writeFileSync(file, bytes);

  const server = await openProject(directory);
  const response = await server.get("/api/things?limit=100&orderBy=name,-id");
  isProblem(response, 500, "internal-error", "An internal server error occurred");
  isJson(await server.get("/api/parents"), 200, { items: [{ id: 1 }], nextCursor: null, hasMore: false });
  assert.equal((await server.get("/healthz")).status, 200);
  await server.stop();
  assert.match(server.output(), /damaged/);
});

test("a disk that is full: failures are told, what was told as done is there, and space brings writing back", async () => {
  const directory = project();
  await (await openProject(directory)).stop();
  const program = path.join(directory, "limited.sh"); /* a bound on the size of each file stands for the full disk */
  fs.writeFileSync(program, `#!/bin/bash\ntrap '' XFSZ\nulimit -f 600\nexec '${binary}' "$@"\n`, { mode: 0o755 });
  const server = await openProject(directory, { program });
  const stored = [];
  let refused = 0;
  for (let i = 0; refused < 5 && i < 200; i++) {
    const response = await server.post("/api/things", { id: `x${i}`, name: "x".repeat(20000) });
    if (response.status === 201) { stored.push(`x${i}`); continue; }
    refused++;
    assert.ok([500, 503, 507].includes(response.status), response.text);
    assert.equal(response.type, "application/problem+json");
    assert.doesNotMatch(response.text, /INSERT|app\.db|x{50}/);
    isJson(await server.get("/api/parents/count"), 200, { count: 1 });
  }
  assert.ok(stored.length > 0 && refused === 5, `${stored.length} stored, ${refused} refused`);
  isJson(await server.get("/api/things/count"), 200, { count: stored.length });
  await server.stop();
  assert.match(server.output(), /full|I\/O|disk/i);

  const roomy = await openProject(directory);
  isJson(await roomy.get("/api/things/count"), 200, { count: stored.length });
  assert.equal((await roomy.post("/api/things", { id: "room" })).status, 201);
  assert.deepEqual(roomy.sql("SELECT id FROM things WHERE id<>'room' ORDER BY rowid").map((row) => row.id), stored);
  await roomy.stop();
});
