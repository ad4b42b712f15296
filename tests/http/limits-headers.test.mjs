// SPDX-License-Identifier: MIT
// Headers that go around every answer: versions, CORS, and what clients put into headers (spec/07 sections 2, 7 and 8,
// cases 38, 39, 43 to 48).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Person, cookiesOf, loggedIn, startAccounts } from "./accounts.mjs";
import { everyone, isNoRoute, isProblem, startProject } from "./support.mjs";

const schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE); CREATE TABLE old (id INTEGER PRIMARY KEY);";
const start = (config, { notes, env } = {}) => startProject({ schema, config: { resources: { notes: { auth: everyone, etag: {}, ...notes }, old: { auth: everyone } }, ...config }, env });
const note = { text: "x" };

/* One answer of each kind, by what it is. */
async function everyAnswer(project) {
  const raw = project.connect();
  const answers = {
    list: await project.get("/api/notes"), created: await project.post("/api/notes", note), head: await project.call("HEAD", "/api/notes"),
    conflict: await project.post("/api/notes", note), invalid: await project.post("/api/notes", {}), broken: await project.post("/api/notes", "{"),
    filter: await project.get("/api/notes?filter=((("), missing: await project.get("/api/notes/9"), precondition: await project.patch("/api/notes/1", { text: "y" }, { "If-Match": "\"no\"" }),
    unchanged: await project.get("/api/notes/1", { "If-None-Match": "*" }), nowhere: await project.get("/nowhere"), options: await project.call("OPTIONS", "/api/notes"),
    health: await project.get("/healthz"), ready: await project.get("/readyz"), deleted: await project.delete("/api/notes/1"), large: await project.post("/api/notes", "x".repeat(3000)),
  };
  raw.end();
  return answers;
}

test("versions and deprecations are on every answer, problems among them", async () => {
  const project = await start({ server: { maxBodyBytes: 2000 }, versioning: { currentVersion: "2.1.0", schemaVersion: "7",
    deprecations: { everything: { message: "goes away", replacement: "/v2" } } } });
  const answers = await everyAnswer(project);
  assert.deepEqual(Object.fromEntries(Object.entries(answers).map(([name, { status }]) => [name, status])), { list: 200, created: 201, head: 200, conflict: 409, invalid: 400, broken: 400,
    filter: 400, missing: 404, precondition: 412, unchanged: 304, nowhere: 404, options: 404, health: 200, ready: 200, deleted: 204, large: 413 });
  for (const [name, { headers }] of Object.entries(answers))
    assert.deepEqual([headers["x-covara-version"], headers["x-covara-schema-version"], headers["x-covara-warn"], headers.deprecation, headers.sunset],
      ["2.1.0", "7", "everything: goes away Use '/v2' instead.", "true", undefined], name);
  await project.stop();
});

test("39: a deprecation is of its paths, and the earliest end counts", async () => {
  const project = await start({ versioning: { headerName: "API-Version", deprecations: {
    old: { message: "is old", sunset: "2027-01-02", affectedPaths: ["/api/old"] }, list: { message: "ends later", sunset: "2028-02-29", affectedPaths: ["/api/o", "/api/x"] } } } });
  const { headers } = await project.get("/api/old");
  assert.deepEqual([headers.deprecation, headers.sunset, headers["api-version"], headers["x-covara-version"]], ["2027-01-02", "Sat, 02 Jan 2027 00:00:00 GMT", "1.0.0", undefined]);
  assert.equal(headers["x-covara-warn"], "old: is old Sunset: 2027-01-02; list: ends later Sunset: 2028-02-29");
  const other = (await project.get("/api/notes")).headers;
  assert.deepEqual([other.deprecation, other.sunset, other["x-covara-warn"], other["api-version"]], [undefined, undefined, undefined, "1.0.0"]);
  await project.stop();
});

test("what would break a header is refused at the start", async () => {
  for (const versioning of [{ deprecations: { "a\r\nX-Evil: 1": { message: "m" } } }, { deprecations: { a: { message: "m\r\nX-Evil: 1" } } }, { currentVersion: "1\n2" }, { headerName: "X: y" },
    { deprecations: { a: { message: "m", sunset: "2027-02-30" } } }, { minimumClientVersion: "latest" }])
    await assert.rejects(start({ versioning }), /covara\.jsonc|versioning/, JSON.stringify(versioning));
  for (const more of [{ idempotency: { headerName: "A B" } }, { abuseProtection: { captcha: { provider: "turnstile", secret: "s", tokenHeader: "A:B" } } }])
    await assert.rejects(start(more), /covara\.jsonc/, JSON.stringify(more));
});

