// Package schemas is the contract that every other package speaks: the events
// that offices send, the rules that give them meaning, and the models that
// readers get. It does no I/O.
package schemas
