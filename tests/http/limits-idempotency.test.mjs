// SPDX-License-Identifier: MIT
// Idempotency keys over HTTP: spec/07 section 6, cases 30 to 37.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Person, loggedIn, startAccounts } from "./accounts.mjs";
import { solve } from "./client.mjs";
import { everyone, isProblem, startProject } from "./support.mjs";

const schema = `
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE logs (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE parts (id INTEGER PRIMARY KEY, log_id INTEGER NOT NULL REFERENCES logs(id) DEFERRABLE INITIALLY DEFERRED);
`;
const start = (idempotency = true, more = {}) => startProject({ schema, config: { idempotency, resources: { notes: { auth: everyone }, logs: { auth: everyone, etag: {} }, parts: { auth: everyone } }, ...more } });
const key = (text) => ({ "Idempotency-Key": text });
const rows = (project, table = "logs") => project.sql(`SELECT count(*) AS n FROM ${table}`)[0].n;
const about = ({ status, text, type, headers }) => ({ status, text, type, etag: headers.etag, location: headers.location });
const isMismatch = (response) => isProblem(response, 409, "idempotency-mismatch", "Idempotency key was already used with different request parameters",
  { suggestion: "Use a new idempotency key for different requests" });

test("30: the same request is answered again, and not done again", async () => {
  const project = await start();
  const first = await project.post("/api/logs", { text: "x" }, key("key-0001"));
  assert.equal(first.status, 201);
  assert.ok(first.headers.etag);
  for (const [target, body] of [["/api/logs", { text: "x" }], ["/api/logs", "{ \"text\" : \"x\" }"], ["/api/logs?other=query", { text: "x" }]])
    assert.deepEqual(about(await project.post(target, body, key("key-0001"))), about(first), "spaces and the query make no difference");
  assert.equal(rows(project), 1);
  const id = first.json.id;
  const changed = await project.patch(`/api/logs/${id}`, { text: "y" }, key("key-0002"));
  await project.patch(`/api/logs/${id}`, { text: "z" });
  assert.deepEqual(about(await project.patch(`/api/logs/${id}`, { text: "y" }, key("key-0002"))), about(changed));
  assert.equal((await project.get(`/api/logs/${id}`)).json.text, "z");
  assert.equal((await project.post("/api/logs/batch", { items: [{ text: "a" }, { text: "b" }] }, key("key-0003"))).status, 200);
  assert.equal((await project.post("/api/logs/batch", { items: [{ text: "a" }, { text: "b" }] }, key("key-0003"))).json.items.length, 2);
  assert.equal(rows(project), 3);
  await project.stop();
});

test("31: another body, another order of members, path or method is another request", async () => {
  const project = await start();
  await project.post("/api/logs", { id: 1, text: "x" }, key("key-0001"));
  isMismatch(await project.post("/api/logs", { id: 1, text: "y" }, key("key-0001")));
  isMismatch(await project.post("/api/logs", { text: "x", id: 1 }, key("key-0001")));
  isMismatch(await project.post("/api/notes", { id: 1, text: "x" }, key("key-0001")));
  isMismatch(await project.put("/api/logs/1", { id: 1, text: "x" }, key("key-0001")));
  isMismatch(await project.post("/api/logs", "{", key("key-0001")));
  isMismatch(await project.post("/api/logs", undefined, key("key-0001")));
  assert.deepEqual([rows(project), rows(project, "notes")], [1, 0]);
  await project.stop();
});

test("33: on other methods a key says nothing", async () => {
  const project = await start();
  for (const [text, n] of [["a", 1], ["b", 2]]) {
    await project.post("/api/logs", { text });
    assert.equal((await project.get("/api/logs", key("key-0001"))).json.items.length, n);
  }
  assert.equal((await project.delete("/api/logs/1", key("key-0001"))).status, 204);
  assert.equal((await project.delete("/api/logs/1", key("key-0001"))).status, 404);
  assert.equal((await project.post("/api/logs", { text: "c" }, key("key-0001"))).status, 201, "and is free afterwards");
  await project.stop();
});

test("of twenty at once one runs; the others are told to wait, or what it answered", async () => {
  const project = await start(true, { server: { threads: 2 } });
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => project.post("/api/logs", { text: "x" }, key(`round-${round}`))));
    const created = answers.filter(({ status }) => status === 201), waiting = answers.filter(({ status }) => status === 409);
    assert.equal(created.length + waiting.length, 20);
    assert.equal(new Set(created.map(({ text }) => text)).size, 1);
    for (const answer of waiting) {
      assert.equal(answer.json.detail, "A request with this idempotency key is in progress");
      assert.equal(answer.headers["retry-after"], "1");
    }
    assert.equal(rows(project), round + 1);
  }
  await project.stop();
});

