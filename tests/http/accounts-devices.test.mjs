// SPDX-License-Identifier: MIT
// Where a user is signed in, and ending that, in either store: /sessions and /logout-all.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, describe, test } from "node:test";
import { isProblem, openProject } from "./support.mjs";
import { Person, cookiesOf, loggedIn, startAccounts } from "./accounts.mjs";

const handle = (id) => crypto.createHash("sha256").update(id).digest("hex").slice(0, 16);
const sessions = async (person) => (await person.get("/api/auth/sessions")).json.sessions;
const isIn = async (person) => (await person.get("/api/auth/me")).json.user !== null;

async function from(project, agent, credentials = ["ada@example.com", "secret-u1"]) {
  const person = new Person(project, { "User-Agent": agent });
  assert.equal((await person.login(...credentials)).status, 200);
  return person;
}

for (const store of ["database", "kv"]) {
  describe(`sessions in the ${store}`, () => {
    let project;
    before(async () => { project = await startAccounts({ auth: { session: { store } } }); });
    after(() => project.stop());

    test("each is told apart, and none of their ids is shown", async () => {
      const laptop = await from(project, "laptop"), phone = await from(project, "phone");
      const answer = await laptop.get("/api/auth/sessions");
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["cache-control"], "no-store");
      const list = answer.json.sessions.filter(({ userAgent }) => ["laptop", "phone"].includes(userAgent));
      assert.deepEqual(list.map(({ userAgent, current }) => [userAgent, current]).sort(), [["laptop", true], ["phone", false]]);
      for (const session of list)
        assert.deepEqual(Object.keys(session), ["id", "createdAt", "expiresAt", "lastActiveAt", "ipAddress", "userAgent", "current"]);
      assert.deepEqual(list.map(({ ipAddress }) => ipAddress), ["127.0.0.1", "127.0.0.1"]);
      for (const person of [laptop, phone]) {
        assert.ok(!answer.text.includes(person.jar.get("session")));
        assert.ok(list.some(({ id }) => id === handle(person.jar.get("session"))));
      }
      isProblem(await project.get("/api/auth/sessions"), 401, "unauthorized", "Authentication required");
    });

    test("one ends at once, and only its owner ends it", async () => {
      const laptop = await from(project, "laptop"), phone = await from(project, "phone");
      const grace = await loggedIn(project, "grace@example.com", "secret-u2");
      const target = `/api/auth/sessions/${handle(phone.jar.get("session"))}`;
      assert.ok(await isIn(phone));
      isProblem(await grace.delete(target), 404, "not-found", "Session not found");
      assert.ok(await isIn(phone));
      const answer = await laptop.delete(target);
      assert.deepEqual([answer.status, answer.text, answer.headers["set-cookie"]], [204, "", undefined]);
      assert.ok(!(await isIn(phone)));
      assert.ok(await isIn(laptop));
      isProblem(await laptop.delete(target), 404, "not-found", "Session not found");
      for (const id of ["x", laptop.jar.get("session"), "%00", "..", `${handle(laptop.jar.get("session"))}x`])
        assert.equal((await laptop.delete(`/api/auth/sessions/${id}`)).status, 404, id);
    });

    test("the current one takes its cookie along", async () => {
      const person = await from(project, "tablet");
      const id = person.jar.get("session");
      const answer = await person.delete(`/api/auth/sessions/${handle(id)}`);
      assert.equal(answer.status, 204);
      assert.match(cookiesOf(answer).session.text, /^session=; Max-Age=0; Path=\//);
      assert.equal((await project.get("/api/auth/me", { Cookie: `session=${id}` })).text, '{"user":null}');
    });

    test("all others, then all of them", async () => {
      const here = await from(project, "here");
      const others = [await from(project, "a"), await from(project, "b")];
      const grace = await loggedIn(project, "grace@example.com", "secret-u2");
      for (const person of others) assert.ok(await isIn(person));
      assert.equal((await here.delete("/api/auth/sessions")).status, 204);
      for (const person of others) assert.ok(!(await isIn(person)));
      assert.deepEqual((await sessions(here)).map(({ userAgent }) => userAgent), ["here"]);
      const there = await from(project, "there");
      const id = here.jar.get("session");
      const answer = await here.post("/api/auth/logout-all");
      assert.equal(answer.text, '{"success":true}');
      assert.match(cookiesOf(answer).session.text, /^session=; Max-Age=0; Path=\//);
      assert.ok(!(await isIn(there)));
      assert.equal((await project.get("/api/auth/me", { Cookie: `session=${id}` })).text, '{"user":null}');
      assert.ok(await isIn(grace));
    });
  });
}

test("another process notices within a second", async () => {
  const here = await startAccounts();
  const there = await openProject(here.directory);
  const laptop = await from(here, "laptop"), phone = await from(here, "phone");
  phone.project = there;
  assert.ok(await isIn(phone));
  assert.equal((await laptop.delete("/api/auth/sessions")).status, 204);
  const start = Date.now();
  let last = start;
  while (await isIn(phone)) {
    last = Date.now();
    assert.ok(last - start < 10000, "never noticed");
  }
  assert.ok(last - start < 1000, `still good after ${last - start} ms`);
  await there.stop();
  await here.stop();
});

test("with csrf, another site cannot end sessions", async () => {
  const project = await startAccounts({ auth: { csrf: true } });
  const ada = await from(project, "laptop");
  const evil = { Origin: "https://evil.example" };
  assert.equal((await ada.delete("/api/auth/sessions", evil)).status, 403);
  assert.equal((await ada.post("/api/auth/logout-all", undefined, evil)).status, 403);
  assert.ok(await isIn(ada));
  await project.stop();
});

test("with tokens, sessions are refresh tokens", async () => {
  const project = await startAccounts({ auth: { session: { type: "jwt", secret: "0123456789abcdef0123456789abcdef" } } });
  const client = async (agent) => {
    const person = new Person(project, { "User-Agent": agent });
    const { accessToken } = (await person.login("ada@example.com", "secret-u1")).json;
    person.headers = { ...person.headers, Authorization: `Bearer ${accessToken}` };
    return person;
  };
  const laptop = await client("laptop"), phone = await client("phone");
  const list = await sessions(laptop);
  assert.deepEqual(list.map(({ userAgent, current }) => [userAgent, current]).sort(), [["laptop", true], ["phone", false]]);
  const { id } = list.find(({ userAgent }) => userAgent === "phone");
  assert.equal((await laptop.delete(`/api/auth/sessions/${id}`)).status, 204);
  assert.equal((await phone.post("/api/auth/refresh")).json.error.code, "TOKEN_REVOKED");
  assert.equal((await laptop.post("/api/auth/refresh")).status, 200);
  const again = await client("phone");
  const answer = await laptop.post("/api/auth/logout-all");
  assert.match(cookiesOf(answer).refreshToken.text, /^refreshToken=; Max-Age=0; Path=\//);
  assert.equal((await again.post("/api/auth/refresh")).json.error.code, "TOKEN_REVOKED");
  await project.stop();
});
