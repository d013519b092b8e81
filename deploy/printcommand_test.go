package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDocumentsAsFiles prints both editions and the assessment into a folder.
func TestDocumentsAsFiles(t *testing.T) {
	t.Parallel()
	server := serve(t)
	events, err := os.ReadFile(filepath.Join(goldenDir("small"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	server.publish(events)
	dir := filepath.Join(t.TempDir(), "new", "folder")
	printed := server.mustRun(nil, "bulletin", "2025-10", "--format", "html,pdf,docx,xlsx,md,json", "--out", dir)
	printed += server.mustRun(nil, "bulletin", "2025-10", "--edition", "media", "--format", "html,md", "--out", dir)
	printed += server.mustRun(nil, "assess", "2025", "--format", "html,docx,xlsx,md,json", "--out", dir)
	printed += server.mustRun(nil, "assess", "2025", "--edition", "media", "--format", "html,docx,xlsx,md,json", "--out", dir)
	starts := map[string]string{"html": "<!DOCTYPE html>", "pdf": "%PDF-", "docx": "PK", "xlsx": "PK", "md": "# ", "json": "{"}
	var want []string
	for _, document := range []struct{ name, formats string }{{"bulletin-2025-10-official", "html pdf docx xlsx md json"}, {"bulletin-2025-10-media", "html md"}, {"assessment-2025", "html docx xlsx md json"}, {"assessment-2025-media", "html docx xlsx md json"}} {
		for _, format := range strings.Fields(document.formats) {
			path := filepath.Join(dir, document.name+"."+format)
			want = append(want, path)
			content, err := os.ReadFile(path)
			if err != nil || !bytes.HasPrefix(content, []byte(starts[format])) {
				t.Errorf("%s: %v, %.20q", path, err, content)
			}
		}
	}
	if got := strings.Fields(printed); !slices.Equal(got, want) {
		t.Errorf("printed %q, want %q", got, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(want) {
		t.Errorf("%d files, %v", len(entries), err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "bulletin-2025-10-official.json"))
	if err != nil {
		t.Fatal(err)
	}
	var model struct {
		KnownSeq uint64 `json:"known_seq"`
	}
	if err := json.Unmarshal(text, &model); err != nil || model.KnownSeq == 0 {
		t.Errorf("%v, known_seq %d", err, model.KnownSeq)
	}
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"bulletin", "2025-10", "--format", "html,md"}, "--out"},
		{[]string{"bulletin", "2025-10", "--format", "gif"}, "no such format"},
		{[]string{"assess", "2025", "--format", "md,md", "--out", dir}, "twice"},
		{[]string{"bulletin", "2025-10", "--edition", "secret"}, "official"},
	} {
		if r := server.run(nil, tc.args...); r.code == 0 || !strings.Contains(r.err, tc.says) {
			t.Errorf("%v: exit %d, %s", tc.args, r.code, r.err)
		}
	}
}
