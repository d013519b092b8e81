package schemas

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Problem is an Error as an HTTP answer: a problem document (RFC 9457) with the
// members of Error as extensions.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	*Error
}

// Status gives the HTTP status of an error code.
func (c Code) Status() int {
	switch c {
	case Malformed:
		return http.StatusBadRequest
	case Invalid, Unknown:
		return http.StatusUnprocessableEntity
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Foreign, Forbidden:
		return http.StatusForbidden
	case Unauthenticated:
		return http.StatusUnauthorized
	case TooMany:
		return http.StatusTooManyRequests
	case TooSlow:
		return http.StatusRequestTimeout
	case Conflict:
		return http.StatusConflict
	case NotFound:
		return http.StatusNotFound
	case Withdrawn:
		return http.StatusGone
	case Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// WriteProblem answers a request with the error. The text of a fault of ours
// stays inside; the sender's own mistakes are shown whole.
func WriteProblem(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: Internal, Message: "the server failed", Hint: "the server's log says why"}
	}
	shown := *e
	shown.Err = nil // a cause may speak of machines and addresses of ours
	e = &shown
	p := Problem{Type: "about:blank", Title: string(e.Code), Status: e.Code.Status(), Detail: e.Error(), Error: e}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	// The client may be gone; nobody is left to tell.
	_ = json.NewEncoder(w).Encode(p)
}
