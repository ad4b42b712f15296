// SPDX-License-Identifier: MIT
// Helpers: start the binary of env HTTP_SERVER_BIN on a free port, and talk to it over raw sockets.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

const BIN = process.env.HTTP_SERVER_BIN;
if (!BIN) throw new Error('HTTP_SERVER_BIN must name the test_http_server binary');
// Sanitizers slow everything down; one factor stretches every limit a test waits for.
export const SLOW = Number(process.env.HTTP_TIME_FACTOR ?? 1);

/**
 * A running server: { port, child, stop(), exited, logged() }. `options` become --name value; `setUp` is run by the
 * shell that becomes the server.
 */
export async function start(options = {}, setUp = ':') {
  const args = Object.entries({ port: 0, threads: 2, ...options }).flatMap(([k, v]) => [`--${k}`, String(v)]);
  const child = spawn('sh', ['-c', `${setUp}; exec "$0" "$@"`, BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const watchers = new Set();
  const changed = () => { for (const watcher of watchers) watcher(); };
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; changed(); });
  const port = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      changed();
      const line = /"listening":(\d+)/.exec(stdout);
      if (line) resolve(Number(line[1]));
    });
    exited.then(({ code }) => reject(new Error(`exited with ${code} before listening: ${stderr}`)));
  });
  const server = {
    port, child, exited,
    /** Resolves with `test({ stdout, stderr })` once that is truthy. */
    logged: (test) => new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not logged: ${stdout}${stderr}`)), 20000 * SLOW);
      const check = () => {
        const value = test({ stdout, stderr });
        if (!value) return;
        clearTimeout(timer);
        watchers.delete(check);
        resolve(value);
      };
      watchers.add(check);
      check();
    }),
    host: options.host ?? '127.0.0.1',
    /** SIGTERM and wait; fails unless it ends cleanly. */
    async stop() {
      child.kill('SIGTERM');
      const { code, signal } = await exited;
      if (code !== 0) throw new Error(`exit code ${code}, signal ${signal}: ${stderr}`);
    },
  };
  return server;
}

/** One raw connection that collects what arrives. */
export class Client {
  static async open(server, options = {}) {
    const client = new Client();
    client.socket = net.connect({ port: server.port, host: server.host, ...options });
    client.bytes = Buffer.alloc(0);
    client.ended = false;
    client.waiters = new Set();
    client.socket.on('data', (chunk) => {
      client.bytes = Buffer.concat([client.bytes, chunk]);
      client.wake();
    });
    client.socket.on('end', () => { client.ended = true; client.wake(); });
    client.socket.on('close', () => { client.ended = true; client.wake(); });
    client.socket.on('error', (error) => { client.error = error; client.wake(); });
    await once(client.socket, 'connect');
    client.socket.setNoDelay(true);
    return client;
  }
  wake() { for (const waiter of this.waiters) waiter(); }
  send(bytes) { this.socket.write(bytes, typeof bytes === 'string' ? 'latin1' : undefined); return this; }
  /** Resolves when `test` gives something truthy; fails when the connection ends first. */
  until(test, what = 'data') {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { done(); reject(new Error(`no ${what} in time; got ${JSON.stringify(this.bytes.toString('latin1').slice(0, 2000))}`)); }, 20000 * SLOW);
      const check = () => {
        const value = test();
        if (value) { done(); resolve(value); }
        else if (this.ended) { done(); reject(new Error(`ended before ${what}; got ${JSON.stringify(this.bytes.toString('latin1').slice(0, 2000))}`)); }
      };
      const done = () => { clearTimeout(timer); this.waiters.delete(check); };
      this.waiters.add(check);
      check();
    });
  }
  /** The next response; `head` when it has no body whatever its Content-Length says. */
  response({ head = false } = {}) {
    return this.until(() => {
      const parsed = parseResponse(this.bytes, head);
      if (parsed) this.bytes = this.bytes.subarray(parsed.size);
      return parsed;
    }, 'a response');
  }
  /** The server closed its side. */
  end() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { this.waiters.delete(check); reject(new Error('the server did not close')); }, 20000 * SLOW);
      const check = () => {
        if (!this.ended) return;
        clearTimeout(timer);
        this.waiters.delete(check);
        resolve(this.bytes);
      };
      this.waiters.add(check);
      check();
    });
  }
  destroy() { this.socket.destroy(); }
}

export function parseResponse(bytes, head = false) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [statusLine, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine);
  if (!match) throw new Error(`not a status line: ${statusLine}`);
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(': ');
    if (colon < 1) throw new Error(`not a header: ${line}`);
    const name = line.slice(0, colon).toLowerCase();
    if (name in headers) throw new Error(`header twice: ${name}`);
    headers[name] = line.slice(colon + 2);
  }
  const status = Number(match[1]);
  const length = head || status === 204 || status === 304 || status < 200 ? 0 : Number(headers['content-length']);
  if (bytes.length < end + 4 + length) return null;
  const body = bytes.subarray(end + 4, end + 4 + length).toString('utf8');
  return {
    status, reason: match[2], headers, body, size: end + 4 + length,
    json() { return JSON.parse(body); },
  };
}

/** One request on a connection of its own. */
export async function ask(server, text, options) {
  const client = await Client.open(server);
  try {
    return await client.send(text).response(options);
  } finally {
    client.destroy();
  }
}

export const get = (path, extra = '') => `GET ${path} HTTP/1.1\r\nHost: test\r\n${extra}\r\n`;
export const post = (path, body = '', extra = '') =>
  `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${extra}\r\n${body}`;

export async function stats(server) {
  return (await ask(server, get('/stats'))).json();
}

/** Ask again until the counters satisfy `test`: the server has no event to await. */
export async function statsUntil(server, test) {
  const client = await Client.open(server);
  const deadline = Date.now() + 20000 * SLOW;
  try {
    for (;;) {
      const now = (await client.send(get('/stats')).response()).json();
      if (test(now)) return now;
      if (Date.now() > deadline) throw new Error(`counters stay at ${JSON.stringify(now)}`);
    }
  } finally {
    client.destroy();
  }
}
