// SPDX-License-Identifier: MIT
// Events of row and aggregate subscriptions over HTTP: spec/04 section 22.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem, startProject } from "./support.mjs";
import { EventParser, openStream, short, subscribe } from "./sse.mjs";

const open = { public: { read: true, create: true, update: true, delete: true, subscribe: true } };
const app = await startProject({
  schema: `
    CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT, done BOOLEAN NOT NULL DEFAULT 0, secret TEXT, n INTEGER);
    CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE items (id INTEGER PRIMARY KEY, list_id INTEGER NOT NULL REFERENCES lists(id) ON DELETE CASCADE, text TEXT CHECK (text <> 'bad'));
    CREATE TABLE late (id INTEGER PRIMARY KEY, list_id INTEGER REFERENCES lists(id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE marked (id INTEGER PRIMARY KEY, name TEXT, deleted_at TIMESTAMP);`,
  config: {
    server: { threads: 2 },
    app: { cors: { origin: "https://page.example" } },
    resources: {
      todos: { auth: open, fields: { readable: ["id", "title", "done", "n"] }, sse: { maxSubscriptionsPerIP: 1000, heartbeatMs: 300 },
        batch: { create: 100, update: 100, delete: 100 } },
      lists: { auth: open, nestedWrites: true, autoRelations: true, sse: { aggregateDebounceMs: 30 } },
      items: { auth: open, autoRelations: true },
      late: { auth: open },
      marked: { auth: open, softDelete: { field: "deletedAt" } },
      silent: { table: "todos", auth: open, capabilities: { enableSubscribe: false } },
    },
  },
});
const todo = (id, title, more = {}) => ({ id, title, done: false, n: null, ...more });
const ok = (answer, status = 200) => { assert.equal(answer.status, status, answer.text); return answer; };
let id = 0;
const fresh = () => (id += 100);

test("the parser reads lines of every kind, in any pieces", () => {
  const text = "\uFEFF: hello\r\nid: 1\r\nevent: a\rdata: x\ndata:y\r\n\r\ndata\n\nid: \0\ndata: é\n\nignored: z\n\n";
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, bytes.length]) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < bytes.length; at += size) events.push(...parser.feed(bytes.subarray(at, at + size)));
    assert.deepEqual(events, [{ event: "a", data: "x\ny", id: "1" }, { event: "message", data: "", id: "1" }, { event: "message", data: "é", id: "1" }]);
    assert.deepEqual(parser.comments, [" hello"]);
  }
});

test("head: a stream of events, without ETag or length, for a page of another origin too", async () => {
  const s = await subscribe(app, "/api/todos/subscribe", { Origin: "https://page.example" });
  assert.equal(s.headers["content-type"], "text/event-stream");
  assert.equal(s.headers["cache-control"], "no-cache, no-transform");
  assert.equal(s.headers["x-accel-buffering"], "no");
  assert.equal(s.headers["x-content-type-options"], "nosniff");
  assert.equal(s.headers["access-control-allow-origin"], "https://page.example");
  assert.equal(s.headers["content-security-policy"], undefined);
  assert.equal(s.headers["content-length"], undefined);
  s.close();
});

test("HEAD answers the same head and takes no slot", async () => {
  for (let i = 0; i < 60; i++) {
    const head = ok(await app.call("HEAD", "/api/lists/subscribe"));
    assert.equal(head.type, "text/event-stream");
    assert.equal(head.text, "");
  }
  (await subscribe(app, "/api/lists/subscribe")).close();
});

test("3: heartbeats come from the start, though nothing else happens", async () => {
  const s = await subscribe(app, "/api/todos/subscribe?filter=id==-1");
  await s.until(() => s.pings >= 2, "heartbeats");
  s.close();
});

