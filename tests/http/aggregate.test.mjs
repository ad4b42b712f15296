// SPDX-License-Identifier: MIT
// Groups and metrics (spec/03 section 9; the numbers are rows of section 12), the last part against a model.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everyone, isJson, isProblem, query, random, seed, startProject } from "./support.mjs";

const items = (options = {}) => ({ table: "items", auth: everyone, ...options });
const app = await startProject({
  schema: `
    CREATE TABLE items (id TEXT PRIMARY KEY, a INTEGER, name TEXT, secret TEXT);
    CREATE TABLE sales (id INTEGER PRIMARY KEY, region TEXT, amount INTEGER, count INTEGER, deleted_at TEXT);
    CREATE TABLE typed (id INTEGER PRIMARY KEY, t TEXT, i INTEGER, r REAL, n NUMERIC, b BOOLEAN, ts TIMESTAMP, ms TIMESTAMP_MS, dt DATETIME, j JSON, bl BLOB);
    CREATE TABLE rnd (id INTEGER PRIMARY KEY, g TEXT, h BOOLEAN, k INTEGER, x INTEGER, y REAL, w TIMESTAMP_MS);
    CREATE TABLE huge (id INTEGER PRIMARY KEY, i INTEGER);`,
  config: {
    resources: {
      items: items(), readable: items({ fields: { readable: ["id", "a", "name"] } }),
      listed: items({ fields: { aggregatable: { groupBy: ["name"], metrics: ["a"] } } }),
      capped: items({ aggregate: { maxGroups: 3 } }),
      sales: { auth: everyone, softDelete: { field: "deletedAt" } }, typed: { auth: everyone }, rnd: { auth: everyone },
      rndFirst: { table: "rnd", auth: everyone, pagination: { nullsPosition: "first" } }, huge: { auth: everyone },
    },
  },
  seed: `
    INSERT INTO items (id,a,name) VALUES ('1',NULL,'x'),('2',NULL,'x'),('3',NULL,'y'),('4',1,'y'),('5',2,'z'),('6',2,'z'),('7',3,'z'),('8',4,'w');
    INSERT INTO sales (region,amount,count) VALUES ('east',10,1),('east',20,1),('east',30,1),('west',5,1),('north',10,1),('north',20,2);
    INSERT INTO sales (region,amount,deleted_at) VALUES ('west',1000,'2024');
    INSERT INTO typed VALUES (1,'b',1,0.5,1.5,1,1000,1500,'2024-01-02T00:00:00.000Z','1','x'),(2,'a',-5,2.5,'10',0,2000,2500,'2024-01-01T00:00:00.000Z','2','y'),(3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
    INSERT INTO huge VALUES (1,9223372036854775807),(2,9223372036854775807),(3,1);`,
});
after(() => app.stop());

const groups = async (name, parameters) => {
  const response = await app.get(`/api/${name}/aggregate${query(parameters)}`);
  assert.equal(response.status, 200, response.text);
  return response.json.groups;
};
const isBad = async (name, parameters, detail, members) =>
  isProblem(await app.get(`/api/${name}/aggregate${query(parameters)}`), 400, "validation-error", detail, members);

test("31, 33, 34 without groupBy there is one group", async () => {
  isJson(await app.get("/api/items/aggregate?count=true"), 200, "{\"groups\":[{\"key\":null,\"count\":8}]}");
  isJson(await app.get("/api/items/aggregate?sum=a&avg=a&min=a&max=a"), 200,
    "{\"groups\":[{\"key\":null,\"sum\":{\"a\":12},\"avg\":{\"a\":2.4},\"min\":{\"a\":1},\"max\":{\"a\":4}}]}");
  isJson(await app.get("/api/items/aggregate?max=a,%20name,,a&count=true"), 200, { groups: [{ key: null, count: 8, max: { a: 4, name: "z" } }] });
  isJson(await app.get("/api/items/aggregate?sum=a&filter=a%3E100"), 200, "{\"groups\":[{\"key\":null,\"sum\":{}}]}");
  isJson(await app.get("/api/items/aggregate?count=true&avg=a&filter=a%3E100"), 200, { groups: [{ key: null, count: 0, avg: {} }] });
});

