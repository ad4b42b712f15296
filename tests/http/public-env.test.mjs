// SPDX-License-Identifier: MIT
// The public environment over HTTP (spec/07 sections 14.2 and 14.3).
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyone, isJson, isNoRoute, startProject } from "./support.mjs";

const schema = "CREATE TABLE things (id TEXT PRIMARY KEY);";
const start = (publicEnv, env = {}, more = {}) =>
  startProject({ schema, config: { publicEnv, resources: { things: { auth: everyone } }, ...more }, env });

const variables = { PUBLIC_API_URL: "url", COV_TEST_SECRET: "string" };
const env = { PUBLIC_API_URL: "https://api.example.com", COV_TEST_SECRET: "hunter2" };
const body = '{"PUBLIC_API_URL":"https://api.example.com"}';
const tag = '"9b95c2b9fa75a264"';

test("the document, its tag, and 304", async () => {
  const app = await start({ variables }, env);
  const answer = await app.get("/api/env");
  isJson(answer, 200, body);
  assert.equal(answer.headers.etag, tag);
  assert.equal(answer.headers["cache-control"], "public, max-age=3600");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  for (const condition of [tag, `W/${tag}`, `"x", W/${tag}`, "*"]) {
    const same = await app.get("/api/env", { "If-None-Match": condition });
    assert.deepEqual([same.status, same.text, same.type], [304, "", undefined], condition);
    assert.deepEqual([same.headers.etag, same.headers["cache-control"]], [tag, "public, max-age=3600"]);
  }
  for (const condition of ['"x"', "9b95c2b9fa75a264", ""]) isJson(await app.get("/api/env", { "If-None-Match": condition }), 200, body);
  const head = await app.call("HEAD", "/api/env");
  assert.deepEqual([head.status, head.text, head.headers.etag, head.headers["content-length"]], [200, "", tag, String(body.length)]);
  isJson(await app.get("/api/env?x=1"), 200, body);
  for (const method of ["POST", "PUT", "DELETE"]) isNoRoute(await app.call(method, "/api/env"), method, "/api/env");
  for (const target of ["/api/env/", "/api/env/x", "/api/env/schema/", "/api/envx", "/env"]) isNoRoute(await app.get(target), "GET", target);
  assert.ok(!app.output().includes("hunter2"));
  await app.stop();
});

test("the schema says what the values are, and can be hidden", async () => {
  const settings = { variables: { ...variables, PUBLIC_FLAGS: { type: "json", default: '{"a":{"b":true},"c":[1],"d":{}}' }, PUBLIC_N: { type: "number", optional: true } } };
  const app = await start(settings, env);
  const { status, type, json } = await app.get("/api/env/schema");
  assert.deepEqual([status, type], [200, "application/json"]);
  assert.deepEqual(Object.keys(json), ["fields", "timestamp"]);
  assert.deepEqual(json.fields, [{ path: ["PUBLIC_API_URL"], type: "string" }, { path: ["PUBLIC_FLAGS", "a", "b"], type: "boolean" },
    { path: ["PUBLIC_FLAGS", "c"], type: "array" }, { path: ["PUBLIC_FLAGS", "d"], type: "object" }, { path: ["PUBLIC_N"], type: "unknown" }]);
  assert.ok(Math.abs(new Date(json.timestamp) - Date.now()) < 600000);
  await app.stop();
  const hidden = await start({ ...settings, exposeSchema: false, path: "/config", cacheControl: "no-cache" }, env);
  isNoRoute(await hidden.get("/config/schema"), "GET", "/config/schema");
  const answer = await hidden.get("/config");
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["cache-control"], "no-cache");
  await hidden.stop();
});

test("the server does not start with what is missing or wrong, and does not tell secrets", async () => {
  const fails = async (settings, values, wanted, more) => {
    await assert.rejects(start({ variables: settings }, values, more), (error) => {
      assert.match(error.message, wanted);
      assert.ok(!error.message.includes("hunter2"), "the value is in the message");
      return true;
    });
  };
  await fails(variables, { PUBLIC_API_URL: env.PUBLIC_API_URL }, /Environment variable validation error for COV_TEST_SECRET: it is required/);
  await fails({ COV_TEST_SECRET: "number" }, env, /Environment variable validation error for COV_TEST_SECRET: expected a number/);
  await fails({ PUBLIC_API_URL: "url" }, { PUBLIC_API_URL: "hunter2" }, /Environment variable validation error for PUBLIC_API_URL: expected a URL/);
  await fails({}, {}, /publicEnv: path \\?"\/api\/env\\?" is taken by a resource/, { resources: { things: { auth: everyone, path: "env" } } });
});

test("limits count requests for it, and CORS is as everywhere", async () => {
  const app = await start({ variables }, env, { rateLimit: { maxRequests: 2 }, app: { cors: true } });
  assert.equal((await app.get("/api/env")).headers["access-control-allow-origin"], "*");
  assert.equal((await app.get("/api/env")).status, 200);
  assert.equal((await app.get("/api/env")).status, 429);
  await app.stop();
});
