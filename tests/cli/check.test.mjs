// SPDX-License-Identifier: MIT
// covara check: what is found wrong, where, and that nothing is changed.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { CONFIG, SCHEMA, names, project, run, serve } from "./support.mjs";

test("a good project without a database", (t) => {
  const folder = project(t);
  assert.deepEqual(run(["check"], { cwd: folder }), {
    code: 0,
    stdout: "covara.jsonc: ok, 1 resource\nschema.sql: ok, 1 table\napp.db: does not exist; covara serve creates it\n",
    stderr: "",
  });
  assert.deepEqual(names(folder), ["covara.jsonc", "schema.sql"]);
});

test("paths in messages are as the user would write them", (t) => {
  const folder = project(t, { "covara.jsonc": '{\n  "reources": {}\n}' });
  assert.deepEqual(run(["check", folder]), {
    code: 1, stdout: "",
    stderr: `error: ${folder}/covara.jsonc:2:3: unknown key "reources"; did you mean "resources"?\n`,
  });
});

test("mistakes in the configuration", (t) => {
  const cases = [
    ["", "covara.jsonc:1:1: the file is empty; the smallest configuration is { \"resources\": {} }"],
    ['{"resources":{"todos":{"table":"tods"}}}', /^error: resource "todos": .*"tods"/],
    ['{"resources":{},"database":{"url":"postgres://u:secret@h/db"}}',
      'this build has no driver for databases of the kind "postgres:"; it has: sqlite'],
    ['{"resources":{},"database":{"url":"app.db"}}',
      '"app.db" is not a database URL; for a file write "sqlite:app.db"'],
    ['{"resources":{},"database":{"url":"sqlite::memory:"}}',
      'the database must be a file: every thread would have a "sqlite::memory:" of its own'],
    ['{"resources":{},"schema":"other.sql"}', "cannot read other.sql: No such file or directory"],
    ['{"resources":{},"cursorSigningSecret":"${COVARA_TEST_UNSET}"}',
      'covara.jsonc:1:39: "cursorSigningSecret" needs the environment variable COVARA_TEST_UNSET, which is not set'],
  ];
  for (const [config, message] of cases) {
    const { code, stdout, stderr } = run(["check"], { cwd: project(t, { "covara.jsonc": config }) });
    assert.equal(code, 1, config);
    assert.equal(stdout, "");
    if (typeof message === "string") assert.equal(stderr, `error: ${message}\n`);
    else assert.match(stderr, message);
    assert.doesNotMatch(stderr, /secret@/);
  }
});

test("a missing configuration says how to make one", (t) => {
  const folder = project(t, { "covara.jsonc": null });
  const { code, stderr } = run(["check", folder]);
  assert.equal(code, 1);
  assert.ok(stderr.startsWith(`error: there is no covara.jsonc in "${folder}". Create one`));
  const example = stderr.split("\n").find((line) => line.trim().startsWith("{"));
  fs.writeFileSync(path.join(folder, "covara.jsonc"), example);
  assert.equal(run(["check", folder]).code, 0);
  assert.match(run(["check", folder, "--config", "nowhere.jsonc"]).stderr, /^error: cannot read nowhere\.jsonc: /);
  assert.equal(run(["check", "/nowhere/at/all"]).stderr, 'error: there is no folder "/nowhere/at/all"\n');
});

test("an SQL error has file, line and column", (t) => {
  const cases = [
    ["-- one\nCREATE TABLE a (x TEXT);\n\n-- two\n  CREATE TABEL b (x);\n", /^error: schema\.sql:5:10: .*near "TABEL": syntax error$/m],
    ["CREATE TABLE a (x TEXT);\n/* again */\nCREATE TABLE a (y TEXT);\n", /^error: schema\.sql:3:14: .*table a already exists$/m],
    ["CREATE TABLE a (x TEXT NOT NULL);\n\nINSERT INTO a VALUES (NULL);\n", /^error: schema\.sql:3:1: NOT NULL constraint failed: a\.x$/m],
  ];
  for (const [sql, message] of cases)
    assert.match(run(["check"], { cwd: project(t, { "schema.sql": sql }) }).stderr, message);
});

test("two columns of one name are refused", (t) => {
  const folder = project(t, { "schema.sql": "CREATE TABLE todos (id INTEGER PRIMARY KEY, a_b TEXT, aB TEXT);" });
  assert.match(run(["check", folder]).stderr, /columns "a_b" and "aB" would both be called "aB"/);
});

test("an existing database that fits, and one that does not", async (t) => {
  const folder = project(t);
  const server = await serve(t, folder);
  await server.stop();
  assert.match(run(["check"], { cwd: folder }).stdout, /^app\.db: ok, fits schema\.sql$/m);

  fs.writeFileSync(path.join(folder, "schema.sql"), SCHEMA.replace("title TEXT", "title VARCHAR(9), extra TEXT"));
  const before = fs.readFileSync(path.join(folder, "app.db"));
  const { code, stdout, stderr } = run(["check"], { cwd: folder });
  assert.equal(code, 1);
  assert.match(stdout, /^schema\.sql: ok/m);
  assert.match(stderr, /^error: app\.db does not fit schema\.sql \(\d differences\):\n/);
  assert.match(stderr, /^  todos\.title: declared VARCHAR\(9\) in schema\.sql, TEXT in the database$/m);
  assert.match(stderr, /^  todos\.extra: missing in the database$/m);
  assert.deepEqual(fs.readFileSync(path.join(folder, "app.db")), before);
});

test("the committed example is good", () => {
  const example = new URL("../../examples/todo", import.meta.url).pathname;
  const { code, stderr } = run(["check", example, "--database", "sqlite:/nowhere/todo.db"]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});