test("32, 35 groups come in the order of their keys, NULL among them", async () => {
  assert.deepEqual(await groups("items", { groupBy: "a", count: "true" }), [1, 2, 3, 4, null].map((a) => ({ key: { a }, count: a === null ? 3 : a === 2 ? 2 : 1 })));
  assert.deepEqual(await groups("items", { groupBy: "a", count: "true", filter: "a>100" }), []);
  assert.deepEqual(await groups("items", { groupBy: "name,a" }), [["w", 4], ["x", null], ["y", 1], ["y", null], ["z", 2], ["z", 3]].map(([name, a]) => ({ key: { name, a } })));
  assert.deepEqual((await groups("items", { groupBy: " a , a ,," })).map((g) => g.key.a), [1, 2, 3, 4, null]);
});

test("36 to 38, 40 having", async () => {
  const regions = async (parameters) => (await groups("sales", { groupBy: "region", ...parameters })).map((g) => g.key.region);
  assert.deepEqual(await regions({ count: "true", having: "count>=2" }), ["east", "north"]);
  assert.deepEqual(await regions({ sum: "amount", having: "sum_amount>50" }), ["east"]);
  assert.deepEqual(await regions({ count: "true", sum: "amount", having: "count>=2;sum_amount>40" }), ["east"]);
  assert.deepEqual(await regions({ count: "true", sum: "amount", having: ";; count >= 2 ; ;sum_amount > 4e1;" }), ["east"]);
  for (const having of ["region==east", "region==\"east\"", "region == \"east\" ", "region<\"f\""]) assert.deepEqual(await regions({ having }), ["east"], having);
  assert.deepEqual(await regions({ having: "region!=east" }), ["north", "west"]);
  assert.deepEqual(await regions({ having: "region==\"a;b\";region!=\"q\\\"\\\\\"" }), []);
  assert.deepEqual(await regions({ avg: "amount", min: "amount", max: "amount", having: "avg_amount==15;min_amount<=10;max_amount==20" }), ["north"]);
  assert.deepEqual(await regions({ sum: "amount", having: "sum_amount==5.0" }), ["west"]);
  assert.deepEqual(await regions({ sum: "amount", having: "sum_amount>4.5;sum_amount<5.5" }), ["west"]);
  assert.deepEqual(await groups("sales", { count: "true", having: "count>100" }), []);
});

test("39 having that is none", async () => {
  const grouped = { groupBy: "region", count: "true" };
  await isBad("sales", { ...grouped, having: "bogus>1" }, "Unknown having field: bogus");
  await isBad("sales", { groupBy: "region", having: "count>=2" }, "Unknown having field: count");
  await isBad("sales", { ...grouped, having: "sum_amount>1" }, "Unknown having field: sum_amount");
  await isBad("sales", { ...grouped, having: "amount>1" }, "Unknown having field: amount");
  await isBad("sales", { ...grouped, having: "constructor>1" }, "Unknown having field: constructor");
  for (const having of ["count", "count=2", "count=>5", "count>= ", "count>", "count==abc", "==1", "count ! 5", "a.b>1", "count=\"2\""])
    await isBad("sales", { ...grouped, having }, `Invalid having expression: ${having.trim()}`);
});

test("a column named like an alias keeps its place in the key; in having the aggregate wins", async () => {
  assert.deepEqual(await groups("sales", { groupBy: "count", count: "true" }), [{ key: { count: 1 }, count: 5 }, { key: { count: 2 }, count: 1 }]);
  assert.deepEqual(await groups("sales", { groupBy: "count", count: "true", having: "count==5" }), [{ key: { count: 1 }, count: 5 }]);
  assert.deepEqual(await groups("sales", { groupBy: "count", having: "count==2" }), [{ key: { count: 2 } }]);
});

test("42, 43 requests for nothing or for what is not there", async () => {
  for (const parameters of [{}, { count: "1" }, { count: "TRUE" }, { groupBy: "" }, { groupBy: " , ,", sum: "," }, { having: "count>1" }])
    await isBad("items", parameters, "At least one of groupBy, count, sum, avg, min, max is required");
  for (const name of ["groupBy", "sum", "avg", "min", "max"]) {
    await isBad("items", { [name]: "nope" }, `Invalid ${name} field: nope`);
    await isBad("items", { count: "true", [name]: "a,__proto__" }, `Invalid ${name} field: __proto__`);
  }
  await isBad("items", { max: "n1", groupBy: "n2", avg: "n3", sum: "n4" }, "Invalid groupBy field: n2");
  await isBad("items", { max: "n1", avg: "n3", sum: "n4" }, "Invalid sum field: n4");
});

