// SPDX-License-Identifier: MIT
// CAPTCHAs over HTTP, against a provider of our own: spec/07 section 5.7, cases 21 to 25.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, test } from "node:test";
import { loggedIn, startAccounts } from "./accounts.mjs";
import { Client } from "./client.mjs";
import { everyone, isProblem, startProject } from "./support.mjs";

const schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);";
const note = { text: "x" };

/* What the provider was asked, and what it says: `verdict(fields)` gives an object, a [status, text], or a promise of one. */
const asked = [];
let verdict = ({ response }) => ({ success: response === "good" });
const provider = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
  asked.push({ method: request.method, type: request.headers["content-type"], ...fields });
  const said = await verdict(fields);
  const [status, text] = Array.isArray(said) ? said : [200, JSON.stringify(said)];
  response.writeHead(status, { "Content-Type": "application/json" }).end(text);
});
provider.listen(0, "127.0.0.1");
await once(provider, "listening");
after(() => provider.close());
const verifyUrl = `http://127.0.0.1:${provider.address().port}/verify`;

const captcha = { provider: "turnstile", secret: "key of the server", siteKey: "key of the page", verifyUrl };
const start = (notes, abuse = {}, more = {}) => startProject({ schema, config: { resources: { notes: { auth: everyone, ...notes } },
  abuseProtection: { ...abuse, captcha: { ...captcha, ...abuse.captcha }, pow: { secret: "s", difficulty: 6, ...abuse.pow } }, ...more } });
const token = (text) => ({ "Covara-Captcha-Token": text });

function isChallenge(response, { provider = "turnstile", siteKey = "key of the page", action } = {}) {
  isProblem(response, 428, "captcha-required", "CAPTCHA required", { provider, siteKey, ...(action ? { action } : {}) });
  const names = ["challenge-type", "captcha-provider", "captcha-sitekey", "captcha-action", "pow-challenge"];
  assert.deepEqual(names.map((name) => response.headers[`covara-${name}`]), ["captcha", provider, siteKey, action, undefined]);
}
async function withVerdict(other, run) {
  const before = verdict;
  verdict = other;
  try { await run(); } finally { verdict = before; }
}

test("21: no token, a bad one, a good one", async () => {
  const project = await start({ captcha: { action: "write" } });
  asked.length = 0;
  isChallenge(await project.post("/api/notes", note), { action: "write" });
  isChallenge(await project.post("/api/notes", note, token("")), { action: "write" });
  assert.equal(asked.length, 0, "nothing to ask about");
  isChallenge(await project.post("/api/notes", note, token("bad")), { action: "write" });
  assert.equal((await project.post("/api/notes", note, token("good"))).status, 201);
  assert.deepEqual(asked.map(({ response }) => response), ["bad", "good"]);
  assert.deepEqual(asked[1], { method: "POST", type: "application/x-www-form-urlencoded", secret: "key of the server", response: "good", remoteip: "127.0.0.1" });
  assert.equal((await project.get("/api/notes")).status, 200);
  assert.equal(project.sql("SELECT count(*) AS n FROM notes")[0].n, 1);
  await project.stop();
});

test("a token is a value in a form, whatever it holds", async () => {
  const project = await start({ captcha: true });
  asked.length = 0;
  const strange = "a b&secret=mine&x=%00+\"~=";
  isChallenge(await project.post("/api/notes", note, token(strange)));
  assert.equal(asked[0].response, strange);
  assert.equal(asked[0].secret, "key of the server");
  await project.stop();
});

test("a client with a widget needs two requests; without one it gives up", async () => {
  const project = await start({ captcha: { action: "write" } });
  const shown = [];
  const client = new Client(project, { captcha: async (ask) => { shown.push(ask); return "good"; } });
  assert.equal((await client.post("/api/notes", note)).status, 201);
  assert.deepEqual([client.sent, shown], [[428, 201], [{ provider: "turnstile", siteKey: "key of the page", action: "write" }]]);
  const blind = new Client(project);
  assert.equal((await blind.post("/api/notes", note)).status, 428);
  assert.deepEqual(blind.sent, [428]);
  const robot = new Client(project, { captcha: async () => "bad" });
  assert.equal((await robot.post("/api/notes", note)).status, 428);
  assert.deepEqual(robot.sent, [428, 428, 428]);
  await project.stop();
});

test("22: with both gates it is the CAPTCHA", async () => {
  const project = await start({ captcha: true, pow: true });
  isChallenge(await project.post("/api/notes", note));
  assert.equal((await project.post("/api/notes", note, token("good"))).status, 201);
  await project.stop();
});

