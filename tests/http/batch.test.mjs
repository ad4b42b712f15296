// SPDX-License-Identifier: MIT
// The batch routes (spec/01 section 11) and the capabilities (section 10).
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { everyone, isInvalid, isJson, isNoRoute, isNoRow, isProblem, missing, query, startProject } from "./support.mjs";

const things = (options) => ({ table: "things", auth: everyone, ...options });
const app = await startProject({
  schema: `
    CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, qty INTEGER DEFAULT 0 CHECK (qty < 1000));
    CREATE TABLE numbered (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE soft (id TEXT PRIMARY KEY, n INTEGER, deleted_at TEXT);`,
  config: {
    resources: {
      things: things({}),
      small: things({ batch: { create: 3, update: 2, delete: 2 } }),
      none: things({ batch: { create: 0, update: 0, delete: 0 } }),
      noCreate: things({ batch: { create: 0 } }),
      blind: things({ batch: { requireFilter: false, update: 2, delete: 2 } }),
      offCreate: things({ capabilities: { enableCreate: false } }),
      offUpdate: things({ capabilities: { enableUpdate: false } }),
      offDelete: things({ capabilities: { enableDelete: false } }),
      offBatch: things({ capabilities: { enableBatch: false } }),
      offAggregate: things({ capabilities: { enableAggregations: false } }),
      numbered: { auth: everyone },
      soft: { auth: everyone, softDelete: { field: "deletedAt" } },
      softSafe: { table: "soft", auth: everyone, softDelete: { field: "deletedAt" }, fields: { writable: ["n"] } },
    },
  },
});

const A = { id: "a", name: "A", qty: 1 }, B = { id: "b", name: "B", qty: 2 }, C = { id: "c", name: "C", qty: 3 };
beforeEach(() => app.sql(`
  DELETE FROM things; DELETE FROM numbered; DELETE FROM soft;
  INSERT INTO things VALUES ('a','A',1), ('b','B',2), ('c','C',3);`));
const rows = () => app.sql("SELECT * FROM things ORDER BY id");
const row = (id, qty = 0) => ({ id, name: id.toUpperCase(), qty });
const isOverLimit = (response, operation, limit, requested) => isProblem(response, 400, "batch-limit-exceeded",
  `Batch ${operation} limit exceeded. Max ${limit} items allowed, got ${requested}.`, { operation, limit, requested });

test("create answers with the rows in the order of the items", async () => {
  isJson(await app.post("/api/things/batch", { items: [row("z", 5), { id: "y", name: "Y" }, row("x", null)], other: 1 }), 200,
    { items: [row("z", 5), row("y"), row("x", null)] });
  isJson(await app.post("/api/numbered/batch", { items: [{ name: "p" }, { name: "q" }, { id: 10, name: "r" }, {}] }), 200,
    { items: [{ id: 1, name: "p" }, { id: 2, name: "q" }, { id: 10, name: "r" }, { id: 11, name: null }] });
});

test("51 the issues of all items together, and nothing is inserted", async () => {
  for (const route of ["batch", "batch/upsert"])
    isInvalid(await app.post(`/api/things/${route}`, { items: [row("ok"), { id: 2 }, 5, { id: "x", name: "X", qty: 1.5 }] }),
      ["items.1.id", "Invalid input: expected string, received number"], ["items.1.name", missing("string", "items.1.name")],
      ["items.2", "Invalid input: expected object, received number"], ["items.3.qty", "Invalid input: expected int, received number"]);
  assert.deepEqual(rows(), [A, B, C]);
});

