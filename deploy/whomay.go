package deploy

import (
	"context"
	"iter"
	"net/http"

	"milepost/consumers"
	"milepost/deploy/access"
	"milepost/producers"
	"milepost/schemas"
)

// openAccess opens what says who may, and what proves and records who did.
func (a *App) openAccess(ctx context.Context) error {
	var err error
	if a.actorKey, a.unprovenUpTo, err = access.ActorKey(ctx, a.js); err != nil {
		return err
	}
	if a.tokens, err = access.OpenStore(ctx, a.js, a.now, a.log); err != nil {
		return err
	}
	a.closers = append(a.closers, func(context.Context) error { a.tokens.Close(); return nil })
	if a.trail, err = access.OpenTrail(ctx, a.js, a.now, a.log); err != nil {
		return err
	}
	a.closers = append(a.closers, a.trail.Close)
	return nil
}

// actors says whose word the consumers take for who sent an event.
func (a *App) actors() consumers.ActorTrust {
	return consumers.ActorTrust{Key: a.actorKey, UnprovenUpTo: a.unprovenUpTo}
}

// guarded puts the rules of access before the routes.
func (a *App) guarded(routes http.Handler, operator string) (http.Handler, error) {
	proxies, err := access.ParseProxies(a.config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	return access.NewGuard(access.Config{
		Tokens: a.tokens, Trail: a.trail, Rules: accessRules(), Operator: operator, LocalOnly: access.Loopback(a.config.Listen),
		Proxies: proxies, Sessions: a.sessions, PageRefused: a.pageRefused(), Limits: access.Limits{Rate: float64(a.config.RequestRate)}, Now: a.now, Log: a.log,
	}, routes), nil
}

// note records what a request published.
func (a *App) note(ctx context.Context, action string, tally producers.Tally) {
	p := schemas.PrincipalOf(ctx)
	if p == nil || tally == (producers.Tally{}) {
		return
	}
	r := schemas.AuditRecord{
		Action: action, Actor: p.Actor(), Name: p.Name, Remote: p.Remote, Result: schemas.AuditDone, Code: tally.Code, Requests: 1,
		Published: tally.Published, Duplicates: tally.Duplicates, Refused: tally.Refused, FirstSeq: tally.FirstSeq, LastSeq: tally.LastSeq,
	}
	switch {
	case tally.Failed > 0:
		r.Result = schemas.AuditFailed
	case tally.Published == 0 && tally.Duplicates == 0:
		r.Result = schemas.AuditRefused
	}
	a.trail.Note(r)
}

// eventsHandler serves the events of those who may send them.
func (a *App) eventsHandler() http.Handler {
	return producers.NewHandler(a.publisher, producers.HandlerOptions{
		Applied: a.applied,
		Admit:   func(r *http.Request) producers.Admission { return a.admission(r.Context()) },
		Done:    func(r *http.Request, t producers.Tally) { a.note(r.Context(), "publish", t) },
	})
}

// importPublisher publishes what an import sends, within what its sender may,
// and records it.
type importPublisher struct{ a *App }

// Publish is that of producers.Publisher.
func (i importPublisher) Publish(ctx context.Context, submissions iter.Seq[producers.Submission], actor string) iter.Seq[producers.Receipt] {
	admitted := producers.Admitted(submissions, i.a.admission(ctx))
	return func(yield func(producers.Receipt) bool) {
		var tally producers.Tally
		defer func() { i.a.note(ctx, "import", tally) }()
		for receipt := range i.a.publisher.Publish(ctx, admitted, actor) {
			tally.Count(receipt)
			if !yield(receipt) {
				return
			}
		}
	}
}
