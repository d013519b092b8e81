package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallEvents gives the first lines of the small golden case.
func smallEvents(t *testing.T, lines int) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(goldenDir("small"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join(bytes.SplitAfter(text, []byte("\n"))[:lines], nil)
}

// TestRolesInProcessesOfTheirOwn splits one installation into an engines
// process and two others that need no password to find it.
func TestRolesInProcessesOfTheirOwn(t *testing.T) {
	t.Parallel()
	engines := serve(t, "--target", "engines")
	if engines.HTTP != "" {
		t.Errorf("engines alone serve HTTP at %s", engines.HTTP)
	}
	to := []string{"--nats", engines.NATS, "--clickhouse", engines.CH}
	front := serve(t, append(to, "--target", "producers,web,scheduler")...)
	consumer := serve(t, append(to, "--target", "consumers")...)
	receipts := front.publish(smallEvents(t, 40))
	if len(receipts) != 40 {
		t.Fatalf("%d receipts", len(receipts))
	}
	// A role that serves nothing else still answers supervisors and Prometheus where it was told to listen.
	for path, want := range map[string]int{"/healthz": 204, "/readyz": 204, "/metrics": 200} {
		if status, text := consumer.get(consumer.HTTP + path); status != want || path == "/metrics" && !strings.Contains(text, "\nmilepost_batches_written_total ") {
			t.Errorf("consumers alone answer %s with %d", path, status)
		}
	}
	whole := front.mustRun(nil, "ledger", "--as-of", "2025-03-31", "--format", "json")
	if !strings.Contains(whole, `"P-0007"`) {
		t.Errorf("ledger without P-0007: %s", whole)
	}
	for name, p := range map[string]*process{"consumers": consumer, "front": front, "engines": engines} {
		if code := p.terminate(); code != 0 {
			t.Errorf("%s ended with exit code %d\n%s", name, code, p.log)
		}
	}
}

// TestStopAndStartAgain ends a server with SIGTERM and finds everything there
// after the next start.
func TestStopAndStartAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := serve(t, "--data", data)
	first.publish(smallEvents(t, 100))
	before := first.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json")

	second := runCommand(t, nil, "serve", "--data", data, "--listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")
	if second.code != 1 || !strings.Contains(second.err, "in use") || !strings.Contains(second.err, "hint") {
		t.Errorf("a second process on the data folder: exit %d\n%s", second.code, second.err)
	}
	if code := first.terminate(); code != 0 {
		t.Fatalf("SIGTERM: exit code %d\n%s", code, first.log)
	}
	again := serve(t, "--data", data)
	if after := again.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json"); after != before {
		t.Errorf("the ledger differs after a restart\nbefore %s\nafter  %s", before, after)
	}
	for i, r := range again.publish(smallEvents(t, 100)) {
		if !r.Duplicate && r.Seq <= 100 {
			t.Errorf("line %d: neither new nor a duplicate: %+v", i+1, r)
		}
	}
	if after := again.mustRun(nil, "ledger", "--as-of", "2025-10-31", "--format", "json"); after != before {
		t.Error("sending the same events again changed the ledger")
	}
}

// TestNewerDataFolderIsRefused plants a migration of the future.
func TestNewerDataFolderIsRefused(t *testing.T) {
	t.Parallel()
	engines := serve(t, "--target", "engines")
	to := []string{"--nats", engines.NATS, "--clickhouse", engines.CH, "--target", "web"}
	serve(t, to...)
	engines.writeSQL("INSERT INTO schema_migrations (number, name, sha256, applied_at) VALUES (9999, '9999_future.sql', 'x', now())")
	r := runCommand(t, nil, append([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, to...)...)
	if r.code != 1 || !strings.Contains(r.err, "newer") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
