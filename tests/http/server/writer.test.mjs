// SPDX-License-Identifier: MIT
// The writer: group commit, what one failing job does to the others, clients that vanish; and shutdown.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Client, SLOW, ask, get, post, start, stats, statsUntil } from './server.mjs';

let server;
before(async () => { server = await start(); });
after(() => server.stop());

let gates = 0;
const gate = () => ++gates;
const openGate = (which) => ask(server, get(`/open?gate=${which}`));

/**
 * Occupies the writer until the returned function is called, so that jobs queue up behind it. It takes longer than
 * one transaction may collect jobs, so what queued up begins the next one.
 */
async function holdWriter() {
  const g = gate();
  const { entered } = await stats(server);
  const client = await Client.open(server);
  client.send(post(`/write?gate=${g}&ms=10`, 'x'));
  await statsUntil(server, (now) => now.entered > entered);
  return async () => {
    await openGate(g);
    assert.equal((await client.response()).status, 201);
    client.destroy();
  };
}
/** Sends each text on a connection of its own and makes sure the server read them all. */
async function queue(texts) {
  const { arrived } = await stats(server);
  const clients = await Promise.all(texts.map(() => Client.open(server)));
  await Promise.all(clients.map((client, i) => new Promise((resolve) => client.socket.write(texts[i], resolve))));
  await statsUntil(server, (now) => now.arrived >= arrived + texts.length);
  return {
    answers: () => Promise.all(clients.map((client) => client.response().finally(() => client.destroy()))),
    clients,
  };
}

test('a write is answered after its commit', async () => {
  const before = await stats(server);
  assert.equal((await ask(server, post('/write', 'x'))).status, 201);
  const now = await stats(server);
  assert.equal(now.rows, before.rows + 1);
  assert.equal(now.commits, before.commits + 1);
});

test('what waits is committed together', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const queued = await queue(Array.from({ length: 100 }, (_, i) => post(`/write?i=${i}`, String(i))));
  await release();
  const answers = await queued.answers();
  answers.forEach((answer, i) => {
    assert.equal(answer.status, 201);
    assert.equal(answer.json().body, String(i));
  });
  const now = await stats(server);
  assert.equal(now.rows, before.rows + 101);
  /* One transaction collects for 5 ms; how many jobs that makes depends on the machine and on sanitizers. */
  assert.ok(now.maxGroup >= 5, `largest group ${now.maxGroup}`);
  assert.ok(now.commits - before.commits <= 34, `${now.commits - before.commits} commits`);
});

test('a job that fails rolls back only itself', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const queued = await queue([post('/write', '1'), post('/write?fail=1', '2'), post('/write', '3')]);
  await release();
  assert.deepEqual((await queued.answers()).map((answer) => answer.status), [201, 400, 201]);
  const now = await stats(server);
  assert.deepEqual([now.rows, now.published], [before.rows + 3, before.published + 3]);
});

test('a deferred constraint takes only its own job down', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const queued = await queue([post('/write', '1'), post('/write/poison', '2'), post('/write', '3'), post('/write', '4')]);
  await release();
  const answers = await queued.answers();
  assert.deepEqual(answers.map((answer) => answer.status), [201, 409, 201, 201]);
  assert.deepEqual(answers.map((answer) => answer.json().body), ['1', undefined, '3', '4'], 'answers of the second run');
  assert.equal(answers[1].json().code, 'CONFLICT');
  const now = await stats(server);
  assert.equal(now.rows, before.rows + 4);
  assert.equal(now.published, before.published + 4, 'listeners hear of each committed row once, although jobs ran twice');
});

test('a deferred constraint of a job alone', async () => {
  const before = await stats(server);
  const client = await Client.open(server);
  assert.equal((await client.send(post('/write/poison', 'x')).response()).status, 409);
  assert.equal((await client.send(post('/write', 'x')).response()).status, 201);
  client.destroy();
  const now = await stats(server);
  assert.deepEqual([now.rows, now.rollbacks], [before.rows + 1, before.rollbacks + 1]);
});

test('a locked database: 503, and it goes on afterwards', async () => {
  await ask(server, get('/busy?n=1'));
  const answer = await ask(server, post('/write', 'x'));
  assert.equal(answer.status, 503);
  assert.equal(answer.json().code, 'SERVICE_UNAVAILABLE');
  assert.equal(answer.headers.connection, undefined, 'the connection stays');
  assert.equal((await ask(server, post('/write', 'x'))).status, 201);
});

test('a locked database: what waits is tried again one by one', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const queued = await queue([post('/write', '1'), post('/write', '2'), post('/write', '3')]);
  await ask(server, get('/busy?n=1'));
  await release();
  assert.deepEqual((await queued.answers()).map((answer) => answer.status), [201, 201, 201]);
  assert.equal((await stats(server)).rows, before.rows + 4);
});

test('a database that stays locked: the others do not wait for it again', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const queued = await queue([post('/write', '1'), post('/write', '2'), post('/write', '3')]);
  await ask(server, get('/busy?n=2'));
  await release();
  assert.deepEqual((await queued.answers()).map((answer) => answer.status), [503, 503, 503]);
  assert.equal((await stats(server)).rows, before.rows + 1);
});

