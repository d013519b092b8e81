package deploy

import (
	"context"
	"io"
	"slices"

	"milepost/scheduler"
	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/scheduler/render/document"
	"milepost/scheduler/render/formats"
	"milepost/schemas"
	"milepost/web"
)

// Draft writes the period's bulletin as known at the sequence.
func (p *press) Draft(ctx context.Context, w io.Writer, period schemas.Period, known uint64, form web.Form) error {
	p.documents.Expect(form.Format)
	draft, err := p.build(ctx, period, known, "", detailsFor(form)...)
	if err != nil {
		return err
	}
	return p.write(ctx, w, draft, form)
}

// Publish publishes the period once, and writes its latest edition whoever
// published it.
func (p *press) Publish(ctx context.Context, w io.Writer, period schemas.Period, form web.Form) error {
	status, err := p.desk.PublishNow(ctx, actorOf(ctx), period)
	if err != nil {
		return err
	}
	return p.printEdition(ctx, w, status, form)
}

// printEdition writes the edition's own file; a form that it was not published
// in is printed from what the edition was made from.
func (p *press) printEdition(ctx context.Context, w io.Writer, status schemas.EditionStatus, form web.Form) error {
	subject, err := scheduler.ParseID(status.ID)
	if err != nil {
		return err
	}
	name := status.ID
	if form.Edition == string(document.Media) {
		name += "-" + form.Edition
	}
	name += "." + form.Format
	if slices.ContainsFunc(status.Files, func(f schemas.EditionFile) bool { return f.Name == name }) {
		file, _, err := p.desk.File(ctx, subject, name)
		if err != nil {
			return err
		}
		_, err = w.Write(file.Content)
		return err
	}
	if subject.Kind == schemas.AssessmentKind {
		return p.previewAssessment(ctx, w, subject, form)
	}
	return p.preview(ctx, w, subject, status, form)
}

// preview prints the draft of the edition, with its own paragraphs.
func (p *press) preview(ctx context.Context, w io.Writer, subject scheduler.Subject, status schemas.EditionStatus, form web.Form) error {
	draft, err := p.desk.Draft(ctx, subject)
	if err != nil {
		return err
	}
	names := render.Names{Rules: draft.Rules, Projects: draft.Projects, Details: draft.Details, Edition: document.Edition(form.Edition), Remarks: draft.Remarks, Style: draft.Style}
	if status.PublishedAt != nil {
		names.Signed = schemas.DateOf(*status.PublishedAt)
	}
	return p.documents.FrozenBulletin(ctx, w, form.Format, draft.Model, names)
}

// detailsFor leaves the ledgers of earlier periods out where only the model is
// asked for.
func detailsFor(form web.Form) []bulletin.Option {
	if form.Format == formats.JSON && form.Edition != string(document.Media) {
		return nil
	}
	return []bulletin.Option{bulletin.WithDetails()}
}

func (p *press) write(ctx context.Context, w io.Writer, draft *scheduler.Draft, form web.Form) error {
	return p.documents.Bulletin(ctx, w, form.Format, draft.Model, render.Names{
		Rules: draft.Rules, Projects: draft.Projects, Details: draft.Details, Edition: document.Edition(form.Edition)})
}
