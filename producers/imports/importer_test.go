package imports_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
	"milepost/producers/imports"
	"milepost/producers/internal/streamtest"
	"milepost/schemas"
)

// onStream answers from the stream itself, as a warehouse that is never behind.
type onStream struct {
	js    jetstream.JetStream
	rules *schemas.Rules
}

func (s *onStream) EventsFrom(ctx context.Context, source string) iter.Seq2[imports.PublishedEvent, error] {
	return func(yield func(imports.PublishedEvent, error) bool) {
		stream, err := s.js.Stream(ctx, schemas.StreamName)
		if err != nil {
			yield(imports.PublishedEvent{}, err)
			return
		}
		check := schemas.NewValidator(s.rules)
		var events []imports.PublishedEvent
		revoked := map[string]bool{}
		for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
			msg, err := stream.GetMsg(ctx, seq)
			if err != nil {
				yield(imports.PublishedEvent{}, err)
				return
			}
			event, _, err := check.Decode(msg.Data)
			if err != nil {
				yield(imports.PublishedEvent{}, err)
				return
			}
			if r, ok := event.Data.(*schemas.Revoked); ok && r.Source == source {
				revoked[r.ID] = true
			}
			if event.Source == source {
				events = append(events, imports.PublishedEvent{Seq: seq, Event: event})
			}
		}
		for _, e := range events {
			e.Revoked = revoked[e.Event.ID]
			if !yield(e, nil) {
				return
			}
		}
	}
}

// always is a ledger that knows everything.
type always struct{ asked []uint64 }

func (a *always) WaitApplied(_ context.Context, seq uint64) error {
	a.asked = append(a.asked, seq)
	return nil
}

type office struct {
	publisher *producers.Publisher
	importer  *imports.Importer
	previews  *imports.Previews
	server    *httptest.Server
	client    caller
	applied   *always
	dir       string
	clock     *clock
	js        jetstream.JetStream
}

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.at.Load(), 0) }

func (c *clock) forward(d time.Duration) { c.at.Add(int64(d / time.Second)) }

// caller speaks to a server.
type caller struct{ base string }

func (c caller) Call(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+query.Encode(), body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < 300 {
		return response.Body, nil
	}
	defer response.Body.Close()
	var p schemas.Problem
	if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
		return nil, fmt.Errorf("%s: %w", response.Status, err)
	}
	return nil, p.Error
}

