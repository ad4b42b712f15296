// SPDX-License-Identifier: MIT
// Order, limit, projection and count of lists (spec/03 sections 1 to 3 and 6 to 8; the numbers are rows of section 12).
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyone, isJson, isProblem, query, startProject, walk } from "./support.mjs";

const items = (options = {}) => ({ table: "items", auth: everyone, ...options });
const app = await startProject({
  schema: `
    CREATE TABLE items (id TEXT PRIMARY KEY, a INTEGER, name TEXT, secret TEXT, created_at TIMESTAMP, doc JSON, bytes BLOB);
    CREATE TABLE near (id TEXT PRIMARY KEY, name TEXT, created_at TEXT, created_at_ms TEXT);
    CREATE TABLE many (id INTEGER PRIMARY KEY, n INTEGER);`,
  config: {
    resources: {
      items: items(), first: items({ pagination: { nullsPosition: "first" } }),
      small: items({ pagination: { defaultLimit: 3, maxLimit: 5 } }),
      sortable: items({ fields: { sortable: ["name", "created_at"] } }),
      readable: items({ fields: { readable: ["id", "a", "name"] } }),
      both: items({ fields: { readable: ["id", "a"], sortable: ["secret"] } }),
      soft: items({ softDelete: { field: "secret" } }),
      near: { table: "near", auth: everyone, fields: { sortable: ["name", "createdAtMs"] } }, many: { auth: everyone },
    },
  },
  seed: `
    INSERT INTO items VALUES ('1',NULL,'n1','s1',10,NULL,NULL),('2',NULL,'n2','s2',20,NULL,NULL),('3',NULL,'n3',NULL,30,NULL,NULL),
      ('4',1,'n4',NULL,40,NULL,NULL),('5',2,'n5',NULL,50,NULL,NULL),('6',2,'n6',NULL,60,NULL,NULL),('7',3,'n7',NULL,70,NULL,NULL),('8',4,'n8',NULL,NULL,NULL,NULL);
    WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<125) INSERT INTO many SELECT x, x%7 FROM c;`,
});

const ids = async (target) => {
  const { status, json, text } = await app.get(target);
  assert.equal(status, 200, text);
  return json.items.map((row) => row.id).join("");
};
const pages = async (target, limit) => (await walk(app, target, limit)).map((page) => page.map((row) => row.id).join("")).join(" | ");
const isBad = async (target, detail, members) => isProblem(await app.get(target), 400, "validation-error", detail, members);

test("1, 2, 4 a page holds the default limit, and says whether more comes", async () => {
  const page = (await app.get("/api/many")).json;
  assert.deepEqual(page.items.map((row) => row.id), Array.from({ length: 20 }, (_, i) => i + 1));
  assert.equal(page.hasMore, true);
  assert.equal(typeof page.nextCursor, "string");
  for (const target of ["/api/items", "/api/items?limit=8"]) {
    const all = (await app.get(target)).json;
    assert.deepEqual([all.items.length, all.nextCursor, all.hasMore, "totalCount" in all], [8, null, false, false]);
  }
});

test("5, 7 limits are cut to what is allowed; the first of several counts", async () => {
  const cases = { "limit=500": 100, "limit=0": 1, "limit=-5": 1, "limit=10abc": 10, "limit=5.9": 5, "limit=1e3": 1, "limit=2&limit=3": 2, "limit=": 20,
    "limit=%2B7": 7, "limit=99999999999999999999": 100, "limit=-99999999999999999999": 1, "limit=%2012": 12, "Limit=3": 20, "limit=007": 7 };
  for (const [text, n] of Object.entries(cases)) assert.equal((await app.get(`/api/many?${text}`)).json.items.length, n, text);
  assert.equal((await app.get("/api/small")).json.items.length, 3);
  assert.equal((await app.get("/api/small?limit=50")).json.items.length, 5);
});

test("6 a limit that is no number is refused", async () => {
  for (const text of ["abc", "NaN", "-", "+", "x10", "Infinity", ".5"]) await isBad(`/api/many${query({ limit: text })}`, `Invalid limit: ${text}`);
});

test("3 following cursors shows each row once", async () => {
  assert.deepEqual((await walk(app, "/api/many", 7)).flat().map((row) => row.id), Array.from({ length: 125 }, (_, i) => i + 1));
});

