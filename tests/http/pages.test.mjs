// SPDX-License-Identifier: MIT
// Walks through lists against a naive model: each row exactly once and in the model's order (spec/03 sections 2 to 6).
//
// Random data with NULLs and ties, every type of column, mixed directions, page sizes 1 to 7, both places for NULL,
// with and without filters. COV_SEED repeats a run.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everyone, query, random, seed, startProject, walk } from "./support.mjs";

const columns = `s TEXT, i INTEGER, r REAL, n NUMERIC, b BOOLEAN, ts TIMESTAMP, ms TIMESTAMP_MS, dt DATETIME, big INTEGER, must TEXT NOT NULL, k INTEGER NOT NULL`;
const resource = (table, nullsPosition) => ({ table, auth: everyone, pagination: { maxLimit: 1000, nullsPosition } });
const app = await startProject({
  schema: `
    CREATE TABLE by_number (id INTEGER PRIMARY KEY, ${columns});
    CREATE TABLE by_text (id TEXT PRIMARY KEY, ${columns}) WITHOUT ROWID;
    CREATE INDEX by_number_s_i ON by_number (s, i);
    CREATE INDEX by_text_k ON by_text (k DESC, ts);`,
  config: {
    cursorSigningSecret: "walks",
    resources: {
      numberLast: resource("by_number", "last"), numberFirst: resource("by_number", "first"),
      textLast: resource("by_text", "last"), textFirst: resource("by_text", "first"),
    },
  },
});
after(() => app.stop());

const compareBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const plain = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const types = {
  s: { values: ["", "a", "B", "b", "é", "😀", "\uffee", "a%", "\"q\\", " a", "10", "9", "2024-01-01", "O'Brien"], compare: compareBytes },
  must: { values: ["x", "y", "z", "Z"], compare: compareBytes },
  i: { values: [-3, 0, 1, 2, 10, 9007199254740991], compare: plain },
  big: { values: ["9007199254740993", "9007199254740992", "-9223372036854775808", "9223372036854775807", 7, -7], compare: (a, b) => plain(BigInt(a), BigInt(b)) },
  k: { values: [1, 2, 3], compare: plain },
  r: { values: [0.1, 0.30000000000000004, 0.3, -1e-7, 1e21, 5e-324, 0, 1.5, -2], compare: plain },
  n: { values: ["0.1", "12.5", "7", "-3", "100", "1000000"], compare: (a, b) => plain(Number(a), Number(b)) },
  b: { values: [true, false], compare: plain },
  ts: { values: ["1969-12-31T23:59:59.000Z", "1970-01-01T00:00:00.000Z", "2024-01-15T10:30:00.000Z", "2038-01-19T03:14:08.000Z"], compare: plain },
  ms: { values: ["1969-12-31T23:59:59.999Z", "2024-01-15T10:30:00.001Z", "2024-01-15T10:30:00.002Z"], compare: plain },
  dt: { values: ["2024-01-15T10:30:00.000Z", "2024-01-15T10:30:00.500Z", "2023-01-01T00:00:00.000Z"], compare: plain },
};
const fields = Object.keys(types);

function makeRow(rng, id) {
  const row = { id };
  for (const [name, { values }] of Object.entries(types))
    row[name] = name !== "must" && name !== "k" && rng.chance(0.25) ? null : rng.pick(values);
  return row;
}

/* Names such as r-9 and R_10: neither in numeric nor in insertion order. */
const ids = { number: (rng, i) => i * 3 + rng.below(3) - 50, text: (rng, i) => `${rng.pick(["r", "R", "é", "_"])}${rng.pick(["-", "/", "\""])}${i}` };

async function fill(kind) {
  const rng = random(seed + kind.length);
  const rows = Array.from({ length: 70 }, (_, i) => makeRow(rng, ids[kind](rng, i)));
  const response = await app.post(`/api/${kind}Last/batch`, { items: rows });
  assert.equal(response.status, 200, response.text);
  assert.deepEqual(response.json.items, rows.map((row) => Object.fromEntries(["id", "s", "i", "r", "n", "b", "ts", "ms", "dt", "big", "must", "k"].map((k) => [k, row[k]]))));
  return rows.sort((a, b) => (kind === "number" ? plain(a.id, b.id) : compareBytes(a.id, b.id)));
}
const data = { number: await fill("number"), text: await fill("text") };

