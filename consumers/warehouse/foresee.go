package warehouse

import (
	"context"
	"math"
	"slices"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// Foreseen is what the ledger will make of an event that is not on the stream yet.
type Foreseen struct {
	// Ignored are the parts of the event that would not count because of who sends it.
	Ignored []schemas.Ignored
	// Standing is how the event's project stands before it on that day; nil when it is not registered.
	Standing *schemas.Standing
}

// next is a sequence behind everything that is known.
const next = math.MaxInt64

// Foresee judges an event as if it came next, against what the warehouse knows of its project. Events that are still on
// their way are not known; the ledger judges again when they are.
func (r *Reader) Foresee(ctx context.Context, e *schemas.Event, asOf schemas.Date) (Foreseen, error) {
	facts, err := r.factsWhere(ctx, "project_id = {project:String}", named("project", e.Subject))
	if err != nil {
		return Foreseen{}, err
	}
	revocations, err := r.revocationsAndEditions(ctx, next)
	if err != nil {
		return Foreseen{}, err
	}
	before, err := r.judgeOne(e.Subject, facts, revocations, asOf)
	if err != nil {
		return Foreseen{}, err
	}
	var foreseen Foreseen
	if len(before.Standings) == 1 {
		foreseen.Standing = &before.Standings[0]
	}
	if slices.ContainsFunc(facts, func(f ledger.Fact) bool { return f.Source == e.Source && f.ID == e.ID }) {
		return foreseen, nil // its identity is used up: it changes nothing
	}
	fact := ledger.Fact{Seq: next, Source: e.Source, ID: e.ID, Type: e.Type, District: e.District, Time: e.Time, Data: e.Data}
	after, err := r.judgeOne(e.Subject, append(slices.Clip(facts), fact), revocations, asOf)
	if err != nil {
		return Foreseen{}, err
	}
	for _, ignored := range after.Ignored {
		if ignored.Event.Seq == next {
			foreseen.Ignored = append(foreseen.Ignored, ignored)
		}
	}
	return foreseen, nil
}

// judgeOne makes the ledger of one project.
func (r *Reader) judgeOne(project string, facts, revocations []ledger.Fact, asOf schemas.Date) (*schemas.Ledger, error) {
	cut := schemas.LedgerCut(asOf, next)
	one := func(yield func(ledger.Project, error) bool) {
		yield(ledger.Project{ID: project, Facts: func() ([]ledger.Fact, error) { return facts, nil }}, nil)
	}
	ledgers, err := ledger.Assemble(r.rules, ledger.NewKnown(next, revocations), []schemas.Cut{cut}, one)
	if err != nil {
		return nil, err
	}
	return ledgers[0], nil
}

// factsWhere gives facts in the order of the stream, each identity once. It takes the delivery with the lowest sequence by
// itself: FINAL would merge the whole table for the few rows of one project.
func (r *Reader) factsWhere(ctx context.Context, condition string, args ...any) ([]ledger.Fact, error) {
	return r.facts(ctx, "WHERE "+condition+" ORDER BY stream_seq LIMIT 1 BY source, id", args...)
}
