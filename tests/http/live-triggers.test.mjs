// SPDX-License-Identifier: MIT
// `covara db triggers`: rows that other programs write, seen by followers and by those who resume.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { binary, folder, openProject, startProject } from "./support.mjs";
import { subscribe } from "./sse.mjs";

const open = { public: { read: true, create: true, update: true, delete: true, subscribe: true } };
const schema = `
  CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, price REAL, data BLOB, note JSON, at TIMESTAMP, on_sale BOOLEAN NOT NULL DEFAULT 0,
    twice REAL AS (price * 2), parent_id INTEGER REFERENCES things(id) ON DELETE CASCADE);
  CREATE TABLE private (id INTEGER PRIMARY KEY);`;
const config = { changelog: "database", server: { threads: 2 }, resources: { things: { auth: open, sse: { maxSubscriptionsPerIP: 100 } } } };
const covara = (...words) => spawnSync(binary, words, { encoding: "utf8" });

const app = await startProject({ schema, config });
assert.equal(covara("db", "triggers", app.directory).stderr, "");
const thing = (id, name, more = {}) => ({ id, name, price: null, data: null, note: null, at: null, onSale: false, twice: null, parentId: null, ...more });
const other = (sql) => app.sql(`PRAGMA foreign_keys=ON;\n${sql}`);

test("rows of another program come as row events within a second, as the API shows them", async () => {
  const s = await subscribe(app, "/api/things/subscribe?filter=id<100");
  other(`INSERT INTO things (id, name, price, data, note, at, on_sale) VALUES (1, 'it''s "x"' || char(10), 0.1, x'00ff', '{"a":[1,2]}', 1700000000, 1);`);
  const begun = Date.now();
  const shown = (await app.get("/api/things/1")).json;
  assert.deepEqual(shown, thing(1, 'it\'s "x"\n', { price: 0.1, data: "AP8=", note: { a: [1, 2] }, at: "2023-11-14T22:13:20.000Z", onSale: true, twice: 0.2 }));
  assert.deepEqual(await s.take(1), [{ added: shown }]);
  assert.ok(Date.now() - begun < 1500);
  other("UPDATE things SET name = 'b', data = NULL, note = NULL, at = NULL WHERE id = 1; DELETE FROM things WHERE id = 1;");
  assert.deepEqual(await s.take(2), [{ changed: thing(1, "b", { price: 0.1, onSale: true, twice: 0.2 }) }, { removed: "1" }]);
  other("INSERT INTO things (id) VALUES (2); INSERT INTO things (id, parent_id) VALUES (3, 2); DELETE FROM things WHERE id = 2;");
  assert.deepEqual((await s.take(4)).map((e) => Object.keys(e)[0]), ["added", "added", "removed", "removed"]);
  other("BEGIN; INSERT INTO things (id) VALUES (4); ROLLBACK;");
  other("INSERT INTO things (id) VALUES (200); INSERT INTO things (id) VALUES (5); UPDATE things SET id = 6 WHERE id = 5;");
  assert.deepEqual(await s.take(3), [{ added: thing(5, null) }, { removed: "5" }, { added: thing(6, null) }]);
  s.close();
});

test("writes of the API, and what they cascade to, are told once", async () => {
  const s = await subscribe(app, "/api/things/subscribe?filter=id>=1000");
  assert.equal((await app.post("/api/things", { id: 1000, name: "a" })).status, 201);
  assert.equal((await app.post("/api/things", { id: 1001, name: "b", parentId: 1000 })).status, 201);
  other("UPDATE things SET name = 'c' WHERE id = 1001;");
  assert.equal((await app.delete("/api/things/1000")).status, 204);
  assert.equal((await app.post("/api/things", { id: 1002, name: "end" })).status, 201);
  // In the order of the commits, though nobody had looked for the other program's row when the API wrote.
  const got = await s.take(6);
  assert.deepEqual(got.slice(0, 4), [{ added: thing(1000, "a") }, { added: thing(1001, "b", { parentId: 1000 }) },
    { changed: thing(1001, "c", { parentId: 1000 }) }, { removed: "1000" }]);
  // A computed column keeps its value from the connection, so of cascaded rows of such a table it is known that, not which.
  assert.deepEqual(got[4], { invalidate: "raw-sql-mutation" });
  assert.deepEqual(got[5], { added: thing(1002, "end") });
  assert.equal(other("SELECT count(*) AS n FROM covara_changelog WHERE objectId = '1002'")[0].n, 1);
  s.close();
});

