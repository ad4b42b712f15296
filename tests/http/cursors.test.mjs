// SPDX-License-Identifier: MIT
// Cursors byte for byte, and what happens to those that others made (spec/03 section 4; the numbers are rows of section 12).
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, test } from "node:test";
import { everyone, isProblem, query, startProject } from "./support.mjs";

const ex = (options = {}) => ({ table: "ex", auth: everyone, ...options });
const app = await startProject({
  schema: `
    CREATE TABLE ex (id TEXT PRIMARY KEY, name TEXT, score REAL, created_at TIMESTAMP_MS, day TIMESTAMP, at DATETIME, yes BOOLEAN, price NUMERIC, big INTEGER);
    CREATE TABLE numbered (id INTEGER PRIMARY KEY, label TEXT);`,
  config: {
    cursorSigningSecret: "s3cret",
    resources: {
      ex: ex(), open: ex({ cursorSigningSecret: null }), other: ex({ cursorSigningSecret: "clé" }),
      young: ex({ pagination: { cursorMaxAgeMs: 60000 } }), youngOpen: ex({ cursorSigningSecret: null, pagination: { cursorMaxAgeMs: 60000 } }),
      numbered: { auth: everyone }, numberedOpen: { table: "numbered", auth: everyone, cursorSigningSecret: null },
    },
  },
  seed: `
    INSERT INTO ex VALUES ('10','Zoë',5.5,1705314600000,1705314600,'2024-01-15T10:30:00.000Z',1,12.5,9007199254740993), ('30','Ann',NULL,1705314500000,NULL,NULL,0,NULL,-9223372036854775808),
      ('7','Bob',NULL,1705314700123,1705314700,'2024-01-15T10:31:40.123Z',NULL,7,5), ('a1b2','Zoë',1e21,1705314600000,0,'2024-01-15 10:30:00',1,0.1,NULL), ('z','a"b\\c/é'||char(10)||'😀',1e-7,NULL,-1,NULL,0,-3,0);
    WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<30) INSERT INTO numbered SELECT x, 'l'||x FROM c;`,
});
after(() => app.stop());

const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const sign = (payload, secret = "s3cret") => `${payload}.${createHmac("sha256", secret).update(payload, "ascii").digest("base64url")}`;
const hash = (orderBy) => orderBy ? createHash("sha256").update(orderBy).digest("hex").slice(0, 8) : "default";
const list = (name, cursor, orderBy, more = {}) => app.get(`/api/${name}${query({ cursor, orderBy, ...more })}`);
const ids = (response) => { assert.equal(response.status, 200, response.text); return response.json.items.map((row) => row.id); };

const reasons = {
  malformed: "Cursor format is invalid", tampered: "Cursor signature is invalid", version_mismatch: "Cursor version does not match current API version",
  orderby_mismatch: "Cursor orderBy does not match request orderBy",
};
const isRefused = (response, reason) => isProblem(response, 400, "cursor-invalid", reasons[reason],
  { reason, ...(reason === "orderby_mismatch" ? { suggestion: "The orderBy parameter must match the original query" } : {}) });

test("the text of a cursor: its values, the order's hash, the time, the signature", async () => {
  const cases = [
    ["numbered", undefined, 1, (row) => row.id], ["numbered", "", 2, (row) => row.id], ["numbered", ",", 2, (row) => row.id], ["ex", undefined, 1, (row) => row.id],
    ["ex", "name", 1, ({ name }) => ({ name })], ["ex", "name:asc", 2, ({ name }) => ({ name })], ["ex", "-name,score,-id", 3, ({ name, score, id }) => ({ name, score, id })],
    ["ex", "score:desc", 1, ({ score }) => ({ score })], ["ex", "-score,day", 2, ({ score, day }) => ({ score, day })], ["ex", "yes,createdAt", 2, ({ yes, createdAt }) => ({ yes, createdAt })],
    ["ex", "price,yes", 3, ({ price, yes }) => ({ price, yes })], ["ex", "big", 1, ({ big }) => ({ big })], ["ex", "-big", 2, ({ big }) => ({ big })], ["ex", "name,name:desc", 1, ({ name }) => ({ name })],
    ["other", "-day", 2, ({ day }) => ({ day })], ["open", "name", 4, ({ name }) => ({ name })],
  ];
  for (const [name, orderBy, limit, value] of cases) {
    const before = Date.now();
    const response = await list(name, undefined, orderBy, { limit });
    assert.equal(response.status, 200, response.text);
    const { items, nextCursor } = response.json;
    const last = items.at(-1);
    const [payload, signature] = nextCursor.split(".");
    const text = Buffer.from(payload, "base64url").toString();
    const ts = JSON.parse(text)._ts;
    assert.ok(ts >= before && ts <= Date.now(), text);
    assert.equal(text, `{"v":${JSON.stringify(value(last))},"id":"${last.id}","_ver":1,"_orderByHash":"${hash(orderBy)}","_ts":${ts}}`, `${name} ${orderBy}`);
    assert.equal(payload, b64(text));
    const secret = name === "open" ? null : name === "other" ? "clé" : "s3cret";
    assert.equal(nextCursor, secret ? sign(payload, secret) : payload);
    assert.equal(signature, secret ? sign(payload, secret).split(".")[1] : undefined);
  }
  assert.deepEqual(["name", "name:asc", "createdAt:desc,name", "-score"].map(hash), ["82a3537f", "6b0e94f3", "bb920b85", "2182f116"]);
});

