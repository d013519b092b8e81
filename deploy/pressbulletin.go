package deploy

import (
	"context"
	"io"

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
	draft, err := p.build(ctx, period, known, "", detailsFor(form)...)
	if err != nil {
		return err
	}
	return p.write(ctx, w, draft, form)
}

// Publish publishes the period once, and writes its edition whoever published
// it.
func (p *press) Publish(ctx context.Context, w io.Writer, period schemas.Period, form web.Form) error {
	edition, err := p.scheduler.Publish(ctx, period)
	if err != nil {
		return err
	}
	draft, err := p.build(ctx, period, edition.KnownSeq, edition.RulesHash, detailsFor(form)...)
	if err != nil {
		return err
	}
	draft.Model.IssueNo = &edition.Number
	return p.write(ctx, w, draft, form)
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
