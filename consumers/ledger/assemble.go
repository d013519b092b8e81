package ledger

import (
	"iter"
	"slices"
	"strings"

	"milepost/schemas"
)

// Project is all facts that the warehouse has under one subject, each identity
// once, by sequence.
type Project struct {
	ID    string
	Facts []Fact
}

// Assemble judges every project at (cut.AsOf, cut.KnownSeq); known is of the same sequence. Subjects that are no
// project (adjustments, publications) add to the quality counts only.
func Assemble(rules *schemas.Rules, known *Known, cut schemas.Cut, projects iter.Seq2[Project, error]) (*schemas.Ledger, error) {
	l := &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, ReportingMonth: rules.ReportingMonth(cut.AsOf)}
	for p, err := range projects {
		if err != nil {
			return nil, err
		}
		h := NewHistory(rules, known, p.ID, p.Facts)
		l.Quality.Foreign += h.Foreign()
		l.Quality.Orphans += h.Orphans(cut.AsOf)
		l.Adjustments = append(l.Adjustments, h.Adjustments()...)
		if s, ok := h.At(cut); ok {
			l.Standings = append(l.Standings, s)
		}
	}
	slices.SortFunc(l.Adjustments, func(a, b schemas.RecordedAdjustment) int { return compareSeq(a.Event.Seq, b.Event.Seq) })
	slices.SortFunc(l.Standings, func(a, b schemas.Standing) int { return strings.Compare(a.ProjectID, b.ProjectID) })
	return l, nil
}
