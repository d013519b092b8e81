package ledger

import (
	"slices"

	"milepost/schemas"
)

// trace names the events behind a standing (specification §10, items).
func (h *History) trace(s *schemas.Standing, cut schemas.Cut) *schemas.Trace {
	t := new(schemas.Trace)
	for _, m := range schemas.Milestones() {
		t.Milestones[m] = h.milestoneTrace(m, &s.Milestones[m], cut.AsOf)
	}
	month := h.rules.ReportingMonth(cut.AsOf)
	january := month - schemas.Month(month.Number()-1)
	for _, step := range h.planSteps {
		if step.date <= cut.AsOf && step.year == month.Year() {
			t.Plan = step.fact.ref()
		}
	}
	firstDue := max(january, s.RegisteredOn.Month())
	for _, r := range h.reports {
		if r.month < january || r.month > month {
			continue
		}
		t.Invested = r.fact.ref()
		if s.Investment.ReportsDue > 0 && r.month >= firstDue && r.month < firstDue+schemas.Month(s.Investment.ReportsDue) {
			t.Reports = append(t.Reports, r.fact.ref())
		}
	}
	t.Method = h.methodTrace(s, cut, t)
	return t
}

func (h *History) milestoneTrace(m schemas.Milestone, ms *schemas.MilestoneStanding, asOf schemas.Date) schemas.MilestoneTrace {
	var t schemas.MilestoneTrace
	if r, ok := latest(h.reached[m], asOf); ok {
		t.Reached = r.fact.ref()
	}
	for i, p := range h.plans[m] {
		if p.decidedOn > asOf {
			break
		}
		switch {
		case i == 0:
			t.Baseline, t.Target = p.fact.ref(), p.fact.ref()
		case p.approved && (ms.ReachedOn == 0 || p.decidedOn <= ms.ReachedOn):
			t.Target = p.fact.ref()
		}
	}
	return t
}

// methodTrace names the events that satisfy the items that are satisfied.
func (h *History) methodTrace(s *schemas.Standing, cut schemas.Cut, t *schemas.Trace) []schemas.EventRef {
	var refs []schemas.EventRef
	for i, item := range h.rules.Method {
		if s.Method[i] == schemas.Satisfied {
			refs = append(refs, h.satisfying(item.Key, s, cut, t)...)
		}
	}
	slices.SortFunc(refs, func(a, b schemas.EventRef) int { return compareSeq(a.Seq, b.Seq) })
	return slices.CompactFunc(refs, func(a, b schemas.EventRef) bool { return a.Seq == b.Seq })
}

func (h *History) satisfying(key schemas.MethodKey, s *schemas.Standing, cut schemas.Cut, t *schemas.Trace) []schemas.EventRef {
	switch key {
	case schemas.MethodProject:
		return h.describing(cut.AsOf)
	case schemas.MethodLead, schemas.MethodDepartment:
		if a, ok := latest(h.assignments, cut.AsOf); ok {
			return []schemas.EventRef{a.fact.ref()}
		}
	case schemas.MethodLedger:
		return h.ledgerKeeping(s, cut.AsOf, t)
	case schemas.MethodSchedule:
		var refs []schemas.EventRef
		for m := range t.Milestones {
			refs = append(refs, t.Milestones[m].Target)
		}
		return refs
	case schemas.MethodBulletin:
		if e, ok := h.known.editionFor(s.RegisteredOn, cut.EditionsBefore); ok {
			return []schemas.EventRef{e.Event}
		}
	case schemas.MethodClosure:
		var refs []schemas.EventRef
		for _, r := range h.resolutions {
			if r.date <= cut.AsOf {
				refs = append(refs, r.fact.ref())
			}
		}
		return refs
	}
	return nil
}

// describing names the changes that give name, enterprise and total investment.
func (h *History) describing(asOf schemas.Date) []schemas.EventRef {
	var name, enterprise, total *Fact
	for i := range h.changes {
		c := &h.changes[i]
		if c.date > asOf {
			break
		}
		if c.name != nil {
			name = c.fact
		}
		if c.enterprise != nil {
			enterprise = c.fact
		}
		if c.totalInvestment != nil {
			total = c.fact
		}
	}
	var refs []schemas.EventRef
	for _, f := range []*Fact{name, enterprise, total} {
		if f != nil {
			refs = append(refs, f.ref())
		}
	}
	return refs
}

// ledgerKeeping names what satisfies 一本台账: the reports of M* and the month
// before, or else the event that makes a report needless.
func (h *History) ledgerKeeping(s *schemas.Standing, asOf schemas.Date, t *schemas.Trace) []schemas.EventRef {
	month := h.rules.ReportingMonth(asOf)
	var refs []schemas.EventRef
	for _, r := range h.reports {
		if r.month == month || r.month == month-1 {
			refs = append(refs, r.fact.ref())
		}
	}
	if len(refs) > 0 {
		return refs
	}
	if s.Completed() {
		return []schemas.EventRef{t.Milestones[schemas.Producing].Reached}
	}
	if p, ok := latest(h.pauses, asOf); ok && s.Suspended {
		return []schemas.EventRef{p.fact.ref()}
	}
	if t.Plan.Seq > 0 { // an annual plan of 0
		return []schemas.EventRef{t.Plan}
	}
	return nil
}
