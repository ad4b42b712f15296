// SPDX-License-Identifier: MIT
// The pool: requests that block leave the loops free, write through the writer, and survive clients that vanish.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, ask, get, post, start, stats, statsUntil } from './server.mjs';

let server;
before(async () => { server = await start({ threads: 1, pool: 2 }); });
after(() => server.stop());

let gates = 32;
const gate = () => ++gates;
const openGate = (which) => ask(server, get(`/open?gate=${which}`));

/** So many requests that block, all admitted, until the gate is opened. */
async function block(n, which, path = '/slow') {
  const { blocked } = await stats(server);
  const clients = await Promise.all(Array.from({ length: n }, () => Client.open(server)));
  clients.forEach((client) => client.send(post(`${path}?gate=${which}`, 'x')));
  await statsUntil(server, (now) => now.blocked >= blocked + Math.min(n, 2));
  return clients;
}

test('the one loop answers others while every thread of the pool is blocked', async () => {
  const g = gate();
  const clients = await block(2, g);
  assert.equal((await ask(server, get('/tiny'))).status, 200);
  assert.equal((await ask(server, post('/write', 'x'))).status, 201);
  await openGate(g);
  for (const client of clients) assert.equal((await client.response()).status, 200);
  clients.forEach((client) => client.destroy());
});

test('what waits for a free thread is answered in the end', async () => {
  const g = gate();
  const clients = await block(20, g);
  await openGate(g);
  const answers = await Promise.all(clients.map((client) => client.response()));
  assert.ok(answers.every((answer) => answer.status === 200));
  clients.forEach((client) => client.destroy());
});

test('a request that blocks writes through the writer and waits for the commit', async () => {
  const before = await stats(server);
  assert.equal((await ask(server, post('/slow?call=1', 'x'))).status, 200);
  const now = await stats(server);
  assert.deepEqual([now.rows, now.commits], [before.rows + 1, before.commits + 1]);
});

test('a call that fails is undone, and its failure comes back', async () => {
  const before = await stats(server);
  const answer = await ask(server, post('/slow?call=1&fail=1', 'x'));
  assert.equal(answer.status, 409);
  assert.equal(answer.json().detail, 'asked to fail');
  assert.equal((await stats(server)).rows, before.rows);
});

test('a call that nobody waits for is committed all the same', async () => {
  const before = await stats(server);
  assert.equal((await ask(server, post('/slow?later=1', 'x'))).status, 200);
  await statsUntil(server, (now) => now.rows === before.rows + 1);
});

test('a call fails when the database stays locked', async () => {
  await ask(server, get('/busy?n=1'));
  assert.equal((await ask(server, post('/slow?call=1', 'x'))).status, 503);
  assert.equal((await ask(server, post('/slow?call=1', 'x'))).status, 200);
});

test('a write that is admitted on the pool is answered by the writer', async () => {
  const before = await stats(server);
  const answer = await ask(server, post('/write/slow', 'body'));
  assert.equal(answer.status, 201);
  assert.equal(answer.json().body, 'body');
  const now = await stats(server);
  assert.deepEqual([now.rows, now.published, now.blocked],
    [before.rows + 1, before.published + 1, before.blocked + 1]);
});

test('what admission refuses reaches neither writer nor handler', async () => {
  const before = await stats(server);
  for (const path of ['/write?refuse=1', '/write/slow?refuse=1', '/slow?call=1&refuse=1'])
    assert.equal((await ask(server, post(path, 'x'))).status, 403);
  const now = await stats(server);
  assert.deepEqual([now.rows, now.entered], [before.rows, before.entered]);
});

test('a client that vanishes takes nothing with it', async () => {
  const before = await stats(server);
  const g = gate();
  const clients = await block(2, g, '/write/slow');
  clients.forEach((client) => client.destroy());
  await openGate(g);
  await statsUntil(server, (now) => now.rows === before.rows + 2);
  assert.equal((await ask(server, post('/slow', 'x'))).status, 200);
});

test('shutdown waits for what the pool has', async () => {
  const other = await start({ threads: 1, pool: 1, 'drain-ms': 20000 });
  const client = await Client.open(other);
  client.send(post('/slow?gate=1', 'x'));
  await statsUntil(other, (now) => now.blocked === 1);
  // Before the listener closes, and with a request begun: an idle connection would be closed too.
  const opener = await Client.open(other);
  const request = get('/open?gate=1');
  opener.send(request.slice(0, 10));
  await stats(other);
  const stopped = other.stop();
  opener.send(request.slice(10));
  assert.equal((await client.response()).status, 200);
  await stopped;
});
