// SPDX-License-Identifier: MIT
// Every logical type in and out, numbers, text and JSON documents (spec/01 sections 4, 8 and 9).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everyone, isInvalid, isJson, missing, query, random, seed, startProject } from "./support.mjs";

const app = await startProject({
  schema: `
    CREATE TABLE v (id INTEGER PRIMARY KEY, t TEXT, ch VARCHAR(3), i INTEGER, r REAL, n NUMERIC, b BOOLEAN, ts TIMESTAMP,
                    tm TIMESTAMP_MS, dt DATETIME, j JSON, bl BLOB, e TEXT CHECK (e IN ('a','b')), d DECIMAL(10,2), dd DATE, f FLOAT, bi BIGINT);
    CREATE TABLE must (id TEXT PRIMARY KEY, e TEXT NOT NULL CHECK (e IN ('a','b')), j JSON NOT NULL, bl BLOB NOT NULL, ts TIMESTAMP NOT NULL,
                       b BOOLEAN NOT NULL, n NUMERIC NOT NULL);
    CREATE TABLE limited (id INTEGER PRIMARY KEY, t TEXT, ch TEXT, "from" TEXT);
    CREATE TABLE clock (id INTEGER PRIMARY KEY, at DATETIME DEFAULT CURRENT_TIMESTAMP, ts TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                        ms TIMESTAMP_MS NOT NULL DEFAULT CURRENT_TIMESTAMP, plain TEXT DEFAULT (upper('x') || 'y'), n INTEGER DEFAULT -5,
                        s TEXT DEFAULT 'it''s', yes BOOLEAN DEFAULT TRUE);`,
  config: {
    resources: {
      v: { auth: everyone, pagination: { maxLimit: 1000 } }, must: { auth: everyone }, clock: { auth: everyone },
      limited: { auth: everyone, columns: { t: { name: "text", maxLength: 2 }, ch: { enum: ["x", "yy"] } } },
    },
  },
});
after(() => app.stop());

const NOTHING = Object.fromEntries(["t", "ch", "i", "r", "n", "b", "ts", "tm", "dt", "j", "bl", "e", "d", "dd", "f", "bi"].map((k) => [k, null]));
app.sql("INSERT INTO v (id) VALUES (1); INSERT INTO limited (id) VALUES (1)");
const reset = () => app.sql("DELETE FROM v WHERE id<>1; UPDATE v SET " + Object.keys(NOTHING).map((k) => `${k}=NULL`).join(","));

/* Send {column: text} as it stands; the very text of that member in the answer, and again in a GET and a list. */
async function through(column, text) {
  const response = await app.patch("/api/v/1", `{"${column}":${text}}`);
  assert.equal(response.status, 200, `${column} ${text}: ${response.text}`);
  assert.equal((await app.get("/api/v/1")).text, response.text);
  const one = (await app.get(`/api/v/1?select=${column}`)).text;
  return one.slice(`{"${column}":`.length, -1);
}
async function accepts(column, pairs) {
  for (const [sent, shown, stored] of pairs) {
    assert.equal(await through(column, sent), shown, `${column}: ${sent}`);
    if (stored !== undefined) assert.deepEqual(app.sql(`SELECT ${column} AS value FROM v WHERE id=1`)[0].value, stored, `${column}: ${sent} in the table`);
  }
  assert.equal(await through(column, "null"), "null");
}
async function refuses(column, pairs) {
  reset();
  for (const [sent, ...messages] of pairs)
    isInvalid(await app.patch("/api/v/1", `{"${column}":${sent}}`), ...messages.map((message) => [column, message]));
  isJson(await app.get("/api/v/1"), 200, { id: 1, ...NOTHING });
}
const kinds = (expected, list) => list.map(([sent, kind]) => [sent, `Invalid input: expected ${expected}, received ${kind}`]);

test("a row of nothing but null", async () => {
  reset();
  isJson(await app.post("/api/v", {}), 201, { id: 2, ...NOTHING });
  isJson(await app.put("/api/v/1", { i: null }), 200, { id: 1, ...NOTHING });
});

test("TEXT", async () => {
  await accepts("t", [["\"\"", "\"\"", ""], ["\"a\\\"b\\\\c\\/d\"", "\"a\\\"b\\\\c/d\""], ["\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\"", "\"\\b\\t\\n\\f\\r\\u0001\\u001f\u007f\""],
    ["\"é😀\u2028\u2029\\u00e9\\ud83d\\ude00\"", "\"é😀\u2028\u2029é😀\""], ["\"12\"", "\"12\"", "12"], ["\"null\"", "\"null\"", "null"]]);
  await refuses("t", [...kinds("string", [["1", "number"], ["true", "boolean"], ["[]", "array"], ["{}", "object"]]),
    ["\"a\\u0000b\"", "Invalid input: text must not contain NUL (U+0000)"]]);
});

