// SPDX-License-Identifier: MIT
// The curl sessions of docs/accounts.md and docs/accounts-keys.md, command by command, against examples/notes: what a page shows is what happens.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { binary } from "../http/support.mjs";
import { startServer } from "../conformance/server.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/* [{ command, output }] of the page's console blocks, in order. */
function session(markdown) {
  const steps = [];
  for (const [, block] of markdown.matchAll(/```console\n([\s\S]*?)```/g))
    for (const line of block.trimEnd().split("\n"))
      if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: "" });
      else steps.at(-1).output += `${line}\n`;
  return steps;
}

/* Identifiers, keys and times differ from run to run. */
const plain = (text) => text.trim()
  .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID")
  .replace(/\b[0-9a-f]{16}\.[\w-]{32}/g, "KEY")
  .replace(/"id":"[0-9a-f]{16}"/g, '"id":"ID"')
  .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "TIME");

for (const page of ["accounts.md", "accounts-keys.md"]) test(`docs/${page} shows what examples/notes answers`, async (t) => {
  const steps = session(fs.readFileSync(path.join(root, "docs", page), "utf8"));
  assert.ok(steps.length >= 12, `only ${steps.length} commands`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "covara-notes-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const name of ["covara.jsonc", "schema.sql"]) fs.copyFileSync(path.join(root, "examples/notes", name), path.join(folder, name));
  const server = await startServer(binary, folder);
  const { port } = new URL(server.url);

  // One shell runs all of them, since some set variables; a line of its own parts their outputs.
  const script = steps.map(({ command }) => `${command.replaceAll("localhost:3000", `127.0.0.1:${port}`)}\necho\necho =====`).join("\n");
  const outputs = execFileSync("bash", ["-eu", "-c", script], { cwd: folder, encoding: "utf8" }).split("=====\n");
  const { code } = await server.stop();
  for (const [i, { command, output }] of steps.entries()) assert.equal(plain(outputs[i]), plain(output), command);
  assert.equal(code, 0);
});
