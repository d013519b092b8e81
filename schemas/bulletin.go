package schemas

import (
	"bytes"
	"encoding/json"
)

// Bulletin is the model of a 通报 (specification §9). Everything that is
// printed comes from it.
type Bulletin struct {
	Kind           PeriodKind          `json:"kind"`
	Period         string              `json:"period"`
	PeriodStart    Date                `json:"period_start"`
	PeriodEnd      Date                `json:"period_end"`
	ReportingMonth Month               `json:"reporting_month"`
	KnownSeq       uint64              `json:"known_seq"`
	IssueNo        *int                `json:"issue_no"` // nil in a draft
	Title          string              `json:"title"`
	Totals         Totals              `json:"totals"`
	Milestones     MilestoneCounts     `json:"milestones"`
	Investment     InvestmentCount     `json:"investment"`
	Groups         []RankedGroup       `json:"groups"`
	Lagging        []LaggingProject    `json:"lagging"`
	Reached        []ReachedMilestone  `json:"reached"`
	Upcoming       []UpcomingMilestone `json:"upcoming"`
	Unreported     []string            `json:"unreported"`
	Issues         IssueCounts         `json:"issues"`
	Method         MethodCount         `json:"method"`
	Cancelled      []CancelledProject  `json:"cancelled"`
	DataQuality    DataQuality         `json:"data_quality"`
	Restatements   []Restatement       `json:"restatements"`
}

// Totals counts the projects of a bulletin; all but Cancelled leave the
// cancelled ones out. TotalInvestment is in 万元.
type Totals struct {
	Projects        int          `json:"projects"`
	TotalInvestment Money        `json:"total_investment"`
	ByStatus        StatusCounts `json:"by_status"`
	ByLight         LightCounts  `json:"by_light"`
	ByStage         StageCounts  `json:"by_stage"`
	Cancelled       int          `json:"cancelled"`
}

// StatusCounts counts projects by status.
type StatusCounts struct {
	Completed int `json:"completed"`
	Smooth    int `json:"smooth"`
	Slow      int `json:"slow"`
	Stalled   int `json:"stalled"`
	Suspended int `json:"suspended"`
}

// LightCounts counts projects by light.
type LightCounts struct {
	Green  int `json:"green"`
	Yellow int `json:"yellow"`
	Red    int `json:"red"`
	Grey   int `json:"grey"`
	None   int `json:"none"`
}

// StageCounts counts projects by stage.
type StageCounts struct {
	Registered int `json:"registered"`
	Landed     int `json:"landed"`
	Started    int `json:"started"`
	Producing  int `json:"producing"`
}

// MilestoneCounts are the counts of the three milestones.
type MilestoneCounts struct {
	Landed    MilestoneTally `json:"landed"`
	Started   MilestoneTally `json:"started"`
	Producing MilestoneTally `json:"producing"`
}

// Of gives the tally of one milestone.
func (c *MilestoneCounts) Of(m Milestone) *MilestoneTally {
	return [...]*MilestoneTally{&c.Landed, &c.Started, &c.Producing}[m]
}

// MilestoneTally is the specification's §6 for one milestone; rates in per
// cent, null when their divisor is 0.
type MilestoneTally struct {
	DueYear     int     `json:"due_year"`
	DueToDate   int     `json:"due_to_date"`
	Done        int     `json:"done"`
	OnTime      int     `json:"on_time"`
	Late        int     `json:"late"`
	Judged      int     `json:"judged"`
	NewInPeriod int     `json:"new_in_period"`
	RateToDate  *Figure `json:"rate_to_date"`
	RateYear    *Figure `json:"rate_year"`
}

// InvestmentCount is the investment of a set of projects: 万元, per cent, and
// percentage points for VsTime.
type InvestmentCount struct {
	Plan         Money   `json:"plan"`
	Invested     *Money  `json:"invested"`
	Rate         *Figure `json:"rate"`
	TimeProgress *Figure `json:"time_progress"`
	VsTime       *Figure `json:"vs_time"`
}

// RankedGroup is a set of rows that are ranked against each other: the
// districts of one group, the departments, or the leads.
type RankedGroup struct {
	Kind  string      `json:"kind"`
	Group *string     `json:"group"`
	Rows  []RankedRow `json:"rows"`
}