test("what cannot be written as JSON makes followers read again, and no statement fail", async () => {
  const s = await subscribe(app, "/api/things/subscribe?filter=id>=2000");
  other("INSERT INTO things (id, price) VALUES (2000, 9e999);");
  assert.deepEqual(await s.take(1), [{ invalidate: "external-mutation" }]);
  s.close();
});

test("who was away catches up with other programs' rows", async () => {
  const s = await subscribe(app, "/api/things/subscribe?filter=id>=3000");
  s.close();
  other("INSERT INTO things (id, name) VALUES (3000, 'x'), (3001, 'y'); DELETE FROM things WHERE id = 3000;");
  assert.equal((await app.patch("/api/things/3001", { name: "z" })).status, 200);
  const again = await subscribe(app, `/api/things/subscribe?filter=id>=3000&resumeFrom=${s.seq}`);
  assert.deepEqual(await again.take(4), [{ added: thing(3000, "x") }, { added: thing(3001, "y") }, { removed: "3000" },
    { changed: thing(3001, "z") }]);
  again.close();
});

test("aggregates follow other programs too", async () => {
  const s = await subscribe(app, "/api/things/aggregate/subscribe?count=true&filter=id>=4000");
  assert.equal((await s.take(1))[0].aggregate.groups[0].count, 0);
  other("INSERT INTO things (id) VALUES (4000), (4001);");
  assert.equal((await s.take(1))[0].aggregate.groups[0].count, 2);
  s.close();
});

test("very many rows at once are one word: read again", async () => {
  const s = await subscribe(app, "/api/things/subscribe?filter=id>=5000");
  other("WITH RECURSIVE n(i) AS (SELECT 5000 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) INSERT INTO things (id) SELECT i FROM n;");
  assert.deepEqual(await s.take(1), [{ invalidate: "external-mutation" }]);
  assert.equal((await app.post("/api/things", { id: 9000 })).status, 201);
  assert.deepEqual(await s.take(1), [{ added: thing(9000, null) }]);
  s.close();
});

test("the command: print, install again, remove", () => {
  const file = (text) => `${app.directory}/app.db: ${text}\n`;
  const names = () => app.sql("SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name").map((row) => row.name);
  const three = ["delete", "insert", "update"].map((verb) => `covara_changelog_${verb}_things`);
  assert.deepEqual(names(), three);
  app.sql("CREATE TRIGGER mine AFTER INSERT ON private BEGIN SELECT 1; END; CREATE TRIGGER covara_changelog_insert_gone AFTER INSERT ON private BEGIN SELECT 1; END;");
  assert.deepEqual(covara("db", "triggers", app.directory).stdout, file("triggers made"));
  assert.deepEqual(names(), [...three, "mine"]);
  assert.equal(covara("check", app.directory).status, 0);
  assert.deepEqual(covara("db", "triggers", "--remove", app.directory).stdout, file("triggers removed"));
  assert.deepEqual(names(), ["mine"]);
  const printed = covara("db", "triggers", "--print", app.directory);
  assert.equal(printed.status, 0);
  assert.deepEqual(names(), ["mine"]);
  app.sql(printed.stdout);
  assert.deepEqual(names(), [...three, "mine"]);
});

test("the command: what is refused", async () => {
  const files = { "schema.sql": schema, "covara.jsonc": JSON.stringify({ ...config, changelog: "kv", database: { url: "sqlite:app.db" } }) };
  const kv = folder(files);
  assert.equal(covara("db", "triggers", kv).stderr, `error: ${kv}/covara.jsonc: only "changelog": "database" is read from the database\n`);
  fs.writeFileSync(path.join(kv, "covara.jsonc"), JSON.stringify({ ...config, database: { url: "sqlite:app.db" } }));
  const missing = covara("db", "triggers", kv);
  assert.equal(missing.stderr, `error: ${kv}/app.db: does not exist; covara serve creates it\n`);
  assert.equal(missing.status, 1);
  assert.equal(covara("db", "triggers", "--print", "--remove", kv).stderr, "error: --print and --remove exclude each other\n");
  assert.equal(covara("db", "nothing").status, 1);
  const started = await openProject(kv);
  await started.stop();
  assert.equal(covara("db", "triggers", kv).status, 0);
});
