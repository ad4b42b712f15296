// SPDX-License-Identifier: MIT
// Words on the command line: help, version, mistakes, and the generated schema.
import assert from "node:assert/strict";
import test from "node:test";
import { project, run } from "./support.mjs";

test("no command: help, exit 1", () => {
  const { code, stdout } = run([]);
  assert.equal(code, 1);
  assert.match(stdout, /^covara \d+\.\d+\.\d+: /);
  assert.match(stdout, /\n  serve +\[DIR\]/);
});

test("help in every spelling: exit 0", () => {
  const { stdout } = run(["help"]);
  for (const word of ["--help", "-h"]) assert.deepEqual(run([word]), { code: 0, stdout, stderr: "" });
});

test("unknown command: error, help, exit 1", () => {
  const { code, stderr } = run(["srve"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: unknown command "srve"\n\ncovara /);
});

test("each command describes its own options", () => {
  const serve = run(["serve", "--help"]);
  assert.equal(serve.code, 0);
  assert.match(serve.stdout, /^Usage: covara serve \[DIR\] \[options\]\n/);
  assert.match(serve.stdout, /-p, --port N .*\[environment: PORT\]/);
  assert.match(serve.stdout, /--seed FILE/);
  const check = run(["help", "check"]);
  assert.equal(check.code, 0);
  assert.doesNotMatch(check.stdout, /--port/);
});

test("version names the libraries and drivers", () => {
  const { code, stdout } = run(["--version"]);
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0], /^covara \d+\.\d+\.\d+ \(wire-compatible with Covara 0\.16\)$/);
  assert.deepEqual(lines.slice(1).map((line) => line.replace(/[ :].*/, "")),
    ["SQLite", "libuv", "OpenSSL", "PCRE2", "libcurl", "yyjson", "database"]);
  for (const line of lines.slice(1, 7)) assert.match(line, /^\w+ \d+\.\d+/);
  assert.equal(lines[7], "database drivers: sqlite");
  assert.deepEqual(run(["-v"]).stdout, stdout);
});

test("bad flags stop before anything is read", (t) => {
  const folder = project(t);
  const mistakes = [
    [["serve", folder, "--prot", "1"], 'unknown option "--prot"; see covara serve --help'],
    [["serve", folder, "--port"], "--port needs a value"],
    [["serve", folder, "--port", "70000"], '--port must be an integer between 0 and 65535, not "70000"'],
    [["serve", folder, "--log-level", "loud"], '--log-level must be debug, info, warn or error, not "loud"'],
    [["serve", folder, "other"], 'unexpected argument "other"; see covara serve --help'],
    [["check", folder, "--seed", "x"], 'unknown option "--seed"; see covara check --help'],
  ];
  for (const [args, message] of mistakes)
    assert.deepEqual(run(args), { code: 1, stdout: "", stderr: `error: ${message}\n` });
});

test("schema prints a JSON Schema", () => {
  const { code, stdout } = run(["schema"]);
  assert.equal(code, 0);
  const schema = JSON.parse(stdout);
  assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assert.deepEqual(schema.required, ["resources"]);
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.properties.server.properties.port.maximum, 65535);
  assert.ok(schema.properties.resources.additionalProperties.properties.etag.properties.versionField);
});
