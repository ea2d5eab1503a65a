// A push service on 127.0.0.1 that takes every message, for as little CPU as it can.
//
//   node sink.mjs KEY.pem CERT.pem [--port N] [--http1] [--every N --file PATH]
//
// Prints its port when it listens, and the number of messages it took when it ends (SIGTERM).
// GET /count gives that number. With --file, every Nth message is written there, one JSON object
// a line: its path, its headers, its body in base64. HTTP/2 only, or with --http1 HTTP/1.1 only:
// a server of both would pay for a layer of compatibility.
import { createWriteStream, readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { createServer } from "node:https";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: "string", default: "0" },
    http1: { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    file: { type: "string" },
  },
});
const every = Number(values.every);
const out = values.file ? createWriteStream(values.file) : null;
const tls = { key: readFileSync(positionals[0]), cert: readFileSync(positionals[1]) };
let count = 0;

function taken(readable, path, headers, answer) {
  const kept = out && count % every === 0 ? [] : null;
  count += 1;
  if (kept) readable.on("data", (chunk) => kept.push(chunk));
  else readable.resume();
  readable.on("end", () => {
    if (kept) {
      const body = Buffer.concat(kept).toString("base64");
      out.write(JSON.stringify({ path, headers, body }) + "\n");
    }
    answer();
  });
  readable.on("error", () => {}); // a client that leaves is no concern of a sink's
}

function http2() {
  const server = createSecureServer({ ...tls, settings: { maxConcurrentStreams: 1000 } });
  server.on("stream", (stream, headers) => {
    if (headers[":method"] === "GET") {
      stream.respond({ ":status": 200 });
      stream.end(String(count));
      return;
    }
    taken(stream, headers[":path"], headers, () =>
      stream.respond({ ":status": 201 }, { endStream: true }),
    );
  });
  return server;
}

function http1() {
  return createServer({ ...tls, keepAlive: true }, (request, response) => {
    if (request.method === "GET") {
      response.end(String(count));
      return;
    }
    taken(request, request.url, request.headers, () => {
      response.statusCode = 201;
      response.end();
    });
  });
}

const server = values.http1 ? http1() : http2();
server.on("sessionError", () => {});
server.listen(Number(values.port), "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => {
  const end = () => {
    console.log(count);
    process.exit(0);
  };
  if (out) out.end(end);
  else end();
});