test("38: clients that are too old are told so, everywhere", async () => {
  const project = await start({ versioning: { minimumClientVersion: "1.2.0" }, app: { cors: true } });
  const from = (version, target = "/api/notes") => project.get(target, { "X-Covara-Client-Version": version });
  const isOld = (response, version, detail) => {
    assert.deepEqual([response.status, response.json.type, response.json.detail, response.json.minVersion, response.json.clientVersion],
      [400, "/__covara/problems/unsupported-version", detail, "1.2.0", version]);
    assert.deepEqual([response.headers["x-covara-version"], response.headers["access-control-allow-origin"]], ["1.0.0", "*"]);
  };
  for (const version of ["1.2.0-beta", "1.1.9", "0.99", "1"]) {
    isOld(await from(version), version, `Client version ${version} is below minimum supported version 1.2.0. Please upgrade.`);
    isOld(await from(version, "/nowhere"), version, `Client version ${version} is below minimum supported version 1.2.0. Please upgrade.`);
  }
  for (const version of ["latest", "1.2.3.4", "-1", "1..2", "\"1.2\"", "1.2.0 "  + "x"]) isOld(await from(version), version, `Invalid version format: ${version}`);
  for (const version of ["1.2.0", "1.2", "1.10", "2", "1.2.1-rc", ""]) assert.equal((await from(version)).status, 200, version);
  assert.equal((await project.get("/api/notes")).status, 200);
  await project.stop();
});

const cors = ({ headers }) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-") || name === "vary"));

test("45: with credentials and a list, a foreign page learns nothing about who may", async () => {
  const project = await start({ app: { cors: { origin: ["https://a.example", "https://b.example"], credentials: true } } });
  for (const origin of ["https://a.example", "https://b.example"]) {
    const headers = cors(await project.get("/api/notes", { Origin: origin }));
    assert.deepEqual([headers["access-control-allow-origin"], headers["access-control-allow-credentials"], headers.vary], [origin, "true", "Origin"]);
  }
  for (const origin of ["https://evil.example", "https://a.example.evil.example", "null", "https://a.example/", "http://a.example", "*", "https://a.example, https://b.example"])
    for (const answer of [await project.get("/api/notes", { Origin: origin }), await project.get("/nowhere", { Origin: origin }),
      await project.call("OPTIONS", "/api/notes", undefined, { Origin: origin, "Access-Control-Request-Method": "POST" })]) {
      assert.equal(answer.headers["access-control-allow-origin"], undefined, origin);
      assert.equal(answer.headers.vary, "Origin");
    }
  await project.stop();
});

