package schemas

import (
	"slices"
	"strings"
)

// Stage is the highest milestone reached: "registered" before any.
type Stage string

// The stages.
const (
	StageRegistered Stage = "registered"
	StageLanded     Stage = "landed"
	StageStarted    Stage = "started"
	StageProducing  Stage = "producing"
)

// Status is the word that a bulletin uses for a project's progress
// (specification §5).
type Status string

// The statuses.
const (
	StatusCompleted Status = "completed" // 已完成
	StatusSmooth    Status = "smooth"    // 进展顺利
	StatusSlow      Status = "slow"      // 进展缓慢
	StatusStalled   Status = "stalled"   // 无进展
	StatusSuspended Status = "suspended" // 停缓建
)

// Light is 亮灯 (specification §5).
type Light string

// The lights.
const (
	Green  Light = "green"
	Yellow Light = "yellow"
	Red    Light = "red"
	Grey   Light = "grey"
	NoneOn Light = "none"
)

// Verdict is the judgment of one of the seven items.
type Verdict uint8

// The verdicts.
const (
	NotApplicable Verdict = iota
	Unsatisfied
	Satisfied
)

// Holder is who answers for a project on a day; both empty: nobody (未分包).
type Holder struct {
	Lead       string
	Department string
}

// Standing is everything that is judged of one project at (E, S)
// (specification §5 to §7): the ledger's row and what counts are made of. Dates
// that are zero are not known.
type Standing struct {
	ProjectID       string
	Name            string
	Enterprise      string // empty: not known
	Industry        string // empty: not known
	Tags            []string
	District        string
	Holder          Holder // on E
	RegisteredOn    Date
	TotalInvestment Money
	Withheld        bool

	Stage       Stage
	Status      Status
	Light       Light
	Suspended   bool
	SuspendedOn Date
	Cancelled   bool
	CancelledOn Date
	// CancelReason is that of the latest cancellation.
	CancelReason string
	OutOfOrder   bool
	// StalledMonths is 1 at E and one more for each month end before M* for
	// which the project was stalled without a break; 0 when not stalled.
	StalledMonths int

	Milestones [MilestoneCount]MilestoneStanding
	Investment InvestmentStanding
	Issues     []IssueStanding
	// Method has a verdict for each item of the rules, in their order.
	Method []Verdict
	// Trace is there when the cut asks for it.
	Trace *Trace
}

// MilestoneStanding is one milestone of a project at (E, S).
type MilestoneStanding struct {
	Baseline Date
	Target   Date
	Forecast Date
	// ReachedOn is zero when the milestone was not reached by E.
	ReachedOn Date
	// LateDays counts from the target; Late tells whether it is known.
	LateDays      int
	Late          bool
	OverdueMonths int
	// ReachedBy is the holder on ReachedOn.
	ReachedBy Holder
}

// InvestmentStanding is the investment of a project in the year of M*.
type InvestmentStanding struct {
	Plan     Money
	Invested Money
	// Known tells whether anything was reported in the year.
	Known bool
	// Unreported is 应报未报.
	Unreported bool
	// ReportsDue and ReportsOnTime count months of the year (specification §8).
	ReportsDue    int
	ReportsOnTime int
}

// IssueStanding is one issue of a project at (E, S): its latest raise.
type IssueStanding struct {
	ID         string
	Title      string
	Category   string
	Department string
	RaisedOn   Date
	DueOn      Date
	// ResolvedOn is zero while the issue is open.
	ResolvedOn Date
}

// Open tells whether the issue is not resolved.
func (i *IssueStanding) Open() bool { return i.ResolvedOn == 0 }

// Overdue tells whether the issue is open and past its deadline on the day.
func (i *IssueStanding) Overdue(day Date) bool { return i.Open() && i.DueOn <= day }

// Completed tells whether producing was reached.
func (s *Standing) Completed() bool { return s.Milestones[Producing].ReachedOn != 0 }

// OpenIssues counts the issues that are not resolved.
func (s *Standing) OpenIssues() int {
	n := 0
	for i := range s.Issues {
		if s.Issues[i].Open() {
			n++
		}
	}
	return n
}

// OverdueIssues counts the issues that are past their deadline on the day.
func (s *Standing) OverdueIssues(day Date) int {
	n := 0
	for i := range s.Issues {
		if s.Issues[i].Overdue(day) {
			n++
		}
	}
	return n
}

// Completeness gives how many of the applicable items are satisfied.
func (s *Standing) Completeness() (satisfied, applicable int) {
	for _, v := range s.Method {
		switch v {
		case Satisfied:
			satisfied++
			applicable++
		case Unsatisfied:
			applicable++
		}
	}
	return satisfied, applicable
}