test("8, 9, 47 totalCount counts what the filter and soft deletion leave, on every page", async () => {
  const first = (await app.get("/api/many?limit=2&totalCount=true&filter=n%3E3")).json;
  assert.equal(first.totalCount, 54);
  assert.equal((await app.get(`/api/many?limit=2&totalCount=true&filter=n%3E3&cursor=${first.nextCursor}`)).json.totalCount, 54);
  for (const text of ["1", "TRUE", "", "true%20", "false"]) assert.equal("totalCount" in (await app.get(`/api/items?totalCount=${text}`)).json, false, text);
  assert.equal((await app.get("/api/soft?totalCount=true")).json.totalCount, 6);
  assert.equal((await app.get("/api/soft?totalCount=true&withDeleted=true")).json.totalCount, 8);
});

test("10, 12 every way to write an order", async () => {
  const byDefault = "12345678";
  for (const order of ["", ",", " , ", "id", "id:asc", "+id", "name", "name:", "name:asc", "name:ASC", " name : Asc ", "name,-a", "name:asc:desc", ",,name,"])
    assert.equal(await ids(`/api/items${query({ orderBy: order })}`), byDefault, order);
  for (const order of ["-name", "name:desc", "name:DESC", " -name ", "- name", "name:desc:x", "-name,a:desc", "-id", "id:desc", "name:desc,name:asc"])
    assert.equal(await ids(`/api/items${query({ orderBy: order })}`), "87654321", order);
  assert.equal(await ids("/api/items?orderBy=+name"), byDefault);
  assert.equal(await ids("/api/items?orderBy=a:desc,name:desc"), "32187654");
  assert.equal(await ids("/api/items?orderBy=a,-id"), "46578321");
  assert.equal(await ids("/api/items?orderBy=-createdAt&orderBy=name"), "87654321");
  assert.equal(await ids("/api/items?orderBy=name&orderDirection=desc"), byDefault);
});

test("11 orders that are none", async () => {
  const details = {
    "-name:desc": "Conflicting sort direction for \"name\": use either \"-name\" or \"name:desc\", not both",
    "+a:asc": "Conflicting sort direction for \"a\": use either \"+a\" or \"a:asc\", not both",
    "name:sideways": "Invalid sort direction \"sideways\" for \"name\" (expected \"asc\" or \"desc\")",
    "a:up": "Invalid sort direction \"up\" for \"a\" (expected \"asc\" or \"desc\")",
    nope: "Invalid orderBy field: nope", "--name": "Invalid orderBy field: -name", ":desc": "Invalid orderBy field: ", "-": "Invalid orderBy field: ",
    created_at: "Invalid orderBy field: created_at", constructor: "Invalid orderBy field: constructor", __proto__: "Invalid orderBy field: __proto__",
    "name;a": "Invalid orderBy field: name;a", "Name": "Invalid orderBy field: Name", doc: "Invalid orderBy field: doc", bytes: "Invalid orderBy field: bytes",
    "name,nope:x": "Invalid sort direction \"x\" for \"nope\" (expected \"asc\" or \"desc\")", "name) --": "Invalid orderBy field: name) --",
  };
  for (const [order, detail] of Object.entries(details)) await isBad(`/api/items?orderBy=${encodeURIComponent(order)}`, detail);
});

test("the order of complaints: filter, order's syntax, cursor, order's field", async () => {
  const code = async (target) => (await app.get(target)).json;
  assert.equal((await code("/api/items?filter=((&orderBy=a:up&cursor=!!!")).code, "FILTER_PARSE_ERROR");
  assert.match((await code("/api/items?orderBy=a:up&cursor=!!!")).detail, /^Invalid sort direction/);
  assert.equal((await code("/api/items?orderBy=nope&cursor=!!!")).code, "CURSOR_INVALID");
  assert.match((await code("/api/items?orderBy=nope")).detail, /^Invalid orderBy field/);
});

test("14 NULL stands last in ascending and first in descending order, or the other way round", async () => {
  assert.equal(await pages("/api/items?orderBy=a", 2), "45 | 67 | 81 | 23");
  assert.equal(await pages("/api/items?orderBy=-a", 2), "12 | 38 | 75 | 64");
  assert.equal(await pages("/api/items?orderBy=a", 4), "4567 | 8123");
  assert.equal(await pages("/api/items?orderBy=-a", 4), "1238 | 7564");
  assert.equal(await pages("/api/first?orderBy=a", 2), "12 | 34 | 56 | 78");
  assert.equal(await pages("/api/first?orderBy=-a", 2), "87 | 56 | 41 | 23");
});

test("13 inside ties the id ascends, whatever the direction", async () => {
  assert.equal(await pages("/api/items?orderBy=a&filter=a==2,a==3", 1), "5 | 6 | 7");
  assert.equal(await pages("/api/items?orderBy=-a&filter=a==2,a==3", 1), "7 | 5 | 6");
});

test("15 a list ordered by time goes on after its first page", async () => {
  assert.equal(await pages("/api/items?orderBy=createdAt", 3), "123 | 456 | 78");
  assert.equal(await pages("/api/items?orderBy=-createdAt", 3), "876 | 543 | 21");
});

