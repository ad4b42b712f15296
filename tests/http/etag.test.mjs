// SPDX-License-Identifier: MIT
// Entity tags, preconditions and version numbers (spec/01 section 15).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, test } from "node:test";
import { everyone, isInvalid, isJson, isNoRow, isProblem, startProject } from "./support.mjs";

const etag = (options) => ({ table: "docs", auth: everyone, etag: options });
const app = await startProject({
  schema: `
    CREATE TABLE vv (id TEXT PRIMARY KEY, name TEXT, version INTEGER);
    CREATE TABLE tv (id TEXT PRIMARY KEY, name TEXT, version TEXT);
    CREATE TABLE docs (id TEXT PRIMARY KEY, name TEXT, version INTEGER, updated_at TIMESTAMP, ut TEXT);`,
  config: {
    resources: {
      vv: { auth: everyone, etag: { versionField: "version" } },
      weak: { table: "vv", auth: everyone, etag: { versionField: "version", algorithm: "weak" } },
      nn: { table: "vv", auth: everyone },
      masked: { table: "vv", auth: everyone, etag: { versionField: "version" }, fields: { readable: ["id", "name"], writable: ["name"] } },
      soft: { table: "vv", auth: everyone, etag: { versionField: "version" }, softDelete: { field: "name" } },
      tv: { auth: everyone, etag: { versionField: "version" } },
      byVersion: etag({ versionField: "version" }),
      byVersionWeak: etag({ versionField: "version", algorithm: "weak" }),
      byTime: etag({ updatedAtField: "updatedAt", idField: "id" }),
      byTimeDb: etag({ updatedAtField: "updated_at", idField: "id" }),
      byText: etag({ updatedAtField: "ut" }),
      byHash: etag({}),
      byHashWeak: etag({ algorithm: "weak" }),
      hashMasked: { ...etag({}), fields: { readable: ["id"] } },
    },
  },
});

beforeEach(() => app.sql(`
  DELETE FROM vv; DELETE FROM tv; DELETE FROM docs;
  INSERT INTO vv VALUES ('a','A',3), ('n','N',NULL);
  INSERT INTO tv VALUES ('seven','S','7'), ('word','W','x');
  INSERT INTO docs VALUES ('a','A',3,1704164645,'2024-01-02T03:04:05.678Z'), ('k','é',NULL,NULL,NULL), ('z','Z',0,0,'');`));

const ROW = { id: "a", name: "A", version: 3 };
const stored = () => app.sql("SELECT version FROM vv WHERE id='a'")[0].version;
const isStale = (response, currentETag) => {
  isProblem(response, 412, "precondition-failed", "Resource was modified",
    { currentETag, suggestion: "Refetch the resource and retry with the new ETag" });
  assert.equal(response.headers.etag, undefined);
};

test("the worked tags, byte for byte", async () => {
  const expected = {
    byVersion: "\"3\"", byVersionWeak: "W/\"3\"", byTime: "\"1704164645000-a\"", byTimeDb: "\"1704164645000-a\"",
    byText: "\"1704164645678-\"", byHash: "\"3766161cc4d7801b\"", byHashWeak: "W/\"3766161cc4d7801b\"", hashMasked: "\"3766161cc4d7801b\"",
  };
  for (const [name, tag] of Object.entries(expected)) {
    const response = await app.get(`/api/${name}/a`);
    assert.equal(response.headers.etag, tag, name);
    if (name !== "hashMasked")
      isJson(response, 200, "{\"id\":\"a\",\"name\":\"A\",\"version\":3,\"updatedAt\":\"2024-01-02T03:04:05.000Z\",\"ut\":\"2024-01-02T03:04:05.678Z\"}");
  }
  const k = await app.get("/api/byHash/k");
  isJson(k, 200, "{\"id\":\"k\",\"name\":\"é\",\"version\":null,\"updatedAt\":null,\"ut\":null}");
  assert.equal(k.headers.etag, "\"bc9f361c61619293\"");
});

test("without a value: the version says null, the time falls back to the hash", async () => {
  assert.equal((await app.get("/api/byVersion/k")).headers.etag, "\"null\"");
  assert.equal((await app.get("/api/byTime/k")).headers.etag, "\"bc9f361c61619293\"");
  assert.equal((await app.get("/api/byText/k")).headers.etag, "\"bc9f361c61619293\"");
  assert.equal((await app.get("/api/byTime/z")).headers.etag, "\"0-z\"");
  const z = await app.get("/api/byText/z");
  assert.equal(z.headers.etag, `"${createHash("md5").update(z.text).digest("hex").slice(0, 16)}"`);
  app.sql("UPDATE docs SET ut='someday' WHERE id='z'");
  assert.equal((await app.get("/api/byText/z")).headers.etag, "\"NaN-\"");
});

