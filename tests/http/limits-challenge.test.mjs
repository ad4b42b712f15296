// SPDX-License-Identifier: MIT
// Budgets and proof of work over HTTP: spec/07 sections 5.3 to 5.6 and 5.8, cases 7 to 20 and 28.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { Person, loggedIn, startAccounts } from "./accounts.mjs";
import { Client, findNonce, solve, zeroBits } from "./client.mjs";
import { everyone, isProblem, startProject } from "./support.mjs";

const schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);";
const secret = "a secret of the test";
const bits = 8;
const start = (notes, abuse, more = {}) => startProject({ schema, config: { resources: { notes: { auth: everyone, ...notes } },
  abuseProtection: { ...abuse, pow: { secret, difficulty: bits, ...abuse?.pow } }, ...more } });
const anonymous = (capacity, refillPerMinute = 0) => ({ classes: { anonymous: { capacity, refillPerMinute } } });
const note = { text: "x" };

function isChallenge(response, difficulty = bits) {
  isProblem(response, 428, "proof-of-work-required", "Proof of work required", { difficulty, algorithm: "sha256" });
  const { headers } = response;
  assert.deepEqual([headers["covara-challenge-type"], headers["covara-pow-difficulty"], headers["covara-pow-algorithm"]], ["pow", String(difficulty), "sha256"]);
  assert.match(headers["covara-pow-challenge"], /^[\w-]+\.[\w-]{43}$/);
}
const payloadOf = (response) => JSON.parse(Buffer.from(response.headers["covara-pow-challenge"].split(".")[0], "base64url"));

test("7: an empty budget without proof of work is a 429, in milliseconds and in seconds", async () => {
  const project = await start({ cost: { read: 30 } }, { budget: anonymous(70, 4), pow: { enabled: false } });
  for (let i = 0; i < 2; i++) assert.equal((await project.get("/api/notes")).status, 200);
  const refused = await project.get("/api/notes");
  isProblem(refused, 429, "rate-limit-exceeded", "Budget exhausted, slow down", { retryAfter: refused.json.retryAfter });
  assert.ok(refused.json.retryAfter > 290000 && refused.json.retryAfter <= 300000, "20 units at 4 a minute");
  assert.equal(refused.headers["retry-after"], String(Math.ceil(refused.json.retryAfter / 1000)));
  assert.equal((await project.get("/api/notes/count")).status, 200, "what costs nothing needs no budget");
  await project.stop();
});

test("8 to 11, 28: a client works for what the budget lacks, in two requests", async () => {
  const project = await start({ cost: { read: 30 } }, { budget: anonymous(70) });
  for (let i = 0; i < 2; i++) assert.equal((await project.get("/api/notes")).status, 200);
  for (let i = 0; i < 5; i++) isChallenge(await project.get("/api/notes"));
  const client = new Client(project);
  assert.equal((await client.get("/api/notes")).status, 200);
  assert.deepEqual(client.sent, [428, 200]);
  const challenge = await project.get("/api/notes"), solution = solve(challenge);
  isChallenge(challenge);
  assert.equal((await project.get("/api/notes", solution)).status, 200);
  const replayed = await project.get("/api/notes", solution);
  isChallenge(replayed);
  assert.notEqual(replayed.headers["covara-pow-challenge"], challenge.headers["covara-pow-challenge"]);
  await project.stop();
});

test("the challenge is what the format says", async () => {
  const project = await start({ pow: true }, {});
  const before = Date.now();
  const body = "{\"text\": \"ü\"}", answer = await project.post("/api/notes?x=1&y=%20", body);
  isChallenge(answer);
  const [payload, signature] = answer.headers["covara-pow-challenge"].split(".");
  assert.equal(signature, crypto.createHmac("sha256", secret).update(payload).digest("base64url"));
  const { v, d, fp, iat, exp, n, alg, ...more } = payloadOf(answer);
  const sha256 = (text) => crypto.createHash("sha256").update(text).digest("hex");
  assert.deepEqual([v, d, fp, exp, alg, more], [1, bits, sha256(`POST\n/api/notes?x=1&y=%20\n${sha256(body)}`), iat + 120000, "sha256", {}]);
  assert.match(n, /^[0-9a-f]{32}$/);
  assert.ok(iat >= before - 1000 && iat <= Date.now() + 1000);
  await project.stop();
});

