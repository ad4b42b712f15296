// SPDX-License-Identifier: MIT
// Failed logins: throttle, enumeration, budget and proof of work of account routes (spec/06 section 6, spec/07 cases 26, 27).
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { Person, hash, loggedIn, startAccounts } from "./accounts.mjs";

test("after so many failures even the right password waits, and is told how long", async () => {
  const project = await startAccounts({ auth: { throttle: { maxAttempts: 2 } } });
  const mallory = new Person(project);
  assert.equal((await mallory.login("ada@example.com", "a")).status, 401);
  assert.equal((await mallory.login("ada@example.com", "b")).status, 401);
  const answer = await mallory.login("ada@example.com", "secret-u1");
  assert.equal(answer.status, 429);
  assert.equal(answer.json.code, "RATE_LIMIT_EXCEEDED");
  assert.equal(answer.json.detail, "Too many login attempts, please try again later");
  assert.ok(answer.json.retryAfter > 890 && answer.json.retryAfter <= 900);
  assert.equal(answer.headers["retry-after"], String(answer.json.retryAfter));
  assert.equal((await mallory.login("grace@example.com", "secret-u2")).status, 429, "the address is locked too");
  await project.stop();
});

test("a success resets the counter of its e-mail address, but not that of the client", async () => {
  const project = await startAccounts({ auth: { throttle: { maxAttempts: 3 } } });
  const person = new Person(project);
  for (const [email, password, status] of [["ada@example.com", "x", 401], ["ada@example.com", "secret-u1", 200],
    ["ada@example.com", "x", 401], ["ada@example.com", "x", 401], ["ada@example.com", "secret-u1", 429]])
    assert.equal((await person.login(email, password)).status, status);
  await project.stop();
});

test("addresses differ by letters, not by case, for the counter", async () => {
  const project = await startAccounts({ auth: { throttle: { maxAttempts: 2 } } });
  for (const email of ["Ada@example.com", "ADA@example.com"])
    assert.equal((await new Person(project).login(email, "x")).status, 401);
  assert.equal((await new Person(project).login("ada@example.com", "secret-u1")).status, 429);
  await project.stop();
});

test("parallel guesses get no more than the threads that hash allow", async () => {
  const project = await startAccounts({ auth: { throttle: { maxAttempts: 5 } }, more: { server: { poolThreads: 2 } } });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => new Person(project).login("ada@example.com", `guess ${i}`)));
  const tried = answers.filter((answer) => answer.status === 401).length;
  assert.ok(tried >= 5 && tried <= 7, `${tried} guesses were checked`);
  await project.stop();
});

test("a header from a client that is no trusted proxy changes nothing", async () => {
  const project = await startAccounts({ auth: { throttle: { maxAttempts: 2 } } });
  for (let i = 0; i < 2; i++)
    await new Person(project, { "X-Forwarded-For": `10.0.0.${i}`, "X-Real-IP": `10.0.1.${i}`, "CF-Connecting-IP": `10.0.2.${i}` })
      .login(`someone${i}@example.com`, "x");
  assert.equal((await new Person(project, { "X-Forwarded-For": "10.9.9.9" }).login("ada@example.com", "secret-u1")).status, 429);
  await project.stop();
});

test("behind a trusted proxy each client has a counter", async () => {
  const project = await startAccounts({ auth: { throttle: { maxAttempts: 1 } }, more: { app: { trustedProxies: ["127.0.0.1"] } } });
  const from = (address) => new Person(project, { "X-Forwarded-For": address });
  assert.equal((await from("198.51.100.1").login("a@example.com", "x")).status, 401);
  assert.equal((await from("198.51.100.1").login("ada@example.com", "secret-u1")).status, 429);
  assert.equal((await from("198.51.100.2").login("ada@example.com", "secret-u1")).status, 200);
  await project.stop();
});

test("an unknown address costs the server as much as a wrong password", async () => {
  const cost = { N: 16384 };
  const project = await startAccounts({ auth: { scrypt: cost, throttle: false } });
  project.sql(`UPDATE users SET password_hash='${hash("pw", cost)}' WHERE id='u1'`);
  const emails = ["ada@example.com", "who@example.com", "nobody@example.com"];
  const best = emails.map(() => Infinity);
  // In turns, so that whatever else the machine does befalls all of them.
  for (let round = 0; round < 7; round++)
    for (const [i, email] of emails.entries()) {
      const start = process.hrtime.bigint();
      assert.equal((await new Person(project).login(email, "wrong")).status, 401);
      best[i] = Math.min(best[i], Number(process.hrtime.bigint() - start));
    }
  const [known, ...others] = best;
  // A hash takes tens of milliseconds, everything else well under one: a missing hash would be a factor of ten or more.
  for (const other of others) assert.ok(other > known / 4 && other < known * 4, `${known} and ${other} ns`);
  await project.stop();
});

const classes = { anonymous: { capacity: 30 }, authenticated: { capacity: 1000 } };

function solve(answer) {
  const token = answer.headers["covara-pow-challenge"];
  const bits = Number(answer.headers["covara-pow-difficulty"]);
  for (let nonce = 0; ; nonce++) {
    const digest = crypto.createHash("sha256").update(`${token}:${nonce}`).digest();
    if (digest.readUInt32BE(0) >>> (32 - bits) === 0) return { "Covara-PoW-Challenge": token, "Covara-PoW-Nonce": String(nonce) };
  }
}

test("only failures cost; an empty budget asks for work before it looks at a password", async () => {
  const project = await startAccounts({ auth: { login: { failedCost: 20 }, throttle: false },
    more: { abuseProtection: { budget: { classes }, pow: { difficulty: 8, secret: "test-secret" } } } });
  for (let i = 0; i < 2; i++) await loggedIn(project);
  const mallory = new Person(project);
  assert.equal((await mallory.login("ada@example.com", "a")).status, 401);
  const challenge = await mallory.login("ada@example.com", "secret-u1");
  assert.equal(challenge.status, 428);
  assert.equal(challenge.json.code, "PROOF_OF_WORK_REQUIRED");
  const body = { email: "ada@example.com", password: "secret-u1" };
  const solution = solve(challenge);
  assert.equal((await project.post("/api/auth/login", { ...body, password: "other" }, solution)).status, 428, "good for that body only");
  assert.equal((await project.post("/api/auth/login", body, solution)).status, 200);
  assert.equal((await project.post("/api/auth/login", body, solution)).status, 428, "good for one use only");
  await project.stop();
});