/* Each with the same meaning twice: for the server, and for the model. NULL makes a comparison false. */
const filters = [
  [undefined, () => true],
  ["i>0", (row) => row.i !== null && row.i > 0],
  ["s!=\"a\"", (row) => row.s !== null && row.s !== "a"],
  ["b==true,i=isnull=true", (row) => row.b === true || row.i === null],
  ["k==2;must!=\"z\"", (row) => row.k === 2 && row.must !== "z"],
  ["ts>\"2000-01-01\"", (row) => row.ts !== null && row.ts > "2000-01-01"],
  ["r=between=[-1,1]", (row) => row.r !== null && row.r >= -1 && row.r <= 1],
  ["s=in=(\"\",\"é\",\"😀\",\"10\")", (row) => ["", "é", "😀", "10"].includes(row.s)],
  ["n<100;k>1", (row) => row.n !== null && Number(row.n) < 100 && row.k > 1],
  ["id==\"no such row\"", () => false],
];

function makeOrder(rng) {
  const n = rng.below(4);
  const terms = Array.from({ length: n }, () => ({ name: rng.chance(0.05) ? "id" : rng.pick(fields), desc: rng.chance(0.5) }));
  const text = terms.map(({ name, desc }) => (desc ? rng.pick([`-${name}`, `${name}:desc`, ` ${name} : DESC `]) : rng.pick([name, `+${name}`, `${name}:asc`]))).join(",");
  return { terms, text: n === 0 ? undefined : text };
}

function model(kind, terms, nullsPosition, keep) {
  const idCompare = kind === "number" ? plain : compareBytes;
  const nullSign = nullsPosition === "last" ? 1 : -1;
  const compare = ({ name, desc }, a, b) => {
    const compareValues = name === "id" ? idCompare : types[name].compare;
    const [x, y] = [a[name], b[name]];
    const order = x === null || y === null ? (x === y ? 0 : x === null ? nullSign : -nullSign) : compareValues(x, y);
    return desc ? -order : order;
  };
  return data[kind].filter(keep).sort((a, b) => terms.reduce((order, term) => order || compare(term, a, b), 0) || idCompare(a.id, b.id)).map((row) => row.id);
}

async function oneWalk(rng, index) {
  const kind = rng.pick(["number", "text"]), nullsPosition = rng.pick(["last", "first"]);
  const { terms, text } = makeOrder(rng);
  const [filter, keep] = rng.chance(0.5) ? filters[0] : rng.pick(filters);
  const limit = 1 + rng.below(7);
  const target = `/api/${kind}${nullsPosition === "last" ? "Last" : "First"}${query({ orderBy: text, filter, select: "id" })}`;
  const name = `COV_SEED=${seed}, walk ${index}: ${decodeURIComponent(target)}, limit ${limit}`;

  const pages = await walk(app, target, limit);
  assert.deepEqual(pages.flat().map((row) => row.id), model(kind, terms, nullsPosition, keep), name);
  pages.slice(0, -1).forEach((page) => assert.equal(page.length, limit, name));
  assert.ok(pages.at(-1).length <= limit, name);
}

const WALKS = 320;
test(`${WALKS} random walks`, async () => {
  const rng = random(seed);
  for (let i = 0; i < WALKS; i++) await oneWalk(rng, i);
});

test("every column alone, both ways, both places for NULL", async () => {
  for (const kind of ["number", "text"])
    for (const nullsPosition of ["last", "first"])
      for (const name of [...fields, "id"])
        for (const desc of [false, true]) {
          const target = `/api/${kind}${nullsPosition === "last" ? "Last" : "First"}${query({ orderBy: (desc ? "-" : "") + name, select: "id" })}`;
          const expected = model(kind, [{ name, desc }], nullsPosition, () => true);
          assert.deepEqual((await walk(app, target, 6)).flat().map((row) => row.id), expected, target);
          assert.deepEqual((await walk(app, target, 1000)).flat().map((row) => row.id), expected, `${target} in one page`);
        }
});

test("totalCount is the same on every page of a walk", async () => {
  const target = `/api/textLast${query({ orderBy: "-s,i", filter: "i>0", totalCount: "true" })}`;
  const expected = model("text", [], "last", (row) => row.i > 0).length;
  for (let cursor = "", more = true; more;) {
    const { json } = await app.get(`${target}&limit=5${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    assert.equal(json.totalCount, expected);
    [cursor, more] = [json.nextCursor, json.hasMore];
  }
});
