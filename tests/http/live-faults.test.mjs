// SPDX-License-Identifier: MIT
// Readers that are slow, that vanish, that come and go in masses; a changelog that is too short for who was away.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { startProject } from "./support.mjs";
import { eventually, openStream, subscribe } from "./sse.mjs";

const open = { public: { read: true, create: true, update: true, delete: true, subscribe: true } };
const sse = (more) => ({ table: "rows", auth: open, sse: { maxSubscriptionsPerIP: 100000, maxQueueBytes: 65536, ...more } });
// Freed memory must go back, or nothing could be said about what a server holds.
const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ""}:quarantine_size_mb=1` };
const app = await startProject({
  schema: "CREATE TABLE rows (id INTEGER PRIMARY KEY, pad TEXT); CREATE TABLE small (id INTEGER PRIMARY KEY, n INTEGER);",
  config: {
    server: { threads: 2 },
    resources: { fast: sse({ maxQueueBytes: 64 << 20 }), rows: sse({ onBackpressure: "invalidate" }), cut: sse({ onBackpressure: "disconnect" }), drop: sse({ onBackpressure: "drop" }),
      limited: sse({ maxTotalSubscriptions: 50 }), small: { auth: open, batch: { create: 1000 } } },
  },
  env,
});
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${app.pid}/status`, "utf8"))[1]) / 1024;
const descriptors = () => fs.readdirSync(`/proc/${app.pid}/fd`).length;
const ok = (answer, status) => { assert.equal(answer.status, status, answer.text); return answer; };
const pad = "x".repeat(100_000);

test("29: slow readers are told, cut off, or miss events; memory stays bounded and others get everything", async () => {
  const good = await subscribe(app, "/api/fast/subscribe");
  const slow = [];
  for (const name of ["rows", "cut", "drop"])
    for (let i = 0; i < 5; i++) slow.push({ name, s: await subscribe(app, `/api/${name}/subscribe?filter=id>${-i}`) });
  slow.forEach(({ s }) => s.pause());
  const ROWS = 150;
  let before = 0, most = 0;
  for (let i = 1; i <= ROWS; i++) {
    ok(await app.post("/api/rows", { id: i, pad }), 201);
    if (i === ROWS / 2) before = rss();
    if (i > ROWS / 2) most = Math.max(most, rss());
  }
  for (let i = 1; i <= ROWS; i++) assert.equal((await good.next()).data.object.id, i);
  assert.ok(most - before < 24, `${most - before} MiB more for ${ROWS * pad.length / 2 / 2 ** 20} MiB of events`);
  ok(await app.post("/api/rows", { id: 1000, pad: "last" }), 201);
  for (const { name, s } of slow) {
    s.resume();
    const got = [];
    if (name === "drop") await s.until(() => s.queue.some(({ data }) => data.type === "invalidate"), "notice");
    else await s.until(() => s.ended, "end");
    for (const { data } of s.queue) got.push(data.type === "added" ? data.object.id : data);
    const last = got.pop();
    if (name === "rows") assert.deepEqual(last, { type: "invalidate", reason: "slow-consumer" });
    else if (name === "drop") assert.equal(last.reason, "slow-consumer");
    else got.push(last);
    assert.ok(got.length > 0 && got.length < ROWS, `${name}: ${got.length} events`);
    got.forEach((id, i) => assert.equal(id, i + 1, name));
    s.queue = [];
  }
  ok(await app.post("/api/rows", { id: 1001, pad: "again" }), 201);
  for (const { s } of slow.filter(({ name }) => name === "drop")) {
    assert.equal((await s.next()).data.object.id, 1001);
    s.close();
  }
  good.close();
});

test("30: a snapshot is no slowness, however large", async () => {
  const s = await subscribe(app, "/api/rows/subscribe?filter=id<100");
  for (let i = 1; i < 100; i++) assert.equal((await s.next()).data.object.id, i);
  s.close();
});

test("readers that vanish free their descriptors and slots", async () => {
  await eventually(() => descriptors() < 100);
  const before = descriptors();
  for (const bye of ["destroy", "resetAndDestroy"]) {
    const all = await Promise.all(Array.from({ length: 50 }, () => subscribe(app, "/api/limited/subscribe?skipExisting=true")));
    assert.equal((await openStream(app, "/api/limited/subscribe")).status, 429);
    for (const s of all) s.response.socket[bye]();
    await eventually(() => descriptors() <= before);
    await eventually(async () => {
      const s = await openStream(app, "/api/limited/subscribe?skipExisting=true");
      if (s.status === 200) s.close();
      return s.status === 200;
    });
  }
});

