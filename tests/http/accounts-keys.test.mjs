// SPDX-License-Identifier: MIT
// API keys over HTTP: made, used, rotated, revoked here and by another process (spec/06 section 9, cases 39 to 42).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { isProblem, openProject } from "./support.mjs";
import { loggedIn, ownNotes, startAccounts } from "./accounts.mjs";

const options = { apiKeys: { prefix: "my_app" }, throttle: { maxAttempts: 1000 } };
const withKey = (key) => ({ "X-API-Key": key });
const anonymous = '{"user":null}';

/* Another character at the end, of those that a key has. */
const changed = (key) => key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");

async function make(person, body = {}) {
  const answer = await person.post("/api/auth/api-keys", body);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

/* Asks until the answer is `wanted`; the milliseconds since the last other answer was asked for. */
async function until(wanted, ask) {
  const start = Date.now();
  let last = start;
  while ((await ask()) !== wanted) {
    last = Date.now();
    assert.ok(last - start < 10000, "never");
  }
  return last - start;
}

describe("keys of a user", () => {
  let project, ada, grace;
  before(async () => {
    project = await startAccounts({ auth: options });
    ada = await loggedIn(project);
    grace = await loggedIn(project, "grace@example.com", "secret-u2");
  });
  after(() => project.stop());
  const me = async (key) => (await project.get("/api/auth/me", withKey(key))).text;

  test("a key is shown once, and stands for its user on /me and on resources", async () => {
    const { key, ...shown } = await make(ada, { label: "CI", scopes: ["read"], ttlMs: 3600000 });
    assert.match(key, /^my_app_[0-9a-f]{16}\.[A-Za-z0-9_-]{32}$/);
    assert.deepEqual(Object.keys(shown), ["id", "label", "userId", "scopes", "createdAt", "lastUsedAt", "expiresAt"]);
    assert.deepEqual([shown.id, shown.label, shown.userId, shown.scopes, shown.lastUsedAt], [key.slice(7, 23), "CI", "u1", ["read"], null]);
    const answer = await project.get("/api/auth/me", withKey(key));
    assert.equal(answer.json.user.id, "u1");
    assert.equal(answer.json.expiresAt, shown.expiresAt);
    assert.equal(answer.headers["set-cookie"], undefined);
    const notes = await project.get("/api/notes", withKey(key));
    assert.deepEqual(notes.json.items.map(({ text }) => text), ["of Ada", "of Ada too"]);
    assert.equal((await project.post("/api/notes", { userId: "u1", text: "by key" }, withKey(key))).status, 201);
    assert.equal((await project.post("/api/notes", { userId: "u2", text: "by key" }, withKey(key))).status, 403);

    const list = await ada.get("/api/auth/api-keys");
    assert.equal(list.headers["cache-control"], "no-store");
    const listed = list.json.keys.find(({ id }) => id === shown.id);
    assert.match(listed.lastUsedAt, /^\d{4}-/);
    assert.deepEqual({ ...listed, lastUsedAt: null }, shown);
    assert.ok(!list.text.includes(key.split(".")[1]) && !list.text.includes("scrypt"));
  });

  test("whatever is not quite a key is anonymous, never an error", async () => {
    const { key, id } = await make(ada);
    const [head, secret] = key.split(".");
    for (const text of [changed(key), `${head}.`, head, `.${secret}`, `${id}.${secret}`, `other_${id}.${secret}`, `${key} x`, "x", "..", "all.x",
      `my_app_${"0".repeat(16)}.${secret}`, key.toUpperCase(), key.repeat(50)]) {
      assert.equal(await me(text), anonymous, text);
      assert.equal((await project.get("/api/notes", withKey(text))).status, 401);
    }
    assert.equal((await project.get("/api/auth/me", { Authorization: `Bearer ${key}` })).text, anonymous);
    assert.notEqual(await me(key), anonymous);
  });

  test("a rotated key has a new id and text, and the old one ends at once", async () => {
    const old = await make(ada, { label: "CI", scopes: ["a", "b"], expiresAt: "2090-01-02T03:04:05Z" });
    assert.notEqual(await me(old.key), anonymous);
    const answer = await ada.post(`/api/auth/api-keys/${old.id}/rotate`, {});
    assert.equal(answer.status, 201);
    const { key, id, createdAt, ...inherited } = answer.json;
    assert.deepEqual(inherited, { label: "CI", userId: "u1", scopes: ["a", "b"], lastUsedAt: null, expiresAt: "2090-01-02T03:04:05.000Z" });
    assert.notEqual(id, old.id);
    assert.ok(createdAt >= old.createdAt);
    assert.equal(await me(old.key), anonymous);
    assert.notEqual(await me(key), anonymous);
    isProblem(await ada.post(`/api/auth/api-keys/${old.id}/rotate`), 404, "not-found", "API key not found");
  });

  test("of parallel rotations one wins, and no key is left over", async () => {
    const { id } = await make(grace);
    const answers = await Promise.all(Array.from({ length: 6 }, () => grace.post(`/api/auth/api-keys/${id}/rotate`)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 404, 404, 404, 404, 404]);
    const won = answers.find(({ status }) => status === 201).json;
    assert.deepEqual((await grace.get("/api/auth/api-keys")).json.keys.map((key) => key.id), [won.id]);
    assert.notEqual(await me(won.key), anonymous);
  });

  test("a revoked key ends at once; foreign ids are not found", async () => {
    const { key, id } = await make(ada);
    assert.notEqual(await me(key), anonymous);
    isProblem(await grace.delete(`/api/auth/api-keys/${id}`), 404, "not-found", "API key not found");
    isProblem(await grace.post(`/api/auth/api-keys/${id}/rotate`), 404, "not-found", "API key not found");
    assert.notEqual(await me(key), anonymous);
    const answer = await ada.delete(`/api/auth/api-keys/${id}`);
    assert.deepEqual([answer.status, answer.text, answer.type], [204, "", undefined]);
    assert.equal(await me(key), anonymous);
    assert.equal((await project.get("/api/notes", withKey(key))).status, 401);
    assert.equal((await ada.delete(`/api/auth/api-keys/${id}`)).status, 404);
  });

  test("a key cannot manage keys or sessions, with or without a cookie beside it", async () => {
    const { key, id } = await make(ada);
    for (const who of [project, ada])
      for (const [method, target] of [["GET", "/api-keys"], ["POST", "/api-keys"], ["POST", `/api-keys/${id}/rotate`], ["DELETE", `/api-keys/${id}`],
        ["GET", "/sessions"], ["DELETE", "/sessions"], ["POST", "/logout-all"]])
        isProblem(await who.call(method, `/api/auth${target}`, undefined, withKey(key)), 403, "forbidden", "An API key cannot do this; sign in");
    isProblem(await project.get("/api/auth/api-keys"), 401, "unauthorized", "Authentication required");
    assert.equal((await ada.get("/api/auth/me")).json.user.id, "u1");
  });

  test("bodies that ask for what cannot be are refused by field", async () => {
    for (const [body, field] of [[{ label: 1 }, "label"], [{ label: "x".repeat(201) }, "label"], [{ scopes: ["a", 1] }, "scopes"],
      [{ scopes: Array(101).fill("a") }, "scopes"], [{ ttlMs: "1" }, "ttlMs"], [{ ttlMs: 0 }, "ttlMs"], [{ expiresAt: "x" }, "expiresAt"],
      [{ expiresAt: "2001-01-01" }, "expiresAt"]]) {
      const answer = await ada.post("/api/auth/api-keys", body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.deepEqual(answer.json.errors.map((error) => error.field), [field]);
    }
  });
});

test("another process takes fresh keys, eight at once, and notices within a second what ends", async () => {
  const here = await startAccounts({ auth: options });
  const there = await openProject(here.directory);
  const ada = await loggedIn(here);
  const asked = async (key) => (await there.get("/api/notes", withKey(key))).status;

  const parallel = await make(ada);
  assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => asked(parallel.key))), Array(8).fill(200));
  assert.equal(here.sql("SELECT count(*) AS n FROM auth_api_keys WHERE lastUsedAt IS NOT NULL")[0].n, 1);

  for (const end of [({ id }) => ada.delete(`/api/auth/api-keys/${id}`), ({ id }) => ada.post(`/api/auth/api-keys/${id}/rotate`),
    ({ id }) => here.sql(`UPDATE auth_api_keys SET expiresAt=1 WHERE id='${id}'`),
    ({ id }) => here.sql(`UPDATE auth_api_keys SET revokedAt=1 WHERE id='${id}'`)]) {
    const made = await make(ada);
    assert.equal(await asked(made.key), 200);
    await end(made);
    const ms = await until(401, () => asked(made.key));
    assert.ok(ms < 1000, `still good after ${ms} ms`);
  }
  const orphan = await make(ada);
  assert.equal(await asked(orphan.key), 200);
  here.sql("DELETE FROM users WHERE id='u1'");
  assert.ok(await until(401, () => asked(orphan.key)) < 1000);
  await there.stop();
  await here.stop();
});

