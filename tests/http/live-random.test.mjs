// SPDX-License-Identifier: MIT
// Random writes of many, by the API and by another program, and followers that come, go and resume: each ends with SQL's answer.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { test } from "node:test";
import { binary, folder, openProject, random, seed } from "./support.mjs";
import { View, eventually } from "./sse.mjs";

const open = { public: { read: true, create: true, update: true, delete: true, subscribe: true } };
const STEPS = Number(process.env.COV_STEPS ?? 250);
const IDS = 40;

/* Filters and what they mean in SQL. */
const filters = [["", "1"], ["filter=n>5", "n > 5"], ['filter=kind=="a"', "kind = 'a'"], ['filter=kind=="b"', "kind = 'b'"],
  ['filter=kind=="a";n<3', "kind = 'a' AND n < 3"], ['filter=kind=="b",n==7', "kind = 'b' OR n = 7"], ["filter=id=in=(1,2,3,4,5,6)", "id IN (1,2,3,4,5,6)"],
  ["filter=text=isnull=true", "text IS NULL"]];

async function project(changelog, triggers) {
  const directory = folder({
    "schema.sql": `CREATE TABLE rows (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, n REAL, text TEXT, gone_at TIMESTAMP);
      CREATE TABLE parents (id INTEGER PRIMARY KEY);`,
    "covara.jsonc": JSON.stringify({ database: { url: "sqlite:app.db" }, schema: "schema.sql", logLevel: "warn", changelog,
      server: { threads: 2 }, resources: { rows: { auth: open, batch: { create: 20, update: 20, delete: 20 }, softDelete: { field: "goneAt" },
        sse: { maxSubscriptionsPerIP: 1000 } } } }),
  });
  const app = await openProject(directory);
  if (triggers) execFileSync(binary, ["db", "triggers", directory]);
  return app;
}

const text = (rng) => rng.pick([null, "", "x", "it's", "two\nlines", "\u00e9\u{1F600}", '"\\']);
const row = (rng) => ({ kind: rng.pick(["a", "b", "c"]), n: rng.below(10) + rng.pick([0, 0.1]), text: text(rng) });

/* One client; what it is refused (a row that is there, or is not) does not matter. */
async function client(app, rng, steps) {
  for (let i = 0; i < steps; i++) {
    const id = 1 + rng.below(IDS);
    const answer = await rng.pick([
      () => app.post("/api/rows", { id, ...row(rng) }),
      () => app.patch(`/api/rows/${id}`, row(rng)),
      () => app.patch(`/api/rows/${id}`, { n: rng.below(10) }),
      () => app.put(`/api/rows/${id}`, { id, ...row(rng) }),
      () => app.delete(`/api/rows/${id}`),
      () => app.post("/api/rows/batch/upsert", { items: [{ id, ...row(rng) }, { id: id + 1, ...row(rng) }] }),
      () => app.patch(`/api/rows/batch?filter=n==${rng.below(10)}`, { kind: rng.pick(["a", "b", "c"]) }),
    ])();
    assert.ok(answer.status < 500, answer.text);
  }
}

const quoted = (value) => value === null ? "NULL" : typeof value === "number" ? value : `'${value.replaceAll("'", "''")}'`;

/* The sqlite3 shell, which knows nothing of the server. */
async function shell(app, rng, steps) {
  const child = spawn("sqlite3", ["-batch", app.file], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "", output = "", wake = () => {};
  child.stderr.on("data", (chunk) => { errors += chunk; });
  child.stdout.on("data", (chunk) => { output += chunk; wake(); });
  child.stdin.write(".timeout 20000\n");
  for (let i = 0; i < steps; i++) {
    const id = 1 + rng.below(IDS), { kind, n, text } = row(rng);
    child.stdin.write(rng.pick([
      `INSERT INTO rows (id, kind, n, text) VALUES (${id}, '${kind}', ${n}, ${quoted(text)}) ON CONFLICT DO NOTHING;`,
      `INSERT INTO rows (id, kind, n, text) VALUES (${id}, '${kind}', ${n}, ${quoted(text)}) ON CONFLICT DO UPDATE SET n = excluded.n, text = excluded.text;`,
      `UPDATE rows SET kind = '${kind}', n = ${n} WHERE id = ${id};`,
      `UPDATE rows SET n = n + 1 WHERE id % 7 = ${id % 7};`,
      `UPDATE rows SET id = id + 1000 WHERE id = ${id} AND id + 1000 NOT IN (SELECT id FROM rows);`,
      `UPDATE rows SET gone_at = iif(gone_at IS NULL, 1, NULL) WHERE id = ${id};`,
      `DELETE FROM rows WHERE id IN (${id}, ${id + 1000});`,
      `BEGIN; UPDATE rows SET text = 'never'; ROLLBACK;`,
      `BEGIN; DELETE FROM rows WHERE id = ${id}; INSERT INTO rows (id, kind, n) VALUES (${id}, '${kind}', ${n}); COMMIT;`,
    ]) + ` SELECT 'step ${i};';\n`);
    while (!output.includes(`step ${i};`)) await new Promise((resolve) => { wake = resolve; });
  }
  child.stdin.end();
  await new Promise((resolve) => child.on("close", resolve));
  assert.equal(errors, "");
}

async function follower(views, rng, working) {
  while (working()) {
    await new Promise((resolve) => setTimeout(resolve, 5 + rng.below(60)));
    if (rng.chance(0.6)) await rng.pick(views).reconnect();
  }
}

for (const [changelog, outside] of [["kv", false], ["database", false], ["database", true]]) {
  test(`changelog in the ${changelog}${outside ? ", another program writes too" : ""}`, async () => {
    const app = await project(changelog, outside);
    const rng = random(seed);
    const views = Array.from({ length: 16 }, (_, i) => Object.assign(
      new View(app, `/api/rows/subscribe${filters[i % filters.length][0] && `?${filters[i % filters.length][0]}`}`), { where: filters[i % filters.length][1] }));
    let working = true;
    for (const view of views.slice(0, 8)) await view.open();
    const writers = [1, 2, 3, 4].map((i) => client(app, random(seed + i), STEPS));
    if (outside) writers.push(shell(app, random(seed + 5), STEPS));
    for (const view of views.slice(8)) await view.open(); // while others write
    const following = follower(views, rng, () => working);
    await Promise.all(writers);
    working = false;
    await following;
    const answers = new Map(filters.map(([, where]) => [where,
      app.sql(`SELECT id, kind, n, text FROM rows WHERE (${where}) AND gone_at IS NULL ORDER BY id`)]));
    const shown = (view) => view.rows.map(({ id, kind, n, text }) => ({ id, kind, n, text }));
    try {
      await eventually(() => views.forEach((view) => assert.deepEqual(shown(view), answers.get(view.where), view.target)));
      for (const view of views) assert.deepEqual(view.problems, [], view.target);
    } catch (error) { throw new Error(`COV_SEED=${seed}: ${error.message}`); }
    assert.ok(views.some((view) => view.resumes > 0));
    views.forEach((view) => view.close());
    await app.stop();
  });
}