test("12 to 16: a solution is for one request, genuine, and enough", async () => {
  const project = await start({ pow: true }, {});
  const solution = solve(await project.post("/api/notes?a=1", note));
  const token = solution["Covara-PoW-Challenge"], nonce = solution["Covara-PoW-Nonce"];
  const post = (headers, { target = "/api/notes?a=1", body = note, method = "POST" } = {}) => project.call(method, target, body, headers);
  const flipped = (at) => token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
  const wrong = ["0", "1", "2", "3", "4", "5"].find((text) => zeroBits(crypto.createHash("sha256").update(`${token}:${text}`).digest()) < bits);
  const attempts = [
    post(solution, { body: { text: "y" } }), post(solution, { target: "/api/notes?a=2" }), post(solution, { target: "/api/notes" }),
    post(solution, { target: "/api/notes?a=1&b" }), post(solution, { target: "/api/notes/batch?a=1", body: { items: [note] } }), post(solution, { body: "{\"text\":\"x\" }" }),
    post({ ...solution, "Covara-PoW-Challenge": flipped(token.indexOf(".") + 5) }), post({ ...solution, "Covara-PoW-Challenge": flipped(3) }),
    post({ ...solution, "Covara-PoW-Nonce": wrong }), post({ ...solution, "Covara-PoW-Nonce": "" }), post({ "Covara-PoW-Challenge": token }),
    post({ "Covara-PoW-Nonce": nonce }), post({ "Covara-PoW-Challenge": token.split(".")[0], "Covara-PoW-Nonce": nonce }),
    ...["garbage", ".", "..", "a.", ".a", "e30.e30", "\xff\xfe.\x80", `${token}.x`, `${token.split(".")[0]}.`, "x".repeat(4000)]
      .map((garbage) => post({ "Covara-PoW-Challenge": garbage, "Covara-PoW-Nonce": "0" })),
    post({ "Covara-PoW-Challenge": token, "Covara-PoW-Nonce": "9".repeat(4000) }),
  ];
  for (const answer of await Promise.all(attempts)) isChallenge(answer);
  assert.equal(project.sql("SELECT count(*) AS n FROM notes")[0].n, 0);
  assert.equal((await post(solution)).status, 201, "none of them used it up");
  isChallenge(await post(solution));
  await project.stop();
});

test("of parallel uses of one solution one wins", async () => {
  const project = await start({ pow: true }, {}, { server: { threads: 2 } });
  const solution = solve(await project.post("/api/notes", note));
  const answers = await Promise.all(Array.from({ length: 20 }, () => project.post("/api/notes", note, solution)));
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  assert.equal(answers.filter(({ status }) => status === 428).length, 19);
  assert.equal(project.sql("SELECT count(*) AS n FROM notes")[0].n, 1);
  await project.stop();
});

test("14: a challenge expires", async () => {
  const project = await start({ pow: true }, { pow: { challengeTtlMs: 1000 } });
  const challenge = await project.post("/api/notes", note), solution = solve(challenge);
  await new Promise((resolve) => setTimeout(resolve, payloadOf(challenge).exp - Date.now() + 5));
  isChallenge(await project.post("/api/notes", note, solution));
  const client = new Client(project);
  assert.equal((await client.post("/api/notes", note)).status, 201);
  assert.deepEqual(client.sent, [428, 201]);
  await project.stop();
});

test("without bindBody a solution is for any body", async () => {
  const project = await start({ pow: true }, { pow: { bindBody: false } });
  const solution = solve(await project.post("/api/notes", note));
  assert.equal((await project.post("/api/notes", { text: "another" }, solution)).status, 201);
  await project.stop();
});

test("17, 18: which operations ask", async () => {
  const each = async (pow) => {
    const project = await start({ pow }, {});
    project.sql("INSERT INTO notes VALUES (1, 'x')");
    const statuses = [];
    for (const [method, target, body] of [["GET", "/api/notes"], ["HEAD", "/api/notes"], ["GET", "/api/notes/1"], ["GET", "/api/notes/count"], ["GET", "/api/notes/aggregate?count=true"],
      ["POST", "/api/notes", note], ["POST", "/api/notes/batch", { items: [note] }], ["PATCH", "/api/notes/1", note], ["PUT", "/api/notes/1", note], ["DELETE", "/api/notes/1"]])
      statuses.push((await project.call(method, target, body)).status === 428);
    await project.stop();
    return statuses.map(Number).join("");
  };
  assert.equal(await each(true), "0000011111");
  assert.equal(await each({ operations: ["create"] }), "0000011000");
  assert.equal(await each({ operations: ["read", "delete"] }), "1110000001");
  assert.equal(await each({ operations: ["count", "aggregate", "update"] }), "0001100110");
});

