package evidence

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

func packed(t *testing.T, parts ...string) []byte {
	t.Helper()
	var text bytes.Buffer
	w := zip.NewWriter(&text)
	for _, part := range parts {
		if _, err := w.Create(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// A file is what its content says, whatever its name.
func TestKindIsToldByContent(t *testing.T) {
	t.Parallel()
	for want, content := range map[string][]byte{
		".pdf": []byte("%PDF-1.7\n"), ".jpg": []byte("\xff\xd8\xff\xe0"), ".png": []byte("\x89PNG\r\n\x1a\n0"), ".ofd": packed(t, "OFD.xml"),
		".docx": packed(t, "[Content_Types].xml", "word/document.xml"), ".xlsx": packed(t, "[Content_Types].xml", "xl/workbook.xml"),
	} {
		if kind, ok := kindOf(content); !ok || kind.extension != want {
			t.Errorf("%s: %+v %v", want, kind, ok)
		}
	}
	for what, content := range map[string][]byte{
		"a page": []byte("<html><script>alert(1)</script>"), "a program": []byte("MZ\x90"), "a drawing with script": []byte(`<svg xmlns="http://www.w3.org/2000/svg">`),
		"an archive": packed(t, "a.txt"), "half an archive": packed(t, "OFD.xml")[:20], "macros": packed(t, "[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "text": []byte("说明"),
	} {
		if kind, ok := kindOf(content); ok {
			t.Errorf("%s is taken for %+v", what, kind)
		}
	}
}

func TestNamesAreTamed(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`C:\材料\合同.pdf`: "合同.pdf", "../../etc/passwd": "passwd", "": "evidence", "a\x00\u202eb.png": "ab.png", `x"y.pdf`: "xy.pdf", strings.Repeat("长", 200) + ".pdf": strings.Repeat("长", maxName-4) + ".pdf",
	} {
		if got := plainName(given); got != want {
			t.Errorf("%q is called %q, want %q", given, got, want)
		}
	}
	if got := withExtension("photo.JPEG", ".jpg"); got != "photo.JPEG" {
		t.Error(got)
	}
	if got := withExtension("page.html", ".pdf"); got != "page.html.pdf" {
		t.Error(got)
	}
}

func TestStoreKeepsAFileOnce(t *testing.T) {
	t.Parallel()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	content := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 300_000)...) // several chunks
	first, err := s.Keep(t.Context(), "土地出让合同.pdf", content)
	if err != nil || first.Name != "土地出让合同.pdf" || first.MediaType != "application/pdf" || first.Size != int64(len(content)) || len(first.SHA256) != 64 {
		t.Fatalf("%+v %v", first, err)
	}
	if again, err := s.Keep(t.Context(), "other.pdf", content); err != nil || again != first {
		t.Errorf("again: %+v %v", again, err)
	}
	file, got, err := s.Read(t.Context(), first.SHA256)
	if err != nil || file != first || !bytes.Equal(got, content) {
		t.Errorf("%+v %d %v", file, len(got), err)
	}
	for _, sum := range []string{strings.Repeat("0", 64), "", "../x", strings.ToUpper(first.SHA256)} {
		if _, _, err := s.Read(t.Context(), sum); schemas.CodeOf(err) != schemas.NotFound {
			t.Errorf("%q: %v", sum, err)
		}
	}
	if _, err := s.Keep(t.Context(), "a.pdf", []byte("<html>")); schemas.CodeOf(err) != schemas.Invalid {
		t.Errorf("a page: %v", err)
	}
	if _, err := s.Keep(t.Context(), "a.pdf", append([]byte("%PDF-"), make([]byte, MaxFile)...)); schemas.CodeOf(err) != schemas.TooLarge {
		t.Errorf("too large: %v", err)
	}
}
