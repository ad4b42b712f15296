// SPDX-License-Identifier: MIT
// What surrounds the resources: CORS, protective headers, health, paths (spec/01 section 1, spec/07 sections 3, 8, 9 and 13).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everyone, isJson, isNoRoute, isNoRow, startProject } from "./support.mjs";

const schema = "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT); CREATE TABLE others (id INTEGER PRIMARY KEY, n INTEGER);";
const seed = "INSERT INTO things VALUES ('a','A'); INSERT INTO others VALUES (1,2);";
const resources = { things: { auth: everyone, etag: {} } };
const running = [];
async function start(app, more = {}) {
  const project = await startProject({ schema, seed, config: { app, resources, ...more.config }, env: more.env });
  running.push(project);
  return project;
}
after(async () => { for (const project of running) await project.stop(); });

const plain = await start({});
const A = { id: "a", name: "A" };
const cors = (response) => Object.fromEntries(Object.entries(response.headers).filter(([name]) => name.startsWith("access-control-") || name === "vary"));
const exposed = "ETag,Retry-After,X-Request-Id,X-RateLimit-Limit,X-RateLimit-Remaining,X-RateLimit-Reset,X-Covara-Version,Covara-Challenge-Type,"
  + "Covara-PoW-Challenge,Covara-PoW-Difficulty,Covara-PoW-Algorithm,Covara-Captcha-Provider,Covara-Captcha-Sitekey,Covara-Captcha-Action";
const protective = {
  "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "strict-origin-when-cross-origin", "x-dns-prefetch-control": "off",
  "cross-origin-opener-policy": "same-origin", "content-security-policy": undefined, "strict-transport-security": undefined,
};
const security = (response) => Object.fromEntries(Object.keys(protective).map((name) => [name, response.headers[name]]));
const asked = { Origin: "https://app.example", "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type, if-match" };

test("without cors there are no such headers, and OPTIONS has no route", async () => {
  for (const target of ["/api/things", "/api/things/a", "/nowhere", "/healthz"]) {
    const response = await plain.call("OPTIONS", target, undefined, asked);
    isNoRoute(response, "OPTIONS", target);
    assert.deepEqual(cors(response), {});
  }
  assert.deepEqual(cors(await plain.get("/api/things", { Origin: "https://app.example" })), {});
});

test("cors: true", async () => {
  const app = await start({ cors: true });
  const always = { "access-control-allow-origin": "*", "access-control-expose-headers": exposed };
  for (const target of ["/api/things", "/api/things/a", "/api/things/zz", "/nowhere", "/healthz", "/api/things?filter=(((", "/readyz"]) {
    assert.deepEqual(cors(await app.get(target, { Origin: "https://app.example" })), always, target);
    assert.deepEqual(cors(await app.get(target)), always, target);
  }
  assert.deepEqual(cors(await app.post("/api/things", "{")), always);
  assert.deepEqual(cors(await app.delete("/api/things/zz")), always);
  for (const target of ["/api/things", "/api/things/a", "/boom", "/healthz", "/api/things/a?x=1"]) {
    const response = await app.call("OPTIONS", target, undefined, asked);
    assert.deepEqual([response.status, response.text, response.type], [204, "", undefined]);
    assert.deepEqual(cors(response), { "access-control-allow-origin": "*", "access-control-allow-methods": "GET,HEAD,PUT,POST,DELETE,PATCH",
      "access-control-allow-headers": "content-type,if-match", vary: "Access-Control-Request-Headers" }, target);
  }
  assert.deepEqual(cors(await app.call("OPTIONS", "/api/things")), { "access-control-allow-origin": "*", "access-control-allow-methods": "GET,HEAD,PUT,POST,DELETE,PATCH" });
});

test("cors with one origin, credentials and everything else", async () => {
  const app = await start({ cors: { origin: "https://app.example", credentials: true, allowMethods: ["GET", "POST"], allowHeaders: ["X-One", "X-Two"], exposeHeaders: ["X-Out"], maxAge: 600 } });
  const known = { "access-control-allow-origin": "https://app.example", "access-control-allow-credentials": "true" };
  const answer = await app.get("/api/things/a", { Origin: "https://app.example" });
  isJson(answer, 200, A);
  assert.deepEqual(cors(answer), { ...known, "access-control-expose-headers": "X-Out", vary: "Origin" });
  const preflight = await app.call("OPTIONS", "/api/things", undefined, asked);
  const varied = preflight.headers.vary.split(",").map((name) => name.trim()).sort();
  assert.deepEqual(varied, ["Access-Control-Request-Headers", "Origin"]);
  assert.deepEqual({ ...cors(preflight), vary: "" }, { ...known, "access-control-allow-methods": "GET,POST", "access-control-allow-headers": "X-One,X-Two", "access-control-max-age": "600", vary: "" });
  for (const origin of ["https://app.example.evil", "https://app.exampl", "http://app.example", "https://app.example:443", "HTTPS://APP.EXAMPLE", "null", ""]) {
    const response = await app.get("/api/things/a", { Origin: origin });
    isJson(response, 200, A);
    assert.deepEqual(cors(response), { "access-control-allow-credentials": "true", "access-control-expose-headers": "X-Out", vary: "Origin" }, origin);
  }
  assert.equal((await app.call("OPTIONS", "/api/things", undefined, { ...asked, Origin: "https://evil.example" })).headers["access-control-allow-origin"], undefined);
});

