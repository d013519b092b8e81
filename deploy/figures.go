package deploy

import (
	"context"

	"milepost/consumers/warehouse"
	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// figureMaker makes the rows behind the views on bulletins and assessments, by
// the same code that makes the editions.
type figureMaker struct {
	press     *press
	warehouse *warehouse.Warehouse
}

// bulletin stores the figures and rankings of the period as known at the
// sequence, under the rules that hold on its last day.
func (m *figureMaker) bulletin(ctx context.Context, period schemas.Period, known uint64) error {
	rules := m.press.book.On(period.End)
	hash, err := rules.Hash()
	if err != nil {
		return err
	}
	held, err := m.warehouse.HoldsModel(ctx, warehouse.ModelCut{Period: period.String(), KnownSeq: known, RulesHash: hash})
	if held || err != nil {
		return err
	}
	model, err := bulletin.Build(ctx, warehouse.NewReader(m.warehouse, rules), rules, period, known)
	if err != nil {
		return err
	}
	figures, err := bulletin.Figures(model)
	if err != nil {
		return err
	}
	return m.warehouse.StoreBulletin(ctx, model, figures, hash)
}

// assessment stores the rows of the year's assessment as known at the sequence,
// under the rules of the year.
func (m *figureMaker) assessment(ctx context.Context, year int, known uint64) error {
	hash, err := m.press.book.OfYear(year).Hash()
	if err != nil {
		return err
	}
	held, err := m.warehouse.HoldsModel(ctx, warehouse.AssessmentCut(year, known, hash))
	if held || err != nil {
		return err
	}
	draft, err := m.press.Assess(ctx, year, known, "")
	if err != nil {
		return err
	}
	return m.warehouse.StoreAssessment(ctx, draft.Model, hash)
}

// otherRules tells whether a stored model was made by other rules than those
// that the book gives its period now.
func otherRules(book *schemas.RuleBook) func(warehouse.ModelCut) bool {
	return func(cut warehouse.ModelCut) bool {
		period, err := schemas.ParsePeriod(cut.Period)
		if err != nil {
			return true
		}
		rules := book.On(period.End)
		if cut.Assessment {
			rules = book.OfYear(period.End.Year())
		}
		hash, err := rules.Hash()
		return err != nil || hash != cut.RulesHash
	}
}
