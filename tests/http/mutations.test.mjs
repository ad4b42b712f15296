// SPDX-License-Identifier: MIT
// Valid requests, damaged at random: flipped, cut, doubled. Each answer has a documented status, never 500, and the
// server lives on. COV_SEED repeats a run, COV_REQUESTS makes it longer.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everyone, random, seed, startProject } from "./support.mjs";

const app = await startProject({
  schema: `
    CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL CHECK (length(name) < 200), qty INTEGER CHECK (qty <> 13), r REAL, n NUMERIC, b BOOLEAN, ts TIMESTAMP, ms TIMESTAMP_MS, dt DATETIME,
                         doc JSON, bytes BLOB, author_id INTEGER REFERENCES authors(id), version INTEGER, deleted_at DATETIME);`,
  config: {
    resources: {
      things: { auth: everyone, etag: { versionField: "version" }, softDelete: { field: "deletedAt" }, pagination: { cursorMaxAgeMs: 0 } },
      authors: { auth: everyone, etag: {}, strictInput: true },
    },
  },
  seed: `
    INSERT INTO authors VALUES (1,'Ann'),(2,'Bob');
    WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<60)
      INSERT INTO things SELECT 't'||x, 'name '||(x%9), x%5, x/3.0, x, x%2, x*1000, x*1000000, '2024-01-01T00:00:0'||(x%9)||'.000Z', '{"x":'||x||'}', x'00ff', 1+x%2, 1, NULL FROM c;`,
});
after(() => app.stop());

const body = { id: "t5", name: "Zoë 😀", qty: 7, r: 1.5e-3, n: "12.50", b: true, ts: "2024-01-02T03:04:05Z", ms: 1704164645678, dt: "2024-02-29", doc: { a: [1, null, { 2: "x" }] }, bytes: "AQL/", authorId: 1 };
const filter = encodeURIComponent("(name=startswith=\"name\",qty=in=(1,2,3));r>=0.5;ts<\"2030-01-01\" or dt=between=[\"2024-01-01\",\"2025-01-01\"] and name=regex=\"^n.*[0-9]$\"");
const cursor = Buffer.from("{\"v\":{\"name\":\"name 3\",\"r\":2.5},\"id\":\"t7\",\"_ver\":1,\"_orderByHash\":\"\",\"_ts\":1705314600000}").toString("base64url");
const valid = [
  ["GET", `/api/things?filter=${filter}&orderBy=-name,r:asc&limit=5&totalCount=true&select=id,name&withDeleted=true`], ["GET", `/api/things?orderBy=name,-r&cursor=${cursor}&limit=10`], ["GET", "/api/things?orderBy=-ts,dt,b:desc,n"],
  ["GET", `/api/things/count?filter=${filter}`], ["GET", "/api/things/aggregate?groupBy=qty,b&count=true&sum=r,n&avg=qty&min=ts,dt&max=name&having=count%3E=2;sum_r%3C100.5;b==true"],
  ["GET", `/api/things/aggregate?groupBy=authorId&count=true&filter=${filter}`], ["GET", "/api/things/t5?select=id,doc,bytes&withDeleted=true"], ["GET", "/api/authors/1"], ["HEAD", "/api/things/t6"], ["OPTIONS", "/api/things"],
  ["POST", "/api/things", JSON.stringify({ ...body, id: "new" })], ["PATCH", "/api/things/t5", JSON.stringify(body)], ["PUT", "/api/things/t5", JSON.stringify(body)], ["DELETE", "/api/things/t9"],
  ["POST", "/api/things/batch", JSON.stringify({ items: [{ ...body, id: "b1" }, { id: "b2", name: "x" }] })], ["POST", "/api/things/batch/upsert", JSON.stringify({ items: [body, { id: "t6", name: "x", authorId: 2 }] })],
  ["PATCH", `/api/things/batch?filter=${filter}`, JSON.stringify({ qty: 3, doc: [1, 2], ts: null })], ["DELETE", "/api/things/batch?filter=name==%22name%203%22;qty%3E2"], ["POST", "/api/authors", "{\"name\":\"Cy\"}"],
  ["PATCH", "/api/authors/1", "{\"name\":\"Ann \\u00e9\\ud83d\\ude00\"}"], ["PUT", "/api/authors/2", "{\"id\":2,\"name\":\"Bob\"}"], ["GET", "/healthz"], ["GET", "/readyz"], ["DELETE", "/api/authors/2"],
];