test("bodies without an array of items", async () => {
  isInvalid(await app.post("/api/things/batch", { items: "x" }), ["items", "Invalid input: expected array, received string"]);
  isInvalid(await app.post("/api/things/batch", { items: null }), ["items", "Invalid input: expected array, received null"]);
  isInvalid(await app.post("/api/things/batch", "[]"), ["", "Invalid input: expected object, received array"]);
  isProblem(await app.post("/api/things/batch", "{\"items\":[}"), 400, "validation-error", "Request body is not valid JSON");
  for (const body of ["", "{}"])
    isInvalid(await app.post("/api/things/batch", body), ["items", "Invalid input: expected array, received undefined"]);
});

test("52 the limit counts items, after validation", async () => {
  const four = ["p", "q", "r", "s"].map((id) => row(id));
  isOverLimit(await app.post("/api/small/batch", { items: four }), "create", 3, 4);
  isOverLimit(await app.post("/api/small/batch/upsert", { items: four }), "create", 3, 4);
  const { status, json } = await app.post("/api/small/batch", { items: [...four, {}] });
  assert.deepEqual([status, json.code, json.errors.length], [400, "VALIDATION_ERROR", 2]);
  isJson(await app.post("/api/small/batch", { items: four.slice(1) }), 200, { items: four.slice(1) });
});

test("53 a constraint failure in one item undoes all", async () => {
  isProblem(await app.post("/api/things/batch", { items: [row("n"), { id: "m", name: "A" }] }), 409, "conflict", "Unique constraint violated", { field: "name" });
  isProblem(await app.post("/api/things/batch", { items: [row("n"), { id: "n", name: "M" }] }), 409, "conflict", "Unique constraint violated", { field: "id" });
  isInvalid(await app.post("/api/things/batch", { items: [row("n"), row("m", 1000)] }), ["qty", "Check constraint violated"]);
  assert.deepEqual(rows(), [A, B, C]);
});

test("54 an empty list of items is fine", async () => {
  isJson(await app.post("/api/things/batch", { items: [] }), 200, { items: [] });
  isJson(await app.post("/api/things/batch/upsert", { items: [] }), 200, { items: [] });
});

test("55 update counts the rows that match", async () => {
  isJson(await app.patch(`/api/things/batch${query({ filter: "qty>100" })}`, { qty: 0 }), 200, { count: 0 });
  isJson(await app.patch(`/api/things/batch${query({ filter: "qty>=2" })}`, { qty: 50 }), 200, { count: 2 });
  isJson(await app.patch(`/api/things/batch${query({ filter: "qty==50" })}`, {}), 200, { count: 2 });
  assert.deepEqual(rows(), [A, { ...B, qty: 50 }, { ...C, qty: 50 }]);
});

test("update judges its body before it looks for rows", async () => {
  isInvalid(await app.patch(`/api/things/batch${query({ filter: "qty>100" })}`, { qty: "1" }), ["qty", "Invalid input: expected number, received string"]);
  isInvalid(await app.patch(`/api/things/batch${query({ filter: "qty>0" })}`, []), ["", "Invalid input: expected object, received array"]);
});

test("update of several rows that breaks a constraint changes none", async () => {
  isProblem(await app.patch(`/api/things/batch${query({ filter: "qty>=2" })}`, { name: "same" }), 409, "conflict", "Unique constraint violated", { field: "name" });
  isInvalid(await app.patch(`/api/things/batch${query({ filter: "qty>0" })}`, { qty: 2000 }), ["qty", "Check constraint violated"]);
  assert.deepEqual(rows(), [A, B, C]);
});

test("58 update and delete have their limits, counted in rows", async () => {
  isOverLimit(await app.patch(`/api/small/batch${query({ filter: "qty>0" })}`, { qty: 9 }), "update", 2, 3);
  isOverLimit(await app.delete(`/api/small/batch${query({ filter: "qty>0" })}`), "delete", 2, 3);
  assert.deepEqual(rows(), [A, B, C]);
  isJson(await app.delete(`/api/small/batch${query({ filter: "qty>1" })}`), 200, { count: 2 });
  isJson(await app.delete(`/api/small/batch${query({ filter: "qty>1" })}`), 200, { count: 0 });
  assert.deepEqual(rows(), [A]);
});