test('more writes than the queue takes: 503 for the rest, none lost', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const n = 2100;
  const queued = await queue(Array.from({ length: n }, () => post('/write', 'x')));
  await release();
  const statuses = (await queued.answers()).map((answer) => answer.status);
  const written = statuses.filter((status) => status === 201).length;
  const refused = statuses.filter((status) => status === 503).length;
  assert.equal(written + refused, n);
  assert.ok(refused >= 1 && written >= 2000, `${written} written, ${refused} refused`);
  assert.equal((await stats(server)).rows, before.rows + written + 1);
});

test('clients that vanish while their write waits or runs', async () => {
  const before = await stats(server);
  const release = await holdWriter();
  const queued = await queue(Array.from({ length: 50 }, (_, i) => get('/tiny') + post(`/write?${i}`, 'x'.repeat(1000)) + get('/echo')));
  for (const client of queued.clients) client.socket.resetAndDestroy();
  for (let i = 0; i < 4; i++) await ask(server, get('/tiny'));
  await release();
  await statsUntil(server, (now) => now.rows === before.rows + 51);
  assert.equal((await ask(server, post('/write', 'x'))).status, 201);
});

test('a client that vanishes during its own running write', async () => {
  const before = await stats(server);
  const g = gate();
  const client = await Client.open(server);
  client.send(post(`/write?gate=${g}`, 'x'));
  await statsUntil(server, (now) => now.entered > before.entered);
  client.socket.resetAndDestroy();
  await once(client.socket, 'close');
  for (let i = 0; i < 4; i++) await ask(server, get('/tiny'));
  await openGate(g);
  await statsUntil(server, (now) => now.rows === before.rows + 1);
});

// ---- shutdown ----

test('shutdown: an idle server ends at once with code 0', async () => {
  const own = await start();
  const client = await Client.open(own);
  await client.send(get('/tiny')).response();
  const from = performance.now();
  await own.stop();
  assert.ok(performance.now() - from < 2000 * SLOW);
  assert.equal((await client.end()).length, 0);
});

test('shutdown: SIGINT does the same', async () => {
  const own = await start({ threads: 1 });
  own.child.kill('SIGINT');
  assert.deepEqual(await own.exited, { code: 0, signal: null });
});

test('shutdown: requests in flight are answered, with Connection: close', async () => {
  const own = await start();
  const writers = await Promise.all(Array.from({ length: 8 }, () => Client.open(own)));
  const { entered } = await stats(own);
  for (const client of writers) client.send(post('/write?ms=100', 'x') + get('/tiny'));
  await statsUntil(own, (now) => now.entered > entered);
  const partial = await Client.open(own);
  partial.send('POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nab');
  for (let i = 0; i < 4; i++) await ask(own, get('/tiny'));
  own.child.kill('SIGTERM');
  for (const client of writers) {
    const answer = await client.response();
    assert.equal(answer.status, 201);
    if (answer.headers.connection === 'close') assert.equal((await client.end()).length, 0);
    client.destroy();
  }
  const answer = await partial.send('cd').response();
  assert.deepEqual([answer.json().body, answer.headers.connection], ['abcd', 'close']);
  await partial.end();
  partial.destroy();
  assert.deepEqual(await own.exited, { code: 0, signal: null });
});

test('shutdown: readiness turns first, connections are accepted during the pre-stop delay', async () => {
  const own = await start({ 'pre-stop-ms': 1500 });
  const client = await Client.open(own);
  assert.equal((await client.send(get('/healthz')).response()).status, 200);
  own.child.kill('SIGTERM');
  while ((await client.send(get('/healthz')).response()).status === 200);
  assert.equal((await ask(own, get('/tiny'))).status, 200, 'a new connection is served');
  await client.end();
  assert.deepEqual(await own.exited, { code: 0, signal: null });
});

test('shutdown: what is not done by the drain timeout is cut off', async () => {
  const own = await start({ 'drain-ms': 300 });
  const stuck = await Client.open(own);
  stuck.send('POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nab');
  const unread = await Client.open(own);
  unread.socket.pause();
  unread.send(get('/big?n=50000000'));
  for (let i = 0; i < 4; i++) await ask(own, get('/tiny'));
  own.child.kill('SIGTERM');
  assert.deepEqual(await own.exited, { code: 0, signal: null });
  stuck.destroy();
  unread.destroy();
});

test('shutdown: a second signal ends the process at once', async () => {
  const own = await start({ 'pre-stop-ms': 60000 });
  const client = await Client.open(own);
  own.child.kill('SIGTERM');
  while ((await client.send(get('/healthz')).response()).status === 200);
  own.child.kill('SIGTERM');
  assert.deepEqual(await own.exited, { code: 0, signal: null });
  client.destroy();
});

test('shutdown: under load, nobody gets half an answer', async () => {
  const own = await start({ 'drain-ms': 5000 });
  let served = 0;
  const workers = Array.from({ length: 16 }, async (_, i) => {
    const client = await Client.open(own);
    for (;;) {
      if (client.ended) break;
      const answer = await client.send(i % 4 ? get('/tiny') : post('/write', 'x')).response().catch((error) => error);
      if (answer instanceof Error) {
        assert.equal(client.bytes.length, 0, 'closed between answers, never inside one');
        break;
      }
      served++;
      if (answer.headers.connection === 'close') break;
    }
    client.destroy();
  });
  while (served < 500) await new Promise(setImmediate);
  own.child.kill('SIGTERM');
  await Promise.all(workers);
  assert.deepEqual(await own.exited, { code: 0, signal: null });
});
