package ledger

import (
	"slices"

	"milepost/schemas"
)

// At judges the project at (cut.AsOf, S). It gives false for a project that is
// not registered by then.
func (h *History) At(cut schemas.Cut) (schemas.Standing, bool) {
	s, ok := h.judge(cut.AsOf)
	if !ok {
		return s, false
	}
	if s.Status == schemas.StatusStalled {
		s.StalledMonths = 1
		for month := h.rules.ReportingMonth(cut.AsOf) - 1; h.reaches(month); month-- {
			earlier, registered := h.judge(month.Last())
			if !registered || earlier.Status != schemas.StatusStalled {
				break
			}
			s.StalledMonths++
		}
	}
	s.Method = h.method(&s, cut)
	if cut.Trace {
		s.Trace = h.trace(&s, cut)
	}
	return s, true
}

// judge does all of the specification's §5.
func (h *History) judge(asOf schemas.Date) (schemas.Standing, bool) {
	if !h.registeredBy(asOf) {
		return schemas.Standing{}, false
	}
	s := schemas.Standing{ProjectID: h.ProjectID, RegisteredOn: h.registrations[0].date, District: h.firstDistrict}
	h.describe(&s, asOf)
	s.Holder = h.holderOn(asOf)
	if p, ok := latest(h.pauses, asOf); ok && p.fact.Type == schemas.ProjectSuspended {
		s.Suspended, s.SuspendedOn = true, p.date
	}
	if c, ok := latest(h.cancellations, asOf); ok {
		s.Cancelled, s.CancelledOn, s.CancelReason = true, c.date, c.data.Reason
	}
	h.milestones(&s, asOf)
	month := h.rules.ReportingMonth(asOf)
	h.investment(&s, asOf, month)
	h.issues(&s, asOf)
	s.Light = h.light(&s, month)
	s.Status = h.status(&s, asOf, month)
	return s, true
}

// describe takes each attribute from the latest change that gives it.
func (h *History) describe(s *schemas.Standing, asOf schemas.Date) {
	for _, c := range h.changes {
		if c.date > asOf {
			break
		}
		setText(&s.Name, c.name)
		setText(&s.Enterprise, c.enterprise)
		setText(&s.Industry, c.industry)
		if c.tags != nil {
			s.Tags = c.tags
		}
		if c.totalInvestment != nil {
			s.TotalInvestment = *c.totalInvestment
		}
		if c.move != "" {
			s.District = c.move
		}
		if c.withheld != nil {
			s.Withheld = *c.withheld
		}
	}
}

func setText(field *string, given *string) {
	if given != nil {
		*field = *given
	}
}

func (h *History) holderOn(day schemas.Date) schemas.Holder {
	a, ok := latest(h.assignments, day)
	if !ok {
		return schemas.Holder{}
	}
	return schemas.Holder{Lead: h.rules.LeadName(a.data.Lead, a.date), Department: h.rules.DepartmentName(a.data.Department, a.date)}
}

func (h *History) milestones(s *schemas.Standing, asOf schemas.Date) {
	for _, m := range schemas.Milestones() {
		ms := &s.Milestones[m]
		if r, ok := latest(h.reached[m], asOf); ok {
			ms.ReachedOn = r.date
			ms.ReachedBy = h.holderOn(r.date)
		}
		h.plan(ms, m, asOf)
		switch {
		case ms.Target == 0:
		case ms.ReachedOn != 0:
			ms.Late, ms.LateDays = true, int(ms.ReachedOn-ms.Target)
		case ms.Target <= asOf:
			ms.Late, ms.LateDays = true, int(asOf-ms.Target)
		}
	}
	s.Stage = schemas.StageRegistered
	stages := [...]schemas.Stage{schemas.StageLanded, schemas.StageStarted, schemas.StageProducing}
	highest := -1
	for _, m := range schemas.Milestones() {
		if s.Milestones[m].ReachedOn != 0 {
			s.Stage, highest = stages[m], int(m)
		}
	}
	for m := range s.Milestones {
		ms := &s.Milestones[m]
		if ms.ReachedOn != 0 {
			continue
		}
		if m < highest {
			s.OutOfOrder = true
		} else {
			ms.OverdueMonths = overdueMonths(ms.Target, asOf)
		}
	}
}

// plan finds baseline, target and forecast of a milestone. Its ReachedOn is set
// before: approval after that day cures nothing.
func (h *History) plan(ms *schemas.MilestoneStanding, m schemas.Milestone, asOf schemas.Date) {
	for i, p := range h.plans[m] {
		if p.decidedOn > asOf {
			break
		}
		ms.Forecast = p.plannedOn
		if i == 0 {
			ms.Baseline, ms.Target = p.plannedOn, p.plannedOn
			continue
		}
		if p.approved && (ms.ReachedOn == 0 || p.decidedOn <= ms.ReachedOn) {
			ms.Target = p.plannedOn
		}
	}
}

// overdueMonths counts the month ends d with target ≤ d ≤ asOf.
func overdueMonths(target, asOf schemas.Date) int {
	if target == 0 || target >= asOf {
		return 0
	}
	last := asOf.Month()
	if !asOf.IsMonthEnd() {
		last--
	}
	return max(0, int(last-target.Month())+1)
}

