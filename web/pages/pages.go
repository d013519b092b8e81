// Package pages serves 里程桩, the pages for people: the board, the ledger, a
// project, the report forms, the archive of bulletins and the query box. They
// are whole without JavaScript; with it the board follows the news and filters
// answer without a reload.
package pages

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"milepost/schemas"
)

// Ledgers gives the ledgers of cuts that share one KnownSeq, judged by the
// rules of the first cut's day.
type Ledgers interface {
	// LedgerAndBefore gives the ledger of a cut with its rows by project id, and
	// shows each standing at an earlier cut, in any order and one at a time. Both
	// are judged of one reading of the events where they must be read. What is
	// shown is not kept: a second ledger need not be in memory.
	LedgerAndBefore(ctx context.Context, cut, before schemas.Cut, show func(*schemas.Standing)) (*schemas.Ledger, error)
	// LedgersOf gives the ledgers of cuts for some projects alone.
	LedgersOf(ctx context.Context, projects []string, cuts ...schemas.Cut) ([]*schemas.Ledger, error)
}

// Knowledge says what is known: the applied watermark, and the last sequence
// recorded by a time (specification §4).
type Knowledge interface {
	Watermark(ctx context.Context) (uint64, error)
	// WaitApplied returns when the watermark has reached the sequence.
	WaitApplied(ctx context.Context, seq uint64) error
	// SequenceAt gives the last sequence recorded by the time.
	SequenceAt(ctx context.Context, at time.Time) (uint64, error)
}

// Counts are the figures of §6 over all projects of a ledger.
type Counts struct {
	Milestones schemas.MilestoneCounts
	Investment schemas.InvestmentCount
}

// Figures count and rank; they are those that bulletins print.
type Figures interface {
	// Count counts the ledger's projects; done milestones are those of the year.
	Count(l *schemas.Ledger) (Counts, error)
	// Model gives the model of the period's bulletin as known at the sequence.
	Model(ctx context.Context, period schemas.Period, known uint64) (*schemas.Bulletin, error)
}

// Analyst runs one read-only statement and writes its result in a format of
// ClickHouse.
type Analyst interface {
	Query(ctx context.Context, w io.Writer, sql, format string) error
}

// StoredEvent is an event of a project as the warehouse has it.
type StoredEvent struct {
	Source, ID, Type, District, Actor string
	BusinessDate                      string // empty for none
	RecordedAt                        time.Time
	Seq                               uint64
	Data                              json.RawMessage
}

// Edition is a published bulletin or a finalised assessment.
type Edition struct {
	Kind, Period string
	Number       int
	PublishedAt  string
	KnownSeq     uint64
	Remarks      string
}

// Archive reads what happened.
type Archive interface {
	// History gives the project's events up to the sequence, each identity
	// once, the oldest first.
	History(ctx context.Context, projectID string, known uint64) ([]StoredEvent, error)
	// Editions gives what was published, the latest first.
	Editions(ctx context.Context) ([]Edition, error)
}

// Receipt says what became of a published event.
type Receipt struct {
	Seq       uint64
	Duplicate bool
	Warnings  []schemas.Warning
	Error     *schemas.Error
}

// Publisher publishes events within what the request's principal may send.
type Publisher interface {
	Publish(ctx context.Context, events [][]byte) []Receipt
}

// Sessions let browsers in.
type Sessions interface {
	// Begin begins a session for who sends the token.
	Begin(w http.ResponseWriter, r *http.Request, token string) error
	// End ends the request's session.
	End(w http.ResponseWriter, r *http.Request) error
}