test("VARCHAR(n) counts code points", async () => {
  await accepts("ch", [["\"abc\"", "\"abc\""], ["\"😀😀😀\"", "\"😀😀😀\""], ["\"\"", "\"\""]]);
  for (const long of ["\"abcd\"", "\"😀😀😀😀\"", "\"e\\u0301e\\u0301\""])
    await refuses("ch", [[long, "Too big: expected string to have <=3 characters"]]);
});

test("INTEGER, as numbers up to 2^53-1 and as strings beyond", async () => {
  await accepts("i", [["0", "0", 0], ["-0", "0", 0], ["5", "5", 5], ["1.0", "1", 1], ["1e2", "100", 100], ["-7.0e1", "-70", -70],
    ["9007199254740991", "9007199254740991"], ["-9007199254740991", "-9007199254740991"], ["\"9007199254740993\"", "\"9007199254740993\""],
    ["\"9223372036854775807\"", "\"9223372036854775807\""], ["\"-9223372036854775808\"", "\"-9223372036854775808\""]]);
  const tooBig = ["Too big: expected int to be <=9007199254740991", "Too big: expected number to be <=9007199254740991"];
  const tooSmall = ["Too small: expected int to be >=-9007199254740991", "Too small: expected number to be >=-9007199254740991"];
  await refuses("i", [["1.5", "Invalid input: expected int, received number"], ["1e-3", "Invalid input: expected int, received number"],
    ["9007199254740992", ...tooBig], ["9007199254740993", ...tooBig], ["1e300", ...tooBig], ["123456789012345678901234567890", ...tooBig],
    ["-9007199254740993", ...tooSmall], ["1e400", "Invalid input: expected number, received Infinity"], ["-1e999", "Invalid input: expected number, received Infinity"],
    ...kinds("number", [["\"5\"", "string"], ["\"9223372036854775808\"", "string"], ["\"9007199254740993.0\"", "string"], ["\"abc\"", "string"],
      ["true", "boolean"], ["[1]", "array"], ["{}", "object"]])]);
  assert.equal(await through("bi", "\"123456789012345678\""), "\"123456789012345678\"");
  assert.equal(await through("bi", "123456789012345"), "123456789012345");
});

test("REAL, any finite number", async () => {
  await accepts("r", [["0.1", "0.1"], ["1", "1"], ["-0.0", "0"], ["1e21", "1e+21"], ["1e20", "100000000000000000000"], ["1e-6", "0.000001"], ["1e-7", "1e-7"],
    ["5e-324", "5e-324"], ["1e-999", "0"], ["1.7976931348623157e308", "1.7976931348623157e+308"], ["123456789012345678", "123456789012345680"],
    ["140737488355328", "140737488355328"], ["0.30000000000000004", "0.30000000000000004"]]);
  await refuses("r", [["1e400", "Invalid input: expected number, received Infinity"], ...kinds("number", [["\"1\"", "string"], ["false", "boolean"], ["[]", "array"]])]);
});

test("random doubles come back as JavaScript writes them", async () => {
  const rng = random(seed);
  const view = new DataView(new ArrayBuffer(8));
  const numbers = [];
  while (numbers.length < 400) {
    view.setUint32(0, rng.below(2 ** 32)); view.setUint32(4, rng.below(2 ** 32));
    const bits = view.getFloat64(0);
    const x = rng.pick([bits, rng.next() * 10 ** rng.below(25), rng.below(1e9) / 10 ** rng.below(12), 2 ** (rng.below(140) - 70), -rng.next()]);
    if (Number.isFinite(x)) numbers.push(Object.is(x, -0) ? 0 : x);
  }
  for (let from = 0; from < numbers.length; from += 100) {
    const items = numbers.slice(from, from + 100).map((r, i) => ({ id: 1000 + from + i, r, f: r, j: [r] }));
    const response = await app.post("/api/v/batch", { items });
    assert.equal(response.status, 200, response.text);
    response.json.items.forEach((row, i) => {
      assert.ok(response.text.includes(`"r":${JSON.stringify(items[i].r)},`), `seed ${seed}: ${items[i].r}`);
      assert.deepEqual([row.r, row.f, row.j[0]], [items[i].r, items[i].r, items[i].r]);
    });
  }
  reset();
});

