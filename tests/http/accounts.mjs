// SPDX-License-Identifier: MIT
// accounts.mjs - a project with users, and people who use it: a cookie jar each, like a browser.
import crypto from "node:crypto";
import { startProject } from "./support.mjs";

/* A hash in the stored format; a low cost keeps tests fast where the cost is not what is tested. */
export function hash(password, { N = 1024, r = 8, p = 1 } = {}) {
  const salt = crypto.randomBytes(16);
  const key = crypto.scryptSync(password, salt, 64, { N, r, p, maxmem: 256 * N * r });
  return `scrypt$N=${N},r=${r},p=${p}$${salt.toString("base64")}$${key.toString("base64")}`;
}

export const users = `
CREATE TABLE users (
  id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, image TEXT, role TEXT NOT NULL DEFAULT 'member',
  password_hash TEXT, email_verified TIMESTAMP, metadata JSON
);
CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, text TEXT NOT NULL, pinned BOOLEAN NOT NULL DEFAULT 0);
`;
export const people = () => `
INSERT INTO users (id, email, name, role, password_hash, metadata) VALUES
  ('u1', 'ada@example.com', 'Ada', 'admin', '${hash("secret-u1")}', '{"org":"o1","orgs":["o1","o2"]}'),
  ('u2', 'grace@example.com', 'Grace', 'member', '${hash("secret-u2")}', '{"org":"o2"}'),
  ('u3', 'nobody@example.com', NULL, 'member', NULL, NULL);
INSERT INTO notes (user_id, text) VALUES ('u1', 'of Ada'), ('u2', 'of Grace'), ('u1', 'of Ada too');
`;

const owner = "userId=={user.id}";
export const ownNotes = { auth: { read: owner, create: owner, update: owner, delete: owner } };

/* `auth` is merged over a plain cookie set-up with cheap hashes; `more` over the whole configuration. */
export function startAccounts({ auth = {}, resources = { notes: ownNotes }, more = {}, env = {}, schema = users, seed = people() } = {}) {
  const config = {
    auth: {
      users: { table: "users", passwordHash: "password_hash", name: "name", image: "image", emailVerified: "email_verified",
        metadata: "metadata", metadataFields: ["role"] },
      login: true, signup: true, scrypt: { N: 1024 }, ...auth,
    },
    resources, ...more,
  };
  return startProject({ schema, seed, config, env });
}

/* The cookies of an answer as { name: { value, text } }. */
export function cookiesOf(answer) {
  const lines = answer.headers["set-cookie"] ?? [];
  return Object.fromEntries(lines.map((text) => {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(text);
    return [name, { value: decodeURIComponent(value), text }];
  }));
}

/* Somebody with a cookie jar; calls are those of the project. */
export class Person {
  constructor(project, headers = {}) {
    this.project = project;
    this.headers = headers;
    this.jar = new Map();
  }
  async call(method, target, body, headers = {}) {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; ");
    const answer = await this.project.call(method, target, body, { ...(cookie ? { Cookie: cookie } : {}), ...this.headers, ...headers });
    for (const [name, { value, text }] of Object.entries(cookiesOf(answer)))
      if (/Max-Age=0/.test(text)) this.jar.delete(name);
      else this.jar.set(name, value);
    return answer;
  }
  get(target, headers) { return this.call("GET", target, undefined, headers); }
  post(target, body, headers) { return this.call("POST", target, body, headers); }
  patch(target, body, headers) { return this.call("PATCH", target, body, headers); }
  delete(target, headers) { return this.call("DELETE", target, undefined, headers); }
  login(email, password, more = {}) { return this.post("/api/auth/login", { email, password, ...more }); }
}

/* Logged in, or the test fails. */
export async function loggedIn(project, email = "ada@example.com", password = "secret-u1") {
  const person = new Person(project);
  const answer = await person.login(email, password);
  if (answer.status !== 200) throw new Error(`login as ${email}: ${answer.status} ${answer.text}`);
  return person;
}
