package schemas

import (
	"errors"
	"fmt"
	"strings"
)

// Code classifies an error for machines. One classification serves the HTTP
// status, the exit code and the consumer's verdict.
type Code string

// The codes of the contract. Malformed, Invalid, Unknown, TooLarge and Foreign
// speak of input that will never be accepted as it is; Conflict of input that
// contradicts what is recorded; NotFound and Forbidden of a request;
// Unauthenticated of a sender that nobody knows; TooMany and TooSlow of how it
// was sent; Unavailable of something that may heal; Internal of a fault of ours.
const (
	Malformed   Code = "malformed"
	Invalid     Code = "invalid"
	Unknown     Code = "unknown"
	TooLarge    Code = "too_large"
	Foreign     Code = "foreign"
	Conflict    Code = "conflict"
	NotFound    Code = "not_found"
	Forbidden   Code = "forbidden"
	Unavailable Code = "unavailable"
	Internal    Code = "internal"

	// Withdrawn speaks of an edition that was published and taken back.
	Withdrawn Code = "withdrawn"

	Unauthenticated Code = "unauthenticated"
	TooMany         Code = "too_many_requests"
	TooSlow         Code = "too_slow"
)

// Error says what is wrong in three voices: a Code for machines, a Message for
// people and a Hint for the next step. Field (a path such as "data.month") and
// Value (shortened, as sent) name the place in an input.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Value   string `json:"value,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// Err is the cause, if there is one; it is not shown to machines.
	Err error `json:"-"`
}

// Error gives one line: message, field and value, hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Value != "" {
		fmt.Fprintf(&b, " (got %s)", e.Value)
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf gives the code of the first *Error in err's chain, and Internal for
// any other error that is not nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Permanent tells whether sending the same input again can never succeed: such
// an event belongs to the dead letters, every other failure is tried again.
func Permanent(err error) bool {
	switch CodeOf(err) {
	case Malformed, Invalid, Unknown, TooLarge, Foreign, Conflict:
		return true
	}
	return false
}

// Warning tells the sender of something that does not stop an event.
type Warning struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// Shorten cuts a value from a stranger to what an error message can carry.
func Shorten(value string) string {
	const limit = 80
	count := 0
	for i := range value {
		if count == limit {
			return value[:i] + "…"
		}
		count++
	}
	return value
}
