// SPDX-License-Identifier: MIT
// How many subscriptions there may be, whose they are, and when their session ends: spec/04 sections 8 and 9.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Person, startAccounts } from "./accounts.mjs";
import { eventually, openStream, subscribe } from "./sse.mjs";

const own = "userId=={user.id}";
const open = { public: { read: true, subscribe: true, create: true, update: true, delete: true } };
const app = await startAccounts({
  auth: { session: { ttlMs: 3000, sliding: false } },
  resources: {
    notes: { auth: { read: own, create: own, update: own, delete: own, subscribe: own }, sse: { maxSubscriptionsPerUser: 3, maxSubscriptionsPerIP: 100 } },
    few: { table: "notes", auth: open, sse: { maxSubscriptionsPerIP: 2 } },
    total: { table: "notes", auth: open, sse: { maxSubscriptionsPerIP: 100, maxTotalSubscriptions: 4 } },
  },
  more: { app: { trustedProxies: ["127.0.0.1"] } },
});
const from = (address) => ({ "X-Forwarded-For": address });

async function login(email, password) {
  const person = new Person(app);
  assert.equal((await person.login(email, password)).status, 200);
  const cookie = [...person.jar].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; ");
  return { person, cookie };
}

function isFull(answer, what) {
  assert.equal(answer.status, 429);
  assert.equal(answer.type, "application/json");
  assert.equal(answer.headers["retry-after"], undefined);
  assert.equal(answer.text, JSON.stringify({ type: "/__covara/problems/rate-limit-exceeded", title: "Too many subscriptions", status: 429, detail: `Maximum ${what}` }));
}

/* `open` until it is full, then one ends, and one more is let in. */
async function fills(most, what, open, all = []) {
  for (let i = 0; i < most; i++) all.push(await subscribe(app, ...open(i)));
  isFull(await openStream(app, ...open(most)), what);
  all.shift().close();
  await eventually(async () => {
    const again = await openStream(app, ...open(most));
    if (again.status === 200) all.push(again);
    return again.status === 200;
  });
  for (const stream of all) stream.close();
}

test("13: without a user a private stream is 401", async () => {
  const answer = await openStream(app, "/api/notes/subscribe");
  assert.equal(answer.status, 401);
  assert.equal(answer.json.detail, "Authentication required for subscribe on notes");
});

test("15: a user has three, rows and aggregates together; another user has three more", async () => {
  const ada = await login("ada@example.com", "secret-u1");
  const grace = await login("grace@example.com", "secret-u2");
  const other = await subscribe(app, "/api/notes/subscribe", { Cookie: grace.cookie });
  await fills(3, "3 subscriptions per user", (i) => [i === 1 ? "/api/notes/aggregate/subscribe?count=true" : "/api/notes/subscribe",
    { Cookie: ada.cookie }]);
  other.close();
});

test("an address has two; another address has two more", async () => {
  const other = await subscribe(app, "/api/few/subscribe", from("10.0.0.2"));
  await fills(2, "2 subscriptions per IP", () => ["/api/few/subscribe", from("10.0.0.1")]);
  other.close();
});

test("all together have four", async () => {
  await fills(4, "4 subscriptions", (i) => ["/api/total/subscribe", from(`10.0.1.${i}`)]);
});

test("the rows of others are not seen, and a row that changes hands is removed", async () => {
  const [ada, grace] = [await login("ada@example.com", "secret-u1"), await login("grace@example.com", "secret-u2")];
  const hers = await subscribe(app, "/api/notes/subscribe?skipExisting=true", { Cookie: ada.cookie });
  const theirs = await subscribe(app, "/api/notes/subscribe?skipExisting=true", { Cookie: grace.cookie });
  const { id } = (await app.post("/api/few", { userId: "u1", text: "new" })).json;
  assert.equal((await app.patch(`/api/few/${id}`, { userId: "u2" })).status, 200);
  const note = { id, userId: "u1", text: "new", pinned: false };
  assert.deepEqual(await hers.take(2), [{ added: note }, { removed: String(id) }]);
  assert.deepEqual(await theirs.take(1), [{ added: { ...note, userId: "u2" } }]);
  for (const s of [hers, theirs]) s.close();
});

test("28: when the session is over, the stream says so and ends, and gives its slot back", async () => {
  const ada = await login("ada@example.com", "secret-u1");
  const streams = [];
  for (let i = 0; i < 3; i++) streams.push(await subscribe(app, "/api/notes/subscribe?skipExisting=true", { Cookie: ada.cookie }));
  for (;;) { // a write is what makes the server look; heartbeats and checks are far apart
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal((await app.post("/api/few", { userId: "u1", text: "tick" })).status, 201);
    if (streams.every((s) => s.ended)) break;
  }
  for (const s of streams) {
    let event, last;
    while ((event = await s.next()) !== null) {
      last = event.data;
      assert.ok(last.type === "added" || last.type === "invalidate", JSON.stringify(last));
    }
    assert.equal(last.reason, "Authentication expired");
  }
  assert.equal((await openStream(app, "/api/notes/subscribe", { Cookie: ada.cookie })).status, 401);
  const again = await login("ada@example.com", "secret-u1");
  const fresh = [];
  for (let i = 0; i < 3; i++) fresh.push(await subscribe(app, "/api/notes/subscribe", { Cookie: again.cookie }));
  fresh.forEach((s) => s.close());
});

test("42: control requests of somebody else's stream", async () => {
  const [ada, grace] = [await login("ada@example.com", "secret-u1"), await login("grace@example.com", "secret-u2")];
  const s = await openStream(app, "/__covara/stream", { Cookie: ada.cookie });
  const { cid } = (await s.next()).data;
  const control = (cookie, what) => app.post(`/__covara/stream/${cid}/${what}`, { channelId: "a", resource: "/api/notes" }, { Cookie: cookie });
  for (const what of ["subscribe", "unsubscribe"]) {
    const answer = await control(grace.cookie, what);
    assert.equal(answer.status, 403, what);
    assert.equal(answer.json.detail, "Stream belongs to a different user");
  }
  assert.equal((await control(ada.cookie, "subscribe")).status, 200);
  s.close();
});
