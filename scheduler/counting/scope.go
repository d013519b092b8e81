// Package counting is the one definition of what is counted and scored over a
// set of projects (the specification, §6 and §8): bulletins and assessments
// print the same figures because both take them from here. It is pure. Sums are
// whole numbers or exact fractions; what is printed is divided and rounded once.
package counting

import (
	"fmt"
	"strings"

	"milepost/schemas"
)

// Scope holds the days that the counts of the specification's §6 compare with.
type Scope struct {
	period    schemas.Period
	asOf      schemas.Date
	yearStart schemas.Date
	yearEnd   schemas.Date
}

// NewScope is the scope of a period, whose last day is E and whose year is Y.
func NewScope(period schemas.Period) Scope {
	year := period.End.Year()
	return Scope{
		period: period, asOf: period.End,
		yearStart: schemas.NewDate(year, 1, 1), yearEnd: schemas.NewDate(year, 12, 31),
	}
}

// MilestoneTally counts one milestone over a set of projects (§6).
type MilestoneTally struct {
	DueYear, DueToDate, Done, OnTime, Judged, NewInPeriod int
}

func (t *MilestoneTally) add(o MilestoneTally) {
	t.DueYear += o.DueYear
	t.DueToDate += o.DueToDate
	t.Done += o.Done
	t.OnTime += o.OnTime
	t.Judged += o.Judged
	t.NewInPeriod += o.NewInPeriod
}

// Milestone counts one milestone of one project: every member is 0 or 1.
func (c *Scope) Milestone(s *schemas.Standing, m schemas.Milestone) MilestoneTally {
	target, reached := s.Milestones[m].Target, s.Milestones[m].ReachedOn
	if reached == 0 && s.Suspended && target >= s.SuspendedOn {
		return MilestoneTally{}
	}
	var t MilestoneTally
	reachedBefore := reached != 0 && reached < c.yearStart
	if target != 0 && !reachedBefore {
		t.DueYear = oneIf(target <= c.yearEnd)
		t.DueToDate = oneIf(target <= c.asOf)
	}
	done := reached >= c.yearStart && reached <= c.asOf
	t.Done = oneIf(done)
	t.OnTime = oneIf(done && (target == 0 || reached <= target))
	t.Judged = oneIf(done || t.DueToDate == 1)
	t.NewInPeriod = oneIf(c.period.Contains(reached))
	return t
}

// Invests tells whether the project belongs to the investment counts of §6.
func Invests(s *schemas.Standing) bool { return s.Investment.Plan > 0 && !s.Suspended }

func oneIf(condition bool) int {
	if condition {
		return 1
	}
	return 0
}

// Option changes what Count keeps.
type Option func(*Counts)

// KeepProjects keeps, for each row, the projects that it counts.
func KeepProjects(c *Counts) { c.keep = true }

// Counts are the counts of a ledger's projects, cancelled ones left out.
type Counts struct {
	Scope  Scope
	Whole  *Tally
	Groups []Group
	keep   bool
}

// Count counts the projects of the ledger in the whole and in every row that
// they belong to (§6). The ledger must have been judged by the rules.
func Count(ledger *schemas.Ledger, rules *schemas.Rules, period schemas.Period, options ...Option) (*Counts, error) {
	c := NewCounter(rules, period, options...)
	for i := range ledger.Standings {
		if err := c.Add(&ledger.Standings[i]); err != nil {
			return nil, err
		}
	}
	return c.Counts(), nil
}

// Counter counts projects one by one, in any order.
type Counter struct {
	rules  *schemas.Rules
	counts *Counts
	rows   *allRows
}

// NewCounter begins to count for a period.
func NewCounter(rules *schemas.Rules, period schemas.Period, options ...Option) *Counter {
	c := &Counter{rules, &Counts{Scope: NewScope(period), Whole: &Tally{}}, newRows()}
	for _, option := range options {
		option(c.counts)
	}
	return c
}

// Add counts a project; of what it is given it keeps nothing unless KeepProjects
// says so. A project that was judged by other rules is an error with the code
// internal.
func (c *Counter) Add(s *schemas.Standing) error {
	if len(s.Method) != len(c.rules.Method) {
		return &schemas.Error{Code: schemas.Internal, Field: strings.Clone(s.ProjectID),
			Message: fmt.Sprintf("the ledger judged %d items of 七个一, the rules have %d", len(s.Method), len(c.rules.Method)),
			Hint:    "read the ledger with the rules that the report is built with"}
	}
	if !s.Cancelled {
		c.counts.countInto(c.rows, s)
	}
	return nil
}

// Merge adds what another counter of the same rules, period and options counted.
func (c *Counter) Merge(other *Counter) {
	c.counts.Whole.merge(other.counts.Whole)
	for _, both := range [...][2]rows{
		{c.rows.districts, other.rows.districts}, {c.rows.departments, other.rows.departments}, {c.rows.leads, other.rows.leads},
	} {
		for key, tally := range both[1] {
			both[0].of(key).merge(tally)
		}
	}
}

// Counts gives the counts, when everything was added.
func (c *Counter) Counts() *Counts {
	c.counts.Groups = c.rows.groups(c.rules)
	return c.counts
}

// countInto counts one project. Projects, investment and ledger go to the
// holder on E; a milestone goes to the holder on the day it was reached.
func (c *Counts) countInto(rows *allRows, s *schemas.Standing) {
	district := rows.districts.of(s.District)
	department := rows.departments.of(s.Holder.Department)
	lead := rows.leads.of(s.Holder.Lead)
	for _, t := range [...]*Tally{c.Whole, district, department, lead} {
		t.hold(s)
		if c.keep {
			t.held = append(t.held, s)
		}
	}
	for _, m := range schemas.Milestones() {
		count := c.Scope.Milestone(s, m)
		byDepartment, byLead := department, lead
		if s.Milestones[m].ReachedOn != 0 {
			byDepartment = rows.departments.of(s.Milestones[m].ReachedBy.Department)
			byLead = rows.leads.of(s.Milestones[m].ReachedBy.Lead)
		}
		for _, t := range [...]*Tally{c.Whole, district, byDepartment, byLead} {
			t.Milestones[m].add(count)
			if c.keep {
				t.counted[m] = append(t.counted[m], s)
			}
		}
	}
}
