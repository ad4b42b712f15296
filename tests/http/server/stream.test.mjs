// SPDX-License-Identifier: MIT
// Responses that go on: framing, order, slow and vanishing clients, many streams, shutdown.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, ask, get, post, start, stats, statsUntil } from './server.mjs';

let server;
before(async () => { server = await start({ threads: 2 }); });
after(() => server.stop());

let channels = 0;
const newChannel = () => ++channels;
async function publish(channel, query = '', to = server) {
  const answer = await ask(to, get(`/slow/publish?channel=${channel}&${query}`));
  assert.equal(answer.status, 200, answer.body);
}

/** Head and chunks of a stream, strictly. */
class Stream {
  static async open(to, query, { version = '1.1', method = 'GET', before = '' } = {}) {
    const stream = new Stream();
    stream.client = await Client.open(to);
    stream.client.send(`${before}${method} /stream?${query} HTTP/${version}\r\nHost: test\r\n\r\n`);
    stream.text = '';
    stream.chunks = 0;
    stream.done = false;
    return stream;
  }
  async head() {
    const { client } = this;
    const end = await client.until(() => { const at = client.bytes.indexOf('\r\n\r\n'); return at < 0 ? 0 : at + 4; }, 'a head');
    const [line, ...fields] = client.bytes.subarray(0, end - 4).toString('latin1').split('\r\n');
    client.bytes = client.bytes.subarray(end);
    this.headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]));
    assert.equal(line, 'HTTP/1.1 200 OK');
    return this;
  }
  /** Take all complete chunks that arrived. */
  take() {
    const { client } = this;
    for (;;) {
      const line = client.bytes.indexOf('\r\n');
      if (this.done) assert.equal(client.bytes.length, 0, 'bytes after the last chunk');
      if (line < 0 || this.done) return this.text;
      const size = client.bytes.subarray(0, line).toString('latin1');
      assert.match(size, /^(0|[1-9a-f][0-9a-f]*)$/);
      const length = parseInt(size, 16);
      if (client.bytes.length < line + 2 + length + 2) return this.text;
      assert.equal(client.bytes.subarray(line + 2 + length, line + 4 + length).toString('latin1'), '\r\n');
      this.text += client.bytes.subarray(line + 2, line + 2 + length).toString('latin1');
      client.bytes = client.bytes.subarray(line + 4 + length);
      this.chunks++;
      if (length === 0) this.done = true;
    }
  }
  until(test, what) { return this.client.until(() => test(this.take()), what); }
  untilText(text) { return this.until((now) => now.includes(text), JSON.stringify(text)); }
  async untilDone() {
    await this.until(() => this.done, 'the last chunk');
    assert.equal((await this.client.end()).length, 0);
    return this.text;
  }
  destroy() { this.client.destroy(); }
}
const open = async (query, options) => (await Stream.open(server, query, options)).head();
const frame = (bytes = 8) => `data: ${'x'.repeat(bytes - 8)}\n\n`;
/** Without what the source says each time that it is told of an empty queue, which is up to the kernel. */
const frames = (text) => text.replaceAll(': drained\n\n', '');
const gone = (before, n = 1) => statsUntil(server, (now) => now.closed >= before.closed + n);

