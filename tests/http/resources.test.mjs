// SPDX-License-Identifier: MIT
// The routes of one resource, case by case (spec/01 section 26; the numbers in the names are its rows).
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { everyone, isInvalid, isJson, isNoRoute, isNoRow, isProblem, missing, startProject } from "./support.mjs";

const app = await startProject({
  schema: `
    CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT, qty INTEGER DEFAULT 0,
                         role TEXT NOT NULL DEFAULT 'user');
    CREATE TABLE v (id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT);
    CREATE TABLE gen (id TEXT PRIMARY KEY, name TEXT NOT NULL, owner_id TEXT NOT NULL, created TEXT NOT NULL,
                      note TEXT DEFAULT 'none');`,
  config: {
    resources: {
      things: { auth: everyone },
      writable: { table: "things", auth: everyone, fields: { writable: ["name", "owner", "qty"] } },
      strict: { table: "things", auth: everyone, strictInput: true },
      members: { table: "things" },
      closed: { table: "things", auth: { read: false, create: false, update: "owner=={user.id}" } },
      half: { table: "things", auth: { public: true, create: true } },
      v: { auth: everyone },
      gen: { auth: everyone, generatedFields: ["id", "ownerId", "created"] },
      genDrop: { table: "gen", auth: everyone, generatedFields: ["id", "ownerId", "created"], rejectGeneratedInput: true },
    },
  },
});

const A = { id: "a", name: "A", owner: "u1", qty: 1, role: "user" };
const C = { id: "c", name: "C", owner: "u2", qty: 3, role: "admin" };

beforeEach(() => app.sql(`
  DELETE FROM things; DELETE FROM v; DELETE FROM gen;
  INSERT INTO things VALUES ('a','A','u1',1,'user'), ('c','C','u2',3,'admin');
  INSERT INTO v (id,label) VALUES (1,'one'), (2,'two');
  INSERT INTO gen VALUES ('gid','x','o1','2024','kept');`));

const rows = () => app.sql("SELECT * FROM things ORDER BY id");

test("1 a list has items, nextCursor and hasMore, and no totalCount unasked", async () => {
  isJson(await app.get("/api/things"), 200, { items: [A, C], nextCursor: null, hasMore: false });
});

test("2 totalCount comes last, select projects", async () => {
  const page = await app.get("/api/things?totalCount=true&limit=1&select=id");
  assert.deepEqual(Object.keys(page.json), ["items", "nextCursor", "hasMore", "totalCount"]);
  assert.deepEqual(page.json.items, [{ id: "a" }]);
  assert.equal(page.json.totalCount, 2);
});

test("3, 4 select ignores unknown names; of nothing but commas it is no projection", async () => {
  isJson(await app.get("/api/things?select=id,nope"), 200, { items: [{ id: "a" }, { id: "c" }], nextCursor: null, hasMore: false });
  for (const target of ["/api/things?select=,", "/api/things?select=", "/api/things?select=%20,%20,"])
    isJson(await app.get(target), 200, { items: [A, C], nextCursor: null, hasMore: false });
  isJson(await app.get("/api/things/a?select=role,%20id%20,nope"), 200, { role: "user", id: "a" });
  isJson(await app.get("/api/things/a?select=nope"), 200, {});
});

test("5 a row has its keys in the order of the columns", async () => {
  isJson(await app.get("/api/things/a"), 200, A);
});

test("6 a missing row is a problem that names resource and id", async () => {
  isNoRow(await app.get("/api/things/zz"), "things", "zz");
  isNoRow(await app.get("/api/things/a%20b%2Fc"), "things", "a b/c");
  isNoRow(await app.get("/api/things/+a"), "things", "+a");
});

