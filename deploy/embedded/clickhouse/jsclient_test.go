package clickhouse_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"milepost/deploy/embedded/enginetest"
)

func TestJavaScriptClient(t *testing.T) {
	t.Parallel()
	modules := jsModules(t)
	db := enginetest.ClickHouse(t)
	dsn, err := url.Parse(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := dsn.User.Password()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	script, err := filepath.Abs("testdata/jsclient/client.mjs")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, "node", script, modules, db.HTTP, db.Database, dsn.User.Username(), password)
	var errs bytes.Buffer
	command.Stderr = &errs
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, output, errs.String())
	}
	var got map[string]any
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	want := map[string]any{
		"ping": true, "pingWithSelect": true, "queryID": true, "document": 3.0, "written": "1000", "setting": 77.0, "session": 3.0,
		"params":       []any{map[string]any{"n": 42.0, "s": "it's\t\\n", "list": []any{"a", "b'"}, "day": "2025-10-31"}},
		"count":        map[string]any{"n": 1000.0, "name": "企业9有限公司"},
		"streamed":     []any{100000.0, 4999950000.0},
		"unknownTable": []any{"60", "UNKNOWN_TABLE"},
		"readonly":     []any{"164", "READONLY"},
		"outfile":      []any{"164", "READONLY"},
		"midStream":    []any{"395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"},
		"aborted":      "AbortError: The operation was aborted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// jsModules installs the pinned client once a machine, keyed by its lock file, and gives the folder it is in.
func jsModules(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("testdata/jsclient/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("MILEPOST_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(user, "milepost", "assets")
	}
	hash := sha256.Sum256(lock)
	dir := filepath.Join(cache, "test-jsclient-"+hex.EncodeToString(hash[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	temporary, err := os.MkdirTemp(cache, ".jsclient-")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join("testdata/jsclient", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(temporary, name), data, 0o644); err != nil {
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
		if err := os.RemoveAll(temporary); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