test("cors with a list of origins, expired caching and nothing exposed", async () => {
  const app = await start({ cors: { origin: ["https://a.example", "https://b.example"], exposeHeaders: [], maxAge: 0 } });
  for (const origin of ["https://a.example", "https://b.example"])
    assert.deepEqual(cors(await app.get("/api/things", { Origin: origin })), { "access-control-allow-origin": origin, vary: "Origin" });
  assert.deepEqual(cors(await app.get("/api/things", { Origin: "https://a.example,https://b.example" })), { vary: "Origin" });
  assert.equal((await app.call("OPTIONS", "/x", undefined, asked)).headers["access-control-max-age"], "0");
});

test("any origin together with credentials is refused at the start", async () => {
  await assert.rejects(start({ cors: { credentials: true } }), /credentials/);
  await assert.rejects(start({ cors: { origin: "*", credentials: true } }), /credentials/);
});

test("protective headers are on every answer, also on problems", async () => {
  for (const response of [await plain.get("/api/things"), await plain.get("/api/things/zz"), await plain.post("/api/things", "{"), await plain.get("/nowhere"), await plain.get("/healthz"),
    await plain.call("HEAD", "/api/things/a"), await plain.call("OPTIONS", "/api/things"), await plain.get("/api/things/a", { "If-None-Match": "*" })])
    assert.deepEqual(security(response), protective);
  const created = await plain.post("/api/things", { id: "b" });
  assert.deepEqual(security(created), protective);
  assert.deepEqual(security(await plain.delete("/api/things/b")), protective);
});