test("7, 8, 9 an id is a value and never part of a filter", async () => {
  const hostile = ["x%22%2Cid!%3D%22", "x%22,id!=%22", "x%5C", "%22", "a%22;id==%22a", "2024-01-01", "*", "(", "a'--"];
  for (const id of hostile) {
    const decoded = decodeURIComponent(id);
    isNoRow(await app.get(`/api/things/${id}`), "things", decoded);
    isNoRow(await app.patch(`/api/things/${id}`, { owner: "x" }), "things", decoded);
    isNoRow(await app.put(`/api/things/${id}`, { id: "x", name: "y" }), "things", decoded);
    isNoRow(await app.delete(`/api/things/${id}`), "things", decoded);
  }
  assert.deepEqual(rows(), [A, C]);
});

test("ids with any character are reachable when they are encoded", async () => {
  for (const id of ["x/y", "2024-01-01", "a\"b\\", "é😀", "100%", "a+b", " ", "batch/x", "%41"]) {
    isJson(await app.post("/api/things", { id, name: `name ${id}` }), 201, { id, name: `name ${id}`, owner: null, qty: 0, role: "user" });
    const target = `/api/things/${encodeURIComponent(id)}`;
    isJson(await app.get(target), 200, { id, name: `name ${id}`, owner: null, qty: 0, role: "user" });
    assert.equal((await app.delete(target)).status, 204);
    isNoRow(await app.get(target), "things", id);
  }
});

test("an escape that is none stays as it is in an id", async () => {
  isNoRow(await app.get("/api/things/a%zz"), "things", "a%zz");
  isNoRow(await app.get("/api/things/a%4"), "things", "a%4");
});

test("11 an integer id in any spelling; what is no integer is no row", async () => {
  for (const id of ["1", "01", "1.0", "1e0", "%31"]) isJson(await app.get(`/api/v/${id}`), 200, { id: 1, label: "one" });
  for (const id of ["abc", "1.5", "1x", "99999999999999999999", "-1", "0x1", "%20", "NaN", "Infinity"])
    isNoRow(await app.get(`/api/v/${id}`), "v", decodeURIComponent(id));
});

test("12, 13 other paths and methods have no route", async () => {
  for (const [method, target] of [["GET", "/api/things/"], ["GET", "/api/Things"], ["GET", "/api//things"], ["GET", "/api/things//a"],
    ["GET", "/api/things/a/"], ["GET", "/api/things/a/b"], ["POST", "/api/things/a"], ["POST", "/api/things/count"],
    ["PUT", "/api/things"], ["PATCH", "/api/things"], ["DELETE", "/api/things"], ["GET", "/api"], ["GET", "/"], ["GET", "/things"],
    ["POST", "/api/things/batch/other"], ["GET", "/api/things/batch/upsert"], ["POST", "/api/things/batch/upsert/x"]])
    isNoRoute(await app.call(method, target, method === "GET" || method === "DELETE" ? undefined : {}), method, target);
});

test("14 names that are fixed for one method are ids for the others", async () => {
  isNoRow(await app.get("/api/things/batch"), "things", "batch");
  isNoRow(await app.patch("/api/things/count", {}), "things", "count");
  isNoRow(await app.put("/api/things/batch", {}), "things", "batch");
  isNoRow(await app.delete("/api/things/aggregate"), "things", "aggregate");
});

test("15 HEAD answers as GET does, without a body", async () => {
  for (const target of ["/api/things/a", "/api/things", "/api/things/zz", "/api/things/count"]) {
    const get = await app.get(target), head = await app.call("HEAD", target);
    assert.equal(head.text, "");
    assert.deepEqual([head.status, head.type, head.headers["content-length"]], [get.status, get.type, get.headers["content-length"]]);
  }
});

test("17 a created row has its defaults", async () => {
  const response = await app.post("/api/things", { id: "n", name: "N", owner: "u1" });
  isJson(response, 201, { id: "n", name: "N", owner: "u1", qty: 0, role: "user" });
  assert.equal(response.headers.location, undefined);
  assert.equal(response.headers.etag, undefined);
});

test("18 the optimistic id comes back as the last key", async () => {
  const response = await app.post("/api/things", { id: "n", name: "N" }, { "X-Covara-Optimistic-Id": "o1\"é" });
  isJson(response, 201, { id: "n", name: "N", owner: null, qty: 0, role: "user", _optimisticId: response.json._optimisticId });
  isJson(await app.post("/api/things", { id: "m", name: "M" }, { "X-Covara-Optimistic-Id": "o1" }), 201,
    { id: "m", name: "M", owner: null, qty: 0, role: "user", _optimisticId: "o1" });
});

