package deploy

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/nats-io/nats.go"

	"milepost/producers"
	"milepost/scheduler/alerts"
	"milepost/scheduler/deliver"
	"milepost/schemas"
)

// openDelivery joins deliveries and alerts to what was published, the ledgers
// and the configured targets. The press must be there.
func (a *App) openDelivery(ctx context.Context) error {
	targets, err := a.targets()
	if err != nil {
		return err
	}
	store, err := deliver.OpenStore(ctx, a.js)
	if err != nil {
		return err
	}
	c := &a.config.Delivery
	a.courier, err = deliver.New(deliver.Config{
		Editions: publishedEditions{a.press}, Store: store, Targets: targets, FailuresTo: c.FailuresTo, Link: c.LinkTo,
		Retry:   deliver.Retry{First: c.Retry.First, Most: c.Retry.Most, Attempts: c.Retry.Attempts, PauseAfter: c.Retry.PauseAfter},
		Replica: replicaName(), Now: a.now, Random: rand.Float64, Log: a.log,
	})
	if err != nil {
		return err
	}
	if err := a.courier.Open(ctx); err != nil {
		return err
	}
	plans, err := alerts.OpenPlans(ctx, a.js)
	if err != nil {
		return err
	}
	a.alerts, err = alerts.New(alerts.Config{
		Ledger: a.ledgers.Ledger, Watermark: a.applied.Watermark, Rules: a.book, Contacts: a.config.Contacts.Contacts(),
		Kinds: a.config.Alerts.AlertKinds(), PerDay: a.config.Alerts.PerDay, Plans: plans, Post: a.courier.Post, Log: a.log,
	})
	return err
}

// deliveriesSubject tells the processes that deliver that there is something to
// deliver. It is no promise: they look every minute in any case.
const deliveriesSubject = "milepost.news.deliveries"

// tellDeliveries has deliveries looked for at once, in whichever process
// delivers.
func (a *App) tellDeliveries() {
	if err := a.conn.Publish(deliveriesSubject, nil); err != nil {
		a.log.Warn("deliveries were not told of news; they look for it within a minute", "error", err)
	}
}

// hearOfDeliveries wakes the courier of this process when it is told.
func (a *App) hearOfDeliveries() error {
	_, err := a.conn.Subscribe(deliveriesSubject, func(*nats.Msg) { a.courier.Wake() })
	return err
}

// followReplicas has everything kept on as many NATS servers as the events. A
// cluster that lacks a server now is no reason not to start: it is tried again
// with the next start.
func (a *App) followReplicas(ctx context.Context) {
	changed, err := producers.FollowReplicas(ctx, a.js)
	if len(changed) > 0 {
		a.log.Info("kept on as many NATS servers as the events", "streams", changed)
	}
	if err != nil {
		a.log.Warn("not everything is kept on as many NATS servers as the events", "error", err)
	}
}

// The limits of a list of deliveries.
const (
	defaultDeliveries = 1000
	maxDeliveries     = 100_000
)

// deliveryRoutes serves the log of deliveries and what is asked for again.
func (a *App) deliveryRoutes(mux *http.ServeMux) {
	answer := func(w http.ResponseWriter, value any, err error) {
		if err != nil {
			schemas.WriteProblem(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		_ = out.Encode(value) // a client that went away has nobody to tell
	}
	mux.HandleFunc("GET /v1/deliveries", func(w http.ResponseWriter, r *http.Request) {
		limit := defaultDeliveries
		if given := r.FormValue("limit"); given != "" {
			n, err := strconv.Atoi(given)
			if err != nil || n < 1 || n > maxDeliveries {
				answer(w, nil, &schemas.Error{Code: schemas.Invalid, Field: "limit", Value: schemas.Shorten(given), Message: "not a number of deliveries", Hint: "from 1 to 100000"})
				return
			}
			limit = n
		}
		overview, err := a.courier.Overview(r.Context(), limit)
		answer(w, overview, err)
	})
	mux.HandleFunc("POST /v1/deliveries/{id}/again", func(w http.ResponseWriter, r *http.Request) {
		list, err := a.courier.Again(r.Context(), r.PathValue("id"), r.FormValue("target"))
		a.tellDeliveries()
		answer(w, list, err)
	})
}
