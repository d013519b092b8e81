package deploy

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"milepost/deploy/access"
	"milepost/deploy/embedded/assets"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/counting"
	"milepost/schemas"
	"milepost/web/pages"
)

// pageRoutes joins the pages to what they show.
func (a *App) pageRoutes(mux *http.ServeMux, analyst pages.Analyst) error {
	proxies, err := access.ParseProxies(a.config.TrustedProxies)
	if err != nil {
		return err
	}
	opening, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if a.sessions, err = access.OpenSessions(opening, a.js, a.tokens, a.config.TLSCert != "", proxies, a.now); err != nil {
		return err
	}
	config := pages.Config{
		Rules: a.book, Ledgers: a.pageLedgers(), Knowledge: knowledge{a}, Figures: pageFigures{a.ledgers}, Analyst: analyst, Archive: pageArchive{analyst},
		Sessions: a.sessions, TokensUsed: a.tokens.Used, Script: a.pageScript.text, Join: a.longRuns.join, Now: a.now, Log: a.log,
	}
	config.Desk, config.NoteRefusal = pageDesk{editionDesk{a.press}, pageArchive{analyst}}, access.NoteRefusal
	if a.config.Has(settings.TargetProducers) {
		config.Publisher = pagePublisher{a}
		config.Imports = pageImports{a}
	}
	config.Admin = pageAdmin{a, analyst, a.now()}
	config.Evidence = pageFiles{a.evidence}
	if a.pages, err = pages.New(config); err != nil {
		return err
	}
	a.pages.Register(mux)
	return nil
}

// pageRefused gives what answers refused requests of pages; nil where there are
// none.
func (a *App) pageRefused() func(http.ResponseWriter, *http.Request, error) {
	if a.pages == nil {
		return nil
	}
	return a.pages.Refuse
}

// pageScript is the script that pages load, when it is there.
type pageScript struct{ kept atomic.Pointer[[]byte] }

func (s *pageScript) text() []byte {
	if text := s.kept.Load(); text != nil {
		return *text
	}
	return nil
}

// warmTime bounds how long the start waits for the board.
const warmTime = 3 * time.Second

// warmPages makes the board, so that the first who asks does not wait for it;
// a board that takes longer goes on being made while the server serves.
func (a *App) warmPages(ctx, background context.Context) {
	if a.pages == nil {
		return
	}
	warm := make(chan struct{})
	a.group.Go(func() error {
		a.pages.Warm(background, warm)
		return nil
	})
	timer := time.NewTimer(warmTime)
	defer timer.Stop()
	select {
	case <-warm:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// fetchPageScript brings the script without holding up the start: pages do
// without it.
func (a *App) fetchPageScript(ctx context.Context) {
	if a.pages == nil {
		return
	}
	a.group.Go(func() error {
		text, err := assets.Store{}.Script(ctx, "htmx")
		if err != nil {
			if ctx.Err() == nil {
				a.log.Warn("the pages do without htmx, and load anew where they would have changed a part", "error", err)
			}
			return nil
		}
		a.pageScript.kept.Store(&text)
		return nil
	})
}

// pageFigures are the figures of bulletins.
type pageFigures struct{ ledgers datedLedgers }

// Count counts the ledger's projects in its own month.
func (f pageFigures) Count(l *schemas.Ledger) (pages.Counts, error) {
	period := schemas.Period{Kind: schemas.MonthOf, Start: l.AsOf.Month().First(), End: l.AsOf}
	counts, err := counting.Count(l, f.ledgers.book.On(l.AsOf), period)
	if err != nil {
		return pages.Counts{}, err
	}
	return pages.Counts{Milestones: counts.Whole.MilestoneCounts(), Investment: counts.Whole.Investment(l.ReportingMonth)}, nil
}

// Model makes the period's bulletin without its restatements.
func (f pageFigures) Model(ctx context.Context, period schemas.Period, known uint64) (*schemas.Bulletin, error) {
	return bulletin.Build(ctx, f.ledgers.on(period.End), f.ledgers.book.On(period.End), period, known)
}

// pagePublisher publishes what forms send, within what their sender may, and
// records it.
type pagePublisher struct{ a *App }

// Publish publishes the events in their order.
func (p pagePublisher) Publish(ctx context.Context, events [][]byte) []pages.Receipt {
	submissions := func(yield func(producers.Submission) bool) {
		for i, raw := range events {
			if !yield(producers.Submission{Line: i + 1, Raw: raw}) {
				return
			}
		}
	}
	actor := ""
	if principal := schemas.PrincipalOf(ctx); principal != nil {
		actor = principal.Actor()
	}
	var tally producers.Tally
	defer func() { p.a.note(ctx, "publish", tally) }()
	receipts := make([]pages.Receipt, 0, len(events))
	for r := range p.a.publisher.Publish(ctx, producers.Admitted(submissions, p.a.admission(ctx)), actor) {
		tally.Count(r)
		receipts = append(receipts, pages.Receipt{Seq: r.Seq, Duplicate: r.Duplicate, Warnings: r.Warnings, Error: r.Error})
	}
	return receipts
}
