// SPDX-License-Identifier: MIT
// Keep-alive, pipelining, bodies that must not be sent, limits of time and number, the log.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, SLOW, ask, get, post, start, stats, statsUntil } from './server.mjs';

let server;
before(async () => { server = await start(); });
after(() => server.stop());

let gates = 0;
const gate = () => ++gates;
const open = (which) => ask(server, get(`/open?gate=${which}`));

async function closes(text, status = 200) {
  const client = await Client.open(server);
  const answer = await client.send(text).response();
  assert.equal(answer.status, status);
  assert.equal(answer.headers.connection, 'close');
  await client.end();
  client.destroy();
}

test('keep-alive: HTTP/1.1 by default, HTTP/1.0 on request', async () => {
  const client = await Client.open(server);
  for (let i = 0; i < 3; i++) {
    const answer = await client.send(get('/tiny')).response();
    assert.deepEqual([answer.status, answer.reason, answer.body], [200, 'OK', '{"ok":true}']);
    assert.equal(answer.headers.connection, undefined);
  }
  for (const value of ['keep-alive', 'Keep-Alive', 'foo, keep-alive']) {
    const answer = await client.send(`GET /tiny HTTP/1.0\r\nConnection: ${value}\r\n\r\n`).response();
    assert.equal(answer.headers.connection, 'keep-alive');
  }
  client.destroy();
});
test('close: HTTP/1.1 on request', () => closes(get('/tiny', 'Connection: close\r\n')));
test('close: among other options', () => closes(get('/tiny', 'Connection: TE, Close\r\n')));
test('close: HTTP/1.0 by default', () => closes('GET /tiny HTTP/1.0\r\n\r\n'));
test('close: HTTP/1.0 after a write', () => closes('POST /write HTTP/1.0\r\nContent-Length: 1\r\n\r\nx', 201));

test('what follows a request that closes is not served, and the answer arrives', async () => {
  const client = await Client.open(server);
  client.send(get('/tiny', 'Connection: close\r\n') + get('/tiny').repeat(1000));
  assert.equal((await client.response()).status, 200);
  assert.equal((await client.end()).length, 0);
  assert.equal(client.error, undefined, 'not reset');
  client.destroy();
});

test('a half-closed client gets its answers', async () => {
  const client = await Client.open(server, { allowHalfOpen: true });
  client.socket.end(get('/tiny') + post('/write?ms=20', 'x') + get('/echo') + 'GET /incompl');
  for (const status of [200, 201, 200]) assert.equal((await client.response()).status, status);
  await client.end();
  client.destroy();
});

test('100 pipelined requests in one packet with writes in the middle', async () => {
  const client = await Client.open(server);
  const parts = Array.from({ length: 100 }, (_, i) =>
    i % 50 === 25 ? post(`/write?ms=5&i=${i}`, `row ${i}`) : i % 3 === 0 ? post(`/echo?i=${i}`, 'b'.repeat(i)) : get(`/echo?i=${i}`));
  client.send(parts.join(''));
  for (let i = 0; i < 100; i++) {
    const answer = await client.response();
    assert.equal(answer.status, i % 50 === 25 ? 201 : 200);
    assert.match(answer.json().query, new RegExp(`i=${i}$`));
    assert.equal(answer.json().body, i % 50 === 25 ? `row ${i}` : i % 3 === 0 ? 'b'.repeat(i) : '');
  }
  client.destroy();
});

test('pipelined requests arriving in pieces while a write is under way', async () => {
  const client = await Client.open(server);
  const g = gate();
  const { entered } = await stats(server);
  client.send(get('/tiny') + post(`/write?gate=${g}`, 'x'));
  await statsUntil(server, (now) => now.entered > entered);
  const rest = post('/echo', 'after') + get('/echo?last');
  for (const part of [rest.slice(0, 7), rest.slice(7, 90), rest.slice(90)]) {
    client.send(part);
    await ask(server, get('/tiny'));
  }
  assert.equal((await client.response()).status, 200, 'the answer before the write does not wait for it');
  assert.equal(client.bytes.length, 0);
  await open(g);
  assert.equal((await client.response()).status, 201);
  assert.equal((await client.response()).json().body, 'after');
  assert.equal((await client.response()).json().query, 'last');
  client.destroy();
});

test('much more input than is kept while a write is under way', async () => {
  const client = await Client.open(server);
  const g = gate();
  client.send(post(`/write?gate=${g}`, 'x'));
  const n = 5000;
  const done = new Promise((resolve) => client.socket.write(get('/echo', `X: ${'y'.repeat(100)}\r\n`).repeat(n), resolve));
  await ask(server, get('/tiny'));
  await open(g);
  assert.equal((await client.response()).status, 201);
  for (let i = 0; i < n; i++) assert.equal((await client.response()).status, 200);
  await done;
  client.destroy();
});

