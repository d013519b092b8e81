package deploy

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	natsclient "github.com/nats-io/nats.go"

	"milepost/consumers/warehouse"
	"milepost/deploy/settings"
	"milepost/schemas"
)

// healthTime bounds what a supervisor waits for.
const healthTime = 5 * time.Second

// standstill is how long the consumers of this process may stay where they are while events wait and both engines answer:
// longer than any write, retry or rest of a replay takes.
const standstill = 5 * time.Minute

// liveness remembers when the consumers were last seen to move.
type liveness struct {
	mu        sync.Mutex
	watermark uint64
	moved     time.Time
}

// stands tells for how long events have waited at the same watermark.
func (l *liveness) stands(watermark, last uint64, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if watermark >= last || watermark != l.watermark || l.moved.IsZero() {
		l.watermark, l.moved = watermark, now
	}
	return now.Sub(l.moved)
}

// healthRoutes adds what supervisors ask. /healthz says whether a restart of this process would help, and so does not
// fail for engines that are away; /readyz says whether it can serve now.
func (a *App) healthRoutes(mux *http.ServeMux) {
	live := new(liveness)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTime)
		defer cancel()
		answer(w, a.alive(ctx, live))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), healthTime)
		defer cancel()
		answer(w, a.ready(ctx))
	})
}

func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// alive tells, by an error, that only a new process can go on.
func (a *App) alive(ctx context.Context, live *liveness) error {
	if a.conn.IsClosed() {
		return &schemas.Error{Code: schemas.Unavailable, Field: "nats", Message: "the connection to NATS was closed for good", Hint: "restart the process"}
	}
	if !a.config.Has(settings.TargetConsumers) || a.conn.Status() != natsclient.CONNECTED || a.warehouse.Ping(ctx) != nil {
		return nil
	}
	last, err := knowledge{a}.LastSequence(ctx)
	if err != nil {
		return nil // the stream is away, and a restart brings it no nearer
	}
	watermark, err := a.applied.Watermark(ctx)
	if err != nil {
		return nil
	}
	if waited := live.stands(watermark, last, a.now()); waited >= standstill {
		return &schemas.Error{
			Code: schemas.Unavailable, Field: "consumers", Message: fmt.Sprintf("the consumers have stood at sequence %d of %d for %v, though both engines answer", watermark, last, waited.Round(time.Second)),
			Hint: "restart the process; its log says what it was doing",
		}
	}
	return nil
}

// ready tells, by an error, what a request would find missing: NATS, the stream, ClickHouse, or tables of this version.
func (a *App) ready(ctx context.Context) error {
	if status := a.conn.Status(); status != natsclient.CONNECTED {
		return &schemas.Error{Code: schemas.Unavailable, Field: "nats", Message: "the connection to NATS is " + status.String(), Hint: "check that NATS runs"}
	}
	if _, err := (knowledge{a}).LastSequence(ctx); err != nil {
		return err
	}
	if _, err := a.applied.Watermark(ctx); err != nil {
		return err
	}
	schema, err := a.warehouse.Schema(ctx)
	if err != nil {
		return err
	}
	if own, err := warehouse.NewestSchema(); err != nil || schema < own {
		return &schemas.Error{Code: schemas.Unavailable, Field: "clickhouse", Message: fmt.Sprintf("the tables have schema %d, this version needs %d", schema, own), Hint: "restart the process, which brings them up to date", Err: err}
	}
	return nil
}