test("43, 44: a preflight knows no paths, and costs nothing; without CORS there is none", async () => {
  const project = await start({ app: { cors: true }, rateLimit: { maxRequests: 1 }, versioning: { minimumClientVersion: "9" } }, { notes: { pow: true } });
  for (const target of ["/nowhere", "/api/notes", "/api/notes/1/2/3", "/healthz", "/__covara/stream"])
    for (let i = 0; i < 2; i++) {
      const answer = await project.call("OPTIONS", target, undefined, { Origin: "https://x.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "covara-pow-nonce" });
      assert.deepEqual([answer.status, answer.text, answer.headers["access-control-allow-headers"]], [204, "", "covara-pow-nonce"]);
      assert.equal(answer.headers["x-frame-options"], undefined);
    }
  await project.stop();
  const without = await start({});
  isNoRoute(await without.call("OPTIONS", "/api/notes", undefined, { Origin: "https://x.example" }), "OPTIONS", "/api/notes");
  await without.stop();
});

test("a page of another origin can read the challenge, and why it must wait", async () => {
  const project = await start({ app: { cors: true }, abuseProtection: { pow: { secret: "s", difficulty: 6 } } }, { notes: { pow: true, rateLimit: { maxRequests: 1 } } });
  const challenge = await project.post("/api/notes", note, { Origin: "https://x.example" }), refused = await project.get("/api/notes");
  assert.deepEqual([challenge.status, refused.status], [428, 429]);
  for (const answer of [challenge, refused]) {
    const exposed = answer.headers["access-control-expose-headers"].split(",").map((name) => name.trim().toLowerCase());
    for (const name of ["retry-after", "etag", "covara-challenge-type", "covara-pow-challenge", "covara-pow-difficulty", "covara-pow-algorithm", "covara-captcha-provider",
      "covara-captcha-sitekey", "covara-captcha-action", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-covara-version"])
      assert.ok(exposed.includes(name), name);
    assert.equal(answer.headers["access-control-allow-origin"], "*");
  }
  await project.stop();
});

test("credentials for any origin are refused at the start", async () => {
  for (const cors of [{ credentials: true }, { credentials: true, origin: "*" }, { credentials: true, origin: ["https://a.example", "*"] }])
    await assert.rejects(start({ app: { cors } }), /credentials/);
});

test("nothing that a client sends becomes a header of its own", async () => {
  const project = await start({ app: { cors: { origin: ["https://a.example"] } }, idempotency: true, versioning: { minimumClientVersion: "1" }, abuseProtection: { pow: { secret: "s", difficulty: 6 } } });
  const any = await start({ app: { cors: true } });
  const names = ["X-Request-Id", "traceparent", "Idempotency-Key", "X-Idempotency-Key", "Origin", "Access-Control-Request-Headers", "X-Covara-Client-Version", "Covara-PoW-Challenge",
    "X-Covara-Optimistic-Id", "X-Forwarded-For", "X-Forwarded-Proto", "Cookie", "If-None-Match"];
  const values = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\0b", "a\r\n X-Evil: 1", "%0d%0aX-Evil: 1", "a\x0bX-Evil: 1", "\u010a\u010dX-Evil: 1"];
  for (const app of [project, any])
    for (const method of ["POST", "OPTIONS", "GET"])
      for (const name of names)
        for (const value of values) {
          const connection = app.connect();
          const answer = await connection.send(method, "/api/notes", method === "POST" ? JSON.stringify({}) : undefined, { [name]: value });
          connection.end();
          if (answer === null) continue;
          assert.equal(answer.headers["x-evil"], undefined, `${method} ${name}: ${JSON.stringify(value)}`);
          for (const [header, sent] of Object.entries(answer.headers)) {
            assert.doesNotMatch(sent, /[\0-\x08\x0a-\x1f\x7f]/, header);
            assert.match(header, /^[!#$%&'*+.^_`|~0-9a-z-]+$/, header);
          }
        }
  assert.equal((await project.get("/api/notes", { "X-Request-Id": "chosen-by-client" })).headers["x-request-id"], undefined, "none is echoed");
  await project.stop();
  await any.stop();
});

test("40, 41: HSTS and Secure cookies follow the proxy's word, when it is trusted", async () => {
  const hsts = "strict-transport-security";
  const look = async (trustedProxies, proto) => {
    const project = await startAccounts({ more: { app: { trustedProxies } } });
    const headers = proto ? { "X-Forwarded-Proto": proto } : {};
    const login = await new Person(project, headers).login("ada@example.com", "secret-u1");
    assert.equal(login.status, 200);
    const answers = [login, await project.get("/healthz", headers), await project.get("/nowhere", headers), await project.get("/api/notes", headers)];
    await project.stop();
    return [/; Secure/i.test(cookiesOf(login).session.text), ...answers.map((answer) => answer.headers[hsts])];
  };
  const value = "max-age=15552000; includeSubDomains", plain = [false, undefined, undefined, undefined, undefined];
  assert.deepEqual(await look(["127.0.0.0/8"], "https"), [true, value, value, value, value]);
  assert.deepEqual(await look(["127.0.0.0/8"], "http"), plain);
  assert.deepEqual(await look(["127.0.0.0/8"]), plain);
  assert.deepEqual(await look(["10.0.0.0/8"], "https"), plain);
  assert.deepEqual(await look([], "https"), plain);
});

test("chains of proxies: the first address from the right that is none of ours is the client", async () => {
  const limited = async (trustedProxies, ...requests) => {
    const project = await start({ app: { trustedProxies } }, { notes: { rateLimit: { maxRequests: 1 } } });
    const statuses = [];
    for (const headers of requests) statuses.push((await project.get("/api/notes", headers)).status);
    await project.stop();
    return statuses.map((status) => status === 200 ? "new" : "same").join(" ");
  };
  const via = (...chain) => ({ "X-Forwarded-For": chain.join(", ") });
  const ours = ["127.0.0.1", "10.0.0.0/8"];
  assert.equal(await limited([], via("1.1.1.1"), via("2.2.2.2"), { "X-Real-IP": "3.3.3.3" }, { "CF-Connecting-IP": "4.4.4.4" }), "new same same same", "nobody is trusted");
  assert.equal(await limited(["192.0.2.0/24"], via("1.1.1.1"), via("2.2.2.2")), "new same", "the peer is none of ours");
  assert.equal(await limited(ours, via("1.1.1.1"), via("2.2.2.2"), via("1.1.1.1"), {}), "new new same new");
  assert.equal(await limited(ours, via("9.9.9.9", "1.1.1.1", "10.1.1.1"), via("8.8.8.8", "1.1.1.1"), via("1.1.1.1", "10.2.2.2", "10.3.3.3")), "new same same", "what stands left of it is the client's invention");
  assert.equal(await limited(ours, via("1.1.1.1", "garbage"), via("2.2.2.2", "garbage"), {}), "new same same", "garbage is the proxy itself");
  assert.equal(await limited(ours, via("::ffff:1.1.1.1"), via("1.1.1.1:4711"), via("[2001:db8::1]:80"), via("2001:db8:0:0:ffff::2")), "new same new same", "one client, written differently; a /64 is one customer");
  assert.equal(await limited(ours, { "X-Real-IP": "1.1.1.1" }, via("1.1.1.1"), { ...via("1.1.1.1"), "X-Real-IP": "5.5.5.5" }, { ...via("1.1.1.1"), "CF-Connecting-IP": "6.6.6.6" }), "new same same new");
});

test("47, 48: malformed JSON, and a route that is none", async () => {
  const project = await start({});
  isProblem(await project.post("/api/notes", "{"), 400, "validation-error", "Request body is not valid JSON");
  isNoRoute(await project.get("/nope?x=1"), "GET", "/nope");
  await project.stop();
});

test("a session of one who is limited is still one", async () => {
  const project = await startAccounts({ more: { rateLimit: { maxRequests: 3 } } });
  const ada = await loggedIn(project); // counted by address
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await ada.get("/api/notes")).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  assert.equal((await ada.get("/api/auth/me")).status, 200, "account routes count the address");
  await project.stop();
});