test("every answer with one row has the hash of the whole row", async () => {
  const md5 = (text) => `"${createHash("md5").update(text).digest("hex").slice(0, 16)}"`;
  const created = await app.post("/api/byHash", { id: "h", name: "1\u2028é😀\"\\\u0001", ut: "x" }, { "X-Covara-Optimistic-Id": "o" });
  const read = await app.get("/api/byHash/h");
  assert.equal(created.headers.etag, md5(read.text));
  assert.equal(read.headers.etag, md5(read.text));
  const patched = await app.patch("/api/byHash/h", { updatedAt: 1704164645678 });
  assert.equal(patched.headers.etag, md5(patched.text));
  assert.notEqual(patched.headers.etag, created.headers.etag);
  const put = await app.put("/api/byHash/h", { id: "h", name: "2" });
  assert.equal(put.headers.etag, md5(put.text));
});

test("lists, batches, deletions and problems carry no tag", async () => {
  for (const response of [await app.get("/api/vv"), await app.get("/api/vv/count"), await app.get("/api/vv/zz"),
    await app.post("/api/vv/batch", { items: [{ id: "b1" }] }), await app.delete("/api/vv/b1"), await app.get("/api/nn/a")])
    assert.equal(response.headers.etag, undefined);
});

test("64 If-None-Match compares weakly, and knows lists and *", async () => {
  for (const header of ["\"3\"", "W/\"3\"", "*", " * ", "\"1\", \"3\"", "\"1\",W/\"3\"", "W/\"1\" , \"3\"", "\"a,b\", \"3\""]) {
    const response = await app.get("/api/vv/a", { "If-None-Match": header });
    assert.deepEqual([response.status, response.text, response.headers.etag], [304, "", "\"3\""], header);
  }
  for (const header of ["\"2\"", "3", "\"\"", "\"3", "\"33\"", "w/\"3\"", ",", "\"1\" \"3\"", "\"x, \"3\""]) {
    const response = await app.get("/api/vv/a", { "If-None-Match": header });
    isJson(response, 200, ROW);
    assert.equal(response.headers.etag, "\"3\"", header);
  }
  isNoRow(await app.get("/api/vv/zz", { "If-None-Match": "*" }), "vv", "zz");
  assert.equal((await app.get("/api/weak/a", { "If-None-Match": "\"3\"" })).status, 304);
  assert.equal((await app.call("HEAD", "/api/vv/a", undefined, { "If-None-Match": "\"3\"" })).status, 304);
  isJson(await app.get("/api/nn/a", { "If-None-Match": "*" }), 200, ROW);
});

test("65, 67 If-Match that does not match is 412 and changes nothing", async () => {
  for (const header of ["\"2\"", "W/\"3\"", "3", "\"1\", \"2\"", "\"3", "", "\"4\", W/\"3\"", "\"*\""]) {
    isStale(await app.patch("/api/vv/a", { name: "B" }, { "If-Match": header }), "\"3\"");
    isStale(await app.put("/api/vv/a", { id: "a", name: "B" }, { "If-Match": header }), "\"3\"");
    isStale(await app.delete("/api/vv/a", { "If-Match": header }), "\"3\"");
  }
  assert.deepEqual(app.sql("SELECT * FROM vv WHERE id='a'"), [ROW]);
});

test("the order of judgement: row, precondition, body", async () => {
  isNoRow(await app.patch("/api/vv/zz", "{", { "If-Match": "\"9\"" }), "vv", "zz");
  isStale(await app.patch("/api/vv/a", "{", { "If-Match": "\"9\"" }), "\"3\"");
  isProblem(await app.patch("/api/vv/a", "{", { "If-Match": "\"3\"" }), 400, "validation-error", "Request body is not valid JSON");
});

test("66 If-Match with the current tag writes and raises the version", async () => {
  const response = await app.patch("/api/vv/a", { name: "B" }, { "If-Match": "\"1\", \"3\"" });
  isJson(response, 200, { id: "a", name: "B", version: 4 });
  assert.equal(response.headers.etag, "\"4\"");
  const put = await app.put("/api/vv/a", { id: "a", name: "C" }, { "If-Match": "\"4\"" });
  isJson(put, 200, { id: "a", name: "C", version: 5 });
  isStale(await app.delete("/api/vv/a", { "If-Match": "\"4\"" }), "\"5\"");
  assert.equal((await app.delete("/api/vv/a", { "If-Match": "\"5\"" })).status, 204);
});

