package access

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"milepost/schemas"
)

// Created is the answer to a wish: the only place that ever shows the token.
type Created struct {
	Token
	Text string `json:"token"`
}

// Desk serves tokens and the audit.
type Desk struct {
	Tokens *Store
	Trail  *Trail
	// Districts are the codes that a token may be bound to.
	Districts []string
}

// Register adds the desk's routes.
func (d Desk) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/tokens", d.create)
	mux.HandleFunc("GET /v1/tokens", d.list)
	mux.HandleFunc("POST /v1/tokens/{id}/revoke", d.revoke)
	mux.HandleFunc("GET /v1/audit", d.audit)
}

// named gives who asks, and refuses a nameless sender: who makes the first
// token shuts out everybody else, and that is for the operator to do.
func named(w http.ResponseWriter, r *http.Request) *schemas.Principal {
	if p := schemas.PrincipalOf(r.Context()); p != nil && p.ID != "" {
		return p
	}
	schemas.WriteProblem(w, &schemas.Error{Code: schemas.Forbidden, Message: "tokens are made by the operator or by an admin", Hint: "run milepost token on the server's machine as the user who runs it, or send an admin's token"})
	return nil
}

func (d Desk) create(w http.ResponseWriter, r *http.Request) {
	p := named(w, r)
	if p == nil {
		return
	}
	var wish Wish
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wish); err != nil {
		schemas.WriteProblem(w, &schemas.Error{Code: schemas.Malformed, Message: "the body does not read", Hint: `send {"role": "office", "districts": ["shanyang"], "expires": "90d"}`, Err: err})
		return
	}
	token, text, err := d.Tokens.Create(r.Context(), wish, p.Actor(), d.Districts)
	if err != nil {
		schemas.WriteProblem(w, firstError(err))
		return
	}
	ActedOn(r.Context(), token.ID)
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, Created{token, text})
}

// firstError gives one error that says all that is wrong.
func firstError(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) == 0 {
		return err
	}
	list := joined.Unwrap()
	first, ok := list[0].(*schemas.Error)
	if !ok {
		return err
	}
	told := *first
	for _, more := range list[1:] {
		told.Message += "; " + more.Error()
	}
	return &told
}

func (d Desk) list(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, d.Tokens.List())
}

func (d Desk) revoke(w http.ResponseWriter, r *http.Request) {
	p := named(w, r)
	if p == nil {
		return
	}
	token, err := d.Tokens.Revoke(r.Context(), r.PathValue("id"), p.Actor())
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	writeJSON(w, http.StatusOK, token)
}

func (d Desk) audit(w http.ResponseWriter, r *http.Request) {
	since, err := parseSince(r.FormValue("since"))
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	records, err := d.Trail.Read(r.Context(), since)
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	if records == nil {
		records = []schemas.AuditRecord{}
	}
	writeJSON(w, http.StatusOK, records)
}

// parseSince reads a time or a day in Shanghai; nothing is the beginning.
func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if day, err := schemas.ParseDate(strings.TrimSpace(text)); err == nil {
		return day.Start(), nil
	}
	return time.Time{}, &schemas.Error{Code: schemas.Invalid, Field: "since", Value: schemas.Shorten(text), Message: "not a time", Hint: "write 2026-01-31 or 2026-01-31T09:00:00+08:00"}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(value) // a client that went away has nobody to tell
}
