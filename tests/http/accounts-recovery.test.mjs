// SPDX-License-Identifier: MIT
// Verification of addresses, password resets and magic links over sockets, with the mails read from the log.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, atOnce, mails, password, startAccounts, tokenOf } from "./account-flows.mjs";
import { openProject } from "./support.mjs";

const project = await startAccounts();
let people = 0, sent = 0;

async function person() {
  const email = `p${++people}@example.com`;
  const browser = new Browser(project);
  assert.equal((await browser.post("/signup", { email, password })).status, 200);
  return { email, browser };
}

async function ask(path, email) {
  const answer = await new Browser(project).post(path, { email });
  assert.equal(answer.status, 200, answer.text);
  const all = await mails(project, ++sent);
  assert.equal(all.length, sent);
  assert.equal(all[sent - 1].to, email);
  return { answer, token: tokenOf(all[sent - 1]) };
}

test("an address is verified by the token of its last mail, once", async () => {
  const { email, browser } = await person();
  const { token: first } = await ask("/verify/request", email);
  const { token } = await ask("/verify/request", email);
  const confirm = (token) => browser.post("/verify/confirm", { email, token });
  for (const wrong of ["nope", first, token.slice(1)]) {
    const answer = await confirm(wrong);
    assert.equal(answer.status, 400);
    assert.equal(answer.json.detail, "Invalid or expired token");
  }
  assert.deepEqual((await confirm(token)).json, { success: true });
  assert.equal((await confirm(token)).status, 400);
  assert.match(project.sql(`SELECT verified_at v FROM people WHERE email='${email}'`)[0].v, /^\d{4}-.*Z$/);
});

test("of many that use one token at once one succeeds", async () => {
  const { email } = await person();
  const { token } = await ask("/verify/request", email);
  const confirm = () => new Browser(project).post("/verify/confirm", { email, token });
  assert.deepEqual(await atOnce(8, confirm), [200, ...Array(7).fill(400)]);
  const { token: magic } = await ask("/magic-link/request", email);
  const login = () => new Browser(project).post("/magic-link/verify", { email, token: magic });
  assert.deepEqual(await atOnce(8, login), [200, ...Array(7).fill(401)]);
});

test("requests answer strangers and owners alike", async () => {
  const { email } = await person();
  for (const path of ["/verify/request", "/password/forgot", "/magic-link/request"]) {
    const { answer: known } = await ask(path, email);
    const unknown = await new Browser(project).post(path, { email: "nobody@example.com" });
    const shown = ({ status, headers: { date, ...headers }, text }) => ({ status, headers, text });
    assert.deepEqual(shown(unknown), shown(known));
  }
});

test("a reset changes the password, ends all sessions and logs nobody in", async () => {
  const { email, browser } = await person();
  const other = new Browser(project);
  assert.equal((await other.post("/login", { email, password })).status, 200);
  const { token } = await ask("/password/forgot", email);
  const reset = (password) => new Browser(project).post("/password/reset", { email, token, password });
  const weak = await reset("short");
  assert.equal(weak.status, 400);
  assert.deepEqual(weak.json.errors.map((error) => error.field), ["password"]);
  assert.equal((await browser.me()).email, email);
  const answer = await reset("another long password");
  assert.deepEqual(answer.json, { success: true });
  assert.equal(answer.headers["set-cookie"], undefined);
  assert.equal(await browser.me(), null);
  assert.equal(await other.me(), null);
  assert.equal((await reset("a third long password")).status, 400);
  assert.equal((await other.post("/login", { email, password })).status, 401);
  assert.equal((await other.post("/login", { email, password: "another long password" })).status, 200);
});

test("a magic link logs in once", async () => {
  const { email } = await person();
  const { token } = await ask("/magic-link/request", email);
  const browser = new Browser(project);
  const answer = await browser.post("/magic-link/verify", { email, token });
  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.json), ["user", "sessionId"]);
  assert.equal((await browser.me()).email, email);
  const again = await new Browser(project).post("/magic-link/verify", { email, token });
  assert.equal(again.status, 401);
  assert.equal(again.json.detail, "Invalid or expired token");
});

test("what is stored is no token, and no SQL or secret is in an answer", async () => {
  const { email } = await person();
  const { token, answer } = await ask("/password/forgot", email);
  const rows = project.sql("SELECT identifier, token FROM auth_verification_tokens");
  assert.ok(rows.some((row) => row.identifier === `reset:${email}` && /^[0-9a-f]{64}$/.test(row.token)));
  assert.ok(!JSON.stringify(rows).includes(token));
  assert.ok(!answer.text.includes(token));
});

test("with JWT a reset revokes refresh tokens, and a magic link gives tokens", async (t) => {
  const jwt = await startAccounts({ session: { type: "jwt", secret: "0123456789abcdef0123456789abcdef" } });
  t.after(() => jwt.stop());
  const email = "j@example.com";
  const browser = new Browser(jwt);
  assert.equal((await browser.post("/signup", { email, password })).status, 200);
  await browser.post("/password/forgot", { email });
  const [mail] = await mails(jwt, 1);
  assert.equal((await browser.clone().post("/password/reset", { email, token: tokenOf(mail), password: "another long password" })).status, 200);
  const refused = await browser.post("/refresh", {});
  assert.equal(refused.status, 401);
  assert.equal(refused.json.error.code, "TOKEN_REVOKED");
  await browser.post("/magic-link/request", { email });
  const answer = await browser.post("/magic-link/verify", { email, token: tokenOf((await mails(jwt, 2))[1]) });
  assert.deepEqual(Object.keys(answer.json), ["user", "accessToken", "expiresIn", "tokenType"]);
});

test("a token outlives a restart", async (t) => {
  const first = await startAccounts();
  const email = "r@example.com";
  await new Browser(first).post("/signup", { email, password });
  await new Browser(first).post("/magic-link/request", { email });
  const token = tokenOf((await mails(first, 1))[0]);
  await first.stop();
  const second = await openProject(first.directory);
  t.after(() => second.stop());
  assert.equal((await new Browser(second).post("/magic-link/verify", { email, token })).status, 200);
});