test("68 of five concurrent writers with the same tag one wins", async () => {
  for (const [name, tag, body] of [["vv", "\"3\"", { name: "B" }], ["byHash", "\"3766161cc4d7801b\"", null], ["byTime", "\"1704164645000-a\"", null]]) {
    app.sql("UPDATE docs SET name='A', updated_at=1704164645 WHERE id='a'");
    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) =>
      app.patch(`/api/${name}/a`, body ?? { name: `B${n}`, updatedAt: 1704164646000 + n * 1000 }, { "If-Match": tag })));
    assert.deepEqual(answers.map((r) => r.status).sort(), [200, 412, 412, 412, 412], name);
  }
  assert.equal(stored(), 4);
});

test("69, 70 a version that is NULL becomes 1, with *, its tag or without condition", async () => {
  for (const header of [undefined, "*", "\"null\""]) {
    app.sql("UPDATE vv SET version=NULL WHERE id='n'");
    const response = await app.patch("/api/vv/n", { name: "M" }, header === undefined ? {} : { "If-Match": header });
    isJson(response, 200, { id: "n", name: "M", version: 1 });
  }
});

test("71 without etag conditional headers mean nothing", async () => {
  isJson(await app.patch("/api/nn/a", { name: "B" }, { "If-Match": "\"bad\"" }), 200, { ...ROW, name: "B" });
  assert.equal((await app.delete("/api/nn/a", { "If-Match": "\"bad\"" })).status, 204);
});

test("weak tags never satisfy If-Match, * does", async () => {
  for (const header of ["W/\"3\"", "\"3\""]) isStale(await app.patch("/api/weak/a", {}, { "If-Match": header }), "W/\"3\"");
  const response = await app.patch("/api/weak/a", { name: "B" }, { "If-Match": "*" });
  isJson(response, 200, { id: "a", name: "B", version: 4 });
  assert.equal(response.headers.etag, "W/\"4\"");
});

test("a version that the body sets wins; an empty PATCH raises it too", async () => {
  isJson(await app.patch("/api/vv/a", { version: 40 }), 200, { ...ROW, version: 40 });
  isJson(await app.patch("/api/vv/a", {}), 200, { ...ROW, version: 41 });
  isJson(await app.put("/api/vv/a", { id: "a", version: 7 }), 200, { id: "a", name: null, version: 7 });
  isInvalid(await app.patch("/api/vv/a", { version: "8" }), ["version", "Invalid input: expected number, received string"]);
});

test("a version that is not writable is raised all the same, and shown in the tag only", async () => {
  const response = await app.patch("/api/masked/a", { name: "B", version: 99 });
  isJson(response, 200, { id: "a", name: "B" });
  assert.equal(response.headers.etag, "\"4\"");
  assert.equal(stored(), 4);
});

test("a version in text: digits count on, other text stays", async () => {
  isJson(await app.patch("/api/tv/seven", { name: "B" }), 200, { id: "seven", name: "B", version: "8" });
  isJson(await app.patch("/api/tv/word", { name: "B" }), 200, { id: "word", name: "B", version: "x" });
  isJson(await app.patch("/api/tv/word", { name: "C" }, { "If-Match": "\"x\"" }), 200, { id: "word", name: "C", version: "x" });
});

test("batch update and upsert raise the version, so that no old tag survives them; soft deletion leaves it", async () => {
  isJson(await app.patch("/api/vv/batch?filter=id==%22a%22", { name: "B" }, { "If-Match": "\"1\"" }), 200, { count: 1 });
  isJson(await app.post("/api/vv/batch/upsert", { items: [{ id: "a", name: "C" }] }), 200, { items: [{ id: "a", name: "C", version: 5 }] });
  for (const old of [3, 4]) assert.equal((await app.patch("/api/vv/a", { name: "D" }, { "If-Match": `"${old}"` })).status, 412);
  isJson(await app.post("/api/vv/batch/upsert", { items: [{ id: "a", name: "D", version: 5 }] }), 200, { items: [{ id: "a", name: "D", version: 6 }] });
  app.sql("UPDATE vv SET name=NULL WHERE id='a'");
  assert.equal((await app.delete("/api/soft/a", { "If-Match": "\"6\"" })).status, 204);
  assert.equal(stored(), 6);
});
