// SPDX-License-Identifier: MIT
// What counts as a request, where it ends, and what refuses it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, ask, get, post, start } from './server.mjs';

const LIMITS = { body: 1000, headers: 2000, url: 500 };
let server;
before(async () => { server = await start(LIMITS); });
after(() => server.stop());

/** Sends `text`, expects a problem with that status, and that the server ends the connection. */
async function refused(text, status, code) {
  const client = await Client.open(server);
  const answer = await client.send(text).response();
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.json().code, code);
  assert.ok(answer.json().detail.length > 10, answer.body);
  assert.equal(answer.headers.connection, 'close');
  assert.equal((await client.end()).length, 0, 'nothing after the refusal');
  client.destroy();
}
const bad = (name, text, status = 400, code = 'BAD_REQUEST') => test(`refused: ${name}`, () => refused(text, status, code));

test('echo of a plain GET', async () => {
  const answer = await ask(server, 'GET /echo/a%20b?x=1&y=%41 HTTP/1.1\r\nHost: test\r\nX-Odd:   spaced out \t\r\nEmpty:\r\n\r\n');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), {
    method: 'GET', path: '/echo/a%20b', query: 'x=1&y=%41', peer: '127.0.0.1', body: '',
    headers: [['Host', 'test'], ['X-Odd', 'spaced out'], ['Empty', '']],
  });
  assert.match(answer.headers.date, /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  assert.ok(Math.abs(Date.parse(answer.headers.date) - Date.now()) < 3000);
  assert.equal(answer.headers.server, undefined);
  assert.equal(answer.headers.connection, undefined);
  assert.equal(answer.headers['content-length'], String(Buffer.byteLength(answer.body)));
});

test('the date is right on special days', () => {
  // The formatter is our own; Date.parse would accept a wrong week day, so compare the whole text.
  return ask(server, get('/tiny')).then(({ headers }) => {
    assert.equal(new Date(headers.date).toUTCString(), headers.date);
  });
});

test('target forms', async () => {
  const path = async (line) => {
    const { method, path, query } = (await ask(server, `${line} HTTP/1.1\r\nHost: t\r\n\r\n`)).json();
    return [method, path, query];
  };
  assert.deepEqual(await path('GET http://example.com:80/echo/x?q=1'), ['GET', '/echo/x', 'q=1']);
  assert.deepEqual(await path('GET HTTPS://example.com/echo'), ['GET', '/echo', '']);
  assert.deepEqual(await path('OPTIONS *'), ['OPTIONS', '*', '']);
  assert.equal((await ask(server, 'GET http://example.com HTTP/1.1\r\nHost: t\r\n\r\n')).json().path, '/');
  assert.equal((await ask(server, 'GET http://example.com?a HTTP/1.1\r\nHost: t\r\n\r\n')).json().path, '/');
  assert.deepEqual(await path('GET /echo?name=="\xe9"<>|{}'), ['GET', '/echo', 'name=="\ufffd"<>|{}']);
  assert.deepEqual(await path('GET /echo?'), ['GET', '/echo', '']);
  assert.deepEqual(await path('GET /echo??a?b'), ['GET', '/echo', '?a?b']);
});

test('methods: all that are tokens reach the application', async () => {
  for (const method of ['DELETE', 'PUT', 'PATCH', 'TRACE', 'PROPFIND', 'PRI', 'DESCRIBE', 'SOURCE', 'get', 'X-y~1'])
    assert.equal((await ask(server, `${method} /echo HTTP/1.1\r\nHost: t\r\n\r\n`)).json().method, method);
  const connect = await ask(server, 'CONNECT example.com:443 HTTP/1.1\r\nHost: t\r\n\r\n');
  assert.equal(connect.status, 404);
  assert.equal(connect.headers.connection, 'close');
});

