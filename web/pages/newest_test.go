package pages

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"milepost/schemas"
)

// fakeCity holds fakes of what a ledger is made of; each ledger is begun, and
// made when the test lets it.
type fakeCity struct {
	mu        sync.Mutex
	watermark uint64
	begun     chan uint64
	goOn      chan error
	projects  int
}

func (f *fakeCity) Watermark(context.Context) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watermark, nil
}
func (f *fakeCity) know(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watermark = seq
}
func (f *fakeCity) WaitApplied(context.Context, uint64) error             { return nil }
func (f *fakeCity) SequenceAt(context.Context, time.Time) (uint64, error) { return 0, nil }
func (f *fakeCity) LedgerAndBefore(_ context.Context, cut, _ schemas.Cut, _ func(*schemas.Standing)) (*schemas.Ledger, error) {
	f.begun <- cut.KnownSeq
	return &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, ReportingMonth: cut.AsOf.Month() - 1, Standings: make([]schemas.Standing, f.projects)}, <-f.goOn
}
func (f *fakeCity) LedgersOf(context.Context, []string, ...schemas.Cut) ([]*schemas.Ledger, error) {
	return nil, errors.ErrUnsupported
}
func (f *fakeCity) Count(*schemas.Ledger) (Counts, error) { return Counts{}, nil }
func (f *fakeCity) Model(context.Context, schemas.Period, uint64) (*schemas.Bulletin, error) {
	return &schemas.Bulletin{}, nil
}

// TestOneNewerLedgerIsMadeForAll lets many ask for ever newer ledgers while one
// is made: the next one serves them all.
func TestOneNewerLedgerIsMadeForAll(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC)
	f := &fakeCity{watermark: 1, begun: make(chan uint64), goOn: make(chan error), projects: 2}
	p := &Pages{Config: Config{Rules: schemas.UndatedRules(schemas.DefaultRules()), Ledgers: f, Knowledge: f, Figures: f, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}}
	p.snapshots = p.newSnapshots()
	type answer struct {
		least uint64
		s     *snapshot
		err   error
	}
	answers := make(chan answer)
	ask := func(least uint64) {
		go func() {
			s, err := p.now(t.Context(), least)
			answers <- answer{least, s, err}
		}()
	}
	ask(0)
	made := []uint64{<-f.begun}
	f.know(10)
	for least := uint64(1); least <= 10; least++ {
		ask(least)
	}
	f.goOn <- nil
	for got := 0; got < 11; {
		select {
		case seq := <-f.begun:
			made = append(made, seq)
			f.goOn <- nil
		case a := <-answers:
			got++
			if a.err != nil || a.s.known < a.least || len(a.s.ledger.Standings) != 2 {
				t.Errorf("%+v", a)
			}
		}
	}
	if !slices.Equal(made, []uint64{1, 10}) {
		t.Errorf("ledgers were made at %v", made)
	}
	// While a newer one cannot be made, the one before answers who does not insist.
	fail := errors.New("no")
	f.know(11)
	ask(11)
	<-f.begun
	ask(0)
	if a := <-answers; a.least != 0 || a.err != nil || a.s.known != 10 {
		t.Errorf("%+v", a)
	}
	f.goOn <- fail
	if a := <-answers; !errors.Is(a.err, fail) {
		t.Errorf("%+v", a)
	}
}
