package imports_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	if shown, err := o.previews.Get(t.Context(), b.ID); err != nil || shown.Confirmed == nil {
		t.Errorf("%+v %v", shown, err)
	}
	if err := o.previews.Delete(t.Context(), c.ID); err != nil || schemas.CodeOf(o.previews.Delete(t.Context(), c.ID)) != schemas.NotFound {
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

// TestAnotherProcessConfirmsAPreview: what one replica previewed another shows,
// confirms and forgets, and either knows what the other did.
func TestAnotherProcessConfirmsAPreview(t *testing.T) {
	t.Parallel()
	o := openOffice(t, officeRules(), imports.HandlerOptions{})
	objects, err := imports.OpenPreviewStore(t.Context(), o.js, 0)
	if err != nil {
		t.Fatal(err)
	}
	replica := func(publisher imports.Publisher) *imports.Previews {
		changed := *o.importer
		changed.Publisher = publisher
		importer, err := imports.NewImporter(changed)
		if err != nil {
			t.Fatal(err)
		}
		p, err := imports.NewPreviews(importer, imports.PreviewOptions{Dir: t.TempDir(), Objects: objects, MostOfActor: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		return p
	}
	first, second := replica(o.publisher), replica(&refusing{o.publisher, 1})
	text, err := os.ReadFile(o.filled(t, "台账.xlsx", "", with(twoProjects(), map[string]any{"台账!J6": "很多"})))
	if err != nil {
		t.Fatal(err)
	}
	make := func() *imports.Preview {
		t.Helper()
		p, err := first.Make(t.Context(), imports.Request{Files: []imports.File{{Name: "台账.xlsx", Text: text}}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	made, other := make(), make()
	shown, err := second.Get(t.Context(), made.ID)
	if err != nil || cmp.Diff(made, shown) != "" {
		t.Fatalf("%v\n%s", err, cmp.Diff(made, shown))
	}
	var files [2][]byte
	for i, p := range []*imports.Previews{first, second} {
		path, err := p.ErrorsFile(t.Context(), made.ID)
		if err == nil {
			files[i], err = os.ReadFile(path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files[0]) == 0 || !bytes.Equal(files[0], files[1]) {
		t.Errorf("errors files of %d and %d bytes", len(files[0]), len(files[1]))
	}
	// The second publishes one event and fails; the first sends the rest.
	r, err := second.Confirm(t.Context(), made.ID, false, imports.Sender{}, nil)
	if err != nil || r.Published != 1 || r.Failed != made.Planned-1 {
		t.Fatalf("the second: %+v %v", r, err)
	}
	if r, err = first.Confirm(t.Context(), made.ID, false, imports.Sender{}, nil); err != nil || r.Published != made.Planned-1 || r.Duplicates != 1 || r.Failed != 0 {
		t.Fatalf("the first: %+v %v", r, err)
	}
	again, err := second.Confirm(t.Context(), made.ID, false, imports.Sender{}, nil)
	if err != nil || again.LastSeq != r.LastSeq || again.Published != r.Published {
		t.Errorf("the second again: %+v %v", again, err)
	}
	if _, err := second.Confirm(t.Context(), other.ID, false, imports.Sender{}, nil); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("a preview that is out of date: %v", err)
	}
	if err := second.Delete(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Get(t.Context(), other.ID); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("forgotten elsewhere: %v", err)
	}
	make()
	make() // the oldest of three gives way, everywhere
	for _, p := range []*imports.Previews{first, second} {
		if _, err := p.Get(t.Context(), made.ID); schemas.CodeOf(err) != schemas.NotFound {
			t.Errorf("what gave way: %v", err)
		}
	}
	kept := make()
	o.clock.forward(61 * time.Minute)
	if _, err := replica(o.publisher).Get(t.Context(), kept.ID); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("expired: %v", err)
	}
	for _, id := range []string{"", "../x", strings.Repeat("A", 26), made.ID + ".state"} {
		if _, err := second.Get(t.Context(), id); schemas.CodeOf(err) != schemas.NotFound {
			t.Errorf("%q: %v", id, err)
		}
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
