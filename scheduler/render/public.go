package render

import (
	"slices"

	"milepost/scheduler/bulletin"
	"milepost/schemas"
)

// Public gives a copy of the model for a media edition in formats that print
// lists as they are: without withheld projects in any list, and without what is
// for the offices alone (restatements, and the lists of data quality). Totals and
// rows keep counting every project.
func Public(model *schemas.Bulletin, details *bulletin.Details) *schemas.Bulletin {
	hidden := func(id string) bool {
		s := details.Standing(id)
		return s == nil || s.Withheld
	}
	public := *model
	public.Lagging = slices.DeleteFunc(slices.Clone(model.Lagging), func(p schemas.LaggingProject) bool { return hidden(p.ProjectID) })
	public.Reached = slices.DeleteFunc(slices.Clone(model.Reached), func(r schemas.ReachedMilestone) bool { return hidden(r.ProjectID) })
	public.Upcoming = slices.DeleteFunc(slices.Clone(model.Upcoming), func(u schemas.UpcomingMilestone) bool { return hidden(u.ProjectID) })
	public.Cancelled = slices.DeleteFunc(slices.Clone(model.Cancelled), func(p schemas.CancelledProject) bool { return hidden(p.ProjectID) })
	public.Unreported = slices.DeleteFunc(slices.Clone(model.Unreported), hidden)
	public.DataQuality = schemas.DataQuality{OutOfOrder: []string{}, NoPlan: []string{}}
	public.Restatements = []schemas.Restatement{}
	return &public
}

// Ledger gives the rows of the ledger at the period's end for the edition: all
// of them, or those that are not withheld.
func Ledger(details *bulletin.Details, rules *schemas.Rules, public bool) []schemas.LedgerRow {
	rows := make([]schemas.LedgerRow, 0, len(details.Ledger.Standings))
	for i := range details.Ledger.Standings {
		if s := &details.Ledger.Standings[i]; !public || !s.Withheld {
			rows = append(rows, s.Row(rules, details.Ledger.AsOf))
		}
	}
	return rows
}

// RestatementWords says paths and values of the model's restatements in words,
// for forms that print them themselves.
func RestatementWords(model *schemas.Bulletin, names Names) *Restated {
	return &Restated{composer{model: model, names: names, projects: projectNames(model, names)}}
}

// Restated says restatements in words.
type Restated struct{ c composer }

// Path says groups/district/county/xiuwu/score as 排名·县（市）区·修武县·得分.
func (r *Restated) Path(path string) string { return r.c.restatedPath(path) }

// Value says a value: words for codes, 列入 for a whole row, and "-" for null.
func (r *Restated) Value(value []byte) string { return r.c.restatedValue(value) }

// Notes gives the 口径说明 of the edition as plain paragraphs.
func Notes(model *schemas.Bulletin, names Names) []string {
	c := &composer{model: model, names: names}
	var notes []string
	for _, item := range c.officialNotes() {
		notes = append(notes, item.String())
	}
	return notes
}

// AssessmentNotes gives the 口径说明 of an assessment as plain paragraphs.
func AssessmentNotes(rules *schemas.Rules) []string {
	var notes []string
	for _, item := range assessmentNotes(rules) {
		notes = append(notes, item.String())
	}
	return notes
}