test("NUMERIC and DECIMAL travel as strings", async () => {
  for (const column of ["n", "d"])
    await accepts(column, [["\"12.50\"", "\"12.5\""], ["\"007\"", "\"7\""], ["\"0\"", "\"0\""], ["\"-1.25\"", "\"-1.25\""], ["\"1e3\"", "\"1000\""], ["\"9007199254740993\"", "\"9007199254740993\""]]);
  await refuses("n", [...kinds("string", [["12.5", "number"], ["true", "boolean"]]), ["\"abc\"", "Invalid input: expected a decimal number as a string"],
    ["\"\"", "Invalid input: expected a decimal number as a string"]]);
});

test("BOOLEAN is true or false; a stored 5 reads as false", async () => {
  await accepts("b", [["true", "true", 1], ["false", "false", 0]]);
  await refuses("b", kinds("boolean", [["1", "number"], ["0", "number"], ["\"true\"", "string"], ["[]", "array"]]));
  app.sql("UPDATE v SET b=5 WHERE id=1");
  assert.equal((await app.get("/api/v/1?select=b")).text, "{\"b\":false}");
});

const instants = [["\"2024-01-02T03:04:05.000Z\"", 1704164645000], ["\"2024-01-02\"", 1704153600000], ["\"2024-01-02T03:04:05Z\"", 1704164645000],
  ["\"2024-01-02T03:04:05\"", 1704164645000], ["\"2024-01-02T05:04:05+02:00\"", 1704164645000], ["\"2024-01-02T03:04:05.5Z\"", 1704164645500],
  ["\"2024-01-02T03:04:05.678Z\"", 1704164645678], ["\"2024-01-02T03:04:05.678901Z\"", 1704164645678], ["1704164645678", 1704164645678], ["0", 0],
  ["-1", -1], ["\"1969-12-31T23:59:59.999Z\"", -1], ["\"0001-01-01T00:00:00Z\"", -62135596800000], ["\"9999-12-31T23:59:59.999Z\"", 253402300799999]];

test("TIMESTAMP stores whole seconds", async () => {
  await accepts("ts", instants.map(([sent, ms]) => {
    const seconds = Math.floor(ms / 1000);
    return [sent, JSON.stringify(new Date(seconds * 1000).toISOString()), seconds];
  }));
});

test("TIMESTAMP_MS stores milliseconds", async () => {
  await accepts("tm", instants.map(([sent, ms]) => [sent, JSON.stringify(new Date(ms).toISOString()), ms]));
  await accepts("tm", [["253402300800000", "\"+010000-01-01T00:00:00.000Z\"", 253402300800000], ["-62167219200001", "\"-000001-12-31T23:59:59.999Z\""]]);
});

test("DATETIME stores the instant as text in UTC", async () => {
  await accepts("dt", instants.map(([sent, ms]) => [sent, JSON.stringify(new Date(ms).toISOString()), new Date(ms).toISOString()]));
});

test("what is no instant is refused by each type of time", async () => {
  for (const column of ["ts", "tm", "dt"])
    await refuses(column, kinds("date", [["\"yesterday\"", "string"], ["\"2024-13-01\"", "string"], ["\"2024-01-02T25:00:00Z\"", "string"], ["\"\"", "string"],
      ["\"1704164645678\"", "string"], ["1.5", "number"], ["1e300", "number"], ["true", "boolean"], ["[]", "array"], ["{}", "object"]]));
});

test("times that others stored as they liked are readable", async () => {
  app.sql("UPDATE v SET ts=1.5, tm='soon', dt='2024-01-02 03:04:05' WHERE id=1");
  const { json } = await app.get("/api/v/1");
  assert.deepEqual([json.ts, json.tm, json.dt], ["1970-01-01T00:00:01.500Z", "soon", "2024-01-02T03:04:05.000Z"]);
  app.sql("UPDATE v SET ts=9223372036854775807, tm=-9223372036854775808, dt='not a date' WHERE id=1");
  const far = (await app.get("/api/v/1")).json;
  assert.deepEqual([far.ts, far.tm, far.dt], [null, null, "not a date"]);
});

