package formats

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func TestTheSameModelGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	e, w := october(t), newWriter(t, Config{})
	for _, edition := range document.Editions() {
		for _, format := range []string{HTML, Markdown, JSON} {
			if !bytes.Equal(write(t, w, format, e, edition), write(t, w, format, e, edition)) {
				t.Errorf("%s %s: other bytes", edition, format)
			}
		}
	}
}

func TestWithheldProjectsAreInNoFormatOfTheMediaEdition(t *testing.T) {
	t.Parallel()
	e, w := october(t), newWriter(t, Config{})
	s := e.Details.Standing(e.Model.Lagging[0].ProjectID)
	s.Withheld, s.Name = true, "不公开的项目"
	e.Model.Lagging[0].Name = s.Name
	for _, format := range []string{HTML, Markdown, JSON} {
		if bytes.Contains(write(t, w, format, e, document.Media), []byte(s.Name)) {
			t.Errorf("%s shows it", format)
		}
		if !bytes.Contains(write(t, w, format, e, document.Official), []byte(s.Name)) {
			t.Errorf("the official %s lacks it", format)
		}
	}
}

func TestRemarksAreReadAgainForEveryDraft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, w := october(t), newWriter(t, Config{Remarks: dir})
	file := filepath.Join(dir, "bulletin-2025-10.yaml")
	for _, text := range []string{"初稿的原因。", "改后的原因。"} {
		if err := os.WriteFile(file, []byte("causes: ["+text+"]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if !bytes.Contains(write(t, w, Markdown, e, document.Official), []byte(text)) {
				t.Errorf("missing: %s", text)
			}
		}
	}
	if err := os.WriteFile(file, []byte("weather: fine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Bulletin(t.Context(), io.Discard, HTML, e.Model, e.names(document.Official)); schemas.CodeOf(err) != schemas.Invalid {
		t.Errorf("wrong remarks: %v", err)
	}
}

func TestTheConfigurationsFaultsAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	c := Config{Templates: "missing-templates", Remarks: "missing-remarks"}
	c.RowsInText = -1
	_, err := New(c)
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"documents.templates", "documents.remarks", "documents.rows_in_text"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("missing: %s in %v", field, err)
		}
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	e, w := october(t), newWriter(t, Config{})
	if err := w.Bulletin(t.Context(), io.Discard, "gif", e.Model, e.names(document.Official)); schemas.CodeOf(err) != schemas.Invalid {
		t.Errorf("%v", err)
	}
}

// BenchmarkThousandProjects times each format of a bulletin of more than 1,000
// projects.
func BenchmarkThousandProjects(b *testing.B) {
	e, w := thousand(b), newWriter(b, Config{})
	for _, format := range All() {
		b.Run(format, func(b *testing.B) {
			for b.Loop() {
				b.SetBytes(int64(len(write(b, w, format, e, document.Official))))
			}
		})
	}
}
