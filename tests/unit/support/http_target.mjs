// SPDX-License-Identifier: MIT
// http_target.mjs - the other server that test_native_http.c calls; ends when its standard input does.
//
// Prints one line: the port of HTTP, of HTTPS with a trusted certificate, with one of nobody, with a trusted one of
// another name, a port where nothing listens, and the file with the trusted certificates.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import zlib from "node:zlib";

const temp = fs.mkdtempSync(path.join(os.tmpdir(), "covara-http-"));
process.on("exit", () => fs.rmSync(temp, { recursive: true, force: true }));
process.stdin.on("end", () => process.exit(0)).resume();

let connections = 0;

const routes = {
  "/hello": (req, res) => res.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end("hello"),
  "/bare": (req, res) => res.writeHead(204).end(),
  "/failed": (req, res) => res.writeHead(503, { "Content-Type": "application/json" }).end("{\"a\":1}"),
  "/connections": (req, res) => res.end(String(connections)),
  "/redirect": (req, res) => res.writeHead(302, { Location: "/hello" }).end("over there"),
  "/cookie": (req, res) => res.writeHead(200, { "Set-Cookie": "a=b; Path=/" }).end(),
  "/gzip": (req, res) => res.writeHead(200, { "Content-Encoding": "gzip" }).end(zlib.gzipSync("hello")),
  "/never": () => {},
  "/drip": (req, res) => {
    const timer = setInterval(() => res.write("."), 20);
    res.on("close", () => clearInterval(timer));
  },
  "/chunked": (req, res) => {
    res.write("one ");
    setImmediate(() => res.end("two"));
  },
  "/announced": (req, res) => res.writeHead(200, { "Content-Length": 1e12 }).write("x"),
  "/endless": (req, res) => {
    const more = () => { while (res.write("x".repeat(1000)) && !res.destroyed); };
    res.on("drain", more);
    more();
  },
  "/exactly-1000": (req, res) => res.end("x".repeat(1000)),
  "/head-flood": (req, res) => {
    for (let i = 0; i < 1000; i++) res.setHeader(`X-${i}`, "x".repeat(100));
    res.end();
  },
  "/cut-off": (req, res) => {
    res.writeHead(200, { "Content-Length": 100 });
    res.write("x", () => res.socket.destroy());
  },
};

// What arrived, a line each: request line, headers as sent, an empty line, the body.
function echo(req, res) {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    const lines = [`${req.method} ${req.url}`];
    for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
    res.end(`${lines.join("\n")}\n\n${Buffer.concat(chunks)}`);
  });
}

const answer = (req, res) => (routes[new URL(req.url, "http://host").pathname] ?? echo)(req, res);

function certificate(name, san) {
  const [key, cert] = ["key", "cert"].map((kind) => path.join(temp, `${name}-${kind}.pem`));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=covara test", "-addext", `subjectAltName=${san}`, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}

const listen = (server) => new Promise((resolve) => {
  server.listen(0, "127.0.0.1", () => resolve(server.address().port));
});

const good = certificate("good", "IP:127.0.0.1");
const nobody = certificate("nobody", "IP:127.0.0.1");
const other = certificate("other", "DNS:other.example");
const trusted = path.join(temp, "trusted.pem");
fs.writeFileSync(trusted, Buffer.concat([good.cert, other.cert]));

const plain = http.createServer({ keepAliveTimeout: 60000 }, answer).on("connection", () => connections++);
const ports = [await listen(plain)];
for (const pair of [good, nobody, other]) ports.push(await listen(https.createServer(pair, answer)));
const closed = http.createServer();
ports.push(await listen(closed));
await new Promise((resolve) => { closed.close(resolve); });
console.log([...ports, trusted].join(" "));
