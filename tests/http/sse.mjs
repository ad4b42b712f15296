// SPDX-License-Identifier: MIT
// sse.mjs - event streams as a browser reads them, and a view of a table that follows its events as the client does.
import assert from "node:assert/strict";
import http from "node:http";

/* The HTML standard's event stream parser: bytes in any pieces, events out. */
export class EventParser {
  lastEventId = "";
  comments = [];
  #decoder = new TextDecoder("utf-8"); // drops a byte order mark
  #rest = "";
  #afterCr = false;
  #type = "";
  #data = [];
  #id = undefined;

  feed(bytes) {
    const events = [];
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#afterCr && text.startsWith("\n")) text = text.slice(1);
    this.#afterCr = text.endsWith("\r") || (text === "" && this.#afterCr);
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line, events);
    return events;
  }
  #line(line, events) {
    if (line === "") return this.#dispatch(events);
    if (line.startsWith(":")) return void this.comments.push(line.slice(1));
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    if (field === "data") this.#data.push(value);
    if (field === "id" && !value.includes("\0")) this.#id = value;
  }
  #dispatch(events) {
    if (this.#id !== undefined) this.lastEventId = this.#id;
    if (this.#data.length > 0)
      events.push({ event: this.#type || "message", data: this.#data.join("\n"), id: this.lastEventId });
    this.#type = "";
    this.#data = [];
  }
}

/*
 * Open a stream. Resolves when the head is there, to an object whose next() gives one event after another, with its
 * data parsed, and null after the end. A status other than 200 leaves { status, text }.
 */
export function openStream(app, target, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({
      hostname: app.hostname, port: app.port, path: target, agent: false,
      headers: { Accept: "text/event-stream", ...headers },
    }, (response) => resolve(response.statusCode === 200 ? new EventStream(request, response) : refusal(response)));
    request.on("error", reject);
    request.end();
  });
}

async function refusal(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  let json;
  try { json = JSON.parse(text); } catch { json = undefined; }
  return { status: response.statusCode, headers: response.headers, type: response.headers["content-type"], text, json };
}

class EventStream {
  status = 200;
  ended = false;
  queue = [];
  parser = new EventParser();
  bytes = 0;
  #wake = () => {};

  constructor(request, response) {
    this.request = request;
    this.response = response;
    this.headers = response.headers;
    response.on("data", (chunk) => {
      this.bytes += chunk.length;
      this.queue.push(...this.parser.feed(chunk).map((e) => ({ ...e, data: JSON.parse(e.data) })));
      this.#wake();
    });
    const end = () => { this.ended = true; this.#wake(); };
    response.on("close", end);
    response.on("error", end);
    request.on("error", end);
  }
  get lastEventId() { return this.parser.lastEventId; }
  get pings() { return this.parser.comments.filter((text) => /^ ping \d+$/.test(text)).length; }

  async until(done, what, timeoutMs = 20000) {
    let late = false;
    const timer = setTimeout(() => { late = true; this.#wake(); }, timeoutMs);
    try {
      while (!done()) {
        if (late) throw new Error(`no ${what} within ${timeoutMs} ms; waiting: ${JSON.stringify(this.queue).slice(0, 500)}`);
        await new Promise((resolve) => { this.#wake = resolve; });
      }
    } finally { clearTimeout(timer); }
  }
  /* The next event, or null when the stream has ended. */
  async next(timeoutMs) {
    await this.until(() => this.queue.length > 0 || this.ended, "event", timeoutMs);
    return this.queue.shift() ?? null;
  }
  /* The next `n` events in short: see short(). */
  async take(n) {
    const events = [];
    while (events.length < n) {
      const event = await this.next();
      events.push(event && short(event));
    }
    return events;
  }
  pause() { this.response.pause(); }
  resume() { this.response.resume(); }
  /* The client goes away, without any good-bye that HTTP has. */
  close() { this.request.destroy(); }
}

/* An event without what differs from run to run. */
export function short({ event, data }) {
  if (event === "connected") return "connected";
  if (event === "mux") return `${data.c} ${short({ event: data.n, data: data.d })}`;
  if (event !== "message") return { [event]: event === "aggregate" ? data.data : data };
  const named = data.meta ? { meta: data.meta } : {};
  switch (data.type) {
    case "removed": return { removed: data.objectId };
    case "invalidate": return { invalidate: data.reason };
    default: return { [data.type]: data.object, ...named };
  }
}

/* A stream that has told everything up to `connected`, and what it says then. */
export async function subscribe(app, target, headers) {
  const stream = await openStream(app, target, headers);
  assert.equal(stream.status, 200, stream.text);
  const first = await stream.next();
  assert.equal(first?.event, "connected");
  stream.seq = first.data.seq;
  return stream;
}

/*
 * The rows of a subscription as the Covara client keeps them: it resumes from the highest number after a loss of the
 * connection, and starts over when told to.
 */
export class View {
  items = new Map();
  lastSeq = 0;
  starts = 0;
  resumes = 0;
  problems = [];
  closed = false;
  persistent = true; // comes back by itself when the stream ends
  #stream = null;

  constructor(app, target) {
    this.app = app;
    this.target = target;
  }
  async open() {
    const join = this.target.includes("?") ? "&" : "?";
    const resume = this.lastSeq > 0 ? `${join}resumeFrom=${this.lastSeq}` : "";
    const stream = await openStream(this.app, this.target + resume);
    assert.equal(stream.status, 200, stream.text);
    if (this.lastSeq > 0) this.resumes++;
    else this.items.clear();
    this.#stream = stream;
    this.#run(stream).catch((error) => this.problems.push(String(error)));
  }
  async #run(stream) {
    for (;;) {
      await stream.until(() => stream.queue.length > 0 || stream.ended, "event", 60000);
      const event = stream.queue.shift();
      if (this.closed || this.#stream !== stream) return;
      if (event === undefined) break;
      if (this.#apply(event)) {
        stream.close();
        break;
      }
    }
    if (!this.closed && this.persistent && this.#stream === stream) await this.open();
  }
  /* True: start over. */
  #apply({ event, data }) {
    if (event === "connected") { this.lastSeq = data.seq; this.starts++; return false; }
    if (event !== "message") { this.problems.push(JSON.stringify(data)); return false; }
    if (data.seq < this.lastSeq) this.problems.push(`seq ${data.seq} after ${this.lastSeq}`);
    this.lastSeq = Math.max(this.lastSeq, data.seq ?? 0);
    if (data.type === "invalidate") { this.lastSeq = 0; return true; }
    if (data.type === "removed") this.#remove(data.objectId);
    else this.#put(data.type, data.object);
    return false;
  }
  #remove(id) {
    if (!this.items.delete(id)) this.problems.push(`removed ${id} is not there`);
  }
  #put(type, object) {
    const id = String(object.id);
    if (type === "added" && this.items.has(id)) this.problems.push(`added ${id} is there already`);
    if (type === "changed" && !this.items.has(id)) this.problems.push(`changed ${id} is not there`);
    this.items.set(id, object);
  }
  /* The connection breaks; events on their way may be lost. */
  async reconnect() {
    const stream = this.#stream;
    this.#stream = null;
    stream?.close();
    await this.open();
  }
  get rows() { return [...this.items.values()].sort((a, b) => a.id - b.id); }
  close() {
    this.closed = true;
    this.#stream?.close();
  }
}

/* Until `check()` holds or throws no more; it is asked again while events may still be on their way. */
export async function eventually(check, timeoutMs = 20000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try { if ((await check()) !== false) return; } catch (error) { if (Date.now() > end) throw error; }
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