test("an endpoint's difficulty is its own, and an easier token does not do for a harder one", async () => {
  const project = await start({ pow: { difficulty: 10, operations: ["create"] }, cost: { read: 5 } }, { budget: anonymous(1) });
  isChallenge(await project.get("/api/notes"), 8);
  isChallenge(await project.post("/api/notes", note), 10);
  await project.stop();
  const easy = await startProject({ schema, config: { resources: { notes: { auth: everyone, pow: true } }, abuseProtection: { pow: { secret, difficulty: 4 } } } });
  const challenge = await easy.post("/api/notes", note), token = challenge.headers["covara-pow-challenge"];
  const solution = { "Covara-PoW-Challenge": token, "Covara-PoW-Nonce": findNonce(token, 12) };
  await easy.stop();
  const hard = await start({ pow: true }, { pow: { difficulty: 12 } });
  isChallenge(await hard.post("/api/notes", note, solution), 12);
  await hard.stop();
});

test("a client gives up after three challenges", async () => {
  const project = await start({ pow: true }, {});
  const stubborn = { call: (method, target, body) => project.call(method, target, body) }; // loses the solutions
  const client = new Client(stubborn);
  assert.equal((await client.post("/api/notes", note)).status, 428);
  assert.deepEqual(client.sent, [428, 428, 428, 428]);
  await project.stop();
});

test("20: what a user may spend is not what an address may", async () => {
  const project = await startAccounts({ resources: { notes: { auth: { public: { read: true }, read: "*" }, cost: { read: 10 } } },
    more: { abuseProtection: { pow: { secret, difficulty: bits }, budget: { classes: { authenticated: { capacity: 1000 }, anonymous: { capacity: 10 } } } } } });
  const ada = await loggedIn(project);
  for (let i = 0; i < 5; i++) assert.equal((await ada.get("/api/notes")).status, 200);
  assert.equal((await project.get("/api/notes")).status, 200);
  isChallenge(await project.get("/api/notes"));
  await project.stop();
});

test("a client whose session ended gets a new one and then solves the challenge", async () => {
  const project = await startAccounts({ more: { resources: { notes: { auth: { read: "userId=={user.id}", create: "userId=={user.id}" }, pow: { operations: ["read"] } } },
    abuseProtection: { pow: { secret, difficulty: bits } } } });
  const person = new Person(project);
  const client = new Client(person, { refresh: () => person.login("ada@example.com", "secret-u1") });
  const answer = await client.get("/api/notes");
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json.items.map(({ text }) => text), ["of Ada", "of Ada too"]);
  // The gate comes before the policy: the first solution was of nobody, and was used up by the 401.
  assert.deepEqual(client.sent, [428, 401, 428, 200]);
  await project.stop();
});

test("parallel requests never spend the same units", async () => {
  const project = await start({ cost: { create: 1 } }, { budget: anonymous(10), pow: { enabled: false } }, { server: { threads: 2 } });
  const answers = await Promise.all(Array.from({ length: 50 }, () => project.post("/api/notes", note)));
  assert.equal(answers.filter(({ status }) => status === 201).length, 10);
  assert.equal(project.sql("SELECT count(*) AS n FROM notes")[0].n, 10);
  await project.stop();
});

test("a subscription is charged, also one on the stream of all subscriptions", async () => {
  const project = await start({ auth: { public: true }, cost: { subscribe: 5 } }, { budget: anonymous(10), pow: { enabled: false } });
  const stream = await fetch(`http://${project.hostname}:${project.port}/__covara/stream`);
  const reader = stream.body.getReader();
  const { cid } = JSON.parse(/data: (.*)\n/.exec(new TextDecoder().decode((await reader.read()).value))[1]);
  const subscribe = (channelId) => project.post(`/__covara/stream/${cid}/subscribe`, { channelId, resource: "/api/notes" });
  assert.deepEqual([await subscribe("a"), await subscribe("b"), await subscribe("c")].map(({ status }) => status), [200, 200, 429]);
  assert.equal((await project.get("/api/notes/subscribe")).status, 429, "the same budget");
  assert.equal((await project.post(`/__covara/stream/${cid}/unsubscribe`, { channelId: "a" })).status, 200);
  await reader.cancel();
  await project.stop();
});

test("the secret comes from the environment too", async () => {
  const project = await startProject({ schema, config: { resources: { notes: { auth: everyone, pow: true } }, abuseProtection: { pow: { difficulty: bits } } }, env: { COVARA_POW_SECRET: "from outside" } });
  const [payload, signature] = (await project.post("/api/notes", note)).headers["covara-pow-challenge"].split(".");
  assert.equal(signature, crypto.createHmac("sha256", "from outside").update(payload).digest("base64url"));
  await project.stop();
});
