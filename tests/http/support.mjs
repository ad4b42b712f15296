// SPDX-License-Identifier: MIT
// support.mjs - a project in a temporary folder, the real server on it, and exact expectations about answers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "../conformance/server.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const binary = path.resolve(process.env.COVARA_BIN ?? path.join(root, "build/dev/covara"));

/* Everybody may do everything: what most suites want, because users are not this part's business. */
export const everyone = { public: { read: true, create: true, update: true, delete: true } };

const folders = [];
process.on("exit", () => folders.forEach((directory) => fs.rmSync(directory, { recursive: true, force: true })));

/* A new folder with the given files; gone when the process ends. */
export function folder(files) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "covara-http-"));
  folders.push(directory);
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, name), text);
  return directory;
}

/* SQL run by another process on a database file; rows come back as objects. */
export function sqlite(file, sql) {
  const script = `.timeout 10000\n.mode json\nPRAGMA foreign_keys=OFF;\n${sql}\n`;
  const text = execFileSync("sqlite3", ["-bail", "-batch", file], { input: script, encoding: "utf8" });
  return text.trim() === "" ? [] : JSON.parse(text);
}

/*
 * Start a server on `schema` (SQL), `config` (covara.jsonc as an object, without "schema") and `seed` (SQL).
 *
 * The result's call(method, target, body, headers) sends the target as it stands. A body that is no text and no
 * Buffer goes out as JSON. It resolves to { status, type, headers, text, json }.
 */
export async function startProject({ schema, config, seed, env = {} }) {
  const full = { database: { url: "sqlite:app.db" }, schema: "schema.sql", logLevel: "warn", ...config };
  const directory = folder({ "schema.sql": schema, "covara.jsonc": JSON.stringify(full), ...(seed ? { "seed.sql": seed } : {}) });
  return openProject(directory, { seed: Boolean(seed), env });
}

/* Start a server on a folder that is there already; `program` may be a script that runs the server. */
export async function openProject(directory, { seed = false, env = {}, program = binary } = {}) {
  const server = await startServer(program, directory, {
    args: ["--log-level", "info", ...(seed ? ["--seed", path.join(directory, "seed.sql")] : [])], env,
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const { hostname, port } = new URL(server.url);
  const file = path.join(directory, "app.db");

  const call = (method, target, body, headers = {}) => send({ agent, hostname, port }, method, target, body, headers);
  return {
    ...server, directory, file, hostname, port: Number(port), call,
    get: (target, headers) => call("GET", target, undefined, headers),
    post: (target, body, headers) => call("POST", target, body, headers),
    patch: (target, body, headers) => call("PATCH", target, body, headers),
    put: (target, body, headers) => call("PUT", target, body, headers),
    delete: (target, headers) => call("DELETE", target, undefined, headers),
    connect: () => connect(hostname, Number(port)),
    sql: (text) => sqlite(file, text),
    /* Ends the server, which must drain, report no memory error and exit with 0. */
    async stop() {
      agent.destroy();
      const { code, signal } = await server.stop();
      assert.equal(signal ?? code, 0, `the server's end:\n${server.output().slice(-6000)}`);
      assert.doesNotMatch(server.output(), /Sanitizer|runtime error/);
    },
  };
}

function encode(body) {
  if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) return body;
  return JSON.stringify(body);
}

function send({ agent, hostname, port }, method, target, body, headers) {
  const payload = encode(body);
  const all = payload === undefined ? headers
    : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(payload), ...headers };

  return new Promise((resolve, reject) => {
    const request = http.request({ agent, hostname, port, method, path: target, headers: all }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve(answer(response.statusCode, response.headers, Buffer.concat(chunks))));
    });
    request.on("error", reject);
    request.end(payload);
  });
}

function answer(status, headers, bytes) {
  const text = bytes.toString("utf8");
  let json;
  try { json = JSON.parse(text); } catch { json = undefined; }
  return { status, type: headers["content-type"], headers, bytes, text, json };
}

