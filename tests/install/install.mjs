// SPDX-License-Identifier: MIT
// install.mjs - "make install" into a folder of its own, then projects outside the tree built against it.
//
// Run by the stage "install" of tests/run, after build/release was built: node --test-reporter=tap install.mjs
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../conformance/server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const temp = fs.mkdtempSync(path.join(os.tmpdir(), "covara-install-"));
after(() => fs.rmSync(temp, { recursive: true, force: true }));

// Staged as packagers do it; everything that is installed finds the rest from where it is itself.
const prefix = path.join(temp, "stage/opt/covara");
const lib = path.join(prefix, "lib");
const project = path.join(temp, "project");
const env = { ...process.env, PKG_CONFIG_PATH: path.join(lib, "pkgconfig"), MAKEFLAGS: "", CMAKE_PREFIX_PATH: prefix };
// A make that runs the tests must not hand its own settings on.
for (const name of ["DESTDIR", "PREFIX", "CFLAGS", "LDFLAGS"]) delete env[name];

/* Standard output of a command; its standard error goes to the log, a failure fails the test. */
function sh(command, args, cwd = project) {
  return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/* The text symbols that a library offers. */
function offered(file, ...options) {
  return sh("nm", ["--defined-only", "--extern-only", "--format=posix", ...options, file], root)
    .split("\n").filter((line) => / [A-Za-z] /.test(line)).map((line) => line.split(" ")[0]).sort();
}

/* The functions that covara.h declares, in the compiler's own words. */
function declared() {
  const source = path.join(temp, "declared.c");
  fs.writeFileSync(source, "#include <covara/covara.h>\n");
  const tree = execFileSync("clang", ["-std=c11", `-I${prefix}/include`, "-fsyntax-only", "-Xclang", "-ast-dump=json", source],
    { encoding: "utf8", maxBuffer: 1 << 30 });
  const names = JSON.parse(tree).inner
    .filter((node) => ["FunctionDecl", "VarDecl"].includes(node.kind) && /^cov_/.test(node.name) && node.storageClass !== "static")
    .map((node) => node.name);
  return [...new Set(names)].sort();
}

/* Start `binary` on the template's files in a folder of its own, ask, stop. */
async function serves(binary, check) {
  const folder = fs.mkdtempSync(path.join(temp, "run-"));
  for (const name of ["schema.sql", "covara.jsonc"]) fs.copyFileSync(path.join(project, name), path.join(folder, name));
  const server = await startServer(path.resolve(project, binary), folder);
  try {
    await check((url, options) => fetch(server.url + url, options));
  } finally {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  }
}

async function answersLikeTheTemplate(get) {
  assert.deepEqual(await (await get("/hello/caf%C3%A9")).json(), { hello: "café" });
  const create = (title) => get("/api/notes",
    { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ title }) });
  const created = await create("quiet");
  assert.deepEqual([created.status, await created.json()], [201, { id: 1, title: "quiet" }]);
  const refused = await create("loud!!!");
  assert.deepEqual([refused.status, (await refused.json()).detail], [400, "No shouting"]);
}

function dependsOn(binary) {
  return sh("readelf", ["--dynamic", binary]);
}

test("make install puts everything in its place", () => {
  sh("make", ["install", `DESTDIR=${path.join(temp, "stage")}`, "PREFIX=/opt/covara"], root);
  fs.cpSync(path.join(here, "template"), project, { recursive: true });
  for (const name of ["bin/covara", "include/covara/covara.h", "lib/libcovara.a", "lib/libcovara.so", "lib/libcovara.so.0",
    "lib/pkgconfig/covara.pc", "lib/pkgconfig/covara-static.pc", "lib/cmake/covara/covaraConfig.cmake", "lib/cmake/covara/covaraConfigVersion.cmake",
    "lib/cmake/covara/covaraTargets.cmake", "share/covara/covara.schema.json", "share/doc/covara/c-api.md",
    "share/doc/covara/LICENSE"])
    assert.ok(fs.existsSync(path.join(prefix, name)), name);
  assert.deepEqual(fs.readdirSync(path.join(prefix, "include/covara")).sort(),
    fs.readdirSync(path.join(root, "include/covara")).sort());
  assert.match(sh(path.join(prefix, "bin/covara"), ["--version"]), /^covara \d+\.\d+\.\d+ /);
});

test("the versions agree", () => {
  const version = /COV_VERSION "([^"]*)"/.exec(fs.readFileSync(path.join(prefix, "include/covara/version.h"), "utf8"))[1];
  assert.equal(sh("pkg-config", ["--modversion", "covara"]).trim(), version);
  assert.equal(fs.realpathSync(path.join(lib, "libcovara.so")), path.join(fs.realpathSync(lib), `libcovara.so.${version}`));
  assert.match(dependsOn(path.join(lib, "libcovara.so")), /SONAME.*\[libcovara\.so\.0\]/);
});

test("the libraries offer what the headers declare, and nothing else", () => {
  const symbols = declared();
  assert.ok(symbols.length > 50);
  assert.deepEqual(offered(path.join(lib, "libcovara.so"), "--dynamic"), symbols);
  assert.deepEqual(offered(path.join(lib, "libcovara.a")), symbols);
});

test("pkg-config, static", async () => {
  sh("make", ["static"]);
  assert.doesNotMatch(dependsOn("app-static"), /libcovara/);
  await serves("app-static", answersLikeTheTemplate);
});

test("pkg-config, shared", async () => {
  sh("make", ["shared"]);
  assert.match(dependsOn("app-shared"), /NEEDED.*\[libcovara\.so\.0\]/);
  assert.doesNotMatch(dependsOn("app-shared"), /NEEDED.*sqlite/);
  await serves("app-shared", answersLikeTheTemplate);
});

test("CMake package, static and shared", async () => {
  sh("cmake", ["-S", ".", "-B", "build", "-G", "Ninja"]);
  sh("cmake", ["--build", "build"]);
  assert.doesNotMatch(dependsOn("build/app"), /libcovara/);
  assert.match(dependsOn("build/app_with_shared"), /NEEDED.*\[libcovara\.so\.0\]/);
  await serves("build/app", answersLikeTheTemplate);
  await serves("build/app_with_shared", answersLikeTheTemplate);
});

test("an application may have a yyjson of its own", () => {
  fs.writeFileSync(path.join(project, "own.c"),
    "#include <covara/covara.h>\nint yyjson_read_opts(void);\nint yyjson_read_opts(void) { return 0; }\n" +
    "int main(int c, char **v) { return yyjson_read_opts() + cov_main(c, v, NULL); }\n");
  const flags = sh("pkg-config", ["--cflags", "--libs", "covara-static"]).trim().split(/\s+/);
  sh("cc", ["-std=c11", "-Werror", "-o", "own", "own.c", ...flags]);
  assert.match(sh("./own", ["--version"]), /^covara /);
});

test("C++", async () => {
  const flags = sh("pkg-config", ["--libs", "covara-static"]).trim().split(/\s+/);
  sh("clang++", ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-exceptions", "-fno-rtti",
    ...sh("pkg-config", ["--cflags", "covara"]).trim().split(/\s+/), "-c", "main.cpp"]);
  // Nothing in it needs the C++ library, so the C compiler may link it.
  sh("cc", ["-o", "app-cpp", "main.o", ...flags]);
  await serves("app-cpp", async (get) => assert.equal(await (await get("/ping")).text(), "pong"));
});
