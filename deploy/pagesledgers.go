package deploy

import (
	"context"
	"iter"
	"sync"
	"time"

	"milepost/schemas"
)

const (
	// streamedFrom is from how many projects on the earlier of two ledgers is
	// streamed; fewer are judged together as fast, and take little memory.
	streamedFrom = 20_000
	// togetherAfter is after how many events both ledgers are judged together
	// again: that notes what was judged anew, which a stream does not, and would
	// judge again each time.
	togetherAfter = 5_000
)

// judgedReader reads ledgers under one set of rules, as warehouse.Reader does.
type judgedReader interface {
	Ledger(ctx context.Context, cut schemas.Cut) (*schemas.Ledger, error)
	Ledgers(ctx context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error)
	LedgersOf(ctx context.Context, projects []string, cuts ...schemas.Cut) ([]*schemas.Ledger, error)
	Standings(ctx context.Context, cut schemas.Cut, after string) iter.Seq2[*schemas.Standing, error]
}

// pageLedgers judges by the rules of the first cut's day.
type pageLedgers struct {
	on  func(day schemas.Date) judgedReader
	now func() time.Time
	// keeps tells whether the warehouse keeps what was judged of today and of the
	// days before.
	keeps bool

	mu       sync.Mutex
	together schemas.Cut // at which both ledgers were judged together the last time
}

// LedgerAndBefore judges every project at the cut and shows it at the one
// before. The first time on a day, and of days that are past, both cuts are judged of one reading of the
// events, for each reading costs far more than a ledger, and the second one is
// dropped as soon as it was shown. From then on the warehouse has what was
// judged of the earlier cut and streams it. Should it have been forgotten, the
// stream judges it again: the rows are the same.
func (l *pageLedgers) LedgerAndBefore(ctx context.Context, cut, before schemas.Cut, show func(*schemas.Standing)) (*schemas.Ledger, error) {
	reader := l.on(cut.AsOf)
	if l.streams(cut) {
		for s, err := range reader.Standings(ctx, before, "") {
			if err != nil {
				l.note(schemas.Cut{})
				return nil, err
			}
			show(s)
		}
		return reader.Ledger(ctx, cut)
	}
	ledgers, err := reader.Ledgers(ctx, cut, before)
	if err != nil {
		return nil, err
	}
	for i := range ledgers[1].Standings {
		show(&ledgers[1].Standings[i])
	}
	if l.keeps && cut.AsOf == schemas.DateOf(l.now()) && len(ledgers[0].Standings) >= streamedFrom {
		l.note(cut)
	}
	return ledgers[0], nil
}

// streams tells whether both ledgers of the day were judged together shortly
// before the cut.
func (l *pageLedgers) streams(cut schemas.Cut) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cut.AsOf == l.together.AsOf && cut.KnownSeq >= l.together.KnownSeq && cut.KnownSeq-l.together.KnownSeq <= togetherAfter
}

func (l *pageLedgers) note(cut schemas.Cut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.together = cut
}

// LedgersOf judges some projects at the cuts.
func (l *pageLedgers) LedgersOf(ctx context.Context, projects []string, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	return l.on(cuts[0].AsOf).LedgersOf(ctx, projects, cuts...)
}

// pageLedgers gives the ledgers of the pages.
func (a *App) pageLedgers() *pageLedgers {
	return &pageLedgers{on: func(day schemas.Date) judgedReader { return a.ledgers.on(day) }, now: a.now, keeps: a.config.ClickHouseCluster == ""}
}
