package warehouse

import (
	"context"

	"golang.org/x/sync/errgroup"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// Survey shows every row of the ledgers of several cuts of one KnownSeq to observers, in any order, and holds none of them;
// it gives the ledgers without their rows. Each core has an observer of its own, which observers makes; there may be more of
// them than cores. What was judged before is taken over, else the events are read once for all cuts. It fails with the code
// unavailable when the warehouse does, or when what was judged is forgotten while it is read; what was observed until then
// is of no use.
func (r *Reader) Survey(ctx context.Context, cuts []schemas.Cut, observers func() schemas.Observer) ([]*schemas.Ledger, error) {
	known, before, err := r.begin(ctx, cuts[0].KnownSeq)
	if err != nil {
		return nil, err
	}
	found, err := before.takeOver(ctx, cuts)
	if err != nil {
		return nil, err
	}
	survey := ledger.NewSurvey(r.rules, cuts, observers)
	var group errgroup.Group
	taken := map[int]bool{}
	for _, t := range found {
		taken[t.place] = true
		group.Go(func() error { return before.unfold(ctx, t, survey.Sink) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	rest := restOf(cuts, func(i int) bool { return taken[i] })
	if len(rest.cuts) > 0 {
		keepers, err := before.keepers(ctx, rest)
		if err != nil {
			return nil, err
		}
		err = r.judgeEach(ctx, known, rest.cuts, keepers, func() ledger.Sink {
			sink := survey.Sink()
			return func(k int, j *schemas.Judged) error { return sink(rest.places[k], j) }
		})
		if err != nil {
			return nil, err
		}
		for _, k := range keepers {
			k.finish(ctx)
		}
	}
	ledgers := survey.Ledgers()
	return ledgers, r.countTroubles(ctx, ledgers)
}