test("45 what may not be aggregated", async () => {
  const refused = (field, operation, allowedFields) => [`Field '${field}' is not allowed for ${operation}`, { field, operation, invalidFields: [field], allowedFields }];
  await isBad("readable", { max: "secret" }, ...refused("secret", "metric", ["id", "a", "name"]));
  await isBad("readable", { groupBy: "secret" }, ...refused("secret", "groupBy", ["id", "a", "name"]));
  await isBad("listed", { groupBy: "secret" }, ...refused("secret", "groupBy", ["name"]));
  const { status, json } = await app.get("/api/listed/aggregate?sum=a&groupBy=a");
  assert.deepEqual([status, json.detail], [400, "Field 'a' is not allowed for groupBy"]);
  assert.equal((await groups("listed", { groupBy: "name", sum: "a" })).length, 4);
});

test("metrics by type", async () => {
  isJson(await app.get(`/api/typed/aggregate${query({ min: "t,i,r,n,b,ts,ms,dt", max: "t,i,r,n,b,ts,ms,dt" })}`), 200, { groups: [{ key: null,
    min: { t: "a", i: -5, r: 0.5, n: "1.5", b: "false", ts: "1970-01-01T00:16:40.000Z", ms: "1970-01-01T00:00:01.500Z", dt: "2024-01-01T00:00:00.000Z" },
    max: { t: "b", i: 1, r: 2.5, n: "10", b: "true", ts: "1970-01-01T00:33:20.000Z", ms: "1970-01-01T00:00:02.500Z", dt: "2024-01-02T00:00:00.000Z" } }] });
  isJson(await app.get(`/api/typed/aggregate${query({ sum: "i,r,n,b", avg: "i,r,n,b" })}`), 200,
    { groups: [{ key: null, sum: { i: -4, r: 3, n: 11.5, b: 1 }, avg: { i: -2, r: 1.5, n: 5.75, b: 0.5 } }] });
  for (const [name, columns] of [["sum", ["t", "ts", "ms", "dt", "j", "bl"]], ["avg", ["t", "ts", "j", "bl"]], ["min", ["j", "bl"]], ["max", ["j", "bl"]], ["groupBy", ["j", "bl"]]])
    for (const column of columns) await isBad("typed", { [name]: column }, `Invalid ${name} field: ${column}`);
});

test("keys by type", async () => {
  const expected = { t: ["a", "b", null], i: [-5, 1, null], r: [0.5, 2.5, null], n: ["1.5", "10", null], b: [false, true, null], ts: ["1970-01-01T00:16:40.000Z", "1970-01-01T00:33:20.000Z", null],
    ms: ["1970-01-01T00:00:01.500Z", "1970-01-01T00:00:02.500Z", null], dt: ["2024-01-01T00:00:00.000Z", "2024-01-02T00:00:00.000Z", null] };
  for (const [column, keys] of Object.entries(expected)) assert.deepEqual((await groups("typed", { groupBy: column })).map((g) => g.key[column]), keys, column);
});

test("having compares in the column's type", async () => {
  const count = async (parameters) => (await groups("typed", parameters)).length;
  assert.equal(await count({ groupBy: "ts", having: "ts>\"1970-01-01T00:20:00Z\"" }), 1);
  assert.equal(await count({ groupBy: "ms", having: "ms==1970-01-01T00:00:01.500Z" }), 1);
  assert.equal(await count({ groupBy: "dt", having: "dt<\"2024-01-02\"" }), 1);
  assert.equal(await count({ groupBy: "b", having: "b==true" }), 1);
  assert.equal(await count({ groupBy: "n", having: "n>9" }), 1);
  assert.equal(await count({ groupBy: "t", having: "t>=a" }), 2);
  assert.equal(await count({ max: "t", having: "max_t==b" }), 1);
  await isBad("typed", { groupBy: "i", having: "i==x" }, "Invalid having expression: i==x");
  await isBad("typed", { groupBy: "ts", having: "ts>soon" }, "Invalid having expression: ts>soon");
});

test("an integer sum beyond 64 bits is a double, no failure", async () => {
  const [{ sum, avg }] = await groups("huge", { sum: "i", avg: "i" });
  assert.deepEqual([sum.i, avg.i], [18446744073709552000, 18446744073709552000 / 3]);
  assert.deepEqual(await groups("huge", { sum: "i", having: "sum_i>1e19" }), [{ key: null, sum: { i: 18446744073709552000 } }]);
  assert.deepEqual(await groups("huge", { max: "i", min: "i" }), [{ key: null, min: { i: 1 }, max: { i: "9223372036854775807" } }]);
});