// Ledger is the state of every project as of AsOf, using what was known at
// KnownSeq (specification §4).
type Ledger struct {
	AsOf           Date
	KnownSeq       uint64
	ReportingMonth Month
	Standings      []Standing // by project id, cancelled projects included
	Quality        Quality
	// Adjustments are those that count, by sequence.
	Adjustments []RecordedAdjustment
	// Ignored are the events, or parts of events, of any date that do not count
	// because of who sent them, by sequence.
	Ignored []Ignored
}

// Observer sees the standings of the ledgers of some cuts, those of the i-th cut
// with i, in any order. A standing and its texts hold until the observer
// returns: what is kept of them is to be copied.
type Observer func(i int, s *Standing) error

// Observe shows the rows of ledgers that are held whole.
func Observe(ledgers []*Ledger, observe Observer) error {
	for i, l := range ledgers {
		for k := range l.Standings {
			if err := observe(i, &l.Standings[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Clone copies the standing with its texts and lists.
func (s *Standing) Clone() Standing {
	c := *s
	for _, text := range []*string{
		&c.ProjectID, &c.Name, &c.Enterprise, &c.Industry, &c.District, &c.Holder.Lead, &c.Holder.Department, &c.CancelReason,
		(*string)(&c.Stage), (*string)(&c.Status), (*string)(&c.Light),
	} {
		*text = strings.Clone(*text)
	}
	for m := range c.Milestones {
		by := &c.Milestones[m].ReachedBy
		by.Lead, by.Department = strings.Clone(by.Lead), strings.Clone(by.Department)
	}
	c.Tags, c.Issues, c.Method = slices.Clone(s.Tags), slices.Clone(s.Issues), slices.Clone(s.Method)
	for k := range c.Tags {
		c.Tags[k] = strings.Clone(c.Tags[k])
	}
	for k := range c.Issues {
		i := &c.Issues[k]
		i.ID, i.Title, i.Category, i.Department = strings.Clone(i.ID), strings.Clone(i.Title), strings.Clone(i.Category), strings.Clone(i.Department)
	}
	return c
}

// RecordedAdjustment is an adjustment with the event that recorded it.
type RecordedAdjustment struct {
	Event EventRef
	Adjustment
}

// Quality counts the events that the ledger could not use (specification §9,
// data_quality).
type Quality struct {
	Orphans     int
	Conflicts   int
	Foreign     int
	DeadLetters int
}

// Row gives the ledger model's row of the specification §9.
func (s *Standing) Row(rules *Rules, asOf Date) LedgerRow {
	row := LedgerRow{
		ProjectID: s.ProjectID, Name: s.Name, Enterprise: textOrNull(s.Enterprise), Industry: textOrNull(s.Industry),
		Tags: s.Tags, District: s.District, Lead: textOrNull(s.Holder.Lead), Department: textOrNull(s.Holder.Department),
		RegisteredOn: s.RegisteredOn, TotalInvestment: s.TotalInvestment, Stage: s.Stage, Status: s.Status, Light: s.Light,
		Suspended: s.Suspended, Cancelled: s.Cancelled, Unreported: s.Investment.Unreported,
		Investment: s.Investment.row(), OpenIssues: s.OpenIssues(), OverdueIssues: s.OverdueIssues(asOf),
	}
	if row.Tags == nil {
		row.Tags = []string{}
	}
	row.Milestones.Landed = s.Milestones[Landed].row()
	row.Milestones.Started = s.Milestones[Started].row()
	row.Milestones.Producing = s.Milestones[Producing].row()
	row.Method.Items = make(OrderedVerdicts, len(s.Method))
	for i, v := range s.Method {
		row.Method.Items[i] = KeyedVerdict{Key: rules.Method[i].Key, Verdict: v}
	}
	satisfied, applicable := s.Completeness()
	row.Method.Completeness = Percent(int64(satisfied), int64(applicable))
	return row
}

func (i *InvestmentStanding) row() LedgerInvestment {
	row := LedgerInvestment{Plan: i.Plan}
	if i.Known {
		invested := i.Invested
		row.Invested = &invested
		row.Rate = Percent(int64(invested), int64(i.Plan))
	}
	return row
}

func (m *MilestoneStanding) row() LedgerMilestone {
	return LedgerMilestone{
		Baseline: m.Baseline, Target: m.Target, Forecast: m.Forecast, ReachedOn: m.ReachedOn,
		LateDays: m.LateDaysOrNull(), OverdueMonths: m.OverdueMonths,
	}
}

// LateDaysOrNull gives nil while lateness is not known.
func (m *MilestoneStanding) LateDaysOrNull() *int {
	if !m.Late {
		return nil
	}
	days := m.LateDays
	return &days
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
