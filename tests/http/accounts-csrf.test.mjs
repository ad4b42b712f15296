// SPDX-License-Identifier: MIT
// Requests that another site makes with a user's cookie (spec/06 section 7, cases 26 to 29).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Person, loggedIn, startAccounts } from "./accounts.mjs";

const refused = (answer) => assert.deepEqual([answer.status, answer.json.code, answer.json.detail],
  [403, "FORBIDDEN", "CSRF token validation failed"]);
const body = { email: "ada@example.com", password: "secret-u1" };

test("mode origin: other sites are refused, on resources too; the page itself, listed pages and programs are not", async () => {
  const project = await startAccounts({ auth: { csrf: true }, more: { app: { cors: { origin: ["https://app.example.com"], credentials: true } } } });
  const own = `http://${project.hostname}:${project.port}`;
  const evil = [{ Origin: "https://evil.example.com" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" },
    { Origin: "https://evil.example.com", "Sec-Fetch-Site": "cross-site" }, { Origin: `${own}.evil.com` }, { Origin: `https://${project.hostname}:${project.port}` },
    { Origin: "https://app.example.com.evil.com" }];
  for (const headers of evil) refused(await new Person(project, headers).post("/api/auth/login", body));
  for (const headers of [{}, { Origin: own }, { Origin: "https://app.example.com" }, { "Sec-Fetch-Site": "same-origin" }, { "Sec-Fetch-Site": "none" },
    { Origin: "https://app.example.com", "Sec-Fetch-Site": "cross-site" }])
    assert.equal((await new Person(project, headers).post("/api/auth/login", body)).status, 200, JSON.stringify(headers));

  const ada = await loggedIn(project);
  const note = { userId: "u1", text: "x" };
  for (const headers of evil) {
    refused(await ada.post("/api/notes", note, headers));
    refused(await ada.delete("/api/notes/1", headers));
    refused(await ada.post("/api/auth/logout", undefined, headers));
  }
  assert.equal((await ada.get("/api/notes", evil[0])).status, 200, "reading changes nothing, and CORS keeps the answer from the page");
  assert.equal((await ada.post("/api/notes", note, { Origin: own })).status, 201);
  assert.equal((await ada.post("/api/notes", note)).status, 201);
  assert.equal((await ada.get("/api/notes/1")).status, 200, "nothing was deleted");
  await project.stop();
});

test("mode token: cookie and header must be equal; Authorization needs neither", async () => {
  const project = await startAccounts({ auth: { csrf: { mode: "token" } } });
  const person = new Person(project);
  const first = await person.get("/api/auth/me");
  assert.match(first.headers["set-cookie"][0], /^csrf_token=[A-Za-z0-9_-]{43}; Path=\/; SameSite=Lax$/);
  const csrf = person.jar.get("csrf_token");
  assert.equal((await person.get("/api/auth/me")).headers["set-cookie"], undefined, "once is enough");
  refused(await person.post("/api/auth/login", body));
  refused(await person.post("/api/auth/login", body, { "X-CSRF-Token": `${csrf.slice(0, -1)}${csrf.endsWith("A") ? "B" : "A"}` }));
  refused(await project.post("/api/auth/login", body, { "X-CSRF-Token": csrf }));
  refused(await project.post("/api/auth/login", body, { "X-CSRF-Token": "", Cookie: "csrf_token=" }));
  const answer = await person.post("/api/auth/login", body, { "X-CSRF-Token": csrf });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["set-cookie"].length, 2);
  assert.notEqual(person.jar.get("csrf_token"), csrf);
  refused(await person.post("/api/auth/logout", undefined, { "X-CSRF-Token": csrf }));
  assert.equal((await project.post("/api/auth/login", body, { Authorization: "Bearer x" })).status, 200);
  await project.stop();
});