// Config is what the pages stand on. All but Publisher, Imports,
// Admin, Evidence, Script and Join are needed.
type Config struct {
	Rules     *schemas.RuleBook
	Ledgers   Ledgers
	Knowledge Knowledge
	Figures   Figures
	Analyst   Analyst
	Archive   Archive
	// Desk signs off editions and assessments.
	Desk Desk
	// NoteRefusal tells the audit why a request's act was refused; nil tells
	// nobody.
	NoteRefusal func(ctx context.Context, code schemas.Code)
	// Publisher is nil in a process that takes no events, as is Imports.
	Publisher Publisher
	Imports   Imports
	// Admin is nil in a process without administration.
	Admin Administration
	// Evidence is nil in a process that keeps no files.
	Evidence Evidence
	Sessions Sessions
	// TokensUsed tells whether requests need a token.
	TokensUsed func() bool
	// Script gives the text of htmx, nil while it is not there: pages then load
	// anew where they would have changed a part.
	Script func() []byte
	// Join gives a context that ends with the process, for answers that last.
	Join func(ctx context.Context) (joined context.Context, leave func())
	Now  func() time.Time
	Log  *slog.Logger
}

// Pages are the pages.
type Pages struct {
	Config
	static    *static
	templates templates
	snapshots *shelf[cut, *snapshot]
	current   current
	news      *news
	forms     *usedForms
	restated  *shelf[restatedKey, []restatement]
	assessed  *shelf[assessmentKey, *schemas.Assessment]
	workbooks chan struct{} // as many as are made at once
}

// New makes the pages.
func New(c Config) (*Pages, error) {
	p := &Pages{Config: c, news: newNews(c.Knowledge), forms: newUsedForms(c.Now)}
	var err error
	if p.static, err = readStatic(); err != nil {
		return nil, err
	}
	if p.templates, err = readTemplates(); err != nil {
		return nil, err
	}
	p.snapshots = p.newSnapshots()
	p.restated = newShelf(keptRestated, p.readRestated)
	p.assessed = newShelf(keptAssessments, p.makeAssessment)
	p.workbooks = make(chan struct{}, workbooksAtOnce)
	return p, nil
}

// Register adds the routes of the pages.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.page(p.board))
	mux.HandleFunc("GET /board", p.page(p.boardPart))
	mux.HandleFunc("GET /live", p.live)
	mux.HandleFunc("GET /ledger", p.page(p.ledger))
	mux.HandleFunc("GET /ledger/export", p.page(p.exportLedger))
	mux.HandleFunc("GET /projects/{id}", p.page(p.project))
	mux.HandleFunc("GET /projects/{id}/events/{seq}", p.page(p.projectEvent))
	mux.HandleFunc("POST /projects/{id}/events/{seq}/revoke", p.page(p.revoke))
	mux.HandleFunc("GET /projects/{id}/events/{seq}/correct", p.page(p.correct))
	mux.HandleFunc("POST /projects/{id}/events/{seq}/correct", p.page(p.sendCorrection))
	mux.HandleFunc("GET /report", p.page(p.report))
	mux.HandleFunc("POST /report/progress", p.page(p.sendProgress))
	mux.HandleFunc("GET /report/{form}", p.page(p.reportForm))
	mux.HandleFunc("POST /report/{form}", p.page(p.sendForm))
	mux.HandleFunc("GET /report/import", p.page(p.importPage))
	mux.HandleFunc("POST /report/import", p.page(p.previewImport))
	mux.HandleFunc("GET /report/import/{id}", p.page(p.showImport))
	mux.HandleFunc("POST /report/import/{id}/confirm", p.page(p.confirmImport))
	mux.HandleFunc("GET /evidence/{sha256}", p.page(p.evidence))
	mux.HandleFunc("GET /bulletins", p.page(p.bulletins))
	p.registerEditing(mux)
	mux.HandleFunc("GET /query", p.page(p.query))
	mux.HandleFunc("POST /query", p.page(p.runQuery))
	mux.HandleFunc("GET /login", p.page(p.login))
	mux.HandleFunc("POST /login", p.page(p.enter))
	mux.HandleFunc("POST /logout", p.page(p.leave))
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) { p.asset(&pageWriter{w, r}, r) })
	p.registerAdmin(mux)
}

// page turns an error into a page that says what went wrong, and sets the
// headers of every page.
func (p *Pages) page(handle func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		secure(w)
		w = &pageWriter{w, r}
		if err := handle(w, r); err != nil {
			p.Refuse(w, r, err)
		}
	}
}

// contentPolicy lets a page load from its own server only; nothing in a page's
// text runs or styles.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secure(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}
