// SPDX-License-Identifier: MIT
// Login, logout, me, signup with cookie sessions, in either store (spec/06 sections 3 and 5, cases 1 to 25).
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, describe, test } from "node:test";
import { openProject } from "./support.mjs";
import { Person, cookiesOf, hash, loggedIn, startAccounts } from "./accounts.mjs";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

for (const store of ["database", "kv"]) {
  describe(`cookie sessions in the ${store}`, () => {
    let project;
    before(async () => { project = await startAccounts({ auth: { session: { store }, throttle: { maxAttempts: 1000 } } }); });
    after(() => project.stop());

    test("a login answers with user and session, and sets one cookie", async () => {
      const answer = await new Person(project).login("ada@example.com", "secret-u1");
      assert.equal(answer.status, 200);
      assert.deepEqual(Object.keys(answer.json), ["user", "sessionId"]);
      assert.deepEqual(answer.json.user, { id: "u1", email: "ada@example.com", name: "Ada", image: null });
      assert.match(answer.json.sessionId, uuid);
      assert.equal(answer.headers["set-cookie"].length, 1);
      assert.match(answer.headers["set-cookie"][0],
        new RegExp(`^session=${answer.json.sessionId}; Path=/; Expires=\\w{3}, \\d{2} \\w{3} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT; HttpOnly; SameSite=Lax$`));
      assert.equal(answer.headers["cache-control"], "no-store");
    });

    test("wrong credentials are all the same to the client", async () => {
      const nobody = new Person(project);
      const answers = [await nobody.login("ada@example.com", "wrong"), await nobody.login("who@example.com", "wrong"),
        await nobody.login("nobody@example.com", "x")];
      for (const answer of answers) {
        assert.equal(answer.status, 401);
        assert.deepEqual(answer.json, { type: "/__covara/problems/unauthorized", title: "Unauthorized", status: 401,
          detail: "Invalid email or password", code: "UNAUTHORIZED" });
        assert.equal(answer.headers["set-cookie"], undefined);
      }
    });

    test("what is missing, or of another kind, is 400", async () => {
      const wanted = "Email and password are required";
      for (const body of [undefined, "{}", "[]", "null", "1", { email: "a" }, { email: 7, password: "x" }, { email: "a", password: "" },
        { email: ["a"], password: "x" }, { email: null, password: {} }]) {
        const answer = await project.post("/api/auth/login", body);
        assert.equal(answer.status, 400, JSON.stringify(body));
        assert.equal(answer.json.detail, wanted);
      }
      for (const body of ["{", "x", "{\"email\":}"])
        assert.equal((await project.post("/api/auth/login", body)).json.detail, "Request body is not valid JSON");
    });

    test("me: null without a session, the user with one, never an error", async () => {
      assert.deepEqual((await project.get("/api/auth/me")).json, { user: null });
      for (const cookie of ["session=", "session=nonsense", "session=%00", `session=${crypto.randomUUID()}`, "session=refresh:x", "other=1"])
        assert.equal((await project.get("/api/auth/me", { Cookie: cookie })).text, '{"user":null}');
      const ada = await loggedIn(project);
      const answer = await ada.get("/api/auth/me");
      assert.deepEqual(answer.json.user, { id: "u1", email: "ada@example.com", name: "Ada", image: null });
      assert.match(answer.json.expiresAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(Math.abs(new Date(answer.json.expiresAt) - Date.now() - 86400000) < 60000);
    });

    test("scopes follow the user", async () => {
      const ada = await loggedIn(project), grace = await loggedIn(project, "grace@example.com", "secret-u2");
      assert.deepEqual((await ada.get("/api/notes?select=text")).json.items.map((note) => note.text), ["of Ada", "of Ada too"]);
      assert.deepEqual((await grace.get("/api/notes?select=text")).json.items.map((note) => note.text), ["of Grace"]);
      assert.equal((await project.get("/api/notes")).status, 401);
      assert.equal((await grace.get("/api/notes/1")).status, 404);
      assert.equal((await grace.post("/api/notes", { userId: "u1", text: "x" })).status, 403);
      assert.equal((await ada.patch("/api/notes/1", { userId: "u2" })).status, 403);
    });

    test("a login ends the session that it came with, and its id is new", async () => {
      const ada = await loggedIn(project);
      const old = ada.jar.get("session");
      await ada.login("grace@example.com", "secret-u2");
      assert.notEqual(ada.jar.get("session"), old);
      assert.equal((await project.get("/api/auth/me", { Cookie: `session=${old}` })).text, '{"user":null}');
      assert.equal((await ada.get("/api/auth/me")).json.user.id, "u2");
    });

    test("an id that a client made up is never taken over", async () => {
      const fixed = crypto.randomUUID();
      const victim = new Person(project);
      victim.jar.set("session", fixed);
      await victim.login("ada@example.com", "secret-u1");
      assert.notEqual(victim.jar.get("session"), fixed);
      assert.equal((await project.get("/api/notes", { Cookie: `session=${fixed}` })).status, 401);
    });

    test("a logout ends the session at once, and once more does no harm", async () => {
      const ada = await loggedIn(project);
      const cookie = `session=${ada.jar.get("session")}`;
      assert.equal((await project.get("/api/notes", { Cookie: cookie })).status, 200);
      const answer = await ada.post("/api/auth/logout");
      assert.deepEqual([answer.status, answer.text], [200, '{"success":true}']);
      assert.deepEqual(answer.headers["set-cookie"], ["session=; Max-Age=0; Path=/"]);
      assert.equal((await project.get("/api/notes", { Cookie: cookie })).status, 401);
      assert.equal((await ada.post("/api/auth/logout")).text, '{"success":true}');
      assert.equal((await project.post("/api/auth/logout", "not json", { Cookie: cookie })).status, 400);
    });

    test("a user who is deleted is nobody at once", async () => {
      project.sql(`INSERT INTO users (id, email, password_hash) VALUES ('u9', 'gone@example.com', '${hash("pw")}')`);
      const gone = await loggedIn(project, "gone@example.com", "pw");
      assert.equal((await gone.get("/api/auth/me")).json.user.id, "u9");
      project.sql("DELETE FROM users WHERE id='u9'");
      const deadline = Date.now() + 2000;
      while ((await gone.get("/api/auth/me")).json.user !== null) assert.ok(Date.now() < deadline, "still there after 2 s");
    });

    test("the same e-mail address is the same account; case and spaces are not", async () => {
      assert.equal((await new Person(project).login("ADA@example.com", "secret-u1")).status, 401);
      assert.equal((await new Person(project).login(" ada@example.com", "secret-u1")).status, 401);
    });

    test("account routes know their methods", async () => {
      for (const [method, path] of [["GET", "login"], ["POST", "me"], ["GET", "logout"], ["PUT", "signup"], ["POST", "refreshX"], ["GET", ""]])
        assert.equal((await project.call(method, `/api/auth/${path}`)).json.detail, `Route ${method} /api/auth/${path} not found`);
      assert.equal((await project.call("HEAD", "/api/auth/me")).status, 200);
    });

    test("a signup makes an account, and its session", async () => {
      const person = new Person(project);
      const answer = await person.post("/api/auth/signup", { email: `new-${store}@example.com`, password: "long enough", name: "New" });
      assert.equal(answer.status, 200);
      assert.deepEqual(Object.keys(answer.json), ["user", "sessionId"]);
      assert.deepEqual(Object.keys(answer.json.user), ["id", "email", "name"]);
      assert.match(answer.json.user.id, uuid);
      assert.equal((await person.get("/api/auth/me")).json.user.name, "New");
      assert.equal((await person.login(`new-${store}@example.com`, "long enough")).status, 200);
      const again = await new Person(project).post("/api/auth/signup", { email: `new-${store}@example.com`, password: "other one" });
      assert.deepEqual([again.status, again.json.code], [409, "CONFLICT"]);
      assert.equal(again.headers["set-cookie"], undefined);
      const [row] = project.sql(`SELECT password_hash, role FROM users WHERE email='new-${store}@example.com'`);
      assert.match(row.password_hash, /^scrypt\$N=1024,r=8,p=1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{86}==$/);
      assert.equal(row.role, "member");
    });

    test("a signup takes nothing but address, password and name (mass assignment)", async () => {
      const email = `mass-${store}@example.com`;
      const answer = await project.post("/api/auth/signup", { id: "u1", email, password: "long enough", role: "admin", metadata: { org: "o1" },
        password_hash: "x", emailVerified: "2020-01-01T00:00:00Z" });
      assert.equal(answer.status, 200);
      const [row] = project.sql(`SELECT id, role, metadata, email_verified FROM users WHERE email='${email}'`);
      assert.notEqual(row.id, "u1");
      assert.deepEqual([row.role, row.metadata, row.email_verified], ["member", null, null]);
    });

    test("addresses that are none are refused", async () => {
      for (const email of ["q", "@x", "a@", "a@b@c", "a b@c.d", "a@b\r\nBcc: c@d.e", "<a@b.c>", "a@b.c,d@e.f", `${"a".repeat(300)}@b.c`])
        assert.equal((await project.post("/api/auth/signup", { email, password: "long enough" })).json.detail, "Invalid email format", email);
    });
  });
}

describe("what is stored", () => {
  test("in the database: the documented table, in whole seconds, with address and browser; and it survives a restart", async () => {
    const project = await startAccounts();
    const ada = new Person(project, { "User-Agent": "UA/1" });
    const { json } = await ada.login("ada@example.com", "secret-u1");
    const [row] = project.sql("SELECT id, userId, createdAt, expiresAt, data FROM auth_sessions");
    assert.equal(row.id, json.sessionId);
    assert.equal(row.userId, "u1");
    assert.equal(row.expiresAt - row.createdAt, 86400);
    assert.deepEqual(JSON.parse(row.data), { ipAddress: "127.0.0.1", userAgent: "UA/1" });
    await ada.get("/api/auth/me");
    await project.stop();
    const data = JSON.parse(project.sql("SELECT data FROM auth_sessions")[0].data);
    assert.deepEqual(Object.keys(data), ["ipAddress", "userAgent", "lastActiveAt"]);

    const again = await openProject(project.directory);
    ada.project = again;
    assert.equal((await ada.get("/api/auth/me")).json.user.id, "u1");
    again.sql("UPDATE auth_sessions SET expiresAt = 1");
    const deadline = Date.now() + 3000;
    while ((await ada.get("/api/auth/me")).json.user !== null) assert.ok(Date.now() < deadline, "an expired session still counts");
    await again.stop();
  });

  test("a session that another process revokes ends within a second", async () => {
    const project = await startAccounts();
    const ada = await loggedIn(project);
    assert.equal((await ada.get("/api/notes")).status, 200);
    project.sql("DELETE FROM auth_sessions");
    const revoked = Date.now();
    let last = revoked;
    while ((await ada.get("/api/notes")).status === 200) {
      last = Date.now();
      assert.ok(last - revoked < 10000, "never noticed");
    }
    assert.ok(last - revoked < 1000, `still good after ${last - revoked} ms`);
    await project.stop();
  });

  test("a user's metadata and chosen columns reach scopes, and follow changes through the API at once", async () => {
    const resources = {
      users: { auth: { public: { read: true, update: true } }, fields: { readable: ["id", "role"] } },
      notes: { auth: { read: "userId=={user.id},text=={user.metadata.role}", create: "*" } },
    };
    const project = await startAccounts({ resources });
    project.sql("INSERT INTO notes (user_id, text) VALUES ('u2', 'admin')");
    const ada = await loggedIn(project);
    const texts = async () => (await ada.get("/api/notes?orderBy=id")).json.items.map((note) => note.text);
    assert.deepEqual(await texts(), ["of Ada", "of Ada too", "admin"]);
    assert.equal((await project.patch("/api/users/u1", { role: "member" })).status, 200);
    assert.deepEqual(await texts(), ["of Ada", "of Ada too"]);
    await project.stop();
  });

  test("hashes of the reference work, and weak ones are renewed", async () => {
    const known = "scrypt$N=16384,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbViM+ewsk8HvJNAGV8ZyQodp1YlFO0HYqba48J/9bB9Yg==";
    const project = await startAccounts({ auth: { scrypt: {} } });
    project.sql(`UPDATE users SET password_hash='${known}' WHERE id='u1'`);
    await loggedIn(project, "ada@example.com", "correct horse");
    assert.equal(project.sql("SELECT password_hash FROM users WHERE id='u1'")[0].password_hash, known);
    await loggedIn(project, "grace@example.com", "secret-u2"); // N=1024
    assert.match(project.sql("SELECT password_hash FROM users WHERE id='u2'")[0].password_hash, /^scrypt\$N=16384,r=8,p=1\$/);
    await loggedIn(project, "grace@example.com", "secret-u2");
    project.sql("UPDATE users SET password_hash='scrypt$N=1048576,r=8,p=1$AAECAwQFBgcICQoLDA0ODw==$AA==' WHERE id='u2'");
    assert.equal((await new Person(project).login("grace@example.com", "x")).status, 401);
    await project.stop();
  });
});

describe("cookies", () => {
  test("production makes them Secure; options say the rest", async () => {
    const project = await startAccounts({ env: { NODE_ENV: "production" }, auth: { session: { cookieName: "sid",
      cookieOptions: { sameSite: "strict", domain: "example.com", path: "/api", maxAge: 60, partitioned: true, priority: "High" } } } });
    const ada = new Person(project);
    const answer = await ada.login("ada@example.com", "secret-u1");
    assert.match(cookiesOf(answer).sid.text,
      /^sid=[0-9a-f-]{36}; Max-Age=60; Domain=example\.com; Path=\/api; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict; Priority=High; Partitioned$/);
    const out = await ada.post("/api/auth/logout");
    assert.match(cookiesOf(out).sid.text, /^sid=; Max-Age=0; Domain=example\.com; Path=\/api/);
    await project.stop();
  });

  test("a sliding session moves its end, and tells the browser", async () => {
    const project = await startAccounts({ auth: { session: { sliding: true, ttlMs: 3600000 } } });
    const ada = await loggedIn(project);
    project.sql("UPDATE auth_sessions SET expiresAt = expiresAt - 1800, data = NULL"); // used half an hour ago
    const deadline = Date.now() + 3000;
    let answer;
    do {
      answer = await ada.get("/api/notes");
      assert.ok(Date.now() < deadline, "no new cookie");
    } while (!answer.headers["set-cookie"]);
    assert.match(answer.headers["set-cookie"][0], /^session=[0-9a-f-]{36}; Path=\/; Expires=/);
    let [row] = project.sql("SELECT createdAt, expiresAt FROM auth_sessions");
    while (row.expiresAt - row.createdAt < 3600) {
      assert.ok(Date.now() < deadline + 3000, "the end did not move");
      [row] = project.sql("SELECT createdAt, expiresAt FROM auth_sessions");
    }
    await project.stop();
  });
});

describe("passwords", () => {
  test("the policy names all that is wrong, in order", async () => {
    const project = await startAccounts({ auth: { passwordPolicy: { minLength: 10, requireNumber: true } } });
    const answer = await project.post("/api/auth/signup", { email: "q@example.com", password: "abc" });
    assert.equal(answer.status, 400);
    assert.equal(answer.json.detail, "Password does not meet requirements");
    assert.deepEqual(answer.json.errors, [
      { field: "password", message: "Password must be at least 10 characters long" },
      { field: "password", message: "Password must contain a number" }]);
    await project.stop();
  });
});