test("CURRENT_TIMESTAMP as default is now, in the column's own storage", async () => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const { status, json } = await app.post("/api/clock", {});
  assert.equal(status, 201);
  assert.deepEqual([json.plain, json.n, json.s, json.yes], ["Xy", -5, "it's", true]);
  for (const name of ["at", "ts", "ms"]) {
    assert.match(json[name], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Date.parse(json[name]) >= before && Date.parse(json[name]) <= Date.now(), `${name} ${json[name]}`);
  }
  const types = app.sql("SELECT typeof(at) AS at, typeof(ts) AS ts, typeof(ms) AS ms FROM clock");
  assert.deepEqual(types, [{ at: "text", ts: "integer", ms: "integer" }]);
  app.sql("UPDATE clock SET at='2000-01-01T00:00:00.000Z', ts=0, ms=0, plain='p', n=1, s='s', yes=0");
  const put = (await app.put("/api/clock/1", {})).json;
  assert.deepEqual([put.plain, put.n, put.s, put.yes], ["Xy", -5, "it's", true]);
  for (const name of ["at", "ts", "ms"]) assert.ok(Date.parse(put[name]) >= before, `${name} after PUT: ${put[name]}`);
});

test("JSON is stored compact, in JavaScript's canonical order", async () => {
  const texts = ["{\"b\":1,\"2\":2,\"1\":1}", "[ 1 , 2.0 , {\"a\" : null} ]", "true", "\"x\"", "5", "1.50", "1e21", "{}", "[]", "\"\"",
    "{\"a\":1,\"a\":2}", "{\"__proto__\":{\"x\":1},\"constructor\":2}", "{\"01\":1,\"1\":2,\"-1\":3,\"4294967294\":4,\"4294967295\":5,\"1.5\":6}",
    "12345678901234567890", "9007199254740992", "-9223372036854775808", "-0", "{\"é\":\"\u2028\",\"\":0}", "{\"10\":1,\"9\":2,\"b\":3,\"a\":4,\"0\":5}", "[[[[]]]]", "\"\\u0000\\u001f\""];
  await accepts("j", texts.map((text) => [text, JSON.stringify(JSON.parse(text))]));
  await through("j", "[ 1, {\"b\" :2} ]");
  assert.equal(app.sql("SELECT j FROM v WHERE id=1")[0].j, "[1,{\"b\":2}]");
  assert.equal(await through("j", "null"), "null");
  assert.equal(app.sql("SELECT typeof(j) AS t FROM v WHERE id=1")[0].t, "null");
  assert.equal(await through("j", "[null,1e400]"), "[null,null]");
});

test("random JSON documents come back as JavaScript would write them", async () => {
  const rng = random(seed + 1);
  const word = () => rng.pick(["a", "b", "10", "2", "01", "x y", "é", "😀", "\"", "\\", "__proto__", "-1", "", "1e3"]);
  const make = (depth) => {
    const kind = rng.below(depth > 4 ? 5 : 7);
    if (kind === 0) return rng.pick(["null", "true", "false"]);
    if (kind === 1) return String(rng.pick([rng.below(1000), -rng.below(1000), rng.next() * 1e6, 1e21 * rng.next(), 1e-9 * rng.next()]));
    if (kind <= 4) return JSON.stringify(word());
    const many = Array.from({ length: rng.below(6) });
    return kind === 5 ? `[${many.map(() => make(depth + 1)).join(" ,")}]` : `{ ${many.map(() => `${JSON.stringify(word())} :${make(depth + 1)}`).join(",\n")}}`;
  };
  for (let i = 0; i < 150; i++) {
    const text = make(0);
    assert.equal(await through("j", text), JSON.stringify(JSON.parse(text)), `seed ${seed}, document ${i}: ${text}`);
  }
});

test("text in a JSON column that is no JSON goes out as a string", async () => {
  app.sql("UPDATE v SET j='{broken' WHERE id=1");
  assert.equal((await app.get("/api/v/1?select=j")).text, "{\"j\":\"{broken\"}");
});

test("BLOB is base64, and takes the form of Buffer too", async () => {
  await accepts("bl", [["\"AQL/\"", "\"AQL/\""], ["\"AQL_\"", "\"AQL/\""], ["\"\"", "\"\""], ["\"AA==\"", "\"AA==\""], ["\"AA\"", "\"AA==\""],
    ["{\"type\":\"Buffer\",\"data\":[1,2,255]}", "\"AQL/\""], ["{\"type\":\"Buffer\",\"data\":[]}", "\"\""]]);
  await through("bl", "\"AQL/\"");
  assert.deepEqual(app.sql("SELECT hex(bl) AS h, typeof(bl) AS t FROM v WHERE id=1"), [{ h: "0102FF", t: "blob" }]);
  await refuses("bl", ["\"!!\"", "\"A\"", "5", "[1]", "{\"type\":\"Buffer\",\"data\":[256]}", "{\"type\":\"Buffer\",\"data\":[-1]}", "{\"type\":\"Buffer\"}", "true", "\"AQ L/\""]
    .map((sent) => [sent, "Invalid input: expected base64 text"]));
});

