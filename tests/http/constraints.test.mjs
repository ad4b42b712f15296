// SPDX-License-Identifier: MIT
// What the database refuses, as problems that name the field and show no SQL (spec/01 Q-11).
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { everyone, isInvalid, isJson, isProblem, missing, query, startProject } from "./support.mjs";

const tables = {
  users: "id INTEGER PRIMARY KEY, e_mail TEXT UNIQUE, first_name TEXT, last_name TEXT, UNIQUE (first_name, last_name)",
  posts: "id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES users(id), editor_id INTEGER REFERENCES users(id), title TEXT",
  notes: "id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts(id) ON DELETE CASCADE, reader_id INTEGER REFERENCES users(id) ON DELETE SET NULL",
  pairs: "a INTEGER, b INTEGER, id TEXT PRIMARY KEY, UNIQUE (a, b)",
  pair_users: "id TEXT PRIMARY KEY, x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES pairs(a, b)",
  later: "id TEXT PRIMARY KEY, user_id INTEGER REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED",
  checks: `id TEXT PRIMARY KEY, plain_price REAL CHECK (plain_price >= 0), named TEXT CONSTRAINT "named is short" CHECK (length(named) < 5),
    low INTEGER, high INTEGER, CONSTRAINT in_order CHECK (low <= high), CHECK (low <> 13)`,
  required: "id TEXT PRIMARY KEY, must TEXT NOT NULL, with_default TEXT NOT NULL DEFAULT 'd', filled_in TEXT NOT NULL",
  gen: "id TEXT PRIMARY KEY, n INTEGER, twice INTEGER GENERATED ALWAYS AS (n * 2) VIRTUAL, kept TEXT AS (id || '!') STORED",
  expressions: "id TEXT PRIMARY KEY, name TEXT",
  guarded: "id TEXT PRIMARY KEY, n INTEGER",
};
const app = await startProject({
  schema: Object.entries(tables).map(([name, columns]) => `CREATE TABLE ${name} (${columns});`).join("\n") + `
    CREATE TABLE exact (id TEXT PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, anything ANY) STRICT;
    CREATE TABLE short (id TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID, STRICT;
    CREATE UNIQUE INDEX lower_name ON expressions (lower(name));
    CREATE TRIGGER no_big BEFORE INSERT ON guarded WHEN new.n > 10 BEGIN SELECT RAISE(ABORT, 'secret rule 42'); END;`,
  config: {
    resources: {
      ...Object.fromEntries([...Object.keys(tables), "exact", "short"].map((name) => [name, { auth: everyone }])),
      required: { auth: everyone, generatedFields: ["filledIn"] },
      genStrict: { table: "gen", auth: everyone, strictInput: true },
      users: { auth: everyone, columns: { e_mail: "email" } },
    },
  },
});
after(() => app.stop());

beforeEach(() => app.sql([...Object.keys(tables), "exact", "short"].map((name) => `DELETE FROM ${name};`).join("") + `
  INSERT INTO users VALUES (1,'ann@x','Ann','A'), (2,'bob@x','Bob','B');
  INSERT INTO posts VALUES (1,1,NULL,'one'), (2,2,2,'two');
  INSERT INTO notes VALUES (1,1,1);
  INSERT INTO pairs VALUES (1,2,'p');`));

const isTaken = (response, ...fields) => isProblem(response, 409, "conflict", "Unique constraint violated",
  { field: fields[0], ...(fields.length > 1 ? { fields } : {}) });
const isOrphan = (response, field, table) => isProblem(response, 409, "conflict", `Foreign key constraint violated: no such row in ${table}`, { field });
const isReferred = (response, field) => isProblem(response, 409, "conflict", "Foreign key constraint violated: other rows refer to this one", { field });

test("unique: on insert, update, replace and upsert, by the name that clients know", async () => {
  isTaken(await app.post("/api/users", { email: "ann@x" }), "email");
  isTaken(await app.patch("/api/users/2", { email: "ann@x" }), "email");
  isTaken(await app.put("/api/users/2", { email: "ann@x" }), "email");
  isTaken(await app.post("/api/users/batch/upsert", { items: [{ id: 2, email: "ann@x" }] }), "email");
  isTaken(await app.patch(`/api/users/batch${query({ filter: "id>0" })}`, { email: "same" }), "email");
  isJson(await app.patch("/api/users/2", { email: "bob@x" }), 200, { id: 2, email: "bob@x", firstName: "Bob", lastName: "B" });
});