test("19, 20 wrong types and missing values, one issue a column in the table's order", async () => {
  isInvalid(await app.post("/api/things", { id: 1, name: 2 }), ["id", "Invalid input: expected string, received number"],
    ["name", "Invalid input: expected string, received number"]);
  isInvalid(await app.post("/api/things", { id: "n" }), ["name", missing("string", "name")]);
  isInvalid(await app.post("/api/things", { role: null, qty: "1", name: ["x"], id: { a: 1 }, owner: true }),
    ["id", "Invalid input: expected string, received object"], ["name", "Invalid input: expected string, received array"],
    ["owner", "Invalid input: expected string, received boolean"], ["qty", "Invalid input: expected number, received string"],
    ["role", "Invalid input: expected string, received null"]);
});

test("21 a body that is no JSON", async () => {
  for (const body of ["{", " ", "\n\t", "{\"id\":\"x\"", "{'id':1}", "{id:1}", "[1,]", "{\"a\":1,}", "nul", "{} {}", "// c\n{}", "NaN", "\"\\x\"", "01"])
    isProblem(await app.post("/api/things", body), 400, "validation-error", "Request body is not valid JSON");
});

test("22, 23 an empty body is {}; any other value than an object is named", async () => {
  isInvalid(await app.post("/api/things", ""), ["id", missing("string", "id")], ["name", missing("string", "name")]);
  isInvalid(await app.post("/api/things"), ["id", missing("string", "id")], ["name", missing("string", "name")]);
  for (const [body, kind] of [["[]", "array"], ["null", "null"], ["\"x\"", "string"], ["5", "number"], ["true", "boolean"]]) {
    isInvalid(await app.post("/api/things", body), ["", `Invalid input: expected object, received ${kind}`]);
    isInvalid(await app.patch("/api/things/a", body), ["", `Invalid input: expected object, received ${kind}`]);
    isInvalid(await app.put("/api/things/a", body), ["", `Invalid input: expected object, received ${kind}`]);
  }
  assert.deepEqual(rows(), [A, C]);
});

test("24 the media type of a request is not looked at", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "nonsense"])
    assert.equal((await app.post("/api/things", JSON.stringify({ id: type, name: type }), { "Content-Type": type })).status, 201);
  isProblem(await app.post("/api/things", "id=n&name=N", { "Content-Type": "application/x-www-form-urlencoded" }),
    400, "validation-error", "Request body is not valid JSON");
});

test("25 a second row with the same id or name is a conflict that names the field", async () => {
  isProblem(await app.post("/api/things", { id: "a", name: "other" }), 409, "conflict", "Unique constraint violated", { field: "id" });
  isProblem(await app.post("/api/things", { id: "b", name: "A" }), 409, "conflict", "Unique constraint violated", { field: "name" });
  assert.deepEqual(rows(), [A, C]);
});

test("26, 27 writable holds on every route that writes", async () => {
  const N = { id: "n", name: "N", owner: null, qty: 0, role: "user" };
  isJson(await app.post("/api/writable", { id: "n", name: "N", role: "admin" }), 201, N);
  isJson(await app.patch("/api/writable/n", { role: "admin", qty: 5 }), 200, { ...N, qty: 5 });
  isJson(await app.put("/api/writable/n", { id: "n", name: "N2", role: "admin" }), 200, { ...N, name: "N2" });
  isJson(await app.patch(`/api/writable/batch?filter=id=="a"`, { role: "admin" }), 200, { count: 1 });
  assert.deepEqual(rows()[0], A);
  isJson(await app.post("/api/writable/batch", { items: [{ id: "m", name: "M", role: "admin" }] }), 200, { items: [{ ...N, id: "m", name: "M" }] });
  isJson(await app.post("/api/writable/batch/upsert", { items: [{ id: "m", name: "M", role: "admin" }, { id: "k", name: "K", role: "admin" }] }),
    200, { items: [{ ...N, id: "m", name: "M" }, { ...N, id: "k", name: "K" }] });
});

