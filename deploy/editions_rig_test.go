package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/schemas"
)

// edition runs a command that answers with an edition, twice: the repetition
// must change nothing.
func (p *process) edition(args ...string) schemas.EditionStatus {
	p.t.Helper()
	args = append(args, "--json")
	first := p.mustRun(nil, args...)
	var status schemas.EditionStatus
	if err := json.Unmarshal([]byte(first), &status); err != nil {
		p.t.Fatalf("%v: %v\n%s", args, err, first)
	}
	if again := p.mustRun(nil, args...); again != first {
		p.t.Errorf("%v again:\n%s\nfirst:\n%s", args, again, first)
	}
	return status
}

// refused runs a command that must fail with the message and a hint.
func (p *process) refused(message string, args ...string) {
	p.t.Helper()
	if r := p.run(nil, args...); r.code != 1 || !strings.Contains(r.err, message) || !strings.Contains(r.err, "; ") {
		p.t.Errorf("%v: exit %d, %s%s; want %q", args, r.code, r.out, r.err, message)
	}
}

// editions lists what milepost editions prints.
func (p *process) editions() []schemas.EditionStatus {
	p.t.Helper()
	var list []schemas.EditionStatus
	if err := json.Unmarshal([]byte(p.mustRun(nil, "editions", "--json")), &list); err != nil {
		p.t.Fatal(err)
	}
	return list
}

// wantFiles holds what is served and what lies in the folder against the
// published hashes.
func (p *process) wantFiles(s schemas.EditionStatus, folder string) map[string]string {
	p.t.Helper()
	contents := map[string]string{}
	for _, f := range s.Files {
		status, body := p.get(p.HTTP + f.Path)
		sum := sha256.Sum256([]byte(body))
		if status != 200 || hex.EncodeToString(sum[:]) != f.SHA256 {
			p.t.Errorf("%s: %d, %x, published as %s", f.Path, status, sum, f.SHA256)
		}
		if stored, err := os.ReadFile(filepath.Join(folder, f.Name)); err != nil || string(stored) != body {
			p.t.Errorf("%s in the folder: %v", f.Name, err)
		}
		contents[f.Name] = body
	}
	return contents
}

// writeFile writes a file of the test's own.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