test('an upgrade is ignored', async () => {
  const client = await Client.open(server);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  for (let i = 0; i < 2; i++)
    assert.equal((await client.send(get('/tiny', upgrade)).response()).status, 200);
  const h2c = get('/tiny', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n');
  assert.equal((await client.send(h2c).response()).status, 200);
  assert.equal((await client.send(post('/echo', 'abc', upgrade)).response()).json().body, 'abc');
  client.destroy();
});

test('empty lines in front of a request are skipped', async () => {
  const client = await Client.open(server);
  assert.equal((await client.send('\r\n\r\n' + get('/tiny') + '\r\n').response()).status, 200);
  assert.equal((await client.send(get('/tiny')).response()).status, 200);
  client.destroy();
});

test('bodies: Content-Length', async () => {
  assert.equal((await ask(server, post('/echo', 'hello'))).json().body, 'hello');
  assert.equal((await ask(server, post('/echo', ''))).json().body, '');
  assert.equal((await ask(server, post('/echo', 'x'.repeat(1000)))).json().body.length, 1000);
  assert.equal((await ask(server, 'GET /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc')).json().body, 'abc');
  assert.equal((await ask(server, 'DELETE /echo HTTP/1.1\r\nHost: t\r\ncontent-length: 003\r\n\r\nabc')).json().body, 'abc');
});

const CHUNKED = 'POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n';

test('bodies: chunked, extensions and trailers ignored', async () => {
  const body = async (text) => (await ask(server, CHUNKED + text)).json().body;
  assert.equal(await body('5\r\nhello\r\n0\r\n\r\n'), 'hello');
  assert.equal(await body('0\r\n\r\n'), '');
  assert.equal(await body('0005;a=b;c="d"\r\nhello\r\nA \t;x\r\n, world!!!\r\n00\r\nX-T: 1\r\nY:\r\n\r\n'), 'hello, world!!!');
  assert.equal(await body(`3e8\r\n${'y'.repeat(1000)}\r\n0\r\n\r\n`), 'y'.repeat(1000));
  const answer = await ask(server, CHUNKED + '1\r\na\r\n0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n');
  assert.deepEqual(answer.json().headers.map(([name]) => name), ['Host', 'Transfer-Encoding'], 'trailers are not headers');
});

test('after each kind of body the connection is in step', async () => {
  const client = await Client.open(server);
  client.send(post('/echo', 'abc') + CHUNKED + '3\r\nabc\r\n0\r\nT: 1\r\n\r\n' + get('/tiny') + post('/echo') + get('/tiny'));
  for (const status of [200, 200, 200, 200, 200]) assert.equal((await client.response()).status, status);
  client.destroy();
});

// Every request below must be answered the same however the network cuts it.
const WHOLE = [
  ['GET', get('/echo?a=1', 'X: 1\r\n')],
  ['Content-Length', post('/echo', 'hello world')],
  ['chunked', CHUNKED + '5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n'],
  ['absolute form', 'GET http://h/echo HTTP/1.1\r\nHost: h\r\n\r\n'],
  ['write', post('/write', 'row')],
  ['refusal', 'GET /echo HTTP/1.1\r\nHost: t\r\nContent-Length: +5\r\n\r\n'],
];
for (const [name, text] of WHOLE) {
  const shape = ({ status, body }) => [status, body];
  test(`${name}: byte by byte`, async () => {
    const whole = shape(await ask(server, text));
    const client = await Client.open(server);
    for (const byte of Buffer.from(text, 'latin1')) {
      client.socket.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    assert.deepEqual(shape(await client.response()), whole);
    client.destroy();
  });
  test(`${name}: split at every offset`, async () => {
    const whole = shape(await ask(server, text));
    await Promise.all(Array.from({ length: text.length - 1 }, async (_, i) => {
      const client = await Client.open(server);
      client.send(text.slice(0, i + 1));
      // The second part must not share a packet with the first: send it after the server can have read that.
      await ask(server, get('/tiny'));
      client.send(text.slice(i + 1));
      assert.deepEqual(shape(await client.response()), whole, `split at ${i + 1}`);
      client.destroy();
    }));
  });
}

// ---- smuggling and malformed input ----

const H = 'Host: t\r\n';
bad('Content-Length and Transfer-Encoding', `POST /echo HTTP/1.1\r\n${H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
bad('the same the other way round', `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`);
bad('two Content-Lengths', `POST /echo HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`);
bad('a list of Content-Lengths', `POST /echo HTTP/1.1\r\n${H}Content-Length: 3, 3\r\n\r\nabc`);
for (const length of ['+5', '-1', '0x5', '5a', '5 5', '', '1e1', '٣', '"5"', '5;'])
  bad(`Content-Length: ${length}`, `POST /echo HTTP/1.1\r\n${H}Content-Length: ${length}\r\n\r\nabcde`);
for (const encoding of ['xchunked', 'chunkedx', 'gzip', 'gzip, chunked', 'chunked, gzip', 'identity', 'chunked, identity', '"chunked"', 'chunked;q=1', ', chunked', ''])
  bad(`Transfer-Encoding: ${encoding}`, `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: ${encoding}\r\n\r\n0\r\n\r\n`);
bad('two Transfer-Encodings', `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
bad('Transfer-Encoding in HTTP/1.0', `POST /echo HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
bad('a space before the colon', `POST /echo HTTP/1.1\r\n${H}Content-Length : 3\r\n\r\nabc`);
bad('Transfer-Encoding with a space before the colon', `POST /echo HTTP/1.1\r\n${H}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`);
bad('a folded header', `GET /echo HTTP/1.1\r\n${H}X: a\r\n b\r\n\r\n`);
bad('a folded header with a tab', `GET /echo HTTP/1.1\r\n${H}X: a\r\n\tContent-Length: 3\r\n\r\n`);
bad('a folded first header', `GET /echo HTTP/1.1\r\n ${H}\r\n`);
bad('bare LF after the request line', `GET /echo HTTP/1.1\n${H}\r\n`);
bad('bare LF after a header', `GET /echo HTTP/1.1\r\nHost: t\nX: 1\r\n\r\n`);
bad('bare LF at the end of the head', `GET /echo HTTP/1.1\r\n${H}\n`);
bad('bare LF first', `\nGET /echo HTTP/1.1\r\n${H}\r\n`);
bad('bare CR in a value', `GET /echo HTTP/1.1\r\n${H}X: a\rContent-Length: 3\r\n\r\n`);
bad('bare CR in a name', `GET /echo HTTP/1.1\r\n${H}X\r: a\r\n\r\n`);
bad('two CRs', `GET /echo HTTP/1.1\r\n${H}X: a\r\r\n\r\n`);
bad('bare CR in the request line', `GET /echo\r HTTP/1.1\r\n${H}\r\n`);
bad('NUL in a value', `GET /echo HTTP/1.1\r\n${H}X: a\0b\r\n\r\n`);
bad('NUL in a name', `GET /echo HTTP/1.1\r\n${H}X\0: a\r\n\r\n`);
bad('a control character in a value', `GET /echo HTTP/1.1\r\n${H}X: a\x01b\r\n\r\n`);
bad('DEL in a value', `GET /echo HTTP/1.1\r\n${H}X: a\x7fb\r\n\r\n`);
bad('NUL in the target', `GET /echo\0 HTTP/1.1\r\n${H}\r\n`);
bad('a fragment', `GET /echo#x HTTP/1.1\r\n${H}\r\n`);
bad('a space in the target', `GET /echo x HTTP/1.1\r\n${H}\r\n`);
bad('two spaces after the method', `GET  /echo HTTP/1.1\r\n${H}\r\n`);
bad('a tab after the method', `GET\t/echo HTTP/1.1\r\n${H}\r\n`);
bad('space after the version', `GET /echo HTTP/1.1 \r\n${H}\r\n`);
bad('space before the method', ` GET /echo HTTP/1.1\r\n${H}\r\n`);
bad('no version', `GET /echo\r\n${H}\r\n`);
bad('no target', `GET HTTP/1.1\r\n${H}\r\n`);
bad('a relative target', `GET echo HTTP/1.1\r\n${H}\r\n`);
bad('a target without authority', `GET http:///echo HTTP/1.1\r\n${H}\r\n`);
bad('an ftp target', `GET ftp://h/echo HTTP/1.1\r\n${H}\r\n`);
bad('an asterisk for GET', `GET * HTTP/1.1\r\n${H}\r\n`);
bad('a method that is no token', `G@T /echo HTTP/1.1\r\n${H}\r\n`);
bad('a method that never ends', 'A'.repeat(100));
bad('a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
bad('a header without colon', `GET /echo HTTP/1.1\r\n${H}nonsense\r\n\r\n`);
bad('a header without name', `GET /echo HTTP/1.1\r\n${H}: x\r\n\r\n`);
bad('a header name with a space', `GET /echo HTTP/1.1\r\n${H}a b: x\r\n\r\n`);
bad('a header name with a slash', `GET /echo HTTP/1.1\r\n${H}a/b: x\r\n\r\n`);
bad('two Hosts', `POST /echo HTTP/1.1\r\n${H}Host: u\r\nContent-Length: 1\r\n\r\nx`);
bad('no Host, with a body', 'POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\nx');

const bads = (name, body) => bad(`chunked: ${name}`, CHUNKED + body);
bads('no size', '\r\nhello\r\n0\r\n\r\n');
bads('a signed size', '+5\r\nhello\r\n0\r\n\r\n');
bads('a prefixed size', '0x5\r\nhello\r\n0\r\n\r\n');
bads('a size with a leading space', ' 5\r\nhello\r\n0\r\n\r\n');
bads('a size beyond 60 bits', 'fffffffffffffffff\r\n');
bads('bare LF after the size', '5\nhello\r\n0\r\n\r\n');
bads('bare CR after the size', '5\rXhello\r\n0\r\n\r\n');
bads('bare LF after the data', '5\r\nhello\n0\r\n\r\n');
bads('a chunk longer than its size', '4\r\nhello\r\n0\r\n\r\n');
bads('a chunk shorter than its size', '6\r\nhello\r\n0\r\n\r\n');
bads('a NUL in an extension', '5;\0\r\nhello\r\n0\r\n\r\n');
bads('bare LF after the last chunk', '0\n\n');
bads('bare LF ending the trailers', '0\r\nT: 1\r\n\n');
bads('a trailer that is no field', '0\r\nnonsense\r\n\r\n');
bads('a folded trailer', '0\r\nT: 1\r\n x\r\n\r\n');
bads('an endless size line', '5;' + 'x'.repeat(300));

// ---- versions ----

for (const version of ['HTTP/2.0', 'HTTP/3', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/11.1', 'HTTP/1'])
  bad(`version ${version}`, `GET /echo ${version}\r\n${H}\r\n`, 505, 'HTTP_VERSION_NOT_SUPPORTED');
bad('an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'HTTP_VERSION_NOT_SUPPORTED');
for (const version of ['http/1.1', 'HTTP/1.1x', 'HTTP/a.b', 'FOO/1.1', 'HTTP'])
  bad(`version ${version}`, `GET /echo ${version}\r\n${H}\r\n`);

// ---- limits ----

test('just within every limit', async () => {
  const url = '/echo?' + 'x'.repeat(500 - 6);
  const fixed = 'Host: t\r\nX: \r\n'.length;
  const answer = await ask(server, `GET ${url} HTTP/1.1\r\nHost: t\r\nX: ${'y'.repeat(2000 - fixed)}\r\n\r\n`);
  assert.equal(answer.status, 200);
  assert.equal(answer.json().query.length, 494);
});
bad('URL one byte too long', `GET /echo?${'x'.repeat(495)} HTTP/1.1\r\n${H}\r\n`, 414, 'URI_TOO_LONG');
bad('URL without end', `GET /${'x'.repeat(20000)}`, 414, 'URI_TOO_LONG');
bad('headers one byte too large', `GET /echo HTTP/1.1\r\nHost: t\r\nX: ${'y'.repeat(2001 - 'Host: t\r\nX: \r\n'.length)}\r\n\r\n`, 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE');
bad('headers without end', `GET /echo HTTP/1.1\r\nHost: t\r\nX: ${'y'.repeat(100000)}`, 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE');
bad('too many headers', `GET /echo HTTP/1.1\r\n${H}${'a:\r\n'.repeat(200)}\r\n`, 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE');
bad('trailers without end', CHUNKED + '0\r\n' + 'T: 1\r\n'.repeat(2000), 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE');
bad('one trailer without end', CHUNKED + '0\r\nT: ' + 'x'.repeat(5000), 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE');
bad('Content-Length over the limit, nothing sent', `POST /echo HTTP/1.1\r\n${H}Content-Length: 1001\r\n\r\n`, 413, 'PAYLOAD_TOO_LARGE');
bad('Content-Length beyond 64 bits', `POST /echo HTTP/1.1\r\n${H}Content-Length: 99999999999999999999999999\r\n\r\n`);
bad('one chunk over the limit', CHUNKED + '3e9\r\n', 413, 'PAYLOAD_TOO_LARGE');
bad('chunks that add up', CHUNKED + `1f4\r\n${'x'.repeat(500)}\r\n1f5\r\n`, 413, 'PAYLOAD_TOO_LARGE');

test('a client that goes on sending its body sees the 413', async () => {
  const client = await Client.open(server);
  client.send(`POST /echo HTTP/1.1\r\n${H}Content-Length: 500000\r\n\r\n`);
  client.send(Buffer.alloc(500000, 'x'));
  assert.equal((await client.response()).status, 413);
  await client.end();
  assert.equal(client.error, undefined, 'not reset');
  client.destroy();
});

// ---- refusals that keep the connection ----

test('a request without Host is refused and the next is served', async () => {
  const client = await Client.open(server);
  const answer = await client.send('GET /echo HTTP/1.1\r\nX: 1\r\n\r\n').response();
  assert.equal(answer.status, 400);
  assert.match(answer.json().detail, /Host/);
  assert.equal(answer.headers.connection, undefined);
  assert.equal((await client.send(get('/tiny')).response()).status, 200);
  client.destroy();
});
test('HTTP/1.0 needs no Host', async () => {
  assert.equal((await ask(server, 'GET /tiny HTTP/1.0\r\n\r\n')).status, 200);
});

// ---- Expect ----

const EXPECT = (length, value = '100-continue') =>
  `POST /echo HTTP/1.1\r\nHost: t\r\nExpect: ${value}\r\nContent-Length: ${length}\r\n\r\n`;

test('Expect: 100 Continue is sent to a client that waits', async () => {
  const client = await Client.open(server);
  const interim = await client.send(EXPECT(3, '100-Continue')).response();
  assert.equal(interim.status, 100);
  assert.deepEqual(interim.headers, {});
  const answer = await client.send('abc').response();
  assert.deepEqual([answer.status, answer.json().body], [200, 'abc']);
  client.destroy();
});
test('Expect: with chunked', async () => {
  const client = await Client.open(server);
  client.send('POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n');
  assert.equal((await client.response()).status, 100);
  assert.equal((await client.send('1\r\na\r\n0\r\n\r\n').response()).json().body, 'a');
  client.destroy();
});
test('Expect: no 100 when the body came along, is empty, or in HTTP/1.0', async () => {
  assert.equal((await ask(server, EXPECT(3) + 'abc')).status, 200);
  assert.equal((await ask(server, EXPECT(0))).status, 200);
  const client = await Client.open(server);
  client.send('POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  await ask(server, get('/tiny'));
  assert.equal((await client.send('abc').response()).status, 200);
  client.destroy();
});
test('Expect: 100 comes after the answers before it', async () => {
  const client = await Client.open(server);
  client.send(get('/tiny') + post('/write', 'x') + EXPECT(1));
  assert.equal((await client.response()).status, 200);
  assert.equal((await client.response()).status, 201);
  assert.equal((await client.response()).status, 100);
  assert.equal((await client.send('y').response()).json().body, 'y');
  client.destroy();
});
bad('Expect: too large a body gets 413 at once', EXPECT(1001), 413, 'PAYLOAD_TOO_LARGE');
bad('Expect: something else', EXPECT(3, '200-ok'), 417, 'EXPECTATION_FAILED');
test('Expect: something else without a body keeps the connection', async () => {
  const client = await Client.open(server);
  assert.equal((await client.send(get('/tiny', 'Expect: tea\r\n')).response()).status, 417);
  assert.equal((await client.send(get('/tiny')).response()).status, 200);
  client.destroy();
});