test("maxGroups", async () => {
  await isBad("capped", { groupBy: "a" }, "Too many groups");
  assert.equal((await groups("capped", { groupBy: "a", filter: "a>1" })).length, 3);
});

test("47 soft-deleted rows count only with withDeleted", async () => {
  assert.deepEqual(await groups("sales", { sum: "amount", filter: "region==\"west\"" }), [{ key: null, sum: { amount: 5 } }]);
  assert.deepEqual(await groups("sales", { sum: "amount", filter: "region==\"west\"", withDeleted: "true" }), [{ key: null, sum: { amount: 1005 } }]);
});

const rng = random(seed + 7);
const rows = Array.from({ length: 300 }, (_, i) => ({
  id: i, g: rng.chance(0.2) ? null : rng.pick(["a", "B", "é", ""]), h: rng.chance(0.2) ? null : rng.chance(0.5), k: rng.chance(0.1) ? null : rng.below(4),
  x: rng.chance(0.2) ? null : rng.below(2000) - 1000, y: rng.chance(0.2) ? null : rng.below(4000) / 4 - 500, w: rng.chance(0.2) ? null : new Date(rng.below(5) * 86400000).toISOString(),
}));

/* The groups as a model has them, in order: NULL last, or first. */
function modelGroups(keys, nullSign, keep) {
  const map = new Map();
  for (const row of rows.filter(keep)) {
    const id = JSON.stringify(keys.map((key) => row[key]));
    if (!map.has(id)) map.set(id, []);
    map.get(id).push(row);
  }
  if (keys.length === 0) return [rows.filter(keep)];
  const value = (v) => (typeof v === "string" ? Buffer.from(v).toString("latin1") : v);
  const compare = (x, y) => (x === y ? 0 : x === null ? nullSign : y === null ? -nullSign : value(x) < value(y) ? -1 : 1);
  return [...map.values()].sort((a, b) => keys.reduce((order, key) => order || compare(a[0][key], b[0][key]), 0));
}

function modelGroup(list, keys, metrics) {
  const result = { key: keys.length ? Object.fromEntries(keys.map((key) => [key, list[0]?.[key] ?? null])) : null, count: list.length };
  const functions = { sum: (v) => v.reduce((a, b) => a + b, 0), avg: (v) => v.reduce((a, b) => a + b, 0) / v.length, min: (v) => v.reduce((a, b) => (b < a ? b : a)), max: (v) => v.reduce((a, b) => (b > a ? b : a)) };
  for (const [name, columns] of Object.entries(metrics)) {
    result[name] = {};
    for (const column of columns) {
      const values = list.map((row) => row[column]).filter((v) => v !== null);
      if (values.length) result[name][column] = functions[name](values);
    }
  }
  return result;
}

const filters = [[undefined, () => true], ["x>0", (row) => row.x !== null && row.x > 0], ["g=isnull=false;k!=2", (row) => row.g !== null && row.k !== null && row.k !== 2], ["x>5000", () => false]];
const havings = [[undefined, () => true], ["count>=20", (g) => g.count >= 20], ["sum_x>0", (g) => g.sum.x !== undefined && g.sum.x > 0], ["min_y<=-100.5;count!=0", (g) => g.min.y !== undefined && g.min.y <= -100.5 && g.count !== 0],
  ["avg_x<1e2", (g) => g.avg.x !== undefined && g.avg.x < 100]];

test("random groupings agree with a model", async () => {
  for (let from = 0; from < rows.length; from += 100) assert.equal((await app.post("/api/rnd/batch", { items: rows.slice(from, from + 100) })).status, 200);
  const metrics = { sum: ["x", "y"], avg: ["x", "y"], min: ["x", "y", "w"], max: ["y", "w"] };
  for (let i = 0; i < 120; i++) {
    const keys = ["g", "h", "k", "w"].sort(() => rng.next() - 0.5).slice(0, rng.below(4));
    const [filter, keep] = rng.pick(filters), [having, has] = rng.pick(havings), first = rng.chance(0.5);
    const expected = modelGroups(keys, first ? -1 : 1, keep).map((list) => modelGroup(list, keys, metrics)).filter(has);
    const parameters = { groupBy: keys.join(","), count: "true", filter, having, ...Object.fromEntries(Object.entries(metrics).map(([name, list]) => [name, list.join(",")])) };
    const actual = await groups(first ? "rndFirst" : "rnd", parameters);
    assert.deepEqual(actual, expected, `COV_SEED=${seed}, case ${i}: ${JSON.stringify(parameters)}`);
  }
});