test("32, 33a: keys of two users have nothing to do with each other", async () => {
  const project = await startAccounts({ more: { idempotency: true } });
  const ada = await loggedIn(project), grace = await loggedIn(project, "grace@example.com", "secret-u2");
  const body = { userId: "u1", text: "secret of Ada" };
  assert.equal((await ada.post("/api/notes", body, key("shared-key"))).status, 201);
  for (const who of [grace, project, new Person(project, { Cookie: "session=forged" })])
    for (const name of ["Idempotency-Key", "X-Idempotency-Key"]) {
      const answer = await who.post("/api/notes", body, { [name]: "shared-key" });
      assert.ok(answer.status === 401 || answer.status === 403, `${answer.status}`);
      assert.doesNotMatch(answer.text, /secret of Ada/);
    }
  assert.equal((await grace.post("/api/notes", { userId: "u2", text: "hers" }, key("shared-key"))).status, 201);
  assert.equal(project.sql("SELECT count(*) AS n FROM notes WHERE text IN ('hers', 'secret of Ada')")[0].n, 2);
  await project.stop();
});

test("answers of account routes are never kept: they are secrets, or cookies", async () => {
  const project = await startAccounts({ auth: { mfa: { issuer: "App" }, throttle: false }, more: { idempotency: true } });
  const credentials = { email: "ada@example.com", password: "secret-u1" };
  for (let i = 0; i < 2; i++) {
    const answer = await project.post("/api/auth/login", credentials, key("login-key"));
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers["set-cookie"]), /session=/, "the second one signs in too");
  }
  const ada = await loggedIn(project), grace = await loggedIn(project, "grace@example.com", "secret-u2");
  const enroll = (who) => who.post("/api/auth/mfa/enroll", {}, key("second-factor"));
  const hers = await enroll(ada), theirs = await enroll(grace), nobodys = await enroll(project);
  assert.deepEqual([hers.status, theirs.status, nobodys.status], [200, 200, 401]);
  assert.notEqual(theirs.json.secret, hers.json.secret);
  await project.stop();
});

test("problems are not kept, so that the next attempt can succeed", async () => {
  const project = await start();
  await project.post("/api/notes", { text: "taken" });
  for (const [body, status] of [[{ text: 1 }, 400], ["{", 400], [{ text: "taken" }, 409]])
    for (let i = 0; i < 2; i++) {
      const answer = await project.post("/api/notes", body, key(`key-${status}-${typeof body}`));
      assert.deepEqual([answer.status, answer.type], [status, "application/problem+json"]);
      assert.equal(answer.json.code === "IDEMPOTENCY_MISMATCH", false);
    }
  project.sql("DELETE FROM notes");
  assert.equal((await project.post("/api/notes", { text: "taken" }, key("key-409-object"))).status, 201);
  await project.stop();
});

test("what failed to commit is not kept", async () => {
  const project = await start();
  const part = { id: 1, logId: 7 };
  const failed = await project.post("/api/parts", part, key("key-0001"));
  assert.ok(failed.status >= 400, failed.text);
  await project.post("/api/logs", { id: 7, text: "parent" });
  const done = await project.post("/api/parts", part, key("key-0001"));
  assert.equal(done.status, 201, done.text);
  assert.deepEqual(about(await project.post("/api/parts", part, key("key-0001"))), about(done));
  await project.stop();
});

test("one bad commit among many: each answer is kept once, and counted once", async () => {
  const project = await start(true, { resources: { logs: { auth: everyone }, parts: { auth: everyone, rateLimit: { maxRequests: 1000 } } } });
  await project.post("/api/logs", { id: 1, text: "parent" });
  const part = (i) => ({ id: i, logId: i % 5 === 0 ? 99 : 1 });
  const post = (i) => project.post("/api/parts", part(i), key(`part-${i}`));
  const first = await Promise.all(Array.from({ length: 40 }, (_, i) => post(i + 1)));
  first.forEach((answer, i) => assert.equal(answer.status === 201, (i + 1) % 5 !== 0, answer.text));
  for (const answer of first) assert.equal(answer.headers["x-ratelimit-limit"], "1000", `on ${answer.status} too`);
  assert.equal(new Set(first.map(({ headers }) => headers["x-ratelimit-remaining"])).size, 40);
  assert.equal(Math.min(...first.map(({ headers }) => Number(headers["x-ratelimit-remaining"]))), 960);
  assert.equal(rows(project, "parts"), 32);
  const second = await Promise.all(Array.from({ length: 40 }, (_, i) => post(i + 1)));
  second.forEach((answer, i) => { if ((i + 1) % 5 !== 0) assert.deepEqual(about(answer), about(first[i])); });
  assert.equal(rows(project, "parts"), 32);
  await project.stop();
});

test("34: what the database could not do in time is not kept", async () => {
  const project = await start(true, { database: { url: "sqlite:app.db", busyTimeoutMs: 50 } });
  const other = spawn("sqlite3", [project.file], { stdio: ["pipe", "pipe", "inherit"] });
  other.stdin.write("BEGIN IMMEDIATE;\n.print locked\n");
  await once(other.stdout, "data");
  const busy = await project.post("/api/logs", { text: "x" }, key("key-0001"));
  assert.equal(busy.status, 503, busy.text);
  other.stdin.end("ROLLBACK;\n");
  await once(other, "close");
  assert.equal((await project.post("/api/logs", { text: "x" }, key("key-0001"))).status, 201);
  assert.equal(rows(project), 1);
  await project.stop();
});

