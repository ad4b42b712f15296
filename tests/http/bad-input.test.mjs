// SPDX-License-Identifier: MIT
// What clients must not be able to do harm with. After each bad request the same connection still answers, where HTTP
// allows that, and nothing was written.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { everyone, isJson, isProblem, query, startProject } from "./support.mjs";

const app = await startProject({
  schema: `
    CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL, qty INTEGER, r REAL, doc JSON, at TIMESTAMP);
    CREATE TABLE numbered (id INTEGER PRIMARY KEY, name TEXT);`,
  config: { cursorSigningSecret: "k", resources: { things: { auth: everyone, etag: {} }, numbered: { auth: everyone } } },
});
after(() => app.stop());

const A = { id: "a", name: "A", qty: 1, r: null, doc: null, at: null };
let connection;
beforeEach(() => {
  app.sql("DELETE FROM things; DELETE FROM numbered; INSERT INTO things (id,name,qty) VALUES ('a','A',1), ('b','B',2); INSERT INTO numbered VALUES (1,'one');");
  connection = app.connect();
});

const state = () => app.sql("SELECT group_concat(id || name || ifnull(qty,'') || ifnull(doc,'') || ifnull(r,''), ';') AS s, (SELECT count(*) FROM numbered) AS n FROM (SELECT * FROM things ORDER BY id)")[0];
const START = { s: "aA1;bB2", n: 1 };