/* One connection that sends bytes as they are and reads answers one by one; for what http.request refuses to send. */
function connect(hostname, port) {
  const socket = net.connect(port, hostname);
  let input = Buffer.alloc(0), closed = false, wake = () => {};
  socket.on("data", (chunk) => { input = Buffer.concat([input, chunk]); wake(); });
  socket.on("error", () => {});
  socket.on("close", () => { closed = true; wake(); });

  const take = (bodyless) => {
    const end = input.indexOf("\r\n\r\n");
    if (end < 0) return null;
    const [first, ...lines] = input.subarray(0, end).toString("latin1").split("\r\n");
    const headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const status = Number(first.split(" ")[1]);
    if (status === 100) { input = input.subarray(end + 4); return take(bodyless); }
    const length = bodyless || status === 204 || status === 304 ? 0 : Number(headers["content-length"] ?? 0);
    if (input.length < end + 4 + length) return null;
    const result = answer(status, headers, input.subarray(end + 4, end + 4 + length));
    input = input.subarray(end + 4 + length);
    return result;
  };
  return {
    get closed() { return closed; },
    write: (bytes) => socket.write(bytes),
    end: () => socket.destroy(),
    /* The next answer, or null when the server closes the connection first. */
    async read({ bodyless = false, timeoutMs = 15000 } = {}) {
      const deadline = setTimeout(() => socket.destroy(new Error("no answer")), timeoutMs);
      try {
        for (;;) {
          const result = take(bodyless);
          if (result !== null || closed) return result;
          await new Promise((resolve) => { wake = resolve; });
        }
      } finally { clearTimeout(deadline); }
    },
    /* `target` and `body` may be Buffers of any bytes. */
    async send(method, target, body, headers = {}) {
      const payload = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
      const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
      const length = body === undefined ? "" : `Content-Length: ${payload.length}\r\n`;
      socket.write(Buffer.concat([Buffer.from(`${method} `), Buffer.from(target),
        Buffer.from(` HTTP/1.1\r\nHost: test\r\n${length}${extra}\r\n`), payload]));
      return this.read({ bodyless: method === "HEAD" });
    },
  };
}

/* Status, media type and the very bytes: `expected` is JSON text, or a value whose JSON text is meant. */
export function isJson(response, status, expected) {
  const text = typeof expected === "string" ? expected : JSON.stringify(expected);
  assert.equal(response.text, text);
  assert.equal(response.status, status);
  assert.equal(response.type, "application/json");
}

/* The body of a problem. `members` are those after "code", in order. */
export function problem(status, slug, detail, members = {}) {
  const code = slug.toUpperCase().replaceAll("-", "_");
  const title = slug[0].toUpperCase() + slug.slice(1).replaceAll("-", " ");
  return { type: `/__covara/problems/${slug}`, title, status, detail, code, ...members };
}

export function isProblem(response, status, slug, detail, members) {
  assert.equal(response.text, JSON.stringify(problem(status, slug, detail, members)));
  assert.equal(response.status, status);
  assert.equal(response.type, "application/problem+json");
}

/* 400 with these issues, [field, message] each, and no others. */
export function isInvalid(response, ...issues) {
  isProblem(response, 400, "validation-error", "Validation failed",
    { errors: issues.map(([field, message]) => ({ field, message })) });
}

export function isNoRow(response, resource, id) {
  isProblem(response, 404, "not-found", `${resource} with id '${id}' not found`, { resource, id });
}

export function isNoRoute(response, method, target) {
  isProblem(response, 404, "not-found", `Route ${method} ${target} not found`);
}

/* What follows "received undefined" when a required member of a create body is missing. */
export function missing(expected, field) {
  return `Invalid input: expected ${expected}, received undefined. If "${field}" is set by a lifecycle hook (e.g. `
    + "onBeforeCreate), add it to `generatedFields` — input validation runs before hooks, so a hook-filled required "
    + "column must be declared there.";
}

/* Every row of a list, following cursors. */
export async function walk(app, target, limit) {
  const pages = [];
  const join = target.includes("?") ? "&" : "?";
  for (let cursor = ""; ;) {
    const response = await app.get(`${target}${join}limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    assert.equal(response.status, 200, `${target}: ${response.text}`);
    const { items, nextCursor, hasMore } = response.json;
    assert.equal(hasMore, nextCursor !== null);
    pages.push(items);
    if (!hasMore) return pages;
    assert.ok(pages.length < 2000, `${target} does not end`);
    cursor = nextCursor;
  }
}

export const query = (parameters) => "?" + Object.entries(parameters)
  .filter(([, value]) => value !== undefined)
  .map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");

/* COV_SEED repeats a run; each random test names its seed when it fails. */
export const seed = Number(process.env.COV_SEED ?? 20240115);

/* Small, fast and the same everywhere (mulberry32). */
export function random(from) {
  let state = from >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    below: (n) => Math.floor(next() * n),
    pick: (list) => list[Math.floor(next() * list.length)],
    chance: (p) => next() < p,
  };
}
