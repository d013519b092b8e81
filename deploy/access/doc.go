// Package access says who may: it keeps the tokens, finds who sends a request,
// holds it against the rules of its route and against limits, and writes the
// audit.
package access
