package schemas

import (
	"bytes"
	"encoding/json"
)

// LedgerRow is a row of the ledger model (specification §9).
type LedgerRow struct {
	ProjectID       string           `json:"project_id"`
	Name            string           `json:"name"`
	Enterprise      *string          `json:"enterprise"`
	Industry        *string          `json:"industry"`
	Tags            []string         `json:"tags"`
	District        string           `json:"district"`
	Lead            *string          `json:"lead"`
	Department      *string          `json:"department"`
	RegisteredOn    Date             `json:"registered_on"`
	TotalInvestment Money            `json:"total_investment"`
	Stage           Stage            `json:"stage"`
	Status          Status           `json:"status"`
	Light           Light            `json:"light"`
	Suspended       bool             `json:"suspended"`
	Cancelled       bool             `json:"cancelled"`
	Unreported      bool             `json:"unreported"`
	Milestones      LedgerMilestones `json:"milestones"`
	Investment      LedgerInvestment `json:"investment"`
	Method          LedgerMethod     `json:"method"`
	OpenIssues      int              `json:"open_issues"`
	OverdueIssues   int              `json:"overdue_issues"`
}

// LedgerMilestones are the three milestones of a row.
type LedgerMilestones struct {
	Landed    LedgerMilestone `json:"landed"`
	Started   LedgerMilestone `json:"started"`
	Producing LedgerMilestone `json:"producing"`
}

// Of gives the milestone's part of the row.
func (m *LedgerMilestones) Of(milestone Milestone) *LedgerMilestone {
	return [...]*LedgerMilestone{&m.Landed, &m.Started, &m.Producing}[milestone]
}

// LedgerMilestone is one milestone of a row; zero dates are null.
type LedgerMilestone struct {
	Baseline      Date `json:"baseline"`
	Target        Date `json:"target"`
	Forecast      Date `json:"forecast"`
	ReachedOn     Date `json:"reached_on"`
	LateDays      *int `json:"late_days"`
	OverdueMonths int  `json:"overdue_months"`
}

// LedgerInvestment is the investment of a row in 万元 and per cent.
type LedgerInvestment struct {
	Plan     Money   `json:"plan"`
	Invested *Money  `json:"invested"`
	Rate     *Figure `json:"rate"`
}

// LedgerMethod is 七个一 of a row; completeness in per cent.
type LedgerMethod struct {
	Items        OrderedVerdicts `json:"items"`
	Completeness *Figure         `json:"completeness"`
}

// KeyedVerdict is the verdict of one item.
type KeyedVerdict struct {
	Key     MethodKey
	Verdict Verdict
}

// OrderedVerdicts is a JSON object of item keys with true, false or null, in
// the order of the rules.
type OrderedVerdicts []KeyedVerdict

// MarshalJSON writes the object in order.
func (o OrderedVerdicts) MarshalJSON() ([]byte, error) {
	words := [...]string{NotApplicable: "null", Unsatisfied: "false", Satisfied: "true"}
	return orderedObject(len(o), func(i int) (string, []byte, error) {
		return string(o[i].Key), []byte(words[o[i].Verdict]), nil
	})
}

// orderedObject writes a JSON object whose members keep their order.
func orderedObject(n int, member func(i int) (key string, value []byte, err error)) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range n {
		key, value, err := member(i)
		if err != nil {
			return nil, err
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