test("an enumeration from CHECK (x IN (...)) or the configuration", async () => {
  const options = "Invalid option: expected one of \"a\"|\"b\"";
  await accepts("e", [["\"a\"", "\"a\""], ["\"b\"", "\"b\""]]);
  await refuses("e", [["\"c\"", options], ["\"A\"", options], ["1", options], ["[]", options]]);
  isInvalid(await app.patch("/api/limited/1", { ch: "z", text: "abc" }), ["text", "Too big: expected string to have <=2 characters"],
    ["ch", "Invalid option: expected one of \"x\"|\"yy\""]);
  isJson(await app.patch("/api/limited/1", { ch: "yy", text: "ab", from: "a keyword" }), 200, { id: 1, text: "ab", ch: "yy", from: "a keyword" });
});

test("50 what is missing from required columns, by type", async () => {
  isInvalid(await app.post("/api/must", {}), ["id", missing("string", "id")], ["e", "Invalid option: expected one of \"a\"|\"b\""], ["j", "Invalid input"],
    ["bl", "Invalid input"], ["ts", missing("date", "ts")], ["b", missing("boolean", "b")], ["n", missing("string", "n")]);
  isInvalid(await app.post("/api/must", { id: "x", e: null, j: null, bl: null, ts: null, b: null, n: null }), ["e", "Invalid option: expected one of \"a\"|\"b\""],
    ["j", "Invalid input"], ["bl", "Invalid input"], ["ts", "Invalid input: expected date, received null"], ["b", "Invalid input: expected boolean, received null"],
    ["n", "Invalid input: expected string, received null"]);
});

test("unpaired surrogates and invalid UTF-8 are stored as U+FFFD, and nothing else changes", async () => {
  for (const [sent, shown] of [["\"\\ud800x\"", "\ufffdx"], ["\"\\udc00\\ud800\"", "\ufffd\ufffd"], ["\"\\ud83d\\ude00\\ud83d\"", "😀\ufffd"], ["\"\\uD800\\u0041\"", "\ufffdA"]])
    assert.equal(await through("t", sent), JSON.stringify(shown));
  for (const bytes of [[0xff], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80], [0x80, 0x41, 0xfe]]) {
    const body = Buffer.concat([Buffer.from("{\"t\":\"<"), Buffer.from(bytes), Buffer.from(">\",\"j\":[\""), Buffer.from(bytes), Buffer.from("\"]}")]);
    const { status, json, text } = await app.patch("/api/v/1", body);
    const once = (value) => value.replace(/\ufffd+/g, "\ufffd"); /* how many stand for a sequence is open */
    const expected = once(new TextDecoder().decode(Buffer.from(bytes)));
    assert.equal(status, 200, text);
    assert.deepEqual([once(json.t), once(json.j[0])], [`<${expected}>`, expected], bytes.map((b) => b.toString(16)).join(" "));
  }
});

test("of equal keys the last counts, and __proto__ is a key like any other", async () => {
  reset();
  isJson(await app.patch("/api/v/1", "{\"t\":\"first\",\"i\":\"no number\",\"t\":\"last\",\"i\":3,\"__proto__\":{\"r\":1},\"constructor\":1,\"toString\":2}"), 200,
    { id: 1, ...NOTHING, t: "last", i: 3 });
  isInvalid(await app.patch("/api/v/1", "{\"i\":3,\"i\":\"x\"}"), ["i", "Invalid input: expected number, received string"]);
  isJson(await app.patch("/api/v/1", "{\"\\u0074\":\"escaped key\"}"), 200, { id: 1, ...NOTHING, t: "escaped key", i: 3 });
});

test("NUL is no part of an id or a filter that matches", async () => {
  const { status, json } = await app.get("/api/must/a%00b");
  assert.deepEqual([status, json.code, json.id], [404, "NOT_FOUND", "a\0b"]);
  isJson(await app.get(`/api/v/count${query({ filter: "t==\"a\0b\"" })}`), 200, { count: 0 });
  assert.equal((await app.get("/api/v?orderBy=t%00")).status, 400);
});