test("a column that is not writable is checked all the same, and PUT leaves it as it is", async () => {
  isInvalid(await app.post("/api/writable", { id: "n", name: "N", role: 1 }), ["role", "Invalid input: expected string, received number"]);
  isJson(await app.put("/api/writable/c", { id: "c", name: "C2" }), 200, { id: "c", name: "C2", owner: null, qty: 0, role: "admin" });
});

test("28, 29 unknown keys are dropped, or refused with strictInput", async () => {
  isInvalid(await app.post("/api/strict", { id: "n", name: "N", bogus: 1 }), ["", "Unrecognized key: \"bogus\""]);
  isInvalid(await app.post("/api/strict", { x: 1, id: 1, name: "N", y: 2 }), ["id", "Invalid input: expected string, received number"],
    ["", "Unrecognized keys: \"x\", \"y\""]);
  isInvalid(await app.patch("/api/strict/a", { __proto__x: 1, owner: "u9" }), ["", "Unrecognized key: \"__proto__x\""]);
  isInvalid(await app.post("/api/strict/batch", { items: [{ id: "n", name: "N" }, { id: "m", name: "M", bogus: 1 }] }), ["items.1", "Unrecognized key: \"bogus\""]);
  isInvalid(await app.patch(`/api/strict/batch?filter=id=="a"`, { bogus: 1 }), ["", "Unrecognized key: \"bogus\""]);
  assert.deepEqual(rows(), [A, C]);
  isJson(await app.post("/api/things", { id: "n", name: "N", bogus: 1 }), 201, { id: "n", name: "N", owner: null, qty: 0, role: "user" });
});

test("30 a PATCH with nothing to set answers with the row", async () => {
  for (const body of ["{}", "", { bogus: 1 }]) isJson(await app.patch("/api/things/a", body), 200, A);
  isJson(await app.patch("/api/writable/a", { role: "x" }), 200, A);
});

test("31 the row is looked for before the body is read", async () => {
  isNoRow(await app.patch("/api/things/zz", "{"), "things", "zz");
  isNoRow(await app.put("/api/things/zz", "{"), "things", "zz");
});

test("32, 33 PUT needs every required column and resets the rest", async () => {
  isInvalid(await app.put("/api/things/a", { name: "Z" }), ["id", missing("string", "id")]);
  isJson(await app.put("/api/things/c", { id: "c", name: "Z" }), 200, { id: "c", name: "Z", owner: null, qty: 0, role: "user" });
  assert.deepEqual(rows(), [A, { id: "c", name: "Z", owner: null, qty: 0, role: "user" }]);
  isJson(await app.put("/api/v/01", { label: "uno" }), 200, { id: 1, label: "uno" });
  isJson(await app.put("/api/v/1", {}), 200, { id: 1, label: null });
});

test("34 an id cannot be changed, the same one may be sent along", async () => {
  for (const response of [await app.patch("/api/things/a", { id: "b" }), await app.put("/api/things/a", { id: "b", name: "B" })])
    isInvalid(response, ["id", "Invalid input: the id of a row cannot be changed"]);
  isInvalid(await app.patch(`/api/things/batch?filter=id=="a"`, { id: "b" }), ["id", "Invalid input: the id of a row cannot be changed"]);
  isJson(await app.patch("/api/things/a", { id: "a", qty: 9 }), 200, { ...A, qty: 9 });
  isJson(await app.patch("/api/v/01", { id: 1, label: "x" }), 200, { id: 1, label: "x" });
});

test("35 DELETE answers 204 once and 404 then; a body is ignored", async () => {
  const response = await app.call("DELETE", "/api/things/a", "not json");
  assert.deepEqual([response.status, response.text, response.type], [204, "", undefined]);
  isNoRow(await app.delete("/api/things/a"), "things", "a");
  assert.deepEqual(rows(), [C]);
});

