// SPDX-License-Identifier: MIT
// server.mjs - start a covara server as a child process on a free port, and stop that very child.
import { spawn } from "node:child_process";

/*
 * binary     path of the covara executable
 * directory  folder with covara.jsonc, also the child's working directory
 * options    args: more arguments of `serve`; env: more environment; timeoutMs: longest start (30000)
 *
 * Resolves when the line {"msg":"Listening","url":...} came, to { url, pid, stop(), output() }.
 * stop() sends SIGTERM and resolves to { code, signal }; it fails when the child was gone already, because a
 * server that ends by itself has crashed.
 */
export function startServer(binary, directory, { args = [], env = {}, timeoutMs = 30000 } = {}) {
  const child = spawn(binary, ["serve", directory, "--port", "0", ...args], {
    cwd: directory, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "", lines = "", over = null;
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve((over = { code, signal }))));
  const tail = () => output.split("\n").slice(-40).join("\n");

  const stop = async () => {
    if (over) throw new Error(`the server ended by itself (${over.signal ?? `exit ${over.code}`}):\n${tail()}`);
    child.kill("SIGTERM");
    const deadline = setTimeout(() => child.kill("SIGKILL"), 20000);
    const result = await ended;
    clearTimeout(deadline);
    return result;
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`no "Listening" line within ${timeoutMs} ms:\n${tail()}`));
    }, timeoutMs);
    child.on("error", (error) => { clearTimeout(timer); reject(new Error(`${binary}: ${error.message}`)); });
    ended.then(({ code, signal }) => {
      clearTimeout(timer);
      reject(new Error(`the server did not start (${signal ?? `exit ${code}`}):\n${tail()}`));
    });
    child.stderr.on("data", (chunk) => { output += chunk; });
    child.stdout.on("data", (chunk) => {
      output += chunk;
      lines += chunk;
      for (let end; (end = lines.indexOf("\n")) >= 0; lines = lines.slice(end + 1)) {
        let entry;
        try { entry = JSON.parse(lines.slice(0, end)); } catch { continue; }
        if (entry.msg !== "Listening" || !entry.url) continue;
        clearTimeout(timer);
        const url = new URL(entry.url);
        if (url.hostname === "0.0.0.0" || url.hostname === "localhost") url.hostname = "127.0.0.1";
        resolve({ url: url.origin, pid: child.pid, stop, output: () => output });
      }
    });
  });
}
