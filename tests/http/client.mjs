// SPDX-License-Identifier: MIT
// client.mjs - a client that answers challenges and expired sessions as the TypeScript client does (spec/07 section 5.8,
// spec/15 C-036 and C-041 to C-044), and remembers what it sent.
import crypto from "node:crypto";

const maxNonce = 1e8;

export function zeroBits(digest) {
  let bits = 0;
  for (const byte of digest) {
    bits += Math.clz32(byte) - 24;
    if (byte !== 0) break;
  }
  return bits;
}

/* The smallest decimal nonce that solves the challenge, or undefined. */
export function findNonce(challenge, difficulty) {
  for (let nonce = 0; nonce < maxNonce; nonce++) {
    const digest = crypto.createHash("sha256").update(`${challenge}:${nonce}`).digest();
    if (zeroBits(digest) >= difficulty) return String(nonce);
  }
  return undefined;
}

/* The headers that solve what a 428 asked for, or null when a client gives up. */
export function solve({ headers }) {
  const challenge = headers["covara-pow-challenge"];
  const difficulty = Number(headers["covara-pow-difficulty"]);
  if (!challenge || !Number.isFinite(difficulty) || difficulty <= 0) return null;
  if ((headers["covara-pow-algorithm"] ?? "sha256") !== "sha256") return null;
  const nonce = findNonce(challenge, difficulty);
  return nonce === undefined ? null : { "Covara-PoW-Challenge": challenge, "Covara-PoW-Nonce": nonce };
}

function kindOf({ headers }) {
  if (headers["covara-challenge-type"]) return headers["covara-challenge-type"];
  if (headers["covara-captcha-provider"]) return "captcha";
  return headers["covara-pow-challenge"] ? "pow" : undefined;
}

/*
 * `caller` has call(method, target, body, headers): a project or a person. `captcha({ provider, siteKey, action })`
 * resolves to a token or null; `refresh()` gets new credentials.
 */
export class Client {
  constructor(caller, { pow = 3, captcha, captchaRounds = 2, refresh = async () => {} } = {}) {
    Object.assign(this, { caller, rounds: { pow, captcha: captcha ? captchaRounds : 0 }, captcha, refresh });
    this.sent = []; // status of each answer
  }
  async call(method, target, body, headers = {}) {
    const left = { ...this.rounds };
    let refreshed = false;
    for (let extra = {}; ;) {
      const answer = await this.caller.call(method, target, body, { ...headers, ...extra });
      this.sent.push(answer.status);
      if (answer.status === 401 && !refreshed) {
        refreshed = true;
        await this.refresh();
        continue;
      }
      const kind = answer.status === 428 ? kindOf(answer) : undefined;
      if (!kind || !(left[kind]-- > 0)) return answer;
      const more = await this.solution(kind, answer);
      if (more === null) return answer;
      extra = { ...extra, ...more };
    }
  }
  async solution(kind, answer) {
    if (kind === "pow") return solve(answer);
    const { "covara-captcha-provider": provider, "covara-captcha-sitekey": siteKey, "covara-captcha-action": action } = answer.headers;
    const token = await this.captcha({ provider, siteKey, action });
    return token ? { "Covara-Captcha-Token": token } : null;
  }
  get(target, headers) { return this.call("GET", target, undefined, headers); }
  post(target, body, headers) { return this.call("POST", target, body, headers); }
}