test("36 without a public operation nobody comes in, whatever the body", async () => {
  const unauthorized = (response, op) => isProblem(response, 401, "unauthorized", `Authentication required for ${op} on things`);
  for (const name of ["members", "closed"]) {
    for (const tail of ["", "/a", "/zz", "/count", "/aggregate?count=true", "/aggregate"]) unauthorized(await app.get(`/api/${name}${tail}`), "read");
    for (const tail of ["", "/batch", "/batch/upsert"]) unauthorized(await app.post(`/api/${name}${tail}`, "{"), "create");
    for (const tail of ["/a", "/batch?filter=qty%3E0", "/batch"]) {
      unauthorized(await app.patch(`/api/${name}${tail}`, "{"), "update");
      unauthorized(await app.delete(`/api/${name}${tail}`), "delete");
    }
    unauthorized(await app.put(`/api/${name}/a`, "{"), "update");
  }
  assert.deepEqual(rows(), [A, C]);
});

test("public: true opens reading only", async () => {
  isJson(await app.get("/api/half/a"), 200, A);
  isProblem(await app.post("/api/half", {}), 401, "unauthorized", "Authentication required for create on things");
  isProblem(await app.patch("/api/half/a", {}), 401, "unauthorized", "Authentication required for update on things");
  isProblem(await app.delete("/api/half/a"), 401, "unauthorized", "Authentication required for delete on things");
});

test("95 a filter means nothing on /:id", async () => {
  isJson(await app.get("/api/things/a?filter=garbage((("), 200, A);
  isJson(await app.patch(`/api/things/a?filter=id=="c"`, { qty: 2 }), 200, { ...A, qty: 2 });
  assert.equal((await app.delete(`/api/things/a?filter=id=="c"`)).status, 204);
  assert.deepEqual(rows(), [C]);
});

test("97 a byte order mark is dropped, white space alone is no JSON", async () => {
  isJson(await app.post("/api/things", "\uFEFF{\"id\":\"n\",\"name\":\"N\"}"), 201, { id: "n", name: "N", owner: null, qty: 0, role: "user" });
  isProblem(await app.post("/api/things", "\uFEFF \n"), 400, "validation-error", "Request body is not valid JSON");
});

test("98 a body above the limit is refused before it is sent", async () => {
  const connection = app.connect();
  connection.write(`POST /api/things HTTP/1.1\r\nHost: x\r\nContent-Length: ${6 << 20}\r\n\r\n{"id":"n","name":"`);
  isProblem(await connection.read(), 413, "payload-too-large", "The request body is larger than this server takes");
  connection.end();
  assert.deepEqual(rows(), [A, C]);
});

test("99 generated fields are not asked for, and PUT keeps them", async () => {
  isJson(await app.put("/api/gen/gid", { name: "y" }), 200, { id: "gid", name: "y", ownerId: "o1", created: "2024", note: "none" });
  isInvalid(await app.put("/api/gen/gid", { note: "y" }), ["name", missing("string", "name")]);
});

test("generated fields: a client's value counts, or is dropped with rejectGeneratedInput, the id never", async () => {
  isJson(await app.post("/api/gen", { id: "n", name: "N", ownerId: "o", created: "c" }), 201, { id: "n", name: "N", ownerId: "o", created: "c", note: "none" });
  isJson(await app.patch("/api/genDrop/gid", { ownerId: "evil", created: "evil", note: "n" }), 200,
    { id: "gid", name: "x", ownerId: "o1", created: "2024", note: "n" });
  isInvalid(await app.patch("/api/genDrop/gid", { ownerId: 5 }), ["ownerId", "Invalid input: expected string, received number"]);
  isInvalid(await app.post("/api/genDrop", { id: "m", name: "M", ownerId: "evil", created: "evil" }), ["ownerId", "Invalid input: a value is required"]);
});

test("select and totalCount do not matter to writes", async () => {
  isJson(await app.patch("/api/things/a?select=id&withDeleted=true", { qty: 7 }), 200, { ...A, qty: 7 });
});
