package schemas

import (
	"bytes"
	"encoding/json"
)

// Assessment is the model of the year-end assessment (年终考核, specification
// §10).
type Assessment struct {
	Year                 int                   `json:"year"`
	KnownSeq             uint64                `json:"known_seq"`
	Groups               []AssessedGroup       `json:"groups"`
	UnmatchedAdjustments []UnmatchedAdjustment `json:"unmatched_adjustments"`
}

// AssessedGroup is a set of rows that are ranked against each other.
type AssessedGroup struct {
	Kind  string        `json:"kind"`
	Group *string       `json:"group"`
	Rows  []AssessedRow `json:"rows"`
}

// Grade is the grade of an assessed row.
type Grade string

// The grades.
const (
	GradeExcellent Grade = "优秀"
	GradeGood      Grade = "良好"
	GradePass      Grade = "合格"
	GradeFail      Grade = "不合格"
)

// Hint is what the rules suggest of a row; a person decides.
type Hint string

// The hints.
const (
	HintReward         Hint = "reward"
	HintExplain        Hint = "explain"
	HintAccountability Hint = "accountability"
)

// AssessedRow is a district, department or lead with its points.
type AssessedRow struct {
	Key           string           `json:"key"`
	Name          string           `json:"name"`
	Projects      int              `json:"projects"`
	Milestones    MilestoneCounts  `json:"milestones"`
	Investment    InvestmentCount  `json:"investment"`
	Completeness  *Figure          `json:"completeness"`
	ReportsDue    int              `json:"reports_due"`
	ReportsOnTime int              `json:"reports_on_time"`
	Score         *Figure          `json:"score"`
	Bonus         *Figure          `json:"bonus"`
	Penalty       *Figure          `json:"penalty"`
	Adjustment    *Figure          `json:"adjustment"`
	Veto          bool             `json:"veto"`
	Final         *Figure          `json:"final"`
	Rank          *int             `json:"rank"`
	Grade         *Grade           `json:"grade"`
	Hints         []Hint           `json:"hints"`
	HintReasons   HintReasons      `json:"hint_reasons"`
	Items         []AssessmentItem `json:"items"`
}

// HintReasons says in Chinese why each hint is given; a JSON object in the
// order of the hints.
type HintReasons []HintReason

// HintReason is the reason of one hint.
type HintReason struct {
	Hint   Hint
	Reason string
}

// MarshalJSON writes the object in order.
func (r HintReasons) MarshalJSON() ([]byte, error) {
	return orderedObject(len(r), func(i int) (string, []byte, error) {
		text, err := json.Marshal(r[i].Reason)
		return string(r[i].Hint), text, err
	})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *HintReasons) UnmarshalJSON(b []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return &Error{Code: Malformed, Message: "not an object of hints", Value: Shorten(string(b)), Err: err}
	}
	*r = HintReasons{}
	for decoder.More() {
		hint, err := decoder.Token()
		if err != nil {
			return err
		}
		var reason string
		if err := decoder.Decode(&reason); err != nil {
			return err
		}
		*r = append(*r, HintReason{Hint: Hint(hint.(string)), Reason: reason})
	}
	return nil
}

// AssessmentItem is one of the five items of a score, with the events that it
// rests on. Fraction (four decimals) and Points (two) are null when the item
// does not apply.
type AssessmentItem struct {
	Item      string     `json:"item"`
	Weight    int        `json:"weight"`
	Numerator *Figure    `json:"numerator"`
	Divisor   *Figure    `json:"divisor"`
	Fraction  *Figure    `json:"fraction"`
	Points    *Figure    `json:"points"`
	Events    []EventRef `json:"events"`
}

// UnmatchedAdjustment is an adjustment whose key has no row.
type UnmatchedAdjustment struct {
	Kind     AdjustmentKind `json:"kind"`
	Key      string         `json:"key"`
	Points   *Figure        `json:"points"`
	Veto     bool           `json:"veto"`
	Reason   string         `json:"reason"`
	Document string         `json:"document"`
	Event    EventRef       `json:"event"`
}

// AssessmentKind is the kind of the publications that are about an assessment.
const AssessmentKind = "assessment"

// AssessmentRules are the numbers of the year-end assessment (specification
// §10).
type AssessmentRules struct {
	// BonusPoints are given for the share of the milestones done that were done
	// at least BonusDays before both baseline and target.
	BonusPoints int `json:"bonus_points" yaml:"bonus_points"`
	BonusDays   int `json:"bonus_days" yaml:"bonus_days"`
	// PenaltyPoints are taken for the share of the projects, not suspended, whose
	// start is overdue by at least PenaltyMonths.
	PenaltyPoints int `json:"penalty_points" yaml:"penalty_points"`
	PenaltyMonths int `json:"penalty_months" yaml:"penalty_months"`
	// Excellent, Good and Pass are the least final points of 优秀, 良好 and 合格.
	Excellent int `json:"excellent" yaml:"excellent"`
	Good      int `json:"good" yaml:"good"`
	Pass      int `json:"pass" yaml:"pass"`
	// Accountability gives the hint of that name to those who failed two years
	// running.
	Accountability bool `json:"accountability" yaml:"accountability"`
}

// Assessing gives the numbers of the assessment, by default the
// specification's.
func (r *Rules) Assessing() AssessmentRules {
	if r.Assessment != nil {
		return *r.Assessment
	}
	return AssessmentRules{
		BonusPoints: 3, BonusDays: 30, PenaltyPoints: 10, PenaltyMonths: 3, Excellent: 90, Good: 80, Pass: 60, Accountability: true,
	}
}

// ParseYear reads the year of an assessment.
func ParseYear(s string) (int, error) {
	period, err := ParsePeriod(s)
	if err != nil || period.Kind != Year {
		return 0, &Error{Code: Invalid, Message: "not a year", Field: "year", Value: quoteShort(s), Hint: "write a year with four digits, such as 2025"}
	}
	return period.End.Year(), nil
}
