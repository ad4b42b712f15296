// SPDX-License-Identifier: MIT
// covara serve: settings and their precedence, and what happens to the database file.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import test from "node:test";
import { CONFIG, SCHEMA, binary, names, project, run, serve } from "./support.mjs";

const SEED = "INSERT INTO todos (title) VALUES ('first'), ('second');\n";

async function count(server) {
  const response = await fetch(`${server.url}/api/todos/count`);
  assert.equal(response.status, 200);
  return (await response.json()).count;
}

test("creates the database, with its seed, once", async (t) => {
  const folder = project(t, { "seed.sql": SEED });
  const options = { args: ["--seed", "seed.sql"] };
  let server = await serve(t, folder, options);
  assert.equal(await count(server), 2);
  assert.match(server.output(), /"msg":"Database created","file":"[^"]*app\.db"/);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.deepEqual(names(folder), ["app.db", "covara.jsonc", "schema.sql", "seed.sql"]);

  server = await serve(t, folder, options);
  assert.equal(await count(server), 2);
  assert.doesNotMatch(server.output(), /Database created/);
  await server.stop();
});

test("a failing seed or schema leaves no database behind", (t) => {
  const cases = [
    [{ "seed.sql": `${SEED}\nINSERT INTO todos (title) VALUES (NULL);` },
      "seed.sql:3:1: NOT NULL constraint failed: todos.title"],
    [{ "seed.sql": `BEGIN; ${SEED}` }, "seed.sql: a BEGIN has no COMMIT"],
    [{ "seed.sql": null }, "cannot read seed.sql: No such file or directory"],
    [{ "seed.sql": SEED, "covara.jsonc": CONFIG.replace("{", '{ "database": { "url": "sqlite:data/x.db" },') },
      'data/x.db: there is no folder "data" for the database'],
  ];
  for (const [files, message] of cases) {
    const folder = project(t, files);
    const before = names(folder);
    const { code, stderr } = run(["serve", ".", "--port", "0", "--seed", "seed.sql"], { cwd: folder });
    assert.equal(code, 1);
    assert.equal(stderr, `error: ${message}\n`);
    assert.deepEqual(fs.readdirSync(folder).sort(), before);
  }
});

test("scripts may have transactions of their own", async (t) => {
  const folder = project(t, { "schema.sql": `BEGIN;\n${SCHEMA}COMMIT;\n`, "seed.sql": `BEGIN;\n${SEED}COMMIT;\n` });
  const server = await serve(t, folder, { args: ["--seed", "seed.sql"] });
  assert.equal(await count(server), 2);
});

test("a database that does not fit is reported and left byte-identical", async (t) => {
  const folder = project(t);
  await (await serve(t, folder)).stop();
  const before = fs.readFileSync(path.join(folder, "app.db"));
  fs.writeFileSync(path.join(folder, "schema.sql"), `${SCHEMA}CREATE TABLE more (id INTEGER PRIMARY KEY);`);
  const { code, stderr } = run(["serve", "--port", "0"], { cwd: folder });
  assert.equal(code, 1);
  assert.equal(stderr, "error: app.db does not fit schema.sql (1 difference):\n  more: missing in the database\n" +
    "The database was left as it is. Change one of the two so that they agree, then start again.\n");
  assert.deepEqual(fs.readFileSync(path.join(folder, "app.db")), before);
  assert.deepEqual(names(folder), ["app.db", "covara.jsonc", "schema.sql"]);
});

test("a file that is no database is left alone", (t) => {
  const text = "This is a text, and it is long enough to be looked at by SQLite as a header of a file.\n".repeat(20);
  const folder = project(t, { "app.db": text });
  const { code, stderr } = run(["serve", "--port", "0"], { cwd: folder });
  assert.equal(code, 1);
  assert.equal(stderr, "error: app.db: the file is not an SQLite database\n");
  assert.equal(fs.readFileSync(path.join(folder, "app.db"), "utf8"), text);
});

test("a locked database is said to be locked", (t) => {
  const folder = project(t, { "covara.jsonc": CONFIG.replace("{", '{ "database": { "busyTimeoutMs": 50 },') });
  const script = `
import sqlite3, subprocess, sys
db = sqlite3.connect("app.db", isolation_level=None)
db.executescript(open("schema.sql").read())
db.execute("BEGIN EXCLUSIVE")
sys.exit(subprocess.run([sys.argv[1], "serve", "--port", "0"]).returncode)`;
  const { status, stderr } = spawnSync("python3", ["-c", script, path.resolve(binary)],
    { cwd: folder, encoding: "utf8", timeout: 30000 });
  assert.deepEqual({ status, stderr },
    { status: 1, stderr: "error: app.db: the database is locked by another connection\n" });
});

