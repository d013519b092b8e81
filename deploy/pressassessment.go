package deploy

import (
	"context"
	"io"
	"strings"
	"time"

	"milepost/consumers/warehouse"
	"milepost/scheduler"
	"milepost/scheduler/assessment"
	"milepost/scheduler/render"
	"milepost/scheduler/render/document"
	"milepost/schemas"
	"milepost/web"
)

// Assess makes the assessment of the year with the grades of the year before;
// it serves the scheduler.
func (p *press) Assess(ctx context.Context, year int, known uint64, rulesHash string) (*scheduler.AssessmentDraft, error) {
	defer p.builds.done(schemas.AssessmentKind, time.Now())
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
func (p *press) DraftAssessment(ctx context.Context, w io.Writer, year int, known uint64, form web.Form) error {
	p.documents.Expect(form.Format)
	draft, err := p.Assess(ctx, year, known, "")
	if err != nil {
		return err
	}
	return p.documents.Assessment(ctx, w, form.Format, draft.Model, nil, render.Names{Rules: draft.Rules, Edition: document.Edition(form.Edition)})
}

// FinaliseAssessment finalises the year once, and writes its edition whoever
// finalised it.
func (p *press) FinaliseAssessment(ctx context.Context, w io.Writer, year int, form web.Form) error {
	edition, err := p.scheduler.Finalise(ctx, year)
	if err != nil {
		return err
	}
	ending := "." + form.Format
	if form.Edition == string(document.Media) {
		ending = "-" + form.Edition + ending
	}
	for _, f := range edition.Files {
		// A correction's own file bears its id.
		id, isFormat := strings.CutSuffix(f.Name, ending)
		if subject, err := scheduler.ParseID(id); !isFormat || err != nil || subject.ID() != id {
			continue
		} else if file, _, err := p.desk.File(ctx, subject, f.Name); err != nil {
			return err
		} else {
			_, err = w.Write(file.Content)
			return err
		}
	}
	return p.writeAssessment(ctx, w, year, &edition, form)
}

// writeAssessment prints a finalised assessment from what it was made from.
func (p *press) writeAssessment(ctx context.Context, w io.Writer, year int, edition *scheduler.Edition, form web.Form) error {
	draft, err := p.Assess(ctx, year, edition.KnownSeq, edition.RulesHash)
	if err != nil {
		return err
	}
	return p.documents.Assessment(ctx, w, form.Format, draft.Model, &edition.Number, render.Names{Rules: draft.Rules, Edition: document.Edition(form.Edition), Signed: schemas.DateOf(edition.At)})
}

// previewAssessment prints the draft of a correction, or a finalised assessment.
func (p *press) previewAssessment(ctx context.Context, w io.Writer, subject scheduler.Subject, form web.Form) error {
	draft, edition, err := p.desk.DraftAssessment(ctx, subject)
	if err != nil {
		return err
	}
	names := render.Names{Rules: draft.Rules, Edition: document.Edition(form.Edition), Style: draft.Style}
	if edition == nil {
		return p.documents.FrozenAssessment(ctx, w, form.Format, draft.Model, nil, names)
	}
	names.Signed = schemas.DateOf(edition.At)
	return p.documents.FrozenAssessment(ctx, w, form.Format, draft.Model, &edition.Number, names)
}