/* Send on one connection; the answer must be a problem of one of these statuses, and the connection live on. */
async function isRefused(statuses, method, target, body, headers) {
  const response = await connection.send(method, target, body, headers);
  const name = `${method} ${String(target).slice(0, 200)} ${String(body ?? "").slice(0, 100)}`;
  assert.ok(response !== null, `${name}: no answer`);
  assert.ok(statuses.includes(response.status), `${name}: ${response.status} ${response.text.slice(0, 300)}`);
  assert.equal(response.type, "application/problem+json", name);
  assert.equal(response.json.status, response.status, name);
  assert.doesNotMatch(response.text, /SELECT|INSERT|sqlite|src\//, name);
  if (response.headers.connection !== "close") isJson(await connection.send("GET", "/api/things/a"), 200, A);
  else connection = app.connect();
  return response;
}
const isUntouched = () => assert.deepEqual(state(), START);

test("malformed filters, orders, limits, cursors, selects and aggregates", async () => {
  const filters = ["(", "((", "qty=", "qty==", "==1", "qty==1)", "\"", "qty==\"", "qty=in=(", "qty=in=(1,,2)", "qty=between=[1", "a.b.c==1", ";;", ",,", "qty==1 qty==2", "=in=", "qty=regex=\"a\"andx",
    "\u0000", "qty==\u0001", "qty==0x10", "qty==1e", "qty==--1", "name=regex=\"[\"", "name=regex=\"(?<\"", "🦊==1", "qty=\u200bin=(1)", "doc=gt=1", "qty==(1,2)"];
  for (const filter of filters)
    for (const [method, tail, body] of [["GET", "", undefined], ["GET", "/count", undefined], ["GET", "/aggregate", undefined], ["PATCH", "/batch", "{\"qty\":9}"], ["DELETE", "/batch", undefined]]) {
      const { json } = await isRefused([400], method, `/api/things${tail}${query({ filter, count: "true" })}`, body);
      assert.equal(json.code, "FILTER_PARSE_ERROR", filter);
    }
  for (const text of ["orderBy=nope", "orderBy=-", "orderBy=name:x", "orderBy=doc", "limit=abc", "cursor=x", "cursor=eyJ2IjoxfQ", "cursor=a.b.c", `cursor=${"A".repeat(4000)}`]) await isRefused([400], "GET", `/api/things?${text}`);
  for (const text of ["", "sum=nope", "groupBy=doc", "having=x", "count=true&having=count", "count=true&having=count>'1'", "sum=name", "max=doc"]) await isRefused([400], "GET", `/api/things/aggregate?${text}`);
  isUntouched();
});

const bodies = ["{", "}", "[", "{]", "{\"id\"}", "{\"id\":}", "{\"id\":\"x\",}", "{\"id\":\"x\" \"name\":\"y\"}", "tru", "\"", "\"\\", "{\"a\":\"\\u12\"}", "{\"a\":\"\\q\"}", "\u0001", "{\"a\":1}}", "[1 2]", "-", "1.", ".5", "1e", "+1",
  "{\"a\":'x'}", "{\"a\":01}", "{\"a\":0x1}", "{\"a\":Infinity}", "{\"a\":\"tab\there\"}", "{\"a\":\"new\nline\"}", "\u00a0{}", "{}\u0000", "\u0000{}", "//x\n{}", "/*x*/{}"];
test("malformed bodies on every route that reads one", async () => {
  for (const body of bodies)
    for (const [method, target] of [["POST", "/api/things"], ["POST", "/api/things/batch"], ["POST", "/api/things/batch/upsert"], ["PATCH", "/api/things/a"], ["PUT", "/api/things/a"], ["PATCH", "/api/things/batch?filter=qty>0"]]) {
      const { json } = await isRefused([400], method, target, body);
      assert.equal(json.detail, "Request body is not valid JSON", `${method} ${target} ${body}`);
    }
  isUntouched();
});

test("bodies of a wrong shape", async () => {
  for (const body of ["[]", "null", "1", "\"x\"", "true", "[[]]", "{\"id\":{}}", "{\"id\":[1],\"name\":null}", "{\"items\":1}"]) {
    await isRefused([400], "POST", "/api/things", body);
    await isRefused([400], "POST", "/api/things/batch", body);
    await isRefused([400], "PUT", "/api/things/a", body);
  }
  for (const body of ["{\"items\":[1]}", "{\"items\":[null,{}]}", "{\"items\":{\"0\":{}}}", "{\"items\":[[]]}"]) await isRefused([400], "POST", "/api/things/batch/upsert", body);
  isUntouched();
});

test("numbers beyond every range", async () => {
  for (const number of ["1e400", "-1e400", "9".repeat(400), "1" + "0".repeat(5000), "9007199254740993", "1.5", "1e-400000", `0.${"0".repeat(300)}1`]) {
    const fits = /e-|^0\./.test(number);
    if (!fits || number.startsWith("0.")) await isRefused([400], "PATCH", "/api/things/a", `{"qty":${number}}`);
  }
  for (const number of ["1e400", "-1e400", "9".repeat(400)]) await isRefused([400], "PATCH", "/api/things/a", `{"r":${number}}`);
  for (const number of ["1e400", "9".repeat(400), "-1e999999999", "0.5", "9007199254740993", "8640000000000001"]) await isRefused([400], "PATCH", "/api/things/a", `{"at":${number}}`);
  for (const id of ["9".repeat(400), "1e400", "-", "+1e", "9223372036854775808", "-9223372036854775809", "1e19", "0x1", "١"]) await isRefused([404], "GET", `/api/numbered/${encodeURIComponent(id)}`);
  isUntouched();
});

test("escapes that are none, and invalid UTF-8 in path, query and body", async () => {
  const bytes = [[0xff], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80], [0x80]].map((list) => Buffer.from(list));
  for (const raw of bytes) {
    const escaped = [...raw].map((b) => `%${b.toString(16)}`).join("");
    for (const part of [Buffer.from(escaped), raw]) {
      await isRefused([400, 404], "GET", Buffer.concat([Buffer.from("/api/things/"), part]));
      await isRefused([400, 404], "PATCH", Buffer.concat([Buffer.from("/api/things/"), part]), "{\"qty\":9}");
      await isRefused([400, 404], "DELETE", Buffer.concat([Buffer.from("/api/things/x"), part]));
      await isRefused([400, 404], "GET", Buffer.concat([Buffer.from("/"), part]));
      await isRefused([400], "GET", Buffer.concat([Buffer.from("/api/things?filter="), part]));
      await isRefused([400], "GET", Buffer.concat([Buffer.from("/api/things?orderBy="), part]));
      await isRefused([400], "GET", Buffer.concat([Buffer.from("/api/things?cursor="), part]));
      await isRefused([400], "GET", Buffer.concat([Buffer.from("/api/things?limit="), part]));
      const select = await connection.send("GET", Buffer.concat([Buffer.from("/api/things/a?select=id,"), part]));
      assert.ok([200, 400].includes(select.status));
      if (select.headers.connection === "close") connection = app.connect();
    }
    await isRefused([400], "POST", "/api/things", Buffer.concat([Buffer.from("{\"id\":\"n\",\"name\":1,\""), raw, Buffer.from("\":\"x\"}")]));
    await isRefused([400], "POST", "/api/things", raw);
  }
  for (const target of ["/api/things/%", "/api/things/%2", "/api/things/%zz", "/api/things/%00", "/%", "/api/things/%25%", "/api/things/%u0041"]) await isRefused([404], "GET", target);
  for (const text of ["filter=%", "filter=%zz", "filter=%00", "limit=%", "orderBy=%2", "cursor=%"]) await isRefused([400], "GET", `/api/things?${text}`);
  isUntouched();
});