test("a folder in the database's place is refused", (t) => {
  const folder = project(t);
  fs.mkdirSync(path.join(folder, "app.db"));
  assert.equal(run(["serve", "--port", "0"], { cwd: folder }).stderr, "error: app.db: is not a file\n");
});

test("two servers that start at once share one database", async (t) => {
  const folder = project(t, { "seed.sql": SEED });
  const options = { args: ["--seed", "seed.sql"] };
  const servers = await Promise.all([serve(t, folder, options), serve(t, folder, options), serve(t, folder, options)]);
  for (const server of servers) assert.equal(await count(server), 2);
  assert.deepEqual(names(folder), ["app.db", "covara.jsonc", "schema.sql", "seed.sql"]);
});

test("flags win over the environment, which wins over the file", async (t) => {
  const free = async () => {
    const probe = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const { port } = probe.address();
    await new Promise((resolve) => probe.close(resolve));
    return port;
  };
  const [fromFile, fromEnv, fromFlag] = [await free(), await free(), await free()];
  const folder = project(t, {
    "covara.jsonc": CONFIG.replace("{", `{ "server": { "port": ${fromFile}, "host": "127.0.0.1" }, "logLevel": "error",`),
  });
  const listen = async (args, env) => {
    const child = spawn(binary, ["serve", folder, ...args],
      { env: { ...process.env, PORT: "", COVARA_LOG_LEVEL: "info", ...env }, stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise((resolve, reject) => {
      let text = "";
      child.once("exit", (code) => reject(new Error(`exit ${code}: ${text}`)));
      child.stdout.on("data", (chunk) => {
        text += chunk;
        const found = /"msg":"Listening","url":"([^"]*)"/.exec(text);
        if (found) resolve(found[1]);
      });
    });
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    return url;
  };
  assert.equal(await listen([], {}), `http://127.0.0.1:${fromFile}`);
  assert.equal(await listen([], { PORT: String(fromEnv) }), `http://127.0.0.1:${fromEnv}`);
  assert.equal(await listen(["--port", String(fromFlag)], { PORT: String(fromEnv) }), `http://127.0.0.1:${fromFlag}`);
  assert.equal(await listen(["--port", String(fromFlag), "--log-level", "info"], { COVARA_LOG_LEVEL: "error" }),
    `http://127.0.0.1:${fromFlag}`);
  assert.equal(await listen(["-p", String(fromFlag), "--host", "0.0.0.0"], {}), `http://localhost:${fromFlag}`);
});

test("a bad PORT is named", (t) => {
  const { code, stderr } = run(["serve"], { cwd: project(t), env: { PORT: "80a" } });
  assert.deepEqual({ code, stderr },
    { code: 1, stderr: 'error: PORT must be an integer between 0 and 65535, not "80a"\n' });
});

test("a port in use is an error", async (t) => {
  const server = await serve(t, project(t));
  const { port } = new URL(server.url);
  const { code, stderr } = run(["serve", ".", "--port", port], { cwd: project(t) });
  assert.equal(code, 1);
  assert.match(stderr, /^error: .*in use/m);
});

test(".env fills what the environment leaves open", async (t) => {
  const folder = project(t, {
    ".env": "# comment\n\nCOVARA_TEST_A = 'one two' \nCOVARA_TEST_B=\"x=y\"\nCOVARA_TEST_C=from file\nnothing\n=x\n",
    "covara.jsonc": CONFIG.replace("{",
      '{ "app": { "health": { "version": "${COVARA_TEST_A}|${COVARA_TEST_B}|${COVARA_TEST_C}" } },'),
  });
  const server = await serve(t, folder, { env: { COVARA_TEST_C: "outside" } });
  const health = await (await fetch(`${server.url}/healthz`)).json();
  assert.equal(health.version, "one two|x=y|outside");
});

test("--config and --database", async (t) => {
  const folder = project(t, { "covara.jsonc": null });
  const inner = path.join(folder, "inner");
  fs.mkdirSync(inner);
  fs.renameSync(path.join(folder, "schema.sql"), path.join(inner, "schema.sql"));
  fs.writeFileSync(path.join(inner, "my.jsonc"), CONFIG);
  assert.match(run(["check", "--config", "inner/my.jsonc"], { cwd: folder }).stdout,
    /^inner\/my\.jsonc: ok, 1 resource\ninner\/schema\.sql: ok, 1 table\ninner\/app\.db: does not exist/);
  assert.match(run(["check", ".", "-c", "inner/my.jsonc", "--database", "sqlite:x.db"], { cwd: folder }).stdout,
    /^inner\/my\.jsonc: ok, 1 resource\ninner\/schema\.sql: ok, 1 table\nx\.db: does not exist/);
  const server = await serve(t, inner, { args: ["--config", "my.jsonc", "--database", "file:other.db"] });
  assert.equal(await count(server), 0);
  assert.deepEqual(names(inner), ["my.jsonc", "other.db", "schema.sql"]);
});