test("create, patch, put, delete; rows enter and leave a filter", async () => {
  const a = fresh();
  const s = await subscribe(app, `/api/todos/subscribe?filter=n>0;id>=${a}`);
  ok(await app.post("/api/todos", { id: a, title: "a", n: 1, secret: "s" }), 201);
  ok(await app.post("/api/todos", { id: a + 1, title: "b", n: 0 }), 201);
  ok(await app.patch(`/api/todos/${a}`, { title: "a2" }));
  ok(await app.patch(`/api/todos/${a}`, { secret: "t" }));
  ok(await app.patch(`/api/todos/${a}`, { n: 0 }));
  ok(await app.put(`/api/todos/${a}`, { id: a, title: "a3", done: true, n: 7 }));
  ok(await app.delete(`/api/todos/${a}`), 204);
  ok(await app.delete(`/api/todos/${a + 1}`), 204);
  assert.deepEqual(await s.take(6), [
    { added: todo(a, "a", { n: 1 }) }, { changed: todo(a, "a2", { n: 1 }) }, { changed: todo(a, "a2", { n: 1 }) },
    { removed: String(a) }, { added: todo(a, "a3", { n: 7, done: true }) }, { removed: String(a) }]);
  s.close();
});

test("events: members in order, sequence never lower, previousObjectId, no id line", async () => {
  const a = fresh();
  const s = await subscribe(app, `/api/todos/subscribe?filter=id>=${a}`);
  const before = s.lastEventId;
  assert.equal(before, String(s.seq));
  ok(await app.post("/api/todos", { id: a, title: "a" }), 201);
  ok(await app.patch(`/api/todos/${a}`, { title: "b" }));
  ok(await app.delete(`/api/todos/${a}`), 204);
  const events = [await s.next(), await s.next(), await s.next()].map((e) => e.data);
  const common = ["id", "subscriptionId", "seq", "timestamp", "type"];
  assert.deepEqual(events.map((e) => Object.keys(e)), [[...common, "object"], [...common, "object", "previousObjectId"], [...common, "objectId"]]);
  assert.equal(events[1].previousObjectId, String(a));
  assert.match(events[0].subscriptionId, /^[0-9a-f-]{36}:todos$/);
  assert.equal(new Set(events.map((e) => e.subscriptionId)).size, 1);
  assert.equal(new Set(events.map((e) => e.id)).size, 3);
  assert.ok(s.seq < events[0].seq && events[0].seq < events[1].seq && events[1].seq < events[2].seq);
  assert.equal(s.lastEventId, before);
  s.close();
});

test("batches and upserts are told row by row", async () => {
  const a = fresh();
  const s = await subscribe(app, `/api/todos/subscribe?filter=n>0;id>=${a}`);
  ok(await app.post("/api/todos/batch", { items: [{ id: a, n: 1 }, { id: a + 1, n: 2 }, { id: a + 2, n: 0 }] }));
  ok(await app.post("/api/todos/batch/upsert", { items: [{ id: a, title: "up", n: 3 }, { id: a + 3, n: 4 }] }));
  ok(await app.patch(`/api/todos/batch?filter=id=in=(${a},${a + 1},${a + 2})`, { title: "all" }));
  ok(await app.delete(`/api/todos/batch?filter=id>=${a}`));
  const got = await s.take(9);
  assert.deepEqual(got.slice(0, 4), [{ added: todo(a, null, { n: 1 }) }, { added: todo(a + 1, null, { n: 2 }) },
    { changed: todo(a, "up", { n: 3 }) }, { added: todo(a + 3, null, { n: 4 }) }]);
  assert.deepEqual(got.slice(4, 6), [{ changed: todo(a, "all", { n: 3 }) }, { changed: todo(a + 1, "all", { n: 2 }) }]);
  assert.deepEqual(got.slice(6).map((e) => e.removed).sort(), [a, a + 1, a + 3].map(String));
  s.close();
});