// RankedRow is a district, department or lead in its group.
type RankedRow struct {
	Key           string          `json:"key"`
	Name          string          `json:"name"`
	Projects      int             `json:"projects"`
	Milestones    MilestoneCounts `json:"milestones"`
	Investment    InvestmentCount `json:"investment"`
	Completeness  *Figure         `json:"completeness"`
	ReportsDue    int             `json:"reports_due"`
	ReportsOnTime int             `json:"reports_on_time"`
	Score         *Figure         `json:"score"`
	Rank          *int            `json:"rank"`
	RankChange    *int            `json:"rank_change"`
}

// LaggingProject is a slow or stalled project with its most overdue milestone.
type LaggingProject struct {
	ProjectID                string  `json:"project_id"`
	Name                     string  `json:"name"`
	District                 string  `json:"district"`
	Lead                     *string `json:"lead"`
	Department               *string `json:"department"`
	Status                   Status  `json:"status"`
	Light                    Light   `json:"light"`
	Milestone                *string `json:"milestone"`
	Target                   Date    `json:"target"`
	Forecast                 Date    `json:"forecast"`
	OverdueMonths            int     `json:"overdue_months"`
	LateDays                 *int    `json:"late_days"`
	OpenIssues               int     `json:"open_issues"`
	ConsecutiveStalledMonths int     `json:"consecutive_stalled_months"`
}

// ReachedMilestone is a milestone reached in the period.
type ReachedMilestone struct {
	ProjectID string `json:"project_id"`
	Name      string `json:"name"`
	Milestone string `json:"milestone"`
	ReachedOn Date   `json:"reached_on"`
	Target    Date   `json:"target"`
	LateDays  *int   `json:"late_days"`
}

// UpcomingMilestone is a milestone due by the end of the next period.
type UpcomingMilestone struct {
	ProjectID string `json:"project_id"`
	Name      string `json:"name"`
	Milestone string `json:"milestone"`
	Target    Date   `json:"target"`
	Forecast  Date   `json:"forecast"`
}

// IssueCounts counts issues in the period and at its end.
type IssueCounts struct {
	Raised   int `json:"raised"`
	Resolved int `json:"resolved"`
	Open     int `json:"open"`
	Overdue  int `json:"overdue"`
}

// MethodCount is 七个一 of a set of projects; completeness in per cent.
type MethodCount struct {
	Items        MethodTallies `json:"items"`
	Completeness *Figure       `json:"completeness"`
}

// MethodTally counts one item over a set of projects.
type MethodTally struct {
	Key        MethodKey `json:"-"`
	Satisfied  int       `json:"satisfied"`
	Applicable int       `json:"applicable"`
}

// MethodTallies is a JSON object of tallies by key, in the order of the rules.
type MethodTallies []MethodTally

// MarshalJSON writes the object in order.
func (t MethodTallies) MarshalJSON() ([]byte, error) {
	return orderedObject(len(t), func(i int) (string, []byte, error) {
		value, err := json.Marshal(t[i])
		return string(t[i].Key), value, err
	})
}

// UnmarshalJSON reads what MarshalJSON wrote, so that a published model can be
// compared with what is known now.
func (t *MethodTallies) UnmarshalJSON(b []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return &Error{Code: Malformed, Message: "not an object of method items", Value: Shorten(string(b)), Err: err}
	}
	*t = MethodTallies{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return err
		}
		var tally MethodTally
		if err := decoder.Decode(&tally); err != nil {
			return err
		}
		tally.Key = MethodKey(key.(string))
		*t = append(*t, tally)
	}
	return nil
}

// CancelledProject is a project cancelled in the year.
type CancelledProject struct {
	ProjectID   string `json:"project_id"`
	Name        string `json:"name"`
	EffectiveOn Date   `json:"effective_on"`
	Reason      string `json:"reason"`
}

// DataQuality says what could not be used, and what contradicts itself.
type DataQuality struct {
	Orphans     int      `json:"orphans"`
	Conflicts   int      `json:"conflicts"`
	Foreign     int      `json:"foreign"`
	OutOfOrder  []string `json:"out_of_order"`
	NoPlan      []string `json:"no_plan"`
	DeadLetters int      `json:"dead_letters"`
}

// Restatement (数据修订) is a difference between what a published bulletin said
// and what is known now.
type Restatement struct {
	Path      string          `json:"path"`
	Published json.RawMessage `json:"published"`
	Now       json.RawMessage `json:"now"`
}
