package page

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/schemas"
)

func write(t *testing.T, templates *Templates, i int, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := templates.Write(&b, samples()[i], o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEqualDocumentsGiveEqualPages(t *testing.T) {
	t.Parallel()
	templates, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for i := range samples() {
		once := write(t, templates, i, Options{Sources: true})
		if again := write(t, templates, i, Options{Sources: true}); again != once {
			t.Error("other bytes")
		}
	}
}

func TestAPageNeedsNoOtherFile(t *testing.T) {
	t.Parallel()
	templates, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	page := write(t, templates, 0, Options{Sources: true})
	for _, reference := range []string{"src=", `href="http`, `href="/`, "url(", "@import"} {
		if strings.Contains(page, reference) {
			t.Errorf("the page refers to something by %s", reference)
		}
	}
	for _, want := range []string{`<a class="f" href="#s1">3</a>`, `<div id="s1">`, "<pre>SELECT 1</pre>", "<thead>", `aria-label="亮灯。红1个。"`, `<script type="application/json"`} {
		if !strings.Contains(page, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if plain := write(t, templates, 0, Options{}); strings.Contains(plain, `id="s1"`) || strings.Contains(plain, "application/json") {
		t.Error("a page to print has sources")
	}
}

func TestAFolderStandsInForTemplates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, styleFile, "h1 { color: blue }")
	templates, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if page := write(t, templates, 1, Options{}); !strings.Contains(page, "color: blue") || strings.Contains(page, "@page") {
		t.Error("the folder's style is not used")
	}
}

func TestWrongTemplatesAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"syntax": "{{if}}", "field": "{{.Weather}}", "block": "{{range .Sections}}{{.Colour}}{{end}}"} {
		dir := t.TempDir()
		put(t, dir, pageFile, text)
		if _, err := Load(dir); schemas.CodeOf(err) != schemas.Invalid || !strings.Contains(err.Error(), pageFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	put(t, dir, pageFile, "{{.Weather}}")
	put(t, dir, styleFile, strings.Repeat("x", maxTemplate+1))
	_, err := Load(dir)
	if err == nil || !strings.Contains(err.Error(), pageFile) || !strings.Contains(err.Error(), styleFile) {
		t.Errorf("not both are named: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "missing")); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("no folder: %v", err)
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	templates, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	if err := templates.Write(fullDisk{}, samples()[0], Options{}); err == nil {
		t.Error("no error")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