test("strings in cursors are escaped as little as JSON allows", async () => {
  const { nextCursor } = (await list("open", undefined, "name:desc", { limit: 1 })).json;
  const { nextCursor: second } = (await list("open", nextCursor, "name:desc", { limit: 1 })).json;
  assert.match(Buffer.from(second, "base64url").toString(), /^\{"v":\{"name":"Zoë"\},/);
  const first = Buffer.from(nextCursor, "base64url").toString();
  assert.ok(first.startsWith("{\"v\":{\"name\":\"a\\\"b\\\\c/é\\n😀\"},\"id\":\"z\","), first);
});

const examples = [
  [undefined, "eyJ2IjoyMCwiaWQiOiIyMCIsIl92ZXIiOjEsIl9vcmRlckJ5SGFzaCI6ImRlZmF1bHQiLCJfdHMiOjE3MDUzMTQ2MDAwMDB9.SfRjtiSuNJXifBiS-r5_m0IQewRdKhLAHzkZXKxks9Q",
    "numbered", [21, 22]],
  ["createdAt:desc,name", "eyJ2Ijp7ImNyZWF0ZWRBdCI6IjIwMjQtMDEtMTVUMTA6MzA6MDAuMDAwWiIsIm5hbWUiOiJab8OrIn0sImlkIjoiYTFiMiIsIl92ZXIiOjEsIl9vcmRlckJ5SGFzaCI6ImJiOTIwYjg1IiwiX3RzIjoxNzA1MzE0NjAwMDAwfQ.6DbnMZFmVM20mGDfZNX1_vhbQgY8taL4r2wehuAgFQg",
    "ex", ["30"]],
  ["-score", "eyJ2Ijp7InNjb3JlIjpudWxsfSwiaWQiOiI3IiwiX3ZlciI6MSwiX29yZGVyQnlIYXNoIjoiMjE4MmYxMTYiLCJfdHMiOjE3MDUzMTQ2MDAwMDB9.-UM8kEuicBVIGiExV565BL2Eq52TEmH0L9seanr59T8",
    "ex", ["a1b2", "10"]],
];

test("16, 17 the example cursors hold, and not one character may differ", async () => {
  for (const [orderBy, cursor, name, expected] of examples) {
    assert.deepEqual(ids(await list(name, cursor, orderBy, { limit: 2 })), expected);
    const other = cursor.slice(0, -1) + (cursor.endsWith("A") ? "B" : "A");
    isRefused(await list(name, other, orderBy), "tampered");
    isRefused(await list(name, "A" + cursor.slice(1), orderBy), "tampered");
    isRefused(await list(name, cursor + "A", orderBy), "tampered");
    isRefused(await list(name, cursor + ".x", orderBy), "tampered");
    isRefused(await list(name, cursor.split(".")[0], orderBy), "tampered");
    isRefused(await list(name, cursor.split(".")[0] + ".", orderBy), "tampered");
  }
});

test("18, 19 signatures are asked for where there is a secret, and overlooked where there is none", async () => {
  const payload = b64({ v: "10", id: "10", _ver: 1, _orderByHash: "default", _ts: 1 });
  isRefused(await list("ex", payload), "tampered");
  isRefused(await list("other", sign(payload)), "tampered");
  assert.deepEqual(ids(await list("ex", sign(payload), undefined, { limit: 1 })), ["30"]);
  assert.deepEqual(ids(await list("other", sign(payload, "clé"), undefined, { limit: 1 })), ["30"]);
  for (const cursor of [payload, sign(payload), `${payload}.nonsense`]) assert.deepEqual(ids(await list("open", cursor, undefined, { limit: 1 })), ["30"]);
});

test("20 a cursor belongs to the text of its order", async () => {
  const { nextCursor } = (await list("ex", undefined, "name:asc", { limit: 1 })).json;
  for (const orderBy of [undefined, "", "name", "name:desc", "score:desc", "name:asc "]) isRefused(await list("ex", nextCursor, orderBy), "orderby_mismatch");
  assert.equal((await list("ex", nextCursor, "name:asc")).status, 200);
  const free = sign(b64({ v: { name: "Ann" }, id: "30", _ver: 1, _orderByHash: "", _ts: 0 }));
  assert.deepEqual(ids(await list("ex", free, "name", { limit: 1 })), ["7"]);
});

test("21 what is no cursor", async () => {
  for (const cursor of ["!!!", "WzFd", "NQ", "eyJ2", b64("{"), b64("null"), b64("[]"), b64("\"x\""), b64({ v: "3" }), b64({ id: "3" }), b64({}), "a", "====", "e30=e30",
    "%00", b64(`{"v":"3","id":"3"} x`), b64(Buffer.from([0xff, 0xfe]).toString("latin1"))])
    isRefused(await app.get(`/api/open?cursor=${encodeURIComponent(cursor)}`), "malformed");
});

test("both base64 alphabets and padding are read", async () => {
  const text = JSON.stringify({ v: "~~~???", id: "10>>>>" });
  for (const cursor of [Buffer.from(text).toString("base64"), Buffer.from(text).toString("base64url"), Buffer.from(text).toString("base64").replace(/=+$/, "")])
    assert.equal((await app.get(`/api/open?cursor=${encodeURIComponent(cursor)}`)).status, 200, cursor);
});

test("22, 23, 25 old cursors without a version are read, other versions are not, an empty cursor is none", async () => {
  assert.deepEqual(ids(await list("open", b64({ v: "30", id: "30" }), undefined, { limit: 1 })), ["7"]);
  assert.deepEqual(ids(await list("open", b64({ v: { name: "Ann" }, id: "30" }), "name", { limit: 1 })), ["7"]);
  assert.deepEqual(ids(await list("numberedOpen", b64({ v: 3, id: "3" }), undefined, { limit: 1 })), [4]);
  assert.deepEqual(ids(await list("numberedOpen", b64({ v: 3, id: 3 }), undefined, { limit: 1 })), [4]);
  for (const _ver of [2, 0, "1", null, 1.5, {}, true]) isRefused(await list("open", b64({ v: "3", id: "3", _ver })), "version_mismatch");
  assert.deepEqual(ids(await app.get("/api/ex?cursor=&limit=1")), ["10"]);
});

test("24 cursors age, where a limit is set", async () => {
  const aged = (ms) => ({ v: "10", id: "10", _ver: 1, _orderByHash: "default", _ts: Date.now() - ms });
  const isExpired = (response) => isProblem(response, 400, "cursor-expired", "Cursor has expired", { suggestion: "Please start from the beginning of the list" });
  isExpired(await list("young", sign(b64(aged(62000)))));
  isExpired(await list("youngOpen", b64(aged(62000))));
  isExpired(await list("youngOpen", b64({ ...aged(0), _ts: 1 })));
  assert.deepEqual(ids(await list("young", sign(b64(aged(1000))), undefined, { limit: 1 })), ["30"]);
  for (const _ts of [0, undefined, null, "x"]) assert.equal((await list("youngOpen", b64({ ...aged(0), _ts }))).status, 200);
  assert.equal((await list("youngOpen", b64({ v: "10", id: "10" }))).status, 200);
  assert.equal((await list("ex", sign(b64({ ...aged(0), _ts: 1 })))).status, 200);
  isRefused(await list("young", sign(b64(aged(62000))), "name"), "orderby_mismatch");
});

test("26 values of a wrong kind are malformed, those of a right kind are converted", async () => {
  const bad = [["name", null], ["name", "x"], ["name", []], ["name", 5], ["name", { name: {} }], ["name", { name: [1] }], ["name", { name: true }], ["score", { score: "x" }],
    ["score", { score: {} }], ["createdAt", { createdAt: "soon" }], ["createdAt", { createdAt: true }], ["yes", { yes: "x" }], ["yes", { yes: 2 }], ["big", { big: "1x" }]];
  for (const [orderBy, v] of bad) isRefused(await list("open", b64({ v, id: "1" }), orderBy), "malformed");
  for (const id of [{}, [], null, true]) isRefused(await list("open", b64({ v: 1, id })), "malformed");
  isRefused(await list("numberedOpen", b64({ v: 1, id: "abc" })), "malformed");
  const good = [["name", { name: 5 }], ["name", {}], ["name", { other: 1 }], ["score", { score: "5.5" }], ["score", { score: 1e300 }], ["createdAt", { createdAt: 1705314600000 }],
    ["createdAt", { createdAt: "2024-01-15T10:30:00Z" }], ["yes", { yes: 1 }], ["yes", { yes: false }], ["big", { big: "9007199254740993" }], ["day", { day: "2024-01-15" }]];
  for (const [orderBy, v] of good) assert.equal((await list("open", b64({ v, id: "1" }), orderBy)).status, 200, JSON.stringify(v));
  assert.equal((await list("open", b64({ v: 1, id: 10 }))).status, 200);
});

test("a cursor with hostile keys changes nothing", async () => {
  for (const text of ["{\"__proto__\":{\"v\":1},\"id\":\"1\"}", "{\"v\":{\"name\":\"' OR 1=1 --\"},\"id\":\"' OR 1=1 --\"}", `{"v":{"name":"${"x".repeat(3000)}"},"id":"1"}`])
    assert.ok([200, 400].includes((await list("open", b64(text), "name")).status));
  assert.deepEqual(ids(await list("open", b64({ v: { name: "' OR 1=1 --" }, id: "z" }), "name", { limit: 9 })), ["30", "7", "10", "a1b2", "z"]);
});
