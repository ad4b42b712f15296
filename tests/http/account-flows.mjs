// SPDX-License-Identifier: MIT
// account-flows.mjs - a server with accounts: a browser's cookies, the mails in its log, codes of an authenticator.
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { startProject } from "./support.mjs";

const schema = `CREATE TABLE people (
  id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE, password_hash TEXT, name TEXT, verified_at TEXT);`;
const link = (page) => ({ url: `https://app.example.com/${page}?token={token}&email={identifier}` });

/* All requests come from one address, so the throttle is wide; test/unit has its limits. `auth` overrides options. */
export function startAccounts(auth = {}) {
  return startProject({
    schema,
    config: {
      resources: {},
      auth: {
        users: { table: "people", passwordHash: "password_hash", name: "name", emailVerified: "verified_at" },
        login: true, signup: true, scrypt: { N: 1024 }, throttle: { maxAttempts: 10000 },
        passwordPolicy: { minLength: 10 }, verification: link("verify"), passwordReset: link("reset"),
        magicLink: link("login"), mfa: { issuer: "My App", backupCodes: 3, window: 10 }, ...auth,
      },
    },
  });
}

export const password = "correct horse battery";

/* POSTs below /api/auth with the cookies it was given. */
export class Browser {
  constructor(project) { this.project = project; this.cookies = new Map(); }

  async send(method, path, body) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await this.project.call(method, `/api/auth${path}`, body, cookie ? { Cookie: cookie } : {});
    for (const text of answer.headers["set-cookie"] ?? []) {
      const [name, value] = text.split(";")[0].split(/=(.*)/s);
      if (value === "") this.cookies.delete(name); else this.cookies.set(name, value);
    }
    return answer;
  }
  post(path, body) { return this.send("POST", path, body); }
  me() { return this.send("GET", "/me").then((answer) => answer.json.user); }
  clone() { const copy = new Browser(this.project); copy.cookies = new Map(this.cookies); return copy; }
}

/* The mails in the server's log, once there are `n` of them. */
export async function mails(project, n) {
  for (let tries = 0; tries < 1000; tries++) {
    const all = project.output().split("\n").filter((line) => line.includes('"msg":"mail"')).map((line) => JSON.parse(line));
    if (all.length >= n) return all;
    await delay(10);
  }
  throw new Error(`fewer than ${n} mails:\n${project.output()}`);
}

export const tokenOf = (mail) => /token=([\w-]{43})&/.exec(mail.text)[1];

/* The code of `steps` from now (RFC 6238). */
export function totp(secret, steps = 0) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

/* The statuses of `n` requests made at once, sorted. */
export async function atOnce(n, request) {
  const answers = await Promise.all(Array.from({ length: n }, (_, i) => request(i)));
  return answers.map((answer) => answer.status).sort();
}
