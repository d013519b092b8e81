package deploy

import (
	"context"
	"iter"
	"net/http"
	"time"

	"milepost/consumers/warehouse"
	"milepost/deploy/access"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/producers/imports"
	"milepost/schemas"
	"milepost/web"
)

// maxQueryTime bounds a reader's request.
const maxQueryTime = 5 * time.Minute

// routes joins the HTTP interfaces of the process's roles.
func (a *App) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	if a.config.Has(settings.TargetProducers) || a.config.Has(settings.TargetWeb) {
		if err := a.evidenceRoutes(mux); err != nil {
			return nil, err
		}
	}
	if a.config.Has(settings.TargetProducers) {
		mux.Handle("/v1/events", a.eventsHandler())
		spreadsheets, err := a.importsHandler()
		if err != nil {
			return nil, err
		}
		mux.Handle("/v1/imports", spreadsheets)
		mux.Handle("/v1/imports/", spreadsheets)
	}
	if a.config.Has(settings.TargetWeb) {
		analyst, err := newAnalyst(a.analystDSN(), a.embeddedClickHouse != nil, a.missing.store)
		if err != nil {
			return nil, err
		}
		api := web.NewAPI(web.Config{
			Rules: a.book, Ledgers: a.ledgers, Knowledge: knowledge{a}, Bulletins: a.press, Assessments: a.press, Editions: editionDesk{a.press}, DeadLetters: deadLetterDesk{a.reader, a.js, a.past, a.publisher, a.now}, Actor: producers.RemoteActor,
			Analyst: analyst, Now: a.now,
		})
		mux.Handle("/v1/", withTimeout(api, maxQueryTime))
		if err := a.pageRoutes(mux, analyst); err != nil {
			return nil, err
		}
	}
	mux.HandleFunc("POST /v1/replay", a.serveReplay)
	a.backupRoutes(mux)
	a.archiveRoutes(mux)
	a.doctorRoutes(mux)
	a.scheduleRoutes(mux)
	a.deliveryRoutes(mux)
	if err := a.contractRoutes(mux); err != nil {
		return nil, err
	}
	access.Desk{Tokens: a.tokens, Trail: a.trail, Districts: a.book.Any().DistrictCodes()}.Register(mux)
	a.healthRoutes(mux)
	a.metrics.registry.MustRegister(newEngines(a.js, a.applied, a.warehouse, a.now))
	a.metrics.registry.MustRegister(newDiskMetrics(a.config.Data))
	a.metrics.registry.MustRegister(newScheduleMetrics(a.press.scheduler, a.courier))
	mux.Handle("GET /metrics", a.metrics.handler())
	return a.withMissingPage(mux), nil
}

// knowledge answers what is known from the stream and the warehouse.
type knowledge struct{ a *App }

func (k knowledge) Watermark(ctx context.Context) (uint64, error) { return k.a.applied.Watermark(ctx) }

func (k knowledge) WaitApplied(ctx context.Context, seq uint64) error {
	return k.a.applied.WaitApplied(ctx, seq)
}

// LastSequence gives the sequence of the newest message on the stream.
func (k knowledge) LastSequence(ctx context.Context) (uint64, error) {
	stream, err := k.a.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, &schemas.Error{Code: schemas.Unavailable, Message: "the stream cannot be read", Hint: "check that NATS runs", Err: err}
	}
	return stream.CachedInfo().State.LastSeq, nil
}

// lag is how many messages of the stream are not applied yet.
func (a *App) lag(ctx context.Context) (uint64, error) {
	last, err := knowledge{a}.LastSequence(ctx)
	if err != nil {
		return 0, err
	}
	watermark, err := a.applied.Watermark(ctx)
	return last - min(last, watermark), err
}

// SequenceAt waits until everything on the stream is applied: only then is the
// last sequence recorded by a time known.
func (k knowledge) SequenceAt(ctx context.Context, at time.Time) (uint64, error) {
	last, err := k.LastSequence(ctx)
	if err != nil {
		return 0, err
	}
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := k.a.applied.WaitApplied(wait, last); err != nil {
		return 0, err
	}
	return k.a.reader.SequenceAt(ctx, at)
}

// sentBefore gives the importer what its source has published.
type sentBefore struct{ reader *warehouse.Reader }

func (s sentBefore) EventsFrom(ctx context.Context, source string) iter.Seq2[imports.PublishedEvent, error] {
	return func(yield func(imports.PublishedEvent, error) bool) {
		// What an import compares with it also tells.
		if p := schemas.PrincipalOf(ctx); p != nil {
			if err := p.AdmitsSource(source, ""); err != nil {
				yield(imports.PublishedEvent{}, err)
				return
			}
		}
		for e, err := range s.reader.EventsFrom(ctx, source) {
			if !yield(imports.PublishedEvent{Seq: e.Seq, Event: e.Event, Revoked: e.Revoked}, err) {
				return
			}
		}
	}
}

func withTimeout(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