func openOffice(t *testing.T, rules *schemas.Rules, o imports.HandlerOptions) *office {
	t.Helper()
	js := streamtest.Start(t).Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	check, err := schemas.NewSchemaValidator(rules)
	if err != nil {
		t.Fatal(err)
	}
	p, err := producers.New(js, check, producers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	applied := &always{}
	c := &clock{}
	c.at.Store(time.Date(2025, 12, 1, 9, 0, 0, 0, schemas.Location).Unix())
	importer, err := imports.NewImporter(imports.Importer{
		Published: &onStream{js, rules}, Publisher: p, Stream: p, Applied: applied, Rules: rules, Now: c.now, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	previews, err := imports.NewPreviews(importer, imports.PreviewOptions{Dir: t.TempDir(), Most: 4, MostOfActor: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := previews.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Previews = previews
	server := httptest.NewServer(imports.NewHandler(importer, o))
	t.Cleanup(server.Close)
	return &office{p, importer, previews, server, caller{server.URL}, applied, t.TempDir(), c, js}
}

func (o *office) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const xiuwuMapping = `
source: /offices/xiuwu
sender: xiuwu
snapshot: {file_name: YYYYMMDD}
project: {column: id}
name: {column: name}
total_investment: {column: total}
`

func counts(r *imports.Result) string {
	return fmt.Sprintf("added %d changed %d unchanged %d refused %d planned %d published %d failed %d warnings %d", r.Added, r.Changed, r.Unchanged, r.Refused, r.Planned, r.Published, r.Failed, len(r.Warnings))
}

func TestImportOfSeveralFiles(t *testing.T) {
	o := openOffice(t, schemas.DefaultRules(), imports.HandlerOptions{})
	mapping := o.write(t, "mapping.yaml", xiuwuMapping)
	april := o.write(t, "修武-20250430.csv", "id,name,total\nA,甲,12\nB,乙,5\nC,丙,many\n")
	march := o.write(t, "修武-20250331.csv", "id,name,total\nA,甲,10\n")
	files := []string{april, march}

	dry, err := imports.Upload(t.Context(), o.client, mapping, files, imports.UploadOptions{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := counts(dry); got != "added 2 changed 0 unchanged 0 refused 1 planned 3 published 0 failed 0 warnings 0" || dry.OK() {
		t.Error(got)
	}
	if c := dry.Changes; len(c) != 2 || c[0].ProjectID != "A" || len(c[0].Events) != 2 || c[0].Events[1].Changes[0] != (imports.Difference{What: "total_investment", From: "10", To: "12"}) {
		t.Errorf("changes %+v", c)
	}
	if f := dry.Errors; len(f) != 1 || f[0].File != "修武-20250430.csv" || f[0].Row != 4 || f[0].Column != "total" || f[0].Value != "many" || f[0].Hint == "" {
		t.Errorf("errors %+v", f)
	}

	for _, want := range []string{
		"added 2 changed 0 unchanged 0 refused 1 planned 3 published 3 failed 0 warnings 0",
		"added 0 changed 0 unchanged 2 refused 1 planned 0 published 0 failed 0 warnings 0",
	} {
		r, err := imports.Upload(t.Context(), o.client, mapping, files, imports.UploadOptions{Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := counts(r); got != want {
			t.Errorf("%s\nwanted %s", got, want)
		}
	}
	if got := fmt.Sprint(o.applied.asked); got != "[3 3]" { // for the result; before the second import
		t.Errorf("waited for %s", got)
	}

	revoke := fmt.Sprintf(`{"specversion":"1.0","id":"r1","source":"/offices/xiuwu","type":"event.revoked.v1","subject":"A","time":"2025-05-02T09:00:00+08:00","district":"xiuwu","data":{"revokes":{"source":"/offices/xiuwu","id":%q},"reason":"笔误","decided_on":"2025-05-02"}}`, dry.Changes[0].Events[1].ID)
	if r := o.publisher.PublishAll(t.Context(), [][]byte{[]byte(revoke)}, ""); r[0].Error != nil {
		t.Fatal(r[0].Error)
	}
	r, err := imports.Upload(t.Context(), o.client, mapping, files, imports.UploadOptions{})
	if err != nil || r.Published != 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Message, "was revoked") {
		t.Errorf("a revoked fact: %+v %v", r, err)
	}
}

func TestImportsThatCannotBegin(t *testing.T) {
	o := openOffice(t, schemas.DefaultRules(), imports.HandlerOptions{MaxFile: 1000, MaxTotal: 1500, MaxFiles: 2})
	mapping := o.write(t, "mapping.yaml", xiuwuMapping)
	small := o.write(t, "20250331.csv", "id,name,total\nA,甲,10\n")
	medium := o.write(t, "medium.csv", strings.Repeat("x", 900))
	large := o.write(t, "large.csv", strings.Repeat("x", 2000))
	for _, c := range []struct {
		name, mapping string
		files         []string
		code          schemas.Code
	}{
		{"a bad mapping", o.write(t, "bad.yaml", "sendr: xiuwu\n"), []string{small}, schemas.Invalid},
		{"no file", mapping, nil, schemas.Invalid},
		{"a file that is not there", mapping, []string{o.dir + "/none.csv"}, schemas.NotFound},
		{"a folder", mapping, []string{o.dir}, schemas.NotFound},
		{"a large file", mapping, []string{large}, schemas.TooLarge},
		{"much together", mapping, []string{medium, medium}, schemas.TooLarge},
		{"many files", mapping, []string{small, small, small}, schemas.TooLarge},
	} {
		if _, err := imports.Upload(t.Context(), o.client, c.mapping, c.files, imports.UploadOptions{}); schemas.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	form := func(parts ...string) (string, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, name := range parts {
			if err := w.WriteField(name, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w.FormDataContentType(), b.String()
	}
	twice, twiceBody := form("mapping", "mapping")
	other, otherBody := form("mapping", "else")
	none, noneBody := form("file")
	empty, emptyBody := form("snapshot_date")
	for _, c := range []struct {
		name, query, contentType, body string
		status                         int
	}{
		{"no form", "", "text/csv", "id", 400},
		{"two mappings", "", twice, twiceBody, 422},
		{"another part", "", other, otherBody, 422},
		{"a part that is no date", "", empty, emptyBody, 422},
		{"broken off", "", none, noneBody[:40], 400},
		{"a wrong choice", "?dry_run=perhaps", none, noneBody, 422},
	} {
		response, err := http.Post(o.server.URL+"/v1/imports"+c.query, c.contentType, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.status {
			t.Errorf("%s: %s", c.name, response.Status)
		}
	}
}

// failing publishes the first and loses the rest.
type failing struct{}

func (failing) Publish(_ context.Context, submissions iter.Seq[producers.Submission], _ string) iter.Seq[producers.Receipt] {
	return func(yield func(producers.Receipt) bool) {
		n := uint64(0)
		for range submissions {
			n++
			r := producers.Receipt{Seq: n}
			if n > 1 {
				r = producers.Receipt{Error: &schemas.Error{Code: schemas.Unavailable, Message: "away"}}
			}
			if !yield(r) {
				return
			}
		}
	}
}

func (failing) LastSequence(context.Context) (uint64, error) { return 7, nil }

func (failing) EventsFrom(context.Context, string) iter.Seq2[imports.PublishedEvent, error] {
	return func(func(imports.PublishedEvent, error) bool) {}
}

func (failing) WaitApplied(context.Context, uint64) error { return context.DeadlineExceeded }

func TestImportTellsWhatWasNotPublished(t *testing.T) {
	importer, err := imports.NewImporter(imports.Importer{Published: failing{}, Publisher: failing{}, Stream: failing{}, Applied: failing{}, Rules: schemas.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := importer.Run(t.Context(), imports.Request{
		Mapping: []byte(xiuwuMapping), Files: []imports.File{{Name: "20250331.csv", Text: []byte("id,name,total\nA,甲,1\nB,乙,1\n")}}, Wait: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := counts(r); got != "added 2 changed 0 unchanged 0 refused 0 planned 2 published 1 failed 1 warnings 2" || r.OK() || r.Errors[0].Row != 3 {
		t.Errorf("%s %+v", got, r.Errors)
	}
}
