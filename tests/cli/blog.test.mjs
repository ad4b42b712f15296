// SPDX-License-Identifier: MIT
// examples/blog, whose executable is beside the one under test, as docs/c-api.md shows it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../conformance/server.mjs";

const example = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../examples/blog");
const binary = path.join(path.dirname(path.resolve(process.env.COVARA_BIN)), "examples/blog");

/* The blog on a new database: { get(url), post(url, body), send(url, options) }, stopped after the test. */
async function blog(t, { env = {}, seed = true } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "covara-blog-"));
  for (const name of ["schema.sql", "covara.jsonc", "seed.sql"])
    fs.copyFileSync(path.join(example, name), path.join(folder, name));
  const server = await startServer(binary, folder, { args: seed ? ["--seed", "seed.sql"] : [], env: { BLOG_URL: "", ...env } });
  t.after(async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const send = async (url, options) => {
    const response = await fetch(server.url + url, options);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  };
  const post = (url, body) => send(url,
    { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return { folder, send, get: send, post };
}

const draft = { authorId: 1, title: "Hello, World!", body: "One two three." };

test("a new post gets its slug from its title, whatever the client says", async (t) => {
  const { post } = await blog(t);
  const created = await post("/api/posts", { ...draft, slug: "mine", publishedAt: "2000-01-01T00:00:00.000Z", version: 7 });
  assert.equal(created.status, 201);
  assert.equal(created.headers.get("etag"), '"1"');
  const { createdAt, ...row } = created.json();
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(row, { id: 4, ...draft, slug: "hello-world", publishedAt: null, version: 1, readingMinutes: 1 });
  for (const [title, slug] of [["  A  --  B  ", "a-b"], ["Ä & ö", "Ä-ö"], ["42", "42"]])
    assert.equal((await post("/api/posts", { ...draft, title })).json().slug, slug);
});

test("a title without a letter or digit is refused, and so is one that is taken", async (t) => {
  const { get, post } = await blog(t);
  const refused = await post("/api/posts", { ...draft, title: "?!" });
  assert.equal(refused.status, 400);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  assert.deepEqual(refused.json(), {
    type: "/__covara/problems/validation-error", title: "Validation error", status: 400, detail: "Validation failed",
    code: "VALIDATION_ERROR", errors: [{ field: "title", message: "must have a letter or a digit" }],
  });
  const taken = await post("/api/posts", { ...draft, title: "Nanoseconds" });
  assert.deepEqual([taken.status, taken.json().code], [409, "CONFLICT"]);
  assert.equal((await get("/api/posts/count")).json().count, 3);
});

test("creations are audited, and only those that happened", async (t) => {
  const { folder, post } = await blog(t);
  await post("/api/posts", draft);
  await post("/api/posts", { ...draft, title: "?!" });
  await post("/api/posts/batch", { items: [{ ...draft, title: "Two" }, { ...draft, title: "..." }] });
  await post("/api/posts/batch", { items: [{ ...draft, title: "Three" }, { ...draft, title: "Four" }] });
  const audit = execFileSync("sqlite3", [path.join(folder, "blog.db"),
    "SELECT address, action, slug FROM audit JOIN posts ON posts.id = post_id ORDER BY audit.id"], { encoding: "utf8" });
  assert.equal(audit, "127.0.0.1|create|hello-world\n127.0.0.1|create|three\n127.0.0.1|create|four\n");
});

test("hooks run in nested writes, and computed fields in lists and includes", async (t) => {
  const { get, post } = await blog(t);
  const nested = await post("/api/posts", {
    title: "Together", body: "word ".repeat(201),
    author: { name: "Eve", email: "eve@example.org" }, comments: [{ name: "Bob", body: "First!" }],
  });
  assert.equal(nested.status, 201);
  assert.deepEqual([nested.json().slug, nested.json().readingMinutes], ["together", 2]);
  const read = (await get(`/api/posts/${nested.json().id}?include=author,comments`)).json();
  assert.deepEqual([read.author, read.comments.length, read.readingMinutes], [{ id: 3, name: "Eve" }, 1, 2]);
  const tagged = (await get("/api/posts/2?include=tags")).json();
  assert.deepEqual(tagged.tags.map((tag) => tag.name), ["machines", "stories"]);
  const author = (await get("/api/authors/3?include=posts")).json();
  assert.equal(author.posts[0].readingMinutes, 2);
  assert.deepEqual((await get("/api/posts?limit=2&select=id,title")).json().items.map((row) => row.id), [1, 2]);
});

test("publish sets the time once", async (t) => {
  const { get, post } = await blog(t);
  const published = await post("/api/posts/rpc/publish", { id: 3 });
  assert.equal(published.status, 200);
  const { data } = published.json();
  assert.deepEqual(Object.keys(data), ["id", "slug", "publishedAt"]);
  assert.deepEqual([data.id, data.slug], [3, "nanoseconds"]);
  const stored = (await get("/api/posts/3")).json();
  assert.deepEqual([stored.publishedAt, stored.version], [data.publishedAt, 2]);
  for (const id of [3, 99]) {
    const refused = await post("/api/posts/rpc/publish", { id });
    assert.deepEqual([refused.status, refused.json().detail], [404, `There is no draft ${id}`]);
  }
  for (const input of [{}, { id: "3" }, { id: null }, { id: 1.5 }, []]) {
    const invalid = await post("/api/posts/rpc/publish", input);
    assert.deepEqual([invalid.status, invalid.json().code], [400, "VALIDATION_ERROR"], JSON.stringify(input));
  }
  assert.equal((await post("/api/posts/rpc/retract", {})).status, 404);
});

test("the feed is Atom: newest first, drafts left out, everything escaped", async (t) => {
  const { get, post } = await blog(t, { env: { BLOG_URL: "https://blog.example/?a=1&b=2" } });
  const { id } = (await post("/api/posts", {
    title: "<b>\"Q\" & 'A'</b>", body: "]]> \u0001\uffff\ufffe\t&amp; \ufffd 😀", author: { name: "<&>", email: "x@example.org" },
  })).json();
  await post("/api/posts/rpc/publish", { id });
  const feed = await get("/feed.xml");
  assert.equal(feed.status, 200);
  assert.equal(feed.headers.get("content-type"), "application/atom+xml");
  assert.match(feed.text, /^<\?xml version="1\.0" encoding="utf-8"\?>\n<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom">\n/);
  const all = (name) => [...feed.text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map((found) => found[1]);
  assert.deepEqual(all("title"),
    ["The blog", "&lt;b&gt;&quot;Q&quot; &amp; &#39;A&#39;&lt;/b&gt;", "A bug &lt; a moth", "Notes on the engine"]);
  assert.equal(all("content")[0], "]]&gt; \t&amp;amp; \ufffd 😀");
  assert.equal(all("name")[0], "&lt;&amp;&gt;");
  assert.equal(all("id")[1], "https://blog.example/?a=1&amp;b=2/posts/b-q-a-b");
  assert.equal(all("updated")[0], all("updated")[1]);
  assert.equal((await get("/feed.xml/")).status, 404);
  const head = await get("/feed.xml", { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
});

test("a feed without entries is still one", async (t) => {
  const { get } = await blog(t, { seed: false });
  const { text } = await get("/feed.xml");
  assert.ok(text.endsWith("<id>http://localhost:3000</id>\n<title>The blog</title>\n" +
    "<updated>1970-01-01T00:00:00Z</updated>\n</feed>\n"), text);
});

test("changes of posts are counted once they are committed", async (t) => {
  const { get, post, send } = await blog(t);
  const stats = async () => (await get("/stats")).json();
  assert.deepEqual(await stats(), { created: 0, updated: 0, deleted: 0 });
  await post("/api/posts", draft);
  await post("/api/posts", { ...draft, title: "?!" });
  await post("/api/comments", { postId: 1, name: "Bob", body: "Not a post." });
  assert.deepEqual(await stats(), { created: 1, updated: 0, deleted: 0 });
  await send("/api/posts/4", { method: "PATCH", headers: { "Content-Type": "application/json", "If-Match": '"1"' }, body: '{"body":"New."}' });
  await post("/api/posts/rpc/publish", { id: 4 });
  await post("/api/posts/rpc/publish", { id: 4 });
  await send("/api/posts/4", { method: "DELETE" });
  assert.deepEqual(await stats(), { created: 1, updated: 2, deleted: 1 });
});
