// SPDX-License-Identifier: MIT
// The mail service of account flows: a local server that takes its time.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { startAccounts } from "./accounts.mjs";

test("the answer does not wait for the mail service, nor tell by its time whether there was a mail", async () => {
  const waiting = [];
  const service = http.createServer((request, response) => { waiting.push(response); }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const project = await startAccounts({ auth: { passwordReset: { url: "https://app.example.com/reset?token={token}" } },
    more: { mail: { type: "http", url: `http://127.0.0.1:${service.address().port}/`, timeoutMs: 60000 } } });
  const answer = await project.post("/api/auth/password/forgot", { email: "ada@example.com" }); // while the service says nothing
  assert.deepEqual([answer.status, answer.text], [200, '{"success":true}']);
  while (waiting.length === 0) await once(service, "request");
  waiting[0].end("{}");
  await project.stop();
  service.close();
});