test("keys survive a restart; a store that forgets them is refused", async () => {
  const project = await startAccounts({ auth: options });
  const { key } = await make(await loggedIn(project));
  await project.stop();
  const again = await openProject(project.directory);
  assert.equal((await again.get("/api/notes", withKey(key))).status, 200);
  await again.stop();
  await assert.rejects(startAccounts({ auth: { ...options, session: { store: "kv" } } }), /auth\.apiKeys: keys must outlive the server/);
});

test("a user who is deleted through the API takes the keys along at once", async () => {
  const everything = { public: { read: true, delete: true } };
  const project = await startAccounts({ auth: options, resources: { notes: { auth: ownNotes.auth }, users: { auth: everything } } });
  const { key } = await make(await loggedIn(project, "grace@example.com", "secret-u2"));
  assert.equal((await project.get("/api/notes", withKey(key))).status, 200);
  assert.equal((await project.delete("/api/users/u2", { })).status, 204);
  assert.equal((await project.get("/api/notes", withKey(key))).status, 401);
  await project.stop();
});

test("scopes see what a key is for", async () => {
  const tagged = { auth: { read: "text=in={user.metadata.apiKeyScopes}" } };
  const project = await startAccounts({ auth: options, resources: { notes: tagged } });
  const ada = await loggedIn(project);
  const { key } = await make(ada, { scopes: ["of Grace", "of nobody"] });
  assert.deepEqual((await project.get("/api/notes", withKey(key))).json.items.map(({ text }) => text), ["of Grace"]);
  await project.stop();
});