test('HEAD: the headers of GET, no body, also pipelined', async () => {
  const client = await Client.open(server);
  client.send(get('/tiny').replace('GET', 'HEAD') + get('/big?n=100000').replace('GET', 'HEAD') + get('/tiny'));
  const small = await client.response({ head: true });
  const large = await client.response({ head: true });
  const body = await client.response();
  assert.equal(small.headers['content-length'], '11');
  assert.equal(large.headers['content-length'], '100000');
  delete small.headers.date;
  delete body.headers.date;
  assert.deepEqual(small.headers, body.headers);
  assert.equal(body.body, '{"ok":true}');
  assert.equal((await client.send(get('/none').replace('GET', 'HEAD')).response({ head: true })).status, 404);
  assert.equal((await client.send(get('/tiny')).response()).status, 200);
  client.destroy();
});

test('204 and 304 have no body and no length', async () => {
  const client = await Client.open(server);
  const empty = await client.send(get('/status?n=204')).response();
  assert.deepEqual(Object.keys(empty.headers), ['date']);
  assert.equal(empty.reason, 'No Content');
  const same = await client.send(get('/status?n=304')).response();
  assert.deepEqual(Object.keys(same.headers), ['date', 'content-type']);
  const other = await client.send(get('/status?n=299')).response();
  assert.deepEqual([other.status, other.reason, other.headers['content-length']], [299, '', '0']);
  for (const nonsense of [0, 100, 101, 700, -5])
    assert.equal((await client.send(get(`/status?n=${nonsense}`)).response()).status, 500);
  client.destroy();
});

test('a response header cannot break out of its line', async () => {
  const answer = await ask(server, get('/inject'));
  assert.deepEqual(Object.keys(answer.headers), ['date', 'content-length', 'content-type', 'x-good']);
  assert.equal(answer.headers['content-length'], '0');
  await server.logged(({ stderr }) => /"level":"error".*header dropped/.test(stderr));
});

test('large bodies', async () => {
  const client = await Client.open(server);
  const sizes = [16383, 16384, 16385, 65535, 65536, 1000000, 20000000];
  for (const n of sizes) client.send(get(`/big?n=${n}`));
  for (const n of sizes) {
    const { body } = await client.response();
    assert.equal(body.length, n);
    assert.equal(body[n - 1], String.fromCharCode(97 + ((n - 1) % 26)));
  }
  client.destroy();
});

test('a slow reader gets all of a large body, and pipelined answers after it', async () => {
  const client = await Client.open(server);
  client.socket.pause();
  client.send(get('/big?n=8000000') + post('/write', 'x') + get('/tiny'));
  await ask(server, get('/tiny'));
  client.socket.resume();
  assert.equal((await client.response()).body.length, 8000000);
  assert.equal((await client.response()).status, 201);
  assert.equal((await client.response()).status, 200);
  client.destroy();
});

test('1000 connections at once', async () => {
  const clients = await Promise.all(Array.from({ length: 1000 }, () => Client.open(server)));
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(clients.map((client, i) => client.send(i % 10 ? get(`/echo?${i}`) : post(`/write?${i}`, 'x')).response()));
    answers.forEach((answer, i) => assert.equal(answer.json().query, String(i)));
  }
  for (const client of clients) client.destroy();
});

test('host services: digests, HMAC, regular expressions', async () => {
  const host = (await ask(server, get('/host'))).json();
  const { createHash, createHmac } = await import('node:crypto');
  const fox = 'The quick brown fox jumps over the lazy dog';
  for (const alg of ['md5', 'sha1', 'sha256']) {
    assert.equal(host[alg], createHash(alg).update('abc').digest('hex'));
    assert.equal(host[`hmac${alg[0].toUpperCase()}${alg.slice(1)}`], createHmac(alg, 'key').update(fox).digest('hex'));
  }
  assert.equal(host.hmacLongKey, createHmac('sha256', 'a'.repeat(4096)).update('x').digest('hex'));
  assert.match(host.random, /^[0-9a-f]{64}$/);
  assert.notEqual(host.random, (await ask(server, get('/host'))).json().random);
  assert.deepEqual(host.regex, [1, 0, 1, 0, 1, -1, 1, 1]);
  assert.equal(host.evil, 0, 'a match that would take too long is no match');
  assert.ok(host.evilMs < 200 * SLOW, `${host.evilMs} ms`);
});

// ---- limits of time: each test has a server of its own ----

async function withServer(options, body) {
  const own = await start(options);
  try {
    await body(own);
  } finally {
    await own.stop();
  }
}
/** How long the server took to close the connection. */
async function timeToEnd(client) {
  const from = performance.now();
  await client.end();
  return performance.now() - from;
}

const HEADER_MS = 400;
test('slowloris: a head that trickles in is answered with 408', () =>
  withServer({ 'header-ms': HEADER_MS }, async (own) => {
    for (const first of ['G', 'GET /tiny HTTP/1.1\r\n', get('/tiny') + 'GET /t']) {
      const client = await Client.open(own);
      const from = performance.now();
      client.send(first);
      // Bytes keep coming, which must not extend the limit.
      const drip = setInterval(() => client.send('x'), 50);
      if (first.startsWith(get('/tiny'))) assert.equal((await client.response()).status, 200);
      const answer = await client.response();
      clearInterval(drip);
      assert.equal(answer.status, 408);
      assert.equal(answer.json().code, 'REQUEST_TIMEOUT');
      assert.equal(answer.headers.connection, 'close');
      assert.ok(performance.now() - from >= HEADER_MS - 20, 'not too early');
      assert.ok(performance.now() - from < HEADER_MS * 2 + 1000 * SLOW, 'in time');
      await client.end();
      client.destroy();
    }
  }));