test("each protective header can be turned off or given a value", async () => {
  const app = await start({ securityHeaders: { contentTypeOptions: false, frameOptions: "SAMEORIGIN", referrerPolicy: "no-referrer", dnsPrefetchControl: false, crossOriginOpenerPolicy: false,
    contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'", hsts: { maxAge: 60, includeSubDomains: false, preload: true } } }, { env: { NODE_ENV: "production" } });
  assert.deepEqual(security(await app.get("/api/things/a")), { "x-content-type-options": undefined, "x-frame-options": "SAMEORIGIN", "referrer-policy": "no-referrer", "x-dns-prefetch-control": undefined,
    "cross-origin-opener-policy": undefined, "content-security-policy": "default-src 'none'; frame-ancestors 'none'", "strict-transport-security": "max-age=60; preload" });
});

test("securityHeaders: false sends none; in production HSTS is sent by default", async () => {
  const none = await start({ securityHeaders: false }, { env: { NODE_ENV: "production" } });
  assert.deepEqual(Object.values(security(await none.get("/api/things"))).filter(Boolean), []);
  const production = await start({}, { env: { NODE_ENV: "production" } });
  assert.equal((await production.get("/nowhere")).headers["strict-transport-security"], "max-age=15552000; includeSubDomains");
});

test("health", async () => {
  for (const target of ["/healthz", "/readyz", "/healthz?x=1"]) {
    const before = Date.now();
    const response = await plain.get(target);
    assert.deepEqual([response.status, response.type], [200, "application/json"]);
    assert.deepEqual(Object.keys(response.json).filter((key) => key !== "checks"), ["status", "timestamp", "uptime"]);
    assert.equal(response.json.status, "healthy");
    assert.ok(Math.abs(Date.parse(response.json.timestamp) - before) < 5000 && response.json.uptime >= 0);
    const head = await plain.call("HEAD", target);
    assert.deepEqual([head.status, head.text, head.type], [200, "", "application/json"]);
  }
  isNoRoute(await plain.post("/healthz", {}), "POST", "/healthz");
  isNoRoute(await plain.get("/healthz/"), "GET", "/healthz/");
  isNoRoute(await plain.get("/api/healthz"), "GET", "/api/healthz");
});

test("health with a prefix and a version, or not at all", async () => {
  const app = await start({ health: { basePath: "/ops", version: "1.2\"3" } });
  for (const target of ["/ops/healthz", "/ops/readyz"]) assert.equal((await app.get(target)).json.version, "1.2\"3");
  isNoRoute(await app.get("/healthz"), "GET", "/healthz");
  for (const health of [false, { enabled: false }]) {
    const off = await start({ health });
    isNoRoute(await off.get("/healthz"), "GET", "/healthz");
    isNoRoute(await off.get("/readyz"), "GET", "/readyz");
  }
});

test("while the server shuts down it is alive but not ready", async () => {
  const app = await startProject({ schema, seed, config: { app: { health: { version: "1" } }, resources, server: { preStopDelayMs: 2000 } } });
  assert.equal((await app.get("/readyz")).status, 200);
  const ended = app.stop();
  let ready;
  do ready = await app.connect().send("GET", "/readyz"); while (ready?.status === 200);
  assert.deepEqual([ready.status, ready.type], [503, "application/json"]);
  assert.deepEqual({ ...ready.json, timestamp: 0, uptime: 0 }, { status: "unhealthy", timestamp: 0, uptime: 0, checks: [{ healthy: false, name: "readiness", message: "Server is shutting down" }] });
  assert.equal((await app.connect().send("GET", "/healthz")).status, 200);
  isJson(await app.connect().send("GET", "/api/things/a"), 200, A);
  await ended;
});

test("a problem of an unknown route shows method and path as they were sent", async () => {
  for (const target of ["/", "/api", "/api/", "/api/nope", "/api/nope/a%20b%2Fc", "/%61pi/things", "/api/things%2Fa", "/api/th%69ngs", "/caf%C3%A9", "/x/../api/things", "/api/./things", "//api/things", "/a%zz", "/;x=1", "/api/things;a"])
    isNoRoute(await plain.get(target), "GET", target);
  isNoRoute(await plain.get("/nowhere?secret=1"), "GET", "/nowhere");
  for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE"]) isNoRoute(await plain.call(method, "/nowhere"), method, "/nowhere");
  const head = await plain.call("HEAD", "/nowhere");
  assert.deepEqual([head.status, head.text, head.type], [404, "", "application/problem+json"]);
});

test("methods in other letters are other methods", async () => {
  const connection = plain.connect();
  const response = await connection.send("get", "/api/things/a");
  assert.ok(response === null || response.status >= 400, response?.text);
  connection.end();
});

for (const [basePath, prefix] of [["", ""], ["/", ""], ["v1", "/v1"], ["/v1/", "/v1"], ["/api/v2", "/api/v2"], ["/A", "/A"]])
  test(`basePath ${JSON.stringify(basePath)}`, async () => {
    const app = await start({ basePath });
    isJson(await app.get(`${prefix}/things/a`), 200, A);
    isNoRow(await app.get(`${prefix}/things/zz`), "things", "zz");
    isNoRoute(await app.get(`${prefix}/things/`), "GET", `${prefix}/things/`);
    isNoRoute(await app.get(`${prefix}/x/things`), "GET", `${prefix}/x/things`);
    if (prefix !== "") isNoRoute(await app.get(`${prefix}x/things`), "GET", `${prefix}x/things`);
    if (prefix !== "") isNoRoute(await app.get("/things/a"), "GET", "/things/a");
    assert.equal((await app.get("/healthz")).status, 200);
  });

test("paths of several segments, and other names than the table's", async () => {
  const app = await start({}, { config: { resources: {
    "shop/items": { table: "things", auth: everyone }, renamed: { table: "others", path: "/deep/er/numbers/", auth: everyone }, things: { path: "shop", auth: everyone },
  } } });
  isJson(await app.get("/api/shop/items/a"), 200, A);
  isJson(await app.get("/api/shop/items/count"), 200, { count: 1 });
  isJson(await app.get("/api/deep/er/numbers/1"), 200, { id: 1, n: 2 });
  isJson(await app.get("/api/shop/a"), 200, A);
  isJson(await app.get("/api/shop/items"), 200, { items: [A], nextCursor: null, hasMore: false });
  isNoRow(await app.get("/api/deep/er/numbers/7"), "others", "7");
  isJson(await app.post("/api/shop/items/batch/upsert", { items: [] }), 200, { items: [] });
  for (const target of ["/api/renamed", "/api/others", "/api/deep/er", "/api/deep", "/api/deep/er/numbers/1/2", "/api/things"]) isNoRoute(await app.get(target), "GET", target);
});

test("keep-alive, pipelining and Connection: close", async () => {
  const connection = plain.connect();
  for (let i = 0; i < 3; i++) isJson(await connection.send("GET", "/api/things/a"), 200, A);
  connection.write("GET /api/things/a HTTP/1.1\r\nHost: x\r\n\r\nGET /api/nope HTTP/1.1\r\nHost: x\r\n\r\nGET /api/things/count HTTP/1.1\r\nHost: x\r\n\r\n");
  isJson(await connection.read(), 200, A);
  isNoRoute(await connection.read(), "GET", "/api/nope");
  isJson(await connection.read(), 200, { count: 1 });
  isJson(await connection.send("GET", "/api/things/a", undefined, { Connection: "close" }), 200, A);
  assert.equal(await connection.read(), null);
});
