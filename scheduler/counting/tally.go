package counting

import (
	"math/big"

	"milepost/schemas"
)

// Tally counts a set of projects.
type Tally struct {
	Projects   int
	Milestones [schemas.MilestoneCount]MilestoneTally

	// Plan and Invested are 万元; InvestedKnown tells whether any is known.
	Plan, Invested schemas.Money
	InvestedKnown  bool

	ReportsDue, ReportsOnTime int

	// satisfied sums the satisfied items of 七个一 by how many were applicable,
	// so that the mean of the projects' quotients stays exact.
	satisfied []int
	measured  int // projects with an applicable item

	held    []*schemas.Standing
	counted [schemas.MilestoneCount][]*schemas.Standing
}

// Held gives the projects of the set, when they were kept.
func (t *Tally) Held() []*schemas.Standing { return t.held }

// Counted gives the projects whose milestone the set counts, when they were
// kept: for departments and leads not always those held.
func (t *Tally) Counted(m schemas.Milestone) []*schemas.Standing { return t.counted[m] }

// hold adds what goes to the holder on E (§6): the project, its investment,
// its ledger.
func (t *Tally) hold(s *schemas.Standing) {
	t.Projects++
	if Invests(s) {
		t.Plan += s.Investment.Plan
		if s.Investment.Known {
			t.Invested += s.Investment.Invested
			t.InvestedKnown = true
		}
	}
	if satisfied, applicable := s.Completeness(); applicable > 0 {
		for len(t.satisfied) <= applicable {
			t.satisfied = append(t.satisfied, 0)
		}
		t.satisfied[applicable] += satisfied
		t.measured++
	}
	t.ReportsDue += s.Investment.ReportsDue
	t.ReportsOnTime += s.Investment.ReportsOnTime
}

// merge adds another tally.
func (t *Tally) merge(o *Tally) {
	t.Projects += o.Projects
	for m := range t.Milestones {
		t.Milestones[m].add(o.Milestones[m])
		t.counted[m] = append(t.counted[m], o.counted[m]...)
	}
	t.Plan += o.Plan
	t.Invested += o.Invested
	t.InvestedKnown = t.InvestedKnown || o.InvestedKnown
	t.ReportsDue += o.ReportsDue
	t.ReportsOnTime += o.ReportsOnTime
	for len(t.satisfied) < len(o.satisfied) {
		t.satisfied = append(t.satisfied, 0)
	}
	for applicable, satisfied := range o.satisfied {
		t.satisfied[applicable] += satisfied
	}
	t.measured += o.measured
	t.held = append(t.held, o.held...)
}

// MilestoneCounts gives the counts of §6 as they are printed.
func (t *Tally) MilestoneCounts() schemas.MilestoneCounts {
	var counts schemas.MilestoneCounts
	for _, m := range schemas.Milestones() {
		c := t.Milestones[m]
		*counts.Of(m) = schemas.MilestoneTally{
			DueYear: c.DueYear, DueToDate: c.DueToDate, Done: c.Done, OnTime: c.OnTime, Late: c.Done - c.OnTime,
			Judged: c.Judged, NewInPeriod: c.NewInPeriod,
			RateToDate: schemas.Percent(int64(c.Done), int64(c.DueToDate)),
			RateYear:   schemas.Percent(int64(c.Done), int64(c.DueYear)),
		}
	}
	return counts
}

// Investment gives the figures of §6 as they are printed; month is M*.
func (t *Tally) Investment(month schemas.Month) schemas.InvestmentCount {
	count := schemas.InvestmentCount{Plan: t.Plan, TimeProgress: schemas.Percent(int64(month.Number()), 12)}
	if t.InvestedKnown {
		invested := t.Invested
		count.Invested = &invested
	}
	if rate := t.Rate(); rate != nil {
		count.Rate = schemas.Percent(int64(t.Invested), int64(t.Plan))
		points := new(big.Rat).Sub(rate, big.NewRat(int64(month.Number()), 12))
		count.VsTime = schemas.Rounded(points.Mul(points, big.NewRat(100, 1)), 1)
	}
	return count
}

// Rate is invested ÷ plan, nil without a plan; not reporting counts as 0.
func (t *Tally) Rate() *big.Rat {
	if t.Plan == 0 {
		return nil
	}
	return big.NewRat(int64(t.Invested), int64(t.Plan))
}

// mean is the mean completeness over the projects, nil when none has an
// applicable item.
func (t *Tally) mean() *big.Rat {
	if t.measured == 0 {
		return nil
	}
	sum := new(big.Rat)
	for applicable, satisfied := range t.satisfied {
		if satisfied > 0 {
			sum.Add(sum, big.NewRat(int64(satisfied), int64(applicable)))
		}
	}
	return sum.Quo(sum, big.NewRat(int64(t.measured), 1))
}

// Completeness is 七个一 of the set in per cent, as it is printed; nil when no
// project has an applicable item.
func (t *Tally) Completeness() *schemas.Figure {
	mean := t.mean()
	if mean == nil {
		return nil
	}
	return schemas.Rounded(mean.Mul(mean, big.NewRat(100, 1)), 1)
}