test('a body that does not arrive is answered with 408', () =>
  withServer({ 'body-ms': 300 }, async (own) => {
    for (const text of ['POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab', 'POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab']) {
      const client = await Client.open(own);
      const answer = await client.send(text).response();
      assert.equal(answer.status, 408);
      assert.equal(answer.json().path, '/echo');
      await client.end();
      client.destroy();
    }
  }));

test('an idle connection is closed silently', () =>
  withServer({ 'idle-ms': 300 }, async (own) => {
    const fresh = await Client.open(own);
    assert.equal((await fresh.end()).length, 0);
    const used = await Client.open(own);
    await used.send(get('/tiny')).response();
    const took = await timeToEnd(used);
    assert.equal(used.bytes.length, 0);
    assert.ok(took >= 280, `${took} ms`);
    fresh.destroy();
    used.destroy();
  }));

test('a write that takes longer than every limit is not cut off', () =>
  withServer({ 'idle-ms': 200, 'header-ms': 200, 'body-ms': 200, 'write-ms': 200 }, async (own) => {
    assert.equal((await ask(own, post('/write?ms=900', 'x'))).status, 201);
  }));

test('a client that does not read is cut off', () =>
  withServer({ 'write-ms': 300 }, async (own) => {
    const client = await Client.open(own);
    client.socket.pause();
    client.send(get('/big?n=50000000'));
    // The server's side is gone when the connection no longer counts; the client only sees it when it reads on.
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    await statsUntilTime(own, 1500);
    client.socket.resume();
    await closed;
    assert.ok(client.bytes.length < 50000000, 'the body is not complete');
  }));
/** Busy the server with requests for a while: its clock is the only thing that must pass. */
async function statsUntilTime(own, ms) {
  const until = performance.now() + ms * SLOW;
  const client = await Client.open(own);
  while (performance.now() < until) await client.send(get('/tiny')).response();
  client.destroy();
}

test('connections above the limit get 503', () =>
  withServer({ connections: 3, threads: 2 }, async (own) => {
    const clients = [];
    for (let i = 0; i < 3; i++) {
      clients.push(await Client.open(own));
      assert.equal((await clients[i].send(get('/tiny')).response()).status, 200);
    }
    for (let i = 0; i < 5; i++) {
      const over = await Client.open(own);
      const answer = await over.response();
      assert.equal(answer.status, 503);
      assert.equal(answer.json().code, 'SERVICE_UNAVAILABLE');
      assert.equal(answer.headers.connection, 'close');
      await over.end();
      over.destroy();
    }
    assert.equal((await clients[0].send(get('/tiny')).response()).status, 200, 'the others are not disturbed');
    clients[0].destroy();
    for (;;) { // free again once the server noticed
      const next = await Client.open(own);
      const answer = await next.send(get('/tiny')).response();
      next.destroy();
      if (answer.status === 200) break;
    }
    for (const client of clients) client.destroy();
  }));

test('access log: one line a request', () =>
  withServer({ 'access-log': 1, 'header-ms': 200 }, async (own) => {
    await ask(own, get('/tiny?secret=1'));
    await ask(own, post('/write', 'x'));
    await ask(own, get('/"quoted"'));
    await ask(own, 'nonsense\r\n\r\n');
    await ask(own, get('/tiny'));
    const all = await own.logged(({ stdout }) => stdout.split('\n').length > 6 && stdout);
    const lines = all.trim().split('\n').map((line) => JSON.parse(line)).slice(1);
    const want = [['GET', '/tiny', 200], ['POST', '/write', 201], ['GET', '/"quoted"', 404], [undefined, undefined, 400], ['GET', '/tiny', 200]];
    assert.deepEqual(lines.map(({ method, path, status }) => [method, path, status]), want);
    for (const line of lines) {
      assert.equal(line.msg, 'Request completed');
      assert.equal(line.level, 'info');
      assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(line.durationMs >= 0 && line.durationMs < 1000 * SLOW);
    }
  }));

test('addresses: IPv6, a name, and a port that is taken', async () => {
  await withServer({ host: '::1' }, async (own) => {
    assert.equal((await ask(own, get('/echo'))).json().peer, '::1');
  });
  await withServer({ host: '::' }, async (own) => {
    assert.equal((await ask({ port: own.port, host: '127.0.0.1' }, get('/echo'))).json().peer, '127.0.0.1');
  });
  await withServer({ host: 'localhost', threads: 1 }, async (own) => {
    assert.equal((await ask(own, get('/tiny'))).status, 200);
    await assert.rejects(start({ port: own.port }), /cannot listen on 127\.0\.0\.1 port \d+: Address already in use/);
  });
  await assert.rejects(start({ host: 'no such host' }), /cannot listen on/);
});
