package bulletin

import (
	"cmp"
	"slices"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// survey is what a draft takes from the ledgers of its periods, the first of
// which is its own. Each core has one, and they are merged in the end.
type survey struct {
	digest   *digest
	counters []*counting.Counter // one for each period
	lights   []schemas.Totals    // of the periods of a trend
	// held are the projects of the first ledgers, as far as they are held.
	held [][]schemas.Standing
}

func newSurvey(rules *schemas.Rules, periods []schemas.Period, o *options) *survey {
	s := &survey{digest: newDigest(rules, periods[0], o.restated)}
	for _, p := range periods {
		s.counters = append(s.counters, counting.NewCounter(rules, p))
	}
	if o.details {
		s.lights, s.held = make([]schemas.Totals, len(periods)), make([][]schemas.Standing, heldLedgers)
	}
	return s
}

// observe is a schemas.Observer.
func (s *survey) observe(i int, standing *schemas.Standing) error {
	if err := s.counters[i].Add(standing); err != nil {
		return err
	}
	if i == 0 {
		s.digest.add(standing)
	}
	if s.lights != nil {
		addTotals(&s.lights[i], standing)
	}
	if i < len(s.held) {
		s.held[i] = append(s.held[i], standing.Clone())
	}
	return nil
}

func (s *survey) merge(o *survey) {
	s.digest.merge(o.digest)
	for i := range s.counters {
		s.counters[i].Merge(o.counters[i])
	}
	for i := range s.lights {
		mergeTotals(&s.lights[i], &o.lights[i])
	}
	for i := range s.held {
		s.held[i] = append(s.held[i], o.held[i]...)
	}
}

// ledger gives the i-th ledger with its projects, by id.
func (s *survey) ledger(i int, without *schemas.Ledger) *schemas.Ledger {
	whole := *without
	whole.Standings = s.held[i]
	slices.SortFunc(whole.Standings, func(a, b schemas.Standing) int { return cmp.Compare(a.ProjectID, b.ProjectID) })
	return &whole
}
