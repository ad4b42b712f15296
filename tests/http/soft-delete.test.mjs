// SPDX-License-Identifier: MIT
// Soft deletion with markers of every type (spec/01 section 14).
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { everyone, isInvalid, isJson, isNoRow, query, startProject } from "./support.mjs";

const kinds = {
  text: "TEXT", integer: "INTEGER", boolean: "BOOLEAN", timestamp: "TIMESTAMP", timestampMs: "TIMESTAMP_MS", datetime: "DATETIME",
};
const app = await startProject({
  schema: Object.entries(kinds).map(([name, type]) =>
    `CREATE TABLE soft_${name} (id TEXT PRIMARY KEY, n INTEGER, deleted_at ${type});`).join("\n"),
  config: {
    resources: Object.fromEntries([
      ...Object.keys(kinds).map((name) => [name, { table: `soft_${name}`, auth: everyone, softDelete: { field: "deletedAt" } }]),
      ["byDbName", { table: "soft_text", auth: everyone, softDelete: { field: "deleted_at" } }],
      ["locked", { table: "soft_text", auth: everyone, softDelete: { field: "deletedAt" }, fields: { writable: ["n"] } }],
    ]),
  },
});

beforeEach(() => app.sql(Object.keys(kinds).map((name) =>
  `DELETE FROM soft_${name}; INSERT INTO soft_${name} (id, n) VALUES ('a',1), ('b',2), ('c',3);`).join("\n")));

const raw = (name, id) => app.sql(`SELECT typeof(deleted_at) AS type, deleted_at AS value FROM soft_${name} WHERE id='${id}'`)[0];

test("the marker is the time of the deletion in the column's own storage, or true", async () => {
  const expected = {
    text: ["text", (v) => Date.parse(v), (v) => v], integer: ["integer", (v) => v, (v) => v],
    boolean: ["integer", null, (v) => v === 1], timestamp: ["integer", (v) => v * 1000, (v) => new Date(v * 1000).toISOString()],
    timestampMs: ["integer", (v) => v, (v) => new Date(v).toISOString()], datetime: ["text", (v) => Date.parse(v), (v) => v],
  };
  for (const [name, [type, instant, shown]] of Object.entries(expected)) {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const response = await app.delete(`/api/${name}/b`);
    assert.deepEqual([response.status, response.text], [204, ""], name);
    const marker = raw(name, "b");
    assert.equal(marker.type, type, name);
    if (instant) assert.ok(instant(marker.value) >= before && instant(marker.value) <= Date.now(), `${name}: ${marker.value}`);
    else assert.equal(marker.value, 1);
    if (type === "text") assert.match(marker.value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    isJson(await app.get(`/api/${name}/b?withDeleted=true`), 200, { id: "b", n: 2, deletedAt: shown(marker.value) });
  }
});

for (const name of Object.keys(kinds))
  test(`72 a deleted row is gone from every route, and shown to withDeleted=true alone (${name})`, async () => {
    await app.delete(`/api/${name}/b`);
    isNoRow(await app.get(`/api/${name}/b`), `soft_${name}`, "b");
    isNoRow(await app.delete(`/api/${name}/b`), `soft_${name}`, "b");
    isNoRow(await app.patch(`/api/${name}/b`, { n: 5 }), `soft_${name}`, "b");
    isNoRow(await app.put(`/api/${name}/b`, { id: "b", n: 5 }), `soft_${name}`, "b");
    isJson(await app.get(`/api/${name}?select=id&totalCount=true`), 200,
      { items: [{ id: "a" }, { id: "c" }], nextCursor: null, hasMore: false, totalCount: 2 });
    isJson(await app.get(`/api/${name}/count`), 200, { count: 2 });
    isJson(await app.get(`/api/${name}/aggregate?count=true&sum=n`), 200, { groups: [{ key: null, count: 2, sum: { n: 4 } }] });
    isJson(await app.patch(`/api/${name}/batch${query({ filter: "n>0" })}`, { n: 9 }), 200, { count: 2 });
    for (const value of ["1", "TRUE", "yes", ""]) isNoRow(await app.get(`/api/${name}/b?withDeleted=${value}`), `soft_${name}`, "b");

    assert.equal((await app.get(`/api/${name}/b?withDeleted=true`)).json.n, 2);
    assert.equal((await app.get(`/api/${name}?withDeleted=true&totalCount=true`)).json.totalCount, 3);
    isJson(await app.get(`/api/${name}/count?withDeleted=true`), 200, { count: 3 });
    isJson(await app.get(`/api/${name}/aggregate?count=true&sum=n&withDeleted=true`), 200, { groups: [{ key: null, count: 3, sum: { n: 20 } }] });
  });

for (const name of Object.keys(kinds))
  test(`73 null in the marker brings the row back (${name})`, async () => {
    await app.delete(`/api/${name}/b`);
    isNoRow(await app.patch(`/api/${name}/b`, { deletedAt: null }), `soft_${name}`, "b");
    isJson(await app.patch(`/api/${name}/b?withDeleted=true`, { deletedAt: null }), 200, { id: "b", n: 2, deletedAt: null });
    isJson(await app.get(`/api/${name}/b`), 200, { id: "b", n: 2, deletedAt: null });
  });

test("deleting again with withDeleted=true marks anew", async () => {
  app.sql("UPDATE soft_integer SET deleted_at=5 WHERE id='b'");
  assert.equal((await app.delete("/api/integer/b?withDeleted=true")).status, 204);
  assert.ok(raw("integer", "b").value > 1700000000000);
});

test("a batch deletion marks; marked rows do not count for its limit or its answer", async () => {
  await app.delete("/api/text/a");
  isJson(await app.delete(`/api/text/batch${query({ filter: "n>=1" })}`), 200, { count: 2 });
  isJson(await app.get("/api/text"), 200, { items: [], nextCursor: null, hasMore: false });
  assert.equal(app.sql("SELECT count(*) AS n FROM soft_text WHERE deleted_at IS NOT NULL")[0].n, 3);
});

test("a PATCH can delete where the marker is writable, and PUT never touches it", async () => {
  isJson(await app.patch("/api/text/a", { deletedAt: "gone" }), 200, { id: "a", n: 1, deletedAt: "gone" });
  isNoRow(await app.get("/api/text/a"), "soft_text", "a");
  isJson(await app.put("/api/text/a?withDeleted=true", { id: "a", n: 8 }), 200, { id: "a", n: 8, deletedAt: "gone" });
  isInvalid(await app.patch("/api/boolean/a", { deletedAt: 1 }), ["deletedAt", "Invalid input: expected boolean, received number"]);
});

test("a marker that is not writable cannot be set or taken back by a client", async () => {
  isJson(await app.patch("/api/locked/a", { deletedAt: "gone", n: 4 }), 200, { id: "a", n: 4, deletedAt: null });
  assert.equal((await app.delete("/api/locked/a")).status, 204);
  const marker = raw("text", "a").value;
  isJson(await app.patch("/api/locked/a?withDeleted=true", { deletedAt: null }), 200, { id: "a", n: 4, deletedAt: marker });
});

test("the column may be named as in SQL", async () => {
  assert.equal((await app.delete("/api/byDbName/c")).status, 204);
  isNoRow(await app.get("/api/text/c"), "soft_text", "c");
});
