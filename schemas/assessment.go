package schemas

import "encoding/json"

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