test("guessing is throttled by address; keys in use and everybody else go on", async () => {
  const project = await startAccounts({ auth: { ...options, throttle: { maxAttempts: 3 } }, more: { app: { trustedProxies: ["127.0.0.1"] } } });
  const from = (address, key) => project.get("/api/auth/me", { ...withKey(key), "X-Forwarded-For": address });
  const ada = await loggedIn(project);
  const used = await make(ada), fresh = await make(ada);
  assert.equal((await from("198.51.100.1", used.key)).json.user.id, "u1");
  for (let i = 0; i < 6; i++) {
    const answer = await from("198.51.100.1", `my_app_${String(i).repeat(16)}.x`);
    assert.deepEqual([answer.status, answer.text, answer.headers["retry-after"]], [200, anonymous, undefined]);
  }
  assert.equal((await from("198.51.100.1", fresh.key)).text, anonymous);
  assert.equal((await from("198.51.100.1", used.key)).json.user.id, "u1");
  assert.equal((await from("198.51.100.2", fresh.key)).json.user.id, "u1");
  assert.equal((await ada.get("/api/auth/me")).json.user.id, "u1");
  await project.stop();
});

/* Were keys hashed on the one event loop, hardly more than one other answer would fit between two of them. */
test("a server that hashes keys goes on answering others", async () => {
  const keys = 8;
  const project = await startAccounts({ auth: { ...options, scrypt: { N: 65536 } }, more: { server: { threads: 1, poolThreads: 2 } } });
  let open = keys, others = 0;
  const hashed = Promise.all(Array.from({ length: keys }, async (_, i) => {
    const answer = await project.get("/api/auth/me", withKey(`my_app_${String(i).repeat(16)}.x`));
    open--;
    assert.equal(answer.text, anonymous);
  }));
  while (open > 0) {
    assert.equal((await project.get("/healthz")).status, 200);
    if (open > 0) others++;
  }
  await hashed;
  assert.ok(others > 3 * keys, `${others} answers while ${keys} keys were hashed`);
  await project.stop();
});
