// Publishes one event from JavaScript, with credentials of "milepost nats-creds --district shanyang --out office.creds":
//   npm ci && node publish.mjs nats://127.0.0.1:4222 office.creds shanyang < event.json
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { jetstream } from "@nats-io/jetstream";
import { connect, credsAuthenticator } from "@nats-io/transport-node";

const [servers, creds, district] = process.argv.slice(2);
const text = readFileSync(0, "utf8");
const event = JSON.parse(text);
const connection = await connect({
  servers,
  authenticator: credsAuthenticator(readFileSync(creds)),
  inboxPrefix: `_INBOX.${district}`, // the only place where this client may hear answers
});
const subject = `milepost.events.${district}.${event.subject}.${event.type.replace(/\.v1$/, "")}`;
const msgID = createHash("sha256").update(text).digest("hex"); // the same event again is a duplicate, not a second one
const receipt = await jetstream(connection).publish(subject, text, { msgID });
console.log(JSON.stringify({ seq: receipt.seq, duplicate: receipt.duplicate }));
await connection.drain();
