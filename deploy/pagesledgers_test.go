package deploy

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"milepost/schemas"
)

// askedReader notes what it is asked for; its ledgers have as many rows as the
// test says, whose names tell of which day they are.
type askedReader struct {
	rows   int
	asked  []string
	failed error
}

func (r *askedReader) ledger(cut schemas.Cut) *schemas.Ledger {
	l := &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, Standings: make([]schemas.Standing, r.rows)}
	for i := range l.Standings {
		l.Standings[i].Name = cut.AsOf.String()
	}
	return l
}

func (r *askedReader) Ledger(_ context.Context, cut schemas.Cut) (*schemas.Ledger, error) {
	r.asked = append(r.asked, "one")
	return r.ledger(cut), nil
}

func (r *askedReader) Ledgers(_ context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	r.asked = append(r.asked, "both")
	return []*schemas.Ledger{r.ledger(cuts[0]), r.ledger(cuts[1])}, nil
}

func (r *askedReader) LedgersOf(context.Context, []string, ...schemas.Cut) ([]*schemas.Ledger, error) {
	return nil, errors.ErrUnsupported
}

func (r *askedReader) Standings(_ context.Context, cut schemas.Cut, _ string) iter.Seq2[*schemas.Standing, error] {
	r.asked = append(r.asked, "stream")
	return func(yield func(*schemas.Standing, error) bool) {
		if r.failed != nil {
			yield(nil, r.failed)
			return
		}
		l := r.ledger(cut)
		for i := range l.Standings {
			if !yield(&l.Standings[i], nil) {
				return
			}
		}
	}
}

// TestPagesReadTheEventsOnceForTwoLedgers judges both ledgers together when the
// earlier one may not be kept yet, and streams it afterwards.
func TestPagesReadTheEventsOnceForTwoLedgers(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 10, 31, 12, 0, 0, 0, time.UTC)
	today := schemas.DateOf(now)
	r := &askedReader{rows: streamedFrom}
	l := &pageLedgers{on: func(schemas.Date) judgedReader { return r }, now: func() time.Time { return now }, keeps: true}
	ask := func(day schemas.Date, known uint64, want ...string) {
		t.Helper()
		r.asked = nil
		shown := 0
		got, err := l.LedgerAndBefore(t.Context(), schemas.LedgerCut(day, known), schemas.LedgerCut(day-7, known), func(s *schemas.Standing) {
			if shown++; s.Name != (day - 7).String() {
				t.Errorf("a standing of %s was shown", s.Name)
			}
		})
		if !errors.Is(err, r.failed) || err == nil && (got.AsOf != day || got.KnownSeq != known || shown != r.rows) || !slices.Equal(r.asked, want) {
			t.Errorf("%s at %d: %v, %d shown, asked for %v, want %v", day, known, err, shown, r.asked, want)
		}
	}
	ask(today, 100, "both")
	ask(today, 100, "stream", "one")
	ask(today, 100+togetherAfter, "stream", "one")
	ask(today, 99, "both") // what was known before may be judged otherwise
	ask(today, 99+togetherAfter+1, "both")
	ask(today-1, 100, "both")
	ask(today-1, 100, "both") // what is past is not kept
	r.failed = errors.New("forgotten")
	ask(today, 99+togetherAfter+1, "stream")
	r.failed = nil
	ask(today, 99+togetherAfter+1, "both")
	r.rows = 1
	ask(today, 99+togetherAfter+1, "stream", "one")
	ask(today, 1, "both")
	now = now.AddDate(0, 0, 1)
	ask(today+1, 1, "both")
	ask(today+1, 1, "both") // few are judged together as fast
	r.rows, l.keeps = streamedFrom, false
	ask(today+1, 1, "both")
	ask(today+1, 1, "both")
}