test("nested rows are told, to those who follow their tables, and included", async () => {
  const a = fresh();
  const lists = await subscribe(app, `/api/lists/subscribe?filter=id>=${a}&include=items`);
  const items = await subscribe(app, `/api/items/subscribe?filter=listId==${a}`);
  ok(await app.post("/api/lists", { id: a, name: "l", items: [{ text: "x" }, { text: "y" }] }), 201);
  const [first] = await lists.take(1);
  assert.equal(first.added.name, "l");
  assert.deepEqual(first.added.items.map((i) => i.text).sort(), ["x", "y"]);
  assert.deepEqual((await items.take(2)).map((e) => e.added.text), ["x", "y"]);
  ok(await app.delete(`/api/lists/${a}`), 204);
  assert.deepEqual(await lists.take(1), [{ removed: String(a) }]);
  assert.equal((await items.take(2)).every((e) => e.removed), true); // ON DELETE CASCADE
  lists.close();
  items.close();
});

test("what failed is not told: a nested row, a row of a batch", async () => {
  const a = fresh();
  const lists = await subscribe(app, `/api/lists/subscribe?filter=id>=${a}`);
  const items = await subscribe(app, `/api/items/subscribe?filter=id>=${a}`);
  const late = await subscribe(app, `/api/late/subscribe?filter=id>=${a}`);
  assert.ok((await app.post("/api/lists", { id: a, name: "l", items: [{ id: a, text: "x" }, { id: a + 1, text: "bad" }] })).status >= 400);
  assert.ok((await app.post("/api/items/batch", { items: [{ id: a, listId: 1, text: "x" }, { id: a, listId: 1, text: "y" }] })).status >= 400);
  assert.ok((await app.post("/api/late", { id: a, listId: 999999 })).status >= 400); // fails with the commit
  ok(await app.post("/api/lists", { id: a, name: "good", items: [{ id: a, text: "good" }] }), 201);
  ok(await app.post("/api/late", { id: a + 1, listId: a }), 201);
  assert.deepEqual(await lists.take(1), [{ added: { id: a, name: "good" } }]);
  assert.deepEqual(await items.take(1), [{ added: { id: a, listId: a, text: "good" } }]);
  assert.deepEqual(await late.take(1), [{ added: { id: a + 1, listId: a } }]);
  for (const s of [lists, items, late]) s.close();
});

test("requests whose common commit fails run one by one, and each is told once", async () => {
  const a = fresh();
  const s = await subscribe(app, `/api/late/subscribe?filter=id>=${a}`);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) =>
    app.post("/api/late", { id: a + i, listId: i % 8 === 3 ? 999999 : null })));
  const good = answers.flatMap((answer, i) => answer.status === 201 ? [a + i] : []);
  assert.equal(good.length, 35);
  ok(await app.post("/api/late", { id: a + 50 }), 201);
  const got = (await s.take(36)).map((e) => e.added.id);
  assert.equal(got.pop(), a + 50);
  assert.deepEqual(got.sort((x, y) => x - y), good);
  s.close();
});

test("soft deletion removes, and a marked row changes nothing", async () => {
  const a = fresh();
  const s = await subscribe(app, `/api/marked/subscribe?filter=id>=${a}`);
  ok(await app.post("/api/marked", { id: a, name: "a" }), 201);
  ok(await app.delete(`/api/marked/${a}`), 204);
  ok(await app.post("/api/marked", { id: a + 1, name: "b" }), 201);
  assert.deepEqual((await s.take(3)).map((e) => Object.keys(e)[0]), ["added", "removed", "added"]);
  s.close();
});

test("9: optimistic ids", async () => {
  const a = fresh();
  const s = await subscribe(app, `/api/todos/subscribe?filter=id>=${a}`);
  const answer = ok(await app.post("/api/todos", { id: a, title: "o" }, { "X-Covara-Optimistic-Id": "optimistic_1_abc" }), 201);
  assert.equal(answer.json._optimisticId, "optimistic_1_abc");
  assert.deepEqual(await s.take(1), [{ added: todo(a, "o"), meta: { optimisticId: "optimistic_1_abc" } }]);
  s.close();
});

