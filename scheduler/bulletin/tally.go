package bulletin

import (
	"math/big"

	"milepost/schemas"
)

// scope holds the days that the counts of the specification's §6 compare with.
type scope struct {
	period    schemas.Period
	asOf      schemas.Date
	yearStart schemas.Date
	yearEnd   schemas.Date
	month     schemas.Month // M*
}

func newScope(period schemas.Period, ledger *schemas.Ledger) scope {
	year := period.End.Year()
	return scope{
		period: period, asOf: period.End, month: ledger.ReportingMonth,
		yearStart: schemas.NewDate(year, 1, 1), yearEnd: schemas.NewDate(year, 12, 31),
	}
}

// milestoneTally counts one milestone over a set of projects (§6).
type milestoneTally struct {
	dueYear, dueToDate, done, onTime, judged, newInPeriod int
}

func (t *milestoneTally) add(o milestoneTally) {
	t.dueYear += o.dueYear
	t.dueToDate += o.dueToDate
	t.done += o.done
	t.onTime += o.onTime
	t.judged += o.judged
	t.newInPeriod += o.newInPeriod
}

// milestone counts one milestone of one project: every member is 0 or 1.
func (c *scope) milestone(s *schemas.Standing, m schemas.Milestone) milestoneTally {
	target, reached := s.Milestones[m].Target, s.Milestones[m].ReachedOn
	if reached == 0 && s.Suspended && target >= s.SuspendedOn {
		return milestoneTally{}
	}
	var t milestoneTally
	reachedBefore := reached != 0 && reached < c.yearStart
	if target != 0 && !reachedBefore {
		t.dueYear = oneIf(target <= c.yearEnd)
		t.dueToDate = oneIf(target <= c.asOf)
	}
	done := reached >= c.yearStart && reached <= c.asOf
	t.done = oneIf(done)
	t.onTime = oneIf(done && (target == 0 || reached <= target))
	t.judged = oneIf(done || t.dueToDate == 1)
	t.newInPeriod = oneIf(c.period.Contains(reached))
	return t
}

func oneIf(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// tally counts a set of projects. Sums are integers and divided once, when the
// row is printed.
type tally struct {
	projects   int
	milestones [schemas.MilestoneCount]milestoneTally

	plan, invested schemas.Money
	investedKnown  bool

	// satisfied sums the satisfied items of 七个一 by how many were applicable,
	// so that the mean of the projects' quotients stays exact.
	satisfied []int
	measured  int // projects with an applicable item

	reportsDue, reportsOnTime int
}

// holds adds what goes to the holder on E (§6): the project, its investment,
// its ledger.
func (t *tally) holds(s *schemas.Standing) {
	t.projects++
	if s.Investment.Plan > 0 && !s.Suspended {
		t.plan += s.Investment.Plan
		if s.Investment.Known {
			t.invested += s.Investment.Invested
			t.investedKnown = true
		}
	}
	if satisfied, applicable := s.Completeness(); applicable > 0 {
		for len(t.satisfied) <= applicable {
			t.satisfied = append(t.satisfied, 0)
		}
		t.satisfied[applicable] += satisfied
		t.measured++
	}
	t.reportsDue += s.Investment.ReportsDue
	t.reportsOnTime += s.Investment.ReportsOnTime
}

// countInto counts one project in the whole and in every row it belongs to.
func (c *scope) countInto(whole *tally, groups *groupTallies, s *schemas.Standing) {
	district := groups.districts.row(s.District)
	department := groups.departments.row(s.Holder.Department)
	lead := groups.leads.row(s.Holder.Lead)
	for _, t := range [...]*tally{whole, district, department, lead} {
		t.holds(s)
	}
	for _, m := range schemas.Milestones() {
		count := c.milestone(s, m)
		whole.milestones[m].add(count)
		district.milestones[m].add(count)
		byDepartment, byLead := department, lead
		if s.Milestones[m].ReachedOn != 0 {
			byDepartment = groups.departments.row(s.Milestones[m].ReachedBy.Department)
			byLead = groups.leads.row(s.Milestones[m].ReachedBy.Lead)
		}
		byDepartment.milestones[m].add(count)
		byLead.milestones[m].add(count)
	}
}

func (t *tally) milestoneCounts() schemas.MilestoneCounts {
	var counts schemas.MilestoneCounts
	for _, m := range schemas.Milestones() {
		c := t.milestones[m]
		*counts.Of(m) = schemas.MilestoneTally{
			DueYear: c.dueYear, DueToDate: c.dueToDate, Done: c.done, OnTime: c.onTime, Late: c.done - c.onTime,
			Judged: c.judged, NewInPeriod: c.newInPeriod,
			RateToDate: schemas.Percent(int64(c.done), int64(c.dueToDate)),
			RateYear:   schemas.Percent(int64(c.done), int64(c.dueYear)),
		}
	}
	return counts
}

// investment gives the figures of §6; month is M*.
func (t *tally) investment(month schemas.Month) schemas.InvestmentCount {
	count := schemas.InvestmentCount{Plan: t.plan, TimeProgress: schemas.Percent(int64(month.Number()), 12)}
	if t.investedKnown {
		invested := t.invested
		count.Invested = &invested
	}
	if rate := t.rate(); rate != nil {
		count.Rate = schemas.Percent(int64(t.invested), int64(t.plan))
		points := new(big.Rat).Sub(rate, big.NewRat(int64(month.Number()), 12))
		count.VsTime = schemas.Rounded(points.Mul(points, big.NewRat(100, 1)), 1)
	}
	return count
}

// rate is invested ÷ plan, nil without a plan; not reporting counts as 0.
func (t *tally) rate() *big.Rat {
	if t.plan == 0 {
		return nil
	}
	return big.NewRat(int64(t.invested), int64(t.plan))
}

// completeness is the mean over the projects, nil when none has an applicable
// item.
func (t *tally) completeness() *big.Rat {
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

func percentOf(fraction *big.Rat) *schemas.Figure {
	if fraction == nil {
		return nil
	}
	return schemas.Rounded(new(big.Rat).Mul(fraction, big.NewRat(100, 1)), 1)
}