test("unique over several columns names them all", async () => {
  isTaken(await app.post("/api/users", { firstName: "Ann", lastName: "A" }), "firstName", "lastName");
  isTaken(await app.patch("/api/users/2", { firstName: "Ann", lastName: "A" }), "firstName", "lastName");
  assert.equal((await app.post("/api/users", { firstName: "Ann" })).status, 201);
  assert.equal((await app.post("/api/users", { firstName: "Ann" })).status, 201);
});

test("the primary key, with and without rowid", async () => {
  isTaken(await app.post("/api/users", { id: 1 }), "id");
  isTaken(await app.post("/api/pairs", { id: "p" }), "id");
  await app.post("/api/short", { id: "s" });
  isTaken(await app.post("/api/short", { id: "s" }), "id");
});

test("a unique expression has no field to name", async () => {
  assert.equal((await app.post("/api/expressions", { id: "1", name: "Ann" })).status, 201);
  isProblem(await app.post("/api/expressions", { id: "2", name: "ANN" }), 409, "conflict", "Unique constraint violated");
});

test("a foreign key without its row, on insert and update", async () => {
  isOrphan(await app.post("/api/posts", { authorId: 99 }), "authorId", "users");
  isOrphan(await app.post("/api/posts", { authorId: 1, editorId: 98 }), "editorId", "users");
  isOrphan(await app.patch("/api/posts/1", { editorId: 98 }), "editorId", "users");
  isOrphan(await app.put("/api/posts/1", { authorId: 99 }), "authorId", "users");
  isOrphan(await app.post("/api/posts/batch", { items: [{ authorId: 1 }, { authorId: 97 }] }), "authorId", "users");
  isOrphan(await app.post("/api/posts/batch/upsert", { items: [{ id: 1, authorId: 97 }] }), "authorId", "users");
  isOrphan(await app.patch(`/api/posts/batch${query({ filter: "id>0" })}`, { authorId: 97 }), "authorId", "users");
  assert.deepEqual(app.sql("SELECT id, author_id AS a, editor_id AS e FROM posts"), [{ id: 1, a: 1, e: null }, { id: 2, a: 2, e: 2 }]);
});

test("a foreign key over two columns", async () => {
  isOrphan(await app.post("/api/pair_users", { id: "q", x: 1, y: 3 }), "x", "pairs");
  assert.equal((await app.post("/api/pair_users", { id: "q", x: 1, y: 2 })).status, 201);
  assert.equal((await app.post("/api/pair_users", { id: "r", x: 7 })).status, 201);
});

test("a row that others refer to stays, by key or by id", async () => {
  isReferred(await app.delete("/api/users/2"), "id");
  isReferred(await app.delete(`/api/users/batch${query({ filter: "id==2" })}`), "id");
  await app.post("/api/pair_users", { id: "q", x: 1, y: 2 });
  const { status, json } = await app.patch("/api/pairs/p", { a: 5 });
  assert.deepEqual([status, json.code], [409, "CONFLICT"]);
  assert.equal(app.sql("SELECT count(*) AS n FROM users")[0].n, 2);
});

test("ON DELETE CASCADE and SET NULL work", async () => {
  assert.equal((await app.delete("/api/posts/1")).status, 204);
  isJson(await app.get("/api/notes/count"), 200, { count: 0 });
  app.sql("INSERT INTO notes VALUES (2,NULL,1)");
  assert.equal((await app.delete("/api/users/1")).status, 204);
  isJson(await app.get("/api/notes/2"), 200, { id: 2, postId: null, readerId: null });
});

test("a deferred foreign key fails with the commit, as a conflict without SQL", async () => {
  const response = await app.post("/api/later", { id: "x", userId: 99 });
  assert.deepEqual([response.status, response.type, response.json.code], [409, "application/problem+json", "CONFLICT"]);
  assert.doesNotMatch(response.text, /insert|later|user_id/i);
  isJson(await app.get("/api/later/count"), 200, { count: 0 });
  assert.equal((await app.post("/api/later", { id: "x", userId: 1 })).status, 201);
  assert.equal((await app.delete("/api/users/1")).status, 409);
});