test("23: an empty budget overflows into a CAPTCHA, or without a provider into work", async () => {
  const budget = { classes: { anonymous: { capacity: 1 } } };
  const project = await start({ cost: { read: 1 } }, { budget, overflow: "captcha" });
  assert.equal((await project.get("/api/notes")).status, 200);
  isChallenge(await project.get("/api/notes"));
  assert.equal((await project.get("/api/notes", token("good"))).status, 200);
  await project.stop();
  const without = await startProject({ schema, config: { resources: { notes: { auth: everyone, cost: { read: 1 } } },
    abuseProtection: { budget, overflow: "captcha", pow: { secret: "s", difficulty: 6 } } } });
  const client = new Client(without);
  await client.get("/api/notes");
  assert.equal((await client.get("/api/notes")).status, 200);
  assert.deepEqual(client.sent, [200, 428, 200]);
  await without.stop();
});

test("24: recaptcha's score and action count", async () => {
  const project = await start({ captcha: { action: "write" } }, { captcha: { provider: "recaptcha", minScore: "0.5" } });
  const says = (said, status) => withVerdict(() => said, async () => assert.equal((await project.post("/api/notes", note, token("t"))).status, status, JSON.stringify(said)));
  await says({ success: true, score: 0.3, action: "write" }, 428);
  await says({ success: true, action: "write" }, 428);
  await says({ success: true, score: 0.9, action: "login" }, 428);
  await says({ success: true, score: "0.9", action: "write" }, 428);
  await says({ success: false, score: 0.9, action: "write" }, 428);
  await says({ success: true, score: 0.5, action: "write" }, 201);
  await says({ success: true, score: 0.9 }, 201);
  await project.stop();
});

test("25: whatever goes wrong with the provider, the token is refused", async () => {
  const project = await start({ captcha: true });
  for (const said of [[500, "{\"success\":true}"], [302, "{\"success\":true}"], [200, "success"], [200, ""], [200, "{\"success\":\"true\"}"], [200, "{\"success\":1}"], [200, "[true]"],
    [200, "null"], [200, `{"success":true,"x":"${"x".repeat(3e6)}"`]])
    await withVerdict(() => said, async () => isChallenge(await project.post("/api/notes", note, token("good"))));
  await withVerdict(() => { provider.closeAllConnections(); return {}; }, async () => isChallenge(await project.post("/api/notes", note, token("good"))));
  await project.stop();
  const closed = http.createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address();
  closed.close();
  await once(closed, "close");
  const down = await start({ captcha: true }, { captcha: { verifyUrl: `http://127.0.0.1:${port}/` } });
  isChallenge(await down.post("/api/notes", note, token("good")));
  assert.match(down.output(), /CAPTCHA verification request failed/);
  assert.doesNotMatch(down.output(), /key of the server/);
  await down.stop();
});

/* `run` while the provider holds `n` questions back, asked by `ask`; then it answers them. */
async function whileItThinks(n, ask, run) {
  let release, held = 0, full;
  const gate = new Promise((resolve) => { release = resolve; });
  const all = new Promise((resolve) => { full = resolve; });
  await withVerdict(async () => { if (++held === n) full(); await gate; return { success: true }; }, async () => {
    const answers = Array.from({ length: n }, ask);
    await all;
    await run();
    release();
    for (const answer of await Promise.all(answers)) assert.ok(answer.status < 300, answer.text);
  });
}

test("a provider that takes its time holds up nobody else", async () => {
  const project = await start({ captcha: { operations: ["create"] } }, {}, { server: { threads: 1, poolThreads: 4 } });
  await whileItThinks(4, () => project.post("/api/notes", note, token("good")), async () => {
    for (let i = 0; i < 5; i++) assert.equal((await project.get("/api/notes")).json.items.length, 0);
    isChallenge(await project.post("/api/notes", note));
    assert.equal((await project.get("/healthz")).status, 200);
  });
  assert.equal(project.sql("SELECT count(*) AS n FROM notes")[0].n, 4);
  await project.stop();
});

test("nor does it when only users have a budget that overflows into a CAPTCHA", async () => {
  const project = await startAccounts({ resources: { notes: { auth: { public: { read: true }, read: "*" }, cost: { read: 1 } } },
    more: { server: { threads: 1 }, abuseProtection: { captcha, overflow: "captcha", budget: { classes: { authenticated: { capacity: 1 } } } } } });
  const ada = await loggedIn(project);
  assert.equal((await ada.get("/api/notes")).status, 200);
  isChallenge(await ada.get("/api/notes"));
  await whileItThinks(1, () => ada.get("/api/notes", token("good")), async () => assert.equal((await project.get("/api/notes")).status, 200));
  await project.stop();
});

test("a subscription can be asked for a CAPTCHA, and is a stream afterwards", async () => {
  const project = await start({ auth: { public: { ...everyone.public, subscribe: true } }, captcha: { operations: ["subscribe"] } });
  isChallenge(await project.get("/api/notes/subscribe"));
  const response = await fetch(`http://${project.hostname}:${project.port}/api/notes/subscribe`, { headers: token("good") });
  assert.deepEqual([response.status, response.headers.get("content-type").split(";")[0]], [200, "text/event-stream"]);
  const reader = response.body.getReader();
  let text = "";
  while (!text.includes("connected")) text += new TextDecoder().decode((await reader.read()).value);
  await project.post("/api/notes", note);
  while (!text.includes("added")) text += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  await project.stop();
});
