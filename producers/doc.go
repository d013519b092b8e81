// Package producers makes events: it is the one door through which they reach
// the stream. Publisher validates and publishes in order, NewHandler serves
// POST /v1/events, Client speaks to it, Spool keeps events where the line is
// bad, and package imports turns the snapshots of a spreadsheet into events.
//
// A program of one's own has two ways. Connect gives a Sender on the stream of a
// NATS server, for typed events; it needs credentials when the server asks for
// some. NewClient speaks HTTP to a Milepost server. Either way an event is
// identified by its source and id, and sending it again changes nothing.
package producers