test("CHECK, of a column or the table, named or not, hides its text", async () => {
  isInvalid(await app.post("/api/checks", { id: "x", plainPrice: -1 }), ["plainPrice", "Check constraint violated"]);
  isInvalid(await app.post("/api/checks", { id: "x", named: "longer" }), ["named", "Check constraint violated"]);
  isInvalid(await app.post("/api/checks", { id: "x", low: 2, high: 1 }), ["low", "Check constraint violated"]);
  isInvalid(await app.post("/api/checks", { id: "x", low: 13, high: 14 }), ["low", "Check constraint violated"]);
  assert.equal((await app.post("/api/checks", { id: "x", plainPrice: 1, named: "ok", low: 1, high: 1 })).status, 201);
  isInvalid(await app.patch("/api/checks/x", { plainPrice: -0.5 }), ["plainPrice", "Check constraint violated"]);
  isInvalid(await app.patch("/api/checks/x", { high: 0 }), ["low", "Check constraint violated"]);
});

test("a trigger's refusal does not tell the trigger's text", async () => {
  const response = await app.post("/api/guarded", { id: "x", n: 11 });
  isInvalid(response, ["", "Check constraint violated"]);
  assert.equal((await app.post("/api/guarded", { id: "x", n: 10 })).status, 201);
});

test("NOT NULL: missing, null, and what only the database can see", async () => {
  isInvalid(await app.post("/api/required", { id: "x" }), ["must", missing("string", "must")]);
  isInvalid(await app.post("/api/required", { id: "x", must: null, withDefault: null }), ["must", "Invalid input: expected string, received null"],
    ["withDefault", "Invalid input: expected string, received null"]);
  isInvalid(await app.post("/api/required", { id: "x", must: "m" }), ["filledIn", "Invalid input: a value is required"]);
  isJson(await app.post("/api/required", { id: "x", must: "m", filledIn: "f" }), 201, { id: "x", must: "m", withDefault: "d", filledIn: "f" });
  isInvalid(await app.patch("/api/required/x", { must: null }), ["must", "Invalid input: expected string, received null"]);
});

test("generated columns are computed, shown and never set", async () => {
  isJson(await app.post("/api/gen", { id: "x", n: 2, twice: 9, kept: "no" }), 201, { id: "x", n: 2, twice: 4, kept: "x!" });
  isJson(await app.patch("/api/gen/x", { n: 3, twice: "not even a number" }), 200, { id: "x", n: 3, twice: 6, kept: "x!" });
  isJson(await app.put("/api/gen/x", { id: "x" }), 200, { id: "x", n: null, twice: null, kept: "x!" });
  isJson(await app.patch("/api/gen/x", { twice: 5 }), 200, { id: "x", n: null, twice: null, kept: "x!" });
  isJson(await app.post("/api/gen/batch/upsert", { items: [{ id: "x", n: 8, twice: 1 }] }), 200, { items: [{ id: "x", n: 8, twice: 16, kept: "x!" }] });
  isJson(await app.get(`/api/gen${query({ filter: "twice==16", orderBy: "-kept" })}`), 200,
    { items: [{ id: "x", n: 8, twice: 16, kept: "x!" }], nextCursor: null, hasMore: false });
  isInvalid(await app.patch("/api/genStrict/x", { twice: 1 }), ["", "Unrecognized key: \"twice\""]);
});

test("STRICT tables store every type as it is", async () => {
  const row = { id: "x", i: 5, r: 2, t: "5", b: "AQL/", anything: "7" };
  isJson(await app.post("/api/exact", row), 201, row);
  assert.deepEqual(app.sql("SELECT typeof(i) AS i, typeof(r) AS r, typeof(t) AS t, typeof(b) AS b, typeof(anything) AS a FROM exact"),
    [{ i: "integer", r: "real", t: "text", b: "blob", a: "text" }]);
  isInvalid(await app.patch("/api/exact/x", { i: 1.5, t: 1, b: 1 }), ["i", "Invalid input: expected int, received number"],
    ["t", "Invalid input: expected string, received number"], ["b", "Invalid input: expected base64 text"]);
  isJson(await app.put("/api/exact/x", { id: "x" }), 200, { id: "x", i: null, r: null, t: null, b: null, anything: null });
});

test("no refusal of the database shows SQL or the values sent", async () => {
  const secret = "ann@x";
  for (const response of [await app.post("/api/users", { email: secret }), await app.post("/api/posts", { authorId: 4242 }),
    await app.post("/api/checks", { id: secret, named: "longer" }), await app.post("/api/guarded", { id: secret, n: 11 })])
    assert.doesNotMatch(response.text, /insert|values|sqlite|constraint failed|length\(|4242|ann@x|secret rule/i);
});