test('head, first frames and the end that the source makes', async () => {
  const before = await stats(server);
  const stream = await open('hello=3&end=1');
  assert.equal(stream.headers['content-type'], 'text/event-stream');
  assert.equal(stream.headers['transfer-encoding'], 'chunked');
  assert.equal(stream.headers.connection, 'close');
  assert.equal('content-length' in stream.headers, false);
  assert.equal(await stream.untilDone(), 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
  const now = await gone(before);
  assert.deepEqual([now.opened, now.closed, now.drained], [before.opened + 1, before.closed + 1, before.drained]);
  assert.equal(now.unwritten, before.unwritten + 1, 'a write after the end must fail');
  stream.destroy();
});

test('what another thread publishes arrives, in order', async () => {
  const channel = newChannel();
  const stream = await open(`channel=${channel}`);
  const sizes = Array.from({ length: 40 }, (_, i) => 8 + i * 37);
  for (const bytes of sizes) await publish(channel, `bytes=${bytes}`);
  const expected = sizes.map((bytes) => frame(bytes)).join('');
  await stream.until((text) => text.length >= expected.length, 'all frames');
  assert.equal(stream.text, expected);
  await publish(channel, 'n=0&end=1');
  assert.equal(await stream.untilDone(), expected);
  stream.destroy();
});

test('what is written in one turn is one chunk, or as few as a system call takes', async () => {
  const channel = newChannel();
  const stream = await open(`channel=${channel}`);
  await publish(channel, 'n=100');
  await stream.until((text) => text.length >= 800, '100 frames');
  assert.equal(stream.chunks, 1);
  await publish(channel, 'n=1000');
  await stream.until((text) => text.length >= 8800, '1000 frames');
  assert.equal(stream.text, frame().repeat(1100));
  assert.equal(stream.chunks, 1 + 4);
  stream.destroy();
});

test('the beginning of the body goes out with the head', async () => {
  const stream = await open('body=20000&hello=1');
  await stream.untilText('data: 0\n\n');
  assert.equal(stream.text, `${':'.repeat(20000)}data: 0\n\n`);
  assert.equal(stream.chunks, 2);
  stream.destroy();
});

test('a client has its loop called by its timer', async () => {
  const other = await start({ threads: 1 });
  const stream = await (await Stream.open(other, 'every=5')).head();
  await stream.until((text) => text.length >= 3 * ': tick\n\n'.length, 'three comments');
  assert.match(stream.text, /^(: tick\n\n)+$/);
  stream.destroy();
  await other.stop();
});

test('a slow reader has its bytes wait, is told once they are out, and stalls nobody', async () => {
  const channel = newChannel();
  const before = await stats(server);
  const slow = await open(`channel=${channel}`);
  slow.client.socket.pause();
  const n = 150;
  const bytes = 100000;
  const quick = await open(`channel=${channel}`);
  for (let i = 0; i < n; i += 25) {
    await publish(channel, `n=25&bytes=${bytes}`);
    await quick.until((text) => text.length >= (i + 25) * bytes, 'the frames of a batch');
    assert.equal((await ask(server, get('/tiny'))).status, 200);
  }
  quick.destroy();
  await statsUntil(server, (now) => now.closed > before.closed);
  await publish(channel, 'n=0'); // has the queues looked at
  const { queued } = await statsUntil(server, (now) => now.queued > 0);
  assert.ok(queued > 1e6 && queued < n * bytes + 1000, `${queued} bytes wait`);
  slow.client.socket.resume();
  const length = n * bytes;
  await slow.until((text) => text.length >= length && frames(text).length >= length, 'all that waited');
  assert.ok(frames(slow.text) === frame(bytes).repeat(n));
  await publish(channel, 'n=0');
  await statsUntil(server, (now) => now.queued === 0 && now.drained > before.drained);
  slow.destroy();
});

test('an end waits for what is queued', async () => {
  const channel = newChannel();
  const stream = await open(`channel=${channel}`);
  stream.client.socket.pause();
  await publish(channel, 'n=120&bytes=100000');
  await publish(channel, 'n=1&end=1');
  stream.client.socket.resume();
  assert.ok(frames(await stream.untilDone()) === frame(100000).repeat(120) + frame());
  stream.destroy();
});

test('a client that vanishes, with and without bytes for it, closes its stream once', async () => {
  const channel = newChannel();
  const before = await stats(server);
  const idle = await open(`channel=${channel}`);
  const reset = await open(`channel=${channel}`);
  const stalled = await open(`channel=${channel}`);
  stalled.client.socket.pause();
  await publish(channel, 'n=120&bytes=100000');
  idle.destroy();
  reset.client.socket.resetAndDestroy();
  stalled.client.socket.resetAndDestroy();
  await gone(before, 3);
  await publish(channel, 'n=2');
  const now = await stats(server);
  assert.deepEqual([now.opened, now.closed], [before.opened + 3, before.closed + 3]);
});

test('a half-close is the end of a stream', async () => {
  const before = await stats(server);
  const stream = await open('hello=1');
  await stream.untilText('data: 0\n\n');
  stream.client.socket.end();
  await stream.client.end();
  await gone(before);
});

test('a client that goes before the head was out never opens its stream', async () => {
  const before = await stats(server);
  const client = await Client.open(server);
  client.socket.pause();
  client.send(get('/stream?body=15000000'));
  await ask(server, get('/tiny'));
  client.socket.resetAndDestroy();
  const now = await gone(before);
  assert.deepEqual([now.opened, now.closed], [before.opened, before.closed + 1]);
});

test('answers to earlier requests go first; what is sent after a stream began is thrown away', async () => {
  const before = await stats(server);
  const client = await Client.open(server);
  client.socket.pause();
  client.send(get('/big?n=9000000') + get('/stream?hello=2&end=1') + get('/tiny'));
  await ask(server, get('/tiny'));
  client.socket.resume();
  assert.equal((await client.response()).body.length, 9000000);
  const rest = (await client.end()).toString('latin1');
  assert.ok(rest.endsWith('\r\n\r\n12\r\ndata: 0\n\ndata: 1\n\n\r\n0\r\n\r\n'), rest);
  await gone(before);
});

test('a client that keeps talking to its stream is cut off', async () => {
  const before = await stats(server);
  const stream = await open('hello=1');
  await stream.untilText('data: 0\n\n');
  stream.client.send('x'.repeat(1000));
  assert.equal((await stats(server)).closed, before.closed);
  stream.client.send('x'.repeat(200000));
  await stream.client.end();
  await gone(before);
});

test('HEAD gets the head, closes the source and keeps the connection', async () => {
  const before = await stats(server);
  const client = await Client.open(server);
  client.send('HEAD /stream?hello=1 HTTP/1.1\r\nHost: test\r\n\r\n' + get('/tiny'));
  const head = await client.response({ head: true });
  assert.equal(head.status, 200);
  assert.equal(head.headers['transfer-encoding'], 'chunked');
  assert.equal('content-length' in head.headers, false);
  assert.equal((await client.response()).body, '{"ok":true}');
  const now = await stats(server);
  assert.deepEqual([now.opened, now.closed], [before.opened, before.closed + 1]);
  client.destroy();
  // At once, and not when the memory of the request serves the next one.
  const other = await start({ threads: 1 });
  assert.equal((await ask(other, 'HEAD /stream HTTP/1.1\r\nHost: test\r\n\r\n', { head: true })).status, 200);
  await other.stop();
  await other.logged(({ stdout }) => /"clientClosed":\{"streams":false,"opened":0,"closed":1\}/.test(stdout));
});

test('HTTP/1.0: no chunks, and the end of the connection is the end', async () => {
  const stream = await open('body=3&hello=2&end=1', { version: '1.0' });
  assert.equal('transfer-encoding' in stream.headers, false);
  assert.equal('content-length' in stream.headers, false);
  assert.equal((await stream.client.end()).toString(), ':::data: 0\n\ndata: 1\n\n');
});

test('another status is an answer like any other', async () => {
  const before = await stats(server);
  const answer = await ask(server, get('/stream?status=404&body=5'));
  assert.deepEqual([answer.status, answer.body], [404, ':::::']);
  const now = await stats(server);
  assert.deepEqual([now.opened, now.closed], [before.opened, before.closed + 1]);
});

test('on the writer and in the pool a stream is refused and closed', async () => {
  const before = await stats(server);
  assert.equal((await ask(server, post('/write/stream', 'x'))).status, 500);
  assert.equal((await ask(server, get('/slow/stream'))).status, 500);
  const now = await stats(server);
  assert.deepEqual([now.opened, now.closed], [before.opened, before.closed + 2]);
});

test('2,000 streams hear of one wake', async () => {
  const channel = newChannel();
  const before = await stats(server);
  const streams = await Promise.all(Array.from({ length: 2000 }, () => Stream.open(server, `channel=${channel}`)));
  await Promise.all(streams.map((stream) => stream.head()));
  await publish(channel, 'n=2');
  await Promise.all(streams.map((stream) => stream.until((text) => text.length >= 16, 'both frames')));
  assert.ok(streams.every((stream) => stream.text === frame().repeat(2) && stream.chunks === 1));
  const now = await stats(server);
  assert.ok(now.runs - before.runs <= 4, `${now.runs - before.runs} runs of two loops' clients`);
  streams.forEach((stream) => stream.destroy());
  await gone(before, 2000);
});

test('idle_timeout is not for streams; max_connections is', async () => {
  const other = await start({ threads: 1, connections: 2, 'idle-ms': 200, 'header-ms': 200, 'body-ms': 200, 'write-ms': 200 });
  const stream = await (await Stream.open(other, 'channel=1')).head();
  const idle = await Client.open(other);
  assert.equal((await ask(other, get('/tiny'))).status, 503);
  await idle.end(); // idle for longer than is allowed, and so was the stream
  await (await Client.open(other)).end();
  // The server has room again once it has noticed that the client of the 503 is gone.
  while ((await ask(other, get('/slow/publish?channel=1'))).status !== 200);
  await stream.untilText(frame());
  stream.destroy();
  await other.stop();
});

test('a client that has stopped reading for too long is dropped by the kernel', async () => {
  const other = await start({ threads: 1, 'stream-keepalive-ms': 1000, 'stream-ms': 1500 });
  const stream = await (await Stream.open(other, 'channel=1')).head();
  stream.client.socket.pause();
  await publish(1, 'n=120&bytes=100000', other);
  await statsUntil(other, (now) => now.closed === 1);
  stream.destroy();
  await other.stop();
});

test('shutdown ends every stream properly and at once', async () => {
  const other = await start({ threads: 2, 'drain-ms': 60000 });
  const streams = await Promise.all(Array.from({ length: 20 }, () => Stream.open(other, 'hello=1')));
  for (const stream of streams) await (await stream.head()).untilText('data: 0\n\n');
  const stopped = other.stop();
  for (const stream of streams) assert.equal(await stream.untilDone(), 'data: 0\n\n');
  await stopped;
  const lines = await other.logged(({ stdout }) => {
    const found = stdout.split('\n').filter((line) => line.includes('clientClosed'));
    return found.length === 2 && found;
  });
  for (const line of lines)
    assert.deepEqual(JSON.parse(line).clientClosed, { streams: false, opened: 20, closed: 20 });
});

test('shutdown cuts a stream that is not read once the drain timeout is over', async () => {
  const other = await start({ threads: 1, 'drain-ms': 300 });
  const stream = await (await Stream.open(other, 'channel=1')).head();
  stream.client.socket.pause();
  await publish(1, 'n=120&bytes=100000', other);
  await other.stop();
  await other.logged(({ stdout }) => /"clientClosed":\{"streams":false,"opened":1,"closed":1\}/.test(stdout));
  stream.destroy();
});

test('the descriptor limit is raised, and connections are fewer when that is not enough', async () => {
  const raised = await start({ threads: 1, connections: 300 }, 'ulimit -Sn 100');
  const streams = await Promise.all(Array.from({ length: 200 }, () => Stream.open(raised, 'hello=1')));
  for (const stream of streams) await (await stream.head()).untilText('data: 0\n\n');
  streams.forEach((stream) => stream.destroy());
  await raised.stop();
  const low = await start({ threads: 1, pool: 1, connections: 300 }, 'ulimit -n 400');
  const warning = await low.logged(({ stdout, stderr }) => (stdout + stderr).split('\n').find((line) => line.includes('Fewer connections')));
  const { maxConnections, configured, descriptors } = JSON.parse(warning);
  assert.deepEqual([configured, descriptors], [300, 400]);
  assert.ok(maxConnections >= 1 && maxConnections < 144, `${maxConnections}`);
  await low.stop();
});