test("59 a limit of 0 removes the route", async () => {
  isNoRow(await app.delete(`/api/none/batch${query({ filter: "qty>0" })}`), "things", "batch");
  isNoRow(await app.patch(`/api/none/batch${query({ filter: "qty>0" })}`, { qty: 5 }), "things", "batch");
  isNoRoute(await app.post("/api/none/batch", { items: [] }), "POST", "/api/none/batch");
  isNoRoute(await app.post("/api/noCreate/batch/upsert", { items: [] }), "POST", "/api/noCreate/batch/upsert");
  isJson(await app.delete(`/api/noCreate/batch${query({ filter: "qty==1" })}`), 200, { count: 1 });
  app.sql("INSERT INTO things VALUES ('batch','x',7)");
  isJson(await app.patch(`/api/none/batch${query({ filter: "qty==2" })}`, { qty: 8 }), 200, { id: "batch", name: "x", qty: 8 });
});

test("a batch update or deletion needs a filter", async () => {
  for (const target of ["/api/things/batch", "/api/things/batch?filter=", "/api/things/batch?filter=%20+", "/api/things/batch?Filter=qty%3E0"]) {
    isProblem(await app.delete(target), 400, "validation-error", "A filter is required: ?filter=...");
    isProblem(await app.patch(target, { qty: 5 }), 400, "validation-error", "A filter is required: ?filter=...");
  }
  isProblem(await app.call("DELETE", "/api/things/batch", { filter: "qty==1" }), 400, "validation-error", "A filter is required: ?filter=...");
  assert.deepEqual(rows(), [A, B, C]);
});

test("requireFilter: false lets it hit everything, up to the limit", async () => {
  isOverLimit(await app.delete("/api/blind/batch"), "delete", 2, 3);
  await app.delete("/api/things/c");
  isJson(await app.patch("/api/blind/batch", { qty: 9 }), 200, { count: 2 });
  isJson(await app.delete("/api/blind/batch"), 200, { count: 2 });
});

test("a bad filter writes nothing", async () => {
  for (const filter of ["qty==", "nope==1", "(", "qty==1)", "a.b==1"]) {
    const [patch, del] = [await app.patch(`/api/things/batch${query({ filter })}`, { qty: 9 }), await app.delete(`/api/things/batch${query({ filter })}`)];
    for (const response of [patch, del]) assert.deepEqual([response.status, response.json.code], [400, "FILTER_PARSE_ERROR"]);
  }
  assert.deepEqual(rows(), [A, B, C]);
});

test("60 upsert updates what is there, sets what is given, and inserts the rest", async () => {
  isJson(await app.post("/api/things/batch/upsert", { items: [{ id: "a", name: "A2" }, row("n", 4)] }), 200,
    { items: [{ id: "a", name: "A2", qty: 1 }, row("n", 4)] });
  isJson(await app.post("/api/things/batch/upsert", { items: [{ id: "a", name: "A3", qty: null }] }), 200, { items: [{ id: "a", name: "A3", qty: null }] });
});

test("the same id twice in one upsert: the later item updates the earlier", async () => {
  isJson(await app.post("/api/things/batch/upsert", { items: [row("n", 1), { id: "n", name: "N2" }] }), 200,
    { items: [row("n", 1), { id: "n", name: "N2", qty: 1 }] });
});

test("an upsert of nothing but an id, or without one", async () => {
  isJson(await app.post("/api/numbered/batch/upsert", { items: [{ id: 5, name: "five" }, { id: 5 }, { name: "next" }, {}] }), 200,
    { items: [{ id: 5, name: "five" }, { id: 5, name: "five" }, { id: 6, name: "next" }, { id: 7, name: null }] });
});

