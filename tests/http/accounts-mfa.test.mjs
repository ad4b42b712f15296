// SPDX-License-Identifier: MIT
// The second factor over sockets. The window is ten steps, so that a test has codes enough without waiting for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, atOnce, mails, password, startAccounts, tokenOf, totp } from "./account-flows.mjs";
import { openProject } from "./support.mjs";

const project = await startAccounts();
let people = 0;

/* A person with a second factor, whose next code is code(); each later than the one before. */
async function enrolled(on = project) {
  const email = `p${++people}@example.com`;
  const browser = new Browser(on);
  assert.equal((await browser.post("/signup", { email, password })).status, 200);
  const { status, json } = await browser.post("/mfa/enroll");
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(json), ["secret", "otpauthUri", "backupCodes"]);
  assert.equal(json.otpauthUri, `otpauth://totp/My%20App:p${people}%40example.com?secret=${json.secret}&algorithm=SHA1&digits=6&period=30&issuer=My+App`);
  assert.equal(json.backupCodes.length, 3);
  let step = -8;
  const code = () => totp(json.secret, step++);
  const confirmed = await browser.post("/mfa/enroll/confirm", { code: code() });
  assert.deepEqual(confirmed.json, { success: true, enabled: true });
  return { email, browser, code, backup: json.backupCodes };
}

const login = (email, mfaCode, on = project) => new Browser(on).post("/login", { email, password, mfaCode });

async function waiting(email) {
  const browser = new Browser(project);
  const answer = await browser.post("/login", { email, password });
  assert.equal(answer.status, 401);
  assert.equal(answer.text, '{"mfaRequired":true}');
  assert.match(answer.headers["set-cookie"][0], /^mfa_pending=[\w-]{43}; Max-Age=300; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.equal(answer.headers["cache-control"], "no-store");
  return browser;
}

test("a login needs the password and a code", async () => {
  const { email, code } = await enrolled();
  await waiting(email);
  const wrong = await login(email, "not a code");
  assert.equal(wrong.status, 401);
  assert.equal(wrong.json.detail, "Invalid MFA code");
  const right = code();
  assert.equal((await login(email, right)).status, 200);
  assert.equal((await login(email, right)).status, 401);
  assert.equal((await login(email, code())).status, 200);
});

test("of many that use one code at once one logs in", async () => {
  const { email, code, backup } = await enrolled();
  const right = code();
  assert.deepEqual(await atOnce(8, () => login(email, right)), [200, ...Array(7).fill(401)]);
  assert.deepEqual(await atOnce(6, () => login(email, backup[1])), [200, ...Array(5).fill(401)]);
  assert.deepEqual(await atOnce(2, (i) => login(email, backup[i * 2])), [200, 200]);
});

test("/mfa/verify finishes a login that waits, and no other", async () => {
  const { email, code } = await enrolled();
  const right = code();
  const stranger = await new Browser(project).post("/mfa/verify", { email, code: right });
  assert.equal(stranger.status, 401);
  assert.equal(stranger.json.detail, "Invalid MFA code");
  const browser = await waiting(email);
  const again = browser.clone();
  const answer = await browser.post("/mfa/verify", { email, code: right });
  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.json), ["user", "sessionId"]);
  assert.equal((await browser.me()).email, email);
  assert.ok(!browser.cookies.has("mfa_pending"));
  assert.equal((await again.post("/mfa/verify", { email, code: code() })).status, 401);
});

test("a login that waits ends after five wrong codes", async () => {
  const { email, code } = await enrolled();
  const browser = await waiting(email);
  const last = browser.clone();
  assert.deepEqual(await atOnce(5, () => browser.clone().post("/mfa/verify", { email, code: "12345" })), Array(5).fill(401));
  assert.equal((await last.post("/mfa/verify", { email, code: code() })).status, 401);
});

test("a magic link asks for the second factor too", async () => {
  const { email, code } = await enrolled();
  const browser = new Browser(project);
  await browser.post("/magic-link/request", { email });
  const token = tokenOf((await mails(project, 1)).at(-1));
  const answer = await browser.post("/magic-link/verify", { email, token });
  assert.equal(answer.status, 401);
  assert.deepEqual(answer.json, { mfaRequired: true });
  assert.equal(await browser.me(), null);
  assert.equal((await browser.post("/mfa/verify", { email, code: code() })).status, 200);
  assert.equal((await browser.me()).email, email);
});

test("replacing or ending the factor needs a code of it", async () => {
  const { email, browser, code } = await enrolled();
  const refused = await browser.post("/mfa/enroll");
  assert.equal(refused.status, 409);
  assert.equal(refused.json.code, "CONFLICT");
  assert.equal((await browser.post("/mfa/enroll", { code: "000" })).status, 409);
  await waiting(email);
  assert.equal((await browser.post("/mfa/disable", { code: "000" })).status, 400);
  const offer = await browser.post("/mfa/enroll", { code: code() });
  assert.equal(offer.status, 200);
  assert.equal((await browser.post("/mfa/enroll/confirm", { code: totp(offer.json.secret) })).status, 200);
  assert.equal((await login(email, code())).status, 401);
  assert.deepEqual((await browser.post("/mfa/disable", { code: totp(offer.json.secret, 1) })).json, { success: true, enabled: false });
  assert.equal((await login(email)).status, 200);
});

test("enrolment needs a user", async () => {
  for (const path of ["/mfa/enroll", "/mfa/enroll/confirm", "/mfa/disable"]) {
    const answer = await new Browser(project).post(path, { code: "123456" });
    assert.equal(answer.status, 401);
    assert.equal(answer.json.detail, "Authentication required");
  }
});

test("a factor outlives a restart", async (t) => {
  const first = await startAccounts();
  const { email, code } = await enrolled(first);
  await first.stop();
  const second = await openProject(first.directory);
  t.after(() => second.stop());
  assert.equal((await login(email, undefined, second)).text, '{"mfaRequired":true}');
  assert.equal((await login(email, code(), second)).status, 200);
});

test("a store that forgets factors is refused at the start", async () => {
  await assert.rejects(startAccounts({ session: { store: "kv" } }), /second factors must outlive the server/);
});