test("2,000 subscriptions come and go at once, and nothing is left of them", async () => {
  await eventually(() => descriptors() < 100);
  const before = descriptors();
  const one = async (i) => {
    const s = await openStream(app, `/api/limited/subscribe?skipExisting=true&filter=id==${i}`);
    if (s.status !== 200) return;
    opened++;
    if (i % 2 === 0) assert.equal((await s.next()).event, "connected");
    s.close();
  };
  let n = 0, opened = 0;
  const worker = async () => { while (n < 2000) await one(n++); };
  await Promise.all(Array.from({ length: 24 }, worker));
  assert.ok(opened > 1900, `${opened} opened`);
  await eventually(() => descriptors() <= before);
  const all = [];
  await eventually(async () => {
    while (all.length < 50) {
      const s = await openStream(app, "/api/limited/subscribe?skipExisting=true");
      if (s.status !== 200) return false;
      all.push(s);
    }
  });
  assert.equal((await openStream(app, "/api/limited/subscribe")).status, 429);
  all.forEach((s) => s.close());
  await eventually(() => descriptors() <= before);
});

test("channels come and go on one stream", async () => {
  const s = await openStream(app, "/__covara/stream");
  const { cid } = (await s.next()).data;
  const control = (what, body) => app.post(`/__covara/stream/${cid}/${what}`, body);
  for (let round = 0; round < 10; round++) {
    const names = Array.from({ length: 40 }, (_, i) => `c${round}-${i}`);
    await Promise.all(names.map(async (channelId) => ok(await control("subscribe", { channelId, resource: "/api/limited", skipExisting: true }), 200)));
    await Promise.all(names.map(async (channelId) => ok(await control("unsubscribe", { channelId }), 200)));
  }
  const all = [];
  for (let i = 0; i < 50; i++) all.push(ok(await control("subscribe", { channelId: `x${i}`, resource: "/api/limited", skipExisting: true }), 200));
  assert.equal((await control("subscribe", { channelId: "x50", resource: "/api/limited" })).status, 429);
  s.close();
  await eventually(async () => {
    const again = await openStream(app, "/api/limited/subscribe?skipExisting=true");
    if (again.status === 200) again.close();
    return again.status === 200;
  });
});

test("18: more changes than the changelog keeps are a gap", async () => {
  const s = await subscribe(app, "/api/small/subscribe");
  const { seq } = s;
  s.close();
  const batch = (from, n) => app.post("/api/small/batch", { items: Array.from({ length: n }, (_, i) => ({ id: from + i })) });
  for (let i = 0; i < 10; i++) ok(await batch(1 + i * 1000, 1000), 200);
  const all = await subscribe(app, `/api/small/subscribe?resumeFrom=${seq}&filter=id>9998`);
  assert.deepEqual((await all.take(2)).map((e) => e.added.id), [9999, 10000]);
  ok(await batch(20000, 1), 200);
  const late = await subscribe(app, `/api/small/subscribe?resumeFrom=${seq}`);
  assert.deepEqual(await late.take(1), [{ invalidate: "Sequence gap - please refetch" }]);
  const just = await subscribe(app, `/api/small/subscribe?resumeFrom=${seq + 1}&filter=id>9999`);
  assert.deepEqual((await just.take(2)).map((e) => e.added.id), [10000, 20000]);
  for (const t of [all, late, just]) t.close();
});

test("49: shutdown ends every stream properly", async () => {
  const other = await startProject({ schema: "CREATE TABLE t (id INTEGER PRIMARY KEY);", config: { server: { threads: 2 }, resources: { t: { auth: open } } } });
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => openStream(other, i % 2 ? "/api/t/subscribe" : "/__covara/stream")));
  await Promise.all(all.map((s) => s.next()));
  const stopped = other.stop();
  for (const s of all) {
    assert.equal(await s.next(), null);
    assert.equal(s.response.complete, true);
  }
  await stopped;
});
