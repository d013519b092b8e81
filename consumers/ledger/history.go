package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"milepost/schemas"
)

// History is what counts of one project at S, in the order that the ledger
// asks for: by (business date, sequence).
type History struct {
	ProjectID string

	rules *schemas.Rules
	known *Known
	facts []Fact // all of the project but older reports, by sequence
	older Older  // what is known of older reports that were left out

	tooShort      bool // older reports are needed
	firstDistrict string
	districts     []string // whose events count; nil while it is not registered
	registrations []dated[*schemas.Registered]
	changes       []change // registrations and amendments
	assignments   []dated[*schemas.Assigned]
	plans         [schemas.MilestoneCount][]plan
	reached       [schemas.MilestoneCount][]dated[*schemas.Reached]
	reports       []report
	raises        []dated[*schemas.Raised]
	resolutions   []dated[*schemas.Resolved]
	pauses        []dated[*schemas.StatusChange] // suspensions and resumptions
	cancellations []dated[*schemas.StatusChange]
	planSteps     []planStep
	adjustments   []*Fact
	dates         []schemas.Date
	ignored       []schemas.Ignored
}

// dated is a counted fact with its decoded data.
type dated[D schemas.Data] struct {
	date schemas.Date
	fact *Fact
	data D
}

// change is a registration or an amendment: what it gives replaces what was.
type change struct {
	date            schemas.Date
	fact            *Fact
	name            *string
	enterprise      *string
	industry        *string
	tags            []string
	totalInvestment *schemas.Money
	annualPlan      map[int]schemas.Money
	move            string // the district of a move that counts
	withheld        *bool
}

// plan is one plan of a milestone.
type plan struct {
	decidedOn schemas.Date
	plannedOn schemas.Date
	approved  bool
	fact      *Fact
}

// report is a progress report; the due-ness of its month is judged by the
// Shanghai day on which it was sent.
type report struct {
	month    schemas.Month
	invested schemas.Money
	sentOn   schemas.Date
	fact     *Fact
}

// planStep is a value of annual_plan that came into force.
type planStep struct {
	date  schemas.Date
	year  int
	value schemas.Money
	fact  *Fact
}

// NewHistory settles which facts of a project count at known.Seq. The facts are
// all that the warehouse has of the project, each identity once, by sequence;
// those past S are passed over. Facts about no project (adjustments,
// publications) may be given under their own subject: they are only judged
// foreign or not.
func NewHistory(rules *schemas.Rules, known *Known, projectID string, facts []Fact) *History {
	return historyAt(rules, known, projectID, facts, known.Seq)
}

// historyAt is NewHistory with an earlier S.
func historyAt(rules *schemas.Rules, known *Known, projectID string, facts []Fact, seq uint64) *History {
	h := &History{ProjectID: projectID, rules: rules, known: known, facts: facts}
	live := make([]*Fact, 0, len(facts))
	for i := range facts {
		if f := &facts[i]; f.Seq <= seq && !known.revokedAt(f, seq) {
			live = append(live, f)
		}
	}
	first := firstRegistration(live)
	h.districts = h.countingDistricts(first, live)
	for _, f := range live {
		if reason := h.foreignBecause(f, h.districts); reason != "" {
			h.ignore(f, schemas.IgnoredEvent, reason)
			continue
		}
		h.take(f, f == first)
	}
	h.order()
	return h
}

// firstRegistration is the registration with the lowest sequence.
func firstRegistration(live []*Fact) *Fact {
	for _, f := range live {
		if f.Type == schemas.ProjectRegistered {
			return f
		}
	}
	return nil
}

// countingDistricts are those whose events count: the first registration's and
// every one that a move names, whatever its date; nil while the project is not
// registered (specification §3).
func (h *History) countingDistricts(first *Fact, live []*Fact) []string {
	if first == nil {
		return nil
	}
	h.firstDistrict = first.District
	if first.District == schemas.CityDistrict {
		h.firstDistrict = first.Data.(*schemas.Registered).District
	}
	districts := []string{h.firstDistrict}
	for _, f := range live {
		if a, ok := f.Data.(*schemas.Amended); ok && a.District != "" && f.District == schemas.CityDistrict {
			districts = append(districts, a.District)
		}
	}
	return districts
}