func (h *History) investment(s *schemas.Standing, asOf schemas.Date, month schemas.Month) {
	inv := &s.Investment
	for _, step := range h.planSteps {
		if step.date > asOf {
			break
		}
		if step.year == month.Year() {
			inv.Plan = step.value
		}
	}
	january := month - schemas.Month(month.Number()-1)
	for _, r := range h.reports {
		if r.month >= january && r.month <= month {
			inv.Invested, inv.Known = r.invested, true
		}
	}
	due := inv.Plan > 0 && !s.Suspended && s.RegisteredOn.Month() <= month
	inv.Unreported = due && !s.Completed() && !h.reported(month)
	if !due {
		return
	}
	produced := s.Milestones[schemas.Producing].ReachedOn
	for m := max(january, s.RegisteredOn.Month()); m <= month; m++ {
		if produced != 0 && produced < m.First() {
			break
		}
		inv.ReportsDue++
		if h.reportedOnTime(m) {
			inv.ReportsOnTime++
		}
	}
}

func (h *History) reported(month schemas.Month) bool {
	return slices.ContainsFunc(h.reports, func(r report) bool { return r.month == month })
}

func (h *History) reportedOnTime(month schemas.Month) bool {
	due := (month + 1).Day(h.rules.ReportDay)
	return slices.ContainsFunc(h.reports, func(r report) bool { return r.month == month && r.sentOn <= due })
}

// issues keeps the latest raise of each issue and its resolution.
func (h *History) issues(s *schemas.Standing, asOf schemas.Date) {
	for _, r := range h.raises {
		if r.date > asOf {
			break
		}
		issue := schemas.IssueStanding{ID: r.data.IssueID, Title: r.data.Title, Category: r.data.Category, Department: h.rules.DepartmentName(r.data.Department, r.date), RaisedOn: r.date, DueOn: r.data.DueOn}
		i := slices.IndexFunc(s.Issues, func(known schemas.IssueStanding) bool { return known.ID == issue.ID })
		if i < 0 {
			s.Issues = append(s.Issues, issue)
		} else {
			s.Issues[i] = issue
		}
	}
	for _, r := range h.resolutions {
		if r.date > asOf {
			break
		}
		for i := range s.Issues {
			if s.Issues[i].ID == r.data.IssueID && s.Issues[i].RaisedOn <= r.date {
				s.Issues[i].ResolvedOn = r.date
			}
		}
	}
}

// light is the worse of the schedule's and the investment's.
func (h *History) light(s *schemas.Standing, month schemas.Month) schemas.Light {
	if s.Suspended {
		return schemas.Grey
	}
	if s.Completed() {
		return schemas.Green
	}
	worst := max(h.scheduleLevel(s), h.investmentLevel(s, month))
	return [...]schemas.Light{schemas.NoneOn, schemas.Green, schemas.Yellow, schemas.Red}[worst]
}

// The levels of a light, worse is greater.
const (
	levelNone = iota
	levelGreen
	levelYellow
	levelRed
)

func (h *History) scheduleLevel(s *schemas.Standing) int {
	level := levelNone
	for _, ms := range s.Milestones {
		switch {
		case ms.Target == 0:
		case ms.OverdueMonths >= h.rules.RedMonths:
			level = max(level, levelRed)
		case ms.OverdueMonths >= h.rules.YellowMonths:
			level = max(level, levelYellow)
		default:
			level = max(level, levelGreen)
		}
	}
	return level
}

func (h *History) investmentLevel(s *schemas.Standing, month schemas.Month) int {
	inv := &s.Investment
	if inv.Plan <= 0 || s.RegisteredOn.Month() > month || !inv.Known && !inv.Unreported {
		return levelNone
	}
	first := int64(1)
	if s.RegisteredOn.Year() == month.Year() {
		first = int64(s.RegisteredOn.Month().Number())
	}
	// lag = 100 × (elapsed ÷ whole − invested ÷ plan), compared without dividing.
	elapsed, whole := int64(month.Number())-first+1, 13-first
	lag := 100 * (elapsed*int64(inv.Plan) - int64(inv.Invested)*whole)
	unit := whole * int64(inv.Plan)
	switch {
	case lag <= int64(h.rules.YellowLag)*unit:
		return levelGreen
	case lag <= int64(h.rules.RedLag)*unit:
		return levelYellow
	}
	return levelRed
}

func (h *History) status(s *schemas.Standing, asOf schemas.Date, month schemas.Month) schemas.Status {
	switch {
	case s.Suspended:
		return schemas.StatusSuspended
	case s.Completed():
		return schemas.StatusCompleted
	case h.stalled(s, asOf, month):
		return schemas.StatusStalled
	case s.Light == schemas.Yellow || s.Light == schemas.Red:
		return schemas.StatusSlow
	}
	return schemas.StatusSmooth
}

func (h *History) stalled(s *schemas.Standing, asOf schemas.Date, month schemas.Month) bool {
	watched := s.Investment.Plan > 0
	firstMonth := month - schemas.Month(h.rules.StalledMonths) + 1
	since := firstMonth.First()
	for _, ms := range s.Milestones {
		watched = watched || ms.OverdueMonths > 0
		if ms.ReachedOn >= since {
			return false
		}
	}
	return watched && s.RegisteredOn < since && !h.invested(firstMonth, month)
}

// invested tells whether a month of the span has a positive increment: against
// the preceding reported month of its year, the first from 0. Reports are by
// month and, within one, by sequence: the last of a month is the one that
// holds.
func (h *History) invested(from, to schemas.Month) bool {
	var before schemas.Money
	year := 0
	for i, r := range h.reports {
		if i+1 < len(h.reports) && h.reports[i+1].month == r.month {
			continue
		}
		if r.month > to {
			break
		}
		if r.month.Year() != year {
			year, before = r.month.Year(), 0
		}
		if r.month >= from && r.invested > before {
			return true
		}
		before = r.invested
	}
	return false
}
