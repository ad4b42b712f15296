// SPDX-License-Identifier: MIT
// support.mjs - run the real covara binary (COVARA_BIN) in throw-away project folders.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { startServer } from "../conformance/server.mjs";

export const binary = process.env.COVARA_BIN;
if (!binary) throw new Error("COVARA_BIN is not set: the path of the covara executable");

export const SCHEMA = "CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0);\n";
export const CONFIG = '{ "resources": { "todos": { "auth": { "public": true } } } }\n';

// The variables that covara reads come from the test only.
const clean = { ...process.env };
for (const name of ["PORT", "COVARA_LOG_LEVEL", "COVARA_DEBUG", "NODE_ENV"]) delete clean[name];

/* A folder with these files (name -> text), removed after the test. */
export function project(t, files = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "covara-cli-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ "schema.sql": SCHEMA, "covara.jsonc": CONFIG, ...files }))
    if (text !== null) fs.writeFileSync(path.join(folder, name), text);
  return folder;
}

/* Run to the end: { code, stdout, stderr }. Fails when the process died of a signal or hung. */
export function run(args, { cwd, env = {} } = {}) {
  const result = spawnSync(binary, args, { cwd, env: { ...clean, ...env }, encoding: "utf8", timeout: 30000 });
  if (result.error) throw result.error;
  if (result.status === null) throw new Error(`killed by ${result.signal}:\n${result.stdout}${result.stderr}`);
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

/* A running server, stopped after the test. */
export async function serve(t, folder, options = {}) {
  const server = await startServer(path.resolve(binary), folder, options);
  let running = true;
  t.after(async () => { if (running) await server.stop(); });
  return { ...server, stop: async () => { running = false; return server.stop(); } };
}

/* The names of a folder's files, without SQLite's -wal and -shm of a running server. */
export function names(folder) {
  return fs.readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name)).sort();
}