// foreignBecause says why a fact does not count because of who sent it, and
// nothing when it counts.
func (h *History) foreignBecause(f *Fact, districts []string) string {
	if r, ok := f.Data.(*schemas.Revoked); ok {
		if revocationCounts(f, r) {
			return ""
		}
		return "撤销只能由原报送来源或市级作出"
	}
	switch {
	case f.District == schemas.CityDistrict:
		return ""
	case f.Type.CityOnly():
		return "此类事项只能由市级报送"
	case districts != nil && !slices.Contains(districts, f.District):
		return "项目属" + h.firstDistrict + ",不属报送单位"
	}
	return ""
}

// ignore notes what of a fact does not count.
func (h *History) ignore(f *Fact, part schemas.IgnoredPart, reason string) {
	h.ignored = append(h.ignored, schemas.Ignored{
		Event: f.ref(), Type: f.Type, ProjectID: h.ProjectID, District: f.District, Foreign: part == schemas.IgnoredEvent, Part: part, Reason: reason,
	})
}

// take sorts a counted fact into its list.
func (h *History) take(f *Fact, first bool) {
	fromCity := f.District == schemas.CityDistrict
	date := f.Data.BusinessDate()
	if date == 0 {
		if f.Type == schemas.AdjustmentRecorded {
			h.adjustments = append(h.adjustments, f)
		}
		return
	}
	h.dates = append(h.dates, date)
	switch d := f.Data.(type) {
	case *schemas.Registered:
		h.registrations = append(h.registrations, dated[*schemas.Registered]{date, f, d})
		h.changes = append(h.changes, change{date: date, fact: f, name: &d.Name, enterprise: d.Enterprise, industry: d.Industry, tags: d.Tags, totalInvestment: &d.TotalInvestment, annualPlan: d.AnnualPlan})
		for m, target := range d.Targets {
			if target != 0 {
				h.plans[m] = append(h.plans[m], plan{decidedOn: date, plannedOn: target, approved: first || fromCity, fact: f})
			}
		}
	case *schemas.Amended:
		c := change{date: date, fact: f, name: d.Name, enterprise: d.Enterprise, industry: d.Industry, tags: d.Tags, totalInvestment: d.TotalInvestment, annualPlan: d.AnnualPlan, withheld: d.Withheld}
		if fromCity {
			c.move = d.District
		} else if d.District != "" {
			h.ignore(f, schemas.IgnoredMove, "项目移交只能由市级决定,其余内容有效")
		}
		h.changes = append(h.changes, c)
	case *schemas.Assigned:
		h.assignments = append(h.assignments, dated[*schemas.Assigned]{date, f, d})
	case *schemas.Planned:
		if d.Approved && !fromCity {
			h.ignore(f, schemas.IgnoredApproval, "节点调整只能由市级批准,按未批准的预计日期计")
		}
		h.plans[d.Milestone] = append(h.plans[d.Milestone], plan{decidedOn: date, plannedOn: d.PlannedOn, approved: d.Approved && fromCity, fact: f})
	case *schemas.Reached:
		h.reached[d.Milestone] = append(h.reached[d.Milestone], dated[*schemas.Reached]{date, f, d})
	case *schemas.Progress:
		h.reports = append(h.reports, report{month: d.Month, invested: d.InvestedYTD, sentOn: schemas.DateOf(f.Time), fact: f})
	case *schemas.Raised:
		h.raises = append(h.raises, dated[*schemas.Raised]{date, f, d})
	case *schemas.Resolved:
		h.resolutions = append(h.resolutions, dated[*schemas.Resolved]{date, f, d})
	case *schemas.StatusChange:
		if f.Type == schemas.ProjectCancelled {
			h.cancellations = append(h.cancellations, dated[*schemas.StatusChange]{date, f, d})
		} else {
			h.pauses = append(h.pauses, dated[*schemas.StatusChange]{date, f, d})
		}
	}
}

