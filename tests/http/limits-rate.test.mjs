// SPDX-License-Identifier: MIT
// Requests a window over HTTP: spec/07 section 4 and cases 1 to 6 and 29.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loggedIn, startAccounts } from "./accounts.mjs";
import { Client } from "./client.mjs";
import { everyone, isProblem, startProject } from "./support.mjs";

const schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL);";
const start = (notes, { tags = {}, ...more } = {}) =>
  startProject({ schema, config: { resources: { notes: { auth: everyone, ...notes }, tags: { auth: everyone, ...tags } }, ...more } });
const rate = ({ headers }) => ["limit", "remaining", "reset"].map((name) => headers[`x-ratelimit-${name}`]);
const hour = 3600000;

function isTooMany(response, detail = "Too many requests, please try again later") {
  isProblem(response, 429, "rate-limit-exceeded", detail, { retryAfter: response.json.retryAfter });
  assert.equal(response.headers["retry-after"], String(response.json.retryAfter), "both in seconds");
}

test("1, 4: two of three requests, headers on all of them, and when to come back", async () => {
  for (const app of [{}, { cors: true }]) {
    const project = await start({ rateLimit: { maxRequests: 2, windowMs: hour } }, { app });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await project.get("/api/notes"));
    const now = Math.floor(Date.now() / 1000);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 429]);
    assert.deepEqual(answers.map((answer) => rate(answer).slice(0, 2)), [["2", "1"], ["2", "0"], ["2", "0"]]);
    isTooMany(answers[2]);
    const wait = answers[2].json.retryAfter;
    assert.ok(wait > 3590 && wait <= 3600, `${wait}`);
    for (const answer of answers) assert.ok(Math.abs(Number(rate(answer)[2]) - now - wait) <= 2, "the reset is the end of the same window");
    assert.equal(answers[2].headers["access-control-allow-origin"], app.cors ? "*" : undefined);
    await project.stop();
  }
});

test("2: the next window is a new one", async () => {
  const project = await start({ rateLimit: { maxRequests: 1, windowMs: 300 } });
  let answer = await project.get("/api/notes");
  const refusedUntil = Date.now() + 10000;
  assert.equal(answer.status, 200);
  let refused = 0;
  do { answer = await project.get("/api/notes"); refused += answer.status === 429; } while (answer.status === 429 && Date.now() < refusedUntil);
  assert.equal(answer.status, 200);
  assert.ok(refused > 0);
  await project.stop();
});

test("counters of two resources are apart, and so is that of everything", async () => {
  const project = await start({ rateLimit: { maxRequests: 2, windowMs: hour } }, { tags: { rateLimit: { maxRequests: 3, windowMs: hour } }, rateLimit: { maxRequests: 6, windowMs: hour } });
  const statuses = [];
  for (const target of ["notes", "notes", "notes", "tags", "tags", "tags", "tags"]) statuses.push((await project.get(`/api/${target}`)).status);
  assert.deepEqual(statuses, [200, 200, 429, 200, 200, 200, 429]);
  const all = await project.get("/api/tags");
  isTooMany(all);
  assert.deepEqual(rate(all).slice(0, 2), ["6", "0"], "the limit that refused is the one that is told");
  await project.stop();
});

test("everything is what has a route: not health, not paths that lead nowhere, not preflights", async () => {
  const project = await start({}, { rateLimit: { maxRequests: 1, windowMs: hour }, app: { cors: true } });
  for (const [method, target, status] of [["GET", "/healthz", 200], ["GET", "/readyz", 200], ["GET", "/api/nowhere", 404], ["OPTIONS", "/api/notes", 204],
    ["GET", "/api/notes", 200], ["GET", "/api/tags", 429], ["GET", "/__covara/stream", 429], ["GET", "/healthz", 200], ["OPTIONS", "/api/tags", 204]])
    assert.equal((await project.call(method, target)).status, status, `${method} ${target}`);
  await project.stop();
});

