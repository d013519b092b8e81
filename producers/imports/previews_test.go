package imports_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"milepost/producers"
	"milepost/producers/imports"
	"milepost/schemas"
)

// refusing publishes nothing after the first event, as often as told.
type refusing struct {
	imports.Publisher
	times int
}

func (p *refusing) Publish(ctx context.Context, submissions iter.Seq[producers.Submission], actor string) iter.Seq[producers.Receipt] {
	if p.times == 0 {
		return p.Publisher.Publish(ctx, submissions, actor)
	}
	p.times--
	return func(yield func(producers.Receipt) bool) {
		n := 0
		for s := range submissions {
			if n++; n == 1 {
				for r := range p.Publisher.Publish(ctx, func(yield func(producers.Submission) bool) { yield(s) }, actor) {
					yield(r)
				}
				continue
			}
			if !yield(producers.Receipt{Error: &schemas.Error{Code: schemas.Unavailable, Message: "away"}}) {
				return
			}
		}
	}
}

func TestPreviewsAreKeptAndForgotten(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	path := o.filled(t, "台账.xlsx", "", twoProjects())
	make := func() *imports.Preview {
		t.Helper()
		p, err := imports.UploadPreview(t.Context(), o.client, "", []string{path}, imports.UploadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	confirm := func(id string) (*imports.Result, error) {
		return imports.Confirm(t.Context(), o.client, id, false, nil)
	}
	a, b, c, d := make(), make(), make(), make()
	if _, err := confirm(a.ID); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("the oldest of four, where three are kept: %v", err)
	}
	o.clock.forward(59 * time.Minute)
	r, err := confirm(b.ID)
	if err != nil || r.Published != 7 {
		t.Errorf("%+v %v", r, err)
	}
	if again, err := confirm(b.ID); err != nil || again.Published != 7 || again.LastSeq != r.LastSeq {
		t.Errorf("confirmed again: %+v %v", again, err)
	}
	if _, err := confirm(c.ID); schemas.CodeOf(err) != schemas.Conflict || !strings.Contains(err.Error(), "published after this preview") {
		t.Errorf("out of date: %v", err)
	}
	if shown, err := o.previews.Get(b.ID); err != nil || shown.Confirmed == nil {
		t.Errorf("%+v %v", shown, err)
	}
	if err := o.previews.Delete(c.ID); err != nil || schemas.CodeOf(o.previews.Delete(c.ID)) != schemas.NotFound {
		t.Error(err)
	}
	o.clock.forward(2 * time.Minute)
	for _, id := range []string{b.ID, c.ID, d.ID, "none", "../../etc"} {
		if _, err := confirm(id); schemas.CodeOf(err) != schemas.NotFound && !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if e := make(); e.Planned != 0 || e.Unchanged != 2 {
		t.Errorf("afterwards %+v", e)
	}
}

func TestConfirmationThatFailsMidway(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	changed := *o.importer
	changed.Publisher = &refusing{o.publisher, 1}
	importer, err := imports.NewImporter(changed)
	if err != nil {
		t.Fatal(err)
	}
	previews, err := imports.NewPreviews(importer, imports.PreviewOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.filled(t, "台账.xlsx", "", twoProjects()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := previews.Make(t.Context(), imports.Request{Files: []imports.File{{Name: "台账.xlsx", Text: text}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := previews.Confirm(t.Context(), p.ID, false, imports.Sender{}, nil)
	if err != nil || r.Published != 1 || r.Failed != 6 || len(r.Errors) != 6 || r.Errors[0].Row != 5 || r.Errors[0].Sheet != "台账" {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = previews.Confirm(t.Context(), p.ID, false, imports.Sender{}, nil); err != nil || r.Published != 6 || r.Duplicates != 1 || r.Failed != 0 || len(r.Errors) != 0 {
		t.Errorf("the rest: %+v %v", r, err)
	}
	if err := previews.Close(); err != nil {
		t.Error(err)
	}
}

// TestSendersMayNotSendEverything: what the sender may not send is refused in
// the preview, and a confirmation by another who may not is refused whole.
func TestSendersMayNotSendEverything(t *testing.T) {
	t.Parallel()
	onlyXiuwu := func(e *schemas.Event) ([]schemas.Warning, error) {
		if r, ok := e.Data.(*schemas.Registered); ok && r.District != "xiuwu" {
			return nil, &schemas.Error{Code: schemas.Forbidden, Field: "data.district", Value: r.District, Message: "not your district"}
		}
		return nil, nil
	}
	who := imports.Sender{Actor: "office", Admit: onlyXiuwu}
	o := openOffice(t, officeRules(), imports.HandlerOptions{Sender: func(r *http.Request) (imports.Sender, error) {
		if r.URL.Query().Get("progress") == "" {
			return imports.Sender{}, &schemas.Error{Code: schemas.Forbidden, Message: "who are you"}
		}
		return who, nil
	}})
	path := o.filled(t, "台账.xlsx", "", twoProjects())
	p, err := imports.UploadPreview(t.Context(), o.client, "", []string{path}, imports.UploadOptions{})
	if err != nil || p.Planned != 6 || len(p.Refused) != 1 || p.Refused[0].Cell != "F6" || !strings.Contains(p.Refused[0].Message, "not your district") {
		t.Fatalf("%+v %v", p, err)
	}
	if err := imports.DownloadErrors(t.Context(), o.client, p.ID, io.Discard); schemas.CodeOf(err) != schemas.Forbidden {
		t.Errorf("a stranger got the errors file: %v", err)
	}
	nobody := imports.Sender{Admit: func(*schemas.Event) ([]schemas.Warning, error) {
		return nil, &schemas.Error{Code: schemas.Forbidden, Message: "nothing"}
	}}
	if _, err := o.previews.Confirm(t.Context(), p.ID, false, nobody, nil); schemas.CodeOf(err) != schemas.Forbidden {
		t.Errorf("confirmed by one who may not: %v", err)
	}
	r, err := imports.Confirm(t.Context(), o.client, p.ID, false, nil)
	if err != nil || r.Published != 6 || r.Refused != 1 || r.OK() {
		t.Errorf("%+v %v", r, err)
	}
}
