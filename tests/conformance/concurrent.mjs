#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// concurrent.mjs - many clients at once: readers, writers, and clients that hang up half way, then a shutdown
// under load. Meant for a server built with ThreadSanitizer (COVARA_BIN); a report ends that server.
//
// Checked: every answer has a status that its request may have, each created row is there exactly once, the
// count agrees with the answers, and the server drains and ends with 0.
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startServer } from "./server.mjs";

const seconds = Number(process.env.CONCURRENT_SECONDS ?? 8);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const binary = path.resolve(process.env.COVARA_BIN ?? path.join(root, "build/tsan/covara"));

const work = fs.mkdtempSync(path.join(os.tmpdir(), "covara-concurrent-"));
process.on("exit", () => fs.rmSync(work, { recursive: true, force: true }));
fs.writeFileSync(path.join(work, "schema.sql"), `
CREATE TABLE items (id TEXT PRIMARY KEY, stock INTEGER NOT NULL DEFAULT 0, category TEXT,
                    version INTEGER NOT NULL DEFAULT 1);
CREATE INDEX items_stock ON items (stock);
`);
fs.writeFileSync(path.join(work, "covara.jsonc"), `{
  "app": { "basePath": "/api" }, "database": { "url": "sqlite:concurrent.db" }, "schema": "schema.sql",
  "server": { "threads": 4 },
  "resources": { "items": {
    "auth": { "public": { "read": true, "create": true, "update": true, "delete": true } },
    "etag": { "versionField": "version" }
  } }
}`);

const failures = [];
const created = new Set(), deleted = new Set();
const done = { requests: 0 };
let stopping = false;

async function call(url, method, target, body, allowed) {
  let response, text;
  try {
    response = await fetch(url + target, {
      method, body: body ? JSON.stringify(body) : undefined, headers: body ? { "content-type": "application/json" } : {},
    });
    text = await response.text();
  } catch (error) {
    throw new Error(`${method} ${target}: ${error.cause ?? error}`);
  }
  done.requests++;
  if (!allowed.includes(response.status))
    failures.push(`${method} ${target}: ${response.status} ${text.slice(0, 200)}`);
  return { status: response.status, json: text ? JSON.parse(text) : null };
}

async function reader(url, n) {
  const targets = ["/api/items?limit=20", "/api/items?filter=stock%3E50&orderBy=stock:desc&limit=5", "/api/items/count",
    `/api/items/w${n}-0`, "/api/items/aggregate?groupBy=category&count=true", "/healthz", "/api/nothing"];
  for (let i = 0; !stopping; i++)
    await call(url, "GET", targets[(i + n) % targets.length], null, [200, 404]);
}

async function writer(url, n) {
  for (let i = 0; !stopping; i++) {
    const id = `w${n}-${i}`;
    const { status } = await call(url, "POST", "/api/items", { id, stock: i % 100, category: `c${i % 7}` }, [201]);
    if (status === 201) created.add(id);
    await call(url, "PATCH", `/api/items/${id}`, { stock: (i * 7) % 100 }, [200]);
    await call(url, "PATCH", "/api/items/shared", { stock: n }, [200]);
    await call(url, "POST", "/api/items", { id, stock: 1 }, [409]);
    if (i % 5 === 4) {
      await call(url, "DELETE", `/api/items/${id}`, null, [204]);
      deleted.add(id);
    }
  }
}

/* Sends requests, or half of one, and leaves without reading. */
async function rude(url) {
  const { port } = new URL(url);
  const texts = ["GET /api/items?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8), "POST /api/items HTTP/1.1\r\nHost: x\r\nContent-Le",
    "POST /api/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"id\":"];
  for (let i = 0; !stopping; i++)
    await new Promise((resolve) => {
      const socket = net.connect(Number(port), "127.0.0.1", () => socket.end(texts[i % texts.length], () => socket.destroy()));
      socket.on("close", resolve).on("error", () => {});
    });
}

const server = await startServer(binary, work, { timeoutMs: 60000 });
try {
  const { url } = server;
  await call(url, "POST", "/api/items", { id: "shared", stock: 0 }, [201]);
  setTimeout(() => { stopping = true; }, seconds * 1000);
  await Promise.all([
    ...Array.from({ length: 8 }, (_, n) => reader(url, n)),
    ...Array.from({ length: 8 }, (_, n) => writer(url, n)),
    rude(url), rude(url),
  ]);

  const expected = created.size - deleted.size + 1;
  const { json } = await call(url, "GET", "/api/items/count", null, [200]);
  if (json?.count !== expected) failures.push(`${json?.count} rows counted, ${expected} expected`);

  // A shutdown under load: a client sees an answer, or a connection that ended; nothing else.
  stopping = false;
  const load = Array.from({ length: 8 }, async (_, n) => {
    for (let i = 0; !stopping; i++) {
      try { await call(url, "POST", "/api/items", { id: `end${n}-${i}`, stock: i }, [201, 503]); } catch { return; }
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { code, signal } = await server.stop();
  stopping = true;
  await Promise.all(load);
  if (code !== 0) failures.push(`the server ended with ${signal ?? `exit ${code}`}`);
} catch (error) {
  failures.push(error.message);
  stopping = true;
  await server.stop().catch(() => {});
}

const report = /WARNING: ThreadSanitizer[\s\S]*|ERROR: AddressSanitizer[\s\S]*|runtime error:[\s\S]*/.exec(server.output());
if (report) failures.push(report[0].slice(0, 8000));
for (const failure of failures.slice(0, 20)) console.log(`FAIL ${failure}`);
console.log(`${done.requests} requests, ${created.size} rows created, ${failures.length} failures`);
process.exit(failures.length || created.size === 0 ? 1 : 0);
