// SPDX-License-Identifier: MIT
// Clients whose machine is gone: no FIN and no RST ever comes. In a network of its own, where a route can be cut.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Client, ask, get, start, statsUntil } from './server.mjs';

const ISOLATED = 'COVARA_IN_OWN_NETWORK';
const GONE = '127.0.0.9';

if (!process.env[ISOLATED]) {
  test('in a network of its own', () => {
    const user = process.getuid() === 0 ? [] : ['--user', '--map-root-user'];
    const env = { ...process.env, [ISOLATED]: '1' };
    delete env.NODE_TEST_CONTEXT; // the output of the other process is for people
    const run = spawnSync('unshare', [...user, '--net', process.execPath, '--test', fileURLToPath(import.meta.url)], { env, encoding: 'utf8' });
    assert.equal(run.status, 0, `${run.error ?? ''}${run.stdout}${run.stderr}`);
    assert.match(run.stdout, /^# pass 1$/m);
  });
} else {
  test('streams of vanished clients are found by keepalive, and by what they do not acknowledge', async (t) => {
    const ip = (...words) => execFileSync('ip', words);
    ip('link', 'set', 'lo', 'up');
    const server = await start({ threads: 1, 'stream-keepalive-ms': 1000, 'stream-ms': 1500 });
    t.after(() => server.child.kill());
    const clients = [];
    for (const channel of [1, 2]) {
      const client = await Client.open(server, { localAddress: GONE });
      client.send(`GET /stream?channel=${channel} HTTP/1.1\r\nHost: test\r\n\r\n`);
      await client.until(() => client.bytes.includes('\r\n\r\n'), 'a head');
      clients.push(client);
    }
    ip('route', 'add', 'blackhole', `${GONE}/32`, 'table', 'local');
    for (const client of clients) client.destroy(); // the server is not told
    assert.equal((await ask(server, get('/slow/publish?channel=2'))).status, 200);
    const { opened } = await statsUntil(server, (now) => now.closed === 2);
    assert.equal(opened, 2);
    await server.stop();
  });
}