// order puts every list into the order (business date, sequence); facts came
// by sequence, so a stable sort by date is enough.
func (h *History) order() {
	sortByDate(h.registrations)
	sortByDate(h.assignments)
	sortByDate(h.raises)
	sortByDate(h.resolutions)
	sortByDate(h.pauses)
	sortByDate(h.cancellations)
	for m := range h.plans {
		sortByDate(h.reached[m])
		slices.SortStableFunc(h.plans[m], func(a, b plan) int { return cmp.Compare(a.decidedOn, b.decidedOn) })
	}
	slices.SortStableFunc(h.changes, func(a, b change) int { return cmp.Compare(a.date, b.date) })
	slices.SortStableFunc(h.reports, func(a, b report) int { return cmp.Compare(a.month, b.month) })
	h.settlePlans()
}

// settlePlans finds the values of annual_plan that came into force. It leaves
// out those by which an office lowers the plan of a year that has begun
// (specification §3).
func (h *History) settlePlans() {
	inForce := map[int]schemas.Money{}
	for _, c := range h.changes {
		for _, year := range slices.Sorted(maps.Keys(c.annualPlan)) {
			value := c.annualPlan[year]
			before, known := inForce[year]
			if known && value < before && c.fact.District != schemas.CityDistrict && yearHasBegun(year, c.date, c.fact.Time) {
				h.ignore(c.fact, schemas.IgnoredAnnualPlan, fmt.Sprintf("%d年已开始,年度计划不得由报送单位调低(%s→%s万元),其余内容有效", year, before, value))
				continue
			}
			inForce[year] = value
			h.planSteps = append(h.planSteps, planStep{date: c.date, year: year, value: value, fact: c.fact})
		}
	}
}

func yearHasBegun(year int, date schemas.Date, sent time.Time) bool {
	begins := schemas.NewDate(year, 1, 1)
	return date >= begins || schemas.DateOf(sent) >= begins
}

func sortByDate[D schemas.Data](list []dated[D]) {
	slices.SortStableFunc(list, func(a, b dated[D]) int { return cmp.Compare(a.date, b.date) })
}

func compareSeq(a, b uint64) int { return cmp.Compare(a, b) }

// latest gives the last of a list in order whose date is on or before the day.
func latest[D schemas.Data](list []dated[D], day schemas.Date) (dated[D], bool) {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].date <= day {
			return list[i], true
		}
	}
	return dated[D]{}, false
}

// Ignored gives the events, or parts of events, of any date that do not count
// because of who sent them.
func (h *History) Ignored() []schemas.Ignored { return h.ignored }

// Adjustments gives the adjustments that count, by sequence; the keys of
// departments and leads are the directory's names.
func (h *History) Adjustments() []schemas.RecordedAdjustment {
	var list []schemas.RecordedAdjustment
	for _, f := range h.adjustments {
		recorded := schemas.RecordedAdjustment{Event: f.ref(), Adjustment: *f.Data.(*schemas.Adjustment)}
		switch recorded.Kind {
		case schemas.AdjustDepartment:
			recorded.Key = h.rules.DepartmentName(recorded.Key, recorded.DecidedOn)
		case schemas.AdjustLead:
			recorded.Key = h.rules.LeadName(recorded.Key, recorded.DecidedOn)
		}
		list = append(list, recorded)
	}
	return list
}

// Orphans counts the events dated by asOf of a project without a registration
// by then (specification §9, data_quality).
func (h *History) Orphans(asOf schemas.Date) int {
	if h.registeredBy(asOf) {
		return 0
	}
	n := 0
	for _, d := range h.dates {
		if d <= asOf {
			n++
		}
	}
	return n
}

func (h *History) registeredBy(asOf schemas.Date) bool {
	return len(h.registrations) > 0 && h.registrations[0].date <= asOf
}