test("headers are on other problems too, and can be turned off", async () => {
  const project = await start({ rateLimit: { maxRequests: 100, windowMs: hour } }, { tags: { rateLimit: { maxRequests: 1, headers: false, message: "One \"tag\" is enough" } } });
  const answers = [await project.get("/api/notes?filter=((("), await project.get("/api/notes/7"), await project.post("/api/notes", "{"),
    await project.post("/api/notes", {}), await project.call("HEAD", "/api/notes"), await project.post("/api/notes", { text: "x" }), await project.delete("/api/notes/1")];
  assert.deepEqual(answers.map(({ status }) => status), [400, 404, 400, 400, 200, 201, 204]);
  answers.forEach((answer, i) => assert.deepEqual(rate(answer).slice(0, 2), ["100", String(99 - i)]));
  await project.get("/api/tags");
  const quiet = await project.get("/api/tags");
  isTooMany(quiet, "One \"tag\" is enough");
  assert.deepEqual(rate(quiet), [undefined, undefined, undefined]);
  await project.stop();
});

test("5, 6: who hammers a sliding window stays out, and learns when it has room", async () => {
  const project = await start({ rateLimit: { maxRequests: 2, windowMs: hour, algorithm: "sliding" } });
  const first = await project.get("/api/notes");
  assert.deepEqual(rate(first), ["2", "1", undefined], "no moment at which it starts anew");
  assert.equal((await project.get("/api/notes")).status, 200);
  for (let i = 0; i < 5; i++) {
    const answer = await project.get("/api/notes");
    isTooMany(answer);
    assert.ok(answer.json.retryAfter > 3590 && answer.json.retryAfter <= 3600);
  }
  await project.stop();
});

test("a sliding window lets in again when its Retry-After is over", async () => {
  const project = await start({ rateLimit: { maxRequests: 1, windowMs: 800, algorithm: "sliding" } });
  assert.equal((await project.get("/api/notes")).status, 200);
  const refused = await project.get("/api/notes");
  isTooMany(refused);
  await new Promise((resolve) => setTimeout(resolve, refused.json.retryAfter * 1000));
  assert.equal((await project.get("/api/notes")).status, 200);
  await project.stop();
});

test("3: users are counted, not their address; who is nobody is counted by address", async () => {
  const project = await startAccounts({ resources: { notes: { auth: { public: { read: true } }, rateLimit: { maxRequests: 2, windowMs: hour } } } });
  const ada = await loggedIn(project), grace = await loggedIn(project, "grace@example.com", "secret-u2"), again = await loggedIn(project);
  const statuses = [];
  for (const who of [ada, grace, again, ada, grace, grace, project, project, project]) statuses.push((await who.get("/api/notes")).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 200, 429, 200, 200, 429], "two sessions of one user are one caller");
  const forged = await project.get("/api/notes", { Cookie: "session=forged", Authorization: "Bearer nonsense" });
  assert.equal(forged.status, 429, "credentials that are none do not make a new caller");
  await project.stop();
});

test("parallel requests are all counted", async () => {
  const project = await start({ rateLimit: { maxRequests: 10, windowMs: hour } }, { server: { threads: 2 } });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => i % 2 ? project.get("/api/notes") : project.post("/api/notes", { text: "x" })));
  assert.equal(answers.filter(({ status }) => status < 300).length, 10);
  assert.equal(new Set(answers.filter(({ status }) => status < 300).map((answer) => rate(answer)[1])).size, 10, "each of them a number of its own");
  assert.equal(project.sql("SELECT count(*) AS n FROM notes")[0].n, answers.filter(({ status }) => status === 201).length);
  await project.stop();
});

test("29: a client does not try again after a 429", async () => {
  const project = await start({ rateLimit: { maxRequests: 0 } });
  const client = new Client(project);
  assert.equal((await client.get("/api/notes")).status, 429);
  assert.deepEqual(client.sent, [429]);
  await project.stop();
});
