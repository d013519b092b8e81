package deploy

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// refresher keeps ledger_current the ledger of today: it judges anew what
// events were applied about, and everything when a day begins. It also sees that every
// publication has its rows in published_figures.
type refresher struct {
	current   *warehouse.Current
	book      *schemas.RuleBook
	editions  *printedEditions
	watermark func(context.Context) (uint64, error)
	now       func() time.Time
	log       *slog.Logger
	news      chan struct{}
	// lag is how many messages of the stream are not applied yet.
	lag func(context.Context) (uint64, error)
}

func newRefresher(a *App) *refresher {
	return &refresher{current: warehouse.NewCurrent(a.warehouse), book: a.book, editions: newPrintedEditions(a), watermark: a.applied.Watermark, now: a.now, log: a.log, lag: a.lag, news: make(chan struct{}, 1)}
}

// applied notes that something was applied; it does not wait.
func (r *refresher) applied(uint64) {
	select {
	case r.news <- struct{}{}:
	default: // it is known already that there is something to do
	}
}

// restFactor is how many times as long as a refresh took it rests before the
// next one, so that refreshing takes no more than a share of the machine.
const restFactor = 4

// A backlog is worked off faster when the ledger is not judged anew all the time, which nobody can read anything new
// from; but not for ever.
const (
	backlog     = 20_000
	backlogRest = time.Second
	backlogMost = 30 // rests in a row
)

// putOff waits while there is a backlog.
func (r *refresher) putOff(ctx context.Context) {
	for range backlogMost {
		if lag, err := r.lag(ctx); err != nil || lag < backlog {
			return
		}
		rest := time.NewTimer(backlogRest)
		select {
		case <-ctx.Done():
			rest.Stop()
			return
		case <-rest.C:
		}
	}
}

func (r *refresher) run(ctx context.Context) error {
	r.applied(0)
	for {
		midnight := time.NewTimer(time.Until(nextMidnight(r.now())))
		select {
		case <-ctx.Done():
			midnight.Stop()
			return nil
		case <-r.news:
		case <-midnight.C:
		}
		midnight.Stop()
		r.putOff(ctx)
		started := time.Now()
		if err := r.refresh(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "the current ledger or the published figures were not refreshed; it is tried again", "error", err)
			r.applied(0)
		}
		rest := time.NewTimer(max(200*time.Millisecond, restFactor*time.Since(started)))
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		rest.Stop()
	}
}

func (r *refresher) refresh(ctx context.Context) error {
	seq, err := r.watermark(ctx)
	if err != nil {
		return err
	}
	today := schemas.DateOf(r.now())
	return errors.Join(r.current.Refresh(ctx, r.book.On(today), schemas.LedgerCut(today, seq)), r.editions.store(ctx, seq))
}

func nextMidnight(t time.Time) time.Time { return (schemas.DateOf(t) + 1).Start() }