test("existing, skipExisting, knownIds", async () => {
  const a = fresh();
  ok(await app.post("/api/todos/batch", { items: [{ id: a, title: "a" }, { id: a + 1, title: "b" }] }));
  const all = await subscribe(app, `/api/todos/subscribe?filter=id=in=(${a},${a + 1})`);
  assert.deepEqual(await all.take(2), [{ existing: todo(a, "a") }, { existing: todo(a + 1, "b") }]);
  const skip = await subscribe(app, `/api/todos/subscribe?filter=id=in=(${a},${a + 1})&skipExisting=true`);
  const known = await subscribe(app, `/api/todos/subscribe?filter=id=in=(${a},${a + 1})&skipExisting=true&knownIds=${a}`);
  const odd = await subscribe(app, `/api/todos/subscribe?filter=id==${a}&skipExisting=1`);
  assert.deepEqual(await odd.take(1), [{ existing: todo(a, "a") }]);
  ok(await app.patch(`/api/todos/${a + 1}`, { title: "b2" }));
  ok(await app.delete(`/api/todos/${a + 1}`), 204);
  ok(await app.delete(`/api/todos/${a}`), 204);
  assert.deepEqual(await skip.take(3), [{ changed: todo(a + 1, "b2") }, { removed: String(a + 1) }, { removed: String(a) }]);
  assert.deepEqual(await known.take(3), [{ added: todo(a + 1, "b2") }, { removed: String(a + 1) }, { removed: String(a) }]);
  for (const s of [all, skip, known, odd]) s.close();
});

test("16, 17, 22: resume by parameter and by header; from the future it is a gap", async () => {
  const a = fresh();
  const filter = `filter=id>=${a}`;
  const s = await subscribe(app, `/api/todos/subscribe?${filter}`);
  for (let i = 0; i < 3; i++) ok(await app.post("/api/todos", { id: a + i, title: `t${i}` }), 201);
  const seqs = [await s.next(), await s.next(), await s.next()].map((e) => e.data.seq);
  s.close();
  const one = await subscribe(app, `/api/todos/subscribe?${filter}&resumeFrom=${seqs[0]}`);
  assert.deepEqual(await one.take(2), [{ added: todo(a + 1, "t1") }, { added: todo(a + 2, "t2") }]);
  const two = await subscribe(app, `/api/todos/subscribe?${filter}&resumeFrom=${seqs[0]}`, { "Last-Event-ID": String(seqs[1]) });
  assert.deepEqual(await two.take(1), [{ added: todo(a + 2, "t2") }]);
  const three = await subscribe(app, `/api/todos/subscribe?${filter}&resumeFrom=${seqs[2] + 400}`);
  assert.deepEqual(await three.take(1), [{ invalidate: "Sequence gap - please refetch" }]);
  ok(await app.delete(`/api/todos/${a}`), 204);
  for (const t of [one, two, three]) assert.deepEqual(await t.take(1), [{ removed: String(a) }]);
  for (const t of [one, two, three]) t.close();
});

test("refusals", async () => {
  const cases = [["/api/todos/subscribe?filter=bad%20filter", 400], ["/api/items/subscribe?filter=list.id==1", 400],
    ["/api/todos/subscribe?filter=nope==1", 400], ["/api/todos/subscribe?resumeFrom=abc", 400], ["/api/lists/subscribe?include=items(filter:nope==1)", 400],
    ["/api/silent/subscribe", 404], ["/api/silent/aggregate/subscribe?count=true", 404], ["/api/todos/aggregate/subscribe?sum=nope", 400],
    ["/api/todos/aggregate/subscribe", 400]];
  for (const [target, status] of cases) assert.equal((await openStream(app, target)).status, status, target);
  isProblem(await app.post("/api/todos/subscribe", {}), 404, "not-found", "Route POST /api/todos/subscribe not found");
});

test("33 to 36: aggregates", async () => {
  const a = fresh();
  const count = await subscribe(app, `/api/lists/aggregate/subscribe?count=true&filter=id>=${a}`);
  assert.deepEqual(await count.take(1), [{ aggregate: { groups: [{ key: null, count: 0 }] } }]);
  ok(await app.post("/api/lists/batch", { items: [1, 2, 3, 4, 5].map((i) => ({ id: a + i, name: "x" })) }));
  let last;
  do last = (await count.take(1))[0].aggregate.groups[0].count; while (last < 5);
  ok(await app.patch(`/api/lists/${a + 1}`, { name: "renamed" })); // the number stays, so nothing is sent
  ok(await app.delete(`/api/lists/${a + 1}`), 204);
  assert.deepEqual(await count.take(1), [{ aggregate: { groups: [{ key: null, count: 4 }] } }]);
  count.close();
});

