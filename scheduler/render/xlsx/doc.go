// Package xlsx writes a bulletin and a year-end assessment as workbooks: every
// list a sheet with real numbers and days, filters, frozen headings and a
// printable page, with native charts. Names from events are always text: one
// that starts with = + - @ is never a formula.
package xlsx

import (
	"encoding/json"

	"milepost/schemas"
)

// Names give words to the codes and ids of a model, and say what an edition may
// show.
type Names struct {
	// Rules are those that the model was built with.
	Rules *schemas.Rules
	// Projects names the projects that stand in the model by their id alone; the
	// ledger names its own.
	Projects map[string]string
	// RankLeads shows scores, ranks, grades and hints of the city leaders
	// (the specification, §10).
	RankLeads bool
	// Public leaves out what is for the offices alone: quality of the data and
	// restatements. The caller leaves withheld projects out of ledger and lists.
	Public bool
	// Notes explain the figures (口径说明), a paragraph each.
	Notes []string
	// Path and Value say the path and the value of a restatement in words; nil
	// prints them as they are.
	Path  func(path string) string
	Value func(value json.RawMessage) string
	// Number is that of a finalised assessment: 1, or more for a correction; nil
	// is a draft. A bulletin carries its own.
	Number *int
}

func (n *Names) check() error {
	if n.Rules == nil {
		return &schemas.Error{Code: schemas.Internal, Message: "a workbook is written with the rules that its model was built with", Field: "rules"}
	}
	return nil
}

func (n *Names) path(path string) string {
	if n.Path == nil {
		return path
	}
	return n.Path(path)
}

func (n *Names) value(value json.RawMessage) string {
	if n.Value == nil {
		return string(value)
	}
	return n.Value(value)
}

// ranks tells whether the edition shows points and ranks of the kind of rows.
func (n *Names) ranks(kind string) bool { return kind != "lead" || n.RankLeads }
