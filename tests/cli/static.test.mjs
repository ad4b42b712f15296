// SPDX-License-Identifier: MIT
// app.static: which files of a folder are served, and which folders are refused.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import test from "node:test";
import { CONFIG, project, run, serve } from "./support.mjs";

const config = (value) => CONFIG.replace("{", `{ "app": { "static": ${JSON.stringify(value)} },`);

function folderOf(t, value, files) {
  const folder = project(t, { "covara.jsonc": config(value) });
  for (const [name, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), bytes);
  }
  return folder;
}

/* Unlike fetch, this sends the path as it is. */
function get(url, target, method = "GET") {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    http.request({ hostname, port, path: target, method }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
    }).on("error", reject).end();
  });
}

test("files are served byte by byte, as they were at the start", async (t) => {
  const picture = Buffer.from(Array.from({ length: 100000 }, (_, i) => (i * 7) & 255));
  const folder = folderOf(t, { "/": "public", "/more": "extra" }, {
    "public/index.html": "<p>home", "public/a/b/p.png": picture, "public/empty.css": "", "public/ä.txt": "umlaut",
    "extra/x.json": "{}", "public/.env": "SECRET=1", "public/.git/config": "secret",
  });
  const server = await serve(t, folder);
  fs.writeFileSync(path.join(folder, "public/index.html"), "changed");
  assert.equal(String((await get(server.url, "/")).body), "<p>home");
  assert.deepEqual((await get(server.url, "/a/b/p.png")).body, picture);
  assert.equal((await get(server.url, "/empty.css")).headers["content-length"], "0");
  assert.equal(String((await get(server.url, "/%C3%A4.txt")).body), "umlaut");
  assert.equal(String((await get(server.url, "/more/x.json")).body), "{}");
  const head = await get(server.url, "/a/b/p.png", "HEAD");
  assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, "100000", 0]);
  const again = await fetch(`${server.url}/`, { headers: { "If-None-Match": (await get(server.url, "/")).headers.etag } });
  assert.equal(again.status, 304);
  for (const target of ["/.env", "/.git/config", "/../covara.jsonc", "/a/../index.html", "/%2e%2e/covara.jsonc",
    "/..%2fcovara.jsonc", "/a/b", "/extra/x.json", "//index.html"])
    assert.equal((await get(server.url, target)).status, 404, target);
});

test("folders that hold the project, links and absent folders end the start", (t) => {
  const cases = [
    [{ "/": "." }, {}, 'app.static: "." holds covara.jsonc, which is not for everyone: put what is served into a folder of its own'],
    [{ "/": "/" }, {}, 'app.static: "/" holds covara.jsonc, which is not for everyone: put what is served into a folder of its own'],
    [{ "/": "none" }, {}, 'app.static: cannot read the folder "none": No such file or directory'],
    [{ "/": "a", "/x": "b" }, { "a/x/y": "1", "b/y": "2" }, 'app.static: two files are served as "/x/y"'],
    [{ "/": "a" }, Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a/${i}`, ""])), 'app.static: more than 1000 files in "a"'],
    [{ "/": "a" }, { "a/big": Buffer.alloc(16 * 1024 * 1024 + 1) }, 'app.static: more than 16 MiB, up to "a/big"'],
  ];
  for (const [value, files, message] of cases) {
    const { code, stderr } = run(["check"], { cwd: folderOf(t, value, files) });
    assert.equal(code, 1);
    assert.equal(stderr, `error: ${message}\n`);
  }
  const folder = folderOf(t, { "/": "public" }, { "public/index.html": "" });
  fs.symlinkSync("../covara.jsonc", path.join(folder, "public/link"));
  assert.equal(run(["check"], { cwd: folder }).stderr,
    'error: app.static: "public/link" is neither a file nor a folder; links are not followed\n');
});
