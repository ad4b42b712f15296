// SPDX-License-Identifier: MIT
// Bearer tokens and refresh (spec/06 section 8, cases 30 to 38), with tokens that Node made and broke.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Person, cookiesOf, startAccounts } from "./accounts.mjs";

const secret = "0123456789abcdef0123456789abcdef";
const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);

function token(payload, { header = { alg: "HS256", typ: "JWT" }, key = secret, digest = "sha256" } = {}) {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${crypto.createHmac(digest, key).update(text).digest("base64url")}`;
}
const claims = (more = {}) => ({ sub: "u1", emailVerified: false, jti: crypto.randomUUID(), iat: now(), exp: now() + 900, iss: "iss1", aud: "aud1", ...more });
const bearer = (text) => ({ Authorization: `Bearer ${text}` });
const decode = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));

for (const store of ["database", "kv"]) {
  describe(`jwt sessions with refresh tokens in the ${store}`, () => {
    let project;
    before(async () => {
      project = await startAccounts({ auth: { session: { type: "jwt", secret, issuer: "iss1", audience: "aud1", store } } });
    });
    after(() => project.stop());

    test("a login gives an access token, and a refresh token in a cookie", async () => {
      const answer = await new Person(project).login("ada@example.com", "secret-u1");
      assert.deepEqual(Object.keys(answer.json), ["user", "accessToken", "expiresIn", "tokenType"]);
      assert.deepEqual([answer.json.expiresIn, answer.json.tokenType], [900, "Bearer"]);
      assert.match(cookiesOf(answer).refreshToken.text, /^refreshToken=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
      const payload = decode(answer.json.accessToken);
      assert.deepEqual(Object.keys(payload), ["sub", "email", "name", "emailVerified", "metadata", "jti", "iat", "exp", "aud", "iss"]);
      assert.deepEqual(payload.metadata, { org: "o1", orgs: ["o1", "o2"], role: "admin" });
      const refresh = decode(cookiesOf(answer).refreshToken.value);
      assert.equal(refresh.jti, `refresh:${payload.jti}`);
      const me = await project.get("/api/auth/me", bearer(answer.json.accessToken));
      assert.equal(me.json.user.id, "u1");
      assert.equal(new Date(me.json.expiresAt).getTime(), payload.exp * 1000);
      assert.equal((await project.get("/api/notes", bearer(answer.json.accessToken))).json.items.length, 2);
    });

    test("a cookie is no access token", async () => {
      const ada = new Person(project);
      await ada.login("ada@example.com", "secret-u1");
      assert.equal((await ada.get("/api/auth/me")).text, '{"user":null}');
    });

    test("tokens that are wrong in any way are nobody's", async () => {
      const good = token(claims());
      const [head, body, mark] = good.split(".");
      const wrong = {
        "no signature": `${head}.${body}.`, "two parts": `${head}.${body}`, "four parts": `${good}.x`, "padded": `${good}=`,
        "another key": token(claims(), { key: "x".repeat(32) }), "alg none": `${b64({ alg: "none", typ: "JWT" })}.${body}.`,
        "alg none, signed": token(claims(), { header: { alg: "none", typ: "JWT" } }),
        "HS512": token(claims(), { header: { alg: "HS512", typ: "JWT" }, digest: "sha512" }),
        "RS256 claimed": token(claims(), { header: { alg: "RS256", typ: "JWT" } }),
        "crit": token(claims(), { header: { alg: "HS256", typ: "JWT", crit: ["exp"] } }),
        "expired": token(claims({ exp: now() - 40 })), "not yet": token(claims({ nbf: now() + 60 })),
        "no exp": token(claims({ exp: undefined })), "no sub": token(claims({ sub: undefined })), "empty sub": token(claims({ sub: "" })),
        "sub is a number": token(claims({ sub: 1 })), "another issuer": token(claims({ iss: "other" })), "no audience": token(claims({ aud: undefined })),
        "other audience": token(claims({ aud: ["x", "y"] })), "a refresh token": token(claims({ jti: `refresh:${crypto.randomUUID()}` })),
        "changed": `${head}.${b64(claims({ sub: "u2" }))}.${mark}`, "garbage": "a.b.c", "empty": "",
      };
      for (const [what, text] of Object.entries(wrong))
        assert.equal((await project.get("/api/auth/me", bearer(text))).text, '{"user":null}', what);
      for (const text of [good, token(claims({ aud: ["x", "aud1"] })), token(claims({ exp: now() - 20 })), token(claims({ nbf: now() + 20 }))])
        assert.equal((await project.get("/api/auth/me", bearer(text))).json.user?.id, "u1");
      assert.equal((await project.get("/api/auth/me", { Authorization: `bearer ${good}` })).json.user.id, "u1");
    });

    test("refresh: what is wrong is said flat, as the client reads it", async () => {
      const refresh = (refreshToken) => project.post("/api/auth/refresh", refreshToken === undefined ? undefined : { refreshToken });
      const expect = async (answer, status, code, message) => {
        const got = await answer;
        assert.deepEqual([got.status, got.json], [status, { error: { code, message } }]);
      };
      await expect(refresh(), 400, "NO_REFRESH_TOKEN", "Refresh token required");
      await expect(refresh("garbage"), 401, "INVALID_REFRESH_TOKEN", "Invalid refresh token");
      await expect(refresh(token(claims())), 401, "TOKEN_REVOKED", "Refresh token revoked");
      await expect(refresh(token(claims({ jti: "refresh:unknown" }))), 401, "TOKEN_REVOKED", "Refresh token revoked");
      await expect(refresh(token(claims({ jti: "refresh:x", exp: now() - 60 }))), 401, "REFRESH_TOKEN_EXPIRED", "Refresh token expired");
    });

    test("a refresh token works once; its second use a moment later is another tab", async () => {
      const ada = new Person(project);
      await ada.login("ada@example.com", "secret-u1");
      const first = ada.jar.get("refreshToken");
      const answer = await ada.post("/api/auth/refresh", "{}");
      assert.equal(answer.status, 200);
      assert.deepEqual(Object.keys(answer.json), ["accessToken", "expiresIn", "tokenType"]);
      assert.notEqual(ada.jar.get("refreshToken"), first);
      assert.equal((await project.get("/api/auth/me", bearer(answer.json.accessToken))).json.user.id, "u1");
      const again = await project.post("/api/auth/refresh", { refreshToken: first });
      assert.equal(again.status, 200);
      assert.equal(again.headers["set-cookie"], undefined, "no second family of tokens");
      assert.equal((await ada.post("/api/auth/refresh", "{}")).status, 200, "the family goes on");
    });

    test("parallel refreshes with one token start one family", async () => {
      const ada = new Person(project);
      await ada.login("ada@example.com", "secret-u1");
      const refreshToken = ada.jar.get("refreshToken");
      const answers = await Promise.all(Array.from({ length: 8 }, () => project.post("/api/auth/refresh", { refreshToken })));
      assert.deepEqual(answers.map((answer) => answer.status), Array(8).fill(200));
      assert.equal(answers.filter((answer) => answer.headers["set-cookie"]).length, 1);
    });

    test("a logout revokes the refresh token", async () => {
      const ada = new Person(project);
      await ada.login("ada@example.com", "secret-u1");
      const refreshToken = ada.jar.get("refreshToken");
      const answer = await ada.post("/api/auth/logout");
      assert.match(cookiesOf(answer).refreshToken.text, /^refreshToken=; Max-Age=0; Path=\//);
      assert.equal((await project.post("/api/auth/refresh", { refreshToken })).json.error.code, "TOKEN_REVOKED");
    });

    test("when all sessions ended, another tab's moment of grace ended too", async () => {
      const ada = new Person(project);
      const { json } = await ada.login("ada@example.com", "secret-u1");
      const refreshToken = ada.jar.get("refreshToken");
      assert.equal((await ada.post("/api/auth/refresh", "{}")).status, 200);
      assert.equal((await project.post("/api/auth/refresh", { refreshToken })).status, 200);
      assert.equal((await project.post("/api/auth/logout-all", "{}", bearer(json.accessToken))).status, 200);
      assert.equal((await project.post("/api/auth/refresh", { refreshToken })).json.error.code, "TOKEN_REVOKED");
    });

    test("a token of a deleted user cannot be refreshed", async () => {
      project.sql(`INSERT INTO users (id, email, password_hash) SELECT 'g', 'gone@example.com', password_hash FROM users WHERE id='u1'`);
      const gone = new Person(project);
      assert.equal((await gone.login("gone@example.com", "secret-u1")).status, 200);
      project.sql("DELETE FROM users WHERE id='g'");
      assert.equal((await gone.post("/api/auth/refresh", "{}")).json.error.code, "USER_NOT_FOUND");
    });
  });
}

describe("other keys", () => {
  test("ES256: signed with the private key, verified with the public one, and an HMAC with the public key is no signature", async () => {
    const { publicKey, privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
    const project = await startAccounts({ auth: { session: { type: "jwt", algorithm: "ES256", secret: privateKey, publicKey, store: "none" } } });
    const { json } = await new Person(project).login("ada@example.com", "secret-u1");
    const [head, body, mark] = json.accessToken.split(".");
    assert.ok(crypto.verify("sha256", Buffer.from(`${head}.${body}`), { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(mark, "base64url")));
    assert.equal((await project.get("/api/auth/me", bearer(json.accessToken))).json.user.id, "u1");
    assert.equal((await project.get("/api/auth/me", bearer(token(claims(), { key: publicKey })))).json.user, null);
    assert.equal((await project.get("/api/auth/me", bearer(token(claims(), { key: publicKey, header: { alg: "ES256", typ: "JWT" } })))).json.user, null);
    // Without a store a refresh token cannot be revoked, but an access token is none all the same.
    assert.equal((await project.post("/api/auth/refresh", { refreshToken: json.accessToken })).json.error.code, "INVALID_REFRESH_TOKEN");
    await project.stop();
  });
});
