package keeping

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/schemas"
)

// write makes a small backup with the Files.
func write(t *testing.T, files Files) *Manifest {
	t.Helper()
	m := &Manifest{Format: format, Version: "0.1.0", Sequence: 7, Streams: []Stream{{Name: "S", Config: json.RawMessage(`{"name": "S", "subjects": ["a.>"]}`), State: json.RawMessage(`{"last_seq":7}`)}}}
	for name, text := range map[string]string{"streams/S": strings.Repeat("stream", 100), "tables/t.native.gz": "rows", "keys/seed": "secret"} {
		f, err := put(files, name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, f)
	}
	text, err := m.seal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(files, ManifestName, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		t.Fatal(err)
	}
	return m
}

func whole(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backup")
	folder, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder)
	return dir
}

func TestAWholeBackupIsVerified(t *testing.T) {
	t.Parallel()
	dir := whole(t)
	m, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Sequence != 7 || len(m.Files) != 3 || m.stream("S") == nil || !m.holds("tables/t.native.gz") {
		t.Errorf("manifest: %+v", m)
	}
	info, err := os.Stat(filepath.Join(dir, "keys", "seed"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a secret of the backup: %v %v", info.Mode(), err)
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	t.Parallel()
	change := func(name string, edit func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, edit(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	replaced := func(old, with string) func([]byte) []byte {
		return func(text []byte) []byte { return bytes.Replace(text, []byte(old), []byte(with), 1) }
	}
	for _, c := range []struct {
		name, says string
		damage     func(*testing.T, string)
	}{
		{"no manifest", "cut off", remove(ManifestName)},
		{"half a manifest", "was damaged", change(ManifestName, func(text []byte) []byte { return text[:len(text)/2] })},
		{"another sequence", "manifest.json was altered", change(ManifestName, replaced(`"sequence": 7`, `"sequence": 8`))},
		{"another subject", "manifest.json was altered", change(ManifestName, replaced(`a.\u003e`, `b.\u003e`))},
		{"newer format", "format 9", change(ManifestName, replaced(`"format": 1`, `"format": 9`))},
		{"a file is missing", "is missing", remove("streams/S")},
		{"a file is shorter", "cut off: it has 599 bytes of 600", change("streams/S", func(text []byte) []byte { return text[1:] })},
		{"a file is longer", "was altered", change("streams/S", func(text []byte) []byte { return append(text, 'x') })},
		{"a byte differs", "was altered", change("tables/t.native.gz", replaced("rows", "rowz"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := whole(t)
			c.damage(t, dir)
			_, err := Verify(dir)
			if schemas.CodeOf(err) != schemas.Invalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestAFileOutsideOfTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	folder, err := NewFolder(filepath.Join(t.TempDir(), "backup"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../evil", "/etc/evil", "a/../../evil"} {
		if _, err := folder.Create(name); schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABackupIsReceived(t *testing.T) {
	t.Parallel()
	var message bytes.Buffer
	parts := NewParts(&message)
	write(t, parts)
	if err := parts.End(nil); err != nil {
		t.Fatal(err)
	}
	text := message.Bytes()
	if m, err := Receive(bytes.NewReader(text), parts.ContentType(), filepath.Join(t.TempDir(), "b")); err != nil || m.Sequence != 7 {
		t.Fatalf("got %+v, %v", m, err)
	}
	// However much of it comes, less than all is no backup; the last line is the end of the message.
	for _, length := range []int{0, 1, len(text) / 3, len(text) / 2, len(text) - 30} {
		if _, err := Receive(bytes.NewReader(text[:length]), parts.ContentType(), filepath.Join(t.TempDir(), "b")); schemas.CodeOf(err) != schemas.Unavailable {
			t.Errorf("%d of %d bytes: %v", length, len(text), err)
		}
	}
}

func TestABackupThatEndsEarlySaysWhy(t *testing.T) {
	t.Parallel()
	var message bytes.Buffer
	parts := NewParts(&message)
	if _, err := put(parts, "streams/S", func(w io.Writer) error { _, err := io.WriteString(w, "half"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := parts.End([]byte(`{"code":"unavailable","message":"the disk is full","hint":"make room"}`)); err != nil {
		t.Fatal(err)
	}
	_, err := Receive(&message, parts.ContentType(), filepath.Join(t.TempDir(), "b"))
	var e *schemas.Error
	if !errors.As(err, &e) || e.Message != "the disk is full" {
		t.Errorf("got %v", err)
	}
}
