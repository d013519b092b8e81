package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"milepost/schemas"
)

// DeadLetters lists what the consumers could not accept, and records what
// people do about it.
type DeadLetters interface {
	// DeadLetters lists the newest, newest first: the open ones, or all.
	DeadLetters(ctx context.Context, limit int, all bool) ([]schemas.DeadLetter, error)
	// DeadLetter gives one, and the whole message as it came.
	DeadLetter(ctx context.Context, seq uint64) (letter *schemas.DeadLetter, raw []byte, err error)
	// Resend publishes an event instead of the dead letter, by default the
	// message as it came, and gives the closed dead letter.
	Resend(ctx context.Context, seq uint64, event []byte, actor string) (*schemas.DeadLetter, error)
	// Discard closes the dead letter for a reason.
	Discard(ctx context.Context, seq uint64, reason, actor string) (*schemas.DeadLetter, error)
}

// maxReason bounds the characters of a reason to discard a dead letter.
const maxReason = 1000

// deadLetters answers GET /v1/dead-letters?limit=n&all=true, newest first.
func (a *api) deadLetters(w http.ResponseWriter, r *http.Request) error {
	limit := 1000
	if given := r.FormValue("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > 100_000 {
			return &schemas.Error{Code: schemas.Invalid, Field: "limit", Value: schemas.Shorten(given), Message: "not a limit", Hint: "from 1 to 100000"}
		}
		limit = n
	}
	var all bool
	if given := r.FormValue("all"); given != "" {
		var err error
		if all, err = strconv.ParseBool(given); err != nil {
			return &schemas.Error{Code: schemas.Invalid, Field: "all", Value: schemas.Shorten(given), Message: "neither true nor false", Hint: "true lists the closed ones, too"}
		}
	}
	letters, err := a.DeadLetters.DeadLetters(r.Context(), limit, all)
	if err != nil {
		return err
	}
	if letters == nil {
		letters = []schemas.DeadLetter{}
	}
	return writeJSON(w, letters)
}

// deadLetter answers GET /v1/dead-letters/{seq}?format=json|raw; raw are the
// bytes of the message.
func (a *api) deadLetter(w http.ResponseWriter, r *http.Request) error {
	seq, err := deadLetterSeq(r)
	if err != nil {
		return err
	}
	format := formatOr(r, "json")
	if format != "json" && format != "raw" {
		return unknownFormat(format, "json or raw")
	}
	letter, raw, err := a.DeadLetters.DeadLetter(r.Context(), seq)
	if err != nil {
		return err
	}
	if format == "raw" {
		// It is a stranger's text; no browser is to take it for a page.
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, err := w.Write(raw)
		return err
	}
	return writeJSON(w, letter)
}

// resendDeadLetter answers POST /v1/dead-letters/{seq}/resend: the body is the
// mended event; without one the message is sent as it came.
func (a *api) resendDeadLetter(w http.ResponseWriter, r *http.Request) error {
	seq, err := deadLetterSeq(r)
	if err != nil {
		return err
	}
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, schemas.MaxEventBytes+4<<10))
	if err != nil {
		return &schemas.Error{Code: schemas.TooLarge, Message: "the event is larger than 256 KiB, or was cut off", Hint: "refer to large content by URI instead of enclosing it", Err: err}
	}
	letter, err := a.DeadLetters.Resend(r.Context(), seq, bytes.TrimSpace(bytes.TrimPrefix(event, []byte("\ufeff"))), a.Actor(r))
	if err != nil {
		return err
	}
	return writeJSON(w, letter)
}

// discardDeadLetter answers POST /v1/dead-letters/{seq}/discard with a body
// such as {"reason": "…"}.
func (a *api) discardDeadLetter(w http.ResponseWriter, r *http.Request) error {
	seq, err := deadLetterSeq(r)
	if err != nil {
		return err
	}
	var given struct {
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&given); err != nil {
		return &schemas.Error{Code: schemas.Malformed, Message: "the body does not read", Hint: `send {"reason": "…"}`, Err: err}
	}
	reason := strings.TrimSpace(given.Reason)
	if n := utf8.RuneCountInString(reason); n == 0 || n > maxReason {
		return &schemas.Error{Code: schemas.Invalid, Field: "reason", Value: schemas.Shorten(reason), Message: "not a reason", Hint: "say in up to 1000 characters why the dead letter is discarded"}
	}
	letter, err := a.DeadLetters.Discard(r.Context(), seq, reason, a.Actor(r))
	if err != nil {
		return err
	}
	return writeJSON(w, letter)
}

func deadLetterSeq(r *http.Request) (uint64, error) {
	given := r.PathValue("seq")
	seq, err := strconv.ParseUint(given, 10, 64)
	if err != nil || seq == 0 {
		return 0, &schemas.Error{Code: schemas.Invalid, Field: "seq", Value: schemas.Shorten(given), Message: "not a stream sequence", Hint: "give the number that the list of dead letters shows"}
	}
	return seq, nil
}

func writeJSON(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}