test("a byte too many: 413, and the body at the limit is fine", async () => {
  const body = (size) => { const head = "{\"id\":\"big\",\"name\":\"", tail = "\"}"; return head + "x".repeat(size - head.length - tail.length) + tail; };
  for (const [method, target] of [["POST", "/api/things"], ["PUT", "/api/things/a"], ["POST", "/api/things/batch"], ["PATCH", "/api/things/a"]]) {
    const response = await isRefused([413], method, target, body((1 << 20) + 1));
    assert.equal(response.json.code, "PAYLOAD_TOO_LARGE");
  }
  isUntouched();
  connection.end();
  connection = app.connect();
  const fits = await connection.send("POST", "/api/things", body(1 << 20));
  assert.equal(fits.status, 201);
  assert.equal(fits.json.name.length, (1 << 20) - 22);
});

test("nesting: 64 levels are read, 65 are not JSON for this server", async () => {
  const nest = (depth, open, close) => open.repeat(depth - 1) + "[]" + close.repeat(depth - 1);
  for (const [open, close] of [["[", "]"], ["{\"a\":", "}"]]) {
    const fits = await connection.send("PATCH", "/api/things/b", `{"doc":${nest(63, open, close)}}`);
    assert.equal(fits.status, 200, fits.text);
    for (const depth of [64, 65, 1000, 100000]) {
      const { json } = await isRefused([400], "PATCH", "/api/things/b", `{"doc":${nest(depth, open, close)}}`);
      assert.equal(json.detail, "Request body is not valid JSON");
    }
  }
  await isRefused([400], "POST", "/api/things", "[".repeat(500000));
  await isRefused([400], "POST", "/api/things", "{\"a\":".repeat(150000));
});

test("objects of 10,000 keys, unknown or repeated, in time", async () => {
  const started = Date.now();
  const keys = (make) => Array.from({ length: 10000 }, (_, i) => make(i)).join(",");
  for (const body of [`{${keys((i) => `"k${i}":${i}`)}}`, `{${keys(() => "\"qty\":1")}}`, `{"doc":{${keys((i) => `"${9999 - i}":${i}`)}}}`, `{"doc":{${keys(() => "\"same\":1")}}}`, `{"doc":[${keys((i) => i)}]}`, `{"doc":{${keys((i) => `"k${i % 5000}":${i}`)}}}`]) {
    const response = await connection.send("PATCH", "/api/things/a", body);
    assert.equal(response.status, 200, response.text.slice(0, 300));
    const doc = JSON.parse(body).doc;
    if (doc !== undefined) assert.equal(JSON.stringify(response.json.doc), JSON.stringify(doc));
  }
  const many = await connection.send("POST", "/api/things/batch", JSON.stringify({ items: Array(10000).fill({}) }));
  assert.equal(many.status, 400);
  assert.ok(Date.now() - started < 10000, `${Date.now() - started} ms`);
});

