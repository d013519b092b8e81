package deploy

import (
	"context"
	"iter"
	"time"

	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// datedLedgers reads each ledger under the rules that hold on its day.
type datedLedgers struct {
	warehouse *warehouse.Warehouse
	book      *schemas.RuleBook
}

// on gives a reader under the rules of the day.
func (d datedLedgers) on(day schemas.Date) *warehouse.Reader {
	return warehouse.NewReader(d.warehouse, d.book.On(day))
}

// current gives a reader under the rules of now.
func (d datedLedgers) current(now time.Time) *warehouse.Reader { return d.on(schemas.DateOf(now)) }

// Ledger judges every project at the cut.
func (d datedLedgers) Ledger(ctx context.Context, cut schemas.Cut) (*schemas.Ledger, error) {
	return d.on(cut.AsOf).Ledger(ctx, cut)
}

// Standings yields the ledger's rows at the cut by project id, of those behind a given one.
func (d datedLedgers) Standings(ctx context.Context, cut schemas.Cut, after string) iter.Seq2[*schemas.Standing, error] {
	return d.on(cut.AsOf).Standings(ctx, cut, after)
}

// keepRuleBook stores every rule set under its hash, and forgets the stored
// ledgers, bulletins and assessments that the configuration of before had judged
// otherwise.
func keepRuleBook(ctx context.Context, w *warehouse.Warehouse, book *schemas.RuleBook) error {
	sets := book.Sets()
	for i, set := range sets {
		if err := w.KeepRules(ctx, set.Rules); err != nil {
			return err
		}
		hash, err := set.Rules.Hash()
		if err != nil {
			return err
		}
		var before schemas.Date
		if i+1 < len(sets) {
			before = sets[i+1].From
		}
		if err := w.ForgetLedgersOf(ctx, set.From, before, hash); err != nil {
			return err
		}
	}
	return w.ForgetModels(ctx, otherRules(book))
}
