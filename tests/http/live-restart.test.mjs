// SPDX-License-Identifier: MIT
// The server is killed and starts again: what followers know afterwards, in both changelogs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { folder, openProject } from "./support.mjs";
import { View, eventually, subscribe } from "./sse.mjs";

const open = { public: { read: true, create: true, update: true, delete: true, subscribe: true } };
const project = (changelog) => folder({
  "schema.sql": "CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);",
  "covara.jsonc": JSON.stringify({ database: { url: "sqlite:app.db" }, schema: "schema.sql", logLevel: "warn", changelog,
    server: { threads: 2 }, resources: { rows: { auth: open, sse: { maxSubscriptionsPerIP: 1000 } } } }),
});

/* Clients that write until the server is gone. Resolves to the number of answered writes. */
async function write(app, from) {
  let answered = 0;
  const one = async (k) => {
    try {
      for (let i = 0; ; i++) {
        const id = from + k * 1000 + i;
        const answer = i % 3 === 2 ? await app.delete(`/api/rows/${id - 1}`) : i % 3 === 1 ? await app.patch(`/api/rows/${id - 1}`, { n: i })
          : await app.post("/api/rows", { id, n: 0 });
        if (answer.status < 300) answered++;
      }
    } catch { /* it was killed */ }
  };
  await Promise.all([0, 1, 2, 3].map(one));
  return answered;
}

for (const changelog of ["database", "kv"]) {
  test(`kill -9 while rows change, changelog in the ${changelog}: every follower ends with the table`, async () => {
    const directory = project(changelog);
    let app = await openProject(directory);
    const views = ["", "?filter=n>1", "?filter=id=lt=3000"].map((query) => new View(app, `/api/rows/subscribe${query}`));
    for (const view of views) await view.open();
    for (let round = 0; round < 3; round++) {
      const from = 1 + round * 10000;
      const writing = write(app, from);
      // Who has seen no number yet has nothing to resume from.
      await eventually(() => views.every(({ lastSeq }) => lastSeq > 0) && views[0].rows.filter(({ id }) => id >= from).length > 5 + round);
      for (const view of views) view.persistent = false;
      app.kill();
      assert.ok((await writing) > 0);
      app = await openProject(directory);
      for (const view of views) { view.app = app; view.persistent = true; await view.reconnect(); }
      const row = await app.post("/api/rows", { id: from + 9000, n: 5 });
      assert.equal(row.status, 201, row.text);
      const table = (where) => app.sql(`SELECT id, n FROM rows WHERE ${where} ORDER BY id`);
      await eventually(() => {
        assert.deepEqual(views[0].rows, table("1"));
        assert.deepEqual(views[1].rows, table("n > 1"));
        assert.deepEqual(views[2].rows, table("id < 3000"));
      });
      for (const view of views) {
        assert.deepEqual(view.problems, []);
        assert.equal(view.resumes, round + 1);
        assert.equal(view.starts, changelog === "database" ? 2 + round : 3 + 2 * round, "streams opened");
      }
    }
    views.forEach((view) => view.close());
    await app.stop();
  });
}

test("a row whose writer was answered, and nobody else, is in the changelog after a kill", async () => {
  const directory = project("database");
  let app = await openProject(directory);
  assert.equal((await app.post("/api/rows", { id: 1000, n: 0 })).status, 201);
  const s = await subscribe(app, "/api/rows/subscribe");
  const { seq } = s;
  s.close();
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => app.post("/api/rows", { id: i + 1, n: i })));
  assert.ok(answers.every(({ status }) => status === 201));
  app.kill();
  app = await openProject(directory);
  const again = await subscribe(app, `/api/rows/subscribe?resumeFrom=${seq}`);
  const got = (await again.take(30)).map((e) => e.added.id);
  assert.deepEqual(got.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i + 1));
  assert.equal((await app.post("/api/rows", { id: 100, n: 0 })).status, 201);
  assert.deepEqual(await again.take(1), [{ added: { id: 100, n: 0 } }]);
  again.close();
  await app.stop();
});
