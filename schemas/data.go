package schemas

// Data is what one type of event says, decoded. A nil pointer, nil slice, nil
// map or zero Date means that the sender did not give the member; null is as
// not given (specification §3).
type Data interface {
	// BusinessDate is the day that the event is about, or none.
	BusinessDate() Date
}

// Milestone is one of the three dated promises of a project.
type Milestone uint8

// The milestones, in their order.
const (
	Landed Milestone = iota
	Started
	Producing
	MilestoneCount = 3
)

// Milestones lists the three in their order.
func Milestones() [MilestoneCount]Milestone { return [...]Milestone{Landed, Started, Producing} }

// String gives the word used in events and models.
func (m Milestone) String() string {
	switch m {
	case Landed:
		return "landed"
	case Started:
		return "started"
	case Producing:
		return "producing"
	}
	return ""
}

// ParseMilestone reads the word used in events.
func ParseMilestone(s string) (Milestone, bool) {
	for _, m := range Milestones() {
		if m.String() == s {
			return m, true
		}
	}
	return 0, false
}

// Targets are dates by milestone; zero where none is given.
type Targets [MilestoneCount]Date

// Registered is project.registered.v1: a project enters the ledger.
type Registered struct {
	Name            string
	Enterprise      *string
	Industry        *string
	Tags            []string
	TotalInvestment Money // 万元
	AnnualPlan      map[int]Money
	Targets         Targets
	RegisteredOn    Date
	District        string // the project's district; counts only from the city
}

// Amended is project.amended.v1: what is given replaces what was.
type Amended struct {
	EffectiveOn     Date
	Name            *string
	Enterprise      *string
	Industry        *string
	Tags            []string // nil: not given; empty: none from now on
	TotalInvestment *Money
	AnnualPlan      map[int]Money // merged by year
	District        string        // a move; counts only from the city
	Withheld        *bool
}

// Assigned is project.assigned.v1: who answers from a day on.
type Assigned struct {
	Lead        string
	Department  string
	EffectiveOn Date
}

// Planned is milestone.planned.v1.
type Planned struct {
	Milestone Milestone
	PlannedOn Date
	DecidedOn Date
	Approved  bool // counts only from the city
	Document  string
	Reason    string
}

// Evidence points to a proof of a milestone.
type Evidence struct {
	URI    string
	SHA256 string
	Note   string
}

// Reached is milestone.reached.v1.
type Reached struct {
	Milestone Milestone
	ReachedOn Date
	Evidence  []Evidence
}

// Progress is progress.reported.v1: InvestedYTD is what was invested in the
// calendar year up to and with Month, in 万元.
type Progress struct {
	Month       Month
	InvestedYTD Money
	Note        string
}

// Raised is issue.raised.v1.
type Raised struct {
	IssueID    string
	Title      string
	Category   string
	Department string
	RaisedOn   Date
	DueOn      Date
}

// IssueCategories lists the categories of an issue.
func IssueCategories() []string {
	return []string{"land", "finance", "approval", "environment", "utilities", "labour", "other"}
}

// Resolved is issue.resolved.v1 (销号).
type Resolved struct {
	IssueID    string
	ResolvedOn Date
	Resolution string
}

// StatusChange is project.suspended.v1, project.resumed.v1 or
// project.cancelled.v1; Reason may be empty only for a resumption.
type StatusChange struct {
	EffectiveOn Date
	Reason      string
	Document    string
}

// Revoked is event.revoked.v1: the named event is as if never sent.
type Revoked struct {
	Source    string
	ID        string
	Reason    string
	DecidedOn Date
}

// AdjustmentKind says what an adjustment is about.
type AdjustmentKind string

// The kinds of rows that can be adjusted.
const (
	AdjustDistrict   AdjustmentKind = "district"
	AdjustDepartment AdjustmentKind = "department"
	AdjustLead       AdjustmentKind = "lead"
)

// Adjustment is adjustment.recorded.v1: points for a row of the year-end
// assessment. Points are hundredths, from −2000 to 500.
type Adjustment struct {
	Year      int
	Kind      AdjustmentKind
	Key       string
	Points    int64
	Veto      bool
	Reason    string
	Document  string
	DecidedOn Date
}

// Publication is what bulletin.published.v1, bulletin.withdrawn.v1,
// assessment.announced.v1, assessment.objected.v1 and assessment.finalised.v1
// say of an edition.
type Publication struct {
	Kind      string // week, month, quarter, half, year, assessment
	Period    string // as in Period.String, or the assessed year
	Number    int    // 第 n 期
	KnownSeq  uint64 // S
	RulesHash string
	Files     []PublishedFile
	Remarks   string
}

// PublishedFile is a file of an edition.
type PublishedFile struct {
	Name   string
	SHA256 string
}

// BusinessDate is registered_on.
func (d *Registered) BusinessDate() Date { return d.RegisteredOn }

// BusinessDate is effective_on.
func (d *Amended) BusinessDate() Date { return d.EffectiveOn }

// BusinessDate is effective_on.
func (d *Assigned) BusinessDate() Date { return d.EffectiveOn }

// BusinessDate is decided_on.
func (d *Planned) BusinessDate() Date { return d.DecidedOn }

// BusinessDate is reached_on.
func (d *Reached) BusinessDate() Date { return d.ReachedOn }

// BusinessDate is the last day of the month.
func (d *Progress) BusinessDate() Date { return d.Month.Last() }

// BusinessDate is raised_on.
func (d *Raised) BusinessDate() Date { return d.RaisedOn }

// BusinessDate is resolved_on.
func (d *Resolved) BusinessDate() Date { return d.ResolvedOn }

// BusinessDate is effective_on.
func (d *StatusChange) BusinessDate() Date { return d.EffectiveOn }

// BusinessDate is none: a revocation acts on knowledge.
func (d *Revoked) BusinessDate() Date { return 0 }

// BusinessDate is none: an adjustment belongs to its year.
func (d *Adjustment) BusinessDate() Date { return 0 }

// BusinessDate is none.
func (d *Publication) BusinessDate() Date { return 0 }
