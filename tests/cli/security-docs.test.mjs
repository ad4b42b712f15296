// SPDX-License-Identifier: MIT
// docs/security.md: every row names tests that exist, in files that exist.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const markdown = fs.readFileSync(path.join(root, "docs/security.md"), "utf8");

/* { attack, file, names } for each file that a row of a table names. */
function rows() {
  return markdown.split("\n").filter((line) => line.startsWith("|") && !/^\|(---| attack )/.test(line)).map((line) => {
    const cells = line.slice(1, -1).split(/ *(?<!\\)\| */).map((cell) => cell.trim());
    assert.equal(cells.length, 3, line);
    const parts = cells[2].split(/(?:^|; )`([^`]+)`: /).slice(1);
    const tests = [];
    for (let i = 0; i < parts.length; i += 2) tests.push({ file: parts[i], names: parts[i + 1] });
    return { attack: cells[0], defence: cells[1], tests };
  });
}

/* Names are joined by "; ", which may be in a name too: the longest prefix that is a test's name counts. */
function unknown(names, source) {
  let rest = names;
  while (rest !== "") {
    const pieces = rest.split("; ");
    let n = pieces.length;
    while (n > 0 && !source.includes(pieces.slice(0, n).join("; "))) n--;
    if (n === 0) return pieces[0];
    rest = pieces.slice(n).join("; ");
  }
  return null;
}

test("docs/security.md has at least 30 attacks, each with a defence and tests that exist", () => {
  const all = rows();
  assert.ok(all.length >= 30, `${all.length} rows`);
  assert.equal(new Set(all.map((row) => row.attack)).size, all.length, "an attack is there twice");
  for (const { attack, defence, tests } of all) {
    assert.ok(attack.length > 10 && defence.length > 5 && tests.length > 0, attack);
    for (const { file, names } of tests) {
      const source = path.join(root, "tests", file);
      assert.ok(fs.existsSync(source), `${attack}: tests/${file} does not exist`);
      assert.equal(unknown(names, fs.readFileSync(source, "utf8")), null, `${attack}: no such test in ${file}`);
    }
  }
});
