package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"milepost/deploy/keeping"
)

// TestBackupAndRestore takes a backup of a server at work, restores it into an empty folder, and finds every golden figure
// of the city there; the server that goes on from it takes the next sequence.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	files := goldenFiles(t, "city")
	events, err := os.ReadFile(filepath.Join(goldenDir("city"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	rules := writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, half_yearly: off, assessment: off, formats: [md]}\n")
	before := serve(t, "--config", rules)
	known := publishInSteps(t, before, events, files)
	// An edition, with its files, is kept, too.
	before.mustRun(nil, "bulletin", "2025-10", "--publish")
	editions := before.mustRun(nil, "editions", "--json")

	backup := filepath.Join(t.TempDir(), "backup")
	before.mustRun(nil, "backup", backup)
	manifest, err := keeping.Verify(backup)
	if err != nil {
		t.Fatal(err)
	}
	again := before.run(nil, "backup", backup)
	if again.code != 1 || !strings.Contains(again.err, "not empty") {
		t.Errorf("a backup over another: exit %d\n%s", again.code, again.err)
	}
	doctor := func(running bool, data, listen string) {
		t.Helper()
		r := runCommand(t, nil, "doctor", "--data", data, "--listen", listen, "--clickhouse-listen", "127.0.0.1:0", "--json")
		if r.code != 0 || !strings.Contains(r.out, "applied up to "+strconv.FormatUint(manifest.Sequence, 10)) || strings.Contains(r.out, "it runs at") != running {
			t.Errorf("doctor, running %v: exit %d\n%s%s", running, r.code, r.out, r.err)
		}
	}
	doctor(true, t.TempDir(), strings.TrimPrefix(before.HTTP, "http://"))
	before.kill()

	data := filepath.Join(t.TempDir(), "new", "data")
	if r := runCommand(t, nil, "restore", backup, "--data", data); r.code != 0 {
		t.Fatalf("restore: exit %d\n%s%s", r.code, r.out, r.err)
	}
	doctor(false, data, "127.0.0.1:0")
	after := serve(t, "--data", data, "--config", rules)
	for _, f := range files {
		compareGolden(t, after, f, known[f.lines])
	}
	if now := after.mustRun(nil, "editions", "--json"); now != editions {
		t.Errorf("editions before\n%s\nand after\n%s", editions, now)
	}
	var next struct {
		Seq uint64 `json:"seq"`
	}
	receipt := after.mustRun(bytes.NewReader([]byte(event(nil, nil)+"\n")), "publish", "-", "--wait")
	if err := json.Unmarshal([]byte(receipt), &next); err != nil || next.Seq != manifest.Sequence+1 {
		t.Errorf("the first event after the restore: %s, the backup ends at %d", receipt, manifest.Sequence)
	}
	if audit := after.mustRun(nil, "audit", "--json"); !strings.Contains(audit, `"backup"`) {
		t.Errorf("the backup is not in the restored audit:\n%s", audit)
	}
	occupied := runCommand(t, nil, "restore", backup, "--data", data)
	if occupied.code != 1 || !strings.Contains(occupied.err, "not empty") {
		t.Errorf("a restore over data: exit %d\n%s", occupied.code, occupied.err)
	}
}