test("a full queue gives the keys back", async () => {
  const project = await start(true, { database: { url: "sqlite:app.db", busyTimeoutMs: 30000 }, server: { threads: 1, maxConnections: 4000 } });
  const other = spawn("sqlite3", [project.file], { stdio: ["pipe", "pipe", "inherit"] });
  other.stdin.write("BEGIN IMMEDIATE;\n.print locked\n");
  await once(other.stdout, "data");
  const text = JSON.stringify({ text: "x" }), connections = Array.from({ length: 2400 }, () => project.connect());
  const refused = Promise.race(connections.map((connection, i) => connection.send("POST", "/api/logs", text, { "Content-Type": "application/json", ...key(`queue-${i}`) })
    .then((answer) => ({ answer, i }))));
  const { answer, i } = await refused;
  assert.equal(answer.status, 503, "all others wait for the lock");
  const again = await project.connect().send("POST", "/api/logs", text, { "Content-Type": "application/json", ...key(`queue-${i}`) });
  assert.notEqual(again.json?.detail, "A request with this idempotency key is in progress");
  other.stdin.end("ROLLBACK;\n");
  await once(other, "close");
  for (const connection of connections) connection.end();
  await project.stop();
});

test("the client's own header works too, whatever is in it", async () => {
  const project = await start({ validateKey: true, headerName: "Request-Key" });
  for (const text of ["optimistic_1700000000000_abc123def", "create-/api/logs-lq2x3-1a2b3c", "x", "é", "a:b:lock", "x".repeat(3000)]) {
    const header = { "X-Idempotency-Key": Buffer.from(text).toString("latin1") };
    const before = rows(project), first = await project.post("/api/logs", undefined, header).then(() => project.post("/api/logs", "{\"text\":\"x\"}", header));
    assert.equal(first.status, 201, first.text);
    assert.deepEqual(about(await project.post("/api/logs", "{\"text\":\"x\"}", header)), about(first));
    assert.equal(rows(project), before + 1);
  }
  assert.equal((await project.post("/api/logs", { text: "x" }, key("short"))).status, 201, "no such header here");
  await project.stop();
});

test("37: the form of a key, when it is checked", async () => {
  const project = await start({ validateKey: true });
  for (const text of ["short", "1234567", "has space", "slash/slash", "x".repeat(257), "dots....", "üüüüüüüü"]) {
    const answer = await project.post("/api/logs", "{\"text\":\"x\"}", key(Buffer.from(text).toString("latin1")));
    assert.equal(answer.status, 400, text);
    assert.equal(answer.json.detail, "Idempotency key must be 8-256 characters and contain only alphanumeric characters, underscores, and hyphens");
  }
  for (const text of ["12345678", "x".repeat(256), "A_z-0000"]) assert.equal((await project.post("/api/logs", { text: "x" }, key(text))).status, 201);
  assert.equal((await project.post("/api/logs", { text: "x" }, key(""))).status, 201, "an empty one is none");
  await project.stop();
});

test("paths, methods and the life of an answer are configured", async () => {
  const project = await start({ ttlMs: 1000, methods: ["POST", "DELETE"], paths: ["/api/"], excludePaths: ["/api/notes"] });
  for (let i = 0; i < 2; i++) assert.equal((await project.post("/api/notes", { text: `x${i}` }, key("key-0001"))).status, 201, "excluded");
  const first = await project.post("/api/logs", { text: "x" }, key("key-0002"));
  const kept = Date.now() + 1000;
  assert.deepEqual(about(await project.post("/api/logs", { text: "x" }, key("key-0002"))), about(first));
  await new Promise((resolve) => setTimeout(resolve, kept + 50 - Date.now()));
  assert.equal((await project.post("/api/logs", { text: "y" }, key("key-0002"))).status, 201);
  assert.equal((await project.patch("/api/logs/1", { text: "z" }, key("key-0002"))).status, 200, "PATCH takes no part here");
  await project.stop();
});

test("a replay counts as a request, and needs what every request needs", async () => {
  const project = await startProject({ schema, config: { idempotency: true, resources: { logs: { auth: everyone, rateLimit: { maxRequests: 5 }, pow: true } },
    abuseProtection: { pow: { secret: "s", difficulty: 6 } } } });
  const body = { text: "x" };
  const post = (more = {}) => project.post("/api/logs", body, { ...key("key-0001"), ...more });
  const first = await post(solve(await post())); // 1 and 2
  assert.equal(first.status, 201);
  const challenge = await post(); // 3
  assert.equal(challenge.status, 428);
  const replayed = await post(solve(challenge)); // 4
  assert.deepEqual(about(replayed), about(first));
  assert.equal(replayed.headers["x-ratelimit-remaining"], "1", "its own, not the first one's");
  assert.equal((await post()).status, 428); // 5
  assert.equal((await post()).status, 429);
  assert.equal(rows(project), 1);
  await project.stop();
});
