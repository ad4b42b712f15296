#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// run.mjs [--verbose] - replay the recorded suite against a fresh server on a fresh database.
//
//   COVARA_BIN              the server, default build/dev/covara
//   COVARA_CONFORMANCE_DIR  the suite (suite.jsonl, schema.sql, seed.sql, replay.mjs); by default
//                           tests/conformance/suite when it exists, else ../shared/conformance
//
// The suite is shared by several implementations and is not part of this repository.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "./server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const ownCopy = path.join(here, "suite");
const suite = path.resolve(process.env.COVARA_CONFORMANCE_DIR ??
  (fs.existsSync(ownCopy) ? ownCopy : path.join(root, "../shared/conformance")));
const binary = path.resolve(process.env.COVARA_BIN ?? path.join(root, "build/dev/covara"));
const flags = process.argv.slice(2);

function fail(message) {
  console.error(message);
  process.exit(1);
}

function replay(stepsFile, url) {
  const child = spawn(process.execPath, [path.join(suite, "replay.mjs"), stepsFile, url,
    ...(flags.includes("--verbose") ? ["--verbose"] : [])], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => { text += chunk; });
  return new Promise((resolve) => child.on("close", () => resolve(text)));
}

for (const name of ["suite.jsonl", "schema.sql", "seed.sql", "replay.mjs"])
  if (!fs.existsSync(path.join(suite, name)))
    fail(`${path.join(suite, name)} is missing: set COVARA_CONFORMANCE_DIR to the folder of the conformance suite, ` +
      "or put a copy of that folder into tests/conformance/suite");

const work = fs.mkdtempSync(path.join(os.tmpdir(), "covara-conformance-"));
process.on("exit", () => fs.rmSync(work, { recursive: true, force: true }));
for (const name of ["schema.sql", "seed.sql"]) fs.copyFileSync(path.join(suite, name), path.join(work, name));
fs.copyFileSync(path.join(here, "covara.jsonc"), path.join(work, "covara.jsonc"));
const steps = fs.readFileSync(path.join(suite, "suite.jsonl"), "utf8").split("\n").filter(Boolean);
if (steps.length === 0) fail("the suite has no steps");

let server;
try {
  server = await startServer(binary, work, { args: ["--seed", path.join(work, "seed.sql")] });
} catch (error) {
  fail(`0 passed, ${steps.length} failed: ${error.message}`);
}
const text = await replay(path.join(suite, "suite.jsonl"), server.url);
let crash = "";
try {
  const { code, signal } = await server.stop();
  if (code !== 0) crash = `the server ended with ${signal ?? `exit ${code}`}:\n${server.output().slice(-4000)}`;
} catch (error) {
  crash = error.message;
}

const summary = /^(\d+) passed, (\d+) failed$/m.exec(text);
process.stdout.write(text.replace(/^\d+ passed, \d+ failed\n/m, ""));
if (crash) console.log(`FAIL shutdown  ${crash}`);
if (!summary) fail("the replay ended without a summary");
const failed = Number(summary[2]) + (crash ? 1 : 0);
console.log(`${summary[1]} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
