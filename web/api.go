// Package web serves what readers ask for over HTTP: the ledger, bulletins,
// assessments, analysts' SQL and the dead letters.
package web

import (
	"context"
	"io"
	"iter"
	"net/http"
	"time"

	"milepost/schemas"
)

// Ledgers gives the ledger at a cut.
type Ledgers interface {
	// Standings yields its rows by project id, of those behind a given one.
	Standings(ctx context.Context, cut schemas.Cut, after string) iter.Seq2[*schemas.Standing, error]
}

// Knowledge says what is known: the applied watermark, and the last sequence
// recorded by a time (specification §4).
type Knowledge interface {
	// Watermark gives the greatest sequence at and below which everything is
	// applied.
	Watermark(ctx context.Context) (uint64, error)
	// WaitApplied returns when the watermark has reached the sequence.
	WaitApplied(ctx context.Context, seq uint64) error
	// SequenceAt gives the last sequence recorded by the time.
	SequenceAt(ctx context.Context, at time.Time) (uint64, error)
}

// Form says how a document is printed.
type Form struct {
	Edition string // "official" or "media"
	Format  string // "json", "md", "html", "pdf", "docx" or "xlsx"
}

// Bulletins makes drafts and publishes.
type Bulletins interface {
	// Draft writes the bulletin of the period, as known at the sequence.
	Draft(ctx context.Context, w io.Writer, period schemas.Period, known uint64, form Form) error
	// Publish writes the published edition; it publishes the period when that
	// was not done before.
	Publish(ctx context.Context, w io.Writer, period schemas.Period, form Form) error
}

// Analyst runs one read-only statement and writes its result.
type Analyst interface {
	// Query writes the result of the statement to w in a ClickHouse format.
	Query(ctx context.Context, w io.Writer, sql, format string) error
}

// Config is what the API stands on. Every field is needed.
type Config struct {
	// Rules name the districts of a ledger by its day.
	Rules       *schemas.RuleBook
	Ledgers     Ledgers
	Knowledge   Knowledge
	Bulletins   Bulletins
	Assessments Assessments
	Editions    Editions
	DeadLetters DeadLetters
	Analyst     Analyst
	// Actor names who sends a request.
	Actor func(*http.Request) string
	Now   func() time.Time
}

// NewAPI gives the reading API under /v1/.
func NewAPI(c Config) http.Handler {
	a := &api{Config: c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/ledger", answer(a.ledger))
	mux.HandleFunc("GET /v1/bulletins/{period}", answer(a.bulletin))
	mux.HandleFunc("POST /v1/bulletins/{period}", answer(a.publish))
	mux.HandleFunc("GET /v1/assessments/{year}", answer(a.assessment))
	mux.HandleFunc("POST /v1/assessments/{year}", answer(a.finalise))
	a.editionRoutes(mux)
	mux.HandleFunc("GET /v1/dead-letters", answer(a.deadLetters))
	mux.HandleFunc("GET /v1/dead-letters/{seq}", answer(a.deadLetter))
	mux.HandleFunc("POST /v1/dead-letters/{seq}/resend", answer(a.resendDeadLetter))
	mux.HandleFunc("POST /v1/dead-letters/{seq}/discard", answer(a.discardDeadLetter))
	mux.HandleFunc("GET /v1/watermark", answer(a.watermark))
	mux.HandleFunc("POST /v1/query", answer(a.query))
	return mux
}

type api struct{ Config }

// answer turns an error into a problem document.
func answer(handle func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tracked := &trackedWriter{ResponseWriter: w}
		if err := handle(tracked, r); err != nil {
			if tracked.started {
				// The status is gone; ending the connection tells the client
				// that the body is not whole.
				panic(http.ErrAbortHandler)
			}
			schemas.WriteProblem(w, err)
		}
	}
}

// trackedWriter remembers whether anything was sent.
type trackedWriter struct {
	http.ResponseWriter
	started bool
}

func (t *trackedWriter) WriteHeader(status int) {
	t.started = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *trackedWriter) Write(p []byte) (int, error) {
	t.started = true
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *trackedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }
