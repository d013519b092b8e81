// Package producers makes events: it is the one door through which they reach
// the stream. Publisher validates and publishes in order, NewHandler serves
// POST /v1/events, Client speaks to it, Spool keeps events where the line is
// bad, and package imports turns the snapshots of a spreadsheet into events.
package producers