test("62 a failing item undoes the whole upsert", async () => {
  isProblem(await app.post("/api/things/batch/upsert", { items: [{ id: "a", name: "changed" }, { id: "b", name: "C" }] }), 409, "conflict",
    "Unique constraint violated", { field: "name" });
  isInvalid(await app.post("/api/things/batch/upsert", { items: [{ id: "a", name: "changed" }, row("n", 5000)] }), ["qty", "Check constraint violated"]);
  assert.deepEqual(rows(), [A, B, C]);
});

test("an upsert validates as a create does", async () => {
  isInvalid(await app.post("/api/things/batch/upsert", { items: [{ id: "a", qty: 5 }] }), ["items.0.name", missing("string", "items.0.name")]);
});

test("two conflicts at once keep the connection and the table sound", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => app.post("/api/things/batch", { items: [row(`k${i}`), row("shared")] })));
  assert.deepEqual(answers.map((r) => r.status).sort(), [200, ...Array(19).fill(409)]);
  assert.equal(rows().length, 5);
});

test("94 what a capability turns off is refused and says how to turn it on", async () => {
  const isOff = (response, op, capability) => isProblem(response, 400, "validation-error", `${op} is not enabled for resource 'things'`,
    { resource: "things", capability, suggestion: `Enable ${capability} in the resource configuration` });
  const filter = query({ filter: "qty>0" });
  isOff(await app.post("/api/offCreate", row("n")), "create", "enableCreate");
  isOff(await app.post("/api/offCreate/batch", { items: [row("n")] }), "create", "enableCreate");
  isOff(await app.post("/api/offCreate/batch/upsert", { items: [row("n")] }), "create", "enableCreate");
  isOff(await app.patch("/api/offUpdate/a", { qty: 9 }), "update", "enableUpdate");
  isOff(await app.put("/api/offUpdate/a", { ...A, qty: 9 }), "update", "enableUpdate");
  isOff(await app.patch(`/api/offUpdate/batch${filter}`, { qty: 9 }), "update", "enableUpdate");
  isOff(await app.post("/api/offUpdate/batch/upsert", { items: [row("n")] }), "update", "enableUpdate");
  isOff(await app.delete("/api/offDelete/a"), "delete", "enableDelete");
  isOff(await app.delete(`/api/offDelete/batch${filter}`), "delete", "enableDelete");
  isOff(await app.post("/api/offBatch/batch", { items: [row("n")] }), "batch", "enableBatch");
  isOff(await app.post("/api/offBatch/batch/upsert", { items: [row("n")] }), "batch", "enableBatch");
  isOff(await app.patch(`/api/offBatch/batch${filter}`, { qty: 9 }), "batch", "enableBatch");
  isOff(await app.delete(`/api/offBatch/batch${filter}`), "batch", "enableBatch");
  isOff(await app.get("/api/offAggregate/aggregate?count=true"), "aggregations", "enableAggregations");
  assert.deepEqual(rows(), [A, B, C]);
});

test("a capability turns off nothing else", async () => {
  isJson(await app.patch("/api/offCreate/a", { qty: 5 }), 200, { ...A, qty: 5 });
  isJson(await app.post("/api/offUpdate", row("n")), 201, row("n"));
  isJson(await app.post("/api/offBatch", row("m")), 201, row("m"));
  assert.equal((await app.delete("/api/offBatch/m")).status, 204);
  isJson(await app.get("/api/offAggregate/count"), 200, { count: 4 });
});

test("upsert on a row that is soft-deleted: with withDeleted as any row, else it is not brought back silently", async () => {
  app.sql("INSERT INTO soft VALUES ('s', 1, '2024-01-01T00:00:00.000Z')");
  const response = await app.post("/api/softSafe/batch/upsert", { items: [{ id: "s", n: 2 }] });
  assert.ok([200, 403, 404, 409].includes(response.status), response.text);
  assert.equal(app.sql("SELECT deleted_at AS d FROM soft")[0].d, "2024-01-01T00:00:00.000Z");
});