test("long lists of parameters and very long values", async () => {
  const long = "x".repeat(7000);
  for (const text of [`select=${long}`, `unknown=${long}`, `${"a&".repeat(3000)}`, `select=${"id,".repeat(2000)}`]) assert.equal((await connection.send("GET", `/api/things/a?${text}`)).status, 200);
  for (const text of [`orderBy=${long}`, `filter=${long}`, `cursor=${long}`, `limit=${long}`]) await isRefused([400], "GET", `/api/things?${text}`);
  for (const text of [`groupBy=${"qty,".repeat(1000)}`, `orderBy=${"name,-qty,".repeat(500)}`]) {
    const response = await connection.send("GET", `/api/things${text.startsWith("group") ? "/aggregate" : ""}?${text}`);
    assert.ok([200, 400].includes(response.status), response.text);
  }
  await isRefused([404], "GET", `/api/things/${long}`);
  await isRefused([414], "GET", `/api/things/${"x".repeat(9000)}`);
  await isRefused([431], "GET", "/api/things", undefined, { "X-Long": "x".repeat(20000) });
  isUntouched();
});

test("wrong methods, and unknown ids on every route by id", async () => {
  for (const method of ["POST", "OPTIONS", "TRACE", "PROPFIND", "LOCK", "SEARCH"]) await isRefused([400, 404, 405, 501], method, "/api/things/a");
  for (const method of ["PUT", "PATCH", "DELETE"]) await isRefused([404], method, "/api/things", "{}");
  for (const id of ["zz", "A", "a%20", "%20a", "a%00", "%2e%2e", "..", "-1", "null", "undefined", "__proto__", "constructor"])
    for (const [method, body] of [["GET"], ["PATCH", "{\"qty\":9}"], ["PUT", "{\"id\":\"a\",\"name\":\"x\"}"], ["DELETE"]]) await isRefused([404], method, `/api/things/${id}`, body);
  isUntouched();
});

test("wrong media types change nothing: the body counts", async () => {
  for (const type of ["multipart/form-data; boundary=x", "application/xml", "text/html", "application/json; charset=utf-16", ",,,", ""]) {
    await isRefused([400], "POST", "/api/things", "--x\r\n\r\n--x--", { "Content-Type": type });
    const ok = await connection.send("PATCH", "/api/things/a", "{}", { "Content-Type": type, Accept: "text/html" });
    isJson(ok, 200, A);
  }
  isUntouched();
});

test("hostile texts are stored as they are and break no SQL", async () => {
  const texts = ["'; DROP TABLE things; --", "\" OR \"\"=\"", "%_\\", "\\", "?1 :x @y $z", "/*", "';", "\u202e\u0000".replace("\0", ""), "NULL", "${jndi:x}", "<script>", "\r\nX-Injected: 1", "x'00'"];
  for (const text of texts) {
    const response = await connection.send("PATCH", "/api/things/b", JSON.stringify({ name: text }));
    assert.equal(response.json.name, text);
    assert.equal(response.headers["x-injected"], undefined);
    const found = await connection.send("GET", `/api/things${query({ filter: `name=="${text.replaceAll("\\", "\\\\").replaceAll("\"", "\\\"")}"` })}`);
    assert.deepEqual(found.json.items.map((row) => row.name), [text]);
    const echoed = await connection.send("POST", "/api/things", JSON.stringify({ id: `x${text}`, name: "n" }), { "X-Covara-Optimistic-Id": text.replace(/[\r\n\u202e]/g, "") });
    assert.equal(echoed.status, 201);
    assert.equal(echoed.json._optimisticId, text.replace(/[\r\n\u202e]/g, "") || undefined);
  }
});

test("requests that are no HTTP are refused, and the server goes on", async () => {
  for (const bytes of ["\r\n\r\n\r\nnonsense\r\n\r\n", "GET\r\n\r\n", "GET /api/things\r\n\r\n", "GET /api/things HTTP/9.9\r\n\r\n", "GET /api/things HTTP/1.1\r\nHost\r\n\r\n", "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /api/things HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "POST /api/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n{", "POST /api/things HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "POST /api/things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "POST /api/things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "\u0016\u0003\u0001\u0002", "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n"]) {
    const other = app.connect();
    other.write(Buffer.from(bytes, "latin1"));
    other.write("\r\n\r\n");
    const response = await other.read();
    assert.ok(response === null || (response.status >= 400 && response.status < 500) || response.status === 505 || response.status === 501, `${JSON.stringify(bytes)}: ${response?.status}`);
    other.end();
  }
  isJson(await app.get("/api/things/a"), 200, A);
  isUntouched();
});