/* ---- one stream for many ---- */

async function mux() {
  const s = await openStream(app, "/__covara/stream");
  const ready = await s.next();
  assert.equal(ready.event, "ready");
  const control = (what, body) => app.post(`/__covara/stream/${ready.data.cid}/${what}`, body);
  return { s, control, cid: ready.data.cid };
}

test("39, 40, 44: channels of one stream get what is theirs, until they are closed", async () => {
  const a = fresh();
  const { s, control } = await mux();
  const on = (channelId, filter, more = {}) => control("subscribe", { channelId, resource: "/api/todos", filter, skipExisting: false, ...more });
  assert.deepEqual(ok(await on("ch1", `n==1;id>=${a}`)).json, { ok: true, channelId: "ch1" });
  ok(await on("ch2", `n==2;id>=${a}`));
  ok(await control("subscribe", { channelId: "ch3", resource: "/api/todos", kind: "aggregate", filter: `id>=${a}`, aggregate: { count: "true" } }));
  const began = [];
  while (began.length < 4) began.push(short(await s.next()));
  assert.deepEqual(began.filter((e) => typeof e === "string" && e.endsWith("connected")).sort(), ["ch1 connected", "ch2 connected", "ch3 connected"]);
  ok(await app.post("/api/todos", { id: a, n: 1 }), 201);
  ok(await app.post("/api/todos", { id: a + 1, n: 2 }), 201);
  const rows = [];
  while (rows.length < 2) {
    const { data } = await s.next();
    if (data.n === "message") rows.push([data.c, data.d.type, data.d.object.id]);
  }
  assert.deepEqual(rows, [["ch1", "added", a], ["ch2", "added", a + 1]]);
  ok(await control("unsubscribe", { channelId: "ch1" }));
  ok(await control("unsubscribe", { channelId: "ch1" }));
  ok(await app.patch(`/api/todos/${a}`, { title: "unseen" }));
  ok(await app.patch(`/api/todos/${a + 1}`, { title: "seen" }));
  for (;;) {
    const { data } = await s.next();
    assert.notEqual(data.c, "ch1");
    if (data.c === "ch2") { assert.equal(data.d.object.title, "seen"); break; }
  }
  s.close();
});

test("41, 43: control requests that are wrong", async () => {
  const { s, control } = await mux();
  const gone = "/__covara/stream/00000000-0000-4000-8000-000000000000";
  const missing = await app.post(`${gone}/subscribe`, { channelId: "a", resource: "/api/todos" });
  assert.equal(missing.status, 409);
  assert.equal(missing.json.code, "stream_not_found");
  assert.deepEqual(ok(await app.post(`${gone}/unsubscribe`, { channelId: "a" })).json, { ok: true });
  assert.equal((await control("subscribe", { resource: "/api/todos" })).status, 400);
  assert.equal((await control("subscribe", "{")).status, 400);
  assert.equal((await control("subscribe", { channelId: "a", resource: "/api/nothing" })).status, 404);
  assert.equal((await control("subscribe", { channelId: "a", resource: "/api/todos", filter: "((" })).status, 400);
  ok(await control("subscribe", { channelId: "a", resource: "/api/todos/", skipExisting: true }));
  assert.equal((await control("subscribe", { channelId: "a", resource: "/api/todos" })).status, 409);
  for (let i = 1; i < 200; i++) ok(await control("subscribe", { channelId: `c${i}`, resource: "todos", skipExisting: true }));
  const full = await control("subscribe", { channelId: "c200", resource: "todos", skipExisting: true });
  assert.equal(full.status, 429);
  assert.equal(full.json.detail, "Maximum 200 channels per connection");
  s.close();
});