test("27 the filter may change between pages", async () => {
  const { nextCursor } = (await app.get("/api/items?orderBy=name&limit=3")).json;
  assert.equal(await ids(`/api/items?orderBy=name&cursor=${nextCursor}&filter=a==2`), "56");
  assert.equal(await ids(`/api/items?orderBy=name&cursor=${nextCursor}&filter=a=isnull=true`), "");
});

test("rows that come and go while pages are followed", async () => {
  app.sql("INSERT INTO many VALUES (1001,50),(1003,50),(1005,50),(1007,50)");
  const first = (await app.get("/api/many?filter=n==50&limit=2")).json;
  app.sql("DELETE FROM many WHERE id=1003; INSERT INTO many VALUES (1002,50),(1004,50)");
  const rest = (await app.get(`/api/many?filter=n==50&limit=5&cursor=${first.nextCursor}`)).json;
  assert.deepEqual([...first.items, ...rest.items].map((row) => row.id), [1001, 1003, 1004, 1005, 1007]);
  app.sql("DELETE FROM many WHERE id>1000");
});

test("28 select keeps the listed columns in the listed order", async () => {
  const first = async (select) => (await app.get(`/api/items${query({ select, limit: 1 })}`)).text;
  const page = (item) => new RegExp(`^\\{"items":\\[${item.replace(/[{}[\]"]/g, "\\$&")}\\],`);
  assert.match(await first("id"), page("{\"id\":\"1\"}"));
  assert.match(await first("name, id ,,nope"), page("{\"name\":\"n1\",\"id\":\"1\"}"));
  assert.match(await first("id,id,name"), page("{\"id\":\"1\",\"name\":\"n1\"}"));
  assert.match(await first("nope"), page("{}"));
  assert.match(await first("created_at"), page("{}"));
  assert.equal((await app.get("/api/readable/1?select=secret")).text, "{}");
  isJson(await app.get("/api/readable/1"), 200, { id: "1", a: null, name: "n1" });
});

test("select does not disturb cursors: they need columns that are not shown", async () => {
  assert.equal((await walk(app, "/api/items?orderBy=-a,createdAt&select=name", 3)).flat().map((row) => row.name).join(""), "n1n2n3n8n7n5n6n4");
});

test("45 what may not be sorted by", async () => {
  const refused = (field, allowedFields, near) => [`Field '${field}' is not allowed for sort`, { field, operation: "sort", invalidFields: [field], allowedFields,
    ...(near ? { suggestion: `Did you mean: ${near}?` } : {}) }];
  await isBad("/api/sortable?orderBy=a", ...refused("a", ["name", "createdAt"]));
  await isBad("/api/readable?orderBy=secret", ...refused("secret", ["id", "a", "name"]));
  await isBad("/api/readable?orderBy=name,-createdAt", ...refused("createdAt", ["id", "a", "name"]));
  await isBad("/api/sortable?orderBy=id", ...refused("id", ["name", "createdAt"]));
  await isBad("/api/near?orderBy=createdAt", ...refused("createdAt", ["name", "createdAtMs"], "createdAtMs"));
  await isBad("/api/both?orderBy=a", ...refused("a", ["secret"]));
  assert.equal(await ids("/api/sortable?orderBy=-createdAt,name"), "87654321");
  assert.equal((await app.get("/api/both?orderBy=-secret")).status, 200);
});

test("30 counts", async () => {
  isJson(await app.get("/api/items/count"), 200, "{\"count\":8}");
  isJson(await app.get("/api/items/count?filter=a==2"), 200, "{\"count\":2}");
  isJson(await app.get("/api/items/count?filter=a==99&limit=1&cursor=!!!&orderBy=nope"), 200, "{\"count\":0}");
  isJson(await app.get("/api/soft/count"), 200, "{\"count\":6}");
  isJson(await app.get("/api/soft/count?withDeleted=true"), 200, "{\"count\":8}");
  assert.equal((await app.get("/api/items/count?filter=nope==1")).json.code, "FILTER_PARSE_ERROR");
});

test("parameters that are unknown or have odd shapes are nothing", async () => {
  for (const text of ["?", "?&", "?&&=&", "?x", "?=x", "?filter", "?cursor", "?orderBy", "?select", "?limit", "?%zz=1", "?foo=%ff", "?fil%74er=a==1"])
    assert.equal((await app.get(`/api/items${text}`)).status, 200, text);
  isJson(await app.get("/api/items/count?fil%74er=a==1"), 200, "{\"count\":1}");
  isJson(await app.get("/api/items/count?filter=a==1&filter=((("), 200, "{\"count\":1}");
});
