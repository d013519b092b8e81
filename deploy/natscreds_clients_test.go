package deploy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestJavaScriptClientPublishes runs the example as an office would, and finds
// its event in the warehouse.
func TestJavaScriptClientPublishes(t *testing.T) {
	t.Parallel()
	folder := installedExample(t)
	data := t.TempDir()
	server := serve(t, "--data", data)
	creds := makeCreds(t, data, "shanyang")
	text, err := os.ReadFile(filepath.Join("examples", "nats-javascript", "event.json"))
	if err != nil {
		t.Fatal(err)
	}
	publish := func(district string, text []byte) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		command := exec.CommandContext(ctx, "node", "publish.mjs", server.NATS, creds.File, district)
		command.Dir, command.Stdin = folder, bytes.NewReader(text)
		var errs bytes.Buffer
		command.Stderr = &errs
		out, err := command.Output()
		if err != nil {
			return errs.String(), err
		}
		return string(out), nil
	}
	for i, duplicate := range []bool{false, true} {
		out, err := publish("shanyang", text)
		var r receipt
		if err == nil {
			err = json.Unmarshal([]byte(out), &r)
		}
		if err != nil || r.Seq != 1 || r.Duplicate != duplicate {
			t.Errorf("run %d: %v: %s", i+1, err, out)
		}
	}
	if out, err := publish("xiuwu", bytes.ReplaceAll(text, []byte("shanyang"), []byte("xiuwu"))); err == nil || !strings.Contains(out, "ermissions") {
		t.Errorf("for another district: %v: %s", err, out)
	}
	server.mustRun(strings.NewReader(""), "publish", "--wait")
	row := server.mustRun(nil, "query", "--format", "tsv", "SELECT stream_seq, actor, district, project_id FROM events FINAL")
	if !strings.Contains(row, "1\tnats:shanyang\tshanyang\tP-0012") || strings.Count(row, "\n") != 2 {
		t.Errorf("the warehouse says %q", row)
	}
}

// installedExample gives the folder of the example with its packages, which the
// npm client puts there once a machine, keyed by what is asked for.
func installedExample(t *testing.T) string {
	t.Helper()
	source := filepath.Join("examples", "nats-javascript")
	hash := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", "publish.mjs"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
		_, _ = hash.Write(text) // a hash never fails
	}
	cache := os.Getenv("MILEPOST_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(user, "milepost", "assets")
	}
	dir := filepath.Join(cache, "test-nats-javascript-"+hex.EncodeToString(hash.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	temporary, err := os.MkdirTemp(cache, ".nats-javascript-")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(temporary, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	command.Dir = temporary
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	// Whoever comes second keeps the first one's.
	if err := os.Rename(temporary, dir); err != nil {
		if removed := os.RemoveAll(temporary); removed != nil || !errors.Is(err, fs.ErrExist) {
			t.Fatal(errors.Join(err, removed))
		}
	}
	return dir
}
