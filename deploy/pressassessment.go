package deploy

import (
	"context"
	"fmt"
	"io"
	"slices"

	"milepost/consumers/warehouse"
	"milepost/scheduler"
	"milepost/scheduler/assessment"
	"milepost/scheduler/render"
	"milepost/schemas"
)

// Assess makes the assessment of the year with the grades of the year before;
// it serves the scheduler.
func (p *press) Assess(ctx context.Context, year int, known uint64, rulesHash string) (*scheduler.AssessmentDraft, error) {
	rules := p.book.OfYear(year)
	if rulesHash != "" {
		var err error
		if rules, err = p.rulesOf(ctx, rulesHash, assessment.Period(year)); err != nil {
			return nil, err
		}
	}
	last, err := p.lastYear(ctx, year-1, known)
	if err != nil {
		return nil, err
	}
	model, err := assessment.Build(ctx, warehouse.NewReader(p.warehouse, rules), rules, year, known, last)
	if err != nil {
		return nil, err
	}
	return &scheduler.AssessmentDraft{Model: model, Rules: rules, Printing: scheduler.Printing{Writer: p.documents, Formats: p.formats, Style: p.documents.Style()}}, nil
}

// lastYear makes the finalised result of a year again, the latest with a
// sequence up to known, and gives its grades; nil when there is none.
func (p *press) lastYear(ctx context.Context, year int, known uint64) (assessment.LastYear, error) {
	issued, err := p.Published(ctx, schemas.AssessmentKind, year)
	if err != nil {
		return nil, err
	}
	var latest *scheduler.Edition
	for i := range issued.Editions {
		if e := &issued.Editions[i]; e.Seq <= known && (latest == nil || e.Seq > latest.Seq) {
			latest = e
		}
	}
	if latest == nil {
		return nil, nil
	}
	rules, err := p.rulesOf(ctx, latest.RulesHash, assessment.Period(year))
	if err != nil {
		return nil, err
	}
	// Grades do not look at the year before: the chain ends here.
	model, err := assessment.Build(ctx, warehouse.NewReader(p.warehouse, rules), rules, year, latest.KnownSeq, nil)
	if err != nil {
		return nil, err
	}
	return assessment.Grades(model), nil
}

// DraftAssessment writes the year's assessment as known at the sequence.
func (p *press) DraftAssessment(ctx context.Context, w io.Writer, year int, known uint64, format string) error {
	draft, err := p.Assess(ctx, year, known, "")
	if err != nil {
		return err
	}
	return p.documents.Assessment(ctx, w, format, draft.Model, nil, render.Names{Rules: draft.Rules})
}

// FinaliseAssessment finalises the year once, and writes its edition whoever
// finalised it.
func (p *press) FinaliseAssessment(ctx context.Context, w io.Writer, year int, format string) error {
	edition, err := p.scheduler.Finalise(ctx, year)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("assessment-%d.%s", year, format)
	if slices.ContainsFunc(edition.Files, func(f schemas.PublishedFile) bool { return f.Name == name }) {
		file, _, err := p.desk.File(ctx, scheduler.Assessment(year), name)
		if err != nil {
			return err
		}
		_, err = w.Write(file.Content)
		return err
	}
	draft, err := p.Assess(ctx, year, edition.KnownSeq, edition.RulesHash)
	if err != nil {
		return err
	}
	return p.documents.Assessment(ctx, w, format, draft.Model, &edition.Number, render.Names{Rules: draft.Rules, Signed: schemas.DateOf(edition.At)})
}
