// Package deliver carries what was published, and letters to people, to where
// they are read: folders, e-mail, robots of chat groups, webhooks and NATS.
//
// What is to be delivered where is a record in a JetStream key-value bucket,
// one for each (item, target). A replica takes a record by a lease and writes
// before and after each attempt, so that several replicas deliver once. A
// replica that dies between the sending and its record leaves the lease to run
// out; the next one sends again, under the same idempotency key. Folders, NATS
// and receivers that honour the key then see one delivery; a chat group may see
// the message twice, since robots know no key. Exactly one success is recorded
// in any case.
package deliver