const interesting = ["%", "%00", "%ff", "%C3%A9", "\"", "'", "\\", "(", ")", "[", "]", ";", ",", "==", "=", "&", "?", "/", "..", "+", "\u00e9", "\ud83e\udd8a", "null", "1e400", "-", "99999999999999999999", "{", "}", ":", "0", "true", "\\u0000", "\\ud800", "*", "\t"];

function mutate(rng, bytes) {
  let result = bytes;
  for (let i = 1 + rng.below(4); i > 0; i--) {
    const at = rng.below(result.length + 1), end = Math.min(result.length, at + 1 + rng.below(12));
    const kind = rng.below(6);
    if (kind === 0 && at < result.length) { result = Buffer.from(result); result[at] ^= 1 << rng.below(8); }
    if (kind === 1) result = result.subarray(0, at);
    if (kind === 2) result = Buffer.concat([result.subarray(0, end), result.subarray(at, end), result.subarray(end)]);
    if (kind === 3) result = Buffer.concat([result.subarray(0, at), result.subarray(end)]);
    if (kind === 4) result = Buffer.concat([result.subarray(0, at), Buffer.from(rng.pick(interesting)), result.subarray(at)]);
    if (kind === 5 && at < result.length) { result = Buffer.from(result); result[at] = rng.below(256); }
  }
  return result;
}

const documented = new Set([200, 201, 204, 304, 400, 404, 409, 412, 413, 414, 431, 501, 505]);
const printable = (bytes) => JSON.stringify(bytes.toString("latin1"));

async function sendOne(connection, rng, index) {
  const [method, target, text] = rng.pick(valid);
  const inTarget = text === undefined || rng.chance(0.5);
  const url = inTarget ? Buffer.concat([Buffer.from("/"), mutate(rng, Buffer.from(target.slice(1)))]) : Buffer.from(target);
  const payload = text !== undefined ? (inTarget && rng.chance(0.5) ? Buffer.from(text) : mutate(rng, Buffer.from(text))) : undefined;
  const headers = rng.chance(0.2) ? { "If-Match": rng.pick(["*", "\"1\"", "W/\"1\"", "\"", ",", "\"1\",\"2\""]) } : rng.chance(0.1) ? { "If-None-Match": rng.pick(["*", "\"1\"", "x"]) } : {};
  const name = `COV_SEED=${seed}, request ${index}: ${method} ${printable(url)} ${payload ? printable(payload) : ""}`;

  const response = await connection.send(method, url, payload, headers);
  assert.ok(response !== null, `${name}: no answer`);
  assert.ok(documented.has(response.status), `${name}: ${response.status} ${response.text}`);
  if (response.status >= 400 && method !== "HEAD") {
    assert.equal(response.type, "application/problem+json", name);
    assert.equal(response.json?.status, response.status, `${name}: ${response.text}`);
  } else if (response.status < 300 && response.status !== 204 && method !== "HEAD") {
    assert.ok(response.json !== undefined, `${name}: ${response.text.slice(0, 200)}`);
  }
  return response;
}

const REQUESTS = Number(process.env.COV_REQUESTS ?? 4000);
test(`${REQUESTS} damaged requests`, async () => {
  const rng = random(seed + 99);
  const statuses = {};
  let connection = app.connect();
  for (let i = 0; i < REQUESTS; i++) {
    const { status, headers } = await sendOne(connection, rng, i);
    statuses[status] = (statuses[status] ?? 0) + 1;
    /* A damaged target may hold a line's end, after which both sides see different requests: always start afresh then. */
    if (headers.connection === "close" || status === 400) { connection.end(); connection = app.connect(); }
  }
  assert.ok(statuses[200] > REQUESTS / 50 && statuses[400] > REQUESTS / 10 && statuses[404] > REQUESTS / 50, `the mix of requests is poor: ${JSON.stringify(statuses)}`);
  connection.end();
  assert.equal((await app.get("/readyz")).status, 200);
  assert.equal(app.sql("PRAGMA integrity_check")[0].integrity_check, "ok");
  assert.deepEqual(app.sql("PRAGMA foreign_key_check"), []);
});
