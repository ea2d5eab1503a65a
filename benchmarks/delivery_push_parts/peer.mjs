// The npm package web-push as its users would run it at its best: connections are kept, and the
// VAPID header is signed once. The rest (encryption, request) is the package's own doing.
//
//   NODE_EXTRA_CA_CERTS=CA.pem node peer.mjs MODULES SUBSCRIPTIONS.json
//       [--count K] [--open N] [--payload FILE] [--sign-each]
//
// MODULES is the folder in which `npm install web-push` was run. SUBSCRIPTIONS.json is a list of
// {"endpoint": …, "keys": {"p256dh": …, "auth": …}}. Sends K messages (default: one for each
// subscription) of FILE's bytes with N requests open at once. With --sign-each the package signs
// a VAPID header for every message, as it does when it is called as documented. Prints one JSON
// line: sent, failed, seconds, and messages a second.
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    open: { type: "string", default: "50" },
    payload: { type: "string" },
    "sign-each": { type: "boolean", default: false },
  },
});
const webpush = createRequire(resolve(positionals[0], "x.js"))("web-push");
const subscriptions = JSON.parse(readFileSync(positionals[1], "utf8"));
const payload = values.payload
  ? readFileSync(values.payload)
  : JSON.stringify({ title: "避難指示", body: "ただちに避難してください。", url: "/" });
const total = Number(values.count ?? subscriptions.length);
const open = Number(values.open);

const agent = new Agent({ keepAlive: true, maxSockets: open });
const keys = webpush.generateVAPIDKeys();
const signed = new Map();

function authorization(endpoint) {
  const { origin } = new URL(endpoint);
  if (!signed.has(origin)) {
    const headers = webpush.getVapidHeaders(
      origin, "mailto:push@example.com", keys.publicKey, keys.privateKey, "aes128gcm",
    );
    signed.set(origin, headers.Authorization);
  }
  return signed.get(origin);
}

let next = 0;
let sent = 0;
let failed = 0;

async function worker() {
  while (next < total) {
    const subscription = subscriptions[next++ % subscriptions.length];
    const identity = values["sign-each"]
      ? { vapidDetails: { subject: "mailto:push@example.com", ...keys } }
      : { headers: { Authorization: authorization(subscription.endpoint) } };
    const options = { TTL: 86400, urgency: "high", topic: "t1", agent, ...identity };
    try {
      await webpush.sendNotification(subscription, payload, options);
      sent += 1;
    } catch (error) {
      failed += 1;
      if (failed === 1) console.error(error.message, error.statusCode);
    }
  }
}

const began = performance.now();
await Promise.all(Array.from({ length: open }, worker));
const seconds = (performance.now() - began) / 1000;
agent.destroy();
console.log(JSON.stringify({ sent, failed, seconds, per_second: sent / seconds }));
