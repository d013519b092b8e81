# Publishes one event from Python, with credentials of "milepost nats-creds --district shanyang --out office.creds":
#   pip install "nats-py[nkeys]" && python3 publish.py nats://127.0.0.1:4222 office.creds shanyang < event.json
import asyncio, hashlib, json, sys
import nats


async def main(server, creds, district):
    text = sys.stdin.buffer.read()
    event = json.loads(text)
    # Below this prefix is the only place where this client may hear answers.
    connection = await nats.connect(server, user_credentials=creds, inbox_prefix=f"_INBOX.{district}")
    subject = f"milepost.events.{district}.{event['subject']}.{event['type'].removesuffix('.v1')}"
    # The same event again is a duplicate, not a second one.
    headers = {"Nats-Msg-Id": hashlib.sha256(text).hexdigest()}
    receipt = await connection.jetstream().publish(subject, text, headers=headers)
    print(json.dumps({"seq": receipt.seq, "duplicate": bool(receipt.duplicate)}))
    await connection.drain()


asyncio.run(main(*sys.argv[1:4]))
